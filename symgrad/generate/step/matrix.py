"""The lines of generated code that make matrices: sums of scaled cores, gemm and gemv, and einsum for everything that is no chain."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symgrad.generate.step.einsum import einsum_lines
from symgrad.generate.step.lines import Lines, Names, Value, view_text
from symgrad.generate.step.needs import Needs
from symgrad.generate.step.nodes import Cut, Eye, Gemv, General, Item, Leaf, Nested, Ones, Product, Sum, cut
from symgrad.generate.step.plan import Lowering
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term


class MatrixLines:
    """The part of the writer that knows matrices."""

    needs: Needs
    lowering: Lowering
    batch: bool
    lines: Lines
    names: Names
    prologue: list[str]
    memo: dict[Any, Value]

    def value(self, expr: sp.Expr) -> Value:
        raise NotImplementedError

    def size(self, dim: sp.Expr) -> str:
        raise NotImplementedError

    def span(self, part: Cut) -> str:
        raise NotImplementedError

    def part(self, value: Value, index: str, dims: tuple[str, ...]) -> Value:
        raise NotImplementedError

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def whole(self, value: Tensor) -> Value:
        """A tensor as an array of its own, computed once."""
        if ("tensor", value) not in self.memo:
            if value.rank == 2:
                found = self.matrix(self.lowering.matrix(value), tuple(self.size(d) for d in value.dims))
            else:
                found = self.lines.value(tuple(self.size(d) for d in value.dims), self._any_batched(value))
                self.tensor_into(value, found)
            self.memo["tensor", value] = found
        return self.memo["tensor", value]

    def tensor_into(self, value: Tensor, out: Value) -> None:
        """Compute a tensor into an array."""
        if value.rank == 2:
            self.sum_into(self.lowering.matrix(value), out)
            return
        self.lines.add(f"{out}.fill(0)")
        for term in value.terms:
            self.general(term, out)

    def _any_batched(self, value: Tensor) -> bool:
        return self.batch and any(self._factor(f.value).batched for t in value.terms for f in t.factors if not self._constant_block(f.value))

    def _constant_block(self, value: object) -> bool:
        return value in (IDENTITY, ONE) or value in self.needs.program.constants

    def _factor(self, value: sp.Expr | Tensor) -> Value:
        if not isinstance(value, Tensor):
            return self.value(value)
        return self.whole(value) if value.rank > 1 else self.value(self.lowering.vector(value))

    # -- gemv and gemm ---------------------------------------------------------------------------------------------------

    def gemv(self, d: Gemv) -> Value:
        """M v; with a batch, one gemm for all points of the chunk."""
        m = self.leaf(d.matrix) if isinstance(d.matrix, Leaf) else self.whole(d.matrix.value)
        v = self.value(d.vector)
        out = self.lines.value(m.dims[:1], m.batched or v.batched)
        if not m.batched:
            self.lines.add(f"dot({self.flat(m)}, {v}, {out})", pointwise=False)
        elif v.batched:
            self.lines.add(f'einsum("ikc,kc->ic", {m}, {v}, out={out})', pointwise=False)
        else:
            self.lines.add(f'einsum("ikc,k->ic", {m}, {v}[:, 0], out={out})', pointwise=False)
        return out

    def flat(self, m: Value) -> str:
        """A matrix without the batch axis."""
        if not self.batch:
            return str(m)
        if m.flat is not None:
            return m.flat
        return m.view("flat") if m.name is None else f"{m}.reshape({m.dims[0]}, -1)"

    def leaf(self, core: Leaf) -> Value:
        """A matrix that is there, transposed and cut: a view."""
        base = self.value(core.value)
        if not (core.transposed or core.rows or core.columns):
            return base
        if core not in self.memo:
            dims = base.dims[::-1] if core.transposed else base.dims
            dims = (self.size(core.rows[1]) if core.rows else dims[0], self.size(core.columns[1]) if core.columns else dims[1])
            turn = "" if not core.transposed else ".transpose(1, 0, 2)" if self.batch and base.batched else ".T"
            taken = [self.span(c) if c else ":" for c in (core.rows, core.columns)]
            index = f"[{', '.join(taken)}]" if core.rows or core.columns else ""
            if base.name is None or base.batched:
                if self.batch and not base.batched:
                    turn = turn and ".transpose(1, 0, 2)"
                self.memo[core] = self.part(base, turn + index, dims)
                if self.batch and not base.batched:
                    self.memo[core].flat = f"{self.memo[core].name}[:, :, 0]"
            else:
                name = self.names.take(f"{base.flat or base.name}_part")
                self.prologue.append(f"{name} = {base.flat or base.name}{turn}{index}")
                wide = name
                if self.batch:
                    wide = self.names.take(f"{name}_wide")
                    self.prologue.append(f"{wide} = {name}[..., None]")
                self.memo[core] = self.lines.value(dims, False, wide, flat=name)
        return self.memo[core]

    def dims(self, value: Sum) -> tuple[str, str]:
        """Rows and columns of a sum."""
        for item in value:
            core = item.core
            if isinstance(core, Leaf | Nested):
                rows, columns = self.lowering.core_shape(core)
                return self.size(rows), self.size(columns)
            if isinstance(core, Product):
                return self.dims(core.left)[0], self.dims(core.right)[1]
        rows, columns = ([self.lowering.shape(e) for e in pair] for pair in zip(*((i.left, i.right) for i in value), strict=True))
        found = [next((s[0] for s in side if s), None) for side in (rows, columns)]
        first, second = found[0] or found[1], found[1] or found[0]
        if first is None or second is None:
            raise NotImplementedError
        return self.size(first), self.size(second)

    def matrix(self, value: Sum, dims: tuple[str, ...] | None = None) -> Value:
        """A sum as an array; a single bare core is not copied."""
        if len(value) == 1 and value[0].left == 1 and value[0].right == 1:
            core = value[0].core
            if isinstance(core, Leaf):
                return self.leaf(core)
            if isinstance(core, Nested):
                return self.whole(core.value)
            if isinstance(core, Product):
                return self.product(core)
        if value not in self.memo:
            made = self.lines.value(dims or self.dims(value), self.sum_batched(value))
            self.sum_into(value, made)
            self.memo[value] = made
        return self.memo[value]

    def sum_batched(self, value: Sum) -> bool:
        """Whether a sum differs from point to point."""
        if not self.batch:
            return False
        for item in value:
            if self.value(item.left).batched or self.value(item.right).batched:
                return True
            core = item.core
            if isinstance(core, Leaf) and self.value(core.value).batched:
                return True
            if isinstance(core, Nested) and self.whole(core.value).batched:
                return True
            if isinstance(core, Product) and (self.sum_batched(core.left) or self.sum_batched(core.right)):
                return True
            if isinstance(core, General) and self._any_batched(Tensor((), (core.term,))):
                return True
        return False

    def product(self, core: Product) -> Value:
        """Two matrices meet, in an array of their own."""
        if core not in self.memo:
            left, right = self.matrix(core.left), self.matrix(core.right)
            out = self.lines.value((left.dims[0], right.dims[1]), left.batched or right.batched)
            self._gemm(left, right, out)
            self.memo[core] = out
        return self.memo[core]

    def _gemm(self, a: Value, b: Value, out: Value) -> None:
        if not a.batched:  # one gemm for all points: b has the points as further columns
            self.lines.add(f"dot({self.flat(a)}, {self.flat(b)}, {self.flat(out)})", pointwise=False)
        elif not b.batched:
            self.lines.add(f"matmul({self.flat(b)}.T, {a}, {out})", pointwise=False)
        else:
            self.lines.add(f"copyto({out}.transpose(2, 0, 1), matmul({a}.transpose(2, 0, 1).copy(), {b}.transpose(2, 0, 1).copy()))", pointwise=False)

    # -- sums ------------------------------------------------------------------------------------------------------------

    def sum_into(self, value: Sum, out: Value) -> None:
        """Σ diag(left) core diag(right): terms with one right factor are added before their columns are scaled."""
        groups: dict[sp.Expr, list[Item]] = {}
        for item in value:
            if not isinstance(item.core, Eye | General):
                groups.setdefault(sp.S.One if isinstance(item.core, Ones) else item.right, []).append(item)
        for k, (right, group) in enumerate(sorted(groups.items(), key=lambda g: -len(g[1]))):
            target = out if k == 0 else self._like(out, f"extra{len(group) > 1}")
            self._group(group, target, out)
            if right != 1:
                self._line(f"multiply({target}, {self.value(right)}, {target})")
            if k > 0:
                self._line(f"add({out}, {target}, {out})")
        if not groups:
            self._line(f"{out}.fill(0)")
        for item in value:
            if isinstance(item.core, Eye):
                self._diagonal(item, out)
            elif isinstance(item.core, General):
                self._scaled_general(item, item.core.term, out)

    def _scaled_general(self, item: Item, term: Term, out: Value) -> None:
        """out += diag(left) term diag(right)."""
        if item.left == 1 and item.right == 1:
            self.general(term, out)
            return
        scratch = self._like(out, "general")
        self._line(f"{scratch}.fill(0)")
        self.general(term, scratch)
        if item.left != 1:
            self._line(f"multiply({scratch}, {self._column(self.value(item.left))}, {scratch})")
        if item.right != 1:
            self._line(f"multiply({scratch}, {self.value(item.right)}, {scratch})")
        self._line(f"add({out}, {scratch}, {out})")

    def _line(self, text: str) -> None:
        self.lines.add(text, pointwise=False)

    def _group(self, group: list[Item], target: Value, out: Value) -> None:
        """Σ diag(left) core: the first into the target, the others by way of a scratch array."""

        def rank(item: Item) -> int:
            return 0 if self._in_place(item, out) else 1 if item.left != 1 else 2

        for k, item in enumerate(sorted(group, key=rank)):
            scale = "" if item.left == 1 else self._column(self.value(item.left))
            if isinstance(item.core, Ones):
                source = str(self.value(item.right))
                source = f"{source}[None]" if self.batch and self.value(item.right).dims else source
                scale = scale or str(self.value(sp.S.One))
            elif k == 0 and target is out and isinstance(item.core, Product) and self._in_place(item, out):
                self._gemm(self.matrix(item.core.left), self.matrix(item.core.right), target)
                source = str(target)
            else:
                source = str(self.matrix((Item(sp.S.One, item.core, sp.S.One),)))
            if k == 0:
                if scale:
                    self._line(f"multiply({source}, {scale}, {target})")
                elif source != str(target):
                    self._line(f"copyto({target}, {source})")
                continue
            if scale:
                scratch = self._like(out, "scratch")
                self._line(f"multiply({source}, {scale}, {scratch})")
                source = str(scratch)
            self._line(f"add({target}, {source}, {target})")

    def _in_place(self, item: Item, out: Value) -> bool:
        core = item.core
        if not isinstance(core, Product) or self.needs.products[core] > 1 or core in self.memo:
            return False
        return self.sum_batched((Item(sp.S.One, core, sp.S.One),)) == out.batched

    def _like(self, out: Value, purpose: str) -> Value:
        """A scratch array of the same shape."""
        key = (purpose, out.number)
        if key not in self.memo:
            self.memo[key] = self.lines.value(out.dims, out.batched)
        return self.memo[key]

    def _column(self, left: Value) -> str:
        """A vector as a column that scales rows."""
        if not left.dims:
            return str(left)
        return left.view("column") if left.name is None else f"{left.name}[:, None]"

    def _diagonal(self, item: Item, out: Value) -> None:
        """diag(v) is added to the diagonal; the constant block E, to the diagonal of its place."""
        core = item.core
        assert isinstance(core, Eye)
        v = self.value(item.left * item.right) if core == Eye() else None
        if v is not None:
            if out.name is None:
                view = out.view("diagonal")
            else:
                view = self.names.take(f"{out.name}_diagonal")
                self.prologue.append(f"{view} = {view_text(out.name, 'diagonal', out.dims, self.batch)}")
            self.lines.add(f"add({view}, {v}, {view})", pointwise=False)
            return
        part = core.rows or core.columns
        assert part is not None
        place = f"[{self.span(part)}]" if core.rows else f"[:, {self.span(part)}]"
        left, right = self.value(item.left), self.value(item.right)
        long, short = (left, right) if core.rows else (right, left)
        taken = f"{long}[{self.span(part)}]" if long.dims else str(long)
        view = self.names.take(f"d{len(self.lines.values)}")
        self.lines.add(f'{view} = einsum("ii...->i...", {out}{place})\nadd({view}, {taken} * {short}, {view})', pointwise=False)

    def general(self, term: Term, out: Value) -> None:
        """out += a term that is no product of matrices."""
        values = {f.value: self._factor(f.value) for f in term.factors if not self._constant_block(f.value)}
        blocks = {s: cut(c) for s, c in self.needs.program.constants.items()}
        text = einsum_lines(term, out, values, blocks, self.span, self.batch, self.value, self.names.take(f"e{len(self.lines.body)}"))
        if text:
            self.lines.add(text, pointwise=False)
