r"""The field in which claims are decided: integers modulo p = 2^31 - 1, several random worlds at once.

Every array has a first axis of `WORLDS` independent worlds, so one pass of NumPy decides a claim in all of them.  Two different rational
functions of degree d agree in one random world with probability at most d/p, in all of them with (d/p)^5: below 2^-100 for d < 1000.

Exponentials are residues too: e^a is drawn at random, e^{ka} for k = ±1/4 … ±4 follows from it, and σ, tanh and softmax are the rational
functions of it that they are; so σ(-a) = 1 - σ(a) and tanh a = 2σ(2a) - 1 hold here.  A free function is a random value at every argument.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np

P = 2**31 - 1
MODULUS = np.array(P)  # the same for arrays, by which NumPy divides sooner than by a number
WORLDS = 5
Array = Any  # of int64, the worlds first

_QUARTER, _HALF = pow(4, -1, P), pow(2, -1, P)


class Redraw(Exception):
    """A division by zero: these random values will not do."""


def number(value: int, below: int = 1) -> Array:
    """The rational number value/below in every world."""
    return np.full(WORLDS, value * pow(below, -1, P) % P, dtype=np.int64)


def times(a: Array, b: Array) -> Array:
    """a b, entry by entry, broadcast."""
    return a * b % MODULUS


def matmul(a: Array, b: Array) -> Array:
    """Σ_k a[…, i, k] b[…, k, j]."""
    return ((a[..., :, :, None] * b[..., None, :, :]) % MODULUS).sum(-2) % MODULUS


def power(a: Array, k: int) -> Array:
    """a^k, entry by entry."""
    if k < 0:
        return power(inverse(a), -k)
    out = np.ones_like(a)
    while k:
        if k & 1:
            out = out * a % MODULUS
        a = a * a % MODULUS
        k >>= 1
    return out


def inverse(a: Array) -> Array:
    """1/a, entry by entry."""
    if not a.all():
        raise Redraw
    return np.array([pow(v, -1, P) for v in a.reshape(-1).tolist()], dtype=np.int64).reshape(a.shape)


class Draws:
    """Random values, the same one whenever the same thing is asked for."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._numpy = np.random.default_rng(seed)
        self._exp: list[dict[int, int]] = [{} for _ in range(WORLDS)]
        self._log: list[dict[int, int]] = [{} for _ in range(WORLDS)]  # the inverse,
        self._turned = [0] * WORLDS  # of so many of the first exponentials
        self._drawn: dict[tuple[Any, ...], int] = {}
        self.known: dict[tuple[str, int, int], int] = {}  # f(a) by f, world and a

    def force(self, function: str, a: Array, value: int) -> None:
        """f(a) = value from now on, at every entry of a."""
        for w in range(WORLDS):
            for v in a[w].reshape(-1).tolist():
                self.known[function, w, v] = value

    def array(self, dims: tuple[int, ...]) -> Array:
        """Fresh random residues."""
        return self._numpy.integers(1, P, (WORLDS, *dims), dtype=np.int64)

    def drawn(self, *key: Any) -> int:
        """The random residue that belongs to this key."""
        found = self._drawn.get(key)
        if found is None:
            found = self._drawn[key] = self.random.randrange(1, P)
        return found

    def exp(self, world: int, a: int) -> int:
        """e^a; with it e^{ka} for k = ±1/4, ±1/2, ±1, ±2, ±3, ±4."""
        if a == 0:
            return 1
        known = self._exp[world]
        found = known.get(a)
        if found is None:
            quarter, root = a * _QUARTER % P, self.random.randrange(2, P)
            for sign, r in ((-1, pow(root, -1, P)), (1, root)):
                square = r * r % P
                fourth = square * square % P
                eighth = fourth * fourth % P
                for k, value in ((16, eighth * eighth % P), (12, eighth * fourth % P), (8, eighth), (4, fourth), (2, square), (1, r)):
                    known.setdefault(sign * k * quarter % P, value)
            found = known[a]
        return found

    def log(self, world: int, a: int) -> int:
        """log a, the inverse of `exp`."""
        if a == 0:
            raise Redraw
        if a == 1:
            return 0
        known, back = self._exp[world], self._log[world]
        for argument in itertools.islice(known, self._turned[world], None):
            back.setdefault(known[argument], argument)
        self._turned[world] = len(known)
        found = back.get(a)
        if found is None:
            found = back[a] = self.random.randrange(1, P)
            known[found] = a
        return found

    def sigmoid(self, world: int, a: int) -> int:
        """σ(a) = 1/(1 + e^{-a})."""
        return _over(1, 1 + self.exp(world, -a % P))

    def tanh(self, world: int, a: int) -> int:
        """tanh a = (e^{2a} - 1)/(e^{2a} + 1)."""
        e = self.exp(world, 2 * a % P)
        return _over(e - 1, e + 1)

    def cosh(self, world: int, a: int) -> int:
        """cosh a = (e^a + e^{-a})/2."""
        return (self.exp(world, a) + self.exp(world, -a % P)) * _HALF % P

    def sinh(self, world: int, a: int) -> int:
        """sinh a = (e^a - e^{-a})/2."""
        return (self.exp(world, a) - self.exp(world, -a % P)) * _HALF % P

    def sech(self, world: int, a: int) -> int:
        """sech a = 1/cosh a."""
        return _over(1, self.cosh(world, a))

    def step(self, world: int, a: int) -> int:
        """1[a > 0] as a free value: the slope of relu, with 1[-a > 0] = 1 - 1[a > 0]."""
        return self.drawn("step", world, a) if 2 * a < P else (1 - self.drawn("step", world, -a % P)) % P

    def relu(self, world: int, a: int) -> int:
        """relu a = a 1[a > 0], which is above 0 where a is."""
        s = self.step(world, a)
        y = a * s % P
        at, known = (y, s) if 2 * y < P else (-y % P, (1 - s) % P)
        self._drawn.setdefault(("step", world, at), known)
        return y

    def silu_slope(self, world: int, a: int) -> int:
        """The slope of a σ(a): σ(a) + a σ(a) (1 - σ(a))."""
        s = self.sigmoid(world, a)
        return (s + a * s % P * (1 - s)) % P

    def root(self, world: int, a: int) -> int:
        """√a with √a √a = a, where a has a root."""
        r = pow(a, (P + 1) // 4, P)
        return r if r * r % P == a else self.drawn("root", world, a)


def _over(a: int, b: int) -> int:
    if b % P == 0:
        raise Redraw
    return a * pow(b, -1, P) % P


def _entrywise(rule: Any, a: Array) -> Array:
    out = np.empty_like(a)
    flat, into = a.reshape(len(a), -1), out.reshape(len(a), -1)
    for k in range(len(a)):
        into[k] = [rule(k % WORLDS, v) for v in flat[k].tolist()]
    return out


def _one_minus_square(f: Draws, y: Array, a: Array) -> Array:
    return (1 - y * y) % MODULUS


# Entry-wise functions: the value at a, and the slope there from the value y.
RULES: dict[str, tuple[Any, Any]] = {
    "sigmoid": (Draws.sigmoid, lambda f, y, a: y * ((1 - y) % MODULUS) % MODULUS),
    "tanh": (Draws.tanh, _one_minus_square),
    "cosh": (Draws.cosh, lambda f, y, a: _entrywise(f.sinh, a)),
    "sinh": (Draws.sinh, lambda f, y, a: _entrywise(f.cosh, a)),
    "sech": (Draws.sech, lambda f, y, a: -y * _entrywise(f.tanh, a) % MODULUS),
    "exp": (Draws.exp, lambda f, y, a: y),
    "log": (Draws.log, lambda f, y, a: inverse(a)),
    "relu": (Draws.relu, lambda f, y, a: _entrywise(f.step, a)),
    "step": (Draws.step, lambda f, y, a: np.zeros_like(a)),
    "sqrt": (Draws.root, lambda f, y, a: inverse(2 * y % P)),
    "identity": (lambda f, w, a: a, lambda f, y, a: np.ones_like(a)),
    "square": (lambda f, w, a: a * a % P, lambda f, y, a: 2 * a % P),
    "softplus": (lambda f, w, a: f.drawn("softplus", w, a), lambda f, y, a: _entrywise(f.sigmoid, a)),
    "silu": (lambda f, w, a: a * f.sigmoid(w, a) % P, lambda f, y, a: _entrywise(f.silu_slope, a)),
}


def apply(draws: Draws, function: str, a: Array) -> Array:
    """f(a), entry by entry; a function without a rule is a free one."""
    rule, known = RULES.get(function), draws.known

    def value(w: int, v: int) -> int:
        found = known.get((function, w, v))
        if found is None:
            found = known[function, w, v] = draws.drawn(function, w, v) if rule is None else int(rule[0](draws, w, v))
        return found

    return _entrywise(value, a)


def slope(draws: Draws, function: str, y: Array, a: Array) -> Array:
    """f'(a), entry by entry, where y = f(a)."""
    rule = RULES.get(function)
    if rule is None:
        return _entrywise(lambda w, v: draws.drawn(function + "'", w, v), a)
    return rule[1](draws, y, a)
