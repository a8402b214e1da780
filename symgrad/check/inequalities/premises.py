r"""What a document says that its letters bound: ``\|W\| \le \lambda``, ``\gamma = \max_i |f'(a_i)|``, "where $\gamma$ is the largest slope"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.inequalities import words
from symgrad.check.inequalities.factors import NORMS, Unknown, extreme, flat, joined, largest, later, normed, put, turned
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.relations import number
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import letters, number_at
from symgrad.check.reading.trees import FACTORS, kind, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Apply, Diagonal, Name, Norm, Number, Power

AT_MOST = frozenset({"<=", "leq", "≤", "leqslant"})
DOWN = AT_MOST | {"<", "=", "==", ":="}
SLOPES = {"tanh": Fraction(1), "sigmoid": Fraction(1, 4), "relu": Fraction(1), "identity": Fraction(1)}  # the largest that they have
SPECTRAL = "the norm is the spectral norm"
AS_SAID = "the letters are bounds of what the document says"
UNCLEAR = "perhaps of eigenvalues"


def subject(node: Any) -> Any:
    """What a formula is about: of a relation its left side."""
    return unwrapped(node.sides[0]) if kind(node) == "Relation" else unwrapped(node)


@dataclass(frozen=True)
class Bound:
    """A factor of a side: what matrices it is a bound of, one of which is meant; for a number, none."""

    matrices: tuple[Any, ...] = ()
    number: Fraction | None = None
    notes: tuple[str, ...] = ()
    size: str = "norm"  # what it is of the matrices: eigenvalues bound no norm, and a text may say two things at once


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
    def function(self) -> str | None:
        """The known function that the state's is, in the cell in force."""
        name = meaning(self.page.functions, self.state[0]) if self.state is not None and self.current else None
        return name if isinstance(name, str) else None

    @cached_property
    def steepest(self) -> Fraction | None:
        """The largest slope of the state's function."""
        return SLOPES.get(self.function or "")

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
        found = self.meaning(node)
        if found.size == UNCLEAR:
            raise Unknown(f"the text leaves open whether {latex(node)} is of eigenvalues, which bound no norm, or is the norm itself")
        if found.size != "norm":
            raise Unknown(f"{latex(node)} is {found.size}, and eigenvalues bound no norm")
        return found

    def meaning(self, node: Any) -> Bound:
        """What a factor of the right side is."""
        node = unwrapped(node)
        value = number(node)
        if value is not None and (n := number_at(value, {})) is not None:
            return Bound(number=Fraction(n))
        stripped = normed(node)
        if kind(stripped) in NORMS:
            return Bound(self.versions(unwrapped(stripped.arg)))
        if kind(node) == "Apply" and kind(node.function) == "Name" and len(node.args) == 1:
            if largest(node):
                return self.greatest(node.args[0])
            if extreme(node.function):
                found, custom = self.said_of(node.function), self.by_custom
                return custom(node) if found is None else replace(found, matrices=self.versions(unwrapped(node.args[0])))
        found = self.said_of(node)
        if found is None:
            raise Unknown(f"nothing says what {latex(node)} bounds")
        return found

    def greatest(self, node: Any) -> Bound:
        r"""``\max_i |a_i|``; without bars only of slopes, which are not negative."""
        if kind(normed(node)) not in NORMS and not self.slope(unwrapped(node)):
            raise Unknown(f"nothing says that {latex(node)} is not negative")
        return self.meaning(node if kind(normed(node)) in NORMS else Norm(node))

    def slope(self, node: Any) -> bool:
        r"""Whether a vector is that of the slopes of a known function, which are not negative: ``1 - h_i^2``."""
        if kind(node) in ("Name", "Apply"):
            return self.steepest is not None and self.versions(node)[1:] == self.slopes
        some = [m for m in self.here(Diagonal(node)) for d in self.slopes if self.steepest is not None and Decider(self.page).decide(m, d).equal]
        return bool(some)

    def by_custom(self, node: Any) -> Bound:
        r"""``\sigma_{\max}(W)``, ``\lambda_{\max}(W)``, ``\rho(W)``, where no words stand by it: what the text speaks of elsewhere."""
        said, matrices = words.names(self.words), self.versions(unwrapped(node.args[0]))
        if node.function.base == "rho" and "spectral radius" in said and not said & {"singular value", "spectral norm"}:
            return Bound(matrices, size=f"the spectral radius of {latex(node.args[0])}")
        if node.function.base == "rho" or said & {"eigenvalue", "spectral radius"}:
            return Bound(matrices, size=UNCLEAR)
        if node.function.base == "lambda" and "singular value" not in said:
            raise Unknown(f"nothing says whether {latex(node)} is of eigenvalues or of singular values")
        return Bound(matrices, notes=(SPECTRAL,))

    @cached_property
    def words(self) -> str:
        """The text of the document."""
        return " ".join(t for s in self.court.statements if s.fragment is not None for t in (s.fragment.before, s.fragment.after))

    @property
    def special(self) -> bool:
        """Whether the text supposes that matrices are of a special kind, or numbers."""
        return words.SPECIAL.search(self.words) is not None

    def versions(self, matrix: Any) -> tuple[Any, ...]:
        """The matrices that have the norm of one: itself, its transpose, of a vector the diagonal matrix, of a slope that of all slopes."""
        function = matrix.function if kind(matrix) == "Apply" else matrix
        if kind(function) == "Name" and function.primes == 1 and self.state is not None and function.base == self.state[0].base:
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

    def said_of(self, letter: Any) -> Bound | None:
        r"""What a letter is said to bound: ``\|W\| \le \lambda``, ``\gamma = \max |f'|``, "the bound of the slope", ``\gamma = 1`` for tanh.

        What it is defined to be, else what words say, else what it is first said to be a bound of; a product of letters only if none has a
        meaning of its own.
        """
        letter = unwrapped(letter)
        if kind(letter) in FACTORS and any(kind(f) != "Name" or self.said_of(f) for f in flat(letter)):
            return None
        if kind(letter) not in ("Name", *FACTORS):
            return None
        defined: list[Bound] = []
        above: list[Bound] = []
        numbers: list[Bound] = []
        spoken: dict[tuple[bool, int], Bound] = {}
        for s in self.court.statements:
            sides = [unwrapped(x) for x in getattr(s.node, "sides", ())]
            for k, side in enumerate(sides):
                if side != letter or (s.number == self.link.statement.number and side is unwrapped(self.link.right)):
                    continue
                if k == 0 and len(sides) > 1 and s.node.signs[0] in EQUAL:
                    defined += [b] if (b := self.premise(sides[1])) is not None else []
                    numbers += [b] if (b := self.for_function(s, sides[1])) is not None else []
                above += [b for i in range(k) if set(s.node.signs[i:k]) <= DOWN and (b := self.premise(sides[i])) is not None]
            if kind(letter) == "Name" and (found := self.in_words(s, letter)) is not None:
                ahead = s.number - self.link.statement.number  # what was said last counts, else what is said next
                spoken[ahead > 0, abs(ahead)] = found
        near = [spoken[min(spoken)]] if spoken else []
        if near and near[0].size != "norm" and len({b.size for b in spoken.values()}) > 1:
            near = [replace(near[0], size=UNCLEAR)]
        norms = [b for b in (*defined, *near) if b.size == "norm"]
        return next(iter((*norms, *above, *near, *defined, *numbers)), None)

    def premise(self, side: Any) -> Bound | None:
        """The matrices whose norm a side of a premise is, at the step of the letter or the one before."""
        side = unwrapped(side)
        whole = joined(flat(side), self.page)
        side = whole[0] if len(whole) == 1 else side
        if kind(side) == "Apply" and largest(side):
            side = unwrapped(side.args[0])
            side = Norm(side) if kind(side) in ("Sum", "Product", "Hadamard", "Infix") and self.slope(side) else side
        elif kind(side) == "Apply" and extreme(side.function):
            return self.by_custom(side)
        side = normed(side)
        if kind(side) == "Apply" and side.function.primes == 1:
            # the bound of a slope is one at every point, and meant without its sign
            alike = {n: None for s in self.court.statements for n in s.nodes if kind(n) == "Apply" and n.function == side.function}
            made = [m for n in alike for m in self.here(Diagonal(n))]
            return Bound(tuple(made), notes=(AS_SAID,)) if made else None
        if kind(side) not in NORMS:
            return None
        return Bound(tuple(m for matrix in self.versions(unwrapped(side.arg)) for m in self.here(matrix)), notes=(AS_SAID,))

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

    def for_function(self, s: Statement, side: Any) -> Bound | None:
        r"""``\gamma = 1`` for tanh, ``\gamma = 1/4`` for the sigmoid: the number for the function of the state."""
        value = number(side)
        size = number_at(value, {}) if value is not None else None
        known = self.function
        if size is None or s.fragment is None or known is None or words.function(s.fragment.before, s.fragment.after) != known:
            return None
        return Bound(number=Fraction(size), notes=(f"{latex(s.node.sides[0])} = {latex(side)}, as the text says for {known}",))

    def in_words(self, s: Statement, letter: Any) -> Bound | None:
        """What the words around a letter say that it is."""
        sides = [unwrapped(x) for x in getattr(s.node, "sides", ())] or [unwrapped(s.node)]
        head, *rest = joined(flat(sides[0]), self.page)
        applied = [unwrapped(a) for a in head.args] if kind(head) == "Apply" and head.function == letter else []
        if s.fragment is None or rest or (head != letter and not applied):
            return None
        clause, formulas = self.clause(s, letter)
        said = words.names(clause)
        named = [n for n in (*applied, *formulas) if kind(n) in ("Name", "Power", "Transpose") and self.page.symbols.ref(n) is not None]
        if said & {"several", "other", "below"} or any(kind(n) == "Derivative" for n in formulas):
            return None
        of_weights = named or said & {"singular value", "spectral norm", "eigenvalue", "spectral radius"}
        of_slopes = ("slope" in said and not of_weights) or any(self.versions(n)[1:] == self.slopes for n in formulas)
        if "bound" in said and of_slopes and self.slopes:
            return Bound(self.slopes, notes=(f"{latex(letter)} bounds the slopes, as the text says",))
        norm = said & {"singular value", "spectral norm"} or ("norm" in said and ("bound" in said or named))
        wrong = said & {"eigenvalue", "spectral radius"}
        if ("jacobian" in said and not named) or not (norm or wrong) or (formulas and not named) or len(set(named)) > 1:
            return None
        matrices = self.versions(named[0]) if named else tuple(self.weights)
        of = latex(named[0]) if named else "the recurrent weight"
        what = next(str(w) for w in ("singular value", "eigenvalue", "spectral radius", "spectral norm", "norm") if w in said or w == "norm")
        of = f"the {'largest ' if what.endswith('value') else ''}{what} of {of}"
        return Bound(matrices, notes=(f"{latex(letter)} is {of}, as the text says",), size="norm" if not wrong else UNCLEAR if norm or not named else of)

    def clause(self, s: Statement, letter: Any) -> tuple[str, list[Any]]:
        """The clause that a formula stands in, and the other formulas of it; it ends at another letter of the bound."""
        others = {latex(n) for n in walk(self.link.right) if kind(n) == "Name" and self.page.symbols.ref(n) is None} - {latex(letter)}
        behind = words.CLAUSE.split(s.fragment.after, maxsplit=1)[0]
        before = words.CLAUSE.split(s.fragment.before)[-1]
        named: list[Any] = []
        for part, ahead in ((before, False), (behind, True)):
            for m in words.FORMULA.finditer(part):
                nodes = [unwrapped(normed(n).arg) if kind(normed(n)) in NORMS else n for n in map(subject, parse_dialect(next(filter(None, m.groups()))))]
                if any(latex(n) in others for n in nodes):
                    if ahead:
                        behind = behind[: m.start()]
                        break
                    before, named = part[m.end() :], []
                named += [n for n in nodes if latex(n) not in others and (kind(n) != "Name" or n.primes or self.page.symbols.ref(n) is not None)]
        return f"{before} {behind}", named

    @property
    def weights(self) -> list[Any]:
        """The names of the recurrent weights."""
        keys = self.page.recurrent_weights
        return list({n: None for d in self.page.definitions.values() for n in walk(d.node) if (r := self.page.symbols.ref(n)) is not None and r.key in keys})
