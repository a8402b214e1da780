"""Where a cell is verified: random shapes with n ≠ m, saturated gates, large preactivations, single precision."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import sympy as sp

from symgrad.language.activations import Activation
from symgrad.language.functions import ROWS
from symgrad.verify.evaluate import Array, Evaluation
from symgrad.verify.standin import Subject

TRIES = 400
SATURATED, LARGE = 40.0, (1e3, 1e4)


@dataclass(frozen=True, eq=False)
class Point:
    """Sizes, and a value for every argument of the cell; `later` are the inputs of the step after, for derivatives through a state."""

    sizes: dict[sp.Symbol, int]
    values: dict[str, Array]
    later: dict[str, Array]

    def cast(self, kind: type[np.generic]) -> Point:
        """The same point in another precision."""
        return Point(self.sizes, *({k: v.astype(kind) for k, v in d.items()} for d in (self.values, self.later)))


def ordinary(subject: Subject, rng: np.random.Generator, sizes: dict[sp.Symbol, int] | None = None) -> Point | None:
    """Independent normal numbers, of a size that leaves gates in their middle, away from every kink; None if no finite point is found."""
    for _ in range(TRIES):
        point = _drawn(subject, rng, sizes)
        if _fits(subject, point, 0.0, np.inf):
            return point
    return None


def saturated(subject: Subject, rng: np.random.Generator, every: bool) -> Point | None:
    """States and parameters scaled up until half of the preactivations are at ±40 or more; or (not `every`) some arguments, until one is."""
    for _ in range(TRIES // 10):
        point = _drawn(subject, rng)
        names = [n for n in point.values if n not in subject.cell.inputs]
        chosen = names if every else [n for n in names if rng.random() < 0.4] or names[:1]
        for _ in range(16):
            point = _scaled(point, chosen, 1.6)
            sizes = _magnitudes(subject, point)
            if sizes.size and (np.median(sizes) if every else sizes.max()) >= SATURATED:
                if _fits(subject, point, 0.0, LARGE[1]):
                    return point
                break
    return None


def large(subject: Subject, rng: np.random.Generator) -> Point | None:
    """Parameters and states scaled up until the largest preactivation lies between 1e3 and 1e4."""
    for _ in range(TRIES // 10):
        point = _drawn(subject, rng)
        names = [n for n in point.values if n not in subject.cell.inputs]
        for _ in range(40):
            sizes = _magnitudes(subject, point)
            if not sizes.size:
                return _scaled(point, names, 100.0)  # a linear cell: large values are all there is
            if sizes.max() >= LARGE[0]:
                if _fits(subject, point, *LARGE):
                    return point
                break
            point = _scaled(point, names, 1.5)
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing overflows and nothing warns in here, or it is an error; underflow to 0 is what saturation means."""
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise", under="ignore"):
        warnings.simplefilter("error")
        yield


def _drawn(subject: Subject, rng: np.random.Generator, sizes: dict[sp.Symbol, int] | None = None) -> Point:
    program = subject.program
    letters = sorted({s for shape in program.shapes.values() for d in shape for s in d.free_symbols}, key=str)
    chosen = rng.permutation(np.arange(2, 2 + max(4, len(letters))))[: len(letters)]
    sizes = sizes or {s: int(k) for s, k in zip(letters, chosen, strict=True)}
    scaled = Evaluation(program, sizes, {})

    def normal(s: sp.Symbol, spread: float) -> Array:
        return np.asarray(spread * rng.standard_normal([scaled.number(d) for d in program.shapes[s]]))

    values = {s.name: normal(s, 0.6 if s in program.parameters else 0.9) for s in (*program.inputs, *program.states, *program.parameters)}
    return Point(sizes, values, {s.name: normal(s, 0.9) for s in program.inputs})


def _scaled(point: Point, names: list[str], factor: float) -> Point:
    return Point(point.sizes, {k: v * factor if k in names else v for k, v in point.values.items()}, point.later)


def preactivations(subject: Subject, point: Point) -> Iterator[tuple[Activation, Array]]:
    """Every activation that the equations apply, with its argument at this point and one step later."""
    program = subject.program
    now = subject.equations(point.sizes, point.values)
    new = {old.name: now.of(s) for old, s in program.updates.items()}
    after = subject.equations(point.sizes, {**point.values, **point.later, **new})
    for run in (now, after):
        for e in (e for s in (*program.equations, *program.atoms) for e in program.uses(s)):
            for f in e.atoms(sp.Function):
                yield ROWS[f.func], run.pointwise(f.args[0])


def _magnitudes(subject: Subject, point: Point) -> Array:
    """|a| of all preactivations."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = [np.abs(a).ravel() for _, a in preactivations(subject, point)]
    return np.concatenate(found) if found else np.zeros(0)


def _fits(subject: Subject, point: Point, low: float, high: float) -> bool:
    """Finite, the largest preactivation within bounds, and no kink near: |a| ≥ 0.02 max |a| where the activation has one."""
    try:
        with quiet():
            results = subject.step(point.values).values()
            pairs = list(preactivations(subject, point))
    except (FloatingPointError, RuntimeWarning):
        return False
    if not all(np.all(np.isfinite(v)) for v in (*results, *(a for _, a in pairs))):
        return False
    largest = max((float(np.max(np.abs(a))) for _, a in pairs), default=low)
    return low <= largest <= high and all(row.smooth or bool(np.min(np.abs(a)) >= 0.02 * np.max(np.abs(a))) for row, a in pairs)
