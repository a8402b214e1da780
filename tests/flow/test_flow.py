"""The flow report: Jacobians against finite differences, the product, torch's layout, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.flow.command import drawn
from symgrad.flow.flow import flow


@pytest.mark.parametrize("name", ["rnn_relu", "gru", "lstm", "gru_reset_last"])
def test_the_product_is_the_derivative_of_the_last_states(name: str) -> None:
    cell, xs, n = load(name), np.random.default_rng(1).standard_normal((5, 3)), 4
    params, count = drawn(cell, n, 3, 2), len(cell.states)

    def last(start: np.ndarray) -> np.ndarray:
        states = tuple(start.reshape(count, n))
        for x in xs:
            new = cell(x, *states, **params)
            states = new if isinstance(new, tuple) else (new,)
        return np.concatenate(states)

    e = 1e-6
    J = np.array([(last(e * d) - last(-e * d)) / (2 * e) for d in np.eye(n * count)]).T
    smooth = name != "rnn_relu"  # at a zero state relu has no kink: its preactivation is not 0
    assert flow(cell, params, xs).norms[-1] == pytest.approx(np.linalg.norm(J, 2), rel=1e-6 if smooth else 1e-5)


def test_torch_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, n, m = np.random.default_rng(0), 4, 3
    weights = {"rnn.weight_ih_l0": rng.standard_normal((3 * n, m)), "rnn.weight_hh_l0": rng.standard_normal((3 * n, n)),
               "rnn.bias_ih_l0": rng.standard_normal(3 * n), "rnn.bias_hh_l0": 9 + np.zeros(3 * n)}  # fmt: skip
    np.savez(tmp_path / "w.npz", **weights)
    np.save(tmp_path / "x.npy", rng.standard_normal((6, m)))
    words = ["--weights", str(tmp_path / "w.npz"), "--input", str(tmp_path / "x.npy")]
    assert main(["flow", "gru_torch", *words, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["steps"]) == 6
    assert max(s["saturated"]["z"]["high"] for s in found["steps"]) == 1.0  # a bias of 9 closes them
    assert main(["flow", "lstm_torch", *words]) == 2
    assert "that is gru_torch, not lstm_torch" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--weights", "none.npz"], ["--weights", "a.txt"], ["--input", "none.npy"]])
def test_mistakes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", "rnn", *words]) == 2
    assert "symgrad: error:" in capsys.readouterr().err
