r"""Functions as variables: σ(a) is *any* number of (0, 1) where a is any real number.

If a variable stands in the arguments of σ, tanh and exp only, and these are multiples of one argument a, then a takes every real value,
independently of everything else.  A single σ(a) becomes a variable s ∈ (0, 1), a single tanh(a) one in (-1, 1); several of them become
rational functions of w = e^{ga} > 0.  What is left is algebra.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy as sp

from symgrad.bounds.domain import Domain
from symgrad.bounds.ranges import NAMES, constants

SPAN = {"sigmoid": (sp.S.Zero, sp.S.One), "tanh": (sp.S.NegativeOne, sp.S.One), "exp": (sp.S.Zero, sp.oo)}
BACK: dict[str, Callable[[sp.Expr], sp.Expr]] = {"sigmoid": lambda s: sp.log(s / (1 - s)), "tanh": sp.atanh, "exp": sp.log}
POWERS: dict[str, Callable[[sp.Expr], sp.Expr]] = {"sigmoid": lambda w: w / (1 + w), "tanh": lambda w: (w**2 - 1) / (w**2 + 1), "exp": lambda w: w}


@dataclass(frozen=True, slots=True)
class Gate:
    """A new variable that stands for f(a); a depends on `variable`, which occurs nowhere else."""

    symbol: sp.Symbol
    function: str
    argument: sp.Expr
    variable: sp.Symbol

    def __str__(self) -> str:
        name = {"sigmoid": "σ", "exp": "exp", "tanh": "tanh"}[self.function]
        return f"{self.symbol} = {name}({self.argument})"

    def back(self, at: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
        """The old variable's value where the new one and all others have theirs."""
        y = at[self.symbol]
        low, high = SPAN[self.function]
        a = -sp.oo if y == low else sp.oo if y == high else BACK[self.function](y)
        slope = sp.diff(self.argument, self.variable)
        rest = self.argument.xreplace({self.variable: sp.S.Zero}).xreplace(dict(at))
        return {self.variable: a * sp.sign(slope) if a in (sp.oo, -sp.oo) else sp.simplify((a - rest) / slope)}


def unused(letter: str, symbols: Iterable[sp.Symbol]) -> sp.Symbol:
    """A real symbol whose name is none of these."""
    taken = {s.name for s in symbols}
    return sp.Symbol(next(name for k in itertools.count() if (name := f"{letter}_{k}" if k else letter) not in taken), real=True)


def applications(e: sp.Expr) -> set[sp.Expr]:
    """Every σ, tanh and exp of something that varies."""
    return {x for x in e.atoms(sp.Function, sp.exp) if NAMES.get(x.func) in SPAN and x.free_symbols}


def opened(e: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> tuple[sp.Expr, dict[sp.Symbol, Domain], list[Gate]]:
    """The expression with new variables for functions, where these are independent of everything else; domains; what they stand for."""
    gates: list[Gate] = []
    found = dict(where)
    for family in _families(e):
        a, multiples = family
        v = _private(e, a, list(multiples), found)
        if v is None:
            continue
        if len(multiples) == 1:
            ((call, q),) = multiples.items()
            name = NAMES[call.func]
            y = unused({"sigmoid": "s", "tanh": "y", "exp": "w"}[name], {*where, *found})
            gate, e = Gate(y, name, q * a, v), e.xreplace({call: y})
        else:
            g = reduce(sp.gcd, multiples.values())
            y = unused("w", {*where, *found})
            e = e.xreplace({call: POWERS[NAMES[call.func]](y ** (q / g)) for call, q in multiples.items()})
            gate = Gate(y, "exp", g * a, v)
        found[y] = _span(gate, found[v])
        gates.append(gate)
    return e, {s: d for s, d in found.items() if s in e.free_symbols}, gates


def _families(e: sp.Expr) -> list[tuple[sp.Expr, dict[sp.Expr, sp.Rational]]]:
    """The applications, those with proportional arguments together: (a, {f(qa): q})."""
    out: list[tuple[sp.Expr, dict[sp.Expr, Any]]] = []
    for call in sorted(applications(e), key=sp.default_sort_key):
        a = sp.expand(call.args[0])
        for base, members in out:
            q = sp.cancel(a / base)
            if q.is_Rational:
                members[call] = q
                break
        else:
            out.append((a, {call: sp.S.One}))
    return out


def _private(e: sp.Expr, a: sp.Expr, calls: list[sp.Expr], where: Mapping[sp.Symbol, Domain]) -> sp.Symbol | None:
    """A variable of a, affine there, that occurs nowhere else, and whose values give a the range that `_span` says."""
    rest = e.xreplace({c: sp.Dummy() for c in calls})
    for v in sorted(a.free_symbols, key=str):
        slope = sp.diff(a, v)
        if slope.is_Rational and slope != 0 and not rest.has(v) and v in where and (where[v].whole or a == slope * v):
            return v
    return None


def _span(gate: Gate, d: Domain) -> Domain:
    """The values of f(a)."""
    low, high = SPAN[gate.function]
    if d.whole:
        return Domain(low, high, (True, True))
    slope = sp.diff(gate.argument, gate.variable)
    function = next(f for f, name in NAMES.items() if name == gate.function)

    def end(x: sp.Expr) -> sp.Expr:
        if x in (sp.oo, -sp.oo):
            return high if x == sp.oo else low
        if x == 0:
            return {"sigmoid": sp.Rational(1, 2), "tanh": sp.S.Zero, "exp": sp.S.One}[gate.function]
        return constants(function(x))

    ends = [(end(slope * d.low), d.open[0]), (end(slope * d.high), d.open[1])]
    if slope < 0:
        ends.reverse()
    return Domain(ends[0][0], ends[1][0], (ends[0][1], ends[1][1]))
