"""The loop of the generated ``backward``: slopes of a block of steps at once, then the steps in reverse."""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from symgrad.generate.backward.forward import Forward
from symgrad.generate.backward.functions import WHOLE
from symgrad.generate.backward.lines import Lines, einsum, infix
from symgrad.generate.backward.places import Place, Views
from symgrad.generate.backward.sweep import Gathered, Statement
from symgrad.language.program import base
from symgrad.language.tensor import Tensor
from symgrad.notation.syntax import equation
from symgrad.notation.text import text
from symgrad.notation.write import Writer


class Reverse:
    """Writes the loop of ``backward`` in three parts: `setup`, `block` (slopes of a block of steps), `body` (one step)."""

    def __init__(self, forward: Forward) -> None:
        self.forward, self.sweep, self.plan, self.names = forward, forward.sweep, forward.plan, forward.names
        self.program, self.adjoint = forward.program, forward.sweep.adjoint
        self.writer = Writer(self.adjoint)
        self.setup: list[str] = []
        self.whole: dict[sp.Symbol, Place] = {}  # δ → all steps
        self.views: Views = {}  # at step t
        self.block_views: Views = {}  # in the block of steps
        self.local: dict[sp.Symbol, str] = {}
        self.runs: dict[sp.Symbol, int] = {}  # δ of a slot → its place in d
        self.columns: dict[sp.Symbol, list[str]] = {}  # gathered adjoint → its summands
        self.einsums = 0
        self.block = Lines(self.block_name, "work", "quiet_sigmoid")
        self.body = Lines(self.name, sigmoid="quiet_sigmoid")
        self.size: sp.Expr | None = None
        self.labels: set[str] = set()
        self._places()
        self._slopes()
        self._loop()

    # -- places -------------------------------------------------------------------------------------------------------------

    def shape(self, s: sp.Symbol, *lead: str) -> str:
        return self.names.shape(self.adjoint.shapes[s], *(lead or ("B",)))

    def _places(self) -> None:
        n = self.names
        for new in self.program.updates.values():
            self.local[self.sweep.seed(new)] = self.running(new)
        slots = [d for d in self.sweep.stored if any(d == self.sweep.delta(s) for s in self.plan.ordered) and d not in self.outputs]
        if slots:
            self.size = self.adjoint.shapes[slots[0]][0]
            inside = [d for d in slots if self.adjoint.shapes[d][0] == self.size]
            self.runs = {d: k for k, d in enumerate(inside)}
            self.setup.append(f"d = np.empty({n.shape((self.size,), str(len(inside)), 'T', 'B')}, dtype)  # {', '.join(map(n, inside))} of all steps")
        for d in (*self.sweep.stored, *self.outputs):
            self.whole[d] = Place("d", self.runs[d]) if d in self.runs else Place(f"{n(d)}_all")
            self.views[n(d) if d in self.outputs else self.kept(d)] = self.whole[d].at("t")
            if d not in self.runs and d not in self.outputs:
                self.setup.append(f"{n(d)}_all = np.empty({self.shape(d, 'T', 'B')}, dtype)")

    @property
    def outputs(self) -> set[sp.Symbol]:
        """The adjoints that come from outside at every step: given for all of them."""
        return {self.sweep.seed(y) for y in self.program.outputs}

    def running(self, new: sp.Symbol) -> str:
        """dh, the adjoint that is handed from step to step."""
        name = f"d{base(new.name)}"
        return name if sp.Symbol(name) not in self.program.order else f"{name}_"

    def kept(self, d: sp.Symbol) -> str:
        """The local name of an adjoint with a place in an array; one that is handed on has two."""
        return f"{self.names(d)}_kept" if d in self.local else self.names(d)

    def name(self, s: sp.Symbol) -> str:
        """A name within a step."""
        if s in self.local:
            return self.local[s]
        if s in self.program.constants:
            return self.names.block(s)
        if s in self.adjoint.atoms:
            self._contraction(s)
            return self.local[s]
        self._see(s)
        return self.names(s)

    def _see(self, s: sp.Symbol) -> None:
        """A forward name that is read: its view at step t."""
        if s in self.forward.kept and s not in self.forward.constants:
            self.views.setdefault(self.names(s), self.forward.kept[s].at("t"))

    def block_name(self, s: sp.Symbol) -> str:
        """A forward name in the block of steps."""
        if s in self.forward.kept and s not in self.forward.constants:
            self.block_views[self.names(s)] = self.forward.kept[s].at("block")
        return self.names(s)

    # -- slopes -------------------------------------------------------------------------------------------------------------

    def _slopes(self) -> None:
        n = self.names
        for st in self.sweep.loop:
            for k, symbol in st.prefilled.items():
                coefficient = st.terms[k][0]
                own = len(st.terms) == 1 and st.name in self.runs
                out = n(st.name) if own else f"slope{k + 1 if len(st.prefilled) > 1 else ''}_{n(st.name)[1:]}"
                shape = self.shape(st.name, "K", "B")
                self.block.add(f"# {'slope' if own else out} of {n(st.name)}: {text(self.writer.expression(coefficient))}")
                if own:
                    self.block_views[out] = self.whole[st.name].at("block")
                else:
                    self.setup.append(f"{out}_block = np.empty({shape}, dtype)")
                    self.block_views[out] = f"{out}_block[:stop - start]"
                    self.views[out] = f"{out}_block[t - start]"
                    self.local[symbol] = out
                self.block.into(coefficient, out, shape)
        for name, shape in self.block.scratch.items():
            self.setup.append(f"{name}_block = np.empty({shape}, dtype)")
            self.block_views[name] = f"{name}_block[:stop - start]"

    # -- one step -----------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        seeds = set(self.plan.equations.seeds)
        for d in self.sweep.stored:
            if d in seeds and d not in self.outputs:
                self.body.add(f"{self.kept(d)}[...] = {self.local[d]}")
        self.together: set[sp.Symbol] = set()
        for st in self.sweep.loop:
            if st.name not in self.together:
                self._statement(st)
        for name, shape in self.body.scratch.items():
            self.setup.append(f"{name} = np.empty({shape.replace('K, B', 'B')}, dtype)")

    def _statement(self, st: Statement) -> None:
        n = self.names
        self.body.add(f"# {self._formula(st)}")
        summands: list[tuple[sp.Expr, list[str]]] = []
        for k, (c, source) in enumerate(st.terms):
            coefficient = st.prefilled.get(k, c)
            summands.append((coefficient, self._source(source)))
        own = self._own(st)
        alike = self._alike(st) if own else []
        if len(alike) > 1:
            for other in alike[1:]:
                self.body.add(f"# {self._formula(other)}")
            places = sorted(self.runs[a.name] for a in alike)
            stride = f":{places[1] - places[0]}" if places[1] - places[0] > 1 else ""
            out = n.joined(n(d) for d, k in sorted(self.runs.items(), key=lambda item: item[1]) if k in places)
            self.views[out] = f"d[{places[0]}:{places[-1] + 1}{stride}, t]"
            self.body.add(f"{out} *= {self._added(summands[0][1])}")
            for a in alike:
                self.views[n(a.name)] = self.whole[a.name].at("t")
                self.local[a.name] = n(a.name)
                self.together.add(a.name)
            return
        if own:
            out = n(st.name)
            (_, columns) = summands[0]
            self.views[out] = self.whole[st.name].at("t")
            self.body.add(f"{out} *= {self._added(columns)}")
        else:
            out = self._target(st)
            expr = sp.Add(*(c * sp.Symbol(f"·{x}") for c, columns in summands for x in self._few(c, columns)))
            self.local |= {s: s.name[1:] for s in expr.free_symbols if s.name.startswith("·")}
            shape = self.shape(st.name)
            self.body.into(expr, out, shape)
        self.local[st.name] = out

    def _own(self, st: Statement) -> bool:
        """Whether the slope stands in d already, and only the source is missing."""
        return len(st.terms) == 1 and st.name in self.runs and 0 in st.prefilled

    def _alike(self, st: Statement) -> list[Statement]:
        """This statement and those that only miss the same source, if they stand in d at equal distances."""
        source = st.terms[0][1]
        if source in self.sweep.gathered:
            return [st]
        found = [st, *(o for o in self.sweep.loop if o is not st and self._own(o) and o.terms[0][1] == source and o.name not in self.together)]
        places = sorted(self.runs[o.name] for o in found)
        steps = {b - a for a, b in pairwise(places)}
        return found if len(steps) == 1 else [st]

    def _formula(self, st: Statement) -> str:
        """The statement as an equation, intermediate adjoints put in."""
        parts = [c * a for c, source in st.terms for a in (self.sweep.atoms_of(source) if source in self.sweep.gathered else [source])]
        return text(equation(self.writer.symbol(st.name), self.writer.expression(sp.Add(*parts))))

    def _few(self, c: sp.Expr, columns: list[str]) -> list[str]:
        """Several summands behind a coefficient are added up first."""
        return columns if c == 1 else [self._added(columns)]

    def _added(self, columns: list[str]) -> str:
        for x in columns[1:]:
            self.body.add(f"{columns[0]} += {x}")
        del columns[1:]
        return columns[0]

    def _target(self, st: Statement) -> str:
        n = self.names
        if st.name in self.sweep.results:
            old = next(s for s, d in self.plan.equations.results.items() if d == st.name)
            out = f"{self.running(self.program.updates[old])}_prev"
        elif st.name in self.whole:
            return n(st.name)
        else:
            out = n(st.name)
        self.setup.append(f"{out} = np.empty({self.shape(st.name)}, dtype)")
        return out

    def _source(self, source: sp.Symbol) -> list[str]:
        if source in self.sweep.gathered:
            if source not in self.columns:
                self._gather(self.sweep.gathered[source])
            return self.columns[source]
        if source in self.whole and source not in self.local:
            return [self.names(source)]
        return [self.name(source)]

    def _runs(self, g: Gathered) -> list[list[int]]:
        """The members in runs that stand side by side in d."""
        places: list[list[int]] = []
        for k, (s, _) in enumerate(g.members):
            i = self.runs.get(self.sweep.delta(s))
            if places and i is not None and (j := self.runs.get(self.sweep.delta(g.members[places[-1][-1]][0]))) is not None and j + 1 == i:
                places[-1].append(k)
            else:
                places.append([k])
        return places

    def _gather(self, g: Gathered) -> None:
        """Σ Uᵀ δa, one product for a run of gates."""
        n = self.names
        word = n.operand(g.operand)
        columns: list[str] = []
        for run in self._runs(g):
            label = word if word not in self.labels else f"{word}_{len(self.labels) + 1}"
            self.labels.add(label)
            mats = [self.forward.matrix(g.members[k][1], forward=False) for k in run]
            deltas = [self.sweep.delta(g.members[k][0]) for k in run]
            lead = [str(len(run)), "B"] if len(run) > 1 else ["B"]
            self.setup.append(f"back_{label} = np.empty({n.shape((g.size,), *lead)}, dtype)")
            if len(run) > 1:
                self.setup.append(f"weights_{label} = np.array([{', '.join(mats)}])")
                i = self.runs[deltas[0]]
                self.body.add(f"np.matmul(d[{i}:{i + len(run)}, t], weights_{label}, out=back_{label})  # {', '.join(map(n, deltas))}")
                columns += [f"back_{label}[{k}]" for k in range(len(run))]
            else:
                name = self.local.get(deltas[0]) or n(deltas[0])
                self.body.add(f"np.dot({name}, {mats[0]}, out=back_{label})")
                columns.append(f"back_{label}")
        self.columns[g.symbol] = columns

    def _contraction(self, s: sp.Symbol) -> None:
        value = self.adjoint.atoms[s]
        assert isinstance(value, Tensor)

        def operand(e: sp.Expr) -> str:
            code = infix(e, self.name, WHOLE)
            return code if e.is_Symbol else f"({code})"

        self.einsums += 1
        label = f"e{self.einsums}"
        self.body.add(f"{label} = {einsum(value, operand, self.batched, self.names.size)}")
        self.local[s] = label

    def batched(self, e: sp.Expr) -> bool:
        return any(s.name.startswith("δ") or s in self.plan.batched or (s in self.adjoint.atoms and s not in self.program.atoms) for s in e.free_symbols)
