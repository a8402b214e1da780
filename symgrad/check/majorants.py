r"""Bounds of norms by norms: ``\|\partial h_T/\partial h_t\| \le \|W\|^{T-t}`` for tanh, ``\le (\gamma \lambda)^{T-t}`` by what the letters bound.

A proof has three parts.  The left side is written as factors that stand once and factors of every step; so is the right side, whose norms
and letters are taken for the matrices that they bound; and the matrix in the left norm is shown to be the product of those, in some order,
maybe with a diagonal matrix of slopes between them that are nowhere larger than 1, or than the number that stands on the right.  Nothing is
refuted here: a bound that does not follow so may hold.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from symgrad.check.activations import meaning
from symgrad.check.bounds import bound
from symgrad.check.claims import EQUAL, Link
from symgrad.check.court import Court
from symgrad.check.decide import Decider
from symgrad.check.dots import rebuilt
from symgrad.check.judgement import Judgement
from symgrad.check.page import Page
from symgrad.check.relations import number
from symgrad.check.statements import Statement
from symgrad.check.symbols import is_top, kind, letters, number_at, spelled, unwrapped, walk
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Absolute, Apply, Big, Derivative, Diagonal, Name, Negative, Norm, Number, Power, Product, Sum
from symgrad.notation.syntax import Fraction as Quotient

AT_MOST = frozenset({"<=", "leq", "≤", "leqslant"})
DOWN = AT_MOST | {"<", "=", "==", ":=", "~~"}
NORMS = ("Norm", "Absolute")
PRODUCTS = ("Product", "Infix", "Hadamard")
LARGEST = {"max", "sup"}
SLOPES = {"tanh": Fraction(1), "sigmoid": Fraction(1, 4), "relu": Fraction(1), "identity": Fraction(1)}  # the largest that they have
TRIES = 48  # products that are held against one matrix
MOST = 4  # factors whose orders are all tried
SAMPLES = ((29, 7, 3, 13), (17, 5, 2, 11), (31, 19, 13, 5), (12, 10, 1, 6), (41, 2, 1, 30), (23, 22, 8, 19))  # values of indices, in general position
OF_SLOPES = re.compile(r"\b(?:derivatives?|slopes?|activations?)\b", re.IGNORECASE)
OF_MATRICES = re.compile(r"\b(?:singular value|(?:spectral|operator|matrix) norm)", re.IGNORECASE)
OF_WEIGHTS = re.compile(r"\bnorms?\b", re.IGNORECASE)
CLAUSE = re.compile(r"[.;]\s|,\s+(?:and|while)\b|\n\s*\n")
FORMULA = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)")
BOUNDS = re.compile(r"\b(?:bound(?:s|ed)?|upper|max(?:imum|imal)?|largest|greatest)\b", re.IGNORECASE)
EIGEN = re.compile(r"eigenvalue|spectral radius", re.IGNORECASE)
SINGULAR = re.compile(r"singular value", re.IGNORECASE)
WHY = "the norm of a product is at most the product of the norms"
DIAGONAL = "a diagonal matrix has the norm of its largest entry"
SPECTRAL = "the norm is the spectral norm"
TRANSPOSED = "a matrix has the norm of its transpose, as for the spectral norm"


class Unknown(Exception):
    """A side that is no product of norms and bounds."""


@dataclass(frozen=True)
class Bound:
    """A factor of a side: what matrices it is a bound of, one of which is meant; for a number, none."""

    matrices: tuple[Any, ...] = ()
    number: Fraction | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Split:
    """The factors of a side: those that stand once, and those of every step, with what tells how many and where the first is."""

    once: list[Any] = field(default_factory=list)
    steps: list[tuple[list[Any], Any, Any, str]] = field(default_factory=list)  # factors, the first step, how many; the index in the factors, if any


def majorised(court: Court, link: Link) -> Judgement | None:
    """Proved where the bound follows from the rules of norms; None where it does not."""
    if link.sign not in AT_MOST | EQUAL:
        return None
    for n, k in enumerate(court.order(link.statement)):
        for left in (link.left, *written_out(court, link)):
            try:
                majorant = Majorant(court, court.page(k), link, left, n == 0)
                found = majorant.proof() if link.sign in AT_MOST else majorant.equality()
            except Unknown:
                continue
            if found is not None:
                return Judgement("proved", reading="matrix", assumptions=tuple(dict.fromkeys([*majorant.notes, *found])))
    return None


def written_out(court: Court, link: Link) -> Iterator[Any]:
    """The left norm with what the document has said that stands in it: ``\\partial h_T/\\partial h_t = \\prod_k J_{k+1,k}``."""
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


def stated(court: Court, s: Statement, link: Link) -> bool:
    """Whether a statement is an equation before a link, or one that introduces something."""
    return s.node.signs[0] in EQUAL and (s.number < link.statement.number or (s.number, 0) in court.introductions or (s.number, 0) in court.collected.defining)


class Majorant:
    """One bound on one page."""

    def __init__(self, court: Court, page: Page, link: Link, left: Any, current: bool = True) -> None:
        self.court, self.page, self.link, self.left = court, page, link, left
        self.current = current  # whether the cell is the one in force: an earlier one may have flatter slopes
        self.letter = page.symbols.letter
        self.tries = TRIES
        self.notes: list[str] = []  # of the equations that are used

    def proof(self) -> list[str] | None:
        """What is taken for granted in a proof; None if none is found."""
        left, right = self.split(self.left, False), self.split(self.link.right, True)
        notes = [] if self.left is self.link.left else ["what stands in the norm is what the document says it is equal to"]
        if not right.steps and not left.steps:
            return self.stepwise(left.once, right.once, notes)
        if not left.steps:
            left = self.unrolled(left, right)
        if len({self.counts(many) for _, _, many, _ in left.steps + right.steps}) != 1:
            return None
        more = self.matched(left.once, right.once)
        if more is None:
            return None
        start = next((first for _, first, _, _ in left.steps if first is not None), None)
        inner = [self.moved(f, index, self.shift(first, start)) for factors, first, _, index in left.steps for f in factors]
        outer = [self.moved(f, index, self.shift(first, start)) for factors, first, _, index in right.steps for f in factors]
        return self.stepwise(inner, outer, [*notes, *more], letters=True)

    def equality(self) -> list[str] | None:
        r"""``\|A\| \|B\| = \|A\| \|C\|`` where B = C, ``\prod_j \gamma \lambda = (\gamma \lambda)^{t-k}``: the same numbers, as often."""
        left, right = self.split(self.link.left, True), self.split(self.link.right, True)
        many = {self.counts(many) for _, _, many, _ in left.steps + right.steps}
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

    # -- the factors of a side --------------------------------------------------------------------------------------------------------

    def split(self, side: Any, bounds: bool) -> Split:
        """A side as factors: of the right one, bounds as they are written; of the left one, what stands in the norms."""
        out = Split()
        for factor in joined(flat(side)) if bounds else flat(side):
            self.sort(factor, bounds, out)
        return out

    def sort(self, factor: Any, bounds: bool, out: Split) -> None:
        factor = normed(factor) if not bounds else factor
        if kind(factor) == "Power" and bounds and number(factor.exponent) is None:  # of numbers, so that T is no transpose
            out.steps.append((joined(flat(factor.base)), None, factor.exponent, ""))
        elif kind(factor) == "Apply" and bounds and largest(factor) and kind(unwrapped(factor.args[0])) == "Power":
            power = unwrapped(factor.args[0])
            out.steps.append(([Apply(factor.function, (power.base,))], None, power.exponent, ""))
        elif kind(factor) == "Big" and factor.kind == "prod":
            body = flat(factor.body)
            if not bounds:
                body = [unwrapped(normed(f).arg) if kind(normed(f)) in NORMS else f for f in body]
            lower, upper = self.ends(factor)
            out.steps.append((body, lower, count(lower, upper), factor.index.base))
        elif bounds:
            out.once.append(factor)
        elif kind(factor) in NORMS:
            self.inside(unwrapped(factor.arg), out)
        else:
            raise Unknown

    def inside(self, node: Any, out: Split) -> None:
        """What stands in a norm: its factors, with products over steps and derivatives over many steps taken apart."""
        parts = flat(node)
        if len(parts) > 1 and any(self.long(p) for p in parts):
            for p in parts:
                self.inside(p, out)
        elif kind(node) == "Big" and node.kind == "prod" and node.index is not None:
            lower, upper = self.ends(node)
            out.steps.append(([node.body], lower, count(lower, upper), node.index.base))
        elif kind(node) == "Derivative" and self.long(node):
            first, step, many = self.chain(node)
            out.steps.append(([step], first, many, self.letter))
        elif kind(node) == "Power" and not is_top(node.exponent) and number(node.exponent) is None and self.page.symbols.ref(node) is None:
            out.steps.append(([node.base], None, node.exponent, ""))
        else:
            out.once.append(node)

    def ends(self, big: Any) -> tuple[Any, Any]:
        """The ends of a product; where they are left out, those that the document has for such a one."""
        if big.index is None:
            raise Unknown
        if big.lower is not None and big.upper is not None:
            return big.lower, big.upper
        inner = [unwrapped(normed(f).arg) if kind(normed(f)) in NORMS else f for f in flat(big.body)]
        for s in self.court.statements:
            for n in s.nodes:
                if kind(n) == "Big" and n.kind == "prod" and n.index == big.index and n.upper is not None and flat(n.body) == inner:
                    return n.lower, n.upper
        raise Unknown

    def long(self, node: Any) -> bool:
        """Whether a derivative is of a state by itself, any number of steps before; or a product over steps."""
        node = unwrapped(node)
        if kind(node) == "Big":
            return bool(node.kind == "prod")
        if kind(node) != "Derivative":
            return False
        of, wrt = self.page.symbols.ref(unwrapped(node.of)), self.page.symbols.ref(unwrapped(node.wrt))
        if of is None or wrt is None or of.key != wrt.key or of.step is None or wrt.step is None:
            return False
        return len(set(self.counts(Sum((of.step, Negative(wrt.step)))))) > 1

    def chain(self, node: Any) -> tuple[Any, Any, Any]:
        """The first step, the derivative over one step, and how many there are, of a derivative over many; unknown where it is no product of these."""
        of, wrt = self.page.symbols.ref(unwrapped(node.of)), self.page.symbols.ref(unwrapped(node.wrt))
        if of is None or wrt is None:
            raise Unknown
        first = Sum((wrt.step, Number("1")))
        step = Derivative(self.stepped(node.of, 0), self.stepped(node.of, -1))
        index = Name("j") if self.letter != "j" else Name("i")
        whole = Derivative(self.stepped(node.of, 0), self.stepped(node.of, Name("k")))
        each = Derivative(self.stepped(node.of, index), self.stepped(node.of, Sum((index, Negative(Number("1"))))))
        self.hold(whole, Big("prod", index, Sum((Name("k"), Number("1"))), Name(self.letter), each))
        return first, step, Sum((of.step, Negative(wrt.step)))

    def hold(self, left: Any, right: Any) -> None:
        """Take note of an equation that is used; unknown where it does not hold."""
        outcome = Decider(self.page).decide(left, right)
        if not outcome.equal or outcome.chooser is None:
            raise Unknown
        self.notes += outcome.chooser.notes

    def stepped(self, name: Any, at: Any) -> Any:
        """A name with another step."""
        ref = self.page.symbols.ref(unwrapped(name))
        if ref is None or ref.step is None:
            raise Unknown
        new = later(self.letter, at) if isinstance(at, int) else at
        made = rebuilt(name, {id(ref.step): new})
        found = self.page.symbols.ref(unwrapped(made))
        if found is None or found.key != ref.key or found.step != new:
            raise Unknown
        return made

    def unrolled(self, left: Split, right: Split) -> Split:
        r"""``\|\partial L/\partial h_0\| \le \|\partial L/\partial h_T\| \dots``: the gradient as that at a later state times the Jacobian between."""
        if len(left.once) != 1 or len(right.once) != 1:
            raise Unknown
        inner, outer = unwrapped(left.once[0]), unwrapped(normed(right.once[0]))
        outer = unwrapped(outer.arg) if kind(outer) in NORMS else outer
        if kind(inner) != "Derivative" or kind(outer) != "Derivative" or inner.of != outer.of:
            raise Unknown
        between = Derivative(outer.wrt, inner.wrt)
        if not self.long(between):
            raise Unknown
        self.hold(inner, Product((outer, between)))
        out = Split([outer])
        self.inside(between, out)
        return out

    # -- indices ----------------------------------------------------------------------------------------------------------------------

    def counts(self, expression: Any) -> tuple[Any, ...]:
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

    def shift(self, first: Any, start: Any) -> int | None:
        """How far the steps of one product are from those of another; None for factors that have none."""
        if first is None or start is None:
            return None
        apart = set(self.counts(Sum((start, Negative(first)))))
        if len(apart) != 1 or not isinstance(d := apart.pop(), int):
            raise Unknown
        return d

    def moved(self, factor: Any, index: str, shift: int | None) -> Any:
        """A factor of every step at the step of the page's letter."""
        if not index or (index == self.letter and not shift):
            return factor
        new = later(self.letter, -(shift or 0))
        return rebuilt(factor, {id(n): new for n in walk(factor) if kind(n) == "Name" and n.base == index and not n.subs})

    # -- what is bounded by what ------------------------------------------------------------------------------------------------------

    def matched(self, once: list[Any], bounds: list[Any]) -> list[str] | None:
        """Whether the factors that stand once are bounded by those that stand once: the same, in any order."""
        if not once and not bounds:
            return []
        if len(once) != len(bounds):
            return None
        for order in itertools.permutations(bounds):
            found = [self.covers(a, [self.bound(b)]) for a, b in zip(once, order, strict=True)]
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
            for formula in self.equal(inner[0]):
                if len(apart := flat(formula)) > 1 and (found := self.stepwise(apart, outer, notes)) is not None:
                    return found
            return None
        if letters and (introduced := self.introduced(inner, outer)):
            return [*notes, introduced]
        bounds = [self.bound(b) for b in outer]
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
        together = Bound(tuple(self.said_of(Product(tuple(outer)) if len(outer) > 1 else outer[0])), notes=("each factor is bounded as the document says",))
        found = self.covers(inner, [together])
        return self.covers(inner, [self.bound(b) for b in outer]) if found is None else found

    def equal(self, matrix: Any) -> Iterator[Any]:
        """A product itself, and what the document says that a matrix is equal to, at the step of the letter."""
        yield matrix
        for s in self.court.statements if kind(matrix) in ("Derivative", "Name") else []:
            sides: tuple[Any, ...] = getattr(s.node, "sides", ())
            if len(sides) < 2 or not stated(self.court, s, self.link) or kind(unwrapped(sides[0])) != kind(matrix):
                continue
            for moved in self.here(s.node):
                for k, side in enumerate(moved.sides[1:] if unwrapped(moved.sides[0]) == matrix else ()):
                    if s.node.signs[k] not in EQUAL or (s.number, k) in self.court.wrong:
                        break
                    yield side

    def introduced(self, inner: list[Any], outer: list[Any]) -> str:
        """What is said of letters for the bounds of norms that stand one by one on the left: as many of them as norms."""
        names = [unwrapped(b) for b in outer]
        if len(names) != len(inner) or not all(kind(n) == "Name" and self.page.symbols.ref(n) is None and not self.said_of(n) for n in names):
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
        between: list[tuple[Any, ...]] = [(), *((d,) for d in self.slopes if self.steepest is not None and self.steepest <= size)]
        for extra in between:
            if not extra and size < 1:
                continue
            for choice in itertools.product(*(b.matrices for b in bounds)):
                for order in itertools.permutations((*choice, *extra)):
                    if (said := self.same(matrix, order)) is not None:
                        more = [WHY] if len(order) > 1 else []
                        more += [TRANSPOSED] if any(turned(m) != turned(b.matrices[0]) for m, b in zip(choice, bounds, strict=True)) else []
                        return [*notes, *said, *more, *([f"{DIAGONAL}, and the slopes are at most {self.steepest}"] if extra else [])]
        return None

    def small(self, matrix: Any, size: Fraction) -> list[str] | None:
        """Whether a diagonal matrix has no entry larger than a number, or a number is no larger."""
        entry = unwrapped(matrix.arg) if kind(matrix) == "Diagonal" else matrix
        if not self.current or (kind(entry) == "Name" and not entry.primes):
            return None
        at_most = Quotient(Number(str(size.numerator)), Number(str(size.denominator))) if size.denominator > 1 else Number(str(size.numerator))
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

    @cached_property
    def state(self) -> tuple[Any, Any] | None:
        """The one function that is applied to what the state before goes into, and its argument, at the step of the letter."""
        found = []
        for key in self.page.lagged:
            d = self.page.definitions.get(key)
            node = unwrapped(d.node) if d is not None else None
            if d is not None and node is not None and kind(node) == "Apply" and len(node.args) == 1 and not node.function.primes:
                now = {id(n): later(self.letter, -d.shift) for n in walk(node) if kind(n) == "Name" and n.base == d.letter and not n.subs}
                found.append((node.function, rebuilt(node.args[0], now)))
        return found[0] if len(found) == 1 else None

    @cached_property
    def steepest(self) -> Fraction | None:
        """The largest slope of the state's function."""
        if self.state is None or not self.current:
            return None
        name = meaning(self.page.functions, self.state[0])
        return SLOPES.get(name) if isinstance(name, str) else None

    @cached_property
    def slopes(self) -> tuple[Any, ...]:
        """The diagonal matrices of the slopes of the state's function, now and one step before."""
        if self.state is None:
            return ()
        f, a = self.state
        slope = Diagonal(Apply(Name(f.base, f.accents, f.subs, 1, f.font), (a,)))
        before = rebuilt(slope, {id(n): Sum((n, Negative(Number("1")))) for n in walk(slope) if kind(n) == "Name" and n.base == self.letter and not n.subs})
        return slope, before

    def bound(self, node: Any) -> Bound:
        """What a factor of the right side bounds."""
        node = unwrapped(node)
        value = number(node)
        if value is not None and (n := number_at(value, {})) is not None:
            return Bound(number=Fraction(n))
        stripped = normed(node)
        if kind(stripped) in NORMS:
            return Bound(self.versions(unwrapped(stripped.arg)))
        if kind(node) == "Apply" and kind(node.function) == "Name" and len(node.args) == 1:
            if largest(node):
                return self.bound(node.args[0])
            if extreme(node.function):
                if node.function.base.startswith("lambda") and not self.singular:
                    raise Unknown
                return Bound(self.versions(unwrapped(node.args[0])), notes=(SPECTRAL,))
        if kind(node) == "Name" and (matrices := self.said_of(node)):
            return Bound(tuple(matrices), notes=("the letters are bounds of what the document says",))
        raise Unknown

    @cached_property
    def singular(self) -> bool:
        """Whether the text speaks of singular values, and not of eigenvalues."""
        words = " ".join(t for s in self.court.statements if s.fragment is not None for t in (s.fragment.before, s.fragment.after))
        return SINGULAR.search(words) is not None and EIGEN.search(words) is None

    def versions(self, matrix: Any) -> tuple[Any, ...]:
        """The matrices that have the norm of one: itself, its transpose, of a vector the diagonal matrix, of a slope that of all slopes."""
        if kind(matrix) == "Apply" and matrix.function.primes == 1 and self.state is not None and matrix.function.base == self.state[0].base:
            return (Diagonal(matrix), *self.slopes)
        if kind(matrix) in ("Sum", "Apply"):
            return (Diagonal(matrix), matrix)
        if turned(matrix):
            return (matrix, unwrapped(matrix.arg if kind(matrix) == "Transpose" else matrix.base))
        return (matrix, Power(matrix, Name("T"))) if kind(matrix) == "Name" else (matrix,)

    # -- what the document says that its letters bound ----------------------------------------------------------------------------------

    def said_of(self, letter: Any) -> list[Any]:
        r"""The matrices that a letter is said to bound: ``\|W\| \le \lambda``, ``\gamma = \max |f'|``, "the bound of the slope".

        What it is defined to be, else what it is first said to be a bound of; a product of letters only if none has a meaning of its own.
        """
        letter = unwrapped(letter)
        if kind(letter) in PRODUCTS and any(kind(f) != "Name" or self.said_of(f) for f in flat(letter)):
            return []
        if kind(letter) not in ("Name", *PRODUCTS):
            return []
        first: list[Any] = []
        for s in self.court.statements:
            sides = [unwrapped(x) for x in getattr(s.node, "sides", ())]
            for k, side in enumerate(sides):
                if side != letter or (s.number == self.link.statement.number and side is unwrapped(self.link.right)):
                    continue
                if k == 0 and len(sides) > 1 and s.node.signs[0] in EQUAL and (found := [*self.premise(sides[1])]):
                    return found
                if not first:
                    first = [m for i in range(k) if set(s.node.signs[i:k]) <= DOWN for m in self.premise(sides[i])]
            if kind(letter) == "Name" and (found := self.in_words(s, letter)):
                return found
        return first

    def premise(self, side: Any) -> Iterator[Any]:
        """The matrices whose norm a side of a premise is, at the step of the letter or the one before."""
        if kind(side) == "Apply" and largest(side):
            side = unwrapped(side.args[0])
        side = normed(side)
        if kind(side) == "Apply" and side.function.primes == 1:
            alike = {n: None for s in self.court.statements for n in s.nodes if kind(n) == "Apply" and n.function == side.function}
            for n in alike:  # the bound of a slope is one at every point, and meant without its sign
                yield from self.here(Diagonal(n))
        if kind(side) not in NORMS:
            return
        for matrix in self.versions(unwrapped(side.arg)):
            yield from self.here(matrix)

    def here(self, matrix: Any) -> Iterator[Any]:
        """A matrix at the step of the letter, and one step before, whatever letter its steps have."""
        refs = [r for n in walk(matrix) if (r := self.page.symbols.ref(n)) is not None and r.step is not None]
        words = sorted({w for r in refs for w in letters(r.step)})
        if not words:
            yield matrix
            return
        values = [number_at(r.step, dict.fromkeys(words, 0)) for r in refs]
        latest = max((int(v) for v in values if v is not None), default=0)
        for back in (latest, latest - 1, latest + 1):
            new = later(self.letter, -back)
            first, *rest = words
            zero = {id(n): Number("0") for n in walk(matrix) if kind(n) == "Name" and n.base in rest and not n.subs}
            yield rebuilt(matrix, {id(n): new for n in walk(matrix) if kind(n) == "Name" and n.base == first and not n.subs} | zero)

    def in_words(self, s: Statement, letter: Any) -> list[Any]:
        """What the words around a letter say that it bounds."""
        sides = [unwrapped(x) for x in getattr(s.node, "sides", ())] or [unwrapped(s.node)]
        if s.fragment is None or sides[0] != letter:
            return []
        after, before = CLAUSE.split(s.fragment.after, maxsplit=1)[0], CLAUSE.split(s.fragment.before)[-1]
        words = f"{before} {after}"
        if EIGEN.search(words):
            return []
        if BOUNDS.search(words) and OF_SLOPES.search(words):
            return list(self.slopes)
        if not (OF_MATRICES.search(words) or (BOUNDS.search(words) and OF_WEIGHTS.search(words))):
            return []
        refs = [self.page.symbols.ref(n) for m in FORMULA.findall(after) for n in parse_dialect(m[0] or m[1])]
        return self.weights if not refs or any(r is not None and r.key in self.page.recurrent_weights for r in refs) else []

    @property
    def weights(self) -> list[Any]:
        """The names of the recurrent weights."""
        keys = self.page.recurrent_weights
        return list({n: None for d in self.page.definitions.values() for n in walk(d.node) if (r := self.page.symbols.ref(n)) is not None and r.key in keys})


def later(letter: str, by: int) -> Any:
    """``t``, ``t + 1``, ``t - 1``."""
    now, size = Name(letter), Number(str(abs(by)))
    return now if by == 0 else Sum((now, size if by > 0 else Negative(size)))


def flat(node: Any) -> list[Any]:
    """The factors of a product."""
    node = unwrapped(node)
    if kind(node) in PRODUCTS and (kind(node) != "Infix" or node.sign in ("cdot", "times", "ast", "dot", "bullet")):
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


def joined(factors: list[Any]) -> list[Any]:
    r"""The factors with ``\lambda_{\max} (W)`` and ``\lambda_{\max} (W)^T`` read as the value of a function, and its power."""
    out: list[Any] = []
    for f in factors:
        if out and extreme(out[-1]):
            inner = unwrapped(f.base) if kind(f) == "Power" else f
            value = Apply(out.pop(), (inner,))
            out.append(Power(value, f.exponent) if kind(f) == "Power" else value)
        else:
            out.append(f)
    return out


def extreme(name: Any) -> bool:
    r"""``\sigma_{\max}``, ``\lambda_1``: of the singular values, or of eigenvalues."""
    return kind(name) == "Name" and spelled(name) in ("sigma_max", "sigma_1", "s_max", "lambda_max", "lambda_1")


def turned(node: Any) -> bool:
    """Whether a matrix is written as a transpose."""
    return kind(node) == "Transpose" or (kind(node) == "Power" and is_top(node.exponent))


def largest(node: Any) -> bool:
    r"""``\max_k |a_k|``: an upper bound of each."""
    return kind(node.function) == "Name" and node.function.base in LARGEST and len(node.args) == 1


def count(lower: Any, upper: Any) -> Any:
    """How many steps there are from one to another, both counted."""
    return Sum((upper, Negative(lower), Number("1")))
