"""Proved for every size: each Jacobian against the one that reverse mode gives, by the normal form and the modular test.

Forward mode multiplies Jacobians from the input on, reverse mode transposes the program from the output back; the two meet only in the
table of slopes.  Equality is decided for all n and m, not sampled; SymPy's components then tie it to the cell's definition.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy as sp

from symgrad.calculus.adjoint import vjp
from symgrad.calculus.derive import Derivation
from symgrad.calculus.jacobian import one_step_back
from symgrad.decide.equal import equal
from symgrad.face.jacobian import Jacobian
from symgrad.language.program import Program
from symgrad.language.tensor import Factor, Tensor, Term, added, matmul, tensor
from symgrad.verify.report import Check, judged, skipped

BOTH = "both deciders"


def checks(claims: Mapping[str, Jacobian]) -> Iterator[Check]:
    """One row for each derivative: proved, refuted, or why it could not be decided."""
    for what, claim in claims.items():
        verdict = equal(claim, _reverse(claim))
        if verdict.undecided:
            yield skipped(what, f"reverse mode, {BOTH}", "all n, m", verdict.reason)
            continue
        agreed = len(set(verdict.checks.values())) == 1
        against = f"reverse mode, {BOTH if agreed else verdict.method}"
        yield judged(what, against, "all n, m", [0.0 if verdict.proved else math.inf], 0.0, "" if verdict.proved else "refuted")


def _reverse(claim: Jacobian) -> Tensor:
    """The same derivative from the adjoint equations, with the path through the step before where the claim counts it."""
    program = claim.program
    total = _adjoint(program, claim.of, claim.wrt)
    for s in claim.through:
        new = program.updates
        _, earlier = one_step_back(program, Derivation(program, new[claim.wrt]).of(new[s]))
        total = added(total.dims, [total, matmul(_adjoint(program, claim.of, s), earlier)])
    return total


def _adjoint(program: Program, of: sp.Symbol, wrt: sp.Symbol) -> Tensor:
    """(∂δwrt/∂δof)ᵀ: the adjoint equations are linear in the adjoint that they start from, here that of any name."""
    targets = (*program.updates.values(), *program.outputs)
    if of not in targets:
        program, targets = replace(program, outputs=(*program.outputs, of)), (*targets, of)
    backward = vjp(program, [wrt.name])
    (result,) = backward.results.values()
    back = Derivation(backward.program, backward.seeds[targets.index(of)]).of(result)
    p, q = len(program.shapes[of]), len(program.shapes[wrt])
    at = (*range(p, p + q), *range(p))
    return tensor(back.dims[q:] + back.dims[:q], [Term(sp.S.One, (Factor(back, at),))])
