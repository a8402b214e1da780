"""Formulas as trees: what is in a node, nodes exchanged for others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from operator import is_not
from typing import Any, TypeVar

from symgrad.notation import syntax
from symgrad.notation.syntax import Negative, Number, Sum

FACTORS = frozenset({"Product", "Infix", "Hadamard"})  # what has factors
MANY = 20_000  # nodes of which something is remembered
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Variants:
    """Formulas that stand for the same place of another one, as slips that a writer may have made there do."""

    nodes: tuple[Any, ...]


def kind(node: object) -> str:
    return type(node).__name__


def unwrapped(node: Any) -> Any:
    while kind(node) == "Paren":
        node = node.arg
    return node


_KNOWN: list[dict[int, tuple[Any, Any]]] = []


def forget() -> None:
    """Let go of all nodes: those of a document that is done are never asked about again."""
    for known in _KNOWN:
        known.clear()


def by_identity(rule: Callable[[Any], T]) -> Callable[[Any], T]:
    """What is told of a node, remembered: nodes never change, and the same ones are asked about again and again."""
    known: dict[int, tuple[Any, T]] = {}
    get = known.get
    _KNOWN.append(known)

    @wraps(rule)
    def recalled(node: Any) -> T:
        found = get(id(node))  # a node that is remembered lives, so its number is its own
        if found is not None:
            return found[1]
        if len(known) > MANY:
            known.clear()
        told = rule(node)
        known[id(node)] = node, told
        return told

    return recalled


@by_identity
def walk(node: Any) -> tuple[Any, ...]:
    """Every node, from outside in."""
    return (node, *itertools.chain.from_iterable(map(walk, children(node))))


_FIELDS: dict[type, tuple[str, ...]] = {}


def fields_of(node: Any) -> tuple[str, ...]:
    """The fields of a node that hold nodes."""
    names = _FIELDS.get(type(node))
    if names is None:
        names = tuple(
            n
            for n in getattr(type(node), "__dataclass_fields__", ())
            if n not in ("span", "text", "base", "accents", "primes", "font", "sign", "kind", "order", "vertical", "signs", "mark", "ways")
            or (n == "base" and type(node).__name__ != "Name")
        )
        _FIELDS[type(node)] = names
    return names


def children(node: Any) -> tuple[Any, ...]:
    """The nodes directly inside."""
    out: list[Any] = []
    for name in fields_of(node):
        value = getattr(node, name)
        if type(value) is tuple:
            out += [v for v in value if type(v) in _NODES]
        elif type(value) in _NODES:
            out.append(value)
    return tuple(out)


_NODES = frozenset(t for t in vars(syntax).values() if isinstance(t, type) and hasattr(t, "__dataclass_fields__") and t is not syntax.Span) | {Variants}


def rebuilt(node: Any, new: dict[int, Any]) -> Any:
    """The node with some of the nodes in it exchanged."""
    if id(node) in new:
        return new[id(node)]
    changed: dict[str, Any] = {}
    for name in fields_of(node):
        value = getattr(node, name)
        if type(value) is tuple:
            parts = tuple([rebuilt(v, new) if type(v) in _NODES else v for v in value])
            if any(map(is_not, parts, value)):
                changed[name] = parts
        elif type(value) in _NODES and (part := rebuilt(value, new)) is not value:
            changed[name] = part
    return replace(node, **changed) if changed else node


def with_children(node: Any, new: dict[int, Any]) -> Any:
    """The node with some of the nodes directly in it exchanged."""
    changed: dict[str, Any] = {}
    for name in fields_of(node):
        value = getattr(node, name)
        if id(value) in new:
            changed[name] = new[id(value)]
        elif isinstance(value, tuple) and any(id(v) in new for v in value):
            changed[name] = tuple(new.get(id(v), v) for v in value)
    return replace(node, **changed)


def shifted(step: Any, by: int) -> Any:
    """``t - 1`` moved by a step."""
    step = unwrapped(step)
    total = by
    base: list[Any] = []
    for a in step.args if kind(step) == "Sum" else (step,):
        inner = unwrapped(a)
        if kind(inner) == "Number" and inner.text.isdigit():
            total += int(inner.text)
        elif kind(inner) == "Negative" and kind(unwrapped(inner.arg)) == "Number" and unwrapped(inner.arg).text.isdigit():
            total -= int(unwrapped(inner.arg).text)
        else:
            base.append(inner)
    if not base:
        return Number(str(total)) if total >= 0 else Negative(Number(str(-total)))
    if total:
        base.append(Number(str(total)) if total > 0 else Negative(Number(str(-total))))
    return base[0] if len(base) == 1 else Sum(tuple(base))


def is_slice(node: Any) -> bool:
    """Whether a part is cut out of a vector."""
    return kind(node) == "Index" and node.kind == "[" and any(kind(p) == "Slice" for p in node.parts)
