r"""Local derivatives: ∂y/∂s of every named quantity y by what it is computed from, all other names held.

They are the edges of the cell's computation graph; the total derivative is the sum over all paths of the products along them.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from symgrad.calculus.derive import Derivation
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor

Edges = dict[sp.Symbol, dict[sp.Symbol, Tensor]]


def local_derivatives(program: Program, targets: set[sp.Symbol], starts: Iterable[sp.Symbol], held: Iterable[sp.Symbol] = ()) -> Edges:
    """∂y/∂s for every y on the way from the starts to the targets, zeros left out; `held` names are constants and have no edge."""
    named = [s for s in program.needed(targets) if s in program.equations and s not in program.implicit]
    constants, live, edges = set(held), dict.fromkeys(starts), Edges()
    for y in named:
        if y in constants:
            continue
        local = {s: Derivation(program, s, frozenset(n for n in named if n not in (s, y))).of(y) for s in live}
        edges[y] = {s: t for s, t in local.items() if t.terms}
        if edges[y]:
            live[y] = None
    return edges
