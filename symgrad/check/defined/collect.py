r"""Definitions: which relations of a document say what its cell computes.

``name at step t = formula`` without a derivative in it defines the name; the first definition of a name holds until another one
disagrees, which begins a new group (many documents treat an RNN, then an LSTM).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

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
from symgrad.check.defined.formulas import by_formula, falls, functional, of_its_variable
from symgrad.check.defined.groups import Collected, Group, begun_before, handed_over, names_the_stepless, reads_out
from symgrad.check.defined.listings import listed
from symgrad.check.defined.page import Definition, Page, plain
from symgrad.check.reading import lint
from symgrad.check.reading.activations import BUILTIN, CASE, said
from symgrad.check.reading.conditions import special
from symgrad.check.reading.prose import clause
from symgrad.check.reading.relations import number
from symgrad.check.reading.sentences import SAID
from symgrad.check.reading.settle import FUNCTIONS, names_a_function
from symgrad.check.reading.statements import DEFINING, LOSSES, Statement, derived, letter_of, loss_head, names_in, relation_of, step_part, sums_steps, weight
from symgrad.check.reading.symbols import STEP_WORDS, Part, Symbols, head_and_parts, is_top, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import children, kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Name, Number

ARBITRARY = re.compile(r"\b(?:any|arbitrary|generic|some|differentiable)\b|任意|beliebig|quelconque|cualquier|qualquer|произвольн", re.IGNORECASE)
REACH = 60  # characters behind a letter in which words say of what kind its function is
OUTPUTS = frozenset({"softmax", "Softmax", "sigma", "sigmoid", "g"})  # functions that give what a loss is held against

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


Letter: TypeAlias = tuple[str, tuple[str, ...]]  # a letter, whatever its indices


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
        self.gradients = gradients(relations, self.out.letter)
        sides = (self.of_side(rel.sides[0]) for _, rel in relations)
        self.said_of = {found[0] for found in sides if found is not None}

    def of_side(self, side: Any) -> Any:
        """What a side names that an equation may define."""
        return definition_of_side(side, self.out.letter, self.out.families, self.counting)

    def defines(self, s: Statement, link: int = 0) -> None:
        """A link of a statement is a definition, so that it claims nothing."""
        self.out.defining.add((s.number, link))

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
        split = head_and_parts(unwrapped(rel.sides[0])) if self.slopes else None
        of_a_slope = split is not None and slope_name(split[0]) in self.slopes and (recursive(rel, split[0]) or self.written_out(rel))
        if of_a_slope or letters_behind(rel) & self.gradients:
            return None
        if (signal := error_signal(rel, out.letter)) is not None:
            out.signals.add(signal)
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
        return Definition(key, mended[0] if mended else rel.sides[side], letter, shift, entries, s, rel.sides[0]), rel, side

    def lemma(self, d: Definition, rel: Any) -> bool:
        """Whether an equation without steps, in a display of its own, is of a function and its value rather than of the cell."""
        letter, s = self.out.letter, d.place
        split = head_and_parts(unwrapped(rel.sides[0]))
        assert split is not None
        timeless = step_part(split[1], d.letter) is None and d.letter == letter and not any(step_part(p, letter) for _, _, p in names_in(d.node))
        alone = bool(self.stepped) and self.timeless[id(s.fragment)] < 2 and "'" not in d.key
        output = d.key not in self.bases and reads_out(d, self.group, letter)
        return timeless and alone and not words_of_steps(rel) and not output and not names_the_stepless(d, self.group, letter)

    def another(self, d: Definition, rel: Any, side: int) -> bool:
        """Whether a quantity that the cell has already is given anew, by an equation of the next cell, which begins here."""
        s, group, old = d.place, self.group, self.group.definitions[d.key]
        behind = named_inside(old, d, d.letter, self.out.families, self.counting)
        if behind is not None and behind.key not in {*group.definitions, *self.said_of}:
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
        if any(kind(n) == "Big" for n in walk(d.node)) or expands(old, d, self.out.letter):
            return False  # a closed form of what is defined already, or its recursion used twice: a claim
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


def in_words(out: Collected, s: Statement) -> None:
    """What words say of a letter for a function, the first that name one; that it is any says less than these."""
    assert s.fragment is not None
    before = clause(s.fragment.before)
    letter, rule = s.node.base, said(s.node, before, s.fragment.after)
    if rule is None:
        return
    if CASE.search(before) and rule != letter:
        out.cases.setdefault(letter, set()).add(rule)
        return
    if rule == letter and letter not in out.functions:
        out.open.add(letter)
        if ARBITRARY.search(before + s.fragment.after[:REACH]):
            out.arbitrary.add(letter)
    elif rule != letter and letter in out.open:
        out.open.discard(letter)
        del out.functions[letter]
    out.functions.setdefault(letter, rule)


def in_some_case(out: Collected) -> None:
    """What letters for functions are "if f is tanh", where nothing is said of them in general: any, if there are several cases."""
    for letter, rules in out.cases.items():
        if letter not in out.functions and (len(rules) > 1 or rules != {"identity"}):
            out.functions[letter] = letter if len(rules) > 1 else next(iter(rules))
            out.open |= {letter} if len(rules) > 1 else set()


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


def named_slopes(s: Statement) -> Iterator[Letter]:
    r"""The letters that a statement gives to derivatives: P in ``P_t := \partial h_t / \partial \theta``."""
    rel = relation_of(s.node)
    if rel is None or rel.signs[0] not in DEFINING or kind(unwrapped(rel.sides[1])) != "Derivative":
        return
    own = head_and_parts(unwrapped(rel.sides[0]))
    if own is not None:
        yield slope_name(own[0])


def slope_name(head: Name) -> Letter:
    """What tells a letter from others, whatever its indices."""
    return head.base, head.accents


def letters_behind(rel: Any) -> set[Letter]:
    """The letters that stand on the right."""
    return {slope_name(head) for side in rel.sides[1:] for _, head, _ in names_in(side)}


def recursive(rel: Any, head: Name) -> bool:
    """Whether the letter on the left stands on the right too."""
    return slope_name(head) in letters_behind(rel)


def gradients(relations: list[tuple[Statement, Any]], letter: str) -> set[Letter]:
    r"""The letters of gradients of a loss, ``g_t = \partial L / \partial h_t``, and of what is computed from these alone, ``e_t = g_t \odot (1 - h_t^2)``."""
    sides = [(s, rel, own) for s, rel in relations if rel.signs[0] in DEFINING and (own := head_and_parts(unwrapped(rel.sides[0]))) is not None]
    by_loss = [own for _, rel, own in sides if loss_head(getattr(unwrapped(rel.sides[1]), "of", None)) is not None]
    found = {slope_name(head) for head, parts in by_loss if step_part(parts, letter) is not None}
    given = [(slope_name(own[0]), letters_behind(rel)) for s, rel, own in sides if not s.derives]
    found -= {name for name, behind in given if not behind & found}
    while more := {name for name, behind in given if behind & found} - {name for name, behind in given if not behind & found} - found:
        found |= more
    return found


def error_signal(rel: Any, letter: str) -> str | None:
    r"""The e of ``e_t = (1 - h_t^2) \odot (V^\top (\hat y_t - y_t) + W^\top e_{t+1})``: it runs backwards, and is a gradient, no state.

    Its value at the next step stands in no activation, beside a transposed weight, a slope, or a gradient of the loss.
    """
    split = head_and_parts(unwrapped(rel.sides[0]))
    step = step_part(split[1], letter) if split is not None else None
    if split is None or step is None or number_at(step.node, {letter: 0}) != 0 or len(rel.sides) != 2:
        return None
    free = [*outside_activations(rel.sides[1])]
    later = any(
        head == split[0] and (at := step_part(parts, letter)) is not None and number_at(at.node, {letter: 0}) == 1
        for n in free
        for _, head, parts in (names_in(n) if kind(n) in ("Name", "Power", "Index") else ())
    )
    turned = any(kind(n) == "Transpose" or (kind(n) == "Power" and is_top(n.exponent)) for n in free)
    sloped = any(kind(n) == "Sum" and n.args[0] == Number("1") and kind(n.args[-1]) == "Negative" and kind(n.args[-1].arg) == "Power" for n in free)
    primed = any(kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes for n in free)
    of_losses = any(kind(n) == "Derivative" and loss_head(n.of) is not None for n in free)
    return spelled(split[0]) if later and (turned or sloped or primed or of_losses) else None


def outside_activations(node: Any) -> Iterator[Any]:
    """The nodes of a formula that stand in no function's argument."""
    yield node
    if kind(node) == "Apply":
        return
    for child in children(node):
        yield from outside_activations(child)


def wanted(page: Page, key: str, definitions: dict[str, Definition], statements: list[Statement]) -> bool:
    r"""Whether y is what is wanted, though the document gives it as an output too.

    So beside ``y_t = V h_t``, where it says ``\hat y_t = \operatorname{softmax}(V h_t)`` and ``\hat y_t - y_t``.
    """
    d, hatted = definitions[key], definitions.get(f"{key}~hat")
    if hatted is None:
        return False
    node: Any = unwrapped(hatted.node)
    if kind(node) != "Apply" or len(node.args) != 1 or (d.letter, d.shift) != (hatted.letter, hatted.shift):
        return False
    inside = page.canon(node.args[0])
    alike = {page.canon(e.side): page.canon(e.node) for e in definitions.values() if e.side is not None and e is not d}  # ``o_t = V h_t``
    return page.canon(d.node) in (inside, alike.get(inside)) and subtracted(page, hatted.side, d.side, statements)


def differentiated(key: str, d: Definition, definitions: dict[str, Definition]) -> bool:
    """Whether ``c'_t = f'_t c_{t-1} + i'_t`` is the derivative, by anything, of equations that are there without primes."""
    primed = {str(spelled(head)) for _, head, _ in names_in(d.node) if head.primes} - {key}
    return "'" in key and key.replace("'", "") in definitions and any(word.replace("'", "") in definitions for word in primed)


def hatless(page: Page, d: Definition, definitions: dict[str, Definition], statements: list[Statement]) -> Definition | None:
    r"""The definition of ``\hat y_t``, where ``y_t = \operatorname{softmax}(V h_t)`` is said and ``\hat y_t - y_t`` is written."""
    node: Any = unwrapped(d.node)
    side: Any = unwrapped(d.side)
    if kind(node) != "Apply" or spelled(node.function) not in OUTPUTS or kind(side) != "Name" or side.accents or f"{d.key}~hat" in definitions:
        return None
    hatted = replace(side, accents=("hat",))
    named = any(page.canon(n) == page.canon(side) for e in definitions.values() for n in walk(e.node))
    return replace(d, key=f"{d.key}~hat", side=hatted) if not named and subtracted(page, hatted, side, statements) else None


def without_hat(page: Page, d: Definition, definitions: dict[str, Definition], statements: list[Statement], letter: str) -> Definition | None:
    r"""``y_t = \hat y_t``, where only ``\hat y_t`` has an equation and ``\partial y_t / \partial h_t`` is written."""
    side: Any = unwrapped(d.side)
    if kind(side) != "Name" or side.accents != ("hat",) or (key := d.key.removesuffix("~hat")) in definitions:
        return None
    bare = replace(side, accents=())
    states = {without_step(head, parts, letter) for _, head, parts in names_in(d.node)} & definitions.keys()
    derived_by = {(page.canon(n.of), without_step(*split, letter)) for s in statements for n in s.nodes
                  if kind(n) == "Derivative" and (split := head_and_parts(unwrapped(n.wrt))) is not None}  # fmt: skip
    named = any((page.canon(bare), state) in derived_by for state in states)
    return replace(d, key=key, node=side, side=bare) if named and not subtracted(page, side, bare, statements) else None


def without_step(head: Any, parts: tuple[Part, ...], letter: str) -> str | None:
    """The key of a name without its step."""
    return key_of(head, [p for p in parts if step_part((p,), letter) is None])


def subtracted(page: Page, hatted: Any, bare: Any, statements: list[Statement]) -> bool:
    r"""Whether the document writes ``\hat y_t - y_t``, at whatever step."""
    sides = [spelled(replace(n, subs=())) for n in (hatted, bare)]
    differences = (n for s in statements for n in s.nodes if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative")
    heads = ([head_and_parts(unwrapped(a)) for a in (n.args[0], n.args[1].arg)] for n in differences)
    return any([spelled(split[0]) if split is not None else None for split in found] == sides for found in heads)


def expands(old: Definition, new: Definition, letter: str) -> bool:
    r"""Whether an equation is a recursion put into itself: ``h_t = g(U g(U h_{t-2} + x_{t-1}) + x_t)`` after ``h_t = g(U h_{t-1} + x_t)``."""
    once, twice = (lags(d, letter) for d in (old, new))
    before = Counter(spelled(head) for _, head, parts in names_in(old.node) if step_part(parts, letter) is None)
    after = Counter(spelled(head) for _, head, _ in names_in(new.node))
    back, further = once.get(old.key, set()), twice.get(old.key, set())
    powers = [n for n in walk(new.node) if kind(n) == "Power" and spelled(n.base) in before]
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


def functions(node: Any) -> set[str | None]:
    """The names of the functions that a formula applies."""
    return {spelled(n.function) for n in walk(node) if kind(n) == "Apply"}


def total_loss(out: Collected, s: Statement, rel: Any) -> bool:
    """``L = Σ_t L_t``, with a factor or without."""
    left, right = unwrapped(rel.sides[0]), unwrapped(rel.sides[-1])
    head = head_and_parts(left) if kind(left) == "Name" else head_and_parts(left.function) if kind(left) == "Apply" and kind(left.function) == "Name" else None
    if head is None or head[0].base not in LOSSES or len(rel.sides) != 2:
        return False
    if (kind(right) == "Big" and sums_steps(right)) or weight(right) is not None:
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
    r"""``h_0 = 0``, ``h_0 = \mathbf{0} \in \mathbb{R}^n``."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    value = unwrapped(rel.sides[1])
    if split is None or derived(rel) or any(sign != "in" for sign in rel.signs[1:]):
        return False
    before = bool(split[1]) and number_at(split[1][-1].node, {}) == -1
    key = key_of(split[0], list(split[1][:-1])) if at_zero(split[1]) or before else None
    given = not any(step_part(parts, out.letter) or at_zero(parts) for _, _, parts in names_in(rel.sides[1]))  # by no other quantity
    if key is None or not given:
        return False
    if not before and (value.text == "0" if kind(value) == "Number" else kind(value) == "Name" and value.base == "0"):
        out.initial[key] = 0
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


def function_definition(out: Collected, s: Statement, rel: Any) -> bool:
    r"""``g(x) = \tanh(x)``, ``\sigma(x) = \frac{1}{1+e^{-x}}``: a name for a function; of known ones the formula is a claim."""
    sides = [unwrapped(x) for x in rel.sides]
    if s.fragment is not None and s.fragment.kind == "inline" and CASE.search(clause(s.fragment.before)) and (told := functional(rel)) is not None:
        out.cases.setdefault(told[0], set()).add(told[1])
        out.defining.add((s.number, 0))
        return True
    if rel.signs[0] in DEFINING and names_a_function(rel):
        out.functions[sides[0].base] = BUILTIN[sides[1].base]
        out.defining.add((s.number, 0))
        return True
    heads = []
    for x in sides:
        if (
            kind(x) == "Apply"
            and len(x.args) == 1
            and kind(unwrapped(x.args[0])) == "Name"
            and not unwrapped(x.args[0]).subs
            and not x.function.primes
            and not x.function.subs
        ):
            heads.append((x.function.base, spelled(unwrapped(x.args[0]))))
        else:
            heads.append((None, None))
    if len(sides) == 2 and kind(sides[0]) == "Product" and [kind(a) for a in sides[0].args] == ["Name", "Paren"] and unwrapped(sides[0].args[1]) == sides[1]:
        identity = kind(sides[1]) == "Name" and not sides[1].subs  # ``h(x) = x``, of a function by the letter of a state
        out.defining |= {(s.number, 0)} if identity else set()
        return identity
    head, variable = heads[0]
    if len(heads) == 2 and head == "sigma" and heads[1][0] is None and kind(sides[1]) != "Name" and not derived(rel):
        return of_sigma(out, s, str(variable), sides[1])
    known = next((BUILTIN[b] for b, _ in heads if b in BUILTIN), None)
    names = [b for b, _ in heads if b and b not in BUILTIN]
    if len(heads) > 1 and heads[0][0] == "sigma" and heads[1][0] in ("tanh", "relu", "ReLU") and heads[0][1] == heads[1][1]:  # the letter for any activation
        known, names = BUILTIN[str(heads[1][0])], ["sigma"]
    if not names or out.letter in [w for _, w in heads]:
        return False
    if known is not None:
        for b in names:
            out.functions[b] = known
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    if kind(sides[-1]) == "Name" and sides[-1].base in [w for _, w in heads]:
        for b in names:
            out.functions[b] = "identity"
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    if len(heads) == 2 and head and (rule := by_formula(str(variable), sides[1])) is not None:
        told = out.functions.setdefault(head, rule)
        if told != rule:  # several formulas: the letter is that of any of these functions
            out.functions[head] = head
        out.defining.add((s.number, 0))
        return True
    if len(heads) == 2 and head in FUNCTIONS and of_its_variable(str(variable), sides[1]):
        leave_open(out, s, head)
        return True
    return False


def of_sigma(out: Collected, s: Statement, variable: str, node: Any) -> bool:
    r"""``\sigma(x) = \frac{2}{1 + e^{-x}} - 1``: another function by the letter of the logistic one.

    A formula of that one, or one that falls, as it does where a sign is lost, is a claim about it.
    """
    rule = by_formula(variable, node)
    if rule == "sigmoid" or falls(node, variable) or (rule is None and not of_its_variable(variable, node)):
        return False
    if rule is None or out.functions.get("sigma", rule) != rule:
        leave_open(out, s, "sigma")
    else:
        out.functions["sigma"] = rule
        out.defining.add((s.number, 0))
    return True


def leave_open(out: Collected, s: Statement, letter: str) -> None:
    """A letter stands for a function of which nothing may be supposed."""
    out.functions[letter] = letter
    out.open.add(letter)
    out.defining.add((s.number, 0))
