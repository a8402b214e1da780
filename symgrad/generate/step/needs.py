"""What has to be computed for some tensors when certain names are given: the equations that are needed, each once, and no others.

Expressions are put into the shape in which they are computed: ``1 - z`` of a gate that is computed here becomes its complement, exact
near saturation, slopes of free activations become definitions, and common subexpressions get a symbol (SymPy's `cse`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sympy as sp

from symgrad.generate.step.nodes import (
    Complement,
    Concat,
    Definition,
    FreeSlope,
    Gemv,
    General,
    Leaf,
    Nested,
    Product,
    Slice,
    Sum,
    TanhSlope,
    Total,
    Whole,
)
from symgrad.generate.step.plan import Lowering
from symgrad.language.functions import FUNCTIONS
from symgrad.language.program import Call, Program, free_jacobian
from symgrad.language.tensor import IDENTITY, ONE, Tensor

SIGMOID, TANH = FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]


class Needs:
    """The names, definitions and reduced expressions behind some outputs, where the names in `given` are arguments.

    `fixed` are gates at or held at a value: wherever they occur, in an equation too, they are this value.
    """

    def __init__(
        self,
        program: Program,
        outputs: Mapping[str, Tensor],
        fixed: Mapping[sp.Symbol, sp.Expr],
        given: Collection[sp.Symbol],
        functions: Collection[str],
    ) -> None:
        self.program, self.outputs, self.fixed, self.given = program, outputs, dict(fixed), given
        self.lowering = Lowering(program, outputs.values())
        for s, value in fixed.items():
            for name in value.free_symbols:
                self.lowering.shapes.setdefault(name, program.shapes[s])
        self.definitions: dict[sp.Symbol, Definition] = {}
        self.arguments: list[sp.Symbol] = []
        self.missing: list[sp.Symbol] = []
        self.free: dict[str, set[int]] = {}  # free functions that are evaluated: 0 for the value, k + 1 for the slope by argument k
        self.common: set[sp.Symbol] = set()  # symbols of common subexpressions
        self.products: dict[Product, int] = {}
        self._provided = set(functions)
        self._reduced: dict[sp.Expr, sp.Expr] = {}
        self._depth: dict[object, int] = {}  # through how many sigmoids and slopes of tanh, one in the other, something depends on the arguments
        self._layers: dict[tuple[object, int], list[sp.Expr]] = {}
        self._calls = {free_jacobian(c, k): (c, k) for c in program.atoms.values() if isinstance(c, Call) for k in range(len(c.args))}
        for t in outputs.values():
            self._tensor(t)
        self._share()
        self.beside: dict[tuple[object, sp.Expr], list[sp.Expr]] = {}  # the arguments, as computed, that are as deep as an argument
        for (function, _), arguments in self._layers.items():
            layer = list(dict.fromkeys(map(self.reduced, arguments)))
            self.beside |= {(function, a): layer for a in layer}

    def reduced(self, expr: sp.Expr) -> sp.Expr:
        """The expression as it is computed."""
        return self._reduced.get(expr, expr)

    # -- what is reached -------------------------------------------------------------------------------------------------

    # Each returns the depth of what it is given.

    def _tensor(self, value: Tensor) -> int:
        if value not in self._depth:
            if value.rank <= 1:
                self._depth[value] = self._expr(self.lowering.vector(value))
            else:
                self._depth[value] = self._sum(self.lowering.matrix(value)) if value.rank == 2 else self._factors(value)
        return self._depth[value]

    def _factors(self, value: Tensor) -> int:
        depth = 0
        for term in value.terms:
            for f in term.factors:
                if isinstance(f.value, Tensor):
                    depth = max(depth, self._tensor(f.value))
                elif f.value not in (IDENTITY, ONE) and f.value not in self.program.constants:
                    depth = max(depth, self._expr(f.value))
        return depth

    def _sum(self, value: Sum) -> int:
        return max((depth for i in value for depth in (self._expr(i.left), self._core(i.core), self._expr(i.right))), default=0)

    def _core(self, core: object) -> int:
        if isinstance(core, Leaf):
            return self._expr(core.value)
        if isinstance(core, Product):
            self.products[core] = self.products.get(core, 0) + 1
            if self.products[core] == 1:
                self._depth[core] = max(self._sum(core.left), self._sum(core.right))
            return self._depth[core]
        if isinstance(core, Nested):
            return self._tensor(core.value)
        return self._factors(Tensor((), (core.term,))) if isinstance(core, General) else 0

    def _expr(self, expr: sp.Expr) -> int:
        if expr not in self._reduced:
            self._reduced[expr] = found = self._computable(expr.xreplace(self.fixed) if self.fixed else expr)
            inner = [self._symbol(s) for s in sorted(found.free_symbols, key=lambda s: (self.program.order.get(s, -1), s.name))]
            inner += [self._layer(SIGMOID, e.args[0]) for e in sp.preorder_traversal(found) if e.func == SIGMOID]
            self._depth[expr] = max(inner, default=0)
        return self._depth[expr]

    def _layer(self, function: object, argument: sp.Expr) -> int:
        """Where a function is applied: as deep as others, it does not depend on them, so that they can be computed together."""
        depth = self._expr(argument)
        self._layers.setdefault((function, depth), []).append(argument)
        return depth + 1

    def _symbol(self, s: sp.Symbol) -> int:
        if s not in self._depth:
            self._depth[s] = 0
            definition = self._definition(s)
            if definition is None:
                (self.arguments if s in self.given else self.missing).append(s)
            else:
                self.definitions[s] = definition
                self._depth[s] = self._defined(s, definition)
        return self._depth[s]

    def _defined(self, s: sp.Symbol, definition: Definition) -> int:
        if isinstance(definition, Gemv):
            return max(self._core(definition.matrix), self._expr(definition.vector))
        if isinstance(definition, Total | Slice):
            return self._expr(definition.vector)
        if isinstance(definition, Concat):
            return max(self._expr(part) for _, part in definition.parts)
        if isinstance(definition, Whole):
            return self._tensor(definition.value) if definition.value.rank == 2 else self._factors(definition.value)
        if isinstance(definition, Complement | TanhSlope):
            return self._layer(SIGMOID if isinstance(definition, Complement) else TanhSlope, definition.argument)
        if isinstance(definition, FreeSlope):
            self.free.setdefault(definition.function, set()).add(1)
            return self._expr(definition.argument)
        if isinstance(definition, Call):
            self.free.setdefault(definition.function, set()).add(self._calls[s][1] + 1 if s in self._calls else 0)
            return max((self._expr(a) for a in definition.args), default=0)
        return self._expr(definition)

    def _definition(self, s: sp.Symbol) -> Definition | None:
        if s in self.given:
            return None
        if s in self.program.equations:
            return self.program.equations[s]
        if s in self.lowering.definitions:
            return self.lowering.definitions[s]
        atom = self.program.atoms.get(s)
        if isinstance(atom, Tensor):
            value = atom.subs(self.fixed) if self.fixed else atom
            return self.lowering.vector(value) if value.rank <= 1 else Whole(value)
        if isinstance(atom, Call):
            return atom if atom.function in self._provided else None
        if s in self._calls and self._calls[s][0].function in self._provided:
            return self._calls[s][0]
        return None

    def slope_index(self, s: sp.Symbol) -> int:
        """0 if the symbol is a free function's value, k + 1 if it is its Jacobian by argument k."""
        return self._calls[s][1] + 1 if s in self._calls else 0

    # -- how it is computed ----------------------------------------------------------------------------------------------

    def _computable(self, expr: sp.Expr) -> sp.Expr:
        expr = expr.replace(lambda e: isinstance(e, sp.Derivative | sp.Subs), self._free_slope)
        for f in expr.atoms(sp.core.function.AppliedUndef):
            self.free.setdefault(f.func.__name__, set()).add(0)
        return expr.replace(lambda e: e.is_Add and len(e.args) == 2, self._complement)

    def _free_slope(self, e: sp.Expr) -> sp.Expr:
        """g'(a) as a symbol with a definition."""
        inner, argument = (e.expr, e.point[0]) if isinstance(e, sp.Subs) else (e, e.args[0].args[0])
        return self.lowering.new(FreeSlope(inner.expr.func.__name__, argument), self.lowering.shape(argument))

    def _complement(self, e: sp.Expr) -> sp.Expr:
        """c - c y as c times the complement of y, if y is the sigmoid, or the square of the tanh, of something that is computed here."""
        number, (c, y) = e.args[0], e.args[1].as_coeff_Mul()
        if not number.is_Rational or c != -number:
            return e
        squared = y.is_Pow and y.exp == 2
        found = y.base if squared else y
        if isinstance(found, sp.Symbol) and found not in self.given and found in self.program.equations:
            found = self.program.equations[found]
        made: Any = {(TANH, True): TanhSlope, (SIGMOID, False): Complement}.get((found.func, squared))
        if made is None:
            return e
        argument = found.args[0]
        return number * self.lowering.new(made(argument), self.lowering.shape(argument))

    def _share(self) -> None:
        """Common subexpressions, over everything that is computed."""
        keys = [e for e, r in self._reduced.items() if r.args]
        symbols = (sp.Symbol(f"@c{k}") for k in range(10**6))
        common, reduced = sp.cse([self._reduced[e] for e in keys], symbols=symbols, order="none")
        self._reduced.update(zip(keys, reduced, strict=True))
        for s, value in common:
            self.lowering.shapes[s] = self.lowering.shape(value)
            self.definitions[s] = value
            self.common.add(s)


def argument_name(program: Program, s: sp.Symbol) -> str:
    """How a user passes this symbol: its name; ``f`` and ``f_prime`` for the value and the Jacobian of a free function f(y, …)."""
    atom = program.atoms.get(s)
    return atom.function if isinstance(atom, Call) else s.name.replace("'", "_prime")
