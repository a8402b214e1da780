"""The adjoint equations put in an order for code: what runs in the loop, what is known for all steps before it, what is left for after."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from symgrad.generate.backward.plan import Plan, Product
from symgrad.language.functions import FUNCTIONS


@dataclass
class Statement:
    """δy = Σ coefficient · source; a coefficient holds forward values only."""

    name: sp.Symbol
    terms: list[tuple[sp.Expr, sp.Symbol]]
    prefilled: dict[int, sp.Symbol] = field(default_factory=dict)  # term → the name of its coefficient, known for all steps


@dataclass(frozen=True)
class Gathered:
    """Σ_g U_gᵀ δa_g over the products that share the operand v: the adjoint of v."""

    symbol: sp.Symbol
    operand: sp.Expr
    size: sp.Expr
    members: tuple[tuple[sp.Symbol, Product], ...]  # (slot, product), in the order of the stack


class Sweep:
    """`loop`: the statements of one step; `after`: those for all steps at once; `gathered`: adjoints of operands."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.program, self.adjoint = plan, plan.program, plan.adjoint
        self.results = {plan.equations.results[s] for s in self.program.states}
        self.finals = {plan.equations.results[s] for s in (*self.program.inputs, *self.program.parameters)}
        self.gathered: dict[sp.Symbol, Gathered] = {}
        self.outer: dict[sp.Symbol, tuple[sp.Symbol, Product]] = {}
        self._roles()
        statements = {s: Statement(s, self._terms(e)) for s, e in self.adjoint.equations.items()}
        needed = self._needed(statements)
        self.after = [statements[s] for s in statements if s not in needed]
        loop = [statements[s] for s in statements if s in needed]
        self.stored = self._stored(loop)
        self.loop = self._inlined(loop)
        self._prefill()

    def delta(self, s: sp.Symbol) -> sp.Symbol:
        return sp.Symbol(f"δ{s.name}")

    def seed(self, new: sp.Symbol) -> sp.Symbol:
        """What comes into the step from outside for a new state or an output: δy, or δy_next if the step itself uses y again."""
        return next(s for s in self.plan.equations.seeds if s.name in (f"δ{new.name}", f"δ{new.name}_next"))

    @cached_property
    def deltas(self) -> set[sp.Symbol]:
        return {*self.adjoint.equations, *self.plan.equations.seeds}

    def _roles(self) -> None:
        """Which adjoint atoms are Uᵀ δa, and which δa vᵀ."""
        self.part: dict[sp.Symbol, sp.Symbol] = {}
        members: dict[tuple[sp.Expr, sp.Expr, bool], list[tuple[sp.Symbol, Product]]] = {}
        for s in self.plan.ordered:
            slot = self.plan.slots[s]
            for p in (*slot.given, *slot.looped):
                members.setdefault((p.operand, self.program.shapes[s][0], p in slot.looped), []).append((s, p))
                self.outer[sp.Symbol(f"∂{p.atom}/∂({p.matrix}):{self.delta(s)}")] = (s, p)
        for (operand, size, _), found in members.items():
            atoms = [self.back(s, p) for s, p in found]
            if all(a in self.adjoint.atoms for a in atoms):
                whole = sp.Symbol(f"Σ[{operand}|{size}|{found[0][0]}]")
                self.gathered[whole] = Gathered(whole, operand, self.program.shape(operand)[0], tuple(found))
                self.part |= dict.fromkeys(atoms, sp.S.Zero) | {atoms[0]: whole}

    def back(self, s: sp.Symbol, p: Product) -> sp.Symbol:
        """The adjoint's atom Uᵀ δa."""
        return sp.Symbol(f"∂{p.atom}/∂({p.operand}):{self.delta(s)}")

    def atoms_of(self, whole: sp.Symbol) -> list[sp.Symbol]:
        """The summands of a gathered adjoint."""
        return [self.back(s, p) for s, p in self.gathered[whole].members]

    def _terms(self, expr: sp.Expr) -> list[tuple[sp.Expr, sp.Symbol]]:
        """The sum as (coefficient, source), the slope of a rectifier read from its output."""
        steps = {FUNCTIONS["step"](e.args[0]): FUNCTIONS["step"](y) for y, e in self.program if e.func is FUNCTIONS["relu"]}
        out = []
        for a in sp.Add.make_args(expr.xreplace(self.part).xreplace(steps)):
            if a == 0:
                continue
            sources = [s for s in a.free_symbols if s in self.deltas or s in self.gathered or s in self.outer or self._carries(s)]
            assert len(sources) == 1, f"{a} is not linear in one adjoint"
            out.append((a / sources[0], sources[0]))
        return out

    def _carries(self, s: sp.Symbol) -> bool:
        """Whether an atom is a contraction with an adjoint in it."""
        return s in self.adjoint.atoms and bool(self.inside(s) & self.deltas)

    def inside(self, s: sp.Symbol) -> set[sp.Symbol]:
        """The names that a source is computed from."""
        if s in self.gathered:
            return {self.delta(slot) for slot, _ in self.gathered[s].members}
        if s in self.adjoint.atoms:
            names = {a for e in self.adjoint.uses(s) for a in e.free_symbols}
            return names | {b for a in names if a in self.adjoint.atoms for b in self.inside(a)}
        return {s}

    def _needed(self, statements: dict[sp.Symbol, Statement]) -> set[sp.Symbol]:
        found, todo = set(self.results), list(self.results)
        while todo:
            for _, source in statements[todo.pop()].terms:
                for s in self.inside(source):
                    if s in statements and s not in found:
                        found.add(s)
                        todo.append(s)
        return found

    def _stored(self, loop: list[Statement]) -> list[sp.Symbol]:
        """The adjoints of the loop that are asked for after it, at every step: those of the slots, and a few others."""
        names = {st.name for st in loop} | set(self.plan.equations.seeds)
        wanted = {
            s for st in self.after for _, source in st.terms for s in (self.inside(source) if source not in self.outer else {self.delta(self.outer[source][0])})
        }
        slots = [self.delta(s) for s in self.plan.ordered]
        found = [d for d in slots if d in names and (d in wanted or self._in_stack(d))]
        return [*found, *sorted((wanted & names) - set(found), key=str)]

    def _in_stack(self, d: sp.Symbol) -> bool:
        return any(d == self.delta(s) for s in self.plan.stack)

    def _inlined(self, loop: list[Statement]) -> list[Statement]:
        """An adjoint that is used once is no line of its own: δz goes into δa_z."""
        keep = {*self.stored, *self.results, *(self.delta(s) for s in self.plan.ordered)}
        uses = [s for st in loop for _, source in st.terms for s in (self.inside(source) if source not in self.deltas else {source})]
        direct = {source for st in loop for _, source in st.terms}
        out: list[Statement] = []
        held: dict[sp.Symbol, Statement] = {}
        for st in loop:
            st.terms = [(c * inner, deeper) for c, source in st.terms for inner, deeper in (held[source].terms if source in held else [(sp.S.One, source)])]
            # a sum behind a coefficient would be computed term by term, so only single terms move
            if st.name not in keep and uses.count(st.name) == 1 and st.name in direct and len(st.terms) == 1:
                held[st.name] = st
            else:
                out.append(st)
        return out

    def _prefill(self) -> None:
        """Slopes of several factors do not depend on the adjoints: they are computed for many steps at once."""
        self.prefilled: dict[sp.Symbol, sp.Expr] = {}
        for st in self.loop:
            for k, (c, _) in enumerate(st.terms):
                if not c.is_Symbol and not c.is_number and -c != 1:
                    name = sp.Symbol(f"slope[{st.name},{k}]")
                    st.prefilled[k] = name
                    self.prefilled[name] = c

    @cached_property
    def reads(self) -> set[sp.Symbol]:
        """Every forward name that the backward pass reads, those in the operands of weight gradients too."""
        found = {s for _, p in self.outer.values() for s in p.operand.free_symbols}
        for st in (*self.loop, *self.after):
            for c, source in st.terms:
                found |= c.free_symbols
                if source in self.adjoint.atoms and source not in self.outer:
                    found |= self.inside(source)
        return {s for s in found if s in self.program.equations or s in self.program.states or s in self.program.inputs or s in self.program.atoms}
