"""Counterexamples: both sides at real values, every gate computed by its own equation, to fifty digits.

This is also what makes a refutation certain: whatever the other deciders took for independent, here are numbers for which the two differ.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import sympy as sp

from symgrad.decide.evaluate import Evaluator
from symgrad.decide.limits import Budget, Stopped, Unsupported
from symgrad.decide.world import World
from symgrad.language.tensor import Tensor

DIGITS = 50
SEEDS = 3
HUGE = 10**6  # an exponent above which nothing is evaluated
NOISE = mpmath.mpf(10) ** -40  # what rounding may leave of an equality, relative to the values
Array = Any


def _entrywise(f: Callable[..., Any]) -> Callable[..., Array]:
    return lambda *args: np.frompyfunc(f, len(args), 1)(*args)


class OutsideDomain(ArithmeticError):
    """No value, or none that can be held, at these numbers."""


def _exp(a: Any) -> Any:
    if abs(a) > HUGE:
        raise OutsideDomain
    return mpmath.exp(a)


def _log(a: Any) -> Any:
    if a <= 0:
        raise OutsideDomain
    return mpmath.log(a)


def _sqrt(a: Any) -> Any:
    if a < 0:
        raise OutsideDomain
    return mpmath.sqrt(a)


def _softplus(a: Any) -> Any:
    return a + mpmath.log(1 + _exp(-a)) if a > 0 else mpmath.log(1 + _exp(a))


RULES: dict[str, Callable[..., Array]] = {
    "sigmoid": _entrywise(lambda a: 1 / (1 + _exp(-a))),
    "tanh": _entrywise(mpmath.tanh),
    "exp": _entrywise(_exp),
    "log": _entrywise(_log),
    "softplus": _entrywise(_softplus),
    "relu": _entrywise(lambda a: max(a, mpmath.mpf(0))),
    "step": _entrywise(lambda a: mpmath.mpf(1 if a > 0 else 0)),
    "sign": _entrywise(mpmath.sign),
    "abs": _entrywise(abs),
}


class Reals:
    """Real numbers of fifty digits; names take small rational values drawn from a seed, free functions are sines."""

    trials = 1

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.drawn: dict[str, Array] = {}

    def number(self, value: int | Fraction) -> Any:
        return mpmath.mpf(value.numerator) / value.denominator

    def reduce(self, a: Array) -> Array:
        return a

    def power(self, a: Array, k: int) -> Array:
        return a**k

    def root(self, a: Array) -> Array:
        return _entrywise(_sqrt)(a)

    def variable(self, name: str, shape: tuple[int, ...]) -> Array:
        count = int(np.prod(shape)) if shape else 1
        values = [mpmath.mpf(self.random.choice((-1, 1)) * self.random.randint(1, 16)) / 8 for _ in range(count)]
        self.drawn[name] = np.asarray(values, dtype=object).reshape(1, *shape)
        return self.drawn[name]

    def apply(self, function: str, args: Sequence[Array]) -> Array:
        """A function of the table; a free one g is sin(αa + β), and its derivatives those of it."""
        if function in RULES:
            return RULES[function](*args)
        name = function.rstrip("'")
        order = len(function) - len(name)
        alpha, beta = (mpmath.mpf(zlib.crc32(f"{name}{k}".encode()) % 89 + 10) / 70 for k in (0, 1))
        return _entrywise(lambda *a: alpha**order * mpmath.sin(alpha * sum(a) + beta + order * mpmath.pi / 2))(*args)

    def call(self, function: str, args: Sequence[Array], shape: tuple[int, ...]) -> Array:
        """A free function of whole arrays: sines of sums with different weights."""
        if not shape and all(np.ndim(a) == 1 for a in args):
            return self.apply(function, args)
        out = np.empty((1, *shape), dtype=object)
        for at in np.ndindex(*shape):
            weights = random.Random(f"{function}{at}")
            out[(0, *at)] = mpmath.sin(sum(weights.randint(1, 9) * v / 7 for a in args for v in np.asarray(a).reshape(-1)))
        return out


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Values at which the two sides differ: `sizes` and `seed` give them again, `entry` is where they differ most."""

    sizes: dict[str, int]
    seed: int
    values: dict[str, Any]
    left: Any
    right: Any
    entry: tuple[int, ...]
    difference: float

    @property
    def n(self) -> int:
        """The size of the state."""
        return self.sizes.get("n", 1)

    @property
    def m(self) -> int:
        """The size of the input."""
        return self.sizes.get("m", self.n)

    def __str__(self) -> str:
        where = ", ".join(f"{k} = {v}" for k, v in self.sizes.items())
        a, b = (np.asarray(v)[self.entry] for v in (self.left, self.right))
        place = f"[{', '.join(str(i) for i in self.entry)}]" if self.entry else ""
        what = f"entry {place}" if place else "it"
        return f"at {where or 'size 1'} (seed {self.seed}): {what} is {a:.6g}, claimed {b:.6g}, difference {self.difference:.3g}"


def counterexample(world: World, a: Tensor, b: Tensor, choices: Sequence[dict[sp.Symbol, int]], budget: Budget) -> Counterexample | None:
    """Values at which a and b differ by more than rounding, at one of these choices of sizes, or None if none were found."""
    for sizes in choices:
        for seed in range(SEEDS):
            found = _at(world, a, b, sizes, seed, budget, DIGITS)
            if found is None:
                continue
            again = _at(world, a, b, sizes, seed, budget, 3 * DIGITS)
            if again is not None and abs(again.difference - found.difference) <= 1e-6 * found.difference:
                return found  # and no cancellation of large numbers
    return None


def _at(world: World, a: Tensor, b: Tensor, sizes: dict[sp.Symbol, int], seed: int, budget: Budget, digits: int) -> Counterexample | None:
    with mpmath.workdps(digits):
        field = Reals(seed)
        evaluator = Evaluator(world, field, sizes, budget, free_gates=False)
        try:
            left, right = evaluator.tensor(a)[0], evaluator.tensor(b)[0]
        except ArithmeticError:
            return None
        except (TypeError, ValueError) as e:
            raise Unsupported(f"a real value: {e}") from e
        pairs = list(zip(np.asarray(left, dtype=object).reshape(-1), np.asarray(right, dtype=object).reshape(-1), strict=True))
        if not pairs:
            return None
        flat = [abs(p - q) for p, q in pairs]
        worst = max(range(len(flat)), key=lambda k: flat[k])
        scale = max([mpmath.mpf(1), *(abs(v) for pair in pairs for v in pair)])
        if not flat[worst] > NOISE * scale:
            return None
        named = {s.name: v for s, v in evaluator.values.items() if s in world.shapes and s not in world.atoms and s not in world.blocks}
        entry = tuple(int(i) for i in np.unravel_index(worst, np.shape(left)))
        values = {name: _floats(v[0]) for name, v in sorted(named.items())}
        return Counterexample({s.name: k for s, k in sizes.items()}, seed, values, _floats(left), _floats(right), entry, float(flat[worst]))


def _floats(a: Array) -> Any:
    """Nested tuples of floats."""
    a = np.asarray(a, dtype=object)
    if a.ndim == 0:
        value = a[()]
        if isinstance(value, mpmath.mpc):
            raise Stopped("a value that is not real")
        return float(value)
    return tuple(_floats(x) for x in a)
