r"""Steps counted from 0, ``t = 0, \ldots, T - 1`` behind ``s_{-1}``: everything that is told by number is at the next step then.

Only where a document says so, by a state at step -1, by an equation of step 0, or by a sum that runs from 0 to T - 1, and counts from 1 nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, is_top, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Name, Number

ENDS = ("T", "N")


def counted_from_zero(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with steps counted from 1, and what stands there → what the document has."""
    letter = letter_of(statements)
    named = [list(names(s)) for s in statements]
    bare = {str(spelled(head)) for found in named for _, head, parts in found if not parts}  # weights, of which ``W^t`` is a power
    timed = {(str(spelled(head)), p.where) for found in named for _, head, parts in found for p in parts if step_part((p,), letter) is not None}
    powers = any(word in bare and where == "sup" for word, where in timed)
    places = [[(n, p) for n, head, parts in found for p in at_number(head, parts, timed, letter)] for found in named]
    sums = [n for s in statements for n in s.nodes if kind(n) == "Big" and over_steps(n, timed)]
    if powers or not begins(statements, places, sums) or any(from_elsewhere(s, sums, timed, letter) for s in statements):
        return statements, {}
    beyond = any(spelled(p.node) in ENDS for found in places for _, p in found) or any(spelled(n.upper) in ENDS for n in sums if n.upper is not None)
    if beyond and any(n.upper is not None and ends_before(n.upper) for n in sums):
        return statements, {}  # both T and T - 1 are called the last step
    original: dict[Any, Any] = {}
    out = []
    for s, found in zip(statements, places, strict=True):
        new: dict[int, Any] = {}
        for n, p in found:
            moved = later(p.node, not beyond)
            new[id(n)] = replace(rebuilt(n, {id(p.node): moved}), span=n.span)
            original.setdefault(new[id(n)], n)
        bounds = [side for n in s.nodes if any(n is big for big in sums) for side in (n.lower, n.upper) if side is not None]
        new |= {id(side): later(side, not beyond) for side in bounds if absolute(side)}
        changed = exchanged(s, new)
        out.append(changed)
        pairs = zip(*([n for n in x.nodes if kind(n) == "Big"] for x in (changed, s)), strict=True)
        original |= {late: n for late, n in pairs if late != n}
    return out, original


def names(s: Statement) -> Iterator[tuple[Any, Any, tuple[Part, ...]]]:
    """Every name with its indices, ``h(0)`` among them, the outermost reading of each."""
    inner: set[int] = set()
    for n in s.nodes:
        if id(n) in inner or kind(n) not in ("Name", "Power", "Index", "Apply") or (kind(n) == "Power" and is_top(n.exponent)):
            continue
        split = head_and_parts(n)
        called = kind(n) == "Apply" and (split is None or split[0].base in BUILTIN or not all(absolute(p.node) or "t" in letters(p.node) for p in split[1]))
        if split is not None and not called:
            inner |= {id(x) for x in walk(n)[1:]}
            yield n, split[0], split[1]


def at_number(head: Any, parts: tuple[Part, ...], timed: set[tuple[str, str]], letter: str) -> list[Part]:
    """The index that tells a step by number, or by how far it is from the last."""
    if step_part(parts, letter) is not None:
        return []
    found = [p for p in parts if (str(spelled(head)), p.where) in timed and absolute(p.node)]
    return found if len(found) == 1 else []


def absolute(node: Any) -> bool:
    """``0``, ``-1``, ``T - 1``: a step by number."""
    return number_at(node, dict.fromkeys(ENDS, 100)) is not None and set(letters(node)) <= set(ENDS)


def later(node: Any, last: bool) -> Any:
    """A step by number as the next one; with the last step T for T - 1, where that is meant."""
    return shifted(node, 1) if last or not set(letters(node)) else node


def over_steps(node: Any, timed: set[tuple[str, str]]) -> bool:
    """Whether a sum or product runs over steps."""
    word = spelled(node.index) if node.index is not None else None
    found = (split for n in walk(node.body) if kind(n) in ("Name", "Power", "Index", "Apply") and (split := head_and_parts(n)) is not None)
    return word is not None and any((str(spelled(head)), p.where) in timed and set(letters(p.node)) == {word} for head, parts in found for p in parts)


def begins(statements: list[Statement], places: list[list[tuple[Any, Part]]], sums: list[Any]) -> bool:
    """Whether a document counts from 0."""
    if any(number_at(p.node, {}) == -1 for found in places for _, p in found):
        return True
    if any(n.lower is not None and number_at(n.lower, {}) == 0 and n.upper is not None and ends_before(n.upper) and not reaches_on(n) for n in sums):
        return True
    for s, found in zip(statements, places, strict=True):
        rel = relation_of(s.node)
        left = unwrapped(rel.sides[0]) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
        zeros = [n for n, p in found if number_at(p.node, {}) == 0]
        if any(n is left for n in zeros) and len(zeros) > 1:
            return True
    return False


def reaches_on(big: Any) -> bool:
    r"""Whether a sum names the step after its index, ``\sum_{t=0}^{T-1} \delta_{t+1} h_t^\top``: up to the step T, and from the first one on."""
    parts = (p.node for n in walk(big.body) if (split := head_and_parts(n)) is not None for p in split[1])
    return any(number_at(node, {str(spelled(big.index)): 0}) == 1 and letters(node) for node in parts)


def ends_before(node: Any) -> bool:
    return set(letters(node)) <= set(ENDS) and number_at(node, dict.fromkeys(ENDS, 0)) == -1


def from_elsewhere(s: Statement, sums: list[Any], timed: set[tuple[str, str]], letter: str) -> bool:
    """Whether a statement counts from 1, gives the state at step 0 a value, or names a number of steps."""
    for n in s.nodes:
        if kind(n) == "Big" and n.lower is not None and n.upper is not None:
            first, last = number_at(n.lower, {}), set(letters(n.upper))
            if (first == 1 and spelled(n.upper) in ENDS) or (first == 0 and last & {letter, *ENDS} and not any(n is big for big in sums)):
                return True
        if kind(n) == "Power" and not is_top(n.exponent) and set(letters(n.exponent)) == {letter} and head_and_parts(n) is None:
            return True
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and not s.derives else None
    at_zero = split is not None and any((str(spelled(split[0])), p.where) in timed and p.node == Number("0") for p in split[1])
    return at_zero and unwrapped(rel.sides[-1]) in (Number("0"), Name("0"), Name("0", font="mathbf"))
