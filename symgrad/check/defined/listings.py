r"""Listings: code that computes a cell without steps, ``c = sigmoid(f + 1) * c_prev + sigmoid(i) * tanh(g)``, in a document whose formulas have them.

Where equations with steps give every state of a block of such lines, the block is the same cell as a program has it, with names, biases and shapes
of its own: it defines nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, names_in, relation_of, step_part
from symgrad.check.reading.symbols import STEP_WORDS, head_and_parts, spelled
from symgrad.check.reading.trees import unwrapped

EARLIER = frozenset(word for word, shift in STEP_WORDS.items() if shift < 0)


def listed(statements: list[Statement], letter: str) -> set[int]:
    """The numbers of the statements that are lines of such blocks."""
    given = {str(spelled(head)).lower() for s in statements for head in [left(s)] if head is not None and stepped(s, letter)}
    blocks = (block for block in runs(statements, letter) if given >= states(block) != set())
    return {s.number for block in blocks for s in block}


def runs(statements: list[Statement], letter: str) -> Iterator[list[Statement]]:
    """The lines of code without steps that stand together."""
    block: list[Statement] = []
    for s in statements:
        if listing(s, letter):
            block.append(s)
        elif block:
            yield block
            block = []
    if block:
        yield block


def listing(s: Statement, letter: str) -> bool:
    """Whether a statement is an equation in code that names no step."""
    return s.fragment is not None and s.fragment.kind == "code" and left(s) is not None and not stepped(s, letter) and not s.derives


def stepped(s: Statement, letter: str) -> bool:
    """Whether a statement names a step."""
    return any(step_part(parts, letter) is not None for _, _, parts in names_in(s.node))


def left(s: Statement) -> Any:
    """The letter that an equation gives; None for any other statement."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return None if split is None else split[0]


def states(block: list[Statement]) -> set[str]:
    """What a block computes from its value before, ``c_prev``."""
    named = [(head, {spelled(p.node) for p in parts}) for s in block for _, head, parts in names_in(s.node.sides[-1])]
    before = {str(spelled(head)).lower() for head, words in named if words & EARLIER}
    return before & {str(spelled(left(s))).lower() for s in block}
