"""Polynomials in index notation: sums of canonical monomials with rational coefficients."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symgrad.decide.limits import Budget, Unsupported
from symgrad.decide.monomials import Factor, Monomial, Number, canonical

Polynomial = dict[Monomial, Number]
Key = tuple[tuple[Monomial, Number], ...]

ONE: Polynomial = {(): 1}


def rational(value: sp.Expr) -> Number:
    """A number of SymPy as an exact one; a float is the decimal that it prints as, if that says all of it."""
    if value.is_Integer:
        return int(value)
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    if value.is_Float and value.is_finite:
        whole = value == sp.Float(str(value), precision=value._prec)
        return Fraction(str(value)) if whole else rational(sp.Rational(value))
    raise Unsupported(f"the number {value} is not rational")


def frozen(p: Polynomial) -> Key:
    """The polynomial as a key of a dictionary, equal for equal polynomials."""
    return tuple(sorted(p.items(), key=lambda item: repr(item[0])))


def scaled(p: Polynomial, c: Number) -> Polynomial:
    """c p."""
    return {m: c * k for m, k in p.items()} if c else {}


def accumulate(total: Polynomial, p: Polynomial, c: Number = 1) -> None:
    """total += c p, zeros dropped."""
    for m, k in p.items():
        new = total.get(m, 0) + c * k
        if new:
            total[m] = new
        else:
            total.pop(m, None)


def added(p: Polynomial, q: Polynomial, c: Number = 1) -> Polynomial:
    """p + c q."""
    total = dict(p)
    accumulate(total, q, c)
    return total


def shifted(p: Polynomial, rank: int, at: tuple[int, ...], fresh: int) -> tuple[list[tuple[tuple[Factor, ...], Number]], int]:
    """The terms of p with free index k at ``at[k]`` and summed indices from `fresh` on; and the next fresh index."""
    top = fresh
    out: list[tuple[tuple[Factor, ...], Number]] = []
    move = {**dict(enumerate(at))}
    for m, c in p.items():
        moved = []
        for name, indices, e in m:
            new = []
            for i in indices:
                j = move[i] if i < rank else fresh + i - rank
                if j >= top:
                    top = j + 1
                new.append(j)
            moved.append((name, tuple(new), e))
        out.append((tuple(moved), c))
    return out, top


def multiplied(p: Polynomial, q: Polynomial, rank: int, budget: Budget, idempotent: set[str]) -> Polynomial:
    """p q, entry by entry; the summed indices of q are other ones than those of p."""
    if len(p) > len(q):
        p, q = q, p
    if not p:
        return {}
    if len(p) == 1 and p.get(()) is not None:
        return scaled(q, p[()])
    budget.spend(len(p) * len(q))
    fresh = 1 + max((i for m in p for _, at, _ in m for i in at), default=-1)
    other, _ = shifted(q, rank, tuple(range(rank)), max(rank, fresh))
    total: Polynomial = {}
    for m, c in p.items():
        for n, d in other:
            key = canonical((*m, *n), rank, idempotent)
            new = total.get(key, 0) + c * d
            if new:
                total[key] = new
            else:
                total.pop(key, None)
    return total
