"""SARIF 2.1.0, the exchange format of static analysers: one result for each claim, the proved ones as ``pass``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from symgrad import __version__
from symgrad.check.claim import Claim, Span
from symgrad.check.explain import pages

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KIND = {"proved": ("pass", "none"), "refuted": ("fail", "error"), "undecided": ("open", "none"), "unread": ("review", "none")}


def sarif(claims: Iterable[Claim], expected: Collection[int] = ()) -> dict[str, Any]:
    """The log of one run."""
    claims = list(claims)
    known = pages()
    codes = sorted({c.code for c in claims if c.code} | {"proved"})
    rules = []
    for code in codes:
        page = known.get(code)
        help = {"help": {"text": page.text, "markdown": page.text}} if page else {}
        rules.append({"id": code, "shortDescription": {"text": page.title if page else code}, **help})
    driver = {"name": "symgrad", "version": __version__, "semanticVersion": __version__, "rules": rules}
    results = [_result(c, codes, id(c) in expected) for c in claims]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}]}


def _result(claim: Claim, codes: list[str], expected: bool) -> dict[str, Any]:
    kind, level = KIND[claim.verdict]
    code = claim.code or "proved"
    text = claim.message or f"{claim.verdict}: {claim.latex}"
    if claim.expected and claim.verdict == "refuted":
        text += f"\nwrite: {claim.expected}"
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": codes.index(code),
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "locations": [_location(claim.file, claim.blame or claim.span)],
        "properties": {key: value for key, value in claim.json().items() if key in ("verdict", "reading", "layout", "latex", "assumptions")},
    }
    if claim.definition:
        result["relatedLocations"] = [{**_location(claim.file, claim.definition), "message": {"text": "the definition"}}]
    if expected:
        result["suppressions"] = [{"kind": "inSource", "justification": "a comment in the document expects it"}]
    return result


def _location(file: str, span: Span) -> dict[str, Any]:
    region = {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": region}}


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
