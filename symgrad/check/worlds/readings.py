r"""Readings: every choice that a formula leaves open, tried in order of likelihood.

The interpreter asks `Chooser.choose` where a sign or a symbol can mean several things; equal keys get equal answers, so a reading is
consistent within a claim.  `explore` runs the interpreter again and again, cheapest combination of choices first.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

LIMIT = 96  # combinations tried for one claim


@dataclass(slots=True)  # not frozen: many are made
class Option:
    """One meaning: what it costs in likelihood, what the interpreter is given, what the report says if it was needed.

    `weak` marks a meaning in which a claim may hold without being true of the cell (a gate held fixed that the text does not mention).
    """

    cost: int
    value: Any
    note: str = ""
    weak: bool = False
    tag: str = ""


class Chooser:
    """The answers given so far, and the questions that were asked."""

    def __init__(self, fixed: dict[Hashable, int] | None = None) -> None:
        self.fixed = fixed or {}
        self.asked: dict[Hashable, tuple[Option, ...]] = {}
        self.log: list[tuple[Hashable, tuple[Option, ...]]] = []  # every question in turn, for those who remember values

    def choose(self, key: Hashable, options: tuple[Option, ...]) -> Any:
        """The chosen meaning; options run from likely to unlikely."""
        if len(options) == 1 and not options[0].note:
            return options[0].value
        known = self.asked.setdefault(key, options)
        self.log.append((key, options))
        at = self.fixed.get(key, 0)
        return (known if at < len(known) else options)[min(at, len(known) - 1)].value

    def repeat(self, questions: tuple[tuple[Hashable, tuple[Option, ...]], ...]) -> None:
        """Ask again what was asked for a value that is remembered."""
        for key, options in questions:
            self.asked.setdefault(key, options)
        self.log += questions

    @cached_property
    def departures(self) -> frozenset[tuple[Hashable, int]]:
        """The answers that are not the likeliest ones."""
        return frozenset((key, answer) for key, answer in self.fixed.items() if answer)

    @property
    def chosen(self) -> list[tuple[Hashable, Option]]:
        return [(k, o[min(self.fixed.get(k, 0), len(o) - 1)]) for k, o in self.asked.items()]

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be assumed for this reading."""
        return tuple(dict.fromkeys(o.note for _, o in self.chosen if o.note))

    @property
    def weak(self) -> bool:
        return any(o.weak for _, o in self.chosen)

    @property
    def tags(self) -> set[str]:
        return {o.tag for _, o in self.chosen if o.tag}


@dataclass
class Exploration:
    """Whether all combinations were tried."""

    tried: int = 0
    complete: bool = True
    choosers: list[Chooser] = field(default_factory=list)


def explore(run: Callable[[Chooser], Any], exploration: Exploration, limit: int = LIMIT, most: int = 99) -> Iterator[tuple[Chooser, Any]]:
    """What `run` gives in every reading, cheapest first.

    A result whose `asked` names some of the questions is the same in every reading that answers those alike: such readings are not tried.
    """
    counter = itertools.count()
    heap: list[tuple[int, int, dict[Hashable, int]]] = [(0, next(counter), {})]
    while heap:
        cost, _, fixed = heapq.heappop(heap)
        if exploration.tried >= limit:
            exploration.complete = False
            return
        exploration.tried += 1
        chooser = Chooser(fixed)
        result = run(chooser)
        yield chooser, result
        settled, blamed = dict(fixed), getattr(result, "asked", None)
        for key, options in chooser.asked.items():
            if key in fixed or (blamed is not None and key not in blamed):
                continue
            base = options[0].cost
            for k in range(1, len(options)):
                price = cost + options[k].cost - base
                if price <= most:
                    heapq.heappush(heap, (price, next(counter), {**settled, key: k}))
            settled[key] = 0
