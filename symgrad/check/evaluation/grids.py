r"""Vectors and matrices of which some entries are written and dots stand for the others: ``(a_1; \ldots; a_n)``, a Jacobian entry by entry.

The written entries must be alike but for the indices of components, and each index must go with the row or with the column.  Where zeros are
written, or places left free, the others stand on the diagonal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.sums import where
from symgrad.check.reading.statements import ADJOINT_HEADS, step_part
from symgrad.check.reading.symbols import head_and_parts, letters, spelled
from symgrad.check.reading.trees import by_identity, children, kind, rebuilt, unwrapped, walk
from symgrad.check.worlds import values
from symgrad.check.worlds.values import Misfit, Value
from symgrad.check.worlds.world import Unsupported
from symgrad.notation.syntax import Name, Number, Tuple

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

COUNTERS = "ijpqklmnrabcdefguvwxyz"
MOST = 8  # entries along an axis


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that is written, with the labels of its components."""

    row: int
    column: int
    node: Any
    labels: tuple[str, ...]


@by_identity
def dotted(node: Any) -> bool:
    """Whether some entries of a vector or matrix are left out."""
    return any(kind(unwrapped(cell)) == "Ellipsis" for row in node.args for cell in cells(row))


def ends(node: Any) -> frozenset[str]:
    """The letters for the number of entries: those that stand in some of the entries, and not in all."""
    entries = [apart(cell) for row in node.args for cell in cells(row) if written(cell)]
    found = [frozenset(w for n in walk(e) if kind(n) == "Name" for sub in n.subs for w in index_letters(sub)) for e in entries]
    return frozenset().union(*found) - frozenset.intersection(*found) if found else frozenset()


def index_letters(sub: Any) -> Iterator[str]:
    for part in sub.args if kind(sub) == "Tuple" else (sub,):
        yield from letters(part)


def grid(run: Run, node: Any) -> Value:
    """The value of a vector or matrix with dots."""
    rows = [tuple(map(apart, row)) for row in map(cells, node.args) if any(map(written, row))]
    found = [Written(r, c, cell, labels(run, cell)) for r, row in enumerate(rows) for c, cell in enumerate(row) if kind(unwrapped(cell)) != "Ellipsis"]
    entries = [w for w in found if written(w.node)]
    if len(entries) < 2 or len({blanked(run, w.node) for w in entries}) > 1 or len({len(w.labels) for w in entries}) > 1:
        raise Unsupported("dots whose terms cannot be told", node)
    if kind(unwrapped(node.args[0])) != "Stack":
        return vector(run, node, body(run, entries, [along(entries, lambda w: w.row)], node))
    diagonal = len(entries) < len(found)
    if diagonal and len({w.row for w in entries}) == len({w.column for w in entries}) == len(entries) == len(rows):
        return values.diagonal(vector(run, node, body(run, entries, [along(entries, lambda w: w.row)], node)))
    if diagonal or {(w.row, w.column) for w in found} != {(r, c) for r in range(len(rows)) for c in {w.column for w in found}}:
        raise Unsupported("dots whose terms cannot be told", node)
    inner = body(run, entries, [along(entries, lambda w: w.row), along(entries, lambda w: w.column)], node)
    return matrix(run, node, inner)


def cells(row: Any) -> tuple[Any, ...]:
    row = unwrapped(row)
    return row.args if kind(row) == "Stack" else (row,)


def written(cell: Any) -> bool:
    """Whether something other than a zero stands in a place."""
    return kind(unwrapped(cell)) not in ("Ellipsis", "Blank") and unwrapped(cell) != Number("0")


@by_identity
def apart(cell: Any) -> Any:
    """An entry with two indices that are written together, ``w_{12}``, ``w_{1n}``, told apart."""
    pairs = [(n, sub) for n in walk(cell) if kind(n) == "Name" and len(n.subs) == 1 for sub in n.subs]
    new = {id(sub): Tuple(two) for _, sub in pairs if len(two := digits(sub)) == 2}
    return rebuilt(cell, new) if new else cell


def digits(sub: Any) -> tuple[Any, ...]:
    """The indices in ``12``, ``1n``, ``nn``."""
    if kind(sub) == "Number":
        return tuple(map(Number, sub.text)) if sub.text.isdigit() else ()
    args: tuple[Any, ...] = sub.args if kind(sub) == "Product" else ()
    return args if all((kind(a) == "Number" and len(a.text) == 1) or (kind(a) == "Name" and a == Name(a.base)) for a in args) else ()


def indices(run: Run, node: Any) -> list[Any]:
    """The indices of components in an entry."""
    ref = run.page.symbols.ref(node)
    if ref is not None:
        return list(ref.entries)
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    if split is not None and split[0].base in ADJOINT_HEADS:
        return [p.node for p in split[1] if step_part((p,), run.page.symbols.letter) is None]
    return [e for child in children(node) for e in indices(run, child)]


def labels(run: Run, node: Any) -> tuple[str, ...]:
    return tuple(e.text if kind(e) == "Number" else str(spelled(e)) for e in indices(run, node))


def blanked(run: Run, node: Any) -> Any:
    """An entry without its indices."""
    return rebuilt(node, {id(e): Name("") for e in indices(run, node)})


def along(entries: list[Written], axis: Callable[[Written], int]) -> list[bool]:
    """Which of the indices of an entry go with an axis: they are the same wherever its place on that is, and another one elsewhere."""
    out = []
    for k in range(len(entries[0].labels)):
        pairs = {(axis(w), w.labels[k]) for w in entries}
        out.append(len(pairs) == len({place for place, _ in pairs}) == len({label for _, label in pairs}) > 1)
    return out


def body(run: Run, entries: list[Written], axes: list[list[bool]], node: Any) -> Any:
    """The entry at any place."""
    first = entries[0]
    new = {}
    for k, e in enumerate(indices(run, first.node)):
        goes = [name for name, which in zip(axis_letters(node), axes, strict=False) if which[k]]
        if len(goes) > 1 or (not goes and len({w.labels[k] for w in entries}) > 1):
            raise Unsupported("dots whose terms cannot be told", node)
        if goes:
            new[id(e)] = goes[0]
    if not all(any(which) for which in axes) or not consistent(entries, axes):
        raise Unsupported("dots whose terms cannot be told", node)
    return rebuilt(first.node, new)


def consistent(entries: list[Written], axes: list[list[bool]]) -> bool:
    """Whether the indices that go with an axis count alike: 1, 2, to a last one."""
    for axis, which in enumerate(axes):
        for w in entries:
            if len({label for label, goes in zip(w.labels, which, strict=True) if goes}) > 1:
                return False
        counted = {(w.column if axis else w.row): next(label for label, goes in zip(w.labels, which, strict=True) if goes) for w in entries}
        first = [counted[place] for place in sorted(counted)][:-1]
        if first not in ([str(k) for k in range(begin, begin + len(first))] for begin in (0, 1)):
            return False
    return True


@by_identity
def axis_letters(node: Any) -> tuple[Name, Name]:
    """Two letters for components that stand nowhere in a vector or matrix."""
    used = {n.base for n in walk(node) if kind(n) == "Name"}
    first, second, *_ = (Name(letter) for letter in COUNTERS if letter not in used)
    return first, second


def vector(run: Run, node: Any, inner: Any) -> Value:
    return values.stacked(every(run, axis_letters(node)[0].base, lambda: run.value(inner)))


def matrix(run: Run, node: Any, inner: Any) -> Value:
    """Row by row."""
    down, along = (letter.base for letter in axis_letters(node))
    rows = every(run, down, lambda: values.stacked(every(run, along, lambda: run.value(inner))))
    if any(row.d is not None for row in rows) or len({row.dims for row in rows}) > 1:
        raise Unsupported("a derivative of a matrix with dots")
    return Value(np.stack([row.a for row in rows], 1))


def every(run: Run, letter: str, value: Callable[[], Value]) -> list[Value]:
    """The values at every place along an axis."""
    out: list[Value] = []
    while len(out) < MOST:
        try:
            out.append(where(run, letter, len(out), value))
        except Misfit:
            break
    if not out or len(out) == MOST:
        raise Misfit("a bracket whose entries cannot be counted")
    return out
