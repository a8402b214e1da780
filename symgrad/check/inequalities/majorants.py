r"""Bounds of norms by norms: ``\|\partial h_T/\partial h_t\| \le \|W\|^{T-t}`` for tanh, ``\le (\gamma \lambda)^{T-t}`` by what the letters bound.

A proof has three parts.  The left side is written as factors that stand once and factors of every step; so is the right side, whose norms
and letters are taken for the matrices that they bound; and the matrix in the left norm is shown to be the product of those, in some order,
maybe with a diagonal matrix of slopes between them that are nowhere larger than 1, or than the number that stands on the right.  A bound
that does not follow so may hold: only a counterexample refutes one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symgrad.check import limits
from symgrad.check.court.court import Court
from symgrad.check.court.identities import ARGUMENT
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.inequalities.counterexamples import AT_LEAST, fails, unequal, unequal_once
from symgrad.check.inequalities.factors import NORMS, Unknown, counts, flat, moved, normed, shift, turned
from symgrad.check.inequalities.premises import AT_MOST, Bound, Premises, stated
from symgrad.check.inequalities.sides import Sides
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Absolute, Norm, Number, Product
from symgrad.notation.syntax import Fraction as Quotient

TRIES = 48  # products that are held against one matrix
MOST = 4  # factors whose orders are all tried
IDENTITIES = frozenset({"I", "1", "mathbb1"})
TRIANGLE = "the norm of a sum is at most the sum of the norms, and that of the identity is 1"
WHY = "the norm of a product is at most the product of the norms"
DIAGONAL = "a diagonal matrix has the norm of its largest entry"
TRANSPOSED = "a matrix has the norm of its transpose, as for the spectral norm"


def majorised(court: Court, link: Link) -> Judgement | None:
    """Proved where the bound follows from the rules of norms, refuted where it is false; else, of norms, undecided with the reason."""
    if link.sign in AT_LEAST and kind(normed(link.left)) not in NORMS:
        link = replace(link, left=link.right, right=link.left, sign="<=")
    if link.sign not in AT_MOST | EQUAL | AT_LEAST:
        return None
    reasons = []
    for n, k in enumerate(court.order(link.statement)):
        for left in (link.left, *written_out(court, link)):
            majorant = Majorant(court, court.page(k), link, left, n == 0)
            try:
                found = majorant.found()
            except Unknown as e:
                reasons.append(str(e))
                found = None
            if found is not None:
                borrowed = [court.borrowed] if court.borrowed and majorant.asked else []
                return Judgement("proved", reading="matrix", assumptions=tuple(dict.fromkeys([*borrowed, *majorant.sides.notes, *found])))
    wrong = Majorant(court, court.page(court.order(link.statement)[0]), link, link.left).wrong()
    if wrong is not None:
        return wrong
    if link.sign in EQUAL or not any(kind(x) in NORMS for side in (link.left, link.right) for x in walk(side)):
        return None
    return Judgement("undecided", "not-an-equation", next(filter(None, reasons), "it does not follow from the norms of the factors"), "inequality")


def written_out(court: Court, link: Link) -> Iterator[Any]:
    """The left norm with what the document has said that stands in it: ``\\partial h_T/\\partial h_t = \\prod_k A_k``."""
    left = normed(link.left)
    if kind(left) not in NORMS:
        return
    for s in court.statements:
        sides: tuple[Any, ...] = getattr(s.node, "sides", ())
        if len(sides) > 1 and stated(court, s, link) and unwrapped(sides[0]) == unwrapped(left.arg):
            for k in range(1, len(sides)):
                if s.node.signs[k - 1] not in EQUAL or (s.number, k - 1) in court.wrong:
                    break
                yield Norm(sides[k])


class Majorant:
    """One bound on one page."""

    def __init__(self, court: Court, page: Page, link: Link, left: Any, current: bool = True) -> None:
        self.court, self.page, self.link, self.left = court, page, link, left
        self.premises = Premises(court, page, link, current)
        self.letter = page.symbols.letter
        self.tries = TRIES
        self.sides = Sides(court, page)

    def found(self) -> list[str] | None:
        """What is taken for granted in a proof of the relation."""
        if self.link.sign in AT_LEAST:
            raise Unknown("a norm is not bounded from below by those of its factors")
        return self.proof() if self.link.sign in AT_MOST else self.equality()

    def wrong(self) -> Judgement | None:
        """The counterexample of a relation that is false."""
        try:
            return unequal(self) or unequal_once(self) if self.link.sign in EQUAL else fails(self)
        except Unknown:
            return None

    def proof(self) -> list[str] | None:
        """What is taken for granted in a proof; None if none is found."""
        if kind(unwrapped(self.link.right)) == "Sum":
            return self.triangle()
        left, right = self.sides.split(self.left, False), self.sides.split(self.link.right, True)
        notes = [] if self.left is self.link.left else ["what stands in the norm is what the document says it is equal to"]
        if not right.steps and not left.steps:
            return self.stepwise(left.once, right.once, notes)
        if not left.steps:
            left = self.sides.unrolled(left, right)
        if len({counts(many) for _, _, many, _ in left.steps + right.steps}) != 1:
            return None
        more = self.matched(left.once, right.once)
        if more is None:
            return None
        start = next((first for _, first, _, _ in left.steps if first is not None), None)
        inner = [moved(f, index, self.letter, shift(first, start)) for factors, first, _, index in left.steps for f in factors]
        outer = [moved(f, index, self.letter, shift(first, start)) for factors, first, _, index in right.steps for f in factors]
        return self.stepwise(inner, outer, [*notes, *more], letters=True)

    def equality(self) -> list[str] | None:
        r"""``\|A\| \|B\| = \|A\| \|C\|`` where B = C, ``\prod_j \gamma \lambda = (\gamma \lambda)^{t-k}``: the same numbers, as often."""
        left, right = self.sides.split(self.link.left, True), self.sides.split(self.link.right, True)
        many = {counts(many) for _, _, many, _ in left.steps + right.steps}
        if len(many) > 1 or bool(left.steps) != bool(right.steps):
            return None
        inner, outer = ([f for factors, *_ in side.steps for f in factors] for side in (left, right))
        plain = [*inner, *outer, *left.once, *right.once]
        if not all(kind(normed(f)) == "Norm" or (kind(f) == "Name" and self.page.symbols.ref(f) is None) for f in plain):
            return None
        notes: list[str] = []
        for mine, others in ((inner, outer), (left.once, right.once)):
            found = self.paired(mine, others)
            if found is None:
                return None
            notes += found
        return notes if plain else None

    def paired(self, mine: list[Any], others: list[Any]) -> list[str] | None:
        """Whether the one are the others, in any order."""
        if len(mine) != len(others) or len(mine) > MOST:
            return None
        for order in itertools.permutations(others):
            found = [self.number_of(a, b) for a, b in zip(mine, order, strict=True)]
            if None not in found:
                return [note for notes in found for note in notes or ()]
        return None

    def number_of(self, a: Any, b: Any) -> tuple[str, ...] | None:
        """What must be assumed for two norms, or letters, to be the same number."""
        if a == b:
            return ()
        one, other = normed(a), normed(b)
        return self.same(unwrapped(one.arg), (unwrapped(other.arg),)) if kind(one) == kind(other) == "Norm" else None

    # -- sums -------------------------------------------------------------------------------------------------------------------------

    def triangle(self) -> list[str] | None:
        r"""``\|(1 - a) I + a D W\| \le (1 - a) + a \|D\| \|W\|``: the terms of a sum, each bounded by one on the right."""
        left, terms = normed(self.left), list(unwrapped(self.link.right).args)
        if kind(left) not in NORMS or len(terms) > MOST or any(kind(unwrapped(term)) == "Negative" for term in terms):
            return None
        for formula in self.premises.equal(unwrapped(left.arg)):
            parts = list(getattr(unwrapped(formula), "args", ())) if kind(unwrapped(formula)) == "Sum" else []
            for order in itertools.permutations(terms) if len(parts) == len(terms) else ():
                found = [self.term(part, term) for part, term in zip(parts, order, strict=True)]
                if None not in found:
                    return [*(note for notes in found for note in notes or ()), TRIANGLE]
        return None

    def term(self, part: Any, term: Any) -> list[str] | None:
        """Whether a term of a sum of matrices is bounded by one of numbers; numbers before the matrices are the same on both sides."""
        part = unwrapped(part)
        inner, outer = flat(part.arg if kind(part) == "Negative" else part), flat(term)
        notes: list[str] = []
        steps = [f for f in inner if (ref := self.page.symbols.ref(f)) is not None and ref.step is not None]  # no numbers
        for factor in [f for f in outer if kind(f) in ("Name", "Sum") and f in inner and f not in steps]:
            inner.remove(factor)
            outer.remove(factor)
            notes.append(f"{latex(factor)} is not negative")
        inner = [f for f in inner if not (kind(f) == "Name" and f.base in IDENTITIES and not f.subs)]
        if not inner:
            return notes if all(self.premises.bound(f).number == 1 for f in outer) else None
        return self.stepwise(inner, outer or [Number("1")], notes)

    # -- what is bounded by what ------------------------------------------------------------------------------------------------------

    @property
    def asked(self) -> bool:
        """Whether anything was asked of the cell."""
        return self.tries < TRIES or self.sides.asked

    def matched(self, once: list[Any], bounds: list[Any]) -> list[str] | None:
        """Whether the factors that stand once are bounded by those that stand once: the same, in any order."""
        if not once and not bounds:
            return []
        if len(once) != len(bounds):
            return None
        for order in itertools.permutations(bounds):
            found = [self.covers(a, [self.premises.bound(b)]) for a, b in zip(once, order, strict=True)]
            if None not in found:
                return [note for notes in found for note in notes or ()]
        return None

    def stepwise(self, inner: list[Any], outer: list[Any], notes: list[str], letters: bool = False) -> list[str] | None:
        """Whether the factors of one step are bounded by those of one step; `letters` for the bounds of norms may be introduced by that."""
        if not inner or not outer:
            return None
        if len(inner) == 1 and (found := self.whole(inner[0], outer)) is not None:
            return [*notes, *found]
        if len(inner) == 1:
            for formula in self.premises.equal(inner[0]):
                if len(apart := flat(formula)) > 1 and (found := self.stepwise(apart, outer, notes)) is not None:
                    return found
            return None
        if letters and (introduced := self.introduced(inner, outer)):
            return [*notes, introduced]
        bounds = [self.premises.bound(b) for b in outer]
        size = [b for b in bounds if b.number is not None]
        bounds = [b for b in bounds if b.number is None]
        if len(inner) > MOST or len(bounds) > len(inner) or any(b.number is not None and b.number < 1 for b in size[1:]):
            return None
        for order in itertools.permutations(inner):
            each = [self.covers(a, [b]) for a, b in zip(order, bounds, strict=False)]
            if None in each:
                continue
            rest = [self.covers(a, size[:1] if k == 0 else [], kind(normed(self.link.left)) == "Absolute") for k, a in enumerate(order[len(bounds) :])]
            if None not in rest and (rest or not size or (size[0].number or 0) >= 1):
                return [*notes, *(note for found in (*each, *rest) for note in found or ())]
        return None

    def whole(self, inner: Any, outer: list[Any]) -> list[str] | None:
        """Whether one factor is bounded by the product of some."""
        said = self.premises.said_of(Product(tuple(outer)) if len(outer) > 1 else outer[0])
        together = said if said is not None and said.size == "norm" and said.matrices else Bound()
        found = self.covers(inner, [together])
        return self.covers(inner, [self.premises.bound(b) for b in outer]) if found is None else found

    def introduced(self, inner: list[Any], outer: list[Any]) -> str:
        """What is said of letters for the bounds of norms that stand one by one on the left: as many of them as norms."""
        names = [unwrapped(b) for b in outer]
        said = [self.premises.said_of(n) if kind(n) == "Name" and self.page.symbols.ref(n) is None else Bound() for n in names]
        if len(names) != len(inner) or any(b is not None for b in said):
            return ""
        norms = sum(kind(n) in NORMS for f in flat(self.link.left) for n in (walk(f) if kind(f) == "Big" else [f]))
        return "the letters are introduced here, as bounds of these norms" if norms >= len(inner) else ""

    def covers(self, matrix: Any, bounds: list[Bound], among: bool = False) -> list[str] | None:
        """Whether the norm of a matrix, or of a number among others, is at most the product of some bounds."""
        size = Fraction(1)
        for b in bounds:
            size *= 1 if b.number is None else b.number
        bounds = [b for b in bounds if b.number is None]
        notes = [note for b in bounds for note in b.notes]
        if len(bounds) > MOST:
            return None
        if not bounds:
            return self.small(matrix, size) if kind(matrix) == "Diagonal" or among else None
        steepest = self.premises.steepest
        between: list[tuple[Any, ...]] = [(), *((d,) for d in self.premises.slopes if steepest is not None and steepest <= size)]
        for extra in between:
            if not extra and size < 1:
                continue
            for choice in itertools.product(*(b.matrices for b in bounds)):
                for order in itertools.permutations((*choice, *extra)):
                    if (said := self.same(matrix, order)) is not None:
                        more = [WHY] if len(order) > 1 else []
                        more += [TRANSPOSED] if any(turned(m) != turned(b.matrices[0]) for m, b in zip(choice, bounds, strict=True)) else []
                        return [*notes, *said, *more, *([f"{DIAGONAL}, and the slopes are at most {steepest}"] if extra else [])]
        return None

    def small(self, matrix: Any, size: Fraction) -> list[str] | None:
        """Whether a diagonal matrix has no entry larger than a number, or a number is no larger."""
        entry = unwrapped(matrix.arg) if kind(matrix) == "Diagonal" else matrix
        if not self.premises.current or (kind(entry) == "Name" and not entry.primes):
            return None
        inside = {n.args[0] for n in walk(entry) if kind(n) == "Apply" and len(n.args) == 1}
        if len(inside) == 1:  # whatever the function is applied to
            entry = rebuilt(entry, {id(n.args[0]): ARGUMENT for n in walk(entry) if kind(n) == "Apply"})
        at_most = Quotient(Number(str(size.numerator)), Number(str(size.denominator))) if size.denominator > 1 else Number(str(size.numerator))
        with limits.apart():
            from symgrad.check.inequalities.bounds import bound
        judged = bound(self.page, replace(self.link, left=Absolute(entry), right=at_most, sign="<="), self.court.statements)
        said = [DIAGONAL] if kind(matrix) == "Diagonal" else []
        return [*judged.assumptions, *said] if judged is not None and judged.verdict == "proved" else None

    def same(self, matrix: Any, factors: tuple[Any, ...]) -> tuple[str, ...] | None:
        """What must be assumed for a matrix to be a product; None if it is not."""
        right = factors[0] if len(factors) == 1 else Product(factors)
        if unwrapped(matrix) == unwrapped(right):
            return ()
        if self.tries <= 0:
            return None
        self.tries -= 1
        outcome = Decider(self.page).decide(matrix, right, modes=((False, False), (False, True)))
        if not outcome.equal or outcome.chooser is None:
            return None
        return outcome.chooser.notes
