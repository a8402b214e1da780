r"""Losses by another letter: where a document says ``\varepsilon = \sum_t \varepsilon_t``, that is the loss, whatever the letter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import LETTERS, LOSSES, Statement, exchanged, relation_of
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Name

LOSS = "loss"


def losses_by_letter(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such losses by a word, and the word → how the document writes them."""
    letters = {base for s in statements if (base := sums_itself(s)) is not None}
    if len(letters) != 1 or any(kind(n) == "Name" and n.base in LOSSES for s in statements for n in s.nodes if s.derives):
        return statements, {}
    out: list[Statement] = []
    original: dict[Any, Any] = {}
    for s in statements:
        new = {id(n): replace(n, base=LOSS) for n in s.nodes if kind(n) == "Name" and n.base in letters and not n.accents}
        original |= {new[id(n)]: n for n in s.nodes if id(n) in new}
        out.append(exchanged(s, new))
    return out, original


def sums_itself(s: Statement) -> str | None:
    r"""The letter of ``E = \sum_t E_t``, with a factor or without, if it is none that is always the loss; None for anything else."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in ("=", ":=") or s.derives:
        return None
    left: Any = unwrapped(rel.sides[0])
    right: Any = unwrapped(rel.sides[1])
    if kind(right) in ("Product", "Infix") and len(right.args) == 2:
        right = unwrapped(right.args[1])
    if kind(left) != "Name" or left != Name(left.base) or left.base in LOSSES or kind(right) != "Big" or right.kind != "sum":
        return None
    split = head_and_parts(unwrapped(right.body))
    return str(left.base) if split is not None and split[0] == left and [spelled(p.node) in LETTERS for p in split[1]] == [True] else None
