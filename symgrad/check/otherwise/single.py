r"""Outputs that are numbers: a loss ``\frac{1}{2} (\hat y - y)^2`` is of one, so its difference may stand before or behind any factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.proof import proved


def of_a_number(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where the loss is ``\frac{1}{2} (\hat y - y)^2``, of a number, and ``(\hat y - y) V^\top`` holds as ``V^\top (\hat y - y)``."""
    for page in court.pages_of(link.statement, under) if court.declared is None else ():
        if not (numbers := squared_alone(page)):
            continue
        new = {}
        for n in walk(link.right):
            at = next((i for i, a in enumerate(n.args[:-1]) if differs(page, a, numbers)), None) if kind(n) in ("Product", "Infix") else None
            if at is not None:
                new[id(n)] = replace(n, args=(*n.args[:at], *n.args[at + 1 :], n.args[at]))
        outcome = Decider(page).decide(link.left, rebuilt(link.right, new), modes=((False, False),)) if new else None
        if outcome is not None and outcome.holds:
            said = proved(court, page, outcome, link)
            names = " and ".join(page.notes.get(key, plain(key)) for key in sorted(numbers))
            return said.assuming(f"{names} is a number, as the loss has it")
    return None


def squared_alone(page: Page) -> set[str]:
    """The outputs whose difference from what is wanted the loss squares as a number: no norm, no sum over components."""
    found = set()
    for s in page.statements:
        if kind(s.node) == "Relation" and not s.derives and loss_head(s.node.sides[0]) is not None:
            powers = [n.base for n in s.nodes if kind(n) == "Power" and kind(n.exponent) == "Number" and n.exponent.text == "2"]
            found |= {key for base in powers for key in page.targets if not any(kind(n) == "Norm" for n in s.nodes) and differs(page, base, {key})}
            if any(kind(n) == "Big" and page.symbols.letter not in letters(n.index or n.lower) for n in s.nodes):
                return set()
    return found


def differs(page: Page, node: Any, outputs: set[str]) -> bool:
    """Whether a formula is the difference of an output and what is wanted."""
    whole = unwrapped(node)
    terms = [unwrapped(a.arg if kind(a) == "Negative" else a) for a in whole.args] if kind(whole) == "Sum" and len(whole.args) == 2 else []
    keys = {ref.key for a in terms if (ref := page.symbols.ref(a)) is not None and not ref.entries}
    return any(keys == {output, page.targets[output]} for output in outputs)
