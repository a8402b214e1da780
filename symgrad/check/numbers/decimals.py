r"""Numbers as they are written: ``0.382`` is what was rounded to it, anything in [0.3815, 0.3825]; and arithmetic with such intervals.

How far a number is widened is the caller's: not at all, by half a unit of its last digit, or by a whole one.  Intervals have rational
ends, and are rounded outwards where a function such as tanh has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symgrad.bounds.interval import Undefined, backends, down, increasing, up
from symgrad.check.reading.symbols import DIGITS
from symgrad.check.reading.trees import kind, unwrapped

Interval = tuple[Fraction, Fraction]
ZERO, ONE = (Fraction(0), Fraction(0)), (Fraction(1), Fraction(1))
INCREASING = frozenset({"tanh", "sigmoid", "exp", "log", "sqrt"})
SLOPES: dict[str, Callable[[Interval], Interval]] = {  # written in the function's own value
    "tanh": lambda y: minus(ONE, power(y, 2)),
    "sigmoid": lambda y: times(y, minus(ONE, y)),
    "exp": lambda y: y,
}
LARGEST = 1000  # an exponent
BITS = 40_000  # of a numerator or denominator
RANGE = 10**300  # of the argument of a function


class NoNumber(Exception):
    """A formula that is not one of numbers alone, or not one to be computed here."""


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it is written: its value, the unit of its last digit, and how many digits there are from the first that is not 0."""

    value: Fraction
    unit: Fraction
    digits: int
    whole: bool  # without a decimal point

    def widened(self, units: Fraction) -> Interval:
        return self.value - units * self.unit, self.value + units * self.unit


Widen = Callable[[Written], Interval]


def exact(n: Written) -> Interval:
    """A number is what it says."""
    return n.value, n.value


def written(node: Any) -> Written | None:
    r"""The one number that a node writes, ``-0.0382`` or ``3.14 \times 10^{-5}``; None for a formula of several."""
    node = unwrapped(node)
    if kind(node) == "Number":
        return _written(node.text)
    if kind(node) == "Negative":
        inner = written(node.arg)
        return None if inner is None else Written(-inner.value, inner.unit, inner.digits, inner.whole)
    if kind(node) in ("Infix", "Product") and len(node.args) == 2:
        mantissa, ten = written(node.args[0]), unwrapped(node.args[1])
        scale = _power_of_ten(ten)
        if mantissa is not None and scale is not None:
            return Written(mantissa.value * scale, mantissa.unit * scale, mantissa.digits, False)
    return None


def _power_of_ten(node: Any) -> Fraction | None:
    if kind(node) != "Power" or kind(unwrapped(node.base)) != "Number" or unwrapped(node.base).text != "10":
        return None
    exponent = written(node.exponent)
    if exponent is None or exponent.value.denominator != 1 or abs(exponent.value) > LARGEST:
        return None
    return Fraction(10) ** int(exponent.value)


def _written(text: str) -> Written | None:
    mantissa, _, exponent = text.lower().partition("e")
    whole, point, decimals = mantissa.partition(".")
    if len(text) > DIGITS or not (whole + decimals).isdecimal() or (exponent and not exponent.lstrip("+-").isdecimal()) or len(exponent) > 4:
        return None
    scale = Fraction(10) ** int(exponent or 0)
    figures = (whole + decimals).lstrip("0")
    zeros = len(whole) - len(whole.rstrip("0")) if not point and figures else 0  # the last of 14000 may be rounded
    return Written(Fraction(mantissa) * scale, Fraction(10) ** (zeros - len(decimals)) * scale, len(figures) - zeros, not point and not exponent)


# -- intervals --------------------------------------------------------------------------------------------------------------------


def plus(a: Interval, b: Interval) -> Interval:
    """{x + y}."""
    return a[0] + b[0], a[1] + b[1]


def minus(a: Interval, b: Interval) -> Interval:
    """{x - y}."""
    return a[0] - b[1], a[1] - b[0]


def times(a: Interval, b: Interval) -> Interval:
    """{x y}."""
    ends = [x * y for x in a for y in b]
    return _small((min(ends), max(ends)))


def over(a: Interval, b: Interval) -> Interval:
    """{x / y}, over y ≠ 0."""
    if b[0] <= 0 <= b[1]:
        raise NoNumber("a division by what may be 0")
    return times(a, (1 / b[1], 1 / b[0]))


def power(a: Interval, n: int) -> Interval:
    """{x^n}; an even power is no product of independent factors."""
    if abs(n) > LARGEST:
        raise NoNumber("a power so large")
    if n < 0:
        return over(ONE, power(a, -n))
    size = max(x.numerator.bit_length() + x.denominator.bit_length() for x in a)
    if size * n > BITS:
        raise NoNumber("a power so large")
    ends = sorted((a[0] ** n, a[1] ** n))
    return (Fraction(0) if n and n % 2 == 0 and a[0] < 0 < a[1] else ends[0]), ends[1]


def _small(a: Interval) -> Interval:
    if any(x.numerator.bit_length() + x.denominator.bit_length() > BITS for x in a):
        raise NoNumber("a number of so many digits")
    return a


def applied(name: str, a: Interval) -> Interval:
    """{f(x)}."""
    if name == "relu":
        return max(a[0], Fraction(0)), max(a[1], Fraction(0))
    if name == "identity":
        return a
    if name not in INCREASING or max(map(abs, a)) > RANGE:
        raise NoNumber("a function whose values are not known here")
    point = next(iter(backends().values()))
    try:
        low, high = increasing(name, (down(float(a[0])), up(float(a[1]))) if a[0] or a[1] else (0.0, 0.0), point)
        return Fraction(low), Fraction(high)
    except (Undefined, OverflowError, ValueError) as e:
        raise NoNumber("a function where it has no value") from e
