"""What ties a line to one of the cells of a document: words, "For model A", "in the GRU"; weights and functions that no other cell has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from symgrad.check.defined.groups import Group
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.cellnames import given_to, names, texts_before
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, walk

if TYPE_CHECKING:
    from symgrad.check.judging.court import Court


def tied(court: Court, s: Statement) -> frozenset[int]:
    """The groups of definitions that the nearest words name which name some and not all; none where no words do."""
    known = court.names
    for text in told(court, s):
        said = names(text)
        every = ({k for k, own in known.items() if name in own} for name in said)
        found = [ks for ks in every if 0 < len(ks) < len(known)]
        if found:
            return frozenset(set.intersection(*found) or set.union(*found))
        if any(name not in own for own in known.values() for name in said if not name.startswith("(")):
            break  # a cell that is none of these
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


def names_of(groups: list[Group]) -> dict[int, set[str]]:
    """The names that a document gives its cells: to the equations of what several of them compute, if there is any such thing."""
    cells = {k: g.definitions for k, g in enumerate(groups) if not g.alone}
    times = Counter(key for own in cells.values() for key in own)
    told = {k: [d for key, d in own.items() if times[key] > 1 or max(times.values()) < 2] for k, own in cells.items()}
    return {k: {name for d in own if d.place is not None and d.place.fragment is not None for name in given_to(d.place.fragment)} for k, own in told.items()}


def by_its_names(court: Court, s: Statement, page: Page, rival: Page) -> bool:
    """Whether a line, or one beside it, names a weight or a function that the one cell has and the other has not; and none the other way round."""
    own, other = (parameters(p) for p in (page, rival))
    named = {w for line in stretch(court, s) for w in symbols(line.nodes)}
    return bool(named & (own - other)) and not named & (other - own)


def stretch(court: Court, s: Statement) -> Iterator[Statement]:
    """The lines around one under its heading, as far as the next definitions."""
    defining = {number for number, _ in court.collected.defining}
    for lines in (court.statements[s.number :], court.statements[: s.number][::-1]):
        for line in lines:
            if line.number in defining or s.fragment is None or line.fragment is None or line.fragment.heading != s.fragment.heading:
                break
            yield line


def parameters(page: Page) -> set[str]:
    """What the equations of a cell name that counts no steps."""
    return {w for d in page.definitions.values() for w in symbols(tuple(walk(d.node)))} - {*page.symbols.timed}


def symbols(nodes: tuple[Any, ...]) -> set[str]:
    """Names as they are spelled, with their indices."""
    return {w.replace("'", "") for n in nodes if kind(n) == "Name" and (w := spelled(n)) is not None}


def the_same(page: Page, rival: Page) -> bool:
    """Whether what two cells both compute they compute alike."""
    both = [d for key, d in rival.definitions.items() if key in page.definitions and d is not page.definitions[key]]
    return all(Decider(page).decide(d.side, d.node).holds for d in both if d.side is not None)
