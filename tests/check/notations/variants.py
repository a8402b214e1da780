"""Backpropagation through time where only the last step has a loss, with rows for columns, and with the activation inside."""

from __future__ import annotations

from dataclasses import replace

from .nets import WEIGHTS, Net, Rows, equal, forward, net_of
from .page import Page
from .writing import Claim, Notation, Pick


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
    through, turned = w.space.join((after, later, W)), w.space.join((after, later, w.transposed(W)))
    return [
        equal(w.d(at("h"), at("h", -1)), f"{here}{w.space}{W}", f"{W}{w.space}{here}", f"{here}{w.space}{w.transposed(W)}"),
        equal(by_h, f"{now} + {after}{w.dot}{following}", f"{now} + {by_h}{w.dot}{following}"),
        equal(by_h, f"{now} + {through}", f"{now} + {turned}", f"{now} + {w.space.join((after, here, W))}"),
        equal(w.d(net.each(), at("h")), f"{w.d(net.each(), at('p'))}{w.space}{V}"),
        equal(last, f"{w.d(w.loss, at('p', step='T'))}{w.space}{V}"),
        equal(w.d(w.loss, at("x")), *(w.space.join(factors) for factors in ((by_h, here, U), (by_h, here, w.transposed(U)), (after, here, U)))),
        equal(whole, f"\\prod_{{j={w.letter}+1}}^{{T}} {each}", f"\\prod_{{j={w.letter}}}^{{T}} {each}"),
    ]


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
    total = f"\\sum_{{{w.letter}=1}}^{{T}} "
    claims = [
        equal(w.d(w.at(x), w.at(x, -1)), f"{W}{w.space}{slope(-1)}", f"{slope(-1)}{w.space}{W}", f"{W}{w.space}{slope()}", f"{back}{w.space}{slope(-1)}"),
        equal(whole, *(f"{product % first}{W}{w.space}{slope(at, j)}" for first, at in ((f"{k}+1", -1), (f"{k}+1", 0), (k, -1)))),
        equal(whole, f"{product % f'{k}+1'}{steps}", f"{product % k}{steps}"),
        equal(by_x, f"{w.d(loss, w.at(x))} + {slope()}{w.space}{back}{w.space}{after}", f"{w.d(loss, w.at(x))} + {slope()}{w.space}{W}{w.space}{after}"),
        equal(w.d(w.loss, U), *(f"{total}{by}{w.space}{w.transposed(w.at(u))}" for by in (by_x, after))),
        equal(w.d(w.loss, W), *(f"{total}{by_x}{w.space}{row}" for row in (f"{f}({w.at(x, -1)}){w.top}", w.transposed(w.at(x, -1))))),
    ]
    if "partial" in w.fraction:
        direct = w.d(w.at(x, step=k), W).replace("partial", "partial^+", 1)
        claims.append(equal(w.d(loss, W), *(f"\\sum_{{{k}={n}}}^{{{w.letter}}} {w.d(loss, w.at(x))}{w.dot}{whole}{w.dot}{direct}" for n in "12")))
    return equations, [claim for claim in claims if pick([True, False])] or claims
