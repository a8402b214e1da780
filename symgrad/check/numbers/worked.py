r"""Examples worked in numbers: ``(1 - 0.624^2) \times 0.5 = 0.3053``, and ``(1 - h_2^2) W = (1 - 0.624^2) \times 0.5`` with the document's numbers.

Two sides agree if their values do, to the digits that are written: the one is the other rounded, or, where the numbers it is computed from
were rounded themselves, at most a unit of the last digit away.  They disagree only if no numbers that may have been rounded, or cut off,
to those that are written make them meet.  A formula has the value of its names: those that the document has given before, or what its equations make of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.numbers.decimals import Interval, NoNumber, Widen, Written, exact
from symgrad.check.numbers.examples import NEARLY, SEVERAL, Example, figures, listed, nameable, named
from symgrad.check.numbers.reckon import Rows, shape
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.trees import kind, unwrapped, walk

ROUNDED = 3  # digits from which a number is taken to be rounded
HALF = Fraction(1, 2)


def reckoned(court: Court, link: Link) -> Judgement | None:
    """The judgement of a link between numbers, or of a formula and the numbers put into it; None for another."""
    if link.sign not in ("=", "==", NEARLY) or link.statement.fragment is None or not any(kind(n) == "Number" for n in walk(link.right)):
        return None
    try:
        return compared(Example(court, link), link)
    except NoNumber:
        return None


def agrees(court: Court, link: Link) -> bool:
    """Whether the numbers of an example, those at the end of the line among them, are the same on both sides: the numbers may be why it is said."""
    example = Example(court, link)
    example.own = dict(example.givens(link.statement))
    if len(example.given) < SEVERAL:
        return False
    try:
        reckoner = example.reckoner(rounded)
        left, right = reckoner.rows(link.left), reckoner.rows(link.right)
    except NoNumber:
        return False
    return bool(example.used) and shape(left) == shape(right) and all(meet(a, b) for a, b in zip(cells(left), cells(right), strict=True))


def compared(example: Example, link: Link) -> Judgement:
    """Two sides by their values."""
    about = link.sign == NEARLY
    values = example.sides(link, exact)
    if not example.worked():
        raise NoNumber("no example in numbers")
    digits = max((n.digits for row in listed(link.right) or () for n in row), default=0)
    readings = [values, example.sides(link, rounded), example.sides(link, loosely(digits))]
    (left, right), *_ = readings
    if shape(left) not in (shape(right), shape(right)[::-1]) or (shape(left) != shape(right) and 1 not in shape(left)):
        raise NoNumber("sizes that do not fit")
    entries = [[*cells(side)] for pair in readings for side in pair]
    signs = [[*islice(written_in(side), len(entries[0]))] for side in (link.left, link.right)]
    found = []
    for a, b, near_a, near_b, far_a, far_b, one, other in zip(*entries, *signs, strict=True):
        found.append((alike(a, b, near_a, near_b, one, other, about), apart(far_a, far_b, one, other)))
    notes = example.notes()
    if all(fits for fits, _ in found):
        if named(link.right) and example.coincident():
            raise NoNumber("another name with the same number could stand there")
        said = () if left == right else ("equal to the digits that are written",)
        return Judgement("proved", reading="scalar", assumptions=(*notes, *said))
    like = listed(link.right)
    message = f"{spoken(link.left, example.page.write)} is {'' if listed(link.left) else f'{figures(left, like)}, '}not {figures(right, like)}"
    if nameable(unwrapped(link.left)) and like is not None:
        raise NoNumber("a name may be given another number")
    if example.looked and not (any(never for _, never in found) and example.certain()):
        raise NoNumber("the numbers leave it open")
    if not any(never for _, never in found):
        return Judgement("undecided", "ambiguous", f"{message}, unless it was computed with more digits than are written", "scalar", assumptions=notes)
    judged = Judgement("refuted", "false-equation", message, "scalar", assumptions=notes, blame=span_of(link.right))
    judged.counterexample = {"left": figures(left, like), "right": figures(right, like)}
    return judged


def alike(a: Interval, b: Interval, near_a: Interval, near_b: Interval, left: Written | None, right: Written | None, about: bool) -> bool:
    """Whether two values are equal, to the digits that are written."""
    if meet(a, b):
        return True
    if right is not None:
        return meet(a, _result(right, about, HALF)) or (meet(near_a, _result(right, about, HALF)) and meet(a, _result(right, about, Fraction(1 + about))))
    if left is not None:
        return meet(b, _result(left, about, HALF))
    return meet(a, near_b) or meet(near_a, b)


def _result(n: Written, about: bool, units: Fraction) -> Interval:
    """What may be written as a number: with a decimal point, or after ≈, something rounded to it."""
    return exact(n) if n.whole and not (about and n.value) else n.widened(units)


def apart(a: Interval, b: Interval, left: Written | None, right: Written | None) -> bool:
    """Whether two values differ whatever was rounded, by more than a unit of the last digit of either."""
    ends = [(x if n is None else n.widened(Fraction(1))) for x, n in ((a, left), (b, right))]
    return not meet(*ends)


def meet(a: Interval, b: Interval) -> bool:
    """Whether two intervals have a number in common."""
    return a[0] <= b[1] and b[0] <= a[1]


def rounded(n: Written) -> Interval:
    """A number of several digits may have been rounded to them; one of few, such as 0.5, is taken as it stands."""
    return exact(n) if n.whole or n.digits < ROUNDED else n.widened(HALF)


def loosely(digits: int) -> Widen:
    """Every decimal may have been rounded or cut off, but one of a single digit from which a result of more digits is computed."""
    return lambda n: exact(n) if n.whole or (n.digits <= 1 < digits) else n.widened(Fraction(1))


# -- how it is said ---------------------------------------------------------------------------------------------------------------


def cells(value: Rows) -> Iterator[Interval]:
    for row in value:
        yield from row


def written_in(node: Any) -> Iterator[Written | None]:
    """The numbers of a side, entry by entry; None again and again for a formula."""
    table = listed(node)
    if table is None:
        while True:
            yield None
    for row in table:
        yield from row


def spoken(node: Any, write: Callable[[Any], str]) -> str:
    try:
        return f"${write(node)}$"
    except (ValueError, TypeError, AttributeError, KeyError):
        return "the left side"
