r"""Adjoints with a bar: where a document says that ``\bar x`` denotes ``\partial L / \partial x``, every barred name is read as ``d x``."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, exchanged, loss_head, relation_of
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name, Product

NEAR = 40  # characters of "denotes the gradient" between the symbol and the derivative
MARK = Name("d")


def unbarred(statements: list[Statement]) -> list[Statement]:
    """The statements with a mark before the quantity instead of a bar over it."""
    if not any(map(introduces, statements)) and not any(denotes(a, b) for a, b in pairwise(statements)):
        return statements
    return [exchanged(s, {id(n): Product((MARK, bare(n)), span=getattr(n, "span", None)) for n in barred(s.node)}) for s in statements]


def introduces(s: Statement) -> bool:
    r"""``\bar h_t = \partial L / \partial h_t``."""
    rel = relation_of(s.node)
    return rel is not None and rel.signs[0] in (*DEFINING, "in") and of_the_same(rel.sides[0], rel.sides[1])


def denotes(first: Statement, second: Statement) -> bool:
    r"""``$\bar x$ denotes $\partial L / \partial x$``: two formulas with a few words between them."""
    if first.fragment is None or second.fragment is None or not of_the_same(first.node, second.node):
        return False
    return bool(0 <= second.fragment.extent()[0] - first.fragment.extent()[1] < NEAR)


def of_the_same(name: Any, derivative: Any) -> bool:
    derivative = unwrapped(derivative)
    if kind(derivative) != "Derivative" or loss_head(derivative.of) is None:
        return False
    over, below = head_and_parts(unwrapped(name)), head_and_parts(unwrapped(derivative.wrt))
    if over is None or below is None:
        return False
    return bool("bar" in over[0].accents and over[0].base == below[0].base and "bar" not in below[0].accents)


def barred(node: Any) -> list[Any]:
    """The names with a bar over them, each with all its indices."""
    split = head_and_parts(node)
    if split is not None and "bar" in split[0].accents:
        return [node]
    return [n for c in children(node) for n in barred(c)]


def bare(node: Any) -> Any:
    """The name without the bar."""
    if kind(node) == "Name":
        return replace(node, accents=tuple(a for a in node.accents if a != "bar"))
    inner = node.function if kind(node) == "Apply" else node.arg if kind(node) == "Paren" else node.base
    return rebuilt(node, {id(inner): bare(inner)})
