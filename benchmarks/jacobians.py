"""Compiled Jacobians against their floor and their peers: one process, one thread, float64, medians.

    python benchmarks/jacobians.py [--quick]
    python benchmarks/jacobians.py --profile      # where the time above the floor goes, line by line

The floor of a GRU Jacobian is one n×n×n gemm and the products of its gates.  Peers that are not installed are left out, with a line saying so.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 " + os.environ.get("XLA_FLAGS", "")
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse  # noqa: E402
import contextlib  # noqa: E402
import functools  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

import symgrad as sg  # noqa: E402
from symgrad.cells.gru import gru, gru_reset_after  # noqa: E402
from symgrad.cells.lstm import lstm  # noqa: E402

BURST = 8
Arrays = dict[str, np.ndarray]
Call = Callable[[], Any]


@sg.cell
def rnn(x, h, *, W, U, b):
    """The vanilla RNN with tanh."""
    return np.tanh(W @ x + U @ h + b)


def arrays(cell: sg.Cell, n: int, batch: tuple[int, ...] = (), extra: tuple[str, ...] = ()) -> Arrays:
    """Random arguments with n = m; inputs and states have the batch axes."""
    rng = np.random.default_rng(n)
    program = cell.program
    made = {s.name: rng.standard_normal((*batch, n)) for s in (*program.inputs, *program.states)}
    made |= {s.name: rng.standard_normal((n,) * len(program.shapes[s])) / np.sqrt(n) for s in program.parameters}
    return made | {name: rng.uniform(size=(*batch, n)) for name in extra}


def medians(calls: dict[str, Call], repeats: int) -> dict[str, float]:
    """Median seconds of each call; they take turns in bursts, whose first call, with another's data in the cache, does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(max(3, repeats // BURST)):
        for name, call in calls.items():
            call()
            for _ in range(BURST):
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def floor(p: Arrays, n: int) -> Call:
    """One gemm, and one gemv for each weight of the GRU."""
    out, gate = np.empty((n, n)), np.empty(n)

    def run() -> None:
        np.dot(p["U_h"], p["U_r"], out)
        for name, v in (("W_z", "x"), ("U_z", "h"), ("W_r", "x"), ("U_r", "h"), ("W_h", "x"), ("U_h", "h")):
            np.dot(p[name], p[v], gate)

    return run


def plain(name: str, xp: Any, sigmoid: Callable[..., Any]) -> Callable[..., Any]:
    """The cell as a function of what is differentiated, in another array library."""

    def gru_h(h: Any, p: Any) -> Any:
        z = sigmoid(p["W_z"] @ p["x"] + p["U_z"] @ h + p["b_z"])
        r = sigmoid(p["W_r"] @ p["x"] + p["U_r"] @ h + p["b_r"])
        return z * h + (1 - z) * xp.tanh(p["W_h"] @ p["x"] + p["U_h"] @ (r * h) + p["b_h"])

    def after_h(h: Any, p: Any) -> Any:
        z = sigmoid(p["W_z"] @ p["x"] + p["U_z"] @ h + p["b_z"])
        r = sigmoid(p["W_r"] @ p["x"] + p["U_r"] @ h + p["b_r"])
        return z * h + (1 - z) * xp.tanh(p["W_h"] @ p["x"] + r * (p["U_h"] @ h + p["b_h"]))

    def lstm_c(c: Any, p: Any) -> Any:
        h = p["o_prev"] * xp.tanh(c)
        f, i = (sigmoid(p[f"W_{k}"] @ p["x"] + p[f"U_{k}"] @ h + p[f"b_{k}"]) for k in "fi")
        return f * c + i * xp.tanh(p["W_c"] @ p["x"] + p["U_c"] @ h + p["b_c"])

    def rnn_h(h: Any, p: Any) -> Any:
        return xp.tanh(p["W"] @ p["x"] + p["U"] @ h + p["b"])

    return {"gru": gru_h, "gru_reset_after": after_h, "lstm": lstm_c, "rnn": rnn_h}[name]


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Threads that are started here are started for one core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def peers(name: str, wrt: str, p: Arrays) -> tuple[dict[str, Call], list[str]]:
    """`jax.jit(jax.jacrev)` and `torch.func.jacrev` of the same function, and what is not installed."""
    calls: dict[str, Call] = {}
    absent = []
    rest = {k: a for k, a in p.items() if k != wrt}
    try:
        with one_core():  # XLA makes a thread for each core that it sees
            import jax

            jitted = jax.jit(jax.jacrev(plain(name, jax.numpy, jax.nn.sigmoid)))
            jv, jp = jax.numpy.asarray(p[wrt]), {k: jax.numpy.asarray(a) for k, a in rest.items()}
            jitted(jv, jp).block_until_ready()
        calls["jax.jit(jacrev)"] = lambda: jitted(jv, jp).block_until_ready()
    except ImportError:
        absent.append("jax")
    try:
        import torch

        torch.set_num_threads(1)
        traced = torch.func.jacrev(plain(name, torch, torch.sigmoid))
        tv, tp = torch.from_numpy(p[wrt]), {k: torch.from_numpy(a) for k, a in rest.items()}
        calls["torch.func.jacrev"] = lambda: traced(tv, tp)
    except ImportError:
        absent.append("torch")
    return calls, absent


def given(cell: sg.Cell, p: Arrays) -> Arrays:
    """The arguments, the LSTM's h_{t-1} being o_{t-1} tanh(c_{t-1})."""
    return p if "o_prev" not in p else {**p, "h": p["o_prev"] * np.tanh(p["c"])}


CASES = {
    "GRU ∂h/∂h": (gru, "h", (), (), 2.5),
    "GRU reset-after ∂h/∂h": (gru_reset_after, "h", (), (), 15),
    "RNN ∂h/∂h": (rnn, "h", (), (), 15),
    "LSTM ∂c/∂c through h": (lstm, "c", ("h",), ("o_prev",), 15),
}


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def row(*cells: str) -> None:
    """One line of the table."""
    print(f"{cells[0]:<30}{cells[1]:>6}  {cells[2]:<24}{cells[3]:>10}  {'  '.join(cells[4:])}", flush=True)


def single(sizes: tuple[int, ...], quick: bool) -> set[str]:
    """A point a call."""
    missing: set[str] = set()
    for title, (cell, wrt, through, extra, goal) in CASES.items():
        compiled = sg.jacobian(cell, wrt, wrt, through).numpy()
        for n in sizes:
            p = arrays(cell, n, extra=extra)
            q, out, workspace = given(cell, p), np.empty((n, n)), compiled.workspace()
            others, absent = peers(cell.name, wrt, p)
            missing |= set(absent)
            ours = compiled(**q)
            for name, call in others.items():
                if not np.allclose(ours, np.asarray(call()), rtol=1e-9, atol=1e-12):
                    raise SystemExit(f"{title}: {name} disagrees")
            calls: dict[str, Call] = {"symgrad": functools.partial(compiled, **q, out=out, workspace=workspace)}
            calls["symgrad, nothing reused"] = functools.partial(compiled, **q)
            if cell is gru:
                calls["floor"] = floor(p, n)
            times = medians({**calls, **others}, (24 if n > 128 else 400) if quick else (96 if n > 128 else 4000))
            for name, t in times.items():
                ratio = times["symgrad"] / t if name == "floor" else t / times["symgrad"]
                goals = {"floor": {512: "goal ≤ 1.15", 256: "goal ≤ 1.2"}.get(n, ""), "symgrad": "", "symgrad, nothing reused": ""}
                target = goals.get(name, f"goal ≥ {goal}" if n == 512 else "")
                text = "" if name == "symgrad" else f"symgrad is {ratio:.3f} × this" if name == "floor" else f"{ratio:.3g} × symgrad"
                row(title, str(n), name, duration(t), text, target)
    return missing


def batches(sizes: tuple[tuple[int, int], ...], quick: bool) -> None:
    """Many small points in one call."""
    for title, (cell, wrt, through, extra, _) in CASES.items():
        compiled = sg.jacobian(cell, wrt, wrt, through).numpy()
        for n, points in sizes:
            p = given(cell, arrays(cell, n, (points,), extra))
            alone = {k: a[0].copy() if a.shape[0] == points and a.ndim == 2 and points != n else a for k, a in p.items()}
            many, one, workspace = np.empty((points, n, n)), np.empty((n, n)), compiled.workspace()
            compiled(**alone, out=one, workspace=workspace)
            compiled(**p, out=many, workspace=workspace)
            if not np.allclose(many[0], one, rtol=1e-11, atol=1e-14):
                raise SystemExit(f"{title}: the batch disagrees")
            batch = functools.partial(compiled, **p, out=many, workspace=workspace)
            call = functools.partial(compiled, **alone, out=one, workspace=workspace)
            whole, each = medians({"": batch}, 8 if quick else 32)[""] / points, medians({"": call}, 400 if quick else 4000)[""]
            text = f"a call per point: {duration(each)}, {each / whole:.3g} ×"
            row(title, str(n), f"batch of {points}, a point", duration(whole), text, "goal ≥ 10" if n == 16 else "")


def profile(title: str, n: int, rounds: int = 40) -> None:
    """Every line of the generated function with a clock after it: the medians, those above 1 % of the whole."""
    cell, wrt, through, extra, _ = CASES[title]
    p = given(cell, arrays(cell, n, extra=extra))
    source = sg.jacobian(cell, wrt, wrt, through).numpy().source(*p).splitlines()
    body = next(k for k, line in enumerate(source) if line.startswith("    def run(")) + 1
    spent: dict[int, list[float]] = {k: [] for k in range(body, len(source) - 1)}
    last = 0.0

    def clock(k: int) -> None:
        nonlocal last
        spent[k].append(time.perf_counter() - last)
        last = time.perf_counter()

    scope: dict[str, Any] = {**vars(np), "clock": clock}
    exec("\n".join(f"{line}\n        clock({k})" if k in spent else line for k, line in enumerate(source)), scope)
    make = scope["make"]
    run = make(lambda name, shape: np.empty(shape), np.array, 700.0, *[n] * (make.__code__.co_argcount - 3))
    names = run.__code__.co_varnames[1 : run.__code__.co_argcount]
    out = np.empty((n, n))
    with np.errstate():
        np.setbufsize(16)  # as the compiled function has it for long rows
        for _ in range(rounds):
            last = time.perf_counter()
            run(out, *(p[name] for name in names))
    times = {k: statistics.median(t) for k, t in spent.items()}
    whole = sum(times.values())
    print(f"{title}, n = {n}: {duration(whole)}")
    for k, t in sorted(times.items(), key=lambda item: -item[1]):
        if t > 0.01 * whole:
            print(f"  {duration(t):>9}  {100 * t / whole:4.1f} %  {source[k].strip()}")
    print(f"  {duration(sum(t for t in times.values() if t <= 0.01 * whole)):>9}          the other lines")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--profile", action="store_true", help="where the time of the generated code goes, and nothing else")
    options = parser.parse_args()
    if options.profile:
        for title in ("GRU ∂h/∂h", "LSTM ∂c/∂c through h"):
            for n in (256, 512):
                profile(title, n)
        return
    quick = options.quick
    missing = single((16, 256, 512), quick)
    for name in sorted(missing):
        print(f"({name} is not installed: left out)")
    batches(((16, 4096), (64, 256)), quick)


if __name__ == "__main__":
    main()
