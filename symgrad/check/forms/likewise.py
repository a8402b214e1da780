"""Equations that are left to the reader: ``z_f = W_f h_{t-1} + b_f (and similarly for i, o)`` says what z_i and z_o are, with their own labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, letter_of, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import children, kind, unwrapped, walk, with_children
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Relation

CANDIDATES = frozenset("acCgGhn")  # labels of what is written to a state: another activation than that of gates
GATES = "fiogzrucs"
REACH = 120  # characters behind an equation
SAID = re.compile(
    r"[\s$`*#/()\[\].,;:–—-]{0,12}(?:and\s+)?(?:similarly|likewise|analogously|equivalently|ditto|(?:the\s+)?same)\s+(?:(?:holds|goes|applies)\s+)?for\s+"
    r"|[\s$`*#/()\[\].,;:–—-]{0,12}(?:et\s+|und\s+)?(?:idem|de même|ebenso|genauso|analog)\s+(?:pour|für)\s+"
    r"|[\s$`*()（）.,;，。；]{0,12}(?:同理|同樣|同样|类似地?|類似)(?:适用于|有|可得|地)?\s*",
    re.IGNORECASE,
)
OTHERS = re.compile(r"(?:all\s+)?(?:the\s+)?(?:others?|remaining|rest)\b|其他|其它|其余", re.IGNORECASE)
LISTED = re.compile(
    r"(?:\s*(?:[,、，&]|(?:and|et|und|(?:the\s+)?gates?)\b))*\s*[$`]?(?P<head>[A-Za-z])[~\u0303]?(?:_\{?(?P<label>[A-Za-z])\}?)?[$`]?"
    r"(?=\s*(?:[,、，&.;:)\]）。；\n]|(?:and|et|und|gates)\b|$))"
)


def likewise(statements: list[Statement], text: str) -> list[Statement]:
    """The statements with the equations that the text says are alike."""
    out: list[Statement] = []
    letter, named, defined = "", set[str](), set[str]()
    for k, s in enumerate(statements):
        out.append(s)
        if s.fragment is None or (k + 1 < len(statements) and statements[k + 1].fragment is s.fragment):
            continue
        end = s.fragment.extent()[1]
        behind = text[end : end + REACH]
        said = SAID.match(behind)
        if said is None or (label := labelled(s, letter := letter or letter_of(statements))) is None:
            continue
        named = named or {latex(n) for t in statements for n in t.nodes if kind(n) in ("Name", "Power", "Index")}
        defined = defined or {latex(unwrapped(t.node.sides[0])) for t in statements if relation_of(t.node) is not None and not t.derives}
        others = OTHERS.match(behind, said.end()) is not None
        for new in GATES if others else labels(behind[said.end() :], letter):
            made = exchanged(s.node, label, new)
            written = [made.sides[0]] if others else [*renamed(s.node, made)]
            if fits(s.node, label, new) and latex(made.sides[0]) not in defined and any(latex(n) in named for n in written):
                out.append(Statement(s.fragment, made, made, (), s.number, unpacked=True))
    return out if len(out) == len(statements) else [replace(s, number=k) for k, s in enumerate(out)]


def labelled(s: Statement, letter: str) -> str | None:
    """The label that tells the quantity that a statement defines from others like it, and its weights from theirs."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in DEFINING or s.derives:
        return None
    split = head_and_parts(unwrapped(rel.sides[0]))
    if split is None:
        return None
    step = step_part(split[1], letter)
    own = [p.node for p in split[1] if p is not step]
    label = own[0].base if own and kind(own[0]) == "Name" else split[0].base
    right = walk(rel.sides[1])
    within = {id(m) for n in right for part in scripts(n) for m in walk(part)}
    marked = [id(n) in within for n in right if kind(n) == "Name" and n.base == label]
    return label if len(own) < 2 and len(label) == 1 and label != letter and any(marked) and (own or all(marked)) else None


def scripts(node: Any) -> tuple[Any, ...]:
    """The indices of a name."""
    return node.subs if kind(node) == "Name" else node.parts if kind(node) == "Index" else (node.exponent,) if kind(node) == "Power" else ()


def fits(rel: Any, label: str, new: str) -> bool:
    """Whether two quantities may be computed alike: gates have one activation, what is written to a state has another."""
    applied = kind(unwrapped(rel.sides[1])) == "Apply"
    return label != new and (not applied or (label in CANDIDATES) == (new in CANDIDATES))


def labels(behind: str, letter: str) -> Iterator[str]:
    """The labels in ``i, o and z_g``."""
    at = 0
    while m := LISTED.match(behind, at):
        at = m.end()
        yield m["label"] if m["label"] and m["label"] != letter else m["head"]


def exchanged(rel: Any, label: str, new: str) -> Any:
    """The relation with another label: on the left side the letter itself, where it is no index there; on the right in the indices."""
    left, right = rel.sides
    changed = relabelled(left, label, new)
    head = head_and_parts(unwrapped(left))
    if changed is left and head is not None:
        changed = reheaded(left, label, new)
    return Relation((changed, relabelled(right, label, new)), rel.signs, span=rel.span)


def relabelled(node: Any, label: str, new: str, inside: bool = False) -> Any:
    if inside and node == Name(label):
        return replace(node, base=new)
    scripted = {id(part) for part in scripts(node)}
    made = {id(c): m for c in children(node) if (m := relabelled(c, label, new, inside or id(c) in scripted)) is not c}
    return with_children(node, made) if made else node


def reheaded(node: Any, label: str, new: str) -> Any:
    if kind(node) == "Name":
        return replace(node, base=new) if node.base == label else node
    first = next(iter(children(node)), None)
    return with_children(node, {id(first): reheaded(first, label, new)}) if first is not None else node


def renamed(old: Any, new: Any) -> Iterator[Any]:
    """The names that one relation has and the other has not."""
    before = {latex(n) for n in walk(old)}
    yield from (n for n in walk(new) if kind(n) in ("Name", "Power", "Index") and latex(n) not in before and len(latex(n)) > 1)
