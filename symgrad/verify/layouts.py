"""The library's cells as the recurrent operators of ONNX and PyTorch: which of our parameters is which block of their stacked weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgrad.verify.evaluate import Array, Values


@dataclass(frozen=True, slots=True)
class Gate:
    """One block: input and recurrent weight, the two biases (None where our cell has none); `sign` -1 turns z into 1 - z."""

    W: str
    U: str
    b_input: str | None = None
    b_recurrent: str | None = None
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """An operator, its gates by the letters that ONNX uses, and its attributes."""

    operator: str  # RNN, GRU, LSTM
    gates: Mapping[str, Gate]
    activation: str = "Tanh"
    linear_before_reset: int = 0

    def stacked(self, order: str, values: Values) -> tuple[Array, Array, Array, Array]:
        """W, U and the two biases with the gates one below the other in this order."""
        gates = [self.gates[letter] for letter in order]
        n = values[gates[0].U].shape[0]

        def bias(name: str | None) -> Array:
            return np.zeros(n) if name is None else values[name]

        return tuple(
            np.concatenate([g.sign * block for g, block in zip(gates, blocks, strict=True)])
            for blocks in (
                [values[g.W] for g in gates], [values[g.U] for g in gates],
                [bias(g.b_input) for g in gates], [bias(g.b_recurrent) for g in gates],
            )
        )  # type: ignore[return-value]  # fmt: skip


def _gates(letters: str, pattern: Mapping[str, str] | None = None, **change: Gate) -> dict[str, Gate]:
    """Gates of one bias called W_k, U_k, b_k."""
    names = pattern or {}
    return {k: Gate(f"W_{names.get(k, k)}", f"U_{names.get(k, k)}", f"b_{names.get(k, k)}") for k in letters} | change


def _torch(letters: str, names: Mapping[str, str]) -> dict[str, Gate]:
    """Gates of two biases called W_ik, W_hk, b_ik, b_hk."""
    return {k: Gate(f"W_i{names.get(k, k)}", f"W_h{names.get(k, k)}", f"b_i{names.get(k, k)}", f"b_h{names.get(k, k)}") for k in letters}


LAYOUTS: dict[str, Layout] = {
    "rnn": Layout("RNN", {"i": Gate("W", "U", "b")}),
    "rnn_relu": Layout("RNN", {"i": Gate("W", "U", "b")}, "Relu"),
    "rnn_identity": Layout("RNN", {"i": Gate("W", "U", "b")}, "Affine"),
    "gru": Layout("GRU", _gates("zrh")),
    "gru_write": Layout("GRU", _gates("zrh", z=Gate("W_z", "U_z", "b_z", sign=-1))),
    "gru_reset_after": Layout("GRU", _gates("zrh", h=Gate("W_h", "U_h", None, "b_h")), linear_before_reset=1),
    "gru_torch": Layout("GRU", _torch("zrh", {"h": "n"}), linear_before_reset=1),
    "lstm": Layout("LSTM", _gates("iofc")),
    "lstm_torch": Layout("LSTM", _torch("iofc", {"c": "g"})),
}
ONNX_ORDER = {"RNN": "i", "GRU": "zrh", "LSTM": "iofc"}
TORCH_ORDER = {"RNN": "i", "GRU": "rzh", "LSTM": "ifco"}
