"""Comments that write a cell and its gradients line by line as NumPy does, ``dU += da @ h.T``: a program that nobody runs.

Every formula of the comment must read as one statement of Python: where one is lost, the variables of those behind it may mean something else.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right

from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.lines import equations
from symgrad.check.sources.passages import rewritten, synthetic
from symgrad.check.sources.python import program

_ARRAYS = re.compile(r"[\w)\]] ?@ ?[\w(]|\w\.T\b|\bnp\.\w")
_ENTRY = re.compile(r"\[([a-su-z])\]")


def sketched(source: Passage) -> Passage | None:
    """The formulas of a comment as a program, the first of each line; None if they are none."""
    if _ARRAYS.search(source.text) is None:
        return None
    ends = [m.start() for m in re.finditer("\n", source.text)]
    rows: dict[int, Passage] = {}
    for found in equations(source, True):
        rows.setdefault(bisect_right(ends, bisect_right(source.starts, found.starts[0]) - 1), found)
    if not all(map(_statement, rows.values())):
        return None
    whole = joined([part for row in rows.values() for part in (row, synthetic("\n", row.ends[-1]))])
    heads = set(_ENTRY.findall(whole.text))
    return rewritten(whole, _ENTRY, lambda m: "") if len(heads) == 1 else whole  # of each head


def _statement(row: Passage) -> bool:
    body = program(row).body
    return len(body) == 1 and isinstance(body[0], ast.Assign | ast.AugAssign)
