r"""The court: the statements of a document, its pages, which of these a claim may speak of, and what was settled on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symgrad.check.cell import conventions
from symgrad.check.cell.define import make_page
from symgrad.check.cell.library import matched, prelude
from symgrad.check.court import identities
from symgrad.check.court.factors import summed_marks
from symgrad.check.court.named import names_of, tied
from symgrad.check.defined.collect import collect
from symgrad.check.defined.groups import Collected, split_groups
from symgrad.check.defined.incomplete import Supposed, completed, held_fixed, outputs_left_out, states_left_out, suppositions, taken_for
from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.defined.slopes import recursive, slope_name
from symgrad.check.defined.typing import decomposed
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.reading.aside import put_aside
from symgrad.check.reading.changes import NAMED
from symgrad.check.reading.claims import EQUAL, Link, links
from symgrad.check.reading.conditions import Condition, conditions
from symgrad.check.reading.relations import valued
from symgrad.check.reading.statements import HOT, LOSSES, MARKS, Statement, bound_letters, loss_head, names_in, sums_steps
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds.world import STEPS

if TYPE_CHECKING:
    from symgrad.check.forms.common import Common
    from symgrad.face.cell import Cell

MATRICES = re.compile(r"\bmatri(?:x|ces)\b|\bmatriz|\bmatrice|матриц|矩阵|矩陣|行列|행렬", re.IGNORECASE)
SCALAR = re.compile(  # of quantities, not of a loss
    r"(?<!of a )\bscalars?\b(?![- ]*(?:loss|cost|error|objective|function|valued|output|prediction|by\b|with respect))|\b(?:one|1)[- ]?(?:d\b|dimension)"
    r"|\bsingle (?:unit|neuron)\b|\b(?:everything|all (?:the )?(?:quantities|variables|weights|parameters|values))\b[^.;]{0,40}\bnumbers?\b(?! of)"
    r"|标量|一维|스칼라|スカラ|\bescalar(?:es)?\b|\bscalair|\bscalari?\b|\bskalar|скаляр|vô hướng",
    re.IGNORECASE,
)
PAGES = 4  # groups of definitions that one claim is tried on
MOST_STEPS = 6  # that a world is unrolled over


@dataclass
class Court:
    """The statements of a document, its pages, and what was settled on the way."""

    statements: list[Statement]
    cell: Cell | None = None
    program: bool = False  # whether the statements are those of a program
    text: str = ""  # the whole document, with its code and tables
    common: Common | None = None  # how the statements were put into the common form, if they had to be
    pages: dict[int, Page] = field(default_factory=dict)
    orders: dict[int, tuple[Statement, list[int]]] = field(default_factory=dict)  # of the pages that a statement may speak of
    shorter: dict[int, Court] = field(default_factory=dict)  # courts of the statements before one
    open: set[tuple[int, int]] = field(default_factory=set)  # links that are left open
    wrong: set[tuple[int, int]] = field(default_factory=set)  # links that are refuted,
    right: set[tuple[int, int]] = field(default_factory=set)  # and that are proved
    consistent: dict[str, bool] = field(default_factory=dict)  # symbols for gradients → whether they may be read as a line has read them
    confirmed: int = 0  # claims that hold on the pages
    transposed: bool = False  # whether one of them writes the gradient by a matrix transposed
    supposed: dict[tuple[int, int], tuple[Condition, ...]] = field(default_factory=dict)
    introductions: set[tuple[int, int]] = field(default_factory=set)  # links that introduce a symbol for a derivative
    source: list[Statement] = field(init=False)  # the statements, behind those of a cell of the library
    collected: Collected = field(init=False)
    gates: set[str] = field(default_factory=set)  # gates whose gradient a line gives only as that by what their activation is applied to
    unsolved: set[tuple[str, int]] = field(default_factory=set)  # symbols for gradients that the lines did not tell, and how many were known then
    renewed: dict[str, tuple[int, Abbreviation]] = field(default_factory=dict)  # symbols that words give another meaning → from which statement on
    redefined: set[str] = field(default_factory=set)  # symbols for gradients by states that a line computes as those by preactivations
    told: set[str] = field(default_factory=set)  # of these, the ones that the words before such a line say to be
    tails: set[str] = field(default_factory=set)  # losses of a step that a line has shown to be those from there on
    activations: dict[str, str] = field(default_factory=dict)  # what a free function was taken for, by the line that wrote its slope
    updates: dict[str, str] = field(init=False, default_factory=dict)  # states whose update is left out → what is taken for it
    borrowed: str = field(init=False, default="")  # what is said of a cell that is not the document's own
    turned: list[Statement] | None = field(init=False, default=None)  # this cell in the other convention, where the document does not say which it follows
    conventions: dict[tuple[int, int], bool] | None = field(init=False, default=None)  # lines that hold in one of them alone, and whether in this one
    certain: bool = field(init=False, default=True)  # whether the cell is known well enough to refute a claim
    variables: frozenset[str] = field(init=False, default=frozenset())  # of identities between functions
    declared: int | None = field(init=False, default=None)  # the first statement that declares a shape
    matrices: bool = field(init=False, default=False)  # whether the document has signs that only matrices have
    invented: dict[str, Statement] = field(init=False, default_factory=dict)  # equations for gates that are left out
    others: list[tuple[Court, Supposed]] | None = field(init=False, default=None)
    aside: Court | None = field(init=False, default=None)  # of what the text says of an RNN, where the document's own cells have gates
    of_rnns: dict[int, bool] | None = field(init=False, default=None)  # the statements about one; whether the words right before them say so
    bare: bool = field(init=False, default=False)  # whether nothing in the document is derived

    def __post_init__(self) -> None:
        self.source = self.statements
        first = self.collected = collect(self.source)
        if self.cell is not None:
            self.source = [*prelude(self.cell, len(self.statements)), *self.statements]
            self.collected = collect(self.source)
            self.borrowed = f"the cell is {self.cell.name} of the library, as asked for"
        elif not any(g.definitions for g in self.collected.groups) or not self.recurrent():
            found = matched(self.statements, self.collected)
            if found is not None:
                borrowed, self.borrowed, self.certain = found
                told, other = conventions.said(self.statements), conventions.turned(borrowed)
                if other is not None and told is not None and told != conventions.keeping(borrowed):
                    borrowed, self.borrowed = other, f"{self.borrowed}, with the gate the other way round, as the words say"
                self.turned = other if told is None else None
                self.source = [*borrowed, *self.statements]
                self.collected = collect(self.source)
        elif left_out := self.left_out():
            self.supply(left_out)
            if self.updates and (outputs := self.left_out()):
                self.supply({**left_out, **outputs})
        if split_groups(self.collected) or self.collected is not first:
            self.forget()  # what was looked at before was not whole
        self.variables = self._variables()
        for page in self.pages.values():
            page.variables = self.variables | {identities.POINT}
        self.declared = 0 if self.program else self._declared()
        self.certain &= self.common is None or self.common.certain
        self.matrices = any(self.of_matrices(n) for s in self.statements for n in s.nodes)
        self.bare = not any(s.derives for s in self.statements)

    def of_matrices(self, node: Any) -> bool:
        r"""Whether a sign makes sense for matrices alone: ``w^T`` of a weight in a small letter may be a number to the power T."""
        if kind(node) != "Power" or not is_top(node.exponent):
            return kind(node) in ("Transpose", "Diagonal")
        base, page = unwrapped(node.base), self.page(0)
        if kind(base) in ("Norm", "Absolute"):
            return False
        ref = page.symbols.ref(base)
        weight = ref is not None and ref.key not in page.symbols.timed and page.symbols.ranks.get(ref.key) == 2
        return not (weight and kind(base) == "Name" and base.base.islower() and spelled(node.exponent) == "T")

    def filled_in(self) -> list[tuple[Court, Supposed]]:
        """The court with equations for the gates that are left out though their weights are named; the one by which something was proved, once there is one."""
        if self.others is None:
            self.others = []
            for found in suppositions(self.page(0), self.statements, len(self.statements)) if not self.borrowed else ():
                other = copy(self)
                other.source = [*found.equations.values(), *(s for key, s in self.invented.items() if key not in found.equations), *self.statements]
                other.collected, other.pages, other.orders = collect(other.source), {}, {}
                split_groups(other.collected)
                for k in range(len(other.collected.groups)):
                    page = other.page(k)
                    page.symbols.aliases.update(found.aliases)
                    page.symbols.clear()
                    page.abbreviations = self.page(0).abbreviations
                self.others.append((other, found))
        return self.others

    @cached_property
    def other_convention(self) -> Court | None:
        """The court of the same cell in the other convention."""
        if self.turned is None:
            return None
        other = copy(self)
        other.source = [*self.turned, *self.statements]
        other.collected, other.pages, other.orders = collect(other.source), {}, {}
        split_groups(other.collected)
        return other

    def recurrent(self) -> bool:
        """Whether some definitions of the document make a state."""
        return any(self.page(k).lagged for k in range(len(self.collected.groups)))

    def supply(self, equations: dict[str, Statement]) -> None:
        """Read the document with equations for what it leaves out."""
        self.invented = equations
        self.source = [*equations.values(), *self.statements]
        self.collected = collect(self.source)
        self.forget()

    def forget(self) -> None:
        """Let go of the pages."""
        for page in self.pages.values():
            page.close()
        self.pages.clear()

    def close(self) -> None:
        """Let go of all that was worked out, here and in the courts that were asked beside."""
        convention = vars(self).pop("other_convention", None)
        beside = [*self.shorter.values(), *(other for other, _ in self.others or ()), *(court for court in (self.aside, convention) if court is not None)]
        self.shorter, self.others, self.aside = {}, None, None
        for court in beside:
            court.close()
        self.forget()

    def left_out(self) -> dict[str, Statement]:
        """Equations for the gates that the document does not define."""
        groups = self.collected.groups if any(s.derives for s in self.statements) else []
        known = {key for g in groups for key in g.definitions}
        states = {key: found for k in range(len(groups)) for key, found in states_left_out(self.page(k), self.statements).items() if key not in known}
        if states:
            self.updates = {key: note for key, (_, note) in states.items()}
            return {key: s for key, (s, _) in states.items()}
        gates = {key: s for k in range(len(groups)) for key, s in completed(self.page(k), len(self.statements)).items() if key not in known}
        return gates or {key: s for k in range(len(groups)) for key, s in outputs_left_out(self.page(k), self.statements).items() if key not in known}

    def _variables(self) -> frozenset[str]:
        """Variables of identities between functions: ``\\sigma'(x)``, ``d/dx``; not what a definition names just so, ``z = W h_t``, ``y = \\tanh(x)``."""
        out = set()
        definitions = [(unwrapped(d.side), d.node) for g in self.collected.groups for d in g.definitions.values() if d.side is not None]
        stepless = [(side, node) for side, node in definitions if kind(side) == "Name" and not side.subs]
        defined = {n.base for side, node in stepless for n in (side, *walk(node)) if kind(n) == "Name" and not n.subs}
        for s in self.statements:
            for n in s.nodes:
                if kind(n) == "Apply" and len(n.args) == 1:
                    labels = {id(a) for m in walk(n.args[0]) if kind(m) == "Name" for sub in m.subs for a in walk(sub)}
                    for inner in walk(n.args[0]):
                        if kind(inner) == "Name" and id(inner) not in labels and not inner.subs and len(inner.base) == 1 and inner.base in "xyzuva":
                            out.add(inner.base)
        return frozenset(out - defined)

    def _declared(self) -> int | None:
        """The first statement that declares a shape."""
        for s in self.statements:
            node = s.node
            if kind(node) == "Relation" and any(g == "in" for g in node.signs):
                powers = [n.base for side in node.sides[1:] for n in walk(side) if kind(n) == "Power"]  # of R^n: a number has no shape
                if any(kind(n) == "Name" and n.base in ("R", "Re") and n.font in ("mathbb", "mathbf", "mathrm", "") for n in powers):
                    return s.number
            if kind(node) == "Relation" and any(g in (":", "shape") for g in node.signs):
                return s.number
        return None

    def until(self, number: int) -> Court:
        """The court of what the document has said before a statement."""
        if number not in self.shorter:
            self.shorter[number] = Court(self.statements[:number], text=self.text, common=self.common)
        return self.shorter[number]

    def instead(self, s: Statement, node: Any) -> Court:
        """The court of what the document says with another equation in the place of a statement."""
        if -1 - s.number not in self.shorter:
            changed = [replace(other, node=node, whole=node) if other.number == s.number else other for other in self.statements]
            self.shorter[-1 - s.number] = Court(changed, text=self.text, common=self.common)
        return self.shorter[-1 - s.number]

    def page(self, k: int) -> Page:
        """The page of a group of definitions."""
        if k not in self.pages:
            page = self.pages[k] = make_page(self.collected, k, self.source)
            page.variables = self.variables | {identities.POINT}
            page.steps = self.steps()
            page.borrowed = bool(self.borrowed)
            page.adjoined = self.adjoined(page)
            page.statements = self.statements
            page.program = page.sized = self.program
            if self.common is not None:
                page.write, page.whole = self.common.write, self.common.whole
                page.notes.update((key, called) for key in page.symbols.ranks if (called := self.common.called(key)) is not None)
            if k > 0:
                for name, short in self.pages.get(0, page).abbreviations.items():
                    page.abbreviations.setdefault(name, short)
            page.marks_summed = summed_marks(page, self.links)
        return self.pages[k]

    def adjoined(self, page: Page) -> set[str]:
        """The quantities whose adjoint has a symbol somewhere in the document."""
        out = set()
        for s in self.statements:
            for n in s.nodes:
                if kind(n) == "Product":
                    for a, b in zip(n.args, n.args[1:], strict=False):
                        if kind(a) == "Name" and a.base in MARKS and not a.subs and (r := page.symbols.ref(b)) is not None:
                            out.add(r.key)
                elif kind(n) == "Name" and n.base in MARKS and n.subs:
                    out |= {r.key for x in n.subs if (r := page.symbols.ref(x)) is not None}
        return out

    def pages_of(self, s: Statement, under: Callable[[Page], Page | None] = lambda page: page) -> Iterator[Page]:
        """The pages that a statement may speak of, in turn, as far as a supposition leaves them, each changed by it."""
        for k in self.order(s):
            if (page := under(self.page(k))) is not None:
                yield page

    def steps(self) -> int:
        """As many steps as the document says that there are, else enough for every step that is named by number."""
        named = [
            int(p.node.text)
            for s in self.statements
            for n in s.nodes
            if kind(n) == "Name"
            for p in (head_and_parts(n) or (None, ()))[1]
            if kind(p.node) == "Number" and p.node.text.isdigit() and int(p.node.text) <= MOST_STEPS
        ]
        sums = (n for s in self.statements if s.derives for n in s.nodes if kind(n) == "Big" and n.kind == "sum" and sums_steps(n))
        ends = [int(n.upper.text) for n in sums if kind(n.upper) == "Number" and n.upper.text.isdigit()]  # ``\sum_{t=1}^6``
        said = {n for n in (*ends, *(length(s) or 0 for s in self.statements)) if 2 < n <= MOST_STEPS}
        if len(said) == 1 and max([0, *named]) <= min(said) + 1:
            return min(said)
        ends = [int(s.last.text) for s in self.statements if kind(s.last) == "Number"]  # what comes behind an output of one step is nothing to the loss
        return max([*(ends or [STEPS]), *named])

    def order(self, s: Statement) -> list[int]:
        """The groups of definitions to try: those that words name or that know most names, of these the one in force, then earlier ones, then later ones."""
        if len(self.collected.groups) == 1:
            return [0]
        if id(s) not in self.orders:
            self.orders[id(s)] = s, self._order(s)
        return self.orders[id(s)][1]

    def _order(self, s: Statement) -> list[int]:
        groups = self.collected.groups
        here = max((k for k, g in enumerate(groups) if (g.first <= s.number or k == 0) and not g.alone and not self.put_off(k)), default=0)
        indices = bound_letters(s.node) | {w for _, _, parts in names_in(s.node) for p in parts for w in letters(p.node)}
        defined: dict[int, int] = {}
        known: dict[int, int] = {}
        lemmas = {key for g in groups if g.alone for key in g.definitions}
        inputs = {key for key in self.page(here).symbols.timed - self.page(here).definitions.keys() if not key.startswith("pre:")}
        for k in range(len(groups)):
            page = self.page(k)
            others = lemmas if k == here else lemmas | inputs
            named = [(n.base if kind(n) == "Power" and page.symbols.ref(n) is None else n, parts) for n, _, parts in names_in(s.node)]  # the W of ``W^{T-t}``
            found = {r.key for n, parts in named if (r := page.symbols.ref(n)) is not None and (parts or r.key not in indices)}
            elsewhere = {page.symbols.aliases[name] for name in page.symbols.aliases.keys() & others}  # the z of ``z = f(x)`` is not what h is computed from
            weights = {key for key, d in page.definitions.items() if decomposed(d)}
            defined[k] = sum(key in page.definitions.keys() - weights or (key.startswith("pre:") and key not in elsewhere) for key in found)
            known[k] = len(found)
        most = max(defined.values())

        tie = tied(self, s)
        meant = tie.groups if tie.near else frozenset[int]()

        def rank(k: int) -> tuple[bool, int, int]:
            if (first := groups[k].first) > s.number:
                return k not in meant, -known[k], 100_000 + first
            return k not in meant, -known[k], here - k if k <= here and not groups[k].alone else 500 + s.number - first

        alike = sorted((k for k in range(len(groups)) if defined[k] == most or k in meant), key=rank)
        cells = [k for k in alike if self.page(k).lagged or k == here]  # a formula that illustrates something is no cell
        return (cells or alike)[:PAGES]

    def put_off(self, k: int) -> bool:
        """Whether words put a cell aside that would be in force from its equation on, "in future work we shall try"."""
        first = self.collected.groups[k].first
        return k > 0 and first < len(self.statements) and put_aside(self.statements[first].fragment)

    @cached_property
    def names(self) -> dict[int, set[str]]:
        """What the document calls its cells."""
        return names_of(self.collected.groups)

    @cached_property
    def links(self) -> list[Link]:
        """All that the document says to be equal."""
        return [link for s in self.statements if kind(s.node) == "Relation" for link in links(s)]

    @cached_property
    def words(self) -> str:
        """The prose around the formulas of the document, with its headings."""
        fragments = [s.fragment for s in self.statements if s.fragment is not None]
        return "\n".join(dict.fromkeys(text for f in fragments for text in (f.heading, f.before, f.after)))

    @cached_property
    def functions(self) -> frozenset[str]:
        """The activations that the document names anywhere, in words or code; of those that are not known here an empty name."""
        return frozenset(rule for rule, words in NAMED.items() if words.search(self.text))

    @cached_property
    def speaks_of_matrices(self) -> bool:
        """Whether the quantities of the document are vectors and matrices, by its words or the signs of what it claims, and never numbers."""
        defining = {number for number, _ in self.collected.defining}
        entrywise = any(kind(n) == "Hadamard" for s in self.statements if s.number not in defining for n in s.nodes)
        signs = self.matrices or self.declared is not None or entrywise
        return (signs or MATRICES.search(self.words) is not None) and SCALAR.search(self.words) is None

    def told_of_matrices(self, number: int) -> bool:
        """Whether the words before a statement speak of matrices, or the lines before it under its heading, or shapes are declared; and of no numbers."""
        found = [s for s in self.statements[: number + 1] if s.fragment is not None]
        under = [s for s in found[:-1] if s.derives and s.fragment.heading == found[-1].fragment.heading]
        signs = any(kind(n) == "Hadamard" or self.of_matrices(n) for s in under for n in s.nodes)
        told = signs or self.declared is not None or any(MATRICES.search(s.fragment.before) for s in found)
        return told and SCALAR.search(self.words) is None

    @cached_property
    def listed(self) -> int:
        """How many inputs the document says that its sequence has, ``[x_1, x_2]``; 0 if it does not."""
        lists = [unwrapped(s.node) for s in self.statements if kind(unwrapped(s.node)) in ("Stack", "Tuple")]
        found = {len(n.args) for n in lists if len(n.args) > 1 and [spelled(a) for a in n.args] == [f"x_{k + 1}" for k in range(len(n.args))]}
        return found.pop() if len(found) == 1 else 0

    @cached_property
    def of_a_class(self) -> bool:
        """Whether a loss of the document looks at the class that is wanted alone, as one-hot vectors do."""
        losses = [s for s in self.statements if not s.derives and any(loss_head(side) is not None for side in getattr(s.node, "sides", ())[:1])]
        return any(kind(n) == "Name" and n.base == HOT for s in losses for n in s.nodes)

    @cached_property
    def worked(self) -> bool:
        """Whether the document works an example out: it gives values to quantities at steps told by number, ``i_1 = 0``, ``a_2 = 1.76``."""
        page = self.page(0)
        sides = (unwrapped(s.node.sides[0]) for s in self.statements if kind(s.node) == "Relation" and valued(s.node))
        refs = (r for side in sides if (r := page.symbols.ref(side)) is not None and r.step is not None)
        return any((number_at(r.step, {}) or 0) > 0 for r in refs)

    @cached_property
    def tracked(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """The letters that some equation gives by their own earlier values: ``S_t = D_t (W S_{t-1} + ...)``."""
        relations = ((s.node, head_and_parts(unwrapped(s.node.sides[0]))) for s in self.statements if kind(s.node) == "Relation" and s.node.signs[0] in EQUAL)
        return frozenset(slope_name(own[0]) for rel, own in relations if own is not None and recursive(rel, own[0]))

    def conditions(self, link: Link) -> tuple[Condition, ...]:
        """What a link is said to hold for."""
        key = (link.statement.number, link.number)
        if key not in self.supposed:
            self.supposed[key] = conditions(link.statement, link.given) if key[0] < len(self.statements) else ()
        return self.supposed[key]

    def assumed(self, page: Page, outcome: Outcome) -> list[str]:
        """What a verdict takes for granted."""
        notes = list(page.assumptions)
        if self.borrowed:
            notes.append(self.borrowed)
        if self.common is not None:
            notes += [*self.common.assumed, *(note for key, note in self.common.filled.items() if key in outcome.used)]
            notes += [note for key, note in self.common.unsaid.items() if key in page.symbols.timed]
        notes += [f"{page.notes.get(key, key)} {'is 0 behind the last step' if key in page.later else 'begins at 0'}" for key in page.begun]
        for key, note in page.guessed.items():
            if key in outcome.used:
                notes.append(note)
        notes += [note for key, note in self.updates.items() if key in outcome.used]
        notes += [f"{name} is read as {page.notes.get(key, key)}" for name, key in page.settled.items() if f"={name}" in outcome.used]
        notes += [*taken_for(page, outcome.used), *held_fixed(page, outcome.used)]
        if page.loss is not None:
            return [*notes, f"the loss is {page.shown(page.loss)}"]
        for output, target in page.targets.items():
            if target in outcome.used or output in outcome.used:
                pair = [page.notes.get(key, key) for key in (output, target)]
                difference = " - ".join(pair[::-1] if output in page.gained else pair)
                notes.append(f"the loss is the one whose gradient is {f'2 ({difference})' if page.loss_rules.get(output) == 'double' else difference}")
        return notes


def length(s: Statement) -> int | None:
    r"""The number of steps that a statement fixes: ``T = 3``, ``t = 1, 2, 3``, ``L = \sum_{t=1}^3 L_t``, ``L = L_1 + L_2 + L_3``."""
    node = s.node
    if kind(node) != "Relation" or len(node.sides) != 2 or node.signs[0] not in ("=", "in"):
        return None
    left, right = unwrapped(node.sides[0]), unwrapped(node.sides[1])
    if kind(left) == "Name" and not left.subs and left.base == "T":
        last = right
    elif kind(left) == "Name" and not left.subs and left.base == "t" and kind(right) in ("Tuple", "Stack") and len(right.args) > 1:
        last = unwrapped(right.args[-1])
    elif kind(right) == "Big" and right.kind == "sum" and sums_steps(right) and right.upper is not None:
        last = unwrapped(right.upper)
    elif kind(right) == "Sum" and kind(left) == "Name" and left.base in LOSSES and not left.subs:
        parts = [(head_and_parts(unwrapped(a)) or (None, ()))[1] for a in right.args]
        if [[spelled(p.node) for p in found] for found in parts] != [[str(k + 1)] for k in range(len(parts))]:
            return None
        last = parts[-1][0].node
    else:
        return None
    return int(last.text) if kind(last) == "Number" and last.text.isdigit() else None
