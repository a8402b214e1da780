r"""The one table of activations: a new activation is one row.

A row holds the name, its LaTeX, its NumPy function, and its slope :math:`\partial y/\partial a` written in the output y
and the preactivation a, as ChainRules.jl writes its scalar rules: tanh's is ``1 - y**2``.  The slope is ordinary
arithmetic, so one row serves SymPy expressions and NumPy arrays alike.  `exponential` writes the function by ``exp``,
for limits and for scalar identities; it is None where there is no such form.

The functions themselves (`sigmoid`, `relu`, ...) take arrays, values that are being traced, and SymPy expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import CellError

Fn = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Activation:
    """One row: `numpy` maps arrays, `slope(y, a)` is the derivative, `exponential(a, exp)` the same function by exponentials."""

    name: str
    latex: str
    numpy: Fn
    slope: Fn
    exponential: Fn | None = None
    sympy: str | None = None  # the function of SymPy that already is this one
    gate: bool = False  # values in (0, 1): printed first in a product
    smooth: bool = True  # analytic, so that the complex step verifies it


class FreeActivation:
    """An activation left open, ``g = sg.activation("g")``: its derivative prints as g'.

    With `numpy` and `slope` (functions of the preactivation a) the cell can be evaluated too.

    >>> g = FreeActivation("g", numpy=np.tanh, slope=lambda a: 1 - np.tanh(a) ** 2)
    >>> float(g(0.0))
    0.0
    """

    def __init__(self, name: str, numpy: Fn | None = None, slope: Fn | None = None) -> None:
        if not name.isidentifier():
            raise CellError(f"activation({name!r}): the name must be a Python identifier, such as 'g' or 'phi'")
        if name in TABLE:
            raise CellError(f"activation({name!r}): {name} is a function of its own already; give the free one another name, such as 'g'")
        self.name, self.numpy, self.slope = name, numpy, slope

    def __call__(self, a: Any) -> Any:
        symbolic = _symbolic(self.name, a, self)
        if symbolic is not None:
            return symbolic
        if self.numpy is None:
            raise CellError(f"{self.name} was left free, so it has no value: write activation({self.name!r}, numpy=np.tanh, slope=...)")
        return self.numpy(a)

    def __repr__(self) -> str:
        return f"activation({self.name!r})"


class FreeFunction:
    """A vector function left open, ``f = sg.function("f")``: f(y, W) has the unknown Jacobian f' with respect to each argument.

    With `numpy`, and `slopes` (one function for each argument that is differentiated, returning the Jacobian), it can be evaluated.
    """

    def __init__(self, name: str, numpy: Fn | None = None, slopes: tuple[Fn, ...] = ()) -> None:
        if not name.isidentifier():
            raise CellError(f"function({name!r}): the name must be a Python identifier, such as 'f'")
        self.name, self.numpy, self.slopes = name, numpy, slopes

    def __call__(self, *args: Any) -> Any:
        for a in args:
            traced = getattr(type(a), "__call_free__", None)
            if traced:
                return traced(self, args)
        if self.numpy is None:
            raise CellError(f"{self.name} was left free, so it has no value: write function({self.name!r}, numpy=...)")
        return self.numpy(*args)

    def __repr__(self) -> str:
        return f"function({self.name!r})"


def activation(name: str, numpy: Fn | None = None, slope: Fn | None = None) -> FreeActivation:
    """An activation left free, with derivative name'."""
    return FreeActivation(name, numpy, slope)


def function(name: str, numpy: Fn | None = None, slopes: tuple[Fn, ...] = ()) -> FreeFunction:
    """A vector function left free, with the Jacobian name' with respect to each of its arguments."""
    return FreeFunction(name, numpy, slopes)


def _symbolic(name: str, a: Any, free: FreeActivation | None = None) -> Any:
    """The application as a traced value or a SymPy expression; None if `a` is numeric."""
    traced = getattr(type(a), "__activation__", None)
    if traced:
        return traced(a, free or name)
    if hasattr(a, "free_symbols"):
        from symgrad.language import functions  # a SymPy expression is here, so SymPy is loaded already

        return functions.applied(free.name if free else name, a)
    return None


def sigmoid(a: Any) -> Any:
    r"""σ(a) = 1/(1 + e^{-a}), entry by entry, without overflow for large |a|.

    >>> float(sigmoid(0.0))
    0.5
    """
    symbolic = _symbolic("sigmoid", a)
    if symbolic is not None:
        return symbolic
    a = np.asarray(a)
    # e^{-|a|} neither overflows nor loses the small values that ½(1 + tanh(a/2)) rounds to 0
    small = np.exp(np.where(a.real < 0, a, -a))
    return (np.where(a.real < 0, small, np.ones_like(small)) / (1 + small))[()]


def relu(a: Any) -> Any:
    """max(a, 0), entry by entry."""
    symbolic = _symbolic("relu", a)
    return symbolic if symbolic is not None else np.where(np.real(a) > 0, a, np.zeros_like(a))[()]


def softplus(a: Any) -> Any:
    """log(1 + e^a), entry by entry, without overflow."""
    symbolic = _symbolic("softplus", a)
    if symbolic is not None:
        return symbolic
    a = np.asarray(a)
    small = np.exp(np.where(a.real > 0, -a, a))
    if np.iscomplexobj(small):  # NumPy's complex log1p forgets a small real part: log|1 + e|² and the angle keep it
        rest = np.log1p(small.real * (2 + small.real) + small.imag**2) / 2 + 1j * np.arctan2(small.imag, 1 + small.real)
    else:
        rest = np.log1p(small)
    return (np.where(a.real > 0, a, np.zeros_like(a)) + rest)[()]


def silu(a: Any) -> Any:
    """a σ(a), entry by entry, also called swish."""
    return a * sigmoid(a)


def step(a: Any) -> Any:
    """1[a > 0], the slope of relu; 0 at a = 0, as PyTorch takes it."""
    symbolic = _symbolic("step", a)
    return symbolic if symbolic is not None else (np.real(a) > 0).astype(np.real(a).dtype)


def sign(a: Any) -> Any:
    """The sign of a, the slope of |a|."""
    symbolic = _symbolic("sign", a)
    return symbolic if symbolic is not None else np.sign(np.real(a))


def absolute(a: Any) -> Any:
    """|a|, continued analytically on either side of the kink so that a complex step through it is right."""
    symbolic = _symbolic("abs", a)
    return symbolic if symbolic is not None else np.where(np.real(a) < 0, -np.asarray(a), a)[()]


TABLE: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation("sigmoid", r"\sigma", sigmoid, lambda y, a: y * (1 - y), lambda a, exp: 1 / (1 + exp(-a)), gate=True),
        Activation("tanh", r"\tanh", np.tanh, lambda y, a: 1 - y**2, lambda a, exp: (exp(2 * a) - 1) / (exp(2 * a) + 1), "tanh"),
        Activation("relu", r"\operatorname{relu}", relu, lambda y, a: step(a), smooth=False),
        Activation("softplus", r"\operatorname{softplus}", softplus, lambda y, a: sigmoid(a)),
        Activation("exp", r"\exp", np.exp, lambda y, a: y, lambda a, exp: exp(a), "exp"),
        Activation("log", r"\log", np.log, lambda y, a: 1 / a, None, "log"),
        Activation("abs", r"\operatorname{abs}", absolute, lambda y, a: sign(a), smooth=False),
        Activation("step", r"\mathbf{1}", step, lambda y, a: 0 * a, smooth=False),
        Activation("sign", r"\operatorname{sign}", sign, lambda y, a: 0 * a, smooth=False),
    )
}
