"""The quantities of a cell as a program, or the page's formulas, name them, and the equations between them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.defined.groups import Collected
from symgrad.check.programs.names import INPUTS, OUTPUTS, STATES, squashed, stem
from symgrad.check.reading.statements import Statement, names_in, step_part
from symgrad.check.reading.symbols import STEP_WORDS, key_of, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.sources.document import Fragment
from symgrad.notation.syntax import Name, Negative, Number, Relation, Span, Sum

NOW = Name("t")
MATRICES = frozenset("RUVW")  # weights, where there are r, u, v, w that are none


@dataclass(frozen=True)
class Quantity:
    """What a program calls a quantity of the cell, or a parameter, and how it is written in a formula; computed at step t + `at`."""

    name: str
    node: Name
    timed: bool
    at: int = 0

    def written(self, by: int, span: Span | None = None) -> Name:
        """The quantity by so many steps from t."""
        if not self.timed:
            return replace(self.node, span=span)
        step = NOW if not by else Sum((NOW, Number(str(by)) if by > 0 else Negative(Number(str(-by)))))
        return replace(self.node, subs=(*self.node.subs, step), span=span)

    def place(self, node: Any) -> int | None:
        """By how many steps from t a name is this quantity; None if it is another."""
        if not self.timed or kind(node) != "Name" or not node.subs or replace(node, subs=node.subs[:-1], span=None) != self.node:
            return None
        at = number_at(node.subs[-1], {NOW.base: 0})
        return None if at is None else int(at)


@dataclass(frozen=True)
class Defined:
    """The formula of a quantity, where it stands, in how many loops, and whether it is an output of the last step alone."""

    node: Any
    fragment: Fragment
    loops: int = 0
    last: bool = False


@dataclass
class Scope:
    """A function, or the statements between functions: its names, and what they compute of a cell."""

    body: list[ast.stmt] = field(default_factory=list)
    name: str = ""  # of the function
    owner: int = 0  # the class that it is a method of, by its number
    arguments: list[ast.arg] = field(default_factory=list)
    steps: dict[str, dict[int, str]] = field(default_factory=dict)  # names at each of a few steps that are written one by one
    quantities: dict[str, Quantity] = field(default_factory=dict)
    definitions: dict[str, Defined] = field(default_factory=dict)
    lists: dict[str, tuple[Quantity, int]] = field(default_factory=dict)  # ``hs.append(h)``: hs[k] is h at step k + offset
    aliases: dict[str, tuple[Quantity, int]] = field(default_factory=dict)  # ``self.c_prev = c_prev``: other names, and by how many steps
    olds: dict[str, tuple[Quantity, int]] = field(default_factory=dict)  # h beside ``h_new = …``: the state of the step before
    packs: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # ``cache = (f, i, o)``
    stacked: dict[str, Any] = field(default_factory=dict)  # weights that stand beside a concatenation, and it
    merged: dict[str, int] = field(default_factory=dict)  # quantities and weights of several gates, and of how many
    lagged: set[str] = field(default_factory=set)
    equations: dict[str, Statement] = field(default_factory=dict)  # of formulas, by what they define
    read: bool = False  # whether all of it is known
    behind: Scope | None = None  # the page's formulas, for what is not computed here

    @property
    def last(self) -> int:
        """The number of the last of the steps that are written one by one."""
        return max((k for names in self.steps.values() for k in names), default=0)

    @property
    def recurrent(self) -> bool:
        """Whether a state is computed here from itself."""
        return bool(self.lagged & set(self.definitions))

    def every(self) -> list[Quantity]:
        return [*self.quantities.values(), *(self.behind.every() if self.behind is not None else ())]

    def located(self, node: Any) -> tuple[Quantity, int] | None:
        """The quantity that a name in a formula is, and by how many steps."""
        return next(((q, at) for q in self.every() if (at := q.place(node)) is not None), None)

    def parameter(self, node: Any) -> Quantity | None:
        """The parameter that a name in a formula is."""
        return next((q for q in self.quantities.values() if not q.timed and kind(node) == "Name" and q.node == replace(node, span=None)), None)

    def living(self) -> set[str]:
        """The quantities and parameters that the equations name."""
        behind = self.behind.living() if self.behind is not None else set()
        nodes = [n for d in self.definitions.values() for n in walk(d.node)]
        found = [at[0] if (at := self.located(n)) is not None else self.parameter(n) for n in nodes]
        return {*self.definitions, *self.merged, *(q.name for q in found if q is not None), *behind}

    def formula(self, q: Quantity) -> Any:
        """What a quantity is computed by; None if it is given."""
        found = self.definitions.get(q.name)
        return found.node if found is not None else self.behind.formula(q) if self.behind is not None else None

    def find(self, raw: str) -> tuple[Quantity, int] | None:
        """The quantity that a name means, and by how many steps."""
        found = self.exactly(raw) or (self.behind.exactly(raw) if self.behind is not None else None)
        return found or self.loosely(raw) or (self.behind.find(raw) if self.behind is not None else None)

    def exactly(self, raw: str) -> tuple[Quantity, int] | None:
        if raw in self.aliases:
            return self.aliases[raw]
        q = self.quantities.get(raw) or (self.lists[raw][0] if raw in self.lists else None)
        return None if q is None else (q, q.at)

    def loosely(self, raw: str) -> tuple[Quantity, int] | None:
        """The quantity of the same stem, else the state, input or output that such a word is used for."""
        word, age = stem(raw)
        alike = [q for q in self.quantities.values() if stem(q.name)[0] == word]
        alike = alike or [q for q in self.quantities.values() if squashed(stem(q.name)[0]) == squashed(word) and not (q.timed and word in MATRICES)]
        alike = [q for q in alike if q.name in self.definitions] or alike or (self.customary(word) if self.read else [])
        if not alike or (age and not alike[-1].timed):
            return None
        return alike[-1], alike[-1].at + min(age, 0)

    def customary(self, word: str) -> list[Quantity]:
        """What a word such as `hidden`, `inputs`, `logits` means where there is one thing that it can mean."""
        low = word.lower()
        out: list[Quantity] = []
        for names in STATES:
            if low in names:
                states = [self.quantities[name] for name in self.lagged & set(self.definitions)]
                out = [q for q in states if stem(q.name)[0].lower() in names] or [q for q in states if names is STATES[0] and len(states) == 1]
        if low in INPUTS:
            out = [q for q in self.quantities.values() if q.timed and q.name not in self.definitions and q.name not in self.lagged]
        if low in OUTPUTS and not out:
            out = self.outputs()
        return out if len(out) == 1 else []

    def outputs(self) -> list[Quantity]:
        """What nothing but a softmax is computed from."""
        found = {name: d.node for name, d in self.definitions.items() if not (kind(d.node) == "Apply" and d.node.function.base == "softmax")}
        used = {at[0].name for node in found.values() for n in walk(node) if (at := self.located(n)) is not None}
        return [self.quantities[name] for name in found if name not in used]

    def stated(self) -> list[Statement]:
        """The cell as equations."""
        own = {self.quantities[name].node for name in self.definitions}
        behind = self.behind if self.behind is not None else self
        out = [s for name, s in behind.equations.items() if behind is self or behind.quantities[name].node not in own]
        for name, d in self.definitions.items() if not self.equations else ():
            q = self.quantities[name]
            rel = Relation((q.written(q.at), d.node), ("=",), span=Span(0, len(d.fragment.latex)))
            out.append(Statement(d.fragment, rel, rel, (), 0, None, Name("T") if d.last else None))
        return [replace(s, number=k) for k, s in enumerate(out)]


def formulas(collected: Collected) -> list[Scope]:
    """The cells that a page gives in formulas, under the names that a program may have for their quantities."""
    out = []
    for group in collected.groups if collected.letter == NOW.base else ():
        scope = Scope(read=True)
        for d in group.definitions.values():
            for side in (d.side, d.node):
                for _, head, parts in names_in(side) if side is not None else ():
                    step = step_part(parts, NOW.base)
                    words = [p for p in parts if step is None and spelled(p.node) in STEP_WORDS]  # ``h_prev``
                    labels = [p for p in parts if p is not step and p not in words]
                    key = key_of(head, labels)
                    if key is None or any(p.where == "bracket" for p in labels):
                        continue
                    name = key.replace("~", "_").replace("^", "_").replace(",", "")
                    timed = step is not None or bool(words) or key in group.definitions
                    if timed or name not in scope.quantities:
                        scope.quantities[name] = Quantity(name, Name(head.base, head.accents, tuple(p.node for p in labels), head.primes), timed)
                    at = number_at(step.node, {NOW.base: 0}) if step is not None else STEP_WORDS[str(spelled(words[0].node))] if words else None
                    if side is d.side:
                        scope.definitions[name] = Defined(unwrapped(d.node), d.place.fragment)
                        scope.equations[name] = d.place
                    elif at is not None and at < d.shift:
                        scope.lagged.add(name)
        if scope.recurrent:
            out.append(scope)
    return out
