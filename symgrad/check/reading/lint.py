r"""Slips in definitions, which nothing can refute but their own form: a sum whose terms do not have its index, a lost step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.symbols import head_and_parts, letters, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Number, Product


def definition(link: Link, letter: str) -> Judgement | None:
    """A definition that cannot mean what it says."""
    return idle_sum(as_written(link)) or raised_state(link, letter) or lost_step(link, letter)


def as_written(link: Link) -> Link:
    """A definition whose right side is read as a function that it writes out."""
    whole = link.statement.whole.node if kind(link.statement.whole) == "Given" else link.statement.whole
    if kind(unwrapped(link.right)) != "Apply" or kind(whole) != "Relation" or kind(unwrapped(whole.sides[-1])) != "Fraction":
        return link
    return replace(link, left=whole.sides[0], right=whole.sides[-1])


def printed(node: Any) -> str | None:
    try:
        return latex(node)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def idle_sum(link: Link) -> Judgement | None:
    r"""``\sum_j a_i``: the terms of the sum do not depend on its index but on another one."""
    found = repaired(link.left, link.right)
    if found is None:
        return None
    mended, n, name, old = found
    return Judgement("refuted", "sum-index", f"the sum runs over {name}, but its terms depend on {old}", expected=printed(mended), blame=span_of(n))


def repaired(left: Any, right: Any) -> tuple[Any, Any, str | None, str | None] | None:
    """The formula with the index of an idle sum put right, the sum, its index, the index in its terms."""
    sums = [n for n in walk(right) if kind(n) == "Big" and n.index is not None and n.lower is not None]
    free = {w for n in walk(left) if (s := head_and_parts(n)) for p in s[1] for w in letters(p.node)} if sums else set()
    for n in sums:
        name = spelled(n.index)
        inside = {w for m in walk(n.body) for w in ([spelled(m)] if kind(m) == "Name" and not m.subs else []) if w}
        if name in inside:
            continue
        other = spelled(unwrapped(n.lower)) if kind(unwrapped(n.lower)) == "Name" else None
        if name not in free and (shared := inside & free & set("ijklmnpqr")):
            (old,) = sorted(shared)[:1]
            body = rebuilt(n.body, {id(m): Name(str(name)) for m in walk(n.body) if kind(m) == "Name" and not m.subs and spelled(m) == old})
            mended = rebuilt(right, {id(n): replace(n, body=body)})
            return mended, n, name, old
        if name in free and other is not None and other in inside:
            mended = rebuilt(right, {id(n): replace(n, index=Name(other), lower=Number("1"))})
            return mended, n, name, other
    return None


def raised_state(link: Link, letter: str) -> Judgement | None:
    r"""``b + W^{h_{t-1}} + U x_t``: a bracket of the exponent that has swallowed the state."""
    if not (found := raised(link.right, letter)):
        return None
    why = "the state stands in the exponent of its weight"
    return Judgement("refuted", "wrong-power", why, expected=printed(rebuilt(link.right, found)), blame=span_of(next(iter(found.values()))))


def raised(right: Any, letter: str) -> dict[int, Any]:
    """The terms of sums that are a matrix with a quantity at a step for its exponent, and the products that are meant."""
    terms = [a for n in walk(right) if kind(n) == "Sum" for a in n.args if kind(a) == "Power" and kind(a.base) == "Name" and a.base.base.isupper()]
    splits = [(a, head_and_parts(a.exponent)) for a in terms if kind(a.exponent) in ("Name", "Power", "Index")]
    stepped = (a for a, split in splits if split is not None and any(letter in letters(p.node) for p in split[1]))
    return {id(a): Product((a.base, a.exponent), span=a.span) for a in stepped}


def lost_step(link: Link, letter: str) -> Judgement | None:
    """``(1 - z) ∘ n_t + z_t ∘ h_{t-1}``: the same name with its step and without, in one line."""
    left = head_and_parts(unwrapped(link.left))
    if left is None or not any(letter in letters(p.node) for p in left[1]):
        return None
    plain = {spelled(n) for n in walk(link.right) if kind(n) == "Name" and not n.subs and len(n.base) == 1 and n.base != letter}
    if not plain:
        return None
    inner = {id(x) for n in walk(link.right) if kind(n) in ("Name", "Power", "Index") and (s := head_and_parts(n)) and s[1] for x in walk(n) if x is not n}
    stepped = {
        spelled(s[0]): n
        for n in walk(link.right)
        if id(n) not in inner and (s := head_and_parts(n)) and any(letter in letters(p.node) for p in s[1]) and len(s[1]) == 1
    }
    for n in walk(link.right):
        if kind(n) == "Name" and not n.subs and id(n) not in inner and spelled(n) in stepped and len(n.base) == 1:
            new = stepped[spelled(n)]
            mended = rebuilt(link.right, {id(n): new})
            return Judgement(
                "refuted",
                "wrong-time-index",
                f"{n.base} has lost its step: elsewhere in this line it is ${printed(new)}$",
                expected=printed(mended),
                blame=span_of(n),
            )
    return None
