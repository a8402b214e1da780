r"""What a tensor costs as NumPy: sums of ``diag(left) core diag(right)``, where only a core may be a product of two matrices.

A nested sum under a diagonal factor is taken apart, because scaling the rows of a term that has a row scale already costs a
product of vectors only; equal cores are then collected.  ``M E`` with a constant block E of a concatenation is a slice of M.
Products of a matrix and a vector become symbols of their own, *definitions*, so that everything pointwise stays a SymPy scalar.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.generate.step.nodes import (
    EYE,
    Concat,
    Core,
    Cut,
    Definition,
    Eye,
    Gemv,
    General,
    Item,
    Leaf,
    Nested,
    Ones,
    Product,
    Slice,
    Sum,
    Total,
    Whole,
    cut,
)
from symgrad.language.program import Program, Shape
from symgrad.language.tensor import Tensor, Term
from symgrad.notation.forms import Chain, Diag, Dot, Mat, MatVec, Outer, Vec, matrix_form


class NotAChain(Exception):
    """The term goes to einsum."""


class Lowering:
    """Tensors as sums of scaled cores; `definitions` are the symbols made on the way, `shapes` their shapes."""

    def __init__(self, program: Program, outputs: Iterable[Tensor]) -> None:
        self.program = program
        self.definitions: dict[sp.Symbol, Definition] = {}
        self.shapes: dict[sp.Symbol, Shape] = dict(program.shapes)
        self._made: dict[Definition, sp.Symbol] = {}
        self._sums: dict[Tensor, Sum] = {}
        self._count: Counter[Tensor] = Counter()
        for t in outputs:
            self._occurs(t)

    def _occurs(self, value: Tensor) -> None:
        self._count[value] += 1
        if self._count[value] == 1:
            for term in value.terms:
                for f in term.factors:
                    if isinstance(f.value, Tensor):
                        self._occurs(f.value)

    def new(self, definition: Definition, shape: Shape) -> sp.Symbol:
        """The symbol of a definition; equal definitions have one."""
        if definition not in self._made:
            symbol = sp.Symbol(f"@{len(self._made)}")
            self._made[definition] = symbol
            self.definitions[symbol] = definition
            self.shapes[symbol] = shape
        return self._made[definition]

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of a pointwise expression: of its name of highest rank, since scalars broadcast."""
        return max((self.shapes.get(s, ()) for s in expr.free_symbols), key=len, default=())

    # -- vectors ---------------------------------------------------------------------------------------------------------

    def vector(self, value: Tensor) -> sp.Expr:
        """A tensor of rank 0 or 1 as a pointwise expression over new symbols."""
        joined = self._concatenation(value)
        if joined is not None:
            return joined
        total = sp.S.Zero
        for term in value.terms:
            form = matrix_form(term, value.rank)
            try:
                if form is None:
                    raise NotAChain
                scalars = sp.Mul(*(self._scalar(s) for s in form.scalars))
                if isinstance(form.form, Dot):
                    expr = self.vec(form.form.left, None) * self.vec(form.form.right, None)
                    inner = self.new(Total(expr), ())
                else:
                    inner = sp.S.One if form.form is None else self.vec(form.form, value.dims[0])
                total += form.coefficient * scalars * inner
            except NotAChain:
                total += self.new(Whole(Tensor(value.dims, (term,))), value.dims)
        return total

    def _scalar(self, value: sp.Expr | Tensor) -> sp.Expr:
        return self.vector(value) if isinstance(value, Tensor) else value

    def _concatenation(self, value: Tensor) -> sp.Expr | None:
        parts = []
        for term in value.terms:
            if value.rank != 1 or len(term.factors) != 2 or term.factors[0].indices != (0, 1) or term.factors[1].indices != (1,):
                return None
            block, part = (f.value for f in term.factors)
            if block not in self.program.constants or isinstance(part, Tensor):
                return None
            parts.append((cut(self.program.constants[block]), term.coefficient * part))
        return self.new(Concat(value.dims, tuple(parts)), value.dims) if parts else None

    def vec(self, value: object, size: sp.Expr | None) -> sp.Expr:
        """A Hadamard product of vectors, some of which are matrices times vectors."""
        if not isinstance(value, Vec):
            raise NotAChain
        total = sp.S.One
        for e in value.entries:
            if isinstance(e, MatVec):
                total *= self._matvec(e, size)
            else:
                total *= self._scalar(e)
        return total

    def _matvec(self, e: MatVec, size: sp.Expr | None) -> sp.Expr:
        inner = self.vec(e.vector, None)
        selector = self.program.constants.get(e.matrix.value) if isinstance(e.matrix.value, sp.Symbol) else None
        if selector is not None:
            whole = (sp.Add(*selector.parts),)
            if e.matrix.transposed:
                return self.sliced(inner, cut(selector))
            return self.new(Concat(whole, ((cut(selector), inner),)), whole)
        return self.times_vector(self.mat(e.matrix), inner)

    def times_vector(self, matrix: Sum, v: sp.Expr) -> sp.Expr:
        """A v, without forming any product of matrices."""
        total = sp.S.Zero
        for item in matrix:
            inner, core = item.right * v, item.core
            if isinstance(core, Eye):
                if core != Eye():
                    raise NotAChain
                found = inner
            elif isinstance(core, Product):
                found = self.times_vector(core.left, self.times_vector(core.right, inner))
            elif isinstance(core, Leaf | Nested):
                if not self.shape(inner):
                    raise NotAChain
                found = self.new(Gemv(core, inner), self.core_shape(core)[:1])
            else:
                raise NotAChain
            total += item.left * found
        return total

    def sliced(self, v: sp.Expr, part: Cut) -> sp.Expr:
        """Eᵀ v."""
        return self.new(Slice(v, part), (part[1],)) if self.shape(v) else v

    # -- matrices --------------------------------------------------------------------------------------------------------

    def matrix(self, value: Tensor) -> Sum:
        """A tensor of rank 2, its terms with equal cores collected."""
        if value not in self._sums:
            found: dict[tuple[Core, sp.Expr], sp.Expr] = {}
            for term in value.terms:
                try:
                    items = self._term(term)
                except NotAChain:
                    items = (Item(sp.S.One, General(term), sp.S.One),)
                for i in items:
                    left, right = (i.left * i.right, sp.S.One) if i.core == Eye() else (i.left, i.right)
                    found[i.core, right] = found.get((i.core, right), sp.S.Zero) + left
            self._sums[value] = tuple(Item(left, core, right) for (core, right), left in found.items() if left != 0)
        return self._sums[value]

    def _term(self, term: Term) -> Sum:
        form = matrix_form(term, 2)
        if form is None:
            raise NotAChain
        scale = form.coefficient * sp.Mul(*(self._scalar(s) for s in form.scalars))
        if isinstance(form.form, Outer):
            left, shared = self._halved(scale * self.vec(form.form.left, None))
            return (Item(left, Ones(), shared * self.vec(form.form.right, None)),)
        if not isinstance(form.form, Chain):
            raise NotAChain
        total = EYE
        for part in reversed(form.form.parts):
            total = rows_scaled(self.vec(part.vector, None), total) if isinstance(part, Diag) else self.times(self.mat(part), total)
        return rows_scaled(scale, total)

    def _halved(self, left: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """a/s² as a/s and 1/s, for a scalar s: in (a/s)(b/s)ᵀ nothing underflows where in (a/s²) bᵀ it may."""
        atoms = {s: self.program.atoms.get(s) for s in left.free_symbols}
        repeated = {s: self.vector(a) for s, a in atoms.items() if isinstance(a, Tensor) and a.rank == 1}
        left = left.xreplace({s: e for s, e in repeated.items() if not self.shape(e)})
        factors = [f for f in sp.Mul.make_args(left) if f.is_Pow and f.exp.is_Integer and f.exp.is_even and not self.shape(f)]
        shared = sp.Mul(*(f.base ** (f.exp / 2) for f in factors))
        return left / shared, shared

    def mat(self, part: Mat) -> Sum:
        """One matrix of a chain."""
        value = part.value
        if isinstance(value, Tensor):
            if self._count[value] > 1 and len(value.terms) > 1 and not part.transposed:
                return (Item(sp.S.One, Nested(value), sp.S.One),)
            inner = self.matrix(value)
            return tuple(Item(i.right, transposed(i.core), i.left) for i in inner) if part.transposed else inner
        selector = self.program.constants.get(value) if isinstance(value, sp.Symbol) else None
        if selector is not None:
            eye = Eye(rows=cut(selector))
            return (Item(sp.S.One, transposed(eye) if part.transposed else eye, sp.S.One),)
        return (Item(sp.S.One, Leaf(value, part.transposed), sp.S.One),)

    def times(self, a: Sum, b: Sum) -> Sum:
        """A B: a diagonal or a constant block scales or cuts; otherwise the matrices meet in one product."""
        for many, each in ((b, lambda i: self.times(a, (i,))), (a, lambda i: self.times((i,), b))):
            if len(many) > 1 and all(isinstance(i.core, Eye) for i in many):  # A (E + F) = A E + A F
                return tuple(itertools.chain.from_iterable(map(each, many)))
        last, first = b[0].core, a[0].core
        if len(b) == 1 and isinstance(last, Eye):
            if last.columns is not None:
                raise NotAChain
            a = tuple(Item(i.left, i.core, i.right * b[0].left) for i in a)
            if last.rows is not None:
                a = tuple(Item(i.left, self._columns(i.core, last.rows), self.sliced(i.right, last.rows)) for i in a)
            return tuple(Item(i.left, i.core, i.right * b[0].right) for i in a)
        if len(a) == 1 and isinstance(first, Eye):
            if first.rows is not None:
                raise NotAChain
            b = rows_scaled(a[0].right, b)
            if first.columns is not None:
                b = tuple(Item(self.sliced(i.left, first.columns), self._rows(i.core, first.columns), i.right) for i in b)
            return rows_scaled(a[0].left, b)
        left = right = sp.S.One
        if len(a) == 1:
            left, (middle, a) = a[0].left, (a[0].right, (Item(sp.S.One, a[0].core, sp.S.One),))
            b = rows_scaled(middle, b)
        if len(b) == 1:
            right, b = b[0].right, (Item(b[0].left, b[0].core, sp.S.One),)
        if any(isinstance(i.core, General) for i in (*a, *b)):
            raise NotAChain
        return (Item(left, Product(a, b), right),)

    def _columns(self, core: Core, part: Cut) -> Core:
        """The columns that a constant block takes of a matrix."""
        if isinstance(core, Leaf) and core.columns is None:
            return Leaf(core.value, core.transposed, core.rows, part)
        if isinstance(core, Product):
            return Product(core.left, tuple(Item(i.left, self._columns(i.core, part), self.sliced(i.right, part)) for i in core.right))
        if isinstance(core, Ones):
            return core
        if core in (Eye(), Eye(columns=part)):
            return Eye() if core != Eye() else Eye(rows=part)
        raise NotAChain

    def _rows(self, core: Core, part: Cut) -> Core:
        return transposed(self._columns(transposed(core), part))

    def core_shape(self, core: Leaf | Nested) -> Shape:
        """Rows and columns."""
        if isinstance(core, Nested):
            return core.value.dims
        dims = self.shape(core.value)
        if len(dims) != 2:
            raise SymgradError(f"{core.value} is used as a matrix, but its shape is {dims}")
        rows, columns = dims[::-1] if core.transposed else dims
        return (core.rows[1] if core.rows else rows, core.columns[1] if core.columns else columns)


def transposed(core: Core) -> Core:
    """The core of the transposed matrix."""
    if isinstance(core, Leaf):
        return Leaf(core.value, not core.transposed, core.columns, core.rows)
    if isinstance(core, Eye):
        return Eye(core.columns, core.rows)
    if isinstance(core, Product):
        sides = [tuple(Item(i.right, transposed(i.core), i.left) for i in side) for side in (core.right, core.left)]
        return Product(*sides)
    if isinstance(core, Ones):
        return core
    raise NotAChain


def rows_scaled(v: sp.Expr, matrix: Sum) -> Sum:
    """diag(v) A."""
    return matrix if v == 1 else tuple(Item(v * i.left, i.core, i.right) for i in matrix)
