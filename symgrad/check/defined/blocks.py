r"""Blocks of a weight that multiplies a concatenation: ``W_f [h_{t-1}, x_t] = W_{fh} h_{t-1} + W_{fx} x_t``.

A document may give the blocks names, in an equation (``W = [W_h, W_x]``) or by their labels alone.  A block is no parameter of its own: its
value, and every derivative by it, is cut out of the weight's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from symgrad.check.defined.page import Page, plain
from symgrad.check.defined.typing import Shapes, matrix_like, numbered
from symgrad.check.reading.statements import DEFINING, Statement, names_in, relation_of
from symgrad.check.reading.symbols import Ref, head_and_parts, key_of, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds.world import Cut


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight that multiplies a concatenation: the names of the parts, and what the product goes into."""

    parts: tuple[str, ...]
    result: str


def packed(page: Page) -> dict[str, Packed]:
    """The weights that stand beside a concatenation in the equations."""
    out: dict[str, Packed] = {}
    for key, d in page.definitions.items():
        for n in walk(d.node):
            if kind(n) not in ("Product", "Infix"):
                continue
            for one, other in [*zip(n.args, n.args[1:], strict=False), *zip(n.args[1:], n.args, strict=False)]:
                weight, pile = page.symbols.ref(unwrapped(one)), unwrapped(other)
                whole = page.symbols.ref(pile)
                if whole is not None and whole.key in page.definitions and not whole.entries:  # ``z_t = [h_{t-1}, x_t]``
                    pile = unwrapped(page.definitions[whole.key].node)
                if weight is None or weight.key in page.symbols.timed or kind(pile) != "Stack" or len(pile.args) < 2:
                    continue
                found = [page.symbols.ref(unwrapped(a)) or gated(page, a) for a in pile.args]
                refs = [r for r in found if r is not None]
                if len(refs) == len(found):
                    out.setdefault(weight.key, Packed(tuple(r.key for r in refs), key))
    return out


def gated(page: Page, node: Any) -> Ref | None:
    r"""The state in ``r_t \odot h_{t-1}``."""
    refs = [ref for n in walk(node) if (ref := page.symbols.ref(n)) is not None] if kind(unwrapped(node)) in ("Hadamard", "Infix", "Product") else []
    states = [ref for ref in refs if ref.key in page.lagged]
    return states[0] if len({ref.key for ref in states}) == 1 and not any(page.symbols.ranks.get(ref.key) == 2 for ref in refs) else None


def named(page: Page, statements: Iterable[Statement], defining: set[tuple[int, int]]) -> None:
    """The names of blocks, wherever the document introduces or uses them."""
    owners = packed(page)
    if not owners:
        return
    statements = list(statements)
    for s in statements:
        for name in written_out(page, s, owners):
            defining.add((s.number, 0))
            page.symbols.ranks[name] = 2
    page.symbols.clear()
    for s in statements:
        for node, head, parts in names_in(s.node):
            if not parts or not matrix_like(node):
                continue
            ref, key = page.symbols.ref(node), key_of(head, list(parts))
            found = by_label(key, owners) if key is not None else None
            labelled = found is not None and spelled(parts[-1].node) == owners[found[0]].parts[found[1]]  # no entry: ``W_{u,h}``, whose h is a quantity
            if ref is not None and spelled(ref.step) not in page.symbols.timed and not labelled:
                continue
            if key is not None and found is not None:
                owner, k = found
                page.cuts[key] = (owner, k, node)
                page.symbols.ranks[key] = 2
                page.guessed[key] = f"{plain(key)} is read as the block of {plain(owner)} that multiplies {plain(owners[owner].parts[k])}"
    page.symbols.clear()


def written_out(page: Page, s: Statement, owners: dict[str, Packed]) -> list[str]:
    """``W = [W_h, W_x]``: the names of the blocks, in order."""
    rel = relation_of(s.node)
    if rel is None or len(rel.sides) != 2 or rel.signs[0] not in DEFINING:
        return []
    owner, pile = page.symbols.ref(unwrapped(rel.sides[0])), unwrapped(rel.sides[1])
    if owner is None or owner.key not in owners or kind(pile) not in ("Stack", "Tuple") or len(pile.args) != len(owners[owner.key].parts):
        return []
    found: dict[str, tuple[str, int, Any]] = {}
    for k, a in enumerate(map(unwrapped, pile.args)):
        split = head_and_parts(a)
        name = key_of(split[0], list(split[1])) if split is not None else None
        if name is None or page.symbols.ref(a) is not None:
            return []
        found[name] = (owner.key, k, a)
    page.cuts.update(found)
    return list(found)


def by_label(key: str, owners: dict[str, Packed]) -> tuple[str, int] | None:
    """The weight and the part that the labels of a name tell: ``W_{fh}``, ``W_f^{(h)}``, ``W_{hf}``, ``W_{xh}`` of one without a label."""
    base, label = labels_of(key)
    found = []
    for owner, pack in owners.items():
        own, mine = labels_of(owner)
        if own != base:
            continue
        rests = {label.removeprefix(mine)} if label.startswith(mine) else set()
        rests |= {label.removesuffix(mine)} if label.endswith(mine) else set()
        names = [labels_of(p)[0] for p in pack.parts]
        result = labels_of(pack.result)[0]
        alone = set() if mine else {result}
        found += [(len(mine), owner, k) for k, name in enumerate(names) if rests & {name, *(name + r for r in alone), *(r + name for r in alone)}]
    best = {(owner, k) for n, owner, k in found if n == max(found)[0]}
    return best.pop() if len(best) == 1 else None


def labels_of(key: str) -> tuple[str, str]:
    """The letter of a name, and its labels run together."""
    base = re.split(r"[_^]", key, maxsplit=1)[0]
    return base, re.sub(r"[^A-Za-z~]", "", key[len(base) :])


def sizes(page: Page, shapes: Shapes) -> None:
    """The weights whose shape says that they multiply a concatenation: the axis, the sizes of the parts, their names."""
    names: dict[int, tuple[str, ...]] = {}
    for d in page.definitions.values():
        for n in walk(d.node):
            if kind(n) == "Stack" and len(n.args) > 1:
                found = []
                for a in n.args:
                    inner = [r.key for x in walk(a) if (r := page.symbols.ref(x)) is not None]
                    found.append(page.notes.get(inner[-1], plain(inner[-1])) if inner else "?")
                names.setdefault(len(found), tuple(found))
    for key, shape in shapes.of.items():
        if key in page.symbols.timed or len(shape) != 2 or key in page.cuts:
            continue
        for axis, size in enumerate(shape):
            parts = size.find().parts
            if parts and len(parts) in names:
                page.blocks[key] = (axis, tuple(numbered(p) for p in parts), names[len(parts)])


def cuts(page: Page, dims: dict[str, tuple[int, ...]]) -> dict[str, Cut]:
    """Where the named blocks stand in their weights; what cannot be told has no value."""
    out = {}
    for key, (owner, k, _) in page.cuts.items():
        if owner in page.blocks and len(dims[owner]) == 2:
            axis, widths, _ = page.blocks[owner]
            at = slice(sum(widths[:k]), sum(widths[: k + 1]))
            out[key] = Cut(owner, (at, slice(None)) if axis == 0 else (slice(None), at))
            dims[key] = tuple(widths[k] if n == axis else size for n, size in enumerate(dims[owner]))
        else:
            dims.pop(key, None)
    return out
