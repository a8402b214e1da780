r"""Identities between functions without an argument: ``\sigma' = \sigma (1 - \sigma)`` holds at every point."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.claims import Link
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Apply, Name, Product

POINT = "xi'"  # a name that no quantity has
ARGUMENT = Name("xi", primes=1)


def bare(node: Any) -> bool:
    """Whether a node is the name of a known function."""
    return kind(node) == "Name" and node.base in BUILTIN and not node.subs and not node.accents


def at_a_point(link: Link) -> Link | None:
    """The link with every function at one and the same point; None if it is no such identity."""
    names = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Name"]
    if not names or not all(bare(n) for n in names) or not any(n.primes for n in names):
        return None
    return replace(link, left=_applied(link.left), right=_applied(link.right))


def _applied(node: Any) -> Any:
    if bare(node):
        return Apply(node, (ARGUMENT,), span=node.span)
    if kind(node) == "Apply" and bare(node.function):
        if all(bare(n) or kind(n) == "Number" for n in map(unwrapped, node.args)) or any(kind(n) == "Name" for a in node.args for n in walk(a)):
            return Product((_applied(node.function), *map(_applied, node.args)), span=node.span)
        return node
    changed: dict[str, Any] = {}
    for f in fields(node):
        value = getattr(node, f.name)
        if isinstance(value, tuple):
            changed[f.name] = tuple(_applied(v) if hasattr(type(v), "__dataclass_fields__") else v for v in value)
        elif f.name != "span" and hasattr(type(value), "__dataclass_fields__"):
            changed[f.name] = _applied(value)
    return replace(node, **changed) if changed else node
