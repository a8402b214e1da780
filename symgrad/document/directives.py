"""Directives in a document: ``<!-- symgrad: derive gru --at z=1 -->`` … ``<!-- /symgrad -->``, in TeX ``% symgrad: …``.

A directive *is* a command line.  `split` cuts a document into prose and blocks; what stands in code fences is prose.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from symgrad.errors import SymgradError


@dataclass(frozen=True, slots=True)
class Syntax:
    """How directives are spelled in one kind of document."""

    opening: re.Pattern[str]
    closing: re.Pattern[str]
    close: str
    fence: re.Pattern[str] | None


MARKDOWN = Syntax(
    re.compile(r"^[ ]{0,3}<!--\s*symgrad:\s*(?P<command>.*?)\s*-->\s*$"),
    re.compile(r"^[ ]{0,3}<!--\s*/symgrad\s*-->\s*$"),
    "<!-- /symgrad -->",
    re.compile(r"^[ ]{0,3}(```+|~~~+)"),
)
TEX = Syntax(
    re.compile(r"^\s*%+\s*symgrad:\s*(?P<command>.*?)\s*$"),
    re.compile(r"^\s*%+\s*/symgrad\s*$"),
    "% /symgrad",
    None,
)
SYNTAX = {".md": MARKDOWN, ".tex": TEX}
OF_CHECK = re.compile(r"expect\b")  # what speaks to `symgrad check` is prose here


@dataclass(frozen=True, slots=True)
class Block:
    """A directive with the lines it generated before; `line` counts from 1."""

    line: int
    head: str
    command: tuple[str, ...]
    body: tuple[str, ...]


def split(lines: list[str], syntax: Syntax, name: str) -> list[str | Block]:
    """Lines of prose and blocks in order.  A directive without its closing line starts an empty block."""
    parts: list[str | Block] = []
    fence: str | None = None
    k = 0
    while k < len(lines):
        line = lines[k]
        mark = syntax.fence.match(line) if syntax.fence else None
        if mark:
            fence = None if fence and mark[1].startswith(fence) else fence or mark[1]
        found = syntax.opening.match(line) if fence is None else None
        found = None if found and OF_CHECK.match(found["command"]) else found
        if fence is None and syntax.closing.match(line):
            raise SymgradError(f"{name}:{k + 1}: a closing {syntax.close} without a directive before it")
        if found is None:
            parts.append(line)
            k += 1
            continue
        end = _end(lines, k + 1, syntax)
        body = () if end is None else tuple(lines[k + 1 : end])
        parts.append(Block(k + 1, line, _words(found["command"], f"{name}:{k + 1}"), body))
        k = k + 1 if end is None else end + 1
    return parts


def _end(lines: list[str], start: int, syntax: Syntax) -> int | None:
    """The closing line of the block that starts here; None if another directive comes first, or nothing."""
    for k in range(start, len(lines)):
        if syntax.closing.match(lines[k]):
            return k
        if (found := syntax.opening.match(lines[k])) and not OF_CHECK.match(found["command"]):
            return None
    return None


def _words(command: str, place: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as e:
        raise SymgradError(f"{place}: the directive {command!r} is no command line: {e}") from None
    if not words:
        raise SymgradError(f"{place}: an empty directive; write for example `symgrad: derive gru`")
    return words
