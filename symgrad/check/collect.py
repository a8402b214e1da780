r"""Definitions: which relations of a document say what its cell computes.

``name at step t = formula`` without a derivative in it defines the name; the first definition of a name holds until another one
disagrees, which begins a new group (many documents treat an RNN, then an LSTM).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from symgrad.check import lint
from symgrad.check.activations import BUILTIN
from symgrad.check.conditions import number, special
from symgrad.check.page import Definition, Page
from symgrad.check.statements import (
    ADJOINT_HEADS,
    DEFINING,
    LETTERS,
    LOSSES,
    Statement,
    _differential_word,
    bound_letters,
    derived,
    letter_of,
    names_in,
    relation_of,
    step_part,
    sums_steps,
    weight,
)
from symgrad.check.symbols import (
    STEP_WORDS,
    Part,
    Symbols,
    _step_like,
    head_and_parts,
    key_of,
    kind,
    letters,
    number_at,
    spelled,
    unwrapped,
    walk,
)

GRADIENTS = frozenset({"g", "d", "G", "D", "e", "grad", "epsilon", "varepsilon"})  # letters for adjoints, where a quantity is their index
GATES = frozenset({"f", "i", "o", "g", "c", "z", "r", "u"})  # what gates are called by


@dataclass
class Group:
    """Definitions that are in force together, from one statement on."""

    first: int
    definitions: dict[str, Definition] = field(default_factory=dict)
    alone: bool = False  # a lemma with names of its own


@dataclass
class Collected:
    """What the statements of a document define."""

    letter: str = "t"
    groups: list[Group] = field(default_factory=list)
    functions: dict[str, Any] = field(default_factory=dict)
    defining: set[tuple[int, int]] = field(default_factory=set)  # (statement, link) that define
    scales: dict[str, Any] = field(default_factory=dict)
    initial: dict[str, int] = field(default_factory=dict)  # states that begin at a number
    families: frozenset[str] = frozenset()  # letters whose indices tell gates apart, ``a^f``, ``a^i``: there ``i`` is a label


def collect(statements: list[Statement]) -> Collected:
    """Definitions by groups, in the order of the document."""
    out = Collected(letter=letter_of(statements), families=families(statements))
    group = Group(0)
    out.groups.append(group)
    page = Page(Symbols(), {})
    named = [split for s in statements for n in s.nodes if kind(n) in ("Name", "Power", "Index") and (split := head_and_parts(n)) is not None]
    bases = {str(spelled(head)) for head, parts in named if step_part(parts, out.letter)}
    stepped = {id(s.fragment) for s in statements if relation_of(s.node) is not None and any(
        step_part(split[1], out.letter) for n in s.nodes if kind(n) in ("Name", "Power", "Index") and (split := head_and_parts(n)))}  # fmt: skip
    timeless = Counter(id(s.fragment) for s in statements if relation_of(s.node) is not None and id(s.fragment) not in stepped)
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING:
            continue
        if function_definition(out, s, rel) or initial_value(out, s, rel) or total_loss(out, s, rel):
            continue
        found = definition(rel, own_letter(rel, out.letter, bases), out.families)
        if found is None:
            continue
        key, letter, shift, entries, side = found
        if any(key in g.definitions for g in out.groups) and special(s):
            continue
        mended = lint.repaired(rel.sides[0], rel.sides[side])  # what follows is judged by what was meant
        d = Definition(key, mended[0] if mended else rel.sides[side], letter, shift, entries, s, rel.sides[0])
        own = page.canon(unwrapped(d.side))
        if copies(key, d.node) or any(page.canon(n) == own for n, _, _ in names_in(d.node)):
            out.defining.add((s.number, 0))
            continue
        lemma = (
            step_part(head_and_parts(unwrapped(rel.sides[0]))[1], letter) is None and letter == out.letter  # type: ignore[index]
            and not any(step_part(p, letter) for _, _, p in names_in(d.node)) and stepped and timeless[id(s.fragment)] < 2 and "'" not in key
            and not words_of_steps(rel)
        )  # fmt: skip
        if lemma:
            out.groups.append(Group(s.number, {key: d}, True))
            out.defining.add((s.number, 0))
            continue
        old = group.definitions.get(key)
        if old is not None:
            if old.entries == () and entries:
                continue  # the same by components: a claim
            if alike(page, group, old, d):
                out.defining.add((s.number, 0))
                if side > 1:
                    out.defining.add((s.number, 1))
                continue
            if old.entries and not entries:
                group.definitions[key] = d
                out.defining.add((s.number, 0))
                continue
            if any(kind(n) == "Big" for n in walk(d.node)):
                continue  # a closed form of what is defined already: a claim
            group = Group(s.number, handed_over(group, d, out.letter))
            out.groups.append(group)
        if entries and any(key in g.definitions and not g.definitions[key].entries for g in out.groups if not g.alone):
            continue
        group.definitions[key] = d
        out.defining.add((s.number, 0))
        inner = inner_definition(rel, side, d.letter, out.families)
        if inner is not None and inner[0] not in group.definitions:
            group.definitions[inner[0]] = Definition(inner[0], inner[1], inner[2], inner[3], (), s, inner[4])
            out.defining.add((s.number, side))
        for k in range(1, side):
            out.defining.add((s.number, k))
            other = definition_of_side(rel.sides[k], out.letter, out.families)
            if other is not None and other[0] not in group.definitions:
                group.definitions[other[0]] = Definition(other[0], rel.sides[side], other[1], other[2], (), s, rel.sides[k])
    return out


def handed_over(old: Group, new: Definition, letter: str) -> dict[str, Definition]:
    """The equations before a second definition of h that only this one uses: they belong to the cell that begins there."""
    todo, found = [new], set[str]()
    while todo:
        for key in stepped_names(todo.pop(), letter) & set(old.definitions) - found - {new.key}:
            found.add(key)
            todo.append(old.definitions[key])
    while kept := {k for key, d in old.definitions.items() if key not in found for k in stepped_names(d, letter) & found}:
        found -= kept
    return {key: old.definitions.pop(key) for key in [*old.definitions] if key in found}


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
    """Whether two equations are the same once names are put in for what they stand for: ``σ(W x + b)`` and ``σ(a)``."""
    a, b = page.canon(old.node), page.canon(new.node)
    for d in group.definitions.values():
        if d is not old and kind(unwrapped(d.node)) != "Name":
            long, short = page.canon(d.node), page.canon(d.side)
            a, b = a.replace(long, short), b.replace(long, short)
    return a == b


def words_of_steps(rel: Any) -> bool:
    """Whether steps are told by words: ``c_next``, ``a_prev``."""
    return any(spelled(x) in STEP_WORDS for n in walk(rel) if kind(n) == "Name" for x in n.subs)


def copies(key: str, node: Any) -> bool:
    """``W^{(t)} = W``: the uses of a parameter are told apart, nothing is defined."""
    split = head_and_parts(unwrapped(node))
    return split is not None and key_of(split[0], list(split[1])) == key


def initial_value(out: Collected, s: Statement, rel: Any) -> bool:
    """``h_0 = 0``."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    value = unwrapped(rel.sides[1])
    if split is None or len(rel.sides) != 2 or kind(value) != "Number" or value.text != "0" or not split[1]:
        return False
    last = split[1][-1].node
    if kind(last) != "Number" or last.text != "0":
        return False
    key = key_of(split[0], list(split[1][:-1]))
    if key is None or derived(rel):
        return False
    out.initial[key] = 0
    out.defining.add((s.number, 0))
    return True


def function_definition(out: Collected, s: Statement, rel: Any) -> bool:
    r"""``g(x) = \tanh(x)``, ``\sigma(x) = \frac{1}{1+e^{-x}}``: a name for a function; of known ones the formula is a claim."""
    sides = [unwrapped(x) for x in rel.sides]
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
    return False


def own_letter(rel: Any, letter: str, stepped: set[str]) -> str:
    r"""What an equation counts its steps by: ``D_k = \diag(1 - h_k^2)`` is an equation of every step though others are written with t."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    if split is None or step_part(split[1], letter) is not None or len(split[1]) != 1 or derived(rel):
        return letter
    node = unwrapped(split[1][0].node)
    found = set(letters(node)) if kind(node) in ("Name", "Sum") and split[1][0].where != "bracket" else set()
    own = found.pop() if len(found) == 1 else None
    if own not in LETTERS or own == "T":
        return letter
    at = [(str(spelled(h)), step) for _, h, parts in names_in(rel.sides[-1]) if (step := step_part(parts, own)) is not None]
    lagged = any(kind(unwrapped(step.node)) == "Sum" for _, step in at)
    whole = lagged or (own not in ("i", "j") and any(kind(n) in ("Diagonal", "Transpose") for n in walk(rel.sides[-1])))
    recurs = any(base == str(spelled(split[0])) and kind(unwrapped(step.node)) == "Sum" for base, step in at)
    return str(own) if recurs or (whole and at and all(base in stepped for base, _ in at)) else letter


def families(statements: list[Statement]) -> frozenset[str]:
    r"""The letters that carry labels no component is called by: ``\Gamma_f``, ``\Gamma_o``, and so ``\Gamma_i`` is a gate too."""
    out = set()
    for s in statements:
        rel = relation_of(s.node)
        if rel is None:
            continue
        for side in rel.sides[:-1]:
            for head, parts in ((h, p) for _, h, p in names_in(unwrapped(side))):
                words = [spelled(p.node) for p in parts if p.where != "bracket"]
                if len(words) > 1 and any(w in GATES - {"i"} for w in words):
                    out.add(str(spelled(head)))
    return frozenset(out)


def definition_of_side(side: Any, letter: str, gates: frozenset[str] = frozenset()) -> tuple[str, str, int, tuple[Any, ...]] | None:
    """The key, the letter and the shift of a name that may be defined."""
    split = head_and_parts(unwrapped(side))
    if split is None:
        return None
    head, parts = split
    if (
        head.base in ADJOINT_HEADS
        or head.base in ("partial", "d", "prod", "sum")
        or _differential_word(head)
        or (head.base in BUILTIN and (head.base != "sigma" or head.primes))
    ):
        return None
    if kind(unwrapped(side)) == "Apply" and head.base in BUILTIN:
        return None
    if head.base in GRADIENTS and any(kind(p.node) == "Name" and step_part(tuple(Part("sub", q) for q in p.node.subs), letter) for p in parts):
        return None  # g_{h_t} is the gradient by h_t
    step = step_part(parts, letter)
    shift = 0
    rest = [p for p in parts if p is not step]
    if step is not None:
        at = number_at(step.node, {letter: 0})
        if at is None or at.denominator != 1:
            return None
        shift = int(at)
    elif any(_step_like(p.node) and kind(p.node) == "Number" for p in parts) and parts[-1].where != "bracket":
        return None
    entries = tuple(
        p.node
        for p in rest
        if p.where == "bracket"
        or (
            step is not None
            and kind(p.node) == "Name"
            and p.node.base in "ijpqkmn"
            and p.node.base != letter
            and not p.node.subs
            and not (p.node.base in GATES and spelled(head) in gates)
        )
    )
    labels = [p for p in rest if p.node not in entries]
    if labels and entries and not any(p.where == "bracket" for p in rest) and step is None:
        entries = ()
    words = [p for p in labels if spelled(p.node) in STEP_WORDS]
    if words and step is None:
        if STEP_WORDS[str(spelled(words[0].node))] != 0:
            return None
        labels = [p for p in labels if p not in words]
    key = key_of(head, labels)
    return None if key is None else (key, letter, shift, entries)


def parts_of(node: Any) -> tuple[Part, ...]:
    """The indices on a name."""
    split = head_and_parts(unwrapped(node))
    return split[1] if split else ()


def definition(rel: Any, letter: str, gates: frozenset[str] = frozenset()) -> tuple[str, str, int, tuple[Any, ...], int] | None:
    """What a relation defines: the key of its left side, and which side is the formula."""
    left = definition_of_side(rel.sides[0], letter, gates)
    if left is None:
        return None
    side = 1
    while (
        side + 1 < len(rel.sides)
        and rel.signs[side] in DEFINING
        and (
            (kind(unwrapped(rel.sides[side])) in ("Name", "Power", "Index") and definition_of_side(rel.sides[side], letter, gates) is not None)
            or (general(rel.sides[side]) and not derived(rel.sides[side + 1]) and not general(rel.sides[side + 1]))
        )
    ):
        side += 1
    right = rel.sides[side]
    if (
        any(s not in DEFINING | {"in", "+="} for s in rel.signs[:side])
        or derived(right)
        or kind(unwrapped(right)) in ("Words", "Blank", "Cases", "Ellipsis")
        or number(right) is not None
    ):
        return None
    if any(kind(n) in ("Words", "Ellipsis") for n in walk(right)):
        return None
    if kind(unwrapped(rel.sides[-1])) == "Number":
        return None
    if kind(unwrapped(right)) in ("Stack", "Tuple") and step_part(parts_of(rel.sides[0]), letter) is None:
        return None  # weights under one name
    if kind(unwrapped(right)) == "Name" and len(unwrapped(right).base) == 1 and not parts_of(right) and step_part(parts_of(rel.sides[0]), letter) is None:
        return None
    if left[0] in LOSSES:
        return None
    return (*left, side)


def general(side: Any) -> bool:
    """``f(h_{t-1}, x_t)``: that there is a formula, not which."""
    node = unwrapped(side)
    return kind(node) == "Apply" and len(node.args) > 1 and kind(node.function) == "Name" and node.function.base not in BUILTIN


def inner_definition(rel: Any, side: int, letter: str, gates: frozenset[str]) -> tuple[str, Any, str, int, Any] | None:
    r"""``h_t = \sigma(o_t) = \sigma(W x_t + \dots)`` says what o is too: its key, formula, letter, shift and name."""
    if side + 1 >= len(rel.sides) or rel.signs[side] not in DEFINING:
        return None
    first, second = unwrapped(rel.sides[side]), unwrapped(rel.sides[side + 1])
    if not (kind(first) == kind(second) == "Apply" and first.function == second.function and len(first.args) == len(second.args) == 1):
        return None
    name, formula = unwrapped(first.args[0]), unwrapped(second.args[0])
    found = definition_of_side(name, letter, gates) if kind(name) in ("Name", "Power") and kind(formula) == "Sum" else None
    return None if found is None or found[3] else (found[0], formula, found[1], found[2], name)


def stepped_names(d: Definition, letter: str) -> set[str]:
    """The quantities with a step that an equation names."""
    return set(lags(d, letter))


def present_names(d: Definition, letter: str) -> set[str]:
    """The quantities that an equation names at its own step."""
    return {key for key, steps in lags(d, letter).items() if 0 in steps}


def lags(d: Definition, letter: str) -> dict[str, set[int | None]]:
    """The quantities with a step that an equation names, and how many steps later than its own."""
    out: dict[str, set[int | None]] = {}
    skip = bound_letters(d.node) | {w for e in d.entries for w in letters(e)}
    for _, head, parts in names_in(d.node):
        step = step_part(parts, letter) or step_part(parts, d.letter)
        if step is not None:
            key = key_of(head, [p for p in parts if p is not step and p.where != "bracket" and not set(letters(p.node)) & skip])
            if key is not None:
                at = number_at(step.node, {letter: 0, d.letter: 0})
                out.setdefault(key, set()).add(None if at is None else int(at) - d.shift)
    return out


def split_groups(collected: Collected) -> None:
    """Definitions that share no quantity are cells of their own."""
    out: list[Group] = []
    for g in collected.groups:
        parts = [] if g.alone else components(g, collected.letter)
        if len(parts) < 2:
            out.append(g)
            continue
        for part in parts:
            first = min(d.place.number if d.place is not None else g.first for d in part.values())
            out.append(Group(first if part is not parts[0] else g.first, part))
    collected.groups = out


def components(g: Group, letter: str) -> list[dict[str, Definition]]:
    """Connected by the quantities with a step that they name."""
    names = {key: {key} | stepped_names(d, letter) for key, d in g.definitions.items()}
    out: list[tuple[set[str], dict[str, Definition]]] = []
    for key, d in g.definitions.items():
        mine, part = set(names[key]), {key: d}
        rest = []
        for other, held in out:
            if other & mine:
                mine |= other
                part = {**held, **part}
            else:
                rest.append((other, held))
        out = [*rest, (mine, part)]
    return [part for _, part in out]
