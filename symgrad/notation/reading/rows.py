r"""Rows, cells, remarks and lists: which tokens of a fragment are one statement, and what is said of it.

A row that begins with a sign goes on with the one before; a comma, a wide gap, a word between formulas begins another statement, unless what
stands there is a condition ("when z = 1"), a range ("k = 1, ..., t"), or the number of the equation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from symgrad.notation import table
from symgrad.notation.reading.lexis import CELL
from symgrad.notation.reading.runs import (
    ends_open,
    goes_on,
    index_like,
    prose,
    relates,
    sets,
    starts_on,
    trim,
    unbracketed,
    unlabelled,
    unnumbered,
)
from symgrad.notation.reading.sweep import partners
from symgrad.notation.reading.tokens import Token

_ARROWS = frozenset((r"\implies", r"\iff", r"\Rightarrow", r"\Longrightarrow", r"\Leftrightarrow", r"\Longleftrightarrow", r"\therefore", r"\because",
                     "=>", "⇒", "⇔", "∴", "∵"))  # fmt: skip
_TO = frozenset((r"\to", r"\rightarrow", r"\longrightarrow", "->", "→"))

_EXPLAINED = re.compile(
    r"\s*(?:(?:stands?|denotes?|means?|is|represents?|refers|indicates?|steht|bezeichnet|désigne|denota|indica|обозначает|означает)\b|表示|代表|是|为|は)",
    re.IGNORECASE,
)
_FACTORS = frozenset((r"\prod", r"\sum"))  # a fraction alone may be a derivative whose other side is lost


@dataclass
class Statement:
    """The tokens of one formula, and those of its conditions (a prose token alone is a remark)."""

    tokens: list[Token] = field(default_factory=list)
    conditions: list[list[Token]] = field(default_factory=list)


def split_rows(found: list[Token], everywhere: bool = False) -> list[list[Token]]:
    r"""The rows; a ``\\`` within brackets is no end of one unless `everywhere`, for brackets that pair by mistake."""
    pair = partners(found)
    rows: list[list[Token]] = [[]]
    held = 0  # open pairs
    environments = 0
    for k, token in enumerate(found):
        opens = pair[k] > k
        if pair[k] >= 0:
            held += 1 if opens else -1
            if token.key.startswith("\\begin{") or token.key.startswith("\\end{"):
                environments += 1 if opens else -1
        if token.kind != "row" or environments:
            rows[-1].append(token)
        elif held == 0 or everywhere:
            rows.append([])
    return rows


def statements(rows: list[list[Token]], code: bool) -> list[Statement]:
    """What the rows state, in order."""
    found: list[Statement] = []
    for row in rows:
        _Row(found, code).read(row)
    for statement in found:
        trim(statement.tokens)
    return [s for s in found if s.tokens]


def pieces(row: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """The parts of a row between the separators outside brackets, each with what stands before it."""
    pair = partners(row)
    lead, part = "row", list[Token]()
    signs = {*table.INFIX, *table.RELATION_SIGNS}
    k = 0
    while k < len(row):
        token = row[k]
        key = token.key
        if pair[k] > k:
            part.extend(row[k : pair[k] + 1])
            k = pair[k] + 1
            continue
        if key == ";" and (signs.issuperset(t.key for t in row[k + 1 : k + 2]) or signs.issuperset(t.key for t in row[k - 1 : k])) and 0 < k < len(row) - 1:
            k += 1  # ``a ;+; b``, a space that has lost its backslash
            continue
        separator = (
            "gap" if token.kind == "gap" else "cell" if key == CELL else "comma" if key in (",", ";", "，", "；")
            else "arrow" if key in _ARROWS or follows(row, k, part) else "colon" if key == ":" else "forall" if key in (r"\forall", "∀")
            else "prose" if token.kind == "prose" and _separates(row, k, part) else ""
        )  # fmt: skip
        if separator:
            if part or lead != "row" or separator not in ("cell", "gap"):  # `& = b` begins the row
                yield lead, part
                lead = separator
            part = []
            if separator == "prose":
                lead = "prose:" + token.key
                yield lead, [token]
                lead = "after"
        else:
            part.append(token)
        k += 1
    yield lead, part


def follows(row: list[Token], k: int, part: list[Token]) -> bool:
    r"""Whether an arrow stands between two equations, ``h = z c \to \partial h / \partial c = z``: nothing tends to an equation."""
    if row[k].key not in _TO or not relates(part):
        return False
    pair, after = partners(row), k + 1
    while after < len(row) and row[after].key != "=" and row[after].kind != "gap" and row[after].key not in (*_TO, ",", ";"):
        after = max(after, pair[after]) + 1
    return after < len(row) and row[after].key == "="


def multiplies(before: list[Token], part: list[Token]) -> bool:
    r"""Whether a row without a relation is a factor of the one before, ``a = b \\ & (c + d)``."""
    return bool(before) and relates(before) and not before[-1].key.endswith((".", "!")) and (partners(part)[0] > 0 or part[0].key in _FACTORS)


def explains(row: list[Token]) -> bool:
    r"""Whether a row says what a sign is, ``\\ & \odot \text{ denotes the product of entries}``, and is no factor of the one before."""
    told = [token for token in row if token.key != CELL]
    return len(told) == 2 and told[0].key in table.INFIX and told[1].kind == "prose" and _EXPLAINED.match(told[1].key) is not None


def _separates(row: list[Token], k: int, part: list[Token]) -> bool:
    """Whether prose here stands between formulas, not in one."""
    after = row[k + 1].key if k + 1 < len(row) else ""
    if after in ("_", "^") or (part and ends_open(part)):
        return False
    return bool(part) or not (after in table.RELATION_SIGNS or after in table.INFIX)


class _Row:
    """One row, read into the list of statements."""

    def __init__(self, found: list[Statement], code: bool) -> None:
        self.found, self.code = found, code
        self.pending: list[list[Token]] = []  # conditions that stand before their statement
        self.conditional = ""  # the word that makes what follows a condition
        self.fresh = True  # whether no statement stands in this row yet
        self.waiting: list[list[Token]] = []  # `a, b` before `= c`
        self.first = len(found)  # where its statements begin
        self.opened = False  # whether a word opened a bracket, `(since a = b)`
        self.bare = False  # whether it has no sign for a relation
        self.range: list[Token] = []  # the last condition, while a list may go on in it

    def read(self, row: list[Token]) -> None:
        if self.code:
            row = unlabelled(row)
        if explains(row):
            self.found.append(Statement([token for token in row if token.key != CELL]))
            return
        self.bare = not relates(row)
        for lead, part in pieces(row):
            if lead.startswith("prose:"):
                self.prose(part[0])
            else:
                if lead == "forall":
                    self.conditional = "for"
                if part:
                    self.piece(lead, part)
        self.flush()
        if self.pending and self.found:
            self.found[-1].conditions += self.pending

    def flush(self) -> None:
        for part in self.waiting:
            self.found.append(Statement(part, self.pending))
            self.pending, self.fresh = [], False
        self.waiting = []

    def state(self, tokens: list[Token]) -> None:
        """A statement, of all that waits before it."""
        comma = Token("sign", ",", tokens[0].start, tokens[0].start)
        before = [token for part in self.waiting for token in (*part, comma)]
        self.waiting, self.conditional = [], ""
        self.found.append(Statement([*before, *tokens], self.pending))
        self.pending, self.fresh = [], False

    def prose(self, token: Token) -> None:
        self.opened = token.key.count("(") > token.key.count(")")
        words = token.key.strip("().,:; ").lower().split()
        self.flush()
        self.range = []
        if words and words[0] in table.CONDITIONS:
            self.conditional = words[0]
            if len(words) > 1 and words[-1] not in table.CONDITIONS:
                self.note([token])
        elif not words or "then" in words or (words[0] in table.CONJUNCTIONS and len(words) < 4):
            self.conditional = self.conditional if words == ["and"] else ""
        elif not self.fresh or self.conditional:
            self.note([token])

    def note(self, tokens: list[Token]) -> None:
        """A condition or remark, for the statement that stands here or the next one."""
        self.flush()
        if self.fresh or not self.found:
            self.pending.append(tokens)
        else:
            self.found[-1].conditions.append(tokens)
        self.range = tokens

    def piece(self, lead: str, part: list[Token]) -> None:
        part = unnumbered(part, lead)
        if self.opened and part and part[-1].key == ")" and partners(part)[-1] < 0:
            part, self.opened = part[:-1], False
        if not part:
            return
        if lead == "comma" and self.range and index_like(part):
            self.range.extend([Token("sign", ",", part[0].start, part[0].start), *part])
            return
        self.range = []
        if self.code and not relates(part) and any(
            a.kind == b.kind == "identifier" and min(len(a.key), len(b.key)) > 2 for a, b in pairwise(part)):
            part = [prose(part)]
        if lead == "row":
            here = self.found[-1].tokens if self.found else []
            joins = part[0].key in table.RELATION_SIGNS or (starts_on(part) and not relates(part)) or (self.bare and multiplies(here, part))
            if here and (joins or ends_open(here)):
                self.join(here, part)
                return
        elif lead != "comma" and self.waiting and (ends_open(self.waiting[-1]) or starts_on(part)):
            part = [*self.waiting.pop(), *part]
            lead = "comma" if self.waiting else "joined"
        here = [] if self.fresh else self.found[-1].tokens
        if lead == "colon":
            self.colon(part, here)
        elif self.conditional and (sets(part) or not (self.conditional in ("where", "with") or (self.fresh and relates(part) and self.pending))):
            self.note(part)
        elif here and lead not in ("comma", "joined") and (ends_open(here) or starts_on(part)):
            self.join(here, part)
        elif here and lead == "arrow" and sets(here) and relates(part):
            self.pending = []
            while len(self.found) > self.first and sets(self.found[-1].tokens):  # `r = 0, z = 1 \implies a = b`
                self.pending.insert(0, self.found.pop().tokens)
            self.state(part)
        elif here and lead in ("gap", "comma", "after") and relates(here) and goes_on(lead, here, part):
            if lead == "comma" and not relates(part):
                self.join(here, [Token("sign", ",", part[0].start, part[0].start), *part])
            else:
                self.note(unbracketed(part))
        elif here and self.code and lead == "gap" and not relates(part):
            self.note([prose(part)])
        elif relates(part):
            if lead != "comma":
                self.flush()
            self.state(part)
        else:
            if lead != "comma":
                self.flush()
            self.waiting.append(part)

    def join(self, last: list[Token], part: list[Token]) -> None:
        trim(last)
        if last and last[-1].key in table.RELATION_SIGNS and part[0].key == last[-1].key:
            part = part[1:]
        last.extend(part)
        self.fresh = False

    def colon(self, part: list[Token], here: list[Token]) -> None:
        r"""``x: n \times 1``, the kind of what stands before; or a condition or a label and its formula."""
        if self.waiting and not relates(part):
            sign = Token("sign", r"\colon", part[0].start, part[0].start)
            self.state([*self.waiting.pop(), sign, *part])
        elif self.waiting:
            self.waiting = []
            self.state(part)
        elif here and relates(here) and sets(here) and relates(part):
            self.pending = [self.found.pop().tokens]
            self.state(part)
        elif here:
            self.note(part)
        else:
            self.state(part)


