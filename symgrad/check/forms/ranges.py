r"""Ranges of components, however they are set: ``(a + b)_{1:n}``, ``(a + b)_{[:n]}``, ``W_{:,j}``, ``W_f^{[:, n:]}`` as ``[:n]``, ``[:, j]``, ``[:, n:]``.

A range counts from 1 and has its end, ``1:n``, or from 0 and has it not, ``0:n``; both are the first n, as nobody leaves out the first of all
components.  A name with one range alone, ``x_{1:t}``, is a sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, exchanged, loss_head
from symgrad.check.reading.symbols import head_and_parts, letters
from symgrad.check.reading.trees import kind, rebuilt, unwrapped
from symgrad.notation.syntax import Index, Negative, Number, Paren, Slice, Sum

STEPS = {"t", "T", "tau"}
ONE, ZERO = Number("1"), Number("0")


def ranges(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with every range in brackets behind what it is taken of, and what stands there → what the document has."""
    original: dict[Any, Any] = {}
    out = []
    for s in statements:
        new: dict[int, Any] = {}
        for n in reversed(s.nodes):  # what is inside first
            inner = rebuilt(n, new) if new else n
            if (made := in_brackets(inner)) is not None and made != inner:
                new[id(n)] = made
                original.setdefault(made, n)
        out.append(exchanged(s, new))
    return out, original


def in_brackets(node: Any) -> Any:
    """What a node is with its range behind it in brackets; None for a node without one."""
    if kind(node) == "Derivative" and kind(node.wrt) == "Index" and loss_head(node.of) is not None and (parts := listed(node.wrt.parts)):
        return Index(replace(node, wrt=node.wrt.base), parts, "[", span=node.span)
    found = taken(node)
    if found is None or any(set(letters(end)) & STEPS for p in found[1] if kind(p) == "Slice" for end in (p.lower, p.upper) if end is not None):
        return None
    base, parts = found
    return Index(base, tuple(counted(p) if kind(p) == "Slice" else p for p in parts), "[", span=node.span)


def taken(node: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """What components are taken of, and which."""
    k = kind(node)
    if k == "Index" and node.kind in ("_", "[") and (parts := listed(node.parts)):
        return (node.base, parts) if node.kind == "[" or head_and_parts(unwrapped(node.base)) is None else None
    if k == "Power" and kind(node.exponent) == "Paren" and node.exponent.kind == "[" and (parts := listed((node.exponent,))):
        return node.base, parts
    if k == "Given" and (parts := listed(node.conditions)):
        return node.node, parts
    if k == "Product" and len(node.args) == 2 and (parts := listed((Paren(node.args[1], "["),))):
        return node.args[0], parts
    return below(node) if k == "Name" else None


def below(node: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """The ranges below a name: ``W_{:,j}``, ``W_{f,:,1:n}``, ``W_{f[:, n:]}``, ``d_{t,:n}``."""
    labels: tuple[Any, ...] = node.subs[:-1]
    last: Any = node.subs[-1] if node.subs else None
    if kind(last) == "Index" and last.kind == "[" and (parts := listed(last.parts)):
        return replace(node, subs=(*labels, last.base)), parts
    if kind(last) == "Paren" and (parts := listed((last,))):
        return replace(node, subs=labels), parts
    many = 2 if any(p == Slice(None, None) for p in node.subs) else sum(kind(p) == "Slice" for p in node.subs)
    parts = node.subs[len(node.subs) - many :]
    if not any(kind(p) == "Slice" for p in parts) or len(node.subs) < 2 or len(parts) < many:
        return None
    return replace(node, subs=node.subs[: len(node.subs) - many]), parts


def listed(parts: Sequence[Any]) -> tuple[Any, ...]:
    """The parts of an index that has a range, without the brackets around them; nothing for another index."""
    inner: Any = parts[0] if parts else None
    if len(parts) == 1 and kind(inner) == "Paren" and inner.kind == "[":
        parts = inner.arg.args if kind(inner.arg) in ("Stack", "Tuple") else (inner.arg,)
    return tuple(parts) if any(kind(p) == "Slice" for p in parts) else ()


def counted(cut: Any) -> Any:
    """A range that counts from 0 and leaves out its end: ``:n`` for ``1:n``, ``0:n`` and ``0:n-1``, ``n:n+m`` for ``n+1:n+m``."""
    lower, upper = cut.lower, cut.upper
    last = upper.args[0] if kind(upper) == "Sum" and len(upper.args) == 2 and upper.args[1] == Negative(ONE) else None
    if lower == ZERO:
        return replace(cut, lower=None, upper=last or upper)
    if lower == ONE and upper is not None and kind(upper) != "Number":
        return replace(cut, lower=None)
    if kind(lower) == "Sum" and lower.args[-1] == ONE:
        rest = lower.args[:-1]
        return replace(cut, lower=rest[0] if len(rest) == 1 else Sum(rest))
    return cut
