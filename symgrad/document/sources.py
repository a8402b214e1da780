"""What a reader may copy from a derived block: its equations as LaTeX, as SymPy, as NumPy."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from symgrad.bounds.command import bound_block, bounds
from symgrad.cells.load import load
from symgrad.document import blocks
from symgrad.document.backward import backward_parts
from symgrad.errors import SymgradError
from symgrad.face.equations import jvp, vjp
from symgrad.notation.numpy_formula import Unwritten, assignment
from symgrad.notation.syntax import Relation
from symgrad.notation.write import update_equations

NUMPY = {
    "matrix": "# a name is its value at step t, name_prev the one at step t - 1; n is the size of the state",
    "scalar": "# all sizes 1; a name is its value at step t, name_prev the one at step t - 1",
}


def sources(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Name and text of every form in which the result of a directive can be copied; forms that it does not have are left out."""
    if args.command == "backward":
        parts, program = backward_parts(args)
        relations = [r for part in parts for r in part.equations]
        sympy: Callable[[], str] = lambda: ""  # noqa: E731
    elif args.command == "adjoint":
        result = (vjp if args.mode == "vjp" else jvp)(load(args.cell), args.wrt)
        program, relations = result.forward, update_equations(result.program, args.form)
        sympy = lambda: blocks.python(result.sympy(args.form), "equations")  # noqa: E731
    elif args.command == "equations" and args.as_written:
        yield "LaTeX", blocks.as_written(load(args.cell))
        return
    elif args.command == "equations":
        cell = load(args.cell)
        program, relations = cell.program, update_equations(cell.program, args.form)
        sympy = lambda: blocks.equations_block(cell, args.form, "sympy")  # noqa: E731
    elif args.command == "bound":
        yield "LaTeX", bound_block(argparse.Namespace(**{**vars(args), "to": "latex"}))
        yield "NumPy", "\n".join(["import numpy as np", "", *(f"bound = {b.numpy()}  # {b}" for _, b in bounds(args))])
        return
    elif args.command == "derive":
        found = blocks.derived(args)
        program, relations = blocks.program_of(found), blocks.relations_of(found, args.form)
        sympy = lambda: blocks.derive_block(argparse.Namespace(**{**vars(args), "to": "sympy"}), found)  # noqa: E731
    else:
        return
    yield "LaTeX", blocks.lines(relations, "latex", program)
    try:
        if args.form != "component" and (text := sympy()):
            yield "SymPy", text
    except (SymgradError, AttributeError):  # no form in SymPy; the options of `backward` name none
        pass
    if text := numpy(relations, getattr(args, "form", "matrix")):
        yield "NumPy", text


def numpy(relations: Sequence[Relation], form: str) -> str:
    """One assignment for each equation; empty if some equation has no short expression."""
    try:
        lines = [assignment(r, form == "scalar") for r in relations]
    except (Unwritten, ValueError):
        return ""
    helper = ["def sigmoid(a):", "    return 1 / (1 + np.exp(-a))", ""] if any("sigmoid(" in line for line in lines) else []
    return "\n".join(["import numpy as np", "", *helper, NUMPY[form], *lines])
