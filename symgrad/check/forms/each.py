r"""Equations that are said of each of several gates: ``\delta_{a_k} = \delta_k \odot k_t \odot (1 - k_t)`` for ``k \in \{i, f, o\}``.

The statement becomes one of every gate; what is said of it is the worst of what is said of these.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

from symgrad.check.forms.overset import renamed
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import Statement, bound_letters, letter_of, names_in, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Infix, Name

STAR = Name("star")  # of any gate
NEAR = 60  # characters before a set that may name what it is the set of


def one_by_one(statements: list[Statement]) -> list[Statement]:
    """The statements with one of each gate for those that are said of several."""
    letter, out = letter_of(statements), list[Statement]()
    known = {n.base for s in statements if members(s.node) is None for n in s.nodes if kind(n) == "Name"}
    gates = next((names for s in statements if (names := of_a_star(s))), None) or labelled(statements, letter)
    for k, s in enumerate(statements):
        starred = len(gates) > 1 and kind(s.node) == "Relation" and any(kind(n) == "Name" and n.base == STAR.base for n in s.nodes)
        told = said_of(s, statements[k - 1 : k] if k else [], statements[k + 1 : k + 2], letter) or ((STAR, gates) if starred else None)
        if told is None or not all(name.base in known - BUILTIN.keys() for name in told[1]):
            out.append(s)
            continue
        which, names = told
        left = tuple(c for c in s.conditions if members(c) is None)
        each = [s if which != STAR else throughout([s], partial(of_one_gate, name))[0] for name in names]
        made = [{"node": renamed(e.node, which, name), "whole": renamed(e.whole, which, name)} for e, name in zip(each, names, strict=True)]
        out += [replace(s, **nodes, conditions=left, instance=j) for j, nodes in enumerate(made)]
    return [replace(s, number=k) for k, s in enumerate(out)] if len(out) > len(statements) else statements


def of_a_star(s: Statement) -> tuple[Name, ...]:
    r"""The names that a star stands for, "where $\star$ can be any of $\{\bar z, \bar i\}$"."""
    near = s.fragment is not None and kind(s.node) == "Tuple" and re.search(r"\\star|[⋆*]", s.fragment.before[-NEAR:]) is not None
    return s.node.args if near and all(kind(n) == "Name" and not n.subs for n in s.node.args) else ()


def labelled(statements: list[Statement], letter: str) -> tuple[Name, ...]:
    r"""The quantities at step t that a function gives and whose letter stands below a weight, ``W_i`` beside ``i_t``; none where some have accents too."""
    names = [n for s in statements for n in s.nodes if kind(n) == "Name"]
    labels = {n.subs[0].base for n in names if n.base.isupper() and len(n.subs) == 1 and kind(n.subs[0]) == "Name"}
    sides = (s.node.sides for s in statements if kind(s.node) == "Relation" and not s.derives and kind(unwrapped(s.node.sides[1])) == "Apply")
    found = {split[0].base: None for left, *_ in sides if (split := head_and_parts(unwrapped(left))) is not None and step_part(split[1], letter) is not None}
    marked = any(isinstance(n, Name) and n.base in found and n.accents for s in statements if s.derives for n in s.nodes)
    return () if marked else tuple(Name(base) for base in found if base in labels)


def of_one_gate(name: Name, node: Any) -> Any:
    r"""``W_\star`` with the letter of a gate, and ``\langle \delta \star_t, x_t \rangle`` as the outer product that it is; None for anything else."""
    if kind(node) == "Name" and node.subs == (STAR,) and (node.base.isupper() or node.base in ("b", "p")):
        return replace(node, subs=(Name(name.base),))
    inner: Any = node.arg if kind(node) == "Paren" and node.kind == "<" else None
    return Infix("otimes", inner.args, span=node.span) if kind(inner) == "Tuple" and len(inner.args) == 2 else None


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
