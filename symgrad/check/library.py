r"""Cells of the library for documents that leave theirs out: asked for, or matched by the names that a document uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgrad.check.define import Collected, Statement, collect, make_page
from symgrad.check.symbols import walk
from symgrad.notation.dialect import parse_dialect

if TYPE_CHECKING:
    from symgrad.language.cell import Cell

ENOUGH = 4  # names of a cell that a document must use


def prelude(cell: Cell, number: int) -> list[Statement]:
    """The update equations of a cell as statements."""
    out = []
    for k, node in enumerate(parse_dialect(cell.latex())):
        out.append(Statement(None, node, node, (), number + 1000 + k))
    return out


def matched(statements: list[Statement], collected: Collected) -> tuple[list[Statement], str] | None:
    """The library's cell that most names of the document belong to."""
    from symgrad.cells import LIBRARY

    best: tuple[int, int, str, list[Statement]] | None = None
    for name, cell in LIBRARY.items():
        lines = prelude(cell, len(statements))
        page = make_page(collect(lines), 0, lines)
        found, states = set(), set()
        for s in statements:
            for n in walk(s.node):
                ref = page.symbols.ref(n)
                if ref is not None:
                    found.add(ref.key)
                    states |= {ref.key} & page.lagged
        score = len(found)
        size = len(page.symbols.ranks)
        if score >= ENOUGH and states and (best is None or (score, -size) > (best[0], best[1])):
            best = (score, -size, name, lines)
    if best is None:
        return None
    return best[3], f"the document does not define its cell; its names are those of {best[2]} in the library"


__all__ = ["Any", "matched", "prelude"]
