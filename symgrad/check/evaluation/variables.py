"""The gradients that a program holds: what the value of a variable ``dh`` may be, by its name, and which it is, by the statements that hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symgrad.check.evaluation.gradients import adjoint, all_losses
from symgrad.check.reading.symbols import number_at
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value, added, negative
from symgrad.check.worlds.world import TOTAL, Missing, OutOfTime

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run
    from symgrad.notation.syntax import Variable

SCOPE = 1000  # marks of the variables of one scope
AROUND = (("pre", 0), ("total", 0))  # what a variable may hold that a loop takes a step further back in each turn
MEANT = {
    "pre": "the gradient by the preactivation of {}",
    "carry": "the part of the gradient by {} that comes through the next step",
    "own": "the part of the gradient by {} that does not come through the next step",
    "total": "the whole gradient by {}",
    "pre of own": "the gradient of the loss of this step by the preactivation of {}",
    "pre of later": "the gradient of the losses of later steps by the preactivation of {}",
}


def named(node: Variable) -> str:
    """One assignment of one variable, for what is settled of it."""
    return f"{node.text} {node.mark}"


def assigned(node: Variable) -> bool:
    """Whether a statement on the page gives the variable its value; else it comes from outside."""
    return node.mark % SCOPE != 0


def variable(run: Run, node: Variable) -> Value:
    """The gradient that the variable holds at a step."""
    ref = run.page.symbols.ref(node.of)
    if ref is None or ref.key not in run.world.model.dims:
        raise Missing(node.text, node)
    key, timed = ref.key, ref.key in run.page.symbols.timed
    at = number_at(ref.step, run.env) if ref.step is not None else run.env.get(run.page.symbols.letter, run.env.get("now"))
    if at is None and not timed and (run.page.many_to_one or run.page.program):
        at = run.world.steps
    if at is None:
        raise OutOfTime(key)
    v = held(run, key, int(at), way(run, node, key))
    return v.turned(run.world.model.orient) if v.rank == 1 and not run.lenient else v


def way(run: Run, node: Variable, key: str) -> tuple[str, int]:
    """Which gradient by a quantity it is, and by how many steps it is moved.

    What goes around in a loop keeps its kind (``again``): the gradient by the preactivation, or that by the quantity, a step further back.
    """
    if node.ways[0][0] == "again":
        left = way(run, replace(node, mark=node.mark // SCOPE * SCOPE, ways=AROUND), key)
        return "pre of later" if left[0] == "pre" else "carry", node.ways[0][1]
    hidden = run.page.preactivation(key)
    options: list[Option] = []
    for how, by in node.ways:
        if (how.startswith("pre") and hidden not in run.world.model.dims) or (how in ("carry", "own") and key not in run.page.lagged):
            continue
        first = not options
        note = "" if first else f"{node.text} is read as {MEANT[how].format(run.page.notes.get(key, key))}" if how in MEANT else ""
        options.append(Option(len(options), (how, by), note, weak=how == "own" and not first))
    if not options:
        raise Missing(node.text, node)
    settled, own = run.page.meanings.get(named(node)), run.page.meanings.get(f"={named(node)}")
    own = settled if node.ways == AROUND else own
    if own is not None:
        options = [o for o in options if str(o.value) == own]
    elif settled is not None:
        options = [replace(o, cost=0 if str(o.value) == settled else o.cost + 2) for o in options]
        options.sort(key=lambda o: o.cost)
    return run.chooser.choose(("variable", named(node)), tuple(options))  # type: ignore[no-any-return]


def held(run: Run, key: str, at: int, way: tuple[str, int]) -> Value:
    """The gradient by a quantity, in one way."""
    how, by = way
    step = at + by
    losses = all_losses(run)
    hidden = run.page.preactivation(key)
    if key not in run.page.symbols.timed:
        return adjoint(run, key, step, losses, "use")
    if how.startswith("pre"):
        if step < 1:
            raise OutOfTime(key)
        seen = {"pre of own": [at for at in losses if at == step], "pre of later": [at for at in losses if at > step]}.get(how, losses)
        return adjoint(run, hidden, step, tuple(seen), TOTAL)
    if how == "own":
        if not 1 <= step <= run.world.steps:
            raise OutOfTime(key)
        return added(adjoint(run, key, step, losses, TOTAL), negative(adjoint(run, key, step, losses, "carry")))
    return adjoint(run, key, step, losses, TOTAL if how == "total" else how)
