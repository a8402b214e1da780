r"""Functions that a document gives by a formula in their argument: ``\varphi(v) = \frac{2}{1 + e^{-v}} - 1``."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN
from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.trees import children, kind, unwrapped, walk
from symgrad.notation.syntax import Name

KNOWN: dict[str, Callable[[float], float]] = {"sigmoid": lambda x: 1 / (1 + math.exp(-x)), "tanh": math.tanh}
EXPONENTIALS: dict[str, Callable[[float], float]] = {"exp": math.exp, "tanh": math.tanh, "sinh": math.sinh, "cosh": math.cosh}
PLACES = (-1.3, 0.4, 2.1)


def by_formula(variable: str, node: Any) -> Any:
    """The known function that a formula is, else the variable and the formula; None for a formula in anything but this variable."""
    names = [n for n in walk(node) if kind(n) == "Name"]
    applied = {id(n.function) for n in walk(node) if kind(n) == "Apply"}
    if any(n.base not in BUILTIN if id(n) in applied else n not in (Name("e"), Name(variable)) for n in names):
        return None
    if Name(variable) not in names or not any(kind(n) in ("Apply", "Power") for n in walk(node)):
        return None
    known = next((f for f, g in KNOWN.items() if same(node, variable, g)), None)
    return known or ((variable, node) if entry_by_entry(node, variable) else None)


def functional(relation: Any) -> tuple[str, Any] | None:
    r"""The letter for a function and what a relation says that it is: ``f = \tanh``, ``\sigma(x) = x``."""
    sides = [unwrapped(x) for x in relation.sides]
    if len(sides) != 2 or relation.signs != ("=",):
        return None
    left, right = sides
    if kind(left) == kind(right) == "Name" and left == Name(left.base) and left.base in FUNCTIONS:
        rule = "identity" if right.base == "identity" else BUILTIN.get(right.base)
        return (left.base, rule) if rule in ACTIVATIONS and right.base != left.base else None
    if kind(left) != "Apply" or left.function != Name(left.function.base) or left.function.base not in FUNCTIONS or len(left.args) != 1:
        return None
    variable = unwrapped(left.args[0])
    if kind(variable) != "Name" or variable != Name(variable.base):
        return None
    if right == variable:
        return left.function.base, "identity"
    if kind(right) == "Apply" and kind(right.function) == "Name" and [unwrapped(a) for a in right.args] == [variable]:
        rule = BUILTIN.get(right.function.base)
        return (left.function.base, rule) if rule in ACTIVATIONS and right.function.base != left.function.base else None
    rule = by_formula(variable.base, right)
    return None if rule is None else (left.function.base, rule)


def of_its_variable(variable: str, node: Any) -> bool:
    r"""Whether a formula is in a variable and constants alone, ``\frac{1}{1 + e^{-\beta x}}``, ``x / (1 + |x|)``: it may give a function, known or not."""
    applied = {id(n.function) for n in walk(node) if kind(n) == "Apply"}
    names = [n for n in walk(node) if kind(n) == "Name" and id(n) not in applied]
    constants = all(n == Name(n.base) and not n.base.isupper() for n in names)
    return constants and Name(variable) in names and kind(unwrapped(node)) not in ("Name", "Derivative")


def falls(node: Any, variable: str) -> bool:
    """Whether a formula of exponentials falls somewhere, as no activation does."""
    try:
        values = [number(node, variable, x) for x in PLACES]
    except OverflowError:
        return False
    return any(b < a for a, b in pairwise(values))


def entry_by_entry(node: Any, variable: str) -> bool:
    """Whether a formula has no product of two factors with the variable, which of a vector may be any."""
    products = (n for n in walk(node) if kind(n) == "Product" or (kind(n) == "Infix" and n.sign != "/"))
    return all(sum(any(x == Name(variable) for x in walk(a)) for a in n.args) < 2 for n in products)


def same(node: Any, variable: str, function: Callable[[float], float]) -> bool:
    """Whether a formula has the values of a function."""
    try:
        return all(math.isclose(number(node, variable, x), function(x)) for x in PLACES)
    except OverflowError:
        return False


def number(node: Any, variable: str, x: float) -> float:
    """The value of a formula of exponentials at a number; not a number if there is anything else in it."""
    node = unwrapped(node)
    a, *rest = [number(c, variable, x) for c in (node.args if kind(node) == "Apply" else children(node))] or [0.0]
    match kind(node):
        case "Number":
            return float(node.text)
        case "Name":
            return x if node.base == variable else math.e
        case "Sum":
            return math.fsum((a, *rest))
        case "Negative":
            return -a
        case "Product":
            return math.prod((a, *rest))
        case "Fraction" if rest[0]:
            return a / rest[0]
        case "Power" if a > 0:
            return float(a ** rest[0])
        case "Apply" if node.function.base in EXPONENTIALS:
            return EXPONENTIALS[node.function.base](a)
    return math.nan
