r"""Statements and their links: ``A = B = C`` asserts ``A = B`` and ``B = C``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from symgrad.check.reading.conditions import special
from symgrad.check.reading.naming import named_in_words
from symgrad.check.reading.relations import lifted, ranged, together, valued
from symgrad.check.reading.sentences import SAID, sentences
from symgrad.check.reading.settle import known_in, settled
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Relation, Words

if TYPE_CHECKING:
    from symgrad.check.sources import Document, Fragment

EQUAL = frozenset({"=", ":=", "==", "=:", "triangleq", "equiv", "+="})


BRACE = re.compile(r"(?:\\left|\\[Bb]igg?l?)?\s*(?:\\?\{|\\lbrace\b|\\set\b)")
SIZED = re.compile(r"\\(?:left|[Bb]igg?l?)\s*$")  # the size of a bracket that a side begins with
BETWEEN = re.compile(r"(?:.*\\\\(?:\[[^\]]*\])?)?[\s&]*", re.DOTALL)  # what stands between two sides, up to the sign or its row


@dataclass(frozen=True, slots=True)
class Link:
    """One relation between two neighbouring sides of a statement; behind the first one it is shown as its sign and its right side."""

    statement: Statement
    number: int
    left: Any
    right: Any
    sign: str
    start: int
    stop: int
    earlier: tuple[Any, ...] = ()
    given: tuple[Any, ...] = ()  # the condition of one of several cases


COLON = re.compile(r"(?:\\[,;! ]|\\quad|[\s&{}])*:(?!=)")
OPEN = frozenset(("<", ">", "<=", ">=", "<<", ">>", "approx", "simeq", "sim"))  # signs with which a sentence says something of what it has named in words


def statements_of(document: Document) -> Iterator[Statement]:
    """Every relation of the document, in order; a line that begins with ``=`` goes on from the one before."""
    number = 0
    last: Any = None
    read = cache(parse_dialect)  # documents repeat themselves: $h_t$ a hundred times
    parsed = [(fragment, read(fragment.latex, code=fragment.kind in ("code", "line"))) for fragment in document.fragments]
    known = known_in([n for _, nodes in parsed for n in nodes])
    parsed = [(fragment, [settled(n, known) for n in nodes]) for fragment, nodes in parsed]
    told = {k: (fragment, loose) for k, fragment, loose in sentences(document, read)}
    named = {i.behind: i for i in named_in_words(document, parsed) if i.behind not in told}
    for k, (fragment, nodes) in enumerate(parsed):
        ahead: tuple[Any, ...] = ()  # what the formula says that it is about, ``z = 1: ∂h/∂h = I, z = 0: …``
        for node in nodes:
            whole = ranged(node)
            conditions: tuple[Any, ...] = ()
            node = whole
            if kind(node) == "Given":
                conditions, node = node.conditions, node.node
            node, more = lifted(node)
            conditions += more
            behind = tuple(c for c in (*conditions, node) if valued(c) and leads(fragment, c))
            conditions = tuple(c for c in conditions if all(c is not b for b in behind)) or ahead
            ahead = behind or ahead
            goes_on = kind(node) == "Relation" and kind(node.sides[0]) == "Blank" and last is not None
            if goes_on := goes_on and not apart(document, parsed, k, node.signs[0] in OPEN):
                node = Relation((last, *node.sides[1:]), node.signs, span=node.span)
            if kind(node) == "Relation":
                last = node.sides[-1]
            yield Statement(fragment, node, whole, conditions, number, goes_on=goes_on)
            number += 1
        if k in told and (s := in_words(*told[k], [settled(n, known) for n in read(told[k][0].latex)], number)) is not None:
            yield s
            number += 1
        if k in named:
            yield Statement(named[k].fragment, named[k].node, named[k].node, (), number, unpacked=True)
            number += 1


def leads(fragment: Fragment, node: Any) -> bool:
    """Whether a colon behind a relation says that what follows is about it."""
    span = getattr(node, "span", None)
    return fragment.kind == "display" and span is not None and COLON.match(fragment.latex, span.end) is not None


CODE_FIRST = re.compile(r"[.;:]\s[^`$]*`[^`$\n]+`\s*\$?$")  # a new sentence in which code stands for the left side, "Incoming: `gh` $= …$"


def apart(document: Document, parsed: list[tuple[Fragment, list[Any]]], k: int, words: bool) -> bool:
    """Whether a formula in a sentence says nothing of the one before it: another cell of a table, an item of a list, or `words` stand between."""
    fragment = parsed[k][0]
    if fragment.kind != "inline" or not k:
        return False
    first, last = parsed[k - 1][0].extent()[1], fragment.extent()[0]
    if CODE_FIRST.search(document.text[first:last]) is not None:
        return True
    return re.search(r"\n\s*(?:[-*+|]|\d+[.)])\s|\||</?(?:t[dhr]|li|p|br)\b" + (r"|[^\W\d_]{2}" if words else ""), document.text[first:last]) is not None


def in_words(fragment: Fragment, loose: str, nodes: list[Any], number: int) -> Statement | None:
    """The statement of a sentence; of quantities themselves only where it says for which values: ``with $z = 1$, $h_t$ is the same as $h_{t-1}$``."""
    if len(nodes) != 1 or kind(nodes[0]) != "Relation" or len(nodes[0].sides) != 2:
        return None
    s = Statement(fragment, nodes[0], nodes[0], (Words(loose),) if loose else (), number)
    return s if s.derives or special(s) else None


def span_of(node: Any) -> tuple[int, int] | None:
    span = getattr(node, "span", None)
    return None if span is None else (span.start, span.end)


def links(s: Statement) -> Iterator[Link]:
    """The links of a statement; remarks such as ``\\in R^n`` belong to the side before them."""
    rel = s.node
    if kind(rel) != "Relation":
        return
    whole = span_of(rel) or (0, len(s.fragment.latex) if s.fragment is not None else 0)
    before = 0
    sides = list(rel.sides)
    for k, sign in enumerate(rel.signs):
        left, right = sides[before], sides[k + 1]
        ranged = sign in ("in", "∈") and kind(unwrapped(right)) in ("Stack", "Tuple") and len(unwrapped(right).args) == 2 and not of_values(s, right)
        if (sign in ("in", "notin", "∈") and not ranged) or kind(unwrapped(right)) == "Words":
            continue
        first = span_of(left) if before or not (s.goes_on or kind(rel.sides[0]) == "Blank") else None  # of another formula, perhaps
        start = first[0] if first is not None and whole[0] <= first[0] <= whole[1] else whole[0]
        last = span_of(right)
        stop = last[1] if last is not None else whole[1]
        if k + 1 == len(rel.signs):
            stop = max(stop, whole[1])
        if before == 0 and k == 0:
            start = min(start, whole[0]) if start > whole[1] else start
            size = SIZED.search(s.fragment.latex, 0, start) if s.fragment is not None and s.fragment.kind != SAID else None
            start = size.start() if size is not None else start
        here = span_of(left)
        told = s.fragment is None or s.fragment.kind == SAID
        if (before or (k and sign not in EQUAL)) and not told and last is not None and here is not None and here[1] < last[0]:
            gap = BETWEEN.match(s.fragment.latex, here[1], last[0])
            start = max(start, gap.end() if gap is not None else here[1])
        link = Link(s, k, left, right, sign, start, max(stop, start), tuple(sides[:before]))
        yield from cases(link) or (link,)
        before = k + 1


def of_values(s: Statement, node: Any) -> bool:
    r"""Whether what something is in has braces around it: ``\{0, 1\}`` is a set of two values, no interval."""
    span = span_of(node)
    return s.fragment is not None and span is not None and BRACE.match(s.fragment.latex, span[0]) is not None


def cases(link: Link) -> list[Link]:
    r"""``A = \begin{cases} I & z = 1 \\ 0 & z = 0 \end{cases}`` as ``A = I`` if z = 1 and ``A = 0`` if z = 0; nothing for other cases."""
    node = unwrapped(link.right)
    given = [together(c) for c in node.conditions] if kind(node) == "Cases" and link.sign in EQUAL else []
    if not any(given):
        return []
    out = []
    for k, (value, condition, said) in enumerate(zip(node.values, node.conditions, given, strict=True)):
        spans = [x for x in (span_of(value), span_of(condition)) if x is not None]
        start, stop = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else (link.start, link.stop)
        out.append(replace(link, number=link.number + 1000 * k, right=value, start=start, stop=stop, given=said or (Words("otherwise"),)))
    return out


__all__ = ["Link", "Statement", "links", "replace", "statements_of"]
