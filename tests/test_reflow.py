"""Long formulas in pieces: nothing is lost, short ones stay whole, a term stays together where it fits."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from symgrad.document.convert import to_html
from symgrad.document.reflow import WIDTH, italic, reflowed

pytest.importorskip("pypandoc", reason="the extra docs (pypandoc_binary) is not installed")

GRU = r"""\begin{aligned}
\frac{\partial h_t}{\partial h_{t-1}} &= \operatorname{diag}(z_t) + \operatorname{diag}\bigl((h_{t-1} - \tilde{h}_t) \odot z_t \odot (1 - z_t)\bigr)\, U_z \\
&\quad + \operatorname{diag}\bigl((1 - z_t) \odot (1 - \tilde{h}_t^2)\bigr)\, U_h \left[ \operatorname{diag}(r_t) + \operatorname{diag}(r_t)\, U_r \right]
\end{aligned}"""


def html(markdown: str) -> str:
    return to_html(markdown, Path("x.md"))[1]


def letters(page: str) -> str:
    """What is read: the text without markup, accents in either form."""
    page = re.sub(r"<annotation.*?</annotation>", "", page, flags=re.DOTALL)
    text = re.sub(r"\s|\u2061", "", unescape(re.sub(r"<[^>]+>", "", page)))
    return text.replace("\u0303", "~").replace("\u0302", "^")


@pytest.mark.parametrize(
    "formula",
    [GRU, r"a = b", r"\sum_{k=1}^t \left( \prod_{i=k+1}^t \frac{\partial h_i}{\partial h_{i-1}} \right) \frac{\partial^+ h_k}{\partial U_z} = 0 + 1",
     r"f(x) = \begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}", r") a + b ( = c [", r"\left\{ a + \left[ b \right] \right\} + " + "+ ".join("abcdefghijklmn")],
)  # fmt: skip
def test_nothing_is_lost(formula: str) -> None:
    for text in (f"$$\n{formula}\n$$", f"see ${formula.replace(chr(10), ' ')}$."):
        before = html(text)
        after, characters = reflowed(before)
        assert letters(after) == letters(before)
        assert set(letters(re.sub(r"see|\.|</?p>", "", after))) <= characters


def test_rows_and_indents() -> None:
    page, _ = reflowed(html(f"$$\n{GRU}\n$$"))
    assert page.count('<span class="left">') == 2
    assert 'class="right" style="--indent: 1"' in page
    terms = re.findall(r"<math[^>]*>(.*?)</math>", page)
    assert any(letters(t) == "+diag((1−zt)⊙(1−h~t2))" for t in terms), [letters(t) for t in terms]


def test_short_formulas_stay_whole() -> None:
    page, _ = reflowed(html("$$h_t = U h_{t-1}$$ and $z_t$"))
    assert page.count("<math") == 2
    assert "wbr" not in page


def test_no_piece_of_a_long_sum_is_wide() -> None:
    page, _ = reflowed(html("$$" + " + ".join(f"a_{{{k}}} b" for k in range(30)) + "$$"))
    assert page.count("<math") >= 20
    assert max(len(letters(m)) for m in re.findall(r"<math.*?</math>", page)) <= WIDTH


def test_bars_grow_only_where_tex_says_so() -> None:
    """pandoc lets the bars of \\lVert grow, which then stand above and below every subscript."""
    bar = '<mo stretchy="true" form="prefix">{0}</mo><mi>a</mi><mo stretchy="true" form="postfix">{0}</mo>'
    plain, grown = (reflowed(f"<math>{bar.format(sign)}</math>")[0] for sign in "‖∥")
    assert plain.count('stretchy="false"') == 2
    assert grown.count('stretchy="true"') == 2
    assert "∥" not in grown


def test_names_of_functions_stand_apart_in_a_line_of_text() -> None:
    page, _ = reflowed(html(r"$2 c \tanh c$ and $\tanh(c)$"))
    assert re.findall(r"(?<=</mi>)<mspace|(?<=</mo>)<mspace", page.partition(" and ")[0]) == ["<mspace", "<mspace"]
    assert "mspace" not in page.partition(" and ")[2]


def test_the_root_has_its_sign() -> None:
    assert "√" in reflowed(html(r"$\sqrt{x}$"))[1]


def test_bad_mathml_is_left() -> None:
    assert reflowed("<math><mi>x</math>")[0] == "<math><mi>x</math>"


def test_italics() -> None:
    assert [italic(c) for c in "hzA∂σ1"] == ["ℎ", "𝑧", "𝐴", "𝜕", "𝜎", "1"]
