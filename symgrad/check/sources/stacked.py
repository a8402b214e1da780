"""Fractions drawn over three lines of plain text, put on one: what stands above a bar and below it, ``∂h_2/∂h_1``."""

from __future__ import annotations

import re

from symgrad.check.sources.document import Passage, joined

_BAR = re.compile(r"[─━⎯]{2,}|-{3,}|—{2,}")
_BETWEEN = re.compile(r"[\s=≈+\-−*/×⊙∘·@⊗.…⋯()\[\],ΣΠ∑∏]|\b\w{1,3}(?:_\w+|_\{[^{}]*\})?|\\[a-z]+")  # what stands beside the bars
_CHUNK = re.compile(r"\S+(?: \S+)*")
_WORD = re.compile(r"\S+")
_SIMPLE = re.compile(r"[∂d]?(?:[^\W\d_]|\\[A-Za-z]+)[^\W_]*'?(?:[_^](?:[^\W_]+|\{[^{}\s]*\}|\([^()\s]*\)))*")


def on_one_line(source: Passage) -> Passage:
    """The passage with its drawn fractions on the lines of their bars."""
    if len(_BAR.findall(source.text)) < 2:
        return source
    lines, at = [], 0
    for text in source.text.splitlines(keepends=True):
        lines.append(source[at : at + len(text)])
        at += len(text)
    for k in range(1, len(lines) - 1):
        level = _level(*lines[k - 1 : k + 2])
        if level is not None:
            lines[k - 1 : k + 2] = [_blank(lines[k - 1]), level, _blank(lines[k + 1])]
    return joined(lines)


def _level(above: Passage, middle: Passage, below: Passage) -> Passage | None:
    bars = list(_BAR.finditer(middle.text))
    if not bars or "=" not in middle.text or _BETWEEN.sub("", _BAR.sub("", middle.text)):
        return None
    upper, lower = _matched(above.text, bars), _matched(below.text, bars)
    if upper is None or lower is None:
        return None
    parts, at = [], 0
    for bar, top, bottom in zip(bars, upper, lower, strict=True):
        here = middle[slice(*bar.span())]
        fraction = f"{_enclosed(top)}/{_enclosed(bottom)}"
        parts += [middle[at : bar.start()], Passage(fraction, [here.starts[0]] * len(fraction), [here.ends[-1]] * len(fraction))]
        at = bar.end()
    return joined([*parts, middle[at:]])


def _matched(text: str, bars: list[re.Match[str]]) -> list[str] | None:
    """What stands over or under each bar, in order; wide gaps set the parts apart, else all gaps."""
    every = ([c[0] for c in rule.finditer(text)] for rule in (_CHUNK, _WORD))
    return next((chunks for chunks in every if len(chunks) == len(bars)), None)


def _enclosed(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def _blank(line: Passage) -> Passage:
    return Passage(re.sub(r"[^\n]", " ", line.text), line.starts, line.ends)
