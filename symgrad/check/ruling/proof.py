"""Proofs: a link in the readings of a page, what a proof takes for granted, and what it settles for the lines behind it."""

from __future__ import annotations

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation import everystep
from symgrad.check.evaluation.adjoints import symbol_id
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.evaluation.variables import named
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.trees import kind, walk
from symgrad.check.ruling.doubts import by_convention, doubts
from symgrad.check.ruling.lengths import too_short
from symgrad.check.worlds.readings import Chooser


def proved(court: Court, page: Page, outcome: Outcome, link: Link, told: bool = False) -> Judgement:
    """The proof with what it takes for granted; open, where something keeps it from being one.

    `told` if the caller knows how many steps there are.
    """
    chooser = outcome.chooser
    assert chooser is not None
    if (why := next(doubts(court, page, outcome, link, told), None)) is not None:
        return ambiguous(why)
    remember(court, page, outcome, link)
    court.confirmed += 1
    court.transposed |= "gradient layout" in (key for key, _ in chooser.chosen)
    court.right.add((link.statement.number, link.number))
    notes = [*chooser.notes, *court.assumed(page, outcome)]
    if outcome.last_only:
        notes.append("the step named is the last one")
    if court.other_convention is not None and not by_convention(court, link):
        notes.append("of the two conventions for what a gate keeps it follows that of the other lines")
    if not told and too_short(court, page, outcome, link):
        notes.append(f"there are {page.steps} steps")
    if outcome.skipped:
        notes.append("it is held against the first side, as the one before it does not hold")
    elif link.earlier and (link.statement.number, link.number - 1) in court.wrong:
        notes.append("it equals the side before it, which is refuted")
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
    target = marks.symbol_on(page, link.left)
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
