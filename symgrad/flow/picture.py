"""A flow report as a picture: singular values of the product and of each step, the terms, the saturated gates, over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.figures.style import BLUE, COLORS, GREY, RED, figure, mathtext, powers, written
from symgrad.flow.flow import SATURATED, Flow

FLOOR = 1e-18
LONGEST = 150  # characters of a term in the legend


def picture(found: Flow, to: str = "svg") -> bytes:
    """The report's picture as bytes."""
    return written(lambda: _drawn(found), to)


def _drawn(found: Flow) -> Any:
    gates = list(found.steps[0].saturated)
    terms = sorted(found.worst.terms, key=lambda k: -found.usual(k))[: len(COLORS)]
    fig = figure(6.6, 5.2 + 0.24 * len(gates) + 0.16 * len(terms))
    heights = [2.2, 1.5, 1.5, max(0.24 * len(gates), 0.1)]
    rows = fig.subplots(4 if gates else 3, 1, sharex=True, height_ratios=heights if gates else heights[:3])
    t = [s.t for s in found.steps]
    for ax, values, name in ((rows[0], [s.product for s in found.steps], "J_t \\cdots J_1"), (rows[1], [s.singular for s in found.steps], "J_t")):
        sv = np.array(values)
        sv[(sv < FLOOR) | (sv < np.finfo(float).eps * sv[:, :1])] = np.nan  # rounding alone
        ax.fill_between(t, np.nanmin(sv, axis=1, initial=np.inf), sv[:, 0], color=BLUE, alpha=0.12, linewidth=0)
        ax.semilogy(t, sv[:, 1:], color=BLUE, linewidth=0.4, alpha=0.5)
        ax.semilogy(t, sv[:, 0], color=BLUE, linewidth=1.5)
        ax.axhline(1, color="black", linewidth=0.5)
        ax.set_ylabel(rf"$\sigma({name})$")
    for term, color in zip(terms, COLORS, strict=False):
        shown = mathtext(found.labels[term], term) if len(term) < LONGEST else term[:LONGEST] + "…"
        rows[2].semilogy(t, [s.terms[term] if s.terms[term] > FLOOR else np.nan for s in found.steps], color=color, linewidth=1.1, label=shown)
    rows[2].set_ylabel(r"$\Vert\mathrm{term}\Vert_2$")
    if gates:
        _strips(rows[3], found, gates)
    worst = found.worst.t
    for ax in rows:
        ax.axvline(worst, color=RED, linewidth=0.9, linestyle=":")
    left = worst > len(t) * 0.75
    rows[0].annotate(
        f"step {worst}: × {found.lost:.2g}", (worst, 0.9), (-5 if left else 5, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
        color=RED, ha="right" if left else "left", va="center", fontsize=9,
    )  # fmt: skip
    for ax in rows[:3]:
        powers(ax.yaxis)
    rows[-1].set(xlabel="$t$", xlim=(0.5, len(t) + 0.5))
    rows[0].set_title(f"{found.cell}: singular values along the sequence, the largest in bold", fontsize=10)
    fig.legend(*rows[2].get_legend_handles_labels(), loc="outside lower center", frameon=False, fontsize=8)
    return fig


def _strips(ax: Any, found: Flow, gates: list[str]) -> None:
    """A strip for each gate: blue the share of units at the lower limit, red at the upper one."""
    for k, g in enumerate(gates):
        for s in found.steps:
            low, high = s.saturated[g]
            ax.bar(s.t, low * 0.8, 1, k - 0.4, color=BLUE, linewidth=0)
            ax.bar(s.t, high * 0.8, 1, k + 0.4 - high * 0.8, color=RED, linewidth=0)
    ax.set_yticks(range(len(gates)), [mathtext(found.labels[g], g) for g in gates])
    ax.set(ylim=(len(gates) - 0.5, -0.5))
    ax.set_title(f"units within {SATURATED:g} of a limit: blue the lower, red the upper", fontsize=8, color=GREY, loc="left", pad=2)
