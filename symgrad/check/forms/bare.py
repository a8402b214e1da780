r"""A gradient without what it is the gradient of: ``\nabla_W = \ldots`` gives ``\nabla_W L``, the loss being understood."""

from __future__ import annotations

from collections import Counter
from typing import Any

from symgrad.check.reading.statements import Statement, exchanged, loss_head
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Derivative, Name


def of_the_loss(statements: list[Statement]) -> list[Statement]:
    """The statements with the loss behind such a sign on the left, by the letter that the document differentiates most.

    A gradient that the document has with its loss before is not written so: there the letter is lost.
    """
    bare = [[n for side in getattr(s.node, "sides", ())[:1] if kind(n := unwrapped(side)) == "Operator" and n.sign == "nabla"] for s in statements]
    if not any(bare):
        return statements
    whole = [unwrapped(s.node.sides[0]) for s in statements if kind(s.node) == "Relation"]
    written = [n.wrt for n in whole if kind(n) == "Derivative" and n.sign == "nabla" and loss_head(n.of) is not None]
    bare = [[n for n in found if n.wrt not in written] for found in bare]
    taken = Counter[Any](n.of for s in statements for n in s.nodes if kind(n) == "Derivative" and kind(n.of) == "Name" and loss_head(n.of) == n.of)
    loss = taken.most_common(1)[0][0] if taken else Name("L")
    return [exchanged(s, {id(n): Derivative(loss, n.wrt, "nabla", span=n.span) for n in found}) for s, found in zip(statements, bare, strict=True)]
