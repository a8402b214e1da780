r"""The range of a SymPy expression over a box: interval evaluation with the gradient beside it.

.. math:: f(x) ∈ f(X) ∩ \bigl(f(m) + \sum_i ∂_i f(X)\,(X_i - m_i)\bigr), \qquad m ∈ X

The second form is the mean value theorem; where f is only Lipschitz (|a|, relu) its slope at the kink is the interval of both slopes.
Where ∂_i f has one sign, the largest value lies on a face of the box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy as sp

from symgrad.bounds.interval import INF, REAL, Interval, Point, Undefined, add, down, hull, increasing, inverse, meet, mul, neg, power, sub, up
from symgrad.errors import SymgradError
from symgrad.language.functions import EXPLICIT, FUNCTIONS

Box = tuple[Interval, ...]
ZERO: Interval = (0.0, 0.0)
ONE: Interval = (1.0, 1.0)


class NotBounded(SymgradError):
    """An expression that cannot be bounded, and why."""


@dataclass(frozen=True, slots=True)
class Value:
    """An enclosure of a value and of its gradient."""

    value: Interval
    slopes: tuple[Interval, ...]


def number(c: sp.Expr) -> Interval:
    """The doubles around a real constant."""
    if c.is_Rational:
        try:
            x = c.p / c.q
        except OverflowError:
            return (1e300, INF) if c > 0 else (-INF, -1e300)
        return (x, x) if sp.Rational(x) == c else (down(x), up(x))
    if not c.is_real:
        raise Undefined
    x = float(c.evalf(30))  # π, e: thirty digits, so that one step to either side is enough
    return down(x), up(x)


# f, its slope from its argument a and its value y, as intervals
def _slope(name: str, a: Interval, y: Interval) -> Interval:
    if name == "sigmoid":
        return meet(mul(y, sub(ONE, y)), (0.0, 0.25 if a[0] <= 0 <= a[1] else 1.0))
    if name == "tanh":
        return meet(sub(ONE, power(y, 2)), (0.0, 1.0))
    if name == "exp":
        return y
    if name == "log":
        return inverse((max(a[0], 0.0), a[1]))
    if name == "sqrt":
        return inverse(mul((2.0, 2.0), (max(y[0], 0.0), y[1])))
    if name == "abs":
        return ONE if a[0] >= 0 else (-1.0, -1.0) if a[1] <= 0 else (-1.0, 1.0)
    if name == "relu":
        return ONE if a[0] >= 0 else ZERO if a[1] <= 0 else (0.0, 1.0)
    return ZERO if a[0] > 0 or a[1] < 0 else REAL  # step, sign: constant but for the jump


def _apply(name: str, a: Interval, point: Point) -> Interval:
    if name == "abs":
        return a if a[0] >= 0 else neg(a) if a[1] <= 0 else (0.0, max(-a[0], a[1]))
    if name == "relu":
        return max(a[0], 0.0), max(a[1], 0.0)
    if name == "step":
        return (1.0 if a[0] > 0 else 0.0), (1.0 if a[1] > 0 else 0.0)
    if name == "sign":
        return float((a[0] > 0) - (a[0] < 0)), float((a[1] > 0) - (a[1] < 0))
    return increasing(name, a, point)


NAMES: dict[Any, str] = {f: name for name, f in FUNCTIONS.items() if name != "softplus"} | {sp.Abs: "abs", sp.sign: "sign", sp.log: "log"}
softplus = FUNCTIONS["softplus"]


def plain(e: sp.Expr) -> sp.Expr:
    """The expression over the functions of `NAMES`: hyperbolic functions by exp, softplus by log, max(a, b) = b + relu(a - b)."""
    e = e.replace(lambda x: isinstance(x, (sp.cosh, sp.sinh, sp.coth, sp.sech, sp.csch)), lambda x: x.rewrite(sp.exp))
    e = e.replace(sp.Max, lambda *args: _largest(args)).replace(sp.Min, lambda *args: -_largest([-a for a in args]))
    e = e.replace(sp.Heaviside, lambda a, *rest: FUNCTIONS["step"](a))
    return constants(sp.sympify(e))


def constants(e: sp.Expr) -> sp.Expr:
    """The expression with functions of numbers by SymPy's own, which knows their values."""
    for name, explicit in EXPLICIT.items():
        f = FUNCTIONS[name]
        e = e.replace(lambda x, f=f: x.func == f and not x.free_symbols, lambda x, explicit=explicit: explicit(x.args[0]))
    return e


def _largest(args: Sequence[sp.Expr]) -> sp.Expr:
    result = args[0]
    for a in args[1:]:
        result = result + FUNCTIONS["relu"](a - result)
    return result


def check(e: sp.Expr) -> None:
    """Raises `NotBounded` for what has no interval rule."""
    for x in sp.preorder_traversal(e):
        if x.is_Symbol or x.is_Add or x.is_Mul or (x.is_number and x.is_real and not x.is_infinite):
            continue
        if x.is_Pow and x.exp.is_Rational and x.exp.q in (1, 2):
            continue
        if x.func in NAMES or x.func == softplus:
            continue
        what = f"the function {x.func.__name__}" if x.args else str(x)
        raise NotBounded(f"{what} in {e} has no interval rule; there are +, ·, /, powers, roots, exp, log, {', '.join(n for n in FUNCTIONS)}")


Rule = Callable[[list[Value], Box, Point], Value]


class Range:
    """A compiled expression: `at` a box, its value and gradient enclosed."""

    def __init__(self, e: sp.Expr, variables: Sequence[sp.Symbol]) -> None:
        self.expression, self.variables = e, tuple(variables)
        self.places: dict[sp.Expr, int] = {}
        self.rules: list[Rule] = []
        self._none = (ZERO,) * len(self.variables)
        self._compile(e)

    def at(self, box: Box, point: Point) -> Value:
        """The value and the gradient over the box; raises `Undefined` where nothing is real."""
        values: list[Value] = []
        for rule in self.rules:
            values.append(rule(values, box, point))
        return values[-1]

    def enclose(self, box: Box, point: Point) -> tuple[Interval, tuple[Interval, ...]]:
        """f(X) ∩ the mean value form, and the gradient."""
        found = self.at(box, point)
        if any(x in (-INF, INF) for side in box for x in side) or any(s == REAL for s in found.slopes):
            return found.value, found.slopes
        middle = tuple((x, x) for x in (_middle(side) for side in box))
        total = self.at(middle, point).value
        for slope, side, m in zip(found.slopes, box, middle, strict=True):
            total = add(total, mul(slope, sub(side, m)))
        return meet(found.value, total), found.slopes

    def _compile(self, e: sp.Expr) -> int:
        if e not in self.places:
            rule = self._rule(e)
            self.rules.append(rule)
            self.places[e] = len(self.rules) - 1
        return self.places[e]

    def _rule(self, e: sp.Expr) -> Rule:
        if e in self.variables:
            k = self.variables.index(e)
            unit = tuple(ONE if i == k else ZERO for i in range(len(self.variables)))
            return lambda values, box, point: Value(box[k], unit)
        if e.is_number and not (e.args and e.has(*NAMES, softplus)):
            constant = Value(number(e), self._none)
            return lambda values, box, point: constant
        if e.is_Add or e.is_Mul:
            return partial(_sum if e.is_Add else _product, [self._compile(a) for a in e.args])
        if e.is_Pow and e.exp.is_Integer:
            return partial(_power, self._compile(e.base), int(e.exp))
        if e.is_Pow:  # b^{n/2}
            root = partial(_function, "sqrt", self._compile(e.base))
            self.rules.append(root)
            return partial(_power, len(self.rules) - 1, int(e.exp.p))
        if e.func == softplus:
            a = self._compile(e.args[0])
            return partial(_softplus, a)
        return partial(_function, NAMES[e.func], self._compile(e.args[0]))


def _middle(side: Interval) -> float:
    return side[0] if side[0] == side[1] else min(max((side[0] + side[1]) / 2, side[0]), side[1])


def _sum(places: list[int], values: list[Value], box: Box, point: Point) -> Value:
    total = values[places[0]]
    for p in places[1:]:
        b = values[p]
        total = Value(add(total.value, b.value), tuple(map(add, total.slopes, b.slopes)))
    return total


def _product(places: list[int], values: list[Value], box: Box, point: Point) -> Value:
    total = values[places[0]]
    for p in places[1:]:
        b = values[p]
        slopes = tuple(add(mul(s, b.value), mul(total.value, r)) if s != ZERO or r != ZERO else ZERO for s, r in zip(total.slopes, b.slopes, strict=True))
        total = Value(mul(total.value, b.value), slopes)
    return total


def _chain(slope: Interval, inner: tuple[Interval, ...]) -> tuple[Interval, ...]:
    return tuple(mul(slope, s) if s != ZERO else ZERO for s in inner)


def _power(place: int, n: int, values: list[Value], box: Box, point: Point) -> Value:
    a = values[place]
    if n < 0 and a.value[0] <= 0 <= a.value[1]:  # a pole: neither the mean value theorem nor monotony holds across it
        return Value(power(a.value, n), tuple(REAL if s != ZERO else ZERO for s in a.slopes))
    return Value(power(a.value, n), _chain(mul((float(n), float(n)), power(a.value, n - 1)), a.slopes) if n != 1 else a.slopes)


def _function(name: str, place: int, values: list[Value], box: Box, point: Point) -> Value:
    a = values[place]
    y = _apply(name, a.value, point)
    whole = name not in ("log", "sqrt") or a.value[0] > 0  # differentiable all over the box
    return Value(y, _chain(_slope(name, a.value, y), a.slopes) if whole else tuple(REAL if s != ZERO else ZERO for s in a.slopes))


def _softplus(place: int, values: list[Value], box: Box, point: Point) -> Value:
    """log(1 + e^a) = relu(a) + log(1 + e^{-|a|}), at both ends."""
    a = values[place]

    def at(x: float) -> Interval:
        if x in (-INF, INF):
            return (0.0, 0.0) if x < 0 else (INF, INF)
        return add((max(x, 0.0), max(x, 0.0)), increasing("log", add(ONE, increasing("exp", (-abs(x), -abs(x)), point)), point))

    y = max(at(a.value[0])[0], 0.0), at(a.value[1])[1]
    return Value(y, _chain(increasing("sigmoid", a.value, point), a.slopes))


def exactly(at: Mapping[sp.Symbol, float]) -> dict[sp.Symbol, sp.Rational]:
    """The doubles as the fractions that they are."""
    return {s: sp.Rational(x) for s, x in at.items()}


__all__ = ["Box", "NotBounded", "Range", "Undefined", "check", "exactly", "hull", "plain"]
