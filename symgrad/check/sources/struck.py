r"""Text that its author has taken back: struck out, ``~~$h_t = \tanh(a_t)$~~``, or switched off, ``\iffalse ... \fi``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symgrad.check.sources.document import Passage
from symgrad.check.sources.macros import without

_FORMULA = re.compile(r"\$[^$]+\$|\\\(|\\\[|`[^`]+`|\w.*[=≈≡].*\w")
_TILDES = re.compile(r"(?<![~\\\w$=})\]])~~(?=[^\s~])((?:(?!\n[ \t]*\n)[^~])+)(?<=\S)~~(?!~)")
_DELETED = re.compile(r"<(del|strike)(?:\s[^<>]{0,200})?>.{0,4000}?</\1\s*>", re.DOTALL | re.IGNORECASE)  # ``<s>`` begins a sentence in many texts
_SWITCH = re.compile(
    r"\\(?P<open>if(?!f(?![A-Za-z@])|thenelse(?![A-Za-z])|then(?![A-Za-z]))[A-Za-z@]*)|\\(?P<middle>else)(?![A-Za-z@])|\\(?P<end>fi)(?![A-Za-z@])"
)
_STROKES = re.compile(r"\\(?:sout|xout)\s*\{")
LONGEST = 4000  # characters that are struck out at once


def standing(source: Passage, tex: bool) -> Passage:
    """A text without what is struck out of it."""
    text = source.text
    spans = [*(_switched_off(text) if "\\iffalse" in text else ()), *_under_strokes(text)]
    if not tex:
        spans += [m.span() for m in _DELETED.finditer(text)]
        # signs that stand for themselves in a formula, ``$a ~~=~~ b$``, have half of a formula between them
        spans += [m.span() for m in _TILDES.finditer(text) if m[1].count("$") % 2 == 0 and _FORMULA.search(m[1])]
    return without(source, _outermost(spans), " ") if spans else source


def _switched_off(text: str) -> Iterator[tuple[int, int]]:
    r"""From ``\iffalse`` to its ``\else`` or ``\fi``; what is never closed is off to the end."""
    ahead = 0
    while (start := text.find("\\iffalse", ahead)) >= 0:
        depth = 0
        ahead = len(text)
        for m in _SWITCH.finditer(text, start):
            depth += (m["open"] is not None) - (m["end"] is not None)
            if depth == 0 or (depth == 1 and m["middle"]):
                ahead = m.end()
                break
        yield start, ahead


def _under_strokes(text: str) -> Iterator[tuple[int, int]]:
    r"""``\sout{...}``, with all that its brackets hold."""
    for m in _STROKES.finditer(text):
        depth, at = 1, m.end()
        while depth and at < min(len(text), m.end() + LONGEST):
            depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1] != "\\" else 0
            at += 1
        if not depth:
            yield m.start(), at


def _outermost(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, without those that begin within another one."""
    out: list[tuple[int, int]] = []
    for span in sorted(spans):
        if not out or span[0] >= out[-1][1]:
            out.append(span)
    return out
