"""Pages among pages: in which order a folder's README leads through its documents, and what the page before and after is called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symgrad.document.page import Place, listing_page

_HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+\.md)(?:#[^)\s]*)?\)")


@dataclass(frozen=True)
class Site:
    """The documents that become pages, in order, by the folder that was asked for."""

    folders: tuple[tuple[Path, tuple[Path, ...]], ...] = ()
    titles: dict[Path, str] = field(default_factory=dict)

    def page(self, path: Path) -> Path:
        """The file of a document's page."""
        leads = any(path == folder / "README.md" for folder, _ in self.folders)
        return path.with_name("index.html") if leads else path.with_suffix(".html")

    def place(self, path: Path) -> Place:
        """The pages around a document's page."""
        for folder, documents in self.folders:
            if path in documents:
                home = folder / "index.html"
                k = documents.index(path)
                others = {str(d.resolve()): _relative(self.page(d), path) for d in documents}
                return Place(
                    self._named(documents[k - 1], path) if k else None,
                    self._named(documents[k + 1], path) if k + 1 < len(documents) else None,
                    "" if self.page(path) == home else _relative(home, path), others,
                )  # fmt: skip
        return Place()

    def context(self, path: Path) -> str:
        """All that a page says of others, for its stamp."""
        place = self.place(path)
        return repr((place.before, place.after, place.home, sorted(place.addresses.values())))

    def listings(self) -> Iterator[tuple[Path, str]]:
        """A page of contents for every folder without a README."""
        for folder, documents in self.folders:
            if folder / "README.md" not in documents:
                home = folder / "index.html"
                yield home, listing_page(folder.resolve().name, [(_relative(self.page(d), home), self.titles[d]) for d in documents])

    def _named(self, document: Path, path: Path) -> tuple[str, str]:
        return _relative(self.page(document), path), self.titles[document]


def site(documents: Sequence[Path], folders: Sequence[Path]) -> Site:
    """The documents of each folder in the order in which its README links to them, then the others by name."""
    titles = {d: _title(d) for d in documents}
    out = []
    for folder in folders:
        inside = [d for d in documents if d.is_relative_to(folder)]
        readme = folder / "README.md"
        order = [readme] if readme in inside else []
        if order:
            order += [t for name in _LINK.findall(_text(readme)) if (t := readme.parent / name) in inside]
        if inside:
            out.append((folder, tuple(dict.fromkeys([*order, *inside]))))
    return Site(tuple(out), titles)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _title(path: Path) -> str:
    found = _HEADING.search(_text(path))
    return re.sub(r"[*`$\\]", "", found[1]) if found else path.stem


def _relative(target: Path, path: Path) -> str:
    return Path(os.path.relpath(target, path.parent)).as_posix()
