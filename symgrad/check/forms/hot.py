r"""The wanted class as a vector: ``\operatorname{onehot}(k_t)``, ``one_hot(c)`` and ``\mathbf 1_{k_t}`` are one name, at the step that is meant.

``\mathbf 1_{d_h}`` is no such vector: its index is a size, as that of ``I_n`` is, and all its entries are 1.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import HOT, Statement, letter_of
from symgrad.check.reading.symbols import letters, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk, with_children
from symgrad.notation.syntax import Name

SIZES = frozenset({"d", "n", "m", "N", "D", "H"})  # letters for the number of entries


def one_name(statements: list[Statement]) -> list[Statement]:
    """The statements with one name for the vectors that are one at the wanted class and zero elsewhere."""
    letter = letter_of(statements)
    if not any(hot_name(n) or unit(n, letter) or sized(n, letter) for s in statements for n in s.nodes):
        return statements
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
    if sized(node, letter):
        return replace(node, subs=())
    if unit(node, letter):
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


def unit(node: Any, letter: str) -> bool:
    r"""Whether a name is a unit vector whose index is the class of a step, ``\mathbf 1_{k_t}``."""
    index = only_index(node)
    return index is not None and node.base == "1" and any(letter in letters(sub) for sub in index.subs)


def sized(node: Any, letter: str) -> bool:
    r"""Whether the index of a 1 or an I is its size: ``\mathbf 1_{d_h}``, ``I_n``."""
    index = only_index(node)
    if index is None or node.base not in ("1", "I") or index.base == letter:
        return False
    return index.base in SIZES and not any(letter in letters(sub) for sub in index.subs)


def only_index(node: Any) -> Any:
    """The one name that stands below another one without a mark; None for anything else."""
    plain = kind(node) == "Name" and not node.accents and not node.primes and len(node.subs) == 1
    return node.subs[0] if plain and kind(node.subs[0]) == "Name" else None


def step_in(node: Any, letter: str) -> Any:
    """The step of a class, the present one where none is written."""
    steps = (sub for n in walk(unwrapped(node)) if kind(n) == "Name" for sub in n.subs if letter in letters(sub))
    return next(steps, Name(letter))


def at(node: Any, step: Any) -> Name:
    return Name(HOT, (), (step,), span=getattr(node, "span", None))
