r"""Arrays put together and taken apart: diagonals, stacks, entries, slices."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from symgrad.check.evaluation.arithmetic import times
from symgrad.check.evaluation.grids import cells, dotted, grid
from symgrad.check.reading.symbols import entries_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value
from symgrad.check.worlds.world import Missing, Unsupported
from symgrad.notation.syntax import Slice

OF_STATES = frozenset({"n", "k", "p", "s", "u", "hs"})  # letters for the size of the state, or else of the input,
OF_ANY = OF_STATES | {"m", "d", "e", "x", "q", "dim"}  # and the other way round

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run


def diagonal(run: Run, node: Any) -> Value:
    """``diag(x)``."""
    x = run.value(node.arg)
    if run.flat or x.rank == 2:
        return x
    if x.rank == 0 and any((ref := run.page.symbols.ref(n)) is not None and any(map(letters, ref.entries)) for n in walk(node.arg)):
        raise Unsupported("the diagonal matrix of one entry", node)  # which may stand for all of them
    return values.diagonal(x)


def stack(run: Run, node: Any) -> Value:
    """``[h; x]``."""
    if dotted(node) and not run.flat:
        return grid(run, node)
    rows = [cells(a) for a in node.args]
    if kind(node) == "Stack" and node.vertical and not run.flat and all(len(row) > 1 for row in rows):
        found = [[run.value(cell) for cell in row] for row in rows]
        return values.blocks(found) if any(x.rank == 2 for row in found for x in row) else values.stacked([values.stacked(row) for row in found])
    parts = [run.value(a) for a in node.args]
    if len(parts) == 1:
        return parts[0]
    if run.flat:
        raise Unsupported("a stack of numbers", node)
    return values.stacked(parts)


def listed(run: Run, node: Any) -> Value:
    """``(h, x)``, or a bracket around one thing."""
    if len(node.args) == 1:
        return run.value(node.args[0])
    return stack(run, node)


def indexed(run: Run, node: Any) -> Value:
    """``W[:, a:b]``, ``(…)_i``, the k-th of m equal parts; ``W [h, x]`` is a product."""
    if node.kind == "part":
        whole, (k, of) = run.value(node.base), (int(p.text) for p in node.parts)
        if not whole.dims:
            raise Unsupported("a part of a number", node)
        n = whole.dims[0] // of
        return values.part(whole, (slice(k * n, k * n + n),))
    if run.page.symbols.ref(node) is not None:
        return run.named(node)
    adjoint = run.try_unnamed(node)
    if adjoint is not None:
        return adjoint
    x = run.value(node.base)
    inner = run.page.symbols.ref(node.base)
    if node.kind == "(" and len(node.parts) == 1 and inner is not None and inner.step is not None:
        return times(run, "", x, run.value(node.parts[0]))  # f_t (1): its step is told already
    if any(kind(p) in ("Stack", "Hadamard") or (run.page.symbols.ref(p) is not None and number_at(p, run.env) is None) for p in node.parts):
        v = run.value(node.parts[0]) if len(node.parts) == 1 else values.stacked([run.value(p) for p in node.parts])
        return times(run, "", x, v)
    if run.flat:
        return x
    parts = (entries_of(node.parts[0], x.rank) if len(node.parts) == 1 and kind(unwrapped(node.parts[0])) == "Product" else None) or node.parts
    if x.rank == 1 and len(parts) == 2 and not run.page.program and any(p == Slice(None, None) for p in parts):
        if any(kind(p) != "Slice" for p in parts):
            raise Unsupported("one of the examples of a batch", node)
        parts = parts[:1] if parts[1] == Slice(None, None) else parts[1:]  # the other axis is that of the examples
    if x.rank == 2 and len(parts) == 1 and kind(parts[0]) == "Slice" and not run.page.program:
        columns = Option(2, (Slice(None, None), parts[0]), "the range is one of columns", weak=True)
        parts = run.chooser.choose(("range of", id(node)), (Option(0, parts), columns))
    at: list[int | slice] = []
    for p, n in zip(parts, (*x.dims, *[0] * 4), strict=False):
        at.append(sliced(run, p, n) if kind(p) == "Slice" else run.entry(p, n))
    if len(at) == 1 and isinstance(at[0], int) and values.is_diagonal(x):
        meanings = Option(0, 1), Option(1, 2, "one index of a diagonal matrix is read as that of a vector")
        at *= run.chooser.choose(("entry of a diagonal", id(node)), meanings)
    return values.part(x, tuple(at))


def sliced(run: Run, node: Any, n: int) -> slice:
    """``a:b`` of n components, with words for sizes: some of them, and not all."""
    first, last = (None if side is None else bound(run, unwrapped(side)) for side in (node.lower, node.upper))
    taken = len(range(n)[first:last])
    if not run.page.program and n and (first, last) != (None, None) and taken in (0, n):
        raise Misfit("a range of none, or of all, of the components")
    return slice(first, last)


def bound(run: Run, side: Any) -> int:
    """An end of a range: a size, twice one, the sum of two; a number of components is one of the document's own example."""
    k = kind(side)
    if k in ("Sum", "Product") and (k == "Sum" or kind(side.args[0]) == "Number"):
        ends = [int(a.text) if kind(a) == "Number" and a.text.isdigit() else bound(run, unwrapped(a)) for a in side.args]
        return sum(ends) if k == "Sum" else prod(ends)
    at = number_at(side, run.env)
    if at is not None and (kind(side) != "Number" or run.page.program):
        return int(at)
    if at is not None and at > 1:
        raise Unsupported("a range up to a number", side)
    word = spelled(side) or ""
    size = size_named(run, word) if at is None else int(at)
    if size is None:
        raise Missing(word, side)
    return size


def size_named(run: Run, word: str) -> int | None:
    """A word for a size: in, input, hidden, n_a …; a letter for any of them is the size of the state, or of the input."""
    dims = run.world.model.dims
    low = word.lower()
    state = next((dims[k][0] for k in sorted(run.page.lagged) if dims.get(k)), None)
    given = next((dims[k][0] for k in sorted(run.page.symbols.timed) if k not in run.world.model.equations and dims.get(k)), None)
    if "hid" in low or any(w in low for w in ("n_a", "n_h", "d_h", "dim_h")) or low in ("h", "h_dim"):
        return state
    if any(w in low for w in ("in", "n_x", "d_x", "x_dim", "dim_x")):
        return given
    if low not in OF_ANY or state is None or given is None:
        return None
    sizes = (state, given) if low in OF_STATES else (given, state)
    names = ("the state", "the input") if low in OF_STATES else ("the input", "the state")
    options = (Option(0, sizes[0]), Option(2, sizes[1], f"{word} is read as the size of {names[1]}"))
    return int(run.chooser.choose(("size", low), options))
