"""Markdown files as tests: every ``##`` section is a document, what stands above the first one belongs to all of the file.

Next to a formula, on its last line, a comment says what must come out: ``<!-- expect: proved -->``, ``<!-- expect: refuted sum-bounds -->``,
``<!-- expect: refuted transposed-factor at U_z -->`` (the underlined text), several separated by semicolons for the links of a chain or
the rows of a display, ``<!-- expect: nothing -->`` where no claim may be.  A formula without a comment may be anything.  In a program the comment stands
on the line of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symgrad.check.claim import Claim
from symgrad.check.sources import Document, Fragment, read_text

SUITES = Path(__file__).parent / "suites"
EXPECT = re.compile(r"<!--\s*expect:\s*(.*?)\s*-->")


@dataclass(frozen=True)
class Case:
    """One section."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.name


def cases(folder: Path = SUITES) -> Iterator[Case]:
    for path in sorted(folder.glob("*.md")):
        shared, *sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        shared = EXPECT.sub("", shared)
        for section in sections:
            title, _, body = section.partition("\n")
            yield Case(f"{path.stem}: {title.strip()}", f"{shared}\n{body}")


def differences(case: Case, document: Document, claims: list[Claim]) -> Iterator[str]:
    """Where the claims are not what the comments expect."""
    for m in EXPECT.finditer(case.text):
        if any(p.starts[0] <= m.start() < p.ends[-1] for p in (q.origin or q for q in document.programs)):
            line = document.position(m.start())[0]
            yield from _compared(m, document, [c for c in claims if c.line == line], document.text.split("\n")[line - 1].strip())
            continue
        fragment = _meant(document, m.start())
        if fragment is None:
            yield f"{m[0]}: no formula stands before it"
            continue
        first, last = fragment.extent()
        here = [c for c in claims if first < _offset(document, c.end_line, c.end_column) and _offset(document, c.line, c.column) < last]
        yield from _compared(m, document, here, fragment.written())


def _compared(m: re.Match[str], document: Document, here: list[Claim], where: str) -> Iterator[str]:
    here.sort(key=lambda c: c.span)
    wanted = [] if m[1] == "nothing" else [w.strip() for w in m[1].split(";")]
    got = [_shown(document, c, w) for c, w in zip(here, [*wanted, *[""] * len(here)], strict=False)]
    if got != wanted:
        detail = "".join(f"\n    {c.verdict} {c.code or ''}: {c.message} {c.expected or ''} {c.assumptions or ''}" for c in here)
        yield f"{where}\n  expected {'; '.join(wanted) or 'nothing'}\n  got      {'; '.join(got) or 'nothing'}{detail}"


def _shown(document: Document, claim: Claim, wanted: str) -> str:
    """The claim told as fully as the comment tells its own."""
    out = claim.verdict
    if claim.code and len(wanted.split()) > 1:
        out += f" {claim.code}"
    if " at " in wanted and claim.blame:
        b = claim.blame
        out += f" at {document.text[_offset(document, b.line, b.column) : _offset(document, b.end_line, b.end_column)]}"
    return out


def _meant(document: Document, offset: int) -> Fragment | None:
    before = [f for f in document.fragments if f.extent()[1] <= offset]
    return before[-1] if before else None


def _offset(document: Document, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = document.text.index("\n", start) + 1
    return start + column - 1


def read_case(case: Case) -> Document:
    return read_text(case.text, "md", name=case.name)
