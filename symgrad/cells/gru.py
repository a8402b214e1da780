"""Gated recurrent units in the conventions that people use; they differ in what z keeps and in where the reset acts."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.language.activations import sigmoid
from symgrad.language.cell import cell

Array = Any


@cell
def gru(x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array) -> Array:
    """GRU: the reset acts before the product, z keeps the past.

    Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", eqs. (5)-(8).
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_tilde = np.tanh(W_h @ x + U_h @ (r * h) + b_h)
    return z * h + (1 - z) * h_tilde


@cell
def gru_write(x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array) -> Array:
    """GRU: the reset acts before the product, z writes the new.

    Source: Chung et al. 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", eqs. (5)-(8).
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_hat = np.tanh(W_h @ x + U_h @ (r * h) + b_h)
    return (1 - z) * h + z * h_hat


@cell
def gru_reset_after(x: Array, h: Array, *, W_z: Array, U_z: Array, b_z: Array, W_r: Array, U_r: Array, b_r: Array, W_h: Array, U_h: Array, b_h: Array) -> Array:
    """GRU: the reset acts after the product, on the recurrent part with its bias; z keeps the past; one bias a gate.

    Source: cuDNN developer guide, CUDNN_GRU, with the input bias of the candidate left out.
    """
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    h_tilde = np.tanh(W_h @ x + r * (U_h @ h + b_h))
    return z * h + (1 - z) * h_tilde
