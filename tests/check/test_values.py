"""Values over the field: products of arrays are what products of Python's integers are."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.check.worlds.field import WORLDS, P, inverse
from symgrad.check.worlds.values import Value, contracted


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
