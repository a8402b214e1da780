"""Other readings in which a refuted claim is true: what its author may have meant."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy as sp

from symgrad.decide import equal as deciding
from symgrad.decide.claim import Claim, read
from symgrad.decide.limits import Budget, Limits, Stopped
from symgrad.decide.verdict import Expression, Reading
from symgrad.decide.world import is_gate
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor

if TYPE_CHECKING:
    from symgrad.face.jacobian import Jacobian

Given = Mapping[sp.Symbol, sp.Expr]
PATIENCE = 6.0  # seconds for all of them


def other_readings(a: Jacobian, b: Any, given: Given, limits: Limits, claim: Claim | None) -> tuple[Reading, ...]:
    """Every reading in which the claim is true, of those that there is time to try."""
    budget = Budget(replace(limits, seconds=min(PATIENCE, limits.seconds), terms=min(5000, limits.terms)))
    found: list[Reading] = []
    with suppress(Stopped):
        for attempt in ATTEMPTS:
            found += attempt(a, b, given, budget, claim)
    return tuple(found)


def _true(expected: Tensor, claim: Claim, given: Given, budget: Budget, reading: str = "matrix") -> bool:
    """Whether the claim holds in this reading."""
    budget.clock()
    try:
        if reading != "scalar" and expected.rank != claim.tensor.rank:
            return False
        verdict, _ = deciding.decide(deciding.compared(expected, claim, given, reading), replace(budget.limits, seconds=1.0), witness=False)
    except (Stopped, SymgradError):
        return False
    return verdict.proved


def _transposed(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    if a.tensor.rank != 2:
        return
    try:
        other = read(b, a.program, a.tensor.dims[::-1])
    except SymgradError:
        return
    if _true(a.tensor, other, given, budget, "transposed"):
        yield Reading("transposed", "true when transposed: the claim is written in denominator layout, J[i, j] = ∂y_j/∂x_i")


def _scalars(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    try:
        other = read(b, a.program, a.tensor.dims, "scalar")
    except SymgradError:
        return
    if _true(a.tensor, other, given, budget, "scalar"):
        right = Expression(a.program, a.tensor)
        yield Reading("scalar", f"true only as scalars; as matrices it is {right}", right)


def _exchanged(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    if claim is None:
        return
    p = claim.program
    here = _names(claim)
    gates = [s for s, e in p.equations.items() if is_gate(e) and s not in p.implicit]
    pairs = [*itertools.combinations(p.parameters, 2), *itertools.combinations(gates, 2), *p.updates.items()]
    for s, t in pairs:
        if (s in here or t in here) and p.shapes[s] == p.shapes[t] and _true(a.tensor, _renamed(claim, {s: t, t: s}), given, budget):
            yield Reading("exchanged", f"true with {s} and {t} exchanged")


def _complement(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    if claim is None:
        return
    for s in sorted(_names(claim) & set(claim.program.equations), key=str):
        if is_gate(claim.program.equations[s]) and _true(a.tensor, _renamed(claim, {s: 1 - s}), given, budget):
            yield Reading("complement", f"true with {s} and 1 - {s} exchanged")


def _held(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    if claim is None or not hasattr(a, "hold"):
        return
    p = a.program
    gates = [s for s, e in p.equations.items() if is_gate(e) and s not in p.implicit and s not in p.updates.values() and s != a.of]
    for held in [*((g,) for g in gates), *([tuple(gates)] if len(gates) > 1 else [])]:
        try:
            other = a.hold(**{g.name: g for g in held})
        except SymgradError:
            continue
        if _true(other.tensor, claim, given, budget):
            names = ", ".join(g.name for g in held)
            yield Reading("held", f"true with {names} held constant: the slope of {names} is left out")


def _sisters(a: Jacobian, b: Any, given: Given, budget: Budget, claim: Claim | None) -> Iterator[Reading]:
    """The same derivative of another cell of the library that has the same arguments, such as the GRU with its reset after the product."""
    if not hasattr(a, "through"):
        return
    from symgrad.calculus.jacobian import new_name
    from symgrad.face.jacobian import jacobian

    for cell in library():
        if cell.name == a.program.name or not _alike(cell, a.program):
            continue
        try:
            other = jacobian(cell, new_name(a.program, a.of), a.wrt.name, tuple(s.name for s in a.through))
            said = read(b, other.program, other.tensor.dims) if callable(b) and not isinstance(b, sp.Basic) else claim
            if said is None or not _names(said) <= _all_names(other.program):
                continue
        except SymgradError:
            continue
        if _true(other.tensor, replace(said, program=_with(other.program, said.program)), given, budget):
            yield Reading("other-cell", f"true for the cell {cell.name}: {_first_line(cell)}")


def library() -> list[Cell]:
    """The cells that come with the package."""
    from symgrad.cells import LIBRARY

    return list(LIBRARY.values())


def _first_line(cell: Cell) -> str:
    return (cell.function.__doc__ or "").strip().splitlines()[0] if cell.function.__doc__ else cell.name


def _alike(cell: Cell, program: Program) -> bool:
    mine = ({s.name for s in program.states}, {s.name for s in program.parameters})
    return mine == (set(cell.states), set(cell.parameters))


def _names(claim: Claim) -> set[sp.Symbol]:
    """The names that a claim uses, inside its atoms too."""
    found: set[sp.Symbol] = set()
    todo = list(claim.tensor.symbols)
    while todo:
        s = todo.pop()
        if s not in found:
            found.add(s)
            if s in claim.program.atoms:
                todo += [t for e in claim.program.uses(s) for t in e.free_symbols]
    return found


def _all_names(program: Program) -> set[sp.Symbol]:
    return {*program.order, *program.atoms, *program.past.values()} | {s for t in program.atoms for e in program.uses(t) for s in e.free_symbols}


def _with(program: Program, other: Program) -> Program:
    return replace(program, atoms={**other.atoms, **program.atoms}, shapes={**other.shapes, **program.shapes})


def _renamed(claim: Claim, names: Mapping[sp.Symbol, sp.Expr]) -> Claim:
    """The claim with names exchanged, in its atoms too."""
    program = claim.program
    moved: dict[sp.Symbol, sp.Expr] = dict(names)
    fresh: dict[sp.Symbol, Any] = {}
    for s in _names(claim):
        atom = program.atoms.get(s)
        if isinstance(atom, Tensor) and any(t in names for e in program.uses(s) for t in e.free_symbols):
            moved[s] = sp.Symbol(f"{s}'")
            fresh[moved[s]] = atom
    shapes = {moved[s]: program.shapes[s] for s in moved if s in program.atoms}
    fresh = {s: v.map(lambda e: e.xreplace(moved)) for s, v in fresh.items()}
    known = replace(program, atoms={**program.atoms, **fresh}, shapes={**program.shapes, **shapes})
    return replace(claim, program=known, tensor=claim.tensor.map(lambda e: e.xreplace(moved)))


ATTEMPTS: tuple[Callable[[Any, Any, Given, Budget, Claim | None], Iterator[Reading]], ...] = (
    _transposed, _scalars, _exchanged, _complement, _held, _sisters,
)  # fmt: skip
