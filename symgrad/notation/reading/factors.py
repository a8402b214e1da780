r"""What is multiplied: the part of the parser that reads a factor, its scripts and its arguments."""

from __future__ import annotations

from collections.abc import Callable

from symgrad.notation import table
from symgrad.notation.reading.brackets import CLOSING, TOP, Brackets
from symgrad.notation.reading.tokens import Token
from symgrad.notation.syntax import Apply, Diagonal, Indicator, Name, Node, Number, Power, Relation, Span, Transpose

_OPENING = frozenset(table.CLOSERS)


class Factors(Brackets):
    """Rules that read one factor."""

    def operator(self) -> tuple[table.Operator | None, str]:
        """The operator behind an operand: none where the expression ends, juxtaposition where a factor follows."""
        key = self.tokens[self.at].key
        if key in CLOSING or (self.bars and key == self.bars):
            return None, key
        row = table.INFIX.get(key)
        if row is table.OPEN["star"] and self.stands_alone(self.tokens[self.at + 1].key):
            return table.JUXTAPOSITION, key
        if row is table.MINUS:
            return table.PLUS, key  # `a - b` is a sum of a and -b
        if row is None:
            row = table.COMPARISON if key in table.RELATION_SIGNS else table.JUXTAPOSITION
        return row, key

    def stands_alone(self, after: str) -> bool:
        r"""Whether a sign is a letter, by what comes behind it: ``\delta \star_t``."""
        return after in CLOSING or after in ("_", "^", "'", ",") or after in table.RELATION_SIGNS

    def operand(self) -> Node:
        """A factor with its scripts, applied to its arguments if it is a function."""
        start = self.tokens[self.at].start
        self.deeper()
        node, kind = self.atom()
        node, exponent = self.scripts(node, kind, start)
        if kind and type(node) is Name:
            node, exponent = self.applied(node, kind, exponent, start)
        if exponent is not None:
            node = self.raised(node, exponent, start)
        self.depth -= 1
        self.kind = kind
        return node

    def raised(self, node: Node, exponent: Node, start: int) -> Node:
        span = self.span(start)
        return Transpose(node, span=span) if exponent is TOP else Power(node, exponent, span=span)

    def scripts(self, node: Node, kind: str, start: int) -> tuple[Node, Node | None]:
        """Primes and subscripts into the name, and the superscript."""
        primes, subs, exponent = 0, None, None
        while (mark := self.tokens[self.at].key) in ("'", "_", "^"):
            if mark == "^":
                if self.tokens[self.at + 1].key == "'" or self.primed():
                    primes += self.superscript_primes()
                    continue
                if exponent is not None:
                    raise self.error("a second superscript", way_out="put brackets around the first: (a^b)^c")
                self.take()
                exponent = self.superscript()
            elif type(node) is not Name or not kind:
                raise self.error(f"`{mark}` behind something that is not a name", way_out="give it a name first")
            elif mark == "'":
                self.take()
                primes += 1
            else:
                if subs is not None or node.subs:
                    raise self.error("a second subscript", way_out="put both in one: a_{i,j}")
                self.take()
                subs = self.subscripts()
        if type(node) is Name and kind:
            node = Name(node.base, node.accents, node.subs if subs is None else subs, node.primes + primes, node.font, span=self.span(start))
        elif primes:
            raise self.error("a prime behind something that is not a name", way_out="give it a name first")
        return node, exponent

    def primed(self) -> bool:
        r"""Whether the superscript here is ``^{\prime}``."""
        return self.tokens[self.at + 1].key == "{" and self.tokens[self.at + 2].key == "'"

    def superscript_primes(self) -> int:
        self.take()
        if self.key == "'":
            self.take()
            return 1
        self.take()
        count = 0
        while self.key == "'":
            self.take()
            count += 1
        self.expect("}", "behind a prime in a superscript")
        return count

    def applied(self, name: Name, kind: str, exponent: Node | None, start: int) -> tuple[Node, Node | None]:
        r"""``f(a)``, ``\tanh^2(c)``, ``\tanh c``, ``diag(a)``, ``\mathbf{1}[a > 0]``; or the name itself."""
        token = self.tokens[self.at]
        bracket = token.key in _OPENING
        if name.base == table.DIAGONAL:
            if not bracket or exponent is not None or name.subs or name.primes or name.accents:
                raise self.error("diag stands without its argument", "`(`", r"write \operatorname{diag}(a)")
            (arg,) = self.arguments(one=True)
            return self.behind(Diagonal(arg, span=self.span(start)), start)
        bracket = bracket and (kind == "operator" or table.applies(name, self.functions))
        bare = not bracket and table.takes_bare(name) and self.operator()[0] is table.JUXTAPOSITION
        if exponent is TOP or not (bracket or bare):
            return name, exponent
        if exponent is not None and type(exponent) not in (Number, Name):
            raise self.error(f"{name.base} with this exponent may mean its inverse", "a number as exponent",
                             "put it behind the argument: f(x)^{n}", token)  # fmt: skip
        if bare:
            return Apply(name, (self.operand(),), span=self.span(start)), exponent
        if name.base == "1":
            (condition,) = self.arguments(one=True)
            if type(condition) is not Relation:
                raise self.error("an indicator without a relation", "a relation such as a > 0", "for a product put brackets around the 1", token)
            return self.behind(Indicator(condition, span=self.span(start)), start)
        node = Apply(name, self.arguments(), span=self.span(start))
        return self.behind(node if exponent is None else self.raised(node, exponent, start), start)

    def behind(self, node: Node, start: int) -> tuple[Node, Node | None]:
        """A superscript behind the arguments, ``f(a)^2``."""
        return self.scripts(node, "", start)

    def arguments(self, one: bool = False) -> tuple[Node, ...]:
        """``(a, b)``; other brackets hold one argument, and a stack in square brackets is one."""
        if self.key != "(":
            return (self.bracket(),)
        self.take()
        bars, self.bars = self.bars, ""
        args = [self.expression()]
        while self.key == "," and not one:
            self.take()
            args.append(self.expression())
        self.bars = bars
        self.expect(")", "in the arguments of a function")
        return tuple(args)

    def atom(self) -> tuple[Node, str]:
        """A factor without its scripts; with it ``name`` or ``operator`` if scripts and arguments go into it, else nothing."""
        token = self.tokens[self.at]
        match token.kind:
            case "letter":
                self.take()
                return Name(token.key, tuple(token.detail.split())), "name"
            case "number":
                self.take()
                return Number(token.key, span=Span(token.start, token.end)), ""
            case "word" | "operator":
                self.take()
                return self.word(token), "operator" if token.kind == "operator" else "name"
        rule = _RULES.get(token.key)
        if rule is not None:
            return rule(self)
        if token.key[1:] in table.SYMBOLS and token.kind == "command":
            self.take()
            return Name(token.key[1:], tuple(token.detail.split())), "name"
        if token.key in CLOSING or token.key in table.INFIX or token.key in table.RELATION_SIGNS:
            raise self.error(f"{self.found()} where a factor is missing", "a name, a number or an opening bracket")
        if token.key in ("_", "^", "'"):
            raise self.error(f"`{token.key}` with nothing to stand on", "a factor before it", "a second superscript needs brackets: (a^b)^c")
        if token.kind == "command":
            raise self.error(f"the command `{token.key}` is not known here", way_out=r"for a word write \mathrm{word}")
        raise self.error(f"`{token.key}` cannot be read here", "a name, a number or an opening bracket")

    def word(self, token: Token) -> Name:
        word, font = token.key, token.detail
        if not word:
            raise self.error("an empty name", "a letter or a word", token=token)
        base = table.FUNCTION_WORDS.get(word, word)
        return Name(base, font=_unusual(base, font))

    def function_name(self) -> tuple[Node, str]:
        return Name(self.take().key[1:]), "name"

    def accented(self) -> tuple[Node, str]:
        token = self.take()
        node, kind = self.held()
        if type(node) is not Name or not kind or node.primes:
            raise self.error(f"`{token.key}` over something that is not a name", way_out="give it a name first", token=token)
        return Name(node.base, (*node.accents, token.key[1:]), node.subs, 0, node.font), kind

    def fonted(self) -> tuple[Node, str]:
        token = self.take()
        node, kind = self.held()
        if type(node) is not Name or not kind:
            raise self.error(f"`{token.key}` around something that is not a name", way_out="set each name in its font", token=token)
        font = _unusual(node.base, table.FONTS[token.key[1:]])
        return Name(node.base, node.accents, node.subs, node.primes, font), "operator" if token.key == r"\operatorname" else kind

    def held(self) -> tuple[Node, str]:
        r"""What an accent or a font holds: ``{h_t}`` or ``h``."""
        self.deeper()
        held = self.atom()
        self.depth -= 1
        return held


def _unusual(base: str, font: str) -> str:
    """The font, if it is not the one such a name is always set in: italics for a letter, upright for a word."""
    letter = base in table.SYMBOLS or (len(base) == 1 and base.isalpha())
    usual = "mathit" if letter else "" if base.isdigit() else "mathrm"
    return "" if font == usual else font


_Rule = Callable[[Factors], tuple[Node, str]]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("\\" + accent for accent in table.ACCENTS), Factors.accented),
    **dict.fromkeys(("\\" + font for font in table.FONTS), Factors.fonted),
    **dict.fromkeys(("\\" + name for name, row in table.FUNCTIONS.items() if row.latex == "\\" + name), Factors.function_name),
    **dict.fromkeys(table.FRACTIONS, Factors.fraction),
    **dict.fromkeys(_OPENING, Factors.bracketed),
    **dict.fromkeys(("|", r"\lvert"), Factors.bar),
    **dict.fromkeys((rf"\begin{{{name}}}" for name in table.MATRICES), Factors.matrix),
    "{": Factors.braced,
    r"\partial": Factors.differential,
    r"\sqrt": Factors.root,
}
