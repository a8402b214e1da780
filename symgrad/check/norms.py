r"""Norms of products: ``\|A\| = \|B\|`` holds where A = B, ``\|A B\| \le \|A\| \|B\|`` for every matrix norm that people mean.

``\|\partial h_j/\partial h_{j-1}\| \le \|\operatorname{diag}(f'(a_j))\| \|W\| \le \gamma \lambda`` is read link by link.  A last bound by letters that
nothing defines introduces them; its power bounds a product of as many factors.  Nothing is refuted here: a bound that does not follow so may hold.
"""

from __future__ import annotations

import itertools
from typing import Any

from symgrad.check.claims import EQUAL, Link
from symgrad.check.court import Court
from symgrad.check.decide import Decider
from symgrad.check.judgement import Judgement
from symgrad.check.page import Page
from symgrad.check.statements import Statement
from symgrad.check.symbols import kind, number_at, unwrapped, walk
from symgrad.notation.syntax import Big, Product

MOST = 3  # factors whose orders are all tried
AT_MOST = frozenset({"<=", "leq", "≤", "leqslant"})
SUBMULTIPLICATIVE = "the norm of a product is at most the product of the norms"
STEPS = ((5, 2), (4, 3), (7, 1))  # t and k at which a power is held against the number of its factors


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
    return powers(court, link) if link.sign in AT_MOST else None


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
    if kind(side) in ("Product", "Infix", "Hadamard"):
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


def powers(court: Court, link: Link) -> Judgement | None:
    r"""``\|\partial h_t/\partial h_k\| \le (\gamma \lambda)^{t-k}`` where the document has ``\|\partial h_j/\partial h_{j-1}\| \le \gamma \lambda``."""
    side = unwrapped(link.right)
    inside = factors(link.left)
    if kind(side) != "Power" or len(inside) != 1 or kind(unwrapped(inside[0])) not in ("Derivative", "Big"):
        return None
    whole = unwrapped(inside[0])
    one = next((d for s in court.statements if (d := bounded_by(s, side.base)) is not None), None)
    if one is None:
        return None
    for k in court.order(link.statement):
        page = court.page(k)
        steps, single = between(page, whole), between(page, one)
        if not unknown_letters(page, side.base):
            continue  # a number, or a norm, may be a wrong bound
        if steps is None or single is None or any(n != 1 for _, n in single) or state(page, whole) != state(page, one):
            continue
        if all(number_at(side.exponent, {**at}) == n for at, n in steps):
            return Judgement("proved", reading="matrix", assumptions=(f"each factor is bounded as the document says; {SUBMULTIPLICATIVE}",))
    return None


def state(page: Page, whole: Any) -> str | None:
    """The state that a derivative, or a product of derivatives, is of."""
    ref = page.symbols.ref(unwrapped(unwrapped(whole.body if kind(whole) == "Big" else whole).of))
    return None if ref is None else ref.key


def bounded_by(s: Statement, bound: Any) -> Any:
    """The derivative over one step whose norm a statement bounds so."""
    sides: tuple[Any, ...] = getattr(s.node, "sides", ())
    if len(sides) < 2 or s.node.signs[-1] not in AT_MOST or not set(s.node.signs) <= AT_MOST | EQUAL or unwrapped(sides[-1]) != unwrapped(bound):
        return None
    first = unwrapped(sides[0])
    return unwrapped(first.arg) if kind(first) == "Norm" and kind(unwrapped(first.arg)) == "Derivative" else None


def between(page: Page, whole: Any) -> list[tuple[dict[str, int], int]] | None:
    """How many steps a derivative spans, or how many factors a product of derivatives over one step has."""
    letter = page.symbols.letter
    if kind(whole) == "Derivative":
        of, wrt = page.symbols.ref(unwrapped(whole.of)), page.symbols.ref(unwrapped(whole.wrt))
        if of is None or wrt is None or of.key != wrt.key or of.step is None or wrt.step is None:
            return None
        ends = [(of.step, wrt.step, 0)]
    else:
        body = between(page, unwrapped(whole.body)) if whole.kind == "prod" else None
        if body is None or any(n != 1 for _, n in body):
            return None
        ends = [(whole.upper, whole.lower, 1)]
    out = []
    for t, k in STEPS:
        at = {"T": t, letter: t, "t": t, "k": k, "j": k, "i": k, "s": k}
        if kind(whole) == "Big" and whole.index is not None:
            at[whole.index.base] = k
        values = [(number_at(a, at), number_at(b, at), more) for a, b, more in ends]
        if any(a is None or b is None for a, b, _ in values):
            return None
        out += [(at, int(a) - int(b) + more) for a, b, more in values if a is not None and b is not None]
    return out


