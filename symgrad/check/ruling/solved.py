r"""Symbols for gradients that nothing defines, ``\delta^{out}_t``, ``\partial L/\partial h_{t1}``, as the lines in which they stand tell.

Every gradient of the cell that neither the letters of a symbol nor the words about it contradict is tried.  Where one makes two lines true, and no
other one makes a line true that this one does not, it is what the symbol means; one line is enough where letters or words name the quantity.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.adjoints import symbol_target
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.recognise import NOW, candidates, gate_of, names_it, symbol_of
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import MARKS, names_in
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.meanings import introduced
from symgrad.check.ruling.settled import equations
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.world import TOTAL
from symgrad.notation.syntax import Name, Product

LINES = 8  # that are looked at for one symbol
READINGS = 24  # of each
FEW = 2  # quantities that a symbol may be the gradient by while a line that holds of all of them tells something
PARTS = frozenset({"loss", "carry", "use"})  # tags of readings in which a gradient of the loss is not the whole one


def settle(court: Court, page: Page, link: Link) -> bool:
    """Whether a line has a symbol for a gradient that nothing defines and that the lines tell: from here on it is known."""
    for name in sorted(unknown(page, link)):
        tried = name, len(page.meanings)  # with another symbol known, the lines may tell more
        found = told(court, page, name) if tried not in court.unsolved else None
        if found is None:
            court.unsolved.add(tried)
            continue
        option, lines = found
        for p in court.pages.values():
            p.meanings.setdefault(f"? {name}", str(option.value))
            p.borne_out[name] = lines
        return True
    return False


def unknown(page: Page, link: Link) -> set[str]:
    """The names of the symbols for gradients in a line, and in what its symbols stand for, of which nothing is known."""
    memo = page.memos["unknown symbols"]
    key = link.statement.number, link.number
    if key not in memo:
        memo[key] = {s[0] for side in (link.left, link.right) for n in symbols(page, side) if nameless(page, n) and (s := symbol_of(page, n)) is not None}
    return {name for name in memo[key] if f"? {name}" not in page.meanings}


def symbols(page: Page, node: Any, within: frozenset[str] = frozenset()) -> Iterator[Any]:
    """What may be a symbol for a gradient in a formula, and in the formulas that its symbols were introduced for."""
    pairs = [pair for n in walk(node) if kind(n) == "Product" for pair in pairwise(n.args) if head_and_parts(unwrapped(pair[1])) is not None]
    marks = {id(first) for first, _ in pairs if kind(first) == "Name" and first == Name(first.base) and first.base in MARKS}
    yield from (Product(pair) for pair in pairs if id(pair[0]) in marks)
    yield from (n for n in walk(node) if kind(n) in ("Differential", "Derivative"))
    for n, _, _ in names_in(node):
        if id(n) not in marks:
            yield n
        short = introduced(page, n)
        if short is not None and short.key not in within:
            yield from symbols(page, short.node, within | {short.key})


def nameless(page: Page, node: Any) -> bool:
    """Whether nothing is known of a symbol: it names no quantity, and no line introduces it."""
    return symbol_target(page, node, {}) is None and introduced(page, node) is None


# -- what the lines tell -----------------------------------------------------------------------------------------------------------


def told(court: Court, page: Page, name: str) -> tuple[Option, int] | None:
    """The one gradient that a symbol can be, and how many lines bear it out."""
    said = page.told.get(name)
    options = candidates(page, name)
    lines = list(resting_on(court, page, name))
    found, whole = [], set[int]()
    for option in options:
        true, plainly, lines = borne_out(page, name, option, lines)
        found.append((option, true))
        whole |= {id(option)} if plainly else set()
    several = len({option.value[1] for option, true in found if true}) > FEW
    among = [true for _, true in found if true or not several]
    empty = {line for true in among for line in true if len(found) > 1 and all(line in other for other in among)}  # true of whatever it is
    held = [(option, {line[0] for line in true - empty}) for option, true in found if true - empty]
    best = max(held, key=lambda found: (len(found[1]), id(found[0]) in whole), default=None)
    if best is None or len(best[1]) < (1 if said or (names_it(page, name) and gate_of(page, best[0].value[1]) is None) else 2):
        return None  # that a symbol with the letter of a state is the gradient by its preactivation takes two lines
    rivals = [(option, true) for option, true in held if not true < best[1] and not same(page, option, best[0])]
    if id(best[0]) in whole:  # ``\partial L/\partial h_t`` beside it is no part of that gradient
        rivals = [(option, true) for option, true in rivals if true != best[1] or id(option) in whole]
    return None if rivals else (best[0], len(best[1]))


def resting_on(court: Court, page: Page, name: str) -> Iterator[Link]:
    """The lines that are open for want of a symbol, and no start of a recursion, ``\\delta_{T+1} = 0``; each once."""
    seen: list[tuple[Any, Any]] = []
    for line in equations(court):
        sides = unwrapped(line.left), unwrapped(line.right)
        if name not in unknown(page, line) or kind(sides[1]) in ("Number", "Tuple") or sides[0] == sides[1] or sides in seen:
            continue
        if len(seen) < LINES and Decider(page).decide(line.left, line.right, limit=READINGS).missing is not None:
            seen.append(sides)
            yield line


def borne_out(page: Page, name: str, option: Option, lines: list[Link]) -> tuple[set[tuple[int, int]], bool, list[Link]]:
    """Which lines hold if a symbol is that gradient, whether with all others whole; and the lines that may, as they do not lack another symbol."""
    trial = copy(page)
    trial.memos["worlds"] = page.memos["worlds"]
    trial.meanings = {**page.meanings, f"? {name}": str(option.value)}
    outcomes = [(line, Decider(trial).decide(line.left, line.right, limit=READINGS)) for line in lines]
    held = [(line, outcome) for line, outcome in outcomes if outcome.equal and not outcome.vanished and not outcome.lenient]
    parts = (outcome.chooser.tags & PARTS for _, outcome in held if outcome.chooser is not None)
    true = {(line.statement.number, line.number) for line, _ in held}
    return true, not any(parts), [line for line, outcome in outcomes if not lacks_another(page, name, outcome)]


def lacks_another(page: Page, name: str, outcome: Outcome) -> bool:
    """Whether a line has no value in any reading, for want of something else than a symbol."""
    where = outcome.missing.where if outcome.missing is not None and not outcome.typed and not outcome.misfits else None
    if where is None or isinstance(where, str):
        return False
    found = symbol_of(page, where)
    return found is None or found[0] != name


def same(page: Page, one: Option, other: Option) -> bool:
    """Whether two gradients have the same values at every step."""
    values = [[gradient(page, option, step) for step in range(2, page.world.steps + 1)] for option in (one, other)]
    return all(a.shape == b.shape and np.array_equal(a, b) for a, b in zip(*values, strict=True))


def gradient(page: Page, option: Option, step: int) -> Any:
    """A gradient at a step."""
    how, key, back = option.value
    world = page.world
    losses = (page.loss_at or world.steps,) if page.many_to_one else tuple(range(1, world.steps + 1))
    at = step - back if key in page.symbols.timed or key in world.model.hidden else None
    return world.adjoint((key, at), (step,) if how == NOW else losses, TOTAL if how == NOW else how, step)
