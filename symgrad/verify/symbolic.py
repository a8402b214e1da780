r"""Against SymPy: the cell's own function is run on arrays of SymPy symbols, and SymPy differentiates every component by itself.

Nothing of the tracing, the two rules or the tensors takes part on that side.  In the formula, a gate's component is replaced by its
definition.  Both are then polynomials in the arguments' components and in *generators*, one for each activation of each
argument (σ(w₁x₁ + …) is one unknown), and two polynomials are equal exactly when their expanded difference is 0.  Random rational values
of the unknowns are put in first, which shows most differences sooner and says how large they are.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import SymgradError
from symgrad.face.jacobian import Jacobian
from symgrad.language.functions import FUNCTIONS
from symgrad.notation.sympy_out import tensor_sympy
from symgrad.verify.evaluate import Array, Backend, Values
from symgrad.verify.points import Point
from symgrad.verify.report import Check, judged, skipped
from symgrad.verify.response import Step, names_at, plain, response
from symgrad.verify.standin import Subject

SIZES = ((1, 1), (2, 3), (3, 2))
UFUNCS: dict[Any, Any] = {
    np.tanh: FUNCTIONS["tanh"], np.exp: FUNCTIONS["exp"], np.log: FUNCTIONS["log"], np.absolute: FUNCTIONS["abs"],
    np.sign: FUNCTIONS["sign"], np.sqrt: sp.sqrt,
}  # fmt: skip


class Entries(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of SymPy expressions on which a cell's function runs: NumPy's functions and the activations act entry by entry."""

    def __init__(self, array: Array) -> None:
        self.array = np.asarray(array, dtype=object)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if ufunc is np.maximum:
            (a,) = (a for a in args if isinstance(a, Entries))
            return a.__activation__("relu")
        if ufunc in UFUNCS:
            return Entries(_each(UFUNCS[ufunc], args[0].array))
        return Entries(getattr(ufunc, method)(*map(_bare, args), **kwargs))

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Entries:
        return Entries(function(*map(_bare, args), **kwargs))

    def __activation__(self, which: str) -> Entries:
        return Entries(_each(FUNCTIONS[which], self.array))

    @property
    def T(self) -> Entries:
        """The transpose."""
        return Entries(self.array.T)

    def sum(self, axis: int | None = None) -> Entries:
        """np.sum."""
        return Entries(self.array.sum(axis))

    def dot(self, other: Any) -> Any:
        """np.dot."""
        return self @ other


def _bare(value: Any) -> Any:
    """The array inside; a float constant as the rational it was written as."""
    if isinstance(value, Entries):
        return value.array
    if isinstance(value, tuple | list):
        return type(value)(map(_bare, value))
    if isinstance(value, float | np.floating):
        exact = Fraction(repr(float(value)))
        return sp.Rational(exact.numerator, exact.denominator)
    return value


def _each(f: Any, array: Array) -> Array:
    array = np.asarray(array, dtype=object)
    out = np.empty(array.shape, dtype=object)
    for at in np.ndindex(array.shape):
        out[at] = f(sp.sympify(array[at]))
    return out


SYMPY = Backend(
    {name: partial(_each, f) for name, f in FUNCTIONS.items()},
    lambda spec, *operands: np.einsum(spec, *(np.asarray(o, dtype=object) for o in operands)),
    lambda a: np.vectorize(sp.Integer, otypes=[object])(a),
    lambda number: number,
)


class Generators:
    """The unknowns: every applied activation becomes a symbol, the same one for the same argument.

    SymPy merges e^a e^b into e^{a+b}, so an exponential of a sum is the product of one unknown for each of its monomials.
    A cell with 1/(1 + exp(-a)) in it, which tracing reads as σ(a), is taken to the unknown s = σ(a) by e^a = s/(1 - s) and σ(-a) = 1 - s.
    """

    def __init__(self, exponentials: bool = False) -> None:
        self.exponentials = exponentials
        self.found: dict[Any, sp.Symbol] = {}
        self.memo: dict[sp.Expr, sp.Expr] = {}

    def __call__(self, e: sp.Expr) -> sp.Expr:
        if not e.args or isinstance(e, sp.Symbol):
            return e
        if e not in self.memo:
            args = [self(a) for a in e.args]
            self.memo[e] = self._applied(e.func, sp.expand(args[0])) if isinstance(e, sp.Function) else self._same(e, args)
        return self.memo[e]

    def _same(self, e: sp.Expr, args: list[sp.Expr]) -> sp.Expr:
        if self.exponentials and e.is_Pow and e.exp.is_negative:
            args[0] = sp.cancel(args[0])
        return e.func(*args)

    def _applied(self, f: Any, a: sp.Expr) -> sp.Expr:
        if self.exponentials and f in (FUNCTIONS["sigmoid"], sp.exp):
            turned = a.could_extract_minus_sign()
            s = self._unknown(FUNCTIONS["sigmoid"], -a if turned else a)
            s = 1 - s if turned else s
            return s if f != sp.exp else s / (1 - s)
        if f == sp.exp:  # SymPy itself makes one exponential of a product of several: take them all apart
            terms = a.as_coefficients_dict().items()
            return sp.Mul(*(self._unknown(f, m) ** c if c.is_Integer else self._unknown(f, c * m) for m, c in terms))
        return self._unknown(f, a)

    def _unknown(self, f: Any, a: sp.Expr) -> sp.Symbol:
        return self.found.setdefault((f, a), sp.Dummy(f"y{len(self.found)}"))


@dataclass(frozen=True, eq=False)
class Components:
    """One size: the arguments as arrays of symbols, and the derivatives that SymPy has found so far."""

    subject: Subject
    n: int
    m: int
    seed: int
    memo: dict[tuple[object, ...], Array] = field(default_factory=dict)
    numbers: dict[sp.Symbol, sp.Rational] = field(default_factory=dict)

    @cached_property
    def unknown(self) -> Generators:
        """The unknowns of both sides."""
        return Generators(bool(self.subject.program.notes))

    def point(self) -> Point:
        """Every argument as an array of real symbols; a later step's inputs have symbols of their own."""
        program = self.subject.program
        letters = {s for shape in program.shapes.values() for d in shape for s in d.free_symbols}
        sizes = {s: self.m if s.name == "m" else self.n for s in letters}

        def symbols(s: sp.Symbol, mark: str = "") -> Array:
            shape = [int(d.xreplace({k: sp.Integer(v) for k, v in sizes.items()})) for d in program.shapes[s]]
            out = np.empty(shape, dtype=object)
            for at in np.ndindex(*shape):
                out[at] = sp.Symbol(f"{s.name}{mark}{list(at)}", real=True)
            return out

        arguments = {s.name: symbols(s) for s in (*program.inputs, *program.states, *program.parameters)}
        return Point(sizes, arguments, {s.name: symbols(s, "'") for s in program.inputs})

    def step(self, point: Point) -> Step:
        """The cell's own function, run on arrays of symbols; a quantity that it does not return comes from the equations."""

        def step(values: Values) -> Callable[[sp.Symbol], Array]:
            returned = self.subject.step({k: Entries(v) for k, v in values.items()})
            return lambda s: _bare(returned[s]) if s in returned else self.subject.equations(point.sizes, values, SYMPY).of(s)

        return step

    def reference(self, jacobian: Jacobian, point: Point) -> Array:
        """∂of/∂wrt, every component differentiated by SymPy, in the unknowns."""
        key = (jacobian.of, jacobian.wrt, jacobian.through)
        if key not in self.memo:
            f, at = response(self.subject, jacobian, point, self.step(point), SYMPY)
            v = np.empty(at.shape, dtype=object)
            for k in np.ndindex(at.shape):
                v[k] = sp.Symbol(f"v{list(k)}", real=True)
            value = f(v)
            back = {v[k]: at[k] for k in np.ndindex(v.shape)}
            out = np.empty(value.shape + v.shape, dtype=object)
            for i, j in itertools.product(np.ndindex(value.shape), np.ndindex(v.shape)):
                out[i + j] = self.unknown(sp.sympify(value[i]).diff(v[j]).xreplace(back))
            self.memo[key] = out
        return self.memo[key]

    def claim(self, jacobian: Jacobian, point: Point) -> Array:
        """The formula's components with every gate replaced by its definition, in the unknowns."""
        names = names_at(self.subject, jacobian, point, SYMPY)
        explicit = tensor_sympy(jacobian.program, jacobian.tensor, "matrix", self.n, self.m)
        entries = np.array(explicit.tolist() if hasattr(explicit, "tolist") else explicit, dtype=object)
        definition = {a: self._component(names.of(sp.Symbol(a.parent.name)), a.indices) for e in entries.ravel() for a in e.atoms(MatrixElement)}
        free = {s for e in entries.ravel() for s in e.free_symbols if jacobian.program.shapes.get(s) == ()}
        scalars = {s: self._component(names.of(s), ()) for s in free}
        shape = tuple(names.number(d) for d in jacobian.tensor.dims)
        return np.array([self.unknown(e.xreplace({**definition, **scalars})) for e in entries.ravel()], dtype=object).reshape(shape)

    @staticmethod
    def _component(array: Array, at: tuple[Any, ...]) -> sp.Expr:
        array = np.asarray(array, dtype=object)
        return sp.sympify(array[tuple(int(i) for i in at)[: array.ndim]])

    def difference(self, a: sp.Expr, b: sp.Expr) -> float:
        """0 if a = b identically; else how far they are apart, relatively, at a random rational point."""
        for s in sorted((a.free_symbols | b.free_symbols) - self.numbers.keys(), key=str):
            draw = random.Random(f"{self.seed} {s} {len(self.numbers)}")
            self.numbers[s] = sp.Rational(draw.randint(-(10**6), 10**6) * 2 + 1, draw.randint(1, 10**6))
        x, y = a.xreplace(self.numbers), b.xreplace(self.numbers)
        if x != y:
            return float(abs(x - y) / max(abs(x), abs(y)))
        rest = sp.expand(a - b)
        return 0.0 if rest == 0 or sp.cancel(sp.together(rest)) == 0 else float("inf")


def checks(parts: list[Components], jacobian: Jacobian, what: str) -> Iterator[Check]:
    """One derivative against SymPy's own, exactly, component by component."""
    try:
        claim = parts[0].subject.concrete(plain(jacobian))
        for size in parts:
            yield _check(size, claim, what)
    except NotImplementedError as e:
        yield skipped(what, "SymPy components", "", str(e))


def _check(size: Components, claim: Jacobian, what: str) -> Check:
    at = f"n={size.n}, m={size.m}" if claim.program.inputs else f"n={size.n}"
    point = size.point()
    try:
        expected, given = size.reference(claim, point), size.claim(claim, point)
        errors = [size.difference(a, b) for a, b in zip(given.ravel(), expected.ravel(), strict=True)]
        worst, reason = [max(errors)], ""
    except (SymgradError, ValueError, IndexError, TypeError, AttributeError) as e:
        worst, reason = [float("nan")], f"{type(e).__name__}: {e}"
    return judged(what, "SymPy components", at, worst, 0.0, reason)
