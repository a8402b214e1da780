r"""Reverse and forward mode, as equations: the two rules of `derive`, transposed (`vjp`) or along one direction (`jvp`).

vjp     δa += (∂e/∂a) ∘ δy for y = e(a, …);  for T = U v, δv += Uᵀ δT and δU += δT vᵀ, the same contraction with another factor left out.
jvp     ẏ = Σ_a (∂e/∂a) ∘ ȧ;  Ṫ = U v̇ + U̇ v.

The result is again a `Program`: its equations are named δz_t, δh_{t-1}, in the order in which a person would compute them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sympy as sp

from symgrad.calculus.derive import linear_parts, slope
from symgrad.language.program import Call, Program, Source, free_jacobian, program_of
from symgrad.language.tensor import Factor, Tensor, Term, tensor


@dataclass(frozen=True)
class Equations:
    """Named derivative equations: `program` holds them; `seeds` are given, `results` maps each variable to its derivative's name."""

    program: Program
    forward: Program
    seeds: tuple[sp.Symbol, ...]
    results: dict[sp.Symbol, sp.Symbol]


def vjp(cell: Source | Program, wrt: Iterable[str] | str | None = None) -> Equations:
    r"""δv = (∂y/∂v)ᵀ δy for every v that is wanted, from the new states back."""
    program = program_of(cell)
    return _Adjoint(program, _wanted(program, wrt)).equations()


def jvp(cell: Source | Program, wrt: Iterable[str] | str | None = None) -> Equations:
    r"""ẏ = (∂y/∂v) v̇, from what is wanted on to the new states."""
    program = program_of(cell)
    return _Tangent(program, _wanted(program, wrt)).equations()


def _wanted(program: Program, wrt: Iterable[str] | str | None) -> list[sp.Symbol]:
    if wrt is None:
        return [*program.states, *program.inputs, *program.parameters]
    names = wrt.replace(",", " ").split() if isinstance(wrt, str) else wrt
    return [program.old(n) for n in names]


def _shell(program: Program, marked: dict[sp.Symbol, sp.Symbol]) -> Program:
    """A program without equations in which every name of the forward pass is given, and the marked names have their shapes."""
    shapes = {**program.shapes, **{d: program.shapes[s] for s, d in marked.items()}}
    given = (*program.inputs, *program.equations)
    return replace(program, inputs=given, equations={}, updates={}, outputs=(), shapes=shapes, aliases={}, notes=(), lines={}, resting=program.still)


class _Adjoint:
    """One sweep from the new states back to what is wanted."""

    def __init__(self, program: Program, wanted: list[sp.Symbol]) -> None:
        self.program, self.wanted = program, wanted
        self.live = _dependents(program, set(wanted))
        self.parts: dict[sp.Symbol, list[sp.Expr]] = {}
        self.atoms: dict[sp.Symbol, Tensor | Call] = dict(program.atoms)
        self.shapes = dict(program.shapes)
        self.equations_: dict[sp.Symbol, sp.Expr] = {}
        self.results: dict[sp.Symbol, sp.Symbol] = {}

    def equations(self) -> Equations:
        """δ of every name, last first."""
        program = self.program
        targets = [*program.updates.values(), *program.outputs]
        order = program.needed(set(targets))
        seeds = []
        for s in targets:
            # a new state that the same step uses again has an adjoint of its own; what comes from outside is then δ_next
            used_again = any(s in e.free_symbols for t in order for e in program.uses(t))
            seed = _delta(s, "_next" if used_again else "")
            self.shapes[seed] = program.shapes[s]
            seeds.append(seed)
            self.parts[s] = [seed]
        for s in reversed(order):
            if s in self.live and s in self.parts and s not in self.wanted:
                self._pass(s, seeds)
        for s in self.wanted:
            name = _delta(s)
            self._file(name, sp.Add(*self.parts.get(s, [sp.S.Zero])), program.shapes[s])
            self.results[s] = name
        shell = _shell(program, {})
        inputs = tuple(dict.fromkeys((*shell.inputs, *seeds)))
        return Equations(replace(shell, inputs=inputs, equations=self.equations_, atoms=self.atoms, shapes=self.shapes), program, tuple(seeds), self.results)

    def _pass(self, s: sp.Symbol, seeds: list[sp.Symbol]) -> None:
        """Give the adjoint of s its name and hand it on to what s is computed from."""
        incoming = sp.Add(*self.parts[s])
        if s in self.program.equations:
            name = _delta(s)
            if incoming != name:
                self._file(name, incoming, self.program.shapes[s])
            elif name not in seeds:
                return
            expr = self.program.equations[s]
            for a in sorted(expr.free_symbols, key=self.program._rank):
                self._add(a, slope(self.program, s, expr, a) * name)
            return
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor):
            self._transpose(s, atom, incoming)
        elif isinstance(atom, Call):
            for k, arg in enumerate(atom.args):
                jac = free_jacobian(atom, k)
                if arg.free_symbols & self.live:
                    dims = self.program.shapes[jac][1:]
                    r = len(dims)
                    value = tensor(dims, [Term(sp.S.One, (Factor(jac, (r, *range(r))), Factor(incoming, (r,))))])
                    self._into(arg, self._atom(f"{jac}ᵀ@({incoming})", value))

    def _transpose(self, s: sp.Symbol, atom: Tensor, incoming: sp.Expr) -> None:
        """The contraction with each factor in turn left out and the incoming adjoint put in."""
        for term, k in linear_parts(atom):
            left_out = term.factors[k]
            if isinstance(left_out.value, Tensor) or not (left_out.value.free_symbols & self.live):
                continue
            dims = self.program.shape(left_out.value)
            names = {i: p for p, i in enumerate(left_out.indices)}
            fresh = len(names)
            for f in (Factor(incoming, tuple(range(atom.rank))), *term.factors):
                for i in f.indices:
                    if i not in names:
                        names[i], fresh = fresh, fresh + 1
            kept = [f for j, f in enumerate(term.factors) if j != k]
            moved = [Factor(f.value, tuple(names[i] for i in f.indices)) for f in (*kept, Factor(incoming, tuple(range(atom.rank))))]
            # Uᵀ δ keeps the order of a product; δ vᵀ puts the adjoint first
            if len(dims) == 2:
                moved.insert(0, moved.pop())
            value = tensor(dims, [Term(term.coefficient, tuple(moved))])
            self._into(left_out.value, self._atom(f"∂{s}/∂({left_out.value}):{incoming}", value))

    def _into(self, expr: sp.Expr, adjoint: sp.Expr) -> None:
        for a in sorted(expr.free_symbols, key=self.program._rank):
            self._add(a, expr.diff(a) * adjoint)

    def _add(self, a: sp.Symbol, value: sp.Expr) -> None:
        if a in self.live and value != 0:
            self.parts.setdefault(a, []).append(value)

    def _atom(self, key: str, value: Tensor) -> sp.Symbol:
        symbol = sp.Symbol(key)
        self.atoms[symbol] = value
        self.shapes[symbol] = value.dims
        return symbol

    def _file(self, name: sp.Symbol, value: sp.Expr, shape: tuple[sp.Expr, ...]) -> None:
        self.equations_[name] = value
        self.shapes[name] = shape


class _Tangent:
    """One sweep forward."""

    def __init__(self, program: Program, wanted: list[sp.Symbol]) -> None:
        self.program, self.wanted = program, wanted
        self.live = _dependents(program, set(wanted))

    def equations(self) -> Equations:
        """ẏ of every name, first to last."""
        program = self.program
        marked = {s: _dot(s) for s in (*self.wanted, *program.equations) if s in self.live}
        atoms: dict[sp.Symbol, Tensor | Call] = dict(program.atoms)
        shapes = {**program.shapes, **{d: program.shapes[s] for s, d in marked.items()}}
        tangents: dict[sp.Symbol, sp.Expr] = dict(marked)
        filed: dict[sp.Symbol, sp.Expr] = {}

        def pushed(expr: sp.Expr, name: sp.Symbol | None) -> sp.Expr:
            known = [a for a in sorted(expr.free_symbols, key=program._rank) if tangents.get(a, 0) != 0]
            return sp.Add(*(slope(program, name, expr, a) * tangents[a] for a in known))

        for s in program.needed({*program.updates.values(), *program.outputs}):
            if s not in self.live or s in self.wanted:
                continue
            if s in program.equations:
                filed[marked[s]] = pushed(program.equations[s], s)
                continue
            atom = program.atoms.get(s)
            terms: list[Term] = []
            if isinstance(atom, Tensor):
                for term, k in linear_parts(atom):
                    f = term.factors[k]
                    moved = pushed(f.value, None) if not isinstance(f.value, Tensor) else sp.S.Zero
                    if moved != 0:
                        terms.append(Term(term.coefficient, (*term.factors[:k], Factor(moved, f.indices), *term.factors[k + 1 :])))
            elif isinstance(atom, Call):
                for k, arg in enumerate(atom.args):
                    jac, moved = free_jacobian(atom, k), pushed(arg, None)
                    if moved != 0:
                        at = tuple(range(1, len(program.shapes[jac])))
                        terms.append(Term(sp.S.One, (Factor(jac, (0, *at)), Factor(moved, at))))
            tangents[s] = sp.Symbol(f"d({s})")
            atoms[tangents[s]] = tensor(program.shapes[s], terms)
            shapes[tangents[s]] = program.shapes[s]
        shell = _shell(program, marked)
        seeds = tuple(marked[s] for s in self.wanted)
        full = replace(shell, inputs=(*shell.inputs, *seeds), equations=filed, atoms=atoms, shapes=shapes)
        return Equations(full, program, seeds, {s: marked[s] for s in (*program.updates.values(), *program.outputs) if s in marked})


def _dependents(program: Program, sources: set[sp.Symbol]) -> set[sp.Symbol]:
    """Everything whose value depends on one of the sources, and the sources themselves."""
    live = set(sources)
    for s in program.needed({*program.updates.values(), *program.outputs}):
        if any(e.free_symbols & live for e in program.uses(s)):
            live.add(s)
    return live


def _delta(s: sp.Symbol, suffix: str = "") -> sp.Symbol:
    return sp.Symbol(f"δ{s.name}{suffix}")


def _dot(s: sp.Symbol) -> sp.Symbol:
    return sp.Symbol(f"{s.name}_dot")
