r"""The factors of a product of norms, and indices of steps: ``\|W\|^{t-k} \prod_{i=k+1}^t \|D_i\|`` has two factors of every step, as many times each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.reading.claims import Link
from symgrad.check.reading.symbols import is_top, letters, number_at, spelled
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Apply, Name, Negative, Number, Power, Sum

NORMS = ("Norm", "Absolute")
LARGEST = frozenset({"max", "sup"})
EXTREMES = frozenset({"max", "min", "sup", "inf"})
EXTREME = frozenset({"sigma_max", "sigma_1", "s_max", "lambda_max", "lambda_1", "rho"})
SAMPLES = ((29, 7, 3, 13), (17, 5, 2, 11), (31, 19, 13, 5), (12, 10, 1, 6), (41, 2, 1, 30), (23, 22, 8, 19))  # values of indices, in general position


class Unknown(Exception):
    """A side that is no product of norms and bounds."""


@dataclass
class Split:
    """The factors of a side: those that stand once, and those of every step, with what tells how many and where the first is."""

    once: list[Any] = field(default_factory=list)
    steps: list[tuple[list[Any], Any, Any, str]] = field(default_factory=list)  # factors, the first step, how many; the index in the factors, if any


def later(letter: str, by: int) -> Any:
    """``t``, ``t + 1``, ``t - 1``."""
    now, size = Name(letter), Number(str(abs(by)))
    return now if by == 0 else Sum((now, size if by > 0 else Negative(size)))


def put(node: Any, letter: str, new: Any) -> Any:
    """A formula with another index for a letter."""
    return rebuilt(node, {id(n): new for n in walk(node) if kind(n) == "Name" and n.base == letter and not n.subs})


def flat(node: Any) -> list[Any]:
    """The factors of a product."""
    node = unwrapped(node)
    if kind(node) in FACTORS and (kind(node) != "Infix" or node.sign in ("cdot", "times", "ast", "dot", "bullet")):
        return [f for a in node.args for f in flat(a)]
    return [node]


def normed(node: Any) -> Any:
    r"""A norm without the index that says which: ``\|A\|_2``."""
    node = unwrapped(node)
    if kind(node) == "Index" and node.kind == "_" and kind(unwrapped(node.base)) in NORMS:
        node = unwrapped(node.base)
    while kind(node) in NORMS and kind(unwrapped(node.arg)) in NORMS:  # single bars, twice
        node = unwrapped(node.arg)
    return node


def joined(factors: list[Any], page: Page) -> list[Any]:
    r"""The factors with ``\lambda_{\max} (W)`` and ``\lambda_{\max} (W)^T`` read as the value of a function, and its power."""
    out: list[Any] = []
    for f in factors:
        inner = unwrapped(f.base) if kind(f) == "Power" and page.symbols.ref(f) is None else f
        if out and extreme(out[-1]) and kind(inner) in ("Name", "Power", "Transpose", "Product") and any(page.symbols.ref(n) is not None for n in walk(inner)):
            value = Apply(out.pop(), (inner,))
            out.append(Power(value, f.exponent) if inner is not f else value)
        else:
            out.append(f)
    return out


def extreme(name: Any) -> bool:
    r"""``\sigma_{\max}``, ``\lambda_1``: of the singular values, or of eigenvalues; the spectral radius."""
    return kind(name) == "Name" and spelled(name) in EXTREME


def turned(node: Any) -> bool:
    """Whether a matrix is written as a transpose."""
    return kind(node) == "Transpose" or (kind(node) == "Power" and is_top(node.exponent))


def largest(node: Any) -> bool:
    r"""``\max_k |a_k|``: an upper bound of each."""
    return kind(node.function) == "Name" and node.function.base in LARGEST and len(node.args) == 1


def count(lower: Any, upper: Any) -> Any:
    """How many steps there are from one to another, both counted."""
    return Sum((upper, Negative(lower), Number("1")))


def counts(expression: Any) -> tuple[Any, ...]:
    """The values of an expression in indices, in general position: two that have the same are the same."""
    words = sorted(set(letters(expression)))
    if len(words) > len(SAMPLES[0]):
        raise Unknown
    order = {w: "tTkKnNsijlmr".find(w[:1]) % len(SAMPLES[0]) for w in words}
    if len(set(order.values())) < len(words):
        order = {w: k for k, w in enumerate(words)}
    values = tuple(number_at(expression, {w: row[order[w]] for w in words}) for row in SAMPLES)
    if None in values:
        raise Unknown
    return values


def shift(first: Any, start: Any) -> int | None:
    """How far the steps of one product are from those of another; None for factors that have none."""
    if first is None or start is None:
        return None
    apart = set(counts(Sum((start, Negative(first)))))
    if len(apart) != 1 or not isinstance(d := apart.pop(), int):
        raise Unknown
    return d


def moved(factor: Any, index: str, letter: str, by: int | None) -> Any:
    """A factor of every step, whose step is the index, at the step of a letter or so many before."""
    return factor if not index or (index == letter and not by) else put(factor, index, later(letter, -(by or 0)))


def extremal(node: Any) -> tuple[str, Any, tuple[Any, ...]] | None:
    r"""``\max_x f`` as (max, f, subscripts)."""
    node = unwrapped(node)
    if kind(node) == "Apply" and kind(node.function) == "Name" and node.function.base in EXTREMES and len(node.args) == 1:
        return node.function.base, node.args[0], node.function.subs
    return None


def speaks_of_extremes(link: Link) -> bool:
    """Whether a relation claims the value of a maximum."""
    return extremal(link.left) is not None or extremal(link.right) is not None
