"""Numbers as witnesses: a cell's derivatives against its own function, SymPy, and installed references.

The room has the name of its one verb, and importing anything in it puts the room into ``symgrad.verify``; so the room can be called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from symgrad.face.cell import Cell
from symgrad.face.jacobian import Jacobian
from symgrad.verify.against import run, verify
from symgrad.verify.report import Check, Report

__all__ = ["Check", "Report", "run", "verify"]


class _Room(ModuleType):
    def __call__(
        self, cell: Cell, against: str | Iterable[str] | None = None, seed: int = 0, points: int = 8, jacobians: Iterable[Jacobian] | None = None
    ) -> Report:
        """`verify`."""
        return verify(cell, against, seed, points, jacobians)


sys.modules[__name__].__class__ = _Room
