r"""The world: an understood cell unrolled over a few steps, with every value and every derivative exact.

Quantities are (key, step) pairs; a parameter has step None.  Each equation gives its value and its *local* derivatives by the quantities
it names; from these every other derivative is a sum over paths:

total    ∂y_t/∂x_s over all paths
step     paths inside step t only: the states of the step before are fixed (∂⁺)
direct   the equation of y alone: every other named quantity is fixed
own      from step to step along y itself: the other states are fixed

and the adjoints ∂L_s/∂q_t of the loss of every step s come from one sweep backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from symgrad.check.worlds.field import MODULUS, WORLDS, Array, Draws, P, inverse
from symgrad.check.worlds.matrices import of_kind
from symgrad.check.worlds.values import Misfit, Value, Valueless, _contract, eye

Quantity: TypeAlias = tuple[str, int | None]
STEPS = 4
TOTAL, STEP, DIRECT, OWN = "total", "step", "direct", "own"  # paths of a derivative


CIRCULAR = "defined by itself"


class Missing(Valueless):
    """A name that nothing gives a value."""

    def __init__(self, name: str, where: object = None) -> None:
        super().__init__(name)
        self.name, self.where = name, where


class Unsupported(Valueless):
    """A notation that is read but has no meaning here yet."""

    def __init__(self, what: str, node: Any = None) -> None:
        super().__init__(what)
        self.what, self.node = what, node


class OutOfTime(Valueless):
    """A quantity at a step where there is none: this instance of a claim says nothing."""


@dataclass(frozen=True, slots=True)
class Equation:
    """How a quantity is computed at a step; `lags` are the steps back at which it names others."""

    key: str
    compute: Callable[[World, int, Lookup], Value]
    argument: str = ""  # of ``z = f(a)``: a
    function: str = ""  # and f


Lookup: TypeAlias = Callable[[str, "int | None"], Value]


@dataclass(frozen=True, slots=True)
class Cut:
    """A block of a parameter."""

    owner: str
    at: tuple[slice, ...]


@dataclass(frozen=True)
class Model:
    """What the world is built from: equations by name, the dims of everything, which names are inputs, parameters, states, loss."""

    equations: dict[str, Equation]
    dims: dict[str, tuple[int, ...]]
    timed: frozenset[str]  # quantities with a step: inputs, states and all that has an equation
    hidden: frozenset[str]  # preactivations that the document does not name
    outputs: tuple[str, ...]  # what the loss of a step looks at
    losses: dict[str, str] = field(default_factory=dict)  # output → "free", "entropy", "binary"
    orient: int = 1
    first: int = 0  # the earliest step of a state
    stacks: dict[str, tuple[str, ...]] = field(default_factory=dict)  # several quantities under one name
    cuts: dict[str, Cut] = field(default_factory=dict)  # blocks of parameters that have names of their own


class World:
    """Values and derivatives of a model, drawn from a seed."""

    def __init__(self, model: Model, seed: int, steps: int = STEPS) -> None:
        self.model, self.steps = model, steps
        self.draws = Draws(seed)
        self.free: dict[str, Value] = {}  # variables of identities between functions
        self._values: dict[Quantity, Value] = {}
        self._local: dict[Quantity, dict[Quantity, Array]] = {}
        self._total: dict[tuple[Any, ...], Array | None] = {}
        self._adjoint: dict[int, dict[Quantity, Array]] = {}
        self._busy: set[Quantity] = set()
        self._slopes: dict[Quantity, Array] = {}
        self._instances: dict[int, dict[tuple[str, int], Array]] = {}

    # -- values ---------------------------------------------------------------------------------------------------------------

    def size(self, key: str) -> int:
        n = 1
        for d in self.model.dims[key]:
            n *= d
        return n

    def value(self, key: str, step: int | None) -> Value:
        """The value of a quantity at a step."""
        at = (key, step if key in self.model.timed else None)
        found = self._values.get(at)
        if found is None:
            found = self._values[at] = self._computed(*at) if not self.fixed else self._supposed(*at)
        return found

    def _supposed(self, key: str, step: int | None) -> Value:
        """The value, or the one that is supposed; then the activation has it at this argument, and its slope follows."""
        found = self._computed(key, step)
        wanted = self.fixed.get((key, step), self.fixed.get((key, None)))
        if wanted is None:
            return found
        equation = self.model.equations.get(key)
        if equation is not None and equation.function and step is not None and step >= 1:
            self.draws.force(equation.function, self.value(equation.argument, step).a, wanted)
        return replace(found, a=np.full_like(found.a, wanted))

    def _computed(self, key: str, step: int | None) -> Value:
        dims = self.model.dims.get(key)
        if dims is None:
            raise Missing(key)
        orient = self.model.orient if len(dims) == 1 else 0
        if key not in self.model.timed:
            drawn = self.draws.array(dims)
            return Value(of_kind(drawn, self.kinds[key]) if key in self.kinds else drawn, None, orient)
        if step is None or step > self.steps + (key in self.later or key in self.data):
            raise OutOfTime(key)
        if step > self.steps:
            last = self._fresh(key, dims, orient)
            return replace(last, a=last.a * 0) if key in self.zeros and key in self.later else last
        equation = self.model.equations.get(key)
        if equation is None:
            if step < 1 and not (key in self.lagged and step >= self.model.first):
                raise OutOfTime(key)
            return self._fresh(key, dims, orient)
        if step < 1 and not self.begins(key, step):
            if step < self.model.first or key not in self.lagged:
                raise OutOfTime(key)
            a = self.draws.array(dims)
            return Value(a * 0 if key in self.zeros and step == 0 else a, None, orient)
        if (key, step) in self._busy:
            raise Missing(key, CIRCULAR)
        self._busy.add((key, step))
        try:
            value = equation.compute(self, step, self.value)
        finally:
            self._busy.discard((key, step))
        if value.dims != dims:
            raise Misfit(f"{key} has another shape than its equation")
        return Value(value.a, None, orient)

    def begins(self, key: str, step: int) -> bool:
        """Whether a state before the first step is given by the others there, ``h_0 = tanh(c_0)``."""
        return key in self.present and self.model.first <= step

    def _fresh(self, key: str, dims: tuple[int, ...], orient: int) -> Value:
        a = self.draws.array(dims)
        wanted = self.model.losses.get(key) if dims else None
        if wanted == "target":
            a[:, -1] = (1 - a[:, :-1].sum(1)) % P
        elif wanted == "first":
            a[:] = np.eye(dims[0], dtype=np.int64)[0]
        return Value(a, None, orient)

    lagged: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()  # states that an equation gives by other states of the same step alone
    later: frozenset[str] = frozenset()  # states that are computed from the last step to the first
    zeros: frozenset[str] = frozenset()  # states that begin at zero, behind the last step if they run backwards
    fixed: Mapping[Quantity, int] = {}  # values that are supposed, at a step or (None) at every step
    kinds: Mapping[str, str] = {}  # weights that are supposed to be symmetric, orthogonal, …
    constant: frozenset[str] = frozenset()  # gates, and states of the step before, through which no path is followed
    held: bool = False  # whether gates that are supposed to have a value are constants
    data: frozenset[str] = frozenset()  # what the loss is computed from besides the cell: it may be that of the step behind the last one

    # -- local derivatives ----------------------------------------------------------------------------------------------------

    def local(self, at: Quantity) -> dict[Quantity, Array]:
        """∂y/∂x for every x that the equation of y names, all flattened: [world, |y|, |x|]."""
        found = self._local.get(at)
        if found is None:
            found = self._differentiated(*at)
            if self.constant:
                found = {q: edge for q, edge in found.items() if q[0] not in self.constant or (q[0] in self.lagged and q[1] == at[1])}
            self._local[at] = found
        return found

    def _differentiated(self, key: str, step: int | None) -> dict[Quantity, Array]:
        equation = self.model.equations.get(key)
        if equation is None or step is None or step > self.steps or (step < 1 and not self.begins(key, step)):
            return {}
        if self.fixed:
            self.value(key, step)
            if self.held and equation.function and ((key, step) in self.fixed or (key, None) in self.fixed):
                return {}
        named: dict[Quantity, Value] = {}

        def listen(name: str, t: int | None) -> Value:
            at = (name, t if name in self.model.timed else None)
            return named.setdefault(at, self.value(*at))

        try:
            equation.compute(self, step, listen)
        except OutOfTime:
            if self.model.losses.get(key) != "itself":
                raise
            return {}  # a loss adds nothing where it looks at a step that there is not
        sizes = {q: int(np.prod(v.dims, dtype=int)) for q, v in named.items()}
        width, starts = 0, {}
        for q, n in sizes.items():
            starts[q], width = width, width + n
        seeded: dict[Quantity, Value] = {}
        for q, v in named.items():
            d = np.zeros((WORLDS, sizes[q], width), dtype=np.int64)
            d[:, np.arange(sizes[q]), starts[q] + np.arange(sizes[q])] = 1
            seeded[q] = Value(v.a, d.reshape(*v.a.shape, width), v.orient)
        out = equation.compute(self, step, lambda name, t: seeded[name, t if name in self.model.timed else None])
        if out.d is None:
            return {}
        if out.dims != self.model.dims[key]:
            raise Misfit(f"{key} has another shape than its equation")
        flat = out.d.reshape(WORLDS, -1, width)
        parts = {q: flat[:, :, starts[q] : starts[q] + n] for q, n in sizes.items()}
        return {q: a for q, a in parts.items() if a.any()}

    # -- derivatives over paths -----------------------------------------------------------------------------------------------

    def derivative(self, of: Quantity, wrt: Quantity, mode: str = "total", instance: int | None = None, fixed: frozenset[Quantity] = frozenset()) -> Array:
        """∂of/∂wrt flattened, [world, |of|, |wrt|]; `instance`: of a parameter, only its use at that step; no path leads through the `fixed` ones."""
        parts = self.model.stacks.get(wrt[0])
        if parts is not None and of != wrt:
            members = frozenset((p, wrt[1]) for p in parts)
            return np.concatenate([self.derivative(of, (p, wrt[1]), mode, instance, members - {(p, wrt[1])}) for p in parts], 2)
        if wrt[0] in self.model.cuts and of != wrt:
            return self.cut(wrt[0], self.derivative(of, (self.model.cuts[wrt[0]].owner, None), mode, instance, fixed))
        found = self._path(of, wrt, mode, instance, of[1], fixed)
        if found is None:
            return np.zeros((WORLDS, self.size(of[0]), self.size(wrt[0])), dtype=np.int64)
        return found

    def _path(self, at: Quantity, wrt: Quantity, mode: str, instance: int | None, top: int | None, fixed: frozenset[Quantity]) -> Array | None:
        if at in fixed:
            return None
        if at == wrt:
            n = self.size(at[0])
            return eye(n)
        key = (mode if mode != "step" else f"step{top}", at, wrt, instance, fixed)
        if key in self._total:
            return self._total[key]
        out: Array | None = None
        if at[1] is not None and (wrt[1] is None or at[1] >= wrt[1] or self.later):
            for q, edge in self.local(at).items():
                if q == wrt:
                    if instance is not None and at[1] != instance:
                        continue
                    part = edge
                elif (
                    (mode == "direct" and q[0] not in self.model.hidden)
                    or (mode == "step" and q[1] != top)
                    or (mode == "own" and q[1] != at[1] and q[0] != wrt[0])
                ):
                    continue
                else:
                    inner = self._path(q, wrt, mode, instance, top, fixed)
                    if inner is None:
                        continue
                    part = _contract(edge, inner, 1)
                out = part if out is None else (out + part) % MODULUS
        self._total[key] = out
        return out

    def cut(self, key: str, whole: Array) -> Array:
        """What belongs to a block of a parameter: of the last axis, flattened as the parameter is."""
        block = self.model.cuts[key]
        dims = whole.shape[:-1]
        return whole.reshape(*dims, *self.model.dims[block.owner])[(..., *block.at)].reshape(*dims, -1)

    # -- adjoints -------------------------------------------------------------------------------------------------------------

    def loss_slope(self, output: str, step: int) -> Array:
        """∂L_s/∂y_s flattened, for the output y that the loss looks at."""
        found = self._slopes.get((output, step))
        if found is None:
            found = self._slopes[output, step] = self._loss_slope(output, step)
        return found

    def _loss_slope(self, output: str, step: int) -> Array:
        kind = self.model.losses.get(output, "free")
        if kind == "itself":
            return np.ones((WORLDS, 1), dtype=np.int64)
        if kind.startswith("-"):
            return -self.held_against(kind[1:], output, step) % P
        return self.held_against(kind, output, step)

    def held_against(self, kind: str, output: str, step: int) -> Array:
        """The slope of a loss by its rule, a free one where there is none."""
        if kind.startswith(("entropy:", "binary:", "square:", "double:", "clean:")):
            rule, target = kind.split(":", 1)
            y, wanted = self.value(output, step).a.reshape(WORLDS, -1), self.value(target, step).a.reshape(WORLDS, -1)
            if y.shape != wanted.shape:
                raise Unsupported("an output that is held against what has another size")
            if rule in ("square", "double"):
                return (y - wanted) * (1 + (rule == "double")) % P
            if not self.model.dims[output] or rule == "clean":  # the slope that makes ∂L/∂a = y - wanted
                below = self.local((output, step))
                if len(below) == 1:
                    (edge,) = below.values()
                    return (y - wanted) * inverse(np.diagonal(edge, axis1=1, axis2=2)) % P
            slope = -wanted * inverse(y) % P
            return slope if rule == "entropy" else (slope + (1 - wanted) % P * inverse((1 - y) % P)) % P
        return self.draws.array((self.size(output),))

    def adjoints(self, loss: int) -> dict[Quantity, Array]:
        """∂L_s/∂q for every quantity q, of the loss of step s alone: [world, |q|]."""
        found = self._adjoint.get(loss)
        if found is None:
            found = self._adjoint[loss] = self._swept(loss)
        return found

    def _swept(self, loss: int) -> dict[Quantity, Array]:
        order: list[Quantity] = []
        seen: set[Quantity] = set()
        roots = [(y, loss) for y in self.model.outputs]
        stack: list[tuple[Quantity, bool]] = [(q, False) for q in roots]
        while stack:
            q, ready = stack.pop()
            if ready:
                order.append(q)
            elif q not in seen:
                seen.add(q)
                stack.append((q, True))
                if q[1] is not None:
                    stack += [(p, False) for p in self.local(q) if p not in seen]
        out: dict[Quantity, Array] = {}
        uses: dict[tuple[str, int], Array] = {}
        for q in roots:
            out[q] = self.loss_slope(q[0], loss)
        for q in reversed(order):
            g = out.get(q)
            if g is None or q[1] is None:
                continue
            for p, edge in self.local(q).items():
                part = ((g[:, :, None] * edge) % MODULUS).sum(1) % MODULUS
                out[p] = part if p not in out else (out[p] + part) % MODULUS
                if p[1] is None:
                    at = (p[0], q[1])
                    uses[at] = part if at not in uses else (uses[at] + part) % MODULUS
        self._instances[loss] = uses
        return out

    def adjoint(self, q: Quantity, losses: tuple[int, ...], kind: str = "total", at: int | None = None) -> Array:
        """∂L/∂q flattened, L the sum of the losses of these steps.

        kind "total"; "use": of a parameter, its use at step `at` alone; "carry": of a state, the part that comes through the next step.
        """
        if q[0] in self.model.cuts:
            return self.cut(q[0], self.adjoint((self.model.cuts[q[0]].owner, None), losses, kind, at))
        out = np.zeros((WORLDS, self.size(q[0])), dtype=np.int64)
        if q[0] in self.model.stacks:
            for s in losses:
                for y in self.model.outputs:
                    if q[1] is not None and (s >= q[1] or self.later):
                        out = (out + _contract(self.loss_slope(y, s)[:, None], self.derivative((y, s), q), 1)[:, 0]) % MODULUS
            return out
        for s in losses:
            found = self.adjoints(s)
            if kind == "use":
                part = self._instances[s].get((q[0], at if at is not None else -1))
            elif kind == "carry":
                part = self._carried(q, found)
            else:
                part = found.get(q)
            if part is not None:
                out = (out + part) % MODULUS
        return out

    def _carried(self, q: Quantity, found: dict[Quantity, Array]) -> Array | None:
        """Σ over the equations of the next step that name q; of the step before, where time runs backwards."""
        assert q[1] is not None
        out: Array | None = None
        step = q[1] - 1 if q[0] in self.later else q[1] + 1
        for key in self.model.equations:
            g = found.get((key, step))
            if g is None:
                continue
            edge = self.local((key, step)).get(q)
            if edge is not None:
                part = ((g[:, :, None] * edge) % MODULUS).sum(1) % MODULUS
                out = part if out is None else (out + part) % MODULUS
        return out
