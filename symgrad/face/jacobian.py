r"""∂(new value)/∂(old value) of a cell: the public `jacobian`, and what can be asked of it.

The result is a `Jacobian`: a tensor in index notation with the program it speaks of.  It prints itself in three forms, becomes
SymPy or compiled NumPy, and takes gates at a value (`at`: their slopes follow) or held there (`hold`: constants, no slope).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from symgrad.calculus.derive import values
from symgrad.calculus.jacobian import Derivative, derivative, new_name, with_symbols
from symgrad.errors import SymgradError
from symgrad.generate.step.compiled import Compiled, compiled
from symgrad.language.program import Program, Source, program_of
from symgrad.notation.derivation import jacobian_syntax
from symgrad.notation.latex import latex, latex_lines
from symgrad.notation.sympy_out import tensor_sympy
from symgrad.notation.syntax import Node
from symgrad.notation.text import text
from symgrad.notation.write import functions


@dataclass(frozen=True)
class Jacobian(Derivative):
    """∂of/∂wrt, numerator layout: ``J[i, j] = ∂of_i/∂wrt_j``."""

    def at(self, **gates: object) -> Jacobian:
        """The Jacobian where gates *are at* these values; their slopes follow: z = 1 makes z(1-z) zero.

        A value is a number, a fraction such as "1/2", or another name.
        """
        given = values(self.program, gates)
        return replace(self, program=with_symbols(self.program, given), tensor=self.tensor.subs(given), substituted={**self.substituted, **given})

    def hold(self, **gates: object) -> Jacobian:
        """The Jacobian where gates are *held* at these values: constants, which do not depend on the state and have no slope."""
        given = {**self.held, **values(self.program, gates)}
        derived = _held(derivative(with_symbols(self.program, given), self.of, self.wrt, self.through, given))
        return derived.at(**{s.name: v for s, v in self.substituted.items()}) if self.substituted else derived

    def latex(self, form: str = "matrix", name: bool = False) -> str:
        """The right side as LaTeX; with `name`, the whole equation ``∂h_t/∂h_{t-1} = …``.  Forms: matrix, component, scalar."""
        return latex(self.syntax(form, name), functions(self.program))

    def text(self, form: str = "matrix", name: bool = False) -> str:
        """As `latex`, in Unicode for a terminal."""
        return text(self.syntax(form, name))

    def syntax(self, form: str = "matrix", name: bool = False) -> Node:
        """The formula as syntax nodes, which printers and deciders read."""
        return jacobian_syntax(self, form, name)

    def sympy(self, n: int | None = None, m: int | None = None, form: str = "matrix") -> Any:
        """A `MatrixExpr` in symbolic sizes; with n (and m), an explicit matrix; with form="scalar", a scalar `Expr`."""
        return tensor_sympy(self.program, self.tensor, form, n, m)

    @cached_property
    def _compiled(self) -> Compiled:

        return compiled(self.program, {"J": self.tensor}, self.substituted, self.held)

    def numpy(self) -> Compiled:
        """A compiled function of the named arrays: ``f(x=…, h=…, W_z=…)``, or of the gates themselves, ``f(z=…, h=…, U_z=…)``."""
        return self._compiled

    def __str__(self) -> str:
        return self.text(name=True)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex(name=True)}\n$$"


@dataclass(frozen=True)
class StateJacobian:
    """∂(h_t, c_t)/∂(h_{t-1}, c_{t-1}) in blocks, row by row."""

    blocks: tuple[tuple[Jacobian, ...], ...]

    def __iter__(self) -> Any:
        return (b for row in self.blocks for b in row)

    def at(self, **gates: object) -> StateJacobian:
        """Every block `Jacobian.at`."""
        return StateJacobian(tuple(tuple(b.at(**gates) for b in row) for row in self.blocks))

    def hold(self, **gates: object) -> StateJacobian:
        """Every block `Jacobian.hold`."""
        return StateJacobian(tuple(tuple(b.hold(**gates) for b in row) for row in self.blocks))

    def latex(self, form: str = "matrix", name: bool = True) -> str:
        """The blocks as equations, one a line, in an ``aligned`` block."""
        return latex_lines(*(b.syntax(form, True) for b in self), functions=functions(self.blocks[0][0].program))

    def text(self, form: str = "matrix", name: bool = True) -> str:
        """One line for each block."""
        return "\n".join(b.text(form, True) for b in self)

    def sympy(self, n: int | None = None, m: int | None = None, form: str = "matrix") -> Any:
        """A `BlockMatrix`; with n, or as scalars, an explicit matrix."""
        cells = [[b.sympy(n, m, form) for b in row] for row in self.blocks]
        if form == "scalar":
            return sp.ImmutableMatrix(cells)
        return sp.BlockMatrix(cells) if n is None else sp.ImmutableMatrix(sp.BlockMatrix(cells).as_explicit())

    def numpy(self) -> Compiled:
        """A compiled function that returns the blocks in a dict, keyed ``"h/c"`` for ∂h_t/∂c_{t-1}."""
        first = self.blocks[0][0]
        program = first.program
        named = {f"{new_name(program, b.of)}/{b.wrt.name}": b.tensor for b in self}
        return compiled(program, named, first.substituted, first.held)

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


Names = str | Iterable[str]


def jacobian(cell: Source | Program, of: Names = "h", wrt: Names = "h", through: Names = ()) -> Any:
    r"""∂(new `of`)/∂(old `wrt`), exactly, in matrix form.

    .. math:: J_{ij} = \partial of_i / \partial wrt_j

    `of` is a state (its new value), an output or any named gate; `wrt` a state (its old value), an input, a parameter or a gate.
    `through` counts, for a state of the old step, the path by which the old `wrt` reaches the new `of` through it: the LSTM's
    ∂c_t/∂c_{t-1} through h_{t-1} = o_{t-1} ∘ tanh(c_{t-1}).  Several names (``of=("h", "c")``) give the blocks of a `StateJacobian`.

    Raises `UnknownName` for a name that the cell does not have, and `SymgradError` for a `through` that is no path.
    """
    program = program_of(cell)
    rows, columns, ways = _split(of), _split(wrt), _split(through)
    if len(rows) == len(columns) == 1:
        return _jacobian(program, rows[0], columns[0], ways)
    return StateJacobian(tuple(tuple(_jacobian(program, r, c, ways) for c in columns) for r in rows))


def _split(names: Names) -> tuple[str, ...]:
    return tuple(w for w in names.replace(",", " ").split() if w) if isinstance(names, str) else tuple(names)


def _jacobian(program: Program, of: str, wrt: str, through: tuple[str, ...]) -> Jacobian:
    ways = tuple(program.old(s) for s in through)
    for s in ways:
        if s not in program.updates:
            raise SymgradError(f"through={s.name!r}: {s.name} is no state of cell {program.name}; its states are {', '.join(x.name for x in program.states)}")
    return _held(derivative(program, program.new(of), program.old(wrt), ways, {}))


def _held(found: Derivative) -> Jacobian:
    return Jacobian(found.program, found.of, found.wrt, found.through, found.tensor, found.substituted, found.held)
