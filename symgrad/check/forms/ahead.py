r"""Preactivations with the number of the step before, ``h_{t+1} = \tanh(a_t)``: they are of the step at which the activation stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import ADJOINT_HEADS, DEFINING, MARKS, Statement, letter_of, relation_of, throughout
from symgrad.check.reading.symbols import letters, number_at
from symgrad.check.reading.trees import kind, shifted, unwrapped, walk
from symgrad.notation.syntax import Name


def at_their_step(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such preactivations at the next step, and what stands there → what the document has."""
    letter = letter_of(statements)
    given: dict[tuple[Name, int], Any] = {}
    for s in statements:
        rel = relation_of(s.node)
        left = unwrapped(rel.sides[0]) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
        if left is not None and (at := step(left, letter)) is not None:
            given[bare(left), at] = unwrapped(rel.sides[1])
    calls = [unwrapped(right.args[0]) for (_, at), right in given.items() if at == 1 and kind(right) == "Apply" and len(right.args) == 1]
    early = {name for (name, at), right in given.items() if at == 0 and (name, 1) not in given and any(is_it(name, right, call, letter) for call in calls)}
    early -= {bare(n) for (_, at), right in given.items() if at == 0 for n in walk(right) if step(n, letter) is not None}  # a part of this step too
    original: dict[Any, Any] = {}

    def moved(n: Any) -> Any:
        name = n.base if kind(n) == "Power" and n.exponent in early else n
        if kind(name) != "Name":
            return None
        own = len(name.subs) == 1 and (bare(name) in early or any(name.base == f"d{x.base}" for x in early))
        marked = name.base in ADJOINT_HEADS | MARKS and (name is not n or any(sub in early for sub in name.subs))  # ``\delta^a_t``
        steps = [sub for sub in name.subs if letter in letters(sub) or kind(sub) == "Number"]
        if not (own or marked) or len(steps) != 1:
            return None
        later = replace(name, subs=tuple(shifted(sub, 1) if sub is steps[0] else sub for sub in name.subs))
        later = later if name is n else replace(n, base=later)
        original[later] = n
        return later

    return (throughout(statements, moved), original) if early else (statements, {})


def step(node: Any, letter: str) -> int | None:
    """By how many steps from t a name with nothing but its step is."""
    alone = kind(node) == "Name" and len(node.subs) == 1 and letter in letters(node.subs[0])
    at = number_at(node.subs[0], {letter: 0}) if alone else None
    return None if at is None else int(at)


def bare(name: Any) -> Any:
    return replace(name, subs=(), span=None)


def is_it(name: Name, right: Any, call: Any, letter: str) -> bool:
    """Whether an activation is applied to a quantity of this step, by its name or by its formula."""
    return call == right if kind(call) != "Name" else step(call, letter) == 0 and bare(call) == name
