"""Markdown to TeX, PDF and HTML: pandoc (the extra ``docs`` brings it in a wheel) and, for PDF, the latexmk of an installed TeX."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from symgrad.errors import SymgradError

MARKDOWN = "markdown+gfm_auto_identifiers+lists_without_preceding_blankline-blank_before_header-blank_before_blockquote"
PANDOC_MISSING = "pandoc, which converts Markdown, is not installed: pip install 'symgrad[docs]'"
TEX_MISSING = (
    "--to pdf needs latexmk and a TeX: on Debian and Ubuntu `apt install latexmk texlive-latex-recommended texlive-fonts-recommended`, "
    "elsewhere TeX Live, MacTeX or MiKTeX; --to tex needs none"
)
_UNSET = re.compile(r"Could not convert TeX math(?:(?!\[WARNING\]).)*", re.DOTALL)  # a page would show the bare TeX
_FIGURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\.svg((?:\s[^)]*)?)\)")


@functools.cache
def pandoc() -> str:
    """Where pandoc is."""
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError):
        found = shutil.which("pandoc")
    if found is None:
        raise SymgradError(PANDOC_MISSING)
    return found


def latexmk() -> str:
    """Where latexmk is, if there is a TeX for it."""
    found = shutil.which("latexmk")
    if found is None or shutil.which("pdflatex") is None:
        raise SymgradError(TEX_MISSING)
    return found


def _converted(markdown: str, path: Path, *options: str) -> str:
    done = subprocess.run(
        [pandoc(), "--from", MARKDOWN, "--sandbox", "--strip-comments", *options],
        input=markdown, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    unset = _UNSET.search(done.stderr)
    if done.returncode or unset:
        raise SymgradError(f"{path}: pandoc failed: {unset[0].strip() if unset else done.stderr.strip()}")
    return done.stdout


def to_tex(markdown: str, path: Path) -> str:
    """A standalone LaTeX document of a Markdown one; a figure that is an SVG is drawn in as the PDF or PNG beside it, or else named."""
    return _converted(_drawable(markdown, path), path, "--to", "latex-auto_identifiers", "--standalone", "-V", "geometry:margin=2.5cm", "-V", "colorlinks")


def _drawable(markdown: str, path: Path) -> str:
    def other(m: re.Match[str]) -> str:
        suffix = next((s for s in (".pdf", ".png") if (path.parent / (m[2] + s)).is_file()), "")
        return f"![{m[1]}]({m[2]}{suffix}{m[3]})" if suffix else f"*{m[1]}* ({m[2]}.svg, which TeX cannot draw in)"

    return _FIGURE.sub(other, markdown)


def to_pdf(tex: str, path: Path) -> bytes:
    """The PDF of a TeX document that stands at `path`, made in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "document.tex")
        source.write_text(tex, encoding="utf-8")
        done = subprocess.run(
            [latexmk(), "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", source.name], cwd=folder, capture_output=True,
            encoding="utf-8", errors="replace", check=False, env={**os.environ, "TEXINPUTS": f"{path.parent.resolve()}:", "SOURCE_DATE_EPOCH": "0"},
        )  # fmt: skip
        made = source.with_suffix(".pdf")
        if done.returncode or not made.is_file():
            said = [line for line in done.stdout.splitlines() if line.startswith(("!", "l."))]
            raise SymgradError(f"{path}: TeX failed: {' '.join(said[:3]) or done.stderr.strip()[-300:]}")
        return made.read_bytes()


def to_html(markdown: str, path: Path) -> tuple[str, str]:
    """The contents and the body of a page, the mathematics as MathML."""
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as template:
        template.write("$toc$\x1f$body$")
        template.flush()
        text = _converted(markdown, path, "--to", "html5", "--mathml", "--standalone", "--toc", "--toc-depth=2", "--template", template.name,
                          "--metadata", f"pagetitle={path.stem}", "--wrap=none", "--no-highlight")  # fmt: skip
    contents, _, body = text.partition("\x1f")
    return contents, body
