r"""Symbols for gradients put on top of each other, ``\delta z_t = [\delta\bar f_t; \delta\bar i_t; \delta\bar o_t]``, where z is no quantity of the cell.

A mark before what nothing defines says the gradient by nothing; as one symbol, ``\delta_{z,t}``, it is introduced by the line.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import MARKS, Statement, throughout
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name

LISTS = frozenset({"Stack", "Tuple"})


def bundled(statements: list[Statement]) -> list[Statement]:
    """The statements with one name for each such symbol."""
    lines = [s.node for s in statements if kind(s.node) == "Relation"]
    listed = {base_of(node.sides[0]) for node in lines if any(kind(unwrapped(side)) in LISTS for side in node.sides[1:])}
    given = {base_of(node.sides[0]) for node in lines} - listed
    named = {(mark.base, base_of(inner)) for node in lines if of_gradients(node.sides[1]) and (pair := marked(node.sides[0])) for mark, inner in [pair]}
    named = {(mark, base) for mark, base in named if base is not None and base not in given}
    return throughout(statements, lambda n: as_one(n, named)) if named else statements


def marked(node: Any) -> tuple[Any, Any] | None:
    r"""The mark and the name in ``\delta z_t``."""
    node = unwrapped(node)
    pair = node.args if kind(node) == "Product" and len(node.args) == 2 else ()
    return (pair[0], pair[1]) if pair and of_pair(*pair) else None


def of_pair(mark: Any, inner: Any) -> bool:
    """Whether a letter before a name makes a symbol for a gradient."""
    return kind(mark) == "Name" and mark == Name(mark.base) and mark.base in MARKS and head_and_parts(unwrapped(inner)) is not None


def of_gradients(node: Any) -> bool:
    """Whether a side is a list of symbols for gradients."""
    node = unwrapped(node)
    return kind(node) in LISTS and len(node.args) > 1 and all(marked(a) is not None for a in node.args)


def base_of(node: Any) -> str | None:
    """A name without its indices."""
    split = head_and_parts(unwrapped(node))
    return spelled(split[0]) if split is not None else None


def as_one(node: Any, named: set[tuple[str, Any]]) -> Any:
    """A product with the symbols in it as one name each; None where there are none."""
    if kind(node) != "Product":
        return None
    pairs = [k for k, (a, b) in enumerate(pairwise(node.args)) if of_pair(a, b) and (a.base, base_of(b)) in named]
    if not pairs:
        return None
    args = [one(node.args[k], node.args[k + 1]) if k in pairs else a for k, a in enumerate(node.args) if k - 1 not in pairs]
    return args[0] if len(args) == 1 else type(node)(tuple(args), span=node.span)


def one(mark: Any, inner: Any) -> Any:
    r"""``\delta_{z,t}`` for ``\delta z_t``."""
    inner = unwrapped(inner)
    head = next(n for n in walk(inner) if kind(n) == "Name")
    whole = replace(mark.span, end=inner.span.end) if mark.span is not None and inner.span is not None else None
    found = rebuilt(inner, {id(head): Name(mark.base, (), (Name(head.base, head.accents), *head.subs), span=whole)})
    return replace(found, span=whole)
