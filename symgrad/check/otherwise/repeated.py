r"""Indices that stand twice in a product and are summed over, without a Σ: ``\delta_{ik} h_j + W_{kl} \frac{\partial h_l}{\partial W_{ij}}``.

Only where a document says so, or writes no sum over components at all and several such products; elsewhere a Σ may have been forgotten.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.claims import Link, links
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import bound_letters, names_in, step_part
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import children, kind, with_children
from symgrad.check.ruling.proof import proved
from symgrad.notation.syntax import Big, Name, Paren

COMPONENTS = frozenset("abijklmnpqrs")
CONVENTION = re.compile(r"einstein|summation convention|(?:repeated|double) ind(?:ex|ices)|summed[ -]over|sum(?:med)? over (?:the )?repeated", re.IGNORECASE)
MOST = 64  # terms that a claim is multiplied out into
FEW = 2  # claims with such products that a document without any Σ over components must have


def summed(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, or open, where it holds once the indices that stand twice in a product are summed over."""
    for page in court.pages_of(link.statement, under):
        found = with_sums(page, link)
        if found is None:
            continue
        outcome = Decider(page).decide(found.left, found.right)
        if not outcome.equal and not outcome.complete:
            return ambiguous("indices that stand twice in a product may be summed over, and not all readings of that could be tried")
        if not outcome.equal:
            continue
        if not convention(court, page):
            return ambiguous("this holds if the indices that stand twice in a product are summed over")
        return proved(court, page, outcome, found).assuming("indices that stand twice in a product are summed over")
    return None


def convention(court: Court, page: Page) -> bool:
    """Whether a document leaves the signs of sums out."""
    if any(s.fragment is not None and CONVENTION.search(s.fragment.before) for s in court.statements):
        return True
    nodes = (n for s in court.statements for n in s.nodes)
    if any(kind(n) == "Big" and n.kind == "sum" and n.index is not None and n.index.base in COMPONENTS - {page.symbols.letter} for n in nodes):
        return False
    claims = (link for s in court.statements if kind(s.node) == "Relation" and s.derives for link in links(s))
    return sum(with_sums(page, link) is not None for link in claims) >= FEW


def with_sums(page: Page, link: Link) -> Link | None:
    """The link with a Σ over every index that stands twice in each term that has it; None if there is no such index."""
    counts = [*monomials(page, link.left), *monomials(page, link.right)]
    free = {w for count in counts for w, n in count.items() if n != 2}
    twice = sorted({w for count in counts for w in count} - free)
    if not twice or len(counts) > MOST:
        return None
    left, right = link.left, link.right
    for w in twice:
        left, right = over(page, left, w), over(page, right, w)
    return replace(link, left=left, right=right)


def monomials(page: Page, node: Any) -> list[Counter[str]]:
    """How often each index of components stands in each term of a formula, its products of sums multiplied out."""
    if kind(node) == "Sum":
        return [count for a in node.args for count in monomials(page, a)]
    if kind(node) in ("Negative", "Paren"):
        return monomials(page, node.arg)
    if kind(node) == "Product":
        found = [Counter[str]()]
        for a in node.args:
            found = [x + y for x in found for y in monomials(page, a)][: MOST + 1]
        return found
    return [indices(page, node)]


def over(page: Page, node: Any, w: str) -> Any:
    """The formula with a Σ over an index around every product that has it, as far inside as it can stand."""
    holding = [c for c in children(node) if any(count[w] for count in monomials(page, c))]
    if kind(node) in ("Sum", "Negative", "Paren", "Big") or (kind(node) == "Product" and len(holding) == 1 and kind(holding[0]) in ("Paren", "Sum")):
        return with_children(node, {id(c): over(page, c, w) for c in holding}) if holding else node
    return Paren(Big("sum", Name(w), None, None, node, span=node.span), "(", span=node.span) if indices(page, node)[w] else node


def indices(page: Page, node: Any) -> Counter[str]:
    """How often each index of components stands in a formula."""
    out: Counter[str] = Counter()
    bound = bound_letters(node) | {page.symbols.letter}
    for _, _, parts in names_in(node):
        at = step_part(parts, page.symbols.letter)
        out.update(w for p in parts if p is not at for w in letters(p.node) if w in COMPONENTS - bound)
    return out
