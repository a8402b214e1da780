r"""∂(new value)/∂(old value): the direct derivative, and the paths through the states of the step before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp

from symgrad.calculus.derive import Derivation
from symgrad.errors import SymgradError
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor, added, matmul

Given = Mapping[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Derivative:
    """∂of/∂wrt, numerator layout, ``J[i, j] = ∂of_i/∂wrt_j``, with the gates that are at a value or held there."""

    program: Program
    of: sp.Symbol
    wrt: sp.Symbol
    through: tuple[sp.Symbol, ...]
    tensor: Tensor
    substituted: Given
    held: Given


def new_name(program: Program, of: sp.Symbol) -> str:
    """The name by which a user asks for this quantity: the state's for its new value."""
    return str(next((old.name for old, new in program.updates.items() if new == of), of.name))


def derivative(program: Program, of: sp.Symbol, wrt: sp.Symbol, through: tuple[sp.Symbol, ...], held: Given) -> Derivative:
    """The direct derivative, and for each way through an old state s the product ∂of/∂s · ∂s/∂wrt, the latter one step earlier."""
    constants = frozenset(held)
    total = Derivation(program, wrt, constants).of(of)
    for s in through:
        if wrt not in program.updates:
            raise SymgradError(f"through={s.name!r} needs a derivative with respect to a state, and {wrt.name} is none")
        if s == wrt:
            raise SymgradError(f"through={s.name!r}: {s.name} is what is differentiated by; name another state")
        earlier = Derivation(program, program.updates[wrt], constants).of(program.updates[s])
        if not earlier.terms:
            new, source = program.updates[s].name, program.updates[wrt].name
            raise SymgradError(f"through={s.name!r}: within a step {new} does not depend on {source}, so there is no such path")
        program, earlier = one_step_back(program, earlier)
        outer = Derivation(program, s, constants).of(of)
        total = added(total.dims, [total, matmul(outer, earlier)])
    return Derivative(program, of, wrt, through, total.subs(held) if held else total, {}, held)


def one_step_back(program: Program, value: Tensor) -> tuple[Program, Tensor]:
    """A tensor that speaks of step t, speaking of step t-1: new states become old ones, a gate o becomes ``o_prev``."""
    renamed: dict[sp.Symbol, sp.Symbol] = {}
    older = {new: old for old, new in program.updates.items()}
    parameters = set(program.parameters) | set(program.constants)
    for s in value.symbols:
        if s in older:
            renamed[s] = older[s]
        elif s not in parameters:
            renamed[s] = program.past.get(s) or sp.Symbol(f"{s.name}_prev")
    past = {**program.past, **{s: p for s, p in renamed.items() if s not in older}}
    shapes = {**program.shapes, **{p: program.shapes[s] for s, p in past.items() if s in program.shapes}}
    return replace(program, past=past, shapes=shapes), value.map(lambda e: e.xreplace(renamed))


def with_symbols(program: Program, given: Given) -> Program:
    """The program, knowing the shape of every new name that stands for a gate's value."""
    fresh = {v: program.shapes[s] for s, v in given.items() if isinstance(v, sp.Symbol) and v not in program.shapes}
    return replace(program, shapes={**program.shapes, **fresh}) if fresh else program
