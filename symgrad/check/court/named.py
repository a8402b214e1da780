"""The cells of a document that the words beside a line name, "For model A", "in the GRU": the line is one about these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.check.defined.definitions import general
from symgrad.check.defined.groups import Group
from symgrad.check.defined.page import Definition
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.cellnames import given_to, labels, names, texts_before
from symgrad.check.reading.prose import FIRST, PARAGRAPH, PH, masked
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, walk

if TYPE_CHECKING:
    from symgrad.check.court.court import Court

KINDS = {"tanh": ("tanh",), "sigmoid": ("sigmoid", "logistic"), "relu": ("relu", "rectified"), "identity": ("linear",)}


@dataclass(frozen=True)
class Tie:
    """The groups of definitions that words name; whether these are the words of the line itself, its sentence or its paragraph."""

    groups: frozenset[int] = frozenset()
    near: bool = False


def tied(court: Court, s: Statement) -> Tie:
    """The groups that the nearest words name which name some and not all; none where no words do."""
    for text, near in told(court, s):
        said = [*names(text), *labels(text)] if near else names(text)
        if found := named(court, said):
            return Tie(found, near)
        if any(name not in own for own in court.names.values() for name in said if not name.startswith("(")):
            break  # a cell that is none of these
    return Tie()


def named(court: Court, said: list[str]) -> frozenset[int]:
    """The groups that bear names which not all of them bear: those with all of these names, or else with any."""
    every = ({k for k, own in court.names.items() if name in own} for name in said)
    found = [ks for ks in every if 0 < len(ks) < len(court.names)]
    return frozenset(set.intersection(*found) or set.union(*found)) if found else frozenset()


def told(court: Court, s: Statement) -> Iterator[tuple[str, bool]]:
    """The words that a line stands under, the nearest first, back to where another cell is defined; whether they are its own."""
    if s.fragment is None:
        return
    yield from ((text, True) for text in (texts_before(s.fragment)[0], behind_the_cells(court, s)))
    defining = {number for number, _ in court.collected.defining}
    for other in reversed(court.statements[: s.number]):
        if other.fragment is None or other.fragment.heading != s.fragment.heading or other.number in defining:
            break
        yield from ((text, False) for text in (texts_before(other.fragment)[0], behind_the_cells(court, other)))
    yield s.fragment.heading, False


def behind_the_cells(court: Court, s: Statement) -> str:
    """The paragraph before a line, but for what stands before the last equation of a cell in it: the names there are of the cells there."""
    before = s.fragment.before.rstrip() if s.fragment.kind == "display" else s.fragment.before
    prose = masked(before, True)
    chunk = PARAGRAPH.split(prose.text)[-1]
    places = [d.place for g in court.collected.groups for d in g.definitions.values() if d.place is not None and d.place.fragment is not None]
    cells = {place.fragment.latex.strip() for place in places}
    ends = [m.end() for m in re.finditer(PH, chunk) if prose.formulas[ord(m[0]) - FIRST].strip() in cells]
    return chunk[max(ends, default=0) :]


def names_of(groups: list[Group]) -> dict[int, set[str]]:
    """The names that a document gives its cells, but for one in general: to the equations of what several of them compute, if there is any such thing."""
    cells = {k: g.definitions for k, g in enumerate(groups) if not g.alone and not all(general(d.node) for d in g.definitions.values())}
    times = Counter(key for own in cells.values() for key in own)
    told = {k: [d for key, d in own.items() if times[key] > 1 or max(times.values()) < 2] for k, own in cells.items()}
    return {k: {name for d in own for name in names_of_one(d)} for k, own in told.items()}


def names_of_one(d: Definition) -> set[str]:
    """What the words call an equation, and the function that it applies: "the logistic network"."""
    applied = {rule for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name" and (rule := BUILTIN.get(n.function.base)) in KINDS}
    called = given_to(d.place.fragment) if d.place is not None and d.place.fragment is not None else set()
    return called | {name for rule in applied or {"identity"} for name in KINDS[rule]}
