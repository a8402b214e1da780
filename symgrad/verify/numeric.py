r"""Against the cell's own NumPy function: the complex step, and central differences where a function has a kink.

Complex step:  ∂f/∂v = Im f(v + ih)/h, without a difference and so exact to rounding, for h = 2⁻¹⁰⁰.
Central:       ∂f/∂v = (8 (f(v+h) - f(v-h)) - (f(v+2h) - f(v-2h))) / 12h + O(h⁴).

Relative error.  An entry of a Jacobian is a sum of products, so rounding makes it wrong by a few units of the terms, and an entry that
is small because its terms cancel has no correct digits to speak of.  At ordinary points an entry is therefore judged against its
own size or, if it is smaller than that, against a hundredth of the block's largest entry: normwise for the block, entrywise for
every entry that is not tiny, and by the reference's numbers alone.  At saturated gates the slope z(1-z) of z = 1 - e⁻⁴⁰ *is* such a cancellation; there
an entry is judged against the sum of its terms' absolute values (`Majorant`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy as sp

from symgrad.calculus.jacobian import Jacobian
from symgrad.language.activations import Activation
from symgrad.language.functions import ROWS
from symgrad.verify.evaluate import Array, Majorant
from symgrad.verify.points import Point, large, ordinary, saturated
from symgrad.verify.report import Check, judged, skipped
from symgrad.verify.response import names_at, numpy_step, plain, response
from symgrad.verify.standin import Subject

STEP = 2.0**-100
FLOOR = 0.01
TOLERANCE = 1e-12  # float64, analytic
EXTREME = 1e-9  # a preactivation of 1e4 is itself known to 1e-12 only
CENTRAL = 1e-9
SINGLE = 1e-4


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
    if scale is None:
        scale = np.maximum(np.abs(reference), FLOOR * np.max(np.abs(reference)))
    difference = np.abs(value - reference)
    if not (np.all(np.isfinite(value)) and np.all(np.isfinite(reference))):
        return float("nan")
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
        few = max(1, self.points // 4)
        draw: dict[str, tuple[int, Callable[[np.random.Generator, int], Point | None]]] = {
            "random": (self.points, lambda rng, k: ordinary(self.subject, rng)),
            "float32": (few, lambda rng, k: ordinary(self.subject, rng)),
            "saturated": (2 * few, lambda rng, k: saturated(self.subject, rng, every=k % 2 == 0)),
            "large": (few, lambda rng, k: large(self.subject, rng)),
        }
        found: dict[str, list[Point]] = {}
        for place, (kind, (count, one)) in enumerate(draw.items()):
            rng = np.random.default_rng([self.seed, place])
            drawn = [one(rng, k) for k in range(count)] if self.applied or kind != "saturated" else []
            found[kind] = [p for p in drawn if p is not None]
        found["float32"] = [p.cast(np.float32) for p in found["float32"]]
        return found

    def reference(self, jacobian: Jacobian, point: Point) -> Array:
        """∂of/∂wrt by the cell's own function at a point, in double precision."""
        key = (jacobian.of, jacobian.wrt, jacobian.through, point)
        if key not in self.memo:
            at = point.cast(np.float64)
            f, v = response(self.subject, jacobian, at, numpy_step(self.subject, at))
            self.memo[key] = (complex_step if self.analytic else central)(f, v)
        return self.memo[key]


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing overflows and nothing warns in here, or it is an error; underflow to 0 is what saturation means."""
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise", under="ignore"):
        warnings.simplefilter("error")
        yield


def computed(jacobian: Jacobian, subject: Subject, point: Point) -> Array:
    """The formula's value at a point: by its compiled NumPy."""
    names = names_at(subject, jacobian, point)
    program = jacobian.program
    arguments = (*program.inputs, *program.states, *program.parameters, *program.past.values())
    used = jacobian.numpy()
    return np.asarray(used(**{s.name: names.known[s] for s in arguments if s in names.known}))


def checks(sample: Sample, jacobian: Jacobian, what: str) -> Iterator[Check]:
    """One derivative against the cell's own function at all kinds of points."""
    claim = sample.subject.concrete(plain(jacobian))
    method = "complex step" if sample.analytic else "central differences"
    for kind, points in sample.at.items():
        tolerance = {"random": TOLERANCE if sample.analytic else CENTRAL, "float32": SINGLE}.get(kind, EXTREME)
        if not points:
            yield absent(sample, what, method, kind, tolerance)
            continue
        errors: list[float] = []
        reason = ""
        for point in points:
            try:
                errors.append(_error(sample, claim, kind, point))
            except Exception as e:  # whatever a wrong formula does when it runs, it has not passed
                errors.append(float("nan"))
                reason = reason or f"{type(e).__name__}: {e}"
        yield judged(what, method, kind, errors, tolerance, reason)


def absent(sample: Sample, what: str, against: str, kind: str, tolerance: float) -> Check:
    """No points of a kind: without random ones nothing is verified, which is a failure; gates that cannot saturate are none."""
    if kind in ("random", "float32"):
        return judged(what, against, kind, [], tolerance, "no point was found where the cell is finite and away from its kinks")
    return skipped(what, against, kind, "there is no activation to saturate" if not sample.applied else "the cell's own value is not finite there")


def _error(sample: Sample, claim: Jacobian, kind: str, point: Point) -> float:
    """The relative error at one point, nothing overflowing and no warning given on the way."""
    with quiet():
        value = computed(claim, sample.subject, point)
    expected = np.result_type(*point.values.values())
    if value.dtype != expected:
        raise TypeError(f"the result is {value.dtype} where the arguments are {expected}")
    reference = sample.reference(claim, point)
    if kind in ("random", "float32"):
        return relative_error(value, reference)
    majorant = Majorant(names_at(sample.subject, claim, point)).tensor(claim.tensor)
    return relative_error(value, reference, np.maximum(majorant, np.abs(reference)) + 1e-200)


def forward(sample: Sample, what: str, s: sp.Symbol) -> Iterator[Check]:
    """A new state or output: the traced equations against the cell's own function, in both precisions."""
    subject = sample.subject
    for kind, points in sample.at.items():
        errors = []
        for point in points:
            with quiet():
                value = subject.equations(point.sizes, point.values).of(s)
                own = subject.step(point.values)[s]
            same = np.asarray(own).dtype == np.result_type(*point.values.values())
            errors.append(relative_error(np.asarray(value), np.asarray(own)) if same else float("nan"))
        if errors:
            yield judged(what, "the function called", kind, errors, SINGLE if kind == "float32" else TOLERANCE if kind == "random" else EXTREME)


def ordinary_points(sample: Sample, most: int) -> Sequence[Point]:
    """The first of the random points, for references that are slow."""
    return tuple(itertools.islice(sample.at["random"], most))
