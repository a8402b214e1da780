r"""What a page takes for independent and the document does not: weights that are tied, ``V = U^\top``, inputs that are computed from the state."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.definitions import stepped_names
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.hypotheses import told as said
from symgrad.check.reading.prose import PH, SENTENCE, masked
from symgrad.check.reading.statements import Statement, derived, names_in
from symgrad.check.reading.symbols import is_top, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk

DEPENDS = re.compile(
    r"\b(?:depend\w*|function of|computed from|comput\w+ by means of|determined by|fed back|hängen|hängt|abhäng\w*|dépend\w*|fonction d\w*|depende\w*"
    r"|función de|função de|dipend\w*|funzione d\w*|завис\w*)\b|依赖|取决于|依存|의존",
    re.IGNORECASE,
)


def tied_weights(court: Court, page: Page, link: Link) -> str:
    """The weights of a line that the document says to be one, before it: the gradient by one of them is that by the other too."""
    named = {key for side in (link.left, link.right) for n in walk(side) if (key := by_a_weight(page, n))}
    target = marks.symbol_on(page, link.left)
    named |= {target[0]} if target is not None else set()
    return next((f"{plain(a)} and {plain(b)}" for a, b in ties(court, page, link.statement) if named & {a, b}), "")


def by_a_weight(page: Page, node: Any) -> str:
    """The weight that something is differentiated by."""
    ref = page.symbols.ref(unwrapped(node.wrt)) if kind(node) == "Derivative" else None
    return ref.key if ref is not None and ref.key not in page.symbols.timed else ""


def ties(court: Court, page: Page, s: Statement) -> list[tuple[str, str]]:
    """The pairs of weights that formulas before a line set equal, under its heading or where the cell is defined."""
    places = {d.place.fragment.heading for d in page.definitions.values() if d.place is not None and d.place.fragment is not None}
    out = []
    for other in court.statements[: s.number]:
        if other.fragment is None or s.fragment is None or other.fragment.heading not in places | {s.fragment.heading}:
            continue
        if kind(other.node) == "Relation" and other.node.signs == ("=",):
            one, two = (a_weight(page, side) for side in other.node.sides)
            out += [(one, two)] if one and two and one != two else []
    return out


def a_weight(page: Page, side: Any) -> str:
    r"""The matrix that a side is, ``U``, ``U^\top``."""
    side = unwrapped(side)
    if kind(side) == "Transpose" or (kind(side) == "Power" and is_top(side.exponent)):
        side = unwrapped(side.arg if kind(side) == "Transpose" else side.base)
    ref = page.symbols.ref(side)
    return ref.key if ref is not None and not ref.entries and ref.key not in page.symbols.timed and page.symbols.ranks.get(ref.key) == 2 else ""


def fed_back(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    """An input that the document computes from the state, by formulas that are no part of the page or in words, of a line that follows the state."""
    if not any(follows_a_state(page, n) for side in (link.left, link.right) for n in walk(side)):
        return ""
    states = {letter_of(plain(key)) for key in page.lagged}
    names = (n for key in sorted(rests_on(page, outcome.used)) for n in walk(page.definitions[key].node) if kind(n) == "Name" and stepped(page, n))
    inputs = {letter_of(n.base): n for n in names if (ref := page.symbols.ref(n)) is None or ref.key not in page.definitions}
    return next((w for w, n in inputs.items() if w not in states and (leads_from(court, w, states) or told(court, page, n))), "")


def stepped(page: Page, name: Any) -> bool:
    """Whether a name counts steps, if only beside a component."""
    return any(page.symbols.letter in letters(x) for x in name.subs)


def letter_of(name: str) -> str:
    """A name without its indices."""
    return name.partition("_")[0]


def rests_on(page: Page, used: set[str]) -> set[str]:
    """The quantities that a line names, and all that they are computed from."""
    found: set[str] = set()
    ahead = [key.removeprefix("pre:") for key in used]
    while ahead:
        if (key := ahead.pop()) in page.definitions and key not in found:
            found.add(key)
            ahead += stepped_names(page.definitions[key], page.symbols.letter)
    return found


def follows_a_state(page: Page, node: Any) -> bool:
    """Whether a derivative is one of a state by a state."""
    refs = [page.symbols.ref(unwrapped(end)) for end in (node.of, node.wrt)] if kind(node) == "Derivative" else []
    return bool(refs) and all(r is not None and r.key in page.lagged for r in refs)


def leads_from(court: Court, head: str, states: set[str]) -> bool:
    """Whether the equations of the document for a letter, and for those in these, come to a state."""
    found: set[str] = set()
    ahead = [head]
    while ahead:
        found.add(here := ahead.pop())
        for s in court.statements:
            if kind(s.node) != "Relation" or s.node.signs[0] not in EQUAL or derived(s.node):
                continue
            own = letter_of(spelled(unwrapped(s.node.sides[0])) or "")
            named = {other.base for _, other, _ in names_in(s.node.sides[-1])} if own == here else set()
            if named & states:
                return True
            ahead += named - found
    return False


def told(court: Court, page: Page, name: Any) -> bool:
    r"""Whether a sentence says that a quantity depends on a state: "the context $c_t$ is a sum whose weights depend on $s_{t-1}$"."""
    prose = masked(court.words, False)
    for sentence in SENTENCE.split(prose.text):
        m = DEPENDS.search(sentence) if said(DEPENDS, sentence) else None
        parts = (sentence[: m.start()], sentence[m.end() :]) if m is not None else ("", "")
        before, after = ([n for mark in re.findall(PH, part) for n in prose.nodes(mark)] for part in parts)
        states = [r for n in after if (r := page.symbols.ref(unwrapped(n))) is not None and r.key in page.lagged]
        if states and any(page.canon(n) == page.canon(name) for n in before):
            return True
    return False
