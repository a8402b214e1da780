r"""Inequalities and extremes: ``|(1-\tanh^2 c) c| < 0.45``, ``\max \sigma' = 0.25``, ``|h_t| \leq 1``.

The formula is read with every name a real number, entry by entry: a name without an equation is free, a gate σ(…) or tanh(…) takes every
value of its range.  A state stays in an interval if the interval is mapped into itself (induction over the steps).  No text of the
document becomes a SymPy name: symbols are numbered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.bounds.bound import Family
from symgrad.bounds.bound import bound as bounded
from symgrad.bounds.compare import FLIPPED, Comparison, extreme, relation
from symgrad.bounds.domain import Domain
from symgrad.check.defined.page import Page, plain
from symgrad.check.inequalities.factors import extremal
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.conditions import Condition
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import head_and_parts, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.errors import SymgradError
from symgrad.language.functions import FUNCTIONS
from symgrad.notation.latex import latex

SIGNS = {"leq": "<=", "le": "<=", "geq": ">=", "ge": ">=", "≤": "<=", "≥": ">=", "leqslant": "<=", "geqslant": ">=", "approx": "~~"}
SIZE = 60  # operations of a formula that is bounded
POWER = 8
DEPTH = 4  # equations put into each other
DIGITS = 40
REAL = Domain()
UNIT = Domain(sp.S.Zero, sp.S.One, (True, True))
SYMMETRIC = Domain(-sp.S.One, sp.S.One, (True, True))
RANGES = {"sigmoid": UNIT, "tanh": SYMMETRIC}


class Unreadable(Exception):
    """A formula that is no function of real numbers, or not one to be bounded here."""


def aliases(statements: Iterable[Statement]) -> dict[str, str]:
    r"""Letters that a statement such as ``a_{(l)} = \sigma`` gives to a known function."""
    out: dict[str, str] = {}
    for s in statements:
        if kind(s.node) == "Relation" and s.node.signs == ("=",):
            head, last = head_and_parts(unwrapped(s.node.sides[0])), unwrapped(s.node.sides[1])
            if head is not None and kind(last) == "Name" and not last.subs and not last.primes and (f := BUILTIN.get(last.base)) in FUNCTIONS:
                out[head[0].base] = str(f)
    return out


def bound(page: Page, link: Link, statements: Iterable[Statement] = (), conditions: Iterable[Condition] = ()) -> Judgement | None:
    """The judgement of a bound; None where the relation is of another kind."""
    sign = SIGNS.get(link.sign, link.sign)
    if sign in ("in", "∈"):
        return _enclosed(page, link, statements, tuple(conditions))
    if sign not in (*FLIPPED, "=", "~~"):
        return None
    left, right = link.left, link.right
    if _number(right) is None and not _infinite(right):
        if _number(left) is None:
            return None
        left, right, sign = right, left, FLIPPED.get(sign, sign)
    found = extremal(left)
    if sign not in FLIPPED and found is None:
        return None
    try:
        reader = Reader(page, aliases(statements) if found else {})
        return _judged(reader, link, left, right, sign, found, tuple(conditions))
    except (Unreadable, SymgradError) as e:
        return Judgement("undecided", "not-an-equation", f"the bound was not decided: {e}", "inequality")


def _enclosed(page: Page, link: Link, statements: Iterable[Statement], conditions: tuple[Condition, ...]) -> Judgement | None:
    r"""``h_t \in [-1, 1]`` as two bounds; None where it only says what kind of thing a name is."""
    ends = interval(link.right)
    ref = page.symbols.ref(unwrapped(link.left))
    if ends is None or ref is None or ref.key not in page.definitions:
        return None
    sign = "<" if kind(unwrapped(link.right)) == "Tuple" else "<="
    parts = [bound(page, replace(link, right=end, sign=s), statements, conditions) for end, s in ((ends[0], FLIPPED[sign]), (ends[1], sign))]
    judged = [j for j in parts if j is not None]
    worst = next((j for v in ("refuted", "undecided") for j in judged if j.verdict == v), None)
    if worst is not None or not judged:
        return worst
    return replace(judged[0], assumptions=tuple(dict.fromkeys(a for j in judged for a in j.assumptions)))


def interval(node: Any) -> tuple[Any, Any] | None:
    """The ends of ``[a, b]`` or ``(a, b)``, numbers both."""
    node = unwrapped(node)
    if kind(node) not in ("Stack", "Tuple") or len(node.args) != 2 or any(_number(a) is None for a in node.args):
        return None
    return node.args[0], node.args[1]


def _judged(reader: Reader, link: Link, left: Any, right: Any, sign: str, found: Any, conditions: tuple[Condition, ...]) -> Judgement:
    body, subscripts = (found[1], found[2]) if found else (left, ())
    f = reader.read(body)
    for part in subscripts:
        reader.restrict(part)
    unclear = ""
    for c in conditions:
        try:
            reader.restrict(c.node)
        except Unreadable:
            if c.place == "line":
                raise
            unclear = c.text or "a condition"
    judged = _decided(reader, link, f.xreplace(reader.fixed), right, sign, found, subscripts)
    if unclear and judged.verdict == "refuted":
        return Judgement("undecided", "condition", f"it is said to hold under a condition that is not understood here: {unclear}", "inequality")
    return judged


def _decided(reader: Reader, link: Link, f: sp.Expr, right: Any, sign: str, found: Any, subscripts: tuple[Any, ...]) -> Judgement:
    if _infinite(right):
        return _finiteness(reader, f, sign, subscripts)
    inner = f.args[0] if isinstance(f, sp.Abs) else f
    if (not f.atoms(sp.Function, sp.exp) or inner.is_Symbol) and not reader.gates and not reader.states:
        raise Unreadable("it bounds no function, and may be a condition")
    b, places = _number(right) or (Fraction(0), None)
    outcome = extreme(found[0], f, sign, b, places, reader.domains(f)) if found else relation(f, sign, b, reader.domains(f))
    if outcome.status != "proved" and reader.states and not found:
        return reader.induction(f, sign, b) or _open(outcome, "no interval was found that the state's equation maps into itself")
    if outcome.status != "refuted":
        return _said(outcome, reader, b)
    if len(reader.gates) > 1 or reader.narrow:
        return _open(outcome, "the gates are taken as free, so this does not refute it")
    if not found and not outcome.never and (f.is_Symbol or f.is_Function) and not isinstance(f, sp.Abs):
        return _open(outcome, "it holds for some values only, and may be a condition")
    judged = _said(outcome, reader, b)
    judged.blame = span_of(right)
    return judged


def _open(outcome: Comparison, why: str) -> Judgement:
    return Judgement("undecided", "not-an-equation", f"{why}: {outcome.message}", "inequality")


def _said(outcome: Comparison, reader: Reader, b: Fraction) -> Judgement:
    message = reader.spoken(outcome.message)
    notes = (*reader.notes, *outcome.notes, *((message,) if outcome.status == "proved" and not outcome.notes else ()))
    code = {"proved": None, "refuted": "false-bound", "undecided": "not-an-equation"}[outcome.status]
    judged = Judgement(outcome.status, code, "" if outcome.status == "proved" else message, "inequality", assumptions=notes)
    if outcome.status == "refuted" and (outcome.at or outcome.value is not None):
        values = {reader.names.get(s, s.name): float(x) for s, x in outcome.at.items()}
        judged.counterexample = {"values": values, "left": outcome.value, "right": float(b)}
    return judged


def _finiteness(reader: Reader, f: sp.Expr, sign: str, subscripts: tuple[Any, ...]) -> Judgement:
    r"""``\sup_U |…| < \infty``: bounded as a function of the named variable, the others fixed."""
    variables = [s for s, name in reader.names.items() if any(spelled(x) == name for x in subscripts)]
    if len(variables) != 1 or sign not in ("<", "="):
        raise Unreadable("which variable the supremum is over is not said")
    f = reader.unfolded(f, variables[0])
    inner = f.args[0] if isinstance(f, sp.Abs) else f
    if inner.count_ops() > SIZE:
        raise Unreadable("the formula is too long for that")
    result = bounded(inner, over=variables[0])
    assert isinstance(result, Family)
    if result.upper is None:
        raise Unreadable(reader.spoken("; ".join(result.steps)))
    finite = result.upper != sp.oo
    status = "proved" if finite == (sign == "<") else "refuted"
    text = f"it is at most {str(result.upper.evalf(9)).replace('**', '^').replace('*', '·')}" if finite else f"it is unbounded: {result.steps[1]}"
    stated = {str(x) for x in reader.nonzero}
    notes = tuple(f"{reader.spoken(str(c))} ≠ 0{', as stated' if str(c) in stated else ''}" for c in result.conditions)
    text = reader.spoken(text)
    return Judgement(status, None if status == "proved" else "false-bound", "" if status == "proved" else text, "inequality", assumptions=(*notes, text))


class Reader:
    """One formula as a SymPy expression in numbered real symbols."""

    def __init__(self, page: Page, aliases: Mapping[str, str]) -> None:
        self.page, self.aliases = page, aliases  # the latter for extremes only: "if a' > 1" is a condition
        self.names: dict[sp.Symbol, str] = {}
        self.gates: dict[sp.Symbol, str] = {}  # gates of a known range, by the function that gives it
        self.states: dict[sp.Symbol, str] = {}  # quantities with an equation of another kind
        self.limits: dict[sp.Symbol, Domain] = {}
        self.notes: list[str] = []
        self.fixed: dict[sp.Symbol, sp.Rational] = {}
        self.starts: dict[str, Fraction] = {}  # of states
        self.nonzero: set[sp.Symbol] = set()
        self.loose = False  # whether every σ(…) and tanh(…) may take any value of its range, whatever its argument
        self.narrow = False  # whether some gate may not reach its whole range
        self._symbols: dict[str, sp.Symbol] = {}

    def read(self, node: Any) -> sp.Expr:
        """The value of a formula, every name a real number."""
        e = self._read(node)
        if e.count_ops() > SIZE:
            raise Unreadable("the formula is too long for that")
        return e

    def _read(self, node: Any) -> sp.Expr:
        node = unwrapped(node)
        match kind(node):
            case "Number":
                found = _number(node)
                if found is None:
                    raise Unreadable("a number of too many digits")
                return sp.Rational(found[0].numerator, found[0].denominator)
            case "Name":
                return self._name(node)
            case "Sum":
                return sp.Add(*map(self._read, node.args))
            case "Negative":
                return -self._read(node.arg)
            case "Product" | "Hadamard":
                return sp.Mul(*map(self._read, node.args))
            case "Infix" if node.sign in ("cdot", "*", "circ", "odot", "times", "otimes", "·", "⊙", "∘", "∗", "ast"):
                return sp.Mul(*map(self._read, node.args))
            case "Fraction":
                below = self._read(node.denominator)
                if below == 0:
                    raise Unreadable("a division by zero")
                return self._read(node.numerator) / below
            case "Power":
                exponent = number_at(unwrapped(node.exponent), {})
                if exponent is not None and exponent.denominator in (1, 2) and exponent and -POWER <= exponent <= POWER:
                    return self._read(node.base) ** sp.Rational(exponent.numerator, exponent.denominator)
            case "Absolute":
                return sp.Abs(self._read(node.arg))
            case "Norm":
                self.notes.append("‖·‖ is read as the absolute value, entry by entry")
                return sp.Abs(self._read(node.arg))
            case "Apply" if self.loose and kind(node.function) == "Name" and not node.function.primes and self._function(node.function) in RANGES:
                s = self._symbol(latex(node))
                self.gates[s] = str(self._function(node.function))
                return s
            case "Apply" if kind(node.function) == "Name" and len(node.args) == 1:
                return self._applied(node.function, self._read(node.args[0]))
        quantity = self.page.symbols.ref(node)
        if quantity is not None:
            return self._quantity(node, quantity)
        raise Unreadable("a part of it is not read as a function of real numbers")

    def _name(self, node: Any) -> sp.Expr:
        function = self._function(node)
        if function is not None:  # σ' alone: at every point
            return self._applied(node, self._symbol("x"))
        quantity = self.page.symbols.ref(node)
        if quantity is not None:
            return self._quantity(node, quantity)
        return self._symbol(spelled(node) or latex(node))

    def _function(self, name: Any) -> str | None:
        """The known function that a name stands for."""
        if name.accents:
            return None
        known = self.page.functions.get(name.base, self.aliases.get(name.base, BUILTIN.get(name.base)))
        return known if isinstance(known, str) and known in FUNCTIONS else None

    def _applied(self, name: Any, a: sp.Expr) -> sp.Expr:
        if name.base == "sqrt":
            return sp.sqrt(a)
        function = self._function(name)
        if function is None or name.primes > 2 or (name.subs and name.base not in self.aliases):
            raise Unreadable(f"no activation is said to be {spelled(name) or name.base}")
        x = sp.Symbol("x", real=True)
        f = FUNCTIONS[function](x)
        for _ in range(name.primes):
            f = sp.diff(f, x)
        return f.xreplace({x: a})

    def _symbol(self, word: str) -> sp.Symbol:
        if word not in self._symbols:
            s = sp.Symbol(f"v{len(self._symbols)}", real=True)
            self._symbols[word], self.names[s] = s, word
        return self._symbols[word]

    def _quantity(self, node: Any, ref: Any) -> sp.Expr:
        """A name with indices: one number for each quantity and step."""
        step = number_at(ref.step, {"t": 0}) if ref.step is not None else None
        lag = "" if step is None or step == 0 else f"{'-' if step < 0 else '+'}{abs(step)}"
        s = self._symbol(f"{plain(ref.key)}{f'_t{lag}' if ref.step is not None else ''}")
        definition = self.page.definitions.get(ref.key)
        if definition is not None and s not in self.gates and s not in self.states:
            right = unwrapped(definition.node)
            function = self._function(right.function) if kind(right) == "Apply" and kind(right.function) == "Name" and not right.function.primes else None
            if function in RANGES:
                self.gates[s] = str(function)
                self.narrow |= not _affine(right.args[0])
                self.notes.append(f"{self.names[s]} = {'σ' if function == 'sigmoid' else function}(…) takes every value between {RANGES[function].low} and 1")
            else:
                self.states[s] = ref.key
        return s

    def restrict(self, condition: Any) -> None:
        r"""The domain that ``x > 0`` or ``x \in \mathbb{R}`` gives; a bare name is the variable of a quantifier."""
        condition = unwrapped(condition)
        if kind(condition) in ("Name", "Power", "Index"):
            return
        if kind(condition) != "Relation" or len(condition.signs) != 1:
            raise Unreadable("its conditions are not understood")
        first, last = condition.sides
        sign = SIGNS.get(condition.signs[0], condition.signs[0])
        last = unwrapped(last)
        if sign in ("in", "∈") and kind(last) == "Name" and last.base in ("R", "Re", "ℝ"):
            return
        started = self.page.symbols.ref(unwrapped(first))
        if started is not None and started.step is not None and number_at(started.step, {}) == 0 and sign == "=" and (value := _number(last)) is not None:
            self.starts[started.key] = value[0]
            return
        s = self._read(first)
        if not s.is_Symbol:
            raise Unreadable("its conditions are not understood")
        if sign in ("in", "∈") and kind(last) in ("Stack", "Tuple") and len(last.args) == 2:
            low, high = (_number(x) for x in last.args)
            if low is not None and high is not None and low[0] < high[0]:
                opened = kind(last) == "Tuple"
                self.limits[s] = Domain(_rational(low[0]), _rational(high[0]), (opened, opened))
                return
        number = _number(last)
        if number is not None and sign in ("!=", "neq") and number[0] == 0:
            self.nonzero.add(s)
            return
        if number is not None and sign in ("=", "->", "to"):
            self.fixed[s] = _rational(number[0])
            return
        if sign not in FLIPPED or number is None:
            raise Unreadable("its conditions are not understood")
        x, d = _rational(number[0]), self.limits.get(s, REAL)
        self.limits[s] = Domain(x, d.high, (sign == ">", d.open[1])) if sign in (">", ">=") else Domain(d.low, x, (d.open[0], sign == "<"))

    def domains(self, f: sp.Expr, states: Domain = REAL) -> dict[sp.Symbol, Domain]:
        """Where the variables of f live; states in `states`."""
        return {s: self.limits.get(s, RANGES[self.gates[s]] if s in self.gates else states if s in self.states else REAL) for s in f.free_symbols}

    def induction(self, f: sp.Expr, sign: str, b: Fraction) -> Judgement | None:
        """The claim from an interval [-M, M] that the equation of the state maps into itself; M is b, or 1."""
        if len(self.states) != 1 or f.free_symbols != set(self.states):
            return None
        ((s, key),) = self.states.items()
        d = self.page.definitions[key]
        for m in dict.fromkeys((abs(b), Fraction(1))):
            inside = Domain(-_rational(m), _rational(m), (False, False))
            if m == 0 or relation(f, sign, b, {s: inside}).status != "proved":
                continue
            step = Reader(self.page, self.aliases)
            step.loose = True
            update = step.read(d.node)
            past = {t for t, k in step.states.items() if k == key}
            if set(step.states) != past:
                return None
            where = step.domains(update, inside)
            if all(relation(update, way, side * m, where).status == "proved" for way, side in (("<=", 1), (">=", -1))):
                name, m_ = plain(key), str(m)
                start = self.starts.get(key, Fraction(0))
                if abs(start) > m:
                    continue
                said = key in self.page.initial or key in self.starts
                zero = "" if not past else f"; {name}_0 = {start} lies there" if said else f"; {name}_0 lies there, as {name}_0 = 0 does"
                why = f"by induction: the equation of {name} maps [-{m_}, {m_}] into itself, whatever values its gates take{zero}"
                return Judgement("proved", None, "", "inequality", assumptions=(*step.notes, why))
        return None

    def unfolded(self, f: sp.Expr, variable: sp.Symbol) -> sp.Expr:
        """Quantities with an equation in the variable replaced by it, as numbers."""
        for _ in range(DEPTH):
            found = [(s, key) for s, name in self.names.items() if s in f.free_symbols and s != variable
                     for key in self.page.definitions if name in (plain(key), f"{plain(key)}_t")]  # fmt: skip
            if not found:
                break
            f = f.xreplace({s: self._read(self.page.definitions[key].node) for s, key in found})
        self.notes = []
        return f

    def spoken(self, text: str) -> str:
        """A message with the document's names."""
        for s in sorted(self.names, key=lambda s: -len(s.name)):
            text = text.replace(s.name, self.names[s])
        return text


def _affine(node: Any) -> bool:
    """Whether a preactivation is a sum of products of names, so that it takes every real value."""
    kinds = {kind(n) for n in walk(unwrapped(node))}
    return "Name" in kinds and not kinds & {"Power", "Absolute", "Norm", "Fraction", "Cases", "Indicator", "Derivative"}


def _rational(q: Fraction) -> sp.Rational:
    return sp.Rational(q.numerator, q.denominator)


def _infinite(node: Any) -> bool:
    node = unwrapped(node)
    return kind(node) == "Name" and node.base in ("infty", "∞", "infinity")


def _number(node: Any) -> tuple[Fraction, int | None] | None:
    """A rational number as it is written, and its decimals; ``0.4477\\ldots`` counts as cut off there."""
    node = unwrapped(node)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[1]) == "Ellipsis":
        node = node.args[0]
    if kind(node) == "Number":
        text = node.text
        if len(text) > DIGITS or not text.replace(".", "", 1).isdecimal():
            return None
        return Fraction(text), len(text.partition(".")[2]) if "." in text else None
    if kind(node) == "Negative":
        inner = _number(node.arg)
        return None if inner is None else (-inner[0], inner[1])
    if kind(node) == "Fraction" or (kind(node) == "Infix" and node.sign == "/" and len(node.args) == 2):
        above, below = (_number(x) for x in ((node.numerator, node.denominator) if kind(node) == "Fraction" else node.args))
        return None if above is None or below is None or below[0] == 0 else (above[0] / below[0], None)
    return None
