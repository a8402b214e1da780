"""Mutants and rewritings of every library derivative: two deciders that agree, held against SymPy's explicit components."""

import itertools

import sympy as sp
from hypothesis import HealthCheck, given, settings
from strategies_decide import derivatives, mutants, rewritings

from symgrad.decide.equal import Sides, decide
from symgrad.language.tensor import IDENTITY, ONE, Tensor

relaxed = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
few = settings(relaxed, max_examples=60)


@relaxed
@given(rewritings())
def test_rewritings_are_proved_by_both(case):
    d, how, value = case
    verdict, _ = decide(d.sides(value))
    assert verdict.proved, f"{d.name}: {how}: {verdict}"
    assert verdict.checks == {"normal form": "equal", "modular": "equal"}


@relaxed
@given(mutants())
def test_on_mutants_both_agree_and_a_refutation_has_its_numbers(case):
    d, how, value = case
    verdict, _ = decide(d.sides(value))
    assert not verdict.undecided, f"{d.name}: {how}: {verdict}"
    assert len(set(verdict.checks.values()) - {"open"}) == 1
    assert verdict.proved == (verdict.counterexample is None)


class Components:
    """The oracle: every entry of a tensor as a SymPy expression in a symbol for every entry of every name."""

    def __init__(self, sides: Sides, n: int) -> None:
        self.world, self.n = sides.world, n

    def size(self, dim: sp.Expr) -> int:
        return int(dim.subs(dict.fromkeys(dim.free_symbols, self.n)))

    def entry(self, value: sp.Expr | Tensor, at: tuple[int, ...]) -> sp.Expr:
        if isinstance(value, Tensor):
            return sp.Add(*(self.term(t, value, at) for t in value.terms))
        return self.pointwise(value, at)

    def pointwise(self, e: sp.Expr, at: tuple[int, ...]) -> sp.Expr:
        if e.is_Symbol:
            return self.name(e, at)
        return e.func(*(self.pointwise(a, at) for a in e.args)) if e.args else e

    def name(self, s: sp.Symbol, at: tuple[int, ...]) -> sp.Expr:
        if s == ONE:
            return sp.S.One
        if s == IDENTITY:
            return sp.Integer(at[0] == at[1])
        if s in self.world.definitions:
            return self.pointwise(self.world.definitions[s], at)
        atom = self.world.atoms.get(s)
        if s in self.world.blocks:
            sizes, part = self.world.blocks[s]
            return sp.Integer(at[0] - sum(map(self.size, sizes[:part])) == at[1])
        if isinstance(atom, Tensor):
            return self.entry(atom, at)
        low = len(self.world.shapes.get(s, ()))
        return sp.Symbol(f"{s}[{','.join(map(str, at[len(at) - low:]))}]")

    def term(self, t, value: Tensor, at: tuple[int, ...]) -> sp.Expr:
        sizes = dict(zip(range(len(at)), map(self.size, value.dims), strict=True))
        for _ in range(3):
            for f in t.factors:
                if f.value == IDENTITY:
                    for a, b in (f.indices, f.indices[::-1]):
                        if a in sizes:
                            sizes.setdefault(b, sizes[a])
                elif f.value != ONE:
                    dims = f.value.dims if isinstance(f.value, Tensor) else self.world.shape(f.value)
                    sizes |= {i: self.size(d) for i, d in zip(f.indices, dims, strict=False)}
        summed = sorted({i for f in t.factors for i in f.indices} - set(range(len(at))))
        total = []
        for chosen in itertools.product(*(range(sizes[i]) for i in summed)):
            place = {**dict(enumerate(at)), **dict(zip(summed, chosen, strict=True))}
            total.append(sp.Mul(*(self.entry(f.value, tuple(place[i] for i in f.indices)) for f in t.factors)))
        return t.coefficient * sp.Add(*total)


def explicit(sides: Sides, n: int) -> bool:
    """Whether all entries are equal polynomials at this size."""
    c = Components(sides, n)
    shape = [range(c.size(d)) for d in sides.left.dims]
    return all(sp.expand(c.entry(sides.left, at) - c.entry(sides.right, at)) == 0 for at in itertools.product(*shape))


def polynomial(sides: Sides) -> bool:
    """Whether the components are polynomials in names: no function is left, of any argument."""
    return not sides.world.functions(sides.left, sides.right)


@few
@given(mutants())
def test_verdicts_on_mutants_are_those_of_explicit_components(case):
    d, how, value = case
    sides = d.sides(value)
    if not polynomial(sides):
        return
    verdict, _ = decide(sides)
    assert verdict.proved == (explicit(sides, 2) and explicit(sides, 3)), f"{d.name}: {how}: {verdict}"


@few
@given(rewritings())
def test_rewritings_are_equal_in_explicit_components(case):
    d, how, value = case
    sides = d.sides(value)
    assert not polynomial(sides) or explicit(sides, 2), f"{d.name}: {how}"


def test_every_library_derivative_is_equal_to_itself_and_not_to_twice_itself():
    for d in derivatives():
        twice = Tensor(d.tensor.dims, tuple(type(t)(2 * t.coefficient, t.factors) for t in d.tensor.terms))
        assert decide(d.sides(d.tensor))[0].proved, d.name
        assert decide(d.sides(twice), witness=False)[0].refuted, d.name
