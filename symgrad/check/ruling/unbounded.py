r"""Products over time without bounds: ``\frac{\partial h_t}{\partial h_k} = \prod_i J_i`` runs over the steps from k + 1 to t."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.symbols import letters, number_at
from symgrad.check.reading.trees import kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name


def bounded(court: Court, link: Link) -> tuple[Link, str]:
    """The link with the steps between which it differentiates as the bounds of its products, and what is assumed; itself if they have bounds."""
    open_ones = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Big" and n.kind == "prod" and n.lower is None and n.upper is None]
    page = court.page(court.order(link.statement)[0])
    derivative = link.statement.node.sides[0]
    ends = between(page, derivative) or handed_back(page, derivative, link.right) if open_ones else None
    if ends is None:
        return link, ""
    new: dict[int, Any] = {}
    for n in open_ones:
        if (index := counter(page, n, derivative)) is not None:
            late = latest(page, n.body, index)  # ``∂h_{i+1} / ∂h_i`` is counted from k to t - 1
            new[id(n)] = replace(n, index=index, lower=shifted(ends[1], 1 - late), upper=shifted(ends[0], -late))
    told = [f"the product is taken over the steps {latex(n.index)} from ${latex(n.lower)}$ to ${latex(n.upper)}$" for n in new.values()]
    return replace(link, left=rebuilt(link.left, new), right=rebuilt(link.right, new)), "; ".join(dict.fromkeys(told))


def latest(page: Page, body: Any, index: Name) -> int:
    """How many steps behind the index the latest quantity stands."""
    refs = (page.symbols.ref(n) for n in walk(body))
    found = [number_at(ref.step, {index.base: 0}) for ref in refs if ref is not None and ref.step is not None]
    return int(max((at for at in found if at is not None), default=0))


def between(page: Page, left: Any) -> tuple[Any, Any] | None:
    """The steps t and k of ``∂h_t/∂h_k``."""
    left = unwrapped(left)
    if kind(left) != "Derivative":
        return None
    of, wrt = page.symbols.ref(unwrapped(left.of)), page.symbols.ref(unwrapped(left.wrt))
    if of is None or wrt is None or of.key != wrt.key or of.step is None or wrt.step is None or of.entries or wrt.entries:
        return None
    return of.step, wrt.step


def handed_back(page: Page, left: Any, right: Any) -> tuple[Any, Any] | None:
    """The steps T and 0 of ``∂L/∂c_0 = ∂L/∂c_T · ∏ f_t``."""
    left = unwrapped(left)
    below = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" else None
    for n in walk(right) if below is not None and loss_head(left.of) is not None else ():
        above = page.symbols.ref(unwrapped(n.wrt)) if kind(n) == "Derivative" and unwrapped(n.of) == unwrapped(left.of) else None
        if below is not None and above is not None and above.key == below.key and None not in (above.step, below.step) and not (above.entries or below.entries):
            return above.step, below.step
    return None


def counter(page: Page, product: Any, left: Any) -> Name | None:
    """What a product counts: its index, else the one letter for steps in it that the left side has not."""
    if product.index is not None:
        return product.index if kind(product.index) == "Name" else None
    refs = (page.symbols.ref(n) for n in walk(product.body))
    found = {w for ref in refs if ref is not None and ref.step is not None for w in letters(ref.step)}
    found -= {w for n in walk(left) if (ref := page.symbols.ref(n)) is not None and ref.step is not None for w in letters(ref.step)}
    return Name(found.pop()) if len(found) == 1 else None
