r"""HTML as the reader sees it: tags taken away, entities undone, TeX that MathML and scripts carry put between ``\(`` and ``\)``.

The outcome is a passage in the dialect of Markdown, in which code is fenced and a heading has its ``#``.
"""

from __future__ import annotations

import re

from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.passages import synthetic, unentitied, unquoted
from symgrad.check.sources.scan import FORMULA_URL
from symgrad.check.sources.words import words

_TAG = re.compile(
    r"<!--|<!\[CDATA\[|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?P<attributes>(?:\s+[^\s=>\"'<]+(?:\s*=\s*(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"']*+))?)*+)\s*/?>|<![A-Za-z][^>]*>"
)
_BREAKS = words("""
    p div li ul ol table tr td th section article blockquote figure figcaption dl dt dd header footer main aside hr details summary body br
""")
_TEX_SCRIPT = re.compile(r"""type\s*=\s*["']?math/tex""")
_HIDDEN = words("script style template noscript svg head title del s strike")
_ALT = re.compile(r"""\b(?:alttext|alt)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def visible(source: Passage) -> Passage:
    """The text of a page; what MathJax, KaTeX, LaTeXML or Wikipedia made of a formula gives the TeX it came from."""
    text = source.text
    parts: list[Passage] = []
    endless: set[str] = set()  # elements that the page does not close
    at = 0
    while m := _TAG.search(text, at):
        parts.append(unentitied(source[at : m.start()]))
        at = m.end()
        if m["name"] is None:
            mark = {"<!--": "-->", "<![CDATA[": "]]>"}.get(m[0])
            if mark:
                end = text.find(mark, at)
                if m[0] == "<!--" and "symgrad:" in text[at : max(end, at)]:
                    parts.append(source[m.start() : end + 3])
                at = len(text) if end < 0 else end + len(mark)
            continue
        name, attributes, here = m["name"].lower(), m["attributes"], source.starts[m.start()]
        if name == "script" and not m["end"] and _TEX_SCRIPT.search(attributes):
            at = _mathematics(source, at, "</script", "mode=display" in attributes.replace(" ", ""), parts, here)
        elif name == "math" and not m["end"]:
            at = _mathml(source, m, parts, here)
        elif name == "img" and (address := re.search(rf"{FORMULA_URL}([^\"'<>]+)", attributes)):
            offset = m.start("attributes")
            coded = unentitied(source[offset + address.start(1) : offset + address.end(1)])
            _formula(unquoted(coded, "codecogs" in address[0]), False, parts, here)
        elif name == "img" and (alt := _ALT.search(attributes)) and re.search(r"class\s*=\s*[\"'][^\"']*(?:tex|latex|math)", attributes):
            _formula(_attribute(source, m, alt), False, parts, here)
        elif name in _HIDDEN and not m["end"]:
            closing = None if name in endless else re.compile(rf"</{name}\b[^>]*>", re.IGNORECASE).search(text, at)
            if closing is None:
                endless.add(name)
            at = closing.end() if closing else at
        elif name == "span" and not m["end"] and "katex-html" in attributes:
            past = None if name in endless else _closing_span(text, at)
            if past is None:
                endless.add(name)
            at = past or at
        elif name == "pre":
            parts.append(synthetic("\n\n~~~~\n" if not m["end"] else "\n~~~~\n\n", here))
        elif name in ("code", "tt", "kbd") and not _in_pre(text, m.start()):
            parts.append(synthetic("`", here))
        elif re.fullmatch("h[1-6]", name):
            parts.append(synthetic("\n\n# " if not m["end"] else "\n\n", here))
        elif name in _BREAKS:
            parts.append(synthetic("\n" if name == "br" else "\n\n", here))
    parts.append(unentitied(source[at:]))
    return joined(parts)


def _mathematics(source: Passage, at: int, closing: str, display: bool, parts: list[Passage], here: int) -> int:
    end = source.text.find(closing, at)
    if end < 0:
        return at
    inner = source[at:end].strip()
    _formula(inner if closing == "</script" else unentitied(inner), display, parts, here)
    return end


def _formula(inner: Passage, display: bool, parts: list[Passage], here: int) -> None:
    opening, closing = (r" \[", r"\] ") if display else (r" \(", r"\) ")
    parts += [synthetic(opening, here), inner, synthetic(closing, here)]


def _attribute(source: Passage, tag: re.Match[str], found: re.Match[str]) -> Passage:
    """The value of an attribute found among those of a tag."""
    k = 1 if found[1] is not None else 2
    offset = tag.start("attributes")
    return unentitied(source[offset + found.start(k) : offset + found.end(k)])


def _mathml(source: Passage, m: re.Match[str], parts: list[Passage], here: int) -> int:
    """A ``<math>``: its annotation in TeX, else its ``alttext``; the elements themselves are not read."""
    text = source.text
    end = text.find("</math>", m.end())
    if end < 0:
        return m.end()
    display = 'display="block"' in m["attributes"].replace("'", '"')
    annotation = re.compile(r"<annotation\b[^>]*application/x-tex[^>]*>").search(text, m.end(), end)
    if annotation:
        _mathematics(source, annotation.end(), "</annotation>", display, parts, here)
    elif alt := _ALT.search(m["attributes"]):
        _formula(_attribute(source, m, alt), display, parts, here)
    return end + len("</math>")


def _closing_span(text: str, at: int) -> int | None:
    depth = 1
    for m in re.compile(r"<(/?)span\b[^>]*>", re.IGNORECASE).finditer(text, at):
        depth += -1 if m[1] else 1
        if depth == 0:
            return m.end()
    return None


def _in_pre(text: str, at: int) -> bool:
    return text.rfind("<pre", max(0, at - 20_000), at) > text.rfind("</pre", max(0, at - 20_000), at)
