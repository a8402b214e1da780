"""Steps that have lost their mark: ``rt`` is ``r_t`` and ``r{t-1}`` is ``r_{t-1}``, in a document that writes that too, or gives ``rt`` by an equation.

With braces a link is wrong as it stands, and used as what it was meant to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, letter_of, names_in, relation_of, step_part, throughout
from symgrad.check.reading.symbols import letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Name, Span


def with_marks(statements: list[Statement]) -> list[Statement]:
    """The statements with such steps as indices."""
    letter = letter_of(statements)
    products = [n for s in statements for n in s.nodes if kind(n) == "Product" and any(touching(a, b, letter) for a, b in pairwise(n.args))]
    if not products:
        return statements
    stepped = {spelled(head) for s in statements for _, head, parts in names_in(s.node) if step_part(parts, letter) is not None}
    sides = (unwrapped(rel.sides[0]) for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING)
    stepped |= {side.args[0].base for side in sides if kind(side) == "Product" and len(side.args) == 2 and touching(side.args[0], side.args[1], letter)}

    def lost(before: Any, a: Any) -> bool:
        return touching(before, a, letter) and before.base in stepped

    found = throughout(statements, lambda n: joined(n, lost) if any(n is p for p in products) else None)
    indexed = {n for s in found for n in s.nodes if kind(n) == "Name" and len(n.subs) == 1} if found != statements else set()

    def taken(before: Any, a: Any) -> bool:
        return beside(before, a) and marked(before, a) in indexed

    out = throughout(found, lambda n: joined(n, taken) if kind(n) == "Product" else None)
    braced = [pairs_in(s, lambda before, a: kind(a) == "Sum" and lost(before, a)) for s in statements]
    beside_braces = [pairs_in(s, taken) for s in found]
    return [unmarked(s, [*a, *b]) for s, a, b in zip(out, braced, beside_braces, strict=True)]


def pairs_in(s: Statement, lost: Callable[[Any, Any], bool]) -> list[tuple[Any, Any]]:
    """The letters and indices in braces behind them that have lost the mark between them."""
    return [(a, b) for n in s.nodes if kind(n) == "Product" for a, b in pairwise(n.args) if lost(a, b)]


def unmarked(s: Statement, lost: list[tuple[Any, Any]]) -> Statement:
    r"""A statement that tells where braces have lost their mark, ``r{t-1}``, and are wrong as they stand; ``rt`` may be how somebody writes."""
    return replace(s, lost=tuple(Span(a.span.start, b.span.end) for a, b in lost)) if lost else s


def joined(node: Any, lost: Callable[[Any, Any], bool]) -> Any:
    """A product in which some factors are indices that have lost their mark; None where none are."""
    args: list[Any] = []
    for a in node.args:
        before = args[-1] if args else None
        if before is None or not lost(before, a):
            args.append(a)
        elif kind(a) == "Power":  # ``nt^2``
            args[-1] = replace(a, base=marked(before, a.base), span=replace(before.span, end=a.span.end))
        else:
            args[-1] = marked(before, a)
    return None if len(args) == len(node.args) else args[0] if len(args) == 1 else replace(node, args=tuple(args))


def beside(first: Any, index: Any) -> bool:
    r"""Whether two names stand side by side, as in ``z{r_t}`` and ``z{\tilde h_t}``."""
    names = kind(first) == kind(index) == "Name" and not first.subs and bool(index.subs)
    return names and first.span is not None and index.span is not None and 0 <= index.span.start - first.span.end <= 1


def marked(name: Name, step: Any) -> Name:
    """The letter with the step below it."""
    return replace(name, subs=(step,), span=None if name.span is None else replace(name.span, end=step.span.end))


def touching(first: Any, step: Any, letter: str) -> bool:
    """Whether a letter stands right before that of the step, which may have an exponent, or before a step in braces."""
    step = step.base if kind(step) == "Power" else step
    braced = kind(step) == "Sum" and letter in letters(step) and number_at(step, {letter: 0}) is not None
    if not (braced or step == Name(letter)) or kind(first) != "Name" or first != Name(first.base, first.accents) or len(first.base) > 1 or first.base == letter:
        return False
    return first.span is not None and step.span is not None and first.span.end + braced == step.span.start
