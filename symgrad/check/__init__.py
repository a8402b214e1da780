"""Documents in: sources and spans, definitions, claims, diagnosis, reports.

The room has the name of its one verb, and importing anything in it puts the room into ``symgrad.check``; so the room can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, source: Any, cell: Any = None, **options: Any) -> Any:
        """`run.check`, imported when it is first called: the process that judges does not need it."""
        from symgrad.check.run import check

        return check(source, cell, **options)


sys.modules[__name__].__class__ = _Room
