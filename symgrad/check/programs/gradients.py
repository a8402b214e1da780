"""What the variables of a backward pass hold: gradients by what their names say, and which assignment of a name gives the value."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from symgrad.check.evaluation.adjoints import BEFORE
from symgrad.check.evaluation.variables import AROUND, SCOPE
from symgrad.check.programs.blocks import block
from symgrad.check.programs.forward import Forward
from symgrad.check.programs.names import aimed, form, named_in, raised, raw_name, rests, stem, straight, targets, told, unnamed
from symgrad.check.programs.scopes import MATRICES, Quantity, Scope
from symgrad.check.programs.unrolled import numbered
from symgrad.check.programs.values import Blocks, Opaque, blank, placed
from symgrad.check.reading.trees import kind, walk
from symgrad.notation.syntax import Name, Span, Variable

if TYPE_CHECKING:
    from symgrad.check.programs.reader import Reader

Ways = tuple[tuple[str, int], ...]
ABOVE = re.compile(r"upstream|(?:grad|gradient|delta|d)_?(?:out|outputs?|top|above|upstream)?|upstream_grad(?:ient)?")  # what a method is given
ARRAY: Ways = (("total", 0), ("pre", 0), ("own", 0))  # what an array may hold at each step


@dataclass(frozen=True)
class Gradient:
    """What a variable is the gradient by: a quantity, by how many steps, and the word that tells it from others."""

    by: Quantity
    moved: int = 0
    word: str = ""


class Gradients(Forward):
    """The names of a scope with gradients, held against a cell."""

    def __init__(self, reader: Reader, scope: Scope, cell: Scope, number: int) -> None:
        super().__init__(reader, scope, cell)
        self.number = number * SCOPE  # of the first variable of each name
        self.marks: Counter[str] = Counter()
        self.single: dict[str, int] = {}  # gradients that the loop assigns once, and the mark of that assignment
        self.arrays: dict[str, int] = {}  # of gradients, which the loop that is read assigns once for each step, and the mark of that assignment
        self.renamed: set[str] = set()  # ``dz_next``, which is dz of the step behind
        self.incoming: set[str] = set()  # gradients that are read before they are assigned
        self.living = cell.living()
        self.moved_by = offsets(scope.body) if cell.read else {}  # arrays that hold the state before the first step too, and by how many steps
        turns = [n for s in scope.body for n in ast.walk(s) if isinstance(n, ast.For)]
        self.looped = any(reader.gradient_like(raw_name(t)) for t in targets(turns))  # type: ignore[arg-type]

    @property
    def ends(self) -> bool:
        return bool(self.cell.steps) or (self.looped and super().ends)

    def name(self, raw: str, what: str, span: Span) -> Any:
        """The value of a variable; a weight of several gates by its blocks."""
        found = super().name(raw, what, span)
        weight = self.cell.parameter(found) if kind(found) == "Name" else None
        if weight is not None and (n := self.merged(weight)):
            return Blocks(tuple(block(self.cell, weight, k).written(0, span) for k in range(n)))
        return found

    def unassigned(self, raw: str, what: str, span: Span) -> Any:
        """A gradient that comes from elsewhere, or a quantity of the cell."""
        if (gradient := self.gradient(raw)) is not None:
            return self.before(raw, gradient, span)
        if self.cell is self.scope and self.cell.exactly(raw) is None and aimed(raw) and any(a.arg == raw for a in self.scope.arguments):
            return Quantity(raw, Name(raw), True).written(0, span)  # where both passes are in one function
        found = self.old(raw) or self.cell.find(raw) or self.adopted(raw)
        if self.cell is self.scope and found is not None and found[0].name in self.cell.lagged & set(self.cell.definitions) and self.ahead(raw, what):
            return found[0].written(found[0].at - 1, span)  # where both passes are in one loop
        if found is not None and (n := self.merged(found[0])):
            return Blocks(tuple(block(self.cell, found[0], k).written(found[1], span) for k in range(n)))
        if found is None and (pack := self.cell.packs.get(raw)) is not None:
            return pack
        if found is None and raw in BEFORE and (state := self.activated()) is not None:
            return placed(self.cell.formula(state).args[0], span)
        if found is None:
            if (gradient := self.by_the_state(raw)) is not None and any(raw in names.values() for names in self.waiting):
                return self.before(raw, gradient, span)
            if (known := self.squashed(raw, span)) is not None:
                return known
            if (gradient := self.from_above(raw)) is not None:
                return self.before(raw, gradient, span)
            if self.cell.steps and (step := numbered(raw)) is not None and aimed(step[0]):
                q = self.cell.quantities.get(step[0]) or self.new(step[0], True)
                return q.written(step[1] - self.cell.last, span)
            if self.reader.gradient_like(raw) or not aimed(raw):
                raise Opaque(f"nothing on the page says what {what} is")
            return Quantity(raw, Name(raw), True).written(0, span)
        return found[0].written(found[1], span)

    def indexed(self, raw: str, by: int, span: Span) -> Any:
        by -= self.moved_by.get(raw, 0)
        if self.cell.exactly(raw) is None and (gradient := self.gradient(raw)) is not None:
            held = self.names.get(raw) if not by else None
            if by and gradient.by.timed:
                return self.beside(raw, gradient, by, span)
            return placed(held, span) if held is not None and not isinstance(held, Opaque | tuple) else self.before(raw, gradient, span)
        if self.cell.find(raw) is None and raw not in self.cell.packs and self.adopted(raw) is None:
            state = self.by_the_state(raw)
            if state is not None and (by or raw not in self.names):
                return self.beside(raw, state, by, span)
            held = self.names.get(raw)
            return self.unassigned(raw, raw, span) if held is None or isinstance(held, Opaque | tuple) else placed(held, span)
        return super().indexed(raw, by, span)

    def gradient(self, raw: str) -> Gradient | None:
        """What a variable is the gradient by, by its name: something that takes part in the cell."""
        found = self.by_name(raw)
        return found if found is not None and found.by.name in self.living else None

    def by_the_state(self, raw: str) -> Gradient | None:
        """A gradient whose name does not say by what it is one, as in ``delta[t]``: by the state, if there is but one."""
        states = self.cell.lagged & set(self.cell.definitions)
        if len(states) != 1:
            return None
        q = self.cell.quantities[states.pop()]
        if self.cell.steps and (at := next((found[1] for rest in rests(raw) if (found := numbered(rest))), None)) is not None:
            return Gradient(q, at - self.cell.last, "numbered")  # ``da2``, where no a2 is
        return Gradient(q, 0, "unnamed") if unnamed(raw) or raw in self.flowing else None

    def from_above(self, raw: str) -> Gradient | None:
        """``grad_out``, an argument: by the state, if that is all that the cell gives."""
        states = self.cell.lagged & set(self.cell.definitions)
        above = ABOVE.fullmatch(raw) and any(a.arg == raw for a in self.scope.arguments) and len(states) == 1 and not self.cell.outputs()
        return Gradient(self.cell.quantities[states.pop()]) if above else None

    def by_name(self, raw: str) -> Gradient | None:
        for rest in rests(raw):
            held = self.names.get(rest)
            weight = self.cell.parameter(held) if kind(held) == "Name" else None
            found = (weight, 0) if weight is not None else self.cell.located(held) if kind(held) == "Name" else self.cell.exactly(rest)
            if found is not None:
                return Gradient(found[0], found[1] - found[0].at)
            if (old := self.old(rest)) is not None and self.beside_new(raw, old[0]):
                return Gradient(old[0], -1)
            listed = any(stem(q.name)[0] == rest for q in self.cell.every())  # ``c_bars``, of every step
            bare, word = told(rest) if not listed else (rest, "")
            for name in dict.fromkeys((bare, rest, *raised(bare))):
                found = self.cell.find(name) if self.reader.gradient_like(raw) else None
                if found is not None and (found[0].timed or found[0].name in MATRICES or found[0].name not in raised(bare)):  # ``da`` is by no weight A
                    said = word if name == bare and word else "next" if stem(name)[1] > 0 else ""
                    return Gradient(found[0], -1 if said == "prev" else found[1] - found[0].at, "" if said == "prev" else said)
            if rest in BEFORE and (state := self.activated()) is not None:
                return Gradient(state, word="raw")
        return None

    def beside_new(self, raw: str, q: Quantity) -> bool:
        """Whether the gradient by a state has another name here than ``dh``, which is by the state before then: ``dh_new``, ``grad_out``."""
        words = {w for s in self.scope.body for w in named_in(s)} - {raw}
        return any(self.from_above(w) is not None or any(stem(rest) == stem(q.name) for rest in rests(w)) for w in words)

    def activated(self) -> Quantity | None:
        """The one state that an activation gives: ``pre`` is what this is applied to."""
        states = [self.cell.quantities[name] for name in self.cell.lagged if name in self.cell.definitions]
        return states[0] if len(states) == 1 and kind(self.cell.formula(states[0])) == "Apply" else None

    def before(self, raw: str, gradient: Gradient, span: Span) -> Any:
        """A gradient that comes from elsewhere: an argument, or what the last turn of the loop left."""
        self.incoming.add(raw)
        by = gradient.moved
        source = self.copies.get(raw, "")
        if gradient.word == "next" and self.single.get(source) and (same := self.gradient(source)) is not None and same == replace(gradient, word=""):
            self.renamed.add(raw)
            left = self.variable(source, same, self.number + self.single[source], ARRAY, span)  # ``dz_next = dz`` further on
            return left if isinstance(left, Blocks) else replace(left, of=gradient.by.written(gradient.by.at + 1))
        output = any(q == gradient.by for q in self.cell.outputs()) or gradient.by.name not in self.cell.lagged
        ways: Ways = (("total", 0), *((("pre", 0),) if output else (("carry", 0), ("own", 0))))
        if not gradient.by.timed:
            ways = (("use", 0),)
        elif gradient.word == "raw":
            ways = (("pre", by), ("total", by))
        elif gradient.word == "unnamed":
            ways = AROUND
        elif by < 0:
            ways = (("carry", 0), ("carry", by), ("total", by))
        elif gradient.word == "next":
            later = self.loops and any(raw in names.values() for names in self.waiting) and not any(d.last for d in self.cell.definitions.values())
            ways = (("carry", 0),) if later else (("carry", 0), ("total", 0))
            if source and raw in self.reader.multiplied and ((known := self.gradient(source)) is None or known.word == "raw"):
                self.renamed.add(raw)
                ways += (("pre", 1),)  # ``dh_next @ W.T``, and ``dh_next = dtanh`` further on
        return self.variable(raw, gradient, self.number, ways, span)

    def latest(self, raw: str, span: Span) -> Any:
        """``grads[-1]``, where ``grads.append(dz)`` comes further on: what the last turn of the loop left."""
        if raw not in self.flowing:
            return super().latest(raw, span)
        word = self.appended[raw]
        self.flowing.add(word)
        gradient = self.gradient(word) or self.by_the_state(word)
        if gradient is None:
            raise Opaque("a list of gradients")
        return self.before(word, gradient, span)

    def beside(self, raw: str, gradient: Gradient, by: int, span: Span) -> Any:
        """``dh[t + by]``: what the array holds at another step."""
        held = self.names.get(raw)
        if raw in self.arrays:
            found = self.variable(raw, gradient, self.number + self.arrays[raw], ARRAY, span)
        elif kind(held) == "Variable":
            found = placed(held, span)
        elif held is None and all(raw not in names.values() for names in self.waiting):
            self.incoming.add(raw)
            found = self.variable(raw, gradient, self.number, ARRAY, span)
        else:
            raise Opaque("an array that is assigned in several places")
        if isinstance(found, Blocks):
            raise Opaque("a part of an array")
        q = gradient.by
        return replace(found, of=q.written(q.at + by))

    def block(self, body: list[ast.stmt]) -> None:
        flat = list(straight(body))
        outer = self.arrays, self.single
        marks: dict[type, dict[str, int]] = {ast.Subscript: {}, ast.Name: {}}
        for k, s in enumerate(flat):
            match s:
                case ast.Assign(targets=[ast.Subscript() | ast.Name() as target]) | ast.AugAssign(target=ast.Subscript() | ast.Name() as target):
                    if not blank(s.value) and not added_later(target, flat[k + 1 :]):
                        raw, known = raw_name(target), marks[type(target)]
                        known[raw] = -1 if raw in known else self.marks[raw] + 1
        self.arrays, self.single = ({raw: mark for raw, mark in known.items() if mark > 0} for known in marks.values())
        super().block(body)
        self.arrays, self.single = outer

    def meant(self, raw: str, gradient: Gradient, span: Span) -> Any:
        """The variable that an assignment makes."""
        self.marks[raw] += 1
        by = gradient.moved
        if raw in self.arrays and not by and gradient.word in ("", "unnamed") and gradient.by.timed:
            return self.variable(raw, gradient, self.number + self.marks[raw], ARRAY, span)
        ways: Ways = (("total", 0), ("pre", 0), *((("carry", -1),) if raw in self.incoming else ()), ("own", 0))
        if not gradient.by.timed:
            ways = (("use", 0),)
        elif gradient.word == "raw" and kind(self.cell.formula(gradient.by)) == "Apply":
            ways = (("pre", by),)
        elif gradient.word == "unnamed":
            ways = (("again", -1),)
        elif gradient.word == "numbered":
            ways = (("pre", by),)
        elif by < 0:
            ways = (("total", by),) if self.cell.steps else (("carry", by), ("total", by))
        elif gradient.word == "next":
            ways = (("carry", -1), ("total", 0))
        elif gradient.word in ("", "alone", "sloped") and any(self.old(rest) is not None for rest in rests(raw)):
            ways = (("total", 0), ("pre", 0), ("carry", -1), ("own", 0))
        elif gradient.word == "alone":
            ways = (("own", 0), ("pre of own", 0), ("total", 0), ("pre", 0))
        elif gradient.word == "slope":
            ways = (("pre", 0), ("carry", -1))
        elif gradient.word == "carried":
            ways = (("carry", -1), ("total", 0), ("pre", 0))
        elif gradient.word == "sloped":
            ways = (("pre", 0), *(way for way in ways if way[0] != "pre"))
        return self.variable(raw, gradient, self.number + self.marks[raw], ways, span)

    def variable(self, raw: str, gradient: Gradient, mark: int, ways: Ways, span: Span) -> Any:
        q = gradient.by
        if n := self.merged(q):
            return Blocks(tuple(self.variable(raw, replace(gradient, by=block(self.cell, q, k)), mark + 50 * (k + 1), ways, span) for k in range(n)))
        if not q.timed:  # used where a quantity of step t + at is computed
            users = {self.cell.quantities[name].at for name, d in self.cell.definitions.items() if any(n == q.node for n in walk(d.node))}
            ways = (("use", users.pop() if len(users) == 1 else 0),)
        return Variable(raw, q.written(q.at), mark, ways, span=span)

    def merged(self, q: Quantity) -> int:
        return self.cell.merged.get(q.name, 0)


def added_later(target: ast.expr, rest: list[ast.stmt]) -> bool:
    """Whether what is assigned here is only the first part of a sum."""
    here = form(target)
    for s in rest:
        match s:
            case ast.AugAssign(target=other, op=ast.Add()) if form(other) == here:
                return True
            case ast.Assign(targets=[other], value=value) if form(other) == here:
                return here in {form(a) for a in addends(value)}
            case ast.AugAssign(target=other) if form(other) == here:
                return False
    return False


def offsets(body: list[ast.stmt]) -> dict[str, int]:
    """Where the state of step t stands in an array, by the names that it is given: at t + 1 beside ``h_t = h[t + 1]``, ``c_prev = c[t]``."""
    found: dict[str, set[int]] = {}
    for n in (n for s in body for n in ast.walk(s)):
        match n:
            case ast.Assign(targets=[ast.Name(id=word)], value=ast.Subscript(slice=ast.Name(id="t") | ast.BinOp(left=ast.Name(id="t")) as at) as value):
                now, (like, age) = word == f"{raw_name(value)}_t", stem(word)
                by = 0 if isinstance(at, ast.Name) else ahead(at)
                if by is not None and (now or (age < 0 and like == raw_name(value))):
                    found.setdefault(raw_name(value), set()).add(by if now else by + 1)
    return {raw: by for raw, several in found.items() if len(several) == 1 and (by := several.pop())}


def ahead(e: ast.BinOp) -> int | None:
    """The 1 of ``t + 1``."""
    match e:
        case ast.BinOp(op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(n))):
            return n if isinstance(op, ast.Add) else -n
    return None


def addends(e: ast.expr) -> list[ast.expr]:
    """The terms of a sum."""
    match e:
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            return [*addends(a), *addends(b)]
    return [e]
