r"""Parts of a derivative: ``\left.\frac{\partial L}{\partial W}\right|_t`` is what step t adds, ``\delta c_t^{(h)}`` what comes through h, and
some of the paths that it is summed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.derivatives import laid_out, shaped
from symgrad.check.evaluation.gradients import adjoint, all_losses, loss_steps, weighed
from symgrad.check.evaluation.recognise import spoken
from symgrad.check.evaluation.wrt import quantity_of
from symgrad.check.reading.statements import THROUGH
from symgrad.check.reading.symbols import Ref, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value, _contract
from symgrad.check.worlds.world import DIRECT, Missing, OutOfTime, Quantity, Unsupported, World

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run

IMMEDIATE = frozenset({"direct", "explicit", "immediate", "partial", "local", "instant", "expl", "imm", "dir", "fixed", "const", "constant",
                       "直接", "直接项", "直接項", "显式", "显式项"})  # fmt: skip
OVER = frozenset({"bar", "overline", "hat", "widehat", "tilde", "widetilde"})  # over a derivative
ALONG = frozenset({"carry", "carousel", "cell", "memory", "highway", "path", "own", "cec"})  # the path along a memory alone
CURRENT = frozenset({"output", "out", "current", "present", "loss", "当前", "當前", "输出", "現在"})  # what the loss of the step itself gives
RECURRENT = frozenset({"future", "next", "recurrent", "rec", "carry", "later", "recursive", "temporal", "time", "未来", "未來", "后续"})
FROM = frozenset({"from", "via", "来自", "來自", "aus", "von", "de", "desde"})
MOST = 4  # quantities that one part of a gradient comes through
ROUTES = 6  # paths of a derivative that some are chosen among


def given(run: Run, node: Any) -> Value:
    """A derivative with a bar: which part of it, told by a step, a word, or the quantity that it comes through."""
    inner = unwrapped(node.node)
    condition: Any = unwrapped(node.conditions[0]) if len(node.conditions) == 1 else None
    if kind(inner) == "Derivative" and all_held(run, inner, node.conditions):
        return run.value(replace(inner, sign="partial+"))
    if kind(condition) == "Relation" and condition.signs == ("=",) and spelled(condition.sides[0]) == run.page.symbols.letter:
        condition = unwrapped(condition.sides[1])  # ``|_{t=3}``
    if kind(inner) != "Derivative" or condition is None or kind(condition) == "Relation":
        raise Unsupported("a condition within a formula", node)
    losses = loss_steps(run, unwrapped(inner.of))
    word = (spelled(condition) or "").lower()
    if losses is None:
        if word in ALONG | IMMEDIATE and (found := along_itself(run, inner, word in ALONG)) is not None:
            return found
        of, by = (run.page.symbols.ref(unwrapped(n)) for n in (inner.of, inner.wrt))
        its_own = of is not None and by is not None and by.key not in run.page.symbols.timed and number_at(condition, run.env) == run.step_of(of)
        if word in IMMEDIATE | OVER or its_own:  # ``\\left. \\partial h_k/\\partial W \\right|_{(k)}``
            return run.value(replace(inner, sign="partial+"))
        raise Unsupported("which part of the derivative is meant", node)
    part = part_given(run, node, inner, condition, losses)
    return weighed(run, part) if len(losses) > 1 or run.page.examples else part  # the loss of one step is no part of a mean


def from_step(run: Run, condition: Any) -> int | None:
    r"""The step that a part comes from, ``\text{from } t + 1``."""
    pair = next((n for n in walk(condition) if kind(n) == "Product" and len(n.args) == 2 and spelled(n.args[0]) in FROM), None)
    at = number_at(rebuilt(condition, {id(pair): pair.args[1]}), run.env) if pair is not None else None
    return None if at is None else int(at)


def part_given(run: Run, node: Any, inner: Any, condition: Any, losses: tuple[int, ...]) -> Value:
    """Which part of ∂L/∂q a bar tells, by a step or a word."""
    at, word = number_at(condition, run.env), (spelled(condition) or "").lower()
    target = quantity_of(run, unwrapped(inner.wrt))
    if target is None:
        raise Unsupported("which part of the derivative is meant", node)
    key, step, entries = target
    if at is not None and key not in run.page.symbols.timed:
        return adjoint(run, key, int(at), losses, "use", entries)
    behind = behind_of(run, condition)
    if behind is not None and step is not None and not entries:
        at = run.step_of(behind)
        if at is not None and not 0 <= at - step <= (kind(condition) == "Product"):  # of a name alone, it may be what is held
            raise Unsupported("a part that comes through another step", node)
        return through(run, behind.key, key, step, losses, 0 if at is None else int(at) - step)
    if step is not None and (word in RECURRENT or from_step(run, condition) == step + 1):
        later = adjoint(run, key, step, losses, "carry", entries)
        run.vanished += len(losses) == 1 and not np.any(later.a)  # no later step has that loss
        return later
    if step is not None and word in CURRENT:
        if step not in losses:
            raise OutOfTime(key)
        return adjoint(run, key, step, (step,), "total", entries)
    if step is not None and word in IMMEDIATE and not entries:
        now = Option(0, "now", f"the direct part is what the loss of step {run.page.symbols.letter} gives")
        own = Option(0, "own", "the direct part is what its own next value gives")
        if run.chooser.choose(("bar", key, word), (now, own)) == "now":
            return adjoint(run, key, step, tuple(s for s in losses if s == step), "total", entries)
        if step + 1 > run.world.steps:
            raise OutOfTime(key)
        return through(run, key, key, step, losses, 1)
    raise Unsupported("which part of the derivative is meant", node)


def along_itself(run: Run, derivative: Any, near: bool) -> Value | None:
    r"""``\left.\frac{\partial c_T}{\partial c_k}\right|_{\mathrm{direct}}``: from step to step by c's own equation alone; `near` if that may be one step."""
    of, wrt = (run.page.symbols.ref(unwrapped(n)) for n in (derivative.of, derivative.wrt))
    if of is None or wrt is None or of.key != wrt.key or of.key not in run.page.lagged or of.entries or wrt.entries:
        return None
    t, s, dims = run.step_of(of), run.step_of(wrt), run.world.model.dims[of.key]
    if t is None or s is None or 0 < t - s < 2 - near:
        return None
    if not run.world.model.first <= s < t <= run.world.steps:
        raise OutOfTime(of.key)
    out = run.world.derivative((of.key, t), (of.key, t - 1), DIRECT)
    for k in range(t - 1, s, -1):
        out = _contract(out, run.world.derivative((of.key, k), (of.key, k - 1), DIRECT), 1)
    return laid_out(run, shaped(run, out, dims, dims, (), ()), dims, dims, (), (), derivative)


def all_held(run: Run, derivative: Any, conditions: tuple[Any, ...]) -> bool:
    r"""Whether all else that an equation names is behind the bar, ``\left. \partial c_t / \partial c_{t-1} \right|_{f_t, i_t, g_t}``: it is fixed.

    So it is by a weight with the states before behind the bar, ``\left. \partial h_t / \partial W \right|_{h_{t-1}}``.
    """
    of, by = (run.page.symbols.ref(unwrapped(n)) for n in (derivative.of, derivative.wrt))
    d = run.page.definitions.get(of.key) if of is not None else None
    names = [unwrapped(a) for c in map(unwrapped, conditions) for a in (c.args if kind(c) in ("Tuple", "Stack") else (c,))]
    refs = [ref for n in names if (ref := run.page.symbols.ref(n)) is not None]
    if of is None or d is None or by is None or len(refs) < len(names):
        return False
    now = run.step_of(of)
    earlier = {r.key for r in refs if now is not None and run.step_of(r) == now - 1}
    if by.key not in run.page.symbols.timed and earlier and states_before(run.page, d.key) <= earlier:
        return True
    return {ref.key for ref, _ in run.page.references(d)} - {by.key} <= {r.key for r in refs}


def states_before(page: Page, key: str) -> set[str]:
    """The states of the step before that a quantity is computed from."""
    before, todo, done = set[str](), {key}, set[str]()
    while todo:
        done |= {one := todo.pop()}
        found = [(ref.key, lag) for ref, lag in page.references(page.definitions[one])]
        before |= {other for other, lag in found if lag and other in page.lagged}
        todo |= {other for other, lag in found if not lag and other in page.definitions} - done
    return before


class Share:
    r"""Some of what a gradient is summed from, ``\frac{\partial L}{\partial c_t} \mathrel{+}= …``: through some of the quantities that use c_t.

    `own` if that is its own next value alone.
    """

    __slots__ = ("key", "own", "step")

    def __init__(self, key: str, step: Any, own: bool = False) -> None:
        self.key, self.step, self.own = key, step, own


def shared_out(run: Run, node: Share) -> Value:
    """The parts of ∂L/∂q through the quantities that are chosen in this reading."""
    at = number_at(node.step, run.env) if node.step is not None else run.env.get(run.page.symbols.letter)
    if at is None:
        raise Missing(run.page.symbols.letter)
    users = users_of(run, node.key)
    some = [c for n in range(1, min(len(users), MOST)) for c in combinations(users, n)]
    some = [((node.key, 1),)] if node.own and (node.key, 1) in users else [] if node.own else some
    if not some:
        raise Unsupported("what is added to a gradient that has one part")
    options = tuple(Option(len(c), c, f"added is what comes through {' and '.join(spoken(run.page, user) for user, _ in c)}") for c in some)
    parts = run.chooser.choose(("share", node.key), options)
    values = [through(run, user, node.key, int(at), all_losses(run), later) for user, later in parts]
    out = values[0]
    for v in values[1:]:
        out = replace(out, a=(out.a + v.a) % F.P)
    return weighed(run, out)


class Paths:
    r"""Some of the paths of a derivative, ``\operatorname{diag}(z_t) + \text{other terms}``; the `unsaid` ones lead through some of these quantities."""

    __slots__ = ("derivative", "unsaid")

    def __init__(self, derivative: Any, unsaid: frozenset[str]) -> None:
        self.derivative, self.unsaid = derivative, unsaid


def followed(run: Run, node: Paths) -> Value:
    """The sum over the paths that are chosen in this reading: some, and not all."""
    model, world = run.world.model, run.world
    of, target = run.page.symbols.ref(unwrapped(node.derivative.of)), quantity_of(run, unwrapped(node.derivative.wrt))
    if of is None or target is None or of.entries or target[2] or {of.key, target[0]} - run.page.symbols.timed or run.lookup != world.value:
        raise Unsupported("some of the paths of this derivative", node.derivative)
    key, step, _ = target
    t = run.step_of(of)
    if t is None or step is None or not 1 <= t <= world.steps or step < model.first:
        raise OutOfTime(of.key)
    found = list(routes(world, (of.key, t), (key, step))) if 0 <= t - step <= 1 else []
    whole = range(len(found))
    kept = [c for n in whole[1:] for c in combinations(whole, n) if all(not node.unsaid or node.unsaid & set(found[k][0]) for k in whole if k not in c)]
    if not kept or len(found) > ROUTES:
        raise Unsupported("a derivative with one path, or with many", node.derivative)
    options = tuple(Option(1, c, f"not written out: {', '.join(told(run, found[k][0]) for k in whole if k not in c)}") for c in kept)
    total = sum(found[k][1] for k in run.chooser.choose(("paths", of.key, key), options)) % F.P
    out = shaped(run, total, model.dims[of.key], model.dims[key], (), ())
    return laid_out(run, out, model.dims[of.key], model.dims[key], (), (), node.derivative)


def told(run: Run, names: tuple[str, ...]) -> str:
    """A path by what it leads through."""
    through = [run.page.notes.get(n, n) for n in names if n not in run.world.model.hidden]
    return f"the path through {' and '.join(through)}" if through else "the direct path"


def routes(world: World, at: Quantity, wrt: Quantity) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every path of ∂y/∂x: the quantities between, and the product of the local derivatives along it."""
    for q, edge in world.local(at).items():
        if q == wrt:
            yield (), edge
        elif q[1] is not None and wrt[1] is not None and q[1] >= wrt[1]:
            yield from (((q[0], *names), _contract(edge, inner, 1)) for names, inner in routes(world, q, wrt))


def users_of(run: Run, key: str) -> list[tuple[str, int]]:
    """The quantities whose equations name this one, each with how many steps later."""
    world, now = run.world, 2
    return [(user, later) for later in (0, 1) for user in world.model.equations if (key, now) in world.local((user, now + later))]


def behind_of(run: Run, condition: Any) -> Ref | None:
    """The quantity in ``via h_t``."""
    if kind(condition) == "Product" and spelled(condition.args[0]) in THROUGH:
        return run.page.symbols.ref(condition.args[-1])
    ref = run.page.symbols.ref(condition)
    return ref if ref is not None and ref.key in run.page.symbols.timed else None


def through(run: Run, behind: str, key: str, step: int, losses: tuple[int, ...], later: int = 0) -> Value:
    """(∂L/∂q) ∂q/∂x along the equation of q alone, x at `step` and q at `step` + `later`."""
    world = run.world
    if not 1 <= step + later <= world.steps or (step < 1 and key not in run.page.lagged):
        raise OutOfTime(key)
    g = world.adjoint((behind, step + later), losses)
    edge = world.derivative((behind, step + later), (key, step), DIRECT)
    a = _contract(g[:, None], edge, 1)[:, 0]
    return Value(a.reshape(F.WORLDS, *world.model.dims[key]))


__all__ = ["Paths", "Share", "followed", "given", "shared_out", "through"]
