r"""Suprema by exact algebra: rational functions of variables that range over intervals.

* f = A v + B is largest at an end of v's interval, whatever the other variables are.
* A rational function of one variable is largest at an end or where f' = 0: finitely many algebraic numbers.

So σ' = s(1-s) for s ∈ (0, 1) is at most 1/4, at s = 1/2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp

from symgrad.bounds.domain import Domain
from symgrad.bounds.ranges import NAMES

DEGREE = 24  # of polynomials whose roots are sought
AFFINE = 10  # variables that are tried at both ends


@dataclass(frozen=True, slots=True)
class Exact:
    """sup f = `value`; `attained` None is not known; `unique`: no other point comes as near; `at` is where."""

    value: sp.Expr
    attained: bool | None
    unique: bool
    at: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    why: tuple[str, ...] = ()


def sign(x: sp.Expr) -> int | None:
    """The sign of a real constant, None if it cannot be told."""
    if x in (sp.oo, -sp.oo):
        return 1 if x == sp.oo else -1
    if x.is_Rational:
        return int(x.p > 0) - int(x.p < 0)
    near = x.evalf(60)
    if near.is_Float and abs(near) > sp.Float("1e-40"):
        return 1 if near > 0 else -1
    return 0 if sp.simplify(x) == 0 else None


def compare(a: sp.Expr, b: sp.Expr) -> int | None:
    """The sign of a - b, either of which may be infinite."""
    return 0 if a == b else sign(a) if a in (sp.oo, -sp.oo) else -1 if b == sp.oo else 1 if b == -sp.oo else sign(a - b)


def supremum(f: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> Exact | None:
    """sup f over a product of intervals, None where this algebra does not reach it."""
    pieces = _pieces(f, where)
    if pieces is not None:
        results = [supremum(g, there) for g, there in pieces]
        return best([r for r in results if r is not None]) if None not in results else None
    if f.atoms(sp.Function) or any(p.exp.q != 1 for p in f.atoms(sp.Pow) if p.exp.is_Rational and p.base.free_symbols):
        return None
    return _rational(sp.cancel(sp.together(f)), where, 0)


def best(results: Sequence[Exact]) -> Exact | None:
    """The largest of suprema over parts of a set."""
    top = results[0]
    ties = [top]
    for r in results[1:]:
        order = compare(r.value, top.value)
        if order is None:
            return None
        if order > 0:
            top, ties = r, [r]
        elif order == 0:
            ties.append(r)
    if len(ties) == 1:
        return top
    known = {r.attained for r in ties}
    chosen = next((r for r in ties if r.attained), top)
    return replace(chosen, attained=True if True in known else None if None in known else False, unique=False)


def _pieces(f: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> list[tuple[sp.Expr, Mapping[sp.Symbol, Domain]]] | None:
    """|v - a|, relu, step and sign split the interval of v at a: the two smooth parts."""
    for kink in sorted((x for x in f.atoms(sp.Function) if NAMES.get(x.func) in ("abs", "relu", "step", "sign")), key=str):
        a = kink.args[0]
        if len(a.free_symbols) != 1:
            continue
        (v,) = a.free_symbols
        slope = sp.diff(a, v)
        if not slope.is_Rational or slope == 0 or v not in where:
            continue
        root = -a.subs(v, 0) / slope
        d = where[v]
        out: list[tuple[sp.Expr, Mapping[sp.Symbol, Domain]]] = []
        for low, high, side in ((d.low, root, -1), (root, d.high, 1)):
            if low < high:
                positive = bool(side * slope > 0)
                one = sp.S.One if positive else sp.S.Zero
                value = {"abs": a if positive else -a, "relu": one * a, "step": one, "sign": 2 * one - 1}
                name = NAMES[kink.func]
                jump = name in ("step", "sign")
                ends = (d.open[0] if low == d.low else jump, d.open[1] if high == d.high else jump)
                out.append((f.xreplace({kink: value[name]}), {**where, v: Domain(low, high, ends)}))
        if NAMES[kink.func] in ("step", "sign") and d.low < root < d.high:
            out.append((f.xreplace({kink: sp.S.Zero}).subs(v, root), {s: x for s, x in where.items() if s != v}))
        return out
    return None


def _rational(f: sp.Expr, where: Mapping[sp.Symbol, Domain], depth: int) -> Exact | None:
    variables = sorted(f.free_symbols & where.keys(), key=str)
    if not variables:
        return Exact(f, True, False, {}) if f.is_number and f.is_real else None
    numerator, denominator = sp.fraction(f)
    if depth < AFFINE and len(variables) > 1:
        for v in variables:
            if not denominator.has(v) and sp.Poly(numerator, v).degree() == 1 and where[v].low > -sp.oo and where[v].high < sp.oo:
                return _affine(f, v, where, depth)
    if len(variables) == 1:
        return _one(f, variables[0], where[variables[0]])
    return None


def _affine(f: sp.Expr, v: sp.Symbol, where: Mapping[sp.Symbol, Domain], depth: int) -> Exact | None:
    """f = A v + B: the larger of the suprema at both ends."""
    d, slope, out = where[v], sp.cancel(sp.diff(f, v)), []
    for k, end in enumerate((d.low, d.high)):
        r = _rational(sp.cancel(f.subs(v, end)), where, depth + 1)
        if r is None:
            return None
        there = slope.subs(r.at)
        flat = there.is_number and sign(there) == 0  # then every v does as well as this end
        attained = r.attained
        if d.open[k] and r.attained and not flat:
            attained = False if (r.unique and there.is_number) or _nowhere_zero(slope, where) else None
        at = {**r.at, v: d.inside if d.open[k] and flat else end}
        out.append(Exact(r.value, attained, r.unique and not flat, at, (f"{v}: ƒ is affine in it, so its ends {d.low} and {d.high} are enough", *r.why)))
    return best(out)


def _nowhere_zero(f: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> bool:
    """Whether f keeps one sign."""
    for g in (f, -f):
        top = _rational(g, where, 0)
        if top is not None and (sign(top.value) == -1 or (top.value == 0 and top.attained is False)):
            return True
    return False


def _one(f: sp.Expr, v: sp.Symbol, d: Domain) -> Exact | None:
    """A rational function of one variable: its ends, and the roots of f'."""
    numerator, denominator = (sp.Poly(p, v) for p in sp.fraction(f))
    slope = sp.Poly(sp.fraction(sp.together(sp.diff(f, v)))[0], v)
    if max(numerator.degree(), denominator.degree(), slope.degree()) > DEGREE or not (slope.domain.is_ZZ or slope.domain.is_QQ):
        return None
    if any(compare(r, d.low) != -1 and compare(r, d.high) != 1 for r in sp.real_roots(denominator)) if denominator.degree() > 0 else False:
        return None  # a pole in the interval or at its end
    results: list[Exact] = []
    for k, end in enumerate((d.low, d.high)):
        value = sp.limit(f, v, end) if end in (sp.oo, -sp.oo) else f.subs(v, end)
        results.append(Exact(value, not d.open[k], True, {v: end}))
    critical = sorted(set(sp.real_roots(slope)), key=lambda r: r.evalf()) if slope.degree() > 0 else []
    for r in critical:
        if compare(r, d.low) == 1 and compare(r, d.high) == -1:
            results.append(Exact(sp.radsimp(sp.simplify(f.subs(v, r))) if not r.has(sp.CRootOf) else f.subs(v, r), True, True, {v: r}))
    found = best(results)
    if found is None:
        return None
    roots = f"is 0 at {v} = {', '.join(map(str, critical))}" if critical else "has no zero"
    place = "the end " if found.at[v] in (d.low, d.high) else ""
    shown = sp.factor(slope.as_expr() / sp.fraction(sp.together(sp.diff(f, v)))[1])
    return replace(found, why=(pretty(f"{v} ∈ {d}: ƒ = {sp.factor(f)}; its derivative {shown} {roots}; largest at {place}{v} = {found.at[v]}"),))


def pretty(e: object) -> str:
    """An expression on one line, in Unicode."""
    text = re.sub(r"\*\*(\d)(?!\d)", lambda m: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(m[1])], str(e))
    text = re.sub(r"(?<!\w)_(?=\w)", "", text)  # dummies
    return text.replace("**", "^").replace("*", "·").replace("sigmoid", "σ").replace("oo", "∞")
