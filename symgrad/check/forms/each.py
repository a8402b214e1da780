r"""Equations that are said of each of several gates: ``\delta_{a_k} = \delta_k \odot k_t \odot (1 - k_t)`` for ``k \in \{i, f, o\}``.

The statement becomes one of every gate; what is said of it is the worst of what is said of these.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.forms.overset import renamed
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import Statement, bound_letters, letter_of, names_in, step_part
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name


def one_by_one(statements: list[Statement]) -> list[Statement]:
    """The statements with one of each gate for those that are said of several."""
    letter, out = letter_of(statements), list[Statement]()
    known = {n.base for s in statements if members(s.node) is None for n in s.nodes if kind(n) == "Name"}
    for k, s in enumerate(statements):
        told = said_of(s, statements[k - 1 : k] if k else [], statements[k + 1 : k + 2], letter)
        if told is None or not all(name.base in known - BUILTIN.keys() for name in told[1]):
            out.append(s)
            continue
        which, names = told
        left = tuple(c for c in s.conditions if members(c) is None)
        made = ({"node": renamed(s.node, which, name), "whole": renamed(s.whole, which, name)} for name in names)
        out += [replace(s, **nodes, conditions=left, instance=j) for j, nodes in enumerate(made)]
    return [replace(s, number=k) for k, s in enumerate(out)] if len(out) > len(statements) else statements


def said_of(s: Statement, before: list[Statement], behind: list[Statement], letter: str) -> tuple[Name, tuple[Name, ...]] | None:
    r"""The letter for a gate in an equation and the gates that it stands for, as its condition says, or a formula just before or behind it."""
    if kind(s.node) != "Relation" or s.instance or members(s.node) is not None:
        return None
    behind = [other for other in behind if other.fragment is None or not re.match(r"[\s$`)]*[:：]", other.fragment.after)]  # that is of what comes next
    for node in (*s.conditions, *(other.node for other in (*before, *behind))):
        found = members(node)
        if found is None or found[0].base == letter or found[0].base in bound_letters(s.node) | counted(s):
            continue
        if any(kind(n) == "Name" and n.base == found[0].base for n in s.nodes):
            return found
    return None


def members(node: Any) -> tuple[Name, tuple[Name, ...]] | None:
    r"""``k \in \{i, f, o\}``: the letter and the names; None for any other formula."""
    if kind(node) != "Relation" or node.signs != ("in",) or kind(unwrapped(node.sides[1])) not in ("Tuple", "Stack"):
        return None
    letter, names = unwrapped(node.sides[0]), unwrapped(node.sides[1]).args
    plain = all(kind(n) == "Name" and not n.subs and not n.primes for n in (letter, *names))
    return (letter, names) if plain and len(names) > 1 and not letter.accents else None


def counted(s: Statement) -> set[str]:
    """The letters that count steps in an equation: what is at ``k - 1`` is at the step before, and k is no gate."""
    steps = (p.node for _, _, parts in names_in(s.node) for p in parts if kind(unwrapped(p.node)) == "Sum" and step_part((p,), None) is not None)
    return {n.base for step in steps for n in walk(step) if kind(n) == "Name"}
