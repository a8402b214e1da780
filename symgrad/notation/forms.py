r"""A term in index notation, seen as a product of matrices: ``c[0] U[0,2] r[2] V[2,1]`` is ``diag(c) U diag(r) V``.

The factors of a term form a graph: indices are points, a matrix is an edge between two of them, vectors sit on the points.
A path from the first free index to the second is a matrix product; vectors on it are diagonal matrices; where there is no
path the term is an outer product.  Terms that are no such thing (three free indices, a cycle) have the component form only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term


@dataclass(frozen=True, slots=True)
class Mat:
    """A matrix: a name, a pointwise expression of matrices, or a nested sum."""

    value: sp.Expr | Tensor
    transposed: bool


@dataclass(frozen=True, slots=True)
class Vec:
    """The Hadamard product of vectors; without entries, the vector of ones."""

    entries: tuple[sp.Expr | MatVec | Tensor, ...]


@dataclass(frozen=True, slots=True)
class MatVec:
    """M v."""

    matrix: Mat
    vector: Vec


@dataclass(frozen=True, slots=True)
class Diag:
    """diag(v); of no entries, the identity."""

    vector: Vec


Part: TypeAlias = Mat | Diag


@dataclass(frozen=True, slots=True)
class Chain:
    """A product of matrices, left to right."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Outer:
    """u vᵀ."""

    left: Vec
    right: Vec


@dataclass(frozen=True, slots=True)
class Dot:
    """uᵀ v."""

    left: Vec
    right: Vec


Form: TypeAlias = Chain | Outer | Vec | Dot


@dataclass(frozen=True, slots=True)
class Matrix:
    """A term read as matrices: number · scalars · uᵀv … · form."""

    coefficient: sp.Expr
    scalars: tuple[sp.Expr | Tensor, ...]
    form: Form | None
    dots: tuple[Dot, ...] = ()


def matrix_form(term: Term, rank: int, dots: bool = False) -> Matrix | None:
    """The term as a product of matrices and vectors, or None if it is none; with `dots`, inner products may stand beside it."""
    graph = _Graph(term)
    form: Form | None
    if rank == 2:
        path = graph.path(0, 1)
        form = Chain(path) if path is not None else Outer(graph.vector(0), graph.vector(1))
    elif rank == 1:
        form = graph.vector(0)
    elif rank == 0:
        form = graph.dot()
    else:
        return None
    beside: list[Dot] = []
    before = len(term.factors) + 1
    while dots and 0 < len(graph.left) < before:  # stop where nothing more could be taken
        before = len(graph.left)
        more = graph.dot()
        beside += [more] if isinstance(more, Dot) else []
    return Matrix(term.coefficient, tuple(graph.scalars), form, tuple(beside)) if graph.exhausted else None


class _Graph:
    """The factors of a term that are not used yet, by the index at which they sit."""

    def __init__(self, term: Term) -> None:
        self.scalars = [f.value for f in term.factors if not f.indices]
        self.left: list[Factor] = [f for f in term.factors if f.indices]

    @property
    def exhausted(self) -> bool:
        return not self.left

    def take_vectors(self, i: int) -> list[sp.Expr | MatVec | Tensor]:
        here = [f for f in self.left if f.indices == (i,)]
        self.left = [f for f in self.left if f not in here]
        return [f.value for f in here if f.value != ONE]

    def edges(self, i: int) -> list[Factor]:
        return [f for f in self.left if len(f.indices) == 2 and i in f.indices and f.indices[0] != f.indices[1]]

    def vector(self, i: int) -> Vec:
        """Everything that hangs on index i, as a vector: products M v with the vectors of the points behind."""
        entries = self.take_vectors(i)
        for edge in self.edges(i):
            if edge in self.left:
                self.left.remove(edge)
                far = edge.indices[1] if edge.indices[0] == i else edge.indices[0]
                entries.append(MatVec(Mat(edge.value, edge.indices[0] != i), self.vector(far)))
        return Vec(tuple(entries))

    def path(self, start: int, end: int) -> tuple[Part, ...] | None:
        """The matrices on the way from start to end, with the diagonals that sit between them."""
        route = self._route(start, end, frozenset())
        if route is None:
            return None
        for edge in route:
            self.left.remove(edge)
        parts: list[Part] = []
        here = start
        for edge in route:
            parts += self._diagonal(here)
            if edge.value != IDENTITY:
                parts.append(Mat(edge.value, edge.indices[0] != here))
            here = edge.indices[1] if edge.indices[0] == here else edge.indices[0]
        return (*parts, *self._diagonal(here))

    def _diagonal(self, i: int) -> list[Part]:
        vector = self.vector(i)
        return [Diag(vector)] if vector.entries else []

    def _route(self, here: int, end: int, seen: frozenset[int]) -> list[Factor] | None:
        if here == end:
            return []
        for edge in self.edges(here):
            far = edge.indices[1] if edge.indices[0] == here else edge.indices[0]
            if far not in seen:
                rest = self._route(far, end, seen | {here})
                if rest is not None:
                    return [edge, *rest]
        return None

    def dot(self) -> Form | None:
        """uᵀ v of what is left, or nothing at all for a product of scalars."""
        if not self.left:
            return None
        root = self.left[0].indices[0]
        first = self.take_vectors(root)
        rest = self.vector(root)
        if rest.entries:
            return Dot(Vec(tuple(first)), rest)
        return Dot(Vec(tuple(first[:1])), Vec(tuple(first[1:]))) if len(first) > 1 else Dot(Vec(()), Vec(tuple(first)))
