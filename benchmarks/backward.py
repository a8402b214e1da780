"""Forward and all gradients of a GRU or LSTM over a sequence: the generated NumPy code against JAX, torch and its own bare matrix products.

One process, one thread; the contestants take turns, so that a busy machine is busy for all.  Run it alone:

    python benchmarks/backward.py                     # gru and lstm, n = 64 and 256, float64 and float32
    python benchmarks/backward.py --cells gru --n 64 --rounds 30 --profile
"""

# ruff: noqa: E402 (the number of threads is read when NumPy is imported)
from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

if hasattr(os, "sched_setaffinity"):  # one core for all: XLA's runtime has threads of its own whatever the flags say
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad import cells
from symgrad.face.backward import module

Run = Callable[[], Any]
TORCH = {"gru": "gru_torch", "lstm": "lstm_torch"}


def problem(cell: Any, T: int, B: int, n: int, dtype: Any) -> dict[str, Any]:
    """Inputs, states, parameters and incoming gradients, m = n."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return (rng.standard_normal(shape) / np.sqrt(n)).astype(dtype)

    params = {p: draw(*(n for _ in cell.program.shapes[cell.program.symbol(p)])) for p in cell.parameters}
    states = {s: draw(B, n) for s in cell.states}
    return {"xs": draw(T, B, n), "states": states, "params": params, "dys": draw(T, B, n), "dfinal": {s: np.zeros((B, n), dtype) for s in cell.states}}


def generated(cell: Any, p: dict[str, Any]) -> Run:
    """The module that `symgrad backward CELL --to numpy` prints."""
    scope: dict[str, Any] = {}
    exec(compile(module(cell), "<generated>", "exec"), scope)

    def run() -> Any:
        _, _, cache = scope["forward"](p["xs"], p["states"], p["params"])
        return scope["backward"](p["dys"], p["dfinal"], cache)

    return run


def floor(cell: Any, p: dict[str, Any]) -> Run:
    """Its matrix products and nothing else: input, recurrence and its transpose, weight and input gradients."""
    T, B, n = p["xs"].shape
    dtype = p["xs"].dtype
    groups = [2, 1] if cell.name == "gru" else [4]  # gates that share an operand
    G = sum(groups)
    x, a, w = p["xs"].reshape(T * B, n), np.empty((T * B, G * n), dtype), np.ones((G * n, n), dtype)
    h = np.ones((B, n), dtype)
    parts = [(np.ones((n, g * n), dtype), np.ones((g * n, n), dtype), np.empty((B, g * n), dtype), np.empty((B, n), dtype)) for g in groups]

    def run() -> None:
        np.matmul(x, w.T, out=a)
        for _ in range(T):
            for there, back, wide, narrow in parts:
                np.dot(h, there, out=wide)
                np.dot(wide, back, out=narrow)
        first = 0
        for g in groups:
            a[:, first : first + g * n].T @ x
            first += g * n
        a.T @ x
        a @ w

    return run


def jax_scan(cell: Any, p: dict[str, Any]) -> Run | None:
    """jax.jit(grad(scan)) of the same cell."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    q = p["params"]

    def gru(state: Any, xs: Any, w: Any) -> Any:
        (h,) = state
        z = jax.nn.sigmoid(xs @ w["W_z"].T + h @ w["U_z"].T + w["b_z"])
        r = jax.nn.sigmoid(xs @ w["W_r"].T + h @ w["U_r"].T + w["b_r"])
        new = jnp.tanh(xs @ w["W_h"].T + (r * h) @ w["U_h"].T + w["b_h"])
        return (z * h + (1 - z) * new,)

    def lstm(state: Any, xs: Any, w: Any) -> Any:
        h, c = state
        f, i, o = (jax.nn.sigmoid(xs @ w[f"W_{g}"].T + h @ w[f"U_{g}"].T + w[f"b_{g}"]) for g in "fio")
        c = f * c + i * jnp.tanh(xs @ w["W_c"].T + h @ w["U_c"].T + w["b_c"])
        return o * jnp.tanh(c), c

    step = {"gru": gru, "lstm": lstm}[cell.name]

    def loss(xs: Any, states: Any, w: Any, dys: Any) -> Any:
        def one(state: Any, x: Any) -> Any:
            new = step(state, x, w)
            return new, new[0]

        _, ys = jax.lax.scan(one, states, xs)
        return (ys * dys).sum()

    grad = jax.jit(jax.grad(loss, argnums=(0, 1, 2)))
    args = (jnp.asarray(p["xs"]), tuple(map(jnp.asarray, p["states"].values())), {k: jnp.asarray(v) for k, v in q.items()}, jnp.asarray(p["dys"]))
    return lambda: jax.block_until_ready(grad(*args))


def torch_own(cell: Any, p: dict[str, Any]) -> Run | None:
    """torch.nn.GRU or nn.LSTM (its own cell, two biases), forward and backward."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    n = p["xs"].shape[2]
    xs = torch.tensor(p["xs"], requires_grad=True)
    net = getattr(torch.nn, cell.name.upper())(n, n).to(xs.dtype)
    states = tuple(torch.tensor(s[None], requires_grad=True) for s in p["states"].values())
    dys = torch.tensor(p["dys"])

    def run() -> None:
        net.zero_grad()
        ys, _ = net(xs, states if len(states) > 1 else states[0])
        ys.backward(dys)

    return run


def torch_loop(cell: Any, p: dict[str, Any]) -> Run | None:
    """torch's autograd over a Python loop of the same cell."""
    try:
        import torch
    except ImportError:
        return None
    w = {k: torch.tensor(v, requires_grad=True) for k, v in p["params"].items()}
    xs = torch.tensor(p["xs"], requires_grad=True)
    first = tuple(torch.tensor(s, requires_grad=True) for s in p["states"].values())
    dys = torch.tensor(p["dys"])

    def gate(g: str, x: Any, h: Any) -> Any:
        return x @ w[f"W_{g}"].T + h @ w[f"U_{g}"].T + w[f"b_{g}"]

    def step(x: Any, h: Any, c: Any = None) -> Any:
        if cell.name == "gru":
            z, r = torch.sigmoid(gate("z", x, h)), torch.sigmoid(gate("r", x, h))
            return (z * h + (1 - z) * torch.tanh(x @ w["W_h"].T + (r * h) @ w["U_h"].T + w["b_h"]),)
        f, i, o = (torch.sigmoid(gate(g, x, h)) for g in "fio")
        c = f * c + i * torch.tanh(gate("c", x, h))
        return o * torch.tanh(c), c

    def run() -> None:
        state, ys = first, []
        for t in range(xs.shape[0]):
            state = step(xs[t], *state)
            ys.append(state[0])
        (torch.stack(ys) * dys).sum().backward()

    return run


def stored(cell: Any, p: dict[str, Any]) -> str:
    """What forward keeps for backward, in units of one (T, B, n) array, the inputs apart."""
    scope: dict[str, Any] = {}
    exec(compile(module(cell), "<generated>", "exec"), scope)
    _, _, cache = scope["forward"](p["xs"], p["states"], p["params"])
    arrays = [a for a in cache[1:] if isinstance(a, np.ndarray)]
    return f"{sum(a.nbytes for a in arrays) / p['xs'].nbytes:.2f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", nargs="+", default=["gru", "lstm"])
    options.add_argument("--n", nargs="+", type=int, default=[64, 256])
    options.add_argument("--dtype", nargs="+", default=["float64", "float32"])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("-T", type=int, default=100)
    options.add_argument("-B", type=int, default=32)
    options.add_argument("--profile", action="store_true", help="where the time of the generated code goes: by kind, and the slowest lines")
    args = options.parse_args()
    for name in args.cells:
        cell = cells.LIBRARY[name]
        for dtype in args.dtype:
            for n in args.n:
                p = problem(cell, args.T, args.B, n, np.dtype(dtype))
                made = {
                    "symgrad": generated(cell, p),
                    "floor": floor(cell, p),
                    "jax scan": jax_scan(cell, p),
                    "torch nn": torch_own(cell, p),
                    "torch loop": torch_loop(cell, p),
                }
                runs = {k: r for k, r in made.items() if r is not None}
                times: dict[str, list[float]] = {k: [] for k in runs}
                for k in range(args.rounds + 2):
                    for who, run in runs.items():
                        start = time.perf_counter()
                        run()
                        if k > 1:
                            times[who].append(1e3 * (time.perf_counter() - start))
                half = {k: sorted(v)[len(v) // 2] for k, v in times.items()}
                best = {k: min(v) for k, v in times.items()}
                ours, least = half["symgrad"], best["symgrad"]
                row = "  ".join(f"{k} {t:.1f} ms (ours/it {ours / t:.2f}, best {least / best[k]:.2f})" for k, t in half.items() if k != "symgrad")
                print(f"{name} {dtype} n={n}: symgrad {ours:.1f} ms, stores {stored(cell, p)} (T,B,n); {row}", flush=True)
                if args.profile:
                    profile(cell, p, 1e-3 * half["floor"])


def kind(line: str) -> str:
    """What a line of the generated code spends its time on."""
    if " @ " in line or "np.matmul" in line or "np.dot" in line:
        return "products"
    if "np.exp(" in line or "np.tanh(" in line:
        return "exp, tanh"
    return "entry by entry" if "np." in line or re.search(r" [-+*/]= |sum\(|sigmoid\(", line) else "views, loops"


def profile(cell: Any, p: dict[str, Any], floor_seconds: float) -> None:
    """Where the time goes: every line of the module with a clock after it, summed by kind in units of the floor, then the slowest lines."""
    source = module(cell).splitlines()
    out, spent = [], {}
    for k, line in enumerate(source):
        out.append(line)
        if re.match(r"\s+(np\.|\w+ [-+*/]?= |sigmoid\(|\w+(, \w+)+ = |\})", line) and line.strip() != "dparams = {":
            out.append(f"{line[: len(line) - len(line.lstrip())]}_clock({k})")
        elif line.strip().startswith('"') and "@" in line:  # a gradient in the dict: timed as it is computed
            name, code = line.strip().rstrip(",").split(": ", 1)
            out[-1] = f"    {name}: _after({code}, {k}),"
    clock = [0.0]
    rounds = 10

    def tick(k: int) -> None:
        now = time.perf_counter()
        spent[k] = spent.get(k, 0.0) + (now - clock[0]) / rounds
        clock[0] = time.perf_counter()

    def after(value: Any, k: int) -> Any:
        tick(k)
        return value

    scope: dict[str, Any] = {"_clock": tick, "_after": after}
    exec(compile("\n".join(out), "<profiled>", "exec"), scope)
    for _ in range(rounds):
        clock[0] = time.perf_counter()
        _, _, cache = scope["forward"](p["xs"], p["states"], p["params"])
        clock[0] = time.perf_counter()
        scope["backward"](p["dys"], p["dfinal"], cache)
    kinds: dict[str, float] = {}
    for k, t in spent.items():
        kinds[kind(source[k])] = kinds.get(kind(source[k]), 0.0) + t
    print("  " + ", ".join(f"{name} {1e3 * t:.1f} ms = {t / floor_seconds:.2f} × floor" for name, t in sorted(kinds.items(), key=lambda i: -i[1])))
    for k, t in sorted(spent.items(), key=lambda item: -item[1])[:20]:
        print(f"  {1e3 * t:7.3f} ms  {source[k].strip()[:110]}")


if __name__ == "__main__":
    main()
