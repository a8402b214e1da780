r"""Derivatives by a part of an equation: ``\partial L / \partial \tanh(c_t)``, ``\partial L / \partial (r_t \odot h_{t-1})``.

So too ``\delta_{r \odot h}``, ``drh`` and ``d_rh``, and ``dtanh`` where the equations apply it once inside.

The part becomes a quantity of its own, with an equation, wherever the equations of the cell and the derivatives name it; where the document
has a name for it, it keeps that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import DEFINING, MARKS, Statement, exchanged, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import STEP_WORDS, head_and_parts, letters, spelled
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Name, Relation

PARTS = FACTORS | {"Apply", "Sum"}
NAME = "part"  # of an equation


def parts_named(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with an equation for every part that something is differentiated by, and what the new names stand for."""
    derivatives = [n for s in statements for n in s.nodes if kind(n) == "Derivative"]
    wanted = {alike(part): part for n in derivatives if kind(part := unwrapped(n.wrt)) in PARTS and head_and_parts(part) is None}
    defining = [s for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    letter = letter_of(statements)
    labels, words = by_symbols(statements, defining, letter)
    glued = of_products(statements, defining)
    wanted |= {alike(part): part for part in (*labels.values(), *words, *glued.values())}
    names: dict[Any, Any] = {alike(s.node.sides[1]): unwrapped(s.node.sides[0]) for s in defining if alike(s.node.sides[1]) in wanted}
    parts: dict[Any, Any] = {}  # as the cell has them
    for s in defining if wanted else ():
        for n in walk(s.node.sides[1]):
            if kind(n) in PARTS and (form := alike(n)) in wanted and form not in names and (stepped(n, letter) or in_words(n)):
                names[form], parts[form] = Name(f"{NAME}{len(names) + 1}", subs=(Name(letter),) if stepped(n, letter) else ()), n
    if not names:
        return statements, {}
    out: list[Statement] = []
    known: set[Any] = set()
    for s in statements:
        named = kind(s.node) == "Relation" and unwrapped(s.node.sides[0]) in names.values()  # its own equation stays
        within = [n for side in s.node.sides[1:] for n in walk(side) if not (named and n is unwrapped(side))] if any(s is d for d in defining) else []
        ends = [end for n in s.nodes if kind(n) == "Derivative" for end in (unwrapped(n.of), unwrapped(n.wrt))]
        marked = {id(label): alike(labels[id(label)]) for n in s.nodes if kind(n) == "Name" for label in n.subs if id(label) in labels}
        found = {id(n): form for n in (*within, *ends) if kind(n) in PARTS and (form := alike(n)) in names}
        found |= {key: form for key, form in marked.items() if form in names}
        for form in dict.fromkeys((*found.values(), *(alike(glued[id(n)]) for n in s.nodes if id(n) in glued))):
            if form in parts and form not in known:
                known.add(form)
                told = Relation((names[form], parts[form]), ("=",))
                out.append(Statement(s.fragment, told, told, (), 0, unpacked=True))
        spans = {id(n): n.span for n in (*within, *ends, *(label for n in s.nodes if kind(n) == "Name" for label in n.subs))}
        products = {id(n): Name("d", subs=(names[form],), span=n.span) for n in s.nodes if id(n) in glued and (form := alike(glued[id(n)])) in names}
        out.append(exchanged(s, {key: replace(names[form], span=spans[key]) for key, form in found.items()} | products))
    return [replace(s, number=k) for k, s in enumerate(out)], {names[form]: wanted[form] for form in parts}


def by_symbols(statements: list[Statement], defining: list[Statement], letter: str) -> tuple[dict[int, Any], list[Any]]:
    r"""The parts that symbols for gradients have for a label, by that, ``\delta_{r \odot h}`` without their steps; and those that a word names, ``dtanh``."""
    parts = [n for s in defining for n in walk(s.node.sides[1]) if kind(n) in PARTS and n is not unwrapped(s.node.sides[1]) and stepped(n, letter)]
    marks = [n.subs[0] for s in statements for n in s.nodes if kind(n) == "Name" and n.base in MARKS and len(n.subs) == 1]
    marks = [label for label in marks if kind(label) in PARTS - {"Product"}]
    labels, words = dict[int, Any](), list[Any]()
    for label in marks:
        meant = {alike(part): part for part in parts if alike(label) == alike(part) or alike(label) == alike(timeless(part, letter))}
        labels |= {id(label): part for part in meant.values() if len(meant) == 1}
    spoken = {n.base[1:] for s in statements for n in s.nodes if kind(n) == "Name" and n.base[:1] == "d" and n.base[1:] in BUILTIN and len(n.base) > 3}
    for word in spoken:
        called = {alike(part): part for part in parts if kind(part) == "Apply" and part.function == Name(word)}
        words += called.values() if len(called) == 1 else ()
    return labels, words


def of_products(statements: list[Statement], defining: list[Statement]) -> dict[int, Any]:
    """The names that are a d before the letters of two gates or states, by the product of these: ``drh``, ``d_rh``, ``dr_h_prev`` beside ``r * h_prev``."""
    products = [n for s in defining for n in walk(s.node.sides[1]) if kind(n) in FACTORS - {"Product"} and len(n.args) == 2]
    named = [(n, [split[0].base for a in n.args if (split := head_and_parts(a)) is not None]) for n in products]
    small = [(n, bases) for n, bases in named if len(bases) == 2 and "".join(bases).islower()]
    out = dict[int, Any]()
    for n in (n for s in statements for n in s.nodes if kind(n) == "Name" and n.base[:1] == "d"):
        word = n.base[1:] + "".join(x.base for sub in n.subs for x in walk(sub) if kind(x) == "Name" and spelled(x) not in STEP_WORDS)
        meant = {alike(part): part for part, bases in small if word in ("".join(bases), "".join(reversed(bases)))}
        out |= {id(n): part for part in meant.values() if len(meant) == 1}
    return out


def timeless(node: Any, letter: str) -> Any:
    """A part with its steps left out."""
    names = [n for n in walk(node) if kind(n) == "Name" and (at := step_part((head_and_parts(n) or (n, ()))[1], letter)) is not None and at.node in n.subs]
    return rebuilt(node, {id(n): replace(n, subs=tuple(sub for sub in n.subs if not set(letters(sub)) & {letter})) for n in names})


def alike(node: Any) -> Any:
    """A formula without brackets, with one sign for products: parts that differ in these alone are the same."""
    node = unwrapped(node)
    k = kind(node)
    if k in FACTORS and not (k == "Infix" and node.sign in ("/", "@")):
        return "*", tuple(map(alike, node.args))
    if k in ("Sum", "Apply"):
        return k, getattr(node, "function", None), tuple(map(alike, node.args))
    return node


def in_words(node: Any) -> bool:
    """Whether a part names a quantity at the step before by a word, ``h_{prev}``."""
    return any(spelled(sub) in STEP_WORDS for n in walk(node) if kind(n) == "Name" for sub in n.subs)


def stepped(node: Any, letter: str) -> bool:
    """Whether a part names a quantity at a step."""
    found = (head_and_parts(n) for n in walk(node) if kind(n) in ("Name", "Power", "Index"))
    return any(split is not None and step_part(split[1], letter) is not None for split in found)
