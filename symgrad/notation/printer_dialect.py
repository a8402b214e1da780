r"""How the nodes that only people write are set again, so that a repair can be shown in the author's own notation.

What is printed here, `dialect.parse_dialect` reads back into an equal node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.notation import table
from symgrad.notation.printer import FLAT, TALL, Box, Printer
from symgrad.notation.syntax import (
    Apply,
    Blank,
    Cases,
    Derivative,
    Differential,
    Ellipsis,
    Given,
    Index,
    Indicator,
    Infix,
    Name,
    Node,
    Norm,
    Number,
    Operator,
    Paren,
    Power,
    Relation,
    Slice,
    Stack,
    Tuple,
    Unread,
    Variable,
    Words,
)
from symgrad.notation.table import BIG, FACTOR, PRODUCT, RELATION, SUM

_BRACKETS = {"(": ("(", ")"), "[": ("[", "]"), r"\{": (r"\{", r"\}"), "<": (r"\langle ", r" \rangle")}


class DialectPrinter(Printer):
    """The printer with rules for every node."""

    empty, dots, upright = r"\cdot", r"\dots", r"\text{%s}"
    norm_bars, given_gap, evaluated = (r"\lVert ", r" \rVert"), r" \quad ", (r"\left. ", r" \right|")
    partial_sign, nabla_sign, delta_sign = r"\partial", r"\nabla", r"\delta"
    angles = _BRACKETS["<"]

    def __init__(self, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> None:
        super().__init__(functions)
        more: dict[type, Callable[[Any, bool], Box]] = {
            Infix: self.infix, Paren: self.paren, Index: self.index, Slice: self.slice, Tuple: self.tuple, Norm: self.norm,
            Cases: self.cases, Ellipsis: self.ellipsis, Words: self.words, Given: self.given, Differential: self.differential,
            Operator: self.derivation, Variable: self.variable, Blank: self.blank, Unread: self.unread,
        }  # fmt: skip
        self.rules.update(more)

    def sign(self, sign: str) -> str:
        return table.OPEN[sign].latex[0]

    def infix(self, node: Infix, tight: bool) -> Box:
        level = table.OPEN[node.sign].level
        space = "" if tight and self.sign(node.sign)[0] not in "\\." else " "  # `0.0` would be a number
        boxes = self.factors(node.args, PRODUCT if level > SUM else BIG, tight)
        return self.joined(boxes, space + self.sign(node.sign) + space, level)

    def bracketed(self, text: str, kind: str, size: int) -> str:
        if kind == "<":
            return self.angles[0] + text + self.angles[1]
        opening, closing = _BRACKETS.get(kind, _BRACKETS["["])  # part k of n, which nobody writes, as entries
        return self.enclose(opening, text, closing, size)

    def paren(self, node: Paren, tight: bool) -> Box:
        box = self.box(node.arg, tight)
        if (type(node.arg), node.kind) in ((Stack, "["), (Tuple, "(")):  # it has its brackets
            return box
        return Box(self.bracketed(box.text, node.kind, box.size), FACTOR, box.depth + 1, box.size)

    def index(self, node: Index, tight: bool) -> Box:
        if node.kind == "_":
            box = self.box(node.base, tight)
            whole = type(node.base) in (Apply, Index, Norm) and box.level == FACTOR
            return Box((box if whole else self.group(box)).text + "_" + self.script(node.parts), FACTOR, box.depth, box.size)
        box = self.box(node.base, tight)
        if type(node.base) not in (Name, Index) and not (type(node.base) is Power and type(node.base.base) is Name):
            box = self.group(box)
        inside, depth, size = self.listed(node.parts, ", ", True)
        return Box(box.text + self.bracketed(inside, node.kind, size), FACTOR, max(box.depth, depth + 1), max(box.size, size))

    def slice(self, node: Slice, tight: bool) -> Box:
        ends = [self.operand(end, SUM, True).text if end is not None else "" for end in (node.lower, node.upper)]
        return Box(":".join(ends), RELATION)

    def tuple(self, node: Tuple, tight: bool) -> Box:
        if not node.args:
            return Box("()", FACTOR, 1)
        text, depth, size = self.listed(node.args, ", ", tight)
        return Box(self.enclose("(", text, ")", size), FACTOR, depth + 1, size)

    def norm(self, node: Norm, tight: bool) -> Box:
        box = self.box(node.arg, tight)
        left, right = self.norm_bars
        if box.size and left.startswith("\\"):
            left, right = r"\left" + left, " " + r"\right" + right.strip()
        return Box(left + box.text + right, FACTOR, box.depth, box.size)

    def cases(self, node: Cases, tight: bool) -> Box:
        rows = []
        for value, condition in zip(node.values, node.conditions, strict=True):
            text = self.box(value, tight).text
            if type(condition) is Tuple:
                text += " & " + ",\\ ".join(self.box(c).text for c in condition.args)
            elif type(condition) is not Blank:
                text += " & " + self.box(condition).text
            rows.append(text)
        return Box(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", FACTOR, 0, TALL)

    def ellipsis(self, node: Ellipsis, tight: bool) -> Box:
        return Box(self.empty if node.sign == "cdot" else self.dots)

    def words(self, node: Words, tight: bool) -> Box:
        return Box(self.upright % _escaped(node.text))

    def given(self, node: Given, tight: bool) -> Box:
        box = self.box(node.node, tight)
        if type(node.node) is not Relation and not any(type(c) in (Words, Given) for c in node.conditions):
            left, right = self.evaluated
            return Box(left + box.text + right + "_" + self.script(node.conditions), FACTOR, box.depth, TALL)
        text = box.text
        for condition in node.conditions:
            text += self.given_gap + ("" if type(condition) is Words else self.upright % "if " + " ") + self.box(condition).text
        return Box(text, RELATION, box.depth, box.size)

    def differential(self, node: Differential, tight: bool) -> Box:
        if node.sign == "prime":
            return Box(self.group(self.box(node.arg, tight)).text + "'")
        sign = self.nabla_sign if node.sign == "nabla" else self.partial_sign + ("^{+}" if node.sign == "partial+" else "")
        box = self.operand(node.arg, FACTOR, tight)
        return Box(f"{sign} {box.text}", PRODUCT, box.depth, box.size)

    def variable(self, node: Variable, tight: bool) -> Box:
        return Box(self.upright % _escaped(node.text))

    def derivation(self, node: Operator, tight: bool) -> Box:
        if node.sign in ("nabla", "subscript"):
            return Box(self.below(node.sign, node.wrt))
        d = self.d(node.sign)
        return Box(rf"\frac{{{d}}}{{{d} {self.operand(node.wrt, FACTOR, tight).text}}}", FACTOR, 0, TALL)

    def below(self, sign: str, wrt: Node) -> str:
        parts = wrt.args if type(wrt) is Tuple else (wrt,)
        return (self.nabla_sign if sign == "nabla" else self.partial_sign) + "_" + self.script(parts)

    def d(self, sign: str) -> str:
        return "d" if sign == "d" else self.delta_sign if sign == "delta" else self.partial_sign

    def derivative(self, node: Derivative, tight: bool) -> Box:
        if node.sign in ("nabla", "subscript"):
            box = self.operand(node.of, FACTOR, tight)
            order = "" if node.order == 1 else "^" + self.script((Number(str(node.order)),))
            return Box(f"{self.below(node.sign, node.wrt)}{order} {box.text}", PRODUCT, box.depth, box.size)
        if node.order == 1 and node.sign != "delta":
            return super().derivative(node, tight)
        d, order = self.d(node.sign), "" if node.order == 1 else f"^{node.order}"
        of = self.operand(node.of, FACTOR, tight).text
        below = [self.operand(w, FACTOR, tight).text for w in (node.wrt.args if type(node.wrt) is Tuple else (node.wrt,))]
        if len(below) == 1 and type(node.wrt) is not Tuple:
            below = [below[0] + order if type(node.wrt) in (Name, Index) else f"({below[0]}){order}"] if order else below
        return self.quotient(f"{d}{order} {of}", " ".join(f"{d} {b}" for b in below))

    def quotient(self, above: str, below: str) -> Box:
        return Box(rf"\frac{{{above}}}{{{below}}}", FACTOR, 0, TALL)

    def apply(self, node: Apply, tight: bool) -> Box:
        if not node.args:
            return Box(self.spell(node.function, True) + "()", FACTOR, 1)
        return super().apply(node, tight)

    def indicator(self, node: Indicator, tight: bool) -> Box:
        if type(node.condition) is not Tuple:
            return super().indicator(node, tight)
        text, depth, size = self.listed(node.condition.args, ", ", tight)
        return Box(self.ones + self.enclose("[", text, "]", size), FACTOR, depth + 1, size)

    def blank(self, node: Blank, tight: bool) -> Box:
        return Box("", FACTOR, 0, FLAT)

    def unread(self, node: Unread, tight: bool) -> Box:
        return Box(self.upright % "?")


def _escaped(text: str) -> str:
    for sign in "%&#$_{}":
        text = text.replace(sign, "\\" + sign)
    return text
