"""Groups of definitions that are in force together, as cells of one document: what goes from one to the next, and which share nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from symgrad.check.defined.definitions import lags, parts_of, present_names, stepped_names
from symgrad.check.defined.page import Definition
from symgrad.check.defined.typing import decomposed
from symgrad.check.reading.statements import Statement, names_in, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of
from symgrad.check.reading.trees import kind, unwrapped, walk


@dataclass
class Group:
    """Definitions that are in force together, from one statement on."""

    first: int
    definitions: dict[str, Definition] = field(default_factory=dict)
    alone: bool = False  # a lemma with names of its own


@dataclass
class Collected:
    """What the statements of a document define."""

    letter: str = "t"
    groups: list[Group] = field(default_factory=list)
    functions: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, set[Any]] = field(default_factory=dict)  # what they are in some case, "if f is tanh"
    open: set[str] = field(default_factory=set)  # letters for functions that are any, or none that is known here
    arbitrary: set[str] = field(default_factory=set)  # of these, the ones for any function: what is wrong of every known one is wrong
    defining: set[tuple[int, int]] = field(default_factory=set)  # (statement, link) that define
    scales: dict[str, Any] = field(default_factory=dict)
    initial: dict[str, int] = field(default_factory=dict)  # states that begin at a number
    from_zero: bool = False  # whether a quantity has an equation of its own at step 0
    meant: dict[str, str] = field(default_factory=dict)  # quantities that are defined under another name → what is said of that
    beginning: set[str] = field(default_factory=set)  # letters that the formula of a state before the first step names, ``h_0 = \tanh(\theta)``
    signals: set[str] = field(default_factory=set)  # letters of which an equation gives the gradient at a step by that at the next
    families: frozenset[str] = frozenset()  # letters whose indices tell gates apart, ``a^f``, ``a^i``: there ``i`` is a label


def handed_over(old: Group, new: Definition, letter: str, but: set[str]) -> dict[str, Definition]:
    """The equations before a cell begins that only an equation of this one uses: they belong to it, but for some."""
    todo, found = [new], set[str]()
    while todo:
        for key in (stepped_names(d := todo.pop(), letter) | timeless_names(d, old, letter)) & set(old.definitions) - found - but:
            found.add(key)
            todo.append(old.definitions[key])
    memories = {key for key in found if key in stepped_names(old.definitions[key], letter)}
    # ``h_t = z_t ⊙ h_{t-1} + …`` is no part of the cell that begins with another z
    found -= {key for key in memories if stepped_names(old.definitions[key], letter) & but & old.definitions.keys()}
    found -= read_from(old, but, found, letter)
    while kept := {k for key, d in old.definitions.items() if key not in found for k in (stepped_names(d, letter) | timeless_names(d, old, letter)) & found}:
        found -= kept
    return {key: old.definitions.pop(key) for key in [*old.definitions] if key in found}


def begun_before(old: Group, new: Definition, statements: list[Statement], out: Collected) -> dict[str, Definition]:
    """The equations that stand right before one that begins another cell, under its heading and behind what is derived of the old one."""
    s = new.place
    derived = max((e.number for e in statements if e.number < s.number and e.derives and (e.number, 0) not in out.defining), default=0)
    found = {key for key, d in old.definitions.items() if d.place is not None and d.place.number > derived and beside(d.place, s)} - {new.key}
    found -= {key for key in found if decomposed(old.definitions[key])}
    found -= read_from(old, {new.key}, found, out.letter)
    while kept := {k for key, d in old.definitions.items() if key not in found for k in stepped_names(d, out.letter) & found}:
        found -= kept
    return {key: old.definitions.pop(key) for key in [*old.definitions] if key in found} if found != old.definitions.keys() else {}


def read_from(old: Group, keys: set[str], among: set[str], letter: str) -> set[str]:
    r"""The outputs of a cell, ``y_t = V h_t``: what it computes at the same step from what the next cell gives another equation."""
    return {key for key in among if present_names(old.definitions[key], letter) & keys & old.definitions.keys()}


def beside(one: Statement, other: Statement) -> bool:
    """Whether two statements stand under one heading."""
    return one.fragment is not None and other.fragment is not None and one.fragment.heading == other.fragment.heading


def names_the_stepless(d: Definition, group: Group, letter: str) -> bool:
    """Whether an equation goes on with a cell that is written without steps: ``f = σ(W z)`` behind ``z = [h_prev; x]``."""
    return not bare_names(d).isdisjoint(timeless_names(d, group, letter))


def reads_out(d: Definition, group: Group, letter: str) -> bool:
    """Whether an equation gives, by weights of its own, an output without steps of a state that has some: ``y = V h + c`` behind ``h_t = tanh(W h_{t-1})``."""
    states = {key for e in group.definitions.values() for key, at in lags(e, letter).items() if at - {0}} & group.definitions.keys()
    weights, others = ({key_of(head, list(parts)) for e in several for _, head, parts in names_in(e.node)} for several in ([d], group.definitions.values()))
    return d.key not in group.definitions and not bare_names(d).isdisjoint(states) and (weights - states).isdisjoint(others)


def timeless_names(d: Definition, group: Group, letter: str) -> set[str]:
    """What an equation names that has an equation without steps, ``z_{ifo} = U x_t + W h_{t-1}``."""
    splits = [split for n in walk(d.node) if kind(n) == "Name" and (split := head_and_parts(n)) is not None]
    names = {key for head, parts in splits if (key := key_of(head, list(parts))) is not None and key in group.definitions}
    return {key for key in names if not any(step_part((p,), letter) for p in parts_of(group.definitions[key].side))}


def split_groups(collected: Collected) -> bool:
    """Definitions that share no quantity are cells of their own; whether any were told apart so, or handed on."""
    handed = [hand_on(before, behind, collected.letter) for before, behind in pairwise(collected.groups)]
    out: list[Group] = []
    for g in collected.groups:
        parts = [] if g.alone else components(g, collected.letter)
        if len(parts) < 2:
            out.append(g)
            continue
        for part in parts:
            first = min(d.place.number if d.place is not None else g.first for d in part.values())
            out.append(Group(first if part is not parts[0] else g.first, part))
    split = len(out) > len(collected.groups)
    collected.groups = out
    return split or any(handed)


def hand_on(before: Group, behind: Group, letter: str) -> bool:
    r"""The gates of ``h_t = o_t \odot \tanh(c_t)`` are no part of the cell before it, ``h_t = \tanh(a_t)``, which computes nothing from them.

    They are handed on to the cell that does; whether there were any.
    """
    handed = False
    whole = {**before.definitions, **behind.definitions}
    for key in before.definitions.keys() & behind.definitions.keys() if not (before.alone or behind.alone) else ():
        if key not in before.definitions:
            continue
        own, other = read_by(key, before.definitions, letter), read_by(key, whole, letter)
        gates = {k for k in (other - own) & before.definitions.keys() - behind.definitions.keys() if key in read_by(k, before.definitions, letter)}
        gates -= read_from(before, {key}, gates, letter)
        gates |= {k for k in (other - own) & before.definitions.keys() if read_by(k, before.definitions, letter) & gates}
        numbers = [place.number for k in gates if (place := before.definitions[k].place) is not None]
        place = before.definitions[key].place
        if key not in own or place is None or not numbers or min(numbers) <= place.number:
            continue
        behind.definitions = {**{k: before.definitions[k] for k in gates}, **behind.definitions}
        behind.first = min(behind.first, *numbers)
        before.definitions = {k: d for k, d in before.definitions.items() if k not in gates}
        handed = True
    return handed


def read_by(key: str, definitions: dict[str, Definition], letter: str) -> set[str]:
    """What a quantity is computed from, at this step or before."""
    found: set[str] = set()
    ahead = [key]
    while ahead:
        new = stepped_names(definitions[k], letter) if (k := ahead.pop()) in definitions else set()
        ahead += new - found
        found |= new
    return found


def bare_names(d: Definition) -> set[str]:
    """The names without any index that an equation has."""
    return {key for _, head, parts in names_in(d.node) if not parts and (key := key_of(head, [])) is not None}


def components(g: Group, letter: str) -> list[dict[str, Definition]]:
    """Connected by the quantities that they name; by an input only where else a part would have no state of its own."""
    names = {key: {key} | stepped_names(d, letter) | unstepped(d, g.definitions, letter) for key, d in g.definitions.items()}
    for found in names.values():  # ``z_t^2`` is a square, or the second of the z
        found |= {key for key in names if key.partition("^")[2].isdigit() and key.partition("^")[0] in found}
    inputs = {name for found in names.values() for name in found if name[:1] in "xX"} - g.definitions.keys()
    parts = connected(g, {key: found - inputs for key, found in names.items()})
    return parts if all(recurs(part, letter) for part in parts) else connected(g, names)


def unstepped(d: Definition, definitions: dict[str, Definition], letter: str) -> set[str]:
    """What an equation names without a step, by a label as well, ``h_{cand}``; no capital that is a state elsewhere and a weight here."""
    sides = {key: head_and_parts(unwrapped(e.side)) for key, e in definitions.items() if e.side is not None}
    stepped = {key for key, split in sides.items() if split is not None and step_part(split[1], letter)}
    told = {str(key_of(head, [*parts])) for _, head, parts in names_in(d.node) if parts and step_part(parts, letter) is None}
    return {name for name in (bare_names(d) | told) & definitions.keys() if name not in stepped or not name.isupper()}


def recurs(part: dict[str, Definition], letter: str) -> bool:
    """Whether some equations make a state."""
    return any(found - {0} for d in part.values() for found in lags(d, letter).values())


def connected(g: Group, names: dict[str, set[str]]) -> list[dict[str, Definition]]:
    """The definitions in parts that share no name."""
    out: list[tuple[set[str], dict[str, Definition]]] = []
    for key, d in g.definitions.items():
        mine, part = set(names[key]), {key: d}
        rest = []
        for other, held in out:
            if other & mine:
                mine |= other
                part = {**held, **part}
            else:
                rest.append((other, held))
        out = [*rest, (mine, part)]
    return [part for _, part in out]
