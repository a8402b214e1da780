r"""Losses by another letter: where a document says ``\varepsilon = \sum_t \varepsilon_t``, that is the loss, whatever the letter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import LETTERS, LOSSES, Statement, exchanged, relation_of
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

LOSS = "loss"


def losses_by_letter(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such losses by a word, and the word → how the document writes them."""
    letters = {base for s in statements if (base := sums_itself(s) or squares(s, statements)) is not None}
    if len(letters) != 1 or any(kind(n) == "Name" and n.base in LOSSES for s in statements for n in s.nodes if s.derives):
        return statements, {}
    out: list[Statement] = []
    original: dict[Any, Any] = {}
    for s in statements:
        new = {id(n): replace(n, base=LOSS) for n in s.nodes if kind(n) == "Name" and n.base in letters and not n.accents}
        original |= {new[id(n)]: n for n in s.nodes if id(n) in new}
        out.append(exchanged(s, new))
    return out, original


def squares(s: Statement, statements: list[Statement]) -> str | None:
    r"""The letter of ``C = \frac{1}{2} \sum_t \sum_k (d_k(t) - y_k(t))^2`` that is differentiated somewhere; None for anything else."""
    rel = relation_of(s.node)
    if rel is None or rel.signs[0] not in ("=", ":=") or s.derives:
        return None
    left: Any = unwrapped(rel.sides[0])
    if kind(left) != "Name" or left != Name(left.base) or left.base in LOSSES or len(left.base) > 1:
        return None
    powers = [unwrapped(n.base) for n in walk(rel.sides[-1]) if kind(n) == "Power" and getattr(n.exponent, "text", "") == "2"]
    differences = any(kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative" for n in powers)
    summed = any(kind(n) == "Big" and n.kind == "sum" for n in walk(rel.sides[-1]))
    if not differences or not summed:
        return None
    taken = any(kind(n) == "Derivative" and unwrapped(n.of) == left for other in statements for n in other.nodes)
    return str(left.base) if taken else None


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
