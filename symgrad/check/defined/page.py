r"""A page: the definitions that are in force at one place of a document, and what its names mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import Ref, Symbols, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk
from symgrad.check.worlds.world import STEPS, Model, Quantity, World
from symgrad.notation.latex import latex

if TYPE_CHECKING:
    from symgrad.check.defined.typing import Shapes

SEEDS = 20261
LOSS = "loss:"  # the loss as a quantity, where its own formula is differentiated
Blocks: TypeAlias = tuple[int, tuple[int, ...], tuple[str, ...]]  # of the weight of a concatenation: the axis, the sizes of its parts, their names


@dataclass(frozen=True, slots=True)
class Definition:
    """``key at step letter + shift = node``."""

    key: str
    node: Any
    letter: str
    shift: int = 0
    entries: tuple[Any, ...] = ()
    place: Any = None  # (fragment, span) for reports
    side: Any = None


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """``symbol = node`` where the node speaks of derivatives: the symbol stands for it at other steps too."""

    key: str
    slots: tuple[Any, ...]  # index expressions on the symbol where it was introduced
    entries: tuple[Any, ...]
    node: Any
    tracked: bool = False  # whether the document computes it from its value a step before: a derivative that takes all that came before with it
    place: tuple[int, int] = (-1, -1)  # the statement and the link that introduce it


@dataclass
class Page:
    """Definitions in force, and the worlds built from them.

    A copy is made to be changed: it knows what follows from the definitions alone, and remembers nothing else of the page that it is a copy of.
    """

    symbols: Symbols
    definitions: dict[str, Definition]
    functions: dict[str, Any] = field(default_factory=dict)  # "g" → "tanh", or (variable, node)
    open: frozenset[str] = frozenset()  # letters for functions of which nothing may be supposed
    arbitrary: frozenset[str] = frozenset()  # of these, the ones for any function: what is wrong of every known one is wrong
    sigma: str = ""  # the activation of the cell, where σ' stands for its slope though nothing is σ of anything
    abbreviations: dict[str, Abbreviation] = field(default_factory=dict)  # symbols that stand for derivatives
    step_losses: set[str] = field(default_factory=set)  # symbols for the loss of a step
    total_losses: set[str] = field(default_factory=set)  # symbols for the sum of all
    ambiguous_losses: set[str] = field(default_factory=set)  # of these, the ones that may be meant of one step
    tails: dict[str, int] = field(default_factory=dict)  # losses from a step on, or from how many steps later
    ahead: bool = False  # whether the gradient of a later one of these by a state may be what comes through the next step
    whole: bool = False  # whether every gradient is of the whole loss and along all paths, as the notation has it
    many_to_one: bool = False  # whether the loss looks at the last step alone
    loss_at: int | None = None  # or at one that is told by its number
    meanings: dict[str, str] = field(default_factory=dict)  # adjoint symbol → what a line that holds has settled it to be
    told: dict[str, frozenset[str]] = field(default_factory=dict)  # symbols for gradients → what words say they may be the gradient by
    activated_too: set[str] = field(default_factory=set)  # marks that are said to make gradients by gates, not by their preactivations
    told_marks: set[str] = field(default_factory=set)  # and those that words say to make the gradient by whatever stands behind them
    borne_out: dict[str, int] = field(default_factory=dict)  # symbols for gradients that only the lines tell → how many these are
    alone: frozenset[str] = frozenset()  # marks, `\delta` before a quantity, that a reading takes for symbols of their own
    signals: frozenset[str] = frozenset()  # letters that are introduced by the recursion of a gradient, ``e_t = \ldots W^\top e_{t+1}``
    sought: str | None = None  # the symbol for a gradient that may be that of anything
    settled: dict[str, str] = field(default_factory=dict)  # unknown name → the one quantity it can stand for, since a claim holds so
    steps: int = STEPS  # that the worlds are unrolled over
    assumptions: tuple[str, ...] = ()  # what every verdict takes for granted
    borrowed: bool = False  # the cell is not the document's own
    rows: bool = False  # read with every weight transposed, as code for a batch of rows has them
    program: bool = False  # whether the document is a program: its shapes are its own, a vector may lie or stand
    write: Callable[[Any], str] = latex  # formulas in messages
    entrywise: frozenset[str] = frozenset()  # the signs by which its gates multiply, entry by entry, though they have other uses: ⊗, *
    sized: bool = False  # whether shapes are declared before the claim
    notes: dict[str, str] = field(default_factory=dict)  # quantity → how a reader calls it
    build: Callable[[Page, bool], Model] | None = None  # makes the model of matrices, or (True) of numbers; None while the page is made
    origin: Page | None = None  # the page that this is a copy of, from which its models are made
    fixed: dict[Quantity, int] = field(default_factory=dict)  # quantities that a claim supposes to have a value, as residues
    kinds: dict[str, str] = field(default_factory=dict)  # weights that are supposed to be symmetric, orthogonal, …
    held: bool = False  # whether they are constants
    constant: frozenset[str] = frozenset()  # gates and other states that a reading takes for constants
    where: tuple[Any, ...] = ()  # relations between indices that a claim supposes
    only: dict[str, int] = field(default_factory=dict)  # indices that a claim is tried at alone
    initial: dict[str, int] = field(default_factory=dict)  # states that begin at a number
    begun: tuple[str, ...] = ()  # states that a claim leaves out, so that they are taken to begin at 0
    preactivations: dict[str, str] = field(default_factory=dict)  # gate → what its activation is applied to, where that has a name
    guessed: dict[str, str] = field(default_factory=dict)  # quantities that the document does not quite define → how they are read
    targets: dict[str, str] = field(default_factory=dict)  # output → the wanted value that the loss holds it against
    loss_rules: dict[str, str] = field(default_factory=dict)  # output → "square", "double", "entropy": the loss that the document writes out
    first: bool = False  # whether the class that is wanted is the first one at every step
    gained: frozenset[str] = frozenset()  # outputs whose logarithm counts without a minus, or whose square with one: to be as large as can be
    loss_weight: Any = None  # the factor before the sum of the losses of the steps
    marks_summed: bool | None = False  # whether its symbols for gradients are of the sum, without that factor; None if no line tells
    averaged: set[str] = field(default_factory=set)  # the letters of which the document gives this sum with its factor
    examples: str = ""  # how many examples the loss is a mean over
    summed_too: bool = False  # whether the document writes it without a factor as well
    loss: Any = None  # the formula of the loss, where that is differentiated as the document writes it,
    data: frozenset[str] = frozenset()  # and what it holds the quantities of the cell against
    statements: list[Statement] = field(default_factory=list)  # of the whole document
    variables: frozenset[str] = frozenset()  # of identities between functions: the x of ``\sigma'(x)``
    adjoined: set[str] = field(default_factory=set)  # quantities whose adjoint has a symbol somewhere in the document
    shapes: Shapes | None = None  # settled with the first world
    blocks: dict[str, Blocks] = field(default_factory=dict)  # weights of concatenations, settled with the first world of matrices
    cuts: dict[str, tuple[str, int, Any]] = field(default_factory=dict)  # names of blocks → the weight, which of its parts, and the name as written
    memos: MutableMapping[str, dict[Any, Any]] = field(default_factory=lambda: defaultdict(dict), repr=False, compare=False)  # what was worked out, by purpose

    def __copy__(self) -> Page:
        out = object.__new__(Page)
        vars(out).update(vars(self), memos=defaultdict(dict), origin=self.origin or self)
        return out

    def close(self) -> None:
        """Let go of what was worked out: the equations of a world know their page, as its shapes do, and rings of things are found late and at a cost."""
        self.shapes = None
        for memo in self.memos.values():
            memo.clear()
        self.memos.clear()

    def twin(self) -> Page:
        """A copy to be changed that lives in the same worlds: nothing may change that these are built from."""
        out = copy(self)
        out.memos["worlds"] = self.memos["worlds"]
        return out

    def shown(self, node: Any) -> str:
        """A formula within a message; of a program one that its language has no sign for is what stands there."""
        if not self.program:
            return f"${self.write(node)}$"
        try:
            return f"`{self.write(node)}`"
        except ValueError:
            return "what stands here"

    @property
    def world(self) -> World:
        """The world of matrices and vectors."""
        return self._world(False)

    @property
    def scalar_world(self) -> World:
        """The world in which every size is one: no shapes at all."""
        return self._world(True)

    def _world(self, flat: bool) -> World:
        worlds = self.memos["worlds"]
        if flat not in worlds:
            worlds[flat] = self._built(flat)
        return worlds[flat]  # type: ignore[no-any-return]

    def _built(self, flat: bool) -> World:
        assert self.build is not None
        model = self.build(self.origin or self, flat)
        world = World(model, SEEDS + flat, self.steps)
        world.lagged, world.later = self.lagged, self.later
        world.zeros = frozenset(self.initial)
        world.present = frozenset(name for key in self.present for name in (key, f"pre:{key}"))
        world.kinds = self.kinds
        world.fixed, world.held, world.constant, world.data = self.fixed, self.held, self.constant, self.data
        return world

    @cached_property
    def lagged(self) -> frozenset[str]:
        """The states: what some equation names at an earlier step."""
        out = set()
        for d in self.definitions.values():
            for ref, lag in self.references(d):
                if lag < 0:
                    out.add(ref.key)
        return frozenset(out)

    @cached_property
    def present(self) -> frozenset[str]:
        """The states that an equation gives by others at the same step, ``h_t = tanh(c_t)``, where what they begin at agrees with that."""
        found = {key: self.references(self.definitions[key]) for key in self.lagged & self.definitions.keys()}
        given = {key for key, refs in found.items() if refs and all(lag == 0 and ref.key in self.lagged for ref, lag in refs)}
        zero = {key: [name in self.initial for name in (key, *(ref.key for ref, _ in found[key]))] for key in given}
        return frozenset(key for key in given if not any(zero[key]) or (all(zero[key]) and self.odd(key)))

    def odd(self, key: str) -> bool:
        """Whether a quantity is the tanh of another one, and so zero where that is."""
        node = unwrapped(self.definitions[key].node)
        return kind(node) == "Apply" and spelled(node.function) == "tanh"

    @cached_property
    def later(self) -> frozenset[str]:
        """The states that are computed from the last step to the first, as one half of a bidirectional cell."""
        found = {d.key: {ref.key: lag for ref, lag in self.references(d) if ref.key == d.key} for d in self.definitions.values()}
        return frozenset(key for key, own in found.items() if own.get(key, 0) > 0)

    @cached_property
    def recurrent_weights(self) -> frozenset[str]:
        """The parameters that stand directly before a state of an earlier step."""
        out = set()
        for d in self.definitions.values():
            for n in walk(d.node):
                if kind(n) in ("Product", "Infix"):
                    refs = [self.symbols.ref(unwrapped(a)) for a in n.args]
                    if any(r is not None and r.key in self.lagged for r in refs):
                        out |= {r.key for r in refs if r is not None and r.key not in self.symbols.timed}
        return frozenset(out)

    @cached_property
    def coded(self) -> bool:
        """Whether the cell is written in code for columns, and no line of the document puts a vector before a weight."""
        if self.program:
            return True
        lines = [s.node for s in self.statements]
        products = [n for line in lines for n in walk(line) if kind(n) == "Infix" and n.sign == "at"]
        rows = any(self.ranked(a) == 1 and self.ranked(b) == 2 for n in products for a, b in pairwise(n.args))
        return not rows and any(in_code(d.node) for d in self.definitions.values())

    def ranked(self, node: Any) -> int | None:
        """The number of indices of a name as it stands."""
        ref = self.symbols.ref(unwrapped(node))
        return None if ref is None or ref.entries else self.symbols.ranks.get(ref.key)

    @cached_property
    def cells(self) -> list[set[str]]:
        """The quantities and parameters that hang together by equations; what comes from outside joins nothing."""
        out: list[set[str]] = []
        for key, d in self.definitions.items():
            named = {r.key for n in walk(d.node) if (r := self.symbols.ref(n)) is not None}
            mine = {key} | {k for k in named if k in self.definitions or k not in self.symbols.timed}
            rest = []
            for other in out:
                if other & mine:
                    mine |= other
                else:
                    rest.append(other)
            out = [*rest, mine]
        return out

    def references(self, d: Definition) -> list[tuple[Ref, int]]:
        """Every quantity with a step that an equation names, with its lag."""
        memo = self.memos["references"]
        if d.key in memo:
            return memo[d.key]  # type: ignore[no-any-return]
        out = list(self._references(d, d.node))
        if self.build is not None:
            memo[d.key] = out
        return out

    def _references(self, d: Definition, node: Any) -> Iterator[tuple[Ref, int]]:
        ref = self.symbols.ref(node)
        if ref is not None:
            if ref.key in self.symbols.timed:
                at = number_at(ref.step, {d.letter: 0}) if ref.step is not None else d.shift
                if at is not None:
                    yield ref, int(at) - d.shift
            if not ref.entries or kind(node) == "Name":
                return
        applied = kind(node) == "Apply" and kind(node.function) == "Name" and not node.function.subs  # the h of ``h(c_t)`` is no state
        for child in node.args if applied else children(node):
            yield from self._references(d, child)

    def preactivation(self, key: str) -> str:
        """What the activation of a quantity is applied to: its own name, or ours."""
        return self.preactivations.get(key, f"pre:{key}")

    def activated(self, key: str) -> Any:
        r"""The activation in an equation: all of ``h = \tanh(a)``, the last of ``h_t = h_{t-1} + \tanh(W h_{t-1} + U x_t)``; None if there are several."""
        d = self.definitions[key]
        whole = unwrapped(d.node)
        found = [n for n in walk(d.node) if kind(n) == "Apply" and len(n.args) == 1 and kind(n.function) == "Name" and self.symbols.ref(n) is None]
        if found and found[0] is whole:
            return whole
        inside = [n for n in found if kind(unwrapped(n.args[0])) in ("Sum", "Product", "Infix") and not n.function.primes]
        return inside[0] if len(inside) == 1 and not d.entries and self._entrywise(whole, inside[0]) else None

    def _entrywise(self, whole: Any, part: Any) -> bool:
        """Whether a part of a formula is met entry by entry alone, by nothing that is a matrix."""
        whole = unwrapped(whole)
        if whole is part:
            return True
        at = [c for c in children(whole) if any(n is part for n in walk(c))]
        if len(at) != 1 or kind(whole) not in ("Sum", "Negative", "Hadamard", "Product", "Infix"):
            return False
        beside = [n for c in children(whole) if c is not at[0] for n in walk(c)] if kind(whole) not in ("Sum", "Negative") else []
        matrices = (n for n in beside if kind(n) == "Transpose" or ((ref := self.symbols.ref(n)) is not None and self.symbols.ranks.get(ref.key) == 2))
        return next(matrices, None) is None and self._entrywise(at[0], part)

    def redefine(self, key: str, d: Definition) -> None:
        """Put an equation in the place of another, while the page is made."""
        self.definitions[key] = d
        with suppress(AttributeError):
            del self.named

    def canon(self, node: Any, letter: str = "", shift: int = 0) -> str:
        """The formula as a string in which equal formulas are equal: names resolved, steps relative, brackets and spacing gone."""
        known = self.symbols.strings.get((id(node), letter, shift))
        if known is None:
            known = self.symbols.strings[id(node), letter, shift] = (node, self._canon(node, letter, shift))
        return known[1]

    def _canon(self, node: Any, letter: str, shift: int) -> str:
        node = unwrapped(node)
        ref = self.symbols.ref(node)
        if ref is not None:
            step = ""
            if ref.key in self.symbols.timed:
                at = number_at(ref.step, {letter: -shift}) if ref.step is not None else -0
                step = "@" + (str(at) if at is not None else self.canon(ref.step) if ref.step is not None else "")
            return f"<{ref.key}{step}{''.join('[' + self.canon(e) + ']' for e in ref.entries)}>"
        k = kind(node)
        if k == "Name":
            if node.subs:
                return f"{node.base}{'~'.join(node.accents)}{node.primes}_{','.join(self.canon(x) for x in node.subs)}"
            return spelled(node) or node.base
        if k == "Number":
            return str(node.text)
        if k == "Infix":
            inner = [self.canon(a, letter, shift) for a in node.args]
            return f"Product({' '.join(inner)})"
        inner = [self.canon(c, letter, shift) for c in children(node)]
        if k == "Sum":
            inner.sort()
        return f"{k}({' '.join(inner)})"

    @cached_property
    def named(self) -> dict[str, str]:
        """Canonical right sides → the quantity that they define."""
        return {self.canon(d.node, d.letter, d.shift): key for key, d in self.definitions.items() if kind(unwrapped(d.node)) not in ("Name", "Number")}


def in_code(node: Any) -> bool:
    """Whether a formula multiplies with ``@``."""
    return any(kind(n) == "Infix" and n.sign == "at" for n in walk(node))


def plain(key: str) -> str:
    """A key as a person writes it."""
    word, _, rest = key.partition("_")
    base, *accents = word.split("~")
    for a in accents:
        base = {"tilde": f"{base}̃", "hat": f"{base}̂", "bar": f"{base}̄"}.get(a, base)
    return base + (f"_{rest}" if rest else "")
