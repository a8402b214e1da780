"""The table of activations as SymPy functions: opaque, so that σ stays σ, with the slope of their row.

Each class stands under its name in this module, so that expressions pickle; `_imp_` is what `lambdify` calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symgrad.language.activations import TABLE, Activation

EXPLICIT: dict[str, Callable[[Any], Any]] = {  # the opaque functions by SymPy's own, which know their values
    "sigmoid": lambda a: 1 / (1 + sp.exp(-a)),
    "relu": lambda a: sp.Max(a, 0),
    "softplus": lambda a: sp.log(1 + sp.exp(a)),
    "abs": lambda a: sp.Abs(a),
    "step": lambda a: (sp.Abs(sp.sign(a)) + sp.sign(a)) / 2,
    "sign": lambda a: sp.sign(a),
}


def _as_sympy(row: Activation) -> Any:
    """The SymPy function of a row: SymPy's own where it has one, else an opaque class with the row's slope."""
    if row.sympy:
        return getattr(sp, row.sympy)

    def fdiff(self: Any, argindex: int = 1) -> Any:
        return row.slope(self, self.args[0])

    def rewrite(self: Any, arg: Any, **kwargs: Any) -> Any:
        return row.exponential(arg, sp.exp) if row.exponential else None

    def printed(self: Any, printer: Any, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return rf"{row.latex}{power}\left({printer.doprint(self.args[0])}\right)"

    def evaluated(self: Any, prec: int) -> Any:
        return None if self.free_symbols else EXPLICIT[row.name](self.args[0])._eval_evalf(prec)

    members = {
        "_eval_evalf": evaluated,
        "fdiff": fdiff, "_eval_rewrite_as_exp": rewrite, "_latex": printed, "_imp_": staticmethod(row.numpy),
        "_eval_is_real": lambda self: self.args[0].is_real, "__module__": __name__, "__doc__": row.numpy.__doc__,
    }  # fmt: skip
    return type(row.name, (sp.Function,), members)


FUNCTIONS: dict[str, Any] = {name: _as_sympy(row) for name, row in TABLE.items()}
ROWS: dict[Any, Activation] = {f: TABLE[name] for name, f in FUNCTIONS.items()}
globals().update({name: f for name, f in FUNCTIONS.items() if TABLE[name].sympy is None})


def applied(name: str, a: Any) -> Any:
    """The SymPy expression name(a); a name that is in no row is a free function."""
    return FUNCTIONS[name](a) if name in FUNCTIONS else sp.Function(name)(a)
