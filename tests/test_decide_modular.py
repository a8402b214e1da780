"""The modular test: its arithmetic, the sizes it needs, and long products."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies_decide import chain

from symgrad.cells import gru, gru_reset_after
from symgrad.decide import banded, modular
from symgrad.decide.equal import Sides, decide
from symgrad.decide.limits import LIMITS, Budget, Exhausted
from symgrad.decide.residues import P, Residues
from symgrad.decide.world import World, world
from symgrad.face.jacobian import jacobian
from symgrad.language.tensor import ONE, Factor, Tensor, Term, added, matmul, tensor, transposed, zero

N = sp.Symbol("n", integer=True, positive=True)
A, B, C, D, E = (Tensor((N, N), (Term(sp.S.One, (Factor(sp.Symbol(s), (0, 1)),)),)) for s in "ABCDE")
WORLD = World({sp.Symbol(s): (N, N) for s in "ABCDE"} | {sp.Symbol(s): (N,) for s in "uvw"})


def minus(t):
    return Tensor(t.dims, tuple(Term(-x.coefficient, x.factors) for x in t.terms))


def verdict_of(a, b, *where):
    return modular.decide(*(where or (WORLD,)), a, b, Budget(LIMITS))


@given(st.lists(st.tuples(st.integers(0, P - 1), st.integers(0, P - 1)), min_size=1))
def test_products_in_split_words(pairs):
    a, b = (np.array(column, dtype=np.uint64) for column in zip(*pairs, strict=True))
    assert [int(c) for c in banded.times(a, b)] == [x * y % P for x, y in pairs]
    assert [int(c) for c in banded.plus(a, b)] == [(x + y) % P for x, y in pairs]


def test_products_of_extremes():
    extreme = [0, 1, 2, 2**29, 2**32 - 1, 2**32, 2**60, P - 2, P - 1]
    a, b = (np.array(c, dtype=np.uint64) for c in zip(*itertools.product(extreme, extreme), strict=True))
    assert [int(c) for c in banded.times(a, b)] == [int(x) * int(y) % P for x, y in zip(a, b, strict=True)]


def test_the_error_is_below_the_promise():
    J = jacobian(gru)
    found = verdict_of(J.tensor, transposed(transposed(J.tensor)), world(J.program))
    assert found.equal
    assert 0 < found.error < Fraction(1, 2**100)


@pytest.mark.parametrize(("k", "size"), [(2, 1), (4, 2)])
def test_identities_of_small_matrices_do_not_fool_it(k, size):
    """The standard identity S_2n vanishes for all n × n matrices (Amitsur–Levitzki), and is no identity."""
    total = zero((N, N))
    for order in itertools.permutations((A, B, C, D)[:k]):
        sign = sp.combinatorics.Permutation([(A, B, C, D).index(x) for x in order]).signature()
        product = order[0]
        for x in order[1:]:
            product = matmul(product, x)
        total = added((N, N), [total, product if sign > 0 else minus(product)])
    assert modular.decide(WORLD, total, zero((N, N)), Budget(LIMITS), size=size).equal
    assert not verdict_of(total, zero((N, N))).equal
    assert decide(Sides(WORLD, total, zero((N, N))))[0].refuted


def test_halls_identity():
    """[[A, B]², C] = 0 for 2 × 2 matrices only."""
    commutator = lambda x, y: added((N, N), [matmul(x, y), minus(matmul(y, x))])  # noqa: E731
    square = matmul(commutator(A, B), commutator(A, B))
    assert modular.decide(WORLD, matmul(square, C), matmul(C, square), Budget(LIMITS), size=2).equal
    verdict, _ = decide(Sides(WORLD, matmul(square, C), matmul(C, square)))
    assert verdict.refuted
    assert verdict.counterexample is not None
    assert verdict.counterexample.n == 3


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_a_size_is_no_number(number):
    """1ᵀ1 = n is not 3, though it is for n = 3."""
    ones = sp.Symbol("ones")
    known = World({ones: (N,)}, {ones: sp.S.One})
    n = Tensor((), (Term(sp.S.One, (Factor(ones, (0,)),)),))
    k = tensor((), [Term(sp.Integer(number), ())])
    assert decide(Sides(known, n, k))[0].refuted
    assert decide(Sides(known, n, n))[0].proved
    assert decide(Sides(known, matmul(n_ := tensor((N,), [Term(sp.S.One, (Factor(ONE, (0,)),))]), n_), k))[0].undecided


def test_random_functions_keep_their_relations():
    f = Residues(2, 0)
    a = f.variable("a", (3,))
    s = f.apply("sigmoid", [a])
    assert np.all((s + f.apply("sigmoid", [-a % P])) % P == 1)
    assert np.all(f.apply("tanh", [a]) == (2 * f.apply("sigmoid", [2 * a % P]) - 1) % P)
    assert np.all(f.apply("exp", [a]) * f.apply("exp", [-a % P]) % P == 1)
    assert np.all((f.apply("softplus", [a]) - f.apply("softplus", [-a % P])) % P == a)
    assert np.all(f.apply("relu", [a]) == a * f.apply("step", [a]) % P)
    assert not np.any(s == f.apply("g", [a]))


@pytest.mark.parametrize("cell", [gru, gru_reset_after])
@pytest.mark.parametrize("steps", [12, 60])
def test_long_products(cell, steps):
    world_, product = chain(cell, steps)
    _, same = chain(cell, steps, regroup=True)
    verdict, _ = decide(Sides(world_, product, same), witness=False)
    assert verdict.proved
    assert verdict.method == "modular"
    assert 0 < verdict.error < Fraction(1, 2**100)


def nudged(t):
    first, *rest = t.terms
    return Tensor(t.dims, (Term(first.coefficient * (1 + sp.Rational(1, 10**16)), first.factors), *rest))


@pytest.mark.parametrize("change", [transposed, nudged, lambda t: Tensor(t.dims, t.terms[1:])])
def test_long_products_with_one_wrong_factor(change):
    world_, product = chain(gru, 60)
    _, other = chain(gru, 60, change)
    assert decide(Sides(world_, product, other), witness=False)[0].refuted


@pytest.mark.parametrize("change", [transposed, nudged, None])
def test_banded_and_dense_agree(change, monkeypatch):
    """The same products, short enough for both."""
    world_, product = chain(gru, 3)
    _, other = chain(gru, 3, change, regroup=True)
    dense = modular.decide(world_, product, other, Budget(LIMITS)).equal
    # without the small dense test that comes first, the banded one stands alone
    real = modular.decide
    monkeypatch.setattr(modular, "decide", lambda *a, **k: real(a[0], a[1], a[1], *a[3:], **k))
    assert banded.decide(world_, product, other, Budget(LIMITS)).equal == dense == (change is None)


def test_orders_of_a_long_product_are_told_apart():
    """A B A B … against B A B A …, and one exchange in the middle, where small matrices are of no use to a proof."""
    words = [[A, B] * 10, [A, B] * 9 + [B, A]]
    at = [0, *range(2, 21), 1]
    one, two = (Tensor((N, N), (Term(sp.S.One, tuple(Factor(x, (at[k], at[k + 1])) for k, x in enumerate(w))),)) for w in words)
    assert decide(Sides(WORLD, one, two), witness=False)[0].refuted
    assert decide(Sides(WORLD, one, transposed(transposed(one))), witness=False)[0].proved


def test_what_branches_is_not_called_banded():
    """A star of three long arms has no place on a line."""
    arms = [Factor(sp.Symbol("A"), (0, 1))]
    for arm in range(3):
        path = [1, *(2 + arm * 20 + k for k in range(5))]
        arms += [Factor(sp.Symbol("A"), (path[k], path[k + 1])) for k in range(5)]
    star = Tensor((N,), (Term(sp.S.One, tuple(arms)),))
    with pytest.raises(Exhausted):
        modular.decide(WORLD, star, star, Budget(LIMITS))
    with pytest.raises(Exception, match="branch"):
        banded.decide(WORLD, star, star, Budget(LIMITS))


def test_seeds_are_repeatable():
    J = jacobian(gru)
    a = modular.decide(world(J.program), J.tensor, transposed(J.tensor), Budget(LIMITS), 3)
    assert a == modular.decide(world(J.program), J.tensor, transposed(J.tensor), Budget(LIMITS), 3)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_number_hidden_in_a_sum(number):
    """Σ_k (1 - u_k) + Σ_k u_k is n, whatever n the test looks at."""
    u = sp.Symbol("u")
    n = Tensor((), (Term(sp.S.One, (Factor(1 - u, (0,)),)), Term(sp.S.One, (Factor(u, (0,)),))))
    verdict, _ = decide(Sides(WORLD, n, tensor((), [Term(sp.Integer(number), ())])))
    assert verdict.refuted
    assert verdict.checks["modular"] == "different"


def test_products_of_contractions_have_indices_of_their_own():
    """(A u) ∘ (B u) is no sum over one index, in either decider."""
    a, b, u = sp.symbols("a b u")
    atoms = {s: tensor((N,), [Term(sp.S.One, (Factor(sp.Symbol(m), (0, 1)), Factor(u, (1,))))]) for s, m in ((a, "A"), (b, "B"))}
    here = World({**WORLD.shapes, a: (N,), b: (N,)}, {}, (), atoms)
    pointwise = Tensor((N,), (Term(sp.S.One, (Factor(a * b, (0,)),)),))
    apart = [Factor(sp.Symbol("A"), (0, 1)), Factor(u, (1,)), Factor(sp.Symbol("B"), (0, 2)), Factor(u, (2,))]
    together = [Factor(sp.Symbol("A"), (0, 1)), Factor(u**2, (1,)), Factor(sp.Symbol("B"), (0, 1))]
    assert decide(Sides(here, pointwise, Tensor((N,), (Term(sp.S.One, tuple(apart)),))))[0].proved
    assert decide(Sides(here, pointwise, Tensor((N,), (Term(sp.S.One, tuple(together)),))))[0].refuted


def test_banded_transposes_are_transposes(monkeypatch):
    at = [0, *range(2, 21), 1]
    pairs = [(at[k], at[k + 1]) for k in range(20)]
    letters = [A, B] * 10
    plain = Tensor((N, N), (Term(sp.S.One, tuple(Factor(x, p) for x, p in zip(letters, pairs, strict=True))),))
    some = Tensor((N, N), (Term(sp.S.One, tuple(Factor(x, p[::-1] if x is B else p) for x, p in zip(letters, pairs, strict=True))),))
    back = Tensor((N, N), (Term(sp.S.One, (Factor(Tensor((N, N), (Term(sp.S.One, (Factor(some, (1, 0)),)),)), (1, 0)),)),))
    real = modular.decide
    monkeypatch.setattr(modular, "decide", lambda *a, **k: real(a[0], a[1], a[1], *a[3:], **k))
    assert not banded.decide(WORLD, plain, some, Budget(LIMITS)).equal
    assert not banded.decide(WORLD, some, transposed(some), Budget(LIMITS)).equal
    assert banded.decide(WORLD, some, back, Budget(LIMITS)).equal
