r"""Layers by number, ``h_{1,t}`` and ``h_{2,t} = f(W_2 h_{1,t} + U_2 h_{2,t-1})``, or ``h_t^1`` and ``h_t^2``: they are ``h_t^{(1)}`` and ``h_t^{(2)}``.

Components of one vector take each other in from the step before; what takes in another one at its own step is the layer above it.
A number on a letter is no power then, neither of a state nor of the weights beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from symgrad.check.forms.stacked import bracketed, heads
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, key_of, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name, Power

Place = tuple[int, str]  # of the number among the indices, and where it is written


@dataclass(frozen=True)
class Layer:
    """A state of a layer: the letter, the number and its place, whether the step is that of the equation."""

    head: Name
    number: str
    place: Place
    now: bool


@dataclass
class Equation:
    """What gives a state, by the states and the other names on its right side."""

    own: Layer
    states: list[Layer]
    weights: list[tuple[Name, tuple[Part, ...]]]


def layers_by_number(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such layers as labels above, and what stood there."""
    step = letter_of(statements)
    given: dict[Place, list[Equation]] = defaultdict(list)
    for s in statements:
        if (found := equation(s, step)) is not None:
            given[found.own.place].append(found)
    place = next((place for place, found in given.items() if stacked(found)), None)
    if place is None or any(heads(s) for s in statements):  # layers by letter are `stacked`
        return statements, {}
    states = {left.head for s in statements if (rel := relation_of(s.node)) is not None for left in layers(rel.sides[:1], step) if left.place == place}
    numbers: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for e in given[place]:
        for w in e.weights:
            numbers[labelled(*w)] |= {e.own.number} & {numeral(w[1][-1].node)}
    weights = {name for name, found in numbers.items() if len(found) > 1}
    original: dict[Any, Any] = {}
    out = []
    for s in statements:
        new: dict[int, Any] = {}
        for n, head, parts in names(s.node):
            at = place[0] if head in states and at_place(parts, place) else len(parts) - 1 if labelled(head, parts) in weights else None
            if at is not None:
                rest = tuple(p.node for k, p in enumerate(parts) if k != at)
                new[id(n)] = made = Power(replace(head, subs=rest), Name(f"({numeral(parts[at].node)})"), span=n.span)
                original.setdefault(made, n)
        out.append(exchanged(s, new))
    return out, original


def equation(s: Statement, step: str) -> Equation | None:
    """The equation of a layer at the step of the document."""
    rel = relation_of(s.node)
    own = layer(unwrapped(rel.sides[0]), step) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    if own is None or not own.now:
        return None
    found = [(head, parts) for _, head, parts in names(rel.sides[1]) if parts and step_part(parts, step) is None]
    return Equation(own, [n for n in layers(rel.sides[1:], step) if n.place == own.place], [w for w in found if raised(w[1][-1])])


def stacked(equations: list[Equation]) -> bool:
    """Whether a layer takes in the one below it at the same step, and none takes in another one's past, or one above it."""
    given = {(e.own.head, e.own.number) for e in equations}
    feeds = any(n.now and int(n.number) == int(e.own.number) - 1 and (n.head, n.number) in given for e in equations for n in e.states)
    return feeds and all(n.number == e.own.number or (n.now and int(n.number) < int(e.own.number)) for e in equations for n in e.states)


def layers(sides: tuple[Any, ...], step: str) -> Iterator[Layer]:
    """The states of layers in formulas."""
    return (found for side in sides for n, _, _ in names(side) if (found := layer(n, step)) is not None)


def layer(node: Any, step: str) -> Layer | None:
    """A name with two indices, the one a number, the other counting steps."""
    split = head_and_parts(node)
    counting = step_part(split[1], step) if split is not None and len(split[1]) == 2 else None
    if split is None or counting is None:
        return None
    at = 1 - split[1].index(counting)
    if not at_place(split[1], (at, split[1][at].where)):
        return None
    return Layer(split[0], numeral(split[1][at].node), (at, split[1][at].where), spelled(counting.node) == step)


def at_place(parts: tuple[Part, ...], place: Place) -> bool:
    """Whether one of two indices, that at a place, is a number."""
    at, where = place
    return len(parts) == 2 and parts[at].where == where and counts(parts[at].node)


def raised(part: Part) -> bool:
    return part.where in ("sup", "paren", "bracket") and counts(part.node)


def counts(node: Any) -> bool:
    """Whether an index is a number, or one that `settle` has read as a label."""
    return numeral(node).isdigit() and (kind(unwrapped(node)) == "Number" or bracketed(node) is not None)


def numeral(node: Any) -> str:
    return str(spelled(node)).strip("()")


def labelled(head: Name, parts: tuple[Part, ...]) -> tuple[str | None, str]:
    """A weight, whatever its layer is; no key for what has none."""
    return (key_of(head, [*parts[:-1]]), parts[-1].where) if parts and raised(parts[-1]) else (None, "")


def names(node: Any) -> Iterator[tuple[Any, Name, tuple[Part, ...]]]:
    """Every name with its indices, the outermost reading; ``(h_t^2)^2`` is the square of one."""
    inner: set[int] = set()
    for n in walk(node):
        split = head_and_parts(n) if id(n) not in inner and kind(n) in ("Name", "Power", "Index") else None
        if split is None or sum(counts(p.node) for p in split[1]) > 1:
            continue
        inner |= {id(x) for x in walk(n)[1:]}
        yield n, split[0], split[1]
