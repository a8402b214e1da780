r"""Names that are others where a cell is differentiated than where it is defined.

A gate whose label is another one there: ``\Gamma_f``, ``\Gamma_i`` and ``\Gamma_o`` are defined, and the backward pass has ``\Gamma_f``, ``\Gamma_u`` and
``\Gamma_o``, with ``W_u`` and ``b_u``.  Only one label must be unknown, and only one be left over.

What an activation is applied to, told by a letter before what it gives: ``dp\tilde c_t``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import DEFINING, MARKS, Statement, exchanged, letter_of, names_in, relation_of, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped
from symgrad.notation.syntax import Name

GATES = 3  # labels of one letter that make it one for gates
BEFORE = Name("pre")  # the label of what an activation is applied to


def relabelled(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any], dict[str, str]]:
    """The statements by the names that the cell is defined with, what stood there, and what is assumed of a quantity."""
    letter = letter_of(statements)
    equations = [s for s in statements if defines(s, letter)]
    others = [s for s in statements if not any(s is e for e in equations)]
    there, here = labels(equations, letter), labels(others, letter)
    left = {unwrapped(s.node.sides[0]) for s in equations}
    gates = [base for base, found in there.items() if sum(label(side, letter)[0] == base for side in left) >= GATES and len(found) >= GATES]
    for base in gates:
        unknown, unused = here[base] - there[base], there[base] - here[base]
        if len(unknown) != 1 or len(unused) != 1:
            continue
        (new,), (old,) = unknown, unused
        if len(new) > 1 or len(old) > 1 or any(new in found for found in there.values()):
            continue
        original: dict[Any, Any] = {}
        made = [s if s not in others else exchanged(s, renamed(s, new, old, letter, original)) for s in statements]
        return made, original, {f"{base}_{old}": f"{base}_{new} is read as {base}_{old}, which is nowhere else"}
    return statements, {}, {}


def defines(s: Statement, letter: str) -> bool:
    """Whether a statement is an equation of the cell: a quantity at a step, and no derivative."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return split is not None and split[0].base not in MARKS and step_part(split[1], letter) is not None


def label(node: Any, letter: str) -> tuple[str, str]:
    """The letter of a name and its one label, empty where it has another number of them."""
    split = head_and_parts(node)
    words = [spelled(p.node) or "" for p in split[1] if p is not step_part(split[1], letter)] if split is not None else []
    return (split[0].base, words[0]) if split is not None and len(words) == 1 else ("", "")


def labels(statements: list[Statement], letter: str) -> defaultdict[str, set[str]]:
    """The labels of each letter."""
    out = defaultdict[str, set[str]](set)
    for s in statements:
        for n, _, _ in names_in(s.node):
            base, word = label(n, letter)
            if word:
                out[base].add(word)
    return out


def renamed(s: Statement, new: str, old: str, letter: str, original: dict[Any, Any]) -> dict[int, Any]:
    """The names of a statement that have a label, with the one that it stands for."""
    out = {}
    for n, _, _ in names_in(s.node):
        if label(n, letter)[1] == new:
            inner = [sub for x in s.nodes if kind(x) == "Name" for sub in x.subs if sub == Name(new)]
            out[id(n)] = made = rebuilt(n, {id(sub): replace(sub, base=old) for sub in inner})
            original[made] = n
    return out


def prefixed(statements: list[Statement]) -> list[Statement]:
    r"""The statements with ``d\tilde c_{\mathrm{pre}}`` for ``dp\tilde c``, where the p stands nowhere else."""
    products = [n for s in statements for n in s.nodes if kind(n) == "Product"]
    before = {id(n.args[k]) for n in products for k in range(1, len(n.args) - 1) if marked(n, k)}
    letters = [n for s in statements for n in s.nodes if kind(n) == "Name" and n.base == "p"]
    if not before or any(id(n) not in before for n in letters):
        return statements

    def joined(node: Any) -> Any:
        if not any(id(a) in before for a in getattr(node, "args", ())):
            return None
        kept = [(a, id(b) in before) for b, a in pairwise((None, *node.args)) if id(a) not in before]
        return replace(node, args=tuple(with_label(a) if labelled else a for a, labelled in kept))

    return throughout(statements, joined)


def marked(product: Any, k: int) -> bool:
    """Whether a bare p stands between the mark of a gradient and a quantity."""
    before, here, behind = product.args[k - 1 : k + 2]
    return before == Name("d") and here == Name("p") and head_and_parts(behind) is not None


def with_label(node: Any) -> Any:
    """A quantity, as what its activation is applied to."""
    return replace(node, subs=(*node.subs, BEFORE)) if kind(node) == "Name" else replace(node, base=with_label(node.base))
