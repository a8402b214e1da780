"""A document as one self-contained page: no script needed to read it, and nothing is fetched from anywhere.

Pandoc sets the Markdown; here derived blocks get their origin and their copies, claims their verdicts, long formulas their breaks,
figures and the font of the mathematics are inlined.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from symgrad import __version__
from symgrad.document.convert import to_html
from symgrad.document.directives import MARKDOWN, Block, split
from symgrad.document.font import font_face
from symgrad.document.reflow import reflowed
from symgrad.document.verdicts import SIGN, WORDS, Verdicts, insertions, listing

_TITLE = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_LINK = re.compile(r'href="([^"#:]+\.md)(#[^"]*)?"')
_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="([^":]+)"[^>]*?>')
_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
_FENCE = "``````"
LEAST = 0.6  # of its own size, the least at which a picture is shown


@dataclass(frozen=True)
class Place:
    """Where a page stands among others: the pages before and after it as (address, title), addresses of documents, the contents."""

    before: tuple[str, str] | None = None
    after: tuple[str, str] | None = None
    home: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)  # resolved document → file of its page


@cache
def asset(name: str) -> str:
    """A file that every page is made with."""
    return files("symgrad.document").joinpath("assets", name).read_text(encoding="utf-8")


def page(text: str, path: Path, copies: Mapping[int, Sequence[tuple[str, str]]], found: Verdicts, place: Place) -> str:
    """The page of a document; `copies` are, by the line of its directive, the forms in which a block's result can be copied."""
    contents, body = to_html(marked(text, str(path), copies, found), path)
    body, characters = reflowed(body)
    body = _IMAGE.sub(lambda m: _inlined(m, path), body)
    body = _LINK.sub(lambda m: _link(m, path, place), body)
    title = _TITLE.search(body)
    name = " ".join(_TAG.sub("", title[1]).split()) if title else path.stem
    if standing := _standing(found, len(copies)):
        body = _TITLE.sub(lambda m: m[0] + standing, body, count=1) if title else standing + body
    sidebar = f'<nav class="contents" aria-label="On this page"><details open><summary>On this page</summary>{contents}</details></nav>\n' if contents else ""
    style = (font_face(characters) if characters else "") + asset("page.css")
    return _whole(name, style, sidebar, _way(place, ""), body, _way(place, " below") + _notice(bool(characters)))


def listing_page(title: str, pages: Sequence[tuple[str, str]]) -> str:
    """A page of contents: links to the others, by (address, title)."""
    items = "".join(f'<li><a href="{escape(address)}">{escape(name)}</a></li>\n' for address, name in pages)
    return _whole(title, asset("page.css"), "", "", f"<h1>{escape(title)}</h1>\n<ul>\n{items}</ul>", _notice(False))


def _whole(title: str, style: str, sidebar: str, way: str, body: str, foot: str) -> str:
    script = asset("page.js").strip()
    digest = "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(asset("page.html")).substitute(
        lang="en", version=__version__, title=escape(title, quote=False), style=style, script=script, digest=digest, sidebar=sidebar, way=way,
        body=body.strip(), foot=foot,
    )  # fmt: skip


def marked(text: str, name: str, copies: Mapping[int, Sequence[tuple[str, str]]], found: Verdicts) -> str:
    """The document for pandoc: marks behind its claims, every derived block in a division of its own, the list of claims at the end."""
    marks: dict[int, list[tuple[int, str]]] = {}
    for line, column, mark in insertions(found):
        marks.setdefault(line, []).append((column, mark))
    out: list[str] = []
    number = 1
    for part in split(text.split("\n"), MARKDOWN, name):
        if isinstance(part, Block):
            out += ["", "::: {.derived}", "", *part.body, "", *_origin(part, copies.get(part.line, ())), "", ":::", ""]
            number = part.line + len(part.body) + 2
        else:
            for column, mark in sorted(marks.get(number, ()), reverse=True):
                part = part[: column - 1] + mark + part[column - 1 :]
            out.append(part)
            number += 1
    return "\n".join(out) + listing(found)


def _origin(block: Block, copies: Sequence[tuple[str, str]]) -> list[str]:
    """The command that derived a block, and its result for other programs."""
    command = f"<code>symgrad {escape(' '.join(block.command))}</code>"
    if not copies:
        inner = f"<span>{command}</span>"
    else:
        figures = "".join(f"<figure><figcaption>{kind}</figcaption><pre><code>{escape(text, quote=False)}</code></pre></figure>" for kind, text in copies)
        inner = f'<details class="source"><summary>{command}</summary>{figures}</details>'
    return [f"{_FENCE}{{=html}}", f'<div class="origin">{inner}</div>', _FENCE]


def _standing(found: Verdicts, derived: int) -> str:
    """One line below the title: what on this page is derived, and what is checked."""
    said = [f"{derived} block{'s' * (derived != 1)} derived" if derived else ""]
    counts = ", ".join(
        f'<span class="verdict {v}">{SIGN[v]}\u00a0{n}\u00a0{v}</span>' for v in WORDS if (n := found.count(v))
    )
    if counts:
        said.append(f'<a href="#verdicts">{len(found.claims)} claim{"s" * (len(found.claims) != 1)} checked</a>: {counts}')
    text = " · ".join(s for s in said if s)
    return f'<p class="standing">{text}</p>' if text else ""


def _way(place: Place, kind: str) -> str:
    parts = []
    if place.before:
        parts.append(f'<a rel="prev" href="{escape(place.before[0])}">← {escape(place.before[1])}</a>')
    if place.home:
        parts.append(f'<a href="{escape(place.home)}">Contents</a>')
    if place.after:
        parts.append(f'<a rel="next" href="{escape(place.after[0])}">{escape(place.after[1])} →</a>')
    return f'<nav class="way{kind}" aria-label="Pages">{"".join(parts)}</nav>\n' if parts else ""


def _notice(mathematics: bool) -> str:
    font = ' The mathematics is set in <a href="https://www.stixfonts.org">STIX Two Math</a> (SIL Open Font License 1.1).' if mathematics else ""
    return f'<p class="notice">Made by symgrad {__version__}.{font}</p>\n'


def _link(m: re.Match[str], path: Path, place: Place) -> str:
    target = place.addresses.get(str((path.parent / m[1]).resolve()))
    return f'href="{target}{m[2] or ""}"' if target else m[0]


def _inlined(m: re.Match[str], path: Path) -> str:
    """A picture in the page itself: an SVG as it is, another as data."""
    file = path.parent / m[1]
    if not file.is_file():
        return m[0]
    if file.suffix == ".svg":
        svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata\b.*?</metadata>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL).strip()
        own = re.sub(r"[^A-Za-z0-9]", "-", file.stem)
        svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}-", svg)  # two figures of one page must not share names
        alt = re.search(r'\balt="([^"]*)"', m[0])
        width = re.search(r'<svg\b[^>]*?\bwidth="([\d.]+)pt"', svg)
        least = f' style="min-width:{float(width[1]) * LEAST:.0f}pt"' if width else ""  # a wider picture is scrolled on a phone, not made unreadable
        return re.sub(r"<svg\b", f'<svg role="img" aria-label="{alt[1] if alt else ""}"{least}', svg, count=1)
    kind = _MEDIA.get(file.suffix.lower())
    return m[0].replace(f'"{m[1]}"', f'"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"', 1) if kind else m[0]
