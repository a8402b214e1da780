r"""``symgrad plot``: pictures as SVG, PNG or PDF, drawn with matplotlib's `Figure`, from the derived and compiled Jacobians.

* `graph`: the computation graph, with the local derivatives on its edges (`graph`).
* `square`: the scalar ∂h_t/∂h_{t-1} of a gated cell over its gates z and r, with the three edge cases marked.
* `norms`: ‖∂h_t/∂h_0‖ = ‖∏ J‖ over time for weights of several sizes, with its proved bound (`norms`).
* `forget`: ∂c_t/∂c_{t-k} of an LSTM's direct path against its forget gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import SymgradError
from symgrad.face.jacobian import jacobian
from symgrad.figures.graph import graph
from symgrad.figures.norms import norms
from symgrad.figures.style import COLORS, figure, written

if TYPE_CHECKING:
    from symgrad.face.cell import Cell


def square(cell: Cell) -> Any:
    """∂h_t/∂h_{t-1} over (z, r), as numbers: n = 1, every recurrent weight 1."""
    J = jacobian(cell)
    names = {s.name for s in J.tensor.symbols}
    if not {"z", "r"} <= names:
        raise SymgradError(f"the square is drawn over the gates z and r, and ∂h_t/∂h_{{t-1}} of {cell.name} has {', '.join(sorted(names))}")
    f, (old, candidate) = J.numpy(), (0.5, -0.4)
    fixed: dict[str, Any] = {}
    for s in sorted(J.tensor.symbols, key=str):
        rank = len(J.program.shapes.get(s, ()))
        value = old if s in J.program.states else 1.0 if rank == 2 else candidate
        fixed[s.name] = np.full((1,) * rank, value)
    grid = np.linspace(0, 1, 101)
    values = f(**{**fixed, "z": np.tile(grid, (101, 1))[..., None], "r": np.tile(grid[:, None], (1, 101))[..., None]})[..., 0, 0]
    fig = figure(4.6, 3.8)
    ax = fig.add_subplot()
    drawn = ax.contourf(grid, grid, values, levels=np.linspace(values.min(), values.max(), 15), cmap="viridis")
    lines = ax.contour(grid, grid, values, levels=drawn.levels[1:-1:3], colors="white", linewidths=0.6)
    ax.clabel(lines, fmt="%.2f", fontsize=7)
    keep = f(**{**fixed, "z": np.array([1.0]), "r": np.array([0.5])})[0, 0] > 0.999
    corners = [
        ((1, 0.5), "$z=1$: identity", (-8, 0), "right"),
        ((0, 0), "$z=r=0$: zero", (8, 8), "left"),
        ((0, 1), r"$z=0,\ r=1$: plain RNN", (8, -12), "left"),
    ]
    if not keep:  # z writes the new
        corners = [
            ((0, 0.5), "$z=0$: identity", (8, 0), "left"),
            ((1, 0), r"$z=1,\ r=0$: zero", (-8, 8), "right"),
            ((1, 1), "$z=r=1$: plain RNN", (-8, -12), "right"),
        ]
    for at, text, offset, side in corners:
        ax.plot(*at, "o", color="white", markeredgecolor="black", clip_on=False, zorder=5, markersize=6)
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        ax.annotate(text, at, xytext=offset, textcoords="offset points", ha=side, va="center", fontsize=8, bbox=box)
    ax.set(xlabel="$z$", ylabel="$r$", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_title(rf"{cell.name}: $\partial h_t/\partial h_{{t-1}}$ for $h_{{t-1}}={old}$, candidate ${candidate}$, $U=1$", fontsize=10)
    fig.colorbar(drawn, ax=ax, format="%.2f")
    return fig


def forget(cell: Cell) -> Any:
    """∂c_t/∂c_{t-k} of the direct path, a product of k forget gates, for k = 1, 2, 5, 20, 100."""
    J = jacobian(cell, of="c", wrt="c")
    if {s.name for s in J.tensor.symbols} != {"f"}:
        raise SymgradError(f"the forget gate is drawn where ∂c_t/∂c_{{t-1}} = diag(f), and {cell.name} is not such a cell")
    f, gate = J.numpy(), np.linspace(0, 1, 401)
    slope = np.array([f(f=np.array([g]))[0, 0] for g in gate])
    fig = figure(4.6, 3.4, None)
    fig.subplots_adjust(0.13, 0.13, 0.97, 0.91)
    ax = fig.add_subplot()
    for k, color in zip((1, 2, 5, 20, 100), COLORS, strict=False):
        ax.plot(gate, slope**k, color=color, label=f"$k={k}$")
    ax.set(xlabel="$f$, the same at every step", ylabel=r"$\partial c_t/\partial c_{t-k}$", xlim=(0, 1), ylim=(0, 1.02))
    ax.set_title(f"{cell.name}: the direct path, $f^k$; 1 only at $f=1$", fontsize=10)
    ax.legend(frameon=False, loc="upper left")
    return fig


KINDS: dict[str, Callable[[Cell], Any]] = {"graph": graph, "square": square, "norms": norms, "forget": forget}


def plot(cell: Cell, kind: str, to: str = "svg") -> bytes:
    """One picture of a cell as bytes."""
    return written(lambda: KINDS[kind](cell), to)
