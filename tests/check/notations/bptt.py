"""Backpropagation through time, with outputs and losses."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
            return f"1 - {self.w.squared(h) if self.square == '2' else f'{h}{self.w.times}{h}'}"
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


def of_outputs(net: Net) -> list[Claim]:
    w, (W, _, V), error, at = net.w, net.weights, net.error(), net.at
    each = f"\\sum_{{{w.letter}}} "
    claims = [
        equal(w.d(w.loss, V), f"{each}{error}{w.space}{w.transposed(at('h'))}", f"{each}{error}{w.space}{w.transposed(at('h', -1))}"),
        equal(w.d(w.loss, at("h", step="T")), f"{w.transposed(V)}{w.space}{net.error('T')}"),
        equal(w.d(net.each(), at("h")), f"{w.transposed(V)}{w.space}{error}", f"{w.transposed(W)}{w.space}{error}"),
        equal(w.d(w.loss, V), f"\\sum_{{{w.letter}}} {w.d(net.each(), V)}"),
    ]
    if net.biases[1]:
        claims.append(equal(w.d(w.loss, net.biases[1][3:]), f"{each}{error}"))
    if net.kind != "any" and (net.letters["o"] or net.kind == "squares"):
        o, p, y = at("o" if net.letters["o"] else "p"), at("p"), at("y")
        claims += [equal(w.d(w.loss, o), f"{p} - {y}", f"{y} - {p}", f"{p}"), equal(w.d(net.each(), o), f"{p} - {y}", f"{y} - {p}")]
        claims.append(equal(w.d(o, at("h")), V, W))
    return claims


def of_states(net: Net) -> list[Claim]:
    w, (W, U, V), at = net.w, net.weights, net.at
    here, later = w.diag(net.slope()), w.diag(net.slope(1))
    now, after = f"{w.transposed(V)}{w.space}{net.error()}", w.d(w.loss, at("h", 1))
    jacobian, following, by_h = w.d(at("h"), at("h", -1)), w.d(at("h", 1), at("h")), w.d(w.loss, at("h"))
    back = f"{w.transposed(W)}{w.space}"
    k, j = [letter for letter in "kmj" if letter != w.letter][:2]
    whole, product = w.d(at("h"), at("h", step=k)), f"\\prod_{{{j}=%s}}^{{{w.letter}}} "
    factor, steps = f"{w.diag(net.slope(step=j))}{w.space}", w.d(at("h", step=j), at("h", -1, j))
    claims = [
        equal(jacobian, f"{here}{w.space}{W}", f"{W}{w.space}{here}", f"{w.diag(net.slope(-1))}{w.space}{W}", f"{here}{w.space}{U}", W),
        equal(by_h, f"{now} + {w.transposed(following)} {after}", f"{now} + {w.transposed(following)} {by_h}"),
        equal(by_h, f"{now} + {back}{later}{w.space}{after}", f"{now} + {W}{w.space}{later}{w.space}{after}", f"{now} + {back}{here}{w.space}{after}"),
        equal(by_h, f"{now} + {back}({after}{w.times}({net.slope(1)}))", f"{now} + {back}({by_h}{w.times}({net.slope(1)}))", f"{now} + {back}{after}"),
        equal(whole, f"{product % f'{k}+1'}{factor}{W}", f"{product % k}{factor}{W}", f"{product % f'{k}+2'}{factor}{W}"),
        equal(f"{whole} = {product % f'{k}+1'}{steps}", f"{product % f'{k}+1'}{factor}{W}", f"{product % f'{k}+1'}{factor}{U}"),
    ]
    if net.letters["a"]:
        inner, step = w.d(at("h"), at("a")), w.d(at("a"), at("h", -1))
        claims += [equal(inner, here), equal(step, W, U), equal(jacobian, *(f"{inner}{w.dot}{step} = {here}{w.space}{by}" for by in (W, U)))]
    return claims


def of_sums(net: Net) -> list[Claim]:
    """The chain from a loss back to each use of a weight."""
    w, W, at = net.w, net.weights[0], net.at
    k, j = [letter for letter in "kmj" if letter != w.letter][:2]
    loss, total = w.d(net.each(), W), w.d(w.loss, W)
    head = w.dot.join([w.d(net.each(), at("p")), w.d(at("p"), at("h"))])
    claims = [equal(total, f"\\sum_{{{w.letter}=1}}^{{T}} {loss}"), equal(loss, f"{head}{w.dot}{w.d(at('h'), W)}", f"{head}{w.dot}{w.d(at('h', -1), W)}")]
    if w.nabla:
        return claims[:1]
    if "partial" not in w.fraction:
        return claims
    third = [w.d(at("h", step=str(n)), at("h", step=str(n - 1))) for n in (3, 2)]
    uses = [w.dot.join([w.d(net.each("3"), at("h", step="3")), *third[: 3 - n], w.d(at("h", step=str(n)), W).replace("partial", "partial^+", 1)]) for n in (3, 2, 1)]
    if w.step != "^{%s}":
        claims.append(equal(w.d(net.each("3"), W), " + ".join(uses), " + ".join(uses[:2]), " + ".join((uses[0], uses[2]))))
    direct, here = (w.d(at("h", step=step), W).replace("partial", "partial^+", 1) for step in (k, ""))
    parts = f"\\sum_{{{k}=1}}^{{{w.letter}}} {head}{w.dot}%s{w.dot}{direct}"
    whole, product = w.d(at("h"), at("h", step=k)), f"\\left(\\prod_{{{j}=%s}}^{{{w.letter}}} {w.d(at('h', step=j), at('h', -1, j))}\\right)"
    past = f"{w.d(at('h'), at('h', -1))}{w.dot}"
    return [
        *claims,
        equal(loss, parts % whole, (parts % whole).replace("=1}", "=2}", 1)),
        equal(loss, parts % (product % f"{k}+1"), parts % (product % k)),
        equal(total, f"\\sum_{{{w.letter}=1}}^{{T}} {parts % whole}"),
        equal(w.d(at("h"), W), f"{here} + {past}{w.d(at('h', -1), W)}", f"{here} + {past}{w.d(at('h'), W)}"),
    ]


def of_chains(net: Net) -> list[Claim]:
    """Derivations with several relations."""
    w, (W, _, V), at, error = net.w, net.weights, net.at, net.error()
    o = at("o" if net.letters["o"] else "p")
    raw = w.d(w.loss, o) if net.letters["o"] or net.kind != "softmax" else ""
    later, after, by_h = w.diag(net.slope(1)), w.d(w.loss, at("h", 1)), w.d(w.loss, at("h"))
    back, next_one, each = f"{w.transposed(W)}{w.space}", w.transposed(w.d(at("h", 1), at("h"))), f"\\sum_{{{w.letter}=1}}^{{T}} "
    claims = []
    if raw:
        by_o, twice = w.d(o, at("h")), f"{w.transposed(w.d(o, at('h')))} {raw} + {next_one} {after}"
        column, wrong = (f"{w.transposed(V)}{w.space}{error} + {by}{later}{w.space}{after}" for by in (back, f"{W}{w.space}"))
        claims += [
            equal(by_h, f"{twice} = {column}", f"{twice} = {wrong}"),
            equal(w.d(net.each(), at("h")), *(f"{w.transposed(by_o)} {w.d(net.each(), o)} = {by}{w.space}{error}" for by in (w.transposed(V), w.transposed(W)))),
        ]
    if raw and not w.nabla:
        claims.append(equal(w.d(w.loss, V), *(f"{each}{raw}{w.dot}{w.d(o, V)} = {each}{error}{w.space}{w.transposed(at('h', k))}" for k in (0, -1))))
    if net.letters["a"]:
        local, by_a = w.transposed(w.d(at("h"), at("a"))), w.d(w.loss, at("a"))
        claims += [
            equal(by_a, *(f"{local} {by_h} = {by_h}{w.times}({net.slope(k)})" for k in (0, 1))),
            equal(at("delta"), *(f"{by_h}{w.times}({net.slope(k)})" for k in (0, 1))),
        ]
    if net.letters["a"] and not w.nabla:
        uses = f"{each}{w.d(w.loss, at('a'))}{w.dot}{w.d(at('a'), W)}"
        claims.append(equal(w.d(w.loss, W), *(f"{uses} = {each}{w.d(w.loss, at('a'))}{w.space}{w.transposed(at('h', k))}" for k in (-1, 0))))
    return claims


def of_errors(net: Net) -> list[Claim]:
    w, (W, U, V), at = net.w, net.weights, net.at
    delta, sums = at("delta"), f"\\sum_{{{w.letter}=1}}^{{T}} {at('delta')}"
    inner, wrong = (f"{w.transposed(V)}{w.space}{net.error()} + {back}{w.space}{at('delta', 1)}" for back in (w.transposed(W), W))
    claims = [
        equal(delta, f"({inner}){w.times}({net.slope()})", f"({wrong}){w.times}({net.slope()})", f"({inner}){w.times}({net.slope(1)})"),
        equal(delta, f"{w.diag(net.slope())}{w.space}({inner})", inner, f"{w.diag(net.slope())}{w.space}({wrong})"),
        equal(w.d(w.loss, W), f"{sums}{w.space}{w.transposed(at('h', -1))}", f"{sums}{w.space}{w.transposed(at('h'))}"),
        equal(w.d(w.loss, U), f"{sums}{w.space}{w.transposed(at('x'))}", f"{sums.replace(delta, at('delta', 1))}{w.space}{w.transposed(at('x'))}"),
        equal(w.d(w.loss, at("x")), f"{w.transposed(U)}{w.space}{delta}", f"{U}{w.space}{delta}", f"{w.transposed(U)}{w.space}{at('delta', 1)}"),
        equal(w.d(w.loss, at("h", step="0")), f"{w.transposed(W)}{w.space}{at('delta', step='1')}", f"{W}{w.space}{at('delta', step='1')}"),
        equal(w.d(w.loss, at("h")), inner, wrong),
        equal(at("delta", step="T"), f"({w.transposed(V)}{w.space}{net.error('T')}){w.times}({net.slope(step='T')})"),
    ]
    if net.biases[0]:
        claims.append(equal(w.d(w.loss, net.biases[0][3:]), sums, f"{sums}{w.space}{w.transposed(at('h', -1))}"))
    return claims


def of_the_last(net: Net) -> list[Claim]:
    """Where the loss looks at the last step alone."""
    w, (W, _, V), at, T = net.w, net.weights, net.at, "T"
    by_h, after, by_last, error = w.d(w.loss, at("h")), w.d(w.loss, at("h", 1)), w.d(w.loss, at("h", step=T)), net.error(T)
    back, later, following = f"{w.transposed(W)}{w.space}", w.diag(net.slope(1)), w.transposed(w.d(at("h", 1), at("h")))
    whole, each = w.d(at("h", step=T), at("h")), f"{w.diag(net.slope(step='j'))}{w.space}{W}"
    claims = [
        equal(by_last, f"{w.transposed(V)}{w.space}{error}"),
        equal(w.d(w.loss, V), f"{error}{w.space}{w.transposed(at('h', step=T))}", f"{error}{w.space}{w.transposed(at('h', -1, T))}"),
        equal(by_h, f"{following}{w.space}{after}", f"{following}{w.space}{by_h}"),
        equal(by_h, f"{back}{later}{w.space}{after}", f"{W}{w.space}{later}{w.space}{after}", f"{back}{w.diag(net.slope())}{w.space}{after}"),
        equal(by_h, f"{back}({after}{w.times}({net.slope(1)}))", f"{back}({after}{w.times}({net.slope()}))", f"{back}{after}"),
        equal(whole, f"\\prod_{{j={w.letter}+1}}^{{T}} {each}", f"\\prod_{{j={w.letter}}}^{{T}} {each}"),
    ]
    if not w.nabla:
        claims.append(equal(by_h, f"{by_last}{w.dot}{whole}"))
    if "partial" in w.fraction and not w.nabla:
        direct = w.d(at("h"), W).replace("partial", "partial^+", 1)
        claims.append(equal(w.d(w.loss, W), *(f"\\sum_{{{w.letter}={first}}}^{{T}} {by_last}{w.dot}{whole}{w.dot}{direct}" for first in "12")))
    if net.letters["a"]:
        delta = at("delta")
        sums = f"\\sum_{{{w.letter}=1}}^{{T}} {delta}{w.space}"
        claims += [
            equal(delta, *(f"({by}{at('delta', 1)}){w.times}({net.slope(k)})" for by, k in ((back, 0), (f"{W}{w.space}", 0), (back, 1)))),
            equal(at("delta", step=T), f"({w.transposed(V)}{w.space}{error}){w.times}({net.slope(step=T)})"),
            equal(w.d(w.loss, W), f"{sums}{w.transposed(at('h', -1))}", f"{sums}{w.transposed(at('h'))}"),
        ]
    return claims


def of_rows(net: Net) -> list[Claim]:
    w, (W, U, V), at, error = net.w, net.weights, net.at, net.error()
    each, now, after, by_h = f"\\sum_{{{w.letter}=1}}^{{T}} ", f"{error}{w.space}{w.transposed(V)}", w.d(w.loss, at("h", 1)), w.d(w.loss, at("h"))
    back, wrong = f"{w.space}{w.transposed(W)}", f"{w.space}{W}"
    then, local = f"({after}{w.times}({net.slope(1)}))", f"({by_h}{w.times}({net.slope()}))"
    claims = [
        equal(w.d(w.loss, V), f"{each}{w.transposed(at('h'))}{w.space}{error}", f"{each}{w.transposed(at('h', -1))}{w.space}{error}"),
        equal(w.d(w.loss, at("h", step="T")), f"{net.error('T')}{w.space}{w.transposed(V)}"),
        equal(by_h, f"{now} + {then}{back}", f"{now} + {then}{wrong}", f"{now} + ({by_h}{w.times}({net.slope(1)})){back}"),
        equal(w.d(w.loss, W), f"{each}{w.transposed(at('h', -1))}{w.space}{local}", f"{each}{w.transposed(at('h'))}{w.space}{local}"),
        equal(w.d(w.loss, U), f"{each}{w.transposed(at('x'))}{w.space}{local}"),
    ]
    if net.letters["a"]:
        delta, later = at("delta"), at("delta", 1)
        claims += [
            equal(delta, *(f"({now} + {later}{by}){w.times}({net.slope(k)})" for by, k in ((back, 0), (wrong, 0), (back, 1)))),
            equal(by_h, f"{now} + {later}{back}", f"{now} + {later}{wrong}"),
            equal(w.d(w.loss, W), f"{each}{w.transposed(at('h', -1))}{w.space}{delta}", f"{each}{w.transposed(at('h'))}{w.space}{delta}"),
            equal(w.d(w.loss, U), f"{each}{w.transposed(at('x'))}{w.space}{delta}", f"{each}{w.transposed(at('x'))}{w.space}{later}"),
            equal(w.d(w.loss, at("x")), f"{delta}{w.space}{w.transposed(U)}", f"{later}{w.space}{w.transposed(U)}"),
        ]
    return claims


def of_row_gradients(net: Net) -> list[Claim]:
    """Gradients are rows, as in numerator layout."""
    w, (W, U, V), at = net.w, net.weights, net.at
    by_h, after, by_o = w.d(w.loss, at("h")), w.d(w.loss, at("h", 1)), w.d(w.loss, at("p"))
    here, later, following = w.diag(net.slope()), w.diag(net.slope(1)), w.d(at("h", 1), at("h"))
    now, last = f"{by_o}{w.space}{V}", w.d(w.loss, at("h", step="T"))
    whole, each = w.d(at("h", step="T"), at("h")), f"{w.diag(net.slope(step='j'))}{w.space}{W}"
    return [
        equal(w.d(at("h"), at("h", -1)), f"{here}{w.space}{W}", f"{W}{w.space}{here}", f"{here}{w.space}{w.transposed(W)}"),
        equal(by_h, f"{now} + {after}{w.dot}{following}", f"{now} + {by_h}{w.dot}{following}"),
        equal(by_h, f"{now} + {after}{w.space}{later}{w.space}{W}", f"{now} + {after}{w.space}{later}{w.space}{w.transposed(W)}", f"{now} + {after}{w.space}{here}{w.space}{W}"),
        equal(w.d(net.each(), at("h")), f"{w.d(net.each(), at('p'))}{w.space}{V}"),
        equal(last, f"{w.d(w.loss, at('p', step='T'))}{w.space}{V}"),
        equal(w.d(w.loss, at("x")), f"{by_h}{w.space}{here}{w.space}{U}", f"{by_h}{w.space}{here}{w.space}{w.transposed(U)}", f"{after}{w.space}{here}{w.space}{U}"),
        equal(whole, f"\\prod_{{j={w.letter}+1}}^{{T}} {each}", f"\\prod_{{j={w.letter}}}^{{T}} {each}"),
    ]


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
    equations = [f"{net.at('a')} = {net.inside()}"] if inner else []
    equations.append(f"{net.at('h')} = {net.function}({net.at('a') if inner else net.inside()})")
    equations += [f"{o} = {linear}"] if letters["o"] else []
    softmax = pick([r"\operatorname{softmax}", r"\text{softmax}", r"\mathrm{softmax}", "softmax"])
    equations.append(f"{p} = {softmax}({o if letters['o'] else linear})" if net.kind == "softmax" else f"{p} = {linear}")
    losses = {
        "softmax": net.entropies(p, y),
        "squares": (f"\\frac{{1}}{{2}} \\| {p} - {y} \\|^2", f"\\frac12 \\lVert {y} - {p} \\rVert_2^2", f"\\tfrac{{1}}{{2}} \\|{y} - {p}\\|_2^2"),
        "any": (f"l({p}, {y})",),
    }[net.kind]
    loss = losses[pick(range(len(losses)))]
    if last:
        return [*equations, f"The loss looks at the last step alone, ${w.loss} = {loss}$." if pick([False, True]) else f"{w.loss} = {loss}"]
    each, total = f"{net.each()} = {loss}", f"{w.loss} = \\sum_{{{w.letter}=1}}^{{T}} {net.each()}"
    told = {"in displays": [each, total], "in words": [f"The loss is ${total}$ with ${each}$."], "behind": [total, f"where ${each}$ is the loss of a step."]}
    return equations + told[pick([*told])]


def bptt(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = φ(W h_{t-1} + U x_t + b), p_t = softmax(V h_t + c), L = Σ_t L_t."""
    net = net_of(Net, w, pick)
    equations, claims = forward(net, pick), [*of_outputs(net), *of_states(net), *of_sums(net), *of_chains(net)]
    if net.letters["a"]:
        equations.append(net.introduced())
        claims += of_errors(net)
    return equations, [claim for claim in claims if pick([True, False])]


def bptt_last(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """The same, with a loss of the last output alone."""
    w = replace(w, step="^{(%s)}") if w.step == "^{%s}" else w  # else ``h^T`` is transposed
    net = net_of(Net, w, pick)
    equations, claims = forward(net, pick, last=True), of_the_last(net)
    if net.letters["a"]:
        equations.append(net.introduced())
    return equations, [claim for claim in claims if pick([True, False])] or claims


def bptt_rows(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = φ(x_t U + h_{t-1} W + b), p_t = softmax(h_t V + c): vectors are rows, or the examples of a batch are."""
    net = net_of(Rows, w, pick)
    if pick([False, True]):
        examples = {"h": "H", "a": "Z" if net.letters["a"] else "", "x": "X", "o": "", "p": "O", "y": "Y", "delta": r"\delta"}
        net = replace(net, letters=examples, kind="any")
    equations, claims = forward(net, pick), of_rows(net)
    if net.letters["a"]:
        equations.append(net.introduced())
    return equations, [claim for claim in claims if pick([True, False])] or claims


def bptt_numerator(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """The same with gradients that are rows."""
    assert isinstance(w, Page)
    net = replace(net_of(Net, replace(w, nabla=False), pick), kind="any")
    net = replace(net, letters=net.letters | {"o": ""})
    equations, claims = forward(net, pick), of_row_gradients(net)
    return equations, [claim for claim in claims if pick([True, False])] or claims


def bptt_inside(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """x_t = W φ(x_{t-1}) + U u_t + b: the state is what the activation is applied to."""
    assert isinstance(w, Page)
    w = replace(w, nabla=False)
    W, U, _ = pick(WEIGHTS)
    f, (x, u) = pick([r"\sigma", r"\tanh", r"\phi", "f", "F"]), pick([("x", "u"), ("h", "x"), ("z", "x"), ("s", "x")])
    loss, k, j = w.loss + w.step % w.letter, *[letter for letter in "kmj" if letter != w.letter][:2]

    def slope(shift: int = 0, step: str = "") -> str:
        return w.diag(f"{f}'({w.at(x, shift, step)})")

    bias, by_x, after, back = pick(["", " + b"]), w.d(w.loss, w.at(x)), w.d(w.loss, w.at(x, 1)), w.transposed(W)
    equations = [f"{w.at(x)} = {W}{w.space}{f}({w.at(x, -1)}) + {U}{w.space}{w.at(u)}{bias}"]
    equations.append(f"{w.loss} = \\sum_{{{w.letter}=1}}^{{T}} {loss}")
    whole, product, steps = w.d(w.at(x), w.at(x, step=k)), f"\\prod_{{{j}=%s}}^{{{w.letter}}} ", w.d(w.at(x, step=j), w.at(x, -1, j))
    claims = [
        equal(w.d(w.at(x), w.at(x, -1)), f"{W}{w.space}{slope(-1)}", f"{slope(-1)}{w.space}{W}", f"{W}{w.space}{slope()}", f"{back}{w.space}{slope(-1)}"),
        equal(whole, f"{product % f'{k}+1'}{W}{w.space}{slope(-1, j)}", f"{product % f'{k}+1'}{W}{w.space}{slope(0, j)}", f"{product % k}{W}{w.space}{slope(-1, j)}"),
        equal(whole, f"{product % f'{k}+1'}{steps}", f"{product % k}{steps}"),
        equal(by_x, f"{w.d(loss, w.at(x))} + {slope()}{w.space}{back}{w.space}{after}", f"{w.d(loss, w.at(x))} + {slope()}{w.space}{W}{w.space}{after}"),
        equal(w.d(w.loss, U), f"\\sum_{{{w.letter}=1}}^{{T}} {by_x}{w.space}{w.transposed(w.at(u))}", f"\\sum_{{{w.letter}=1}}^{{T}} {after}{w.space}{w.transposed(w.at(u))}"),
        equal(w.d(w.loss, W), f"\\sum_{{{w.letter}=1}}^{{T}} {by_x}{w.space}{f}({w.at(x, -1)}){w.top}", f"\\sum_{{{w.letter}=1}}^{{T}} {by_x}{w.space}{w.transposed(w.at(x, -1))}"),
    ]
    if "partial" in w.fraction:
        direct = w.d(w.at(x, step=k), W).replace("partial", "partial^+", 1)
        claims.append(equal(w.d(loss, W), *(f"\\sum_{{{k}={n}}}^{{{w.letter}}} {w.d(loss, w.at(x))}{w.dot}{whole}{w.dot}{direct}" for n in "12")))
    return equations, [claim for claim in claims if pick([True, False])] or claims
