r"""Statements of a document, and what their form tells: what may define, what speaks of derivatives, what counts steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.symbols import Part, _step_like, head_and_parts, letters, spelled
from symgrad.check.reading.trees import by_identity, children, kind, rebuilt, unwrapped, walk
from symgrad.notation.syntax import Negative, Number

DEFINING = frozenset({"=", ":=", "==", "triangleq", "equiv", "<-", "→="})
HOT = "onehot"  # the wanted class as a vector
LOSSES = frozenset({"L", "E", "J", "ell", "l", "loss", "Loss", "cost", "Cost", "error", "Error", "LOSS", "cal"})
GRADS = frozenset({"grad", "gradient"})  # words before a name, ``grad_h``
ADJOINT_HEADS = frozenset({"delta", "Delta", "nabla", "vartheta"}) | GRADS
MARKS = frozenset({"d", "delta", "Delta", "partial", "varDelta"})  # letters before or around a quantity that make its adjoint
DERIVED = frozenset({"Derivative", "Differential", "Operator", "Variable"})
THROUGH = frozenset({"via", "through", "from"})  # before what a part of a gradient comes through
LETTERS = ("t", "k", "i", "n", "j", "tau", "s", "l", "T")


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation of the document, with the fragment it stands in."""

    fragment: Any
    node: Any  # a Relation, or another node
    whole: Any  # with its conditions
    conditions: tuple[Any, ...] = ()
    number: int = 0
    broken: Any = None  # the Unread that the node is a repair of
    last: Any = None  # the step, T or a number, of an output that there is at no other
    instance: int = 0  # of a statement that stands for several, as one about every layer: how many of these come before this one
    unpacked: bool = False  # whether it is one equation of several that the document writes together
    goes_on: bool = False  # whether its first side is the last one of the relation before it
    lost: tuple[Any, ...] = ()  # the places at which the mark of an index is put back
    nodes: tuple[Any, ...] = field(init=False, compare=False, repr=False)  # the node and all that is in it
    derives: bool = field(init=False, compare=False, repr=False)  # whether it speaks of a derivative

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(walk(self.node)))
        object.__setattr__(self, "derives", any(map(_derives, self.nodes)))


def exchanged(s: Statement, new: dict[int, Any]) -> Statement:
    """A statement with other nodes in the place of those with these identities."""
    return replace(s, node=rebuilt(s.node, new), whole=rebuilt(s.whole, new)) if new else s


def throughout(statements: list[Statement], new: Callable[[Any], Any]) -> list[Statement]:
    """The statements with what `new` makes of a node in its place; a node of which it makes None stays."""
    return [exchanged(s, {id(n): made for n in s.nodes if (made := new(n)) is not None}) for s in statements]


def without_index(node: Any, letter: str | None) -> Any:
    r"""A formula whose names have no such index: ``1 - h_t^2`` for ``1 - h_{t,i}^2``, ``h`` for ``h[i]``."""
    new: dict[int, Any] = {}
    for n in walk(node):
        if kind(n) == "Name":
            subs = tuple(left for sub in n.subs if (left := _kept(sub, letter)) is not None)
            new |= {id(n): replace(n, subs=subs)} if subs != n.subs else {}
        elif kind(n) == "Index" and len(n.parts) == 1 and spelled(n.parts[0]) == letter:
            new[id(n)] = n.base
    return rebuilt(node, new)


def _kept(sub: Any, letter: str | None) -> Any:
    """A subscript without an index; None if nothing is left."""
    if kind(sub) not in ("Tuple", "Stack"):
        return None if spelled(sub) == letter else sub
    left = tuple(a for a in sub.args if spelled(a) != letter)
    return sub if len(left) == len(sub.args) else replace(sub, args=left) if len(left) > 1 else left[0] if left else None


def relation_of(node: Any) -> Any:
    return node if kind(node) == "Relation" else None


def given_at_a_step(s: Statement, letter: str) -> Any:
    """The name, without its step, of what an equation gives at a step; None for any other statement."""
    rel = relation_of(s.node)
    split = head_and_parts(unwrapped(rel.sides[0])) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
    return split[0] if split is not None and step_part(split[1], letter) is not None else None


def derived(node: Any) -> bool:
    """Whether a derivative or an adjoint occurs in a formula."""
    return any(map(_derives, walk(node)))


def _derives(n: Any) -> bool:
    k = kind(n)
    if k == "Name":
        return n.base in ADJOINT_HEADS or _differential_word(n) or (bool(n.primes) and n.base in LOSSES)
    if k == "Apply":
        return kind(n.function) == "Name" and bool(n.function.primes)
    if k == "Product":
        first = n.args[0]
        return kind(first) == "Name" and first.base == "d" and not first.subs and len(n.args) > 1 and kind(n.args[1]) in ("Name", "Power", "Index")
    return k in DERIVED


def _differential_word(name: Any) -> bool:
    base = name.base
    return (
        len(base) >= 2
        and base[0] == "d"
        and base.split("_")[0] not in ("diag", "det", "dim", "dot", "delta", "dropout", "data", "dec", "decoder", "digamma", "ddot")
        and (len(base.split("_")[0]) <= 3)
    )


def step_part(parts: tuple[Part, ...], letter: str | None) -> Part | None:
    """The index that counts steps."""
    return next((p for p in parts if letter in letters(p.node) and _step_like(p.node)), None) if letter else None


def letter_of(statements: list[Statement]) -> str:
    """What the document counts its steps by."""
    votes: Counter[str] = Counter()
    recurs = set[str]()
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or s.derives:
            continue
        split = head_and_parts(unwrapped(rel.sides[0]))
        if split is None:
            continue
        right = [
            set(letters(p.node))
            for n in walk(rel.sides[1])
            if kind(n) in ("Name", "Power", "Index") and (sp := head_and_parts(n))
            for p in sp[1]
            if _step_like(p.node)
        ]
        earlier = {w for n in walk(rel.sides[1]) if (sp := head_and_parts(n)) for p in sp[1] if kind(p.node) == "Sum" for w in letters(p.node)}
        counted = [w for p in split[1] if _step_like(p.node) for w in letters(p.node) if w in LETTERS]
        recurring = [w for w in counted if w in earlier]  # the t of ``f_i^{(t)}`` beside ``h_j^{(t-1)}``, not the i
        recurs |= {*recurring}
        for w in recurring or counted:
            votes[w] += 1 + sum(w in r for r in right)
    if recurs and "T" not in recurs:
        votes.pop("T", None)  # ``o_T = V h_T`` speaks of the last step
    for s in statements:
        for n in s.nodes:
            if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[0]) == "Name" and kind(n.args[1]) == "Negative" and kind(n.args[1].arg) == "Number":
                word = spelled(n.args[0])
                if word in LETTERS:
                    votes[str(word)] += 1 if word == "t" else 0
    names = [(head, p) for s in statements for _, head, parts in names_in(s.node) for p in parts if votes and p.where == "bracket"]
    rows = {w for head, p in names if head.base in {*"WUVb"} for w in letters(p.node)} - {"t"}  # the i of ``W[i][j]`` and ``b[i]``
    return max(votes.keys() - rows, key=lambda w: (votes[w], -LETTERS.index(w)), default="t")


@by_identity
def names_in(node: Any) -> tuple[tuple[Any, Any, tuple[Part, ...]], ...]:
    """Every name in a formula with its indices, the outermost reading of each."""
    return tuple(_names(node))


def _names(node: Any) -> Iterator[tuple[Any, Any, tuple[Part, ...]]]:
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    number = kind(node) == "Power" and kind(unwrapped(node.exponent)) == "Number"  # ``h^2``, not ``h^{(2)}``
    if split is not None and not (number and getattr(node.exponent, "kind", "") not in ("<", "(")):
        yield node, split[0], split[1]
        return
    if kind(node) == "Apply":
        split = head_and_parts(node)
        if split is not None and split[0].base not in BUILTIN and any("t" in letters(p.node) for p in split[1]):
            yield node, split[0], split[1]
            return
        for a in node.args:
            yield from _names(a)
        return
    for child in children(node):
        yield from _names(child)


@by_identity
def bound_letters(node: Any) -> frozenset[str]:
    """The indices of sums and products."""
    out = set[str]()
    for n in walk(node):
        if kind(n) == "Big":
            if n.index is not None:
                out.add(spelled(n.index) or "")
            if kind(unwrapped(n.lower)) == "Relation":
                out |= {w for s in unwrapped(n.lower).sides for w in letters(s)}
    return frozenset(out)


def loss_head(node: Any) -> Any:
    """The letter of a loss, of one with its arguments too: ``L``, ``L_t``, ``L(\\theta)``; None for anything else, its tangent with a dot too."""
    node = unwrapped(node)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[1]) == "Paren":
        node = node.args[0]
    head = head_and_parts(node.function if kind(node) == "Apply" and kind(node.function) == "Name" else node)
    return head[0] if head is not None and head[0].base in LOSSES and "dot" not in head[0].accents else None


def summands(node: Any) -> Iterator[Any]:
    r"""The losses that are added up in ``\sum_k L_k``, ``L_1 + L_2``; what is no such sum itself."""
    node = unwrapped(node)
    if kind(node) == "Big" and node.kind == "sum":
        yield from summands(node.body)
    elif kind(node) == "Sum":
        for a in node.args:
            yield from summands(a)
    else:
        yield node


def weight(node: Any) -> Any:
    """The factor c in ``L = c Σ_t L_t``."""
    if kind(node) == "Negative":
        inner = weight(unwrapped(node.arg))
        return (
            Negative(Number("1"))
            if inner is None and kind(unwrapped(node.arg)) == "Big" and sums_steps(unwrapped(node.arg))
            else Negative(inner)
            if inner is not None
            else None
        )
    if kind(node) in ("Product", "Infix") and len(node.args) == 2 and kind(unwrapped(node.args[1])) == "Big" and sums_steps(unwrapped(node.args[1])):
        return unwrapped(node.args[0])
    return None


def added_up(node: Any) -> bool:
    r"""``L_1 + L_2 + \cdots + L_T``, the losses of the steps one by one."""
    terms = [unwrapped(a) for a in node.args if kind(a) != "Ellipsis"] if kind(node) == "Sum" else []
    splits = [split for a in terms if (split := head_and_parts(a)) is not None and loss_head(a) is not None and len(split[1]) == 1]
    steps = [unwrapped(split[1][0].node) for split in splits]
    return len(splits) == len(terms) > 1 and len({split[0] for split in splits}) == 1 and all(kind(at) == "Number" or spelled(at) == "T" for at in steps)


def sums_steps(node: Any) -> bool:
    """Whether a sum adds up losses of steps; the l of ``\\sum_l (y_l - d_l)^2`` is its index, no loss."""
    return (
        node.kind == "sum"
        and (node.index is None or spelled(node.index) in LETTERS)
        and not any(kind(n) == "Big" for n in walk(node.body))
        and any(
            (kind(n) == "Name" and n.base in LOSSES and n != node.index) or (kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base in LOSSES)
            for n in walk(node.body)
        )
    )
