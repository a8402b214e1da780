"""Norms of Jacobians: the formula read off the derived one bounds what is sampled, and loses its validity when a coefficient shrinks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.bounds.norms import norm_bound
from symgrad.bounds.sampled import drawn, ratios
from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.errors import SymgradError

CELLS = "rnn rnn_relu rnn_sigmoid rnn_identity rnn_readout gru gru_write gru_reset_after gru_torch gru_merged gru_reset_last lstm".split()  # noqa: SIM905
FORMULAS = {
    "rnn": "‖U‖", "rnn_sigmoid": "‖U‖/4", "gru": "1 + ‖U_z‖/2 + ‖U_h‖·(1 + ‖U_r‖/4)",
    "lstm": "‖U_c‖ + ‖U_i‖/4 + ‖U_o‖/4 + ‖U_f‖·‖c_{t-1}‖_∞/4",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    assert norm_bound(sg.jacobian(load(name))).text() == FORMULAS[name]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("n", [1, 4])
def test_sampled_norms_stay_below(name: str, n: int) -> None:
    J = sg.jacobian(load(name))
    assert ratios(J, norm_bound(J), n).max() <= 1 + 1e-12


def test_norms_of_every_parameter() -> None:
    """∂h_t/∂b of a gated cell is bounded too: by ½, ¼‖U_h‖ and 1."""
    found = {p: norm_bound(sg.jacobian(load("gru"), wrt=p)) for p in ("b_z", "b_r", "b_h")}
    assert {p: b.text() for p, b in found.items()} == {"b_z": "1/2", "b_r": "‖U_h‖/4", "b_h": "1"}
    assert all(ratios(sg.jacobian(load("gru"), wrt=p), b, 4).max() <= 1 for p, b in found.items())


def test_bound_of_the_slope_is_needed() -> None:
    """With 1/5 for 1/4 the formula of the sigmoid RNN would be wrong: the samples come nearer than that."""
    J = sg.jacobian(load("rnn_sigmoid"))
    assert ratios(J, norm_bound(J), 1).max() > 4 / 5


def test_the_sharper_bound_in_the_largest_row_sum() -> None:
    """‖J‖_∞ ≤ max(1, ‖U_h‖_∞ (1 + ¼‖U_r‖_∞)) + ½‖U_z‖_∞ of the GRU, as vanishing.md derives it by hand; with ¼‖U_z‖ it would be wrong."""
    J = sg.jacobian(load("gru"))
    values = drawn(J.program, 4, 4000, 3)
    found = np.linalg.norm(J.numpy()(**values), np.inf, axis=(-2, -1))
    z, r, h = (np.linalg.norm(values[f"U_{g}"], np.inf, axis=(-2, -1)) for g in "zrh")
    assert (found <= np.maximum(1, h * (1 + r / 4)) + z / 2).all()
    near = J.numpy()(z=np.array([0.5]), r=np.array([0.5]), h=np.ones(1), h_tilde=-np.ones(1), U_z=10 * np.eye(1), U_r=np.zeros((1, 1)), U_h=np.zeros((1, 1)))
    assert 1 + 10 / 4 < near[0, 0] <= 1 + 10 / 2


def test_cell_state_of_the_lstm_is_never_amplified() -> None:
    assert norm_bound(sg.jacobian(load("lstm"), of="c", wrt="c")).expression == sp.S.One


def test_states_that_stay_bounded() -> None:
    found = norm_bound(sg.jacobian(load("gru")))
    assert found.invariants == ("h_t ∈ [-1, 1]: its equation maps [-1, 1] into itself, and it starts there",)
    assert found.latex() == r"1 + \frac{\lVert U_z \rVert}{2} + \lVert U_h \rVert \left(1 + \frac{\lVert U_r \rVert}{4}\right)"


@pytest.mark.parametrize("name", ["rnn_free", "deep_chain"])
def test_a_free_activation_has_no_bound(name: str) -> None:
    cell = load(name)
    with pytest.raises(SymgradError, match="bound"):
        norm_bound(sg.jacobian(cell, of=cell.states[0], wrt=cell.states[0]))


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bound", "gru"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("‖∂h_t/∂h_{t-1}‖ ≤ 1 + ‖U_z‖/2")
    assert "|z_t ∘ (1 - z_t)| ≤ 1/4 for z_t ∈ (0, 1), attained" in said
    assert main(["bound", "lstm", "--of", "h,c", "--wrt", "h,c", "--to", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["bounds"]
    assert [r["bound"] for r in rows if r["wrt"] == "c"] == ["1", "1"]
    assert all(0 < r["sampled"] <= 1 for r in rows)
    assert main(["bound", "rnn_free"]) == 2
    assert "an activation left open" in capsys.readouterr().err
    assert main(["bound", "gru", "--wrt", "U_z"]) == 2
    assert "products of matrices and diagonals" in capsys.readouterr().err


def test_command_as_latex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bound", "rnn", "--to", "latex"]) == 0
    row = r"\left\lVert \frac{\partial h_t}{\partial h_{t-1}} \right\rVert &\le \lVert U \rVert"
    assert capsys.readouterr().out == f"\\begin{{aligned}}\n{row}\n\\end{{aligned}}\n"
