r"""What a derivative is the derivative *of*: a function of one array, made of the cell alone.

Direct: v ↦ of(x, …, v, …).  Through a state s of the step before: C ↦ of(x', s(C), C), where s(C) is what the first step makes of s
when its new `wrt` is C and everything else of that step stays; the first step is the equations with C in the place of c_t.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.face.jacobian import Jacobian
from symgrad.verify.evaluate import NUMPY, Array, Backend, Evaluation, Values
from symgrad.verify.points import Point
from symgrad.verify.standin import Subject

Step = Callable[[Values], Callable[[sp.Symbol], Array]]  # arguments of the cell → value of a name


def numpy_step(subject: Subject, point: Point) -> Step:
    """One step by the cell's own NumPy function; only a quantity that it does not return comes from the equations."""

    def step(values: Values) -> Callable[[sp.Symbol], Array]:
        returned = subject.step(values)
        return lambda s: returned[s] if s in returned else subject.equations(point.sizes, values).of(s)

    return step


def equations_step(subject: Subject, point: Point, backend: Backend) -> Step:
    """One step by the traced equations, in any library of arrays."""
    return lambda values: subject.equations(point.sizes, values, backend).of


def plain(jacobian: Jacobian) -> Jacobian:
    """The derivative, if it is one of the cell at a point: not one with a gate moved or held."""
    if jacobian.substituted or jacobian.held:
        raise SymgradError("verify takes a derivative as it was derived; after .at(...) or .hold(...) it is no longer one of the cell's own function")
    return jacobian


def response(subject: Subject, jacobian: Jacobian, point: Point, step: Step, backend: Backend = NUMPY) -> tuple[Callable[[Array], Array], Array]:
    """The function that was differentiated, and the array at which."""
    of, wrt = jacobian.of, jacobian.wrt
    if not jacobian.through:
        return (lambda v: step({**point.values, wrt.name: v})(of)), point.values[wrt.name]
    updates = subject.program.updates
    second = _second(subject, point, step(point.values))

    def later(C: Array) -> Array:
        first = subject.equations(point.sizes, point.values, backend, {updates[wrt].name: C})
        return step({**second, wrt.name: C, **{s.name: first.of(updates[s]) for s in jacobian.through}})(of)

    return later, second[wrt.name]


def _second(subject: Subject, point: Point, first: Callable[[sp.Symbol], Array]) -> dict[str, Any]:
    """The arguments of the step after: the same parameters, other inputs, the new states."""
    return {**point.values, **point.later, **{old.name: first(new) for old, new in subject.program.updates.items()}}


def names_at(subject: Subject, jacobian: Jacobian, point: Point, backend: Backend = NUMPY) -> Evaluation:
    """Every name of a derivative's formula at a point: of this step and, marked ``_prev``, of the one before."""
    if not jacobian.through:
        return Evaluation(jacobian.program, point.sizes, point.values, backend)
    first = subject.equations(point.sizes, point.values, backend)
    past = {p.name: first.of(s) for s, p in jacobian.program.past.items()}
    return Evaluation(jacobian.program, point.sizes, {**_second(subject, point, first.of), **past}, backend)
