r"""Derivatives as people write them: fractions of ∂ and d, ``\partial a / \partial b``, ``\partial_b a``, ``\nabla_b a``, and a ∂ that lacks its partner."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from symgrad.notation import table
from symgrad.notation.reading.marks import Marks
from symgrad.notation.reading.sweep import lone
from symgrad.notation.reading.tokens import Token
from symgrad.notation.syntax import Derivative, Differential, Fraction, Given, Infix, Name, Node, Number, Operator, Power, Product, Span, Tuple

_PARTIAL = r"\partial"


class Part(NamedTuple):
    """A numerator or denominator: how its d is written, how often, and what stands behind it."""

    node: Node | None
    sign: str = ""
    order: int = 1


class Differentials(Marks):
    """Rules for derivatives."""

    # ---- fractions

    def fraction(self) -> tuple[Node, str]:
        r"""``\frac{\partial a}{\partial b}``, ``\frac{d}{dx}[a]``, ``\frac{\partial^2 a}{\partial b \partial c}``, and fractions of numbers."""
        start = self.take().start
        above = self.piece()
        below = self.piece()
        return self.quotient(above, below, start), ""

    def quotient(self, above: Part, below: Part, start: int) -> Node:
        span = self.span(start)
        match above.sign, below.node:
            case "partial+", Product(args=(Name("delta", (), (), 0, ""), *lower)) if above.node is not None:  # δ for ∂
                return Derivative(above.node, _product(lower), "partial+", span=span)
        if above.sign and below.sign and below.node is not None:
            sign = above.sign if above.sign != "d" or below.sign == "d" else below.sign
            wrt = below.node
            order = max(above.order, 1)
            if order > 1 and type(wrt) is Power and type(wrt.exponent) is Number:
                wrt = wrt.base
            of = above.node
            if of is None:
                of = self.differentiated()
                if of is None:
                    return Operator(sign, wrt, span=span)
                span = self.span(start)
            return _evaluated(Derivative(of, wrt, sign, order, span=span))
        if above.sign and above.sign != "d" and (inner := _inner_differential(below.node)):
            factor, wrt = inner
            return Fraction(Derivative(above.node or Name("1"), wrt, above.sign, span=span), factor, span=span)
        node, under = self.plain(above, span), self.plain(below, span)
        match node, under:
            case Product(args=(Name("delta" | "Delta", (), (), 0, ""), *upper)), Product(args=(Name("delta" | "Delta", (), (), 0, ""), *lower)):
                return Derivative(_product(upper), _product(lower), "delta", span=span)
        return Fraction(node, under, span=span)

    def over(self, above: Node, below: Node, start: int) -> Node:
        r"""``{\partial a \over \partial b}``."""
        first, last = (Part(node.arg, node.sign) if type(node) is Differential else Part(node) for node in (above, below))
        return self.quotient(first, last, start)

    def plain(self, part: Part, span: Span) -> Node:
        """A part as it stands, where its d has no partner."""
        if part.node is None:
            return Name(part.sign or "d", span=span)
        if part.sign == "d":
            return Product((Name("d", span=part.node.span), *(part.node.args if type(part.node) is Product else (part.node,))), span=part.node.span)
        return Differential(part.sign, part.node, span=part.node.span) if part.sign else part.node

    def piece(self) -> Part:
        """A numerator or denominator."""
        if self.key != "{":
            if self.key in (_PARTIAL, "d"):
                token = self.take()
                return Part(None, "partial" if token.key == _PARTIAL else "d")
            return Part(self.argument())
        opening = self.at
        first = self.tokens[self.at + 1]
        if first.key == _PARTIAL or [t.key for t in self.tokens[self.at + 1 : self.at + 4]] == [r"\delta", "^", "+"]:
            return self.partial_part()
        if _is_d(first) and self.partner[opening] >= 0:
            return self.d_part()
        return Part(self.braced()[0])

    def partial_part(self) -> Part:
        r"""``{\partial^2 a}``, ``{\partial a \partial b}``."""
        self.take()
        self.take()
        sign, order = self.order()
        items: list[Node] = []
        start = self.tokens[self.at].start
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, self.depth
        while self.key != "}":
            if self.key == _PARTIAL:
                self.take()
                continue
            if self.key in table.INFIX and items:
                self.take()
                continue
            items.append(self.expression(table.SUM))
            if self.key not in ("}", _PARTIAL):
                raise self.error(f"{self.found()} behind what is differentiated", "`}`")
        self.bars, self.stops = bars, stops
        self.take()
        node = None if not items else items[0] if len(items) == 1 else Tuple(tuple(items), span=self.span(start))
        if type(node) is Power and node.exponent == Name("plus"):  # ``\\partial h_t^+`` for ``\\partial^+ h_t``
            node, sign = node.base, "partial+"
        return Part(node, sign, order)

    def order(self) -> tuple[str, int]:
        r"""What hangs on a ∂: ``^+``, ``^{2}``."""
        sign, order = "partial", 1
        if self.key == "^":
            self.take()
            if self.key == "+":
                self.take()
                return "partial+", 1
            token = self.tokens[self.at]
            script = self.superscript()
            if type(script) is Number and script.text.isdigit() and len(script.text) < 3:
                order = int(script.text)
            elif script == Name("plus"):
                sign = "partial+"
            else:
                raise self.error("a mark on a ∂ that is not known here", "`^+` or a number", token=token)
        return sign, order

    def d_part(self) -> Part:
        r"""``{dL}``, ``{d^2 f}``, ``{d}``; anything else that begins with the letter d is what it looks like."""
        node = self.braced()[0]
        if type(node) is Name and node.base == "d" and not (node.subs or node.primes or node.accents):
            return Part(None, "d")
        match node:
            case Product(args=(Name("d", (), (), 0), *rest)):
                return Part(_product(rest), "d")
            case Product(args=(Power(Name("d", (), (), 0), Number(text=order)), *rest)) if order.isdigit() and len(order) < 3:
                return Part(_product(rest), "d", int(order))
            case Power(Name("d", (), (), 0), Number(text=order)) if order.isdigit() and len(order) < 3:
                return Part(None, "d", int(order))
        return Part(node)

    def differentiated(self) -> Node | None:
        r"""What an operator ``\frac{d}{dx}`` stands before: a bracket, or the product behind it."""
        if self.tokens[self.at].kind == "prose" or self.operator()[0] is not table.JUXTAPOSITION:
            return None
        if self.key in table.CLOSERS:
            return self.bracket()
        return self.expression(table.PRODUCT)

    def acted_on(self) -> Node:
        r"""What ``\partial_b`` and ``\nabla_b`` stand before: a factor, or a sum with all that it reaches over."""
        token = self.tokens[self.at]
        return self.expression(table.PRODUCT) if token.kind == "command" and token.key[1:] in table.BIG_OPERATORS else self.operand()

    # ---- outside fractions

    def partial(self) -> tuple[Node, str]:
        r"""``\partial a / \partial b``, ``\partial_b a``, ``\partial a`` alone."""
        start = self.take().start
        sign, order = self.order()
        if self.key == "_":
            self.take()
            parts = self.subscripts()
            if self.key == "^":
                sign, order = self.order()
            wrt = parts[0] if len(parts) == 1 else Tuple(parts, span=self.span(start))
            if self.operator()[0] is not table.JUXTAPOSITION:
                return Operator("subscript", wrt, span=self.span(start)), ""
            return Derivative(self.acted_on(), wrt, "partial+" if sign == "partial+" else "subscript", order, span=self.span(start)), ""
        if self.operator()[0] is not table.JUXTAPOSITION:
            if self.key == "/" and self.tokens[self.at + 1].key == _PARTIAL:
                self.take()
                self.take()
                return self.quotient(Part(None, sign, order), Part(self.operand(), "partial"), start), ""
            raise self.error("a ∂ with nothing behind it", "what is differentiated")
        of = self.expression(table.PRODUCT) if self.product_over(_PARTIAL) else self.operand()
        if self.key == "/" and self.tokens[self.at + 1].key == _PARTIAL:
            self.take()
            self.take()
            order = max(order, self.order()[1])
            return self.quotient(Part(of, sign, order), Part(self.operand(), "partial"), start), ""
        return Differential(sign, of, span=self.span(start)), ""

    def nabla(self) -> tuple[Node, str]:
        r"""``\nabla_b a``, ``\nabla_b^{\text{future}} a``."""
        start = self.take().start
        order, mark = self.told()
        wrt: Node | None = None
        if self.key == "_":
            self.take()
            parts = self.subscripts()
            wrt = parts[0] if len(parts) == 1 else Tuple(parts, span=self.span(start))
            if self.key == "^":
                order, mark = self.told()
        if self.operator()[0] is not table.JUXTAPOSITION:
            return (Name("nabla", span=self.span(start)) if wrt is None else Operator("nabla", wrt, span=self.span(start))), ""
        of = self.acted_on()
        span = self.span(start)
        node = Differential("nabla", of, span=span) if wrt is None else Derivative(of, wrt, "nabla", order, span=span)
        return (node if mark is None else self.raised(node, mark, start)), ""

    def told(self) -> tuple[int, Node | None]:
        r"""What hangs on a ∇: its order, or a word for a part of the gradient."""
        if self.key != "^":
            return 1, None
        self.take()
        script = self.superscript()
        if type(script) is Number and script.text.isdigit() and len(script.text) < 3:
            return int(script.text), None
        return 1, script

    def differential_d(self) -> tuple[Node, str]:
        """``dL / dh``; any other d is a letter."""
        token = self.tokens[self.at]
        if token.kind in ("letter", "word") and self.derivative_ahead():
            self.take()
            of = self.expression(table.PRODUCT)
            self.take()
            self.take()
            return _evaluated(Derivative(of, self.operand(), "d", span=self.span(token.start))), ""
        self.take()
        font = "mathrm" if token.kind == "word" and token.detail == "mathrm" else ""
        return Name("d", tuple(token.detail.split()) if token.kind == "letter" else (), font=font), "name"

    def derivative_ahead(self) -> bool:
        """Whether the d here is that of ``d a / d b``."""
        k = self.at + 1
        if self.tokens[k].key in ("_", "^", "'", "/") or (self.tokens[k].key == "(" and (lone(self.tokens, k) or lone(self.tokens, self.partner[k] + 3))):
            return False
        for _ in range(3):
            k = self.behind_operand(k)
            if k < 0:
                return False
            if self.tokens[k].key == "/":
                return _is_d(self.tokens[k + 1]) and self.behind_operand(k + 2) > 0
        return False

    def product_over(self, sign: str) -> bool:
        r"""Whether several factors stand before ``/ \partial``: ``\partial W h / \partial h``."""
        k = self.at
        for count in range(4):
            k = self.behind_operand(k)
            if k < 0:
                return False
            if self.tokens[k].key == "/":
                return count > 0 and self.tokens[k + 1].key == sign
        return False

    def behind_operand(self, k: int) -> int:
        """The place behind the simple factor at `k`, or -1: a letter, word or bracket with its scripts."""
        token = self.tokens[k]
        while token.key[1:] in table.ACCENTS or token.key[1:] in table.FONTS:
            k += 1
            token = self.tokens[k]
        if self.partner[k] > k:
            k = self.partner[k] + 1
        elif token.kind in ("letter", "word", "identifier", "operator") or (token.kind == "command" and token.key[1:] in table.SYMBOLS):
            k += 1
        else:
            return -1
        while self.tokens[k].key in ("_", "^", "'"):
            k += 1 if self.tokens[k].key == "'" else 0 if self.tokens[k + 1].kind == "end" else 1
            if self.tokens[k - 1].key != "'":
                if self.tokens[k].kind == "end" or self.tokens[k].key in ("_", "^"):
                    return -1
                k = (self.partner[k] if self.partner[k] > k else k) + 1
        if self.tokens[k].key == "(" and self.partner[k] > k:
            k = self.partner[k] + 1
        return k


def _evaluated(node: Derivative) -> Node:
    """``∂a/∂b|_c``: a bar behind the quotient belongs to all of it."""
    below = node.wrt
    return Given(replace(node, wrt=below.node), below.conditions, span=node.span) if type(below) is Given else node


def _is_d(token: Token) -> bool:
    return token.key == "d" and token.kind in ("letter", "word") and not (token.kind == "letter" and token.detail)


def _product(factors: list[Node]) -> Node:
    if len(factors) == 1:
        return factors[0]
    first, last = factors[0].span, factors[-1].span
    return Product(tuple(factors), span=Span(first.start, last.end) if first and last else None)


def _inner_differential(node: Node | None) -> tuple[Node, Node] | None:
    r"""``T \cdot \partial b`` as T and b."""
    match node:
        case Infix(args=(factor, Differential(arg=wrt))) | Product(args=(factor, Differential(arg=wrt))):
            return factor, wrt
    return None
