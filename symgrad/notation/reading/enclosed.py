r"""What encloses, as people write it: groups, tuples and stacks, bars, matrices with empty cells, cases, arguments."""

from __future__ import annotations

from symgrad.notation import table
from symgrad.notation.reading.differentials import Differentials
from symgrad.notation.reading.sweep import EVALUATED, SEPARATOR
from symgrad.notation.reading.tokens import END, Token
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Blank,
    Cases,
    Ellipsis,
    Fraction,
    Given,
    Index,
    Name,
    Node,
    Norm,
    Number,
    Paren,
    Power,
    Span,
    Stack,
    Transpose,
    Tuple,
    Words,
)

_SHOWN = (Name, Number, Power, Transpose, Index, Apply, Ellipsis, Fraction)  # what brackets around it would not show in a product


class Enclosed(Differentials):
    """Rules that read from an opening sign to its closing one."""

    def arguments(self, one: bool = False) -> tuple[Node, ...]:
        r"""``(a, b)``, ``(a; b)``; other brackets hold one argument, and ``()`` is an empty place, as ``(\cdot)`` is."""
        if self.key != "(":
            node = self.bracket()
            return (node,)
        token = self.take()
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        args = self.listed(")")
        self.bars, self.stops = bars, stops
        self.expect(")", "in the arguments of a function", way_out="close the bracket" if self.key == END else "")
        return args or (Ellipsis("cdot", span=Span(token.start, self.tokens[self.at - 1].end)),)

    def braced(self) -> tuple[Node, str]:
        """``{a}``: what TeX takes as one; a name stays open to scripts."""
        start = self.take().start
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        node = self.expression()
        if self.key == r"\over":
            self.take()
            node, self.kind = self.over(node, self.expression(), start), ""
        self.bars, self.stops = bars, stops
        self.expect("}", "in a group")
        return node, self.kind if type(node) is Name else ""

    def bracketed(self) -> tuple[Node, str]:
        start, opening, behind = self.tokens[self.at].start, self.key, self.follows == self.at
        node = self.bracket()
        if (behind and (type(node) in _SHOWN or self.scripted)) or opening == r"\langle":
            node = Paren(node, "<" if opening == r"\langle" else opening, span=self.span(start))
        return node, ""

    def bracket(self) -> Node:
        """``(a)``, a tuple ``(a, b)``, a stack ``[a, b]``, ``[a; b]``, ``[a | b]``, a set."""
        opening = self.tokens[self.at]
        close = self.partner[self.at]
        if close < 0:
            raise self.error(f"`{opening.key}` is never closed", way_out="close it, or leave it out")
        self.take()
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        rows: list[list[Node]] = [[]]
        separator = ""
        while self.at < close:
            if self.key not in (",", ";", SEPARATOR):
                rows[-1].append(self.part_of_list())
            if self.at >= close:
                break
            if self.key not in (",", ";", SEPARATOR, r"\\"):
                raise self.error(f"{self.found()} in brackets", f"`{table.CLOSERS.get(opening.key, self.tokens[close].key)}`")
            separator = separator or self.key
            if self.take().key in (";", r"\\") and opening.key == "[":
                rows.append([])
        self.bars, self.stops = bars, stops
        self.take()
        span = self.span(opening.start)
        lines: list[Node] = [row[0] if len(row) == 1 else Stack(tuple(row), vertical=False, span=span) for row in rows if row]
        if opening.key == "[" or separator == SEPARATOR:
            if not lines:
                raise self.error("empty brackets", token=opening)
            return lines[0] if len(lines) == 1 else Stack(tuple(lines), vertical=True, span=span)
        items = rows[0]
        return items[0] if len(items) == 1 and not separator else Tuple(tuple(items), span=span)

    def bar(self) -> tuple[Node, str]:
        r"""``|a|``, ``\|a\|``."""
        token = self.take()
        closing = r"\rvert" if token.key == r"\lvert" else token.key
        bars, self.bars = self.bars, closing
        node = self.expression()
        self.bars = bars
        self.expect(closing, "in an absolute value or norm")
        kind = Norm if closing == r"\|" else Absolute
        return kind(node, span=self.span(token.start)), ""

    def edge(self) -> tuple[Node, str]:
        r"""``\left. a \right|_{z = 1}``."""
        start = self.take().start
        node = self.expression()
        if self.key == EVALUATED:
            self.take()
            self.expect("_", "behind an evaluation bar")
            node = Given(node, self.subscripts(), span=self.span(start))
        elif self.key == r"\right.":
            self.take()
        return node, ""

    def matrix(self) -> tuple[Node, str]:
        return self.grid(self.tokens[self.at]), ""

    def grid(self, token: Token) -> Node:
        r"""``\begin{bmatrix} a & b \\ c & d \end{bmatrix}``, with empty cells; one row or one column is a stack by itself."""
        self.take()
        end = token.key.replace("begin", "end")
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        rows: list[list[Node]] = [[]]
        while self.key != end:
            cell = self.tokens[self.at]
            if cell.key == r"\\":
                self.take()
                rows.append([])
            elif cell.key == "&":
                self.take()
                if not rows[-1]:
                    rows[-1].append(Blank(span=Span(cell.start, cell.start)))
                if self.key in ("&", r"\\", end):
                    rows[-1].append(Blank(span=Span(cell.end, cell.end)))
            elif self.ends(cell) or (cell.key == "." and self.ends(self.tokens[self.at + 1])):
                if self.key not in (",", "."):
                    raise self.error(f"{self.found()} in a matrix", "`&`, `\\\\` or the end")
                self.take()
            elif cell.key in ("·", r"\cdot") and self.ends(self.tokens[self.at + 1]):
                rows[-1].append(self.ellipsis()[0])
            else:
                rows[-1].append(self.expression())
        self.bars, self.stops = bars, stops
        self.take()
        rows = _filled([row for row in rows if row])
        span = self.span(token.start)
        if not rows or len({len(row) for row in rows}) > 1:
            raise self.error("the rows of this matrix have different lengths" if rows else "an empty matrix", token=token)
        stacks: list[Node] = [row[0] if len(row) == 1 else Stack(tuple(row), vertical=False, span=span) for row in rows]
        return stacks[0] if len(stacks) == 1 else Stack(tuple(stacks), span=span)

    def ellipsis(self) -> tuple[Node, str]:
        token = self.take()
        return Ellipsis(span=Span(token.start, token.end)), ""

    def cases(self) -> tuple[Node, str]:
        r"""``\begin{cases} a & \text{if } c \\ b & \text{otherwise} \end{cases}``."""
        start = self.take().start
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        values: list[Node] = []
        conditions: list[Node] = []
        while self.key != r"\end{cases}":
            if self.key in (r"\\", "&", ","):
                self.take()
                continue
            values.append(self.expression())
            conditions.append(self.case_condition())
            if self.key not in (r"\\", r"\end{cases}"):
                raise self.error(f"{self.found()} in a list of cases", "`\\\\` or the end")
        self.bars, self.stops = bars, stops
        self.take()
        if not values:
            raise self.error("cases without a value")
        return Cases(tuple(values), tuple(conditions), span=self.span(start)), ""

    def case_condition(self) -> Node:
        words: list[Token] = []
        found: list[Node] = []
        start = self.tokens[self.at].start
        while self.key not in (r"\\", r"\end{cases}", END):
            token = self.tokens[self.at]
            if token.kind == "prose" or token.key in ("&", ",", ";", ".", ":", r"\quad", r"\forall", r"\land"):
                words += [self.take()]
            else:
                found.append(self.expression())
                if self.at < len(self.tokens) and self.tokens[self.at] is token:
                    raise self.error(f"{self.found()} in a condition")
        if found:
            return found[0] if len(found) == 1 else Tuple(tuple(found), span=self.span(start))
        text = " ".join(token.key.strip(".,;") for token in words if token.kind == "prose")
        return Words(text, span=self.span(start)) if text else Blank(span=Span(start, start))



def _filled(rows: list[list[Node]]) -> list[list[Node]]:
    """Rows that hold nothing but dots are as long as the others, and empty cells beside dots make no row longer."""
    full = [row for row in rows if not all(type(cell) in (Ellipsis, Blank) for cell in row)]
    width = min(map(len, full), default=0)
    if any(len(row) > width for row in full) and any(type(cell) is Ellipsis for row in full for cell in row):
        rows = [_narrowed(row, width) for row in rows]
    width = max(map(len, rows), default=0)
    return [row + [Blank(span=row[-1].span)] * (width - len(row)) if all(type(cell) in (Ellipsis, Blank) for cell in row) else row for row in rows]


def _narrowed(row: list[Node], width: int) -> list[Node]:
    """A row without as many empty cells beside dots as it is too long by; a row of dots alone is cut."""
    if all(type(cell) in (Ellipsis, Blank) for cell in row):
        return row[:width]
    kept = list(row)
    for k in range(len(row) - 1, -1, -1):
        beside = any(0 <= j < len(row) and type(row[j]) is Ellipsis for j in (k - 1, k + 1))
        if len(kept) > width and type(row[k]) is Blank and beside:
            del kept[k]
    return kept
