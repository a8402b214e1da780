r"""Scalars beyond polynomials: σ, tanh, exp and softplus as rational functions of exponentials.

Whatever occurs in exponents is a sum of monomials; for different monomials μ the functions e^{μ/q} are algebraically independent (Ax),
so two rational functions of them are equal exactly when their cross products are equal polynomials.  log of a product of polynomials
with positive coefficients is the sum of their logs.  The polynomials are multiplied out within the bounds on work; what is too large for that
goes to SymPy's ``cancel`` in a process that is killed when its time is up.

A contraction such as (U h)_i counts as one unknown.  A sum over an index at which a function is taken, Σ_k f(u_k), is zero if its summand is:
so terms are compared only with terms that are summed over the same indices.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from symgrad.decide.functions import POWER, Functions
from symgrad.decide.limits import Budget, Exhausted, Unsupported
from symgrad.decide.monomials import Factor, Indices, Monomial, Number, canonical, components
from symgrad.decide.polynomials import ONE, Polynomial, accumulate, added, frozen, scaled
from symgrad.language.program import Shape

EXPONENTIAL = {"sigmoid", "tanh", "exp", "softplus"}
MOST = 1000  # the largest power of one exponential
Ratio = tuple[Polynomial, Polynomial]
MEMORY = 2**31  # bytes that SymPy may use, on systems that can say so
WORKER = """
import contextlib, pickle, sys
with contextlib.suppress(ImportError, OSError, ValueError):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
sys.setrecursionlimit(10000)
import sympy
print(int(sympy.cancel(sympy.together(pickle.load(sys.stdin.buffer))) == 0))
"""


class Exponentials:
    """Polynomials with applied functions, rewritten as ratios of polynomials in exponentials; indices are part of the names."""

    def __init__(self, functions: Functions, budget: Budget, shapes: Mapping[str, Shape] | None = None) -> None:
        self.functions, self.budget, self.shapes = functions, budget, shapes or {}
        self.scale: dict[Monomial, int] = {}  # a monomial in an exponent → the denominator it is divided by
        self._units: dict[str, Monomial] = {}  # the name of e^{μ/q} → μ
        self._seen: set[tuple[str, Indices]] = set()

    def is_zero(self, p: Polynomial, rank: int = 0) -> bool:
        """Whether the polynomial is zero as a function; what is summed over the same indices is so together."""
        groups: dict[frozenset[tuple[int, sp.Expr]], Polynomial] = {}
        for m, c in p.items():
            touched = {i for name, at, _ in m if name in self.functions.meaning for i in at if i >= rank}
            closed = _closed(m, {i for _, at, _ in m for i in at if i >= rank} - touched)
            accumulate(groups.setdefault(frozenset((i, self._size(i, m)) for i in touched), {}), {closed: c})
        return all(map(self._zero, groups.values()))

    def _size(self, i: int, m: Monomial) -> sp.Expr:
        """The size of an index: that of any name at it, or in the argument of a function at it."""
        for name, at, _ in m:
            if i in at and name in self.shapes:
                return self.shapes[name][at.index(i)]
        for name, at, _ in m:
            if i in at and name in self.functions.meaning:
                for inner in (inner for p in self.functions.meaning[name][2] for inner in p):
                    if any(at.index(i) in ix for _, ix, _ in inner):
                        return self._size(at.index(i), inner)
        raise Unsupported("a sum over an index of unknown size")

    def _zero(self, p: Polynomial) -> bool:
        """By cross products, or by SymPy where these grow too large."""
        self._collect(p)
        try:
            above, _ = self.ratio(p)
            return not above
        except Exhausted:
            return self._by_sympy(p)

    # -- what stands in exponents ---------------------------------------------------------------------------------------------

    def _collect(self, p: Polynomial) -> None:
        """The common denominator of every monomial's coefficients in exponents."""
        for name, at in {(n, at) for m in p for n, at, _ in m}:
            if (name, at) in self._seen or name not in self.functions.meaning:
                continue
            self._seen.add((name, at))
            a = self.argument(name, at)
            for m, c in a.items() if self.functions.meaning[name][0] in EXPONENTIAL else ():
                self.scale[m] = math.lcm(self.scale.get(m, 1), Fraction(c).denominator)
            self._collect(a)

    def argument(self, name: str, at: Indices) -> Polynomial:
        """The argument of an applied function at these indices; every contraction in it is an unknown."""
        _, rank, arguments = self.functions.meaning[name]
        closed = ((_closed(m, {i for _, ix, _ in m for i in ix if i >= rank}), c) for m, c in arguments[0].items())
        return {tuple(sorted((n, tuple(at[i] for i in ix), e) for n, ix, e in m)): c for m, c in closed}

    def exponential(self, a: Polynomial) -> Ratio:
        """e^a, each monomial μ of a giving a power of the unknown e^{μ/q}."""
        above: list[Factor] = []
        below: list[Factor] = []
        for m, c in a.items():
            power = Fraction(c) * self.scale[m]
            if power.denominator != 1 or abs(power) > MOST:
                raise Unsupported(f"the exponent {power}")
            unit = f"exp{m!r}"
            self._units[unit] = m
            (above if power > 0 else below).append((unit, (), abs(int(power))))
        return {tuple(sorted(above)): 1}, {tuple(sorted(below)): 1}

    # -- ratios ---------------------------------------------------------------------------------------------------------------

    def times(self, a: Ratio, b: Ratio) -> Ratio:
        return self._times(a[0], b[0]), self._times(a[1], b[1])

    def plus(self, a: Ratio, b: Ratio) -> Ratio:
        if a[1] == b[1]:
            return added(a[0], b[0]), a[1]
        return added(self._times(a[0], b[1]), self._times(b[0], a[1])), self._times(a[1], b[1])

    def _times(self, p: Polynomial, q: Polynomial) -> Polynomial:
        total: Polynomial = {}
        self.budget.spend(len(p) * len(q))
        for m, c in p.items():
            for n, d in q.items():
                key = _product(m, n)
                total[key] = total.get(key, 0) + c * d
        return {m: c for m, c in total.items() if c}

    def ratio(self, p: Polynomial) -> Ratio:
        """A polynomial with applied functions as a ratio; terms with one denominator are added first."""
        groups: dict[object, Ratio] = {}
        for m, c in p.items():
            term: Ratio = {(): c}, ONE
            for name, at, e in m:
                term = self.times(term, self._power(self.factor(name, at), e))
            key = frozen(term[1])
            groups[key] = self.plus(groups[key], term) if key in groups else term
        total: Ratio = {}, ONE
        for group in groups.values():
            total = self.plus(total, group)
        return total

    def _power(self, r: Ratio, e: Number) -> Ratio:
        if Fraction(e).denominator != 1:
            raise Unsupported("a root")
        if e < 0:
            if not r[0]:
                raise Unsupported("a division by zero")
            r, e = (r[1], r[0]), -e
        result: Ratio = ONE, ONE
        for _ in range(int(e)):
            result = self.times(result, r)
        return result

    def factor(self, name: str, at: tuple[int, ...]) -> Ratio:
        """One unknown: a name is itself, an applied function what it is in exponentials."""
        if name not in self.functions.meaning:
            return {((name, at, 1),): 1}, ONE
        function = self.functions.meaning[name][0]
        if len(self.functions.meaning[name][2]) != 1:
            return {((name, at, 1),): 1}, ONE
        a = self.argument(name, at)
        if function in EXPONENTIAL:
            up, down = self.exponential(a)
            if function == "exp":
                return up, down
            if function == "sigmoid":
                return up, added(up, down)
            if function == "tanh":
                up, down = self._times(up, up), self._times(down, down)
                return added(up, down, -1), added(up, down)
            return self.log((added(up, down), down))
        if function == "log":
            return self.log(self.ratio(a))
        if function == POWER:
            return self.ratio(a)
        return {((name, at, 1),): 1}, ONE

    def log(self, r: Ratio) -> Ratio:
        """log(p/q) = log p - log q for positive p, q; log of a product of exponentials is their exponent."""
        total: Ratio = {}, ONE
        for p, sign in ((r[0], 1), (r[1], -1)):
            if len(p) == 1:
                ((m, c),) = p.items()
                if c != 1 or any(n not in self._units for n, _, _ in m):
                    raise Unsupported("a logarithm")
                for n, _, e in m:
                    mu = self._units[n]
                    total = self.plus(total, self.times(({(): Fraction(sign * e) / self.scale[mu]}, ONE), self.ratio({mu: 1})))
            elif all(c > 0 for c in p.values()) and all(n in self._units for m in p for n, _, _ in m):
                # up to a common factor, so that 1 + e^{-a} = e^{-a}(1 + e^a) have related logs
                least = {n: min(sum(e for k, _, e in m if k == n) for m in p) for n in {n for m in p for n, _, _ in m}}
                content = math.gcd(*(Fraction(c).numerator for c in p.values()))
                if content != 1:
                    raise Unsupported("a logarithm of a number")
                common: Polynomial = {tuple(sorted((n, (), e) for n, e in least.items() if e)): 1}
                rest = {tuple((n, i, e - least[n]) for n, i, e in m if e != least[n]): c for m, c in p.items()}
                if common != {(): 1}:
                    above, below = self.log((common, ONE))
                    total = self.plus(total, (scaled(above, sign), below))
                total = self.plus(total, ({((f"log{frozen(rest)!r}", (), 1),): sign}, ONE))
            else:
                raise Unsupported("a logarithm")
        return total

    # -- SymPy, where it cannot harm ---------------------------------------------------------------------------------------------

    def _by_sympy(self, p: Polynomial) -> bool:
        """``cancel(together(e)) == 0`` in a process of its own."""
        seconds = self.budget.limits.sympy_seconds
        e = self._sympy(p)
        try:
            done = subprocess.run([sys.executable, "-c", WORKER, str(MEMORY)], input=pickle.dumps(e), capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise Exhausted(f"SymPy was stopped after {seconds:g} seconds") from None
        if done.returncode:
            raise Unsupported("SymPy failed on the rational function")
        return done.stdout.strip() == b"1"

    def _sympy(self, p: Polynomial) -> sp.Expr:
        names: dict[object, sp.Symbol] = {}

        def named(n: str, i: Indices) -> sp.Symbol:
            return names.setdefault((n, i), sp.Symbol(f"v{len(names)}"))

        def plain(q: Polynomial) -> sp.Expr:
            return sp.Add(*(sp.Mul(sp.Rational(c), *(named(n, i) ** e for n, i, e in m)) for m, c in q.items()))

        out = []
        for m, c in p.items():
            factors = [sp.Rational(c)]
            for name, at, e in m:
                above, below = self.factor(name, at)
                factors.append((plain(above) / plain(below)) ** sp.Rational(e))
            out.append(sp.Mul(*factors))
        return sp.Add(*out)


def _closed(m: Monomial, inner: set[int]) -> Monomial:
    """The monomial with Σ over the inner indices carried out: each connected sum is one unknown at the indices that it leaves."""
    if not inner:
        return m
    closed: Monomial = tuple(f for f in m if not inner.intersection(f[1]))
    for part, own in components(list(m), inner):
        left = sorted({i for _, at, _ in part for i in at} - own)
        place = dict(zip((*left, *sorted(own)), range(len(left) + len(own)), strict=True))
        moved = [(n, tuple(place[i] for i in at), e) for n, at, e in part]
        closed = _product(closed, ((f"Σ{canonical(moved, len(left))!r}", tuple(left), 1),))
    return closed


def _product(m: Monomial, n: Monomial) -> Monomial:
    """The product of two monomials whose indices are part of their names."""
    if not m or not n:
        return m or n
    powers: dict[tuple[str, Indices], Number] = {}
    for name, at, e in (*m, *n):
        powers[name, at] = powers.get((name, at), 0) + e
    return tuple(sorted((name, at, e) for (name, at), e in powers.items() if e))
