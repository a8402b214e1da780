"""The same derivations entry by entry: sums over units, Kronecker's δ, error signals, sensitivities."""

from __future__ import annotations

from dataclasses import replace

from .writing import Claim, Notation, Pick

STEPS = ("(%s)", "(%s)", "^{(%s)}", "^{%s}", "[%s]", "_{%s}")


def rnn(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_i(t) = f(Σ_j w_{ij} h_j(t-1) + Σ_k u_{ik} x_k(t)), o_l(t) = Σ_i v_{li} h_i(t)."""
    w = replace(w, font="%s", step=pick(STEPS), letter="t")
    h, a, x, o = pick([("h", "a", "x", "o"), ("y", "s", "x", "o"), ("h", "z", "x", "y"), ("y", r"\text{net}", "x", "o")])
    W, U, V = pick([("w", "u", "v"), ("W", "U", "V"), ("w^{h}", "w^{x}", "w^{o}"), ("W^{hh}", "W^{hx}", "W^{oh}"), ("w", "v", "c")])
    i, j, k, m = pick([("i", "j", "k", "l"), ("k", "l", "i", "m"), ("j", "i", "m", "k")])
    f = pick(["f", r"\tanh", r"\sigma", "g", r"\phi"])
    comma, dot = pick(["", "", ","]), pick([" ", " ", r"\,", r" \cdot "])
    tanh = f == r"\tanh" and pick([True, False])

    def at(name: str, index: str, shift: int = 0) -> str:
        step = f"t{shift:+d}" if shift else "t"
        return f"{name}_{{{index},{step}}}" if w.step == "_{%s}" else f"{name}_{index}{w.step % step}"

    def weight(name: str, row: str, column: str) -> str:
        return f"{name}_{{{row}{comma}{column}}}"

    def total(index: str, of: str) -> str:
        return f"\\sum_{{{index}}} {of}"

    def slope(index: str, shift: int = 0) -> str:
        return f"(1 - {at(h, index, shift)}^2)" if tanh and w.step == "_{%s}" else f"{f}'({at(a, index, shift)})"

    equations = [
        f"{at(a, i)} = {total(j, weight(W, i, j) + dot + at(h, j, -1))} + {total(k, weight(U, i, k) + dot + at(x, k))}",
        f"{at(h, i)} = {f}({at(a, i)})",
        f"{at(o, m)} = {total(i, weight(V, m, i) + dot + at(h, i))}",
    ]
    d, loss = w.d, w.loss
    delta = at(r"\delta", i)
    equations.append(f"{delta} = {d(loss, at(a, i))}")
    out = total(m, d(loss, at(o, m)) + dot + weight(V, m, i))
    later = total(j, at(r"\delta", j, 1) + dot + weight(W, j, i))
    turned = total(j, at(r"\delta", j, 1) + dot + weight(W, i, j))
    now = total(j, at(r"\delta", j) + dot + weight(W, j, i))
    rule = f"{delta} = {slope(i)}{dot}\\left({out} + %s\\right)"
    jacobian = f"{d(at(h, i), at(h, j, -1))} = {slope(i)}{dot}"
    back = f"{d(loss, at(h, i))} = {out} + %s"
    gradient = f"{d(loss, weight(W, i, j))} = \\sum_{{t}} {delta}{dot}"
    inputs = f"{d(loss, weight(U, i, k))} = \\sum_{{t}} {delta}{dot}"
    output = f"{d(loss, weight(V, m, i))} = \\sum_{{t}} {d(loss, at(o, m))}{dot}"
    claims: list[Claim] = [
        (jacobian + weight(W, i, j), (jacobian + weight(W, j, i), f"{d(at(h, i), at(h, j, -1))} = {weight(W, i, j)}", jacobian + weight(U, i, j))),
        (f"{d(at(a, i), at(h, j, -1))} = {weight(W, i, j)}", (f"{d(at(a, i), at(h, j, -1))} = {weight(W, j, i)}",)),
        (f"{d(at(h, i), at(x, k))} = {slope(i)}{dot}{weight(U, i, k)}", (f"{d(at(h, i), at(x, k))} = {weight(U, i, k)}",)),
        (rule % later, (rule % turned, rule % now)),
        (back % later, (back % turned,)),
        (gradient + at(h, j, -1), (gradient + at(h, j), gradient + at(h, i, -1))),
        (inputs + at(x, k), (inputs + at(h, k, -1),)),
        (output + at(h, i), (output + at(h, i, -1),)),
    ]
    return equations, claims


def rtrl(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """Sensitivities forward in time, p^k_{ij}(t) = ∂h_k(t)/∂w_{ij}."""
    w = replace(w, font="%s", step="(%s)", letter="t")
    h, a = pick([("h", "a"), ("y", "s"), ("h", "z")])
    W, U = pick([("w", "u"), ("W", "U"), ("w", "v")])
    k, m, n, i, j = pick([("k", "l", "m", "i", "j"), ("i", "l", "n", "p", "q"), ("k", "m", "n", "i", "j")])
    f, dot, comma = pick(["f", r"\tanh", r"\sigma", "g"]), pick([" ", " ", r"\,"]), pick(["", ","])
    p, one = pick(["p", "P", "s" if a != "s" else "q"]), pick([r"\delta", r"\delta", r"\mathbf{1}"])
    marked = pick([True, False])
    left, right = pick([("(", ")"), ("[", "]"), (r"\left[", r"\right]"), (r"\left(", r"\right)")])

    def at(name: str, index: str, shift: int = 0) -> str:
        return f"{name}_{index}(t{shift:+d})" if shift else f"{name}_{index}(t)"

    def weight(name: str, row: str, column: str) -> str:
        return f"{name}_{{{row}{comma}{column}}}"

    def sensitivity(of: str, shift: int = 0) -> str:
        return f"{p}^{of}_{{{i}{j}}}" + (f"(t{shift:+d})" if shift else "(t)") if marked else w.d(at(h, of, shift), weight(W, i, j))

    equations = [
        f"{at(a, k)} = \\sum_{{{m}}} {weight(W, k, m)}{dot}{at(h, m, -1)} + \\sum_{{{n}}} {weight(U, k, n)}{dot}{at('x', n)}",
        f"{at(h, k)} = {f}({at(a, k)})",
    ]
    if marked:
        equations.append(f"{sensitivity(k)} = {w.d(at(h, k), weight(W, i, j))}")

    def rule(inner: str, kronecker: str, state: str) -> str:
        return f"{sensitivity(k)} = {f}'({at(a, k)}){dot}{left}\\sum_{{{m}}} {inner}{dot}{sensitivity(m, -1)} + {kronecker}{dot}{state}{right}"

    def which(x: str, y: str) -> str:
        return f"{one}_{{{x}{y}}}" if one == r"\delta" else f"{one}_{{{x}={y}}}"

    true = rule(weight(W, k, m), which(i, k), at(h, j, -1))
    slips = (
        rule(weight(W, m, k), which(i, k), at(h, j, -1)), rule(weight(W, k, m), which(j, k), at(h, j, -1)), rule(weight(W, k, m), which(i, k), at(h, j)),
        rule(weight(W, k, m), which(i, k), at(h, i, -1)), true.replace(f"{f}'({at(a, k)}){dot}", ""),
    )  # fmt: skip
    return equations, [(true, slips)]


NETWORKS = {"component_rnn": rnn, "component_rtrl": rtrl}
