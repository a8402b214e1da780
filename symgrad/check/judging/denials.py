r"""What is said not to be zero, not to be equal: ``$\partial h_t/\partial h_{t-1} \neq 0$`` where $z = r = 0$.

Two sides that agree in every reading, at every step and in all random worlds, refute it.  That they differ in general proves nothing: they may agree
somewhere.
"""

from __future__ import annotations

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.judging import suppose
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import derived
from symgrad.check.ruling import caution

UNEQUAL = frozenset({"!=", "neq"})


def denied(court: Court, link: Link) -> Judgement | None:
    """The judgement of ``A \\neq B`` where derivatives occur; None for other relations."""
    s = link.statement
    if link.sign not in UNEQUAL or not derived(link.left) or suppose.introduced(s.fragment):
        return None
    pages = [court.page(k) for k in court.order(s)]
    found = court.conditions(link)
    said = next((u for p in pages if (u := suppose.understood(p, link, found))), suppose.Supposition())
    if court.certain and not said.opaque and not caution.left_out(pages[0]):
        worlds = [suppose.under(page, said, held, None) for page in pages for held in (False, True)] if said else pages
        if all(agree(page, link) for page in worlds):
            note = suppose.note(said, found, True)
            return Judgement("refuted", "false-inequality", "the two sides are equal" + (f", with {note}" if note else ""), blame=span_of(link.right))
    return Judgement("undecided", "not-an-equation", "that two things differ is refuted where they are equal, and not decided otherwise")


def agree(page: Page, link: Link) -> bool:
    """Whether the two sides are equal in every reading."""
    outcome = Outcome()
    tried = list(Decider(page).readings(link.left, link.right, outcome))
    typed = [t for t in tried if t.state in ("equal", "differs")]
    known = not caution.opaque(page, outcome) and (bool(page.fixed) or not any(t.vanished for t in typed))
    return bool(typed) and known and all(t.state == "equal" for t in typed)
