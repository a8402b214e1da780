r"""From text to fragments: every kind of file becomes passages, in which mathematics is found, cleaned, and its macros expanded."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from symgrad.check.sources import code, html, lines, matlab, notebook, python, scan
from symgrad.check.sources.document import Directive, Document, Fragment, Passage, Problem, joined, passage
from symgrad.check.sources.macros import Endless, Macros, configured, without
from symgrad.check.sources.passages import math_of_markdown, scripted, synthetic, unentitied, unquoted
from symgrad.check.sources.plain import RELATION, runs_on
from symgrad.check.sources.scan import MARKDOWN, PROGRAM, TEX, Dialect, Item
from symgrad.check.sources.sketch import sketched
from symgrad.check.sources.struck import standing
from symgrad.check.sources.words import words

MAX_FRAGMENTS = 5000
MAX_FORMULA = 40_000
MAX_JOINED = 2000  # characters of a formula that goes on in the next
CONTEXT = 300
_MARK_UP = words("markdown md mdx gfm html rst mathjax")
_LATEX = words("latex tex katex")
_DIRECTIVE = re.compile(r"<!--\s*symgrad:\s*(?P<html>[^\n]*?)\s*-->|^[ \t]*(?:%+|#+|//+|\.\.|;+)[ \t]*symgrad:[ \t]*(?P<line>[^\n]*?)[ \t]*$", re.MULTILINE)
_VERBATIM = re.compile(r"\\begin\s*\{(verbatim\*?|Verbatim|lstlisting|minted|comment|filecontents\*?|alltt)\}")
_LANGUAGE = re.compile(r"language\s*=\s*\{?(\w+)|^\s*(?:\[[^\]]*\])?\{(\w+)\}")  # of a listing
_VERB = re.compile(r"\\verb\*?([^\sA-Za-z*])[^\n]*?\1|\\lstinline(?:\[[^\]\n]*\])?([^\sA-Za-z{\[])[^\n]*?\2")
_TEX_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_STRUCTURE = re.compile(r"\\(?:begin|end)(?![A-Za-z])|\$|\\[\[\]()](?!\w)")
_INPUT = re.compile(r"\\(?:input|include|subfile)\s*\{([^{}\n]+)\}")
_LAYOUT = re.compile(r"\\(?:begingroup|endgroup|newpage|clearpage|bigskip|medskip|smallskip|hline|quad|qquad)")
_OPEN_END = re.compile(
    r"(?:(?<![\^_])(?:[=+*/≈⊙∘·×]|-)|\\math[a-z]+\{[=+-]\}|\\(?:approx|cdot|odot|times|otimes|circ|ast|equiv))(?:\\[,;!: ]|\\q?quad(?![A-Za-z])|\s)*$"
)
_OPEN_BEGIN = re.compile(r"\s*(?:[+⊙∘·×]|\\(?:cdot|odot|times|otimes|circ)(?![A-Za-z]))\s*[^\s,;.]")
_BEGINS = re.compile(r"\s*&?\s*(?:=|\\approx|\\equiv)")
_SIGN = re.compile(r"[ \t]*\n?[ \t]*(:?=|≈)[ \t]*\n?[ \t]*")
_NOTHING = re.compile(r"[\s>&]*(?:(?://|\()[^\n$]{0,80})?\s*")  # between the parts of one formula: a remark at the end of a line
_NO_MATH = re.compile(r"[^\w\\]+")


Piece: TypeAlias = tuple[int, int, Passage, str, str | None]  # from and to where with its delimiters, its text, kind, environment


@dataclass
class Reading:
    """What has been found so far in one file."""

    text: str
    macros: Macros = field(default_factory=Macros)
    found: list[Fragment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    programs: list[Passage] = field(default_factory=list)  # in Python
    foreign: list[Passage] = field(default_factory=list)  # in other languages
    sketches: list[Passage] = field(default_factory=list)
    heading: str = ""

    @cached_property
    def running(self) -> bool:
        """Whether ``h_t-1`` is the state before."""
        return runs_on(self.text)

    def block(self, source: Passage, dialect: Dialect, depth: int = 0) -> None:
        """The fragments of a passage in order."""
        source = standing(source, dialect is TEX) if dialect is not PROGRAM else source
        text = source.text
        things = list(scan.items(text, dialect))
        headings = [(m.start(), _title(m)) for m in dialect.heading.finditer(text) if not _inside(things, m.start())]
        displays = sorted({i for t in things if t.kind in ("display", "rst", "fence") for i in (t.start, t.stop)})
        made: list[Piece] = []
        for t in things:
            made += [(t.start, t.stop, *piece) for piece in self._pieces(source, t, dialect, depth)]
        if dialect.lines and RELATION.search(text):
            hidden = _masked(source, things)
            places = _places(hidden)
            for found in lines.equations(hidden, running=self.running):
                i = places(found.starts[0])
                made.append((i, i + len(found), found, "line", None))
        made.sort(key=lambda piece: piece[0])
        for start, stop, body, kind, environment in _continued(source, made):
            k = bisect_right(headings, (start, "\uffff")) - 1
            before, after = _around(text, start, stop, displays)
            self.add(body, kind, environment, before, after, headings[k][1] if k >= 0 else self.heading)
        if headings:
            self.heading = headings[-1][1]

    def _pieces(self, source: Passage, item: Item, dialect: Dialect, depth: int) -> Iterator[tuple[Passage, str, str | None]]:
        inner = source[slice(*item.inner)]
        line = source.text.rfind("\n", 0, item.start) + 1
        quoted = dialect is not TEX and source.text[line : item.start].lstrip()[:1] == ">"
        match item.kind:
            case "display" | "inline":
                if item.language == "url":
                    inner = unquoted(inner, "codecogs" in source.text[item.start : item.inner[0]])
                elif dialect is not TEX:
                    inner = math_of_markdown(inner, quoted, source.text.startswith("\\\\", item.start))
                yield inner, item.kind, item.environment
            case "rst":
                for part in _paragraphs(inner):
                    yield part, "display", None
            case "code":
                yield from self._listing(inner, quoted)
            case "fence":
                yield from self._fence(inner, item.language, depth)
            case "unclosed":
                sign = source.text[item.start : item.stop]
                self.problems.append(Problem(source.starts[item.start], "unclosed-math", f"{sign} is never closed", sign))

    def _fence(self, inner: Passage, language: str, depth: int) -> Iterator[tuple[Passage, str, str | None]]:
        marked = depth == 0 and (language in _MARK_UP | _LATEX or re.search(r"\$\$|\\\[|\\begin\{|\$[^$\n]*[\\^_=][^$\n]*\$", inner.text))
        if marked and language not in code.FAMILY:
            before = len(self.found) + len(self.problems)
            self.block(self.macros.collect(inner), TEX if language in _LATEX else MARKDOWN, depth + 1)
            if len(self.found) + len(self.problems) > before:
                return
        if (language in code.FAMILY and not code.holds_formulas(inner, language)) or (
            not language and code.is_program(inner.text) and not code.only_loops(inner)
        ):
            literals = list(code.prose(inner, language or "python"))
            strings = [part for part, _ in literals if part.text]
            self.program(inner, language or "python", strings)
            for part in (*(part for part, short in literals if not short), *code.pages(inner, literals), *code.open_lines(inner, strings)):
                yield from self._listing(part, False)
        else:
            if not language and (sketch := sketched(inner)) is not None:
                self.sketches.append(sketch)
            yield from self._listing(inner, False)

    def program(self, source: Passage, language: str, strings: list[Passage]) -> None:
        """A program, whose comments and strings are known."""
        if language in python.LANGUAGES:
            self.programs.append(source)
            return
        bare = code.bare(source, strings)
        self.foreign.append(bare)
        if language in code.OF_MATRICES and len(bare) <= python.MAX_CHARACTERS:
            self.programs.append(matlab.in_python(bare, language in ("jl", "julia")))

    def _listing(self, inner: Passage, quoted: bool) -> Iterator[tuple[Passage, str, str | None]]:
        for found in lines.equations(inner, True, self.running):
            yield (math_of_markdown(found, quoted, False), "inline", None) if _is_latex(found.text) else (found, "code", None)

    def add(self, body: Passage, kind: str, environment: str | None, before: str, after: str, heading: str) -> None:
        """One fragment, its macros expanded; what cannot be is a problem."""
        body = body.strip()
        if not _NO_MATH.sub("", body.text) or _LAYOUT.fullmatch(body.text) or len(self.found) >= MAX_FRAGMENTS:
            if len(self.found) == MAX_FRAGMENTS and not any(p.code == "too-large" for p in self.problems):
                self.problems.append(Problem(body.starts[0] if body.text else 0, "too-large", f"more than {MAX_FRAGMENTS} formulas; what follows is not read"))
            return
        if kind == "line" and _is_latex(body.text):
            kind = "inline"
        if len(body) > MAX_FORMULA:
            self.problems.append(Problem(body.starts[0], "too-large", f"a formula of more than {MAX_FORMULA} characters", body.text[:80]))
            return
        try:
            expanded = self.macros.expand(body).strip()
        except Endless as e:
            self.problems.append(Problem(body.starts[0], "endless-macro", str(e), body.text[:200]))
            return
        if expanded.text:
            self.found.append(Fragment(expanded, body, kind, environment, before, after, heading))


def read_tex(reading: Reading, source: Passage) -> None:
    """LaTeX: listings and comments go, definitions are kept, abbreviations of environments are expanded first."""
    source = _without_verbatim(reading, source)
    source = without(source, [(m.start() + len(m[1]), m.end()) for m in _TEX_COMMENT.finditer(source.text)], "")
    source = reading.macros.collect(source)
    end = source.text.find("\\end{document}")
    source = source if end < 0 else source[:end]
    structural = [name for name, every in reading.macros.known.items() if any(_STRUCTURE.search("".join(m.body)) for _, m in every)]
    if structural:
        try:
            source = reading.macros.expand(source, structural)
        except Endless as e:
            reading.problems.append(Problem(source.starts[0], "endless-macro", str(e)))
    reading.block(source, TEX)


def _without_verbatim(reading: Reading, source: Passage) -> Passage:
    cut: list[tuple[int, int]] = []
    at = 0
    while m := _VERBATIM.search(source.text, at):
        end = source.text.find(f"\\end{{{m[1]}}}", m.end())
        at = len(source) if end < 0 else end + len(m[1]) + 6
        line = source.text.rfind("\n", 0, m.start()) + 1
        if "%" not in source.text[line : m.start()].replace("\\%", ""):
            cut.append((m.start(), at))
            first = max(source.text.find("\n", m.end(), max(end, 0)), m.end())
            told = _LANGUAGE.search(source.text[m.end() : first]) if m[1] in ("lstlisting", "minted") else None
            if told is not None and (language := (told[1] or told[2]).lower()) in code.FAMILY:
                reading.program(body := source[first:end], language, [part for part, _ in code.prose(body, language) if part.text])
        else:
            at = m.end()
    source = without(source, cut, "\n")
    return without(source, [m.span() for m in _VERB.finditer(source.text)])


def read_markdown(reading: Reading, source: Passage) -> None:
    """Markdown, plain text and reStructuredText."""
    for macro in configured(source.text):
        reading.macros.define(-1, macro)
    reading.block(reading.macros.collect(scripted(source)), MARKDOWN)


def read_html(reading: Reading, source: Passage) -> None:
    """A page, as its reader sees it."""
    for macro in configured(source.text):
        reading.macros.define(-1, macro)
    reading.block(reading.macros.collect(html.visible(scripted(source))), MARKDOWN)


def read_notebook(reading: Reading, source: Passage) -> None:
    """A notebook, cell by cell; of code cells the comments and docstrings."""
    try:
        every = list(notebook.cells(source.text))
    except notebook.NotANotebook as e:
        reading.problems.append(Problem(0, "unreadable-file", str(e)))
        return
    every = [(kind, language, reading.macros.collect(cell) if kind == "markdown" else cell) for kind, language, cell in every]
    for kind, language, cell in every:
        if kind == "markdown":
            reading.block(cell, MARKDOWN)
        else:
            read_program(reading, cell, language)


def read_program(reading: Reading, source: Passage, language: str) -> None:
    """The comments and strings of a program, a short string only if it is plainly LaTeX; the whole of it is kept if it is Python."""
    literals = list(code.prose(source, language))
    strings = [part for part, _ in literals if part.text]
    reading.program(source, language, strings)
    for line in code.open_lines(source, strings):
        reading.block(reading.macros.collect(unentitied(line)), MARKDOWN)
    outside = code.open_formulas(source, strings)
    if outside is not None:
        reading.block(reading.macros.collect(outside), PROGRAM)
    pages = list(code.pages(source, literals))
    for page in pages:
        reading.block(reading.macros.collect(page), MARKDOWN)
    parts = [(part, short) for part, short in literals if RELATION.search(part.text)]
    parts = [(reading.macros.collect(part), short) for part, short in parts]
    for part, short in parts:
        if code.within(pages, part.starts[0]):
            continue
        if not short:
            if (sketch := sketched(part)) is not None:
                reading.sketches.append(sketch)
            reading.block(part, MARKDOWN)
        elif re.search(r"\\[A-Za-z]{2}|\\[(\[]|\$[^$]+\$", part.text) and lines.looks_mathematical(part.text):
            before = len(reading.found)
            reading.block(unentitied(part), MARKDOWN)
            if len(reading.found) == before:
                reading.add(part, "inline", None, "", "", reading.heading)


def directives(text: str, parts: Iterable[Passage] | None = None) -> Iterator[Directive]:
    """The comments that speak to symgrad."""
    for part in [passage(text)] if parts is None else parts:
        if "symgrad:" in part.text:
            for m in _DIRECTIVE.finditer(part.text):
                yield Directive(m["html"] if m["html"] is not None else m["line"], part.starts[m.start()])


def inputs(text: str) -> list[tuple[int, str]]:
    r"""The files that a LaTeX document draws in with ``\input``, and where."""
    return [(m.start(), m[1].strip()) for m in _INPUT.finditer(_TEX_COMMENT.sub(lambda c: " " * len(c[0]), text))]


def finished(reading: Reading, name: str, kind: str, said: Iterable[Directive]) -> Document:
    """The document in the order of the file."""
    order = sorted(reading.found, key=lambda f: f.extent()[0])
    problems = sorted(reading.problems, key=lambda p: p.offset)
    programs = tuple(reading.programs), tuple(reading.foreign), tuple(reading.sketches)
    return Document(name, reading.text, kind, tuple(order), tuple(said), tuple(problems), *programs)


def _is_latex(text: str) -> bool:
    return re.search(r"\\[A-Za-z]", text) is not None


def _title(m: re.Match[str]) -> str:
    return next((g.strip(" #") for g in m.groups() if g), "")


def _inside(things: list[Item], at: int) -> bool:
    k = bisect_right(things, at, key=lambda t: t.start) - 1
    return k >= 0 and at < things[k].stop and things[k].kind in ("fence", "skip", "display")


def _around(text: str, start: int, stop: int, displays: list[int]) -> tuple[str, str]:
    """The prose before and after, as far as the next display."""
    k = bisect_right(displays, start - 1)
    lower = max(displays[k - 1] if k else 0, start - CONTEXT)
    k = bisect_right(displays, stop)
    upper = min(displays[k] if k < len(displays) else len(text), stop + CONTEXT)
    return text[lower:start], text[stop:upper]


def _masked(source: Passage, things: list[Item]) -> Passage:
    """The passage with everything hidden that is already read; its lines stay."""
    text = list(source.text)
    for t in things:
        if t.kind != "unclosed":
            text[t.start : t.stop] = [c if c == "\n" else "\x00" for c in text[t.start : t.stop]]
    return Passage("".join(text), source.starts, source.ends)


def _continued(source: Passage, made: list[Piece]) -> Iterator[Piece]:
    """The pieces in order, one that ends with an operator or a relation's sign together with what goes on behind it."""
    last: Piece | None = None
    for piece in made:
        between = _between(source, last, piece) if last is not None else None
        if last is None:
            last = piece
        elif between is not None:
            last = (last[0], piece[1], joined([last[2], between, piece[2]]), last[3], last[4])
        else:
            yield last
            last = piece
    if last is not None:
        yield last


def _between(source: Passage, last: Piece, piece: Piece) -> Passage | None:
    """What stands between two parts of one formula: a space, or the sign that stands outside; None between formulas."""
    text = source.text
    if not {last[3], piece[3]} <= {"inline", "display"} or not 0 < len(last[2]) < MAX_JOINED or not len(piece[2]) or last[1] > piece[0]:
        return None
    end = _OPEN_END.search(last[2].text, max(0, len(last[2]) - 60))
    if end is not None and not last[2].text[: end.start()].strip():  # a sign is mentioned
        return None
    if sign := _SIGN.fullmatch(text, last[1], piece[0]):
        return source[slice(*sign.span(1))] if end is None and not _BEGINS.match(piece[2].text) else None
    if _NOTHING.fullmatch(text, last[1], piece[0]) is None:
        return None
    goes_on = not _BEGINS.match(piece[2].text) if end is not None else "=" in last[2].text and _OPEN_BEGIN.match(piece[2].text) is not None
    return synthetic(" ", last[2].ends[-1]) if goes_on else None


def _places(source: Passage) -> Callable[[int], int]:
    """From a file offset to the index in the passage."""
    return lambda offset: bisect_right(source.starts, offset) - 1


def _paragraphs(inner: Passage) -> Iterator[Passage]:
    """The equations of a ``.. math::`` block: set apart by blank lines, unless inside an environment."""
    at = depth = 0
    for m in re.finditer(r"\n[ \t]*\n\s*|\\begin\s*\{|\\end\s*\{", inner.text):
        if m[0][0] == "\\":
            depth += 1 if m[0][1] == "b" else -1
        elif depth <= 0 and inner.text[at : m.start()].strip():
            yield inner[at : m.start()]
            at = m.end()
    yield inner[at:]


__all__ = ["Reading", "directives", "finished", "inputs", "joined", "read_html", "read_markdown", "read_notebook", "read_program", "read_tex"]
