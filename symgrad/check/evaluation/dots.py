r"""``A_1 A_2 \cdots A_k``: the terms that dots stand for, found from those that are written."""

from __future__ import annotations

from fractions import Fraction as Ratio
from typing import TYPE_CHECKING, Any

from symgrad.check.reading.symbols import is_top, number_at
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped
from symgrad.check.worlds.world import OutOfTime, Unsupported
from symgrad.notation.syntax import Negative, Number

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

MOST = 16
UNIT = 3  # factors that may repeat together


class Irregular(Exception):
    """The written terms do not show how the others go on."""


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
        raise Unsupported("dots without an end", args[here])
    for size in range(1, min(len(before), len(after), UNIT) + 1):
        last = after[:size]
        for first, second in ((before[-2 * size : -size], before[-size:]), (before[-size:], None)):
            if len(first) < size:
                continue
            try:
                return (*before[: -2 * size if second else -size], *between(run, first, second, last), *after[size:])
            except Irregular:
                pass
    raise Unsupported("dots whose terms cannot be told", args[here])


def between(run: Run, first: list[Any], second: list[Any] | None, last: list[Any]) -> list[Any]:
    """first, second, …, last; each may be several factors that go on together."""
    a, c = numbers(run, first), numbers(run, last)
    if len(a) != len(c):
        raise Irregular
    if second is not None:
        b = numbers(run, second)
        if len(b) != len(a):
            raise Irregular
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
    new = {id(leaf): Number(str(int(n))) if n >= 0 else _minus(int(-n)) for leaf, n in zip(leaves, to, strict=True)}
    return [rebuilt(node, new) for node in terms]


def _minus(n: int) -> Any:
    return Negative(Number(str(n)))




