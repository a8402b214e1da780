"""Residues modulo the prime 2^61 - 1: the field in which identities are tested.

An applied function is an unknown of its own at every argument, so its values are drawn at random, one for each argument that
occurs, with the relations σ(-a) = 1 - σ(a), tanh(a) = 2σ(2a) - 1, exp(a) = σ(a)/(1 - σ(a)), softplus(-a) = softplus(a) - a and those of
the step function built in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.decide.limits import Stopped, Unsupported

P = 2**61 - 1
INEXACT = {"exp", "log", "step", "sign", "relu", "abs"}  # functions with relations that random values do not have
LIKELIEST = Fraction(9, 2**64)  # the probability of the likeliest residue: 64 random bits modulo p
Array = Any


class Redraw(Stopped):
    """A value that cannot be used was drawn: a division by zero."""


def _inverse(a: int) -> int:
    if a == 0:
        raise Redraw("a division by zero")
    return pow(a, -1, P)


_inverses = np.frompyfunc(_inverse, 1, 1)
_powers = np.frompyfunc(lambda a, k: pow(a, k, P), 2, 1)


class Residues:
    """Arrays of Python integers modulo 2^61 - 1, drawn from a seed."""

    def __init__(self, trials: int, seed: int) -> None:
        self.trials = trials
        self.random = random.Random(seed)
        self._drawn: dict[Any, int] = {}

    def number(self, value: int | Fraction) -> int:
        return value % P if isinstance(value, int) else value.numerator * pow(value.denominator, -1, P) % P

    def reduce(self, a: Array) -> Array:
        return a % P

    def power(self, a: Array, k: int) -> Array:
        if k < 0:
            return self.power(np.asarray(_inverses(a), dtype=object)[()], -k)
        return a * a % P if k == 2 else _powers(a, k)

    def root(self, a: Array) -> Array:
        raise Unsupported("a root modulo a prime, whose sign is any one's guess")

    def variable(self, name: str, shape: tuple[int, ...]) -> Array:
        count = self.trials
        for s in shape:
            count *= s
        bits = self.random.getrandbits(64 * count).to_bytes(8 * count, "little")
        return (np.frombuffer(bits, dtype=np.uint64) % np.uint64(P)).astype(object).reshape(self.trials, *shape)

    def apply(self, function: str, args: Sequence[Array]) -> Array:
        """function(args), entry by entry."""
        arrays: Sequence[Array] = np.broadcast_arrays(*(np.asarray(a, dtype=object) for a in args))
        out: Array = np.empty(arrays[0].shape if arrays[0].ndim else (1,), dtype=object)
        per_trial = max(1, out.size // out.shape[0])
        rule = RULES.get(function)
        for k, values in enumerate(zip(*(a.reshape(-1) for a in arrays), strict=True)):
            trial = 0 if out.shape[0] == 1 else k // per_trial
            out.reshape(-1)[k] = rule(self, trial, values[0]) if rule else self.draw(function, trial, *values)
        return out if out.shape[0] == self.trials or out.ndim == 0 else np.broadcast_to(out, (self.trials, *out.shape[1:]))

    def call(self, function: str, args: Sequence[Array], shape: tuple[int, ...]) -> Array:
        """An unknown function of whole arrays."""
        if not shape and all(np.ndim(a) == 1 for a in args):  # of numbers it is a function like any other
            return self.apply(function, args)
        out = np.empty((self.trials, *shape), dtype=object)
        for trial in range(self.trials):
            given = tuple(tuple(np.asarray(a[trial]).reshape(-1)) for a in args)
            for at in np.ndindex(*shape):
                out[(trial, *at)] = self.draw(function, trial, given, at)
        return out

    def draw(self, function: str, *key: Any) -> int:
        """The random value of a function at these arguments, the same one whenever it is asked for."""
        key = (function, *key)
        if key not in self._drawn:
            self._drawn[key] = self.random.randrange(P)
        return self._drawn[key]

    def sigmoid(self, trial: int, a: int) -> int:
        """σ(-a) = 1 - σ(a), so σ(0) = 1/2."""
        if a == 0:
            return (P + 1) // 2
        return self.draw("sigmoid", trial, a) if 2 * a < P else (1 - self.draw("sigmoid", trial, P - a)) % P

    def tanh(self, trial: int, a: int) -> int:
        """tanh(a) = 2σ(2a) - 1."""
        return (2 * self.sigmoid(trial, 2 * a % P) - 1) % P

    def exp(self, trial: int, a: int) -> int:
        """e^a = σ(a)/σ(-a)."""
        s = self.sigmoid(trial, a)
        return s * _inverse((1 - s) % P) % P

    def softplus(self, trial: int, a: int) -> int:
        """softplus(-a) = softplus(a) - a."""
        return self.draw("softplus", trial, a) if 2 * a < P else (self.draw("softplus", trial, P - a) + a) % P

    def log(self, trial: int, a: int) -> int:
        """log(1) = 0."""
        if a == 0:
            raise Unsupported("the logarithm of zero")
        return 0 if a == 1 else self.draw("log", trial, a)

    def step(self, trial: int, a: int) -> int:
        """0 or 1, and 1[-a > 0] = 1 - 1[a > 0]."""
        if a == 0:
            return 0
        key = ("step", trial, min(a, P - a))
        if key not in self._drawn:
            self._drawn[key] = self.random.getrandbits(1)
        return self._drawn[key] if 2 * a < P else 1 - self._drawn[key]


RULES: dict[str, Callable[[Residues, int, int], int]] = {
    "sigmoid": Residues.sigmoid,
    "tanh": Residues.tanh,
    "exp": Residues.exp,
    "softplus": Residues.softplus,
    "log": Residues.log,
    "step": Residues.step,
    "relu": lambda f, t, a: a * f.step(t, a) % P,
    "sign": lambda f, t, a: (2 * f.step(t, a) - 1) % P if a else 0,
    "abs": lambda f, t, a: a * (2 * f.step(t, a) - 1) % P,
}
