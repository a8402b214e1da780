"""Recurrent networks with an output."""

from __future__ import annotations

from .writing import Claim, Notation, Pick

ANY_FUNCTION = (r"\tanh", r"\sigma", "f", "g", "F", r"\phi", r"\varphi", r"\psi", r"\rho", "tanh", r"\text{tanh}", r"\operatorname{tanh}", r"\mathcal{F}")


def rnn(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = φ(W h_{t-1} + U x_t + b), o_t = V h_t."""
    f = pick([*ANY_FUNCTION, "f_h"])
    names = [("W_{hh}", "W_{xh}", "W_{hy}"), ("W", "U", "V"), ("U", "W", "V"), ("W^{hh}", "W^{hx}", "W^{yh}"), ("R", "A", "C"), (r"W_{\text{rec}}", "V", "O")]
    W, U, V = pick(names)
    named, bias, k = pick([False, True]), pick(["", " + b", " + b_h"]), "m"

    def h(shift: int = 0, step: str = "") -> str:
        return w.at("h", shift, step)

    def inside(shift: int = 0) -> str:
        return f"{W}{w.space}{h(shift - 1)} + {U}{w.space}{w.at('x', shift)}{bias}"

    def slope(shift: int = 0, step: str = "") -> str:
        if "tanh" in f and (step or pick([False, True])):
            return f"1 - {w.squared(h(shift, step))}"
        prime = f"{f.partition('_')[0]}'_h" if "_" in f else f"{f}'"
        return f"{prime}({w.at('a', shift, step) if named else inside(shift)})"

    def back(last: str) -> str:
        return f"{w.d(w.loss, h())} = {w.transposed(V)}{w.space}{w.d(w.loss, w.at('o'))} + {last}"

    equations = [f"{w.at('a')} = {inside()}", f"{h()} = {f}({w.at('a')})"] if named else [f"{h()} = {f}({inside()})"]
    equations.append(f"{w.at('o')} = {V}{w.space}{h()}")
    jacobian = f"{w.d(h(), h(-1))} = {w.diag(slope())}{w.space}"
    total = f"{w.d(h(), h(step=k))} = \\prod_{{j=%s}}^{{{w.letter}}} {w.d(h(step='j'), h(-1, 'j'))}"
    end = f"{w.d(h(step='T'), h(step=k))} = \\prod_{{{w.letter}=%s}}^{{T}} {w.d(h(), h(-1))}"
    gradient, later = f"{w.d(w.loss, W)} = \\sum_{{{w.letter}}} {w.diag(slope())}{w.space}{w.d(w.loss, h())}{w.space}", w.diag(slope(1))
    chain = w.transposed(w.d(h(1), h())), w.d(w.loss, h(1))
    claims: list[Claim] = [
        (jacobian + W, (jacobian + U, f"{w.d(h(), h(-1))} = {W}")),
        (total % f"{k}+1", (total % k, total % f"{k}+2")),
        (end % f"{k}+1", (end % k,)),
        (back(w.space.join(chain)), (back(f"{chain[0]}{w.space}{w.d(w.loss, h())}"),)),
        (back(f"{w.transposed(W)}{w.space}{later}{w.space}{chain[1]}"), (back(f"{W}{w.space}{later}{w.space}{chain[1]}"),)),
        (gradient + w.transposed(h(-1)), (gradient + w.transposed(h()), gradient + w.transposed(w.at("x")))),
        (f"{w.d(w.loss, h(step='T'))} = {w.transposed(V)}{w.space}{w.d(w.loss, w.at('o', step='T'))}", ()),
    ]
    if named:
        delta, error = w.at(r"\delta"), w.d(w.loss, w.at("o"))
        rule = f"{delta} = ({w.transposed(V)}{w.space}{error} + %s{w.space}{{}}){w.times}({slope()})".replace("{}", w.at(r"\delta", 1))
        weight = f"{w.d(w.loss, W)} = \\sum_{{{w.letter}=%d}}^T {delta}{w.space}"
        claims += [(rule % w.transposed(W), (rule % W,)), (weight % 1 + w.transposed(h(-1)), (weight % 1 + w.transposed(h()),))]
        equations.append(f"{delta} = {w.d(w.loss, w.at('a'))}")
    return equations, claims
