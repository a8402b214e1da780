"""``symgrad backward CELL --to numpy | torch``: whole sequences forward, and every gradient backward, as a module of its own."""

from __future__ import annotations

from symgrad.errors import SymgradError
from symgrad.face.bptt import bptt
from symgrad.face.cell import Cell
from symgrad.generate.backward.module import numpy_module
from symgrad.generate.backward.torch import torch_module
from symgrad.language.program import Program
from symgrad.notation.text import text
from symgrad.notation.write import update_equations


def module(cell: Cell | Program, to: str = "numpy") -> str:
    """The source of the module; raises `SymgradError` for a cell with functions left free."""
    program: Program = cell if isinstance(cell, Program) else cell.program
    if to == "torch":
        return torch_module(program)
    if to != "numpy":
        raise SymgradError(f"to={to!r}: code is written for numpy and torch")
    return numpy_module(program, _title(program))


def _title(program: Program) -> str:
    result = bptt(program)
    equations = [f"    {text(e)}" for e in update_equations(program)]
    back = [f"    {text(e)}" for e in result.recursion()]
    totals = [f"    {text(e)}" for e in result.gradients()]
    lines = [
        f"The cell {program.name} over whole sequences: forward, and every gradient backward.",
        "",
        *equations,
        "",
        "With δ for ∂L/∂, from the last step to the first:",
        "",
        *back,
        "",
        "and the parameters:",
        "",
        *totals,
        "",
        f"Written by `symgrad backward {program.name} --to numpy`.  Arrays are time first: step, sequence, component.",
        "Several layers: the `ys` of one are the `xs` of the next, and its `dxs` the `dys` of the one before.",
        "Backward in time (the other direction): reverse `xs`, `mask` and `ys`, `dys` and `dxs` along time.",
    ]
    return "\n".join(line.replace("\\", "\\\\") for line in lines)
