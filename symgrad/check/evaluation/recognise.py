r"""Symbols for gradients that name nothing of the cell: ``\delta_{out} = \hat y_t - y_t`` is the adjoint of what the softmax is applied to.

The quantity is found by its value: the formula that the document gives the symbol is held against every adjoint of the cell.  That only
ever proves; what the symbol stands for is reported, and later lines may use it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.defined.incomplete import UNKNOWN
from symgrad.check.defined.page import LOSS, plain
from symgrad.check.evaluation.abbreviations import component
from symgrad.check.evaluation.gradients import adjoint, all_losses, beside, weighed_symbol
from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import head_and_parts, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value
from symgrad.check.worlds.world import TOTAL, OutOfTime
from symgrad.notation.syntax import Name

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run

PARAMETERS = frozenset({"b", "bias", "W", "w", "theta"})  # whose gradients are summed over the steps
NO_GRADIENTS = frozenset({"diag", "det", "dim", "dot", "dropout", "data", "depth", "dist", "div", "def", "delta"})  # words with a d that is no mark
BY = "∂"  # the mark of a gradient by what is no quantity
OUTPUT = frozenset({"out", "output", "outputs", "logit", "logits", "pred", "prediction"})
HIDDEN = frozenset({"hid", "hidden", "state", "rec", "recurrent"})
SHOWN = frozenset({"y", "out", "output", "outputs"})  # names for what a step shows
NOW = "now"  # the part of a gradient that the loss of its own step gives


def symbol_of(page: Page, node: Any) -> tuple[str, Any] | None:
    r"""The name of a symbol for a gradient, and its step: ``δ_{out,t}``, ``d\,pre_t``, ``dpre``; None for any other symbol.

    So too ``\partial L/\partial h_t^{(1)}``, by what is no quantity of the document.
    """
    found = indexed(page, node)
    return None if found is None else found[:2]


def indexed(page: Page, node: Any) -> tuple[str, Any, tuple[Any, ...]] | None:
    r"""The name of a symbol for a gradient, its step, and its components, the j of ``δ^{out}_{t,j}``."""
    node = unwrapped(node)
    mark = ""
    if kind(node) == "Derivative":
        split = head_and_parts(unwrapped(node.of))
        if split is None or spelled(split[0]) not in page.total_losses or split[1] or page.symbols.ref(unwrapped(node.wrt)) is not None:
            return None
        mark, node = BY, unwrapped(node.wrt)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name" and node.args[0].base in MARKS and not node.args[0].subs:
        mark, node = node.args[0].base, unwrapped(node.args[1])
    elif kind(node) == "Differential" and node.sign != "prime":
        mark, node = node.sign, unwrapped(node.arg)
    split = head_and_parts(node)
    if split is None:
        return None
    head, parts = split[0], [q for p in split[1] for q in apart(page, p)]
    stepped = any(page.symbols.letter in letters(p.node) for p in parts)
    entries = [p for p in parts if stepped and component(page, p)]
    labels = [p for p in parts if p not in entries and not is_step(page, p.node)]
    steps = [p.node for p in parts if p not in entries and is_step(page, p.node)]
    word = head.base[:1] == "d" and len(head.base) > 1 and head.base.lower() not in NO_GRADIENTS
    told = spelled(head) in page.signals or (head.base in MARKS and (labels or head.base == "delta"))  # ``\delta_t`` alone too, as its recursion tells
    if (mark == BY and head.base in PARAMETERS) or len(steps) > 1 or not (mark or word or told) or (not mark and page.symbols.ref(node) is not None):
        return None
    name = key_of(head, labels)
    return None if name is None else (f"{mark} {name}".strip(), steps[0] if steps else None, tuple(p.node for p in entries))


def apart(page: Page, p: Any) -> tuple[Any, ...]:
    """The step and the number of ``h_{t1}``, written together."""
    if kind(p.node) != "Product" or [kind(a) for a in p.node.args] != ["Name", "Number"] or spelled(p.node.args[0]) != page.symbols.letter:
        return (p,)
    step, number = p.node.args
    return replace(p, node=step), replace(p, node=Name(number.text))


def is_step(page: Page, node: Any) -> bool:
    steps = {page.symbols.letter, *({"t", "k", "T", "tau"} - set(page.symbols.timed))}  # beside a gate k, ``dn_k`` is of that
    return kind(node) == "Number" or (bool(found := set(letters(node))) and found <= steps)


def recognised(run: Run, node: Any) -> Value | None:
    """The adjoint that the sought symbol is taken for in this reading, or that an earlier line has settled it to be."""
    if run.page.sought is None and not any(symbol.startswith("? ") for symbol in run.page.meanings):
        return None
    memo = run.page.memos["indexed"]
    if id(node) not in memo:
        memo[id(node)] = node, indexed(run.page, node)
    found = memo[id(node)][1]
    if found is None:
        return None
    name, slot, entries = found
    settled = run.page.meanings.get(f"? {name}")
    if settled is None and name != run.page.sought:
        return None
    memo, key = run.page.memos["candidates"], (name, settled, run.page.borne_out.get(name))
    if key not in memo:
        memo[key] = tuple(o for o in candidates(run.page, name) if settled in (None, str(o.value)))
    options = memo[key]
    at = number_at(slot, run.env) if slot is not None else run.env.get(run.page.symbols.letter, run.env.get("now"))
    if at is None or not options:
        return None
    how, key, back = run.chooser.choose(("recognised", name), options)
    step = int(at) - back
    if key in run.world.model.hidden and not 1 <= step <= run.world.steps:
        raise OutOfTime(key)
    now = beside(run)
    losses = all_losses(run) if now is None else (now,)
    if how == NOW:
        how, losses = TOTAL, tuple(s for s in losses if s == step)
    v = adjoint(run, key, step, losses, how, entries)
    return weighed_symbol(run, v) if now is None else v


def names_it(page: Page, name: str) -> bool:
    """Whether the letters of a symbol, or the word on it, tell what it is the gradient by, but for the activation and the path."""
    return quantity_named(page, name) is not None or bool(layer_named(page, name))


def quantity_named(page: Page, name: str) -> str | None:
    r"""The quantity whose letter a symbol has: the c of ``\delta\hat c``, the h of ``dh_out`` and of ``\partial L/\partial h^{(1)}``; None if it is none.

    Of ``dy`` where y is nothing, the output, if there is one only.
    """
    mark, _, word = name.partition(" ")
    word = word or mark.removeprefix("d").lstrip("_")
    bases = dict.fromkeys((word, word.split("^")[0], word.split("^")[0].split("_")[0], word.split("^")[0].split("_")[0].split("~")[0]))
    found = next((base for base in bases if base in page.symbols.timed and base not in page.targets.values()), None)
    outputs = page.world.model.outputs
    return outputs[0] if found is None and len(outputs) == 1 and bases.keys() & SHOWN - page.symbols.ranks.keys() else found


def layer_named(page: Page, name: str) -> set[str | None]:
    r"""The outputs where a symbol has a word for them, ``\delta^{out}``, the states where it has one for these, and all that these are computed with."""
    words = {w.lower() for w in re.split(r"[_^, ]", name)[1:]}
    outputs = set(page.world.model.outputs) - page.lagged
    shown = outputs | {r.key for k in outputs if k in page.definitions for r, lag in page.references(page.definitions[k]) if lag == 0} - page.lagged
    meant = shown if words & OUTPUT and outputs else set(page.lagged) if words & HIDDEN else set()
    return {owner(page, key) for key in meant}


def candidates(page: Page, name: str) -> list[Option]:
    """Every adjoint of the cell at the symbol's step; of a state also the parts that come through the next step and from the loss of its own.

    Of a weight, one step's contribution.  ``\\delta b_i`` beside a gate i is of that gate, if of any, and ``dh_{out}`` beside a state h of that.
    """
    model, out = page.world.model, []
    label, named, layer = name.rpartition("_")[2], quantity_named(page, name), layer_named(page, name)
    symbol = name if not name.startswith(BY) else f"the derivative of the loss by {plain(name.removeprefix(BY).strip())}"
    told = page.told.get(name)
    named = None if layer and named not in page.lagged else named  # the o of ``o^{out}`` beside a gate o
    for key in model.dims:
        if told is not None and key not in told:
            continue
        if layer and owner(page, key) not in layer:
            continue
        if label in page.definitions and owner(page, key) not in (label, None):
            continue
        if named is not None and owner(page, key) != owner(page, named):
            continue
        if key == LOSS or key in page.targets.values() or key in model.stacks or (key in page.targets and key not in page.loss_rules):
            continue  # where the loss is not written out, `\delta_t = y_t - d_t` is what says so
        reader = spoken(page, key)
        if key in page.symbols.timed or key in model.hidden:
            out.append(Option(1, (TOTAL, key, 0), f"{symbol} is the gradient of the loss by {reader}"))
        else:
            out.append(Option(2, ("use", key, 0), f"{symbol} is the contribution of step t to the gradient of the loss by {reader}"))
        if key in page.lagged:
            through = f"{symbol} is the part of the gradient by {reader} that comes through the next step"
            out += [Option(2, ("carry", key, 0), through), Option(2, ("carry", key, 1), f"{through}, of the step before")]
            if not page.many_to_one:
                out.append(Option(2, (NOW, key, 0), f"{symbol} is the part of the gradient by {reader} that comes from the loss of step t alone"))
    lines = page.borne_out.get(name, 0)
    borne_out = f", as {lines} lines bear out" if lines > 1 else ""
    return [replace(o, note=f"{o.note}{borne_out}") for o in sorted(out, key=lambda o: o.cost)]


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
