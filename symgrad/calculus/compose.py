r"""Several steps at once: J_T ⋯ J_1, the latest factor leftmost.

The one-step Jacobian is derived once; a step's factor is the same tensor with the names of that step, so that T steps cost T
renamings, not T derivations.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symgrad.calculus.jacobian import Derivative
from symgrad.language.program import Program
from symgrad.language.tensor import Factor, Tensor, Term, tensor


def compose(one: Derivative, steps: int) -> tuple[Program, Tensor]:
    """J_T ⋯ J_1 with explicit steps: a program in which the atom ``J[t]`` is the Jacobian of step t, and their product.

    Linear in the number of steps.
    """
    program = one.program
    fixed = set(program.parameters) | set(program.constants)
    older = dict(program.updates)
    names = [s for s in one.tensor.symbols if s not in fixed]
    for atom in [s for s in names if s in program.atoms]:
        names += [s for e in program.uses(atom) for s in e.free_symbols if s not in fixed]
    names = [s for s in dict.fromkeys(names) if s not in program.atoms]
    atoms, shapes = dict(program.atoms), dict(program.shapes)
    product: list[sp.Symbol] = []
    for t in range(1, steps + 1):
        now = {s: sp.Symbol(f"{older[s].name}[{t - 1}]" if s in older else f"{s.name}[{t}]") for s in names}
        for s, renamed in now.items():
            shapes[renamed] = program.shapes[s]
        factor = sp.Symbol(f"J[{t}]")
        atoms[factor] = _renamed(one.tensor, now)
        shapes[factor] = one.tensor.dims
        product.append(factor)
    last = len(product) - 1
    chain = [Factor(f, (0 if k == 0 else k + 1, 1 if k == last else k + 2)) for k, f in enumerate(reversed(product))]
    value = tensor(one.tensor.dims, [Term(sp.S.One, tuple(chain))])
    return replace(program, atoms=atoms, shapes=shapes), value


def _renamed(value: Tensor, now: dict[sp.Symbol, sp.Symbol]) -> Tensor:
    """The tensor under other names, one for one: nothing is left to simplify."""
    return Tensor(
        value.dims,
        tuple(
            Term(t.coefficient, tuple(Factor(_renamed(f.value, now) if isinstance(f.value, Tensor) else f.value.xreplace(now), f.indices) for f in t.factors))
            for t in value.terms
        ),
    )
