"""A short sequence whose steps are told by number, with a loss at its end: vectors, or the numbers of a worked example."""

from __future__ import annotations

from dataclasses import replace

from .nets import FUNCTIONS, Net, equal, net_of
from .page import Page
from .writing import Claim, Notation, Pick

LAST = 3
SCALARS = (("w", "u", "v"), ("w_h", "w_x", "w_y"), ("w_{hh}", "w_{xh}", "w_{hy}"), ("u", "w", "v"), ("W", "U", "V"))
SAID = ("All quantities are scalars, $x_1$ too.", "To keep things simple, everything here is a number, as $y$ is.", "A scalar network: $n = 1$.")
ENDS = {
    "squares": ("{o}", (r"\frac{{1}}{{2}} ({p} - {y})^2", r"\frac12 ({y} - {p})^2", r"\tfrac{{1}}{{2}} \| {p} - {y} \|^2", r"\frac{{({p} - {y})^2}}{{2}}")),
    "logistic": (
        r"\sigma({o})",
        (r"-y \log {p} - (1 - y) \log (1 - {p})", r"-[y \log({p}) + (1 - y)\log(1 - {p})]", r"-\left(y \ln {p} + (1 - y) \ln(1 - {p})\right)"),
    ),
    "softmax": (r"\operatorname{{softmax}}({o})", (r"-{y}^\top \log {p}", r"-\sum_i {y}_i \log {p}_i")),
}


def recurrence(net: Net, pick: Pick) -> list[str]:
    """The steps one by one, or one for all of them."""
    inner, steps = net.letters["a"], [str(n) for n in range(1, LAST + 1)]
    if pick([False, True]):
        pairs = [(f"{net.at('a', step=n)} = {inside(net, n)}" if inner else "", n) for n in steps]
        return [e for own, n in pairs for e in (own, f"{net.at('h', step=n)} = {net.function}({net.at('a', step=n) if inner else inside(net, n)})") if e]
    whole = [f"{net.at('a')} = {net.inside()}"] if inner else []
    return [*whole, f"{net.at('h')} = {net.function}({net.at('a') if inner else net.inside()})", f"The sequence has $T = {LAST}$ steps."]


def inside(net: Net, step: str) -> str:
    """The argument at a step by number."""
    W, U, _ = net.weights
    return f"{W}{net.w.space}{net.at('h', step=str(int(step) - 1))} + {U}{net.w.space}{net.at('x', step=step)}{net.biases[0]}"


def slope(net: Net, step: int) -> str:
    if "tanh" in net.function and net.square:
        return f"1 - {net.w.squared(net.at('h', step=str(step)))}"
    return f"{net.function}'({net.at('a', step=str(step)) if net.letters['a'] else inside(net, str(step))})"


def of_vectors(net: Net, error: str) -> list[Claim]:
    w, (W, U, V), steps = net.w, net.weights, [str(n) for n in range(LAST + 1)]
    h, x, a = ([net.at(q, step=n) for n in steps] for q in "hxa")
    back, own, by = f"{w.transposed(W)}{w.space}", [slope(net, n) if n else "" for n in range(LAST + 1)], [w.d(w.loss, at) for at in h]
    jacobian = [f"{w.diag(at)}{w.space}{W}" for at in own]
    last = [f"({by[3]}{w.times}({at}))" for at in own]
    claims = [
        equal(w.d(w.loss, V), f"{error}{w.space}{w.transposed(h[3])}", f"{error}{w.space}{w.transposed(h[2])}"),
        equal(by[3], f"{w.transposed(V)}{w.space}{error}"),
        equal(w.d(h[3], h[2]), jacobian[3], jacobian[2], f"{w.diag(own[3])}{w.space}{w.transposed(W)}"),
        equal(w.d(h[3], h[1]), f"{jacobian[3]}{w.space}{jacobian[2]}", f"{jacobian[2]}{w.space}{jacobian[1]}"),
        equal(by[2], f"{back}{last[3]}", f"{W}{w.space}{last[3]}", f"{back}{last[2]}"),
    ]
    if net.letters["a"]:
        d = [w.d(w.loss, at) for at in a]
        through, wrong = f"({back}{d[3]}){w.times}", f"({W}{w.space}{d[3]}){w.times}"
        claims += [
            equal(d[2], f"{through}({own[2]})", f"{wrong}({own[2]})", f"{through}({own[3]})"),
            equal(w.d(w.loss, U), *(" + ".join(f"{d[n]}{w.space}{w.transposed(x[n])}" for n in range(3, first, -1)) for first in (0, 1))),
            equal(w.d(a[3], h[2]), W, U),
        ]
    return claims


def of_numbers(net: Net, error: str) -> list[Claim]:
    """The same where everything is a number."""
    w, (W, U, V) = net.w, net.weights
    h, x = ([net.at(q, step=str(n)) for n in range(LAST + 1)] for q in "hx")
    own, by = [f"({slope(net, n)})" if n else "" for n in range(LAST + 1)], [w.d(w.loss, at) for at in h]
    first, last = (f"{w.space}{own[n]}{w.space}{own[n - 1]}" for n in (2, 3))
    return [
        equal(w.d(w.loss, V), f"{error}{w.space}{h[3]}", f"{error}{w.space}{h[2]}"),
        equal(by[3], f"{error}{w.space}{V}", f"{error}{w.space}{W}"),
        equal(w.d(h[3], h[2]), f"{W}{w.space}{own[3]}", f"{W}{w.space}{own[2]}", f"{U}{w.space}{own[3]}"),
        equal(w.d(h[3], h[1]), f"{W}^2{last}", f"{W}^2{first}", f"{W}{last}"),
        equal(by[2], f"{by[3]}{w.space}{own[3]}{w.space}{W}", f"{by[3]}{w.space}{own[2]}{w.space}{W}"),
        equal(w.d(w.loss, U), *(" + ".join(f"{by[n]}{w.space}{own[n]}{w.space}{x[n]}" for n in range(3, last, -1)) for last in (0, 1))),
    ]


def of_chains(net: Net) -> list[Claim]:
    """The paths back from the loss, each written out."""
    w, U = net.w, net.weights[1]
    if "partial" not in w.fraction or w.nabla:
        return []
    h = [net.at("h", step=str(n)) for n in range(LAST + 1)]
    steps = [w.d(h[n], h[n - 1]) for n in (3, 2)]
    direct = [w.d(h[n], U).replace("partial", "partial^+", 1) for n in (3, 2, 1)]
    paths = [w.dot.join([w.d(w.loss, h[3]), *steps[:n], end]) for n, end in enumerate(direct)]
    return [
        equal(w.d(w.loss, h[1]), w.dot.join([w.d(w.loss, h[3]), *steps]), w.dot.join([w.d(w.loss, h[3]), steps[0]])),
        equal(w.d(w.loss, U), " + ".join(paths), " + ".join(paths[:2])),
        equal(w.d(h[3], h[1]), w.dot.join(steps)),
    ]


def numbered(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_1 = φ(W h_0 + U x_1 + b), h_2 = …, h_3 = …, y = V h_3 + c, and a loss of y alone."""
    assert isinstance(w, Page)
    w = replace(w, step="_{%s}" if w.step == "^{%s}" else w.step)  # else h^2 is a square
    scalar = pick([False, True])
    w = replace(w, font="%s", space=" " if w.space == r"\," else w.space) if scalar else w
    net = replace(net_of(Net, w, pick), function=pick(FUNCTIONS))
    if scalar:
        net = replace(net, weights=pick([names for names in SCALARS if net.letters["a"] not in names]))
    end = pick(["squares", "logistic"] if scalar else ["squares", "logistic", "softmax"])
    p, y = pick([r"\hat{y}", r"\hat y", "p"]), "y"
    (rule, losses), linear = ENDS[end], f"{net.weights[2]}{w.space}{net.at('h', step=str(LAST))}{net.biases[1]}"
    equations = [*recurrence(net, pick), f"{p} = {rule.format(o=linear)}", f"{w.loss} = {losses[pick(range(len(losses)))].format(p=p, y=y)}"]
    if scalar:
        equations.insert(0, pick(SAID))
    claims = [*(of_numbers if scalar else of_vectors)(net, f"({p} - {y})"), *of_chains(net)]
    return equations, [claim for claim in claims if pick([True, True, False])] or claims
