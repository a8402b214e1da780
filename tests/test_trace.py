"""Tracing: names, shapes, and errors that name the line, the reason and the way out."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad import sigmoid
from symgrad.cells import LIBRARY

OUTSIDE = np.eye(3)


def program_of(function: Callable[..., Any], **options: Any) -> Any:
    return sg.cell(**options)(function).program if options else sg.cell(function).program


def test_local_names_are_the_names() -> None:
    program = sg.cells.gru.program
    assert [s.name for s in program.equations] == ["a_z", "z", "a_r", "r", "a_h_tilde", "h_tilde", "h_t"]
    assert {s.name for s in program.implicit} == {"a_z", "a_r", "a_h_tilde"}


def test_shapes_are_inferred() -> None:
    n, m = sp.symbols("n m", integer=True, positive=True)
    shapes = {s.name: shape for s, shape in sg.cells.gru.program.shapes.items()}
    assert shapes["W_z"] == (n, m)
    assert shapes["U_z"] == (n, n)
    assert shapes["b_z"] == shapes["z"] == shapes["h_t"] == (n,)


def test_concatenated_weights() -> None:
    def minimal(x, h, *, W, b):  # type: ignore[no-untyped-def]
        z = sigmoid(W @ np.concatenate([h, x]) + b)
        return z * h

    program = program_of(minimal)
    n, m = sp.symbols("n m", integer=True, positive=True)
    assert program.shapes[sp.Symbol("W")] == (n, m + n)
    assert sg.jacobian(program).text() == "diag(z_t) + diag(h_{t-1} ∘ z_t ∘ (1 - z_t)) W_h"


def test_row_vectors() -> None:
    def row(x, h, *, W, U):  # type: ignore[no-untyped-def]
        return np.tanh(x @ W + h @ U)

    assert sg.jacobian(sg.cell(row)).text() == "diag(1 - h_t²) Uᵀ"


def test_helpers_are_inlined() -> None:
    def gate(W, x, U, h):  # type: ignore[no-untyped-def]
        a = W @ x + U @ h
        return sigmoid(a)

    def cell(x, h, *, W, U):  # type: ignore[no-untyped-def]
        z = gate(W, x, U, h)
        return z * h

    assert [s.name for s in program_of(cell).equations] == ["a_z", "z", "h_t"]


def test_a_new_state_that_is_named_by_the_user() -> None:
    def cell(x, h, *, W):  # type: ignore[no-untyped-def]
        h_new = np.tanh(W @ x) + h
        return h_new  # noqa: RET504

    program = program_of(cell)
    assert program.symbol("h_new") == program.symbol("h_t") == sp.Symbol("h_t")


def test_two_states_that_become_one_value() -> None:
    def cell(x, h, c, *, W):  # type: ignore[no-untyped-def]
        c_t = c + W @ x
        return c_t, c_t

    program = program_of(cell)
    assert sg.jacobian(program, "h", "c").text() == "I"
    assert sg.jacobian(program, "c", "c").text() == "I"


def test_operations() -> None:
    def everything(x, h, *, W, U, b, v):  # type: ignore[no-untyped-def]
        a = W @ x + U.T @ h - b / 2
        e = np.exp(-(a**2)) + np.sqrt(np.abs(a) + 1) + np.log(a * a + 2)
        s = np.sum(v * h)
        return sg.softplus(a) * sg.silu(e) + np.maximum(a, 0) + s * h + np.outer(h, v) @ h

    cell = sg.cell(everything)
    program = cell.program
    rng = np.random.default_rng(1)
    values = {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3)), "b": rng.normal(size=3), "v": rng.normal(size=3)}
    x, h = rng.normal(size=2), rng.normal(size=3)
    assert program.shapes[sp.Symbol("s")] == ()
    step = 1e-6
    ours = sg.jacobian(cell).numpy()(x=x, h=h, **values)
    # np.abs and np.maximum are not analytic, so differences and not the complex step
    theirs = np.column_stack([(cell(x, h + step * e, **values) - cell(x, h - step * e, **values)) / (2 * step) for e in np.eye(3)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def test_the_written_out_sigmoid_is_recognised_with_a_note() -> None:
    def cell(x, h, *, W):  # type: ignore[no-untyped-def]
        z = 1 / (1 + np.exp(-(W @ x)))
        return z * h

    with pytest.warns(sg.Note, match="write sigmoid from symgrad"):
        program = program_of(cell)
    assert sg.jacobian(program, "z", "W").text("scalar") == "z_t (1 - z_t) x_t"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("cell", [c for c in LIBRARY.values() if c.name not in ("rnn_free", "deep_chain")], ids=lambda c: c.name)
def test_a_cell_stays_a_numpy_function(cell: sg.Cell, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    sizes = {"n": 3, "m": 2}
    draw = lambda s: rng.normal(size=[sizes.get(d.name, 4) for d in cell.program.shapes[s]]).astype(dtype)  # noqa: E731
    result = cell(*(draw(s) for s in (*cell.program.inputs, *cell.program.states)), **{s.name: draw(s) for s in cell.program.parameters})
    for value in result if isinstance(result, tuple) else (result,):
        assert value.dtype == dtype
        assert np.isfinite(value).all()


def branch(x, h, *, W):  # type: ignore[no-untyped-def]
    a = W @ x
    if a > 0:
        return a
    return h


def truth(x, h, *, W):  # type: ignore[no-untyped-def]
    a = W @ x
    return a if a else h


def rebound(x, h, *, W):  # type: ignore[no-untyped-def]
    h = np.tanh(W @ x + h)
    return h  # noqa: RET504


def rebound_parameter(x, h, *, W):  # type: ignore[no-untyped-def]
    W = 2 * W
    return W @ x + h


def unfit(x, h, *, W):  # type: ignore[no-untyped-def]
    a = W @ x
    return h + W * a


def unfit_product(x, h, *, W, b):  # type: ignore[no-untyped-def]
    s = np.sum(b * h)
    return W @ x + h @ s


def unsupported(x, h, *, W):  # type: ignore[no-untyped-def]
    return np.cumsum(W @ x) + h


def unsupported_ufunc(x, h, *, W):  # type: ignore[no-untyped-def]
    return np.sin(W @ x) + h


def missing(x, h, *, W):  # type: ignore[no-untyped-def]
    return np.tanh(W @ x + U @ h)  # type: ignore[name-defined]  # noqa: F821


def unused(x, h, *, U_z, U_r, W):  # type: ignore[no-untyped-def]
    z = sigmoid(W @ x + U_z @ h)
    r = sigmoid(W @ x + U_z @ h)
    return z * r


def not_returned(x, h, c, *, W):  # type: ignore[no-untyped-def]
    return np.tanh(W @ x + h) + c


def nothing(x, h, *, W):  # type: ignore[no-untyped-def]
    W @ x + h


def swapped(x, h, c, *, W):  # type: ignore[no-untyped-def]
    c_t = c + W @ x
    h_t = np.tanh(c_t) + h
    return c_t, h_t


def sized(x, h, *, W):  # type: ignore[no-untyped-def]
    return W @ x + h / h.shape[0]


def written_into(x, h, *, W):  # type: ignore[no-untyped-def]
    a = W @ x
    np.tanh(a, out=a)
    return a + h


def mistyped(x, h, *, W):  # type: ignore[no-untyped-def]
    return np.tahn(W @ x) + h  # type: ignore[attr-defined]


def endless(x, h, *, W):  # type: ignore[no-untyped-def]
    return endless(x, h, W=W)


def a_dict(x, h, *, W):  # type: ignore[no-untyped-def]
    return {"h": W @ x + h}


def array_inside(x, h, *, W):  # type: ignore[no-untyped-def]
    return W @ x + OUTSIDE @ h


def sliced(x, h, *, W):  # type: ignore[no-untyped-def]
    return W[:3] @ x + h


def looped(x, h, *, W):  # type: ignore[no-untyped-def]
    return sum(v for v in W @ x) + h


def power(x, h, *, W):  # type: ignore[no-untyped-def]
    return (W @ x) ** 0.5 + h


def ambiguous(x, h, *, W, s):  # type: ignore[no-untyped-def]
    return W @ x + h + (s * s - s * s)


@pytest.mark.parametrize(
    ("function", "line", "said"),
    [
        (branch, "if a > 0:", "comparison of traced values, as for a branch"),
        (truth, "return a if a else h", "a branch on a traced value"),
        (rebound, "h = np.tanh(W @ x + h)", "the state h is rebound"),
        (rebound_parameter, "W = 2 * W", "the parameter W is rebound"),
        (unfit, "return h + W * a", "the new state h is a matrix, the old one a vector; if that is meant, declare its shape"),
        (unfit_product, "return W @ x + h @ s", r"it takes vectors and matrices; use \* for scalars"),
        (unsupported, "return np.cumsum(W @ x) + h", r"np\.(cumsum|add\.accumulate) cannot be traced"),
        (unsupported_ufunc, "return np.sin(W @ x) + h", "np.sin cannot be traced; a cell can use"),
        (missing, "return np.tanh(W @ x + U @ h)", "U is not defined: if it is a parameter, add it to the signature"),
        (unused, "def unused", "the parameter U_r is never used"),
        (swapped, "return c_t, h_t", "c_t is returned as the new h: return the new states in the order h, c"),
        (sized, "h.shape[0]", "the sizes of a traced value are symbols"),
        (written_into, "np.tanh(a, out=a)", "np.tanh with out= cannot be traced"),
        (mistyped, "np.tahn(W @ x)", "has no attribute 'tahn'"),
        (endless, "return endless(", "calls itself without end"),
        (a_dict, 'return {"h"', "returned value 1 is a dict"),
        (not_returned, "return np.tanh(W @ x + h) + c", "the new state c is not returned"),
        (nothing, "W @ x + h", "the new state h is not returned"),
        (array_inside, "return W @ x + OUTSIDE @ h", "an array that is neither argument nor number"),
        (sliced, "return W[:3] @ x + h", "indexing a traced value"),
        (looped, "return sum(v for v in W @ x) + h", "iterating over a traced value"),
        (power, "return (W @ x) ** 0.5 + h", "integer exponent"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(function: Callable[..., Any], line: str, said: str) -> None:
    with pytest.raises(sg.CellError, match=said) as caught:
        _ = sg.cell(function).program
    message = str(caught.value)
    assert line in message
    assert "test_trace.py:" in message


def test_shapes_that_do_not_fit_name_both() -> None:
    def cell(x, h, *, W):  # type: ignore[no-untyped-def]
        return W @ x + h

    with pytest.raises(sg.CellError, match=r"sizes do not fit|shapes do not fit"):
        _ = sg.cell(shapes={"W": "n n", "x": "m"})(cell).program


def test_signatures_are_checked() -> None:
    with pytest.raises(sg.CellError, match="there is no state"):
        sg.cell(lambda x, *, W: W @ x)
    with pytest.raises(sg.CellError, match="which is no argument"):
        sg.cell(shapes={"Q": "n"})(lambda x, h: h)
    with pytest.raises(sg.CellError, match="not possible"):
        sg.cell(lambda x, h, *rest: h)


@pytest.mark.parametrize("shape", ["3 3", "n n+m"])
def test_a_size_is_a_letter(shape: str) -> None:
    with pytest.raises(sg.CellError, match="a size is a letter"):
        sg.cell(shapes={"W": shape})(lambda x, h, *, W: W @ h)


def test_a_parameter_that_prints_like_a_gate() -> None:
    def cell(x, h, *, W, z_t):  # type: ignore[no-untyped-def]
        z = sigmoid(W @ x)
        return z * h + z_t * x

    with pytest.raises(sg.CellError, match="parameter z_t is written like z at the step t: give it another name"):
        _ = sg.cell(cell).program


def test_a_state_that_is_an_output_too_has_two_names() -> None:
    @sg.cell
    def cell(x, h, c, *, W):  # type: ignore[no-untyped-def]
        c_t = np.tanh(W @ x + c)
        return c_t * h, c_t, c_t, h

    program = cell.program
    assert [str(y) for y in program.outputs] == ["y_1", "y_2"]
    assert [str(program.equations[y]) for y in program.outputs] == ["c_t", "h"]
    assert [str(s) for s in program.updates.values()] == ["h_t", "c_t"]


def test_what_parameters_alone_determine_is_the_same_at_every_step() -> None:
    @sg.cell
    def factored(x, h, *, W, A, B, b):  # type: ignore[no-untyped-def]
        V = A @ B
        s = np.exp(b)
        return np.tanh(W @ x + s * (V @ h))

    assert {s.name for s in factored.program.still} == {"V", "s"}
    assert sg.jacobian(factored).text() == "diag((1 - h_t²) ∘ s) V"
    assert "\\dot{V} &= \\dot{A} B + A \\dot{B}" in sg.jvp(factored).latex()
    back = str(sg.vjp(factored))
    assert "δ V_t = (δ a_t ∘ s) h_{t-1}ᵀ" in back  # what one step contributes
    assert "δ h_{t-1} = Vᵀ (δ a_t ∘ s)" in back


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(sg.UnknownName, match="did you mean"):
        sg.jacobian(sg.cells.gru, of="h_tilda")


def test_a_cell_pickles() -> None:
    assert pickle.loads(pickle.dumps(sg.cells.lstm)).name == "lstm"


def test_free_activation_and_function_say_what_is_missing() -> None:
    with pytest.raises(sg.CellError, match="was left free"):
        sg.activation("g")(1.0)
    with pytest.raises(sg.CellError, match="was left free"):
        sg.function("f")(1.0)
    with pytest.raises(sg.CellError, match="identifier"):
        sg.activation("g h")


def test_importing_loads_neither_sympy_nor_numpy() -> None:
    code = textwrap.dedent(
        """
        import sys
        import symgrad
        from symgrad import cli
        assert not {"sympy", "numpy"} & set(sys.modules), sorted(sys.modules)
        from symgrad import cell, sigmoid, activation
        cell(lambda x, h: h)
        assert "sympy" not in sys.modules
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_listed_once_and_found() -> None:
    assert sorted({*sg._HOME, "cells", "check", "verify"}) == sorted(sg.__all__)
    assert all(getattr(sg, name) is not None for name in sg.__all__)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "silu"])
def test_the_complex_step_sees_small_values(name: str) -> None:
    """f(a + iε) = f(a) + iε f'(a), to the last digits where f is 1e-26 too; NumPy's complex log1p loses them."""
    f = getattr(sg, name)
    a = np.array([-300.0, -60.0, -20.0, -1.0, 0.0, 2.0, 60.0])
    np.testing.assert_allclose(f(a + 1e-30j).real, f(a), rtol=1e-14, atol=1e-50)
    for dtype in (np.float32, np.complex64, np.complex128):
        assert f(np.ones(2, dtype)).dtype == dtype
