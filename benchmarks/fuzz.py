"""`symgrad check` on mutants of documents: no run may end in an error of its own, none may pass two seconds of computing or 500 MB.

python benchmarks/fuzz.py PATH... --count 100000               # documents of any kind, or folders of them
python benchmarks/fuzz.py PATH... --count 100000 --whole       # whole documents, not windows of a few lines: a hundred times slower
python benchmarks/fuzz.py PATH... --seed 4711 --count 1 --show # one mutant again

A mutant is a window of a document (sometimes behind its first lines, which may define the cell; sometimes read for a cell of the library) with a
few characters deleted, doubled, exchanged or put in.  Everything is run that the command runs: the process that judges, and every report.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "check"))
from mutate import mutated

from symgrad.check import run
from symgrad.check.command import rendered
from symgrad.check.sources import kind_of

SECONDS, MEGABYTES = 2.0, 500
CELLS = (None, None, None, "gru", "lstm", "rnn")
TICK = os.sysconf("SC_CLK_TCK")


def documents(paths: list[Path]) -> list[tuple[Path, str]]:
    """The files at these paths, or in these folders, with their texts."""
    files = sorted(f for path in paths for f in (path.rglob("*") if path.is_dir() else [path]) if f.is_file())
    found = []
    for file in files:
        with contextlib.suppress(UnicodeDecodeError):
            found.append((file, file.read_text(encoding="utf-8")))
    return found


def mutant(rng: random.Random, path: Path, text: str, most: int) -> tuple[str, str, str | None]:
    """Kind, text and cell of a mutant of at most so many lines; 0 is the whole document."""
    kind = kind_of(path)
    if not most:
        return kind, mutated(rng, text), None
    if kind == "ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells)
    lines = text.split("\n")
    first = rng.randrange(len(lines))
    window = lines[first : first + rng.randint(2, most)]
    if rng.random() < 0.3:
        window = [*lines[: min(first, rng.randint(2, 2 * most))], *window]
    text = mutated(rng, "\n".join(window)) + "\n"
    if kind == "ipynb" and rng.random() < 0.7:
        text = json.dumps({"cells": [{"cell_type": "markdown", "source": text.splitlines(keepends=True)}]})
    elif kind == "ipynb":
        kind = "md"
    return kind, text, rng.choice(CELLS)


def spent() -> dict[int, tuple[float, float]]:
    """Seconds of computing and peak megabytes of the processes that judge (Linux)."""
    found = {}
    for server in run._idle:
        folder = Path(f"/proc/{server.process.pid}")
        ticks = folder.joinpath("stat").read_text().rpartition(")")[2].split()
        peak = re.search(r"VmHWM:\s*(\d+) kB", folder.joinpath("status").read_text())
        found[server.process.pid] = (int(ticks[11]) + int(ticks[12])) / TICK, int(peak[1]) / 1000 if peak else 0.0
    return found


def judged(kind: str, text: str, cell: str | None, limit: float) -> tuple[collections.Counter[str], list[str]]:
    """What is said of a text, and what went wrong: internal errors, exceptions of the reports, too much time or memory."""
    counts: collections.Counter[str] = collections.Counter()
    before = spent()
    try:
        report = run.check(text, cell, kind=kind, limit=limit)
        for form in ("text", "json", "github", "sarif"):
            rendered(report, form)
        report._repr_html_()
        report._repr_markdown_()
    except Exception as e:
        return counts, [f"{type(e).__name__}: {e}"]
    counts.update(f"{c.verdict} {c.code or ''}".strip() for c in report.claims)
    counts["documents without a claim"] += not report.claims
    wrong = [f"{c.message}: {c.latex[:100]}" for c in report.claims if c.code == "internal-error"]
    after = spent()
    counts["processes ended by their alarm or for memory"] += bool(before.keys() - after.keys())
    for pid, (seconds, megabytes) in after.items():
        if pid in before and seconds - before[pid][0] > SECONDS:
            wrong.append(f"{seconds - before[pid][0]:.1f} s")
        if megabytes > MEGABYTES:
            wrong.append(f"{megabytes:.0f} MB")
            run._idle.pop().close()
    return counts, wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("paths", type=Path, nargs="+")
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0, help="the first seed")
    options.add_argument("--limit", type=float, default=0.5, help="seconds for one mutant (0.5)")
    options.add_argument("--lines", type=int, default=12, help="the longest window (12)")
    options.add_argument("--whole", action="store_true", help="mutants of whole documents")
    options.add_argument("--show", action="store_true", help="print the mutants and what is said of them")
    args = options.parse_args()
    found = documents(args.paths)
    run.check("$x = 1$")  # start the process
    total: collections.Counter[str] = collections.Counter()
    done = errors = 0
    slowest = (0.0, 0)
    start = time.perf_counter()
    with contextlib.suppress(KeyboardInterrupt):  # what is done is told
        for seed in range(args.seed, args.seed + args.count):
            rng = random.Random(seed)
            path, text = rng.choice(found)
            kind, text, cell = mutant(rng, path, text, 0 if args.whole else args.lines)
            began = time.perf_counter()
            counts, wrong = judged(kind, text, cell, args.limit)
            slowest = max(slowest, (time.perf_counter() - began, seed))
            total += counts
            done += 1
            errors += bool(wrong)
            if args.show:
                print(text, run.check(text, cell, kind=kind, limit=args.limit).text(), sep="\n")
            for error in list(dict.fromkeys(wrong))[:3]:
                print(f"seed {seed}, {path.name}, cell {cell}: {error}", flush=True)
            if done % 5000 == 0 and done < args.count:
                print(f"{done} mutants, {errors} with an error, {time.perf_counter() - start:.0f} s", flush=True)
    print(f"{done} mutants of {len(found)} documents in {time.perf_counter() - start:.0f} s; {errors} with an error")
    print(f"the slowest took {slowest[0]:.2f} s on the wall (seed {slowest[1]})")
    for name, count in total.most_common():
        print(f"  {count:8} {name}")
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
