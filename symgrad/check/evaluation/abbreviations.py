r"""Symbols that a document introduces for a formula with derivatives in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.reading.symbols import STEP_LETTERS, head_and_parts, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind
from symgrad.check.worlds import values
from symgrad.check.worlds.values import Misfit, Value
from symgrad.check.worlds.world import Missing

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run

MOST = 8  # entries along an axis


def indices_of(page: Page, parts: tuple[Any, ...]) -> tuple[list[Any], list[Any], list[Any]]:
    """The indices on a new symbol: labels, steps, components."""
    labels, slots, entries = [], [], []
    stepped = any(page.symbols.letter in letters(p.node) for p in parts)
    for p in parts:
        found = set(letters(p.node))
        if (p.where == "bracket" and not found & {page.symbols.letter, "T"}) or (
            kind(p.node) == "Name" and p.node.subs and p.node.base in "ijkpqmn" and p.where == "sub"
        ) or (stepped and component(page, p)):
            entries.append(p)
        elif (found & {page.symbols.letter, "t", "k", "s", "T", "tau", "n"} and len(found) <= 2) or (p.where == "paren" and not (stepped and names(page, p))):
            slots.append(p)
        elif kind(p.node) == "Name" and p.node.base in "ijpqm" and slots:
            entries.append(p)
        else:
            labels.append(p)
    return labels, slots, entries


def component(page: Page, p: Any) -> bool:
    r"""Whether an index beside a step is a component wherever it stands: the j of ``\delta_j^t``, the l of ``\delta_{t-1,l}``."""
    return p.where == "sub" and kind(p.node) == "Name" and not p.node.subs and p.node.base in {*"ijlpqm"} - {page.symbols.letter, *page.symbols.ranks}


def names(page: Page, p: Any) -> bool:
    r"""Whether an index in brackets is a label: the o of ``\delta_t^{(o)}``."""
    return kind(p.node) == "Name" and not p.node.subs and (p.node.base not in STEP_LETTERS or p.node.base in page.symbols.ranks)


def symbol_key(node: Any) -> str | None:
    """The name of a symbol without its indices: the letter, its accents, labels that are no index."""
    split = head_and_parts(node)
    if split is None:
        return None
    return spelled(split[0])


def abbreviation(run: Run, node: Any) -> Value | None:
    """A symbol that the document introduced for a formula, at these indices."""
    split = head_and_parts(node)
    if split is None:
        return None
    head, parts = split
    for take in range(len(parts), -1, -1):
        for labels in _subsets(parts, take):
            key = key_of(head, [p for p in parts if p in labels])
            short = run.page.abbreviations.get(str(key))
            if short is None:
                continue
            rest = [p for p in parts if p not in labels]
            if kind(node) == "Power" and kind(node.exponent) in ("Number", "Negative") and len(rest) > len(short.slots) + len(short.entries):
                continue  # the square of ``e_{t,k}``, the inverse of ``J_t``
            if of_the_last_step(run, short) and not any(number_at(p.node, run.env) == run.world.steps for p in rest):
                continue  # what ``\delta_T`` is says nothing of ``\delta_t``
            return expanded(run, short, rest, node)
    return None


def of_the_last_step(run: Run, short: Any) -> bool:
    r"""Whether a symbol was introduced at the last step, ``\delta_T = V^\top (\hat y - y)``."""
    return run.page.symbols.letter != "T" and [spelled(slot) for slot in short.slots] == ["T"]


def _subsets(parts: tuple[Any, ...], take: int) -> list[tuple[Any, ...]]:
    return list(itertools.combinations(parts, take))


def flat(parts: Iterable[Any]) -> list[Any]:
    r"""The components that some indices tell, those below first: of ``p^k_{ij}`` i, j and k."""
    return [at for p in sorted(parts, key=lambda p: p.where != "sub") for at in (p.node.args if kind(p.node) == "Product" else (p.node,))]


def placed(page: Page, short: Any, parts: list[Any]) -> tuple[list[Any], list[Any]]:
    r"""The steps and the components on a symbol, in the order in which it was introduced: of ``\delta_k^{t+1}`` too, and of ``e_{2,j}``."""
    if short.entries and len(short.slots) == 1:
        steps = [p for p in parts if kind(p.node) == "Number" or page.symbols.letter in letters(p.node)]
        if len(steps) == 1:
            return [steps[0].node], flat(p for p in parts if p is not steps[0])
    _, slots, entries = indices_of(page, tuple(parts))
    if len(slots) < len(short.slots) and not slots:
        return [p.node for p in parts], [p.node for p in parts[len(short.slots) :]]
    return [p.node for p in slots], [p.node for p in (*slots[len(short.slots) :], *entries)]


def components(page: Page, node: Any) -> list[Any]:
    """The components on a symbol that was introduced by components; none on anything else."""
    split = head_and_parts(node) if kind(node) in ("Name", "Index", "Power") else None
    short = page.abbreviations.get(str(key_of(split[0], []))) if split is not None else None
    return placed(page, short, list(split[1]))[1] if split is not None and short is not None and short.entries else []


def expanded(run: Run, short: Any, rest: list[Any], node: Any) -> Value:
    """The abbreviated formula with its indices moved to where the symbol stands."""
    if short.key in run.expanding:  # a label that the document does not introduce stands on the same letter
        raise Missing(short.key, node)
    env, bound = dict(run.env), dict[str, int]()
    slots, entries = list(short.slots), list(short.entries)
    given, extra = placed(run.page, short, rest)
    if len(given) < len(slots) or any(p.where == "sup" and spelled(p.node) in run.page.symbols.timed for p in rest):  # ``S_t^v`` is not ``S_t``
        raise Missing(short.key, node)
    for slot, at in zip(slots, given, strict=False):
        where = number_at(at, run.env)
        if where is None:
            raise Missing(next((w for w in letters(at) if w not in run.env), short.key), at)
        names = list(letters(slot))
        if not names:
            if number_at(slot, {}) != where:
                raise Missing(short.key, node)
            continue
        base = number_at(slot, {**env, names[0]: 0})
        if base is None or bound.setdefault(names[0], int(where - base)) != where - base:  # ``\vartheta^t[t]`` says nothing of ``\vartheta^t[t-1]``
            raise Missing(short.key, node)
        env[names[0]] = int(where - base)
    inner = run.__class__(run.page, run.world, run.chooser, env, now=None, side=run.side, flat=run.flat, lenient=run.lenient)
    inner.used = run.used
    inner.sums = run.sums
    inner.expanding = run.expanding | {short.key}
    inner.tracked = run.tracked or short.tracked
    run.depth += 5
    inner.depth = run.depth
    try:
        if entries and not run.flat:
            return by_entries(run, inner, short, entries, extra)
        v = inner.value(short.node)
        if extra and not run.flat:
            v = values.part(v, tuple(run.entry(e, 0) for e in extra))
        return v
    finally:
        run.depth -= 5


def by_entries(run: Run, inner: Run, short: Any, entries: list[Any], extra: list[Any]) -> Value:
    """A symbol that was introduced entry by entry: all entries stacked, or the one that is asked for."""
    names = [w for e in entries for w in letters(e)]
    if len(extra) == len(names):
        inner.env |= {name: run.entry(e, 0) for name, e in zip(names, extra, strict=True)}
        return inner.value(short.node)
    if not extra:
        return stacked(inner, short, names or ["i"])
    if len(names) > 1:
        raise Missing(short.key)
    inner.env[names[0] if names else "i"] = run.entry(extra[0], 0)
    return inner.value(short.node)


def stacked(inner: Run, short: Any, names: list[str]) -> Value:
    """All entries of a vector, or of a matrix row by row."""
    out = []
    for k in range(MOST):
        inner.env[names[0]] = k
        try:
            out.append(stacked(inner, short, names[1:]) if len(names) > 1 else inner.value(short.node))
        except Misfit:
            break
    if not out or len({v.dims for v in out}) > 1:
        raise Misfit(f"no entries of {short.key}")
    return Value(np.stack([v.a for v in out], 1))
