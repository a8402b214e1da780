r"""The factor of a mean over the steps and the symbols for gradients beside it: of the mean, or of the losses of the steps as they are added up.

Where ``L = \frac{1}{T} \sum_t L_t``, ``\delta_t = \hat y_t - y_t`` tells that δ is without the factor, so that
``\frac{\partial L}{\partial V} = \frac{1}{T} \sum_t \delta_t h_t^\top``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.cell.written import COUNTS
from symgrad.check.court.marks import gradients_in, symbol_on
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.evaluation.recognise import seeking, symbol_of
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import loss_head
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk


def summed_marks(page: Page, lines: list[Link]) -> bool | None:
    """Whether symbols for gradients are of the sum of the losses of the steps, as the lines tell that give one by no other; None if none tells."""
    if page.loss_weight is None or page.summed_too or not any(kind(n) == "Name" and n.base in COUNTS for n in walk(page.loss_weight)):
        return False
    told = {reading for link in lines for reading in readings(page, link)}
    return told.pop() if len(told) == 1 else None


def readings(page: Page, link: Link) -> Iterator[bool]:
    """In which of the two readings a line holds that gives a symbol for a gradient by quantities alone, if it is one."""
    named = symbol_of(page, link.left) if link.sign == "=" and not link.number else None
    marked = link.sign == "=" and not link.number and symbol_on(page, link.left) is not None
    right = unwrapped(link.right)
    if (named is not None or marked) and kind(right) == "Derivative" and spelled(loss_head(right.of)) in page.averaged:
        yield False  # it says itself that it is of the mean
        return
    if (named is None and not marked) or not any(page.symbols.ref(n) is not None for n in walk(link.right)) or of_gradients(page, link.right, link):
        return
    for reading in (True, False):
        other = page.twin() if marked or named is None else seeking(page, named[0], link.right)
        other.marks_summed = reading
        if Decider(other).decide(link.left, link.right).equal:
            yield reading


def of_gradients(page: Page, side: Any, link: Link) -> bool:
    """Whether a side has a gradient in it."""
    return bool(gradients_in(page, replace(link, left=side, right=side))) or any(kind(n) == "Derivative" for n in walk(side))
