r"""The same derivations as many authors write them: the letters, where the step stands, the signs for products, transposes, diagonals and derivatives.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Draw: TypeAlias = Callable[[st.SearchStrategy[T]], T]
Claim: TypeAlias = tuple[str, tuple[str, ...]]  # what is true, and what is not

STEPS = ("_{%s}", "^{(%s)}", "^{%s}", "(%s)", "[%s]", r"^{\langle %s \rangle}", "^{<%s>}", "_{(%s)}")
FONTS = ("%s", r"\mathbf{%s}", r"\boldsymbol{%s}", r"\bm{%s}", r"\vec{%s}", r"\mathbf %s")
FRACTIONS = (
    r"\frac{\partial %s}{\partial %s}", r"\dfrac{\partial %s}{\partial %s}", r"\partial %s / \partial %s", r"\frac{d %s}{d %s}",
    r"\frac{\mathrm{d} %s}{\mathrm{d} %s}", r"{\partial %s \over \partial %s}",
)  # fmt: skip
DISPLAYS = ("$$%s$$", "$$\n%s\n$$", r"\[%s\]", "\\begin{equation}\n%s\n\\end{equation}", "$%s$", "\\begin{align}\n%s\n\\end{align}")
ANY_FUNCTION = (r"\tanh", r"\sigma", "f", "g", "F", r"\phi", r"\varphi", r"\psi", r"\rho", "tanh", r"\text{tanh}", r"\operatorname{tanh}", r"\mathcal{F}")


@dataclass(frozen=True)
class Notation:
    """How somebody writes formulas."""

    letter: str  # of the steps
    step: str
    font: str
    times: str  # entry by entry
    top: str
    diagonal: str
    left: str
    right: str
    fraction: str
    space: str  # between factors
    loss: str
    display: str

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        """A quantity at a step."""
        letter = step or self.letter
        return (self.font % name if len(name) == 1 else name) + self.step % (letter if not shift else f"{letter}{shift:+d}")

    def d(self, of: str, by: str) -> str:
        return self.fraction % (of, by)

    def diag(self, of: str) -> str:
        return f"{self.diagonal}{self.left}{of}{self.right}"

    def transposed(self, of: str) -> str:
        return of + self.top if not set("_^[(/ ") & set(of) and len(of) < 3 else f"({of}){self.top}"

    def squared(self, of: str) -> str:
        return f"({of})^2" if "^" in of else f"{of}^2"

    def document(self, equations: list[str], claims: list[str]) -> str:
        return "\n\n".join(["The network:", *(self.display % e for e in equations), "Its derivatives:", *(self.display % c for c in claims)])


@st.composite
def notations(draw: Draw[str], letters: str = "tttkni") -> Notation:
    def one(*of: str) -> str:
        return draw(st.sampled_from(of))

    left, right = draw(st.sampled_from([("(", ")"), (r"\left(", r"\right)"), ("[", "]"), (r"\big(", r"\big)")]))  # type: ignore[arg-type]
    return Notation(
        one(*letters), one(*STEPS), one(*FONTS), one(r" \odot ", r" \circ ", r" * ", r" \otimes "), one("^T", r"^\top", r"^{\mathsf{T}}", r"^{\mathrm T}"),
        one(r"\text{diag}", r"\operatorname{diag}", r"\mathrm{diag}", "diag", r"{\rm diag}"), left, right, one(*FRACTIONS), one(" ", r" \cdot ", r"\,"),
        one("L", r"\mathcal{L}", "E", "J", r"\ell"), one(*DISPLAYS),
    )  # fmt: skip


def rnn(w: Notation, draw: Draw[T]) -> tuple[list[str], list[Claim]]:
    """h_t = φ(W h_{t-1} + U x_t + b), o_t = V h_t."""
    f = draw(st.sampled_from([*ANY_FUNCTION, "f_h"]))
    names = [("W_{hh}", "W_{xh}", "W_{hy}"), ("W", "U", "V"), ("U", "W", "V"), ("W^{hh}", "W^{hx}", "W^{yh}"), ("R", "A", "C"), (r"W_{\text{rec}}", "V", "O")]
    W, U, V = draw(st.sampled_from(names))
    named, bias, k = draw(st.booleans()), draw(st.sampled_from(["", " + b", " + b_h"])), "m"

    def h(shift: int = 0, step: str = "") -> str:
        return w.at("h", shift, step)

    def inside(shift: int = 0) -> str:
        return f"{W}{w.space}{h(shift - 1)} + {U}{w.space}{w.at('x', shift)}{bias}"

    def slope(shift: int = 0, step: str = "") -> str:
        if "tanh" in f and (step or draw(st.booleans())):
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
        (back(" ".join(chain)), (back(f"{chain[0]} {w.d(w.loss, h())}"),)),
        (back(f"{w.transposed(W)}{w.space}{later}{w.space}{chain[1]}"), (back(f"{W}{w.space}{later}{w.space}{chain[1]}"),)),
        (gradient + w.transposed(h(-1)), (gradient + w.transposed(h()), gradient + w.transposed(w.at("x")))),
        (f"{w.d(w.loss, h(step='T'))} = {w.transposed(V)}{w.space}{w.d(w.loss, w.at('o', step='T'))}", ()),
    ]
    if named:
        delta, error = r"\delta" + w.step % w.letter, w.d(w.loss, w.at("o"))
        rule = f"{delta} = ({w.transposed(V)}{w.space}{error} + %s{w.space}{{}}){w.times}({slope()})".replace("{}", r"\delta" + w.step % f"{w.letter}+1")
        weight = f"{w.d(w.loss, W)} = \\sum_{{{w.letter}=%d}}^T {delta}{w.space}"
        claims += [(rule % w.transposed(W), (rule % W,)), (weight % 1 + w.transposed(h(-1)), (weight % 1 + w.transposed(h()),))]
        equations.append(f"{delta} = {w.d(w.loss, w.at('a'))}")
    return equations, claims


def lstm(w: Notation, draw: Draw[T]) -> tuple[list[str], list[Claim]]:
    """c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t, h_t = o_t ⊙ tanh(c_t)."""
    state = draw(st.sampled_from("cCs"))
    new = draw(st.sampled_from([rf"\tilde{{{state}}}", rf"\hat{{{state}}}", "g", "z"]))
    sigma, tanh = draw(st.sampled_from([r"\sigma", r"\text{sigmoid}", r"\sigma_g"])), draw(st.sampled_from([r"\tanh", "tanh", r"\text{tanh}", r"\phi", "g_c"]))
    joint = draw(st.booleans())
    c, g, f, i, o, h = (lambda shift=0, name=name: w.at(name, shift) for name in (state, new, "f", "i", "o", "h"))

    def inside(label: str) -> str:
        own = f"W_{label}{w.space}[{h(-1)}, {w.at('x')}]" if joint else f"W_{label}{w.space}{w.at('x')} + U_{label}{w.space}{h(-1)}"
        return f"{own} + b_{label}"

    equations = [f"{of()} = {rule}({inside(label)})" for of, rule, label in ((f, sigma, "f"), (i, sigma, "i"), (g, tanh, "c"), (o, sigma, "o"))]
    equations = draw(st.permutations(equations))
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


def gru(w: Notation, draw: Draw[T]) -> tuple[list[str], list[Claim]]:
    """h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t, or z_t and 1 - z_t exchanged, the reset gate before the weight or behind it."""
    new = draw(st.sampled_from([r"\tilde{h}", r"\hat{h}", "n"]))
    z, r, n, h = (lambda shift=0, name=name: w.at(name, shift) for name in ("z", "r", new, "h"))
    keeps, behind = draw(st.booleans()), draw(st.booleans())

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


NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru}
