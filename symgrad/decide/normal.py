r"""The normal form of a derivative in index notation: ``Σ c Π name[indices]`` with canonical summed indices.

``diag(z) U`` is z[0] U[0,1]; diag, transpose, Hadamard and outer products vanish into the indices; what is defined without an activation is
substituted; an activation applied to a gate's preactivation is that gate.  Two derivatives with equal normal forms are equal for
every n and m, and where no division, root, exponential or logarithm occurs, those with different ones are not.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import sympy as sp

from symgrad.decide.functions import Functions
from symgrad.decide.limits import Budget, Unsupported
from symgrad.decide.monomials import DELTA, MARK, Factor, Number, canonical, contracted
from symgrad.decide.polynomials import Polynomial, accumulate, added, multiplied, rational, shifted
from symgrad.decide.world import World, head
from symgrad.language.program import Call
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term

Size: TypeAlias = sp.Expr
Products: TypeAlias = list[tuple[tuple[Factor, ...], Number]]


class Normal:
    """The normal forms of one world; everything is computed once."""

    def __init__(self, world: World, budget: Budget) -> None:
        self.world, self.budget = world, budget
        self.functions = Functions(budget)
        self._tensors: dict[Tensor, Polynomial] = {}
        self._pointwise: dict[tuple[sp.Expr, int], Polynomial] = {}
        self._open: set[sp.Expr] = set()
        self._declared = False
        self.parts: dict[Size, tuple[Size, ...]] = {}
        for sizes, _ in world.blocks.values():
            whole = sp.Add(*sizes)
            if self.parts.setdefault(whole, sizes) != sizes:
                raise Unsupported(f"two concatenations of size {whole} are cut at different places")

    @property
    def exact(self) -> bool:
        """Whether different normal forms mean different values."""
        return not self.functions.inexact

    def tensor(self, value: Tensor) -> Polynomial:
        """Σ_terms c Π factors, multiplied out."""
        if value not in self._tensors:
            total: Polynomial = {}
            for term in value.terms:
                accumulate(total, self._term(term, value.dims))
            self._tensors[value] = total
        return self._tensors[value]

    def _term(self, term: Term, dims: tuple[Size, ...]) -> Polynomial:
        rank = len(dims)
        fresh = 1 + max((i for f in term.factors for i in f.indices), default=-1)
        fresh = max(fresh, rank)
        products: Products = [((), rational(term.coefficient))]
        sizes: dict[int, Size] = {}
        has_delta = False
        for f in term.factors:
            if f.value == ONE:
                continue
            if f.value == IDENTITY:
                has_delta = True
                products = [((*m, (DELTA, f.indices, 1)), c) for m, c in products]
                continue
            if isinstance(f.value, Tensor):
                p, shape = self.tensor(f.value), f.value.dims
            else:
                p, shape = self.pointwise(f.value, len(f.indices)), self.world.shape(f.value)
            sizes.update(zip(f.indices, shape, strict=False))
            moved, fresh = shifted(p, len(f.indices), f.indices, fresh)
            has_delta = has_delta or any(g[0] == DELTA for m, _ in moved for g in m)
            self.budget.spend(len(products) * len(moved))
            products = [((*m, *n), c * d) for m, c in products for n, d in moved]
        summed = {i for f in term.factors for i in f.indices if i >= rank}
        sizes |= dict(enumerate(dims))
        products = [(m + self._marks(m, summed, sizes, has_delta, term), c) for m, c in products]
        if has_delta and self.parts:
            products = [(tuple(contracted(list(m), rank)), c) for m, c in products]
        return self._collected(self._cut(products, summed, sizes), rank)

    def _marks(self, m: tuple[Factor, ...], summed: set[int], sizes: dict[int, Size], always: bool, term: Term) -> tuple[Factor, ...]:
        """□n[k] for a summed index at which nothing may be left."""
        bare = summed if always else summed - {i for _, at, _ in m for i in at}
        return tuple((f"{MARK}{_size(k, sizes, term)}", (k,), 1) for k in bare)

    def _cut(self, products: Products, summed: set[int], sizes: dict[int, Size]) -> Products:
        """Σ over an index of size n + m is the sum over its first n values and the sum over the others; E[k,j] is then δ or 0."""
        for k in summed if self.parts else ():
            parts = self.parts.get(sizes.get(k))
            if parts:
                self.budget.spend(len(products) * len(parts))
                products = [(cut, c) for m, c in products for p in range(len(parts)) if (cut := self._restricted(m, k, p, parts)) is not None]
        return products

    def _restricted(self, m: tuple[Factor, ...], k: int, p: int, parts: tuple[Size, ...]) -> tuple[Factor, ...] | None:
        out: list[Factor] = []
        for name, at, e in m:
            if k not in at:
                out.append((name, at, e))
            elif name[0] == MARK:
                out.append((f"{MARK}{parts[p]}", at, e))
            elif name == DELTA:
                out.append((name, at, e))
            elif name.startswith("E⟨") and at[0] == k:
                if name != block_name(p, parts):
                    return None
                out.append((DELTA, at, 1))
            else:
                out.append((name + "".join(f"⟨{q}:{p}⟩" for q, i in enumerate(at) if i == k), at, e))
        return tuple(out)

    def _collected(self, products: Products, rank: int) -> Polynomial:
        total: Polynomial = {}
        for m, c in products:
            key = canonical(m, rank, self.functions.idempotent)
            new = total.get(key, 0) + c
            if new:
                total[key] = new
            else:
                total.pop(key, None)
        self.budget.clock()
        return total

    # -- pointwise expressions ----------------------------------------------------------------------------------------------

    def pointwise(self, e: sp.Expr, rank: int) -> Polynomial:
        """A pointwise expression at the indices 0 … rank-1."""
        key = (e, rank)
        if key not in self._pointwise:
            if e in self._open:
                raise Unsupported(f"{e} is defined by itself")
            self._open.add(e)
            self._pointwise[key] = self._expression(e, rank)
            self._open.discard(e)
        return self._pointwise[key]

    def _expression(self, e: sp.Expr, rank: int) -> Polynomial:
        if e.is_Symbol:
            return self._symbol(e, rank)
        if e.is_Number:
            number = rational(e)
            return {(): number} if number else {}
        if e.is_Add:
            total: Polynomial = {}
            for a in e.args:
                accumulate(total, self.pointwise(a, rank))
            return total
        if e.is_Mul:
            result: Polynomial = {(): 1}
            for a in e.args:
                result = multiplied(result, self.pointwise(a, rank), rank, self.budget, self.functions.idempotent)
            return result
        if e.is_Pow and e.exp.is_Rational:
            return self._power(self.pointwise(e.base, rank), Fraction(int(e.exp.p), int(e.exp.q)), rank)
        found = head(e)
        if found is None:
            raise Unsupported(f"the operation {type(e).__name__} in {e}")
        self._declare()
        return self.functions(found[0], rank, *(self.pointwise(a, rank) for a in found[1]))

    def _power(self, base: Polynomial, exponent: Fraction, rank: int) -> Polynomial:
        if exponent.denominator != 1 or exponent < 0:
            if not base:
                raise Unsupported("a division by zero")
            return self.functions.power(rank, base, exponent)
        if exponent > self.budget.limits.exponent:
            raise Unsupported(f"the exponent {exponent}")
        result: Polynomial = {(): 1}
        square, k = base, int(exponent)
        while k:
            if k & 1:
                result = multiplied(result, square, rank, self.budget, self.functions.idempotent)
            k >>= 1
            if k:
                square = multiplied(square, square, rank, self.budget, self.functions.idempotent)
        return result

    def _symbol(self, s: sp.Symbol, rank: int) -> Polynomial:
        if s in self.world.definitions:
            return self.pointwise(self.world.definitions[s], rank)
        if s in self.world.blocks:
            sizes, part = self.world.blocks[s]
            return {((block_name(part, sizes), tuple(range(rank)), 1),): 1}
        atom = self.world.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.tensor(atom)
        if isinstance(atom, Call):
            inner = tuple(self.pointwise(a, len(self.world.shape(a))) for a in atom.args)
            # not entry by entry: each entry of f(y) depends on all of y, so the rank is the result's own
            return self.functions.unknown(atom.function, rank, inner)
        if s == ONE:
            return {(): 1}
        low = len(self.world.shapes.get(s, ()))
        if low > rank:
            raise Unsupported(f"{s} with {rank} indices, where it has {low}")
        return {((s.name, tuple(range(rank - low, rank)), 1),): 1}

    def _declare(self) -> None:
        """Tell the table of functions the gates, once the first applied function is met."""
        if self._declared:
            return
        self._declared = True
        for gate in self.world.gates:
            rank = len(self.world.shapes.get(gate.name, ()))
            try:
                self.functions.declare(gate.function, rank, self.pointwise(gate.argument, rank), gate.name.name)
            except Unsupported:
                continue  # a preactivation without a normal form: nothing is known to be equal to this gate

    def difference(self, a: Tensor, b: Tensor) -> Polynomial:
        """a - b; empty exactly when the normal forms are equal."""
        if self.world.functions(a, b):
            self._declare()
        return added(self.tensor(a), self.tensor(b), -1)


def _size(k: int, sizes: dict[int, Size], term: Term) -> Size:
    """The size of an index; one that stands only in identities has that of the index it is identified with."""
    todo, seen = [k], set()
    while todo:
        i = todo.pop()
        if i in sizes:
            return sizes[i]
        seen.add(i)
        todo += [j for f in term.factors if f.value == IDENTITY and i in f.indices for j in f.indices if j not in seen]
    raise Unsupported("a sum over an index of unknown size")


def block_name(part: int, sizes: tuple[Size, ...]) -> str:
    """One name for equal blocks of concatenations."""
    return f"E⟨{part}|{','.join(map(str, sizes))}⟩"
