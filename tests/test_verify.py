"""`verify`: every library cell passes everything that is installed, and every wrong derivative fails."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from mutants import mutants

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.decide.world import is_gate
from symgrad.errors import SymgradError
from symgrad.face.jacobian import jacobian
from symgrad.language.tensor import Tensor
from symgrad.verify import Check, Report, deciders, run, symbolic, verify
from symgrad.verify.against import derivatives, label
from symgrad.verify.numeric import Sample, central, checks, complex_step, relative_error
from symgrad.verify.points import LARGE, SATURATED, preactivations
from symgrad.verify.report import judged, skipped
from symgrad.verify.standin import subject

CELLS = [pytest.param(c, id=name) for name, c in LIBRARY.items()]
NUMPY = {"random", "float32", "saturated", "large", "batch"}


def installed(name: str) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed: pip install symgrad[{name}]")


# -- the library's cells -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_against_its_own_function(cell):
    report = verify(cell, "numpy")
    assert report, report.text()
    derived = [c for c in report.checks if c.against != "the function called"]
    assert {c.what for c in derived} == {label(j) for j in derivatives(cell.program)}
    linear = not any(e.atoms(sp.Function) for e in subject(cell).program.equations.values())
    assert {c.at for c in derived if c.status == "passed"} == NUMPY - ({"saturated"} if linear else set())
    for c in derived:
        if c.at == "random" and c.against == "complex step":
            assert c.error <= 1e-12
    assert ("central differences" in {c.against for c in derived}) == (cell.name == "rnn_relu")


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_against_sympy(cell):
    report = verify(cell, "sympy")
    assert report, report.text()
    assert all(c.status == "passed" and c.error == 0 for c in report.checks)
    sizes = {"n=1, m=1", "n=2, m=3", "n=3, m=2"} if cell.inputs else {"n=1", "n=2", "n=3"}
    assert {c.at for c in report.checks} == sizes


@pytest.mark.parametrize("name", ["rnn", "rnn_identity", "gru", "gru_write", "gru_reset_after", "gru_torch", "lstm", "lstm_torch"])
def test_onnx_computes_the_same_states(name):
    installed("onnx")
    report = verify(LIBRARY[name], "onnx")
    assert [c.status for c in report.checks] == ["passed"] * len(LIBRARY[name].states), report.text()


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_against_torch(cell):
    installed("torch")
    report = verify(cell, "torch")
    assert report, report.text()
    modules = {c.against for c in report.checks} - {"torch.autograd"}
    own = {"rnn": "RNN", "rnn_relu": "RNN", "gru_reset_after": "GRU", "gru_torch": "GRU", "lstm": "LSTM", "lstm_torch": "LSTM"}
    assert modules == ({f"torch.nn.{own[cell.name]}Cell"} if cell.name in own else set())


@pytest.mark.parametrize("name", ["rnn_relu", "deep_chain", "gru", "lstm"])
def test_cells_against_jax(name):
    installed("jax")
    report = verify(LIBRARY[name], "jax")
    assert report, report.text()
    import jax

    assert not jax.config.jax_enable_x64  # double precision was on for the comparison only


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex128])
def test_a_cell_is_a_function_of_arrays(cell, kind):
    found = subject(cell)
    (point, *_) = Sample(found, 1, 1).at["random"]
    values = point.cast(kind).values
    results = found.step(values)
    exact = found.step(point.values)
    for s, value in results.items():
        assert value.dtype == kind
        assert relative_error(np.asarray(value, dtype=exact[s].dtype) if kind is np.float32 else np.real(value), exact[s]) < 1e-4


# -- a wrong derivative fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_every_mutant_fails_both_oracles(cell):
    found = subject(cell)
    sample = Sample(found, 0, 2)
    sizes = [symbolic.Components(found, 2, 3, 0)]
    count = 0
    for j in derivatives(cell.program):
        for name, wrong in mutants(j):
            count += 1
            numeric_row = next(checks(sample, wrong, "mutant"))
            assert numeric_row.status == "failed", f"{label(j)}: {name} passed the complex step"
            assert numeric_row.error > 1e-12 or math.isnan(numeric_row.error)
            if len(cell.program.equations) < 5 or count % 3 == 0:  # of the gated cells every third one, for time
                (exact_row,) = symbolic.checks(sizes, wrong, "mutant")
                assert exact_row.status == "failed", f"{label(j)}: {name} passed SymPy"
        (right,) = symbolic.checks(sizes, j, "unchanged")
        assert right.status == "passed"
    assert count >= 6


@pytest.mark.parametrize("against", ["torch", "jax"])
def test_mutants_fail_automatic_differentiation(against):
    installed(against)
    gru = LIBRARY["gru"]
    j = sg.jacobian(gru)
    for name, wrong in list(mutants(j))[::7]:
        assert not verify(gru, against, jacobians=[wrong]), name


def test_not_a_number_never_passes():
    assert judged("J", "x", "random", [math.nan, 0.0], 1.0).status == "failed"
    assert judged("J", "x", "random", [math.inf], math.inf).status == "failed"
    assert judged("J", "x", "random", [], 1.0).status == "failed"
    assert math.isnan(relative_error(np.array([np.nan, 1.0]), np.array([1.0, 1.0])))
    assert math.isnan(relative_error(np.array([np.inf, 1.0]), np.array([np.inf, 1.0])))
    assert relative_error(np.zeros((2, 3)), np.zeros((3, 2))) == math.inf
    gru = LIBRARY["gru"]
    j = sg.jacobian(gru)
    zoo = replace(j, tensor=j.tensor.map(lambda e: e / (sp.Symbol("h") - sp.Symbol("h")) if e == sp.Symbol("z") else e))
    assert not verify(gru, "numpy", points=1, jacobians=[zoo])


def test_a_wrong_shape_and_an_empty_sum_fail():
    gru = LIBRARY["gru"]
    j = sg.jacobian(gru)
    assert not verify(gru, "numpy,sympy", points=1, jacobians=[replace(j, tensor=Tensor(j.tensor.dims, ()))])
    by_input = sg.jacobian(gru, "h", "x")
    assert not verify(gru, "numpy,sympy", points=1, jacobians=[replace(by_input, tensor=j.tensor)])


# -- points and errors -------------------------------------------------------------------------------------------------------


def test_points_are_what_they_are_called():
    sample = Sample(subject(LIBRARY["lstm"]), 3, 8)
    n, m = (sample.subject.program.shapes[sp.Symbol(v)][0] for v in ("h", "x"))
    assert all(p.sizes[n] != p.sizes[m] for points in sample.at.values() for p in points)
    assert len({(p.sizes[n], p.sizes[m]) for p in sample.at["random"]}) > 1
    assert len({tuple(p.sizes.items()) for p in sample.at["batch"]}) == 1
    largest = {kind: [max(np.abs(a).max() for _, a in preactivations(sample.subject, p)) for p in points] for kind, points in sample.at.items()}
    assert all(a < 20 for a in largest["random"])
    assert all(a >= SATURATED for a in largest["saturated"])
    assert all(LARGE[0] <= a <= LARGE[1] for a in largest["large"])
    assert all(v.dtype == np.float32 for p in sample.at["float32"] for v in p.values.values())


def test_points_stay_away_from_a_kink():
    for p in Sample(subject(LIBRARY["rnn_relu"]), 5, 8).at["random"]:
        for row, a in preactivations(subject(LIBRARY["rnn_relu"]), p):
            assert row.smooth or np.abs(a).min() >= 0.02 * np.abs(a).max()


def test_the_seed_makes_the_points():
    gru = LIBRARY["gru"]
    assert verify(gru, "numpy", seed=4).json() == verify(gru, "numpy", seed=4).json()
    assert verify(gru, "numpy", seed=4).json() != verify(gru, "numpy", seed=5).json()


def test_difference_quotients():
    v = np.array([0.3, -1.2, 2.0])
    exact = np.diag(np.cos(v))
    assert relative_error(complex_step(np.sin, v), exact) < 1e-15
    assert relative_error(central(np.sin, v), exact) < 1e-9


def test_relative_error_is_normwise_and_entrywise():
    reference = np.array([[100.0, 10.0, 0.01]])
    assert relative_error(np.array([[100.0, 10.1, 0.01]]), reference) == pytest.approx(0.01)
    assert relative_error(np.array([[100.0, 10.0, 0.02]]), reference) == pytest.approx(0.01)  # tiny: against a hundredth of the largest
    assert relative_error(np.zeros((1, 2)), np.zeros((1, 2))) == 0
    assert relative_error(np.array([[1e-300]]), np.zeros((1, 1))) == math.inf


# -- cells of one's own ------------------------------------------------------------------------------------------------------

phi = sg.activation("phi")


def inner(a):
    return phi(a)


@sg.cell
def hidden_activation(x, h, *, W, U):
    """A free activation behind a helper function."""
    return inner(W @ x) * phi(U @ h)


@sg.cell
def kinks(x, h, *, W, U):
    """Two functions with a kink."""
    return np.abs(W @ x) + np.maximum(U @ h, 0) * np.tanh(h)


@sg.cell
def peephole(x, h, c, *, W, U, p, V):
    """The output gate looks at the new cell state, so that the path through h has two branches."""
    c_t = sg.sigmoid(W @ x + U @ h + p * c) * c
    o = sg.sigmoid(V @ x + p * c_t)
    return o * np.tanh(c_t), c_t


@sg.cell
def joined(x, h, *, W, b):
    """A concatenation, and constants."""
    return 0.5 * np.tanh(W @ np.concatenate([h, x]) + b) + 0.25 * h


@sg.cell
def normalised(x, h, *, W, U):
    """A sum over components, which never saturates."""
    a = W @ x + U @ h
    return np.tanh(a / np.sqrt(np.sum(a**2) + 1))


@sg.cell
def logarithm(x, h, *, W, U):
    """Defined for positive arguments only."""
    return np.log(W @ x + U @ h)


@sg.cell
def soft(x, h, *, W, U, b):
    """Its exponentials reach 1e170, whose squares overflow and whose quotients by them underflow."""
    e = np.exp(W @ x + U @ h + b)
    return e / np.sum(e)


@pytest.mark.parametrize("cell", [hidden_activation, kinks, peephole, joined, logarithm, soft], ids=lambda c: c.name)
def test_a_users_cell(cell):
    report = verify(cell, "numpy,sympy", points=4)
    assert report, report.text()
    assert all(c.status == "passed" for c in report.checks)


def test_what_cannot_be_reached_is_said():
    report = verify(normalised, "numpy", points=4)
    assert report
    assert {(c.status, c.at) for c in report.checks if "complex" in c.against} == {
        ("passed", "random"), ("passed", "float32"), ("passed", "batch"), ("skipped", "saturated"), ("skipped", "large")}  # fmt: skip
    assert "the preactivations stay small" in report.text()


@sg.cell
def nowhere(x, h, *, W):
    """Never finite."""
    return np.log(-((W @ x) ** 2)) + h


def test_a_cell_that_is_nowhere_finite_fails():
    report = verify(nowhere, "numpy", points=1)
    assert not report
    assert "no point was found" in report.text()


def test_exponentials_written_out():
    @sg.cell
    def written(x, h, *, W, U):
        z = 1 / (1 + np.exp(-(W @ x + U @ h)))
        return z * h + (1 - z) * sg.sigmoid(-(W @ x))

    with pytest.warns(sg.Note, match="sigmoid"):
        written.program  # noqa: B018
    report = verify(written, "numpy,sympy", points=4)
    assert report, report.text()


def test_what_is_left_free_is_told():
    report = verify(LIBRARY["deep_chain"], "sympy")
    assert report.notes == ("a is left free; tanh stands in for it", "f is left free; W @ y stands in for f(y, W)")
    assert "note: f is left free" in report.text()
    with pytest.raises(sg.CellError, match="was left free"):
        LIBRARY["rnn_free"](np.zeros(2), np.zeros(3), W=np.zeros((3, 2)), U=np.zeros((3, 3)), b=np.zeros(3))  # verify changed nothing


def test_a_derivative_by_a_parameter():
    gru = LIBRARY["gru"]
    report = verify(gru, "numpy,sympy", points=2, jacobians=[sg.jacobian(gru, "h", w) for w in ("W_z", "U_h", "b_r")])
    assert report, report.text()


# -- the report --------------------------------------------------------------------------------------------------------------


def test_report_as_text_and_json():
    report = Report("gru", (
        Check("∂h_t/∂h_{t-1}", "complex step", "random", "passed", 8, 2.5e-15, 1e-12),
        judged("∂h_t/∂x_t", "complex step", "random", [math.nan], 1e-12),
        skipped("every derivative", "jax.jacrev", "random", "jax is not installed: pip install symgrad[jax]"),
    ), ("g is left free; tanh stands in for it",), 7)  # fmt: skip
    assert report.text() == (
        "compared       against       at      points  largest error  tolerance\n"
        "-----------------------------------------------------------------------------\n"
        "∂h_t/∂h_{t-1}  complex step  random       8        2.5e-15    1.0e-12  passed\n"
        "∂h_t/∂x_t      complex step  random       1            nan    1.0e-12  FAILED\n"
        "FAILED ∂h_t/∂x_t against complex step, random: not finite\n"
        "skipped jax.jacrev: jax is not installed: pip install symgrad[jax]\n"
        "note: g is left free; tanh stands in for it\n"
        "gru: 1 passed, 1 failed, 1 skipped (seed 7)"
    )
    data = json.loads(json.dumps(report.json(), allow_nan=False))
    assert data["summary"] == {"passed": 1, "failed": 1, "skipped": 1}
    assert data["ok"] is False
    assert data["checks"][1]["error"] is None
    assert bool(replace(report, checks=report.checks[::2])) is True


def test_run_is_the_command():
    text, status = run(LIBRARY["rnn"], "numpy,sympy", "text")
    assert status == 0, text
    assert text.splitlines()[-1] == "rnn: 20 passed, 0 failed, 0 skipped (seed 0)"
    text, status = run(LIBRARY["rnn"], "sympy", "json")
    assert status == 0
    assert json.loads(text)["ok"] is True
    with pytest.raises(SymgradError, match="against=keras: a cell is verified against numpy, sympy, onnx, torch, jax, decide"):
        run(LIBRARY["rnn"], "numpy,keras", "text")


def test_the_room_can_be_called():
    assert sg.verify(LIBRARY["rnn"], "sympy")
    assert sg.verify.verify is verify


def test_usage_errors():
    gru = LIBRARY["gru"]
    with pytest.raises(SymgradError, match="at least one point"):
        verify(gru, points=0)
    with pytest.raises(SymgradError, match="as it was derived"):
        verify(gru, jacobians=[sg.jacobian(gru).hold(z=1)])


@pytest.mark.parametrize("name", ["onnx", "torch", "jax"])
def test_what_is_not_installed_is_skipped(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    report = verify(LIBRARY["rnn"], name)
    (row,) = report.checks
    assert row.status == "skipped"
    assert "not installed" in row.reason
    assert "not installed" in report.text()


@pytest.mark.parametrize("cell", list(LIBRARY.values()), ids=lambda c: c.name)
def test_reverse_mode_proves_every_derivative(cell):
    rows = verify(cell, "decide").checks
    assert rows
    assert {row.status for row in rows} == {"passed"}


def test_a_wrong_derivative_is_refuted_against_reverse_mode():
    true = jacobian(LIBRARY["gru"])
    wrong = replace(true, tensor=replace(true.tensor, terms=true.tensor.terms[:-1]))
    (row,) = verify(LIBRARY["gru"], "decide", jacobians=[wrong]).checks
    assert row.status == "failed"


@sg.cell
def softened(x, h, *, W, U, V):  # type: ignore[no-untyped-def]
    h_t = np.tanh(W @ x + U @ h)
    e = np.exp(V @ h_t)
    return h_t, e / np.sum(e)


@sg.cell
def soft(x, h, *, W, U, b):  # type: ignore[no-untyped-def]
    return sg.softplus(W @ x + U @ h + b) * sg.silu(h)


@pytest.mark.parametrize("cell", [softened, soft])
def test_exponentials_are_no_false_alarm(cell):
    """SymPy merges e^a e^b into e^{a+b}, and NumPy's complex log1p forgets small values: neither is the derivative's fault."""
    report = verify(cell, "numpy,sympy")
    assert report, report.text()


@pytest.mark.parametrize("name", LIBRARY)
def test_forward_and_reverse_mode_are_equal_for_every_size(name):
    """Every derivative of a library cell, gates and parameters included, is proved by both deciders to be what reverse mode gives."""
    p = LIBRARY[name].program
    gates = [s for s, e in p if is_gate(e)]
    names = dict.fromkeys(s.name for s in (*p.updates.values(), *p.outputs, *gates))
    claims = {f"{of} {v}": jacobian(p, of, v.name) for of in names for v in (*p.states, *p.inputs, *p.parameters)}
    for row in deciders.checks(claims):
        assert row.status == "passed", row
        assert row.against == "reverse mode, both deciders", row
