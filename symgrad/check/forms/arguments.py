r"""Quantities written with what they are functions of: ``\alpha_t(h_{t-1}, x_t)`` is ``\alpha_t``, where the document writes that too.

A loss that tells its step needs no more, ``J^{(i)}(\theta)``; another has the step of its arguments, ``L_{\text{elt}}(g_t, y_t)`` is ``L_t``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import LOSSES, Statement, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, key_of, labelled
from symgrad.check.reading.trees import kind, unwrapped


def without_arguments(statements: list[Statement]) -> list[Statement]:
    """The statements with such quantities by their names alone."""
    statements = throughout(statements, lambda n: replace(alone, span=n.span) if (alone := loss_alone(n)) is not None else None)
    calls = {id(n.function) for s in statements for n in s.nodes if with_arguments(n)}
    if not calls:
        return statements
    alone = {name(n) for s in statements for n in s.nodes if kind(n) in ("Name", "Power", "Index") and id(n) not in calls} - {None}
    return throughout(statements, lambda n: replace(n.function, span=n.span) if with_arguments(n) and name(n.function) in alone else None)


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


def losses_as_written(statements: list[Statement]) -> dict[Any, Any]:
    """The losses by letter and step alone → how the document writes them."""
    return {alone: n for s in statements for n in s.nodes if (alone := loss_alone(n)) is not None}


def loss_alone(node: Any) -> Any:
    r"""``L_t`` for ``L_t(\theta)``, ``L_{\text{elt}}(g_t, y_t)``; None for anything else, and for ``L(\theta)``."""
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[1]) == "Paren" and node.args[1].kind == "(":
        loss, arguments = node.args[0], (node.args[1].arg,)
    elif kind(node) == "Apply" and kind(node.function) == "Name":
        loss, arguments = node.function, node.args
    else:
        return None
    split = head_and_parts(loss)
    base, _, label = split[0].base.partition("_") if split is not None else ("", "", "")  # a function's label is a part of its name
    if split is None or base not in LOSSES or not (label or split[1]):
        return None
    parts = split[1]
    if not all(labelled(p.node) for p in parts):
        return loss if all(map(parameters, arguments)) or step_part(parts, "t") is not None else None
    names = [n for a in arguments for n in (unwrapped(a).args if kind(unwrapped(a)) == "Tuple" else (a,))]
    steps = {q.node: None for n in names for q in (head_and_parts(unwrapped(n)) or (None, ()))[1] if not labelled(q.node)}
    return replace(split[0], base=base, subs=tuple(steps)) if len(steps) == 1 and len(parts) + bool(label) == 1 else None


def parameters(node: Any) -> bool:
    r"""``\theta``, ``W, U``: what has no step."""
    node = unwrapped(node)
    return all(map(parameters, node.args)) if kind(node) == "Tuple" else kind(node) == "Name" and not stepped(node)
