"""Norms of Jacobians: the formula read off the derived one bounds what is sampled, and loses its validity when a coefficient shrinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.bounds.norms import norm_bound
from symgrad.cells.load import load
from symgrad.errors import SymgradError

CELLS = "rnn rnn_relu rnn_sigmoid rnn_identity rnn_readout gru gru_write gru_reset_after gru_torch gru_merged gru_reset_last lstm".split()  # noqa: SIM905
FORMULAS = {"rnn": "‖U‖", "rnn_sigmoid": "‖U‖/4", "gru": "‖U_h‖·(‖U_r‖/4 + 1) + ‖U_z‖/2 + 1", "lstm": "‖U_c‖ + ‖U_f‖·‖c‖_∞/4 + ‖U_i‖/4 + ‖U_o‖/4"}
TRIALS = 60


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    assert str(norm_bound(sg.jacobian(load(name)))).splitlines()[0] == f"‖J‖ ≤ {FORMULAS[name]}"


def drawn(program: Any, rng: np.random.Generator, n: int, scale: float) -> dict[str, Any]:
    """Random values of every argument, states within [-1, 1]."""
    out = {}
    for s in (*program.inputs, *program.states, *program.parameters):
        shape = tuple(n for _ in program.shapes[s])
        out[s.name] = rng.uniform(-1, 1, shape) if s in program.states else scale * rng.standard_normal(shape)
    return out


def ratios(name: str, n: int) -> list[float]:
    """‖J‖ by its bound, at random weights and states."""
    cell = load(name)
    J = sg.jacobian(cell)
    found = norm_bound(J)
    f, program, rng = J.numpy(), cell.program, np.random.default_rng(3)
    needed = {s.name for s in (*program.inputs, *program.states, *program.parameters)}
    out = []
    for _ in range(TRIALS):
        values = drawn(program, rng, n, 10.0 ** rng.uniform(-1, 0.6))
        norms = {}
        for w in found.norms:
            parts = [np.asarray(values[p]) for p in w.name.split("@")]
            product = parts[0] @ parts[1] if len(parts) == 2 else parts[0]
            norms[w.name] = float(np.linalg.norm(product, 2)) if product.ndim == 2 else float(np.abs(product).max())
        out.append(float(np.linalg.norm(f(**{s: v for s, v in values.items() if s in needed}), 2)) / found.at(norms))
    return out


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("n", [1, 4])
def test_sampled_norms_stay_below(name: str, n: int) -> None:
    assert max(ratios(name, n)) <= 1 + 1e-12


def test_bound_of_the_slope_is_needed() -> None:
    """With 1/5 for 1/4 the formula of the sigmoid RNN would be wrong: the samples come nearer than that."""
    assert max(ratios("rnn_sigmoid", 1)) > 4 / 5


def test_cell_state_of_the_lstm_is_never_amplified() -> None:
    assert norm_bound(sg.jacobian(load("lstm"), of="c", wrt="c")).expression == sp.S.One


def test_states_that_stay_bounded() -> None:
    found = norm_bound(sg.jacobian(load("gru")))
    assert found.invariants == ("h ∈ [-1, 1]: its equation maps [-1, 1] into itself, and it starts there",)
    assert found.latex() == r"\lVert U_{h} \rVert \left(\frac{\lVert U_{r} \rVert}{4} + 1\right) + \frac{\lVert U_{z} \rVert}{2} + 1"


@pytest.mark.parametrize("name", ["rnn_free", "deep_chain"])
def test_a_free_activation_has_no_bound(name: str) -> None:
    cell = load(name)
    with pytest.raises(SymgradError, match="bound"):
        norm_bound(sg.jacobian(cell, of=cell.states[0], wrt=cell.states[0]))
