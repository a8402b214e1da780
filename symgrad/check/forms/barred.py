r"""Adjoints with a bar, or with a bare ∂: where a document says that ``\bar x`` (``\partial x``) denotes ``\partial L / \partial x``, it is read as ``d x``.

So too ``\hat d x``, where words say that the mark is for preactivations, as ``d \hat x``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.naming import called_a_gradient
from symgrad.check.reading.statements import DEFINING, MARKS, Statement, exchanged, loss_head, relation_of
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name, Product

BEFORE = re.compile(
    r"pre-?\s?activation|(?:before|prior\s+to)\s+the\s+(?:activation|non-?linearity)|Voraktivierung|préactivation|preactivaci[oó]n|preattivazion|激活前|活性化前",
    re.IGNORECASE,
)
NEAR = 40  # characters of "denotes the gradient" between the symbol and the derivative
MARK = Name("d")
BARS = frozenset({"bar", "overline"})


def unbarred(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a mark before the quantity instead of a bar over it, or of a ∂ without its partner; and how it was written."""
    said = {sign for s in statements for sign in introduces(s)} | {sign for a, b in pairwise(statements) for sign in denotes(a, b)} | in_words(statements)
    original: dict[Any, Any] = {}
    found = []
    taken = {n.base for s in statements for n in s.nodes if kind(n) == "Name"} if said else set()
    mark = next((Name(base) for base in (MARK.base, "delta", "Delta") if base not in taken), MARK)
    for s in statements if said else ():
        new = {id(n): (n, Product((mark, quantity), span=getattr(n, "span", None))) for n, quantity in marked(s.node, said)}
        original |= {product: n for n, product in new.values()}
        found.append(exchanged(s, {at: product for at, (_, product) in new.items()}))
    return found or statements, original


def of_preactivations(statements: list[Statement]) -> list[Statement]:
    r"""The statements with ``d \hat x`` for the ``\hat d x`` of a document that writes ``\hat d`` for "with respect to the preactivation"."""
    named = [s for s in statements if kind(s.node) == "Name" and s.node.base in MARKS and s.node.accents and s.fragment is not None]
    marks = {s.node for s in named if s.fragment is not None and BEFORE.search(s.fragment.after[: 2 * NEAR])}
    new = [dict(hatted(s, marks)) for s in statements] if marks else []
    letters = {(n.base, n.accents) for s in statements for n in s.nodes if kind(n) == "Name"}
    if any((n.base, n.accents) in letters for found in new for n in found.values() if n != MARK):
        return statements  # a quantity of its own has that sign
    return [exchanged(s, found) for s, found in zip(statements, new, strict=True)] if marks else statements


def hatted(s: Statement, marks: set[Name]) -> Iterator[tuple[int, Name]]:
    """The marks and the letters behind them, with what stands for each."""
    for a, b in (pair for n in s.nodes if kind(n) == "Product" for pair in pairwise(n.args)):
        inner = b
        while kind(inner) in ("Power", "Index", "Transpose"):
            inner = inner.arg if kind(inner) == "Transpose" else inner.base
        if a in marks and kind(inner) == "Name":
            yield id(a), replace(MARK, span=a.span)
            yield id(inner), replace(inner, accents=(*inner.accents, *a.accents))


def introduces(s: Statement) -> Iterator[str]:
    r"""``\bar h_t = \partial L / \partial h_t``."""
    rel = relation_of(s.node)
    if rel is not None and rel.signs[0] in (*DEFINING, "in"):
        yield from of_the_same(rel.sides[0], rel.sides[1])


def denotes(first: Statement, second: Statement) -> Iterator[str]:
    r"""``$\bar x$ denotes $\partial L / \partial x$``: two formulas with a few words between them."""
    if first.fragment is not None and second.fragment is not None and 0 <= second.fragment.extent()[0] - first.fragment.extent()[1] < NEAR:
        yield from of_the_same(first.node, second.node)


def in_words(statements: list[Statement]) -> set[str]:
    r"""The bar, where words call what has it a gradient, "let $\bar h_t$ and $\bar z_t$ be the adjoints", on nothing but quantities of the document."""
    names = [n for s in statements for n in s.nodes if kind(n) == "Name"]
    alone = {n.base for n in names if BARS & set(n.accents)} - {n.base for n in names if not BARS & set(n.accents)}
    named = (s for s in statements if s.fragment is not None and kind(s.node) in ("Name", "Power", "Index") and signed(s.node) is not None)
    return {"bar"} if not alone and any(called_a_gradient(s.fragment) for s in named) else set()


def of_the_same(name: Any, derivative: Any) -> Iterator[str]:
    """The sign of the name, where it stands for the gradient by what it is put on."""
    name, derivative = unwrapped(name), unwrapped(derivative)
    below = head_and_parts(unwrapped(derivative.wrt)) if kind(derivative) == "Derivative" and loss_head(derivative.of) is not None else None
    found = signed(name)
    over = head_and_parts(found[1]) if found is not None else None
    if found is not None and over is not None and below is not None and over[0].base == below[0].base and not BARS & set(below[0].accents):
        yield found[0]


def signed(node: Any) -> tuple[str, Any] | None:
    """The sign of an adjoint, ``bar`` or ``partial``, and the quantity: ``\\bar h_t``, ``\\partial h_t``."""
    if kind(node) == "Differential" and node.sign == "partial":
        return "partial", unwrapped(node.arg)
    split = head_and_parts(node)
    return ("bar", bare(node)) if split is not None and BARS & set(split[0].accents) else None


def marked(node: Any, signs: set[str]) -> Iterator[tuple[Any, Any]]:
    """The adjoints with one of these signs, and their quantities with all their indices."""
    found = signed(node)
    if found is not None and found[0] in signs:
        yield node, found[1]
    else:
        for c in children(node):
            yield from marked(c, signs)


def bare(node: Any) -> Any:
    """The name without the bar."""
    if kind(node) == "Name":
        return replace(node, accents=tuple(a for a in node.accents if a not in BARS))
    inner = node.function if kind(node) == "Apply" else node.arg if kind(node) == "Paren" else node.base
    return rebuilt(node, {id(inner): bare(inner)})
