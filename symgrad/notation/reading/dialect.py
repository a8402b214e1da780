r"""LaTeX, Unicode and ASCII as people write them: ``parse_dialect(source)`` reads a fragment into one node for every statement in it.

Nothing is lost: a row that cannot be read becomes an `Unread` with its place and the reason, and the others are read all the same.  The nodes
say what stands there; what a sign or a bracket means is for typing to settle.
"""

from __future__ import annotations

import re

from symgrad.notation import table
from symgrad.notation.reading.lexis import ROW, lex
from symgrad.notation.reading.loose import Loose
from symgrad.notation.reading.rows import Statement, split_rows, statements
from symgrad.notation.reading.sweep import partners, sweep
from symgrad.notation.reading.tokens import END, ParseError, Token
from symgrad.notation.syntax import Given, Name, Node, Power, Relation, Span, Unread, Words

__all__ = ["parse_dialect"]

_BRACKETS = frozenset("()[]{}")
_JOINING = frozenset({*table.RELATION_SIGNS, *table.INFIX, "+", "-", ",", "&"})  # where a formula does not begin or end
_COMMAND = re.compile(r"\\[A-Za-z]{2}")


def parse_dialect(source: str, functions: frozenset[str] = table.DEFAULT_FUNCTIONS, code: bool = False) -> list[Node]:
    """The statements of a fragment; `code` for lines of code and plain text, where words are names and a line ends a statement.

    A single line with LaTeX's commands in it, as it stands between backticks, is read as LaTeX.
    """
    code = code and ("\n" in source.strip() or _COMMAND.search(source) is None)
    try:
        swept = sweep(lex(source, code) if code else _lined(lex(source), source), code)
    except ParseError as error:
        return [_unread(error, source)]
    nodes: list[Node] = []
    rows = split_rows(swept.tokens)
    if any(token.kind == "row" for row in rows for token in row) and _fails(rows, functions, code):
        rows = split_rows(swept.tokens, everywhere=True)
    for row_statement in statements(_without_rows(rows), code):
        node = _node(row_statement, source, functions)
        nodes += _in_part(row_statement, node, functions) if isinstance(node, Unread) and node.repaired is None else [node]
    for formula, label in swept.labels:
        nodes.extend(_definition(formula, label, functions))
    return nodes


def _lined(tokens: list[Token], source: str) -> list[Token]:
    """Lines of a display that lost their ``\\\\``: each is an equation with balanced brackets that begins with a name."""
    lines = [m for m in re.finditer(r"[^\n]+", source) if m[0].strip()]
    if len(lines) < 2 or any(token.kind == "row" or token.key.startswith("\\begin{") for token in tokens):
        return tokens
    found = [[token for token in tokens if line.start() <= token.start < line.end()] for line in lines]
    for row in found:
        alone = [k for k, other in enumerate(partners(row)) if other < 0]
        if not row or not any(row[k].key == "=" for k in alone) or {row[0].key, row[-1].key} & _JOINING or any(row[k].key in _BRACKETS for k in alone):
            return tokens
    return [token for k, row in enumerate(found) for token in ([Token("row", ROW, lines[k].start(), lines[k].start())] if k else []) + row]


def _fails(rows: list[list[Token]], functions: frozenset[str], code: bool) -> bool:
    return any(isinstance(_node(s, "", functions), Unread) for s in statements(_without_rows(rows), code))


def _without_rows(rows: list[list[Token]]) -> list[list[Token]]:
    """Without line ends in brackets, but for those of matrices and cases."""
    if not any(token.kind == "row" for row in rows for token in row):
        return rows
    result = []
    for row in rows:
        depth, kept = 0, []
        for token in row:
            depth += token.key.startswith("\\begin{") - token.key.startswith("\\end{")
            if token.kind != "row" or depth > 0:
                kept.append(token)
        result.append(kept)
    return result


def _node(statement: Statement, source: str, functions: frozenset[str]) -> Node:
    tokens = statement.tokens
    span = Span(tokens[0].start, tokens[-1].end)
    if all(token.kind == "prose" or token.key in table.INFIX or token.key in table.RELATION_SIGNS for token in tokens):  # a sign is mentioned
        return Words(" ".join(token.key for token in tokens), span=span)
    if (unmarked := _unmarked(tokens, functions)) is not None:
        return unmarked
    try:
        node = _parser(tokens, functions).statement()
    except ParseError as error:
        way_out = error.way_out or (f"expected {error.expected}" if error.expected else "")
        return Unread(error.reason, way_out, error.span, _balanced(tokens, functions), span=span)
    conditions: list[Node] = []
    for part in statement.conditions:
        conditions += _conditions(part, functions)
    if not conditions:
        return node
    spans = [n.span for n in (node, *conditions) if n.span]
    return Given(node, tuple(conditions), span=Span(min(s.start for s in spans), max(s.end for s in spans)))


def _in_part(statement: Statement, whole: Unread, functions: frozenset[str]) -> list[Node]:
    """What can be read of a chain of equations: a side that cannot, behind the first one, and the chain without it."""
    tokens, depth = statement.tokens, 0
    pair = partners(tokens)
    signs: list[int] = []
    for k, token in enumerate(tokens):
        if pair[k] < 0 and (token.key in table.CLOSERS or token.key in table.CLOSERS.values()):
            return [whole]
        depth += 0 if pair[k] < 0 else 1 if pair[k] > k else -1
        signs += [k] if depth == 0 and token.key in table.RELATION_SIGNS else []
    if len(signs) < 2 or statement.conditions or any(table.RELATION_SIGNS[tokens[k].key] != "=" for k in signs):
        return [whole]
    sides: list[Node] = []
    for k, end in zip([-1, *signs], [*signs, len(tokens)], strict=True):
        try:
            sides.append(_parser(tokens[k + 1 : end], functions).statement())
        except ParseError as error:
            sides.append(Unread(error.reason, error.way_out or "", error.span, span=Span(tokens[max(k, 0)].start, tokens[end - 1].end)))
    known = [side for side in sides if not isinstance(side, Unread)]
    if isinstance(sides[0], Unread) or len(known) < 2:
        return [whole]
    return [*(side for side in sides if isinstance(side, Unread)), Relation(tuple(known), ("=",) * (len(known) - 1), span=whole.span)]


def _parser(tokens: list[Token], functions: frozenset[str]) -> Loose:
    end = max((token.end for token in tokens[-1:]), default=0)
    return Loose([*tokens, Token("end", END, end, end)], functions)


def _unmarked(tokens: list[Token], functions: frozenset[str]) -> Unread | None:
    """``W*{hy}``: a Markdown that took ``_`` for emphasis, and wrote it as ``*``, has taken the mark of an index."""
    lost = [k for k in range(1, len(tokens) - 2) if tokens[k].key == "*" and _takes_index(tokens, k)]
    if not lost:
        return None
    fixed = [token._replace(key="_") if k in lost else token for k, token in enumerate(tokens)]
    try:
        repaired = _parser(fixed, functions).statement()
    except ParseError:
        return None
    place = Span(tokens[lost[0]].start, tokens[lost[0]].end)
    return Unread("the mark of an index is lost: `*{` for `_{`", "", place, repaired, "lost-index", span=Span(tokens[0].start, tokens[-1].end))


def _takes_index(tokens: list[Token], k: int) -> bool:
    """Whether a star stands between a letter and braces that hold an index, nothing between them: no product is written so."""
    before, behind = tokens[k - 1], tokens[k + 1]
    close = next((j for j in range(k + 2, min(k + 7, len(tokens))) if tokens[j].key == "}"), -1)
    if behind.key != "{" or close < 0 or before.end != tokens[k].start or tokens[k].end != behind.start:
        return False
    letter = before.kind in ("letter", "word") or before.key[1:] in table.SYMBOLS or (before.key == "}" and _accented(tokens, k - 1))
    return letter and all(t.kind in ("letter", "number", "word", "prose") or t.key in (",", "+", "-") for t in tokens[k + 2 : close])


def _accented(tokens: list[Token], close: int) -> bool:
    r"""Whether the braces that close here hold what an accent or a font is set on: ``\hat{y}``."""
    opening = max((j for j in range(max(0, close - 6), close) if tokens[j].key == "{"), default=0)
    command = tokens[opening - 1].key[1:] if opening else ""
    return command in table.ACCENTS or command in table.FONTS


def _balanced(tokens: list[Token], functions: frozenset[str]) -> Node | None:
    """The formula with brackets left out or added where they lack a partner, each missing one at the end of its side, that of a ``diag``
    before the matrix behind its vector; None if that does not help."""
    pair = partners(tokens)
    fixed: list[Token] = []
    missing: list[str] = []
    lone = [k for k, token in enumerate(tokens) if pair[k] < 0 and (token.key in table.CLOSERS or token.key in table.CLOSERS.values())]
    if not 0 < len(lone) < 4:
        return None
    depth = 0
    for k, token in enumerate(tokens):
        if k in lone:
            if token.key in table.CLOSERS:
                missing.append(table.CLOSERS[token.key])
                fixed.append(token)
            continue
        depth += 0 if pair[k] < 0 else 1 if pair[k] > k else -1
        if depth == 0 and missing == [")"] and _ends_vector(tokens, k, lone):
            fixed += [token, Token("sign", ")", token.end, token.end)]
            missing = []
            continue
        if depth == 0 and missing and token.key in table.RELATION_SIGNS:
            fixed += [Token("sign", key, token.start, token.start) for key in reversed(missing)]
            missing = []
        fixed.append(token)
    fixed += [Token("sign", key, tokens[-1].end, tokens[-1].end) for key in reversed(missing)]
    try:
        return _parser(fixed, functions).statement()
    except ParseError:
        return None


def _ends_vector(tokens: list[Token], k: int, lone: list[int]) -> bool:
    """Whether a ``diag`` that is never closed should end here: ``diag(f'(z) W``, where a factor stands right behind a bracket."""
    opening = max((other for other in lone if other < k), default=0)
    if tokens[k].key != ")" or not opening or tokens[opening - 1].key not in (table.DIAGONAL, "Diag") or k + 1 == len(tokens):
        return False
    behind = tokens[k + 1]
    return behind.kind in ("letter", "word", "identifier") or (behind.kind == "command" and behind.key[1:] in table.FONTS)


def _conditions(part: list[Token], functions: frozenset[str]) -> list[Node]:
    span = Span(part[0].start, part[-1].end)
    if all(token.kind == "prose" for token in part):
        return [Words(" ".join(token.key for token in part), span=span)]
    try:
        return list(_parser(part, functions).conditions())
    except ParseError:
        return [Words(" ".join(token.key for token in part), span=span)]


def _definition(formula: list[Token], label: list[Token], functions: frozenset[str]) -> list[Node]:
    r"""``\underbrace{a}_{b}`` where b is a name."""
    try:
        name, node = _parser(label, functions).statement(), _parser(formula, functions).statement()
    except ParseError:
        return []
    base = name.base if type(name) is Power else name
    if type(base) is not Name or (len(base.base) > 1 and base.base not in table.SYMBOLS) or not node.span:
        return []
    return [Relation((name, node), (":=",), span=node.span)]


def _unread(error: ParseError, source: str) -> Unread:
    return Unread(error.reason, error.way_out, span=Span(0, len(source)))
