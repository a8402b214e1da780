r"""``sg.bound(expr)``: inf and sup of a function of real variables, each with its proof.

Three ways, the first that gets there: *exact algebra* (`exact`, after functions have become variables, `gates`); *branch and bound* with
intervals (`search`); and for the ends at infinity an *analytic tail* (`tails`).  inf f = -sup(-f).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.bounds.domain import Domain, domains
from symgrad.bounds.exact import Exact, compare, pretty, supremum
from symgrad.bounds.gates import Gate, opened, unused
from symgrad.bounds.interval import INF, backends
from symgrad.bounds.ranges import Range, Undefined, check, number, plain
from symgrad.bounds.search import Cover, search
from symgrad.bounds.tails import Tail, tail
from symgrad.errors import SymgradError

TOLERANCE = {1: 1e-12, 2: 1e-9}
FURTHEST = 2.0**12
Bound = Fraction | float  # a fraction, or ±∞


@dataclass(frozen=True, slots=True)
class Extreme:
    """sup f: never more than `outer`, never less than `inner`.

    `exact` is its value where algebra gives it; `attained` whether f takes it (None: not known); `at` where f is `inner`, or near it.
    """

    outer: Bound
    inner: Bound
    exact: sp.Expr | None
    attained: bool | None
    at: Mapping[sp.Symbol, sp.Expr]
    steps: tuple[str, ...]
    covers: tuple[Cover, ...] = ()

    def negated(self) -> Extreme:
        """The infimum of -f."""
        exact = None if self.exact is None else -self.exact
        return Extreme(-self.outer, -self.inner, exact, self.attained, self.at, self.spoken("-f"), self.covers)

    def spoken(self, name: str) -> tuple[str, ...]:
        """The steps, with a name for the function whose supremum is meant."""
        return tuple(step.replace("ƒ", name) for step in self.steps)


@dataclass(frozen=True)
class Enclosure:
    """``lower ≤ f ≤ upper`` on the whole domain, with the proof: ``print`` it.

    `minimum` and `maximum` are the exact inf and sup where they are known; `low` and `high` say the rest of each.
    """

    function: sp.Expr
    domain: Mapping[sp.Symbol, Domain]
    low: Extreme
    high: Extreme

    @property
    def lower(self) -> Bound:
        """A number below every value."""
        return self.low.outer

    @property
    def upper(self) -> Bound:
        """A number above every value."""
        return self.high.outer

    @property
    def minimum(self) -> sp.Expr | None:
        """inf f, exactly."""
        return self.low.exact

    @property
    def maximum(self) -> sp.Expr | None:
        """sup f, exactly."""
        return self.high.exact

    @property
    def proof(self) -> str:
        """Why, line by line."""
        head = f"f = {pretty(self.function)}" + (f",  {where(self.domain)}" if self.domain else "")
        return "\n".join([head, *self.lines("f")])

    def lines(self, name: str) -> list[str]:
        """Both sides with their steps, for a function of this name."""
        out = []
        for word, side, direction in (("sup", self.high, 1), ("inf", self.low, -1)):
            steps = [s.replace("-f", f"-{name}") for s in side.spoken(name)] if direction == -1 else side.spoken(name)
            out += [f"{word} {name} {described(side, direction)}", *(f"  {step}" for step in steps)]
        return out

    def holds(self, backend: str | None = None) -> bool:
        """Whether every box of the covers stays below its bound when evaluated anew (`backend`: "arb" or "mpmath")."""
        return all(c.holds(backend) for c in (*self.low.covers, *self.high.covers))

    def __contains__(self, x: Any) -> bool:
        return bool(self.lower <= x <= self.upper)

    def __str__(self) -> str:
        return self.proof

    def __repr__(self) -> str:
        return f"[{decimal(self.lower, -1)}, {decimal(self.upper, 1)}]"


def bound(expr: Any, domain: Mapping[Any, Any] | None = None, over: Any = None) -> Enclosure | Family:
    r"""An enclosure of f over its domain: ``lower ≤ f(x) ≤ upper`` for all x, proved.

    `domain` gives intervals, ``{x: (0, 1)}`` or ``{x: sp.Interval.open(0, 1)}``; otherwise a symbol's assumptions count (positive, …), and a
    plain symbol is any real number.  f is bounded where all its parts are real: √x on [-1, 1] means on [0, 1].  With ``over=x`` only x varies; the bounds
    of the `Family` that is returned are formulas in the other symbols.

    Raises `SymgradError` for functions without an interval rule, complex symbols and empty domains.

    >>> import sympy as sp, symgrad as sg
    >>> a = sp.Symbol("a", real=True)
    >>> e = bound(sg.sigmoid(a) * (1 - sg.sigmoid(a)))
    >>> e.upper, e.maximum, e.high.attained
    (Fraction(1, 4), 1/4, True)
    """
    f = None if isinstance(expr, str) else sp.sympify(expr)
    if not isinstance(f, sp.Expr):
        raise SymgradError(f"bound: a SymPy expression in real symbols is needed, not {type(expr).__name__}")
    if over is not None:
        if domain is not None or over not in f.free_symbols:
            raise SymgradError(f"over={over}: one symbol of {f}, which takes every real value; it goes without a domain")
        return family(f, over)
    where = domains(f, domain)
    real = {s: sp.Symbol(s.name, real=True) for s in where}  # one kind of symbol for all: the domains know the rest
    back = {v: k for k, v in real.items()}
    g = plain(f.xreplace(real))
    check(g)
    there = {real[s]: d for s, d in where.items()}
    high, low = _largest(g, there), _largest(-g, there).negated()
    return Enclosure(f, where, _renamed(low, back), _renamed(high, back))


def enclosed(f: sp.Expr, domain: Mapping[Any, Any] | None = None) -> Enclosure:
    """`bound` of a function without parameters."""
    found = bound(f, domain)
    assert isinstance(found, Enclosure)
    return found


@dataclass(frozen=True)
class Family:
    """|f| ≤ `upper` for every value of one variable, where `upper` is a formula in the parameters, and ∞ if f is unbounded.

    `upper` None: not known.  `conditions` are expressions that must not be 0.
    """

    function: sp.Expr
    variable: sp.Symbol
    upper: sp.Expr | None
    conditions: tuple[sp.Expr, ...]
    steps: tuple[str, ...]

    @property
    def lower(self) -> sp.Expr | None:
        """-upper."""
        return None if self.upper is None else -self.upper

    @property
    def proof(self) -> str:
        """Why, line by line."""
        given = "".join(f", {pretty(c)} ≠ 0" for c in self.conditions)
        said = "not known" if self.upper is None else "unbounded" if self.upper == sp.oo else f"|f| ≤ {pretty(self.upper.evalf(12))}"
        return "\n".join([f"f = {pretty(self.function)}, as a function of {self.variable} ∈ ℝ{given}: {said}", *(f"  {s}" for s in self.steps)])

    def __str__(self) -> str:
        return self.proof


def family(f: sp.Expr, v: sp.Symbol) -> Family:
    """f as a function of v alone: a = κv + ρ becomes the variable, and f = Σ (a formula in the parameters) · g(a), each g bounded."""
    f = plain(f)
    arguments = {sp.expand(x.args[0]) for x in f.atoms(sp.Function, sp.exp) if x.has(v)}
    a = next(iter(sorted(arguments, key=sp.default_sort_key)), v)
    slope = sp.diff(a, v)
    if slope.has(v) or slope == 0 or any(not sp.cancel(b / a).is_Rational for b in arguments):
        return Family(f, v, None, (), ("the functions of it do not have one common argument, affine in it",))
    x = unused("a", f.free_symbols)
    inside = {call: call.func(sp.cancel(call.args[0] / a) * x) for call in f.atoms(sp.Function, sp.exp) if call.has(v)}
    g = sp.expand(f.xreplace(inside).subs(v, (x - (a - slope * v)) / slope))
    parts: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(g):
        c, h = term.as_independent(x, as_Add=False)
        q, c = c.as_coeff_Mul()
        parts[c] = parts.get(c, sp.S.Zero) + q * h
    whole = sp.Add(*(sp.Mul(c, h, evaluate=False) for c, h in parts.items()))
    steps = [f"{x} = {pretty(a)} takes every real value" if a != v else f"{x} = {v}", f"f = {pretty(whole)}"]
    total, unbounded = sp.S.Zero, []
    for c, h in parts.items():
        if h.free_symbols - {x}:
            return Family(f, v, None, (), (*steps, f"{pretty(h)} mixes it with parameters"))
        e = enclosed(h)
        steps += [f"g = {pretty(h)} ∈ {e!r}", *(f"  {line}" for line in e.lines("g"))]
        if INF in (e.upper, -e.lower):
            unbounded.append(c)
        else:
            total += sp.Abs(c) * sp.Max(*(sp.Rational(*b.as_integer_ratio()) for b in (e.upper, -e.lower)))
    conditions = tuple(c for c in (slope, *(sp.fraction(u)[0] for u in unbounded)) if c.free_symbols and not c.is_nonzero)
    if len(unbounded) > 1:
        return Family(f, v, None, conditions, (*steps, "more than one part is unbounded; they may cancel"))
    return Family(f, v, sp.oo if unbounded else total, conditions, tuple(steps))


def _renamed(side: Extreme, names: Mapping[sp.Symbol, sp.Symbol]) -> Extreme:
    at = {names.get(s, s): x for s, x in side.at.items()}
    return Extreme(side.outer, side.inner, side.exact, side.attained, at, side.steps, side.covers)


def _largest(f: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> Extreme:
    """sup f."""
    c, rest = f.as_coeff_Mul()
    if c > 0 and isinstance(rest, sp.Abs) and c == 1:
        return _modulus(rest.args[0], where)
    if c == -1 and isinstance(rest, sp.Abs) and (side := _least_modulus(rest.args[0], where)) is not None:
        return side
    e, there, gates = opened(f, where)
    named = tuple(f"{g} ∈ {there[g.symbol]} takes every value, for {g.variable} occurs nowhere else" for g in gates if g.symbol in there)
    found = supremum(e, there)
    if found is not None:
        return _exact(f, found, gates, where, named)
    if len(there) < len(where) or (gates and all(not d.whole for d in there.values())):
        side = _searched(e, there)
        return Extreme(side.outer, side.inner, side.exact, side.attained, _witness(side.at, gates, where), (*named, *side.steps), side.covers)
    return _searched(f, where)


def _modulus(g: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> Extreme:
    """sup |g| = max(sup g, sup -g)."""
    plus, minus = (replace(side, steps=side.spoken(name)) for name, side in (("g", _largest(g, where)), ("-g", _largest(-g, where))))
    order = compare(plus.exact, minus.exact) if plus.exact is not None and minus.exact is not None else None
    a, b = (plus, minus) if order in (0, 1) or (order is None and plus.inner >= minus.inner) else (minus, plus)
    exact = a.exact if order is not None or (a.exact is not None and b.outer < a.inner) else None
    known = {a.attained, b.attained}
    attained = a.attained if order != 0 and b.outer < a.inner else True if True in known else None if None in known else False
    at = b.at if b.attained and not a.attained else a.at
    steps = ("ƒ = |g| = max(g, -g)", *a.steps, *b.steps)
    return Extreme(max(a.outer, b.outer), max(a.inner, b.inner), exact, attained, at, steps, (*a.covers, *b.covers))


def _least_modulus(g: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> Extreme | None:
    """sup(-|g|): 0 where g has a zero, else that of g or -g, whichever is negative."""
    plus, minus = _largest(g, where), _largest(-g, where)
    for side in (plus, minus):
        if side.outer <= 0:
            return side
    zero = next((dict(at) for at in (plus.at, minus.at, {s: d.inside for s, d in where.items()}) if g.subs(at) == 0), None)
    if zero is None and (_jumps(g) or not (plus.inner > 0 and minus.inner > 0) or INF in (plus.outer, minus.outer)):
        return None
    why = "g = 0 there" if zero else "g is continuous and takes both signs, so it has a zero"
    return Extreme(Fraction(0), Fraction(0), sp.S.Zero, True, zero or {}, (f"ƒ = -|g| ≤ 0, and {why}",))


def _exact(f: sp.Expr, found: Exact, gates: list[Gate], where: Mapping[sp.Symbol, Domain], named: tuple[str, ...]) -> Extreme:
    outer, inner = fractions(found.value)
    return Extreme(outer, inner, found.value, found.attained, _witness(found.at, gates, where), (*named, *found.why))


def _witness(at: Mapping[sp.Symbol, sp.Expr], gates: list[Gate], where: Mapping[sp.Symbol, Domain]) -> dict[sp.Symbol, sp.Expr]:
    """The point in the variables of f."""
    out = dict(at)
    for g in reversed(gates):
        if g.symbol in out:
            others = {s: where[s].inside for s in g.argument.free_symbols if s in where}
            out = {**others, **out}
            out |= g.back(out)
            del out[g.symbol]
    return {s: out.get(s, d.inside) for s, d in where.items()}


def fractions(x: sp.Expr) -> tuple[Bound, Bound]:
    """A real constant from above and from below."""
    if x in (sp.oo, -sp.oo):
        return (INF, INF) if x == sp.oo else (-INF, -INF)
    if x.is_Rational:
        return Fraction(int(x.p), int(x.q)), Fraction(int(x.p), int(x.q))
    low, high = number(x)
    return Fraction(high), Fraction(low)


def _searched(f: sp.Expr, where: Mapping[sp.Symbol, Domain]) -> Extreme:
    """sup f by branch and bound, with analytic tails if there is one variable."""
    variables = tuple(sorted(where, key=str))
    if not variables:
        point = next(iter(backends().values()))
        try:
            low, high = Range(f, ()).at((), point).value
        except Undefined:
            raise SymgradError(f"{f} is no real number") from None
        return Extreme(_fraction(high), _fraction(low), f, True, {}, ("a constant",))
    box = tuple(where[v].doubles() for v in variables)
    steps: list[str] = []
    tails: list[_Part] = []
    if len(variables) == 1 and INF in (-box[0][0], box[0][1]):
        v = variables[0]
        low, high = box[0]
        for direction in (1, -1):
            if (high if direction == 1 else -low) < INF:
                continue
            try:
                t = tail(f if direction == 1 else f.subs(v, -v), v, next(iter(backends().values())))
                part = _tail_part(f, v, t, direction, box[0]) if t is not None else None
            except Undefined:
                continue
            if part is None:
                continue
            tails.append(part)
            steps += part.steps
            if part.exact == sp.oo:
                return Extreme(INF, INF, sp.oo, False, {v: direction * sp.oo}, tuple(steps))
            if direction == 1:
                high = part.start
            else:
                low = -part.start
        box = ((low, high),)
    found = search(f, variables, box, TOLERANCE.get(len(variables), 1e-7))
    count = len(found.cover.boxes)
    shown = ", ".join(f"{v} ∈ [{decimal(a)}, {decimal(b)}]".replace("oo", "∞") for v, (a, b) in zip(variables, box, strict=True))
    at = {} if found.at is None else {v: sp.Rational(x) for v, x in zip(variables, found.at, strict=True)}
    place = ", ".join(f"{v} = {decimal(x)}" for v, x in zip(variables, found.at or (), strict=False))
    steps.append(
        f"{shown}: cut into {count} box{'es' * (count != 1)}, on each of which interval arithmetic ({next(iter(backends()))}) gives "
        f"ƒ ≤ {decimal(found.outer, 1)}" + (f"; ƒ = {decimal(found.inner, -1)}… at {place}" if found.at else "")
    )
    outer, inner = _fraction(found.outer), _fraction(found.inner)
    exact: sp.Expr | None = sp.Rational(outer) if outer == inner and found.at is not None and abs(outer) != INF else None
    attained: bool | None = True if exact is not None and _closed((tuple((x, x) for x in found.at or ()),), variables, where) else None
    for part in tails:
        if part.exact is not None and fractions(part.exact)[0] >= outer and not attained:
            outer, inner, exact, attained, at = *fractions(part.exact), part.exact, part.attained, dict(part.at)
        elif part.upper > outer:
            outer, exact, attained = part.upper, None, None
    if exact is None and all(part.upper < inner for part in tails) and _closed(found.touching, variables, where) and not _jumps(f):
        attained = True
    return Extreme(outer, inner, exact, attained, at, tuple(steps), (found.cover,))


def _closed(boxes: tuple[Any, ...], variables: tuple[sp.Symbol, ...], where: Mapping[sp.Symbol, Domain]) -> bool:
    """Whether the boxes in which the supremum lies keep away from open ends, so that a continuous f takes it there."""
    for box in boxes:
        for v, (low, high) in zip(variables, box, strict=True):
            d, (first, last) = where[v], where[v].doubles()
            if (d.open[0] and low <= first) or (d.open[1] and high >= last):
                return False
    return True


def _jumps(f: sp.Expr) -> bool:
    return any(x.func.__name__ in ("step", "sign") for x in f.atoms(sp.Function))


@dataclass(frozen=True, slots=True)
class _Part:
    """sup f over a tail."""

    start: float
    upper: Bound
    exact: sp.Expr | None
    attained: bool
    steps: tuple[str, ...]
    at: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)


def _tail_part(f: sp.Expr, v: sp.Symbol, t: Tail, direction: int, box: tuple[float, float]) -> _Part:
    """The tail from the first of 4, 8, 16, … from which what is needed holds."""
    point = next(iter(backends().values()))
    near = direction * (box[0] if direction == 1 else box[1])
    start = max(4.0, float(t.start), 0.0 if near == -INF else 2.0 ** math.ceil(math.log2(max(near, 1.0)) + 1))
    e = Range(f, (v,))

    def at(x: float) -> float:
        try:
            return e.at(((x, x),), point).value[0]
        except Undefined:
            return -INF

    name = "" if direction == 1 else "-"
    u = f"u = e^({'-' if direction == 1 else ''}{v}{f'/{t.q}' if t.q != 1 else ''})"
    best_seen = max(at(direction * x) for x in (*(k / 8 for k in range(1, 33)), 8.0, 16.0) if box[0] <= direction * x <= box[1])
    if box[0] <= 0 <= box[1]:
        best_seen = max(best_seen, at(0.0))
    head = f"the tail {name}{v} ≥ "
    form = f"with {u}: ƒ = {pretty(t.form.subs(v, direction * v))}"
    if t.limit == sp.oo:
        return _Part(start, INF, sp.oo, False, (f"{v} → {name}∞, {form}, whose leading terms grow: ƒ → ∞",), {v: direction * sp.oo})
    while start < FURTHEST:
        upper = t.enclosed(start, point)[1]
        if t.side is not None and t.side <= 0 and t.limit not in (None, -sp.oo) and t.settled(start, point):
            limit = pretty(t.limit)
            difference = "ƒ" if t.limit == 0 else f"ƒ - ({limit})" if t.limit < 0 else f"ƒ - {limit}"
            reason = f"ƒ is {limit}" if t.side == 0 else f"ƒ < {limit}, its limit, by the sign of the leading term of {difference}"
            step = f"{head}{decimal(start)}, {form}: {reason}"
            return _Part(start, fractions(t.limit)[0], t.limit, t.side == 0, (step,), {v: direction * (sp.oo if t.side else sp.Rational(start) + 1)})
        if upper < best_seen:
            return _Part(start, _fraction(upper), None, False, (f"{head}{decimal(start)}, {form}, where each monomial falls: ƒ ≤ {decimal(upper, 1)}",))
        start *= 2
    upper = t.enclosed(start, point)[1]
    return _Part(start, _fraction(upper), None, False, (f"{head}{decimal(start)}, {form}: ƒ ≤ {decimal(upper, 1)}",))


def _fraction(x: float) -> Bound:
    return x if abs(x) == INF else Fraction(x)


def decimal(x: Any, rounded: int = 0, digits: int = 12) -> str:
    """A number in so many digits, rounded up (1), down (-1) or to the nearest (0)."""
    if isinstance(x, float) and abs(x) == INF:
        return "∞" if x > 0 else "-∞"
    q = Fraction(int(x.p), int(x.q)) if isinstance(x, sp.Rational) else Fraction(x)
    context = Context(prec=digits, rounding={1: ROUND_CEILING, -1: ROUND_FLOOR, 0: ROUND_HALF_EVEN}[rounded])
    text = format(context.divide(Decimal(q.numerator), Decimal(q.denominator)), "g" if q != 0 and not 1e-6 <= abs(q) < 1e15 else "f")
    mantissa, e, exponent = text.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + e + exponent


def where(domain: Mapping[sp.Symbol, Domain]) -> str:
    """The domain, on one line."""
    return ", ".join(f"{s} ∈ {'ℝ' if d.whole else d}" for s, d in domain.items())


def described(side: Extreme, direction: int) -> str:
    """What is known of one side."""
    taken = {True: ", attained", False: ", not attained", None: ""}[side.attained]
    point = ", ".join(f"{s} = {pretty(x) if not (x.is_Rational and x.q > 99) else decimal(Fraction(int(x.p), int(x.q)), 0, 6)}" for s, x in side.at.items())
    place = f" at {point}" if point and side.attained else f" towards {point}" if point and side.attained is False else ""
    if side.exact is not None:
        near = "" if side.exact.is_Rational or side.exact.is_infinite else f" ≈ {decimal(side.inner)}"
        return f"= {pretty(side.exact)}{near}{taken}{place}"
    first, last = (side.inner, side.outer) if direction == 1 else (side.outer, side.inner)
    return f"∈ [{decimal(first, -1)}, {decimal(last, 1)}]{taken}{place}"


__all__ = ["Enclosure", "Extreme", "bound", "decimal"]
