r"""The modular identity test: both sides evaluated exactly at random residues modulo p = 2^61 - 1 (Schwartz–Zippel).

Two different polynomials of degree d agree at a random point with probability at most d/p; two of them in values that are 0 or 1 too, b of these in
a term, with probability at most 1 - 2^{-b} (1 - d/p).  The sizes n, m are large enough that different derivatives are different polynomials
(`bounds`).  Trials are repeated until the error is below 2^-100.  Applied functions add the probability that two different
arguments take the same value.
"""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp

from symgrad.decide.bounds import Bound, Bounds
from symgrad.decide.evaluate import Evaluator
from symgrad.decide.limits import Budget, Exhausted, Stopped, Unsupported
from symgrad.decide.residues import INEXACT, LIKELIEST, Redraw, Residues
from symgrad.decide.world import World
from symgrad.language.tensor import Tensor

TARGET = 100  # bits of certainty
REDRAWS = 3  # of values at which something is divided by zero


class TooLarge(Exhausted):
    """Dense matrices are not enough."""


@dataclass(frozen=True, slots=True)
class Modular:
    """What the test found: `error` bounds the probability of a wrong `equal`; `exact` says whether unequal values mean unequal derivatives."""

    equal: bool
    error: Fraction
    exact: bool
    sizes: dict[sp.Symbol, int]
    seed: int
    trials: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and number of trials that make the error small enough."""

    size: int
    lone: int
    trials: int
    per_trial: Fraction
    exact: bool
    functions: bool


def letters(world: World, *tensors: Tensor) -> list[sp.Symbol]:
    """The letters of every size that may occur."""
    dims = {d for shape in world.shapes.values() for d in shape} | {d for t in tensors for d in t.dims}
    return sorted({s for d in dims for s in d.free_symbols}, key=lambda s: s.name)


def plan(world: World, a: Tensor, b: Tensor, budget: Budget, largest: int = 0) -> Plan:
    """What must be evaluated to decide a = b."""

    def bounded(size: int) -> tuple[Bounds, Bound]:
        bounds = Bounds(world, size)
        total = bounds.tensor(a) + bounds.tensor(b)
        if bounds.functions:
            bounds.gates()
        return bounds, total

    bounds, total = bounded(1)
    size = max([1, a.rank + total.indices, *(rank + bound.indices for rank, bound in bounds.arguments)])
    if total.below or any(bound.below for _, bound in bounds.arguments):
        bounds, total = bounded(max(largest, min(size, budget.limits.size) + total.lone))
    if any(bound.bits for _, bound in bounds.arguments):
        raise Unsupported("a function of something that has a kink")
    degree = total.above + total.below
    if degree > budget.limits.degree:
        raise Exhausted(f"the degree {degree} is above {budget.limits.degree}")
    inner = max((bound.above for _, bound in bounds.arguments), default=0) + max((bound.below for _, bound in bounds.arguments), default=0)
    asked = sum(max(largest, size + total.lone) ** rank for rank, _ in bounds.arguments)
    met = (4 * asked + 2) ** 2  # pairs of 0, 1, ±a, ±2a for every argument a: where two of them agree by chance, so do values that need not
    likely = min(Fraction(1), (degree + met * inner) * LIKELIEST)
    per_trial = 1 - Fraction(1, 2**total.bits) * (1 - likely)
    return Plan(size, total.lone, trials(per_trial), per_trial, not bounds.functions & INEXACT, bool(bounds.functions))


def trials(per_trial: Fraction) -> int:
    """How many trials bring the error below 2^-100."""
    if per_trial >= 1:
        raise Exhausted("no number of trials would be enough for these degrees")
    if per_trial == 0:
        return 1
    log = math.log1p(-float(1 - per_trial)) if per_trial > Fraction(1, 2) else math.log(per_trial.numerator) - math.log(per_trial.denominator)
    count = math.ceil(TARGET * math.log(2) / -log)
    if count > 2000:
        raise Exhausted(f"{count} trials would be needed, for the many values that are 0 or 1")
    return count


def decide(
    world: World,
    a: Tensor,
    b: Tensor,
    budget: Budget,
    seed: int | None = None,
    size: int | None = None,
    sizes: Mapping[sp.Symbol, int] | None = None,
) -> Modular:
    """Whether a = b; with `sizes`, at these alone; with `size`, only whether they differ at matrices of that size (error 1 if not).

    Without a `seed` the system gives one, for the stated error is that of values which no author of a claim can have known.
    """
    seed = secrets.randbits(64) if seed is None else seed
    need = plan(world, a, b, budget, max(sizes.values()) if sizes else 0)
    names = letters(world, a, b)
    fixed = dict.fromkeys(names, size) if size is not None else {s: sizes.get(s, max(sizes.values())) for s in names} if sizes else {}
    if not fixed and need.size > budget.limits.size:
        raise TooLarge(f"matrices of size {need.size} would be needed, the limit is {budget.limits.size}")
    ranges = [range(fixed[s], fixed[s] + 1) if fixed else range(need.size, need.size + need.lone + 1) for s in names]
    if math.prod(map(len, ranges)) > 64:
        raise Exhausted("too many sizes would have to be tried")
    count = need.trials if size is None else 1
    for chosen in itertools.product(*ranges):
        given = dict(zip(names, chosen, strict=True))
        if not _same(world, a, b, given, budget, seed, count, need):
            return Modular(False, Fraction(0), need.exact, given, seed, count)
    error = need.per_trial**need.trials if size is None else Fraction(1)
    return Modular(True, error, need.exact, given, seed, count)


def _same(world: World, a: Tensor, b: Tensor, sizes: dict[sp.Symbol, int], budget: Budget, seed: int, count: int, need: Plan) -> bool:
    """All trials at one choice of sizes; drawn again where something is divided by zero."""
    for again in range(REDRAWS):
        evaluator = Evaluator(world, Residues(count, seed + again), sizes, budget, free_gates=not need.functions)
        try:
            return bool(np.all(evaluator.tensor(a) == evaluator.tensor(b)))
        except Redraw as e:
            reason = e
    raise Stopped(str(reason))
