"""The generated backward passes: every gradient against the complex step through the cell's own function, and against torch and JAX."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sequence_oracle import by_code, complex_step, generated, problem, run, worst

import symgrad as sg
from symgrad import relu, sigmoid, softplus
from symgrad.cells import LIBRARY
from symgrad.cli import main
from symgrad.face.backward import module

FREE = ("rnn_free", "deep_chain")
CELLS = [c for name, c in LIBRARY.items() if name not in FREE]


@sg.cell
def joined_lstm(x, h, c, *, W_f, b_f, W_i, b_i, W_o, b_o, W_c, b_c):
    v = np.concatenate([h, x])
    f = sigmoid(W_f @ v + b_f)
    i = sigmoid(W_i @ v + b_i)
    o = sigmoid(W_o @ v + b_o)
    c_t = f * c + i * np.tanh(W_c @ v + b_c)
    return o * np.tanh(c_t), c_t


@sg.cell
def peephole(x, h, c, *, W_f, U_f, V_f, b_f, W_i, U_i, V_i, b_i, W_o, U_o, V_o, b_o, W_c, U_c, b_c):
    f = sigmoid(W_f @ x + U_f @ h + V_f * c + b_f)
    i = sigmoid(W_i @ x + U_i @ h + V_i * c + b_i)
    c_t = f * c + i * np.tanh(W_c @ x + U_c @ h + b_c)
    o = sigmoid(W_o @ x + U_o @ h + V_o * c_t + b_o)
    return o * np.tanh(c_t), c_t


@sg.cell
def sru(x, c, *, W, W_f, b_f, W_r, b_r, v):
    f = sigmoid(W_f @ x + v * c + b_f)
    r = sigmoid(W_r @ x + b_r)
    return f * c + (1 - f) * (W @ x) * r


@sg.cell(inputs=2)
def two_inputs(x, u, h, *, W, V, U, b):
    return softplus(W @ x + V @ u + U @ h + b) - 0.5 * h


@sg.cell
def tied(x, h, *, W, U, b):
    return np.tanh(U.T @ np.tanh(U @ h + W @ x) + b) * relu(h)


@sg.cell(shapes={"beta": ""})
def scaled(x, h, *, W, U, beta):
    return h + beta * np.tanh(W @ x + U @ h)


@sg.cell
def normalised(x, h, *, W, U, g):
    a = W @ x + U @ h
    return np.tanh(g * a / np.sqrt(np.sum(a * a) + 1))


@sg.cell
def read_out(x, h, *, W, U, b, V, c):
    z = sigmoid(U @ h + b)
    h_t = np.tanh(W @ x + U @ (z * h))
    return h_t, np.exp(V @ h_t + c)


@sg.cell
def rows(x, h, *, W, U, b):
    return np.tanh(x @ W + h @ U + b)


@sg.cell
def shared(x, h, *, W, U, b, c):
    a = U @ h
    z = sigmoid(a + W @ x + b)
    return z * h + (1 - z) * np.tanh(a * c)


@sg.cell
def soft(x, h, *, W, U, b):
    return softplus(W @ x + U @ h + b) - 0.5 * h


@sg.cell
def inner_product(x, h, *, A, C, b):
    return np.tanh(A @ (C @ h) + b + C @ x)


@sg.cell
def outputs_used_again(x, h, *, W, U, b, V, Q):
    h_t = np.tanh(W @ x + U @ h + b)
    y = sigmoid(V @ h_t)
    v = np.tanh(Q @ y)
    return h_t, y, v


@sg.cell
def scored(x, h, c, *, W, U, b, w, V):
    """Outputs that are a number, a state before and after the step, and a read-out."""
    c_t = c + np.tanh(W @ x + U @ h + b)
    h_t = sigmoid(c_t)
    return h_t, c_t, np.sum(w * h_t), c_t, h, V @ h_t


@sg.cell(inputs=2)
def skip(x, u, h, *, W, V):
    """Inputs that meet the state entry by entry."""
    z = sigmoid(W @ h + V @ u)
    return x * z + h - u * x


@sg.cell
def doubled(x, h, *, U, V, Q, W, b):
    """Two weights of one operand in one sum."""
    s = np.concatenate([h, x, h])
    return np.tanh(U @ h + V @ h + W @ x + b) * h + Q @ s


@sg.cell(inputs=2)
def joined_otherwise(x, u, h, *, W, U, V):
    """A concatenation that no weight multiplies, and sums."""
    a = np.concatenate([W @ x, U @ h, V @ u])
    return np.sum(np.tanh(a)) * h + np.tanh(U @ h) * np.sum(x * x)


@sg.cell
def unlucky_names(x, h, *, d, K, B, T, t, gates, one):
    dh = sigmoid(d @ x + K @ h + B)
    work = np.tanh(T @ x + t @ (dh * h) + gates)
    return dh * h + (1 - dh) * work * one


@sg.cell
def gates_side_by_side(x, h, *, W_z, U_z, W_r, U_r, W_n, U_n):
    z = sigmoid(W_z @ x + U_z @ h)
    r = sigmoid(W_r @ x + U_r @ h)
    z_r = np.tanh(W_n @ x + U_n @ (r * h))
    return z * h + (1 - z) * z_r


@sg.cell(inputs=0)
def autonomous(h, *, U, b):
    return np.tanh(U @ h + b)


OWN = [joined_lstm, peephole, sru, two_inputs, tied, scaled, normalised, read_out, rows, shared, soft, inner_product, outputs_used_again, scored, skip,
       doubled, joined_otherwise, unlucky_names, gates_side_by_side]  # fmt: skip
MASK = np.array([[1, 1], [1, 0], [1, 1], [0, 1]], float)


@pytest.mark.parametrize("cell", [*CELLS, *OWN], ids=lambda c: c.name)
@pytest.mark.parametrize(("T", "B", "mask"), [(1, 1, None), (3, 2, None), (4, 2, MASK)], ids=["one", "three", "masked"])
def test_every_gradient(cell: Any, T: int, B: int, mask: Any) -> None:
    """Equal to the complex step, to rounding: inputs, initial states, parameters; n ≠ m."""
    p = problem(cell, T=T, B=B, seed=T)
    error, where = worst(by_code(generated(cell), p, mask), complex_step(cell, p, mask))
    assert error < 1e-13, where


def test_without_an_input() -> None:
    """T and B come from xs all the same; there is no ∂L/∂x."""
    p = problem(autonomous, T=3, B=2)
    found = by_code(generated(autonomous), {**p, "xs": np.zeros((3, 2, 0))})
    assert found.pop("xs") is None
    assert worst(found, complex_step(autonomous, {**p, "xs": {}}))[0] < 1e-13


@pytest.mark.parametrize("cell", [*CELLS, *OWN], ids=lambda c: c.name)
def test_every_gradient_has_the_precision_of_the_parameters(cell: Any) -> None:
    p = problem(cell, dtype=np.float32)
    assert {v.dtype for v in by_code(generated(cell), p).values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("block", [1, 16, 24])
@pytest.mark.parametrize("cell", [*CELLS, *OWN], ids=lambda c: c.name)
def test_blocks_of_steps(cell: Any, block: int) -> None:
    """Blocks of 1, 2 and 3 steps, the earliest one shorter, give what one block of all steps does."""
    p = problem(cell, T=7, B=2, seed=5)
    mask = np.array([[1, 1, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0]], float).T
    assert worst(by_code(generated(cell, block=block), p, mask), by_code(generated(cell), p, mask))[0] < 1e-13


@pytest.mark.parametrize("cell", [LIBRARY["gru"], LIBRARY["lstm"], peephole, two_inputs, scored], ids=lambda c: c.name)
def test_batch_first(cell: Any) -> None:
    p = problem(cell, T=4, B=2)
    scope = generated(cell)
    straight = by_code(scope, p, MASK)
    turned = {
        **p,
        "dys": p["dys"].swapaxes(0, 1),
        "doutputs": {k: v.swapaxes(0, 1) for k, v in p["doutputs"].items()},
        "xs": {k: v.swapaxes(0, 1) for k, v in p["xs"].items()} if isinstance(p["xs"], dict) else p["xs"].swapaxes(0, 1),
    }
    found = by_code(scope, turned, MASK.T, batch_first=True)
    back = {k: v.swapaxes(0, 1) if k.startswith("xs") else v for k, v in found.items()}
    assert worst(back, straight)[0] == 0


@pytest.mark.parametrize("to", ["numpy", "torch"])
def test_outputs_are_zero_at_padded_steps(to: str) -> None:
    """And elsewhere what the cell gives; batch first like everything else."""
    p = problem(scored, T=4, B=2)
    turned = [p["xs"].swapaxes(0, 1), p["states"], p["params"], MASK.T]
    torch = pytest.importorskip("torch", reason="torch is not installed") if to == "torch" else None
    scope = generated(scored, to)
    if torch is None:
        found = scope["forward"](*turned, batch_first=True)[2][-1]
    else:
        as_torch = [{k: torch.tensor(v) for k, v in a.items()} if isinstance(a, dict) else torch.tensor(a.copy()) for a in turned]
        found = {k: y.numpy() for k, y in scope["scored"](*as_torch, batch_first=True)[2].items()}
    assert set(found) == {y.name for y in scored.program.outputs}
    for b in range(2):
        h, c = p["states"]["h"][b], p["states"]["c"][b]
        for t in range(4):
            h_t, c_t, *outputs = scored(p["xs"][t, b], h, c, **p["params"])
            for y, expected in zip(scored.program.outputs, outputs, strict=True):
                np.testing.assert_allclose(found[y.name][b, t], expected if MASK[t, b] else 0 * np.asarray(expected), rtol=1e-13)
            h, c = (h_t, c_t) if MASK[t, b] else (h, c)


@pytest.mark.parametrize("name", ["rnn", "gru", "gru_torch", "lstm"])
@pytest.mark.parametrize("T", [2, 500])
def test_long_sequences_by_one_direction(name: str, T: int) -> None:
    """The derivative along one random direction of all parameters at once, by the complex step through T steps."""
    cell = LIBRARY[name]
    p = problem(cell, T=T, B=1, scale=0.5)
    found = by_code(generated(cell), p)
    rng = np.random.default_rng(1)
    v = {k: rng.standard_normal(w.shape) for k, w in p["params"].items()}
    h = 1e-30
    slope = np.imag(run(cell, {**p, "params": {k: w + 1j * h * v[k] for k, w in p["params"].items()}})) / h
    mine = sum((found[f"params.{k}"] * v[k]).sum() for k in v)
    assert abs(mine - slope) < 1e-10 * max(1, abs(slope))


@pytest.mark.parametrize("name", ["gru", "lstm", "gru_torch", "rnn_sigmoid"])
def test_single_precision(name: str) -> None:
    """float32 in, float32 out, as near to the float64 result as float32 allows."""
    cell = LIBRARY[name]
    p = problem(cell, T=20, B=3, dtype=np.float32)
    found = by_code(generated(cell), p)
    assert all(v.dtype == np.float32 for v in found.values())
    wide = {k: {q: v.astype(float) for q, v in d.items()} if isinstance(d, dict) else d.astype(float) for k, d in p.items()}
    assert worst(found, by_code(generated(cell), wide))[0] < 1e-4


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_closed_gates_keep_every_digit(name: str) -> None:
    """The slope of a gate at σ(-60) is e^{-60}, not 0: each gradient has all its digits."""
    cell = LIBRARY[name]
    gate = {"gru": "b_z", "lstm": "b_f"}[name]
    p = problem(cell, T=3, B=1, scale=0.3)
    p["params"][gate][:] = -60
    found = by_code(generated(cell), p)
    error, where = worst(found, complex_step(cell, p))
    assert error < 1e-10, where
    assert 1e-32 < np.abs(found[f"params.{gate}"]).max() < 1e-24


@pytest.mark.parametrize("bias", [-800.0, -30.0, 30.0, 800.0])
@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_saturated_gates(name: str, bias: float) -> None:
    """Neither overflow nor nan; an open gate, 1 - z rounded to 0, errs by rounding of the largest gradient (z itself holds no more)."""
    cell = LIBRARY[name]
    p = problem(cell, T=3, B=1, scale=0.3)
    p["params"][{"gru": "b_z", "lstm": "b_f"}[name]][:] = bias
    found, exact = by_code(generated(cell), p), complex_step(cell, p)
    largest = max(np.abs(v).max() for v in exact.values())
    assert all(np.isfinite(v).all() for v in found.values())
    assert max(np.abs(found[k] - exact[k]).max() for k in exact) < 1e-14 * largest


@pytest.mark.parametrize("cell", [sru, two_inputs, LIBRARY["gru"], LIBRARY["gru_torch"]], ids=lambda c: c.name)
def test_no_warning_at_large_values(cell: Any) -> None:
    """e^{800} overflows quietly, gates that depend on the input alone and the slope of softplus included."""
    p = problem(cell, T=3, B=2)
    p["xs"] = {k: 3000 * v for k, v in p["xs"].items()} if isinstance(p["xs"], dict) else 3000 * p["xs"]
    assert all(np.isfinite(v).all() for v in by_code(generated(cell), p).values())


def test_no_steps_at_all() -> None:
    """T = 0: the final gradient is the initial one, and no parameter has any."""
    cell = LIBRARY["gru"]
    p = problem(cell, T=0)
    found = by_code(generated(cell), p)
    assert found["xs"].shape == (0, 2, 3)
    assert (found["states.h"] == p["dfinal"]["h"]).all()
    assert not found["params.U_z"].any()


def test_a_gradient_of_the_final_state_that_is_missing_is_zero() -> None:
    cell = LIBRARY["lstm"]
    p = problem(cell)
    scope = generated(cell)
    none = {**p, "dfinal": None}
    zero = {**p, "dfinal": {k: np.zeros_like(v) for k, v in p["dfinal"].items()}}
    assert worst(by_code(scope, none), by_code(scope, zero))[0] == 0


def test_the_same_cell_gives_the_same_code() -> None:
    """In every process: names depend on no hash."""
    code = "from test_backward_code import tied, read_out; from symgrad.face.backward import module; print(module(tied), module(read_out))"
    folder = str(Path(__file__).parent)
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, "PYTHONHASHSEED": k}, cwd=folder, check=True) for k in "12"]
    assert runs[0].stdout == runs[1].stdout


def test_calling_backward_twice_gives_the_same() -> None:
    """backward leaves the cache as it was."""
    cell = LIBRARY["gru"]
    p = problem(cell)
    scope = generated(cell)
    _, _, cache = scope["forward"](p["xs"], p["states"], p["params"])
    first = scope["backward"](p["dys"], p["dfinal"], cache)
    kept = {k: v.copy() for k, v in first[2].items()}
    second = scope["backward"](p["dys"], p["dfinal"], cache)
    assert all((kept[k] == second[2][k]).all() for k in kept)
    assert all((kept[k] == first[2][k]).all() for k in kept)


def test_forward_is_the_cell() -> None:
    """ys and final_states are what the cell's own function gives, step by step."""
    cell = LIBRARY["lstm"]
    p = problem(cell, T=5, B=2)
    ys, final, _ = generated(cell)["forward"](p["xs"], p["states"], p["params"])
    for b in range(2):
        h, c = p["states"]["h"][b], p["states"]["c"][b]
        for t in range(5):
            h, c = cell(p["xs"][t, b], h, c, **p["params"])
            np.testing.assert_allclose(ys[t, b], h, rtol=1e-12)
        np.testing.assert_allclose(final["c"][b], c, rtol=1e-12)


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("to", ["numpy", "torch"])
def test_what_is_free_is_refused(name: str, to: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backward", name, "--to", to]) == 2
    assert "free" in capsys.readouterr().err


def test_the_loop_allocates_nothing() -> None:
    """Within the loops over time every NumPy call of a GRU or LSTM writes into a given array."""
    for name in ("gru", "lstm"):
        source = module(LIBRARY[name])
        for loop in re.findall(r"( +)for t in .*?:\n((?:\1    .*\n)+)", source):
            for line in loop[1].splitlines():
                code = line.split("#")[0]
                if "np." in code and "np.copyto" not in code:
                    assert "out=" in code, line


def test_the_module_is_commented_with_the_equations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backward", "gru", "--to", "numpy"]) == 0
    source = capsys.readouterr().out
    assert "# h_t = z_t ∘ h_{t-1} + (1 - z_t) ∘ h̃_t" in source
    assert "∂L/∂U_z = Σ_{t=1}^{T} δ a_t^z h_{t-1}ᵀ" in source
    assert re.findall(r"^import .*|^from .*", source, re.M) == ["import numpy as np"]


MUTANTS = [
    ("*= back_hr", "*= dh"),
    ("np.subtract(one, z, out=tmp)", "np.subtract(one, r, out=tmp)"),
    ("dh_prev += back_h[", "dh_prev -= back_h["),
    ("h_all[t + 1]", "h_all[t]"),
    ("h_all[:-1].reshape", "h_all[1:].reshape"),
    ("h_all[:-1] * gates[1]", "h_all[:-1] * gates[0]"),
    ("da_r_rows.T @ x_rows", "x_rows.T @ da_r_rows"),
    ("dx_all += da_r_rows", "dx_all -= da_r_rows"),
    ("da_z *= z\n", "pass\n"),
    ("da_z_da_h_tilde *= dh", "da_z *= dh"),
    ('"b_r": db[1]', '"b_r": db[0]'),
]


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=lambda s: s.strip())
def test_a_changed_line_is_noticed(old: str, new: str) -> None:
    """The oracle above fails for a wrong module."""
    cell = LIBRARY["gru"]
    source = module(cell)
    assert old in source
    scope: dict[str, Any] = {}
    exec(source.replace(old, new, 1).replace("16384", "8"), scope)
    p = problem(cell, m=4)
    with contextlib.suppress(ValueError):  # the shapes no longer fit: noticed too
        assert worst(by_code(scope, p), complex_step(cell, p))[0] > 1e-6


# -- against other programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*CELLS, *OWN], ids=lambda c: c.name)
def test_torch_function(cell: Any) -> None:
    """`--to torch`: autograd through the Function gives the complex step's gradients, padded steps too."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    scope = generated(cell, "torch")
    p = problem(cell, T=4, B=2, seed=3)

    def leaf(a: Any) -> Any:
        return torch.tensor(a, requires_grad=True)

    xs = {k: leaf(v) for k, v in p["xs"].items()} if isinstance(p["xs"], dict) else leaf(p["xs"])
    states, params = ({k: leaf(v) for k, v in p[g].items()} for g in ("states", "params"))
    ys, final, *outputs = scope[cell.name](xs, states, params, torch.tensor(MASK))
    loss = (ys * torch.tensor(p["dys"])).sum() + sum((final[k] * torch.tensor(p["dfinal"][k])).sum() for k in states)
    for out in outputs:
        loss = loss + sum((v * torch.tensor(p["doutputs"][k])).sum() for k, v in out.items())
    loss.backward()
    found = {f"xs.{k}": v.grad.numpy() for k, v in xs.items()} if isinstance(xs, dict) else {"xs": xs.grad.numpy()}
    found |= {f"states.{k}": v.grad.numpy() for k, v in states.items()} | {f"params.{k}": v.grad.numpy() for k, v in params.items()}
    assert worst(found, complex_step(cell, p, MASK))[0] < 1e-13


def torch_weights(torch: Any, net: Any, params: dict[str, Any], layout: list[tuple[str, str, str, str]], suffix: str = "_l0") -> None:
    """Our W_i?, W_h?, b_i?, b_h? into torch's stacked weights."""
    with torch.no_grad():
        for place, column in (("weight_ih", 0), ("weight_hh", 1), ("bias_ih", 2), ("bias_hh", 3)):
            getattr(net, place + suffix).copy_(torch.tensor(np.concatenate([params[row[column]] for row in layout])))


GRU = [(f"W_i{g}", f"W_h{g}", f"b_i{g}", f"b_h{g}") for g in "rzn"]
LSTM = [(f"W_i{g}", f"W_h{g}", f"b_i{g}", f"b_h{g}") for g in "ifgo"]


@pytest.mark.parametrize(("name", "kind", "layout"), [("gru_torch", "GRU", GRU), ("lstm_torch", "LSTM", LSTM)])
@pytest.mark.parametrize(("T", "B", "n", "m"), [(1, 1, 5, 3), (2, 3, 4, 7), (500, 1, 6, 2), (40, 8, 16, 16)])
def test_torch_own_cells(name: str, kind: str, layout: Any, T: int, B: int, n: int, m: int) -> None:
    """Every parameter's gradient against torch's autograd on nn.GRU and nn.LSTM, float64, 1e-10 relative."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    cell = LIBRARY[name]
    p = problem(cell, T=T, B=B, n=n, m=m, scale=0.4)
    net = getattr(torch.nn, kind)(m, n).double()
    torch_weights(torch, net, p["params"], layout)
    xs = torch.tensor(p["xs"], requires_grad=True)
    states = [torch.tensor(v[None], requires_grad=True) for v in p["states"].values()]
    ys, final = net(xs, tuple(states) if len(states) > 1 else states[0])
    ends = final if isinstance(final, tuple) else (final,)
    ((ys * torch.tensor(p["dys"])).sum() + sum((e[0] * torch.tensor(d)).sum() for e, d in zip(ends, p["dfinal"].values(), strict=True))).backward()
    theirs = {"xs": xs.grad.numpy()} | {f"states.{k}": v.grad[0].numpy() for k, v in zip(cell.states, states, strict=True)}
    for place, column in (("weight_ih_l0", 0), ("weight_hh_l0", 1), ("bias_ih_l0", 2), ("bias_hh_l0", 3)):
        parts = np.split(getattr(net, place).grad.numpy(), len(layout))
        theirs |= {f"params.{row[column]}": part for row, part in zip(layout, parts, strict=True)}
    assert worst(by_code(generated(cell), p), theirs)[0] < 1e-10


def test_torch_rnn() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    cell = LIBRARY["rnn"]
    p = problem(cell, T=30, B=4)
    net = torch.nn.RNN(3, 4).double()
    with torch.no_grad():
        for place, value in (
            ("weight_ih_l0", p["params"]["W"]),
            ("weight_hh_l0", p["params"]["U"]),
            ("bias_ih_l0", p["params"]["b"]),
            ("bias_hh_l0", np.zeros(4)),
        ):
            getattr(net, place).copy_(torch.tensor(value))
    ys, final = net(torch.tensor(p["xs"]), torch.tensor(p["states"]["h"][None]))
    ((ys * torch.tensor(p["dys"])).sum() + (final[0] * torch.tensor(p["dfinal"]["h"])).sum()).backward()
    found = by_code(generated(cell), p)
    for place, name in (("weight_ih_l0", "W"), ("weight_hh_l0", "U"), ("bias_ih_l0", "b"), ("bias_hh_l0", "b")):
        np.testing.assert_allclose(found[f"params.{name}"], getattr(net, place).grad.numpy(), rtol=1e-10, atol=1e-12)


def test_two_layers_in_both_directions() -> None:
    """Layers and directions compose: two layers, both directions, unequal lengths, against torch's packed nn.GRU."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    cell = LIBRARY["gru_torch"]
    scope = generated(cell)
    T, B, n, m = 5, 3, 4, 3
    lengths = [5, 3, 2]
    mask = (np.arange(T)[:, None] < np.array(lengths)).astype(float)
    rng = np.random.default_rng(0)
    net = torch.nn.GRU(m, n, num_layers=2, bidirectional=True).double()
    params = {}
    for layer in (0, 1):
        for direction, suffix in enumerate(("", "_reverse")):
            params[layer, direction] = problem(cell, n=n, m=m if layer == 0 else 2 * n, seed=10 * layer + direction)["params"]
            torch_weights(torch, net, params[layer, direction], GRU, f"_l{layer}{suffix}")
    x = rng.standard_normal((T, B, m)) * mask[..., None]
    dys = rng.standard_normal((T, B, 2 * n)) * mask[..., None]
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), lengths)
    ys, _ = torch.nn.utils.rnn.pad_packed_sequence(net(packed)[0])
    (ys * torch.tensor(dys)).sum().backward()

    zero = {"h": np.zeros((B, n))}
    caches, below = {}, x
    for layer in (0, 1):
        there, _, caches[layer, 0] = scope["forward"](below, zero, params[layer, 0], mask)
        back, _, caches[layer, 1] = scope["forward"](below[::-1], zero, params[layer, 1], mask[::-1])
        below = np.concatenate([there, back[::-1]], axis=2)
    above = dys
    for layer in (1, 0):
        above = above * mask[..., None]
        dx, _, forwards = scope["backward"](above[..., :n], zero, caches[layer, 0])
        dx_back, _, backwards = scope["backward"](above[::-1, :, n:], zero, caches[layer, 1])
        above = dx + dx_back[::-1]
        for suffix, grads in (("", forwards), ("_reverse", backwards)):
            for place, column in (("weight_ih", 0), ("weight_hh", 1), ("bias_ih", 2), ("bias_hh", 3)):
                mine = np.concatenate([grads[row[column]] for row in GRU])
                np.testing.assert_allclose(mine, getattr(net, f"{place}_l{layer}{suffix}").grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_jax_scan(name: str) -> None:
    """Against JAX's gradient of a scan over the same cell."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jnp = jax.numpy
    double = jax.enable_x64 if hasattr(jax, "enable_x64") else pytest.importorskip("jax.experimental").enable_x64  # for this test alone
    cell = LIBRARY[name]
    p = problem(cell, T=12, B=3)

    def step(state: Any, x: Any, w: Any) -> Any:
        def gate(g: str, h: Any) -> Any:
            return x @ w[f"W_{g}"].T + h @ w[f"U_{g}"].T + w[f"b_{g}"]

        if name == "gru":
            (h,) = state
            z, r = jax.nn.sigmoid(gate("z", h)), jax.nn.sigmoid(gate("r", h))
            return (z * h + (1 - z) * jnp.tanh(gate("h", r * h)),)
        h, c = state
        f, i, o = (jax.nn.sigmoid(gate(g, h)) for g in "fio")
        c = f * c + i * jnp.tanh(gate("c", h))
        return o * jnp.tanh(c), c

    def loss(xs: Any, states: Any, w: Any) -> Any:
        final, ys = jax.lax.scan(lambda s, x: (new := step(s, x, w), new[0]), tuple(states[s] for s in cell.states), xs)
        return (ys * p["dys"]).sum() + sum((a * b).sum() for a, b in zip(final, p["dfinal"].values(), strict=True))  # in the order of the cell

    with double(True):
        dxs, dstates, dparams = jax.grad(loss, argnums=(0, 1, 2))(p["xs"], p["states"], p["params"])
    theirs = {"xs": np.array(dxs)} | {f"states.{k}": np.array(v) for k, v in dstates.items()} | {f"params.{k}": np.array(v) for k, v in dparams.items()}
    assert worst(by_code(generated(cell), p), theirs)[0] < 1e-10
