r"""Tensors in index notation: sums of products of factors, ``T[i,j] = Σ_terms c · Π factor[indices]``.

This is the second half of the core.  The first half is pointwise: a vector is a SymPy scalar expression of its i-th component.
Where matrices stand is kept here.  A factor is such a pointwise expression (of rank 0, 1 or 2) with the indices at which it
is taken, or a nested `Tensor`, which keeps common factors factored.  Indices are integers: 0 … rank-1 are the free ones, in
order; every other index is summed.  ``diag(z) U`` is ``z[0] U[0,1]``; ``diag(z)`` is ``z[0] I[0,1]``; ``u vᵀ`` is ``u[0] v[1]``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

IDENTITY = sp.Symbol("𝟙")  # I[i,j] = 1 if i = j else 0
ONE = sp.Symbol("𝟏")  # 1[i] = 1: broadcasting along i


@dataclass(frozen=True, slots=True)
class Factor:
    """A pointwise expression, or a tensor, taken at some indices."""

    value: sp.Expr | Tensor
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A rational coefficient times factors; their order is the order of the chain rule and is kept for printing."""

    coefficient: sp.Expr
    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A sum of terms with the sizes of its free indices."""

    dims: tuple[sp.Expr, ...]
    terms: tuple[Term, ...]

    @property
    def rank(self) -> int:
        """The number of free indices."""
        return len(self.dims)

    @property
    def symbols(self) -> set[sp.Symbol]:
        """Every name that occurs, the constants I and 1 apart."""
        found: set[sp.Symbol] = set()
        for term in self.terms:
            for f in term.factors:
                found |= f.value.symbols if isinstance(f.value, Tensor) else f.value.free_symbols
        return found - {IDENTITY, ONE}

    def map(self, change: Callable[[sp.Expr], sp.Expr]) -> Tensor:
        """The tensor with every pointwise expression changed, simplified again."""
        terms = (
            Term(t.coefficient, tuple(Factor(f.value.map(change) if isinstance(f.value, Tensor) else change(f.value), f.indices) for f in t.factors))
            for t in self.terms
        )
        return tensor(self.dims, terms)

    def subs(self, values: Mapping[sp.Symbol, sp.Expr]) -> Tensor:
        """The tensor with names replaced by values."""
        return self.map(lambda e: e.xreplace(values) if e.is_Symbol else sp.sympify(e.subs(values)))


def tensor(dims: tuple[sp.Expr, ...], terms: Iterable[Term]) -> Tensor:
    """A tensor from raw terms: each simplified (`_simplify`), equal ones added up, zeros dropped."""
    total: dict[tuple[Factor, ...], sp.Expr] = {}
    for raw in terms:
        term = _simplify(raw, len(dims))
        if term is not None:
            for factors, c in _spliced(term, len(dims)):
                total[factors] = total.get(factors, sp.S.Zero) + c
    return Tensor(dims, tuple(Term(c, factors) for factors, c in total.items() if c != 0))


def _spliced(term: Term, rank: int) -> list[tuple[tuple[Factor, ...], sp.Expr]]:
    """A sum that has no factor beside it is not nested: its terms are terms here."""
    if len(term.factors) == 1 and isinstance(inner := term.factors[0].value, Tensor) and term.factors[0].indices == tuple(range(rank)):
        return [(t.factors, term.coefficient * t.coefficient) for t in inner.terms]
    return [(term.factors, term.coefficient)]


def zero(dims: tuple[sp.Expr, ...]) -> Tensor:
    """The tensor 0."""
    return Tensor(dims, ())


def identity(dims: tuple[sp.Expr, ...]) -> Tensor:
    """∂v/∂v for a v of this shape: I[i,j], and I[i,k] I[j,l] for a matrix."""
    r = len(dims)
    return tensor(dims * 2, [Term(sp.S.One, tuple(Factor(IDENTITY, (k, r + k)) for k in range(r)))])


def scaled(expr: sp.Expr, rank: int, inner: Tensor) -> Tensor:
    """diag(expr) inner: the pointwise factor stands at the first `rank` indices."""
    front = Factor(sp.sympify(expr), tuple(range(rank)))
    return tensor(inner.dims, [Term(sp.S.One, (front, Factor(inner, tuple(range(inner.rank)))))])


def added(dims: tuple[sp.Expr, ...], parts: Iterable[Tensor]) -> Tensor:
    """The sum of tensors of one shape, like terms collected."""
    return tensor(dims, itertools.chain.from_iterable(p.terms for p in parts))


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """a b, the last index of a summed against the first of b."""
    k = a.rank + b.rank - 2
    left = Factor(a, (*range(a.rank - 1), k))
    right = Factor(b, (k, *range(a.rank - 1, k)))
    return tensor(a.dims[:-1] + b.dims[1:], [Term(sp.S.One, (left, right))])


def transposed(a: Tensor) -> Tensor:
    """aᵀ."""
    return tensor(a.dims[::-1], [Term(sp.S.One, (Factor(a, (1, 0)),))])


def _simplify(term: Term, rank: int) -> Term | None:
    """One term in normal shape: nested single terms inlined, numbers collected, I and 1 contracted away; None if it is 0."""
    coefficient, factors = term.coefficient, list(term.factors)
    flat: list[Factor] = []
    fresh = itertools.count(max([rank, *(i + 1 for f in factors for i in f.indices)]))
    while factors:
        f = factors.pop(0)
        if isinstance(f.value, Tensor):
            if not f.value.terms:
                return None
            if len(f.value.terms) == 1:
                (inner,) = f.value.terms
                names: dict[int, int] = dict(enumerate(f.indices))
                coefficient *= inner.coefficient
                summed = sorted({i for g in inner.factors for i in g.indices} - set(names))
                names |= dict(zip(summed, fresh, strict=False))
                factors[:0] = [Factor(g.value, tuple(names[i] for i in g.indices)) for g in inner.factors]
                covered = {i for g in inner.factors for i in g.indices}
                factors += [Factor(ONE, (f.indices[k],)) for k in range(f.value.rank) if k not in covered]
            else:
                flat.append(f)
            continue
        number, rest = f.value.as_coeff_Mul()
        coefficient *= number
        if rest == 1:
            flat += [Factor(ONE, (i,)) for i in f.indices]
        elif number != 0:
            flat.append(Factor(rest, f.indices) if number != 1 else f)
    if coefficient == 0:
        return None
    return Term(coefficient, _contract(flat, rank))


def _contract(factors: list[Factor], rank: int) -> tuple[Factor, ...]:
    """I[i,k] with k summed renames k to i; 1[i] goes where another factor has i; summed indices are numbered by appearance."""
    again = True
    while again:
        again = False
        for f in factors:
            if f.value == IDENTITY:
                a, b = f.indices
                keep, gone = (a, b) if b >= rank else (b, a)
                if a == b or gone >= rank:
                    factors.remove(f)
                    factors = [Factor(g.value, tuple(keep if i == gone else i for i in g.indices)) for g in factors]
                    if not any(keep in g.indices for g in factors):
                        factors.append(Factor(ONE, (keep,)))
                    again = True
                    break
    seen: set[int] = {i for f in factors if f.value != ONE for i in f.indices}
    kept: list[Factor] = []
    for f in factors:
        if f.value == ONE:
            if f.indices[0] in seen:
                continue
            seen.add(f.indices[0])
        kept.append(f)
    names: dict[int, int] = {i: i for i in range(rank)}
    for f in kept:
        for i in f.indices:
            names.setdefault(i, len(names))
    return tuple(Factor(f.value, tuple(names[i] for i in f.indices)) for f in kept)
