r"""A loss that is a multiple of another one, ``J = -L``, ``L' = 2 L``, ``J = E/T``: what is said of its gradient is said of the other's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.symbols import number_at
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Fraction, Negative, Number, Paren, Product

STEPS = {"T": 4}  # the letter for how many steps there are stands for a number


def by_the_other(court: Court, link: Link) -> Link:
    r"""The line with ``-\frac{\partial L}{\partial W}`` for ``\frac{\partial J}{\partial W}``, where the document says before that ``J = -L``."""
    known = {}
    if not any(kind(n) == "Derivative" for side in (link.left, link.right) for n in walk(side)):
        return link
    for s in court.statements[: link.statement.number]:
        sides = s.node.sides if kind(s.node) == "Relation" and s.node.signs[0] in EQUAL and len(s.node.sides) == 2 else ()
        if sides and loss_head(name := unwrapped(sides[0])) is not None and (found := multiple(unwrapped(sides[1]))) is not None and found[1] != name:
            known[name] = found
    new = {}
    for n in (n for side in (link.left, link.right) for n in walk(side) if known and kind(n) == "Derivative"):
        if (found := known.get(unwrapped(n.of))) is not None:
            factor, other = found
            inner = replace(n, of=other)
            new[id(n)] = Paren(Negative(inner) if factor is None else Product((factor, inner)), "(")
    return replace(link, left=rebuilt(link.left, new), right=rebuilt(link.right, new)) if new else link


def multiple(node: Any) -> tuple[Any, Any] | None:
    """The factor of a loss and the loss, in a formula that is no more than that; the factor is None where it is a minus."""
    if kind(node) == "Negative" and kind(loss := unwrapped(node.arg)) == "Name" and loss_head(loss) is not None:
        return None, loss
    if kind(node) == "Fraction":
        node = Product((Fraction(Number("1"), node.denominator), node.numerator))
    if kind(node) in FACTORS and len(node.args) == 2 and number_at(node.args[0], STEPS) is not None and kind(loss := unwrapped(node.args[1])) == "Name":
        return (node.args[0], loss) if loss_head(loss) is not None else None
    return None
