r"""One equation on the pages that it may speak of: where it holds it is proved, with what was taken for granted; else see `failure`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import SCALAR, Court
from symgrad.check.court.marks import symbol_on
from symgrad.check.defined.definitions import general
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.otherwise.classes import at_the_class, of_either
from symgrad.check.otherwise.followed import by_the_words
from symgrad.check.otherwise.otherwise import OTHERWISE, from_zero, of_an_rnn, recognised_anew, recognition, supposed
from symgrad.check.otherwise.repeated import summed
from symgrad.check.otherwise.single import of_a_number
from symgrad.check.otherwise.unsaid import unsaid
from symgrad.check.otherwise.written import judged_by_formula, of_its_formula
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import derived, names_in, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of, number_at
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.caution import reaching
from symgrad.check.ruling.doubts import by_convention
from symgrad.check.ruling.excuses import along_no_memory
from symgrad.check.ruling.failure import failed, refuted
from symgrad.check.ruling.functions import against_its_words
from symgrad.check.ruling.losses import put_aside
from symgrad.check.ruling.proof import proved
from symgrad.check.ruling.solved import settle
from symgrad.check.ruling.tied import against_the_words, by_its_names, the_same
from symgrad.check.slips import diagnose
from symgrad.check.slips.edits import Slips
from symgrad.check.worlds.readings import LIMIT
from symgrad.check.worlds.world import TOTAL
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Derivative

NUMBERS = (True, True)  # the way of reading in which everything is one
MORE = 4  # times as many readings as usual are tried of a side that is held against the first one of its chain


def holding(court: Court, link: Link) -> Judgement | None:
    """The proof of an equation that need not be meant as one."""
    for k in court.order(link.statement):
        outcome = attempt(court, court.page(k), link.left, link.right, link)
        if outcome.equal:
            return proved(court, court.page(k), outcome, link)
    return None


def equation(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement:
    """Decide one equation on the pages that may be meant, each changed by what is supposed."""
    first: tuple[Page, Outcome] | None = None
    idle: tuple[Page, Outcome] | None = None
    alone: tuple[Page, Outcome] | None = None
    left, right = link.left, link.right
    broken = malformed(left)
    if broken is not None:
        return mended(court, link, broken)
    for k in court.order(link.statement):
        page = under(court.page(k))
        if page is None:
            continue
        page.sized = court.declared is not None and link.statement.number >= court.declared
        outcome = attempt(court, page, left, right, link)
        if outcome.equal and outcome.reading == "scalar" and court.matrices and outcome.near and not of_numbers(court, page, link):
            strict = Decider(page).decide(left, right, modes=((False, False), (False, True)))
            slip = diagnose.repair(page, strict, link, diagnose.RUNS // 2, Slips.transposes)
            if slip is not None:
                return of_a_number(court, link, under) or refuted(court, page, strict, link, slip, tuple(court.assumed(page, strict)))
        if outcome.equal and outcome.vanished and idle is None:
            idle = page, outcome  # of a cell in which nothing leads where a derivative is taken: another one may be meant
            continue
        if outcome.equal and outcome.chooser is not None and along_no_memory(page, outcome.chooser):
            alone = page, outcome  # another cell may be meant
            continue
        if outcome.equal:
            another = of_another_cell(court, link, k, outcome, first) if len(court.collected.groups) > 1 else None
            judged = another or proved(court, page, outcome, link)
            in_part = by_the_words(court, link, under) if judged.verdict == "undecided" and derived(left) else None
            return in_part or judged
        if first is None or (unsure(outcome) < unsure(first[1]) and told_by(page, first[1])):
            first = (page, outcome)
    if idle is not None:
        if (gap := unconnected(idle[0], link.right)) is not None:
            return ambiguous(f"nothing leads from the one to the other in {gap}, so the cell may be another one than was understood")
        if first is None or not first[1].typed or first[1].missing is not None:
            return proved(court, *idle, link)
        return ambiguous("this holds of one cell of the document, where a derivative in it is zero, and not of another")
    if alone is not None:
        return of_an_rnn(court, link, missing=False) or proved(court, *alone, link)
    assert first is not None
    page, outcome = first
    if court.program:
        return failed(court, page, outcome, link)
    if (elsewhere := of_an_rnn(court, link, outcome.missing is not None)) is not None:
        return elsewhere
    if (in_part := unsaid(court, link, under)) is not None:
        return in_part
    of_formula = of_its_formula(court, link, under)
    if of_formula is not None and of_formula.verdict == "proved":
        return of_formula
    if outcome.missing is not None:
        if (of_a_class := at_the_class(court, link, under)) is not None and of_a_class.verdict == "proved":
            return of_a_class
        if (found := supposed(court, link, under) or recognition(court, link, under)) is not None:
            return found
        return equation(court, link, under) if settle(court, page, link) else failed(court, page, outcome, link)
    page = from_zero(page, link)
    outcome = Decider(page).decide(link.left, link.right) if page.begun else outcome
    if outcome.equal:
        return proved(court, page, outcome, link)
    for otherwise in (of_either, *OTHERWISE, summed, recognised_anew):
        if (found := otherwise(court, link, under)) is not None:
            told = against_its_words(court, page, link) if found.verdict == "proved" else None
            return found if told is None else ambiguous(told)
    if (aside := put_aside(court, link, under)) is not None:
        return aside
    by_formula = of_formula or judged_by_formula(court, link, under)
    if by_formula is not None:
        return by_formula if isinstance(by_formula, Judgement) else equation(court, link, by_formula)
    judged = failed(court, page, *in_more_readings(court, page, outcome, link))
    if judged.verdict == "refuted" and (summed_up := reaching(link.right)) is not None:
        said = equation(court, replace(link, right=summed_up), under)
        if said.verdict != "refuted":
            court.wrong.discard((link.statement.number, link.number))
            return said.assuming("the sum is taken to reach over the whole difference")
    if judged.verdict == "refuted" and by_convention(court, link):
        return ambiguous("this holds where the gate keeps and takes the other way round, and the document does not say which way it does")
    if judged.verdict == "refuted" and holds_so_far(court, page, link, under):
        return ambiguous("this holds of the cell as far as the document has defined it here, and not with what it defines further on")
    if judged.verdict == "refuted" and (quantity := by_its_components(court, page, link, under)):
        return ambiguous(f"this holds only of what another line gives for the components of {quantity}, which the document defines otherwise")
    return judged


def by_its_components(court: Court, page: Page, link: Link, under: Callable[[Page], Page | None]) -> str:
    r"""The quantity of whose components a line gives what is wrong, ``s_{t,k} = \sum_n W_{k,n} x_{t,n}`` beside ``s_t = x_t W``, if the link holds of that."""
    for number, k in sorted(court.wrong):
        s = court.statements[number] if number < link.statement.number else link.statement
        ref = page.symbols.ref(unwrapped(s.node.sides[0])) if not (k or s.derives) and s is not link.statement else None
        d = page.definitions.get(ref.key) if ref is not None and ref.entries else None
        if ref is None or d is None or d.entries or d.place is None or court.cell is not None:
            continue
        other = court.instead(d.place, s.node)
        if any(attempt(other, p, link.left, link.right, link).holds for p in other.pages_of(link.statement, under)):
            return page.notes.get(ref.key, plain(ref.key))
    return ""


def holds_so_far(court: Court, page: Page, link: Link, under: Callable[[Page], Page | None]) -> bool:
    """Whether a line holds of what is defined before it: what stands behind it may belong to another cell."""
    later = [d.place.number for d in page.definitions.values() if d.place is not None and d.place.number > link.statement.number]
    if not later or court.cell is not None or court.borrowed:
        return False
    so_far = court.until(min(later))
    if so_far.borrowed or not any(g.definitions for g in so_far.collected.groups):
        return False
    outcomes = (attempt(so_far, p, link.left, link.right, link) for p in so_far.pages_of(link.statement, under))
    return any(outcome.equal and not outcome.vanished for outcome in outcomes)


def in_more_readings(court: Court, page: Page, outcome: Outcome, link: Link) -> tuple[Outcome, Link]:
    """A link of which not all readings were tried, in more of them, if it has a letter for several weights, or all links of its chain before it hold.

    Then it is held against the first side of the chain, which has fewer readings.  A line of numbers has the readings of numbers alone.
    """
    if of_numbers(court, page, link) and NUMBERS in Decider(page).modes(link.left, link.right):
        among = Decider(page).decide(link.left, link.right, modes=(NUMBERS,))
        return (among if among.differs else outcome), link
    if outcome.against is not None:
        link = replace(link, left=outcome.against)
    before = ((link.statement.number, k) in court.right for k in range(link.number))
    if outcome.complete or not all(before) or not (link.earlier or unsure(outcome)[1]):
        return outcome, link
    whole = replace(link, left=link.earlier[0]) if link.earlier else link
    again = Decider(page).decide(whole.left, whole.right, limit=MORE * LIMIT)
    return (again, whole) if again.differs else (outcome, link)


def of_numbers(court: Court, page: Page, link: Link) -> bool:
    """Whether the sentence says that it speaks of numbers, "in the scalar case", or the document does, and the weights have small letters."""
    fragment = link.statement.fragment
    if fragment is not None and SCALAR.search(clause(fragment.before)) is not None:
        return True
    names = [(n, page.symbols.ref(n)) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Name"]
    weights = [n for n, ref in names if ref is not None and page.symbols.ranks[ref.key] == 2]
    return SCALAR.search(court.words) is not None and all(n.base.islower() and not n.font for n in weights)


def of_another_cell(court: Court, link: Link, k: int, outcome: Outcome, first: tuple[Page, Outcome] | None) -> Judgement | None:
    """Why it is left open, if the cell of which it holds is not the one that is meant where it stands."""
    page = court.page(k)
    sure = first is not None and bool(first[1].typed) and not any(unsure(first[1])) and not first[1].vanished
    if against_the_words(court, link, k):
        return ambiguous("this holds of another cell of the document than the one that the words before it name")
    if sure and court.collected.groups[k].first > link.statement.number:
        return ambiguous("this holds of a cell that the document defines further on, and not of the one before")
    if sure and first is not None and (outcome.skipped or not (by_its_names(court, link.statement, page, first[0]) or the_same(page, first[0]))):
        return ambiguous("this holds of a cell that the document defines before, and not of the one that is in force here")
    if key := renewed(court, link, k):
        return ambiguous(f"this holds of {key} as it was defined before, and the document has defined it anew since")
    if state := amended(court, link, k, outcome):
        return Judgement("undecided", "incomplete-cell", f"the document has given {state} another equation since, and not all that it is computed from")
    return None


def renewed(court: Court, link: Link, k: int) -> str:
    """What a claim names and the document has defined anew since the cell of which it holds: no state, which would make another cell."""
    groups, letter = court.collected.groups, court.collected.letter
    splits = [(head, parts) for side in (link.left, link.right) for _, head, parts in names_in(side)]
    named = {str(key_of(head, [p for p in parts if step_part((p,), letter) is None])) for head, parts in splits}
    for j in range(k + 1, len(groups)):
        own = groups[j].definitions
        if groups[j].first > link.statement.number or groups[j].alone or own.keys() & court.page(j).lagged:
            continue
        for key in sorted(named & own.keys() & groups[k].definitions.keys()):
            if not of_the_identity(court.page(k), groups[k].definitions[key].node, own[key].node):
                return plain(key)
    return ""


def of_the_identity(page: Page, old: Any, new: Any) -> bool:
    """Whether an equation is another one without its function, which is the identity: ``y_t = V h_t`` of ``y_t = g(V h_t)``."""
    call: Any = unwrapped(old)
    applied = kind(call) == "Apply" and kind(call.function) == "Name" and len(call.args) == 1
    return applied and meaning(page.functions, call.function) == "identity" and page.canon(call.args[0]) == page.canon(new)


def unconnected(page: Page, side: Any) -> str | None:
    r"""The derivative by a gate, ``\partial \tilde h_t/\partial z_t``, that is zero at every step, as no path leads from the one quantity to the other."""
    symbols = page.symbols
    for n in walk(side):
        if kind(n) == "Derivative" and kind(call := unwrapped(n.of)) == "Apply" and len(call.args) > 1:
            own, by = [symbols.ref(unwrapped(a)) for a in call.args], symbols.ref(unwrapped(n.wrt))
            if by is not None and by.step is not None and any(r is not None and r.key == by.key for r in own) and by not in own:
                return page.shown(n)  # ``\partial f(x_t, h_{t-1})/\partial h_t``
        of, wrt = (symbols.ref(unwrapped(x)) for x in (n.of, n.wrt)) if kind(n) == "Derivative" else (None, None)
        if of is None or wrt is None or of.key == wrt.key or not {of.key, wrt.key} <= page.definitions.keys() & symbols.timed - page.lagged:
            continue
        steps = [tuple(number_at(r.step, {symbols.letter: t}) for r in (of, wrt)) for t in range(2, page.world.steps + 1) if of.step and wrt.step]
        known = [(int(t), int(s)) for t, s in steps if t is not None and s is not None and 1 <= s <= t <= page.world.steps]
        if known and not any(np.any(page.world.derivative((of.key, t), (wrt.key, s), TOTAL, None)) for t, s in known):
            return page.shown(n)
    return None


def amended(court: Court, link: Link, k: int, outcome: Outcome) -> str:
    r"""The state of a cell that the equations in force change in part, ``h_t = h_{t-1} + g(x_t, h_{t-1})``: what held before need not hold of it."""
    groups = court.collected.groups
    here = max((j for j, g in enumerate(groups) if (g.first <= link.statement.number or j == 0) and not g.alone), default=0)
    for key, d in groups[here].definitions.items() if here != k else ():
        if key in outcome.used & court.page(k).definitions.keys() and not general(d.node) and any(general(n) for n in walk(d.node)):
            return plain(key)
    return ""


def unsure(outcome: Outcome) -> tuple[bool, bool]:
    """How little a page knows of what a link names: something is missing, something is guessed."""
    return outcome.missing is not None, any(key.startswith("?") for key in outcome.used)


def told_by(page: Page, outcome: Outcome) -> bool:
    """Whether a page knows the symbol that another one misses: else a claim that this page refutes may still be one about that."""
    if outcome.missing is None:
        return True
    where = outcome.missing.where
    return page.symbols.ref(where) is not None or symbol_on(page, where) is not None or page.preactivation(outcome.missing.name) in page.symbols.ranks


def mended(court: Court, link: Link, whole: Any) -> Judgement:
    """A derivative with a ∂ lost: refuted for its form, with the repair if that holds."""
    for k in court.order(link.statement):
        page = court.page(k)
        if Decider(page).decide(whole, link.right, limit=24).equal:
            try:
                expected = f"{latex(whole)} = {latex(link.right)}"
            except (ValueError, TypeError, AttributeError, KeyError):
                expected = None
            return Judgement(
                "refuted",
                "missing-differential",
                "a ∂ is missing in this derivative; with it the equation holds",
                expected=expected,
                blame=span_of(link.left),
            )
    return Judgement(
        "undecided", "missing-differential", "a ∂ is missing in this derivative, and with it no reading that was tried is true", blame=span_of(link.left)
    )


def malformed(node: Any) -> Any:
    r"""``\frac{\partial z}{h}`` as the derivative that was meant; None for anything else."""
    node = unwrapped(node)
    if kind(node) != "Fraction":
        return None
    above, below = unwrapped(node.numerator), unwrapped(node.denominator)
    if (kind(above) == "Differential") == (kind(below) == "Differential"):
        return None
    of = above.arg if kind(above) == "Differential" else above
    wrt = below.arg if kind(below) == "Differential" else below
    if head_and_parts(unwrapped(of)) is None or head_and_parts(unwrapped(wrt)) is None:
        return None
    return Derivative(of, wrt, "partial")
