r"""Paths that the words beside a line name: "the direct path, ``\partial h_t/\partial h_{t-1} = 1 - z_t``"; "with the gates held constant".

And what they leave out: "ignoring the nonlinearity, ``\partial h_T/\partial h_1 = W^{T-1}``".  A line is held against such paths alone only where it does
not hold as it stands, so that words can prove and never refute.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.parts import Share
from symgrad.check.reading.claims import Link
from symgrad.check.reading.conditions import set_apart
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import PH, SENTENCE, Prose, masked, paragraph
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.functions import LINEAR, NO_LONGER, activated, calls, exchanged, named_rule, told, with_functions
from symgrad.check.ruling.proof import proved

NEAR = 240  # characters of the words that are looked at, of those behind a formula
STRICTLY = ((False, False), (False, True))
DIRECT = re.compile(
    r"\b(?:direct|explicit|linear|additive|identity|short-?cut|skip|carry|residual)(?:\s+(?:gradient|error|memory))?\s+"
    r"(?:path(?:way)?|route|connection|term|part|component|contribution|channel|highway|flow|dependence|dependency|derivative)s?\b"
    r"|\b(?:gradient|information|error|linear|memory)\s+(?:super)?highway\b|\bthe (?:super)?highway\b|\bshort-?cut\b|\bcarousel\b"
    r"|\bas (?:an? )?functions? of (?:its|their|the) (?:[\w-]+\s+){0,3}(?:arguments?|values?|inputs?|states?|variables?|predecessors?)\b"
    r"|\b(?:two|both|all|the) (?:\w+ )?(?:arguments|variables|lags) (?:are |being |as |taken as )?(?:independent|separate)\b"
    r"|\b(?:everything|all|anything) else (?:is )?(?:held |kept |being )?(?:fixed|constant)\b"
    r"|直接(?:路径|通路|项|梯度|依赖)|线性(?:路径|通路)|直通|高速公路|捷径"
    r"|\b(?:camino|ruta|t[ée]rmino|conexi[óo]n)\s+(?:directo|directa|lineal)\b|\bdirekte[rnms]?\s+(?:Pfad|Weg|Term|Anteil)\b|прям\w+\s+(?:пут\w+|связ\w+|член\w*)",
    re.IGNORECASE,
)
HELD = re.compile(
    r"\b(?:treat|hold|keep|tak|regard|consider|view|suppos|assum)\w*\b[^.;:]{0,80}?"
    r"\b(?:fixed|frozen|constants?|independent of|(?:does|do) not depend on)\b"
    r"|\b(?:held|kept)\s+(?:fixed|constant)\b|\b(?:fixing|freezing|frozen)\b|\bwith [^.;:]{0,40}?\b(?:fixed|constant|frozen)\b"
    r"|\b(?:ignor|neglect|omit|dropp|disregard)\w*\b[^.;:]{0,80}?\b(?:depend\w*|gradients?|paths?|terms?|contributions?|derivatives?)\b"
    r"|(?:视为|看作|当作|看成|作为)常[数量]|忽略[^。；]{0,40}(?:依赖|梯度|导数|路径|影响|关系)|固定(?:不变)?"
    r"|\b(?:tratando|considerando|manteniendo|ignorando|despreciando)\b[^.;:]{0,80}?\b(?:constantes?|fij[oa]s?|dependencia)\b"
    r"|\b(?:считая|полагая|игнорируя|пренебрегая)\b[^.;:]{0,80}?(?:постоянн\w+|константа\w*|фиксированн\w+|зависимост\w+)",
    re.IGNORECASE,
)
GATES = re.compile(r"\bgat(?:es?|ing)\b|门|ゲート|게이트|\bcompuertas?\b|\bpuertas?\b|вентил\w+|\bGatter\b", re.IGNORECASE)
CANDIDATE = re.compile(r"\bcandidates?\b|候选|候補|후보|\bcandidat\w+|кандидат\w*", re.IGNORECASE)


def by_the_words(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    """Proved, where a line holds of the paths that the words beside it name: the direct one, or all but those through what is held fixed.

    Open, where more would have to be held fixed than the words say.
    """
    said = [] if link.statement.fragment is None else beside(link.statement.fragment)
    direct = any(told(DIRECT, prose.text) for prose in said)
    held = [prose for prose in said if told(HELD, prose.text)]
    for page in court.pages_of(link.statement, under) if direct or held else ():
        if page.constant:
            continue
        if direct and (found := directly(page, link)) is not None:
            note = "only the direct path is followed, as the words say"
        elif (fixed := frozenset(key for prose in held for key in named(page, prose))) and (found := without(page, link, fixed)) is not None:
            note = f"{' and '.join(page.notes.get(g, plain(g)) for g in sorted(fixed))} is held fixed, as the words say"
        elif held and without(page, link, frozenset(gates(page))) is not None:
            return ambiguous("this holds only if all gates are held fixed, and the words say it of some")
        elif held and any(GATES.search(prose.text) for prose in held) and without(page, link, frozenset(inner(page))) is not None:
            return ambiguous("this holds only if what is written to the memory is held fixed too, and the words say it of the gates")
        else:
            continue
        judged = proved(court, page, found, link)
        kept = [a for a in judged.assumptions if not a.endswith("the other named quantities are fixed")]
        return replace(judged, assumptions=(*kept, note))
    return None


def linearly(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    """Proved, where a line holds without the activation, as the words beside it say; open, where words before have said so under its heading."""
    fragment = link.statement.fragment
    if (rule := named_rule(link)) is not None:
        for page in court.pages_of(link.statement, under):
            other = activated(page, rule) or exchanged(page, rule)
            if other is not None and (found := holds(other, link.left, link.right)) is not None:
                return proved(court, other, found, link).assuming(f"the activation is {rule}, as the words say")
    if any(kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes for n in walk(link.right)):
        return None  # the slope is not left out
    near = fragment is not None and any(told(LINEAR, prose.text, NO_LONGER) for prose in beside(fragment))
    if fragment is None or not (near or any(told(LINEAR, s.fragment.before) for s in under_its_heading(court, link))):
        return None
    for page in court.pages_of(link.statement, under):
        states = [page.definitions[key].node for key in sorted(page.lagged & page.definitions.keys())]
        applied = [n.function.base for node in states for n in walk(node) if calls(n)]
        found = holds(with_functions(page, dict.fromkeys(applied, "identity")), link.left, link.right) if applied else None
        if found is None:
            continue
        names = " and ".join(dict.fromkeys(applied))
        if not near:
            return ambiguous(f"this holds only if {names} is still the identity, as the text has supposed before")
        return proved(court, page, found, link).assuming(f"{names} is taken for the identity, as the words say")
    return None


def under_its_heading(court: Court, link: Link) -> list[Any]:
    """The statements before a line that stand under the same heading."""
    own, number = link.statement.fragment, link.statement.number
    return [s for s in court.statements if s.number < number and s.fragment is not None and s.fragment.heading == own.heading]


def beside(fragment: Any) -> list[Prose]:
    """The sentence that a formula stands in and the one before it, as far as the paragraph goes; what a bracket or comment behind it adds."""
    before = masked(fragment.before.rstrip() if set_apart(fragment) else fragment.before, True)
    chunk = paragraph(before.text)
    ends = [0, *(m.end() for m in SENTENCE.finditer(chunk))][-2:]
    behind = masked(fragment.after[:NEAR], False)
    line = re.match(r"[ \t]*(?:[(,;#]|//|<?[-—–←]|\\quad|\\text)[^\n]*", behind.text)
    after = [] if line is None else [part(behind, SENTENCE.split(line[0])[0])]
    return [part(before, chunk[ends[0] :][-2 * NEAR :]), *after]


def part(prose: Prose, text: str) -> Prose:
    """A piece of prose with the formulas of the whole."""
    out = copy(prose)
    out.text = text
    return out


def named(page: Page, prose: Prose) -> set[str]:
    """What a sentence holds fixed: what its formulas name and no state is, or all gates where it speaks of gates."""
    nodes = [node for mark in re.findall(PH, prose.text) for node in prose.nodes(mark)]
    refs = [page.symbols.ref(unwrapped(node)) for node in nodes]
    found = {r.key for r in refs if r is not None and r.key in page.definitions and r.key in page.symbols.timed - page.lagged}
    if found or not GATES.search(prose.text):
        return found
    return inner(page) if CANDIDATE.search(prose.text) else gates(page)


def inner(page: Page) -> set[str]:
    """The gates, and all else that is computed at a step and is no state."""
    return page.definitions.keys() & page.symbols.timed - page.lagged


def gates(page: Page) -> set[str]:
    return {key for key in page.definitions if marks.gate(page, key)}


def directly(page: Page, link: Link) -> Outcome | None:
    """The proof of a line that gives the direct part of a derivative, or of the gradient by a state that the symbol on the left stands for."""
    left: Any = unwrapped(link.left)
    if kind(left) == "Derivative":
        return None if loss_head(left.of) is not None else holds(page, replace(left, sign="partial+"), link.right)
    target = marks.symbol_on(page, left)
    own = target is not None and target[0] in page.lagged and not target[2]
    return holds(page, Share(target[0], target[1], own=True), link.right) if own else None


def without(page: Page, link: Link, fixed: frozenset[str]) -> Outcome | None:
    """The proof of a line that gives a derivative with some quantities held fixed."""
    if kind(unwrapped(link.left)) != "Derivative":
        return None
    narrow = copy(page)
    narrow.constant = fixed
    return holds(narrow, link.left, link.right)


def holds(page: Page, left: Any, right: Any) -> Outcome | None:
    outcome = Decider(page).decide(left, right, modes=STRICTLY)
    return outcome if outcome.holds else None
