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
from symgrad.notation.syntax import Node, equation
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


@dataclass(frozen=True)
class Shown:
    """A formula as it is drawn, and its size in points."""

    text: str
    size: tuple[float, float]


class _Setting:
    """Formulas as they are drawn, with their sizes in points."""

    def __init__(self, program: Program) -> None:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextToPath

        self.setter, self.font, self.functions = TextToPath(), FontProperties, functions(program)

    def __call__(self, node: Node, size: float = SIZE) -> Shown:
        shown = mathtext(latex(node, self.functions), text(node))
        return Shown(shown, self.extent(shown, size))

    def extent(self, shown: str, size: float) -> tuple[float, float]:
        """Width and height."""
        width, height, _ = self.setter.get_text_width_height_descent(shown, self.font(size=size), "$" in shown.replace(r"\$", ""))
        return float(width), max(float(height), size)


def graph(cell: Cell) -> Any:
    """The picture."""
    program = cell.program
    set_, edges = _Setting(program), labels(program)
    names = dict.fromkeys([*program.inputs, *program.states, *(e.end for e in edges)])
    nodes = {s: set_(Writer(program).symbol(s)) for s in names if any(s in (e.start, e.end) for e in edges)}
    boxes = {s: (max(n.size[0] + 16, 30.0), n.size[1] + (23 if _activation(program, s) else 12)) for s, n in nodes.items()}
    on_edge, below = _on_edges(program, edges, set_)
    place = layered(boxes, [Edge(e.start, e.end, (w + 8, h + 5)) for e, (w, h) in zip(edges, (n.size for n in on_edge), strict=True)])
    width = max(place.size[0], *(n.size[0] for n in below), 330.0) + 2 * MARGIN
    height = place.size[1] + 2 * MARGIN + 26 + sum(n.size[1] + 8 for n in below)
    fig = figure(width / 72, height / 72, None)
    ax, left = fig.add_axes((0, 0, 1, 1)), (width - place.size[0]) / 2
    ax.set(xlim=(-left, width - left), ylim=(height - MARGIN, -MARGIN))
    ax.axis("off")
    colors = [GREY if e.start in program.inputs else GREEN if e.diagonal else BLUE for e in edges]
    for color, label, at, route in zip(colors, on_edge, place.labels, place.routes, strict=True):
        _draw_edge(ax, route, color)
        _draw_box(ax, at, (label.size[0] + 8, label.size[1] + 5), "white", "none", 3)
        ax.text(*at, label.text, ha="center", va="center", fontsize=SMALL + 1, color=color, zorder=4)
    for s, node in nodes.items():
        _draw_node(ax, program, s, node.text, place.nodes[s], boxes[s])
    _legend(ax, set(colors), width / 2 - left, place.size[1] + 16, set_)
    y = place.size[1] + 26
    for note in below:
        y += note.size[1] + 8
        ax.text(width / 2 - left, y - note.size[1] / 2, note.text, ha="center", va="center", fontsize=SMALL + 1)
    return fig


def _on_edges(program: Program, edges: list[Label], set_: _Setting) -> tuple[list[Shown], list[Shown]]:
    """What stands on the edges; and below the graph, derivatives too long for that and preactivations that the cell gives no name."""
    shown: list[Shown] = []
    below: list[Node] = []
    for e in edges:
        matrix = has_matrix_form(e.value)
        label = set_(e.node, SMALL + 1)
        if label.size[0] > WIDEST or not matrix:
            form = Writer(program, "matrix" if matrix else "component")
            below.append(equation(left_side(form, e.end, e.start), form.tensor(e.value)))
            label = set_(left_side(Writer(program), e.end, e.start), SMALL + 1)
        shown.append(label)
    used = {s for e in edges for s in e.value.symbols} & program.implicit
    below += [write_equation(Writer(program), s) for s in program.equations if s in used]
    return shown, [set_(node, SMALL + 1) for node in below]


def _activation(program: Program, s: sp.Symbol) -> str:
    """The function whose value a quantity is."""
    row = ROWS.get(program.equations[s].func) if s in program.equations else None
    return mathtext(row.latex) if row else ""


def _draw_node(ax: Any, program: Program, s: sp.Symbol, name: str, at: Point, size: tuple[float, float]) -> None:
    """A quantity in its box, with the function whose value it is; what comes in is shaded, what goes out has a heavy line."""
    (x, y), activation = at, _activation(program, s)
    old, new = s in program.inputs or s in program.states, s in program.updates.values() or s in program.outputs
    _draw_box(ax, at, size, "#f1efe9" if old else "white", "black", 5, 1.4 if new else 0.8)
    ax.text(x, y - (5.5 if activation else 0), name, ha="center", va="center", fontsize=SIZE, zorder=6)
    if activation:
        ax.text(x, y + 9, activation, ha="center", va="center", fontsize=SMALL - 0.5, color=GREY, zorder=6)


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
