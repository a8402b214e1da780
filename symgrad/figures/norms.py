r"""‖∂h_t/∂h_0‖ = ‖J_t ⋯ J_1‖ over time, J the whole state Jacobian, for recurrent weights of several sizes, with its proved bound.

The weights are orthogonal matrices times a number, so that ‖U‖ is this number.  A cell with a gate that can keep its state (where ∂s_t/∂s_{t-1}
is the identity at g = 1 or g = 0) is also drawn with the bias of this gate at ±KEEP.  The bound of a step is ‖[β_ij]‖₂ of the proved bounds β of
the blocks; vectors that no proof bounds, such as an LSTM's c, enter with the size that they have at this step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from symgrad.bounds.norms import NormBound, norm_bound
from symgrad.bounds.sampled import norms_of, quantities
from symgrad.errors import SymgradError
from symgrad.face.along import along
from symgrad.face.jacobian import jacobian
from symgrad.figures.style import COLORS, GREY, figure, powers
from symgrad.language.tensor import identity

if TYPE_CHECKING:
    from symgrad.face.cell import Cell

SEED, STEPS, UNITS, KEEP = 7, 60, 16, 8.0
SCALES = (0.5, 1.0, 2.0)
LOW, HIGH = 1e-12, 1e6


def keeping_bias(cell: Cell) -> tuple[sp.Symbol, sp.Symbol, float] | None:
    """A gate that keeps a state, its bias, and the sign by which it does."""
    program = cell.program
    for s in cell.states:
        J = jacobian(cell, of=s, wrt=s)
        for g in sorted(J.tensor.symbols & program.equations.keys(), key=program.order.__getitem__):
            for value, sign in ((1, 1.0), (0, -1.0)):
                if J.at(**{g.name: value}).tensor == identity(program.shapes[program.states[0]]):
                    argument = program.inlined(program.equations[g])
                    for b in program.parameters:
                        if b in argument.free_symbols and argument.args and argument.args[0].diff(b) == 1:
                            return g, b, sign
    return None


def norms(cell: Cell) -> Any:
    """The picture."""
    program, names = cell.program, cell.states
    if len(cell.inputs) > 1 or any(len(program.shapes[s]) != 1 for s in (*program.inputs, *program.states)):
        raise SymgradError(f"{cell.name}: the norms are drawn for cells whose input and states are vectors")
    bounds = _bounds(cell)
    size_of = program.shapes[program.states[0]][0]
    matrices = [w for w in program.parameters if len(program.shapes[w]) == 2]
    recurrent = {w for w in matrices if program.shapes[w] == (size_of, size_of)} or set(matrices)
    curves = [(rf"$\Vert U\Vert = {scale:g}$", _parameters(cell, recurrent, scale)) for scale in SCALES]
    if (found := keeping_bias(cell)) is not None:
        gate, bias, sign = found
        kept = _parameters(cell, recurrent, 1.0)
        kept[bias.name] = np.full(UNITS, sign * KEEP)
        curves.append((rf"$\Vert U\Vert = 1,\ {gate.name}$ near {int(sign > 0)}", kept))
    more = {k: v for row in bounds for b in row for k, v in quantities(b).items()}
    fig = figure(5.4, 3.6, None)
    fig.subplots_adjust(0.12, 0.12, 0.985, 0.92)
    ax = fig.add_subplot()
    for color, (label, params) in zip(COLORS, curves, strict=False):
        xs = 0.5 * np.random.default_rng(SEED).standard_normal((STEPS, UNITS))
        product, size, limit = np.eye(UNITS * len(names)), [1.0], [1.0]
        for now in along(cell, params, xs, more):
            product = now.jacobian @ product
            size.append(max(float(np.linalg.norm(product, 2)), LOW**2))
            limit.append(min(limit[-1] * _whole(bounds, {**params, **now.states, **now.others}), HIGH**2) if bounds else np.nan)
        ax.semilogy(size, color=color, label=label, linewidth=1.3)
        ax.semilogy(limit, "--", color=color, linewidth=0.8, alpha=0.8)
    powers(ax.yaxis)
    ax.axhline(1, color="black", linewidth=0.6)
    for y, text in ((HIGH / 6, "exploding"), (1.7, "kept"), (LOW * 3, "vanishing")):
        ax.text(STEPS * 0.985, y, text, ha="right", fontsize=9, color=GREY)
    state = names[0] if len(names) == 1 else f"({', '.join(names)})"
    ax.set(ylim=(LOW, HIGH), xlim=(0, STEPS), xlabel=f"${program.index}$")
    ax.set_ylabel(rf"$\Vert \partial {state}_{program.index}/\partial {state}_0 \Vert_2$")
    ax.set_title(f"{cell.name}: orthogonal recurrent weights" + ("; dashed, the proved bound" if bounds else ""), fontsize=10)
    ax.legend(loc="lower left", frameon=False)
    return fig


def _bounds(cell: Cell) -> list[list[NormBound]]:
    """The bounds of the blocks; none where one of them has none."""
    try:
        return [[norm_bound(jacobian(cell, of=a, wrt=b)) for b in cell.states] for a in cell.states]
    except SymgradError:
        return []


def _parameters(cell: Cell, recurrent: set[sp.Symbol], scale: float) -> dict[str, Any]:
    """Orthogonal recurrent weights of this norm, the others small and random."""
    rng, out = np.random.default_rng(SEED), {}
    for w in cell.program.parameters:
        v = rng.standard_normal([int(d.subs(dict.fromkeys(d.free_symbols, UNITS))) for d in cell.program.shapes[w]])
        out[w.name] = 0.2 * v if w not in recurrent else scale * (np.linalg.qr(v)[0] if v.shape[0] == v.shape[1] else v / np.linalg.norm(v, 2))
    return out


def _whole(bounds: list[list[NormBound]], values: dict[str, Any]) -> float:
    """‖[β_ij]‖₂ of the blocks' bounds."""
    return float(np.linalg.norm([[b.at(norms_of(b, values)) for b in row] for row in bounds], 2))
