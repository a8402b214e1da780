r"""The sides of a relation between norms, as factors: norms of products over steps, and of derivatives over many steps, taken apart."""

from __future__ import annotations

from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.inequalities.factors import NORMS, Split, Unknown, count, counts, flat, joined, largest, later, normed
from symgrad.check.reading.relations import number
from symgrad.check.reading.symbols import is_top
from symgrad.check.reading.trees import kind, rebuilt, unwrapped
from symgrad.notation.syntax import Apply, Big, Derivative, Name, Negative, Number, Product, Sum


class Sides:
    """The sides of relations on one page."""

    def __init__(self, court: Court, page: Page) -> None:
        self.court, self.page = court, page
        self.letter = page.symbols.letter
        self.notes: list[str] = []  # of the equations that are used
        self.asked = False  # whether anything was asked of the cell

    def split(self, side: Any, bounds: bool) -> Split:
        """A side as factors: of the right one, bounds as they are written; of the left one, what stands in the norms."""
        out = Split()
        for factor in joined(flat(side), self.page) if bounds else flat(side):
            self.sort(factor, bounds, out)
        return out

    def sort(self, factor: Any, bounds: bool, out: Split) -> None:
        factor = normed(factor) if not bounds else factor
        if kind(factor) == "Power" and bounds and number(factor.exponent) is None:  # of numbers, so that T is no transpose
            out.steps.append((joined(flat(factor.base), self.page), None, factor.exponent, ""))
        elif kind(factor) == "Apply" and bounds and largest(factor) and kind(unwrapped(factor.args[0])) == "Power":
            power = unwrapped(factor.args[0])
            out.steps.append(([Apply(factor.function, (power.base,))], None, power.exponent, ""))
        elif kind(factor) == "Big" and factor.kind == "prod":
            body = flat(factor.body)
            if not bounds:
                body = [unwrapped(normed(f).arg) if kind(normed(f)) in NORMS else f for f in body]
            lower, upper = self.ends(factor)
            out.steps.append((body, lower, count(lower, upper), factor.index.base))
        elif bounds:
            out.once.append(factor)
        elif kind(factor) in NORMS:
            self.inside(unwrapped(factor.arg), out)
        else:
            raise Unknown

    def inside(self, node: Any, out: Split) -> None:
        """What stands in a norm: its factors, with products over steps and derivatives over many steps taken apart."""
        parts = flat(node)
        if len(parts) > 1 and any(self.long(p) for p in parts):
            for p in parts:
                self.inside(p, out)
        elif kind(node) == "Big" and node.kind == "prod" and node.index is not None:
            lower, upper = self.ends(node)
            out.steps.append(([node.body], lower, count(lower, upper), node.index.base))
        elif kind(node) == "Derivative" and self.long(node):
            first, step, many = self.chain(node)
            out.steps.append(([step], first, many, self.letter))
        elif kind(node) == "Power" and not is_top(node.exponent) and number(node.exponent) is None and self.page.symbols.ref(node) is None:
            out.steps.append(([node.base], None, node.exponent, ""))
        else:
            out.once.append(node)

    def ends(self, big: Any) -> tuple[Any, Any]:
        """The ends of a product; where they are left out, those that the document has for such a one."""
        if big.index is None:
            raise Unknown
        if big.lower is not None and big.upper is not None:
            return big.lower, big.upper
        inner = [unwrapped(normed(f).arg) if kind(normed(f)) in NORMS else f for f in flat(big.body)]
        for s in self.court.statements:
            for n in s.nodes:
                if kind(n) == "Big" and n.kind == "prod" and n.index == big.index and n.upper is not None and flat(n.body) == inner:
                    return n.lower, n.upper
        raise Unknown

    def long(self, node: Any) -> bool:
        """Whether a derivative is of a state by itself, any number of steps before; or a product over steps."""
        node = unwrapped(node)
        if kind(node) == "Big":
            return bool(node.kind == "prod")
        if kind(node) != "Derivative":
            return False
        of, wrt = self.page.symbols.ref(unwrapped(node.of)), self.page.symbols.ref(unwrapped(node.wrt))
        if of is None or wrt is None or of.key != wrt.key or of.step is None or wrt.step is None:
            return False
        return len(set(counts(Sum((of.step, Negative(wrt.step)))))) > 1

    def chain(self, node: Any) -> tuple[Any, Any, Any]:
        """The first step, the derivative over one step, and how many there are, of a derivative over many; unknown where it is no product of these."""
        of, wrt = self.page.symbols.ref(unwrapped(node.of)), self.page.symbols.ref(unwrapped(node.wrt))
        if of is None or wrt is None:
            raise Unknown
        first = Sum((wrt.step, Number("1")))
        step = Derivative(self.stepped(node.of, 0), self.stepped(node.of, -1))
        index = Name("j") if self.letter != "j" else Name("i")
        whole = Derivative(self.stepped(node.of, 0), self.stepped(node.of, Name("k")))
        each = Derivative(self.stepped(node.of, index), self.stepped(node.of, Sum((index, Negative(Number("1"))))))
        self.hold(whole, Big("prod", index, Sum((Name("k"), Number("1"))), Name(self.letter), each))
        return first, step, Sum((of.step, Negative(wrt.step)))

    def hold(self, left: Any, right: Any) -> None:
        """Take note of an equation that is used; unknown where it does not hold."""
        self.asked = True
        outcome = Decider(self.page).decide(left, right)
        if not outcome.equal or outcome.chooser is None:
            raise Unknown
        self.notes += outcome.chooser.notes

    def stepped(self, name: Any, at: Any) -> Any:
        """A name with another step."""
        ref = self.page.symbols.ref(unwrapped(name))
        if ref is None or ref.step is None:
            raise Unknown
        new = later(self.letter, at) if isinstance(at, int) else at
        made = rebuilt(name, {id(ref.step): new})
        found = self.page.symbols.ref(unwrapped(made))
        if found is None or found.key != ref.key or found.step != new:
            raise Unknown
        return made

    def unrolled(self, left: Split, right: Split) -> Split:
        r"""``\|\partial L/\partial h_0\| \le \|\partial L/\partial h_T\| \dots``: the gradient as that at a later state times the Jacobian between."""
        if len(left.once) != 1 or len(right.once) != 1:
            raise Unknown
        inner, outer = unwrapped(left.once[0]), unwrapped(normed(right.once[0]))
        outer = unwrapped(outer.arg) if kind(outer) in NORMS else outer
        if kind(inner) != "Derivative" or kind(outer) != "Derivative" or inner.of != outer.of:
            raise Unknown
        between = Derivative(outer.wrt, inner.wrt)
        if not self.long(between):
            raise Unknown
        self.hold(inner, Product((outer, between)))
        out = Split([outer])
        self.inside(between, out)
        return out
