"""What ties a line to one of the cells of a document: words that name it, weights and functions that no other cell has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.court.named import named, tied
from symgrad.check.defined.page import Definition, Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.cellnames import names
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, walk


def against_the_words(court: Court, link: Link, k: int) -> bool:
    """Whether a line that holds of one cell stands under words that name others of which it does not: unless the names in it say more than these words."""
    s, page = link.statement, court.page(k)
    tie = tied(court, s)
    meant = tie.groups if tie.near else tie.groups & {*court.order(s)}
    if not meant or k in meant:
        return False
    rivals = [court.page(j) for j in meant]
    headed = s.fragment is not None and k in named(court, names(s.fragment.heading))
    if (headed or not tie.near) and all(by_its_names(court, s, page, rival) for rival in rivals):
        return False
    return not any(attempt(court, rival, link.left, link.right, link).holds for rival in rivals)


def by_its_names(court: Court, s: Statement, page: Page, rival: Page) -> bool:
    """Whether a line, or one beside it, names a weight or a function that one cell has and the other has not; and none the other way round."""
    nodes = [n for line in stretch(court, s) for n in line.nodes]
    own, other = ({n for d in p.definitions.values() for n in constants(p, walk(d.node))} for p in (page, rival))
    return bool(constants(page, nodes) & (own - other)) and not constants(rival, nodes) & (other - own)


def stretch(court: Court, s: Statement) -> Iterator[Statement]:
    """The lines around one under its heading, as far as the next definitions."""
    defining = {number for number, _ in court.collected.defining}
    for lines in (court.statements[s.number :], court.statements[: s.number][::-1]):
        for line in lines:
            if line.number in defining or s.fragment is None or line.fragment is None or line.fragment.heading != s.fragment.heading:
                break
            yield line


def constants(page: Page, nodes: Iterable[Any]) -> set[str]:
    """The parameters of a cell among some names, and the letters for its functions."""
    found = set()
    for n in nodes:
        ref = page.symbols.ref(n) if kind(n) in ("Name", "Power", "Index") else None
        if ref is not None and ref.step is None and ref.key not in page.symbols.timed | page.definitions.keys():
            found.add(ref.key)
        elif kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base not in BUILTIN:
            found.add(f"{n.function.base}()")
    return found


def the_same(page: Page, rival: Page) -> bool:
    """Whether what two cells both compute they compute alike."""
    both = [d for key, d in rival.definitions.items() if key in page.definitions and d is not page.definitions[key]]
    return all(follows(page, d) for d in both)


def follows(page: Page, d: Definition) -> bool:
    """Whether an equation holds of a cell as another one defines it."""
    return d.side is not None and Decider(page).decide(d.side, d.node).holds
