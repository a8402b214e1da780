"""The generated ``forward``: input products of all steps at once, then the loop over time, one matrix product for each operand."""

from __future__ import annotations

import sympy as sp

from symgrad.generate.backward.functions import APPLY, WHOLE
from symgrad.generate.backward.lines import Lines, einsum, infix
from symgrad.generate.backward.names import Names, comment
from symgrad.generate.backward.places import Place, Views
from symgrad.generate.backward.plan import Plan, Slot
from symgrad.generate.backward.sweep import Sweep
from symgrad.language.program import base
from symgrad.language.tensor import Tensor
from symgrad.notation.write import Writer


class Forward:
    """Writes ``forward`` line by line; `kept` maps each forward name to the code of its array over all steps."""

    def __init__(self, plan: Plan, sweep: Sweep, names: Names) -> None:
        self.plan, self.sweep, self.names, self.program = plan, sweep, names, plan.program
        self.writer = Writer(plan.program)
        self.setup: list[str] = []
        self.kept: dict[sp.Expr, Place] = {}  # over all steps
        self.local: dict[sp.Symbol, str] = {}  # within a step
        self.views: Views = {}
        self.stored: list[str] = []  # the arrays that backward needs
        self.body = Lines(self.name)
        self.operands: dict[sp.Expr, str] = {}
        self.einsums = 0
        self.done: set[sp.Symbol] = set()
        self.products: dict[sp.Symbol, str] = {}  # the atom U h → the code of its value
        self.product_group: dict[sp.Expr, str] = {}  # operand → all its products
        self.summed: set[sp.Symbol] = set()  # slots to which W x + b has been added already
        self._places()
        self._before()
        self._loop()

    def stored_names(self) -> list[str]:
        """The arrays that backward reads, each once."""
        return list(dict.fromkeys(self.stored))

    # -- places -------------------------------------------------------------------------------------------------------------

    def name(self, s: sp.Symbol) -> str:
        if s in self.local:
            return self.local[s]
        if s in self.program.constants:
            return self.names.block(s)
        if s in self.program.atoms:
            self._contraction(s)
        return self.local.get(s) or self.names(s)

    def _places(self) -> None:
        n, plan = self.names, self.plan
        for old, new in self.program.updates.items():
            whole = f"{base(n(old))}_all"
            self.setup.append(f"{whole} = np.empty({n.shape(self.program.shapes[old], 'T + 1', 'B')}, dtype)  # before the first step, and after every step")
            self.setup.append(f"{whole}[0] = states[{old.name!r}]")
            self.kept |= {old: Place(whole, first=0), new: Place(whole, first=1)}
            self.views |= {n(s): self.kept[s].at("t") for s in (old, new)}
            self.stored.append(whole)
        self.kept |= {x: Place("xs" if len(self.program.inputs) == 1 else f"xs[{x.name!r}]") for x in self.program.inputs}
        self.views |= {n(x): self.kept[x].at("t") for x in self.program.inputs}
        self.gate_of: dict[sp.Symbol, sp.Symbol] = {}
        for k, s in enumerate(plan.stack):
            holds = s if s in self.sweep.reads or s not in plan.activation else plan.activation[s]
            self.gate_of[s] = holds
            if holds in self.sweep.reads:
                self.kept[holds] = Place("gates", k)
        self.constants: set[sp.Symbol] = set()  # what the parameters alone determine
        for s in (*self.program.equations, *self.program.outputs):
            if s in plan.needed and s not in plan.batched:
                self.constants.add(s)
                self.kept[s] = Place(n(s))
                self.stored.append(n(s))
                continue
            if s in self.kept or s in self.gate_of.values() or s not in plan.needed:
                continue
            if s in self.sweep.reads or s in self.program.outputs or s not in plan.moving:
                self.kept[s] = Place(n.all(s))
                self.stored.append(n.all(s))
                self.views[n(s)] = self.kept[s].at("t")
                if s in plan.moving:
                    self.setup.append(f"{n.all(s)} = np.empty({n.shape(self.program.shapes[s], 'T', 'B')}, dtype)")

    def array(self, state: sp.Symbol) -> str:
        """The array of a state before the first step and after every step."""
        return self.kept[state].array

    def whole(self, s: sp.Symbol) -> str:
        """A name over all steps, in code outside the loop."""
        if s in self.kept:
            return str(self.kept[s])
        if s in self.program.constants:
            return self.names.block(s)
        if s in self.program.atoms:
            return self.contraction_all(s)
        return self.names(s)

    def infix(self, e: sp.Expr) -> str:
        """An expression over all steps."""
        return infix(e, self.whole, WHOLE)

    def contraction_all(self, s: sp.Symbol) -> str:
        value = self.program.atoms[s]
        assert isinstance(value, Tensor)
        return einsum(value, lambda e: f"({self.infix(e)})" if not e.is_Symbol else self.whole(e), lambda e: self.batched(e), self.names.size, "tb")

    def batched(self, e: sp.Expr) -> bool:
        return bool(e.free_symbols & self.plan.batched)

    # -- before the loop ----------------------------------------------------------------------------------------------------

    def _before(self) -> None:
        plan, n = self.plan, self.names
        stack = plan.stack
        for s in self.program.equations:  # what depends on no state is computed for all steps at once
            if s in plan.needed and s not in plan.moving and s not in stack:
                self.constants |= {s} - plan.batched
                self.setup.append(f"# {comment(self.writer, s)}")
                slot = plan.slots.get(s)
                value = self.infix(self.program.equations[s]) if slot is None else self._given(slot)
                self.setup.append(f"{self.whole(s)} = {value}")
                self.done.add(s)
        self.bundles = {b[0]: b for b in plan.bundles()}
        bundled = [s for b in self.bundles.values() for s in b]
        self.base: dict[sp.Symbol, str] = {}
        self.bias: dict[sp.Symbol, sp.Expr] = {}
        if stack:
            first = plan.slots[stack[0]].given[0]
            size = self.program.shapes[stack[0]][0]
            x = self.infix(first.operand)
            mats = [self.matrix(plan.slots[s].given[0], forward=True) for s in stack]
            self.setup.append(f"# W x_t of all steps and gates in one product; {', '.join(n(self.gate_of[s]) for s in stack)} overwrite it step by step")
            self.setup.append(f"gates = np.empty({n.shape((size,), str(len(stack)), 'T', 'B')}, dtype)")
            inner = n.size(self.program.shape(first.operand)[0])
            self.setup.append(f"np.matmul({x}.reshape(T * B, {inner}), np.array([{', '.join(mats)}]), out=gates.reshape({len(stack)}, T * B, {n.size(size)}))")
            if any(place.array == "gates" for place in self.kept.values()):
                self.stored.append("gates")
            for k, s in enumerate(stack):
                still = [a for a in sp.Add.make_args(plan.slots[s].rest) if a != 0 and not plan.depends(a)]
                plain = [a for a in still if not self.batched(a)]
                if s in bundled:
                    self.bias[s] = sp.Add(*plain)
                    still = [a for a in still if a not in plain]
                if still:
                    self.setup.append(f"gates[{k}] += {self.infix(sp.Add(*still))}")
                self.base[s] = self.view(self.gate_of[s])
        for s, slot in plan.slots.items():
            if s in plan.moving and s not in stack and slot.given:
                self.setup.append(f"{n(s)}_given = {self._given(slot)}")
                self.base[s] = f"{n(s)}_given[t]"

    def view(self, s: sp.Symbol) -> str:
        """The local name of something with a place in an array."""
        self.local.setdefault(s, self.names(s))
        return self.local[s]

    def matrix(self, p: object, forward: bool) -> str:
        """The matrix that multiplies rows from the right: v @ Uᵀ forward, δ @ U backward."""
        name = self.names(p.matrix)  # type: ignore[attr-defined]
        return f"{name}.T" if forward != p.transposed else name  # type: ignore[attr-defined]

    def _given(self, slot: Slot) -> str:
        """W x_t + b of all steps."""
        parts = [f"{self.paren(p.operand)} @ {self.matrix(p, forward=True)}" for p in slot.given]
        still = sp.Add(*(a for a in sp.Add.make_args(slot.rest) if not self.plan.depends(a)))
        return " + ".join([*parts, *([self.infix(still)] if still != 0 else [])])

    def paren(self, e: sp.Expr) -> str:
        return self.whole(e) if e.is_Symbol else f"({self.infix(e)})"

    # -- the loop -----------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        plan = self.plan
        for s in self.program.equations:
            if s in self.done or s not in plan.needed:
                continue
            if s in self.bundles:
                self._bundle(self.bundles[s])
            elif s in plan.slots:
                self._slot(s)
            else:
                self.body.add(f"# {comment(self.writer, s)}")
                self.body.into(self.program.equations[s], self._target(s), self._shape(s))

    def _shape(self, s: sp.Symbol) -> str:
        return self.names.shape(self.program.shapes[s], "B")

    def _target(self, s: sp.Symbol) -> str:
        """Where a name is written: its place in an array over all steps, or scratch."""
        name = self.names(s)
        self.local[s] = name
        if s not in self.kept and s not in self.gate_of.values():
            self.setup.append(f"{name} = np.empty({self._shape(s)}, dtype)")
        return name

    def _products(self, operand: sp.Expr, size: sp.Expr) -> None:
        """One matrix product for all that multiply this operand."""
        members = self.plan.groups[operand, size]
        if members[0][1].atom in self.products:
            return
        n = self.names
        word = n.operand(operand)
        if operand.is_Symbol:
            self.name(operand)
        elif operand not in self.operands:
            self.operands[operand] = word
            self.setup.append(f"{word} = np.empty({n.shape(self.program.shape(operand), 'B')}, dtype)")
            self.body.into(operand, word, n.shape(self.program.shape(operand), "B"))
        many = len({sz for op, sz in self.plan.groups if op == operand}) > 1
        suffix = f"{word}_{n.size(size)}" if many else word
        if len(members) == 1:
            weights = f"np.ascontiguousarray({self.matrix(members[0][1], forward=True)})"
        else:
            weights = f"np.array([{', '.join(self.matrix(p, forward=True) for _, p in members)}])"
        self.setup.append(f"weights_{suffix} = {weights}")
        lead = [str(len(members))] if len(members) > 1 else []
        self.setup.append(f"products_{suffix} = np.empty({n.shape((size,), *lead, 'B')}, dtype)")
        call = "np.dot" if len(members) == 1 else "np.matmul"
        self.body.add(f"{call}({word}, weights_{suffix}, out=products_{suffix})")
        for k, (_, p) in enumerate(members):
            self.products[p.atom] = f"products_{suffix}[{k}]" if len(members) > 1 else f"products_{suffix}"
        self.product_group[operand] = f"products_{suffix}"
        self._given_at_once([s for s, _ in members], f"products_{suffix}", suffix)

    def _given_at_once(self, members: list[sp.Symbol], part: str, suffix: str) -> None:
        """Where bundles of several activations share a product, W x + b is added to all of them at once."""
        bundled = [s for b in self.bundles.values() for s in b]
        ours = [s for s in members if s in bundled]
        bundles = [b for b in self.bundles.values() if b[0] in ours]
        places, rows = [self.plan.stack.index(s) for s in ours], [members.index(s) for s in ours]
        if len(bundles) < 2 or places != list(range(places[0], places[-1] + 1)) or rows != list(range(rows[0], rows[-1] + 1)):
            return
        count = len(ours)
        whole = part if count == len(members) else f"{part}_ours"
        if whole != part:
            self.views[whole] = f"{part}[{rows[0]}:{rows[-1] + 1}]"
        self.views[f"given_{suffix}"] = f"gates[{places[0]}:{places[-1] + 1}, t]"
        self.body.add(f"{whole} += given_{suffix}")
        if any(self.bias[s] != 0 for s in ours):
            self._bias(suffix, ours)
            self.body.add(f"{whole} += bias_{suffix}")
        self.summed |= set(ours)

    def _bias(self, name: str, slots: list[sp.Symbol]) -> None:
        """b, written out for every sequence, so that it is added without broadcasting."""
        n = self.names
        size = self.program.shapes[slots[0]][0]
        rows = [self.infix(self.bias[s]) if self.bias[s] != 0 else f"np.zeros({n.size(size)})" for s in slots]
        several = len(slots) > 1
        stacked = f"np.array([{', '.join(rows)}])[:, None]" if several else rows[0]
        self.setup.append(f"bias_{name} = np.empty({n.shape((size,), *([str(len(slots))] if several else []), 'B')}, dtype)")
        self.setup.append(f"bias_{name}[...] = {stacked}")

    def _bundle(self, bundle: list[sp.Symbol]) -> None:
        """z and r at once: σ(U h + W x + b)."""
        plan, n = self.plan, self.names
        operand, size = plan.shared(bundle[0]), self.program.shapes[bundle[0]][0]
        gates = [plan.activation[s] for s in bundle]
        for s in bundle:
            self.body.add(f"# {comment(self.writer, plan.activation[s])}")
        self._products(operand, size)
        group = [s for s, _ in plan.groups[operand, size]]
        i, k = group.index(bundle[0]), plan.stack.index(bundle[0])
        part = self.product_group[operand]
        count = len(bundle)
        if len(group) > 1 and count < len(group):
            a = n.joined(["a", *map(n, gates)]) if count > 1 else n(bundle[0])
            self.views[a] = f"{part}[{i}:{i + count}]" if count > 1 else f"{part}[{i}]"
        else:
            a = part
        out = n.joined(map(n, gates)) if len(gates) > 1 else n(gates[0])
        self.views[out] = f"gates[{k}:{k + count}, t]" if count > 1 else Place("gates", k).at("t")
        if bundle[0] not in self.summed:
            self.body.add(f"{a} += {out}")
            if any(self.bias[s] != 0 for s in bundle):
                self._bias(out, bundle)
                self.body.add(f"{a} += bias_{out}")
        kind = plan.kind(bundle[0])[1]
        if kind == "sigmoid":
            self.body.add(f"sigmoid({a}, out={out})")
        else:
            self.body.add(APPLY[kind].format(a=a, out=out))
        for s, g in zip(bundle, gates, strict=True):
            self.local[g] = n(g)
            self.views[n(g)] = Place("gates", plan.stack.index(s)).at("t")
            self.done |= {s, g}

    def _slot(self, s: sp.Symbol) -> None:
        """a = U h + W x + b + …, in the place of the product if nothing reads it later."""
        slot, n = self.plan.slots[s], self.names
        self.body.add(f"# {comment(self.writer, s)}")
        for p in slot.looped:
            self._products(p.operand, self.program.shapes[s][0])
        parts = [self.products[p.atom] for p in slot.looped]
        if s in self.plan.stack:
            k = self.plan.stack.index(s)
            row = Place("gates", k).at("t")
            self.views[f"{n(s)}_given"] = row
            parts.append(f"{n(s)}_given")
            if self.gate_of[s] != s:
                self.views[n(self.gate_of[s])] = row
            elif s in self.sweep.reads:
                self.views[n(s)] = row
        elif s in self.base:
            parts.append(self.base[s])
        if s in self.kept or s in self.program.updates.values():
            out = self._target(s)
            first = parts.pop(0)
            self.body.add(f"np.add({first}, {parts.pop(0)}, out={out})" if parts else f"{out}[...] = {first}")
        else:
            out = n(s)
            first = parts.pop(0)
            self.views[out] = first
            self.local[s] = out
        for x in parts:
            self.body.add(f"{out} += {x}")
        pre = s in self.base
        rest = [a for a in sp.Add.make_args(slot.rest) if a != 0 and not (pre and not self.plan.depends(a))]
        for a in rest:
            simple = self.body.simple(a)
            if simple is not None:
                self.body.add(f"{out} += {simple}")
            else:
                with self.body.spare(self._shape(s)) as tmp:
                    self.body.into(a, tmp, self._shape(s))
                    self.body.add(f"{out} += {tmp}")

    def _contraction(self, s: sp.Symbol) -> None:
        """A contraction that is no product of a matrix and a vector, step by step."""
        value = self.program.atoms[s]
        assert isinstance(value, Tensor)

        def operand(e: sp.Expr) -> str:
            return self.name(e) if e.is_Symbol else f"({infix(e, self.name, WHOLE)})"

        self.einsums += 1
        self.local[s] = f"e{self.einsums}"
        self.body.add(f"{self.local[s]} = {einsum(value, operand, self.batched, self.names.size)}")
