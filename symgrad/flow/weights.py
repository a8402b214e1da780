"""Weights from a file: arrays under the cell's own names, or one layer of a torch state_dict of an RNN, GRU or LSTM, in .npz or .pt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import SymgradError
from symgrad.face.cell import Cell

GATES = {"gru_torch": "rzn", "lstm_torch": "ifgo"}  # in torch's order of rows
_LAYER = re.compile(r"(?:(.*)\.)?weight_hh_(l\d+(?:_reverse)?)")


def read(path: str) -> dict[str, Any]:
    """The arrays of a .npz or .pt file by name; a .pt file is read with torch's ``weights_only``."""
    try:
        if Path(path).suffix == ".npz":
            with np.load(path, allow_pickle=False) as f:
                return {k: np.asarray(f[k], dtype=float) for k in f.files}
        if Path(path).suffix in (".pt", ".pth"):
            try:
                import torch
            except ImportError:
                raise SymgradError(f"{path}: a .pt file is read with torch, which is not installed; save the weights with np.savez") from None
            return {k: v.detach().double().numpy() for k, v in torch.load(path, map_location="cpu", weights_only=True).items()}
    except SymgradError:
        raise
    except Exception as e:
        raise SymgradError(f"{path}: cannot be read as weights: {type(e).__name__}: {e}") from None
    raise SymgradError(f"{path}: weights are a .npz or .pt file")


def parameters(cell: Cell, arrays: Mapping[str, Any], layer: str | None = None) -> dict[str, Any]:
    """The parameters of the cell; `layer` is one of a state_dict's, such as ``l0`` or ``encoder.l1``.

    Raises `SymgradError` for what is missing or has another shape.
    """
    layers = [m for k in arrays if (m := _LAYER.fullmatch(k))]
    own = {k.rpartition(".")[2]: v for k, v in arrays.items()}
    found = _from_torch(cell, _layer(arrays, layers, layer)) if layers else {p: own[p] for p in cell.parameters if p in own}
    missing = [p for p in cell.parameters if p not in found]
    if missing:
        raise SymgradError(f"the weights have no {', '.join(missing)}; {cell.name} needs {', '.join(cell.parameters)}, the file has {', '.join(arrays)}")
    sizes: dict[str, int] = {}
    for s in cell.program.parameters:
        shape, declared = np.shape(found[s.name]), cell.program.shapes[s]
        fits = len(shape) == len(declared) and all(sizes.setdefault(str(d), k) == k for d, k in zip(declared, shape, strict=True))
        if not fits:
            raise SymgradError(f"{s.name} has shape {shape}, which does not fit ({', '.join(map(str, declared))}) with {sizes}")
        if not np.isfinite(found[s.name]).all():
            raise SymgradError(f"{s.name} has entries that are not finite")
    return found


def _layer(arrays: Mapping[str, Any], layers: list[re.Match[str]], wanted: str | None) -> dict[str, Any]:
    """The arrays of one layer by torch's names without prefix and number; the first layer, where there is one network."""
    named = {".".join(filter(None, m.groups())): m for m in layers}
    if wanted is None:
        first = [name for name, m in named.items() if m[2] == "l0"]
        if len(first) != 1:
            raise SymgradError(f"the state_dict has the layers {', '.join(named)}; choose one with --layer")
        (wanted,) = first
    if wanted not in named:
        raise SymgradError(f"the state_dict has no layer {wanted}; it has {', '.join(named)}")
    prefix, number = named[wanted].groups()
    full = {kind: f"{prefix + '.' if prefix else ''}{kind}_{number}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return {kind: arrays[name] for kind, name in full.items() if name in arrays}


def _from_torch(cell: Cell, named: Mapping[str, Any]) -> dict[str, Any]:
    """The cell's parameters; torch keeps all gates of a layer in one matrix, one below the other."""
    W, U = named.get("weight_ih"), named["weight_hh"]
    if W is None:
        raise SymgradError("the state_dict has a weight_hh but no weight_ih")
    n = U.shape[1]
    b, c = named.get("bias_ih", np.zeros(len(U))), named.get("bias_hh", np.zeros(len(U)))
    if cell.name in ("rnn", "rnn_relu") and len(U) == n:
        return {"W": W, "U": U, "b": b + c}
    gates = GATES.get(cell.name, "")
    if not gates or len(U) != len(gates) * n:
        kind = {1: "rnn or rnn_relu", 3: "gru_torch", 4: "lstm_torch"}.get(len(U) // n, "no cell of torch")
        raise SymgradError(f"weight_hh has {len(U)} rows for {n} units, that is {kind}, not {cell.name}")
    out: dict[str, Any] = {}
    for k, g in enumerate(gates):
        rows = slice(k * n, (k + 1) * n)
        out |= {f"W_i{g}": W[rows], f"W_h{g}": U[rows], f"b_i{g}": b[rows], f"b_h{g}": c[rows]}
    return out
