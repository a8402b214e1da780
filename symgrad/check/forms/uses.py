r"""Parts of a gradient behind a bar: ``(\frac{\partial L}{\partial W})^{(t)}``, ``…|_{\text{step } t}`` for ``…|_t``, what step t adds to it;
``\nabla_{h_t}^{\text{future}} L``, ``\nabla_{c_t}^{\text{from } m_t} L``, what comes through the next step, or through m_t.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import THROUGH, Statement, letter_of, loss_head, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Given
from symgrad.notation.table import SYMBOLS

WORDS = frozenset({"step", "time", "timestep", "time step", "time-step", "at", "at step", "at time", "at timestep", "at time step"})


def behind_bars(statements: list[Statement]) -> list[Statement]:
    """The statements with such parts by a bar and the step."""
    letter = letter_of(statements)
    return throughout(statements, lambda n: barred(n, letter))


def barred(node: Any, letter: str) -> Any:
    """A part of a gradient by a bar and the step, or the word for it; None for anything else."""
    if kind(node) == "Given" and len(node.conditions) == 1 and kind(unwrapped(node.conditions[0])) == "Product":
        *words, step = unwrapped(node.conditions[0]).args
        said = all(kind(w) == "Name" and w.base in WORDS for w in words)
        return replace(node, conditions=(step,)) if said and by_a_parameter(node.node, letter) else None
    if kind(node) == "Power" and kind(node.exponent) == "Paren" and by_a_parameter(node.base, letter) and counts(node.exponent, letter):
        return Given(unwrapped(node.base), (unwrapped(node.exponent),), span=node.span)
    if kind(node) == "Power" and of_a_loss(node.base) and worded(unwrapped(node.exponent)):
        return Given(unwrapped(node.base), (unwrapped(node.exponent),), span=node.span)
    if kind(node) == "Index" and node.kind == "_" and len(node.parts) == 1 and by_a_parameter(node.base, letter) and counts(node.parts[0], "t"):
        return Given(unwrapped(node.base), (unwrapped(node.parts[0]),), span=node.span)
    return None


def counts(step: Any, letter: str) -> bool:
    """Whether an index is a step."""
    return letter in letters(step) or "t" in letters(step)


def worded(mark: Any) -> bool:
    """Whether a superscript tells a part of a gradient, ``\\text{future}``, ``\\text{from } m_t``."""
    if kind(mark) == "Product":
        return spelled(mark.args[0]) in THROUGH
    return kind(mark) == "Name" and len(mark.base) > 1 and mark.base.isalpha() and mark.base not in SYMBOLS


def of_a_loss(node: Any) -> bool:
    """Whether this is the gradient of a loss."""
    node = unwrapped(node)
    return kind(node) == "Derivative" and loss_head(node.of) is not None


def by_a_parameter(node: Any, letter: str) -> bool:
    """Whether this is the gradient of a loss by what has no step."""
    node = unwrapped(node)
    split = head_and_parts(unwrapped(node.wrt)) if kind(node) == "Derivative" and loss_head(node.of) is not None else None
    return split is not None and step_part(split[1], letter) is None
