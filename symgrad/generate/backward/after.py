"""What the generated ``backward`` computes for all steps at once, after its loop: δx, and the gradients of the parameters."""

from __future__ import annotations

import sympy as sp

from symgrad.generate.backward.functions import WHOLE
from symgrad.generate.backward.lines import einsum, infix
from symgrad.generate.backward.places import Place
from symgrad.generate.backward.reverse import Reverse
from symgrad.generate.backward.sweep import Gathered, Statement
from symgrad.language.tensor import Tensor
from symgrad.notation.text import text
from symgrad.notation.write import write_equation


class After:
    """`lines` of code, and `grads`; a weight's gradient is one product over all steps and sequences, Σ_t δa_t v_tᵀ."""

    def __init__(self, reverse: Reverse) -> None:
        self.reverse, self.forward, self.sweep, self.plan, self.names = reverse, reverse.forward, reverse.sweep, reverse.plan, reverse.names
        self.program, self.adjoint, self.runs, self.whole = reverse.program, reverse.adjoint, reverse.runs, reverse.whole
        self.lines: list[str] = []
        self.rows: dict[str, str] = {}  # code of an array over all steps → the name of the same with a row for each step and sequence
        self.grads: dict[sp.Symbol, list[str]] = {}  # parameter → the summands of its gradient
        self.biased = False
        finals: list[tuple[sp.Symbol, Statement]] = []
        for st in self.sweep.after:
            p = self._parameter(st.name) if st.name in self.sweep.finals else None
            if p is not None:
                finals.append((p, st))
            else:
                self._all(st)
        for p, st in finals:
            self.grads[p] = [self._gradient(p, c, source) for c, source in st.terms]

    def _parameter(self, d: sp.Symbol) -> sp.Symbol | None:
        return next((p for p in self.program.parameters if self.plan.equations.results[p] == d), None)

    def _wide(self, s: sp.Symbol) -> str:
        """A name over all steps."""
        if s in self.whole:
            return str(self.whole[s])
        if s in self.adjoint.atoms and s not in self.program.atoms:
            return self._einsum_all(s, True)
        return self.forward.whole(s)

    def _einsum_all(self, s: sp.Symbol, keep: bool) -> str:
        value = self.adjoint.atoms[s]
        assert isinstance(value, Tensor)
        return einsum(value, lambda e: self._wide(e) if e.is_Symbol else f"({infix(e, self._wide, WHOLE)})", self.reverse.batched, self.names.size, "tb", keep)

    def _gradient(self, p: sp.Symbol, c: sp.Expr, source: sp.Symbol) -> str:
        """One term of a parameter's gradient, summed over steps and sequences."""
        if source in self.sweep.outer:
            s, product = self.sweep.outer[source]
            left, right = self._delta_rows(self.sweep.delta(s)), self._operand_rows(product.operand)
            return f"{right}.T @ {left}" if product.transposed else f"{left}.T @ {right}"
        if source in self.runs and c == 1:
            self.biased = True
            return f"db[{self.runs[source]}]"
        if c == 1 and source in self.adjoint.atoms and source not in self.sweep.gathered:
            return self._einsum_all(source, False)
        if source in self.sweep.deltas or source in self.adjoint.atoms:
            d = self._wide(source)
            return f"{d}.sum(axis=(0, 1))" if c == 1 else f"({infix(c, self._wide, WHOLE, 2)} * {d}).sum(axis=(0, 1))"
        raise AssertionError(f"{p}: {c} {source}")

    def _all(self, st: Statement) -> None:
        """δx, and the adjoints of gates that depend on no state, over all steps."""
        target = f"{self.names(st.name)}_all"
        self.whole[st.name] = Place(target)
        self.lines.append(f"# {text(write_equation(self.reverse.writer, st.name))}")
        if len(st.terms) == 1 and st.terms[0][0] == 1 and st.terms[0][1] in self.sweep.gathered:
            first, *others = self._gathered_rows(self.sweep.gathered[st.terms[0][1]])
            self.lines += [f"{target} = {first}", *(f"{target} += {code}" for code in others)]
            self.lines.append(f"{target} = {target}.reshape({self.reverse.shape(st.name, 'T', 'B')[1:-1]})")
            return
        terms = []
        for c, source in st.terms:
            if source in self.sweep.gathered:
                g = self.sweep.gathered[source]
                code = f"({' + '.join(self._gathered_rows(g))}).reshape(T, B, {self.names.size(g.size)})"
            else:
                code = self._wide(source)
            terms.append(code if c == 1 else f"({infix(c, self._wide, WHOLE)}) * ({code})")
        self.lines.append(f"{target} = {' + '.join(terms) or f'np.zeros({self.reverse.shape(st.name, chr(84), chr(66))}, dtype)'}")

    def _gathered_rows(self, g: Gathered) -> list[str]:
        """The summands of Σ Uᵀ δa."""
        return [f"{self._delta_rows(self.sweep.delta(s))} @ {self.forward.matrix(p, forward=False)}" for s, p in g.members]

    def _delta_rows(self, d: sp.Symbol) -> str:
        """δa with a row for each step and sequence; all that stand in d are unpacked together."""
        if d in self.runs:
            code, names, size = "d", ", ".join(f"{self.names(k)}_rows" for k in self.runs), self.reverse.size
            lead = [str(len(self.runs))] if len(self.runs) > 1 else []
        else:
            code, names, size, lead = self._wide(d), f"{self.names(d)}_rows", self.adjoint.shapes[d][0], []
        self._flat(names, code, ", ".join([*lead, "T * B", self.names.size(sp.sympify(size))]))
        return f"{self.names(d)}_rows"

    def _operand_rows(self, v: sp.Expr) -> str:
        """What a weight multiplied, with a row for each step and sequence."""
        code = str(self.forward.kept.get(v) or (self._wide(v) if v.is_Symbol else f"({infix(v, self._wide, WHOLE)})"))
        return self._flat(f"{self.names.operand(v)}_rows", code, f"T * B, {self.names.size(self.program.shape(v)[0])}")

    def _flat(self, names: str, code: str, shape: str) -> str:
        if code not in self.rows:
            self.rows[code] = names
            self.lines.append(f"{names} = {code}.reshape({shape})")
        return self.rows[code]
