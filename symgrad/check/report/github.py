"""Annotations for GitHub's workflows: ``::error file=…,line=…::message``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from symgrad.check.claim import Claim, summary


def workflow(claims: Iterable[Claim], strict: bool = False, expected: Collection[int] = ()) -> Iterator[str]:
    """An error for each refuted claim, a warning for each that is open (an error if `strict`), and a notice with the count."""
    claims = list(claims)
    for c in claims:
        if c.verdict == "proved":
            continue
        level = "notice" if id(c) in expected else "error" if c.verdict == "refuted" or strict else "warning"
        where = c.blame or c.span
        place = {"file": c.file, "line": where.line, "endLine": where.end_line, "col": where.column, "endColumn": where.end_column}
        if where.line != where.end_line:  # GitHub shows columns on a single line only
            del place["col"], place["endColumn"]
        properties = ",".join(f"{k}={_property(str(v))}" for k, v in {**place, "title": f"{c.verdict}{f' [{c.code}]' if c.code else ''}"}.items())
        message = c.message + (f"\nwrite: {c.expected}" if c.expected and c.verdict == "refuted" else "")
        yield f"::{level} {properties}::{_data(message)}"
    yield "::notice title=symgrad check::" + _data(", ".join(f"{n} {v}" for v, n in summary(claims).items()))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
