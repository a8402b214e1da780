"""The names under which people write the known functions."""

from __future__ import annotations

BUILTIN = {
    "sigma": "sigmoid", "sigmoid": "sigmoid", "sigm": "sigmoid", "logistic": "sigmoid", "logsig": "sigmoid", "sig": "sigmoid", "varsigma": "sigmoid",
    "tanh": "tanh", "th": "tanh", "tansig": "tanh", "exp": "exp", "log": "log", "ln": "log", "relu": "relu", "ReLU": "relu", "softmax": "softmax",
    "Softmax": "softmax",
    "sqrt": "sqrt", "softplus": "softplus", "id": "identity", "step": "step", "cosh": "cosh", "sinh": "sinh",
}  # fmt: skip
ACTIVATIONS = frozenset({"sigmoid", "tanh", "relu", "softmax", "softplus", "identity", "exp"})
