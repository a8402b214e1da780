r"""Equations in words: ``$\partial h_t/\partial h_{t-1}$ is $0$``, ``… vanishes``, ``… is not zero``, ``$h_t$ is the same as $h_{t-1}$``.

The two sides are formulas of the text, or the second one is a word for 0 or I.  A sentence that asks, supposes, denies or quotes states
nothing; nor does one that tells of a derivative how large it is, or what it is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.reading.prose import PH, SENTENCE, besides, clause
from symgrad.check.reading.relations import number
from symgrad.check.reading.statements import derived
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.sources.document import Fragment, Passage, joined, passage

if TYPE_CHECKING:
    from symgrad.check.sources import Document

SAID = "sentence"  # the kind of a fragment that such a sentence makes
SOFT = r"(?:(?:which|then|therefore|thus|hence|also|again|always|now|simply|just|exactly|only|itself|identically|precisely|in fact)\b,?\s*)*"
SAME = r"(?P<same>(?:the same as|equal to|identical to)\s+)?"
BE = r"(?:is|are|remains|stays|(?P<would>would be|will be|must be|should be))(?P<no>n't|\s+not|\s+never)?\s+"
BECOME = r"(?:(?P<equals>equals)|(?P<turns>becomes|turns into|reduces to|simplifies to)|is given by|evaluates to|turns out to be)\s+"
WORD = (
    r"(?P<non>non-?)?(?:the\s+)?(?P<zero>zero)\b(?:\s+matrix)?(?!-|\s+(?:to|in|at|for|mean|out|or)\b)"
    r"|the\s+(?P<unit>identity)\b(?:\s+matrix)?(?!-|\s+(?:plus|minus|times|function)\b)"
)
STATES = re.compile(
    rf"\s*,?\s*{SOFT}(?:(?:{BE}{SOFT}{SAME}|{BECOME}{SOFT})(?:{WORD}|(?P<formula>(?=\$|\\\(|\\\[|$)))"
    r"|(?:(?P<stays>does not|doesn't|never)\s+)?(?P<vanish>vanish(?:es)?)\b)",
    re.IGNORECASE,
)
BARRED = re.compile(  # before the first formula: of another thing, or in its clause no assertion
    r"\b(?:of|on|in|to|over|by|from|with|between|than|or|per|into|through|using|for|at|about|against|under|via)\s+(?:(?:the|all|both|every|each)\s+)*$"
    r"|\b(?:if|when|whenever|where|while|unless|until|whether|suppos\w+|assum\w+|let|provided|once|not|\w+n't|never|cannot|no|impossible|wrong\w*|false\w*|"
    r"incorrect\w*|mistake\w*|almost|nearly|claim\w*|believ\w+|think\w*|thought|says?|said|want\w*|hope\w*|like|norm|sign|shape|size|rank|entry|entries)\b"
    rf"[^,:{PH[1:-1]}]*$",
    re.IGNORECASE,
)
ASKS = re.compile(r"^\W*(?:q\d*\W+)?(?:why|how|is|are|does|do|what|would|could|can|isn't|doesn't)\b", re.IGNORECASE)
GOES_ON = re.compile(  # behind the second one
    r"\s*[,)]?\s*(?:or|unless|except|only|iff|if and only|plus|minus|times|multiplied|scaled|divided|followed|up to|per|for (?:some|most|all but)|in magnitude|"
    r"by|(?:[\w-]+\s+){0,2}(?:dimension\w*|matri\w+|vectors?|tensors?|arrays?))\b|\s*-\w",
    re.IGNORECASE,
)
VALUES = frozenset({"Name", "Number", "Negative", "Sum", "Product", "Infix", "Hadamard", "Power", "Index", "Fraction", "Diagonal", "Transpose", "Big", "Apply",
                    "Derivative"})  # fmt: skip
Read = Callable[[str], Sequence[Any]]


def sentences(document: Document, read: Read) -> Iterator[tuple[int, Fragment, str]]:
    """The equations that sentences state: the number of the last formula, the equation, and what may make it mean less than it says."""
    fragments = document.fragments
    for k, first in enumerate(fragments):
        m = STATES.match(first.after) if first.kind == "inline" else None
        if m is None or not asserted(first):
            continue
        left = value(read(first.latex))
        if left is None or not (derived(left) or ((m["same"] or m["equals"]) and head_and_parts(left) is not None)):
            continue
        sign = r"\neq" if m["no"] or m["non"] or m["stays"] else "="
        at = first.source.ends[-1]
        if m["formula"] is None:
            word = m["zero"] or m["unit"] or m["vanish"]
            start = document.text.find(word, at, at + 2 * m.end() + 20)
            if start < 0 or GOES_ON.match(first.after, m.end()):
                continue
            body = Passage("I" if m["unit"] else "0", [start], [start + len(word)])
            yield k, stated(document, first, sign, body, passage(word, start), first.after[m.end() :]), loosely(m, first, first.after[m.end() :], True)
        elif k + 1 < len(fragments):
            second = fragments[k + 1]
            right = value(read(second.latex)) if second.kind in ("inline", "display") else None
            adjoining = second.before.rstrip().endswith(m[0].strip()) and second.source.starts[0] >= at
            if right is None or not adjoining or of_size(right) or GOES_ON.match(second.after) or asks(second.after):
                continue
            plain = number(right) is not None or kind(right) == "Name"
            yield k + 1, stated(document, first, sign, second.body, second.source, second.after), loosely(m, first, second.after, plain)


def loosely(m: re.Match[str], first: Fragment, after: str, plain: bool) -> str:
    """The words by which a sentence may be meant of another cell, or in a limit; a derivative that is 0 or I needs values for which it is that."""
    rest, given = besides(first.before, after)
    if rest:
        return rest
    if m["would"] or (m["vanish"] and not m["stays"]) or ((plain or m["turns"]) and not given):
        return m[0].strip()
    return ""


def stated(document: Document, first: Fragment, sign: str, body: Passage, source: Passage, after: str) -> Fragment:
    """The fragment whose formula is the equation and whose text is the sentence."""
    begin, end = first.source.ends[-1], source.starts[0]
    between = passage(document.text[begin:end], begin)
    equals = Passage(f" {sign} ", [begin] * (len(sign) + 2), [end] * (len(sign) + 2))
    return replace(first, body=joined([first.body, equals, body]), source=joined([first.source, between, source]), kind=SAID, after=after)


def value(nodes: Sequence[Any]) -> Any:
    """The formula of a fragment that holds one, and no relation."""
    node = unwrapped(nodes[0]) if len(nodes) == 1 else None
    return node if kind(node) in VALUES else None


def asserted(fragment: Fragment) -> bool:
    """Whether the sentence as far as the formula, and the end of it, leave what it says an assertion."""
    here = clause(fragment.before)
    return not (BARRED.search(here) or ASKS.match(here) or asks(fragment.after))


def asks(after: str) -> bool:
    """Whether the sentence ends with a question mark."""
    end = SENTENCE.search(after)
    return end is not None and after[end.start()] == "?"


def of_size(node: Any) -> bool:
    r"""``m \times n``."""
    return kind(node) == "Infix" and node.sign == "times" and all(kind(unwrapped(a)) in ("Name", "Number") for a in node.args)
