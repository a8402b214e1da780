r"""Diagonal matrices in other ways: by entries, ``H_{ii} = 1 - h_i^2`` for ``H = \operatorname{diag}(1 - h^2)``; by a letter, ``D(v)`` for ``diag(v)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, relation_of, without_index
from symgrad.check.reading.symbols import letters, spelled
from symgrad.check.reading.trees import children, kind, rebuilt, unwrapped, walk, with_children
from symgrad.notation.syntax import Diagonal, Name, Paren, Product, Relation

SAID = re.compile(  # behind ``D(v)``
    r"\s*[$`\\)]*\s*(?:,|:|is|be|as|for|denot\w+|stand\w*\s+for|means|writ\w+|sei|ist|bezeichne\w*|est|désigne|es|denota|é|обозначает|—|表示|为|是)?\s*"
    r"(?:(?:the|a|die|eine|la|une|una|a|uma)\s+)?(?:diagonal\s+matrix|matrix\s+with\s+[^.;]{0,40}on\s+(?:its|the)\s+diagonal|Diagonalmatrix|matrice\s+diagonale|matriz\s+diagonal"
    r"|диагональн\w+\s+матриц|对角(?:矩)?阵)",
    re.IGNORECASE,
)


def by_diagonal_entries(statements: list[Statement]) -> list[Statement]:
    """The statements with an equation for the matrix in the place of one for its entries, where others name the matrix."""
    return [defined(s, statements) or s for s in statements]


def defined(s: Statement, statements: list[Statement]) -> Statement | None:
    """The equation of a matrix of which this gives the entries on the diagonal."""
    rel = relation_of(s.node)
    if rel is None or s.derives or len(rel.sides) != 2 or rel.signs[0] not in DEFINING:
        return None
    left, right = map(unwrapped, rel.sides)
    found = [(n, sub) for n in walk(left) if kind(n) == "Name" for sub in n.subs if doubled(sub)]
    if len(found) != 1:
        return None
    name, sub = found[0]
    bare, letter = replace(name, subs=tuple(other for other in name.subs if other is not sub)), spelled(sub.args[0])
    entries = without_index(right, letter)
    others = (n for other in statements if other is not s for n in other.nodes if kind(n) == "Name" and n.base == name.base and n.font == name.font)
    if letter in {w for n in walk(entries) for w in letters(n)} or entries == right or not any(len(n.subs) <= len(bare.subs) for n in others):
        return None
    whole: Any = Relation((rebuilt(left, {id(name): bare}), Diagonal(entries, span=right.span)), rel.signs, span=rel.span)
    return replace(s, node=whole, whole=whole)


def doubled(sub: Any) -> bool:
    """``ii``: one letter, twice."""
    return kind(sub) in ("Product", "Tuple") and len(sub.args) == 2 and sub.args[0] == sub.args[1] and kind(sub.args[0]) == "Name"


def by_letter(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    r"""The statements with diag for a letter that a document has for it, "let $D(v)$ be the diagonal matrix of $v$"; and how it stood there."""
    known = {letter for s in statements for letter in introduced(s)}
    original: dict[Any, Any] = {}
    if not known:
        return statements, original
    return [replace(s, node=put(s.node, known, original), whole=put(s.whole, known, original)) for s in statements], original


def introduced(s: Statement) -> Iterator[Name]:
    r"""The letter of ``D(v)`` where words say what it is, and of ``D(v) = \operatorname{diag}(v)``."""
    rel = relation_of(s.node)
    if rel is not None and rel.signs == ("=",) and kind(right := unwrapped(rel.sides[1])) == "Diagonal":
        yield from (letter for letter, arg in called(rel.sides[0]) if arg == unwrapped(right.arg))
    elif rel is None and s.fragment is not None and SAID.match(s.fragment.after):
        yield from (letter for letter, _ in called(s.node))


def called(node: Any) -> Iterator[tuple[Name, Any]]:
    """The letter and the argument of ``D(v)``, where the argument is a letter too."""
    node = unwrapped(node)
    first, *rest = node.args if kind(node) == "Product" else (node.function, *node.args) if kind(node) == "Apply" else (None,)
    bare = kind(first) == "Name" and first == Name(first.base, font=first.font)
    if bare and len(rest) == 1 and kind(unwrapped(rest[0])) == "Name" and (kind(rest[0]) == "Paren" or kind(node) == "Apply"):
        yield first, unwrapped(rest[0])


def put(node: Any, known: set[Name], original: dict[Any, Any]) -> Any:
    """A formula with diag in the place of these letters."""
    inner = {id(c): new for c in children(node) if (new := put(c, known, original)) is not c}
    node = with_children(node, inner) if inner else node
    if kind(node) == "Apply" and node.function in known and len(node.args) == 1:
        return Diagonal(node.args[0], span=node.span)
    if kind(node) != "Product" or not any(a in known for a in node.args):
        return node
    out: list[Any] = []
    for a in node.args:
        if out and out[-1] in known and kind(a) in ("Paren", "Sum", "Hadamard", "Product", "Infix"):  # what stands in brackets
            letter = out.pop()
            a = Diagonal(unwrapped(a), span=replace(a.span, start=letter.span.start) if a.span and letter.span else None)
            original[a] = Product((letter, Paren(a.arg)))
        out.append(a)
    return out[0] if len(out) == 1 else replace(node, args=tuple(out))
