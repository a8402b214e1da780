r"""A derivative as formulas: its left side ∂h_t/∂h_{t-1}, its right side, and the chain rule step by step."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symgrad.calculus.derive import Derivation
from symgrad.calculus.jacobian import Derivative as Derived
from symgrad.calculus.jacobian import one_step_back
from symgrad.calculus.local import local_derivatives
from symgrad.notation.names import Names
from symgrad.notation.syntax import Derivative, Node, Relation, equation
from symgrad.notation.write import FREE, Writer, has_matrix_form, product, total


def jacobian_syntax(jacobian: Derived, form: str = "matrix", name: bool = False) -> Node:
    """The right side of ∂of/∂wrt, or the whole equation."""
    if form == "matrix" and not has_matrix_form(jacobian.tensor):
        form = "component"  # a derivative by a matrix has three indices
    writer = Writer(jacobian.program, form)
    right = writer.tensor(jacobian.tensor)
    if not name:
        return right
    left = left_side(writer, jacobian.of, jacobian.wrt)
    assert isinstance(left, Derivative)
    # with the path through the step before, it is the total derivative
    return equation(Derivative(left.of, left.wrt, "d") if jacobian.through else left, right)


def left_side(writer: Writer, of: sp.Symbol, wrt: sp.Symbol, immediate: bool = False) -> Node:
    """∂h_t/∂h_{t-1}, or ∂⁺h_t/∂h_{t-1} with all other names fixed; of entries in component form."""
    names: Names = writer.names
    r = len(writer.program.shapes[of])
    letters = FREE[: r + len(writer.program.shapes[wrt])]
    component = writer.form == "component"
    above = names(of, tuple(letters[:r]) if component else ())
    below = names(wrt, tuple(letters[r:]) if component else ())
    return Derivative(above, below, "partial+" if immediate else "partial")


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a derivation: a heading and its equations."""

    title: str
    equations: tuple[Relation, ...]


def steps(jacobian: Derived, form: str = "matrix") -> list[Step]:
    """The chain rule as a person writes it: local derivatives, the sum over paths, the substitution, the result."""
    if form == "matrix" and not has_matrix_form(jacobian.tensor):
        form = "component"
    paths = _Paths(jacobian, form)
    found = [
        Step("Local derivatives", tuple(paths.local())),
        Step("Chain rule, over all paths", tuple(paths.chain_rule())),
        Step("With the local derivatives put in", tuple(paths.substituted())),
    ]
    if jacobian.through:
        found.append(Step("The path through the previous step", tuple(paths.through())))
    given = {**jacobian.held, **jacobian.substituted}
    if given:
        place = [equation(paths.writer.symbol(s), paths.writer.expression(v)) for s, v in given.items()]
        found.append(Step("Held constant" if jacobian.held and not jacobian.substituted else "At", tuple(place)))
    result = jacobian_syntax(jacobian, form, name=True)
    assert isinstance(result, Relation)
    return [s for s in found if s.equations] + [Step("Result", (result,))]


class _Paths:
    """The named quantities between wrt and of, and the local derivatives between them."""

    def __init__(self, jacobian: Derived, form: str) -> None:
        self.jacobian, self.program = jacobian, jacobian.program
        self.writer = Writer(self.program, form)
        self.starts = (jacobian.wrt, *jacobian.through)
        self.edges = local_derivatives(self.program, {jacobian.of}, self.starts, jacobian.held)

    def local(self) -> list[Relation]:
        """∂y/∂s with every other name fixed."""
        out = []
        for y, below in self.edges.items():
            for s in sorted(below, key=self.program._rank):
                out.append(equation(self._name(y, s), self.writer.tensor(below[s])))
        return out

    def chain_rule(self) -> list[Relation]:
        """∂y/∂wrt = ∂⁺y/∂wrt + Σ_s ∂y/∂s ∂s/∂wrt for every y that is reached by more than one path."""
        out = []
        for start in self.starts:
            for y, below in self.edges.items():
                inner = [s for s in below if s not in self.starts and self._depends(s, start)]
                if inner:
                    parts = [self._name(y, start)] if start in below else []
                    parts += [product([self._name(y, s), left_side(self.writer, s, start)]) for s in sorted(inner, key=self.program._rank)]
                    out.append(equation(left_side(self.writer, y, start), total(parts)))
        return out

    def substituted(self) -> list[Relation]:
        """The same sums with every derivative replaced by its value, nothing multiplied out."""
        out = []
        for start in self.starts:
            derived = Derivation(self.program, start, frozenset(self.jacobian.held))
            for y, below in self.edges.items():
                inner = [s for s in below if s not in self.starts and self._depends(s, start)]
                if inner:
                    parts = [self.writer.tensor(below[start])] if start in below else []
                    parts += [product([self.writer.tensor(below[s]), self.writer.tensor(derived.of(s))]) for s in sorted(inner, key=self.program._rank)]
                    out.append(equation(left_side(self.writer, y, start), total(parts)))
        return out

    def through(self) -> list[Relation]:
        """∂of/∂wrt + Σ_s ∂of/∂s ∂s/∂wrt with the states s of the step before."""
        of, wrt = self.jacobian.of, self.jacobian.wrt
        now = self.program.updates
        earlier = []
        for s in self.jacobian.through:
            program, value = one_step_back(self.program, Derivation(self.program, now[wrt], frozenset(self.jacobian.held)).of(now[s]))
            earlier.append(equation(left_side(self.writer, s, wrt), Writer(program, self.writer.form).tensor(value)))
        parts: list[Node] = [left_side(self.writer, of, wrt)]
        parts += [product([left_side(self.writer, of, s), left_side(self.writer, s, wrt)]) for s in self.jacobian.through]
        d = Derivative(self.writer.names(of), self.writer.names(wrt), "d")
        return [*earlier, equation(d, total(parts))]

    def _depends(self, y: sp.Symbol, start: sp.Symbol) -> bool:
        below = self.edges.get(y, {})
        return start in below or any(self._depends(s, start) for s in below if s not in self.starts)

    def _name(self, y: sp.Symbol, s: sp.Symbol) -> Node:
        others = any(t not in self.starts and self._depends(t, s) for t in self.edges[y])
        return left_side(self.writer, y, s, immediate=s in self.starts and others)
