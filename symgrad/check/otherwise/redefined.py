r"""Symbols that change: ``\delta_t`` is the gradient by the state at first, and by its preactivation from some line on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.ruling.meanings import introductions, same_gradient, state_gradients
from symgrad.check.ruling.proof import proved
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Product

REDEFINES = re.compile(
    r"\b(?:re-?defin\w+|(?:combin|absorb|includ|incorporat|fold|merg)\w*[^.;:]*?\bdefinition|pre-?activations?|net inputs?)\b"
    r"|\bbefore the (?:activation|nonlinearity)\b"
    r"|预激活|激活前|净输入|重新定义|преактивац|préactivation|pré-ativaç|preactivaci[oó]n|Präaktivierung|활성화\s*(?:이전|전)",
    re.IGNORECASE,
)


def redefined(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Where ``\delta_t = \partial L / \partial h_t`` is computed further on as the gradient by the preactivation of h: from there on it may be that.

    Proved, if the words before that line say that it is, or the line itself does, ``\delta_t = \partial L / \partial a_t``; open, if not.
    """
    for page in court.pages_of(link.statement, under):
        found = state_gradients(page, link)
        own = next((key for n, key in found.items() if n == unwrapped(link.left)), None)
        if not (own or set(found.values()) & court.redefined):
            continue
        other = page.twin()
        shorts = {key: page.abbreviations[key] for key in found.values()}
        other.abbreviations = {
            **page.abbreviations,
            **{key: replace(short, node=Product((Name("d"), unwrapped(unwrapped(short.node).wrt)))) for key, short in shorts.items()},
        }
        outcome = Decider(other).decide(link.left, link.right)
        if not outcome.holds:
            continue
        if own:
            court.redefined.add(own)
            fragment = link.statement.fragment
            told = fragment is not None and REDEFINES.search(clause(fragment.before.rstrip())) is not None
            told = told or (link.number == 0 and kind(unwrapped(link.right)) == "Derivative")
            court.told |= {own} if told else set()
        symbols = " and ".join(dict.fromkeys(f"${latex(split[0])}$" for n in found if (split := head_and_parts(n)) is not None))
        if set(found.values()) <= court.told and not any(back(court, page, short, link) for short in shorts.values()):
            chosen = outcome.chooser.chosen if outcome.chooser is not None else []
            other.meanings = {**page.meanings, **{key[1]: str(o.value) for key, o in chosen if o.tag == "pre" and isinstance(key, tuple)}}  # as the text says
            said = proved(court, other, outcome, link)
            return said.assuming(f"{symbols} is the gradient by the preactivation from here on, as the text says")
        return ambiguous(f"this holds only if {symbols} is the gradient by the preactivation, which is not how it is introduced")
    return None


def back(court: Court, page: Page, short: Abbreviation, link: Link) -> bool:
    """Whether a sentence before a line introduces a symbol again for the gradient that it was at first."""
    same = [any(same_gradient(page, short.node, side) for side in sides) for _, sides in introductions(court, page, short, link)]
    return same[:1] == [True] and not all(same)
