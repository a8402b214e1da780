"""What is wrong, and the smallest change that makes it right (first version: nothing found)."""

from __future__ import annotations

from typing import Any

from symgrad.check.page import Page
from symgrad.check.symbols import letters, kind


def indices_of(page: Page, parts: tuple[Any, ...]) -> tuple[list[Any], list[Any], list[Any]]:
    """The indices on a new symbol: labels, steps, components."""
    labels, slots, entries = [], [], []
    for p in parts:
        found = set(letters(p.node))
        if p.where == "bracket":
            entries.append(p)
        elif found & {page.symbols.letter, "t", "k", "s", "T", "tau", "n"} and len(found) <= 2 or p.where == "paren":
            slots.append(p)
        elif kind(p.node) == "Name" and p.node.base in "ijpqm" and slots:
            entries.append(p)
        else:
            labels.append(p)
    return labels, slots, entries


def repair(page: Page, outcome: Any, link: Any, deadline: float) -> Any:
    return None
