r"""The wanted class as a vector: ``\operatorname{onehot}(k_t)``, ``one_hot(c)`` and ``\mathbf 1_{k_t}`` are one name, at the step that is meant."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import HOT, Statement, letter_of
from symgrad.check.reading.symbols import letters, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk, with_children
from symgrad.notation.syntax import Name


def one_name(statements: list[Statement]) -> list[Statement]:
    """The statements with one name for the vectors that are one at the wanted class and zero elsewhere."""
    if not any(hot_name(n) or unit(n) for s in statements for n in s.nodes):
        return statements
    letter = letter_of(statements)
    return [replace(s, node=node, whole=named(s.whole, letter)) if (node := named(s.node, letter)) is not s.node else s for s in statements]


def named(node: Any, letter: str) -> Any:
    """A formula with the name in the place of what it stands for."""
    k = kind(node)
    if k == "Index" and node.kind == "_" and kind(node.base) == "Index" and hot_name(node.base.base):  # ``onehot(k)_t``
        return at(node, node.parts[0])
    if k == "Index" and node.kind == "(" and hot_name(node.base) and len(node.parts) == 1:
        return at(node, step_in(node.parts[0], letter))
    if k == "Apply" and hot_name(node.function) and len(node.args) == 1:
        return at(node, step_in(node.args[0], letter))
    if unit(node):
        return at(node, step_in(node.subs[0], letter))
    if k == "Product" and (pair := next(((a, b) for a, b in pairwise(node.args) if hot_name(a) and kind(b) == "Paren"), None)) is not None:
        one = at(node, step_in(pair[1].arg, letter))
        rest = [one if a is pair[0] else named(a, letter) for a in node.args if a is not pair[1]]
        return replace(node, args=tuple(rest)) if len(rest) > 1 else one
    new = {id(c): inner for c in children(node) if (inner := named(c, letter)) is not c}
    return with_children(node, new) if new else node


def hot_name(node: Any) -> bool:
    """Whether a name is that of the function: ``one_hot``, ``OneHot``, ``one-hot``."""
    return kind(node) == "Name" and not node.primes and "".join(c for c in (spelled(node) or "").lower() if c.isalpha()) == HOT


def unit(node: Any) -> bool:
    r"""Whether a name is a unit vector whose index is the class of a step: ``\mathbf 1_{k_t}``."""
    return kind(node) == "Name" and node.base == "1" and not node.accents and len(node.subs) == 1 and kind(node.subs[0]) == "Name" and bool(node.subs[0].subs)


def step_in(node: Any, letter: str) -> Any:
    """The step of a class, the present one where none is written."""
    steps = (sub for n in walk(unwrapped(node)) if kind(n) == "Name" for sub in n.subs if letter in letters(sub))
    return next(steps, Name(letter))


def at(node: Any, step: Any) -> Name:
    return Name(HOT, (), (step,), span=getattr(node, "span", None))
