r"""The search for a slip: every edit of a claim in one reading after the other, as few of them one by one as possible.

Edits that differ in one place alone are evaluated together (`variants`), and what fails in one reading fails in every other that answers
the same questions alike.  Both only tell what does not make a claim true; what does is decided by itself, at every instance.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.evaluation.variants import Apart, implicit, surroundings
from symgrad.check.reading.statements import names_in
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import Variants, children, kind, rebuilt, unwrapped, walk
from symgrad.check.slips.omissions import Edit
from symgrad.check.worlds.field import Redraw
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.world import Missing, Unsupported
from symgrad.notation.syntax import Number

MOST = 4000  # edits
FIRST, MANY = 24, 1000  # of them at a time: the likely ones one by one, then many at once
Reading: TypeAlias = tuple[Chooser, bool, bool]  # the answers; whether numbers stand for vectors; whether rows and columns are mixed
ZERO = Number("0")
LESS = frozenset({"extra-term", "missing-term", "wrong-coefficient"})  # slips whose repair may leave nothing of a term


@dataclass(slots=True, eq=False)
class Failure:
    """A reading that does not make a claim true: all that counts of it, and of which other ones this is known."""

    flat: bool
    lenient: bool
    asked: frozenset[Hashable]
    departing: frozenset[tuple[Hashable, int]]  # what was not answered as usual
    known: dict[int, tuple[Reading, bool]] = field(default_factory=dict)

    def covers(self, reading: Reading) -> bool:
        """Whether it is one in another reading too, which answers the same questions alike."""
        if id(reading) not in self.known:
            departures = reading[0].departures
            same = (self.flat, self.lenient) == reading[1:] and self.departing <= departures
            self.known[id(reading)] = reading, same and all(d in self.departing for d in departures if d[0] in self.asked)
        return self.known[id(reading)][1]


@dataclass
class Batch:
    """Some edits; which of them differ in one place alone, by number; how each has failed."""

    edits: list[Edit]
    families: list[list[int]]
    failures: list[list[Failure]] = field(init=False)
    together: dict[tuple[int, ...], Any] = field(default_factory=dict)  # the formula with all variants of some edits in their place

    def __post_init__(self) -> None:
        self.failures = [[] for _ in self.edits]

    def varied(self, family: tuple[int, ...]) -> Any:
        """The formula with the variants of a family, the same one in every reading, so that its values are remembered."""
        if family not in self.together:
            first = self.edits[family[0]]
            self.together[family] = rebuilt(first.tree, {id(first.place): Variants(tuple(self.edits[k].place for k in family))})
        return self.together[family]


def circular(tree: Any, left: Any, right: Any, old: frozenset[int]) -> bool:
    r"""Whether an edit brings in what is to be computed, or ``\partial h_t/\partial h_t``: it would make anything true.

    `old` are the parts of the right side.
    """
    whole = unwrapped(left)

    def trivial(n: Any) -> bool:
        return kind(n) == "Derivative" and (n == whole or unwrapped(n.of) == unwrapped(n.wrt))

    if kind(whole) != "Derivative" or not any(map(trivial, fresh(tree, old))):
        return False
    new = [n for n in walk(tree) if trivial(n)]
    return not any(n in new for n in walk(right) if kind(n) == "Derivative")


def fresh(tree: Any, old: frozenset[int]) -> Iterator[Any]:
    """The parts of an edited formula that are not those of another one."""
    if id(tree) not in old:
        yield tree
        for child in children(tree):
            yield from fresh(child, old)


class Search:
    """The edits of the right side of a claim, and what is known of them."""

    def __init__(self, page: Page, link: Any, edits: Iterator[Edit], runs: int) -> None:
        self.left, self.right, self.runs = link.left, link.right, runs
        old = frozenset(map(id, walk(self.right)))
        self.stream = itertools.islice((e for e in edits if not circular(e.tree, self.left, self.right, old)), MOST)
        self.made: list[Batch] = []
        self.decider, self.anew = Decider(page), Decider(page)
        self.decider.remember(self.left, self.right)
        self.anew.remember(self.left, self.right, alike=False)

    @property
    def spent(self) -> bool:
        """Whether as many evaluations were made as one diagnosis may take: a number, so that what is found does not depend on the machine."""
        return self.decider.runs + self.anew.runs > self.runs

    def batches(self) -> Iterator[Batch]:
        """All edits, likely ones first; they are made once."""
        yield from self.made
        while edits := list(itertools.islice(self.stream, MANY if self.made else FIRST)):
            self.made.append(Batch(edits, self.families(edits) if self.made else []))
            yield self.made[-1]

    def families(self, edits: list[Edit]) -> list[list[int]]:
        """The edits that differ in one place alone."""
        found: dict[Hashable, list[int]] = {}
        if implicit(self.right):
            return []
        for k, edit in enumerate(edits):
            place = edit.place
            if place is None or id(place) in self.decider.known:
                continue
            around = surroundings(self.decider.page, edit.tree, place, self.decider.known)
            if around is not None:
                found.setdefault(around, []).append(k)
                self.decider.keep(place)
        return [family for family in found.values() if len(family) > 1]

    def sift(self, batch: Batch, reading: Reading) -> None:
        """Find out which edits of a batch fail in a reading, as far as families tell."""
        waiting = list(batch.families)
        while waiting and not self.spent:
            family = [k for k in waiting.pop() if not any(f.covers(reading) for f in batch.failures[k])]
            if len(family) < 2:
                continue
            tree = batch.varied(tuple(family))
            self.decider.keep(tree)
            chooser = Chooser(reading[0].fixed)
            try:
                differ = self.decider.differing(self.left, tree, len(family), chooser, *reading[1:])
            except Apart as e:
                waiting += [[family[k] for k in part] for part in e.together]
                for k in e.valueless:
                    batch.failures[family[k]].append(failed(chooser, reading))
                continue
            failure = failed(chooser, reading)
            for k, no in zip(family, differ or (), strict=False):
                if no:
                    batch.failures[k].append(failure)

    def holds(self, batch: Batch, number: int, reading: Reading) -> bool:
        """Whether an edit makes the claim true in a reading."""
        for failure in batch.failures[number]:
            if failure.covers(reading):
                return False
        chooser = Chooser(reading[0].fixed)
        if batch.failures[number]:  # it is tried in one reading after the other
            self.decider.keep(batch.edits[number].tree)
        decider = self.anew if self.at_fewer_steps(batch.edits[number].tree) else self.decider
        try:
            tried = decider.once(self.left, batch.edits[number].tree, chooser, *reading[1:], set())
        except (Missing, Unsupported, Redraw, RecursionError, ValueError, IndexError, KeyError, AttributeError, TypeError):
            tried = None
        edit = batch.edits[number]
        partial = edit.code in LESS and "carry" in chooser.tags  # what comes through the next step has fewer terms anyway
        if tried is not None and tried.state == "equal" and not (chooser.weak or tried.vanished or tried.nothing or partial or self.empties(edit, reading)):
            return True
        batch.failures[number].append(failed(chooser, reading))
        return False

    def at_fewer_steps(self, tree: Any) -> bool:
        r"""Whether an edit leaves a letter for a step as the end of a sum alone, ``\sum_{k=1}^t``, where it may be the last one."""
        return bool(self.ends) and not self.ends <= named(tree)

    @cached_property
    def ends(self) -> set[str]:
        """The letters in the indices of the right side that sums end at."""
        return named(self.right) & {w for n in walk(self.right) if kind(n) == "Big" and n.upper is not None for w in letters(n.upper)}

    def empties(self, edit: Edit, reading: Reading) -> bool:
        """Whether an added term is all that is left in a reading: what stood there before is zero in it."""
        if edit.code != "missing-term" or kind(unwrapped(self.right)) == "Number":
            return False
        try:
            return self.decider.once(self.right, ZERO, Chooser(reading[0].fixed), *reading[1:], set()).state == "equal"
        except (Missing, Unsupported, Redraw):
            return False

    def composes(self, edit: Edit) -> bool:
        """Whether an edit makes the claim true in any reading, where the claim as it stands has no values."""
        return self.anew.decide(self.left, edit.tree, limit=64, modes=((False, False), (False, True))).equal


def named(node: Any) -> set[str]:
    """The letters in the indices of names."""
    return {w for _, _, parts in names_in(node) for p in parts for w in letters(p.node)}


def failed(chooser: Chooser, reading: Reading) -> Failure:
    """A reading that does not make a claim true: all that counts of it."""
    departing = frozenset([d for d in reading[0].departures if d[0] in chooser.asked])
    return Failure(reading[1], reading[2], frozenset(chooser.asked), departing)
