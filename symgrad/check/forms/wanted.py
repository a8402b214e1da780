r"""What is wanted, by the letter of an output: of ``L(\hat y_t, y_t)`` the second is the target, though a line before calls the output ``y_t`` too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import LOSSES, Statement, given_at_a_step, names_in
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped


def without_outputs_so_called(statements: list[Statement]) -> list[Statement]:
    """The statements without the equations of such an output, where that with the hat has one of its own, which does not take the other."""
    wanted = {base for s in statements for n in s.nodes for base in compared(n)}
    given = [(s, head) for s in statements if (head := given_at_a_step(s, "t")) is not None and head.base in wanted] if wanted else []
    taken = {(h.base, h.accents) for s, head in given if head.accents for _, h, _ in names_in(s.node.sides[1])}
    wanted = {head.base for _, head in given if head.accents == ("hat",) and (head.base, ()) not in taken}
    spoken = [t for t, head in given if not head.accents and head.base in wanted and len(t.node.sides) == 2]
    left = [s for s in statements if not any(s is t for t in spoken)]
    return [replace(s, number=k) for k, s in enumerate(left)] if len(left) < len(statements) else statements


def compared(node: Any) -> Iterator[str]:
    """The letters that a loss is a function of with a hat and without."""
    if kind(node) == "Apply" and kind(node.function) == "Name":
        loss, arguments = node.function, node.args
    elif kind(node) == "Product" and len(node.args) == 2 and kind(unwrapped(node.args[1])) == "Tuple":
        loss, arguments = node.args[0], unwrapped(node.args[1]).args
    else:
        return
    split = head_and_parts(loss)
    if split is None or split[0].base.partition("_")[0] not in LOSSES:
        return
    heads = [found[0] for a in arguments if (found := head_and_parts(unwrapped(a))) is not None]
    yield from {h.base for h in heads if h.accents == ("hat",)} & {h.base for h in heads if not h.accents}
