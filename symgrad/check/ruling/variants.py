r"""Variants of a cell that are not written in full: "the residual variant $h_t = h_{t-1} + \tanh(\cdot)$", a gate of which a sentence changes the equation.

What follows is about the variant, and neither proved nor refuted of the cell that the document defines.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.court.named import tied
from symgrad.check.defined.definitions import definition_of_side
from symgrad.check.defined.page import Definition, Page, plain
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.evaluation.functions import left_out
from symgrad.check.reading.claims import Link
from symgrad.check.reading.hypotheses import COMPILED, SLOPE, SUPPOSING, around, told
from symgrad.check.reading.prose import PARAGRAPH, clause
from symgrad.check.reading.statements import DEFINING, Statement, derived
from symgrad.check.reading.trees import kind, walk
from symgrad.check.ruling.dependent import fed_back, rests_on, tied_weights
from symgrad.check.ruling.tied import follows
from symgrad.notation.reading.dialect import parse_dialect

ITEM = re.compile(r"\s*(?:[-*+•][ \t]|\d+[.)][ \t]|\(\w{1,3}\)|\||\\item\b|\*\*\(?\w{1,3}[.)])")
DERIVES = re.compile(r"\\partial|∂|\\nabla|∇|\\delta|δ|\bd\w+\s*/\s*d")
WHAT_IF = re.compile(  # "What if I average over time?"
    r"\b(?:what (?:\w+ )?if|was (?:\w+,? )?wenn|et si|que se passe-t-il si|qué (?:pasa|ocurre|sucede) si|что(?: будет)?,? если)\b[^?]*\?"
    r"|(?:如果|假如|もし)[^?？]*[?？]",
    re.IGNORECASE,
)
CHANGES = re.compile(  # "Drop the nonlinearity."
    r"\A[\W\d_]*(?:(?:now|next|instead|nun|jetzt|maintenant|ahora),?\s+)?(?:drop|divide|multiply|replace|remove|change|omit|double|halve|average|scale"
    r"|normali[sz]e|freeze|swap|exchange|switch|square|weight|teile|ersetze|entferne|verdopple|divis\w+|remplac\w+|supprim\w+|divid\w+|reemplac\w+"
    r"|elimin\w+|sostitu\w+|раздел\w+|замен\w+|уберите|убер[её]м)\b[^.]*\b(?:loss|cost|error|objective|non-?linearity|activation|tanh|bias(?:es)?|outputs?|gates?"
    r"|feedback|softmax|verlust|fehler|nichtlinearität|aktivierung|perte|coût|pérdida|costo?|activación|perdita|потер\w+|активаци\w+|нелинейност\w+)\b",
    re.IGNORECASE,
)


def kept_open(court: Court, link: Link) -> str:
    """Why a line that fails need not be wrong: it may be one about a cell that is not the one it was held against."""
    if key := sketched(court, link.statement):
        return f"the document gives {plain(key)} another equation here and leaves a part of it out"
    if key := varied(court, link.statement):
        return f"the document gives {plain(key)} another equation before this, not all of which can be read"
    if key := changed(court, link.statement):
        return f"the sentences before this give {plain(key)} another equation, and may suppose more of the cell than that"
    tried = court.order(link.statement)
    if both := tied_weights(court, court.page(tried[0]), link):
        return f"the document says that {both} are one matrix"
    others = (k for k in range(len(court.collected.groups)) if k not in tried)
    if any(attempt(court, court.page(k), link.left, link.right, link).holds for k in others):
        return "this holds of another cell of the document, and not of the one that is in force here"
    if any(attempt(other, other.page(0), link.left, link.right, link).holds for k in tried if (other := by_itself(court, k)) is not None):
        return "this holds of the cell without what the document computes from another one"
    return ""


def by_itself(court: Court, k: int) -> Court | None:
    """The court of the equations that the document gives one of several cells, if it lends them outputs of others."""
    group, page = court.collected.groups[k], court.page(k)
    lent = page.definitions.keys() - group.definitions.keys()
    if not lent or lent & rests_on(page, {*group.definitions}):
        return None
    other = copy(court)
    other.collected, other.pages, other.orders = replace(court.collected, groups=[group]), {}, {}
    return other


def not_of_the_cell(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    """Why a line that holds need not be right: what it rests on is another quantity where it stands, or was supposed elsewhere."""
    if both := tied_weights(court, page, link):
        return f"the document says that {both} are one matrix, and this holds where they are two"
    if key := fed_back(court, page, outcome, link):
        return f"this holds only if {key} does not depend on the state, and the document says that it does"
    if in_words(page, link):
        return "the sentence before this changes the model in words, and this holds of the model as it was"
    on = rests_on(page, outcome.used)
    if (key := varied(court, link.statement)) in on:
        return f"the document gives {plain(key)} another equation before this, not all of which can be read"
    for key in sorted(on):
        last = in_its_paragraph(court, key, link.statement)
        if last is not None and last is not page.definitions[key] and not (within_reach(court, page.definitions[key], link.statement) or follows(page, last)):
            return f"the sentences before this give {plain(key)} another equation than the one by which this holds"
        place = page.definitions[key].place
        if place is not None and supposed(court, key, place) and not within_reach(court, page.definitions[key], link.statement):
            return f"the equation of {plain(key)} by which this holds is supposed elsewhere, and not where this stands"
    return ""


def in_its_paragraph(court: Court, key: str, s: Statement) -> Definition | None:
    """The last equation of a quantity in the paragraph of a line, before it."""
    given = [d for g in court.collected.groups if not g.alone and (d := g.definitions.get(key)) is not None and before(d, s)]
    here = paragraph(court, s) if given else 0
    inline = (d for d in given if d.place.fragment is not None and d.place.fragment.kind == "inline" and paragraph(court, d.place) == here)
    return max(inline, key=lambda d: int(d.place.number), default=None)


def in_words(page: Page, link: Link) -> bool:
    """Whether the sentence before that of a line changes the model, and the page is what it was."""
    fragment = link.statement.fragment
    as_written = any(side is link.right for side in getattr(link.statement.node, "sides", ()))  # and not as the words make it
    if fragment is None or page.origin is not None or not as_written:
        return False
    before = fragment.before.rstrip() if fragment.kind == "display" else fragment.before
    _, _, earlier, _ = around([before])
    asked = WHAT_IF.search(PARAGRAPH.split(before)[-1])
    return CHANGES.search(earlier) is not None or (asked is not None and not told(COMPILED[SLOPE], asked[0]))  # that is followed


def within_reach(court: Court, d: Definition, s: Statement) -> bool:
    """Whether a line stands in the paragraph of an equation, or the words before it name the cell that this belongs to."""
    tie = tied(court, s)
    named = tie.near and any(court.collected.groups[k].definitions.get(d.key) is d for k in tie.groups)
    return named or (d.place is not None and paragraph(court, d.place) == paragraph(court, s))


def sketched(court: Court, s: Statement) -> str:
    r"""The state or gate to which a formula gives an equation with a part left out, ``h_t = h_{t-1} + \phi(\cdot)``, or one that cannot be read."""
    letter, node = court.collected.letter, s.node
    if kind(node) == "Relation" and node.signs[0] in DEFINING and not derived(node):
        elided = any(kind(n) == "Apply" and len(n.args) == 1 and left_out(n.args[0]) for n in walk(node.sides[1]))
        found = definition_of_side(node.sides[0], letter) if elided and kind(node.sides[1]) != "Apply" else None
    elif kind(node) == "Unread" and s.fragment is not None and s.fragment.latex.count("=") == 1 and not DERIVES.search(s.fragment.latex):
        sides = parse_dialect(s.fragment.latex.partition("=")[0].rstrip(" &:"))
        found = definition_of_side(sides[0], letter) if len(sides) == 1 else None
    else:
        return ""
    known = {key for g in court.collected.groups if not g.alone for key, d in g.definitions.items() if before(d, s)}
    return found[0] if found is not None and found[0] in known and not found[3] else ""


def varied(court: Court, s: Statement) -> str:
    """What has got such an equation before a line, under its heading, and no whole one since."""
    if s.fragment is None:
        return ""
    for other in reversed(court.statements[: s.number]):
        if other.fragment is None or other.fragment.heading != s.fragment.heading or (other.number, 0) in court.collected.defining:
            break
        if key := sketched(court, other):
            return key
    return ""


def changed(court: Court, s: Statement) -> str:
    """A quantity of a cell to which the paragraph of a line gives another equation, the rest of the cell being what it was."""
    here = paragraph(court, s)
    for g in court.collected.groups:
        for key, d in g.definitions.items():
            place = d.place
            if place is None or place.number >= s.number or place.fragment is None or place.fragment.kind != "inline" or not again(court, key, place):
                continue
            if paragraph(court, place) == here and len(court.page(court.order(s)[0]).definitions) > len(g.definitions):
                return key
    return ""


def supposed(court: Court, key: str, place: Statement) -> bool:
    """Whether an equation is supposed in the place of another one, in an item of a list that derives from it or behind words: for this paragraph alone."""
    if place.fragment is None or place.fragment.kind != "inline" or not again(court, key, place):
        return False
    here = paragraph(court, place)
    item = ITEM.match(PARAGRAPH.split(place.fragment.before)[-1]) is not None
    derives = item and any(s.derives and paragraph(court, s) == here for s in court.statements[place.number :])
    return derives or SUPPOSING.search(clause(place.fragment.before)) is not None


def again(court: Court, key: str, place: Statement) -> bool:
    """Whether an equation is not the first one of a quantity, and not the same."""
    earlier = [k for k, g in enumerate(court.collected.groups) if not g.alone and key in g.definitions and before(g.definitions[key], place)]
    own = next((d for g in court.collected.groups if (d := g.definitions.get(key)) is not None and d.place is place), None)
    return own is not None and any(not follows(court.page(k), own) for k in earlier)


def before(d: Definition, s: Statement) -> bool:
    """Whether an equation stands before a statement."""
    return d.place is not None and d.place.number < s.number


def paragraph(court: Court, s: Statement) -> int:
    """Where the paragraph begins that leads to a line, over displays that nothing stands before."""
    for other in (s, *reversed(court.statements[: s.number])):
        if (f := other.fragment) is not None and f.before.strip():
            text = f.before.rstrip() if f.kind == "display" else f.before
            return int(f.extent()[0] - len(f.before) + max((m.start() for m in PARAGRAPH.finditer(text)), default=0))
    return 0
