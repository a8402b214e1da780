"""Tracing: a plain NumPy function is called once with values that write down what is done to them.

A `Traced` value is a node of a graph: an operation, its arguments, its shape (by unification) and the line of the cell on which it
was made.  NumPy itself dispatches to it (`__array_ufunc__`, `__array_function__`), so no source is parsed; the local names of
the function are read from its frame when it returns.  `build` then turns the named nodes into the equations of a `Program`.
"""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from symgrad.errors import CellError
from symgrad.language.activations import FreeActivation, FreeFunction
from symgrad.language.shapes import Dim, Shape, describe


class Trace:
    """One run of one cell: its code (for lines), and the nodes in the order in which they were made."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.count = itertools.count()
        self.locals: dict[str, Any] = {}
        self.returned = code.co_firstlineno

    def line(self) -> int:
        """The line of the cell that is being executed."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code is self.code:
                return frame.f_lineno
            frame = frame.f_back
        return self.code.co_firstlineno

    def fail(self, reason: str, line: int | None = None) -> NoReturn:
        """Raise a `CellError` that shows the line."""
        raise error_at(self.code, line or self.line(), reason)

    @contextmanager
    def reading_locals(self) -> Iterator[None]:
        """While the cell runs, wait for its return; keep its local variables, and the line from which it returns."""

        def on_event(frame: FrameType, event: str, arg: Any) -> None:
            if event == "return" and frame.f_code is self.code:
                self.locals, self.returned = dict(frame.f_locals), frame.f_lineno

        before = sys.getprofile()
        sys.setprofile(on_event)
        try:
            yield
        finally:
            sys.setprofile(None)
            if before is not None:  # cProfile's hook is an object that is not called but enabled
                sys.setprofile(before) if callable(before) else before.enable()


def error_at(code: CodeType, line: int, reason: str) -> CellError:
    """``file:line: reason`` with the line of source below it; what concerns the whole cell stands at its ``def``, below the decorators."""
    if line == code.co_firstlineno:
        body = min((n for _, _, n in code.co_lines() if n and n > line), default=line + 1)
        line = next((n for n in range(line, body) if linecache.getline(code.co_filename, n).lstrip().startswith("def ")), line)
    source = linecache.getline(code.co_filename, line).strip()
    return CellError(f"{code.co_filename}:{line}: in cell {code.co_name}: {reason}" + (f"\n    {source}" if source else ""))


class Traced:
    """A value inside a cell that is being traced."""

    __slots__ = ("args", "line", "op", "order", "shape", "trace")
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, trace: Trace, op: Any, args: tuple[Any, ...], shape: Shape, line: int | None = None) -> None:
        self.trace, self.op, self.args, self.shape = trace, op, args, shape
        self.line = trace.line() if line is None else line
        self.order = next(trace.count)

    # -- what NumPy and Python call -------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc is np.add:
            return _sum(args[0], kwargs.get("axis"))
        rule = UFUNCS.get(ufunc)
        if rule is None or method != "__call__":
            self.trace.fail(f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method} cannot be traced; {CAN}")
        options = [k for k, v in kwargs.items() if v is not None]
        if options:
            self.trace.fail(f"np.{ufunc.__name__} with {', '.join(options)}= cannot be traced: a cell makes new values and writes into none")
        return rule(self.trace, *args)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rule = ARRAY_FUNCTIONS.get(function)
        if rule is None:
            self.trace.fail(f"{function.__module__.replace('numpy', 'np', 1)}.{function.__name__} cannot be traced; {CAN}")
        return rule(self.trace, *args, **kwargs)

    def __activation__(self, which: str | FreeActivation) -> Traced:
        return Traced(self.trace, which, (self,), self.shape)

    @staticmethod
    def __call_free__(which: FreeFunction, args: tuple[Any, ...]) -> Traced:
        trace = next(a.trace for a in args if isinstance(a, Traced))
        return Traced(trace, which, tuple(_lift(trace, a) for a in args), Shape())

    def __add__(self, other: Any) -> Any:
        return _pointwise(self.trace, "+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _pointwise(self.trace, "+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _pointwise(self.trace, "-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _pointwise(self.trace, "-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _pointwise(self.trace, "*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _pointwise(self.trace, "*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _pointwise(self.trace, "/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _pointwise(self.trace, "/", other, self)

    def __neg__(self) -> Any:
        return _pointwise(self.trace, "-", 0, self)

    def __pos__(self) -> Traced:
        return self

    def __pow__(self, exponent: Any) -> Traced:
        return _power(self.trace, self, exponent)

    def __rpow__(self, base: Any) -> NoReturn:
        self.trace.fail("a power of a number to a traced value is not one of the operations of a cell; write np.exp(a * log(base))")

    def __matmul__(self, other: Any) -> Traced:
        return _matmul(self.trace, self, other)

    def __rmatmul__(self, other: Any) -> Traced:
        return _matmul(self.trace, other, self)

    @property
    def T(self) -> Traced:
        """The transpose; of a vector, the vector."""
        if self.shape.rank == 1:
            return self
        if not self.shape.settle(2):
            self.trace.fail(f".T of {describe(self.shape)}")
        assert self.shape.dims is not None
        return Traced(self.trace, "einsum", (((1, 0),), (0, 1), (self,)), Shape(self.shape.dims[::-1]))

    def sum(self, axis: int | None = None) -> Traced:
        """np.sum."""
        return _sum(self, axis)

    def dot(self, other: Any) -> Traced:
        """np.dot."""
        return _matmul(self.trace, self, other)

    def __bool__(self) -> bool:
        self.trace.fail("a branch on a traced value: a cell is one formula for all values; use relu(a) or np.maximum(a, 0) in place of `if`")

    def __compare(self, other: Any) -> NoReturn:
        self.trace.fail("a comparison of traced values, as for a branch: a cell is one formula for all values; use relu(a), np.maximum(a, 0) or np.abs(a)")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __compare

    def __getitem__(self, key: Any) -> NoReturn:
        self.trace.fail("indexing a traced value: give each part a name of its own (W_z, W_r instead of slices of one W)")

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self.trace.fail("writing into a traced value: build a new one, for example with np.concatenate")

    def __iter__(self) -> NoReturn:
        self.trace.fail("iterating over a traced value: sizes are symbols; write the formula for whole vectors")

    def __len__(self) -> int:
        self.trace.fail("len() of a traced value: sizes are symbols")

    def __float__(self) -> float:
        self.trace.fail("a traced value has no number; use functions of NumPy or symgrad, not of math")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self.trace.fail(f"a traced value has no attribute .{name}; {CAN}")


CAN = "a cell can use + - * / @ **, .T, np.tanh exp log sqrt maximum(a, 0) abs concatenate sum outer, and sigmoid relu softplus silu of symgrad"


def _lift(trace: Trace, value: Any) -> Traced:
    """A number becomes a constant node; an array is refused."""
    if isinstance(value, Traced):
        return value
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | Fraction | np.integer | np.floating):
        kind = "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        trace.fail(f"{kind} that is neither argument nor number; give it to the cell as a keyword-only parameter")
    if not np.isfinite(float(value)):
        trace.fail(f"the constant {value} is not finite")
    exact = value if isinstance(value, Fraction) else Fraction(int(value)) if isinstance(value, int | np.integer) else Fraction(repr(float(value)))
    return Traced(trace, "const", (exact,), Shape(()))


def _is_constant(node: Traced) -> bool:
    return isinstance(node.op, str) and node.op == "const"


def _pointwise(trace: Trace, op: str, a: Any, b: Any) -> Any:
    """a op b entry by entry; a number or scalar is broadcast, and a vector along the rows of a matrix."""
    if not all(isinstance(v, Traced | int | float | Fraction | np.number | np.ndarray) for v in (a, b)):
        return NotImplemented
    x, y = _lift(trace, a), _lift(trace, b)
    if _is_constant(x) and _is_constant(y):
        shape = x.shape
    elif _is_constant(x) or y.shape.rank == 0:
        shape = y.shape if _is_constant(x) else x.shape
    elif _is_constant(y) or x.shape.rank == 0:
        shape = x.shape if _is_constant(y) else y.shape
    else:
        rx, ry = x.shape.rank, y.shape.rank
        if rx is not None and ry is not None and rx != ry:
            big, small = (x, y) if rx > ry else (y, x)
            assert big.shape.dims is not None
            if not Shape(big.shape.dims[-(small.shape.rank or 0):]).unify(small.shape):
                trace.fail(f"`{op}` of {_show(x)} and {_show(y)}: the shapes do not fit")
            shape = big.shape
        elif not x.shape.unify(y.shape):
            trace.fail(f"`{op}` of {_show(x)}, {describe(x.shape)}, and {_show(y)}, {describe(y.shape)}: the shapes do not fit")
        else:
            shape = x.shape
    return Traced(trace, op, (x, y), shape)


def _power(trace: Trace, base: Any, exponent: Any) -> Traced:
    """base ** k for an integer k."""
    if isinstance(exponent, float) and exponent.is_integer():
        exponent = int(exponent)
    if not isinstance(exponent, int | np.integer) or isinstance(exponent, bool):
        trace.fail("`**` takes an integer exponent; write np.sqrt or np.exp for others")
    base = _lift(trace, base)
    return Traced(trace, "**", (base, int(exponent)), base.shape)


def _matmul(trace: Trace, a: Any, b: Any) -> Traced:
    """a @ b; a parameter of unknown rank next to `@` is a matrix."""
    x, y = _lift(trace, a), _lift(trace, b)
    for node in (x, y):
        if node.shape.rank is None:
            node.shape.settle(2)
    if x.shape.rank not in (1, 2) or y.shape.rank not in (1, 2):
        trace.fail(f"`@` of {_show(x)}, {describe(x.shape)}, and {_show(y)}, {describe(y.shape)}: it takes vectors and matrices; use * for scalars")
    dx, dy = x.shape.dims, y.shape.dims
    assert dx is not None
    assert dy is not None
    if not dx[-1].unify(dy[0]):
        trace.fail(f"`@` of {_show(x)} and {_show(y)}: the inner sizes do not fit")
    k = len(dx) + len(dy) - 2
    left, right = (*range(len(dx) - 1), k), (k, *range(len(dx) - 1, k))
    return Traced(trace, "einsum", ((left, right), tuple(range(k)), (x, y)), Shape(dx[:-1] + dy[1:]))


def _sum(a: Any, axis: int | None = None) -> Traced:
    """Σ over all entries, or over one axis."""
    if a.shape.rank is None:
        a.shape.settle(1)
    rank = a.shape.rank
    gone = set(range(rank)) if axis is None else {axis % rank}
    kept = [i for i in range(rank) if i not in gone]
    names = {i: (kept.index(i) if i in kept else len(kept) + i) for i in range(rank)}
    return Traced(a.trace, "einsum", ((tuple(names[i] for i in range(rank)),), tuple(range(len(kept))), (a,)), Shape([a.shape.dims[i] for i in kept]))


def _outer(trace: Trace, a: Any, b: Any) -> Traced:
    """a bᵀ."""
    x, y = _lift(trace, a), _lift(trace, b)
    for node in (x, y):
        if not node.shape.settle(1):
            trace.fail(f"np.outer of {_show(node)}, {describe(node.shape)}: it takes vectors")
    assert x.shape.dims is not None
    assert y.shape.dims is not None
    return Traced(trace, "einsum", (((0,), (1,)), (0, 1), (x, y)), Shape(x.shape.dims + y.shape.dims))


def _concatenate(trace: Trace, parts: Any, axis: int = 0, **rest: Any) -> Traced:
    """[a; b; …], one vector below the other."""
    nodes = [_lift(trace, p) for p in parts]
    for node in nodes:
        if not node.shape.settle(1):
            trace.fail(f"np.concatenate of {_show(node)}, {describe(node.shape)}: it takes vectors")
    if axis not in (0, -1) or rest:
        trace.fail("np.concatenate of vectors has no other axis or option")
    return Traced(trace, "concatenate", tuple(nodes), Shape([Dim(tuple(n.shape.dims[0] for n in nodes if n.shape.dims))]))


def _maximum(trace: Trace, a: Any, b: Any) -> Traced:
    """max(a, 0)."""
    value, other = (a, b) if isinstance(a, Traced) else (b, a)
    if not isinstance(other, Traced) and other == 0:
        return _lift(trace, value).__activation__("relu")
    return trace.fail("np.maximum is traced with 0 as its other argument; write max(a, b) as b + np.maximum(a - b, 0)")


def _applied(name: str) -> Callable[[Trace, Any], Traced]:
    return lambda trace, a: _lift(trace, a).__activation__(name)


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: lambda t, a, b: _pointwise(t, "+", a, b),
    np.subtract: lambda t, a, b: _pointwise(t, "-", a, b),
    np.multiply: lambda t, a, b: _pointwise(t, "*", a, b),
    np.divide: lambda t, a, b: _pointwise(t, "/", a, b),
    np.negative: lambda t, a: -a,
    np.positive: lambda t, a: a,
    np.square: lambda t, a: _power(t, a, 2),
    np.power: _power,
    np.matmul: _matmul,
    np.maximum: _maximum,
    np.sqrt: _applied("sqrt"),
    np.exp: _applied("exp"),
    np.log: _applied("log"),
    np.tanh: _applied("tanh"),
    np.absolute: _applied("abs"),
    np.sign: _applied("sign"),
}
ARRAY_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: lambda t, a, axis=None: _sum(a, axis),
    np.dot: _matmul,
    np.outer: _outer,
    np.concatenate: _concatenate,
    np.hstack: _concatenate,
    np.transpose: lambda t, a: a.T,
}


def _show(node: Traced) -> str:
    """The expression of a node, for error messages."""
    if node.op == "leaf":
        return str(node.args[0])
    if node.op == "const":
        return str(node.args[0])
    if node.op == "einsum":
        labels, out, args = node.args
        if len(args) == 2 and len(labels[0]) + len(labels[1]) > len(out):
            return f"{_show(args[0])} @ {_show(args[1])}"
        return f"({', '.join(map(_show, args))} contracted)"
    if node.op in ("+", "-", "*", "/"):
        return f"({_show(node.args[0])} {node.op} {_show(node.args[1])})"
    if node.op == "**":
        return f"{_show(node.args[0])}**{node.args[1]}"
    name = node.op if isinstance(node.op, str) else node.op.name
    return f"{name}({', '.join(map(_show, node.args))})"
