"""What the names of a program mean: a variable's value, a quantity of the cell at a step, an entry, a part of an array."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.programs.blocks import block, cut
from symgrad.check.programs.expressions import Expressions
from symgrad.check.programs.names import STATES, form, given, indices, keyed, named_in, nested, prototype, raw_name, stem, targets, whole
from symgrad.check.programs.scopes import Quantity, Scope
from symgrad.check.programs.values import Blocks, Opaque, lifted, placed
from symgrad.check.reading.trees import kind, walk
from symgrad.check.sources.python import Program
from symgrad.notation.syntax import Apply, Index, Infix, Name, Slice, Span

if TYPE_CHECKING:
    from symgrad.check.programs.reader import Reader

WEIGHTS = frozenset("bBWUVR")  # first letters of parameters; another short name that nothing computes is a gate


class Lookup:
    """The names of one scope, at the statement that is being read."""

    program: Program
    start: int  # of the statement

    def __init__(self, reader: Reader, scope: Scope, cell: Scope) -> None:
        self.reader, self.scope, self.cell = reader, scope, cell  # `cell` has the quantities that names mean
        self.names: dict[str, Any] = {}  # what variables hold
        self.waiting: list[dict[str, str]] = []  # forms of variables that are assigned further on, and their names
        self.copies: dict[str, str] = {}  # ``h_prev = h`` further on
        self.kept: dict[str, tuple[ast.Subscript, str]] = {}  # ``hs[t] = h`` further on
        self.appended: dict[str, str] = {}  # ``hs.append(h)`` further on
        self.counters: set[str] = set()  # what counts steps
        self.made: set[str] = set()  # arrays that were made without content
        self.spelled: dict[Any, str] = {}  # quantities as this scope writes them
        self.loops = 0
        self.expressions = Expressions(reader, self.read, self.part, self.span, self.inner)

    def span(self, e: ast.expr | ast.stmt) -> Span:
        """Where a node stands in its statement."""
        a, b = self.program.span(e)
        return Span(max(a - self.start, 0), max(b - self.start, 0))

    @property
    def ends(self) -> bool:
        """Whether a statement is of the last step: behind the loop over the steps, or before that of the backward pass."""
        return bool(self.cell.steps) or any(d.last and d.loops >= self.loops for d in self.cell.definitions.values())

    def inner(self, function: str, arg: Any) -> bool:
        """Whether an activation is applied to a formula here."""
        return any(kind(n) == "Apply" and n.function.base == function and n.args == (arg,) for d in self.cell.definitions.values() for n in walk(d.node))

    def read(self, e: ast.expr) -> Any:
        """What a name, an attribute or an entry means."""
        found = self.meaning(e)
        if kind(found) == "Name":
            self.spelled.setdefault(placed(found, None), ast.unparse(e))
        return found

    def meaning(self, e: ast.expr) -> Any:
        match e:
            case ast.Subscript() if not keyed(e):
                return self.entry(e)
            case ast.Attribute(value=inner, attr="v" | "value" | "data" | "val") if form(inner) != "self":
                return self.expressions.value(inner)
        return self.name(raw_name(e), form(e), self.expressions.span(e))

    def entry(self, e: ast.Subscript) -> Any:
        """``hs[t-1]``, ``x[:, t, :]``, ``dX[:, :H]``, ``cache[t][1]``."""
        span, parts, raw = self.expressions.span(e), indices(e), raw_name(e.value)
        steps = [by for p in parts if (by := self.step(p)) is not None]
        if len(steps) == 1 and all(self.step(p) is not None or whole(p) for p in parts):
            if nested(e):
                raise Opaque("an array with several indices")
            return self.indexed(raw, steps[0], span)
        if all(whole(p) for p in parts):
            return self.expressions.value(e.value)
        if len(parts) == 1 and (back := self.from_the_end(parts[0])) is not None and (known := self.cell.find(raw)) is not None and known[0].timed:
            return known[0].written(known[0].at + back, span)
        if raw in self.appended and len(parts) == 1 and ast.unparse(parts[0]) == "-1":
            return self.latest(raw, span)
        if len(parts) == 1 and isinstance(parts[0], ast.Constant) and isinstance(parts[0].value, int):
            found = self.expressions.value(e.value)
            if isinstance(found, tuple) and -len(found) <= parts[0].value < len(found):
                return found[parts[0].value]
        if (picked := self.picked(e)) is not None:
            return picked
        if any(isinstance(p, ast.Slice) for p in parts):
            return self.sliced(e.value, parts, span)
        if self.ends and len(parts) == 1 and (found := self.cell.find(raw)) is not None and found[0].timed:
            return found[0].written(0, span)
        raise Opaque("an entry that is not known")

    def selector(self, e: ast.Subscript) -> tuple[Any, bool] | None:
        """The input whose one entry an index is, as in ``U[:, x[t]]``, and whether it selects a column."""
        parts = indices(e)
        if len(parts) != 2 or len(which := [p for p in parts if not whole(p)]) != 1 or not given(stem(raw_name(which[0]))[0]):
            return None
        found = self.meaning(which[0]) if isinstance(which[0], ast.Subscript | ast.Name) else None
        place = self.cell.located(found)
        return None if place is None or self.cell.formula(place[0]) is not None else (found, whole(parts[0]))

    def picked(self, e: ast.Subscript) -> Any:
        """``U[:, x[t]]``, which is U times the one-hot x_t; None for anything else."""
        found = self.selector(e) if raw_name(e.value) in self.reader.multiplied else None
        if found is None:
            return None
        matrix, (x, column) = self.expressions.node(e.value), found
        return Infix("at", (matrix, x) if column else (x, matrix), span=self.expressions.span(e)) if self.cell.parameter(matrix) is not None else None

    def from_the_end(self, e: ast.expr) -> int | None:
        """How many steps from t an index is that counts from the last: 0 of ``[-k - 1]``, -1 of ``[-k - 2]``."""
        match e:
            case ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=ast.Name(id=word)), op=ast.Sub(), right=ast.Constant(value=int(n))) if word in self.counters:
                return 1 - n
        return None

    def place(self, e: ast.Subscript) -> int | None:
        """How many steps from t an entry is."""
        return next((by for p in indices(e) if (by := self.step(p)) is not None), None)

    def step(self, e: ast.expr) -> int | None:
        """How many steps from t an index is."""
        match e:
            case ast.Name(id=word) if word in self.counters or (word == "t" and not self.counters):
                return 0
            case ast.BinOp(left=ast.Name(), op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(n))) if self.step(e.left) is not None:
                return n if isinstance(op, ast.Add) else -n
        return None

    def name(self, raw: str, what: str, span: Span) -> Any:
        """The value of a variable, or what it means where nothing has been assigned to it."""
        held = self.names.get(raw)
        if isinstance(held, Opaque):
            raise held
        if held is not None:
            return held if isinstance(held, tuple) else placed(held, span)
        return self.unassigned(raw, what, span)

    def squashed(self, raw: str, span: Span) -> Any:
        """``tanh_c``, which nothing assigns, is the tanh of c; None for any other name."""
        m = re.fullmatch(r"tanh_?(\w+)", raw)
        found = self.cell.find(m[1]) if m else None
        return Apply(Name("tanh"), (found[0].written(found[1], span),), span=span) if found is not None and found[0].timed else None

    def unassigned(self, raw: str, what: str, span: Span) -> Any:
        """A state of the step before, what another scope computes, an input, a parameter."""
        if self.reader.gradient_like(raw):
            raise Opaque("a gradient")
        word, age = stem(raw)
        late = self.copies.get(what, raw) if self.ahead(raw, what) else self.coming(word, age, raw)
        if late is not None:
            found = self.cell.find(late)
            q = found[0] if found is not None and found[0].timed else self.new(late, True)
            if not age and self.cell is self.scope and raw not in set(map(raw_name, targets(self.scope.body))):
                self.scope.olds[raw] = q, q.at - 1
            return q.written(q.at - 1, span)
        found = self.old(raw) or self.cell.find(raw) or self.adopted(raw)
        if found is None and (pack := self.cell.packs.get(raw)) is not None:
            return pack
        if found is None and what in self.made and not given(word):
            raise Opaque("an array that is filled elsewhere")
        if found is None:
            gate = what == raw and len(raw) < 3 and raw not in self.reader.multiplied | self.reader.numbers and raw[0] not in WEIGHTS and not self.cell.steps
            found = self.new(raw, given(word) or age < 0 or gate), min(age, 0)
        return found[0].written(found[1], span)

    def ahead(self, raw: str, what: str) -> bool:
        """Whether a name is assigned further on, an argument as an attribute: ``self.h = f(x, h)``."""
        own = f"self.{raw}" if what == raw and not given(stem(raw)[0]) and f"self.{raw}" not in self.copies else what
        return any(what in names or own in names for names in self.waiting)

    def old(self, raw: str) -> tuple[Quantity, int] | None:
        """The state of the step before under a name that tells nothing, where the one of this step has a name that does: h beside ``h_new``."""
        found = self.cell.olds.get(raw)
        told = found is not None and (self.scope is self.cell or found[0].name in {w for s in self.scope.body for w in named_in(s)})
        return found if told else None

    def coming(self, word: str, age: int, raw: str) -> str | None:
        """The name of the quantity, computed further on, whose value at the step before this is: h_next or h for ``h_prev``, h_next for ``h``."""
        if age > 0 or (age == 0 and raw in self.cell.definitions):
            return None
        for name in (n for names in reversed(self.waiting) for n in names.values()):
            other, of = stem(name)
            customary = age < 0 and any(word.lower() in names and other.lower() in names for names in STATES)
            if name != raw and (other == word or customary) and of >= 0 and (age < 0 or of > 0) and not self.reader.gradient_like(name):
                return name
        return None

    def adopted(self, raw: str) -> tuple[Quantity, int] | None:
        """A quantity of the page's formulas that the program names and does not compute."""
        for known in self.reader.known if self.cell.behind is None else ():
            found = known.find(raw)
            if found is not None and found[0].name in known.definitions:
                self.cell.behind = known
                return found
        return None

    def new(self, raw: str, timed: bool) -> Quantity:
        """A quantity that was not named before."""
        word = stem(raw)[0]
        matrix = not timed and raw in self.reader.multiplied
        like = [known.quantities[name].node for known in self.reader.known for name in (raw, word) if name in known.quantities]
        nodes = [*like[:1], prototype(word, matrix), prototype(raw, matrix), Name(raw)]
        node = next((n for n in nodes if all(q.node != n for q in self.cell.quantities.values())), nodes[-1])
        q = self.cell.quantities[raw] = Quantity(raw, node, timed)
        return q

    def stepped(self, word: str, raw: str) -> Quantity:
        """A quantity whose steps have names of their own."""
        q = self.cell.quantities[raw] = replace(self.new(word, True), name=raw)
        del self.cell.quantities[word]
        return q

    def indexed(self, raw: str, by: int, span: Span) -> Any:
        """``hs[t + by]``."""
        if (pack := self.cell.packs.get(raw)) is not None:
            return tuple(self.moved(x, by) for x in pack)
        if raw in self.cell.lists:
            q, k = self.cell.lists[raw]
            return q.written(by + k, span)
        if raw in self.kept and any(raw in names.values() for names in self.waiting):
            target, word = self.kept[raw]
            ahead = self.place(target)
            if ahead is not None and not self.reader.gradient_like(word):
                q, at = self.computed(word)
                return q.written(at + by - ahead, span)
        found = self.cell.find(raw) or self.adopted(raw)
        coming = any(raw in names.values() for names in self.waiting)
        if found is None and (given(stem(raw)[0]) or coming or raw not in self.reader.multiplied):
            found = self.new(raw, True), 0
        if found is None or not found[0].timed:
            raise Opaque("an array with an index of its own")
        return found[0].written(by, span)

    def latest(self, raw: str, span: Span) -> Any:
        """``hs[-1]``, the state of the step before, where ``hs.append(h)`` comes further on."""
        q, at = self.computed(self.appended[raw])
        return q.written(at - 1, span)

    def computed(self, word: str) -> tuple[Quantity, int]:
        """The quantity of a name that is assigned further on, and by how many steps."""
        known = self.cell.find(word)
        return known if known is not None and known[0].timed else (self.new(word, True), 0)

    def moved(self, node: Any, by: int) -> Any:
        """A formula at another step."""
        found = self.cell.located(node) if by else None
        return found[0].written(found[1] + by) if found is not None else Opaque("a formula of another step") if by else node

    def sliced(self, base: ast.expr, parts: list[ast.expr], span: Span) -> Any:
        """The part of a concatenation, of a weight that multiplies one, or of what several gates are computed by together."""
        node = self.expressions.node(base)
        inner = node.of if kind(node) == "Variable" else node
        found = self.cell.located(inner) if kind(inner) == "Name" else None
        weight = self.cell.parameter(inner) if found is None else None
        stack: Any = inner if kind(inner) == "Stack" else self.cell.formula(found[0]) if found else self.cell.stacked.get(weight.name) if weight else None
        if kind(stack) != "Stack":
            k = cut(parts)
            if k is None:
                raise Opaque("a part of an array")
            return placed(self.part(node, k), span)
        if len(stack.args) != 2:
            raise Opaque("a part of an array")
        first = self.cell.located(stack.args[0])
        given = first is not None and self.cell.formula(first[0]) is None and first[0].name not in self.cell.lagged
        size = Name("input" if given else "hidden")
        cuts = [Slice(size if p.lower else None, size if p.upper else None, span=span) for p in parts if isinstance(p, ast.Slice)]
        real = [s for s in cuts if (s.lower is None) != (s.upper is None)]
        if len(cuts) != len(parts) or len(real) != 1 or any(s.lower and s.upper for s in cuts):
            raise Opaque("a part of an array")
        return lifted(lambda x: Index(x, tuple(cuts) if weight is not None else (real[0],), "[", span=span), node)

    def part(self, node: Any, k: int) -> Any:
        """The block k of an array."""
        if isinstance(node, Blocks):
            if k < len(node.parts):
                return node.parts[k]
        elif (found := self.cell.located(node)) is not None:
            return block(self.cell, found[0], k).written(found[1], node.span)
        elif (weight := self.cell.parameter(node)) is not None:
            return block(self.cell, weight, k).written(0, node.span)
        raise Opaque("a part of an array")
