r"""Two sides in every reading: which readings make them equal, at all steps and in all random worlds."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.check.defined.page import Page, in_code
from symgrad.check.evaluation.adjoints import symbol_target
from symgrad.check.evaluation.evaluate import Run
from symgrad.check.evaluation.instances import instances
from symgrad.check.evaluation.variants import unplaced
from symgrad.check.reading.statements import derived, loss_head, names_in
from symgrad.check.reading.symbols import head_and_parts, labelled, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk
from symgrad.check.worlds import values
from symgrad.check.worlds.field import WORLDS, Redraw
from symgrad.check.worlds.products import CROSSED, common
from symgrad.check.worlds.readings import LIMIT, Chooser, Exploration, Option, explore
from symgrad.check.worlds.values import Misfit, Value, transposed
from symgrad.check.worlds.world import Missing, OutOfTime, Unsupported, World
from symgrad.notation.syntax import Name

COMPARED = {
    "=": operator.eq, "==": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "!=": operator.ne,
    "leq": operator.le, "geq": operator.ge, "neq": operator.ne,
}  # fmt: skip
BOLD = frozenset({"mathbf", "boldsymbol", "bm", "pmb"})  # fonts in which people set matrices, never numbers
EXPLICIT = frozenset({"Diagonal", "Transpose"})
LAST = Name("T")


@dataclass
class Outcome:
    """What was found for one relation."""

    equal: bool = False
    reading: str = "matrix"
    chooser: Chooser | None = None
    typed: int = 0  # readings in which both sides have values that can be compared
    misfits: list[str] = field(default_factory=list)
    missing: Missing | None = None
    unsupported: Unsupported | None = None
    counter: dict[str, Any] | None = None
    best: Chooser | None = None  # the likeliest reading that type-checks
    mode: tuple[bool, bool] = (False, False)
    complete: bool = True
    weak: Chooser | None = None
    instances: int = 0
    used: set[str] = field(default_factory=set)
    last_only: bool = False
    nothing: bool = False  # whether a reading makes both sides zero at every step
    vanished: bool = False  # whether a derivative in the reading that holds, or the likeliest, is zero because nothing leads from the one to the other
    idle: bool = False  # whether it holds only where a derivative is read so that it is zero
    lenient: bool = False
    skipped: bool = False  # whether a side that is wrong was passed over
    against: Any = None  # the earlier side of the chain that it was held against, where the one before has no value
    near: list[tuple[Chooser, bool, bool]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the sides are equal, and not because a derivative leads nowhere."""
        return self.equal and not self.vanished

    @property
    def differs(self) -> bool:
        """Whether the sides have values in some readings, all were tried, and there is no doubt in any."""
        doubts = (self.equal, self.weak, self.missing, self.unsupported, self.nothing, self.vanished)
        return self.typed > 0 and self.complete and not any(doubts)


@dataclass
class Tried:
    """One reading."""

    state: str  # equal, differs, misfit, never
    why: str = ""
    at: dict[str, Any] | None = None
    values: tuple[Value, Value] | None = None
    count: int = 0
    last_only: bool = False
    vanished: int = 0
    nothing: bool = False  # whether both sides are zero at every step, and neither says so
    asked: frozenset[Hashable] | None = None


def names_the_last(*sides: Any) -> bool:
    """Whether a step is called T."""
    return any(p.where == "sub" and p.node == LAST for side in sides for _, _, parts in names_in(side) for p in parts)


PARTLY = frozenset({"carry", "use", "immediate", "mixed"})  # tags of readings in which a derivative is no whole one


def along_all(page: Page, chooser: Chooser, left: Any) -> bool:
    r"""Whether a gradient is summed over paths, ``\frac{\partial L}{\partial h_t} \frac{\partial h_t}{\partial h_{t-1}} + \ldots``, with direct derivatives.

    The whole gradient of the loss comes out if no path is left out; nothing else may be read in an unlikely way.
    """
    node = unwrapped(left)
    whole = loss_head(node.of) is not None if kind(node) == "Derivative" else symbol_target(page, node, {}) is not None
    weak = [(key, option) for key, option in chooser.chosen if option.weak]
    return whole and not chooser.tags & PARTLY and all(option.tag == "direct" and isinstance(key, tuple) and key[1] == "right" for key, option in weak)


class Decider:
    """Decides relations of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.kept: tuple[Any, ...] = ()  # the formulas whose instances the others are tried at
        self.known: frozenset[int] = frozenset()  # parts that many formulas share,
        self.pool: list[Any] = []  # what else stands in many,
        self.stable: set[int] = set()  # and all whose values are kept
        self.memos: dict[Any, dict[Any, Any]] = {}
        self.runs = 0  # evaluations of a side so far
        self.of_step = False  # whether the derivatives of a claim are those of the loss of a step
        self.to_the_last = False  # whether a claim names the last step, T
        self.derived_at: Any = None  # the step of the quantity that a claim differentiates
        self.of_one = False  # whether its symbols for gradients may be, whatever its derivatives are
        self.as_laid_out = False  # whether no matrix is compared transposed
        self.identity = True  # whether a letter for a variable may be one: in an equation between functions, not in one between quantities

    def remember(self, *nodes: Any, alike: bool = True) -> None:
        """Keep the values of these formulas' parts, for the sake of the many that differ from them in one place; `alike` if those have the same indices."""
        self.kept = nodes if alike else ()
        self.known = frozenset(id(n) for node in nodes for n in walk(node))
        self.identity = self.of_functions(*nodes)
        self.pool, self.stable = [], set()
        self.keep(*nodes)

    def of_functions(self, *sides: Any) -> bool:
        """Whether an equation names no quantity at a step, but for letters that are variables too."""
        found = ((n, r) for side in sides for n in walk(side) if (r := self.page.symbols.ref(n)) is not None and r.key in self.page.symbols.timed)
        return not any(r.step is not None or (kind(n) == "Name" and spelled(n) not in self.page.variables) for n, r in found)

    def of_a_step(self, *sides: Any) -> bool:
        """Whether an equation has derivatives of ``L_t``, and the document none of ``L``; only none by a quantity, if it names those of L_t."""
        if not self.page.step_losses or not any(stepwise(n) for side in sides for n in walk(side)):
            return False
        memo = self.page.memos["of a step"]
        if not memo:
            losses = [n for s in self.page.statements for n in s.nodes if kind(n) == "Derivative" and loss_head(n.of) is not None]
            whole = [n for n in losses if not stepwise(n)]
            refs = [self.page.symbols.ref(unwrapped(n.wrt)) for n in whole]
            memo["all"] = not whole or (all(r is None or r.key not in self.page.symbols.timed for r in refs) and self.names_of_a_step())
        return bool(memo["all"])

    def step_of(self, left: Any) -> Any:
        r"""The step of h in a claim that gives ``\partial h_{t-1} / \partial h_{t-2}``; None for a gradient of the loss, and for other claims."""
        left = unwrapped(left)
        ref = self.page.symbols.ref(unwrapped(left.of)) if kind(left) == "Derivative" else None
        return ref.step if ref is not None else None

    def names_of_a_step(self) -> bool:
        r"""Whether the document introduces a symbol for the gradient of the loss of a step, ``\delta h_t = \partial L_t / \partial h_t``."""
        for s in self.page.statements:
            sides = [unwrapped(side) for side in s.node.sides] if kind(s.node) == "Relation" else []
            target = symbol_target(self.page, sides[0], {}) if sides else None
            own = (self.page.symbols.ref(unwrapped(n.wrt)) for n in sides[1:2] if kind(n) == "Derivative" and stepwise(n))
            if target is not None and any(r is not None and r.key == target[0] for r in own):
                return True
        return False

    def keep(self, *nodes: Any) -> None:
        """Keep the values of these formulas and their parts too."""
        self.pool += nodes
        for node in nodes:
            add_stable(node, self.stable)

    def once(self, left: Any, right: Any, chooser: Chooser, flat: bool, lenient: bool, used: set[str]) -> Tried:
        """Both sides in one reading, at every instance."""
        page = self.page
        world = page.scalar_world if flat else page.world
        count, failures, good_last = 0, 0, False
        empty, filled = frozenset[tuple[str, str]](), frozenset[tuple[str, str]]()
        first: Tried | None = None
        vanished, zero, parts = 0, True, part_by_part(left, right)
        final = self.page.symbols.letter != "tau"  # whether τ is the last step
        for at in self.instances(left, right, flat):
            try:
                first_run = self.run(world, chooser, dict(at), "left", flat, lenient, used)
                second_run = self.run(world, chooser, dict(at), "right", flat, lenient, used)
                for one, other in parts:
                    same, x, y = self.compare(chooser, first_run.value(one), second_run.value(other))
                    if not same:
                        break
            except OutOfTime:
                continue
            except Misfit as e:
                return Tried("misfit", str(e), dict(at), asked=e.asked)
            count += 1
            empty, filled = empty | first_run.empty | second_run.empty, filled | first_run.filled | second_run.filled
            vanished += second_run.vanished
            zero = zero and same and not x.a.any()
            if not same:
                failures += 1
                if first is None:
                    first = Tried("differs", "", dict(at), (x, y), vanished=first_run.vanished + second_run.vanished)
                if not (final and "tau" in at):
                    return first
            elif final and at.get("tau") == world.steps:
                good_last = True
        if first is not None:
            first.last_only = good_last and self._only_last(left, right, chooser, flat, lenient, used)
            return first
        if not count or empty - filled:  # where a sum has terms, they name what does not exist
            return Tried("never", "no step has all the quantities that this names")
        if turned_back(left, chooser):
            return Tried("misfit", "the same derivative is immediate on the left and total on the right", {})
        nothing = zero and all(derived(side) or (not page.fixed and self.names(side)) for side in (left, right))
        return Tried("equal", values=(x, y), count=count, vanished=vanished, nothing=nothing)

    def names(self, side: Any) -> bool:
        """Whether a formula names anything, so that it does not say itself that it is zero."""
        return any(kind(n) == "Name" and n.base not in ("O", "0") for n in walk(side))

    def _only_last(self, left: Any, right: Any, chooser: Chooser, flat: bool, lenient: bool, used: set[str]) -> bool:
        """Whether both sides agree at every last step, and say something there."""
        world = self.page.scalar_world if flat else self.page.world
        says = not (derived(left) and derived(right))
        for env in self.instances(left, right, flat):
            if self.page.symbols.letter != "tau" and env.get("tau", world.steps) != world.steps:
                continue
            try:
                first, second = (self.run(world, chooser, dict(env), side, flat, lenient, used) for side in ("left", "right"))
                for one, other in part_by_part(left, right):
                    same, x, _ = self.compare(chooser, first.value(one), second.value(other))
                    if not same:
                        return False
                    says = says or bool(x.a.any())
            except (OutOfTime, Misfit):
                continue
        return says

    def differing(self, left: Any, right: Any, many: int, chooser: Chooser, flat: bool, lenient: bool) -> list[bool] | None:
        """Which of so many variants of the right side differ from the left one, where they first have values; None if that must be asked one by one."""
        world = self.page.scalar_world if flat else self.page.world
        for env in self.instances(left, right, flat):
            try:
                x, y = (self.run(world, chooser, dict(env), s, flat, lenient, set()).value(n) for s, n in (("left", left), ("right", right)))
                p, q = values.level(*self.alike(chooser, x, y))
            except OutOfTime:
                continue
            except (Misfit, Missing, Unsupported):
                return [True] * many
            except (Redraw, RecursionError, ValueError, IndexError, KeyError, AttributeError, TypeError):
                return None
            return (p.a != q.a).reshape(many, -1).any(1).tolist() if len(p.a) == many * WORLDS else None
        return None

    def run(self, world: Any, chooser: Chooser, env: dict[str, Any], side: str, flat: bool, lenient: bool, used: set[str]) -> Run:
        self.runs += 1
        memo = self.memos.setdefault((side, flat, lenient, *env.items()), {})
        now = env.get(self.page.symbols.letter, env.get("now"))
        if now is not None:
            env["now"] = now
        env.setdefault("values", self.free_values(world) if self.identity else {})
        run = Run(self.page, world, chooser, env, side=side, flat=flat, lenient=lenient, now=now, used=used)
        run.stable, run.memo, run.of_step, run.to_the_last, run.derived_at = self.stable, memo, self.of_step, self.to_the_last, self.derived_at
        return run

    def free_values(self, world: World) -> dict[str, Value]:
        """Variables of function identities, ``\\sigma'(x)``: a free number each."""
        for name in self.page.variables:
            if name not in world.free:
                world.free[name] = Value(world.draws.array(()))
        return world.free

    def instances(self, left: Any, right: Any, flat: bool) -> list[dict[str, Any]]:
        memo = self.page.memos["instances"]
        key = (id(left), id(right), flat)
        if self.kept:
            key = (id(self.kept[0]), id(self.kept[1]), flat)
        if key not in memo:
            found = instances(self.page, self.page.scalar_world if flat else self.page.world, (left, right), flat)
            memo[key] = (left, right, [env for env in found if admitted(env, self.page)])
        return memo[key][2]  # type: ignore[no-any-return]

    def compare(self, chooser: Chooser, x: Value, y: Value) -> tuple[bool, Value, Value]:
        """Whether two values are equal."""
        p, q = self.alike(chooser, x, y)
        return p.a.tobytes() == q.a.tobytes(), p, q

    def alike(self, chooser: Chooser, x: Value, y: Value) -> tuple[Value, Value]:
        """Two values of one shape; matrices of a gradient may be written in either layout."""
        if x.a.ndim == 3 and y.a.ndim == 3 and x.dims == y.dims[::-1] and x.dims != y.dims and not self.as_laid_out:
            chooser.choose("gradient layout", (Option(1, None, "a gradient by a matrix is read in the transposed layout", tag="denominator"),))
            x = transposed(x)
        p, q, note = common(x, y)
        if note:
            chooser.choose(("raised", note), (Option(1, None, note),))
        return p, q

    def readings(self, left: Any, right: Any, out: Outcome) -> Iterator[Tried]:
        """What the two sides come to in each reading of them as matrices."""

        def attempt(chooser: Chooser) -> Tried | Exception:
            try:
                return self.once(left, right, chooser, False, False, out.used)
            except (Missing, Unsupported, Redraw) as e:
                return e.with_traceback(None)

        yield from (tried for _, tried in explore(attempt, Exploration()) if isinstance(tried, Tried))

    def in_reading(self, left: Any, right: Any, answers: dict[Hashable, int], mode: tuple[bool, bool]) -> str:
        """What the two sides come to in one reading of them: equal, differs, "last" where they agree at the last step, or any other state."""
        self.identity, self.of_step, self.to_the_last = self.of_functions(left, right), self.of_a_step(left, right), names_the_last(left, right)
        self.derived_at = self.step_of(left)
        try:
            tried = self.once(left, right, Chooser(answers), *mode, set())
            return "last" if tried.last_only else tried.state
        except (Missing, Unsupported, Redraw):
            return "never"

    def forced(self, chooser: Chooser, left: Any, right: Any, mode: tuple[bool, bool]) -> bool:
        """Whether ⊗ is all that was read in an unlikely way, and the outer product gives no such shape as the other side has."""
        weak = {key: 0 for key, option in chooser.chosen if option.weak and option.note == CROSSED}
        if not weak or any(option.weak and key not in weak for key, option in chooser.chosen):
            return False
        outer = Chooser({**chooser.fixed, **weak})
        try:
            tried = self.once(left, right, outer, *mode, set())
        except (Missing, Unsupported, Redraw):
            return False
        return tried.state == "misfit" or any(isinstance(key, tuple) and key[0] == "raised" for key in outer.asked)

    def decide(self, left: Any, right: Any, limit: int = LIMIT, modes: tuple[tuple[bool, bool], ...] | None = None) -> Outcome:
        """All readings: matrices, then lying and standing vectors mixed, then scalars where the text allows them."""
        out = Outcome()
        if not self.known:
            self.memos, self.pool, self.stable = {}, [], set()
        self.keep(left, right)
        self.identity = self.of_functions(left, right)
        self.of_step, self.to_the_last = self.of_one or self.of_a_step(left, right), names_the_last(left, right)
        self.derived_at = self.step_of(left)
        for flat, lenient in modes or self.modes(left, right):
            exploration = Exploration()

            def attempt(chooser: Chooser, flat: bool = flat, lenient: bool = lenient) -> Tried | Exception:
                try:
                    return self.once(left, right, chooser, flat, lenient, out.used)
                except (Missing, Unsupported, Redraw) as e:
                    return e.with_traceback(None)

            for chooser, tried in explore(attempt, exploration, limit):
                if isinstance(tried, Missing):
                    out.missing = out.missing or tried
                    continue
                if isinstance(tried, Unsupported):
                    out.unsupported = out.unsupported or tried
                    continue
                if isinstance(tried, Exception):
                    continue
                if tried.nothing:  # 0 = 0: nothing leads from the one to the other
                    out.nothing = True
                    continue
                if tried.state == "equal" or tried.last_only:
                    if tried.vanished and (chooser.tags & {"immediate", "carry", "loss"} or self.page.constant):
                        out.idle |= "immediate" in chooser.tags  # what stands beside a derivative that is read so that it is zero may be anything
                        continue
                    if chooser.weak and not (along_all(self.page, chooser, left) or self.forced(chooser, left, right, (flat, lenient))):
                        if self.page.fixed and not any(np.any(v.a) for v in tried.values or ()):
                            continue  # 0 = 0, because a gate that is supposed to be 0 is all that is left
                        out.weak = out.weak or chooser
                        continue
                    out.equal, out.chooser, out.instances, out.vanished = True, chooser, tried.count, bool(tried.vanished)
                    out.reading = self.reading(left, right, flat)
                    out.mode, out.last_only, out.lenient = (flat, lenient), tried.last_only, lenient
                    return out
                if tried.state == "misfit":
                    if tried.why not in out.misfits:
                        out.misfits.append(tried.why)
                    if len(out.near) < 3:
                        out.near.append((chooser, flat, lenient))
                    continue
                if tried.state == "differs":
                    out.typed += 1
                    if out.best is None:
                        out.best, out.mode, out.vanished = chooser, (flat, lenient), bool(tried.vanished)
                        out.counter = self.counterexample(tried)
                    if len(out.near) < 12:
                        out.near.insert(min(out.typed - 1, len(out.near)), (chooser, flat, lenient))
            out.complete &= exploration.complete
            if out.missing is not None and not out.typed:
                break
        return out

    def modes(self, left: Any, right: Any) -> tuple[tuple[bool, bool], ...]:
        strictly = self.page.coded and not self.page.program and (in_code(left) or in_code(right))
        out = [(False, False)] if strictly else [(False, False), (False, True)]
        if self.scalar_allowed(left, right):
            out.append((True, True))
        return tuple(out)

    def scalar_allowed(self, left: Any, right: Any) -> bool:
        """Numbers instead of vectors: not where the formula itself speaks of matrices or components."""
        found = [(n, head, self.page.symbols.ref(n)) for side in (left, right) for n, head, _ in names_in(side)]
        names = [(n, head.base) for n, head, ref in found if ref is not None and self.page.symbols.ranks.get(ref.key) == 1]
        vectors = {x.font for n, letter in names for x in walk(n) if kind(x) == "Name" and x.base == letter}
        if self.page.sized or (vectors and vectors <= BOLD):
            return False
        for side in (left, right):
            for n in walk(side):
                k = kind(n)
                ref = self.page.symbols.ref(n)
                if ref is not None and (ref.entries or ref.key in self.page.cuts or self.of_matrices(ref.key)):
                    return False
                if k == "Name" and n.font in BOLD and ref is not None and self.page.symbols.ranks.get(ref.key) == 2:
                    return False
                if k == "Hadamard" or k in EXPLICIT or k == "Stack" or (k == "Name" and n.base in ("I", "diag")):
                    return False
                if k == "Index" and n.kind == "[" and (ref is None or ref.step is None):
                    return False
                if k == "Power" and kind(unwrapped(n.exponent)) == "Name" and unwrapped(n.exponent).base in ("T", "Tr", "top") and not self.counted(n):
                    return False
        return True

    def of_matrices(self, key: str) -> bool:
        r"""Whether a name stands for a formula that speaks of matrices itself, ``J_t = \operatorname{diag}(1 - h_t^2) W``."""
        d = self.page.definitions.get(key)
        return d is not None and self.page.symbols.ranks.get(key) == 2 and any(kind(n) in EXPLICIT for n in walk(d.node))

    def counted(self, node: Any) -> bool:
        r"""Whether ``w^T`` may be a number to the power T: a weight in a small letter."""
        ref = self.page.symbols.ref(unwrapped(node.base))
        weight = ref is not None and self.page.symbols.ranks.get(ref.key) == 2
        return weight and kind(unwrapped(node.base)) == "Name" and unwrapped(node.base).base.islower() and spelled(node.exponent) == "T"

    def reading(self, left: Any, right: Any, flat: bool) -> str:
        if flat:
            return "scalar"
        for side in (left, right):
            for n in walk(side):
                ref = self.page.symbols.ref(n)
                if ref is not None and ref.entries:
                    return "component"
        return "matrix"

    def counterexample(self, tried: Tried) -> dict[str, Any]:
        """Where the two sides differ, and their values there."""
        assert tried.values is not None
        x, y = tried.values
        at = {k: int(v) for k, v in (tried.at or {}).items() if isinstance(v, int) and k not in ("now",)}
        return {
            "at": at, "field": "integers modulo 2^31 - 1",
            "left": np.asarray(x.a[0]).reshape(-1)[:6].tolist(), "right": np.asarray(y.a[0]).reshape(-1)[:6].tolist(),
        }  # fmt: skip


def stepwise(node: Any) -> bool:
    """Whether a derivative is one of the loss of a step."""
    split = head_and_parts(unwrapped(node.of)) if kind(node) == "Derivative" and loss_head(node.of) is not None else None
    return split is not None and any(not labelled(p.node) for p in split[1])


def part_by_part(left: Any, right: Any) -> list[tuple[Any, Any]]:
    r"""``[\delta W; \delta b] = [\delta x^\top; \delta]``: what stands in the same place of two brackets; the sides themselves, of anything else."""
    piles = [unwrapped(side) for side in (left, right)]
    listed = all(kind(pile) in ("Stack", "Tuple") and len(pile.args) > 1 for pile in piles)
    if not listed or len(piles[0].args) != len(piles[1].args):
        return [(left, right)]
    return list(zip(piles[0].args, piles[1].args, strict=True))


def turned_back(left: Any, chooser: Chooser) -> bool:
    r"""Whether ``\partial h_t/\partial W`` is immediate on the left, and ``\partial h_{t-1}/\partial W`` total on the right: a recursion is of one of them."""
    if kind(unwrapped(left)) != "Derivative":
        return False
    how = {key[1:4]: option for key, option in chooser.chosen if isinstance(key, tuple) and key[0] == "derivative" and key[4:] == ("parameter",)}
    return any(o.tag == "immediate" and side == "left" and ("right", *rest) in how and not how["right", *rest].tag for (side, *rest), o in how.items())


def add_stable(node: Any, found: set[int]) -> None:
    """Add the parts of a formula whose values do not depend on what stands around them; with a part, all that is in it is there already."""
    if id(node) not in found:
        if not unplaced(node):
            found.add(id(node))
        for child in children(node):
            add_stable(child, found)


def admitted(env: dict[str, Any], page: Page) -> bool:
    """Whether the indices are among those that a claim is supposed for: ``t = T``, ``k < t``."""
    if any(env.get(w, k) != k for w, k in page.only.items()):
        return False
    for relation in page.where:
        values = [number_at(side, env) for side in relation.sides]
        for a, sign, b in zip(values, relation.signs, values[1:], strict=False):
            holds = COMPARED.get(sign)
            if a is not None and b is not None and holds is not None and not holds(a, b):
                return False
    return True
