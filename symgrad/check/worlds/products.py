r"""What a product of two values can mean: the shapes leave one meaning, or a short list of them.

`meanings(sign, x, y)` lists what ``x sign y`` may be, likeliest first: matrix product, entry by entry, outer or inner product, a
vector that stands for its diagonal matrix.  Which sign means what in a document is a choice of the reading.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from symgrad.check.worlds import field as F
from symgrad.check.worlds.field import WORLDS
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value, added, contracted, diagonal, level, outer, scaled, spread

SHARED = frozenset({"cdot", "ast", "times", "dot", "bullet", "star", "@"})  # signs with more than one use
ENTRYWISE = "had"
OUTER = "outer"  # ``\\otimes`` in a document that does not write its gates with it
CROSSES = frozenset({"otimes", OUTER})
OTHERWISE_UPRIGHT = "vectors stand here otherwise than in the equations of the cell"
DIAGONAL_NOTE = "a vector beside a matrix is read as its diagonal matrix"
CROSSED = "⊗ is read as the product entry by entry"


class Meanings(NamedTuple):
    """What a product may be: its meanings, the only one if there is no choice, and the question which of them it is."""

    options: tuple[Option, ...]
    only: Any = None
    key: tuple[Hashable, ...] = ()


def _lying(v: Value) -> Value:
    return v.turned(-1)


def _standing(v: Value) -> Value:
    return v.turned(1)


def _row_times_matrix(x: Value, y: Value) -> Value:
    """A row: written transposed, if x is."""
    return replace(_lying(contracted(x, y)), flipped=x.flipped)


def meanings(sign: str, x: Value, y: Value, upright: int = 1) -> Meanings:
    """The ways to multiply these two, each a function of (x, y), likeliest first; none if they do not compose.

    `upright` tells how vectors stand that are not written transposed: 1 for columns.
    """
    return _meanings(sign, x.a.shape[1:], x.orient, x.flipped, y.a.shape[1:], y.orient, y.flipped, upright)


@lru_cache(maxsize=4096)
def _meanings(sign: str, x: tuple[int, ...], lies: int, turned: bool, y: tuple[int, ...], other: int, turned_too: bool, upright: int) -> Meanings:
    """The same of all that the meanings depend on: the shapes of the factors, and how they stand."""
    a, b = len(x), len(y)
    if not a or not b:
        rule = _summed if turned and not a and b == 1 else _scaled  # ``1^\\top v``
        return Meanings((Option(0, rule),), rule)
    found: list[tuple[str, Option]] = []

    def can(cost: int, name: str, rule: object, note: str = "", weak: bool = False) -> None:
        found.append((name, Option(cost, rule, note, weak)))

    if a == 1 and b == 1:
        alike = x == y
        across = lies * other == -1
        if sign == ENTRYWISE:
            if alike:
                across |= turned != turned_too and not (lies or other)  # a gradient that is transposed may have been a row
                can(4 if across else 0, "entrywise", _scaled, "a row and a column are multiplied entry by entry" if across else "", across)
        elif sign in CROSSES:
            can(0, "outer", outer)
            if alike:
                can(2, "entrywise", _scaled, CROSSED if sign == OUTER else "", sign == OUTER)
        elif turned != turned_too:  # ``a b^\\top``, ``a^\\top b``: a matrix or a number, nothing entry by entry
            makes_matrix = turned_too == (upright > 0)
            if lies * other != 1:
                can(0 if makes_matrix else 3, "outer", outer, "" if makes_matrix else OTHERWISE_UPRIGHT, not makes_matrix)
                if alike:
                    can(3 if makes_matrix else 0, "inner", contracted, OTHERWISE_UPRIGHT if makes_matrix else "", makes_matrix)
        elif across or (lies == 0) != (other == 0):
            left = lies or -other
            definite = lies and other
            if left == 1:
                can(0 if definite or not alike or other == -1 else 2, "outer", outer)
            elif alike:
                can(0 if definite or lies == -1 else 2, "inner", contracted)
            if alike and not definite:
                can(1, "entrywise", _scaled)
                can(3, "outer", outer, "a product of two vectors is read as their outer product", weak=True)
        else:
            if alike:
                can(0, "entrywise", _scaled)
                can(4, "inner", contracted, "a product of two vectors is read as their inner product")
            if lies == 0 and other == 0:
                can(3 if alike else 1, "outer", outer, "a product of two vectors is read as their outer product", weak=True)
    elif sign in CROSSES and {a, b} == {1, 2}:
        can(0, "Kronecker", kronecker if b == 1 else lambda p, q: kronecker(q, p))
        if a == 1 and x[0] == y[0]:
            can(2, "rows", scaled, DIAGONAL_NOTE)
        elif a == 2 and x[0] == y[0]:
            can(3, "rows", lambda p, q: scaled(q, p), "a vector times a matrix scales its rows")
    elif a == 2 and b == 1:
        if sign != ENTRYWISE and x[1] == y[0] and other >= 0:
            can(0, "matrix", lambda p, q: _standing(contracted(p, q)))
        if x[0] == y[0] and sign not in ("", "@") and not turned_too:
            can(0 if sign == ENTRYWISE else 3, "rows", lambda p, q: scaled(q, p), "a vector times a matrix scales its rows" if sign != ENTRYWISE else "")
        if x[1] == y[0] and (sign == ENTRYWISE or not turned_too):
            broadcast = sign == ENTRYWISE and not turned_too  # by the rule of arrays; a column scales rows
            can(3 if sign == ENTRYWISE else 2, "columns", lambda p, q: contracted(p, diagonal(q)), DIAGONAL_NOTE, broadcast)
    elif a == 1 and b == 2:
        if sign != ENTRYWISE and x[0] == y[0] and lies <= 0:
            can(0, "matrix", _row_times_matrix)
        if x[0] == y[0] and not turned:
            can(0 if sign == ENTRYWISE else 1, "rows", scaled, "" if sign == ENTRYWISE else DIAGONAL_NOTE)
        if sign == ENTRYWISE and x[0] == y[1] and (turned or x[0] != y[0]):
            can(2, "columns", lambda p, q: contracted(q, diagonal(p)))
    elif a == 2 and b == 2:
        if sign != ENTRYWISE and x[1] == y[0]:
            can(0, "matrix", contracted)
        if x == y and sign:
            can(0 if sign == ENTRYWISE else 2, "entrywise", _scaled)
    elif a == 1 and b >= 3:
        if sign != ENTRYWISE and x[0] == y[0] and lies <= 0:
            can(0, "matrix", contracted)
        if x[0] == y[0]:
            can(0 if sign == ENTRYWISE else 1, "rows", scaled, "" if sign == ENTRYWISE else DIAGONAL_NOTE)
    elif a >= 3 and b == 1:
        if sign != ENTRYWISE and x[-1] == y[0]:
            can(0, "matrix", contracted)
        if x[0] == y[0] and sign:
            can(0 if sign == ENTRYWISE else 3, "rows", lambda p, q: scaled(q, p))
    elif a == 2 and b >= 3:
        if x[1] == y[0]:
            can(0, "matrix", contracted)
    elif a >= 3 and b == 2 and x[-1] == y[0]:
        can(0, "matrix", contracted)
    found.sort(key=lambda row: row[1].cost)
    options = tuple(option for _, option in found)
    only = options[0].value if len(options) == 1 and not options[0].note else None
    names = tuple(name for name, _ in found)
    return Meanings(options, only, ("product", sign if sign in SHARED or sign == ENTRYWISE else "", a, b, lies, other, names))


def kronecker(matrix: Value, vector: Value) -> Value:
    """M[i, a] v[b], the derivative of ``W v`` by W behind the matrix M: what Kronecker's product of both is, however its columns are ordered."""
    return Value(matrix.a[..., None] * level(matrix, vector)[1].a[:, None, None] % F.P)


def computed(sign: str, x: Value, y: Value, flat: bool) -> Value:
    """What an array program computes by ``*``, ``@`` and ``np.outer``; `flat` where its vectors are arrays of one index."""
    a, b = x.rank, y.rank
    if flat:
        x, y = (v.turned(0) if v.rank == 1 else v for v in (x, y))
    if not a or not b:
        return _scaled(x, y)
    if sign == "otimes" and a == b == 1:
        return outer(x, y)
    if sign == ENTRYWISE and x.dims == y.dims and x.orient * y.orient >= 0:
        return _scaled(x, y)
    if sign == "@" and x.dims[-1] == y.dims[0] and (a, b) in ((2, 1), (1, 2), (2, 2)) and y.orient >= 0 >= x.orient:
        return contracted(x, y, 0 if flat or a == b else 1 if b == 1 else -1)
    if sign == "@" and a == b == 1 and x.orient == -y.orient:
        if x.orient == 1:
            return outer(x, y)
        if x.dims == y.dims:
            return contracted(x, y)
    raise Misfit(f"{shape(x)} times {shape(y)} does not compose")


def _summed(x: Value, y: Value) -> Value:
    """The sum of the entries of y, times x."""
    return contracted(spread(x, y.dims), y)


def _scaled(x: Value, y: Value) -> Value:
    return scaled(x, y, x.orient or y.orient if max(x.rank, y.rank) == 1 else 0)


def common(x: Value, y: Value) -> tuple[Value, Value, str]:
    """Both at the higher rank: a number as ones or as I, a vector as its diagonal matrix, a matrix as the derivative tensor it abbreviates."""
    if x.a.ndim == y.a.ndim:
        if x.a.shape[1:] != y.a.shape[1:]:
            raise Misfit(f"{shape(x)} and {shape(y)} are added or compared")
        return x, y, ""
    if x.rank > y.rank:
        q, p, note = common(y, x)
        return p, q, note
    if x.rank == 0:
        return spread(x, y.dims), y, ""
    if x.rank == 1 and y.rank == 2:
        if y.dims == (x.dims[0],) * 2:
            return diagonal(x), y, "a vector beside matrices is read as its diagonal matrix"
        if y.dims == (x.dims[0], 1) or y.dims == (1, x.dims[0]):
            return Value(x.a.reshape(y.a.shape), None, x.orient), y, ""
    if y.rank == 3:
        n = y.dims[0]
        unit = np.eye(n, dtype=np.int64)
        if x.rank == 1 and y.dims == (n, n, *x.dims):
            a = unit[None, :, :, None] * x.a[:, None, None, :]
            return Value(a, None), y, "∂h/∂W is written without its Kronecker delta: v stands for δ_ia v_b"
        if x.rank == 2 and y.dims == (n, *x.dims) and x.dims[0] == n:
            a = unit[None, :, :, None] * x.a[:, None, :, :]
            return Value(a, None), y, "∂h/∂W is written without its Kronecker delta: M stands for δ_ia M_ab"
    raise Misfit(f"{shape(x)} and {shape(y)} are added or compared")


def plus(x: Value, y: Value) -> tuple[Value, str]:
    """x + y, the lower rank raised."""
    p, q, note = common(x, y)
    out = added(p, q)
    if out.rank == 1 and not (x.rank and y.rank):  # ``1 - h^\\top``
        out = replace(out, flipped=x.flipped or y.flipped)
    return out, note


def shape(x: Value) -> str:
    """The shape in words."""
    if not x.rank:
        return "a number"
    if x.rank == 1:
        return f"a {'row' if x.orient < 0 else 'column' if x.orient > 0 else 'vector'} of {x.dims[0]}"
    return f"a {'×'.join(map(str, x.dims))} {'matrix' if x.rank == 2 else 'tensor'}"


__all__ = ["ENTRYWISE", "SHARED", "WORLDS", "common", "computed", "meanings", "plus", "shape"]
