"""Against automatic differentiation: torch and JAX differentiate the traced equations, and torch's own RNN, GRU, LSTM where a cell is one of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.cells import LIBRARY
from symgrad.face.jacobian import Jacobian
from symgrad.verify.evaluate import Array, Backend
from symgrad.verify.evaluate import plain as python_number
from symgrad.verify.layouts import LAYOUTS, TORCH_ORDER, Layout
from symgrad.verify.numeric import TOLERANCE, Sample, computed, ordinary_points, relative_error
from symgrad.verify.points import Point
from symgrad.verify.report import Check, judged, skipped
from symgrad.verify.response import equations_step, plain, response

POINTS = 2  # each costs milliseconds a derivative


@dataclass(frozen=True)
class Library:
    """How a library of arrays differentiates: its arrays and functions, its Jacobian of a function of one array, double precision."""

    against: str
    backend: Backend
    jacobian: Callable[[Callable[[Any], Any]], Callable[[Any], Any]]
    double: Callable[[], AbstractContextManager[Any]] = nullcontext


def torch_library() -> Library:
    """torch.autograd, by `torch.func.jacrev`."""
    import torch

    zero = torch.zeros((), dtype=torch.float64)
    functions = {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "softplus": torch.nn.functional.softplus,
        "exp": torch.exp, "log": torch.log, "abs": torch.abs, "sign": torch.sign, "step": lambda a: torch.heaviside(a, zero),
    }  # fmt: skip
    backend = Backend(functions, torch.einsum, lambda a: torch.tensor(np.asarray(a, dtype=np.float64)), python_number)
    return Library("torch.autograd", backend, torch.func.jacrev)


def jax_library() -> Library:
    """jax.jacrev, in double precision while it runs."""
    import jax
    import jax.numpy as jnp

    functions = {
        "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "softplus": jax.nn.softplus,
        "exp": jnp.exp, "log": jnp.log, "abs": jnp.abs, "sign": jnp.sign, "step": lambda a: jnp.heaviside(a, 0.0),
    }  # fmt: skip
    backend = Backend(functions, jnp.einsum, lambda a: jnp.asarray(np.asarray(a, dtype=np.float64)), python_number)
    switch: Any = jax.enable_x64 if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64
    return Library("jax.jacrev", backend, jax.jacrev, lambda: switch(True))


def checks(sample: Sample, jacobian: Jacobian, what: str, library: Library) -> Iterator[Check]:
    """One derivative against the library's, at a few random points."""
    claim = sample.subject.concrete(plain(jacobian))
    errors: list[float] = []
    reason = ""
    for point in ordinary_points(sample, POINTS):
        try:
            value = computed(claim, sample.subject, point)
        except Exception as e:  # whatever a wrong formula does when it runs, it has not passed
            errors.append(float("nan"))
            reason = f"{type(e).__name__}: {e}"
            continue
        errors.append(relative_error(value, _reference(sample, claim, point, library)))
    yield judged(what, library.against, "random", errors, TOLERANCE, reason)


def _reference(sample: Sample, claim: Jacobian, point: Point, library: Library) -> Array:
    """∂of/∂wrt by the library."""
    key = (library.against, claim.of, claim.wrt, claim.through, point)
    if key not in sample.memo:
        backend = library.backend
        with library.double():
            arrays = Point(point.sizes, *({k: backend.constant(v) for k, v in d.items()} for d in (point.values, point.later)))
            f, v = response(sample.subject, claim, arrays, equations_step(sample.subject, arrays, backend), backend)
            sample.memo[key] = np.asarray(library.jacobian(f)(v))
    return sample.memo[key]


def torch_cells(sample: Sample, claims: Mapping[str, Jacobian]) -> Iterator[Check]:
    """The new states and their derivatives, by torch.nn.RNNCell, GRUCell or LSTMCell with the same weights."""
    cell, program = sample.subject.cell, sample.subject.program
    layout = LAYOUTS.get(cell.name) if LIBRARY.get(cell.name) is cell else None
    if layout is None or layout.activation == "Affine" or (layout.operator == "GRU" and not layout.linear_before_reset):
        return
    import torch

    new, names = list(program.updates.values()), (*cell.states, *cell.inputs)
    direct = {what: c for what, c in claims.items() if not c.through and c.of in new and c.wrt.name in names}
    errors: dict[str, list[float]] = {what: [] for what in (*(s.name for s in new), *direct)}
    for point in ordinary_points(sample, POINTS):
        own = sample.subject.step(point.values)
        step = _torch_step(layout, point, len(cell.states))
        given = tuple(torch.tensor(point.values[n]) for n in names)
        for s, value in zip(new, step(*given), strict=True):
            errors[s.name].append(relative_error(own[s], value.detach().numpy()))
        found = torch.autograd.functional.jacobian(step, given)
        for what, claim in direct.items():
            block = found[new.index(claim.of)][names.index(claim.wrt.name)].numpy()
            errors[what].append(relative_error(computed(sample.subject.concrete(claim), sample.subject, point), block))
    for what, of_block in errors.items():
        yield judged(what, f"torch.nn.{layout.operator}Cell", "random", of_block, TOLERANCE)


def _torch_step(layout: Layout, point: Point, states: int) -> Callable[..., tuple[Any, ...]]:
    """The module as a function of its states and its input."""
    import torch

    W, U, b_input, b_recurrent = layout.stacked(TORCH_ORDER[layout.operator], point.values)
    n, m = U.shape[1], W.shape[1]
    kind: Any = getattr(torch.nn, f"{layout.operator}Cell")
    more = {"nonlinearity": layout.activation.lower()} if layout.operator == "RNN" else {}
    module = kind(m, n, dtype=torch.float64, **more)
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b_input, "bias_hh": b_recurrent}
    module.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})

    def step(*given: Any) -> tuple[Any, ...]:
        old = given[:states]
        out = module(given[states], old if states > 1 else old[0])
        return out if isinstance(out, tuple) else (out,)

    return step


def missing(name: str) -> Check:
    """The library is not installed."""
    against = {"torch": "torch.autograd", "jax": "jax.jacrev"}[name]
    return skipped("every derivative", against, "random", f"{name} is not installed: pip install symgrad[{name}]")
