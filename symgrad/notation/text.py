"""Formulas for a terminal: ``text(node)`` is one line of Unicode, ``∂h_t/∂h_{t-1} = diag(z_t) + ...``.

The brackets are those of the LaTeX printer; only what LaTeX sets in two dimensions, fractions, needs more of them here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from symgrad.notation import table
from symgrad.notation.printer import Box
from symgrad.notation.printer_dialect import DialectPrinter
from symgrad.notation.syntax import Absolute, Cases, Derivative, Fraction, Node, Operator
from symgrad.notation.table import FACTOR, PRODUCT

_RAISED = str.maketrans({digit: raised for raised, digit in table.SUPERSCRIPTS.items() if digit.isdigit()})


class TextPrinter(DialectPrinter):
    """The same boxes, spelled in Unicode."""

    thin = " "
    plus, minus, negation = f" {table.PLUS.text} ", f" {table.MINUS.text} ", table.MINUS.text
    hadamard_sign = f" {table.ODOT.text} "
    signs = {key: sign.text for key, sign in table.RELATIONS.items()}  # noqa: RUF012
    ones, transposed, diagonal_head = "1", "ᵀ", table.DIAGONAL
    empty, dots, upright, angles = "·", "…", "%s", ("⟨", "⟩")
    norm_bars, given_gap, evaluated = ("‖", "‖"), "  ", ("", "|")
    partial_sign, nabla_sign, delta_sign = "∂", "∇", "δ"

    def enclose(self, opening: str, text: str, closing: str, size: int) -> str:
        return f"{opening[-1]}{text}{closing[-1]}"

    def call(self, head: str, args: tuple[Node, ...], tight: bool) -> Box:
        inside, depth, _ = self.listed(args, ", ", tight)
        return Box(f"{head}({inside})", FACTOR, max(depth, 1))

    def letters(self, base: str, font: str, applied: bool) -> str:
        if base == "1" and font == "mathbf":
            return "𝟏"
        row = table.FUNCTIONS.get(base)
        return row.text if row else table.SYMBOLS.get(base, base)

    def accented(self, accent: str, text: str) -> str:
        return text + table.ACCENTS[accent]

    def raised(self, exponent: Node) -> str:
        script = self.script((exponent,))
        digits = script.strip("{}")
        return digits.translate(_RAISED) if digits.isdecimal() else "^" + script

    def fraction(self, node: Fraction, tight: bool) -> Box:
        return self.ratio(self.operand(node.numerator, FACTOR, tight), self.operand(node.denominator, FACTOR, tight))

    def ratio(self, above: Box, below: Box) -> Box:
        # As loose as a product, so that it is bracketed inside one: (∂a/∂b) U.
        return Box(f"{above.text}/{below.text}", PRODUCT, max(above.depth, below.depth))

    def sign(self, sign: str) -> str:
        return table.OPEN[sign].text

    def cases(self, node: Cases, tight: bool) -> Box:
        rows = [f"{self.box(v).text} if {self.box(c).text}" for v, c in zip(node.values, node.conditions, strict=True)]
        return Box("{" + "; ".join(rows) + "}", FACTOR, 1)

    def derivation(self, node: Operator, tight: bool) -> Box:
        if node.sign in ("nabla", "subscript"):
            return super().derivation(node, tight)
        return Box(f"{self.d(node.sign)}/{self.d(node.sign)}{self.operand(node.wrt, FACTOR, tight).text}", PRODUCT)

    def quotient(self, above: str, below: str) -> Box:
        return Box(f"{above}/{below}".replace("∂ ", "∂"), PRODUCT)

    def derivative(self, node: Derivative, tight: bool) -> Box:
        if node.order > 1 or node.sign not in table.DIFFERENTIALS:
            return super().derivative(node, tight)
        above, below = self.operand(node.of, FACTOR, tight), self.operand(node.wrt, FACTOR, tight)
        d = table.DIFFERENTIALS[node.sign][1]
        return self.ratio(above._replace(text=d + above.text), below._replace(text=d.removesuffix("⁺") + below.text))

    def root(self, text: str) -> str:
        return f"√({text})"

    def matrix(self, rows: Sequence[tuple[Node, ...]], tight: bool) -> Box:
        return Box("[" + "; ".join(", ".join(self.box(cell, tight).text for cell in row) for row in rows) + "]", FACTOR, 2)

    def absolute(self, node: Absolute, tight: bool) -> Box:
        box = self.box(node.arg, tight)
        return Box(f"|{box.text}|", FACTOR, box.depth)

    def big_sign(self, kind: str) -> str:
        return table.BIG_OPERATORS[kind]

    def upper(self, bound: Node) -> str:
        return f"^{{{self.box(bound, True).text}}}"


_PRINTER = TextPrinter()


def text(node: Node) -> str:
    """A formula on one line: ``diag(z_t) + diag((h_{t-1} - h̃_t) ∘ z_t ∘ (1 - z_t)) U_z``."""
    return unicodedata.normalize("NFC", _PRINTER.box(node).text)
