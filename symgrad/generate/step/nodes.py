"""What compiled NumPy is made of: the cores of matrix terms, and definitions of vectors that are not pointwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from symgrad.language.program import Call, Selector, Shape
from symgrad.language.tensor import Tensor, Term

Cut: TypeAlias = tuple[sp.Expr, sp.Expr]  # offset and length


@dataclass(frozen=True)
class Leaf:
    """A matrix that is there already, or is pointwise; transposed, then cut."""

    value: sp.Expr
    transposed: bool = False
    rows: Cut | None = None
    columns: Cut | None = None


@dataclass(frozen=True)
class Eye:
    """I; with a cut, the constant block E of a concatenation."""

    rows: Cut | None = None
    columns: Cut | None = None


@dataclass(frozen=True)
class Ones:
    """1 1ᵀ, the core of an outer product."""


@dataclass(frozen=True)
class Product:
    """Two matrices meet: one gemm."""

    left: Sum
    right: Sum


@dataclass(frozen=True)
class Nested:
    """A sum that stands in more than one place, computed once."""

    value: Tensor


@dataclass(frozen=True)
class General:
    """A term that is no product of matrices, in the hands of einsum."""

    term: Term


Core: TypeAlias = Leaf | Eye | Ones | Product | Nested | General


@dataclass(frozen=True)
class Item:
    """diag(left) core diag(right)."""

    left: sp.Expr
    core: Core
    right: sp.Expr


Sum: TypeAlias = tuple[Item, ...]


@dataclass(frozen=True)
class Gemv:
    """matrix · vector."""

    matrix: Leaf | Nested
    vector: sp.Expr


@dataclass(frozen=True)
class Total:
    """Σ_i of a vector."""

    vector: sp.Expr


@dataclass(frozen=True)
class Slice:
    """The part of a vector that a constant block takes, Eᵀ v."""

    vector: sp.Expr
    cut: Cut


@dataclass(frozen=True)
class Concat:
    """[a; b]: Σ E v."""

    dims: Shape
    parts: tuple[tuple[Cut, sp.Expr], ...]


@dataclass(frozen=True)
class Whole:
    """The value of a tensor as an array of its own."""

    value: Tensor


@dataclass(frozen=True)
class Complement:
    """1 - σ(a), to full relative precision however close to 1 the gate is."""

    argument: sp.Expr


@dataclass(frozen=True)
class TanhSlope:
    """1 - tanh²(a), to full relative precision."""

    argument: sp.Expr


@dataclass(frozen=True)
class FreeSlope:
    """g'(a) of an activation left free."""

    function: str
    argument: sp.Expr


Definition: TypeAlias = sp.Expr | Gemv | Total | Slice | Concat | Whole | Complement | TanhSlope | FreeSlope | Call

EYE: Sum = (Item(sp.S.One, Eye(), sp.S.One),)


def cut(selector: Selector) -> Cut:
    """Where a constant block sits in the concatenation."""
    return sp.Add(*selector.parts[: selector.part]), selector.parts[selector.part]
