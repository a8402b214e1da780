"""The forward pass of a program: what its variables hold, statement by statement, and the equations that this makes.

A name that is read before it is assigned, in a loop or a function, is a state of the step before; so are ``h_prev`` and ``hs[t-1]``.
A name that is assigned twice is a step on the way first, a quantity at last.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.programs.blocks import cut
from symgrad.check.programs.lookup import Lookup
from symgrad.check.programs.names import form, given, indices, missed, named_in, nested, paired, raw_name, stem, straight, targets, unshaped, whole
from symgrad.check.programs.scopes import NOW, Defined, Scope
from symgrad.check.programs.values import Blocks, Opaque, blank, last_name, placed
from symgrad.check.reading.statements import LOSSES
from symgrad.check.reading.trees import kind, walk
from symgrad.check.sources.document import Fragment
from symgrad.notation.syntax import Span, Stack

if TYPE_CHECKING:
    from symgrad.check.programs.reader import Reader

COUNTED = frozenset({"range", "xrange", "arange", "trange"})
AROUND = frozenset({"reversed", "enumerate", "list", "tqdm", "zip"})


class Forward(Lookup):
    """One scope."""

    statement: Fragment

    def __init__(self, reader: Reader, scope: Scope, cell: Scope) -> None:
        super().__init__(reader, scope, cell)
        self.filled: dict[str, dict[int, Any]] = {}  # parts of arrays that were made without content
        self.flowing: set[str] = set()  # variables that are computed from gradients
        self.begun: set[str] = set()  # lists that begin with the state before the first step
        for word, names in scope.steps.items() if cell is scope else ():
            q = self.cell.quantities.get(names[max(names)]) or self.stepped(word, names[max(names)])
            scope.aliases.update({name: (q, k - scope.last) for k, name in names.items() if k < scope.last})

    def block(self, body: list[ast.stmt]) -> None:
        """The statements of a loop, or of the scope."""
        body = list(straight(body))
        trained = {form(t) for n in (n for s in body for n in ast.walk(s)) for t in self.updated(n)}
        self.waiting.append({form(t): raw_name(t) for t in targets(body) if form(t) and form(t) not in trained})
        for name in self.waiting[-1].values():
            self.names.pop(name, None)
        for s in body:
            for target, value in paired(s):
                if isinstance(value, ast.Name | ast.Attribute):
                    self.copies[form(target)] = raw_name(value)
                    if isinstance(target, ast.Subscript):
                        self.kept[raw_name(target)] = target, raw_name(value)
            match s:
                case ast.Assign(targets=[ast.Subscript() as target], value=ast.BinOp() | ast.Call() as value) if self.place(target) == 1:
                    self.one_behind(raw_name(target), value)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=where, attr="append"), args=[value])) if isinstance(
                    kept := unshaped(value), ast.Name | ast.Attribute
                ):
                    self.appended[raw_name(where)] = raw_name(kept)
        for k, s in enumerate(body):
            self.one(s, body[k + 1 :])
            for target, _ in paired(s):
                self.copies.pop(form(target), None)  # ``h = h0`` before a loop is no copy for its next turn
        self.waiting.pop()

    def updated(self, n: ast.AST) -> list[ast.expr]:
        """The weight that a statement takes a step: ``W -= lr * dW``, ``W = W - lr * dW``."""
        match n:
            case ast.AugAssign(target=target, value=value) | ast.Assign(targets=[target], value=ast.BinOp() as value):
                read, raw = named_in(value), raw_name(target)
                alone = isinstance(n, ast.AugAssign) or raw in read
                return [target] if alone and not self.reader.gradient_like(raw) and any(map(self.reader.gradient_like, read)) else []
        return []

    def one_behind(self, raw: str, value: ast.expr) -> None:
        """``H[t + 1] = f(H[t], x[t])``: the state of step t stands one behind in its list."""
        if self.cell is self.scope and raw not in {*self.scope.quantities, *self.scope.lists} and self.concerns(raw, value):
            self.scope.lists[raw] = self.new(raw, True), -1

    def one(self, s: ast.stmt, rest: list[ast.stmt]) -> None:
        """One statement, and those that follow it."""
        self.program = self.reader.where[id(s)]
        match s:
            case ast.For(body=body) | ast.While(body=body):
                if isinstance(s, ast.For):
                    self.counted(s.target, s.iter)
                self.loops += 1
                self.block(body)
                self.loops -= 1
                return
        self.start, stop = self.program.span(s)
        source = self.program.source[self.start : stop]
        self.statement = Fragment(source, source.origin or source, "program")
        match s:
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp(elt=value, generators=[turns])])):
                self.counted(turns.target, turns.iter)
                self.loops += 1
                self.assign(target, value, ast.Add(), rest)
                self.loops -= 1
            case ast.Assign(targets=[target], value=value) if self.reader.gradient_like(raw_name(target)) and (more := added(target, value)) is not None:
                self.assign(target, more, ast.Add(), rest)
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value, None, rest)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, value, None, rest)
            case ast.AugAssign(target=target, op=op, value=value):
                self.assign(target, value, op, rest)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=where, attr="append"), args=[value])):
                self.append(raw_name(where), value)
                self.appended.pop(raw_name(where), None)

    @property
    def extent(self) -> Span:
        """All of the statement."""
        return Span(0, len(self.statement.latex))

    def counted(self, target: ast.expr, over: ast.expr) -> None:
        """What a loop runs over: steps, inputs, or both."""
        sources, into = [unturned(over)], [target]
        while len(sources) == 1 and isinstance(sources[0], ast.Call) and last_name(sources[0].func) in AROUND and sources[0].args:
            if last_name(sources[0].func) == "enumerate" and isinstance(into[0], ast.Tuple) and len(into[0].elts) == 2:
                self.counters.add(raw_name(into[0].elts[0]))
                into = into[0].elts[1:]
            sources = [unturned(e) for e in sources[0].args]
        if isinstance(into[0], ast.Tuple) and len(into) == 1:
            into = into[0].elts
        for k, x in enumerate(into):
            source = sources[min(k, len(sources) - 1)]
            word = raw_name(x)
            if isinstance(source, ast.Call) and last_name(source.func) in COUNTED:
                self.counters.add(word)
            elif given(stem(word)[0]) or given(stem(raw_name(source))[0]):
                found = self.cell.find(raw_name(source)) if raw_name(source) else None
                q = found[0] if found is not None and found[0].timed else self.cell.quantities.get(word) or self.new(raw_name(source) or word, True)
                self.names[word] = q.written(0)

    def assign(self, target: ast.expr, value: ast.expr, op: ast.operator | None, rest: list[ast.stmt]) -> None:
        """One assignment."""
        if isinstance(target, ast.Tuple | ast.List):
            self.unpack(target.elts, value, rest)
            return
        raw = raw_name(target)
        if isinstance(target, ast.Subscript) and isinstance(op, ast.Add) and (chosen := self.selector(target)) is not None:
            self.select(target, raw, value, chosen)
            return
        if isinstance(target, ast.Subscript) and (not self.addressed(target) or nested(target)):
            self.fill(target, raw, value if op is None else None)
            return
        begun = self.begins(raw, value)
        if isinstance(value, ast.Dict) and op is None:
            for key, first in zip(value.keys, value.values, strict=True):
                self.begins(raw_name(ast.Subscript(target, key)) if key else "", first)
        if self.cell is self.scope and raw in self.scope.aliases and any(raw in names.values() for names in self.scope.steps.values()):
            for held in self.waiting:
                held.pop(form(target), None)
            return  # an earlier step, computed like the last
        if (blank(value) or begun) and op is None:
            if begun and self.flows(value):
                self.flowing.add(raw)
            self.names.pop(raw, None)
            if isinstance(value, ast.Call):
                self.made.add(form(target))
                self.waiting[-1].pop(form(target), None)  # what it holds is no state of the step before
            return
        if not self.concerns(raw, value):
            self.flowing.add(raw)
        else:
            try:
                found: Any = self.expressions.value(value)
            except Opaque as why:
                found = why
            if isinstance(found, Opaque) and self.taken_out(value):
                self.names.pop(raw, None)
            else:
                self.settle(target, raw, found, op, rest, value)
        for names in self.waiting:
            names.pop(form(target), None)

    def begins(self, raw: str, value: ast.expr) -> bool:
        """Whether a list begins with the state before the first step: ``hs = [h0]``, not ``hs = []``."""
        if isinstance(value, ast.List):
            (self.begun.add if len(value.elts) == 1 else self.begun.discard)(raw)
        return isinstance(value, ast.List) and len(value.elts) == 1

    def taken_out(self, value: ast.expr) -> bool:
        """Whether a variable is taken out of what is handed to a function: ``W = params[0]``."""
        handed = {a.arg for a in self.scope.arguments} - {*self.names, *self.scope.lists}
        return isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant) and isinstance(value.value, ast.Name) and value.value.id in handed

    def select(self, target: ast.Subscript, raw: str, value: ast.expr, place: tuple[Any, bool]) -> None:
        """``dU[:, x[t]] += da``, which is the outer product of da and the one-hot x_t."""

    def fill(self, target: ast.Subscript, raw: str, value: ast.expr | None) -> None:
        """A part of an array: ``z[:n] = h_prev`` and ``z[n:] = x`` make a concatenation."""
        k = cut(indices(target)) if value is not None and not isinstance(target.value, ast.Subscript) else None
        self.names.pop(raw, None)
        if k is None or value is None or not self.concerns(raw, value):
            self.filled.pop(raw, None)
            return
        try:
            self.filled.setdefault(raw, {})[k] = self.expressions.node(value)
        except Opaque:
            return
        parts = [self.filled[raw].get(j, Blocks(())) for j in range(len(self.filled[raw]))]
        if len(parts) > 1 and not any(isinstance(p, Blocks) for p in parts):
            self.names[raw] = Stack(tuple(parts), span=self.extent)

    def addressed(self, target: ast.Subscript) -> bool:
        """Whether an entry is one by its name or its step: ``grads['Why']``, ``hs[t]``, ``dx[:, t, :]``."""
        if isinstance(target.slice, ast.Constant):
            return isinstance(target.slice.value, str)
        return all(self.step(p) is not None or whole(p) for p in indices(target))

    def unpack(self, several: list[ast.expr], value: ast.expr, rest: list[ast.stmt]) -> None:
        """``h, c = …``."""
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(several):
            for target, each in zip(several, value.elts, strict=True):
                self.assign(target, each, None, rest)
            return
        handed = isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.GeneratorExp) or self.reader.shows(value)  # parameters, a cache, the state
        found: Any = None
        try:
            if not handed or isinstance(value, ast.Subscript) or raw_name(value) in self.names or raw_name(value) in self.cell.packs:
                found = self.expressions.value(value)
        except Opaque as why:
            found = None if handed else why
        again = {form(t) for t in targets(rest)}
        for k, target in enumerate(several):
            raw = raw_name(target)
            if isinstance(found, tuple) and len(found) == len(several) and self.exchanged(raw, found, k):
                self.names[raw] = Opaque("what is unpacked here was packed in another order")
            elif isinstance(found, tuple) and len(found) == len(several) and isinstance(target, ast.Name):
                self.settle(target, raw, found[k], None, rest, value)
            elif isinstance(found, Opaque) and not self.reader.gradient_like(raw):
                self.names[raw] = found
            else:
                self.names.pop(raw, None)
            for names in self.waiting if form(target) not in again else ():
                names.pop(form(target), None)

    def exchanged(self, raw: str, several: tuple[Any, ...], k: int) -> bool:
        """Whether a name is that of another one of some values than of the one that it is given."""
        q = self.cell.quantities.get(raw)
        others = [j for j, x in enumerate(several) if q is not None and not isinstance(x, Opaque | tuple) and x in (q.written(q.at), q.written(0))]
        return bool(others) and k not in others

    def concerns(self, raw: str, value: ast.expr) -> bool:
        """Whether an assignment is of the forward pass."""
        return not self.reader.gradient_like(raw) and not self.flows(value) and not missed(value)

    def flows(self, value: ast.expr) -> bool:
        """Whether a gradient takes part in an expression."""
        return any(self.reader.gradient_like(w) or w in self.flowing for w in named_in(value))

    def settle(self, target: ast.expr, raw: str, found: Any, op: ast.operator | None, rest: list[ast.stmt], value: ast.expr) -> None:
        """What a variable holds from now on."""
        if op is not None and not isinstance(found, Opaque):
            found = self.joined(self.names.get(raw), found, op, target)
        if isinstance(found, tuple | Opaque) and isinstance(target, ast.Name) and given(stem(raw)[0]):
            self.names.pop(raw, None)  # an input, however it is made
        elif isinstance(found, tuple) and isinstance(target, ast.Subscript):
            self.scope.packs[raw] = found
        elif isinstance(found, tuple):
            self.names[raw] = self.scope.packs[raw] = found
        elif isinstance(found, Opaque | Blocks):
            self.names[raw] = found
        elif found is not None:
            self.define(target, raw, found, rest)

    def joined(self, old: Any, new: Any, op: ast.operator, target: ast.expr) -> Any:
        """``old += new``, ``old *= new``; None for what is not understood."""
        if old is None or isinstance(old, Opaque | tuple) or isinstance(new, Opaque | tuple):
            return None
        try:
            return self.expressions.operation(op, self.before_this(old, self.span(target)), new, None)
        except Opaque:
            return None

    def before_this(self, old: Any, span: Span) -> Any:
        """What a variable held before a statement adds to it, at the place of its name."""
        return placed(old, span)

    def define(self, target: ast.expr, raw: str, node: Any, rest: list[ast.stmt]) -> None:
        """A quantity of the forward pass, another name for one, or something on the way."""
        by = self.place(target) or 0 if isinstance(target, ast.Subscript) else 0
        if raw in self.scope.lists and self.scope.lists[raw][0].name == raw:
            by += self.scope.lists[raw][1]
        copy = self.cell.located(node)
        if copy is not None:
            if isinstance(target, ast.Subscript):
                self.scope.lists[raw] = (copy[0], copy[1] - by)
                return
            self.names[raw] = node
            if isinstance(target, ast.Attribute) or "#" in copy[0].name:
                self.scope.aliases[raw] = copy
            return
        weight = self.cell.parameter(node) if "#" not in raw else None
        if weight is not None and "#" in weight.name and isinstance(target, ast.Name):
            self.names[raw] = node
            if raw not in self.scope.quantities:
                self.scope.aliases[raw] = weight, 0
            return
        again = any(form(t) == form(target) for t in targets([s for s in rest if not isinstance(s, ast.For | ast.While)]))
        if again or not stepped(node) or raw in LOSSES or "loss" in raw.lower():
            self.names[raw] = node
        elif self.equation(raw, node, by) and not isinstance(target, ast.Subscript):
            self.names[raw] = self.scope.quantities[raw].written(by)
        elif not isinstance(target, ast.Subscript):
            self.names[raw] = node

    def equation(self, raw: str, node: Any, by: int) -> bool:
        """Take an assignment for an equation of the cell."""
        q = self.scope.quantities.get(raw) or self.new(raw, True)
        self.scope.quantities[raw] = replace(q, timed=True, at=by)
        refs = [found for n in walk(node) if (found := self.scope.located(n)) is not None]
        self.scope.lagged |= {r.name for r, at in refs if at < by}
        looped = bool(self.scope.steps) and all(raw not in names.values() for names in self.scope.steps.values())
        looped |= any(d.loops > self.loops for r, _ in refs if (d := self.scope.definitions.get(r.name)) is not None)
        self.scope.definitions[raw] = Defined(node, self.statement, self.loops, looped)
        for n in walk(node):
            if kind(n) == "Infix" and n.sign == "at":
                self.beside_stacks(n.args)
        return True

    def beside_stacks(self, args: tuple[Any, ...]) -> None:
        """Which weights multiply a concatenation."""
        for a in args:
            found = self.scope.located(a)
            stack = a if kind(a) == "Stack" else self.scope.formula(found[0]) if found is not None else None
            for b in args if kind(stack) == "Stack" else ():
                weight = self.scope.parameter(b.arg if kind(b) == "Transpose" else b)
                if weight is not None:
                    self.scope.stacked[weight.name] = stack

    def append(self, raw: str, value: ast.expr) -> None:
        """``hs.append(h)``, ``cache.append((f, i, o))``."""
        try:
            found = self.expressions.value(value)
        except Opaque:
            return
        if isinstance(found, tuple):
            self.scope.packs[raw] = found
            return
        if (copy := self.cell.located(found)) is None and stepped(found) and self.concerns(raw, value) and self.equation(raw, found, 0):
            copy = self.scope.quantities[raw], 0
        if copy is not None:
            self.scope.lists[raw] = (copy[0], copy[1] - (raw in self.begun))


def added(target: ast.expr, value: ast.expr) -> ast.expr | None:
    """The b + c of ``dW = dW + b + c``."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return None
    if ast.unparse(value.left) == ast.unparse(target):
        return value.right
    return (more := added(target, value.left)) and ast.copy_location(ast.BinOp(more, value.op, value.right), value)


def unturned(e: ast.expr) -> ast.expr:
    """``range(T)`` for ``range(T)[::-1]``."""
    return e.value if isinstance(e, ast.Subscript) and isinstance(e.slice, ast.Slice) else e


def stepped(node: Any) -> bool:
    """Whether a formula names a quantity at a step."""
    return any(kind(n) == "Variable" or (kind(n) == "Name" and bool(n.subs) and NOW in tuple(walk(n.subs[-1]))) for n in walk(node))
