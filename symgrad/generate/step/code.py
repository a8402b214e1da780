"""NumPy code from what is needed: vectors entry by entry with `out=`, diagonal matrices as scaled rows and columns, one gemm where two matrices meet.

With a batch the batch axis is the *last* one inside: a shared weight then multiplies all points in one gemm, and every pointwise operation runs
along the points.  The points are taken in chunks that stay in the cache.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.generate.step.lines import Lines, Names, Value
from symgrad.generate.step.matrix import MatrixLines
from symgrad.generate.step.needs import SIGMOID, Needs, argument_name
from symgrad.generate.step.nodes import Complement, Concat, Cut, FreeSlope, Gemv, Slice, TanhSlope, Total, Whole
from symgrad.language.functions import FUNCTIONS, ROWS
from symgrad.language.program import Call
from symgrad.language.tensor import Tensor

UFUNCS = (
    "add", "copyto", "cosh", "divide", "dot", "einsum", "exp", "log", "matmul", "maximum", "minimum", "multiply", "negative", "power", "reciprocal",
    "sqrt", "subtract", "tanh",
)  # fmt: skip
DIRECT = {FUNCTIONS["tanh"]: "tanh", FUNCTIONS["exp"]: "exp", FUNCTIONS["log"]: "log"}
TABLE = {row.name: row.numpy for row in ROWS.values() if row.name not in UFUNCS}
WORDS = {*UFUNCS, *TABLE, "constant", "new", "run", "make", "range", "min", "i", "j", "C", "start", "limit"}


@dataclass(frozen=True)
class Code:
    """Generated source with what has to be passed to it."""

    source: str
    arguments: tuple[sp.Symbol, ...]
    functions: tuple[tuple[str, int], ...]
    sizes: tuple[sp.Symbol, ...]


class Writer(MatrixLines):
    """Writes the function `make`, which prepares the temporaries of given sizes and returns the function `run` that uses them."""

    def __init__(self, needs: Needs, batched: Collection[sp.Symbol], batch: bool) -> None:
        self.needs, self.lowering, self.batch = needs, needs.lowering, batch
        self.names = Names(set(WORDS))
        self.lines = Lines(self.names)
        self.sizes: dict[sp.Symbol, str] = {}
        self.constants: dict[str, str] = {}
        self.prologue: list[str] = []
        self.memo: dict[object, Value] = {}
        self.places: dict[tuple[object, sp.Expr], tuple[Value, int]] = {}
        self.loads: list[str] = []
        dims = {d for s in (*needs.arguments, *needs.lowering.shapes) for dim in needs.lowering.shapes.get(s, ()) for d in dim.free_symbols}
        dims |= {d for t in needs.outputs.values() for dim in t.dims for d in dim.free_symbols}
        for d in sorted(dims, key=lambda d: d.name):
            self.sizes[d] = self.names.take(d.name)
        self.results = {name: self.names.take("J" if len(needs.outputs) == 1 else f"J{k}") for k, name in enumerate(needs.outputs)}
        self.arguments = tuple(sorted(needs.arguments, key=lambda s: (needs.program.order.get(s, -1), s.name)))
        self.parameters = [self._argument(s, s in batched) for s in self.arguments]
        self.functions = tuple((f, k) for f in sorted(needs.free) for k in sorted(needs.free[f]))
        self.called = {(f, k): self.names.take(f + ("", "_prime")[k > 0] + (f"_{k - 1}" if k > 1 else "")) for f, k in self.functions}

    def code(self) -> Code:
        """The source."""
        for text in self.loads:
            self.lines.add(text)
        finish = []
        for name, value in sorted(self.needs.outputs.items(), key=lambda o: _depth(o[1])):  # one may be a part of another
            finish += self._output(self.results[name], value)
        for text in finish:
            self.lines.add(text)
        made, body = self.lines.allocated("C" if self.batch else None)
        constants = [f"{name} = constant({text})" for text, name in self.constants.items()]
        extra = ["C"] if self.batch else []
        self.prologue = _used(self.prologue, body)
        inner = self.prologue + body
        if self.batch:
            first = next(iter(self.results.values()))
            loop = [f"for start in range(0, {first}.shape[0], C):", f"    i = min(start, {first}.shape[0] - C)", "    j = i + C"]
            inner = self.prologue + loop + _indented(body)
        signature = ", ".join([*self.results.values(), *self.parameters, *self.called.values()])
        source = [f"def make({', '.join(['new', 'constant', 'limit', *self.sizes.values(), *extra])}):", *_indented([*constants, *made])]
        source += [f"    def run({signature}):", *_indented(_indented(inner or ["pass"])), "    return run", ""]
        return Code("\n".join(source), self.arguments, self.functions, tuple(self.sizes))

    # -- arguments and sizes ---------------------------------------------------------------------------------------------

    def _argument(self, s: sp.Symbol, batched: bool) -> str:
        name = self.names.take(argument_name(self.needs.program, s))
        dims = tuple(self.size(d) for d in self.lowering.shapes.get(s, ()))
        if not self.batch:
            self.memo[s] = self.lines.value(dims, False, name)
        elif batched:
            self.memo[s] = held = self.lines.value(dims, True)
            axes = ", ".join(str(k) for k in (*range(1, len(dims) + 1), 0))
            self.loads.append(f"copyto({held}, {name}[i:j].transpose({axes}))")
        else:
            wide = self.names.take(f"{name}_wide")
            self.prologue.append(f"{wide} = {name}[..., None]")
            self.memo[s] = self.lines.value(dims, False, wide, flat=name)
        return name

    def size(self, dim: sp.Expr) -> str:
        """A size as source text."""
        if isinstance(dim, sp.Integer):
            return str(int(dim))
        if isinstance(dim, sp.Symbol):
            return self.sizes[dim]
        if dim.is_Add or dim.is_Mul:
            return f"({(' + ' if dim.is_Add else ' * ').join(self.size(d) for d in dim.args)})"
        raise SymgradError(f"the size {dim} cannot be computed")

    def span(self, part: Cut) -> str:
        """The slice of a part of a concatenation."""
        return f"{self.size(part[0])}:{self.size(part[0] + part[1])}"

    def constant(self, value: sp.Expr) -> Value:
        """A number, as an array of no axes: faster than a Python number."""
        if value.is_Rational:
            text = str(int(value)) if value.is_Integer and abs(value) < 2**53 else repr(float(value))
        elif value.is_real:
            text = repr(float(value))
        else:
            raise SymgradError(f"{value} is no real number, so it cannot be compiled")
        return self._constant(text)

    def _constant(self, text: str) -> Value:
        if text not in self.constants:
            self.constants[text] = self.names.take(f"k{len(self.constants)}")
        return self.lines.value((), False, self.constants[text])

    # -- pointwise -------------------------------------------------------------------------------------------------------

    def value(self, expr: sp.Expr) -> Value:
        """The array of a pointwise expression of the tensors or equations, computed once."""
        return self._reduced(self.needs.reduced(expr))

    def _reduced(self, e: sp.Expr) -> Value:
        if e not in self.memo:
            self.memo[e] = self._value(e)
        return self.memo[e]

    def apply(self, function: str, *args: Value) -> Value:
        """One ufunc; the result has the shape of the largest argument."""
        out = self.like(*args)
        # maximum and minimum want `out` by name
        named = "out=" if function in ("minimum", "maximum") else ""
        self.lines.add(f"{function}({', '.join(map(str, args))}, {named}{out})")
        return out

    def like(self, *args: Value) -> Value:
        """A buffer for the pointwise result of these."""
        return self.lines.value(max((a.dims for a in args), key=len), any(a.batched for a in args), count=max(a.count for a in args))

    def _value(self, e: sp.Expr) -> Value:
        if e.is_number:
            return self.constant(e)
        if isinstance(e, sp.Symbol):
            return self._symbol(e)
        if e.is_Add:
            return self._add(e)
        if e.is_Mul:
            return self._mul(e)
        if e.is_Pow:
            return self._pow(e.base, e.exp)
        if e.func == SIGMOID:
            return self._sigmoid(e.args[0])
        if e.func in DIRECT:
            return self.apply(DIRECT[e.func], self._reduced(e.args[0]))
        if e.func in ROWS:
            return self._called(ROWS[e.func].name, self._reduced(e.args[0]))
        if isinstance(e, sp.core.function.AppliedUndef) and len(e.args) == 1:
            return self._called(self.called[e.func.__name__, 0], self._reduced(e.args[0]))
        raise SymgradError(f"{e.func} cannot be compiled to NumPy, in {e}")

    def _called(self, name: str, a: Value) -> Value:
        out = self.like(a)
        self.lines.add(f"copyto({out}, {name}({a}))")
        return out

    def _add(self, e: sp.Expr) -> Value:
        number, terms = e.as_coeff_Add()
        parts = [(t.as_coeff_Mul()[0] < 0, t) for t in sp.Add.make_args(terms)]
        plus, minus = [t for negative, t in parts if not negative], [-t for negative, t in parts if negative]
        total: Value | None = None
        for t in plus:
            total = self._reduced(t) if total is None else self.apply("add", total, self._reduced(t))
        if number != 0:
            total = self.constant(number) if total is None else self.apply("add", total, self.constant(number))
        for t in minus:
            total = self.apply("negative", self._reduced(t)) if total is None else self.apply("subtract", total, self._reduced(t))
        assert total is not None
        return total

    def _mul(self, e: sp.Expr) -> Value:
        number, rest = e.as_coeff_Mul()
        total: Value | None = None
        below = []
        for f in sp.Mul.make_args(rest):
            if f.is_Pow and f.exp.is_Integer and -3 <= f.exp < 0:
                below += [f.base] * int(-f.exp)  # e/s/s: s² may overflow where e/s² is an ordinary number
            elif f.is_Pow and f.exp.is_Rational and f.exp < 0:
                below.append(f.base ** -f.exp)
            else:
                total = self._reduced(f) if total is None else self.apply("multiply", total, self._reduced(f))
        if number not in (1, -1):
            total = self.constant(number) if total is None else self.apply("multiply", total, self.constant(number))
        for f in below:
            total = self.apply("reciprocal", self._reduced(f)) if total is None else self.apply("divide", total, self._reduced(f))
        assert total is not None
        return self.apply("negative", total) if number == -1 else total

    def _pow(self, base: sp.Expr, exponent: sp.Expr) -> Value:
        if exponent.is_Rational and exponent < 0 and not exponent.is_Integer:
            return self.apply("reciprocal", self._reduced(base**-exponent))
        if exponent == sp.Rational(1, 2):
            return self.apply("sqrt", self._reduced(base))
        b = self._reduced(base)
        if exponent.is_Integer and exponent < 0:
            b, exponent = self.apply("reciprocal", b), -exponent
        if exponent == 1:
            return b
        if exponent in (2, 3):
            squared = self.apply("multiply", b, b)
            return squared if exponent == 2 else self.apply("multiply", squared, b)
        return self.apply("power", b, self._reduced(exponent))

    def _together(self, function: object, argument: sp.Expr) -> tuple[Value, int]:
        """An argument as a part of a stack of those to which the function is applied at once: the stack, and the place in it."""
        if (function, argument) not in self.places:
            groups: dict[object, list[tuple[sp.Expr, Value]]] = {}
            for a in self.needs.beside[function, argument]:
                v = self._reduced(a)
                groups.setdefault((v.dims, v.batched) if v.dims else a, []).append((a, v))
            for members in groups.values():
                whole = self.lines.stack([v for _, v in members]) if len(members) > 1 else members[0][1]
                self.places |= {(function, a): (whole, k) for k, (a, _) in enumerate(members)}
        return self.places[function, argument]

    def _sigmoid(self, argument: sp.Expr, complement: bool = False) -> Value:
        """σ(a) = u/(1 + u) or 1 - σ(a) = 1/(1 + u), u = e^a: no overflow, since u is bounded, and small values keep their relative precision."""
        a, place = self._together(SIGMOID, argument)
        if ("exp", a) not in self.memo:
            self.memo["exp", a] = self.apply("exp", self.apply("minimum", a, self._constant("limit")))
            self.memo["1 + exp", a] = self.apply("add", self.memo["exp", a], self._constant("1"))
        if (complement, a) not in self.memo:
            u, below = self.memo["exp", a], self.memo["1 + exp", a]
            self.memo[complement, a] = self.apply("reciprocal", below) if complement else self.apply("divide", u, below)
        return self.lines.part(self.memo[complement, a], place)

    # -- definitions -----------------------------------------------------------------------------------------------------

    def _symbol(self, s: sp.Symbol) -> Value:
        d = self.needs.definitions[s]
        if isinstance(d, Complement):
            return self._sigmoid(self.needs.reduced(d.argument), complement=True)
        if isinstance(d, TanhSlope):
            return self._tanh_slope(self.needs.reduced(d.argument))
        if isinstance(d, FreeSlope):
            return self._called(self.called[d.function, 1], self.value(d.argument))
        if isinstance(d, Gemv):
            return self.gemv(d)
        if isinstance(d, Total):
            v = self.value(d.vector)
            out = self.lines.value((), v.batched)
            self.lines.add(f"add.reduce({v}, 0, None, {out})", pointwise=False)
            return out
        if isinstance(d, Slice):
            return self.part(self.value(d.vector), f"[{self.span(d.cut)}]", (self.size(d.cut[1]),))
        if isinstance(d, Concat):
            return self._concatenated(d)
        if isinstance(d, Whole):
            return self.whole(d.value)
        if isinstance(d, Call):
            args = [self.value(a) for a in d.args]
            out = self.lines.value(tuple(self.size(x) for x in self.lowering.shapes.get(s, ())), False)
            self.lines.add(f"copyto({out}, {self.called[d.function, self.needs.slope_index(s)]}({', '.join(map(str, args))}))", pointwise=False)
            return out
        return self._reduced(d) if s in self.needs.common else self.value(d)

    def _tanh_slope(self, argument: sp.Expr) -> Value:
        """1/cosh²(a), where 1 - tanh² would cancel; bounded before it overflows."""
        a, place = self._together(TanhSlope, argument)
        if ("slope", a) not in self.memo:
            c = self.apply("minimum", a, self._constant("limit / 2"))
            c = self.apply("cosh", self.apply("maximum", c, self._constant("-limit / 2")))
            self.memo["slope", a] = self.apply("reciprocal", self.apply("multiply", c, c))
        return self.lines.part(self.memo["slope", a], place)

    def _concatenated(self, d: Concat) -> Value:
        parts = [(cut, self.value(v)) for cut, v in d.parts]
        dims = tuple(self.size(x) for x in d.dims)
        out = self.lines.value(dims, any(v.batched for _, v in parts))
        if sp.expand(sum(cut[1] for cut, _ in parts) - d.dims[0]) != 0:
            self.lines.add(f"{out}.fill(0)")
        for cut, v in parts:
            self.lines.add(f"copyto({out}[{self.span(cut)}], {v})", pointwise=False)
        return out

    def part(self, value: Value, index: str, dims: tuple[str, ...]) -> Value:
        """A view of an array, under a name of its own."""
        name = self.names.take(f"v{len(self.lines.values)}")
        self.lines.add(f"{name} = {value}{index}", pointwise=False)
        root = value.root or (value if value.name is None else None)
        return self.lines.value(dims, value.batched, name, root=root)

    # -- outputs ---------------------------------------------------------------------------------------------------------

    def _output(self, name: str, value: Tensor) -> list[str]:
        """Compute a tensor into the array that is returned; with a batch, into a chunk that is copied out at the end."""
        if value.rank <= 1:
            v = self.value(self.lowering.vector(value))
            if not self.batch:
                return [f"copyto({name}, {v})"]
            return [f"copyto({name}[i:j], {v}{'.T' if v.dims else ('[:, None]' if value.rank and v.batched else '')})"]
        dims = tuple(self.size(d) for d in value.dims)
        out = self.lines.value(dims, True) if self.batch else self.lines.value(dims, False, name)
        self.tensor_into(value, out)
        self.memo["tensor", value] = out
        if not self.batch:
            return []
        return [f"copyto({name}[i:j].reshape(C, -1), {out}.reshape(-1, C).T)"]


def _indented(lines: list[str]) -> list[str]:
    return list(itertools.chain.from_iterable([f"    {row}" for row in text.split("\n")] for text in lines))


def _depth(value: Tensor) -> int:
    """How deep tensors are nested in it."""
    return 1 + max((_depth(f.value) for t in value.terms for f in t.factors if isinstance(f.value, Tensor)), default=0)


def _used(prologue: list[str], body: list[str]) -> list[str]:
    """The preparing lines whose name occurs below."""
    kept: list[str] = []
    for row in reversed(prologue):
        if re.search(rf"\b{row.split(' = ')[0]}\b", "\n".join((*kept, *body))):
            kept.append(row)
    return kept[::-1]
