"""Rewriting that keeps places: escapes and entities undone, leaders of comments and quotations taken away."""

from __future__ import annotations

import html
import re
import urllib.parse
from array import array
from collections.abc import Callable

from symgrad.check.sources.document import Passage


def rewritten(source: Passage, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> Passage:
    """Every match replaced; the characters that come in its stead start and end where the match does."""
    text: list[str] = []
    starts, ends = array("q"), array("q")
    at = 0
    for m in pattern.finditer(source.text):
        new = replace(m)
        i, j = m.span()
        if new == m[0] or i == j:
            continue
        text += (source.text[at:i], new)
        starts.extend(source.starts[at:i])
        ends.extend(source.ends[at:i])
        starts.extend([source.starts[i]] * len(new))
        ends.extend([source.ends[j - 1]] * len(new))
        at = j
    if not at:
        return source
    text.append(source.text[at:])
    starts.extend(source.starts[at:])
    ends.extend(source.ends[at:])
    return Passage("".join(text), starts, ends)


def synthetic(text: str, offset: int) -> Passage:
    """Characters that no file holds, of no width."""
    return Passage(text, array("q", [offset] * len(text)), array("q", [offset] * len(text)))


ENTITY = re.compile(r"&(?:[a-zA-Z]{2,12}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_SCRIPT = re.compile(r"</?su[bp]>", re.IGNORECASE)
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]|\u00a0|<br\\s*/?>")
_STYLED = re.compile(r"<(b|i|u|em|strong|mark|span)(?:\s[^<>]*)?>(?=[^<>]*</\1>)|</(?:b|i|u|em|strong|mark|span)>")
_QUOTED = re.compile(r"\n[ \t]*>[ \t>]*")
_ESCAPES = re.compile(r"\\\\\\\\|\\\*|(?<![A-Za-z])([A-Za-z}\]])\\_(?=[\w{\\])|\}\\_|\\_(?=\{)|\\<[^<>{}]*\\>")
_DOUBLED = re.compile(r"\\\\(?=[{}%$,;!:|])")
_TEXTUAL = re.compile(r"\\(?:text|mathrm|operatorname)\w*\s*\{[^{}]*\\_")


def unentitied(source: Passage) -> Passage:
    """HTML's entities undone."""
    return rewritten(source, ENTITY, lambda m: html.unescape(m[0])) if "&" in source.text else source


_QUOTE = re.compile(r"(?:%[89a-fA-F][0-9a-fA-F])+|%[0-7][0-9a-fA-F]|&space;|\+")


def unquoted(source: Passage, plus: bool = False) -> Passage:
    """What stands in an address, percent signs undone; `+` is a space unless it is a `plus`."""

    def meant(m: re.Match[str]) -> str:
        if m[0][0] == "%":
            return urllib.parse.unquote(m[0], errors="replace")
        return "+" if plus and m[0] == "+" else " "

    return rewritten(source, _QUOTE, meant)


def scripted(source: Passage) -> Passage:
    """``h<sub>t</sub>`` as ``h_{t}``."""
    if "<su" not in source.text:
        return source
    return rewritten(source, _SCRIPT, lambda m: "}" if m[0][1] == "/" else "_{" if m[0][-2] in "bB" else "^{")


def math_of_markdown(source: Passage, quoted: bool, doubled: bool) -> Passage:
    r"""A formula as TeX gets it: ``\_``, ``\*``, ``\<t\>`` and ``\\\\`` that were written for a Markdown reader, entities, marks of quotation."""
    found = unentitied(source)
    if not found.text.isascii() or "<br" in found.text:
        found = rewritten(found, _INVISIBLE, lambda m: "" if m[0] not in "\u00a0" and m[0][0] != "<" else " ")
    if "</" in found.text:
        found = rewritten(found, _STYLED, lambda m: "")
    if quoted and "\n" in found.text:
        found = rewritten(found, _QUOTED, lambda m: "\n")
    if doubled:
        found = rewritten(found, _DOUBLED, lambda m: "\\")
    if "\\" in found.text and not _TEXTUAL.search(found.text):
        found = rewritten(found, _ESCAPES, _unescaped)
    return found


def _unescaped(m: re.Match[str]) -> str:
    if m[0] == "\\\\\\\\":
        return "\\\\"
    return f"<{m[0][2:-2]}>" if m[0][:2] == "\\<" else m[0].replace("\\", "", 1)
