"""From the traced graph to a `Program`: named nodes become equations, contractions become atoms, sizes get their letters."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from types import CodeType
from typing import Any, Protocol

import sympy as sp

from symgrad.errors import CellError, Note
from symgrad.language.activations import FreeActivation, FreeFunction
from symgrad.language.functions import applied
from symgrad.language.program import Call, Program, Selector, base, free_jacobian
from symgrad.language.shapes import Dim, Letters, Shape, describe
from symgrad.language.tensor import ONE, Factor, Tensor, Term, tensor
from symgrad.language.trace import Trace, Traced, error_at


class Written(Protocol):
    """What tracing needs to know of a cell."""

    name: str
    function: Callable[..., Any]
    code: CodeType
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    shapes: dict[str, str]
    index: str


def build(cell: Written) -> Program:
    """Trace the cell's function once and name what it computes."""
    trace = Trace(cell.code)
    leaves: dict[str, Traced] = {}
    letters: dict[str, Dim] = {}
    for name in (*cell.inputs, *cell.states, *cell.parameters):
        leaves[name] = Traced(trace, "leaf", (name,), _declared(cell, name, letters), cell.code.co_firstlineno)
    with trace.reading_locals():
        try:
            result = cell.function(*(leaves[n] for n in (*cell.inputs, *cell.states)), **{n: leaves[n] for n in cell.parameters})
        except NameError as e:
            missing = getattr(e, "name", None) or str(e)
            trace_line = _line_of(e, cell)
            raise error_at(cell.code, trace_line, f"{missing} is not defined: if it is a parameter, add it to the signature after `*`") from None
        except TypeError as e:
            raise error_at(cell.code, _line_of(e, cell), f"{e}") from e
        except CellError:
            raise
        except Exception as e:  # whatever the user's own code raises
            reason = "it calls itself without end" if isinstance(e, RecursionError) else f"{type(e).__name__}: {e}"
            raise error_at(cell.code, _line_of(e, cell), reason) from e
    return _Builder(cell, trace, leaves, result).program()


def _line_of(error: BaseException, cell: Written) -> int:
    """The line of the cell at which an exception passed."""
    tb, line = error.__traceback__, cell.code.co_firstlineno
    while tb is not None:
        if tb.tb_frame.f_code is cell.code and tb.tb_lineno > cell.code.co_firstlineno:
            line = tb.tb_lineno
        tb = tb.tb_next
    return line


def _declared(cell: Written, name: str, letters: dict[str, Dim]) -> Shape:
    """The shape the user declared, ``"n m"`` or ``""``; inputs and states are vectors; a parameter shows its shape by its use."""
    if name in cell.shapes:
        words = cell.shapes[name].replace(",", " ").split()
        return Shape([letters.setdefault(w, Dim(letter=w)) for w in words])
    return Shape([Dim()]) if name in (*cell.inputs, *cell.states) else Shape()


class _Builder:
    """Walks the graph once; `expression` turns a node into a pointwise expression and files equations and atoms on the way."""

    def __init__(self, cell: Written, trace: Trace, leaves: dict[str, Traced], result: Any) -> None:
        self.cell, self.trace, self.leaves = cell, trace, leaves
        self.symbols: dict[Traced, sp.Symbol] = {node: sp.Symbol(name) for name, node in leaves.items()}
        self.done: dict[Traced, sp.Expr] = dict(self.symbols)
        self.equations: dict[sp.Symbol, sp.Expr] = {}
        self.atoms: dict[sp.Symbol, Tensor | Call] = {}
        self.constants: dict[sp.Symbol, Selector] = {}
        self.nodes: dict[sp.Symbol, Shape] = {self.symbols[n]: n.shape for n in leaves.values()}
        self.implicit: set[sp.Symbol] = set()
        self.lines: dict[sp.Symbol, int] = {}
        self.aliases: dict[str, sp.Symbol] = {}
        self.notes: list[str] = []
        self.letters = Letters()
        self.returned = self._returned(result)
        self._check_bindings()
        self._shape_letters()
        self._name_nodes()

    # -- what the function returned, and under which names --------------------------------------------------------------

    def _fail(self, reason: str, line: int | None = None) -> CellError:
        return error_at(self.cell.code, line or self.cell.code.co_firstlineno, reason)

    def _returned(self, result: Any) -> list[Traced]:
        values = list(result) if isinstance(result, tuple | list) else [result]
        states, line = self.cell.states, self.trace.returned
        way_out = f"return the new states in the order {', '.join(states)}, then any outputs"
        if len(values) < len(states) or any(v is None for v in values):
            missing = states if not values or values[0] is None else states[len(values):]
            raise self._fail(f"the new state {', '.join(missing or states)} is not returned: {way_out}", line)
        for k, v in enumerate(values):
            if not isinstance(v, Traced):
                what = f"the number {v}, which depends on no argument" if isinstance(v, int | float) else f"a {type(v).__name__}"
                raise self._fail(f"returned value {k + 1} is {what}: {way_out}", line)
        for state, v in zip(states, values, strict=False):
            for name, node in self.trace.locals.items():
                if node is v and name != base(name) != state and base(name) in states and values[states.index(base(name))] is not v:
                    raise self._fail(f"{name} is returned as the new {state}: {way_out}", line)
        for name, v in zip(states, values, strict=False):
            if not self.leaves[name].shape.unify(v.shape):
                sizes = " ".join("n" * (v.shape.rank or 0))
                hint = "" if name in self.cell.shapes else f"; if that is meant, declare its shape, as in @sg.cell(shapes={{'{name}': '{sizes}'}})"
                raise self._fail(f"the new state {name} is {describe(v.shape)}, the old one {describe(self.leaves[name].shape)}{hint}", v.line)
        return values

    def _check_bindings(self) -> None:
        for name, node in self.leaves.items():
            now = self.trace.locals.get(name, node)
            if now is not node:
                kind = "state" if name in self.cell.states else "parameter" if name in self.cell.parameters else "input"
                line = now.line if isinstance(now, Traced) else None
                way_out = f"give the new value another name, such as {base(name)}_new"
                raise self._fail(f"the {kind} {name} is rebound, so its name would mean two things; {way_out}", line)

    def _shape_letters(self) -> None:
        used: set[Traced] = set()
        stack = list(self.returned)
        while stack:
            node = stack.pop()
            if node not in used:
                used.add(node)
                below = _arguments(node)
                stack += below
                if isinstance(node.op, FreeFunction):  # what a free function does with a parameter is not known: take it as a matrix
                    for a in below:
                        if a.shape.rank is None:
                            a.shape.settle(2)
        for name in self.cell.parameters:
            if self.leaves[name] not in used:
                raise self._fail(f"the parameter {name} is never used: remove it, or use it where another one stands in its place")
        for names, wish in ((self.cell.states, "n"), (self.cell.inputs, "m")):
            for name in names:
                self.leaves[name].shape.settle(1)
                for dim in self.leaves[name].shape.dims or ():
                    self.letters.give(dim, wish)
        for name in self.cell.parameters:
            if self.leaves[name].shape.rank is None:
                raise self._fail(f"the shape of {name} cannot be inferred: declare it, as in @sg.cell(shapes={{'{name}': 'n m'}})")

    def _name_nodes(self) -> None:
        """Local names, then the canonical names of the new states, which win."""
        self.local: dict[Traced, str] = {}
        for name in self.cell.code.co_varnames + self.cell.code.co_cellvars:
            value = self.trace.locals.get(name)
            if isinstance(value, Traced) and value not in self.symbols and value.op != "const":
                self.local.setdefault(value, name)
        taken = set(self.leaves) | set(self.local.values())
        self.updates: dict[sp.Symbol, sp.Symbol] = {}
        for state, node in zip(self.cell.states, self.returned, strict=False):
            own = self.local.get(node)
            wanted = f"{base(state)}_t"
            if own != wanted and (wanted in taken or wanted in self.leaves):
                wanted = f"{base(state)}_new" if f"{base(state)}_new" not in taken else f"{base(state)}_new_"
            new = sp.Symbol(wanted)
            if node in self.symbols or (node in self.local and sp.Symbol(self.local[node]) in self.updates.values()):
                node = self._same(node)
            elif own and own != wanted:
                self.aliases[own] = new
            self.local[node] = wanted
            self.updates[sp.Symbol(state)] = new
            self.new_nodes = [*getattr(self, "new_nodes", []), node]
        self.output_nodes: list[Traced] = []
        for k, node in enumerate(self.returned[len(self.cell.states):]):
            if node in self.symbols or any(node is other for other in (*self.new_nodes, *self.output_nodes)):
                node = self._same(node)  # a state that is returned as an output too: y = c_t
            self.output_nodes.append(node)
            if node not in self.local and node not in self.symbols:
                self.local[node] = "y" if len(self.returned) == len(self.cell.states) + 1 and "y" not in taken else f"y_{k + 1}"

    def _same(self, node: Traced) -> Traced:
        """The same value, to be given another name."""
        return Traced(self.trace, "+", (node, Traced(self.trace, "const", (Fraction(0),), Shape(()), node.line)), node.shape, node.line)

    # -- nodes to expressions ---------------------------------------------------------------------------------------------

    def program(self) -> Program:
        """File every equation in the order of computation and put the program together."""
        for node in sorted({*self.local}, key=lambda node: node.order):
            if self._reaches(node):
                self.expression(node)
        for node in self.new_nodes:
            self.expression(node)
        outputs = tuple(sp.Symbol(self.local[n]) if n in self.local else self.symbols[n] for n in self.output_nodes)
        moving = {*self.cell.inputs, *self.cell.states, *(s.name for s in self.equations)}
        for name in self.cell.parameters:
            if (plain := name.removesuffix(f"_{self.cell.index}")) != name and plain in moving:
                raise self._fail(f"the parameter {name} is written like {plain} at the step {self.cell.index}: give it another name")
        shapes = {s: self._dims(shape) for s, shape in self.nodes.items()}
        for note in self.notes:
            warnings.warn(note, Note, stacklevel=6)
        as_symbols = [tuple(sp.Symbol(n) for n in names) for names in (self.cell.inputs, self.cell.states, self.cell.parameters)]
        return Program(
            self.cell.name, as_symbols[0], as_symbols[1], as_symbols[2], self.equations, self.updates, outputs, self.atoms, self.constants, shapes,
            self.cell.index, frozenset(self.implicit), self.lines, self.aliases, tuple(self.notes),
        )  # fmt: skip

    def _reaches(self, node: Traced) -> bool:
        """Whether a named value is used at all: a forgotten local is no equation of the cell."""
        if not hasattr(self, "_live"):
            self._live: set[Traced] = set()
            stack = [*self.new_nodes, *self.output_nodes]
            while stack:
                n = stack.pop()
                if n not in self._live:
                    self._live.add(n)
                    stack += _arguments(n)
        return node in self._live

    def _dims(self, shape: Shape) -> tuple[sp.Expr, ...]:
        if shape.dims is None:
            shape.settle(1)
        return tuple(self.letters.give(d) for d in shape.dims or ())

    def expression(self, node: Traced) -> sp.Expr:
        """The pointwise expression of a node; a named node is filed as an equation and becomes its name."""
        if node not in self.done:
            value = self._value(node)
            name = self.local.get(node)
            self.done[node] = self._file(sp.Symbol(name), value, node) if name else value
        return self.done[node]

    def _file(self, symbol: sp.Symbol, value: sp.Expr, node: Traced) -> sp.Symbol:
        self.equations[symbol] = value
        self.nodes[symbol] = node.shape
        self.lines[symbol] = node.line
        return symbol

    def _value(self, node: Traced) -> sp.Expr:
        op, args = node.op, node.args
        if op == "const":
            return sp.Rational(args[0].numerator, args[0].denominator)
        if op == "/" and (a := self._sigmoid_argument(node)) is not None:
            return self._applied("sigmoid", node, a)
        if op in ARITHMETIC:
            return ARITHMETIC[op](*(self._broadcast(a, node) for a in args))
        if op == "**":
            return self.expression(args[0]) ** args[1]
        if op == "einsum":
            return self._atom(node, [Term(sp.S.One, tuple(Factor(self.expression(a), i) for a, i in zip(args[2], args[0], strict=True)))], self._key(node))
        if op == "concatenate":
            return self._concatenated(node)
        if isinstance(op, FreeFunction):
            call = Call(op.name, tuple(self.expression(a) for a in args))
            for k, a in enumerate(args):
                if a.shape.rank and node.shape.settle(1):
                    self.nodes[free_jacobian(call, k)] = Shape([*(node.shape.dims or ()), *(a.shape.dims or ())])
            return self._new_atom(f"{op.name}({', '.join(map(str, call.args))})", call, node.shape)
        return self._applied(op, node, args[0])

    def _broadcast(self, arg: Traced, node: Traced) -> sp.Expr:
        """An argument of lower rank, as a tensor of the node's rank: along the last axes, as NumPy does."""
        value = self.expression(arg)
        low, high = arg.shape.rank, node.shape.rank
        if arg.op == "const" or low == high or low is None or high is None or value.is_number:
            return value
        term = Term(sp.S.One, (Factor(value, tuple(range(high - low, high))), *(Factor(ONE, (k,)) for k in range(high - low))))
        return self._atom(node, [term], f"broadcast({value})")

    def _key(self, node: Traced) -> str:
        labels, out, args = node.args
        text = [f"({a})" if not a.is_Symbol else str(a) for a in map(self.expression, args)]
        if len(args) == 2 and labels == ((0, 1), (1,)) and out == (0,):
            return "@".join(text)
        return f"{','.join(''.join('ijkl'[i] for i in ix) for ix in labels)}->{''.join('ijkl'[i] for i in out)}:" + ",".join(text)

    def _atom(self, node: Traced, terms: list[Term], key: str) -> sp.Expr:
        """A contraction under a name that its content determines, so that equal ones are computed once; a transposed matrix is merged into it."""
        shape = self._dims(node.shape)
        value = tensor(shape, [Term(t.coefficient, tuple(self._untransposed(f) for f in t.factors)) for t in terms])
        return self._new_atom(key, value, node.shape)

    def _untransposed(self, f: Factor) -> Factor:
        inner = self.atoms.get(f.value) if isinstance(f.value, sp.Symbol) else None
        if isinstance(inner, Tensor) and len(inner.terms) == 1 and len(inner.terms[0].factors) == 1:
            (only,) = inner.terms[0].factors
            if sorted(only.indices) == list(range(inner.rank)):
                return Factor(only.value, tuple(f.indices[i] for i in only.indices))
        return f

    def _new_atom(self, key: str, value: Tensor | Call, shape: Shape) -> sp.Symbol:
        symbol = sp.Symbol(key)
        self.atoms[symbol] = value
        self.nodes[symbol] = shape
        return symbol

    def _concatenated(self, node: Traced) -> sp.Expr:
        """[a; b] = E_a a + E_b b with constant blocks E."""
        sizes = tuple(self._dims(a.shape)[0] for a in node.args)
        terms, values = [], [self.expression(a) for a in node.args]
        for k, value in enumerate(values):
            block = sp.Symbol(f"E[{k}|{','.join(map(str, sizes))}|{','.join(map(str, values))}]")
            self.constants[block] = Selector(sizes, k, self._label(values, k))
            whole, part = node.shape.dims, node.args[k].shape.dims
            assert whole is not None
            assert part is not None
            self.nodes[block] = Shape([whole[0], part[0]])
            terms.append(Term(sp.S.One, (Factor(block, (0, 1)), Factor(value, (1,)))))
        return self._atom(node, terms, f"[{'; '.join(map(str, values))}]")

    def _label(self, values: list[sp.Expr], k: int) -> str:
        """What the k-th block of [a; b] is called: by the one argument of the cell in it, the h of z∘h; else by its number."""
        leaves = {self.symbols[self.leaves[n]] for n in (*self.cell.inputs, *self.cell.states)}
        own, *others = [v.free_symbols & leaves or v.free_symbols for v in (values[k], *values[:k], *values[k + 1 :])]
        return str(next(iter(own))) if len(own) == 1 and not any(own & o for o in others) else str(k + 1)

    def _applied(self, op: str | FreeActivation, node: Traced, arg: Traced) -> sp.Expr:
        """f(a); an argument that is no name yet gets one, the preactivation a_z of the gate z."""
        inner = self.expression(arg)
        if isinstance(op, str) and op == "sqrt":
            return sp.sqrt(inner)
        if not inner.is_Symbol and not inner.is_number:
            owner = self.local.get(node)
            owner = None if owner is None or sp.Symbol(owner) in self.updates.values() else owner
            stem = f"a_{owner}" if owner else "a"
            name, k = stem, 1
            while any(s.name == name for s in (*self.nodes, *self.equations)) or name in self.local.values():
                name, k = f"{stem}_{k}", k + 1
            inner = self._file(sp.Symbol(name), inner, arg)
            self.implicit.add(inner)
        return applied(op.name if isinstance(op, FreeActivation) else op, inner)

    def _sigmoid_argument(self, node: Traced) -> Traced | None:
        """The a of 1/(1 + e^{-a}), which is σ(a); a note says that `sigmoid` is the way to write it."""
        one, below = node.args
        if one.op == "const" and one.args[0] == 1 and below.op == "+":
            for number, power in (below.args, below.args[::-1]):
                if number.op == "const" and number.args[0] == 1 and power.op == "exp":
                    where = f"{self.cell.code.co_filename}:{node.line}"
                    better = "write sigmoid from symgrad, which keeps the gate's name and does not overflow"
                    self.notes.append(f"{where}: 1/(1 + exp(-a)) is read as sigmoid(a); {better}")
                    a: Traced
                    (a,) = power.args
                    if a.op == "-" and a.args[0].op == "const" and a.args[0].args[0] == 0:
                        inner: Traced = a.args[1]
                        return inner
                    return Traced(self.trace, "-", (Traced(self.trace, "const", (Fraction(0),), Shape(()), node.line), a), a.shape, node.line)
        return None


def _arguments(node: Traced) -> list[Traced]:
    """The nodes that a node is computed from."""
    return [a for a in (node.args[2] if node.op == "einsum" else node.args) if isinstance(a, Traced)]


ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
