"""What both deciders take for granted: which names are independent, and how every other name is defined by them.

A gate, ``z = σ(a)``, is an independent unknown: whatever values the gates of a step have, some biases give them.  A name that is
defined without an activation, ``h_t = z h + (1 - z) h̃``, stands for its definition.  So does a rectified one, h_t = relu(a),
for the values of relu and of its slope are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp
from sympy.core.function import AppliedUndef

from symgrad.language.functions import ROWS
from symgrad.language.program import Call, Program, factors
from symgrad.language.tensor import Tensor

STANDARD: dict[object, str] = {sp.Abs: "abs", sp.sign: "sign", sp.tanh: "tanh", sp.exp: "exp", sp.log: "log"}
INDEPENDENT = {"sigmoid", "tanh", "softplus"}  # and every free activation


@dataclass(frozen=True)
class Gate:
    """name = function(argument)."""

    name: sp.Symbol
    function: str
    argument: sp.Expr


@dataclass(frozen=True)
class World:
    """The names of one comparison: shapes, definitions, gates, atoms, and how sizes that are sums split."""

    shapes: Mapping[sp.Symbol, tuple[sp.Expr, ...]]
    definitions: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    atoms: Mapping[sp.Symbol, Tensor | Call] = field(default_factory=dict)
    blocks: Mapping[sp.Symbol, tuple[tuple[sp.Expr, ...], int]] = field(default_factory=dict)  # E of [a; b] → (sizes, which part)
    _known: dict[sp.Expr, tuple[sp.Expr, ...]] = field(default_factory=dict, repr=False, compare=False)

    def shape(self, expr: sp.Expr) -> tuple[sp.Expr, ...]:
        """The shape of a pointwise expression: that of the name of highest rank in it."""
        if expr.is_Symbol:
            return self.shapes.get(expr, ())
        if expr not in self._known:
            self._known[expr] = max((self.shapes[s] for s in expr.free_symbols if s in self.shapes), key=len, default=())
        return self._known[expr]

    def functions(self, *tensors: Tensor) -> bool:
        """Whether an applied function occurs in the tensors or in anything they are defined by."""
        seen: set[sp.Symbol] = set()
        todo = [e for t in tensors for e in factors(t)]
        while todo:
            e = todo.pop()
            if not e.is_Symbol and e.has(sp.Function, sp.Derivative):
                return True
            for s in ({e} if e.is_Symbol else e.free_symbols) - seen:
                seen.add(s)
                atom = self.atoms.get(s)
                if s in self.definitions:
                    todo.append(self.definitions[s])
                elif isinstance(atom, Call):
                    return True
                elif atom is not None:
                    todo += factors(atom)
        return False


def head(expr: sp.Expr) -> tuple[str, tuple[sp.Expr, ...]] | None:
    """The function that is applied, and to what: ``tanh``, ``g``, its derivative ``g'``; None for arithmetic."""
    row = ROWS.get(expr.func)
    if row is not None:
        return row.name, expr.args
    if expr.func in STANDARD:
        return STANDARD[expr.func], expr.args
    if isinstance(expr, AppliedUndef):
        return expr.func.__name__, expr.args
    if isinstance(expr, sp.Derivative) and isinstance(expr.expr, AppliedUndef) and len(expr.variable_count) == 1:
        (by, order) = expr.variable_count[0]
        return (expr.expr.func.__name__ + "'" * int(order), (by,)) if expr.expr.args == (by,) else None
    if isinstance(expr, sp.Subs) and isinstance(expr.expr, sp.Derivative) and len(expr.variables) == 1 and isinstance(expr.expr.expr, AppliedUndef):
        inner = head(expr.expr)
        if inner is not None and inner[1] == tuple(expr.variables):
            return inner[0], tuple(expr.point)
    return None


def is_gate(expr: sp.Expr) -> bool:
    """Whether the value of this expression may be taken as independent of all others."""
    found = head(expr)
    return found is not None and len(found[1]) == 1 and (found[0] in INDEPENDENT or isinstance(expr, AppliedUndef))


def world(program: Program, given: Mapping[sp.Symbol, sp.Expr] | None = None) -> World:
    """The world of a program, some of its names at given values."""
    given = {s: v for s, v in (given or {}).items() if s != v}
    definitions: dict[sp.Symbol, sp.Expr] = {}
    gates: list[Gate] = []
    for s, e in {**program.equations, **_earlier(program), **given}.items():
        found = head(e)
        if s not in given and found is not None and is_gate(e):
            gates.append(Gate(s, found[0], found[1][0]))
        else:
            definitions[s] = e
    blocks = {s: (selector.parts, selector.part) for s, selector in program.constants.items()}
    return World(program.shapes, definitions, tuple(gates), program.atoms, blocks)


def _earlier(program: Program) -> dict[sp.Symbol, sp.Expr]:
    """Old states by the equations of one step back, where all that these need has a name: h = o_prev ∘ tanh(c)."""
    if not program.past:
        return {}
    back = {**{new: old for old, new in program.updates.items()}, **program.past}
    known = {*back.values(), *program.parameters}
    found: dict[sp.Symbol, sp.Expr] = {}
    for old, new in program.updates.items():
        if new not in program.equations:
            continue
        rhs = program.inlined(program.equations[new])
        moved = rhs.xreplace(back)
        if moved.free_symbols <= known and not (rhs.free_symbols & (set(program.states) | set(program.inputs))) and old not in moved.free_symbols:
            found[old] = moved
    return found
