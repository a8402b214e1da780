r"""Cells written out at steps told by number: ``s_3 = \tanh(U x_3 + W s_2)`` is ``s_t = \tanh(U x_t + W s_{t-1})`` at t = 3.

Only before a document states its first recurrence in letters; ``h_T`` counts as a step told by number.  A first step without a state
behind it, ``s_1 = \tanh(U x_1)``, is no other cell: it says that ``s_0`` is zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, names_in, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, number_at, spelled
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name, Negative, Number, Relation, Sum

NOW, BEFORE = Name("t"), Sum((Name("t"), Negative(Number("1"))))
LAST = 1000  # stands for T, far from every step that is told by number


def generalised(statements: list[Statement]) -> list[Statement]:
    """The statements with the cell's equations at step t instead of at a number."""
    numbers = {s.number: n for s in statements if (n := told(s)) is not None}
    first = recurrence(statements) if numbers else 0
    steps = {k: n for k, n in numbers.items() if k < first}
    named = {s.number: places(s, steps[s.number]) for s in statements if s.number in steps}
    given = {base_of(s) for s in statements if s.number in steps}
    if first not in numbers and any(s.number == first and base_of(s) in given for s in (statements if steps else ())):
        return statements  # the equations by letters are the cell, those at numbers follow from them
    states = given & {b for found in named.values() for b in found.get(-1, ())}  # ``a_2 = W h_1 + U x_2``, ``h_2 = \\tanh(a_2)``
    if any(s.number in named and gated(s, named[s.number]) - given for s in statements):
        return statements  # ``c_2 = f_2 c_1 + i_2 g_2`` of a cell whose gates stand elsewhere
    counted = {b for found in named.values() if states & found.get(-1, {}).keys() for names in found.values() for b in names}
    if not counted:
        return statements
    out = list(statements)
    for k, s in enumerate(statements):
        found, base = named.get(s.number, {}), base_of(s) if s.number in named else ""
        beside = {b for names in found.values() for b in names} - {base}
        if steps.get(s.number) == 1 and base in states and base not in found.get(-1, {}) and not beside & given:
            out[k] = replace(s, node=begins_at_zero(s), whole=s.whole)
        elif counted & beside or base in found.get(-1, {}):
            counted.add(base)
            new = {id(n): (NOW, BEFORE)[-shift] for shift, names in found.items() for nodes in names.values() for n in nodes}
            out[k] = exchanged(s, new)
    return out


def gated(s: Statement, found: dict[int, dict[str, list[Any]]]) -> set[str]:
    """The letters of what the state before is multiplied with at the step of an equation."""
    now, before = ({id(n) for nodes in found.get(shift, {}).values() for n in nodes} for shift in (0, -1))
    products = [[id(x) for x in walk(n)] for n in s.nodes if kind(n) in FACTORS]
    beside = {x for inside in products if before.intersection(inside) for x in now.intersection(inside)}
    return {base for base, nodes in found.get(0, {}).items() if any(id(n) in beside for n in nodes)}


def begins_at_zero(s: Statement) -> Any:
    """``s_0 = 0`` in the place of a first step that names no state."""
    left = unwrapped(s.node.sides[0])
    zero = {id(counter(p)): Number("0") for p in (head_and_parts(left) or (None, ()))[1] if counted_at(p) == 1}
    return Relation((rebuilt(left, zero), Number("0")), ("=",), span=s.node.span)


def recurrence(statements: list[Statement]) -> int:
    """The first equation that gives something at step t from what was at an earlier one."""
    letter = letter_of(statements)
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or s.derives:
            continue
        split = head_and_parts(unwrapped(rel.sides[0]))
        if split is None or step_part(split[1], letter) is None:
            continue
        for side in rel.sides[1:]:
            for _, _, parts in names_in(side):
                step = step_part(parts, letter)
                if step is not None and (number_at(step.node, {letter: 0}) or 0) < 0:
                    return s.number
    return len(statements)


def told(s: Statement) -> int | None:
    """The number of the step that an equation defines something at."""
    rel = relation_of(s.node)
    if rel is None or rel.signs[0] not in DEFINING or s.derives or any(kind(unwrapped(x)) == "Number" for x in rel.sides[1:]):
        return None
    left = unwrapped(rel.sides[0])
    split = head_and_parts(left.function) if kind(left) == "Apply" and kind(left.function) == "Name" else head_and_parts(left)
    found = [at for p in (split[1] if split else ()) if (at := counted_at(p)) is not None]
    return found[-1] if found and found[-1] >= 1 else None


def counted_at(p: Part) -> int | None:
    node = counter(p)
    at = number_at(node, {"T": LAST})
    return None if at is None or at.denominator != 1 else int(at)


def counter(p: Part) -> Any:
    """The step in an index: ``3``, ``T - 1``, the 3 in ``3j``."""
    node = unwrapped(p.node)
    return node.args[0] if kind(node) == "Product" and kind(node.args[0]) == "Number" else node


def base_of(s: Statement) -> str:
    left = unwrapped(relation_of(s.node).sides[0])
    split = head_and_parts(left.function) if kind(left) == "Apply" and kind(left.function) == "Name" else head_and_parts(left)
    return str(spelled(split[0])) if split else ""


def places(s: Statement, at: int) -> dict[int, dict[str, list[Any]]]:
    """The indices of an equation that name its own step or the one before: shift, letter, nodes."""
    out: dict[int, dict[str, list[Any]]] = {}
    for side in s.node.sides:
        names = [unwrapped(side).function, *unwrapped(side).args] if kind(unwrapped(side)) == "Apply" else [side]
        for _, head, parts in (found for node in names for found in names_in(node)):
            for p in parts:
                where = counted_at(p)
                if where is not None and where - at in (0, -1) and (p.where in ("sub", "sup", "paren") or len(parts) == 1):  # no entry, ``h_t[2]``
                    out.setdefault(where - at, {}).setdefault(str(spelled(head)), []).append(counter(p))
    return out
