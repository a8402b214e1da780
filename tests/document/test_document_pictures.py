"""Pictures of documents: drawn beside them, compared as pictures, left alone where nothing can be drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.document.convert import to_tex
from symgrad.document.pictures import same

pytest.importorskip("matplotlib")

from symgrad.figures.plot import plot

LINK = "![lstm: the derivative along the cell over k steps, against the forget gate](figures/lstm-forget.svg)"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A document with a picture, built."""
    path = tmp_path / "a.md"
    path.write_text("<!-- symgrad: plot lstm --kind forget -->\n<!-- /symgrad -->\n", encoding="utf-8")
    assert main(["build", str(path)]) == 0
    return path


def picture(page: Path) -> Path:
    return page.parent / "figures" / "lstm-forget.svg"


def test_a_picture_is_drawn_and_linked(page: Path) -> None:
    assert LINK in page.read_text(encoding="utf-8")
    assert picture(page).read_bytes() == plot(load("lstm"), "forget")
    assert main(["build", "--check", str(page)]) == 0


def test_check_compares_pictures(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = plot(load("gru"), "graph")
    picture(page).write_bytes(other)
    assert main(["build", "--check", str(page)]) == 1
    assert "lstm-forget.svg: no longer what is drawn now" in capsys.readouterr().out
    assert picture(page).read_bytes() == other  # --check changes nothing
    picture(page).unlink()
    assert main(["build", "--check", str(page)]) == 1
    assert "lstm-forget.svg: missing" in capsys.readouterr().out
    assert main(["build", str(page)]) == 0
    assert main(["build", "--check", str(page)]) == 0


def test_another_matplotlib_is_not_held_against_a_picture(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(page).write_bytes(b"<svg>symgrad, matplotlib 3.0.1</svg>")
    assert main(["build", "--check", str(page)]) == 0
    assert "not compared: they were drawn with matplotlib 3.0.1" in capsys.readouterr().err


def test_what_is_the_same_picture() -> None:
    svg = plot(load("lstm"), "forget")
    assert same(svg, svg.replace(b"68.6", b"68.61"))
    assert same(b'<g id="p0123456789"/><use href="#p0123456789"/>', b'<g id="pabcdef0123"/><use href="#pabcdef0123"/>')
    assert not same(b'<g id="p0123456789"/><use href="#p0123456789"/>', b'<g id="pabcdef0123"/><use href="#p0000000123"/>')
    assert not same(b'<path d="M 1.0 2.0"/>', b'<path d="M 1.0 2.1"/>')
    assert not same(plot(load("rnn"), "graph"), plot(load("rnn_identity"), "graph"))


def test_without_matplotlib(page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    before, drawn = page.read_text(encoding="utf-8"), picture(page).read_bytes()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    page.write_text(before + "\n", encoding="utf-8")
    assert main(["build", str(page)]) == 0
    assert "left as they are" in capsys.readouterr().err
    assert (page.read_text(encoding="utf-8"), picture(page).read_bytes()) == (before + "\n", drawn)
    assert main(["build", "--check", str(page)]) == 0
    picture(page).unlink()
    assert main(["build", str(page)]) == 0
    assert "> a picture needs matplotlib" in page.read_text(encoding="utf-8")


def test_tex_takes_the_pdf(page: Path) -> None:
    pytest.importorskip("pypandoc")
    assert main(["build", str(page), "--to", "tex"]) == 0
    assert picture(page).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert "figures/lstm-forget.pdf}" in to_tex(page.read_text(encoding="utf-8"), page)


def test_a_picture_that_tex_cannot_have(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the document keeps its picture, and TeX its name."""
    pytest.importorskip("pypandoc")
    before = page.read_text(encoding="utf-8")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["build", str(page), "--to", "tex"]) == 0
    assert page.read_text(encoding="utf-8") == before
    tex = page.with_suffix(".tex").read_text(encoding="utf-8")
    assert "includegraphics{" not in tex.partition(r"\begin{document}")[2]
    assert "figures/lstm-forget.svg" in tex


def test_a_tex_document(tmp_path: Path) -> None:
    path = tmp_path / "a.tex"
    path.write_text("% symgrad: plot rnn\n% /symgrad\n", encoding="utf-8")
    assert main(["build", str(path)]) == 0
    assert r"\includegraphics{figures/rnn-graph}" in path.read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "rnn-graph.pdf").is_file()


def test_a_bound_in_a_document(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("<!-- symgrad: bound gru -->\n<!-- /symgrad -->\n", encoding="utf-8")
    assert main(["build", str(path)]) == 0
    assert r"\right\rVert &\le 1 + \frac{\lVert U_z \rVert}{2}" in path.read_text(encoding="utf-8")
