r"""What depends on a condition: indicators, distinctions of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.arithmetic import add
from symgrad.check.evaluation.functions import apply_known
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.symbols import number_at
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.worlds import values
from symgrad.check.worlds.values import Value, scalar
from symgrad.check.worlds.world import Unsupported

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run


def indicator(run: Run, node: Any) -> Value:
    r"""``\mathbf{1}(i = j)``."""
    relation = unwrapped(node.condition)
    if kind(relation) == "Relation" and relation.signs[0] in ("<", ">", "<=", ">=") and any(number_at(x, run.env) is None for x in relation.sides):
        above, below = relation.sides[:2] if relation.signs[0] in (">", ">=") else relation.sides[1::-1]
        if relation.signs[0] in ("<=", ">=") and (ref := run.page.symbols.ref(above)) is not None and rectified(run, ref.key):
            raise Unsupported("the indicator of what is never below 0", relation)
        a, b = run.value(above), run.value(below)
        return apply_known(run, "step", add(run, a, values.negative(b)) if b.rank or np.any(b.a) else a, 0)
    return scalar(int(holds(run, node.condition)))


def rectified(run: Run, key: str) -> bool:
    """Whether a quantity is the value of a relu, which is 0 where its slope is."""
    call: Any = run.page.activated(key) if key in run.page.definitions else None
    return call is not None and meaning(run.page.functions, call.function) == "relu"


def holds(run: Run, relation: Any) -> bool:
    """Whether a relation between indices is true here."""
    relation = unwrapped(relation)
    if kind(relation) == "Tuple":
        return all(holds(run, a) for a in relation.args)
    if kind(relation) != "Relation":
        raise Unsupported("an indicator of something else", relation)
    a, b = (number_at(s, run.env) for s in relation.sides[:2])
    if a is None or b is None:
        raise Unsupported("an indicator of values", relation)
    sign = relation.signs[0]
    if sign in ("=", "=="):
        return a == b
    if sign in ("!=", "≠", "ne"):
        return a != b
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}.get(sign, False)


def cases(run: Run, node: Any) -> Value:
    """The row whose condition holds."""
    for value, condition in zip(node.values, node.conditions, strict=False):
        if kind(unwrapped(condition)) in ("Words", "Blank") or holds(run, condition):
            return run.value(value)
    raise Unsupported("no row applies", node)
