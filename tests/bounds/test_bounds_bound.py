"""Enclosures: they hold at every point, are exact where algebra is, and their covers survive another arithmetic."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.bounds.bound import Enclosure, Family
from symgrad.bounds.interval import backends
from symgrad.bounds.ranges import Range
from symgrad.errors import SymgradError
from symgrad.language.functions import EXPLICIT, FUNCTIONS

x, y, z, h, c, U, k = sp.symbols("x y z h c U k", real=True)
S14 = sp.Abs((1 - sp.tanh(c) ** 2) * c)


def bound(e: Any, domain: Any = None) -> Enclosure:
    found = sg.bound(e, domain)
    assert isinstance(found, Enclosure)
    return found


def test_slope_of_sigmoid_is_at_most_a_quarter() -> None:
    e = bound(sp.diff(sg.sigmoid(x), x))
    assert (e.lower, e.upper, e.maximum) == (0, Fraction(1, 4), sp.Rational(1, 4))
    assert e.high.attained is True
    assert e.high.at == {x: 0}
    assert e.low.attained is False
    assert "its derivative 1 - 2·s is 0 at s = 1/2" in e.proof
    assert bound(sp.exp(-x) / (1 + sp.exp(-x)) ** 2).maximum == sp.Rational(1, 4)


def test_tanh_slope_times_its_argument() -> None:
    e = bound(S14)
    maximum = mpmath.findroot(lambda a: 1 - 2 * a * mpmath.tanh(a), 0.77)
    value = Fraction(float((1 - mpmath.tanh(maximum) ** 2) * maximum))
    assert abs(e.upper - value) < 1e-11
    assert e.upper >= value - Fraction(1, 10**15)
    assert (e.lower, e.high.attained, e.low.attained) == (0, True, True)
    assert "the tail" in e.proof
    assert all(e.holds(name) for name in backends())


def test_a_cover_that_claims_too_much_does_not_hold() -> None:
    (cover, *_) = bound(S14).high.covers
    assert cover.holds()
    assert not replace(cover, bound=cover.bound - 1e-6).holds()


def test_convex_combination() -> None:
    e = bound((1 - z) * h + z * y, {z: (0, 1), h: (-1, 1), y: (-1, 1)})
    assert (e.lower, e.upper, e.high.attained) == (-1, 1, True)
    inside = bound((1 - sg.sigmoid(z)) * h + sg.sigmoid(z) * sp.tanh(y), {h: (-1, 1)})
    assert (inside.upper, inside.high.attained) == (1, False)


CASES = [
    (sp.diff(sg.silu(x), x), None, (-0.0998393201, 1.0998393202)),
    (x * sp.exp(-x), None, (-float("inf"), 0.3678794412)),
    (sg.softplus(x) - sg.relu(x), None, (0, 0.6931471806)),
    (1 / x, None, (-float("inf"), float("inf"))),
    (x / (1 + x**2), None, (-0.5, 0.5)),
    (z * (1 - z) * (h - y), {z: (0, 1), h: (-1, 1), y: (-1, 1)}, (-0.5, 0.5)),
    (1 - x * sp.exp(-x), {x: (0, sp.oo)}, (0.6321205588, 1)),
    (sp.sqrt(x) * (1 - x), {x: (0, 1)}, (0, 0.3849001795)),
    (sg.sigmoid(x + 1) * (1 - sg.sigmoid(x)), None, (0, 0.3874556190)),
    (sp.Max(x, 0) - x, {x: (-2, 5)}, (0, 2)),
    (x * y * sp.exp(-(x**2) - y**2), {x: (-2, 2), y: (-2, 2)}, (-0.1839397206, 0.1839397206)),
    (sp.Abs(x) + sp.sign(x), {x: (-1, 1)}, (-1, 2)),
]


@pytest.mark.parametrize(("e", "domain", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_known_ranges(e: sp.Expr, domain: Any, expected: tuple[float, float]) -> None:
    found = bound(e, domain)
    assert float(found.lower) == pytest.approx(expected[0], abs=2e-8)
    assert float(found.upper) == pytest.approx(expected[1], abs=2e-8)
    assert found.holds("mpmath")


LEAVES = st.sampled_from([x, y, sp.Rational(1, 2), sp.Integer(-2), sp.Integer(3)])
UNARY = [FUNCTIONS["sigmoid"], sp.tanh, FUNCTIONS["relu"], FUNCTIONS["softplus"], sp.Abs, sp.exp, lambda a: a**2, lambda a: -a]


def _combined(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(pairs.map(lambda p: p[0] + p[1]), pairs.map(lambda p: p[0] * p[1]), st.tuples(st.sampled_from(UNARY), inner).map(lambda p: p[0](p[1])))


EXPRESSIONS = st.recursive(LEAVES, _combined, max_leaves=5)


def value(e: sp.Expr, at: dict[sp.Symbol, float]) -> Any:
    for name, explicit in EXPLICIT.items():
        e = e.replace(FUNCTIONS[name], explicit)
    with mpmath.workdps(30):
        return sp.lambdify(list(at), e, "mpmath")(*map(mpmath.mpf, at.values()))


@settings(max_examples=40, deadline=None)
@given(EXPRESSIONS, st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 2))
def test_a_range_encloses_its_values(e: sp.Expr, p: float, q: float, width: float) -> None:
    box = ((p, p + width), (q, q + width))
    for name, point in backends().items():
        (low, high), _ = Range(e, (x, y)).enclose(box, point)
        for s, t in itertools.product((0, 0.3, 1), repeat=2):
            at = {x: min(p + s * width, p + width), y: min(q + t * width, q + width)}
            v = value(e, at)
            slack = mpmath.mpf(10) ** -20 * (1 + abs(v))
            assert low - slack <= v <= high + slack, (name, at)


@settings(max_examples=15, deadline=None)
@given(st.recursive(st.sampled_from([x, sp.Integer(1), sp.Rational(-1, 3)]), _combined, max_leaves=4), st.lists(st.floats(-20, 20), min_size=6, max_size=6))
def test_a_bound_holds_at_every_point(e: sp.Expr, points: list[float]) -> None:
    found = bound(e)
    for p in points:
        v = value(e, {x: p})
        if mpmath.isfinite(v):
            slack = 1e-15 * (1 + abs(v))
            assert real(found.lower) <= v + slack
            assert v - slack <= real(found.upper)


def real(b: Any) -> Any:
    return mpmath.mpf(b.numerator) / b.denominator if isinstance(b, Fraction) else mpmath.mpf(b)


def test_bounded_for_fixed_parameters() -> None:
    tanh = sg.bound((1 - sp.tanh(U * h + k) ** 2) * U, over=U)
    assert isinstance(tanh, Family)
    assert tanh.conditions == (h,)
    assert tanh.upper is not None
    for u, old, shift in itertools.product((-9, -0.4, 2, 30), (-1.5, 0.2), (0, 1.3)):
        assert abs((1 - sp.tanh(u * old + shift) ** 2) * u) <= tanh.upper.subs({h: old, k: shift}) + 1e-9
    relu = sg.bound(FUNCTIONS["step"](U * h + k) * U, over=U)
    assert isinstance(relu, Family)
    assert relu.upper == sp.oo


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sg.bound("x"), "not str"),
        (lambda: sg.bound(sp.sin(x)), "no interval rule"),
        (lambda: sg.bound(sp.I * x), "no interval rule"),
        (lambda: sg.bound(sp.Symbol("n", integer=True)), "an integer"),
        (lambda: sg.bound(x, {x: (1, 0)}), "no number from 1 to 0"),
        (lambda: sg.bound(x, {y: (0, 1)}), "y does not occur"),
        (lambda: sg.bound(x, {x: 3}), "a pair of ends"),
        (lambda: sg.bound(x, over=y), "over=y"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(SymgradError, match=message):
        call()
