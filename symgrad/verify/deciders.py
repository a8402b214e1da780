"""Proved for every size: each Jacobian against the one that reverse mode gives, by the normal form and the modular test.

Forward mode multiplies Jacobians from the input on, reverse mode transposes the program from the output back; the two meet only in the
table of slopes.  Equality is decided for all n and m, not sampled; SymPy's components then tie it to the cell's definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgrad.calculus.adjoint import vjp
from symgrad.calculus.derive import Derivation
from symgrad.calculus.jacobian import one_step_back
from symgrad.decide.equal import equal
from symgrad.face.jacobian import Jacobian
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor, added, matmul, transposed
from symgrad.verify.report import Check, skipped

AGAINST = "reverse mode, both deciders"


def checks(claims: Mapping[str, Jacobian]) -> Iterator[Check]:
    """One row for each derivative: proved, refuted, or why it could not be decided."""
    for what, claim in claims.items():
        if len(claim.program.shapes[claim.of]) != 1 or len(claim.program.shapes[claim.wrt]) != 1:
            yield skipped(what, AGAINST, "all n, m", "only derivatives of vectors by vectors are decided here")
            continue
        if claim.of not in (*claim.program.updates.values(), *claim.program.outputs):
            yield skipped(what, AGAINST, "all n, m", "reverse mode starts at new states and outputs")
            continue
        verdict = equal(claim, _reverse(claim))
        if verdict.status == "undecided":
            yield skipped(what, AGAINST, "all n, m", verdict.reason)
        else:
            proved = verdict.status == "proved"
            yield Check(what, AGAINST, "all n, m", "passed" if proved else "failed", 1, 0.0 if proved else float("inf"), 0.0, "" if proved else "refuted")


def _reverse(claim: Jacobian) -> Tensor:
    """The same derivative from the adjoint equations, with the path through the step before where the claim counts it."""
    program = claim.program
    total = _transposed_adjoint(program, claim, claim.wrt)
    for s in claim.through:
        new = program.updates
        _, earlier = one_step_back(program, Derivation(program, new[claim.wrt]).of(new[s]))
        total = added(total.dims, [total, matmul(_transposed_adjoint(program, claim, s), earlier)])
    return total


def _transposed_adjoint(program: Program, claim: Jacobian, wrt: object) -> Tensor:
    """(∂δwrt/∂δof)ᵀ: the adjoint equations are linear in the adjoint that they start from."""
    backward = vjp(program, [str(wrt)])
    targets = [*program.updates.values(), *program.outputs]
    seed = backward.seeds[targets.index(claim.of)]
    (result,) = backward.results.values()
    return transposed(Derivation(backward.program, seed).of(result))
