"""Derivatives and equations as SymPy: a `MatrixExpr` in symbolic sizes, an explicit matrix, or a scalar `Expr`.

Names are the user's own, without assumptions: ``Symbol("z")`` as a scalar, ``MatrixSymbol("z", n, 1)`` as a vector.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.printing.precedence import PRECEDENCE, precedence

from symgrad.errors import SymgradError
from symgrad.language.program import Call, Program
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term
from symgrad.notation import forms

NUMPY_CODE = {  # what lambdify writes for an activation of a whole array
    "relu": "numpy.maximum(0, {0})",
    "softplus": "numpy.logaddexp(0, {0})",
    "step": "numpy.heaviside({0}, 0)",
    "abs": "numpy.abs({0})",
    "sign": "numpy.sign({0})",
}


class Elementwise(ElementwiseApplyFunction):  # type: ignore[misc]
    r"""f applied entry by entry, which SymPy's own node can neither print as f(a) nor lambdify; f may be 1 - a² too."""

    @property
    def precedence(self) -> int:
        """How tightly the printers take it to bind: as f(a) does."""
        return int(precedence(self.function.expr))

    def _latex(self, printer: Any) -> str:
        inner = sp.Symbol(printer._print(self.expr))  # a name that prints as itself
        return str(printer._print(self.function(inner)))

    def _sympystr(self, printer: Any) -> str:
        inner = printer._print(self.expr)
        bare = precedence(self.expr) >= PRECEDENCE["Atom"] or isinstance(self.function.expr, sp.Function)
        return str(printer._print(self.function(sp.Symbol(inner if bare else f"({inner})"))))

    def _numpycode(self, printer: Any) -> str:
        inner = printer._print(self.expr)
        name = self.function.expr.func.__name__
        if name in NUMPY_CODE:
            return NUMPY_CODE[name].format(inner)
        applied = self.function(sp.Symbol(f"({inner})"))
        return str(printer._print(applied.rewrite(sp.exp) if name == "sigmoid" else applied))

    _scipycode = _numpycode

    def doit(self, **hints: Any) -> Any:
        # SymPy's doit merges f(g(a)) into one Lambda of its own class and so forgets this one
        return self.func(self.function, self.expr.doit(**hints)) if hints.get("deep", True) else self


def sizes(program: Program, n: int | None, m: int | None) -> dict[sp.Symbol, sp.Expr]:
    """A number for every size letter: n, m (by default n), and n for whatever other letters there are."""
    if n is None:
        return {}
    for size in (n, n if m is None else m):
        if not isinstance(size, int) or size < 1:
            raise SymgradError(f"a size is a whole number from 1 on, not {size!r}")
    letters = {s for shape in program.shapes.values() for d in shape for s in d.free_symbols}
    return {s: sp.Integer(m if s.name == "m" and m is not None else n) for s in letters}


def tensor_sympy(program: Program, value: Tensor, form: str = "matrix", n: int | None = None, m: int | None = None) -> Any:
    """A tensor as SymPy in the form asked for; preactivations without a name of their own are written out."""
    value, program = value.map(program.inlined), program.written_out
    if form == "scalar":
        return Scalars(program).tensor(value)
    if form != "matrix":
        raise SymgradError(f"form={form!r}: SymPy has the forms 'matrix' and 'scalar'; explicit components are .sympy(n=2)")
    if n is None:
        return Matrices(program).tensor(value)
    return Components(program, sizes(program, n, m)).array(value)


def equations(program: Program, form: str = "matrix", n: int | None = None, m: int | None = None) -> list[sp.Eq]:
    """The update equations as `sympy.Eq`, preactivations written out."""
    rows = [(s, program.inlined(e)) for s, e in program if s not in program.implicit]
    program = program.written_out
    if form == "scalar":
        scalars = Scalars(program)
        return [sp.Eq(s, scalars.pointwise(e), evaluate=False) for s, e in rows]
    if n is None:
        matrices = Matrices(program)
        return [sp.Eq(matrices.name(s), matrices.pointwise(e, program.shapes[s]), evaluate=False) for s, e in rows]
    parts = Components(program, sizes(program, n, m))
    return [sp.Eq(parts.vector(s, program.shapes[s]), parts.vector(e, program.shapes[s]), evaluate=False) for s, e in rows]


class Scalars:
    """Every size is 1: names are commuting symbols, products are products."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def tensor(self, value: Tensor) -> sp.Expr:
        return sp.Add(*(self._term(t) for t in value.terms))

    def _term(self, term: Term) -> sp.Expr:
        factors = [f for f in term.factors if f.value not in (IDENTITY, ONE)]
        blocks = {f.indices[0]: f.value for f in factors if f.value in self.program.constants}
        out = [term.coefficient]
        for f in factors:
            if f.value in self.program.constants:
                continue
            met = [blocks[i] for i in f.indices if i in blocks]
            if met and isinstance(f.value, sp.Symbol):
                out.append(sp.Symbol(f"{f.value}_{self.program.constants[met[0]].label}"))
            else:
                out.append(self.tensor(f.value) if isinstance(f.value, Tensor) else self.pointwise(f.value))
        return sp.Mul(*out)

    def pointwise(self, e: sp.Expr) -> sp.Expr:
        known = {s: self._atom(s) for s in e.free_symbols if s in self.program.atoms}
        return e.subs(known) if e.has(sp.Derivative) else e.xreplace(known)

    def _atom(self, s: sp.Symbol) -> sp.Expr:
        atom = self.program.atoms[s]
        if isinstance(atom, Call):
            return sp.Function(atom.function)(*(self.pointwise(a) for a in atom.args))
        return self.tensor(atom)


class Matrices:
    """Symbolic sizes: vectors are n × 1, ∘ is `HadamardProduct`, diag is `DiagMatrix`."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def name(self, s: sp.Symbol) -> Any:
        shape = self.program.shapes.get(s, ())
        return sp.MatrixSymbol(s.name, shape[0], shape[1] if len(shape) > 1 else 1) if shape else s

    def tensor(self, value: Tensor) -> Any:
        if value.rank > 2:
            raise SymgradError("a derivative by a matrix has three indices and is no MatrixExpr; use .sympy(n=2) for its components")
        shape = (*value.dims, *(sp.S.One,) * (2 - value.rank))
        return _sum([self._term(t, value) for t in value.terms], sp.ZeroMatrix(*shape))

    def _term(self, term: Term, value: Tensor) -> Any:
        read = forms.matrix_form(term, value.rank, dots=True)
        if read is None:
            raise SymgradError("this term is no product of matrices; use .sympy(n=2) for its components")
        scalars = [self.tensor(s) if isinstance(s, Tensor) else self.pointwise(s, ()) for s in read.scalars]
        dots = [self._form(d, ())[0, 0] for d in read.dots]
        body = self._form(read.form, value.dims) if read.form is not None else sp.S.One
        return _product([read.coefficient, *scalars, *dots, body])

    def _form(self, form: forms.Form, dims: tuple[sp.Expr, ...]) -> Any:
        match form:
            case forms.Chain(parts):
                return _product([self._part(p, dims[0]) for p in parts]) if parts else sp.Identity(dims[0])
            case forms.Vec():
                return self.vector(form, dims[0])
            case forms.Outer(left, right):
                return self.vector(left, dims[0]) * self.vector(right, dims[1]).T
            case forms.Dot(left, right):
                column = self.vector(right, None)
                return self.vector(left, column.shape[0]).T * column

    def _part(self, part: forms.Part, size: sp.Expr) -> Any:
        if isinstance(part, forms.Diag):
            return sp.DiagMatrix(self.vector(part.vector, size))
        if isinstance(part.value, Tensor):
            inner = self.tensor(part.value)
        elif part.value in self.program.constants:
            block = self.program.constants[part.value]
            above, below = block.parts[: block.part], block.parts[block.part + 1 :]
            rows = [[sp.ZeroMatrix(p, block.parts[block.part])] for p in above]
            rows += [[sp.Identity(block.parts[block.part])], *([sp.ZeroMatrix(p, block.parts[block.part])] for p in below)]
            inner = sp.BlockMatrix(rows)
        else:
            inner = self.pointwise(part.value, self.program.shape(part.value))
        return inner.T if part.transposed else inner

    def vector(self, v: forms.Vec, size: sp.Expr | None) -> Any:
        entries = [self._entry(e) for e in v.entries]
        return _hadamard(entries) if entries else sp.OneMatrix(size, 1)

    def _entry(self, e: sp.Expr | forms.MatVec | Tensor) -> Any:
        if isinstance(e, forms.MatVec):
            matrix = self._part(e.matrix, sp.S.One)
            return matrix * self.vector(e.vector, matrix.shape[1])
        return self.tensor(e) if isinstance(e, Tensor) else self.pointwise(e, self.program.shape(e))

    def pointwise(self, e: sp.Expr, shape: tuple[sp.Expr, ...]) -> Any:
        """A pointwise expression of vectors as a MatrixExpr; numbers in sums become multiples of the vector of ones."""
        if not shape:
            return e
        full = (shape[0], shape[1] if len(shape) > 1 else sp.S.One)
        if e.is_Number:
            return e * sp.OneMatrix(*full)
        if e.is_Symbol:
            atom = self.program.atoms.get(e)
            if isinstance(atom, Call):
                raise SymgradError(f"the free function {atom.function} has no matrix form in SymPy; use form='scalar'")
            return self.tensor(atom) if atom is not None else self.name(e)
        if e.is_Add:
            number, rest = e.as_coeff_Add()
            if number != 0:  # 1 - z², and no vector of ones, which SymPy cannot lambdify in a symbolic size
                factor, base = rest.as_coeff_Mul()
                base, power = base.as_base_exp() if base.is_Symbol or (base.is_Pow and base.base.is_Symbol) else (base, 1)
                return Elementwise(sp.Lambda(_D, number + factor * _D**power), self.pointwise(base, shape))
            return _sum([self.pointwise(a, shape) for a in e.args], sp.ZeroMatrix(*full))
        if e.is_Mul:
            number, rest = e.as_coeff_Mul()
            return number * _hadamard([self.pointwise(a, shape) for a in sp.Mul.make_args(rest)])
        if e.is_Pow:
            # SymPy's HadamardPower cannot be lambdified
            return Elementwise(sp.Lambda(_D, _D**e.exp), self.pointwise(e.base, shape))
        if isinstance(e, sp.Subs):  # g'(a) of an a that is an expression
            return Elementwise(sp.Lambda(_D, sp.Derivative(e.expr.expr.func(_D), _D)), self.pointwise(e.point[0], shape))
        if isinstance(e, sp.Derivative):
            return Elementwise(sp.Lambda(_D, sp.Derivative(e.expr.func(_D), _D)), self.pointwise(e.expr.args[0], shape))
        # a symbol of our own, where SymPy would take a numbered dummy: the same expression every time
        return Elementwise(sp.Lambda(_D, e.func(_D)), self.pointwise(e.args[0], shape))


_D = sp.Symbol("a")


def _hadamard(parts: list[Any]) -> Any:
    flat = [a for p in parts for a in (p.args if isinstance(p, sp.HadamardProduct) else (p,))]
    return sp.HadamardProduct(*flat) if len(flat) > 1 else flat[0]


def _product(parts: list[Any]) -> Any:
    kept = [p for p in parts if p != 1]
    return sp.Mul(*kept) if not any(getattr(p, "is_Matrix", False) for p in kept) else sp.MatMul(*kept).doit(deep=False) if kept else sp.S.One


def _sum(parts: list[Any], nothing: Any) -> Any:
    return nothing if not parts else parts[0] if len(parts) == 1 else sp.MatAdd(*parts).doit(deep=False)


class Components:
    """Numbers for all sizes: every entry is written out over the elements of the matrix symbols."""

    def __init__(self, program: Program, size: Mapping[sp.Symbol, sp.Expr]) -> None:
        self.program, self.size = program, dict(size)
        self.memo: dict[tuple[Any, tuple[int, ...]], sp.Expr] = {}

    def number(self, d: sp.Expr) -> int:
        return int(d.xreplace(self.size))

    def array(self, value: Tensor) -> Any:
        shape = tuple(self.number(d) for d in value.dims)
        entries = [self.entry(value, at) for at in itertools.product(*map(range, shape))]
        if len(shape) <= 2:
            return sp.ImmutableMatrix(*(*shape, 1, 1)[:2], entries) if shape else entries[0]
        return sp.ImmutableDenseNDimArray(entries, shape)

    def vector(self, e: sp.Expr, shape: tuple[sp.Expr, ...]) -> Any:
        full = tuple(self.number(d) for d in shape)
        return sp.ImmutableMatrix(*(*full, 1, 1)[:2], [self.pointwise(e, at) for at in itertools.product(*map(range, full))])

    def entry(self, value: Tensor, at: tuple[int, ...]) -> sp.Expr:
        key = (value, at)
        if key not in self.memo:
            self.memo[key] = sp.Add(*(self._term(t, at) for t in value.terms))
        return self.memo[key]

    def _term(self, term: Term, at: tuple[int, ...]) -> sp.Expr:
        extent: dict[int, int] = {}
        for f in term.factors:
            if f.value not in (IDENTITY, ONE):
                dims = f.value.dims if isinstance(f.value, Tensor) else self.program.shape(f.value)
                extent |= {i: self.number(d) for i, d in zip(f.indices, dims, strict=True)}
        summed = sorted(i for i in extent if i >= len(at))
        out = []
        for chosen in itertools.product(*(range(extent[i]) for i in summed)):
            place = dict(enumerate(at)) | dict(zip(summed, chosen, strict=True))
            out.append(sp.Mul(*(self._factor(f.value, tuple(place[i] for i in f.indices)) for f in term.factors)))
        return term.coefficient * sp.Add(*out)

    def _factor(self, value: Any, at: tuple[int, ...]) -> sp.Expr:
        if isinstance(value, Tensor):
            return self.entry(value, at)
        if value == IDENTITY:
            return sp.Integer(at[0] == at[1])
        if value == ONE:
            return sp.S.One
        if value in self.program.constants:
            block = self.program.constants[value]
            start = sum(self.number(p) for p in block.parts[: block.part])
            return sp.Integer(at[0] == start + at[1])
        return self.pointwise(value, at)

    def pointwise(self, e: sp.Expr, at: tuple[int, ...]) -> sp.Expr:
        known = {s: self._symbol(s, at) for s in e.free_symbols}
        return e.subs(known, simultaneous=True) if e.has(sp.Derivative) else e.xreplace(known)

    def _symbol(self, s: sp.Symbol, at: tuple[int, ...]) -> sp.Expr:
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor):
            return self.entry(atom, at)
        if isinstance(atom, Call):
            raise SymgradError(f"the free function {atom.function} has no components; use form='scalar'")
        shape = self.program.shapes.get(s, ())
        if not shape:
            return s
        full = tuple(self.number(d) for d in shape)
        return sp.MatrixSymbol(s.name, *(*full, 1)[:2])[(*at, 0)[:2]]
