r"""One-hot vectors in any spelling: ``\text{onehot}(y_t)``, ``\mathbf{1}_{y_t}``, ``e_{y_t}``, ``\mathbf{1}[k = y_t]`` are what is wanted of a softmax.

They are counted as the outputs are: the class that is wanted at step t may be the input of the next one, ``e_{x_{t+1}}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.statements import HOT, Statement, exchanged, loss_head, names_in, throughout
from symgrad.check.reading.symbols import COUNTERS, head_and_parts, labelled, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Big, Name, Negative, Number, Paren, Product, Relation, Sum

CLASSES = frozenset({"y", "y_t", "target", "target_t", "label", "correct", "true", "gold"})  # the class that is wanted, as an index
ANY = Name("k")
COMPONENTS = frozenset(map(Name, COUNTERS))
ONES = frozenset({"1", "I", "mathbb1", "mathbf1"})


def one_hot(statements: list[Statement]) -> list[Statement]:
    """The statements with such vectors by one name, with the step and the component."""
    statements = entries_in_brackets(statements)
    later, own = away(statements), ahead(statements)
    return [exchanged(s, {id(old): replace(counted(name, later), span=old.span) for old, name in named(s, own).values()}) for s in statements]


def one_hot_as_written(statements: list[Statement]) -> dict[Any, Any]:
    """The vectors by that name → how the document writes them."""
    later, own = away(statements), ahead(statements)
    given = inputs(statements)
    written = {new: n for s in statements for n in s.nodes if (new := entry_in_brackets(n, given)) is not None} if in_brackets(statements, given) else {}
    return written | {counted(name, later): old for s in statements for old, name in named(s, own).values()}


def entries_in_brackets(statements: list[Statement]) -> list[Statement]:
    r"""The statements with ``p_{t,y_t}`` for ``p_t(y_t)`` and ``p_t[y_t]``, the entry of the class, where a loss is the logarithm of that."""
    given = inputs(statements)
    return throughout(statements, lambda n: entry_in_brackets(n, given)) if in_brackets(statements, given) else statements


def inputs(statements: list[Statement]) -> set[str]:
    """The letters of what the cell is computed from: where the class is the next input, it is that vector."""
    given = (s for s in statements if not s.derives and kind(s.node) == "Relation" and loss_head(s.node.sides[0]) is None)
    return {n.base for s in given for n in walk(s.node.sides[-1]) if kind(n) == "Name" and step_of(n)}


def in_brackets(statements: list[Statement], given: set[str]) -> bool:
    """Whether a loss is the logarithm of an entry that stands in brackets."""
    logs = (n for s in statements if gives_a_loss(s) for n in s.nodes if kind(n) == "Apply" and n.function in (Name("log"), Name("ln")) and len(n.args) == 1)
    return any(entry_in_brackets(unwrapped(n.args[0]), given) is not None for n in logs)


def entry_in_brackets(node: Any, given: set[str]) -> Any:
    r"""``p_{t,y_t}`` for ``p_t(y_t)``, ``p_{t,w_{t+1}}`` for ``p_t[w_{t+1}]``; None for anything else."""
    if kind(node) != "Product" or len(node.args) != 2 or kind(node.args[0]) != "Name" or kind(node.args[1]) != "Paren":
        return None
    output, label = node.args[0], unwrapped(node.args[1])
    own, wanted = (number_at(step[0], {"t": 0}) if (step := step_of(n)) else None for n in (output, label))
    told = a_class(label) and (step_of(label) == step_of(output) != () or (own == 0 and wanted == 1 and label.base not in given))
    return replace(output, subs=(*output.subs, label), span=node.span) if told else None


def away(statements: list[Statement]) -> int:
    """How many steps after an output the class stands that is wanted of it, as the loss has it, or else most differences: none, or one."""
    votes: Counter[int] = Counter()
    given = Counter(by for *_, by in classes(statements))
    for s in statements:
        found = named(s)
        for n in s.nodes:
            less = unwrapped(n.args[1].arg) if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative" else None
            if id(less) in found and (own := step_of(n.args[0])) and (wanted := getattr(found[id(less)][1], "subs", ())[:1]):
                votes[behind(own, wanted)] += 1
    votes = given or votes
    return int(votes[1] > votes[0])


def classes(statements: list[Statement]) -> Iterator[tuple[str, str, int]]:
    r"""The output and the class in each loss, p and w in ``\log p_{t,w_{t+1}}``, and by how many steps this stands behind that."""
    given = inputs(statements)
    for n in (n for s in statements if gives_a_loss(s) for n in s.nodes):
        if (entry := at_the_class(n)) is not None and (wanted := step_of(entry[2])) and entry[2].base not in given:
            yield entry[0].base, entry[2].base, behind(entry[1], wanted)


def ahead(statements: list[Statement]) -> frozenset[tuple[str, str]]:
    r"""The letters of outputs and of classes behind these: where ``y_{t+1}`` is one, the vector by that letter has its step too."""
    return frozenset((output, label) for output, label, by in classes(statements) if by)


def behind(own: tuple[Any, ...], wanted: tuple[Any, ...]) -> int:
    """By how many steps a class stands behind an output."""
    at, of = number_at(wanted[0], {"t": 0}), number_at(own[0], {"t": 0}) if own else None
    return int(at - of) if at is not None and of is not None and "t" in letters(wanted[0]) else 0


def counted(name: Any, later: int) -> Any:
    """A vector by the step of the output that it is wanted of."""
    if not later or kind(name) != "Name" or not name.subs or "t" not in letters(name.subs[0]):
        return name
    at = number_at(name.subs[0], {"t": -later})
    step: Any = Name("t") if not at else Sum((Name("t"), Number(str(at)) if at > 0 else Negative(Number(str(-at)))))
    return replace(name, subs=(step, *name.subs[1:]))


def gives_a_loss(s: Statement) -> bool:
    return not s.derives and kind(s.node) == "Relation" and loss_head(s.node.sides[0]) is not None


def named(s: Statement, own: frozenset[tuple[str, str]] = frozenset()) -> dict[int, tuple[Any, Any]]:
    """What is a one-hot vector, or a component of one, in a statement: what is subtracted from an output, and what says so itself.

    `own` are letters of outputs, and of what is such a vector beside them.
    """
    out: dict[int, tuple[Any, Any]] = {}
    given = gives_a_loss(s)
    for n in s.nodes:
        k = kind(n)
        if (call := argument(n)) is not None:
            out[id(n)] = n, Name(HOT, (), step_of(call))
        elif k == "Index" and n.kind == "_" and argument(n.base) is not None:  # ``onehot(k)_t``
            out[id(n)] = n, Name(HOT, (), n.parts)
        elif k == "Product" and (pair := next((p for p in pairwise(n.args) if hot_name(p[0]) and kind(p[1]) == "Paren"), None)) is not None:
            one = Name(HOT, (), step_of(pair[1].arg))
            rest = tuple(one if a is pair[0] else a for a in n.args if a is not pair[1])
            out[id(n)] = n, replace(n, args=rest) if len(rest) > 1 else one
        elif k == "Name" and n.base == "1" and len(n.subs) == 1 and "t" in letters(next(iter(getattr(n.subs[0], "subs", ())), Name(""))):
            out[id(n)] = n, Name(HOT, (), n.subs[0].subs)
        elif k == "Product" and (pair := next((p for p in pairwise(n.args) if indicates(*p)), None)) is not None:
            args = tuple(component(unwrapped(pair[1])) if a is pair[0] else a for a in n.args if a is not pair[1])
            out[id(n)] = n, replace(n, args=args) if len(args) > 1 else args[0]
        elif (given and (found := logarithm(n)) is not None) or (k == "Indicator" and (found := component(n.condition)) is not None):
            out[id(n)] = n, found
        elif k == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative":
            less = unwrapped(n.args[1].arg)
            told = kind(less) == kind(n.args[0]) == "Name" and (n.args[0].base, less.base) in own and not less.accents and step_of(less)
            one = Name("1", (), less.parts) if kind(less) == "Index" and less.base == Number("1") and less.kind == "_" else less
            if (label := less if told else class_of(one)) is not None:
                out[id(less)] = less, Name(HOT, (), step_of(label))
            elif (found := kronecker(one)) is not None:
                out[id(less)] = less, found
        elif kind(n) == "Cases" and (found := by_class(n)) is not None:
            out[id(n)] = n, found
    steps = {p.node for _, _, parts in names_in(s.node) for p in parts if "t" in letters(p.node)} if out else set()
    return {key: (old, at_the_step(new, *steps)) for key, (old, new) in out.items()} if len(steps) == 1 else out


def at_the_step(node: Any, step: Any) -> Any:
    r"""Components of the vector at the one step that a line names, where they have none themselves: ``\hat y_{t,i} - \delta_{iy}``."""
    alone = [n for n in walk(node) if kind(n) == "Name" and n.base == HOT and len(n.subs) == 1 and "t" not in letters(n.subs[0])]
    return rebuilt(node, {id(n): replace(n, subs=(step, *n.subs)) for n in alone if n.subs[0] in COMPONENTS})


def kronecker(node: Any) -> Name | None:
    r"""``\delta_{k, y_t}``, ``1_{k, y_t}`` and ``1_{k = y_t}``, component k of the vector; None for anything else."""
    parts = [p.node for p in found[1]] if (found := head_and_parts(node)) is not None and (found[0] == Name("delta") or found[0].base == "1") else []
    parts = [a for p in parts for a in (p.args if kind(p) == "Product" else p.sides if kind(p) == "Relation" and p.signs == ("=",) else (p,))]
    return component(Relation(tuple(parts), ("=",))) if len(parts) == 2 else None


def by_class(node: Any) -> Any:
    """A distinction between the class that is wanted and the others, by the component of the vector; None for any other."""
    if len(node.values) != 2 or len(node.conditions) != 2:
        return None
    pairs = zip(node.conditions, node.values, strict=True)
    (own, here), (other, elsewhere) = sorted(pairs, key=lambda pair: component(unwrapped(pair[0])) is None)
    found, rest = component(unwrapped(own)), unwrapped(other)
    if found is None:
        return None
    opposite = kind(rest) in ("Words", "Blank") or (kind(rest) == "Relation" and rest.signs == ("!=",) and rest.sides == unwrapped(own).sides)
    return Sum((elsewhere, Product((found, Paren(Sum((here, Negative(elsewhere)))))))) if opposite else None


def logarithm(node: Any) -> Any:
    r"""``\log p_{t,y_t}``, the logarithm of the entry of the class, as the sum over all entries that it is; None for anything else."""
    found = at_the_class(node)
    if found is None:
        return None
    head, step, _ = found
    entry = Name(head.base, head.accents, (*step, ANY))
    return Big("sum", ANY, None, None, Product((Name(HOT, (), (*(n for n in step if "t" in letters(n)), ANY)), replace(node, args=(entry,)))))


def at_the_class(node: Any) -> tuple[Any, tuple[Any, ...], Any] | None:
    r"""The p, the t and the class of ``\log p_{t,y_t}``; None for anything else."""
    split = head_and_parts(unwrapped(node.args[0])) if kind(node) == "Apply" and node.function in (Name("log"), Name("ln")) and len(node.args) == 1 else None
    classes = [p for p in split[1] if a_class(p.node)] if split is not None else []
    if split is None or len(classes) != 1:
        return None
    return split[0], tuple(p.node for p in split[1] if p is not classes[0]), classes[0].node


def a_class(node: Any) -> bool:
    r"""Whether an index is the class that is wanted, by its letter, or as it has a step of its own, ``w_t``."""
    return kind(node) == "Name" and (node.base in CLASSES or str(spelled(node)).lower() in CLASSES or (len(node.subs) == 1 and step_of(node) != ()))


def indicates(sign: Any, condition: Any) -> bool:
    r"""``1\{k = y_t\}``, ``1[k = y_t]``, ``I(k = y_t)``."""
    ones = (kind(sign) == "Number" and sign.text == "1") or (kind(sign) == "Name" and sign.base in ONES and not sign.subs)
    return ones and component(unwrapped(condition)) is not None


def hot_name(node: Any) -> bool:
    """Whether a name is that of the function: ``one_hot``, ``OneHot``, ``one-hot``."""
    word = "".join(c for c in (spelled(node) or "").lower() if c.isalpha()) if kind(node) == "Name" and not node.primes else ""
    return word in (HOT, f"{HOT}vector")


def argument(node: Any) -> Any:
    """The class in ``onehot(k_t)``; None for anything else."""
    if kind(node) == "Apply" and len(node.args) == 1 and hot_name(node.function):
        return node.args[0]
    return node.parts[0] if kind(node) == "Index" and node.kind == "(" and len(node.parts) == 1 and hot_name(node.base) else None


def class_of(node: Any) -> Any:
    r"""The class in ``\mathbf{1}_{y_t}``, ``e_{y_t}``, ``\mathbb{1}\{\text{target}\}``; None for anything else."""
    if kind(node) == "Name" and node.base in (*ONES, "e") and len(node.subs) == 1:
        return node.subs[0] if step_of(node.subs[0]) else None
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name" and node.args[0].base in ONES and node.args[0].font:
        inside = unwrapped(node.args[1])
        return inside if head_and_parts(inside) is not None and (step_of(inside) or labelled(inside)) else None
    return None


def component(condition: Any) -> Name | None:
    """Component k of the vector that is 1 where k is the class."""
    sides = [unwrapped(side) for side in condition.sides] if kind(condition) == "Relation" and condition.signs == ("=",) else []
    for k, label in (sides, sides[::-1]) if len(sides) == 2 else ():
        said = bool(step_of(label)) or str(spelled(label)).lower() in CLASSES or (labelled(label) and len(str(spelled(label))) > 2)
        if kind(k) == "Name" and k.base in COUNTERS and not k.subs and said:
            return Name(HOT, (), (*step_of(label), k))
    return None


def step_of(node: Any) -> tuple[Any, ...]:
    """The step of a class, where it has one."""
    split = head_and_parts(unwrapped(node))
    steps = [p.node for p in split[1] if not labelled(p.node) and (set(letters(p.node)) & {"t", "T"} or kind(p.node) == "Number")] if split is not None else []
    return (steps[0],) if len(steps) == 1 else ()
