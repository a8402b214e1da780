"""Long short-term memory: with peepholes, with coupled gates, without a forget gate."""

from __future__ import annotations

from typing import TypeAlias

from .gates import Gated, gated, slipped, some
from .writing import Claim, Notation, Pick

LETTERS = (
    ("c", "h", "f", "i", "o", r"\tilde{c}"), ("c", "h", "f", "i", "o", "g"), ("C", "h", "f", "i", "o", r"\tilde{C}"), ("s", "h", "f", "i", "o", "g"),
    ("c", "y", "f", "i", "o", "z"), ("c", "h", "f", "i", "o", r"\hat{c}"), ("c", "a", "f", "u", "o", r"\tilde{c}"), ("C", "h", "F", "I", "O", r"\tilde{C}"),
    ("m", "h", "f", "i", "o", "g"), ("c", "h", "f", "i", "q", "j"),
)  # fmt: skip
HELD = (
    "Treating the gates and the candidate as constants,", "If the gates and the candidate are held fixed, then", "Along the direct path:",
    "With gates and candidate kept constant:",
)  # fmt: skip
Four: TypeAlias = tuple[str, str, str, str]


def lstm(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t, h_t = o_t ⊙ tanh(c_t)."""
    state, shown, F, I, O, new = pick([names for names in LETTERS if w.letter not in names])
    us = gated(w, pick, taken=f"{state}{shown}{F}{I}{O}{new}{w.letter}")
    G = new if len(new) == 1 else pick(["c", state])
    kind = pick(["", "", "", "peepholes", "coupled", *(["no forget gate"] if I != "I" else [])]) if not us.joint else pick(["", "", "coupled"])
    c, h, f, i, o, g, x = (lambda shift=0, name=name: w.at(name, shift) for name in (state, shown, F, I, O, new, "x"))
    times, by, by_pre = w.times, us.by, us.by_pre
    gates = {"": [(f, F), (i, I), (o, O)], "peepholes": [(f, F), (i, I), (o, O)], "coupled": [(f, F), (o, O)], "no forget gate": [(i, I), (o, O)]}[kind]
    peeps = {F: c(-1), I: c(-1), O: c()} if kind == "peepholes" else {}
    equations = []
    for of, label in gates:
        peep = f" + p_{label}{times}{peeps[label]}" if peeps else ""
        equations += us.gate(of(), label, us.sigma, us.inside(label, h(-1)) + peep)
    equations += us.gate(g(), G, us.tanh, us.inside(G, h(-1)))
    keep = "" if kind == "no forget gate" else f()
    write = f"(1 - {f()})" if kind == "coupled" else i()
    equations.append(f"{c()} = {keep + times if keep else ''}{c(-1)} + {write}{times}{g()}")
    squash = us.tanh
    equations.append(f"{h()} = {o()}{times}{squash}({c()})")
    labels = [label for _, label in gates] + [G]
    if us.joint:
        equations += [f"{us.W(k)} = {us.blocks(k)}" for k in labels]
    equations += us.introduced(pick, labels)

    slope = pick([f"1 - {squash}^2({c()})", f"1 - {squash}({c()})^2"]) if "tanh" in squash else f"{squash}'({c()})"
    slopes = {label: us.slope(pick, of(), label) for of, label in gates} | {G: us.slope(pick, g(), G, tanh=True)}
    into = {F: f"{by(c())}{times}{c(-1)}", I: f"{by(c())}{times}{g()}", O: f"{by(h())}{times}{squash}({c()})", G: f"{by(c())}{times}{write}"}
    if kind == "coupled":
        into[F] = f"{by(c())}{times}({c(-1)} - {g()})"
    first = labels[0]
    of = {F: f, I: i, O: o, G: g}
    at = {k: by_pre(k) if us.letter else f"({by(of[k]())}{times}{slopes[k]})" for k in labels}
    memory = f"{by(h())}{times}{o()}{times}({slope})"
    future = f"{by(c(1))}{times}{f(1)}" if keep else by(c(1))
    if peeps:
        later = [f"{by_pre(k, 1)}{times}p_{k}" for k in (F, I)] if us.letter else []
        future += "".join(f" + {term}" for term in later) + (f" + {by_pre(O)}{times}p_{O}" if us.letter else "")
    claims: list[Claim] = [
        slipped(f"{by(o())} = {into[O]}", (c(), c(-1)), (f"{squash}({c()})", c()), (by(h()), by(c()))),
        slipped(f"{w.d(c(), g())} = {w.diag(write)}", (write, g()), (write, o())),
    ]
    if not peeps:
        claims.append(slipped(f"{w.d(h(), c())} = {w.diag(f'{o()}{times}({slope})')}", (f"{times}({slope})", ""), (o(), of[first]())))
    if not peeps or us.letter:
        claims.append(slipped(f"{by(c())} = {memory} + {future}", (f(1), f()), (times + f"({slope})", ""), (o(), of[first]())))
    if keep:
        claims.append(slipped(f"{by(f())} = {into[F]}", (c(-1), c()), (c(-1), g()) if kind != "coupled" else (" - ", " + "), (by(c()), by(h()))))
    if I in labels:
        claims.append(slipped(f"{by(i())} = {into[I]}", (g(), c(-1)), (g(), i())))
    claims.append(slipped(f"{by(g())} = {into[G]}", (write, o()), (times + write, "")))
    if us.letter:
        for k in (first, G, O):
            chain, whole = f"{by(of[k]())}{times}{slopes[k]}", f"{into[k]}{times}{slopes[k]}"
            another = slopes[k], slopes[O if k != O else first]
            claims.append(slipped(f"{by_pre(k)} = {chain}", (times + slopes[k], ""), another))
            claims.append(slipped(f"{by_pre(k)} = {chain} = {whole}", (whole, into[k]), another))
    k = pick(labels)
    other = labels[labels.index(k) - 1]
    if us.joint:
        whole = us.together(h(-1))
        claims.append(slipped(f"{by(us.W(k))} = \\sum_{{{w.letter}}} {us.outer(at[k], whole)}", (at[k], at[other]), (h(-1), h())))
    else:
        claims.append(slipped(f"{by(us.U(k))} = \\sum_{{{w.letter}=1}}^T {us.outer(at[k], h(-1))}", (at[k], at[other]), (h(-1), h()), (h(-1), x())))
        claims.append(slipped(f"{by(us.W(k))} = \\sum_{{{w.letter}}} {us.outer(at[k], x())}", (at[k], at[other]), (x(), h(-1))))
        inputs = " + ".join(us.back(us.W(k), at[k]) for k in labels)
        claims.append(slipped(f"{by(x())} = {inputs}", (at[k], at[other]), (us.W(k), us.W(other)), (us.W(k), us.U(k))))
    if us.bias:
        claims.append(slipped(f"{by(us.bias % k)} = \\sum_{{{w.letter}=1}}^T {at[k]}", (at[k], at[other])))
    paths = " + ".join(us.back(us.U(k), at[k]) for k in labels)
    claims.append(slipped(f"{by(h(-1))} = {paths}", (at[k], at[other]), (us.U(k), us.U(other)), (f" + {us.back(us.U(G), at[G])}", "")))
    if peeps and us.letter:
        claims.append(slipped(f"{by(f'p_{F}')} = \\sum_{{{w.letter}}} {at[F]}{times}{c(-1)}", (c(-1), c()), (at[F], at[I])))
        claims.append(slipped(f"{by(f'p_{O}')} = \\sum_{{{w.letter}}} {at[O]}{times}{c()}", (c(), c(-1)), (at[O], at[I])))
    if not us.rows:
        claims += jacobians(us, pick, kind, (state, shown), {k: of[k]() for k in labels}, slopes, slope, keep, write, (F, I, O, G))
    return equations, some(pick, claims)


def jacobians(
    us: Gated, pick: Pick, kind: str, names: tuple[str, str], of: dict[str, str], slopes: dict[str, str], slope: str, keep: str, write: str, labels: Four
) -> list[Claim]:
    """Those of the memory, along it alone and along all paths, and those of the gates and of what is shown."""
    w, (F, I, O, G), times = us.w, labels, us.w.times
    c, h, old, shown = w.at(names[0]), w.at(names[1]), w.at(names[0], -1), w.at(names[1], -1)
    first = next(iter(of))
    held, kept = pick(HELD), w.diag(keep) if keep else "I"
    claims = [
        slipped(f"{w.d(of[k], shown)} = {w.diag(slopes[k])} {us.U(k)}", (us.U(k), us.U(O)), (w.diag(slopes[k]) + " ", "")) for k in (first, G)
    ]
    if kind == "peepholes":
        return claims
    j, step = "j", w.at(F, step="j")
    wrong = w.diag(write) if keep else w.diag(of[O])
    claims.append((f"{held}\n\n{w.d(c, old)} = {kept}", (f"{held}\n\n{w.d(c, old)} = {wrong}", f"{held}\n\n{w.d(c, old)} = {w.diag(of[G])}")))
    if keep:
        end = f"{held}\n\n{w.d(w.at(names[0], step='T'), w.at(names[0], step='m'))} = \\prod_{{{j}=m+1}}^{{T}} {w.diag(step)}"
        claims.append((end, (end.replace("m+1", "m"), end.replace("m+1", "m+2"))))
    terms = {F: old, I: of[G], G: write}
    if kind == "coupled":
        terms[F] = f"({old} - {of[G]})"
    paths = " + ".join(f"{w.diag(f'{terms[k]}{times}{slopes[k]}')} {us.U(k)}" for k in terms if k in of)
    last = w.diag(f"{w.at(O, -1)}{times}({slope.replace(c, old)})")
    whole = f"{w.d(c, old)} = {kept} + ({paths}) {last}"
    claims.append(slipped(whole, (w.at(O, -1), of[O]), (us.U(G), us.U(O)), (f" {last}", ""), (f"{kept} + ", ""), (terms[G], of[G])))
    through_c = f"{w.diag(f'{of[O]}{times}({slope})')} ({paths})"
    through_o = f"{w.diag(f'{us.tanh}({c}){times}{slopes[O]}')} {us.U(O)}"
    local = f"{w.d(h, shown)} = {through_o} + {through_c}"
    claims.append(slipped(local, (f"{through_o} + ", ""), (us.U(O), us.U(G)), (f"{us.tanh}({c})", c)))
    return claims
