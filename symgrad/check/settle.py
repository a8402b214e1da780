r"""Brackets settled: ``f (a)`` applies f where f is no quantity of the document; ``g'(a)`` is always a slope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.symbols import children, head_and_parts, is_top, key_of, kind, letters, spelled, unwrapped, walk
from symgrad.notation.syntax import Apply, Name, Power

LETTERS = frozenset({"f", "g", "phi", "varphi", "psi", "F", "G", "sigma", "rho", "h", "a", "varsigma", "s"})


def quantities(nodes: list[Any]) -> set[str]:
    """Every name that carries a step somewhere, or stands on a left side: no function."""
    counted = {"t"}
    for node in nodes:
        for n in walk(node):
            if kind(n) in ("Name", "Power", "Index"):
                split = head_and_parts(n)
                for p in split[1] if split else ():
                    if kind(p.node) == "Sum":
                        counted |= set(letters(p.node))
    out = set()
    for node in nodes:
        if kind(node) == "Relation":
            split = head_and_parts(unwrapped(node.sides[0]))
            if split is not None:
                out.add(str(key_of(split[0], []) or ""))
        for n in walk(node):
            if kind(n) in ("Name", "Power", "Index"):
                split = head_and_parts(n)
                if split is not None and any(set(letters(p.node)) & counted for p in split[1]):
                    out.add(spelled(replace(split[0], primes=0)) or "")
    return out


def settled(node: Any, known: set[str]) -> Any:
    """The node with applications where a product of a function and a bracket was read."""
    if not any(kind(n) in ("Product", "Differential") for n in walk(node)):
        return node
    return _settled(node, known)


def _settled(node: Any, known: set[str]) -> Any:
    changed: dict[str, Any] = {}
    for name in getattr(type(node), "__dataclass_fields__", ()):
        value = getattr(node, name)
        if name == "span" or value is None:
            continue
        if hasattr(type(value), "__dataclass_fields__"):
            inner = _settled(value, known)
            if inner is not value:
                changed[name] = inner
        elif isinstance(value, tuple):
            inside = tuple(_settled(v, known) if hasattr(type(v), "__dataclass_fields__") else v for v in value)
            if any(p is not q for p, q in zip(inside, value, strict=True)):
                changed[name] = inside
    node = replace(node, **changed) if changed else node
    if kind(node) == "Product":
        return _product(node, known)
    if kind(node) == "Differential" and node.sign == "prime" and kind(node.arg) == "Apply" and len(node.arg.args) == 1 and kind(node.arg.function) == "Name":
        return replace(node.arg, function=replace(node.arg.function, primes=node.arg.function.primes + 1), span=node.span)  # (tanh x)' is tanh'(x)
    if kind(node) == "Power" and kind(node.exponent) == "Product" and len(node.exponent.args) == 2:
        step, last = node.exponent.args
        if kind(step) == "Paren" and step.kind in ("(", "<") and (kind(last) == "Number" or is_top(last)):
            return replace(node, base=replace(node, exponent=step), exponent=last)  # h^{(t)2} is the square of h^{(t)}
    return node


def _product(node: Any, known: set[str]) -> Any:
    args = list(node.args)
    out: list[Any] = []
    k = 0
    while k < len(args):
        a = args[k]
        nxt = args[k + 1] if k + 1 < len(args) else None
        head, exponent = (a.base, a.exponent) if kind(a) == "Power" and kind(a.base) == "Name" and kind(a.exponent) == "Number" else (a, None)
        if nxt is not None and kind(head) == "Name" and kind(nxt) == "Paren" and nxt.kind == "(" and _function(head, known):
            arg = unwrapped(nxt)
            span = None
            if head.span is not None and nxt.span is not None:
                span = replace(head.span, end=nxt.span.end)
            applied: Any = Apply(head, arg.args if kind(arg) == "Tuple" else (arg,), span=span)
            out.append(applied if exponent is None else Power(applied, exponent, span=span))
            k += 2
            continue
        out.append(a)
        k += 1
    if len(out) == len(args):
        return node
    return out[0] if len(out) == 1 else replace(node, args=tuple(out))


def _function(name: Name, known: set[str]) -> bool:
    bare = spelled(replace(name, subs=(), primes=0)) or ""
    if name.primes:
        return True
    return name.base in LETTERS and bare not in known


__all__ = ["children", "quantities", "settled"]
