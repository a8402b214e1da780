r"""A program's equations and tensors, evaluated as they stand: the plain interpreter that the references run on.

``y = e(a, b, …)`` entry by entry; ``T[i, j] = Σ c Π factor[indices]`` by ``einsum``.  It knows nothing of derivatives or of the
code generator, and it works for any library of arrays with the functions of a `Backend`: NumPy, torch, JAX, arrays of SymPy expressions.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import SymgradError
from symgrad.language.activations import TABLE
from symgrad.language.functions import ROWS
from symgrad.language.program import Call, Program
from symgrad.language.tensor import IDENTITY, ONE, Tensor

Array = Any
Values = Mapping[str, Array]
Sizes = Mapping[sp.Symbol, int]


@dataclass(frozen=True)
class Backend:
    """A library of arrays: activations by name, einsum, how a NumPy constant becomes one of its arrays, a SymPy number one of its scalars."""

    functions: Mapping[str, Callable[[Array], Array]]
    einsum: Callable[..., Array]
    constant: Callable[[Array], Array]
    number: Callable[[sp.Expr], Any]


def plain(number: sp.Expr) -> Any:
    """A SymPy number as a Python one, which leaves float32 as it is."""
    return int(number) if number.is_Integer else float(number)


NUMPY = Backend({name: row.numpy for name, row in TABLE.items()}, np.einsum, lambda a: a, plain)


class Evaluation:
    """The values of one program at one point; `given` overrides named quantities, as if they were leaves."""

    def __init__(self, program: Program, sizes: Sizes, values: Values, backend: Backend = NUMPY, given: Values | None = None) -> None:
        self.program, self.sizes, self.backend = program, sizes, backend
        self.known: dict[sp.Symbol, Array] = {sp.Symbol(name): v for name, v in {**values, **(given or {})}.items()}

    def of(self, s: sp.Symbol) -> Array:
        """The value of a name or an atom."""
        if s not in self.known:
            self.known[s] = self._value(s)
        return self.known[s]

    def _value(self, s: sp.Symbol) -> Array:
        program = self.program
        if s in program.equations:
            return self.pointwise(program.equations[s])
        atom = program.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.tensor(atom)
        if isinstance(atom, Call):
            raise SymgradError(f"the free function {atom.function} has no value")
        if s in program.constants:
            block = program.constants[s]
            parts = [self.number(p) for p in block.parts]
            return self.backend.constant(np.eye(sum(parts), parts[block.part], -sum(parts[: block.part]), dtype=np.int8))
        raise SymgradError(f"{s.name} has no value here")

    def number(self, size: sp.Expr) -> int:
        """A size, such as n or n + m, as a number."""
        return int(size.xreplace({s: sp.Integer(k) for s, k in self.sizes.items()}))

    def pointwise(self, e: sp.Expr) -> Array:
        """e(a, b, …), entry by entry."""
        if e.is_Symbol:
            return self.of(e)
        if e.is_Number:
            return self.backend.number(e)
        if e.is_Add:
            return reduce(lambda a, b: a + b, map(self.pointwise, e.args))
        if e.is_Mul:
            return reduce(lambda a, b: a * b, map(self.pointwise, e.args))
        if e.is_Pow:
            return self.pointwise(e.base) ** self.backend.number(e.exp)
        row = ROWS.get(e.func)
        if row is None:
            raise SymgradError(f"{e} has no value: {e.func} is in no row of the table of activations")
        return self.backend.functions[row.name](self.pointwise(e.args[0]))

    def tensor(self, value: Tensor) -> Array:
        """Σ_terms c Π factor[indices]."""
        shape = tuple(self.number(d) for d in value.dims)
        terms = [self._term(t.coefficient, [(self._factor(f.value, f.indices, shape), f.indices) for f in t.factors], shape) for t in value.terms]
        return reduce(lambda a, b: a + b, terms) if terms else self.backend.constant(np.zeros(shape))

    def _factor(self, value: sp.Expr | Tensor, at: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        if isinstance(value, Tensor):
            return self.tensor(value)
        if value in (IDENTITY, ONE):
            size = next(shape[i] for i in at if i < len(shape))
            return self.backend.constant(np.eye(size, dtype=np.int8) if value == IDENTITY else np.ones(size, dtype=np.int8))
        return self.pointwise(value)

    def _term(self, coefficient: sp.Expr, factors: list[tuple[Array, tuple[int, ...]]], shape: tuple[int, ...]) -> Array:
        letters = string.ascii_letters
        labels = ",".join("".join(letters[i] for i in at) for _, at in factors)
        out = "".join(letters[i] for i in range(len(shape)))
        value = self.backend.einsum(f"{labels}->{out}", *(v for v, _ in factors)) if factors else 1
        return value if coefficient == 1 else self.backend.number(coefficient) * value


class Majorant(Evaluation):
    """Σ |c| Π |factor| with every sum inside a factor taken over absolute values: 1 - z counts as 1 + |z|.

    A sum of products, computed in floating point with unit roundoff u, is wrong by a few u times this, entry by entry (Higham 2002,
    section 3.1), however far its terms cancel.  `exact` holds the values of the names.
    """

    def __init__(self, exact: Evaluation) -> None:
        super().__init__(exact.program, exact.sizes, {}, exact.backend)
        self.exact = exact

    def pointwise(self, e: sp.Expr) -> Array:
        """Σ Π of absolute values."""
        if e.is_Add:
            return reduce(lambda a, b: a + b, map(self.pointwise, e.args))
        if e.is_Mul:
            return reduce(lambda a, b: a * b, map(self.pointwise, e.args))
        if e.is_Pow and e.exp.is_Integer and e.exp > 0:
            return self.pointwise(e.base) ** int(e.exp)
        return abs(self.exact.pointwise(e))

    def _term(self, coefficient: sp.Expr, factors: list[tuple[Array, tuple[int, ...]]], shape: tuple[int, ...]) -> Array:
        return super()._term(abs(coefficient), factors, shape)
