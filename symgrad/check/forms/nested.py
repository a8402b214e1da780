r"""Sums over several indices, ``\sum_{k,l} a_k b_l``, ``\sum_{i,j=1}^n``, as sums within sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, exchanged
from symgrad.check.reading.symbols import COUNTERS, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name


def one_within_another(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a sum for every index, and what stands there → what the document has."""
    original: dict[Any, Any] = {}
    out = []
    for s in statements:
        new: dict[int, Any] = {}
        for n in reversed(s.nodes) if any(several(n) for n in s.nodes) else ():  # what is inside first
            inner = rebuilt(n, new) if new else n
            if (indices := several(inner)) is not None:
                made = inner.body
                for index, lower in reversed(indices):
                    made = replace(inner, index=index, lower=lower, upper=inner.upper if lower is not None else None, body=made)
                new[id(n)] = made
                original.setdefault(made, n)
        out.append(exchanged(s, new))
    return out, original


def several(node: Any) -> list[tuple[Name, Any]] | None:
    """The indices of a sum over more than one, each with its first value; None for any other sum."""
    lower: Any = unwrapped(node.lower) if kind(node) == "Big" and node.kind == "sum" and node.index is None and node.lower is not None else None
    args: tuple[Any, ...] = lower.args if kind(lower) in ("Tuple", "Product") else ()
    last: Any = args[-1] if args else None
    first: Any = None
    if kind(last) == "Relation" and last.signs == ("=",) and len(last.sides) == 2:
        args, first = (*args[:-1], last.sides[0]), last.sides[1]
    if len(args) < 2 or (node.upper is None) != (first is None) or not all(kind(a) == "Name" and a == Name(a.base) for a in args):
        return None
    return [(a, first) for a in args] if {spelled(a) for a in args} <= COUNTERS and len(set(args)) == len(args) else None
