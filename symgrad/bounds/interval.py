r"""Intervals [a, b] of doubles, rounded outwards: what is computed encloses what is true.

IEEE arithmetic is correctly rounded, so one step of `nextafter` to either side makes sums, products and quotients safe.  exp, log, tanh
and σ at a point come from a library that states its error: python-flint's balls where it is installed, mpmath's intervals otherwise.
An end may be infinite; then 0·∞ = 0, for the numbers meant are finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

Interval = tuple[float, float]
INF = math.inf
REAL: Interval = (-INF, INF)
PRECISION = 120  # bits, far more than a double's 53


class Undefined(ArithmeticError):
    """An expression without a real value anywhere on the box: log of a negative number."""


def down(x: float) -> float:
    """The double below."""
    return math.nextafter(x, -INF)


def up(x: float) -> float:
    """The double above."""
    return math.nextafter(x, INF)


def add(a: Interval, b: Interval) -> Interval:
    """{x + y}."""
    if a == (0.0, 0.0) or b == (0.0, 0.0):
        return b if a == (0.0, 0.0) else a
    return down(a[0] + b[0]), up(a[1] + b[1])


def neg(a: Interval) -> Interval:
    """{-x}."""
    return -a[1], -a[0]


def sub(a: Interval, b: Interval) -> Interval:
    """{x - y}."""
    return add(a, neg(b))


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def mul(a: Interval, b: Interval) -> Interval:
    """{x y}, by signs: of the four products of ends only two matter."""
    (a0, a1), (b0, b1) = a, b
    if a0 == a1 == 0 or b0 == b1 == 0:
        return 0.0, 0.0
    if a1 <= 0:
        return neg(mul((-a1, -a0), b))
    if b1 <= 0:
        return neg(mul(a, (-b1, -b0)))
    if a0 >= 0 and b0 >= 0:
        return max(down(_times(a0, b0)), 0.0), up(a1 * b1)
    if a0 >= 0:
        return down(a1 * b0), up(a1 * b1)
    if b0 >= 0:
        return down(a0 * b1), up(a1 * b1)
    return down(min(a0 * b1, a1 * b0)), up(max(a0 * b0, a1 * b1))


def inverse(a: Interval) -> Interval:
    """{1/x}, over x ≠ 0."""
    if a[0] > 0:
        return max(down(1 / a[1]), 0.0), up(1 / a[0])
    if a[1] < 0:
        return down(1 / a[1]), min(up(1 / a[0]), 0.0)
    if a[0] == 0 and a[1] > 0:
        return (0.0 if a[1] == INF else down(1 / a[1])), INF
    if a[1] == 0 and a[0] < 0:
        return -INF, (0.0 if a[0] == -INF else up(1 / a[0]))
    if a == (0.0, 0.0):
        raise Undefined
    return REAL


def power(a: Interval, n: int) -> Interval:
    """{x^n}; an even power is no product of independent factors."""
    if n < 0:
        return inverse(power(a, -n))
    if n == 0:
        return 1.0, 1.0
    low, high = _pow(abs(a[0]), n), _pow(abs(a[1]), n)
    if n % 2 == 0:
        if a[0] <= 0 <= a[1]:
            return 0.0, max(low[1], high[1])
        return (high[0], low[1]) if a[1] < 0 else (low[0], high[1])
    return (low[0] if a[0] >= 0 else -low[1]), (high[1] if a[1] >= 0 else -high[0])


def _pow(x: float, n: int) -> Interval:
    """x^n for x ≥ 0, by products."""
    result, square = (1.0, 1.0), (x, x)
    while n:
        if n & 1:
            result = mul(result, square)
        n >>= 1
        if n:
            square = mul(square, square)
    return max(result[0], 0.0), result[1]


def hull(a: Interval, b: Interval) -> Interval:
    """The least interval that holds both."""
    return min(a[0], b[0]), max(a[1], b[1])


def meet(a: Interval, b: Interval) -> Interval:
    """What lies in both; two enclosures of one value always meet."""
    return max(a[0], b[0]), min(a[1], b[1])


Point = Callable[[str, float], Interval]


def _around(x: float) -> Interval:
    return down(x), up(x)


@cache
def backends() -> dict[str, Point]:
    """The libraries that are here, the faster one first: f and a double in, an enclosure of f at it out."""
    found: dict[str, Point] = {}
    try:
        import flint
    except ImportError:
        pass
    else:
        found["arb"] = _arb(flint)
    found["mpmath"] = _mpmath()
    return found


def _arb(flint: Any) -> Point:
    def value(f: str, x: float) -> Interval:
        with flint.ctx.workprec(PRECISION):
            a = flint.arb(x)
            y = 1 / (1 + (-a).exp()) if f == "sigmoid" else getattr(a, {"sqrt": "sqrt", "exp": "exp", "log": "log", "tanh": "tanh"}[f])()
            return down(float(y.lower())), up(float(y.upper()))

    return value


def _mpmath() -> Point:
    from mpmath import MPIntervalContext  # type: ignore[import-untyped]

    iv = MPIntervalContext()
    iv.prec = PRECISION

    def value(f: str, x: float) -> Interval:
        a = iv.mpf(x)
        if f == "exp":
            y = iv.exp(a)
        elif f == "sigmoid":
            y = 1 / (1 + iv.exp(-a))
        elif f == "tanh":
            e = iv.exp(2 * a)
            y = 1 - 2 / (e + 1) if abs(x) > 1e-9 else (e - 1) / (e + 1)
        else:
            y = iv.log(a) if f == "log" else iv.sqrt(a)
        return down(float(y.a)), up(float(y.b))

    return value


LIMITS = {  # the values at -∞ and ∞, and the range
    "exp": (0.0, INF, (0.0, INF)),
    "sigmoid": (0.0, 1.0, (0.0, 1.0)),
    "tanh": (-1.0, 1.0, (-1.0, 1.0)),
    "log": (-INF, INF, REAL),
    "sqrt": (0.0, INF, (0.0, INF)),
}


def increasing(f: str, a: Interval, point: Point) -> Interval:
    """{f(x)} of an increasing function: its values at the ends."""
    low, high, span = LIMITS[f]
    if f in ("log", "sqrt"):
        if a[1] < 0 or (f == "log" and a[1] == 0):
            raise Undefined
        a = max(a[0], 0.0), a[1]
    start = low if a[0] == -INF or (f == "log" and a[0] == 0) else high if a[0] == INF else _value(f, a[0], point)[0]
    stop = high if a[1] == INF else low if a[1] == -INF else _value(f, a[1], point)[1]
    return max(start, span[0]), min(stop, span[1])


EXACTLY = {("exp", 0.0): 1.0, ("sigmoid", 0.0): 0.5, ("tanh", 0.0): 0.0, ("log", 1.0): 0.0, ("sqrt", 0.0): 0.0, ("sqrt", 1.0): 1.0}


def _value(f: str, x: float, point: Point) -> Interval:
    if (f, x) in EXACTLY:
        return EXACTLY[f, x], EXACTLY[f, x]
    if f == "exp" and abs(x) > 700:  # beyond the doubles
        return (0.0, up(0.0) if x < -800 else 1e-300) if x < 0 else (1e300, INF)
    if f in ("sigmoid", "tanh") and abs(x) > 350:
        edge = 1e-150
        return (1 - 2**-52, 1.0) if x > 0 else ((0.0, edge) if f == "sigmoid" else (-1.0, -1 + 2**-52))
    return point(f, x)
