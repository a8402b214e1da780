"""Recurrent networks with outputs and losses: their letters and their equations."""

from __future__ import annotations

from dataclasses import dataclass

from .page import Page
from .writing import Claim, Notation, Pick

WEIGHTS = (
    ("W", "U", "V"), ("U", "W", "V"), ("W_{hh}", "W_{xh}", "W_{hy}"), ("W_h", "W_x", "W_y"), ("A", "B", "C"), ("R", "W", "V"), (r"\Theta", r"\Phi", r"\Psi"),
    (r"W_{\text{rec}}", r"W_{\text{in}}", r"W_{\text{out}}"), ("W_{aa}", "W_{ax}", "W_{ya}"), ("W_{ss}", "W_{sx}", "W_{os}"), ("W^{hh}", "W^{hx}", "W^{yh}"),
    (r"\mathbf{W}_{hh}", r"\mathbf{W}_{hx}", r"\mathbf{W}_{yh}"), ("W^{(h)}", "W^{(x)}", "W^{(y)}"), (r"\boldsymbol{W}", r"\boldsymbol{U}", r"\boldsymbol{V}"),
)  # fmt: skip
STATES = (("h", ""), ("s", ""), ("h", "a"), ("h", "z"), ("s", "z"), ("a", ""), ("h", "u"), ("a", "z"), ("h", r"\mathrm{net}"))
OUTPUTS = (
    ("o", r"\hat y", "y"), ("q", r"\hat y", "y"), ("o", "p", "y"), ("o", "y", "d"), ("q", "p", "d"), ("v", "y", r"\hat y"), ("", r"\hat y", "y"),
    ("o", "y", r"\bar y"), ("o", r"\hat y", "y"),
)  # fmt: skip
BIASES = (("", ""), (" + b", " + c"), (" + b_h", " + b_y"), (" + b_h", ""), (r" + \mathbf{b}", r" + \mathbf{c}"), ("", " + c"))
ERRORS = (r"\delta", "e", r"\epsilon", "g", r"\gamma")
FUNCTIONS = (r"\tanh", r"\sigma", r"\phi", "f", r"\text{tanh}", "tanh", r"\operatorname{tanh}", r"\varphi", "F")


@dataclass(frozen=True)
class Net:
    """The letters: of the weights, the biases, the state, its preactivation, the output, what it is made of, its target, ∂L/∂a_t."""

    w: Page
    weights: tuple[str, str, str]
    biases: tuple[str, str]
    letters: dict[str, str]
    function: str
    kind: str  # of the loss
    square: str  # of a slope, "" where it stands as f'(a)

    def at(self, what: str, shift: int = 0, step: str = "") -> str:
        return self.w.at(self.letters[what], shift, step)

    def inside(self, shift: int = 0, step: str = "") -> str:
        W, U, _ = self.weights
        return f"{W}{self.w.space}{self.at('h', shift - 1, step)} + {U}{self.w.space}{self.at('x', shift, step)}{self.biases[0]}"

    def each(self, step: str = "") -> str:
        return self.w.loss + self.w.step % (step or self.w.letter)

    def linear(self, step: str = "") -> str:
        return f"{self.weights[2]}{self.w.space}{self.at('h', step=step)}{self.biases[1]}"

    def entropies(self, p: str, y: str) -> tuple[str, ...]:
        return f"-{self.w.transposed(y)} \\log {p}", f"-{self.w.transposed(y)} \\log({p})"

    def introduced(self) -> str:
        return self.w.introduce(self.at("delta"), self.w.d(self.w.loss, self.at("a")))

    def slope(self, shift: int = 0, step: str = "") -> str:
        if "tanh" in self.function and self.square:
            h = self.at("h", shift, step)
            return f"1 - {self.w.squared(h) if self.square == '2' or 'otimes' in self.w.times else f'{h}{self.w.times}{h}'}"
        return f"{self.function}'({self.at('a', shift, step) if self.letters['a'] else self.inside(shift, step)})"

    def error(self, step: str = "") -> str:
        """∂L_t/∂o_t, as it comes out."""
        o = self.letters["o"] or self.letters["p"]
        return self.w.d(self.w.loss, self.w.at(o, 0, step)) if self.kind == "any" else f"({self.at('p', 0, step)} - {self.at('y', 0, step)})"


@dataclass(frozen=True)
class Rows(Net):
    """The same where vectors are rows."""

    def inside(self, shift: int = 0, step: str = "") -> str:
        W, U, _ = self.weights
        return f"{self.at('x', shift, step)}{self.w.space}{U} + {self.at('h', shift - 1, step)}{self.w.space}{W}{self.biases[0]}"

    def linear(self, step: str = "") -> str:
        return f"{self.at('h', step=step)}{self.w.space}{self.weights[2]}{self.biases[1]}"

    def entropies(self, p: str, y: str) -> tuple[str, ...]:
        return (f"-\\log({p}){self.w.space}{self.w.transposed(y)}",)


def equal(left: str, right: str, *slips: str) -> Claim:
    return f"{left} = {right}", tuple(f"{left} = {slip}" for slip in slips)


def net_of(kind_of: type[Net], w: Notation, pick: Pick) -> Net:
    """The letters that somebody chooses."""
    assert isinstance(w, Page)
    kind = pick(["softmax", "softmax", "squares", "any"])
    state, inner = pick([pair for pair in STATES if w.letter not in pair])
    raw, out, target = pick([names for names in OUTPUTS if state not in names and names[0] != inner])
    letters = {"h": state, "a": inner, "x": "x", "o": raw if kind == "softmax" else "", "p": out, "y": target, "delta": pick(ERRORS)}
    return kind_of(w, pick(WEIGHTS), pick(BIASES), letters, pick(FUNCTIONS), kind, pick(["", "2", "times"]))


def forward(net: Net, pick: Pick, last: bool = False) -> list[str]:
    """The equations of the network and of its loss, that of the last step alone or of all."""
    w, letters, step = net.w, net.letters, "T" if last else ""
    p, y, o, inner, linear = net.at("p", step=step), net.at("y", step=step), net.at("o", step=step), letters["a"], net.linear(step)
    ahead = pick([0, 0, 0, 1])  # ``h_{t+1} = \tanh(W h_t + U x_{t+1})``
    equations = [f"{net.at('a', ahead)} = {net.inside(ahead)}"] if inner else []
    equations.append(f"{net.at('h', ahead)} = {net.function}({net.at('a', ahead) if inner else net.inside(ahead)})")
    equations += [f"{o} = {linear}"] if letters["o"] else []
    softmax = pick([r"\operatorname{softmax}", r"\text{softmax}", r"\mathrm{softmax}", "softmax"])
    equations.append(f"{p} = {softmax}({o if letters['o'] else linear})" if net.kind == "softmax" else f"{p} = {linear}")
    losses = {
        "softmax": net.entropies(p, y),
        "squares": (
            f"\\frac{{1}}{{2}} \\| {p} - {y} \\|^2", f"\\frac12 \\lVert {y} - {p} \\rVert_2^2", f"\\tfrac{{1}}{{2}} \\|{y} - {p}\\|_2^2",
            f"\\frac{{\\|{p} - {y}\\|^2}}{{2}}", f"\\frac{{({y} - {p})^2}}{{2}}", f"\\frac12 ({p} - {y})^2",
        ),
        "any": (f"l({p}, {y})",),
    }[net.kind]
    loss = losses[pick(range(len(losses)))]
    if last:
        return [*equations, f"The loss looks at the last step alone, ${w.loss} = {loss}$." if pick([False, True]) else f"{w.loss} = {loss}"]
    each, total = f"{net.each()} = {loss}", f"{w.loss} = \\sum_{{{w.letter}=1}}^{{T}} {net.each()}"
    told = {"in displays": [each, total], "in words": [f"The loss is ${total}$ with ${each}$."], "behind": [total, f"where ${each}$ is the loss of a step."]}
    return equations + told[pick([*told])]
