"""Long short-term memory: with one bias a gate as papers write it, and with two as PyTorch and ONNX do."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.face.cell import cell
from symgrad.language.activations import sigmoid

Array = Any


@cell
def lstm(
    x: Array, h: Array, c: Array, *,
    W_f: Array, U_f: Array, b_f: Array, W_i: Array, U_i: Array, b_i: Array, W_o: Array, U_o: Array, b_o: Array, W_c: Array, U_c: Array, b_c: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """LSTM with a forget gate, without peepholes.

    Source: Gers et al. 2000, "Learning to Forget", in the vector form of Greff et al. 2017, "LSTM: A Search Space Odyssey", section II.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c_hat = np.tanh(W_c @ x + U_c @ h + b_c)
    c_t = f * c + i * c_hat
    return o * np.tanh(c_t), c_t


@cell
def lstm_torch(
    x: Array, h: Array, c: Array, *,
    W_ii: Array, b_ii: Array, W_hi: Array, b_hi: Array, W_if: Array, b_if: Array, W_hf: Array, b_hf: Array,
    W_ig: Array, b_ig: Array, W_hg: Array, b_hg: Array, W_io: Array, b_io: Array, W_ho: Array, b_ho: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """LSTM exactly as torch.nn.LSTM and ONNX define it: two biases a gate, gates i, f, g, o.

    Source: PyTorch documentation, torch.nn.LSTM; ONNX operator LSTM with the default activations.
    """
    i = sigmoid(W_ii @ x + b_ii + W_hi @ h + b_hi)
    f = sigmoid(W_if @ x + b_if + W_hf @ h + b_hf)
    g = np.tanh(W_ig @ x + b_ig + W_hg @ h + b_hg)
    o = sigmoid(W_io @ x + b_io + W_ho @ h + b_ho)
    c_t = f * c + i * g
    return o * np.tanh(c_t), c_t
