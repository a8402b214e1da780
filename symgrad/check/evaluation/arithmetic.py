r"""Numbers, sums, products, quotients and powers of formulas: what a sign may mean is told by the shapes, the rest is asked of the reading."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Ratio
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.defined.page import LOSS
from symgrad.check.evaluation.adjoints import fused
from symgrad.check.evaluation.dots import dotted, filled
from symgrad.check.evaluation.functions import apply_known
from symgrad.check.reading.statements import MARKS, loss_head
from symgrad.check.reading.symbols import DIGITS, _step_like, is_top, letters, number_at, spelled
from symgrad.check.reading.trees import by_identity, kind, unwrapped
from symgrad.check.worlds import field as F
from symgrad.check.worlds import products, values
from symgrad.check.worlds.matrices import inverted
from symgrad.check.worlds.products import meanings, plus
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value, scalar
from symgrad.check.worlds.world import Missing, OutOfTime, Unsupported

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

SIGNS = {"cdot": "cdot", "times": "times", "ast": "ast", "otimes": "otimes", "dot": "dot", "at": "@", "star": "star", "bullet": "bullet"}


def numeral(run: Run, node: Any) -> Value:
    """A number as it is written: ``0.5`` is one half."""
    if len(node.text) > DIGITS:
        raise Unsupported("a number with so many digits", node)
    r = int(node.text) if node.text.isdecimal() else Ratio(node.text)
    return scalar(r.numerator, r.denominator)


def total(run: Run, node: Any) -> Value:
    """``a + b - c``."""
    args = node.args
    if dotted(args):
        args = filled(run, args)
    out = run.value(args[0])
    for a in args[1:]:
        out = add(run, out, run.value(a))
    return out


def negative(run: Run, node: Any) -> Value:
    """``-a``."""
    return values.negative(run.value(node.arg))


def juxtaposed(run: Run, node: Any) -> Value:
    """``a b``: a product, or one name."""
    if run.page.symbols.ref(node) is not None:
        return run.named(node)
    return chain(run, node.args, "")


def hadamard(run: Run, node: Any) -> Value:
    r"""``a \odot b``."""
    return chain(run, node.args, products.ENTRYWISE)


def infix(run: Run, node: Any) -> Value:
    r"""``a \cdot b``, ``a * b``, ``a @ b``; ``h^\top \otimes I``, Kronecker's product with a unit matrix."""
    if node.sign == "otimes" and not run.flat and any(unit(run, a) for a in node.args):
        return crossed(run, node)
    return chain(run, node.args, SIGNS.get(node.sign, node.sign))


def closed(run: Run, node: Any) -> Value:
    r"""What stands in brackets, or between signs for entries, ``(U h)``: a weight before a vector makes a vector there, and no other matrix."""
    out = run.value(node)
    inner = unwrapped(node)
    product = kind(inner) == "Product" or (kind(inner) == "Infix" and inner.sign in ("cdot", "dot", "at"))
    if out.rank == 2 and product and plain(inner.args):
        weight, vector = map(run.value, inner.args[-2:])
        if weight.rank == 2 and vector.rank == 1 and not vector.flipped and kind(unwrapped(inner.args[-2])) in ("Name", "Power", "Transpose"):
            raise Misfit("a matrix times a vector is taken for a matrix")
    return out


def unit(run: Run, node: Any) -> bool:
    """Whether a letter stands for a unit matrix."""
    return spelled(unwrapped(node)) in ("I", "Id", "I_n", "I_h", "I_H", "I_d") and run.page.symbols.ref(unwrapped(node)) is None


def crossed(run: Run, node: Any) -> Value:
    """The Kronecker product of a vector and a unit matrix of the size of another: the derivative of ``W h`` by W, in any order of its entries."""
    others = [run.value(a) for a in node.args if not unit(run, a)]
    if len(others) != 1 or len(node.args) != 2 or others[0].rank != 1:
        raise Unsupported("a Kronecker product", node)
    options = tuple(Option(k, n) for k, n in enumerate(vector_sizes(run)))
    return products.kronecker(Value(values.eye(run.chooser.choose(("size of I", id(node)), options))), others[0])


def vector_sizes(run: Run) -> list[int]:
    """The sizes of the cell's vectors, that of the state first."""
    dims = run.world.model.dims
    states = [dims[key][0] for key in sorted(run.page.lagged) if dims.get(key)]
    return [*dict.fromkeys((*states, *(d[0] for d in dims.values() if len(d) == 1)))]


def add(run: Run, x: Value, y: Value) -> Value:
    """x + y; a number is added to every entry."""
    if x.rank == 1 and y.rank == 1 and x.orient * y.orient == -1 and not (run.lenient or run.defining) and x.dims == y.dims:
        raise Misfit("a row is added to a column")
    out, note = plus(x, y)
    if run.inside == LOSS and x.rank != y.rank and not (x.plain or y.plain):
        raise Unsupported("a number and a vector that are added in a loss")
    if note:
        run.chooser.choose(("raised", note), (Option(1, None, note),))
    return out


def chain(run: Run, args: tuple[Any, ...], sign: str) -> Value:
    """Factors from left to right."""
    if not plain(args):
        if dotted(args):
            args = filled(run, args)
        if not sign:
            args = fused(run, args)
    run.products.append(args)
    value = partial(closed, run) if sign in ("", products.ENTRYWISE) else run.value
    try:
        out = last = value(args[0])
        for before, a in pairwise(args):
            x, last = last, value(a)
            if ones(a) and out.rank == 1 and out.flipped:  # ``v^\top 1``
                out = values.contracted(out, values.spread(scalar(1), out.dims))
                continue
            linked = sign != products.ENTRYWISE and x.a.ndim + last.a.ndim == 5 and min(x.a.ndim, last.a.ndim) == 2 and of_the_chain_rule(run, before, a)
            out = composed(sign, out, last) if linked else times(run, sign, out, last)
    except OutOfTime:
        if not any(without_terms(run, a) for a in args):
            raise
        return scalar(0)
    finally:
        run.products.pop()
    return out


def of_the_chain_rule(run: Run, x: Any, y: Any) -> bool:
    r"""Whether a gradient of the loss stands beside the next derivative, ``\partial L/\partial z \, \partial z/\partial h``.

    In numerator layout it stands left of that, in denominator layout right of it.
    """
    x, y = unwrapped(x), unwrapped(y)
    if kind(x) != "Derivative" or kind(y) != "Derivative" or "nabla" in (x.sign, y.sign):
        return False
    above, below = (loss_head(d.of) is not None for d in (x, y))
    if above != below and above == bool(run.chooser.fixed.get("layout")):
        raise Misfit("the factors of the chain rule stand in the other order in this layout")
    return above != below


def composed(sign: str, x: Value, y: Value) -> Value:
    """The matrix product: nothing else leads from one derivative to the next."""
    first = next(iter(meanings(sign, x, y).options), None)
    if first is None or first.cost:
        raise Misfit(f"{products.shape(x)} times {products.shape(y)} does not compose")
    return first.value(x, y)  # type: ignore[no-any-return]


def without_terms(run: Run, node: Any) -> bool:
    r"""Whether a factor is a sum without terms, ``\sum_{i=t+1}^T`` at the last step: zero, whatever it is multiplied with."""
    node = unwrapped(node)
    if kind(node) != "Big" or node.kind != "sum":
        return False
    value = run.value(node)
    return not value.rank and not value.a.any()


@by_identity
def plain(args: tuple[Any, ...]) -> bool:
    """Whether each factor is one by itself: no dots, and no mark that may belong to what stands behind it."""
    return not dotted(args) and not any(kind(a) == "Name" and a.base in MARKS for a in args)


def times(run: Run, sign: str, x: Value, y: Value) -> Value:
    """x times y in one of the meanings that the sign has between such shapes."""
    if run.page.program and not run.defining:
        return products.computed(sign, x, y, run.lenient)
    if run.defining:
        x, y = (v.turned(0) if v.rank == 1 else v for v in (x, y))
    if sign == "otimes" and not ("otimes" in run.page.entrywise or run.defining):
        sign = products.OUTER
    if sign in run.page.entrywise - {"otimes"} and x.rank == y.rank == 1 and x.dims == y.dims and not (x.flipped or y.flipped):
        sign = products.ENTRYWISE
    upright = run.world.model.orient
    found = meanings(sign, x, y, upright)
    if not found.options and run.lenient:
        found = meanings(sign, x.turned(0), y.turned(0), upright)
    if not found.options:
        raise Misfit(f"{products.shape(x)} times {products.shape(y)} does not compose")
    rule = found.only or run.chooser.choose(found.key, found.options)
    return rule(x, y)  # type: ignore[no-any-return]


def power(run: Run, node: Any) -> Value:
    r"""``x^n``, ``W^\top``, ``e^x``, or a name with a superscript."""
    exponent = unwrapped(node.exponent)
    if is_top(node.exponent) and not counted(run, node):
        return turned(run, node.base)
    ref = run.page.symbols.ref(node)
    if ref is not None:
        return run.named(node)
    step = run.page.symbols.letter in letters(exponent) and _step_like(exponent)
    error = kind(node.exponent) == "Paren" and (step or "e" in run.page.abbreviations)  # ``e^{(t)}`` of ``e^{(t)} = \\hat y^{(t)} - y^{(t)}``
    natural = kind(node.base) == "Name" and node.base.base == "e" and not node.base.subs and not error
    if natural and ("e" not in run.page.symbols.ranks or kind(exponent) != "Number"):
        return apply_known(run, "exp", run.value(node.exponent), 0)
    n = number_at(exponent, run.env)
    if n is None and number_at(node.base, {}) == 1:
        return run.value(node.base)  # ``1^{T-k}``, however many steps there are
    if n is None:
        adjoint = run.try_unnamed(node)
        if adjoint is not None:
            return adjoint
        raise Missing(next((w for w in letters(exponent) if w not in run.env), "exponent"), exponent)
    if kind(node.base) in ("Name", "Power", "Index") and run.page.symbols.ref(node.base) is None:
        adjoint = run.try_unnamed(node)
        if adjoint is not None:
            return adjoint
        if kind(node.exponent) == "Paren":  # ``g_h^{(2)}``: no square, but the second of the parts of a gradient
            raise Missing(spelled(node.base) or "index", node)
    if run.inside == LOSS and n == 2 and kind(unwrapped(node.base)) in ("Norm", "Absolute"):
        x = run.value(unwrapped(node.base).arg)
        return values.whole(values.scaled(x, x))
    x = run.value(node.base)
    if n == -1 and x.rank == 2 and kind(exponent) == "Sum" and len({*letters(exponent)}) == 1:
        raise OutOfTime("exponent")  # ``C A^{m-1} B`` speaks of steps from m = 1 on
    return raised(run, x, n)


def counted(run: Run, node: Any) -> bool:
    r"""Whether ``W^T`` is the power T: of a number, or of a square matrix in a line that names the last step."""
    if spelled(unwrapped(node.exponent)) != "T" or not (run.flat or run.to_the_last):
        return False
    base = run.value(node.base)
    if not run.flat and base.rank and not (base.rank == 2 and base.dims[0] == base.dims[1] and base.dims[0] > 1):
        return False
    again = kind(unwrapped(node.base)) in ("Power", "Transpose")
    count = (Option(0, None), Option(1, "T", "^T is the power T, the number of steps"))
    return run.chooser.choose("power T of a transpose" if again else "power T", count) is not None


def raised(run: Run, x: Value, n: Ratio | int) -> Value:
    """x^n entry by entry, or of a square matrix."""
    if n.denominator != 1:
        if n == Ratio(1, 2):
            return apply_known(run, "sqrt", x, 0)
        raise Unsupported("a fractional power")
    k = int(n)
    if abs(k) > 200:
        raise Unsupported("a large power")
    if x.rank == 2 and x.dims[0] == x.dims[1]:
        if k < 0:
            if x.d is not None:
                raise Unsupported("the derivative of an inverse matrix")
            return raised(run, Value(inverted(x.a), None, x.orient), Ratio(-k))
        out = Value(values.eye(x.dims[0]))
        for _ in range(k):
            out = values.contracted(out, x)
        return out
    if k == 0:
        return Value(np.ones_like(x.a), None, x.orient, x.plain)
    if k < 0:
        x = Value(F.inverse(x.a), None if x.d is None else -x.d * (F.power(x.a, -2))[..., None] % F.P, x.orient)
        k = -k
    out = x
    for _ in range(k - 1):
        out = values.scaled(out, x, x.orient)
    return out


def transpose(run: Run, node: Any) -> Value:
    r"""``A^\top``, or an entry of it."""
    ref = run.page.symbols.ref(unwrapped(node.arg))
    if ref is not None and len(ref.entries) == 2 and not run.flat:  # an entry of the transpose
        return values.part(run.quantity(ref), tuple(run.entry(e, 0) for e in ref.entries[::-1]))
    return turned(run, node.arg)


def turned(run: Run, node: Any) -> Value:
    r"""The transpose of a formula; ``1^\top`` is a row of ones, and where vectors are rows, of a batch, it adds up the examples, of which there is one."""
    out = values.transposed(run.value(node))
    return replace(out, flipped=True) if ones(node) and run.world.model.orient > 0 else out


def ones(node: Any) -> bool:
    r"""Whether this is written 1, or ``\mathbf 1``: beside a vector that is transposed it stands for a vector of ones."""
    node = unwrapped(node)
    return (kind(node) == "Number" and node.text == "1") or (kind(node) == "Name" and node.base in ("1", "ones", "mathbb1") and not node.subs)


def fraction(run: Run, node: Any) -> Value:
    """``a / b`` entry by entry."""
    below = run.value(node.denominator)
    above = run.value(node.numerator)
    if below.rank and above.rank and below.dims != above.dims:
        raise Misfit("a quotient of different shapes")
    if below.rank > 1:
        raise Misfit("a division by a matrix")
    one_over = Value(F.inverse(below.a), None if below.d is None else -below.d * F.power(below.a, -2)[..., None] % F.P, below.orient)
    return values.scaled(above, one_over, above.orient or below.orient)
