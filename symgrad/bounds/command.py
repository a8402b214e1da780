"""``symgrad bound CELL``: how large a Jacobian can get, by the norms of the weights; its proof, and how near random points come."""

from __future__ import annotations

import argparse
import json

import numpy as np

from symgrad.bounds.norms import NormBound, norm_bound
from symgrad.bounds.sampled import ratios
from symgrad.cells.load import load
from symgrad.face.jacobian import Jacobian, StateJacobian, jacobian
from symgrad.notation.latex import latex
from symgrad.notation.text import text

RULES = "‖A + B‖ ≤ ‖A‖ + ‖B‖, ‖A B‖ ≤ ‖A‖ ‖B‖, ‖diag(v)‖ = max |v_i|"
TOGETHER = "The norm of the whole is at most the largest singular value of the matrix of these bounds, in the places of their blocks."
POINTS, SIZES = 1000, (1, 4)


def bounds(args: argparse.Namespace) -> list[tuple[Jacobian, NormBound]]:
    """Each block of the Jacobian that is asked for, with its bound."""
    cell = load(args.cell)
    found = jacobian(cell, args.of or cell.states[0], args.wrt or cell.states[0], args.through)
    return [(J, norm_bound(J)) for J in (found if isinstance(found, StateJacobian) else [found])]


def sampled(J: Jacobian, found: NormBound) -> float | None:
    """The largest ‖J‖ / bound over random points; None where J speaks of the step before, or a norm is zero everywhere."""
    return None if J.through or not J.tensor.terms else float(np.max([ratios(J, found, n, POINTS).max() for n in SIZES]))


def bound_block(args: argparse.Namespace) -> str:
    """What ``symgrad bound`` prints."""
    found = bounds(args)
    if args.to == "latex":
        rows = [rf"\left\lVert {latex(b.left())} \right\rVert &\le {b.latex()}" for _, b in found]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
    if args.to == "json":
        told = [
            {"of": J.of.name, "wrt": J.wrt.name, "bound": b.text(), "latex": b.latex(), "proof": b.proof(), "sampled": sampled(J, b)}
            for J, b in found
        ]  # fmt: skip
        return json.dumps({"version": 1, "cell": args.cell, "bounds": told}, indent=2, ensure_ascii=False)
    return "\n\n".join([*(_told(J, b) for J, b in found), *([TOGETHER] if len(found) > 1 else [])])


def _told(J: Jacobian, b: NormBound) -> str:
    near = sampled(J, b)
    lines = [str(b), "", f"Proof. {RULES}" + (", and" if b.proof() else "."), *(f"  {line}" for line in b.proof())]
    if near is not None:
        lines += ["", f"Sampled: ‖{text(b.left())}‖₂ comes to {near:.1%} of it at {len(SIZES) * POINTS} random weights, states and inputs."]
    return "\n".join(lines)
