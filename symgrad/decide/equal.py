"""`equal`: is this derivative what is claimed?  Two deciders that know nothing of each other, and a verdict that says how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeVar

import sympy as sp

from symgrad.decide import banded, modular
from symgrad.decide.claim import Claim, ShapesDoNotFit, read
from symgrad.decide.diagnose import Diagnosis, diagnose
from symgrad.decide.exponentials import Exponentials
from symgrad.decide.limits import LIMITS, Budget, Limits, Stopped
from symgrad.decide.normal import Normal
from symgrad.decide.polynomials import Polynomial
from symgrad.decide.real import counterexample
from symgrad.decide.scalars import Scalars, scalar_world
from symgrad.decide.verdict import Verdict
from symgrad.decide.world import World, world
from symgrad.errors import SymgradError
from symgrad.language.program import Program
from symgrad.language.tensor import Tensor, transposed

T = TypeVar("T")
READINGS = ("matrix", "transposed", "scalar")


@dataclass(frozen=True)
class Sides:
    """Two tensors of one world that are to be compared."""

    world: World
    left: Tensor
    right: Tensor
    sizes: Mapping[sp.Symbol, int] = field(default_factory=dict)  # of an explicit matrix, which is compared at these alone


def equal(a: Any, b: Any, reading: str = "matrix", *, limits: Limits = LIMITS) -> Verdict:
    """Whether a = b for every n and m, and every value of the names in them.

    `a` is a derivative; `b` another one, a function of the cell's names, a SymPy `MatrixExpr`, an explicit matrix (then n and m are
    those of the matrix), a scalar expression (then both are read as scalars) or a tensor.  Two scalar expressions of SymPy are compared as
    functions.  Where something is divided by, has a kink or a root, "every value" is almost every one.    `reading` is "matrix",
    "transposed" (denominator layout) or "scalar" (every size 1).

    >>> from symgrad.language.functions import applied
    >>> x = sp.Symbol("x")
    >>> print(equal(sp.tanh(x), 2 * applied("sigmoid", 2 * x) - 1))
    proved (normal form)
    """
    try:
        return _equal(a, b, reading, limits)
    except RecursionError:
        return Verdict("undecided", "none", reading, reason="the expressions are nested too deeply")


def _equal(a: Any, b: Any, reading: str, limits: Limits) -> Verdict:
    from symgrad.decide.readings import other_readings  # which decides in turn

    if reading not in READINGS:
        raise SymgradError(f"reading={reading!r}: it is one of {', '.join(READINGS)}")
    if not hasattr(a, "tensor") and hasattr(b, "tensor"):
        a, b = b, a
    if not hasattr(a, "tensor"):
        a = _plain(a, b)
    given = _given(a)
    dims = a.tensor.dims[::-1] if reading == "transposed" else a.tensor.dims
    if isinstance(b, sp.Expr) and not isinstance(b, sp.MatrixExpr) and b != 0 and a.tensor.rank:
        reading = "scalar"
    try:
        claim = read(b, a.program, dims, reading)
    except ShapesDoNotFit as e:
        readings = other_readings(a, b, given, limits, None)
        return Verdict("refuted", "shapes", reading, reason=str(e), readings=readings)
    except Stopped as e:
        return Verdict("undecided", "none", reading, reason=str(e))
    if claim.scalar and a.tensor.rank:
        reading = "scalar"
    if hasattr(b, "substituted"):  # of two derivatives, what only one of them was put at says nothing of the other
        given = {s: v for s, v in given.items() if _given(b).get(s) == v}
    if claim.tensor.rank != a.tensor.rank and reading != "scalar":
        return Verdict("refuted", "shapes", reading, reason=f"the claim has {claim.tensor.rank} indices, the derivative {a.tensor.rank}")
    try:
        sides = compared(a.tensor, claim, given, reading)
    except Stopped as e:
        return Verdict("undecided", "none", reading, reason=str(e))
    verdict, normal = decide(sides, limits)
    verdict = replace(verdict, reading=reading)
    if not verdict.refuted:
        return verdict
    found = Diagnosis()
    if normal is not None:
        found = diagnose(normal, claim.program, sides.left, sides.right)
    readings = other_readings(a, b, given, limits, claim) if reading == "matrix" and a.tensor.rank else ()
    return replace(verdict, missing=found.missing, extra=found.extra, altered=found.altered, readings=readings)


@dataclass(frozen=True)
class _Free:
    """A scalar expression that belongs to no cell."""

    program: Program
    tensor: Tensor


def _plain(a: Any, b: Any) -> _Free:
    if not isinstance(a, sp.Expr) or isinstance(a, sp.MatrixExpr):
        raise SymgradError(f"one side must be a derivative, or both scalar expressions of SymPy, not {type(a).__name__}")
    program = Program("expression", (), (), (), {}, {}, (), {}, {}, {})
    return _Free(program, read(a, program, ()).tensor)


def _given(a: Any) -> Mapping[sp.Symbol, sp.Expr]:
    """Values that gates were put at or held at."""
    return {**getattr(a, "held", {}), **getattr(a, "substituted", {})}


def compared(expected: Tensor, claim: Claim, given: Mapping[sp.Symbol, sp.Expr], reading: str) -> Sides:
    """Both sides in one world, in the reading asked for."""
    here = world(claim.program, given)
    if reading == "scalar":
        scalars = Scalars(here, claim.program)
        return Sides(scalar_world(here, claim.program), scalars.tensor(expected), scalars.tensor(claim.tensor))
    return Sides(here, transposed(expected) if reading == "transposed" else expected, claim.tensor, claim.sizes)


def decide(sides: Sides, limits: Limits = LIMITS, witness: bool = True) -> tuple[Verdict, Normal | None]:
    """The verdict of the two deciders, and the normal forms for a diagnosis; without `witness` no counterexample is sought."""
    reasons: list[str] = []
    normal, difference = _attempt(lambda: _normal(sides, limits), reasons) or (None, {})
    test = _attempt(lambda: _tested(sides, limits), reasons)
    checks = {
        "normal form": "stopped" if normal is None else "equal" if not difference else "different" if normal.exact else "open",
        "modular": "stopped" if test is None else "equal" if test.equal else "different" if test.exact else "open",
    }
    verdicts = set(checks.values())
    if {"equal", "different"} <= verdicts:
        reason = f"internal error: the deciders disagree ({', '.join(f'{k}: {v}' for k, v in checks.items())})"
        return Verdict("undecided", "none", reason=reason, checks=checks), normal
    if "equal" in verdicts:
        method = " and ".join(k for k, v in checks.items() if v == "equal")
        error = Fraction(0) if checks["normal form"] == "equal" or test is None else test.error
        return Verdict("proved", method + _at(sides.sizes), error=error, checks=checks), normal
    if normal is not None and difference and sides.world.functions(sides.left, sides.right):
        field = Exponentials(normal.functions, Budget(limits), {s.name: shape for s, shape in sides.world.shapes.items()})
        if _attempt(lambda: field.is_zero(difference, sides.left.rank), reasons):
            return Verdict("proved", "scalar field", checks={**checks, "scalar field": "equal"}), normal
    if not witness:
        return Verdict("refuted" if "different" in verdicts else "undecided", "none", checks=checks), normal
    return _refuted(sides, limits, checks, test, reasons), normal


def _attempt(find: Callable[[], T], reasons: list[str]) -> T | None:
    """What is found, or None and one reason more."""
    try:
        return find()
    except Stopped as e:
        reasons.append(str(e))
    except RecursionError:
        reasons.append("the expressions are nested too deeply")
    return None


def _normal(sides: Sides, limits: Limits) -> tuple[Normal, Polynomial]:
    """The normal forms' difference, and what was met on the way."""
    if sides.sizes:
        raise Stopped("an explicit matrix speaks of its own sizes only")
    normal = Normal(sides.world, Budget(limits))
    return normal, normal.difference(sides.left, sides.right)


def _at(sizes: Mapping[sp.Symbol, int]) -> str:
    return " at " + ", ".join(f"{s} = {k}" for s, k in sizes.items()) if sizes else ""


def _tested(sides: Sides, limits: Limits) -> modular.Modular:
    """The modular test; with banded matrices where dense ones would have to be too large."""
    try:
        return modular.decide(sides.world, sides.left, sides.right, Budget(limits), sizes=sides.sizes)
    except modular.TooLarge:
        return banded.decide(sides.world, sides.left, sides.right, Budget(limits))


def _refuted(sides: Sides, limits: Limits, checks: dict[str, str], test: modular.Modular | None, reasons: list[str]) -> Verdict:
    """Refuted with numbers; undecided where none are found, for then the difference may be one of names that are not independent."""
    method = " and ".join(k for k, v in checks.items() if v == "different") or "real values"
    names = modular.letters(sides.world, sides.left, sides.right)
    tried = sorted({min(k, 6) for k in (2, 3, *((test.sizes.values()) if test else ()))}) if names and not sides.sizes else [1]
    sizes = [{**dict.fromkeys(names, k), **sides.sizes} for k in tried]
    found = _attempt(lambda: counterexample(sides.world, sides.left, sides.right, sizes, Budget(limits)), reasons)
    if found is not None:
        return Verdict("refuted", method + _at(sides.sizes), counterexample=found, checks=checks)
    reasons.append("no real values were found at which the two differ")
    return Verdict("undecided", "none", reason="; ".join(dict.fromkeys(reasons)), checks=checks)
