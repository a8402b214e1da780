"""Exact snapshots of formulas for the terminal."""

import pytest
from hypothesis import given, settings
from strategies_notation import formulas

from symgrad.notation.reading.parse import parse
from symgrad.notation.text import text


@pytest.mark.parametrize(("source", "expected"), [
    (r"\frac{\partial h_t}{\partial h_{t-1}}", "∂h_t/∂h_{t-1}"),
    (r"\tilde{h}_t", "h\u0303_t"),
    (r"\operatorname{diag}(z_t) + \operatorname{diag}((h_{t-1} - \tilde{h}_t) \odot z_t \odot (1 - z_t)) U_z",
     "diag(z_t) + diag((h_{t-1} - h\u0303_t) ∘ z_t ∘ (1 - z_t)) U_z"),
    (r"U_h [\operatorname{diag}(r_t) + \operatorname{diag}(h \odot (1 - r_t)) U_r]", "U_h [diag(r_t) + diag(h ∘ (1 - r_t)) U_r]"),
    (r"\sigma'(a_t)", "σ'(a_t)"),
    (r"\prod_{k=1}^{t} W", "Π_{k=1}^{t} W"),
    (r"\frac{\partial L_t}{\partial h_t} \sum_{k=1}^t \frac{\partial^+ h_k}{\partial U_z}", "(∂L_t/∂h_t) Σ_{k=1}^{t} ∂⁺h_k/∂U_z"),
    (r"\frac{d h_t}{d \theta}", "dh_t/dθ"),
    (r"\frac{a + b}{2}", "(a + b)/2"),
    (r"\frac{a}{b} U", "(a/b) U"),
    (r"W^{\top} \delta", "Wᵀ δ"),
    (r"(a b)^{\top}", "(a b)ᵀ"),
    (r"1 - \tanh^2(c)", "1 - tanh²(c)"),
    ("W^{t-k} x^{12}", "W^{t-k} x¹²"),
    (r"\mathbf{1}[a \geq 0]", "1[a ≥ 0]"),
    (r"\lvert a \rvert \leq \sqrt{2}", "|a| ≤ √(2)"),
    (r"[h_{t-1}, \mathbf{x}_t]", "[h_{t-1}, x_t]"),
    (r"\begin{bmatrix} a & b \\ c & 0 \end{bmatrix}", "[a, b; c, 0]"),
    (r"\operatorname{ReLU}(\mathrm{loss})", "ReLU(loss)"),
])  # fmt: skip
def test_snapshot(source, expected):
    assert text(parse(source)) == expected


@settings(max_examples=100, deadline=None)
@given(formulas())
def test_every_formula_is_one_line(node):
    printed = text(node)
    assert printed
    assert "\n" not in printed
    assert "\\" not in printed
