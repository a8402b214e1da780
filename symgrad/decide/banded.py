r"""The modular test for long products: thousands of factors, in time linear in their number.

A product of 1000 Jacobians has terms with thousands of indices, too many for dense matrices of that size.  It is enough to have
*some* matrices at which no two different terms can be confused, and sparse ones do: every matrix has random entries at distances
1 … w from its diagonal and zeros elsewhere.  A term whose graph is a chain with at most w - 1 further indices hanging at each of
its links can be laid along the line 0, 1, 2, … so that every edge is at most w long, with all its indices at different places;
the monomial that arises there comes from no other term (`bounds`).  So a nonzero difference is a nonzero polynomial in those
entries.  It is evaluated by its action on a random vector, never as a matrix.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symgrad.decide import modular
from symgrad.decide.bounds import Bound, Bounds
from symgrad.decide.limits import Budget, Exhausted, Unsupported
from symgrad.decide.modular import Modular, letters, trials
from symgrad.decide.polynomials import rational
from symgrad.decide.residues import P
from symgrad.decide.world import World
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term

Array = Any
RECENT = 32  # vectors kept
_P = np.uint64(P)
_LOW = np.uint64(2**32 - 1)
_LOW29 = np.uint64(2**29 - 1)
_ONE: Array = np.ones((1, 1), dtype=np.uint64)  # arrays wrap round without a warning, NumPy's scalars do not
_32, _29, _61, _3 = np.uint64(32), np.uint64(29), np.uint64(61), np.uint64(3)


def times(a: Array, b: Array) -> Array:
    """a b mod 2^61 - 1, in 64-bit arithmetic: 2^64 = 8 and 2^61 = 1."""
    a1, a0, b1, b0 = a >> _32, a & _LOW, b >> _32, b & _LOW
    middle = a1 * b0 + a0 * b1  # below 2^62
    low = a0 * b0
    total = (low & _P) + (low >> _61) + ((middle & _LOW29) << _32) + (middle >> _29) + ((a1 * b1) << _3)
    total = (total & _P) + (total >> _61)
    return np.minimum(total, total - _P)


def plus(a: Array, b: Array) -> Array:
    """a + b mod p."""
    total = a + b
    return np.minimum(total, total - _P)  # where the difference is negative it wraps round to something large


@dataclass(frozen=True, slots=True)
class Layout:
    """Of a tensor of rank 2 or less: links of its longest chain, and the most indices that hang at one link."""

    links: int
    hanging: int


class _Layouts:
    """How far the chains of a tensor reach, bounded without multiplying out."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._known: dict[int, Layout] = {}

    def of(self, value: Tensor) -> Layout:
        if id(value) not in self._known:
            found = [self._term(t, value.rank) for t in value.terms]
            self._known[id(value)] = Layout(max((f.links for f in found), default=0), max((f.hanging for f in found), default=0))
        return self._known[id(value)]

    def _term(self, term: Term, rank: int) -> Layout:
        links, hanging, edges = 0, dict[int, int](), Counter[int]()
        for f in term.factors:
            if f.value == ONE:
                continue
            if len(f.indices) == 2:
                inner = self.of(f.value) if isinstance(f.value, Tensor) else Layout(int(f.value != IDENTITY), 0)
                links += inner.links
                edges.update(f.indices)
                own = inner.hanging
            else:  # a vector: whatever is summed in it hangs here
                own = (self.bounds.tensor(f.value) if isinstance(f.value, Tensor) else self.bounds.pointwise(f.value)).indices
                if own and not f.indices:
                    raise Unsupported("an inner product beside a long product")
            for i in f.indices:
                hanging[i] = hanging.get(i, 0) + own
        if any(k > (1 if i < rank else 2) for i, k in edges.items()):
            raise Unsupported("matrices that branch in a long product")
        return Layout(links, max(hanging.values(), default=0))


class _Line:
    """The action of tensors on vectors along a line of n places; entries are made anew from their names whenever needed."""

    def __init__(self, world: World, n: int, width: int, trials: int, seed: int, budget: Budget) -> None:
        self.world, self.n, self.width, self.trials, self.seed, self.budget = world, n, width, trials, seed, budget
        self.kept: dict[sp.Symbol, Array] = {}
        self.recent: dict[str, Array] = {}

    def random(self, name: str, *shape: int) -> Array:
        """Residues that the name and the seed determine; none is likelier than 2/2^61."""
        if name not in self.recent:
            if len(self.recent) > RECENT:
                self.recent.clear()
            key = int.from_bytes(hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=16).digest())
            raw: Array = np.random.PCG64(key).random_raw((self.trials, *shape, self.n)) >> _3
            self.recent[name] = np.minimum(raw, raw - _P)
        return self.recent[name]

    def number(self, value: sp.Expr) -> Array:
        c = Fraction(rational(value))
        return np.full((1, 1), c.numerator * pow(c.denominator, -1, P) % P, dtype=np.uint64)

    # -- vectors ------------------------------------------------------------------------------------------------------------

    def vector(self, e: sp.Expr) -> Array:
        """A pointwise expression of vectors."""
        if e.is_Symbol:
            atom = self.world.atoms.get(e)
            if e in self.world.definitions:
                return self.vector(self.world.definitions[e])
            if isinstance(atom, Tensor):
                return self.action(atom, None)
            if atom is not None or len(self.world.shapes.get(e, ())) > 1:
                raise Unsupported(f"{e} in a long product")
            if not self.world.shapes.get(e):
                return np.broadcast_to(self.random(e.name)[:, :1], (self.trials, self.n))
            return self.random(e.name)
        if e.is_Number:
            return self.number(e)
        if e.is_Add or e.is_Mul:
            result = self.vector(e.args[0])
            for a in e.args[1:]:
                result = plus(result, self.vector(a)) if e.is_Add else times(result, self.vector(a))
            return result
        if e.is_Pow and e.exp.is_Integer and 0 < e.exp <= 64:
            base = self.vector(e.base)
            result = base
            for _ in range(int(e.exp) - 1):
                result = times(result, base)
            return result
        raise Unsupported(f"the operation {type(e).__name__} in a long product")

    def matrix(self, s: sp.Symbol) -> Array:
        """Entries at distances 1 … w on either side of the diagonal: ``[trial, band, i]`` is M[i, i + offset]."""
        if s not in self.kept:
            self.kept[s] = self.random(s.name, 2 * self.width)
        return self.kept[s]

    def offsets(self) -> list[int]:
        return [*range(-self.width, 0), *range(1, self.width + 1)]

    def applied(self, value: sp.Expr | Tensor, v: Array, flipped: bool) -> Array:
        """M v, or Mᵀ v."""
        if isinstance(value, Tensor):
            return self.action(value, v, flipped)
        if not value.is_Symbol or value in self.world.definitions or value in self.world.atoms or value in self.world.blocks:
            raise Unsupported(f"the matrix {value} in a long product")
        total = np.zeros((self.trials, self.n), dtype=np.uint64)
        for band, d in zip(np.moveaxis(self.matrix(value), 1, 0), self.offsets(), strict=True):
            rows = slice(max(0, -d), self.n - max(0, d))
            columns = slice(max(0, d), self.n + min(0, d))
            source, target = (rows, columns) if flipped else (columns, rows)
            total[:, target] = plus(total[:, target], times(band[:, rows], v[:, source]))
        return total

    # -- tensors ------------------------------------------------------------------------------------------------------------

    def action(self, value: Tensor, v: Array | None, flipped: bool = False) -> Array:
        """Σ_terms; of a matrix its product with v, of a vector the vector, of a number the number everywhere."""
        self.budget.clock()
        total: Array = np.zeros((self.trials, self.n), dtype=np.uint64)
        for term in value.terms:
            total = plus(total, times(self.number(term.coefficient), self._term(term, value.rank, v, flipped)))
        return total

    def _term(self, term: Term, rank: int, v: Array | None, flipped: bool) -> Array:
        """Leaves are taken off the graph of the term one by one, until only the free index is left."""
        if rank > 2 or (rank == 2) != (v is not None):
            raise Unsupported(f"a factor with {rank} indices in a long product")
        keep = None if rank == 0 else 1 if flipped else 0
        here: dict[int, Array] = {}
        if v is not None:
            here[0 if flipped else 1] = v
        scale: Array = _ONE
        edges: dict[int, tuple[sp.Expr | Tensor, tuple[int, int]]] = {}
        for k, f in enumerate(term.factors):
            if len(f.indices) == 2:
                edges[k] = (f.value, (f.indices[0], f.indices[1]))
            elif len(f.indices) > 2:
                raise Unsupported("a factor with three indices in a long product")
            elif f.value != ONE:
                value = self.action(f.value, None) if isinstance(f.value, Tensor) else self.vector(f.value)
                if f.indices:
                    i = f.indices[0]
                    here[i] = times(here[i], value) if i in here else value
                else:
                    scale = times(scale, value)
        touching: dict[int, set[int]] = {i: set() for f in term.factors for i in f.indices}
        for k, (_, at) in edges.items():
            for i in at:
                touching[i].add(k)
        leaves = [i for i in touching if i != keep and len(touching[i]) <= 1]
        while leaves:
            i = leaves.pop()
            found = here.get(i)
            mine = np.broadcast_to(_ONE if found is None else found, (self.trials, self.n))
            if not touching[i]:
                scale = times(scale, _sum(mine)[:, None])
                continue
            (k,) = touching[i]
            value, (a, b) = edges.pop(k)
            if a == b:
                raise Unsupported("the diagonal of a matrix in a long product")
            j = b if i == a else a
            moved = mine if value == IDENTITY else self.applied(value, mine, flipped=i == a)
            here[j] = times(here[j], moved) if j in here else moved
            touching[j].discard(k)
            touching[i].clear()
            if j != keep and len(touching[j]) <= 1:
                leaves.append(j)
        if edges:
            raise Unsupported("a cycle in a long product")
        result = scale if keep is None else times(here.get(keep, _ONE), scale)
        return np.broadcast_to(result, (self.trials, self.n))


def _sum(v: Array) -> Array:
    """Σ_i v[i] mod p: the two halves of the words are summed apart, so that nothing overflows."""
    high, low = (v >> _32).sum(axis=1, dtype=np.uint64), (v & _LOW).sum(axis=1, dtype=np.uint64)
    return plus(times(high % _P, np.uint64(2**32)), low % _P)


def decide(world: World, a: Tensor, b: Tensor, budget: Budget, seed: int | None = None) -> Modular:
    """Whether a = b, for chains of matrices and vectors."""
    seed = secrets.randbits(64) if seed is None else seed
    small = modular.decide(world, a, b, budget, seed, size=3)
    if not small.equal:
        return small
    bounds = Bounds(world)
    total: Bound = bounds.tensor(a) + bounds.tensor(b)
    if world.functions(a, b) or total.below or total.lone or world.blocks:
        raise Unsupported("a function, a division or a sum of nothing in a long product")
    if a.rank > 2:
        raise Unsupported("a derivative with three indices as a long product")
    layouts = _Layouts(bounds)
    links = max(layouts.of(a).links, layouts.of(b).links)
    width = max(layouts.of(a).hanging, layouts.of(b).hanging) + 1
    n = (links + 2) * width + 2
    if n > budget.limits.band or width > 8:
        raise Exhausted(f"banded matrices of size {n} and width {width} would be needed")
    degree = total.above + 1
    per_trial = Fraction(2 * degree, P + 1)
    count = trials(per_trial)
    line = _Line(world, n, width, count, seed, budget)
    v = line.random("a vector of its own") if a.rank == 2 else None
    same = bool(np.array_equal(line.action(a, v), line.action(b, v)))
    sizes = dict.fromkeys(letters(world, a, b), n)
    return Modular(same, per_trial**count if same else Fraction(0), True, sizes, seed, count)
