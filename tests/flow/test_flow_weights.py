"""Weights from files: torch's own state_dicts, whose forward pass the cell then repeats; what does not fit is said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.errors import SymgradError
from symgrad.flow.flow import flow
from symgrad.flow.weights import parameters, read

T, N, M = 6, 4, 3


def test_torch_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    weights = {"rnn.weight_ih_l0": rng.standard_normal((3 * N, M)), "rnn.weight_hh_l0": rng.standard_normal((3 * N, N)),
               "rnn.bias_ih_l0": rng.standard_normal(3 * N), "rnn.bias_hh_l0": 9 + np.zeros(3 * N)}  # fmt: skip
    np.savez(tmp_path / "w.npz", **weights)
    found = parameters(load("gru_torch"), read(str(tmp_path / "w.npz")))
    assert np.array_equal(found["W_hz"], weights["rnn.weight_hh_l0"][N : 2 * N])
    assert main(["flow", "lstm_torch", "--weights", str(tmp_path / "w.npz")]) == 2
    assert "that is gru_torch, not lstm_torch" in capsys.readouterr().err


def test_layers() -> None:
    rng = np.random.default_rng(0)
    arrays = {f"{kind}_{layer}": rng.standard_normal((N, N) if "weight" in kind else N)
              for layer in ("l0", "l1", "l0_reverse") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}  # fmt: skip
    cell = load("rnn")
    assert np.array_equal(parameters(cell, arrays)["U"], arrays["weight_hh_l0"])
    assert np.array_equal(parameters(cell, arrays, "l1")["U"], arrays["weight_hh_l1"])
    assert np.array_equal(parameters(cell, arrays, "l0_reverse")["W"], arrays["weight_ih_l0_reverse"])
    with pytest.raises(SymgradError, match="no layer l2; it has l0, l1, l0_reverse"):
        parameters(cell, arrays, "l2")
    two = {f"{net}.{k}": v for net in ("encoder", "decoder") for k, v in arrays.items()}
    with pytest.raises(SymgradError, match=r"encoder\.l0.*decoder\.l0.*--layer"):
        parameters(cell, two)
    assert np.array_equal(parameters(cell, two, "decoder.l1")["U"], two["decoder.weight_hh_l1"])


@pytest.mark.parametrize(("name", "missing"), [("rnn", "W"), ("gru", "b_h")])
def test_a_missing_parameter(name: str, missing: str) -> None:
    cell = load(name)
    with pytest.raises(SymgradError, match=f"have no {missing}"):
        parameters(cell, {p: np.zeros((N,) * len(cell.program.shapes[cell.program.symbol(p)])) for p in cell.parameters if p != missing})


def test_a_shape_that_does_not_fit() -> None:
    with pytest.raises(SymgradError, match="does not fit"):
        parameters(load("rnn"), {"W": np.zeros((N, M)), "U": np.zeros((N, N + 1)), "b": np.zeros(N)})


@pytest.mark.parametrize(("name", "module", "more"), [
    ("rnn", "RNN", {}), ("rnn_relu", "RNN", {"nonlinearity": "relu"}), ("gru_torch", "GRU", {}), ("gru_torch", "GRU", {"bias": False}),
    ("lstm_torch", "LSTM", {}),
])  # fmt: skip
def test_a_state_dict_of_torch(name: str, module: str, more: dict[str, Any], tmp_path: Path) -> None:
    """The weights of a .pt file give torch's own ∂h_T/∂h_0."""
    torch = pytest.importorskip("torch", reason="a .pt file is written and read with torch, which is not installed")
    torch.manual_seed(0)
    net = getattr(torch.nn, module)(M, N, dtype=torch.float64, **more)
    torch.save(net.state_dict(), tmp_path / "w.pt")
    params = parameters(load(name), read(str(tmp_path / "w.pt")))
    xs = torch.randn(T, M, dtype=torch.float64)
    count = len(load(name).states)

    def last(start: Any) -> Any:
        states = [s.reshape(1, N) for s in start.chunk(count)]
        out = net(xs, tuple(states) if count > 1 else states[0])[1]
        return torch.cat([s.reshape(-1) for s in (out if count > 1 else [out])])

    J = torch.autograd.functional.jacobian(last, torch.zeros(count * N, dtype=torch.float64)).numpy()
    found = flow(load(name), params, xs.numpy()).steps[-1].product
    assert found == pytest.approx(np.linalg.svd(J, compute_uv=False), rel=1e-9, abs=1e-14)


def test_a_checkpoint_is_only_read_as_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch", reason="a .pt file is written and read with torch, which is not installed")
    torch.save({"optimizer": object}, tmp_path / "w.pt")
    assert main(["flow", "rnn", "--weights", str(tmp_path / "w.pt")]) == 2
    assert "cannot be read as weights" in capsys.readouterr().err


def test_without_torch(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "w.pt").write_bytes(b"")
    assert main(["flow", "rnn", "--weights", str(tmp_path / "w.pt")]) == 2
    assert "np.savez" in capsys.readouterr().err
