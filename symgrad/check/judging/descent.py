r"""Steps of gradient descent: ``W \leftarrow W - \eta \sum_t \delta_t h_{t-1}^\top`` says that the sum is ``\frac{\partial L}{\partial W}``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.judging.equation import equation
from symgrad.check.reading.claims import EQUAL, Link, links, span_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import derived, loss_head
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import FACTORS, kind, unwrapped
from symgrad.notation.syntax import Derivative, Name, Negative

RATES = frozenset({"eta", "alpha", "epsilon", "lambda", "mu", "gamma", "rho", "lr", "learning_rate"})
AGES = frozenset({"new", "old", "next", "prev", "updated", "current"})  # before the step and after it


def step_of_descent(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    """What is said of the gradient in such a step; None for any other relation, and where the gradient is only named."""
    page = court.page(court.order(link.statement)[0])
    if (weight := changed(page, link)) is not None and any(turns(page, other) for s in court.statements if kind(s.node) == "Relation" for other in links(s)):
        if turns(page, link):
            return Judgement("undecided", "definition", "a symbol is introduced here; the lines that use it are held against this one")
        loss = Name(min(page.total_losses, default="L"))
        said = equation(court, replace(link, left=Negative(Derivative(loss, weight, "partial")), earlier=()), under)
        return said.assuming("a change is minus the gradient, as the document has it")
    found = gradient_in(page, link)
    if found is None or not derived(found[2]):
        return None
    if kind(unwrapped(found[2])) == "Derivative":
        return Judgement("undecided", "not-an-equation", "an update of parameters is not an equation")
    weight, sign, gradient = found
    loss = Name(min(page.total_losses, default="L"))

    def whole(page: Page) -> Page | None:
        if loss.base in page.total_losses:
            return under(page)
        out = page.twin()
        out.total_losses = page.total_losses | {loss.base}
        return under(out)

    left = Derivative(loss, weight, "partial")
    said = equation(court, replace(link, left=Negative(left) if sign > 0 else left, right=gradient, sign="="), whole)
    ref = page.symbols.ref(weight)
    called = page.notes.get(ref.key, plain(ref.key)) if ref is not None else spelled(weight)
    note = f"what the step multiplies is read as {'minus ' if sign > 0 else ''}the gradient by {called}"
    if said.code == "wrong-sign" and sign > 0 and equation(court, replace(link, left=left, right=gradient, sign="="), whole).verdict == "proved":
        said = replace(said, message="the step goes up the gradient: $-$ for $+$", expected=None, blame=span_of(link.right))
    return said.assuming(note)


def changed(page: Page, link: Link) -> Any:
    r"""The weight of which a line tells the change, ``\Delta W = …``; None for any other line."""
    left = unwrapped(link.left)
    weight = left.args[1] if kind(left) == "Product" and len(left.args) == 2 and left.args[0] == Name("Delta") else None
    ref = page.symbols.ref(weight) if weight is not None else None
    return weight if ref is not None and ref.key not in page.symbols.timed and link.sign in EQUAL and link.number == 0 else None


def turns(page: Page, link: Link) -> bool:
    r"""Whether a line says that a change is minus the gradient, ``\Delta W = -\partial L/\partial W``."""
    weight, right = changed(page, link), unwrapped(link.right)
    meant: Any = unwrapped(right.arg) if kind(right) == "Negative" else None
    return weight is not None and kind(meant) == "Derivative" and loss_head(meant.of) is not None and unwrapped(meant.wrt) == unwrapped(weight)


def gradient_in(page: Page, link: Link) -> tuple[Any, int, Any] | None:
    r"""The parameter, the sign and the gradient of ``W \leftarrow W - \eta G``, ``W -= \eta G``, ``\Delta W = -\eta G``."""
    left, right = unwrapped(link.left), unwrapped(link.right)
    weight = bare(left.args[1] if kind(left) == "Product" and len(left.args) == 2 and left.args[0] == Name("Delta") else left)
    ref = page.symbols.ref(weight)
    if ref is None or ref.key in page.symbols.timed or link.sign not in ("<-", "-=", *EQUAL):
        return None
    step: Any
    if link.sign == "-=" and weight == left:
        step = Negative(right)
    elif weight != left and kind(left) == "Product":
        step = right if kind(right) == "Negative" else None  # of a change without a sign the gradient may be one to be subtracted
    else:
        step = unwrapped(right.args[1]) if kind(right) == "Sum" and len(right.args) == 2 and bare(right.args[0]) == weight else None
    sign = -1 if kind(step) == "Negative" else 1
    step = unwrapped(step.arg) if sign < 0 else step
    if kind(step) not in FACTORS or spelled(step.args[0]) not in RATES or page.symbols.ref(unwrapped(step.args[0])) is not None:
        return None
    rest = step.args[1:]
    return weight, sign, rest[0] if len(rest) == 1 else replace(step, args=rest)


def bare(node: Any) -> Any:
    r"""``W`` for ``W_{\text{new}}``, ``W^{(k+1)}``, ``W'``."""
    node = unwrapped(node)
    if kind(node) == "Power" and kind(node.exponent) == "Paren":
        return unwrapped(node.base)
    if kind(node) != "Name":
        return node
    aged = bool(node.subs) and spelled(node.subs[-1]) in AGES
    return replace(node, subs=node.subs[:-1] if aged else node.subs, primes=0)
