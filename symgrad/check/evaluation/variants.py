r"""Several formulas in one place: what differs in that place alone is evaluated in one go.

A value of variants has all its worlds once for each of them, one after the other along the first axis; whatever meets it there is
repeated as often.  So a product of five factors with forty candidates for the third is evaluated once, not forty times.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import _step_like, head_and_parts, letters, spelled
from symgrad.check.reading.trees import Variants, by_identity, children, kind, unwrapped, walk
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.values import Value, Valueless

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run

THROUGH = frozenset({"Sum", "Negative", "Product", "Hadamard", "Infix", "Power", "Transpose", "Fraction", "Apply", "Diagonal", "Paren", "Big"})


NEVER = ("Misfit", "Missing", "Unsupported")  # why a formula has no value at any step


class Apart(Exception):
    """Variants that have no value together, as their shapes differ: the numbers of those that have, and of those that have none at all."""

    def __init__(self, together: list[list[int]], valueless: list[int]) -> None:
        super().__init__()
        self.together, self.valueless = together, valueless


def variants(run: Run, node: Variants) -> Value:
    """The values of all variants, if they are of one shape."""
    found = [_outcome(run, n) for n in node.nodes]
    alike: dict[Hashable, list[int]] = {}
    for k, v in enumerate(found):
        shape: Hashable = (v.dims, v.orient, v.flipped, v.plain, v.d is None) if isinstance(v, Value) else type(v).__name__
        alike.setdefault(shape, []).append(k)
    if len(alike) > 1:
        valueless = [k for why in NEVER for k in alike.pop(why, ())]
        raise Apart(list(alike.values()), valueless)
    first = found[0]
    if isinstance(first, Valueless):
        raise first.again()
    return Value(np.concatenate([v.a for v in found if isinstance(v, Value)]), first.d if len(found) == 1 else None, first.orient, first.plain, first.flipped)


def _outcome(run: Run, node: Any) -> Value | Valueless:
    """The value in the same reading; what one variant asks does not change the others."""
    chooser, run.chooser = run.chooser, Chooser(run.chooser.fixed)
    try:
        return run.value(node)
    except Valueless as e:
        return e.again()
    finally:
        chooser.repeat(tuple(run.chooser.log))
        run.chooser = chooser


def surroundings(page: Page, tree: Any, place: Any, old: frozenset[int]) -> Hashable | None:
    """All of a formula but what stands in one place, `old` its parts that are known; None where more than the value of the place counts."""
    if tree is place:
        return "…"
    if id(tree) in old:
        return id(tree)
    k = kind(tree)
    if k in ("Number", "Name"):
        return tree  # type: ignore[no-any-return]
    if k not in THROUGH or telling(tree, k, place):
        return None
    parts = [surroundings(page, c, place, old) for c in children(tree)]
    told = counted(page, str(spelled(tree.index)), place) if k == "Big" and tree.index is not None else None
    return None if any(p is None for p in parts) else (k, getattr(tree, "sign", ""), getattr(tree, "kind", ""), told, *parts)


def counted(page: Page, index: str, place: Any) -> Hashable:
    """What the index of a sum counts, as far as one place of its body tells: steps, or components of some number."""
    for n in walk(place):
        ref = page.symbols.ref(n)
        if ref is None:
            if kind(n) == "Index" and any(index in letters(p) for p in n.parts):
                return "components"
            continue
        for size, e in zip(page.world.model.dims.get(ref.key, ()), ref.entries, strict=False):
            if index in letters(e):
                return size
        if ref.step is not None and index in letters(ref.step):
            return "steps"
    return None


def telling(tree: Any, k: str, place: Any) -> bool:
    """Whether the meaning of what stands around a place is told by what is written there, beside its value."""
    if k == "Apply":
        return len(tree.args) > 1 or (unwrapped(tree.args[0]) is place and (kind(place) == "Apply" or head_and_parts(place) is not None or _step_like(place)))
    if k in ("Sum", "Product", "Hadamard", "Infix"):
        marks = [a.base in MARKS if kind(a) == "Name" else kind(unwrapped(a)) == "Ellipsis" and None for a in tree.args]
        return None in marks or any(mark and after is place for mark, after in zip(marks, tree.args[1:], strict=False))
    return (k == "Transpose" and unwrapped(tree.arg) is place) or (k == "Power" and tree.exponent is place)


def implicit(tree: Any) -> bool:
    """Whether a formula has parts whose meaning the names beside them tell: slopes without an argument, dots."""
    return unplaced(tree) or any(kind(n) == "Ellipsis" for n in walk(tree))


@by_identity
def unplaced(tree: Any) -> bool:
    r"""Whether a formula has ``\sigma'`` or ``\partial g`` without its argument."""
    k = kind(tree)
    if k == "Differential" or (k == "Name" and tree.primes):
        return True
    return any(map(unplaced, children(tree.function) + tree.args if k == "Apply" else children(tree)))
