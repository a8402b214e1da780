r"""What a claim says: a function of the cell's names, a SymPy expression, another derivative or a tensor, as a `Tensor` with its atoms.

A claim function is traced by the tracer of cells, so it is NumPy: ``*`` is entry by entry, ``@`` the matrix product.  Vectors stay pointwise
expressions as they were written, sums of matrices become terms, so that a wrong one can be pointed out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import sympy as sp

from symgrad.decide.explicit import SizesDiffer, from_explicit
from symgrad.decide.limits import Unsupported
from symgrad.decide.matrixexpr import from_matrixexpr, in_names
from symgrad.errors import CellError, SymgradError
from symgrad.language.activations import FreeActivation, FreeFunction
from symgrad.language.functions import applied
from symgrad.language.matrices import tracing
from symgrad.language.program import Call, Program
from symgrad.language.shapes import Dim, Shape, describe
from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term, added, tensor
from symgrad.language.trace import Trace, Traced

HYPERBOLIC = (sp.sinh, sp.cosh, sp.coth, sp.sech, sp.csch)


@dataclass(frozen=True)
class Claim:
    """A tensor, and the program that knows its names and atoms; `scalar` if it was written for scalars, `sizes` if for these sizes only."""

    program: Program
    tensor: Tensor
    scalar: bool = False
    sizes: Mapping[sp.Symbol, int] = field(default_factory=dict)


class ShapesDoNotFit(SymgradError):
    """As matrices the claim has no meaning, or another shape; the message says where."""


def read(claimed: Any, program: Program, dims: tuple[sp.Expr, ...], reading: str = "matrix") -> Claim:
    """The claim, for a derivative of this program and shape.

    Raises `ShapesDoNotFit` where only the sizes are wrong, `SymgradError` for a claim that cannot be read.
    """
    if isinstance(claimed, Tensor):
        return Claim(program, claimed)
    if hasattr(claimed, "tensor") and hasattr(claimed, "program"):
        return _derivative(claimed.tensor, claimed.program, program)
    if isinstance(claimed, sp.MatrixBase | sp.NDimArray):
        try:
            program, value, sizes = from_explicit(claimed, program, dims)
        except SizesDiffer as e:
            raise ShapesDoNotFit(str(e)) from None
        return Claim(program, value, sizes=sizes)
    if isinstance(claimed, sp.MatrixExpr):
        return Claim(*from_matrixexpr(claimed, program))
    if isinstance(claimed, int | float | sp.Number) and claimed == 0:
        return Claim(program, Tensor(dims, ()))
    if isinstance(claimed, int | float | sp.Expr) and not isinstance(claimed, bool):
        return Claim(program, _scalar(sp.sympify(claimed), program), scalar=True)
    if callable(claimed):
        return _traced(claimed, program, dims, unit=reading == "scalar")
    raise SymgradError(f"a claim is a function of the cell's names, a SymPy expression or a derivative, not {type(claimed).__name__}")


def _derivative(claimed: Tensor, theirs: Program, ours: Program) -> Claim:
    """A tensor of another program, in the names of ours; what the two define differently is written out."""
    atoms: dict[sp.Symbol, Tensor | Call] = {}
    shapes: dict[sp.Symbol, tuple[sp.Expr, ...]] = {}

    @cache
    def same(s: sp.Symbol) -> bool:
        """Whether a name means the same in both."""
        mine, other = ({**p.equations, **p.atoms}.get(s) for p in (ours, theirs))
        return mine == other and all(same(t) for e in theirs.uses(s) for t in e.free_symbols)

    @cache
    def value(s: sp.Symbol) -> sp.Expr:
        if same(s):
            return s
        if s in theirs.equations:
            return written(theirs.equations[s])
        new, atom = sp.Symbol(f"{theirs.name}:{s}"), theirs.atoms.get(s)
        if atom is not None:
            atoms[new] = atom.map(written) if isinstance(atom, Tensor) else Call(atom.function, tuple(map(written, atom.args)))
        shapes[new] = theirs.shapes[s]
        return new

    def written(e: sp.Expr) -> sp.Expr:
        changed = {s: value(s) for s in e.free_symbols if not same(s)}
        return sp.sympify(e.subs(changed) if e.has(sp.Derivative, sp.Subs) else e.xreplace(changed)) if changed else e

    if ours is theirs:
        return Claim(ours, claimed)
    if not all(same(s) for s in (*theirs.past, *ours.past)):
        raise Unsupported("the two cells differ in what they compute, and so may the values of the step before")
    moved = claimed.map(written)
    joined = replace(
        ours,
        atoms={**theirs.atoms, **ours.atoms, **atoms},
        shapes={**theirs.shapes, **ours.shapes, **shapes},
        constants={**theirs.constants, **ours.constants},
        past={**theirs.past, **ours.past},
    )
    return Claim(joined, moved)


def _scalar(e: sp.Expr, program: Program) -> Tensor:
    """An expression of scalars."""
    if e.has(*HYPERBOLIC):
        e = sp.sympify(e.replace(lambda f: isinstance(f, HYPERBOLIC), lambda f: f.rewrite(sp.exp)))
    return tensor((), [Term(sp.S.One, (Factor(in_names(e, program), ()),))])


def _traced(function: Callable[..., Any], program: Program, dims: tuple[sp.Expr, ...], unit: bool) -> Claim:
    try:
        return _Reader(function, program, dims, unit).claim()
    except CellError as e:
        if unit:
            raise
        try:
            _Reader(function, program, dims, unit=True).claim()
        except CellError:
            raise e from None
        raise ShapesDoNotFit(str(e)) from None


@dataclass
class _Reader:
    """One tracing of one claim function."""

    function: Callable[..., Any]
    program: Program
    dims: tuple[sp.Expr, ...]
    unit: bool  # every size is 1, so that all shapes of one rank fit
    letters: dict[sp.Expr, Dim] = field(default_factory=dict)
    atoms: dict[sp.Symbol, Tensor | Call] = field(default_factory=dict)
    shapes: dict[sp.Symbol, tuple[sp.Expr, ...]] = field(default_factory=dict)

    def claim(self) -> Claim:
        """Call the function with traced values and read what it returns."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if code is None:
            raise SymgradError(f"a claim is a function written in Python, with the cell's names as its arguments, not {self.function!r}")
        trace = Trace(code)
        parameters = inspect.signature(self.function).parameters.values()
        leaves: dict[str, Traced] = {}
        for p in parameters:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                raise SymgradError(f"a claim names what it uses: *{p.name} is not possible")
            if p.default is not p.empty and p.name not in self.program.names:
                continue  # a constant of the claim's own
            s = self.program.symbol(p.name)
            leaves[p.name] = Traced(trace, "leaf", (s,), self._shape(self.program.shapes.get(s, ())), code.co_firstlineno)
        positional = [leaves[p.name] for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in leaves]
        keyword = {p.name: leaves[p.name] for p in parameters if p.kind is not p.POSITIONAL_ONLY and p.name in leaves}
        with tracing(trace):
            result = self.function(*positional, **keyword)
        if not isinstance(result, Traced):
            if isinstance(result, int | float) and result == 0:
                return Claim(self.program, Tensor(self.dims, ()))
            if not isinstance(result, int | float):
                raise SymgradError(f"the claim returned {type(result).__name__}, which depends on none of its arguments")
            return Claim(self.program, _scalar(sp.Rational(str(result)), self.program), scalar=True)
        if not result.shape.settle(len(self.dims)):
            if self.unit or (result.shape.rank == 0 and not _has_axes(result)):
                return self._finish(result, scalar=True)
            trace.fail(f"the claim is {describe(result.shape)}, the derivative {describe(self._shape(self.dims))}", code.co_firstlineno)
        if not result.shape.unify(self._shape(self.dims)):
            trace.fail(f"the claim is {self._words(result)}, the derivative {' × '.join(map(str, self.dims))}", code.co_firstlineno)
        return self._finish(result)

    def _finish(self, result: Traced, scalar: bool = False) -> Claim:
        value = self.tensor(result)
        program = replace(self.program, atoms={**self.program.atoms, **self.atoms}, shapes={**self.program.shapes, **self.shapes})
        return Claim(program, value, scalar)

    def _words(self, node: Traced) -> str:
        return " × ".join(map(str, self._dims(node)))

    # -- shapes -------------------------------------------------------------------------------------------------------------

    def _shape(self, dims: tuple[sp.Expr, ...]) -> Shape:
        return Shape([self._dim(d) for d in dims])

    def _dim(self, size: sp.Expr) -> Dim:
        key = sp.S.One if self.unit else size
        if key not in self.letters:
            self.letters[key] = Dim(letter=str(key))
        return self.letters[key]

    def _dims(self, node: Traced) -> tuple[sp.Expr, ...]:
        back = {d.find(): s for s, d in self.letters.items()}
        found = []
        for d in node.shape.dims or ():
            if d.find() not in back:
                back[d.find()] = sp.Symbol(f"k{len(back)}", integer=True, positive=True)  # a size that nothing fixes
                self.letters[back[d.find()]] = d.find()
            found.append(back[d.find()])
        return tuple(found)

    # -- values -------------------------------------------------------------------------------------------------------------

    def plain(self, node: Traced) -> bool:
        """Whether a node is one pointwise expression, no contraction inside."""
        if node.op == "leaf" or node.op == "const":
            return True
        if node.op in ("+", "-", "*", "/"):
            ranks = {a.shape.rank for a in node.args if a.op != "const" and a.shape.rank != 0}
            return len(ranks) <= 1 and (node.op not in ("+", "-") or (node.shape.rank or 0) < 2) and all(map(self.plain, node.args))
        if node.op == "**":
            return self.plain(node.args[0])
        return node.op not in ("einsum", "eye", "ones", "concatenate") and not isinstance(node.op, FreeFunction)

    def expression(self, node: Traced) -> sp.Expr:
        """A node as a pointwise expression; a contraction in it becomes an atom."""
        if node.op == "leaf":
            return node.args[0]
        if node.op == "const":
            return sp.Rational(node.args[0].numerator, node.args[0].denominator)
        if not self.plain(node):
            return self._atom(node)
        if node.op in ARITHMETIC:
            return ARITHMETIC[node.op](*map(self.expression, node.args))
        if node.op == "**":
            return self.expression(node.args[0]) ** node.args[1]
        inner = self.expression(node.args[0])
        if node.op == "sqrt":
            return sp.sqrt(inner)
        return applied(node.op.name if isinstance(node.op, FreeActivation) else node.op, inner)

    def _atom(self, node: Traced) -> sp.Symbol:
        value = self.tensor(node)
        for known in (self.atoms, self.program.atoms):
            for s, atom in known.items():
                if atom == value:
                    return s
        s = sp.Symbol(f"claim#{len(self.atoms)}")
        self.atoms[s], self.shapes[s] = value, value.dims
        return s

    def tensor(self, node: Traced) -> Tensor:
        """A node as a sum of terms."""
        dims = self._dims(node)
        r = len(dims)
        every = tuple(range(r))
        if self.plain(node):
            return tensor(dims, [Term(sp.S.One, (Factor(self.expression(node), every),))])
        if node.op in ("+", "-"):
            sign = 1 if node.op == "+" else -1
            left, right = (self._spread(a, dims) for a in node.args)
            return added(dims, [left, tensor(dims, [Term(sign * t.coefficient, t.factors) for t in right.terms])])
        if node.op == "*":
            return tensor(dims, [Term(sp.S.One, tuple(self._factor(a, r) for a in node.args))])
        if node.op == "/":
            below = Factor(1 / self.expression(node.args[1]), self._factor(node.args[1], r).indices)
            return tensor(dims, [Term(sp.S.One, (self._factor(node.args[0], r), below))])
        if node.op == "**":
            s = self._atom(node.args[0])
            return tensor(dims, [Term(sp.S.One, (Factor(s ** node.args[1], every),))])
        if node.op == "eye":
            return tensor(dims, [Term(sp.S.One, (Factor(IDENTITY, (0, 1)),))])
        if node.op == "ones":
            return tensor(dims, [Term(sp.S.One, (Factor(ONE, (0,)),))])
        if node.op == "einsum":
            labels, out, args = node.args
            names = {i: k for k, i in enumerate(out)}
            for i in (i for at in labels for i in at):
                names.setdefault(i, len(names))
            parts = tuple(self._factor_at(a, tuple(names[i] for i in at)) for a, at in zip(args, labels, strict=True))
            return tensor(dims, [Term(sp.S.One, parts)])
        if isinstance(node.op, FreeFunction):
            s = sp.Symbol(f"claim#{len(self.atoms)}")
            self.atoms[s], self.shapes[s] = Call(node.op.name, tuple(map(self.expression, node.args))), dims
            return tensor(dims, [Term(sp.S.One, (Factor(s, every),))])
        raise SymgradError(f"{node.op} is not possible in a claim")

    def _factor(self, node: Traced, rank: int) -> Factor:
        """A factor of an entrywise product: along the last axes, as NumPy broadcasts."""
        low = node.shape.rank or 0
        return self._factor_at(node, tuple(range(rank - low, rank)))

    def _factor_at(self, node: Traced, at: tuple[int, ...]) -> Factor:
        if node.op == "const":
            return Factor(self.expression(node), ())
        return Factor(self.expression(node) if self.plain(node) else self.tensor(node), at)

    def _spread(self, node: Traced, dims: tuple[sp.Expr, ...]) -> Tensor:
        """A summand of lower rank, repeated along the axes that it lacks."""
        low = 0 if node.op == "const" else node.shape.rank or 0
        if low == len(dims):
            return self.tensor(node)
        missing = len(dims) - low
        return tensor(dims, [Term(sp.S.One, (*(Factor(ONE, (k,)) for k in range(missing)), self._factor_at(node, tuple(range(missing, len(dims))))))])


def _has_axes(node: Traced) -> bool:
    """Whether vectors or matrices went into a value."""
    return bool(node.shape.rank) or any(_has_axes(a) for a in (node.args[2] if node.op == "einsum" else node.args) if isinstance(a, Traced))


ARITHMETIC: Mapping[str, Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
