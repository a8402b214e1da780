"""Documents: directives, atomic rebuilding, and the code as written."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.cli import main
from symgrad.document.directives import MARKDOWN, TEX, Block, split
from symgrad.notation.reading.parse import parse_lines
from symgrad.notation.syntax import Apply, Hadamard, Name, Negative, Node, Number, Power, Product, Relation, Stack, Sum

DERIVATIONS = Path(__file__).parent.parent / "derivations"


def test_the_documents_of_the_project_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(DERIVATIONS), "--check"]) == 0, capsys.readouterr().out


def test_blocks_are_filled_and_stay(tmp_path: Path) -> None:
    document = tmp_path / "notes.md"
    document.write_text("# Notes\n<!-- symgrad: derive gru --at z=1 -->\nand then\n```\n<!-- symgrad: derive nothing -->\n```\n")
    assert main(["build", str(document)]) == 0
    first = document.read_text()
    assert first == (
        "# Notes\n<!-- symgrad: derive gru --at z=1 -->\n$$\n\\begin{aligned}\n\\frac{\\partial h_t}{\\partial h_{t-1}} &= I\n\\end{aligned}\n$$\n"
        "<!-- /symgrad -->\nand then\n```\n<!-- symgrad: derive nothing -->\n```\n"
    )
    assert main(["build", str(tmp_path)]) == 0
    assert document.read_text() == first


def test_a_stale_document_is_shown_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "notes.md"
    document.write_text("<!-- symgrad: derive rnn_identity -->\nW\n<!-- /symgrad -->\n")
    assert main(["build", "--check", str(document)]) == 1
    assert "-W\n" in (out := capsys.readouterr().out)
    assert "+\\frac{\\partial h_t}{\\partial h_{t-1}} &= U" in out
    assert document.read_text() == "<!-- symgrad: derive rnn_identity -->\nW\n<!-- /symgrad -->\n"


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        ("derive gruu", "no cell 'gruu'; did you mean gru"),
        ("derive gru --at q=1", "has no 'q'"),
        ("derive gru --frm matrix", "unrecognized arguments"),
        ("remove everything", "a document can hold"),
        ("derive gru --at 'z=1", "no command line"),
    ],
)
def test_a_failing_directive_names_its_line_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], directive: str, said: str) -> None:
    bad, good = tmp_path / "a.md", tmp_path / "b.md"
    text = f"one\n<!-- symgrad: derive rnn -->\n<!-- /symgrad -->\n<!-- symgrad: {directive} -->\nold\n<!-- /symgrad -->\n"
    bad.write_text(text)
    good.write_text("<!-- symgrad: derive rnn -->\n<!-- /symgrad -->\n")
    assert main(["build", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert f"{bad}:4: " in err
    assert said in err
    assert bad.read_text() == text
    assert "diag" in good.read_text()


def test_a_failed_write_leaves_the_old_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "notes.md"
    document.write_text("<!-- symgrad: derive rnn -->\n")
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    assert main(["build", str(document)]) == 2
    assert document.read_text() == "<!-- symgrad: derive rnn -->\n"
    assert [p.name for p in tmp_path.iterdir()] == ["notes.md"]


def test_line_endings_and_tex(tmp_path: Path) -> None:
    windows = tmp_path / "w.md"
    windows.write_bytes(b"<!-- symgrad: derive rnn -->\r\ntext\r\n")
    tex = tmp_path / "t.tex"
    tex.write_text("% symgrad: derive rnn --steps\n% /symgrad\n")
    assert main(["build", str(tmp_path)]) == 0
    assert b"\n" not in windows.read_bytes().replace(b"\r\n", b"")
    assert tex.read_text().startswith("% symgrad: derive rnn --steps\n\\paragraph{Local derivatives}\n\n\\begin{equation*}\n")


def test_a_cell_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def decay(x, h, *, W, k):\n    return k * h + W @ x\n")
    document = tmp_path / "notes.md"
    document.write_text("<!-- symgrad: derive mine.py:decay -->\n")
    assert main(["build", str(document)]) == 0
    assert r"\operatorname{diag}(k)" in document.read_text()


def test_splitting() -> None:
    lines = ["a", "<!-- symgrad: derive gru -->", "x", "<!-- /symgrad -->", "<!-- symgrad: cells -->", "b"]
    assert split(lines, MARKDOWN, "d") == ["a", Block(2, lines[1], ("derive", "gru"), ("x",)), Block(5, lines[4], ("cells",), ()), "b"]
    with pytest.raises(sg.SymgradError, match="d:1: a closing"):
        split(["% /symgrad"], TEX, "d")


# -- the code as written ---------------------------------------------------------------------------------------------------------


def value(node: Node, names: dict[str, np.ndarray]) -> np.ndarray:
    """A formula of the code as written, evaluated: juxtaposition is @, the Hadamard product is *."""
    match node:
        case Number(text):
            return np.float64(text)
        case Name(base, accents, subs):
            words = [base, *accents, *("".join(a.base for a in s.args) if isinstance(s, Product) else s.base if isinstance(s, Name) else s.text for s in subs)]
            return names["_".join(words)]
        case Sum(args):
            return sum(value(a, names) for a in args)  # type: ignore[return-value]
        case Negative(arg):
            return -value(arg, names)
        case Product(args):
            out = value(args[0], names)
            for a in args[1:]:
                out = out @ value(a, names)
            return out
        case Hadamard(args):
            return np.prod([value(a, names) for a in args], axis=0)
        case Power(base, exponent):
            return value(base, names) ** value(exponent, names)
        case Apply(function, (arg,)):
            return {"sigma": sg.sigmoid, "tanh": np.tanh, "relu": sg.relu}[function.base](value(arg, names))
        case Stack(args):
            return np.concatenate([value(a, names) for a in args])
    raise AssertionError(node)


def affine(W, U, b, x, h):  # type: ignore[no-untyped-def]
    """W x + U h + b."""
    return W @ x + U @ h + b


def candidate(W, x, *, b, U, past):  # type: ignore[no-untyped-def]
    kept = past - b
    return np.tanh(affine(W, U, b, x, kept))


@sg.cell
def helped(x, h, *, W_z, U_z, b_z, W, U, b):  # type: ignore[no-untyped-def]
    z = sg.sigmoid(affine(W_z, U_z, b_z, x, h))
    c = candidate(W, x, past=z * h, U=U, b=b)
    return z * h + (1 - z) * c


AS_WRITTEN = [helped, *(c for c in LIBRARY.values() if c.name not in ("rnn_free", "deep_chain"))]


@pytest.mark.parametrize("cell", AS_WRITTEN, ids=lambda c: c.name)
def test_the_code_as_written_reads_back_as_the_cell(cell: sg.Cell) -> None:
    pytest.importorskip("latexify", reason="latexify-py has no release for Python 3.14 and later")
    from symgrad.document.written import as_written

    rng = np.random.default_rng(7)
    sizes = {"n": 3, "m": 2}
    draw = {s.name: rng.normal(size=[sizes.get(d.name, 4) for d in cell.program.shapes[s]]) for s in cell.program.order if s not in cell.program.equations}
    names = dict(draw)
    for relation in parse_lines(as_written(cell)):
        assert isinstance(relation, Relation)
        left, right = relation.sides
        target = {"h_t": "h_t"}
        key = "_".join([left.base, *left.accents, *(s.base for s in left.subs)])  # type: ignore[union-attr]
        names[target.get(key, key)] = value(right, names)
    program = cell.program
    expected = cell(*(draw[s.name] for s in (*program.inputs, *program.states)), **{s.name: draw[s.name] for s in program.parameters})
    expected = expected if isinstance(expected, tuple) else (expected,)
    for new, want in zip([*program.updates.values(), *program.outputs], expected, strict=True):
        np.testing.assert_allclose(names[new.name], want, rtol=1e-14)


def test_parentheses_of_the_code_survive() -> None:
    pytest.importorskip("latexify", reason="latexify-py has no release for Python 3.14 and later")
    from symgrad.document.written import as_written

    assert r"U_h \left(r \odot h\right)" in as_written(sg.cells.gru)
    assert r"c &= \tanh\left(W x + U \left(z \odot h - b\right) + b\right)" in as_written(helped)
    assert r"y_l &= a\left(f\left(y, W\right)\right)" in as_written(sg.cells.deep_chain)
    assert r"\left(1 - z\right) \odot \tilde{h}" in as_written(sg.cells.gru)


def test_without_latexify_the_document_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "latexify", None)
    document = tmp_path / "notes.md"
    document.write_text("<!-- symgrad: equations gru --as-written -->\n<!-- symgrad: derive rnn_identity -->\n")
    assert main(["build", str(document)]) == 0
    assert "> latexify-py is not installed here" in document.read_text()
    assert "&= U" in document.read_text()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX is installed (Debian: texlive-latex-recommended)")
def test_every_document_compiles_without_a_warning_about_the_math(tmp_path: Path) -> None:
    pytest.importorskip("pypandoc", reason="the extra docs (pypandoc_binary) is not installed")
    for document in DERIVATIONS.glob("*.md"):
        shutil.copy(document, tmp_path)
    assert main(["build", str(tmp_path), "--to", "tex"]) == 0
    for tex in sorted(tmp_path.glob("*.tex")):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", tex.name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        bad = [line for line in done.stdout.splitlines() if "Overfull" in line or "amsmath Warning" in line or line.startswith("!")]
        assert not bad, (tex.name, bad)
