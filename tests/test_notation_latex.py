"""Exact snapshots of printed LaTeX, and the law ``parse(latex(e)) == e`` for random formulas."""

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies_notation import equations, formulas

from symgrad.notation.latex import latex, latex_lines
from symgrad.notation.reading.parse import parse, parse_lines
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Big,
    Derivative,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Infix,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Relation,
    Stack,
    Sum,
    Transpose,
    equation,
)

a, b, c, h, r, z, W, U, k, t = (Name(x) for x in "abchrzWUkt")
ONE, TWO = Number("1"), Number("2")
sigma, tanh, g = Name("sigma"), Name("tanh"), Name("g")
past = Sum((t, Negative(ONE)))


def at(base, *subs, accents=()):
    return Name(base, accents, subs)


def less(node):
    """``1 - node``."""
    return Sum((ONE, Negative(node)))


h0, h1, zt, rt = at("h", past), at("h", t), at("z", t), at("r", t)
tilde = at("h", t, accents=("tilde",))
U_z, U_r, U_h = (at("U", Name(x)) for x in "zrh")
GRU = equation(
    Derivative(h1, h0),
    Sum((
        Diagonal(zt),
        Product((Diagonal(Hadamard((Sum((h0, Negative(tilde))), zt, less(zt)))), U_z)),
        Product((
            Diagonal(Hadamard((less(zt), less(Power(tilde, TWO))))),
            U_h,
            Sum((Diagonal(rt), Product((Diagonal(Hadamard((h0, rt, less(rt)))), U_r)))),
        )),
    )),
)  # fmt: skip
GRU_LATEX = (
    r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(z_t)"
    r" + \operatorname{diag}\bigl((h_{t-1} - \tilde{h}_t) \odot z_t \odot (1 - z_t)\bigr)\, U_z"
    r" + \operatorname{diag}\bigl((1 - z_t) \odot (1 - \tilde{h}_t^2)\bigr)\, U_h"
    r" \left[ \operatorname{diag}(r_t) + \operatorname{diag}\bigl(h_{t-1} \odot r_t \odot (1 - r_t)\bigr)\, U_r \right]"
)

c0, ft, it, hat = at("c", past), at("f", t), at("i", t), at("c", t, accents=("hat",))
LSTM = equation(
    Derivative(at("c", t), c0),
    Sum((
        Diagonal(ft),
        Product((
            Sum((
                Product((Diagonal(Hadamard((c0, ft, less(ft)))), at("U", Name("f")))),
                Product((Diagonal(Hadamard((hat, it, less(it)))), at("U", Name("i")))),
                Product((Diagonal(Hadamard((it, less(Power(hat, TWO))))), at("U", Name("c")))),
            )),
            Diagonal(Hadamard((at("o", past), less(Power(Apply(tanh, (c0,)), TWO))))),
        )),
    )),
)  # fmt: skip
LSTM_LATEX = (
    r"\frac{\partial c_t}{\partial c_{t-1}} = \operatorname{diag}(f_t)"
    r" + \left[ \operatorname{diag}\bigl(c_{t-1} \odot f_t \odot (1 - f_t)\bigr)\, U_f"
    r" + \operatorname{diag}\bigl(\hat{c}_t \odot i_t \odot (1 - i_t)\bigr)\, U_i"
    r" + \operatorname{diag}\bigl(i_t \odot (1 - \hat{c}_t^2)\bigr)\, U_c \right]"
    r" \operatorname{diag}\bigl(o_{t-1} \odot [1 - \tanh^2(c_{t-1})]\bigr)"
)

i = Name("i")
L_t = at("L", t)
BPTT = equation(
    Derivative(L_t, U_z),
    Product((
        Derivative(L_t, h1),
        Big("sum", k, ONE, t, Product((
            Big("prod", i, Sum((k, ONE)), t, Derivative(at("h", i), at("h", Sum((i, Negative(ONE)))))),
            Derivative(at("h", k), U_z, "partial+"),
        ))),
    )),
)  # fmt: skip
BPTT_LATEX = (
    r"\frac{\partial L_t}{\partial U_z} = \frac{\partial L_t}{\partial h_t} \sum_{k=1}^t"
    r" \left( \prod_{i=k+1}^t \frac{\partial h_i}{\partial h_{i-1}} \right) \frac{\partial^{+} h_k}{\partial U_z}"
)

SNAPSHOTS = [
    (GRU, GRU_LATEX),
    (LSTM, LSTM_LATEX),
    (BPTT, BPTT_LATEX),
    # names
    (at("b", h), "b_h"),
    (at("h", past), "h_{t-1}"),
    (at("x", t, i), "x_{t,i}"),
    (at("W", Product((Name("x"), h))), "W_{xh}"),
    (tilde, r"\tilde{h}_t"),
    (Name("h", ("bar", "tilde"), (t,), 1), r"\tilde{\bar{h}}'_t"),
    (at("theta", sigma), r"\theta_{\sigma}"),
    (Name("W", font="mathbf"), r"\mathbf{W}"),
    (Name("theta", font="mathbf"), r"\boldsymbol{\theta}"),
    (Name("loss"), r"\mathrm{loss}"),
    (Name("reset gate"), r"\text{reset gate}"),
    (Name("h_new"), r"\text{h\_new}"),
    (Name("softmax"), r"\operatorname{softmax}"),
    # products
    (Product((TWO, W, h)), "2 W h"),
    (Product((TWO, Number("3"))), "2 (3)"),
    (Product((U, Hadamard((r, h)))), r"U (r \odot h)"),
    (Hadamard((Product((U, h)), r)), r"U h \odot r"),
    (Product((Product((a, b)), c)), "(a b) c"),
    (Product((sigma, Sum((a, b)))), r"(\sigma) (a + b)"),
    (Product((tanh, h)), r"(\tanh) h"),
    (Product((Transpose(U_z), a)), r"U_z^{\top} a"),
    (Product((Diagonal(a), Diagonal(b))), r"\operatorname{diag}(a) \operatorname{diag}(b)"),
    (Product((a, Name("loss"))), r"a\, \mathrm{loss}"),
    # signs
    (Sum((Negative(a), b, Negative(c))), "-a + b - c"),
    (Sum((a, Negative(Sum((b, c))))), "a - (b + c)"),
    (Sum((a, Negative(Negative(b)))), "a - (-b)"),
    (Negative(Product((a, b))), "-a b"),
    (Product((Negative(a), b)), "(-a) b"),
    (Hadamard((a, Negative(b))), r"a \odot (-b)"),
    (Big("sum", k, None, None, Negative(a)), r"\sum_k (-a)"),
    # powers
    (Power(h1, TWO), "h_t^2"),
    (Power(Hadamard((r, h)), TWO), r"(r \odot h)^2"),
    (Power(Apply(tanh, (c,)), TWO), r"\tanh^2(c)"),
    (Power(Apply(tanh, (c,)), Negative(ONE)), r"\tanh(c)^{-1}"),
    (Power(Name("h", primes=1), TWO), "(h')^2"),
    (Power(Power(a, b), c), "(a^b)^c"),
    (Power(W, Sum((t, Negative(k)))), "W^{t-k}"),
    (Power(Fraction(a, b), TWO), r"\left( \frac{a}{b} \right)^2"),
    (Transpose(Product((U, h))), r"(U h)^{\top}"),
    # brackets: round, square, braces
    (Product((a, less(Apply(sigma, (a,))))), r"a [1 - \sigma(a)]"),
    (Product((a, less(Product((b, less(Product((c, less(h)))))))) ), r"a \{ 1 - b [1 - c (1 - h)] \}"),
    (Apply(Name("sigma", primes=1), (at("a", t),)), r"\sigma'(a_t)"),
    (Apply(g, (Fraction(a, b),)), r"g\!\left(\frac{a}{b}\right)"),
    (Product((a, less(Apply(g, (Product((Fraction(a, b), Sum((b, c)))),))))), r"a \left[ 1 - g\!\left(\frac{a}{b} (b + c)\right) \right]"),
    (Apply(Name("relu"), (a,)), r"\operatorname{ReLU}(a)"),
    (Apply(Name("act"), (a, b)), r"\operatorname{act}(a, b)"),
    (Apply(Name("sqrt"), (Sum((a, b)),)), r"\sqrt{a + b}"),
    # fractions and derivatives
    (Derivative(Sum((a, b)), h), r"\frac{\partial (a + b)}{\partial h}"),
    (Derivative(h1, at("theta"), "d"), r"\frac{d h_t}{d \theta}"),
    (Fraction(Product((Name("d"), a)), Product((Name("d"), b))), r"\frac{(d a)}{d b}"),
    # big operators
    (Sum((Big("sum", k, ONE, t, Hadamard((a, b))), c)), r"\sum_{k=1}^t a \odot b + c"),
    (Hadamard((Big("sum", k, ONE, t, a), b)), r"\left( \sum_{k=1}^t a \right) \odot b"),
    (Hadamard((Product((a, Big("sum", k, None, None, b))), c)), r"\left( a \sum_k b \right) \odot c"),
    # the rest
    (Stack((h0, at("x", t)), vertical=False), "[h_{t-1}, x_t]"),
    (Stack((a, b)), "[a; b]"),
    (Stack((Stack((a, b), False), Stack((c, h), False))), r"\begin{bmatrix} a & b \\ c & h \end{bmatrix}"),
    (Indicator(Relation((a, Number("0")), (">",))), r"\mathbf{1}[a > 0]"),
    (Absolute(Sum((a, b))), r"\lvert a + b \rvert"),
    (Relation((a, b, c), ("<=", "->")), r"a \leq b \to c"),
]


@pytest.mark.parametrize(("node", "expected"), SNAPSHOTS, ids=[s for _, s in SNAPSHOTS])
def test_snapshot(node, expected):
    assert latex(node) == expected
    assert parse(expected) == node


def test_free_function_names_are_given_to_printer_and_parser():
    f = Name("f")
    applied, product = Apply(f, (Sum((a, b)),)), Product((f, Sum((a, b))))
    names = frozenset({"f"})
    assert latex(applied, names) == "f(a + b)"
    assert latex(product, names) == "(f) (a + b)"
    assert latex(product) == "f (a + b)"
    assert parse("f(a + b)", names) == applied
    assert parse("f(a + b)") == product


def test_chain_and_broken_sum():
    chain = Relation((a, b, Sum((c, Negative(h)))), ("=", "<="))
    printed = "\\begin{aligned}\na &= b \\\\\n&\\leq c - h \\\\\nh &= r\n\\end{aligned}"
    assert latex_lines(chain, equation(h, r)) == printed
    assert parse_lines(printed) == (chain, equation(h, r))
    assert latex_lines(GRU) == (
        "\\begin{aligned}\n"
        r"\frac{\partial h_t}{\partial h_{t-1}} &= \operatorname{diag}(z_t)"
        r" + \operatorname{diag}\bigl((h_{t-1} - \tilde{h}_t) \odot z_t \odot (1 - z_t)\bigr)\, U_z" " \\\\\n"
        r"&\quad + \operatorname{diag}\bigl((1 - z_t) \odot (1 - \tilde{h}_t^2)\bigr)\, U_h"
        r" \left[ \operatorname{diag}(r_t) + \operatorname{diag}\bigl(h_{t-1} \odot r_t \odot (1 - r_t)\bigr)\, U_r \right]"
        "\n\\end{aligned}"
    )  # fmt: skip
    assert latex_lines(equation(a, less(b)), width=1) == "\\begin{aligned}\na &= 1 \\\\\n&\\quad - b\n\\end{aligned}"


def test_ones_before_a_broken_bracket_do_not_take_it_as_a_condition():
    relation = equation(a, Product((Name("1", font="mathbf"), Sum((b, c)))))
    assert latex_lines(relation, width=1) == (
        "\\begin{aligned}\na &= (\\mathbf{1}) \\bigl[ b \\\\\n&\\quad \\quad + c \\bigr]\n\\end{aligned}")  # fmt: skip
    assert parse_lines(latex_lines(relation, width=1)) == (relation,)


def test_a_dot_between_digits_is_no_decimal_point():
    dotted = Name("a", subs=(Infix("dot", (Number("0"), Number("0"))),))
    assert latex(dotted) == "a_{0 . 0}"
    assert parse(latex(dotted)) == dotted


LAW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(formulas())
def test_law_parse_of_latex(node):
    assert parse(latex(node)) == node


@LAW
@given(st.lists(equations(), min_size=1, max_size=3), st.sampled_from([1.0, 20.0, 60.0]))
def test_law_parse_of_lines(relations, width):
    assert parse_lines(latex_lines(*relations, width=width)) == tuple(relations)


@LAW
@given(formulas(6))
def test_printing_again_is_the_same(node):
    assert latex(parse(latex(node))) == latex(node)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_snapshots_compile_without_a_warning(tmp_path):
    body = "\n".join(f"\\[ {printed} \\]" for _, printed in SNAPSHOTS) + f"\n\\[ {latex_lines(GRU, LSTM, BPTT)} \\]"
    # A wide page, so that an overfull line means a fault of the mathematics and not of the paper.
    document = (
        "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n\\setlength{\\textwidth}{60cm}\\setlength{\\textheight}{200cm}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "snapshots.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "snapshots.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    log = run.stdout.decode("latin-1")
    assert run.returncode == 0, log[-2000:]
    bad = ("!", "Overfull", "Underfull", "LaTeX Warning", "LaTeX Font Warning", "Package amsmath Warning", "Missing")
    assert not [line for line in log.splitlines() if line.startswith(bad)]
