"""`symgrad check` on mutants of documents: no run may end in an error of its own, none may pass its limits.

python benchmarks/fuzz.py FOLDER --count 100000 --jobs 2       # FOLDER holds documents of any kind
python benchmarks/fuzz.py FOLDER --count 100000 --read         # the reader alone, much faster
python benchmarks/fuzz.py FOLDER --seed 4711 --count 1 --show  # one mutant again
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "check"))
from mutate import mutated

from symgrad.check.sources import kind_of, read_text
from symgrad.check.worker import judged

Outcome = collections.Counter[str]


def one(folder: Path, seed: int, read_only: bool = False, show: bool = False) -> tuple[Outcome, list[str]]:
    """The mutant of a seed: what was said of it, and what went wrong."""
    rng = random.Random(seed)
    path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    text = mutated(rng, path.read_text(encoding="utf-8"))
    if show:
        print(text)
    start = time.process_time()
    counts: Outcome = collections.Counter()
    wrong: list[str] = []
    try:
        if read_only:
            document = read_text(text, kind_of(path))
            counts["fragments"] = sum(document.span(f).line > 0 for f in document.fragments)
        else:
            for kind, what in judged({"name": path.name, "text": text, "kind": kind_of(path), "seconds": 5.0}):
                if kind == "claim":
                    counts[f"{what['verdict']} {what['code'] or ''}".strip()] += 1
                    if what["code"] == "internal-error":
                        wrong.append(f"{what['message']}: {what['latex'][:100]}")
    except Exception as e:
        wrong.append(f"{type(e).__name__}: {e}")
    seconds = time.process_time() - start
    if seconds > 6.0:
        wrong.append(f"{seconds:.1f} s")
    return counts, [f"seed {seed}, {path.name}: {w}" for w in wrong]


def some(folder: Path, seeds: range, read_only: bool) -> tuple[Outcome, list[str]]:
    total: Outcome = collections.Counter()
    wrong: list[str] = []
    for seed in seeds:
        counts, errors = one(folder, seed, read_only)
        total += counts
        wrong += errors
    return total, wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0, help="the first seed")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--read", action="store_true", help="read only, judge nothing")
    options.add_argument("--show", action="store_true", help="print the mutant of the seed")
    args = options.parse_args()
    if args.show:
        print(*one(args.folder, args.seed, args.read, show=True), sep="\n")
        return 0
    start = time.perf_counter()
    total: Outcome = collections.Counter()
    wrong: list[str] = []
    blocks = [range(k, min(k + 50, args.seed + args.count)) for k in range(args.seed, args.seed + args.count, 50)]
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for counts, errors in pool.map(some, [args.folder] * len(blocks), blocks, [args.read] * len(blocks)):
            total += counts
            wrong += errors
            for error in errors[:3]:
                print(error, flush=True)
    print(f"{args.count} mutants in {time.perf_counter() - start:.0f} s; {len(wrong)} errors")
    for name, count in total.most_common():
        print(f"  {count:8} {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
