"""Pointwise expressions as NumPy lines that write into given arrays: ``h_t = z∘h + (1-z)∘h̃`` without one temporary.

`Lines` collects the lines of one block; scratch arrays come from a pool and are named once, so that the caller can allocate them.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.generate.backward.functions import APPLY
from symgrad.language.functions import ROWS
from symgrad.language.tensor import IDENTITY, ONE, Tensor


def number(value: sp.Expr) -> str:
    """A rational number in Python."""
    return str(value) if value.is_Integer else f"({value.p} / {value.q})" if value.is_Rational else repr(float(value))


class Lines:
    """Lines of code; `name` gives a symbol its place, `sigmoid` is the function that σ is called by."""

    def __init__(self, name: Callable[[sp.Symbol], str], prefix: str = "tmp", sigmoid: str = "sigmoid") -> None:
        self.name, self.prefix, self.sigmoid = name, prefix, sigmoid
        self.lines: list[str] = []
        self.scratch: dict[str, str] = {}  # name → shape
        self.free: dict[str, list[str]] = {}

    def add(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def spare(self, shape: str) -> Iterator[str]:
        """A scratch array of this shape for a while."""
        pool = self.free.setdefault(shape, [])
        if not pool:
            pool.append(self.prefix if not self.scratch else f"{self.prefix}{len(self.scratch) + 1}")
            self.scratch[pool[-1]] = shape
        name = pool.pop()
        yield name
        pool.append(name)

    def simple(self, e: sp.Expr) -> str | None:
        """An operand that needs no line of its own."""
        return self.name(e) if e.is_Symbol else "one" if e == 1 else number(e) if e.is_number else None

    def into(self, e: sp.Expr, out: str, shape: str) -> None:
        """out ← e; `out` is a plain name that does not occur in e."""
        simple = self.simple(e)
        if simple is not None:
            self.add(f"{out}[...] = {simple}")
        elif e.is_Add:
            self._sum(e, out, shape)
        elif e.is_Mul:
            self._product(e, out, shape)
        elif e.is_Pow:
            self._power(e, out, shape)
        else:
            self._applied(e, out, shape)

    def _operand(self, e: sp.Expr, out: str, shape: str) -> str:
        """The operand of a function: itself, or computed into `out`."""
        simple = self.simple(e)
        if simple is None:
            self.into(e, out, shape)
        return simple or out

    def _sum(self, e: sp.Expr, out: str, shape: str) -> None:
        terms = [(-1, -a) if a.could_extract_minus_sign() else (1, a) for a in e.args]
        plain = [(s, x) for s, a in terms if (x := self.simple(a)) is not None]
        rest = [(s, a) for s, a in terms if self.simple(a) is None]
        plain.sort(key=lambda p: (-p[0], p[1] == "one" and p[0] < 0))
        rest.sort(key=lambda p: -p[0])
        if not rest:
            (s, a), (u, b), *plain = plain
            if s < 0:
                self.add(f"np.negative({a}, out={out})")
                plain = [(u, b), *plain]
            else:
                self.add(f"np.{'add' if u > 0 else 'subtract'}({a}, {b}, out={out})")
        else:
            (s, a), *rest = rest
            self.into(a, out, shape)
            if s < 0:
                if plain and plain[0][0] > 0:
                    self.add(f"np.subtract({plain.pop(0)[1]}, {out}, out={out})")
                else:
                    self.add(f"np.negative({out}, out={out})")
        for s, x in plain:
            self.add(f"{out} {'+' if s > 0 else '-'}= {x}")
        for s, a in rest:
            with self.spare(shape) as tmp:
                self.into(a, tmp, shape)
                self.add(f"{out} {'+' if s > 0 else '-'}= {tmp}")

    def _product(self, e: sp.Expr, out: str, shape: str) -> None:
        coefficient, body = e.as_coeff_Mul()
        top = [a for a in sp.Mul.make_args(body) if not (a.is_Pow and a.exp.could_extract_minus_sign())]
        bottom = [1 / a for a in sp.Mul.make_args(body) if a not in top]
        plain = [x for a in top if (x := self.simple(a)) is not None]
        rest = [a for a in top if self.simple(a) is None]
        if rest:
            self.into(rest[0], out, shape)
            for a in rest[1:]:
                with self.spare(shape) as tmp:
                    self.into(a, tmp, shape)
                    self.add(f"{out} *= {tmp}")
        elif len(plain) > 1:
            self.add(f"np.multiply({plain.pop(0)}, {plain.pop(0)}, out={out})")
        elif plain and coefficient not in (1, -1):
            self.add(f"np.multiply({plain.pop(0)}, {number(coefficient)}, out={out})")
            coefficient = sp.S.One
        elif plain and coefficient == -1:
            self.add(f"np.negative({plain.pop(0)}, out={out})")
            coefficient = sp.S.One
        else:
            self.add(f"{out}[...] = {plain.pop(0) if plain else 1}")
        for x in plain:
            self.add(f"{out} *= {x}")
        for a in bottom:
            simple = self.simple(a)
            if simple is not None:
                self.add(f"{out} /= {simple}")
            else:
                with self.spare(shape) as tmp:
                    self.into(a, tmp, shape)
                    self.add(f"{out} /= {tmp}")
        if coefficient == -1:
            self.add(f"np.negative({out}, out={out})")
        elif coefficient != 1:
            self.add(f"{out} *= {number(coefficient)}")

    def _power(self, e: sp.Expr, out: str, shape: str) -> None:
        a = self._operand(e.base, out, shape)
        if e.exp == 2:
            self.add(f"np.multiply({a}, {a}, out={out})")
        elif e.exp == -1:
            self.add(f"np.divide(1, {a}, out={out})")
        elif e.exp == sp.Rational(1, 2):
            self.add(f"np.sqrt({a}, out={out})")
        else:
            self.add(f"np.power({a}, {number(e.exp) if e.exp.is_Integer and e.exp > 0 else float(e.exp)}, out={out})")

    def _applied(self, e: sp.Expr, out: str, shape: str) -> None:
        row = ROWS.get(e.func)
        if row is None:
            raise SymgradError(f"{e.func} has no NumPy code here")
        if row.name == "sigmoid":
            self.into(e.args[0], out, shape)
            self.add(f"{self.sigmoid}({out}, out={out})")
        else:
            self.add(APPLY[row.name].format(a=self._operand(e.args[0], out, shape), out=out))


def einsum(
    value: Tensor, operand: Callable[[sp.Expr], str], batched: Callable[[sp.Expr], bool], dims: Callable[[sp.Expr], str], lead: str = "b", keep: bool = True
) -> str:
    """A contraction as one ``np.einsum`` a term; `lead` are the letters of the leading axes, summed away unless `keep`."""
    letters = [c for c in string.ascii_lowercase if c not in "tb"]
    terms = []
    for term in value.terms:
        specs, operands, seen = [], [], set()
        carries = False
        for f in term.factors:
            if f.value == ONE:
                continue
            assert not isinstance(f.value, Tensor)
            front = lead if batched(f.value) else ""
            carries |= bool(front)
            seen |= set(f.indices)
            specs.append(front + "".join(letters[i] for i in f.indices))
            operands.append(f"np.eye({dims(_size(value, term.factors, f.indices))}, dtype=dtype)" if f.value == IDENTITY else operand(f.value))
        for i in range(value.rank):
            if i not in seen:
                specs.append(letters[i])
                operands.append(f"np.ones({dims(value.dims[i])}, dtype)")
        out = (lead if keep and carries else "") + "".join(letters[: value.rank])
        code = f"np.einsum({','.join(specs) + '->' + out!r}, {', '.join(operands)})"
        terms.append(code if term.coefficient == 1 else f"{number(term.coefficient)} * {code}")
    return " + ".join(terms) or "0"


def _size(value: Tensor, factors: tuple[object, ...], indices: tuple[int, ...]) -> sp.Expr:
    return next((value.dims[i] for i in indices if i < value.rank), sp.Symbol("n"))


def infix(e: sp.Expr, name: Mapping[sp.Symbol, str] | Callable[[sp.Symbol], str], functions: Mapping[str, str], level: int = 0) -> str:
    """A pointwise expression in Python's own infix form, ``z * h + (1 - z) * h_tilde``."""
    of = name if callable(name) else name.__getitem__
    if e.is_Symbol:
        return of(e)
    if e.is_number:
        text = number(e)
        return f"({text})" if text.startswith("-") and level else text
    if e.is_Add:
        terms = sorted(e.args, key=lambda a: (a.could_extract_minus_sign(), not a.is_number, str(a)))
        text = ""
        for k, a in enumerate(terms):
            minus = a.could_extract_minus_sign()
            part = infix(-a if minus else a, of, functions, 1 if not minus else 2)
            text += (f"-{part}" if minus else part) if k == 0 else f" {'-' if minus else '+'} {part}"
        return f"({text})" if level > 1 else text
    if e.is_Mul:
        if e.could_extract_minus_sign():
            text = f"-{infix(-e, of, functions, 2)}"
            return f"({text})" if level else text
        top = [a for a in e.args if not (a.is_Pow and a.exp.could_extract_minus_sign())]
        bottom = [1 / a for a in e.args if a not in top]
        top.sort(key=lambda a: (not a.is_number, a.is_Add, str(a)))
        text = " * ".join(infix(a, of, functions, 2) for a in top) or "1"
        text += "".join(f" / {infix(a, of, functions, 3)}" for a in bottom)
        return f"({text})" if level > 2 else text
    if e.is_Pow:
        if e.exp == sp.Rational(1, 2):
            return f"{functions['sqrt']}({infix(e.base, of, functions)})"
        if e.exp.could_extract_minus_sign():
            return f"(1 / {infix(1 / e, of, functions, 3)})"
        return f"{infix(e.base, of, functions, 4)}**{number(e.exp)}"
    row = ROWS.get(e.func)
    if row is None or row.name not in functions:
        raise SymgradError(f"{e.func} has no code here")
    return f"{functions[row.name]}({infix(e.args[0], of, functions)})"
