"""The programs of a page: their scopes, and for each backward pass the forward pass that it is held against."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symgrad.check.defined.groups import Collected
from symgrad.check.programs.backward import Backward, Claimed
from symgrad.check.programs.blocks import separated
from symgrad.check.programs.expressions import ACTIVATIONS
from symgrad.check.programs.forward import Forward
from symgrad.check.programs.names import BACKWARD, OUTPUTS, STATES, UPDATE, given, idle, named_in, raised, raw_name, rests, stem, straight, targets, told, whole
from symgrad.check.programs.scopes import Scope, formulas
from symgrad.check.programs.switches import Switches
from symgrad.check.programs.unrolled import steps
from symgrad.check.programs.values import blank, last_name
from symgrad.check.reading.statements import Statement
from symgrad.check.sources.document import Fragment, Passage
from symgrad.check.sources.python import Program, derives, program

LINES = 600  # statements of a scope
FORWARD = frozenset({"forward", "__call__", "call", "step", "fprop", "feedforward", "forward_pass", "forward_step", "forward_propagation"})
APART = frozenset({"sigmoid", "softmax", "tanh", "relu", "__init__"})  # functions that hold no cell


@dataclass
class Unit:
    """A forward pass as equations, and the claims that backward passes make of it."""

    equations: list[Statement]
    claims: list[Claimed]


class Reader:
    """All programs of one page."""

    def __init__(self, programs: list[Program], known: list[Scope]) -> None:
        self.known = known
        self.functions: dict[str, ast.FunctionDef] = {}
        self.multiplied: set[str] = set()  # names that stand in a matrix product
        self.numbers: set[str] = set()  # names that are given a number
        self.words = {name for scope in known for name in scope.quantities}
        self.renamed: dict[str, set[str]] = {}  # ``f = np.tanh``: what a program calls an activation
        self.scopes: list[Scope] = []
        self.where: dict[int, Program] = {}  # of every statement
        self.seen: set[str] = set()  # what the loops of the open scope compute
        self.switches = Switches()
        programs = [replace(p, body=tuple(self.switches.settled([*p.body]))) for p in programs]
        for p in programs:
            for n in (n for s in p.body for n in ast.walk(s)):
                self.note(n)
        self.words |= {stem(w)[0] for w in self.words}
        for p in programs:
            self.where.update({id(n): p for s in p.body for n in ast.walk(s) if isinstance(n, ast.stmt)})
            self.split(p.body)
        self.scopes = [s for s in self.scopes if sum(isinstance(n, ast.stmt) for x in s.body for n in ast.walk(x)) <= LINES]
        for scope in self.scopes:
            scope.steps = steps(scope.body, self.multiplied, self.gradient_like)
            Forward(self, scope, scope).block(scope.body)
            separated(scope)

    def note(self, n: ast.AST) -> None:
        """Names, functions that are formulas, weights that are multiplied."""
        match n:
            case ast.FunctionDef(name=name):
                if not any(isinstance(x, ast.For | ast.While | ast.Yield) for x in ast.walk(n)):
                    self.functions[name] = n
            case ast.BinOp(op=ast.MatMult(), left=a, right=b):
                self.multiplied |= {raw_name(bare(a)), raw_name(bare(b))}
            case ast.Subscript(value=base, slice=ast.Tuple(elts=[a, b])) if whole(a) != whole(b) and given(stem(raw_name(b if whole(a) else a))[0]):
                self.multiplied.add(raw_name(base))
            case ast.Call(func=f, args=args) if last_name(f) in ("dot", "matmul", "mm", "mv"):
                self.multiplied |= {raw_name(bare(x)) for x in (*args, *([f.value] if isinstance(f, ast.Attribute) else []))}
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int() | float())):
                self.numbers.add(name)
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as name], value=value) if (called := self.activation(value)):
                self.renamed.setdefault(last_name(name), set()).add(called)
        match n:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.Subscript(slice=ast.Constant(value=str(word))):
                self.words.add(word)

    def activation(self, e: ast.expr) -> str:
        """The activation that is given another name: ``np.tanh``, ``np.tanh if kind == 'tanh' else sigmoid``."""
        match e:
            case ast.IfExp(test=test, body=yes, orelse=no) if (met := self.switches.holds(test)) is not None:
                return self.activation(yes if met else no)
            case ast.Name() | ast.Attribute():
                return last_name(e) if last_name(e) in ACTIVATIONS else ""
        return ""

    def split(self, body: Iterable[ast.stmt], owner: int = 0) -> None:
        """Functions, and what stands between them; a loop that computes the same names anew begins another scope."""
        for s in straight(list(body)):
            match s:
                case ast.FunctionDef(name=name, body=inner):
                    if name.lower() not in APART:
                        self.scopes.append(Scope([x for x in inner if not isinstance(x, ast.FunctionDef)], name, owner, s.args.args))
                    self.split((x for x in inner if isinstance(x, ast.FunctionDef)), owner)
                case ast.ClassDef(body=inner):
                    self.split(inner, id(s))
                case _:
                    names = {raw_name(t) for t in targets([s])} if isinstance(s, ast.For | ast.While) else set()
                    names = set() if any(map(self.gradient_like, names)) else names  # a backward pass belongs to what is before it
                    top = next((x for x in reversed(self.scopes) if not x.name), None)
                    if top is None or names & self.seen:
                        self.seen.clear()
                        top = Scope()
                        self.scopes.append(top)
                    self.seen.update(names)
                    top.body.append(s)

    def shows(self, e: ast.expr) -> bool:
        """Whether an expression calls a function of the page that does more than to compute a formula, such as the forward pass."""
        return isinstance(e, ast.Call) and last_name(e.func) not in self.functions and any(s.name == last_name(e.func) for s in self.scopes)

    def gradient_like(self, raw: str) -> bool:
        """Whether a name is made of a mark for gradients and of another name that the page uses."""
        if raw.endswith(UPDATE) and raw.removesuffix(UPDATE) not in self.multiplied:
            return False
        return any({rest, stem(rest)[0], stem(told(rest)[0])[0], *raised(rest)} & self.words or rest.lower() in OUTPUTS for rest in rests(raw))

    def units(self) -> list[Unit]:
        """The backward passes, those of one forward pass together."""
        out: dict[int, Unit] = {}
        for k, scope in enumerate(self.scopes):
            cell = self.cell_of(k)
            if cell is None:
                if len(alone := [*self.of_nothing_here(scope)]) > 1:
                    out[id(scope)] = Unit([], alone)
                continue
            read = Backward(self, scope, cell, k)
            read.block(scope.body)
            if any(c.readings or not c.quiet for c in read.claims):
                out.setdefault(id(cell), Unit([], [])).claims.extend(read.claims)
                out[id(cell)].equations = cell.stated()
        return list(out.values())

    def of_nothing_here(self, scope: Scope) -> Iterator[Claimed]:
        """The gradients of a backward pass whose forward pass the page does not show: of a function by its name, else of a state."""
        flowing = {a.arg for a in scope.arguments if self.gradient_like(a.arg)}
        found: list[ast.stmt] = []
        for s in (n for outer in straight(scope.body) for n in ast.walk(outer)):
            match s:
                case ast.Assign(targets=[ast.expr() as target]) | ast.AugAssign(target=target) if not blank(s.value) and not idle(s):
                    raw = raw_name(target)
                    read = named_in(s.value) - {raw}
                    if any(w in flowing or self.gradient_like(w) for w in read) or (self.gradient_like(raw) and read):
                        flowing.add(raw)
                        found += [s] if next(rests(raw), None) else []
        through_time = any(stem(rest)[0].lower() in names or stem(rest)[1] for w in flowing for rest in rests(w) for names in STATES)
        for s in found if BACKWARD.search(scope.name) or (through_time and len(found) > 2) else ():
            program = self.where[id(s)]
            start, stop = program.span(s)
            source = program.source[start:stop]
            yield Claimed(Fragment(source, source.origin or source, "program"), why="the page does not show the forward pass that this is derived from")

    def cell_of(self, k: int) -> Scope | None:
        """The forward pass of a scope's gradients: its own, else the one that knows most of the names, else the page's formulas."""
        scope = self.scopes[k]
        wanted = {w for t in targets(scope.body) if self.gradient_like(w := raw_name(t))}
        if not wanted or scope.recurrent:
            return scope if wanted else None
        if any(name in scope.definitions for w in wanted for name in rests(w)):
            return None  # it has a forward pass of its own, that is not understood

        def known(other: Scope) -> int:
            return sum(any(other.find(told(rest)[0]) is not None for rest in rests(w)) for w in wanted)

        rivals = every = [(j, other) for j, other in enumerate(self.scopes) if other is not scope]
        named = re.sub("back(ward|prop)?", "forward", scope.name)
        for kin in (
            [(j, other) for j, other in rivals if other.owner == scope.owner and scope.name != named == other.name],
            [(j, other) for j, other in rivals if other.owner == scope.owner != 0 and other.name in FORWARD],
        ):
            rivals = kin or rivals  # the function that belongs to it, whether it is understood or not
        others = [(known(other), -abs(k - j) - (j > k), other) for j, other in rivals if other.recurrent]
        if not others or rivals is every:  # else the steps are counted as the function that belongs to it counts them
            others += [(known(other), -1000 - j, other) for j, other in enumerate(self.known)]
        best = max(others, default=None, key=lambda row: row[:2])
        return best[2] if best is not None and best[0] * 2 > len(wanted) else None


def bare(e: ast.expr) -> ast.expr:
    """``W`` in ``W.T``, ``W[:, :n].T``."""
    while True:
        match e:
            case ast.Attribute(value=inner, attr="T"):
                e = inner
            case ast.Subscript(value=inner, slice=index) if isinstance(index, ast.Tuple | ast.Slice) or whole(index):
                e = inner
            case _:
                return e


def shown(programs: Iterable[Passage]) -> list[Statement]:
    """The cell that programs compute, where all that compute one compute the same."""
    cells = [s for s in Reader([program(p) for p in programs], []).scopes if s.recurrent]
    most = max(cells, key=lambda s: len(s.definitions), default=None)
    if most is None or any(d.node != most.definitions[name].node for s in cells for name, d in s.definitions.items() if name in most.definitions):
        return []
    return most.stated()


def units(programs: Iterable[Passage], collected: Collected | None = None) -> list[Unit]:
    """The backward passes of a page that are written in Python, beside the forward passes that they derive."""
    found = [*programs]
    known = formulas(collected) if collected is not None else []
    return Reader([program(p) for p in found], known).units() if any(derives(p.text) for p in found) else []
