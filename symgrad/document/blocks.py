"""What the commands ``derive``, ``equations`` and ``adjoint`` print, for a terminal and for a document alike."""

from __future__ import annotations

import argparse
import json
import keyword
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.printing.repr import ReprPrinter

from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.face.equations import jvp, vjp
from symgrad.face.jacobian import Jacobian, StateJacobian, jacobian
from symgrad.face.lagged import Lagged, lagged
from symgrad.language.functions import FUNCTIONS
from symgrad.language.program import Program
from symgrad.notation.derivation import steps
from symgrad.notation.latex import latex_lines
from symgrad.notation.syntax import Relation, Sum
from symgrad.notation.text import text
from symgrad.notation.write import Writer, functions, update_equations, write_equation

Derived = Jacobian | StateJacobian | Lagged
Assigned = tuple[tuple[str, str], ...]
TERMINAL = 100  # columns


def lines(relations: Sequence[Relation], to: str, program: Program) -> str:
    """Equations, one below the other, as text or as LaTeX."""
    return latex_lines(*relations, functions=functions(program)) if to == "latex" else "\n".join(map(text_lines, relations))


def text_lines(relation: Relation, width: int = TERMINAL) -> str:
    """One equation as text, a long sum broken before its signs."""
    whole = text(relation)
    if len(whole) <= width:
        return whole
    left, *sides = relation.sides
    rows = [text(left)]
    for sign, side in zip(relation.signs, sides, strict=True):
        line = f"    {text(Relation((left, side), (sign,))).removeprefix(text(left)).strip()}"
        if len(line) > width and isinstance(side, Sum):
            head, *rest = [text(a) for a in side.args]
            line = "\n".join([f"    {sign} {head}", *(f"    {r[0]} {r[1:].strip()}" if r.startswith(("-", "−")) else f"    + {r}" for r in rest)])
        rows.append(line)
    return "\n".join(rows)


def equations_block(cell: Cell, form: str, to: str) -> str:
    """The update equations."""
    if to == "sympy":
        return python(cell.equations(form), "equations")
    return lines(update_equations(cell.program, form), to, cell.program)


def as_written(cell: Cell) -> str:
    """The source of the cell as LaTeX equations."""
    from symgrad.document import written

    return written.as_written(cell)


def adjoint_block(args: argparse.Namespace) -> str:
    """The adjoint or tangent equations of one step."""
    result = (vjp if args.mode == "vjp" else jvp)(load(args.cell), args.wrt)
    return python(result.sympy(args.form), "equations") if args.to == "sympy" else lines(update_equations(result.program, args.form), args.to, result.forward)


def derived(args: argparse.Namespace) -> Derived:
    """The derivative that the options of ``derive`` ask for."""
    cell = load(args.cell)
    first = cell.states[0]
    given = {option: tuple(assignments(getattr(args, option), option).items()) for option in ("hold", "at")}
    return _derived(cell, args.of or first, args.wrt or first, args.through, args.lag, given["hold"], given["at"])


@lru_cache(64)
def _derived(cell: Cell, of: str, wrt: str, through: str, lag: str | None, hold: Assigned, at: Assigned) -> Derived:
    if lag:
        if at or hold or through or of != wrt:
            raise SymgradError("--lag is a product of Jacobians of one state by itself; it does not go with --at, --hold or --through")
        return lagged(cell, of, lag)
    found = jacobian(cell, of, wrt, through)
    found = found.hold(**dict(hold)) if hold else found
    return found.at(**dict(at)) if at else found  # type: ignore[no-any-return]


def assignments(words: Sequence[str], option: str) -> dict[str, str]:
    """``z=1,r=0`` as a dict."""
    found: dict[str, str] = {}
    for word in ",".join(words).split(","):
        if word.strip():
            name, sign, value = word.partition("=")
            if not sign or not name.strip() or not value.strip():
                raise SymgradError(f"--{option} {word}: write NAME=VALUE, as in --{option} z=1,r=1/2")
            found[name.strip()] = value.strip()
    return found


def program_of(found: Derived) -> Program:
    """The program a derivative speaks of."""
    return found.one.program if isinstance(found, Lagged) else found.blocks[0][0].program if isinstance(found, StateJacobian) else found.program


def relations_of(found: Derived, form: str) -> list[Relation]:
    """The derivative as equations, and below it the preactivations in it that the cell gives no name: the a_t of g'(a_t)."""
    parts = list(found) if isinstance(found, StateJacobian) else [found]
    program = program_of(found)
    used = {s for p in parts for s in (p.one if isinstance(p, Lagged) else p).tensor.symbols}
    writer = Writer(program.written_out, form)
    hidden = [] if isinstance(found, Lagged) else [s for s in program.equations if s in used & program.implicit]
    return [r for p in parts if isinstance(r := p.syntax(form, name=True), Relation)] + [write_equation(writer, s) for s in hidden]


def derive_block(args: argparse.Namespace, found: Derived | None = None) -> str:
    """What ``symgrad derive`` prints."""
    found = found if found is not None else derived(args)
    if args.to in ("text", "latex"):
        if args.steps:
            return _steps(found, args.form, args.to)
        relations = relations_of(found, args.form)
        return lines(relations, args.to, program_of(found))
    if isinstance(found, Lagged):
        raise SymgradError(f"--to {args.to}: a product over a number of steps left open is written as text or latex")
    if args.to == "sympy":
        return python(found.sympy(form="scalar" if args.form == "scalar" else "matrix"), "J")
    if args.to == "numpy":
        return str(found.numpy().source())
    return json.dumps(as_json(args, found), indent=2, ensure_ascii=False)


def _steps(found: Derived, form: str, to: str) -> str:
    if isinstance(found, Lagged):
        raise SymgradError("--steps shows the chain rule within one step; leave --lag out")
    out = []
    for part in found if isinstance(found, StateJacobian) else [found]:
        for step in steps(part, form):
            body = lines(step.equations, to, part.program)
            out.append(f"% {step.title}\n{body}" if to == "latex" else step.title + "\n" + "\n".join(f"  {line}" for line in body.splitlines()))
    return "\n\n".join(out)


def python(value: Any, name: str) -> str:
    """A SymPy value as Python that builds it: every symbol defined once, then ``srepr`` in their names."""
    names = _Names()
    body = names.doprint(value)
    imports = ["from sympy import *"]
    if "Elementwise(" in body:
        imports.append("from symgrad.notation.sympy_out import Elementwise")
    used = [f.__name__ for f in FUNCTIONS.values() if f.__module__.startswith("symgrad.") and re.search(rf"\b{f.__name__}\(", body)]
    if used:
        imports.append(f"from symgrad.language.functions import {', '.join(used)}")
    return "\n".join([*imports, "", *(f"{n} = {code}" for n, code in names.found.items()), f"{name} = {body}"])


class _Names(ReprPrinter):  # type: ignore[misc]
    """``srepr`` where a symbol is its own name, and `found` says what that is; sizes come first."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def _print_Symbol(self, expr: sp.Symbol) -> str:
        return self._named(expr, super()._print_Symbol(expr))

    def _print_MatAdd(self, expr: sp.MatAdd) -> str:
        return f"MatAdd({self.reprify(expr.args, ', ')})"  # the terms as they stand: sorted, they would be another expression

    def _print_MatrixSymbol(self, expr: sp.MatrixSymbol) -> str:
        rows, columns = map(self._print, expr.shape)
        return self._named(expr, f"MatrixSymbol({expr.name!r}, {rows}, {columns})")

    def _named(self, expr: Any, code: str) -> str:
        name = str(expr.name)
        if not name.isidentifier() or keyword.iskeyword(name) or self.found.setdefault(name, code) != code:
            return code
        return name


def as_json(args: argparse.Namespace, found: Jacobian | StateJacobian) -> dict[str, Any]:
    """The derivative for a program."""
    parts = list(found) if isinstance(found, StateJacobian) else [found]
    return {
        "version": 1,
        "cell": args.cell,
        "at": assignments(args.at, "at"),
        "hold": assignments(args.hold, "hold"),
        "derivatives": [
            {
                "of": p.of.name, "wrt": p.wrt.name, "through": [s.name for s in p.through], "form": args.form,
                "latex": p.latex(args.form), "text": p.text(args.form), "equation": p.latex(args.form, name=True),
                "sympy": str(p.sympy(form="scalar")),
            }
            for p in parts
        ],
    }  # fmt: skip


