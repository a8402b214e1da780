r"""Losses by another letter: where a document says ``\varepsilon = \sum_t \varepsilon_t``, that is the loss, whatever the letter; and a J that is none."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import LETTERS, LOSSES, Statement, exchanged, names_in, relation_of
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

LOSS = "loss"
WORDS = re.compile(
    r"\b(?:loss|cost|objective|error|criterion)(?:\s+function(?:al)?)?\s*$|\b(?:Verlust|Kosten|coût|perte|p[ée]rdida|perda|costo?|perdita|koszt|потер|ошибк)\w*\s*$",
    re.IGNORECASE,
)
JACOBIAN = "Jacobian"


def losses_by_letter(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such losses by a word, and the word → how the document writes them."""
    letters = {base for s in statements if (base := sums_itself(s) or squares(s, statements) or called(s, statements)) is not None}
    heads = [sides[0] for sides in {relation_of(s.node).sides for s in statements if squares(s, statements) and any(kind(n) == "Norm" for n in s.nodes)}]
    derived = (unwrapped(n.arg if kind(n) == "Differential" else n.of) for s in statements for n in s.nodes if kind(n) in ("Derivative", "Differential"))
    others = {str(spelled(split[0])) for of in derived if (split := head_and_parts(of)) is not None} & LOSSES
    if len(set(heads)) < len(heads) or len(letters) != 1 or others:
        return statements, {}
    out: list[Statement] = []
    original: dict[Any, Any] = {}
    for s in statements:
        exponentials = {id(n.base) for n in s.nodes if kind(n) == "Power" and n.base == Name("e")}
        named = [n for n in s.nodes if kind(n) == "Name" and n.base in letters and not n.accents and id(n) not in exponentials]
        new = {id(n): replace(n, base=LOSS) for n in named}
        original |= {new[id(n)]: n for n in s.nodes if id(n) in new}
        out.append(exchanged(s, new))
    return out, original


def squares(s: Statement, statements: list[Statement]) -> str | None:
    r"""The letter of ``C = \frac{1}{2} \sum_t \sum_k (d_k(t) - y_k(t))^2`` that is differentiated somewhere; None for anything else.

    So too of one at a step, ``e_t = \frac{1}{2} \|y_t - d_t\|^2``, and of one with a logarithm.
    """
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in ("=", ":=") and not s.derives else None
    if rel is None or split is None or split[0] != Name(split[0].base) or split[0].base in LOSSES or len(split[0].base) > 1 or len(split[1]) > 1:
        return None
    powers = [unwrapped(n.base) for n in walk(rel.sides[-1]) if kind(n) == "Power" and getattr(n.exponent, "text", "") == "2"]
    inside = [unwrapped(n.arg) if kind(n) == "Norm" else n for n in powers]
    differences = any(kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative" for n in inside)
    summed = any(kind(n) == "Big" and n.kind == "sum" for n in walk(rel.sides[-1])) or any(kind(n) == "Norm" for n in powers)
    logarithms = any(kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base in ("log", "ln") for n in walk(rel.sides[-1]))
    if not (differences and summed) and not logarithms:
        return None
    ends = [head_and_parts(unwrapped(n.of)) for other in statements for n in other.nodes if kind(n) == "Derivative"]
    taken = any(end is not None and end[0] == split[0] and len(end[1]) == len(split[1]) for end in ends)
    return str(split[0].base) if taken else None


def called(s: Statement, statements: list[Statement]) -> str | None:
    r"""The letter of "a loss $\Phi$", by which the document differentiates, if no equation gives a quantity of that name; None for anything else."""
    name: Any = s.node
    if kind(name) != "Name" or name != Name(name.base) or name.base in LOSSES or s.fragment.kind != "inline" or not WORDS.search(s.fragment.before):
        return None
    taken = any(unwrapped(n.of) == name for other in statements for n in other.nodes if kind(n) == "Derivative")
    stepped = any(head == name and parts for other in statements for n in other.nodes if kind(n) == "Name" for _, head, parts in names_in(n))
    return str(name.base) if taken and not stepped else None


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


def jacobians_by_letter(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    r"""The statements with another word for the J of ``J_t = \operatorname{diag}(1 - h_t^2) W``, which is no loss; and the word → how it is written."""
    names = [n for s in statements for n in s.nodes if kind(n) == "Name" and n.base == "J"]
    taken = any(kind(n) == "Derivative" and any(x is y for x in walk(n.of) for y in names) for s in statements for n in s.nodes)
    if taken or not any(gives_a_jacobian(s) for s in statements):
        return statements, {}
    new = {id(n): replace(n, base=JACOBIAN) for n in names}
    return [exchanged(s, new) for s in statements], {new[id(n)]: n for n in names}


def gives_a_jacobian(s: Statement) -> bool:
    """Whether an equation says that some J at a step is a product with a diagonal matrix in it."""
    rel = relation_of(s.node)
    left: Any = unwrapped(rel.sides[0]) if rel is not None and rel.signs[0] in ("=", ":=") else None
    return kind(left) == "Name" and left.base == "J" and len(left.subs) == 1 and any(kind(n) == "Diagonal" for n in walk(rel.sides[1]))
