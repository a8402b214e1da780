r"""What was left out inside a term: a part of a slope (``-z`` or 1 for ``1 - z``), a summand in a bracket, a factor with its indices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.trees import FACTORS, kind, unwrapped, walk
from symgrad.check.slips.omissions import ONE, Edit, Omissions
from symgrad.notation.syntax import Apply, Derivative, Diagonal, Name, Negative, Number, Power, Product, Sum

TWO = Number("2")
MANY = 40  # quantities


class Completions(Omissions):
    """Parts that a right side lacks."""

    def lacking(self) -> Iterator[Edit]:
        """The edits that are many: sought only to say where a claim is wrong that is refuted without them."""
        yield from self.entries()
        yield from self.summands()

    def steps_told(self) -> list[Any]:
        """The steps at which the claim names quantities."""
        refs = [ref for side in (self.left, self.right) for n in walk(side) if (ref := self.page.symbols.ref(n)) is not None and ref.step is not None]
        return list({self.page.canon(ref.step): ref.step for ref in refs}.values())[:3]

    def indices(self) -> list[Any]:
        """The component indices of the claim, each once."""
        refs = [ref for side in (self.left, self.right) for n in walk(side) if (ref := self.page.symbols.ref(n)) is not None]
        return list({self.page.canon(e): e for ref in refs for e in ref.entries if kind(e) == "Name"}.values())

    def entered(self, node: Any, entries: tuple[Any, ...]) -> Any:
        """The entry of a vector or matrix, written as ``z_{t,i}`` and ``U_{z,ij}`` are; None where that would be another name."""
        if not entries or kind(node) != "Name":
            return None if entries else node
        new = replace(node, subs=(*node.subs, entries[0] if len(entries) == 1 else Product(entries)), span=None)
        ref, whole = self.page.symbols.ref(new), self.page.symbols.ref(node)
        return new if ref is not None and whole is not None and ref.key == whole.key and len(ref.entries) == len(entries) else None

    def quantities(self) -> list[Any]:
        """The vectors of the cell at the steps of the claim, as whole vectors or entry by entry, as the claim has them; those it names come first."""
        page = self.page
        found: dict[str, Any] = {}
        for n in walk(self.right):
            ref = page.symbols.ref(n)
            if ref is not None and ref.key in page.symbols.timed and len(self.dims.get(ref.key, ())) == 1:
                found.setdefault(page.canon(n), replace(n, span=None))
        entries: list[tuple[Any, ...]] = [(i,) for i in self.indices()] or [()]
        for step, (key, dims) in itertools.product(self.steps_told(), self.dims.items()):
            if len(dims) != 1 or key not in page.symbols.timed or key in page.world.model.hidden:
                continue
            node = self.named(key, step)
            for e in entries:
                q = self.entered(node, e) if node is not None else None
                if q is not None:
                    found.setdefault(page.canon(q), q)
        return list(found.values())[:MANY]

    def weights(self) -> list[Any]:
        """The matrices of the cell, or their entries."""
        named = [q for key, dims in self.dims.items() if len(dims) == 2 and (q := self.named(key, None)) is not None]
        pairs: list[tuple[Any, ...]] = [*itertools.permutations(self.indices(), 2)] or [()]
        return [e for q in named for pair in pairs if (e := self.entered(q, pair)) is not None]

    def activated(self) -> list[Any]:
        """``tanh(c_t)``: functions of one quantity that the cell applies without naming the result."""
        out = []
        for d in self.page.definitions.values():
            whole = unwrapped(d.node)
            for n in walk(d.node):
                ref = self.page.symbols.ref(unwrapped(n.args[0])) if kind(n) == "Apply" and len(n.args) == 1 and n is not whole else None
                if ref is not None:
                    out += [Apply(n.function, (q,)) for q in self.quantities() if (r := self.page.symbols.ref(q)) is not None and r.key == ref.key]
        return out[:6]

    def slopes(self) -> Iterator[Edit]:
        """``-q`` and 1 where ``1 - q`` or ``1 - q²`` belongs."""
        ones: list[tuple[Any, Any]] = []  # the node, and what stands before the number in it
        activated = self.activated()
        for n in self.sites():
            parent = self.parents.get(id(n))
            if kind(n) == "Negative" and kind(parent) not in ("Sum", "Name", "Power"):
                whole = Sum((ONE, n))
                yield Edit(self.swap(n, whole), "missing-term", n, whole, "the 1 is missing in this slope")
            elif n == ONE and kind(parent) in FACTORS | {"Diagonal", "Paren"}:
                ones.append((n, None))
            elif kind(n) == "Index" and n.kind == "(" and n.parts == (ONE,):
                ones.append((n, n.base))  # f_t (1)
            elif kind(n) in ("Hadamard", "Product"):
                for a in activated:
                    factor = Sum((ONE, Negative(Power(a, TWO))))
                    yield Edit(self.swap(n, replace(n, args=(*n.args, factor))), "missing-slope", n, None, "a slope is missing", factor)
        if not ones:
            return
        pool = self.quantities()
        for (n, before), q in itertools.product(ones, [*pool, *activated]):
            for subtracted in (q, Power(q, TWO)):
                rest = Sum((ONE, Negative(subtracted)))
                new: Any = rest if before is None else Product((before, rest))
                yield Edit(self.swap(n, new), "missing-term", n, new, "a part of the slope is missing")

    def summands(self) -> Iterator[Edit]:
        """A term that a bracket lacks: a quantity, or one times a weight or times the derivative of a gate."""
        pool = self.quantities()
        brackets = [n for n in self.sites() if n is not self.right and (kind(n) == "Sum" or self.inside(n))]
        for n in brackets:
            own = self.written(n)
            for q in pool:
                if self.written(q) <= own:
                    yield self.added(n, q)
                    yield self.added(n, Negative(q))
        left = unwrapped(self.left)
        if kind(left) != "Derivative":
            return
        diagonal = any(kind(n) == "Diagonal" for n in walk(self.right))
        factors = [*self.weights(), *self.deltas(), *(Derivative(q, unwrapped(left.wrt), "partial") for q in pool if self.defined(q))]
        for n in brackets:
            own = self.written(n)
            for q in pool if kind(n) != "Name" else ():
                d = Diagonal(q) if diagonal else q
                if diagonal:
                    yield self.added(n, d)
                for f in factors:
                    if self.written(q) | self.written(f) <= own:
                        yield self.added(n, Product((d, f)))

    def written(self, node: Any) -> set[str]:
        """The component indices in a formula."""
        refs = (self.page.symbols.ref(n) for n in walk(node))
        return {self.page.canon(e) for ref in refs if ref is not None for e in ref.entries if kind(e) == "Name"}

    def deltas(self) -> list[Any]:
        """Every Kronecker delta of the claim."""
        return list({self.page.canon(n): n for n in walk(self.right) if kind(n) == "Name" and n.base == "delta"}.values())

    def inside(self, n: Any) -> bool:
        """Whether a node may be what is left of a sum: a name, a product or what follows a minus, as a factor."""
        parent = kind(self.parents.get(id(n)))
        factor = kind(n) == "Negative" or self.page.symbols.ref(n) is not None
        return (factor and parent in ("Product", "Hadamard", "Diagonal")) or (kind(n) == "Product" and parent == "Product")

    def summand(self, n: Any) -> bool:
        """Whether a node is a name that is a term by itself."""
        return kind(self.parents.get(id(n))) == "Sum" and (self.page.symbols.ref(n) is not None or n in self.deltas())

    def added(self, n: Any, term: Any) -> Edit:
        new = Sum((*n.args, term)) if kind(n) == "Sum" else Sum((term, n) if kind(n) == "Negative" else (n, term))
        return Edit(self.swap(n, new), "missing-term", n, new, "a term is missing here")

    def defined(self, q: Any) -> bool:
        ref = self.page.symbols.ref(q)
        return ref is not None and ref.key in self.page.definitions

    def other_entries(self) -> Iterator[Edit]:
        """The entry of another quantity, in a formula in components."""
        timed = self.page.symbols.timed
        for n, ref in self.refs():
            alike = [k for k, dims in self.dims.items() if k != ref.key and len(dims) == len(ref.entries) and (k in timed) == (ref.key in timed)]
            for key in alike if ref.entries else ():
                model = self.named(key, ref.step)
                new = self.entered(model, ref.entries) if model is not None and key not in self.page.world.model.hidden else None
                if new is not None:
                    yield Edit(self.swap(n, new), "wrong-symbol", n, new, "another quantity belongs here")

    def entries(self) -> Iterator[Edit]:
        """A factor of a formula in components that was forgotten."""
        indices = self.indices()
        if not indices:
            return
        for n, ref in self.refs():
            rank = len(self.dims.get(ref.key, ()))
            for e in itertools.permutations(indices, rank) if rank and not ref.entries else ():
                new = self.entered(n, e)
                if new is not None:
                    yield Edit(self.swap(n, new), "wrong-shape", n, new, "the indices of this entry are missing")
        vectors = self.quantities()
        vectors += [Sum((ONE, Negative(p))) for q in vectors for p in (q, Power(q, TWO))]
        pool = [(f, True) for f in vectors] + [(f, False) for f in (*self.weights(), *self.kronecker())]
        terms = [n for n in self.sites() if kind(n) == "Product" or self.summand(n)]
        outer = self.written(self.left)
        for n, (factor, first) in itertools.product([*terms, *([self.right] if kind(self.right) not in ("Sum", "Product") else [])], pool):
            args = n.args if kind(n) == "Product" else (n,)
            if self.written(factor) <= self.written(n) | outer:
                new = Product((factor, *args) if first else (*args, factor))
                yield Edit(self.swap(n, new), "missing-factor", n, None, "a factor is missing", factor)

    def kronecker(self) -> list[Any]:
        """``δ_{ij}`` for the indices of the claim."""
        return [Name("delta", subs=(Product(pair),)) for pair in itertools.combinations(self.indices(), 2)]
