r"""Gates that are computed together: one product for all of them, which is then cut into equal parts.

``(i; f; o; g) = (\sigma; \sigma; \sigma; \tanh) W [x_t; h_{t-1}]``, ``i_t = \sigma(a_t[0:H])``, ``a_t = W x_t + b = [a^i_t, a^f_t]`` and
``i_t = \sigma((x_t W + b)_i)`` become one equation a gate, over the k-th of m parts of what is computed together; over weights of its own,
``(z; f) = \sigma(W x_t + b)``, where the other lines name them ``W_z``, ``b_f``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import DEFINING, Statement, relation_of, throughout
from symgrad.check.reading.symbols import head_and_parts, key_of, spelled
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Apply, Blank, Index, Name, Number, Product, Relation, Stack, Sum

SPLITTING = frozenset({"split", "Split", "chunk", "Chunk"})
FEWEST = 3  # gates that one product is cut into, where only labels tell the parts


def unpacked(statements: list[Statement]) -> list[Statement]:
    """The statements with one equation for every gate; `Statement.unpacked` marks those that no line of the document is."""
    out: list[Statement] = []
    for s in sliced(labelled(statements)):
        parts = one_by_one(s, statements) or row_by_row(s, statements) or by_blocks(s) or named_parts(s, statements)
        out += [s] if parts is None else parts
    return [s if s.number == k else replace(s, number=k) for k, s in enumerate(out)]


def part(whole: Any, k: int, of: int) -> Index:
    return Index(whole, (Number(str(k)), Number(str(of))), "part", span=getattr(whole, "span", None))


def listed(node: Any) -> tuple[Any, ...]:
    node = unwrapped(node)
    return node.args if kind(node) in ("Stack", "Tuple") else ()


def one_by_one(s: Statement, statements: list[Statement]) -> list[Statement] | None:
    r"""``(i; f; o; g) = (\sigma; \sigma; \sigma; \tanh) W [x; h]``: a list of functions before a product, or one function for all."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in DEFINING or s.derives:
        return None
    gates, right = listed(rel.sides[0]), unwrapped(rel.sides[1])
    if len(gates) < 2 or any(head_and_parts(unwrapped(g)) is None for g in gates):
        return None
    found = applied(right, len(gates))
    if found is None:
        return None
    functions, argument = found
    arguments = with_labels(argument, gates, s, statements) or [part(argument, k, len(gates)) for k in range(len(gates))]
    return instead(s, [(g, Apply(f, (a,)) if f is not None else a) for g, f, a in zip(gates, functions, arguments, strict=True)])


def row_by_row(s: Statement, statements: list[Statement]) -> list[Statement] | None:
    r"""``[a; i] = [\tanh(W_a x + U_a h); \ldots] = [\tanh(\hat a); \sigma(\hat i)]``: an equation for every row, and for its preactivation."""
    rel = relation_of(s.node)
    piles = [listed(side) for side in rel.sides] if rel is not None and not s.derives and all(g in DEFINING for g in rel.signs) else []
    if len(piles) == 3 and not any(piles):
        return row_of_a_part(s, rel.sides, statements)
    if not piles or len(piles[0]) < 2 or len({len(p) for p in piles}) > 1 or any(head_and_parts(unwrapped(g)) is None for g in piles[0]):
        return None
    cut = {name_of(n) for t in statements if (found := blocks(t)) is not None for n in found[0]}
    equations = []
    for gate, first, *rest in zip(*piles, strict=True):
        long: Any = unwrapped(first)
        short: Any = unwrapped(rest[0]) if rest else None
        inner = unwrapped(short.args[0]) if kind(short) == kind(long) == "Apply" and short.function == long.function else None
        named = inner is not None and head_and_parts(inner) is not None
        equations.append((gate, short if named else first))
        if named and name_of(inner) not in cut:
            equations.append((inner, long.args[0]))
    return instead(s, equations)


def row_of_a_part(s: Statement, sides: tuple[Any, ...], statements: list[Statement]) -> list[Statement] | None:
    r"""``i = \sigma(W_i x + U_i h) = \sigma(\hat i)`` where another line makes \hat i a part of the product for all gates: the gate is the function of that."""
    gate, long, short = map(unwrapped, sides)
    alike = kind(short) == kind(long) == "Apply" and short.function == long.function and len(short.args) == 1
    inner = unwrapped(short.args[0]) if alike else None
    if inner is None or head_and_parts(gate) is None or head_and_parts(inner) is None:
        return None
    wholes = [found for t in statements if (found := blocks(t)) is not None and found[3] is not None]
    return instead(s, [(gate, short)]) if any(name_of(n) == name_of(inner) for found in wholes for n in found[0]) else None


def by_blocks(s: Statement) -> list[Statement] | None:
    r"""``z = [\hat a; \hat i] = [W_a, U_a; W_i, U_i] [x; h]`` row by row; where it goes on ``= W I``, by that product and its parts."""
    found = blocks(s)
    if found is None:
        return None
    names, matrix, stack, whole = found
    if whole is None:
        return instead(s, [(n, Sum(tuple(map(product, listed(row), stack)))) for n, row in zip(names, matrix, strict=True)])
    first = unwrapped(s.node.sides[0])
    joint = whole if listed(first) else first
    told = [] if joint is whole else [(joint, whole)]
    return instead(s, [(whole.args[1], Stack(stack)), *told, *((n, part(joint, k, len(names))) for k, n in enumerate(names))])


def product(a: Any, b: Any) -> Product:
    return Product((a, b))


def blocks(s: Statement) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], Any] | None:
    """The names, the rows of the matrix, what it is applied to, and that product by two names, if there is one."""
    rel = relation_of(s.node)
    if rel is None or s.derives or any(g not in DEFINING for g in rel.signs):
        return None
    names = next((found for side in rel.sides[:2] if len(found := listed(side)) > 1 and all(head_and_parts(unwrapped(n)) is not None for n in found)), ())
    pairs = [node for side in rel.sides[1:] if kind(node := unwrapped(side)) in ("Product", "Infix") and len(node.args) == 2]
    for pair in pairs:
        rows, stack = listed(pair.args[0]), listed(pair.args[1])
        if names and len(rows) == len(names) and stack and all(len(listed(row)) == len(stack) for row in rows):
            whole = next((p for p in pairs if all(head_and_parts(unwrapped(a)) is not None for a in p.args)), None)
            return names, rows, stack, whole
    return None


def with_labels(argument: Any, gates: tuple[Any, ...], s: Statement, statements: list[Statement]) -> list[Any]:
    """``W_z x_t + b_z`` for the z of ``(z; f) = \\sigma(W x_t + b)``, where the other lines name some weight so and none as it stands here."""
    labels = [head_and_parts(unwrapped(g))[0].base for g in gates]  # type: ignore[index]
    within = {id(part) for n in walk(argument) if kind(n) == "Name" for sub in n.subs for part in walk(sub)}
    weights = [n for n in walk(argument) if kind(n) == "Name" and not (n.subs or n.primes or id(n) in within or named_function(n, argument))]
    elsewhere = {spelled(n) for t in statements if t is not s for n in t.nodes if kind(n) == "Name"}
    if not any(f"{n.base}_{label}" in elsewhere for n in weights for label in labels) or any(spelled(n) in elsewhere for n in weights):
        return []
    return [rebuilt(argument, {id(n): replace(n, subs=(Name(label),)) for n in weights}) for label in labels]


def named_function(node: Any, formula: Any) -> bool:
    return any(kind(n) == "Apply" and n.function is node for n in walk(formula))


def applied(right: Any, count: int) -> tuple[tuple[Any, ...], Any] | None:
    """The functions and what they are applied to; where a word says that it is split, ``\\operatorname{split}(\\sigma(a_t), 3)``, that may be a name."""
    if kind(right) == "Apply" and right.function == Name(getattr(right.function, "base", "")) and right.function.base in SPLITTING:
        inner = unwrapped(right.args[0])
        return None if len(right.args) > 2 or listed(inner) else applied(inner, count) or ((None,) * count, inner)
    if kind(right) in FACTORS and are_functions(functions := listed(right.args[0]), count):
        rest = right.args[1:]
        return tuple(map(unwrapped, functions)), rest[0] if len(rest) == 1 else Product(tuple(rest))
    if kind(right) == "Index" and are_functions(functions := listed(right.base), count) and len(right.parts) == 1:
        return tuple(map(unwrapped, functions)), right.parts[0]
    if kind(right) in ("Sum", "Product", "Infix") and not any(listed(a) and len(listed(a)) == count for a in walk(right)):
        return (None,) * count, right
    entrywise = kind(right) == "Apply" and len(right.args) == 1 and activation(right.function) and BUILTIN[right.function.base] != "softmax"
    if entrywise and not listed(right.args[0]):
        return (right.function,) * count, unwrapped(right.args[0])
    return None


def are_functions(nodes: tuple[Any, ...], count: int) -> bool:
    return len(nodes) == count and any(map(activation, nodes)) and all(map(named, nodes))


def activation(node: Any) -> bool:
    node = unwrapped(node)
    return kind(node) == "Name" and node.base in BUILTIN and not node.subs


def named(node: Any) -> bool:
    r"""Whether a node may name a function: ``g`` beside ``\sigma``."""
    node = unwrapped(node)
    return kind(node) == "Name" and not any(kind(s) == "Sum" for s in node.subs)


def named_parts(s: Statement, statements: list[Statement]) -> list[Statement] | None:
    """``a_t = W x_t + b = [a^i_t, a^f_t]``: names for the parts, which no other line defines."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) < 2 or s.derives or any(g not in DEFINING for g in rel.signs):
        return None
    names = listed(rel.sides[-1])
    if len(names) < 2 or head_and_parts(unwrapped(rel.sides[0])) is None or any(head_and_parts(unwrapped(n)) is None for n in names):
        return None
    keys = {name_of(n) for n in names}
    others = {name_of(t.node.sides[0]) for t in statements if t is not s and relation_of(t.node) is not None}
    if keys & others or len(keys) < len(names) or (len(rel.sides) == 2 and not is_used(keys, s, statements)):
        return None
    whole = rel.sides[0]
    first = [] if len(rel.sides) == 2 else [(whole, rel.sides[1])]
    return instead(s, [*first, *((n, part(whole, k, len(names))) for k, n in enumerate(names))])


def is_used(keys: set[str | None], s: Statement, statements: list[Statement]) -> bool:
    """Whether an activation is applied to all of these names, and the whole is computed from something else."""
    whole = name_of(s.node.sides[0])
    computed = any(t is not s and relation_of(t.node) is not None and name_of(t.node.sides[0]) == whole for t in statements)
    taken = {name_of(a) for t in statements for n in t.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and activation(n.function) for a in n.args}
    return computed and keys <= taken


def name_of(node: Any) -> str | None:
    """A name with all its indices, as a string."""
    split = head_and_parts(unwrapped(node))
    return None if split is None else key_of(split[0], list(split[1])) or latex(unwrapped(node))


def instead(s: Statement, equations: list[tuple[Any, Any]]) -> list[Statement]:
    nodes = [Relation((left, right), ("=",), span=s.node.span) for left, right in equations]
    return [replace(s, node=Blank(), whole=Blank()), *(Statement(s.fragment, n, n, (), s.number, unpacked=True) for n in nodes)]


def labelled(statements: list[Statement]) -> list[Statement]:
    r"""``(x_t W + b)_i`` with the label of the gate that it is for, instead of an index."""
    labels: dict[str, None] = {}
    for s in statements:
        rel = relation_of(s.node)
        left = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
        found = {spelled(n.parts[0]) for n in s.nodes if labels_a_formula(n)}
        if left is not None and len(found) == 1 and found <= {spelled(left[0])}:
            labels |= dict.fromkeys(str(w) for w in found)
    if len(labels) < FEWEST:
        return statements
    order = {label: k for k, label in enumerate(labels)}

    def exchange(n: Any) -> Any:
        k = order.get(str(spelled(n.parts[0]))) if labels_a_formula(n) else None
        return None if k is None else part(n.base, k, len(order))

    return throughout(statements, exchange)


def labels_a_formula(node: Any) -> bool:
    return kind(node) == "Index" and node.kind == "_" and len(node.parts) == 1 and head_and_parts(node) is None and spelled(node.parts[0]) is not None


def sliced(statements: list[Statement]) -> list[Statement]:
    """``a_t[H:2H]``: the slices of one name, in the order of their bounds."""
    slices: dict[str, dict[str, Any]] = {}
    for n in cut(statements):
        slices.setdefault(latex(n.base), {}).setdefault(latex(n.parts[0]), n)
    order: dict[str, dict[str, int]] = {}
    for base, found in slices.items():
        rank = {text: begins(n.parts[0]) for text, n in found.items()}
        if len(found) >= FEWEST and None not in rank.values():
            order[base] = {text: k for k, text in enumerate(sorted(found, key=lambda text: rank[text] or 0))}

    def exchange(n: Any) -> Any:
        place = order.get(latex(n.base), {}) if is_cut(n) else {}
        return part(n.base, place[latex(n.parts[0])], len(place)) if is_cut(n) and latex(n.parts[0]) in place else None

    return throughout(statements, exchange) if order else statements


def cut(statements: list[Statement]) -> Iterator[Any]:
    """The slices in arguments of activations."""
    for s in statements:
        if relation_of(s.node) is not None and not s.derives:
            yield from (a for n in s.nodes if kind(n) == "Apply" for a in map(unwrapped, n.args) if is_cut(a))


def is_cut(node: Any) -> bool:
    one = kind(node) == "Index" and node.kind == "[" and len(node.parts) == 1
    return one and kind(node.parts[0]) == "Slice" and head_and_parts(unwrapped(node.base)) is not None


def begins(bounds: Any) -> int | None:
    """How many sizes lie before a slice: 2 in ``2H:3H``."""
    node: Any = unwrapped(bounds.lower) if bounds.lower is not None else Number("0")
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Number":
        return int(node.args[0].text) if node.args[0].text.isdigit() else None
    if kind(node) == "Number":
        return int(node.text) if node.text.isdigit() else None
    return 1 if kind(node) == "Name" else None

