"""Notebooks: the cells' own text, each character with its place in the ``.ipynb`` file, through the escapes of JSON."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

from symgrad.check.sources.document import Passage, joined

MAX_DEPTH = 60
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_SCALAR = re.compile(r"[-+\w.]+")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_MEANING = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Text(NamedTuple):
    """A string of the file: the offsets between its quotation marks."""

    start: int
    stop: int


class NotANotebook(ValueError):
    """Why a file is none."""


def cells(text: str) -> Iterator[tuple[str, str, Passage]]:
    """``(type, language, source)`` of each cell in order, and of its outputs in LaTeX or Markdown."""
    try:
        json.loads(text)
    except ValueError as e:
        raise NotANotebook(f"this is no notebook, for it is not JSON: {e}") from None
    except RecursionError:
        raise NotANotebook("this is no notebook: its JSON is nested too deeply") from None
    book, _ = _value(text, 0, 0)
    if not isinstance(book, dict) or not isinstance(book.get("cells", _worksheet(book)), list):
        raise NotANotebook("this is no notebook: it has no list of cells")
    language = _language(book, text)
    for cell in book.get("cells", _worksheet(book)):
        if not isinstance(cell, dict):
            continue
        kind = _plain(cell.get("cell_type"), text)
        source = _joined(cell.get("source", cell.get("input")), text)
        if kind in ("markdown", "raw", "heading"):
            yield "markdown", "", source
        elif kind == "code":
            yield "code", language, source
            for output in _listed(cell.get("outputs")):
                data = output.get("data") if isinstance(output, dict) else None
                for mime in ("text/latex", "text/markdown"):
                    if isinstance(data, dict) and mime in data:
                        yield "markdown", "", _joined(data[mime], text)
                        break


def _worksheet(book: Any) -> Any:
    """The cells of a notebook of the third format."""
    sheets = book.get("worksheets") if isinstance(book, dict) else None
    return sheets[0].get("cells") if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict) else None


def _language(book: dict[str, Any], text: str) -> str:
    about = book.get("metadata")
    kernel = about.get("kernelspec") if isinstance(about, dict) else None
    named = kernel.get("language") if isinstance(kernel, dict) else None
    return _plain(named, text).lower() or "python"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(value: Any, text: str) -> str:
    return text[value.start : value.stop] if isinstance(value, Text) else ""


def _joined(value: Any, text: str) -> Passage:
    parts = value if isinstance(value, list) else [value]
    return joined(_decoded(text, part) for part in parts if isinstance(part, Text))


def _decoded(text: str, at: Text) -> Passage:
    r"""The characters that a string of JSON stands for: ``\\n`` starts at its backslash and is one character."""
    if text.find("\\", at.start, at.stop) < 0:
        return Passage(text[at.start : at.stop], range(at.start, at.stop), range(at.start + 1, at.stop + 1))
    out: list[str] = []
    starts, ends = array("q"), array("q")
    done = at.start
    for m in _ESCAPE.finditer(text, at.start, at.stop):
        out.append(text[done : m.start()])
        starts.extend(range(done, m.start()))
        ends.extend(range(done + 1, m.start() + 1))
        character = json.loads(f'"{m[0]}"') if m[0][1] == "u" else _MEANING.get(m[0][1], m[0][1])
        out.append(character if not "\ud800" <= character <= "\udfff" else "\ufffd")
        starts.append(m.start())
        ends.append(m.end())
        done = m.end()
    out.append(text[done : at.stop])
    starts.extend(range(done, at.stop))
    ends.extend(range(done + 1, at.stop + 1))
    return Passage("".join(out), starts, ends)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """A value of JSON that is known to be well formed, strings as their places, and where it ends."""
    if depth > MAX_DEPTH:
        raise NotANotebook("this is no notebook: its JSON is nested too deeply")
    at = _next(text, at)
    opening = text[at]
    if opening == '"':
        m = _STRING.match(text, at)
        assert m is not None, "json.loads has accepted the text"
        return Text(*m.span(1)), m.end()
    if opening not in "{[":
        m = _SCALAR.match(text, at)
        return None, m.end() if m else at + 1
    closing = "}" if opening == "{" else "]"
    members: dict[str, Any] = {}
    values: list[Any] = []
    at = _next(text, at + 1)
    while text[at] != closing:
        if opening == "{":
            key, at = _value(text, at, depth + 1)
            at = _next(text, at) + 1  # the colon
            members[text[key.start : key.stop]], at = _value(text, at, depth + 1)
        else:
            value, at = _value(text, at, depth + 1)
            values.append(value)
        at = _next(text, at)
        if text[at] == ",":
            at = _next(text, at + 1)
    return (members if opening == "{" else values), at + 1


def _next(text: str, at: int) -> int:
    m = _SPACE.match(text, at)
    return m.end() if m else at
