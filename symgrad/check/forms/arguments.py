r"""Quantities written with what they are functions of: ``\alpha_t(h_{t-1}, x_t)`` is ``\alpha_t``, where the document writes that too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import LOSSES, Statement, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of
from symgrad.check.reading.trees import kind, rebuilt, unwrapped


def without_arguments(statements: list[Statement]) -> list[Statement]:
    """The statements with such quantities by their names alone."""
    calls = {id(n.function) for s in statements for n in s.nodes if with_arguments(n)}
    if not calls:
        return statements
    alone = {name(n) for s in statements for n in s.nodes if kind(n) in ("Name", "Power", "Index") and id(n) not in calls} - {None}
    out = []
    for s in statements:
        new = {id(n): replace(n.function, span=n.span) for n in s.nodes if with_arguments(n) and name(n.function) in alone}
        out.append(replace(s, node=rebuilt(s.node, new), whole=rebuilt(s.whole, new)) if new else s)
    return out


def with_arguments(node: Any) -> bool:
    """A name with a step, applied to several that have one."""
    if kind(node) != "Apply" or len(node.args) < 2 or node.function.primes or name(node.function) is None:
        return False
    return all(stepped(unwrapped(a)) for a in node.args)


def stepped(node: Any) -> bool:
    split = head_and_parts(node)
    return split is not None and step_part(split[1], "t") is not None


def name(node: Any) -> str | None:
    """A quantity at step t without its step and its components; None for what is no quantity of the cell."""
    split = head_and_parts(node)
    if split is None or split[0].base in BUILTIN or split[0].base in LOSSES or (step := step_part(split[1], "t")) is None:
        return None
    return key_of(split[0], [p for p in split[1] if p is not step and kind(p.node) != "Name"])
