"""What was compared, at how many points and how well: `Check` is one comparison, `Report` all of them; both render themselves."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison.  `error` is the largest relative error over all `points`; of an exact comparison it is 0 or not."""

    what: str  # "∂h_t/∂h_{t-1}"
    against: str  # "complex step"
    at: str  # "random", "saturated", "large", "float32", "n=2, m=3"
    status: Status
    points: int = 0
    error: float = 0.0
    tolerance: float = 0.0
    reason: str = ""

    def json(self) -> dict[str, Any]:
        """The row as plain data; an error that is no number is null, as JSON has none."""
        error = self.error if self.status != "skipped" and math.isfinite(self.error) else None
        return {"what": self.what, "against": self.against, "at": self.at, "status": self.status, "points": self.points,
                "error": error, "tolerance": self.tolerance, "reason": self.reason}  # fmt: skip


def judged(what: str, against: str, at: str, errors: list[float], tolerance: float, reason: str = "") -> Check:
    """passed if there is a point and max error ≤ tolerance; what is not a number never passes."""
    worst = math.nan if any(math.isnan(e) for e in errors) else max(errors, default=math.nan)
    passed = bool(errors) and math.isfinite(worst) and worst <= tolerance
    if not passed and not reason:
        reason = "no point was compared" if not errors else "the difference is above the tolerance" if math.isfinite(worst) else "not finite"
    return Check(what, against, at, "passed" if passed else "failed", len(errors), worst, tolerance, reason)


def skipped(what: str, against: str, at: str, reason: str) -> Check:
    """A comparison that was not made, and why."""
    return Check(what, against, at, "skipped", reason=reason)


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons for one cell; it is true if none failed.  What was skipped is no failure, and no pass: `json` counts it."""

    cell: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __bool__(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(c for c in self.checks if c.status == "failed")

    def json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {"version": 1, "cell": self.cell, "ok": bool(self), "seed": self.seed, "notes": list(self.notes),
                "checks": [c.json() for c in self.checks], "summary": self._count()}  # fmt: skip

    def text(self) -> str:
        """One line a check, in columns, then what was skipped and why, then the count."""
        rows = [("compared", "against", "at", "points", "largest error", "tolerance", "")]
        rows += [(c.what, c.against, c.at, str(c.points), _error(c), _tolerance(c), c.status.upper() if c.status == "failed" else c.status)
                 for c in self.checks if c.status != "skipped"]  # fmt: skip
        widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]))]
        right = {3, 4, 5}
        lines = ["  ".join(v.rjust(w) if k in right else v.ljust(w) for k, (v, w) in enumerate(zip(r, widths, strict=True))).rstrip() for r in rows]
        lines[1:1] = ["-" * max(map(len, lines))]
        count = self._count()
        for c in self.failures:
            lines.append(f"FAILED {c.what} against {c.against}, {c.at}: {c.reason}")
        missing = Counter((c.against, c.reason) for c in self.checks if c.status == "skipped")
        lines += [f"skipped {against}: {reason}" + (f" ({k} comparisons)" if k > 1 else "") for (against, reason), k in missing.items()]
        lines += [f"note: {n}" for n in self.notes]
        lines.append(f"{self.cell}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped (seed {self.seed})")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def _count(self) -> dict[str, int]:
        found = Counter(c.status for c in self.checks)
        return {s: found[s] for s in ("passed", "failed", "skipped")}


def _error(c: Check) -> str:
    if not c.points:
        return "-"
    return "0" if c.error == 0 else f"{c.error:.1e}"


def _tolerance(c: Check) -> str:
    return "exact" if c.tolerance == 0 else f"{c.tolerance:.1e}"
