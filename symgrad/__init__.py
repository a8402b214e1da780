"""symgrad: a compiler for gradient derivations of recurrent networks.

A cell goes in, as the NumPy function one would write anyway; exact derivatives in matrix form, documents, code and
verdicts come out.  Importing symgrad loads neither SymPy nor NumPy: every name below is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Cell": "face.cell",
    "CellError": "errors",
    "Jacobian": "face.jacobian",
    "Note": "errors",
    "SymgradError": "errors",
    "UnknownName": "errors",
    "Verdict": "decide.verdict",
    "activation": "language.activations",
    "bound": "bounds.bound",
    "bptt": "face.bptt",
    "cell": "face.cell",
    "diag": "language.matrices",
    "equal": "decide.equal",
    "eye": "language.matrices",
    "function": "language.activations",
    "jacobian": "face.jacobian",
    "jvp": "face.equations",
    "lagged": "face.lagged",
    "ones": "language.matrices",
    "outer": "language.matrices",
    "relu": "language.activations",
    "sigmoid": "language.activations",
    "silu": "language.activations",
    "softplus": "language.activations",
    "verify_backward": "verify.handwritten",
    "vjp": "face.equations",
}
__all__ = [
    "Cell",
    "CellError",
    "Jacobian",
    "Note",
    "SymgradError",
    "UnknownName",
    "Verdict",
    "activation",
    "bound",
    "bptt",
    "cell",
    "cells",
    "check",
    "diag",
    "equal",
    "eye",
    "function",
    "jacobian",
    "jvp",
    "lagged",
    "ones",
    "outer",
    "relu",
    "sigmoid",
    "silu",
    "softplus",
    "verify",
    "verify_backward",
    "vjp",
]

if TYPE_CHECKING:
    from symgrad import cells
    from symgrad.bounds.bound import bound
    from symgrad.check.run import check
    from symgrad.decide.equal import equal
    from symgrad.decide.verdict import Verdict
    from symgrad.errors import CellError, Note, SymgradError, UnknownName
    from symgrad.face.bptt import bptt
    from symgrad.face.cell import Cell, cell
    from symgrad.face.equations import jvp, vjp
    from symgrad.face.jacobian import Jacobian, jacobian
    from symgrad.face.lagged import lagged
    from symgrad.language.activations import activation, function, relu, sigmoid, silu, softplus
    from symgrad.language.matrices import diag, eye, ones, outer
    from symgrad.verify import verify
    from symgrad.verify.handwritten import verify_backward


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"symgrad.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in ("cells", "check", "verify"):
        return importlib.import_module(f"symgrad.{name}")
    raise AttributeError(f"module 'symgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
