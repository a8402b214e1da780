"""The cells of the library: each is one NumPy function with its source; `LIBRARY` lists them by name."""

from __future__ import annotations

from symgrad.cells.gru import gru, gru_merged, gru_reset_after, gru_reset_last, gru_torch, gru_write
from symgrad.cells.lstm import lstm, lstm_torch
from symgrad.cells.rnn import deep_chain, rnn, rnn_free, rnn_identity, rnn_readout, rnn_relu, rnn_sigmoid
from symgrad.face.cell import Cell

LIBRARY: dict[str, Cell] = {
    c.name: c
    for c in (
        rnn, rnn_relu, rnn_sigmoid, rnn_identity, rnn_free, rnn_readout, deep_chain,
        gru, gru_write, gru_reset_after, gru_torch, gru_merged, gru_reset_last, lstm, lstm_torch,
    )
}  # fmt: skip

__all__ = [
    "LIBRARY", "deep_chain", "gru", "gru_merged", "gru_reset_after", "gru_reset_last", "gru_torch", "gru_write", "lstm", "lstm_torch",
    "rnn", "rnn_free", "rnn_identity", "rnn_readout", "rnn_relu", "rnn_sigmoid",
]  # fmt: skip
