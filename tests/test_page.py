"""Pages: self-contained, with verdicts beside their claims, links between them, and nothing that a browser complains of."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from chromium import MISSING, Chromium, installed

from symgrad.cli import main
from symgrad.document.font import available
from symgrad.document.page import listing_page
from symgrad.document.verdicts import insertions, listing, own_hand, verdicts

pytest.importorskip("pypandoc", reason="the extra docs (pypandoc_binary) is not installed")

DERIVATIONS = Path(__file__).parent.parent / "derivations"
NOTES = r"""# Notes on a network

The cell is

<!-- symgrad: equations rnn -->
<!-- /symgrad -->

<!-- symgrad: derive rnn -->
<!-- /symgrad -->

By hand, once right and once with the factors exchanged:

$$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) U$$

<!-- symgrad: expect refuted -->
$$
\frac{\partial h_t}{\partial h_{t-1}} = U \operatorname{diag}(1 - h_t^2)
$$

See [the other](other.md#there), and <https://example.org>.

![A picture](figures/dot.svg)
"""
DOT = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle id="c" r="4" cx="4" cy="4"/><use href="#c"/></svg>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "notes"
    (out / "figures").mkdir(parents=True)
    (out / "notes.md").write_text(NOTES)
    (out / "other.md").write_text("# The *other*\n\n## There\n\n$x$\n")
    (out / "README.md").write_text("# All of it\n\nFirst [other](other.md), then [notes](notes.md).\n")
    (out / "figures" / "dot.svg").write_text(DOT)
    return out


def test_a_page_stands_alone(folder: Path) -> None:
    assert main(["build", str(folder), "--to", "html"]) == 0
    page = (folder / "notes.html").read_text()
    assert not re.search(r'<(?:link|script|img|iframe)[^>]*(?:src|href)="(?!data:)', page)
    assert "@import" not in page
    assert not re.search(r"url\((?!data:|#)", page)
    assert '<circle id="dot-c"' in page
    assert 'href="#dot-c"' in page
    assert 'href="other.html#there"' in page
    assert 'href="https://example.org"' in page
    assert "<!-- symgrad" not in page
    if available():
        assert "font/woff" in page


def test_pages_lead_to_each_other_in_the_order_of_the_readme(folder: Path) -> None:
    assert main(["build", str(folder), "--to", "html"]) == 0
    index, other, notes = ((folder / f"{n}.html").read_text() for n in ("index", "other", "notes"))
    assert not (folder / "README.html").exists()
    assert "<title>All of it</title>" in index
    assert 'rel="next" href="other.html">The other →' in index
    assert 'rel="prev" href="index.html">← All of it' in other
    assert 'rel="next" href="notes.html">Notes on a network →' in other
    assert 'rel="next"' not in notes


def test_a_folder_without_a_readme_gets_a_page_of_contents(folder: Path) -> None:
    (folder / "README.md").unlink()
    assert main(["build", str(folder), "--to", "html"]) == 0
    assert '<a href="notes.html">Notes on a network</a>' in (folder / "index.html").read_text()
    assert "&lt;b&gt;" in listing_page("<b>", [])


def test_derived_blocks_can_be_copied(folder: Path) -> None:
    assert main(["build", str(folder / "notes.md"), "--to", "html"]) == 0
    page = (folder / "notes.html").read_text()
    assert page.count('class="derived"') == 2
    assert "dh_dh_prev = np.diag(1 - h**2) @ U" in page
    assert r"\operatorname{diag}(1 - h_t^2)\, U" in page
    assert "J = MatMul(" in page
    assert "<code>symgrad derive rnn</code>" in page


def test_verdicts_stand_beside_their_claims(folder: Path) -> None:
    assert main(["build", str(folder / "notes.md"), "--to", "html"]) == 0
    page = (folder / "notes.html").read_text()
    assert page.index("✓ proved") < page.index("✗ refuted")
    assert len(re.findall(r'<span class="verdict (?:proved|refuted) display"', page)) == 2
    assert "2 claims checked" in page
    for anchor in re.findall(r'href="#((?:verdict|claim)[^"]*)"', page):
        assert f'id="{anchor}"' in page


def test_only_what_is_written_by_hand_is_judged() -> None:
    text = NOTES.replace("<!-- symgrad: derive rnn -->\n", "<!-- symgrad: derive rnn -->\n$$\\frac{\\partial h_t}{\\partial h_{t-1}} = W$$\n")
    text = text.replace("equations rnn -->\n", "equations rnn -->\n$$h_t = \\tanh(W x_t + U h_{t-1} + b)$$\n")
    assert len(own_hand(text, "x").split("\n")) == len(text.split("\n"))
    found = verdicts(text, "x.md")
    assert [c.verdict for c in found.claims] == ["proved", "refuted"]
    assert found.expected == {1}
    places = list(insertions(found))
    lines = text.split("\n")
    assert [lines[line - 1][:column - 1].endswith("$$") for line, column, _ in places] == [True, True]
    assert ", as this page says" in listing(found)


def test_a_message_cannot_become_markup(folder: Path) -> None:
    text = "# x\n\n$$h_t = \\tanh(W x_t + U h_{t-1} + b)$$\n\n$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\text{<script>alert(1)</script>} + q$$\n"
    (folder / "other.md").write_text(text)
    assert main(["build", str(folder / "other.md"), "--to", "html"]) == 0
    page = (folder / "other.html").read_text()
    assert "1 claim checked" in page
    assert page.count("<script") == 1


def test_what_has_not_changed_is_not_built_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def built() -> str:
        assert main(["build", str(folder), "--to", "md,html"]) == 0
        return capsys.readouterr().err

    assert "unchanged" not in built()
    assert built().count("unchanged") == 3
    (folder / "notes.html").unlink()
    assert built().count("unchanged") == 2
    (folder / "figures" / "dot.svg").write_text(DOT.replace("4", "3"))
    assert built().count("unchanged") == 2
    (folder / "other.md").write_text("# Another\n")  # its title stands on the pages around it
    assert "unchanged" not in built()
    (folder / "notes.html").write_text("changed by hand")
    assert built().count("unchanged") == 2
    assert built().count("unchanged") == 3


def test_a_document_with_a_cell_of_its_own_is_always_built(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.py").write_text("def decay(x, h, *, W, k):\n    return k * h + W @ x\n")
    (folder / "other.md").write_text("# Other\n\n<!-- symgrad: derive mine.py:decay -->\n<!-- /symgrad -->\n")
    assert main(["build", str(folder)]) == 0
    (folder / "mine.py").write_text("def decay(x, h, *, W, k):\n    return k * k * h + W @ x\n")
    capsys.readouterr()
    assert main(["build", str(folder)]) == 0
    assert capsys.readouterr().err.count("unchanged") == 2
    assert "k^2" in (folder / "other.md").read_text()


def test_a_check_derives_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(folder)]) == 0
    capsys.readouterr()
    assert main(["build", str(folder), "--check"]) == 0
    assert "unchanged" not in capsys.readouterr().err


def test_a_failed_page_leaves_the_old_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(folder), "--to", "html"]) == 0
    old = (folder / "notes.html").read_text()
    (folder / "notes.md").write_text(NOTES + "\n$$\\notacommand{x$$\n")
    assert main(["build", str(folder), "--to", "html"]) == 2
    assert "pandoc failed" in capsys.readouterr().err
    assert (folder / "notes.html").read_text() == old


def test_a_format_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(folder), "--to", "docx"]) == 2
    assert "the formats are md, tex, html, pdf" in capsys.readouterr().err


def test_pdf(folder: Path) -> None:
    if shutil.which("latexmk") is None or shutil.which("pdflatex") is None:
        pytest.skip("no TeX is installed (Debian: latexmk texlive-latex-recommended texlive-fonts-recommended)")
    (folder / "notes.md").write_text(NOTES.replace("![A picture](figures/dot.svg)", ""))
    assert main(["build", str(folder / "notes.md"), "--to", "pdf"]) == 0
    assert (folder / "notes.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "figures", "notes.md", "notes.pdf", "other.md"]


def test_without_a_tex_the_message_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(["build", str(folder / "other.md"), "--to", "tex,pdf"]) == 2
    assert "apt install latexmk" in capsys.readouterr().err
    assert (folder / "other.tex").is_file()


def test_many_documents_on_many_cores_give_the_same_bytes(folder: Path) -> None:
    assert main(["build", str(folder), "--to", "html"]) == 0
    together = (folder / "notes.html").read_bytes()
    for other in ("README.html", "index.html", "other.html", "notes.html"):
        (folder / other).unlink(missing_ok=True)
    assert main(["build", str(folder), "--to", "html"]) == 0
    assert (folder / "notes.html").read_bytes() == together


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(DERIVATIONS.glob("*.md")) if "symgrad: expect" in p.read_text()],
    ids=lambda p: p.name,
)
def test_the_sheets_are_judged_as_they_say(path: Path) -> None:
    found = verdicts(path.read_text(), str(path))
    assert found.expected
    assert {found.claims[k].latex: f"{want}, but {found.claims[k].message}" for k, want in found.disputed.items()} == {}


# -- in a browser ------------------------------------------------------------------------------------------------------------------


MODES = {"desk": (1280, False), "phone": (360, False), "phone, dark": (360, True)}


def opened(folder: Path, width: int, dark: bool) -> Chromium:
    if not installed():
        pytest.skip(MISSING)
    try:
        return Chromium(folder, width, 900, dark)
    except (OSError, RuntimeError, subprocess.SubprocessError) as e:
        pytest.skip(f"Chromium does not start here: {e}")


def complaints(browser: Chromium, page: Path) -> list[str]:
    """Everything that is wrong with a page in this browser."""
    browser.console()
    browser.requests()
    browser.open(page)
    found = [f"console: {line}" for line in browser.console()]
    found += [f"asks for {u}" for u in browser.requests() if not u.startswith("file:")]
    if not browser.script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
        found.append("wider than the window")
    wide = browser.script("return [...document.querySelectorAll('.formula')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)")
    found += [f"a formula wider than the page: {text}" for text in wide]
    if not browser.script("return [...document.fonts].every(f => f.status == 'loaded')"):
        found.append("the font does not load")
    return found


def test_the_pages_of_the_project_in_a_browser(folder: Path, tmp_path: Path) -> None:
    if not installed():
        pytest.skip(MISSING)
    out = folder.parent / "derivations"
    shutil.copytree(DERIVATIONS, out, ignore=shutil.ignore_patterns("*.html", "*.tex", "*.pdf"))
    assert main(["build", str(out), "--to", "html"]) == 0
    pages = sorted(out.rglob("*.html"))
    assert len(pages) == len(list(out.rglob("*.md")))
    for mode, (width, dark) in MODES.items():
        browser = opened(tmp_path / mode, width, dark)
        try:
            assert {(mode, p.name): c for p in pages if (c := complaints(browser, p))} == {}
            if available():
                assert browser.script("return document.fonts.size") == 1
            browser.open(out / "rnn.html")
            browser.script("navigator.clipboard.writeText = async text => { window.copied = text; }; document.querySelector('.copy button').click()")
            copied = browser.script("return window.copied")
            assert copied == browser.script("return document.querySelector('.source pre').textContent")
            assert copied.startswith(r"\begin{aligned}")
        finally:
            browser.close()


def test_the_browser_sees_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="http://127.0.0.1:9/x.png"><div style="width: 3000px">wide</div><script>console.error("no")</script>')
    browser = opened(tmp_path / "profile", 360, False)
    try:
        found = complaints(browser, bad)
    finally:
        browser.close()
    assert "wider than the window" in found
    assert any(c.startswith("asks for http:") for c in found)
    assert any(c.startswith("console:") and "no" in c for c in found)
