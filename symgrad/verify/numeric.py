r"""Against the cell's own NumPy function: the complex step, and central differences where a function has a kink.

Complex step:  ∂f/∂v = Im f(v + ih)/h, without a difference and so exact to rounding, for h = 2⁻¹⁰⁰.
Central:       ∂f/∂v = (8 (f(v+h) - f(v-h)) - (f(v+2h) - f(v-2h))) / 12h + O(h⁴).

Relative error.  An entry of a Jacobian is a sum of products, so rounding makes it wrong by a few units of the terms, and an entry that
is small because its terms cancel has no correct digits to speak of.  At ordinary points an entry is therefore judged against its
own size or, if it is smaller than that, against a hundredth of the block's largest entry: normwise for the block, entrywise for
every entry that is not tiny, and by the reference's numbers alone.  At saturated gates the slope z(1-z) of z = 1 - e⁻⁴⁰ *is* such
a cancellation; there an entry is judged against the sum of its terms' absolute values (`Majorant`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from symgrad.face.jacobian import Jacobian
from symgrad.language.activations import Activation
from symgrad.language.functions import ROWS
from symgrad.verify.evaluate import Array, Majorant
from symgrad.verify.points import Point, large, ordinary, quiet, saturated
from symgrad.verify.report import Check, judged, skipped
from symgrad.verify.response import names_at, numpy_step, plain, response
from symgrad.verify.standin import Subject

OWN = "the function called"
STEP = 2.0**-100
FLOOR = 0.01
BATCH = 3
TINY = 1e-200  # below it, products of saturated slopes are denormal
TOLERANCE = 1e-12  # float64, analytic
EXTREME = 1e-9  # a preactivation of 1e4 is itself known to 1e-12 only
CENTRAL = 1e-9
SINGLE = 5e-4  # as many units of rounding: 2²⁹ times as much


def complex_step(f: Callable[[Array], Array], v: Array) -> Array:
    """Im f(v + ih e_k)/h for every k; the indices of v come last."""
    columns = []
    for at in np.ndindex(v.shape):
        moved = v.astype(np.complex128)
        moved[at] += 1j * STEP
        columns.append(np.imag(f(moved)) / STEP)
    return _last(columns, v)


def central(f: Callable[[Array], Array], v: Array) -> Array:
    """The fourth-order central difference for every entry of v."""
    columns = []
    for at in np.ndindex(v.shape):
        h = 2.0**-10 * max(1.0, 2.0 ** np.floor(np.log2(abs(v[at]) + 1)))
        out = []
        for k in (1, -1, 2, -2):
            moved = v.copy()
            moved[at] += k * h
            out.append(f(moved))
        columns.append((8 * (out[0] - out[1]) - (out[2] - out[3])) / (12 * h))
    return _last(columns, v)


def _last(columns: list[Array], v: Array) -> Array:
    stacked = np.stack(columns, -1)
    return stacked.reshape(stacked.shape[:-1] + v.shape)


def relative_error(value: Array, reference: Array, scale: Array | None = None) -> float:
    """max |value - reference| / scale over all entries; by default the scale is max(|reference|, 1/100 of its largest)."""
    if value.shape != reference.shape:
        return float("inf")
    if not value.size:
        return 0.0
    if not (np.all(np.isfinite(value)) and np.all(np.isfinite(reference))):
        return float("nan")
    if scale is None:
        scale = np.maximum(np.abs(reference), FLOOR * np.max(np.abs(reference)))
    difference = np.abs(value - reference)
    ratio = np.divide(difference, scale, out=np.where(difference > 0, np.inf, 0.0), where=scale > 0)
    return float(np.max(ratio))


@dataclass(frozen=True, eq=False)
class Sample:
    """The points of one run, with the reference derivatives found so far: many formulas for one derivative share them."""

    subject: Subject
    seed: int
    points: int
    memo: dict[tuple[object, ...], Array] = field(default_factory=dict)

    @cached_property
    def applied(self) -> list[Activation]:
        """The activations of the cell."""
        program = self.subject.program
        found = {f.func for s in (*program.equations, *program.atoms) for e in program.uses(s) for f in e.atoms(sp.Function)}
        return [ROWS[f] for f in found]

    @property
    def analytic(self) -> bool:
        """Whether every activation is, so that the complex step holds."""
        return all(row.smooth for row in self.applied)

    @cached_property
    def at(self) -> dict[str, list[Point]]:
        """The points by kind; every kind has its own stream of numbers."""
        some = ordinary(self.subject, np.random.default_rng(self.seed))
        sizes = some.sizes if some else None
        few = max(1, self.points // 4)
        draw: dict[str, tuple[int, Callable[[np.random.Generator, int], Point | None]]] = {
            "random": (self.points, lambda rng, k: ordinary(self.subject, rng)),
            "float32": (few, lambda rng, k: ordinary(self.subject, rng)),
            "saturated": (2 * few, lambda rng, k: saturated(self.subject, rng, every=k % 2 == 0)),
            "large": (few, lambda rng, k: large(self.subject, rng)),
            "batch": (BATCH, lambda rng, k: ordinary(self.subject, rng, sizes)),
        }
        found: dict[str, list[Point]] = {}
        for place, (kind, (count, one)) in enumerate(draw.items()):
            rng = np.random.default_rng([self.seed, place])
            drawn = (one(rng, k) for k in range(count if self.applied or kind != "saturated" else 0))
            found[kind] = list(itertools.takewhile(lambda p: p is not None, drawn))  # type: ignore[arg-type]
        found["float32"] = [p.cast(np.float32) for p in found["float32"]]
        return found

    def reference(self, jacobian: Jacobian, point: Point) -> Array:
        """∂of/∂wrt by the cell's own function at a point, in double precision."""
        key = (jacobian.of, jacobian.wrt, jacobian.through, point)
        if key not in self.memo:
            at = point.cast(np.float64)
            f, v = response(self.subject, jacobian, at, numpy_step(self.subject, at))
            with np.errstate(all="ignore"):
                self.memo[key] = (complex_step if self.analytic else central)(f, v)
        return self.memo[key]


def computed(jacobian: Jacobian, subject: Subject, point: Point) -> Array:
    """The formula's value at a point: by its compiled NumPy."""
    names = names_at(subject, jacobian, point)
    program = jacobian.program
    arguments = (*program.inputs, *program.states, *program.parameters, *program.past.values())
    return np.asarray(jacobian.numpy()(**{s.name: names.known[s] for s in arguments if s in names.known}))


def computed_together(jacobian: Jacobian, subject: Subject, points: Sequence[Point]) -> Array:
    """The same at several points of one size in one call, a leading axis for the points, and every gate of the formula given by name."""
    program = jacobian.program
    gates = [s for s in jacobian.tensor.symbols if s in program.equations and s not in program.implicit]
    names = [names_at(subject, jacobian, p) for p in points]
    wanted = [s for s in (*program.inputs, *program.states, *program.parameters, *program.past.values(), *gates) if s in names[0].known or s in gates]
    arrays: dict[str, Any] = {s.name: np.stack([at.of(s) for at in names]) for s in wanted}
    return np.asarray(jacobian.numpy()(**arrays))


def checks(sample: Sample, jacobian: Jacobian, what: str) -> Iterator[Check]:
    """One derivative against the cell's own function at all kinds of points."""
    claim = sample.subject.concrete(plain(jacobian))
    method = "complex step" if sample.analytic else "central differences"
    for kind, points in sample.at.items():
        tolerance = tolerance_at(kind, TOLERANCE if sample.analytic else CENTRAL)
        if not points:
            yield absent(sample, what, method, kind, tolerance)
            continue
        errors: list[float] = []
        reason = ""
        for point in [points] if kind == "batch" else [[p] for p in points]:
            try:
                errors += _errors(sample, claim, kind, point)
            except Exception as e:  # whatever a wrong formula does when it runs, it has not passed
                errors.append(float("nan"))
                reason = reason or f"{type(e).__name__}: {e}"
        yield judged(what, method, kind, errors, tolerance, reason)


def tolerance_at(kind: str, tolerance: float) -> float:
    """The tolerance of an ordinary double-precision point, or the one of another kind of point."""
    return {"float32": SINGLE, "saturated": EXTREME, "large": EXTREME}.get(kind, tolerance)


def absent(sample: Sample, what: str, against: str, kind: str, tolerance: float) -> Check:
    """No points of a kind: without random ones nothing is verified, which is a failure; gates that cannot saturate are none."""
    if kind not in ("saturated", "large"):
        return judged(what, against, kind, [], tolerance, "no point was found where the cell is finite and away from its kinks")
    nowhere = "no such point was found: the preactivations stay small, or the cell's own function overflows"
    return skipped(what, against, kind, nowhere if sample.applied else "there is no activation to saturate")


def _errors(sample: Sample, claim: Jacobian, kind: str, points: Sequence[Point]) -> list[float]:
    """The relative error at some points, nothing overflowing and no warning given on the way."""
    with quiet():
        values = computed_together(claim, sample.subject, points) if kind == "batch" else computed(claim, sample.subject, points[0])[None]
    if len(values) != len(points):
        raise ValueError(f"{len(values)} results for {len(points)} points")
    return [_error(sample, claim, kind, point, value) for point, value in zip(points, values, strict=True)]


def _error(sample: Sample, claim: Jacobian, kind: str, point: Point, value: Array) -> float:
    """The relative error of a value at one point, on the scale that fits the kind of point."""
    expected = np.result_type(*point.values.values())
    if value.dtype != expected:
        raise TypeError(f"the result is {value.dtype} where the arguments are {expected}")
    reference = sample.reference(claim, point)
    if kind not in ("saturated", "large"):
        return relative_error(value, reference)
    majorant = Majorant(names_at(sample.subject, claim, point)).tensor(claim.tensor)
    scale = np.maximum(majorant, np.abs(reference)) + TINY
    # a difference quotient is wrong by rounding of the function, whose size all entries share
    return relative_error(value, reference, scale if sample.analytic else np.full_like(scale, np.max(scale)))


def forward(sample: Sample, what: str, s: sp.Symbol) -> Iterator[Check]:
    """A new state or output: the traced equations against the cell's own function, in both precisions."""
    subject = sample.subject
    for kind, points in sample.at.items():
        if kind == "batch":
            continue
        errors: list[float] = []
        reason = ""
        for point in points:
            try:
                with quiet():
                    value = np.asarray(subject.equations(point.sizes, point.values).of(s))
                    own = np.asarray(subject.step(point.values)[s])
            except (FloatingPointError, RuntimeWarning) as e:
                errors.append(float("nan"))
                reason = reason or str(e)
                continue
            same = own.dtype == np.result_type(*point.values.values())
            errors.append(relative_error(value, own) if same else float("nan"))
        tolerance = tolerance_at(kind, TOLERANCE)
        yield judged(what, OWN, kind, errors, tolerance, reason) if points else absent(sample, what, OWN, kind, tolerance)


def ordinary_points(sample: Sample, most: int) -> Sequence[Point]:
    """The first of the random points, for references that are slow."""
    return tuple(itertools.islice(sample.at["random"], most))
