"""A `Program`: the named, shaped equations of a cell, the one object that everything else reads.

Each equation gives a name its pointwise value: a SymPy scalar expression of the i-th component, over names and *atoms*.
An atom stands for something that is not pointwise: a contraction such as ``(U @ h)_i`` (a `Tensor`), or a free function's value (a
`Call`).  Names are plain SymPy symbols, the identifiers of the user's function: ``z``, the old state ``h``, the new one ``h_t``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Protocol

import sympy as sp

from symgrad.errors import UnknownName
from symgrad.language.tensor import IDENTITY, ONE, Tensor

Shape = tuple[sp.Expr, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """The value of a free vector function, ``f(y, W)``."""

    function: str
    args: tuple[sp.Expr, ...]


def free_jacobian(call: Call, k: int) -> sp.Symbol:
    """f', the unknown Jacobian of a free function with respect to its k-th argument."""
    arg = call.args[k]
    return sp.Symbol(f"{call.function}'" if k == 0 else f"{call.function}'_{arg.name if arg.is_Symbol else k}")


@dataclass(frozen=True, slots=True)
class Selector:
    """The constant block of [a; b]: ``E[i,j] = 1`` where component i of the whole is component j of the part."""

    parts: tuple[sp.Expr, ...]  # the sizes of all parts, in order
    part: int
    label: str


@dataclass(frozen=True)
class Program:
    """The equations of one step, in the order in which the cell computes them."""

    name: str
    inputs: tuple[sp.Symbol, ...]
    states: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    equations: dict[sp.Symbol, sp.Expr]
    updates: dict[sp.Symbol, sp.Symbol]  # old state → new state
    outputs: tuple[sp.Symbol, ...]
    atoms: dict[sp.Symbol, Tensor | Call]
    constants: dict[sp.Symbol, Selector]
    shapes: dict[sp.Symbol, Shape]
    index: str = "t"  # what a step counts: t for time, l for layers
    implicit: frozenset[sp.Symbol] = frozenset()  # preactivations the user did not name; printed inline
    lines: dict[sp.Symbol, int] = field(default_factory=dict)
    aliases: dict[str, sp.Symbol] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    past: dict[sp.Symbol, sp.Symbol] = field(default_factory=dict)  # a name of this step → the same one step back
    resting: frozenset[sp.Symbol] = frozenset()  # inputs that are the same at every step

    def __iter__(self) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
        return iter(self.equations.items())

    @cached_property
    def order(self) -> dict[sp.Symbol, int]:
        """The place of every name: inputs, states, equations as computed, parameters."""
        return {s: k for k, s in enumerate((*self.inputs, *self.states, *self.past.values(), *self.equations, *self.parameters))}

    @cached_property
    def names(self) -> dict[str, sp.Symbol]:
        """Every name a user may say, aliases included."""
        found = {s.name: s for s in self.order}
        for old, new in self.updates.items():
            for spelling in (f"{old.name}_prev", f"{old.name}_old", f"{old.name}_tm1"):
                found.setdefault(spelling, old)
            for spelling in (f"{base(old.name)}_t", f"{base(old.name)}_new", f"{base(old.name)}_next"):
                found.setdefault(spelling, new)
        for s in (*self.inputs, *self.equations):
            found.setdefault(f"{s.name}_t", s)
            found.setdefault(base(s.name), s)
        return self.aliases | found

    @cached_property
    def still(self) -> frozenset[sp.Symbol]:
        """The names that the parameters alone determine: the same at every step."""
        moving = {*self.inputs, *self.states, *self.past.values(), *self.updates.values()} - self.resting
        for s in self.needed(set(self.equations)):
            if any(e.free_symbols & moving for e in self.uses(s)):
                moving.add(s)
        return frozenset(self.equations.keys() - moving) | self.resting

    def symbol(self, name: str | sp.Symbol) -> sp.Symbol:
        """The symbol of a name; raises `UnknownName` with the nearest ones."""
        key = name.name if isinstance(name, sp.Symbol) else name
        if key not in self.names:
            near = get_close_matches(key, self.names, 3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(s.name for s in self.order)}"
            raise UnknownName(f"cell {self.name} has no {key!r}; {hint}")
        return self.names[key]

    def new(self, name: str | sp.Symbol) -> sp.Symbol:
        """As `symbol`, a state standing for its new value: the `of` of a derivative."""
        s = self.symbol(name)
        return self.updates.get(s, s)

    def old(self, name: str | sp.Symbol) -> sp.Symbol:
        """As `symbol`, a new state standing for its old value: the `wrt` of a derivative."""
        s = self.symbol(name)
        return next((old for old, new in self.updates.items() if new == s), s)

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of a pointwise expression: that of any name or atom in it."""
        for s in expr.free_symbols:
            if s in self.shapes:
                return self.shapes[s]
        return ()

    def inlined(self, expr: sp.Expr) -> sp.Expr:
        """The expression with the implicit preactivations written out."""
        while hidden := expr.free_symbols & self.implicit & self.equations.keys():
            written = {s: self.equations[s] for s in hidden}
            expr = expr.subs(written) if expr.has(sp.Derivative) else expr.xreplace(written)
        return expr

    @cached_property
    def written_out(self) -> Program:
        """The program whose contractions too hold no implicit preactivation: Uᵀ tanh(U h + b) in the place of Uᵀ tanh(a)."""
        if not any(e.free_symbols & self.implicit for s in self.atoms for e in self.uses(s)):
            return self
        atoms: dict[sp.Symbol, Tensor | Call] = {
            s: Call(a.function, tuple(map(self.inlined, a.args))) if isinstance(a, Call) else a.map(self.inlined) for s, a in self.atoms.items()
        }
        return replace(self, atoms=atoms)

    def uses(self, s: sp.Symbol) -> tuple[sp.Expr, ...]:
        """What a name or atom is computed from, as pointwise expressions."""
        if s in self.equations:
            return (self.equations[s],)
        atom = self.atoms.get(s)
        if isinstance(atom, Call):
            return atom.args
        return tuple(factors(atom)) if atom is not None else ()

    def needed(self, targets: set[sp.Symbol]) -> list[sp.Symbol]:
        """The names and atoms that the targets depend on, in the order in which they can be computed."""
        done: dict[sp.Symbol, None] = {}
        stack: list[tuple[sp.Symbol, bool]] = [(s, False) for s in sorted(targets, key=self._rank, reverse=True)]
        while stack:
            s, ready = stack.pop()
            if ready:
                done.setdefault(s)
            elif s not in done:
                stack.append((s, True))
                below = {a for e in self.uses(s) for a in e.free_symbols} - {IDENTITY, ONE}
                stack += [(a, False) for a in sorted(below, key=self._rank, reverse=True) if a not in done]
        return list(done)

    def _rank(self, s: sp.Symbol) -> tuple[int, str]:
        return (self.order.get(s, -1), s.name)


def factors(tensor: Tensor) -> Iterator[sp.Expr]:
    """Every pointwise expression in a tensor."""
    for term in tensor.terms:
        for f in term.factors:
            if isinstance(f.value, Tensor):
                yield from factors(f.value)
            else:
                yield f.value


def base(name: str) -> str:
    """``h_prev`` and ``h_t`` are both called h."""
    for suffix in ("_prev", "_old", "_tm1", "_new", "_next", "_t"):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


class Source(Protocol):
    """Anything that has a program: a cell."""

    @property
    def program(self) -> Program:
        """Its equations."""


def program_of(cell: Source | Program) -> Program:
    """The program of a cell; a program is its own."""
    return cell if isinstance(cell, Program) else cell.program
