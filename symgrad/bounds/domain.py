"""Where a variable lives: an interval of the line with its ends in or out, from a pair, a SymPy set or the symbol's assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symgrad.bounds.interval import INF, Interval
from symgrad.bounds.ranges import number
from symgrad.errors import SymgradError


@dataclass(frozen=True, slots=True)
class Domain:
    """The numbers from `low` to `high`; an end that is `open` is not one of them."""

    low: sp.Expr = -sp.oo
    high: sp.Expr = sp.oo
    open: tuple[bool, bool] = (True, True)

    @property
    def whole(self) -> bool:
        """All real numbers."""
        return bool(self.low == -sp.oo and self.high == sp.oo)

    @property
    def inside(self) -> sp.Expr:
        """Some number in it, a simple one."""
        if self.low < 0 < self.high or (self.low == 0 and not self.open[0]) or (self.high == 0 and not self.open[1]):
            return sp.S.Zero
        if self.low == -sp.oo or self.high == sp.oo:
            return self.low + 1 if self.high == sp.oo else self.high - 1
        return (self.low + self.high) / 2

    def doubles(self) -> Interval:
        """The interval in doubles, rounded outwards."""
        return (-INF if self.low == -sp.oo else number(self.low)[0]), (INF if self.high == sp.oo else number(self.high)[1])

    def __str__(self) -> str:
        return f"{'(' if self.open[0] else '['}{self.low}, {self.high}{')' if self.open[1] else ']'}".replace("oo", "∞")


def domains(e: sp.Expr, given: Mapping[Any, Any] | None) -> dict[sp.Symbol, Domain]:
    """The domain of every free symbol; raises `SymgradError` for names that do not occur and for empty sets."""
    symbols = {s.name: s for s in sorted(e.free_symbols, key=str)}
    found = {s: _assumed(s) for s in symbols.values()}
    for key, value in (given or {}).items():
        name = key.name if isinstance(key, sp.Symbol) else str(key)
        if name not in symbols:
            raise SymgradError(f"domain: {name} does not occur in {e}; it has {', '.join(symbols) or 'no variables'}")
        found[symbols[name]] = _declared(name, value)
    return found


def _assumed(s: sp.Symbol) -> Domain:
    if s.is_real is False or s.is_integer:
        raise SymgradError(f"{s} is {'an integer' if s.is_integer else 'no real number'}: bounds are of functions of real symbols")
    if s.is_positive or s.is_nonnegative:
        return Domain(sp.S.Zero, sp.oo, (bool(s.is_positive), True))
    if s.is_negative or s.is_nonpositive:
        return Domain(-sp.oo, sp.S.Zero, (True, bool(s.is_negative)))
    return Domain()


def _declared(name: str, value: Any) -> Domain:
    if value is sp.S.Reals:
        return Domain()
    if isinstance(value, sp.Interval):
        low, high, left, right = value.start, value.end, bool(value.left_open), bool(value.right_open)
    elif isinstance(value, Domain):
        return value
    else:
        try:
            low, high = (sp.nsimplify(x) if isinstance(x, float) and abs(x) != INF else sp.sympify(x) for x in value if not isinstance(x, str))
        except (TypeError, ValueError, sp.SympifyError):
            raise SymgradError(f"domain of {name}: a pair of ends such as (0, 1), or a SymPy Interval, not {value!r}") from None
        left, right = low == -sp.oo, high == sp.oo
    if not (low.is_number and high.is_number and low.is_extended_real and high.is_extended_real):
        raise SymgradError(f"domain of {name}: its ends are numbers, not {low} and {high}")
    if not low < high and not (low == high and not left and not right):
        raise SymgradError(f"domain of {name}: there is no number from {low} to {high}")
    return Domain(low, high, (left, right))
