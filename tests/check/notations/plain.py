"""Plain text: the formulas of the networks as they stand in comments, in docstrings, in a fence, on a line of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .brief import gru, lstm
from .rnn import rnn
from .writing import Claim, Notation, Pick, shuffled

Network = Callable[[Notation, Pick], tuple[list[str], list[Claim]]]
LETTERS = {"sigma": "σ", "phi": "φ", "varphi": "φ", "psi": "ψ", "rho": "ρ", "delta": "δ"}
UNICODE_PRODUCTS = ("∏_{{{0}={1}}}^{{{2}}}", "Π_{{{0}={1}}}^{{{2}}}", "∏_{{{0}={1}..{2}}}", "Π({0}={1} to {2})")
LOWER = str.maketrans("0123456789+-tkijn", "₀₁₂₃₄₅₆₇₈₉₊₋ₜₖᵢⱼₙ")
LAYOUTS = {  # of one formula, and of all together
    "fence": ("{}", "```\n{}\n```", "md"),
    "text fence": ("    {}", "```text\n{}\n```", "md"),
    "bullets": ("- {}", "{}", "md"),
    "code": ("- `{}`", "{}", "md"),
    "paragraphs": ("{}\n", "{}", "txt"),
    "indented": ("    {}", "\n{}\n", "txt"),
    "numbered": ("  {}", "{}", "txt"),
    "docstring": ("    {}", "{}", "py"),
    "comment": ("# {}", "{}", "py"),
    "lines": ("// {}", "{}", "cpp"),
}


@dataclass(frozen=True)
class Plain(Notation):
    """How somebody writes formulas without LaTeX."""

    layout: str = "fence"
    unicode: bool = True
    tilde: str = "{}\u0303"
    hat: str = "{}\u0302"
    product: str = "∏_{{{0}={1}}}^{{{2}}}"
    total: str = "Σ_{{{0}}}"
    sigmoid: str = "σ"
    remark: str = ""
    label: str = ""

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        letter = step or self.letter
        at = letter if not shift else f"{letter}{shift:+d}"
        if self.step == "words":
            return name + ("", "_next", "_prev")[shift]
        if self.step == "low":
            return name + (at.translate(LOWER) if at.isascii() and set(at) <= set("0123456789+-tkijn") else f"_{at}" if len(at) == 1 else f"_{{{at}}}")
        return name + (self.step % at if len(at) > 1 or self.step != "_{%s}" else f"_{at}")

    def transposed(self, of: str) -> str:
        return f"({of}){self.top}" if set("/ ") & set(of) and of[0] != "(" else of + self.top

    def spelled(self, text: str) -> str:
        """A formula in LaTeX as this author types it."""
        text = re.sub(r"\\(?:text|operatorname|mathrm|mathcal|mathbf)\{(\w+)\}", r"\1", text)
        text = re.sub(r"\\(tilde|hat)\{(\w)\}", lambda m: (self.tilde if m[1] == "tilde" else self.hat).format(m[2]), text)
        text = re.sub(r"\\prod_\{(\w)=([^{}]+)\}\^\{(\w)\}", lambda m: self.product.format(*m.groups()), text)
        text = re.sub(r"\\sum_\{(\w)(=1)?\}(?:\^T)?", lambda m: self.total.format(m[1]), text)
        text = re.sub(r"\\sigma(?:_g)?|\bsigmoid", self.sigmoid, text)
        text = re.sub(r"\\([a-z]+)", lambda m: LETTERS.get(m[1], m[1]) if self.unicode else m[1], text)
        return re.sub(r"(?<=[A-Za-z])[_^]\{([A-Za-z]{2,})\}", r"_\1", text)

    def document(self, equations: list[str], claims: list[str]) -> str:
        one, every, kind = LAYOUTS[self.layout]
        first = every.format("\n".join(one.format(e) for e in equations))
        second = every.format("\n".join(one.format(f"{self.label}{c}{self.remark}") for c in claims))
        match kind:
            case "py" if self.layout == "docstring":
                return f'def backward(cache):\n    """The cell:\n\n{first}\n\n    Its gradients:\n\n{second}\n    """\n'
            case "py":
                return f"# The cell:\n#\n{first}\n#\n# Its gradients:\n#\n{second}\n\nimport os\n"
            case "cpp":
                return f"// The cell:\n//\n{first}\n//\n// Its gradients:\n//\n{second}\n\nint main() {{ return 0; }}\n"
        return f"The cell:\n\n{first}\n\nIts gradients:\n\n{second}\n"


def typing(pick: Pick, letters: str = "tttk") -> Plain:
    """How somebody types."""
    layout, unicode = pick(list(LAYOUTS)), pick([True, True, False])
    times = pick([" ⊙ ", " ∘ ", " * ", " × "] if unicode else [" * ", " .* "])
    space = pick([" ", " @ ", " · ", "·"] if unicode else [" ", " @ "])
    return Plain(
        letter=pick(letters),
        step=pick(["_{%s}", "_{%s}", "(%s)", "[%s]", "_(%s)", *(["low"] if unicode else [])]),
        font="%s",
        times=times,
        top=pick(["ᵀ", "^T", "⊤", ".T"] if unicode else ["^T", ".T"]),
        diagonal=pick(["diag", "diag", "Diag"]),
        left="(",
        right=")",
        fraction=pick(["∂%s/∂%s", "d%s/d%s", "∂%s / ∂%s"] if unicode else ["d%s/d%s"]),
        space=space,
        loss=pick(["L", "L", "E", "J"]),
        display="",
        kind=LAYOUTS[layout][2],
        layout=layout,
        unicode=unicode,
        tilde=pick(["{}\u0303", "{}~", "{}_tilde"] if unicode else ["{}~", "{}_tilde"]),
        hat=pick(["{}\u0302", "{}_hat"] if unicode else ["{}_hat"]),
        product=pick(UNICODE_PRODUCTS if unicode else ["prod_{{{0}={1}}}^{{{2}}} ", "prod_{{{0}={1}..{2}}}"]),
        total=pick(["Σ_{0}", "∑_{0}", "Σ_{{{0}}}"] if unicode else ["sum_{0}", "sum_{{{0}}}"]),
        sigmoid=pick(["σ", "sigmoid"] if unicode else ["sigmoid", "sigma"]),
        remark=pick(["", "", "   # chain rule", "   (by the chain rule)", "  <- from above"]),
        label=pick(["", "", "so ", "Gradient: "]),
    )


def typed(network: Network) -> Network:
    """A network in plain text."""

    def plain(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
        assert isinstance(w, Plain)
        equations, claims = network(w, pick)
        return [w.spelled(e) for e in equations], [(w.spelled(true), tuple(map(w.spelled, slips))) for true, slips in claims]

    return plain


class Pass:
    """A backward pass line by line, ``do_t = dh_t * tanh(c_t)``, with names for the gradients."""

    def __init__(self, w: Plain, pick: Pick) -> None:
        self.w = w
        marks = ["d{}", "d{}", "∂", "δ{}"] if w.unicode else ["d{}", "d{}", "delta_{}", "∂"]
        self.mark = pick(marks) if w.step != "words" else "d{}"
        self.named = self.mark == "∂" or pick([True, False])  # whether what goes into an activation has a name
        self.inner, self.raw = pick(["z{}", "a{}", "{}_pre"]), pick(["{}_raw", "{}_pre"])
        self.square = pick(["tanh²({})" if w.unicode else "tanh^2({})", "tanh({})^2", "tanh({})²" if w.unicode else "tanh({})**2"])
        self.sums = pick([f"{w.total.format(w.letter)} ", ""]) if w.step != "words" else ""
        self.adds = "=" if self.sums else pick(["+=", "+=", "="]) if w.step == "words" else "+="
        self.bias = pick([" + b_{}", ""])
        self.labels: dict[str, str] = {}

    def d(self, name: str, shift: int = 0) -> str:
        w = self.w
        return w.d(w.loss, w.at(name, shift)) if self.mark == "∂" else w.at(self.mark.format(name), shift)

    def of(self, weight: str) -> str:
        return self.w.d(self.w.loss, weight) if self.mark == "∂" else f"d{weight}"

    def dz(self, name: str) -> str:
        """The gradient before the activation that gives a gate."""
        return self.d(self.inner.format(self.labels[name])) if self.named else self.w.at(self.raw.format(self.mark.format(name)))

    def inside(self, name: str, label: str, state: str) -> list[str]:
        w = self.w
        own = f"W_{label}{w.space}{w.at('x')} + U_{label}{w.space}{state}{self.bias.format(label)}"
        f = "tanh" if label in ("g", "h", "c", "n") else w.sigmoid
        if not self.named:
            return [f"{w.at(name)} = {f}({own})"]
        inner = w.at(self.inner.format(label))
        return [f"{inner} = {own}", f"{w.at(name)} = {f}({inner})"]

    def before(self, name: str, tanh: bool) -> Claim:
        """Through the activation."""
        w = self.w
        value = w.at(name)
        square = f"{value}²" if w.unicode and w.step != "^{%s}" else f"{value}^2"
        true = f"(1 - {square})" if tanh else f"{value}{w.times}(1 - {value})"
        slips = (f"(1 - {value})", "(1 + ".join(true.split("(1 - ")))
        return f"{self.dz(name)} = {self.d(name)}{w.times}{true}", tuple(f"{self.dz(name)} = {self.d(name)}{w.times}{s}" for s in slips)

    def weights(self, name: str, label: str, state: str, wrong: str) -> list[Claim]:
        w = self.w
        W, U = (f"{self.of(f'{M}_{label}')} {self.adds} {self.sums}" for M in "WU")
        out: list[Claim] = [(f"{W}{self.dz(name)}{w.space}{w.transposed(w.at('x'))}", (f"{W}{self.d(name)}{w.space}{w.transposed(w.at('x'))}",))]
        out.append((f"{U}{self.dz(name)}{w.space}{w.transposed(state)}", (f"{U}{self.dz(name)}{w.space}{w.transposed(wrong)}",)))
        if self.bias:
            out.append((f"{self.of(f'b_{label}')} {self.adds} {self.sums}{self.dz(name)}", ()))
        return out


def lstm_pass(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """The backward pass of c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t, h_t = o_t ⊙ tanh(c_t)."""
    assert isinstance(w, Plain)
    w = replace(w, letter="t") if w.letter == "i" else w
    p = Pass(w, pick)
    g = pick(["g", w.tilde.format("c")]) if p.named and "_" not in p.inner and w.step != "low" else "g"
    gates = shuffled(pick, [("f", "f"), ("i", "i"), ("o", "o"), (g, "c" if g != "g" else "g")])
    p.labels = dict(gates)
    equations = [line for name, label in gates for line in p.inside(name, label, w.at("h", -1))]
    c, old = w.at("c"), w.at("c", -1)
    equations += [f"{c} = {w.at('f')}{w.times}{old} + {w.at('i')}{w.times}{w.at(g)}", f"{w.at('h')} = {w.at('o')}{w.times}tanh({c})"]
    slope = f"(1 - {p.square.format(c)})"
    dh, dc = p.d("h"), p.d("c")
    later = f"{p.d('c', 1)}{w.times}{w.at('f', 1)}" if w.step != "words" else "dc_next"
    own = f"{dh}{w.times}{w.at('o')}{w.times}{slope}"
    claims: list[Claim] = [
        (f"{p.d('o')} = {dh}{w.times}tanh({c})", (f"{p.d('o')} = {dh}{w.times}tanh({old})", f"{p.d('o')} = {dh}{w.times}{c}")),
        (f"{dc} = {own} + {later}", (f"{dc} = {dh}{w.times}{slope} + {later}", *([f"{dc} = {own} + {p.d('c', 1)}{w.times}{w.at('f')}"] * (w.step != "words")))),
        (f"{p.d('f')} = {dc}{w.times}{old}", (f"{p.d('f')} = {dc}{w.times}{c}",)),
        (f"{p.d('i')} = {dc}{w.times}{w.at(g)}", (f"{p.d('i')} = {dc}{w.times}{w.at('i')}",)),
        (f"{p.d(g)} = {dc}{w.times}{w.at('i')}", (f"{p.d(g)} = {dc}{w.times}{w.at('f')}",)),
    ]
    if w.step == "words":
        claims.append((f"dc_prev = {dc}{w.times}{w.at('f')}", (f"dc_prev = {dc}{w.times}{w.at('i')}",)))
    claims += [p.before(name, name == g) for name, _ in gates]
    for name, label in gates:
        claims += p.weights(name, label, w.at("h", -1), w.at("h"))
    parts = [f"{w.transposed(f'U_{label}')}{w.space}{p.dz(name)}" for name, label in gates]
    turned = parts[0].replace(w.transposed(f"U_{gates[0][1]}"), f"U_{gates[0][1]}")
    before = f"{p.d('h', -1)} = "
    claims.append((before + " + ".join(parts), (before + " + ".join([turned, *parts[1:]]), before + " + ".join(parts[1:]))))
    return equations, claims


def gru_pass(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
    """The backward pass of h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t, with the reset gate before the weight."""
    assert isinstance(w, Plain)
    w = replace(w, letter="t") if w.letter in "in" else w
    p = Pass(w, pick)
    p.inner = pick(["a{}", "s{}"]) if w.step != "words" else "s{}"  # ``an`` is a word
    n = "n" if w.step == "low" or not p.named else pick(["n", "g", w.tilde.format("h")])
    p.labels = {"z": "z", "r": "r", n: "h" if n not in "ng" else n}
    z, r, old, new, dh, dn = w.at("z"), w.at("r"), w.at("h", -1), w.at(n), p.d("h"), p.d(n)
    label = p.labels[n]
    equations = [line for name in ("z", "r") for line in p.inside(name, name, old)]
    reset = f"({r}{w.times}{old})"
    equations += p.inside(n, label, reset)
    keeps = pick([False, True])
    keep, write = (z, f"(1 - {z})") if keeps else (f"(1 - {z})", z)
    equations.append(f"{w.at('h')} = {keep}{w.times}{old} + {write}{w.times}{new}")
    a, b = (old, new) if keeps else (new, old)
    through = f"({w.transposed(f'U_{label}')}{w.space}{p.dz(n)})"
    turned = f"(U_{label}{w.space}{p.dz(n)})"
    claims: list[Claim] = [
        (f"{p.d('z')} = {dh}{w.times}({a} - {b})", (f"{p.d('z')} = {dh}{w.times}({b} - {a})",)),
        (f"{dn} = {dh}{w.times}{write}", (f"{dn} = {dh}{w.times}{keep}",)),
        p.before(n, True),
        (f"{p.d('r')} = {through}{w.times}{old}", (f"{p.d('r')} = {turned}{w.times}{old}", f"{p.d('r')} = {through}{w.times}{w.at('h')}")),
        p.before("z", False),
        p.before("r", False),
        *p.weights("z", "z", old, w.at("h")),
        *p.weights("r", "r", old, w.at("h")),
        *p.weights(n, label, reset, old),
    ]
    gates = [f"{w.transposed(f'U_{name}')}{w.space}{p.dz(name)}" for name in ("z", "r")]
    parts = [f"{dh}{w.times}{keep}", *gates, f"{through}{w.times}{r}"]
    before = f"{p.d('h', -1)} = "
    wrong = ([f"{dh}{w.times}{write}", *parts[1:]], parts[1:], parts[:-1], [*parts[:-1], through])
    claims.append((before + " + ".join(parts), tuple(before + " + ".join(ways) for ways in wrong)))
    return equations, claims


def passing(pick: Pick, letters: str = "tttk") -> Plain:
    """How somebody types a backward pass: with steps, or with words for the one before and the next."""
    w = typing(pick, letters)
    return replace(w, step="words") if w.step != "low" and pick([False, False, True]) else w


PASSES = {"plain_lstm_pass": lstm_pass, "plain_gru_pass": gru_pass}
NETWORKS = {"plain_rnn": typed(rnn), "plain_lstm": typed(lstm), "plain_gru": typed(gru), **PASSES}
