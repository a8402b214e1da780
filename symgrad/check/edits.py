r"""Single edits of a formula: what a writer's slip of the pen may have been.

`edits` yields changed right sides, likely slips first: a transpose, a step off by one, a bound, an exponent, a sign, z for 1 - z, two
factors in the wrong order, another weight, a factor or term too many, a factor or term too few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from symgrad.check.dots import rebuilt
from symgrad.check.evaluate import BUILTIN
from symgrad.check.page import Page
from symgrad.check.symbols import Ref, children, head_and_parts, is_top, kind, letters, unwrapped, walk
from symgrad.notation.syntax import (
    Apply,
    Derivative,
    Hadamard,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Sum,
    Transpose,
)

ONE = Number("1")


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed formula; `at` is the node that was wrong, `new` what stands in its place."""

    tree: Any
    code: str
    at: Any
    new: Any
    message: str
    inserted: Any = None


def shifted(step: Any, by: int) -> Any:
    """``t - 1`` moved by a step."""
    step = unwrapped(step)
    total = by
    base: list[Any] = []
    for a in step.args if kind(step) == "Sum" else (step,):
        inner = unwrapped(a)
        if kind(inner) == "Number":
            total += int(inner.text)
        elif kind(inner) == "Negative" and kind(unwrapped(inner.arg)) == "Number":
            total -= int(unwrapped(inner.arg).text)
        else:
            base.append(inner)
    if not base:
        return Number(str(total)) if total >= 0 else Negative(Number(str(-total)))
    if total:
        base.append(Number(str(total)) if total > 0 else Negative(Number(str(-total))))
    return base[0] if len(base) == 1 else Sum(tuple(base))


class Slips:
    """The edits of one claim on one page."""

    def __init__(self, page: Page, right: Any, left: Any) -> None:
        self.page, self.right, self.left = page, right, left
        self.models = self.exemplars()
        self.dims = page.world.model.dims
        self.parents: dict[int, Any] = {}
        for n in walk(right):
            for c in children(n):
                self.parents[id(c)] = n
        self.inside_names = {id(x) for n in walk(right) if page.symbols.ref(n) is not None for x in walk(n) if x is not n}

    # -- names in the author's notation ---------------------------------------------------------------------------------------

    def exemplars(self) -> dict[str, Any]:
        """For every quantity, a node that names it as the author does."""
        out: dict[str, Any] = {}
        sources = [d.side for d in self.page.definitions.values() if d.side is not None]
        sources += [d.node for d in self.page.definitions.values()] + [self.left, self.right]
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
        return rebuilt(self.right, {id(old): new})

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
        rules = (self.transposes, self.steps, self.bounds, self.exponents, self.signs, self.complements, self.doubled, self.orders, self.brackets, self.immediate,
                 self.others, self.missing_terms, self.dropped, self.numbers, self.slices, self.slope_arguments, self.inserted)  # fmt: skip
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
            if len(self.dims.get(ref.key, ())) == 2 and not ref.entries and kind(parent) != "Derivative" and not (kind(parent) == "Transpose" or (kind(parent) == "Power" and is_top(parent.exponent))):
                new = Transpose(n)
                yield Edit(self.swap(n, new), "transposed-factor", n, new, "this factor must be transposed")
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
        from symgrad.check.symbols import _step_like

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
                    yield Edit(self.swap(n, new), "sum-bounds", bound, getattr(new, side),
                               f"the {'sum' if n.kind == 'sum' else 'product'} {'starts' if side == 'lower' else 'ends'} one {'too early' if by > 0 else 'too late'}")  # fmt: skip
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
            candidates = [k for k in self.models if k != ref.key and self.dims.get(k) is not None and (k in self.page.symbols.timed) == timed and k not in self.page.world.model.hidden]
            candidates = [k for k in candidates if len(self.dims[k]) == len(dims or ())]
            candidates.sort(key=lambda k: (self.dims[k] != dims, -SequenceMatcher(None, k, ref.key).ratio()))
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
            ref = self.page.symbols.ref(inner)
            if ref is None:
                continue
            for k in self.models:
                if k != ref.key and k in self.page.definitions:
                    new_inner = self.named(k, ref.step)
                    if new_inner is not None and any(x is inner for x in walk(n)):
                        new = rebuilt(n, {id(inner): new_inner})
                        yield Edit(self.swap(n, new), "wrong-symbol", n, new, "the adjoint of another quantity belongs here")

    def dropped(self) -> Iterator[Edit]:
        for n in self.sites():
            k = kind(n)
            if k not in ("Sum", "Product", "Infix", "Hadamard") or len(n.args) < 2:
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
            for factor in (Number("2"), ):
                new = Product((factor, a))
                yield Edit(self.swap(a, new), "wrong-coefficient", a, new, "a factor 2 is missing")

    def slices(self) -> Iterator[Edit]:
        found = [n for n in self.sites() if kind(n) == "Index" and any(kind(p) == "Slice" for p in n.parts) and len(n.parts) == 2]
        for chosen in ([found] if len(found) > 1 else []) + [[n] for n in found]:
            new = {id(n): replace(n, parts=n.parts[::-1]) for n in chosen}
            yield Edit(rebuilt(self.right, new), "wrong-shape", chosen[0], new[id(chosen[0])], "the slice is taken of the wrong axis")

    def slope_arguments(self) -> Iterator[Edit]:
        """``f'(a)``: another activation's slope."""
        for n in self.sites():
            if kind(n) == "Apply" and n.function.primes and len(n.args) == 1:
                for base in ("sigma", "tanh", "g", "f", "phi"):
                    if base != n.function.base and (base in BUILTIN or base in self.page.functions):
                        new = replace(n, function=Name(base, primes=n.function.primes))
                        yield Edit(self.swap(n, new), "wrong-symbol", n, new, "the slope of another function belongs here")

    # -- what is missing ------------------------------------------------------------------------------------------------------

    def missing_terms(self) -> Iterator[Edit]:
        """A path that was forgotten, as a product of local derivatives."""
        pool = self.paths()
        if not pool:
            return
        whole = self.right
        for term, message in pool:
            args = (*whole.args, term) if kind(whole) == "Sum" else (whole, term)
            yield Edit(Sum(args), "missing-term", whole, None, message, term)
        for a, b in [(p, q) for i, p in enumerate(pool) for q in pool[i + 1 :]][:12]:
            args = (*whole.args, a[0], b[0]) if kind(whole) == "Sum" else (whole, a[0], b[0])
            yield Edit(Sum(args), "missing-term", whole, None, f"{a[1]}; {b[1]}", Sum((a[0], b[0])))

    def paths(self) -> list[tuple[Any, str]]:
        left = unwrapped(self.left)
        page = self.page
        out: list[tuple[Any, str]] = []
        if kind(left) != "Derivative":
            return out
        of, wrt = page.symbols.ref(unwrapped(left.of)), page.symbols.ref(unwrapped(left.wrt))
        if of is not None and wrt is not None and of.key in page.definitions and not of.entries and not wrt.entries:
            for ref, lag in page.references(page.definitions[of.key]):
                step = shifted(of.step, lag) if of.step is not None else None
                if ref.key == wrt.key:
                    out.append((Derivative(unwrapped(left.of), unwrapped(left.wrt), "partial+"), "the direct path is missing"))
                    continue
                q = self.named(ref.key, step)
                if q is not None:
                    out.append((Product((Derivative(unwrapped(left.of), q, "partial"), Derivative(q, unwrapped(left.wrt), "partial"))),
                                f"the path through {page.notes.get(ref.key, ref.key)} is missing"))  # fmt: skip
        elif of is None and wrt is not None and wrt.key in page.symbols.timed and wrt.step is not None:
            for key, d in page.definitions.items():
                for ref, lag in page.references(d):
                    if ref.key == wrt.key and not wrt.entries:
                        q = self.named(key, shifted(wrt.step, -lag))
                        if q is not None:
                            out.append((Product((Derivative(unwrapped(left.of), q, "partial"), Derivative(q, unwrapped(left.wrt), "partial+"))),
                                        f"the path through {page.notes.get(key, key)} is missing"))  # fmt: skip
        return out

    def inserted(self) -> Iterator[Edit]:
        """A factor that was forgotten: a slope, a gate, a weight."""
        pool = self.factors()
        sites = [n for n in self.sites() if kind(n) in ("Hadamard", "Product", "Infix")]
        sites += [a for n in self.sites() if kind(n) == "Sum" for a in n.args if kind(a) in ("Derivative", "Name", "Apply", "Diagonal", "Power", "Index", "Big")]
        if kind(self.right) not in ("Sum", "Product", "Hadamard", "Infix"):
            sites.append(self.right)
        for n in sites:
            for factor, code, message in pool:
                if kind(n) == "Hadamard":
                    new: Any = replace(n, args=(*n.args, factor))
                    yield Edit(self.swap(n, new), code, n, None, message, factor)
                elif kind(n) in ("Product", "Infix"):
                    for at in range(len(n.args) + 1):
                        new = replace(n, args=(*n.args[:at], factor, *n.args[at:]))
                        yield Edit(self.swap(n, new), code, n, None, message, factor)
                    for k, a in enumerate(n.args):
                        inner = a.arg if kind(a) == "Transpose" else a.base if kind(a) == "Power" and is_top(a.exponent) else None
                        if inner is not None:
                            new = replace(n, args=(*n.args[:k], Transpose(Hadamard((factor, inner))), *n.args[k + 1 :]))
                            yield Edit(self.swap(n, new), code, a, None, message, factor)
                        if kind(a) in ("Name", "Power", "Index", "Sum", "Derivative", "Apply") and kind(a) != "Number":
                            new = replace(n, args=(*n.args[:k], Hadamard((a, factor)), *n.args[k + 1 :]))
                            yield Edit(self.swap(n, new), code, a, None, message, factor)
                else:
                    yield Edit(self.swap(n, Hadamard((n, factor))), code, n, None, message, factor)
                    yield Edit(self.swap(n, Product((factor, n))), code, n, None, message, factor)
                    yield Edit(self.swap(n, Product((n, factor))), code, n, None, message, factor)

    def factors(self) -> list[tuple[Any, str, str]]:
        out: list[tuple[Any, str, str]] = []
        steps: list[Any] = []
        for n in (self.left, self.right):
            for m in walk(n):
                ref = self.page.symbols.ref(m)
                if ref is not None and ref.step is not None and not any(self.page.canon(s) == self.page.canon(ref.step) for s in steps):
                    steps.append(ref.step)
        for key, d in self.page.definitions.items():
            node = unwrapped(d.node)
            function = self.page.functions.get(node.function.base, BUILTIN.get(node.function.base, "")) if kind(node) == "Apply" and kind(node.function) == "Name" else ""
            for step in steps[:3]:
                q = self.named(key, step)
                if q is None:
                    continue
                if function == "sigmoid":
                    out.append((Hadamard((q, Sum((ONE, Negative(q))))), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing"))
                    out.append((Sum((ONE, Negative(q))), "missing-factor", "a factor is missing"))
                elif function == "tanh":
                    out.append((Sum((ONE, Negative(Power(q, Number("2"))))), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing"))
                elif function and kind(node) == "Apply":
                    arg = self.named(self.page.__dict__.get("_pre", {}).get(key, ""), step)
                    if arg is not None:
                        out.append((Apply(Name(node.function.base, primes=1), (arg,)), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing"))
                out.append((q, "missing-factor", "a factor is missing"))
        for key in self.models:
            if key not in self.page.symbols.timed and len(self.dims.get(key, ())) == 2:
                q = self.named(key, None)
                if q is not None:
                    out.append((q, "missing-factor", "a factor is missing"))
                    out.append((Transpose(q), "missing-factor", "a factor is missing"))
        return out


def _unplaced(node: Any) -> Any:
    """The node without a place: it stands somewhere else now."""
    return replace(node, span=None)


__all__ = ["Edit", "Slips"]
