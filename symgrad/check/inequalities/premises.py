r"""What a document says that its letters bound: ``\|W\| \le \lambda``, ``\gamma = \max_i |f'(a_i)|``, "where $\gamma$ is the largest slope"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.inequalities.factors import NORMS, PRODUCTS, Unknown, extreme, flat, largest, later, normed, put, turned
from symgrad.check.judging.court import Court
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.relations import number
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import letters, number_at
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Apply, Diagonal, Name, Number, Power

AT_MOST = frozenset({"<=", "leq", "≤", "leqslant"})
DOWN = AT_MOST | {"<", "=", "==", ":="}
SLOPES = {"tanh": Fraction(1), "sigmoid": Fraction(1, 4), "relu": Fraction(1), "identity": Fraction(1)}  # the largest that they have
OF_SLOPES = re.compile(r"\b(?:derivatives?|slopes?|activations?)\b", re.IGNORECASE)
OF_MATRICES = re.compile(r"\b(?:singular value|(?:spectral|operator|matrix) norm)", re.IGNORECASE)
OF_WEIGHTS = re.compile(r"\bnorms?\b", re.IGNORECASE)
CLAUSE = re.compile(r"[.;]\s|,\s+(?:and|while)\b|\n\s*\n")
FORMULA = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)")
BOUNDS = re.compile(r"\b(?:bound(?:s|ed)?|upper|max(?:imum|imal)?|largest|greatest)\b", re.IGNORECASE)
EIGEN = re.compile(r"eigenvalue|spectral radius", re.IGNORECASE)
SPECIAL = re.compile(r"\b(?:orthogonal|unitary|symmetric|normal|invertible|diagonali[sz]\w+|scalars?|one-dimensional|1-?D)\b", re.IGNORECASE)
SINGULAR = re.compile(r"singular value", re.IGNORECASE)
SPECTRAL = "the norm is the spectral norm"


@dataclass(frozen=True)
class Bound:
    """A factor of a side: what matrices it is a bound of, one of which is meant; for a number, none."""

    matrices: tuple[Any, ...] = ()
    number: Fraction | None = None
    notes: tuple[str, ...] = ()


def stated(court: Court, s: Statement, link: Link) -> bool:
    """Whether a statement is an equation before a link, or one that introduces something."""
    return s.node.signs[0] in EQUAL and (s.number < link.statement.number or (s.number, 0) in court.introductions or (s.number, 0) in court.collected.defining)


class Premises:
    """What the letters of one bound, and the slopes of the cell, are."""

    def __init__(self, court: Court, page: Page, link: Link, current: bool) -> None:
        self.court, self.page, self.link = court, page, link
        self.current = current  # whether the cell is the one in force: an earlier one may have flatter slopes
        self.letter = page.symbols.letter

    @cached_property
    def state(self) -> tuple[Any, Any] | None:
        """The one function that is applied to what the state before goes into, and its argument, at the step of the letter."""
        found = []
        for key in self.page.lagged:
            d = self.page.definitions.get(key)
            node = unwrapped(d.node) if d is not None else None
            if d is not None and node is not None and kind(node) == "Apply" and len(node.args) == 1 and not node.function.primes:
                found.append((node.function, put(node.args[0], d.letter, later(self.letter, -d.shift))))
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
        return slope, put(slope, self.letter, later(self.letter, -1))

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
                if not self.singular(node.function.base.startswith("lambda")):
                    raise Unknown
                return Bound(self.versions(unwrapped(node.args[0])), notes=(SPECTRAL,))
        if kind(node) == "Name" and (matrices := self.said_of(node)):
            return Bound(tuple(matrices), notes=("the letters are bounds of what the document says",))
        raise Unknown

    @cached_property
    def words(self) -> str:
        """The text of the document."""
        return " ".join(t for s in self.court.statements if s.fragment is not None for t in (s.fragment.before, s.fragment.after))

    @property
    def special(self) -> bool:
        """Whether the text supposes that matrices are of a special kind, or numbers."""
        return SPECIAL.search(self.words) is not None

    def singular(self, ambiguous: bool) -> bool:
        """Whether the text does not speak of eigenvalues; whether it speaks of singular values, where the letter is that of both."""
        return (SINGULAR.search(self.words) is not None or not ambiguous) and EIGEN.search(self.words) is None

    def versions(self, matrix: Any) -> tuple[Any, ...]:
        """The matrices that have the norm of one: itself, its transpose, of a vector the diagonal matrix, of a slope that of all slopes."""
        if kind(matrix) == "Apply" and matrix.function.primes == 1 and self.state is not None and matrix.function.base == self.state[0].base:
            return (Diagonal(matrix), *self.slopes)
        if kind(matrix) in ("Sum", "Apply"):
            return (Diagonal(matrix), matrix)
        if turned(matrix):
            return (matrix, unwrapped(matrix.arg if kind(matrix) == "Transpose" else matrix.base))
        return (matrix, Power(matrix, Name("T"))) if kind(matrix) == "Name" else (matrix,)

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
            yield reduce(lambda node, word: put(node, word, Number("0")), rest, put(matrix, first, new))

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
