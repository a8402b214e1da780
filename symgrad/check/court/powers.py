r"""Limits of powers: ``\lim_{k \to \infty} W^k = 0`` if ``|W| < 1``, decided by induction on k (`symgrad.decide.induction`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symgrad.check import limits
from symgrad.check.reading.claims import EQUAL, Link, span_of
from symgrad.check.reading.conditions import Condition
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.relations import number
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Absolute, Name, Number, Relation

TO = frozenset({"->", "to"})
W = Name("W")
SIGNS = {"leq": "<=", "le": "<=", "≤": "<=", "geq": ">=", "ge": ">=", "≥": ">="}


def limit(link: Link, conditions: Iterable[Condition]) -> Judgement | None:
    """The judgement of a limit of powers; None if the relation is none."""
    found = power(link)
    if found is None:
        body = unwrapped(link.left)
        if kind(body) == "Apply" and kind(body.function) == "Name" and body.function.base == "lim":
            return Judgement("undecided", "not-understood", "a limit is decided for powers alone")
        return None
    base = found.base
    if kind(number(link.right)) != "Number" or number(link.right).text != "0":
        return Judgement("undecided", "not-understood", "a limit other than 0 is not decided", "scalar")
    named = [(c.node, r) for c in conditions if (r := about(c.node, base)) is not None]
    if not named:
        return Judgement("undecided", "condition", f"the line does not say for which {latex(base)} this holds", "scalar")
    with limits.apart():
        from symgrad.decide.induction import power_limit
        from symgrad.decide.sequences import Unreadable
    try:
        result = power_limit(named[0][1])
    except Unreadable as e:
        return Judgement("undecided", "condition", f"the condition is not understood: {e}", "scalar")
    if result.status == "proved":
        size = next((kind(n) for n in walk(named[0][0]) if kind(n) in ("Norm", "Apply")), "")
        why = {"Norm": "as the norm of the power is at most the power of the norm", "Apply": "for the spectral radius"}.get(size, "for every such number")
        return Judgement("proved", None, "", "matrix" if size else "scalar", assumptions=(f"{latex(named[0][0])}; by induction on the exponent, {why}",))
    message = result.reason.replace("W", latex(base))
    if result.status == "undecided":
        return Judgement("undecided", "not-understood", message, "scalar")
    repaired = Relation((Absolute(base), Number("1")), ("<",))
    judged = Judgement("refuted", "false-limit", f"{message}; it holds if ${latex(repaired)}$", "scalar")
    judged.blame = span_of(named[0][0]) if named[0][0] in link.statement.conditions else span_of(link.right)
    judged.counterexample = {"values": {spelled(base) or "W": message.split(" = ")[1].split()[0]}}
    return judged


def power(link: Link) -> Any:
    r"""The power W^k in ``\lim_{k \to \infty} W^k = …`` and ``W^k \to …``."""
    body = unwrapped(link.left)
    letter = None
    if kind(body) == "Apply" and kind(body.function) == "Name" and body.function.base == "lim" and len(body.args) == 1 and link.sign in EQUAL:
        subs = body.function.subs
        if len(subs) != 1 or kind(subs[0]) != "Relation" or not set(subs[0].signs) <= TO or not infinite(subs[0].sides[-1]):
            return None
        letter, body = spelled(subs[0].sides[0]), unwrapped(body.args[0])
    elif link.sign not in TO:
        return None
    if kind(body) in ("Absolute", "Norm"):
        body = unwrapped(body.arg)
    if kind(body) != "Power" or kind(unwrapped(body.exponent)) != "Name" or kind(unwrapped(body.base)) != "Name":
        return None
    return body if letter is None or spelled(unwrapped(body.exponent)) == letter else None


def infinite(node: Any) -> bool:
    node = unwrapped(node)
    return kind(node) == "Name" and node.base in ("infty", "∞", "infinity")


def about(node: Any, base: Any) -> Relation | None:
    """A condition on the base with the base as ``W``; a norm or spectral radius counts as an absolute value."""
    if kind(node) != "Relation":
        return None
    sides: list[Any] = []
    for side in node.sides:
        inner = unwrapped(side)
        radius = kind(inner) == "Apply" and kind(inner.function) == "Name" and inner.function.base in ("rho", "varrho") and len(inner.args) == 1
        if inner == base:
            sides.append(W)
        elif (kind(inner) in ("Absolute", "Norm") and unwrapped(inner.arg) == base) or (radius and unwrapped(inner.args[0]) == base):
            sides.append(Absolute(W))
        elif number(inner) is not None:
            sides.append(inner)
        else:
            return None
    return Relation(tuple(sides), tuple(SIGNS.get(s, s) for s in node.signs)) if any(s is W or kind(s) == "Absolute" for s in sides) else None
