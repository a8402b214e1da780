"""An oracle for backward passes: the cell's own NumPy function, step by step over a sequence, differentiated by the complex step."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.face.backward import module
from symgrad.face.cell import Cell

SIZES = {"n": 4, "m": 3, "p": 2}


def generated(cell: Cell, to: str = "numpy", block: int = 16384) -> dict[str, Any]:
    """The generated module, run; `block` is the number of entries in a block of steps."""
    scope: dict[str, Any] = {"__name__": "generated"}
    source = module(cell, to)
    assert to != "numpy" or "K = " not in source or "16384" in source
    exec(compile(source.replace("16384", str(block)), f"<backward {cell.name}>", "exec"), scope)
    return scope


def sizes_of(cell: Cell, **sizes: int) -> dict[str, int]:
    return {**SIZES, **sizes}


def shape(cell: Cell, name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    program = cell.program
    return tuple(int(d.subs({s: sizes.get(s.name, 2) for s in d.free_symbols})) for d in program.shapes[program.names[name]])


def problem(cell: Cell, T: int = 3, B: int = 2, seed: int = 0, dtype: Any = np.float64, scale: float = 0.8, **sizes: int) -> dict[str, Any]:
    """Random inputs, states, parameters and incoming gradients."""
    rng = np.random.default_rng(seed)
    given = sizes_of(cell, **sizes)
    program = cell.program

    def draw(*dims: int) -> Any:
        return np.asarray(scale * rng.standard_normal(dims), dtype)

    xs = {x: draw(T, B, *shape(cell, x, given)) for x in cell.inputs}
    return {
        "xs": xs if len(xs) != 1 else next(iter(xs.values())),
        "states": {s: draw(B, *shape(cell, s, given)) for s in cell.states},
        "params": {p: draw(*shape(cell, p, given)) for p in cell.parameters},
        "dys": draw(T, B, *shape(cell, cell.states[0], given)),
        "dfinal": {s: draw(B, *shape(cell, s, given)) for s in cell.states},
        "doutputs": {y.name: draw(T, B, *(int(d.subs({s: given.get(s.name, 2) for s in d.free_symbols})) for d in program.shapes[y])) for y in program.outputs},
    }


def run(cell: Cell, p: dict[str, Any], mask: Any = None) -> Any:
    """The loss Σ dys·ys + Σ dfinal·final + Σ doutputs·outputs, by the cell's own function."""
    xs = p["xs"] if isinstance(p["xs"], dict) else {cell.inputs[0]: p["xs"]}
    T, B = p["dys"].shape[:2]
    total: Any = 0.0
    for b in range(B):
        now = [p["states"][s][b] for s in cell.states]
        for t in range(T):
            result = cell(*(xs[x][t, b] for x in cell.inputs), *now, **p["params"])
            new = list(result) if isinstance(result, tuple) else [result]
            if mask is None or mask[t, b]:
                for y, value in zip(cell.program.outputs, new[len(now) :], strict=True):
                    total = total + (p["doutputs"][y.name][t, b] * value).sum()
                now = new[: len(now)]
            total = total + (p["dys"][t, b] * now[0]).sum()
        total = total + sum((p["dfinal"][s][b] * v).sum() for s, v in zip(cell.states, now, strict=True))
    return total


def complex_step(cell: Cell, p: dict[str, Any], mask: Any = None, h: float = 1e-30) -> dict[str, Any]:
    """∂L/∂(every entry) = Im L(entry + ih)/h, exact to rounding."""
    found: dict[str, Any] = {}
    groups = [("xs", k) for k in p["xs"]] if isinstance(p["xs"], dict) else [("xs", "")]
    groups += [("states", s) for s in cell.states] + [("params", q) for q in cell.parameters]
    for group, name in groups:
        whole = p[group][name] if name else p[group]
        grad = np.zeros(whole.shape)
        for at in np.ndindex(whole.shape):
            moved = whole.astype(complex)
            moved[at] += 1j * h
            changed = {**p, group: {**p[group], name: moved} if name else moved}
            grad[at] = np.imag(run(cell, changed, mask)) / h
        found[f"{group}.{name}" if name else group] = grad
    return found


def by_code(scope: dict[str, Any], p: dict[str, Any], mask: Any = None, **options: Any) -> dict[str, Any]:
    """The same gradients by the generated code."""
    _, _, cache = scope["forward"](p["xs"], p["states"], p["params"], mask, **options)
    extra = {"doutputs": p["doutputs"]} if p["doutputs"] else {}
    dxs, dstates, dparams = scope["backward"](p["dys"], p["dfinal"], cache, **extra)
    found = {f"xs.{k}": v for k, v in dxs.items()} if isinstance(dxs, dict) else {"xs": dxs}
    return found | {f"states.{k}": v for k, v in dstates.items()} | {f"params.{k}": v for k, v in dparams.items()}


def worst(a: dict[str, Any], b: dict[str, Any]) -> tuple[float, str]:
    """The largest difference, relative to each gradient's largest entry, and whose it is."""
    assert a.keys() == b.keys(), (sorted(a), sorted(b))
    return max((float(np.abs(a[k] - b[k]).max() / max(np.abs(b[k]).max(), 1e-300)) if b[k].size else 0.0, k) for k in b)
