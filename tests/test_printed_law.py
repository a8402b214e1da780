"""parse(latex(e)) == e for everything that the product prints of the library's cells."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.notation.derivation import steps
from symgrad.notation.latex import latex, latex_lines
from symgrad.notation.reading.parse import parse, parse_lines
from symgrad.notation.write import FORMS, functions, update_equations

CELLS = list(LIBRARY.values())


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name)
@pytest.mark.parametrize("form", FORMS)
def test_every_printed_formula_reads_back(cell: sg.Cell, form: str) -> None:
    known = functions(cell.program)
    formulas = list(update_equations(cell.program, form))
    for derived in (sg.vjp(cell), sg.jvp(cell)):
        formulas += update_equations(derived.program, form)
    for of in cell.states:
        for wrt in (*cell.states, *cell.inputs, *cell.parameters[:2]):
            jacobian = sg.jacobian(cell, of, wrt)
            formulas += [e for step in steps(jacobian, form) for e in step.equations]
        formulas.append(sg.lagged(cell, of).syntax(form))
    assert len(formulas) > 8
    for formula in formulas:
        assert parse(latex(formula, known), known) == formula
    assert parse_lines(latex_lines(*formulas, functions=known), known) == tuple(formulas)
