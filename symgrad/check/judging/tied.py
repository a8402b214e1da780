"""The cells of a document that the words beside a line name, "For model A", "in the GRU": the line is one about these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symgrad.check.defined.groups import Group
from symgrad.check.reading.cellnames import given_to, names, texts_before
from symgrad.check.reading.statements import Statement

if TYPE_CHECKING:
    from symgrad.check.judging.court import Court


def tied(court: Court, s: Statement) -> frozenset[int]:
    """The groups of definitions that the nearest words name which name some and not all; none where no words do."""
    known = court.names
    for text in told(court, s):
        every = ({k for k, own in known.items() if name in own} for name in names(text))
        found = [ks for ks in every if 0 < len(ks) < len(known)]
        if found:
            return frozenset(set.intersection(*found) or set.union(*found))
    return frozenset()


def told(court: Court, s: Statement) -> Iterator[str]:
    """The words that a line stands under, the nearest first: back to where another cell is defined."""
    if s.fragment is None:
        return
    yield from texts_before(s.fragment)
    defining = {number for number, _ in court.collected.defining}
    for other in reversed(court.statements[: s.number]):
        if other.fragment is None or other.fragment.heading != s.fragment.heading or other.number in defining:
            break
        yield from texts_before(other.fragment)
    yield s.fragment.heading


def names_of(group: Group) -> set[str]:
    """The names that a document gives the equations of a cell."""
    fragments = {id(f): f for d in group.definitions.values() if d.place is not None and (f := d.place.fragment) is not None}
    return {name for f in fragments.values() for name in given_to(f)}
