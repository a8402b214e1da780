r"""What encloses: the part of the parser that reads braces, brackets, bars, matrices, scripts and fractions."""

from __future__ import annotations

from symgrad.notation import table
from symgrad.notation.reading.tokens import END, Cursor, ParseError, Token
from symgrad.notation.syntax import Absolute, Apply, Derivative, Fraction, Name, Node, Number, Product, Span, Stack

CLOSING = frozenset((")", "]", r"\}", "}", ",", ";", "&", r"\\", r"\rvert", r"\rangle", r"\rfloor", END, *(
    rf"\end{{{name}}}" for name in table.MATRICES)))  # fmt: skip
TOP = Name("top")  # the exponent of a transpose, within the parser only, told by identity
_PARTIAL = ("partial", "partial+")
_UPRIGHT_T = (Name("T", font="mathrm"), Name("T", font="mathsf"))
_D = (Name("d"), Name("d", font="mathrm"))


class Brackets(Cursor):
    """Rules that read from an opening sign to its closing one; `expression` and `held` are what they hold."""

    def expression(self, floor: int = table.RELATION) -> Node:
        """What stands here, up to a sign looser than `floor` or a closing bracket (`parse`)."""
        raise NotImplementedError

    def held(self) -> tuple[Node, str]:
        r"""What an accent, a font or a script without braces takes (`factors`)."""
        raise NotImplementedError

    def braced(self) -> tuple[Node, str]:
        """``{a}``: what TeX takes as one; a name stays open to scripts."""
        self.take()
        bars, self.bars = self.bars, ""
        node = self.expression()
        self.bars = bars
        self.expect("}", "in a group")
        return node, self.kind if type(node) is Name else ""

    def bracketed(self) -> tuple[Node, str]:
        return self.bracket(), ""

    def bracket(self) -> Node:
        """``(a)``, ``[a]``, or a stack ``[a, b]``, ``[a; b]``."""
        token = self.take()
        bars, self.bars = self.bars, ""
        args = [self.expression()]
        separator = self.key
        while separator in (",", ";") and self.key == separator and token.key == "[":
            self.take()
            args.append(self.expression())
        self.bars = bars
        self.expect(table.CLOSERS[token.key], f"where `{token.key}` should be closed")
        return args[0] if len(args) == 1 else Stack(tuple(args), separator == ";", span=self.span(token.start))

    def bar(self) -> tuple[Node, str]:
        """``|a|``."""
        token = self.take()
        bars, self.bars = self.bars, "|" if token.key == "|" else ""
        node = self.expression()
        self.bars = bars
        self.expect("|" if token.key == "|" else r"\rvert", "in an absolute value")
        return Absolute(node, span=self.span(token.start)), ""

    def matrix(self) -> tuple[Node, str]:
        r"""``\begin{bmatrix} a & b \\ c & d \end{bmatrix}``: a stack of rows; one row or one column is a stack by itself."""
        token = self.take()
        bars, self.bars = self.bars, ""
        rows = [[self.expression()]]
        while self.key in ("&", r"\\"):
            if self.take().key == "&":
                rows[-1].append(self.expression())
            elif self.key not in CLOSING:
                rows.append([self.expression()])
        self.bars = bars
        self.expect(token.key.replace("begin", "end"), "in a matrix")
        if len({len(row) for row in rows}) > 1:
            raise self.error("the rows of this matrix have different lengths", token=token)
        span = self.span(token.start)
        stacks = [row[0] if len(row) == 1 else Stack(tuple(row), vertical=False, span=span) for row in rows]
        return stacks[0] if len(stacks) == 1 else Stack(tuple(stacks), span=span), ""

    def argument(self) -> Node:
        """What a script or a fraction takes: a group in braces, or the next sign alone."""
        token = self.tokens[self.at]
        if token.key == "{":
            return self.braced()[0]
        if token.kind == "number" and token.key[0] != "." and len(token.key) > 1:  # TeX: x^10 is x^1 0
            self.tokens[self.at] = Token("number", token.key[1:], token.start + 1, token.end)
            self.end = token.start + 1
            return Number(token.key[0], span=self.span(token.start))
        node, kind = self.held()
        if kind and type(node) is Name and node.span is None:
            return Name(node.base, node.accents, node.subs, node.primes, node.font, span=self.span(token.start))
        return node

    def superscript(self) -> Node:
        r"""What stands behind ``^``; `TOP` for a transpose, ``^{\top}``."""
        braced = self.key == "{"
        if self.tokens[self.at + braced].key in table.TRANSPOSES:
            for _ in range(braced + 1):
                self.take()
            if braced:
                self.expect("}", "behind a transpose")
            return TOP
        node = self.argument()
        return TOP if node in _UPRIGHT_T else node

    def subscripts(self) -> tuple[Node, ...]:
        """``_{t-1,i}``."""
        if self.key != "{":
            return (self.argument(),)
        self.take()
        bars, self.bars = self.bars, ""
        subs = [self.expression()]
        while self.key == ",":
            self.take()
            subs.append(self.expression())
        self.bars = bars
        self.expect("}", "in a subscript")
        return tuple(subs)

    def fraction(self) -> tuple[Node, str]:
        r"""``\frac{a}{b}``, and ``\frac{\partial a}{\partial b}``."""
        start = self.take().start
        above, sign = self.part()
        below, below_sign = self.part()
        span = self.span(start)
        if sign == below_sign == "d":
            return Derivative(_without_d(above), _without_d(below), "d", span=span), ""
        if sign in _PARTIAL and below_sign in _PARTIAL:
            return Derivative(above, below, sign, span=span), ""
        if sign in _PARTIAL or below_sign in _PARTIAL:
            raise ParseError(span, "a \u2202 in one part of a fraction only", way_out=r"write \frac{\partial a}{\partial b}")
        return Fraction(above, below, span=span), ""

    def part(self) -> tuple[Node, str]:
        """A numerator or denominator, and how its d is written if it begins with one."""
        if self.key != "{":
            return self.argument(), ""
        first = self.tokens[self.at + 1]
        if first.key != r"\partial":
            node = self.argument()
            is_d = first.key == "d" and type(node) is Product and node.args[0] in _D
            return node, "d" if is_d else ""
        self.take()
        self.take()
        sign = "partial"
        if self.key == "^":
            token = self.take()
            braced = self.key == "{"
            if braced:
                self.take()
            if self.key != "+":
                raise self.error("a higher derivative is not read yet", r"\partial or \partial^{+}", token=token)
            self.take()
            if braced:
                self.expect("}", "in a superscript")
            sign = "partial+"
        node = self.expression(table.PRODUCT)
        self.expect("}", "behind what is differentiated", "put brackets around a sum or an entrywise product")
        return node, sign

    def differential(self) -> tuple[Node, str]:
        raise self.error("a ∂ outside a fraction of two", way_out=r"write \frac{\partial a}{\partial b}")

    def root(self) -> tuple[Node, str]:
        r"""``\sqrt{a}``."""
        token = self.take()
        if self.key == "[":
            raise self.error("a root of another degree than two", way_out="write it as a power")
        function = Name("sqrt", span=Span(token.start, token.end))
        return Apply(function, (self.argument(),), span=self.span(token.start)), ""


def _without_d(node: Node) -> Node:
    """``d a b`` without its d."""
    if type(node) is not Product:
        raise TypeError(node)
    rest = node.args[1:]
    if len(rest) == 1:
        return rest[0]
    first, last = rest[0].span, node.span
    return Product(rest, span=Span(first.start, last.end) if first and last else None)
