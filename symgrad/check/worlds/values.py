r"""Values of formulas: scalars, vectors, matrices and derivative tensors over the field, with their tangents.

A value may carry a tangent, its derivative by K numbers at once (forward accumulation).  A vector stands upright (``orient`` 1, a
column), lies (-1, a row), or may be read either way (0: gradients, and every vector in a lenient reading); whichever it is, it may be
written transposed (`flipped`), and then it does not stand as the vectors beside it do that are not.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np

from symgrad.check.worlds.field import MODULUS, WORLDS, Array, Redraw, number

_UNSIGNED = MODULUS.astype(np.uint64)


class Valueless(Exception):
    """A formula that has no value in a reading; `asked` are the questions that this rests on, where that is known."""

    asked: frozenset[Hashable] | None = None

    def again(self) -> Self:
        """The same, never raised: it holds no frame, so that what is kept of a reading can be freed as soon as it is not needed."""
        other = type(self).__new__(type(self), *self.args)
        vars(other).update(vars(self))
        return other


class Misfit(Valueless):
    """Shapes that do not compose."""


@dataclass(slots=True, eq=False)  # not frozen, which would cost as much as a multiplication; nothing changes one that is made
class Value:
    """``a[world, …]``; ``d[world, …, K]`` its tangent; `plain` marks a number that may stand for a multiple of I or of the ones; `flipped` a vᵀ."""

    a: Array
    d: Array | None = None
    orient: int = 0
    plain: bool = False
    flipped: bool = False

    @property
    def dims(self) -> tuple[int, ...]:
        return self.a.shape[1:]  # type: ignore[no-any-return]

    @property
    def rank(self) -> int:
        return self.a.ndim - 1  # type: ignore[no-any-return]

    def turned(self, orient: int) -> Value:
        """The same vector, standing, lying or free."""
        return self if orient == self.orient else Value(self.a, self.d, orient, self.plain, self.flipped)


@lru_cache(maxsize=1024)
def scalar(value: int, below: int = 1) -> Value:
    """The number value/below."""
    if below == 0:
        raise Misfit("a division by zero")
    return Value(number(value, below), plain=True)


@lru_cache(maxsize=64)
def unit(n: int) -> Array:
    """I."""
    return np.eye(n, dtype=np.int64)


@lru_cache(maxsize=64)
def eye(n: int) -> Array:
    """I in every world."""
    return np.broadcast_to(unit(n), (WORLDS, n, n))


def level(x: Value, y: Value) -> tuple[Value, Value]:
    """Both for the same worlds, where one of them has them once for each of several variants."""
    if len(x.a) == len(y.a):
        return x, y
    if len(x.a) > len(y.a):
        q, p = level(y, x)
        return p, q
    if x.d is not None or y.d is not None:
        raise Redraw  # variants have no tangents
    again = np.broadcast_to(x.a, (len(y.a) // len(x.a), *x.a.shape)).reshape(len(y.a), *x.a.shape[1:])
    return Value(again, None, x.orient, x.plain, x.flipped), y


def _widen(a: Array, rank: int, tail: int) -> Array:
    """The array with unit axes put in before the last `tail` axes until it has `rank` axes of its own."""
    missing = rank - (a.ndim - 1 - tail)
    return a.reshape(a.shape[: a.ndim - tail] + (1,) * missing + a.shape[a.ndim - tail :]) if missing > 0 else a


def scale(x: Value, y: Value) -> Array:
    """x y entry by entry, the lower rank broadcast along the last axes: diag(x) y for a vector and a matrix."""
    if x.a.ndim == y.a.ndim:
        return x.a * y.a % MODULUS
    rank = max(x.rank, y.rank)
    return _widen(x.a, rank, 0) * _widen(y.a, rank, 0) % MODULUS


def _sum_tangents(first: Array | None, second: Array | None) -> Array | None:
    if first is None or second is None:
        return first if second is None else second
    return (first + second) % MODULUS


def scaled(x: Value, y: Value, orient: int = 0) -> Value:
    """Entry by entry with tangents."""
    x, y = level(x, y)
    flipped = (x.flipped or not x.rank) and (y.flipped or not y.rank) and bool(x.rank or y.rank)
    if x.a.shape != y.a.shape and any(p != q for p, q in zip(x.a.shape[1:], y.a.shape[1:], strict=False)):
        raise Misfit("sizes differ")
    if x.d is None and y.d is None:
        return Value(scale(x, y), None, orient, x.plain and y.plain, flipped)
    rank = max(x.rank, y.rank)
    left = None if x.d is None else _widen(x.d, rank, 1) * _widen(y.a, rank, 0)[..., None] % MODULUS
    right = None if y.d is None else _widen(y.d, rank, 1) * _widen(x.a, rank, 0)[..., None] % MODULUS
    return Value(scale(x, y), _sum_tangents(left, right), orient, x.plain and y.plain, flipped)


def contracted(x: Value, y: Value, orient: int = 0) -> Value:
    """Σ_k x[…, k] y[k, …]."""
    if x.a.shape[-1] != y.a.shape[1]:
        raise Misfit(f"a size {x.dims[-1]} meets a size {y.dims[0]}")
    x, y = level(x, y)
    if x.d is None and y.d is None:
        return Value(_contract(x.a, y.a, 1), None, orient)
    left = None if x.d is None else _contract(np.moveaxis(x.d, -1, 1), y.a[:, None], 2)
    right = None if y.d is None else _contract(x.a[:, None], np.moveaxis(y.d, -1, 1), 2)
    d = _sum_tangents(left, right)
    return Value(_contract(x.a, y.a, 1), None if d is None else np.moveaxis(d, 1, -1), orient)


def _contract(x: Array, y: Array, batch: int) -> Array:
    left, right = x.shape[batch:-1], y.shape[batch + 1 :]
    k = x.shape[-1]
    a = x if len(left) == 1 else x.reshape(*x.shape[:batch], -1, k)
    b = y if len(right) == 1 else y.reshape(*y.shape[:batch], k, -1)
    out = _few(a, b) if k <= 4 else ((a @ (b >> 16) % MODULUS << 16) + a @ (b & 0xFFFF)) % MODULUS  # two halves: their sums stay below 2^63
    return out if len(left) == len(right) == 1 else out.reshape(*out.shape[:batch], *left, *right)


def _few(a: Array, b: Array) -> Array:
    """a b with at most four terms in each sum: products below 2^62 have a sum below 2^64, which is what 64 bits hold without a sign."""
    return ((a @ b).view(np.uint64) % _UNSIGNED).view(np.int64)


def outer(x: Value, y: Value) -> Value:
    """x[i] y[j]."""
    return contracted(Value(x.a[..., None], None if x.d is None else np.expand_dims(x.d, -2)), Value(y.a[:, None], None if y.d is None else y.d[:, None]))


def transposed(x: Value) -> Value:
    """xᵀ; of a derivative tensor, its first index last."""
    if x.rank < 2:
        return Value(x.a, x.d, -x.orient, x.plain, x.rank == 1 and not x.flipped)
    if x.rank == 2:
        return Value(x.a.swapaxes(1, 2), None if x.d is None else x.d.swapaxes(1, 2), x.orient, x.plain)
    return Value(np.moveaxis(x.a, 1, x.rank), None if x.d is None else np.moveaxis(x.d, 1, x.rank), x.orient, x.plain)


def diagonal(x: Value) -> Value:
    """diag(x)."""
    if x.rank == 0:
        return x
    if x.rank != 1:
        raise Misfit("diag of something that is no vector")
    (n,) = x.dims
    return Value(x.a[:, :, None] * unit(n), None if x.d is None else x.d[:, :, None] * unit(n)[..., None])


def negative(x: Value) -> Value:
    return Value(-x.a % MODULUS, None if x.d is None else -x.d % MODULUS, x.orient, x.plain, x.flipped)


def added(x: Value, y: Value) -> Value:
    """x + y of equal shape."""
    if x.dims != y.dims:
        raise Misfit("sizes differ in a sum")
    x, y = level(x, y)
    return Value((x.a + y.a) % MODULUS, _sum_tangents(x.d, y.d), x.orient or y.orient, x.plain and y.plain, x.flipped and y.flipped)


def whole(x: Value) -> Value:
    """The sum of all entries."""
    d = None if x.d is None else x.d.reshape(WORLDS, -1, x.d.shape[-1]).sum(1) % MODULUS
    return Value(x.a.reshape(len(x.a), -1).sum(1) % MODULUS, d)


def spread(x: Value, dims: tuple[int, ...]) -> Value:
    """The number x as x·1 (a vector of ones), or as x·I (a square matrix)."""
    if x.rank != 0:
        raise Misfit("this is no number")
    if len(dims) == 1:
        shape: Array = np.ones(dims, dtype=np.int64)
    elif len(dims) == 2 and dims[0] == dims[1]:
        shape = unit(dims[0])
    elif len(x.a) > WORLDS:
        raise Redraw  # some of the variants may be zero
    elif not x.a.any():
        shape = np.zeros(dims, dtype=np.int64)
    else:
        raise Misfit("a number among matrices that are not square")
    a = x.a.reshape(-1, *([1] * len(dims))) * shape
    d = None if x.d is None else x.d.reshape(WORLDS, *([1] * len(dims)), -1) * shape[..., None]
    return Value(a, d)


def stacked(parts: list[Value]) -> Value:
    """[x; y], parts one below the other."""
    if not parts:
        raise Misfit("a bracket with nothing in it")
    vectors = [p if p.rank else replace(p, a=p.a[:, None], d=None if p.d is None else p.d[:, None]) for p in parts]
    if any(v.rank != 1 for v in vectors):
        if all(v.rank == 2 for v in vectors):
            if len({v.dims[1] for v in vectors}) == 1:
                return Value(np.concatenate([v.a for v in vectors], 1))
            if len({v.dims[0] for v in vectors}) == 1:
                return Value(np.concatenate([v.a for v in vectors], 2))
        raise Misfit("parts of different shape in one stack")
    d = None
    tangents = [v.d.shape[-1] for v in vectors if v.d is not None]
    if tangents:
        d = np.concatenate([np.zeros((*v.a.shape, tangents[0]), dtype=np.int64) if v.d is None else v.d for v in vectors], 1)
    return Value(np.concatenate([v.a for v in vectors], 1), d, max((v.orient for v in vectors), key=abs))


def blocks(rows: list[list[Value]]) -> Value:
    """A matrix of matrices, row by row; a number stands for as many times I, 0 for a block of zeros."""
    if len({len(row) for row in rows}) > 1:
        raise Misfit("rows of different length in one matrix")
    shapes = [[x.dims if x.rank == 2 else None for x in row] for row in rows]
    heights = [next((s[0] for s in row if s is not None), None) for row in shapes]
    widths = [next((s[1] for s in column if s is not None), None) for column in zip(*shapes, strict=True)]
    if len(heights) == len(widths):  # the blocks on the diagonal are square
        heights, widths = ([h or w for h, w in zip(one, other, strict=True)] for one, other in ((heights, widths), (widths, heights)))
    bands = (np.concatenate([_block(x, h, w) for x, w in zip(row, widths, strict=True)], 2) for row, h in zip(rows, heights, strict=True))
    return Value(np.concatenate([*bands], 1))


def _block(x: Value, height: int | None, width: int | None) -> Array:
    if x.rank == 2 and x.dims == (height, width):
        return x.a
    if x.rank or height is None or width is None or (height != width and x.a.any()):
        raise Misfit("parts of different shape in one matrix")
    out = np.zeros((len(x.a), height, width), dtype=np.int64)
    np.einsum("nii->ni", out[:, : min(height, width), : min(height, width)])[...] = x.a[:, None]
    return out


def part(x: Value, at: tuple[int | slice, ...]) -> Value:
    """The entry or slice of x at these indices."""
    if len(at) > x.rank:
        raise Misfit("more indices than the quantity has")
    for k, n in zip(at, x.dims, strict=False):
        if isinstance(k, int) and not 0 <= k < n:
            raise Misfit("an index beyond the size")
    where = (slice(None), *at)
    return Value(x.a[where], None if x.d is None else x.d[where], x.orient if sum(not isinstance(k, int) for k in at) + x.rank - len(at) == 1 else 0)


def is_diagonal(x: Value) -> bool:
    """Whether a square matrix is zero beside its diagonal."""
    return x.rank == 2 and x.dims[0] == x.dims[1] and not np.any(x.a * (1 - unit(x.dims[0])))


def same(x: Value, y: Value) -> bool:
    """Equal in every world."""
    return bool(np.array_equal(x.a, y.a))
