r"""Many to one: ``\hat y = V h_T`` is an output of the last step alone, and the loss looks at nothing else.

Such an output is read as ``\hat y_t = V h_t`` at t = T.  Not where the document has the output at every step, uses it in a recurrence (as a
context) or sums losses over time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, LOSSES, Statement, letter_of, names_in, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, key_of
from symgrad.check.reading.trees import kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name

LAST = Name("T")


def lastly(statements: list[Statement]) -> list[Statement]:
    """The statements with outputs of the last step at their step; `Statement.last` marks what defines them."""
    if not any(n == LAST for s in statements for n in s.nodes) or (letter := letter_of(statements)) == LAST.base:
        return statements
    equations = [(s, key) for s in statements if (key := defined(s, letter)) is not None]
    everywhere = {key for s, key in equations if stepped(s.node.sides[0], letter)}
    ends: dict[str, Statement] = {}
    for s, key in equations:
        if key not in everywhere and lies_at_the_end(s, everywhere, set(ends), letter):
            ends[key] = s
    used = {k for s, key in equations if key in everywhere for side in s.node.sides[1:] for _, k, _ in keyed(side, letter)}
    if not ends or used & set(ends) or any(kind(n) == "Big" and is_loss(n.body) for s in statements for n in s.nodes):
        return statements
    return [at_the_end(s, ends, everywhere, letter) for s in statements]


def defined(s: Statement, letter: str) -> str | None:
    """What an equation gives a value to, by its name without the step."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return None if split is None or split[0].base in LOSSES else name_of(split, letter)


def name_of(split: tuple[Any, tuple[Part, ...]], letter: str) -> str | None:
    return key_of(split[0], [p for p in split[1] if p is not step_part(split[1], letter) and not last(p)])


def is_loss(node: Any) -> bool:
    split = head_and_parts(unwrapped(node))
    return split is not None and split[0].base in LOSSES


def last(p: Part) -> bool:
    return bool(p.node == LAST)


def keyed(node: Any, letter: str) -> Iterator[tuple[Any, str, tuple[Part, ...]]]:
    for n, head, parts in names_in(node):
        key = name_of((head, parts), letter)
        if key is not None:
            yield n, key, parts


def stepped(node: Any, letter: str) -> bool:
    split = head_and_parts(unwrapped(node))
    return split is not None and step_part(split[1], letter) is not None


def lies_at_the_end(s: Statement, everywhere: set[str], ends: set[str], letter: str) -> bool:
    """Whether a right side speaks of the last step, and of no other."""
    found = [(key, parts) for side in s.node.sides[1:] for _, key, parts in keyed(side, letter)]
    at = [key for key, parts in found if (key in everywhere and any(map(last, parts))) or (key in ends and step_part(parts, letter) is None)]
    return bool(at) and not any(step_part(parts, letter) is not None for _, parts in found)


def at_the_end(s: Statement, ends: dict[str, Statement], everywhere: set[str], letter: str) -> Statement:
    """One statement: the output's own equation at step t, its name elsewhere at step T."""
    own = s in ends.values()
    step = Name(letter) if own else LAST
    new: dict[int, Any] = {}
    for n, key, parts in keyed(s.node, letter):
        if key in ends and not any(last(p) or step_part((p,), letter) is not None or kind(p.node) == "Number" for p in parts):
            inner = n
            while kind(inner) in ("Power", "Index", "Paren"):
                inner = inner.arg if kind(inner) == "Paren" else inner.base
            if kind(inner) == "Name":
                new[id(inner)] = replace(inner, subs=(*inner.subs, step))
        elif own and key in everywhere | set(ends):
            new |= {id(p.node): step for p in parts if last(p)}
    return replace(s, node=rebuilt(s.node, new), whole=rebuilt(s.whole, new), last=own) if new or own else s



