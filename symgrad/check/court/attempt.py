"""The two sides of a link in the readings of a page, or an earlier side of its chain in the place of the left one."""

from __future__ import annotations

from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, walk


def attempt(court: Court, page: Page, left: Any, right: Any, link: Link) -> Outcome:
    """The two sides of a link, or an earlier side of its chain in the place of the left one."""
    outcome = Decider(page).decide(left, right)
    if outcome.equal:
        return outcome
    earlier, before = chain(court, link)
    if earlier and not outcome.typed and (outcome.unsupported is not None or outcome.missing is not None or not outcome.misfits):
        differs: Outcome | None = None
        for side in reversed(earlier):
            again = Decider(page).decide(side, right)
            named = outcome.missing is not None and marks.symbol_on(page, side) is not None  # what it is of, the side that is not understood may say
            if again.equal:
                return again
            if again.typed and not named and differs is None:
                again.against, differs = side, again
        if differs is not None:
            return differs
    if earlier and before in court.right and not summed(link):
        # the same symbol may have meant the immediate derivative in the line before: hold it against the first line too
        again = Decider(page).decide(earlier[0], right)
        if again.equal:
            return again
    if earlier and before not in court.right and (before in court.wrong or marks.symbol_on(page, earlier[0]) is None):
        again = Decider(page).decide(earlier[0], right)  # behind an open line, a symbol for a gradient may mean anything
        if again.equal:
            again.skipped = True
            return again
    return outcome


def begins_otherwise(court: Court, page: Page, link: Link) -> bool:
    """Whether a link equals the side before it, which has been left open, and not the first side of its chain."""
    earlier, before = chain(court, link)
    if not earlier or before not in court.open:
        return False
    whole = Decider(page).decide(earlier[0], link.right)
    return bool(whole.typed) and not (whole.equal or whole.missing or whole.unsupported or whole.weak or whole.idle)


def chain(court: Court, link: Link) -> tuple[tuple[Any, ...], tuple[int, int]]:
    """The sides of a chain that equal the left one of a link, those in formulas before its own too; and the link before it."""
    earlier, s = equal_sides(court, link.statement, len(link.earlier)), link.statement
    last = s.number, link.number - 1
    while s.goes_on and (before := next((other for other in reversed(court.statements[: s.number]) if kind(other.node) == "Relation"), None)) is not None:
        last = (before.number, len(before.node.signs) - 1) if s is link.statement and not link.number else last
        earlier, s = (*equal_sides(court, before, len(before.node.signs)), *earlier), before
    return earlier, last


def equal_sides(court: Court, s: Statement, k: int) -> tuple[Any, ...]:
    """The sides before the k-th of a chain that equal it: no ≈ or < stands between, unless it was found to hold as an equation."""
    first = max((i + 1 for i, sign in enumerate(s.node.signs[:k]) if sign not in EQUAL and (s.number, i) not in court.right), default=0)
    return tuple(s.node.sides[first:k])


def summed(link: Link) -> bool:
    """Whether the line before is a sum over time and this one is not: then this one cannot speak of a single step."""
    before, now = (any(kind(n) == "Big" and n.kind == "sum" for n in walk(side)) for side in (link.left, link.right))
    return before and not now
