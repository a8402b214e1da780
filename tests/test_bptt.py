"""Backpropagation through time as equations: recursion, sums over time, truncation, where the loss stands."""

from __future__ import annotations

import pytest

from symgrad import SymgradError, bptt, jacobian
from symgrad.cells import LIBRARY
from symgrad.cli import main
from symgrad.notation.latex import latex
from symgrad.notation.reading.parse import parse
from symgrad.notation.text import text

GRU, LSTM, RNN, READOUT = (LIBRARY[n] for n in ("gru", "lstm", "rnn", "rnn_readout"))


def lines(*relations: object) -> list[str]:
    return [text(r) for r in relations]  # type: ignore[arg-type]


def test_the_recursion_of_the_gru() -> None:
    assert lines(*bptt(GRU).recursion()) == [
        "δ h̃_t = δ h_t ∘ (1 - z_t)",
        "δ a_t^{h̃} = δ h̃_t ∘ (1 - h̃_t²)",
        "δ r_t = U_hᵀ δ a_t^{h̃} ∘ h_{t-1}",
        "δ a_t^r = δ r_t ∘ r_t ∘ (1 - r_t)",
        "δ z_t = δ h_t ∘ (h_{t-1} - h̃_t)",
        "δ a_t^z = δ z_t ∘ z_t ∘ (1 - z_t)",
        "δ h_{t-1} = ∂L_{t-1}/∂h_{t-1} + δ h_t ∘ z_t + U_hᵀ δ a_t^{h̃} ∘ r_t + U_rᵀ δ a_t^r + U_zᵀ δ a_t^z",
    ]


def test_a_state_that_its_own_step_uses() -> None:
    """LSTM: δc_{t-1} takes what h_{t-1} = o_{t-1} ∘ tanh(c_{t-1}) hands back, and what step t does."""
    result = bptt(LSTM, loss="last")
    assert lines(*result.start()) == ["δ h_T = ∂L_T/∂h_T", "δ c_T = δ h_T ∘ o_T ∘ [1 - tanh²(c_T)]"]
    assert lines(*result.recursion())[-1] == "δ c_{t-1} = δ h_{t-1} ∘ o_{t-1} ∘ [1 - tanh²(c_{t-1})] + δ c_t ∘ f_t"


def test_sums_over_time() -> None:
    found = lines(*bptt(GRU).gradients())
    assert "∂L/∂U_z = Σ_{t=1}^{T} δ a_t^z h_{t-1}ᵀ" in found
    assert "∂L/∂U_h = Σ_{t=1}^{T} δ a_t^{h̃} (r_t ∘ h_{t-1})ᵀ" in found
    assert "∂L/∂b_r = Σ_{t=1}^{T} δ a_t^r" in found


def test_a_loss_on_the_output_of_the_last_step() -> None:
    """δy is there at T alone, and so is the gradient of the read-out."""
    every, last = bptt(READOUT), bptt(READOUT, loss="last")
    assert lines(*last.recursion()) == ["δ h_{t-1} = W_{hh}ᵀ δ h_t"]
    assert lines(*every.recursion()) == ["δ y_t = ∂L_t/∂y_t", "δ h_{t-1} = W_{hy}ᵀ δ y_{t-1} + W_{hh}ᵀ δ h_t"]
    assert lines(last.gradient("W_hy"), every.gradient("W_hy")) == ["∂L/∂W_{hy} = δ y_T h_Tᵀ", "∂L/∂W_{hy} = Σ_{t=1}^{T} δ y_t h_tᵀ"]


def test_the_sum_of_products() -> None:
    assert lines(bptt(GRU).explicit("U_z")) == ["∂L_t/∂U_z = (∂L_t/∂h_t) Σ_{k=1}^{t} (Π_{i=k+1}^{t} ∂h_i/∂h_{i-1}) (∂⁺h_k/∂U_z)"]
    assert lines(bptt(GRU, truncate=3).explicit("U_z")) == ["∂L_t/∂U_z = (∂L_t/∂h_t) Σ_{k=max(1, t-2)}^{t} (Π_{i=k+1}^{t} ∂h_i/∂h_{i-1}) (∂⁺h_k/∂U_z)"]


def test_one_step_back_is_the_step_itself() -> None:
    one = bptt(RNN, loss="last", truncate=1)
    assert one.parts["recursion"].title == "For t = T"
    assert lines(one.gradient("U")) == ["∂L/∂U = Σ_{t=T}^{T} δ a_t h_{t-1}ᵀ"]


def test_truncated_and_last() -> None:
    assert lines(bptt(RNN, loss="last", truncate="K").gradient("U")) == ["∂L/∂U = Σ_{t=max(1, T-K+1)}^{T} δ a_t h_{t-1}ᵀ"]
    assert "recursion" not in bptt(RNN, truncate=3).parts  # each loss has a recursion of its own
    for bad in (0, "k", "-1"):
        with pytest.raises(SymgradError, match="truncate"):
            bptt(RNN, truncate=bad)
    with pytest.raises(SymgradError, match="every"):
        bptt(RNN, loss="first")  # type: ignore[arg-type]


def test_a_chain_over_layers_has_parameters_of_its_own() -> None:
    result = bptt(LIBRARY["deep_chain"])
    assert "Σ_{l" not in text(result.gradient("W"))
    assert "products" not in result.parts


def test_the_immediate_derivative_by_a_matrix_is_a_tensor() -> None:
    assert jacobian(GRU, of="h", wrt="U_z").text(name=True) == "∂h_{t,i}/∂U_{z,jk} = (h_{t-1,i} - h̃_{t,i}) z_{t,i} (1 - z_{t,i}) δ_{ij} h_{t-1,k}"


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("loss", ["every", "last"])
def test_every_equation_is_read_back(name: str, loss: str) -> None:
    """parse(latex(e)) == e for all that is printed."""
    functions = frozenset({"g", "a", "f", "sigma"}) if name in ("rnn_free", "deep_chain") else frozenset({"sigma"})
    for relation in bptt(LIBRARY[name], loss).relations():  # type: ignore[arg-type]
        written = latex(relation, functions)
        assert latex(parse(written, functions), functions) == written


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backward", "gru", "--part", "parameters", "--param", "U_z"]) == 0
    assert capsys.readouterr().out == "Parameters: sums over time\n  ∂L/∂U_z = Σ_{t=1}^{T} δ a_t^z h_{t-1}ᵀ\n"
    assert main(["backward", "lstm", "--to", "latex", "--loss", "last"]) == 0
    assert r"\begin{aligned}" in capsys.readouterr().out
    assert main(["backward", "gru", "--part", "nothing"]) == 2
    assert "the parts are" in capsys.readouterr().err
    assert main(["backward", "gru", "--to", "numpy", "--truncate", "3"]) == 2
    assert "chunks" in capsys.readouterr().err
