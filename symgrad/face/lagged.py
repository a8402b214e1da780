r"""Several steps: ∂h_t/∂h_{t-k} = ∏_{u=0}^{k-1} J_{t-u}, the latest factor leftmost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.errors import SymgradError
from symgrad.face.jacobian import Jacobian, jacobian
from symgrad.language.program import Program
from symgrad.notation.syntax import Big, Derivative, Name, Negative, Node, Number, Power, Relation, Sum
from symgrad.notation.write import Writer

if TYPE_CHECKING:
    from symgrad.face.cell import Cell


@dataclass(frozen=True)
class Lagged:
    """∂s_t/∂s_{t-k} for one state s, as the product of its one-step Jacobians; k is a number or a letter."""

    one: Jacobian
    lag: int | str

    def syntax(self, form: str = "matrix", name: bool = True) -> Node:
        """The product, spelled out with its value where every factor is the same matrix."""
        writer = Writer(self.one.program, form)
        lag: Node = Number(str(self.lag)) if isinstance(self.lag, int) else Name(self.lag)
        index = self.one.program.index
        state = writer.names(self.one.of)
        assert isinstance(state, Name)

        def at(*back: Node) -> Name:
            moment = Sum((Name(index), *map(Negative, back))) if back else Name(index)
            return Name(state.base, state.accents, (*state.subs[:-1], moment), state.primes)

        u = Name("u")
        factor = Derivative(at(u), at(u, Number("1")))
        upper: Node = Number(str(self.lag - 1)) if isinstance(self.lag, int) else Sum((lag, Negative(Number("1"))))
        right: Node = Big("prod", u, Number("0"), upper, factor)
        value = self._value(Writer(self.one.program, form, u), u, upper, lag)
        sides = [Derivative(at(), at(lag)), right] if name else [right]
        if value is not None:
            sides.append(value)
        return Relation(tuple(sides), ("=",) * (len(sides) - 1)) if len(sides) > 1 else sides[0]

    def _value(self, writer: Writer, u: Name, upper: Node, lag: Node) -> Node | None:
        """The product with its factors put in, if they are one term: W^k where they are parameters alone."""
        if len(self.one.tensor.terms) != 1:
            return None
        factor = writer.tensor(self.one.tensor)
        if self.one.tensor.symbols <= set(self.one.program.parameters) and self.one.program.index == "t":
            return Power(factor, lag)
        return Big("prod", u, Number("0"), upper, factor)

    def latex(self, form: str = "matrix", name: bool = True) -> str:
        """The product as LaTeX."""
        from symgrad.notation.latex import latex
        from symgrad.notation.write import functions

        return latex(self.syntax(form, name), functions(self.one.program))

    def text(self, form: str = "matrix", name: bool = True) -> str:
        """The product in Unicode."""
        from symgrad.notation.text import text

        return text(self.syntax(form, name))

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def lagged(cell: Cell | Program, state: str = "h", lag: int | str = "k") -> Lagged:
    """∂s_t/∂s_{t-k} as a product over time."""
    if isinstance(lag, str) and lag.isdecimal():
        lag = int(lag)
    if not (lag.isidentifier() if isinstance(lag, str) else lag >= 1):
        raise SymgradError(f"lag={lag}: the number of steps is at least 1, or a letter")
    one = jacobian(cell, of=state, wrt=state)
    if one.wrt not in one.program.updates:
        states = ", ".join(s.name for s in one.program.states)
        raise SymgradError(f"{state} is no state of cell {one.program.name}: a product over time needs one of {states}")
    return Lagged(one, lag)
