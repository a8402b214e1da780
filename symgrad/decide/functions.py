r"""Applied functions in the normal form: f(argument) is an unknown of its own, and the relations between such unknowns are used.

One table, a row for each function that has relations:

σ(-a) = 1 - σ(a),  σ(a) = (1 + tanh(a/2))/2,  tanh(-a) = -tanh(a),  softplus(-a) = softplus(a) - a,
relu(a) = a 1[a > 0],  |a| = a (2·1[a > 0] - 1),  sign(a) = 2·1[a > 0] - 1,  1[-a > 0] = 1 - 1[a > 0],  1[a > 0]² = 1[a > 0],
exp(a + b) = exp(a) exp(b).

An argument that is a gate's own preactivation gives back the gate.  Relations at a kink, a = 0, hold almost everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symgrad.decide.limits import Budget
from symgrad.decide.monomials import Indices, Number, canonical
from symgrad.decide.polynomials import Key, Polynomial, added, frozen, multiplied, scaled

HALF = Fraction(1, 2)
POWER = "^"  # the unknown that a sum stands for under a root or below a fraction line; no function has this name


class Functions:
    """The unknowns f(argument) that have been met, by function and normal form of the argument."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.known: dict[tuple[str, int, tuple[Key, ...]], Polynomial] = {}
        self.meaning: dict[str, tuple[str, int, tuple[Polynomial, ...]]] = {}  # name → function, rank, arguments
        self.idempotent: set[str] = set()
        self.inexact: set[str] = set()  # functions met whose relations are not all known

    def declare(self, function: str, rank: int, argument: Polynomial, name: str) -> None:
        """name = function(argument); a second name for the same value is ignored here, for the first one stands for it."""
        p, rank, at = _reduced(argument, rank)
        self.known.setdefault((function, rank, (frozen(p),)), {((name, at, 1),): 1})

    def __call__(self, function: str, rank: int, *arguments: Polynomial) -> Polynomial:
        """function(argument), entry by entry."""
        rule = RULES.get(function)
        if rule is None or len(arguments) != 1:
            return self._reduce_rank(function, rank, arguments, self.unknown)
        return self._reduce_rank(function, rank, arguments, lambda f, r, args: rule(self, r, args[0]))

    def _reduce_rank(
        self, function: str, rank: int, arguments: tuple[Polynomial, ...], make: Callable[[str, int, tuple[Polynomial, ...]], Polynomial]
    ) -> Polynomial:
        """An argument that is the same number in every entry gives one number."""
        used = sorted({i for p in arguments for m in p for _, at, _ in m for i in at if i < rank})
        if len(used) == rank:
            return make(function, rank, arguments)
        down, low = {i: k for k, i in enumerate(used)}, len(used)
        small = tuple(_moved(p, rank, low, down) for p in arguments)
        return _moved(make(function, low, small), low, rank, dict(enumerate(used)))

    def look(self, function: str, rank: int, argument: Polynomial) -> Polynomial | None:
        """The unknown, if it has been met."""
        return self.known.get((function, rank, (frozen(argument),)))

    def unknown(self, function: str, rank: int, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """The unknown, met now if not before."""
        key = (function, rank, tuple(map(frozen, arguments)))
        if key not in self.known:
            name = f"{function}#{len(self.meaning)}"
            self.meaning[name] = (function, rank, arguments)
            self.known[key] = {((name, tuple(range(rank)), 1),): 1}
        return self.known[key]

    def power(self, rank: int, base: Polynomial, exponent: Fraction) -> Polynomial:
        """base^e for an e that is no natural number: of a single monomial factor by factor, else an unknown."""
        if len(base) == 1:
            ((m, c),) = base.items()
            if exponent.denominator == 1 and all(i < rank for _, at, _ in m for i in at) and not self.idempotent & {n for n, _, _ in m}:
                return {canonical(((n, at, e * int(exponent)) for n, at, e in m), rank): Fraction(c) ** int(exponent)}
        self.inexact.add("division" if exponent.denominator == 1 else "root")
        whole = exponent.numerator // exponent.denominator if exponent > 0 else 0
        ((m, c),) = self.unknown(POWER, rank, (base,)).items()
        rest = exponent - whole
        result: Polynomial = {tuple((n, at, e * (int(rest) if rest.denominator == 1 else rest)) for n, at, e in m): c}
        for _ in range(whole):
            result = multiplied(result, base, rank, self.budget, self.idempotent)
        return result


def _moved(p: Polynomial, rank: int, new_rank: int, names: dict[int, int]) -> Polynomial:
    """p with its free indices renamed, its rank another one."""
    return {tuple(sorted((n, tuple(names[i] if i < rank else i - rank + new_rank for i in at), e) for n, at, e in m)): c for m, c in p.items()}


def _reduced(p: Polynomial, rank: int) -> tuple[Polynomial, int, Indices]:
    used = sorted({i for m in p for _, at, _ in m for i in at if i < rank})
    if len(used) == rank:
        return p, rank, tuple(range(rank))
    return _moved(p, rank, len(used), {i: k for k, i in enumerate(used)}), len(used), tuple(used)


def _constant(p: Polynomial) -> Number | None:
    """The number that p is, if it is one."""
    return 0 if not p else p[()] if len(p) == 1 and () in p else None


def _lead(p: Polynomial) -> Number:
    """The coefficient of the first monomial: what fixes the sign of an argument."""
    return p[min(p, key=repr)]


def _sigmoid(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    if not a:
        return {(): HALF}
    for sign in (1, -1):
        found = f.look("sigmoid", rank, scaled(a, sign))
        if found is None and (through := f.look("tanh", rank, scaled(a, sign * HALF))) is not None:
            found = added({(): HALF}, through, HALF)
        if found is not None:
            return found if sign == 1 else added({(): 1}, found, -1)
    if _lead(a) < 0:
        return added({(): 1}, f.unknown("sigmoid", rank, (scaled(a, -1),)), -1)
    return f.unknown("sigmoid", rank, (a,))


def _tanh(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    if not a:
        return {}
    for sign in (1, -1):
        found = f.look("tanh", rank, scaled(a, sign))
        if found is None and (through := f.look("sigmoid", rank, scaled(a, 2 * sign))) is not None:
            found = added({(): -1}, through, 2)
        if found is not None:
            return scaled(found, sign)
    if _lead(a) < 0:
        return scaled(f.unknown("tanh", rank, (scaled(a, -1),)), -1)
    return f.unknown("tanh", rank, (a,))


def _step(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    number = _constant(a)
    if number is not None:
        return {(): 1} if number > 0 else {}
    lead = _lead(a)
    unit = f.unknown("step", rank, (scaled(a, Fraction(1) / lead),))
    f.idempotent |= {name for m in unit for name, _, _ in m}
    return unit if lead > 0 else added({(): 1}, unit, -1)


def _sign(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    return added({(): -1}, _step(f, rank, a), 2) if a else {}


def _relu(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    return multiplied(a, _step(f, rank, a), rank, f.budget, f.idempotent)


def _abs(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    return multiplied(a, _sign(f, rank, a), rank, f.budget, f.idempotent)


def _softplus(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    for sign in (1, -1):
        found = f.look("softplus", rank, scaled(a, sign))
        if found is not None:
            return found if sign == 1 else added(found, a)
    if a and _lead(a) < 0:
        return added(f.unknown("softplus", rank, (scaled(a, -1),)), a)
    return f.unknown("softplus", rank, (a,))


def _exp(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    if not a:
        return {(): 1}
    f.inexact.add("exp")
    result: Polynomial = {(): 1}
    for m, c in a.items():
        c = Fraction(c)
        part: Polynomial = {m: Fraction(1, c.denominator)}
        ((unit, _),) = f._reduce_rank("exp", rank, (part,), f.unknown).items()
        power: Polynomial = {tuple((n, at, e * c.numerator) for n, at, e in unit): 1}
        result = multiplied(result, power, rank, f.budget, f.idempotent)
    return result


def _log(f: Functions, rank: int, a: Polynomial) -> Polynomial:
    if _constant(a) == 1:
        return {}
    f.inexact.add("log")
    return f.unknown("log", rank, (a,))


RULES: dict[str, Callable[[Functions, int, Polynomial], Polynomial]] = {
    "sigmoid": _sigmoid, "tanh": _tanh, "step": _step, "sign": _sign, "relu": _relu, "abs": _abs, "softplus": _softplus, "exp": _exp, "log": _log,
}  # fmt: skip
