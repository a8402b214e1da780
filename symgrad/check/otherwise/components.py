r"""Indices of components that one part of a line leaves out, or the step beside them.

``\partial \hat y_i/\partial o_j = \hat y_i (\delta_{ij} - \hat y_j)`` is of one step, ``\partial L_t/\partial z_t = \hat y_{t,i} - y_{t,i}`` of one entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider
from symgrad.check.evaluation.instances import Indices
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.relations import STEPS
from symgrad.check.reading.statements import Statement, loss_head, without_index
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped, walk, with_children
from symgrad.check.ruling.failure import failed
from symgrad.check.ruling.proof import proved
from symgrad.notation.syntax import Index, Name

BATCH = re.compile(r"batch|\bexamples?\b|\bsamples?\b|批|样本|樣本|バッチ|배치|\blote\b|батч|пакет", re.IGNORECASE)
OF_STEPS = (STEPS - {*"ijklmn"}) | {"T"}  # letters that count no components


def by_components(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """The judgement by components, where a line about a softmax holds of these, or derives one of them by another."""
    for page in court.pages_of(link.statement, under):
        keys = softened(page)
        sides = [rebuilt(unwrapped(side), new) for side in (link.left, link.right) if (new := indexed(page, side, keys)) is not None]
        if len(sides) < 2 or sides == [link.left, link.right]:
            continue
        outcome = Decider(page).decide(*sides)
        names = " and ".join(page.notes.get(key, plain(key)) for key in sorted(outcome.used & keys))
        told = names and not outcome.vanished and outcome.missing is None
        if told and (outcome.equal or any(coupled(n) for n in walk(link.left))):
            components = replace(link, left=sides[0], right=sides[1])
            said = proved(court, page, outcome, components) if outcome.equal else failed(court, as_written(page), outcome, components)
            return said.assuming(f"the indices of {names} count components of one step")
    return None


def by_an_entry(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where the entries on the right are those of the gradient of a loss on the left, which leaves their index out."""
    left = unwrapped(link.left)
    derives = any(kind(n) == "Derivative" and loss_head(n.of) is not None for n in walk(left))
    for page in court.pages_of(link.statement, under) if derives else ():
        found, own = Indices(page, page.world), Indices(page, page.world)
        found.read(link.right)
        own.read(left)
        for letter in found.entries if len(found.entries) == 1 and not own.entries else ():
            entry = replace(link, left=Index(left, (Name(letter),), "_", span=left.span))
            outcome = Decider(page).decide(entry.left, entry.right)
            if outcome.holds:
                return proved(court, page, outcome, entry).assuming(f"the left side is meant by its entry {letter}")
    return None


def over_examples(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""``\sum_i \delta_{t,i}`` where vectors are rows: i may count those of a batch, its examples, of each of which the line is one."""
    for page in court.pages_of(link.statement, under):
        found = [n for n in walk(link.right) if kind(n) == "Big" and n.kind == "sum" and n.index is not None] if page.world.model.orient < 0 else []
        for big in found:
            letter = spelled(big.index)
            body = without_index(big.body, letter) if letter != page.symbols.letter else big.body
            outcome = Decider(page).decide(link.left, rebuilt(link.right, {id(big): body})) if body != big.body else None
            if outcome is None or not outcome.holds:
                continue
            if not (BATCH.search(court.text) or any(piled_up(page, s) for s in court.statements)):
                return ambiguous(f"this holds only if {letter} counts the examples of a batch")
            return proved(court, page, outcome, link).assuming(f"{letter} counts the examples of a batch, of each of which this is a sum")
    return None


def piled_up(page: Page, s: Statement) -> bool:
    r"""Whether a shape is declared of two sizes for what is a vector of the cell, ``x_t \in \mathbb{R}^{N \times m}``."""
    if kind(s.node) != "Relation" or "in" not in s.node.signs:
        return False
    powers = [unwrapped(n.exponent) for n in walk(s.node.sides[-1]) if kind(n) == "Power"]
    refs = [page.symbols.ref(n) for side in s.node.sides[:-1] for n in walk(side)]
    return any(kind(e) in ("Product", "Infix") and len(e.args) == 2 for e in powers) and any(r is not None and page.symbols.ranks[r.key] == 1 for r in refs)


def as_written(page: Page) -> Page:
    """The page that writes in its messages an output with an index as the document does: without the step."""
    step = Name(page.symbols.letter)

    def restored(n: Any) -> Any:
        inner = {id(c): restored(c) for c in children(n)}
        bare = kind(n) == "Name" and len(n.subs) == 2 and n.subs[0] == step
        return replace(n, subs=n.subs[1:]) if bare else with_children(n, inner)

    out = copy(page)
    out.write = lambda node: page.write(restored(node))
    return out


def coupled(n: Any) -> bool:
    r"""Whether something with an index is derived by something with another one, which as a step would lead nowhere: ``\partial \hat y_i/\partial o_j``."""
    names = [unwrapped(n.of), unwrapped(n.wrt)] if kind(n) == "Derivative" else []
    indices = [name.subs for name in names if kind(name) == "Name" and len(name.subs) == 1]
    return len(indices) == 2 and all(kind(own[0]) == "Name" for own in indices) and indices[0] != indices[1]


def softened(page: Page) -> set[str]:
    """The outputs that are a softmax, what it is applied to and what is wanted of them."""
    found = set[str]()
    for key, d in page.definitions.items():
        node: Any = unwrapped(d.node)
        if kind(node) == "Apply" and spelled(node.function) in ("softmax", "Softmax") and len(node.args) == 1:
            inside = page.symbols.ref(unwrapped(node.args[0]))
            found |= {key, *([page.targets[key]] if key in page.targets else []), *([inside.key] if inside is not None else [])}
    return found


def indexed(page: Page, side: Any, keys: set[str]) -> dict[int, Any] | None:
    """The names of a side with the step that they leave out; None, if it names a step, or another quantity of the cell."""
    out = {}
    for n in walk(side):
        ref = page.symbols.ref(n) if kind(n) == "Name" else None
        if ref is None or ref.key not in page.symbols.timed:
            continue
        if ref.key not in keys or ref.entries or kind(ref.step) != "Name" or spelled(ref.step) in OF_STEPS | {page.symbols.letter} or len(n.subs) != 1:
            return None
        out[id(n)] = replace(n, subs=(Name(page.symbols.letter), *n.subs))
    return out
