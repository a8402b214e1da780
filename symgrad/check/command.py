"""``symgrad check`` and ``symgrad explain``: files in, a report on standard output, progress and notes on standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys

from symgrad.check import run
from symgrad.check.explain import explained
from symgrad.check.outcome import CheckReport


def check(args: argparse.Namespace) -> int:
    """``symgrad check PATH...``."""
    stdin = sys.stdin.buffer.read() if "-" in args.paths else None
    progress = Progress()
    report = run.check_files(args.paths, args.cell, stdin=stdin, jobs=args.jobs, limit=args.limit, inputs=args.inputs, progress=progress)
    progress.done()
    for note in report.notes:
        print(f"symgrad: note: {note}", file=sys.stderr)
    for expectation in report.unmet:
        got = ", ".join(expectation.got) or "no claim"
        print(f"symgrad: {expectation.file}:{expectation.line}: expected {expectation.wanted}, got {got}", file=sys.stderr)
    if hasattr(sys.stdout, "reconfigure"):  # a file's name may be no text, a terminal may know few characters
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(rendered(report, args.format, args.strict, args.quiet))
    return report.status(args.strict)


def rendered(report: CheckReport, form: str, strict: bool = False, quiet: bool = False) -> str:
    """The report in one of the formats of the command line."""
    match form:
        case "json":
            return json.dumps(report.json(), indent=1, ensure_ascii=False) + "\n"
        case "sarif":
            from symgrad.check.report.sarif import sarif

            return json.dumps(sarif(report.claims, report.expected), indent=1, ensure_ascii=False) + "\n"
        case "github":
            from symgrad.check.report.github import workflow

            return "".join(f"{line}\n" for line in workflow(report.claims, strict, report.expected))
        case _:
            return report.text(colour=_colourful(), quiet=quiet) + "\n"


def _colourful() -> bool:
    """Colour on a terminal, unless NO_COLOR is set; FORCE_COLOR asks for it everywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


class Progress:
    """A line on a terminal that tells how far a long run has come; elsewhere a line for every hundred documents."""

    def __init__(self) -> None:
        self.shown = False

    def __call__(self, done: int, total: int, name: str) -> None:
        if total < 2:
            return
        if sys.stderr.isatty():
            print(f"\r\x1b[Kchecked {done}/{total} {name[-60:]}", end="", file=sys.stderr, flush=True)
            self.shown = True
        elif done % 100 == 0:
            print(f"symgrad: checked {done}/{total}", file=sys.stderr)

    def done(self) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def explain(args: argparse.Namespace) -> int:
    """``symgrad explain [CODE]``."""
    print(explained(args.code))
    return 0
