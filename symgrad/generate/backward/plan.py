"""What the generated backward pass computes, and where: the cell made ready for code, its gates stacked, its adjoints gathered.

`prepared` gives every activation and every product of a matrix a name of its own; `Plan` says which products share an operand, which
gates are computed together, which adjoints need a place for all steps, and which steps of the recipe fall outside the loop over time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp
from sympy.core.function import AppliedUndef

from symgrad.calculus.adjoint import vjp
from symgrad.errors import SymgradError
from symgrad.language.functions import ROWS
from symgrad.language.program import Call, Program, base, factors
from symgrad.language.tensor import Factor, Tensor, Term, tensor


@dataclass(frozen=True)
class Product:
    """A matrix (a parameter) times a vector: ``U @ v``, or ``U.T @ v``."""

    atom: sp.Symbol
    matrix: sp.Symbol
    transposed: bool
    operand: sp.Expr


@dataclass(frozen=True)
class Split:
    """A parameter cut into blocks of columns, one for each part of the [h; x] that it multiplies."""

    whole: sp.Symbol
    blocks: tuple[sp.Symbol, ...]
    sizes: tuple[sp.Expr, ...]


def refuse(program: Program) -> None:
    """No code without numbers: free activations and free functions have none, and a chain over layers is no sequence."""
    free = [e for e in program.equations.values() if e.has(AppliedUndef)]
    calls = [a.function for a in program.atoms.values() if isinstance(a, Call)]
    if free or calls:
        name = calls[0] if calls else next(str(f.func) for f in free[0].atoms(AppliedUndef))
        raise SymgradError(
            f"cell {program.name} leaves {name} free, so no code can compute it: write the cell with a function of the table "
            "(np.tanh, sigmoid, relu, …), or ask for --to text or latex"
        )
    if program.index != "t":
        raise SymgradError(f"cell {program.name} counts {program.index}, not time: every step has parameters of its own, and a loop over time does not fit")
    if any(len(program.shapes[x]) != 1 for x in (*program.inputs, *program.states)):
        raise SymgradError(f"cell {program.name} has an input or state that is no vector; code for it is not written yet, --to text or latex is")


def product_of(program: Program, s: sp.Expr) -> Product | None:
    """The atom read as a matrix (a parameter) times a vector, or None."""
    atom = program.atoms.get(s)
    if not isinstance(atom, Tensor) or len(atom.terms) != 1 or atom.rank != 1 or atom.terms[0].coefficient != 1 or len(atom.terms[0].factors) != 2:
        return None
    for matrix, vector in (atom.terms[0].factors, atom.terms[0].factors[::-1]):
        if matrix.value in program.parameters and sorted(matrix.indices) == [0, 1] and vector.indices == (1,) and not isinstance(vector.value, Tensor):
            return Product(s, matrix.value, matrix.indices == (1, 0), vector.value)
    return None


class _Prepare:
    """Rewrites a program so that code can be read off: blocks for [h; x], a name for each activation and each inner product."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.splits: list[Split] = []
        self.atoms = dict(program.atoms)
        self.shapes = dict(program.shapes)
        self.equations: dict[sp.Symbol, sp.Expr] = {}
        self.applied: dict[sp.Expr, sp.Symbol] = {}
        self.taken = {s.name for s in program.order}

    def run(self) -> tuple[Program, tuple[Split, ...]]:
        self.unstack()
        used = [a for e in self.program.equations.values() for a in self.without_stacks(e).free_symbols if a in self.atoms]
        self.repeated = {a for a in used if used.count(a) > 1}  # a product that several equations use is computed once
        for s, expr in self.program.equations.items():
            value = self.without_stacks(expr)
            for atom in sorted(value.free_symbols & self.atoms.keys(), key=str):
                self.inside(atom, s)
            if value in self.atoms:
                self.applied.setdefault(value, s)
            value = self.activations(value, s, whole=True)
            self.equations[s] = self.lifted(value, s, top=True)
        halves = {b.whole: b.blocks for b in self.splits}
        parameters = tuple(q for p in self.program.parameters for q in halves.get(p, (p,)))
        return replace(self.program, equations=self.equations, atoms=self.atoms, shapes=self.shapes, parameters=parameters), tuple(self.splits)

    def fresh(self, wish: str, shape: tuple[sp.Expr, ...]) -> sp.Symbol:
        name, k = wish, 1
        while name in self.taken:
            k += 1
            name = f"{wish}{k}"
        self.taken.add(name)
        self.shapes[sp.Symbol(name)] = shape
        return sp.Symbol(name)

    def unstack(self) -> None:
        """W @ [h; x] = W_h h + W_x x."""
        self.stacked: dict[sp.Symbol, sp.Expr] = {}
        cut: dict[sp.Symbol, Split] = {}
        for s in self.program.atoms:
            found = product_of(self.program, s)
            inner = self.program.atoms.get(self.program.equations.get(found.operand, found.operand)) if found else None
            if found is None or found.transposed or not isinstance(inner, Tensor):
                continue
            selectors = [t.factors[0].value for t in inner.terms]
            if not selectors or not all(e in self.program.constants for e in selectors):
                continue
            sizes = self.program.constants[selectors[0]].parts
            if found.matrix not in cut:
                rows = self.shapes[found.matrix][0]
                labels = [base(self.program.constants[e].label) for e in selectors]
                names = [lab if lab.isidentifier() else str(k) for k, lab in enumerate(labels)]
                cut[found.matrix] = Split(
                    found.matrix, tuple(self.fresh(f"{found.matrix}_{lab}", (rows, n)) for lab, n in zip(names, sizes, strict=True)), sizes
                )
            parts = []
            for block, term in zip(cut[found.matrix].blocks, inner.terms, strict=True):
                value = term.factors[1].value
                atom = sp.Symbol(f"{block}@({value})")
                self.atoms[atom] = tensor(self.shapes[s], [Term(sp.S.One, (Factor(block, (0, 1)), Factor(value, (1,))))])
                self.shapes[atom] = self.shapes[s]
                parts.append(atom)
            self.stacked[s] = sp.Add(*parts)
        uses = [s for s in self.program.atoms if s not in self.stacked]
        whole = {m for s in uses for e in self.program.uses(s) for m in e.free_symbols} | {m for e in self.program.equations.values() for m in e.free_symbols}
        if any(m in whole for m in cut):  # a matrix used otherwise too stays whole
            self.stacked, cut = {}, {}
        self.splits = list(cut.values())

    def without_stacks(self, expr: sp.Expr) -> sp.Expr:
        return expr.xreplace(self.stacked)

    def inside(self, atom: sp.Symbol, owner: sp.Symbol) -> None:
        """Name the activations in the operands of a contraction."""
        value = self.atoms[atom]
        if isinstance(value, Tensor):
            for e in factors(value):
                for deeper in sorted(e.free_symbols & self.atoms.keys(), key=str):
                    self.inside(deeper, owner)
            self.atoms[atom] = value.map(lambda e: self.contractions(self.activations(self.without_stacks(e), owner, whole=False), owner))

    def contractions(self, expr: sp.Expr, owner: sp.Symbol) -> sp.Expr:
        """A contraction inside the operand of another gets a name."""
        return expr.xreplace({a: self.named(a, owner) for a in expr.free_symbols if a in self.atoms})

    def activations(self, expr: sp.Expr, owner: sp.Symbol, whole: bool) -> sp.Expr:
        """tanh(c_t) inside a formula becomes the name tanh_c."""
        if expr.is_Atom:
            return expr
        args = [self.activations(a, owner, whole=False) for a in expr.args]
        value = expr.func(*args)
        if whole or expr.func not in ROWS:
            return value
        if value not in self.applied:
            arg = base(str(args[0])) if args[0].is_Symbol and str(args[0]).isidentifier() else owner.name
            self.applied[value] = self.fresh(f"{ROWS[expr.func].name}_{arg}", self.program.shape(expr))
            self.equations[self.applied[value]] = value
        return self.applied[value]

    def lifted(self, expr: sp.Expr, owner: sp.Symbol, top: bool) -> sp.Expr:
        """A product U v inside r ∘ (U v + b) becomes a name; one that is a summand of the equation stays."""
        program = replace(self.program, atoms=self.atoms, parameters=(*self.program.parameters, *(b for s in self.splits for b in s.blocks)))
        if product_of(program, expr) is not None:
            return expr if top and expr not in self.repeated else self.named(expr, owner)
        if expr in self.atoms:
            return expr if top and owner in self.applied.values() else self.named(expr, owner)
        if expr.is_Atom:
            return expr
        if expr.is_Add:
            inner = sp.Add(*(a if self.summand(program, a) else self.lifted(a, owner, top=False) for a in expr.args))
            return self.named(inner, owner) if not top and any(self.summand(program, a) for a in expr.args) else inner
        return expr.func(*(self.lifted(a, owner, top=False) for a in expr.args))

    def summand(self, program: Program, a: sp.Expr) -> bool:
        return product_of(program, a) is not None and a not in self.repeated

    def named(self, expr: sp.Expr, owner: sp.Symbol) -> sp.Symbol:
        if expr not in self.applied:
            shape = next(self.shapes[s] for s in expr.free_symbols if s in self.atoms)
            self.applied[expr] = self.fresh(f"q_{owner.name.removeprefix('a_')}", shape)
            self.equations[self.applied[expr]] = expr
        return self.applied[expr]


def prepared(program: Program) -> tuple[Program, tuple[Split, ...]]:
    """The same cell in names from which code can be read off."""
    refuse(program)
    return _Prepare(program).run()


def _known_by_value(e: sp.Expr) -> bool:
    """Whether the slope of y = e(a) is a function of y: z(1-z), and 1[y > 0] for relu, but softplus' slope σ(a) is not."""
    y = sp.Symbol("y")
    return ROWS[e.func].name == "relu" or not sp.sympify(ROWS[e.func].slope(y, e.args[0])).free_symbols - {y}


@dataclass(frozen=True)
class Slot:
    """A named sum with matrix products: ``a = W x + U h + b``."""

    name: sp.Symbol
    given: tuple[Product, ...]  # products with what is known before the loop, W x
    looped: tuple[Product, ...]  # products with states, U h
    rest: sp.Expr  # what is left, b


class Plan:
    """The prepared program, its adjoint, and everything's place."""

    def __init__(self, cell: Program) -> None:
        self.cell = cell
        self.program, self.splits = prepared(cell)
        self.equations = vjp(self.program)
        self.adjoint = self.equations.program

    @cached_property
    def products(self) -> dict[sp.Symbol, Product]:
        return {s: p for s in self.program.atoms if (p := product_of(self.program, s)) is not None}

    @cached_property
    def needed(self) -> list[sp.Symbol]:
        """The names and atoms of the step that matter, in order of computation."""
        return self.program.needed({*self.program.updates.values(), *self.program.outputs})

    @cached_property
    def moving(self) -> set[sp.Symbol]:
        """What depends on a state, and so must be computed in the loop."""
        found = set(self.program.states)
        for s in self.needed:
            if any(e.free_symbols & found for e in self.program.uses(s)):
                found.add(s)
        return found

    @cached_property
    def batched(self) -> set[sp.Symbol]:
        """What differs from sequence to sequence: all that depends on an input or a state."""
        found = {*self.program.states, *self.program.inputs}
        for s in self.needed:
            if any(e.free_symbols & found for e in self.program.uses(s)):
                found.add(s)
        return found

    @cached_property
    def slots(self) -> dict[sp.Symbol, Slot]:
        found = {}
        for s, expr in self.program:
            parts = sp.Add.make_args(expr)
            products = [self.products[a] for a in parts if a in self.products]
            if products and s in self.needed:
                given = tuple(p for p in products if not self.depends(p.operand))
                looped = tuple(p for p in products if self.depends(p.operand))
                found[s] = Slot(s, given, looped, sp.Add(*(a for a in parts if a not in self.products)))
        return found

    def depends(self, expr: sp.Expr) -> bool:
        return bool(expr.free_symbols & self.moving)

    @cached_property
    def groups(self) -> dict[tuple[sp.Expr, sp.Expr], list[tuple[sp.Symbol, Product]]]:
        """Products in the loop that share their operand and their size: (operand, size) → (slot, product)."""
        found: dict[tuple[sp.Expr, sp.Expr], list[tuple[sp.Symbol, Product]]] = {}
        for s in self.ordered:
            for p in self.slots[s].looped:
                found.setdefault((p.operand, self.program.shapes[s][0]), []).append((s, p))
        return found

    @cached_property
    def activation(self) -> dict[sp.Symbol, sp.Symbol]:
        """Slot → the gate that is an activation of it alone, with a slope that the gate's own value gives: the slot need not be kept."""
        found: dict[sp.Symbol, sp.Symbol] = {}
        for y, e in self.program:
            if e.func in ROWS and e.args[0] in self.slots and _known_by_value(e):
                users = [t for t in self.needed for u in self.program.uses(t) if e.args[0] in u.free_symbols]
                if users == [y] and y not in self.program.updates.values():
                    found[e.args[0]] = y
        return found

    @cached_property
    def stack(self) -> list[sp.Symbol]:
        """The slots whose input products are computed as one, in the order of the stack: sharing operand, size and activation side by side."""
        full = [
            s
            for s, slot in self.slots.items()
            if len(slot.given) == 1 and len(slot.looped) <= 1 and s in self.moving and s not in self.program.updates.values()
        ]
        if not full:
            return []
        operand, size = self.slots[full[0]].given[0].operand, self.program.shapes[full[0]][0]
        full = [s for s in full if self.slots[s].given[0].operand == operand and self.program.shapes[s][0] == size]
        others = [p.operand for s, slot in self.slots.items() if s not in full for p in slot.looped]
        first: dict[sp.Expr, int] = {}
        for s in full:
            first.setdefault(self.shared(s), len(first))

        def place(s: sp.Symbol) -> tuple[bool, int, str]:
            act = self.activation.get(s)
            kind = self.program.equations[act].func.__name__ if act is not None else ""
            return (self.shared(s) in others, first[self.shared(s)], kind)

        return sorted(full, key=place)

    def shared(self, s: sp.Symbol) -> sp.Expr:
        return self.slots[s].looped[0].operand if self.slots[s].looped else sp.S.Zero

    @cached_property
    def ordered(self) -> list[sp.Symbol]:
        """The slots, the stack first."""
        return [*self.stack, *(s for s in self.slots if s not in self.stack)]

    def bundles(self) -> Iterable[list[sp.Symbol]]:
        """Runs of the stack that are computed together: a = W x + b + U v, the same v, the same activation, nothing else."""
        run: list[sp.Symbol] = []
        for s in self.stack:
            slot = self.slots[s]
            plain = len(slot.looped) == 1 and not self.depends(slot.rest) and s in self.activation
            same = bool(run) and plain and self.kind(run[0]) == self.kind(s)
            if run and not same:
                yield run
                run = []
            if plain:
                run.append(s)
        if run:
            yield run

    def kind(self, s: sp.Symbol) -> tuple[sp.Expr, str]:
        return self.shared(s), self.program.equations[self.activation[s]].func.__name__
