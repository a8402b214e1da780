"""Backpropagation through time, with outputs and losses at every step."""

from __future__ import annotations

from .nets import Net, equal, forward, net_of
from .writing import Claim, Notation, Pick


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
    ends = [w.d(at("h", step=n), W).replace("partial", "partial^+", 1) for n in "321"]
    uses = [w.dot.join([w.d(net.each("3"), at("h", step="3")), *third[:n], end]) for n, end in enumerate(ends)]
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
            equal(w.d(net.each(), at("h")), *(f"{w.transposed(by_o)} {w.d(net.each(), o)} = {w.transposed(by)}{w.space}{error}" for by in (V, W))),
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


def bptt(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = φ(W h_{t-1} + U x_t + b), p_t = softmax(V h_t + c), L = Σ_t L_t."""
    net = net_of(Net, w, pick)
    equations, claims = forward(net, pick), [*of_outputs(net), *of_states(net), *of_sums(net), *of_chains(net)]
    if net.letters["a"]:
        equations.append(net.introduced())
        claims += of_errors(net)
    return equations, [claim for claim in claims if pick([True, False])]
