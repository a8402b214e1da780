r"""LaTeX mathematics to tokens with their places: spacing, size commands and comments are dropped, spellings made one.

Bounded: so many characters, tokens, open braces, and never a second look at a character.  Nothing is expanded or evaluated.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from symgrad.notation import table
from symgrad.notation.syntax import Span

MAX_CHARACTERS = 1_000_000
MAX_TOKENS = 100_000
MAX_NESTING = 32  # comparing and printing recur up to 24 calls a level; Python allows a thousand
MAX_HEIGHT = 7 * MAX_NESTING  # of nodes inside each other, where `a / b * c / d` nests without brackets
END = ""  # the key of the token behind the last


class ParseError(ValueError):
    """Why a formula cannot be read: where, what was wrong, what was expected there, and what to write instead."""

    def __init__(self, span: Span, reason: str, expected: str = "", way_out: str = "") -> None:
        self.span, self.reason, self.expected, self.way_out = span, reason, expected, way_out
        message = f"column {span.start + 1}: {reason}"
        if expected:
            message += f"; expected {expected}"
        if way_out:
            message += f" ({way_out})"
        super().__init__(message)


class Token(NamedTuple):
    """`key` is the spelling the parser looks up; `kind` is one of ``letter word number command sign end``."""

    kind: str
    key: str
    start: int
    end: int
    detail: str = ""  # of a word its font command, of a letter its accent marks


_ALTERNATIVES = "|".join
_FUNCTION_WORDS = sorted((word for word in (*table.FUNCTION_WORDS, table.DIAGONAL) if len(word) > 2), key=len, reverse=True)
_SIGNS = sorted(
    (s for s in (*table.INFIX, *table.RELATION_SIGNS) if len(s) > 1 and s[0] != "\\"), key=len, reverse=True)  # fmt: skip
# In a text font everything is a word, in a mathematical one only letters are: \mathbf{W x + b} is a formula.
_TEXT_FONTS = [font for font in table.FONTS if font.startswith("text") or font in ("mbox", "operatorname")]
_MATH_FONTS = [font for font in table.FONTS if font not in _TEXT_FONTS]
_TOKEN = re.compile(
    rf"""
    (?P<space>(?:\s|~|%[^\n]*|\{{\s*\}}|\\[,;:!>\s/]|\\(?:{_ALTERNATIVES(table.SPACING)})(?![A-Za-z])
        |\\(?:begin|end)\s*\{{(?:{_ALTERNATIVES(map(re.escape, table.ALIGNMENTS))})\}})+)
  | \\(?P<font>{_ALTERNATIVES(_TEXT_FONTS)})\*?\s*\{{(?P<word>(?:[^{{}}\\$%&\#^_]|\\[_%&\#$\s])*)\}}
  | \\(?P<mathfont>{_ALTERNATIVES(_MATH_FONTS)})\s*\{{\s*(?P<mathword>[^\W_]*)\s*\}}
  | (?P<newline>\\\\\*?(?:\[-?[0-9.]+\s*(?:pt|em|ex|mm|cm|in|mu)\])?|\\cr(?![A-Za-z])|\\newline(?![A-Za-z]))
  | (?P<matrix>\\(?:begin|end)\s*\{{(?:{_ALTERNATIVES(table.MATRICES)})\}})
  | (?P<increment>\\mathrel\{{[+-]\}}=)
  | (?P<command>\\(?:[A-Za-z]+|.))
  | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
  | (?<![A-Za-z])(?P<bare>{_ALTERNATIVES(_FUNCTION_WORDS)})(?![A-Za-z])
  | (?P<letter>[^\W\d_][\u0300-\u036f\u1dcd\u20d0-\u20ff]*)
  | (?P<sign>{_ALTERNATIVES(map(re.escape, _SIGNS))}|.|\n)
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def tokens(source: str, lines: bool = False) -> list[Token]:
    r"""The tokens of `source` and an end; ``\\`` and ``&`` are kept inside a matrix, and with `lines` ``\\`` outside one too."""
    if len(source) > MAX_CHARACTERS:
        raise ParseError(Span(MAX_CHARACTERS, len(source)), f"the formula has more than {MAX_CHARACTERS} characters")
    found: list[Token] = []
    open_braces: list[int] = []
    matrices = 0
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        key, start, end, detail = match[0], match.start(), match.end(), ""
        match kind:
            case "word":
                key, detail = _ESCAPED.sub(r"\1", match["word"]).strip(), table.FONTS[match["font"]]
                if match["font"] == "operatorname":
                    kind = "operator"
            case "mathword":
                kind, key, detail = "word", match["mathword"], table.FONTS[match["mathfont"]]
            case "bare":
                kind = "word"
            case "letter" if key in table.SUPERSCRIPTS:
                found.append(Token("sign", "^", start, end))
                key = table.SUPERSCRIPTS[key]
                kind = "number" if key.isdigit() else "command"
            case "letter":
                kind, key, detail = accented_letter(key, start, end)
            case "newline":
                kind, key = "sign", r"\\"
                if not matrices and not lines:
                    continue
            case "matrix":
                kind, key = "command", re.sub(r"\s", "", key)
                matrices += 1 if key.startswith(r"\begin") else -1
            case "number":
                pass
            case _:
                kind = "command" if kind == "command" else "sign"
                if key == "&" and not matrices:
                    continue
                key = table.ALIASES.get(key, key)
                if key[0] == "\\" and kind == "sign":
                    kind = "command"
                if key == "{":
                    open_braces.append(start)
                    if len(open_braces) > MAX_NESTING:
                        raise too_deep(start)
                elif key == "}":
                    if not open_braces:
                        raise ParseError(Span(start, end), "a closing brace that was never opened")
                    open_braces.pop()
        found.append(Token(kind, key, start, end, detail))
        if len(found) > MAX_TOKENS:
            raise ParseError(Span(start, end), f"the formula has more than {MAX_TOKENS} tokens", way_out="split it")
    if open_braces:
        raise ParseError(Span(open_braces[-1], open_braces[-1] + 1), "an opening brace that is never closed", "}")
    while found and found[-1].kind == "sign" and found[-1].key in (",", ".", ";"):  # punctuation of the sentence around
        found.pop()
    found.append(Token("end", END, len(source), len(source)))
    return found


def too_deep(start: int) -> ParseError:
    """More than MAX_NESTING brackets, scripts or big operators inside each other."""
    return ParseError(Span(start, start + 1), f"nested more than {MAX_NESTING} levels deep", way_out="name a part of it")


def accented_letter(text: str, start: int, end: int) -> tuple[str, str, str]:
    """A letter and its accents, which may stand before it: Greek by its command, ``ĥ`` taken apart, marks by their names."""
    if text.isascii():
        return "letter", text, ""
    if unicodedata.combining(text[0]):  # ``\u0303h`` of a text that was copied from a page
        text = text[1:] + text[0]
    text = table.ALIASES.get(text[0], unicodedata.normalize("NFD", text[0])) + text[1:]
    if text[0] == "\\":
        base = text.rstrip("".join(table.COMBINING))
        marks, kind = text[len(base):], "command"  # fmt: skip
    else:
        base, marks, kind = text[0], text[1:], "letter"
    accents = [table.COMBINING.get(mark) for mark in marks]
    if None in accents or not (kind == "command" or base.isalpha()):
        raise ParseError(Span(start, end), f"the sign {text} is not known here", "a letter", "write it as a LaTeX command")
    return kind, base, " ".join(filter(None, accents))


class Cursor:
    """One formula's tokens and the place in them."""

    lenient = False  # whether signs may stand where no printer would put them

    def __init__(self, found: list[Token], functions: frozenset[str]) -> None:
        self.tokens, self.functions = found, functions
        self.at = 0
        self.end = 0  # of the last token read
        self.depth = 0
        self.regrouped = False  # whether signs of one level were mixed
        self.kind = ""  # of the last operand: ``name`` or ``operator`` if scripts and arguments may still go into it
        self.bars = ""  # inside `|`, where the next `|` closes

    @property
    def key(self) -> str:
        return self.tokens[self.at].key

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        self.end = token.end
        return token

    def expect(self, key: str, where: str, way_out: str = "") -> None:
        if self.tokens[self.at].key != key:
            raise self.error(f"{self.found()} {where}", f"`{key}`", way_out)
        self.take()

    def found(self) -> str:
        token = self.tokens[self.at]
        return "the formula ends" if token.kind == "end" else f"`{token.key}` stands"

    def error(self, reason: str, expected: str = "", way_out: str = "", token: Token | None = None) -> ParseError:
        token = token or self.tokens[self.at]
        return ParseError(Span(token.start, token.end), reason, expected, way_out)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise too_deep(self.tokens[self.at].start)

    def span(self, start: int) -> Span:
        return Span(start, self.end)
