r"""How vectors stand and gradients are laid out: what a document says of it, or writes in its other lines, binds a line that holds in one reading alone."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.judging.court import Court
from symgrad.check.reading.claims import Link, links
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.trees import kind, unwrapped, walk

SHAPED = re.compile(  # gradients that have the shape of what they are taken by
    r"gradients?\b[^.;]{0,80}\b(?:has|have|having|of|in|with|takes?|shares?)\s+(?:exactly\s+)?the\s+(?:same\s+)?(?:shapes?|dimensions?|sizes?)\s+(?:of|as)\b"
    r"|\bsame shape as\b|梯度[^。；]{0,30}(?:形状|维度)[^。；]{0,12}(?:相同|一致)",
    re.IGNORECASE,
)
UPRIGHT = re.compile(r"\b(?:column|row)\W{0,4}\s+vectors?\b|\bvectors?\b[^.;]{0,30}\b(?:columns|rows)\b|列向量|行向量", re.IGNORECASE)
NUMERATOR, DENOMINATOR = (re.compile(rf"\b{w}[- ]layout|{zh}", re.IGNORECASE) for w, zh in (("numerator", "分子布局"), ("denominator", "分母布局")))
LINES = 8  # other lines that are looked at
FEW = 24  # readings of such a line


def against_convention(court: Court, page: Page, outcome: Outcome, link: Link) -> str | None:
    """Why a proof is left open that rests on another convention than that of the document."""
    chooser = outcome.chooser
    assert chooser is not None
    asked = {key for key, _ in chooser.chosen}
    if "gradient layout" in asked and not a_jacobian(page, link.left) and (SHAPED.search(court.words) is not None or laid_out(court, page, link)):
        return "this holds only if a gradient by a matrix is written transposed, and the document writes it as it stands"
    if "layout" in asked and not outcome.lenient and (other := stated(court.words)) is not None and other != bool(chooser.fixed.get("layout")):
        turned = {**chooser.fixed, "layout": int(other)}
        if Decider(page).in_reading(link.left, link.right, turned, outcome.mode) == "differs":
            return f"this holds only in {'numerator' if other else 'denominator'} layout, and the document says that it uses the other one"
    if SHAPED.search(court.words) is not None and any(across(page, n) for n in walk(link.right)):
        return "this holds only if a gradient does not have the shape of what it is taken by, as the document says that it has"
    if outcome.lenient and outcome.reading != "scalar" and any(makes(page, n) is not None for n in walk(link.right)):
        if UPRIGHT.search(court.words) is not None or SHAPED.search(court.words) is not None:
            return "this holds only if a vector stands otherwise than the document says"
        if any(both_ways(page, n) for n in walk(link.right)):
            return "this holds only if one gradient is a column and another one a row"
    return None


def stated(words: str) -> bool | None:
    """Whether the words choose denominator layout; None if they choose none, or speak of both."""
    numerator, denominator = (layout.search(words) is not None for layout in (NUMERATOR, DENOMINATOR))
    return denominator if numerator != denominator else None


def laid_out(court: Court, page: Page, link: Link) -> bool:
    """Whether another line gives the gradient of the loss by a matrix as the matrix stands, and not transposed."""
    if any(by_a_matrix(page, n) for n in walk(link.right)):
        return False
    others = [other for s in court.statements if kind(s.node) == "Relation" and s is not link.statement for other in links(s)]
    alike = [o for o in others if by_a_matrix(page, unwrapped(o.left)) and not any(by_a_matrix(page, n) for n in walk(o.right))]
    return any(as_it_stands(page, other) for other in alike[:LINES])


def a_jacobian(page: Page, node: Any) -> bool:
    """Whether this is the derivative of one vector by another."""
    node = unwrapped(node)
    return kind(node) == "Derivative" and loss_head(node.of) is None and page.ranked(unwrapped(node.wrt)) == 1


def as_it_stands(page: Page, other: Link) -> bool:
    """Whether a line holds with the gradient by a matrix of the shape of the matrix."""
    found = Decider(page).decide(other.left, other.right, limit=FEW, modes=((False, False),))
    return found.equal and found.chooser is not None and "gradient layout" not in {key for key, _ in found.chooser.chosen}


def by_a_matrix(page: Page, node: Any) -> bool:
    """Whether this is the derivative of a loss, or of anything, by a matrix."""
    return kind(node) == "Derivative" and page.ranked(unwrapped(node.wrt)) == 2 and (loss_head(node.of) is not None or page.ranked(unwrapped(node.of)) == 1)


def makes(page: Page, node: Any) -> str | None:
    r"""What a product makes of the vectors in it: a column, ``W^\top \delta``, or a row, ``\delta W``."""
    node = unwrapped(node)
    if kind(node) not in ("Product", "Infix") or getattr(node, "sign", "") in ("odot", "circ", "otimes"):
        return None
    first, last = (a_weight(page, unwrapped(a)) for a in (node.args[0], node.args[-1]))
    return None if first == last else "column" if first else "row"


def across(page: Page, node: Any) -> bool:
    r"""Whether a gradient by a vector stands at the other side of a weight than vectors do in the cell, ``\partial L/\partial z \, W``."""
    columns = page.world.model.orient > 0
    if makes(page, node) != ("row" if columns else "column"):
        return False
    end = unwrapped(unwrapped(node).args[0 if columns else -1])
    return kind(end) == "Derivative" and loss_head(end.of) is not None and page.ranked(unwrapped(end.wrt)) == 1


def a_weight(page: Page, node: Any) -> bool:
    """Whether a factor is a matrix by name, transposed or not."""
    if kind(node) in ("Transpose", "Power"):
        node = unwrapped(node.arg if kind(node) == "Transpose" else node.base)
    return kind(node) in ("Name", "Index") and page.ranked(node) == 2


def both_ways(page: Page, node: Any) -> bool:
    """Whether a sum adds a column to a row."""
    return kind(node) == "Sum" and {"column", "row"} <= {makes(page, a.arg if kind(a) == "Negative" else a) for a in node.args}
