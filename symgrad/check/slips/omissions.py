r"""What was left out: a path of the chain rule, a slope, a gate, a weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.statements import names_in, step_part
from symgrad.check.reading.symbols import Ref, head_and_parts, is_top
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Apply, Big, Derivative, Diagonal, Hadamard, Name, Negative, Number, Power, Product, Sum, Transpose

ONE = Number("1")


@dataclass(slots=True, eq=False)  # not frozen: many are made
class Edit:
    """A changed formula; `at` is the node that was wrong, `new` what stands in its place."""

    tree: Any
    code: str
    at: Any
    new: Any
    message: str
    inserted: Any = None

    @property
    def place(self) -> Any:
        """The part of the tree that is new."""
        return self.new if self.inserted is None else self.inserted


class Omissions:
    """What may have been left out of a right side."""

    page: Page
    right: Any
    left: Any
    models: dict[str, Any]
    dims: dict[str, tuple[int, ...]]
    parents: dict[int, Any]

    def named(self, key: str, step: Any) -> Any:
        """The quantity at a step, as the author writes it."""
        raise NotImplementedError

    def swap(self, old: Any, new: Any) -> Any:
        """The right side with one node exchanged."""
        raise NotImplementedError

    def sites(self) -> Iterator[Any]:
        """Every node that may be edited."""
        raise NotImplementedError

    def refs(self) -> Iterator[tuple[Any, Ref]]:
        """Every name of a quantity that may be edited."""
        raise NotImplementedError

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

    def missing_steps(self) -> Iterator[Edit]:
        r"""A chain that ends at the first step, ``\cdots \frac{\partial h_1}{\partial W}``, though the parameter is used at every step."""
        left, right = unwrapped(self.left), unwrapped(self.right)
        if kind(left) != "Derivative" or kind(right) not in ("Product", "Infix") or kind(end := unwrapped(right.args[-1])) != "Derivative":
            return
        of, wrt = (self.page.symbols.ref(unwrapped(n)) for n in (end.of, end.wrt))
        if of is None or of.step != ONE or (wrt is not None and wrt.key in self.page.symbols.timed) or unwrapped(end.wrt) != unwrapped(left.wrt):
            return
        k, loss = Name("k"), head_and_parts(unwrapped(left.of))
        every = self.named(of.key, k)
        if every is None:
            return
        uses = Product((Derivative(unwrapped(left.of), every, "partial"), Derivative(every, unwrapped(end.wrt), "partial+")))
        last = step_part(loss[1], self.page.symbols.letter) if loss is not None else None
        every_use = Big("sum", k, ONE, last.node if last is not None else Name("T"), uses)
        message = "only the use of the parameter at the first step is counted, but every step uses it"
        yield Edit(every_use, "missing-term", end, None, message)

    def missing_uses(self) -> Iterator[Edit]:
        r"""A sum over the uses of a parameter written term by term, ``\delta_3 x_3^\top + \delta_2 x_2^\top``, without its first or its last one."""
        whole: Any = self.right
        terms = whole.args if kind(whole) == "Sum" else (whole,)
        for last, before, at_the_end in ((terms[-1], terms[-2:-1], True), (terms[0], terms[1:2], False)):
            for new in self.one_step_on(last, *before):
                args = (*terms, new) if at_the_end else (new, *terms)
                yield Edit(Sum(args), "missing-term", whole, None, "the term of one more step is missing", new)

    def one_step_on(self, last: Any, *before: Any) -> Iterator[Any]:
        """The term that follows the last one as this follows the one before it; of a chain, the one with a step more."""
        moved = ((by, self.moved(last, by)) for by in (-1, 1))
        yield from (new for by, new in moved if before and self.page.canon(self.moved(before[0], by)) == self.page.canon(last))
        end: Any = last.args[-1] if kind(last) in ("Product", "Infix") else None
        ref = self.page.symbols.ref(unwrapped(end.of)) if kind(end) == "Derivative" else None
        state = self.named(ref.key, shifted(ref.step, -1)) if ref is not None and ref.key in self.page.lagged and ref.step is not None else None
        if state is not None:
            link = Derivative(unwrapped(end.of), state, end.sign.rstrip("+"))
            yield replace(last, args=(*last.args[:-1], link, replace(end, of=state)))

    def moved(self, term: Any, by: int) -> Any:
        """A term with all its quantities so many steps further on."""
        steps = {id(ref.step): shifted(ref.step, by) for n in walk(term) if (ref := self.page.symbols.ref(n)) is not None and ref.step is not None}
        return rebuilt(term, steps)

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
                    out.append((Name("I"), "the direct path is missing"))
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
        sites = [n for n in self.sites() if kind(n) in FACTORS]
        sites += [
            a for n in self.sites() if kind(n) == "Sum" for a in n.args if kind(a) in ("Derivative", "Name", "Apply", "Diagonal", "Power", "Index", "Big")
        ]
        sites += [body for n in self.sites() if kind(n) == "Big" and kind(body := unwrapped(n.body)) in ("Derivative", "Name", "Power", "Index")]
        if kind(self.right) not in ("Sum", "Product", "Hadamard", "Infix"):
            sites.append(self.right)
        for n in sites:
            for factor, code, message in pool:
                if kind(n) == "Hadamard":
                    new: Any = replace(n, args=(*n.args, factor))
                    yield Edit(self.swap(n, new), code, n, None, message, factor)
                elif kind(n) in ("Product", "Infix"):
                    between = (Edit(self.swap(n, new), code, n, None, message, factor) for new in self.between(n, factor))
                    beside = (Edit(self.swap(n, new), code, a, None, message, factor) for a, new in self.beside(n, factor))
                    yield from (*beside, *between) if code == "missing-slope" else (*between, *beside)
                else:
                    ref = self.page.symbols.ref(n) if kind(n) == "Name" and n.base[:1].isupper() else None  # small letters may be numbers
                    if ref is not None and not ref.entries and self.page.symbols.ranks[ref.key] == 2:  # ``W`` for ``\operatorname{diag}(1 - h^2) W``
                        yield Edit(self.swap(n, Product((Diagonal(factor), n))), code, n, None, message, factor)
                    yield Edit(self.swap(n, Hadamard((n, factor))), code, n, None, message, factor)
                    yield Edit(self.swap(n, Product((factor, n))), code, n, None, message, factor)
                    yield Edit(self.swap(n, Product((n, factor))), code, n, None, message, factor)

    def between(self, product: Any, factor: Any) -> Iterator[Any]:
        """A product with one more factor."""
        for at in range(len(product.args) + 1):
            yield replace(product, args=(*product.args[:at], factor, *product.args[at:]))

    def beside(self, product: Any, factor: Any) -> Iterator[tuple[Any, Any]]:
        r"""A product with one of its factors, which comes with it, met entry by entry: ``\delta_t \odot f'(a_t)`` for ``\delta_t``."""
        for k, a in enumerate(product.args):
            inner = a.arg if kind(a) == "Transpose" else a.base if kind(a) == "Power" and is_top(a.exponent) else None
            if inner is not None:
                yield a, replace(product, args=(*product.args[:k], Transpose(Hadamard((factor, inner))), *product.args[k + 1 :]))
            if kind(a) in ("Name", "Power", "Index", "Sum", "Derivative", "Apply"):
                yield a, replace(product, args=(*product.args[:k], Hadamard((a, factor)), *product.args[k + 1 :]))

    def factors(self) -> list[tuple[Any, str, str]]:
        out: list[tuple[Any, str, str]] = []
        steps: dict[str, Any] = {}  # of quantities, and of symbols for gradients where these name few
        for m in (m for side in (self.left, self.right) for m in walk(side)):
            ref = self.page.symbols.ref(m)
            if ref is not None and ref.step is not None:
                steps.setdefault(self.page.canon(ref.step), ref.step)
        for parts in (parts for side in (self.left, self.right) for _, _, parts in names_in(side)):
            if len(steps) < 2 and (at := step_part(parts, self.page.symbols.letter)) is not None:
                steps.setdefault(self.page.canon(at.node), at.node)
        for key, d in self.page.definitions.items():
            node = unwrapped(d.node)
            function = meaning(self.page.functions, node.function) if kind(node) == "Apply" and kind(node.function) == "Name" else ""
            for step in [*steps.values()][:3]:
                q = self.named(key, step)
                if q is None:
                    continue
                if function == "sigmoid":
                    out.append((Hadamard((q, Sum((ONE, Negative(q))))), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing"))
                    out.append((Sum((ONE, Negative(q))), "missing-factor", "a factor is missing"))
                elif function == "tanh":
                    out.append((Sum((ONE, Negative(Power(q, Number("2"))))), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing"))
                elif function and kind(node) == "Apply":
                    arg = self.named(self.page.preactivations.get(key, ""), step)
                    if arg is not None:
                        out.append(
                            (Apply(Name(node.function.base, primes=1), (arg,)), "missing-slope", f"the slope of {self.page.notes.get(key, key)} is missing")
                        )
                out.append((q, "missing-factor", "a factor is missing"))
        for key in self.models:
            if key not in self.page.symbols.timed and len(self.dims.get(key, ())) == 2:
                q = self.named(key, None)
                if q is not None:
                    out.append((q, "missing-factor", "a factor is missing"))
                    out.append((Transpose(q), "missing-factor", "a factor is missing"))
        return out
