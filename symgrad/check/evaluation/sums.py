r"""Σ and Π: over steps, over components, bounded or not; products of matrices with the latest step on the left, or on the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.abbreviations import components, symbol_key
from symgrad.check.evaluation.arithmetic import SIGNS, times
from symgrad.check.reading.statements import derived
from symgrad.check.reading.symbols import head_and_parts, letters, number_at, spelled
from symgrad.check.reading.trees import by_identity, kind, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds import values
from symgrad.check.worlds.products import plus
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value, scalar
from symgrad.check.worlds.world import Missing, OutOfTime, Unsupported

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

MOST = 64
EXAMPLES = frozenset({"batch", "minibatch", "samples", "examples", "B"})  # words, and the letter of a batch, below a sum that runs over no index of the cell


def big(run: Run, node: Any) -> Value:
    r"""``\sum_{k=1}^{t}``, ``\sum_i``."""
    index, lower, upper, body = node.index, node.lower, node.upper, node.body
    name = spelled(index) if index is not None else None
    ordered = kind(unwrapped(lower)) == "Relation" and unwrapped(lower).signs[0] not in ("in", "∈")
    if name is None and (ordered or kind(unwrapped(lower)) in ("Sum", "Number")):
        raise Unsupported("a sum over what is no index", node)
    if name is None and kind(unwrapped(lower)) == "Relation" and kind(unwrapped(unwrapped(lower).sides[-1])) in ("Tuple", "Stack"):
        raise Unsupported("a sum over a set", node)
    if name is None:
        return unindexed(run, node)
    if name in EXAMPLES and lower is None and upper is None and name not in run.page.symbols.ranks and not component(run, name, body, upper):
        if any(of_an_example(run, a) for args in run.products if any(n is node for n in args) for a in args if a is not node):
            raise Unsupported("a sum over examples beside a factor that is one of these", node)
        run.chooser.choose(("sum of", id(node)), (Option(0, "batch", "the sum over the batch is that of each example"),))
        return run.value(body)
    if kind(unwrapped(lower)) in ("Relation", "Tuple") or (lower is not None and kind(unwrapped(lower)) == "Words"):
        raise Unsupported("a sum over a set", node)
    if node.kind == "prod" and (parts := behind(run, node, name)) is not None:
        inner, sign, rest = parts
        out = run.value(inner)
        for a in rest:
            out = times(run, sign, out, run.value(a))
        return out
    if component(run, name, body, upper):
        return over_components(run, node, name, body, upper)
    return over_steps(run, node, name, lower, upper, body)


def behind(run: Run, node: Any, name: str) -> tuple[Any, str, tuple[Any, ...]] | None:
    r"""``\prod_t J_t \frac{\partial L}{\partial h_T}``: what the index does not reach stands behind the product if it is a vector."""
    memo = run.page.memos["behind"]
    key = (id(node), run.flat)
    if key not in memo:
        memo[key] = (node, _behind(run, node, name))
    return memo[key][1]  # type: ignore[no-any-return]


def _behind(run: Run, node: Any, name: str) -> tuple[Any, str, tuple[Any, ...]] | None:
    body = node.body
    if kind(body) not in ("Product", "Infix"):
        return None
    args, k = body.args, len(body.args)
    while k and not any(name in letters(n) for n in walk(args[k - 1])):
        k -= 1
    if not 0 < k < len(args) or not derived(args[-1]) or run.value(args[-1]).rank != 1:
        return None
    inner = args[0] if k == 1 else replace(body, args=args[:k], span=None)
    return replace(node, body=inner), "" if kind(body) == "Product" else SIGNS.get(body.sign, body.sign), args[k:]


def component(run: Run, name: str, body: Any, upper: Any) -> bool:
    """Whether the index counts components."""
    memo = run.page.memos["component"]
    found = memo.get((id(body), name))
    if found is None:
        found = memo[id(body), name] = (body, _component(run, name, body, upper))
    return bool(found[1])


def _component(run: Run, name: str, body: Any, upper: Any) -> bool:
    for node in walk(body):
        ref = run.page.symbols.ref(node)
        if ref is not None:
            if any(name in letters(e) for e in ref.entries):
                return True
            if ref.step is not None and name in letters(ref.step):
                return False
    for node in walk(body):
        if (extra := components(run.page, node)) and any(name in letters(e) for e in extra):
            return True
    for node in walk(body):
        if kind(node) == "Index" and any(kind(p) != "Slice" and name in letters(p) for p in node.parts):
            if name == run.page.symbols.letter or spelled(node.base) in run.page.step_losses | run.page.total_losses:
                return False  # ``dz(t)``, ``L(s)``
            short = run.page.abbreviations.get(symbol_key(node) or "")
            return short is None or not short.slots
    if upper is not None and number_at(upper, run.env) is None:
        word = spelled(unwrapped(upper))
        return word not in ("T", "t", "tau", "n", "N")
    return False


def size_of(run: Run, name: str, body: Any, upper: Any) -> int | None:
    """How many values a component index takes: as the first place has where it stands alone; with a bound told, as all places have."""
    memo, key = run.page.memos["sizes"], (id(body), name, upper is None)
    if key not in memo:
        memo[key] = body, _size_of(run, name, body, upper)
    return memo[key][1]  # type: ignore[no-any-return]


def _size_of(run: Run, name: str, body: Any, upper: Any) -> int | None:
    sizes = [
        size
        for node in walk(body)
        if (ref := run.page.symbols.ref(node)) is not None
        for size, e in zip(run.world.model.dims.get(ref.key, ()), ref.entries, strict=False)
        if name in letters(e) and kind(unwrapped(e)) == "Name"
    ]
    return min(sizes[:1] if upper is None else sizes, default=None)


def over_components(run: Run, node: Any, name: str, body: Any, upper: Any) -> Value:
    if run.flat:
        return total(run, node, name, [0], body)
    n = size_of(run, name, body, upper)
    if n is None:
        for k in range(8):
            try:
                at(run, name, k, body)
            except Misfit:
                n = k
                break
    if not n:
        raise Missing(name, node.index)
    return total(run, node, name, list(range(n))[left_out(node.lower, upper)], body)


def left_out(lower: Any, upper: Any) -> slice:
    r"""The components that bounds leave, of all: ``\sum_{k=2}^K`` lacks the first, ``\sum_{k=1}^{K-1}`` the last; ``\sum_{k=0}^{K-1}`` counts them from 0."""
    first = number_at(lower, {}) if lower is not None else None
    named = letters(upper) if upper is not None else ()
    last = number_at(upper, {named[0]: 0}) if len(named) == 1 else None
    begin = 1 if first is None else int(first)
    short = -int(last) - (begin == 0) if last is not None and last < 0 else 0
    return slice(max(begin - 1, 0), -short if short > 0 else None)


def at(run: Run, name: str, k: int, body: Any) -> Value:
    return where(run, name, k, lambda: run.value(body))


def where(run: Run, name: str, k: int, value: Callable[[], Value]) -> Value:
    """The value where an index is k."""
    kept, place, outer = run.env.get(name), run.place, name in run.sums
    run.env[name] = k
    run.place = (*place, name, k)
    run.sums.add(name)
    try:
        return value()
    finally:
        run.place = place
        if not outer:
            run.sums.discard(name)
        if kept is None:
            run.env.pop(name, None)
        else:
            run.env[name] = kept


def over_steps(run: Run, node: Any, name: str, lower: Any, upper: Any, body: Any) -> Value:
    first = number_at(lower, run.env) if lower is not None else None
    last = number_at(upper, run.env) if upper is not None else None
    if lower is not None and first is None:
        raise Missing(next((w for w in letters(lower) if w not in run.env), "bound"), lower)
    if upper is not None and last is None:
        raise Missing(next((w for w in letters(upper) if w not in run.env), "bound"), upper)
    low = int(first) if first is not None else 1
    high = int(last) if last is not None else run.world.steps
    if upper is None and lower is not None:
        run.chooser.choose(("endless", name), (Option(0, None, f"what has no upper end is taken to run to the last step: {name}"),))
    if first == 0 and from_zero(upper) and not counted_from_one(run):
        options = (Option(0, False), Option(1, True, f"the steps are counted from 0 to {letters(upper)[0]} - 1"))
        low, high = (1, run.world.steps) if run.chooser.choose(("from zero", name), options) else (low, high)
    if runs_down(node):
        how = run.chooser.choose(("down", name), (Option(0, False), Option(1, True, f"{name} runs down to its upper bound")))
        if how and low < high - 1:
            raise OutOfTime(name)
        low, high = (high, low) if how else (low, high)
    if lower is None and upper is None and run.slope_index and isinstance(now := run.env.get(around := run.slope_index[-1]), int):
        how = run.chooser.choose(("within", name, around), (Option(0, False), Option(1, True, f"{name} runs from 1 to {around}")))
        high = now if how else high
    if lower is None and upper is None and node.kind == "sum" and one_ahead(run, body, name):
        how = run.chooser.choose(("from the first use", name), (Option(0, False), Option(1, True, f"{name} runs from 0, the step of the first use")))
        low = 0 if how else low
    if high - low > MOST or (node.kind == "prod" and low > high + 1):  # ``\prod_{j=k+1}^t`` is of steps k up to t
        raise OutOfTime(name)
    run.steps_bound.add(name)
    run.slope_index.append(name)
    try:
        return total(run, node, name, list(range(low, high + 1)), body)
    finally:
        run.slope_index.pop()


def one_ahead(run: Run, body: Any, name: str) -> bool:
    r"""Whether a body names quantities at its own step and the next one, ``\lambda_{t+1} r_t^\top``; at the next one alone of a cell ``x_{t+1} = W r_t``."""
    parts = (p.node for n in walk(body) for p in (head_and_parts(n) or (None, ()))[1])
    steps = {number_at(p, {name: 0}) for p in parts if letters(p) == (name,)}
    return steps == {0, 1} or (steps == {1} and any(d.shift > 0 for d in run.page.definitions.values()))


def from_zero(upper: Any) -> bool:
    r"""Whether a sum from 0 ends one before the number of steps, ``\sum_{t=0}^{T-1}``: it may count all of them from 0."""
    return upper is not None and letters(upper) in (("T",), ("N",)) and number_at(upper, {"T": 0, "N": 0}) == -1


def counted_from_one(run: Run) -> bool:
    """Whether the document sums the steps from 1 to T elsewhere."""
    memo = run.page.memos["from one"]
    if not memo:
        sums = (n for s in run.page.statements for n in s.nodes if kind(n) == "Big" and n.lower is not None and n.upper is not None)
        memo["any"] = any(number_at(n.lower, {}) == 1 and spelled(n.upper) in ("T", "N") for n in sums)
    return bool(memo["any"])


@by_identity
def runs_down(big: Any) -> bool:
    r"""Whether the bounds may be written from the last step to the first: ``\prod_{i=t}^{k+1}``, ``\prod_{i=T}^2``, ``\prod_{i=t-1}^k``."""
    lower, upper = big.lower, big.upper
    if lower is None or upper is None:
        return False
    named, other = letters(lower), letters(upper)
    first, last = number_at(lower, dict.fromkeys(named, 0)), number_at(upper, dict.fromkeys(other, 0))
    return bool(named) and first is not None and last is not None and (not other or first < last or first < 0)


def total(run: Run, node: Any, name: str, steps: list[int], body: Any) -> Value:
    """The sum or product of the body over these values."""
    terms: list[Value] = []
    for k in steps:
        try:
            terms.append(at(run, name, k, body))
        except OutOfTime as e:
            if node.kind == "prod" or k >= 1 or name not in run.steps_bound:
                raise
            run.chooser.choose(
                ("beyond", name, k),
                (Option(1, None, f"the term {name} = {k} names {run.page.notes.get(str(e), str(e))} at a step that does not exist, and is left out"),),
            )
    if terms:  # of none that failed
        run.filled |= {(node.kind, name)}
    else:
        run.empty |= {(node.kind, name)}
    if node.kind == "sum":
        out: Value | None = None
        for v in terms:
            out = v if out is None else plus(out, v)[0]
        return out if out is not None else scalar(0)
    return multiplied(run, node, terms)


def multiplied(run: Run, node: Any, terms: list[Value]) -> Value:
    """Matrices do not commute: the latest on the left in numerator layout, else as the index runs."""
    if not terms:
        return scalar(1)
    matrices = any(v.rank >= 2 for v in terms)
    if matrices and len(terms) > 1:
        how = run.chooser.choose("product order", (
            Option(0, "down", ""), Option(1, "up", "the factors of Π stand in the order in which its index runs")))  # fmt: skip
        if how == "down":
            terms = terms[::-1]
    elif matrices:
        run.chooser.choose("product order", (Option(0, "down", ""), Option(1, "up", "the factors of Π stand in the order in which its index runs")))
    out = terms[0]
    for v in terms[1:]:
        out = times(run, "" if matrices else "had", out, v)
    return out


def of_an_example(run: Run, factor: Any) -> bool:
    """Whether a factor is another one for each example: a quantity of the cell, a derivative."""
    refs = (run.page.symbols.ref(n) for n in walk(factor))
    return any(kind(n) == "Derivative" for n in walk(factor)) or any(r is not None and r.key in run.page.symbols.timed for r in refs)


def unindexed(run: Run, node: Any) -> Value:
    r"""``\sum \delta_t`` without an index: over all steps, over a batch, or over components."""
    how = run.chooser.choose(("sum of", id(node)), (
        Option(0, "batch", "a sum without index runs over the batch"), Option(1, "steps", "a sum without index runs over the steps"),
        Option(2, "entries", "a sum without index runs over the components")))  # fmt: skip
    if how == "batch":
        return run.value(node.body)
    if how == "entries":
        v = run.value(node.body)
        return Value(v.a.sum(1) % F.P) if v.rank == 1 else v
    letter = run.page.symbols.letter
    out: Value | None = None
    for k in range(1, run.world.steps + 1):
        v = at(run, letter, k, node.body)
        out = v if out is None else plus(out, v)[0]
    assert out is not None
    return out


__all__ = ["big", "np", "values"]
