"""Steps that have lost their mark: ``rt`` is ``r_t``, in a document that writes that too, or gives ``rt`` by an equation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, letter_of, names_in, relation_of, step_part, throughout
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Name


def with_marks(statements: list[Statement]) -> list[Statement]:
    """The statements with such steps as indices."""
    letter = letter_of(statements)
    products = [n for s in statements for n in s.nodes if kind(n) == "Product" and any(touching(a, b, letter) for a, b in pairwise(n.args))]
    if not products:
        return statements
    stepped = {spelled(head) for s in statements for _, head, parts in names_in(s.node) if step_part(parts, letter) is not None}
    sides = (unwrapped(rel.sides[0]) for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING)
    stepped |= {side.args[0].base for side in sides if kind(side) == "Product" and len(side.args) == 2 and touching(side.args[0], side.args[1], letter)}

    def joined(node: Any) -> Any:
        if not any(node is p for p in products):
            return None
        args: list[Any] = []
        for a in node.args:
            before = args[-1] if args else None
            if before is None or not touching(before, a, letter) or before.base not in stepped:
                args.append(a)
            elif kind(a) == "Power":  # ``nt^2``
                args[-1] = replace(a, base=marked(before, a.base), span=replace(before.span, end=a.span.end))
            else:
                args[-1] = marked(before, a)
        return None if len(args) == len(node.args) else args[0] if len(args) == 1 else replace(node, args=tuple(args))

    return throughout(statements, joined)


def marked(name: Name, step: Any) -> Name:
    """The letter with the step below it."""
    return replace(name, subs=(step,), span=None if name.span is None else replace(name.span, end=step.span.end))


def touching(first: Any, step: Any, letter: str) -> bool:
    """Whether a letter stands right before that of the step, which may have an exponent."""
    step = step.base if kind(step) == "Power" else step
    if step != Name(letter) or kind(first) != "Name" or first != Name(first.base) or len(first.base) > 1 or first.base == letter:
        return False
    return first.span is not None and step.span is not None and first.span.end == step.span.start
