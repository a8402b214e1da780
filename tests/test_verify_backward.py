"""Hand-written backward passes: the right ones pass, and one slip in each is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sequence_oracle import generated

from symgrad import SymgradError, verify_backward
from symgrad.cells import LIBRARY

GRU, LSTM, RNN = LIBRARY["gru"], LIBRARY["lstm"], LIBRARY["rnn"]

STEP = """
def backward(x, h, z, r, h_tilde, dh, W_z, U_z, W_r, U_r, W_h, U_h):
    da_h = dh * (1 - z) * (1 - h_tilde**2)
    drh = U_h.T @ da_h
    dr = drh * h
    da_r = dr * r * (1 - r)
    dz = dh * (h - h_tilde)
    da_z = dz * z * (1 - z)
    dh_prev = dh * z + drh * r + U_r.T @ da_r + U_z.T @ da_z
    return {
        "dx": W_h.T @ da_h + W_r.T @ da_r + W_z.T @ da_z, "dh_prev": dh_prev,
        "dW_z": np.outer(da_z, x), "dU_z": np.outer(da_z, h), "db_z": da_z, "dW_r": np.outer(da_r, x), "dU_r": np.outer(da_r, h), "db_r": da_r,
        "dW_h": np.outer(da_h, x), "dU_h": np.outer(da_h, r * h), "db_h": da_h,
    }
"""
SEQUENCE = """
def backward(xs, hs, zs, rs, h_tildes, dys, dh, W_z, U_z, W_r, U_r, W_h, U_h):
    g = {k: 0 for k in ("W_z", "U_z", "b_z", "W_r", "U_r", "b_r", "W_h", "U_h", "b_h")}
    dx = np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        x, h, z, r, h_tilde = xs[t], hs[t], zs[t], rs[t], h_tildes[t]
        dh = dh + dys[t]
        da_h = dh * (1 - z) * (1 - h_tilde**2)
        drh = U_h.T @ da_h
        da_r = drh * h * r * (1 - r)
        da_z = dh * (h - h_tilde) * z * (1 - z)
        g["W_z"] = g["W_z"] + np.outer(da_z, x); g["U_z"] = g["U_z"] + np.outer(da_z, h); g["b_z"] = g["b_z"] + da_z
        g["W_r"] = g["W_r"] + np.outer(da_r, x); g["U_r"] = g["U_r"] + np.outer(da_r, h); g["b_r"] = g["b_r"] + da_r
        g["W_h"] = g["W_h"] + np.outer(da_h, x); g["U_h"] = g["U_h"] + np.outer(da_h, r * h); g["b_h"] = g["b_h"] + da_h
        dx[t] = W_z.T @ da_z + W_r.T @ da_r + W_h.T @ da_h
        dh = dh * z + drh * r + U_r.T @ da_r + U_z.T @ da_z
    return {**g, "x": dx, "h": dh}
"""


def made(source: str, old: str = "", new: str = "") -> Callable[..., Any]:
    assert old in source
    scope: dict[str, Any] = {"np": np}
    exec(source.replace(old, new, 1) if old else source, scope)
    function: Callable[..., Any] = scope["backward"]
    return function


@pytest.mark.parametrize("source", [STEP, SEQUENCE], ids=["step", "sequence"])
def test_right(source: str) -> None:
    report = verify_backward(GRU, made(source))
    assert report, report
    assert report.missing == ()
    assert len(report.gradients) == 11


STEP_SLIPS = [
    ("U_h.T @ da_h", "U_h @ da_h", "transposed", "U_h"),
    ("dz * z * (1 - z)", "dz", "slope-forgotten", "slope"),
    ("dz * z * (1 - z)", "dz * z", "slope-factor-forgotten", "1 - z_t"),
    ("dh * (1 - z)", "dh * z", "complement", "z_t stands where 1 - z_t should"),
    ("dh * z +", "dh * (1 - z) +", "complement", "1 - z_t stands where z_t should"),
    ("np.outer(da_h, r * h)", "np.outer(da_h, h)", "factor-forgotten", "h_{t-1} stands where r_t ∘ h_{t-1} should"),
    ("np.outer(da_z, h)", "np.outer(h, da_z)", "transposed", "δ U_z"),
    ("dr * r * (1 - r)", "dr * z * (1 - z)", "exchanged", "z_t stands where r_t should"),
    ("(h - h_tilde)", "(h_tilde - h)", "sign", "δ z_t"),
    ("drh * r + ", "", "term-forgotten", "U_hᵀ δ a_t^{h̃} ∘ r_t"),
    ("h_tilde**2", "h_tilde", "square-forgotten", "h̃_t"),
    ("+ U_z.T @ da_z\n", "+ U_r.T @ da_z\n", "exchanged", "U_r stands where U_z should"),
    ("dr = drh * h\n", "dr = drh\n", "factor-forgotten", "h_{t-1}"),
    ("U_r.T @ da_r + U_z.T @ da_z\n", "U_z.T @ da_r + U_r.T @ da_z\n", "exchanged", "U_r and U_z have changed places"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), STEP_SLIPS, ids=[s[1] for s in STEP_SLIPS])
def test_one_slip_in_a_step_is_named(old: str, new: str, code: str, words: str) -> None:
    report = verify_backward(GRU, made(STEP, old, new))
    assert not report
    assert report.code in (code,), report
    assert words in report.reason
    assert "more than one" not in report.reason


SEQUENCE_SLIPS = [
    ("dh = dh + dys[t]", "dh = dh + (dys[t] if t == len(xs) - 1 else 0)", "time", "last step only"),
    ("np.outer(da_z, h)", "np.outer(da_z, hs[t + 1])", "time-index", "h_t stands where h_{t-1} should"),
    ("np.outer(da_z, x)", "np.outer(da_z, xs[t - 1])", "time-index", "one step too early"),
    ("reversed(range(len(xs)))", "reversed(range(1, len(xs)))", "time", "stops one step early"),
    ("reversed(range(len(xs)))", "reversed(range(len(xs) - 1))", "time", "starts one step early"),
    ('g["b_z"] = g["b_z"] + da_z', 'g["b_z"] = da_z', "time", "b_z is not summed"),
    ("dh = dh * z + drh * r", "dh = drh * r", "term-forgotten", "δ h_t ∘ z_t"),
    ("zs[t]", "zs[min(t + 1, len(xs) - 1)]", "time-index", "z_t is taken one step too late throughout"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), SEQUENCE_SLIPS, ids=[s[1] for s in SEQUENCE_SLIPS])
def test_one_slip_over_time_is_named(old: str, new: str, code: str, words: str) -> None:
    report = verify_backward(GRU, made(SEQUENCE, old, new))
    assert not report
    assert report.code == code, report
    assert words in report.reason
    assert "more than one mistake" not in report.reason


LSTM_SEQUENCE = """
def backward(xs, hs, cs, f, i, o, c_hats, dys, dh, dc, W_f, U_f, W_i, U_i, W_o, U_o, W_c, U_c):
    g = {f"{kind}_{k}": 0 for k in "fioc" for kind in "WUb"}
    dx = np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        tc = np.tanh(cs[t + 1])
        dh = dh + dys[t]
        da_o = dh * tc * o[t] * (1 - o[t])
        dc = dc + dh * o[t] * (1 - tc**2)
        da_c = dc * i[t] * (1 - c_hats[t]**2)
        da_i = dc * c_hats[t] * i[t] * (1 - i[t])
        da_f = dc * cs[t] * f[t] * (1 - f[t])
        for k, da in zip("fioc", (da_f, da_i, da_o, da_c)):
            g["W_" + k] = g["W_" + k] + np.outer(da, xs[t])
            g["U_" + k] = g["U_" + k] + np.outer(da, hs[t])
            g["b_" + k] = g["b_" + k] + da
        dx[t] = W_f.T @ da_f + W_i.T @ da_i + W_o.T @ da_o + W_c.T @ da_c
        dh = U_f.T @ da_f + U_i.T @ da_i + U_o.T @ da_o + U_c.T @ da_c
        dc = dc * f[t]
    return {**g, "x": dx, "h": dh, "c": dc}
"""
LSTM_SLIPS = [
    ("dh * tc * o", "dh * cs[t + 1] * o", "activation-forgotten", "c_t stands where tanh(c_t) should"),
    ("(1 - c_hats[t]**2)", "c_hats[t] * (1 - c_hats[t])", "slope-exchanged", "the slope is that of σ"),
    ("(1 - tc**2)", "(1 + tc**2)", "sign", "1 + tanh²(c_t) stands where 1 - tanh²(c_t) should"),
    ("dh = dh + dys[t]", "dh = dys[t]", "time", "δ h holds the loss of its own step alone"),
    ("dh = U_f.T", "dh = dh + U_f.T", "time", "added to δ h, not put in its place"),
    ("dc = dc + dh", "dc = dh", "term-forgotten", "δ c_{t,next} is left out"),
    ("hs[t])", "hs[t + 1])", "time-index", "in δ U_o, h_t stands where h_{t-1} should"),
    ("(da_f, da_i,", "(da_i, da_f,", "exchanged", "in δ b_i, δ a_t^f stands where δ a_t^i should"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), LSTM_SLIPS, ids=[s[1] for s in LSTM_SLIPS])
def test_one_slip_in_an_lstm_is_named(old: str, new: str, code: str, words: str) -> None:
    """Also where it shows in several gradients, each of which is named."""
    report = verify_backward(LSTM, made(LSTM_SEQUENCE, old, new))
    assert report.code == code, report
    assert words in report.reason
    assert "more than one mistake" not in report.reason


def test_the_lstm_is_right() -> None:
    assert verify_backward(LSTM, made(LSTM_SEQUENCE))


def test_the_loss_is_a_function_of_what_a_gradient_is_taken_of() -> None:
    """Without an argument for the end state's gradient that gradient is 0; without any there is nothing to compare."""
    every_step = SEQUENCE.replace("dys, dh, ", "dys, ").replace("    dx = np.zeros_like(xs)\n", "    dx, dh = np.zeros_like(xs), 0\n")
    assert verify_backward(GRU, made(every_step))
    assert not verify_backward(GRU, made(every_step, "drh * r", "drh"))
    alone = LSTM_SEQUENCE.replace(", dc", "", 1).replace("    for t in", "    dc = 0\n    for t in", 1)
    assert verify_backward(LSTM, made(alone))
    with pytest.raises(SymgradError, match="no gradient to start from: give it dh"):
        verify_backward(RNN, lambda x, h, W, U: {})


def test_a_multiple_is_said() -> None:
    report = verify_backward(GRU, made(STEP, '"db_h": da_h', '"db_h": da_h / 4'))
    assert report.wrong == ("b_h",)
    assert (report.code, report.reason) == ("multiple", "db_h is 0.25 times what it should be")


def test_a_transpose_of_another_shape() -> None:
    report = verify_backward(GRU, made(STEP, "np.outer(da_z, x)", "np.outer(x, da_z)"))
    assert (report.wrong, report.code) == (("W_z",), "transposed")
    assert report.reason == "dW_z is the transpose, of shape (2, 3) instead of (3, 2)"
    assert verify_backward(GRU, made(STEP, "np.outer(da_z, x)", "da_z")).code == "shape"


def test_two_slips_say_so() -> None:
    source = STEP.replace("drh * r + ", "").replace("np.outer(da_z, x)", "2 * np.outer(da_z, x)")
    report = verify_backward(GRU, made(source))
    assert set(report.wrong) == {"W_z", "h"}
    assert "2 times" in str(report)
    assert "more than one mistake" in report.reason


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "gru_torch", "rnn_readout"])
def test_the_generated_code_passes(name: str) -> None:
    scope = generated(LIBRARY[name])
    assert verify_backward(LIBRARY[name], scope["backward"], scope["forward"])


def test_a_pair_of_functions_with_a_slip() -> None:
    scope = generated(LSTM)

    def backward(dys: Any, dfinal: Any, cache: Any) -> Any:
        dxs, dstates, dparams = scope["backward"](dys, dfinal, cache)
        return dxs, dstates, {**dparams, "U_f": dparams["U_f"].T}

    report = verify_backward(LSTM, backward, scope["forward"])
    assert report.wrong == ("U_f",)
    assert report.code == "transposed"


def test_a_tuple_in_order() -> None:
    def backward(x: Any, h: Any, h_t: Any, dh_t: Any, W: Any, U: Any) -> Any:
        da = dh_t * (1 - h_t**2)
        return W.T @ da, U.T @ da, np.outer(da, x), np.outer(da, h), da

    assert verify_backward(RNN, backward)


def test_what_it_cannot_call_it_says() -> None:
    with pytest.raises(SymgradError, match="takes 'memory'"):
        verify_backward(RNN, lambda x, dh, memory: {})
    with pytest.raises(SymgradError, match="'dQ'"):
        verify_backward(RNN, lambda x, dh: {"dQ": x})
    with pytest.raises(SymgradError, match="in this order"):
        verify_backward(RNN, lambda x, dh: (x, dh))
