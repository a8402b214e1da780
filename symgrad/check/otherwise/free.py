"""Functions that a document leaves open: which one a line means by the slope that it writes, and the loss that goes with that of an output."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.functions import NAMED, RULES, free_functions, sigma_alone, unknown_functions, with_functions
from symgrad.check.ruling.proof import proved

OF_CLASSES = re.compile(r"soft-?max|cross[- ]?entropy|log[- ]?likelihood|交叉熵|クロスエントロピー|교차 ?엔트로피", re.IGNORECASE)


def by_activation(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where a function that the document leaves free has the slope that a line writes: ``y_t \odot (1 - y_t)`` of ``y_t = g(z_t)``.

    Open, where it writes ``g'(y_t)``, or another line has written the slope of another function and the words say that it may be any.
    """
    for page in court.pages_of(link.statement, under):
        for f in free_functions(page):
            known = court.activations.get(f)
            for rule in ("sigmoid", "tanh") if known is None or page.functions.get(f) == f else (known,):
                other = with_functions(page, {f: rule})
                other.memos["worlds"] = page.memos[f"worlds where {f} is {rule}"]
                other.loss_rules = {**dict.fromkeys(page.targets, "square"), **page.loss_rules}  # with the slope beside it, ``y - d`` is that of squares
                outcome = attempt(court, other, link.left, link.right, link)
                guessed = outcome.chooser is not None and any(isinstance(key, tuple) and key[0] == "weight" for key, _ in outcome.chooser.chosen)
                if outcome.holds and not guessed:
                    if f in page.open:
                        return ambiguous(f"this holds only if {f} is {rule}, and the document says that it is another function, or any")
                    if rule not in court.functions and (named := court.functions - {"identity"}):
                        called = " and ".join(sorted(name or "another function" for name in named))
                        return ambiguous(f"this holds only if {f} is {rule}, and the document speaks of {called}")
                    assert outcome.chooser is not None
                    if "slope-of-output" in outcome.chooser.tags:
                        return ambiguous(f"this holds only if {f}' is the slope written in what {f} gives")
                    if court.activations.setdefault(f, rule) != rule:
                        return ambiguous(f"this holds only if {f} is {rule}, and another line has taken it for {known}")
                    said = proved(court, other, outcome, link)
                    return said.assuming(f"{f} is taken for {rule}: the line writes its slope")
        if sigma_alone(court, page) and attempt(court, with_functions(page, {"sigma": "tanh"}), link.left, link.right, link).holds:
            return ambiguous("this holds only if σ is tanh, and the document does not say which function it is")
    return None


def by_its_words(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where a line holds of the activation that the words before it name: "for tanh, ``\sigma'(z) = 1 - \tanh^2(z)``"."""
    fragment = link.statement.fragment
    told = NAMED.search(fragment.before) if fragment is not None else None
    for page in court.pages_of(link.statement, under) if told is not None else ():
        slopes = {n.function for side in (link.left, link.right) for n in walk(side) if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes}
        if told is None or len(slopes) != 1:
            continue
        f = replace(next(iter(slopes)), primes=0)
        rule = RULES[told["f"].lower()]
        other = with_functions(page, {str(spelled(f)): rule})
        outcome = attempt(court, other, link.left, link.right, link)
        if outcome.holds:
            return proved(court, other, outcome, link).assuming(f"{spelled(f)} is {rule} here, as the words say")
    return None


def by_what_it_is_applied_to(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Where ``\hat y_t - y_t`` is the gradient by the argument of an output function that the document leaves open: its loss goes with it.

    Proved, where words speak of classes; else open.
    """
    for page in court.pages_of(link.statement, under):
        free = {*free_functions(page), *unknown_functions(page)}
        if not free:
            continue
        calls = {key: unwrapped(page.definitions[key].node) for key in page.targets if key in page.definitions}
        named = {key: n.function for key, n in calls.items() if kind(n) == "Apply" and kind(n.function) == "Name"}
        matched = {key for key, function in named.items() if meaning(page.functions, function) in free} - page.loss_rules.keys()
        if not matched:
            continue
        other = with_functions(page, {})
        other.memos["worlds"] = page.memos["worlds with the loss that goes with the output"]
        other.loss_rules = {**dict.fromkeys(matched, "clean"), **page.loss_rules}
        outcome = attempt(court, other, link.left, link.right, link)
        if not outcome.holds:
            continue
        words = " and ".join(sorted(page.notes.get(key, plain(key)) for key in matched))
        note = f"the loss goes with the function of {words}, so that the difference is the gradient by its argument"
        if any(s.fragment is not None and OF_CLASSES.search(s.fragment.before) for s in court.statements):
            return proved(court, other, outcome, link).assuming(note)
        return ambiguous(f"this holds only if {note}")
    return None


def of_a_square(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where a line holds of a squared loss, with its half or without, ``2 (\hat y_t - y_t)``, and the document does not say what its loss is."""
    for page in court.pages_of(link.statement, under):
        silent = page.targets.keys() - page.loss_rules.keys()
        for rule in ("square", "double") if silent else ():
            other = with_functions(page, {})
            other.memos["worlds"] = page.memos[f"worlds with a loss that is a {rule}"]
            other.loss_rules = {**page.loss_rules, **dict.fromkeys(silent, rule)}
            outcome = attempt(court, other, link.left, link.right, link)
            if outcome.holds and silent & outcome.used:
                return ambiguous("this holds of a squared loss, and the document does not say what its loss is")
    return None
