r"""What words have supposed before a line, under the same heading, and nothing has ended since: "Without the tanh … Then …", "Let $b = 0$ from here on".

A line that does not hold as it stands is open where it holds under that: such words may still be meant.  They prove nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.judging.suppose import under_conditions
from symgrad.check.reading import hypotheses as said
from symgrad.check.reading.claims import Link
from symgrad.check.reading.conditions import GENERAL, Condition, conditions
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause, masked, paragraph
from symgrad.check.reading.relations import functional, valued
from symgrad.check.reading.statements import Statement, names_in
from symgrad.check.reading.symbols import number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.functions import LINEAR

BACK = 12  # statements before a line whose words are looked at
STANDING = ("symmetric", "skew-symmetric", "orthogonal")  # properties of weights that hold on once they are told
NEAR = 60  # characters behind a formula that may tell of it
ENDED = re.compile(  # what says that a case is over
    r"\b(?:without (?:it|this|that|them|these)|by contrast|back to|as before|ohne dies\w*|sans cela|sin ello|senza ciò|без этого)\b", re.IGNORECASE
)
ALL_ON = re.compile(rf"{LINEAR.pattern}|\bre-?lu\b|\brectif\w+|整流|\ball (?:units|neurons) (?:are|being) (?:active|on)\b", re.IGNORECASE)  # slopes of one


def supposed_before(court: Court, link: Link) -> Judgement | None:
    """Why a line is left open that holds under the conditions told last before it, where its own words name none and do not say that they end."""
    text = masked(link.statement.fragment.before.rstrip(), True).text
    own, words = paragraph(text), clause(link.statement.fragment.before.rstrip())
    if (matrix := of_a_derivative(court, link)) is not None:
        return ambiguous(f"the text has supposed a value of {matrix} before, and here it may still have that")
    if named(court.conditions(link)) or GENERAL.search(words) or ENDED.search(words) or said.ITEM.match(own) or said.question(link.statement.fragment):
        return None
    written = heads(link.right)
    for s in before(court, link):
        found = named(conditions(s)) or named((Condition(s.node, "paragraph"),))
        written |= heads(s.node.sides[-1]) if kind(s.node) == "Relation" else set()
        if found:
            break
    else:
        return None
    if written & {head for c in found for side in c.node.sides[:-1] for head in heads(side)}:
        return None  # what is written out has no longer that value
    names = under_conditions(court, link, found)
    return ambiguous(f"this holds only if {names} still, as the text has supposed before") if names else None


def of_a_derivative(court: Court, link: Link) -> str | None:
    r"""A letter for a derivative to which the last condition before a line gives a value, ``J_F \to 0``."""
    page = court.page(court.order(link.statement)[0])
    last = next((found for s in before(court, link) if (found := named(conditions(s)))), ())
    return next((page.shown(left) for c in last for left in c.node.sides[:1] if str(spelled(left)) in page.abbreviations), None)


def heads(node: Any) -> set[str]:
    """The letters of a formula."""
    return {head.base for _, head, _ in names_in(node)}


def named(found: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Those that give a value, or a function, and are of no whole section."""
    return tuple(c for c in found if c.place != "heading" and (valued(c.node) or functional(c.node)))


def told_before(court: Court, link: Link, told: said.Said) -> said.Said:
    """What the words beside a line tell, and of what lasts those beside the lines before it."""
    texts = [clause(s.fragment.before) + masked(s.fragment.after[:NEAR], False).text for s in before(court, link)]
    lasting = {said.ZERO: said.COMPILED[said.ZERO], said.SLOPE: ALL_ON}
    earlier = {case for case, words in lasting.items() if any(said.told(words, text) for text in texts)}
    kinds = {what for what in STANDING if any(said.told(said.KINDS[what], text) for text in texts)}
    earlier |= {said.MATRIX} if kinds else set()
    return replace(told, cases=told.cases | earlier, kinds=told.kinds | kinds, supposing=False)


def before(court: Court, link: Link) -> list[Statement]:
    """The statements before a line under its heading, the nearest first, one for each piece of the text."""
    own, number = link.statement.fragment, link.statement.number
    near = (s for s in court.statements[:number][::-1] if s.fragment is not None and s.fragment is not own and s.fragment.heading == own.heading)
    return list({id(s.fragment): s for s in islice(near, BACK)}.values())


ALL_BUT = re.compile(  # inputs of an example
    r"\b(?:inputs?|eingaben?|entrées?|entradas?|ingressi|входы?|x)\b[^.;]{0,40}"
    r"\b(?:zero|0|null|nulles?|cero|nul[oa]s?)\b[^.;]{0,12}\b(?:except|but|other than|außer|sauf|salvo|exc?epto|кроме)\b"
    r"|\bonly (?:the )?(?:first|last) input\b|\bnur (?:die )?erste eingabe\b",
    re.IGNORECASE,
)


def of_an_example(page: Page, link: Link) -> str:
    """The value that the paragraph of a line gives to something, where the line names no step but by number: it speaks of that example then."""
    fragment = link.statement.fragment
    if fragment is None or not by_number(page, link):
        return ""
    prose = masked(fragment.before.rstrip() if fragment.kind == "display" else fragment.before, True)
    here = paragraph(prose.text)
    if (said_so := ALL_BUT.search(here)) is not None:
        return prose.written(said_so[0])
    for node, text in prose.relations(here):
        refs = [page.symbols.ref(unwrapped(side)) for side in node.sides[:-1]] if valued(node) else []
        if any(r is not None and not (r.key in page.lagged or r.key == "T") for r in refs):
            return text
    return ""


def by_number(page: Page, link: Link) -> bool:
    """Whether all steps of a line are told by number, and some are."""
    refs = [r for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None and r.key in page.symbols.timed]
    steps = [number_at(r.step, {}) for r in refs if r.step is not None]
    return bool(steps) and None not in steps
