r"""Norms of products: ``\|A\| = \|B\|`` holds where A = B, ``\|A B\| \le \|A\| \|B\|`` for every matrix norm that people mean.

``\|\partial h_j/\partial h_{j-1}\| \le \|\operatorname{diag}(f'(a_j))\| \|W\| \le \gamma \lambda`` is read link by link.  A last bound by letters that
nothing defines introduces them.  Nothing is refuted here: a bound that does not follow so may hold; `majorants` goes further.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.inequalities.factors import NORMS
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import FACTORS, kind, unwrapped, walk
from symgrad.notation.syntax import Big, Product

MOST = 3  # factors whose orders are all tried
AT_MOST = frozenset({"<=", "leq", "≤", "leqslant"})
SUBMULTIPLICATIVE = "the norm of a product is at most the product of the norms"


def normed(court: Court, link: Link) -> Judgement | None:
    """The judgement of a relation between norms; None where it is another relation, or where it introduces bounds."""
    sides = (link.left, link.right)
    if not any(kind(n) == "Norm" for side in sides for n in walk(side)):
        return None
    left, right = (unwrapped(side) for side in sides)
    if kind(left) == "Norm":
        if link.sign in EQUAL and kind(right) == "Norm":
            return held(court, link, left.arg, [right.arg], "")
        found = factors(right)
        if link.sign in AT_MOST and None not in found:
            orders = itertools.permutations(found) if len(found) <= MOST else iter((tuple(found),))
            return held(court, link, left.arg, [o[0] if len(o) == 1 else Product(o) for o in orders], SUBMULTIPLICATIVE)
    return None


def unlike(link: Link) -> bool:
    r"""Whether norms of two kinds are said to be equal, ``\|A\|_F = \|A\|_2``."""
    left, right = (
        {spelled(n.parts[0]) for n in walk(side) if kind(n) == "Index" and n.kind == "_" and kind(unwrapped(n.base)) == "Norm"}
        for side in (link.left, link.right)
    )
    return link.sign in EQUAL and bool(left and right) and not left & right


def inside(link: Link) -> Link | None:
    r"""``A = B`` for ``\|A\| = \|B\|`` and ``|a| = |b|``; None for any other relation."""
    left, right = (unwrapped(n.base) if kind(n) == "Index" else n for n in map(unwrapped, (link.left, link.right)))
    if link.sign not in EQUAL or kind(left) not in NORMS or kind(right) != kind(left) or unlike(link):
        return None
    return replace(link, left=left.arg, right=right.arg, earlier=())


def introduces_bounds(court: Court, link: Link) -> bool:
    r"""``\dots \le \|W\| \|D\| \le \gamma \lambda``: letters for the bounds of norms, which nothing else defines."""
    if link.sign not in AT_MOST or None in factors(link.left):
        return False
    return unknown_letters(court.page(court.order(link.statement)[0]), link.right)


def unknown_letters(page: Page, node: Any) -> bool:
    """Whether a bound is a product of letters that nothing defines: what they are is the document's to say."""
    node = unwrapped(node)
    names = node.args if kind(node) in ("Product", "Infix") else (node,)
    return all(kind(n) == "Name" and page.symbols.ref(n) is None and n.base != page.symbols.letter for n in names)


def factors(side: Any) -> list[Any]:
    """What the norms of a product are of; None for a factor that is none."""
    side = unwrapped(side)
    if kind(side) in FACTORS:
        return [f for a in side.args for f in factors(a)]
    if kind(side) == "Norm":
        return [side.arg]
    if kind(side) == "Big" and side.kind == "prod" and len(inner := factors(side.body)) >= 1 and None not in inner:
        return [Big("prod", side.index, side.lower, side.upper, inner[0] if len(inner) == 1 else Product(tuple(inner)))]
    return [None]


def held(court: Court, link: Link, left: Any, choices: list[Any], why: str) -> Judgement | None:
    """Proved where what stands in the norms is the same, in one of the orders."""
    for k in court.order(link.statement):
        page = court.page(k)
        for right in choices:
            found = same(page, left, right)
            if found is not None:
                return Judgement("proved", reading="matrix", assumptions=tuple(dict.fromkeys((*found, *([why] if why else ())))))
    return None


def same(page: Page, left: Any, right: Any) -> tuple[str, ...] | None:
    """What must be assumed for two matrices to be equal; None if they are not."""
    if unwrapped(left) == unwrapped(right):
        return ()
    outcome = Decider(page).decide(left, right, modes=((False, False), (False, True)))
    return None if not outcome.equal or outcome.chooser is None else outcome.chooser.notes
