r"""Documents in: a file of any kind becomes a `Document` of fragments that know their places.

`read` takes a path, `read_text` text and its kind: ``md`` (Markdown, plain text, reStructuredText), ``tex``, ``ipynb``, ``html``, or the
suffix of a program (``py``), whose comments and strings are read.  Nothing here is ever evaluated, and everything is bounded.
"""

from __future__ import annotations

import re
from pathlib import Path

from symgrad.check.sources import code, notebook, reading
from symgrad.check.sources.document import Directive, Document, Fragment, Passage, Problem, passage
from symgrad.errors import SymgradError

__all__ = ["Directive", "Document", "Fragment", "Passage", "Problem", "decoded", "drawn_in", "guessed", "kind_of", "read", "read_text"]

MAX_CHARACTERS = 5_000_000
MAX_BYTES = 60_000_000
KINDS = {
    **dict.fromkeys((".md", ".markdown", ".mdx", ".txt", ".text", ".rst", ".qmd", ".rmd", ".org", ".adoc"), "md"),
    **dict.fromkeys((".tex", ".ltx", ".latex"), "tex"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".ipynb": "ipynb",
}


def kind_of(path: Path) -> str:
    """The kind of a file by its name; anything unknown is plain text."""
    suffix = path.suffix.lower()
    return KINDS.get(suffix) or (suffix[1:] if suffix[1:] in code.FAMILY else "md")


def guessed(text: str) -> str:
    """The kind of a text that has no name."""
    head = text[:4000]
    if head.lstrip()[:1] == "{" and '"cells"' in text:
        return "ipynb"
    marked = re.search(r"^#{1,6} |^```", head, re.MULTILINE)
    if not marked and re.search(r"\\documentclass|\\begin\{document\}|\\(?:re)?newcommand|^\\section", head, re.MULTILINE):
        return "tex"
    return "html" if re.match(r"\s*(?:<!doctype html|<html|<head|<body)", head, re.IGNORECASE) else "md"


def read(path: str | Path, *, inputs: bool = False) -> Document:
    r"""Read a file; with `inputs` the macros of the files that it draws in by ``\input`` from its own folder are known too."""
    path = Path(path)
    text = decoded(path)
    kind = kind_of(path)
    preamble = drawn_in(path, text) if inputs and kind == "tex" else []
    return read_text(text, kind, name=str(path), preamble=preamble, inputs=inputs)


def decoded(path: Path) -> str:
    """A file's text: UTF-8, or UTF-16 by its mark, or Latin-1; `SymgradError` if it is none."""
    try:
        if not path.is_file():
            raise SymgradError(f"{path}: {'this is no ordinary file' if path.exists() else 'no such file'}")
        if path.stat().st_size > MAX_BYTES:
            raise SymgradError(f"{path}: more than {MAX_BYTES // 1_000_000} MB; split it")
        raw = path.read_bytes()
    except OSError as e:
        raise SymgradError(f"{path}: cannot be read: {e.strerror or e}") from None
    return text_of(raw, str(path))


def text_of(raw: bytes, name: str) -> str:
    """The characters of a file, every line ending in ``\\n``."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = raw.decode("utf-16", errors="replace")
    elif b"\x00" in raw:
        raise SymgradError(f"{name}: this is no text: it holds NUL bytes")
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    return _lines(text)


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def drawn_in(path: Path, text: str) -> list[str]:
    """The texts of the files drawn in, none outside the document's folder, each once, 50 at most."""
    root = path.resolve().parent
    found: list[str] = []
    seen = {path.resolve()}
    waiting = [name for _, name in reading.inputs(text)]
    while waiting and len(seen) < 50:
        name = waiting.pop(0)
        there = (root / (name if name.endswith(".tex") else name + ".tex")).resolve()
        if there in seen or not there.is_relative_to(root) or not there.is_file():
            continue
        seen.add(there)
        found.append(decoded(there))
        waiting += [n for _, n in reading.inputs(found[-1])]
    return found


def read_text(text: str, kind: str = "", *, name: str = "<text>", preamble: list[str] | None = None, inputs: bool = False) -> Document:
    """Read a text of a kind (guessed if it is not told); what cannot be read stands in the document's problems."""
    text = _lines(text)
    kind = kind or guessed(text)
    if len(text) > (MAX_BYTES if kind == "ipynb" else MAX_CHARACTERS):
        problem = Problem(0, "too-large", f"the document has more than {MAX_CHARACTERS:,} characters; split it")
        return Document(name, text, kind, (), (), (problem,))
    work = reading.Reading(text)
    source = passage(text)
    said = list(reading.directives(text))
    for part in preamble or ():
        work.macros.collect(passage(part))
    match kind:
        case "tex":
            reading.read_tex(work, source)
            if not inputs:
                why = "is not followed (--inputs follows files of the same folder)"
                work.problems += [Problem(at, "input-not-read", f"\\input{{{file}}} {why}", file) for at, file in reading.inputs(text)[:20]]
        case "html":
            reading.read_html(work, source)
        case "ipynb":
            reading.read_notebook(work, source)
            if "symgrad:" in text and not work.problems:
                said = list(reading.directives(text, (cell for _, _, cell in notebook.cells(text))))
        case _ if kind in code.FAMILY:
            reading.read_program(work, source, kind)
        case _:
            reading.read_markdown(work, source)
    return reading.finished(work, name, kind, said)
