r"""``symgrad flow CELL``: ∂h_t/∂h_{t-1} at every step of a sequence, their products, saturated gates, and the step that loses most."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sympy as sp

from symgrad.bounds.ranges import NAMES
from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.face.jacobian import Jacobian, jacobian
from symgrad.flow.weights import parameters, read
from symgrad.generate.step.compiled import compiled
from symgrad.language.tensor import Factor, Tensor, Term, tensor

SATURATED = 0.01  # a gate within this of 0 or 1, a tanh within it of ±1


@dataclass(frozen=True)
class Step:
    """One step: ‖J‖₂, the largest and the smallest singular value, ‖∏J‖₂ from the start, ‖·‖₂ of each term, shares of saturated entries."""

    t: int
    norm: float
    smallest: float
    product: float
    terms: dict[str, float]
    saturated: dict[str, float]


def flow(cell: Cell, params: dict[str, Any], xs: Any) -> list[Step]:
    """The steps of a sequence xs of shape (T, m), from zero states."""
    program = cell.program
    blocks = [[jacobian(cell, of=a, wrt=b) for b in cell.states] for a in cell.states]
    gates = {g: NAMES[e.func] for g, e in program.equations.items() if NAMES.get(e.func) in ("sigmoid", "tanh")}
    terms: dict[str, Tensor] = {}
    labels: list[str] = []
    for a, row in zip(cell.states, blocks, strict=True):
        for b, J in zip(cell.states, row, strict=True):
            for term in J.tensor.terms:
                alone = Tensor(J.tensor.dims, (term,))
                terms[f"term {len(terms)}"] = alone
                where = f"∂{a}/∂{b}: " if len(cell.states) > 1 else ""
                labels.append(where + Jacobian(J.program, J.of, J.wrt, J.through, alone, J.substituted, J.held).text())
    whole = {f"{i} {k}": J.tensor for i, row in enumerate(blocks) for k, J in enumerate(row)}
    values_of = {f"gate {g.name}": tensor(program.shapes[g], [Term(sp.S.One, (Factor(g, (0,)),))]) for g in gates}
    f = compiled(program, {**whole, **terms, **values_of}, {}, {})
    n, count = _size(cell, params), len(cell.states)
    states = [np.zeros(n) for _ in cell.states]
    product, out = np.eye(n * count), []
    for t, x in enumerate(xs, 1):
        arguments: dict[str, Any] = {cell.inputs[0]: x, **dict(zip(cell.states, states, strict=True)), **params}
        parts = f(**arguments)
        step = np.block([[parts[f"{i} {k}"] for k in range(count)] for i in range(count)])
        sv = np.linalg.svd(step, compute_uv=False)
        product = step @ product
        sizes = {label: float(np.linalg.norm(parts[k], 2)) for label, k in zip(labels, terms, strict=True)}
        shares = {g.name: float(np.mean(_distance(parts[f"gate {g.name}"], f_) < SATURATED)) for g, f_ in gates.items()}
        out.append(Step(t, float(sv[0]), float(sv[-1]), float(np.linalg.norm(product, 2)), sizes, shares))
        new = cell(x, *states, **params)
        states = list(new[: len(states)]) if isinstance(new, tuple) else [new]
    return out


def _distance(v: Any, function: str) -> Any:
    """How far a gate is from saturation."""
    return np.minimum(v, 1 - v) if function == "sigmoid" else 1 - np.abs(v)


def _size(cell: Cell, params: dict[str, Any]) -> int:
    """n: the size of the first state."""
    n = cell.program.shapes[cell.program.states[0]][0]
    return next(int(np.shape(params[w.name])[k]) for w in cell.program.parameters for k, d in enumerate(cell.program.shapes[w]) if d == n)


def drawn(cell: Cell, n: int, m: int, seed: int) -> dict[str, Any]:
    """Random parameters as torch draws them: uniform in ±1/√n."""
    rng, state = np.random.default_rng(seed), cell.program.shapes[cell.program.states[0]][0]
    return {w.name: rng.uniform(-1, 1, tuple(n if d == state else m for d in cell.program.shapes[w])) / n**0.5 for w in cell.program.parameters}


def lost(steps: list[Step]) -> Step:
    """The step at which the product shrinks most."""
    before = [1.0, *(s.product for s in steps)]
    return min(steps, key=lambda s: s.product / max(before[s.t - 1], 1e-300))


def table(cell: Cell, steps: list[Step]) -> str:
    """The report as text."""
    gates = list(steps[0].saturated)
    names = ", ".join(cell.states) if len(cell.states) == 1 else f"({', '.join(cell.states)})"
    lines = [f"{cell.name}: J_t = ∂{names}_t/∂{names}_{{t-1}}; ‖·‖ is the largest singular value; saturated: within {SATURATED:g} of its limits", ""]
    lines.append(f"{'t':>5} {'‖J_t‖':>10} {'σ_min':>10} {'‖J_t…J_1‖':>11}  " + "  ".join(f"{g + ' saturated':>{max(len(g) + 10, 6)}}" for g in gates))
    for s in steps:
        shares = "  ".join(f"{s.saturated[g]:>{max(len(g) + 10, 6)}.0%}" for g in gates)
        lines.append(f"{s.t:>5} {s.norm:>10.3g} {s.smallest:>10.3g} {s.product:>11.3g}  {shares}")
    worst = lost(steps)
    end = steps[-1].product
    state = "vanishes" if end < 1e-3 else "explodes" if end > 1e3 else "is kept"
    lines += ["", f"Over {len(steps)} steps the gradient {state}: ‖∏ J‖ = {end:.3g}. Step {worst.t} loses most; its terms:"]
    lines += [f"  {v:10.3g}  {k}" for k, v in sorted(worst.terms.items(), key=lambda kv: -kv[1])]
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """``symgrad flow CELL``."""
    cell = load(args.cell)
    if len(cell.inputs) != 1:
        raise SymgradError(f"{cell.name} has {len(cell.inputs)} inputs at a step; a flow report reads one sequence")
    params = parameters(cell, read(args.weights)) if args.weights else drawn(cell, args.size, args.size, args.seed)
    (x,) = cell.program.inputs
    m = next((np.shape(params[w.name])[k] for w in cell.program.parameters for k, d in enumerate(cell.program.shapes[w]) if d == cell.program.shapes[x][0]), 1)
    if args.input:
        try:
            xs = np.asarray(np.load(args.input, allow_pickle=False), dtype=float)
        except (OSError, ValueError, TypeError) as e:
            raise SymgradError(f"{args.input}: cannot be read as an array: {e}") from None
    else:
        xs = np.random.default_rng(args.seed).standard_normal((args.steps, m))
    if xs.ndim != 2 or xs.shape[1] != m or not len(xs) or not np.isfinite(xs).all():
        raise SymgradError(f"the input has shape {xs.shape}; a sequence of finite numbers of shape (T, {m}) is needed")
    steps = flow(cell, params, xs)
    print(json.dumps({"cell": cell.name, "steps": [asdict(s) for s in steps], "worst": lost(steps).t}, indent=1, ensure_ascii=False)
          if args.format == "json" else table(cell, steps))  # fmt: skip
    return 0
