"""What is said of a claim: `Verdict`, a frozen record; how it is shown is its `__str__` and the business of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import log2
from typing import TYPE_CHECKING, Literal

from symgrad.decide.real import Counterexample

if TYPE_CHECKING:
    from symgrad.language.program import Program
    from symgrad.language.tensor import Tensor
    from symgrad.notation.syntax import Node

Status = Literal["proved", "refuted", "undecided"]


@dataclass(frozen=True)
class Expression:
    """A term or a sum of terms, printable in the notation of its program."""

    program: Program
    tensor: Tensor

    def syntax(self, form: str = "matrix") -> Node:
        """As syntax nodes."""
        from symgrad.notation.write import Writer, has_matrix_form

        if form == "matrix" and not has_matrix_form(self.tensor):
            form = "component"
        return Writer(self.program, form).tensor(self.tensor)

    def latex(self, form: str = "matrix") -> str:
        """As LaTeX."""
        from symgrad.notation.latex import latex

        return latex(self.syntax(form))

    def text(self, form: str = "matrix") -> str:
        """As one line of Unicode."""
        from symgrad.notation.text import text

        return text(self.syntax(form))

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Change:
    """Terms that stand in the claim, and what should stand there."""

    claimed: Expression
    expected: Expression
    kind: Literal["altered", "order", "transposed", "sign"] = "altered"

    def __str__(self) -> str:
        return f"{self.claimed} should be {self.expected}"


@dataclass(frozen=True)
class Reading:
    """Another way to read the claim in which it is true: a stable name and a sentence."""

    kind: str
    note: str
    expected: Expression | None = None

    def __str__(self) -> str:
        return self.note


@dataclass(frozen=True)
class Verdict:
    """Whether two derivatives are equal.

    `method` is what decided it; `error` bounds the probability of a wrong `proved` (0 where it is a proof); `reason` says what stopped an
    `undecided`; `readings` are other ways to read a refuted claim in which it is true.  ``bool(verdict)`` is True only if proved.
    """

    status: Status
    method: str
    reading: str = "matrix"
    error: Fraction = Fraction(0)
    reason: str = ""
    counterexample: Counterexample | None = None
    missing: tuple[Expression, ...] = ()
    extra: tuple[Expression, ...] = ()
    altered: tuple[Change, ...] = ()
    readings: tuple[Reading, ...] = ()
    checks: dict[str, str] = field(default_factory=dict, compare=False)  # what each decider found

    @property
    def proved(self) -> bool:
        return self.status == "proved"

    @property
    def refuted(self) -> bool:
        return self.status == "refuted"

    @property
    def undecided(self) -> bool:
        return self.status == "undecided"

    @property
    def reading_note(self) -> str:
        """The other readings in one text, empty if there is none."""
        return "; ".join(map(str, self.readings))

    def __bool__(self) -> bool:
        return self.status == "proved"

    def __str__(self) -> str:
        error = f", error < 2^{_exponent(self.error)}" if self.error else ""
        how = "" if self.reading == "matrix" else f" as {self.reading}"
        lines = [f"{self.status}{how} ({self.method}{error})" + (f": {self.reason}" if self.reason else "")]
        lines += [f"  missing: {e}" for e in self.missing]
        lines += [f"  extra: {e}" for e in self.extra]
        lines += [f"  altered: {e}" for e in self.altered]
        if self.counterexample:
            lines.append(f"  counterexample {self.counterexample}")
        lines += [f"  note: {r}" for r in self.readings]
        return "\n".join(lines)


def _exponent(error: Fraction) -> int:
    """The smallest k with error < 2^k."""
    return int(log2(error.numerator) - log2(error.denominator)) + (error >= 1)
