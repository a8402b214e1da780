r"""Bounds of ‖J‖ by the norms of the weights, read off the derived Jacobian: no cell is known here.

.. math:: ‖A + B‖ ≤ ‖A‖ + ‖B‖, \qquad ‖A B‖ ≤ ‖A‖ ‖B‖, \qquad ‖\operatorname{diag}(v)‖ = \max_i |v_i|

The largest |v| is proved by `bound`, every σ in (0, 1), every tanh in (-1, 1) and a state in [-1, 1] where its equation keeps it there.  So
the GRU has ‖J‖ ≤ 1 + ½ ‖U_z‖ + ‖U_h‖ (1 + ¼ ‖U_r‖).  ‖·‖ is the spectral norm, or any other norm for which the three rules hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp

from symgrad.bounds.bound import Enclosure, enclosed
from symgrad.bounds.domain import Domain
from symgrad.bounds.exact import pretty
from symgrad.bounds.interval import INF
from symgrad.bounds.ranges import NAMES, NotBounded
from symgrad.calculus.jacobian import Derivative
from symgrad.errors import SymgradError
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term
from symgrad.notation.derivation import left_side
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Node
from symgrad.notation.text import text
from symgrad.notation.write import Writer

UNIT = Domain(sp.S.Zero, sp.S.One, (True, True))
OPEN = Domain(-sp.S.One, sp.S.One, (True, True))
CLOSED = Domain(-sp.S.One, sp.S.One, (False, False))
RANGES = {"sigmoid": UNIT, "tanh": OPEN}


@dataclass(frozen=True, slots=True)
class Lemma:
    """|v| ≤ `bound` for a pointwise factor, with the enclosure that proves it in other names (None: taken as a parameter)."""

    factor: sp.Expr
    bound: sp.Expr
    domains: Mapping[sp.Symbol, Domain]
    enclosure: Enclosure | None

    def text(self, writer: Writer, names: Mapping[sp.Symbol, sp.Symbol]) -> str:
        """The lemma in the names of the program."""
        said = f"|{text(writer.expression(self.factor))}| ≤ {_text(self.bound.xreplace(names))}"
        if self.enclosure is None:
            return said
        where = ", ".join(f"{text(writer.symbol(s))} ∈ {d}" for s, d in self.domains.items() if s in self.factor.free_symbols)
        attained = {True: "attained", False: "not attained", None: ""}[self.enclosure.high.attained]
        return ", ".join(part for part in (f"{said} for {where}" if where else said, attained) if part)


@dataclass(frozen=True)
class NormBound:
    """‖J‖ ≤ `expression`, in the symbols ‖U‖ of the weights' norms."""

    jacobian: Derivative
    expression: sp.Expr
    lemmas: tuple[Lemma, ...]
    invariants: tuple[str, ...]
    norms: Mapping[sp.Symbol, sp.Symbol] = field(default_factory=dict)  # a weight, or an unbounded vector, → the symbol of its norm

    def at(self, values: Mapping[str, Any]) -> Any:
        """The bound for given norms, numbers or arrays of them, by the names of the weights."""
        return _value(self.expression, {s: values[w.name] for w, s in self.norms.items()})

    @property
    def writer(self) -> Writer:
        """What sets the names of the program."""
        return Writer(self.jacobian.program)

    def _named(self) -> dict[sp.Symbol, tuple[Node, str]]:
        """What each norm is a norm of, and which: the largest entry of a vector has an ∞."""
        return {norm: (self.writer.symbol(s), "∞" * norm.name.endswith("∞")) for s, norm in self.norms.items()}

    def _spelled(self) -> dict[sp.Symbol, sp.Symbol]:
        return {norm: sp.Symbol(f"‖{text(node)}‖{'_' * bool(which)}{which}") for norm, (node, which) in self._named().items()}

    def text(self) -> str:
        """The right side in Unicode."""
        return _text(self.expression.xreplace(self._spelled()))

    def numpy(self) -> str:
        """The right side as NumPy, a name that has one being its value before the step: ``1 + np.linalg.norm(U_z, 2)/2``."""
        old = {s.name: f"{s.name}_prev" for s in self.jacobian.program.states}
        names = {norm: " @ ".join(old.get(part, part) for part in s.name.split("@")) for s, norm in self.norms.items()}
        code = {norm: f"np.abs({name}).max()" if norm.name.endswith("∞") else f"np.linalg.norm({name}, 2)" for norm, name in names.items()}
        return str(sp.sstr(self.expression.xreplace({norm: sp.Symbol(text) for norm, text in code.items()}), order="none"))

    def latex(self) -> str:
        """The right side as LaTeX."""
        names = {norm: rf"\lVert {latex(node)} \rVert" + r"_\infty" * bool(which) for norm, (node, which) in self._named().items()}
        return str(sp.latex(self.expression, symbol_names=names, order="none"))

    def proof(self) -> list[str]:
        """The lemmas and the invariants, a line each."""
        return [*(lemma.text(self.writer, self._spelled()) for lemma in self.lemmas), *self.invariants]

    def left(self) -> Node:
        """∂of/∂wrt."""
        return left_side(self.writer, self.jacobian.of, self.jacobian.wrt)

    def __str__(self) -> str:
        return f"‖{text(self.left())}‖ ≤ {self.text()}"


class Norms:
    """Norms of tensors of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lemmas: dict[sp.Expr, Lemma] = {}
        self.norms: dict[sp.Symbol, sp.Symbol] = {}

    @cached_property
    def invariant(self) -> dict[sp.Symbol, str]:
        """The states that stay in [-1, 1]: by their function, or because their equation maps it into itself."""
        out: dict[sp.Symbol, str] = {}
        for old, new in self.program.updates.items():
            update = self.program.inlined(self.program.equations[new])
            where = {s: d for s in update.free_symbols if (d := self._range(s)) is not None}
            bare = update.xreplace({a: sp.Symbol(f"a{k}", real=True) for k, a in enumerate(sorted(update.free_symbols - {*where, old}, key=str))})
            unknown = _outside(bare) - where.keys()
            for assumed in (CLOSED,) if old in unknown else (None,):
                if unknown - {old}:
                    break
                here = {s: d for s, d in where.items() if s in bare.free_symbols} | ({old: assumed} if assumed and old in bare.free_symbols else {})
                try:
                    e = _enclosed(bare, here)
                except SymgradError:
                    break
                if e.lower >= -1 and e.upper <= 1:
                    how = "its equation maps [-1, 1] into itself" if assumed else "whatever the state before was"
                    shown = text(Writer(self.program).symbol(new))
                    out[old] = out[new] = f"{shown} ∈ [-1, 1]: {how}" + (", and it starts there" if assumed else "")
                    break
        return out

    def _range(self, s: sp.Symbol) -> Domain | None:
        e = self.program.equations.get(next((now for now, past in self.program.past.items() if past == s), s))
        return RANGES.get(NAMES.get(e.func, "")) if e is not None and not e.is_Symbol else None

    def domain(self, s: sp.Symbol) -> Domain | None:
        """Where a name's entries live, None if anywhere."""
        return self._range(s) or (CLOSED if s in self.invariant else None)

    def norm(self, t: Tensor) -> sp.Expr:
        """‖T‖ of a matrix, or a product of diagonals and matrices."""
        return sp.Add(*(self._term(term, t.rank) for term in t.terms))

    def _term(self, term: Term, rank: int) -> sp.Expr:
        diagonals: dict[int, list[sp.Expr]] = {}
        result = sp.Abs(term.coefficient)
        for f in term.factors:
            if isinstance(f.value, Tensor):
                if len(f.indices) > 2 or len(set(f.indices)) != len(f.indices):
                    raise SymgradError("a bound of the norm is read off products of matrices and diagonals; this Jacobian is another contraction")
                result *= self.norm(f.value)
            elif f.value in (IDENTITY, ONE) or f.value in self.program.constants:
                continue  # ‖I‖ = 1, and so is the norm of a block [I; 0]
            elif len(f.indices) <= 1:
                diagonals.setdefault(f.indices[0] if f.indices else -1, []).append(f.value)
            elif f.value.is_Symbol and len(set(f.indices)) == 2:
                result *= self.symbol(f.value)
            else:
                raise SymgradError("a bound of the norm is read off products of matrices and diagonals; this Jacobian is another contraction")
        if not self._path(term, rank):
            raise SymgradError("a bound of the norm is read off products of matrices and diagonals; this Jacobian is another contraction")
        for parts in diagonals.values():
            result *= sp.Mul(*map(self.largest, _apart(self.program.inlined(sp.Mul(*parts)))))
        return result

    def _path(self, term: Term, rank: int) -> bool:
        """Whether the factors of two indices form a chain from the first free index to the second."""
        pairs = [set(f.indices) for f in term.factors if len(f.indices) == 2]
        at, end = 0, 1
        while pairs and at != end:
            step = next((p for p in pairs if at in p), None)
            if step is None:
                return False
            pairs.remove(step)
            at = next(iter(step - {at}))
        return rank == 2 and not pairs and at == end

    def symbol(self, s: sp.Symbol) -> sp.Symbol:
        """‖s‖; of a vector its largest entry."""
        vector = len(self.program.shapes.get(s, ())) == 1
        return self.norms.setdefault(s, sp.Symbol(f"‖{s.name.replace('@', ' ')}‖{'_∞' * vector}", nonnegative=True))

    def largest(self, v: sp.Expr) -> sp.Expr:
        """max |v| over the ranges of its names; a name without a range is a parameter, unless v is bounded whatever it is."""
        if v not in self.lemmas:
            domains = {s: d for s in sorted(v.free_symbols, key=self.program._rank) if (d := self.domain(s)) is not None}
            self.lemmas[v] = self._lemma(v, domains)
        return self.lemmas[v].bound

    def _lemma(self, v: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> Lemma:
        try:
            if v.has(sp.Derivative):
                raise NotBounded("an activation left open has no bound of its slope")
            e = _enclosed(sp.Abs(v), domains) if not _outside(v) - domains.keys() else None
        except NotBounded as why:
            raise SymgradError(f"the norm cannot be bounded: {why}") from None
        if e is not None and e.upper < INF:
            return Lemma(v, _number(e), domains, e)
        known: list[sp.Expr] = []
        open_: list[sp.Expr] = []
        for factor in sp.Mul.make_args(sp.factor_terms(v)):
            (open_ if _outside(factor) - domains.keys() else known).append(factor)
        total = self._top(sp.Mul(*known), domains)
        for factor in open_:
            base, exponent = factor.as_base_exp()
            if not (exponent.is_Integer and exponent > 0):
                raise SymgradError(f"{pretty(v)} is not bounded by the norms of its names")
            total *= sp.Add(*(self._monomial(term, domains) for term in sp.Add.make_args(sp.expand(base)))) ** exponent
        return Lemma(v, total, domains, None)

    def _monomial(self, term: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> sp.Expr:
        """|a term|: its known factors at their largest, the unknown ones by their norms."""
        powers = term.as_powers_dict()
        unknown = {b: k for b, k in powers.items() if b.is_Symbol and b not in domains and k.is_Integer and k > 0}
        rest = sp.Mul(*(b**k for b, k in powers.items() if b not in unknown))
        if _outside(rest) - domains.keys():
            raise SymgradError(f"{pretty(term)} is not bounded by the norms of its names")
        return self._top(rest, domains) * sp.Mul(*(self.symbol(b) ** k for b, k in unknown.items()))

    def _top(self, v: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> sp.Expr:
        e = _enclosed(sp.Abs(v), {s: d for s, d in domains.items() if v.has(s)})
        if e.upper == INF:
            raise SymgradError(f"{pretty(v)} is not bounded by the norms of its names")
        return _number(e)


def _enclosed(v: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> Enclosure:
    """`enclosed`, remembered: the same few factors stand in every cell, under other names."""
    names = {s: sp.Symbol(f"x{k}", real=True) for k, s in enumerate(sorted(v.free_symbols, key=str))}
    return _remembered(v.xreplace(names), tuple((names[s], d) for s, d in domains.items() if s in names))


@lru_cache(512)
def _remembered(v: sp.Expr, domains: tuple[tuple[sp.Symbol, Domain], ...]) -> Enclosure:
    return enclosed(v, dict(domains))


def _apart(v: sp.Expr) -> list[sp.Expr]:
    """The factors of v, those with a name in common together: max |a b| ≤ max |a| max |b|, with = where a and b share no name."""
    groups: list[list[sp.Expr]] = []
    for factor in sp.Mul.make_args(v):
        near = [g for g in groups if any(factor.free_symbols & f.free_symbols for f in g)]
        groups = [g for g in groups if g not in near] + [[factor, *(f for g in near for f in g)]]
    return [sp.Mul(*g) for g in groups]


def _outside(v: sp.Expr) -> set[sp.Symbol]:
    """The names that do not only stand in arguments of functions."""
    return set(v.xreplace({f: sp.Dummy() for f in v.atoms(sp.Function)}).free_symbols) & set(v.free_symbols)


def _value(e: sp.Expr, norms: Mapping[sp.Symbol, Any]) -> Any:
    """A polynomial of norms at numbers or arrays."""
    if e.is_Symbol:
        return norms[e]
    if e.is_Pow:
        return _value(e.base, norms) ** int(e.exp)
    return sum(_value(a, norms) for a in e.args) if e.is_Add else math.prod(_value(a, norms) for a in e.args) if e.is_Mul else float(e)


def _text(e: sp.Expr) -> str:
    """An expression on one line, its terms as they were found."""
    return pretty(sp.sstr(e, order="none"))


def _number(e: Enclosure) -> sp.Expr:
    """sup, exactly or as a fraction above it."""
    return e.maximum if e.maximum is not None else sp.Rational(sp.ceiling(sp.Rational(e.upper) * 10**9), 10**9)


def norm_bound(jacobian: Derivative) -> NormBound:
    """‖∂of/∂wrt‖ ≤ a formula in the norms of the weights; raises `SymgradError` where J is no sum of products of matrices."""
    norms = Norms(jacobian.program)
    expression = norms.norm(jacobian.tensor)
    used = {s for lemma in norms.lemmas.values() for s in lemma.factor.free_symbols}
    invariants = tuple(dict.fromkeys(said for s, said in norms.invariant.items() if s in used and norms._range(s) is None))
    return NormBound(jacobian, expression, tuple(norms.lemmas.values()), invariants, norms.norms)


__all__ = ["NormBound", "norm_bound"]
