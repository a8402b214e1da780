r"""What ∂ means: total and immediate derivatives of quantities and of formulas, in either layout.

∂y_t/∂x_s is a tensor with the indices of y first (numerator layout) or last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.functions import apply_known
from symgrad.check.evaluation.gradients import gradient, loss_steps
from symgrad.check.evaluation.recognise import recognised
from symgrad.check.evaluation.wrt import quantity_of
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.statements import loss_head, summands
from symgrad.check.reading.symbols import Ref, is_top, number_at, spelled
from symgrad.check.reading.trees import is_slice, kind, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value, scalar
from symgrad.check.worlds.world import DIRECT, OWN, STEP, TOTAL, Missing, OutOfTime, Unsupported
from symgrad.notation.syntax import Index

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run


LAYOUTS = (Option(0, "numerator"), Option(2, "denominator", "", tag="denominator"))


def derivative(run: Run, node: Any) -> Value:
    r"""``\frac{\partial y}{\partial x}`` in any of its spellings."""
    of, wrt = unwrapped(node.of), upright(run, unwrapped(node.wrt))
    if node.order != 1:
        raise Unsupported("a higher derivative", node)
    if kind(wrt) in ("Product", "Infix") and run.page.symbols.ref(wrt) is None:
        numbers = [a for a in wrt.args if number_at(a, run.env) is not None]
        rest = [a for a in wrt.args if number_at(a, run.env) is None]
        if numbers and len(rest) == 1:
            v = derivative(run, replace(node, wrt=rest[0]))
            for a in numbers:
                at = number_at(a, run.env)
                assert at is not None
                v = values.scaled(v, scalar(at.denominator, at.numerator))
            return v
    losses = loss_steps(run, of)
    if losses is not None and run.page.symbols.ref(wrt) is None and (kind(wrt) == "Stack" or (is_slice(wrt) and kind(unwrapped(wrt.base)) == "Stack")):
        return run.value(one_by_one(run, node, wrt))
    if losses is not None:
        known = recognised(run, node)
        return gradient(run, node, wrt, losses) if known is None else known
    if (terms := term_by_term(run, node, of)) is not None:
        return run.value(terms)
    target = None if of_variable(run, of, wrt) else quantity_of(run, wrt)
    if target is None:
        return by_variable(run, node, of, wrt)
    key, step, entries = target
    ref = run.page.symbols.ref(of)
    if ref is not None:
        return of_quantity(run, node, ref, key, step, entries)
    if (called := call_of(run, of, key, step)) is not None:
        call, held, run.env = called[0], run.env, {**run.env, **called[1]}
        if entries and len(call.args) == 1:  # ``\partial f / \partial z_i``: of one number, that entry
            call = Index(call, entries, "[")
        try:
            return of_formula(run, node, call, key, step, entries)
        finally:
            run.env = held
    return of_formula(run, node, of, key, step, entries)


def one_by_one(run: Run, node: Any, wrt: Any) -> Any:
    r"""``[\partial L/\partial h_{t-1}; \partial L/\partial x_t]`` for ``\partial L/\partial [h_{t-1}, x_t]``."""
    memo = run.page.memos["one by one"]
    if id(node) not in memo:
        memo[id(node)] = node, (
            replace(wrt, base=replace(node, wrt=unwrapped(wrt.base))) if is_slice(wrt) else replace(wrt, args=tuple(replace(node, wrt=a) for a in wrt.args))
        )
    return memo[id(node)][1]


def term_by_term(run: Run, node: Any, of: Any) -> Any:
    r"""``\sum_k \frac{\partial L_k}{\partial x}`` for ``\frac{\partial}{\partial x} \sum_k L_k``; None where no losses are added up."""
    memo = run.page.memos["term by term"]
    if id(node) not in memo:
        sums = kind(of) in ("Big", "Sum") and all(loss_head(loss) is not None for loss in summands(of))
        memo[id(node)] = node, spread(node, of) if sums else None
    return memo[id(node)][1]


def spread(node: Any, of: Any) -> Any:
    """A sum with the derivatives of its terms for these."""
    of = unwrapped(of)
    if kind(of) == "Big":
        return replace(of, body=spread(node, of.body))
    return replace(of, args=tuple(spread(node, a) for a in of.args)) if kind(of) == "Sum" else replace(node, of=of)


def call_of(run: Run, name: Any, key: str, step: int | None) -> tuple[Any, dict[str, Any]] | None:
    r"""``\partial F / \partial h_{t-1}``, ``\partial f / \partial z_t``: the one place where F is applied to h, and the step at which that is done."""
    if kind(name) != "Name" or name.subs or name.primes:
        return None
    page = run.page
    calls = [(n, d) for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and n.function == name]
    if len(calls) > 1:
        calls = [(n, d) for n, d in calls if any((ref := page.symbols.ref(x)) is not None and ref.key == key for x in walk(n))]
        if len(calls) != 1:
            raise Unsupported(f"the derivative of {name.base}, of which it is not told where it is applied,", name)
    states = page.lagged & page.definitions.keys()
    if not calls and name.base in FUNCTIONS and len(states) == 1:  # nowhere applied: what gives the state
        (state,) = states
        run.chooser.choose(("function", name.base), (Option(1, None, f"{name.base} is read as the update of {page.notes.get(state, plain(state))}"),))
        calls = [(page.definitions[state].node, page.definitions[state])]
    if len(calls) != 1:
        return None
    call, d = calls[0]
    named = [ref for n in walk(call) if (ref := page.symbols.ref(n)) is not None and ref.key == key]
    lags = {lag for ref, lag in page.references(d) if ref in named}
    if key not in page.symbols.timed and named:
        at = run.env.get("now")
    elif key in page.symbols.timed and step is not None and len(lags) == 1:
        at = step - lags.pop()
    else:
        return None
    return None if at is None else (call, {d.letter: at - d.shift, "now": at})


def upright(run: Run, wrt: Any) -> Any:
    r"""``\partial \theta^T`` says that the layout is the numerator's."""
    if kind(wrt) == "Power" and is_top(wrt.exponent) and run.page.symbols.ref(wrt) is None:
        return unwrapped(wrt.base)
    return unwrapped(wrt.arg) if kind(wrt) == "Transpose" else wrt


def modes(run: Run, node: Any, of: tuple[str, int], wrt: tuple[str, int | None]) -> str:
    """Total or immediate, as the sign says or as the reading chooses among the meanings that differ."""
    sign = node.sign
    if sign in ("partial+", "+"):
        first, second = (STEP, DIRECT) if wrt[1] is None else (DIRECT, STEP)
        return str(run.chooser.choose(("immediate", of[0], wrt[0]), (Option(0, first), Option(1, second))))
    if run.tracked:
        return TOTAL
    gap = "parameter" if wrt[1] is None else {0: "now", 1: "before"}.get(of[1] - wrt[1], "far")
    if gap == "parameter" and told_apart(run.page):
        return str(run.chooser.choose(("derivative", run.side, of[0], wrt[0], gap, sign), tuple(of_two(run, of[0], wrt[0], sign == "d"))))
    memo, key = run.page.memos["modes"], (of[0], wrt[0], gap, sign == "d", run.flat)
    if key not in memo:
        memo[key] = tuple(ways(run, *key[:4]))
    return str(run.chooser.choose(("derivative", run.side, of[0], wrt[0], gap), memo[key]))


def ways(run: Run, of: str, wrt: str, gap: str, straight: bool) -> Iterator[Option]:
    """What a derivative of one quantity by another may be, so many steps apart; `straight` if it is written with a d, which means the total one."""
    page = run.page
    who = f"∂{page.notes.get(of, of)}/∂{page.notes.get(wrt, wrt)}"
    yield Option(0, TOTAL)
    if bool(page.lagged) if gap == "parameter" else gap == "before" and len(page.lagged) > 1:
        fixed = f"{who} is read as the immediate derivative: what comes from the step before is fixed"
        yield Option(3 if straight else 1, STEP, fixed, weak=straight and gap == "before" and has_both(page), tag="immediate")
    if gap == "far" and of == wrt and len(page.lagged) > 1:
        alone = page.notes.get(of, of)
        yield Option(1, OWN, f"{who} is read as the derivative along {alone} alone: the other states are fixed", tag="immediate")
    d = page.definitions.get(of)
    if d is not None and gap != "far" and any(r.key == wrt for r, _ in page.references(d)) and len(run.world.model.equations) > 1:
        held = f"{who} is read as the direct derivative: the other named quantities are fixed"
        yield Option(5 if straight else 3, DIRECT, held, weak=True, tag="direct")


def of_two(run: Run, of: str, wrt: str, straight: bool) -> Iterator[Option]:
    """What a derivative by a parameter is where the document has d and ∂ for two."""
    who = f"∂{run.page.notes.get(of, of)}/∂{run.page.notes.get(wrt, wrt)}"
    if straight or not run.page.lagged:
        yield Option(0, TOTAL)
        return
    yield Option(0, STEP, f"{who} is the immediate derivative, as the document has d for the total one")
    yield Option(2, TOTAL, f"{who} is read as the total derivative, though the document has d for that", tag="mixed")


def told_apart(page: Page) -> bool:
    r"""Whether the document has d and ∂ for derivatives of a state by one parameter: then ``\partial h_t/\partial W`` is not the total one."""
    memo = page.memos["told apart"]
    if not memo:
        signs: dict[tuple[str, str], set[str]] = defaultdict(set)
        for n in (n for s in page.statements for n in s.nodes if kind(n) == "Derivative" and n.sign in ("d", "partial")):
            of, wrt = (page.symbols.ref(unwrapped(end)) for end in (n.of, n.wrt))
            if of is not None and wrt is not None and of.key in page.lagged and wrt.key not in page.symbols.timed:
                signs[of.key, wrt.key].add(n.sign)
        memo["all"] = any(len(found) > 1 for found in signs.values())
    return bool(memo["all"])


def has_both(page: Page) -> bool:
    r"""Whether the document has d and ∂ for derivatives of quantities by quantities: then ``dh_t/dx_{t-1}`` is hardly the immediate one."""
    memo = page.memos["d and ∂"]
    if not memo:
        derivatives = (n for s in page.statements for n in s.nodes if kind(n) == "Derivative")
        ends = ((n.sign, *(page.symbols.ref(unwrapped(end)) for end in (n.of, n.wrt))) for n in derivatives)
        memo["all"] = {"d", "partial"} <= {sign for sign, *refs in ends if all(r is not None and r.key in page.symbols.timed for r in refs)}
    return bool(memo["all"])


def of_quantity(run: Run, node: Any, ref: Ref, key: str, step: int | None, entries: tuple[Any, ...]) -> Value:
    """∂y_t/∂x_s, some of its entries."""
    run.used.add(ref.key)
    model = run.world.model
    if ref.key not in run.page.symbols.timed:
        if ref.key != key:
            dims = (*model.dims[ref.key], *model.dims[key])
            return Value(np.zeros((F.WORLDS, *dims), dtype=np.int64))
        n = run.world.size(key)
        return shaped(run, values.eye(n), model.dims[key], model.dims[key], ref.entries, entries)
    t = run.step_of(ref)
    assert t is not None
    timed = key in run.page.symbols.timed
    updated(run, ref.key, t)
    if ref.key != key and undefined(run, ref.key):
        raise Missing(f"what {run.page.notes.get(ref.key, plain(ref.key))} is computed from")
    if timed and step is not None and step > t and not {key, ref.key} & run.world.later:
        raise OutOfTime(key)
    if timed and step is not None and step != t and (t < 1 or step < model.first):
        raise OutOfTime(ref.key)
    if t < 1 and not timed and ref.key not in run.page.lagged and not run.sums:
        raise OutOfTime(ref.key)
    if t < model.first:
        raise OutOfTime(ref.key)
    if t > run.world.steps:
        raise OutOfTime(ref.key)
    if timed and step is not None and step < 1 and key not in run.page.lagged:
        raise OutOfTime(key)
    wrt = (key, step if timed else None)
    mode = modes(run, node, (ref.key, t), wrt)
    found = run.world.derivative((ref.key, t), wrt, mode, None if timed else step)
    if run.lookup != run.world.value:
        raise Unsupported("a derivative of a derivative", node)
    first = 2 if run.world.zeros else 1  # a state that begins at 0 has no part in the first step
    run.vanished += t >= first and not found.any()
    out = shaped(run, found, model.dims[ref.key], model.dims[key], ref.entries, entries)
    return laid_out(run, out, model.dims[ref.key], model.dims[key], ref.entries, entries, node)


def undefined(run: Run, key: str) -> bool:
    """Whether a quantity takes part whose equation the document leaves out: it need not be independent of anything."""
    page = run.page
    return key in page.symbols.timed and key not in page.definitions and key not in page.lagged and not key.startswith("pre:")


def updated(run: Run, key: str, step: int | None) -> None:
    """Nothing is known of the changes of a state whose update the document leaves out."""
    if step is not None and step >= 1 and key in run.page.lagged and key not in run.page.definitions:
        raise Missing(f"the update of {run.page.notes.get(key, key)}")


def shaped(run: Run, flat: Any, of: tuple[int, ...], wrt: tuple[int, ...], above: tuple[Any, ...], below: tuple[Any, ...]) -> Value:
    """The tensor [y…, x…] from its flat form, at the entries asked for."""
    v = Value(flat.reshape(F.WORLDS, *of, *wrt))
    if run.flat:
        return v
    at: list[int | slice] = [slice(None)] * v.rank
    for k, e in enumerate(above):
        at[k] = run.entry(e, of[k])
    for k, e in enumerate(below):
        at[len(of) + k] = run.entry(e, wrt[k])
    return values.part(v, tuple(at)) if above or below else v


def laid_out(run: Run, v: Value, of: tuple[int, ...], wrt: tuple[int, ...], above: tuple[Any, ...], below: tuple[Any, ...], node: Any) -> Value:
    """In numerator layout, or transposed."""
    if above or below or v.rank != 2 or len(of) != 1 or len(wrt) != 1:
        return v
    if node.sign in ("nabla",):
        return values.transposed(v)
    how = run.chooser.choose("layout", LAYOUTS)
    return v if how == "numerator" else values.transposed(v)


def of_formula(run: Run, node: Any, of: Any, key: str, step: int | None, entries: tuple[Any, ...]) -> Value:
    """∂(formula)/∂x, through every quantity in it."""
    model = run.world.model
    timed = key in run.page.symbols.timed
    cut = model.cuts.get(key)
    wrt = (key if cut is None else cut.owner, step if timed else None)
    width = run.world.size(wrt[0])
    name = kind(of) if kind(of) != "Apply" else "f"
    meanings = (TOTAL, DIRECT) if kind(of) != "Apply" else (DIRECT, TOTAL)
    mode = run.chooser.choose(("formula", run.side, key), tuple(Option(k, m, tag="immediate" if m == DIRECT else "") for k, m in enumerate(meanings)))

    def lookup(k: str, t: int | None) -> Value:
        v = run.world.value(k, t)
        at = (k, t if k in run.page.symbols.timed else None)
        if at == wrt:
            d = values.eye(width)
        elif mode == DIRECT or t is None or k not in run.page.symbols.timed:
            return v
        else:
            d = run.world.derivative(at, wrt, TOTAL, None if timed else step)
        return Value(v.a, d.reshape(*v.a.shape, width), v.orient)

    inner = run.__class__(run.page, run.world, run.chooser, run.env, lookup=lookup, now=run.now, side=run.side, flat=run.flat, lenient=run.lenient)
    inner.used = run.used
    v = inner.value(of)
    if v.d is None:
        v = replace(v, d=np.zeros((*v.a.shape, width), dtype=np.int64))
    assert v.d is not None
    run.vanished += step is not None and step >= 1 and kind(of) == "Apply" and len(of.args) > 1 and not np.any(v.d)  # ``f(x_t, h_{t-1})`` by h_t
    out = shaped(run, v.d if cut is None else run.world.cut(key, v.d), v.dims, model.dims[key], (), entries)
    del name
    return laid_out(run, out, v.dims, model.dims[key], (), entries, node)


def of_variable(run: Run, of: Any, wrt: Any) -> bool:
    r"""``d \tanh(z)/dz``: whether a formula speaks of a number z alone, though the document has a quantity of that name too."""
    return kind(wrt) == "Name" and spelled(wrt) in run.env.get("values", {}) and in_one_letter(of, wrt)


def in_one_letter(of: Any, wrt: Any) -> bool:
    r"""Whether a formula, ``1 / (1 + e^{-x})``, names one letter alone, the one that it is differentiated by."""
    if kind(wrt) != "Name" or wrt.subs or kind(of) in ("Name", "Index"):
        return False
    applied = {id(n.function) for n in walk(of) if kind(n) == "Apply"}
    return {spelled(n) for n in walk(of) if kind(n) == "Name" and id(n) not in applied} - {"e"} == {spelled(wrt)}


def by_variable(run: Run, node: Any, of: Any, wrt: Any) -> Value:
    """d/dx of a formula in a free variable, or of a function given without argument."""
    word = spelled(wrt)
    held = run.env.get("values", {})
    if word is None or word not in held:
        raise Missing(word or "variable", wrt)
    x = held[word]
    seeded = Value(x.a, np.ones((*x.a.shape, 1), dtype=np.int64), x.orient)
    run.env["values"] = {**held, word: seeded}
    try:
        if kind(of) == "Name" and isinstance(meaning(run.page.functions, of), str) and of.base not in run.page.symbols.ranks:
            v = apply_known(run, meaning(run.page.functions, of), seeded, 0)
        else:
            v = run.value(of)
    finally:
        run.env["values"] = held
    if v.d is None:  # a quantity of the cell: the variable is something else there than in the identity
        raise Missing(word, wrt)
    return Value(v.d[..., 0])
