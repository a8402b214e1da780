r"""Losses that are no plain sum over the steps of what goes with the output: weighted or masked, a maximum, made of other losses and of something else."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.cell.written import COUNTS, spelled_out
from symgrad.check.court.court import Court
from symgrad.check.court.marks import gradients_in
from symgrad.check.defined.page import Page
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.statements import Statement, bound_letters, loss_head, names_in, weight
from symgrad.check.reading.symbols import head_and_parts, labelled, letters, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk
from symgrad.notation.syntax import Name

SIZES = COUNTS | {"m", "B", "S", "M", "K", "C"}  # letters for how many steps, examples or components there are
FIXED = re.compile(r"\bdetach|\bstop[- ]?grad|\bconstants?\b|\bfixed\b|\bfrozen\b|\bsemi-gradient|\btarget network|常数|固定", re.IGNORECASE)
MOVING = re.compile(r"\b(?:not|no|never|without|isn't)\b\W{0,3}(?:\w+\W+)?(?:detach|stop[- ]?grad|constant|fixed|frozen)|\bresidual gradient", re.IGNORECASE)
NORM = "an absolute value"
LOGARITHMS = frozenset({"log", "ln"})


def weighed(court: Court, page: Page, link: Link, used: set[str]) -> str:
    """What stands beside the output in the formula of a loss that no rule knows; empty if nothing does, or if no loss of an output is used.

    A norm is a loss like another one for the chain rule, in a line that names neither what is wanted nor a symbol for a gradient.
    """
    outputs = {key for key, target in page.targets.items() if {key, target} & used}
    for s in court.statements if outputs and not court.program else ():
        found = beside(page, spelled_out(page, s.node.sides[-1]), outputs, bound_letters(s.node)) if defines_a_loss(s) else ""
        if found and not (found == NORM and any_loss(page, link)):
            return found
    return ""


def any_loss(page: Page, link: Link) -> bool:
    """Whether a line names neither what is wanted of an output nor a symbol for a gradient."""
    wanted, names = {*page.targets.values()}, [n for side in (link.left, link.right) for n, _, _ in names_in(side)]
    return not any((ref := page.symbols.ref(n)) is not None and ref.key in wanted for n in names) and not gradients_in(page, link)


def computed(court: Court, page: Page, used: set[str]) -> str:
    """What is wanted of an output, where the document computes it from the output itself and does not say that it is held fixed."""
    wanted = {target: output for output, target in page.targets.items() if {output, target} & used}
    held = FIXED.search(court.words) is not None and MOVING.search(court.words) is None
    for s in court.statements if wanted and not court.program and not held else ():
        ref = page.symbols.ref(unwrapped(s.node.sides[0])) if kind(s.node) == "Relation" and not s.derives and s.node.signs[0] in EQUAL else None
        if ref is not None and ref.key in wanted and any((r := page.symbols.ref(n)) is not None and r.key == wanted[ref.key] for n in walk(s.node.sides[-1])):
            return page.shown(s.node.sides[0])
    return ""


def beside(page: Page, node: Any, outputs: set[str], bound: frozenset[str]) -> str:
    """What makes of the outputs in a formula something else than sums, numbers and logarithms do."""
    node = unwrapped(node)
    ref = page.symbols.ref(node)
    inside = [c for c in children(node) if any((r := page.symbols.ref(n)) is not None and r.key in outputs for n in walk(c))]
    if ref is not None or not inside or any(kind(n) in ("Given", "Stack") for n in walk(node)):
        return ""
    others = [c for c in children(node) if not any(c is i for i in inside)]
    match kind(node):
        case "Big" if node.kind != "sum":
            return str(node.kind)
        case "Absolute" | "Norm":
            return NORM
        case "Power" if kind(unwrapped(node.base)) in ("Absolute", "Norm"):
            inside = [*children(unwrapped(node.base))]
        case "Product" | "Infix" | "Hadamard" | "Fraction":
            for factor in others:
                if name := foreign(page, factor, bound):
                    return name
    return next((found for c in inside if (found := beside(page, c, outputs, bound))), "")


def foreign(page: Page, factor: Any, bound: frozenset[str]) -> str:
    """A quantity in a factor that is neither wanted of an output nor a number of steps."""
    wanted = {*page.targets.values()}
    calls = (n.function.base for n in walk(factor) if kind(n) == "Apply" and kind(n.function) == "Name")
    if extreme := next((str(f) for f in calls if f in ("max", "min")), ""):
        return extreme
    for n, head, parts in names_in(factor):
        ref, word = page.symbols.ref(n), str(spelled(head))
        number = not parts and word in SIZES | bound | {"top", "1", "mathbf1"}
        if not (number or (ref is not None and ref.key in wanted) or head.base in LOGARITHMS):
            return page.shown(n)
    return ""


def made_of_others(court: Court, page: Page, link: Link) -> str:
    r"""The loss that a line differentiates and the document makes of other losses otherwise than by adding up those of all steps, ``J = E/T``."""
    losses = {called(n.of) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and loss_head(n.of) is not None}
    for s in court.statements if losses and not court.program else ():
        own = loss_head(s.node.sides[0]) if defines_a_loss(s) else None
        if own is not None and called(s.node.sides[0]) in losses and (oddly(page, s.node.sides[-1]) or up_to_now(page, s)) and not relates(page, link, own):
            return str(spelled(own))
    return ""


def called(loss: Any) -> tuple[str, bool]:
    r"""The letter of a loss with its label, ``L_{\mathrm{aux}}``, and whether it is one of a step."""
    split = head_and_parts(unwrapped(loss))
    parts = split[1] if split is not None else ()
    labels = [p.node for p in parts if labelled(p.node) or a_word(p.node)]
    return "_".join([str(spelled(loss_head(loss))), *("".join(letters(n)) for n in labels)]), len(parts) > len(labels)


def a_word(label: Any) -> bool:
    r"""Whether a label is a word in italics, ``L_{aux}``, or a capital letter that counts no steps, ``L_A``."""
    alone = kind(label) == "Name" and not label.subs and label.base.isupper() and label.base not in ("T", "N")
    return alone or (kind(label) == "Product" and len(label.args) > 2)


def oddly(page: Page, node: Any) -> bool:
    """Whether other losses in a formula are divided, weighed or exchanged for the largest, or stand beside terms that are none."""
    node = unwrapped(node)
    if not holds_a_loss(page, node):
        return False
    match kind(node):
        case "Big":
            return node.kind != "sum" or oddly(page, node.body)
        case "Sum":
            return not all(kind(a) == "Ellipsis" or holds_a_loss(page, a) for a in node.args) or any(oddly(page, a) for a in node.args)
        case "Product" | "Infix" if loss_head(node) is None and weight(node) is None:
            return any(number_at(a, {}) is None for a in node.args if not holds_a_loss(page, a)) or any(oddly(page, a) for a in node.args)
    return kind(node) == "Fraction"


def holds_a_loss(page: Page, node: Any) -> bool:
    """Whether a formula has a symbol for a loss in it."""
    heads = (loss_head(n) for n in walk(node) if kind(n) in ("Name", "Apply", "Index", "Power"))
    return any(head is not None and spelled(head) in page.step_losses | page.total_losses for head in heads)


def up_to_now(page: Page, s: Statement) -> bool:
    r"""Whether a loss of a step is the sum of those up to that step, ``L_t = \sum_{s=1}^t \ell_s``."""
    split, right = head_and_parts(unwrapped(s.node.sides[0])), unwrapped(s.node.sides[-1])
    own = {w for p in split[1] for w in letters(p.node)} if split is not None else set()
    return kind(right) == "Big" and right.upper is not None and bool(own & {*letters(right.upper)}) and holds_a_loss(page, right)


def relates(page: Page, link: Link, own: Name) -> bool:
    """Whether every term of a line has a gradient of that very loss by a quantity of a step: then it does not matter how the loss is made."""
    sides = [unwrapped(side) for side in (link.left, link.right)]
    for term in (a for side in sides for a in (side.args if kind(side) == "Sum" else (side,))):
        found = [n for n in walk(term) if kind(n) == "Derivative" and loss_head(n.of) == own]
        refs = [page.symbols.ref(unwrapped(n.wrt)) for n in found]
        if not refs or not all(r is not None and r.key in page.symbols.timed for r in refs):
            return False
    return True


def defines_a_loss(s: Statement) -> bool:
    """Whether a statement says what a loss is."""
    return kind(s.node) == "Relation" and not s.derives and s.node.signs[0] in EQUAL and loss_head(s.node.sides[0]) is not None
