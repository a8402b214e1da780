r"""What hangs on a factor as people write it: scripts of every kind, indices in brackets, primes, evaluation bars."""

from __future__ import annotations

from symgrad.notation import table
from symgrad.notation.reading.brackets import CLOSING, TOP
from symgrad.notation.reading.parse import Parser
from symgrad.notation.reading.runs import INDEX_LETTERS
from symgrad.notation.reading.sweep import CLOSE_EDGE, EVALUATED, SEPARATOR, partners
from symgrad.notation.reading.tokens import MAX_NESTING, Token, too_deep
from symgrad.notation.syntax import (
    Apply,
    Blank,
    Differential,
    Ellipsis,
    Given,
    Index,
    Infix,
    Name,
    Node,
    Number,
    Paren,
    Power,
    Product,
    Relation,
    Slice,
    Span,
    Transpose,
    Tuple,
)

_SCRIPTS = ("'", "_", "^", "**", EVALUATED)
_TRANSPOSES = frozenset(("T", "Tr", "tr", "t"))
_SYMBOLIC = {"*": "ast", r"\ast": "ast", r"\star": "star", r"\dagger": "dagger", "+": "plus", "-": "minus", r"\bullet": "bullet", r"\circ": "circ",
             r"\dag": "dagger", r"\odot": "odot", r"\infty": "infty",
             **{spelling: name for name, sign in (("rightarrow", "->"), ("leftarrow", "<-")) for spelling in table.RELATIONS[sign].latex}}  # fmt: skip
_COMPONENTS = frozenset("ijklmnpq")
_FEW = frozenset((*INDEX_LETTERS, "u", "v", "d", "r", "o", "N", "B", "H", ":", ",", "+", "-", "\u2212"))
_ORDER = frozenset(sign for sign, name in table.RELATION_SIGNS.items() if name in ("<", ">", "<=", ">="))
_PLACEHOLDERS = (r"\cdot", "·", "⋅", "*", r"\bullet", "•", r"\ast")


class Marks(Parser):
    """Rules for everything behind an atom."""

    lenient = True

    def __init__(self, found: list[Token], functions: frozenset[str]) -> None:
        super().__init__(found, functions)
        self.partner = partners(found)
        self.scripted = 0  # how many scripts are open: words there are names
        self.follows = -1  # the place right behind a name, where a bracket may be its index or argument
        self.stops = -1  # the depth at which another ∂ ends what is differentiated

    def ends(self, token: Token) -> bool:
        """Whether an expression ends here."""
        key = token.key
        return key in CLOSING or key in (":", r"\over", SEPARATOR, CLOSE_EDGE, EVALUATED) or key.startswith("\\end{")

    def operator(self) -> tuple[table.Operator | None, str]:
        token = self.tokens[self.at]
        if self.ends(token) or (token.key == r"\partial" and self.stops == self.depth):
            return None, token.key
        if token.key in (r"\|", "|") and self.bars == token.key:
            return None, token.key
        if token.key == "." and self.ends(self.tokens[self.at + 1]):
            return None, token.key
        return super().operator()

    # ---- scripts

    def marks(self, node: Node, kind: str, start: int) -> tuple[Node, list[Node]]:
        """Everything scripted behind a factor; the superscripts of a name apart, those of anything else in place."""
        is_name = bool(kind) and type(node) is Name
        subs: list[Node] = list(node.subs) if isinstance(node, Name) and is_name else []
        primes = 0
        exponents: list[Node] = []
        count = 0
        while (mark := self.key) in _SCRIPTS or self.tokens[self.at].kind == "method":
            if (count := count + 1) > MAX_NESTING:
                raise too_deep(self.tokens[self.at].start)
            if self.tokens[self.at].kind == "method":
                if is_name:
                    node, is_name = self.named(node, subs, primes, start), False
                    node, exponents = self.raised_all(node, exponents, start), []
                node = self.method(node, start)
            elif mark == "'" or (mark == "^" and (self.tokens[self.at + 1].key == "'" or self.primed())):
                if mark == "'":
                    self.take()
                    primes += 1
                else:
                    primes += self.superscript_primes()
                if not is_name:
                    node = Differential("prime", node, span=self.span(start))
            elif mark == EVALUATED:
                self.take()
                if self.key == "_":
                    self.take()
                    if is_name:
                        node, is_name = self.named(node, subs, primes, start), False
                        node, exponents = self.raised_all(node, exponents, start), []
                    node = Given(node, self.subscripts(), span=self.span(start))
            elif mark == "_":
                self.take()
                if self.key in _SCRIPTS or self.ends(self.tokens[self.at]):
                    continue
                parts = self.subscripts()
                if is_name:
                    subs.extend(parts)
                else:
                    node = Index(node, parts, span=self.span(start))
            else:
                double = self.take().key == "**"
                if self.key in _SCRIPTS or self.ends(self.tokens[self.at]):
                    continue
                exponent = self.operand() if double else self.superscript()
                if is_name:
                    exponents.append(exponent)
                else:
                    node = self.raised(node, exponent, start)
        if is_name:
            node = self.named(node, subs, primes, start)
        return node, exponents

    def method(self, node: Node, start: int) -> Node:
        """``a.T``, ``a.dot(b)``, ``a.sum(axis=0)`` of code."""
        name = self.take()
        args: tuple[Node, ...] = ()
        if self.key == "(" and name.key != ".T":
            args = tuple(a for a in self.arguments() if type(a) is not Ellipsis)  # ``a.sum()``
        if name.key in (".T", ".t", ".transpose"):
            return Transpose(node, span=self.span(start))
        if name.key == ".dot" and len(args) == 1:
            return Infix("at", (node, *args), span=self.span(start))
        return Apply(Name(name.key[1:], span=Span(name.start + 1, name.end)), (node, *args), span=self.span(start))

    def named(self, node: Node, subs: list[Node], primes: int, start: int) -> Node:
        assert isinstance(node, Name)
        return Name(node.base, node.accents, tuple(subs), node.primes + primes, node.font, span=self.span(start))

    def raised_all(self, node: Node, exponents: list[Node], start: int) -> Node:
        for exponent in exponents:
            node = self.raised(node, exponent, start)
        return node

    def raised(self, node: Node, exponent: Node, start: int) -> Node:
        r"""``h^{(t)}``, ``W^\top``, and both in one script, ``h^{(t)\top}`` or ``h^{(t)^\top}``."""
        span = self.span(start)
        match exponent:
            case Transpose(arg=inner):
                return Transpose(self.raised(node, inner, start), span=span)
            case Power(base=Paren() as inner, exponent=outer):
                return self.raised(self.raised(node, inner, start), outer, start)
            case Product(args=(inner, last)) if _transposes(last) and (type(inner) is Paren or last is TOP or last == TOP):
                return self.raised(self.raised(node, inner, start), last, start)
            case Tuple(args=(inner, last)) if _transposes(last):
                return self.raised(self.raised(node, inner, start), last, start)
        if exponent is TOP or exponent == TOP:
            return Transpose(node, span=span)
        return Power(node, exponent, span=span)

    def superscript(self) -> Node:
        r"""What stands behind ``^``: `TOP` for a transpose, a bracket as `Paren`, a sign by its name."""
        token = self.tokens[self.at]
        braced = token.key == "{"
        first = self.tokens[self.at + braced]
        after = self.tokens[min(self.at + 2 * braced + 1, len(self.tokens) - 1)]
        alone = not braced or self.tokens[min(self.at + 2, len(self.tokens) - 1)].key == "}"  # a bracket may be the last that stands there
        if alone and first.key in _SYMBOLIC and (braced or first.key not in ("+", "-") or self.ends(after)):
            for _ in range(3 if braced else 1):
                self.take()
            return Name(_SYMBOLIC[first.key], span=self.span(token.start))
        node = self.script()
        if type(node) is Name and (node.font in ("mathrm", "mathsf", "mathtt") or len(node.base) > 1) and node.base in _TRANSPOSES and not node.subs:
            return TOP
        if node == Product((Name("T"), Name("r"))) or node == TOP or node == Name("intercal"):
            return TOP
        return node

    def script(self) -> Node:
        """A group in braces that may be a list, or the next sign alone."""
        if self.key != "{":
            if self.key in ("(", "[", r"\langle"):
                kind = self.key
                return Paren(self.bracket(), "<" if kind == r"\langle" else kind, span=self.span(self.tokens[self.at - 1].start))
            if self.key in _PLACEHOLDERS:
                return self.placeholder()
            token = self.tokens[self.at]
            if token.kind == "number":  # ``0.9^10``: TeX sets the first digit alone as a power, and no writer means it
                self.take()
                return Number(token.key, span=Span(token.start, token.end))
            self.scripted += 1
            node = self.argument()
            self.scripted -= 1
            return node
        parts = self.subscripts()
        if len(parts) == 1:
            return parts[0]
        if not parts:
            raise self.error("an empty index", "a letter, a number or a list of them")
        span = parts[0].span
        return Tuple(parts, span=self.span(span.start if span else self.tokens[self.at].start))

    def subscripts(self) -> tuple[Node, ...]:
        """``_{t-1,i}``, ``_{[i]j}``, ``_{1:t}``."""
        if self.key != "{":
            return (self.script(),)
        self.take()
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        self.scripted += 1
        self.deeper()
        parts = self.listed("}")
        self.depth -= 1
        self.scripted -= 1
        self.bars, self.stops = bars, stops
        self.expect("}", "in a script")
        return parts

    def listed(self, closing: str) -> tuple[Node, ...]:
        """Parts up to a closing bracket, between commas or semicolons; slices among them."""
        parts: list[Node] = []
        while self.key != closing:
            parts.append(self.part_of_list())
            if self.key not in (",", ";", SEPARATOR, r"\\"):
                break
            self.take()
        return tuple(parts)

    def part_of_list(self) -> Node:
        token = self.tokens[self.at]
        start = token.start
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if self.ends(after) and (token.key in _PLACEHOLDERS or (token.key == "." and self.tokens[self.at - 1].key == "(")):
            return self.placeholder()
        if token.key == ":":
            self.take()
            upper = None if self.ends(self.tokens[self.at]) else self.expression(table.SUM)
            return Slice(None, upper, span=self.span(start))
        self.follows = self.at if self.scripted else self.follows
        if self.scripted and token.key in _ORDER:  # ``L_{>t}``, the losses behind step t
            self.take()
            sides = (Blank(span=Span(start, start)), self.expression(table.SUM))
            return Relation(sides, (table.RELATION_SIGNS[token.key],), span=self.span(start))
        node = self.expression()
        if self.key == ":":
            self.take()
            upper = None if self.ends(self.tokens[self.at]) else self.expression(table.SUM)
            return Slice(node, upper, span=self.span(start))
        return node

    def placeholder(self) -> Node:
        r"""``\cdot``, ``*`` where an index or an argument is left open."""
        token = self.take()
        return Ellipsis("cdot", span=Span(token.start, token.end))

    def bound(self, mark: str) -> Node:
        return self.script()

    # ---- indices in brackets

    def index_ahead(self) -> bool:
        """Whether the bracket here can only hold an index: ``(t-1)``, ``[i, j]``, ``[:, n:]``."""
        opening, close = self.tokens[self.at].key, self.partner[self.at]
        if close < 0 or opening not in ("(", "[") or close == self.at + 1:
            return False
        inside = self.tokens[self.at + 1 : close]
        if opening == "[" and self.colon_inside(self.at, close):
            return True
        if len(inside) > 9:
            return False
        if len(inside) == 1 and inside[0].kind == "number":
            return True
        if opening == "(":
            return inside[0].key in INDEX_LETTERS - {"s", "n", "m", "p", "q", "C", "D", "M", "S"} and all(
                (token.key in INDEX_LETTERS or token.kind == "number") if k % 2 == 0 else token.key in ("+", "-", "\u2212")
                for k, token in enumerate(inside)) and len(inside) % 2 == 1  # fmt: skip
        return all(token.key in _FEW or token.kind == "number" or (token.kind == "identifier" and len(token.key) == 1) for token in inside)

    def component_ahead(self) -> bool:
        r"""Whether the bracket here tells components, ``\frac{\partial L}{\partial W}[i, j]``, or a range of them."""
        close = self.partner[self.at]
        inside = self.tokens[self.at + 1 : close] if self.key == "[" and close > 0 else []
        return bool(inside) and (self.colon_inside(self.at, close) or all(token.key in _COMPONENTS or token.key == "," for token in inside))

    def colon_inside(self, opening: int, close: int) -> bool:
        k = opening + 1
        while k < close:
            if self.tokens[k].key == ":":
                return True
            k = max(self.partner[k], k) + 1
        return False

    def comma_inside(self, opening: int) -> bool:
        """Whether the bracket holds a list."""
        close = self.partner[opening]
        k = opening + 1
        while k < close:
            if self.tokens[k].key in (",", ";"):
                return True
            k = max(self.partner[k], k) + 1
        return False

    def relation_inside(self, opening: int) -> bool:
        close = self.partner[opening]
        k = opening + 1
        while k < close:
            if self.tokens[k].key in table.RELATION_SIGNS:
                return True
            k = max(self.partner[k], k) + 1
        return False

    def indexed(self, node: Node, start: int) -> Node:
        """``h(t-1)``, ``W[:, n:]``."""
        opening = self.take().key
        bars, self.bars, stops, self.stops = self.bars, "", self.stops, -1
        self.scripted += 1
        parts = self.listed(table.CLOSERS[opening])
        self.scripted -= 1
        self.bars, self.stops = bars, stops
        self.expect(table.CLOSERS[opening], "in an index")
        return Index(node, parts, opening, span=self.span(start))


def _transposes(node: Node) -> bool:
    return node is TOP or node == TOP or node == Name("T") or (type(node) is Name and node.base == "T" and not node.subs)
