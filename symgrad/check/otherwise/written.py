r"""Lines about the gradient of a loss that the document writes: what is differentiated is its own formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.cell.written import as_differences_tell, formulas
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.ruling.losses import Under, by, of_a_loss
from symgrad.check.ruling.meant import names_of
from symgrad.check.ruling.proof import proved
from symgrad.check.ruling.unusual import called

OPEN = "the document writes its loss, and its formula is not understood here"


def of_its_formula(court: Court, link: Link, under: Under) -> Judgement | None:
    """Proved, where a line holds of the loss that the document writes nearest before it, or of the only one; open, where of another one alone."""
    own, *others = written(court, link, under) or [None]
    if own is None:
        return None
    for formula in (own, *others):
        change = by(under, formula)
        for page in court.pages_of(link.statement, change):
            outcome = attempt(court, page, link.left, link.right, link)
            if outcome.equal and page.loss_weight is not None and outcome.chooser is not None and "loss" in outcome.chooser.tags:
                return ambiguous("this holds of the loss of a step, without the factor before the sum that the document gives")
            if outcome.equal and not outcome.vanished and formula is own:
                return proved(court, page, outcome, link)
            if outcome.equal and not outcome.vanished and not (court.matrices and outcome.reading == "scalar"):
                return ambiguous("this holds of another loss than the one that is meant elsewhere in the document")
    return None


def judged_by_formula(court: Court, link: Link, under: Under) -> Under | Judgement | None:
    """How the pages change that a line is judged on where they know the loss by its formula alone; open, where that is not understood."""
    found = written(court, link, under)
    page = under(court.page(court.order(link.statement)[0]))
    if not found or page is None or page.loss_rules:
        return None
    change = by(under, found[0])
    if any(True for _ in court.pages_of(link.statement, change)):
        return change
    return ambiguous(OPEN) if not of_gradients_alone(page, link) else None


def of_gradients_alone(page: Page, link: Link) -> bool:
    """Whether every term of a line has a gradient of the loss in it: what it says does not depend on the formula."""
    sides = [unwrapped(side) for side in (link.left, link.right)]
    terms = [a for side in sides for a in (side.args if kind(side) == "Sum" else (side,))]
    return all(of_a_loss(page, replace(link, left=a, right=a)) for a in terms)


def written(court: Court, link: Link, under: Under) -> list[Any]:
    """The formulas of losses, those by the letter of a line first, of these the nearest before it, if it has a gradient and none is differentiated yet."""
    page = under(court.page(court.order(link.statement)[0]))
    if page is None or page.loss is not None or court.program or not of_a_loss(page, link):
        return []
    found = formulas(page, court.statements)
    if not found:
        return [formula for _, formula in as_differences_tell(page, court.statements)]
    names = names_of(link)

    def distance(pair: tuple[Statement, Any]) -> tuple[bool, bool, int]:
        number = pair[0].number
        return called(pair[0].node.sides[0]) not in names, number > link.statement.number, abs(number - link.statement.number)

    return [formula for _, formula in sorted(found, key=distance)]
