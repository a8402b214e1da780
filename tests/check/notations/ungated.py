"""Cells without gates: independent units, residual ones, leaky rates, linear ones; read out by a matrix or by a vector, with squared errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .nets import equal
from .page import Page
from .writing import Claim, Notation, Pick

STATES = ("h", "s", "v", "x", "r")
TARGETS = (("y", "d"), (r"\hat y", "y"), ("z", "d"), ("q", r"\bar q"), ("y", "y^*"), ("y", r"y^{\ast}"), ("o", "y"))
WEIGHTS = (("W", "U", "V"), ("A", "B", "C"), ("J", "B", "D"), ("W_{hh}", "W_{xh}", "W_{hy}"), (r"W_{\text{rec}}", r"W_{\text{in}}", r"W_{\text{out}}"))
KINDS = ("independent", "residual", "rates", "linear", "leaky")


@dataclass(frozen=True)
class Cell:
    """The letters of a cell and what follows from its kind."""

    w: Page
    kind: str
    W: str  # of the state: a matrix, of independent units a vector
    U: str
    bias: str
    h: str
    a: str
    x: str
    f: str
    leak: str

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        return self.w.at(name, shift, step)

    def target(self, name: str, shift: int = 0, step: str = "") -> str:
        """A target with a star above has its step below."""
        base, star, sign = name.partition("^")
        at = self.at(base, shift, step)
        return f"{base}^{sign}{at.removeprefix(self.w.bold(base))}" if star else at

    def inside(self, shift: int = 0, step: str = "") -> str:
        before = self.at(self.h, shift - 1, step)
        own = f"{self.W}{self.w.times}{before}" if self.kind == "independent" else f"{self.W}{self.w.space}{self.slope_free(shift - 1, step)}"
        return f"{own} + {self.U}{self.w.space}{self.at(self.x, shift, step)}{self.bias}"

    def slope_free(self, shift: int, step: str) -> str:
        return f"{self.f}({self.at(self.h, shift, step)})" if self.kind == "rates" else self.at(self.h, shift, step)

    def equations(self, ahead: int) -> list[str]:
        h, before = self.at(self.h, ahead), self.at(self.h, ahead - 1)
        inner = [f"{self.at(self.a, ahead)} = {self.inside(ahead)}"] if self.kind in ("independent", "residual", "leaky") else []
        active = f"{self.f}({self.at(self.a, ahead)})"
        own = {
            "independent": active, "residual": f"{before} + {active}", "linear": self.inside(ahead),
            "rates": f"(1 - {self.leak}) {before} + {self.leak} ({self.inside(ahead)})", "leaky": f"(1 - {self.leak}) {before} + {self.leak} {active}",
        }[self.kind]  # fmt: skip
        return [*inner, f"{h} = {own}"]

    def bend(self, shift: int = 0, step: str = "") -> str:
        """The slope of the activation, at what it is applied to."""
        return f"{self.f}'({self.at(self.h if self.kind == 'rates' else self.a, shift, step)})"

    def jacobian(self, shift: int = 0, step: str = "") -> tuple[str, ...]:
        """∂h_t/∂h_{t-1}, and what is like it."""
        w, W = self.w, self.W
        here, before = w.diag(self.bend(shift, step)), w.diag(self.bend(shift - 1, step))
        return {
            "independent": (w.diag(f"{W}{w.times}{self.bend(shift, step)}"), w.diag(f"{W}{w.times}{self.bend(shift - 1, step)}"), w.diag(W)),
            "residual": (f"I + {here}{w.space}{W}", f"{here}{w.space}{W}", f"I + {W}{w.space}{here}"),
            "rates": (f"(1 - {self.leak}) I + {self.leak} {W}{w.space}{before}", f"(1 - {self.leak}) I + {self.leak} {W}{w.space}{here}"),
            "linear": (W, self.U, f"I + {W}"),
            "leaky": (f"(1 - {self.leak}) I + {self.leak} {here}{w.space}{W}", f"(1 - {self.leak}) I + {here}{w.space}{W}", f"{self.leak} {here}{w.space}{W}"),
        }[self.kind]

    def back(self, later: str) -> tuple[str, ...]:
        """What comes through the next step, of the gradient there, and what is like it."""
        w, turned = self.w, f"{self.w.transposed(self.W)}{self.w.space}"
        bent, early = f"({later}{w.times}{self.bend(1)})", f"({later}{w.times}{self.bend()})"
        leak, kept = self.leak, f"(1 - {self.leak})"
        return {
            "independent": (f"{self.W}{w.times}{self.bend(1)}{w.times}{later}", f"{self.W}{w.times}{self.bend()}{w.times}{later}"),
            "residual": (f"{later} + {turned}{bent}", f"{turned}{bent}", f"{later} + {self.W}{w.space}{bent}", f"{later} + {turned}{early}"),
            "rates": (f"{kept} {later} + {leak} {self.bend()}{w.times}({turned}{later})", f"{kept} {later} + {self.bend()}{w.times}({turned}{later})"),
            "linear": (f"{turned}{later}", f"{self.W}{w.space}{later}"),
            "leaky": (f"{kept} {later} + {leak} {turned}{bent}", f"{kept} {later} + {leak} {turned}{early}", f"{leak} {turned}{bent}"),
        }[self.kind]

    def local(self, later: str) -> str:
        """The gradient by what the weights give, of that by the state."""
        w = self.w
        bent = f"({later}{w.times}{self.bend()})"
        return {"independent": bent, "residual": bent, "rates": f"{self.leak} {later}", "linear": later, "leaky": f"{self.leak} {bent}"}[self.kind]


def ungated(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = φ(u ⊙ h_{t-1} + W x_t), h_{t-1} + φ(W h_{t-1} + U x_t), (1 - γ) h_{t-1} + γ (W φ(h_{t-1}) + U x_t), ...; E = ½ Σ_t ‖y_t - d_t‖²."""
    assert isinstance(w, Page)
    w = replace(w, times=r" \odot " if "otimes" in w.times else w.times, step="_{%s}" if w.step == "^{%s}" else w.step)
    kind, h = pick(KINDS), pick(STATES)
    y, d = pick([pair for pair in TARGETS if pair[0] != h])
    W, U, V = pick(WEIGHTS)
    W = pick(["u", r"\mathbf{u}", "w", "r"]) if kind == "independent" else W
    alone = pick([False, False, True])
    V = pick(["w", "v", "c"]) if alone else V
    a = pick(["a", "z"])
    taken = {W, V, h, y, a, w.letter}
    if len(taken) < 6 or (w.loss == "J" and "J" in (W, U)):
        W, V, y, d, h, a = "p" if kind == "independent" else "W", "w" if alone else "V", "y", "d", "h", "a"
    x = "i" if h == "x" and w.letter != "i" else "e" if h == "x" else "x"
    cell = Cell(w, kind, W, U, pick(["", " + b"]), h, a, x, pick([r"\phi", "f", r"\tanh", r"\sigma"]), pick([r"\alpha", r"\gamma", r"\lambda"]))
    at, E = cell.at, w.loss
    read = f"{V}{w.top}{w.space}{at(h)}" if alone else f"{V}{w.space}{at(h)}"
    error, square = f"({at(y)} - {cell.target(d)})", f"({at(y)} - {cell.target(d)})^2" if alone else f"\\|{at(y)} - {cell.target(d)}\\|^2"
    total = f"\\sum_{{{w.letter}=1}}^{{T}} "
    half = pick([rf"\frac{{1}}{{2}} {total}{square}", rf"\frac12 {total}{square}", rf"{total}\frac{{{square}}}{{2}}"])
    equations = [*cell.equations(pick([0, 0, 1])), f"{at(y)} = {read}", f"{E} = {half}"]
    by, later, state, k = w.d(E, at(h)), w.d(E, at(h, 1)), w.d(at(h), at(h, -1)), "k" if w.letter != "k" else "m"
    now = f"{error}{w.space}{V}" if alone else f"{w.transposed(V)}{w.space}{error}"
    row, wrong = (f"{w.transposed(at(x, shift))}" for shift in (0, -1))
    claims = [
        equal(state, *cell.jacobian()),
        equal(by, *(f"{now} + {through}" for through in cell.back(later))),
        equal(w.d(E, at(h, step="T")), now.replace(at(y), at(y, step="T")).replace(cell.target(d), cell.target(d, step="T"))),
        equal(w.d(E, U), *(f"{total}{cell.local(by)}{w.space}{of}" for of in (row, wrong))),
        equal(w.d(at(h), at(h, step=k)), *(f"\\prod_{{j={first}}}^{{{w.letter}}} {w.d(at(h, step='j'), at(h, -1, 'j'))}" for first in (f"{k}+1", k))),
    ]
    if alone:
        claims.append(equal(w.d(E, V), *(f"{total}{error}{w.space}{at(h, shift)}" for shift in (0, -1))))
    else:
        claims.append(equal(w.d(E, V), *(f"{total}{error}{w.space}{w.transposed(at(h, shift))}" for shift in (0, -1))))
    if kind != "independent":
        before = {"rates": f"{cell.f}({at(h, -1)}){w.top}"}.get(kind, w.transposed(at(h, -1)))
        claims.append(equal(w.d(E, W), f"{total}{cell.local(by)}{w.space}{before}", f"{total}{cell.local(by)}{w.space}{w.transposed(at(h))}"))
    else:
        claims.append(equal(w.d(E, W), *(f"{total}{by}{w.times}{cell.bend()}{w.times}{at(h, shift)}" for shift in (-1, 0))))
        claims.append(equal(w.d(at(h), at(h, step=k)), *(f"\\prod_{{j={first}}}^{{{w.letter}}} {cell.jacobian(step='j')[0]}" for first in (f"{k}+1", k))))
    return equations, [claim for claim in claims if pick([True, True, False])] or claims
