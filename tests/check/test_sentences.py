"""Equations in words: where they stand, what is shown of them, in every kind of file; numbers that are no matrices are said to be."""

from __future__ import annotations

import json

import pytest

from symgrad.check.judge import judge
from symgrad.check.sources import read_text

CELL = r"$h_t = z_t \odot h_{t-1} + (1 - z_t) \odot x_t$ and $z_t = \sigma(U h_{t-1})$."
J = r"\frac{\partial h_t}{\partial h_{t-1}}"


def test_the_place_of_two_formulas() -> None:
    text = f"{CELL}\n\nWith $z_t = 1$, ${J}$ is just\n$I$."
    (claim,) = judge(read_text(text, "md"), None)
    assert claim.verdict == "proved"
    assert claim.latex == f"{J}$ is just\n$I"
    assert (claim.line, claim.column, claim.end_line, claim.end_column) == (3, 18, 4, 3)


@pytest.mark.parametrize(("words", "verdict"), [
    ("vanishes", "proved"), ("is zero", "proved"), ("is the zero matrix", "proved"), ("is the identity", "refuted"),
])  # fmt: skip
def test_the_place_of_a_word(words: str, verdict: str) -> None:
    text = f"{CELL}\n\nWith $z_t = 0$, ${J}$ {words}."
    (claim,) = judge(read_text(text, "md"), None)
    assert claim.verdict == verdict
    assert claim.latex in f"{J}$ {words}"
    assert claim.latex.startswith(f"{J}$ ")
    assert claim.column == 18


@pytest.mark.parametrize("kind", ["tex", "ipynb", "html"])
def test_other_files(kind: str) -> None:
    text = rf"{CELL} With $z_t = 0$, ${J}$ is $0$."
    if kind == "tex":
        text = r"\newcommand{\J}{\frac{\partial h_t}{\partial h_{t-1}}}" + "\n" + text.replace(J, r"\J")
    elif kind == "ipynb":
        text = json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": [text]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    elif kind == "html":
        text = f"<html><body><p>{text}</p></body></html>"
    document = read_text(text, kind)
    (claim,) = judge(document, None)
    assert claim.verdict == "proved"
    assert claim.latex == (r"\J$ is $0" if kind == "tex" else f"{J}$ is $0")
    assert text[claim.column - 1 :].startswith("\\") or kind == "tex"


def test_what_holds_of_numbers_alone() -> None:
    cell = r"$$h_t = \tanh(U h_{t-1} + W x_t)$$"
    (claim,) = judge(read_text(rf"{cell} $${J} = U (1 - h_t^2)$$", "md"), None)
    assert (claim.verdict, claim.reading) == ("proved", "scalar")
    assert "it holds of numbers, not of matrices as it stands" in claim.assumptions
    (claim,) = judge(read_text(rf"{cell} $${J} = (1 - h_t^2) U$$", "md"), None)
    assert "it holds of numbers, not of matrices as it stands" not in claim.assumptions
