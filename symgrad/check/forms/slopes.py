r"""Slopes by name: ``dtanh(c_t)``, ``d_tanh/dx``, ``sigmoid_prime(z_t)``, ``\operatorname{tanh\_deriv}(a_t)`` are the slopes of what they name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import Statement, throughout
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Apply, Ellipsis, Name

KNOWN = "|".join(sorted((f for f in BUILTIN if len(f) > 2), key=len, reverse=True))
SLOPE = re.compile(
    rf"(?:d|D|d_|grad_|deriv_|der_|derivative_)(?P<f>{KNOWN})|(?P<g>{KNOWN})_?(?:prime|deriv|derivative|der|grad|gradient|diff|slope|backward|d)",
)


def slopes_by_name(statements: list[Statement]) -> list[Statement]:
    """The statements with primes where the document has the name of a slope."""
    statements = throughout(statements, gradient_by_name)
    bare = {id(n): n for s in statements if s.derives for n in s.nodes if without_argument(n)}
    applied = {id(n.function) for s in statements for n in s.nodes if kind(n) == "Apply"}
    applied |= {id(a) for s in statements for n in s.nodes if kind(n) == "Name" for sub in n.subs for a in walk(sub)}  # a label
    left_out = {key: Apply(n, (Ellipsis("cdot"),), span=n.span) for key, n in bare.items() if key not in applied}
    return throughout(statements, lambda n: with_prime(n) or of_a_function(n) or left_out.get(id(n)))


def gradient_by_name(node: Any) -> Any:
    r"""``d \tanh`` of a function without its argument as the word ``dtanh``, which programs call a gradient; None for anything else."""
    if kind(node) != "Product" or node.args[0] != Name("d") or not without_argument(node.args[1]):
        return None
    first = node.args[0].span
    span = replace(first, end=node.args[1].span.end) if first is not None and node.args[1].span is not None else None
    word = Name(f"d{node.args[1].base}", span=span)
    return word if len(node.args) == 2 else replace(node, args=(word, *node.args[2:]))


def without_argument(node: Any) -> bool:
    r"""``\tanh`` of whatever the cell applies it to, ``1 - \tanh^2``."""
    return kind(node) == "Name" and node.base in ("tanh", "sigmoid") and not (node.subs or node.primes or node.accents)


def of_a_function(node: Any) -> Any:
    r"""``d_silu/dx``, ``\frac{d \tanh}{dx}`` by the function's name with a prime; None for anything else."""
    if kind(node) != "Derivative" or node.order != 1:
        return None
    of, by = unwrapped(node.of), unwrapped(node.wrt)
    if kind(of) != "Name" or kind(by) != "Name" or by != Name(by.base) or of.accents or of.primes:
        return None
    word = of.base if not of.subs else spelled(of.subs[0]) if not of.base and len(of.subs) == 1 else None
    return Apply(Name(word, primes=1), (by,), span=node.span) if word in BUILTIN and len(word) > 2 and word != "sigma" else None


def with_prime(node: Any) -> Any:
    """The call of a slope by the function's name with a prime; None for anything else."""
    slope = slope_of(node.function) if kind(node) == "Apply" and kind(node.function) == "Name" and len(node.args) == 1 else None
    return None if slope is None else replace(node, function=slope)


def slope_of(name: Name) -> Any:
    """The known function whose slope a name says it is, with its prime; None for any other name."""
    found = SLOPE.fullmatch(spelled(name) or "") if not name.primes and not name.accents else None
    return None if found is None else Name(found["f"] or found["g"], primes=1, span=name.span)
