"""The scalar reading: every size is 1, so indices, diagonals and transposes are gone and all products commute."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symgrad.decide.limits import Unsupported
from symgrad.decide.world import World
from symgrad.language.program import Call, Program
from symgrad.language.tensor import IDENTITY, ONE, Factor, Tensor, Term, tensor


def scalar_world(world: World, program: Program) -> World:
    """The world in which every name is a number."""
    reader = Scalars(world, program)
    atoms: dict[sp.Symbol, Tensor | Call] = {}
    for s, atom in world.atoms.items():
        try:
            atoms[s] = reader.tensor(atom) if isinstance(atom, Tensor) else atom
        except Unsupported:
            continue  # the concatenation itself, which is no number
    return replace(world, shapes=dict.fromkeys(world.shapes, ()), atoms=atoms, blocks={})


class Scalars:
    """Tensors of one world with every index dropped; W next to a block of [a; b] is that block of W, a name of its own."""

    def __init__(self, world: World, program: Program) -> None:
        self.world, self.program = world, program

    def tensor(self, value: Tensor) -> Tensor:
        """The number that the tensor is."""
        return tensor((), [t for term in value.terms for t in self._terms(term)])

    def _terms(self, term: Term) -> list[Term]:
        blocks = {f.indices[0]: f.value for f in term.factors if f.value in self.world.blocks}
        out: list[Factor] = []
        for k, f in enumerate(term.factors):
            if f.value in (IDENTITY, ONE):
                continue
            if f.value in self.world.blocks:
                if not any(g is not f and f.indices[0] in g.indices for g in term.factors):
                    raise Unsupported("a concatenation as a scalar")
                continue
            met = [blocks[i] for i in f.indices if i in blocks]
            if isinstance(f.value, Tensor):
                if met:
                    raise Unsupported("a block of a sum as a scalar")
                out.append(Factor(self.tensor(f.value), ()))
            elif met:
                label = self.program.constants[met[0]].label if met[0] in self.program.constants else str(met[0])
                out.append(Factor(sp.Symbol(f"{f.value}_{label}"), ()))
            elif (stacked := self._stacked(f.value)) is not None:
                spread = [*term.factors[:k], Factor(stacked, f.indices), *term.factors[k + 1 :]]
                return [t for inner in _distributed(Term(term.coefficient, tuple(spread)), k, stacked) for t in self._terms(inner)]
            else:
                out.append(Factor(f.value, ()))
        return [Term(term.coefficient, tuple(out))]

    def _stacked(self, e: sp.Expr) -> Tensor | None:
        """The concatenation that a name stands for."""
        while e.is_Symbol and e in self.world.definitions:
            e = self.world.definitions[e]
        atom = self.world.atoms.get(e) if isinstance(e, sp.Symbol) else None
        if isinstance(atom, Tensor) and any(f.value in self.world.blocks for t in atom.terms for f in t.factors):
            return atom
        return None


def _distributed(term: Term, k: int, value: Tensor) -> list[Term]:
    """The term with its k-th factor, a sum, replaced by each summand; indices stay distinct."""
    top = 1 + max(i for f in term.factors for i in f.indices)
    at = term.factors[k].indices
    out = []
    for inner in value.terms:
        names = {i: at[i] if i < value.rank else top + i for f in inner.factors for i in f.indices}
        moved = tuple(Factor(f.value, tuple(names[i] for i in f.indices)) for f in inner.factors)
        out.append(Term(term.coefficient * inner.coefficient, (*term.factors[:k], *moved, *term.factors[k + 1 :])))
    return out
