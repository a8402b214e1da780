r"""The one interpreter: the value of any formula in a world, in a reading.

`Run.value` goes through a table from node types to rules: names are here, the rest in `arithmetic`, `functions`, `arrays`, `cases`, `sums` and
`derivatives`.  What a name means is settled by the page, what a sign may mean by shapes (`products`); every choice that is left is asked of
the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.check.defined.page import Definition, Page
from symgrad.check.evaluation import sums
from symgrad.check.evaluation.abbreviations import abbreviation
from symgrad.check.evaluation.adjoints import adjoint_symbol, differential, marked
from symgrad.check.evaluation.arithmetic import closed, fraction, hadamard, infix, juxtaposed, negative, numeral, power, total, transpose, vector_sizes
from symgrad.check.evaluation.arrays import diagonal, indexed, listed, stack
from symgrad.check.evaluation.cases import cases, indicator
from symgrad.check.evaluation.derivatives import derivative
from symgrad.check.evaluation.functions import apply, bare_slope, slope_by_value
from symgrad.check.evaluation.gradients import mean_over
from symgrad.check.evaluation.parts import followed, given, shared_out
from symgrad.check.evaluation.variables import variable
from symgrad.check.evaluation.variants import variants
from symgrad.check.evaluation.wrt import quantity_meant, small_letter
from symgrad.check.reading.statements import HOT, Statement
from symgrad.check.reading.symbols import Ref, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.worlds import field as F
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Chooser, Option
from symgrad.check.worlds.values import Misfit, Value, Valueless, scalar
from symgrad.check.worlds.world import Lookup, Missing, OutOfTime, Unsupported, World

NAMED = {  # how a person calls what only stands for something in its surroundings
    "Norm": "a norm", "Tuple": "a list", "Words": "a piece of text", "Ellipsis": "“…”",
    "Cases": "a distinction of cases", "Given": "a condition inside a formula", "Relation": "a relation inside a formula", "Blank": "an empty place",
    "Operator": "a derivative of nothing", "Slice": "a range", "Indicator": "an indicator",
}  # fmt: skip
UNITS = frozenset({"I", "1", "mathbb1", "E", "Id", "mathbf1", "ones", "eye"})


@dataclass(slots=True, eq=False)  # not frozen: many are made
class Remembered:
    """What a part of a claim came to, after which questions."""

    questions: tuple[tuple[Hashable, tuple[Option, ...]], ...]
    outcome: Value | Valueless
    empty: frozenset[tuple[str, str]]  # sums and products without terms,
    filled: frozenset[tuple[str, str]]  # and with some,
    vanished: int  # and derivatives that vanish in it


@dataclass(slots=True, eq=False)
class Fork:
    """A question that a part of a claim asks, and what comes of each answer."""

    key: Hashable
    ways: dict[Hashable, Fork | Remembered]


class Run:
    """One evaluation: a page, a world, a reading, values for the free indices."""

    depth = 0
    expanding: frozenset[str] = frozenset()  # symbols whose formulas are being evaluated
    tracked = False  # whether derivatives are total: a symbol stands for them that is computed step by step
    of_step = False  # whether every derivative in the claim is of the loss of a step
    to_the_last = False  # whether it names the last step, T
    derived_at: Any = None  # the step of the quantity that the claim differentiates
    root: Any = None
    empty: frozenset[tuple[str, str]] = frozenset()  # sums and products without terms,
    filled: frozenset[tuple[str, str]] = frozenset()  # and with some, by kind and index
    vanished = 0  # derivatives that are zero because nothing leads from the one to the other
    place: tuple[Any, ...] = ()  # the values of the indices of the sums around

    stable: Collection[int] = frozenset()  # the parts of a claim whose values are remembered,
    memo: dict[Hashable, Fork | Remembered] = {}  # noqa: RUF012  and where; both are another one then

    def __init__(self, page: Page, world: World, chooser: Chooser, env: dict[str, Any], *, lookup: Lookup | None = None, inside: str = "",
                 now: int | None = None, side: str = "", flat: bool = False, lenient: bool = False, used: set[str] | None = None) -> None:  # fmt: skip
        self.page, self.world, self.chooser, self.env = page, world, chooser, env
        self.lookup = lookup or world.value
        self.inside, self.now, self.side, self.flat, self.lenient = inside, now, side, flat, lenient
        self.sums: set[str] = set()
        self.defining = bool(inside)
        self.used = set[str]() if used is None else used
        self.steps_bound: set[str] = set()
        self.slope_index: list[str] = []
        self.products: list[tuple[Any, ...]] = []

    # -- entry ----------------------------------------------------------------------------------------------------------------

    def value(self, node: Any) -> Value:
        """The value of a formula."""
        return self.remembered(node) if id(node) in self.stable else self.evaluated(node)

    def remembered(self, node: Any) -> Value:
        """The value of a part of the claim: readings that agree in all that it asks give it the same value."""
        fixed = self.chooser.fixed
        start = (id(node), self.place)
        old = self.memo.get(start)
        while type(old) is Fork:
            old = old.ways.get(fixed.get(old.key, 0))
        if type(old) is Remembered:
            if old.questions:
                self.chooser.repeat(old.questions)
            if old.empty or old.filled:
                self.empty, self.filled = self.empty | old.empty, self.filled | old.filled
            self.vanished += old.vanished
            if isinstance(old.outcome, Valueless):
                raise old.outcome.again()
            return old.outcome
        before, asked = (self.empty, self.filled, self.vanished), len(self.chooser.log)
        self.empty = self.filled = frozenset()
        self.vanished = 0
        outcome: Value | Valueless
        try:
            outcome = self.evaluated(node)
        except Valueless as e:
            outcome = e.again()
        log = self.chooser.log
        questions = tuple(dict(log[asked:]).items()) if len(log) > asked else ()
        if isinstance(outcome, Valueless) and outcome.asked is None:  # the innermost part without a value
            outcome.asked = frozenset([key for key, _ in questions])
        known = Remembered(questions, outcome, self.empty, self.filled, self.vanished)
        self.empty, self.filled, self.vanished = before[0] | self.empty, before[1] | self.filled, before[2] + self.vanished
        ways: dict[Hashable, Fork | Remembered] = self.memo  # the same answers lead to the same questions
        answer: Hashable = start
        for key, _ in questions:
            fork = ways.get(answer)
            if fork is None:
                fork = ways[answer] = Fork(key, {})
            if type(fork) is not Fork or fork.key != key:
                break
            ways, answer = fork.ways, fixed.get(key, 0)
        else:
            ways[answer] = known
        if isinstance(outcome, Valueless):
            raise outcome.again()
        return outcome

    def evaluated(self, node: Any) -> Value:
        """The value by the rule of the node's type."""
        k = type(node).__name__
        if self.inside and node is not self.root and k in _SHAREABLE:
            shared = self.page.named.get(self.page.canon(node, next(iter(self.env), ""), 0))
            if shared is not None and shared != self.inside:
                return self.lookup(shared, self.now)
        rule = RULES.get(k)
        if rule is None:
            raise Unsupported(f"{NAMED.get(k, 'this')} has no value here", node)
        if self.depth > 200:
            raise Unsupported("too deeply nested", node)
        self.depth += 1
        try:
            return rule(self, node)
        finally:
            self.depth -= 1

    def definition(self, node: Any, d: Definition) -> Value:
        """The right side of an equation."""
        self.root = node
        out = self.value(node)
        dims = self.world.model.dims[d.key]
        if out.rank == 0 and dims:
            out = values.spread(out, dims)
        return out.turned(0)

    def entry_of(self, node: Any) -> Value:
        """One component of an equation that is given by components."""
        self.root = node
        return self.value(node)

    # -- names ----------------------------------------------------------------------------------------------------------------

    def step_of(self, ref: Ref) -> int | None:
        if ref.key not in self.page.symbols.timed:
            if ref.step is not None and (word := spelled(ref.step)) in self.page.symbols.timed and word not in self.env:
                raise Missing(f"{ref.key}^{word}", ref.step)  # a label that tells weights apart, no step
            return None
        if ref.step is None:
            if self.page.many_to_one and ref.key in self.page.targets.values():
                return self.page.loss_at or self.world.steps
            if self.now is not None and self.page.symbols.letter not in self.sums:
                return self.now
            at = self.env.get(self.page.symbols.letter, self.env.get("now"))
            if at is None:
                raise OutOfTime(ref.key)
            return int(at)
        at = number_at(ref.step, self.env)
        if at is None or at.denominator != 1:
            raise Missing(next((w for w in letters(ref.step) if w not in self.env), ref.key), ref.step)
        return int(at)

    def entry(self, node: Any, size: int) -> int:
        at = number_at(node, self.env)
        if at is None or at.denominator != 1:
            raise Missing(next((w for w in letters(node) if w not in self.env), "index"), node)
        return int(at) - (kind(unwrapped(node)) == "Number" and not self.page.program and components_from_one(self.page))

    def named(self, node: Any) -> Value:
        """A name, or anything that is read as one."""
        ref = self.page.symbols.ref(node)
        return self.unnamed(node) if ref is None else self.at_entries(ref)

    def at_entries(self, ref: Ref) -> Value:
        """A quantity, or the entry of it that its indices tell."""
        v = self.quantity(ref)
        return v if not ref.entries or self.flat else values.part(v, tuple(self.entry(e, 0) for e in ref.entries))

    def quantity(self, ref: Ref) -> Value:
        key = ref.key
        self.used.add(key)
        small_letter(self, ref)
        if key in self.page.step_losses or key in self.page.total_losses:
            return self.loss_value(ref)
        cut = self.world.model.cuts.get(key)
        v = self.lookup(key, self.step_of(ref)) if cut is None else values.part(self.lookup(cut.owner, None), cut.at)
        if self.page.rows and v.rank == 2 and not self.defining:
            v = values.transposed(v)
        blocks = self.page.blocks.get(key) if all(owner != key for owner, *_ in self.page.cuts.values()) else None
        if blocks is not None and not self.defining and not self.flat and not ref.entries:
            v = self.block(v, *blocks)
        if (self.lenient or self.flat) and v.rank == 1:
            v = v.turned(0)
        return v

    def block(self, v: Value, axis: int, sizes: tuple[int, ...], names: tuple[str, ...]) -> Value:
        """The weight of a concatenation, or the part of it that multiplies one of the parts."""
        if v.rank <= axis or v.dims[axis] != sum(sizes):
            return v
        options = [Option(0, None)] + [
            Option(2, k, f"the weights of {', '.join(names)} together stand for the block that multiplies {n}") for k, n in enumerate(names)
        ]
        which = self.chooser.choose(("block", names), tuple(options))
        if which is None:
            return v
        start = sum(sizes[:which])
        at: list[int | slice] = [slice(None)] * v.rank
        at[axis] = slice(start, start + sizes[which])
        return values.part(v, tuple(at))

    def loss_value(self, ref: Ref) -> Value:
        """The loss itself: its own formula where it has one, else a number nobody asks for."""
        return Value(np.full(F.WORLDS, 1, dtype=np.int64) * self.world.draws.drawn("loss", ref.key, str(ref.step)))

    def unnamed(self, node: Any) -> Value:
        """A bound index as a number, I, 1, T, e; a symbol that stands for a derivative; else nothing."""
        at = number_at(node, self.env)
        if at is not None:
            return scalar(at.numerator, at.denominator)
        adjoint = adjoint_symbol(self, node)
        if adjoint is not None:
            return adjoint
        short = abbreviation(self, node)
        if short is not None:
            return short
        hot = self.one_hot(node)
        if hot is not None:
            return hot
        word = spelled(node)
        if word in UNITS:
            if node.base == "E" and node.font in ("mathbb", "mathrm"):
                raise Unsupported("an expectation", node)
            return scalar(1)
        if word == "0":
            return scalar(0)
        if (basis := self.unit_vector(node)) is not None:
            return basis
        if (many := mean_over(self, word)) is not None:
            return scalar(many)
        slope = bare_slope(self, node)
        slope = slope_by_value(self, node) if slope is None else slope
        if slope is not None:
            return slope
        meant = quantity_meant(self, node)
        if meant is not None:
            return self.at_entries(meant)
        raise Missing(word or kind(node), node)

    def one_hot(self, node: Any) -> Value | None:
        r"""``\mathbf{1}_{i, y}``: the wanted value as a one-hot vector, its entry i."""
        if kind(node) != "Name" or node.base != "1" or not node.subs:
            return None
        wanted = next(iter(self.page.targets.values()), None)
        at = number_at(node.subs[0], self.env)
        if wanted is None or wanted != self.page.symbols.aliases.get(HOT, HOT) or at is None:
            return None
        v = self.lookup(wanted, self.env.get(self.page.symbols.letter, self.env.get("now")))
        return v if self.flat else values.part(v, (int(at),))

    def unit_vector(self, node: Any) -> Value | None:
        r"""``e_i``, the vector with a 1 in the place i: of the size of the state, or of another vector of the cell."""
        at = number_at(node.subs[0], self.env) if a_unit_vector(self.page, node) and not self.flat else None
        if at is None:
            return None
        (n,) = self.chooser.choose(("size of e", id(node)), tuple(Option(k, (n,)) for k, n in enumerate(vector_sizes(self))))
        if not 0 <= at < n:
            raise Misfit("an index beyond the size")
        return Value(values.eye(n)[:, int(at)])

    def try_unnamed(self, node: Any) -> Value | None:
        """The same, None where nothing is known of the symbol itself."""
        try:
            return self.unnamed(node)
        except Missing as e:
            if e.where is not node and e.where is not None and kind(e.where) != "str":
                raise
            return None

    def inner(self, node: Any) -> Value:
        """``(a)``; not ``<a, b>``, which is no list."""
        if node.kind == "<" and kind(node.arg) == "Tuple":
            raise Unsupported("angle brackets")
        return closed(self, node.arg)

    def name(self, node: Any) -> Value:
        """A name, or the variable of a function that is given by its formula."""
        bound = self.env.get("values", {}).get(spelled(node)) if "values" in self.env else None
        return bound if bound is not None else self.named(node)


def components_from_one(page: Page) -> bool:
    """Whether the first component is number 1: the document names none by 0."""
    memo = page.memos["components from one"]
    if not memo:
        refs = (page.symbols.ref(n) for s in page.statements for n in s.nodes if kind(n) in ("Name", "Power", "Index"))
        memo["said"] = not any(number_at(e, {}) == 0 for ref in refs if ref is not None for e in ref.entries)
    return bool(memo["said"])


def a_unit_vector(page: Page, node: Any) -> bool:
    r"""Whether this is the ``e_j`` of ``\partial a_t/\partial W_{jk} = e_j h_{t-1,k}``, where the document has no other e."""
    if kind(node) != "Name" or node.base != "e" or node.accents or node.primes or len(node.subs) != 1:
        return False
    if "e" in page.symbols.ranks or "e" in page.abbreviations or "e" in page.targets.values():
        return False
    memo = page.memos["unit vectors"]
    if not memo:
        entries = (by_an_entry(page, s) for s in page.statements if any(kind(n) == "Name" and n.base == "e" for n in s.nodes))
        memo["letters"] = frozenset().union(*entries)
    return spelled(node.subs[0]) in memo["letters"]


def by_an_entry(page: Page, s: Statement) -> set[str]:
    """The letters for the entry of a matrix that a statement derives by."""
    refs = (page.symbols.ref(unwrapped(n.wrt)) for n in s.nodes if kind(n) == "Derivative")
    return {w for ref in refs if ref is not None and len(ref.entries) == 2 for e in ref.entries for w in letters(e)}


_SHAREABLE = frozenset({"Apply", "Sum", "Hadamard", "Product", "Infix", "Stack"})
RULES: dict[str, Callable[[Run, Any], Value]] = {
    "Number": numeral, "Name": Run.name, "Sum": total, "Negative": negative, "Product": juxtaposed, "Hadamard": hadamard, "Infix": infix,
    "Power": power, "Transpose": transpose, "Fraction": fraction, "Apply": apply, "Diagonal": diagonal, "Stack": stack, "Index": indexed,
    "Indicator": indicator, "Cases": cases, "Big": sums.big, "Derivative": derivative, "Given": given, "Paren": Run.inner, "Tuple": listed,
    "_Adjoint": marked, "Share": shared_out, "Paths": followed, "Differential": differential, "Variable": variable, "Variants": variants,
}  # fmt: skip
