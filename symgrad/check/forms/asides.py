r"""Names that a derivation gives in passing, at one step: "where ``z_3 = V s_3``", beside ``\hat y_t = \operatorname{softmax}(V s_t)``.

The formula is a part of an equation of the cell, so the name is that part's, at that step; at another one the document may call another part so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.forms.inner import alike
from symgrad.check.forms.numbered import base_of, places, told
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name, Negative, Number, Relation, Sum

NAME = "aside"


def named_in_passing(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a name of its own for each such part, and the names → what they stand for in the document."""
    letter = letter_of(statements)
    general = {s.number: s for s in statements if defines(s, letter)}
    cell = {alike(n): s for s in general.values() for side in s.node.sides[1:] for n in walk(side) if n is not side}
    known = {base_of(s) for s in general.values()}
    parts: dict[Any, tuple[Name, Any]] = {}  # each with its name, at every step
    named: dict[Any, Name] = {}  # as it stands → under that name
    behind: dict[int, list[Any]] = {}  # the equations of the parts, by that of the cell in which they are
    for s in statements:
        name: Any = unwrapped(s.node.sides[0]) if kind(s.node) == "Relation" and len(s.node.sides) == 2 else None
        at = told(s) if kind(name) == "Name" else None
        if at is None or name != Name(name.base, subs=(Number(str(at)),)) or name.base in known or name in named:
            continue
        part = in_general(s, at, letter)
        form = alike(part)
        if form not in cell or kind(unwrapped(part)) not in ("Product", "Infix", "Sum"):
            continue
        if form not in parts:
            parts[form] = Name(f"{NAME}{len(parts) + 1}", subs=(Name(letter),)), part
            behind.setdefault(cell[form].number, []).append(Relation(parts[form], ("=",)))
        named[name] = replace(parts[form][0], subs=name.subs)
    if not named:
        return statements, {}
    out: list[Statement] = []
    for s in statements:
        out.append(exchanged(s, {id(n): replace(named[n], span=n.span) for n in s.nodes if kind(n) == "Name" and n in named}))
        out += [Statement(s.fragment, equation, equation, (), 0, unpacked=True) for equation in behind.get(s.number, ())]
    return [replace(s, number=k) for k, s in enumerate(out)], {new: old for old, new in named.items()}


def in_general(s: Statement, at: int, letter: str) -> Any:
    """The right side of an equation at a number, at step t."""
    steps = Name(letter), Sum((Name(letter), Negative(Number("1"))))
    return rebuilt(s.node.sides[1], {id(n): steps[-shift] for shift, found in places(s, at).items() for nodes in found.values() for n in nodes})


def defines(s: Statement, letter: str) -> bool:
    """Whether an equation gives something at every step."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return split is not None and step_part(split[1], letter) is not None
