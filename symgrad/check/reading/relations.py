r"""Relations of a document that say for what something else holds: ``z = r = 0``, ``A |_{z=1}``, ``i \neq k``, ``k = 1, \dots, t``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import derived
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name, Negative, Number, Relation, Sum

AT = frozenset({"=", "==", ":=", "equiv", "->", "to"})  # a quantity has, or goes to, a value
INDICES = frozenset("ijklmnpq")
ORDERED = frozenset({"<", ">", "<=", ">=", "!=", "leq", "geq", "≤", "≥", "<<", ">>", "~~", "approx", "ll", "gg", "neq"})
STEPS = frozenset({"t", "T", "k", "i", "j", "l", "n", "m", "s", "tau", "N", "p", "q", "u"})
BEYOND = {"<": 1, "<=": 0, ">": 1, ">=": 0}  # how far a bound that is not reached lies off


def lifted(node: Any) -> tuple[Any, tuple[Any, ...]]:
    r"""``A |_{z=1} = I`` and ``\lim_{z \to 1} A = I`` as the relation ``A = I`` with the condition."""
    if kind(node) != "Relation":
        return node, ()
    sides, conditions = [], []
    for side in node.sides:
        inner, said = _lifted(side)
        sides.append(inner)
        conditions += [c for c in said if c not in conditions]
    return (Relation(tuple(sides), node.signs, span=node.span), tuple(conditions)) if conditions else (node, ())


def ranged(node: Any) -> Any:
    r"""Every ``\prod_{k < i \leq t}`` as ``\prod_{i=k+1}^{t}``, ``\sum_{k \leq t}`` as ``\sum_{k}^{t}``."""
    changed = {id(n): b for n in walk(node) if kind(n) == "Big" and n.index is None and (b := _ranged(n)) is not None}
    if not changed:
        return node
    inner = {id(n): replace(b, body=ranged(b.body)) for n in walk(node) if (b := changed.get(id(n))) is not None}
    return rebuilt(node, inner)


def _ranged(big: Any) -> Any:
    r"""A sum or product over ``a \leq k \leq b`` with its bounds in their places; None for any other."""
    bounds = unwrapped(big.lower)
    if kind(bounds) != "Relation" or big.upper is not None or len({s[0] for s in bounds.signs}) != 1 or not set(bounds.signs) <= set(BEYOND):
        return None
    sides, signs = (bounds.sides, bounds.signs) if bounds.signs[0][0] == "<" else (bounds.sides[::-1], bounds.signs[::-1])
    if len(sides) == 2:  # the index is the first that is a letter
        named = bounds.sides[0] if kind(bounds.sides[0]) == "Name" else bounds.sides[1]
        sides, signs = ((None, *sides), ("<=", *signs)) if sides[0] is named else ((*sides, None), (*signs, "<="))
    if len(sides) != 3 or kind(sides[1]) != "Name":
        return None
    first, index, last = sides
    lower = first if first is None else shifted(first, BEYOND[signs[0]])
    upper = last if last is None else shifted(last, -BEYOND[signs[1]])
    return replace(big, index=index, lower=lower, upper=upper)


def shifted(node: Any, by: int) -> Any:
    """``node + by``."""
    if kind(node) == "Number" and node.text.isdigit() and int(node.text) + by >= 0:
        return replace(node, text=str(int(node.text) + by))
    one = Number("1")
    return node if by == 0 else Sum((node, one if by > 0 else Negative(one)), span=node.span)


def at_a_step(bar: Any) -> bool:
    r"""Whether a bar tells at which step a weight is used, ``\left.\frac{\partial L}{\partial W}\right|_{t=3}``, and no value of a quantity."""
    condition: Any = unwrapped(bar.conditions[0]) if len(bar.conditions) == 1 and kind(unwrapped(bar.node)) == "Derivative" else None
    if kind(condition) != "Relation" or condition.signs != ("=",) or kind(condition.sides[1]) != "Number":
        return False
    return spelled(condition.sides[0]) in ("t", "tau", "k") and not any(n == condition.sides[0] for n in walk(bar.node))


def _lifted(side: Any) -> tuple[Any, tuple[Any, ...]]:
    bare = unwrapped(side)
    if kind(bare) == "Given" and at_a_step(bare):
        return side, ()
    if kind(bare) == "Given" and all(valued(c) for c in bare.conditions):
        return bare.node, bare.conditions
    if kind(bare) == "Apply" and kind(bare.function) == "Name" and bare.function.base == "lim" and len(bare.args) == 1:
        subs = bare.function.subs
        if subs and all(valued(c) for c in subs):
            return bare.args[0], subs
    if kind(bare) == "Product" and kind(bare.args[-1]) == "Given" and all(valued(c) for c in bare.args[-1].conditions):
        last = bare.args[-1]
        return type(bare)((*bare.args[:-1], last.node), span=bare.span), last.conditions
    return side, ()


def valued(node: Any) -> bool:
    """Whether a relation gives names a number: ``z = r = 0``, ``z_t \\to 1``."""
    if kind(node) != "Relation" or not set(node.signs) <= AT:
        return False
    return number(node.sides[-1]) is not None and all(
        kind(unwrapped(s)) in ("Name", "Power", "Index", "Apply") and number(s) is None and not derived(s) for s in node.sides[:-1]
    )


def limited(node: Any) -> bool:
    """Whether a relation bounds a quantity by a number: ``x > 0``, ``h_t ≠ 0``."""
    if kind(node) != "Relation" or len(node.sides) != 2 or node.signs[0] not in ORDERED:
        return False
    left, right = map(unwrapped, node.sides)
    if number(left) is not None:
        left, right = right, left
    bare = kind(left) == "Name" and not left.subs and left.base in STEPS
    return number(right) is not None and kind(left) in ("Name", "Power", "Index", "Absolute") and not bare


def functional(node: Any) -> bool:
    r"""Whether a relation may say what a function is: ``\sigma(x) = x``, ``f = \tanh``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    if len(sides) != 2 or node.signs != ("=",):
        return False
    left = sides[0]
    if kind(left) == "Apply":
        return kind(left.function) == "Name" and not left.function.primes and len(left.args) == 1 and kind(unwrapped(left.args[0])) == "Name"
    return kind(left) == "Name" and kind(sides[1]) == "Name" and not left.subs and len(sides[1].base) > 1 and not sides[1].subs


def identical(node: Any) -> bool:
    """Whether a relation makes a matrix the identity: ``W = I``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    return len(sides) == 2 and node.signs == ("=",) and kind(sides[0]) == "Name" and sides[0].base[:1].isupper() and spelled(sides[1]) == "I"


def of_numbers(node: Any) -> bool:
    r"""Whether a relation gives a matrix by its numbers: ``W = \begin{pmatrix} 0 & 1 \\ 0 & 0 \end{pmatrix}``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    if len(sides) != 2 or node.signs != ("=",) or kind(sides[0]) != "Name" or not sides[0].base[:1].isupper():
        return False
    parts = list(walk(sides[1]))
    named = any(kind(n) == "Apply" or (kind(n) == "Name" and spelled(n) != "I") for n in parts)
    return kind(sides[1]) not in ("Number", "Name") and any(kind(n) == "Number" for n in parts) and not named


def together(node: Any) -> tuple[Any, ...]:
    """Conditions that stand together, ``z = 0, r = 1`` or ``z = 0 \\text{ and } r = 1``, one by one; nothing if they do not give values."""
    if kind(node) == "Tuple":
        parts = [together(a) for a in node.args]
        return tuple(c for p in parts for c in p) if all(parts) else ()
    if valued(node):
        return (node,)
    if kind(node) == "Relation" and set(node.signs) == {"="} and len(node.sides) == 3:  # z = (0 and r) = 1
        words = unwrapped(node.sides[1])
        if kind(words) == "Product" and len(words.args) == 3 and spelled(words.args[1]) == "and":
            return tuple(
                c for pair in ((node.sides[0], words.args[0]), (words.args[2], node.sides[2])) for c in together(Relation(pair, ("=",), span=node.span))
            )
    return ()


def number(node: Any) -> Any:
    """The rational number that a node writes; bold 0 and 1 are vectors of them."""
    node = unwrapped(node)
    if kind(node) == "Number":
        return node
    if kind(node) == "Name" and node.base in ("0", "1", "mathbb1") and not node.subs:
        return node
    if kind(node) == "Negative":
        return number(node.arg) and node
    if kind(node) == "Fraction":
        return number(node.numerator) and number(node.denominator) and node
    if kind(node) == "Infix" and node.sign == "/" and len(node.args) == 2:
        return number(node.args[0]) and number(node.args[1]) and node
    return None


def of_letters(node: Any) -> bool:
    """Whether a relation tells two indices apart, or makes them one: ``i \\neq k``, ``t = T``, ``k = t - 1``; ``t = T - 1 \\to 0``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    if len(sides) < 2 or node.signs[0] not in ("=", "!=", "neq") or kind(sides[0]) != "Name" or kind(sides[1]) not in ("Name", "Sum"):
        return False
    if any(sign not in ("->", "to") for sign in node.signs[1:]):
        return False
    parts = [n for side in sides for n in walk(side)]
    return all(kind(n) in ("Number", "Sum", "Negative") or (kind(n) == "Name" and n == Name(n.base) and n.base in INDICES | STEPS) for n in parts)


def a_range(node: Any) -> bool:
    r"""Whether a relation tells what an index runs over: ``k = 1, \dots, t``."""
    if kind(node) != "Relation" or len(node.sides) != 2:
        return False
    left, right = (unwrapped(side) for side in node.sides)
    if kind(left) != "Name" or left.subs or left.accents or kind(right) not in ("Tuple", "Stack") or node.signs[0] not in ("=", "in", "∈"):
        return False
    return (left.base in STEPS or left.base in INDICES) and all(kind(a) == "Ellipsis" or number(a) is not None or of_steps(a, STEPS) for a in right.args)


def of_steps(node: Any, letters: frozenset[str]) -> bool:
    """Whether a relation speaks of indices alone: ``k < t``, ``t = 1, \\dots, T``."""
    names = [n for n in walk(node) if kind(n) == "Name"]
    stepped = any(kind(n) in ("Power", "Index", "Apply") for n in walk(node))  # ``i^{(1)}`` is a gate
    return bool(names) and not stepped and all((spelled(n) or "?") in letters for n in names)
