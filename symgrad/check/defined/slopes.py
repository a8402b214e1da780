r"""Letters that a document gives to derivatives and to gradients: their equations are claims, and define nothing of the cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from symgrad.check.reading.naming import called_a_gradient
from symgrad.check.reading.statements import DEFINING, Statement, loss_head, names_in, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts, is_top, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped
from symgrad.notation.syntax import Name, Number

Letter: TypeAlias = tuple[str, tuple[str, ...]]  # a letter, whatever its indices

def named_slopes(s: Statement) -> Iterator[Letter]:
    r"""The letters that a statement gives to derivatives: P in ``P_t := \partial h_t / \partial \theta``."""
    rel = relation_of(s.node)
    if rel is None or rel.signs[0] not in DEFINING or kind(unwrapped(rel.sides[1])) != "Derivative":
        return
    own = head_and_parts(unwrapped(rel.sides[0]))
    if own is not None:
        yield slope_name(own[0])


def slope_name(head: Name) -> Letter:
    """What tells a letter from others, whatever its indices."""
    return head.base, head.accents


def letters_behind(rel: Any) -> set[Letter]:
    """The letters that stand on the right."""
    return {slope_name(head) for side in rel.sides[1:] for _, head, _ in names_in(side)}


def recursive(rel: Any, head: Name) -> bool:
    """Whether the letter on the left stands on the right too."""
    return slope_name(head) in letters_behind(rel)


def gradients(relations: list[tuple[Statement, Any]], letter: str, told: set[Letter]) -> set[Letter]:
    r"""The letters that are `told` to be gradients, those of gradients of a loss, ``g_t = \partial L / \partial h_t``, and of what is computed from these.

    So is that of ``e_t = g_t \odot (1 - h_t^2)``, which is computed from such letters alone.
    """
    sides = [(s, rel, own) for s, rel in relations if rel.signs[0] in DEFINING and (own := head_and_parts(unwrapped(rel.sides[0]))) is not None]
    by_loss = [(s.number, own) for s, rel, own in sides if loss_head(getattr(unwrapped(rel.sides[1]), "of", None)) is not None]
    first = {slope_name(head): number for number, (head, parts) in reversed(by_loss) if step_part(parts, letter) is not None}
    found = set(first)
    given = [(slope_name(own[0]), letters_behind(rel)) for s, rel, own in sides if not s.derives and not backwards(rel, own)]
    before = {slope_name(own[0]) for s, _, own in sides if not s.derives and s.number < first.get(slope_name(own[0]), 0)}
    behind_them = computed(found, given)
    found -= {name for name, behind in given if not behind & (found if name in before else behind_them)}
    return computed(found | told, given)


def computed(found: set[Letter], given: list[tuple[Letter, set[Letter]]]) -> set[Letter]:
    """The letters and those that are computed from them, by every equation that gives them."""
    out = set(found)
    while more := {name for name, behind in given if behind & out} - {name for name, behind in given if not behind & out} - out:
        out |= more
    return out


def told_gradients(statements: list[Statement]) -> set[Letter]:
    r"""The letters at steps that words call gradients, if no equation before the words has them: "$e_t$: derivative at the argument of the activation"."""
    known: set[Letter] = set()
    found: set[Letter] = set()
    for s in statements:
        split = head_and_parts(s.node) if kind(s.node) in ("Name", "Power", "Index") and s.fragment is not None else None
        if split is not None and split[1] and slope_name(split[0]) not in known and loss_head(s.node) is None and called_a_gradient(s.fragment):
            found.add(slope_name(split[0]))
        elif relation_of(s.node) is not None and not s.derives:
            known |= {slope_name(head) for _, head, _ in names_in(s.node)}
    return found


def backwards(rel: Any, own: Any) -> bool:
    r"""Whether an equation is of the last step, or has transposed weights outside of activations: ``g_T = V^\top e``, which is no gate."""
    at_the_end = any(spelled(p.node) == "T" for p in own[1])
    return at_the_end or any(turned(n) for side in rel.sides[1:] for n in outside_activations(side))


def turned(node: Any) -> bool:
    return kind(node) == "Transpose" or (kind(node) == "Power" and is_top(node.exponent))


def error_signal(rel: Any, letter: str) -> str | None:
    r"""The e of ``e_t = (1 - h_t^2) \odot (V^\top (\hat y_t - y_t) + W^\top e_{t+1})``: it runs backwards, and is a gradient, no state.

    Its value at the next step stands in no activation, beside a transposed weight, a slope, or a gradient of the loss.
    """
    split = head_and_parts(unwrapped(rel.sides[0]))
    step = step_part(split[1], letter) if split is not None else None
    if split is None or step is None or number_at(step.node, {letter: 0}) != 0 or len(rel.sides) != 2:
        return None
    free = [*outside_activations(rel.sides[1])]
    own = {
        number_at(at.node, {letter: 0})
        for n in free
        for _, head, parts in (names_in(n) if kind(n) in ("Name", "Power", "Index") else ())
        if head == split[0] and (at := step_part(parts, letter)) is not None
    }
    transposed = any(map(turned, free))
    sloped = any(kind(n) == "Sum" and n.args[0] == Number("1") and kind(n.args[-1]) == "Negative" and kind(n.args[-1].arg) == "Power" for n in free)
    primed = any(kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes for n in free)
    of_losses = any(kind(n) == "Derivative" and loss_head(n.of) is not None for n in free)
    later = 1 in own and (transposed or sloped or primed or of_losses)
    earlier = -1 in own and transposed and (sloped or primed or of_losses)  # along a chain that runs from the last step to the first
    return spelled(split[0]) if later or earlier else None


def outside_activations(node: Any) -> Iterator[Any]:
    """The nodes of a formula that stand in no function's argument."""
    yield node
    if kind(node) == "Apply":
        return
    for child in children(node):
        yield from outside_activations(child)
