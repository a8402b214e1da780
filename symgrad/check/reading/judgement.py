"""What is said of one link of a statement, before it has a place in a file."""

from __future__ import annotations

from dataclasses import dataclass
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
