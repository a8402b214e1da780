"""What a variable of a program may hold: a formula, several (a tuple), blocks of one array, or something that is not understood."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symgrad.check.reading.trees import fields_of
from symgrad.notation.syntax import Span

BLANK = frozenset({"zeros", "zeros_like", "empty", "empty_like", "ones", "full", "randn", "rand", "random", "uniform", "normal", "dict", "list", "defaultdict",
                   "len", "size"})  # fmt: skip


class Opaque(Exception):
    """What cannot be understood, and why."""


@dataclass(frozen=True)
class Blocks:
    """The parts of an array along the axis of several gates."""

    parts: tuple[Any, ...]


def lifted(f: Callable[..., Any], *values: Any) -> Any:
    """A function of formulas, of each block where some are of several."""
    sizes = {len(v.parts) for v in values if isinstance(v, Blocks)}
    if not sizes:
        return f(*values)
    if len(sizes) > 1:
        raise Opaque("arrays of different parts")
    return Blocks(tuple(f(*(v.parts[k] if isinstance(v, Blocks) else v for v in values)) for k in range(sizes.pop())))


def placed(value: Any, span: Span | None) -> Any:
    """The formula with every part of it at one place."""
    if isinstance(value, Blocks):
        return Blocks(tuple(placed(v, span) for v in value.parts))
    if isinstance(value, tuple | Opaque):
        return value
    changed: dict[str, Any] = {}
    for name in fields_of(value):
        inner = getattr(value, name)
        if isinstance(inner, tuple):
            changed[name] = tuple(placed(v, span) if hasattr(v, "span") else v for v in inner)
        elif hasattr(inner, "span"):
            changed[name] = placed(inner, span)
    return replace(value, **changed, span=span)


def last_name(e: ast.expr) -> str:
    """The last word of ``self.sigmoid``, ``np.tanh``."""
    return e.attr if isinstance(e, ast.Attribute) else e.id if isinstance(e, ast.Name) else ""


def blank(e: ast.expr) -> bool:
    """Whether an expression only makes room: zeros, nothing, a number, how large an array is, random weights."""
    match e:
        case ast.Constant() | ast.Attribute(attr="shape") | ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
        case ast.Call(func=f):
            return last_name(f) in BLANK
        case ast.Tuple(elts=several) | ast.List(elts=several) | ast.Dict(values=several):
            return all(map(blank, several))
        case ast.ListComp(elt=elt):
            return blank(elt)
        case ast.BinOp(left=left, right=right):
            return any(isinstance(x, ast.Call) and blank(x) for x in (left, right)) or (blank(left) and blank(right))
    return False
