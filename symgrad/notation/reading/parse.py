r"""LaTeX in: ``parse(source)`` reads one formula, ``parse_lines(source)`` the relations of an ``aligned`` body.

A deterministic Pratt parser over the rows of `table`: an explicit stack of open operators, so that time is linear and only brackets
and scripts nest Python's own calls (to `tokens.MAX_NESTING`).  Every node carries its `Span`; nothing of the input is evaluated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from symgrad.notation import table
from symgrad.notation.reading.factors import Factors
from symgrad.notation.reading.tokens import END, MAX_HEIGHT, ParseError, Token, tokens, too_deep
from symgrad.notation.syntax import Big, Name, Negative, Node, Relation, Span, height

__all__ = ["ParseError", "parse", "parse_lines"]

_CLOSE = -1  # the level of whatever ends an expression
_OPENERS = frozenset((*table.CLOSERS, "{"))
_CLOSERS = frozenset((*table.CLOSERS.values(), "}"))


class _Open(NamedTuple):
    """An operator whose last operand is not read yet."""

    level: int
    row: Any  # Operator, or the kind of a big operator
    args: list[Any]
    signs: list[str]
    start: int


def parse(source: str, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> Node:
    """The formula that `source` writes; `functions` are the names which a bracket behind them applies."""
    return Parser(tokens(source), functions).whole()


def parse_lines(source: str, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> tuple[Node, ...]:
    r"""The formulas on the lines of an ``aligned`` body; a line that begins with a relation's sign, or with ``+`` or ``-`` and
    holds no relation, continues the one before."""
    rows: list[list[Token]] = [[]]
    depth = matrices = 0
    for token in tokens(source, lines=True)[:-1]:
        if token.key in _OPENERS:
            depth += 1
        elif token.key in _CLOSERS:
            depth -= 1
        elif token.key.startswith((r"\begin", r"\end")):
            matrices += 1 if token.key.startswith(r"\begin") else -1
        if token.key != r"\\" or matrices:
            rows[-1].append(token)
        elif depth <= 0:  # within brackets a new line is nothing but a new line
            rows.append([])
    formulas: list[list[Token]] = []
    for row in rows:
        while row and row[-1].key in (",", ".", ";"):
            row.pop()
        if formulas and row and _continues(row):
            formulas[-1] += row
        elif row:
            formulas.append(row)
    if not formulas:
        raise ParseError(Span(0, len(source)), "there is no formula here")
    return tuple(Parser([*row, Token("end", END, row[-1].end, row[-1].end)], functions).whole() for row in formulas)


def _continues(row: list[Token]) -> bool:
    if row[0].key in table.RELATION_SIGNS:
        return True
    depth = 0
    for token in row:
        if token.key in _OPENERS:
            depth += 1
        elif token.key in _CLOSERS:
            depth -= 1
        elif depth == 0 and token.key in table.RELATION_SIGNS:
            return False
    return row[0].key in table.INFIX


class Parser(Factors):
    """Operators over factors."""

    def whole(self) -> Node:
        node = self.expression()
        if self.key != END:
            raise self.error(f"{self.found()} where the formula should go on or end", "an operator, a factor or the end")
        return self.low(node)

    def low(self, node: Node) -> Node:
        """The node, if it is not too high to compare and print: signs of one level, mixed, nest without brackets."""
        if self.regrouped and height(node) > MAX_HEIGHT:
            raise too_deep(self.tokens[0].start)
        return node

    def expression(self, floor: int = table.RELATION) -> Node:
        """What stands here, up to a sign looser than `floor` or a closing bracket."""
        stack: list[_Open] = []
        while True:
            token = self.tokens[self.at]
            start = token.start
            if table.INFIX.get(token.key) is table.MINUS:
                if floor > table.NEGATIVE or (stack and stack[-1].level >= table.SUM):
                    if not self.lenient:
                        raise self.error("a minus behind another sign", "a factor", "put brackets around it: (-a)")
                    self.regrouped = True
                self.take()
                stack.append(_Open(table.NEGATIVE, table.MINUS, [], [], start))
                continue
            if self.lenient and token.key == "+":  # a sign that only leads on: `= \\ + a`
                self.take()
                continue
            if token.key[1:] in table.BIG_OPERATORS and token.key[0] == "\\":
                stack.append(self.big_head())
                self.deeper()
                continue
            node = self.operand()
            row, sign = self.operator()
            level = row.level if row else _CLOSE
            if level < floor:
                row, level = None, _CLOSE
            while stack and (stack[-1].level > level or (stack[-1].level == level and stack[-1].row is not row)):
                frame = stack.pop()
                self.regrouped |= frame.row is table.SLASH or frame.level == level
                node, start = self.built(frame, node), frame.start
            if row is None:
                return node
            if not (stack and stack[-1].row is row):
                stack.append(_Open(level, row, [], [], start))
            stack[-1].args.append(node)
            if row is table.COMPARISON:
                stack[-1].signs.append(table.RELATION_SIGNS[sign])
            if row is not table.JUXTAPOSITION:
                token = self.take()
                if token.key in table.MINUS.latex:
                    stack.append(_Open(table.NEGATIVE, table.MINUS, [], [], token.start))

    def built(self, frame: _Open, last: Node) -> Node:
        """The node of an operator whose last operand was read."""
        span = Span(frame.start, self.end)
        if frame.row is table.MINUS:
            return Negative(last, span=span)
        if frame.row is table.COMPARISON:
            return Relation((*frame.args, last), tuple(frame.signs), span=span)
        if frame.level == table.BIG:
            self.depth -= 1
            kind, index, lower, upper = frame.args
            return Big(kind, index, lower, upper, last, span=span)
        node: Node = frame.row.node((*frame.args, last), span=span)
        return node

    def bound(self, mark: str) -> Node:
        return self.argument()

    def big_head(self) -> _Open:
        r"""``\sum_{k=1}^{t}``: all but the body."""
        token = self.take()
        index: Name | None = None
        bounds: dict[str, Node] = {}
        while (mark := self.key) in ("_", "^"):
            if mark in bounds:
                raise self.error(f"a second `{mark}` on `{token.key}`")
            self.take()
            bounds[mark] = self.bound(mark)
        lower = bounds.get("_")
        match lower:
            case Name():
                index, lower = lower, None
            case Relation(sides=(Name() as index, first), signs=("=",)):
                lower = first
        return _Open(table.BIG, token.key, [token.key[1:], index, lower, bounds.get("^")], [], token.start)
