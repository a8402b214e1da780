"""Mutants and rewritings of the derivatives of every library cell: one generator for the property tests and for the long run in benchmarks.

A *rewriting* never changes the value; a *mutant* is an error people make, and may happen to change nothing (z(1-z) with z and 1-z
exchanged): whether it does is for the deciders to say, and for numbers to confirm.
"""

from __future__ import annotations

import functools
import random
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy as sp
from hypothesis import strategies as st

from symgrad.cells import LIBRARY
from symgrad.decide.diagnose import flat
from symgrad.decide.equal import Sides
from symgrad.decide.world import World, is_gate, world
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.face.jacobian import jacobian
from symgrad.language.functions import FUNCTIONS, applied
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term

KINK = FUNCTIONS["step"]


@dataclass(frozen=True)
class Derivative:
    """A derivative of a library cell."""

    name: str
    program: Program
    tensor: Tensor

    def sides(self, other: Tensor) -> Sides:
        """The derivative and another tensor, to be compared."""
        return Sides(world(self.program), self.tensor, other)


@functools.cache
def derivatives() -> tuple[Derivative, ...]:
    """∂(every new state, output and gate)/∂(every old state, input and parameter), and the LSTM's paths through h."""
    found: list[Derivative] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell in LIBRARY.values():
            p = cell.program
            gates = [s for s, e in p if is_gate(e) and s not in p.updates.values()]
            for of in dict.fromkeys(s.name for s in (*p.states, *p.outputs, *gates)):
                for wrt in (*p.states, *p.inputs, *p.parameters):
                    ways = [(), *((h.name,) for h in p.states if wrt in p.states and h != wrt)]
                    for way in ways:
                        try:
                            j = jacobian(p, of, wrt.name, way)
                        except SymgradError:  # there is no such path
                            continue
                        if j.tensor.terms:
                            found.append(Derivative(f"{cell.name}: ∂{of}/∂{wrt} {' '.join(way)}", j.program, j.tensor))
    return tuple(found)


# -- places in a tensor -----------------------------------------------------------------------------------------------------------


def _rebuild(value: Tensor, terms: list[Term]) -> Tensor:
    return Tensor(value.dims, tuple(terms))


def _somewhere(value: Tensor, rnd: random.Random, change: Callable[[Tensor], Tensor | None]) -> Tensor | None:
    """Apply a change to the tensor or to one nested in it."""
    nested = [(k, m) for k, t in enumerate(value.terms) for m, f in enumerate(t.factors) if isinstance(f.value, Tensor)]
    if nested and rnd.random() < 0.5:
        k, m = rnd.choice(nested)
        inner = value.terms[k].factors[m].value
        assert isinstance(inner, Tensor)
        changed = _somewhere(inner, rnd, change)
        if changed is None:
            return None
        fs = value.terms[k].factors
        return _term(value, k, [*fs[:m], Factor(changed, fs[m].indices), *fs[m + 1 :]])
    return change(value)


def _term(value: Tensor, k: int, factors: list[Factor], coefficient: sp.Expr | None = None) -> Tensor:
    old = value.terms[k]
    new = Term(old.coefficient if coefficient is None else coefficient, tuple(factors))
    return _rebuild(value, [*value.terms[:k], new, *value.terms[k + 1 :]])


def _pick(value: Tensor, rnd: random.Random, good: Callable[[Factor], bool]) -> tuple[int, int] | None:
    places = [(k, m) for k, t in enumerate(value.terms) for m, f in enumerate(t.factors) if good(f)]
    return rnd.choice(places) if places else None


def _pointwise(f: Factor) -> bool:
    return not isinstance(f.value, Tensor) and f.value not in (IDENTITY, ONE)


def _at(value: Tensor, place: tuple[int, int], new: sp.Expr) -> Tensor:
    k, m = place
    fs = list(value.terms[k].factors)
    fs[m] = Factor(new, fs[m].indices)
    return _term(value, k, fs)


def _pointwise_change(change: Callable[[sp.Expr, random.Random], sp.Expr | None]) -> Callable[[Derivative, Tensor, random.Random], Tensor | None]:
    """A change of one pointwise factor, anywhere."""

    def here(value: Tensor, rnd: random.Random) -> Tensor | None:
        place = _pick(value, rnd, _pointwise)
        if place is None:
            return None
        old = value.terms[place[0]].factors[place[1]].value
        new = change(old, rnd)
        return None if new is None or new == old else _at(value, place, sp.sympify(new))

    return lambda d, value, rnd: _somewhere(value, rnd, lambda t: here(t, rnd))


def _tensor_change(change: Callable[[Derivative, Tensor, random.Random], Tensor | None]) -> Callable[[Derivative, Tensor, random.Random], Tensor | None]:
    return lambda d, value, rnd: _somewhere(value, rnd, lambda t: change(d, t, rnd))


# -- rewritings -------------------------------------------------------------------------------------------------------------------


def _split(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """(1 - z) U is U - z U."""
    place = _pick(value, rnd, lambda f: _pointwise(f) and sp.sympify(f.value).is_Add)
    if place is None:
        return None
    k, m = place
    t = value.terms[k]
    parts = [Term(t.coefficient, (*t.factors[:m], Factor(a, t.factors[m].indices), *t.factors[m + 1 :])) for a in t.factors[m].value.args]
    # a summand that is a number is constant along its indices: say so with ones
    parts = [Term(p.coefficient, (*p.factors, *(Factor(ONE, (i,)) for i in t.factors[m].indices))) for p in parts]
    return _rebuild(value, [*value.terms[:k], *parts, *value.terms[k + 1 :]])


def _merge(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """diag(a) diag(b) is diag(a ∘ b)."""
    places = [
        (k, m, n)
        for k, t in enumerate(value.terms)
        for m, f in enumerate(t.factors)
        for n, g in enumerate(t.factors)
        if m < n and _pointwise(f) and _pointwise(g) and f.indices == g.indices
        and not (f.value.free_symbols | g.value.free_symbols) & set(d.program.constants)
    ]
    if not places:
        return None
    k, m, n = rnd.choice(places)
    fs = list(value.terms[k].factors)
    fs[m] = Factor(fs[m].value * fs[n].value, fs[m].indices)
    del fs[n]
    return _term(value, k, fs)


def _shuffle(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """Factors in another order, summed indices with other names."""
    terms = list(value.terms)
    rnd.shuffle(terms)
    out = []
    for t in terms:
        fs = list(t.factors)
        rnd.shuffle(fs)
        summed = sorted({i for f in fs for i in f.indices if i >= value.rank})
        names = dict(zip(summed, rnd.sample(range(value.rank, value.rank + 3 + len(summed)), len(summed)), strict=True))
        out.append(Term(t.coefficient, tuple(Factor(f.value, tuple(names.get(i, i) for i in f.indices)) for f in fs)))
    return _rebuild(value, out)


def _identity(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """A B is A I B."""
    place = _pick(value, rnd, lambda f: len(f.indices) > 0 and f.value != ONE)
    if place is None:
        return None
    k, m = place
    fs = list(value.terms[k].factors)
    at = list(fs[m].indices)
    fresh = 1 + max(value.rank, *(i for f in fs for i in f.indices))
    q = rnd.randrange(len(at))
    old, at[q] = at[q], fresh
    fs[m] = Factor(fs[m].value, tuple(at))
    fs.insert(rnd.randrange(len(fs) + 1), Factor(IDENTITY, rnd.choice([(old, fresh), (fresh, old)])))
    return _term(value, k, fs)


def _thirds(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """T is T/3 + 2T/3."""
    if not value.terms:
        return None
    k = rnd.randrange(len(value.terms))
    t = value.terms[k]
    return _rebuild(value, [*value.terms[:k], Term(t.coefficient / 3, t.factors), *value.terms[k + 1 :], Term(2 * t.coefficient / 3, t.factors)])


def _collect(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """A U + B U is (A + B) U, and U - z U is (1 - z) U: two terms that differ in pointwise factors at one place are one."""

    def parts(t: Term, at: tuple[int, ...]) -> tuple[sp.Expr, Counter[Factor]]:
        here = [f for f in t.factors if f.indices == at and _pointwise(f)]
        return t.coefficient * sp.Mul(*(f.value for f in here)), Counter(f for f in t.factors if f not in here and f.value != ONE)

    places = [
        (k, n, f.indices)
        for k, t in enumerate(value.terms)
        for n, u in enumerate(value.terms)
        for f in t.factors
        if k != n and _pointwise(f) and len(f.indices) == 1 and parts(t, f.indices)[1] == parts(u, f.indices)[1]
        and not any(g.value in d.program.constants for g in t.factors)
    ]
    if not places:
        return None
    k, n, at = rnd.choice(places)
    (one, rest), (two, _) = (parts(value.terms[i], at) for i in (k, n))
    ones = [Factor(ONE, (i,)) for i in dict.fromkeys(i for t in (value.terms[k], value.terms[n]) for f in t.factors for i in f.indices)]
    merged = Term(sp.S.One, (Factor(one + two, at), *rest.elements(), *ones))
    return _rebuild(value, [merged, *(t for i, t in enumerate(value.terms) if i not in (k, n))])


def _twice_transposed(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    if value.rank != 2:
        return None
    once = Tensor(value.dims[::-1], (Term(sp.S.One, (Factor(value, (1, 0)),)),))
    return Tensor(value.dims, (Term(sp.S.One, (Factor(once, (1, 0)),)),))


def _inlined(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """A name by its definition: z by σ(W_z x + …), a new state by its equation; or z by 1 - σ(-a_z)."""
    names = sorted((s for s in value.symbols if s in d.program.equations), key=str)
    if not names:
        return None
    s = rnd.choice(names)
    new = d.program.equations[s]
    if new.func == applied("sigmoid", sp.Symbol("a")).func and rnd.random() < 0.5:
        new = 1 - applied("sigmoid", -new.args[0])
    elif new.func == applied("tanh", sp.Symbol("a")).func and rnd.random() < 0.5:
        new = 2 * applied("sigmoid", 2 * new.args[0]) - 1
    if rnd.random() < 0.5:
        new = d.program.inlined(new)
    return value.map(lambda e: e.xreplace({s: new}) if not isinstance(e, sp.Derivative) else e)


def _flattened(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    terms = [t for part in flat(value) for t in part.terms]
    return _rebuild(value, terms) if terms and value.rank >= 2 else None


REWRITINGS: dict[str, Callable[[Derivative, Tensor, random.Random], Tensor | None]] = {
    "expand": _pointwise_change(lambda e, rnd: sp.expand(e)),
    "factor": _pointwise_change(lambda e, rnd: sp.factor(e) if not e.has(sp.Derivative) else None),
    "split": _tensor_change(_split),
    "collect": _tensor_change(_collect),
    "merge": _tensor_change(_merge),
    "shuffle": _tensor_change(_shuffle),
    "identity": _tensor_change(_identity),
    "thirds": _tensor_change(_thirds),
    "transpose-twice": _twice_transposed,
    "inline": _inlined,
    "flatten": _flattened,
}


# -- mutants ----------------------------------------------------------------------------------------------------------------------


def _scaled(c: sp.Expr) -> Callable[[Derivative, Tensor, random.Random], Tensor | None]:
    def change(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
        if not value.terms:
            return None
        k = rnd.randrange(len(value.terms))
        return _term(value, k, list(value.terms[k].factors), value.terms[k].coefficient * c)

    return _tensor_change(change)


def _drop_term(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    if len(value.terms) < 2:
        return None
    k = rnd.randrange(len(value.terms))
    return _rebuild(value, [*value.terms[:k], *value.terms[k + 1 :]])


def _drop_factor(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    place = _pick(value, rnd, lambda f: _pointwise(f) and len(f.indices) < 2)
    if place is None:
        return None
    k, m = place
    fs = list(value.terms[k].factors)
    gone = fs.pop(m)
    return _term(value, k, [*fs, *(Factor(ONE, (i,)) for i in gone.indices)])


def _drop_part(e: sp.Expr, rnd: random.Random) -> sp.Expr | None:
    """A factor of a product forgotten: z(1-z) becomes z, the slope 1 - h̃² becomes 1."""
    if not e.is_Mul:
        return None
    k = rnd.randrange(len(e.args))
    return sp.Mul(*e.args[:k], *e.args[k + 1 :])


def _sizes(d: Derivative, value: Tensor, t: Term) -> dict[int, sp.Expr]:
    found = dict(enumerate(value.dims))
    for f in t.factors:
        dims = f.value.dims if isinstance(f.value, Tensor) else world(d.program).shape(f.value)
        found |= dict(zip(f.indices, dims, strict=False))
    for _ in range(2):
        for f in t.factors:
            if f.value == IDENTITY:
                for a, b in (f.indices, f.indices[::-1]):
                    if a in found:
                        found.setdefault(b, found[a])
    return found


def _moved(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """diag(v) on the wrong side of a matrix."""
    place = _pick(value, rnd, lambda f: _pointwise(f) and len(f.indices) == 1)
    if place is None:
        return None
    k, m = place
    t = value.terms[k]
    sizes = _sizes(d, value, t)
    here = t.factors[m].indices[0]
    others = [i for i, s in sizes.items() if i != here and s == sizes.get(here)]
    if not others:
        return None
    fs = list(t.factors)
    fs[m] = Factor(fs[m].value, (rnd.choice(others),))
    return _term(value, k, [*fs, Factor(ONE, (here,))])


def _transpose_factor(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    place = _pick(value, rnd, lambda f: len(f.indices) == 2 and f.value != IDENTITY and f.indices[0] != f.indices[1])
    if place is None:
        return None
    k, m = place
    fs = list(value.terms[k].factors)
    dims = fs[m].value.dims if isinstance(fs[m].value, Tensor) else world(d.program).shape(fs[m].value)
    if dims[0] != dims[1]:
        return None
    fs[m] = Factor(fs[m].value, fs[m].indices[::-1])
    return _term(value, k, fs)


def _swap_matrices(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    """A B becomes B A."""
    places = [
        (k, m, n)
        for k, t in enumerate(value.terms)
        for m, f in enumerate(t.factors)
        for n, g in enumerate(t.factors)
        if m < n and len(f.indices) == len(g.indices) == 2 and {f.value, g.value}.isdisjoint({IDENTITY})
    ]
    if not places:
        return None
    k, m, n = rnd.choice(places)
    fs = list(value.terms[k].factors)
    w = world(d.program)
    one, two = (f.value.dims if isinstance(f.value, Tensor) else w.shape(f.value) for f in (fs[m], fs[n]))
    if one != two:
        return None
    fs[m], fs[n] = Factor(fs[n].value, fs[m].indices), Factor(fs[m].value, fs[n].indices)
    return _term(value, k, fs)


def _exchange(names: Callable[[Program], list[sp.Symbol]]) -> Callable[[Derivative, Tensor, random.Random], Tensor | None]:
    """Two names of one shape exchanged, or one put in the place of the other."""

    def change(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
        here = [s for s in names(d.program) if s in value.symbols]
        if not here:
            return None
        s = rnd.choice(here)
        others = [t for t in names(d.program) if t != s and d.program.shapes[t] == d.program.shapes[s]]
        if not others:
            return None
        t = rnd.choice(others)
        return value.map(lambda e: e.xreplace({s: t, t: s} if rnd.random() < 0.5 else {s: t}) if not e.has(sp.Derivative) else e)

    return change


def _gates(p: Program) -> list[sp.Symbol]:
    return [s for s, e in p.equations.items() if is_gate(e) and s not in p.implicit]


def _complement(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    here = [s for s in _gates(d.program) if s in value.symbols]
    if not here:
        return None
    s = rnd.choice(here)
    return value.map(lambda e: e.xreplace({s: 1 - s}) if not e.has(sp.Derivative) else e)


def _states(d: Derivative, value: Tensor, rnd: random.Random) -> Tensor | None:
    pairs = [(a, b) for a, b in d.program.updates.items() if a in value.symbols or b in value.symbols]
    if not pairs:
        return None
    a, b = rnd.choice(pairs)
    return value.map(lambda e: e.xreplace({a: b, b: a}) if not e.has(sp.Derivative) else e)


def _complement_once(e: sp.Expr, rnd: random.Random) -> sp.Expr | None:
    names = sorted(e.free_symbols, key=str)
    if not names or e.has(sp.Derivative):
        return None
    s = rnd.choice(names)
    return sp.sympify(e.xreplace({s: 1 - s}))


def _exponent(e: sp.Expr, rnd: random.Random) -> sp.Expr | None:
    names = sorted(e.free_symbols, key=str)
    if not names or e.has(sp.Derivative, KINK):  # 1[a³ > 0] is 1[a > 0], which is no business of these deciders
        return None
    s = rnd.choice(names)
    return e.xreplace({s: s ** rnd.choice((2, 3))})


MUTANTS: dict[str, Callable[[Derivative, Tensor, random.Random], Tensor | None]] = {
    "sign": _scaled(sp.Integer(-1)),
    "coefficient": _scaled(1 + sp.Rational(1, 10**16)),
    "drop-term": _tensor_change(_drop_term),
    "drop-factor": _tensor_change(_drop_factor),
    "slope-forgotten": _pointwise_change(_drop_part),
    "wrong-side": _tensor_change(_moved),
    "transposed-weight": _tensor_change(_transpose_factor),
    "swapped-order": _tensor_change(_swap_matrices),
    "exchanged-weights": _exchange(lambda p: list(p.parameters)),
    "exchanged-gates": _exchange(_gates),
    "complement": _complement,
    "complement-once": _pointwise_change(_complement_once),
    "exponent": _pointwise_change(_exponent),
    "wrong-time": _states,
}


def mutant(d: Derivative, rnd: random.Random, kind: str | None = None) -> tuple[str, Tensor] | None:
    """One error in the derivative, of this kind or any, written in another way half of the time; None where there is no place for it."""
    name = kind or rnd.choice(list(MUTANTS))
    changed = MUTANTS[name](d, d.tensor, rnd)
    if changed is None or changed == d.tensor:
        return None
    if rnd.random() < 0.5:
        changed = rewritten(replace(d, tensor=changed), rnd, 1)[1]
    return name, changed


def rewritten(d: Derivative, rnd: random.Random, steps: int | None = None) -> tuple[str, Tensor]:
    """The derivative after one to four rewritings."""
    value, done = d.tensor, []
    wanted = steps or rnd.randint(1, 4)
    while len(done) < wanted:  # some rewriting always applies
        name = rnd.choice(list(REWRITINGS))
        new = REWRITINGS[name](d, value, rnd)
        if new is not None and new != value:
            value = new
            done.append(name)
    return "+".join(done), value


@st.composite
def rewritings(draw: st.DrawFn) -> tuple[Derivative, str, Tensor]:
    """A derivative and an equal tensor."""
    d = draw(st.sampled_from(derivatives()))
    return (d, *rewritten(d, random.Random(draw(st.integers(0, 2**32)))))


@st.composite
def mutants(draw: st.DrawFn) -> tuple[Derivative, str, Tensor]:
    """A derivative and an erroneous one."""
    d = draw(st.sampled_from(derivatives()))
    seed = draw(st.integers(0, 2**32))
    made = next((m for k in range(100) if (m := mutant(d, random.Random(seed + k))) is not None), None)
    assert made is not None
    return (d, *made)



def chain(cell: Cell, steps: int, change: Callable[[Tensor], Tensor] | None = None, regroup: bool = False) -> tuple[World, Tensor]:
    """J_1 J_2 … J_T: the weights shared, every other name its own at each step; the middle factor changed; or as (J_1 …)(… J_T)."""
    j = jacobian(cell)
    p: Program = j.program
    shapes = {s: p.shapes[s] for s in p.parameters}
    atoms: dict[sp.Symbol, Tensor] = {}
    factors: list[Tensor] = []
    for k in range(steps):
        names = {s: sp.Symbol(f"{s}@{k}") for s in (*p.inputs, *p.states, *p.equations, *p.atoms)}
        shapes |= {new: p.shapes[s] for s, new in names.items()}
        atoms |= {names[s]: t.map(lambda e, names=names: e.xreplace(names)) for s, t in p.atoms.items() if isinstance(t, Tensor)}
        here = j.tensor.map(lambda e, names=names: e.xreplace(names))
        factors.append(change(here) if change and k == steps // 2 else here)
    dims = j.tensor.dims

    def product(parts: list[Tensor]) -> Tensor:
        at = [0, *range(2, len(parts) + 1), 1]
        return Tensor(dims, (Term(sp.S.One, tuple(Factor(f, (at[k], at[k + 1])) for k, f in enumerate(parts))),))

    whole = product([product(factors[: steps // 2]), product(factors[steps // 2 :])] if regroup else factors)
    return World(shapes, {}, (), atoms), whole
