"""The flow report: Jacobians against finite differences, the product, the step that kills the gradient, mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.flow.command import drawn
from symgrad.flow.flow import flow

CELL = """
import numpy as np
import symgrad as sg

@sg.cell
def joined(x, h, *, W, b):
    return np.tanh(W @ np.concatenate([h, x]) + b)
"""


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
    found = flow(cell, params, xs).steps[-1].product
    assert found == pytest.approx(np.linalg.svd(J, compute_uv=False), rel=1e-5, abs=1e-9)


def dead(tmp_path: Path) -> list[str]:
    """A GRU whose gates are all shut at step 8, by one input."""
    rng, n, T = np.random.default_rng(0), 5, 12
    weights: dict[str, Any] = {}
    for g in "zrh":
        weights |= {f"W_{g}": 0.2 * rng.standard_normal((n, n)), f"U_{g}": np.linalg.qr(rng.standard_normal((n, n)))[0], f"b_{g}": np.zeros(n)}
    weights["b_z"] += 2
    weights["W_z"][:, 0] = weights["W_r"][:, 0] = -8
    xs = 0.5 * rng.standard_normal((T, n))
    xs[:, 0] = 0
    xs[7, 0] = 1.2
    np.savez(tmp_path / "w.npz", **weights)
    np.save(tmp_path / "x.npy", xs)
    return ["--weights", str(tmp_path / "w.npz"), "--input", str(tmp_path / "x.npy")]


def test_the_step_that_kills_the_gradient(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = dead(tmp_path)
    assert main(["flow", "gru", *words, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["worst"]["t"] == 8
    assert found["worst"]["missing"] == "diag(z_t)"
    assert found["worst"]["factor"] < 0.01
    assert found["steps"][7]["saturated"]["z"] == {"low": 1.0, "high": 0.0}
    step = found["steps"][-1]
    assert len(step["singular_values"]) == len(step["product_singular_values"]) == 5
    assert step["product_norm"] == max(step["product_singular_values"])
    assert main(["flow", "gru", *words]) == 0
    said = capsys.readouterr().out
    assert "Step 8 loses most" in said
    assert "z at its lower limit in 100%" in said
    assert "What is missing there is diag(z_t)" in said


def test_every_singular_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", "lstm", "--size", "3", "--steps", "2", "--singular"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.partition("All singular values:")[2].splitlines() if line]
    assert [(r[0], r[1], len(r)) for r in rows] == [("1", "J_t", 8), ("1", "P_t", 8), ("2", "J_t", 8), ("2", "P_t", 8)]


def test_a_cell_that_joins_its_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.py").write_text(CELL, encoding="utf-8")
    assert main(["flow", f"{tmp_path / 'own.py'}:joined", "--size", "4", "--steps", "3"]) == 0
    assert "W_h" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_picture(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = dead(tmp_path)
    out = [tmp_path / f"{k}.{suffix}" for k in "ab"]
    for path in out:
        assert main(["flow", "gru", *words, "--picture", str(path)]) == 0
    assert out[0].read_bytes() == out[1].read_bytes()


@pytest.mark.parametrize("words", [["--weights", "none.npz"], ["--weights", "a.txt"], ["--input", "none.npy"], ["--picture", "a.gif"]])
def test_mistakes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", "rnn", *words]) == 2
    assert "symgrad: error:" in capsys.readouterr().err
