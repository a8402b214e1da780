"""Explicit matrices of SymPy as claims: entry by entry, at the sizes that they have.

``M`` is Σ M[i,j] e_i e_jᵀ and an entry in it, ``U[0, 1]``, is e_0ᵀ U e_1; the unit vector e_i is the middle block of a concatenation.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.decide.matrixexpr import in_names
from symgrad.errors import SymgradError
from symgrad.language.program import Call, Program, Selector, Shape
from symgrad.language.tensor import Factor, Tensor, Term


class SizesDiffer(SymgradError):
    """The matrix, or a name in it, has other sizes than elsewhere."""


def from_explicit(entries: Any, program: Program, dims: Shape) -> tuple[Program, Tensor, Mapping[sp.Symbol, int]]:
    """The tensor of a matrix or array of entries, the program with the atoms that it needs, and the numbers that n, m, … are in it."""
    return _Reader(program).read(entries, dims)


class _Reader:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.sizes: dict[sp.Symbol, int] = {}
        self.atoms: dict[sp.Symbol, Tensor | Call] = {}
        self.constants: dict[sp.Symbol, Selector] = {}
        self.shapes: dict[sp.Symbol, Shape] = {}

    def read(self, entries: Any, dims: Shape) -> tuple[Program, Tensor, Mapping[sp.Symbol, int]]:
        shape = tuple(map(int, entries.shape))
        if len(shape) == 2 and len(dims) < 2:
            shape = tuple(k for k in shape if k != 1) or (1,) * len(dims)  # a column
        if len(shape) != len(dims):
            raise SizesDiffer(f"the claim is {' × '.join(map(str, shape))}, the derivative has {len(dims)} indices")
        for size, k in zip(dims, shape, strict=True):
            self.fix(size, k)
        elements = {x for e in sp.flatten(entries) for x in sp.sympify(e).atoms(MatrixElement)}
        names = {x: self.element(x) for x in sorted(elements, key=str)}
        known = replace(self.program, shapes={**self.program.shapes, **self.shapes})
        terms = []
        for at, e in zip(itertools.product(*map(range, shape)), sp.flatten(entries), strict=True):
            value = in_names(sp.sympify(e).xreplace(names), known)
            units = self.units(zip(dims, shape, at, strict=True), tuple(range(len(dims))))
            terms.append(Term(sp.S.One, (Factor(value, ()), *units)))
        program = replace(
            known,
            atoms={**known.atoms, **self.atoms},
            constants={**known.constants, **self.constants},
            shapes={**known.shapes, **self.shapes},
        )
        return program, Tensor(dims, tuple(terms)), self.sizes

    def fix(self, size: sp.Expr, k: int) -> None:
        """This size is k."""
        for s in size.free_symbols:
            if size != s or self.sizes.setdefault(s, k) != k:
                raise SizesDiffer(f"the size {size} would be {k}" + (f" and {self.sizes[s]}" if s in self.sizes else ""))

    def element(self, x: MatrixElement) -> sp.Symbol:
        """``U[0, 1]`` as a number of its own name."""
        s = self.program.symbol(x.parent.name)
        dims = self.program.shapes[s]
        shape = tuple(map(int, x.parent.shape))[: len(dims)]
        at = tuple(map(int, x.indices))[: len(dims)]
        for size, k in zip(dims, shape, strict=True):
            self.fix(size, k)
        found = sp.Symbol(f"{s}{list(at)}")
        own = tuple(range(len(dims)))
        self.atoms[found] = Tensor((), (Term(sp.S.One, (Factor(s, own), *self.units(zip(dims, shape, at, strict=True), own))),))
        self.shapes[found] = ()
        return found

    def units(self, places: Any, at: tuple[int, ...]) -> list[Factor]:
        """e_i at each index; the second index of the block, of size 1, is summed."""
        out = []
        for p, (size, k, i) in zip(at, places, strict=True):
            parts = (sp.Integer(i), sp.S.One, sp.Integer(k - 1 - i))
            unit = sp.Symbol(f"e[{i}|{k}]({size})")
            self.constants[unit] = Selector(parts, 1, "")
            self.shapes[unit] = (size, sp.S.One)
            out.append(Factor(unit, (p, len(at) + p)))
        return out
