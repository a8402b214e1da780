r"""Definitions: which relations of a document say what its cell computes.

``name at step t = formula`` without a derivative in it defines the name; the first definition of a name holds until another one
disagrees, which begins a new group (many documents treat an RNN, then an LSTM).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from symgrad.check.defined.definitions import (
    counters,
    definition,
    definition_of_side,
    families,
    inner_definition,
    lags,
    of_a_number,
    own_letter,
)
from symgrad.check.defined.groups import Collected, Group, bare_names, begun_before, handed_over, names_the_stepless, reads_out
from symgrad.check.defined.lettered import function_definition, in_some_case, in_words
from symgrad.check.defined.listings import listed
from symgrad.check.defined.page import Definition, Page, plain
from symgrad.check.defined.slopes import Letter, backwards, error_signal, gradients, letters_behind, named_slopes, recursive, slope_name, told_gradients
from symgrad.check.defined.targets import differentiated, hatless, wanted, without_hat
from symgrad.check.defined.typing import decomposed
from symgrad.check.reading import lint
from symgrad.check.reading.conditions import special
from symgrad.check.reading.prose import clause
from symgrad.check.reading.relations import number
from symgrad.check.reading.sentences import SAID
from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.statements import (
    DEFINING,
    LOSSES,
    MARKS,
    Statement,
    added_up,
    derived,
    letter_of,
    names_in,
    relation_of,
    step_part,
    sums_steps,
    weight,
)
from symgrad.check.reading.symbols import STEP_WORDS, Symbols, head_and_parts, is_top, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Name

IN_A_CASE = re.compile(  # what a gate does, or when, or how others write it; no simpler cell that the document goes on with
    r"\b(?:py-?torch|tensorflow|keras|cudnn|(?:other|some|many|several)\s+(?:papers?|authors?|texts?|books?|sources?|implementations?|librar\w+|frameworks?|variants?"
    r"|conventions?|people)|compared?|comparison|elsewhere|alternatively"
    r"|when|whenever|if|cop(?:y|ies)|keeps?|kept|closed|shut|open|overwrites?|behaves?|reduces?|degenerates?|collapses?|becomes?"
    r"|cuando|wenn|falls|lorsque|quand|quando)\b|当(?!前)|如果|退化|когда|если",
    re.IGNORECASE,
)


def collect(statements: list[Statement]) -> Collected:
    """Definitions by groups, in the order of the document."""
    reader = Reader(statements)
    for s in statements:
        reader.take(s)
    reader.settle()
    return reader.out




class Reader:
    """What has been read of a document so far: its definitions, and the group that the next one belongs to."""

    def __init__(self, statements: list[Statement]) -> None:
        self.statements = statements
        self.out = Collected(letter=letter_of(statements), families=families(statements))
        self.before: Group | None = None
        self.group = Group(0)
        self.out.groups.append(self.group)
        self.page = Page(Symbols(), {})
        self.counting = counters(statements)
        self.listings = listed(statements, self.out.letter)
        self.slopes = set[Letter]()
        self.value: tuple[Any, Any] = None, None  # of the line before, and what has it
        relations = [(s, rel) for s in statements if (rel := relation_of(s.node)) is not None]
        named = {id(s): [split for n in s.nodes if kind(n) in ("Name", "Power", "Index") and (split := head_and_parts(n)) is not None] for s in statements}
        self.bases = {str(spelled(head)) for splits in named.values() for head, parts in splits if step_part(parts, self.out.letter)}
        self.stepped = {id(s.fragment) for s, _ in relations if any(step_part(parts, self.out.letter) for _, parts in named[id(s)])}
        self.timeless = Counter(id(s.fragment) for s, _ in relations if id(s.fragment) not in self.stepped)
        self.told = told_gradients(statements)
        self.gradients = gradients(relations, self.out.letter, self.told)
        sides = ((self.of_side(rel.sides[0]), rel.sides[-1]) for _, rel in relations)
        self.given = [(found[0], node) for found, node in sides if found is not None]

    def of_side(self, side: Any) -> Any:
        """What a side names that an equation may define."""
        return definition_of_side(side, self.out.letter, self.out.families, self.counting)

    def defines(self, s: Statement, link: int = 0) -> None:
        """A link of a statement is a definition, so that it claims nothing."""
        self.out.defining.add((s.number, link))

    def unsaid(self, behind: Definition, old: Definition) -> bool:
        r"""Whether no equation says otherwise what a name stands for; one with the activation once more, ``z_t = g(W x_t)`` behind ``g(z_t)``, is a claim."""
        whole = self.page.canon(old.node)
        return all(self.page.canon(node) == whole for key, node in self.given if key == behind.key)

    def anywhere(self, key: str) -> bool:
        """Whether some cell of the document so far has this quantity."""
        return any(key in g.definitions for g in self.out.groups)

    def parameter(self, word: str) -> bool:
        """Whether an equation of the document so far has a weight of this name, ``Wxh``."""
        return len(word) > 1 and any(spelled(head) == word for g in self.out.groups for d in g.definitions.values() for _, head, _ in names_in(d.node))

    def take(self, s: Statement) -> None:
        """A statement: a definition or none, of the cell at hand or of the next one."""
        if s.number in self.listings:
            self.defines(s)
            return
        rel = self.relation(s)
        found = self.definition(s, rel) if rel is not None else None
        if found is None:
            return
        d, rel, side = found
        own = self.page.canon(unwrapped(d.side))
        if copies(d.key, d.node) or any(self.page.canon(n) == own for n, _, _ in names_in(d.node)):
            self.defines(s)
        elif self.lemma(d, rel):
            self.out.groups.append(Group(s.number, {d.key: d}, True))
            self.defines(s)
        elif d.key not in self.group.definitions or self.another(d, rel, side):
            self.enter(d, rel, side)

    def relation(self, s: Statement) -> Any:
        """The equation that may define a quantity; None of what says something else, of a function, a first step, a loss."""
        out, rel = self.out, relation_of(s.node)
        self.slopes.update(named_slopes(s))
        if s.fragment is not None and kind(s.node) == "Name" and s.node.base in FUNCTIONS:
            in_words(out, s)
        if rel is None or rel.signs[0] not in DEFINING or (s.fragment is not None and s.fragment.kind == SAID):
            return None
        split = head_and_parts(unwrapped(rel.sides[0]))
        of_a_slope = split is not None and slope_name(split[0]) in self.slopes and (recursive(rel, split[0]) or self.written_out(rel))
        of_a_slope |= split is not None and slope_name(split[0]) in self.gradients and (slope_name(split[0]) in self.told or backwards(rel, split))
        if (signal := error_signal(rel, out.letter)) is not None:
            out.signals.add(signal)
            return None
        if of_a_slope or letters_behind(rel) & self.gradients:
            if split is not None and slope_name(split[0]) in self.told:
                out.signals.add(str(spelled(split[0])))
            return None
        if function_definition(out, s, rel) or first_step(out, s, rel, self.bases) or initial_value(out, s, rel) or total_loss(out, s, rel):
            return None
        return rel

    def written_out(self, rel: Any) -> bool:
        r"""Whether an equation for a derivative by letter is a sum of such letters, the recursion written out: ``a_t = b_t + \sum_i (\prod_j c_j) b_i``."""
        return any(kind(n) == "Big" and any(slope_name(head) in self.slopes for _, head, _ in names_in(n)) for side in rel.sides[1:] for n in walk(side))

    def definition(self, s: Statement, rel: Any) -> tuple[Definition, Any, int] | None:
        """The quantity that an equation gives a formula, the equation as it is meant, and the side with the formula; None of an example or a special case."""
        found = definition(rel, own_letter(rel, self.out.letter, self.bases, self.group.definitions), self.out.families, self.counting)
        if found is None:
            return None
        key, letter, shift, entries, side = found
        if self.anywhere(key) and special(s):
            return None
        if key.endswith("~dot") and (self.anywhere(bare := key.removesuffix("~dot")) or bare in LOSSES):
            return None  # ``\dot h_t`` of a state that has its equation is how it moves, no other state
        named = [key, *(str(spelled(head)) for _, head, _ in names_in(rel.sides[side]))] if key[0] == "d" else []
        if any(name[:1] == "d" and self.anywhere(name[1:]) for name in named) or (named and self.parameter(key[1:])):
            return None  # ``dlogits_t = p_t - y_t``, a gradient by a quantity that has a word for its name; ``dhraw_t = (1 - h_t^2) dh_t``, made of one
        valued, self.value = self.value, (number(rel.sides[-1]), rel.sides[0])
        if self.value[0] is not None and self.anywhere(key):
            return None  # an example of what is defined already
        node = unwrapped(rel.sides[side])
        if of_a_number(node):
            if number(node.args[0]) != valued[0]:
                return None
            rel = replace(rel, sides=(*rel.sides[:side], replace(node, args=(valued[1],)), *rel.sides[side + 1 :]))
        mended = lint.repaired(rel.sides[0], rel.sides[side])  # what follows is judged by what was meant
        whole = mended[0] if mended else rebuilt(rel.sides[side], lint.raised(rel.sides[side], letter))
        return Definition(key, whole, letter, shift, entries, s, rel.sides[0]), rel, side

    def lemma(self, d: Definition, rel: Any) -> bool:
        """Whether an equation without steps, in a display of its own, is of a function and its value rather than of the cell."""
        letter, s = self.out.letter, d.place
        split = head_and_parts(unwrapped(rel.sides[0]))
        assert split is not None
        timeless = step_part(split[1], d.letter) is None and d.letter == letter and not any(step_part(p, letter) for _, _, p in names_in(d.node))
        alone = bool(self.stepped) and self.timeless[id(s.fragment)] < 2 and "'" not in d.key
        output = d.key not in self.bases and reads_out(d, self.group, letter)
        part = output or names_the_stepless(d, self.group, letter) or bool(decomposed(d))
        return timeless and alone and not words_of_steps(rel) and not part

    def another(self, d: Definition, rel: Any, side: int) -> bool:
        """Whether a quantity that the cell has already is given anew, by an equation of the next cell, which begins here."""
        s, group, old = d.place, self.group, self.group.definitions[d.key]
        behind = named_inside(old, d, d.letter, self.out.families, self.counting)
        if behind is not None and behind.key not in group.definitions and self.unsaid(behind, old):
            group.definitions[behind.key] = behind
            group.definitions[d.key] = old = old if d.entries else replace(d, place=old.place)
        if old.entries == () and d.entries:
            return False  # the same by components: a claim
        if alike(self.page, group, old, d):
            self.defines(s)
            if side > 1:
                self.defines(s, 1)
            return False
        if old.entries and not d.entries:
            group.definitions[d.key] = d
            self.defines(s)
            return False
        closed = any(kind(n) == "Big" for n in walk(d.node)) or expands(old, d, self.out.letter)
        if closed or applied_twice(self.page, group, old, d):
            return False  # a closed form of what is defined already, its recursion used twice, or its activation: a claim
        if in_passing(s, d, group.definitions):
            self.defines(s)
            return False
        begun = begun_before(group, d, self.statements, self.out)
        self.before, self.group = group, Group(s.number, begun | handed_over(group, d, self.out.letter, {d.key}))
        self.out.groups.append(self.group)
        return True

    def enter(self, d: Definition, rel: Any, side: int) -> None:
        """A definition becomes one of the cell, with those of what stands within it and of the sides between."""
        if d.entries and any(d.key in g.definitions and not g.definitions[d.key].entries for g in self.out.groups if not g.alone):
            return
        letter, known = self.out.letter, self.group.definitions
        if self.before is not None:
            states = {name for e in self.before.definitions.values() for name, found in lags(e, letter).items() if found - {0}}
            known |= handed_over(self.before, d, letter, states | known.keys())
        known[d.key] = d
        self.defines(d.place)
        inner = inner_definition(rel, side, d.letter, self.out.families, self.counting)
        if inner is not None and inner[0] not in known:
            known[inner[0]] = Definition(inner[0], inner[1], inner[2], inner[3], (), d.place, inner[4])
            self.defines(d.place, side)
        for k in range(1, side):
            self.defines(d.place, k)
            other = self.of_side(rel.sides[k])
            if other is not None and other[0] not in known:
                known[other[0]] = Definition(other[0], rel.sides[side], other[1], other[2], (), d.place, rel.sides[k])

    def settle(self) -> None:
        """What only the whole document tells: functions in cases, outputs for targets, hats that are left out."""
        out = self.out
        in_some_case(out)
        used = {name for g in out.groups if not g.alone for d in g.definitions.values() for name in bare_names(d)}
        out.groups = [g for g in out.groups if not g.alone or not used.issuperset(g.definitions)]  # ``\gamma = \Delta t / \tau`` is a number in a cell
        for group in out.groups:
            known = group.definitions
            for key, d in list(known.items()):
                if wanted(self.page, key, known, self.statements) or differentiated(key, d, known):
                    del known[key]
                elif (shown := hatless(self.page, d, known, self.statements)) is not None:
                    del known[key]
                    known[shown.key] = shown
                    names = plain(shown.key), plain(key)
                    out.meant[shown.key] = f"what defines {names[1]} is read as {names[0]}, for the document writes {names[0]} - {names[1]}"
                elif (bare := without_hat(self.page, d, known, self.statements, out.letter)) is not None:
                    known[bare.key] = bare
                    out.meant[bare.key] = f"{plain(bare.key)}, which the document derives by the state, is read as {plain(key)}"


def in_passing(s: Statement, d: Definition, definitions: dict[str, Definition]) -> bool:
    """Whether a sentence says what the cell does in some case, "when the gate is closed, $h_t = h_{t-1}$", by names that its equations have anyway."""
    if s.fragment is None or s.fragment.kind != "inline" or not IN_A_CASE.search(clause(s.fragment.before)):
        return False
    known = {spelled(head) for e in definitions.values() for node in (e.node, e.side) for _, head, _ in names_in(node)}
    return {spelled(head) for _, head, _ in names_in(d.node)} <= known


def named_inside(old: Definition, d: Definition, letter: str, gates: frozenset[str], counting: str) -> Definition | None:
    r"""What ``y_t = \varphi(v_t)``, or ``y_{t,j} = \varphi(v_{t,j})``, says of v, where ``y_t = \varphi(W x_t + b)`` is said before."""
    whole, part = unwrapped(old.node), unwrapped(d.node)
    if not (kind(whole) == kind(part) == "Apply" and whole.function == part.function and len(whole.args) == len(part.args) == 1):
        return None
    name = unwrapped(part.args[0])
    found = definition_of_side(name, letter, gates, counting) if kind(name) in ("Name", "Power", "Index") and kind(unwrapped(whole.args[0])) == "Sum" else None
    if found is None or found[2:] != (d.shift, d.entries) or d.shift != old.shift:
        return None
    head, parts = head_and_parts(name) or (name, ())
    step = step_part(parts, letter)
    if d.entries and step is None:
        return None
    side = replace(head, subs=(step.node,)) if d.entries and step is not None else name
    return Definition(found[0], whole.args[0], old.letter, old.shift, (), d.place, side)


def expands(old: Definition, new: Definition, letter: str) -> bool:
    r"""Whether an equation is a recursion put into itself: ``h_t = g(U g(U h_{t-2} + x_{t-1}) + x_t)`` after ``h_t = g(U h_{t-1} + x_t)``."""
    once, twice = (lags(d, letter) for d in (old, new))
    before = Counter(spelled(head) for _, head, parts in names_in(old.node) if step_part(parts, letter) is None and not is_top(head))
    after = Counter(spelled(head) for _, head, _ in names_in(new.node))
    back, further = once.get(old.key, set()), twice.get(old.key, set())
    powers = [n for n in walk(new.node) if kind(n) == "Power" and spelled(n.base) in before]
    begun = [number_at(parts[-1].node, {}) for _, head, parts in names_in(new.node) if parts and key_of(head, []) == old.key]
    if back == {-1} and begun and None not in begun and functions(new.node) <= functions(old.node):
        return True  # ``Q \Lambda^t Q^\top h_0``
    if back != {-1} or not (once.keys() - {old.key} <= twice.keys() and before.keys() <= after.keys() and functions(old.node) <= functions(new.node)):
        return False  # no recursion, or a simpler cell
    steps = [{letter, *letters(p.node)} for _, head, parts in names_in(new.node) if key_of(head, []) == old.key for p in parts]
    if any(found and not is_top(n.exponent) and any(found <= known for known in steps) for n in powers for found in [set(letters(n.exponent))]):
        return True  # ``U^t h_0``, ``U^k h_{t-k}``
    if not further or not all(isinstance(lag, int) and lag < -1 for lag in further):
        return False
    between = any(0 in once.get(key, ()) and -1 in found for key, found in twice.items())  # the input of the step between
    repeated = any(after[word] > count for word, count in before.items())  # a weight
    return between or repeated or any(kind(unwrapped(n.exponent)) == "Number" for n in powers)


def applied_twice(page: Page, group: Group, old: Definition, new: Definition) -> bool:
    r"""Whether an equation has the activation that is applied to what it gives anyway: ``z_t = g(W x_t)`` beside ``h_t = g(z_t)``, ``z_t = W x_t``."""
    node = unwrapped(new.node)
    if kind(node) != "Apply" or len(node.args) != 1 or page.canon(node.args[0], new.letter, new.shift) != page.canon(old.node, old.letter, old.shift):
        return False
    calls = [unwrapped(d.node) for d in group.definitions.values() if d is not old]
    own = page.canon(unwrapped(old.side), old.letter, old.shift)
    return any(kind(n) == "Apply" and n.function == node.function and [page.canon(a, old.letter, old.shift) for a in n.args] == [own] for n in calls)


def functions(node: Any) -> set[str | None]:
    """The names of the functions that a formula applies."""
    return {spelled(n.function) for n in walk(node) if kind(n) == "Apply"}


def total_loss(out: Collected, s: Statement, rel: Any) -> bool:
    """``L = Σ_t L_t``, with a factor or without; ``L = L_1 + L_2 + L_3``."""
    left, right = unwrapped(rel.sides[0]), unwrapped(rel.sides[-1])
    head = head_and_parts(left) if kind(left) == "Name" else head_and_parts(left.function) if kind(left) == "Apply" and kind(left.function) == "Name" else None
    if head is None or head[0].base not in LOSSES or len(rel.sides) != 2:
        return False
    if (kind(right) == "Big" and sums_steps(right)) or weight(right) is not None or added_up(right):
        out.defining.add((s.number, 0))
        return True
    return False


def alike(page: Page, group: Group, old: Definition, new: Definition) -> bool:
    """Whether two equations are the same once names are put in for what they stand for, ``σ(W x + b)`` and ``σ(a)``; at whatever step each is written."""
    a, b = (page.canon(node).replace("Hadamard", "Product") for node in (old.node, now(new.node, new, old.shift - new.shift)))  # ``o * \tanh(c)``
    for d in group.definitions.values():
        if d is not old and kind(unwrapped(d.node)) != "Name":
            long, short = page.canon(d.node).replace("Hadamard", "Product"), page.canon(d.side)
            a, b = a.replace(long, short), b.replace(long, short)
    return a == b


def now(node: Any, d: Definition, by: int) -> Any:
    """A formula of an equation with all its steps moved."""
    steps = [step.node for _, _, parts in names_in(node) if (step := step_part(parts, d.letter)) is not None] if by else []
    return rebuilt(node, {id(step): shifted(step, by) for step in steps})


def words_of_steps(rel: Any) -> bool:
    """Whether steps are told by words: ``c_next``, ``a_prev``."""
    return any(spelled(x) in STEP_WORDS for n in walk(rel) if kind(n) == "Name" for x in n.subs)


def copies(key: str, node: Any) -> bool:
    """``W^{(t)} = W``, ``X_t = X[:, t]``: the uses of a parameter are told apart, or the steps of an array, nothing is defined."""
    node = unwrapped(node)
    if kind(node) == "Index" and all(kind(p) == "Slice" or (kind(p) == "Name" and not p.subs) for p in node.parts):
        node = node.base
    split = head_and_parts(node)
    return split is not None and key_of(split[0], list(split[1])) == key


def initial_value(out: Collected, s: Statement, rel: Any) -> bool:
    r"""``h_0 = 0``, ``h_0 = \mathbf{0} \in \mathbb{R}^n``; ``\lambda_{T+1} = 0`` of what runs backwards."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    value = unwrapped(rel.sides[1])
    if split is None or derived(rel) or any(sign != "in" for sign in rel.signs[1:]):
        return False
    before = bool(split[1]) and number_at(split[1][-1].node, {}) == -1
    behind = bool(split[1]) and split[0].base not in MARKS and number_at(split[1][-1].node, {"T": 0}) == 1 and letters(split[1][-1].node) == ("T",)
    key = key_of(split[0], list(split[1][:-1])) if at_zero(split[1]) or before or behind else None
    given = not any(step_part(parts, out.letter) or at_zero(parts) for _, _, parts in names_in(rel.sides[1]))  # by no other quantity
    if key is None or not given:
        return False
    if not before and (value.text == "0" if kind(value) == "Number" else kind(value) == "Name" and value.base == "0"):
        out.initial[key] = 0
    elif behind:
        return False
    elif not isinstance(value, Name):
        out.beginning |= {str(spelled(head)) for _, head, _ in names_in(value)}
    out.defining.add((s.number, 0))
    return True


def first_step(out: Collected, s: Statement, rel: Any, stepped: set[str]) -> bool:
    r"""``a_0 = W x_0 + b``: what the first step computes, which no step comes before."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    if split is None or len(rel.sides) != 2 or derived(rel) or spelled(split[0]) not in stepped or not at_zero(split[1]):
        return False
    nodes = [n for n in walk(rel.sides[1]) if kind(n) in ("Name", "Power", "Index")]
    names = [found for n in nodes if (found := head_and_parts(n)) is not None]
    if not any(at_zero(parts) for _, parts in names) or any(spelled(head) == spelled(split[0]) or step_part(parts, out.letter) for head, parts in names):
        return False
    out.from_zero = True
    out.defining.add((s.number, 0))
    return True


def at_zero(parts: tuple[Any, ...]) -> bool:
    return bool(parts) and kind(parts[-1].node) == "Number" and parts[-1].node.text == "0"
