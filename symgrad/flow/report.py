"""What a flow report says, as a table and as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from symgrad.flow.flow import SATURATED, Flow, Step

ROWS = 60  # of the table, about

def table(found: Flow, singular: bool = False) -> str:
    """The report as text; with `singular`, every singular value below it."""
    gates = list(found.steps[0].saturated)
    names = ", ".join(found.states)
    names = f"({names})" if len(found.states) > 1 else names
    wide = [max(len(g) + 2, 10) for g in gates]
    lines = [
        f"{found.cell}: J_t = ∂{names}_t/∂{names}_{{t-1}}, P_t = J_t…J_1; σ are singular values, ‖·‖ the largest",
        f"of a gate: the entries within {SATURATED:g} of its lower and upper limit",
        "",
        f"{'t':>5} {'‖J_t‖':>9} {'σ_med':>9} {'σ_min':>9} {'‖P_t‖':>9}  " + "  ".join(f"{g:>{w}}" for g, w in zip(gates, wide, strict=True)),
    ]
    for s in _shown(found):
        shares = "  ".join(f"{_share(*s.saturated[g]):>{w}}" for g, w in zip(gates, wide, strict=True))
        lines.append(f"{s.t:>5} {s.singular[0]:>9.3g} {np.median(s.singular):>9.3g} {s.singular[-1]:>9.3g} {s.product[0]:>9.3g}  {shares}".rstrip())
    return "\n".join([*lines, "", *_said(found), *(_singular(found) if singular else [])])


def _shown(found: Flow) -> list[Step]:
    """All steps of a short sequence; of a long one every few, and those around the one that loses most."""
    every = -(-len(found.steps) // ROWS)
    return [s for s in found.steps if s.t % every == 0 or s.t == 1 or abs(s.t - found.worst.t) <= 2]


def _share(low: float, high: float) -> str:
    return f"{low:.0%} {high:.0%}" if low or high else "·"


def _said(found: Flow) -> list[str]:
    """Which step loses most, and by which term."""
    worst, end = found.worst, found.norms[-1]
    state = "vanishes" if end < 1e-3 else "explodes" if end > 1e3 else "is kept"
    lines = [f"Over {len(found.steps)} steps the gradient {state}: ‖P_{len(found.steps)}‖ = {end:.3g}."]
    if found.lost < 1:
        ends = [(g, end, share) for g, pair in worst.saturated.items() for end, share in zip(("lower", "upper"), pair, strict=True)]
        shut = [f"{g} at its {end} limit in {share:.0%}" for g, end, share in ends if share >= 0.5]
        lines.append(f"Step {worst.t} loses most: it multiplies ‖P‖ by {found.lost:.3g}" + (f"; {', '.join(shut)} of the units." if shut else "."))
        if worst.terms[found.missing] < found.usual(found.missing):
            lines.append(f"What is missing there is {found.missing}: {worst.terms[found.missing]:.3g}, usually {found.usual(found.missing):.3g}.")
    else:
        lines.append(f"No step loses: at the least, step {worst.t} multiplies ‖P‖ by {found.lost:.3g}.")
    lines += ["", f"The terms at step {worst.t}, and their median over all steps:"]
    return lines + [f"  {v:9.3g} {found.usual(k):9.3g}  {k}" for k, v in sorted(worst.terms.items(), key=lambda kv: -kv[1])]


def _singular(found: Flow) -> list[str]:
    def row(name: str, s: Step, values: tuple[float, ...]) -> str:
        return f"{s.t:>5} {name}  " + " ".join(f"{v:8.3g}" for v in values)

    return ["", "All singular values:", *(line for s in found.steps for line in (row("J_t", s, s.singular), row("P_t", s, s.product)))]


def as_json(found: Flow) -> str:
    """The report for a program."""
    worst = found.worst
    steps: list[dict[str, Any]] = [
        {
            "t": s.t, "norm": s.singular[0], "product_norm": s.product[0], "singular_values": s.singular, "product_singular_values": s.product,
            "terms": dict(s.terms), "saturated": {g: {"low": low, "high": high} for g, (low, high) in s.saturated.items()},
        }
        for s in found.steps
    ]  # fmt: skip
    said = {"t": worst.t, "factor": found.lost, "missing": found.missing, "terms": dict(worst.terms), "usual": {k: found.usual(k) for k in worst.terms}}
    return json.dumps({"version": 1, "cell": found.cell, "states": found.states, "steps": steps, "worst": said}, indent=1, ensure_ascii=False)
