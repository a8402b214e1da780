"""The vanilla recurrent network, its activations and its read-out, and the chain of layers that unrolling turns it into."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.face.cell import cell
from symgrad.language.activations import activation, function, relu, sigmoid

Array = Any
_g = activation("g")
_a = activation("a")
_f = function("f")


@cell
def rnn(x: Array, h: Array, *, W: Array, U: Array, b: Array) -> Array:
    """Vanilla RNN with tanh.

    Source: Elman 1990, "Finding Structure in Time"; in this form Goodfellow et al. 2016, "Deep Learning", eqs. (10.8)-(10.9).
    """
    return np.tanh(W @ x + U @ h + b)


@cell
def rnn_free(x: Array, h: Array, *, W: Array, U: Array, b: Array) -> Array:
    """Vanilla RNN with an activation g that is left open.

    Source: as `rnn`; the derivative of g prints as g'.
    """
    return _g(W @ x + U @ h + b)


@cell
def rnn_relu(x: Array, h: Array, *, W: Array, U: Array, b: Array) -> Array:
    """Vanilla RNN with relu.

    Source: Le et al. 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", section 2.
    """
    return relu(W @ x + U @ h + b)


@cell
def rnn_sigmoid(x: Array, h: Array, *, W: Array, U: Array, b: Array) -> Array:
    """Vanilla RNN with the logistic sigmoid.

    Source: Elman 1990, "Finding Structure in Time".
    """
    return sigmoid(W @ x + U @ h + b)


@cell
def rnn_identity(x: Array, h: Array, *, W: Array, U: Array, b: Array) -> Array:
    """Linear RNN: the activation is the identity.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", section 2.1.
    """
    return W @ x + U @ h + b


@cell
def rnn_readout(x: Array, h: Array, *, W_xh: Array, W_hh: Array, b_h: Array, W_hy: Array, b_y: Array) -> Array:
    """Linear RNN with a linear read-out y.

    Source: Pascanu et al. 2013, section 2.1, with the read-out of Goodfellow et al. 2016, eq. (10.10).
    """
    h_t = W_xh @ x + W_hh @ h + b_h
    y = W_hy @ h_t + b_y
    return h_t, y


@cell(inputs=0, index="l")
def deep_chain(y: Array, *, W: Array) -> Array:
    """A chain of layers, y_l = a(f(y_{l-1}, W_l)), with the activation a and the map f left open.

    Source: Rumelhart et al. 1986, "Learning representations by back-propagating errors".
    """
    return _a(_f(y, W))
