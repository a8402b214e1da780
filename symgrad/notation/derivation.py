r"""A derivative as formulas: its left side ∂h_t/∂h_{t-1}, its right side, and the chain rule step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING


from symgrad.notation.syntax import Derivative, Node, equation
from symgrad.notation.write import FREE, Writer, has_matrix_form

if TYPE_CHECKING:
    from symgrad.calculus.jacobian import Jacobian


def jacobian_syntax(jacobian: Jacobian, form: str = "matrix", name: bool = False) -> Node:
    """The right side of ∂of/∂wrt, or the whole equation."""
    if form == "matrix" and not has_matrix_form(jacobian.tensor):
        form = "component"  # a derivative by a matrix has three indices
    writer = Writer(jacobian.program, form)
    right = writer.tensor(jacobian.tensor)
    return equation(left_side(writer, jacobian), right) if name else right


def left_side(writer: Writer, jacobian: Jacobian) -> Node:
    """∂h_t/∂h_{t-1}, of entries in component form."""
    r = len(jacobian.program.shapes[jacobian.of])
    letters = FREE[: jacobian.tensor.rank]
    component = writer.form == "component"
    of = writer.names(jacobian.of, tuple(letters[:r]) if component else ())
    wrt = writer.names(jacobian.wrt, tuple(letters[r:]) if component else ())
    return Derivative(of, wrt)


