r"""Many to one: ``\hat y = V h_T`` is an output of the last step alone, and the loss looks at nothing else.

Such an output is read as ``\hat y_t = V h_t`` at t = T; where the steps are told by number, ``\hat y = V h_3`` at t = 3.  Not where the
document has the output at every step, uses it in a recurrence (as a context) or sums losses over time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, LOSSES, Statement, exchanged, letter_of, names_in, relation_of, step_part, throughout
from symgrad.check.reading.symbols import Part, head_and_parts, key_of, letters
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

LAST = Name("T")
COMPONENTS = frozenset(map(Name, "ijklmpq"))
ENDS = frozenset({"n", "N", "tau", "K", "S", "L", "M", "m"})  # other letters for the last step


def lastly(statements: list[Statement]) -> list[Statement]:
    """The statements with outputs of the last step at their step; `Statement.last` marks what defines them."""
    letter = letter_of(statements)
    steps = {LAST, greatest(statements, letter)} & {n for s in statements for n in s.nodes if kind(n) in ("Name", "Number")}
    if any(of_a_step(n, letter) for s in statements for n in s.nodes) or ((said := lengths(statements)) and not said & steps):
        steps &= {LAST}
    if not steps or letter == LAST.base:
        return statements
    equations = [(s, key) for s in statements if (key := defined(s, letter)) is not None]
    general = [(s, key) for s, key in equations if stepped(s.node.sides[0], letter)]
    lefts = (head_and_parts(unwrapped(s.node.sides[0])) for s in statements if s.derives and kind(s.node) == "Relation")
    gradients = {str(name_of(left, letter)) for left in lefts if left is not None and step_part(left[1], letter) is not None}
    everywhere = {key for _, key in general} | gradients  # ``\\delta_T`` beside ``\\delta_t = \\partial L/\\partial a_t``
    used = {k for s, own in general if own not in gradients for side in s.node.sides[1:] for _, k, _ in keyed(side, letter)}
    ends: dict[str, tuple[Statement, Any]] = {}  # and the steps at which they are
    if not any(of_a_step(n, letter) for s in statements for n in s.nodes):
        shown = {key: s for s, key in general if key not in used}
        ends = {key: (shown[key], LAST) for key in shown.keys() & bare_at_the_last(statements, letter)}
    for s, key in equations:
        step = only_step(s, everywhere, ends, letter) if key not in everywhere else None
        if step in steps:
            ends[key] = s, step
    if not ends or used & set(ends) or any(kind(n) == "Big" and is_loss(n.body) for s in statements for n in s.nodes):
        return statements
    return [at_the_end(s, ends, everywhere, letter) for s in statements]


def bare_at_the_last(statements: list[Statement], letter: str) -> set[str]:
    r"""What is written without its step beside quantities of step T and of no other: the ŷ of ``\partial \hat y / \partial h_T``, ``(\hat y - y) h_T^\top``."""
    beside: dict[str, set[Any]] = {}
    for s in statements:
        for n in s.nodes:
            of, wrt = (head_and_parts(unwrapped(side)) for side in (n.of, n.wrt)) if kind(n) == "Derivative" else (None, None)
            if of is not None and wrt is not None and wrt[1] and not of[1] and (key := name_of(of, letter)) is not None:
                beside.setdefault(key, set()).update(step_of(wrt[1], letter))
        names = [(key, step_of(parts, letter)) for _, key, parts in keyed(s.node, letter)]
        steps = {step for _, found in names for step in found}
        for key, found in names:
            if not found and len(steps) == 1:
                beside.setdefault(key, set()).update(steps)
            elif Name(letter) in found and defined(s, letter) is None:  # the loss has to do with it at every step
                beside.setdefault(key, set()).update(found)
    return {key for key, steps in beside.items() if steps == {LAST}}


def step_of(parts: tuple[Part, ...], letter: str) -> set[Any]:
    """The step of a name, T or a number as it stands, else the letter that counts them; none, if it has no step."""
    return {p.node if numbered(p) else Name(letter) for p in parts if numbered(p) or step_part((p,), letter) is not None}


def until_the_last(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    r"""The statements with T for another last step, where the document sums to it, ``\sum_{t=1}^n``, and names a quantity there, ``h_n``; T → that letter."""
    letter = letter_of(statements)
    sums = [n for s in statements for n in s.nodes if kind(n) == "Big" and n.upper is not None and letter in letters(n.index or n.lower)]
    ends = {unwrapped(n.upper) for n in sums if kind(unwrapped(n.upper)) == "Name" and unwrapped(n.upper).base in ENDS - {letter}}
    places = [p.node for s in statements for _, _, parts in names_in(s.node) for p in parts]
    if len(ends) != 1 or not ends <= {unwrapped(p) for p in places} or any(n == LAST for p in places for n in walk(p)):
        return statements, {}
    places += [bound for s in statements for n in s.nodes if kind(n) == "Big" and over_steps(n) for bound in (n.upper, n.lower) if bound is not None]
    places += [n.exponent for s in statements for n in s.nodes if kind(n) == "Power" and getattr(unwrapped(n.base), "base", "") != "R"]
    new = {id(n): replace(LAST, span=n.span) for p in places for n in walk(p) if n in ends}
    return throughout(statements, lambda n: new.get(id(n))), {LAST: next(iter(ends))}


def over_steps(big: Any) -> bool:
    """Whether the index of a sum or product is named in the step of what stands below it."""
    counted = set(letters(big.index or big.lower))
    return any(counted & {*letters(p.node)} for _, _, parts in names_in(big.body) for p in parts)


def of_a_step(node: Any, letter: str) -> bool:
    """``L_t``: there is a loss at every step."""
    split = head_and_parts(node) if kind(node) == "Name" else None
    return split is not None and split[0].base in LOSSES and step_part(split[1], letter) is not None


def lengths(statements: list[Statement]) -> set[Any]:
    """The numbers that T is said to be."""
    equations = [s.node for s in statements if kind(s.node) == "Relation" and s.node.sides[0] == LAST and s.node.signs[0] == "="]
    return {unwrapped(rel.sides[1]) for rel in equations}


def greatest(statements: list[Statement], letter: str) -> Any:
    """The greatest number at which something is named that the document has at every step."""
    everywhere = {key for s in statements if (key := defined(s, letter)) is not None and stepped(s.node.sides[0], letter)}
    told = {p.node for s in statements for _, key, parts in keyed(s.node, letter) if key in everywhere for p in parts if kind(p.node) == "Number"}
    return max((n for n in told if n.text.isdigit() and int(n.text) > 1), key=lambda n: int(n.text), default=None)


def defined(s: Statement, letter: str) -> str | None:
    """What an equation gives a value to, by its name without the step."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    if split is None or split[0].base in LOSSES or any(kind(p.node) == "Number" for p in split[1]):
        return None  # ``z_3 = V s_3`` is an instance of what there is at every step
    return name_of(split, letter)


def name_of(split: tuple[Any, tuple[Part, ...]], letter: str) -> str | None:
    """A quantity by its letter and its labels, without its step and its component."""
    parts = [p for p in split[1] if p is not step_part(split[1], letter) and not numbered(p)]
    return key_of(split[0], parts[:-1] if parts and component(parts[-1], letter) else parts)


def component(p: Part, letter: str) -> bool:
    r"""Whether an index counts components: the j of ``\hat y_j``."""
    return p.where == "sub" and p.node in COMPONENTS and p.node != Name(letter)


def is_loss(node: Any) -> bool:
    split = head_and_parts(unwrapped(node))
    return split is not None and split[0].base in LOSSES


def numbered(p: Part) -> bool:
    """Whether an index is a step that is told without the letter that counts them: T, 3."""
    return bool(p.node == LAST or kind(p.node) == "Number")


def keyed(node: Any, letter: str) -> Iterator[tuple[Any, str, tuple[Part, ...]]]:
    for n, head, parts in names_in(node):
        key = name_of((head, parts), letter)
        if key is not None:
            yield n, key, parts


def stepped(node: Any, letter: str) -> bool:
    split = head_and_parts(unwrapped(node))
    return split is not None and step_part(split[1], letter) is not None


def only_step(s: Statement, everywhere: set[str], ends: dict[str, tuple[Statement, Any]], letter: str) -> Any:
    """The one step that a right side speaks of, told by T or by number; None if there are several or none."""
    found = [(key, parts) for side in s.node.sides[1:] for _, key, parts in keyed(side, letter)]
    at = {p.node for key, parts in found if key in everywhere for p in parts if numbered(p)}
    at |= {ends[key][1] for key, parts in found if key in ends and step_part(parts, letter) is None}
    return at.pop() if len(at) == 1 and not any(step_part(parts, letter) is not None for _, parts in found) else None


def at_the_end(s: Statement, ends: dict[str, tuple[Statement, Any]], everywhere: set[str], letter: str) -> Statement:
    """One statement: the output's own equation at step t, its name elsewhere at its step."""
    own = next((step for equation, step in ends.values() if equation is s), None)
    new: dict[int, Any] = {}
    for n, key, parts in keyed(s.node, letter):
        if key in ends and not any(numbered(p) or step_part((p,), letter) is not None for p in parts):
            inner = n
            while kind(inner) in ("Power", "Index", "Paren"):
                inner = inner.arg if kind(inner) == "Paren" else inner.base
            if kind(inner) == "Name":
                step = Name(letter) if own is not None else ends[key][1]
                labels = len(parts) - any(component(p, letter) for p in parts[-1:])
                new[id(inner)] = replace(inner, subs=(*inner.subs[:labels], step, *inner.subs[labels:]))
        elif own is not None and key in everywhere | set(ends):
            new |= {id(p.node): Name(letter) for p in parts if p.node == own}
    return s if not new and own is None else replace(exchanged(s, new), last=own)
