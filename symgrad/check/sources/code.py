"""Program text: its comments and strings are where people write mathematics; statements are not read."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from symgrad.check.sources import scan
from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.passages import rewritten, synthetic
from symgrad.check.sources.plain import RELATION
from symgrad.check.sources.words import words

_STRING = r"""(?P<prefix>[rRbBuUfF]{0,2}|String\.raw|raw)(?P<quote>\"\"\"|'''|"|'|`)"""
_HASH = re.compile(rf"(?P<comment>\#[^\n]*)|{_STRING}")
_SLASH = re.compile(rf"(?P<comment>//[^\n]*)|(?P<block>/\*)|{_STRING}")
_PERCENT = re.compile(r"(?P<comment>%[^\n]*)")
_LEADER = re.compile(r"(?m)^[ \t]*(?:#+[:!]?|//+!?|%+|\*(?!/)|;+)[ \t]?")
_ESCAPE = re.compile(r"\\(?:[\\\"'`$]|\n)")
_MARKED = re.compile(r"\\(?:[\"'`$]|\n)")  # where they are not: two end a row there
_ESCAPES = re.compile(rf"{_ESCAPE.pattern}|\\[nt]")  # where backslashes of commands are doubled
_SPACES = {r"\n": "\n", r"\t": " "}
_LATEX = re.compile(r"\\(?:(?![nt])[A-Za-z]{2}|(?:nabla|neq?|not|nu|tanh|tau|text\w*|tfrac|theta|tilde|times|to|top)(?![A-Za-z]))")  # no ends of lines
_SPACE = re.compile(r"\\[nt]")
_COMMAND = re.compile(r"\\[A-Za-z]{2}")
_SINGLE = re.compile(r"(?<!\\)\\[A-Za-z]{2}")
_DOUBLED = re.compile(r"\\\\[A-Za-z]{2}")
_MARK = re.compile(r"[$\\`]")
_QUOTATION = re.compile(r"[\"`]|(?<![\w})\]'])'")  # what is no prime
_FIELD = re.compile(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}")  # of Python's f"..."
_EMBEDDED = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*(?:\}|$)")  # in `...`
_PLACEHOLDER = re.compile(r"(?<![\w}^\\])\{\w*(?::[^{}\n]*)?\}(?!\w)|%[-+0-9.]*[dfgsei](?![A-Za-z])")
_PART = re.compile(r"[,;:](?=\s)|[$\n→⇒]|[ \t]{2,}")  # where one statement of a string ends and another begins
_ADJOINING = re.compile(r"""["'`](?:[\s+\\]|(?P<apart>,)|\#[^\n]*\n|//[^\n]*\n)*[rRbBuUfF]{0,2}["'`]""")
_SLOPE = re.compile(r"∂[^\s=/]{0,24}/\s*∂|\bd[A-Z]\w*/d[A-Za-z]|\bd[A-Za-z]{1,2}_\{[^{}\n]{1,12}\}|\bd_\w+ \+?= [^\n=]*(?:\w'\(|\bd_\w+ \*)")
_OPEN_LINE = re.compile(r"^[^\n∂]*(?P<slope>∂[^\s=/∂]{1,24}/\s*∂\w)[^\n]*$", re.MULTILINE)
_INDEXED = re.compile(r"[^\W\d]_\{\w[^{}\n]{0,40}\}[^\n]{0,200}=|=[^\n]{0,200}[^\W\d]_\{\w[^{}\n]{0,40}\}")
MAX_STRINGS = 400  # side by side
MAX_BETWEEN = 400  # characters
FAMILY = {
    **dict.fromkeys(words("py python python3 ipython pycon jl julia r rb ruby sh bash toml yaml yml pl nim"), _HASH),
    **dict.fromkeys(words("js javascript ts typescript tsx jsx json jsonc jsonl json5 java c h cc cpp c++ cxx hpp cu cuda cs csharp go rs rust swift"), _SLASH),
    **dict.fromkeys(words("kt kotlin scala php dart vue svelte mermaid dot graphviz"), _SLASH),
    **dict.fromkeys(words("m matlab octave"), _PERCENT),
}
OF_MATRICES = words("m matlab octave jl julia")
_ENTRYWISE = re.compile(r"(?<=[\w})\]])\.?'(?![\w'(])|(?<!\.)\.(?=[\^/+-])|(?<=[^\W\d])\.(?=\()")  # ``h'`` is transposed; ``.^``, ``tanh.(a)``
_PROGRAM = re.compile(
    r"^[ \t]*(?:import \w|from [\w.]+ import|def \w+\s*\(|class \w+\s*[:({]|return\b|for \w+(?:, \w+)* in .*:|if .*:\s*$|while .*:\s*$"
    r"|\#include|let (?:mut )?\w|const \w|var \w|(?:pub )?fn \w|function\b|>>> )"
    r"|\b(?:np|torch|tf|jnp|self|nn)\.\w+|;[ \t]*$|^[ \t]*[\w.]+\([^()\n]*\)[ \t]*$",
    re.MULTILINE,
)


def is_program(text: str) -> bool:
    """Does a fence without a language hold statements rather than formulas."""
    found = len(_PROGRAM.findall(text))
    return found > 0 and found * 6 > sum(1 for line in text.splitlines() if line.strip())


def holds_formulas(source: Passage, language: str) -> bool:
    """Does a fence that is marked as a program hold what no program does, ``h_{t-1}``, outside its comments and strings, and no statements."""
    bare = outside_strings(source, language)
    return _INDEXED.search(bare) is not None and not is_program(bare)


def only_loops(source: Passage) -> bool:
    """Does a fence without a language hold formulas below the head of a loop: ``for t in 1..T:`` and ``h_t = f(W h_{t-1})``."""
    bare = outside_strings(source, "")
    return _INDEXED.search(bare) is not None and all(m[0].lstrip().startswith("for ") for m in _PROGRAM.finditer(bare))


def bare(source: Passage, strings: list[Passage]) -> Passage:
    """A program with its comments and strings blank."""
    first = source.starts[0] if source.text else 0
    text = list(source.text)
    for part in strings:
        i, j = part.starts[0] - first, part.ends[-1] - first
        text[i:j] = [c if c == "\n" else " " for c in text[i:j]]
    return Passage("".join(text), source.starts, source.ends)


def outside_strings(source: Passage, language: str) -> str:
    """A program without its comments and strings."""
    spans = [(p.starts[0], p.ends[-1]) for p, _ in prose(source, language) if p.text]
    return "".join(c for c, at in zip(source.text, source.starts, strict=True) if not any(i <= at < j for i, j in spans))


def prose(source: Passage, language: str) -> Iterator[tuple[Passage, bool]]:
    """The comments and strings of a program in order, leaders and escapes undone; True with a string of one line."""
    for part, short in _prose(source, language):
        yield rewritten(part, _ENTRYWISE, lambda m: "^T" if m[0][-1] == "'" else "") if language in OF_MATRICES else part, short


def _prose(source: Passage, language: str) -> Iterator[tuple[Passage, bool]]:
    pattern = FAMILY.get(language, _HASH)
    text = source.text
    at = 0
    comments: list[Passage] = []
    last = -1
    while m := pattern.search(text, at):
        at = max(m.end(), m.start() + 1)
        if m["comment"] is not None:
            if comments and text[last : m.start()].strip(" \t\n"):
                yield joined(comments), False
                comments = []
            comments += [_leaderless(source[m.start() : m.end()]), source[m.end() : m.end() + 1]]
            last = m.end()
            continue
        if comments:
            yield joined(comments), False
            comments = []
        if m.groupdict().get("block"):
            end = text.find("*/", at)
            stop, at = (end, end + 2) if end >= 0 else (len(text), len(text))
            yield _leaderless(source[m.end() : stop]), False
            continue
        quote = m["quote"]
        stop = _closing(text, at, quote)
        if stop < 0 and len(quote) == 3 and '"' not in text[at:]:  # the end of the file is missing
            stop = len(text)
        if stop < 0:
            continue
        inner = source[at:stop]
        at = stop + len(quote)
        raw = "r" in m["prefix"].lower()
        escape = _ESCAPES if _DOUBLED.search(inner.text) is not None else _MARKED if _SINGLE.search(inner.text) is not None else _ESCAPE
        short = len(quote) == 1 and "\n" not in inner.text
        inner = inner if raw else rewritten(inner, escape, _unescaped)
        if "f" in m["prefix"].lower():
            inner = _known(inner, _FIELD)
        elif quote == "`":
            inner = _known(inner, _EMBEDDED)
        yield inner, short
    if comments:
        yield joined(comments), False


def pages(source: Passage, literals: list[tuple[Passage, bool]]) -> Iterator[Passage]:
    """Strings of one line that show a derivation, those that stand side by side together: each item of a list is a line, what is concatenated is one."""
    strings = [part for part, short in literals if short and part.text]
    first = source.starts[0] if source.text else 0
    page: list[Passage] = []
    for k, part in enumerate(strings):
        if _LATEX.search(part.text) is None:
            part = _known(rewritten(part, _SPACE, lambda m: _SPACES[m[0]]), _PLACEHOLDER)
        page.append(part)
        following = strings[k + 1].starts[0] if k + 1 < len(strings) else first
        m = _ADJOINING.fullmatch(source.text, part.ends[-1] - first, following - first) if following - part.ends[-1] < MAX_BETWEEN else None
        if m is not None and len(page) < MAX_STRINGS:
            page += [synthetic("\n", part.ends[-1])] if m["apart"] else []
            continue
        whole = joined(page)
        if any(_SLOPE.search(line) and RELATION.search(line) for line in whole.text.split("\n")):
            yield whole
        page = []


def open_lines(source: Passage, literals: list[Passage]) -> Iterator[Passage]:
    """The lines of a program that are no statements of any: with ``∂L/∂h_t`` outside comments and strings."""
    for m in _OPEN_LINE.finditer(source.text):
        if not within(literals, source.starts[m.start("slope")]):
            yield source[slice(*m.span())]


def within(parts: list[Passage], at: int) -> bool:
    """Is a place of the file in one of some passages, which stand in order and are not empty."""
    k = bisect_right(parts, at, key=lambda p: p.starts[0]) - 1
    return k >= 0 and at < parts[k].ends[-1]


def _known(source: Passage, field: re.Pattern[str]) -> Passage:
    """What a string says whatever is put in for its fields: of a chain, the links before the one with a field."""
    marked = rewritten(source, field, lambda m: m[0][0] if m[0] in ("{{", "}}") else "\x00")
    if "\x00" not in marked.text:
        return marked
    text = list(marked.text)
    parts = [(0, 0), *(m.span() for m in _PART.finditer(marked.text)), (len(text), len(text))]
    for k, (_, start) in enumerate(parts[:-1]):
        stop = parts[k + 1][0]
        field_at = marked.text.find("\x00", start, stop)
        if field_at >= 0:
            signs = [m.start() for m in RELATION.finditer(marked.text, start, field_at)]
            at = signs[-1] if signs else start
            text[at:stop] = " " * (stop - at)
    return Passage("".join(text), marked.starts, marked.ends)


def open_formulas(source: Passage, literals: list[Passage]) -> Passage | None:
    r"""The text of a program with nothing marked as mathematics but what stands outside its comments and strings; None if nothing does.

    So it is in what a page of JSX shows, and in an excerpt that begins or ends in the middle of a literal: no statement has ``\\frac`` in dollars.
    """
    text = source.text
    if _COMMAND.search(text) is None:
        return None
    taken = [(p.starts[0], p.ends[-1]) for p in literals if p.text]  # in order, none inside another
    found = [i for i in scan.items(text, scan.MARKDOWN) if i.kind in ("display", "inline") and _is_open(source, i, taken)]
    if not found:
        return None
    parts, at = [], 0
    for i in found:
        inner = source[i.start : i.stop]
        parts += [_unmarked(source[at : i.start]), rewritten(inner, _ESCAPES, _unescaped) if _DOUBLED.search(inner.text) else inner]
        at = i.stop
    return joined([*parts, _unmarked(source[at:])])


def _is_open(source: Passage, item: scan.Item, taken: list[tuple[int, int]]) -> bool:
    """Whether a formula touches no literal, but for what two primes seem to quote."""
    inner = source.text[slice(*item.inner)]
    if _COMMAND.search(inner) is None:
        return False
    start, stop = source.starts[item.start], source.ends[item.stop - 1]
    touched = taken[bisect_left(taken, start, key=lambda t: t[1]) : bisect_left(taken, stop, key=lambda t: t[0])]
    return not touched or (start < touched[0][0] and touched[-1][1] < stop and _QUOTATION.search(inner) is None)


def _unmarked(source: Passage) -> Passage:
    return rewritten(source, _MARK, lambda m: " ")


def _unescaped(m: re.Match[str]) -> str:
    return _SPACES.get(m[0], m[0][1:].strip("\n"))


def _closing(text: str, at: int, quote: str) -> int:
    """Where a string ends; one in plain quotation marks ends on its line."""
    if len(quote) == 3:
        return text.find(quote, at)
    limit = len(text) if quote == "`" else text.find("\n", at)
    limit = len(text) if limit < 0 else limit
    for m in re.compile(rf"\\.|{quote}", re.DOTALL).finditer(text, at, limit):
        if m[0] == quote:
            return m.start()
    return -1


def _leaderless(source: Passage) -> Passage:
    return rewritten(source, _LEADER, lambda m: "")
