r"""Runs of tokens: what they look like, before they are parsed, and what of them is no formula."""

from __future__ import annotations

from itertools import pairwise

from symgrad.notation import table
from symgrad.notation.reading.sweep import partners
from symgrad.notation.reading.tokens import Token

INDEX_LETTERS = frozenset("tkijlnmspqTLNKMDC") | {r"\tau"}
_TERMS = frozenset(("+", "-", "\u2212", r"\dots", r"\cdots"))
_OF_INDICES = frozenset({"min", "max", "in", "floor", "ceil", "left", "bigl", "dim", "len", "mod", "cdot", "times", "quad"})
_PUNCTUATION = (",", ".", ";", ":", "?", "!", "，", "。", "；")


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


def sides(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    for k, token in enumerate(tokens):
        if token.key in table.RELATION_SIGNS:
            return tokens[:k], tokens[k + 1 :]
    return tokens, []


def sets(tokens: list[Token]) -> bool:
    """``z = 1``, ``k = 1``, ``k > t``: what can only be a condition or a range where another statement stands before it."""
    left, right = sides(tokens)
    while right and right[-1].key in _PUNCTUATION:
        right = right[:-1]
    own = [token.key for token in left[:1]] if len(left) == 1 else []
    if any(token.key in (r"\sum", r"\prod") for token in right) or computes(right) or any([a.key] == own and b.key == "_" for a, b in pairwise(right)):
        return False  # ``L = Σ L_t``, ``L = L_a + λ L_b``: a letter that may count layers is a loss here
    return bool(right) and (index_like(left) or all(token.kind == "number" or token.key in ("-", r"\dots") for token in right))


def computes(right: list[Token]) -> bool:
    r"""Whether this is no number of anything: ``\operatorname{softmax}(o)``, ``V h_T + c``, ``v h_3``."""
    runs = zip(right, right[1:], [*right[2:], None], strict=False)
    if any(a.key in ("^", r"\frac", r"\tfrac", r"\|", r"\lVert") for a in right):
        return True  # ``L = \frac{1}{2} (y_T - d)^2``
    return any(
        (b.key == "(" and a.kind in ("operator", "word", "command") and a.key.lstrip("\\") not in _OF_INDICES)
        or (a.kind == b.kind == "letter" and weighs(a.key) and b.key.islower() and c is not None and c.key in ("_", "[", "("))
        for a, b, c in runs
    )


def weighs(letter: str) -> bool:
    """Whether a letter before another one is a weight rather than a number of components or steps."""
    return letter.isupper() or letter not in INDEX_LETTERS


def trim(tokens: list[Token]) -> None:
    while tokens and tokens[-1].key in _PUNCTUATION:
        tokens.pop()


def prose(part: list[Token]) -> Token:
    return Token("prose", " ".join(token.key for token in part), part[0].start, part[-1].end)


def goes_on(lead: str, here: list[Token], part: list[Token]) -> bool:
    """Whether a part behind a statement belongs to it: the rest of a list of indices, a range, a condition in brackets."""
    if not relates(part):
        bare = unbracketed(part)
        if (bare is not part and any(token.kind == "prose" for token in bare)) or (bare is not part and relates(bare)):
            return True
        return lead == "comma" and ((index_like(part) and index_like(sides(here)[1])) or lists(sides(here)[0]))
    left, _ = sides(part)
    if any(token.kind == "number" for token in left):  # `h_0 = 0`
        return False
    return sets(part) and not sets(here) and (lead != "comma" or index_like(left)) and not (lead == "comma" and index_like(sides(here)[0]))


def lists(tokens: list[Token]) -> bool:
    """Whether a comma stands outside brackets: ``a, b = c, d``."""
    pair = partners(tokens)
    k = 0
    while k < len(tokens):
        if tokens[k].key == ",":
            return True
        k = max(pair[k], k) + 1
    return False


def unbracketed(part: list[Token]) -> list[Token]:
    while part and part[-1].key in _PUNCTUATION:
        part = part[:-1]
    return part[1:-1] if len(part) > 2 and part[0].key == "(" and partners(part)[0] == len(part) - 1 else part


def unnumbered(part: list[Token], lead: str) -> list[Token]:
    """Without the number of an equation, ``(2)``, ``(6.2)``, ``(a)``, in front."""
    if len(part) < 3 or part[0].key != "(" or lead == "comma":
        return part
    close = partners(part)[0]
    inner = part[1:close] if 0 < close <= 8 else []
    if inner and all(token.kind == "number" or token.key in (".", "-") for token in inner) and inner[0].kind == "number":
        after = part[close + 1 :]
        return part if after and (lead == "row" or starts_on(after) or after[0].key in ("^", "_")) else after
    if len(inner) == 1 and close == len(part) - 1 and lead != "row" and (inner[0].kind == "letter" or inner[0].key in ("*", r"\ast", r"\star")):
        return []
    return part


def unlabelled(row: list[Token]) -> list[Token]:
    """A line of code or text without its bullet, number or label, ``3. Gradient: a = b``."""
    if len(row) > 2 and row[0].kind == "number" and row[1].key in (".", ")"):
        row = row[2:]
    elif len(row) > 1 and row[0].key in ("-", "*", "•", r"\bullet") and row[1].start > row[0].end and relates(row):
        row = row[1:]
    for k, token in enumerate(row[:12]):
        if token.key == ":" and k and all(t.kind in ("identifier", "number", "prose", "word") or t.key in ("-", "(", ")") for t in row[:k]):
            row = row[k + 1 :] if relates(row[k + 1 :]) else row
            break
    close = len(row) - 1
    opening = partners(row)[close] if row and row[close].key == ")" else -1
    words = row[opening + 1 : close] if opening > 0 and row[opening].start > row[opening - 1].end else []
    named = [token for token in words if token.kind == "identifier"]
    if len(named) > 1 and all(len(t.key) > 2 and t.key.isalpha() for t in named) and all(t in named or t.key == "-" for t in words):
        return row[:opening]  # a remark, `a = b (computed above)`
    return row
