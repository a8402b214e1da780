"""The outcome of a check: every claim of every file, with what the reports need to show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.check.claim import Claim, summary
from symgrad.check.report import html, text


@dataclass(frozen=True, slots=True)
class Expectation:
    """A comment ``symgrad: expect refuted``: where, what it wants, what came, and the claims that meet it."""

    file: str
    line: int
    wanted: str
    got: tuple[str, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class CheckReport:
    """What `symgrad.check` returns; in a notebook it shows itself, printed it is the report of the command line."""

    claims: tuple[Claim, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)  # the files' own, for the lines a report shows
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()  # files of which nothing could be read
    expectations: tuple[Expectation, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """How many claims are proved, refuted, undecided, unread."""
        return summary(self.claims)

    @property
    def expected(self) -> frozenset[int]:
        """The claims (by `id`) whose verdict a comment in the document expects."""
        return frozenset(id(c) for e in self.expectations for c in e.claims)

    @property
    def unmet(self) -> tuple[Expectation, ...]:
        """The expectations that were disappointed."""
        return tuple(e for e in self.expectations if not e.claims)

    def where(self, verdict: str) -> tuple[Claim, ...]:
        """The claims with this verdict."""
        return tuple(c for c in self.claims if c.verdict == verdict)

    def status(self, strict: bool = False) -> int:
        """The exit status: 2 a file was unreadable, 1 something is refuted (or with `strict` open) that no comment expects, else 0."""
        if self.unreadable:
            return 2
        bad = ("refuted", "undecided", "unread") if strict else ("refuted",)
        expected = self.expected
        return int(bool(self.unmet) or any(c.verdict in bad and id(c) not in expected for c in self.claims))

    def json(self) -> dict[str, Any]:
        """The contract's format."""
        return {"version": 1, "claims": [c.json() for c in self.claims], "summary": self.summary}

    def text(self, colour: bool = False, quiet: bool = False) -> str:
        """The report for a terminal."""
        return text.report(self.claims, self.texts, text.PALETTE if colour else text.PLAIN, expected=self.expected, quiet=quiet)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return html.table(self.claims, self.summary)

    def _repr_markdown_(self) -> str:
        return html.markdown(self.claims, self.summary)
