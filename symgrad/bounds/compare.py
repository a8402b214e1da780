r"""Inequalities between a function and a number, and claims of its extremes: proved, refuted at a point, or open.

f < b everywhere if sup f < b, or sup f = b is not attained; it fails somewhere if sup f > b, or sup f = b is attained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import sympy as sp

from symgrad.bounds.bound import Enclosure, Extreme, decimal, enclosed
from symgrad.bounds.domain import Domain
from symgrad.bounds.exact import pretty
from symgrad.bounds.interval import INF
from symgrad.bounds.ranges import plain
from symgrad.bounds.search import value

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Comparison:
    """The outcome; `at` is a point that refutes, with the value of f there, `never` that no point satisfies the claim."""

    status: Literal["proved", "refuted", "undecided"]
    message: str
    enclosure: Enclosure
    at: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    value: float | None = None
    never: bool = False
    notes: tuple[str, ...] = ()


def relation(f: sp.Expr, sign: str, b: Fraction, domain: Mapping[Any, Any] | None = None) -> Comparison:
    """``f < b`` (or ≤, >, ≥) at every point of the domain."""
    e = enclosed(f, domain)
    rising = sign in ("<", "<=")
    side, other = (e.high, e.low) if rising else (e.low, e.high)
    word = "most" if rising else "least"
    holds, fails = _beyond(side, sign, b)
    if holds:
        reached = f"at {word}" if side.attained is not False else "below" if rising else "above"
        return Comparison("proved", f"it is {reached} {spoken(side, rising)}", e)
    if not fails:
        return Comparison("undecided", f"its supremum could only be told to be {spoken(side, rising)}", e)
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[sign]
    never = _beyond(other, opposite, b)[0]
    at, v = _point(f, e.domain, side, sign, b)
    if v is None:
        return Comparison("undecided", f"it comes to {spoken(side, rising)}, but no point was found at which the claim fails", e)
    message = f"it is {decimal(v, 0, 6)} at {_place(at)}; its {'supremum' if rising else 'infimum'} is {spoken(side, rising)}"
    return Comparison("refuted", message, e, at, float(v), never)


def _beyond(side: Extreme, sign: str, b: Fraction) -> tuple[bool, bool]:
    """Whether the bound proves ``f sign b`` everywhere, and whether it refutes it somewhere."""
    s = 1 if sign in ("<", "<=") else -1
    outer, inner = s * side.outer, s * side.inner
    strict = sign in ("<", ">")
    exact = side.exact is not None and outer == inner == s * b
    holds = outer < s * b or (outer == s * b and (not strict or (exact and side.attained is False)))
    fails = inner > s * b or (strict and exact and side.attained is True)
    return holds, fails


def _point(f: sp.Expr, domain: Mapping[sp.Symbol, Domain], side: Extreme, sign: str, b: Fraction) -> tuple[dict[sp.Symbol, sp.Expr], Fraction | None]:
    """A point at which the relation fails, with the value there: the extreme's own place, or on the way to it."""
    g = plain(f)
    for k in range(1, 12):
        at = {s: (x if x.is_finite else sp.sign(x) * 2**k) for s, x in side.at.items()}
        if side.attained is not True:  # the place may be an open end: come near it
            at = {s: x if not side.at[s].is_finite else domain[s].inside + (x - domain[s].inside) * (1 - sp.Rational(1, 2**k)) for s, x in at.items()}
        if any(not x.is_Rational for x in at.values()):
            at = {s: sp.Rational(str(x.evalf(17))) for s, x in at.items()}
        found = value(g, at)
        if found is not None:
            low, high = Fraction(found[0]) if abs(found[0]) < INF else None, Fraction(found[1]) if abs(found[1]) < INF else None
            if sign in ("<", "<=") and low is not None and (low > b or (low == b == high and sign == "<")):
                return at, low
            if sign in (">", ">=") and high is not None and (high < b or (low == b == high and sign == ">")):
                return at, high
        if side.attained and side.exact is not None and sign in ("<", ">") and side.exact == b:
            return at, b
    return {}, None


def extreme(kind: str, f: sp.Expr, sign: str, b: Fraction, places: int | None, domain: Mapping[Any, Any] | None = None) -> Comparison:
    """``max f = b`` (or min, sup, inf; =, ≈, <, ≤, …).  `places` are the decimals with which b is written."""
    e = enclosed(f, domain)
    rising = kind in ("max", "sup")
    side = e.high if rising else e.low
    name, shown = {"max": "maximum", "sup": "supremum", "min": "minimum", "inf": "infimum"}[kind], spoken(side, rising)
    low, high = sorted((side.inner, side.outer))
    exact = side.exact is not None and side.exact.is_Rational
    if sign in FLIPPED:
        strict = sign in ("<", ">")
        first, last = (low, high) if sign in ("<", "<=") else (-high, -low)
        c = b if sign in ("<", "<=") else -b
        if last < c or (last == c and not strict):
            return Comparison("proved", f"the {name} is {shown}", e)
        if first > c or (first == c == last and strict):
            return Comparison("refuted", f"the {name} is {shown}", e, _finite(side), None)
        return Comparison("undecided", f"the {name} is only known to be {shown}", e)
    if exact and low == high == b:
        if kind in ("max", "min") and side.attained is not True:
            taken = "not" if side.attained is False else "perhaps not"
            return Comparison("undecided", f"{b} is the {'supremum' if rising else 'infimum'}, which is {taken} attained", e)
        return Comparison("proved", f"the {name} is exactly {shown}", e)
    if _rounded(low, high, b, places, approximate=sign != "=", terminating=exact and _terminates(side.exact)):
        note = f"{decimal(b)} is read as rounded: the {name} is {shown}"
        return Comparison("proved", note, e, notes=(note,))
    if sign == "=" and not low <= b <= high:
        return Comparison("refuted", f"the {name} is {shown}" + (f", at {_place(side.at)}" if side.attained else ""), e, _finite(side), float(side.inner))
    return Comparison("undecided", f"the {name} is {shown}", e)


def _rounded(low: Any, high: Any, b: Fraction, places: int | None, approximate: bool, terminating: bool) -> bool:
    """Whether b is [low, high] rounded or cut off to so many decimals; an exact decimal is not rounded unless said so."""
    if places is None or INF in (abs(low), abs(high)) or (terminating and not approximate) or (places < 2 and not approximate):
        return False
    unit = Fraction(1, 10**places)
    toward = abs(b) <= min(abs(low), abs(high)) and max(abs(low), abs(high)) < abs(b) + unit and (b >= 0) == (low >= 0)
    return bool(toward) or bool(b - unit / 2 <= low and high <= b + unit / 2)


def _terminates(x: sp.Expr) -> bool:
    q = int(x.q)
    for p in (2, 5):
        while q % p == 0:
            q //= p
    return bool(q == 1)


def _finite(side: Extreme) -> dict[sp.Symbol, sp.Expr]:
    return {s: x for s, x in side.at.items() if x.is_finite}


def _place(at: Mapping[sp.Symbol, sp.Expr]) -> str:
    return ", ".join(f"{s} = {x if x.is_Rational and x.q < 1000 else decimal(sp.Rational(str(x.evalf(12))), 0, 6)}" for s, x in at.items()) or "every point"


def spoken(side: Extreme, rising: bool) -> str:
    """An extreme in a sentence: exactly, or as decimals that are certain."""
    if side.exact is not None:
        text = pretty(side.exact) if not side.exact.is_Rational or side.exact.q < 100 else decimal(side.exact)
        return text if side.exact.is_Rational or side.exact.is_infinite else f"{text} ≈ {decimal(side.inner)}"
    if INF in (abs(side.inner), abs(side.outer)):
        return f"between {decimal(min(side.inner, side.outer), -1, 6)} and {decimal(max(side.inner, side.outer), 1, 6)}"
    for digits in range(12, 2, -1):  # as many digits as both bounds share
        texts = {decimal(side.inner, 0, digits), decimal(side.outer, 0, digits)}
        if len(texts) == 1:
            return f"{texts.pop()}…"
    return f"between {decimal(min(side.inner, side.outer), -1, 6)} and {decimal(max(side.inner, side.outer), 1, 6)}"
