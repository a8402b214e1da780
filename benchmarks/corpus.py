"""`symgrad check` held against recorded verdicts: coverage, agreement, every disagreement, time and the slowest documents.

    python benchmarks/corpus.py FOLDER                # FOLDER has docs/ and claims.jsonl
    python benchmarks/corpus.py FOLDER --open         # the claims left open too, with the reason
    python benchmarks/corpus.py FOLDER --doc gru.md

A recorded claim is found in its document by its text (white space and ``&`` aside); every entry that overlaps it counts: one refuted
makes it refuted, else one undecided or unread leaves it open, else it is proved; no entry at all is a silent skip.
"""

from __future__ import annotations

import argparse
import collections
import json
import time
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
        k = self.flat.find(needle)
        if k >= 0:
            first, last = self.places[k], self.places[k + len(needle) - 1] + 1
            return [c for c in self.claims if self.at(c.line, c.column) < last and self.at(c.end_line, c.end_column) > first]
        own = [(c, squeezed(c.latex)[0]) for c in self.claims]  # in a notebook the text is escaped
        return [c for c, text in own if text and (text in needle or needle in text)]

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column - 1


def verdict(entries: list[Claim]) -> str:
    """What the entries together say."""
    said = {c.verdict for c in entries}
    return next((v for v in ("refuted", "unread", "undecided", "proved") if v in said), "skipped")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--doc", help="this document only")
    options.add_argument("--open", action="store_true", help="print what is left open")
    args = options.parse_args()
    recorded: list[dict[str, Any]] = [json.loads(line) for line in (args.folder / "claims.jsonl").read_text(encoding="utf-8").splitlines()]
    recorded = [r for r in recorded if args.doc in (None, r["doc"])]
    check("$x = 1$")  # start the process
    pages = {name: Page(args.folder / "docs" / name) for name in dict.fromkeys(r["doc"] for r in recorded)}
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    whole: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[str] = collections.Counter()
    false = skipped = 0
    for r in recorded:
        entries = pages[r["doc"]].entries(r["claim_latex"])
        got, wanted = verdict(entries), WANTED.get(r["verdict"])
        counts[r["verdict"], got] += 1
        decided = got in ("proved", "refuted")
        if wanted and r["self_contained"]:
            whole["all"] += 1
            whole["decided"] += decided
            whole["right"] += got == wanted
        wrong = bool(wanted) and decided and got != wanted
        false += wrong
        skipped += got == "skipped"
        if not decided:
            reasons.update({c.code or "" for c in entries if c.verdict == got} or {"skipped"})
        if wrong or got == "skipped" or (wanted is None and got == "refuted") or (args.open and not decided):
            print(f"\n{'FALSE' if wrong else got} {r['id']} in {r['doc']}: recorded {r['verdict']} ({r['why'] or r['error_class']})\n    {r['claim_latex']}")
            for c in entries:
                assumed = f" [{'; '.join(c.assumptions)}]" if c.assumptions else ""
                print(f"      {c.line}:{c.column} {c.verdict} {c.code or ''}: {c.message}{assumed}")
    print(f"\n{'recorded':30}" + "".join(f"{v:>11}" for v in VERDICTS))
    for row in dict.fromkeys(r["verdict"] for r in recorded):
        print(f"{row:30}" + "".join(f"{counts[row, v]:11}" for v in VERDICTS))
    every = sum(n for (row, _), n in counts.items() if row in WANTED)
    decided = sum(n for (row, v), n in counts.items() if row in WANTED and v in ("proved", "refuted"))
    print(f"\ncoverage: {whole['decided']}/{whole['all']} of the claims whose document defines its cell, {decided}/{every} of all")
    print(f"agreement: {decided - false}/{decided} of the decided; false {false}, skipped silently {skipped}")
    print(f"left open for: {', '.join(f'{n} {code}' for code, n in reasons.most_common())}")
    slow = sorted(pages.items(), key=lambda p: -p[1].seconds)[:3]
    print(f"{sum(p.seconds for p in pages.values()):.1f} s for {len(pages)} documents; slowest {', '.join(f'{n} {p.seconds:.1f} s' for n, p in slow)}")
    return 1 if false or skipped else 0


if __name__ == "__main__":
    raise SystemExit(main())
