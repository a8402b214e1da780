r"""Expressions over time in normal form: sums of words of letters such as J_t, D_{t-1}, Π_{i=k+1}^{t} J_i and Σ_{k=1}^{t} (word).

A letter is a tuple that begins with its kind:
``("J", m)`` and ``("λ", m)`` at a moment m; ``("P", m, θ)`` and ``("D", m, θ)``, the immediate and the total derivative by θ;
``("H", a, b)`` is ∂h_a/∂h_b; ``("W", name)`` and ``("^", name, m)`` a constant matrix and its power; ``("Π", lo, hi)`` is J_hi ⋯ J_lo;
``("Σ", lo, hi, word)`` a sum over `INDEX` in the word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.errors import SymgradError

Letter = tuple[Any, ...]
Word = tuple[Letter, ...]
Poly = dict[Word, Fraction]

INDEX = sp.Symbol("_j")
S = sp.Symbol("s")  # where a lag ends: t = s + k
I: Poly = {(): Fraction(1)}


class Unreadable(SymgradError):
    """A statement outside of what induction on the recursion covers."""


# -- sums and products of words ------------------------------------------------------------------------------------------------


def added(p: Poly, q: Poly, c: int | Fraction = 1) -> Poly:
    """p + c q."""
    out = dict(p)
    for w, k in q.items():
        out[w] = out.get(w, Fraction(0)) + c * k
    return {w: k for w, k in out.items() if k}


def product(*polys: Poly) -> Poly:
    """p q …, in order."""
    out = I
    for q in polys:
        new: Poly = {}
        for a, c in out.items():
            for b, d in q.items():
                new = added(new, {a + b: c * d})
        out = new
    return out


def _integer(e: sp.Expr) -> int | None:
    e = sp.expand(e)
    return int(e) if e.is_Integer else None


def letter(a: Letter) -> Poly:
    """A letter in normal form: empty products are I, products of known length are written out, h_0 depends on no parameter."""
    match a:
        case ("H", upper, lower):
            gap = _integer(upper - lower)
            if gap is None:
                return {(a,): Fraction(1)}
            if gap < 0:
                return {}
            return {tuple(("J", sp.expand(upper - k)) for k in range(gap)): Fraction(1)}
        case ("Π", lo, hi):
            length = _integer(hi - lo + 1)
            if length is None:
                return {(a,): Fraction(1)}
            return {tuple(("J", sp.expand(hi - k)) for k in range(max(length, 0))): Fraction(1)}
        case ("^", name, m):
            length = _integer(m)
            return {(a,): Fraction(1)} if length is None else {(("W", name),) * length: Fraction(1)} if length >= 0 else no(f"{name} to the power {m}")
        case ("P" | "D", m, _) if (k := _integer(m)) is not None and k <= 0:
            return {}
        case ("Σ", lo, hi, word):
            return summed(lo, hi, {word: Fraction(1)})
    return {(a,): Fraction(1)}


def no(what: str) -> Poly:
    raise Unreadable(f"{what} is outside of what induction on the recursion covers")


def substituted(p: Poly, rule: Mapping[Letter, Poly]) -> Poly:
    """Letters replaced by sums of words."""
    out: Poly = {}
    for w, c in p.items():
        out = added(out, product({(): c}, *(rule.get(a, {(a,): Fraction(1)}) for a in w)))
    return out


def simplified(p: Poly) -> Poly:
    """Every letter in normal form."""
    out: Poly = {}
    for w, c in p.items():
        out = added(out, product({(): c}, *(letter(a) for a in w)))
    return out


def at(a: Letter, values: Mapping[sp.Symbol, sp.Expr]) -> Letter:
    """A letter with moments replaced."""
    return tuple(tuple(at(b, values) for b in x) if isinstance(x, tuple) else sp.expand(x.subs(values)) if isinstance(x, sp.Expr) else x for x in a)


def mentions(a: Letter, s: sp.Symbol) -> bool:
    """Whether a moment of the letter depends on s."""
    return any(any(mentions(b, s) for b in x) if isinstance(x, tuple) else isinstance(x, sp.Expr) and x.has(s) for x in a)


def summed(lo: sp.Expr, hi: sp.Expr, body: Poly) -> Poly:
    """Σ_{INDEX=lo}^{hi} body: what does not depend on the index goes before or behind the sum."""
    count = _integer(hi - lo + 1)
    out: Poly = {}
    for w, c in body.items():
        if count is not None:
            for k in range(count):
                out = added(out, simplified({tuple(at(a, {INDEX: lo + k}) for a in w): c}))
            continue
        inside = [k for k, a in enumerate(w) if mentions(a, INDEX)]
        if not inside:
            no("a sum over what does not depend on its index")
        first, last = inside[0], inside[-1]
        low, high, middle = _reversed(lo, hi, w[first : last + 1])
        out = added(out, {(*w[:first], ("Σ", low, high, middle), *w[last + 1 :]): c})
    return out


def _reversed(lo: sp.Expr, hi: sp.Expr, word: Word) -> tuple[sp.Expr, sp.Expr, Word]:
    """A word that counts back, h_{t-k}, in terms of j = t - k: the moments then rise with the index."""
    moments = [m for a in word for m in _moments(a) if m.has(INDEX)]
    if all(sp.expand(m).coeff(INDEX) == -1 for m in moments):
        # the moment of the last letter becomes the index
        whole = sp.expand(moments[-1] + INDEX)
        flipped = tuple(at(a, {INDEX: whole - INDEX}) for a in word)
        return sp.expand(whole - hi), sp.expand(whole - lo), flipped
    return sp.expand(lo), sp.expand(hi), word


def _moments(a: Letter) -> list[sp.Expr]:
    return [m for x in a for m in ([x] if isinstance(x, sp.Expr) else [n for b in x for n in _moments(b)] if isinstance(x, tuple) else [])]


# -- unrolling one step ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """Where a step is taken: t in terms of n ≥ `first` (and a fixed s ≥ 0), within a sum also `INDEX` from `lo` to `hi`."""

    t: sp.Expr
    n: sp.Symbol
    first: int
    lo: sp.Expr | None = None
    hi: sp.Expr | None = None

    def least(self, e: sp.Expr) -> int | None:
        """The smallest value of a linear expression here, None if it has none."""
        e = sp.expand(e)
        if e.has(INDEX) and self.lo is not None and self.hi is not None:
            e = sp.expand(e.subs(INDEX, self.lo if e.coeff(INDEX) > 0 else self.hi))
        if any(not e.coeff(x).is_Integer or e.coeff(x) < 0 for x in e.free_symbols) or e.free_symbols - {self.n, S}:
            return None
        return _integer(e.subs({self.n: self.first, S: 0}))

    def holds(self, e: sp.Expr) -> bool:
        """Whether e ≥ 0 throughout."""
        least = self.least(e)
        return least is not None and least >= 0


def stepped(p: Poly, scope: Scope) -> Poly:
    """Every letter that reaches to t in terms of t - 1; what would be unrolled where it is empty stops with `Unreadable`."""
    out: Poly = {}
    for w, c in simplified(p).items():
        out = added(out, product({(): c}, *(_back(a, scope) for a in w)))
    return out


def one(*a: Letter) -> Poly:
    """The word of these letters."""
    return {a: Fraction(1)}


def _back(a: Letter, scope: Scope) -> Poly:
    """D_t = J_t D_{t-1} + P_t; Π^t = J_t Π^{t-1}; Σ^t = (the term at t) + Σ^{t-1}."""
    t = scope.t
    match a:
        case ("D", m, theta) if _reaches(m, t):
            return added(product(one(("J", m)), _back(("D", sp.expand(m - 1), theta), scope)), one(("P", m, theta)))
        case ("H", upper, lower) if _reaches(upper, t) and _integer(upper - lower) is None:
            _must(scope.holds(upper - lower - 1), a)
            return product(one(("J", upper)), _back(("H", sp.expand(upper - 1), lower), scope))
        case ("Π", lo, hi) if _reaches(hi, t) and _integer(hi - lo) is None:
            _must(scope.holds(hi - lo), a)
            return product(one(("J", hi)), _back(("Π", lo, sp.expand(hi - 1)), scope))
        case ("^", name, m) if _reaches(m, scope.n):
            _must(scope.holds(m - 1), a)
            return product(one(("W", name)), _back(("^", name, sp.expand(m - 1)), scope))
        case ("Σ", lo, hi, word) if _reaches(hi, t):
            return _split(lo, hi, word, scope)
        case ("Σ", lo, hi, word):
            inside = replace(scope, lo=lo, hi=hi)
            try:
                inner = product(*(_back(b, inside) if b[0] != "Σ" else one(b) for b in word))
            except Unreadable:  # empty at the last term, which therefore stands by itself
                gap = _integer(scope.t - hi)
                if gap is None or gap > 4:
                    raise
                return _split(lo, hi, word, scope)
            return summed(lo, hi, inner)
    return letter(a)


def _split(lo: sp.Expr, hi: sp.Expr, word: Word, scope: Scope) -> Poly:
    """The last term of a sum by itself."""
    _must(scope.holds(hi - lo), ("Σ", lo, hi))
    top = stepped(simplified({tuple(at(b, {INDEX: hi}) for b in word): Fraction(1)}), scope)
    return added(_back(("Σ", lo, sp.expand(hi - 1), word), scope), top)


def _must(condition: bool, a: Letter) -> None:
    if not condition:
        raise Unreadable(f"{a[0]} from {a[1]} to {a[2]} is empty at some steps, and the induction takes it apart at all of them")


def _reaches(m: sp.Expr, t: sp.Expr) -> bool:
    """Whether m is t, t + 1, …"""
    gap = _integer(m - t)
    return gap is not None and gap >= 0


def expand(p: Poly) -> Poly:
    """At a known step everything is written out by the recursion."""
    out: Poly = {}
    for w, c in simplified(p).items():
        out = added(out, product({(): c}, *(_written_out(a) for a in w)))
    return out


def _written_out(a: Letter) -> Poly:
    if a[0] == "D" and (m := _integer(a[1])) is not None:
        return added(product(one(("J", a[1])), _written_out(("D", sp.Integer(m - 1), a[2]))), one(("P", a[1], a[2]))) if m > 0 else {}
    return letter(a)


def linear(p: Poly, name: str | None) -> Poly:
    """The same for a linear network, all of whose J_t are the matrix of this name."""
    if name is None:
        return p

    def constant(a: Letter) -> Poly:
        match a:
            case ("J", _):
                return one(("W", name))
            case ("Π", lo, hi):
                return letter(("^", name, sp.expand(hi - lo + 1)))
        return one(a)

    return simplified(substituted(p, {a: constant(a) for w in p for a in w}))


def levelled(left: Poly, right: Poly, t: sp.Expr) -> tuple[Poly, Poly]:
    """Every D of the two sides by the recursion in terms of the earliest one."""
    gaps = [g for p in (left, right) for w in p for a in w if a[0] == "D" and (g := _integer(a[1] - t)) is not None]
    if not gaps:
        return left, right

    def down(a: Letter) -> Poly:
        if a[0] == "D" and (g := _integer(a[1] - t)) is not None and g > min(gaps):
            return added(product(one(("J", a[1])), down(("D", sp.expand(a[1] - 1), a[2]))), one(("P", a[1], a[2])))
        return one(a)

    return tuple(substituted(p, {a: down(a) for w in p for a in w}) for p in (left, right))  # type: ignore[return-value]
