"""The report for a terminal, in the manner of a good compiler: the place, the line, the wrong term underlined, what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from symgrad.check.claim import VERDICTS, Claim, Span, summary

WIDTH = 110


@dataclass(frozen=True, slots=True)
class Palette:
    """Escape sequences, or none."""

    refuted: str = ""
    undecided: str = ""
    unread: str = ""
    proved: str = ""
    frame: str = ""
    strong: str = ""
    off: str = ""

    def of(self, verdict: str) -> str:
        return {"refuted": self.refuted, "undecided": self.undecided, "unread": self.unread, "proved": self.proved}[verdict]


PLAIN = Palette()
PALETTE = Palette("\x1b[1;31m", "\x1b[1;33m", "\x1b[1;35m", "\x1b[32m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m")


def report(claims: Iterable[Claim], texts: Mapping[str, str], palette: Palette = PLAIN, *, expected: Collection[int] = (), quiet: bool = False) -> str:
    """Every claim in order and a last line that counts them; `quiet` leaves out what is proved."""
    claims = list(claims)
    lines: dict[str, list[str]] = {}
    out: list[str] = []
    for claim in claims:
        if claim.file not in lines:
            lines[claim.file] = texts.get(claim.file, "").split("\n")
        if claim.verdict == "refuted":
            out += ["", *_block(claim, lines[claim.file], palette, id(claim) in expected), ""]
        elif claim.verdict != "proved" or not quiet:
            out += _brief(claim, palette, id(claim) in expected)
    text = "\n".join(line for k, line in enumerate(out) if line or (k and out[k - 1])).strip("\n")
    return f"{text}\n\n{counted(claims, palette)}" if text else counted(claims, palette)


def counted(claims: Iterable[Claim], palette: Palette = PLAIN) -> str:
    """``12 claims: 9 proved, 2 refuted, 1 unread``."""
    count = summary(claims)
    parts = [f"{palette.of(v)}{count[v]} {v}{palette.off}" for v in VERDICTS if count[v]]
    total = sum(count.values())
    return f"{total} claim{'s' * (total != 1)}: {', '.join(parts)}" if total else "no claims found"


def _brief(claim: Claim, palette: Palette, expected: bool) -> Iterator[str]:
    code = f"[{claim.code}]" if claim.code else ""
    mark = " (as expected)" if expected else ""
    head = f"{palette.of(claim.verdict)}{claim.verdict}{code}{palette.off}{mark}"
    yield f"{head} {claim.file}:{claim.line}:{claim.column}: {shortened(claim.latex, 90) or printable(claim.message)}"
    if claim.message and claim.verdict != "proved" and claim.latex:
        yield f"    {printable(claim.message)}"
    for line in _conditions(claim):
        yield f"    {line}"


def _block(claim: Claim, lines: list[str], palette: Palette, expected: bool) -> Iterator[str]:
    p = palette
    mark = " (as expected)" if expected else ""
    yield f"{p.refuted}refuted{f'[{claim.code}]' if claim.code else ''}{p.off}{p.strong}: {printable(claim.message)}{p.off}{mark}"
    blame = claim.blame or claim.span
    gutter = len(str(max(blame.end_line, claim.definition.line if claim.definition else 0)))
    yield f"{' ' * gutter}{p.frame}-->{p.off} {claim.file}:{blame.line}:{blame.column}"
    yield f"{' ' * gutter} {p.frame}|{p.off}"
    yield from _lines(blame, lines, gutter, "^", p.refuted, "", p)
    if claim.definition and claim.definition.line != blame.line:
        yield f"{' ' * gutter} {p.frame}|{p.off}" if abs(claim.definition.line - blame.line) <= 1 else f"{p.frame}{'.' * gutter}{p.off}"
        yield from _lines(claim.definition, lines, gutter, "-", p.frame, "the definition", p)
    yield f"{' ' * gutter} {p.frame}|{p.off}"
    said = [*([f"help: write {shortened(claim.expected, 400)}"] if claim.expected else []), *_conditions(claim)]
    if claim.code:
        said.append(f"note: symgrad explain {claim.code}")
    for line in said:
        name, _, rest = line.partition(": ")
        yield f"{' ' * gutter} {p.frame}={p.off} {p.strong}{name}{p.off}: {rest}"


def _conditions(claim: Claim) -> Iterator[str]:
    reading = [] if claim.reading == "matrix" else [f"{claim.reading} reading"]
    layout = [] if claim.layout == "numerator" else [f"{claim.layout} layout"]
    if reading or layout:
        yield f"reading: {', '.join(reading + layout)}"
    if claim.assumptions:
        yield f"assuming: {'; '.join(printable(a) for a in claim.assumptions)}"


def _lines(span: Span, lines: list[str], gutter: int, sign: str, colour: str, label: str, p: Palette) -> Iterator[str]:
    """The lines of a span, three at most, each with its underline."""
    last = max(span.line, min(span.end_line, span.line + 2))
    for number in range(span.line, last + 1):
        text = lines[number - 1] if 0 < number <= len(lines) else ""
        start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
        stop = span.end_column - 1 if number == span.end_line else len(text.rstrip())
        if stop <= start and number != span.line:
            continue
        shown, offset = _window(text, start, stop)
        start, stop = start + offset, max(stop + offset, start + offset + 1)
        under = _width(shown[start : min(stop, len(shown))]) or 1
        yield f"{p.frame}{number:>{gutter}} |{p.off} {shown}"
        tail = f" {label}" if label and number == last else ""
        yield f"{' ' * gutter} {p.frame}|{p.off} {' ' * _width(shown[:start])}{colour}{sign * under}{tail}{p.off}"
    if last < span.end_line:
        yield f"{p.frame}{'.' * gutter}{p.off}"


def _window(text: str, start: int, stop: int) -> tuple[str, int]:
    """A long line cropped around what is underlined, and by how much its characters have moved."""
    text = printable(text)
    if len(text) <= WIDTH:
        return text, 0
    left = max(0, min(start - 30, len(text) - WIDTH))
    left = 0 if left < 4 else left
    right = min(len(text), max(left + WIDTH, min(stop, left + 2 * WIDTH)))
    head, tail = ("…" if left else ""), ("…" if right < len(text) else "")
    return f"{head}{text[left:right]}{tail}", len(head) - left


def shortened(text: str, width: int) -> str:
    """On one line and not longer than `width`."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= width else text[: width - 1] + "…"


def printable(text: str) -> str:
    """Without control characters: a document must not speak to the terminal.  Its length stays."""
    return "".join(" " if c == "\t" else "\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\u200d\u2062" else c for c in text)


def _width(text: str) -> int:
    """Columns on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
