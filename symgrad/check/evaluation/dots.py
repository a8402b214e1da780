r"""``A_1 A_2 \cdots A_k``: the terms that dots stand for, found from those that are written."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Ratio
from typing import TYPE_CHECKING, Any

from symgrad.check.reading.symbols import is_top, number_at
from symgrad.check.reading.trees import FACTORS, by_identity, children, kind, rebuilt, unwrapped, with_children
from symgrad.check.worlds.world import OutOfTime, Unsupported
from symgrad.notation.syntax import Negative, Number

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

MOST = 16
UNIT = 3  # factors that may repeat together
THROUGH = FACTORS | {"Paren", "Transpose", "Negative", "Power"}


class Irregular(Exception):
    """The written terms do not show how the others go on."""


@by_identity
def dotted(args: tuple[Any, ...]) -> bool:
    """Whether some of the arguments are left out: dots stand for them."""
    return "Ellipsis" in [kind(unwrapped(a)) for a in args]


def filled(run: Run, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with the dots written out at the present steps, the same ones whenever these are the same."""
    memo = run.page.memos["filled"]
    key = (id(args), *((w, v) for w, v in run.env.items() if isinstance(v, int)))
    if key not in memo:
        memo[key] = (args, written_out(run, args))
    return memo[key][1]  # type: ignore[no-any-return]


def written_out(run: Run, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with the terms that the dots stand for."""
    at = [k for k, a in enumerate(args) if kind(unwrapped(a)) == "Ellipsis"]
    if len(at) != 1 or at[0] < 1:
        raise Unsupported("dots whose terms cannot be told", args[at[0]] if at else None)
    here = at[0]
    before, after = list(args[:here]), list(args[here + 1 :])
    if not after:
        return (*before, *onwards(run, before, args[here]))
    for size in range(1, min(len(before), len(after), UNIT) + 1):
        last = after[:size]
        for first, second in ((before[-2 * size : -size], before[-size:]), (before[-size:], None)):
            if len(first) < size:
                continue
            try:
                return (*before[: -2 * size if second else -size], *between(run, first, second, last), *after[size:])
            except Irregular:
                pass
    if (links := linked(run, before[-1], after[0])) is not None:
        return (*before, *links, *after)
    raise Unsupported("dots whose terms cannot be told", args[here])


def linked(run: Run, first: Any, last: Any) -> list[Any] | None:
    r"""The links of a chain rule, ``\frac{\partial h_t}{\partial h_{t-1}} \cdots \frac{\partial h_1}{\partial W}``: each begins where the one before ends."""
    if kind(first) != "Derivative" or kind(last) != "Derivative":
        return None
    refs = [run.page.symbols.ref(unwrapped(n)) for n in (first.of, first.wrt, last.of)]
    if any(r is None or r.step is None for r in refs) or len({r.key for r in refs if r is not None}) != 1:
        return None
    start, step, end = (number_at(r.step, run.env) for r in refs if r is not None)
    if start is None or step is None or end is None or start == step:
        return None
    count = Ratio(end - step) / (step - start)
    if count.denominator != 1 or count > MOST:
        return None
    if count < 0:
        raise OutOfTime("dots")
    return [term for k in range(1, int(count) + 1) for term in moved(run, [first], [start + k * (step - start), step + k * (step - start)])]


def onwards(run: Run, terms: list[Any], dots: Any) -> list[Any]:
    """The terms of a sum that goes on to the first step, or to the last: as many as there are."""
    if len(terms) < 2:
        raise Unsupported("dots without an end", dots)
    out: list[Any] = []
    try:
        terms = [moved(run, [term], places(run, [term]))[0] for term in terms]  # every step as its number
        if len(terms) > 2 and following(run, *terms[-3:-1]) != terms[-1]:
            raise Irregular
        while len(out) < MOST:
            new = following(run, *[*terms, *out][-2:])
            run.value(new)
            out.append(new)
    except OutOfTime:
        return out
    except Irregular:
        pass
    raise Unsupported("dots without an end", dots)


def following(run: Run, first: Any, second: Any) -> Any:
    """The term behind two: their indices go on, and so do factors that the second has and the first has not."""
    k = kind(first)
    shorter = first.args if k == kind(second) and k in FACTORS else (first,)
    if kind(second) in FACTORS and len(shorter) < len(second.args):
        return replace(second, args=tuple(longer(run, list(shorter), list(second.args))))
    if k != kind(second):
        raise Irregular
    inner, other = children(first), children(second)
    if k in THROUGH and len(inner) == len(other):
        return with_children(second, {id(b): following(run, a, b) for a, b in zip(inner, other, strict=True)})
    before, now = places(run, [first]), places(run, [second])
    if len(before) != len(now):
        raise Irregular
    return moved(run, [second], [y + y - x for x, y in zip(before, now, strict=True)])[0]


def longer(run: Run, first: list[Any], second: list[Any]) -> list[Any]:
    """Factors that grow, as in a b, a c b', a c c' b'': what stands at the end moves on, and what came in before it is followed by the next."""
    more = len(second) - len(first)
    for size in range(1, len(first) + 1):
        kept, end, new = first[:-size], second[-size:], second[len(first) - size : -size]
        moves = {y - x for x, y in zip(places(run, first[-size:]), places(run, end), strict=False)}
        if more > 0 and kept == second[: len(first) - size] and len(moves) == 1 and moves != {0} and moved(run, first[-size:], places(run, end)) == end:
            (by,) = moves
            return [*second[:-size], *moved(run, new, [n + by for n in places(run, new)]), *moved(run, end, [n + by for n in places(run, end)])]
    raise Irregular


def places(run: Run, terms: list[Any]) -> list[Ratio | int]:
    """Every step and index in a term as a number; none where it has none."""
    try:
        return numbers(run, terms)
    except Irregular:
        return []


def between(run: Run, first: list[Any], second: list[Any] | None, last: list[Any]) -> list[Any]:
    """first, second, …, last; each may be several factors that go on together."""
    a, c = numbers(run, first), numbers(run, last)
    if any(moved(run, terms, [0] * len(numbers(run, terms))) != moved(run, last, [0] * len(c)) for terms in (first, second or first)):
        raise Irregular
    if second is not None:
        b = numbers(run, second)
        moves: list[Ratio | int] = [y - x for x, y in zip(a, b, strict=True)]
    else:
        far = {w: 10 for w, v in run.env.items() if isinstance(v, int)} | {run.page.symbols.letter: 50, "T": 100, "N": 100}
        ways = [(x, y) if p == q else (p, q) for x, y, p, q in zip(a, c, numbers(run, first, far), numbers(run, last, far), strict=True)]
        moves = [int(y > x) - int(y < x) for x, y in ways]  # which way they go where the steps lie far apart
    if not any(moves):
        raise Irregular if second is not None or a != c else OutOfTime("dots")
    counts = {Ratio(z - x) / m for x, z, m in zip(a, c, moves, strict=True) if m}
    if any(x != z for x, z, m in zip(a, c, moves, strict=True) if not m) or len(counts) != 1:
        raise Irregular
    (count,) = counts
    if count.denominator != 1 or count > MOST:
        raise Irregular
    if count < (1 if second is not None else 0):
        raise OutOfTime("dots")
    return [term for k in range(int(count) + 1) for term in moved(run, first, [x + m * k for x, m in zip(a, moves, strict=True)])]


def _leaves(run: Run, node: Any, out: list[Any]) -> None:
    ref = run.page.symbols.ref(node)
    if ref is not None:
        if ref.step is not None:
            out.append(ref.step)
        out.extend(ref.entries)
        return
    if kind(node) == "Name":  # a symbol for a formula, D_t
        out.extend(sub for sub in node.subs if number_at(sub, run.env) is not None)
        return
    if kind(node) == "Power" and not is_top(node.exponent) and number_at(node.exponent, run.env) is not None:
        _leaves(run, node.base, out)
        out.append(node.exponent)
        return
    for child in children(node):
        _leaves(run, child, out)


def numbers(run: Run, terms: list[Any], env: dict[str, Any] | None = None) -> list[Ratio | int]:
    """Every step and index in a term, as numbers."""
    leaves: list[Any] = []
    for node in terms:
        _leaves(run, node, leaves)
    found = [number_at(leaf, env or run.env) for leaf in leaves]
    if any(f is None for f in found) or not found:
        raise Irregular
    return [f for f in found if f is not None]


def moved(run: Run, terms: list[Any], to: list[Ratio | int]) -> list[Any]:
    """The term with its steps and indices at other numbers."""
    leaves: list[Any] = []
    for node in terms:
        _leaves(run, node, leaves)
    if len(leaves) != len(to):
        raise Irregular
    new = {id(leaf): Number(str(int(n))) if n >= 0 else _minus(int(-n)) for leaf, n in zip(leaves, to, strict=True)}
    return [rebuilt(node, new) for node in terms]


def _minus(n: int) -> Any:
    return Negative(Number(str(n)))
