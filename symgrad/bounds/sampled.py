r"""How near ‖J‖ comes to its proved bound: the largest ‖J‖₂ / bound over random weights, states and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp

from symgrad.bounds.norms import NormBound
from symgrad.face.jacobian import Jacobian
from symgrad.generate.step.compiled import compiled
from symgrad.language.program import Program
from symgrad.language.tensor import Factor, Tensor, Term, tensor


def norms_of(found: NormBound, values: Mapping[str, Any]) -> dict[str, Any]:
    """The norms that a bound speaks of, from the arrays by name: ‖W‖₂ of a matrix, the largest entry of a vector, ``U@h`` a product."""
    out = {}
    for w in found.norms:
        rank = len(found.jacobian.program.shapes[w])
        product = reduce(lambda a, b: (a @ b[..., None])[..., 0] if rank == 1 else a @ b, (np.asarray(values[p]) for p in w.name.split("@")))
        out[w.name] = np.linalg.norm(product, 2, axis=(-2, -1)) if rank == 2 else np.abs(product).max(axis=-1)
    return out


def quantities(found: NormBound) -> dict[str, Tensor]:
    """The quantities computed by the cell of which a bound takes the largest entry, as tensors to be compiled."""
    program = found.jacobian.program
    given = {s.name for s in (*program.inputs, *program.states, *program.parameters)}
    names = dict.fromkeys(part for w in found.norms for part in w.name.split("@") if part not in given)
    return {s.name: tensor(program.shapes[s], [Term(sp.S.One, (Factor(s, (0,)),))]) for s in map(sp.Symbol, names)}


def drawn(program: Program, n: int, trials: int, seed: int) -> dict[str, Any]:
    """Random values of every argument of a cell, every size n: weights of sizes from 1/10 to 4, states within [-1, 1]."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-1, 0.6, trials)
    out: dict[str, Any] = {}
    for s in (*program.inputs, *program.states, *program.parameters):
        shape = (trials, *(int(d.subs(dict.fromkeys(d.free_symbols, n))) for d in program.shapes[s]))
        random = rng.standard_normal(shape) * scale.reshape(-1, *(1 for _ in program.shapes[s]))
        out[s.name] = rng.uniform(-1, 1, shape) if s in program.states else random
    return out


def ratios(J: Jacobian, found: NormBound, n: int, trials: int = 1000, seed: int = 3) -> Any:
    """‖J‖₂ by its bound, at random points."""
    values = drawn(J.program, n, trials, seed)
    at = compiled(J.program, {"Jacobian": J.tensor, **quantities(found)}, {}, {})(**values)
    return np.linalg.norm(at["Jacobian"], 2, axis=(-2, -1)) / found.at(norms_of(found, {**values, **at}))
