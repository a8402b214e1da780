"""Gated recurrent units."""

from __future__ import annotations

from typing import TypeAlias

from .gates import Gated, gated, slipped, some
from .writing import Claim, Notation, Pick

LETTERS = (("z", "r", r"\tilde{%s}"), ("z", "r", r"\hat{%s}"), ("z", "r", "n"), ("u", "r", r"\tilde{%s}"), ("u", "r", "c"), ("z", "r", "g"), ("z", "r", "c"))
CLOSED = ("If ${0} = {1}$, then", "When the update gate is {2}, ${0} = {1}$, the Jacobian is", "In the special case ${0} = {1}$:", "For ${0} = {1}$ we get")
Three: TypeAlias = tuple[str, str, str]


def gru(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t, or z_t and 1 - z_t exchanged, the reset gate before the weight or behind it."""
    state = pick("hhhs")
    update, reset, new = (name.replace("%s", state) for name in pick([names for names in LETTERS if w.letter not in names]))
    us = gated(w, pick, taken=f"{update}{reset}{new}{state}{w.letter}")
    Z, R, N = update, reset, new if len(new) == 1 else state
    z, r, n, h, x = (lambda shift=0, name=name: w.at(name, shift) for name in (update, reset, new, state, "x"))
    keeps, behind = pick([False, True]), not us.joint and pick([False, True])
    U, by, by_pre, times = us.U, us.by, us.by_pre, w.times

    masked = f"{r()}{times}{h(-1)}"
    inner = f"({us.product(U(N), h(-1))})"
    keep, write = (z(), f"(1 - {z()})") if keeps else (f"(1 - {z()})", z())
    equations = [*us.gate(z(), Z, us.sigma, us.inside(Z, h(-1))), *us.gate(r(), R, us.sigma, us.inside(R, h(-1)))]
    equations += us.gate(n(), N, us.tanh, us.inside(N, masked if us.joint else f"({masked})", f"{r()}{times}{inner}" if behind else ""))
    blend = [f"{keep}{times}{h(-1)}", f"{write}{times}{n()}"]
    equations.append(f"{h()} = " + " + ".join(blend if pick([False, True]) else blend[::-1]))
    if us.joint:
        equations += [f"{us.W(k)} = {us.blocks(k)}" for k in (Z, R, N)]
    equations += us.introduced(pick, [Z, R, N])

    p, q = (h(-1), n()) if keeps else (n(), h(-1))
    z_slope, r_slope, n_slope = us.slope(pick, z(), Z), us.slope(pick, r(), R), us.slope(pick, n(), N, tanh=True)
    at_z, at_r = f"{by(z())}{times}{z_slope}", f"{by(r())}{times}{r_slope}"
    at_n = f"{by(n())}{times}{n_slope}"
    if us.letter:  # the gradients at the preactivations have names
        g_z, g_r, g_n = (by_pre(k) for k in (Z, R, N))
    else:
        g_z, g_r, g_n = (f"({g})" for g in (at_z, at_r, at_n))
    whole = f"{by(h())}{times}({p} - {q}){times}{z_slope}"
    claims: list[Claim] = [
        slipped(f"{by(n())} = {by(h())}{times}{write}", (write, keep), (times + write, "")),
        slipped(f"{by(z())} = {by(h())}{times}({p} - {q})", (f"{p} - {q}", f"{q} - {p}"), ("-1", ""), (" - ", " + ")),
        slipped(f"{w.d(h(), z())} = {w.diag(f'{p} - {q}')}", (f"{p} - {q}", f"{q} - {p}"), (f" - {q}", "")),
        slipped(f"{w.d(h(), n())} = {w.diag(write)}", (write, keep)),
    ]
    if behind:
        claims.append(slipped(f"{by(r())} = {g_n}{times}{inner}", (inner, h(-1)), (U(N), U(R))))
    else:
        claims.append(slipped(f"{by(r())} = ({us.back(U(N), g_n)}){times}{h(-1)}", (h(-1), h()), (U(N), U(R)), (times + h(-1), times + r())))
    if us.letter:
        claims += [
            slipped(f"{by_pre(N)} = {at_n}", (by(n()), by(h())), (times + n_slope, "")),
            slipped(f"{by_pre(Z)} = {at_z} = {whole}", (z_slope, r_slope), (f"({p} - {q})", f"({q} - {p})")),
            slipped(f"{by_pre(Z)} = {whole}", (times + z_slope, ""), (f"({p} - {q})", f"({q} - {p})")),
            slipped(f"{by_pre(R)} = {at_r}", (r_slope, z_slope), (by(r()), by(z()))),
        ]
    if not us.joint:
        kept = h(-1) if behind else masked
        into_n = f"({r()}{times}{g_n})" if behind else g_n
        claims += [
            slipped(f"{by(U(Z))} = \\sum_{{{w.letter}}} {us.outer(g_z, h(-1))}", (h(-1), h()), (h(-1), x()), (g_z, g_r)),
            slipped(f"{by(U(N))} = \\sum_{{{w.letter}=1}}^{{T}} {us.outer(into_n, kept)}", (kept, h()), (kept, x())),
            slipped(f"{by(us.W(R))} = \\sum_{{{w.letter}}} {us.outer(g_r, x())}", (x(), h(-1)), (g_r, g_z)),
            slipped(
                f"{by(x())} = {us.back(us.W(Z), g_z)} + {us.back(us.W(R), g_r)} + {us.back(us.W(N), g_n)}",
                *((g_z, g_r), (us.W(N), U(N)), (us.W(Z), us.W(R))),
            ),
        ]
    if us.bias:
        claims.append(slipped(f"{by(us.bias % Z)} = \\sum_{{{w.letter}=1}}^{{T}} {g_z}", (g_z, g_r), (g_z, g_n)))
    if not us.joint or not us.rows:
        through = us.back(U(N), f"({r()}{times}{g_n})") if behind else f"({us.back(U(N), g_n)}){times}{r()}"
        paths = f"{by(h())}{times}{keep} + {through} + {us.back(U(R), g_r)} + {us.back(U(Z), g_z)}"
        claims.append(slipped(f"{by(h(-1))} = {paths}", (keep, write), (times + r(), ""), (f" + {us.back(U(Z), g_z)}", ""), (U(R), U(Z)), (g_z, g_r)))
    if not us.rows:
        claims += jacobians(us, pick, (Z, R, N), (z(), r(), n(), h(), h(-1)), (keep, write, p, q), (z_slope, r_slope, n_slope), behind)
    return equations, some(pick, claims)


def jacobians(
    us: Gated, pick: Pick, labels: Three, quantities: tuple[str, ...], blend: tuple[str, ...], slopes: Three, behind: bool
) -> list[Claim]:
    """Those of the state, its gates and its candidate, in all paths, and in special cases."""
    w, U, (Z, R, N), (z, r, n, h, old), (keep, write, p, q) = us.w, us.U, labels, quantities, blend
    z_slope, r_slope, n_slope = slopes
    gate, slope = w.diag(f"({p} - {q}){w.times}{z_slope}"), w.diag(f"{write}{w.times}{n_slope}")
    first, second = w.diag(r), w.diag(f"({U(N)}{w.space}{old}){w.times}{r_slope}" if behind else f"{old}{w.times}{r_slope}")
    path = f"({first} {U(N)} + {second} {U(R)})" if behind else f"{U(N)} ({first} + {second} {U(R)})"
    wrong = f"({U(N)} {first} + {second} {U(R)})" if behind else f"({first} + {second} {U(R)}) {U(N)}"
    whole = f"{w.d(h, old)} = {w.diag(keep)} + {gate} {U(Z)} + {slope} {path}"
    inner = w.diag(n_slope)
    chain = f"{w.d(h, z)} {w.d(z, old)} + {w.d(h, n)} {w.d(n, old)}"
    open_, closed = ("1", "open"), ("0", "closed")
    case = pick(CLOSED)
    copying, forgetting = (f"{case.format(z, *value)}\n\n{w.d(h, old)} = " for value in ((open_, closed) if keep == z else (closed, open_)))
    return [
        slipped(whole, (path, wrong), (U(Z), U(R)), (f"{w.diag(keep)} + ", ""), (f"{gate} {U(Z)}", gate), (keep, write)),
        slipped(f"{w.d(h, old)} = {w.diag(keep)} + {chain}", (keep, write), (w.d(h, n), w.d(h, z)), (f" + {w.d(h, n)} {w.d(n, old)}", "")),
        slipped(f"{w.d(z, old)} = {w.diag(z_slope)} {U(Z)}", (U(Z), U(R)), (z_slope, r_slope), (w.diag(z_slope) + " ", "")),
        slipped(f"{w.d(n, old)} = {inner} {path}", (path, wrong), (path, U(N)), (inner + " ", "")),
        (copying + "I", (copying + "0", copying + U(N))),
        (f"{forgetting}{inner} {path}", (forgetting + "I", f"{forgetting}{inner} {wrong}")),
    ]
