r"""A cell along a real sequence: at every step its states, its whole Jacobian ∂(h_t, c_t)/∂(h_{t-1}, c_{t-1}), and what else is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symgrad.face.cell import Cell
from symgrad.face.jacobian import jacobian
from symgrad.generate.step.compiled import compiled
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor


@dataclass(frozen=True)
class Moment:
    """Step t: the states before it by name, the whole Jacobian, and the other tensors at this point."""

    t: int
    states: Mapping[str, Any]
    jacobian: Any
    others: Mapping[str, Any]


def along(cell: Cell, params: Mapping[str, Any], xs: Any, others: Mapping[str, Tensor] | None = None) -> Iterator[Moment]:
    """The steps of a sequence xs of shape (T, m), from zero states."""
    program, names = cell.program, cell.states
    blocks = {f"{a}/{b}": jacobian(cell, of=a, wrt=b).tensor for a in names for b in names}
    f = compiled(program, {**blocks, **(others or {})}, {}, {})
    known = sizes(program, params)
    states = [np.zeros([int(d.subs(known)) for d in program.shapes[s]]) for s in program.states]
    for t, x in enumerate(xs, 1):
        before: dict[str, Any] = dict(zip(names, states, strict=True))
        found = f(**{cell.inputs[0]: x, **before, **params})
        whole = np.block([[found[f"{a}/{b}"] for b in names] for a in names])
        yield Moment(t, before, whole, {k: found[k] for k in others or {}})
        new = cell(x, *states, **params)
        states = list(new[: len(states)]) if isinstance(new, tuple) else [new]


def sizes(program: Program, params: Mapping[str, Any]) -> dict[sp.Expr, int]:
    """n, m, … as the parameters have them, from sides such as n and m + n."""
    sides = [(d, k) for s in program.parameters for d, k in zip(program.shapes[s], np.shape(params[s.name]), strict=True)]
    known: dict[sp.Expr, int] = {d: k for d, k in sides if d.is_Symbol}
    for d, k in sides:
        rest = d.subs(known)
        if len(rest.free_symbols) == 1:
            (unknown,) = rest.free_symbols
            known[unknown] = int(k - rest.subs(unknown, 0))
    return known
