r"""Documents in Graves' notation, put into the common form: which equations and symbols are theirs, and what they leave out.

Every statement whose letters tell which units are meant is written by components (`units`); the others stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from symgrad.check.forms.common import Common
from symgrad.check.forms.units import CELL, GATES, QUANTITIES, Notation, Units, Unknown, Writer, component, is_loss, typed
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import DEFINING, Statement, relation_of
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Blank, Name, Power

ENOUGH = 6  # different names of a block that a document must use which does not define it
NODES = re.compile(r"\b(input|hidden|output)\s+(?:node|unit|neuron|layer)s?\b", re.IGNORECASE)
LETTERS = {"in": "i", "hid": "h", "cell": "c", "state": "c", "out": "k", "bias": ""}  # of units
PEEPHOLES = {"iota": "t-1", "phi": "t-1", "omega": "t"}  # the step at which a gate looks at the states


@dataclass
class Graves(Common):
    """The statements of a document by components."""

    letters: dict[str, str] = field(default_factory=dict)  # a gate → its letter

    def called(self, key: str) -> str | None:
        head, _, label = key.partition("_")
        letters = {**LETTERS, **self.letters}
        *source, target = label.rstrip("*").split("→")
        units = "".join(letters.get(role, role) for role in (*({"cell": "hid"}.get(r, r) for r in source), target))
        return f"{head}_{units}" if target in letters else None

    def ruled(self, links: tuple[Link, ...], rule: Callable[[Link], Judgement | None]) -> Judgement | None:
        """What is said of a link whose letters may count several units: what is said of all, else nothing."""
        said = [rule(link) for link in links]
        if len({j.verdict for j in said if j is not None}) < 2:
            return said[0]
        return Judgement("undecided", "ambiguous", "whether this holds depends on which units are meant")

    def shown(self, node: Any) -> Any:
        found = component(node)
        if found is None:
            return None
        role = found[1].rstrip("*")
        return Power(Name(found[0], (), (Name(self.letters[role]) if role in GATES else node.parts[-1],)), node.base.parts[0])


def by_components(statements: list[Statement]) -> Graves | None:
    """The document in the common form, None if it is not in this notation."""
    gates = gates_of(statements)
    network = next((s for s in statements if is_network(s)), None)
    if not gates and network is None:
        return None
    cells = (s.number for s in statements if gates and any(named(n, "abs", {*gates, "c"}) for n in s.nodes))
    block = next(cells, len(statements)) if network is not None else 0
    out = Graves(whole=True, letters={role: letter for letter, role in reversed(gates.items())})
    try:
        if network is not None:
            convert(out, statements[:block], Notation({}, "*"), network.number)
        if gates:
            convert(out, statements[block:], Notation(gates), block)
    except Unknown:  # an equation of the cell in another notation
        return None
    out.statements = [s if s.number == k else replace(s, number=k) for k, s in enumerate(out.statements)]
    return out


def named(node: Any, heads: str, letters: Iterable[str]) -> bool:
    t = typed(node)
    return t is not None and t.head in heads and len(t.indices) == 1 and t.step is not None and (spelled(t.indices[0]) or "") in letters


def is_network(s: Statement) -> bool:
    r"""``a_h^t = \sum_i w_{ih} x_i^t + \sum_{h'} w_{h'h} b_{h'}^{t-1}``."""
    rel = relation_of(s.node)
    if rel is None or s.derives or not named(rel.sides[0], "a", "h"):
        return False
    names = [t for n in s.nodes if (t := typed(n)) is not None]
    return {("w", 2, False), ("x", 1, True), ("b", 1, True)} <= {(t.head, len(t.indices), t.step is not None) for t in names}


def gates_of(statements: list[Statement]) -> dict[str, str]:
    r"""The letters of the gates, by ``s_c^t = b_\phi^t s_c^{t-1} + b_\iota^t g(a_c^t)`` and ``b_c^t = b_\omega^t h(s_c^t)``.

    Where a document has no such equation they are Graves' own, if enough names have them.
    """
    found: dict[str, str] = {}
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or s.derives or not named(rel.sides[0], "sb", "c"):
            continue
        for term in rel.sides[1].args if kind(rel.sides[1]) == "Sum" else (rel.sides[1],):
            names = [t for n in walk(term) if (t := typed(n)) is not None and len(t.indices) == 1]
            gate = next((str(spelled(t.indices[0])) for t in names if t.head == "b"), None)
            other = next((t.head for t in names if t.head in "as" and t.indices == (CELL,)), None)
            if gate is not None and other is not None and kind(term) == "Product":
                found.setdefault(gate, "iota" if other == "a" else "phi" if named(rel.sides[0], "s", "c") else "omega")
    if not {"iota", "phi"} <= set(found.values()):
        used = {t for s in statements for n in s.nodes if (t := typed(n)) is not None and t.step is not None and len(t.indices) == 1}
        names_ = {(t.head, word) for t in used if (word := spelled(t.indices[0])) in GATES}
        return dict(zip(GATES, GATES, strict=True)) if len(names_) >= ENOUGH and any(t.head == "s" and t.indices == (CELL,) for t in used) else {}
    found |= {gate: gate for gate in GATES if gate not in found.values()}
    return {"w": "omega", **found} if found.get("omega") == "omega" else found  # a letter that looks like it


def convert(out: Graves, statements: list[Statement], notation: Notation, first: int) -> None:
    """The statements by components, before them the equations that they leave out."""
    rest = introductions(out, statements, notation)
    writer = Writer(notation, {}, out.original)
    made = [m for s in rest for m in by_units(s, writer)]
    given = {key: s for s in made if (key := defined(s)) is not None}
    missing = {key: latex_ for key, latex_ in equations(notation, given).items() if key not in given}
    if not any(found[1] == f"out{notation.mark}" for s in made for n in s.nodes if (found := component(n)) is not None):
        missing.pop(("a", "out"), None)
    at = next((k for k, s in enumerate(made) if s.number >= first), 0)
    nodes = [writer.formula(node) for latex_ in missing.values() for node in parse_dialect(latex_)]
    said = [Statement(made[at].fragment, node, node, (), made[at].number, unpacked=True) for node in nodes]
    out.statements += [*made[:at], *said, *made[at:]]
    if ("a", "out") in missing:
        out.filled[f"a_out{notation.mark}"] = "a_k, which the document does not define, is the weighted sum of the cell outputs"
    if notation.gates:
        out.certain = any(("a", g) in given for g in GATES)
        names = [str(out.called("_".join(key))) for key in missing if key != ("a", "out")]
        out.assumed += [f"the document does not define {', '.join(names)}: the equations are those of Graves' LSTM"] if names else []


def defined(s: Statement) -> tuple[str, str] | None:
    """What an equation by components gives a value to: ``a`` of the input gate."""
    rel = relation_of(s.node)
    found = component(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return None if found is None else (found[0], found[1].rstrip("*"))


def equations(notation: Notation, given: dict[tuple[str, str], Statement]) -> dict[tuple[str, str], str]:
    """What the cell computes, where the document does not say it."""
    found = {("a", "out"): r"a_k^t = \sum_h w_{hk} b_h^t"}
    if not notation.gates:
        return found
    letter = {role: f"\\{g}" if len(g) > 1 else g for g, role in reversed(notation.gates.items())}
    gates = [given["a", g] for g in GATES if ("a", g) in given]
    looked = not gates or any("state→" in str(spelled(n)) for s in gates for n in s.nodes if kind(n) == "Name")
    function = next((latex(s.node.sides[1].function) for g in GATES if (s := given.get(("b", g))) is not None and kind(s.node.sides[1]) == "Apply"), "f")
    for role, step in PEEPHOLES.items():
        g = letter[role]
        peephole = rf" + \sum_c w_{{c{g}}} s_c^{{{step}}}" if looked else ""
        found["a", role] = rf"a_{{{g}}}^t = \sum_i w_{{i{g}}} x_i^t + \sum_h w_{{h{g}}} b_h^{{t-1}}{peephole}"
        found["b", role] = rf"b_{{{g}}}^t = {function}(a_{{{g}}}^t)"
    found["a", "cell"] = r"a_c^t = \sum_i w_{ic} x_i^t + \sum_h w_{hc} b_h^{t-1}"
    found["s", "cell"] = rf"s_c^t = b_{{{letter['phi']}}}^t s_c^{{t-1}} + b_{{{letter['iota']}}}^t g(a_c^t)"
    found["b", "cell"] = rf"b_c^t = b_{{{letter['omega']}}}^t h(s_c^t)"
    return found


def introductions(out: Graves, statements: list[Statement], notation: Notation) -> list[Statement]:
    r"""The statements without those that say what ``\delta_j^t`` and ``\epsilon_s^t`` stand for."""
    rest = []
    for s in statements:
        rel = relation_of(s.node)
        left = typed(rel.sides[0]) if rel is not None and rel.signs[0] in (*DEFINING, "in") else None
        right: Any = unwrapped(rel.sides[1]) if left is not None else None
        by = typed(unwrapped(right.wrt)) if kind(right) == "Derivative" and is_loss(right.of) else None
        if left is None or by is None or by.head not in "abs" or len(left.indices) != 1 or len(by.indices) != 1 or left.head in QUANTITIES:
            rest.append(s)
            continue
        word = str(spelled(left.indices[0]))
        if left.indices == by.indices:
            fits = notation.families.setdefault(left.head, by.head) == by.head
        else:
            fits = by.indices == (CELL,) and notation.labels.setdefault((left.head, word), by.head) == by.head
        if fits and len(rel.sides) > 2:
            rest.append(replace(s, node=replace(rel, sides=rel.sides[1:], signs=rel.signs[1:])))
        else:
            rest.append(replace(s, node=Blank(), whole=Blank()) if fits else s)
    if "delta" not in notation.families:
        notation.families["delta"] = "a"
        if any(t.head == "delta" for s in rest for n in s.nodes if (t := typed(n)) is not None):
            out.assumed.append("δ is read as the gradient by a, as in Graves' notation")
    return rest


def by_units(s: Statement, writer: Writer) -> list[Statement]:
    """A statement by components, one for all units that its letters may count; itself where they do not tell which they mean."""
    names = [t for n in s.nodes if (t := typed(n)) is not None and t.head in {*QUANTITIES, *writer.notation.families, "w"}]
    names.sort(key=lambda t: t.head != "w")  # the text speaks of a weight's ends in their order
    free = list(dict.fromkeys(a.base for t in names for a in t.indices if kind(a) == "Name" and a == Name(a.base) and a.base not in ("h", "k")))
    ways: list[dict[Any, Units]] = [{}]
    if not writer.notation.gates:
        ways += [{Name(w): Units(r, (Name(w),)) for w, r in zip(free, roles, strict=True)} for roles in assignments(s, len(free))]
    found: list[Any] = []
    for settled in ways:
        try:
            found.append(replace(writer, settled=settled).formula(s.node))
        except Unknown:
            continue
        if not settled:
            break
    found = [node for node in found if node is not s.node and not mixed(node)]
    if not found and of_the_cell(s, writer.notation):
        raise Unknown
    return [replace(s, node=node, whole=node if s.whole is s.node else s.whole, instance=k) for k, node in enumerate(found)] or [s]


def assignments(s: Statement, count: int) -> Iterator[tuple[str, ...]]:
    """The units that free letters may count; those that the text names before a formula, ``from a hidden node to an output node``."""
    said = [w.lower() for w in NODES.findall(clause(s.fragment.before.rstrip()))] if s.fragment is not None else []
    role = {"input": "in", "hidden": "hid", "output": "out"}
    if len(said) == count == 2:
        yield tuple(role[w] for w in said)
    elif count <= 2:
        yield from product(("in", "hid", "out"), repeat=count)


def of_the_cell(s: Statement, notation: Notation) -> bool:
    """Whether a statement says how a quantity of the cell is computed."""
    rel = relation_of(s.node)
    letters = {"c", *notation.gates} if notation.gates else {"h", "k"}
    return rel is not None and rel.signs[0] in DEFINING and not s.derives and named(unwrapped(rel.sides[0]), "abs", letters)


def mixed(node: Any) -> bool:
    r"""Whether a gradient by a cell's output names the weights ``w_{c\iota}`` of its state, which may be those of its output."""
    left = node.sides[0] if kind(node) == "Relation" else None
    found = component(left.wrt) if kind(left) == "Derivative" and left is not None else None
    return found is not None and found[0] == "b" and any(kind(n) == "Name" and n.base.startswith("state→") for n in walk(node))
