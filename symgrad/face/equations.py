"""The adjoint and tangent equations as a user holds them: `vjp` and `jvp`, whose result prints itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from symgrad.calculus import adjoint
from symgrad.language.program import Program, Source
from symgrad.notation.latex import latex_lines
from symgrad.notation.sympy_out import equations
from symgrad.notation.text import text
from symgrad.notation.write import functions, update_equations


@dataclass(frozen=True)
class Equations(adjoint.Equations):
    """Named derivative equations that print themselves."""

    def latex(self, form: str = "matrix") -> str:
        """One equation a line, in an ``aligned`` block."""
        return latex_lines(*update_equations(self.program, form), functions=functions(self.forward))

    def text(self, form: str = "matrix") -> str:
        """One equation a line, in Unicode."""
        return "\n".join(text(e) for e in update_equations(self.program, form))

    def sympy(self, form: str = "matrix", n: int | None = None, m: int | None = None) -> list[sp.Eq]:
        """The equations as `sympy.Eq`, in the forms of `Cell.equations`."""
        return equations(self.program, form, n, m)

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def vjp(cell: Source | Program, wrt: Iterable[str] | str | None = None) -> Equations:
    r"""The adjoint equations: from δh_t = ∂L/∂h_t to δz_t, …, δh_{t-1}, δx_t and every δW.

    .. math:: \delta v = \left(\frac{\partial y}{\partial v}\right)^{\!\top} \delta y

    `wrt` names what the adjoints are wanted of: states, inputs, parameters; by default all of them.
    """
    return _shown(adjoint.vjp(cell, wrt))


def jvp(cell: Source | Program, wrt: Iterable[str] | str | None = None) -> Equations:
    r"""The tangent equations: from a direction ḣ_{t-1} (and ẋ_t, Ẇ, …) to ż_t, …, ḣ_t.

    .. math:: \dot y = \frac{\partial y}{\partial v}\, \dot v
    """
    return _shown(adjoint.jvp(cell, wrt))


def _shown(found: adjoint.Equations) -> Equations:
    return Equations(found.program, found.forward, found.seeds, found.results)
