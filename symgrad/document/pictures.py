"""The pictures of a document: files beside it, drawn anew, and compared as pictures, not as bytes.

Two SVGs are the same picture where their text is the same but for the last digits of coordinates and the names that hash them.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.figures.command import named
from symgrad.figures.plot import plot
from symgrad.figures.style import DRAWN_WITH, MissingMatplotlib, drawn_with

NEAR = 0.02  # points
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+")
_HASHED = re.compile(r"\b[a-z]{1,2}[0-9a-f]{10}\b")


def same(a: bytes, b: bytes) -> bool:
    """Whether two SVGs show the same."""
    if a == b:
        return True
    (one, x), (other, y) = map(_taken_apart, (a.decode(errors="replace"), b.decode(errors="replace")))
    return one == other and len(x) == len(y) and all(abs(p - q) <= NEAR for p, q in zip(x, y, strict=True))


def _taken_apart(svg: str) -> tuple[str, list[float]]:
    """The text without its numbers, hashed names in the order in which they appear; the numbers."""
    names: dict[str, str] = {}
    text = _HASHED.sub(lambda m: names.setdefault(m[0], f"name{chr(97 + len(names) % 26)}{len(names) // 26 * 'z'}"), svg)
    return _NUMBER.sub("#", text), [float(n) for n in _NUMBER.findall(text)]


def draw(args: argparse.Namespace, path: Path, pdf: bool, check: bool) -> tuple[str, str]:
    """Draw the picture of a directive beside its document, or only compare it; what is stale, and what is to be noted.

    Raises `MissingMatplotlib` where nothing can be drawn and there is no picture.
    """
    name, _ = named(args)
    file = path.parent / name
    try:
        old = file.read_bytes()
    except OSError:
        old = b""
    try:
        new = plot(load(args.cell), args.kind)
    except MissingMatplotlib as e:
        if not old:
            raise
        return "", f"pictures are left as they are: {e}"
    differs = not same(old, new)
    if check and old and differs and (other := DRAWN_WITH.search(old.decode(errors="replace"))) and other[0] != drawn_with():
        return "", f"pictures are not compared: they were drawn with {other[0]}, here is {drawn_with()}"
    if check:
        return (f"{file}: {'no longer what is drawn now' if old else 'missing'}\n" if differs else ""), ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if differs:
            file.write_bytes(new)
        if pdf:
            file.with_suffix(".pdf").write_bytes(plot(load(args.cell), args.kind, "pdf"))
    except OSError as e:
        raise SymgradError(f"{file}: cannot be written: {e.strerror}") from None
    return "", ""
