r"""The two rules of differentiation, and nothing else.

Pointwise:  for y = e(a, b, …), entry by entry,   J(y) = Σ_a diag(∂e/∂a) J(a), with SymPy's own ``diff``.
Linear:     for a contraction T = Σ Π factors,    J(T) = Σ_k T with its k-th factor replaced by J(factor k);
            so J(U v) = U J(v).

A gate's slope is written in its own name: z = σ(a) has ∂z/∂a = z(1-z) by the table of activations.  A free vector function f
contributes its unknown Jacobian f' in the place of a matrix.  Both `jacobian` (forward) and `adjoint` (backward) read
`slope` and `linear_parts`, so there is one statement of each rule.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Mapping

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.language.functions import ROWS
from symgrad.language.program import Call, Program, free_jacobian
from symgrad.language.tensor import Factor, Tensor, Term, added, identity, scaled, tensor, zero


def slope(program: Program, y: sp.Symbol | None, expr: sp.Expr, atom: sp.Symbol) -> sp.Expr:
    """∂e/∂atom, entry by entry; if e is an activation of the atom and has the name y, its slope is written in y."""
    if y is not None and expr.args == (atom,):
        row = ROWS.get(expr.func)
        if row is not None:
            return sp.sympify(row.slope(y, atom))
    return sp.Add(*(_product_slope(term, atom) for term in sp.Add.make_args(expr)))


def _product_slope(term: sp.Expr, atom: sp.Symbol) -> sp.Expr:
    """∂(c e)/∂a = c ∂e/∂a.  Without c, `diff` would make 0·c on its way, and ask at length whether c is infinite."""
    constant, rest = term.as_independent(atom, as_Add=False)
    return constant * rest.diff(atom) if rest.has_free(atom) else sp.S.Zero


def linear_parts(value: Tensor) -> Iterator[tuple[Term, int]]:
    """Every place in a contraction that may depend on a variable: a term and the position of a factor in it."""
    for term in value.terms:
        for k in range(len(term.factors)):
            yield term, k


class Derivation:
    """∂(anything)/∂wrt for one program: each name's Jacobian is derived once; `held` names are constants.

    `steps` keeps, in the order of derivation, every named quantity's Jacobian: what a person would write line by line.
    """

    def __init__(self, program: Program, wrt: sp.Symbol, held: frozenset[sp.Symbol] = frozenset()) -> None:
        self.program, self.wrt, self.held = program, wrt, held
        self.wrt_shape = program.shapes[wrt]
        self.memo: dict[sp.Symbol, Tensor] = {}

    def of(self, target: sp.Symbol) -> Tensor:
        """J(target); depends on wrt through every path of the program."""
        for s in self.program.needed({target}):
            if s not in self.memo:
                self.memo[s] = self._derive(s)
        return self.memo[target]

    def _derive(self, s: sp.Symbol) -> Tensor:
        shape = self.program.shapes.get(s, ())
        if s == self.wrt:
            return identity(shape)
        if s in self.held:
            return zero(shape + self.wrt_shape)
        if s in self.program.equations:
            return self.pointwise(self.program.equations[s], s)
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.linear(atom)
        if isinstance(atom, Call):
            return self._free(atom, shape)
        return zero(shape + self.wrt_shape)

    def pointwise(self, expr: sp.Expr, name: sp.Symbol | None = None) -> Tensor:
        """Σ_a diag(∂e/∂a) J(a)."""
        shape = self.program.shape(expr)
        parts = []
        for a in sorted(expr.free_symbols, key=self.program._rank):
            inner = self._known(a)
            if inner.terms:
                parts.append(scaled(slope(self.program, name, expr, a), len(shape), inner))
        return added(shape + self.wrt_shape, parts)

    def linear(self, value: Tensor) -> Tensor:
        """Σ_k of the contraction with factor k replaced by its Jacobian, whose new indices come last."""
        r = value.rank
        new: list[Term] = []
        for term, k in linear_parts(value):
            f = term.factors[k]
            inner = self.linear(f.value) if isinstance(f.value, Tensor) else self.pointwise(f.value)
            if not inner.terms:
                continue
            top = max([r, *(i + 1 for g in term.factors for i in g.indices)])
            # the free indices of the result are 0 … r-1 and then those of wrt: summed indices move out of their way
            shift = {i: i if i < r else i + len(self.wrt_shape) for i in range(top)}
            moved = [Factor(g.value, tuple(shift[i] for i in g.indices)) for g in term.factors]
            moved[k] = Factor(inner, (*moved[k].indices, *range(r, r + len(self.wrt_shape))))
            new.append(Term(term.coefficient, tuple(moved)))
        return tensor(value.dims + self.wrt_shape, new)

    def _free(self, call: Call, shape: tuple[sp.Expr, ...]) -> Tensor:
        """J(f(u, …)) = f' J(u) + …"""
        parts = []
        for k, arg in enumerate(call.args):
            inner = self.pointwise(arg)
            if inner.terms:
                free, r = len(shape) + len(self.wrt_shape), len(self.program.shape(arg))
                summed = tuple(range(free, free + r))
                unknown = Factor(free_jacobian(call, k), (*range(len(shape)), *summed))
                parts.append(tensor(shape + self.wrt_shape, [Term(sp.S.One, (unknown, Factor(inner, (*summed, *range(len(shape), free)))))]))
        return added(shape + self.wrt_shape, parts)

    def _known(self, s: sp.Symbol) -> Tensor:
        if s not in self.memo:
            self.memo[s] = self._derive(s) if s in self.program.shapes else zero(self.wrt_shape)
        return self.memo[s]


def values(program: Program, given: Mapping[str, object]) -> dict[sp.Symbol, sp.Expr]:
    """``z=1, r=0`` as a substitution: exact numbers, fractions such as "1/2", or other symbols."""
    found: dict[sp.Symbol, sp.Expr] = {}
    for name, value in given.items():
        found[program.symbol(name)] = _value(value)
    return found


NUMBER = re.compile(r"[-+]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})(e[-+]?\d{1,3})?(/0*[1-9]\d{0,40})?")


def _value(value: object) -> sp.Expr:
    """An exact value; a float means the decimal number that it prints as."""
    if isinstance(value, sp.Expr):
        return value
    if isinstance(value, str) and value.strip().isidentifier():
        return sp.Symbol(value.strip())
    exact = isinstance(value, numbers.Rational)
    text = str(int(value) if isinstance(value, int) else value).strip() if exact or not isinstance(value, numbers.Real) else repr(float(value))
    if not NUMBER.fullmatch(text):
        raise SymgradError(f"{value!r} is neither a number, such as 1 or 1/2, nor a name")
    above, _, below = text.partition("/")
    return sp.Rational(above) / sp.Rational(below or 1)
