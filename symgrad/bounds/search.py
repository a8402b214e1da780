r"""Branch and bound: sup f over a box, from below by values at points, from above by intervals on a cover of boxes.

The box with the largest upper bound is halved until it exceeds the best value found by no more than the tolerance.  Then every box of the
cover stays below the bound: that is the proof, and `Cover.holds` repeats it, with another arithmetic if asked.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import sympy as sp

from symgrad.bounds.interval import INF, Interval, Point, backends
from symgrad.bounds.ranges import Box, Range, Undefined

BOXES = 3000
HOPELESS = 300  # boxes after which a bound that is still infinite is left so
MOST = 1e300


@dataclass(frozen=True, slots=True)
class Cover:
    """Boxes that cover a domain, on each of which f ≤ `bound`."""

    function: sp.Expr
    variables: tuple[sp.Symbol, ...]
    boxes: tuple[Box, ...]
    bound: float

    def holds(self, backend: str | None = None, slack: float = 1e-13) -> bool:
        """Evaluate every box anew: does the bound hold on each?  `slack` (relative) is for the other rounding of another backend."""
        point = backends()[backend] if backend else next(iter(backends().values()))
        f = Range(self.function, self.variables)
        limit = self.bound + slack * max(1.0, abs(self.bound))
        return all(_above(f, box, point)[0] <= limit for box in self.boxes)


@dataclass(frozen=True, slots=True)
class Found:
    """sup f ∈ [inner, outer]; f ≥ inner at the point `at`; `touching` are the boxes in which the supremum may lie."""

    outer: float
    inner: float
    at: tuple[float, ...] | None
    cover: Cover
    touching: tuple[Box, ...]


def _above(f: Range, box: Box, point: Point) -> tuple[float, Box]:
    """An upper bound of f over the box, and the face on which f is largest where it is monotone; -∞ where f is nowhere defined."""
    try:
        value, slopes = f.enclose(box, point)
        face = list(box)
        for k, (side, s) in enumerate(zip(box, slopes, strict=True)):
            if side[0] < side[1] and (s[0] >= 0 or s[1] <= 0):
                end = side[1] if s[0] >= 0 else side[0]
                if abs(end) != INF:
                    face[k] = (end, end)
        if tuple(face) != box:
            value = (value[0], min(value[1], f.enclose(tuple(face), point)[0][1]))
    except Undefined:
        return -INF, box
    return value[1], tuple(face)


def search(f: sp.Expr, variables: tuple[sp.Symbol, ...], box: Box, tolerance: float, boxes: int = BOXES) -> Found:
    """sup f over the box, to a relative tolerance if that many boxes are enough for it."""
    point = next(iter(backends().values()))
    function = Range(f, variables)
    number = itertools.count()
    inner, at = -INF, None
    heap: list[tuple[float, int, Box]] = []

    def push(part: Box) -> None:
        nonlocal inner, at
        upper, face = _above(function, part, point)
        heapq.heappush(heap, (-upper, next(number), part))
        for candidate in {_center(face), _center(part)}:
            try:
                value = function.at(tuple((x, x) for x in candidate), point).value
            except Undefined:
                continue
            if value[0] > inner and value[1] < INF:
                inner, at = value[0], candidate

    push(box)
    done: list[tuple[float, Box]] = []
    infinite = 0
    while heap and len(heap) + len(done) < boxes:
        if -heap[0][0] <= inner + tolerance * max(1.0, abs(inner)):
            break
        upper, _, part = heapq.heappop(heap)
        infinite += upper == -INF
        if infinite > HOPELESS:
            done.append((INF, part))
            break
        halves = _halves(part)
        if halves is None:
            done.append((-upper, part))
            continue
        for half in halves:
            push(half)
    leaves = [*((-u, b) for u, _, b in heap), *done]
    outer = max(u for u, _ in leaves)
    cover = Cover(f, variables, tuple(sorted(b for _, b in leaves)), outer)
    return Found(outer, inner, at, cover, tuple(b for u, b in leaves if u >= inner))


def value(f: sp.Expr, at: dict[sp.Symbol, sp.Expr]) -> Interval | None:
    """f at a point, enclosed; None where it is not real or the point is not finite."""
    point = next(iter(backends().values()))
    e = f.xreplace(at)
    if e.free_symbols or not e.is_finite:
        return None
    try:
        return Range(e, ()).at((), point).value
    except (Undefined, KeyError, TypeError):
        return None


def _center(box: Box) -> tuple[float, ...]:
    return tuple(_inside(side) for side in box)


def _inside(side: Interval) -> float:
    low, high = side
    if low == -INF and high == INF:
        return 0.0
    if low == -INF:
        return max(2 * high, -MOST) if high < 0 else -1.0
    if high == INF:
        return min(2 * low, MOST) if low > 0 else 1.0
    return min(max(low + (high - low) / 2, low), high)


def _halves(box: Box) -> tuple[Box, Box] | None:
    """The box cut across its longest side; an infinite one at a point twice as far out.  None if it is a point."""
    k = max(range(len(box)), key=lambda i: box[i][1] - box[i][0])
    low, high = box[k]
    middle = _inside((low, high))
    if not low < middle < high or abs(middle) > 1e12:
        return None
    return (*box[:k], (low, middle), *box[k + 1 :]), (*box[:k], (middle, high), *box[k + 1 :])
