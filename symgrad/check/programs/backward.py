"""The backward pass of a program: every assignment to a gradient is a claim, and makes a new variable.

``dh`` before and after ``dh = dh * (1 - h**2)`` are two: what each is the gradient by is settled by the statement that assigns it.  The
first parts of a sum that goes on (``dh = …``, later ``dh += …``) are no claims; the sum is.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from symgrad.check.evaluation.variables import SCOPE, assigned
from symgrad.check.programs.blocks import block
from symgrad.check.programs.forward import Forward
from symgrad.check.programs.names import aimed, form, named_in, raw_name, rests, stem, targets, told
from symgrad.check.programs.scopes import NOW, Quantity, Scope
from symgrad.check.programs.values import Blocks, Opaque, placed
from symgrad.check.programs.writing import Programmer
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, rebuilt, walk
from symgrad.check.sources.document import Fragment
from symgrad.notation.syntax import Name, Relation, Span, Variable

if TYPE_CHECKING:
    from symgrad.check.programs.reader import Reader

Ways = tuple[tuple[str, int], ...]


UNKNOWN = "it is not known what {} is the gradient by"


@dataclass(frozen=True)
class Claimed:
    """A statement of a program as a claim.

    Of several readings one must hold, with all its equations; `quiet` if it need not be a claim at all, `why` it could not be read (of a quiet one,
    what is said beside claims if none holds).
    """

    fragment: Fragment
    readings: tuple[tuple[Statement, ...], ...] = ()
    quiet: bool = False
    why: str = ""
    write: Callable[[Any], str] = str  # formulas as the program writes them


@dataclass(frozen=True)
class Gradient:
    """What a variable is the gradient by: a quantity, by how many steps, and the word that tells it from others."""

    by: Quantity
    moved: int = 0
    word: str = ""


class Backward(Forward):
    """A scope with gradients, held against a cell."""

    def __init__(self, reader: Reader, scope: Scope, cell: Scope, number: int) -> None:
        super().__init__(reader, scope, cell)
        self.number = number * SCOPE  # of the first variable of each name
        self.marks: Counter[str] = Counter()
        self.incoming: set[str] = set()  # gradients that are read before they are assigned
        self.claims: list[Claimed] = []
        self.living = cell.living()
        self.write = Programmer(self.spelled, cell)
        turns = [n for s in scope.body for n in ast.walk(s) if isinstance(n, ast.For)]
        self.looped = any(reader.gradient_like(raw_name(t)) for t in targets(turns))  # type: ignore[arg-type]

    @property
    def ends(self) -> bool:
        return self.looped and super().ends

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
        found = self.cell.find(raw) or self.adopted(raw)
        if found is not None and (n := self.merged(found[0])):
            return Blocks(tuple(block(self.cell, found[0], k).written(found[1], span) for k in range(n)))
        if found is None and (pack := self.cell.packs.get(raw)) is not None:
            return pack
        if found is None:
            if self.reader.gradient_like(raw) or not aimed(raw):
                raise Opaque(f"nothing on the page says what {what} is")
            return Quantity(raw, Name(raw), True).written(0, span)
        return found[0].written(found[1], span)

    def indexed(self, raw: str, by: int, span: Span) -> Any:
        if self.cell.exactly(raw) is None and (gradient := self.gradient(raw)) is not None:
            held = self.names.get(raw) if not by else None
            return placed(held, span) if held is not None and not isinstance(held, Opaque | tuple) else self.before(raw, gradient, span)
        if self.cell.find(raw) is None and raw not in self.cell.packs and self.adopted(raw) is None:
            return self.unassigned(raw, raw, span)
        return super().indexed(raw, by, span)

    def gradient(self, raw: str) -> Gradient | None:
        """What a variable is the gradient by, by its name: something that takes part in the cell."""
        found = self.by_name(raw)
        return found if found is not None and found.by.name in self.living else None

    def by_name(self, raw: str) -> Gradient | None:
        for rest in rests(raw):
            held = self.names.get(rest)
            found = self.cell.located(held) if kind(held) == "Name" else self.cell.exactly(rest)
            if found is not None:
                return Gradient(found[0], found[1] - found[0].at)
            bare, word = told(rest)
            for name in dict.fromkeys((bare, rest)):
                if (found := self.cell.find(name)) is not None and self.reader.gradient_like(raw):
                    said = word if name == bare and word else "next" if stem(name)[1] > 0 else ""
                    return Gradient(found[0], -1 if said == "prev" else found[1] - found[0].at, "" if said == "prev" else said)
        return None

    def before(self, raw: str, gradient: Gradient, span: Span) -> Any:
        """A gradient that comes from elsewhere: an argument, or what the last turn of the loop left."""
        self.incoming.add(raw)
        by = gradient.moved
        output = any(q == gradient.by for q in self.cell.outputs()) or gradient.by.name not in self.cell.lagged
        ways: Ways = (("total", 0), *((("pre", 0),) if output else (("carry", 0), ("own", 0))))
        if not gradient.by.timed:
            ways = (("use", 0),)
        elif gradient.word == "raw":
            ways = (("pre", by), ("total", by))
        elif by < 0:
            ways = (("carry", 0), ("carry", by), ("total", by))
        elif gradient.word == "next":
            later = self.loops and any(raw in names.values() for names in self.waiting) and not any(d.last for d in self.cell.definitions.values())
            ways = (("carry", 0),) if later else (("carry", 0), ("total", 0))
        return self.variable(raw, gradient, self.number, ways, span)

    def meant(self, raw: str, gradient: Gradient, span: Span) -> Any:
        """The variable that an assignment makes."""
        self.marks[raw] += 1
        by = gradient.moved
        ways: Ways = (("total", 0), ("pre", 0), *((("carry", -1),) if raw in self.incoming else ()), ("own", 0))
        if not gradient.by.timed:
            ways = (("use", 0),)
        elif gradient.word == "raw" and kind(self.cell.formula(gradient.by)) == "Apply":
            ways = (("pre", by),)
        elif by < 0:
            ways = (("carry", by), ("total", by))
        elif gradient.word == "next":
            ways = (("carry", -1), ("total", 0))
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

    def concerns(self, raw: str, value: ast.expr) -> bool:
        return True

    def settle(self, target: ast.expr, raw: str, found: Any, op: ast.operator | None, rest: list[ast.stmt], value: ast.expr) -> None:
        gradient = self.gradient(raw) if self.reader.gradient_like(raw) else None
        flows = self.flows(value)
        if flows:
            self.flowing.add(raw)
        if gradient is not None:
            self.derive(target, raw, gradient, self.gathered(found, gradient), op, rest, value)
            return
        found = self.gathered(found, None)
        super().settle(target, raw, found, op, rest, value)
        if op is None and not isinstance(found, Opaque | tuple | Blocks) and kind(found) != "Variable" and derived(found) and next(rests(raw), None):
            self.quietly(raw, found)
        elif flows and self.reader.gradient_like(raw) and not added_later(target, rest):
            why = str(found) if isinstance(found, Opaque) else UNKNOWN.format(raw)
            self.claims.append(Claimed(self.statement, quiet=True, why=why))

    def equation(self, raw: str, node: Any, by: int) -> bool:
        """A formula of the forward pass where it stands in the same scope; anything else is something on the way."""
        own = self.scope.definitions.get(raw) if self.cell is self.scope else None
        return own is not None and own.fragment.extent() == self.statement.extent()

    def derive(self, target: ast.expr, raw: str, gradient: Gradient, found: Any, op: ast.operator | None, rest: list[ast.stmt], value: ast.expr) -> None:
        """An assignment to a gradient: a claim, unless it is a part of a sum that goes on."""
        layered = isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant) and not gradient.by.timed
        if isinstance(found, tuple) or layered:
            return
        at = self.span(target)
        held = self.names.get(raw)
        if isinstance(found, Opaque):
            held_by = (w for w in named_in(value) if self.reader.gradient_like(w))
            if any(w in self.flowing for w in named_in(value)) or any(w in self.names or self.gradient(w) is not None for w in held_by):
                self.claims.append(Claimed(self.statement, why=str(found)))
            self.names[raw] = found if added_later(target, rest) else self.meant(raw, gradient, at)
            return
        sign = "="
        if isinstance(op, ast.Add) and held is None and not gradient.by.timed:
            sign = "+="
        elif op is not None:
            if isinstance(held, Opaque):
                self.claims.append(Claimed(self.statement, why=str(held)))
                self.names[raw] = self.meant(raw, gradient, at)
                return
            found = self.joined(held if held is not None else self.before(raw, gradient, at), found, op, target)
        if found is None or (kind(found) == "Variable" and found.text == raw):  # clipped
            return
        copied = kind(found) == "Variable"
        if added_later(target, rest) or (copied and gradient.by.timed and not assigned(found)):
            self.names[raw] = found  # the first part of a sum, or another name for what comes from elsewhere
            return
        if not gradient.by.timed and any(decays(a, gradient.by) for a in (found.args if kind(found) == "Sum" else ())):
            self.claims.append(Claimed(self.statement, why="a weight decay takes part, which is no gradient of this loss"))
            return
        if copied and gradient.word == "next":
            gradient = replace(gradient, moved=-1)
        if not gradient.word and gradient.by.timed and kind(found) == "Hadamard" and any(kind(a) == "Variable" and a.text == raw for a in found.args):
            gradient = replace(gradient, word="slope")  # times a slope: the gradient before the activation now
        elif not gradient.word and not gradient.moved and self.handed_on(raw, rest):
            gradient = replace(gradient, word="carried")
        elif not gradient.word and not gradient.moved and self.sloped(found, gradient.by):
            gradient = replace(gradient, word="sloped")
        left = self.meant(raw, gradient, at)
        if isinstance(left, Blocks) != isinstance(found, Blocks) or (isinstance(left, Blocks) and len(left.parts) != len(found.parts)):
            self.claims.append(Claimed(self.statement, why="the gates that are computed together are not understood"))
            self.names[raw] = left
            return
        given = gradient.by.timed and not derived(found)
        if not given or (kind(found) == "Sum" and len(found.args) == 2):
            self.claims.append(Claimed(self.statement, (self.relations(left, found, sign),), given, write=self.write))
        self.names[raw] = left

    def handed_on(self, raw: str, rest: list[ast.stmt]) -> bool:
        """Whether a variable is for the next turn of the loop: read before it was assigned, and not read again."""
        read = (named_in(n.value) for s in rest for n in ast.walk(s) if isinstance(n, ast.Assign | ast.AugAssign))
        return raw in self.incoming and self.loops > 0 and not any(raw in names for names in read)

    def sloped(self, node: Any, q: Quantity) -> bool:
        """Whether the value of a quantity that an activation gives stands in a formula, as it does in the slope: ``dc * i * (1 - g**2)``."""
        if isinstance(node, Blocks) or kind(self.cell.formula(q)) != "Apply":
            return False
        held = {id(n) for v in walk(node) if kind(v) == "Variable" for n in walk(v)}
        return any(q.place(n) == q.at for n in walk(node) if id(n) not in held)

    def relations(self, left: Any, right: Any, sign: str) -> tuple[Statement, ...]:
        """An equation, or one of every block."""
        if not isinstance(left, Blocks):
            return (self.relation(left, right, sign),)
        return tuple(self.relation(a, b, sign) for a, b in zip(left.parts, right.parts, strict=True))

    def relation(self, left: Any, right: Any, sign: str) -> Statement:
        rel: Any = Relation((left, right), (sign,), span=self.extent)
        if self.ends:
            rel = rebuilt(rel, {id(n): Name("T", span=n.span) for n in walk(rel) if n == NOW})
        return Statement(self.statement, rel, rel)

    def quietly(self, raw: str, node: Any) -> None:
        """A gradient under a name that tells nothing: by some quantity of the cell, or by what an activation is applied to, if it is one."""
        self.marks[raw] += 100
        made = []
        for k, name in enumerate(self.cell.definitions):
            left = self.variable(raw, Gradient(self.cell.quantities[name]), self.number + self.marks[raw] + k, (("pre", 0), ("total", 0)), Span(0, len(raw)))
            made.append((self.relation(left, node, "="),))
        if made:
            why = UNKNOWN.format(raw) if self.reader.gradient_like(raw) else ""
            self.claims.append(Claimed(self.statement, tuple(made), True, why, self.write))

    def gathered(self, found: Any, gradient: Gradient | None) -> Any:
        """``np.hstack((di, df, do, dg))`` as blocks, where the cell has a quantity of as many gates."""
        if kind(found) == "Stack" and derived(found) and len(found.args) in self.cell.merged.values() and (gradient is None or self.merged(gradient.by)):
            return Blocks(found.args)
        return found

    def merged(self, q: Quantity) -> int:
        return self.cell.merged.get(q.name, 0)


def decays(term: Any, q: Quantity) -> bool:
    """``0.01 * W``: a term that pulls a weight to zero."""
    return not derived(term) and any(kind(n) == "Name" and replace(n, span=None) == q.node for n in walk(term))


def derived(node: Any) -> bool:
    """Whether a gradient takes part in a formula."""
    return any(map(derived, node.parts)) if isinstance(node, Blocks) else any(kind(n) == "Variable" for n in walk(node))


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


def addends(e: ast.expr) -> list[ast.expr]:
    """The terms of a sum."""
    match e:
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            return [*addends(a), *addends(b)]
    return [e]
