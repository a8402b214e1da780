"""Compiled Jacobians against literal np.diag formulas and the complex step of the cell's own function."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgrad.cells.gru import gru, gru_reset_after, gru_write
from symgrad.errors import SymgradError
from symgrad.face.cell import cell
from symgrad.face.jacobian import jacobian
from symgrad.generate.step.compiled import compiled
from symgrad.generate.step.needs import Needs
from symgrad.language.activations import activation, function, relu, sigmoid, softplus
from symgrad.language.tensor import matmul, transposed

D = np.diag
g = activation("g", numpy=np.tanh, slope=lambda a: 1 - np.tanh(a) ** 2)
f = function("f")


@cell
def lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_c, U_c, b_c, W_o, U_o, b_o):
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c_tilde = np.tanh(W_c @ x + U_c @ h + b_c)
    c_new = f * c + i * c_tilde
    return o * np.tanh(c_new), c_new


@cell
def lstm_joined(x, h, c, *, W_f, b_f, W_i, b_i, W_c, b_c, W_o, b_o):
    s = np.concatenate([h, x])
    f = sigmoid(W_f @ s + b_f)
    i = sigmoid(W_i @ s + b_i)
    o = sigmoid(W_o @ s + b_o)
    c_new = f * c + i * np.tanh(W_c @ s + b_c)
    return o * np.tanh(c_new), c_new


@cell
def rnn(x, h, *, W, U, b):
    return g(W @ x + U @ h + b)


@cell(inputs=0, index="l")
def deep(y, *, W):
    return g(f(y, W))


@cell
def odd(x, h, *, W, U, V, beta, b):
    """Transposes, division, a scalar parameter, a sum over components, an outer product and activations of the table."""
    a = softplus(W @ x + V.T @ h + b)
    total = np.sum(a * h)
    return relu(U @ h) / (2 + a * a) + beta * np.exp(-h) + total * h + np.outer(h, a) @ h


@cell
def pair(x, h, s, *, A, B, C, E, W):
    p = np.tanh(A @ h + B @ s + W @ x)
    h_new = p * h * s
    q = np.tanh(C @ h_new + E @ s)
    return h_new, q * s * h_new


@cell
def stacked(x, h, *, U, W, V):
    """A concatenation of something computed, with a diagonal before its blocks, and a gate that is used as 2 - z."""
    s = np.concatenate([np.tanh(U @ h), x])
    z = sigmoid(V @ x)
    return np.tanh(W @ (s * s)) * (2 - z) * z


@cell
def twice(x, h, *, U, W):
    """A concatenation in a concatenation."""
    s = np.concatenate([np.concatenate([np.tanh(U @ h), x]), h])
    return np.tanh(W @ s)


@cell
def doubled(x, h, *, U, V, W):
    """A concatenation with one part twice."""
    return np.tanh(U @ np.concatenate([h, x, h])) + V @ np.concatenate([np.tanh(W @ h), np.tanh(W @ h)])


@cell
def woven(x, h, *, A, B, W):
    """A matrix that is computed, and a view of it."""
    K = A * B
    b = np.tanh(K.T @ h + W @ x)
    return K @ (b * h) + b * (K.T @ b)


@cell
def associative(x, h, *, U, W):
    """Outer products under an activation: terms that are no product of matrices, with a slope before and behind them."""
    a = np.tanh(np.outer(h, U @ h) @ h + W @ x)
    return np.exp(np.outer(a, h * a) @ np.tanh(U @ a)) * h


@cell
def gated_gate(x, h, *, U, V, W, b):
    """A gate in another, and two that do not need each other."""
    r = sigmoid(U @ h + b)
    q = sigmoid(V @ h + W @ x)
    z = sigmoid(U @ (r * h) + W @ x)
    return z * r * q * h


@cell
def low_rank(x, h, *, U, V, W):
    """Two matrices that no point changes meet under a slope that every point does."""
    return np.tanh(U @ (V @ h) + W @ x)


@cell
def forked(x, h, s, *, U, V, W):
    """One product of matrices in both new states."""
    b = U @ np.tanh(V @ h + W @ x)
    return h * b, s * np.exp(h) * b


def arrays(c, n=5, m=3, scale=1.0, seed=0, dtype=float):
    rng = np.random.default_rng(seed)
    sizes = {"n": n, "m": m, "p": 4}

    def shape(s):
        return [int(d.subs({k: sizes[k.name] for k in d.free_symbols})) for d in c.program.shapes[s]]

    return {
        s.name: (scale * rng.standard_normal(shape(s)) / np.sqrt(n)).astype(dtype)
        for s in (*c.program.inputs, *c.program.states, *c.program.parameters)
    }


def complex_step(c, p, wrt="h", row=0):
    """∂(returned value `row`)/∂wrt of the cell's own NumPy function."""
    size = p[wrt].size
    columns = []
    for k in range(size):
        step = np.zeros(size, complex)
        step[k] = 1e-200j
        moved = {**p, wrt: p[wrt] + step.reshape(p[wrt].shape)}
        given = [moved.pop(s.name) for s in (*c.program.inputs, *c.program.states)]
        result = c(*given, **moved)
        columns.append((result[row] if isinstance(result, tuple) else result).imag / 1e-200)
    return np.stack(columns, -1).reshape(*columns[0].shape, *p[wrt].shape)


def gates(p):
    z = sigmoid(p["W_z"] @ p["x"] + p["U_z"] @ p["h"] + p["b_z"])
    r = sigmoid(p["W_r"] @ p["x"] + p["U_r"] @ p["h"] + p["b_r"])
    return z, r, np.tanh(p["W_h"] @ p["x"] + p["U_h"] @ (r * p["h"]) + p["b_h"])


def literal(p, gate=None):
    h = p["h"]
    z, r, t = gate or gates(p)
    return D(z) + D((h - t) * z * (1 - z)) @ p["U_z"] + D((1 - z) * (1 - t * t)) @ p["U_h"] @ (D(r) + D(h * r * (1 - r)) @ p["U_r"])


def close(a, b, tolerance=1e-13):
    assert a.shape == b.shape
    assert np.all(np.isfinite(a))
    assert np.abs(a - b).max() <= tolerance * np.abs(b).max()


CASES = [
    (gru, "h", "h", 0), (gru_write, "h", "h", 0), (gru_reset_after, "h", "h", 0), (gru, "h", "x", 0), (gru, "h", "U_h", 0),
    (gru, "h", "W_z", 0), (gru, "h", "b_r", 0), (lstm, "h", "h", 0), (lstm, "h", "c", 0), (lstm, "c", "c", 1), (lstm, "c", "h", 1),
    (lstm, "h", "U_f", 0), (lstm_joined, "h", "h", 0), (lstm_joined, "c", "x", 1), (lstm_joined, "h", "W_o", 0),
    (lstm_joined, "c", "W_f", 1), (twice, "h", "h", 0), (twice, "h", "x", 0), (twice, "h", "U", 0), (stacked, "h", "h", 0),
    (stacked, "h", "U", 0), (stacked, "h", "x", 0), (stacked, "h", "W", 0), (woven, "h", "h", 0), (woven, "h", "A", 0),
    (woven, "h", "x", 0), (forked, "s", "h", 1), (pair, "h", "s", 0), (low_rank, "h", "h", 0), (pair, "s", "h", 1), (rnn, "h", "h", 0), (rnn, "h", "W", 0),
    (odd, "h", "h", 0), (odd, "h", "x", 0), (odd, "h", "V", 0), (odd, "h", "U", 0), (odd, "h", "beta", 0), (odd, "h", "b", 0),
    (doubled, "h", "h", 0), (doubled, "h", "x", 0), (doubled, "h", "U", 0), (doubled, "h", "W", 0),
    (associative, "h", "h", 0), (associative, "h", "x", 0), (associative, "h", "U", 0), (associative, "h", "W", 0),
]  # fmt: skip


@pytest.mark.parametrize(("c", "of", "wrt", "row"), CASES, ids=lambda v: getattr(v, "name", str(v)))
def test_complex_step_and_batch(c, of, wrt, row):
    J = jacobian(c, of, wrt).numpy()
    functions = {"g": g} if c is rnn else None
    p = arrays(c)
    close(J(**p, functions=functions), complex_step(c, p, wrt, row))
    # a batch is the loop over its points, whichever arguments have it
    states = [s.name for s in (*c.program.inputs, *c.program.states)]
    for some in (states, states[:1], [*states, next(iter(c.program.parameters)).name]):
        points = [arrays(c, seed=k) for k in range(37)]
        q = {name: np.stack([e[name] for e in points]) if name in some else a for name, a in p.items()}
        whole = J(**q, functions=functions)
        for k in (0, 5, 36):
            close(whole[k], J(**{name: a[k] if name in some else a for name, a in q.items()}, functions=functions), 1e-13)


@pytest.mark.parametrize("c", [gru, lstm, lstm_joined], ids=lambda c: c.name)
def test_large_points_one_by_one(c, monkeypatch):
    p = arrays(c, 23, 7)
    of = "h" if c is gru else "c"
    expected = jacobian(c, of, "h").numpy()(**p)
    monkeypatch.setattr("symgrad.generate.step.compiled.WIDE", 16)
    monkeypatch.setattr("symgrad.generate.step.compiled.CACHE", 64)
    close(jacobian(c, of, "h").numpy()(**p), expected)
    p["h"] = np.stack([p["h"], p["h"] / 2])
    looped = jacobian(c, of, "h").numpy()(**p)
    close(looped[0], expected)


def test_long_rows_are_scaled_past_numpys_buffer(monkeypatch):
    """The buffer is small while the function runs, and afterwards what it was."""
    sizes = []

    def slope(a):
        sizes.append(np.getbufsize())
        return 1 - np.tanh(a) ** 2

    J, p, before = jacobian(rnn).numpy(), arrays(rnn), np.getbufsize()
    expected = J(**p, functions={"g": (np.tanh, slope)})
    monkeypatch.setattr("symgrad.generate.step.compiled.WIDE", 2)
    close(jacobian(rnn).numpy()(**p, functions={"g": (np.tanh, slope)}), expected)
    assert sizes == [before, 16]
    assert np.getbufsize() == before


def test_literal_gru_given_gates_and_computed_ones():
    p = arrays(gru)
    J = jacobian(gru).numpy()
    z, r, t = gates(p)
    close(J(**p), literal(p))
    close(J(z=z, r=r, h_tilde=t, h=p["h"], U_z=p["U_z"], U_h=p["U_h"], U_r=p["U_r"]), literal(p))
    # a gate that is given is not computed, even if its arguments are there
    other = np.linspace(0.1, 0.9, 5)
    close(J(**p, z=other), literal(p, (other, r, t)))
    close(J(**p, r=other), literal(p, (z, other, np.tanh(p["W_h"] @ p["x"] + p["U_h"] @ (other * p["h"]) + p["b_h"]))))


def test_no_diagonal_matrix_and_one_gemm():
    source = jacobian(gru).numpy().source()
    assert source.count("dot(") == 7
    assert "diag(" not in source
    assert jacobian(gru).numpy().source("z", "r", "h_tilde", "h", "U_z", "U_h", "U_r").count("dot(") == 1
    assert jacobian(lstm, "c", "c", "h").numpy().source().count("dot(") == 6  # gates only
    assert jacobian(lstm, "c", "c").numpy().source().count("dot(") == 2
    assert "dot(" not in jacobian(lstm, "c", "c", "h").numpy().source("f", "i", "c_tilde", "c", "o_prev", "U_f", "U_i", "U_c")


def test_gates_that_do_not_need_each_other_are_computed_together():
    def calls(*of):
        source = jacobian(*of).numpy().source()
        return [source.count(f" {function}(") for function in ("exp", "cosh")]

    assert calls(gru) == [1, 1]
    assert calls(lstm, "h", "h") == [1, 2]  # the candidate, and then the new c
    assert calls(lstm, "c", "c", "h") == [1, 1]
    assert calls(gated_gate) == [2, 0]


class Alone(Needs):
    """Every gate on its own."""

    def __init__(self, *of):
        super().__init__(*of)
        self.beside = {key: [key[1]] for key in self.beside}


GATES = {
    "gate": lambda a, c, U, V, b: sigmoid(U @ a + V @ c + b),
    "rest": lambda a, c, U, V, b: a - a * sigmoid(V @ (a * c)),
    "slope": lambda a, c, U, V, b: np.tanh(U @ a - c),
    "given": lambda a, c, U, V, b: sigmoid(a) * sigmoid(c) + sigmoid(b),
    "scalar": lambda a, c, U, V, b: sigmoid(np.sum(a * c)) * sigmoid(np.sum(b * a)) * sigmoid(-a),
    "nested": lambda a, c, U, V, b: sigmoid(sigmoid(V @ a) + U @ c) * np.tanh(c),
    "matrix": lambda a, c, U, V, b: sigmoid(U * V) @ (a * c) + sigmoid(V) @ sigmoid(c),
    "joined": lambda a, c, U, V, b: V @ sigmoid(U @ a) + np.outer(sigmoid(a), b) @ c,
}


@settings(max_examples=50, deadline=None)
@example([("scalar", 0, 0), ("matrix", 0, 0)], (), np.float64)
@example([("matrix", 0, 0), ("scalar", 0, 0), ("gate", 1, 0)], (20,), np.float32)
@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(GATES)), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3),
    lead=st.sampled_from([(), (20,)]),
    dtype=st.sampled_from([np.float32, np.float64, np.complex128]),
)
def test_together_as_alone(steps, lead, dtype):
    @cell(inputs=0)
    def drawn(h, s, *, U, V, b):
        made = [h, s]
        for kind, k, l in steps:
            made.append(GATES[kind](made[k % len(made)], made[l % len(made)], U, V, b))
        return sum(made[2:], start=b * (U @ h) + V @ s), made[-1] * made[-2]

    p = arrays(drawn, 4)
    J = jacobian(drawn, ("h", "s"), "h")
    together, alone = J.numpy(), J.numpy()
    exact = together(**p)
    close(exact["h/h"], complex_step(drawn, p), 1e-12)
    close(exact["s/h"], complex_step(drawn, p, row=1), 1e-12)
    q = {name: a.astype(dtype) for name, a in p.items()}
    q["h"] = np.multiply.outer(np.linspace(1, -2, *lead), q["h"]).astype(dtype) if lead else q["h"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symgrad.generate.step.compiled.Needs", Alone)
        expected = alone(**q)
    out, workspace = {name: np.empty_like(a) for name, a in expected.items()}, together.workspace()
    for _ in range(2):
        found = together(**q, out=out, workspace=workspace)
        for name, a in expected.items():
            close(found[name], a, 1e-5 if dtype is np.float32 else 1e-13)


def test_lstm_through_h():
    p = arrays(lstm)
    J = jacobian(lstm, "c", "c", "h").numpy()
    o_prev = np.linspace(0.1, 0.9, 5)
    f, i = (sigmoid(p[f"W_{k}"] @ p["x"] + p[f"U_{k}"] @ p["h"] + p[f"b_{k}"]) for k in "fi")
    t = np.tanh(p["W_c"] @ p["x"] + p["U_c"] @ p["h"] + p["b_c"])
    c = p["c"]
    inner = D(c * f * (1 - f)) @ p["U_f"] + D(t * i * (1 - i)) @ p["U_i"] + D(i * (1 - t * t)) @ p["U_c"]
    expected = D(f) + inner @ D(o_prev * (1 - np.tanh(c) ** 2))
    close(J(**p, o_prev=o_prev), expected)
    close(J(f=f, i=i, c_tilde=t, c=c, o_prev=o_prev, U_f=p["U_f"], U_i=p["U_i"], U_c=p["U_c"]), expected)
    batch = J(**{**p, "c": np.stack([c, 2 * c, c]), "o_prev": np.stack([o_prev, o_prev, 1 - o_prev])})
    close(batch[0], expected)
    with pytest.raises(SymgradError, match="o_prev"):
        J(**p)


def test_two_sums_meet():
    """∂h/∂h through s is a product of two sums, each of which differs from point to point."""
    J = jacobian(pair, "h", "h", "s").numpy()
    p = arrays(pair)
    s_prev, q_prev = np.linspace(-1, 1, 5), np.linspace(0.1, 0.9, 5)
    given = {**p, "s_prev": s_prev, "q_prev": q_prev}
    outer, direct = jacobian(pair, "h", "s").numpy()(**p), jacobian(pair, "h", "h").numpy()(**p)
    inner = D(q_prev * s_prev) + D(s_prev * p["h"] * (1 - q_prev**2)) @ p["C"]
    close(J(**given), direct + outer @ inner)
    many = {**given, "h": np.stack([p["h"], p["s"], p["h"]]), "q_prev": np.stack([q_prev, q_prev, q_prev / 2])}
    for k in range(3):
        close(J(**many)[k], J(**{**many, "h": many["h"][k], "q_prev": many["q_prev"][k]}))


@pytest.mark.parametrize("lead", [(), (20,)])
def test_constant_blocks(lead):
    """∂[h; x]/∂h is the constant block itself."""
    p = arrays(lstm_joined)
    p["h"] = np.broadcast_to(p["h"], (*lead, 5))
    for wrt, block in (("h", np.eye(8, 5)), ("x", np.eye(8, 3, -5))):
        found = jacobian(lstm_joined, "s", wrt).numpy()(**p)
        assert np.array_equal(found, np.broadcast_to(block, (*lead, *block.shape)))


@pytest.mark.parametrize("lead", [(), (20,)])
def test_concatenation_of_what_was_differentiated(lead):
    """∂[tanh(U h); x]/∂h is in the upper rows, ∂/∂U too."""
    p = arrays(stacked)
    a = np.tanh(p["U"] @ p["h"])
    upper, third = D(1 - a * a) @ p["U"], np.einsum("i,ij,k->ijk", 1 - a * a, np.eye(a.size), p["h"])
    p["h"] = np.broadcast_to(p["h"], (*lead, 5))
    for wrt, block in (("h", upper), ("U", third)):
        expected = np.concatenate([block, np.zeros((3, *block.shape[1:]))])
        found = jacobian(stacked, "s", wrt).numpy()(**p)
        close(found, np.broadcast_to(expected, (*lead, *expected.shape)))


@pytest.mark.parametrize(
    ("c", "of", "wrt"),
    [(gru, "h", "h"), (lstm_joined, "c", "h"), (stacked, "h", "h"), (stacked, "s", "h"), (stacked, "h", "s"), (lstm_joined, "s", "x")],
)
@pytest.mark.parametrize("lead", [(), (20,)])
def test_transposes_and_products_of_jacobians(c, of, wrt, lead):
    """Tensors that `jacobian` alone does not make: Jᵀ, J Jᵀ, Jᵀ diag(v) J."""
    J = jacobian(c, of, wrt)
    p = arrays(c)
    p["x"] = np.multiply.outer(np.linspace(1, 2, *lead), p["x"]) if lead else p["x"]
    value, t = J.numpy()(**p), J.tensor
    turned = np.swapaxes(value, -1, -2)
    made = {"turned": transposed(t), "left": matmul(t, transposed(t)), "right": matmul(transposed(t), t)}
    found = compiled(J.program, made, {}, {})(**p)
    close(found["turned"], turned)
    close(found["left"], value @ turned)
    close(found["right"], turned @ value)


def test_a_product_in_two_places_is_computed_once():
    p = arrays(forked)
    blocks = jacobian(forked, ("h", "s"), "h").numpy()
    found = blocks(**p)
    close(found["h/h"], complex_step(forked, p))
    close(found["s/h"], complex_step(forked, p, row=1))
    assert blocks.source().count("dot(U, M") == 1
    many = blocks(**{**p, "h": np.stack([p["h"], p["s"]])})
    close(many["s/h"][0], found["s/h"])


def test_a_free_function_may_call_the_compiled_function():
    p = arrays(rnn)
    J = jacobian(rnn).numpy()
    plain = {"g": (None, lambda a: 1 - np.tanh(a) ** 2)}

    def slope(a):
        J(**{k: -2 * v for k, v in p.items()}, functions=plain)
        return 1 - np.tanh(a) ** 2

    expected = J(**p, functions=plain)
    for _ in range(3):
        assert np.array_equal(J(**p, functions={"g": (None, slope)}), expected)


def test_state_jacobian_in_blocks():
    p = arrays(lstm)
    blocks = jacobian(lstm, ("h", "c"), ("h", "c"))
    compiled = blocks.numpy()
    found = compiled(**p)
    assert list(found) == ["h/h", "h/c", "c/h", "c/c"]
    for name, (wrt, row) in {"h/h": ("h", 0), "h/c": ("c", 0), "c/h": ("h", 1), "c/c": ("c", 1)}.items():
        close(found[name], complex_step(lstm, p, wrt, row))
    out = {name: np.empty((5, 5)) for name in found}
    again = compiled(**p, out=out, workspace=compiled.workspace())
    assert all(again[name] is out[name] for name in out)
    assert all(np.array_equal(out[name], found[name]) for name in out)
    # ∂c/∂h is a part of ∂h/∂h, and is computed once
    assert compiled.source().count("U_f,") == 2 + 1
    q = {name: np.stack([a] * 3) if name in "xhc" else a for name, a in p.items()}
    close(compiled(**q)["h/h"][2], found["h/h"])


def test_at_and_hold():
    p = arrays(gru)
    z, r, t = gates(p)
    J = jacobian(gru)
    half = np.full(5, 0.5)
    close(J.at(z="1/2").numpy()(**p), literal(p, (half, r, t)))
    held = D(half) + D(0.5 * (1 - t * t)) @ p["U_h"] @ (D(r) + D(p["h"] * r * (1 - r)) @ p["U_r"])
    close(J.hold(z="1/2").numpy()(**p), held)
    assert np.array_equal(J.at(z=1).numpy()(h=p["h"]), np.eye(5))
    assert np.array_equal(J.at(z=1).numpy()(**p), np.eye(5))
    assert np.array_equal(J.at(z=0, r=0).numpy()(**p), np.zeros((5, 5)))
    # r = 1 in the candidate's equation as well
    t1 = np.tanh(p["W_h"] @ p["x"] + p["U_h"] @ p["h"] + p["b_h"])
    close(J.at(z=0, r=1).numpy()(**p), D(1 - t1 * t1) @ p["U_h"])
    t0 = np.tanh(p["W_h"] @ p["x"] + p["b_h"])
    close(J.at(r=0).numpy()(**p), D(z + 0) + D((p["h"] - t0) * z * (1 - z)) @ p["U_z"])
    s = np.linspace(0.2, 0.8, 5)
    ts = np.tanh(p["W_h"] @ p["x"] + p["U_h"] @ (s * p["h"]) + p["b_h"])
    close(J.at(r="s").numpy()(**p, s=s), literal(p, (z, s, ts)))
    with pytest.raises(SymgradError, match="s \\(n\\)"):
        J.at(r="s").numpy()(**p)
    with pytest.raises(SymgradError, match="z is fixed at 1"):
        J.at(z=1).numpy()(**p, z=z)
    with pytest.raises(SymgradError, match="size n is not known"):
        J.at(z=1).numpy()()


def test_at_a_state_that_a_new_state_depends_on():
    """∂h/∂c = diag(o (1 - tanh²(c_t)) f) with c_t computed from the fixed gate."""
    p = arrays(lstm)
    o, i = (sigmoid(p[f"W_{k}"] @ p["x"] + p[f"U_{k}"] @ p["h"] + p[f"b_{k}"]) for k in "oi")
    c_t = p["c"] + i * np.tanh(p["W_c"] @ p["x"] + p["U_c"] @ p["h"] + p["b_c"])
    for fixed in (jacobian(lstm, "h", "c").at(f=1), jacobian(lstm, "h", "c").hold(f=1)):
        close(fixed.numpy()(**p), D(o * (1 - np.tanh(c_t) ** 2)))


@pytest.mark.parametrize(("n", "batch"), [(5, ()), (5, (40,)), (40, ()), (40, (3,))])
def test_workspace_and_out(n, batch):
    J = jacobian(gru).numpy()
    w = J.workspace()
    p, q = arrays(gru, n, seed=1), arrays(gru, n, seed=2)
    for d in (p, q):
        d["h"] = np.broadcast_to(d["h"], (*batch, n)).copy()
    fresh = J(**p), J(**q)
    first = J(**p, workspace=w)
    kept = first.copy()
    second = J(**q, workspace=w)
    assert np.array_equal(first, kept)  # not overwritten by the second call
    assert not np.shares_memory(first, second)
    assert not any(np.shares_memory(second, a) for a in w.arrays.values())
    assert np.array_equal(first, fresh[0])
    assert np.array_equal(second, fresh[1])
    out = np.full((*batch, n, n), np.nan)
    assert J(**p, out=out, workspace=w) is out
    assert np.array_equal(out, fresh[0])
    size = w.nbytes
    J(**q, out=out, workspace=w)
    assert w.nbytes == size > 0
    assert np.array_equal(out, fresh[1])
    # another function and other shapes may use the same workspace
    other = arrays(lstm, n)
    assert np.array_equal(jacobian(lstm, "c", "h").numpy()(**other, workspace=w), jacobian(lstm, "c", "h").numpy()(**other))
    assert np.array_equal(J(**p, workspace=w), fresh[0])
    w.clear()
    assert np.array_equal(J(**p, workspace=w), fresh[0])


def test_out_in_any_memory_order_or_on_top_of_an_argument():
    J = jacobian(gru).numpy()
    p = arrays(gru)
    expected = J(**p)
    for out in (np.empty((5, 5), order="F"), np.empty((5, 10))[:, ::2], np.empty((5, 5), np.longdouble)):
        assert J(**p, out=out) is out
        assert np.array_equal(out, expected)
    own = p["U_z"].copy()
    assert np.array_equal(J(**{**p, "U_z": own}, out=own), expected)
    own = p["U_z"].copy()
    assert np.array_equal(J(**{**p, "U_z": own[:]}, out=own[:]), expected)
    with pytest.raises(SymgradError, match=r"shape \(5, 5\)"):
        J(**p, out=np.empty((5, 4)))


def test_arguments_are_left_alone_in_any_order():
    J = jacobian(gru).numpy()
    p = arrays(gru)
    expected = J(**p)
    q = {name: np.asfortranarray(a) for name, a in p.items()}
    q |= {"h": np.repeat(p["h"], 2)[::2], "U_r": p["U_r"][::-1][::-1], "x": list(p["x"])}
    for a in q.values():
        if isinstance(a, np.ndarray):
            a.flags.writeable = False
    close(J(**dict(reversed(q.items()))), expected)
    close(J(**{**q, "h": np.stack([p["h"]] * 2)})[1], expected)


@pytest.mark.parametrize("c", [gru, lstm, gru_reset_after], ids=lambda c: c.name)
def test_float32(c):
    p = arrays(c, dtype=np.float32)
    J = jacobian(c, "h", "h").numpy()
    exact = J(**{k: a.astype(float) for k, a in p.items()})
    found = J(**p)
    assert found.dtype == np.float32
    close(found, exact, 3e-6)
    batch = J(**{**p, "h": np.stack([p["h"]] * 20)})
    assert batch.dtype == np.float32
    close(batch[7], exact, 3e-6)
    huge = {k: 1e4 * a for k, a in p.items()}
    assert np.isfinite(J(**huge)).all()


def test_integers_and_complex():
    p = arrays(gru)
    J = jacobian(gru).numpy()
    assert J(**{**p, "h": np.arange(5)}).dtype == np.float64
    step = 1e-200
    moved = J(**{**p, "h": p["h"] + 0j, "b_z": p["b_z"] + 1j * step * np.arange(5)})
    up, down = (J(**{**p, "b_z": p["b_z"] + s * 1e-6 * np.arange(5)}) for s in (1, -1))
    assert np.allclose(moved.imag / step, (up - down) / 2e-6, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("scale", [30.0, 300.0, 3e4])
def test_saturation(scale):
    """No warning (pytest makes them errors), and slopes keep their relative precision."""
    p = arrays(gru, scale=scale)
    close(jacobian(gru).numpy()(**p), complex_step(gru, p) if scale < 100 else literal(p), 1e-12)
    a = np.array([-800.0, -700, -40, -3, 0, 3, 20, 40, 300, 800])
    x = {"x": np.ones(1), "h": np.ones(10), "c": np.ones(10)}
    q = {k: 0 * v for k, v in arrays(lstm, 10, 1).items() if k not in x}
    for k in ("f", "c"):
        q[f"b_{k}"] = a
        q[f"U_{k}"] = np.eye(10)
        q["b_f"] = q["b_f"] - (k == "f") * 1  # a = b + h
    q["b_c"] = a - 1
    J = jacobian(lstm, "c", "h").numpy()(**x, **q)
    with np.errstate(over="ignore"):
        expected = 1 / (4 * np.cosh(np.clip(a, -700, 700) / 2) ** 2) + 0.5 / np.cosh(np.clip(a, -350, 350)) ** 2
    inner = np.abs(a) < 600
    assert np.allclose(np.diag(J)[inner], expected[inner], rtol=1e-13, atol=0)


def test_free_activation():
    p = arrays(rnn)
    J = jacobian(rnn).numpy()
    slope = 1 - np.tanh(p["W"] @ p["x"] + p["U"] @ p["h"] + p["b"]) ** 2
    expected = slope[:, None] * p["U"]
    close(J(**p, functions={"g": g}), expected)
    close(J(**p, functions={"g": (None, lambda a: 1 - np.tanh(a) ** 2)}), expected)
    with pytest.raises(SymgradError, match="functions="):
        J(**p)
    with pytest.raises(SymgradError, match="slope"):
        J(**p, functions={"g": np.tanh})


def test_free_function():
    """diag(g'(f(y, W))) f', with f and f' as arrays, or from functions."""
    y = np.linspace(-1, 1, 4)
    W = np.arange(16.0).reshape(4, 4) / 16
    J = jacobian(deep, "y", "y").numpy()
    expected = (1 - np.tanh(W @ y) ** 2)[:, None] * W
    close(J(f=W @ y, f_prime=W, functions={"g": g}), expected)
    both = {"g": g, "f": (lambda y, W: W @ y, lambda y, W: W)}
    close(J(y=y, W=W, functions=both), expected)
    close(J(y=np.stack([y, y]), W=W, functions=both)[1], expected)
    with pytest.raises(SymgradError, match="f_prime"):
        J(y=y, W=W, functions={"g": g})


def test_batches_broadcast():
    p = arrays(gru)
    J = jacobian(gru).numpy()
    rng = np.random.default_rng(3)
    x, h = rng.standard_normal((4, 1, 3)), rng.standard_normal((6, 5))
    found = J(**{**p, "x": x, "h": h})
    assert found.shape == (4, 6, 5, 5)
    for k, l in itertools.product(range(4), range(6)):
        close(found[k, l], J(**{**p, "x": x[k, 0], "h": h[l]}))
    assert J(**{**p, "h": np.empty((0, 5))}).shape == (0, 5, 5)
    assert J(**{**p, "h": h[:1]}).shape == (1, 5, 5)
    W = rng.standard_normal((6, 5, 5))
    close(J(**{**p, "h": h, "U_h": W, "U_r": W})[4], J(**{**p, "h": h[4], "U_h": W[4], "U_r": W[4]}))
    close(J(**{**p, "U_h": W})[4], J(**{**p, "U_h": W[4]}))
    close(J(**{**p, "U_r": W})[4], J(**{**p, "U_r": W[4]}))
    many = rng.standard_normal((300, 5))  # several chunks, the last one overlapping
    whole = J(**{**p, "h": many})
    for k in (0, 127, 128, 255, 256, 299):
        close(whole[k], J(**{**p, "h": many[k]}))


def test_errors():
    p = arrays(gru)
    J = jacobian(gru).numpy()
    with pytest.raises(SymgradError, match=r"U_z \(n, n\)"):
        J(**{k: a for k, a in p.items() if k != "U_z"})
    with pytest.raises(SymgradError, match="no 'U_zz'; did you mean U_z"):
        J(**p, U_zz=p["U_z"])
    with pytest.raises(SymgradError, match=r"U_z has shape \(5, 4\), expected \(n, n\)"):
        J(**{**p, "U_z": np.ones((5, 4))})
    with pytest.raises(SymgradError, match=r"U_z has shape \(5,\), expected \(n, n\)"):
        J(**{**p, "U_z": np.ones(5)})
    with pytest.raises(SymgradError, match="do not broadcast"):
        J(**{**p, "x": np.ones((2, 3)), "h": np.ones((3, 5))})
    with pytest.raises(SymgradError, match="the same quantity"):
        J(**p, h_prev=p["h"])
    with pytest.raises(SymgradError, match="no numbers"):
        J(**{**p, "h": np.array(["a"] * 5)})
    assert J(**{k if k != "h" else "h_prev": a for k, a in p.items()}).shape == (5, 5)


def test_names_in_the_source_are_safe():
    """Parameters that are called like the generated code's own names, and a name that is no ASCII identifier."""

    @cell
    def awkward(x, h, *, dot, add, J, t0, M1, k0, run, new, W):
        ĥ = np.tanh(dot @ x + add @ h + J + t0 * k0 + run)
        return ĥ * new + M1 * h + W

    p = arrays(awkward)
    J = jacobian(awkward).numpy()
    close(J(**p), complex_step(awkward, p))
    assert J.source().isascii()


def test_source_is_specialised_and_kept():
    J = jacobian(gru).numpy()
    p = arrays(gru)
    J(**p)
    J(**p)
    J(**{k: a.astype(np.float32) for k, a in p.items()})
    assert len(J._codes) == 1
    assert len(J._bound) == 2
    assert "exp" not in J.source("z", "r", "h", "h_tilde", "U_z", "U_r", "U_h")
