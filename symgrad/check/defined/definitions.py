r"""What one relation of a document defines: a quantity at a step, by a formula in which nothing is derived; and the names in that formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.check.defined.page import Definition
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.relations import number
from symgrad.check.reading.statements import (
    ADJOINT_HEADS,
    DEFINING,
    LETTERS,
    LOSSES,
    Statement,
    _differential_word,
    bound_letters,
    derived,
    names_in,
    relation_of,
    step_part,
)
from symgrad.check.reading.symbols import STEP_WORDS, Part, _step_like, head_and_parts, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

GRADIENTS = frozenset({"g", "d", "G", "D", "e", "grad", "epsilon", "varepsilon"})  # letters for adjoints, where a quantity is their index
GATES = frozenset({"f", "i", "o", "g", "c", "z", "r", "u"})  # what gates are called by
COMPONENTS = "ijpqkmn"  # letters that count components beside a step


def counters(statements: list[Statement]) -> str:
    r"""The letters that count components beside a step: l too where it stands beside another index, ``y_l = \sum_i v_{li} h_i``, and counts no layers."""
    names = [parts for s in statements for _, _, parts in names_in(s.node)]
    pairs = [[a.base for a in p.node.args] for parts in names for p in parts if kind(p.node) == "Product" and all(kind(a) == "Name" for a in p.node.args)]
    pairs += [[p.node.base for p in parts if p.where == "sub" and kind(p.node) == "Name"] for parts in names]  # ``v_{l,i}``
    paired = any("l" in pair and len(pair) == 2 and {*pair} & {*COMPONENTS} for pair in pairs)
    layers = any(kind(p.node) == "Sum" and "l" in letters(p.node) for parts in names for p in parts)
    return COMPONENTS + "l" if paired and not layers else COMPONENTS


def definition(
    rel: Any, letter: str, gates: frozenset[str] = frozenset(), counters: str = COMPONENTS
) -> tuple[str, str, int, tuple[Any, ...], int] | None:
    """What a relation defines: the key of its left side, and which side is the formula."""
    left = definition_of_side(rel.sides[0], letter, gates, counters)
    if left is None:
        return None
    side = 1
    while (
        side + 1 < len(rel.sides)
        and rel.signs[side] in DEFINING
        and (
            (kind(unwrapped(rel.sides[side])) in ("Name", "Power", "Index") and definition_of_side(rel.sides[side], letter, gates, counters) is not None)
            or (general(rel.sides[side]) and not derived(rel.sides[side + 1]) and not general(rel.sides[side + 1]))
            or itself(rel.sides[0], rel.sides[side])
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
    if kind(unwrapped(rel.sides[-1])) == "Number" and not worked(rel, side, letter):
        return None
    if itself(rel.sides[0], right):
        return None
    pile = kind(unwrapped(right)) in ("Stack", "Tuple") and step_part(parts_of(rel.sides[0]), letter) is None
    if pile and not any(step_part(parts, letter) or any(spelled(p.node) in STEP_WORDS for p in parts) for _, _, parts in names_in(right)):
        return None  # weights under one name
    if kind(unwrapped(right)) == "Name" and len(unwrapped(right).base) == 1 and not parts_of(right) and step_part(parts_of(rel.sides[0]), letter) is None:
        return None
    base, _, label = left[0].partition("_")
    if base in LOSSES and (not label or (len(label) > 2 and label.isalpha())):  # ``L_{seq}``, ``L_{total}``
        return None
    return (*left, side)


def worked(rel: Any, side: int, letter: str) -> bool:
    """Whether an equation goes on with its value: ``a_t = W x_t + U h_{t-1} = 0.5 + 0.2 = 0.7``, ``z_t = σ(0.7) = 0.67``."""
    right = unwrapped(rel.sides[side])
    stepped = sum(step_part(parts, letter) is not None for _, _, parts in names_in(right))
    return side + 1 < len(rel.sides) and (stepped > 1 or of_a_number(right))


def of_a_number(node: Any) -> bool:
    """``σ(0.7)``"""
    return kind(node) == "Apply" and kind(node.function) == "Name" and not node.function.primes and len(node.args) == 1 and number(node.args[0]) is not None


def definition_of_side(
    side: Any, letter: str, gates: frozenset[str] = frozenset(), counters: str = COMPONENTS
) -> tuple[str, str, int, tuple[Any, ...]] | None:
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
    elif any(p.node == Name("T") or (kind(p.node) == "Number" and _step_like(p.node) and parts[-1].where != "bracket") for p in parts):
        return None
    entries = tuple(
        p.node
        for p in rest
        if p.where == "bracket"
        or (
            step is not None
            and kind(p.node) == "Name"
            and p.node.base in counters
            and p.node.base != letter
            and not p.node.subs
            and not (p.node.base in GATES and spelled(head) in gates)
            and f"{spelled(head)} {p.node.base}" not in gates
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


def inner_definition(rel: Any, side: int, letter: str, gates: frozenset[str], counters: str = COMPONENTS) -> tuple[str, Any, str, int, Any] | None:
    r"""``h_t = \sigma(o_t) = \sigma(W x_t + \dots)`` says what o is too: its key, formula, letter, shift and name."""
    if side + 1 >= len(rel.sides) or rel.signs[side] not in DEFINING:
        return None
    first, second = unwrapped(rel.sides[side]), unwrapped(rel.sides[side + 1])
    if not (kind(first) == kind(second) == "Apply" and first.function == second.function and len(first.args) == len(second.args) == 1):
        return None
    name, formula = unwrapped(first.args[0]), unwrapped(second.args[0])
    found = definition_of_side(name, letter, gates, counters) if kind(name) in ("Name", "Power") and kind(formula) == "Sum" else None
    return None if found is None or found[3] else (found[0], formula, found[1], found[2], name)


def general(side: Any) -> bool:
    """``f(h_{t-1}, x_t)``: that there is a formula, not which."""
    node = unwrapped(side)
    return kind(node) == "Apply" and len(node.args) > 1 and kind(node.function) == "Name" and node.function.base not in BUILTIN


def itself(left: Any, right: Any) -> bool:
    """``f_t = [f_1^t; f_2^t]``: a vector as its own entries, which says nothing of what it is."""
    pile = unwrapped(right.arg if kind(right) == "Transpose" else right)
    owner = head_and_parts(unwrapped(left))
    entries = [head_and_parts(unwrapped(a)) for a in pile.args if kind(unwrapped(a)) != "Ellipsis"] if kind(pile) in ("Stack", "Tuple") else []
    return len(entries) > 1 and owner is not None and all(e is not None and e[0] == owner[0] and len(e[1]) == len(owner[1]) + 1 for e in entries)


def own_letter(rel: Any, letter: str, stepped: set[str], known: Mapping[str, Definition]) -> str:
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
    vectors = {"Diagonal", "Transpose"} if own not in ("i", "j") else {"Diagonal"}  # ``u_i = x_i^T v`` may be a component
    whole = lagged or any(kind(n) in vectors for n in walk(rel.sides[-1]))
    recurs = any(base == str(spelled(split[0])) and kind(unwrapped(step.node)) == "Sum" for base, step in at)
    behind = any(base in known and known[base].letter == own for base, _ in at)  # ``a_j = f(z_j)`` behind ``z_j = W a_{j-1} + b``
    return str(own) if recurs or behind or (whole and at and all(base in stepped for base, _ in at)) else letter


def families(statements: list[Statement]) -> frozenset[str]:
    r"""The letters that carry labels no component is called by: ``\Gamma_f``, ``\Gamma_o``, and so ``\Gamma_i`` is a gate too.

    With their labels, where these are the letters of what is computed from them: ``n_t = \tanh(a^n_t)``.
    """
    out = set()
    for s in statements:
        rel = relation_of(s.node)
        if rel is None:
            continue
        for side in rel.sides[:-1]:
            for head, parts in ((h, p) for _, h, p in names_in(unwrapped(side))):
                words = [spelled(p.node) for p in parts if p.where != "bracket"]
                if len(parts) > 1 and any(w in GATES - {"i"} for w in words):
                    out.add(str(spelled(head)))
        whole = unwrapped(rel.sides[-1])
        inner = head_and_parts(unwrapped(whole.args[0])) if kind(whole) == "Apply" and len(whole.args) == 1 else None
        label = spelled(inner[1][0].node) if inner is not None and len(inner[1]) == 1 else None
        own = head_and_parts(unwrapped(rel.sides[0]))
        if inner is not None and label is not None and own is not None and label == spelled(own[0]) and len(own[1]) < 2:
            out.add(str(spelled(inner[0])))  # ``f = \\sigma(a_f)``, ``f_t = \\sigma(a_f)``
        if inner is not None and own is not None and any(p.node == Name(own[0].base) for p in inner[1]):
            out.add(f"{spelled(inner[0])} {own[0].base}")
    return frozenset(out)


def parts_of(node: Any) -> tuple[Part, ...]:
    """The indices on a name."""
    split = head_and_parts(unwrapped(node))
    return split[1] if split else ()


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
