r"""Single edits of a formula: what a writer's slip of the pen may have been.

`edits` yields changed right sides, likely slips first: a transpose, a step off by one, a bound, an exponent, a sign, z for 1 - z, two
factors in the wrong order, another weight, a factor or term too many, a factor or term too few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.reading.activations import BUILTIN, meaning
from symgrad.check.reading.statements import names_in
from symgrad.check.reading.symbols import Ref, _step_like, head_and_parts, is_top, letters, spelled
from symgrad.check.reading.trees import FACTORS, children, kind, rebuilt, shifted, unwrapped, walk, with_children
from symgrad.check.slips.completions import Completions
from symgrad.check.slips.omissions import ONE, Edit
from symgrad.notation.syntax import (
    Apply,
    Hadamard,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Sum,
    Transpose,
)


class Slips(Completions):
    """The edits of one claim on one page."""

    def __init__(self, page: Page, right: Any, left: Any, of_numbers: bool = False) -> None:
        self.page, self.right, self.left, self.of_numbers = page, right, left, of_numbers
        self.models = self.exemplars()
        self.dims = page.world.model.dims
        self.parents: dict[int, Any] = {}
        for n in walk(right):
            for c in children(n):
                self.parents[id(c)] = n
        self.inside_names = {id(x) for n in walk(right) if kind(n) == "Variable" or page.symbols.ref(n) is not None for x in walk(n) if x is not n}

    # -- names in the author's notation ---------------------------------------------------------------------------------------

    def exemplars(self) -> dict[str, Any]:
        """For every quantity, a node that names it as the author does."""
        settled, ranks = self.page.settled, self.page.symbols.ranks
        out = {key: n for n in walk(self.right) if kind(n) == "Name" and (key := settled.get(spelled(n) or "")) is not None and ranks.get(key) == 2}
        sources = [d.side for d in self.page.definitions.values() if d.side is not None]
        sources += [d.node for d in self.page.definitions.values()] + [self.left, self.right] + [n for _, _, n in self.page.cuts.values()]
        for source in sources:
            for n in walk(source):
                ref = self.page.symbols.ref(n)
                if ref is not None and not ref.entries:
                    out.setdefault(ref.key, n)
        return out

    def named(self, key: str, step: Any) -> Any:
        """The quantity at a step, as the author writes it."""
        node = self.models.get(key)
        if node is None:
            return None
        ref = self.page.symbols.ref(node)
        if ref is None or ref.step is None or step is None:
            return _unplaced(node)
        inner = next((n for n in walk(node) if n is ref.step), None)
        return None if inner is None else _unplaced(rebuilt(node, {id(inner): step}))

    def swap(self, old: Any, new: Any) -> Any:
        while old is not self.right:
            parent = self.parents[id(old)]
            old, new = parent, with_children(parent, {id(old): new})
        return new

    def sites(self) -> Iterator[Any]:
        """Every node that may be edited: names as a whole, nothing inside them."""
        for n in walk(self.right):
            if id(n) not in self.inside_names:
                yield n

    def refs(self) -> Iterator[tuple[Any, Ref]]:
        seen: set[int] = set()
        for n in self.sites():
            ref = self.page.symbols.ref(n)
            if ref is not None and id(n) not in seen:
                seen.add(id(n))
                yield n, ref

    def all_edits(self) -> Iterator[Edit]:
        """All single edits, likely ones first."""
        rules = (
            self.transposes,
            self.steps,
            self.summed_steps,
            self.bounds,
            self.exponents,
            self.signs,
            self.complements,
            self.slopes,
            self.unapplied,
            self.other_slopes,
            self.values_inside,
            self.doubled,
            self.orders,
            self.brackets,
            self.immediate,
            self.others,
            self.other_entries,
            self.missing_steps,
            self.missing_uses,
            self.missing_terms,
            self.dropped,
            self.numbers,
            self.slices,
            self.slope_arguments,
            *(() if self.indices() else (self.inserted,)),
        )
        for rule in rules:
            yield from rule()

    # -- the slips ------------------------------------------------------------------------------------------------------------

    def transposes(self) -> Iterator[Edit]:
        for n in self.sites():
            k = kind(n)
            if k == "Transpose" or (k == "Power" and is_top(n.exponent)):
                inner = n.arg if k == "Transpose" else n.base
                yield Edit(self.swap(n, inner), "transposed-factor", n, inner, "this factor must not be transposed")
        for n, ref in self.refs():
            parent = self.parents.get(id(n))
            if len(self.dims.get(ref.key, ())) == 2 and not ref.entries and kind(parent) not in ("Derivative", "Transpose") and not topped(parent):
                new = Transpose(n)
                yield Edit(self.swap(n, new), "transposed-factor", n, new, "this factor must be transposed")
            if len(ref.entries) == 2:
                row, column = ref.entries
                exchanged = rebuilt(n, {id(row): column, id(column): row})
                yield Edit(self.swap(n, exchanged), "transposed-factor", n, exchanged, "the row and the column of this entry are exchanged")
        for n in self.sites():
            if kind(n) in ("Derivative", "Sum", "Hadamard") and kind(self.parents.get(id(n))) in ("Product", "Infix", "Sum"):
                new = Transpose(n)
                yield Edit(self.swap(n, new), "transposed-factor", n, new, "this factor must be transposed")

    def steps(self) -> Iterator[Edit]:
        for by in (-1, 1):
            for n, ref in self.refs():
                if ref.step is not None and ref.key in self.page.symbols.timed:
                    inner = next((x for x in walk(n) if x is ref.step), None)
                    if inner is not None:
                        new = rebuilt(n, {id(inner): shifted(ref.step, by)})
                        yield Edit(self.swap(n, new), "wrong-time-index", n, new, f"the step is {'one too late' if by < 0 else 'one too early'} here")
            for n in self.sites():
                if kind(n) == "Apply" and len(n.args) == 1 and kind(arg := unwrapped(n.args[0])) == "Sum":  # ``f'(W h_{t-1} + U x_t)``
                    new = self.moved(arg, by)
                    yield Edit(self.swap(arg, new), "wrong-time-index", arg, new, f"the steps are {'one too late' if by < 0 else 'one too early'} here")
        for n in self.sites():  # adjoint symbols and losses, whose steps stand in a subscript
            split = head_and_parts(n) if kind(n) in ("Name", "Power", "Index") else None
            if split is None or self.page.symbols.ref(n) is not None:
                continue
            for p in split[1]:
                found = [p.node] if _step_like(p.node) and self.page.symbols.letter in set(letters(p.node)) else []
                inner_ref = self.page.symbols.ref(p.node)
                if inner_ref is not None and inner_ref.step is not None:
                    found = [inner_ref.step]
                for step in found:
                    for by in (-1, 1):
                        if any(x is step for x in walk(n)):
                            new = rebuilt(n, {id(step): shifted(step, by)})
                            yield Edit(self.swap(n, new), "wrong-time-index", n, new, f"the step is {'one too late' if by < 0 else 'one too early'} here")

    def summed_steps(self) -> Iterator[Edit]:
        r"""``\sum_{k=1}^t \delta_t``: the step at which a sum ends, in the place of the one that it counts."""
        for big in self.sites():
            outer = set(letters(big.upper)) if kind(big) == "Big" and kind(big.index) == "Name" and big.upper is not None else set()
            parts = [(n, p.node) for n, _, found in names_in(big.body) for p in found if _step_like(p.node)] if outer else []
            new: dict[int, tuple[Any, Any]] = {}
            for n, step in parts:
                letter = {id(x): big.index for x in walk(step) if kind(x) == "Name" and x.base in outer}
                if letter and big.index.base not in letters(step):
                    new[id(n)] = n, rebuilt(n, {id(step): rebuilt(step, letter)})
            for n, inner in new.values():
                yield Edit(self.swap(n, inner), "wrong-time-index", n, inner, "the step that is counted belongs here")
            if len(new) > 1:
                every = rebuilt(big, {place: inner for place, (_, inner) in new.items()})
                yield Edit(self.swap(big, every), "wrong-time-index", big, every, "the step that is counted belongs here")

    def bounds(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) != "Big":
                continue
            for side in ("lower", "upper"):
                bound = getattr(n, side)
                if bound is None or kind(unwrapped(bound)) == "Relation":
                    continue
                for by in (-1, 1):
                    new = replace(n, **{side: shifted(bound, by)})
                    early = (by > 0) == (side == "lower")
                    yield Edit(
                        self.swap(n, new),
                        "sum-bounds",
                        bound,
                        getattr(new, side),
                        f"the {'sum' if n.kind == 'sum' else 'product'} {'starts' if side == 'lower' else 'ends'} one {'too early' if by > 0 else 'too late'}",
                    )
                    del early

    def exponents(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) == "Power" and not is_top(n.exponent) and self.page.symbols.ref(n) is None:
                e = unwrapped(n.exponent)
                if kind(e) in ("Number", "Sum", "Name"):
                    for by in (1, -1):
                        new = replace(n, exponent=shifted(e, by))
                        if kind(new.exponent) == "Number" and new.exponent.text == "1":
                            yield Edit(self.swap(n, n.base), "wrong-power", n, n.base, "the power is wrong here")
                        yield Edit(self.swap(n, new), "wrong-power", n, new, f"the exponent is one too {'small' if by > 0 else 'large'}")
                difference = unwrapped(n.base)
                if e == Number("2") and kind(difference) == "Sum" and len(difference.args) == 2 and kind(difference.args[1]) == "Negative":
                    inner = difference.args[1]
                    new = replace(difference, args=(difference.args[0], replace(inner, arg=Power(inner.arg, e))))
                    yield Edit(self.swap(n, new), "wrong-power", n, new, "the square is of what is subtracted, not of the difference")
        for n in self.sites():
            if kind(n) == "Apply" and kind(self.parents.get(id(n))) == "Negative":
                new = Power(n, Number("2"))
                yield Edit(self.swap(n, new), "wrong-power", n, new, "a square is missing here")
        for n, ref in self.refs():
            if kind(self.parents.get(id(n))) not in ("Power", "Transpose", "Derivative") and len(self.dims.get(ref.key, ())) == 1:
                new = Power(n, Number("2"))
                yield Edit(self.swap(n, new), "wrong-power", n, new, "a square is missing here")

    def signs(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(self.parents.get(id(n))) == "Name":
                continue  # an index
            if kind(n) == "Sum":
                for k, a in enumerate(n.args):
                    new_a = a.arg if kind(a) == "Negative" else Negative(a)
                    new = replace(n, args=(*n.args[:k], new_a, *n.args[k + 1 :]))
                    yield Edit(self.swap(n, new), "wrong-sign", a, new_a, "the sign of this term is wrong")
                if len(n.args) == 2 and kind(n.args[1]) == "Negative":
                    new = Sum((n.args[1].arg, Negative(n.args[0])))
                    yield Edit(self.swap(n, new), "wrong-sign", n, new, "this difference is the wrong way round")
            elif kind(n) == "Negative" and kind(self.parents.get(id(n))) != "Sum":
                yield Edit(self.swap(n, n.arg), "wrong-sign", n, n.arg, "the sign is wrong")
        whole = self.right
        if kind(whole) not in ("Negative",):
            new = Negative(whole)
            yield Edit(new, "wrong-sign", whole, new, "the sign is wrong")

    def complements(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) == "Sum" and len(n.args) == 2 and n.args[0] == ONE and kind(n.args[1]) == "Negative":
                yield Edit(self.swap(n, n.args[1].arg), "complement", n, n.args[1].arg, "the gate itself belongs here, not one minus the gate")
        for n, ref in self.refs():
            if len(self.dims.get(ref.key, ())) == 1 and ref.key in self.page.definitions and kind(self.parents.get(id(n))) != "Derivative":
                new = Sum((ONE, Negative(n)))
                yield Edit(self.swap(n, new), "complement", n, new, "one minus the gate belongs here, not the gate itself")

    def doubled(self) -> Iterator[Edit]:
        """σ applied to what is σ(…) already, at one place or at all."""
        found: dict[str, list[Any]] = {}
        for n in self.sites():
            if kind(n) == "Apply" and len(n.args) == 1 and not n.function.primes:
                found.setdefault(self.page.canon(n), []).append(n)
        for nodes in found.values():
            for chosen in [nodes] if len(nodes) > 1 else [[nodes[0]]]:
                tree = rebuilt(self.right, {id(n): n.args[0] for n in chosen})
                yield Edit(tree, "wrong-slope", chosen[0], chosen[0].args[0], "the argument is the activated value already: the function is applied twice")

    def orders(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) in ("Product", "Infix") and len(n.args) >= 2:
                for i in range(len(n.args)):
                    for j in range(i + 1, len(n.args)):
                        args = list(n.args)
                        args[i], args[j] = args[j], args[i]
                        new = replace(n, args=tuple(args))
                        yield Edit(self.swap(n, new), "order-of-factors", n, new, "matrices do not commute: the order of these factors is wrong")
                        if j - i > 1:
                            args = list(n.args)
                            args.insert(i, args.pop(j))
                            new = replace(n, args=tuple(args))
                            yield Edit(self.swap(n, new), "order-of-factors", n, new, "matrices do not commute: the order of these factors is wrong")
                            args = list(n.args)
                            args.insert(j, args.pop(i))
                            new = replace(n, args=tuple(args))
                            yield Edit(self.swap(n, new), "order-of-factors", n, new, "matrices do not commute: the order of these factors is wrong")
            if kind(n) == "Product" and any(kind(a) == "Big" and a.kind == "prod" for a in n.args):
                for k, a in enumerate(n.args):
                    if kind(a) == "Power" and k + 1 < len(n.args) and kind(n.args[k + 1]) == "Big":
                        big = n.args[k + 1]
                        new_big = replace(big, body=Product((big.body, a.base)))
                        new = new_big if len(n.args) == 2 else replace(n, args=(*n.args[:k], new_big, *n.args[k + 2 :]))
                        yield Edit(self.swap(n, new), "order-of-factors", n, new, "matrices do not commute: the power cannot be taken out of the product")

    def brackets(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) == "Sum":
                for k, a in enumerate(n.args[:-1]):
                    if kind(a) == "Big":
                        inner = Sum((a.body, *n.args[k + 1 :]))
                        big = replace(a, body=inner)
                        new = big if k == 0 else replace(n, args=(*n.args[:k], big))
                        yield Edit(self.swap(n, new), "missing-brackets", n, new, "brackets are missing: the product or sum reaches only to the first sign")

    def immediate(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) == "Derivative" and n.sign == "partial":
                new = replace(n, sign="partial+")
                yield Edit(self.swap(n, new), "immediate-for-total", n, new, "the immediate derivative belongs here")
            elif kind(n) == "Derivative" and n.sign == "partial+":
                new = replace(n, sign="d")
                yield Edit(self.swap(n, new), "immediate-for-total", n, new, "the total derivative belongs here")

    def others(self) -> Iterator[Edit]:
        """Another quantity of the same shape."""
        grouped: dict[str, list[Any]] = {}
        for n, ref in self.refs():
            if not ref.entries:
                grouped.setdefault(self.page.canon(n), []).append(n)
        for n, ref in self.refs():
            dims = self.dims.get(ref.key)
            timed = ref.key in self.page.symbols.timed
            candidates = [
                k
                for k in self.models
                if k != ref.key and self.dims.get(k) is not None and (k in self.page.symbols.timed) == timed and k not in self.page.world.model.hidden
            ]
            candidates = [k for k in candidates if len(self.dims[k]) == len(dims or ()) or (self.of_numbers and not timed)]
            candidates.sort(key=lambda k: (self.dims[k] != dims, len(self.dims[k]) != len(dims or ()), -SequenceMatcher(None, k, ref.key).ratio()))
            for k in candidates[:10]:
                new = self.named(k, ref.step)
                if new is None:
                    continue
                if ref.entries:
                    continue
                code = "wrong-symbol"
                yield Edit(self.swap(n, new), code, n, new, "another quantity belongs here")
                same = grouped.get(self.page.canon(n), [])
                if len(same) > 1 and same[0] is n:
                    yield Edit(rebuilt(self.right, {id(m): new for m in same}), code, n, new, "another quantity belongs here")
        for n in self.sites():  # adjoint symbols of other quantities
            split = head_and_parts(n) if kind(n) == "Name" and n.base in ("delta", "Delta") else None
            if split is None or not split[1]:
                continue
            inner = split[1][0].node
            owner = self.page.symbols.ref(inner)
            if owner is None:
                continue
            for k in self.models:
                if k != owner.key and k in self.page.definitions:
                    new_inner = self.named(k, owner.step)
                    if new_inner is not None and any(x is inner for x in walk(n)):
                        new = rebuilt(n, {id(inner): new_inner})
                        yield Edit(self.swap(n, new), "wrong-symbol", n, new, "the adjoint of another quantity belongs here")

    def unapplied(self) -> Iterator[Edit]:
        """``c_t`` for ``tanh(c_t)``: what an equation applies a function to, without the function; the function where its slope belongs."""
        calls = [n for d in self.page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name" and len(n.args) == 1]
        applied = {(ref.key, n.function) for n in calls if (ref := self.page.symbols.ref(unwrapped(n.args[0]))) is not None}
        for n, ref in self.refs():
            parent = self.parents.get(id(n))
            for key, function in sorted(applied, key=str):
                if key == ref.key and kind(parent) not in ("Apply", "Derivative"):
                    new = Apply(replace(function, span=None), (n,))
                    yield Edit(self.swap(n, new), "missing-activation", n, new, "the function around this is missing")
        for n in self.sites():
            rule = meaning(self.page.functions, n.function) if kind(n) == "Apply" and kind(n.function) == "Name" and not n.function.primes else None
            if rule in ("tanh", "sigmoid") and kind(self.parents.get(id(n))) in FACTORS:
                slope: Any = Sum((ONE, Negative(Power(n, Number("2"))))) if rule == "tanh" else Hadamard((n, Sum((ONE, Negative(n)))))
                yield Edit(self.swap(n, slope), "wrong-slope", n, slope, "the slope belongs here, not the function itself")

    def other_slopes(self) -> Iterator[Edit]:
        r"""``g (1 - g)`` where g is a tanh, ``1 - f^2`` where f is a sigmoid."""
        two = Number("2")
        for n in self.sites():
            rest: Any = unwrapped(n.args[1].arg) if kind(n) == "Sum" and len(n.args) == 2 and n.args[0] == ONE and kind(n.args[1]) == "Negative" else None
            squared = kind(rest) == "Power" and rest.exponent == two
            q = unwrapped(rest.base) if squared else rest
            ref = self.page.symbols.ref(q) if q is not None else None
            call = self.page.activated(ref.key) if ref is not None and ref.key in self.page.definitions else None
            rule = meaning(self.page.functions, call.function) if call is not None else None
            if squared and rule == "sigmoid":
                new: Any = Hadamard((q, Sum((ONE, Negative(q)))))
                yield Edit(self.swap(n, new), "wrong-slope", n, new, "this is the slope of tanh, and the activation here is a sigmoid")
            bracket = self.parents.get(id(n)) if kind(self.parents.get(id(n))) == "Paren" else n
            around: Any = self.parents.get(id(bracket))
            beside = [a for a in around.args if unwrapped(a) == q] if kind(around) in FACTORS and not squared and rule == "tanh" else []
            if beside:
                square = Sum((ONE, Negative(Power(q, two))))
                args = tuple(square if a is bracket else a for a in around.args if a is not beside[0])
                whole = args[0] if len(args) == 1 else replace(around, args=args)
                yield Edit(self.swap(around, whole), "wrong-slope", n, square, "this is the slope of a sigmoid, and the activation here is tanh")

    def values_inside(self) -> Iterator[Edit]:
        r"""``1 - s_t^2`` of ``s_t = (1-\alpha) s_{t-1} + \alpha \tanh(a_t)``: the state, where the value of the activation inside its equation belongs."""
        for n, ref in self.refs():
            d = self.page.definitions.get(ref.key)
            if d is None or kind(self.parents.get(id(n))) not in ("Power", "Negative") or unwrapped(d.side) != n:
                continue
            applied = {n for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name" and n is not unwrapped(d.node)}
            calls = [c for c in applied if meaning(self.page.functions, c.function) in ("tanh", "sigmoid")]
            for call in calls if len(calls) == 1 else ():
                yield Edit(self.swap(n, call), "wrong-slope", n, call, "this is not the value of the activation, which stands inside the equation")

    def dropped(self) -> Iterator[Edit]:
        for n in self.sites():
            k = kind(n)
            if k not in FACTORS | {"Sum"} or len(n.args) < 2:
                continue
            for j, a in enumerate(n.args):
                rest = (*n.args[:j], *n.args[j + 1 :])
                new = rest[0] if len(rest) == 1 else replace(n, args=rest)
                what = "term" if k == "Sum" else "factor"
                yield Edit(self.swap(n, new), f"extra-{what}", a, None, f"this {what} does not belong here")
        for n in self.sites():
            if kind(n) == "Diagonal":
                yield Edit(self.swap(n, n.arg), "extra-factor", n, n.arg, "this is no diagonal matrix")

    def numbers(self) -> Iterator[Edit]:
        for n in self.sites():
            if kind(n) == "Number" and n.text.isdigit() and kind(self.parents.get(id(n))) not in ("Power", "Big"):
                for by in (1, -1):
                    if int(n.text) + by >= 0:
                        new = Number(str(int(n.text) + by))
                        yield Edit(self.swap(n, new), "wrong-coefficient", n, new, "the number is wrong")
            if kind(n) == "Fraction" and kind(n.numerator) == "Number":
                yield Edit(self.swap(n, ONE), "wrong-coefficient", n, ONE, "this factor does not belong here")
        terms = self.right.args if kind(self.right) == "Sum" else (self.right,)
        for a in terms:
            twice = Product((Number("2"), a))
            yield Edit(self.swap(a, twice), "wrong-coefficient", a, twice, "a factor 2 is missing")

    def slices(self) -> Iterator[Edit]:
        found = [n for n in self.sites() if kind(n) == "Index" and any(kind(p) == "Slice" for p in n.parts) and len(n.parts) == 2]
        for chosen in ([found] if len(found) > 1 else []) + [[n] for n in found]:
            new = {id(n): replace(n, parts=n.parts[::-1]) for n in chosen}
            yield Edit(rebuilt(self.right, new), "wrong-shape", chosen[0], new[id(chosen[0])], "the slice is taken of the wrong axis")

    def slope_arguments(self) -> Iterator[Edit]:
        """``f'(a)``: another activation's slope."""
        calls = [n.function for d in self.page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name"]
        applied = {f.base for f in calls if not f.subs and not f.primes}
        for n in self.sites():
            if kind(n) == "Apply" and n.function.primes and len(n.args) == 1:
                for base in ("sigma", "tanh", "g", "f", "phi", "h"):
                    if base != n.function.base and (base in BUILTIN or base in self.page.functions or base in applied):
                        new = replace(n, function=Name(base, primes=n.function.primes))
                        yield Edit(self.swap(n, new), "wrong-symbol", n, new, "the slope of another function belongs here")

    # -- what is missing ------------------------------------------------------------------------------------------------------


def topped(node: Any) -> bool:
    """Whether this is ``x^T``."""
    return kind(node) == "Power" and is_top(node.exponent)


def _unplaced(node: Any) -> Any:
    """The node without a place: it stands somewhere else now."""
    return replace(node, span=None)


__all__ = ["Edit", "Slips"]
