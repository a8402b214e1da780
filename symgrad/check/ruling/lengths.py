"""How long a sequence a proof speaks of: what holds at the number of steps that was tried need not hold at another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from typing import Any

from symgrad.check.court.court import Court, length
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.everystep import counts_components
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import LOSSES, MARKS, bound_letters, names_in
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk

STEPS = re.compile(  # "4 time steps", "a sequence of length 4", "4 个时间步"
    r"\b(\d)\s+(?:time[- ]?)?(?:steps?|timesteps|pasos|passos|passi|étapes|pas de temps|(?:Zeit)?schritten?|шаг\w*)\b"
    r"|\b(?:length|longitud|longueur|Länge|comprimento|lunghezza|длин\w+)\s*(?:of|is|de|di|=|:)?\s*\$?(\d)\b"
    r"|(\d)\s*(?:个|個)?\s*(?:时间步|時間步|时刻|タイムステップ|ステップ|단계|스텝|시점)",
    re.IGNORECASE,
)
PART = re.compile(  # "truncated after 4 steps" says nothing of the whole
    r"truncat|tronqu|trunca|abgeschnitt|window|ventana|fenêtre|janela|Fenster|last|past|previous|every|after|back|next|within|усеч|окн|截断|截斷|窗口|打ち切",
    re.IGNORECASE,
)
CUT = re.compile(r"truncat|tronqu|trunca|abgeschnitt|усеч|截断|截斷|打ち切", re.IGNORECASE)
BEFORE = 48  # characters before a number in which such a word may stand
FARTHEST = 12  # steps that a number may be back for a sequence to be tried that is longer
LAST = frozenset({"T", "tau"})  # letters for the last step


def too_short(court: Court, page: Page, outcome: Outcome, link: Link) -> bool:
    r"""Whether a line with a number in it, ``\sum_{t=1}^4``, ``W^3``, ``\frac14``, holds of the sequences that were tried and fails of a longer one."""
    found = set(numbers(page, link))
    if not found or court.program:
        return False
    if max(found) > FARTHEST:
        return True
    longer = copy(page)
    longer.steps = max(page.steps, *found) + 2
    longer.memos["worlds"] = page.memos[f"worlds of {longer.steps} steps"]
    assert outcome.chooser is not None
    for side in (link.left, *link.earlier):
        state, later = (Decider(p).in_reading(side, link.right, outcome.chooser.fixed, outcome.mode) for p in (page, longer))
        if state in ("equal", "last"):
            return later != state
    return False


def numbers(page: Page, link: Link) -> Iterator[int]:
    """The numbers in a line, or in what it is put together from, that may tell how many steps there are: not the 2 of a square or of a slope."""
    for node in (link.left, link.right, *taken_in(page, link)):
        named = {id(inner) for n, _, _ in names_in(node) for inner in walk(n)}
        steps = steps_in(page, node)
        steps += [end for n in walk(node) if kind(n) == "Big" and not counts_components(page, n) for end in (n.lower, n.upper) if end is not None]
        steps += [n.exponent for n in walk(node) if kind(n) == "Power" and (page.ranked(n.base) == 2 or letters(n.exponent))]
        inside = {id(inner) for step in steps for inner in walk(step)}
        yield from (many for n in walk(node) if kind(n) == "Product" and (many := max(map(n.args.count, n.args))) > 2)
        for n in walk(node):
            if kind(n) != "Number" or not n.text.isdigit() or len(n.text) > 3:
                continue
            counts = id(n) in inside or (id(n) not in named and int(n.text) <= page.steps + 1)
            if counts and int(n.text) > (1 if id(n) in inside or page.loss_weight is not None else 2):
                yield int(n.text)


def steps_in(page: Page, node: Any) -> list[Any]:
    """The indices in a formula that tell a step: those of quantities of the cell, of losses and of symbols for gradients."""
    out = []
    for n, head, parts in names_in(node):
        ref = page.symbols.ref(n)
        if ref is not None:
            out += [ref.step] if ref.step is not None else []
        elif head.base in LOSSES | MARKS or spelled(head) in page.abbreviations:
            out += [p.node for p in parts]
    return out


def taken_in(page: Page, link: Link) -> Iterator[Any]:
    """What the symbols in a line were introduced for."""
    words = {spelled(head) for side in (link.left, link.right) for _, head, _ in names_in(side)}
    yield from (short.node for key, short in page.abbreviations.items() if key in words)
    yield from (d.node for key, d in page.definitions.items() if key in words and key not in page.lagged)


def fixed(court: Court, page: Page) -> bool:
    """Whether the document itself says that there are as many steps as were tried.

    It may say ``T = 4``, give a loss that is a sum of so many, or quantities step by step, or end all its sums there, those of several gradients.
    """
    sums = ((s, n) for s in court.statements if s.derives for n in s.nodes if kind(n) == "Big" and n.upper is not None)
    bounded = [(s, n.upper) for s, n in sums if not counts_components(page, n)]
    lefts = [unwrapped(s.node.sides[0]) for s, _ in bounded if kind(s.node) == "Relation"]
    by = [left.wrt for left in lefts if kind(left) == "Derivative"]
    if any(w != by[0] for w in by) and {number_at(end, {}) for _, end in bounded} == {page.steps} and CUT.search(court.words) is None:
        return True
    said = [s for s in court.statements if not s.derives]
    if page.steps in {length(s) for s in said} or court.listed == page.steps or any(s.last is not None for s in court.statements):
        return True
    if any(told_in_words(s.fragment.before, page.steps) for s in court.statements if s.fragment is not None):
        return True
    relations = [(unwrapped(s.node.sides[0]), unwrapped(s.node.sides[1])) for s in said if kind(s.node) == "Relation"]
    refs = (page.symbols.ref(left) for left, right in relations if kind(right) != "Number")
    steps = {number_at(r.step, {}) for r in refs if r is not None and r.step is not None}
    steps |= {number_at(a, {}) for left, right in relations if spelled(left) == page.symbols.letter for a in (right, *children(right))}
    return page.steps in steps and "T" not in ends_named(page)


def told_in_words(text: str, steps: int) -> bool:
    """Whether words say that a sequence has so many steps, and not that a part of it has."""
    found = (m for m in STEPS.finditer(text) if int(m[1] or m[2] or m[3]) == steps)
    return any(PART.search(text, max(0, m.start() - BEFORE), m.start()) is None for m in found)


def beside_the_last(page: Page, outcome: Outcome, link: Link) -> str:
    r"""The letter that a proof takes for the last step though another one is named: ``\sum_{k=t-\tau}^t``, ``L^{(t)}`` beside ``o^{(T)}``; else empty."""
    sides = (link.left, link.right)
    sums = [n for side in sides for n in walk(side) if kind(n) == "Big" and over_steps(page, n)]
    named = {w for side in sides for step in steps_in(page, side) for w in letters(step)}
    ends = {w for n in sums for end in (n.lower, n.upper) if end is not None for w in letters(end)}
    free = (named | ends) - bound_letters(link.left) - bound_letters(link.right)
    if outcome.last_only and len(free & {*LAST, page.symbols.letter}) > 1:
        return "tau" if "tau" in free else page.symbols.letter
    lower = {w for n in sums if n.lower is not None for w in letters(n.lower)}
    others = sorted(free - named - lower - {"T", page.symbols.letter} - page.symbols.ranks.keys())
    before = page.symbols.letter in free - lower and of_this_step(page, link.left)  # steps behind t are nothing to the loss of t
    return others[0] if others and ("T" in named or before) else ""


def of_this_step(page: Page, side: Any) -> bool:
    r"""Whether a side is a derivative of something at step t, ``\frac{\partial L_t}{\partial W}``."""
    split = head_and_parts(unwrapped(unwrapped(side).of)) if kind(unwrapped(side)) == "Derivative" else None
    return split is not None and any(page.symbols.letter in letters(p.node) for p in split[1])


def over_steps(page: Page, big: Any) -> bool:
    """Whether the index of a sum or product is that of a step of what stands under it."""
    index = spelled(big.index) if big.index is not None else None
    refs = (page.symbols.ref(n) for n in walk(big.body))
    return index is not None and not counts_components(page, big) and any(r is not None and r.step is not None and index in letters(r.step) for r in refs)


def ends_named(page: Page) -> set[str]:
    """The letters that a document has for a step, for the end of a sum or for a number."""
    memo = page.memos["ends"]
    if not memo:
        tops = {id(n.exponent) for s in page.statements for n in s.nodes if kind(n) == "Power" and is_top(n.exponent)}
        memo["all"] = {n.base for s in page.statements for n in s.nodes if kind(n) == "Name" and not n.subs and id(n) not in tops}
    return memo["all"]  # type: ignore[no-any-return]
