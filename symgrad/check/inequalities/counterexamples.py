r"""Relations between norms that are false, each at a Jacobian ``D W`` of two units that is written down and evaluated.

``\|\prod_j J_j\| = \prod_j \|J_j\|`` fails for a nilpotent weight.  The eigenvalues of a weight that is not normal bound no norm, and no size of
the weight bounds a norm from below, as the slopes may be small.  A claim is refuted where it fails for a small weight and for a large one, so
that what a text says of their size (``\lambda < 1``) does not matter, and nothing else is supposed.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.inequalities import words
from symgrad.check.inequalities.factors import Split, Unknown, counts, flat, joined, moved, normed, shift
from symgrad.check.inequalities.premises import UNCLEAR
from symgrad.check.reading.claims import span_of
from symgrad.check.reading.conditions import introduced
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.symbols import letters, number_at
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name, Number, Power, Product, Transpose

if TYPE_CHECKING:
    from symgrad.check.inequalities.majorants import Majorant

AT_LEAST = frozenset({">=", "geq", "≥", "geqslant"})
STEPS = (2, 5, 9, 14)  # values of indices
SCALES = (0.25, 8.0)  # of a weight all of whose sizes are below 1, and of one all of whose sizes are above 4
SHEAR = np.array([[1, 2], [0, 1]])  # not normal: its eigenvalues are 1, its norm is 2.41
SWAP = np.array([[0, 1], [1, 0]])  # symmetric and orthogonal: the sizes are all 1
FLAT = {"tanh": (1 / 2, 1 / 4), "sigmoid": (1 / 8, 1 / 16), "relu": (1.0, 0.0)}  # slopes that a function takes, not all the largest
LOWER = "no size of the weight bounds the norm from below, as the slopes may be small"
UPPER = "eigenvalues bound no norm, the largest singular value does"
CLEARLY = 1 - 1e-9
MOST = 100  # of an exponent: beyond it powers are no numbers of the machine
ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "leq": operator.le, "geq": operator.ge, "≤": operator.le, "≥": operator.ge}


def unequal(m: Majorant) -> Judgement | None:
    r"""``\|\prod_j J_j\|`` that is said to be ``\prod_j \|J_j\|``, at two steps: for W = [[0, 1], [0, 0]] the product W D W is 0, and no D W is."""
    left, right = m.sides.split(m.link.left, False), m.sides.split(m.link.right, True)
    supposed = not m.court.matrices or m.court.conditions(m.link) or m.premises.special
    if left.once or right.once or len(left.steps) != 1 or len(right.steps) != 1 or supposed:
        return None
    ((mine, start, many, index), (others, first, as_many, other)) = left.steps[0], right.steps[0]
    if kind(normed(m.link.left)) != "Norm" or len(mine) != 1 or len(others) != 1 or kind(normed(others[0])) != "Norm" or counts(many) != counts(as_many):
        return None
    jacobian = moved(mine[0], index, m.letter, None)
    norm = normed(moved(others[0], other, m.letter, shift(first, start)))
    if m.premises.steepest is None or m.same(jacobian, (unwrapped(norm.arg),)) is None or not of_slopes_and_weight(m, jacobian):
        return None
    weight, slopes = np.array([[0, 1], [0, 0]]), (np.diag([1, 2]) / 8, np.diag([2, 1]) / 9)  # values that the slopes of σ and tanh take
    jacobians = [d @ weight for d in slopes]
    above, below = np.prod([np.linalg.norm(j, 2) for j in jacobians]), np.linalg.norm(jacobians[1] @ jacobians[0], 2)
    if not below < above:
        return None
    why = "the norm of a product is at most the product of the norms, and smaller where the weight is [[0, 1], [0, 0]]: two Jacobians multiply to 0 then"
    return false(m, "false-equation", f"{why}; ≤ holds", weight, slopes, below, above)


def unequal_once(m: Majorant) -> Judgement | None:
    r"""``\|J_t\|`` that is said to be ``\|D_t\| \|W\|``: for W = [[0, 1], [0, 0]] the norm of D W is the first entry of D, whatever the other one is."""
    left, right = m.sides.split(m.link.left, False), m.sides.split(m.link.right, True)
    norms = [normed(f) for f in right.once]
    supposed = not m.court.matrices or m.court.conditions(m.link) or m.premises.special
    if left.steps or right.steps or len(left.once) != 1 or len(norms) != 2 or any(kind(n) != "Norm" for n in norms) or supposed:
        return None
    weights = [v for w in m.premises.weights for v in (w, Transpose(w), Power(w, Name("T")))]
    inner = [unwrapped(n.arg) for n in norms]
    if m.premises.steepest is None or sum(f in weights for f in inner) != 1 or not of_slopes_and_weight(m, left.once[0]):
        return None
    if all(m.same(left.once[0], tuple(order)) is None for order in (inner, inner[::-1])):
        return None
    numbers, slopes = np.array([[0, 1], [0, 0]]), np.diag([1, 2]) / 8  # values that the slopes of σ and tanh take
    below, above = (float(np.linalg.norm(slopes @ numbers, 2)), float(np.linalg.norm(slopes, 2) * np.linalg.norm(numbers, 2)))
    if not below < above:
        return None
    why = "the norm of a product is at most the product of the norms, and smaller where the weight is [[0, 1], [0, 0]] and the slopes are 1/8 and 1/4"
    return false(m, "false-equation", f"{why}; ≤ holds", numbers, (slopes,), below, above)


def false(m: Majorant, code: str, why: str, weight: Any, slopes: Any, left: Any, right: Any, notes: tuple[str, ...] = ()) -> Judgement:
    """The judgement of a relation that fails at a weight and at slopes; `notes` are what the text says of its letters."""
    m.court.wrong.add((m.link.statement.number, m.link.number))
    at = {"weight": weight.tolist(), "slopes": [np.diagonal(d).tolist() for d in slopes], "left": float(left), "right": float(right)}
    return Judgement("refuted", code, why, "inequality", blame=span_of(m.link.right), counterexample=at, assumptions=notes)


def preactivation(m: Majorant) -> Any:
    """What the function of the state is applied to, written out."""
    if m.premises.state is None:
        raise Unknown
    argument = unwrapped(m.premises.state[1])
    ref = m.page.symbols.ref(argument)
    return unwrapped(m.page.definitions[ref.key].node) if ref is not None and ref.key in m.page.definitions else argument


def of_slopes_and_weight(m: Majorant, jacobian: Any) -> bool:
    """Whether a matrix is ``D W``, as the Jacobian of a step is, for any order and transposes: the weights here have the norms of their transposes."""
    weights = [w for w in m.premises.weights if w in walk(preactivation(m))]
    pairs = itertools.product(m.premises.slopes, (v for w in weights for v in (w, Power(w, Name("T")))))
    return any(m.same(jacobian, order) is not None for d, w in pairs for order in ((d, w), (w, d)))


def fails(m: Majorant) -> Judgement | None:
    r"""A bound by sizes of the weight, ``\lambda^{t-k}``, that is false for a small weight and for a large one."""
    below = m.link.sign in AT_LEAST
    left, right = m.sides.split(m.link.left, False), m.sides.split(m.link.right, True)
    many = steps_of(m, left)
    normal = kind(normed(m.link.left)) == "Norm" or (not below and any(kind(n) == "Norm" for n in walk(m.link.left)))
    if many is None or not normal or not plain(m, below):
        return None
    powers = [(f, Number("1")) for f in right.once] + [(f, step[2]) for step in right.steps for f in step[0]]
    slopes = np.diag(FLAT[m.premises.function or ""]) if below else float(m.premises.steepest or 0) * np.eye(2)
    steepest, found, allowed = slopes[0, 0], [], False
    for scale in SCALES:
        weight = scale * (SWAP if below else SHEAR)
        allowed |= all(holds(m, c.node, weight, steepest) for c in m.court.conditions(m.link))
        sizes = [size(m, f, weight, steepest) for f, _ in powers]
        for n, exponents in instances(many, [e for _, e in powers]):
            value = float(np.linalg.norm(np.linalg.matrix_power(slopes @ weight, n), 2))
            claimed = float(np.prod([x**e for x, e in zip(sizes, exponents, strict=True)]))
            if not (value < claimed * CLEARLY if below else value * CLEARLY > claimed):
                return None
            found.append((n, weight, slopes, value, claimed))
    if not found or not allowed:
        return None
    n, weight, slopes, value, claimed = min(found, key=lambda case: case[0])
    meant = [m.premises.meaning(f) for f, _ in powers]
    why = LOWER if below else UPPER if any(b.size != "norm" for b in meant) else "the bound is too small"
    at = f"with the weight {weight.tolist()} and the slopes {np.diagonal(slopes).tolist()} the left side is {value:.2g} over {n} step{'s'[: n > 1]}"
    notes = tuple(dict.fromkeys(note for b in meant for note in b.notes))
    return false(m, "false-bound", f"{why}: {at}, the right side {claimed:.2g}", weight, [slopes], value, claimed, notes)


def plain(m: Majorant, below: bool) -> bool:
    """Whether any weight and any slopes are possible: matrices of no special kind, and a preactivation that is not of the state alone."""
    near, function = m.link.statement.fragment, m.premises.function
    if near is None or not m.court.certain or function not in FLAT or kind(preactivation(m)) != "Sum" or introduced(near):
        return False
    around = " ".join([*near.before.rstrip().split("\n\n")[-2:], near.after.lstrip().split("\n\n")[0]])
    return (below or not m.premises.special) and not words.PARTICULAR.search(around) and words.functions(around) <= {function}


def steps_of(m: Majorant, left: Split) -> Any:
    """How many Jacobians ``D W`` a norm is of the product of."""
    if len(left.once) + len(left.steps) != 1:
        return None
    factors, _, many, index = left.steps[0] if left.steps else (left.once, None, Number("1"), "")
    inner = [moved(f, index, m.letter, None) for f in factors]
    jacobian = inner[0] if len(inner) == 1 else Product(tuple(inner))
    return many if any(of_slopes_and_weight(m, j) for j in m.premises.equal(jacobian)) else None


def size(m: Majorant, factor: Any, weight: Any, slope: float) -> float:
    """The number that a factor of a bound is, for a weight and a largest slope; unknown where the text leaves it open."""
    meant = m.premises.meaning(factor)
    if meant.number is not None and not meant.notes:
        return float(meant.number)
    if any(d in meant.matrices for d in m.premises.slopes):
        return slope
    if weight[0, 0] and any(kind(d) == "Diagonal" and m.small(d, m.premises.steepest or Fraction(0)) is not None for d in meant.matrices):
        return slope  # at most
    if not any(w in meant.matrices for w in m.premises.weights) or (meant.size == UNCLEAR and weight[0, 0]):
        raise Unknown
    return float(np.linalg.norm(weight, 2) if meant.size == "norm" else max(abs(np.linalg.eigvals(weight))))


def instances(many: Any, exponents: list[Any]) -> Iterator[tuple[int, list[float]]]:
    """Numbers of steps, with the exponents there."""
    names = sorted({w for e in (many, *exponents) for w in letters(e)})
    for values in itertools.permutations(STEPS, len(names)) if len(names) <= len(STEPS) else ():
        numbers = [n for e in (many, *exponents) if (n := number_at(e, dict(zip(names, values, strict=True)))) is not None and n >= 0]
        if len(numbers) == len(exponents) + 1 and numbers[0] >= 1 and numbers[0] == int(numbers[0]) and max(numbers) <= MOST:
            yield int(numbers[0]), [float(e) for e in numbers[1:]]


def holds(m: Majorant, condition: Any, weight: Any, slope: float) -> bool:
    r"""Whether ``\lambda < 1``, ``\|W\| > 1/\gamma`` is so for a weight; a relation of indices says nothing of it."""
    if kind(condition) != "Relation" or not set(condition.signs) <= set(ORDER):
        return False
    if all(number_at(side, dict.fromkeys(letters(side), 0)) is not None and letters(side) for side in condition.sides):
        return True

    def value(side: Any) -> float:
        side = unwrapped(side)
        if kind(side) == "Fraction":
            return value(side.numerator) / value(side.denominator)
        return float(np.prod([size(m, f, weight, slope) for f in joined(flat(side), m.page)]))

    sides = [value(side) for side in condition.sides]
    return all(ORDER[sign](a, b) for sign, a, b in zip(condition.signs, sides, sides[1:], strict=False))
