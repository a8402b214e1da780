"""Matrices for claims: `diag`, `eye`, `ones`, `outer` of traced values, or of NumPy arrays.

The sizes of `eye()` and `ones()` are inferred from what they are added to or multiplied with; outside of a claim they need a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from symgrad.errors import CellError
from symgrad.language.shapes import Dim, Shape, describe
from symgrad.language.trace import ARRAY_FUNCTIONS, Trace, Traced

_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """While a claim is traced, `eye` and `ones` without a size belong to it."""
    token = _TRACE.set(trace)
    try:
        yield
    finally:
        _TRACE.reset(token)


def eye(size: Any = None) -> Any:
    """The identity matrix I; in a claim its size is inferred, or that of a vector is taken."""
    trace = size.trace if isinstance(size, Traced) else _TRACE.get()
    if trace is None:
        if size is None:
            raise CellError("eye() without a size has one only inside a claim; write eye(3)")
        return np.eye(int(size) if isinstance(size, int | np.integer) else len(size))
    dim = _size(trace, size)
    return Traced(trace, "eye", (), Shape([dim, dim]))


def ones(size: Any = None) -> Any:
    """The vector of ones; in a claim its size is inferred, or that of a vector is taken."""
    trace = size.trace if isinstance(size, Traced) else _TRACE.get()
    if trace is None:
        if size is None:
            raise CellError("ones() without a size has one only inside a claim; write ones(3)")
        return np.ones(size if isinstance(size, int | tuple) else len(size))
    return Traced(trace, "ones", (), Shape([_size(trace, size)]))


def _size(trace: Trace, like: Any) -> Dim:
    if like is None:
        return Dim()
    if not isinstance(like, Traced) or not like.shape.settle(1):
        trace.fail("inside a claim the size is that of a vector, as in eye(h), or inferred, as in eye()")
    assert like.shape.dims is not None
    return like.shape.dims[0]


def diag(a: Any) -> Any:
    """diag(v), the matrix with v on its diagonal; of a matrix, the vector on its diagonal."""
    if not isinstance(a, Traced):
        if isinstance(a, int | float) and (trace := _TRACE.get()) is not None:
            return a * eye() if trace else a
        return np.diag(np.asarray(a))
    if a.shape.rank is None:
        a.shape.settle(1)
    dims = a.shape.dims
    assert dims is not None
    if len(dims) == 0:
        return a * eye(None) if _TRACE.get() is a.trace else a.trace.fail("diag of a scalar")
    if len(dims) == 1:
        one = Traced(a.trace, "eye", (), Shape([dims[0], dims[0]]))
        return Traced(a.trace, "einsum", (((0,), (0, 1)), (0, 1), (a, one)), Shape([dims[0], dims[0]]))
    if len(dims) > 2 or not dims[0].unify(dims[1]):
        a.trace.fail(f"diag of {describe(a.shape)} that is not square")
    return Traced(a.trace, "einsum", (((0, 0),), (0,), (a,)), Shape([dims[0]]))


def outer(a: Any, b: Any) -> Any:
    """a bᵀ."""
    return np.outer(a, b)


def _numpy_diag(trace: Trace, a: Any) -> Any:
    """np.diag, which a claim may use for diag."""
    return diag(a) if _TRACE.get() is trace else trace.fail("np.diag in a cell: write diag(a) @ b as a * b")


ARRAY_FUNCTIONS[np.diag] = _numpy_diag
