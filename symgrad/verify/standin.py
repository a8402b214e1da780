"""A cell that can be evaluated: what it leaves free gets a stand-in, in its function, its program and the derivatives alike.

A formula with g and g' holds for every g, so it is verified with one: g = tanh, then sigmoid, softplus for further ones; f(y, W) = W y.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.face.jacobian import Jacobian
from symgrad.language.activations import TABLE, FreeActivation, FreeFunction
from symgrad.language.functions import FUNCTIONS
from symgrad.language.program import Call, Program, free_jacobian
from symgrad.language.tensor import IDENTITY, Factor, Tensor, Term, tensor
from symgrad.verify.evaluate import NUMPY, Array, Backend, Evaluation, Sizes, Values

ACTIVATIONS = ("tanh", "sigmoid", "softplus")


@dataclass(frozen=True, eq=False)
class Subject:
    """A cell with nothing left free: its function, its program, and what stands for what."""

    cell: Cell
    function: Callable[..., Any]
    program: Program
    activations: Mapping[str, str]  # free name → name in the table
    factors: Mapping[sp.Symbol, Tensor]  # the Jacobian f' of a free function → that of its stand-in
    sizes: Mapping[sp.Symbol, sp.Expr]  # size letters that the stand-ins identify
    notes: tuple[str, ...]

    def step(self, values: Values) -> dict[sp.Symbol, Array]:
        """The cell's own function: new states, then outputs, by name."""
        result = self.function(*(values[n] for n in (*self.cell.inputs, *self.cell.states)), **{n: values[n] for n in self.cell.parameters})
        results = result if isinstance(result, tuple | list) else (result,)
        return dict(zip((*self.program.updates.values(), *self.program.outputs), results, strict=True))

    def equations(self, sizes: Sizes, values: Values, backend: Backend = NUMPY, given: Values | None = None) -> Evaluation:
        """The traced equations at the same values."""
        return Evaluation(self.program, sizes, values, backend, given)

    def concrete(self, jacobian: Jacobian) -> Jacobian:
        """The derivative with the stand-ins put in."""
        if not self.activations and not self.factors:
            return jacobian
        program = self.standing(jacobian.program)
        return replace(jacobian, program=program, tensor=self._tensor(jacobian.tensor))

    def standing(self, program: Program) -> Program:
        """A program with the stand-ins put in."""
        equations = {s: self._expression(e) for s, e in program.equations.items()}
        atoms: dict[sp.Symbol, Tensor | Call] = {
            s: self._tensor(a) if isinstance(a, Tensor) else _contraction(a, program) for s, a in program.atoms.items()
        }
        shapes = {s: tuple(d.xreplace(self.sizes) for d in shape) for s, shape in program.shapes.items()}
        return replace(program, equations=equations, atoms=atoms, shapes=shapes)

    def _expression(self, e: sp.Expr) -> sp.Expr:
        for free, name in self.activations.items():
            e = e.subs(sp.Function(free), FUNCTIONS[name])
        return e.doit() if e.has(sp.Derivative, sp.Subs) else e

    def _tensor(self, value: Tensor) -> Tensor:
        def changed(f: Factor) -> Factor:
            inner = self._tensor(f.value) if isinstance(f.value, Tensor) else self.factors.get(f.value) or self._expression(f.value)
            return Factor(inner, f.indices)

        dims = tuple(d.xreplace(self.sizes) for d in value.dims)
        return tensor(dims, [Term(t.coefficient, tuple(changed(f) for f in t.factors)) for t in value.terms])


def subject(cell: Cell) -> Subject:
    """The cell, its free parts replaced; raises `SymgradError` for a free function that no stand-in fits."""
    program = cell.program
    atoms = program.atoms.values()
    known = {f.__name__ for f in FUNCTIONS.values()}
    applied = {f.func.__name__ for e in [*program.equations.values(), *_inside(program)] for f in e.atoms(sp.Function)}
    free = sorted(applied - known - {"Derivative"})
    activations = {name: ACTIVATIONS[k % len(ACTIVATIONS)] for k, name in enumerate(free)}
    calls = [a for a in atoms if isinstance(a, Call)]
    notes = [f"{name} is left free; {stand} stands in for it" for name, stand in activations.items()]
    factors: dict[sp.Symbol, Tensor] = {}
    sizes: dict[sp.Symbol, sp.Expr] = {}
    for call in calls:
        v, M = _operands(call, program)
        (rows, columns), (size,) = program.shape(call.args[M]), program.shape(call.args[v])
        out = program.shapes[free_jacobian(call, v)][0]
        sizes |= {rows: out, columns: size}
        matrix = [Factor(call.args[M], (0, 1))]
        factors[free_jacobian(call, v)] = tensor((out, size), [Term(sp.S.One, tuple(matrix))])
        beside = (Factor(IDENTITY, (0, 1)), Factor(call.args[v], (2,)))
        factors[free_jacobian(call, M)] = tensor((out, out, size), [Term(sp.S.One, beside)])
        names = ", ".join(map(str, call.args))
        notes.append(f"{call.function} is left free; {call.args[M]} @ {call.args[v]} stands in for {call.function}({names})")
    numpy = {name: TABLE[stand].numpy for name, stand in activations.items()}
    products = {c.function: _operands(c, program) for c in calls}
    function = _rebuilt(cell.function, numpy, products, {}) if activations or calls else cell.function
    found = Subject(cell, function, program, activations, factors, sizes, tuple(notes))
    return replace(found, program=found.standing(program)) if activations or calls else found


def _inside(program: Program) -> list[sp.Expr]:
    """Every pointwise expression in a contraction or a call."""
    return [e for s in program.atoms for e in program.uses(s)]


def _operands(call: Call, program: Program) -> tuple[int, int]:
    """The places of the vector and of the matrix among the arguments of f(y, W)."""
    ranks = [len(program.shape(a)) for a in call.args]
    if sorted(ranks) != [1, 2]:
        args = ", ".join(map(str, call.args))
        raise SymgradError(f"{call.function}({args}) is left free; there is a stand-in, W @ y, for a function of one vector and one matrix only")
    return ranks.index(1), ranks.index(2)


def _contraction(atom: Call, program: Program) -> Tensor:
    """f(y, W) as W y."""
    v, M = _operands(atom, program)
    out = program.shapes[free_jacobian(atom, v)][0]
    return tensor((out,), [Term(sp.S.One, (Factor(atom.args[M], (0, 1)), Factor(atom.args[v], (1,))))])


def _rebuilt(function: Any, numpy: Mapping[str, Any], products: Mapping[str, tuple[int, int]], done: dict[Any, Any]) -> Any:
    """A copy of a function in which every free activation it can reach, by a global, a closure or a helper, has its stand-in."""
    if function in done:
        return done[function]
    done[function] = function  # a closure that holds itself ends here

    def changed(value: Any) -> Any:
        if isinstance(value, FreeActivation) and value.name in numpy:
            return numpy[value.name]
        if isinstance(value, FreeFunction) and value.name in products:
            v, M = products[value.name]
            return FreeFunction(value.name, lambda *args: args[M] @ args[v])
        if isinstance(value, types.FunctionType) and value.__module__ == function.__module__:
            return _rebuilt(value, numpy, products, done)
        return value

    scope = dict(function.__globals__)
    cells = tuple(types.CellType(changed(c.cell_contents)) for c in function.__closure__ or ())
    copy = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
    copy.__kwdefaults__ = function.__kwdefaults__
    done[function] = copy
    scope.update({n: changed(scope[n]) for n in _names(function.__code__) & scope.keys()})
    return copy


def _names(code: types.CodeType) -> set[str]:
    """Every global name a function mentions, in its nested functions too."""
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, types.CodeType)))
