"""Python names for the symbols, sizes and operands of a generated pass, apart from those that the code makes up for itself."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

import sympy as sp

from symgrad.generate.backward.plan import Plan
from symgrad.notation.text import text
from symgrad.notation.write import Writer, write_equation

RESERVED = {
    "T", "B", "K", "t", "np", "xs", "ys", "dys", "dxs", "states", "params", "mask", "cache", "dtype", "d", "db", "gates", "start", "stop", "block",
    "real", "padded", "one", "sigmoid", "quiet_sigmoid", "sigmoid_of", "relu_of",
    "softplus_of", "step_of", "forward", "backward", "final_states", "dfinal", "dstates", "dparams", "outputs", "doutputs", "batch_first",
    "list", "zip",
}  # fmt: skip
MADE = re.compile(  # names that the generated code makes up for itself
    r"(tmp|work|operand|e)\d*|back_\w+|(weights|products|bias|slope\d*|given)_\w+|\w+_(all|block|prev|kept|given|ours|next|rows)|size_\w+|d[WUVb]?"
)


class Names:
    """A Python name for every symbol and every size of the program."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.program = plan, plan.program
        taken = {s.name for s in (*self.program.order, *plan.cell.parameters)}
        self.sizes: dict[str, str] = {}
        self.given: dict[sp.Symbol, str] = {}
        self.operands: dict[sp.Expr, str] = {}
        for dims in self.program.shapes.values():
            for d in dims:
                for s in d.free_symbols:
                    self.sizes.setdefault(s.name, s.name if s.name not in taken | RESERVED else f"size_{s.name}")

    def __call__(self, s: sp.Symbol) -> str:
        """z for z, dz for δz; with an underscore behind it where the code has another use for the name."""
        if s not in self.given:
            adjoint = s.name.startswith("δ")
            name = s.name.replace("δ", "d", 1) if adjoint else s.name
            made = name in RESERVED or (not adjoint and MADE.fullmatch(name)) or keyword.iskeyword(name)
            name = f"{name}_" if made or not name.isidentifier() or name in self.sizes.values() else name
            while name in self.given.values() or (adjoint and sp.Symbol(name) in self.program.order):
                name += "_"
            self.given[s] = name
        return self.given[s]

    def joined(self, parts: Iterable[str]) -> str:
        """z_r, the name of gates side by side."""
        name = "_".join(parts)
        while name in self.given.values() or sp.Symbol(name) in self.program.order:
            name += "_"
        return name

    def size(self, d: sp.Expr) -> str:
        text = str(d.xreplace({s: sp.Symbol(self.sizes[s.name]) for s in d.free_symbols}))
        return text if d.is_Atom else f"({text})"

    def shape(self, dims: Iterable[sp.Expr], *lead: str) -> str:
        parts = [*lead, *map(self.size, dims)]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def operand(self, e: sp.Expr) -> str:
        """A short name for the operand of a product: h, or rh for r∘h."""
        if e.is_Symbol:
            return self(e)
        word = "".join(sorted(s.name for s in e.free_symbols))
        plain = word.isidentifier() and e.is_Mul and len(word) < 12 and word not in RESERVED and sp.Symbol(word) not in self.program.order
        taken = self.operands.get(e) or (word if plain and word not in self.operands.values() else f"operand{len(self.operands) + 1}")
        self.operands[e] = taken
        return taken

    def block(self, s: sp.Symbol, eye: str = "np.eye({}, dtype=dtype)") -> str:
        """The constant block of a concatenation: the columns of I that belong to one part."""
        sizes, k = self.program.constants[s].parts, self.program.constants[s].part
        first, last = sp.Add(*sizes[:k]), sp.Add(*sizes[: k + 1])
        return f"{eye.format(self.size(sp.Add(*sizes)))}[:, {self.size(first)}:{self.size(last)}]"

    def all(self, s: sp.Symbol) -> str:
        return f"{self(s)}_all"


def comment(writer: Writer, s: sp.Symbol) -> str:
    """The equation of a name, as a comment."""
    return text(write_equation(writer, s))
