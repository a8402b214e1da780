r"""What a condition means for the cell: quantities at values, ``z_t = 1``; functions that are the identity; steps, ``t = T``.

A gate z = σ(a) *at* the value v has the slope v(1 - v); one that is *held* there is a constant.  At 0 and 1 the two agree.  A claim is judged
in worlds in which the quantity has this value, at every step or at the step named; where the readings disagree the verdict is open.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.formulas import functional
from symgrad.check.defined.page import Page, plain
from symgrad.check.judging.equation import equation
from symgrad.check.reading.activations import BUILTIN, meaning
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.conditions import MEANT, Condition, introduced
from symgrad.check.reading.gated import in_a_state
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.prose import clause
from symgrad.check.reading.relations import ORDERED, STEPS, number, of_steps, valued
from symgrad.check.reading.statements import MARKS, derived, loss_head, names_in
from symgrad.check.reading.symbols import letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.functions import with_functions
from symgrad.check.worlds.field import P
from symgrad.notation.latex import latex

SLOPES: dict[str, Callable[[Fraction], Fraction]] = {"sigmoid": lambda y: y * (1 - y), "tanh": lambda y: 1 - y * y}
WORDS = re.compile(r"\s*(?:if|when|whenever|provided|unless|otherwise|else|in (?:this|that|the) case)\b", re.IGNORECASE)
GATE_WORD = re.compile(r"\$[zrfio]\$ (?:(?:update|reset|forget|input|output) )?gates? ")
TRIED = (3, 2)  # the steps at which a condition on one step is tried
MINIMUM = re.compile(r"optim|minim|extrem|stationar|critical|\bset(?:s|ting)?\b|mínim|óptim|极|最小|最优|令|минимум|оптимал|최소|最適", re.IGNORECASE)
SPECIAL = Judgement("undecided", "condition", "this holds for special values only, so it is read as a condition of what stands around it")
Under = Callable[[Page], "Page | None"]


@dataclass(frozen=True, slots=True)
class Value:
    """A quantity at a value; `step` is the index as it is written, None where there is none."""

    key: str
    value: Fraction
    step: Any


@dataclass(frozen=True, slots=True)
class Supposition:
    """Conditions typed by a page: what is understood, and what is not."""

    values: tuple[Value, ...] = ()
    functions: tuple[tuple[str, Any], ...] = ()  # letters for functions, with what they are
    steps: tuple[Any, ...] = ()  # relations between indices
    opaque: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.functions or self.steps or self.opaque)


# -- typed ------------------------------------------------------------------------------------------------------------------------


def understood(page: Page, link: Link, found: tuple[Condition, ...]) -> Supposition:
    """What the conditions say in the names of a page."""
    values: list[Value] = []
    functions: list[tuple[str, Any]] = []
    steps: list[Any] = []
    opaque: list[tuple[str, set[str]]] = []
    for c in found:
        keys = {r.key for side in getattr(c.node, "sides", ()) if (r := page.symbols.ref(unwrapped(side))) is not None}
        node = c.node
        if kind(node) != "Relation":
            if kind(node) == "Words" and (c.place != "line" or WORDS.match(node.text)):
                opaque.append((c.text or node.text, set()))
            elif kind(node) == "Name" and (r := page.symbols.ref(node)) is not None and function_of(page, r.key) is not None:
                opaque.append((f"on {plain(r.key)}", {r.key}))  # "when z is zero"
            continue
        if GATE_WORD.search(c.text) is not None:
            value = _value(page, node.sides[0], node.sides[-1])
            values += [value] if value is not None and function_of(page, value.key) == "sigmoid" else []
            opaque += [] if values[-1:] == [value] else [(c.text, set())]
            continue
        if of_steps(node, STEPS | {page.symbols.letter}) and not of_parameters(page, link, node):
            if c.near:
                steps.append(node)
        elif of_entries(page, link, node):
            steps.append(node)
        elif kind(node.sides[-1]) == "Name" and node.sides[-1].base in ("id", "identity"):
            name = unwrapped(node.sides[0])
            functions += [(name.base, "identity")] if applied(page, name.base) else []
            opaque += [(_shown(c), keys)] if keys and not applied(page, name.base) else []  # "let $W$ be the identity"
        elif (told := functional(node)) is not None and applied(page, told[0]):
            functions.append(told)
        elif told is not None and c.near and told[0] not in page.functions and told[0] not in BUILTIN:
            opaque.append((_shown(c), set()))  # "now let $\\phi(a) = a$", of a cell that applies no φ
        elif valued(node):
            read = [_value(page, side, node.sides[-1]) for side in node.sides[:-1]]
            if all(read):
                values += [v for v in read if v is not None]
            elif c.place == "line" or any(page.symbols.ref(s) is not None or _named(link, s) for s in node.sides[:-1]):
                opaque.append((_shown(c), keys))
        elif (of_weights(page, node) and set(node.signs) <= EQUAL) or (c.near and set(node.signs) & (ORDERED - {"!=", "neq"})):
            opaque.append((_shown(c), keys))
        elif c.near and set(node.signs) <= EQUAL and not any((r := page.symbols.ref(unwrapped(s))) and r.key in page.definitions for s in node.sides[:1]):
            opaque += [(_shown(c), keys)] if c.place == "line" and number(node.sides[-1]) is not None else []
    known = {v.key for v in values}
    meant = [text for text, keys in opaque if not keys or not keys <= known]  # where nothing gives these a value elsewhere
    meant = [text for text in meant if not (values and MEANT.fullmatch(text)) and not any(in_a_state(text, v.key) for v in values if v.value in (0, 1))]
    return Supposition(tuple(dict.fromkeys(values)), tuple(functions), tuple(steps), tuple(meant))


def of_weights(page: Page, node: Any) -> bool:
    """Whether a relation says something of weights alone, ``W = I``, ``W^\\top W = I``: what a document supposes or chooses, and does not derive."""
    found = [(head, parts, page.symbols.ref(n)) for n, head, parts in names_in(node)]
    weights = [r for _, _, r in found if r is not None and r.step is None and not r.entries and (page.symbols.ranks.get(r.key) == 2 or r.key[:1].isupper())]
    others = [head.base not in MARKS and not parts and (len(head.base) == 1 or head.base.istitle()) for head, parts, r in found if r is None]
    derived = any(kind(n) in ("Derivative", "Differential", "Big", "Norm") for n in walk(node))
    return bool(weights) and not derived and len(weights) + len(others) == len(found) and all(others)


def of_parameters(page: Page, link: Link, node: Any) -> bool:
    """Whether a relation is on letters that the equations have for parameters, ``k = 1`` beside ``(1 - k) h_{t-1}``, and that count nothing in the line."""
    counting = {page.symbols.letter}.union(*(letters(x) for s in (link.left, link.right) for n in walk(s) if kind(n) == "Name" for x in n.subs))
    parameters = {spelled(n) for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Name" and not n.subs and page.symbols.ref(n) is not None}
    names = {spelled(n) for n in walk(node) if kind(n) == "Name"}
    return valued(node) and number_at(node.sides[-1], {}) in (0, 1) and names <= parameters - counting


def of_entries(page: Page, link: Link, node: Any) -> bool:
    """Whether a condition is on the component indices of a claim: ``i \\neq k``."""
    refs = [r for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None]
    return {spelled(unwrapped(side)) for side in node.sides} <= {w for r in refs for e in r.entries for w in letters(e)}


def _value(page: Page, side: Any, right: Any) -> Value | None:
    """A quantity of the page as a whole, with its value."""
    ref = page.symbols.ref(unwrapped(side))
    value = _fraction(right)
    return Value(ref.key, value, ref.step) if ref is not None and not ref.entries and value is not None else None


def _fraction(node: Any) -> Fraction | None:
    node = unwrapped(node)
    if kind(node) == "Name":
        return Fraction(0 if node.base == "0" else 1)
    if kind(node) == "Infix":
        above, below = (_fraction(a) for a in node.args)
        return above / below if above is not None and below else None
    found = number_at(node, {})
    return None if found is None else Fraction(found)


def _named(link: Link, side: Any) -> bool:
    word = spelled(unwrapped(side))
    return any(kind(n) == "Name" and spelled(n) == word for x in (link.left, link.right) for n in walk(x))


def _shown(c: Condition) -> str:
    try:
        return c.text or latex(c.node)
    except (ValueError, TypeError, AttributeError, KeyError):
        return "a condition"


def applied(page: Page, base: str) -> bool:
    """Whether the equations apply a function of this name."""
    return any(
        kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base == base for d in page.definitions.values() for n in walk(d.node)
    )


def function_of(page: Page, key: str) -> str | None:
    """The activation f of a gate ``z = f(a)``."""
    d = page.definitions.get(key)
    node: Any = unwrapped(d.node) if d is not None else None
    if kind(node) != "Apply" or kind(node.function) != "Name" or len(node.args) != 1 or page.symbols.ref(node) is not None:
        return None
    found = meaning(page.functions, node.function)
    return found if isinstance(found, str) else None


def tied(page: Page, v: Value) -> bool:
    """Whether the value constrains others in a way that the worlds do not know: a state that is computed, a rectified value."""
    function = function_of(page, v.key)
    return v.key in page.definitions and (function is None or function in ("relu", "softmax", "softplus", "exp", "identity"))


# -- worlds -----------------------------------------------------------------------------------------------------------------------


def under(page: Page, said: Supposition, held: bool, now: int | None) -> Page:
    """The page whose worlds have these values: at every step, or where `now` is given at the steps named when the letter is `now`."""
    out = with_functions(page, dict(said.functions)) if said.functions else copy.copy(page)
    letter = page.symbols.letter
    fixed: dict[tuple[str, int | None], int] = {}
    for v in said.values:
        at = None if v.step is None or v.key not in page.symbols.timed else number_at(v.step, {letter: now} if now is not None else {})
        fixed[v.key, None if at is None else int(at)] = v.value.numerator * pow(v.value.denominator, -1, P) % P
    out.fixed, out.held = fixed, held
    out.where = (*said.steps,)
    out.only = {} if now is None else {letter: now}
    return out


# -- judged -----------------------------------------------------------------------------------------------------------------------


def assumed(court: Court, link: Link) -> Judgement | None:
    """The judgement of a relation that only says for which values something else holds; None if it is not one."""
    s, node = link.statement, link.statement.node
    if link.sign not in EQUAL or s.conditions:
        return None
    page = court.page(court.order(s)[0])
    if not valued(node):
        return None
    refs = [page.symbols.ref(unwrapped(side)) for side in node.sides[:-1]]
    if any(r is None or (r.key in page.lagged and r.step is not None and not letters_of(r.step)) for r in refs):
        return None
    return SPECIAL


def aside(court: Court, link: Link) -> bool:
    """Whether an equation between values can only be a condition: ``where $2 c \\tanh c = 1$``; of gates alone, ``z (1 - z) = 0``."""
    fragment = link.statement.fragment
    page = court.page(court.order(link.statement)[0])
    if stationary(page, link):
        return True
    if fragment is None or number(link.right) is None or derived(link.left):
        return False
    names = [n for n in walk(link.left) if kind(n) == "Name" and spelled(n) != page.symbols.letter]
    refs = [page.symbols.ref(n) for n in names]
    gates = bool(names) and all(r is not None and function_of(page, r.key) == "sigmoid" for r in refs)
    return gates or introduced(fragment)


def stationary(page: Page, link: Link) -> bool:
    r"""``\partial L / \partial W = 0``: what holds at a minimum."""
    left = unwrapped(link.left)
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    zero = number_at(link.right, {}) == 0 or spelled(unwrapped(link.right)) == "0"
    fragment = link.statement.fragment
    said = fragment is not None and MINIMUM.search(clause(fragment.before)) is not None
    return zero and said and not link.number and ref is not None and ref.key not in page.symbols.timed


def indices_alone(page: Page, node: Any) -> bool:
    """Whether a relation fixes indices: ``k = t``, ``t = 3``."""
    sides = [unwrapped(side) for side in node.sides]
    known = any(spelled(x) in (page.symbols.letter, "T") or number(x) is not None for x in sides)
    plain_ = all(number(x) is not None or (kind(x) == "Name" and not x.subs) for x in sides)
    named = any((r := page.symbols.ref(x)) is not None and (r.key in page.definitions or number(sides[-1]) is not None) for x in sides)
    return known and plain_ and not named and of_steps(node, STEPS | {page.symbols.letter})


def letters_of(node: Any) -> set[str]:
    return set(letters(node))


def conditioned(court: Court, link: Link) -> Judgement | None:
    """The judgement of a link that is said to hold under conditions; None if there are none."""
    found = court.conditions(link)
    if not found:
        return None
    pages = [court.page(k) for k in court.order(link.statement)]
    said = next((u for p in pages if (u := understood(p, link, found))), Supposition())
    if not said:
        return None
    if not (said.values or said.functions or said.steps):
        return _blocked(equation(court, link), said)
    near = all(c.near for c in found)
    if not near and _holds(court, link, lambda page: page):
        return equation(court, link)

    def variant(held: bool, now: int | None = None) -> Under:
        def inner(page: Page) -> Page | None:
            own = understood(page, link, found)
            return under(page, own, held, now) if own.values or own.functions or own.steps else None

        return inner

    told = {c.held for c in found} - {None}
    readings = [bool(h) for h in told] if len(told) == 1 else [False, True] if any(_slope(pages[0], v) for v in said.values) else [False]
    everywhere = not any(v.step is not None and tied(pages[0], v) for v in said.values)
    remark = note(said, found, len(readings) == 1 and not told)
    if everywhere:
        results = [_holds(court, link, variant(h)) for h in readings]
        if all(results):
            return _noted(equation(court, link, variant(readings[0])), remark)
        if any(results):
            return _open(said, results[0])
    if any(v.step is not None and letters_of(v.step) for v in said.values):
        once = [[_holds(court, link, variant(h, now)) for now in TRIED] for h in readings]
        if all(all(row) for row in once):
            return _noted(equation(court, link, variant(readings[0], TRIED[0])), remark, "" if not everywhere else "only at the step named")
    judged = equation(court, link, variant(readings[0]) if everywhere else variant(readings[0], TRIED[0]))
    if judged.verdict == "refuted" and any(tied(pages[0], v) for v in said.values):
        return Judgement("undecided", "condition", f"under the condition {_names(said)} the quantities depend on each other in a way that is not followed")
    if not near and judged.verdict == "refuted":
        return equation(court, link)
    return _blocked(_noted(judged, remark), said)


def under_conditions(court: Court, link: Link, found: tuple[Condition, ...]) -> str:
    """The conditions under which a link holds at every step, by name; empty where it does not."""

    def variant(page: Page, held: bool) -> Page | None:
        own = understood(page, link, found)
        return under(page, own, held, None) if own.values or own.functions else None

    if not any(_holds(court, link, lambda page, held=held: variant(page, held)) for held in (False, True)):  # type: ignore[misc]
        return ""
    pages = (court.page(k) for k in court.order(link.statement))
    return next(_names(own) for p in pages if (own := understood(p, link, found)))


def _holds(court: Court, link: Link, change: Under) -> bool:
    return any((page := change(court.page(k))) is not None and attempt(court, page, link.left, link.right, link).equal for k in court.order(link.statement))


def _slope(page: Page, v: Value) -> bool:
    """Whether a gate at this value still moves: whether it matters that it is held."""
    function = function_of(page, v.key)
    return function is not None and (function not in SLOPES or SLOPES[function](v.value) != 0)


def _open(said: Supposition, at: bool) -> Judgement:
    one, other = ("is at that value (its slope follows)", "is held there (a constant)")
    one, other = (one, other) if at else (other, one)
    return Judgement("undecided", "condition", f"with {_names(said)} this holds where the quantity {one}, and not where it {other}")


def _names(said: Supposition) -> str:
    return " and ".join(f"{plain(v.key)} = {v.value}" for v in said.values) or "stated"


def note(said: Supposition, found: tuple[Condition, ...], same: bool) -> str:
    """What is supposed, and which part of the text says so."""
    parts = [f"{plain(v.key)} = {v.value}" for v in said.values] + [f"{f} is {told(rule)}" for f, rule in said.functions]
    if not parts:
        return ""
    place = next((c.place for c in found if kind(c.node) == "Relation"), "line")
    gates = " (at that value or held there: the same)" if said.values and same else ""
    return f"{' and '.join(parts)}, as the {place} says{gates}"


def told(rule: Any) -> str:
    """A function as it is called."""
    return "the identity" if rule == "identity" else rule if isinstance(rule, str) else "given by that formula"


def _noted(judged: Judgement, *notes: str) -> Judgement:
    return replace(judged, assumptions=tuple(dict.fromkeys((*judged.assumptions, *(n for n in notes if n)))))


def _blocked(judged: Judgement, said: Supposition) -> Judgement:
    """What is wrong without a condition that was not understood may be right with it."""
    if judged.verdict != "refuted" or not said.opaque:
        return judged
    return Judgement("undecided", "condition", f"it is said to hold under a condition that is not understood here: {said.opaque[0]}", judged.reading)


__all__ = ["SPECIAL", "aside", "assumed", "conditioned", "indices_alone", "introduced"]
