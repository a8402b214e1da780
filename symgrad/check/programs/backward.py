"""The backward pass of a program: every assignment to a gradient is a claim, and makes a new variable.

``dh`` before and after ``dh = dh * (1 - h**2)`` are two: what each is the gradient by is settled by the statement that assigns it.  The
first parts of a sum that goes on (``dh = …``, later ``dh += …``), and what has no name of a gradient, are judged where they are used.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from symgrad.check.evaluation.variables import assigned
from symgrad.check.programs.gradients import Gradient, Gradients, Ways, added_later
from symgrad.check.programs.names import BACKWARD, aimed, missed, named_in, raw_name, rests, targets, unnamed
from symgrad.check.programs.scopes import NOW, Quantity, Scope
from symgrad.check.programs.unrolled import FEW
from symgrad.check.programs.values import Blocks, Opaque, lifted, placed
from symgrad.check.programs.writing import Programmer
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, rebuilt, walk
from symgrad.check.sources.document import Fragment
from symgrad.notation.syntax import Infix, Name, Relation, Span, Variable

if TYPE_CHECKING:
    from symgrad.check.programs.reader import Reader

PART = "a part of the sum that {} is further on"
UNKNOWN = "it is not known what {} is the gradient by"


@dataclass(frozen=True)
class Claimed:
    """A statement of a program as a claim.

    Of several readings one must hold, with all its equations; `quiet` if it need not be a claim at all, `why` it could not be read (of a quiet one,
    what is said beside claims if none holds, and it is no part of what does).
    """

    fragment: Fragment
    readings: tuple[tuple[Statement, ...], ...] = ()
    quiet: bool = False
    why: str = ""
    write: Callable[[Any], str] = str  # formulas as the program writes them
    parts: dict[str, list[Claimed]] = field(default_factory=dict, compare=False)  # what it takes from variables that are no gradients by name
    used_by: list[Claimed] = field(default_factory=list, compare=False)  # the claims whose formulas what is assigned here is a part of


class Backward(Gradients):
    """The statements of a scope with gradients, as claims."""

    def __init__(self, reader: Reader, scope: Scope, cell: Scope, number: int) -> None:
        super().__init__(reader, scope, cell, number)
        self.claims: list[Claimed] = []
        self.parts: dict[str, list[Claimed]] = {}  # of what variables hold: the claims that are judged where these are used
        self.write = Programmer(self.spelled, cell, reader.where[id(scope.body[0])].source.origin if scope.body else None)

    def block(self, body: list[ast.stmt]) -> None:
        for raw in {raw_name(t) for t in targets(body)}:
            self.parts.pop(raw, None)
        super().block(body)

    def concerns(self, raw: str, value: ast.expr) -> bool:
        return True

    def settle(self, target: ast.expr, raw: str, found: Any, op: ast.operator | None, rest: list[ast.stmt], value: ast.expr) -> None:
        before = len(self.claims)
        read = {*named_in(value), *([raw] if op else [])}
        taken = [c for w in read for c in self.parts.get(w, ())]
        self.take(target, raw, found, op, rest, value)
        made = self.claims[before:]
        for part in taken:
            part.used_by.extend(made)
        for c in made:
            c.parts.update({w: self.parts[w] for w in named_in(value) if self.parts.get(w)})
            c.parts.update({f"#{k}": [part] for k, part in enumerate(self.claims[:before], 1) if any(part is x for x in taken)})
        held: Any = self.names.get(raw)
        first = held.parts[0] if isinstance(held, Blocks) and held.parts else held
        if made and kind(first) == "Variable" and assigned(first):
            self.parts[raw] = []
        elif made:
            self.parts[raw] = [*(self.parts.get(raw, []) if raw in read else []), *(c for c in made if c.quiet)]
        else:
            self.parts[raw] = taken

    def take(self, target: ast.expr, raw: str, found: Any, op: ast.operator | None, rest: list[ast.stmt], value: ast.expr) -> None:
        """What an assignment claims, and what the variable holds from now on."""
        gradient = self.gradient(raw) if self.reader.gradient_like(raw) else None
        if gradient is None and (raw in self.incoming or (unnamed(raw) and isinstance(target, ast.Subscript))):
            gradient = self.by_the_state(raw)
        if gradient is None and self.cell.steps and (state := self.by_the_state(raw)) is not None and state.word == "numbered":
            gradient = state
        gradient = gradient or self.error(found, value)
        flows = self.flows(value)
        if flows or (gradient is not None and not self.reader.gradient_like(raw)):
            self.flowing.add(raw)
        if gradient is not None:
            self.derive(target, raw, gradient, self.gathered(found, gradient), op, rest, value)
            return
        if isinstance(found, Opaque) and not flows and aimed(raw) and self.cell.find(raw) is None:
            self.names.pop(raw, None)  # what an output is held against, however it is made
            return
        found = self.gathered(found, None)
        super().settle(target, raw, found, op, rest, value)
        if op is None and not isinstance(found, Opaque | tuple | Blocks) and kind(found) != "Variable" and derived(found):
            self.quietly(raw, found, self.step_by_step(raw, rest))
        elif flows and next(rests(raw), None) and not added_later(target, rest) and not isinstance(value, ast.Dict):
            why = str(found) if isinstance(found, Opaque) else UNKNOWN.format(raw)
            self.claims.append(Claimed(self.statement, quiet=True, why=why))

    def select(self, target: ast.Subscript, raw: str, value: ast.expr, place: tuple[Any, bool]) -> None:
        gradient = self.gradient(raw) if self.reader.gradient_like(raw) else None
        if gradient is None or gradient.by.timed:
            return
        x, column = place
        try:
            found = lifted(lambda a: Infix("otimes", (a, x) if column else (x, a), span=self.extent), self.expressions.node(value))
        except Opaque as why:
            found = why
        self.derive(target.value, raw, gradient, found, ast.Add(), [], value)

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
        if isinstance(target, ast.Subscript) and gradient.by.timed:
            gradient = replace(gradient, moved=gradient.moved + (self.place(target) or 0))
        held = self.names.get(raw)
        if isinstance(found, Opaque):
            held_by = (w for w in named_in(value) if self.reader.gradient_like(w))
            computed = isinstance(value, ast.BinOp) and BACKWARD.search(self.scope.name)
            if computed or any(w in self.flowing for w in named_in(value)) or any(w in self.names or self.gradient(w) is not None for w in held_by):
                self.claims.append(Claimed(self.statement, why=str(found)))
            self.names[raw] = found if added_later(target, rest) else self.meant(raw, gradient, at)
            return
        sign = "="
        given = gradient.by.timed and self.cell.formula(gradient.by) is None and gradient.by.name not in self.cell.lagged
        if isinstance(op, ast.Add) and held is None and (not gradient.by.timed or given):
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
        if raw in self.renamed and (copied or isinstance(value, ast.Name)):
            self.names[raw] = found  # for the next turn of the loop
            return
        if added_later(target, rest) or (copied and gradient.by.timed and not assigned(found)):
            self.names[raw] = found  # the first part of a sum, or another name for what comes from elsewhere
            if not copied:
                self.claims.append(Claimed(self.statement, quiet=True, why=PART.format(raw)))
                self.names[raw] = self.as_part(found)
            return
        if self.cell.steps and not gradient.by.timed and (count := self.uses(gradient.by)) > 1:
            self.over_steps(raw, gradient, found, count, at)
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
        elif not gradient.word and not gradient.moved and self.step_by_step(raw, rest):
            gradient = replace(gradient, word="alone")
        elif not gradient.word and not gradient.moved and self.sloped(found, gradient.by):
            gradient = replace(gradient, word="sloped")
        left = self.meant(raw, gradient, at)
        if isinstance(left, Blocks) != isinstance(found, Blocks) or (isinstance(left, Blocks) and len(left.parts) != len(found.parts)):
            self.claims.append(Claimed(self.statement, why="the gates that are computed together are not understood"))
            self.names[raw] = left
            return
        plain = gradient.by.timed and not derived(found)
        if not plain or (kind(found) == "Sum" and len(found.args) == 2):
            self.claims.append(Claimed(self.statement, (self.relations(left, found, sign),), plain, write=self.write))
        self.names[raw] = left

    def before_this(self, old: Any, span: Span) -> Any:
        if isinstance(old, Blocks):
            return Blocks(tuple(self.before_this(part, span) for part in old.parts))
        if kind(old) == "Sum":
            return replace(old, args=tuple(t if is_part(t) else placed(t, span) for t in old.args), span=span)
        return old if is_part(old) else placed(old, span)

    def as_part(self, node: Any) -> Any:
        """The first terms of a sum that goes on: in place of what cannot be a place in a later statement, the number of the claim."""
        if isinstance(node, Blocks):
            return Blocks(tuple(map(self.as_part, node.parts)))
        terms = tuple(t if is_part(t) else placed(t, Span(-len(self.claims), 0)) for t in (node.args if kind(node) == "Sum" else (node,)))
        return replace(node, args=terms) if kind(node) == "Sum" else terms[0]

    def uses(self, q: Quantity) -> int:
        """At how many of the steps that are written one by one a parameter is used."""
        users = [name for name, d in self.cell.definitions.items() if any(n == q.node for n in walk(d.node))]
        stepped = [names for names in self.cell.steps.values() if any(name in names.values() for name in users)]
        return max((sum(k > 0 for k in names) for names in stepped), default=1)

    def over_steps(self, raw: str, gradient: Gradient, found: Any, count: int, at: Span) -> None:
        """``dW = np.outer(dz2, h1) + np.outer(dz1, h0)``: each term is the use of one step, and none is missing."""
        terms = found.args if kind(found) == "Sum" else (found,)
        self.marks[raw] += 1
        q, mark = gradient.by, self.number + self.marks[raw]
        self.names[raw] = Variable(raw, q.written(0), mark, (("use", 0),), span=at)
        if isinstance(found, Blocks) or len(terms) != count or count > FEW:
            self.claims.append(Claimed(self.statement, why="the sum has another number of terms than there are steps"))
            return
        lefts = [Variable(raw, q.written(0), mark + 50 * (k + 1), (("use", -k),), span=at) for k in range(count)]
        made = (tuple(self.relation(left, term, "+=") for left, term in zip(several, terms, strict=True)) for several in permutations(lefts))
        self.claims.append(Claimed(self.statement, tuple(made), write=self.write))

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

    def error(self, found: Any, value: ast.expr) -> Gradient | None:
        """``err = y - target``, whatever it is called: the gradient by what y is, or is computed from."""
        known = self.cell.located(found.args[0]) if missed(value) and kind(found) == "Sum" else None
        node: Any = self.cell.formula(known[0]) if known is not None else None
        inner = self.cell.located(node.args[0]) if kind(node) == "Apply" and len(node.args) == 1 else None
        return next((Gradient(q) for q in self.cell.outputs() if (known and known[0] == q) or (inner and inner[0] == q)), None)

    def step_by_step(self, raw: str, rest: list[ast.stmt]) -> bool:
        """Whether the loss of each step is led back on its own: by a loop in the loop, or a function that is given the gradient."""
        def read(n: ast.AST, word: str) -> bool:
            return any(isinstance(x, ast.Name) and x.id == word for x in ast.walk(n))

        for n in (n for s in rest for n in ast.walk(s)):
            from_here = isinstance(n, ast.For) and any(read(n.iter, t) for t in self.counters) and any(read(s, raw) for s in n.body)
            handed = isinstance(n, ast.Call) and self.reader.shows(n) and any(raw_name(a) == raw for a in n.args) and any(read(n, t) for t in self.counters)
            if self.loops and (from_here or handed):
                return True
        return False

    def quietly(self, raw: str, node: Any, alone: bool) -> None:
        """A gradient under a name that tells nothing: by some quantity of the cell, or by what an activation is applied to, if it is one."""
        self.marks[raw] += 100
        made = []
        ways: Ways = (("pre", 0), ("total", 0), *((("pre of own", 0),) if alone else ()))
        for k, name in enumerate(self.cell.definitions):
            left = self.variable(raw, Gradient(self.cell.quantities[name]), self.number + self.marks[raw] + k, ways, Span(0, len(raw)))
            made.append((self.relation(left, node, "="),))
        if made:
            why = UNKNOWN.format(raw) if next(rests(raw), None) else ""
            self.claims.append(Claimed(self.statement, tuple(made), True, why, self.write))

    def gathered(self, found: Any, gradient: Gradient | None) -> Any:
        """``np.hstack((di, df, do, dg))`` as blocks, where the cell has a quantity of as many gates."""
        if kind(found) == "Stack" and derived(found) and len(found.args) in self.cell.merged.values() and (gradient is None or self.merged(gradient.by)):
            return Blocks(found.args)
        return found


def is_part(node: Any) -> bool:
    """Whether a term stands in an earlier statement."""
    return node.span is not None and node.span.start < 0


def decays(term: Any, q: Quantity) -> bool:
    """``0.01 * W``: a term that pulls a weight to zero."""
    return not derived(term) and any(kind(n) == "Name" and replace(n, span=None) == q.node for n in walk(term))


def derived(node: Any) -> bool:
    """Whether a gradient takes part in a formula."""
    return any(map(derived, node.parts)) if isinstance(node, Blocks) else any(kind(n) == "Variable" for n in walk(node))


