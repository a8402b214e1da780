r"""The tail c ≥ R of a function of one variable, by its leading monomial.

With u = e^{-c/q} every σ(αc + β), tanh, exp is a rational function of u, so f = N/D with polynomials in c and u.  On c ≥ R a monomial
c^k u^m with m > 0 falls as soon as c ≥ kq/m; so it lies between 0 and its value at R.  Divided by the leading monomial of D, N/D is
enclosed by two sums of such terms: f tends to the quotient of the leading coefficients, to 0, or to ±∞.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import sympy as sp

from symgrad.bounds.exact import sign
from symgrad.bounds.interval import INF, Interval, Point, add, increasing, inverse, mul, power
from symgrad.bounds.ranges import NAMES, number, softplus

U = sp.Dummy("u", positive=True)
Monomials = dict[tuple[int, int], sp.Expr]  # (m, k) → the coefficient of u^m c^k, in constants e^β and θ


@dataclass(frozen=True, slots=True)
class Tail:
    """f on c ≥ R is N/D; `limit` is its limit for c → ∞ (None: not a rational number; ±∞), `side` the sign of f - limit far out (0: f is constant)."""

    form: sp.Expr
    limit: sp.Expr | None
    side: int | None
    above: Monomials
    below: Monomials
    difference: Monomials
    q: sp.Integer
    constants: Mapping[sp.Symbol, Interval]
    start: sp.Expr

    def enclosed(self, start: float, point: Point) -> Interval:
        """f over [start, ∞)."""
        lead = min(self.below, key=_growth)
        return mul(self._sum(self.above, lead, start, point), inverse(self._sum(self.below, lead, start, point)))

    def settled(self, start: float, point: Point) -> bool:
        """Whether f - limit has the sign `side` on all of [start, ∞)."""
        if self.side == 0:
            return True
        lead, bottom = min(self.difference, key=_growth), min(self.below, key=_growth)
        rest = self._sum(self.difference, lead, start, point), self._sum(self.below, bottom, start, point)
        return all(r[0] > 0 or r[1] < 0 for r in rest)

    def _sum(self, p: Monomials, lead: tuple[int, int], start: float, point: Point) -> Interval:
        total: Interval = (0.0, 0.0)
        for (m, k), c in p.items():
            total = add(total, mul(self._constant(c), self._monomial(m - lead[0], k - lead[1], start, point)))
        return total

    def _monomial(self, m: int, k: int, start: float, point: Point) -> Interval:
        """c^k u^m on [start, ∞)."""
        if (m, k) == (0, 0):
            return 1.0, 1.0
        if start < 1:
            return 0.0, INF
        at = mul(power((start, start), k), increasing("exp", mul((float(-m), float(-m)), mul((start, start), inverse((float(self.q), float(self.q))))), point))
        if _growth((m, k)) > (0, 0):  # it falls to 0, at once or from kq/m on
            return 0.0, (at[1] if k <= 0 or start * m >= k * float(self.q) else INF)
        return (at[0] if m == 0 or (k >= 0 or -m * start >= -k * float(self.q)) else 0.0), INF

    def _constant(self, c: sp.Expr) -> Interval:
        if not c.free_symbols:
            return number(c)
        total: Interval = (0.0, 0.0)
        for term in sp.Add.make_args(sp.expand(c)):
            value: Interval = (1.0, 1.0)
            for factor in sp.Mul.make_args(term):
                base, exponent = factor.as_base_exp()
                value = mul(value, power(self.constants[base], int(exponent)) if base in self.constants else number(factor))
            total = add(total, value)
        return total


def _growth(mk: tuple[int, int]) -> tuple[int, int]:
    """Monomials u^m c^k in the order of growth, the largest first."""
    return mk[0], -mk[1]


def tail(f: sp.Expr, v: sp.Symbol, point: Point) -> Tail | None:
    """The tail v → ∞ of f, None where f is not of the kind that this analysis reads."""
    calls = {x for x in f.atoms(sp.Function, sp.exp) if x.has(v)}
    slopes: list[sp.Expr] = []
    start = sp.S.One
    for x in calls:
        a = x.args[0]
        if x.func not in NAMES and x.func != softplus:
            return None
        slope = sp.diff(a, v)
        if not slope.is_Rational or slope == 0 or not a.subs(v, 0).is_real or NAMES.get(x.func) == "log":
            return None
        slopes.append(slope)
        start = sp.Max(start, sp.ceiling(-a.subs(v, 0) / slope))
    q = reduce(sp.ilcm, (s.q for s in slopes), sp.S.One)
    constants: dict[sp.Symbol, Interval] = {}
    names: dict[sp.Expr, sp.Symbol] = {}

    def exponential(a: sp.Expr) -> sp.Expr:
        """e^a as a power of u and a constant."""
        beta, slope = a.subs(v, 0), sp.diff(a, v)
        power_of_u = U ** (-slope * q)
        if beta == 0:
            return power_of_u
        positive = beta if sign(beta) == 1 else -beta
        e = names.setdefault(positive, sp.Dummy(f"e^{positive}", positive=True))
        constants[e] = increasing("exp", number(positive), point)
        return power_of_u * (e if positive == beta else 1 / e)

    def written(x: sp.Expr) -> sp.Expr:
        a = x.args[0]
        rising = sp.diff(a, v) > 0
        if x.func == softplus:  # softplus(a) = relu(a) + θ e^{-|a|} with θ in (log 2, 1]
            theta = sp.Dummy("θ", positive=True)
            constants[theta] = (0.69, 1.0)
            return (a if rising else 0) + theta * exponential(-a if rising else a)
        name = NAMES[x.func]
        if name in ("abs", "relu", "step", "sign"):
            up = {"abs": a, "relu": a, "step": sp.S.One, "sign": sp.S.One}
            return up[name] if rising else {"abs": -a, "relu": sp.S.Zero, "step": sp.S.Zero, "sign": -sp.S.One}[name]
        if name == "exp":
            return exponential(a)
        w = exponential((-a if rising else a) * (2 if name == "tanh" else 1))
        if name == "sigmoid":
            return 1 / (1 + w) if rising else w / (1 + w)
        return (1 - w) / (1 + w) if rising else (w - 1) / (1 + w)

    g = f.xreplace({x: written(x) for x in calls})
    if any(p.exp.is_Rational and p.exp.q != 1 and p.base.free_symbols for p in g.atoms(sp.Pow)):
        return None
    above, below = (_monomials(p, v) for p in sp.fraction(sp.cancel(sp.together(g))))
    if above is None or below is None:
        return None
    found = Tail(_shown(above, below, v), None, None, above, below, {}, q, constants, start)
    return _with_limit(found, v)


def _monomials(p: sp.Expr, v: sp.Symbol) -> Monomials | None:
    poly = sp.Poly(p, U, v)
    if any(c.has(U, v) for c in poly.coeffs()):
        return None
    return {(int(m), int(k)): c for (m, k), c in poly.terms() if c != 0}


def _with_limit(t: Tail, v: sp.Symbol) -> Tail | None:
    if not t.above:
        return Tail(t.form, sp.S.Zero, 0, t.above, t.below, {}, t.q, t.constants, t.start)
    top, bottom = min(t.above, key=_growth), min(t.below, key=_growth)
    order = _growth((top[0] - bottom[0], top[1] - bottom[1]))
    signs = _sign(t, t.above[top]), _sign(t, t.below[bottom])
    if signs[0] is None or signs[1] is None:
        return None
    if order < (0, 0):
        return Tail(t.form, sp.oo * signs[0] * signs[1], None, t.above, t.below, {}, t.q, t.constants, t.start)
    limit = sp.S.Zero if order > (0, 0) else sp.cancel(t.above[top] / t.below[bottom])
    if limit.free_symbols:
        return t
    difference = {mk: c for mk in {*t.above, *t.below} if (c := sp.expand(t.above.get(mk, 0) - limit * t.below.get(mk, 0))) != 0}
    lead = min(difference, key=_growth, default=None)
    s = 0 if lead is None else _sign(t, difference[lead])
    return Tail(t.form, limit, None if s is None else s * signs[1], t.above, t.below, difference, t.q, t.constants, t.start)


def _sign(t: Tail, c: sp.Expr) -> int | None:
    low, high = t._constant(c)
    return 1 if low > 0 else -1 if high < 0 else None


def _shown(above: Monomials, below: Monomials, v: sp.Symbol) -> sp.Expr:
    def poly(p: Monomials) -> sp.Expr:
        return sp.factor(sp.Add(*(c * U**m * v**k for (m, k), c in p.items())))

    return poly(above) / poly(below)
