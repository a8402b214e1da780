"""`symgrad check` held against recorded verdicts: every disagreement with its place and reason, coverage, agreement, time.

    python benchmarks/corpus.py FOLDER                # FOLDER has docs/ and claims.jsonl
    python benchmarks/corpus.py FOLDER --open         # the claims left open too, with the reason
    python benchmarks/corpus.py FOLDER --doc gru.md   # one document

A recorded claim is found in its document by its text (white space and ``&`` aside); every entry that overlaps it counts: one refuted
makes it refuted, else one undecided or unread leaves it open, else it is proved; no entry at all is a silent skip.  A claim that is
recorded neither as right nor as wrong (ambiguous, right under an assumption) is too harshly judged if it is refuted.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symgrad.check.claim import Claim
from symgrad.check.run import check
from symgrad.check.sources import Document, read

WANTED = {"CORRECT": "proved", "WRONG": "refuted", "TYPO": "refuted"}
VERDICTS = ("proved", "refuted", "undecided", "unread", "skipped")


def squeezed(text: str) -> tuple[str, list[int]]:
    """The text without white space and ``&``, and where each character stood."""
    kept = [(c, k) for k, c in enumerate(text) if not c.isspace() and c != "&"]
    return "".join(c for c, _ in kept), [k for _, k in kept]


class Page:
    """A document with the entries about it."""

    def __init__(self, path: Path) -> None:
        start = time.perf_counter()
        self.claims = check([path]).claims
        self.seconds = time.perf_counter() - start
        self.document: Document = read(path)
        self.flat, self.places = squeezed(self.document.text)
        self.starts = [0]
        for line in self.document.text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)

    def entries(self, latex: str) -> list[Claim]:
        """The entries that speak of a recorded claim."""
        needle, _ = squeezed(latex)
        spots = [(self.places[m.start()], self.places[m.start() + len(needle) - 1] + 1) for m in re.finditer(re.escape(needle), self.flat)]
        ends = {self.at(c.end_line, c.end_column) for c in self.claims}
        for first, last in sorted(spots, key=lambda spot: spot[1] not in ends):  # a claim may be the beginning of another one
            return [c for c in self.claims if self.at(c.line, c.column) < last and self.at(c.end_line, c.end_column) > first]
        own = [(c, squeezed(c.latex)[0]) for c in self.claims]  # in a notebook the text is escaped
        return [c for c, text in own if text and (text in needle or needle in text)]

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column - 1


def verdict(entries: list[Claim]) -> str:
    """What the entries together say."""
    said = {c.verdict for c in entries}
    return next((v for v in ("refuted", "unread", "undecided", "proved") if v in said), "skipped")


@dataclass(frozen=True)
class Row:
    """A recorded claim and what is said of it."""

    recorded: dict[str, Any]
    entries: list[Claim]

    @property
    def said(self) -> str:
        return verdict(self.entries)

    @property
    def decided(self) -> bool:
        return self.said in ("proved", "refuted")

    @property
    def wanted(self) -> str | None:
        return WANTED.get(self.recorded["verdict"])

    @property
    def whole(self) -> bool:
        """Whether the document itself says what is needed to decide it, and the record tells right from wrong."""
        return bool(self.wanted) and bool(self.recorded.get("self_contained", True))

    @property
    def finding(self) -> str:
        """What there is to say of it: FALSE, SKIPPED, too harsh, open or nothing."""
        if self.said == "skipped":
            return "SKIPPED"
        if self.wanted and self.decided and self.said != self.wanted:
            return "FALSE"
        if self.said == "refuted" and not self.wanted:
            return "TOO HARSH"
        return "" if self.decided else "OPEN"

    def told(self) -> Iterator[str]:
        """The finding with its places and reasons, for a person."""
        r = self.recorded
        why = r.get("why") or r.get("error_class") or ""
        yield f"{self.finding}: {r['doc']}, {r['id']}: recorded {r['verdict']}{f' ({why})' if why else ''}, said {self.said}"
        yield textwrap.indent(textwrap.dedent(r["claim_latex"]).strip(), "    | ")
        for c in self.entries:
            yield f"    docs/{r['doc']}:{c.line}:{c.column}: {c.verdict}{f' [{c.code}]' if c.code else ''}{f': {c.message}' if c.message else ''}"
            if c.expected:
                yield f"        should be {c.expected}"
            yield from (f"        assumed: {a}" for a in c.assumptions)


def share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({part / whole:.0%})" if whole else "")


def summary(rows: list[Row]) -> Iterator[str]:
    """The table of verdicts; coverage and agreement."""
    counts = collections.Counter((r.recorded["verdict"], r.said) for r in rows)
    kinds = list(dict.fromkeys([*WANTED, *(r.recorded["verdict"] for r in rows)]))
    width = max(map(len, kinds))
    yield f"{'recorded':{width}}" + "".join(f"{v:>11}" for v in (*VERDICTS, "all"))
    for kind in kinds:
        said = [counts[kind, v] for v in VERDICTS]
        yield f"{kind:{width}}" + "".join(f"{n or '·':>11}" for n in (*said, sum(said)))
    clear, whole = [r for r in rows if r.wanted], [r for r in rows if r.whole]
    decided = [r for r in clear if r.decided]
    found = collections.Counter(r.finding for r in rows)
    yield ""
    yield f"coverage    {share(sum(r.decided for r in whole), len(whole))} where the document defines its cell, {share(len(decided), len(clear))} of all"
    yield f"agreement   {share(len(decided) - found['FALSE'], len(decided))} of the decided; false {found['FALSE']}, too harsh {found['TOO HARSH']}"
    yield f"skipped     {found['SKIPPED']} silently"
    reasons = collections.Counter(c.code or "" for r in rows if r.finding == "OPEN" for c in r.entries if c.verdict == r.said)
    if reasons:
        yield "left open   " + ", ".join(f"{code} {n}" for code, n in reasons.most_common())


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--doc", help="this document only")
    options.add_argument("--open", action="store_true", help="print what is left open")
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="documents at a time (all cores)")
    args = options.parse_args()
    recorded: list[dict[str, Any]] = [json.loads(line) for line in (args.folder / "claims.jsonl").read_text(encoding="utf-8").splitlines()]
    recorded = [r for r in recorded if args.doc in (None, r["doc"])]
    if not recorded:
        options.error(f"no recorded claim{f' of {args.doc}' if args.doc else ''} in {args.folder}")
    names = list(dict.fromkeys(r["doc"] for r in recorded))
    if lost := [name for name in names if not (args.folder / "docs" / name).is_file()]:
        options.error(f"no such document in {args.folder / 'docs'}: {', '.join(lost)}")
    start = time.perf_counter()
    pages: dict[str, Page] = {}
    with ThreadPoolExecutor(args.jobs) as pool:
        for k, (name, page) in enumerate(zip(names, pool.map(Page, [args.folder / "docs" / name for name in names]), strict=True)):
            pages[name] = page
            if sys.stderr.isatty():
                print(f"\r\x1b[K{k + 1}/{len(names)} {name}", end="" if k + 1 < len(names) else "\r\x1b[K", file=sys.stderr, flush=True)
    rows = [Row(r, pages[r["doc"]].entries(r["claim_latex"])) for r in recorded]
    for finding in ("FALSE", "SKIPPED", "TOO HARSH", *(["OPEN"] if args.open else [])):
        for row in rows:
            if row.finding == finding:
                print(*row.told(), "", sep="\n")
    print(*summary(rows), sep="\n")
    slow = sorted(pages.items(), key=lambda p: -p[1].seconds)[:3]
    print(f"time        {time.perf_counter() - start:.1f} s for {len(pages)} documents; slowest {', '.join(f'{n} {p.seconds:.1f} s' for n, p in slow)}")
    return 1 if {"FALSE", "SKIPPED"} & {r.finding for r in rows} else 0


if __name__ == "__main__":
    raise SystemExit(main())
