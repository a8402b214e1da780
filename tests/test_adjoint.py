"""The adjoint and tangent equations of one step, held against the cell's own function and against the Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.cells import LIBRARY

N, M = 3, 2
ANALYTIC = [c for c in LIBRARY.values() if c.name not in ("rnn_free", "deep_chain", "rnn_relu")]


def draw(cell: sg.Cell, rng: np.random.Generator) -> dict[str, np.ndarray]:
    sizes = {"n": N, "m": M}
    program = cell.program
    names = (*program.inputs, *program.states, *program.parameters)
    return {s.name: rng.normal(size=[sizes.get(d.name, N) for d in program.shapes[s]]) for s in names}


def call(cell: sg.Cell, values: dict[str, Any]) -> tuple[Any, ...]:
    out = cell(*(values[s] for s in (*cell.inputs, *cell.states)), **{p: values[p] for p in cell.parameters})
    return out if isinstance(out, tuple) else (out,)


def forward(cell: sg.Cell, values: dict[str, Any]) -> dict[str, Any]:
    """Every named quantity, by SymPy's explicit components of the traced equations."""
    known = dict(values)
    for eq in evaluated(cell.equations(n=N, m=M), known):
        known |= eq
    return known


def evaluated(equations: list[sp.Eq], known: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for eq in equations:
        elements = eq.rhs.atoms(sp.matrices.expressions.matexpr.MatrixElement)
        swap = {e: float(np.reshape(known[e.parent.name], e.parent.shape)[int(e.i), int(e.j)]) for e in elements}
        scalars = [s for s in eq.rhs.free_symbols if isinstance(s, sp.Symbol) and np.size(known.get(s.name)) == 1]
        swap |= {s: float(np.ravel(known[s.name])[0]) for s in scalars}
        value = np.array(eq.rhs.xreplace(swap).evalf(17), dtype=float)
        name = next(iter(eq.lhs.atoms(sp.MatrixSymbol) or eq.lhs.free_symbols)).name
        known[name] = value if min(value.shape) > 1 else value.ravel()
        found.append({name: known[name]})
    return found


@pytest.mark.parametrize("cell", ANALYTIC, ids=lambda c: c.name)
def test_adjoints_are_the_gradient_of_the_cell(cell: sg.Cell) -> None:
    rng = np.random.default_rng(3)
    values = draw(cell, rng)
    result = sg.vjp(cell)
    known = forward(cell, values)
    seeds = [rng.normal(size=np.shape(v)) for v in call(cell, values)]
    known |= {s.name: v for s, v in zip(result.seeds, seeds, strict=True)}
    evaluated(result.sympy(n=N, m=M), known)
    for variable, adjoint in result.results.items():
        at = values[variable.name]
        expected = np.empty_like(at)
        for index in np.ndindex(at.shape):
            moved = at.astype(complex)
            moved[index] += 1e-20j
            outputs = call(cell, {**values, variable.name: moved})
            expected[index] = sum(float(np.imag(o) @ s) for o, s in zip(outputs, seeds, strict=True)) / 1e-20
        np.testing.assert_allclose(known[adjoint.name].reshape(at.shape), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("cell", ANALYTIC, ids=lambda c: c.name)
def test_tangents_are_the_directional_derivative(cell: sg.Cell) -> None:
    rng = np.random.default_rng(4)
    values = draw(cell, rng)
    result = sg.jvp(cell)
    direction = {s.name: rng.normal(size=np.shape(values[s.name.removesuffix("_dot")])) for s in result.seeds}
    known = forward(cell, values) | direction
    evaluated(result.sympy(n=N, m=M), known)
    moved = {k: v + 1e-20j * direction[f"{k}_dot"] for k, v in values.items()}
    new = [*cell.program.updates.values(), *cell.program.outputs]
    for s, value in zip(new, call(cell, moved), strict=True):
        np.testing.assert_allclose(known[result.results[s].name], np.imag(value) / 1e-20, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("cell", [sg.cells.gru, sg.cells.rnn, sg.cells.gru_reset_after, sg.cells.gru_merged], ids=lambda c: c.name)
def test_the_scalar_adjoint_is_the_scalar_jacobian(cell: sg.Cell) -> None:
    expr = sp.Symbol("δh")
    equations = {e.lhs: e.rhs for e in sg.vjp(cell, "h").sympy("scalar")}
    while hidden := expr.free_symbols & equations.keys():
        expr = expr.subs({s: equations[s] for s in hidden})
    assert sp.expand(expr / sp.Symbol("δh_t") - sg.jacobian(cell).sympy(form="scalar")) == 0


def test_gru_adjoint_reads_as_a_person_writes_it() -> None:
    assert sg.vjp(sg.cells.gru, "h").text().splitlines() == [
        "δ h̃_t = δ h_t ∘ (1 - z_t)",
        "δ a_t^{h̃} = δ h̃_t ∘ (1 - h̃_t²)",
        "δ r_t = U_hᵀ δ a_t^{h̃} ∘ h_{t-1}",
        "δ a_t^r = δ r_t ∘ r_t ∘ (1 - r_t)",
        "δ z_t = δ h_t ∘ (h_{t-1} - h̃_t)",
        "δ a_t^z = δ z_t ∘ z_t ∘ (1 - z_t)",
        "δ h_{t-1} = δ h_t ∘ z_t + U_hᵀ δ a_t^{h̃} ∘ r_t + U_rᵀ δ a_t^r + U_zᵀ δ a_t^z",
    ]


def test_a_state_that_the_step_uses_again_is_told_from_what_arrives() -> None:
    lines = sg.vjp(sg.cells.lstm, "c").text().splitlines()
    assert lines == ["δ c_t = δ h_t ∘ o_t ∘ [1 - tanh²(c_t)] + δ c_{t,next}", "δ c_{t-1} = δ c_t ∘ f_t"]


def test_softmax_and_normalisation() -> None:
    """Contractions that are no matrix product: sums over components, and scalars broadcast to a vector."""

    @sg.cell
    def attending(x, h, *, W, U):  # type: ignore[no-untyped-def]
        a = W @ x + U @ h
        e = np.exp(a)
        p = e / np.sum(e)
        s = np.sqrt(np.sum(a * a) + 1)
        return p * h + a / s

    rng = np.random.default_rng(5)
    values = draw(attending, rng)
    ours = sg.jacobian(attending).numpy()(**values)
    theirs = np.column_stack([np.imag(call(attending, {**values, "h": values["h"] + 1e-20j * e})[0]) / 1e-20 for e in np.eye(N)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    test_adjoints_are_the_gradient_of_the_cell(attending)
    test_tangents_are_the_directional_derivative(attending)
