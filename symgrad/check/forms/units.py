r"""Indices whose letter tells the units: Graves' notation, put into the common form by components.

There ``w_{i\iota}``, ``w_{h\iota}`` and ``w_{c\iota}`` are three weights of one family: of the input gate, from the inputs, from the cell
outputs, from the cell states.  The layer has several blocks, and every block several cells; a gate is one number a block.  So ``s_c`` is
``s[β, c]``, ``b_\iota`` is ``b_\iota[β]``, ``\sum_c`` runs over the cells of the block, ``\sum_h`` over those of all blocks, and ``\sum_g``
over all inputs of the hidden layer.  Likewise an RNN, ``a_h^t = \sum_i w_{ih} x_i^t + \sum_{h'} w_{h'h} b_{h'}^{t-1}``, without blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.reading.statements import LOSSES, loss_head, step_part
from symgrad.check.reading.symbols import head_and_parts, is_top, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, with_children
from symgrad.notation.syntax import Apply, Big, Derivative, Index, Name, Number, Product, Sum

LOSS = Name("L")
LOSS_LETTERS = LOSSES | {"O", "Gamma", "C"}
CELL, UNIT = Name("c"), Name("g")
GATES = ("iota", "phi", "omega")
QUANTITIES = frozenset("xabsy")
BLOCKS = {"c": "η", "h": "θ", "g": "ζ"}  # the block of a cell that a letter counts over all blocks


class Unknown(Exception):
    """An index that does not tell which units are meant."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A name with indices that tell units: ``w_{hc}``, ``b_h^{t-1}``."""

    head: str
    indices: tuple[Any, ...]
    step: Any


@dataclass(frozen=True, slots=True)
class Units:
    """What a letter counts: the role of the units, and the letters of their components."""

    role: str  # in, hid, out; a gate; the cells of one block (cell) or of all (all)
    entries: tuple[Any, ...]


def typed(node: Any) -> Typed | None:
    """The letter of a name, its indices below, its step."""
    if kind(node) == "Power" and is_top(node.exponent) and kind(node.base) == "Name" and node.base.subs:  # at the last step
        inner = typed(node.base)
        return None if inner is None else replace(inner, step=node.exponent)
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    if split is None:
        return None
    head, parts = split
    step = step_part(parts, "t") or step_part(parts, "T") or next((p for p in parts if p.where != "sub"), None)
    rest = [p for p in parts if p is not step]
    if any(p.where != "sub" for p in rest) or head.accents or head.primes:
        return None
    indices = tuple(unwrapped(a) for p in rest for a in (p.node.args if kind(p.node) == "Product" else (p.node,)))
    return Typed(head.base, indices, step.node if step is not None else None)


@dataclass
class Notation:
    """What the letters of one cell mean, and how its names are written by components."""

    gates: dict[str, str]  # the letter of a gate → which one; none for an RNN
    mark: str = ""  # tells the names of one cell from those of another
    families: dict[str, str] = field(default_factory=dict)  # letters of gradients → the letter of what they are the gradient by
    labels: dict[tuple[str, str], str] = field(default_factory=dict)  # ``\epsilon_s``: such a letter with a label

    def units(self, letter: Any) -> Units:
        """The units that a letter stands for."""
        if kind(letter) != "Name" or letter.accents:
            raise Unknown
        bare = not letter.subs and not letter.primes
        if letter.base in self.gates and bare:
            return Units(self.gates[letter.base], (Name("β"),))
        if letter == CELL and self.gates:
            return Units("cell", (Name("β"), letter))
        if letter.base in ("c", "h") and self.gates:
            return Units("all", (replace(letter, base=BLOCKS[letter.base]), letter))
        role = {"i": "in", "k": "out", "h": "hid"}.get(letter.base)
        if role is None or (not bare and role != "hid"):
            raise Unknown
        return Units(role, (letter,))

    def quantity(self, head: str, units: Units, step: Any) -> Any:
        """``b_h^{t-1}`` by components."""
        cells, gates = ({"cell", "all"}, set(self.gates.values())) if self.gates else ({"hid"}, set())
        known = {"x": {"in"}, "a": {*cells, *gates, "out"}, "b": {*cells, *gates}, "y": {"out"}, "s": cells if self.gates else set()}
        if units.role not in known.get(head, ()) or step is None:
            raise Unknown
        name = Name(head, (), (Name(f"{place(units.role)}{self.mark}"),))
        return Index(Index(name, (step,), "("), units.entries, "[")

    def weight(self, source: Units, target: Units, outputs: bool) -> Any:
        """``w_{hc}``; from a cell to a gate of its own block it looks at the state, unless that is excluded."""
        if source.role == "cell" and target.role in GATES and not outputs:
            return self.parameter("w", f"state→{target.role}", source.entries)
        if target.role == "in" or source.role in (*GATES, "out") or (source.role, target.role) == ("in", "out"):
            raise Unknown
        return self.parameter("w", f"{place(source.role)}→{place(target.role)}", (*source.entries, *target.entries))

    def bias(self, target: Units) -> Any:
        """``b_h`` without a step."""
        if target.role == "in":
            raise Unknown
        return self.parameter("b", f"bias→{place(target.role)}", target.entries)

    def parameter(self, letter: str, label: str, entries: tuple[Any, ...]) -> Any:
        return Index(Name(letter, (), (Name(label + self.mark),)), (Product(entries) if entries[1:] else entries[0],), "[")


def place(role: str) -> str:
    return "cell" if role == "all" else role


@dataclass(frozen=True)
class Writer:
    """Formulas by components, with what the letters in them are settled to be."""

    notation: Notation
    settled: dict[Any, Units]
    original: dict[Any, Any]  # what was written → as it stands in the document
    outputs: bool = False  # whether weights of a cell are those of its output, though they lead to a gate

    def units(self, letter: Any) -> Units:
        return self.settled.get(letter) or self.notation.units(letter)

    def formula(self, node: Any) -> Any:
        """A formula by components."""
        new = self.written(node)
        if new is not node:
            new = replace(new, span=node.span)
            self.original.setdefault(new, node)
        return new

    def written(self, node: Any) -> Any:
        t = typed(node)
        if t is not None and t.indices:
            return self.name(t)
        if kind(node) == "Big" and node.kind == "sum" and node.index is not None and spelled(node.index) not in ("t", "tau"):
            return self.summed(node)
        if kind(node) == "Derivative" and is_loss(node.of):
            return replace(node, of=LOSS, wrt=self.formula(unwrapped(node.wrt)))
        if kind(node) == "Apply" and kind(node.function) == "Name" and len(node.function.subs) == 1:  # ``\theta_h``
            return replace(node, function=replace(node.function, subs=()), args=tuple(map(self.formula, node.args)))
        if kind(node) == "Product" and len(args := tuple(applied(node.args))) < len(node.args):
            return self.formula(args[0] if len(args) == 1 else replace(node, args=args))
        return with_children(node, {id(c): new for c in children(node) if (new := self.formula(c)) is not c})

    def name(self, t: Typed) -> Any:
        """A quantity, a weight, or the derivative that a letter stands for."""
        n = self.notation
        word = spelled(t.indices[0]) if len(t.indices) == 1 else None
        if (t.head, word) in n.labels:
            return Derivative(LOSS, n.quantity(n.labels[t.head, str(word)], self.units(CELL), t.step), "partial", 1)
        if t.head == "w" and len(t.indices) == 2:
            return n.weight(self.units(t.indices[0]), self.units(t.indices[1]), self.outputs)
        if len(t.indices) != 1 or not (t.head in n.families or t.head in QUANTITIES):
            raise Unknown
        if t.head == "b" and t.step is None:
            return n.bias(self.units(t.indices[0]))
        units = self.units(t.indices[0])
        of = n.families.get(t.head, "a")
        if t.head in n.families and of != "a" and place(units.role) != "cell":
            raise Unknown
        return Derivative(LOSS, n.quantity(of, units, t.step), "partial", 1) if t.head in n.families else n.quantity(t.head, units, t.step)

    def summed(self, node: Any) -> Any:
        r"""``\sum_c`` over the cells of a block, ``\sum_h`` over all, ``\sum_\iota`` over the blocks, ``\sum_g`` over all inputs of the layer."""
        letter, gates = node.index, set(self.notation.gates.values())
        if node.lower is not None and unwrapped(node.lower) != Number("1"):
            raise Unknown  # not over all of them
        if gates and letter == UNIT:
            inputs = [Units("all", (Name(BLOCKS["g"]), letter)), *(Units(g, (Name(BLOCKS["g"]),)) for g in GATES)]
            return Sum(tuple(self.over(letter, u, u.entries, node.body, True) for u in inputs))
        units = self.units(letter)
        if units.role in gates:
            block = (Name(BLOCKS["g"]),)
            return self.over(letter, replace(units, entries=block), block, node.body, True)
        return self.over(letter, units, units.entries[-1:] if units.role == "cell" else units.entries, node.body, self.outputs)

    def over(self, letter: Any, units: Units, counted: tuple[Any, ...], body: Any, outputs: bool) -> Any:
        """A sum over all units of one kind, or over some of their components."""
        made = replace(self, settled={**self.settled, letter: units}, outputs=outputs).formula(body)
        for index in reversed(counted):
            made = Big("sum", index, None, None, made)
        return made


def is_loss(node: Any) -> bool:
    r"""``O``, ``\mathcal{L}(x, z)``: the loss, of no step and of no sequence of its own."""
    split = head_and_parts(unwrapped(node))
    return split[0].base in LOSS_LETTERS and not split[1] if split is not None else loss_head(node) is not None


def applied(args: tuple[Any, ...]) -> Iterator[Any]:
    r"""``h (s_c^t)`` applies h: every quantity of this notation has an index."""
    held = None
    for a, after in zip(args, (*args[1:], None), strict=True):
        if held is not None:
            yield Apply(held, (unwrapped(a),), span=getattr(held, "span", None))
            held = None
        elif kind(a) == "Name" and function(a) and kind(after) == "Paren" and (t := typed(unwrapped(after))) is not None and t.step is not None:
            held = a
        else:
            yield a


def function(name: Any) -> bool:
    r"""Whether a name may be that of a function: ``h``, ``\theta_h``."""
    return not name.subs or (len(name.subs) == 1 and kind(name.subs[0]) == "Name" and name.base not in QUANTITIES)


def component(node: Any) -> tuple[str, str] | None:
    """Of a quantity that is written by components: its letter, and the label of its units."""
    name: Any = node.base.base if kind(node) == "Index" and node.kind == "[" and kind(node.base) == "Index" else None
    return (name.base, str(spelled(name.subs[0]))) if kind(name) == "Name" and name.subs else None
