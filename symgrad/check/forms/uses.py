r"""Parts of a gradient behind a bar: ``(\frac{\partial L}{\partial W})^{(t)}``, ``…|_{\text{step } t}`` for ``…|_t``, what step t adds to it;
``\nabla_{h_t}^{\text{future}} L``, ``\nabla_{c_t}^{\text{from } m_t} L``, what comes through the next step, or through m_t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import (
    DEFINING,
    THROUGH,
    Statement,
    exchanged,
    letter_of,
    loss_head,
    names_in,
    relation_of,
    step_part,
    throughout,
)
from symgrad.check.reading.symbols import head_and_parts, key_of, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Given, Name, Paren, Power
from symgrad.notation.table import SYMBOLS

WORDS = frozenset({"step", "time", "timestep", "time step", "time-step", "at", "at step", "at time", "at timestep", "at time step"})


def behind_bars(statements: list[Statement]) -> list[Statement]:
    """The statements with such parts by a bar and the step."""
    letter, weights = letter_of(statements), weights_of(statements)
    statements = shared(statements, letter, weights)
    found: list[dict[int, Any]] = [dict(copies(s, weights)) for s in statements]
    copied = {n.base.base for new in found for n in new.values() if n.base == Name(n.base.base)}
    numbered = [dict(at_numbers(s, copied)) for s in statements] if copied else found
    return throughout([exchanged(s, by_number | new) for s, new, by_number in zip(statements, found, numbered, strict=True)], lambda n: barred(n, letter))


def copies(s: Statement, weights: set[str | None]) -> Iterator[tuple[int, Power]]:
    r"""``\frac{\partial E}{\partial W} = \sum_k \frac{\partial E}{\partial W_k}``: a copy of the weight for each step, ``W^{(k)}``, no row of it.

    So too where k counts steps beside it, ``\frac{\partial E}{\partial W_k} = \delta_k h_{k-1}^\top``.
    """
    derivatives = [n for n in s.nodes if kind(n) == "Derivative"]
    whole = {key_of(head, list(parts)) for n in derivatives if (split := head_and_parts(unwrapped(n.wrt))) is not None for head, parts in [split]}
    summed = {id(unwrapped(n.body)): spelled(n.index) for n in s.nodes if kind(n) == "Big" and n.kind == "sum" and n.index is not None}
    counted = {w for _, _, parts in names_in(s.node) for p in parts if kind(p.node) == "Sum" for w in letters(p.node)}
    for n in derivatives:
        head, parts = head_and_parts(unwrapped(n.wrt)) or (None, ())
        if head is None or not parts or kind(parts[-1].node) != "Name":
            continue
        index, key = spelled(parts[-1].node), key_of(head, list(parts[:-1]))
        copied = (key in whole and summed.get(id(n)) == index) or (key in weights and index in counted and key_of(head, list(parts)) not in weights)
        if copied:
            labels = tuple(p.node for p in parts[:-1])
            yield id(n.wrt), Power(Name(head.base, head.accents, labels), Paren(parts[-1].node, "("), span=n.wrt.span)


def at_numbers(s: Statement, copied: set[str]) -> Iterator[tuple[int, Any]]:
    r"""``w_1 \frac{\partial L}{\partial w_0}`` where some line sums ``\sum_t \frac{\partial L}{\partial w_t}``: w, and its copy for the step 0."""
    by = {id(n.wrt) for n in s.nodes if kind(n) == "Derivative"}
    for n, head, parts in names_in(s.node):
        if head == Name(head.base) and head.base in copied and len(parts) == 1 and parts[0].where == "sub" and kind(parts[0].node) == "Number":
            yield id(n), Power(Name(head.base), Paren(parts[0].node, "("), span=n.span) if id(n) in by else Name(head.base, span=n.span)


def shared(statements: list[Statement], letter: str, weights: set[str | None]) -> list[Statement]:
    r"""``h_t = \tanh(W^{(t)} h_{t-1} + \ldots)`` beside ``\frac{\partial L}{\partial W}``: a copy of W at every step, all alike."""
    wrt = {id(n.wrt): unwrapped(n.wrt) for s in statements for n in s.nodes if kind(n) == "Derivative"}
    whole = {n.base for n in wrt.values() if kind(n) == "Name" and n == Name(n.base) and n.base.isupper()}
    given = [(head_and_parts(unwrapped(s.node.sides[0])), unwrapped(s.node.sides[1])) for s in statements if relation_of(s.node) is not None]
    whole -= {split[0].base for split, value in given if split is not None and value != Name(split[0].base)}
    new: dict[int, Any] = {}
    for s in statements if whole else ():
        for n, head, parts in names_in(s.node):
            step = step_part(parts, letter) if head.base in whole and len(parts) == 1 else None
            if step is None or (key := key_of(head, list(parts))) is None or key not in weights:  # ``W^{T-t}`` is a power
                continue
            new[id(n)] = Power(Name(head.base), Paren(step.node, "("), span=n.span) if id(n) in wrt else Name(head.base, span=n.span)
    return [exchanged(s, new) for s in statements] if new else statements


def weights_of(statements: list[Statement]) -> set[str | None]:
    """What the equations of the document name, with all indices."""
    equations = [s.node for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    return {key_of(head, list(parts)) for node in equations for _, head, parts in names_in(node)}


def barred(node: Any, letter: str) -> Any:
    """A part of a gradient by a bar and the step, or the word for it; None for anything else."""
    if kind(node) == "Given" and len(node.conditions) == 1 and kind(unwrapped(node.conditions[0])) == "Product":
        *words, step = unwrapped(node.conditions[0]).args
        said = all(kind(w) == "Name" and w.base in WORDS for w in words)
        return replace(node, conditions=(step,)) if said and by_a_parameter(node.node, letter) else None
    if kind(node) == "Power" and kind(node.exponent) == "Paren" and by_a_parameter(node.base, letter) and counts(node.exponent, letter):
        return Given(unwrapped(node.base), (unwrapped(node.exponent),), span=node.span)
    if kind(node) == "Power" and of_a_loss(node.base) and worded(unwrapped(node.exponent)):
        return Given(unwrapped(node.base), (unwrapped(node.exponent),), span=node.span)
    if kind(node) == "Index" and node.kind == "_" and len(node.parts) == 1 and by_a_parameter(node.base, letter) and counts(node.parts[0], "t"):
        return Given(unwrapped(node.base), (unwrapped(node.parts[0]),), span=node.span)
    return None


def counts(step: Any, letter: str) -> bool:
    """Whether an index is a step."""
    return letter in letters(step) or "t" in letters(step)


def worded(mark: Any) -> bool:
    """Whether a superscript tells a part of a gradient, ``\\text{future}``, ``\\text{from } m_t``."""
    if kind(mark) == "Product":
        return spelled(mark.args[0]) in THROUGH
    return kind(mark) == "Name" and len(mark.base) > 1 and mark.base.isalpha() and mark.base not in SYMBOLS


def of_a_loss(node: Any) -> bool:
    """Whether this is the gradient of a loss."""
    node = unwrapped(node)
    return kind(node) == "Derivative" and loss_head(node.of) is not None


def by_a_parameter(node: Any, letter: str) -> bool:
    """Whether this is the gradient of a loss by what has no step."""
    node = unwrapped(node)
    split = head_and_parts(unwrapped(node.wrt)) if kind(node) == "Derivative" and loss_head(node.of) is not None else None
    return split is not None and step_part(split[1], letter) is None
