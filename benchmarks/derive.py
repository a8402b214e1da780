"""How long deriving takes: the GRU's ∂h/∂h with its LaTeX, whatever n, beside SymPy's explicit derivation; and T steps composed.

    python benchmarks/derive.py [--quick]

One process, one thread, medians, cold (first call after import) and warm.  Start-up is measured in fresh processes.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import sympy as sp

import symgrad as sg
from symgrad.calculus.compose import compose
from symgrad.notation.sympy_out import equations


def median(run: Callable[[], object], repeats: int) -> float:
    """The median of the seconds that `run` takes."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def explicit(n: int) -> float:
    """Seconds that SymPy takes to differentiate the components of the same cell, definitions put in."""
    start = time.perf_counter()
    known: dict[sp.Expr, sp.Expr] = {}
    for eq in equations(sg.cells.gru.program, n=n, m=n):
        known |= dict(zip(eq.lhs, [e.xreplace(known) for e in eq.rhs], strict=True))
    state = sp.MatrixSymbol("h", n, 1)
    new = sp.Matrix([known[sp.MatrixSymbol("h_t", n, 1)[i, 0]] for i in range(n)])
    new.jacobian(sp.Matrix([state[i, 0] for i in range(n)]))
    return time.perf_counter() - start


def startup(*command: str) -> float:
    """Seconds of a fresh process, the best of five."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start

    return min(once() for _ in range(5))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="leave the slow peers out")
    quick = options.parse_args().quick

    sg.jacobian(sg.cells.rnn).latex()  # loads SymPy and every room
    start = time.perf_counter()
    sg.jacobian(sg.cells.gru).latex()
    cold = time.perf_counter() - start
    warm = median(lambda: sg.jacobian(sg.cells.gru).latex(), 50)
    print(f"{'GRU ∂h/∂h with its LaTeX, first call after import, tracing included':80}{1e3 * cold:10.2f} ms   goal 10 ms")
    print(f"{'  again, any n':80}{1e3 * warm:10.2f} ms   goal 10 ms")
    for n in (2, 4) if quick else (2, 4, 8):
        seconds = explicit(n)
        print(f"{f'  SymPy, explicit components, n = {n}':80}{1e3 * seconds:10.1f} ms   {seconds / warm:8.0f} ×")
    one = sg.jacobian(sg.cells.gru)
    for steps in (10, 100, 1000):
        seconds = median(lambda steps=steps: compose(one, steps), 3)  # type: ignore[misc]
        print(f"{f'product of {steps} steps':80}{1e3 * seconds:10.1f} ms   {1e6 * seconds / steps:8.0f} µs a step")
    bare = startup(sys.executable, "-c", "pass")
    alone = startup(sys.executable, "-c", "import sympy") - bare
    whole = startup(sys.executable, "-c", "import symgrad as sg; sg.jacobian(sg.cells.gru).latex()") - bare
    print(f"{'the same in a fresh process, which loads SymPy and every room':80}{1e3 * whole:10.1f} ms   of which `import sympy` {1e3 * alone:.0f} ms")
    for what, command in (("import symgrad", (sys.executable, "-c", "import symgrad")), ("symgrad --version", (sys.executable, "-m", "symgrad", "--version"))):
        print(f"{what + ', without the interpreter':80}{1e3 * (startup(*command) - bare):10.1f} ms   goal 100 ms")


if __name__ == "__main__":
    main()
