"""The cells of the library as a table: states, gates, convention and source, read from the cells themselves."""

from __future__ import annotations

import inspect

from symgrad.cells import LIBRARY
from symgrad.face.cell import Cell
from symgrad.language.functions import ROWS


def listing() -> list[dict[str, str]]:
    """One row for each cell."""
    return [_row(cell) for cell in LIBRARY.values()]


def _row(cell: Cell) -> dict[str, str]:
    program = cell.program
    first, _, rest = inspect.cleandoc(cell.__doc__ or "").partition("\n")
    gates = [s.name for s, e in program if e.func in ROWS and ROWS[e.func].gate and s not in program.updates.values()]
    return {
        "cell": cell.name,
        "inputs": ", ".join(cell.inputs),
        "states": ", ".join(cell.states),
        "gates": ", ".join(gates),
        "outputs": ", ".join(s.name for s in program.outputs),
        "convention": first.rstrip("."),
        "source": " ".join(rest.split()).removeprefix("Source: "),
    }


def table(rows: list[dict[str, str]]) -> str:
    """The rows for a terminal: one line for a cell, its source below it."""
    width = {k: max(len(k), *(len(r[k]) for r in rows)) for k in ("cell", "states", "gates")}
    head = f"{'cell':{width['cell']}}  {'states':{width['states']}}  {'gates':{width['gates']}}  convention"
    lines = [head, "─" * len(head)]
    for r in rows:
        lines.append(f"{r['cell']:{width['cell']}}  {r['states']:{width['states']}}  {r['gates']:{width['gates']}}  {r['convention']}")
        lines.append(f"{'':{width['cell']}}  {'':{width['states']}}  {'':{width['gates']}}  {r['source']}")
    return "\n".join(lines)
