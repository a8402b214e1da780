"""Forward and backward passes in Python, as many programmers write them: a claim is a statement of the backward pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from .writing import Claim, Pick, shuffled

SLOPES = {
    "tanh": ("(1 - {0} ** 2)", "(1 - {0}**2)", "(1 - {0} * {0})"),
    "sigmoid": ("{0} * (1 - {0})", "{0} * (1.0 - {0})", "(1 - {0}) * {0}"),
}
NAMES = (
    (("W", "xh"), ("W", "hh"), ("W", "hy")), (("U", ""), ("W", ""), ("V", "")), (("W", "x"), ("W", "h"), ("W", "y")), (("W", "ih"), ("W", "hh"), ("W", "ho")),
)  # fmt: skip
WRAPS = {"py": "{}\n", "md": "The cell and its gradients:\n\n```python\n{}\n```\n", "txt": "```python\n{}\n```\n"}


@dataclass(frozen=True)
class Code:
    """How somebody programs."""

    kind: str
    lists: str
    rows: bool  # x @ W, else W @ x
    turned: bool  # x @ W.T
    loop: str  # over steps, and how its lists count: "", "same", "later"
    method: bool  # of a class, else functions
    kept: str  # how the backward pass finds what was computed
    product: str
    transposed: str
    outer: str
    total: str  # over a batch
    weight: str
    joint: str  # W_f, Wf
    gradient: str
    of_weight: str
    adds: str
    before: str
    after: str
    raw: str
    module: str
    tanh: str
    sigmoid: str
    remark: str

    @property
    def indent(self) -> str:
        return "    " * (1 + self.method + bool(self.loop))

    def at(self, name: str, shift: int = 0) -> str:
        """A quantity at this step, or at the one before."""
        if self.loop:
            step = shift + (self.loop == "later" and name in ("h", "c"))
            return f"{self.of_steps(name)}[t{step:+d}]" if step else f"{self.of_steps(name)}[t]"
        return self.before.format(name) if shift else name

    def of_steps(self, name: str) -> str:
        """The list of a quantity at every step."""
        return self.lists.format(name) if self.lists.format(name) != "is" else "i_s"

    def w(self, name: str, label: str = "") -> str:
        return self.weight % self.plain(name, label)

    def plain(self, name: str, label: str = "") -> str:
        return f"{name}{self.joint}{label}" if label else name

    def dw(self, name: str, label: str = "") -> str:
        return self.of_weight % self.plain(name, label)

    def d(self, name: str, shift: int = 0) -> str:
        """A gradient, or what comes from the step behind."""
        return self.after.format(self.gradient % name) if shift else self.gradient % name

    def times(self, weight: str, of: str) -> str:
        weight = self.transposed % weight if self.turned else weight
        return self.product.format(*(of, weight) if self.rows else (weight, of))

    def part(self, product: str) -> str:
        """A product as a factor of another one."""
        return product if "@" not in product else f"({product})"

    def back(self, weight: str, of: str) -> str:
        weight = weight if self.turned else self.transposed % weight
        return self.product.format(*(of, weight) if self.rows else (weight, of))

    def outwards(self, of: str, by: str) -> str:
        """The gradient by a weight."""
        if self.turned:
            return self.product.format(self.transposed % (f"({of})" if " " in of else of), by)
        return self.product.format(self.transposed % by, of) if self.rows else self.outer.format(of, by)

    def summed(self, of: str) -> str:
        return self.total % of if self.rows else of

    @property
    def stack(self) -> str:
        if self.module == "torch":
            return "torch.cat([%s], dim=1)" if self.rows else "torch.cat([%s])"
        return "np.hstack((%s))" if self.rows else "np.concatenate([%s])"

    def forward(self, states: Sequence[str], lines: list[str], names: Sequence[str], gradients: Sequence[str]) -> list[str]:
        """The forward pass, and how the backward pass begins."""
        own, deep = ("self, " if self.method else ""), "    " if self.method else ""
        olds = [self.at(s, -1) for s in states]
        lists = sorted({n for n in names if n not in ("x", *olds)} | {*states})
        if self.loop:
            held = [self.of_steps(n) for n in lists]
            out = [f"def forward({own}{self.of_steps('x')}, {', '.join(f'{s}0' for s in states)}):", *(f"    {n} = {{}}" for n in held)]
            out += [f"    {self.of_steps(s)}[{-1 if self.loop == 'same' else 0}] = {s}0" for s in states] + [f"    for t in range(len({self.of_steps('x')})):"]
            out += ["        " + line for line in lines]
            whole, given = ", ".join([self.of_steps("x"), *held]), [self.d(g) for g in gradients[:1]]
            out += [f"    return {whole}", "", f"def backward({own}{given[0]}s, {whole}):"]
            out += [f"    {self.d(s, 1)} = {self.module}.zeros_like({self.of_steps(s)}[0])" for s in states]
            out += [f"    for t in reversed(range(len({self.of_steps('x')}))):", f"        {given[0]} = {given[0]}s[t]"]
        else:
            whole = ", ".join(dict.fromkeys(names))
            given = ", ".join([*(self.d(g) for g in gradients), *(self.d(s, 1) for s in states if s not in gradients)])
            cache = "self.cache" if self.method else "cache"
            keep = f"{cache} = ({whole})" if self.kept == "tuple" else f"{cache} = {{{', '.join(f'{n!r}: {n}' for n in dict.fromkeys(names))}}}"
            out = [f"def step_forward({own}x, {', '.join(olds)}):", *("    " + line for line in [*lines] + [keep] * (self.kept != "arguments"))]
            out += [f"    return {', '.join([*states, 'cache'][: len(states) + (self.kept != 'arguments' and not self.method)])}", ""]
            held = whole if self.kept == "arguments" else "" if self.method else "cache"
            out += [f"def step_backward({own}{', '.join(filter(None, (given, held)))}):"]
            out += [f"    {whole} = {cache}"] * (self.kept == "tuple")
            out += [f"    {n} = {cache}[{n!r}]" for n in dict.fromkeys(names)] if self.kept == "dict" else []
        return ["class Cell:"] * self.method + [deep + line if line else "" for line in out]

    def document(self, equations: list[str], claims: list[str]) -> str:
        text = "\n".join([*equations, *(f"{self.indent}{c}{self.remark}" for c in claims)])
        if self.kind != "ipynb":
            return WRAPS[self.kind].format(text)
        words = {"cell_type": "markdown", "source": ["The cell and its gradients."]}
        return json.dumps({"cells": [words, {"cell_type": "code", "source": text.splitlines(keepends=True)}]}, indent=1)


def coding(pick: Pick, letters: str = "") -> Code:
    rows, torch = pick([False, True]), pick([False, False, True])
    joint = pick(["", "_"])
    mark = pick(["d%s", "d_%s", "grad_%s", "dL_d%s"] if joint else ["d%s"])
    return Code(
        kind=pick(["py", "md", "txt", "ipynb"]),
        lists=pick(["{}s", "{}s", "{}_list", "{}_all"]),
        rows=rows,
        turned=rows and pick([False, True]),
        loop=pick(["", "", "same", "later"]),
        method=pick([False, True]),
        kept=pick(["tuple", "dict", "arguments"]),
        product=pick(["{0} @ {1}", "torch.matmul({0}, {1})", "{0}.matmul({1})"] if torch else ["{0} @ {1}", "np.dot({0}, {1})", "{0}.dot({1})"]),
        transposed=pick(["%s.T", "%s.t()"] if torch else ["%s.T", "%s.T", "np.transpose(%s)"]),
        outer=pick(["torch.outer({0}, {1})"] if torch else ["np.outer({0}, {1})", "{0} @ {1}.T", "np.dot({0}, {1}.T)"]),
        total=pick(["%s.sum(0)", "%s.sum(dim=0)"] if torch else ["%s.sum(axis=0)", "np.sum(%s, axis=0)", "np.sum(%s, axis=0, keepdims=True)"]),
        weight=pick(["%s", "self.%s", "params['%s']"]),
        joint=joint,
        gradient=mark,
        of_weight=pick([mark, "self.d%s", "grads['%s']", "grads['d%s']"]),
        adds=pick(["+=", "="]),
        before=pick(["{}_prev", "prev_{}", "{}_old", "{}prev", "{}_tm1"]),
        after=pick(["{}_next", "{}next", "{}_future"]),
        raw=pick(["{}_raw", "{}_pre", "{}raw"]),
        module="torch" if torch else "np",
        tanh="torch.tanh" if torch else pick(["np.tanh", "tanh"]),
        sigmoid="torch.sigmoid" if torch else pick(["sigmoid", "sigmoid", "self.sigmoid"]),
        remark=pick(["", "", "  # gradient", "  # (n, m)"]),
    )


def rnn(w: Code, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h = tanh(W x + U h_prev + b), y = V h."""
    f = pick(["tanh", "sigmoid"])
    (A, a), (B, b), (C, c) = pick(NAMES)
    bias, h, old, x, y, pre = w.plain("b", "h") if c else "b", w.at("h"), w.at("h", -1), w.at("x"), w.at("y"), pick(["z", "a"])
    terms = shuffled(pick, [w.times(w.w(A, a), x), w.times(w.w(B, b), old)])
    inside = f"{terms[0]} + {terms[1]} + {w.weight % bias}"
    apply = w.tanh if f == "tanh" else w.sigmoid
    whole = pick([False, True])
    lines = [f"{h} = {apply}({inside})"] if whole else [f"{pre} = {inside}", f"{h} = {apply}({pre})"]
    lines.append(f"{y} = {w.times(w.w(C, c), h)}")
    slope, name = SLOPES[f][pick(range(3))], w.raw.format(w.d("h")) if whole else w.d(pre)
    d, later = w.d("y"), pick([f"{w.d('h', 1)} = ", f"{w.d('h', -1)} = "]) if w.loop else f"{w.gradient % w.before.format('h')} = "
    come, own = w.d("h", 1), w.d("h")
    both = pick([f"{own} = {w.back(w.w(C, c), d)} + {come}", f"{own} = {come} + {w.back(w.w(C, c), d)}"])
    plain = w.times(w.w(C, c), d)
    into = pick(["{0} * {1}", "{1} * {0}"])
    sums: list[Claim] = [(f"{own} = {w.back(w.w(C, c), d)}", ()), (f"{own} += {come}", (f"{own} -= {come}",))]
    claims: list[Claim] = [
        (f"{w.dw(C, c)} {w.adds} {w.outwards(d, h)}", (f"{w.dw(C, c)} {w.adds} {w.outwards(d, old)}",)),
        *([(both, (f"{own} = {plain} + {come}", both.replace("+", "-")))] if pick([False, True]) else sums),
        (f"{name} = {into.format(own, slope.format(h))}", (f"{name} = {into.format(own, slope.format(old))}", f"{name} = {own} * (1 - {h})")),
        (f"{w.dw(A, a)} {w.adds} {w.outwards(name, x)}", (f"{w.dw(A, a)} {w.adds} {w.outwards(own, x)}",)),
        (f"{w.dw(B, b)} {w.adds} {w.outwards(name, old)}", (f"{w.dw(B, b)} {w.adds} {w.outwards(name, h)}",)),
        (f"{w.of_weight % bias} {w.adds} {w.summed(name)}", (f"{w.of_weight % bias} {w.adds} {w.summed(own)}",)),
        (f"{w.d('x')} = {w.back(w.w(A, a), name)}", (f"{w.d('x')} = {w.back(w.w(A, a), own)}",)),
        (f"{later}{w.back(w.w(B, b), name)}", (f"{later}{w.times(w.w(B, b), name)}",)),
    ]
    return w.forward(["h"], lines, ["x", "h", old], ["y"]), claims


class Gates:
    """What the weights of several gates are applied to, and what comes back: two weights each, one for both, or all gates in one."""

    def __init__(self, w: Code, pick: Pick, gates: dict[str, tuple[str, str]]) -> None:
        self.w, self.gates = w, gates  # a gate by its name: its label, its function
        self.style = pick(["two", "two", "joint", "packed"])
        self.A, self.B = pick([("W", "U"), ("Wx", "Wh"), ("Wi", "Wh")]) if w.joint or self.style == "packed" else ("W", "U")
        self.bias, self.both = pick([True, True, False]), pick(["z", "concat", "stacked", "combined"])
        self.inplace = pick(["named", "again", "times", "fused"])
        self.order = pick([("h", "x"), ("x", "h")])
        self.cut = pick(["H", "n_h", "hidden_size", "self.hidden_size"] if self.order[0] == "h" else ["D", "n_x", "input_size", "self.input_size"])
        self.slopes = {name: SLOPES[f][pick(range(3))].format(w.at(name)) for name, (_, f) in gates.items()}

    def inside(self, label: str) -> str:
        """What a gate is applied to."""
        w = self.w
        bias = f" + {w.w('b', label)}" if self.bias else ""
        if self.style == "joint":
            return w.times(w.w("W", label), w.at(self.both)) + bias
        return f"{w.times(w.w(self.A, label), w.at('x'))} + {w.times(w.w(self.B, label), w.at('h', -1))}{bias}"

    def lines(self) -> list[str]:
        w = self.w
        out = []
        if self.style == "joint":
            first, second = (w.at(n, -1 if n == "h" else 0) for n in self.order)
            out = [f"{w.at(self.both)} = {w.stack % f'{first}, {second}'}"]
        if self.style == "packed":
            bias = f" + {w.w('b')}" if self.bias else ""
            out = [f"gates = {w.times(w.w(self.A), w.at('x'))} + {w.times(w.w(self.B), w.at('h', -1))}{bias}"]
        for k, (name, (label, f)) in enumerate(self.gates.items()):
            part = f"{f'{k}*' if k > 1 else ''}H:{f'{k + 1}*' if k else ''}H" if k else ":H"
            within = f"gates[{':, ' * w.rows}{part}]" if self.style == "packed" else self.inside(label)
            out.append(f"{w.at(name)} = {w.tanh if f == 'tanh' else w.sigmoid}({within})")
        return out

    def raw(self, name: str) -> str:
        """The gradient before the activation."""
        d = self.w.d(name)
        return self.w.raw.format(d) if self.inplace == "named" else d

    def derive(self, name: str, value: str, slips: tuple[str, ...]) -> list[Claim]:
        """The gradient by a gate, and that before its activation."""
        w, d, slope = self.w, self.w.d(name), self.slopes[name]
        changes = (("** 2", "** 3"), ("**2", "**3"), ("1 -", "1 +"), ("1.0 -", "1.0 +"))
        wrong = (*(slope.replace(*change) for change in changes if change[0] in slope), f"(1 - {w.at(name)})")
        if self.inplace == "fused":
            return [(f"{d} = {value} * {slope}", (*(f"{s} * {slope}" for s in slips), *(f"{d} = {value} * {s}" for s in wrong)))]
        sign = {"named": f"{self.raw(name)} = {d} * ", "again": f"{d} = {d} * ", "times": f"{d} *= "}[self.inplace]
        return [(f"{d} = {value}", slips), (f"{sign}{slope}", tuple(sign + s for s in wrong))]

    def weights(self) -> list[Claim]:
        w = self.w
        out: list[Claim] = []
        x, old, new = w.at("x"), w.at("h", -1), w.at("h")
        if self.style == "packed":
            parts = ", ".join(map(self.raw, self.gates))
            whole = w.d("gates")
            out.append((f"{whole} = {w.stack % parts}", ()))
            out += [(f"{w.dw(self.A)} {w.adds} {w.outwards(whole, x)}", ())]
            out += [(f"{w.dw(self.B)} {w.adds} {w.outwards(whole, old)}", (f"{w.dw(self.B)} {w.adds} {w.outwards(whole, new)}",))]
            out += [(f"{w.dw('b')} {w.adds} {w.summed(whole)}", ())] * self.bias
            return out
        for name, (label, _) in self.gates.items():
            of = self.raw(name)
            if self.style == "joint":
                out.append((f"{w.dw('W', label)} {w.adds} {w.outwards(of, w.at(self.both))}", ()))
            else:
                wrong = [w.outwards(of, new)] + [w.outwards(w.d(name), old)] * (self.inplace == "named")
                out += [(f"{w.dw(self.A, label)} {w.adds} {w.outwards(of, x)}", ())]
                out += [(f"{w.dw(self.B, label)} {w.adds} {w.outwards(of, old)}", tuple(f"{w.dw(self.B, label)} {w.adds} {o}" for o in wrong))]
            if self.bias:
                wrong = (f"{w.dw('b', label)} {w.adds} {w.summed(w.d(name))}",) if self.inplace == "named" else ()
                out.append((f"{w.dw('b', label)} {w.adds} {w.summed(of)}", wrong))
        return out

    def back(self) -> list[Claim]:
        """To the input and to the state before."""
        w = self.w
        dx, dh = w.d("x"), w.d("h", 1) if w.loop else w.gradient % w.before.format("h")
        if self.style == "packed":
            whole = w.d("gates")
            true, false = (f(w.w(self.B), whole) for f in (w.back, w.times))
            return [(f"{dx} = {w.back(w.w(self.A), whole)}", ()), (f"{dh} = {true}", (f"{dh} = {false}",))]
        if self.style == "joint":
            both = w.d(self.both)
            first, second = (f"[{':, ' * w.rows}{c}]" for c in (f":{self.cut}", f"{self.cut}:"))
            ranges = (first, second) if self.order[0] == "h" else (second, first)
            whole = " + ".join(w.back(w.w("W", label), self.raw(name)) for name, (label, _) in self.gates.items())
            return [(f"{both} = {whole}", ()), (f"{dh} = {both}{ranges[0]}", ()), (f"{dx} = {both}{ranges[1]}", ())]
        by = {B: [w.back(w.w(B, label), self.raw(name)) for name, (label, _) in self.gates.items()] for B in (self.A, self.B)}
        turned = [w.times(w.w(self.B, label), self.raw(name)) for name, (label, _) in self.gates.items()]
        wrong = [" + ".join([turned[0], *by[self.B][1:]]), " + ".join(by[self.B][1:])]
        return [
            (f"{dx} = {' + '.join(by[self.A])}", (f"{dx} = {' + '.join(by[self.A][1:])}",)),
            (f"{dh} = {' + '.join(by[self.B])}", tuple(f"{dh} = {s}" for s in wrong)),
        ]


def lstm(w: Code, pick: Pick) -> tuple[list[str], list[Claim]]:
    """c = f * c_prev + i * g, h = o * tanh(c)."""
    g, c = pick(["g", "c_tilde", "c_bar", "c_hat", "g"]), w.at("c")
    label = pick(["c", "g"])
    gates = {name: (("f", "sigmoid"), ("i", "sigmoid"), ("o", "sigmoid"), (label, "tanh"))[k] for k, name in enumerate(("f", "i", "o", g))}
    gates = {name: gates[name] for name in shuffled(pick, list(gates))}
    made = Gates(w, pick, gates)
    f, i, o, old, new = w.at("f"), w.at("i"), w.at("o"), w.at("c", -1), w.at(g)
    lines = [*made.lines(), f"{c} = {f} * {old} + {i} * {new}", f"{w.at('h')} = {o} * {w.tanh}({c})"]
    dh, dc, square = w.d("h"), w.d("c"), pick(["**2", " ** 2"])
    slope = f"(1 - {w.tanh}({c}){square})"
    come = w.d("c", 1)
    own = [f"{dh} * {o} * {slope}", f"{dh} * {o} * (1 - {w.tanh}({c}))", f"{dh} * {slope}", f"{dh} * {o} * (1 - {c}{square})"]
    sums = [pick([f"{{0}} + {come}", f"{come} + {{0}}"]).format(p) for p in own]
    claims: list[Claim] = made.derive("o", f"{dh} * {w.tanh}({c})", tuple(f"{w.d('o')} = {dh} * {s}" for s in (f"{w.tanh}({old})", c)))
    claims.append((f"{dc} = {sums[0]}", tuple(f"{dc} = {s}" for s in sums[1:])))
    claims += made.derive("f", f"{dc} * {old}", (f"{w.d('f')} = {dc} * {c}",))
    claims += made.derive("i", f"{dc} * {new}", (f"{w.d('i')} = {dc} * {i}",))
    claims += made.derive(g, f"{dc} * {i}", (f"{w.d(g)} = {dc} * {f}", f"{w.d(g)} = {dc} * {new}"))
    claims += [*made.weights(), *made.back()]
    last = w.d("c", 1) if w.loop else w.gradient % w.before.format("c")
    claims.append((f"{last} = {dc} * {f}", (f"{last} = {dc} * {i}", f"{last} = {dh} * {f}")))
    kept = ["x", w.at("h", -1), old, *gates, "c", "h"] + [made.both] * (made.style == "joint")
    return w.forward(["h", "c"], lines, kept, ["h"]), claims


def gru(w: Code, pick: Pick) -> tuple[list[str], list[Claim]]:
    """h = (1 - z) * h_prev + z * n, or z and 1 - z exchanged, the reset gate before the weight or behind it."""
    n = pick(["n", "h_tilde", "h_hat", "h_cand", "g", "c"])
    made = Gates(w, pick, {"z": ("z", "sigmoid"), "r": ("r", "sigmoid"), n: ("h", "tanh")})
    made.style = "two"
    keeps, behind = pick([False, True]), pick([False, True])
    x, old, h, z, r, new = w.at("x"), w.at("h", -1), w.at("h"), w.at("z"), w.at("r"), w.at(n)
    weights = {B: [w.w(B, label) for label in "zrh"] for B in (made.A, made.B)}
    last = weights[made.B][2]
    lines = made.lines()
    reset = f"{r} * ({w.times(last, old)})" if behind else w.times(last, f"({r} * {old})")
    bias = f" + {w.w('b', 'h')}" if made.bias else ""
    lines[2] = f"{new} = {w.tanh}({w.times(weights[made.A][2], x)} + {reset}{bias})"
    keep, write = (z, f"(1 - {z})") if keeps else (f"(1 - {z})", z)
    lines.append(pick([f"{h} = {keep} * {old} + {write} * {new}", f"{h} = {write} * {new} + {keep} * {old}"]))
    dh, dn, dr = w.d("h"), w.d(n), w.d("r")
    p, q = (old, new) if keeps else (new, old)
    claims = made.derive("z", f"{dh} * ({p} - {q})", (f"{w.d('z')} = {dh} * ({q} - {p})",))
    claims += made.derive(n, f"{dh} * {write}", (f"{dn} = {dh} * {keep}",))
    raw = made.raw(n)
    back = w.back(last, raw)
    turned = w.times(last, raw)
    if behind:
        claims += made.derive("r", f"{raw} * {w.part(w.times(last, old))}", (f"{dr} = {raw} * {old}",))
    else:
        claims += made.derive("r", f"{w.part(back)} * {old}", (f"{dr} = {w.part(turned)} * {old}", f"{dr} = {w.part(back)} * {h}"))
    inner = f"{w.part(w.back(last, f'({raw} * {r})'))}" if behind else f"{w.part(back)} * {r}"
    for k, name in enumerate(("z", "r", n)):
        label, of = "zrh"[k], made.raw(name)
        by = old if k < 2 else old if behind else f"({r} * {old})"
        of_state = f"({of} * {r})" if behind and k == 2 else of
        wrong = (w.outwards(of, h) if k < 2 else w.outwards(of, old if not behind else h),)
        claims.append((f"{w.dw(made.A, label)} {w.adds} {w.outwards(of, x)}", ()))
        claims.append((f"{w.dw(made.B, label)} {w.adds} {w.outwards(of_state, by)}", tuple(f"{w.dw(made.B, label)} {w.adds} {o}" for o in wrong)))
        if made.bias:
            claims.append((f"{w.dw('b', label)} {w.adds} {w.summed(of)}", ()))
    gates = [w.back(weights[made.B][k], made.raw(name)) for k, name in enumerate(("z", "r"))]
    before = w.d("h", 1) if w.loop else w.gradient % w.before.format("h")
    total = [f"{dh} * {keep}", *gates, inner]
    claims.append((f"{w.d('x')} = {' + '.join(w.back(weights[made.A][k], made.raw(name)) for k, name in enumerate(('z', 'r', n)))}", ()))
    wrong = [[f"{dh} * {write}", *total[1:]], total[1:], total[:-1], [total[0], *total[2:]]]
    claims.append((f"{before} = {' + '.join(total)}", tuple(f"{before} = {' + '.join(ways)}" for ways in wrong)))
    return w.forward(["h"], lines, ["x", old, "z", "r", n, "h"], ["h"]), claims


NETWORKS = {"program_rnn": rnn, "program_lstm": lstm, "program_gru": gru}
