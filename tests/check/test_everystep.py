"""Sums and products over time: proved for every number of steps, or said to be tried up to some."""

from __future__ import annotations

import pytest

from symgrad.check.judge import judge
from symgrad.check.sources import read_text

RNN = "$$a_t = W x_t + U h_{t-1} + b$$\n\n$$h_t = \\tanh(a_t)$$\n\n$$y_t = V h_t$$\n\n"
LINEAR = "$$h_t = W x_t + U h_{t-1} + b$$\n\n"
LSTM = r"""
$$f_t = \sigma(W_f x_t + U_f h_{t-1})$$

$$c_t = f_t \odot c_{t-1} + (1 - f_t) \odot \tanh(W_c x_t + U_c h_{t-1})$$

$$h_t = \tanh(c_t)$$

"""
STEP = r"\frac{\partial h_i}{\partial h_{i-1}}"
INDUCTION = "proved for every number of steps, by induction on the recursion of h"
USES = "proved for every number of steps: each term is the gradient through the parameter's use at its step"
TRIED = "tried at all steps up to 4, not proved by induction for more"


def notes(cell: str, claim: str) -> tuple[str, set[str]]:
    (found,) = judge(read_text(f"{cell}$${claim}$$", "md"), None)
    return found.verdict, {a for a in found.assumptions if "steps" in a}


@pytest.mark.parametrize(("cell", "claim", "note"), [
    (RNN, r"\frac{\partial h_t}{\partial U} = \sum_{k=1}^{t} \Bigl(\prod_{i=k+1}^{t} STEP\Bigr) \frac{\partial^+ h_k}{\partial U}", INDUCTION),
    (RNN, r"\frac{\partial L_t}{\partial U} = \frac{\partial L_t}{\partial h_t} \sum_{k=1}^{t} \Bigl(\prod_{i=k+1}^{t} STEP\Bigr) "
          r"\frac{\partial^+ h_k}{\partial U}", INDUCTION),
    (RNN, r"\frac{\partial L_t}{\partial U} = \frac{\partial L_t}{\partial y_t} \frac{\partial y_t}{\partial h_t} \sum_{k=1}^{t} "
          r"\frac{\partial h_t}{\partial h_k} \frac{\partial^+ h_k}{\partial U}", INDUCTION),
    (RNN, r"\frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} STEP", INDUCTION),
    (RNN, r"\frac{\partial h_t}{\partial h_{t-k}} = \prod_{u=0}^{k-1} \frac{\partial h_{t-u}}{\partial h_{t-u-1}}", INDUCTION),
    (LINEAR, r"\frac{\partial h_t}{\partial h_{t-k}} = U^k", INDUCTION),
    (LINEAR, r"\frac{\partial h_t}{\partial h_k} = U^{t-k}", INDUCTION),
    (RNN, r"\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \frac{\partial L}{\partial a_t} x_t^\top", USES),
    (LSTM, r"\frac{\partial c_t}{\partial c_k} = \prod_{i=k+1}^{t} \frac{\partial c_i}{\partial c_{i-1}}", None),
])  # fmt: skip
def test_for_every_number_of_steps(cell: str, claim: str, note: str | None) -> None:
    verdict, said = notes(cell, claim.replace("STEP", STEP))
    if note is not None:
        assert (verdict, said) == ("proved", {note})
    else:
        assert INDUCTION not in said


def test_dots_are_told_by_the_side_before_them() -> None:
    dots = r"\frac{\partial h_t}{\partial h_{t-1}} \frac{\partial h_{t-1}}{\partial h_{t-2}} \cdots \frac{\partial h_{k+1}}{\partial h_k}"
    claim = rf"\frac{{\partial h_t}}{{\partial h_k}} = {dots} = \prod_{{i=k+1}}^{{t}} {STEP}"
    first, second = judge(read_text(f"{RNN}$${claim}$$", "md"), None)
    assert [first.verdict, second.verdict] == ["proved", "proved"]
    assert TRIED in first.assumptions
    assert INDUCTION in second.assumptions


def test_what_is_outside_of_the_induction_says_how_far_it_was_tried() -> None:
    claim = r"\frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \operatorname{diag}(1 - h_i^2) U"
    assert notes(RNN, claim) == ("proved", {TRIED})


@pytest.mark.parametrize("claim", [r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) U", r"a_t = W x_t + U h_{t-1} + b"])
def test_a_claim_about_one_step_needs_no_note(claim: str) -> None:
    assert not [a for c in judge(read_text(f"{RNN}$${claim}$$", "md"), None) for a in c.assumptions if "steps" in a]


def test_the_missing_term_and_the_first_step_at_which_it_is_missed() -> None:
    claim = r"\frac{\partial h_t}{\partial U} = \sum_{k=1}^{t} \frac{\partial h_t}{\partial h_{t-k}} \frac{\partial h_{t-k}}{\partial U}"
    (found,) = judge(read_text(f"{LINEAR}$${claim}$$", "md"), None)
    assert (found.verdict, found.code) == ("refuted", "sum-bounds")
    assert found.message == "the sum starts one too late; it fails first at t = 1: ∂⁺h_1/∂U missing"
