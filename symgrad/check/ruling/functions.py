"""The functions that a cell applies: which of them nothing explains, and which one the words beside a line name."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Definition, Page
from symgrad.check.reading.activations import BUILTIN, meaning
from symgrad.check.reading.claims import Link
from symgrad.check.reading.prose import clause
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, walk
from symgrad.notation.syntax import Apply, Name

SIGMOID = re.compile(r"sigmoid|logistic|S型|シグモイド|시그모이드|сигмо", re.IGNORECASE)
NAMED = re.compile(  # "For $\\tanh$: …", "with the sigmoid, …"
    r"(?:\b(?:for|with|of|für|bei|para|con|pour|avec)\b|对于|若|如果|当)\s*(?:the\s+|der\s+|la\s+)?[$`\\(]*(?P<f>tanh|sigmoid|logistic|re-?lu)(?![A-Za-z])[^.;。；]{0,40}$",
    re.IGNORECASE,
)
FOLLOWS = ("lagged", "present", "later", "named", "recurrent_weights", "cells", "coded")  # what a page works out from its equations
OF_OTHERS = re.compile(r"\b(?:outputs?|gat\w*|read-?outs?|layers?|loss|head|ausgabe\w*|gatter\w*|sorties?|portes?|salidas?|puertas?)\b", re.IGNORECASE)
RULES = {"tanh": "tanh", "sigmoid": "sigmoid", "logistic": "sigmoid", "relu": "relu", "re-lu": "relu"}
LINEAR = re.compile(
    r"\b(?:ignor|neglect|dropp?|omit|without|remov|disregard)\w*\s+(?:[a-z]+\s+){0,3}?(?:non-?linearit(?:y|ies)|activations?\b|tanh\b|sigmoid\b)"
    r"|(?<![\w-])linear\s+(?:case|activation|rnn|recurr\w+|network|model|unit|setting|dynamics|system|regime)|\bidentity\s+(?:function|activation|map)"
    r"|\bactivations?(?:\s+functions?)?\s+(?:is|are|were|be|being)\s+(?:the\s+)?(?:identity|linear)\b"
    r"|\b(?:if|assum\w+|suppos\w+|consider\w*|let|when)\b[^.;:,]{0,40}\b(?:is|are|be)\s+(?:both\s+|all\s+)?linear\b"
    r"|(?:忽略|去掉|不考虑)[^。；]{0,10}(?:非线性|激活函数)|(?<!非)线性(?:情况|激活|情形)|\bcaso lineal\b"
    r"|\blinearen? (?:Fall|Aktivierung)|(?<!не)линейн\w+ случа\w+",
    re.IGNORECASE,
)
NO_LONGER = re.compile(  # what ends that a case is spoken of
    r"\bnon-?linear|\b(?:with|for|by|using) (?:the )?(?:\\?tanh|sigmoid|re-?lu|activation)|\bin general\b"
    r"|\bhowever\b|\bwhereas\b|\bby contrast\b|\bbut\b|\bfull\b|非线性|但是?|一般",
    re.IGNORECASE,
)
DENIED = re.compile(r"(?:\b(?:not|cannot|never|no longer|unlike|without)\b|n't\b|不能|不是|нельзя)[^.;:]{0,24}$", re.IGNORECASE)


def sigma_alone(court: Court, page: Page) -> bool:
    """Whether σ is the one activation of a cell and nothing says that it is the sigmoid: some write σ for any activation."""
    nodes = (n for key, d in page.definitions.items() if key not in page.targets for n in walk(d.node))
    calls = {n.function.base for n in nodes if kind(n) == "Apply" and kind(n.function) == "Name"}
    if "sigma" not in calls or "sigma" in page.functions or calls - {"sigma"} & BUILTIN.keys():
        return False
    return not any(s.fragment is not None and SIGMOID.search(s.fragment.before) for s in court.statements)


def free_functions(page: Page) -> list[str]:
    r"""The letters for functions that the cell applies and nothing explains, with their labels, ``\sigma_h``."""
    calls = (n.function for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name")
    free = {f: meaning(page.functions, f) for f in calls if not f.primes and not marks.specific(f)}
    return sorted({str(rule) for f, rule in free.items() if rule in (f.base, spelled(f)) and rule not in BUILTIN.values()})


def unknown_functions(page: Page) -> set[str]:
    """The words for functions that the cell applies and nothing explains, ``smax``."""
    calls = (n.function for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name")
    return {str(rule) for f in calls if not f.primes and isinstance(rule := meaning(page.functions, f), str) and rule not in BUILTIN.values()}


def with_functions(page: Page, functions: dict[str, Any]) -> Page:
    """The page with other functions in the place of letters."""
    out = copy(page)
    out.functions = {**page.functions, **functions}
    out.origin = None  # its own models
    return out


def with_equations(page: Page, new: dict[str, Definition]) -> Page:
    """The page with other equations."""
    out = copy(page)
    out.definitions = {**page.definitions, **new}
    out.shapes = None
    for name in FOLLOWS:
        vars(out).pop(name, None)
    out.origin = None  # its own models
    return out


def activated(page: Page, rule: str) -> Page | None:
    """The page of a linear cell with an activation; None for one that applies some function to its states."""
    states = {key: page.definitions[key] for key in page.lagged & page.definitions.keys()}
    if not states or any(calls(n) for d in page.definitions.values() for n in walk(d.node)):
        return None
    return with_equations(page, {key: replace(d, node=Apply(Name(rule), (d.node,))) for key, d in states.items()})


def exchanged(page: Page, rule: str) -> Page | None:
    """The page of a cell with another function in the place of the only one that it applies; None for one that applies several."""
    applied = {n.function.base for key, d in page.definitions.items() if key not in page.targets for n in walk(d.node) if calls(n)}
    return with_functions(page, dict.fromkeys(applied, rule)) if len(applied) == 1 and applied <= BUILTIN.keys() else None


def named_rule(link: Link) -> str | None:
    """The function that the words right before a line are about, "for tanh"."""
    fragment = link.statement.fragment
    words = "" if fragment is None else clause(fragment.before.rstrip() if fragment.kind == "display" else fragment.before)
    named = NAMED.search(words)
    return None if named is None or OF_OTHERS.search(named[0]) is not None else RULES[named["f"].lower()]


def against_its_words(court: Court, page: Page, link: Link) -> str | None:
    """Why a line that holds of the activation of a cell is left open, where its words speak of another one of which it does not hold."""
    fragment = link.statement.fragment
    words = "" if fragment is None else clause(fragment.before.rstrip() if fragment.kind == "display" else fragment.before)
    rule = named_rule(link) or ("identity" if told(LINEAR, words, NO_LONGER) else None)
    if rule is not None and rule != "identity" and (other := activated(page, rule)) is not None:
        return None if attempt(court, other, link.left, link.right, link).equal else f"this does not hold with {rule}, of which the words before it speak"
    applied = {n.function for key, d in page.definitions.items() if key not in page.targets for n in walk(d.node) if calls(n)} if rule else set()
    letter = next(iter(applied)) if len(applied) == 1 else None
    if rule is None or letter is None or (letter.base != "sigma" and letter.base in BUILTIN) or meaning(page.functions, letter) == rule:
        return None
    if attempt(court, with_functions(page, {str(spelled(letter)): rule}), link.left, link.right, link).equal:
        return None
    return f"this does not hold where {spelled(letter)} is {'the identity' if rule == 'identity' else rule}, of which the words before it speak"


def calls(node: Any) -> bool:
    return kind(node) == "Apply" and kind(node.function) == "Name" and not node.function.primes and len(node.args) == 1


def told(words: re.Pattern[str], text: str, end: re.Pattern[str] | None = None) -> bool:
    """Whether a text says something, does not deny it, and says nothing behind it that ends it."""
    found = (m for m in words.finditer(text) if DENIED.search(text[: m.start()]) is None)
    return any(end is None or end.search(text, m.end()) is None for m in found)
