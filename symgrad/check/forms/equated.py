r"""Steps told by an equation, ``h_{t=3}``, ``W^{(t=1)}``: the index is what stands behind its sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, letter_of, throughout
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Name


def steps_alone(statements: list[Statement]) -> list[Statement]:
    """The statements with the step alone in each such index."""
    letter = Name(letter_of(statements))
    return throughout(statements, lambda n: alone(n, letter))


def alone(node: Any, letter: Name) -> Any:
    """A name with its step for the equation that tells it; None of anything else."""
    if kind(node) == "Name" and any(equated(sub, letter) for sub in node.subs):
        return replace(node, subs=tuple(sub.sides[1] if equated(sub, letter) else sub for sub in node.subs))
    if kind(node) == "Power" and kind(node.exponent) == "Paren" and kind(node.base) == "Name" and equated(node.exponent, letter):
        return replace(node, exponent=replace(node.exponent, arg=unwrapped(node.exponent).sides[1]))
    return None


def equated(index: Any, letter: Name) -> bool:
    """Whether an index is an equation for the letter that counts the steps."""
    inner: Any = unwrapped(index)
    return kind(inner) == "Relation" and inner.signs == ("=",) and inner.sides[0] == letter
