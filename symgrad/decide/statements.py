r"""Statements over time read as sums of words (`sequences`), and words written as formulas again."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.decide.sequences import INDEX, I, Poly, Unreadable, Word, added, at, letter, mentions, no, one, product, simplified, summed
from symgrad.notation.names import identifier
from symgrad.notation.syntax import Absolute, Big, Derivative, Name, Negative, Node, Number, Power, Product, Relation, Sum
from symgrad.notation.text import text

TIMES = set("tkijsulrqTK")  # letters that count steps


def rendered(node: Node, times: Mapping[str, sp.Expr], state: str, partial: str) -> Poly:
    """A side of a statement as a sum of words."""
    return _Reader(state, partial).read(node, dict(times))


class _Reader:
    def __init__(self, state: str, partial: str) -> None:
        self.state, self.partial = state, partial

    def read(self, node: Node, times: dict[str, sp.Expr]) -> Poly:
        match node:
            case Sum(args=args):
                out: Poly = {}
                for a in args:
                    out = added(out, self.read(a, times))
                return out
            case Negative(arg=arg):
                return product({(): Fraction(-1)}, self.read(arg, times))
            case Product(args=args):
                return product(*(self.read(a, times) for a in args))
            case Number(text=digits):
                value = Fraction(digits)
                return {(): value} if value else {}
            case Big(kind="sum", index=Name(base=index), lower=lower, upper=upper, body=body) if lower is not None and upper is not None:
                inner = self.read(body, {**times, index: INDEX})
                if any(mentions(a, INDEX) and a[0] == "Σ" for w in inner for a in w):
                    no("a sum within a sum")
                return summed(self.moment(_bound(lower), times), self.moment(upper, times), inner)
            case Big(kind="prod", index=Name(base=index), lower=lower, upper=upper, body=body) if lower is not None and upper is not None:
                return self.big_product(self.moment(_bound(lower), times), self.moment(upper, times), self.read(body, {**times, index: sp.Symbol("_i")}))
            case Derivative(of=of, wrt=wrt, sign=sign):
                return self.derivative(of, wrt, sign, times)
            case Power(base=Name() as name, exponent=exponent):
                return letter(("^", text(name), self.moment(exponent, times)))
            case Name(base=base) if base not in (self.state, "L", "delta") and not (self.when(node, times) or sp.S.Zero).free_symbols:
                return one(("W", text(node)))
        return no(f"`{text(node)}`")

    def big_product(self, lo: sp.Expr, hi: sp.Expr, body: Poly) -> Poly:
        """Π_{i=lo}^{hi}, the latest leftmost: of one Jacobian, or written out where the ends are known."""
        i = sp.Symbol("_i")
        words = list(body)
        if body == I:
            return I
        if len(words) == 1 and body[words[0]] == 1 and len(words[0]) == 1:
            (a,) = words[0]
            if a[0] == "W":
                return letter(("^", a[1], sp.expand(hi - lo + 1)))
            rise = sp.expand(a[1]).coeff(i) if a[0] == "J" else 0
            if abs(rise) == 1:
                ends = [sp.expand(a[1].subs(i, k)) for k in (lo, hi)]
                return letter(("Π", *ends[:: int(rise)]))
        if not (lo.is_Integer and hi.is_Integer):
            return no("a product over time of anything but one Jacobian")
        falls = any(sp.expand(m).coeff(i) < 0 for w in body for a in w for m in a if isinstance(m, sp.Expr))
        steps = range(int(lo), int(hi) + 1) if falls else range(int(hi), int(lo) - 1, -1)
        return product(*(simplified({tuple(at(a, {i: sp.Integer(k)}) for a in w): c for w, c in body.items()}) for k in steps))

    def derivative(self, of: Node, wrt: Node, sign: str, times: dict[str, sp.Expr]) -> Poly:
        if not isinstance(of, Name) or not isinstance(wrt, Name):
            return no(f"the derivative of {text(of)}")
        above, below = self.when(of, times), self.when(wrt, times)
        if of.base == "L" and above is not None:
            if wrt.base == self.state and below is not None:
                return product(one(("λ", above)), letter(("H", above, below)))
            if wrt.base != self.state:
                return product(one(("λ", above)), letter(("D", above, wrt)))
        if of.base == self.state and above is not None:
            if wrt.base == self.state and below is not None:
                return letter(("H", above, below))
            if wrt.base != self.state:
                kind = "P" if sign == "partial+" or (sign == "partial" and self.partial == "immediate") else "D"
                return letter((kind, above, wrt))
        return no(f"∂{text(of)}/∂{text(wrt)}")

    def when(self, name: Name, times: dict[str, sp.Expr]) -> sp.Expr | None:
        """The moment in the last subscript, if it is one."""
        if not name.subs:
            return None
        try:
            return self.moment(name.subs[-1], times)
        except Unreadable:
            return None

    def moment(self, node: Node, times: dict[str, sp.Expr]) -> sp.Expr:
        """t - k + 1 as an expression."""
        match node:
            case Number(text=digits) if digits.isdigit():
                return sp.Integer(int(digits))
            case Name(base=base, subs=(), accents=()) if base in times:
                return times[base]
            case Sum(args=args):
                return sp.expand(sum((self.moment(a, times) for a in args), sp.Integer(0)))
            case Negative(arg=arg):
                return -self.moment(arg, times)
        raise Unreadable(f"`{text(node)}` is no step")


def _bound(node: Node) -> Node:
    return node.sides[-1] if isinstance(node, Relation) else node


def letters_of(node: Any, state: str, bound: frozenset[str] = frozenset()) -> set[str]:
    """The letters of time in the subscripts of states and losses, in bounds and exponents, that no Σ or Π binds; the r of U_r is none."""
    match node:
        case Big(index=Name(base=index), lower=lower, upper=upper, body=body):
            edges = _steps(_bound(lower) if lower is not None else None, bound) | _steps(upper, bound)
            return edges | letters_of(body, state, bound | {index})
        case Name(base=base, subs=subs):
            return _steps(subs[-1], bound) if subs and base in (state, "L", "delta") else set()
        case Power(exponent=exponent):
            return _steps(exponent, bound)
        case Derivative(of=of, wrt=wrt):
            return letters_of(of, state, bound) | letters_of(wrt, state, bound)
        case Sum(args=args) | Product(args=args) | Relation(sides=args):
            return {x for a in args for x in letters_of(a, state, bound)}
        case Negative(arg=arg):
            return letters_of(arg, state, bound)
    return set()


def _steps(node: Any, bound: frozenset[str]) -> set[str]:
    match node:
        case Name(base=base, subs=()) if base in TIMES and base not in bound:
            return {base}
        case Sum(args=args):
            return {x for a in args for x in _steps(a, bound)}
        case Negative(arg=arg):
            return _steps(arg, bound)
    return set()


# -- writing ------------------------------------------------------------------------------------------------------------------


def shown(node: Node) -> str:
    """A node in Unicode."""
    return text(node)


def word_node(word: Word, c: Fraction, state: str) -> Node:
    """A word as a formula: ∂h_2/∂h_1 ∂⁺h_1/∂θ."""

    def moment(m: sp.Expr) -> Name:
        return Name(state, (), (_moment(m),))

    parts: list[Node] = []
    for a in word:
        match a:
            case ("J", m):
                parts.append(Derivative(moment(m), moment(m - 1)))
            case ("P" | "D" as kind, m, theta):
                parts.append(Derivative(moment(m), theta, "partial+" if kind == "P" else "d"))
            case ("H", m, k):
                parts.append(Derivative(moment(m), moment(k)))
            case ("λ", m):
                parts.append(Derivative(Name("L", (), (_moment(m),)), moment(m)))
            case ("W", name):
                parts.append(_named(str(name)))
            case ("^", name, m):
                parts.append(Power(_named(str(name)), _moment(m)))
            case ("Π", lo, hi):
                i = sp.Symbol("i")
                parts.append(Big("prod", Name("i"), _moment(lo), _moment(hi), Derivative(moment(i), moment(i - 1))))
            case ("Σ", lo, hi, inner):
                j = tuple(at(b, {INDEX: sp.Symbol("j")}) for b in inner)
                parts.append(Big("sum", Name("j"), _moment(lo), _moment(hi), word_node(j, Fraction(1), state)))
    node: Node = Name("I") if not parts else parts[0] if len(parts) == 1 else Product(tuple(parts))
    if abs(c) != 1:
        node = Product((Number(str(abs(c))), node))
    return Negative(node) if c < 0 else node


def _moment(m: sp.Expr) -> Node:
    terms = sorted(sp.Add.make_args(sp.expand(m)), key=lambda a: (a.is_number, a.could_extract_minus_sign(), str(a)))
    sizes = [Number(str(abs(a))) if a.is_number else Name(str(-a if a.could_extract_minus_sign() else a)) for a in terms]
    nodes = [Negative(b) if a.could_extract_minus_sign() else b for a, b in zip(terms, sizes, strict=True)]
    return nodes[0] if len(nodes) == 1 else Sum(tuple(nodes))


def _named(name: str) -> Node:
    return identifier(name.replace("{", "").replace("}", ""))


def allowed(condition: Node) -> Any:
    """The numbers W with ``W < 1``, ``|W| < 1``, ``0 < W < 1``, as a set of SymPy."""
    if not isinstance(condition, Relation):
        raise Unreadable(f"`{text(condition)}` is no condition")
    region: Any = sp.S.Reals
    w = sp.Symbol("w", real=True)
    for a, sign, b in zip(condition.sides, condition.signs, condition.sides[1:], strict=False):
        x, y = _side(a, w), _side(b, w)
        compare = {"<": sp.Lt, r"\le": sp.Le, "<=": sp.Le, r"\leq": sp.Le, ">": sp.Gt, r"\ge": sp.Ge, ">=": sp.Ge, "=": sp.Eq}.get(sign)
        if compare is None:
            raise Unreadable(f"`{sign}` is no comparison of numbers")
        region = region.intersect(compare(x, y).as_set())
    return region


def _side(node: Node, w: sp.Symbol) -> sp.Expr:
    match node:
        case Number(text=digits):
            return sp.Rational(digits)
        case Negative(arg=arg):
            return -_side(arg, w)
        case Absolute(arg=arg):
            return sp.Abs(_side(arg, w))
        case Name():
            return w
    raise Unreadable(f"`{text(node)}` is no number and no name")
