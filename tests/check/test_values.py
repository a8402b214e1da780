"""Values over the field: products of arrays are what products of Python's integers are."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.check.worlds.field import WORLDS, P, inverse
from symgrad.check.worlds.values import Misfit, Value, contracted
from symgrad.check.worlds.world import Missing


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("largest", [False, True])
def test_sums_of_products_do_not_overflow(terms: int, largest: bool) -> None:
    """Σ_k x[i, k] y[k, j], of the largest residues too."""
    draw = np.random.default_rng(terms).integers(P - 1 if largest else 0, P, (2, WORLDS, terms, terms))
    x, y = (Value(a) for a in draw)
    exact = (x.a.astype(object) @ y.a.astype(object)) % P
    assert np.array_equal(contracted(x, y).a, exact.astype(np.int64))


def test_an_inverse_times_its_number_is_one() -> None:
    a = np.random.default_rng(0).integers(1, P, (WORLDS, 3, 2))
    assert np.all(a * inverse(a) % P == 1)


@pytest.mark.parametrize("left", [(), (2,), (2, 3)])
@pytest.mark.parametrize("right", [(), (2,), (2, 3)])
@pytest.mark.parametrize("terms", [2, 5])
def test_tensors_are_contracted_as_their_entries_are(left: tuple[int, ...], right: tuple[int, ...], terms: int) -> None:
    """Σ_k x[…, k] y[k, …] for numbers, vectors and matrices of rows; y also where its entries do not lie in order."""
    rng = np.random.default_rng(terms)
    x, y = Value(rng.integers(0, P, (WORLDS, *left, terms))), Value(rng.integers(0, P, (WORLDS, terms, *right)))
    exact = np.array([np.tensordot(p.astype(object), q.astype(object), 1) % P for p, q in zip(x.a, y.a, strict=True)], dtype=np.int64)
    assert np.array_equal(contracted(x, y).a, exact)
    turned = Value(np.moveaxis(np.ascontiguousarray(np.moveaxis(y.a, 1, -1)), -1, 1))
    assert np.array_equal(contracted(x, turned).a, exact)


def test_a_reading_without_a_value_that_is_kept_keeps_nothing_else() -> None:
    """`again` says the same, with what was found out since, and holds no frame."""
    try:
        raise Missing("W", "there")
    except Missing as e:
        e.asked = frozenset({"how"})
        kept = e.again()
    assert (str(kept), kept.name, kept.where, kept.asked, kept.__traceback__) == ("W", "W", "there", frozenset({"how"}), None)
    assert type(Misfit("sizes differ").again()) is Misfit
