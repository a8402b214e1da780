r"""Shapes of a page by unification: which names are matrices, and which sizes are the same.

Every size is an unknown until an equation says that two of them are equal; a name's number of indices is settled by what it stands
beside.  Then each class of equal sizes gets a number of its own, so that formulas whose shapes do not compose cannot be true.
"""

from __future__ import annotations

from typing import Any

from symgrad.check.defined.definitions import parts_of
from symgrad.check.defined.page import LOSS, Definition, Page
from symgrad.check.reading.statements import step_part
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, number_at, spelled, upright
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

SIZES = (3, 2, 4, 5, 6, 7)


class Size:
    """An unknown size; `parts` of a concatenation."""

    __slots__ = ("link", "number", "parts")

    def __init__(self, parts: tuple[Size, ...] = ()) -> None:
        self.link: Size | None = None
        self.parts = parts
        self.number: int | None = None

    def find(self) -> Size:
        at = self
        while at.link is not None:
            at = at.link
        return at


Shape = tuple[Size, ...]


def unify(a: Size, b: Size) -> None:
    a, b = a.find(), b.find()
    if a is b:
        return
    if a.parts and b.parts:
        if len(a.parts) == len(b.parts):
            for p, q in zip(a.parts, b.parts, strict=True):
                unify(p, q)
            if not (occurs(a, b) or occurs(b, a)):
                a.link = b
        return
    if a.parts:
        a, b = b, a
    if not occurs(a, b):  # a size that is one of its own parts has no number
        a.link = b


def occurs(a: Size, b: Size) -> bool:
    """Whether a size is a part of another, however deep."""
    return any(p.find() is a or occurs(a, p.find()) for p in b.parts)


class Shapes:
    """The shapes of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.of: dict[str, Shape] = {}
        self.votes = [0, 0]  # matrix before vector, vector before matrix

    def quantity(self, key: str) -> Shape:
        found = self.of.get(key)
        if found is None:
            rank = self.page.symbols.ranks.get(key, 1)
            found = self.of[key] = (Size(),) * rank if key in self.page.kinds else tuple(Size() for _ in range(rank))
        return found

    def infer(self) -> None:
        """Go through every equation, twice, so that what is settled late is used early."""
        for _ in range(2):
            for key, d in self.page.definitions.items():
                if d.entries:
                    self.entrywise(d)
                    continue
                shape = self.shape(d.node)
                mine = self.quantity(key)
                if shape is None:
                    continue
                if len(shape) == len(mine):
                    for p, q in zip(shape, mine, strict=True):
                        unify(p, q)
                elif shape and key != LOSS:
                    self.page.symbols.ranks[key] = len(shape)
                    self.of[key] = shape

    def entrywise(self, d: Any) -> None:
        """An equation between components: equal index letters are equal sizes."""
        sizes: dict[str, Size] = {}
        mine = self.quantity(d.key)
        for e, size in zip(d.entries, mine, strict=False):
            for w in letters(e):
                sizes.setdefault(w, size)
                unify(sizes[w], size)
        for node in walk(d.node):
            ref = self.page.symbols.ref(node)
            if ref is not None:
                found = zip(ref.entries, self.quantity(ref.key), strict=False)
            elif kind(node) == "Index" and node.kind == "_":  # ``softmax(z)_k``
                found = zip(node.parts, self.shape(node.base) or (), strict=False)
            else:
                continue
            for e, size in found:
                if kind(unwrapped(e)) == "Name":
                    for w in letters(e):
                        unify(sizes.setdefault(w, size), size)

    def shape(self, node: Any) -> Shape | None:
        """The shape of a formula; None where it is not known."""
        node = unwrapped(node)
        k = kind(node)
        ref = self.page.symbols.ref(node)
        if ref is not None:
            return self.quantity(ref.key)[len(ref.entries) :]
        if k in ("Number", "Fraction") or (k == "Name" and number_at(node, {}) is not None):
            return () if k == "Number" else self.shape(node.numerator) or self.shape(node.denominator)
        if k == "Name" and node in (Name("T"), Name("N")):  # how many steps there are
            return ()
        if k == "Sum":
            return self.alike([self.shape(a) for a in node.args])
        if k == "Negative":
            return self.shape(node.arg)
        if k == "Hadamard":
            return self.alike([self.shape(a) for a in node.args])
        if k in ("Product", "Infix"):
            return self.chain([self.shape(a) for a in node.args], node)
        if k == "Transpose" or (k == "Power" and is_top(node.exponent)):
            inner = self.shape(node.arg if k == "Transpose" else node.base)
            return None if inner is None else inner[::-1]
        if k == "Power":
            inner = self.shape(node.base)
            if inner is not None and len(inner) == 2 and number_at(node.exponent, {}) == -1:
                unify(*inner)
            return inner
        if k == "Apply":
            shapes = [self.shape(a) for a in node.args]
            if len(node.args) == 1:
                return shapes[0]
            return self.of.setdefault("call:" + (spelled(node.function) or ""), (Size(),)) if not self.scalar_call(node) else ()
        if k == "Stack":
            parts = [self.stacked(a) for a in node.args]
            if len(parts) == 1:
                return parts[0]
            if all(p is not None and len(p) == 1 for p in parts):
                return (Size(tuple(p[0] for p in parts if p)),)
            return None
        if k == "Index" and node.kind == "part":
            whole = self.shape(node.base)
            if whole is None or len(whole) != 1:
                return None
            cut = Size(tuple(Size() for _ in range(int(node.parts[1].text))))
            unify(whole[0], cut)  # in vain where the whole is made of another number of parts
            return (cut.parts[int(node.parts[0].text)],)
        if k == "Index":
            base = self.shape(node.base)
            inside = self.shape(node.parts[0]) if node.parts else None
            if base is not None and len(base) == 2 and inside:
                return self.chain([base, inside], node)
            return None
        if k == "Tuple" and len(node.args) > 1:
            parts = [self.stacked(a) for a in node.args]
            if all(p is not None and len(p) == 1 for p in parts):
                return (Size(tuple(p[0] for p in parts if p)),)
        if k == "Diagonal":
            inner = self.shape(node.arg)
            return inner * 2 if inner is not None and len(inner) == 1 else inner
        if k == "Big":
            return self.shape(node.body)
        if k in ("Norm", "Absolute"):
            self.shape(node.arg)
            return ()
        return None

    def stacked(self, node: Any) -> Shape | None:
        r"""The shape of a part of ``[h_{t-1}; x_t; 1]``, where a number is one entry: the weight of the bias stands behind the others."""
        if kind(unwrapped(node)) != "Number":
            return self.shape(node)
        one = Size()
        one.number = 1
        return (one,)

    def scalar_call(self, node: Any) -> bool:
        word = spelled(node.function)
        return word in self.page.step_losses | self.page.total_losses

    def alike(self, shapes: list[Shape | None]) -> Shape | None:
        best: Shape | None = None
        for s in shapes:
            if s is not None and (best is None or len(s) > len(best)):
                best = s
        for s in shapes:
            if s is not None and best is not None and len(s) == len(best):
                for p, q in zip(s, best, strict=True):
                    unify(p, q)
        return best

    def chain(self, shapes: list[Shape | None], node: Any) -> Shape | None:
        """Factors from left to right: matrices compose, vectors multiply entry by entry, a column and a row make a matrix, ``v_t k_t^\\top``."""
        out = shapes[0]
        for k, s in enumerate(shapes[1:], 1):
            vectors = out is not None and s is not None and len(out) == len(s) == 1 and kind(node) in ("Product", "Infix")
            if vectors and out is not None and s is not None and self.column_and_row(*node.args[k - 1 : k + 1]):
                out = (*out, *s)
            elif vectors and self.column_and_row(*node.args[k - 1 : k + 1][::-1]):
                self.times(out, s)
                out = ()
            else:
                out = self.times(out, s)
        return out

    def column_and_row(self, a: Any, b: Any) -> bool:
        """Whether of two vectors the one that stands first is the column; which is upright is told by the weights before or behind vectors."""
        first, second = (kind(n) == "Transpose" or (kind(n) == "Power" and is_top(n.exponent)) for n in (unwrapped(a), unwrapped(b)))
        rows = self.votes[1] > self.votes[0]
        return first and not second if rows else second and not first

    def times(self, a: Shape | None, b: Shape | None) -> Shape | None:
        if a is None or b is None:
            return None
        if not a or not b:
            return a or b
        if len(a) == 2 and len(b) == 1:
            self.votes[0] += 1
            unify(a[1], b[0])
            return (a[0],)
        if len(a) == 1 and len(b) == 2:
            self.votes[1] += 1
            unify(a[0], b[0])
            return (b[1],)
        if len(a) == 2 and len(b) == 2:
            unify(a[1], b[0])
            return (a[0], b[1])
        if len(a) == 1 and len(b) == 1:
            unify(a[0], b[0])
            return a
        return None  # of tensors: the worlds tell whether it has a value

    def numbers(self, flat: bool) -> dict[str, tuple[int, ...]]:
        """A number for every size; in the scalar reading nothing has indices."""
        if flat:
            return dict.fromkeys(self.of, ())
        states = sorted(self.page.lagged)
        order = [self.of[k] for k in states if k in self.of]
        order += [self.of[k] for k in self.of if k in self.page.symbols.timed and k not in self.page.definitions]
        order += [self.of[k] for k in self.page.definitions if k in self.of]
        order += list(self.of.values())
        used = 0
        for shape in order:
            for size in shape:
                s = size.find()
                if s.parts or s.number is not None:
                    continue
                s.number = SIZES[min(used, len(SIZES) - 1)]
                used += 1
        return {key: tuple(numbered(s) for s in shape) for key, shape in self.of.items()}


def numbered(size: Size) -> int:
    s = size.find()
    if s.parts:
        return sum(numbered(p) for p in s.parts)
    return s.number or 1


def matrix_like(node: Any) -> bool:
    """Whether a letter is one that people write for a matrix."""
    split = head_and_parts(node)
    if split is None:
        return False
    base = split[0].base
    return (base[:1].isupper() and base not in ("L", "E", "T")) or base in ("Gamma", "Theta", "Lambda", "Omega", "Phi", "Psi", "Sigma", "w")


def decomposed(d: Definition) -> tuple[Any, ...]:
    r"""The factors of ``W = Q \Lambda Q^{-1}``, a matrix as a product of others; none of anything else."""
    node = unwrapped(d.node)
    factors = tuple(map(unwrapped, node.args)) if kind(node) == "Product" and d.side is not None and step_part(parts_of(d.side), d.letter) is None else ()
    bare = [a.base if kind(a) == "Power" and number_at(a.exponent, {}) == -1 else upright(a) or a for a in factors]
    return factors if len(bare) > 2 and all(map(matrix_like, (unwrapped(d.side), *bare))) else ()
