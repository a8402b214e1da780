r"""Backpropagation through time: δs_{t-1} = ∂L_{t-1}/∂s_{t-1} + J_tᵀ δs_t, and every parameter's gradient as a sum over t.

The adjoint equations of one step come from `adjoint.vjp`; time adds where the recursion starts, what the loss adds at each step, and the sums.
The same gradient as a sum of products, and dh_t/dθ forward in time, stand beside it: three ways to write one derivative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import sympy as sp

from symgrad.calculus.adjoint import Equations, vjp
from symgrad.errors import SymgradError
from symgrad.language.program import Program
from symgrad.notation.derivation import Step
from symgrad.notation.syntax import Apply, Big, Derivative, Name, Negative, Node, Number, Product, Relation, Stack, Sum, Transpose, equation
from symgrad.notation.text import text
from symgrad.notation.write import Writer, product, total, write_equation

if TYPE_CHECKING:
    from symgrad.face.cell import Cell

Loss = Literal["every", "last"]
ONE, L = Number("1"), Name("L")


@dataclass(frozen=True)
class Bptt:
    """The backward pass over t = T, …, 1 of one cell: `step` holds the adjoint equations of a step, `parts` the whole as equations."""

    program: Program
    step: Equations
    loss: Loss
    truncate: int | str | None

    @property
    def index(self) -> Name:
        """What a step counts: t."""
        return Name(self.program.index)

    @property
    def end(self) -> Name:
        """The last step: T; N for a chain over layers l, whose loss is L."""
        return Name("N" if self.program.index == "l" else self.program.index.upper())

    @property
    def shared(self) -> bool:
        """Whether the parameters are the same at every step; those of a chain over layers are each layer's own."""
        return self.program.index == "t"

    def writer(self, shift: int = 0, index: str | None = None) -> Writer:
        """A writer of the adjoint equations `shift` steps later, or at the step `index`."""
        w = Writer(replace(self.step.program, index=index) if index else self.step.program, "matrix")
        w.names.offset = {s: k + shift for s, k in Writer(self.step.program).names.offset.items()}
        return w

    @cached_property
    def inner(self) -> dict[sp.Symbol, sp.Expr]:
        """For each new state that its own step uses again, what that step contributes to its adjoint: LSTM's δh_t ∘ o_t ∘ (1 - tanh² c_t)."""
        found = {}
        for new in self.program.updates.values():
            seed = sp.Symbol(f"δ{new.name}_next")
            if seed in self.step.seeds:
                found[new] = self.step.program.equations[sp.Symbol(f"δ{new.name}")] - seed
        return found

    @cached_property
    def bearing(self) -> tuple[sp.Symbol, ...]:
        """What the loss is a function of: the outputs, or else the first state."""
        return self.program.outputs or tuple(self.program.updates.values())[:1]

    # -- the recursion ------------------------------------------------------------------------------------------------------

    def loss_at(self, s: sp.Symbol, shift: int = 0, index: str | None = None) -> Node:
        """∂L_t/∂s_t."""
        w = self.writer(shift, index)
        moment = w.names(sp.Symbol(f"δ{s.name}"))
        assert isinstance(moment, Product)
        name = moment.args[1]
        assert isinstance(name, Name)
        return Derivative(Name("L", (), name.subs[-1:]), name)

    def start(self) -> list[Relation]:
        """δh_T = ∂L_T/∂h_T, and what follows from it for the other states within the last step."""
        w = self.writer(index=self.end.base)
        out = [equation(w.symbol(sp.Symbol(f"δ{s.name}")), self.loss_at(s, index=self.end.base)) for s in self.program.outputs]
        for new in self._ordered():
            parts = [self.loss_at(new, index=self.end.base)] if new in self.bearing else []
            if new in self.inner:
                parts.append(w.expression(self.inner[new]))
            out.append(equation(w.symbol(sp.Symbol(f"δ{new.name}")), total(parts)))
        return out

    def recursion(self) -> list[Relation]:
        """The adjoint equations of step t, which end in those of the states one step earlier."""
        w, before = self.writer(), self.writer(shift=-1)
        states = {sp.Symbol(f"δ{s.name}"): s for s in self.program.states}
        skipped = {*states, *(sp.Symbol(f"δ{p.name}") for p in self.program.parameters), *(sp.Symbol(f"δ{n.name}") for n in self.inner)}
        # a read-out's own loss comes first, then the gates, then the states one step back
        outputs = [equation(w.symbol(sp.Symbol(f"δ{s.name}")), self.loss_at(s)) for s in self.program.outputs if self.loss == "every"]
        gates = [write_equation(w, s) for s in self.step.program.equations if s not in skipped and s not in self._inputs]
        back = []
        for new in self._ordered():
            old = next(o for o, n in self.program.updates.items() if n == new)
            parts = [self.loss_at(new, -1)] if new in self.bearing and self.loss == "every" else []
            if new in self.inner:
                parts.append(before.expression(self._inner_before(new)))
            parts.append(w.expression(self.step.program.equations[sp.Symbol(f"δ{old.name}")]))
            back.append(equation(w.symbol(sp.Symbol(f"δ{old.name}")), total([p for p in parts if p != Number("0")])))
        return [*outputs, *gates, *back]

    def _inner_before(self, new: sp.Symbol) -> sp.Expr:
        """The inner contribution before the last step: a loss at the last step alone gives outputs no adjoint there."""
        if self.loss == "every":
            return self.inner[new]
        gone = {sp.Symbol(f"δ{y.name}") for y in self.program.outputs}
        kept = [a for a in sp.Add.make_args(self.inner[new]) if not self._reads(a) & gone]
        return sp.Add(*kept)

    def _reads(self, expr: sp.Expr) -> set[sp.Symbol]:
        """The names in an expression, those inside its contractions too."""
        found = set(expr.free_symbols)
        for a in expr.free_symbols & self.step.program.atoms.keys():
            found |= {s for e in self.step.program.uses(a) for s in self._reads(e)}
        return found

    @property
    def _inputs(self) -> tuple[sp.Symbol, ...]:
        return tuple(sp.Symbol(f"δ{x.name}") for x in self.program.inputs)

    def _ordered(self) -> list[sp.Symbol]:
        """The new states, each after those whose adjoints its own reads."""
        news, out = list(self.program.updates.values()), []
        while news:
            ready = [n for n in news if not any(sp.Symbol(f"δ{o.name}") in self._reads(self.inner.get(n, sp.S.Zero)) for o in news if o != n)]
            out += ready or news
            news = [n for n in news if n not in out]
        return out

    # -- what comes of it ---------------------------------------------------------------------------------------------------

    def gradient(self, parameter: str) -> Relation:
        r"""∂L/∂U_z = Σ_t δa_t^z h_{t-1}ᵀ."""
        p = self.program.symbol(parameter)
        delta = sp.Symbol(f"δ{p.name}")
        value = self.step.program.equations[delta]
        named, body = write_equation(self.writer(), delta).sides
        assert isinstance(named, Product)
        left = Derivative(L, product(named.args[1:]))
        if not self.shared:
            return equation(left, body)
        ends = {sp.Symbol(f"δ{y.name}") for y in self.program.outputs}
        if self.loss == "last" and all(self._reads(a) & ends for a in sp.Add.make_args(value)):
            return equation(left, write_equation(self.writer(index=self.end.base), delta).sides[1])
        lower: Node = ONE
        if self.truncate is not None:
            lower = self._since(self.end)
        return equation(left, Big("sum", self.index, lower, self.end, body))

    def gradients(self) -> list[Relation]:
        """The sum over t of every parameter."""
        return [self.gradient(p.name) for p in self.program.parameters]

    def ends(self) -> list[Relation]:
        """The gradients of the inputs and of the initial states."""
        w = self.writer()
        out = [equation(Derivative(L, w.names(x)), write_equation(w, d).sides[1]) for x, d in zip(self.program.inputs, self._inputs, strict=True)]
        for s in self.program.states:
            name = w.names(s)
            assert isinstance(name, Name)
            first = Name(name.base, name.accents, (*name.subs[:-1], Number("0")), name.primes)
            out.append(equation(Derivative(L, first), Product((Name("delta"), first))))
        return out

    # -- the same as a sum of products --------------------------------------------------------------------------------------

    def state(self, moment: Node) -> Name:
        """The name of the whole state at a moment: h_i, or s_i where there are several states."""
        (first, *more) = self.program.updates.values()
        name = self.writer().names(first)
        assert isinstance(name, Name)
        return Name("s", (), (moment,)) if more else Name(name.base, name.accents, (*name.subs[:-1], moment), name.primes)

    def _since(self, t: Node) -> Node:
        """The first step that a truncated sum counts: max(1, t - K + 1)."""
        if self.truncate == 1:
            return t
        back = (Negative(Number(str(self.truncate - 1))),) if isinstance(self.truncate, int) else (Negative(Name(str(self.truncate))), ONE)
        return Apply(Name("max"), (ONE, Sum((t, *back))))

    def products(self, lower: Node, body: Node) -> Node:
        """Σ_{k=lower}^t (∏_{i=k+1}^t ∂h_i/∂h_{i-1}) body_k."""
        t, k, i = self.index, Name("k"), Name("i")
        chain = Big("prod", i, Sum((k, ONE)), t, Derivative(self.state(i), self.state(Sum((i, Negative(ONE))))))
        return Big("sum", k, lower, t, Product((chain, body)))

    def explicit(self, parameter: str) -> Relation:
        r"""∂L_t/∂U_z = ∂L_t/∂h_t Σ_{k=1}^t (∏_{i=k+1}^t ∂h_i/∂h_{i-1}) ∂⁺h_k/∂U_z."""
        p = self.program.symbol(parameter)
        theta, t, k = self.writer().names(p), self.index, Name("k")
        lower = ONE if self.truncate is None else self._since(t)
        loss = Name("L", (), (t,))
        parts: list[Node] = []
        if self._reaches(p, set(self.program.updates.values()), set()):
            right = self.products(lower, Derivative(self.state(k), theta, "partial+"))
            parts.append(product([Derivative(loss, self.state(t)), right]))
        if self._reaches(p, set(self.program.outputs), set(self.program.updates.values())):
            parts.append(Derivative(loss, theta, "partial+"))
        return equation(Derivative(loss, theta), total(parts))

    def _reaches(self, p: sp.Symbol, targets: set[sp.Symbol], around: set[sp.Symbol]) -> bool:
        """Whether a target depends on p by a path around the given names."""
        todo, seen = [e for s in targets for e in self.program.uses(s)], set(around)
        while todo:
            for s in todo.pop().free_symbols - seen:
                if s == p:
                    return True
                seen.add(s)
                todo += self.program.uses(s)
        return False

    def matrix_recursion(self) -> list[Relation]:
        """δh_{t-1} = ∂L_{t-1}/∂h_{t-1} + J_tᵀ δh_t with J_t = ∂h_t/∂h_{t-1}."""
        t = self.index
        before = Sum((t, Negative(ONE)))
        factor = Name("J", (), (t,))
        out = []
        if len(self.program.updates) > 1:
            out.append(equation(self.state(t), Stack(tuple(self.writer().names(s) for s in self.program.updates.values()))))
        out.append(equation(factor, Derivative(self.state(t), self.state(before))))
        parts: list[Node] = [Derivative(Name("L", (), (before,)), self.state(before))] if self.loss == "every" else []
        parts.append(Product((Transpose(factor), Name("delta"), self.state(t))))
        return [*out, equation(Product((Name("delta"), self.state(before))), total(parts))]

    def forward(self, parameter: str | None = None) -> list[Relation]:
        """dh_t/dθ = J_t dh_{t-1}/dθ + ∂⁺h_t/∂θ, and the sum it unrolls into."""
        theta: Node = Name("theta") if parameter is None else self.writer().names(self.program.symbol(parameter))
        t = self.index
        before = self.state(Sum((t, Negative(ONE))))
        left = Derivative(self.state(t), theta, "d")
        step = total([product([Derivative(self.state(t), before), Derivative(before, theta, "d")]), Derivative(self.state(t), theta, "partial+")])
        return [equation(left, step), equation(left, self.products(ONE, Derivative(self.state(Name("k")), theta, "partial+")))]

    def lagged(self, lag: int | str = "k") -> Relation:
        """∂h_t/∂h_{t-k} = ∏_{u=0}^{k-1} ∂h_{t-u}/∂h_{t-u-1}."""
        t, u = self.index, Name("u")
        k: Node = Number(str(lag)) if isinstance(lag, int) else Name(lag)
        upper: Node = Number(str(lag - 1)) if isinstance(lag, int) else Sum((k, Negative(ONE)))
        factor = Derivative(self.state(Sum((t, Negative(u)))), self.state(Sum((t, Negative(u), Negative(ONE)))))
        return equation(Derivative(self.state(t), self.state(Sum((t, Negative(k))))), Big("prod", u, Number("0"), upper, factor))

    # -- as a document ------------------------------------------------------------------------------------------------------

    @cached_property
    def parts(self) -> dict[str, Step]:
        """The whole backward pass, part by part: loss, start, recursion, parameters, ends, matrices, products, forward."""
        t, end = self.program.index, self.end.base
        every = equation(L, Big("sum", self.index, ONE, self.end, Name("L", (), (self.index,))))
        loss = every if self.loss == "every" else equation(L, Name("L", (), (self.end,)))
        moving = [p.name for p in self.program.parameters if self._reaches(p, set(self.program.updates.values()), set())]
        first = "" if self.loss == "last" else " (with no loss before the first step)"
        earliest = text(self._since(self.end)) if self.truncate is not None else f"1{first}"
        last = f"{end}, …, {earliest}" if self.truncate != 1 else end
        found = {"loss": Step("The loss", (loss,))}
        if self.truncate is None or self.loss == "last":
            found["start"] = Step(f"Start, at {t} = {end}", tuple(self.start()))
            found["recursion"] = Step(f"For {t} = {last}", tuple(self.recursion()))
            found["parameters"] = Step("Parameters: sums over time" if self.shared else "Parameters", tuple(self.gradients()))
        if self.truncate is None:
            found["ends"] = Step("Inputs and initial states" if self.program.inputs else "Initial states", tuple(self.ends()))
        found["matrices"] = Step("The recursion in matrices", tuple(self.matrix_recursion()))
        if self.shared:
            title = "The same as a sum of products" + (f", the last {self.truncate} steps" if self.truncate else "")
            found["products"] = Step(title, tuple(map(self.explicit, moving)))
        if self.truncate is None and self.shared:
            found["forward"] = Step("Forward in time", (*self.forward(), self.lagged()))
        return found

    def relations(self) -> list[Relation]:
        """Every equation, in order."""
        return [r for part in self.parts.values() for r in part.equations]

    def latex(self) -> str:
        """All equations in one ``aligned`` block."""
        from symgrad.notation.latex import latex_lines

        return latex_lines(*self.relations())

    def text(self) -> str:
        """All parts under their headings, in Unicode."""
        return "\n\n".join("\n".join([part.title, *(f"  {text(r)}" for r in part.equations)]) for part in self.parts.values())

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def bptt(cell: Cell | Program, loss: Loss = "every", truncate: int | str | None = None) -> Bptt:
    r"""The backward pass over time.

    .. math:: \delta h_{t-1} = \frac{\partial L_{t-1}}{\partial h_{t-1}} + J_t^\top \delta h_t, \qquad
              \frac{\partial L}{\partial U} = \sum_t \delta a_t\, h_{t-1}^\top

    `loss` stands at ``"every"`` step or at the ``"last"`` one; it is a function of the cell's outputs, or else of its first state.
    `truncate` is the number K of steps (a number or a letter) that each loss is followed back.
    """
    program: Program = cell if isinstance(cell, Program) else cell.program
    if loss not in ("every", "last"):
        raise SymgradError(f"loss={loss!r}: the loss stands at 'every' step or at the 'last' one")
    if isinstance(truncate, str) and truncate.isdigit():
        truncate = int(truncate)
    if truncate is not None and (truncate < 1 if isinstance(truncate, int) else not truncate.isidentifier()):
        raise SymgradError(f"truncate={truncate!r}: the number of steps is at least 1, or a letter")
    if truncate in ("k", "i", "L", program.index, program.index.upper()):
        raise SymgradError(f"truncate={truncate!r}: this letter counts steps in the sums already; take another, such as K")
    return Bptt(program, vjp(program), loss, truncate)
