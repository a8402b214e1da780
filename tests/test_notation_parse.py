"""The parser on what people write: spellings, places, and errors that say where and what instead."""

import gc
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_notation import formulas

from symgrad.notation import table
from symgrad.notation.latex import latex
from symgrad.notation.reading.parse import ParseError, parse, parse_lines
from symgrad.notation.reading.tokens import MAX_NESTING
from symgrad.notation.syntax import Apply, Hadamard, Name, Number, Power, Product, Span, Sum, equation


@pytest.mark.parametrize(("source", "printed"), [
    # products
    (r"a \circ b", r"a \odot b"),
    ("a ⊙ b ∘ c", r"a \odot b \odot c"),
    ("WxUh", "W x U h"),
    ("2h", "2 h"),
    (r"a \cdot b ∗ c", r"(a \cdot b) * c"),
    ("a × b + c", r"a \times b + c"),
    ("a b / c", r"\frac{a b}{c}"),
    # names
    (r"\tilde h_t", r"\tilde{h}_t"),
    (r"\tilde{h_t}", r"\tilde{h}_t"),
    (r"{h}_{t}", "h_t"),
    (r"h_t'", "h'_t"),
    (r"h^{\prime\prime}_t", "h''_t"),
    (r"h^\prime", "h'"),
    (r"\bm{W}_h", r"\mathbf{W}_h"),
    (r"\mathbf{W_h}", r"\mathbf{W}_h"),
    (r"\mathbf{\text{a b}} \operatorname{\mathrm{loss}}(a)", r"\mathbf{\text{a b}} \operatorname{loss}(a)"),
    (r"\boldsymbol \theta", r"\boldsymbol{\theta}"),
    (r"L_\text{total}", r"L_{\mathrm{total}}"),
    (r"\mathrm{diag}(a)", r"\operatorname{diag}(a)"),
    (r"\text{diag}[a]", r"\operatorname{diag}(a)"),
    ("diag(a)", r"\operatorname{diag}(a)"),
    ("σ(h̃_t) ĥ", r"\sigma(\tilde{h}_t)\, \hat{h}"),
    # scripts take one sign, as TeX does
    ("h_t-1", "h_t - 1"),
    ("x^10", "x^1 (0)"),
    (r"\frac12", r"\frac{1}{2}"),
    (r"R^T_z", "R_z^T"),
    (r"W^\intercal W^{\mathrm{T}} Wᵀ", r"W^{\top} W^{\top} W^{\top}"),
    # application
    (r"\tanh c_t", r"\tanh(c_t)"),
    (r"\tanh^2 c_t", r"\tanh^2(c_t)"),
    (r"\log \sigma(a)", r"\log\bigl(\sigma(a)\bigr)"),
    (r"\sigma\left(a\right)^2", r"\sigma^2(a)"),
    (r"\tanh^2(c)^\top", r"[\tanh^2(c)]^{\top}"),
    ("tanh(a)", r"\tanh(a)"),
    (r"\exp\{a\}", r"\exp(a)"),
    (r"\sigma'(a) = \sigma(a) (1 - \sigma(a))", r"\sigma'(a) = \sigma(a) [1 - \sigma(a)]"),
    # fractions
    (r"\frac{\mathrm{d} h}{\mathrm{d} x}", r"\frac{d h}{d x}"),
    (r"\frac{∂ U h}{∂ h}", r"\frac{\partial (U h)}{\partial h}"),
    (r"\frac{\partial^+h}{\partial^{+}U}", r"\frac{\partial^{+} h}{\partial U}"),
    (r"\dfrac{d}{2}", r"\frac{d}{2}"),
    # big operators
    (r"\sum_{k = 1}^{t} a_k + b", r"\sum_{k=1}^t a_k + b"),
    (r"\prod\limits^{t}_{k} J_k", r"\prod_k^t J_k"),
    (r"\sum_{k < t} a", r"\sum_{k<t} a"),
    # brackets and noise
    (r"\big( a \Bigr)\;b\,\! % a comment", "a b"),
    (r"\left| a \right| |b|c|", None),
    (r"|a|b|c|", r"\lvert a \rvert b \lvert c \rvert"),
    (r"|(a |b|) c|", r"\lvert (a \lvert b \rvert) c \rvert"),
    (r"|\sigma(a |b|)|", r"\lvert \sigma(a \lvert b \rvert) \rvert"),
    (r"|(|a|) b|", r"\lvert \lvert a \rvert b \rvert"),
    (r"\begin{equation} a &= b \\ + c . \end{equation}", "a = b + c"),
    (r"a \le b \neq c", r"a \leq b \neq c"),
])  # fmt: skip
def test_reads(source, printed):
    if printed is None:
        with pytest.raises(ParseError):
            parse(source)
    else:
        assert latex(parse(source)) == printed


def test_functions_are_the_callers():
    g = Name("g", primes=1)
    assert parse("g'(a)") == Apply(g, (Name("a"),))
    assert parse("g'(a)", frozenset()) == Product((g, Name("a")))
    assert parse(r"\operatorname{act}(a)", frozenset()) == Apply(Name("act"), (Name("a"),))
    assert parse(r"\mathrm{act}(a)", frozenset()) == Product((Name("act"), Name("a")))


def test_precedence():
    a, b, c, d = (Name(x) for x in "abcd")
    assert parse(r"a b \odot c + d") == Sum((Hadamard((Product((a, b)), c)), d))
    assert parse("a b^c") == Product((a, Power(b, c)))
    assert parse("{(g)}(a)") == parse("(g)(a)") == Product((Name("g"), a)) != parse("{g}(a)")
    assert parse("2 = 2") == equation(Number("2"), Number("2"))


def test_spans():
    source = r"h_t = (a + b) \odot \tanh^2(c)"
    relation = parse(source)
    left, right = relation.sides
    pieces = [relation, left, left.subs[0], right, right.args[0], right.args[1], right.args[1].base]
    assert [source[n.span.start : n.span.end] for n in pieces] == [
        source, "h_t", "t", r"(a + b) \odot \tanh^2(c)", "a + b", r"\tanh^2(c)", r"\tanh^2(c)"]  # fmt: skip


def _nodes(node):
    yield node
    for field in node.__dataclass_fields__:
        value = getattr(node, field)
        for child in value if isinstance(value, tuple) else (value,):
            if hasattr(child, "span"):
                yield from _nodes(child)


@settings(max_examples=150, deadline=None)
@given(formulas())
def test_every_span_reads_as_its_node(node):
    source = latex(node)
    for part in _nodes(parse(source)):
        assert isinstance(part.span, Span)
        assert 0 <= part.span.start < part.span.end <= len(source)
    top = parse(source).span
    assert parse(source[top.start : top.end]) == node


@pytest.mark.parametrize(("source", "column", "reason"), [
    ("", 1, "the formula ends where a factor is missing"),
    ("a +", 4, "the formula ends where a factor is missing"),
    ("a + + b", 5, "`+` stands where a factor is missing"),
    ("a + - b", 5, "a minus behind another sign"),
    ("(a + b", 7, "the formula ends where `(` should be closed"),
    ("(a + b]", 7, "`]` stands where `(` should be closed"),
    ("a)", 2, "`)` stands where the formula should go on or end"),
    ("{a", 1, "an opening brace that is never closed"),
    ("a}", 2, "a closing brace that was never opened"),
    (r"\foo{a}", 1, r"the command `\foo` is not known here"),
    ("a^b^c", 4, "a second superscript"),
    ("a_b_c", 4, "a second subscript"),
    ("(a)_i", 4, "`_` behind something that is not a name"),
    (r"\tilde{a b}", 1, r"`\tilde` over something that is not a name"),
    (r"\frac{\partial a + b}{\partial c}", 18, "`+` stands behind what is differentiated"),
    (r"\frac{\partial^2 a}{\partial b}", 15, "a higher derivative is not read yet"),
    (r"\partial a", 1, "a ∂ outside a fraction of two"),
    (r"\frac{\partial a}{b}", 1, "a ∂ in one part of a fraction only"),
    (r"\tanh^{-1}(a)", 11, "tanh with this exponent may mean its inverse"),
    ("diag a", 6, "diag stands without its argument"),
    (r"\mathbf{1}[a]", 11, "an indicator without a relation"),
    (r"\begin{bmatrix} a & b \\ c \end{bmatrix}", 1, "the rows of this matrix have different lengths"),
    ("a ? b", 3, "`?` cannot be read here"),
    ("x' + (a)'", 9, "`'` behind something that is not a name"),
])  # fmt: skip
def test_errors_name_the_place(source, column, reason):
    with pytest.raises(ParseError) as caught:
        parse(source)
    assert (caught.value.span.start + 1, caught.value.reason) == (column, reason)


def test_error_message_is_whole():
    with pytest.raises(ParseError, match=r"column 5: a minus behind another sign; expected a factor \(put brackets around it: \(-a\)\)"):
        parse("a + -b")


@pytest.mark.parametrize("piece", [
    "{", "(", "a_{", "a^{", r"\frac", r"\frac{", r"\tilde", r"\tilde{", r"\sum", r"\sum_{", r"\tanh ", "-", "|", r"\sqrt", "g(", r"\mathbf",
    r"\text{", r"\begin{bmatrix}", r"\mathbf{1}[", r"a=b-c\odot d\sum e(", "a+", "ab", "a'", "9", " ", "%", "\\", "9^{", "x" * 20,
])  # fmt: skip
def test_hostile_input_ends_at_once(piece):
    began = time.process_time()
    with pytest.raises(ParseError):
        parse(piece * 100_000 + "}")
    assert time.process_time() - began < 20  # seconds; 0.6 measured


def test_what_is_read_can_be_printed_and_compared_however_deep():
    def nested(depth):
        return parse(r"a=b-c\odot d\tanh^2(" * depth + "x" + ")" * depth)

    for depth in range(1, MAX_NESTING):
        node = nested(depth)
        assert parse(latex(node)) == node
    parse(" + ".join([r"\sum_k a_{k}"] * 2 * MAX_NESTING))  # side by side is no nesting
    with pytest.raises(ParseError, match="levels deep"):
        nested(MAX_NESTING)


def test_time_is_linear():
    def seconds(n):
        began = time.process_time()
        parse(r"a \odot b c + " * n + "d")
        return time.process_time() - began

    seconds(100)
    gc.disable()  # what other tests have left behind is no part of the question
    try:
        assert min(seconds(8000) for _ in range(3)) < 24 * min(seconds(1000) for _ in range(3))
    finally:
        gc.enable()


def test_lines():
    source = r"""\begin{aligned}
      a &= b \\[4pt]
        &= c \left( d \\
        &\qquad + e \right) \\
        &\quad - f(a, \\ b), \\
      -x &= y \\
      M &= \begin{bmatrix} a & b \\ c & d \end{bmatrix}.
    \end{aligned}"""
    assert [latex(line) for line in parse_lines(source, frozenset({"f"}))] == [
        "a = b = c (d + e) - f(a, b)", "-x = y", r"M = \begin{bmatrix} a & b \\ c & d \end{bmatrix}"]  # fmt: skip
    first = parse_lines(source, frozenset({"f"}))[1]
    assert source[first.span.start : first.span.end] == "-x &= y"
    with pytest.raises(ParseError, match="no formula"):
        parse_lines(r"\\ & \\")


PIECES = st.lists(st.sampled_from([
    *r"ab_^{}()[]|\+-=&,;'. 12", r"\frac", r"\sum", r"\partial ", r"\tanh ", r"\mathbf", r"\\", "diag", "d", "ᵀ"
])).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_any_text_is_read_or_refused(source):
    for read in (parse, parse_lines):
        span = None
        try:
            read(source)
        except ParseError as error:
            span = error.span
        assert span is None or 0 <= span.start <= span.end <= len(source)


def test_table_is_unambiguous():
    spellings = [s for row in table.OPERATORS for s in row.latex] + [s for sign in table.RELATIONS.values() for s in sign.latex]
    assert len(spellings) == len(set(spellings))
    assert not set(table.SYMBOLS) & set(table.FUNCTIONS)
    assert len(set(table.SYMBOLS.values())) == len(table.SYMBOLS)
    assert len(set(table.ACCENTS.values())) == len(table.ACCENTS)


def test_starts_without_sympy_and_numpy():
    code = "import sys, symgrad.notation.reading.parse, symgrad.notation.text; sys.exit(bool({'sympy', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
