r"""By what a derivative is taken: a quantity at a step, the use of a parameter, a formula that is a preactivation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.defined.page import plain
from symgrad.check.defined.typing import matrix_like
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.symbols import Ref, _step_like, entries_of, head_and_parts, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.world import Missing
from symgrad.notation.syntax import Name

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run


def quantity_of(run: Run, wrt: Any) -> tuple[str, int | None, tuple[Any, ...]] | None:
    """The quantity that a derivative is taken by: key, step (of a parameter: of its use), entries."""
    ref = run.page.symbols.ref(wrt)
    if ref is not None:
        run.used.add(ref.key)
        small_letter(run, ref)
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
    step = number_at(split[1][0].node, run.env) if split is not None and len(split[1]) == 1 else None
    if split is not None and split[0].base in ("theta", "Theta", "vartheta") and (not split[1] or step is not None):
        key = next((k for k, n in run.page.symbols.ranks.items() if k not in run.page.symbols.timed and n == 2), None)
        if key is not None:
            run.chooser.choose(
                ("parameter", split[0].base), (Option(0, None, f"{split[0].base} stands for any parameter; it was tried with {run.page.notes.get(key, key)}"),)
            )
            return key, None if step is None else int(step), ()
    key = weight_meant(run, Name("W"), "w") if wrt == Name("w") else weight_meant(run, wrt)  # ``\\partial L/\\partial w``, by some weight
    if key is not None:
        return key, None, ()
    if split is None:
        shared = run.page.named.get(run.page.canon(wrt, run.page.symbols.letter, 0))
        if shared is not None and run.now is not None:
            return shared, run.now, ()
        return by_value(run, wrt)
    return None


def weight_meant(run: Run, node: Any, written: str = "") -> str | None:
    """A weight without the labels that the cell gives it, or with labels that it does not: ``W`` for ``W_hh``, ``W_hh`` for ``W``."""
    split = head_and_parts(node)
    if split is None or not matrix_like(node) or len(split[1]) > 1 or (split[1] and spelled(split[1][0].node) is None):
        return None
    bare, symbols = key_of(split[0], []), run.page.symbols
    weights = [k for k, n in symbols.ranks.items() if n == 2 and k not in symbols.timed and k.replace("^", "_").split("_")[0] == bare]
    if split[1]:
        weights = [k for k in weights if k == bare] if len(weights) == 1 else []
    if not weights:
        return None
    recurrent = [k for k in weights if k in run.page.recurrent_weights]
    weights = recurrent + [k for k in weights if k not in recurrent]
    name = written or spelled(node) or str(bare)
    options = tuple(Option(2 + n, k, f"{name} is read as {run.page.notes.get(k, plain(k))}") for n, k in enumerate(weights))
    return guess(run, name, options)


def quantity_meant(run: Run, node: Any) -> Ref | None:
    """What an unknown name may stand for: a weight with other labels, an input whose letter has the other case, ``X_t`` for ``x_t``, ``w_{ij}`` of W."""
    weight = weight_meant(run, node)
    if weight is not None:
        return Ref(weight)
    split = head_and_parts(node)
    if split is None or len(split[0].base) != 1 or split[0].accents or not split[0].base.isalpha():
        return None
    page, base = run.page, split[0].base.swapcase()
    head = next((n for n in walk(node) if kind(n) == "Name" and n.base == split[0].base), None)
    ref = page.symbols.ref(rebuilt(node, {id(head): replace(head, base=base)})) if head is not None else None
    if ref is None or ref.key in page.definitions:
        return None
    timed = ref.key in page.symbols.timed
    if (not timed or ref.entries or ref.step is None) and (timed or ref.step is not None or page.symbols.ranks[ref.key] != 2 or base.islower()):
        return None
    guess(run, split[0].base, (Option(2, ref.key, f"{split[0].base} is read as {page.notes.get(ref.key, plain(ref.key))}"),))
    return ref


def small_letter(run: Run, ref: Ref) -> None:
    """That ``w_{ij}`` is an entry of W is a guess: it may count the units the other way round."""
    if ref.written:
        guess(run, ref.written, (Option(2, ref.key, f"{plain(ref.written)} is read as {run.page.notes.get(ref.key, plain(ref.key))}"),))


def guess(run: Run, name: str, options: tuple[Option, ...]) -> str:
    """What an unknown name is read as: until a claim holds that has only one such reading, what it leads to refutes nothing."""
    run.used.add(f"{'=' if name in run.page.settled else '?'}{name}")
    return str(run.chooser.choose(("weight", name), options))


def parameter_use(run: Run, wrt: Any) -> tuple[str, int | None, tuple[Any, ...]] | None:
    """``W^{(k)}``: the use of a parameter at step k."""
    split = head_and_parts(wrt)
    if split is None:
        return None
    head, parts = split
    for k, p in enumerate(parts):
        if p.where in ("sup", "paren", "sub"):
            at = number_at(p.node, run.env) if _step_like(p.node) else None
            if at is None:
                continue
            rest = [q for j, q in enumerate(parts) if j != k]
            for n in range(len(rest), -1, -1):
                name = key_of(head, rest[:n])
                key = run.page.symbols.small.get(name or "", name)
                if key in run.page.symbols.ranks and key not in run.page.symbols.timed:
                    entries: list[Any] = []
                    for q in rest[n:]:
                        entries += entries_of(q.node, run.page.symbols.ranks[key] - len(entries)) or ()
                    small_letter(run, Ref(str(key), written=str(name) if name != key else ""))
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


def preactivations(page: Page, function: str) -> list[str]:
    """The preactivations of all quantities with this activation."""
    out = []
    for key in page.definitions:
        node = page.activated(key)
        if node is not None:
            base = meaning(page.functions, node.function)
            if base == function or function in ("f", "g", "phi", "a"):
                inner = page.symbols.ref(unwrapped(node.args[0]))
                out.append(inner.key if inner is not None else page.preactivation(key))
    return out
