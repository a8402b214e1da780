"""Evaluation of tensors and pointwise expressions at given arrays, over any field: residues modulo a prime, or real numbers of many digits.

Arrays are NumPy arrays of Python objects whose first axis counts trials.  Nothing here knows the normal form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import sympy as sp

from symgrad.decide.limits import Budget, Unsupported
from symgrad.decide.polynomials import rational
from symgrad.decide.world import World, head
from symgrad.language.program import Call
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term

Array = Any
Part = tuple[Array, tuple[int, ...]]


class Field(Protocol):
    """What the arithmetic must offer."""

    trials: int

    def number(self, value: int | Fraction) -> Any: ...
    def reduce(self, a: Array) -> Array: ...
    def power(self, a: Array, k: int) -> Array: ...
    def root(self, a: Array) -> Array: ...
    def apply(self, function: str, args: Sequence[Array]) -> Array: ...
    def call(self, function: str, args: Sequence[Array], shape: tuple[int, ...]) -> Array: ...
    def variable(self, name: str, shape: tuple[int, ...]) -> Array: ...


class Evaluator:
    """The values of one world at sizes given for its letters; with `free_gates` every gate is a variable, else it is computed."""

    def __init__(self, world: World, field: Field, sizes: Mapping[sp.Symbol, int], budget: Budget, free_gates: bool) -> None:
        self.world, self.field, self.sizes, self.budget = world, field, sizes, budget
        self.gates = {} if free_gates else {g.name: g for g in world.gates}
        self.values: dict[sp.Symbol, Array] = {}
        self._pointwise: dict[tuple[sp.Expr, int], Array] = {}
        self._tensors: dict[int, tuple[Tensor, Array]] = {}  # by identity: a hash would walk the whole tensor
        self._open: set[sp.Symbol] = set()

    def size(self, dim: sp.Expr) -> int:
        """The number that a size stands for."""
        if dim not in self.sizes:
            self.sizes = {**self.sizes, dim: int(dim.xreplace(dict(self.sizes)))}
        return self.sizes[dim]

    def shape(self, dims: Sequence[sp.Expr]) -> tuple[int, ...]:
        return tuple(map(self.size, dims))

    # -- names and pointwise expressions ----------------------------------------------------------------------------------

    def symbol(self, s: sp.Symbol) -> Array:
        """The array of a name."""
        if s not in self.values:
            if s in self._open:
                raise Unsupported(f"{s} is defined by itself")
            self._open.add(s)
            self.values[s] = self._symbol(s)
            self._open.discard(s)
        return self.values[s]

    def _symbol(self, s: sp.Symbol) -> Array:
        world = self.world
        dims = world.shapes.get(s, ())
        if s in world.definitions:
            return self._full(self.pointwise(world.definitions[s], len(dims)), dims)
        if s in self.gates:
            gate = self.gates[s]
            return self._full(self.field.apply(gate.function, [self._full(self.pointwise(gate.argument, len(dims)), dims)]), dims)
        if s in world.blocks:
            sizes, part = world.blocks[s]
            above = sum(self.size(d) for d in sizes[:part])
            block: Array = np.eye(self.size(sp.Add(*sizes)), self.size(sizes[part]), -above, dtype=object)
            return np.broadcast_to(block, (self.field.trials, *block.shape))
        atom = world.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.tensor(atom)
        if isinstance(atom, Call):
            inner = [self._full(self.pointwise(a, len(world.shape(a))), world.shape(a)) for a in atom.args]
            return self.field.call(atom.function, inner, self.shape(dims))
        return self.field.variable(s.name, self.shape(dims))

    def _full(self, a: Array, dims: Sequence[sp.Expr]) -> Array:
        return np.broadcast_to(np.asarray(a, dtype=object), (self.field.trials, *self.shape(dims)))

    def pointwise(self, e: sp.Expr, rank: int) -> Array:
        """The value of an expression as an array that broadcasts to `rank` axes behind that of the trials, or as a number."""
        if e.is_Symbol:
            if e not in self.values and e == ONE:
                return self.field.number(1)
            value = self.symbol(e)
            missing = rank + 1 - value.ndim
            return value if missing <= 0 else value.reshape((value.shape[0], *(1,) * missing, *value.shape[1:]))
        if e.is_Number:
            return self.field.number(rational(e))
        key = (e, rank)
        if key not in self._pointwise:
            self._pointwise[key] = self._expression(e, rank)
        return self._pointwise[key]

    def _expression(self, e: sp.Expr, rank: int) -> Array:
        reduce = self.field.reduce
        if e.is_Add or e.is_Mul:
            result = self.pointwise(e.args[0], rank)
            for a in e.args[1:]:
                other = self.pointwise(a, rank)
                result = result + other if e.is_Add else reduce(result * other)
            return reduce(result) if e.is_Add else result
        if e.is_Pow and e.exp.is_Integer:
            return self.field.power(self.pointwise(e.base, rank), int(e.exp))
        if e.is_Pow and e.exp.is_Rational and e.exp.q == 2:
            return self.field.power(self.field.root(self.pointwise(e.base, rank)), int(e.exp.p))
        found = head(e)
        if found is None:
            raise Unsupported(f"the operation {type(e).__name__} in {e}")
        return self.field.apply(found[0], [self.pointwise(a, rank) for a in found[1]])

    # -- tensors ------------------------------------------------------------------------------------------------------------

    def tensor(self, value: Tensor) -> Array:
        """Σ_terms c Π factors, its summed indices contracted one after the other."""
        if id(value) not in self._tensors:
            self.budget.clock()
            shape = (self.field.trials, *self.shape(value.dims))
            total: Array = 0
            for term in value.terms:
                total = total + self._term(term, value)
            total = np.asarray(self.field.reduce(total), dtype=object)
            self._tensors[id(value)] = value, total if total.shape == shape else np.broadcast_to(total, shape)
        return self._tensors[id(value)][1]

    def _term(self, term: Term, value: Tensor) -> Array:
        parts: list[Part] = []
        sizes = {k: self.size(d) for k, d in enumerate(value.dims)}
        same: list[tuple[int, ...]] = []
        for f in term.factors:
            if isinstance(f.value, Tensor):
                dims, array = f.value.dims, self.tensor(f.value)
            elif f.value == IDENTITY:
                same.append(f.indices)
                continue
            elif f.value == ONE:
                continue
            else:
                dims, array = self.world.shape(f.value), np.asarray(self.pointwise(f.value, len(f.indices)), dtype=object)
            sizes |= {i: self.size(d) for i, d in zip(f.indices, dims, strict=False)}
            parts.append(_diagonals(array if array.ndim else array.reshape((1,) * (1 + len(f.indices))), f.indices))
        for _ in same:  # an identity between identities has its size from the first of them that has one
            for a, b in same:
                if (size := sizes.get(a) or sizes.get(b)) is not None:
                    sizes |= {a: size, b: size}
        for at in same:
            if at[0] not in sizes:
                raise Unsupported("an identity of unknown size")
            parts.append((np.eye(sizes[at[0]], dtype=object)[None], at))
        summed = dict.fromkeys(i for f in term.factors for i in f.indices if i >= value.rank)
        result = self._contracted(parts, list(summed), value.rank, sizes)
        return result if term.coefficient == 1 else self.field.reduce(self.field.number(rational(term.coefficient)) * result)

    def _contracted(self, parts: list[Part], summed: list[int], rank: int, sizes: dict[int, int]) -> Array:
        for k in summed:
            if k not in sizes:
                raise Unsupported("a sum over an index of unknown size")
            here = sorted((p for p in parts if k in p[1]), key=lambda p: len(p[1]))
            parts = [p for p in parts if k not in p[1]]
            if not here:
                parts.append((np.asarray([self.field.number(sizes[k])], dtype=object), ()))
                continue
            left, *rest = here
            while len(rest) > 1:
                array, at = self._product(left, rest.pop(0))
                left = self.field.reduce(array), at
            parts.append(self._summed(left, rest[0] if rest else None, k, sizes))
        if not parts:
            return np.asarray([self.field.number(1)], dtype=object).reshape((1,) * (rank + 1))
        first, *others = (_aligned(array, at, tuple(range(rank))) for array, at in parts)
        for other in others:
            first = self.field.reduce(first * other)
        return first

    def _product(self, a: Part, b: Part) -> Part:
        at = tuple(dict.fromkeys(b[1] + a[1]))
        return _aligned(*a, at) * _aligned(*b, at), at

    def _summed(self, a: Part, b: Part | None, k: int, sizes: dict[int, int]) -> Part:
        """Σ_k of a product."""
        array, at = a if b is None else self._product(a, b)
        axis = 1 + at.index(k)
        total = array.sum(axis=axis)
        if array.shape[axis] == 1 and sizes[k] > 1:
            total = total * self.field.number(sizes[k])
        return self.field.reduce(total), at[: axis - 1] + at[axis:]


def _diagonals(array: Array, at: tuple[int, ...]) -> Part:
    """An array at indices of which two may be the same."""
    seen = list(at)
    while len(set(seen)) < len(seen):
        q = next(q for q, i in enumerate(seen) if i in seen[:q])
        p = seen.index(seen[q])
        array = np.diagonal(array, axis1=1 + p, axis2=1 + q)
        i = seen[p]
        seen = [j for n, j in enumerate(seen) if n not in (p, q)] + [i]
    return array, tuple(seen)


def _aligned(array: Array, at: tuple[int, ...], target: tuple[int, ...]) -> Array:
    """The array with its axes in the order of `target`, of size 1 where it has none."""
    if at == target:
        return array
    order = sorted(range(len(at)), key=lambda p: target.index(at[p]))
    moved = array.transpose(0, *(1 + p for p in order))
    sizes = dict(zip((at[p] for p in order), moved.shape[1:], strict=True))
    return moved.reshape((array.shape[0], *(sizes.get(i, 1) for i in target)))
