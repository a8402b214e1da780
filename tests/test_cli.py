"""The command line: what it prints, where, with which status; no traceback for a user's mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

import symgrad as sg
from symgrad.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def test_derive_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "derive", "gru", "--at", "z=0,r=1") == (0, "∂h_t/∂h_{t-1} = diag(1 - h̃_t²) U_h\n", "")
    assert run(capsys, "derive", "gru", "--hold", "z=1")[1] == "∂h_t/∂h_{t-1} = I\n"
    assert run(capsys, "derive", "lstm", "--of", "c", "--wrt", "c")[1] == "∂c_t/∂c_{t-1} = diag(f_t)\n"
    assert run(capsys, "derive", "rnn", "--lag", "3")[1] == "∂h_t/∂h_{t-3} = Π_{u=0}^{2} ∂h_{t-u}/∂h_{t-u-1} = Π_{u=0}^{2} diag(1 - h_{t-u}²) U\n"


def test_every_command_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "derive", "gru")
    assert (status, err) == (0, "")
    assert out in (Path(__file__).parent.parent / "README.md").read_text()


def test_latex_is_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "derive", "gru", "--to", "latex")[1]
    assert out.strip() in (Path(__file__).parent.parent / "README.md").read_text()


@pytest.mark.parametrize("words", [("gru",), ("lstm", "--of", "c", "--wrt", "c", "--through", "h"), ("rnn_relu",), ("lstm", "--of", "h,c", "--wrt", "h,c")])
def test_sympy_code_builds_the_same_expression(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code = run(capsys, "derive", *words, "--to", "sympy")[1]
    names: dict[str, Any] = {}
    exec(code, names)
    options = dict(zip([w.removeprefix("--") for w in words[1::2]], words[2::2], strict=True))
    assert sp.srepr(names["J"]) == sp.srepr(sg.jacobian(sg.cells.LIBRARY[words[0]], **options).sympy())


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(run(capsys, "derive", "gru", "--at", "z=1", "--to", "json")[1])
    assert answer["derivatives"][0] | {"equation": ""} == {
        "of": "h_t", "wrt": "h", "through": [], "form": "matrix", "latex": "I", "text": "I", "equation": "", "sympy": "1",
    }  # fmt: skip


def test_steps(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "derive", "gru", "--steps")[1]
    titles = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert titles == ["Local derivatives", "Chain rule, over all paths", "With the local derivatives put in", "Result"]
    assert "  ∂h_t/∂h_{t-1} = ∂⁺h_t/∂h_{t-1} + (∂h_t/∂z_t) (∂z_t/∂h_{t-1}) + (∂h_t/∂h̃_t) (∂h̃_t/∂h_{t-1})" in out.splitlines()


def test_cells_are_listed_with_their_source(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(run(capsys, "cells", "--format", "json")[1])
    assert [r["cell"] for r in rows] == list(sg.cells.LIBRARY)
    assert all(r["source"] and r["convention"] for r in rows)
    assert {r["cell"]: r["gates"] for r in rows}["lstm"] == "f, i, o"
    assert "gru_torch" in run(capsys, "cells")[1]


def test_a_cell_of_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nimport symgrad as sg\n@sg.cell\ndef mine(x, h, *, W, U):\n    z = 1 / (1 + np.exp(-(W @ x + U @ h)))\n    return z * h\n"
    )
    status, out, err = run(capsys, "derive", f"{path}:mine")
    assert (status, out) == (0, "∂h_t/∂h_{t-1} = diag(z_t) + diag(h_{t-1} ∘ z_t ∘ (1 - z_t)) U\n")
    assert "note:" in err
    assert "write sigmoid from symgrad" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("derive", "gruu"), "did you mean gru"),
        (("derive", "nowhere.py:f"), "no such file"),
        (("derive", "gru", "--at", "z"), "write NAME=VALUE"),
        (("derive", "gru", "--wrt", "hh"), "has no 'hh'"),
        (("derive", "gru", "--form", "tensor"), "invalid choice"),
        (("derive", "gru", "--lag", "0"), "at least 1"),
        (("derive", "gru", "--lag", "k", "--at", "z=1"), "does not go with"),
        (("derive", "gru", "--lag", "k", "--to", "sympy"), "written as text or latex"),
        (("build", "nowhere"), "no such file or folder"),
        (("explode",), "invalid choice"),
        ((), "required: COMMAND"),
    ],
)
def test_mistakes_are_told_on_stderr_with_status_2(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    status, out, err = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("body", ["def f(:", "raise ValueError('no')", "import nothing_at_all", "x = 1"])
def test_a_file_that_cannot_be_used(capsys: pytest.CaptureFixture[str], tmp_path: Path, body: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(body)
    status, _, err = run(capsys, "derive", f"{path}:f")
    assert status == 2
    assert "mine.py" in err
    assert "Traceback" not in err


def test_a_wrong_cell_names_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def f(x, h, *, W):\n    h = W @ x + h\n    return h\n")
    status, _, err = run(capsys, "derive", f"{path}:f")
    assert status == 2
    assert f"{path}:2: in cell f: the state h is rebound" in err
    assert "h = W @ x + h" in err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("derive",), ("build",), ("verify",), ("cells",), ("adjoint",), ("equations",)):
        assert main([*words, "--help"]) == 0
        assert "examples:" in capsys.readouterr().out


def test_the_module_is_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "symgrad", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"symgrad {sg.__version__}\n"


@pytest.mark.parametrize("words", ["derive gru", "derive lstm --of c --wrt c --through h", "derive rnn_relu", "equations lstm", "derive gru --form scalar"])
def test_python_code_builds_the_very_expression(capsys: pytest.CaptureFixture[str], words: str) -> None:
    status, out, _ = run(capsys, *words.split(), "--to", "sympy")
    namespace: dict[str, Any] = {}
    exec(out, namespace)
    name = words.split()[1]
    cell = getattr(sg.cells, name)
    if words.startswith("equations"):
        assert namespace["equations"] == cell.equations()
    else:
        options = {"of": "c", "wrt": "c", "through": "h"} if name == "lstm" else {}
        assert namespace["J"] == sg.jacobian(cell, **options).sympy(form="scalar" if "scalar" in words else "matrix")
    assert status == 0


def test_a_preactivation_without_a_name_is_defined_below(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "derive", "rnn_free")
    assert out == "∂h_t/∂h_{t-1} = diag(g'(a_t)) U\na_t = W x_t + U h_{t-1} + b\n"


@pytest.mark.parametrize(
    ("source", "words", "said"),
    [
        ("import sys; sys.exit(3)", "derive {}:f", "SystemExit: 3"),
        ("f = 3", "derive {}:f", "has no function 'f'"),
        ("class A:\n    def __call__(self, x): return x\nf = A()", "derive {}:f", "f is a A; a cell is a function"),
        ("def f(:", "derive {}:f", ":1: invalid syntax"),
        ("", "derive {}", "which function of"),
        ("", "derive gru --lag -1", "at least 1, or a letter"),
        ("", "derive gru --lag 1.5", "at least 1, or a letter"),
    ],
)
def test_misuse_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, words: str, said: str) -> None:
    path = tmp_path / "odd.py"
    path.write_text(source)
    status, out, err = run(capsys, *words.format(path).split())
    assert (status, out) == (2, "")
    assert said in err
    assert "internal error" not in err
