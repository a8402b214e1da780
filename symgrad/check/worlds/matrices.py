r"""Random matrices of a kind, symmetric, orthogonal, …, made of random ones; and inverses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgrad.check.worlds.field import WORLDS, Array, P, Redraw, inverse, matmul, times


def identity(n: int) -> Array:
    """I."""
    return np.broadcast_to(np.eye(n, dtype=np.int64), (WORLDS, n, n)).copy()


def orthogonal(a: Array) -> Array:
    r"""\prod_k (I - 2 v_k v_k^\top / v_k^\top v_k), the v_k the columns of a."""
    out = identity(a.shape[-1])
    for k in range(a.shape[-1]):
        v = a[:, :, k, None]
        turned = np.swapaxes(v, 1, 2)
        scale = 2 * inverse(matmul(turned, v)) % P
        out = (out - times(matmul(matmul(out, v), turned), scale)) % P
    return out


KINDS: dict[str, Callable[[Array], Array]] = {
    "symmetric": lambda a: (a + np.swapaxes(a, 1, 2)) % P,
    "skew-symmetric": lambda a: (a - np.swapaxes(a, 1, 2)) % P,
    "orthogonal": orthogonal,
    "diagonal": lambda a: a * identity(a.shape[-1]),
}


def of_kind(a: Array, kind: str) -> Array:
    """A random matrix of a kind; what is not square is left as it is."""
    return KINDS[kind](a) if a.ndim == 3 and a.shape[1] == a.shape[2] else a


def inverted(a: Array) -> Array:
    """A^{-1} of square matrices, by elimination."""
    n = a.shape[-1]
    rows = np.concatenate([a, identity(n)], axis=2)
    for k in range(n):
        if not rows[:, k, k].all():
            raise Redraw
        rows[:, k] = times(rows[:, k], inverse(rows[:, k, k])[:, None])
        for i in range(n):
            if i != k:
                rows[:, i] = (rows[:, i] - times(rows[:, k], rows[:, i, k, None])) % P
    return rows[:, :, n:]
