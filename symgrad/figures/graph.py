r"""The computation graph of a cell: a node for every named quantity, on every edge s → y the local derivative ∂y/∂s.

Nothing here knows a cell.  The derivatives are those of `calculus.local`, all other names held, set by the same writer as every formula;
so ∂h_t/∂h_{t-1} is the sum over the paths from h_{t-1} to h_t of the products of what is written on their edges, the last edge leftmost.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sympy as sp

from symgrad.calculus.local import local_derivatives
from symgrad.figures.layout import Edge, Point, layered
from symgrad.figures.style import BLUE, GREEN, GREY, figure, mathtext
from symgrad.language.functions import ROWS
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, Tensor
from symgrad.notation.derivation import left_side
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Node
from symgrad.notation.text import text
from symgrad.notation.write import Writer, functions, has_matrix_form, write_equation

if TYPE_CHECKING:
    from symgrad.face.cell import Cell

SIZE, SMALL = 11.0, 8.5  # points
WIDEST = 150.0  # points of a label on its edge; a wider one stands below the graph
MARGIN = 8.0
COLORS = {GREEN: "diagonal: entry by entry", BLUE: "entries mixed", GREY: "from the input"}


@dataclass(frozen=True)
class Label:
    """A local derivative ∂y/∂s: whether it is diagonal, and how it is set."""

    start: sp.Symbol
    end: sp.Symbol
    value: Tensor
    node: Node

    @property
    def diagonal(self) -> bool:
        """Entry by entry, with no matrix in it."""
        return _diagonal(self.value)


def _diagonal(value: Tensor) -> bool:
    """Whether T[i, j] = 0 but for i = j: every term has its I[i, j]."""
    half = value.rank // 2
    needed = {(k, half + k) for k in range(half)}
    return value.rank % 2 == 0 and all(needed <= {f.indices for f in t.factors if f.value == IDENTITY} for t in value.terms)


def labels(program: Program) -> list[Label]:
    """Every edge of the graph, in the order of computation."""
    writer = Writer(program)
    found = local_derivatives(program, {*program.updates.values(), *program.outputs}, (*program.inputs, *program.states))
    return [Label(s, y, t, writer.tensor(t)) for y, below in found.items() for s, t in below.items()]


class _Setting:
    """Formulas as they are drawn, with their sizes in points."""

    def __init__(self, program: Program) -> None:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextToPath

        self.setter, self.font, self.functions = TextToPath(), FontProperties, functions(program)

    def __call__(self, node: Node, size: float = SIZE) -> tuple[str, tuple[float, float]]:
        shown = mathtext(latex(node, self.functions), text(node))
        return shown, self.extent(shown, size)

    def extent(self, shown: str, size: float) -> tuple[float, float]:
        """Width and height."""
        width, height, _ = self.setter.get_text_width_height_descent(shown, self.font(size=size), "$" in shown.replace(r"\$", ""))
        return float(width), max(float(height), size)


def graph(cell: Cell) -> Any:
    """The picture."""
    program = cell.program
    writer, set_ = Writer(program), _Setting(program)
    edges = labels(program)
    names = [*program.inputs, *program.states, *dict.fromkeys(e.end for e in edges)]
    names = [s for s in names if any(s in (e.start, e.end) for e in edges)]
    ends = {*program.updates.values(), *program.outputs}
    written = {s: set_(writer.symbol(s)) for s in names}
    boxes = {s: (max(w + 16, 30.0), h + 12 + (11 if _activation(program, s) else 0)) for s, (_, (w, h)) in written.items()}
    on_edge, below = [], []
    for e in edges:
        shown, (w, h) = set_(e.node, SMALL + 1)
        if w > WIDEST or not has_matrix_form(e.value):
            name = left_side(writer, e.end, e.start)
            below.append((name, e.node))
            shown, (w, h) = set_(name, SMALL + 1)
        on_edge.append((shown, (w + 8, h + 5)))
    place = layered(boxes, [Edge(e.start, e.end, size) for e, (_, size) in zip(edges, on_edge, strict=True)])
    notes = _notes(program, writer, edges, below, set_)
    width = max(place.size[0], *(w for _, (w, _) in notes), 330.0) + 2 * MARGIN
    height = place.size[1] + 2 * MARGIN + 26 + sum(h + 8 for _, (_, h) in notes)
    fig = figure(width / 72, height / 72, None)
    ax = fig.add_axes((0, 0, 1, 1))
    left = (width - place.size[0]) / 2
    ax.set(xlim=(-left, width - left), ylim=(height - MARGIN, -MARGIN))
    ax.axis("off")
    colors = [GREY if e.start in program.inputs else GREEN if e.diagonal else BLUE for e in edges]
    for color, (shown, (w, h)), at, route in zip(colors, on_edge, place.labels, place.routes, strict=True):
        _draw_edge(ax, route, color)
        _draw_box(ax, at, (w, h), "white", "none", 3)
        ax.text(*at, shown, ha="center", va="center_baseline" if "$" not in shown else "center", fontsize=SMALL + 1, color=color, zorder=4)
    for s, (shown, _) in written.items():
        x, y = place.nodes[s]
        old = s in program.inputs or s in program.states
        _draw_box(ax, (x, y), boxes[s], "#f1efe9" if old else "white", "black", 5, 1.4 if s in ends else 0.8)
        activation = _activation(program, s)
        ax.text(x, y - (5.5 if activation else 0), shown, ha="center", va="center", fontsize=SIZE, zorder=6)
        if activation:
            ax.text(x, y + 9, activation, ha="center", va="center", fontsize=SMALL - 0.5, color=GREY, zorder=6)
    _legend(ax, set(colors), width / 2 - left, place.size[1] + 16, set_)
    y = place.size[1] + 26
    for shown, (_, h) in notes:
        y += h + 8
        ax.text(width / 2 - left, y - h / 2, shown, ha="center", va="center", fontsize=SMALL + 1)
    return fig


def _activation(program: Program, s: sp.Symbol) -> str:
    """The function whose value a quantity is."""
    row = ROWS.get(program.equations[s].func) if s in program.equations else None
    return mathtext(row.latex) if row else ""


def _notes(program: Program, writer: Writer, edges: list[Label], below: list[tuple[Node, Node]], set_: _Setting) -> list[tuple[str, tuple[float, float]]]:
    """What stands below the graph: derivatives too long for their edge, and preactivations that the cell gives no name."""
    from symgrad.notation.syntax import equation

    used = {s for e in edges for s in e.value.symbols}
    hidden = [s for s in program.equations if s in used & program.implicit]
    return [set_(r, SMALL + 1) for r in [*(equation(a, b) for a, b in below), *(write_equation(writer, s) for s in hidden)]]


def _draw_edge(ax: Any, route: tuple[tuple[Point, Point], ...], color: str) -> None:
    """Straight pieces, joined by curves that leave and arrive level; an arrow at the end."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points, codes = [route[0][0]], [Path.MOVETO]
    for (_, (ax0, ay)), (b0, b1) in pairwise(route):
        (bx, by), half = b0, (b0[0] - ax0) / 2
        points += [(ax0 + half, ay), (bx - half, by), (bx, by)]
        codes += [Path.CURVE4] * 3
        if b1 != b0:
            points.append(b1)
            codes.append(Path.LINETO)
    head = "-|>,head_length=4,head_width=2"
    ax.add_patch(FancyArrowPatch(path=Path(points, codes), arrowstyle=head, color=color, linewidth=1.0, zorder=2, shrinkA=0, shrinkB=0))


def _draw_box(ax: Any, at: Point, size: tuple[float, float], face: str, edge: str, zorder: int, width: float = 0.8) -> None:
    from matplotlib.patches import FancyBboxPatch

    (x, y), (w, h) = at, size
    shape = "round,pad=0,rounding_size=" + ("6" if edge != "none" else "2")
    ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle=shape, facecolor=face, edgecolor=edge, linewidth=width, zorder=zorder))


def _legend(ax: Any, colors: set[str], middle: float, y: float, set_: _Setting) -> None:
    """What the colours say, in one line around the middle."""
    entries = [(c, said, set_.extent(said, SMALL)[0] + 18) for c, said in COLORS.items() if c in colors]
    x = middle - sum(w + 16 for *_, w in entries) / 2 + 8
    for color, said, width in entries:
        ax.plot([x, x + 13], [y, y], color=color, linewidth=1.4)
        ax.text(x + 18, y, said, ha="left", va="center", fontsize=SMALL, color=color)
        x += width + 16
