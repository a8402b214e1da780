"""Gates computed together: ``a = x @ W + h @ U + b`` whose parts ``a[:, :H]``, ``a[:, H:2*H]`` are the preactivations of several gates.

Such a quantity is several, ``a#0``, ``a#1``, each with its own block of every weight; a gradient that is put together again
(``np.hstack((di, df, do, dg))``) is `Blocks`, and a product of two of them the sum over the blocks.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from symgrad.check.programs.names import whole
from symgrad.check.programs.scopes import Defined, Quantity, Scope
from symgrad.check.programs.values import Opaque
from symgrad.check.reading.trees import kind
from symgrad.notation.syntax import Name


def cut(parts: list[ast.expr]) -> int | None:
    """Which block ``[:, 2*H:3*H]`` is; None if it is none."""
    slices = [p for p in parts if not whole(p)]
    if len(slices) != 1 or not isinstance(slices[0], ast.Slice) or slices[0].step is not None:
        return None
    lower, upper = slices[0].lower, slices[0].upper
    low, high = times(lower), times(upper)
    if low is None or high is None or (low[0] and high[0] and low[0] != high[0]):
        return None
    return low[1] if upper is None or high[1] == low[1] + 1 else None


def times(e: ast.expr | None) -> tuple[str, int] | None:
    """``2*H`` as H and 2."""
    match e:
        case None:
            return "", 0
        case ast.Constant(value=0):
            return "", 0
        case ast.Name() | ast.Attribute():
            return ast.unparse(e), 1
        case ast.BinOp(left=ast.Constant(value=int(n)), op=ast.Mult(), right=ast.Name() | ast.Attribute() as unit):
            return ast.unparse(unit), n
        case ast.BinOp(left=ast.Name() | ast.Attribute() as unit, op=ast.Mult(), right=ast.Constant(value=int(n))):
            return ast.unparse(unit), n
    return None


def block(scope: Scope, q: Quantity, k: int) -> Quantity:
    """The part k of a quantity or a parameter."""
    name = f"{q.name}#{k}"
    if name not in scope.quantities:
        defined = scope.definitions.get(q.name)
        if q.timed and defined is None:
            raise Opaque("a part of an array")
        node = parted(scope, defined.node, k) if defined is not None else None
        scope.quantities[name] = Quantity(name, replace(q.node, subs=(*q.node.subs, Name(f"g{k}"))), q.timed, q.at)
        if defined is not None:
            scope.definitions[name] = Defined(node, defined.fragment, defined.loops, defined.last)
        scope.merged[q.name] = max(scope.merged.get(q.name, 0), k + 1)
    return scope.quantities[name]


def parted(scope: Scope, node: Any, k: int) -> Any:
    """The part k of a formula: every weight and bias in it by its block."""
    match kind(node):
        case "Sum" | "Hadamard":
            return replace(node, args=tuple(parted(scope, a, k) for a in node.args))
        case "Apply" if len(node.args) == 1:
            return replace(node, args=(parted(scope, node.args[0], k),))
        case "Infix":
            return replace(node, args=tuple(a if scope.located(a) or kind(a) == "Stack" else parted(scope, a, k) for a in node.args))
        case "Transpose" | "Negative":
            return replace(node, arg=parted(scope, node.arg, k))
        case "Name":
            found = scope.located(node)
            if found is not None:
                return block(scope, found[0], k).written(found[1], node.span)
            q = scope.parameter(node)
            if q is not None:
                return block(scope, q, k).written(0, node.span)
        case "Number":
            return node
    raise Opaque("a part of an array")


def separated(scope: Scope) -> None:
    """When all of a scope is read: quantities of which only parts are used are no quantities any more."""
    scope.read = True
    for name in scope.merged:
        scope.definitions.pop(name, None)
