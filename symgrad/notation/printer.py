r"""How a formula is set: every node becomes a `Box`, a string with what its surroundings must know to bracket it.

Brackets go round, square, braces from the inside out; they grow (``\left`` ``\right``) only around something tall or grown; the
brackets of a function are round, and one size up when they hold others.  The printer here spells LaTeX; `text` spells
differently and brackets alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from symgrad.notation import table
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Big,
    Derivative,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Relation,
    Stack,
    Sum,
    Transpose,
)
from symgrad.notation.table import BIG, FACTOR, HADAMARD, PRODUCT, RELATION, SUM

FLAT, GROWN, TALL = 0, 1, 2
_CALLS = (Apply, Diagonal, Indicator)
_SOLID = (Number, Apply, Diagonal, Stack, Indicator, Absolute)  # what a superscript may be set on without brackets


class Box(NamedTuple):
    """A printed piece: its text, how loosely it is built, its bracket depth and height, whether a big operator runs on at its end."""

    text: str
    level: int = FACTOR
    depth: int = 0
    size: int = FLAT
    running: bool = False


class Printer:
    """Syntax nodes to LaTeX; `functions` are the names that a bracket behind them would apply (the parser's own argument)."""

    thin, juxtaposed = r"\, ", " "
    plus, minus, negation = f" {table.PLUS.latex[0]} ", f" {table.MINUS.latex[0]} ", table.MINUS.latex[0]
    hadamard_sign = f" {table.ODOT.latex[0]} "
    signs = {key: sign.latex[0] for key, sign in table.RELATIONS.items()}  # noqa: RUF012
    diagonal_head = rf"\operatorname{{{table.DIAGONAL}}}"
    ones, transposed = r"\mathbf{1}", rf"^{{{table.TRANSPOSES[0]}}}"

    def __init__(self, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> None:
        self.functions = functions
        self.rules: dict[type, Callable[[Any, bool], Box]] = {
            Number: self.number, Name: self.name, Sum: self.sum, Negative: self.negative, Product: self.product,
            Hadamard: self.hadamard, Power: self.power, Transpose: self.transpose, Fraction: self.fraction,
            Derivative: self.derivative, Apply: self.apply, Diagonal: self.diagonal, Stack: self.stack,
            Indicator: self.indicator, Absolute: self.absolute, Big: self.big, Relation: self.relation,
        }  # fmt: skip

    # ---- brackets

    def box(self, node: Node, tight: bool = False) -> Box:
        """One node; `tight` in subscripts and bounds, where TeX sets no space around signs."""
        return self.rules[type(node)](node, tight)

    def operand(self, node: Node, level: int, tight: bool) -> Box:
        """A node where only what binds as tightly as `level` may stand bare."""
        box = self.rules[type(node)](node, tight)
        return box if box.level >= level else self.group(box)

    def group(self, box: Box) -> Box:
        """``( )``, ``[ ]``, ``\\{ \\}`` by the depth of what is inside."""
        opening, closing = table.BRACKETS[box.depth % 3]
        return Box(self.enclose(opening, box.text, closing, box.size), FACTOR, box.depth + 1, box.size)

    def enclose(self, opening: str, text: str, closing: str, size: int) -> str:
        if size:
            return rf"\left{opening} {text} \right{closing}"
        space = " " if opening[0] == "\\" else ""
        return f"{opening}{space}{text}{space}{closing}"

    def call(self, head: str, args: tuple[Node, ...], tight: bool) -> Box:
        """``f(a, b)``."""
        text, depth, size = self.listed(args, ", ", tight)
        if size:
            return Box(rf"{head}\!\left({text}\right)", FACTOR, max(depth, 1), size)
        if depth:
            return Box(rf"{head}\bigl({text}\bigr)", FACTOR, depth, GROWN)
        return Box(f"{head}({text})", FACTOR, 1)

    def listed(self, args: Sequence[Node], separator: str, tight: bool) -> tuple[str, int, int]:
        boxes = [self.rules[type(arg)](arg, tight) for arg in args]
        if len(boxes) == 1:
            return boxes[0][0], boxes[0][2], boxes[0][3]
        return separator.join([b.text for b in boxes]), max([b.depth for b in boxes]), max([b.size for b in boxes])

    # ---- letters

    def number(self, node: Number, tight: bool) -> Box:
        return Box(node.text)

    def name(self, node: Name, tight: bool) -> Box:
        return Box(self.spell(node))

    def spell(self, node: Name, applied: bool = False) -> str:
        r"""``\tilde{h}'_{t-1}``; an applied word that is no known function is an operator name, any other word is upright."""
        base = node.base
        text = base if len(base) == 1 and not node.font and not applied else self.letters(base, node.font, applied)
        for accent in node.accents:
            text = self.accented(accent, text)
        if node.primes:
            text += "'" * node.primes
        return text + "_" + self.script(node.subs) if node.subs else text

    def letters(self, base: str, font: str, applied: bool) -> str:
        word = False
        if base in table.SYMBOLS:
            text = "\\" + base if base not in table.OPEN else rf"{{\{base}}}"  # ``\star`` as a letter, not as a sign between two
            font = "boldsymbol" if font == "mathbf" else font
        elif base in table.FUNCTIONS:
            row = table.FUNCTIONS[base]
            text = row.text if font else row.latex
        else:
            text, word = base, len(base) > 1 and base[0] != "("  # ``(2)``: the number of a layer
            for sign in "%&#$_":
                text = text.replace(sign, "\\" + sign)
        if not font and applied and text[0] != "\\" and base not in self.functions and word:
            return rf"\operatorname{{{text}}}"
        if word and not base.isalnum():
            text = rf"\text{{{text}}}"
        elif word and not font:
            font = "mathrm"
        return rf"\{font}{{{text}}}" if font else text

    def accented(self, accent: str, text: str) -> str:
        return rf"\{accent}{{{text}}}"

    def script(self, parts: Sequence[Node]) -> str:
        """What hangs behind ``_`` or ``^``: braces unless it is a single character."""
        text = ",".join([self.rules[type(part)](part, True).text for part in parts])
        whole = len(text) == 1 or (len(parts) == 1 and text == r"{\star}")
        return text if whole else f"{{{text}}}"

    # ---- arithmetic

    def sum(self, node: Sum, tight: bool) -> Box:
        return self.terms(node.args, tight)

    def terms(self, args: Sequence[Node], tight: bool = False, opening: bool = True) -> Box:
        """``a + b - c``, or with `opening` false a later line of it, ``+ b - c``."""
        plus, minus = (self.plus.strip(), self.minus.strip()) if tight else (self.plus, self.minus)
        text, depth, size = "", 0, FLAT
        for k, arg in enumerate(args):
            if type(arg) is Negative:
                box = self.operand(arg.arg, BIG, tight)
                text += (minus if k or not opening else self.negation) + box.text
            else:
                box = self.operand(arg, BIG, tight)
                text += plus + box.text if k or not opening else box.text
            depth, size = max(depth, box.depth), max(size, box.size)
        return Box(text if opening else text.lstrip(), SUM, depth, size)

    def negative(self, node: Negative, tight: bool) -> Box:
        box = self.operand(node.arg, BIG, tight)
        return Box(self.negation + box.text, SUM, box.depth, box.size)

    def factors(self, args: Sequence[Node], level: int, tight: bool) -> list[Box]:
        """Operands of a product; the body of a big operator ends nowhere but at its end, so only the last may be one bare."""
        boxes = [self.rules[type(arg)](arg, tight) for arg in args]
        last = len(boxes) - 1
        for k, box in enumerate(boxes):
            if box.running and k == last and (box.level == BIG or box.level >= level):
                continue
            if box.level < level or box.running:
                boxes[k] = self.group(box)
        return boxes

    def hadamard(self, node: Hadamard, tight: bool) -> Box:
        return self.joined(self.factors(node.args, PRODUCT, tight), self.hadamard_sign, HADAMARD)

    def joined(self, boxes: list[Box], separator: str, level: int) -> Box:
        return Box(separator.join([b.text for b in boxes]), level, max([b.depth for b in boxes]), max([b.size for b in boxes]),
                   boxes[-1].running)  # fmt: skip

    def product(self, node: Product, tight: bool) -> Box:
        args = node.args
        boxes = self.factors(args, FACTOR, tight)
        if tight and len(boxes) == 2 and len(boxes[0].text) == len(boxes[1].text) == 1 and boxes[1].text.isalpha():
            return Box(boxes[0].text + boxes[1].text, PRODUCT)  # W_{xh}
        for k in range(1, len(boxes)):  # `2 3` would be set as 23
            before = args[k - 1]  # `\delta 3`, the name of a step, is what it looks like
            if boxes[k].text[0].isdigit() and type(args[k]) is not Indicator and (type(before) is not Name or before.subs or type(args[k]) is not Number):
                boxes[k] = self.group(boxes[k])
        text = boxes[-1].text
        for k in range(len(boxes) - 2, -1, -1):
            left = boxes[k].text
            if self.would_apply(args[k], text):
                left = self.group(boxes[k]).text
            text = left + (self.thin if _apart(args[k], args[k + 1]) else self.juxtaposed) + text
        return self.joined(boxes, "", PRODUCT)._replace(text=text)

    def would_apply(self, arg: Node, follower: str) -> bool:
        r"""Whether a factor would swallow the next one as its argument, so that it needs brackets: ``(\sigma) (a + b)``."""
        name = arg.base if type(arg) is Power else arg
        if type(name) is not Name or (name.primes and type(arg) is Power):  # a primed base has its brackets already
            return False
        return table.takes_bare(name) or (
            follower.startswith(("(", "[", r"\{", r"\left", "{")) and table.applies(name, self.functions))

    def power(self, node: Power, tight: bool) -> Box:
        base, exponent = node.base, node.exponent
        if type(base) is Apply and not base.function.primes and type(exponent) in (Number, Name) and base.function.base != "sqrt":
            return self.call(f"{self.spell(base.function, True)}{self.raised(exponent)}", base.args, tight)
        box = self.scripted(base, tight)
        return box._replace(text=box.text + self.raised(exponent))

    def raised(self, exponent: Node) -> str:
        return "^" + self.script((exponent,))

    def transpose(self, node: Transpose, tight: bool) -> Box:
        box = self.scripted(node.arg, tight)
        return box._replace(text=box.text + self.transposed)

    def scripted(self, base: Node, tight: bool) -> Box:
        box = self.rules[type(base)](base, tight)
        if type(base) in _SOLID or (type(base) is Name and not base.primes):
            return box
        return self.group(box)

    def fraction(self, node: Fraction, tight: bool) -> Box:
        above, below = self.box(node.numerator, tight).text, self.box(node.denominator, tight).text
        if _differential(above) and _differential(below):  # keep `\frac{d x}{d y}` for derivatives
            above = f"({above})"
        return Box(rf"\frac{{{above}}}{{{below}}}", FACTOR, 0, TALL)

    def derivative(self, node: Derivative, tight: bool) -> Box:
        of, wrt = self.operand(node.of, FACTOR, tight).text, self.operand(node.wrt, FACTOR, tight).text
        above = table.DIFFERENTIALS[node.sign][0]
        below = table.DIFFERENTIALS["d" if node.sign == "d" else "partial"][0]
        return Box(rf"\frac{{{above} {of}}}{{{below} {wrt}}}", FACTOR, 0, TALL)

    # ---- what is applied, listed, enclosed

    def apply(self, node: Apply, tight: bool) -> Box:
        if len(node.args) == 1 and node.function == Name("sqrt"):
            box = self.box(node.args[0], tight)
            return Box(self.root(box.text), FACTOR, box.depth, box.size)
        return self.call(self.spell(node.function, True), node.args, tight)

    def root(self, text: str) -> str:
        return rf"\sqrt{{{text}}}"

    def diagonal(self, node: Diagonal, tight: bool) -> Box:
        return self.call(self.diagonal_head, (node.arg,), tight)

    def stack(self, node: Stack, tight: bool) -> Box:
        if rows := _grid(node):
            return self.matrix(rows, tight)
        text, depth, size = self.listed(node.args, "; " if node.vertical else ", ", tight)
        return Box(self.enclose("[", text, "]", size), FACTOR, depth + 1, size)

    def matrix(self, rows: list[tuple[Node, ...]], tight: bool) -> Box:
        body = r" \\ ".join(" & ".join(self.box(cell, tight).text for cell in row) for row in rows)
        return Box(rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", FACTOR, 0, TALL)

    def indicator(self, node: Indicator, tight: bool) -> Box:
        box = self.box(node.condition, tight)
        return Box(self.ones + self.enclose("[", box.text, "]", box.size), FACTOR, box.depth + 1, box.size)

    def absolute(self, node: Absolute, tight: bool) -> Box:
        box = self.box(node.arg, tight)
        left, right = (r"\left", r"\right") if box.size else ("", "")
        return Box(rf"{left}\lvert {box.text} {right}\rvert", FACTOR, box.depth, box.size)

    def big(self, node: Big, tight: bool) -> Box:
        head = self.big_sign(node.kind)
        if node.index is not None and node.lower is not None:
            head += f"_{{{self.spell(node.index)}={self.operand(node.lower, SUM, True).text}}}"
        elif (below := node.index or node.lower) is not None:
            head += "_" + self.script((below,))
        if node.upper is not None:
            head += self.upper(node.upper)
        box = self.operand(node.body, BIG, tight)
        return Box(f"{head} {box.text}", BIG, box.depth, TALL, True)

    def big_sign(self, kind: str) -> str:
        return "\\" + kind

    def upper(self, bound: Node) -> str:
        return "^" + self.script((bound,))

    def relation(self, node: Relation, tight: bool) -> Box:
        boxes = [self.operand(side, SUM, tight) for side in node.sides]
        text = boxes[0].text
        for key, box in zip(node.signs, boxes[1:], strict=True):
            text += f"{key}{box.text}" if tight and key in "=<>" else f" {self.signs[key]} {box.text}"
        return self.joined(boxes, "", RELATION)._replace(text=text)


def _grid(node: Stack) -> list[tuple[Node, ...]]:
    """The rows of a stack of equally long rows, which is set as a matrix; else none."""
    rows = [row.args for row in node.args if type(row) is Stack and not row.vertical]
    return rows if node.vertical and len(rows) == len(node.args) and len({len(row) for row in rows}) == 1 else []


def _differential(text: str) -> bool:
    """Whether a numerator or denominator would be read as ``d x``."""
    return len(text) > 1 and text[0] == "d" and text[1] not in "_^'"


def _ordinary(node: Node) -> bool:
    """Whether TeX sets a letter first, and so no space of its own before it."""
    while type(node) in (Power, Transpose):
        node = node.base if type(node) is Power else node.arg  # type: ignore[union-attr]
    return type(node) is Name and node.base not in table.FUNCTIONS


def _word(node: Node) -> bool:
    return type(node) is Name and len(node.base) > 1 and node.base not in table.SYMBOLS and node.base not in table.FUNCTIONS


def _apart(left: Node, right: Node) -> bool:
    r"""Whether print wants a thin space: ``\operatorname{diag}(z)\, U``, and about words."""
    if not _ordinary(right):
        return False
    if type(left) is Power:
        left = left.base
    return type(left) in _CALLS or _word(left) or _word(right)
