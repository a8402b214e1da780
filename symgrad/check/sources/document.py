"""What is found in a file: passages of text that know where every character stands, fragments of mathematics, directives."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from symgrad.check.claim import Claim, Span


@dataclass(frozen=True, slots=True)
class Passage:
    """Text as its writer meant it, with the file offsets where each character starts and ends.

    In plain text character k is the file's own; in a notebook it may be an escape (``\\\\`` is one backslash), in HTML an entity, and a
    character that comes from a macro's definition starts and ends where the macro is called.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    origin: Passage | None = None  # what a program was put into Python from

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> Passage:
        return Passage(self.text[part], self.starts[part], self.ends[part], self.origin)

    def strip(self, characters: str | None = None) -> Passage:
        """Without the white space around."""
        left = len(self.text) - len(self.text.lstrip(characters))
        return self[left : max(left, len(self.text.rstrip(characters)))]


def passage(text: str, offset: int = 0) -> Passage:
    """A piece of the file itself, which begins at `offset`."""
    return Passage(text, range(offset, offset + len(text)), range(offset + 1, offset + len(text) + 1))


def joined(parts: Iterable[Passage]) -> Passage:
    """Passages one after the other."""
    kept = [p for p in parts if p.text]
    if len(kept) == 1:
        return kept[0]
    starts, ends = array("q"), array("q")
    for p in kept:
        starts.extend(p.starts)
        ends.extend(p.ends)
    return Passage("".join(p.text for p in kept), starts, ends)


@dataclass(frozen=True, slots=True)
class Fragment:
    r"""One formula, or a display of several: what the parser reads, with its surroundings.

    `latex` has the user's macros expanded and no delimiters.  `kind` is ``display``, ``inline``, ``code`` (in a fence or backticks) or
    ``line`` (a plain line of text that is an equation); `environment` is the name of a bare ``\begin{align}``.  `before` and `after` are
    the prose around it, other formulas of the paragraph in ``$``, `heading` the last heading.
    """

    body: Passage = field(repr=False)  # expanded
    source: Passage = field(repr=False)  # as written
    kind: str
    environment: str | None = None
    before: str = ""
    after: str = ""
    heading: str = ""

    @property
    def latex(self) -> str:
        return self.body.text

    @property
    def origin(self) -> list[int]:
        """File offsets of each character of `latex`, and of the end."""
        return [*self.body.starts, self.body.ends[-1] if self.body.text else 0]

    def extent(self, start: int = 0, stop: int | None = None) -> tuple[int, int]:
        """The file offsets from and to which ``latex[start:stop]`` was written; a macro counts with its whole call."""
        stop = len(self.latex) if stop is None else min(stop, len(self.latex))
        if not self.latex:
            return (0, 0)
        if start >= stop:  # a place between two characters
            here = self.body.starts[start] if start < len(self.latex) else self.body.ends[-1]
            return here, here
        return min(self.body.starts[start:stop]), max(self.body.ends[start:stop])

    def written(self, start: int = 0, stop: int | None = None) -> str:
        """The author's own characters for ``latex[start:stop]``: macros as called, escapes of the file format undone."""
        first, last = self.extent(start, stop)
        return self.source.text[bisect_left(self.source.starts, first) : bisect_left(self.source.starts, last)]


@dataclass(frozen=True, slots=True)
class Directive:
    """``<!-- symgrad: cell gru -->``: the text after the colon, its words, and its file offset."""

    text: str
    offset: int

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.text.split())


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of the document that could not be read: where, the code of its page, the reason."""

    offset: int
    code: str
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Document:
    """A file with its formulas in order.  Offsets count characters of `text`, in which every line ends in ``\\n``."""

    name: str
    text: str = field(repr=False)
    kind: str
    fragments: tuple[Fragment, ...] = field(repr=False)
    directives: tuple[Directive, ...] = ()
    problems: tuple[Problem, ...] = ()
    programs: tuple[Passage, ...] = field(default=(), repr=False)  # in Python, or put into it, in order
    foreign: tuple[Passage, ...] = field(default=(), repr=False)  # programs in other languages, their comments and strings blank
    sketches: tuple[Passage, ...] = field(default=(), repr=False)  # comments whose formulas read as Python

    @cached_property
    def _lines(self) -> list[int]:
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def between(self, first: int, last: int) -> Span:
        """The span of two file offsets."""
        return Span(*self.position(first), *self.position(last))

    def span(self, fragment: Fragment, start: int = 0, stop: int | None = None) -> Span:
        """Where ``fragment.latex[start:stop]`` stands in the file."""
        return self.between(*fragment.extent(start, stop))

    def claim(self, fragment: Fragment, start: int = 0, stop: int | None = None, **said: Any) -> Claim:
        """A claim about ``fragment.latex[start:stop]``: its place and its text are filled in, the rest is `said`."""
        place = self.span(fragment, start, stop)
        return Claim(
            file=self.name, line=place.line, column=place.column, end_line=place.end_line, end_column=place.end_column,
            latex=fragment.written(start, stop), **said,
        )  # fmt: skip
