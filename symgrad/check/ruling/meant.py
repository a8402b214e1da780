"""Which loss a line differentiates: of several formulas that a document writes, the one that stands by the same name nearest before it.

Where several stand by that name under the heading of the line, it has to hold of each.
"""

from __future__ import annotations

from typing import Any

from symgrad.check.cell.written import formulas
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import Statement, loss_head
from symgrad.check.reading.trees import kind, walk
from symgrad.check.ruling.excuses import unexcused
from symgrad.check.ruling.functions import unknown_functions
from symgrad.check.ruling.losses import known_by, of_a_loss
from symgrad.check.ruling.unusual import called


def against_its_own(court: Court, page: Page, link: Link) -> str:
    """Why a line that holds is not proved: it does not hold of the formula of its own loss, where the document writes several; empty if it does."""
    if court.program or not of_a_loss(page, link) or unknown_functions(page):
        return ""
    found = formulas(page, court.statements)
    if len({page.canon(formula) for _, formula in found}) < 2:
        return ""
    for s, formula in own_formulas(found, link):
        own = known_by(page, formula) if formula is not page.loss else None
        if own is None:
            continue
        outcome = attempt(court, own, link.left, link.right, link)
        if outcome.typed and outcome.complete and not (outcome.equal or outcome.missing or outcome.unsupported or outcome.weak):
            return f"of the losses that the document writes, this does not hold of {page.shown(s.node.sides[0])} as it stands nearest"
        if outcome.equal and (left_out := unexcused(court, own, outcome, link)):
            return f"this holds only if {left_out}"
    return ""


def own_formulas(found: list[tuple[Statement, Any]], link: Link) -> list[tuple[Statement, Any]]:
    """The formulas that may be meant: by the name that is differentiated, before the line, under its heading all of them, else the nearest."""
    names = names_of(link)
    alike = [(s, formula) for s, formula in found if not names or called(s.node.sides[0]) in names]
    before = [pair for pair in alike if pair[0].number < link.statement.number]
    here = [pair for pair in before if pair[0].fragment.heading == link.statement.fragment.heading]
    return here or before[-1:] or alike[:1]


def names_of(link: Link) -> set[Any]:
    """The losses that a line differentiates."""
    return {called(n.of) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and loss_head(n.of) is not None}
