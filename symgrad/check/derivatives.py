r"""What ∂ and its relatives mean: total and immediate derivatives, gradients of the loss, adjoint symbols δ, dh, abbreviations.

∂y_t/∂x_s is a tensor with the indices of y first (numerator layout) or last.  ``∂L/∂q``, ``\nabla_q L``, ``\delta_q`` and ``dq`` are
adjoints: of the value of q or of its preactivation, from all losses or from one, over all paths or through the next step alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check import field as F
from symgrad.check import values
from symgrad.check.readings import Option
from symgrad.check.symbols import Ref, children, head_and_parts, key_of, kind, letters, number_at, spelled, unwrapped
from symgrad.check.values import Misfit, Value, scalar
from symgrad.check.world import Missing, OutOfTime
from symgrad.notation.syntax import Name, Product

if TYPE_CHECKING:
    from symgrad.check.evaluate import Run
    from symgrad.check.page import Page

MARKS = frozenset({"d", "delta", "Delta", "partial", "varDelta"})  # letters before or around a quantity that make its adjoint
INCOMING = frozenset({"next", "future", "in", "up"})
CARRIED = frozenset({"recurrent", "rec", "recur", "carry", "prev", "back", "time", "bptt", "temporal", "next", "future", "recursive"})
TOTAL, STEP, DIRECT = "total", "step", "direct"


# -- ∂y/∂x --------------------------------------------------------------------------------------------------------------------


def derivative(run: Run, node: Any) -> Value:
    r"""``\frac{\partial y}{\partial x}`` in any of its spellings."""
    of, wrt = unwrapped(node.of), unwrapped(node.wrt)
    order = getattr(node, "order", None)
    if order is not None and number_at(order, {}) not in (None, 1):
        raise _unsupported("a higher derivative", node)
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
    if losses is not None:
        return gradient(run, node, wrt, losses)
    target = quantity_of(run, wrt)
    if target is None:
        return by_variable(run, node, of, wrt)
    key, step, entries = target
    ref = run.page.symbols.ref(of)
    if ref is not None:
        return of_quantity(run, node, ref, key, step, entries)
    return of_formula(run, node, of, key, step, entries)


def _unsupported(what: str, node: Any) -> Exception:
    from symgrad.check.evaluate import Unsupported

    return Unsupported(what, node)


def quantity_of(run: Run, wrt: Any) -> tuple[str, int | None, tuple[Any, ...]] | None:
    """The quantity that a derivative is taken by: key, step (of a parameter: of its use), entries."""
    ref = run.page.symbols.ref(wrt)
    if ref is not None:
        run.used.add(ref.key)
        if ref.key in run.page.symbols.timed:
            return ref.key, run.step_of(ref), ref.entries
        if ref.step is not None:
            at = number_at(ref.step, run.env)
            if at is None:
                raise Missing(next((w for w in letters(ref.step) if w not in run.env), ref.key), ref.step)
            return ref.key, int(at), ref.entries
        return ref.key, None, ref.entries
    use = parameter_use(run, wrt)
    if use is not None:
        return use
    split = head_and_parts(wrt)
    if split is not None and split[0].base in ("theta", "Theta", "vartheta") and not split[1]:
        key = next((k for k, n in run.page.symbols.ranks.items() if k not in run.page.symbols.timed and n == 2), None)
        if key is not None:
            run.chooser.choose(("parameter", split[0].base), (Option(0, None, f"{split[0].base} stands for any parameter; it was tried with {run.page.notes.get(key, key)}"),))
            return key, None, ()
    if split is None:
        shared = run.page.named.get(run.page.canon(wrt, run.page.symbols.letter, 0))
        if shared is not None and run.now is not None:
            return shared, run.now, ()
        return by_value(run, wrt)
    return None


def parameter_use(run: Run, wrt: Any) -> tuple[str, int | None, tuple[Any, ...]] | None:
    """``W^{(k)}``: the use of a parameter at step k."""
    split = head_and_parts(wrt)
    if split is None:
        return None
    head, parts = split
    for k, p in enumerate(parts):
        if p.where in ("sup", "paren", "sub"):
            at = number_at(p.node, run.env)
            if at is None:
                continue
            rest = [q for j, q in enumerate(parts) if j != k]
            for n in range(len(rest), -1, -1):
                key = key_of(head, rest[:n])
                if key in run.page.symbols.ranks and key not in run.page.symbols.timed:
                    from symgrad.check.symbols import _entries

                    entries: list[Any] = []
                    for q in rest[n:]:
                        entries += _entries(q.node, run.page.symbols.ranks[key] - len(entries)) or ()
                    return key, int(at), tuple(entries)
    return None


def by_value(run: Run, wrt: Any) -> tuple[str, int | None, tuple[Any, ...]] | None:
    """A formula in the place of a quantity, ``∂h_4/∂(W h_3 + U x_4)``: the preactivation that has this value."""
    v = run.value(wrt)
    for key in run.world.model.hidden:
        for t in range(1, run.world.steps + 1):
            w = run.world.value(key, t)
            if w.dims == v.dims and values.same(w, v):
                return key, t, ()
    for key in run.page.definitions:
        for t in range(1, run.world.steps + 1):
            w = run.world.value(key, t)
            if w.dims == v.dims and values.same(w, v):
                return key, t, ()
    return None


def modes(run: Run, node: Any, of: tuple[str, int], wrt: tuple[str, int | None]) -> str:
    """Total or immediate, as the sign says or as the reading chooses among the meanings that differ."""
    sign = node.sign
    who = f"∂{run.page.notes.get(of[0], of[0])}/∂{run.page.notes.get(wrt[0], wrt[0])}"
    if sign in ("partial+", "+"):
        first, second = (STEP, DIRECT) if wrt[1] is None else (DIRECT, STEP)
        return str(run.chooser.choose(("immediate", of[0], wrt[0]), (Option(0, first), Option(1, second))))
    model = run.world.model
    if wrt[1] is None:
        gap = "parameter"
        later = bool(run.page.lagged)
    else:
        gap = {0: "now", 1: "before"}.get(of[1] - wrt[1], "far")
        later = gap == "before" and len(run.page.lagged) > 1
    options = [Option(0, TOTAL)]
    if later:
        options.append(Option(1 if sign != "d" else 3, STEP, f"{who} is read as the immediate derivative: what comes from the step before is fixed", tag="immediate"))
    d = run.page.definitions.get(of[0])
    if d is not None and gap != "far" and any(r.key == wrt[0] for r, _ in run.page.references(d)) and len(model.equations) > 1:
        options.append(Option(3 if sign != "d" else 5, DIRECT, f"{who} is read as the direct derivative: the other named quantities are fixed", weak=True, tag="direct"))
    return str(run.chooser.choose(("derivative", run.side, of[0], wrt[0], gap), tuple(options)))


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
    if timed and step is not None and step > t:
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
        raise _unsupported("a derivative of a derivative", node)
    run.vanished += t >= 1 and not np.any(found)
    out = shaped(run, found, model.dims[ref.key], model.dims[key], ref.entries, entries)
    return laid_out(run, out, model.dims[ref.key], model.dims[key], ref.entries, entries, node)


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
    how = run.chooser.choose("layout", (Option(0, "numerator"), Option(2, "denominator", "", tag="denominator")))
    return v if how == "numerator" else values.transposed(v)


def of_formula(run: Run, node: Any, of: Any, key: str, step: int | None, entries: tuple[Any, ...]) -> Value:
    """∂(formula)/∂x, through every quantity in it."""
    model = run.world.model
    timed = key in run.page.symbols.timed
    wrt = (key, step if timed else None)
    width = run.world.size(key)
    name = kind(of) if kind(of) != "Apply" else "f"
    mode = run.chooser.choose(("formula", run.side, key), (
        Option(0 if kind(of) != "Apply" else 1, TOTAL), Option(1 if kind(of) != "Apply" else 0, DIRECT)))  # fmt: skip

    def lookup(k: str, t: int | None) -> Value:
        v = run.world.value(k, t)
        at = (k, t if k in run.page.symbols.timed else None)
        if at == wrt:
            d = np.broadcast_to(np.eye(width, dtype=np.int64), (F.WORLDS, width, width))
        elif mode == DIRECT or t is None or k not in run.page.symbols.timed:
            return v
        else:
            d = run.world.derivative(at, wrt, TOTAL, None if timed else step)
        return Value(v.a, d.reshape(*v.a.shape, width), v.orient)

    from symgrad.check.evaluate import Run as Again

    inner = Again(run.page, run.world, run.chooser, run.env, lookup=lookup, now=run.now, side=run.side, flat=run.flat, lenient=run.lenient)
    inner.used = run.used
    v = inner.value(of)
    if v.d is None:
        v = replace(v, d=np.zeros((*v.a.shape, width), dtype=np.int64))
    assert v.d is not None
    out = shaped(run, v.d, v.dims, model.dims[key], (), entries)
    del name
    return laid_out(run, out, v.dims, model.dims[key], (), entries, node)


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
        if kind(of) == "Name" and isinstance(run.function(of.base), str) and of.base not in run.page.symbols.ranks:
            v = run.apply_known(run.function(of.base), seeded, 0)
        else:
            v = run.value(of)
    finally:
        run.env["values"] = held
    return Value(np.zeros_like(v.a) if v.d is None else v.d[..., 0])


# -- gradients of the loss ----------------------------------------------------------------------------------------------------


def loss_steps(run: Run, node: Any) -> tuple[int, ...] | None:
    """The steps whose losses a symbol sums up; None if it is no loss."""
    node = unwrapped(node)
    split = head_and_parts(node)
    if split is None:
        if kind(node) == "Apply" and kind(node.function) == "Name":
            key = key_of(*_bare(node.function))
            if key in run.page.step_losses | run.page.total_losses:
                step = next((r.step for a in node.args if (r := run.page.symbols.ref(unwrapped(a))) is not None and r.step is not None), None)
                if step is None:
                    return tuple(range(1, run.world.steps + 1))
                at = number_at(step, run.env)
                return None if at is None else (int(at),)
        return None
    head, parts = split
    key = spelled(head)
    if key is None:
        return None
    everything = tuple(range(1, run.world.steps + 1))
    labels = [p for p in parts if spelled(p.node) is not None or number_at(p.node, run.env) is not None]
    known = run.page.step_losses | run.page.total_losses
    if key not in known:
        return None
    for p in labels:
        at = number_at(p.node, run.env)
        if at is not None and at.denominator == 1:
            if not 1 <= at <= run.world.steps:
                raise OutOfTime(key)
            return (int(at),)
    if parts:
        return everything if all(spelled(p.node) in ("total", "tot", "all", "T") for p in parts) else None
    if key in run.page.step_losses and key not in run.page.total_losses:
        at = run.env.get(run.page.symbols.letter)
        return everything if at is None else (int(at),)
    if key in run.page.ambiguous_losses and run.env.get(run.page.symbols.letter) is not None:
        how = run.chooser.choose(("loss", key), (Option(0, "all"), Option(2, "now", f"{key} is read as the loss of this step")))
        if how == "now":
            return (int(run.env[run.page.symbols.letter]),)
    return everything


def _bare(function: Any) -> tuple[Any, list[Any]]:
    return Name(function.base, function.accents), []


def gradient(run: Run, node: Any, wrt: Any, losses: tuple[int, ...]) -> Value:
    """∂L/∂q."""
    inner = loss_steps(run, wrt)
    if inner is not None:
        return scalar(int(bool(set(inner) & set(losses))))
    target = quantity_of(run, wrt)
    if target is None:
        word = spelled(wrt) or (key_of(*_split(wrt)) if head_and_parts(wrt) else None)
        raise Missing(word or "variable", wrt)
    key, step, entries = target
    timed = key in run.page.symbols.timed
    if timed and step is not None and step > max(losses) and step <= run.world.steps and not run.sums:
        raise OutOfTime(key) if run.side == "left" else Misfit("the loss of a step does not depend on later ones")
    how = TOTAL
    if not timed and step is None:
        now = run.env.get(run.page.symbols.letter)
        if now is not None and len(losses) > 1:
            how = run.chooser.choose(("gradient", run.side, "parameter"), (
                Option(0, TOTAL), Option(2, "use", "the gradient of a parameter is read as the contribution of step t")))  # fmt: skip
            step = int(now) if how == "use" else None
    elif not timed:
        how = "use"
    elif key in run.page.lagged and len(losses) > 1:
        how = run.chooser.choose(("gradient", run.side, key, _shifted(run, wrt)), (
            Option(0, TOTAL), Option(3, "carry", f"the gradient of {run.page.notes.get(key, key)} is read as the part that comes through the next step", tag="carry"),
        ))  # fmt: skip
    v = adjoint(run, key, step, losses, how, entries)
    word = spelled(head_and_parts(unwrapped(node.of))[0]) if head_and_parts(unwrapped(node.of)) else None  # type: ignore[index]
    if word is None and kind(unwrapped(node.of)) == "Apply":
        word = spelled(unwrapped(node.of).function)
    if len(losses) > 1 and word in run.page.total_losses:
        v = weighed(run, v)
    if node.sign == "nabla" and v.rank == 1 and not run.lenient:
        v = replace(v, orient=run.world.model.orient)
    return v


def weighed(run: Run, v: Value) -> Value:
    """The total loss may be a multiple of the sum of the losses of the steps: their mean, or its negative."""
    factor = run.page.__dict__.get("_weight")
    if factor is None:
        return v
    at = number_at(factor, {"T": run.world.steps, "N": run.world.steps, "n": run.world.steps})
    return v if at is None else values.scaled(v, scalar(at.numerator, at.denominator), v.orient)


def _shifted(run: Run, wrt: Any) -> bool:
    ref = run.page.symbols.ref(wrt)
    return bool(ref and ref.step is not None and kind(unwrapped(ref.step)) == "Sum")


def _split(node: Any) -> tuple[Any, list[Any]]:
    split = head_and_parts(node)
    assert split is not None
    return split[0], list(split[1])


def adjoint(run: Run, key: str, step: int | None, losses: tuple[int, ...], how: str, entries: tuple[Any, ...] = ()) -> Value:
    """∂L/∂q at its own shape."""
    model = run.world.model
    dims = model.dims.get(key)
    if dims is None:
        raise Missing(key)
    run.used.add(key)
    timed = key in run.page.symbols.timed or key in model.hidden
    if timed:
        assert step is not None
        if step > run.world.steps:
            return Value(np.zeros((F.WORLDS, *dims), dtype=np.int64)) if not entries else scalar(0)
        if step < 1 and not (key in run.page.lagged and step >= model.first):
            raise OutOfTime(key)
    if how == "use" and step is not None and not 1 <= step <= run.world.steps:
        raise OutOfTime(key)
    a = run.world.adjoint((key, step if timed else None), losses, how, step)
    v = Value(a.reshape(F.WORLDS, *dims))
    if not entries or run.flat:
        return v
    return values.part(v, tuple(run.entry(e, n) for e, n in zip(entries, dims, strict=False)))


# -- adjoint symbols ----------------------------------------------------------------------------------------------------------


def fused(run: Run, args: tuple[Any, ...]) -> tuple[Any, ...]:
    r"""``\delta z_t`` and ``d z_t`` as one symbol: a mark and the quantity behind it."""
    out: list[Any] = []
    k = 0
    while k < len(args):
        a = args[k]
        if k + 1 < len(args) and is_mark(run, a) and head_and_parts(args[k + 1]) is not None:
            pair = Product((a, args[k + 1]))
            memo = run.page.__dict__.setdefault("_pairs", {})
            out.append(_Adjoint(memo.setdefault((id(a), id(args[k + 1])), pair)))
            k += 2
            continue
        out.append(a)
        k += 1
    return tuple(out)


class _Adjoint:
    """A mark and a quantity, fused."""

    __slots__ = ("pair",)

    def __init__(self, pair: Any) -> None:
        self.pair = pair


def is_mark(run: Run, node: Any) -> bool:
    return kind(node) == "Name" and node.base in MARKS and not node.subs and not node.accents and not node.primes and node.base not in run.page.symbols.ranks


def marked(run: Run, node: Any) -> Value:
    found = adjoint_symbol(run, node.pair)
    if found is None:
        raise Missing(described(node.pair), node.pair)
    return found


def kronecker(run: Run, node: Any) -> Value | None:
    r"""``\delta_{ij}``."""
    if kind(node) != "Name" or node.base != "delta" or node.accents:
        return None
    parts = node.subs[0].args if len(node.subs) == 1 and kind(node.subs[0]) in ("Product", "Tuple") else node.subs
    if len(parts) != 2:
        return None
    i, j = (number_at(p, run.env) for p in parts)
    if i is None or j is None or any(set(letters(p)) & {run.page.symbols.letter, "T"} for p in parts):
        return None
    return scalar(int(i == j))


def described(node: Any) -> str:
    if kind(node) == "Product":
        return " ".join(described(a) for a in node.args)
    split = head_and_parts(node)
    if split is None:
        return kind(node)
    return spelled(split[0] if not split[1] else node) or (key_of(split[0], list(split[1])) or str(split[0].base))


def symbol_target(page: Page, node: Any, env: dict[str, Any]) -> tuple[str, Any, tuple[Any, ...], set[str], str, Any] | None:
    """What an adjoint symbol is the adjoint of: key, its step, entries, extra words, the symbol's own name, the loss's step."""
    if kind(node) == "Product" and len(node.args) == 2:
        mark, inner = node.args
        found = _target(page, inner)
        return None if found is None else (*found, f"{mark.base} {found[0]}", None)
    split = head_and_parts(node)
    if split is None:
        return None
    head, parts = split
    if (head.base in MARKS and head.base != "d") or (head.base == "g" and parts and head.base not in page.functions):
        return _subscripted(page, head, parts)
    if head.base[:1] == "d" and len(head.base) > 1 and head.base.lower() not in ("diag", "det", "dim", "delta", "dot"):
        stripped = _without_mark(node)
        found = _target(page, stripped)
        if found is not None:
            return (*found, f"d {found[0]}", None)
    return None


def _without_mark(node: Any) -> Any:
    """``dh_t`` without its d."""
    if kind(node) == "Name":
        base = node.base[1:].lstrip("_")
        if "_" in base:
            base, rest = base.split("_", 1)
            return Name(base, node.accents, (*(Name(r) for r in rest.split("_")), *node.subs), node.primes)
        return Name(base, node.accents, node.subs, node.primes)
    if kind(node) in ("Power", "Index"):
        return replace(node, base=_without_mark(node.base))
    return node


def _target(page: Page, node: Any) -> tuple[str, Any, tuple[Any, ...], set[str]] | None:
    """The quantity in ``dh_next``: its key, step, entries, the words on it."""
    ref = page.symbols.ref(node)
    words: set[str] = set()
    split = head_and_parts(node)
    if split is not None:
        words = {w for p in split[1] if (w := spelled(p.node)) is not None and (w in CARRIED or w in INCOMING)}
    if ref is not None:
        return ref.key, ref.step, ref.entries, words
    if split is not None and words:
        rest = [p for p in split[1] if spelled(p.node) not in words]
        key = key_of(split[0], [p for p in rest])
        for take in range(len(rest), -1, -1):
            key = key_of(split[0], rest[:take])
            if key in page.symbols.ranks:
                step = next((p.node for p in rest[take:]), None)
                return str(key), step, (), words
    return None


def _subscripted(page: Page, head: Any, parts: tuple[Any, ...]) -> tuple[str, Any, tuple[Any, ...], set[str], str, Any] | None:
    r"""``\delta_{h_t}``, ``\delta_t^{h}``, ``\delta_{z,t}``, ``\delta_t``."""
    target: tuple[str, Any, tuple[Any, ...]] | None = None
    steps: list[Any] = []
    words: set[str] = set()
    entries: list[Any] = []
    for p in parts:
        ref = page.symbols.ref(p.node)
        word = spelled(p.node)
        if word in CARRIED:
            words.add(str(word))
        elif ref is not None and target is None:
            target = (ref.key, ref.step, ref.entries)
        elif target is None and word is not None and (key := _by_letter(page, word)) is not None:
            target = (key, None, ())
        elif all(w in _indices(page) for w in letters(p.node)) and p.where != "bracket":
            steps.append(p.node)
        elif p.where == "bracket" or (word is not None and len(word) == 1):
            entries.append(p.node)
        elif kind(p.node) == "Number":
            steps.append(p.node)
        else:
            return None
    if target is None:
        return None
    key, step, inside = target
    if step is None and steps:
        step = steps[-1]
    name = f"{head.base}{''.join('~' + a for a in head.accents)} {key}"
    return key, step, inside or tuple(entries), words, name, steps[0] if len(steps) > 1 else None


def _indices(page: Page) -> frozenset[str]:
    return frozenset({page.symbols.letter, "t", "k", "T", "s", "tau", "n", "i", "j", "l"})


def _by_letter(page: Page, word: str) -> str | None:
    """The quantity that a label names: ``z``, ``h``, ``h~tilde``."""
    return word if word in page.symbols.ranks else None


def adjoint_symbol(run: Run, node: Any) -> Value | None:
    r"""``\delta_{z_t}``, ``dh_{prev}``, ``\delta W_f``: the adjoint of the quantity that the symbol names."""
    if isinstance(node, _Adjoint):
        node = node.pair
    one = kronecker(run, node)
    if one is not None:
        return one
    memo = run.page.__dict__.setdefault("_targets", {})
    if id(node) not in memo:
        memo[id(node)] = (node, symbol_target(run.page, node, run.env))
    target = memo[id(node)][1]
    if target is None:
        return incoming(run, node)
    key, step_node, entries, words, name, loss_at = target
    short = run.page.abbreviations.get(name)
    if short is not None and short.node is not None:
        pass
    model = run.world.model
    timed = key in run.page.symbols.timed
    step: int | None = None
    if step_node is not None:
        at = number_at(step_node, run.env)
        if at is None:
            raise Missing(next((w for w in letters(step_node) if w not in run.env), name), step_node)
        step = int(at)
    else:
        step = run.env.get(run.page.symbols.letter, run.env.get("now"))
        if step is None and timed:
            raise OutOfTime(key)
    losses: tuple[int, ...] = tuple(range(1, run.world.steps + 1))
    if loss_at is not None:
        at = number_at(loss_at, run.env)
        if at is None or not 1 <= at <= run.world.steps:
            raise OutOfTime(key)
        losses = (int(at),)
    plainly = run.page.notes.get(key, key)
    if not timed:
        options = [Option(1, ("use", key), f"the symbol for the gradient of {plainly} is read as the contribution of step t"), Option(0, (TOTAL, key))]
        if step is None:
            options = options[1:]
        else:
            options.sort(key=lambda o: o.cost)
    else:
        options = [Option(0, (TOTAL, key))]
        hidden = run.page.__dict__.get("_pre", {}).get(key, f"pre:{key}")
        if hidden in model.dims and hidden not in run.page.__dict__.get("_adjoined", ()):
            options.append(Option(1, (TOTAL, hidden), f"the adjoint of {plainly} is read as that of its preactivation", tag="pre"))
        if key in run.page.lagged:
            carried = Option(0 if words & CARRIED else 3, ("carry", key), f"the adjoint of {plainly} is read as the part that comes through the next step", tag="carry")
            options.append(carried)
            if words & CARRIED:
                options = [replace(o, cost=o.cost + 1) if o is not carried else o for o in options]
    options.sort(key=lambda o: o.cost)
    fixed = run.page.meanings.get(symbol_id(name, words, step_node))
    if fixed is not None:
        kept = [o for o in options if str(o.value) == fixed]
        if kept:  # before or after the activation is settled for good; total or carried may change with the section
            _, meant = kept[0].value
            options = [replace(o, cost=0 if o is kept[0] else o.cost + 2) for o in options if o.value[1] == meant]
    chosen = run.chooser.choose(("adjoint", symbol_id(name, words, step_node)), tuple(options))
    how, which = chosen
    if which.startswith("pre:") and timed and step is not None and step < 1:
        raise OutOfTime(key)
    return weighed(run, adjoint(run, which, step, losses, how, entries))


def incoming(run: Run, node: Any) -> Value | None:
    r"""``\Delta^t``: the gradient that reaches the output of the step from the layer above."""
    split = head_and_parts(node)
    if split is None or split[0].base not in ("Delta", "epsilon", "varepsilon") or len(split[1]) != 1 or len(run.world.model.outputs) != 1:
        return None
    at = number_at(split[1][0].node, run.env)
    if at is None or run.page.abbreviations.get(str(spelled(split[0]))) is not None:
        return None
    output = run.world.model.outputs[0]
    if not 1 <= at <= run.world.steps:
        raise OutOfTime(output)
    run.chooser.choose(("incoming", split[0].base), (Option(1, None, f"{split[0].base} is read as the gradient of the loss of step t by {run.page.notes.get(output, output)}"),))
    return Value(run.world.loss_slope(output, int(at)).reshape(F.WORLDS, *run.world.model.dims[output]))


def symbol_id(name: str, words: set[str], step: Any) -> str:
    """Symbols that must mean the same throughout a document."""
    earlier = kind(unwrapped(step)) == "Sum" if step is not None else False
    return " ".join((name, *sorted(words), *(("earlier",) if earlier and _back(step) else ())))


def _back(step: Any) -> bool:
    return any(kind(a) == "Negative" for a in unwrapped(step).args)


# -- abbreviations ------------------------------------------------------------------------------------------------------------


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
            return expanded(run, short, rest, node)
    return None


def _subsets(parts: tuple[Any, ...], take: int) -> list[tuple[Any, ...]]:
    import itertools

    return list(itertools.combinations(parts, take))


def expanded(run: Run, short: Any, rest: list[Any], node: Any) -> Value:
    """The abbreviated formula with its indices moved to where the symbol stands."""
    env = dict(run.env)
    slots, entries = list(short.slots), list(short.entries)
    given = [p.node for p in rest]
    wanted = [*slots, *entries]
    if len(given) < len(slots):
        raise Missing(short.key, node)
    for slot, at in zip(slots, given, strict=False):
        where = number_at(at, run.env)
        if where is None:
            raise Missing(next((w for w in letters(at) if w not in run.env), short.key), at)
        names = [w for w in letters(slot)]
        if not names:
            if number_at(slot, {}) != where:
                raise Missing(short.key, node)
            continue
        base = number_at(slot, {**env, names[0]: 0})
        if base is None:
            raise Missing(short.key, node)
        env[names[0]] = int(where - base)
    extra = given[len(slots) :]
    inner = run.__class__(run.page, run.world, run.chooser, env, now=None, side=run.side, flat=run.flat, lenient=run.lenient)
    inner.used = run.used
    inner.sums = run.sums
    run.depth += 5
    inner.depth = run.depth
    try:
        del wanted
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
    (name,) = [w for e in entries for w in letters(e)][:1] or ("i",)
    if extra:
        inner.env[name] = run.entry(extra[0], 0)
        return inner.value(short.node)
    out = []
    for k in range(8):
        inner.env[name] = k
        try:
            out.append(inner.value(short.node))
        except Misfit:
            break
    if not out:
        raise Missing(short.key)
    return Value(np.stack([v.a for v in out], 1))


def preactivations(page: Page, function: str) -> list[str]:
    """The preactivations of all quantities with this activation."""
    out = []
    for key, d in page.definitions.items():
        node = unwrapped(d.node)
        if kind(node) == "Apply" and kind(node.function) == "Name" and len(node.args) == 1:
            from symgrad.check.evaluate import BUILTIN

            base = page.functions.get(node.function.base, BUILTIN.get(node.function.base, node.function.base))
            if base == function or function in ("f", "g", "phi", "a"):
                inner = page.symbols.ref(unwrapped(node.args[0]))
                out.append(inner.key if inner is not None else page.__dict__.get("_pre", {}).get(key, f"pre:{key}"))
    return out


__all__ = ["Ref", "children", "derivative"]
