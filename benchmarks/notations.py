"""`symgrad check` on derivations in the notations of many authors: what is true is to be proved, what is false refuted.

python benchmarks/notations.py 500                             # documents, of all networks
python benchmarks/notations.py 500 --network lstm --seed 7     # one of them
python benchmarks/notations.py 1 --seed 7 --show               # the documents themselves, with the verdicts

The documents are those of the tests (`tests/check/notations`), with choices at random.  A document is judged twice: with the true claims,
and with a slip in each.  At the end stand the choices with which most stays open.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "check"))
from notations import NETWORKS, judged, noted, slipped

from symgrad.check.judge import judge
from symgrad.check.slips import diagnose
from symgrad.check.sources import read_text

T = TypeVar("T")
SHARE, SEEN = 0.1, 5  # a choice is told where at least this share of so many claims is not as it should be


class Choices:
    """Choices at random, kept by what there was to choose from."""

    def __init__(self, seed: str) -> None:
        self.rng, self.made = random.Random(seed), []

    def __call__(self, options: Sequence[T]) -> T:
        chosen = self.rng.choice(options)
        if not isinstance(chosen, int) or isinstance(chosen, bool):
            self.made.append(repr(chosen))
        return chosen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--network", choices=NETWORKS, action="append")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--repairs", action="store_true", help="look for repairs too (slow)")
    options = parser.parse_args()
    if not options.repairs:
        diagnose.RUNS = 100
    names = options.network or list(NETWORKS)
    counts = {kind: collections.Counter() for kind in ("true", "false")}
    blamed, seen, wrong = collections.Counter(), collections.Counter(), 0
    start = time.perf_counter()
    for number in range(options.count):
        name = names[number % len(names)]
        for kind in counts:
            pick, slip = Choices(f"{options.seed} {number}"), random.Random(number).choice  # the same notation, for both
            w = noted(name, pick)
            equations, claims = NETWORKS[name](w, pick)
            written, which = [true for true, _ in claims], list(range(len(claims)))
            if kind == "false":
                written, which = slipped(name, claims, slip)
            text = w.document(equations, written)
            found = list(judge(read_text(text, w.kind, name="notations"), None))
            if options.show:
                print(text, *((f"{c.line}: {c.verdict} {c.message}") for c in found), "", sep="\n")
            wanted, never = ("proved", "refuted") if kind == "true" else ("refuted", "proved")
            answers = judged(text, written, found)
            for claim, (said, message) in ((written[k], answers[k]) for k in which):
                counts[kind][said] += 1
                seen.update(pick.made)
                if said == wanted:
                    continue
                blamed.update(pick.made)
                wrong += said == never
                print(f"{kind} and {said}: {name} --seed {options.seed}, document {number}: {claim}\n    {message.partition(chr(10))[0]}")
    print()
    for kind, said in counts.items():
        print(f"{sum(said.values())} {kind}: {', '.join(f'{n} {verdict}' for verdict, n in said.most_common())}")
    shares = sorted(((blamed[choice] / n, choice) for choice, n in seen.items() if n >= SEEN), reverse=True)
    for share, choice in shares[:20]:
        if share >= SHARE:
            print(f"{share:4.0%} of {seen[choice]} are not as they should be with {choice}")
    print(f"{time.perf_counter() - start:.0f} s; {wrong} wrong verdicts")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
