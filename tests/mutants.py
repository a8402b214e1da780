"""Wrong derivatives, made from right ones: one sign, one term, one transposed or exchanged weight, one forgotten slope, one number a little off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symgrad.face.jacobian import Jacobian
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term, tensor


def mutants(j: Jacobian) -> Iterator[tuple[str, Jacobian]]:
    """Every mutant, named; those that happen to be the same tensor are left out."""
    for name, changed in _tensor(j.tensor, j.program):
        value = tensor(changed.dims, changed.terms)
        if value != j.tensor:
            yield name, replace(j, tensor=value)


def _tensor(value: Tensor, program: Program) -> Iterator[tuple[str, Tensor]]:
    for k, term in enumerate(value.terms):
        before, after = value.terms[:k], value.terms[k + 1 :]
        yield f"sign of term {k}", Tensor(value.dims, (*before, Term(-term.coefficient, term.factors), *after))
        yield f"term {k} dropped", Tensor(value.dims, (*before, *after))
        off = Term(term.coefficient * (1 + sp.Rational(1, 10**9)), term.factors)
        yield f"term {k} off by 1e-9", Tensor(value.dims, (*before, off, *after))
        for i, f in enumerate(term.factors):
            for name, new in _factor(f, value, program):
                factors = (*term.factors[:i], *new, *term.factors[i + 1 :])
                yield f"{name} in term {k}", Tensor(value.dims, (*before, Term(term.coefficient, factors), *after))


def _factor(f: Factor, value: Tensor, program: Program) -> Iterator[tuple[str, tuple[Factor, ...]]]:
    if isinstance(f.value, Tensor):
        for name, inner in _tensor(f.value, program):
            yield name, (Factor(inner, f.indices),)
        return
    if f.value in (IDENTITY, ONE):
        return
    shape = program.shape(f.value)
    if len(f.indices) == 2:
        if shape[0] == shape[1]:
            yield f"{f.value} transposed", (Factor(f.value, f.indices[::-1]),)
        for other in program.parameters:
            if other != f.value and program.shapes[other] == shape:
                yield f"{f.value} exchanged with {other}", (Factor(other, f.indices),)
                break
    if len(f.indices) == 1:
        yield f"{f.value} forgotten", (Factor(ONE, f.indices),)
        for name in sorted(f.value.free_symbols, key=str):
            half = f.value.diff(name)
            if half.free_symbols and half != f.value:
                yield f"{f.value} as {half}", (Factor(half, f.indices),)
