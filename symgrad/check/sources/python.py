"""Python text as a tree whose nodes know their places; what does not parse is left out, and nothing is ever run.

A page shows pieces: a method without its class, a body without its head, Python 2.  So a line that cannot be parsed is passed over, and a
text that falls back behind its own first column goes on as another piece.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from symgrad.check.sources.document import Passage
from symgrad.check.sources.words import words

LANGUAGES = words("py python python3 ipython pycon py3")
MAX_CHARACTERS = 200_000
MAX_NESTING = 60  # brackets inside each other
MAX_REPAIRS = 60  # lines that are passed over
_GRADIENT = re.compile(r"^[ \t]*(?:self\.)?(?:d[A-Za-z_]|grad|delta|\w+_(?:grad|gradient|delta)\b|[\w.]+\.(?:d|grad)\b)[^=\n#]{0,60}\+?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """The statements of a passage."""

    source: Passage
    body: tuple[ast.stmt, ...]

    @cached_property
    def _lines(self) -> tuple[list[str], list[int]]:
        lines = self.source.text.split("\n")
        return lines, [0, *accumulate(len(line) + 1 for line in lines)]

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The characters of the passage from and to which a node stands."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        lines, starts = self._lines
        text = lines[line - 1]
        return starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode(errors="ignore")))


def derives(text: str) -> bool:
    """Does a program assign to what looks like a gradient."""
    return _GRADIENT.search(text) is not None


def program(source: Passage) -> Program:
    """The program that a passage holds, as far as it can be read."""
    text = source.text
    if len(text) > MAX_CHARACTERS or _nesting(text) > MAX_NESTING:
        return Program(source, ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Program(source, tuple(_parsed(text.split("\n"), 0, MAX_REPAIRS)))


def _nesting(text: str) -> int:
    deepest = depth = 0
    for c in re.findall(r"[()\[\]{}]", text):
        depth = depth + 1 if c in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _parsed(lines: list[str], first: int, repairs: int) -> Iterator[ast.stmt]:
    """The statements of some lines, the first of which is line `first` of the passage, counted from 0."""
    lines = lines.copy()
    while lines and (not lines[0].strip() or lines[0].lstrip()[:1] == "#"):
        lines.pop(0)
        first += 1
    if not lines:
        return
    base = _indent(lines[0])
    head = ["if 1:"] if base else []
    while True:
        try:
            tree = ast.parse("\n".join([*head, *lines]))
            break
        except SyntaxError as e:
            at = min(max((e.lineno or 1) - 1 - len(head), 0), len(lines) - 1)
            if repairs <= 0:
                return
            repairs -= 1
            if lines[at].strip() and _indent(lines[at]) < base and at:
                yield from _parsed(lines[:at], first, repairs)
                yield from _parsed(lines[at:], first + at, repairs)
                return
            _repair(lines, at, e.msg)
        except (ValueError, MemoryError, RecursionError):
            return
    ast.increment_lineno(tree, first - len(head))
    yield from tree.body[0].body if head and isinstance(tree.body[0], ast.If) else tree.body
    yield from tree.body[1:] if head else ()


def _repair(lines: list[str], at: int, why: str) -> None:
    """Pass over the line that does not parse, or give an empty block a body."""
    if "expected an indented block" in why:
        at = next((k for k in range(at - 1, -1, -1) if lines[k].strip() and lines[k].lstrip()[:1] != "#"), at)
        bare = lines[at].split("#")[0].rstrip()
        if bare.endswith(":"):
            lines[at] = bare + " pass"
            return
    lines[at] = " " * _indent(lines[at]) + "pass" if lines[at].strip() not in ("", "pass") else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
