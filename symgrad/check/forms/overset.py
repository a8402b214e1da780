r"""Sums over a set of names: ``\sum_{k \in \{i, f, o\}} W_k^\top \delta k_t`` is ``W_i^\top \delta i_t + W_f^\top \delta f_t + W_o^\top \delta o_t``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, throughout
from symgrad.check.reading.trees import children, kind, unwrapped, with_children
from symgrad.notation.syntax import Name, Sum


def term_by_term(statements: list[Statement]) -> list[Statement]:
    """The statements with the terms of such sums."""
    return throughout(statements, spread)


def spread(node: Any) -> Any:
    """The terms of a sum over a set of names; None for anything else."""
    found = listed(node)
    return None if found is None else Sum(tuple(renamed(node.body, found[0], name) for name in found[1]), span=node.span)


def listed(node: Any) -> tuple[Name, tuple[Name, ...]] | None:
    r"""The letter that a sum runs over and the names that it takes, ``k \in \{i, f, o\}`` or ``k = i, f, o``; None for any other sum."""
    if kind(node) != "Big" or node.kind != "sum" or node.upper is not None or node.lower is None:
        return None
    lower: Any = unwrapped(node.lower)
    if kind(lower) == "Relation" and lower.signs == ("in",) and kind(unwrapped(lower.sides[1])) in ("Tuple", "Stack"):
        letter, names = lower.sides[0], unwrapped(lower.sides[1]).args
    elif kind(lower) == "Tuple" and kind(lower.args[0]) == "Relation" and lower.args[0].signs == ("=",):
        letter, names = lower.args[0].sides[0], (lower.args[0].sides[1], *lower.args[1:])
    else:
        return None
    plain = all(kind(n) == "Name" and n == replace(Name(n.base, n.accents), font=n.font) for n in (letter, *names))
    return (letter, names) if plain and len(names) > 1 and not letter.accents else None


def renamed(node: Any, letter: Name, name: Name) -> Any:
    """A formula with a name in the place of a letter, ``W_k`` and ``k_t`` alike."""
    made = {id(c): new for c in children(node) if (new := renamed(c, letter, name)) is not c}
    node = with_children(node, made) if made else node
    if kind(node) != "Name" or node.base != letter.base:
        return node
    return replace(node, base=name.base, accents=(*name.accents, *node.accents))
