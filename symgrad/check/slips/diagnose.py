r"""What is wrong, and the smallest change that makes it right.

Every single edit of the right side is evaluated in the readings in which the claim had values; the first that makes it true names the
slip, the place, and the repair, written by putting the changed piece into the author's own text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.symbols import head_and_parts, key_of, letters, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.slips.edits import Edit, Slips
from symgrad.check.slips.search import Reading, Search
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.world import Missing, Unsupported
from symgrad.notation.text import text as in_plain_text

SIZED = re.compile(r"\\(?:left|[Bb]igg?l?)\s*$")  # the size of a bracket that is gone
CARETS = str.maketrans({"²": "^2", "³": "^3", "ᵀ": "^T"})  # as it is written where no such sign stands
READINGS = 8
RUNS = 3000  # evaluations of a side for the diagnosis of one claim: nearly all slips that are found at all take fewer
FEWER = 400  # for what a claim lacks that is refuted anyway: what is found takes 130 at most
SHAPELY = frozenset({"transposed-factor", "wrong-shape", "wrong-symbol"})  # slips that leave a formula without shape


@dataclass(frozen=True, slots=True)
class Repair:
    """The slip, its place in the fragment, and the right side as it should be."""

    code: str
    message: str
    expected: str | None
    blame: tuple[int, int] | None


def repair(page: Page, outcome: Outcome, link: Any, runs: int, edits: Callable[[Slips], Iterator[Edit]] = Slips.all_edits) -> Repair | None:
    """The first single edit that makes the claim true."""
    try:
        page.world  # noqa: B018
    except (Missing, Unsupported, ValueError):
        return None
    if outcome.missing is not None and not outcome.typed:
        return renamed(page, outcome, link)
    slips = Slips(page, link.right, link.left, of_numbers=bool(outcome.near) and all(flat for _, flat, _ in outcome.near))
    readings: list[Reading] = []
    for chooser, flat, lenient in outcome.near:
        if not any(flat == f and lenient == l and chooser.fixed == c.fixed for c, f, l in readings):
            readings.append((chooser, flat, lenient))
    if not readings:
        readings = [(Chooser(), False, False), (Chooser(), False, True)]
    search = Search(page, link, edits(slips), runs)
    # the likeliest reading first with all edits: an unlikely reading would find unlikely slips
    for pick in ([readings[0]], readings[1:READINGS]):
        for batch in search.batches() if pick else ():
            for reading in pick:
                search.sift(batch, reading)
            for number, edit in enumerate(batch.edits):
                for reading in pick:
                    if search.spent:
                        return None
                    if search.holds(batch, number, reading):
                        return written(lifted(edit, slips), link, page)
                if outcome.misfits and not outcome.typed and edit.code in SHAPELY and pick == readings[:1] and search.composes(edit):
                    return written(lifted(edit, slips), link, page)
    return None


def lifted(edit: Edit, slips: Slips) -> Edit:
    """An edit under a superscript, told of the whole power: the two have one place in the text."""
    at, new = edit.at, edit.new
    parent = slips.parents.get(id(at))
    while new is not None and parent is not None and kind(parent) in ("Power", "Transpose", "Index"):
        new = rebuilt(parent, {id(at): new})
        at = parent
        parent = slips.parents.get(id(at))
    return replace(edit, at=at, new=new)


def renamed(page: Page, outcome: Outcome, link: Any) -> Repair | None:
    """A symbol that nothing defines: the known name in its place that makes the claim true."""
    assert outcome.missing is not None
    node = outcome.missing.where
    if node is None or not hasattr(type(node), "__dataclass_fields__"):
        return None
    split = head_and_parts(node)
    if split is None:
        return None
    slips = Slips(page, link.right, link.left)
    wanted = key_of(split[0], [p for p in split[1] if page.symbols.letter not in set(letters(p.node))]) or spelled(split[0]) or ""
    step = next((p.node for p in split[1] if page.symbols.letter in set(letters(p.node))), None)
    same = [n for n in walk(link.right) if n == node]
    if not same:
        return None
    decider = Decider(page)
    decider.remember(link.left, link.right, alike=False)
    candidates = sorted((k for k in slips.models if k not in page.world.model.hidden), key=lambda k: -SequenceMatcher(None, k, wanted).ratio())
    for key in candidates[:14]:
        new = slips.named(key, step)
        if new is None or (step is not None) != (key in page.symbols.timed) or not alike(key, wanted):
            continue
        tree = rebuilt(link.right, {id(n): new for n in same})
        found = decider.decide(link.left, tree, limit=12, modes=((False, False), (False, True)))
        if found.equal:
            edit = Edit(tree, "undefined-symbol", same[0], new, f"nothing in the document defines {wanted}")
            return written(edit, link, page)
    return None


def alike(key: str, wanted: str) -> bool:
    """Whether a name may have been written for another one by a slip: both are single letters with as many labels, or most of one stands in the other."""
    letters = [[len(part.partition("~")[0]) for part in name.split("_")] for name in (key, wanted)]
    return (letters[0] == letters[1] and max(letters[0]) == 1) or SequenceMatcher(None, key, wanted).ratio() >= 0.5


def written(edit: Edit, link: Any, page: Page) -> Repair:
    """The repair in the author's text."""
    span = getattr(edit.at, "span", None)
    whole = getattr(link.right, "span", None)
    expected = None
    fragment = link.statement.fragment
    text = fragment.latex if fragment is not None else ""
    plain = fragment is not None and fragment.kind in ("code", "line") and not page.program

    def write(node: Any) -> str:
        return in_plain_text(node).translate({} if CARETS.keys() & {*map(ord, text)} else CARETS) if plain else page.write(node)

    def shown(node: Any) -> str:
        return f"`{write(node)}`" if plain else page.shown(node)

    if span is not None and text[span.start : span.end].lstrip().startswith(BARRED):  # the bar of an adjoint, which the name has not
        edit = replace(edit, new=barred_again(edit.new), at=barred_again(edit.at))
    try:
        if (
            edit.inserted is not None
            or span is None
            or whole is None
            or edit.tree is edit.new
            or not (whole.start <= span.start and span.end <= whole.end)
            or edit.new is None
            or shared(edit.at, link.right)
            or rebuilt(link.right, {id(edit.at): edit.new}) != edit.tree  # it changes more than the place that is shown
        ):
            expected = write(edit.tree)
        else:
            piece = write(edit.new)
            enclosed = text[: span.start].rstrip()[-1:] in ("(", "[", "{", "=") and text[span.end :].lstrip()[:1] in (")", "]", "}")
            own = text[span.start : span.end]
            enclosed |= own[:1] in ("(", "[") and own[-1:] in (")", "]")
            if kind(edit.new) in ("Sum", "Negative") and edit.at is not link.right and not enclosed:
                piece = f"({piece})"
            before, after = text[whole.start : span.start], text[span.end : whole.end]
            if fragment is not None and fragment.body.origin is not None:  # put into Python from another language
                before, after = fragment.written(whole.start, span.start), fragment.written(span.end, whole.end)
            before = (r"\left" if text[: whole.start].endswith(r"\left") else "") + before
            if piece[:1] not in ("(", "[", "|"):
                before = SIZED.sub("", before)
            if piece.startswith("(-") and before.rstrip().endswith("+"):  # a + (-b) is written a - b
                before, piece = before.rstrip()[:-1] + "- ", piece[2:-1]
            elif kind(edit.new) == "Negative" and piece.startswith("-") and before.rstrip().endswith("+"):
                before, piece = before.rstrip()[:-1] + "- ", piece[1:].lstrip()
            elif piece.startswith("(-") and not before.strip():
                piece = piece[1:-1]
            expected = (before + piece + after).strip()
    except (ValueError, TypeError, AttributeError, KeyError):
        expected = None
    message = edit.message
    try:
        if edit.inserted is not None:
            message = f"{message}: {shown(edit.inserted)}" if edit.code == "missing-factor" else message
        elif edit.new is not None and edit.at is not None and kind(edit.at) in ("Name", "Power", "Index", "Transpose", "Apply"):
            message = f"{message}: {shown(edit.new)} for {shown(edit.at)}"
    except (ValueError, TypeError, AttributeError, KeyError):
        pass
    blame = (span.start, span.end) if span is not None else (whole.start, whole.end) if whole is not None else None
    return Repair(edit.code, message, expected, blame)


BARRED = (r"\bar", r"\overline")


def barred_again(node: Any) -> Any:
    return replace(node, accents=("bar",)) if kind(node) == "Name" and not node.accents else node


def shared(node: Any, whole: Any) -> bool:
    """Whether other parts of a formula have the same place in the text: what a function of a program came to, at its call."""
    inside = {id(n) for n in walk(node)}
    return any(n.span == node.span and id(n) not in inside for n in walk(whole) if n is not whole)


__all__ = ["Repair", "repair", "unwrapped"]
