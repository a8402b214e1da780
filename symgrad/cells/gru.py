"""Gated recurrent units in the conventions that people use; they differ in what z keeps and in where the reset acts."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.face.cell import cell
from symgrad.language.activations import sigmoid

Array = Any


@cell
def gru(
    x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array
) -> Array:
    """GRU: the reset acts before the product, z keeps the past.

    Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", eqs. (5)-(8).
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_tilde = np.tanh(W_h @ x + U_h @ (r * h) + b_h)
    return z * h + (1 - z) * h_tilde


@cell
def gru_write(
    x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array
) -> Array:
    """GRU: the reset acts before the product, z writes the new.

    Source: Chung et al. 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", section 3.2.
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_hat = np.tanh(W_h @ x + U_h @ (r * h) + b_h)
    return (1 - z) * h + z * h_hat


@cell
def gru_reset_after(
    x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array
) -> Array:
    """GRU: the reset acts after the product, on the recurrent part with its bias; z keeps the past; one bias a gate.

    Source: cuDNN developer guide, CUDNN_GRU, with the input bias of the candidate left out.
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_tilde = np.tanh(W_h @ x + r * (U_h @ h + b_h))
    return z * h + (1 - z) * h_tilde


@cell
def gru_torch(
    x: Array, h: Array, *,
    W_ir: Array, b_ir: Array, W_hr: Array, b_hr: Array, W_iz: Array, b_iz: Array, W_hz: Array, b_hz: Array,
    W_in: Array, b_in: Array, W_hn: Array, b_hn: Array,
) -> Array:  # fmt: skip
    """GRU exactly as torch.nn.GRU and ONNX (linear_before_reset=1) define it: reset after, two biases a gate, z keeps the past.

    Source: PyTorch documentation, torch.nn.GRU; ONNX operator GRU.
    """
    r = sigmoid(W_ir @ x + b_ir + W_hr @ h + b_hr)
    z = sigmoid(W_iz @ x + b_iz + W_hz @ h + b_hz)
    n = np.tanh(W_in @ x + b_in + r * (W_hn @ h + b_hn))
    return (1 - z) * n + z * h


@cell
def gru_merged(x: Array, h: Array, *, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array) -> Array:
    """GRU with r and z merged into one gate r: it resets, and it writes the new.

    Source: Zhou et al. 2016, "Minimal Gated Unit for Recurrent Neural Networks", section 3.
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_hat = np.tanh(W_h @ x + U_h @ (r * h) + b_h)
    return (1 - r) * h + r * h_hat


@cell
def gru_reset_last(
    x: Array, h: Array, c: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array
) -> tuple[Array, Array]:
    """GRU with the reset moved to the very end, which needs one more cached state c; z writes the new.

    Source: Su 2020, "Also discussing the RNN gradient vanishing/exploding problem" (a proposal at its end).
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_hat = np.tanh(W_h @ x + U_h @ h + b_h)
    c_t = (1 - z) * c + z * h_hat
    return r * c_t, c_t
