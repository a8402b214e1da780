r"""Symbols for gradients that name nothing of the cell: ``\delta_{out} = \hat y_t - y_t`` is the adjoint of what the softmax is applied to.

The quantity is found by its value: the formula that the document gives the symbol is held against every adjoint of the cell.  That only
ever proves; what the symbol stands for is reported, and later lines may use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgrad.check.defined.incomplete import UNKNOWN
from symgrad.check.evaluation.gradients import adjoint, all_losses, beside, weighed
from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import head_and_parts, key_of, letters, number_at
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value
from symgrad.check.worlds.world import TOTAL, OutOfTime

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run

NO_GRADIENTS = frozenset({"diag", "det", "dim", "dot", "dropout", "data", "depth", "dist", "div", "def", "delta"})  # words with a d that is no mark


def symbol_of(page: Page, node: Any) -> tuple[str, Any] | None:
    r"""The name of a symbol for a gradient, and its step: ``δ_{out,t}``, ``d\,pre_t``, ``dpre``; None for any other symbol."""
    node = unwrapped(node)
    mark = ""
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name" and node.args[0].base in MARKS and not node.args[0].subs:
        mark, node = node.args[0].base, unwrapped(node.args[1])
    elif kind(node) == "Differential" and node.sign != "prime":
        mark, node = node.sign, unwrapped(node.arg)
    split = head_and_parts(node)
    if split is None:
        return None
    head, parts = split
    labels = [p for p in parts if not is_step(page, p.node)]
    steps = [p.node for p in parts if is_step(page, p.node)]
    word = head.base[:1] == "d" and len(head.base) > 1 and head.base.lower() not in NO_GRADIENTS
    told = head.base in MARKS and (labels or head.base == "delta")  # ``\delta_t`` alone too, where its recursion tells what it is
    if len(steps) > 1 or not (mark or word or told) or (not mark and page.symbols.ref(node) is not None):
        return None
    name = key_of(head, labels)
    return None if name is None else (f"{mark} {name}".strip(), steps[0] if steps else None)


def is_step(page: Page, node: Any) -> bool:
    return kind(node) == "Number" or (bool(found := set(letters(node))) and found <= {page.symbols.letter, "t", "k", "T", "tau"})


def recognised(run: Run, node: Any) -> Value | None:
    """The adjoint that the sought symbol is taken for in this reading, or that an earlier line has settled it to be."""
    sought = run.page.sought is not None or any(symbol.startswith("? ") for symbol in run.page.meanings)
    found = symbol_of(run.page, node) if sought else None
    if found is None:
        return None
    name, slot = found
    settled = run.page.meanings.get(f"? {name}")
    if settled is None and name != run.page.sought:
        return None
    options = tuple(o for o in candidates(run, name) if settled in (None, str(o.value)))
    at = number_at(slot, run.env) if slot is not None else run.env.get(run.page.symbols.letter, run.env.get("now"))
    if at is None or not options:
        return None
    how, key, back = run.chooser.choose(("recognised", name), options)
    step = int(at) - back
    if key in run.world.model.hidden and not 1 <= step <= run.world.steps:
        raise OutOfTime(key)
    now = beside(run)
    return weighed(run, adjoint(run, key, step, all_losses(run), how)) if now is None else adjoint(run, key, step, (now,), how)


def candidates(run: Run, name: str) -> list[Option]:
    """Every adjoint of the cell at the symbol's step; of a state also the part that comes through the next step, of a weight one step's contribution.

    ``\\delta b_i`` beside a gate i is of that gate, if of any.
    """
    page, model = run.page, run.world.model
    out = []
    label = name.rpartition("_")[2]
    for key in model.dims:
        if label in page.definitions and owner(page, key) not in (label, None):
            continue
        if key in page.targets.values() or key in model.stacks or (key in page.targets and key not in page.loss_rules):
            continue  # where the loss is not written out, `\delta_t = y_t - d_t` is what says so
        reader = spoken(page, key)
        if key in page.symbols.timed or key in model.hidden:
            out.append(Option(1, (TOTAL, key, 0), f"{name} is the gradient of the loss by {reader}"))
        else:
            out.append(Option(2, ("use", key, 0), f"{name} is the contribution of step t to the gradient of the loss by {reader}"))
        if key in page.lagged:
            through = f"{name} is the part of the gradient by {reader} that comes through the next step"
            out += [Option(2, ("carry", key, 0), through), Option(2, ("carry", key, 1), f"{through}, of the step before")]
    return sorted(out, key=lambda o: o.cost)


def gate_of(page: Page, key: str) -> str | None:
    """The gate of which this is the preactivation, None if it is none."""
    return key[4:] if key.startswith("pre:") else next((g for g, named in page.preactivations.items() if named == key), None)


def owner(page: Page, key: str) -> str | None:
    """The gate that a quantity belongs to, by its letter or its label; None for a parameter of no gate."""
    if key in page.symbols.timed:
        return (gate_of(page, key) or key).split("~")[0]
    label = key.rpartition("_")[2].removeprefix(UNKNOWN).split("~")[0]
    return label if label in page.definitions else None


def spoken(page: Page, key: str) -> str:
    """A quantity as a reader calls it."""
    gate = gate_of(page, key)
    if key.startswith("pre:"):
        return f"what the activation of {page.notes.get(key[4:], key[4:])} is applied to"
    return page.notes.get(key, key) if gate is None else f"{page.notes.get(key, key)}, the preactivation of {page.notes.get(gate, gate)}"


def seeking(page: Page, name: str, formula: Any) -> Page:
    """The page on which a symbol may be any adjoint, instead of standing for the formula that introduces it."""
    out = page.twin()
    out.sought = name
    out.abbreviations = {key: short for key, short in page.abbreviations.items() if short.node is not formula}
    return out
