r"""One equation on the pages that it may speak of: where it holds it is proved, with what was taken for granted; else see `failure`."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check import caution, diagnose, everystep
from symgrad.check.adjoints import MARKS, symbol_id
from symgrad.check.claims import Link, span_of
from symgrad.check.court import Court
from symgrad.check.decide import Decider, Outcome
from symgrad.check.edits import Slips
from symgrad.check.failure import SECONDS, failed, refuted
from symgrad.check.judgement import Judgement
from symgrad.check.page import Page, plain
from symgrad.check.parts import Share
from symgrad.check.readings import Chooser
from symgrad.check.recognise import seeking, symbol_of
from symgrad.check.symbols import head_and_parts, kind, spelled, unwrapped, walk
from symgrad.check.variables import named
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Derivative, Name, Product

STRICTLY = ((False, False),)  # matrices, and rows that are no columns: where transposes matter, what is guessed must get them right
RECOGNISED = 400  # readings in which a symbol for a gradient is held against the adjoints of the cell


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
        if outcome.equal and outcome.reading == "scalar" and court.matrices and outcome.near:
            strict = Decider(page).decide(left, right, modes=((False, False), (False, True)))
            slip = diagnose.repair(page, strict, link, time.process_time() + SECONDS / 2, Slips.transposes)
            if slip is not None:
                return refuted(court, page, strict, link, slip, tuple(court.assumed(page, strict)))
        if outcome.equal:
            return proved(court, page, outcome, link)
        if first is None or unsure(outcome) < unsure(first[1]):
            first = (page, outcome)
    assert first is not None
    page, outcome = first
    if court.program:
        return failed(court, page, outcome, link)
    if outcome.missing is not None:
        return supposed(court, link, under) or recognition(court, link, under) or failed(court, page, outcome, link)
    page = from_zero(page, link)
    outcome = Decider(page).decide(link.left, link.right) if page.begun else outcome
    if outcome.equal:
        return proved(court, page, outcome, link)
    found = added(court, link, under) or by_preactivation(court, link, under) or at_the_end(court, link, under)
    return found or failed(court, page, outcome, link)


def at_the_end(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where it holds of a loss that looks at the last state alone and the document does not say what its loss is; open where it does."""
    for k in court.order(link.statement):
        page = under(court.page(k))
        if page is None or page.many_to_one or not of_the_loss(page, link):
            continue
        last = copy(page)
        last.many_to_one = True
        last.memos["worlds"] = page.memos["worlds"]
        outcome = Decider(last).decide(link.left, link.right)
        if not outcome.equal:
            continue
        if page.step_losses or not set(page.world.model.outputs) <= page.lagged:
            return Judgement("undecided", "ambiguous", "this holds only if the loss looks at the last state alone")
        said = proved(court, last, outcome, link)
        return replace(said, assumptions=(*said.assumptions, "the loss looks at the last state alone"))
    return None


def added(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where a line adds to a gradient some of the parts that it is summed from."""
    for k in court.order(link.statement) if link.sign == "+=" else ():
        page = under(court.page(k))
        if page is None:
            continue
        target, wrt = caution.symbol_on(page, link.left), unwrapped(link.left)
        ref = page.symbols.ref(unwrapped(wrt.wrt)) if kind(wrt) == "Derivative" else None
        key, step, entries = (ref.key, ref.step, ref.entries) if ref is not None else target[:3] if target is not None else ("", None, ())
        if key not in page.symbols.timed or entries:
            continue
        outcome = Decider(page).decide(Share(key, step), link.right, modes=STRICTLY if court.matrices else None)
        if outcome.equal:
            return proved(court, page, outcome, link)
    return None


def by_preactivation(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where ``\frac{\partial L}{\partial i_t} = \ldots \sigma'(i_t)`` holds of what the gate's activation is applied to: ``i_t`` may mean that."""
    left = unwrapped(link.left)
    slopes = [n for n in walk(link.right) if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes and len(n.args) == 1]
    for k in court.order(link.statement) if kind(left) == "Derivative" and slopes else ():
        page = under(court.page(k))
        ref = None if page is None else page.symbols.ref(unwrapped(left.wrt))
        if page is None or ref is None or ref.key in page.lagged or not any(page.symbols.ref(unwrapped(n.args[0])) == ref for n in slopes):
            continue
        split = head_and_parts(unwrapped(left.of))
        if split is None or spelled(split[0]) not in page.total_losses | page.step_losses:
            continue
        outcome = Decider(page).decide(Product((Name("d"), unwrapped(left.wrt))), link.right)
        if outcome.equal:
            return proved(court, page, outcome, link)
    return None


def of_the_loss(page: Page, link: Link) -> bool:
    """Whether both sides hold a gradient of the loss by a state."""
    return all(any(by_a_state(page, n) for n in walk(side)) for side in (link.left, link.right))


def by_a_state(page: Page, node: Any) -> bool:
    if kind(node) != "Derivative":
        return False
    split, ref = head_and_parts(unwrapped(node.of)), page.symbols.ref(unwrapped(node.wrt))
    return split is not None and spelled(split[0]) in page.total_losses and ref is not None and ref.key in page.lagged


def recognition(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    """Proved, where the symbol for a gradient that stands on the left is the adjoint of something, or those on the right are known to be."""
    for k in court.order(link.statement):
        page = under(court.page(k))
        if page is None:
            continue
        named = symbol_of(page, link.left, MARKS)
        page = seeking(page, named[0] if named is not None else "", link.right)
        outcome = Decider(page).decide(link.left, link.right, limit=RECOGNISED, modes=STRICTLY if court.matrices else None)
        if not outcome.equal:
            continue
        assert outcome.chooser is not None
        for key, option in outcome.chooser.chosen:
            if isinstance(key, tuple) and key[0] == "recognised":
                for p in court.pages.values():
                    p.meanings.setdefault(f"? {key[1]}", str(option.value))
        return proved(court, page, outcome, link)
    return None


def from_zero(page: Page, link: Link) -> Page:
    r"""The page for a sum such as ``h_t = \sum_k U^{t-k} x_k`` that leaves out the state before the first step: it is taken to be 0."""
    begun = sorted(page.lagged & set(page.definitions) - set(page.initial))
    if link.statement.derives or not begun or not any(kind(n) == "Big" and n.kind == "sum" for n in walk(link.right)):
        return page
    out = copy(page)
    out.initial = {**page.initial, **dict.fromkeys(begun, 0)}
    out.begun = tuple(begun)
    return out


def supposed(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """The proof of a link by the equations of gates that the document leaves out though it names their weights; by which of them shows as more is proved."""
    holding = []
    for other, found in court.filled_in():
        for k in other.order(link.statement):
            page = under(other.page(k))
            outcome = attempt(other, page, link.left, link.right, link) if page is not None else None
            if page is not None and outcome is not None and outcome.equal:
                holding.append((other, found, page, outcome))
                break
    if not holding:
        return None
    court.others = [(other, found) for other, found, _, _ in holding]
    other, found, page, outcome = holding[0]
    judged = proved(other, page, outcome, link)
    words = {spelled(n) for side in (link.left, link.right) for n in walk(side)}
    read = [f"{name} is read as {plain(key)}" for name, key in found.aliases.items() if name in words]
    either = f"{found.note}, and likewise with their weights exchanged" if holding[1:] else found.note
    return replace(judged, assumptions=(*judged.assumptions, either, *read))


def unsure(outcome: Outcome) -> tuple[bool, bool]:
    """How little a page knows of what a link names: something is missing, something is guessed."""
    return outcome.missing is not None, any(key.startswith("?") for key in outcome.used)


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


def attempt(court: Court, page: Page, left: Any, right: Any, link: Link) -> Outcome:
    """The two sides of a link, or an earlier side of its chain in the place of the left one."""
    outcome = Decider(page).decide(left, right)
    if not outcome.equal and link.earlier and not outcome.typed and (outcome.unsupported is not None or outcome.missing is not None):
        for side in reversed(link.earlier):
            again = Decider(page).decide(side, right)
            if again.equal or again.typed:
                return again
    if not outcome.equal and link.earlier and (link.statement.number, link.number - 1) not in court.wrong and not summed(link):
        # the same symbol may have meant the immediate derivative in the line before: hold it against the first line too
        again = Decider(page).decide(link.earlier[0], right)
        if again.equal:
            return again
    return outcome


def summed(link: Link) -> bool:
    """Whether the line before is a sum over time and this one is not: then this one cannot speak of a single step."""
    before, now = (any(kind(n) == "Big" and n.kind == "sum" for n in walk(side)) for side in (link.left, link.right))
    return before and not now


def proved(court: Court, page: Page, outcome: Outcome, link: Link) -> Judgement:
    chooser = outcome.chooser
    assert chooser is not None
    remember(court, page, outcome, link)
    court.confirmed += 1
    notes = [*chooser.notes, *court.assumed(page, outcome)]
    if outcome.last_only:
        notes.append("the step named is the last one")
    if outcome.reading == "scalar" and any((r := page.symbols.ref(n)) is not None and page.symbols.ranks[r.key] == 2 for n in walk(link.right)):
        notes.append("it holds of numbers, not of matrices as it stands")
    elif outcome.lenient:
        notes.append("rows and columns are told by what they stand beside")
    if everystep.spans_time(page, link.left, link.right):
        notes.append(everystep.note(page, link.left, link.right, chooser, outcome.lenient, link.earlier))
    layout = "denominator" if "denominator" in chooser.tags else "numerator"
    return Judgement("proved", None, "", outcome.reading, layout, assumptions=tuple(dict.fromkeys(notes)))


def remember(court: Court, page: Page, outcome: Outcome, link: Link) -> None:
    """The meaning of an adjoint symbol on the left side is settled by the line that holds; so are unknown names that have one reading.

    Of a program every variable is settled, wherever it stands.
    """
    assert outcome.chooser is not None
    if court.program:
        settled(court, outcome.chooser, link)
        return
    asked = outcome.chooser.asked.items()
    page.settled.update({key[1]: str(options[0].value) for key, options in asked if isinstance(key, tuple) and key[0] == "weight" and len(options) == 1})
    target = caution.symbol_on(page, link.left)
    if target is None:
        return
    _, _, _, words, name, _ = target
    which = symbol_id(name, words, target[1])
    for key, option in outcome.chooser.chosen:
        if key == ("adjoint", which):
            for p in court.pages.values():
                p.meanings.setdefault(which, str(option.value))


def settled(court: Court, chooser: Chooser, link: Link) -> None:
    """The gradients that the variables of a line hold: what is assigned here is what it is, what came from elsewhere is likely so."""
    own = named(link.left) if kind(link.left) == "Variable" else ""
    for key, option in chooser.chosen:
        if isinstance(key, tuple) and key[0] == "variable":
            for p in court.pages.values():
                p.meanings.setdefault(key[1], str(option.value))
                if key[1] == own:
                    p.meanings[f"={own}"] = str(option.value)


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
