"""Bounds on work: whatever a claim is, deciding it ends in bounded time and memory, and a limit reached is `undecided`."""

from __future__ import annotations

import time
from dataclasses import dataclass


class Stopped(Exception):
    """A decider cannot go on; the message is the verdict's reason."""


class Exhausted(Stopped):
    """A limit on terms, degree or seconds was reached."""


class Unsupported(Stopped):
    """An operation that a decider does not know."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work one verdict may cost."""

    terms: int = 50_000  # monomials that the normal form may write down
    exponent: int = 1_000_000  # of a power in the normal form
    degree: int = 2**40  # of the polynomials that the modular test evaluates
    size: int = 12  # of the dense matrices of the modular test; larger ones are banded
    band: int = 20_000  # of the banded matrices
    seconds: float = 20.0
    sympy_seconds: float = 5.0  # in a process of its own


LIMITS = Limits()


class Budget:
    """What is left of the limits while one verdict is sought."""

    __slots__ = ("_ends", "_left", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = limits.terms
        self._ends = time.monotonic() + limits.seconds

    def spend(self, terms: int) -> None:
        """Count monomials; raises `Exhausted` when there are too many, or when time is up."""
        self._left -= terms
        if self._left < 0:
            raise Exhausted(f"the normal form has more than {self.limits.terms} terms")
        self.clock()

    def clock(self) -> None:
        """Raise `Exhausted` when time is up."""
        if time.monotonic() > self._ends:
            raise Exhausted(f"more than {self.limits.seconds:g} seconds of work")
