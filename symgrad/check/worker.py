"""One document judged, in a process that can be killed: requests on standard input, claims on standard output, a line of JSON each.

The stand-ins are said first: what the verdict of each formula is should this process die.  Then every claim as it is found, then
``done``.  `judged` is the same in the calling process, for systems that have no other.
"""

from __future__ import annotations

import json
import os
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, TextIO

from symgrad.check import limits
from symgrad.check.claim import Claim, Span
from symgrad.check.sources import Document, Fragment, Problem, read_text
from symgrad.check.sources.plain import RELATION
from symgrad.errors import SymgradError

NOTES = ("input-not-read",)
Message = tuple[str, Any]


def judged(request: Mapping[str, Any], cell: Any = None) -> Iterator[Message]:
    """``begun`` with the stand-ins, ``claim`` for each claim, ``note``, ``expected``, ``done`` with the reason if it ended early."""
    try:
        document = read_text(request["text"], request["kind"], name=request["name"], preamble=request.get("preamble"), inputs=request.get("inputs", False))
    except Exception as e:
        yield "begun", []
        yield "claim", entry(whole(request["name"], "internal-error", f"the reader failed with {type(e).__name__}: {e}"))
        yield "done", "internal-error"
        return
    for problem in document.problems:
        if problem.code in NOTES:
            yield "note", f"{document.name}:{document.position(problem.offset)[0]}: {problem.reason}"
    stand_ins = [unread(document, p) for p in document.problems if p.code not in NOTES]
    yield "begun", [entry(c) for c in [*stand_ins, *unfinished(document, [], "out-of-time")]]
    claims = list(stand_ins)
    for claim in stand_ins:
        yield "claim", entry(claim)
    reason = ""
    try:
        cell = cell if cell is not None else _cell(request.get("cell"))
        from symgrad.check.judge import judge

        fixed = request.get("seconds")
        for k, claim in enumerate(limits.bounded(iter(judge(document, cell)), fixed or limits.allowed(len(document.fragments)))):
            if not fixed and k * limits.CREDIT < limits.MOST:
                limits.extend()
            claims.append(claim)
            yield "claim", entry(claim)
    except SymgradError as e:
        yield "error", str(e)
        return
    except limits.OutOfTime:
        reason = "out-of-time"
    except MemoryError:
        reason = "out-of-memory"
    except (Exception, RecursionError) as e:
        if os.environ.get("SYMGRAD_DEBUG"):
            raise
        reason = f"internal-error {type(e).__name__}: {e}"[:300]
    if reason:
        for claim in unfinished(document, claims, *reason.split(" ", 1)):
            claims.append(claim)
            yield "claim", entry(claim)
    for said in expectations(document, claims):
        yield "expected", said
    yield "done", reason.partition(" ")[0]


def entry(claim: Claim) -> dict[str, Any]:
    """A claim for the pipe: the contract's entry and the definition's place."""
    return claim.json() | {"definition": claim.definition and claim.definition.json()}


def whole(name: str, code: str, message: str, verdict: str = "unread") -> Claim:
    """What is said of a file as a whole."""
    return Claim(file=name, line=1, column=1, end_line=1, end_column=1, latex="", verdict=verdict, code=code, message=message)


def unread(document: Document, problem: Problem) -> Claim:
    """A problem of the source as an entry."""
    at = document.between(problem.offset, problem.offset + max(len(problem.text), 1))
    return Claim(
        file=document.name, line=at.line, column=at.column, end_line=at.end_line, end_column=at.end_column,
        latex=problem.text, verdict="unread", code=problem.code, message=problem.reason,
    )  # fmt: skip


MESSAGES = {
    "out-of-time": "not decided within the time a document may take (--limit SECONDS gives more)",
    "out-of-memory": "not decided within the memory a document may take",
    "internal-error": "not decided, for symgrad failed here; this is a defect of symgrad",
}


def unfinished(document: Document, claims: list[Claim], code: str, detail: str = "") -> Iterator[Claim]:
    """An undecided entry for each formula that states a relation and that no claim speaks of."""
    spoken = sorted((c.span.line, c.span.column) for c in claims)
    reach = list(accumulate(((c.end_line, c.end_column) for c in sorted(claims, key=lambda c: c.span)), max))
    for fragment in document.fragments:
        if RELATION.search(fragment.latex) or "=" in fragment.latex:
            span = document.span(fragment)
            k = bisect_left(spoken, (span.end_line, span.end_column))  # so many claims begin before it ends
            if not k or reach[k - 1] <= (span.line, span.column):
                yield document.claim(fragment, verdict="undecided", code=code, message=MESSAGES[code] + (f" ({detail})" if detail else ""))


def _overlap(span: Span, other: tuple[int, int, int, int]) -> bool:
    return (span.line, span.column) < other[2:] and other[:2] < (span.end_line, span.end_column)


def expectations(document: Document, claims: list[Claim]) -> Iterator[dict[str, Any]]:
    """What the comments ``symgrad: expect refuted [CODE]`` expect of the formula before them on their line, else of the next one."""
    for directive in document.directives:
        if directive.words[:1] != ("expect",) or len(directive.words) < 2:
            continue
        line, _ = document.position(directive.offset)
        if any(p.starts[0] <= directive.offset < p.ends[-1] for p in document.programs if p.text):  # the statement below
            first = min((c.line for c in claims if c.line > line), default=0)
            here = [k for k, c in enumerate(claims) if c.line == first]
        else:
            fragment = _meant(document, directive.offset, line)
            span = fragment and document.span(fragment)
            here = [k for k, c in enumerate(claims) if span and _overlap(span, (c.line, c.column, c.end_line, c.end_column))]
        met = [k for k in here if claims[k].verdict == directive.words[1] and (len(directive.words) < 3 or claims[k].code in directive.words[2:])]
        got = [f"{claims[k].verdict} {claims[k].code or ''}".strip() for k in here]
        yield {"line": line, "wanted": " ".join(directive.words[1:]), "claims": met, "here": here, "got": got}


def _meant(document: Document, offset: int, line: int) -> Fragment | None:
    on_line = [f for f in document.fragments if f.extent()[1] <= offset and document.position(f.extent()[1])[0] == line]
    return on_line[-1] if on_line else next((f for f in document.fragments if f.extent()[0] > offset), None)


_CELLS: dict[str, Any] = {}


def _cell(spec: str | None) -> Any:
    if spec is None:
        return None
    if spec not in _CELLS:
        from symgrad.cells.load import load

        _CELLS[spec] = load(spec)
    return _CELLS[spec]


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer one request after the other until the input ends; after a memory shortage this process is no longer used."""
    import symgrad.check.judge  # noqa: F401  warm before the first request

    limits.bound_memory()
    limits.collect_seldom()
    for line in requests:
        for kind, what in judged(json.loads(line)):
            answers.write(json.dumps([kind, what]) + "\n")
            answers.flush()
            if kind == "done" and what == "out-of-memory":
                return


def main() -> None:
    """The process behind `run.Server`; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    requests = open(0, encoding="utf-8", newline="\n", closefd=False)  # noqa: SIM115  it lives as long as the process
    sys.setrecursionlimit(3000)
    try:
        serve(requests, answers)
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)


if __name__ == "__main__":
    main()
