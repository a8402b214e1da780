"""What is said of one link of a statement, before it has a place in a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass
class Judgement:
    """A verdict with its reasons; `blame` is a stretch of the fragment, `definition` the fragment and stretch that prove it wrong."""

    verdict: str
    code: str | None = None
    message: str = ""
    reading: str = "matrix"
    layout: str = "numerator"
    expected: str | None = None
    blame: tuple[int, int] | None = None
    counterexample: dict[str, Any] | None = None
    assumptions: tuple[str, ...] = ()
    definition: tuple[Any, int, int] | None = None

    def assuming(self, *notes: str) -> Judgement:
        """The same, with more that is taken for granted."""
        return replace(self, assumptions=(*self.assumptions, *notes))


def ambiguous(message: str, assumptions: tuple[str, ...] = ()) -> Judgement:
    """Open: it holds in a reading that need not be meant, or fails in one."""
    return Judgement("undecided", "ambiguous", message, assumptions=assumptions)
