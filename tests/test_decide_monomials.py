"""Canonical names of summed indices: equal monomials get equal keys, different ones do not."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.decide.limits import Exhausted
from symgrad.decide.monomials import DELTA, MARK, canonical

RANK = 2


@st.composite
def graphs(draw):
    """A few factors over two free and up to five summed indices, few labels, so that symmetries abound."""
    vertices = RANK + draw(st.integers(1, 5))
    edge = st.tuples(st.sampled_from("AB"), st.tuples(*[st.integers(0, vertices - 1)] * 2), st.integers(1, 2))
    vector = st.tuples(st.sampled_from("uv"), st.tuples(st.integers(0, vertices - 1)), st.integers(1, 2))
    return tuple({(n, at): (n, at, e) for n, at, e in draw(st.lists(st.one_of(edge, vector), min_size=1, max_size=7))}.values())


def renamed(factors, rnd):
    summed = sorted({i for _, at, _ in factors for i in at if i >= RANK})
    names = dict(zip(summed, rnd.sample(range(RANK, RANK + 9), len(summed)), strict=True))
    moved = [(n, tuple(names.get(i, i) for i in at), e) for n, at, e in factors]
    rnd.shuffle(moved)
    return moved


def brute(factors):
    """The least list of factors over all namings: what `canonical` must agree with up to the choice of names."""
    summed = sorted({i for _, at, _ in factors for i in at if i >= RANK})
    return min(
        sorted((n, tuple(dict(zip(summed, order, strict=True)).get(i, i) for i in at), e) for n, at, e in factors)
        for order in itertools.permutations(range(RANK, RANK + len(summed)))
    )


@given(graphs(), st.randoms(use_true_random=False))
def test_a_renaming_has_the_same_key(factors, rnd):
    assert canonical(factors, RANK) == canonical(renamed(factors, rnd), RANK)


@given(graphs(), graphs())
def test_keys_are_equal_exactly_for_renamings(a, b):
    assert (canonical(a, RANK) == canonical(b, RANK)) == (brute(a) == brute(b))


@pytest.mark.parametrize("edges", [
    [(2, 3), (3, 4), (4, 5), (5, 2)],                                    # a cycle
    [(2, 3), (3, 2), (4, 5), (5, 4)],                                    # two cycles
    [(2, 3), (3, 4), (4, 2), (5, 6), (6, 7), (7, 5)],                    # two triangles against
    [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 2)],                    # a hexagon, regular of the same degree
])  # fmt: skip
def test_regular_graphs_in_which_refinement_sees_nothing(edges):
    rnd = random.Random(0)
    factors = [("A", e, 1) for e in edges]
    keys = {canonical(renamed(factors, rnd), RANK) for _ in range(50)}
    assert len(keys) == 1


def test_two_triangles_are_no_hexagon():
    triangles = [("A", e, 1) for e in [(2, 3), (3, 4), (4, 2), (5, 6), (6, 7), (7, 5)]]
    hexagon = [("A", e, 1) for e in [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 2)]]
    assert canonical(triangles, RANK) != canonical(hexagon, RANK)


def test_many_equal_parts_cost_nothing():
    dots = [(n, (2 + k,), 1) for k in range(40) for n in "uv"]
    assert canonical(dots, RANK) == canonical(dots[::-1], RANK)


def test_too_many_symmetries_are_exhausted_not_endless():
    complete = [("A", (i, j), 1) for i in range(2, 12) for j in range(2, 12) if i != j]
    with pytest.raises(Exhausted, match="symmetries"):
        canonical(complete, RANK)


def test_delta_is_contracted_and_stays_between_free_indices():
    assert canonical([(DELTA, (0, 2), 1), ("U", (2, 1), 1)], RANK) == (("U", (0, 1), 1),)
    assert canonical([(DELTA, (0, 1), 1), ("v", (1,), 1)], RANK) == canonical([("v", (0,), 1), (DELTA, (1, 0), 1)], RANK)
    assert canonical([(DELTA, (2, 2), 1), (MARK + "n", (2,), 1)], RANK) == (("|n|", (), 1),)


def test_powers_are_collected_and_idempotents_are_not_raised():
    assert canonical([("u", (0,), 1), ("u", (0,), 2)], RANK) == (("u", (0,), 3),)
    assert canonical([("u", (0,), 1), ("u", (0,), -1)], RANK) == ()
    assert canonical([("s", (0,), 1), ("s", (0,), 2)], RANK, {"s"}) == (("s", (0,), 1),)
