r"""From mathematics to notation: pointwise expressions and tensors become syntax nodes, in one of three forms.

matrix     vectors and matrices, ``diag(z) + diag((h - h̃) ∘ z ∘ (1 - z)) U_z``
component  one entry, ``z_i δ_ij + (h_i - h̃_i) z_i (1 - z_i) U_z,ij``
scalar     every size is 1, ``z + (h - h̃) z (1 - z) U_z``

SymPy forgets the order of factors and terms; `Writer` puts them in the order in which the field writes them: gates before what they
gate, inputs before states before biases, a positive term first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symgrad.errors import SymgradError
from symgrad.language.functions import ROWS
from symgrad.language.program import Call, Program
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term
from symgrad.notation import forms, table
from symgrad.notation.names import Names, identifier
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Big,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Relation,
    Stack,
    Sum,
    Transpose,
    equation,
)

FORMS = ("matrix", "component", "scalar")
KNOWN = frozenset(table.FUNCTIONS) | {"sigma"}
FREE = "ijklpqrsuvw"  # component indices: the free ones first, then the summed ones


def product(nodes: Sequence[Node]) -> Node:
    """Factors side by side; one factor is itself, none is 1."""
    flat = [a for n in nodes for a in (n.args if isinstance(n, Product) else (n,)) if a != Number("1")]
    return flat[0] if len(flat) == 1 else Product(tuple(flat)) if flat else Number("1")


def hadamard(nodes: Sequence[Node]) -> Node:
    """Factors entry by entry."""
    flat = [a for n in nodes for a in (n.args if isinstance(n, Hadamard) else (n,))]
    return flat[0] if len(flat) == 1 else Hadamard(tuple(flat)) if flat else Number("1")


def total(nodes: Sequence[Node]) -> Node:
    """A sum, flat; of nothing, 0."""
    flat = [a for n in nodes for a in (n.args if isinstance(n, Sum) else (n,))]
    return flat[0] if len(flat) == 1 else Sum(tuple(flat)) if flat else Number("0")


def number(value: sp.Expr) -> Node:
    """A rational number, its sign outside."""
    if value < 0:
        return Negative(number(-value))
    if value.is_Integer:
        return Number(str(value))
    return Fraction(Number(str(value.p)), Number(str(value.q)))


def times(coefficient: sp.Expr, node: Node) -> Node:
    """coefficient · node with the sign in front."""
    if coefficient == 1:
        return node
    if coefficient < 0:
        return Negative(times(-coefficient, node))
    return number(coefficient) if node == Number("1") else product([number(coefficient), node])


class Writer:
    """Writes the expressions of one program in one form."""

    def __init__(self, program: Program, form: str = "matrix", back: Name | None = None) -> None:
        if form not in FORMS:
            raise SymgradError(f"form={form!r}: the forms are {', '.join(FORMS)}")
        self.program, self.form, self.back = program, form, back
        self.names = Names(program, back)
        self.bound = 2  # how many of the letters are taken by the sums around what is being written
        gates = {s for s, e in program if e.func in ROWS and ROWS[e.func].gate}
        self.gates = gates | {program.past[s] for s in gates if s in program.past}

    # -- pointwise expressions ----------------------------------------------------------------------------------------------

    def expression(self, e: sp.Expr, at: tuple[str, ...] = ()) -> Node:
        """A pointwise expression; `at` are the letters of its component indices."""
        if e.is_Number:
            return number(e)
        if e.is_Symbol:
            return self.symbol(e, at)
        if e.is_Add:
            return self._sum(e, at)
        if e.is_Mul:
            return self._product(e, at)
        if e.is_Pow:
            if e.exp == sp.Rational(1, 2):
                return Apply(Name("sqrt"), (self.expression(e.base, at),))
            if e.exp.could_extract_minus_sign():
                return Fraction(Number("1"), self.expression(1 / e, at))
            return Power(self.expression(e.base, at), self.expression(e.exp, at))
        if isinstance(e, sp.Derivative):
            inner = e.expr
            return Apply(Name(str(inner.func), primes=1), tuple(self.expression(a, at) for a in inner.args))
        return self._applied(e, at)

    def symbol(self, s: sp.Symbol, at: tuple[str, ...] = ()) -> Node:
        """A name, or what an atom stands for; the block of [a; b] that is a is [I; 0]."""
        if (selector := self.program.constants.get(s)) is not None:
            return Stack(tuple(Name("I") if k == selector.part else Number("0") for k in range(len(selector.parts))))
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor):
            if (repeated := self._broadcast(s)) is not None:
                return self._value(repeated)
            stacked = [t.factors[-1].value for t in atom.terms if t.factors[0].value in self.program.constants]
            if stacked and self.form != "component":
                return Stack(tuple(map(self._value, stacked)))
            return self.tensor(atom, at)
        if isinstance(atom, Call):
            name = identifier(atom.function)  # f_i(y, W), the i-th entry of f
            return Apply(_indexed(name, at) if self.form == "component" and at else name, tuple(self.expression(a) for a in atom.args))
        indexed = at if self.form == "component" and self.program.shapes.get(s) else ()
        return self.names(s, indexed)

    def _applied(self, e: sp.Expr, at: tuple[str, ...]) -> Node:
        row = ROWS.get(e.func)
        args = tuple(self.expression(a, at) for a in e.args)
        if row is None:
            return Apply(identifier(str(e.func)), args)
        if row.name == "step":
            return Indicator(Relation((args[0], Number("0")), (">",)))
        if row.name == "abs":
            return Absolute(args[0])
        return Apply(Name({"sigmoid": "sigma"}.get(row.name, row.name)), args)

    def _sum(self, e: sp.Expr, at: tuple[str, ...]) -> Node:
        parts = sorted(e.args, key=self._place)
        lead = next((k for k, a in enumerate(parts) if not a.could_extract_minus_sign()), 0)
        parts.insert(0, parts.pop(lead))
        return total([self.expression(a, at) for a in parts])

    def _product(self, e: sp.Expr, at: tuple[str, ...]) -> Node:
        coefficient, rest = e.as_coeff_Mul()
        top = [a for a in sp.Mul.make_args(rest) if not (a.is_Pow and a.exp.could_extract_minus_sign())]
        bottom = [1 / a for a in sp.Mul.make_args(rest) if a not in top]
        above = self.factors([(self.expression(a, at), self.is_scalar(a)) for a in sorted(top, key=self._factor_place)])
        if not bottom:
            return times(coefficient, above)
        below = self.factors([(self.expression(a, at), self.is_scalar(a)) for a in sorted(bottom, key=self._factor_place)])
        sign, size = (-1, -coefficient) if coefficient < 0 else (1, coefficient)
        above = times(sp.Integer(size.p), above)
        below = times(sp.Integer(size.q), below)
        return times(sp.Integer(sign), Fraction(above, below))

    def factors(self, parts: Sequence[tuple[Node, bool]]) -> Node:
        """Vectors multiply entry by entry, scalars (the flag says which) stand before them; entries side by side."""
        if self.form != "matrix":
            return product([n for n, _ in parts])
        vectors = [n for n, scalar in parts if not scalar]
        return product([*(n for n, scalar in parts if scalar), *([hadamard(vectors)] if vectors else [])])

    def is_scalar(self, e: sp.Expr) -> bool:
        """Whether every entry is the same: numbers, scalar names, and scalars broadcast to a vector."""
        return all(not self.program.shapes.get(s) or self._broadcast(s) is not None for s in e.free_symbols)

    def _broadcast(self, s: sp.Symbol) -> sp.Expr | Tensor | None:
        """The scalar that an atom repeats along a vector."""
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor) and len(atom.terms) == 1:
            scalars = [f.value for f in atom.terms[0].factors if f.value != ONE]
            if len(scalars) == 1 and all(f.value == ONE or not f.indices for f in atom.terms[0].factors):
                return scalars[0]
        return None

    def _place(self, e: sp.Expr) -> tuple[float, str]:
        """Where a term stands in a sum: by the first name in it that is no gate."""
        if e.is_number:
            return (-1.0, "")
        found = self._carriers(e)
        plain = [k for s, k in found if s not in self.gates]
        return (min(plain or [k for _, k in found], default=1e9), str(e))

    def _carriers(self, e: sp.Expr) -> list[tuple[sp.Symbol, int]]:
        order = self.program.order
        found: list[tuple[sp.Symbol, int]] = []
        for s in e.free_symbols:
            atom = self.program.atoms.get(s)
            inside = {t for u in self.program.uses(s) for t in u.free_symbols} if atom is not None else {s}
            parameters = set(self.program.parameters)
            inside = (inside - parameters) or inside
            for t in inside:
                found += [(t, order[t])] if t in order else self._carriers(t) if t in self.program.atoms else []
        return found

    def _factor_place(self, e: sp.Expr) -> tuple[int, int, bool, str]:
        """Where a factor stands in a product: scalars, vectors of parameters, gates, then the rest in the order of computation."""
        symbols = e.free_symbols
        order = max((self.program.order.get(s, 10**6) for s in symbols), default=-1)
        vector = any(self.program.shapes.get(s) for s in symbols)
        adjoint = any(s.name.startswith(("δ", "∂")) for s in symbols)
        parameter = symbols <= set(self.program.parameters)
        return (0 if adjoint else 1 if not vector else 2 if parameter else 3 if symbols <= self.gates else 4, order, e.is_Add, str(e))

    # -- tensors ------------------------------------------------------------------------------------------------------------

    def tensor(self, value: Tensor, at: tuple[str, ...] = ()) -> Node:
        """A sum of terms, diagonal ones first: as matrices, as one entry, or with every size 1."""
        terms = sorted(value.terms, key=_is_diagonal, reverse=True) if value.rank == 2 else value.terms
        if self.form == "scalar":
            return total([self._scalar(t) for t in terms])
        if self.form == "component" or not has_matrix_form(value):
            letters = at or tuple(FREE[: value.rank])
            return total([self._component(t, letters, value.rank) for t in terms])
        return total([self._matrix(t, value.rank) for t in terms])

    def _matrix(self, term: Term, rank: int) -> Node:
        read = forms.matrix_form(term, rank, dots=True)
        assert read is not None
        body = [self._form(f) for f in (*read.dots, read.form) if f is not None]
        return times(read.coefficient, product([*map(self._value, read.scalars), *body]))

    def _value(self, value: sp.Expr | Tensor, at: tuple[str, ...] = ()) -> Node:
        return self.tensor(value, at) if isinstance(value, Tensor) else self.expression(value, at)

    def _form(self, form: forms.Form) -> Node:
        match form:
            case forms.Chain(parts):
                return product(self._parts(parts)) if parts else Name("I")
            case forms.Vec():
                return self.vector(form)
            case forms.Outer(left, right):
                head, parts = _row(right)
                return product([self.vector(left), Transpose(self.vector(head)), *self._parts(parts)])
            case forms.Dot(left, right):
                return product([Transpose(self.vector(left)), self.vector(right)])

    def vector(self, v: forms.Vec) -> Node:
        """Entries joined by ∘; no entries are the vector of ones."""
        return self.factors([(self._entry(e), isinstance(e, sp.Expr) and self.is_scalar(e)) for e in v.entries]) if v.entries else ONES

    def _entry(self, e: sp.Expr | forms.MatVec | Tensor) -> Node:
        if isinstance(e, forms.MatVec):
            behind = self.vector(e.vector)
            # a product of matrices and one vector needs no parentheses
            return product([*self._parts((e.matrix,)), *(behind.args if isinstance(behind, Product) else (behind,))])
        return self._value(e)

    def _parts(self, parts: Iterable[forms.Part]) -> list[Node]:
        """Matrices and diagonals in order; a matrix next to a block of [a; b] is that block of its columns."""
        out: list[Node] = []
        todo = list(parts)
        while todo:
            part = todo.pop(0)
            if isinstance(part, forms.Diag):
                out.append(Diagonal(self.vector(part.vector)))
                continue
            node = self._value(part.value)
            if todo and isinstance(follow := todo[0], forms.Mat) and follow.transposed == part.transposed:
                whole, block = (follow, part) if part.transposed else (part, follow)
                if block.value in self.program.constants:
                    node = self._block(self._value(whole.value), block.value)
                    todo.pop(0)
            out.append(Transpose(node) if part.transposed else node)
        return out

    def _block(self, whole: Node, block: sp.Expr | Tensor) -> Node:
        """``W_{f,h}``, the columns of W_f that meet h in [h; x]."""
        assert isinstance(block, sp.Symbol)
        label = identifier(self.program.constants[block].label)
        return Name(whole.base, whole.accents, (*whole.subs, label)) if isinstance(whole, Name) else product([whole, label])

    def _blocks_merged(self, term: Term) -> list[tuple[sp.Expr | Tensor, sp.Symbol | None, tuple[int, ...]]]:
        """The factors, where W[i,k] E[k,j] is one factor (W, E) at [i,j]."""
        found: list[tuple[sp.Expr | Tensor, sp.Symbol | None, tuple[int, ...]]] = [(f.value, None, f.indices) for f in term.factors]
        for f in term.factors:
            if f.value in self.program.constants:
                assert isinstance(f.value, sp.Symbol)
                for k, (value, block, indices) in enumerate(found):
                    if block is None and len(indices) == 2 and value != f.value and f.indices[0] in indices:
                        found[k] = (value, f.value, tuple(f.indices[1] if i == f.indices[0] else i for i in indices))
                        found.remove((f.value, None, f.indices))
                        break
        return found

    def _scalar(self, term: Term) -> Node:
        """The product of the factors, every index being 1."""
        nodes = []
        for value, block, _ in self._blocks_merged(term):
            if value not in (IDENTITY, ONE):
                node = self._value(value)
                nodes.append(node if block is None else self._block(node, block))
        return times(term.coefficient, product(nodes))

    def _component(self, term: Term, at: tuple[str, ...], rank: int) -> Node:
        """c Σ_k a_i B_ik …, the sum over every index that is not free."""
        letters = dict(enumerate(at))
        first = max([self.bound, *(FREE.index(c) + 1 for c in at)])
        merged = self._blocks_merged(term)
        summed = sorted({i for _, _, indices in merged for i in indices} - set(range(rank)))
        if first + len(summed) > len(FREE):
            raise SymgradError("the component form of this runs out of letters for its indices; the matrix form has none")
        letters |= dict(zip(summed, FREE[first:], strict=False))
        nodes: list[Node] = []
        around, self.bound = self.bound, first + len(summed) if summed else self.bound
        for value, block, indices in merged:
            here = tuple(letters[i] for i in indices)
            if value == IDENTITY:
                nodes.append(Name("delta", (), (Product(tuple(Name(c) for c in here)),)))
            elif value != ONE:
                node = self._value(value, here) if block is None else self._block(self._value(value), block)
                nodes.append(_indexed(node, here) if block is not None else node)
        self.bound = around
        body = product(nodes)
        for i in reversed(summed):
            body = Big("sum", Name(letters[i]), None, None, body)
        return times(term.coefficient, body)


ONES = Name("1", font="mathbf")


def _is_diagonal(term: Term) -> bool:
    """Whether no matrix but I is in the term."""
    return all(len(f.indices) < 2 or f.value == IDENTITY for f in term.factors)


def _row(v: forms.Vec) -> tuple[forms.Vec, tuple[forms.Part, ...]]:
    """vᵀ as a row times matrices: (M (d ∘ w))ᵀ = wᵀ diag(d) Mᵀ."""
    products = [e for e in v.entries if isinstance(e, forms.MatVec)]
    if len(products) != 1:
        return v, ()
    rest = tuple(e for e in v.entries if e is not products[0])
    head, parts = _row(products[0].vector)
    matrix = products[0].matrix
    if any(isinstance(e, forms.MatVec) for e in head.entries) or not head.entries:
        return v, ()
    return head, (*parts, forms.Mat(matrix.value, not matrix.transposed), *([forms.Diag(forms.Vec(rest))] if rest else []))


def functions(program: Program) -> frozenset[str]:
    """The names that are functions in this program's formulas: the known ones, σ, and the free ones of its own."""
    applied = {a.func for e in program.equations.values() for a in e.atoms(AppliedUndef)}
    calls = {c.function for c in program.atoms.values() if isinstance(c, Call)}
    return KNOWN | {identifier(str(f)).base for f in applied} | {identifier(f).base for f in calls}


def _indexed(node: Node, at: tuple[str, ...]) -> Name:
    """The name of an array with the indices of one entry."""
    assert isinstance(node, Name)
    letters: tuple[Node, ...] = tuple(Name(c) for c in at)
    return Name(node.base, node.accents, (*node.subs, letters[0] if len(letters) == 1 else Product(letters)), node.primes)


def has_matrix_form(value: Tensor) -> bool:
    """Whether every term, nested ones too, is a product of matrices and vectors."""
    inner = [f.value for t in value.terms for f in t.factors if isinstance(f.value, Tensor)]
    return all(forms.matrix_form(t, value.rank, dots=True) is not None for t in value.terms) and all(map(has_matrix_form, inner))


def update_equations(program: Program, form: str = "matrix") -> list[Relation]:
    """The equations of the cell as the user wrote them, preactivations inlined."""
    writer = Writer(program.written_out, form)
    return [write_equation(writer, s) for s in program.equations if s not in program.implicit]


def write_equation(writer: Writer, s: sp.Symbol) -> Relation:
    """``z_t = σ(W_z x_t + …)``."""
    right = writer.program.inlined(writer.program.equations[s])
    if writer.form == "matrix" and not all(has_matrix_form(t) for a in right.free_symbols if isinstance(t := writer.program.atoms.get(a), Tensor)):
        writer = Writer(writer.program, "component", writer.back)
    at = tuple(FREE[: len(writer.program.shapes[s])]) if writer.form == "component" else ()
    return equation(writer.symbol(s, at), writer.expression(right, at))


