r"""Derivatives by a part of an equation: ``\partial L / \partial \tanh(c_t)``, ``\partial L / \partial (r_t \odot h_{t-1})``.

The part becomes a quantity of its own, with an equation, wherever the equations of the cell and the derivatives name it; where the document
has a name for it, it keeps that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import FACTORS, kind, unwrapped, walk
from symgrad.notation.syntax import Name, Relation

PARTS = FACTORS | {"Apply", "Sum"}
NAME = "part"  # of an equation


def parts_named(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with an equation for every part that something is differentiated by, and what the new names stand for."""
    derivatives = [n for s in statements for n in s.nodes if kind(n) == "Derivative"]
    wanted = {alike(part): part for n in derivatives if kind(part := unwrapped(n.wrt)) in PARTS and head_and_parts(part) is None}
    defining = [s for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    letter = letter_of(statements) if wanted else ""
    names: dict[Any, Any] = {alike(s.node.sides[1]): unwrapped(s.node.sides[0]) for s in defining if alike(s.node.sides[1]) in wanted}
    parts: dict[Any, Any] = {}  # as the cell has them
    for s in defining if wanted else ():
        for n in walk(s.node.sides[1]):
            if kind(n) in PARTS and (form := alike(n)) in wanted and form not in names and stepped(n, letter):
                names[form], parts[form] = Name(f"{NAME}{len(names) + 1}", subs=(Name(letter),)), n
    if not names:
        return statements, {}
    out: list[Statement] = []
    known: set[Any] = set()
    for s in statements:
        named = kind(s.node) == "Relation" and unwrapped(s.node.sides[0]) in names.values()  # its own equation stays
        within = [n for side in s.node.sides[1:] for n in walk(side) if not (named and n is unwrapped(side))] if any(s is d for d in defining) else []
        ends = [end for n in s.nodes if kind(n) == "Derivative" for end in (unwrapped(n.of), unwrapped(n.wrt))]
        found = {id(n): form for n in (*within, *ends) if kind(n) in PARTS and (form := alike(n)) in names}
        for form in dict.fromkeys(found.values()):
            if form in parts and form not in known:
                known.add(form)
                told = Relation((names[form], parts[form]), ("=",))
                out.append(Statement(s.fragment, told, told, (), 0, unpacked=True))
        spans = {id(n): n.span for n in (*within, *ends)}
        out.append(exchanged(s, {key: replace(names[form], span=spans[key]) for key, form in found.items()}))
    return [replace(s, number=k) for k, s in enumerate(out)], {names[form]: wanted[form] for form in parts}


def alike(node: Any) -> Any:
    """A formula without brackets, with one sign for products: parts that differ in these alone are the same."""
    node = unwrapped(node)
    k = kind(node)
    if k in FACTORS and not (k == "Infix" and node.sign in ("/", "@")):
        return "*", tuple(map(alike, node.args))
    if k in ("Sum", "Apply"):
        return k, getattr(node, "function", None), tuple(map(alike, node.args))
    return node


def stepped(node: Any, letter: str) -> bool:
    """Whether a part names a quantity at a step."""
    found = (head_and_parts(n) for n in walk(node) if kind(n) in ("Name", "Power", "Index"))
    return any(split is not None and step_part(split[1], letter) is not None for split in found)
