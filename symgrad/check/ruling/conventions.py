r"""How vectors stand and gradients are laid out: what a document says of it, or writes in its other lines, binds a line that holds in one reading alone."""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import pairwise
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.court.marks import of_a_gradient, symbol_on
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import MARKS, loss_head
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.symbols import upright as upright_name
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
    if "layout" in asked and not outcome.lenient and (why := in_the_other_layout(court, page, outcome, link)) is not None:
        return why
    if outcome.reading != "scalar" and not chained(link) and any(across(page, n) for n in walk(link.right)):
        if SHAPED.search(court.words) is not None:
            return "this holds only if a gradient does not have the shape of what it is taken by, as the document says that it has"
        others = [o for o in court.links if o.statement is not link.statement and any(along(page, n) for n in walk(o.right))]
        if any(Decider(page).decide(o.left, o.right, limit=FEW, modes=((False, False),)).equal for o in others[:LINES]):
            return f"this holds only if a gradient is a {'row' if page.world.model.orient > 0 else 'column'}, which it is not in another line"
    if outcome.reading != "scalar" and by_a_matrix(page, unwrapped(link.left)) and any(columns_alone(page, n) for n in walk(link.right)):
        products = ((court.page(court.order(o.statement)[0]), n) for o in court.links if o.statement is not link.statement for n in walk(o.right))
        if any(kind(n) == "Product" and any(a_vector(own, a) and turned_vector(own, b) for a, b in pairwise(n.args)) for own, n in products):
            return "this holds only if two columns beside each other are an outer product, and the document transposes the second one in another line"
    if outcome.lenient and outcome.reading != "scalar" and (made := {makes(page, n) for n in walk(link.right)} - {None}):
        told = {"row" if re.search(r"\brow|行", m[0], re.IGNORECASE) else "column" for m in UPRIGHT.finditer(court.words)}
        if (told and told != made) or SHAPED.search(court.words) is not None:
            return "this holds only if a vector stands otherwise than the document says"
        if any(both_ways(page, n) for n in walk(link.right)):
            return "this holds only if one gradient is a column and another one a row"
        columns = court.speaks_of_matrices and page.world.model.orient > 0 and not a_jacobian(page, link.left)
        if columns and any(difference_first(page, n) for n in walk(link.right)):
            return "this holds only if a column stands before a matrix"
    return None


def in_the_other_layout(court: Court, page: Page, outcome: Outcome, link: Link) -> str | None:
    """Why a proof in one layout of Jacobians is left open: the words choose the other one, or other lines hold only in numerator layout."""
    assert outcome.chooser is not None
    fixed, told = outcome.chooser.fixed, stated(court.words)
    denominator = bool(fixed.get("layout")) != ("gradient layout" in outcome.chooser.asked)
    if told == denominator or (told is None and not denominator) or in_layout(page, link, fixed, not denominator) not in ("differs", "misfit"):
        return None
    if told is not None:
        return f"this holds only in {'numerator' if told else 'denominator'} layout, and the document says that it uses the other one"
    others = [o for o in court.links if o.statement is not link.statement and a_jacobian(page, o.left)] if a_jacobian(page, link.left) else []
    return "this holds only in denominator layout, and another line only in numerator layout" if any(upright(page, o) for o in others[:LINES]) else None


def in_layout(page: Page, link: Link, answers: dict[Hashable, int], denominator: bool) -> str:
    """What a line comes to in a layout of Jacobians."""
    decider = Decider(page)
    decider.as_laid_out = True
    return decider.in_reading(link.left, link.right, {**answers, "layout": int(denominator)}, (False, False))


def upright(page: Page, other: Link) -> bool:
    """Whether the Jacobian that a line gives by weights holds in numerator layout alone."""
    if not any(a_weight(page, n) for n in walk(other.right)) or any(kind(n) == "Derivative" for n in walk(other.right)):
        return False
    return in_layout(page, other, {}, False) == "equal" and in_layout(page, other, {}, True) in ("differs", "misfit")


def stated(words: str) -> bool | None:
    """Whether the words choose denominator layout; None if they choose none, or speak of both."""
    numerator, denominator = (layout.search(words) is not None for layout in (NUMERATOR, DENOMINATOR))
    return denominator if numerator != denominator else None


def laid_out(court: Court, page: Page, link: Link) -> bool:
    """Whether another line gives the gradient of the loss by a matrix as the matrix stands, and not transposed."""
    if any(by_a_matrix(page, n) for n in walk(link.right)):
        return False
    others = [o for o in court.links if o.statement is not link.statement]
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
    if kind(mark := unwrapped(node.args[0])) == "Name" and mark.base in MARKS and not mark.subs:
        return None  # ``\delta W``, one symbol
    first, last = (a_weight(page, unwrapped(a)) for a in (node.args[0], node.args[-1]))
    return None if first == last else "column" if first else "row"


def across(page: Page, node: Any) -> bool:
    r"""Whether a gradient by a vector stands at the other side of a weight than vectors do in the cell, ``\partial L/\partial z \, W``."""
    columns = page.world.model.orient > 0
    return makes(page, node) == ("row" if columns else "column") and a_gradient(page, unwrapped(node).args[0 if columns else -1])


def chained(link: Link) -> bool:
    r"""Whether a side before it writes the chain rule out, ``\partial L/\partial z \, \partial z/\partial h``: the order of that holds for what comes of it."""
    products = [n for side in (link.left, *link.earlier) for n in walk(side) if kind(n) in ("Product", "Infix")]
    return any(sum(kind(unwrapped(a)) == "Derivative" for a in n.args) > 1 for n in products)


def along(page: Page, node: Any) -> bool:
    r"""Whether a gradient stands as vectors do in the cell, ``W^\top \delta``, ``\delta x^\top``."""
    columns = page.world.model.orient > 0
    first, last = (0, -1) if columns else (-1, 0)
    if (made := makes(page, node)) is not None:
        return made == ("column" if columns else "row") and any(a_gradient(page, x) for x in walk(unwrapped(node).args[last]))
    outer = kind(node) == "Product" and kind(end := unwrapped(node.args[last])) == "Transpose" and page.ranked(end.arg) == 1
    return outer and a_gradient(page, node.args[first])


def a_gradient(page: Page, node: Any) -> bool:
    """Whether this is the gradient of a loss by a vector, or a symbol for one."""
    node = unwrapped(node)
    if kind(node) == "Derivative":
        return loss_head(node.of) is not None and page.ranked(unwrapped(node.wrt)) == 1
    split = head_and_parts(node)
    return split is not None and page.symbols.ref(node) is None and (split[0].base in MARKS or symbol_on(page, node) is not None)


def a_vector(page: Page, node: Any) -> bool:
    """Whether this is a vector by name, or the gradient by one."""
    node = unwrapped(node)
    return page.ranked(node) == 1 or a_gradient(page, node) or of_a_gradient(page, node)


def turned_vector(page: Page, node: Any) -> bool:
    """Whether this is a vector that is transposed."""
    inner = upright_name(unwrapped(node))
    return inner is not None and a_vector(page, inner)


def columns_alone(page: Page, node: Any) -> bool:
    r"""Whether a product ends in two vectors as they stand, ``\delta_t h_{t-1}``."""
    ends = node.args[-2:] if kind(node) == "Product" else ()
    return len(ends) > 1 and all(a_vector(page, a) and not (kind(a) == "Name" and a.base in MARKS and not a.subs) for a in ends)


def a_weight(page: Page, node: Any) -> bool:
    """Whether a factor is a matrix by name, transposed or not."""
    if kind(node) in ("Transpose", "Power"):
        node = unwrapped(node.arg if kind(node) == "Transpose" else node.base)
    return kind(node) in ("Name", "Index") and page.ranked(node) == 2


def both_ways(page: Page, node: Any) -> bool:
    """Whether a sum adds a column to a row."""
    return kind(node) == "Sum" and {"column", "row"} <= {makes(page, a.arg if kind(a) == "Negative" else a) for a in node.args}


def difference_first(page: Page, node: Any) -> bool:
    r"""Whether a difference of vectors stands right before a weight, ``(\hat y_t - y_t) V``."""
    if makes(page, node) != "row":
        return False
    first, second = (unwrapped(a) for a in unwrapped(node).args[:2])
    terms = [unwrapped(a.arg if kind(a) == "Negative" else a) for a in first.args] if kind(first) == "Sum" else []
    return a_weight(page, second) and bool(terms) and all(page.ranked(x) == 1 for x in terms)
