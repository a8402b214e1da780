"""Generated code with its temporaries: a `Workspace` that lives on between calls, and the code bound to sizes and a type."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symgrad.generate.step.code import Code

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[..., None]

KEPT = 2**20  # bytes of temporaries that a compiled function keeps of its own accord


@dataclass
class Workspace:
    """Temporaries that live on between calls, by name, shape and type.  For one thread at a time; any compiled function may share it."""

    arrays: dict[tuple[str, tuple[int, ...], np.dtype[Any]], Array] = field(default_factory=dict)
    _runs: dict[Bound, Run] = field(default_factory=dict, repr=False)

    def new(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """The array of this name, made when it is first asked for; its content is anything."""
        key = (name, shape, dtype)
        if key not in self.arrays:
            self.arrays[key] = np.empty(shape, dtype)
        return self.arrays[key]

    @property
    def nbytes(self) -> int:
        """The bytes held."""
        return sum(a.nbytes for a in self.arrays.values())

    def clear(self) -> None:
        """Let go of everything."""
        self.arrays.clear()
        self._runs.clear()


@dataclass(eq=False)
class Bound:
    """The code for one set of given names, shapes and types."""

    make: Callable[..., Run]
    code: Code
    names: tuple[str, ...]  # of the arrays, in the order of the code's arguments
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    lead: tuple[int, ...]  # the leading batch axes of the result
    batched: frozenset[str]
    results: tuple[tuple[str, tuple[int, ...]], ...]
    cast: bool
    mode: str  # "one", "batch" (points as the last axis), "loop" (point by point)
    chunk: int = 0  # points at a time
    wide: bool = False  # whether the results have long rows
    spare: list[Run] = field(default_factory=list)
    small: bool = False

    def __post_init__(self) -> None:
        names = self.names
        self.take: Callable[[dict[str, Array]], Sequence[Array]]
        self.take = operator.itemgetter(*names) if len(names) > 1 else lambda arrays: [arrays[n] for n in names]

    def run(self, workspace: Workspace | None) -> Run:
        """The generated function with its temporaries."""
        if workspace is not None:
            found = workspace._runs.get(self)
            if found is None:
                found = workspace._runs[self] = self._made(workspace)
            return found
        if self.spare:
            return self.spare.pop()
        fresh = Workspace()
        made = self._made(fresh)
        self.small = fresh.nbytes <= KEPT
        return made

    def _made(self, workspace: Workspace) -> Run:
        limit = math.log(np.finfo(self.dtype).max) - 2
        extra = [self.chunk] if self.chunk else []
        dtype = self.dtype
        return self.make(lambda name, shape: workspace.new(name, shape, dtype), lambda value: np.array(value, dtype), limit, *self.sizes, *extra)
