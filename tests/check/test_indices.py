"""Index expressions: their letters, and their value where these have one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symgrad.check.reading.symbols import letters, number_at
from symgrad.notation.reading.parse import parse

ENV = {"t": 3, "k": 1, "T": 4, "x": "no number"}


@pytest.mark.parametrize(
    ("index", "value"),
    [("3", 3), ("t", 3), ("t - 1", 2), ("t + 2", 5), ("t - k", 2), ("t - k - 1", 1), ("2 k", 2), ("-t", -3), ("T - t", 1), (r"\frac{t}{2}", Fraction(3, 2))],
)
def test_an_index_has_the_value_of_its_letters(index: str, value: object) -> None:
    assert number_at(parse(index), ENV) == value


@pytest.mark.parametrize("index", ["s", "s - 1", "t - s", "x", "x - 1", "t_1", "h(t)"])
def test_an_index_with_a_letter_of_no_value_has_none(index: str) -> None:
    assert number_at(parse(index), ENV) is None


def test_the_letters_of_an_index() -> None:
    assert letters(parse("t - k - 1")) == ("t", "k")
    assert letters(parse("3")) == ()
