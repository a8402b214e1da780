r"""The layer below: ``net_t^l = U a_t^{l-1} + W s_{t-1}`` on a page whose cell is ``net_t = U x_t + W s_{t-1}``.

Layer l is the cell.  What the layer below gives, ``a_t^{l-1} = f^{l-1}(net_t^{l-1})``, is its input x_t, by an activation and from a
preactivation of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.forms.stacked import LETTERS
from symgrad.check.reading.statements import DEFINING, Statement, letter_of, names_in, relation_of, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, letters, number_at, spelled
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped, walk, with_children
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Apply, Name

BELOW = "below"


@dataclass
class Layers:
    """The letter for layers, what the layer below gives and what that is in the cell, the activation there; what was written for what."""

    letter: str
    given: Name
    taken: Name
    function: Name
    original: dict[Any, Any] = field(default_factory=dict)

    def rewritten(self, node: Any) -> Any:
        """A formula of layer l as one of the cell."""
        new: Any
        found = layered(node, self.letter)
        if found is not None:
            head, rest, above = found
            head = head if above else self.taken if head == self.given else replace(head, base=head.base + BELOW)
            new = replace(head, subs=tuple(p.node for p in rest))
        elif kind(node) == "Product" and (called := self.called(node.args)) is not None:
            new = called
        elif kind(node) == "Apply" and len(node.args) == 1 and (found := layered(node.function, self.letter)) is not None and not found[2]:
            new = Apply(replace(self.function, primes=found[0].primes), (self.rewritten(node.args[0]),))
        else:
            new = with_children(node, {id(c): inner for c in children(node) if (inner := self.rewritten(c)) is not c})
        if new is node:
            return node
        new = replace(new, span=node.span)
        self.original.setdefault(new, node)
        return new

    def called(self, factors: tuple[Any, ...]) -> Any:
        r"""``f^{l-1}(net_t^{l-1})``: the activation of the layer below, or its slope."""
        split = head_and_parts(factors[0]) if len(factors) == 2 and kind(factors[1]) == "Paren" else None
        if split is None or [number_at(p.node, {self.letter: 0}) for p in split[1]] != [-1]:
            return None
        return Apply(replace(self.function, primes=split[0].primes), (self.rewritten(factors[1].arg),))


def layer_below(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any], dict[str, str]]:
    """The statements with layer l as the cell, what stood there, and how the quantities of the layer below are written."""
    found = next(layers_of(statements), None)
    if found is None:
        return statements, {}, {}
    out = [replace(s, node=found.rewritten(s.node), whole=found.rewritten(s.whole)) for s in statements]
    return out, found.original, {new.base: latex(old) for new, old in found.original.items() if kind(new) == "Name" and new.base.endswith(BELOW)}


def layers_of(statements: list[Statement]) -> Iterator[Layers]:
    """The layers, if an equation of layer l is one of the cell with something of the layer below as its input, or gives this input."""
    step = letter_of(statements)
    equations = [s for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    used = {spelled(n.function) for s in statements for n in s.nodes if kind(n) == "Apply"}
    function = next((Name(f) for f in ("phi", "g", "varphi") if f not in used), Name("psi"))
    for letter in (w for w in LETTERS if w != step):
        if any(kind(n) == "Big" and n.index is not None and spelled(n.index) == letter for s in statements for n in s.nodes):
            continue
        for s in equations:
            own = layered(s.node.sides[0], letter)
            there = [found for n in walk(s.node.sides[1]) if (found := layered(n, letter)) is not None and step_part(found[1], step) is not None]
            below = {head for head, _, above in there if not above}
            if own is None or not own[2] or len(below) != 1 or own[0] in below:
                continue
            (given,) = below
            if gives_an_input(s, own[0], equations, step):
                yield Layers(letter, replace(given, base=""), own[0], function)
            for other in equations:
                split = head_and_parts(unwrapped(other.node.sides[0]))
                if split is None or plain(split[0]) != own[0] or layered(other.node.sides[0], letter) is not None:
                    continue
                for taken in {head for _, head, parts in names_in(other.node.sides[1]) if step_part(parts, step) is not None}:
                    if plain(Layers(letter, given, taken, function).rewritten(s.node.sides[1])) == plain(other.node.sides[1]):
                        yield Layers(letter, given, taken, function)


def gives_an_input(s: Statement, head: Name, equations: list[Statement], step: str) -> bool:
    r"""Whether ``x_t^l = f^{l-1}(net_t^{l-1})`` is of what the cell takes in: named by others at this step, and computed by none."""
    computed = {plain(split[0]) for t in equations if t is not s and (split := head_and_parts(unwrapped(t.node.sides[0]))) is not None}
    taken = {plain(found) for t in equations if t is not s for _, found, parts in names_in(t.node.sides[1]) if step_part(parts, step) is not None}
    return head in taken - computed and kind(unwrapped(s.node.sides[1])) in ("Product", "Apply")


def plain(node: Any) -> Any:
    """A formula without the fonts of its letters: a vector is bold in one line, upright in another."""
    return rebuilt(node, {id(n): replace(n, font="") for n in walk(node) if kind(n) == "Name" and n.font})


def layered(node: Any, letter: str) -> tuple[Name, tuple[Part, ...], bool] | None:
    """The letter of a name that has a layer, its other indices, and whether the layer is l, not the one below."""
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    found = [p for p in split[1] if set(letters(p.node)) == {letter}] if split is not None else []
    at = number_at(found[0].node, {letter: 0}) if len(found) == 1 else None
    if split is None or at not in (0, -1) or any(p.where == "sup" and kind(p.node) == "Number" for p in split[1]):
        return None
    return plain(split[0]), tuple(p for p in split[1] if p is not found[0]), at == 0
