r"""Layers on top of each other: ``h_t^{(l)} = f(W^{(l)} h_t^{(l-1)} + U^{(l)} h_{t-1}^{(l)})``, with as many of them as a trial needs.

Every layer is a quantity of its own, and every statement about layer l becomes one for each l; it holds if all of these hold.  The
product over layers is written out, the upper ones on the left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.forms.common import WORST_FIRST, Common
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import DEFINING, Statement, names_in, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, letters, number_at, spelled
from symgrad.check.reading.trees import children, kind, walk, with_children
from symgrad.notation.syntax import Name, Negative, Number, Paren, Power, Product, Sum

LAYERS = 3
LETTERS = ("l", "ell")
OTHERS = ("k", "n", "m", "i", "j", "d", "r")  # where an equation goes up by them and on by t
LABEL = "layer"


class Beyond(Exception):
    """A layer that does not exist."""


@dataclass
class Stack(Common):
    """The statements of a document layer by layer."""

    letter: str = "l"
    families: dict[str, frozenset[str]] = field(default_factory=dict)  # names that have a layer → where it is written
    env: dict[str, int] = field(default_factory=dict)  # the layers of the statement that is ruled on
    views: dict[int, tuple[dict[Any, Any], dict[str, int]]] = field(default_factory=dict)  # statement → how it was written, and its layers

    def layer(self, node: Any) -> tuple[Any, tuple[Part, ...], Part] | None:
        """The letter of a name, its other indices, and its layer."""
        split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
        if split is None or (kind(node) == "Power" and kind(node.exponent) == "Number" and self.layer(node.base) is not None):  # a square
            return None
        head, parts = split
        for p in parts:
            found = set(letters(p.node))
            places = self.families.get(str(spelled(head)), frozenset[str]())
            counted = self.letter in found or (p.where in places and (kind(p.node) == "Number" or found == {"L"}))
            if (counted and found <= {self.letter, "L"}) or ("paren" in places and bracketed(p.node) is not None):
                return head, tuple(q for q in parts if q is not p), p
        return None

    def at(self, node: Any, env: dict[str, int]) -> Any:
        """A formula with its layers told by number."""
        found = self.layer(node)
        new = self.expanded(node, env) if kind(node) == "Big" else None
        if found is not None:
            head, rest, p = found
            told = bracketed(p.node)
            number = number_at(p.node, env) if told is None else told
            least = 0 if step_part(rest, "t") is not None or any(kind(q.node) == "Number" or spelled(q.node) == "T" for q in rest) else 1
            if number is None or not least <= number <= LAYERS:
                raise Beyond
            new = replace(head, subs=(*(q.node for q in rest), Name(f"{LABEL}{number}")))
        if new is None:
            new = with_children(node, {id(c): inner for c in children(node) if (inner := self.at(c, env)) is not c})
        if new is not node:
            new = replace(new, span=node.span)
            self.original.setdefault(new, node)
        return new

    def expanded(self, node: Any, env: dict[str, int]) -> Any:
        r"""``\prod_{l=2}^L`` written out, from the top."""
        if node.index is None or spelled(node.index) != self.letter:
            return None
        first, last = (number_at(bound, env) if bound is not None else None for bound in (node.lower, node.upper))
        if first is None or last is None or not 0 <= first <= last:
            raise Beyond
        terms = tuple(self.at(node.body, {**env, self.letter: k}) for k in range(int(last), int(first) - 1, -1))
        if len(terms) == 1:
            return terms[0]
        return Sum(terms) if node.kind == "sum" else Product(tuple(Paren(t, "(") if kind(t) == "Sum" else t for t in terms))

    def shown(self, node: Any) -> Any:
        word = str(spelled(node.subs[-1])) if kind(node) == "Name" and node.subs else ""
        if not word.startswith(LABEL):
            return None
        number, own = int(word[len(LABEL) :]), self.env.get(self.letter, -LAYERS)
        letter = Name("L" if own < 0 else self.letter)
        away = number - (LAYERS if own < 0 else own)
        told = letter if not away else Sum((letter, Number("1") if away > 0 else Negative(Number("1")))) if abs(away) == 1 else Number(str(number))
        return Power(replace(node, subs=node.subs[:-1]), Paren(told, "("))

    def called(self, key: str) -> str | None:
        return re.sub(rf"[_,]{LABEL}(\d+)", r"^(\1)", key) if LABEL in key else None

    def ruled(self, links: tuple[Link, ...], ruling: Callable[[Link], Judgement | None]) -> Judgement | None:
        """What is said of a statement about every layer, by what is said of each."""
        said = []
        for link in links:
            self.original, self.env = self.views.get(link.statement.number, ({}, {}))
            said.append(ruling(link))
        found = [j for j in said if j is not None]
        if links[0].statement.number not in self.views or not found:
            return found[0] if found else None
        worst = min(found, key=lambda j: WORST_FIRST.index(j.verdict))
        if worst.verdict == "proved":
            return replace(worst, assumptions=(*worst.assumptions, f"tried with {LAYERS} layers"))
        if worst.verdict == "refuted" and any(kind(self.original.get(n)) == "Big" and kind(n) != "Big" for n in links[-1].statement.nodes):
            return Judgement("undecided", "ambiguous", "the product over the layers may be meant in the other order", assumptions=worst.assumptions)
        return worst


def bracketed(node: Any) -> int | None:
    """The number of a layer that `settle` has read as a label."""
    found = re.fullmatch(r"\((\d+)\)", node.base) if kind(node) == "Name" else None
    return None if found is None else int(found[1])


def layer_by_layer(statements: list[Statement]) -> Stack | None:
    """The document with its layers told by number, None if it has none."""
    layered = {head for s in statements for head in heads(s)}
    letter = next((found for s in statements if (found := stacks(s, layered)) is not None), None)
    if letter is None or (letter in OTHERS and steps_by(statements, letter, layered)):
        return None
    families: dict[str, frozenset[str]] = {}
    for head, p in counted(statements, letter):
        families[head] = families.get(head, frozenset()) | {p.where}
    out = Stack(letter=letter, families=families)
    for s in statements:
        made = instances(out, s) if relation_of(s.node) is not None and any(out.layer(n) is not None for n in s.nodes) else []
        for k, (node, view) in enumerate(made):
            number = len(out.statements)
            out.views[number] = view
            out.statements.append(replace(s, node=node, whole=node if s.whole is s.node else s.whole, instance=k, number=number))
        if not made:
            out.statements.append(replace(s, number=len(out.statements)))
    return out


def heads(s: Statement) -> list[Any]:
    """What an equation of a step and a layer is for."""
    rel = relation_of(s.node)
    left = head_and_parts(rel.sides[0]) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    if left is None or step_part(left[1], "t") is None:
        return []
    return [left[0]] if any(counter(p) in LETTERS or goes_up(s, left[0], counter(p)) for p in left[1]) else []


def counter(p: Part) -> str | None:
    """The letter that an index is."""
    found = set(letters(p.node))
    return next(iter(found)) if len(found) == 1 and number_at(p.node, dict.fromkeys(found, 0)) == 0 else None


def goes_up(s: Statement, head: Any, letter: str | None) -> bool:
    """Whether a state is given by that of the layer below, at the same step, and its own at the step before."""
    if letter not in OTHERS:
        return False
    found = [{number_at(p.node, {letter: 0, "t": 9}) for p in split[1]} for n in walk(s.node.sides[1]) if (split := head_and_parts(n)) and split[0] == head]
    return {-1, 9} in found and {0, 8} in found


def steps_by(statements: list[Statement], letter: str, layered: set[Any]) -> bool:
    """Whether a letter counts the steps of a state somewhere: there it is the only index."""
    found = (parts for s in statements for _, head, parts in names_in(s.node) if head in layered)
    return any([letter in letters(p.node) for p in parts] == [True] for parts in found)


def stacks(s: Statement, layered: set[Any]) -> str | None:
    r"""The letter that counts layers: the l of ``h_t^{(l)} = \dots h_t^{(l-1)}``, of ``a_t^{(l)} = \dots h_t^{(l-1)}`` beside ``h_t^{(l)} = f(a_t^{(l)})``."""
    left = head_and_parts(s.node.sides[0]) if heads(s) else None
    if left is None:
        return None
    for letter in (*LETTERS, *(w for w in OTHERS if goes_up(s, left[0], w))):
        own = [p for p in left[1] if counter(p) == letter]
        below = [number_at(p.node, {letter: 0}) for n in walk(s.node) if (split := head_and_parts(n)) is not None and step_part(split[1], "t") is not None
                 and split[0] in layered for p in split[1] if letter in set(letters(p.node))]  # fmt: skip
        if own and -1 in below:
            return letter
    return None


def counted(statements: list[Statement], letter: str) -> Iterator[tuple[str, Part]]:
    """The names with a layer."""
    for n in (n for s in statements for n in s.nodes if kind(n) in ("Name", "Power", "Index")):
        split = head_and_parts(n)
        yield from ((str(spelled(split[0])), p) for p in split[1] if letter in set(letters(p.node))) if split is not None else ()


def instances(out: Stack, s: Statement) -> list[tuple[Any, tuple[dict[Any, Any], dict[str, int]]]]:
    """A formula for every layer that a statement speaks of, with how it was written."""
    made = []
    top = {"L": LAYERS}
    for env in [top, *({**top, out.letter: k} for k in range(LAYERS, 0, -1))]:
        out.original = {}
        try:
            made.append((out.at(s.node, env), (out.original, env)))
        except Beyond:
            continue
        if env is top:
            break
    return made
