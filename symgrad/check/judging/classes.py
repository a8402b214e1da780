r"""The entry of the class that is wanted: ``\frac{\partial L}{\partial z_y} = p_y - 1``, where the loss is ``-\log p_y``.

It holds where the same holds of every entry k with the entry k of the one-hot vector for 1, which it is at k = y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.forms.onehot import CLASSES
from symgrad.check.judging.court import Court
from symgrad.check.judging.proof import attempt, proved
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import HOT, loss_head, step_part
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name, Number


def at_the_class(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where it holds of every entry so; open where it does not, and where another entry than that of the class may be meant."""
    page = under(court.page(court.order(link.statement)[0]))
    found = None if page is None else entry_of_the_class(court, page, link)
    if page is None or found is None:
        return None
    index, step = found
    counter = Name(next(w for w in "kijmnpq" if all(n.base != w for side in (link.left, link.right) for n in walk(side) if kind(n) == "Name")))
    left, right = (rebuilt(side, dict(at_any(side, index, counter, step))) for side in (link.left, link.right))
    outcome = attempt(court, page, left, right, replace(link, left=left, right=right, earlier=()))
    if outcome.equal:
        return proved(court, page, outcome, link).assuming(f"{index} is the class that is wanted")
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
