r"""Tensors compiled to NumPy: ``f(x=…, h=…, W_z=…)`` or ``f(z=…, h=…, U_z=…)``, a name that is given being an argument and not computed.

No diagonal matrix is ever formed: ``diag(c) M`` scales rows, ``diag(c)`` alone is added to the diagonal through a strided view, and there is
one gemm only where two matrices really meet.  Code is generated for each set of given names, and kept with its temporaries for each set of shapes.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from symgrad.errors import SymgradError
from symgrad.generate.step.bound import Array, Bound, Run, Workspace
from symgrad.generate.step.code import TABLE, UFUNCS, Code, Writer
from symgrad.generate.step.needs import Needs, argument_name
from symgrad.language.program import Call, Program, Shape, free_jacobian
from symgrad.language.tensor import Tensor

Given: TypeAlias = Mapping[sp.Symbol, sp.Expr]

CACHE = 2**20  # bytes that one temporary of a chunk of points may take
WIDE = 256  # entries of a row above which NumPy scales rows twice as fast when they do not fit into its ufunc buffer
BUFFER = 16  # entries of that buffer: the least
SIGNATURE = operator.attrgetter("shape", "dtype")
SHAPES = 64  # sets of shapes that a compiled function remembers


class Compiled:
    """A compiled set of tensors; call it with arrays by name.

    Names are the cell's own arguments, from which gates are computed here, each once and only those that are needed, or any named quantity
    itself, which is then not computed.  Arguments of the cell that are not needed may be given too.  Of a free vector function f(y, W) the
    value is called ``f``, the Jacobian by y ``f_prime``, that by W ``f_prime_W``; or `functions` says how to compute them.

    A gate that is at or held at a value has this value in every equation that is computed here, so that a state which depends on the gate,
    such as the c_t in tanh(c_t), follows.
    """

    def __init__(self, program: Program, outputs: Mapping[str, Tensor], substituted: Given, held: Given) -> None:
        self.program, self.outputs = program, dict(outputs)
        self.fixed: dict[sp.Symbol, sp.Expr] = {**substituted, **held}
        self._bound: dict[Any, Bound] = {}
        self._needs: dict[tuple[frozenset[sp.Symbol], frozenset[str]], Needs] = {}
        self._codes: dict[Any, tuple[Code, Callable[..., Run]]] = {}
        self._single = next(iter(outputs)) if len(outputs) == 1 and "J" in outputs else None
        self.shapes: dict[sp.Symbol, Shape] = dict(program.shapes)
        for s, value in self.fixed.items():
            for name in value.free_symbols:
                self.shapes.setdefault(name, program.shapes[s])
        self._spelled = self._spellings()

    def _spellings(self) -> dict[str, sp.Symbol]:
        """Every name under which an array may be given."""
        program = self.program
        found = {s.name: s for s in (*program.order, *(n for v in self.fixed.values() for n in v.free_symbols))}
        for s, atom in program.atoms.items():
            if isinstance(atom, Call):
                for k in range(len(atom.args)):
                    slope = free_jacobian(atom, k)
                    found |= {argument_name(program, slope): slope, slope.name: slope}
                found.setdefault(atom.function, s)
        return {**program.names, **found}

    # -- calling ---------------------------------------------------------------------------------------------------------

    def __call__(self, *, out: Any = None, workspace: Workspace | None = None, functions: Mapping[str, Any] | None = None, **arrays: Any) -> Any:
        """The tensors at these arrays; leading axes are a batch and broadcast.

        `out` takes the result (a dict of arrays if there are several), `workspace` keeps the temporaries, and
        ``functions={"g": (value, slope)}`` says what a free activation is (or the `activation` itself, made with `numpy` and `slope`).

        Raises `SymgradError` for names that are missing or unknown, and for a wrong shape.
        """
        try:
            key = (tuple(arrays), tuple(map(SIGNATURE, arrays.values())), tuple(functions) if functions else None)
            bound = self._bound[key]
        except (KeyError, AttributeError):
            arrays = {name: np.asarray(a) for name, a in arrays.items()}
            bound = self._bind(arrays, functions or {})
        given = bound.take(arrays)
        if bound.cast:
            given = [a.astype(bound.dtype, copy=False) for a in given]
        if out is None:
            results = wanted = [np.empty(shape, bound.dtype) for _, shape in bound.results]
        else:
            wanted, apart = self._wanted(out, bound, given)
            results = wanted if apart else [np.empty(r.shape, bound.dtype) for r in wanted]
        run = bound.run(workspace)
        called = [_function(functions, f, k) for f, k in bound.code.functions] if bound.code.functions else ()
        buffer = np.setbufsize(BUFFER) if bound.wide else 0
        try:
            if bound.mode == "one":
                run(*results, *given, *called)
            else:
                self._points(bound, run, results, given, called)
        finally:
            if buffer:
                np.setbufsize(buffer)
        if workspace is None and bound.small:
            bound.spare.append(run)
        if results is not wanted:
            for r, w in zip(results, wanted, strict=True):
                np.copyto(w, r, casting="same_kind")
        if self._single is not None:
            return wanted[0]
        return {name: r for (name, _), r in zip(bound.results, wanted, strict=True)}

    def _points(self, bound: Bound, run: Run, results: list[Array], given: Sequence[Array], called: Any) -> None:
        """All points: in chunks inside the generated code, or one by one where a point is large."""
        points = math.prod(bound.lead)
        if points == 0:
            return
        flat = [r.reshape(points, *r.shape[len(bound.lead):]) for r in results]
        arrays = []
        for name, a in zip(bound.names, given, strict=True):
            rank = len(self.shapes[self._spelled[name]])
            core = a.shape[a.ndim - rank:]
            arrays.append(np.broadcast_to(a, (*bound.lead, *core)).reshape(points, *core) if name in bound.batched else a.reshape(core))
        if bound.mode == "batch":
            run(*flat, *arrays, *called)
            return
        for k in range(points):
            run(*(r[k, ...] for r in flat), *(a[k, ...] if n in bound.batched else a for n, a in zip(bound.names, arrays, strict=True)), *called)

    def _wanted(self, out: Any, bound: Bound, given: Sequence[Array]) -> tuple[list[Array], bool]:
        """What takes the results, and whether they can be computed there: all of the right type, in order, and apart from every argument."""
        listed: list[Any] = [out]
        if self._single is None:
            if not isinstance(out, Mapping) or set(out) != set(self.outputs):
                raise SymgradError(f"out must be a dict of arrays named {', '.join(self.outputs)}")
            listed = [out[name] for name, _ in bound.results]
        apart = True
        for (name, shape), r in zip(bound.results, listed, strict=True):
            if not isinstance(r, np.ndarray) or r.shape != shape:
                raise SymgradError(f"out for {name} must be an array of shape {shape}, not {getattr(r, 'shape', type(r).__name__)}")
            apart = apart and r.dtype == bound.dtype and r.flags.c_contiguous
            owned = r.base is None
            for a in given:  # two arrays that own their memory are apart, which is faster to see than `may_share_memory`
                if a is r or (not (owned and a.base is None) and np.may_share_memory(r, a)):
                    apart = False
        return listed, apart

    def workspace(self) -> Workspace:
        """A place for temporaries, to be passed to every call."""
        return Workspace()

    def source(self, *names: str, batched: tuple[str, ...] = (), functions: tuple[str, ...] = ()) -> str:
        """The generated code where these names are given (none: the arguments of the cell), those in `batched` with a leading axis."""
        program = self.program
        given = frozenset(map(self._symbol, names)) if names else frozenset(
            s for s in (*program.inputs, *program.states, *program.past.values(), *program.parameters, *self._spelled.values())
            if s not in self.fixed and s not in program.equations
        )  # fmt: skip
        code, _ = self._code(given, frozenset(functions), frozenset(map(self._symbol, batched)) & given, bool(batched))
        return code.source

    # -- binding ---------------------------------------------------------------------------------------------------------

    def _symbol(self, name: str) -> sp.Symbol:
        s = self._spelled.get(name)
        if s is None:
            return self.program.symbol(name)  # raises UnknownName with the nearest names
        if s in self.fixed:
            raise SymgradError(f"{name} is fixed at {self.fixed[s]} by at() or hold(): leave it out")
        return s

    def _bind(self, arrays: dict[str, Array], functions: Mapping[str, Any]) -> Bound:
        """Check names, shapes and types, once for each combination."""
        symbols: dict[sp.Symbol, str] = {}
        for name in arrays:
            s = self._symbol(name)
            if s in symbols:
                raise SymgradError(f"{symbols[s]} and {name} are the same quantity: give one of them")
            symbols[s] = name
        given = frozenset(symbols)
        needs = self._need(given, frozenset(functions))
        absent = [self._describe(s) for s in needs.missing] + [f"functions={{{f!r}: (value, slope)}}" for f in needs.free if f not in functions]
        if absent:
            raise SymgradError(f"missing: {', '.join(absent)}; give them, or names that make them unnecessary")
        sizes = self._sizes({s: arrays[n].shape for s, n in symbols.items()}, symbols)
        leads = {n: arrays[n].shape[: arrays[n].ndim - len(self.shapes.get(s, ()))] for s, n in symbols.items()}
        try:
            lead = np.broadcast_shapes(*leads.values())
        except ValueError:
            raise SymgradError("the leading axes do not broadcast: " + ", ".join(f"{n} {k}" for n, k in leads.items() if k)) from None
        dtype = np.result_type(*(arrays[n] for n in symbols.values())) if arrays else np.dtype(float)
        if dtype.kind not in "fc" or dtype.itemsize < 4:
            if dtype.kind not in "fcbiu":
                raise SymgradError(f"arrays of type {dtype} are no numbers")
            dtype = np.result_type(dtype, np.float32 if dtype.kind == "f" else np.float64)
        batched = frozenset(symbols[s] for s in needs.arguments if any(k != 1 for k in leads[symbols[s]]))
        results = tuple((name, (*lead, *(self._size(d, sizes) for d in t.dims))) for name, t in self.outputs.items())
        point = max((math.prod(shape[len(lead):]) for _, shape in results), default=1) * dtype.itemsize
        points = math.prod(lead)
        mode = "one" if not lead else "loop" if 16 * point > 4 * CACHE or points <= 1 or set(needs.free) & self._vector_functions() else "batch"
        inside = frozenset(s for s in needs.arguments if symbols[s] in batched) if mode == "batch" else frozenset()
        code, make = self._code(given, frozenset(functions), inside, mode == "batch")
        bound = Bound(
            make, code, tuple(symbols[s] for s in code.arguments), dtype, tuple(sizes.get(d, 0) for d in code.sizes), lead, batched, results,
            any(arrays[symbols[s]].dtype != dtype for s in code.arguments), mode,
        )  # fmt: skip
        if mode == "batch":
            bound.chunk = min(points, max(16, min(128, CACHE // max(point, 1))))
        else:
            bound.wide = any(len(shape) > len(lead) + 1 and shape[-1] >= WIDE for _, shape in results)
        if len(self._bound) >= SHAPES:
            self._bound.clear()
        self._bound[tuple(arrays), tuple(map(SIGNATURE, arrays.values())), tuple(functions) if functions else None] = bound
        return bound

    def _vector_functions(self) -> set[str]:
        return {a.function for a in self.program.atoms.values() if isinstance(a, Call)}

    def _describe(self, s: sp.Symbol) -> str:
        shape = self.shapes.get(s, ())
        return f"{argument_name(self.program, s)} ({', '.join(map(str, shape))})" if shape else argument_name(self.program, s)

    def _need(self, given: frozenset[sp.Symbol], functions: frozenset[str]) -> Needs:
        key = (given, functions)
        if key not in self._needs:
            self._needs[key] = Needs(self.program, self.outputs, self.fixed, given, functions)
        return self._needs[key]

    def _code(
        self, given: frozenset[sp.Symbol], functions: frozenset[str], batched: frozenset[sp.Symbol], batch: bool
    ) -> tuple[Code, Callable[..., Run]]:
        key = (given, functions, batched, batch)
        if key not in self._codes:
            needs = self._need(given, functions)
            if needs.missing:
                raise SymgradError(f"missing: {', '.join(map(self._describe, needs.missing))}")
            code = Writer(needs, batched, batch).code()
            namespace: dict[str, Any] = {name: getattr(np, name) for name in UFUNCS} | TABLE
            namespace["__builtins__"] = {"range": range, "min": min}
            exec(compile(code.source, f"<symgrad: {self.program.name}>", "exec"), namespace)
            self._codes[key] = (code, namespace["make"])
        return self._codes[key]

    # -- sizes -----------------------------------------------------------------------------------------------------------

    def _sizes(self, shapes: Mapping[sp.Symbol, tuple[int, ...]], names: Mapping[sp.Symbol, str]) -> dict[sp.Symbol, int]:
        """n, m, … from the arrays; each array is then compared with its symbolic shape."""
        found: dict[sp.Symbol, int] = {}
        later = []
        for s, shape in shapes.items():
            expected = self.shapes.get(s, ())
            if len(shape) < len(expected):
                raise SymgradError(f"{names[s]} has shape {shape}, expected ({', '.join(map(str, expected))}), and before that any batch axes")
            pairs = list(zip(expected, shape[len(shape) - len(expected):], strict=True))
            later.append((s, pairs))
            for d, size in pairs:
                if isinstance(d, sp.Symbol):
                    found.setdefault(d, size)
        for _, pairs in later:
            for d, size in pairs:
                unknown = d.free_symbols - found.keys()
                if len(unknown) == 1 and d.is_Add:
                    (u,) = unknown
                    (value,) = sp.solve(d.xreplace({k: sp.Integer(v) for k, v in found.items()}) - size, u)
                    found[u] = int(value)
        for s, pairs in later:
            if any(self._size(d, found) != size for d, size in pairs):
                sized = ", ".join(f"{k} = {v}" for k, v in found.items())
                raise SymgradError(f"{names[s]} has shape {shapes[s]}, expected ({', '.join(str(d) for d, _ in pairs)}) where {sized}")
        return found

    def _size(self, dim: sp.Expr, sizes: Mapping[sp.Symbol, int]) -> int:
        value = dim.xreplace({k: sp.Integer(v) for k, v in sizes.items()})
        if not value.is_Integer:
            having = next(self._describe(s) for s in self.program.order if dim in self.shapes.get(s, ()))
            raise SymgradError(f"the size {dim} is not known: give an array that has it, such as {having}")
        return int(value)


def _function(functions: Mapping[str, Any] | None, name: str, k: int) -> Callable[..., Any]:
    """The value (k = 0) or a slope of a free function."""
    entry = (functions or {})[name]
    if hasattr(entry, "numpy"):
        entry = (entry.numpy, *(entry.slopes if hasattr(entry, "slopes") else (entry.slope,)))
    if callable(entry):
        entry = (entry,)
    if k >= len(entry) or entry[k] is None:
        raise SymgradError(f"functions={{{name!r}: …}} has no {'value' if k == 0 else 'slope'}: give a pair (value, slope)")
    found: Callable[..., Any] = entry[k]
    return found


def compiled(program: Program, outputs: dict[str, Tensor], substituted: Given, held: Given) -> Compiled:
    """The tensors as one compiled function; `substituted` and `held` gates have their values in the equations too."""
    return Compiled(program, outputs, substituted, held)
