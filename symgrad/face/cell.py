"""The decorator `cell`: a NumPy function that can still be called, and whose equations can be asked for.

Nothing is traced and SymPy is not imported before the first question (`Cell.program`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, overload

from symgrad.errors import CellError

if TYPE_CHECKING:
    import sympy as sp

    from symgrad.language.program import Program


class Cell:
    """One step of a recurrent network, written as a NumPy function: ``cell(x, h, W=…)`` computes it, `program` derives from it."""

    def __init__(self, function: Callable[..., Any], inputs: int, index: str, shapes: Mapping[str, str]) -> None:
        self.function = inspect.unwrap(function)
        functools.update_wrapper(self, function)
        self.code: CodeType = self.function.__code__
        self.name: str = function.__name__
        positional, keyword = [], []
        for p in inspect.signature(function).parameters.values():
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                positional.append(p.name)
            elif p.kind is p.KEYWORD_ONLY:
                keyword.append(p.name)
            else:
                raise CellError(f"cell {self.name}: *{p.name} is not possible: name every argument, the parameters after a bare `*`")
        if len(positional) <= inputs:
            raise CellError(
                f"cell {self.name}({', '.join(positional)}): the positional arguments are {inputs} input{'s' * (inputs != 1)}, then the states, "
                "and there is no state; a cell without input says so with @sg.cell(inputs=0), and parameters go after a bare `*`"
            )
        self.inputs, self.states, self.parameters = tuple(positional[:inputs]), tuple(positional[inputs:]), tuple(keyword)
        unknown = set(shapes) - {*positional, *keyword}
        if unknown:
            raise CellError(f"cell {self.name}: a shape is declared for {', '.join(sorted(unknown))}, which is no argument")
        for name, text in shapes.items():
            if not all(size.isidentifier() for size in text.replace(",", " ").split()):
                said = f"cell {self.name}: shapes={{{name!r}: {text!r}}}"
                raise CellError(f"{said}: a size is a letter, and every result holds whatever it is; say 'n n' for a square matrix")
        self.index, self.shapes = index, dict(shapes)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<cell {self.name}({', '.join((*self.inputs, *self.states))}; {', '.join(self.parameters)})>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (self.function.__module__, self.function.__qualname__))

    @functools.cached_property
    def program(self) -> Program:
        """The named, shaped equations, traced when first needed."""
        from symgrad.language.build import build

        return build(self)

    def equations(self, form: str = "matrix", n: int | None = None, m: int | None = None) -> list[sp.Eq]:
        """The update equations as SymPy equations: `form` "matrix" (symbolic sizes) or "scalar"; with n, explicit components."""
        from symgrad.notation.sympy_out import equations

        return equations(self.program, form, n, m)

    def latex(self, form: str = "matrix") -> str:
        """The update equations as LaTeX (an ``aligned`` block)."""
        from symgrad.notation.latex import latex_lines
        from symgrad.notation.write import functions, update_equations

        return latex_lines(*update_equations(self.program, form), functions=functions(self.program))

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def _restore(module: str, name: str) -> Any:
    import importlib

    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


@overload
def cell(function: Callable[..., Any]) -> Cell: ...
@overload
def cell(*, inputs: int = 1, index: str = "t", shapes: Mapping[str, str] | None = None) -> Callable[[Callable[..., Any]], Cell]: ...
def cell(function: Callable[..., Any] | None = None, *, inputs: int = 1, index: str = "t", shapes: Mapping[str, str] | None = None) -> Any:
    """Make a cell of a NumPy function.

    The function's positional arguments are the input and then the states, its keyword-only ones the parameters; it returns the new
    states in the same order, then any outputs.  `inputs` says how many of the positional arguments are inputs, `index` what a step
    counts (``"l"`` for a chain over layers), `shapes` what cannot be inferred: ``{"W": "n m", "beta": ""}``.

    >>> import numpy as np
    >>> @cell
    ... def rnn(x, h, *, W, U, b):
    ...     return np.tanh(W @ x + U @ h + b)
    >>> rnn
    <cell rnn(x, h; W, U, b)>
    """
    make = functools.partial(Cell, inputs=inputs, index=index, shapes=shapes or {})
    return make if function is None else make(function)
