"""The value of a formula of numbers, and of names whose numbers are known, as rows of intervals; and its derivative by a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any

from symgrad.check.numbers.decimals import ONE, SLOPES, ZERO, Interval, NoNumber, Widen, applied, exact, minus, over, plus, power, times, written
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import is_top, letters, number_at
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Number, Product

Rows = tuple[tuple[Interval, ...], ...]  # of a matrix; a number is one row of one
TERMS = 64  # of a sum


class Reckoner:
    """The value of a formula of numbers, and of names whose numbers are known."""

    def __init__(self, widen: Widen, functions: Mapping[str, Any], known: Callable[[Any, Reckoner], Rows | None] = lambda node, reckoner: None) -> None:
        self.widen, self.functions, self.known = widen, functions, known

    def rows(self, node: Any) -> Rows:
        """A formula as rows of intervals."""
        node = unwrapped(node)
        found = self.known(node, self)
        if found is not None:
            return found
        single = written(node)
        if single is not None:
            return ((self.widen(single),),)
        match kind(node):
            case "Negative":
                return _each(lambda x: (-x[1], -x[0]), self.rows(node.arg))
            case "Sum":
                return self._folded(node.args, lambda a, b: _paired(plus, a, b))
            case "Product":
                return self._folded(grouped(node.args), product)
            case "Hadamard":
                return self._folded(node.args, lambda a, b: _paired(times, a, b))
            case "Infix" if node.sign in ("times", "cdot", "ast", "*", "at", "bullet", "star"):
                return self._folded(node.args, product)
            case "Infix" if node.sign == "odot":
                return self._folded(node.args, lambda a, b: _paired(times, a, b))
            case "Infix" if node.sign == "/":
                return self._folded(node.args, lambda a, b: ((over(_number(a), _number(b)),),))
            case "Fraction":
                return ((over(_number(self.rows(node.numerator)), _number(self.rows(node.denominator))),),)
            case "Power":
                return self._power(node)
            case "Transpose":
                return _turned(self.rows(node.arg))
            case "Absolute":
                return _each(_magnitude, self.rows(node.arg))
            case "Apply" if kind(node.function) == "Name" and len(node.args) == 1:
                return self._applied(node.function, self.rows(node.args[0]))
            case "Stack":
                return self._stacked(node)
            case "Big":
                return self._over(node)
            case "Diagonal":
                column = _column(self.rows(node.arg))
                return tuple(tuple(x if i == j else ZERO for j in range(len(column))) for i, x in enumerate(column))
        raise NoNumber("a part of it is no number")

    def _folded(self, args: tuple[Any, ...], operation: Callable[[Rows, Rows], Rows]) -> Rows:
        return reduce(operation, map(self.rows, args))

    def _power(self, node: Any) -> Rows:
        if is_top(node.exponent):
            return _turned(self.rows(node.base))
        base = unwrapped(node.base)
        if kind(base) == "Name" and base.base == "e" and not base.subs and not base.primes:
            return ((applied("exp", _number(self.rows(node.exponent))),),)
        n = _number(Reckoner(exact, self.functions, lambda name, _: self.known(name, self)).rows(node.exponent))
        if n[0] != n[1] or n[0].denominator not in (1, 2):
            raise NoNumber("an exponent that is no integer")
        value = self.rows(base)
        if n[0].denominator == 2:
            value = ((applied("sqrt", _number(value)),),)
        if len(value) > 1 and len(value[0]) > 1:
            raise NoNumber("a power of a matrix")
        return _each(lambda x: power(x, n[0].numerator), value)

    def _over(self, node: Any) -> Rows:
        """A sum, or a product of numbers, over steps told by number."""
        terms = [self.rows(term) for term in self.terms(node)]
        if node.kind == "prod" and shape(terms[0]) != (1, 1):
            raise NoNumber("a product of matrices, whose order is not said")
        return reduce(product if node.kind == "prod" else lambda a, b: _paired(plus, a, b), terms)

    def terms(self, node: Any) -> list[Any]:
        """The terms of a sum, or the factors of a product, over steps told by number."""
        first, last = (None if end is None else number_at(end, {}) for end in (node.lower, node.upper))
        if kind(node.index) != "Name" or not isinstance(first, int) or not isinstance(last, int) or not 0 <= last - first < TERMS:
            raise NoNumber("a sum whose ends are no numbers")
        return [at_step(node.body, node.index.base, k) for k in range(first, last + 1)]

    def function(self, function: Any) -> str:
        """The known function of a name."""
        name = self.functions.get(function.base, BUILTIN.get(function.base))
        if not isinstance(name, str) or function.accents or function.subs:
            raise NoNumber("a function whose values are not known here")
        return name

    def _applied(self, function: Any, value: Rows) -> Rows:
        name = self.function(function)
        if function.primes > 1 or (function.primes and name not in SLOPES):
            raise NoNumber("a function whose values are not known here")
        slope = SLOPES[name] if function.primes else lambda y: y
        return _each(lambda x: slope(applied(name, x)), value)

    def _stacked(self, node: Any) -> Rows:
        parts = [self.rows(a) for a in node.args]
        if not node.vertical:
            if any(len(p) != 1 for p in parts):
                raise NoNumber("a bracket of more than numbers")
            return (tuple(x for p in parts for x in p[0]),)
        if len({len(p[0]) for p in parts}) != 1:
            raise NoNumber("rows of different lengths")
        return tuple(row for p in parts for row in p)


class Slopes:
    """The derivative of a formula of numbers by a name; `formula` is what a name stands for, None for what does not depend on others."""

    def __init__(self, reckoner: Reckoner, wrt: Any, formula: Callable[[Any], Any]) -> None:
        self.reckoner, self.wrt, self.formula = reckoner, wrt, formula
        self._known: dict[Any, Interval] = {}

    def of(self, node: Any) -> Interval:
        node = unwrapped(node)
        if node is None or written(node) is not None:
            return ZERO
        if node == self.wrt:
            return ONE
        if node not in self._known:
            self._known[node] = self._of(node)
        return self._known[node]

    def value(self, node: Any) -> Interval:
        return _number(self.reckoner.rows(node))

    def _of(self, node: Any) -> Interval:
        match kind(node):
            case "Negative":
                return minus(ZERO, self.of(node.arg))
            case "Sum":
                return reduce(plus, map(self.of, node.args))
            case "Infix" | "Hadamard" | "Product" if kind(node) != "Product" or not self.named(node):
                return self._product(grouped(node.args))
            case "Fraction":
                top, bottom = self.value(node.numerator), self.value(node.denominator)
                change = minus(times(self.of(node.numerator), bottom), times(top, self.of(node.denominator)))
                return over(change, power(bottom, 2))
            case "Power" if (n := written(node.exponent)) is not None and n.value.denominator == 1:
                inner = self.of(node.base)
                return times(times((n.value, n.value), power(self.value(node.base), int(n.value) - 1)), inner)
            case "Apply" if len(node.args) == 1 and not node.function.primes:
                name = self.reckoner.function(node.function)
                if name not in SLOPES:
                    raise NoNumber("a function whose slope is not known here")
                return times(SLOPES[name](applied(name, self.value(node.args[0]))), self.of(node.args[0]))
            case "Big" if node.kind == "sum":
                return reduce(plus, map(self.of, self.reckoner.terms(node)))
        self.value(node)  # or it is no number at all
        return self.of(self.formula(node))

    def named(self, node: Any) -> bool:
        return len(node.args) == 2 and differential(*node.args)

    def _product(self, args: tuple[Any, ...]) -> Interval:
        """(u v)' = u' v + u v'."""
        total = ZERO
        for k, a in enumerate(args):
            others = [self.value(b) for i, b in enumerate(args) if i != k]
            total = plus(total, reduce(times, others, self.of(a)))
        return total


def differential(mark: Any, name: Any) -> bool:
    """Whether two factors are one symbol: ``d h_3``."""
    return kind(mark) == "Name" and mark.base in MARKS and not mark.subs and not mark.primes and kind(name) == "Name"


def grouped(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The factors of a product, ``d h_3`` as one of them."""
    out: list[Any] = []
    for a in args:
        if out and differential(out[-1], a):
            out[-1] = Product((out[-1], a))
        else:
            out.append(a)
    return tuple(out)


def at_step(node: Any, letter: str, step: int) -> Any:
    """A formula with its indices worked out at a step: ``h_{t-1}`` at t = 3 is ``h_2``."""
    node = unwrapped(node) if kind(node) == "Paren" and letter not in set(letters(node)) else node
    if not is_dataclass(node):
        return node
    changed: dict[str, Any] = {}
    for f in fields(node):
        value = getattr(node, f.name)
        if f.name == "subs" or (f.name == "parts" and kind(node) == "Index"):
            changed[f.name] = tuple(numbered(p, letter, step) for p in value)
        elif f.name == "exponent" and kind(value) == "Paren":
            changed[f.name] = replace(value, arg=numbered(value.arg, letter, step))
        elif isinstance(value, tuple):
            changed[f.name] = tuple(at_step(v, letter, step) if is_dataclass(v) else v for v in value)
        elif f.name != "span" and is_dataclass(value):
            changed[f.name] = at_step(value, letter, step)
    whole: Any = node
    return replace(whole, **changed) if changed else node


def numbered(index: Any, letter: str, step: int) -> Any:
    """An index in the letter as a number."""
    value = number_at(index, {letter: step}) if letter in set(letters(index)) else None
    return Number(str(value)) if isinstance(value, int) and value >= 0 else index


def shape(value: Rows) -> tuple[int, int]:
    """Rows and columns."""
    return len(value), len(value[0])


def _number(value: Rows) -> Interval:
    if len(value) != 1 or len(value[0]) != 1:
        raise NoNumber("a vector where a number belongs")
    return value[0][0]


def _column(value: Rows) -> tuple[Interval, ...]:
    if len(value) == 1:
        return value[0]
    if len(value[0]) != 1:
        raise NoNumber("a matrix where a vector belongs")
    return tuple(row[0] for row in value)


def _each(f: Callable[[Interval], Interval], value: Rows) -> Rows:
    return tuple(tuple(f(x) for x in row) for row in value)


def _turned(value: Rows) -> Rows:
    return tuple(zip(*value, strict=True))


def _magnitude(x: Interval) -> Interval:
    if x[0] >= 0:
        return x
    return (-x[1], -x[0]) if x[1] <= 0 else (Fraction(0), max(-x[0], x[1]))


def _paired(f: Callable[[Interval, Interval], Interval], a: Rows, b: Rows) -> Rows:
    """Entry by entry, of the same shape."""
    if shape(a) != shape(b):
        raise NoNumber("sizes that do not fit")
    return tuple(tuple(f(x, y) for x, y in zip(r, s, strict=True)) for r, s in zip(a, b, strict=True))


def product(a: Rows, b: Rows) -> Rows:
    """A B, or a number times either."""
    if len(a) == len(a[0]) == 1:
        return _each(lambda x: times(a[0][0], x), b)
    if len(b) == len(b[0]) == 1:
        return _each(lambda x: times(x, b[0][0]), a)
    if len(a[0]) != len(b):
        raise NoNumber("sizes that do not fit")
    out = []
    for row in a:
        entries = []
        for column in _turned(b):
            total = ZERO
            for x, y in zip(row, column, strict=True):
                total = plus(total, times(x, y))
            entries.append(total)
        out.append(tuple(entries))
    return tuple(out)
