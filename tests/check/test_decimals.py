"""Arithmetic with numbers as they are written: enclosures of every value that may have been meant."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.check.numbers.decimals import NoNumber, Written, exact, minus, plus, power, times, written
from symgrad.check.numbers.reckon import Reckoner
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Apply, Name, Negative, Number, Power, Product, Sum

HALF = Fraction(1, 2)
DECIMALS = st.integers(-999, 999).map(lambda k: Negative(Number(f"{-k / 100:.2f}")) if k < 0 else Number(f"{k / 100:.2f}"))
FORMULAS = st.recursive(
    DECIMALS,
    lambda e: st.one_of(
        st.tuples(e, e).map(Sum), st.tuples(e, e).map(Product), e.map(lambda a: Apply(Name("tanh"), (a,))), e.map(lambda a: Power(a, Number("2")))
    ),
    max_leaves=6,
)


def value(node: object, move: Fraction) -> float:
    """A formula in floating point, its numbers moved by so many units of their last digit."""
    single = written(node)
    if single is not None:
        return float(single.value + move * single.unit)
    if isinstance(node, Sum):
        return sum(value(a, move) for a in node.args)
    if isinstance(node, Product):
        return math.prod(value(a, move) for a in node.args)
    if isinstance(node, Apply):
        return math.tanh(value(node.args[0], move))
    assert isinstance(node, Power)
    return value(node.base, move) ** 2


@settings(deadline=None)
@given(FORMULAS, st.integers(-4, 4))
def test_an_interval_holds_whatever_may_have_been_rounded(node: object, eighths: int) -> None:
    (((low, high),),) = Reckoner(lambda n: n.widened(HALF), {}).rows(node)
    meant = value(node, Fraction(eighths, 8))
    slack = 1e-9 * (1 + abs(meant))
    assert float(low) - slack <= meant <= float(high) + slack


@given(st.lists(st.fractions(-9, 9), min_size=6, max_size=6))
def test_operations_hold_their_points(ends: list[Fraction]) -> None:
    (low, x, high), (under, y, above) = sorted(ends[:3]), sorted(ends[3:])
    for operation, point in ((plus, x + y), (minus, x - y), (times, x * y)):
        bottom, top = operation((low, high), (under, above))
        assert bottom <= point <= top


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.0382", (Fraction(382, 10**4), Fraction(1, 10**4), 3, False)),
        ("-2.50", (Fraction(-5, 2), Fraction(1, 100), 3, False)),
        (r"3.14 \times 10^{-5}", (Fraction(314, 10**7), Fraction(1, 10**7), 3, False)),
        ("14000", (Fraction(14000), Fraction(1000), 2, True)),
        ("2.7e-5", (Fraction(27, 10**6), Fraction(1, 10**6), 2, False)),
    ],
)
def test_a_number_as_it_is_written(text: str, wanted: tuple[object, ...]) -> None:
    assert written(parse_dialect(text)[0]) == Written(*wanted)


@pytest.mark.parametrize("text", ["x", "0.5 + 0.1", "10^{-5}"])
def test_no_single_number(text: str) -> None:
    assert written(parse_dialect(text)[0]) is None


@pytest.mark.parametrize(("text", "wanted"), [("(1 - 0.5^2) 4", 3), (r"\frac{1}{0.25}", 4), (r"\sum_{k=1}^{4} 0.25", 1), (r"\tanh(0)", 0), (r"|-0.5|", HALF)])
def test_exactly(text: str, wanted: Fraction) -> None:
    assert Reckoner(exact, {}).rows(parse_dialect(text)[0]) == (((wanted, wanted),),)


@pytest.mark.parametrize("text", ["9^{9^{9^9}}", r"\frac{1}{0}", "0.5^{0.3}", r"\log(0)", r"\sum_{k=1}^{10^9} 0.5", "0.5 x"])
def test_what_is_not_computed(text: str) -> None:
    with pytest.raises(NoNumber):
        Reckoner(exact, {}).rows(parse_dialect(text)[0])


@given(st.tuples(st.fractions(-9, 9), st.fractions(-9, 9)).map(sorted), st.tuples(st.fractions(-9, 9), st.fractions(-9, 9)).map(sorted), st.integers(0, 5))
def test_products_and_powers(a: list[Fraction], b: list[Fraction], n: int) -> None:
    low, high = times((a[0], a[1]), (b[0], b[1]))
    assert all(low <= x * y <= high for x in (*a, (a[0] + a[1]) / 2) for y in b)
    low, high = power((a[0], a[1]), n)
    assert all(low <= x**n <= high for x in (*a, (a[0] + a[1]) / 2))
