r"""Diagonal matrices that are given by their entries: ``H_{ii} = 1 - h_i^2`` is ``H = \operatorname{diag}(1 - h^2)``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, relation_of, without_index
from symgrad.check.reading.symbols import letters, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Diagonal, Relation


def by_diagonal_entries(statements: list[Statement]) -> list[Statement]:
    """The statements with an equation for the matrix in the place of one for its entries, where others name the matrix."""
    return [defined(s, statements) or s for s in statements]


def defined(s: Statement, statements: list[Statement]) -> Statement | None:
    """The equation of a matrix of which this gives the entries on the diagonal."""
    rel = relation_of(s.node)
    if rel is None or s.derives or len(rel.sides) != 2 or rel.signs[0] not in DEFINING:
        return None
    left, right = map(unwrapped, rel.sides)
    found = [(n, sub) for n in walk(left) if kind(n) == "Name" for sub in n.subs if doubled(sub)]
    if len(found) != 1:
        return None
    name, sub = found[0]
    bare, letter = replace(name, subs=tuple(other for other in name.subs if other is not sub)), spelled(sub.args[0])
    entries = without_index(right, letter)
    others = (n for other in statements if other is not s for n in other.nodes if kind(n) == "Name" and n.base == name.base and n.font == name.font)
    if letter in {w for n in walk(entries) for w in letters(n)} or entries == right or not any(len(n.subs) <= len(bare.subs) for n in others):
        return None
    whole: Any = Relation((rebuilt(left, {id(name): bare}), Diagonal(entries, span=right.span)), rel.signs, span=rel.span)
    return replace(s, node=whole, whole=whole)


def doubled(sub: Any) -> bool:
    """``ii``: one letter, twice."""
    return kind(sub) in ("Product", "Tuple") and len(sub.args) == 2 and sub.args[0] == sub.args[1] and kind(sub.args[0]) == "Name"
