"""SymPy's `MatrixExpr` as tensors: vectors are n × 1 matrices there, and an axis of size 1 is no index here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix

from symgrad.decide.polynomials import rational
from symgrad.errors import SymgradError
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term, added, tensor

Axes = tuple[bool, bool]


@dataclass(frozen=True)
class _Value:
    """A tensor, and which of the two axes of the matrix it has: a column has the first only."""

    tensor: Tensor
    axes: Axes


def from_matrixexpr(e: sp.MatrixExpr, program: Program) -> tuple[Program, Tensor]:
    """The tensor of a MatrixExpr whose symbols are the program's names, and the program with the atoms that it needs."""
    reader = _Reader(program)
    value = reader.read(e)
    shapes = {s: t.dims for s, t in reader.atoms.items()}
    return replace(program, atoms={**program.atoms, **reader.atoms}, shapes={**program.shapes, **shapes}), value.tensor


def in_names(e: sp.Expr, program: Program) -> sp.Expr:
    """A scalar expression in the program's names, whatever SymPy was told about them, its floats as rationals; without a cell every name will do."""
    known: dict[sp.Symbol, sp.Symbol] = {}
    for s in e.free_symbols:
        if isinstance(s, sp.Dummy):
            raise SymgradError(f"{s} is a Dummy, which has no name of its own; write sp.Symbol('…')")
        if isinstance(s, sp.Symbol):
            plain = sp.Symbol(s.name)
            free = not program.order or program.constants or plain in program.shapes
            known[s] = program.names.get(s.name) or (plain if free else program.symbol(s.name))
    e = e.xreplace({x: sp.Rational(rational(x)) for x in e.atoms(sp.Float)})
    return sp.sympify(e.subs(known) if e.has(sp.Derivative, sp.Subs) else e.xreplace(known))


class _Reader:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.atoms: dict[sp.Symbol, Tensor] = {}

    def read(self, e: Any) -> _Value:
        """Any expression, by its class."""
        for kind, rule in RULES.items():
            if isinstance(e, kind):
                return rule(self, e)
        if isinstance(e, sp.Expr) and not isinstance(e, sp.MatrixExpr):
            return _Value(tensor((), [Term(sp.S.One, (Factor(in_names(e, self.program), ()),))]), (False, False))
        raise SymgradError(f"{type(e).__name__} is not read in a claim; it can use sums, products, transposes, Hadamard products and diagonals")

    def symbol(self, e: sp.MatrixSymbol) -> _Value:
        s = self.program.symbol(e.name)
        dims = self.program.shapes[s]
        axes = tuple(d != 1 for d in e.shape)
        if sum(axes) != len(dims):
            axes = {0: (False, False), 1: (e.shape[1] == 1 or e.shape[0] != 1, False), 2: (True, True)}[len(dims)]
        return _Value(tensor(dims, [Term(sp.S.One, (Factor(s, tuple(range(len(dims)))),))]), (axes[0], axes[1]))

    def total(self, e: sp.MatAdd) -> _Value:
        parts = [self.read(a) for a in e.args]
        return _Value(added(parts[0].tensor.dims, [p.tensor for p in parts]), parts[0].axes)

    def product(self, e: sp.MatMul) -> _Value:
        parts = [self.read(a) for a in e.args]
        matrices = [p for a, p in zip(e.args, parts, strict=True) if getattr(a, "is_Matrix", False) or isinstance(a, sp.MatrixExpr)]
        factors = [Factor(p.tensor, ()) for p in parts if p not in matrices]
        first, last = matrices[0].axes[0], matrices[-1].axes[1]
        ends = int(first) + int(last)
        label, row = ends, 0 if first else None
        dims: list[sp.Expr] = [matrices[0].tensor.dims[0]] if first else []
        for k, m in enumerate(matrices):
            column: int | None = None
            if m.axes[1]:
                if k == len(matrices) - 1:
                    column = int(first)
                else:
                    column, label = label, label + 1
            factors.append(Factor(m.tensor, tuple(i for i in (row if m.axes[0] else None, column) if i is not None)))
            row = column
        if last:
            dims.append(matrices[-1].tensor.dims[-1])
        return _Value(tensor(tuple(dims), [Term(sp.S.One, tuple(factors))]), (first, last))

    def transpose(self, e: sp.Transpose) -> _Value:
        value = self.read(e.arg)
        if value.axes == (True, True):
            return _Value(tensor(value.tensor.dims[::-1], [Term(sp.S.One, (Factor(value.tensor, (1, 0)),))]), value.axes)
        return _Value(value.tensor, value.axes[::-1])

    def hadamard(self, e: sp.HadamardProduct) -> _Value:
        parts = [self.read(a) for a in e.args]
        t = max((p.tensor for p in parts), key=lambda t: t.rank)
        at = tuple(range(t.rank))
        return _Value(tensor(t.dims, [Term(sp.S.One, tuple(Factor(p.tensor, at[: p.tensor.rank]) for p in parts))]), max(p.axes for p in parts))

    def entrywise(self, e: Any, change: Callable[[sp.Expr], sp.Expr]) -> _Value:
        """f of every entry; what is no pointwise expression becomes an atom."""
        value = self.read(e)
        at = tuple(range(value.tensor.rank))
        # g' of anything but a name is no Derivative that SymPy can hold
        if change(sp.Dummy()).has(sp.Derivative):
            atom = sp.Symbol(f"claim#{len(self.atoms)}")
            self.atoms[atom] = value.tensor
            return _Value(tensor(value.tensor.dims, [Term(sp.S.One, (Factor(change(atom), at),))]), value.axes)
        terms = []
        for t in value.tensor.terms:
            if any(isinstance(f.value, Tensor) or (f.indices != at and f.indices) for f in t.factors):
                atom = sp.Symbol(f"claim#{len(self.atoms)}")
                self.atoms[atom] = Tensor(value.tensor.dims, (t,))
                terms.append(atom)
            else:
                terms.append(t.coefficient * sp.Mul(*(sp.S.One if f.value == ONE else f.value for f in t.factors)))
        return _Value(tensor(value.tensor.dims, [Term(sp.S.One, (Factor(change(sp.Add(*terms)), at),))]), value.axes)

    def power(self, e: sp.MatPow) -> _Value:
        if not e.exp.is_Integer or not 0 < e.exp <= 64:
            raise SymgradError(f"the power {e.exp} of a matrix")
        return self.product(sp.MatMul(*[e.base] * int(e.exp), evaluate=False)) if e.exp != 1 else self.read(e.base)

    def diagonal(self, e: Any) -> _Value:
        """diag(v) of a vector; of a matrix its diagonal, zeros elsewhere."""
        v = self.read(e.args[0])
        if v.tensor.rank == 2:
            return _Value(tensor(v.tensor.dims, [Term(sp.S.One, (Factor(v.tensor, (0, 0)), Factor(IDENTITY, (0, 1))))]), v.axes)
        return _Value(tensor(v.tensor.dims * 2, [Term(sp.S.One, (Factor(v.tensor, (0,)), Factor(IDENTITY, (0, 1))))]), (True, True))

    def constant(self, e: Any, matrix: sp.Symbol | None) -> _Value:
        """I, 0 and the matrices of ones."""
        axes = (e.shape[0] != 1, e.shape[1] != 1)
        dims = tuple(d for d, a in zip(e.shape, axes, strict=True) if a)
        if isinstance(e, sp.ZeroMatrix):
            return _Value(Tensor(dims, ()), axes)
        if matrix == IDENTITY:
            return _Value(tensor(dims, [Term(sp.S.One, (Factor(IDENTITY, (0, 1)),))]), axes)
        return _Value(tensor(dims, [Term(sp.S.One, tuple(Factor(ONE, (k,)) for k in range(len(dims))))]), axes)


RULES: dict[Any, Callable[[_Reader, Any], _Value]] = {
    sp.MatrixSymbol: _Reader.symbol,
    sp.MatAdd: _Reader.total,
    sp.MatMul: _Reader.product,
    sp.MatPow: _Reader.power,
    sp.Transpose: _Reader.transpose,
    sp.HadamardProduct: _Reader.hadamard,
    sp.HadamardPower: lambda r, e: r.entrywise(e.base, lambda x: x**e.exp),
    ElementwiseApplyFunction: lambda r, e: r.entrywise(e.expr, e.function),
    DiagMatrix: _Reader.diagonal,
    DiagonalMatrix: _Reader.diagonal,
    sp.Identity: lambda r, e: r.constant(e, IDENTITY),
    sp.OneMatrix: lambda r, e: r.constant(e, None),
    sp.ZeroMatrix: lambda r, e: r.constant(e, None),
}
