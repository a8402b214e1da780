"""An LSTM and a GRU with few choices, for what is typed without LaTeX."""

from __future__ import annotations

from dataclasses import replace

from .writing import Claim, Notation, Pick, shuffled


def lstm(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t, h_t = o_t ⊙ tanh(c_t)."""
    if w.letter == "i":
        w = replace(w, letter="t")
    state = pick("cCs")
    new = pick([rf"\tilde{{{state}}}", rf"\hat{{{state}}}", "g", "z"])
    sigma, tanh = pick([r"\sigma", r"\text{sigmoid}", r"\sigma_g"]), pick([r"\tanh", "tanh", r"\text{tanh}", r"\phi", "g_c"])
    joint = pick([False, True])
    c, g, f, i, o, h = (lambda shift=0, name=name: w.at(name, shift) for name in (state, new, "f", "i", "o", "h"))

    def inside(label: str) -> str:
        own = f"W_{label}{w.space}[{h(-1)}, {w.at('x')}]" if joint else f"W_{label}{w.space}{w.at('x')} + U_{label}{w.space}{h(-1)}"
        return f"{own} + b_{label}"

    equations = [f"{of()} = {rule}({inside(label)})" for of, rule, label in ((f, sigma, "f"), (i, sigma, "i"), (g, tanh, "c"), (o, sigma, "o"))]
    equations = shuffled(pick, equations)
    equations += [f"{c()} = {f()}{w.times}{c(-1)} + {i()}{w.times}{g()}", f"{h()} = {o()}{w.times}{tanh}({c()})"]
    slope = f"1 - {tanh}^2({c()})" if "tanh" in tanh else f"{tanh}'({c()})" if "_" not in tanh else f"g_c'({c()})"
    by = {q: w.d(w.loss, q()) for q in (c, g, f, i, o, h)}
    memory = f"{by[c]} = {by[h]}{w.times}{o()}{w.times}({slope}) + {w.d(w.loss, c(1))}{w.times}"
    claims: list[Claim] = [
        (f"{w.d(c(), c(-1))} = {w.diag(f())}", (f"{w.d(c(), c(-1))} = {w.diag(f(-1))}", f"{w.d(c(), c(-1))} = {w.diag(i())}")),
        (f"{w.d(c(), f())} = {w.diag(c(-1))}", (f"{w.d(c(), f())} = {w.diag(c())}",)),
        (f"{by[o]} = {by[h]}{w.times}{tanh}({c()})", (f"{by[o]} = {by[h]}{w.times}{tanh}({c(-1)})",)),
        (memory + f(1), (memory + f(), memory + i(1))),
        (f"{by[f]} = {by[c]}{w.times}{c(-1)}", (f"{by[f]} = {by[c]}{w.times}{c()}",)),
        (f"{by[g]} = {by[c]}{w.times}{i()}", (f"{by[g]} = {by[c]}{w.times}{g()}",)),
    ]
    return equations, claims


def gru(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t, or z_t and 1 - z_t exchanged, the reset gate before the weight or behind it."""
    new = pick([r"\tilde{h}", r"\hat{h}", *({"n"} - {w.letter})])
    z, r, n, h = (lambda shift=0, name=name: w.at(name, shift) for name in ("z", "r", new, "h"))
    keeps, behind = pick([False, True]), pick([False, True])

    def inside(label: str, state: str) -> str:
        return f"W_{label}{w.space}{w.at('x')} + {state}"

    equations = [f"{of()} = \\sigma({inside(label, f'U_{label}{w.space}{h(-1)}')})" for of, label in ((z, "z"), (r, "r"))]
    reset = f"{r()}{w.times}(U_h{w.space}{h(-1)})" if behind else f"U_h{w.space}({r()}{w.times}{h(-1)})"
    keep, write = (z(), f"(1 - {z()})") if keeps else (f"(1 - {z()})", z())
    equations += [f"{n()} = \\tanh({inside('h', reset)})", f"{h()} = {keep}{w.times}{h(-1)} + {write}{w.times}{n()}"]
    p, q = (h(-1), n()) if keeps else (n(), h(-1))
    gate = w.diag(f"({p} - {q}){w.times}{z()}{w.times}(1 - {z()})")
    slope = w.diag(f"{write}{w.times}(1 - {w.squared(n())})")
    of_reset = f"{r()}{w.times}(1 - {r()})"
    first, second = w.diag(r()), w.diag(f"(U_h{w.space}{h(-1)}){w.times}{of_reset}" if behind else f"{h(-1)}{w.times}{of_reset}")
    path = f"({first} U_h + {second} U_r)" if behind else f"U_h ({first} + {second} U_r)"
    wrong = f"(U_h {first} + {second} U_r)" if behind else f"({first} + {second} U_r) U_h"
    jacobian = f"{w.d(h(), h(-1))} = {w.diag(keep)} + {gate} U_z + {slope} "
    claims: list[Claim] = [
        (f"{w.d(h(), z())} = {w.diag(f'{p} - {q}')}", (f"{w.d(h(), z())} = {w.diag(f'{q} - {p}')}",)),
        (f"{w.d(h(), n())} = {w.diag(write)}", (f"{w.d(h(), n())} = {w.diag(keep)}",)),
        (jacobian + path, (jacobian + wrong, jacobian.replace("U_z", "U_r") + path)),
        (f"{w.d(w.loss, z())} = {w.d(w.loss, h())}{w.times}({p} - {q})", (f"{w.d(w.loss, z())} = {w.d(w.loss, h())}{w.times}({q} - {p})",)),
    ]
    return equations, claims
