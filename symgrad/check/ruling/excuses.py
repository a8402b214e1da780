"""Paths that a line leaves out, and is excused for: what in the document says that it may not be.

A gradient of the loss may be read as that of the loss of a step, as the contribution of a step, as what comes through the next step; a derivative
as the immediate one.  Not where the words before a line speak of all paths, where another line gives the same gradient whole, or where the loss is
defined as the sum of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import Link, links
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import added_up, loss_head
from symgrad.check.reading.symbols import head_and_parts, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds.readings import Chooser, Option
from symgrad.check.worlds.world import OWN

WHOLE = re.compile(  # "the total derivative", "summed over all steps"
    r"\b(?:total|full|exact|complete|entire|true)\s+(?:(?!of\b)\w+\s+){0,2}?(?:gradient|derivative|jacobian)s?\b"
    r"|\b(?:gradient|derivative)s?\s+of\s+the\s+(?:total|whole|full)\s+(?:loss|cost|error|objective)"
    r"|\b(?:over|across|from|through)\s+(?:all|every)\s+(?:the\s+)?(?:time[- ]?)?steps?\b"
    r"|\bover\s+the\s+(?:whole|entire|full)\s+sequence\b|\bwithout\s+(?:any\s+)?truncation\b"
    r"|\b(?:vollständig|gesamt|total|voll|exakt)\w*\s+(?:Gradient|Ableitung|Jacobi)|\bGesamtgradient|\b(?:ü|ue)ber\s+alle\s+(?:Zeit)?schritte"
    r"|\b(?:gradient|dérivée)\s+(?:total|compl[eè]t|exact|enti[eè]r)e?\b|\bsur\s+tous\s+les\s+(?:pas|instants)"
    r"|\b(?:gradiente|derivada|derivata)\s+(?:total|complet|exact|exat|esatt|inter)\w*|\btod[oa]s\s+l?os\s+(?:pasos|passos|instantes)"
    r"|\btutti\s+i\s+(?:passi|tempi|istanti)|(?:полн|точн)\w+\s+(?:градиент|производн)|\bвсем\s+(?:шаг|момент)"
    r"|(?:总|總|全|完整)的?(?:梯度|导数|導數|微分)|(?:所有|全部)(?:的)?(?:时间步|時間步|时刻|時刻)"
    r"|全微分|全勾配|完全な(?:勾配|微分)|(?:すべて|全て|全)の(?:時刻|時間|ステップ)|전체\s*(?:기울기|그래디언트|미분)|전미분|모든\s*(?:시점|단계|시간)",
    re.IGNORECASE,
)
PATHS = re.compile(  # "along all paths"
    r"\b(?:all|every)\s+(?:the\s+|possible\s+)?paths?\b|\balle\w*\s+Pfade|\btous\s+les\s+chemins|\btod[oa]s\s+l?os\s+(?:caminos|caminhos)"
    r"|\btutti\s+i\s+(?:percorsi|cammini)|\bвсе(?:м|х)?\s+пут|(?:所有|全部)(?:的)?(?:路径|路徑)|(?:すべて|全て|全)の経路|모든\s*경로",
    re.IGNORECASE,
)
SUMMED = re.compile(
    r"\b(?:summ?(?:ed|ing|s)?|add(?:ed|s|ing)?\s+up|accumulated)\b[^.;]{0,12}\b(?:over|across)\s+(?:the\s+|all\s+|every\s+)*(?:\w+\s+)?"
    r"(?:time|(?:time)?-?\s?steps?|sequence|\$\s*\\?(?:t|tau|k|n)\b)|所有(?:时间步|时刻)[^。]{0,8}(?:之和|求和|相加)",
    re.IGNORECASE,
)
BEHIND = re.compile(r"\W*(?:if|where|when|with|for|as|since|wenn|wobei|où|si|donde|onde)\b|其中", re.IGNORECASE)  # the sentence goes on behind a line
OF_LOSSES = re.compile(r"\b(?:loss|cost|error|objective|criterion|entropy|squares?)(?:es|s)?\b|损失|误差", re.IGNORECASE)
OF_GRADIENTS = re.compile(r"\b(?:gradient|derivative|contribution|jacobian)s?\b|梯度|导数", re.IGNORECASE)
DETACHED = re.compile(r"\b(?:detach\w*|stop[- ]?grad\w*)\b|\bno\s+gradients?\s+(?:flows?|passes|is\s+(?:propagated|passed))\b", re.IGNORECASE)
APART = re.compile(r"\b(?:chunk|batch|window|segment|sequence|episode|epoch|truncat)\w*", re.IGNORECASE)  # between these it may be cut, within not
NOW, LATER = 40, 80  # steps that t and T may be
NOT_WHOLE = re.compile(r"\b(?:not|nicht|kein\w*|ne|no|non|não|не)\b|\bn'|不是|ではな|아니", re.IGNORECASE)


def unexcused(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    """What a line is excused for though the document says that it may not be; empty if there is nothing."""
    assert outcome.chooser is not None
    if court.program:
        return ""
    if detached(page) and flows(page, outcome, link):
        return "the gradient flows from one step to the step before, which it does not as the words say"
    told = {option.tag: option.note for _, option in excused(page, outcome.chooser, link)}
    told |= {"held": "some quantities are held fixed"} if page.constant else {}
    if not told:
        return ""
    barred = "mixed" in told or along_no_memory(page, outcome.chooser) or from_the_start(page, outcome, link) or may_not(court, page, link, set(told))
    return " and ".join(told.values()) if barred else ""


def may_not(court: Court, page: Page, link: Link, tags: set[str]) -> bool:
    """Whether the words before a line, another line or the loss as it is defined forbid to leave paths out, of these kinds."""
    left, within = unwrapped(first(link)), tags & {"immediate", "held"}
    if link.sign not in ("=", "==") or kind(left) != "Derivative":
        return False
    if tags == {"carry"} and not handed_over(page, left, link.right):
        return False
    if whole_by_words(court, link, bool(within)):
        return True
    if not within and "carry" not in tags and not at_a_step(page, link.right):
        return False  # ``\frac{\partial L}{\partial W} = \frac{\partial L}{\partial z} x^\top`` is a rule, of no step
    if given_whole(court, page, link):
        return True
    return bool(tags & {"loss", "use", "carry"}) and summed_loss(page, left, link.statement.number) and not (tags == {"use"} and adds_up(page))


def handed_over(page: Page, left: Any, right: Any) -> bool:
    r"""Whether a gradient by a quantity, ``\partial L/\partial h_t``, stands on both sides, at another step or at the same one."""
    key = by_what(page, left)
    return any(kind(n) == "Derivative" and loss_head(n.of) is not None and by_what(page, n) == key for n in walk(right))


def by_what(page: Page, derivative: Any) -> str:
    """The quantity that something is differentiated by."""
    ref = page.symbols.ref(unwrapped(derivative.wrt))
    return "" if ref is None else ref.key


def excused(page: Page, chooser: Chooser, link: Link) -> Iterator[tuple[Any, Option]]:
    """The answers of a reading that leave out paths to what a line gives: of which question, and what they say."""
    left: Any = unwrapped(link.left)
    ends = [page.symbols.ref(unwrapped(end)) for end in (left.of, left.wrt)] if kind(left) == "Derivative" else []
    keys = [None if ref is None else ref.key for ref in ends]
    for key, option in chooser.chosen:
        whole = option.tag == "immediate" and isinstance(key, tuple) and key[:2] == ("derivative", "left") and list(key[2:4]) == keys
        of_loss = isinstance(key, tuple) and key[0] in ("loss", "gradient") and option.tag in ("loss", "carry", "use")
        if option.note and (of_loss or whole or option.tag == "mixed"):
            yield key, option


def at_a_step(page: Page, side: Any) -> bool:
    """Whether a side names a step."""
    refs = ((n, page.symbols.ref(n)) for n in walk(side))
    return any((ref is not None and ref.step is not None) or spelled(n) == page.symbols.letter for n, ref in refs)


def first(link: Link) -> Any:
    """The side that a chain begins with."""
    return link.earlier[0] if link.earlier else link.left


def whole_by_words(court: Court, link: Link, paths: bool) -> bool:
    """Whether the sentence before a line, or the heading above it, says that the gradient is the whole one, or (paths) that no path is left out."""
    found = [text for text in words_before(court, link) if NOT_WHOLE.search(text) is None]
    return any(WHOLE.search(text) is not None or (paths and PATHS.search(text) is not None) for text in found)


def words_before(court: Court, link: Link) -> list[str]:
    """The heading above a line and the sentence before it, or before the first of several lines with nothing between them."""
    own = link.statement.fragment
    if own is None:
        return []
    for s in court.statements[link.statement.number :: -1]:
        if s.fragment is None or s.fragment.heading != own.heading:
            break
        said = clause(s.fragment.before.rstrip())
        if any(map(str.isalpha, said)):
            return [own.heading, said]
    return [own.heading]


def given_whole(court: Court, page: Page, link: Link) -> bool:
    """Whether another line gives what stands on the left without such an excuse, and as something else."""
    own = page.canon(unwrapped(first(link)))
    for s in court.statements:
        for other in links(s) if kind(s.node) == "Relation" and s.derives and s.broken is None else ():
            alike = page.canon(unwrapped(first(other))) == own and page.canon(other.right) != page.canon(link.right)
            whole = alike and other.sign in ("=", "==") and holds_whole(page, replace(other, left=first(other)))
            if whole and not Decider(page).decide(other.right, link.right).holds:  # a chain rule holds of the whole and of each part
                return True
    return False


def holds_whole(page: Page, link: Link) -> bool:
    """Whether an equation holds with all paths."""
    plain = copy(page)
    plain.constant = frozenset()
    if not page.constant:
        plain.memos["worlds"] = page.memos["worlds"]
    outcome = Decider(plain).decide(link.left, link.right)
    return outcome.holds and outcome.chooser is not None and not any(excused(page, outcome.chooser, link)) and unwrapped(link.left) != unwrapped(link.right)


def from_the_start(page: Page, outcome: Outcome, link: Link) -> bool:
    r"""Whether an immediate derivative is written in a state before the last one, ``\partial h_T/\partial w = w^{T-1} h_0``: that hangs on w too."""
    assert outcome.chooser is not None
    left: Any = unwrapped(link.left)
    of = page.symbols.ref(unwrapped(left.of)) if any(option.tag == "immediate" for _, option in excused(page, outcome.chooser, link)) else None
    if of is None or of.step is None:
        return False
    inside = {id(x) for n in walk(link.right) if kind(n) == "Derivative" for x in walk(n)}
    refs = [r for n in walk(link.right) if id(n) not in inside and (r := page.symbols.ref(n)) is not None and r.key in page.lagged and r.step is not None]
    now, *steps = (number_at(step, {page.symbols.letter: NOW, "T": LATER}) for step in (of.step, *(r.step for r in refs)))
    return now is not None and any(at is not None and at < now - 1 for at in steps)


def along_no_memory(page: Page, chooser: Chooser) -> bool:
    r"""Whether a derivative is taken along a state that is not computed from itself, ``h_t = o_t \odot \tanh(c_t)``: over many steps there is no such path."""
    keys = {key[2] for key, option in chooser.chosen if isinstance(key, tuple) and key[0] == "derivative" and option.value == OWN}
    own = ((key, page.definitions.get(key)) for key in keys)
    return any(d is None or not any(r.key == key and lag < 0 for r, lag in page.references(d)) for key, d in own)


def detached(page: Page) -> bool:
    """Whether the document says that no gradient flows from a step to the one before."""
    memo = page.memos["detached"]
    if not memo:
        texts = (s.fragment.before for s in page.statements if s.fragment is not None)
        memo["all"] = any(DETACHED.search(said) and not APART.search(said) for text in texts for said in re.split(r"[.!?。]\s", text))
    return bool(memo["all"])


def flows(page: Page, outcome: Outcome, link: Link) -> bool:
    """Whether a line holds only with the paths from a step to the one before."""
    cut = copy(page)
    cut.constant = page.constant | page.lagged
    assert outcome.chooser is not None
    return Decider(cut).in_reading(link.left, link.right, outcome.chooser.fixed, outcome.mode) == "differs"


def summed_loss(page: Page, left: Any, number: int) -> bool:
    """Whether the document has defined the loss that is differentiated as a sum over steps."""
    own = head_and_parts(unwrapped(left.of)) if loss_head(left.of) is not None else None
    if own is None or (own[1] and spelled(own[0]) not in page.tails):
        return False
    if not own[1] and summed_in_words(page, number):
        return True
    behind = [s for s in page.statements[number + 1 : number + 2] if s.fragment is not None and BEHIND.match(clause(s.fragment.before))]
    for s in (*page.statements[:number], *behind):
        head = loss_head(s.node.sides[0]) if kind(s.node) == "Relation" and not s.derives else None
        if head is not None and spelled(head) == spelled(own[0]) and any(over_the_steps(page, side) for side in s.node.sides[1:]):
            return True
    return False


def summed_in_words(page: Page, number: int) -> bool:
    """Whether the words before a line say that the loss is summed over the steps."""
    told = (s.fragment.before for s in page.statements[: number + 1] if s.fragment is not None)
    said = (part for text in told for part in re.split(r"[.!?。]\s", text))
    return any(SUMMED.search(part) and OF_LOSSES.search(part) and not (OF_GRADIENTS.search(part) or NOT_WHOLE.search(part)) for part in said)


def adds_up(page: Page) -> bool:
    r"""Whether the document adds to the gradients of parameters what each step gives, ``\frac{\partial L}{\partial W} \mathrel{+}= \ldots``."""
    for s in page.statements:
        left: Any = unwrapped(s.node.sides[0]) if kind(s.node) == "Relation" and "+=" in s.node.signs else None
        if kind(left) == "Derivative" and by_what(page, left) not in page.symbols.timed:
            return True
    return False


def over_the_steps(page: Page, side: Any) -> bool:
    """Whether a side has a sum over the steps."""
    indices = {spelled(n.index) for n in walk(side) if kind(n) == "Big" and n.kind == "sum" and n.index is not None}
    return bool(indices & {page.symbols.letter, "t", "k", "s", "tau"}) or added_up(unwrapped(side))

