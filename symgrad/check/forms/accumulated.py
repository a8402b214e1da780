r"""What is added to a gradient, written as an assignment: ``\delta W = \delta W + a`` is ``\delta W \mathrel{+}= a``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, derived, exchanged, letter_of, loss_head
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name, Sum


def added_to(statements: list[Statement]) -> list[Statement]:
    """The statements with the sign of an addition where a gradient stands on both sides."""
    letter = letter_of(statements)
    return [exchanged(s, {id(s.node): new}) if (new := addition(s.node, letter)) is not None else s for s in statements]


def addition(node: Any, letter: str) -> Any:
    """A relation with what it adds alone on the right; None for any other, and for what is at a step, which is summed once."""
    if kind(node) != "Relation" or node.signs not in (("=",), (":=",)):
        return None
    left, right = map(unwrapped, node.sides)
    if kind(right) != "Sum" or not derived(left) or any(n == Name(letter) for n in walk(left)):
        return None
    if kind(left) == "Derivative" and loss_head(left.of) is None:
        return None  # ``\partial c_j / \partial c_{j-1}``, once the total one, once the direct one
    rest = tuple(a for a in right.args if unwrapped(a) != left)
    if len(rest) != len(right.args) - 1:
        return None
    return replace(node, sides=(node.sides[0], rest[0] if len(rest) == 1 else Sum(rest, span=right.span)), signs=("+=",))
