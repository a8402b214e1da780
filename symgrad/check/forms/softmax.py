r"""Softmax written out: ``p_{t,i} = \frac{e^{z_{t,i}}}{\sum_j e^{z_{t,j}}}`` defines ``p_t = \operatorname{softmax}(z_t)``, by components or as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, relation_of
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Apply, Name, Relation


def softmaxes(statements: list[Statement]) -> list[Statement]:
    """The statements with such definitions by the name of the function."""
    return [s if (node := named(s)) is None else replace(s, node=node) for s in statements]


def named(s: Statement) -> Any:
    r"""``p_t = \operatorname{softmax}(z_t)``; None for what is no such definition."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in DEFINING or s.derives:
        return None
    left, right = unwrapped(rel.sides[0]), unwrapped(rel.sides[1])
    above: Any = exponent(right.numerator) if kind(right) == "Fraction" else None
    below = exponent(summed(right.denominator)) if above is not None else None
    given, all_of, output = (head_and_parts(unwrapped(n)) if n is not None else None for n in (above, below, left))
    if given is None or all_of is None or output is None or given[0] != all_of[0] or output[0] == given[0]:
        return None
    # what has no step stays as it is, an identity between components
    of_one = [p.node for p in given[1] if p.node not in [q.node for q in all_of[1]]]  # the component, where it is given by components
    if len(of_one) == len(output[1]) or len(of_one) > 1 or len(all_of[1]) < len(given[1]) or (of_one and not any(p.node == of_one[0] for p in output[1])):
        return None
    if of_one:
        left, above = without(left, of_one[0]), without(unwrapped(above), of_one[0])
    return Relation((left, Apply(Name("softmax"), (above,), span=right.span)), rel.signs, span=rel.span)


def exponent(node: Any) -> Any:
    r"""The a of ``\exp(a)`` and of ``e^a``."""
    node = unwrapped(node)
    if kind(node) == "Apply" and node.function == Name("exp") and len(node.args) == 1:
        return node.args[0]
    return node.exponent if kind(node) == "Power" and node.base == Name("e") else None


def summed(node: Any) -> Any:
    r"""What a sum over components adds up: ``\sum_j a_j``, ``\mathbf{1}^\top a``."""
    node = unwrapped(node)
    if kind(node) == "Big" and node.kind == "sum":
        return node.body
    ones = kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Transpose" and unwrapped(node.args[0].arg).base == "1"
    return node.args[1] if ones else None


def without(node: Any, index: Any) -> Any:
    """A name without one of its indices."""
    if kind(node) == "Name":
        return replace(node, subs=tuple(s for s in node.subs if unwrapped(s) != index))
    if kind(node) == "Power":
        return node.base if unwrapped(node.exponent) == index else replace(node, base=without(node.base, index))
    if kind(node) == "Index":
        left = tuple(p for p in node.parts if unwrapped(p) != index)
        return replace(node, base=without(node.base, index), parts=left) if left else node.base
    return node
