r"""The entry of the class that is wanted: ``\frac{\partial L}{\partial z_y} = p_y - 1``, where the loss is ``-\log p_y``.

It holds where the same holds of every entry k with the entry k of the one-hot vector for 1, which it is at k = y.  Of an entry k that is said
to be that of the class, or of another one, it is tried in worlds where the class is the first; of examples that are said to be positive or
negative, where what is wanted is 1 or 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.forms.onehot import CLASSES, component
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import HOT, loss_head, step_part
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.functions import with_functions
from symgrad.check.ruling.proof import proved
from symgrad.notation.syntax import Name, Number

OTHERS = re.compile(r"\b(?:otherwise|else|other|others|remaining|rest|wrong)\b|其他|其余|否则|それ以外|나머지|остальн|autres?|andere", re.IGNORECASE)
POSITIVE, NEGATIVE = (re.compile(rf"\b{word}\b|{other}", re.IGNORECASE) for word, other in (("positive", "正例|正样本"), ("negative", "负例|负样本|負例")))
MATRICES = ((False, False), (False, True))


def of_either(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Where a line holds of the class that is wanted alone, or of the others, of positive examples or of negative ones: proved, if that is said; else open."""
    for page in court.pages_of(link.statement, under):
        named = {ref.key for side in (link.left, link.right) for n in walk(side) if (ref := page.symbols.ref(n)) is not None}
        if named & {*page.targets.values()}:
            continue  # it says itself what is wanted
        for other, what, said in (*of_a_letter(court, page, link), *of_a_sign(page, link)):
            outcome = Decider(other).decide(link.left, link.right, modes=MATRICES)
            if outcome.equal and not outcome.vanished:
                return proved(court, other, outcome, link).assuming(f"this is said of {what}") if said else ambiguous(f"this holds of {what} alone")
    return None


def of_a_letter(court: Court, page: Page, link: Link) -> list[tuple[Page, str, bool]]:
    """The page on which the index of an entry is that of the class, and of another one, and whether the document says so."""
    by = [n.wrt for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and loss_head(n.of) is not None]
    refs = [ref for n in by if (ref := page.symbols.ref(unwrapped(n))) is not None]
    counters = {str(spelled(e)) for ref in refs for e in ref.entries[:1] if kind(e) == "Name" and not e.subs and str(spelled(e)).lower() not in CLASSES}
    if len(counters) != 1 or not court.of_a_class:
        return []
    (w,) = counters
    given = [unwrapped(c.node) for c in court.conditions(link)]
    own = any(component(c) is not None and w in map(spelled, c.sides) for c in given)
    rest = any(kind(c) == "Relation" and c.signs == ("!=",) and w in map(spelled, c.sides) for c in given)
    cases = [(0, "the class that is wanted", own), (1, "the other classes", rest or OTHERS.search(before(link)) is not None)]
    out = []
    for at, what, said in [case for case in cases if case[0] == rest] if own != rest else cases:
        other = with_functions(page, {})
        other.first, other.only = True, {**page.only, w: at}
        other.memos["worlds"] = page.memos["worlds of the first class"]
        out.append((other, what, said))
    return out


def of_a_sign(page: Page, link: Link) -> list[tuple[Page, str, bool]]:
    """The page on which what is wanted of an output between 0 and 1 is one of these, and whether the words say so."""
    out, words = [], before(link)
    targets = [page.targets[key] for key, rule in page.world.model.losses.items() if rule.removeprefix("-").startswith("binary:") and key in page.targets]
    for value, what, told in ((1, "positive examples", POSITIVE), (0, "negative examples", NEGATIVE)) if targets and not page.fixed else ():
        other = copy(page)
        other.fixed = {(target, None): value for target in targets}
        out.append((other, what, told.search(words) is not None))
    return out


def before(link: Link) -> str:
    """The words of the sentence before a line."""
    fragment = link.statement.fragment
    return clause(fragment.before.rstrip()) if fragment is not None else ""


def at_the_class(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where it holds of every entry so; open where it does not, and where another entry than that of the class may be meant."""
    page = under(court.page(court.order(link.statement)[0]))
    found = None if page is None else entry_of_the_class(court, page, link)
    if page is None or found is None:
        return None
    index, step = found
    counter = Name(next(w for w in "kijmnpq" if all(n.base != w for side in (link.left, link.right) for n in walk(side) if kind(n) == "Name")))
    left, right = (rebuilt(side, dict(at_any(side, index, counter, step))) for side in (link.left, link.right))
    anywhere = replace(link, left=left, right=right, earlier=())
    outcome = attempt(court, page, left, right, anywhere)
    if outcome.equal:
        return proved(court, page, outcome, anywhere).assuming(f"{index} is the class that is wanted")
    return ambiguous(f"the entry {index} may be that of the class that is wanted, or of another one")


def entry_of_the_class(court: Court, page: Page, link: Link) -> tuple[str, tuple[Any, ...]] | None:
    """The index for the class in the derivative of a loss, and the step; that of any class in ``∂L/∂z_i = p_i`` too."""
    by = [n.wrt for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and loss_head(n.of) is not None]
    for n, split in ((n, found) for n in by if (found := head_and_parts(unwrapped(n))) is not None):
        ref = page.symbols.ref(unwrapped(n))
        counting = [] if ref is None else [spelled(e) for e in (*ref.entries, ref.step) if e is not None]
        classes = [w for p in split[1] if (w := str(spelled(p.node))).lower() in CLASSES and (ref is None or w in counting)]  # the y of b_y is a label
        step = tuple(p.node for p in split[1] if step_part((p,), page.symbols.letter) is not None)
        index = classes[0] if classes else None
        shown = page.symbols.ref(unwrapped(link.right))
        if index is None and shown is not None and shown.key in page.targets and split[1] and court.of_a_class:
            index = str(spelled(split[1][-1].node))
        if index is not None:
            return index, step[:1]
    return None


def at_any(node: Any, index: str, counter: Name, step: tuple[Any, ...]) -> list[tuple[int, Any]]:
    """What stands for the entry of the class at any entry: the index, and the ones that are added or divided."""
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    if split is not None:
        return [(id(p.node), counter) for p in split[1] if spelled(p.node) == index]
    if node == Number("1"):
        return [(id(node), Name(HOT, (), (*step, counter)))]
    inner = (node.body,) if kind(node) == "Big" else children(node)
    return [pair for child in inner for pair in at_any(child, index, counter, step)]
