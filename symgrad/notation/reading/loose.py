r"""Formulas as people write them: the rules of `factors` and `brackets` again where people are freer, and those for what no printer writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from symgrad.notation import table
from symgrad.notation.reading.enclosed import Enclosed
from symgrad.notation.reading.letters import accented, fonted, identifier_name
from symgrad.notation.reading.tokens import END
from symgrad.notation.syntax import (
    Apply,
    Blank,
    Derivative,
    Diagonal,
    Ellipsis,
    Fraction,
    Given,
    Index,
    Indicator,
    Infix,
    Name,
    Negative,
    Node,
    Number,
    Paren,
    Power,
    Product,
    Relation,
    Span,
    Stack,
    Transpose,
    Tuple,
    Words,
)

_INVERSE = {"tanh": "artanh", "sigma": "logit", "sigmoid": "logit", "exp": "log", "log": "exp", "softplus": "softplus^{-1}"}
_SHOWN = (Name, Number, Power, Transpose, Index, Apply, Ellipsis, Fraction)  # what brackets around it would not show in a product
_PRODUCTS = {"dot": "at", "matmul": "at", "mm": "at", "multiply": "ast"}  # functions of code
_GREEK = tuple(letter for letter in table.LETTER_FUNCTIONS if letter in table.SYMBOLS)  # what stands behind these is an argument, even a time
_WEIGHT = re.compile("[RUVW][a-z]{1,2}")  # ``Uh (r * h)`` is a product
_GRADIENT = re.compile(r"d[a-z]{1,2}")
_PRIMED = ("f", "g", "h")


class Loose(Enclosed):
    """The whole dialect."""

    def statement(self) -> Node:
        """Everything up to the end: a relation whose sides may be lists, or one side alone."""
        start = self.tokens[0].start
        sides, signs = list[Node](), list[str]()
        if self.key in table.RELATION_SIGNS:
            sides.append(Blank(span=Span(start, start)))
        else:
            sides.append(self.side())
        while self.key in table.RELATION_SIGNS:
            signs.append(table.RELATION_SIGNS[self.take().key])
            if self.key == END:
                raise self.error("the right side is missing")
            sides.append(self.side())
        if self.key != END:
            raise self.error(f"{self.found()} where the formula should go on or end", "an operator, a factor or the end")
        return self.low(Relation(tuple(sides), tuple(signs), span=self.span(start)) if signs else sides[0])

    def side(self) -> Node:
        start = self.tokens[self.at].start
        items = [self.expression(table.SUM)]
        while self.key in (",", ";"):
            self.take()
            items.append(self.expression(table.SUM))
        return items[0] if len(items) == 1 else Tuple(tuple(items), span=self.span(start))

    def conditions(self) -> tuple[Node, ...]:
        """``z = 1, r = 0`` and ``k = 1, \\dots, t``: relations; what relates nothing lengthens the list before it."""
        found: list[Node] = []
        while self.key != END:
            if self.tokens[self.at].kind == "prose" or self.key in (",", ";", r"\land", r"\wedge"):
                self.take()
                continue
            node = self.expression()
            match found[-1:], node:
                case [Relation(sides=(*sides, last), signs=signs)], _ if type(node) is not Relation:
                    items = last.args if type(last) is Tuple else (last,)
                    both = Tuple((*items, node), span=self.span(last.span.start if last.span else 0))
                    found[-1] = Relation((*sides, both), signs, span=self.span(sides[0].span.start if sides[0].span else 0))
                case _:
                    found.append(node)
            if self.key not in (",", ";", r"\land", r"\wedge", END) and self.tokens[self.at].kind != "prose":
                raise self.error(f"{self.found()} in a condition")
        return tuple(found)

    # ---- factors

    def operand(self) -> Node:
        """A factor with everything behind it that belongs to it."""
        start = self.tokens[self.at].start
        self.deeper()
        node, kind = self.atom()
        node, exponents = self.marks(node, kind, start)
        applied: Node | None = None
        if kind and type(node) is Name:
            applied = self.application(node, kind, exponents, start)
        if applied is not None:
            node = self.marks(applied, "", start)[0]
            while self.component_ahead():
                node = self.marks(self.indexed(node, start), "", start)[0]
        else:
            node = self.raised_all(node, exponents, start)
            whole = type(node) is Derivative or self.tokens[self.at - 1].key == ")"
            named = bool(kind) or type(node) is Index or (whole and self.component_ahead())
            while named and self.index_ahead() and not (self.key == "(" and type(node) is Transpose):
                node = self.marks(self.indexed(node, start), "", start)[0]
            if named and self.key in ("(", "["):
                self.follows = self.at
        self.depth -= 1
        self.kind = kind
        return node

    def application(self, name: Name, kind: str, exponents: list[Node], start: int) -> Node | None:
        r"""``f(a)``, ``\tanh^2 c``, ``diag(a)``, an indicator; None for a name that applies to nothing here."""
        token = self.tokens[self.at]
        bracket = token.key in table.CLOSERS and self.partner[self.at] > 0
        if (name.base == "1" and name.font in table.ONES_FONTS) or (name.base == "I" and name.font == "mathbb"):
            return self.indicator(name, bracket, start) if not exponents else None
        if name.base in (table.DIAGONAL, "Diag") and not exponents:
            return self.diagonal(bracket, start)
        function = kind == "operator" or name.base in self.functions or (bool(name.primes) and name.base in _PRIMED)
        apart = _GRADIENT.fullmatch(name.base) is not None and name.span is not None and name.span.end < token.start  # ``daz (r * h)^T``
        worded = len(name.base) > 1 and name.base not in table.SYMBOLS and not name.subs and not _WEIGHT.fullmatch(name.base) and not apart
        if bracket and self.index_ahead() and not name.primes and name.base not in table.FUNCTIONS and name.base not in _GREEK:
            return None
        if bracket and token.key == "(":
            listed = self.comma_inside(self.at)
            function = function or worded or (listed and not any(type(e) is not Paren for e in exponents))
        bare = not bracket and name.base in table.FUNCTIONS and table.FUNCTIONS[name.base].bare and self.operator()[0] is table.JUXTAPOSITION
        if not (function and bracket) and not bare:
            return None
        read = self.function_marks(name, exponents)
        if read is None:
            return None
        name, powers = read
        args = self.arguments() if bracket else (self.bare_argument(),)
        if len(args) == 2 and name.base in _PRODUCTS:
            return self.raised_all(Infix(_PRODUCTS[name.base], args, span=self.span(start)), powers, start)
        node: Node = Apply(name, args, span=self.span(start))
        return self.raised_all(node, powers, start)

    def function_marks(self, name: Name, exponents: list[Node]) -> tuple[Name, list[Node]] | None:
        r"""The superscripts of a function: ``^{(l)}`` belongs to its name, ``^{-1}`` is the inverse, a number a power."""
        powers: list[Node] = []
        for exponent in exponents:
            match exponent:
                case Paren():
                    name = replace(name, subs=(*name.subs, exponent))
                case Negative(arg=Number(text="1")):
                    name = replace(name, base=_INVERSE.get(name.base, name.base + "^{-1}"))
                case Number() | Name():
                    powers.append(exponent)
                case _:
                    return None
        return name, powers

    def bare_argument(self) -> Node:
        r"""``\tanh c_t``; behind a capital letter, a matrix, the whole product: ``\tanh W x``."""
        token = self.tokens[self.at]
        if token.key.isupper() and token.kind in ("letter", "word", "identifier"):
            return self.expression(table.PRODUCT)
        node = self.operand()
        if self.follows != self.at:
            return node
        return Product((node, self.operand()), span=self.span(token.start))  # `\max_z a(z)`

    def diagonal(self, bracket: bool, start: int) -> Node | None:
        if bracket:
            args = self.arguments()
            arg = args[0] if len(args) == 1 else Tuple(args, span=self.span(start))
        elif self.operator()[0] is table.JUXTAPOSITION:
            arg = self.operand()
        else:
            return None
        return Diagonal(arg, span=self.span(start))

    def indicator(self, name: Name, bracket: bool, start: int) -> Node | None:
        if bracket and self.relation_inside(self.at):
            conditions = self.arguments()
            if len(conditions) == 1 and type(conditions[0]) in (Stack, Tuple):
                conditions = conditions[0].args  # type: ignore[union-attr]
        elif len(name.subs) >= 1 and any(type(sub) is Relation or (type(sub) is Paren and type(sub.arg) is Relation) for sub in name.subs):
            conditions = tuple(sub.arg if type(sub) is Paren else sub for sub in name.subs)
        else:
            return None
        condition = conditions[0] if len(conditions) == 1 else Tuple(conditions, span=self.span(start))
        return Indicator(condition, span=self.span(start))

    # ---- letters and words

    def atom(self) -> tuple[Node, str]:
        token = self.tokens[self.at]
        match token.kind:
            case "identifier":
                self.take()
                return identifier_name(token.key, Span(token.start, token.end)), "name"
            case "method":
                raise self.error(f"`{token.key}` with nothing before it")
            case "prose":
                self.take()
                after = self.key
                if self.scripted or after in ("_", "^", "(", ":", "]", "+", "-", *table.RELATION_SIGNS) or " " not in token.key:
                    return self.word(token), "name"
                return Words(token.key, span=self.span(token.start)), ""
            case "bad":
                raise self.error(token.detail or f"`{token.key}` cannot be read")
            case "word" if len(token.key) == 2 and token.detail in ("mathbf", "mathit") and token.key.isalpha() and token.key[0].isupper():
                self.take()  # \mathbf{Wx}
                letters = [Name(letter, font="" if token.detail == "mathit" else token.detail, span=Span(token.start, token.end)) for letter in token.key]
                return Product(tuple(letters), span=self.span(token.start)), ""
        rule = _RULES.get(token.key)
        return rule(self) if rule is not None else super().atom()

    def transposed(self) -> tuple[Node, str]:
        token = self.take()
        return Name("top", span=Span(token.start, token.end)), ""

    def accented(self) -> tuple[Node, str]:
        r"""``\bar h``; ``\overline{\frac{\partial h}{\partial W}}`` is a derivative of which something is said."""
        token = self.take()
        node, kind = self.held()
        result = accented(node, token.key[1:])
        if type(node) is Derivative:
            return Given(node, (Words(token.key[1:], span=Span(token.start, token.end)),), span=self.span(token.start)), ""
        if type(node) is Number:  # \vec{0}
            return node, ""
        if result is None:
            raise self.error(f"`{token.key}` over something that is not a name", way_out="give it a name first", token=token)
        return result, kind if type(result) is Name else ""

    def fonted(self) -> tuple[Node, str]:
        token = self.take()
        node, kind = self.held()
        font = table.FONTS[token.key[1:]]
        if type(node) is Number:
            return Name(node.text, font=font), "name"
        if type(node) is Name and kind:
            usual = "mathit" if len(node.base) == 1 or node.base in table.SYMBOLS else "mathrm"
            return replace(node, font="" if font == usual else node.font or font), "operator" if token.key == r"\operatorname" else kind
        return fonted(node, "" if font == "mathit" else font), ""

    def root(self) -> tuple[Node, str]:
        r"""``\sqrt{a}``, ``\sqrt[n]{a}``."""
        token = self.take()
        if self.key == "[":
            degree = self.bracket()
            arg = self.argument()
            return Power(arg, Fraction(Number("1"), degree, span=degree.span), span=self.span(token.start)), ""
        return Apply(Name("sqrt", span=Span(token.start, token.end)), (self.argument(),), span=self.span(token.start)), ""


_Rule = Callable[[Loose], tuple[Node, str]]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("\\" + accent for accent in table.ACCENTS), Loose.accented),
    **dict.fromkeys(("\\" + font for font in table.FONTS), Loose.fonted),
    **dict.fromkeys((r"\dots", r"\cdots", r"\ldots", r"\vdots", r"\ddots"), Loose.ellipsis),
    **dict.fromkeys((r"\top", r"\intercal", "⊤"), Loose.transposed),
    **dict.fromkeys((r"\begin{vmatrix}", r"\begin{smallmatrix}", r"\begin{array}", r"\begin{matrix}", r"\begin{Vmatrix}"), Loose.matrix),
    **dict.fromkeys((rf"\begin{{{name}}}" for name in table.MATRICES), Loose.matrix),
    **dict.fromkeys(table.FRACTIONS, Loose.fraction),
    **dict.fromkeys(table.CLOSERS, Loose.bracketed),
    "{": Loose.braced,
    r"\sqrt": Loose.root,
    r"\begin{cases}": Loose.cases,
    r"\left.": Loose.edge,
    r"\lvert": Loose.bar,
    "|": Loose.bar,
    r"\|": Loose.bar,
    r"\langle": Loose.bracketed,
    r"\partial": Loose.partial,
    r"\nabla": Loose.nabla,
    "d": Loose.differential_d,
}
