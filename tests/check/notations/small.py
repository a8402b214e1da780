"""Small cells with a gate: one gate alone, gates of the input alone, a leak."""

from __future__ import annotations

from dataclasses import replace

from .gates import gated, slipped, some
from .writing import Claim, Notation, Pick

KINDS = ("minimal gated unit", "one gate", "gates of the input", "leaky", "simple recurrent unit")


def small(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t, with n_t = tanh(W x_t + U (z_t ⊙ h_{t-1})), n_t = W x_t, ...; h_t = (1 - α) h_{t-1} + α n_t."""
    kind = pick(KINDS)
    state, Z, N = "c" if kind == "simple recurrent unit" else pick("hs"), pick(sorted({"z", "f", "u", "g"} - {w.letter})), pick(sorted({"n", "m"} - {w.letter}))
    us = replace(gated(w, pick, taken=f"{state}{Z}{N}r{w.letter}"), joint="")
    z, n, h, x = (lambda shift=0, step="", name=name: w.at(name, shift, step) for name in (Z, N, state, "x"))
    times, by = w.times, us.by
    alone = kind in ("gates of the input", "simple recurrent unit")  # no state in the gates
    leak = r"\alpha" if us.letter != r"\alpha" else r"\gamma"
    keep, write = (f"(1 - {leak})", leak) if kind == "leaky" else pick([(z(), f"(1 - {z()})"), (f"(1 - {z()})", z())])
    joint = {"leaky": w.space}.get(kind, times)

    def inside(label: str, of: str) -> str:
        bias = f" + {us.bias % label}" if us.bias else ""
        return f"{us.product(us.W(label), x())}{bias}" if alone else us.inside(label, of)

    masked = f"{z()}{times}{h(-1)}"
    of_new = f"({masked})" if kind == "minimal gated unit" else h(-1)
    equations = us.gate(z(), Z, us.sigma, inside(Z, h(-1))) if kind != "leaky" else []
    equations += us.gate(n(), N, us.tanh, inside(N, of_new)) if not alone else [f"{n()} = {us.product(us.W(N), x())}"]
    equations.append(f"{h()} = {keep}{joint}{h(-1)} + {write}{joint}{n()}")
    labels = [label for label, there in ((Z, kind != "leaky"), (N, not alone)) if there]
    equations += us.introduced(pick, labels)

    p, q = (h(-1), n()) if keep == z() else (n(), h(-1))
    slope, bend = (us.slope(pick, z(), Z) if Z in labels else ""), (us.slope(pick, n(), N, tanh=True) if N in labels else "")
    at = {Z: f"({by(z())}{times}{slope})", N: f"({by(n())}{times}{bend})"} | ({k: us.by_pre(k) for k in labels} if us.letter else {})
    claims = [slipped(f"{by(n())} = {by(h())}{joint}{write}" if kind != "leaky" else f"{by(n())} = {leak}{joint}{by(h())}", (write, keep))]
    if kind != "leaky":
        claims.append(slipped(f"{by(z())} = {by(h())}{times}({p} - {q})" if kind != "minimal gated unit" else f"{w.d(h(), n())} = {w.diag(write)}",
                              (f"({p} - {q})", f"({q} - {p})"), (write, keep)))  # fmt: skip
        claims.append(slipped(f"{by(us.W(Z))} = \\sum_{{{w.letter}=1}}^{{T}} {us.outer(at[Z], x())}", (x(), h(-1)), (at[Z], by(h()))))
    if not alone:
        kept = masked if kind == "minimal gated unit" else h(-1)
        claims.append(slipped(f"{by(us.U(N))} = \\sum_{{{w.letter}}} {us.outer(at[N], kept)}", (kept, h()), (kept, x())))
        through = f"({us.back(us.U(N), at[N])}){times}{z()}" if kind == "minimal gated unit" else us.back(us.U(N), at[N])
        paths = f"{by(h())}{joint}{keep}" if kind != "leaky" else f"{keep}{joint}{by(h())}"
        paths += f" + {through}" + (f" + {us.back(us.U(Z), at[Z])}" if Z in labels else "")
        claims.append(slipped(f"{by(h(-1))} = {paths}", (keep, write), (us.U(N), us.W(N)), (f" + {through}", "")))
    else:
        claims.append(slipped(f"{by(h(-1))} = {by(h())}{times}{keep}", (keep, write)))
        kept_at = keep.replace(z(), z(step="j"))
        end = f"{w.d(h(step='T'), h(step='m'))} = \\prod_{{j=m+1}}^{{T}} {w.diag(kept_at)}"
        claims.append((end, (end.replace("m+1", "m"), end.replace("m+1", "m+2"))))
    if not us.rows and not alone:
        first = w.diag(z())
        gate = f"{w.diag(f'({p} - {q}){times}{slope}')} {us.U(Z)}" if Z in labels else ""
        turn = w.diag(f"{write}{times}{bend}") if kind != "leaky" else f"{leak}{w.space}{w.diag(bend)}"
        new = f"{turn} {us.U(N)}"
        if kind == "minimal gated unit":
            new = f"{turn} {us.U(N)} ({first} + {w.diag(f'{h(-1)}{times}{slope}')} {us.U(Z)})"
        whole = f"{w.d(h(), h(-1))} = {w.diag(keep) if kind != 'leaky' else f'{keep}{w.space}I'} + {gate + ' + ' if gate else ''}{new}"
        claims.append(slipped(whole, (keep, write), (us.U(N), us.W(N)), (turn, write) if kind != "leaky" else (turn, leak)))
    return equations, some(pick, claims)
