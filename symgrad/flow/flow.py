r"""``symgrad flow CELL``: J_t = ∂h_t/∂h_{t-1} at every step of a sequence, their products, saturated gates, and the step that loses most.

.. math:: P_t = J_t J_{t-1} \cdots J_1 = ∂h_t/∂h_0, \qquad \text{lost at } t:\ ‖P_{t-1}‖ / ‖P_t‖
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symgrad.bounds.ranges import NAMES
from symgrad.face.along import along
from symgrad.face.cell import Cell
from symgrad.face.jacobian import Jacobian, jacobian
from symgrad.language.tensor import Factor, Tensor, Term, tensor
from symgrad.notation.derivation import left_side
from symgrad.notation.latex import latex
from symgrad.notation.text import text
from symgrad.notation.write import Writer

SATURATED = 0.01  # a gate within this of 0 or 1, a tanh within it of ±1
LEAST = 1e-300


@dataclass(frozen=True)
class Step:
    """One step: the singular values of J_t and of P_t, largest first; ‖·‖₂ of each term of J_t; shares of saturated entries, (low, high)."""

    t: int
    singular: tuple[float, ...]
    product: tuple[float, ...]
    terms: Mapping[str, float]
    saturated: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Flow:
    """A sequence: its steps, the one at which ‖P_t‖ shrinks most, and what the terms of J have there and usually."""

    cell: str
    states: tuple[str, ...]
    steps: tuple[Step, ...]
    labels: Mapping[str, str]  # terms and gates as LaTeX

    @property
    def norms(self) -> list[float]:
        """‖P_0‖ = 1, ‖P_1‖, …"""
        return [1.0, *(s.product[0] for s in self.steps)]

    @property
    def worst(self) -> Step:
        """The step at which the product shrinks most."""
        before = self.norms
        return min(self.steps, key=lambda s: s.product[0] / max(before[s.t - 1], LEAST))

    @property
    def lost(self) -> float:
        """‖P_t‖ / ‖P_{t-1}‖ there."""
        return self.worst.product[0] / max(self.norms[self.worst.t - 1], LEAST)

    def usual(self, term: str) -> float:
        """The median of a term's norm over the sequence."""
        return float(np.median([s.terms[term] for s in self.steps]))

    @property
    def missing(self) -> str:
        """The term that is farthest below its usual size at the worst step, measured by how much it usually carries."""
        return max(self.worst.terms, key=lambda k: self.usual(k) - self.worst.terms[k])


def flow(cell: Cell, params: Mapping[str, Any], xs: Any) -> Flow:
    """The steps of a sequence xs of shape (T, m), from zero states."""
    program, several = cell.program, len(cell.states) > 1
    named = {g.name: (g, NAMES[e.func]) for g, e in program.equations.items() if NAMES.get(e.func) in ("sigmoid", "tanh")}
    terms: dict[str, Tensor] = {}
    labels = {g: latex(Writer(program).symbol(s)) for g, (s, _) in named.items()}
    for a in cell.states:
        for b in cell.states:
            J = jacobian(cell, of=a, wrt=b)
            for term in J.tensor.terms:
                alone = Jacobian(J.program, J.of, J.wrt, J.through, Tensor(J.tensor.dims, (term,)), J.substituted, J.held)
                left = left_side(Writer(program), J.of, J.wrt)
                name = f"{text(left)}: {alone.text()}" if several else alone.text()
                terms[name], labels[name] = alone.tensor, rf"{latex(left)}:\,\, {alone.latex()}" if several else alone.latex()
    values = {g: tensor(program.shapes[s], [Term(sp.S.One, (Factor(s, tuple(range(len(program.shapes[s])))),))]) for g, (s, _) in named.items()}
    steps, product = [], None
    for now in along(cell, params, xs, terms | values):
        product = now.jacobian if product is None else now.jacobian @ product
        sizes = {k: float(np.linalg.norm(now.others[k], 2)) for k in terms}
        shares = {g: _saturated(now.others[g], function) for g, (_, function) in named.items()}
        steps.append(Step(now.t, _singular(now.jacobian), _singular(product), sizes, shares))
    return Flow(cell.name, cell.states, tuple(steps), labels)


def _singular(J: Any) -> tuple[float, ...]:
    return tuple(map(float, np.linalg.svd(J, compute_uv=False)))


def _saturated(v: Any, function: str) -> tuple[float, float]:
    """The shares of entries at the lower and at the upper end."""
    low = 0.0 if function == "sigmoid" else -1.0
    return float(np.mean(v < low + SATURATED)), float(np.mean(v > 1 - SATURATED))
