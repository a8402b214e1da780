r"""Lines about the gradient of a loss that the document writes: what is differentiated is its own formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.cell.written import as_differences_tell, formulas, with_loss
from symgrad.check.defined.page import Page
from symgrad.check.judging import caution
from symgrad.check.judging.court import Court
from symgrad.check.judging.free import unknown_functions
from symgrad.check.judging.proof import attempt, proved
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import Statement, loss_head
from symgrad.check.reading.trees import kind, unwrapped, walk

Under = Callable[[Page], Page | None]
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
            if outcome.equal:
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


def penalised(court: Court, page: Page, link: Link) -> str:
    r"""The weight by which a line differentiates a loss with a term of its own in that, ``\frac{\lambda}{2} \|W\|^2``, where the line leaves it out."""
    left = unwrapped(link.left)
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    by = {unwrapped(n.wrt) for n in walk(link.right) if kind(n) == "Derivative"}
    if ref is None or ref.key in page.symbols.timed or unwrapped(left.wrt) in by:
        return ""
    for s, formula in formulas(page, court.statements):
        inside = any((r := page.symbols.ref(n)) is not None and r.key == ref.key for n in walk(formula))
        if inside and unwrapped(s.node.sides[0]) == unwrapped(left.of) and (own := known_by(page, formula)) is not None:
            return "" if attempt(court, own, link.left, link.right, link).equal else page.notes.get(ref.key, ref.key)
    return ""


def otherwise_written(court: Court, page: Page, link: Link) -> bool:
    """Whether a line does not hold of the one formula that the document gives for its loss, though that has a value and all functions are known."""
    found = formulas(page, court.statements)
    if len(found) != 1 or court.program or unknown_functions(page) or (own := known_by(page, found[0][1])) is None:
        return False
    outcome = attempt(court, own, link.left, link.right, link)
    return bool(outcome.typed) and outcome.complete and not (outcome.equal or outcome.missing or outcome.unsupported or outcome.weak)


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

    heads = [loss_head(n.of) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative"]

    def distance(pair: tuple[Statement, Any]) -> tuple[bool, bool, int]:
        number = pair[0].number
        return loss_head(pair[0].node.sides[0]) not in heads, number > link.statement.number, abs(number - link.statement.number)

    return [formula for _, formula in sorted(found, key=distance)]


def of_a_loss(page: Page, link: Link) -> bool:
    """Whether a line has a gradient of the loss in it."""
    derivatives = (n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative")
    return any(loss_head(n.of) is not None for n in derivatives) or bool(caution.gradients_in(page, link))


def by(under: Under, formula: Any) -> Under:
    """The pages on which the loss is what a formula says."""

    def change(page: Page) -> Page | None:
        before = under(page)
        if before is None:
            return None
        memo = before.memos["losses"]
        if id(formula) not in memo:
            memo[id(formula)] = formula, with_loss(before, formula)
        own: Page | None = memo[id(formula)][1]
        return own

    return change


def known_by(page: Page, formula: Any) -> Page | None:
    """A page that knows the loss by its formula."""
    return by(lambda same: same, formula)(page)
