r"""One letter for several quantities, which the letters of their units tell apart.

Where ``x_i`` is the input, ``s_j`` and ``s_h`` are hidden units and ``y_k`` the outputs, ``w_{ji}``, ``w_{jh}`` and ``w_{kj}`` are three matrices, ``b_j`` and
``b_k`` two vectors; so are ``net_j`` and ``net_k``.

The equations by components say which letters count the same units.  What is told apart gets names of its own, and is written back as it stood.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, MARKS, Statement, bound_letters, exchanged, letter_of, names_in, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk

SPARE = ("a", "z", "u", "net")  # letters for what an activation is applied to
Units = tuple[str, ...]  # of each component of a name, one of the letters that count the same


@dataclass
class Classes:
    """Letters that count the same units."""

    of: dict[str, str] = field(default_factory=dict)

    def find(self, letter: str) -> str:
        while (up := self.of.setdefault(letter, letter)) != letter:
            letter = up
        return letter

    def unify(self, a: str, b: str) -> None:
        self.of[self.find(a)] = self.find(b)


def told_apart(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a name for each of them, and what stood there."""
    step = letter_of(statements)
    equations = [s for s in statements if by_components(s, step)]
    letters = {w for s in equations for w in counted(s, step)}
    classes, defined = Classes(), defaultdict[str, set[str]](set)
    for s in equations:
        for w in own(s.node.sides[0], letters, step):
            defined[head_of(unwrapped(s.node.sides[0]), letters, step) or ""].add(w)
    seen: dict[str, str] = {}
    for s in equations:
        for head, found, timed in components(s.node, letters, step):
            if timed and len(found) == 1 and len(defined[head]) < 2:
                classes.unify(found[0], seen.setdefault(head, found[0]))
    known = {w for s in equations for _, found, timed in components(s.node, letters, step) if timed for w in found}
    uses = defaultdict[str, set[Units]](set)
    for s in equations:
        for head, found, _ in components(s.node, letters, step):
            uses[head].add(tuple(map(classes.find, found)))
    several = {head: sorted(units) for head, units in uses.items() if len(units) > 1}
    if not several:
        return statements, {}
    out, original = [], dict[Any, Any]()
    for s in statements:
        new: dict[int, Any] = {}
        for n, head, parts in names_in(s.node):
            there = letters | {w for p in parts for w in indices(p.node) if len(w) == 1 and w != step}  # ``w_{pq}``, of any of them
            found = [w for p in parts for w in indices(p.node) if w in there]
            kinds = [units for units in several.get(head_of(n, there, step) or "", []) if len(units) == len(found)]
            units = tuple(classes.find(w) for w in found if w in known)
            number = kinds.index(units) + 1 if len(units) == len(found) and units in kinds else 0  # 0: nothing tells which is meant
            if kinds and number != 1:
                inner = next(x for x in walk(n) if kind(x) == "Name" and x.base == head.base)
                new[id(n)] = made = renamed(n, inner, f"{head.base}{number}")
                original[made] = n
        out.append(exchanged(s, new))
    return out, original


def told_by_numbers(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    r"""The statements with a letter for each of what ``\partial \hat y_3/\partial z_3`` and ``\partial s_2/\partial z_2`` call z, and what stood there."""
    above = defaultdict[tuple[Any, Any], set[Any]](set)
    for n in (n for s in statements for n in s.nodes if kind(n) == "Derivative"):
        of, by = head_and_parts(unwrapped(n.of)), head_and_parts(unwrapped(n.wrt))
        if of is not None and by is not None and [p.node for p in of[1]] == [p.node for p in by[1]] and [kind(p.node) for p in by[1]] == ["Number"]:
            above[by[0], by[1][0].node].add(of[0])
    used = {n.base for s in statements for n in s.nodes if kind(n) == "Name"}
    free = iter([w for w in SPARE if w not in used])
    meant: dict[Any, Any] = {}
    for name in dict.fromkeys(name for name, _ in above):
        owners = {number: next(iter(found)) for (other, number), found in above.items() if other == name and len(found) == 1}
        letters = dict(zip([*dict.fromkeys(owners.values())][1:], free, strict=False)) if len(owners) == sum(other == name for other, _ in above) else {}
        meant |= {replace(name, subs=(number,)): replace(name, base=letters[owner], subs=(number,)) for number, owner in owners.items() if owner in letters}
    return throughout(statements, lambda n: replace(meant[n], span=n.span) if n in meant else None), {new: old for old, new in meant.items()}


def by_components(s: Statement, step: str) -> bool:
    """Whether a statement says what a quantity at a step is, by components, with a sum over others."""
    if kind(s.node) != "Relation" or s.node.signs[0] not in DEFINING or s.derives:
        return False
    split = head_and_parts(unwrapped(s.node.sides[0]))
    return split is not None and split[0].base not in MARKS and step_part(split[1], step) is not None and len(split[1]) == 2


def counted(s: Statement, step: str) -> Iterator[str]:
    """The letters that count components in an equation: what a sum counts, and what stands beside that on a weight."""
    bound = {w for w in bound_letters(s.node) if w != step}
    yield from bound
    for _, _, parts in names_in(s.node):
        pair = [w for p in parts for w in indices(p.node)]
        if len(pair) == 2 and step not in pair and bound & {*pair}:
            yield from pair


def indices(node: Any) -> list[str]:
    """The letters of an index, each by itself; none of a sum or a number."""
    parts = node.args if kind(node) == "Product" else (node,)
    return [n.base for n in parts if kind(n) == "Name" and not n.subs] if all(kind(n) == "Name" for n in parts) else []


def own(side: Any, letters: set[str], step: str) -> list[str]:
    """The component that an equation is for."""
    return [w for _, found, timed in components(side, letters, step) if timed and len(found) == 1 for w in found]


def components(node: Any, letters: set[str], step: str) -> Iterator[tuple[str, list[str], bool]]:
    """The names in a formula with components alone: what they are called, the letters, whether they have a step."""
    for n, _, parts in names_in(node):
        if (head := head_of(n, letters, step)) is not None:
            yield head, [w for p in parts for w in indices(p.node) if w in letters], step_part(parts, step) is not None


def head_of(node: Any, letters: set[str], step: str) -> str | None:
    """A name by its letter and its labels; None without a component."""
    split = head_and_parts(node)
    if split is None or split[0].base in MARKS or not any(w in letters for p in split[1] for w in indices(p.node)):
        return None
    labels = [spelled(p.node) or "" for p in split[1] if p is not step_part(split[1], step) and not letters & {*indices(p.node)}]
    return " ".join([str(spelled(split[0])), *labels])


def renamed(node: Any, inner: Any, base: str) -> Any:
    """A name with its indices, by another letter."""
    if node is inner:
        return replace(node, base=base)
    place = "function" if kind(node) == "Apply" else "base" if kind(node) in ("Power", "Index") else "arg"
    return replace(node, **{place: renamed(getattr(node, place), inner, base)})
