r"""A writer's own commands: ``\newcommand``, ``\def`` and their kin are collected and expanded, each character keeping its place.

What comes out of a definition stands, for every report, where the command is called; arguments keep their own places.
Bounded: so many steps for each formula, so many characters; a loop ends in `Endless`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from symgrad.check.sources.document import Passage
from symgrad.check.sources.words import TAKES_ONE

MAX_STEPS = 20_000
MAX_CHARACTERS = 100_000


class Endless(ValueError):
    """The expansion of a formula does not end within the bounds."""


class Piece(NamedTuple):
    """A token with the file offsets from and to which it stands."""

    text: str
    start: int
    end: int
    at: int = -1  # in the passage, if it stands there


@dataclass(frozen=True, slots=True)
class Macro:
    r"""``\name`` with what separates its parameters (``("", "")`` for ``#1#2``), a default for the first, and the tokens of its body."""

    name: str
    before: tuple[str, ...]  # the text in front of each parameter; of a \def it may be a delimiter
    closing: str
    default: str | None
    body: tuple[str, ...]


TOKEN = re.compile(r"\\[A-Za-z@]+|\\.|\#\d|\s+|.", re.DOTALL)
COMMAND = re.compile(r"\\[A-Za-z@]+")
# A command in braces or bare, and the group of a default; a body is read by counting braces.
_NEW = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand)\*?\s*(?:\{\s*(\\[A-Za-z@]+|\\.)\s*\}|(\\[A-Za-z@]+|\\.))"
    r"\s*(?:\[(\d)\])?\s*(?:\[([^\]\n]*)\])?\s*(?=\{)"
)
_DEF = re.compile(r"\\[egx]?def\s*(\\[A-Za-z@]+|\\.)([^{}\n]{0,80})(?=\{)")
_LET = re.compile(r"\\let\s*(\\[A-Za-z@]+)\s*=?\s*(\\[A-Za-z@]+|\\.)")
_OPERATOR = re.compile(r"\\DeclareMathOperator(\*?)\s*\{?\s*(\\[A-Za-z@]+)\s*\}?\s*(?=\{)")
_PAIR = re.compile(r"\\DeclarePairedDelimiter\s*\{?\s*(\\[A-Za-z@]+)\s*\}?\s*(?=\{)")
_DEFINITION = re.compile(r"\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|[egx]?def|let|DeclareMathOperator|DeclarePairedDelimiter)(?![A-Za-z])")
_SCRIPT = re.compile(r"\bmacros\s*:\s*\{")
_ENTRY = re.compile(
    r"""["']?\\{0,2}([A-Za-z]+)["']?\s*:\s*(?:\[\s*)?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(?:\s*,\s*(\d)(?:\s*,\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))?)?\s*\]?"""
)
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
BUILT_IN = (
    Macro("\\ensuremath", ("",), "", None, ("#1",)),
    Macro("\\xspace", (), "", None, ()),
    *(Macro(f"\\{letter}", (), "", None, (rf"\mathbb{{{letter}}}",)) for letter in "RNZQC"),
)


def group(text: str, at: int) -> int:
    """The end of the group in braces that opens at `at`; -1 if it never closes."""
    depth = 0
    for m in _BRACES.finditer(text, at, at + MAX_CHARACTERS):
        if m[0] == "{":
            depth += 1
        elif m[0] == "}":
            depth -= 1
            if depth == 0:
                return m.end()
    return -1


def definitions(text: str) -> Iterator[tuple[int, int, bool, Macro]]:
    """Every definition in a text: from, to, whether it only provides, and the macro."""
    end = broken = 0
    for m in _DEFINITION.finditer(text):
        if m.start() < end or broken > 100:
            continue
        found = _definition(text, m.start())
        if found is None:
            broken += 1
            continue
        end = found[0]
        yield m.start(), end, m[0] == "\\providecommand", found[1]


def _definition(text: str, at: int) -> tuple[int, Macro] | None:
    if m := _LET.match(text, at):
        return m.end(), Macro(m[1], (), "", None, (m[2],))
    if m := _PAIR.match(text, at):
        middle = group(text, m.end())
        end = group(text, middle) if middle > 0 and text[middle : middle + 1] == "{" else -1
        body = rf"\left{text[m.end() + 1 : middle - 1]} #1 \right{text[middle + 1 : end - 1]}"
        return (end, Macro(m[1], ("",), "", None, tuple(TOKEN.findall(body)))) if end > 0 else None
    m = _NEW.match(text, at) or _DEF.match(text, at) or _OPERATOR.match(text, at)
    end = group(text, m.end()) if m else -1
    if m is None or end < 0:
        return None
    body = text[m.end() + 1 : end - 1]
    if m.re is _OPERATOR:
        return end, Macro(m[2], (), "", None, (rf"\operatorname{m[1]}{{{body}}}",))
    if m.re is _NEW:
        count = int(m[3] or 0)
        return end, Macro(m[1] or m[2], ("",) * count, "", m[4] if count else None, tuple(TOKEN.findall(body)))
    between = re.split(r"\#\d", m[2])
    if "\\" in m[2] or "#" in "".join(between):
        return None
    before, closing = ((), "") if len(between) == 1 else (tuple(s.strip() for s in between[:-1]), between[-1].strip())
    return end, Macro(m[1], before, closing, None, tuple(TOKEN.findall(body)))


def configured(text: str) -> Iterator[Macro]:
    """Macros from a page's settings for MathJax or KaTeX: ``macros: {RR: "{\\\\bf R}", pd: ["\\\\frac{#1}{#2}", 2]}``."""
    for m in _SCRIPT.finditer(text):
        end = group(text, m.end() - 1)
        for e in _ENTRY.finditer(text, m.end(), end if end > 0 else m.end()):
            body = re.sub(r"\\(.)", r"\1", e[2][1:-1])
            default = None if e[4] is None else re.sub(r"\\(.)", r"\1", e[4][1:-1])
            yield Macro("\\" + e[1], ("",) * int(e[3] or 0), "", default, tuple(TOKEN.findall(body)))


@dataclass
class Macros:
    """The macros of a document in the order of their definitions; a use before any definition takes the first that comes."""

    known: dict[str, list[tuple[int, Macro]]] = field(default_factory=dict)
    steps: int = 0
    _used: re.Pattern[str] | None = None

    def define(self, offset: int, macro: Macro, provides: bool = False) -> None:
        if not (provides and macro.name in self.known):
            self.known.setdefault(macro.name, []).append((offset, macro))
            self._used = None

    def collect(self, source: Passage) -> Passage:
        """Take the definitions out of a passage; a space stays where one stood."""
        cut: list[tuple[int, int]] = []
        for start, end, provides, macro in definitions(source.text):
            self.define(source.starts[start], macro, provides)
            cut.append((start, end))
        return without(source, cut)

    def expand(self, source: Passage, only: Iterable[str] | None = None) -> Passage:
        """The passage with every macro of the document (or `only` these) replaced by what it stands for; raises `Endless`."""
        if "\\" not in source.text:
            return source
        if self._used is None:
            for macro in BUILT_IN:
                self.known.setdefault(macro.name, [(-1, macro)])
            self._used = re.compile("|".join(rf"{re.escape(n)}{'(?![A-Za-z@])' if n[1:].isalpha() else ''}" for n in sorted(self.known, key=len, reverse=True)))
        if not self._used.search(source.text):
            return source
        return self._expanded(source, frozenset(only) if only is not None else frozenset(self.known))

    def _macro(self, name: str, offset: int) -> Macro:
        every = self.known[name]
        return every[max(0, bisect_right(every, offset, key=lambda e: e[0]) - 1)][1]

    def _expanded(self, source: Passage, names: frozenset[str]) -> Passage:
        waiting: deque[Piece] = deque()
        for m in TOKEN.finditer(source.text):
            waiting.append(Piece(m[0], source.starts[m.start()], source.ends[m.end() - 1], m.start()))
        out: list[Piece] = []
        size = steps = 0
        while waiting:
            piece = waiting.popleft()
            if piece.text in names:
                found = _call(self._macro(piece.text, piece.start), piece, waiting, out)
                if found is not None:
                    steps += len(found) + 1
                    self.steps += len(found) + 1
                    if steps > MAX_STEPS or self.steps > 25 * MAX_STEPS:
                        raise Endless(f"the macro {piece.text} does not come to an end within {MAX_STEPS} steps")
                    waiting.extendleft(reversed(found))
                    continue
            out.append(piece)
            size += len(piece.text)
            if size > len(source) + MAX_CHARACTERS:
                raise Endless(f"the macro {piece.text} makes more than {MAX_CHARACTERS} characters")
        return _passage(out, source)


def _call(macro: Macro, piece: Piece, waiting: deque[Piece], out: list[Piece]) -> list[Piece] | None:
    """What a call stands for, its arguments taken from `waiting`; None if they are not there."""
    arguments: list[list[Piece]] = []
    taken: list[Piece] = []
    if not macro.before and piece.text[1:].isalpha():
        _spaces(waiting, taken)
        taken.clear()
    for k in range(len(macro.before)):
        if k == 0 and macro.default is not None:
            given = _optional(waiting, taken)
            arguments.append([Piece(t, piece.start, piece.end) for t in TOKEN.findall(macro.default)] if given is None else given)
            continue
        following = macro.before[k + 1] if k + 1 < len(macro.before) else macro.closing
        if k == 0 and macro.before[0] and not _literal(macro.before[0], waiting, taken):
            waiting.extendleft(reversed(taken))
            return None
        found = _until(following, waiting, taken) if following else _argument(waiting, taken)
        if found is None:
            waiting.extendleft(reversed(taken))
            return None
        arguments.append(found)
    start, end = piece.start, max([piece.end, *(p.end for p in taken)])
    made: list[Piece] = []
    for token in macro.body:
        if token[0] == "#" and token[1:].isdigit():
            k = int(token[1:]) - 1
            if k < len(arguments):
                made += arguments[k]
        else:
            made.append(Piece(token, start, end))
    last = next((p for p in reversed(out) if not p.text.isspace()), None)
    if last is not None and len(made) > 1 and (last.text in ("^", "_") or last.text in TAKES_ONE) and not (macro.before and made[0].text == "{"):
        made = [Piece("{", start, end), *made, Piece("}", start, end)]
    if made and COMMAND.fullmatch(made[-1].text) and waiting and waiting[0].text[:1].isalpha():
        made.append(Piece(" ", start, end))
    return made


def _spaces(waiting: deque[Piece], taken: list[Piece]) -> None:
    while waiting and waiting[0].text.isspace():
        taken.append(waiting.popleft())


def _argument(waiting: deque[Piece], taken: list[Piece], opening: str = "{", closing: str = "}") -> list[Piece] | None:
    _spaces(waiting, taken)
    if not waiting or waiting[0].text == "}":
        return None
    first = waiting.popleft()
    taken.append(first)
    if first.text != opening:
        return [first]
    found: list[Piece] = []
    depth = 1
    while waiting:
        piece = waiting.popleft()
        taken.append(piece)
        depth += (piece.text == opening) - (piece.text == closing)
        if depth == 0:
            return found
        found.append(piece)
    return None


def _optional(waiting: deque[Piece], taken: list[Piece]) -> list[Piece] | None:
    before = len(taken)
    _spaces(waiting, taken)
    if waiting and waiting[0].text == "[":
        found = _argument(waiting, taken, "[", "]")
        if found is not None:
            return found
    while len(taken) > before:
        waiting.appendleft(taken.pop())
    return None


def _literal(text: str, waiting: deque[Piece], taken: list[Piece]) -> bool:
    for character in text:
        _spaces(waiting, taken)
        if not waiting or waiting[0].text != character:
            return False
        taken.append(waiting.popleft())
    return True


def _until(text: str, waiting: deque[Piece], taken: list[Piece]) -> list[Piece] | None:
    found: list[Piece] = []
    depth = 0
    while waiting:
        if depth == 0 and waiting[0].text == text[0] and _literal(text, waiting, taken):
            return found
        piece = waiting.popleft()
        taken.append(piece)
        depth += (piece.text == "{") - (piece.text == "}")
        found.append(piece)
    return None


def _passage(pieces: list[Piece], source: Passage) -> Passage:
    starts, ends = array("q"), array("q")
    for p in pieces:
        if p.at >= 0:
            starts.extend(source.starts[p.at : p.at + len(p.text)])
            ends.extend(source.ends[p.at : p.at + len(p.text)])
        else:
            starts.extend([p.start] * len(p.text))
            ends.extend([p.end] * len(p.text))
    return Passage("".join(p.text for p in pieces), starts, ends)


def without(source: Passage, cut: list[tuple[int, int]], stays: str = " ") -> Passage:
    """The passage with stretches taken out, each leaving `stays` at its place."""
    if not cut:
        return source
    text: list[str] = []
    starts, ends = array("q"), array("q")
    at = 0
    for i, j in [*cut, (len(source), len(source))]:
        text.append(source.text[at:i])
        starts.extend(source.starts[at:i])
        ends.extend(source.ends[at:i])
        if i < j:
            text.append(stays)
            starts.extend([source.starts[i]] * len(stays))
            ends.extend([source.ends[j - 1]] * len(stays))
        at = j
    return Passage("".join(text), starts, ends)
