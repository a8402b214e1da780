"""Shapes by unification: every dimension is an unknown until two of them are said to be equal.

A `Shape` may not even know its rank yet (a parameter before its first use); `Dim`s and `Shape`s are merged in place, as in
type inference.  After tracing, `letters` gives every dimension that is left a letter: n for the states, m for the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

import sympy as sp


class Dim:
    """An unknown size, the size 1 of a letter that was declared, or the sum of other sizes (a concatenation)."""

    __slots__ = ("letter", "link", "parts")

    def __init__(self, parts: tuple[Dim, ...] = (), letter: str | None = None) -> None:
        self.link: Dim | None = None
        self.parts = parts
        self.letter = letter

    def find(self) -> Dim:
        """The representative of all dimensions that are equal to this one."""
        root = self
        while root.link is not None:
            root = root.link
        return root

    def unify(self, other: Dim) -> bool:
        """Make the two equal; False where that is impossible (sums that differ)."""
        a, b = self.find(), other.find()
        if a is b:
            return True
        if a.parts and b.parts:
            return len(a.parts) == len(b.parts) and all(p.unify(q) for p, q in zip(a.parts, b.parts, strict=True))
        if a.letter and b.letter and a.letter != b.letter:
            return False
        if b.parts or (b.letter and not a.parts):
            a, b = b, a
        if any(p.find() is b for p in a.parts):
            return False  # n = n + m
        b.link = a
        a.letter = a.letter or b.letter
        return True


class Shape:
    """A tuple of dimensions, or not known yet (`dims` is None)."""

    __slots__ = ("_dims", "link")

    def __init__(self, dims: Iterable[Dim] | None = None) -> None:
        self._dims = None if dims is None else tuple(dims)
        self.link: Shape | None = None

    def __getitem__(self, key: object) -> NoReturn:
        raise TypeError("the sizes of a traced value are symbols, not numbers: write the formula for whole vectors, without .shape")

    def find(self) -> Shape:
        """The representative of all shapes that are equal to this one."""
        root = self
        while root.link is not None:
            root = root.link
        return root

    @property
    def dims(self) -> tuple[Dim, ...] | None:
        """The dimensions, once the rank is known."""
        return self.find()._dims

    @property
    def rank(self) -> int | None:
        """0 for a scalar, 1 for a vector, 2 for a matrix; None while unknown."""
        return None if self.dims is None else len(self.dims)

    def settle(self, rank: int) -> bool:
        """Take this rank if none is known; False if it is another one."""
        root = self.find()
        if root._dims is None:
            root._dims = tuple(Dim() for _ in range(rank))
        return len(root._dims) == rank

    def unify(self, other: Shape) -> bool:
        """Make the two equal; False where that is impossible."""
        a, b = self.find(), other.find()
        if a is b:
            return True
        if a._dims is None:
            a.link = b
            return True
        if b._dims is None:
            b.link = a
            return True
        return len(a._dims) == len(b._dims) and all(p.unify(q) for p, q in zip(a._dims, b._dims, strict=True))


class Letters:
    """Names for dimensions: the ones declared, then n for states, m for inputs, then further letters in order of need."""

    def __init__(self) -> None:
        self.given: dict[Dim, sp.Expr] = {}
        self.spare: Iterator[str] = (c + ("" if k == 0 else str(k)) for k in range(1000) for c in "pqsuvw")
        self.used: set[str] = set()

    def give(self, dim: Dim, wish: str | None = None) -> sp.Expr:
        """The size of a dimension as a SymPy symbol (or a sum of them)."""
        root = dim.find()
        if root.parts:
            return sp.Add(*(self.give(p) for p in root.parts))
        if root not in self.given:
            letter = root.letter or (wish if wish and wish not in self.used else next(c for c in self.spare if c not in self.used))
            self.used.add(letter)
            self.given[root] = sp.Symbol(letter, integer=True, positive=True)
        return self.given[root]


def describe(shape: Shape) -> str:
    """``(n, m)`` for error messages; sizes that have no letter yet are numbered ``?``."""
    dims = shape.dims
    if dims is None:
        return "unknown shape"
    return {0: "a scalar", 1: "a vector", 2: "a matrix"}.get(len(dims), f"rank {len(dims)}")
