r"""Steps behind a bracket, ``(y - d)_t``, ``((1 - h^2) \odot \frac{\partial E}{\partial h})_{t+1}``: they are those of what stands in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, letter_of, names_in, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, letters, number_at
from symgrad.check.reading.trees import kind, rebuilt, shifted
from symgrad.notation.syntax import Name


def steps_brought_in(statements: list[Statement]) -> list[Statement]:
    """The statements with each such step at the names in its bracket that have steps."""
    letter = letter_of(statements)
    stepped = {head for s in statements for _, head, parts in names_in(s.node) if step_part(parts, letter) is not None}
    return throughout(statements, lambda n: brought_in(n, letter, stepped))


def brought_in(node: Any, letter: str, stepped: set[Any]) -> Any:
    """What stands in a bracket, at the step that stands behind it; None for anything else."""
    if kind(node) != "Index" or node.kind != "_" or len(node.parts) != 1 or letter not in letters(node.parts[0]) or head_and_parts(node) is not None:
        return None
    step = node.parts[0]
    new: dict[int, Any] = {}
    for n, head, parts in names_in(node.base):
        own = step_part(parts, letter)
        if own is None and not parts and head in stepped:
            new[id(n)] = Name(head.base, head.accents, (step,), head.primes, head.font, span=n.span)
        elif own is not None and kind(n) == "Name" and (by := number_at(own.node, {letter: 0})) is not None:
            new[id(n)] = replace(n, subs=tuple(shifted(step, int(by)) if sub is own.node else sub for sub in n.subs))
    return rebuilt(node.base, new) if new else None
