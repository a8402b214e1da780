"""The NumPy of a formula, to be pasted: it computes what the compiled derivative computes."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.face.equations import vjp
from symgrad.language.program import base
from symgrad.notation.numpy_formula import Unwritten, assignment, identifier
from symgrad.notation.reading.parse import parse
from symgrad.notation.write import update_equations

WRITTEN = [c for c in LIBRARY.values() if c.name not in ("rnn_free", "deep_chain")]


def draw(cell: sg.Cell, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random inputs, states and parameters by their names in the cell."""
    sizes = {"n": 3, "m": 2}
    program = cell.program
    return {s.name: rng.normal(size=[sizes.get(d.name, 4) for d in program.shapes[s]]) for s in (*program.inputs, *program.states, *program.parameters)}


def step(cell: sg.Cell, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values of one step by the equations as NumPy: states of the step before are marked."""
    names = {"np": np, "sigmoid": sg.sigmoid, "n": 3} | {(f"{k}_prev" if k in cell.states else k): v for k, v in given.items()}
    for relation in update_equations(cell.program, "matrix"):
        exec(assignment(relation), names)
    if cell.name == "rnn_relu":  # its slope is written in the preactivation
        names["a"] = given["W"] @ given["x"] + given["U"] @ given["h"] + given["b"]
    return names


@pytest.mark.parametrize("cell", WRITTEN, ids=lambda c: c.name)
def test_equations_and_jacobians_compute(cell: sg.Cell) -> None:
    given = draw(cell, np.random.default_rng(3))
    names = step(cell, given)
    expected = cell(*(given[s] for s in (*cell.inputs, *cell.states)), **{s.name: given[s.name] for s in cell.program.parameters})
    for s, new in zip(cell.states, expected if isinstance(expected, tuple) else (expected,), strict=False):
        np.testing.assert_allclose(names[s], new, rtol=1e-13)
    for of in cell.states:
        for wrt in cell.states:
            J = sg.jacobian(cell, of, wrt)
            line = assignment(J.syntax("matrix", name=True))
            assert line.startswith(f"d{of}_d{wrt}_prev = ")
            exec(line, names | (scope := dict(names)), scope)
            np.testing.assert_allclose(scope[f"d{of}_d{wrt}_prev"], J.numpy()(**given), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", [c for c in WRITTEN if len(c.states) == 1], ids=lambda c: c.name)
def test_adjoint_equations_compute_the_transposed_jacobian(cell: sg.Cell) -> None:
    given = draw(cell, np.random.default_rng(4))
    names = step(cell, given)
    result = vjp(cell)
    (state,) = cell.states
    names[f"d{state}"] = names[f"d{state}_next"] = seed = np.random.default_rng(5).normal(size=3)
    for y in cell.program.outputs:
        names[f"d{base(y.name)}"] = np.zeros_like(names[base(y.name)])
    for relation in update_equations(result.program, "matrix"):
        exec(assignment(relation), names)
    np.testing.assert_allclose(names[f"d{state}_prev"], sg.jacobian(cell, state, state).numpy()(**given).T @ seed, rtol=1e-12)


def test_gates_at_values_and_scalars() -> None:
    J = sg.jacobian(sg.cells.gru)
    assert assignment(J.at(z=1).syntax("matrix", name=True)) == "dh_dh_prev = np.eye(n)"
    assert assignment(J.at(z=0, r=0).syntax("matrix", name=True)) == "dh_dh_prev = np.zeros((n, n))"
    assert assignment(J.at(z="1/2").syntax("matrix", name=True)).startswith("dh_dh_prev = (1 / 2) * np.eye(n) + (1 / 4) * np.diag(h_prev - h_tilde) @ U_z")
    assert assignment(J.syntax("scalar", name=True), scalar=True).startswith("dh_dh_prev = z + (h_prev - h_tilde) * z * (1 - z) * U_z")


def test_what_has_no_short_expression_is_left_out() -> None:
    for syntax in (sg.jacobian(sg.cells.rnn_free).syntax("matrix", name=True), sg.jacobian(sg.cells.gru).syntax("component", name=True)):
        with pytest.raises(Unwritten):
            assignment(syntax)


def test_identifiers() -> None:
    assert identifier(parse(r"\tilde{h}_{t-1}")) == "h_tilde_prev"
    assert identifier(parse(r"W_{xh}")) == "W_xh"
    assert identifier(parse(r"b_{hn}")) == "b_hn"
