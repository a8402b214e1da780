r"""Rows, cells, remarks and lists: which tokens of a fragment are one statement, and what is said of it.

A row that begins with a sign goes on with the one before; a comma, a wide gap, a word between formulas begins another statement, unless what
stands there is a condition ("when z = 1"), a range ("k = 1, ..., t"), or the number of the equation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from symgrad.notation import table
from symgrad.notation.lexis import CELL
from symgrad.notation.sweep import partners
from symgrad.notation.tokens import Token

_ARROWS = frozenset((r"\implies", r"\iff", r"\Rightarrow", r"\Longrightarrow", r"\Leftrightarrow", r"\Longleftrightarrow", r"\therefore", r"\because",
                     "=>", "⇒", "⇔", "∴", "∵"))  # fmt: skip
INDEX_LETTERS = frozenset("tkijlnmspqTLNKMDC") | {r"\tau"}
_TERMS = frozenset(("+", "-", "\u2212", r"\dots", r"\cdots"))
_PUNCTUATION = (",", ".", ";", ":", "?", "!", "，", "。", "；")


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
        _trim(statement.tokens)
    return [s for s in found if s.tokens]


def _trim(tokens: list[Token]) -> None:
    while tokens and tokens[-1].key in _PUNCTUATION:
        tokens.pop()


def pieces(row: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """The parts of a row between the separators outside brackets, each with what stands before it."""
    pair = partners(row)
    lead, part = "row", list[Token]()
    k = 0
    while k < len(row):
        token = row[k]
        key = token.key
        if pair[k] > k:
            part.extend(row[k : pair[k] + 1])
            k = pair[k] + 1
            continue
        separator = (
            "gap" if token.kind == "gap" else "cell" if key == CELL else "comma" if key in (",", ";", "，", "；") else "arrow" if key in _ARROWS
            else "colon" if key == ":" else "forall" if key in (r"\forall", "∀") else "prose" if token.kind == "prose" and _separates(row, k, part) else ""
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


def _separates(row: list[Token], k: int, part: list[Token]) -> bool:
    """Whether prose here stands between formulas, not in one."""
    after = row[k + 1].key if k + 1 < len(row) else ""
    if after in ("_", "^") or (part and ends_open(part)):
        return False
    return bool(part) or not (after in table.RELATION_SIGNS or after in table.INFIX)


def starts_on(tokens: list[Token]) -> bool:
    """Whether these tokens go on with something: they begin with a sign."""
    return tokens[0].key in table.RELATION_SIGNS or tokens[0].key in table.INFIX


def ends_open(tokens: list[Token]) -> bool:
    """Whether something must follow: the last token is a sign or a big operator."""
    key = tokens[-1].key
    return key in table.RELATION_SIGNS or (key in table.INFIX and key != ".") or key[1:] in table.BIG_OPERATORS


def relates(tokens: list[Token]) -> bool:
    """Whether a relation's sign stands outside brackets."""
    depth = 0
    for token in tokens:
        if token.key in ("(", "[", "{", r"\{", r"\langle") or token.key.startswith("\\begin{"):
            depth += 1
        elif token.key in (")", "]", "}", r"\}", r"\rangle") or token.key.startswith("\\end{"):
            depth -= 1
        elif depth == 0 and token.key in table.RELATION_SIGNS:
            return True
    return False


def index_like(tokens: list[Token]) -> bool:
    """``t``, ``k + 1``, ``2``, a dot: what counts."""
    return bool(tokens) and all(
        token.kind == "number" or token.key in INDEX_LETTERS or token.key in _TERMS or token.key in ("'", ",", r"\infty") for token in tokens)  # fmt: skip


def _sides(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    for k, token in enumerate(tokens):
        if token.key in table.RELATION_SIGNS:
            return tokens[:k], tokens[k + 1 :]
    return tokens, []


def _sets(tokens: list[Token]) -> bool:
    """``z = 1``, ``k = 1``, ``k > t``: what can only be a condition or a range where another statement stands before it."""
    left, right = _sides(tokens)
    while right and right[-1].key in _PUNCTUATION:
        right = right[:-1]
    return bool(right) and (index_like(left) or all(token.kind == "number" or token.key in ("-", r"\dots") for token in right))


class _Row:
    """One row, read into the list of statements."""

    def __init__(self, found: list[Statement], code: bool) -> None:
        self.found, self.code = found, code
        self.pending: list[list[Token]] = []  # conditions that stand before their statement
        self.conditional = ""  # the word that makes what follows a condition
        self.fresh = True  # whether no statement stands in this row yet
        self.waiting: list[list[Token]] = []  # `a, b` before `= c`
        self.range: list[Token] = []  # the last condition, while a list may go on in it

    def read(self, row: list[Token]) -> None:
        if self.code:
            row = _unlabelled(row)
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
        part = _unnumbered(part, lead) if lead in ("gap", "after", "cell") or self.code else part
        if not part:
            return
        if lead == "comma" and self.range and index_like(part):
            self.range.extend([Token("sign", ",", part[0].start, part[0].start), *part])
            return
        self.range = []
        if self.code and not relates(part) and any(
            a.kind == b.kind == "identifier" and min(len(a.key), len(b.key)) > 2 for a, b in zip(part, part[1:], strict=False)):
            part = [_prose(part)]
        if lead == "row":
            here = self.found[-1].tokens if self.found else []
            if here and (ends_open(here) or part[0].key in table.RELATION_SIGNS or (starts_on(part) and not relates(part))):
                self.join(here, part)
                return
        elif lead != "comma" and self.waiting and (ends_open(self.waiting[-1]) or starts_on(part)):
            part = [*self.waiting.pop(), *part]
            lead = "comma" if self.waiting else "joined"
        here = [] if self.fresh else self.found[-1].tokens
        if lead == "colon":
            self.colon(part, here)
        elif self.conditional and (_sets(part) or not (self.conditional in ("where", "with") or (self.fresh and relates(part) and self.pending))):
            self.note(part)
        elif here and lead not in ("comma", "joined") and (ends_open(here) or starts_on(part)):
            self.join(here, part)
        elif here and lead == "arrow" and _sets(here) and relates(part):
            self.pending = [self.found.pop().tokens]
            self.state(part)
        elif here and lead in ("gap", "comma", "after") and relates(here) and _goes_on(lead, here, part):
            if lead == "comma" and not relates(part):
                self.join(here, [Token("sign", ",", part[0].start, part[0].start), *part])
            else:
                self.note(_unbracketed(part))
        elif here and self.code and lead == "gap" and not relates(part):
            self.note([_prose(part)])
        elif relates(part):
            if lead != "comma":
                self.flush()
            self.state(part)
        else:
            if lead != "comma":
                self.flush()
            self.waiting.append(part)

    def join(self, last: list[Token], part: list[Token]) -> None:
        _trim(last)
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
        elif here and relates(here) and _sets(here) and relates(part):
            self.pending = [self.found.pop().tokens]
            self.state(part)
        elif here:
            self.note(part)
        else:
            self.state(part)


def _prose(part: list[Token]) -> Token:
    return Token("prose", " ".join(token.key for token in part), part[0].start, part[-1].end)


def _goes_on(lead: str, here: list[Token], part: list[Token]) -> bool:
    """Whether a part behind a statement belongs to it: the rest of a list of indices, a range, a condition in brackets."""
    if not relates(part):
        bare = _unbracketed(part)
        if bare is not part and any(token.kind == "prose" for token in bare) or bare is not part and relates(bare):
            return True
        return lead == "comma" and index_like(part) and index_like(_sides(here)[1])
    left, _ = _sides(part)
    if any(token.kind == "number" for token in left):  # `h_0 = 0`
        return False
    return _sets(part) and not _sets(here) and (lead != "comma" or index_like(left)) and not (lead == "comma" and index_like(_sides(here)[0]))


def _unbracketed(part: list[Token]) -> list[Token]:
    while part and part[-1].key in _PUNCTUATION:
        part = part[:-1]
    return part[1:-1] if len(part) > 2 and part[0].key == "(" and partners(part)[0] == len(part) - 1 else part


def _unnumbered(part: list[Token], lead: str) -> list[Token]:
    """Without the number of an equation, ``(2)``, ``(6.2)``, ``(a)``, in front."""
    if len(part) < 3 or part[0].key != "(" or lead == "comma":
        return part
    close = partners(part)[0]
    inner = part[1:close] if 0 < close <= 8 else []
    if inner and all(token.kind == "number" or token.key in (".", "-") for token in inner) and inner[0].kind == "number":
        after = part[close + 1 :]
        return part if after and (starts_on(after) or after[0].key in ("^", "_")) else after
    if len(inner) == 1 and close == len(part) - 1 and (inner[0].kind == "letter" or inner[0].key in ("*", r"\ast", r"\star")):
        return []
    return part


def _unlabelled(row: list[Token]) -> list[Token]:
    """A line of code or text without its bullet, number or label, ``3. Gradient: a = b``."""
    if len(row) > 2 and row[0].kind == "number" and row[1].key in (".", ")"):
        row = row[2:]
    elif len(row) > 1 and row[0].key in ("-", "*", "•", r"\bullet") and row[1].start > row[0].end and relates(row):
        row = row[1:]
    for k, token in enumerate(row[:12]):
        if token.key == ":" and k and all(t.kind in ("identifier", "number", "prose", "word") or t.key in ("-", "(", ")") for t in row[:k]):
            return row[k + 1 :] if relates(row[k + 1 :]) else row
    return row
