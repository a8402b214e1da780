"""Pictures: the same bytes twice, refused where they make no sense, embedded by a directive."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.cells.load import load
from symgrad.cli import main
from symgrad.errors import SymgradError

pytest.importorskip("matplotlib")

from symgrad.figures.plot import plot


@pytest.mark.parametrize(("name", "kind"), [("gru", "graph"), ("gru_write", "square"), ("rnn_relu", "norms"), ("lstm", "forget")])
def test_the_same_bytes_twice(name: str, kind: str) -> None:
    picture = plot(load(name), kind)
    assert picture == plot(load(name), kind)
    assert picture.startswith(b"<?xml")
    assert b"<dc:date>" not in picture
    assert plot(load(name), kind, "png").startswith(b"\x89PNG")
    assert plot(load(name), kind, "pdf") == plot(load(name), kind, "pdf")


@pytest.mark.parametrize(("name", "kind"), [("rnn", "square"), ("rnn_free", "norms"), ("gru", "forget")])
def test_a_picture_that_makes_no_sense(name: str, kind: str) -> None:
    with pytest.raises(SymgradError):
        plot(load(name), kind)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.svg"
    assert main(["plot", "rnn", "--output", str(out)]) == 0
    assert out.read_bytes() == plot(load("rnn"), "graph")
    assert main(["plot", "rnn", "--output", "a.gif"]) == 2
    assert "a .svg, .png or .pdf file" in capsys.readouterr().err
