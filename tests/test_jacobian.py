"""The derivatives D1-D6 of the library's cells: exact structure, printed forms, edge cases and limits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.calculus.compose import compose
from symgrad.cells import LIBRARY
from symgrad.language.functions import FUNCTIONS

D2 = "diag(z_t) + diag((h_{t-1} - h̃_t) ∘ z_t ∘ (1 - z_t)) U_z + diag((1 - z_t) ∘ (1 - h̃_t²)) U_h [diag(r_t) + diag(h_{t-1} ∘ r_t ∘ (1 - r_t)) U_r]"
D5 = (
    "diag(f_t) + [diag(c_{t-1} ∘ f_t ∘ (1 - f_t)) U_f + diag(ĉ_t ∘ i_t ∘ (1 - i_t)) U_i + diag(i_t ∘ (1 - ĉ_t²)) U_c] "
    "diag(o_{t-1} ∘ [1 - tanh²(c_{t-1})])"
)
DIRECT = {
    "rnn": "diag(1 - h_t²) U",
    "rnn_relu": "diag(1[a_t > 0]) U",
    "rnn_sigmoid": "diag(h_t ∘ (1 - h_t)) U",
    "rnn_identity": "U",
    "rnn_free": "diag(g'(a_t)) U",
    "rnn_readout": "W_{hh}",
    "gru": D2,
    "gru_write": "diag(1 - z_t) + diag((ĥ_t - h_{t-1}) ∘ z_t ∘ (1 - z_t)) U_z + diag(z_t ∘ (1 - ĥ_t²)) U_h [diag(r_t) + diag(h_{t-1} ∘ r_t ∘ (1 - r_t)) U_r]",
    "gru_reset_after": "diag(z_t) + diag((h_{t-1} - h̃_t) ∘ z_t ∘ (1 - z_t)) U_z"
    " + diag((1 - z_t) ∘ (1 - h̃_t²)) [diag(r_t) U_h + diag((U_h h_{t-1} + b_h) ∘ r_t ∘ (1 - r_t)) U_r]",
    "gru_merged": "diag(1 - r_t) + diag((ĥ_t - h_{t-1}) ∘ r_t ∘ (1 - r_t)) U_r + diag(r_t ∘ (1 - ĥ_t²)) U_h [diag(r_t) + diag(h_{t-1} ∘ r_t ∘ (1 - r_t)) U_r]",
    "gru_reset_last": "diag(c_t ∘ r_t ∘ (1 - r_t)) U_r + diag(r_t) [diag((ĥ_t - c_{t-1}) ∘ z_t ∘ (1 - z_t)) U_z + diag(z_t ∘ (1 - ĥ_t²)) U_h]",
}


@pytest.mark.parametrize("name", DIRECT)
def test_printed_as_a_textbook_has_it(name: str) -> None:
    assert sg.jacobian(LIBRARY[name]).text() == DIRECT[name]


def test_d2_as_latex() -> None:
    assert sg.jacobian(sg.cells.gru).latex() == (
        r"\operatorname{diag}(z_t) + \operatorname{diag}\bigl((h_{t-1} - \tilde{h}_t) \odot z_t \odot (1 - z_t)\bigr)\, U_z"
        r" + \operatorname{diag}\bigl((1 - z_t) \odot (1 - \tilde{h}_t^2)\bigr)\, U_h"
        r" \left[ \operatorname{diag}(r_t) + \operatorname{diag}\bigl(h_{t-1} \odot r_t \odot (1 - r_t)\bigr)\, U_r \right]"
    )


def test_d2_component_and_scalar() -> None:
    gru = sg.jacobian(sg.cells.gru)
    assert gru.text("component", name=True) == (
        "∂h_{t,i}/∂h_{t-1,j} = z_{t,i} δ_{ij} + (h_{t-1,i} - h̃_{t,i}) z_{t,i} (1 - z_{t,i}) U_{z,ij}"
        " + Σ_k (1 - z_{t,i}) (1 - h̃_{t,i}²) U_{h,ik} [r_{t,k} δ_{kj} + h_{t-1,k} r_{t,k} (1 - r_{t,k}) U_{r,kj}]"
    )
    assert gru.text("scalar") == "z_t + (h_{t-1} - h̃_t) z_t (1 - z_t) U_z + (1 - z_t) (1 - h̃_t²) U_h [r_t + h_{t-1} r_t (1 - r_t) U_r]"


def test_d4_and_d5() -> None:
    assert sg.jacobian(sg.cells.lstm, "c", "c").text() == "diag(f_t)"
    assert sg.jacobian(sg.cells.lstm, "c", "c", through="h").text() == D5
    assert sg.jacobian(sg.cells.lstm, "c", "c", through=("h",)).text(name=True).startswith("dc_t/dc_{t-1} = ")


def test_d6_blocks() -> None:
    blocks = sg.jacobian(sg.cells.lstm, ("h", "c"), "h,c")
    assert [str(b).split(" = ")[0] for b in blocks] == ["∂h_t/∂h_{t-1}", "∂h_t/∂c_{t-1}", "∂c_t/∂h_{t-1}", "∂c_t/∂c_{t-1}"]
    assert blocks.blocks[0][1].text() == "diag(o_t ∘ [1 - tanh²(c_t)] ∘ f_t)"
    assert blocks.sympy(n=2).shape == (4, 4)
    last = sg.jacobian(sg.cells.gru_reset_last, "h,c", "h,c")
    assert [b.text() for b in last][1::2] == ["diag(r_t ∘ (1 - z_t))", "diag(1 - z_t)"]


def test_c3_is_a_product_over_layers() -> None:
    assert sg.jacobian(sg.cells.deep_chain, "y", "y").text(name=True) == "∂y_l/∂y_{l-1} = diag(a'(f(y_{l-1}, W_l))) f'_l"
    assert sg.jacobian(sg.cells.deep_chain, "y", "W").text() == "a'(f_i(y_{l-1}, W_l)) f'_{W,i j k}"
    assert sg.lagged(sg.cells.deep_chain, "y").text() == (
        "∂y_l/∂y_{l-k} = Π_{u=0}^{k-1} ∂y_{l-u}/∂y_{l-u-1} = Π_{u=0}^{k-1} diag(a'(f(y_{l-u-1}, W_{l-u}))) f'_{l-u}"
    )
    assert str(sg.vjp(sg.cells.deep_chain, "y")) == "δ y_{l-1} = (f'_l)ᵀ [δ y_l ∘ a'(f(y_{l-1}, W_l))]"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"z": 1}, "I"), ({"z": 0, "r": 0}, "0"), ({"z": 0, "r": 1}, "diag(1 - h̃_t²) U_h"), ({"z": "0", "r": 1.0}, "diag(1 - h̃_t²) U_h")],
)
def test_d3_the_three_cases_in_both_readings(given: dict[str, object], expected: str) -> None:
    gru = sg.jacobian(sg.cells.gru)
    assert gru.at(**given).text() == expected
    assert gru.hold(**given).text() == expected


def test_the_readings_differ_at_one_half() -> None:
    gru = sg.jacobian(sg.cells.gru)
    kept = "(1/2) I + (1/2) diag(1 - h̃_t²) U_h [diag(r_t) + diag(h_{t-1} ∘ r_t ∘ (1 - r_t)) U_r]"
    assert gru.hold(z="1/2").text() == kept
    assert gru.at(z=sp.Rational(1, 2)).text() == kept.replace("I + ", "I + (1/4) diag(h_{t-1} - h̃_t) U_z + ")
    assert gru.at(r="s").text() == gru.text().replace("r_t", "s")


def test_gates_of_the_lstm() -> None:
    total = sg.jacobian(sg.cells.lstm, "c", "c", through="h")
    assert total.at(o_prev=0).text() == "diag(f_t)"
    assert total.at(f=1, i=0).text() == total.hold(f=1, i=0).text() == "I"
    assert total.at(f=1, i=0).at(c_hat=0).text() == "I"
    assert total.hold(f=1).at(i=0).text() == "I"


@pytest.mark.parametrize("case", [{"z": 1}, {"z": 0, "r": 0}, {"z": 0, "r": 1}])
def test_the_limit_of_the_preactivation_gives_the_same(case: dict[str, int]) -> None:
    """z = σ(a) with a → ±∞, taken by SymPy in the scalar Jacobian, is what `at` gives."""
    gru = sg.jacobian(sg.cells.gru)
    expr = gru.sympy(form="scalar")
    for gate, value in case.items():
        a = sp.Symbol("a", real=True)
        expr = sp.limit(expr.subs(sp.Symbol(gate), FUNCTIONS["sigmoid"](a).rewrite(sp.exp)), a, sp.oo if value else -sp.oo)
    assert sp.expand(expr - gru.at(**case).sympy(form="scalar")) == 0


def test_sympy_values_of_the_cases() -> None:
    n = sp.Symbol("n", integer=True, positive=True)
    gru = sg.jacobian(sg.cells.gru)
    assert gru.at(z=1).sympy() == sp.Identity(n)
    assert gru.at(z=0, r=0).sympy() == sp.ZeroMatrix(n, n)


def test_size_does_not_depend_on_the_number_of_steps_squared() -> None:
    short, long = (compose(sg.jacobian(sg.cells.gru), steps)[1] for steps in (10, 100))
    assert len(long.terms[0].factors) == 10 * len(short.terms[0].factors) == 100


def test_derivatives_by_parameters_have_components() -> None:
    by_weight = sg.jacobian(sg.cells.gru, "h", "U_z")
    assert by_weight.text(name=True) == "∂h_{t,i}/∂U_{z,jk} = (h_{t-1,i} - h̃_{t,i}) z_{t,i} (1 - z_{t,i}) δ_{ij} h_{t-1,k}"
    assert by_weight.sympy(n=2).shape == (2, 2, 2)
    with pytest.raises(sg.SymgradError, match="three indices"):
        by_weight.sympy()


def test_named_gates_are_derived_too() -> None:
    assert sg.jacobian(sg.cells.gru, of="z", wrt="h").text() == "diag(z_t ∘ (1 - z_t)) U_z"
    assert sg.jacobian(sg.cells.gru, of="h", wrt="h_tilde").text() == "diag(1 - z_t)"
    assert sg.jacobian(sg.cells.gru, of="h", wrt="x").text().count("W_") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"of": "c", "wrt": "c", "through": "x"}, "is no state"),
        ({"of": "c", "wrt": "c", "through": "c"}, "is what is differentiated by"),
        ({"of": "c", "wrt": "x", "through": "h"}, "with respect to a state"),
        ({"of": "q"}, "has no 'q'"),
    ],
)
def test_what_is_no_path_is_said(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(sg.SymgradError, match=said):
        sg.jacobian(sg.cells.lstm, **arguments)


def test_a_way_that_is_no_way() -> None:
    with pytest.raises(sg.SymgradError, match="there is no such path"):
        sg.jacobian(sg.cells.gru_reset_last, "h", "h", through="c")


def test_values_that_are_none() -> None:
    with pytest.raises(sg.SymgradError, match="neither a number"):
        sg.jacobian(sg.cells.gru).at(z="1/")
    with pytest.raises(sg.SymgradError, match="the forms are"):
        sg.jacobian(sg.cells.gru).latex("tensor")


@pytest.mark.parametrize("value", [0.5, "1/2", "0.5", "5e-1", Fraction(1, 2), np.float64(0.5), np.float32(0.5), sp.Rational(1, 2)])
def test_every_way_to_say_a_half(value: object) -> None:
    gru = sg.jacobian(sg.cells.gru)
    assert gru.at(z=value).tensor == gru.at(z="1/2").tensor
    assert gru.at(z=np.float64(0.1)).tensor == gru.at(z="1/10").tensor
    assert gru.at(z=np.int64(1)).text() == gru.at(z=True).text() == "I"


@pytest.mark.parametrize("value", ["", "a b", "1/0", "9**9", "1e9999999", "9" * 100, float("nan"), float("inf"), 1j, None, [1]])
def test_every_other_value_is_refused(value: object) -> None:
    with pytest.raises(sg.SymgradError, match="neither a number"):
        sg.jacobian(sg.cells.gru).at(z=value)


@sg.cell
def mixing(x, h, c, *, W, U, V):  # type: ignore[no-untyped-def]
    c_t = np.tanh(W @ x + U @ h + c)
    return sg.sigmoid(V @ c_t) * h, c_t


@sg.cell
def softened(x, h, *, W, U, V):  # type: ignore[no-untyped-def]
    h_t = np.tanh(W @ x + U @ h)
    e = np.exp(V @ h_t)
    return h_t, e / np.sum(e)


@sg.cell
def joined(x, h, *, W_z, W_h):  # type: ignore[no-untyped-def]
    z = sg.sigmoid(W_z @ np.concatenate([h, x]))
    return np.tanh(W_h @ np.concatenate([z * h, x]))


def test_an_inner_sum_has_a_letter_of_its_own() -> None:
    """Σ_k binds what stands behind it: the sum in σ(Σ_l V_il c_l) must not be over k too."""
    assert sg.jacobian(mixing).text("component") == (
        "σ(Σ_k V_{ik} c_{t,k}) δ_{ij} + Σ_k h_{t-1,i} σ(Σ_l V_{il} c_{t,l}) [1 - σ(Σ_l V_{il} c_{t,l})] V_{ik} (1 - c_{t,k}²) U_{kj}"
    )


def test_diagonal_terms_come_first_and_rows_are_rows() -> None:
    assert sg.jacobian(mixing).text().startswith("diag(σ(V c_t)) + diag(")
    assert "e_tᵀ V diag(1 - h_t²) U" in sg.jacobian(softened, of="y").text()
    assert "(𝟏ᵀ e_t)" in sg.jacobian(softened, of="y").text()


def test_a_block_is_called_by_the_state_that_it_meets() -> None:
    assert "W_{h,h} [diag(z_t) + diag(h_{t-1} ∘ z_t ∘ (1 - z_t)) W_{z,h}]" in sg.jacobian(joined).text()
    assert {s.name for s in sg.jacobian(joined).sympy(form="scalar").free_symbols} == {"W_h_h", "W_z_h", "h", "h_t", "z"}
