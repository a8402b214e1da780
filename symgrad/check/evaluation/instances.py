r"""What a claim speaks of: its free indices, and the steps and components at which it is tried."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.evaluation.adjoints import symbol_target
from symgrad.check.evaluation.grids import dotted, ends
from symgrad.check.evaluation.recognise import symbol_of
from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import component_below, head_and_parts, is_top, key_of, letters, spelled
from symgrad.check.reading.trees import children, kind, unwrapped
from symgrad.check.worlds.world import World
from symgrad.notation.syntax import Name, Product

MOST = 24
ENTRY_LETTERS = frozenset("ijklpqmnrdabuv")


class Indices:
    """The free indices of a formula: those that count steps, those that count components with their size."""

    def __init__(self, page: Page, world: World) -> None:
        self.page, self.world = page, world
        self.steps: dict[str, int] = {}
        self.told: set[str] = set()  # of these, the ones that a quantity of the cell has for its step
        self.entries: dict[str, int] = {}
        self.bounds: set[str] = set()
        self.first: set[str] = set()  # of the bounds, those where a sum or product begins
        self.stepless = False

    def read(self, node: Any, bound: frozenset[str] = frozenset()) -> None:
        """Collect from a formula; `bound` are the indices of sums around it."""
        k = kind(node)
        if k == "Big":
            own = {spelled(node.index)} if node.index is not None else set()
            if kind(unwrapped(node.lower)) == "Relation":
                own |= {spelled(s) for s in unwrapped(node.lower).sides[1:2]}
            for side in (node.lower, node.upper):
                if side is None:
                    continue
                parts = unwrapped(side).sides if kind(unwrapped(side)) == "Relation" else (side,)
                there = {w for part in parts for w in letters(part) if w not in own} - bound
                self.bounds |= there
                self.first |= there if side is node.lower else set()
            self.read(node.body, bound | {w for w in own if w})
            return
        if k == "Power" and kind(unwrapped(node.exponent)) == "Number" and self.page.symbols.ref(node) is None and self.page.symbols.ref(node.base) is not None:
            self.read(node.base, bound)  # the square of an entry
            return
        split = head_and_parts(node) if k in ("Name", "Power", "Index", "Apply") else None
        if split is not None:
            ref = self.page.symbols.ref(node)
            if ref is not None:
                if ref.step is not None:
                    self.step(ref.step, bound)
                    self.told |= set(letters(ref.step))
                elif ref.key in self.page.symbols.timed:
                    self.stepless = True
                dims = self.world.model.dims.get(ref.key, ())
                for e, n in itertools.zip_longest(ref.entries, dims):
                    if e is not None:
                        self.entry(e, bound, n or 1, self.told)
                return
            if k != "Apply" or len(split[1]):
                self.unknown(split[0], split[1], bound, node)
                if k in ("Name", "Index"):
                    return
        if k == "Power" and is_top(node.exponent):
            self.read(node.base, bound)
            return
        for a, b in pairwise(node.args) if k == "Product" else ():
            mark = kind(a) == "Name" and a.base in MARKS and not a.subs and self.page.symbols.ref(b) is None
            self.stepless = self.stepless or (mark and self.of_any_step(Product((a, b))))  # ``d h`` where the document has ``h_s[t]``
        if k == "Stack" and dotted(node):
            bound |= ends(node)
        for child in (node.base,) if k == "Index" else children(node):
            self.read(child, bound)
        for part in node.parts if k == "Index" and node.kind != "part" else ():
            self.component(part, bound)

    def unknown(self, head: Any, parts: tuple[Any, ...], bound: frozenset[str], node: Any) -> None:
        """Indices on a symbol that is no quantity: a loss, an adjoint, the use of a parameter at a step."""
        if (
            head.base == "delta"
            and not head.accents
            and len(parts) in (1, 2)
            and all(
                kind(a) == "Name" and a.base in ENTRY_LETTERS and a.base != self.page.symbols.letter
                for p in parts
                for a in (p.node.args if kind(p.node) == "Product" else (p.node,))
            )
            and (len(parts) == 2 or kind(parts[0].node) == "Product")
        ):
            for p in parts:
                self.entry(p.node, bound, 99)
            return
        known = next((key for n in range(len(parts), -1, -1) if (key := key_of(head, list(parts[:n]))) in self.page.symbols.ranks), None)
        dims = self.world.model.dims.get(known, ()) if known else ()
        used = 0
        labels = (self.page.symbols.aliases.get(w, w) for p in parts if (w := spelled(p.node)) is not None)
        labelled = next((self.world.model.dims[w] for w in labels if w in self.world.model.dims), ())
        for p in parts:
            for n in (p.node,):
                if labelled and spelled(n) not in self.world.model.dims and component_below(p, parts, self.page.symbols.letter):
                    self.entry(n, bound, labelled[0])
                    continue
                ref = self.page.symbols.ref(n)
                if ref is not None:
                    if ref.step is not None:
                        self.step(ref.step, bound)
                    continue
                if (p.where == "bracket" and n != Name("T")) or (kind(n) == "Product" and all(kind(a) == "Name" and a.base in ENTRY_LETTERS for a in n.args)):
                    self.entry(n, bound, dims[used] if used < len(dims) else self.state_size())
                    used += 1
                elif kind(n) in ("Sum",) or (kind(n) == "Name" and (spelled(n) in ("t", "k", "s", "tau", "T", "i", "l", "n", self.page.symbols.letter))):
                    if not (head.base == "delta" and kind(n) == "Product"):
                        self.step(n, bound)
                else:
                    self.read(n, bound)
        if not parts and spelled(head) == self.page.symbols.letter:
            self.step(node, bound)
        if not parts and spelled(head) in self.page.abbreviations:
            self.stepless = True  # what it stands for has steps
        if head.base[:1] == "d" and (head.base not in MARKS or (head.base == "d" and parts)):  # ``dh_prev``, ``d_a``
            self.stepless = self.stepless or self.of_any_step(node)

    def of_any_step(self, node: Any) -> bool:
        """Whether a symbol without a step is the gradient by a quantity that has one: by its letter, or as a line before has shown, ``dz_f``."""
        target, named = symbol_target(self.page, node, {}), symbol_of(self.page, node)
        settled = named is not None and named[1] is None and f"? {named[0]}" in self.page.meanings
        return settled or (target is not None and target[0] in self.page.symbols.timed)

    def component(self, part: Any, bound: frozenset[str]) -> None:
        r"""An index on what is more than a name: the j of ``(\hat y_t - y_t)_j``, which may be that of any vector."""
        node = unwrapped(part)
        several = node.args if kind(node) in ("Product", "Tuple") else (node,)
        if all(kind(a) == "Name" and a == Name(a.base) and a.base in ENTRY_LETTERS and a.base != self.page.symbols.letter for a in several):
            self.entry(node, bound, min((n for dims in self.world.model.dims.values() for n in dims), default=1))
        else:
            self.read(part, bound)

    def state_size(self) -> int:
        return next((self.world.model.dims[k][0] for k in sorted(self.page.lagged) if self.world.model.dims.get(k)), 1)

    def step(self, node: Any, bound: frozenset[str]) -> None:
        for w in letters(node):
            if w not in bound:
                self.steps[w] = 1

    def entry(self, node: Any, bound: frozenset[str], size: int, steps: Collection[str] | None = None) -> None:
        node = unwrapped(node)
        for a in node.args if kind(node) in ("Product", "Stack") else (node,):
            for w in letters(a):
                if w not in bound and w not in (self.steps if steps is None else steps):
                    self.entries[w] = min(size, self.entries.get(w, size))


def instances(page: Page, world: World, nodes: tuple[Any, ...], flat: bool) -> list[dict[str, Any]]:
    """The values of the free indices at which a claim is tried, the telling ones first."""
    found = Indices(page, world)
    for node in nodes:
        found.read(node)
    steps = {w for w in found.steps if w not in found.entries}
    fixed: dict[str, Any] = {"T": world.steps}
    if found.first - set(found.entries):  # between any two steps, `\prod_{j=k+1}^{t}`
        steps |= (found.first | (found.bounds & {page.symbols.letter})) - set(found.entries)
    for w in found.bounds - steps - set(found.entries):
        fixed.setdefault(w, world.steps)
    steps -= {"T"}
    if found.stepless and page.symbols.letter not in steps:
        steps.add(page.symbols.letter)
    fixed = {w: v for w, v in fixed.items() if w not in steps}
    names = sorted(steps, key=lambda w: (w != page.symbols.letter, w))
    last = world.steps
    order = [3, 2, *range(4, last + 1), 1, 0] if last >= 4 else [*range(last, -1, -1)]
    entries = [] if flat else sorted(found.entries)
    entry_ranges = [list(range(found.entries[w])) for w in entries]
    if flat:
        fixed |= dict.fromkeys(found.entries, 0)
    later = {page.symbols.letter} | by_a_parameter(page, nodes[0])
    grid = list(itertools.product(*[[k for k in order if k or w not in later] for w in names]))
    grid.sort(key=lambda row: (0 in row, len(set(row)) < len(row)))
    cells = list(itertools.product(*entry_ranges))
    cells.sort(key=lambda row: -len(set(row)))
    out: list[dict[str, Any]] = []
    if len(grid) * len(cells) <= 4 * MOST:
        pairs = [(row, cell) for cell in cells for row in grid]
    else:
        pairs = [(row, cells[(k * 5 + j) % len(cells)]) for j in range(3) for k, row in enumerate(grid)]
        pairs += [(row, cell) for row in grid[:2] for cell in cells]
    for row, cell in pairs[: 6 * MOST]:
        out.append({**fixed, **dict(zip(names, row, strict=True)), **dict(zip(entries, cell, strict=True))})
    return out


def by_a_parameter(page: Page, left: Any) -> set[str]:
    r"""The letters in the step of what is differentiated by a parameter, the k of ``\partial h_k / \partial b``: no equation gives it at step 0."""
    left = unwrapped(left)
    of, wrt = (page.symbols.ref(unwrapped(n)) for n in (left.of, left.wrt)) if kind(left) == "Derivative" else (None, None)
    parameter = wrt is not None and wrt.step is None and wrt.key not in page.symbols.timed
    return set(letters(of.step)) if parameter and of is not None and of.step is not None else set()
