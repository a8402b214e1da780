r"""Adjoints with a bar, or with a bare ∂: where a document says that ``\bar x`` (``\partial x``) denotes ``\partial L / \partial x``, it is read as ``d x``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, exchanged, loss_head, relation_of
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name, Product

NEAR = 40  # characters of "denotes the gradient" between the symbol and the derivative
MARK = Name("d")
BARS = frozenset({"bar", "overline"})


def unbarred(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a mark before the quantity instead of a bar over it, or of a ∂ without its partner; and how it was written."""
    said = {sign for s in statements for sign in introduces(s)} | {sign for a, b in pairwise(statements) for sign in denotes(a, b)}
    original: dict[Any, Any] = {}
    found = []
    for s in statements if said else ():
        new = {id(n): (n, Product((MARK, quantity), span=getattr(n, "span", None))) for n, quantity in marked(s.node, said)}
        original |= {product: n for n, product in new.values()}
        found.append(exchanged(s, {at: product for at, (_, product) in new.items()}))
    return found or statements, original


def introduces(s: Statement) -> Iterator[str]:
    r"""``\bar h_t = \partial L / \partial h_t``."""
    rel = relation_of(s.node)
    if rel is not None and rel.signs[0] in (*DEFINING, "in"):
        yield from of_the_same(rel.sides[0], rel.sides[1])


def denotes(first: Statement, second: Statement) -> Iterator[str]:
    r"""``$\bar x$ denotes $\partial L / \partial x$``: two formulas with a few words between them."""
    if first.fragment is not None and second.fragment is not None and 0 <= second.fragment.extent()[0] - first.fragment.extent()[1] < NEAR:
        yield from of_the_same(first.node, second.node)


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
