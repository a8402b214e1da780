r"""Outputs and what is wanted of them: which of two letters that a loss holds against each other the cell gives, and hats that are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.defined.page import Definition, Page
from symgrad.check.reading.statements import Statement, names_in, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, key_of, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk

OUTPUTS = frozenset({"softmax", "Softmax", "sigma", "sigmoid", "g"})  # functions that give what a loss is held against


def wanted(page: Page, key: str, definitions: dict[str, Definition], statements: list[Statement]) -> bool:
    r"""Whether y is what is wanted, though the document gives it as an output too.

    So beside ``y_t = V h_t``, where it says ``\hat y_t = \operatorname{softmax}(V h_t)`` and ``\hat y_t - y_t``.
    """
    d, hatted = definitions[key], definitions.get(f"{key}~hat")
    if hatted is None:
        return False
    node: Any = unwrapped(hatted.node)
    if kind(node) != "Apply" or len(node.args) != 1 or (d.letter, d.shift) != (hatted.letter, hatted.shift):
        return False
    inside = page.canon(node.args[0])
    alike = {page.canon(e.side): page.canon(e.node) for e in definitions.values() if e.side is not None and e is not d}  # ``o_t = V h_t``
    return page.canon(d.node) in (inside, alike.get(inside)) and subtracted(page, hatted.side, d.side, statements)


def differentiated(key: str, d: Definition, definitions: dict[str, Definition]) -> bool:
    """Whether ``c'_t = f'_t c_{t-1} + i'_t`` is the derivative, by anything, of equations that are there without primes."""
    primed = {str(spelled(head)) for _, head, _ in names_in(d.node) if head.primes} - {key}
    return "'" in key and key.replace("'", "") in definitions and any(word.replace("'", "") in definitions for word in primed)


def hatless(page: Page, d: Definition, definitions: dict[str, Definition], statements: list[Statement]) -> Definition | None:
    r"""The definition of ``\hat y_t``, where ``y_t = \operatorname{softmax}(V h_t)`` is said and ``\hat y_t - y_t`` is written."""
    node: Any = unwrapped(d.node)
    side: Any = unwrapped(d.side)
    if kind(node) != "Apply" or spelled(node.function) not in OUTPUTS or kind(side) != "Name" or side.accents or f"{d.key}~hat" in definitions:
        return None
    hatted = replace(side, accents=("hat",))
    named = any(page.canon(n) == page.canon(side) for e in definitions.values() for n in walk(e.node))
    named = named or any(kind(n) == "Apply" and spelled(n.function) in ("log", "ln") and page.canon(n.args[0]) == page.canon(side)
                         for s in statements for n in s.nodes)  # a loss that takes it for the output  # fmt: skip
    return replace(d, key=f"{d.key}~hat", side=hatted) if not named and subtracted(page, hatted, side, statements) else None


def without_hat(page: Page, d: Definition, definitions: dict[str, Definition], statements: list[Statement], letter: str) -> Definition | None:
    r"""``y_t = \hat y_t``, where only ``\hat y_t`` has an equation and ``\partial y_t / \partial h_t`` is written."""
    side: Any = unwrapped(d.side)
    if kind(side) != "Name" or side.accents != ("hat",) or (key := d.key.removesuffix("~hat")) in definitions:
        return None
    bare = replace(side, accents=())
    states = {without_step(head, parts, letter) for _, head, parts in names_in(d.node)} & definitions.keys()
    derived_by = {(page.canon(n.of), without_step(*split, letter)) for s in statements for n in s.nodes
                  if kind(n) == "Derivative" and (split := head_and_parts(unwrapped(n.wrt))) is not None}  # fmt: skip
    named = any((page.canon(bare), state) in derived_by for state in states)
    return replace(d, key=key, node=side, side=bare) if named and not subtracted(page, side, bare, statements) else None


def without_step(head: Any, parts: tuple[Part, ...], letter: str) -> str | None:
    """The key of a name without its step."""
    return key_of(head, [p for p in parts if step_part((p,), letter) is None])


def subtracted(page: Page, hatted: Any, bare: Any, statements: list[Statement]) -> bool:
    r"""Whether the document writes ``\hat y_t - y_t``, at whatever step."""
    sides = [spelled(replace(n, subs=())) for n in (hatted, bare)]
    differences = (n for s in statements for n in s.nodes if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative")
    heads = ([head_and_parts(unwrapped(a)) for a in (n.args[0], n.args[1].arg)] for n in differences)
    return any([spelled(split[0]) if split is not None else None for split in found] == sides for found in heads)
