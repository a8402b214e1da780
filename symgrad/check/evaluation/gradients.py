r"""Gradients of the loss: whose loss, of which steps, over which paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.wrt import quantity_of
from symgrad.check.reading.symbols import head_and_parts, key_of, labelled, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value, scalar
from symgrad.check.worlds.world import TOTAL, Missing, OutOfTime
from symgrad.notation.syntax import Name

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run


EXAMPLES = 7  # how many a mean over examples has


def all_losses(run: Run) -> tuple[int, ...]:
    """The steps that the whole loss looks at."""
    last = run.world.steps
    return (run.page.loss_at or last,) if run.page.many_to_one else tuple(range(1, last + 1))


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
                    return all_losses(run)
                at = number_at(step, run.env)
                return None if at is None else (int(at),)
        return None
    head, parts = split
    key = spelled(head)
    if key is None:
        return None
    everything = all_losses(run)
    labels = [p for p in parts if spelled(p.node) is not None or number_at(p.node, run.env) is not None]
    known = run.page.step_losses | run.page.total_losses
    if key not in known:
        return None
    for p in labels:
        at = number_at(p.node, run.env)
        if at is not None and at.denominator == 1:
            first = int(at) + run.page.tails.get(key, 0)
            if not 1 <= first <= run.world.steps:
                raise OutOfTime(key)
            return tuple(range(first, run.world.steps + 1)) if key in run.page.tails else (first,)
    if any(not labelled(p.node) and spelled(p.node) != "T" for p in parts):
        return None
    if key in run.page.step_losses and key not in run.page.total_losses:
        at = run.env.get(run.page.symbols.letter)
        return everything if at is None else (int(at),)
    if key in run.page.ambiguous_losses and not run.page.many_to_one and not run.page.whole and run.env.get(run.page.symbols.letter) is not None:
        how = run.chooser.choose(("loss", key), (Option(0, "all"), Option(2, "now", f"{key} is read as the loss of this step", tag="loss")))
        if how == "now":
            return (int(run.env[run.page.symbols.letter]),)
    return everything


def _bare(function: Any) -> tuple[Any, list[Any]]:
    return Name(function.base, function.accents), []


def gradient(run: Run, node: Any, wrt: Any, losses: tuple[int, ...]) -> Value:
    """∂L/∂q."""
    word = head_of(node.of)
    whole = (len(losses) > 1 or run.world.steps == 1 or run.page.examples) and word in run.page.total_losses
    inner = loss_steps(run, wrt)
    if inner is not None:
        v = scalar(int(bool(set(inner) & set(losses))))
        return weighed(run, v) if whole and len(inner) == 1 and unwrapped(wrt) != unwrapped(node.of) else v
    target = quantity_of(run, wrt)
    if target is None:
        word = spelled(wrt) or (key_of(*_split(wrt)) if head_and_parts(wrt) else None)
        raise Missing(word or "variable", wrt)
    key, step, entries = target
    timed = key in run.page.symbols.timed
    if timed and step is not None and step >= 1 and key in run.page.lagged and key not in run.page.definitions:
        raise Missing(f"the update of {run.page.notes.get(key, key)}")
    apart = not shared(run, node.of, wrt)  # ``\\partial L_t/\\partial z_{k+1}``: also of the step behind the end
    if timed and step is not None and max(losses) < step <= run.world.steps + apart and not run.world.later and not run.sums & run.steps_bound:
        if run.side == "left" or apart:
            raise OutOfTime(key)
        raise Misfit("the loss of a step does not depend on later ones")
    ahead = run.page.ahead and word in run.page.tails and step is not None and losses[0] > step  # what comes through a later step alone, ``∂L_{t+1}/∂c_t``
    how, later = TOTAL, len(losses) > 1 or (run.page.many_to_one and len(run.page.lagged) > 1) or ahead
    if not timed and step is None:
        now = run.env.get(run.page.symbols.letter)
        if now is not None and (len(losses) > 1 or run.page.many_to_one):
            own = Option(2, "use", "the gradient of a parameter is read as the contribution of step t", tag="use")
            how = run.chooser.choose(("gradient", run.side, "parameter"), (Option(0, TOTAL), own))
            step = int(now) if how == "use" else None
    elif not timed:
        how = "use"
    elif later and key in run.page.lagged and not run.page.whole and (word not in run.page.tails or ahead):
        how = run.chooser.choose(
            ("gradient", run.side, key, _shifted(run, wrt)),
            (
                Option(0, TOTAL),
                Option(3, "carry", f"the gradient of {run.page.notes.get(key, key)} is read as the part that comes through the next step", tag="carry"),
            ),
        )
    v = adjoint(run, key, step, losses, how, entries)
    if timed and how == TOTAL and step is not None and len(losses) == 1 and step != losses[0] and word not in run.page.tails:
        run.vanished += not v.a.any()  # nothing leads from there to the loss of that step
    if whole:
        v = weighed(run, v)
    if node.sign == "nabla" and v.rank == 1 and not run.lenient:
        v = v.turned(run.world.model.orient)
    return v


def head_of(loss: Any) -> str | None:
    """The letter of a loss, ``L`` of ``L_t`` and of ``L(y_t)``."""
    node = unwrapped(loss)
    split = head_and_parts(node)
    word = spelled(split[0]) if split is not None else None
    return spelled(node.function) if word is None and kind(node) == "Apply" else word


def shared(run: Run, of: Any, wrt: Any) -> bool:
    """Whether the step of a loss and that of a quantity are told by the same letter; else the one is understood to come before the other."""
    ref = run.page.symbols.ref(wrt)
    above = {w for p in (head_and_parts(unwrapped(of)) or (None, ()))[1] for w in letters(p.node)}
    return ref is None or ref.step is None or not above or bool(above & set(letters(ref.step)))


def beside(run: Run) -> int | None:
    """The step whose loss the symbols for gradients are of, beside derivatives of such a loss; None where they are of the whole."""
    letter = run.page.symbols.letter
    now = run.env.get(letter) if run.of_step else None
    same = Option(2, "now", f"the symbols for gradients are those of the loss of step {letter}, as the derivatives beside them", tag="loss")
    return None if now is None or run.chooser.choose("loss of adjoints", (Option(0, "all"), same)) != "now" else int(now)


def weighed(run: Run, v: Value) -> Value:
    """The total loss may be a multiple of the sum of the losses of the steps: their mean, or its negative."""
    factor = run.page.loss_weight
    if factor is None:
        return v
    at = number_at(factor, sizes(run))
    return values.scaled(v, run.value(factor) if at is None else scalar(at.numerator, at.denominator), v.orient)


def weighed_symbol(run: Run, v: Value) -> Value:
    """What a symbol for a gradient is of the total loss, or of the sum where the lines tell that it is of the losses of the steps."""
    return v if run.page.marks_summed else weighed(run, v)


def sizes(run: Run) -> dict[str, int]:
    """What the letters in the factor of a mean are: the number of steps, of examples."""
    steps = dict.fromkeys(("T", "N", "n"), run.world.steps)
    return {**steps, run.page.examples: EXAMPLES} if run.page.examples else steps


def mean_over(run: Run, word: str | None) -> int | None:
    """The number that a letter in the factor of the loss stands for."""
    factor = run.page.loss_weight
    named = factor is not None and any(kind(n) == "Name" and spelled(n) == word for n in walk(factor))
    return sizes(run).get(str(word)) if named else None


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
        if step > run.world.steps and not (key in run.world.later and step == run.world.steps + 1):
            return Value(np.zeros((F.WORLDS, *dims), dtype=np.int64)) if not entries else scalar(0)
        if step < 1 and not (key in run.page.lagged and step >= model.first):
            raise OutOfTime(key)
    if how == "use" and step is not None and not 1 <= step <= run.world.steps:
        raise OutOfTime(key)
    a = run.world.adjoint((key, step if timed else None), losses, how, step)
    run.vanished += bool(run.page.constant) and not a.any()
    v = Value(a.reshape(F.WORLDS, *dims))
    if run.page.rows and v.rank == 2:
        v = values.transposed(v)
    if not entries or run.flat:
        return v
    return values.part(v, tuple(run.entry(e, n) for e, n in zip(entries, dims, strict=False)))
