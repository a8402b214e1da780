"""What is said of one relation of a document: plain data, exactly the entries of ``symgrad check --format json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

VERDICTS = ("proved", "refuted", "undecided", "unread")
READINGS = ("matrix", "scalar", "component", "sequence", "inequality")
LAYOUTS = ("numerator", "denominator")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file: lines and columns count from 1, in characters; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    def json(self) -> dict[str, int]:
        return {"line": self.line, "column": self.column, "end_line": self.end_line, "end_column": self.end_column}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One asserted relation with its verdict.

    `latex` is the claim as written (`Fragment.written`), `code` the stable id of what is wrong, None when proved; `expected` the right
    side as it should be, in the author's notation; `blame` the wrong term.  `definition` is the line that proves it wrong, for the
    reports that show a second place; the JSON does not carry it.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    latex: str
    verdict: str
    reading: str = "matrix"
    layout: str = "numerator"
    code: str | None = None
    message: str = ""
    expected: str | None = None
    blame: Span | None = None
    counterexample: Mapping[str, Any] | None = None
    assumptions: tuple[str, ...] = ()
    definition: Span | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS or self.reading not in READINGS or self.layout not in LAYOUTS:
            raise ValueError(f"no claim is {self.verdict}, in the reading {self.reading}, in {self.layout} layout")

    @property
    def span(self) -> Span:
        """The whole relation."""
        return Span(self.line, self.column, self.end_line, self.end_column)

    def json(self) -> dict[str, Any]:
        """The entry of the contract, in its order."""
        entry: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "definition"}
        entry["blame"] = self.blame and self.blame.json()
        entry["counterexample"] = self.counterexample and dict(self.counterexample)
        entry["assumptions"] = list(self.assumptions)
        return entry


def from_json(entry: Mapping[str, Any]) -> Claim:
    """The claim that an entry tells of; an entry may carry ``definition`` too."""
    spans = {key: entry[key] and Span(**entry[key]) for key in ("blame", "definition") if key in entry}
    return Claim(**{**entry, **spans, "assumptions": tuple(entry["assumptions"])})


def summary(claims: Iterable[Claim]) -> dict[str, int]:
    """How many claims are proved, refuted, undecided, unread."""
    count = dict.fromkeys(VERDICTS, 0)
    for claim in claims:
        count[claim.verdict] += 1
    return count
