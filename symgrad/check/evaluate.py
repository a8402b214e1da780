r"""The one interpreter: the value of any formula in a world, in a reading.

`Run.value` goes through a table from node types to rules.  What a name means is settled by the page, what a sign may mean by shapes
(`products`), what a derivative may mean by `derivatives`; every choice that is left is asked of the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from fractions import Fraction as Ratio
from typing import Any

import numpy as np

from symgrad.check import field as F
from symgrad.check import products, sums, values
from symgrad.check.abbreviations import abbreviation
from symgrad.check.activations import ACTIVATIONS, BUILTIN
from symgrad.check.adjoints import adjoint_symbol, differential, fused, marked
from symgrad.check.derivatives import derivative
from symgrad.check.dots import filled
from symgrad.check.functions import Functions
from symgrad.check.page import Definition, Page
from symgrad.check.parts import given
from symgrad.check.products import common, meanings, plus
from symgrad.check.readings import Chooser, Option
from symgrad.check.symbols import DIGITS, Ref, children, head_and_parts, is_top, kind, letters, number_at, spelled, unwrapped
from symgrad.check.values import Misfit, Value, Valueless, scalar
from symgrad.check.world import Lookup, Missing, OutOfTime, Unsupported, World
from symgrad.check.wrt import weight_meant

SIGNS = {"cdot": "cdot", "times": "times", "ast": "ast", "otimes": "otimes", "dot": "dot", "at": "@", "star": "star", "bullet": "bullet"}
NAMED = {  # how a person calls what only stands for something in its surroundings
    "Norm": "a norm", "Tuple": "a list", "Words": "a piece of text", "Ellipsis": "“…”",
    "Cases": "a distinction of cases", "Given": "a condition inside a formula", "Relation": "a relation inside a formula", "Blank": "an empty place",
    "Operator": "a derivative of nothing", "Slice": "a range", "Indicator": "an indicator",
}  # fmt: skip
UNITS = frozenset({"I", "1", "mathbb1", "E", "Id", "mathbf1", "ones", "eye"})


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a part of a claim came to: under which answers, after which questions."""

    answers: tuple[tuple[Hashable, int], ...]
    questions: tuple[tuple[Hashable, tuple[Option, ...]], ...]
    outcome: Value | Exception
    counts: tuple[int, int, int]  # sums without terms, with some, derivatives that vanish


class Run(Functions):
    """One evaluation: a page, a world, a reading, values for the free indices."""

    def __init__(self, page: Page, world: World, chooser: Chooser, env: dict[str, Any], *, lookup: Lookup | None = None, inside: str = "",
                 now: int | None = None, side: str = "", flat: bool = False, lenient: bool = False) -> None:  # fmt: skip
        self.page, self.world, self.chooser, self.env = page, world, chooser, env
        self.lookup = lookup or world.value
        self.inside, self.now, self.side, self.flat, self.lenient = inside, now, side, flat, lenient
        self.depth = 0
        self.root: Any = None
        self.sums: set[str] = set()
        self.defining = bool(inside)
        self.used: set[str] = set()
        self.steps_bound: set[str] = set()
        self.slope_index: list[str] = []
        self.products: list[tuple[Any, ...]] = []
        self.empty = self.filled = 0  # sums and products without terms, and with some
        self.vanished = 0  # derivatives that are zero because nothing leads from the one to the other
        self.stable: frozenset[int] = frozenset()
        self.memo: dict[Any, list[Remembered]] = {}

    # -- entry ----------------------------------------------------------------------------------------------------------------

    def value(self, node: Any) -> Value:
        """The value of a formula."""
        if self.depth > 200:
            raise Unsupported("too deeply nested", node)
        self.depth += 1
        try:
            return self.remembered(node) if id(node) in self.stable else self.evaluated(node)
        finally:
            self.depth -= 1

    def remembered(self, node: Any) -> Value:
        """The value of a part of the claim: readings that agree in all that it asks give it the same value."""
        known = self.memo.setdefault((id(node), tuple((w, self.env[w]) for w in sorted(self.sums))), [])
        fixed = self.chooser.fixed
        for old in known:
            if all(fixed.get(key, 0) == answer for key, answer in old.answers):
                self.chooser.repeat(old.questions)
                self.empty, self.filled, self.vanished = (self.empty + old.counts[0], self.filled + old.counts[1], self.vanished + old.counts[2])
                if isinstance(old.outcome, Exception):
                    raise old.outcome
                return old.outcome
        before, start = (self.empty, self.filled, self.vanished), len(self.chooser.log)
        outcome: Value | Exception
        try:
            outcome = self.evaluated(node)
        except Valueless as e:
            outcome = e
        questions = tuple(dict(self.chooser.log[start:]).items())
        if isinstance(outcome, Valueless) and outcome.asked is None:  # the innermost part without a value
            outcome.asked = frozenset(key for key, _ in questions)
        counts = (self.empty - before[0], self.filled - before[1], self.vanished - before[2])
        known.append(Remembered(tuple((key, fixed.get(key, 0)) for key, _ in questions), questions, outcome, counts))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def evaluated(self, node: Any) -> Value:
        """The value by the rule of the node's type."""
        if self.inside and node is not self.root and kind(node) in _SHAREABLE:
            shared = self.page.named.get(self.page.canon(node, next(iter(self.env), ""), 0))
            if shared is not None and shared != self.inside:
                return self.lookup(shared, self.now)
        rule = RULES.get(kind(node))
        if rule is None:
            raise Unsupported(f"{NAMED.get(kind(node), 'this')} has no value here", node)
        return rule(self, node)

    def definition(self, node: Any, d: Definition) -> Value:
        """The right side of an equation."""
        self.root = node
        out = self.value(node)
        dims = self.world.model.dims[d.key]
        if out.rank == 0 and dims:
            out = values.spread(out, dims)
        return replace(out, orient=0)

    def entry_of(self, node: Any) -> Value:
        """One component of an equation that is given by components."""
        self.root = node
        return self.value(node)

    # -- names ----------------------------------------------------------------------------------------------------------------

    def step_of(self, ref: Ref) -> int | None:
        if ref.key not in self.page.symbols.timed:
            return None
        if ref.step is None:
            if self.page.many_to_one and ref.key in self.page.targets.values():
                return self.world.steps
            if self.now is not None and self.page.symbols.letter not in self.sums:
                return self.now
            at = self.env.get(self.page.symbols.letter, self.env.get("now"))
            if at is None:
                raise OutOfTime(ref.key)
            return int(at)
        at = number_at(ref.step, self.env)
        if at is None or at.denominator != 1:
            raise Missing(next((w for w in letters(ref.step) if w not in self.env), ref.key), ref.step)
        return int(at)

    def entry(self, node: Any, size: int) -> int:
        at = number_at(node, self.env)
        if at is None or at.denominator != 1:
            raise Missing(next((w for w in letters(node) if w not in self.env), "index"), node)
        k = int(at)
        if "offset" in self.env:
            k -= self.env["offset"]
        return k

    def named(self, node: Any) -> Value:
        """A name, or anything that is read as one."""
        ref = self.page.symbols.ref(node)
        if ref is None:
            return self.unnamed(node)
        v = self.quantity(ref)
        if ref.entries:
            if self.flat:
                return v
            v = values.part(v, tuple(self.entry(e, 0) for e in ref.entries))
        return v

    def quantity(self, ref: Ref) -> Value:
        key = ref.key
        self.used.add(key)
        if key in self.page.step_losses or key in self.page.total_losses:
            return self.loss_value(ref)
        v = self.lookup(key, self.step_of(ref))
        if self.page.rows and v.rank == 2 and not self.defining:
            v = values.transposed(v)
        blocks = self.page.blocks.get(key)
        if blocks is not None and not self.defining and not self.flat and not ref.entries:
            v = self.block(v, *blocks)
        if (self.lenient or self.flat) and v.rank == 1:
            v = replace(v, orient=0)
        return v

    def block(self, v: Value, axis: int, sizes: tuple[int, ...], names: tuple[str, ...]) -> Value:
        """The weight of a concatenation, or the part of it that multiplies one of the parts."""
        if v.dims[axis] != sum(sizes):
            return v
        options = [Option(0, None)] + [
            Option(2, k, f"the weights of {', '.join(names)} together stand for the block that multiplies {n}") for k, n in enumerate(names)
        ]
        which = self.chooser.choose(("block", names), tuple(options))
        if which is None:
            return v
        start = sum(sizes[:which])
        at: list[int | slice] = [slice(None)] * v.rank
        at[axis] = slice(start, start + sizes[which])
        return values.part(v, tuple(at))

    def loss_value(self, ref: Ref) -> Value:
        """The loss itself: its own formula where it has one, else a number nobody asks for."""
        return Value(np.full(F.WORLDS, 1, dtype=np.int64) * self.world.draws.drawn("loss", ref.key, str(ref.step)))

    def unnamed(self, node: Any) -> Value:
        """A bound index as a number, I, 1, T, e; a symbol that stands for a derivative; else nothing."""
        at = number_at(node, self.env)
        if at is not None:
            return scalar(at.numerator, at.denominator)
        adjoint = adjoint_symbol(self, node)
        if adjoint is not None:
            return adjoint
        short = abbreviation(self, node)
        if short is not None:
            return short
        hot = self.one_hot(node)
        if hot is not None:
            return hot
        word = spelled(node)
        if word in UNITS:
            return scalar(1)
        if word == "0":
            return scalar(0)
        slope = self.bare_slope(node)
        if slope is not None:
            return slope
        weight = weight_meant(self, node)
        if weight is not None:
            return self.quantity(Ref(weight))
        raise Missing(word or kind(node), node)

    def one_hot(self, node: Any) -> Value | None:
        r"""``\mathbf{1}_{i, y}``: the wanted value as a one-hot vector, its entry i."""
        if kind(node) != "Name" or node.base != "1" or not node.subs:
            return None
        wanted = next(iter(self.page.targets.values()), None)
        at = number_at(node.subs[0], self.env)
        if wanted != "onehot" or at is None:
            return None
        v = self.lookup("onehot", self.env.get(self.page.symbols.letter, self.env.get("now")))
        return v if self.flat else values.part(v, (int(at),))

    # -- sums and products ----------------------------------------------------------------------------------------------------

    def sum(self, node: Any) -> Value:
        args = node.args
        if any(kind(unwrapped(a)) == "Ellipsis" for a in args):
            args = filled(self, args)
        out = self.value(args[0])
        for a in args[1:]:
            out = self.add(out, self.value(a))
        return out

    def add(self, x: Value, y: Value) -> Value:
        if x.rank == 1 and y.rank == 1 and x.orient * y.orient == -1 and not (self.lenient or self.defining) and x.dims == y.dims:
            raise Misfit("a row is added to a column")
        out, note = plus(x, y)
        if note:
            self.chooser.choose(("raised", note), (Option(1, None, note),))
        return out

    def negative(self, node: Any) -> Value:
        return values.negative(self.value(node.arg))

    def product(self, node: Any) -> Value:
        return self.chain(node.args, "")

    def hadamard(self, node: Any) -> Value:
        return self.chain(node.args, products.ENTRYWISE)

    def infix(self, node: Any) -> Value:
        return self.chain(node.args, SIGNS.get(node.sign, node.sign))

    def chain(self, args: tuple[Any, ...], sign: str) -> Value:
        """Factors from left to right."""
        if any(kind(unwrapped(a)) == "Ellipsis" for a in args):
            args = filled(self, args)
        if not sign:
            args = fused(self, args)
        self.products.append(args)
        try:
            out = self.value(args[0])
            for a in args[1:]:
                out = self.times(sign, out, self.value(a))
        finally:
            self.products.pop()
        return out

    def times(self, sign: str, x: Value, y: Value) -> Value:
        if self.lenient:
            x, y = (replace(v, orient=0) if v.rank == 1 and sign == "free" else v for v in (x, y))
        if self.defining:
            x, y = (replace(v, orient=0) if v.rank == 1 else v for v in (x, y))
        found = meanings(sign, x, y)
        if not found and self.lenient:
            found = meanings(sign, replace(x, orient=0), replace(y, orient=0))
        if not found:
            raise Misfit(f"{products.shape(x)} times {products.shape(y)} does not compose")
        if len(found) == 1 and not found[0][1].note:
            return found[0][1].value(x, y)  # type: ignore[no-any-return]
        names = tuple(n for n, _ in found)
        key = ("product", sign if sign in products.SHARED or sign == products.ENTRYWISE else "", x.rank, y.rank, x.orient, y.orient, names)
        rule = self.chooser.choose(key, tuple(o for _, o in found))
        return rule(x, y)  # type: ignore[no-any-return]

    def power(self, node: Any) -> Value:
        exponent = unwrapped(node.exponent)
        if is_top(exponent):
            return values.transposed(self.value(node.base))
        ref = self.page.symbols.ref(node)
        if ref is not None:
            return self.named(node)
        if kind(node.base) == "Name" and node.base.base == "e" and not node.base.subs and ("e" not in self.page.symbols.ranks or kind(exponent) != "Number"):
            return self.apply_known("exp", self.value(node.exponent), 0)
        n = number_at(exponent, self.env)
        if n is None:
            adjoint = self.try_unnamed(node)
            if adjoint is not None:
                return adjoint
            raise Missing(next((w for w in letters(exponent) if w not in self.env), "exponent"), exponent)
        if kind(node.base) in ("Name", "Power", "Index") and self.page.symbols.ref(node.base) is None:
            adjoint = self.try_unnamed(node)
            if adjoint is not None:
                return adjoint
        x = self.value(node.base)
        return self.raised(x, n)

    def try_unnamed(self, node: Any) -> Value | None:
        try:
            return self.unnamed(node)
        except Missing as e:
            if e.where is not node and e.where is not None and kind(e.where) != "str":
                raise
            return None

    def raised(self, x: Value, n: Ratio | int) -> Value:
        if n.denominator != 1:
            if n == Ratio(1, 2):
                return self.apply_known("sqrt", x, 0)
            raise Unsupported("a fractional power")
        k = int(n)
        if abs(k) > 200:
            raise Unsupported("a large power")
        if x.rank == 2 and x.dims[0] == x.dims[1]:
            if k < 0:
                raise Misfit("a negative power of a matrix")
            out = Value(values.eye(x.dims[0]))
            for _ in range(k):
                out = values.contracted(out, x)
            return out
        if k == 0:
            return replace(x, a=np.ones_like(x.a), d=None)
        if k < 0:
            x = Value(F.inverse(x.a), None if x.d is None else -x.d * (F.power(x.a, -2))[..., None] % F.P, x.orient)
            k = -k
        out = x
        for _ in range(k - 1):
            out = values.scaled(out, x, x.orient)
        return out

    def transpose(self, node: Any) -> Value:
        ref = self.page.symbols.ref(unwrapped(node.arg))
        if ref is not None and len(ref.entries) == 2 and not self.flat:  # an entry of the transpose
            return values.part(self.quantity(ref), tuple(self.entry(e, 0) for e in ref.entries[::-1]))
        return values.transposed(self.value(node.arg))

    def fraction(self, node: Any) -> Value:
        below = self.value(node.denominator)
        above = self.value(node.numerator)
        if below.rank and above.rank and below.dims != above.dims:
            raise Misfit("a quotient of different shapes")
        if below.rank > 1:
            raise Misfit("a division by a matrix")
        one_over = Value(F.inverse(below.a), None if below.d is None else -below.d * F.power(below.a, -2)[..., None] % F.P, below.orient)
        return values.scaled(above, one_over, above.orient or below.orient)

    # -- functions ------------------------------------------------------------------------------------------------------------

    def diag(self, node: Any) -> Value:
        x = self.value(node.arg)
        if self.flat:
            return x
        if x.rank == 2:
            return x
        return values.diagonal(x)

    def stack(self, node: Any) -> Value:
        parts = [self.value(a) for a in node.args]
        if len(parts) == 1:
            return parts[0]
        if self.flat:
            raise Unsupported("a stack of numbers", node)
        return values.stacked(parts)

    def index(self, node: Any) -> Value:
        """``W[:, a:b]``, ``(…)_i``; ``W [h, x]`` is a product."""
        if self.page.symbols.ref(node) is not None:
            return self.named(node)
        adjoint = self.try_unnamed(node)
        if adjoint is not None:
            return adjoint
        x = self.value(node.base)
        inner = self.page.symbols.ref(node.base)
        if node.kind == "(" and len(node.parts) == 1 and inner is not None and inner.step is not None:
            return self.times("", x, self.value(node.parts[0]))  # f_t (1): its step is told already
        if any(kind(p) in ("Stack", "Hadamard") or (self.page.symbols.ref(p) is not None and number_at(p, self.env) is None) for p in node.parts):
            v = self.value(node.parts[0]) if len(node.parts) == 1 else values.stacked([self.value(p) for p in node.parts])
            return self.times("", x, v)
        if self.flat:
            return x
        at: list[int | slice] = []
        for p, n in zip(node.parts, (*x.dims, *[0] * 4), strict=False):
            at.append(self.sliced(p, n) if kind(p) == "Slice" else self.entry(p, n))
        return values.part(x, tuple(at))

    def sliced(self, node: Any, n: int) -> slice:
        def bound(side: Any) -> int | None:
            if side is None:
                return None
            at = number_at(side, self.env)
            if at is not None:
                return int(at)
            word = spelled(unwrapped(side)) or ""
            size = self.page_size(word)
            if size is None:
                raise Missing(word, side)
            return size

        return slice(bound(node.lower), bound(node.upper))

    def page_size(self, word: str) -> int | None:
        """A word for a size: in, input, hidden, n_a …"""
        sizes = self.world.model.dims
        low = word.lower()
        state = next((sizes[k] for k in sorted(self.page.lagged) if sizes.get(k)), None)
        given = next((sizes[k] for k in sorted(self.page.symbols.timed) if k not in self.world.model.equations and sizes.get(k)), None)
        if any(w in low for w in ("in", "n_x", "d_x", "m")) and "hid" not in low:
            return given[0] if given else None
        if any(w in low for w in ("hid", "n_a", "n_h", "d_h", "h", "n")):
            return state[0] if state else None
        return None

    def indicator(self, node: Any) -> Value:
        r"""``\mathbf{1}(i = j)``."""
        relation = unwrapped(node.condition)
        if kind(relation) == "Relation" and relation.signs[0] in ("<", ">", "<=", ">=") and any(number_at(x, self.env) is None for x in relation.sides):
            a, b = (self.value(x) for x in relation.sides[:2])
            a, b = (b, a) if relation.signs[0] in ("<", "<=") else (a, b)
            return self.apply_known("step", self.add(a, values.negative(b)) if b.rank or np.any(b.a) else a, 0)
        return scalar(int(self.holds(node.condition)))

    def holds(self, relation: Any) -> bool:
        relation = unwrapped(relation)
        if kind(relation) == "Tuple":
            return all(self.holds(a) for a in relation.args)
        if kind(relation) != "Relation":
            raise Unsupported("an indicator of something else", relation)
        a, b = (number_at(s, self.env) for s in relation.sides[:2])
        if a is None or b is None:
            raise Unsupported("an indicator of values", relation)
        sign = relation.signs[0]
        if sign in ("=", "=="):
            return a == b
        if sign in ("!=", "≠", "ne"):
            return a != b
        return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}.get(sign, False)

    def cases(self, node: Any) -> Value:
        """The row whose condition holds."""
        for value, condition in zip(node.values, node.conditions, strict=False):
            if kind(unwrapped(condition)) in ("Words", "Blank") or self.holds(condition):
                return self.value(value)
        raise Unsupported("no row applies", node)

    def numeral(self, node: Any) -> Value:
        if len(node.text) > DIGITS:
            raise Unsupported("a number with so many digits", node)
        r = Ratio(node.text)
        return scalar(r.numerator, r.denominator)

    def inner(self, node: Any) -> Value:
        return self.value(node.arg)

    def name(self, node: Any) -> Value:
        bound = self.env.get("values", {}).get(spelled(node)) if "values" in self.env else None
        return bound if bound is not None else self.named(node)

    def product_or_name(self, node: Any) -> Value:
        if self.page.symbols.ref(node) is not None:
            return self.named(node)
        return self.product(node)

    def tuple(self, node: Any) -> Value:
        if len(node.args) == 1:
            return self.value(node.args[0])
        return self.stack(node)


def _walk(node: Any) -> Any:
    yield node
    for child in children(node):
        yield from _walk(child)


_SHAREABLE = frozenset({"Apply", "Sum", "Hadamard", "Product", "Infix", "Stack"})
RULES: dict[str, Callable[[Run, Any], Value]] = {
    "Number": Run.numeral, "Name": Run.name, "Sum": Run.sum, "Negative": Run.negative, "Product": Run.product_or_name, "Hadamard": Run.hadamard,
    "Infix": Run.infix, "Power": Run.power, "Transpose": Run.transpose, "Fraction": Run.fraction, "Apply": Run.apply, "Diagonal": Run.diag,
    "Stack": Run.stack, "Index": Run.index, "Indicator": Run.indicator, "Cases": Run.cases, "Big": sums.big, "Derivative": derivative, "Given": given,
    "Paren": Run.inner, "Tuple": Run.tuple, "_Adjoint": marked, "Differential": differential,
}  # fmt: skip
__all__ = ["ACTIVATIONS", "BUILTIN", "Run", "Unsupported", "common", "head_and_parts"]
