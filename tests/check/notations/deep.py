"""Two layers on top of each other, told by a number above or below, or by a letter each; the output is that of the upper one."""

from __future__ import annotations

from dataclasses import replace

from .nets import equal
from .page import Page
from .writing import Claim, Notation, Pick

MARKED = ("^{(%s)}", "^{[%s]}", "^{(%s)}", "")  # the layer, "" where each has letters of its own
WEIGHTS = (("W", "U", "V"), ("R", "W", "V"), ("W_{hh}", "W_{xh}", "W_{hy}"), ("A", "B", "C"))


def deep(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t^1 = φ(W^1 h_{t-1}^1 + U^1 x_t), h_t^2 = φ(W^2 h_{t-1}^2 + U^2 h_t^1), y_t = V h_t^2, E = ½ Σ_t ‖y_t - d_t‖²."""
    assert isinstance(w, Page)
    mark = pick(MARKED)
    step = "_{%s}" if mark else pick(["_{%s}", "^{(%s)}", "(%s)", "[%s]"])
    w = replace(w, step=step, times=r" \odot " if "otimes" in w.times else w.times, letter="t")
    W, U, V = pick(WEIGHTS)
    f, E = pick([r"\tanh", r"\sigma", r"\phi", "f"]), w.loss
    letters, weights = ("h", "h"), [f"{name}{mark % n}" for n in "12" for name in (W, U)] if mark else ["A_1", "B_1", "A_2", "B_2"]
    if not mark:
        letters, V = pick([("s", "h"), ("u", "v"), ("h", "s")]), "C"

    def h(layer: int, shift: int = 0, at: str = "") -> str:
        return w.at(letters[layer - 1], shift, at) + (mark % layer if mark else "")

    def inside(layer: int, shift: int = 0) -> str:
        own, fed = weights[2 * layer - 2 : 2 * layer]
        return f"{own}{w.space}{h(layer, shift - 1)} + {fed}{w.space}{w.at('x', shift) if layer == 1 else h(1, shift)}"

    def slope(layer: int, shift: int = 0) -> str:
        return f"1 - {h(layer, shift)}{w.times}{h(layer, shift)}" if f == r"\tanh" else f"{f}'({inside(layer, shift)})"

    def bent(layer: int, shift: int = 0) -> str:
        return f"({w.d(E, h(layer, shift))}{w.times}({slope(layer, shift)}))"

    def through(weight: str, of: str) -> str:
        return f"({weight}){w.top}{w.space}{of}"

    y, d = w.at("y"), w.at("d")
    total, error = "\\sum_{t=1}^{T} ", f"({y} - {d})"
    equations = [f"{h(layer)} = {f}({inside(layer)})" for layer in (1, 2)]
    equations += [f"{y} = {V}{w.space}{h(2)}", rf"{E} = \frac{{1}}{{2}} {total}\|{y} - {d}\|^2"]
    own1, _, own2, fed2 = weights
    along = through(own1, bent(1, 1))
    top = f"{w.transposed(V)}{w.space}{error}"
    claims = [
        equal(w.d(h(2), h(1)), f"{w.diag(slope(2))}{w.space}{fed2}", f"{w.diag(slope(2))}{w.space}{own2}", f"{w.diag(slope(1))}{w.space}{fed2}"),
        equal(w.d(h(1), h(1, -1)), f"{w.diag(slope(1))}{w.space}{own1}", f"{w.diag(slope(1, -1))}{w.space}{own1}"),
        equal(w.d(E, h(2)), f"{top} + {through(own2, bent(2, 1))}", f"{top} + {through(own2, bent(2))}", f"{top} + {own2}{w.space}{bent(2, 1)}"),
        equal(w.d(E, h(1)), f"{through(fed2, bent(2))} + {along}", through(fed2, bent(2)), f"{through(fed2, bent(2, 1))} + {along}"),
        equal(w.d(E, fed2), *(f"{total}{bent(2)}{w.space}({of}){w.top}" for of in (h(1), h(1, -1)))),
        equal(w.d(E, own1), *(f"{total}{bent(1)}{w.space}({of}){w.top}" for of in (h(1, -1), h(2, -1)))),
        equal(w.d(E, V), *(f"{total}{error}{w.space}({of}){w.top}" for of in (h(2), h(1)))),
    ]
    return equations, [claim for claim in claims if pick([True, True, False])] or claims
