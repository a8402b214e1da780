r"""Degrees and numbers of indices, bounded without multiplying anything out: what the modular test needs to state its error.

Degrees: of a sum the largest, of a product their sum.  Indices: a term of the normal form has no more summed indices than its
factors bring along.  **Why that many are enough:** let D ≠ 0 be a difference of normal forms, G a term of D with the most indices, k of
them.  Give its indices k different values; the monomial in the *entries* of the names that arises then comes from no other term, for
a term with as many indices can give it only by a renaming of G, and a term with fewer uses fewer values.  So for n, m ≥ k the
difference is not the zero polynomial in the entries, and no identity of small matrices can fool a random evaluation.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import sympy as sp

from symgrad.decide.limits import Unsupported
from symgrad.decide.world import World, head
from symgrad.language.program import Call
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term


@dataclass(frozen=True, slots=True)
class Bound:
    """Of a rational function: summed indices, degrees of numerator and denominator, degree in values that are 0 or 1."""

    indices: int = 0
    above: int = 0
    below: int = 0
    bits: int = 0
    lone: int = 0  # summed indices at which nothing may stand, whose sum is the number n

    def __add__(self, other: Bound) -> Bound:
        above = max(self.above + other.below, other.above + self.below)
        bits = self.bits + other.bits if self.below or other.below else max(self.bits, other.bits)
        return Bound(max(self.indices, other.indices), above, self.below + other.below, bits, max(self.lone, other.lone))

    def __mul__(self, other: Bound) -> Bound:
        return Bound(
            self.indices + other.indices, self.above + other.above, self.below + other.below, self.bits + other.bits, self.lone + other.lone
        )

    def power(self, k: int) -> Bound:
        """The k-th power; a negative one exchanges numerator and denominator."""
        n = abs(k)
        above, below = (self.above, self.below) if k > 0 else (self.below, self.above)
        return Bound(self.indices * n, above * n, below * n, self.bits * n, self.lone * n)


UNKNOWN = Bound(above=1)
BIT = Bound(bits=1)
VALUES: dict[str, Callable[[Bound], Bound]] = {  # what a function adds to the degree, of its argument's bound
    "exp": lambda a: Bound(above=1, below=1),
    "step": lambda a: BIT,
    "sign": lambda a: BIT,
    "relu": lambda a: a * BIT,
    "abs": lambda a: a * BIT,
    "softplus": lambda a: UNKNOWN + a,
}


class Bounds:
    """The bounds of one world at sizes up to `size`; `arguments` are those of every function's arguments."""

    def __init__(self, world: World, size: int = 1) -> None:
        self.world, self.size = world, size
        self.arguments: list[tuple[int, Bound]] = []  # rank and bound
        self.functions: set[str] = set()
        self._tensors: dict[int, Bound] = {}  # by identity: a hash would walk the whole tensor
        self._pointwise: dict[sp.Expr, Bound] = {}
        self._bare: dict[tuple[int, int, bool], bool] = {}

    def tensor(self, value: Tensor) -> Bound:
        """The largest of the terms."""
        if id(value) not in self._tensors:
            terms = [self._term(t, value.rank) for t in value.terms]
            self._tensors[id(value)] = reduce(operator.add, terms) if terms else Bound()
        return self._tensors[id(value)]

    def _term(self, term: Term, rank: int) -> Bound:
        summed = {i for f in term.factors for i in f.indices if i >= rank}
        closed = bool(summed) and not _open(term, rank)
        parts = [Bound(indices=len(summed), lone=sum(self._lone(term, k, closed) for k in summed))] if summed else []
        for f in term.factors:
            if isinstance(f.value, Tensor):
                parts.append(self.tensor(f.value))
            elif f.value not in (IDENTITY, ONE):
                parts.append(self.pointwise(f.value))
        result = reduce(operator.mul, parts) if parts else Bound()
        if result.below:  # a sum of k fractions has the product of the k denominators
            k = self.size ** len(summed)
            result = Bound(result.indices, result.above + result.below * (k - 1), result.below * k, result.bits * k, result.lone)
        return result

    def _lone(self, term: Term, k: int, closed: bool) -> bool:
        return all(self._skips(f.value, p, closed) for f in term.factors for p, i in enumerate(f.indices) if i == k)

    def _skips(self, value: sp.Expr | Tensor, axis: int, closed: bool) -> bool:
        """Whether some term of the value may be constant along this axis; I is, unless it leads on to a free index (not `closed`)."""
        if not isinstance(value, Tensor):
            if value == IDENTITY:
                return closed
            return self._constant(value)
        if (id(value), axis, closed) not in self._bare:
            self._bare[id(value), axis, closed] = any(
                all(self._skips(f.value, p, closed) for f in t.factors for p, i in enumerate(f.indices) if i == axis) for t in value.terms
            )
        return self._bare[id(value), axis, closed]

    def _constant(self, e: sp.Expr) -> bool:
        """Whether a monomial of a pointwise expression may be a number: Σ_k (1 - z_k) is n - Σ_k z_k."""
        if e.is_Symbol:
            if e in self.world.definitions:
                return self._constant(self.world.definitions[e])
            atom = self.world.atoms.get(e)
            if isinstance(atom, Tensor):
                return any(self._skips(atom, axis, True) for axis in range(atom.rank))
            return not self.world.shapes.get(e)
        if e.is_Add:
            return any(map(self._constant, e.args))
        if e.is_Mul or e.is_Pow:
            return all(map(self._constant, e.args))
        return True  # σ(-a) = 1 - σ(a)

    def pointwise(self, e: sp.Expr) -> Bound:
        """The bound of a pointwise expression."""
        if e not in self._pointwise:
            self._pointwise[e] = self._expression(e)
        return self._pointwise[e]

    def _expression(self, e: sp.Expr) -> Bound:
        if e.is_Symbol:
            return self._symbol(e)
        if e.is_Number:
            return Bound()
        if e.is_Add or e.is_Mul:
            result = self.pointwise(e.args[0])
            for a in e.args[1:]:
                result = result + self.pointwise(a) if e.is_Add else result * self.pointwise(a)
            return result
        if e.is_Pow and e.exp.is_Integer:
            return self.pointwise(e.base).power(int(e.exp.p))
        found = head(e)
        if found is None:
            raise Unsupported(f"the operation {type(e).__name__} in {e}")
        inner = [self.pointwise(a) for a in found[1]]
        self.arguments += [(len(self.world.shape(a)), b) for a, b in zip(found[1], inner, strict=True)]
        self.functions.add(found[0])
        rule = VALUES.get(found[0])
        return rule(inner[0]) if rule else UNKNOWN

    def _symbol(self, s: sp.Symbol) -> Bound:
        if s in self.world.definitions:
            return self.pointwise(self.world.definitions[s])
        if s in self.world.blocks:
            return Bound()
        atom = self.world.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.tensor(atom)
        if isinstance(atom, Call):
            self.arguments += [(len(self.world.shape(a)), self.pointwise(a)) for a in atom.args]
            self.functions.add(atom.function)
        return UNKNOWN

    def gates(self) -> None:
        """Count the gates' own arguments too: they matter as soon as a function is applied to anything."""
        for gate in self.world.gates:
            self.arguments.append((len(self.world.shapes.get(gate.name, ())), self.pointwise(gate.argument)))
            self.functions.add(gate.function)


def _open(term: Term, rank: int) -> bool:
    """Whether the factors form trees, each with a free index: then identities never leave an index with nothing at it."""
    parent: dict[int, int] = {}

    def find(i: int) -> int:
        while parent.setdefault(i, i) != i:
            i = parent[i]
        return i

    for f in term.factors:
        roots = [find(i) for i in f.indices]
        if len(set(roots)) < len(roots):
            return False
        for r in roots[1:]:
            parent[find(r)] = find(roots[0])
    free = {find(i) for i in range(rank)}
    return all(find(i) in free for i in list(parent))
