r"""Derivatives with what is differentiated as an index: ``\frac{d_L}{d_{h_t}}`` is ``\frac{dL}{dh_t}``, in a document that writes them so."""

from __future__ import annotations

from typing import Any

from symgrad.check.reading.statements import Statement, loss_head, throughout
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Derivative


def raised(statements: list[Statement]) -> list[Statement]:
    """The statements with derivatives where the document has fractions of lowered ones; with a ``d`` forgotten beside one, too."""
    fractions = [n for s in statements for n in s.nodes if kind(n) == "Fraction"]
    pairs = [(below(n.numerator), below(n.denominator)) for n in fractions]
    if not any(of is not None and wrt is not None and loss_head(of) is not None for of, wrt in pairs):
        return statements
    new = {id(n): d for n, (of, wrt) in zip(fractions, pairs, strict=True) if (d := derivative(n, of, wrt, [w for _, w in pairs])) is not None}
    return throughout(statements, lambda n: new.get(id(n)))


def below(node: Any) -> Any:
    r"""What stands under the d in ``d_{h_t}``."""
    node = unwrapped(node)
    plain = kind(node) == "Name" and node.base == "d" and len(node.subs) == 1 and not node.primes and not node.accents
    return node.subs[0] if plain and head_and_parts(node.subs[0]) is not None else None


def derivative(fraction: Any, of: Any, wrt: Any, others: list[Any]) -> Any:
    r"""The derivative that a fraction is meant to be: of both lowered, of a loss by a name, ``\frac{d_L}{h_t}``, of a name by what is taken elsewhere."""
    if of is not None and wrt is None and loss_head(of) is not None and head_and_parts(unwrapped(fraction.denominator)) is not None:
        wrt = fraction.denominator
    elif wrt is not None and of is None and wrt in others and head_and_parts(unwrapped(fraction.numerator)) is not None:
        of = fraction.numerator
    return None if of is None or wrt is None else Derivative(of, wrt, "d", span=fraction.span)
