"""How somebody writes a cell with gates: the names of its weights, preactivations and gradients."""

from __future__ import annotations

from dataclasses import dataclass

from .writing import Claim, Notation, Pick

SIGMOIDS = (r"\sigma", r"\sigma", r"\text{sigmoid}", r"\mathrm{sigm}", r"\sigma_g", r"\operatorname{sigmoid}", "sigmoid")
SQUASHES = (r"\tanh", r"\tanh", "tanh", r"\text{tanh}", r"\phi", "g")
# what stands in a preactivation's name and in its gradient's: a letter, the gate's label, the step
BELOW = ("%(a)s^{%(k)s}_{%(s)s}", "%(a)s_{%(k)s,%(s)s}", "%(a)s_{%(s)s,%(k)s}", "%(a)s_{%(k)s_{%(s)s}}", "%(a)s_%(s)s^{%(k)s}", "%(a)s_{%(s)s}^{(%(k)s)}")
ABOVE = ("%(a)s_%(k)s", "%(a)s_{%(k)s}")
WEIGHTS = (
    ("W_{%s}", "U_{%s}"), ("W_%s", "U_%s"), ("W_{x%s}", "W_{h%s}"), ("W_{%sx}", "W_{%sh}"), ("W_%s", "R_%s"), (r"\mathbf{W}_%s", r"\mathbf{U}_%s"),
    ("W^{(%s)}", "U^{(%s)}"),
)  # fmt: skip
SAID = (
    "We write ${0}v$ for ${1}$, the gradient with respect to $v$.", "For a quantity $v$ let ${0}v = {1}$.", "Throughout, ${0}v$ denotes ${1}$.",
    "Here ${0}v$ stands for the gradient ${1}$ of the loss.",
)  # fmt: skip


@dataclass(frozen=True)
class Gated:
    """The habits of somebody who writes about gates."""

    w: Notation
    rows: bool  # states are rows: x W for W x
    weights: tuple[str, str]
    joint: str  # a state and an input, in one bracket, or nothing where each has a weight
    bias: str
    label: str  # the pattern for preactivations and their gradients
    letter: str  # of preactivations, "" where they have no name
    sign: str  # before a quantity for its gradient, "" for a fraction
    inner: str  # for the gradient at a preactivation: a letter with its label, or "" as for other quantities
    sigma: str
    tanh: str

    def product(self, weight: str, vector: str) -> str:
        return f"{vector}{self.w.space}{weight}" if self.rows else f"{weight}{self.w.space}{vector}"

    def back(self, weight: str, gradient: str) -> str:
        """A gradient behind a weight, W^T g."""
        top = weight + self.w.top if "^" not in weight else f"({weight}){self.w.top}"
        return f"{gradient}{self.w.space}{top}" if self.rows else f"{top}{self.w.space}{gradient}"

    def outer(self, gradient: str, vector: str) -> str:
        """The gradient of a weight, g v^T."""
        if self.rows:
            return f"{self.w.transposed(vector)}{self.w.space}{gradient}"
        return f"{gradient}{self.w.space}{self.w.transposed(vector)}"

    def W(self, label: str) -> str:
        return self.weights[0] % label

    def U(self, label: str) -> str:
        return self.weights[1] % label if not self.joint else f"W_{{{label}h}}"

    def blocks(self, label: str) -> str:
        """A weight by those of the state and of the input, beside each other or above."""
        between = r"\\" if self.rows else "&"
        return rf"\begin{{bmatrix}} {self.U(label)} {between} W_{{{label}x}} \end{{bmatrix}}"

    def together(self, state: str) -> str:
        return self.joint % {"h": state, "x": self.w.at("x")}

    def inside(self, label: str, state: str, behind: str = "") -> str:
        """What a gate is a function of; `behind` is the state's part where it is not just a weight by the state."""
        bias = f" + {self.bias % label}" if self.bias else ""
        if self.joint and not behind:
            return self.product(self.W(label), self.together(state)) + bias
        return f"{self.product(self.W(label), self.w.at('x'))} + {behind or self.product(self.U(label), state)}{bias}"

    def named(self, letter: str, label: str, shift: int = 0) -> str:
        step = self.w.letter + (f"{shift:+d}" if shift else "")
        inside = step if self.w.step != "_{(%s)}" else f"({step})"
        return self.label % {"a": letter, "k": label, "s": inside} + ("" if "%(s)s" in self.label else self.w.step % step)

    def pre(self, label: str, shift: int = 0) -> str:
        return self.named(self.letter, label, shift)

    def gate(self, of: str, label: str, function: str, inside: str) -> list[str]:
        """Its equation, or those of its preactivation and of itself."""
        if not self.letter:
            return [f"{of} = {function}({inside})"]
        return [f"{self.pre(label)} = {inside}", f"{of} = {function}({self.pre(label)})"]

    def by(self, quantity: str) -> str:
        """The gradient of the loss by it."""
        return f"{self.sign}{quantity}" if self.sign else self.w.d(self.w.loss, quantity)

    def by_pre(self, label: str, shift: int = 0) -> str:
        return self.named(self.inner, label, shift) if self.inner else self.by(self.pre(label, shift))

    def slope(self, pick: Pick, gate: str, label: str, tanh: bool = False) -> str:
        """Of a gate or a candidate, in its own value or at its preactivation."""
        function = self.tanh if tanh else self.sigma
        unknown = tanh and "tanh" not in function
        if self.letter and (unknown or pick([False, False, True])):
            return f"{function}'({self.pre(label)})"
        return f"(1 - {self.w.squared(gate)})" if tanh else f"{gate}{self.w.times}(1 - {gate})"

    def introduced(self, pick: Pick, labels: str) -> list[str]:
        """What the symbols for gradients stand for."""
        found = [pick(SAID).format(self.sign, self.w.d(self.w.loss, "v")) + "\n\n"] if self.sign else []
        return found + [f"{self.by_pre(label)} = {self.w.d(self.w.loss, self.pre(label))}" for label in labels if self.inner]


def gated(w: Notation, pick: Pick, taken: str) -> Gated:
    """Letters that are `taken` are no names for preactivations."""
    letter = pick(["", *(a for a in ("a", "s", "p", "v", "q", r"\mathrm{net}", "net", r"\alpha", "u", "m") if a not in taken)])
    below = w.step.startswith("_")
    joint = pick(["", "", "[%(h)s, %(x)s]", "[%(h)s; %(x)s]", r"\begin{bmatrix} %(h)s \\ %(x)s \end{bmatrix}"])
    sign = pick(["", "", "", r"\delta ", "d", r"\mathrm{d}"])
    tanh = pick(SQUASHES) if letter and "g" not in taken else pick([s for s in SQUASHES if "tanh" in s])
    return Gated(
        w,
        rows=pick([False, False, True]),
        weights=pick(WEIGHTS[:2] if joint else WEIGHTS),
        joint=joint,
        bias=pick(["", "b_%s", "b_{%s}"]),
        label=pick(BELOW if below else ABOVE),
        letter=letter,
        sign=sign,
        inner=letter and pick(["", "", *([r"\delta"] if "delta" not in sign else [])]),
        sigma=pick(SIGMOIDS),
        tanh=tanh,
    )


def some(pick: Pick, claims: list[Claim], count: int = 6) -> list[Claim]:
    """So many of the claims, in their order."""
    left = list(range(len(claims)))
    while len(left) > count:
        left.pop(pick(range(len(left))))
    return [claims[n] for n in left]


def slipped(true: str, *changes: tuple[str, str]) -> Claim:
    """A claim with slips: one thing written for another on its right, where it stands there."""
    left, sign, right = true.partition(" = ")
    wrong = [left + sign + right.replace(old, new, 1) for old, new in changes if old in right]
    return true, tuple(slip for slip in wrong if slip != true)
