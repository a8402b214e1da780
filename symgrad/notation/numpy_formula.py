r"""A formula as one NumPy expression, to be pasted: ``J = np.diag(z) + np.diag((h_prev - h_tilde) * z * (1 - z)) @ U_z``.

`numpy_out` compiles for speed; here the formula stays readable, factor by factor: ``diag(v)`` is ``np.diag(v)``, juxtaposition ``@``, the
Hadamard product ``*``.  A quantity of step t keeps its bare name, one of step t - 1 is marked ``_prev``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.notation.syntax import (
    Apply,
    Derivative,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Relation,
    Sum,
    Transpose,
)

COMPARISON, SUM, FACTOR, ATOM = range(4)
FUNCTIONS = {"sigma": "sigmoid(", "tanh": "np.tanh(", "relu": "np.maximum(0, ", "exp": "np.exp(", "log": "np.log(", "cosh": "np.cosh("}
_PREVIOUS = Sum((Name("t"), Negative(Number("1"))))


class Unwritten(ValueError):
    """A formula that NumPy has no short expression for: products over time, components, free functions."""


def assignment(relation: Relation, scalar: bool = False) -> str:
    """``dh_dh_prev = …`` for an equation; in `scalar` form juxtaposition multiplies numbers.  Raises `Unwritten`."""
    left, right = relation.sides
    return f"{_target(left)} = {Writer(scalar).text(right, SUM, whole=True)}"


def _target(node: Node) -> str:
    if isinstance(node, Derivative):
        return f"d{identifier(node.of)}_d{identifier(node.wrt)}"
    return identifier(node)


def identifier(node: Node) -> str:
    r"""``\tilde{h}_{t-1}`` as ``h_tilde_prev``, ``W_{xh}`` as ``W_xh``, ``\delta z_t`` as ``dz``."""
    match node:
        case Name(base, accents, subs, 0):
            words, tail = [base, *accents], ""
            for sub in subs:
                if sub == Name("t"):
                    continue
                if sub == _PREVIOUS:
                    tail = "_prev"
                else:
                    words.append(_word(sub))
            return "_".join(words) + tail
        case Power(Name() as base, Name() as gate):  # the preactivation of a gate, a_t^z
            return f"{identifier(base)}_{identifier(gate)}"
        case Product((Name("delta"), inner)):
            return f"d{identifier(inner)}"
    raise Unwritten


def _word(node: Node) -> str:
    match node:
        case Number(text):
            return text
        case Name():
            return identifier(node)
        case Product(args) if all(isinstance(a, Name) for a in args):
            return "".join(identifier(a) for a in args)
    raise Unwritten


def _number(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Fraction) and _number(node.numerator) and _number(node.denominator))


def _vector(node: Node) -> bool:
    """Whether this is a column: it has a step, or it is made of such."""
    match node:
        case Name(subs=subs):
            return Name("t") in subs or _PREVIOUS in subs
        case Hadamard(args) | Sum(args):
            return any(_vector(a) for a in args)
    return False


def _adjoints(args: tuple[Node, ...]) -> list[Node]:
    """The factors with every ``δ v`` as one of them."""
    out: list[Node] = []
    for arg in args:
        if out and out[-1] == Name("delta"):
            out[-1] = Product((Name("delta"), arg))
        else:
            out.append(arg)
    return out


class Writer:
    """Nodes to Python, with the brackets that Python needs."""

    def __init__(self, scalar: bool) -> None:
        self.scalar = scalar
        self.rules: dict[type, Callable[[Any], tuple[str, int]]] = {
            Number: lambda n: (n.text, ATOM),
            Name: self.name,
            Sum: self.sum,
            Negative: lambda n: (f"-{self.text(n.arg, FACTOR)}", SUM),
            Product: self.product,
            Hadamard: lambda n: (" * ".join(self.text(a, ATOM) for a in n.args), FACTOR),
            Power: self.power,
            Fraction: lambda n: (f"{self.text(n.numerator, ATOM)} / {self.text(n.denominator, ATOM)}", FACTOR),
            Apply: self.apply,
            Diagonal: lambda n: (f"np.diag({self.text(n.arg, COMPARISON)})", ATOM),
            Transpose: lambda n: (f"{self.text(n.arg, ATOM)}.T", ATOM),
            Indicator: lambda n: (self.relation(n.condition), COMPARISON),
        }

    def text(self, node: Node, level: int, whole: bool = False) -> str:
        """The node where only what binds as tightly as `level` may stand bare."""
        if whole and isinstance(node, Number) and node.text == "0" and not self.scalar:
            return "np.zeros((n, n))"
        rule = self.rules.get(type(node))
        if rule is None:
            raise Unwritten
        written, own = rule(node)
        return written if own >= level else f"({written})"

    def name(self, node: Name) -> tuple[str, int]:
        return ("np.eye(n)" if node == Name("I") else identifier(node)), ATOM

    def sum(self, node: Sum) -> tuple[str, int]:
        text = ""
        for k, arg in enumerate(node.args):
            negative = isinstance(arg, Negative)
            term = self.text(arg.arg if isinstance(arg, Negative) else arg, FACTOR)
            text += (f" {'-' if negative else '+'} " if k else "-" * negative) + term
        return text, SUM

    def product(self, node: Product) -> tuple[str, int]:
        """``1/2 * np.diag(v) @ U``: a number multiplies, a column times a row is an outer product, all else a product of matrices."""
        args = _adjoints(node.args)
        if len(args) == 1:
            return identifier(node), ATOM
        if not self.scalar and len(args) == 2 and isinstance(args[1], Transpose) and _vector(args[1].arg):
            return f"np.outer({self.text(args[0], SUM)}, {self.text(args[1].arg, SUM)})", ATOM
        text = ""
        for k, arg in enumerate(args):
            sign = " * " if self.scalar or (k and _number(args[k - 1])) else " @ "
            text += (sign if k else "") + self.text(arg, ATOM)
        return text, FACTOR

    def power(self, node: Power) -> tuple[str, int]:
        if isinstance(node.exponent, Number):
            return f"{self.text(node.base, ATOM)}**{node.exponent.text}", ATOM
        return identifier(node), ATOM

    def apply(self, node: Apply) -> tuple[str, int]:
        if node.function.base not in FUNCTIONS or node.function.primes or len(node.args) != 1:
            raise Unwritten
        return f"{FUNCTIONS[node.function.base]}{self.text(node.args[0], COMPARISON)})", ATOM

    def relation(self, node: Node) -> str:
        if not isinstance(node, Relation) or len(node.sides) != 2 or node.signs[0] not in ("<", ">"):
            raise Unwritten
        return f"{self.text(node.sides[0], SUM)} {node.signs[0]} {self.text(node.sides[1], SUM)}"
