r"""Softmax written out: ``p_{t,i} = \frac{e^{z_{t,i}}}{\sum_j e^{z_{t,j}}}`` defines ``p_t = \operatorname{softmax}(z_t)``, by components or as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, names_in, relation_of, throughout
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Apply, Big, Name, Number, Relation


def softmaxes(statements: list[Statement]) -> list[Statement]:
    """The statements with such definitions by the name of the function."""
    statements = throughout(statements, added_up)
    stepped = {spelled(head) for s in statements for _, head, parts in names_in(s.node) if any(counts_steps(p.node) for p in parts)}
    return [s if (node := named(s, stepped)) is None else replace(s, node=node) for s in statements]


def named(s: Statement, stepped: set[str | None]) -> Any:
    r"""``p_t = \operatorname{softmax}(z_t)``; None for what is no such definition."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in DEFINING or s.derives:
        return None
    left, right = unwrapped(rel.sides[0]), unwrapped(rel.sides[1])
    above: Any = exponent(right.numerator) if kind(right) == "Fraction" else None
    below = exponent(summed(right.denominator)) if above is not None else None
    output = head_and_parts(left)
    if below is None or output is None or not alike(unwrapped(above), unwrapped(below)):
        return None
    given = head_and_parts(unwrapped(above))
    components = [p.node for p in output[1] if any(p.node == q.node for q in (given or (None, ()))[1]) and not counts_steps(p.node)]
    if len(components) > 1 or (given is not None and given[0] == output[0]):
        return None
    if len(components) == len(output[1]) and (given is None or spelled(given[0]) in stepped):
        return None  # beside a cell it illustrates something
    if components:
        left, above = without(left, components[0]), without(unwrapped(above), components[0])
    return Relation((left, Apply(Name("softmax"), (above,), span=right.span)), rel.signs, span=rel.span)


def alike(one: Any, other: Any) -> bool:
    """Whether the sum is over what stands above, whatever its indices are."""
    first, second = head_and_parts(one), head_and_parts(other)
    if kind(other) == "Product" and other.args[0] == one and kind(other.args[-1]) == "Paren":  # ``z_t [k]``
        return len(other.args) == 2
    return first[0] == second[0] if first is not None and second is not None else one == other


def counts_steps(index: Any) -> bool:
    """Whether an index is a step: one of a component is a letter of another kind."""
    return kind(index) == "Number" or bool(set(letters(index)) & {"t", "T", "tau"})


def exponent(node: Any) -> Any:
    r"""The a of ``\exp(a)`` and of ``e^a``."""
    node = unwrapped(node)
    if kind(node) == "Apply" and node.function == Name("exp") and len(node.args) == 1:
        return node.args[0]
    return node.exponent if kind(node) == "Power" and node.base == Name("e") else None


def summed(node: Any) -> Any:
    r"""What a sum over components adds up: ``\sum_j a_j``, ``\mathbf{1}^\top a``, ``\text{sum}(a)``, ``\|a\|_1``."""
    node = unwrapped(node)
    if kind(node) == "Big" and node.kind == "sum":
        return node.body
    if kind(node) == "Apply" and node.function == Name("sum") and len(node.args) == 1:
        return node.args[0]
    if kind(node) == "Index" and kind(node.base) == "Norm" and node.parts == (Number("1"),):
        return node.base.arg
    return node.args[1] if kind(node) == "Product" and len(node.args) == 2 and ones(node.args[0]) else None


def added_up(node: Any) -> Any:
    r"""``\sum e^a`` for ``1^\top e^a``; None for anything else."""
    sums = kind(node) == "Product" and len(node.args) == 2 and ones(node.args[0]) and exponent(node.args[1]) is not None
    return Big("sum", None, None, None, node.args[1], span=node.span) if sums else None


def ones(node: Any) -> bool:
    r"""``\mathbf{1}^\top``, ``1^T``."""
    inner = node.arg if kind(node) == "Transpose" else node.base if kind(node) == "Power" and is_top(node.exponent) else None
    return inner is not None and unwrapped(inner) in (Name("1"), Number("1"), Name("1", font="mathbf"), Name("1", font="mathbb"))


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
