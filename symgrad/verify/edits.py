"""Single edits of the derived backward pass: what a hand might have written instead, each with the words for it.

An `Edit` changes one adjoint equation (a slope left out, a transpose, an exchanged gate, 1 - z for z, the new state for the old one), or how
the steps are put together (a sum over time that keeps one step, a loss that is read at the last step alone).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from symgrad.calculus.adjoint import Equations
from symgrad.language.program import Call, Program
from symgrad.language.tensor import Factor, Tensor, Term
from symgrad.notation.text import text
from symgrad.notation.write import Writer


@dataclass(frozen=True)
class Time:
    """How the steps are put together; the right way is the default."""

    summed: str = "all"  # or "first", "last", "but first", "but last"
    loss: str = "every"  # or "last"
    lost: tuple[str, ...] = ()  # the states whose δ is not handed on
    added: str = ""  # the state whose δ is added to what was there, not put in its place
    unended: tuple[str, ...] = ()  # the states whose gradient at the end is left out
    averaged: str = ""  # "T", a mean over the steps
    only: str = ""  # one parameter, where the others are summed as they should be


@dataclass(frozen=True)
class Edit:
    """One change: `code` names its kind, `about` the equation, `words` says it."""

    code: str
    about: str
    words: str
    program: Program
    time: Time = Time()


def edits(equations: Equations, sequence: bool) -> Iterator[Edit]:
    """Every single edit, the likeliest kinds first."""
    program = equations.program
    forward = equations.forward
    if sequence:
        for time, words in (
            (Time(loss="last"), "the loss is read at the last step only: dys[t] is not added at every step"),
            (Time(summed="last"), "the gradients are those of the last step alone, not summed over time (= in place of +=)"),
            (Time(summed="first"), "the gradients are those of the first step alone, overwritten at every step (= in place of +=)"),
            (Time(summed="but first"), "the loop stops one step early: the first step is left out"),
            (Time(summed="but last"), "the loop starts one step early: the last step is left out"),
            (Time(lost=tuple(s.name for s in forward.states)), "δ of the state is not handed on from step to step"),
            (Time(unended=tuple(s.name for s in forward.states)), "the gradient of the final state is left out"),
            (Time(averaged="T"), "the gradients are averaged over the steps, not summed"),
        ):
            yield Edit("time", "", words, program, time)
        for old in forward.states:
            if len(forward.states) > 1:
                yield Edit("time", old.name, f"δ {old.name} is not handed on from step to step", program, Time(lost=(old.name,)))
            if old == forward.states[0]:  # the one that the loss is a function of
                alone = Time(lost=(old.name,), unended=(old.name,))
                yield Edit("time", old.name, f"δ {old.name} holds the loss of its own step alone: what later steps hand back is overwritten", program, alone)
            yield Edit("time", old.name, f"δ {old.name} of the step before is added to δ {old.name}, not put in its place", program, Time(added=old.name))
        for p in forward.parameters:
            for kept, words in (
                ("first", "overwritten at every step (= in place of +=)"),
                ("last", "that of the last step alone"),
                ("but first", "without the first step"),
                ("but last", "without the last step"),
            ):
                yield Edit("time", p.name, f"δ of {p.name} is not summed over all steps: it is {words}", program, Time(summed=kept, only=p.name))
    changer = _Changer(equations)
    for s in program.equations:
        yield from changer.slopes(s)
    for s in program.equations:
        yield from changer.transposes(s)
        yield from changer.terms(s)
    for s in program.equations:
        yield from changer.names(s, forward)
    if sequence:
        yield from changer.shifts()


class _Changer:
    def __init__(self, equations: Equations) -> None:
        self.equations, self.program = equations, equations.program
        self.writer = Writer(self.program)
        self.gates = Writer(equations.forward).gates

    def named(self, s: sp.Symbol) -> str:
        return text(self.writer.symbol(s))

    def show(self, e: sp.Expr) -> str:
        return text(self.writer.expression(e))

    def changed(self, s: sp.Symbol, value: sp.Expr, code: str, words: str) -> Edit:
        return Edit(code, s.name, words, replace(self.program, equations={**self.program.equations, s: value}))

    def slopes(self, s: sp.Symbol) -> Iterator[Edit]:
        """δa = δz ∘ z ∘ (1 - z) without its slope, or without one factor of it."""
        expr = self.program.equations[s]
        if not s.name.startswith("δa") or not expr.is_Mul:
            return
        slope = [a for a in expr.args if not self.carries(a)]
        if slope:
            yield self.changed(s, expr / sp.Mul(*slope), "slope-forgotten", f"in {self.named(s)} the slope {self.show(sp.Mul(*slope))} is left out")
        if len(slope) > 1:
            for a in slope:
                yield self.changed(s, expr / a, "slope-factor-forgotten", f"in {self.named(s)} the factor {self.show(a)} of the slope is left out")
        for shown, other in self.other_slopes(sp.Mul(*slope)):
            words = f"in {self.named(s)} the slope is that of {shown}: {self.show(other)} stands where {self.show(sp.Mul(*slope))} should"
            yield self.changed(s, expr / sp.Mul(*slope) * other, "slope-exchanged", words)
        squares = [a for a in expr.atoms(sp.Pow) if a.exp == 2]
        for a in squares:
            yield self.changed(s, expr.xreplace({a: a.base}), "square-forgotten", f"in {self.named(s)} the square of {self.show(a.base)} is left out")

    def other_slopes(self, slope: sp.Expr) -> Iterator[tuple[str, sp.Expr]]:
        """z(1-z) for 1-z², and back."""
        for y in slope.free_symbols - self.program.atoms.keys():
            if sp.expand(slope - y * (1 - y)) == 0:
                yield "tanh", 1 - y**2
            elif slope == 1 - y**2:
                yield "σ", y * (1 - y)

    def carries(self, e: sp.Expr) -> bool:
        return any(a.name.startswith(("δ", "∂")) for a in e.free_symbols)

    def transposes(self, s: sp.Symbol) -> Iterator[Edit]:
        """Uᵀ δ as U δ, and a gradient as its transpose."""
        for a in sorted(self.program.equations[s].free_symbols & self.program.atoms.keys(), key=str):
            value = self.program.atoms[a]
            if not isinstance(value, Tensor) or len(value.terms) != 1:
                continue
            (term,) = value.terms
            for k, f in enumerate(term.factors):
                if f.value in self.program.parameters and len(f.indices) == 2 and len(set(self.program.shapes[f.value])) == 1:
                    turned = Factor(f.value, f.indices[::-1])
                    new = replace(value, terms=(Term(term.coefficient, (*term.factors[:k], turned, *term.factors[k + 1 :])),))
                    words = f"in {self.named(s)}, {text(self.writer.tensor(value))} should stand where {text(self.writer.tensor(new))} does: the transpose"
                    yield Edit("transposed", s.name, words, self.with_atom(s, a, new))
                    everywhere = [t for t in self.program.equations if a in self.program.equations[t].free_symbols]
                    if len(everywhere) > 1 and everywhere[0] == s:
                        words = words.replace(self.named(s), " and ".join(map(self.named, everywhere)), 1)
                        yield Edit("transposed", s.name, words, replace(self.program, atoms={**self.program.atoms, a: new}))
            if value.rank == 2 and value.dims[0] == value.dims[1]:
                new = replace(
                    value,
                    terms=tuple(
                        Term(t.coefficient, tuple(Factor(f.value, tuple(1 - i if i < 2 else i for i in f.indices)) for f in t.factors)) for t in value.terms
                    ),
                )
                yield Edit("transposed", s.name, f"{self.named(s)} is transposed: it should be {text(self.writer.tensor(value))}", self.with_atom(s, a, new))

    def with_atom(self, s: sp.Symbol, a: sp.Symbol, value: Tensor) -> Program:
        new = sp.Symbol(f"{a}|edited")
        p = self.program
        return replace(
            p,
            equations={**p.equations, s: p.equations[s].xreplace({a: new})},
            atoms={**p.atoms, new: value},
            shapes={**p.shapes, new: value.dims},
        )

    def terms(self, s: sp.Symbol) -> Iterator[Edit]:
        """A term of a sum left out, or with the other sign; a factor left out."""
        expr = self.program.equations[s]
        if expr.is_Add:
            for a in expr.args:
                yield self.changed(s, expr - a, "term-forgotten", f"in {self.named(s)} the term {self.show(a)} is left out")
                yield self.changed(s, expr - 2 * a, "sign", f"in {self.named(s)} the term {self.show(a)} has the wrong sign")
        yield self.changed(s, -expr, "sign", f"{self.named(s)} has the wrong sign")
        for product in sp.Add.make_args(expr):
            if product.is_Mul:
                for a in product.args:
                    if not self.carries(a) and not a.is_number:
                        yield self.changed(
                            s,
                            expr - product + product / a,
                            "factor-forgotten",
                            f"in {self.named(s)} the factor {self.show(a)} is left out of {self.show(product)}",
                        )
        for a in expr.atoms(sp.Function):
            words = f"in {self.named(s)}, {self.show(a.args[0])} stands where {self.show(a)} should"
            yield self.changed(s, expr.xreplace({a: a.args[0]}), "activation-forgotten", words)
        for atom in sorted(expr.free_symbols & self.program.atoms.keys(), key=str):
            value = self.program.atoms[atom]
            for inner in (
                {f.value for t in value.terms for f in t.factors if not isinstance(f.value, Tensor) and f.value.is_Mul} if isinstance(value, Tensor) else ()
            ):
                for a in inner.args:
                    rest = inner / a
                    new = _replaced(value, inner, rest)
                    yield Edit(
                        "factor-forgotten",
                        s.name,
                        f"in {self.named(s)}, {self.show(rest)} stands where {self.show(inner)} should",
                        self.with_atom(s, atom, new),
                    )
        for a in expr.atoms(sp.Add):
            if a != expr and len(a.args) == 2:
                first, second = a.args
                turned = f"in {self.named(s)} the difference {self.show(a)} stands the other way round"
                yield self.changed(s, expr.xreplace({a: -a}), "sign", turned)
                added = f"in {self.named(s)}, {self.show(first - second)} stands where {self.show(a)} should"
                yield self.changed(s, expr.xreplace({a: first - second}), "sign", added)
                if any(b == 1 for b in a.args):
                    (other,) = [b for b in a.args if b != 1]
                    bare = -other
                    yield self.changed(s, expr.xreplace({a: bare}), "complement", f"in {self.named(s)}, {self.show(bare)} stands where {self.show(a)} should")

    def names(self, s: sp.Symbol, forward: Program) -> Iterator[Edit]:
        """One name in the place of another of its shape: gates exchanged, z for 1 - z, h_t for h_{t-1}."""
        expr = self.program.equations[s]
        atoms = sorted(expr.free_symbols & self.program.atoms.keys(), key=str)
        used = expr.free_symbols | {b for a in atoms for e in self.program.uses(a) for b in e.free_symbols}
        pool = [t for t in (*forward.states, *forward.equations, *forward.inputs, *forward.parameters) if t not in forward.implicit]
        before = list(self.program.equations)[: list(self.program.equations).index(s)]  # an adjoint can only be mistaken for one that is known by then
        deltas = [t for t in before if t not in self.equations.results.values()] + list(self.equations.seeds)
        for alike in (self.gates, set(forward.parameters)):
            for a, b in itertools.combinations(sorted(used & alike, key=str), 2):
                if self.program.shapes[a] == self.program.shapes[b]:
                    words = f"in {self.named(s)}, {self.named(a)} and {self.named(b)} have changed places"
                    yield Edit("exchanged", s.name, words, self.moved(s, {a: b, b: a}))
        for a in sorted((used & {*pool, *deltas}), key=str):
            if a in self.gates:
                yield self.renamed(s, a, 1 - a, "complement", f"in {self.named(s)}, 1 - {self.named(a)} stands where {self.named(a)} should")
            for b in deltas if a in deltas else pool:
                if a != b and self.program.shapes[a] == self.program.shapes[b] and b != s:
                    kind = "exchanged" if a in self.gates | set(forward.parameters) | set(deltas) else "other-name"
                    kind = "time-index" if b in (forward.updates.get(a), next((o for o, new in forward.updates.items() if new == a), None)) else kind
                    yield self.renamed(s, a, b, kind, f"in {self.named(s)}, {self.named(b)} stands where {self.named(a)} should")

    def renamed(self, s: sp.Symbol, a: sp.Symbol, b: sp.Expr, code: str, words: str) -> Edit:
        return Edit(code, s.name, words, self.moved(s, {a: b}))

    def moved(self, s: sp.Symbol, to: Mapping[sp.Symbol, sp.Expr]) -> Program:
        """The equation of s with names replaced, within its contractions too."""
        p = self.program
        atoms, shapes, moved = dict(p.atoms), dict(p.shapes), dict(to)
        for atom in p.equations[s].free_symbols & p.atoms.keys():
            value = p.atoms[atom]
            if isinstance(value, Tensor) and to.keys() & value.symbols:
                new = sp.Symbol(f"{atom}|{to}")
                atoms[new] = value.map(lambda e: e.xreplace(to))
                shapes[new] = value.dims
                moved[atom] = new
        return replace(p, equations={**p.equations, s: p.equations[s].xreplace(moved)}, atoms=atoms, shapes=shapes)

    def everywhere(self, to: Mapping[sp.Symbol, sp.Expr]) -> Program:
        """Every equation with names replaced."""
        p = self.program
        atoms = {a: value.map(lambda e: e.xreplace(to)) if isinstance(value, Tensor) else value for a, value in p.atoms.items()}
        return replace(p, equations={s: e.xreplace(to) for s, e in p.equations.items()}, atoms=atoms)

    def shifts(self) -> Iterator[Edit]:
        """x_{t-1} or x_{t+1} in the place of x_t, and so for every forward name; the shifted names end in ⁻ and ⁺."""
        p, forward = self.program, self.equations.forward
        for a in (*forward.inputs, *forward.states, *forward.equations):
            for mark, words in (("⁻", "one step too early"), ("⁺", "one step too late")):
                b = sp.Symbol(f"{a.name}{mark}")
                shifted = replace(self.everywhere({a: b}), shapes={**p.shapes, b: p.shapes[a]})
                yield Edit("time-index", a.name, f"{self.named(a)} is taken {words} throughout", shifted)
        for s in p.equations:
            reads = p.equations[s].free_symbols | {b for a in p.equations[s].free_symbols & p.atoms.keys() for e in p.uses(a) for b in e.free_symbols}
            for a in sorted(reads & {*forward.inputs, *forward.states, *forward.equations}, key=str):
                for mark, words in (("⁻", "one step too early"), ("⁺", "one step too late")):
                    b = sp.Symbol(f"{a.name}{mark}")
                    edit = self.renamed(s, a, b, "time-index", f"in {self.named(s)}, {self.named(a)} is taken {words}")
                    yield replace(edit, program=replace(edit.program, shapes={**edit.program.shapes, b: p.shapes[a]}))


def _replaced(value: Tensor | Call, old: sp.Expr, new: sp.Expr) -> Tensor:
    """One factor of a contraction exchanged."""
    assert isinstance(value, Tensor)
    return value.map(lambda e: new if e == old else e)
