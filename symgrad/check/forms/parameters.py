r"""Functions with their parameters below them, and differentiated by one of their arguments.

``f_\theta(h_{t-1}, x_t)`` is ``f(h_{t-1}, x_t, \theta)`` where something is differentiated by θ; ``\frac{\partial f}{\partial h}(h_t, x_{t+1})`` is the
immediate derivative of ``h_{t+1}`` by ``h_t`` beside ``h_t = f(h_{t-1}, x_t)``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.statements import Statement, letter_of, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, number_at
from symgrad.check.reading.trees import kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Derivative, Transpose

Given = dict[Any, tuple[Any, tuple[Any, ...]]]  # a function → what it gives at step t, and its arguments there


def of_functions(statements: list[Statement]) -> list[Statement]:
    """The statements with parameters among the arguments of functions, and derivatives of functions as those of what they give."""
    wanted = {unwrapped(n.wrt) for s in statements for n in s.nodes if kind(n) == "Derivative"}
    called = {n.function for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base in FUNCTIONS}
    labelled = {f for f in called if len(f.subs) == 1 and f.subs[0] in wanted and not f.primes}
    statements = throughout(statements, lambda n: with_parameters(n) if kind(n) == "Apply" and n.function in labelled else None)
    letter, given = letter_of(statements), dict[Any, tuple[Any, tuple[Any, ...]]]()
    for s in statements:
        sides: tuple[Any, ...] = s.node.sides if kind(s.node) == "Relation" and not s.derives else ()
        call: Any = unwrapped(sides[1]) if sides and step_of(sides[0], letter) == 0 else None
        if kind(call) == "Apply" and call.function.base in FUNCTIONS:
            given.setdefault(call.function, (unwrapped(sides[0]), call.args))
    given |= {f: given[bare] for f in labelled if (bare := replace(f, subs=())) in given}
    return throughout(statements, lambda n: by_arguments(n, given, letter)) if given else statements


def with_parameters(call: Any) -> Any:
    return replace(call, function=replace(call.function, subs=()), args=(*call.args, *call.function.subs))


def step_of(node: Any, letter: str) -> int | None:
    """At which step after t something stands; None for what has no step."""
    split = head_and_parts(unwrapped(node))
    step = step_part(split[1], letter) if split is not None else None
    at = number_at(step.node, {letter: 0}) if step is not None else None
    return None if at is None else int(at)


def by_arguments(node: Any, given: Given, letter: str) -> Any:
    r"""A product in which derivatives of functions stand before their arguments with those of quantities in their place; None for any other."""
    args: list[Any] = list(node.args) if kind(node) == "Product" else []
    for k, (of, place) in reversed([*enumerate(pairwise(args))]):
        if kind(of) == "Derivative" and unwrapped(of.of) in given and (found := at(of, place, given, letter)) is not None:
            args[k : k + 2] = [found]
    if not args or len(args) == len(node.args):
        return None
    return args[0] if len(args) == 1 else replace(node, args=tuple(args))


def at(of: Any, place: Any, given: Given, letter: str) -> Any:
    r"""``\frac{\partial f}{\partial h}(h_t, x_{t+1})^\top`` as the derivative of a quantity; None if what follows are not the arguments of f at some step."""
    quantity, formal = given[unwrapped(of.of)]
    actual = unwrapped(place.arg if kind(place) == "Transpose" else place)
    pairs = [*zip(formal, actual.args, strict=False)] if kind(actual) == "Tuple" else []
    moved = {b - a for x, y in pairs if (a := step_of(x, letter)) is not None and (b := step_of(y, letter)) is not None}
    by = moved.pop() if len(moved) == 1 else None
    if by is None or any(moved_by(x, by, letter) != unwrapped(y) for x, y in pairs):
        return None
    wrt, named = unwrapped(of.wrt), {(head_and_parts(unwrapped(x)) or (None,))[0]: x for x in formal}
    if wrt not in named:
        return None
    found = Derivative(moved_by(quantity, by, letter), moved_by(named[wrt], by, letter), "partial+", span=of.span)
    return Transpose(found, span=of.span) if kind(place) == "Transpose" else found


def moved_by(node: Any, by: int, letter: str) -> Any:
    """A quantity at a later step."""
    node = unwrapped(node)
    split = head_and_parts(node)
    step = step_part(split[1], letter) if split is not None else None
    return rebuilt(node, {id(n): shifted(n, by) for n in walk(node) if n is step.node}) if step is not None else node
