r"""Sums that are not written out, ``\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - z_t) + \text{terms of the gates}``.

What is written must be some of the paths of the derivative on the left, or some of what the gradient there is summed from; the other paths, and
there must be some, are what words or dots stand for.  Words that name gates stand for paths through these alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.evaluation.parts import Paths, Share
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.trees import FACTORS, kind, unwrapped, walk
from symgrad.check.ruling.proof import proved
from symgrad.notation.syntax import Sum

STRICTLY = ((False, False), (False, True))
MOST = 400  # readings: every choice among the paths is one


def unsaid(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where the terms that are written are some of those of the derivative on the left and words or dots stand for the others."""
    left = unwrapped(link.left if split(link.left) is None else link.earlier[0] if link.earlier else link.left)
    found = split(link.right) if link.sign in EQUAL and kind(left) == "Derivative" else None
    for page in court.pages_of(link.statement, under) if found is not None else ():
        ref = page.symbols.ref(unwrapped(left.wrt))
        if found is None or ref is None or ref.key not in page.symbols.timed:
            continue
        written, left_out = found
        named = {r.key for n in walk(left_out) if (r := page.symbols.ref(n)) is not None and r.key in page.definitions} - {ref.key}
        some = Share(ref.key, ref.step) if loss_head(left.of) is not None else Paths(left, frozenset(named))
        outcome = Decider(page).decide(some, written, limit=MOST, modes=STRICTLY)
        if outcome.equal:
            return proved(court, page, outcome, replace(link, right=written))
    return None


def split(node: Any) -> tuple[Any, Any] | None:
    """The terms that are written, and the one that is not; None where all are."""
    args = unwrapped(node).args if kind(unwrapped(node)) == "Sum" else ()
    left_out = [a for a in args if wordy(a)]
    written = tuple(a for a in args if not wordy(a))
    if len(left_out) != 1 or not written:
        return None
    return (Sum(written) if len(written) > 1 else written[0]), left_out[0]


def wordy(node: Any) -> bool:
    r"""Whether a term is words or dots: ``\text{terms through } z_t``, ``\cdots``, a phrase in a script without spaces."""
    node = unwrapped(node)
    if kind(node) in FACTORS:
        return kind(unwrapped(node.args[0])) == "Words"
    phrase = kind(node) == "Name" and len(node.base) > 2 and not (node.subs or node.accents or node.base.isascii())
    return phrase or kind(node) == "Words" or (kind(node) == "Ellipsis" and node.sign == "dots")
