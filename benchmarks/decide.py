"""The deciders on many mutants and rewritings of every library derivative, and their speed beside SymPy and tensorgrad.

    python benchmarks/decide.py --count 100000      # of each; counts by kind and verdict
    python benchmarks/decide.py --speed             # medians of one GRU Jacobian against a claim
    python benchmarks/decide.py --chain             # products of 10, 100 and 1000 GRU Jacobians

Mutants come in equal numbers of every kind.  Where both deciders do not say "different" the mutant is evaluated at real values, and so is one in
twenty of the others.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import sympy as sp
from strategies_decide import MUTANTS, chain, derivatives, mutant, rewritten

from symgrad.cells import gru
from symgrad.decide import modular
from symgrad.decide.claim import read
from symgrad.decide.equal import Sides, compared, decide, equal
from symgrad.decide.limits import LIMITS, Budget
from symgrad.decide.normal import Normal
from symgrad.decide.real import counterexample
from symgrad.face.jacobian import Jacobian, jacobian
from symgrad.language.matrices import diag
from symgrad.language.tensor import Tensor, transposed

BATCH = 500


def claimed(z: Any, h: Any, h_tilde: Any, r: Any, U_z: Any, U_h: Any, U_r: Any) -> Any:
    """The GRU's ∂h_t/∂h_{t-1}, multiplied out as a person might."""
    s = (1 - z) * (1 - h_tilde**2)
    return diag(z) + diag((h - h_tilde) * z * (1 - z)) @ U_z + diag(s) @ U_h @ diag(r) + diag(s) @ U_h @ diag(h * (r - r * r)) @ U_r


def short(z: Any, h: Any, h_tilde: Any, U_z: Any) -> Any:
    """Terms and a slope forgotten."""
    return diag(z) + diag((h - h_tilde) * z) @ U_z


def batch(seed: int) -> tuple[Counter[str], list[str]]:
    """BATCH mutants and BATCH rewritings; counts, and whatever should not have happened."""
    rnd, counts, wrong = random.Random(seed), Counter[str](), []
    every = derivatives()
    kinds = list(MUTANTS)
    while counts["rewritings"] < BATCH:
        d, s = rnd.choice(every), rnd.randrange(2**40)
        name, value = rewritten(d, random.Random(s))
        counts.update({f"rewriting step {step}" for step in name.split("+")})
        verdict, _ = decide(d.sides(value), witness=False)
        counts["rewritings"] += 1
        counts[f"rewriting {verdict.status}"] += 1
        counts[f"rewriting by {verdict.method}"] += 1
        if not verdict.proved or set(verdict.checks.values()) != {"equal"}:
            wrong.append(f"rewriting {d.name} {name} {s}: {verdict}")
    while counts["mutants"] < BATCH:
        kind = kinds[counts["mutants"] % len(kinds)]
        made = None
        while made is None:
            d, s = rnd.choice(every), rnd.randrange(2**40)
            made = mutant(d, random.Random(s), kind)
        name, value = made
        sides = d.sides(value)
        verdict, _ = decide(sides, witness=False)
        counts["mutants"] += 1
        counts[f"mutant {verdict.status}, {name}"] += 1
        found = set(verdict.checks.values())
        if not (found == {"equal"} or "different" in found <= {"different", "open"}):
            wrong.append(f"mutant {d.name} {name} {s}: {verdict} {verdict.checks}")
        if found != {"different"} or rnd.random() < 0.05:
            counts["mutants evaluated at real values"] += 1
            at = [dict.fromkeys(modular.letters(sides.world, sides.left, sides.right), 3)]
            real = counterexample(sides.world, sides.left, sides.right, at, Budget(LIMITS))
            if verdict.proved != (real is None):
                wrong.append(f"mutant {d.name} {name} {s}: {verdict.status}, but real values say otherwise")
        counts[f"mutant {verdict.status}"] += 1
    return counts, wrong


def run(count: int, workers: int, seed: int) -> int:
    """The long run; the number of things that went wrong."""
    total, wrong = Counter[str](), []
    start = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        for counts, bad in pool.map(batch, range(seed, seed + -(-count // BATCH))):
            total += counts
            wrong += bad
            print(f"{total['mutants']} mutants, {total['rewritings']} rewritings, {len(wrong)} wrong", *bad, sep="\n", end="\r", file=sys.stderr)
    seconds = time.perf_counter() - start
    print(json.dumps(dict(sorted(total.items())), indent=2, ensure_ascii=False))
    print(f"{len(derivatives())} derivatives of the library; {seconds:.0f} s with {workers} processes; {len(wrong)} wrong")
    print("\n".join(wrong[:20]))
    return len(wrong)


def median(f: Callable[[], Any], runs: int = 101) -> float:
    """The median time of a call in milliseconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        f()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


PEER = """
import sys, time, sympy as sp
from symgrad.face.jacobian import jacobian
from symgrad.cells import gru
x, h = sp.symbols('x h')
P = {n: sp.Symbol(n) for n in gru.parameters}
sig = lambda a: 1 / (1 + sp.exp(-a))
a_z, a_r = (P['W_' + g] * x + P['U_' + g] * h + P['b_' + g] for g in 'zr')
z, r = sig(a_z), sig(a_r)
t = sp.tanh(P['W_h'] * x + P['U_h'] * r * h + P['b_h'])
left = sp.diff(z * h + (1 - z) * t, h)
right = z + (h - t) * z * (1 - z) * P['U_z'] + (1 - z) * (1 - t**2) * P['U_h'] * (r + h * r * (1 - r) * P['U_r'])
start = time.perf_counter()
answer = left.equals(right) if sys.argv[1] == 'equals' else sp.simplify(left - right) == 0
print(f'{1e3 * (time.perf_counter() - start):.0f} ms: {answer}')
"""


def peer(which: str, limit: float) -> str:
    """SymPy on the scalar cell, stopped after `limit` seconds."""
    try:
        done = subprocess.run([sys.executable, "-c", PEER, which], capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        return f"no answer within {limit:.0f} s"
    return done.stdout.strip()


TENSORGRAD = """
import time
import sympy as sp
import tensorgrad.functions as F
from tensorgrad import Derivative, Ones, Variable
n, m = sp.symbols('n m')
x, h = Variable('x', j=m), Variable('h', i=n)
W, U, b = ({g: Variable(f'{w}_{g}', **edges) for g in 'zrh'} for w, edges in (('W', dict(o=n, j=m)), ('U', dict(o=n, i=n)), ('b', dict(i=n))))
pre = lambda g, v: (W[g] @ x + U[g] @ v).rename(o='i') + b[g]
z, r = F.sigmoid(pre('z', h)), F.sigmoid(pre('r', h))
t = F.tanh(pre('h', r * h))
derived = [Derivative(new, h, {'i': 'k'}).full_simplify() for new in (z * h + (Ones(i=n) - z) * t, t + z * (h - t))]
start = time.perf_counter()
rest = (derived[0] - derived[1]).full_simplify()
print(f'{1e3 * (time.perf_counter() - start):.0f} ms: {type(rest).__name__ == "Zero"}')
"""


def tensorgrad(limit: float) -> str:
    """tensorgrad on the Jacobians of z h + (1 - z) h̃ and h̃ + z (h - h̃): whether their difference simplifies to zero."""
    if find_spec("tensorgrad") is None:
        return "not installed"
    try:
        done = subprocess.run([sys.executable, "-c", TENSORGRAD], capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {limit:.0f} s"
    return done.stdout.strip() or f"cannot be run: {done.stderr.strip().splitlines()[-1]}"


def speed(limit: float) -> None:
    """Medians for one GRU Jacobian against a claim."""
    J: Jacobian = jacobian(gru)
    claim = read(claimed, J.program, J.tensor.dims)
    sides = compared(J.tensor, claim, {}, "matrix")
    wrong = Sides(sides.world, sides.left, transposed(sides.right))
    rows = {
        "normal form": lambda: Normal(sides.world, Budget(LIMITS)).difference(sides.left, sides.right),
        "modular test": lambda: modular.decide(sides.world, sides.left, sides.right, Budget(LIMITS)),
        "both, a claim that is wrong, without a counterexample": lambda: decide(wrong, witness=False),
        "reading the claim": lambda: read(claimed, J.program, J.tensor.dims),
        "sg.equal, all of it, proved": lambda: equal(J, claimed),
        "sg.equal, all of it, refuted, with diagnosis and readings": lambda: equal(J, short),
    }
    for name, f in rows.items():
        print(f"{name:60s} {median(f):8.2f} ms")
    for which in ("equals", "simplify"):
        print(f"{'SymPy ' + which + ', scalar cell':60s} {peer(which, limit)}")
    print(f"{'tensorgrad':60s} {tensorgrad(limit)}")


def chains() -> None:
    """Products of T Jacobians that share their weights: regrouped, with one factor transposed, with one coefficient off by 1e-16."""

    def off(t: Tensor) -> Tensor:
        first, *rest = t.terms
        return Tensor(t.dims, (type(first)(first.coefficient * (1 + sp.Rational(1, 10**16)), first.factors), *rest))

    for T in (10, 100, 1000):
        world, product = chain(gru, T)
        others = {"regrouped": chain(gru, T, regroup=True), "transposed": chain(gru, T, transposed), "1 + 1e-16": chain(gru, T, off)}
        for name, (_, other) in others.items():
            start = time.perf_counter()
            verdict, _ = decide(Sides(world, product, other), witness=False)
            print(f"T = {T:5d} {name:12s} {time.perf_counter() - start:7.2f} s  {verdict.status:9s} {verdict.method} {verdict.checks}")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for SymPy")
    parser.add_argument("--chain", action="store_true")
    args = parser.parse_args()
    if args.speed:
        speed(args.limit)
    if args.chain:
        chains()
    return min(1, run(args.count, args.workers, args.seed)) if args.count else 0


if __name__ == "__main__":
    sys.exit(main())
