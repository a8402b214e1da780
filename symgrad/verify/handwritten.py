"""`verify_backward`: a hand-written NumPy backward pass against the derived one; what is wrong, and the likely reason.

The function under test is called with arrays by the names of its arguments, once at random numbers.  A gradient that differs is held against what
the derived equations give with one single edit (`edits`); the edit that reproduces the wrong numbers is the likely reason.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symgrad.calculus.adjoint import Equations, vjp
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.language.program import Program
from symgrad.verify.edits import Edit, Time, edits
from symgrad.verify.evaluate import Evaluation

Arrays = dict[str, Any]
CLOSE = 1e-7


@dataclass(frozen=True)
class Gradient:
    """One gradient that was returned: its relative error, and whether it is right."""

    name: str
    right: bool
    error: float
    note: str = ""


@dataclass(frozen=True)
class BackwardReport:
    """Every gradient, and for the wrong ones the single edit that explains them."""

    cell: str
    gradients: tuple[Gradient, ...]
    missing: tuple[str, ...]
    code: str | None = None  # the kind of edit, a stable name
    reason: str = ""

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the gradients that are wrong."""
        return tuple(g.name for g in self.gradients if not g.right)

    def __bool__(self) -> bool:
        return not self.wrong and bool(self.gradients)

    def __str__(self) -> str:
        lines = [f"{'ok   ' if g.right else 'WRONG'} d{g.name}  (relative error {g.error:.1e}{', ' + g.note if g.note else ''})" for g in self.gradients]
        lines += [f"not returned: {', '.join(self.missing)}"] if self.missing else []
        lines += [f"likely: {self.reason}"] if self.reason else []
        return "\n".join([f"backward of {self.cell}: {'right' if self else 'wrong'}", *("  " + line for line in lines)])


def verify_backward(
    cell: Cell, backward: Callable[..., Any], forward: Callable[..., Any] | None = None, *, T: int = 4, B: int = 2, seed: int = 0
) -> BackwardReport:
    r"""Hold a backward function against the derived adjoint equations.

    `backward` is called by the names of its arguments.  One step, vectors: inputs and old states (``x``, ``h`` or ``h_prev``), parameters, gates and other
    local names of the cell, new states (``h_t``), and the incoming ∂L/∂(new state): ``dh`` or ``dh_t``.  A sequence, if it takes ``xs`` or
    ``dys``: ``xs`` (T, m), ``dys`` (T, n), the initial states (``h`` or ``h0``), ``dh`` or ``dfinal`` at the end, parameters, and as (T, ·) arrays what
    the cell names, with an s or not (``zs``, ``z``; ``hs`` are the states, (T+1, n)); ``states``, ``params``, ``cache`` as dicts of these.
    With `forward`, both have the interface that `symgrad backward` prints, with B sequences at once.

    It returns a dict of gradients by name (``"W_z"`` or ``"dW_z"``, ``"h"`` or ``"dh_prev"`` or ``"dh0"``), or a tuple in the order inputs, states,
    parameters.  In the report, what differs by more than rounding is wrong, and `reason` names the single edit that gives the same wrong numbers.
    """
    program = cell.program
    if forward is not None:
        return _report(cell, _pairs(cell, backward, forward, T, B, seed))
    takes = set(inspect.signature(backward).parameters)
    sequence = bool(takes & {"xs", "dys"})
    trial = Trial(program, T if sequence else 1, seed, sequence)
    trial.ends(takes)
    returned = backward(**{name: trial.argument(name, sequence) for name in takes})
    found = _named(program, returned)
    return trial.report(cell, found, sequence)


class Trial:
    """One random sequence through the cell: all values of every step, and the derived gradients, edited or not."""

    def __init__(self, program: Program, T: int, seed: int, sequence: bool = True) -> None:
        self.program, self.T, self.sequence = program, T, sequence
        self.equations: Equations = vjp(program)
        rng = np.random.default_rng(seed)
        sizes = {s: 3 for dims in program.shapes.values() for d in dims for s in d.free_symbols}
        states = {x for s in program.states for d in program.shapes[s] for x in d.free_symbols}
        self.sizes = {s: 3 if s in states else 2 + k % 3 if k % 3 != 1 else 5 for k, s in enumerate(sorted(sizes, key=str))}

        def draw(s: sp.Symbol, *lead: int) -> Any:
            return rng.uniform(0.3, 1.1, (*lead, *(int(d.subs(self.sizes)) for d in program.shapes[s]))) * rng.choice([-1.0, 1.0])

        self.params = {p.name: draw(p) * rng.choice([-1, 1], [int(d.subs(self.sizes)) for d in program.shapes[p]]) for p in program.parameters}
        self.xs = {x.name: draw(x, T) for x in program.inputs}
        self.start = {s.name: draw(s) for s in program.states}
        self.dys = draw(program.states[0], T) * rng.choice([-1, 1], (T, 1))
        self.final = {s.name: draw(s) for s in program.states}
        self.douts = {y.name: draw(y, T) for y in program.outputs}
        self.steps: list[Arrays] = []
        now = dict(self.start)
        for t in range(T):
            values = {**{k: v[t] for k, v in self.xs.items()}, **now, **self.params}
            evaluation = Evaluation(program, self.sizes, values)
            known = {s.name: evaluation.of(s) for s in program.equations}
            self.steps.append({**values, **known})
            now = {old.name: known[new.name] for old, new in program.updates.items()}
        self.end = now

    def ends(self, takes: set[str]) -> None:
        """The loss is a function of what the backward function takes a gradient of: of an end state it does not ask for, the gradient is 0."""
        if takes & {"dfinal", "cache"} and not takes & {"dys"}:
            return  # whatever the dict holds
        asked = {old.name for old, new in self.program.updates.items() if takes & {"dfinal", *_incoming(old, new)}}
        if not asked and not takes & {"dys", *(f"d{y}" for y in self.douts), *(f"d{y}s" for y in self.douts), "doutputs"}:
            names = ", ".join(f"d{s}" for s in self.program.states)
            raise SymgradError(f"the backward function takes no gradient to start from: give it {names}, or dys for a sequence")
        self.final = {k: v if k in asked else 0 * v for k, v in self.final.items()}

    def gradients(self, edit: Edit | None = None) -> Arrays:
        """The derived gradients by name, with one edit."""
        program = edit.program if edit else self.equations.program
        time = edit.time if edit else Time()
        carried = {k: 0 * v if k in time.unended else v for k, v in self.final.items()}
        total: Arrays = {}
        first = self.program.states[0].name
        results = self.equations.results
        for t in reversed(range(self.T)):
            left_out = not time.only and t == {"but first": 0, "but last": self.T - 1}.get(time.summed)
            if self.sequence and not left_out and (time.loss == "every" or t == self.T - 1):
                carried[first] = carried[first] + self.dys[t]
            seeds = {s.name: self._seed(s, carried, t) for s in self.equations.seeds}
            early, late = self.steps[t - 1], self.steps[min(t + 1, self.T - 1)]  # at t = 0 Python's index -1 is the last step
            values = {**self.steps[t], **{f"{k}⁻": v for k, v in early.items()}, **{f"{k}⁺": v for k, v in late.items()}}
            evaluation = Evaluation(program, self.sizes, {**values, **seeds})
            here = {s.name: evaluation.of(d) for s, d in results.items()}
            if left_out:  # the loop does not come here
                here = {k: 0 * v for k, v in here.items()} | carried
            for s in self.program.parameters:
                if time.only and time.only != s.name:
                    total[s.name] = total.get(s.name, 0) + here[s.name]
                    continue
                counts = {"all": True, "first": t == 0, "last": t == self.T - 1, "but first": t > 0, "but last": t < self.T - 1}[time.summed]
                total[s.name] = total.get(s.name, 0) + (here[s.name] if counts else 0 * here[s.name]) / (self.T if time.averaged else 1)
            for s in self.program.inputs:
                total.setdefault(s.name, [None] * self.T)[t] = here[s.name]
            before, carried = carried, {s.name: 0 * here[s.name] if s.name in time.lost else here[s.name] for s in self.program.states}
            if time.added:
                carried[time.added] = before[time.added] + carried[time.added]
            last = {**{s.name: here[s.name] for s in self.program.states}, **({time.added: carried[time.added]} if time.added else {})}
        return {**total, **last, **{x.name: np.array(total[x.name]) if self.sequence else total[x.name][0] for x in self.program.inputs}}

    def _seed(self, s: sp.Symbol, carried: Arrays, t: int) -> Any:
        name = s.name[1:].removesuffix("_next")
        old = next((o.name for o, new in self.program.updates.items() if new.name == name), None)
        return carried[old] if old is not None else self.douts[name][t]

    def argument(self, name: str, sequence: bool) -> Any:
        """The array that an argument of the hand-written function asks for."""
        program = self.program
        every = {k: np.array([step[k] for step in self.steps]) for k in self.steps[0] if k not in self.params}
        one = next(iter(self.xs), "")
        if name in self.params:
            return self.params[name]
        if name in ("params", "states", "dfinal"):
            return dict({"params": self.params, "states": self.start, "dfinal": self.final}[name])
        if not sequence:
            values = {**self.steps[0]}
            for old, new in program.updates.items():
                values |= dict.fromkeys((f"{old.name}_prev", f"{old.name}_old", f"{old.name}0"), self.start[old.name])
                values |= dict.fromkeys((f"{old.name}_new", f"{old.name}_next", f"{old.name}_t"), self.end[old.name])
                values |= dict.fromkeys(_incoming(old, new), self.final[old.name])
            values |= {f"d{y}": v[0] for y, v in self.douts.items()} | {"cache": self.steps[0]}
        else:
            values = {**every, **{f"{k}s": v for k, v in every.items()}, "dys": self.dys, "T": self.T}
            for old, new in program.updates.items():
                whole = np.concatenate([self.start[old.name][None], every[new.name]])
                values |= {f"{old.name}s": whole, old.name: self.start[old.name], f"{old.name}0": self.start[old.name], f"{old.name}_0": self.start[old.name]}
                values |= dict.fromkeys(_incoming(old, new), self.final[old.name])
            values |= {"xs": self.xs[one] if len(self.xs) == 1 else self.xs, "ys": every[next(iter(program.updates.values())).name]}
            values |= {f"d{y}s": v for y, v in self.douts.items()} | {f"d{y}": v for y, v in self.douts.items()} | {"doutputs": self.douts}
            values |= {"cache": {**values, **self.params}}
        if name not in values:
            known = ", ".join(sorted({*values, *self.params, "params", "states", "dfinal"}))
            raise SymgradError(f"the backward function takes {name!r}, which is not known here; it can take {known}")
        value = values[name]
        return value.copy() if isinstance(value, np.ndarray) else value

    def report(self, cell: Cell, found: Arrays, sequence: bool) -> BackwardReport:
        """Compare, and look for the edit that explains what is wrong."""
        exact = self.gradients()
        gradients = tuple(_compared(name, found[name], exact[name]) for name in exact if name in found)
        missing = tuple(name for name in exact if name not in found)
        wrong = [g.name for g in gradients if not g.right]
        if not wrong:
            return BackwardReport(cell.name, gradients, missing)
        repairs: list[tuple[set[str], Edit]] = []
        for edit in edits(self.equations, sequence):
            with np.errstate(all="ignore"):
                try:
                    tried = self.gradients(edit)
                except (ValueError, KeyError, RecursionError, SymgradError):
                    continue
            same = {g.name for g in gradients if _same(found[g.name], tried[g.name])}
            if same & set(wrong) and len(same) > len(gradients) - len(wrong):
                repairs.append((same, edit))
                if len(same) == len(gradients):
                    break
        if not repairs and all(g.right or g.note for g in gradients):
            return BackwardReport(cell.name, gradients, missing, *_noted([g for g in gradients if not g.right]))
        return BackwardReport(cell.name, gradients, missing, *_likely(repairs, wrong))


def _incoming(old: sp.Symbol, new: sp.Symbol) -> list[str]:
    """What the gradient of a new state may be called."""
    return [f"d{new}", *(f"d{old}{suffix}" for suffix in ("", "_t", "_new", "_next", "_final")), f"dL_d{old}"]


def _noted(wrong: list[Gradient]) -> tuple[str, str]:
    """What can be seen from each gradient by itself."""
    note = wrong[0].note
    code = "transposed" if note.startswith("the transpose") else "shape" if note.startswith("of shape") else "multiple"
    return code, "; ".join(f"d{g.name} is {g.note}" for g in wrong)


def _likely(repairs: list[tuple[set[str], Edit]], wrong: list[str]) -> tuple[str | None, str]:
    """The edit that explains most, then those that explain what it leaves: the kind of the first, and the words for all."""
    left, chosen = set(wrong), list[Edit]()
    while repairs and left:
        same, edit = max(repairs, key=lambda r: len(r[0] & left))
        if not same & left:
            break
        chosen.append(edit)
        left -= same
    if not chosen:
        return None, "no single edit of the derived equations gives these numbers"
    said = "; ".join(edit.words for edit in chosen)
    rest = "" if not left else f" (this explains {len(wrong) - len(left)} of {len(wrong)} wrong gradients; there is more than one mistake)"
    return chosen[0].code, said + rest


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= CLOSE * max(np.abs(b).max(initial=0.0), 1e-12))


def _compared(name: str, found: Any, exact: Any) -> Gradient:
    found, exact = np.asarray(found), np.asarray(exact)
    if found.shape != exact.shape:
        turned = found.T.shape == exact.shape and _same(found.T, exact)
        note = f"{'the transpose, ' if turned else ''}of shape {found.shape} instead of {exact.shape}"
        return Gradient(name, False, float("inf"), note)
    error = float(np.abs(found - exact).max(initial=0.0) / max(np.abs(exact).max(initial=0.0), 1e-300))
    if error <= CLOSE:
        return Gradient(name, True, error)
    note = "the transpose" if found.ndim == 2 and found.shape[0] == found.shape[1] and _same(found.T, exact) else ""
    with np.errstate(all="ignore"):
        ratio = (found / exact).ravel()
    if not note and np.isfinite(ratio).all() and np.ptp(ratio) < 1e-9 * abs(ratio[0]):
        note = f"{ratio[0]:.4g} times what it should be"
    return Gradient(name, False, error, note)


def _named(program: Program, returned: Any) -> Arrays:
    """The gradients by the names of what they are of."""
    order = [s.name for s in (*program.inputs, *program.states, *program.parameters)]
    if not isinstance(returned, Mapping):
        values = list(returned) if isinstance(returned, tuple | list) else [returned]
        if len(values) == 3 and isinstance(values[2], Mapping):  # dxs, dstates, dparams
            dxs, dstates, dparams = values
            first = {program.inputs[0].name: dxs} if program.inputs and not isinstance(dxs, Mapping) else dict(dxs or {})
            return _named(program, {**first, **dstates, **dparams})
        if len(values) != len(order):
            raise SymgradError(
                f"the backward function returned {len(values)} values; return a dict by name, or {', '.join('d' + n for n in order)} in this order"
            )
        return dict(zip(order, values, strict=True))
    known: dict[str, str] = {}
    for name in order:
        known |= dict.fromkeys((name, f"d{name}"), name)
    for s in (*program.states, *program.inputs):
        stem = s.name
        known |= dict.fromkeys((f"d{stem}_prev", f"{stem}_prev", f"d{stem}0", f"{stem}0", f"d{stem}_0", f"d{stem}s", f"{stem}s"), stem)
    unknown = [k for k in returned if k not in known]
    if unknown:
        raise SymgradError(
            f"the backward function returned {', '.join(map(repr, unknown))}; known are {', '.join('d' + n for n in order)}, with or without the d"
        )
    return {known[k]: v for k, v in returned.items()}


def _pairs(cell: Cell, backward: Callable[..., Any], forward: Callable[..., Any], T: int, B: int, seed: int) -> tuple[Arrays, Arrays, Trial]:
    """A forward and a backward function over B sequences: their gradients, and the derived ones summed over the sequences."""
    trials = [Trial(cell.program, T, seed) for _ in range(B)]
    base = trials[0]
    for k, trial in enumerate(trials[1:], 1):  # other inputs, the same parameters
        other = Trial(cell.program, T, seed + k)
        trial.__dict__.update({**other.__dict__, "params": base.params})
        trial.__dict__["steps"] = _rerun(trial)
    x = next(iter(base.xs), None)
    xs = {k: np.stack([t.xs[k] for t in trials], axis=1) for k in base.xs}
    states = {k: np.stack([t.start[k] for t in trials]) for k in base.start}
    _, _, cache = forward(xs[x] if len(xs) == 1 and x else xs, states, base.params)
    dfinal = {k: np.stack([t.final[k] for t in trials]) for k in base.final}
    more = {"doutputs": {k: np.stack([t.douts[k] for t in trials], axis=1) for k in base.douts}} if base.douts else {}
    found = _named(cell.program, backward(np.stack([t.dys for t in trials], axis=1), dfinal, cache, **more))
    whole = Together(trials)
    return found, whole.gradients(), whole


def _rerun(trial: Trial) -> list[Arrays]:
    """The values of every step for the trial's own parameters."""
    steps, now = [], dict(trial.start)
    for t in range(trial.T):
        values = {**{k: v[t] for k, v in trial.xs.items()}, **now, **trial.params}
        evaluation = Evaluation(trial.program, trial.sizes, values)
        steps.append({**values, **{s.name: evaluation.of(s) for s in trial.program.equations}})
        now = {old.name: steps[-1][new.name] for old, new in trial.program.updates.items()}
    trial.end = now
    return steps


class Together(Trial):
    """Several sequences with the same parameters."""

    def __init__(self, trials: list[Trial]) -> None:
        self.trials = trials
        self.program, self.equations, self.T = trials[0].program, trials[0].equations, trials[0].T

    def gradients(self, edit: Edit | None = None) -> Arrays:
        """Summed for the parameters, side by side for inputs and states."""
        each = [t.gradients(edit) for t in self.trials]
        sums = {p.name: sum(g[p.name] for g in each) for p in self.program.parameters}
        inputs = {x.name: np.stack([g[x.name] for g in each], axis=1) for x in self.program.inputs}
        return {**sums, **{s.name: np.stack([g[s.name] for g in each]) for s in self.program.states}, **inputs}


def _report(cell: Cell, pairs: tuple[Arrays, Arrays, Trial]) -> BackwardReport:
    found, _, together = pairs
    return together.report(cell, found, True)
