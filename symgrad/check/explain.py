"""``symgrad explain CODE``: a page for every code, with a wrong and a right example; the pages are Markdown beside this module."""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from pathlib import Path

from symgrad.errors import SymgradError

FOLDER = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its code, its title (the first line), its text."""

    code: str
    title: str
    text: str


@functools.cache
def pages() -> dict[str, Page]:
    """Every page by its code."""
    found = {}
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        found[path.stem] = Page(path.stem, text.split("\n", 1)[0].lstrip("# ").strip(), text)
    return found


def explained(code: str | None) -> str:
    """The page of a code, or the list of all."""
    known = pages()
    if code is None:
        width = max((len(c) for c in known), default=0)
        return "\n".join(f"{c:{width}}  {p.title}" for c, p in known.items())
    if code not in known:
        near = difflib.get_close_matches(code, known, 3)
        raise SymgradError(f"no code {code!r}" + (f"; did you mean {', '.join(near)}?" if near else "") + " `symgrad explain` lists all of them")
    return known[code].text.rstrip("\n")
