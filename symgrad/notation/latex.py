r"""LaTeX out: ``latex(node)`` sets a formula as a textbook does, ``latex_lines(...)`` sets chains and long sums as an ``aligned`` block.

What both print, `parse.parse` and `parse.parse_lines` read back into equal nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from symgrad.notation import table
from symgrad.notation.printer import Printer
from symgrad.notation.printer_dialect import DialectPrinter
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Big,
    Derivative,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Infix,
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
    Tuple,
)

WIDTH = 64.0  # of a right side, in digits: a line of about 12 cm at ten points
_SCRIPT = 0.7  # size of a subscript


@cache
def _printer(functions: frozenset[str]) -> Printer:
    return DialectPrinter(functions)


def latex(node: Node, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> str:
    r"""``parse(latex(e)) == e``; `functions` are the names applied by a bracket behind them, the same that the parser is given."""
    return _printer(functions).box(node).text


def latex_lines(*relations: Relation, width: float = WIDTH, functions: frozenset[str] = table.DEFAULT_FUNCTIONS) -> str:
    r"""``a = b = c`` as ``a &= b \\ &= c``, in one ``aligned`` block; a sum wider than `width` is broken before its top-level signs."""
    printer = _printer(functions)
    rows = []
    for relation in relations:
        head = printer.operand(relation.sides[0], table.SUM, False).text + " "
        for sign, side in zip(relation.signs, relation.sides[1:], strict=True):
            first, *rest = _broken(printer, side, width)
            rows.append(f"{head}&{printer.signs[sign]} {first}")
            rows += [rf"&\quad {line}" for line in rest]
            head = ""
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _broken(printer: Printer, side: Node, width: float) -> list[str]:
    """One side of a relation as the lines it is set on; every line but the first begins with its sign."""
    if printed_width(side) <= width:
        return [printer.operand(side, table.SUM, False).text]
    out: list[str] = []
    for terms in _filled(side.args if type(side) is Sum else (side,), width):
        opening = not out
        inner = _widest_sum(terms[0]) if len(terms) == 1 and printed_width(terms[0]) > width else None
        if inner is None or len(_filled(inner.args, width - 4)) == 1:
            out.append(printer.terms(terms, opening=opening).text)
        else:
            out += _opened(printer, terms[0], inner, width, opening)
    return out


def _filled(args: Sequence[Node], width: float) -> list[list[Node]]:
    """Terms gathered into lines that are no wider than `width`, if a single one is not."""
    lines: list[list[Node]] = [[]]
    used = 0.0
    for term in args:
        more = printed_width(term) + 3
        if lines[-1] and used + more > width:
            lines.append([])
            used = 2.0
        lines[-1].append(term)
        used += more
    return lines


def _widest_sum(term: Node) -> Sum | None:
    """The widest bracketed sum among the factors of a term."""
    body = term.arg if type(term) is Negative else term
    sums = [a for a in body.args if type(a) is Sum] if type(body) is Product else []
    return max(sums, key=printed_width, default=None)


def _opened(printer: Printer, term: Node, inner: Sum, width: float, opening: bool) -> list[str]:
    r"""A term broken inside its bracket, which is then a \bigl[ on one line and its \bigr] on another."""
    mark = Sum((Name("HERE"), Name("HERE")))  # stands for the bracket while the rest of the term is printed
    body = term.arg if type(term) is Negative else term
    assert type(body) is Product
    around = Product(tuple(mark if a is inner else a for a in body.args))
    text = printer.terms([Negative(around) if type(term) is Negative else around], opening=opening).text
    before, after = (part.strip() for part in text.split(printer.operand(mark, table.FACTOR, False).text))
    first, *rest = [printer.terms(terms, opening=k == 0).text for k, terms in enumerate(_filled(inner.args, width - 4))]
    lines = [" ".join((before.removesuffix(r"\,").strip(), r"\bigl[", first)).strip(), *(rf"\quad {line}" for line in rest)]
    lines[-1] += " ".join((r" \bigr]", after.removeprefix(r"\,").strip())).rstrip()
    return lines


def printed_width(node: Node) -> float:
    r"""How wide a formula is in print, about, in digits: a fraction is as wide as the wider of its parts, a script is smaller."""
    match node:
        case Number(text=text):
            return len(text)
        case Name(base=base, subs=subs, primes=primes):
            letters = 1 if base in table.SYMBOLS else len(base)
            return letters + primes / 2 + _SCRIPT * sum(printed_width(sub) for sub in subs)
        case Fraction(numerator=above, denominator=beneath):
            return max(printed_width(above), printed_width(beneath)) + 0.5
        case Derivative(of=above, wrt=beneath):
            return max(printed_width(above), printed_width(beneath)) + 1.5
        case Big(index=index, lower=lower, upper=upper, body=body):
            below = sum(printed_width(part) for part in (index, lower) if part is not None)
            return max(2, _SCRIPT * below, _SCRIPT * printed_width(upper) if upper else 0) + printed_width(body)
        case Power(base=base, exponent=exponent):
            return _bracketed_width(base) + _SCRIPT * printed_width(exponent)
        case Transpose(arg=arg):
            return _bracketed_width(arg) + 1
        case Apply(function=function, args=args):
            return printed_width(function) + 2 + sum(printed_width(arg) + 1 for arg in args) - 1
        case Sum(args=args) | Relation(sides=args):
            return sum(printed_width(arg) + 3 for arg in args) - 3
        case Stack(args=args):
            return sum(printed_width(arg) + 1 for arg in args) + 1
        case Product(args=args):
            return sum(_bracketed_width(arg) + 0.5 for arg in args)
        case Hadamard(args=args):
            return sum(_bracketed_width(arg) + 2 for arg in args) - 2
        case Diagonal(arg=arg):
            return printed_width(arg) + 6
        case Negative(arg=arg) | Absolute(arg=arg):
            return _bracketed_width(arg) + 1
        case Indicator(condition=condition):
            return printed_width(condition) + 3
        case Infix(args=args) | Tuple(args=args):
            return sum(_bracketed_width(arg) + 2 for arg in args)
        case _:  # what people write is not measured closely
            return len(latex(node)) / 2


def _bracketed_width(node: Node) -> float:
    return printed_width(node) + (2 if type(node) in (Sum, Negative, Relation) else 0)
