r"""Names that are numbers: a gain before a weight, ``\tanh(g W h_{t-1})``, an output ``w^\top h_t``, what words declare to be scalars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.reading.prose import PH, Prose
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import is_top, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk

LIST = rf"{PH}(?:(?:\s*,\s*|\s*(?:,\s*)?and\s+){PH})*"
DECLARED = re.compile(  # what has vectors beside it: else all may be numbers
    rf"\bscalars?\s+(?:\w+\s+){{0,2}}?(?P<behind>{LIST})|(?P<before>{LIST})\s+(?:is|are|be|being)\s+(?:an?\s+)?(?:\w+\s+){{0,2}}?(?:scalars?|numbers?)\b(?!\W*(?:loss|function))",
    re.IGNORECASE,
)
VECTORS = re.compile(r"\bvectors?\b|\bmatri(?:x|ces)\b", re.IGNORECASE)

OTHERWISE = re.compile(  # "1 if an episode has just begun and 0 otherwise"
    r"\b(?:otherwise|else|sonst|andernfalls|ansonsten|sinon|en caso contrario|si no|caso contr[áa]rio|sen[ãa]o|altrimenti|иначе)\b|否则|それ以外|그 ?외|아니면",
    re.IGNORECASE,
)
GREEK = frozenset({"alpha", "beta", "gamma", "lambda", "eta", "epsilon", "varepsilon", "kappa", "mu", "rho", "tau"})
NEAR = 120  # characters around a formula that may tell of the other case


def numbers(page: Page, statements: list[Statement]) -> None:
    """Take these names for numbers."""
    ranks, timed = page.symbols.ranks, page.symbols.timed
    found = {key for d in page.definitions.values() for key in (*before_weights(page, d.node), *gains(page, d.node))} - elsewhere(page)
    found |= set(declared(page, statements)) | ({"Δt"} & ranks.keys())
    switches = told_by_cases(page, statements) & timed
    for key in found - timed - page.definitions.keys() | switches:
        ranks[key] = 0
    for key, d in page.definitions.items():
        if not d.entries and (names := inner_product(page, d.node)) is not None:
            ranks.update(dict.fromkeys((key, *names), 0))
    page.symbols.clear()


def before_weights(page: Page, node: Any) -> Iterator[str]:
    r"""The names in factors right before a weight, or before a bracket with weights: ``\beta`` of ``\beta (W h_{t-1} + U x_t)``; and below what has weights."""
    for n in walk(node):
        if kind(n) == "Fraction" and weighs(page, n.numerator):
            yield from vectors(page, n.denominator)
        product = kind(n) == "Product" or (kind(n) == "Infix" and n.sign in ("cdot", "times", "ast"))
        for a, b in pairwise(n.args) if product else ():
            if weighs(page, b) and not (a_weight(page, unwrapped(b)) and a_weight(page, unwrapped(n.args[-1]))):  # ``x W`` is a row before a matrix
                yield from vectors(page, a)


def gains(page: Page, node: Any) -> Iterator[str]:
    r"""The Greek letters that stand without a sign before vectors, ``(1 - \alpha) h_{t-1} + \alpha \tanh(a_t)``."""
    for a, b in (pair for n in walk(node) if kind(n) == "Product" for pair in pairwise(n.args)):
        inner = unwrapped(a)
        terms = [unwrapped(x.arg if kind(x) == "Negative" else x) for x in (inner.args if kind(inner) == "Sum" else (inner,))]
        if a_vector(page, b) and all(kind(x) == "Number" or (kind(x) == "Name" and x.base in GREEK) for x in terms):
            yield from vectors(page, a)


def vectors(page: Page, node: Any) -> Iterator[str]:
    """What a formula names that was taken for vectors."""
    return (ref.key for x in walk(node) if (ref := page.symbols.ref(x)) is not None and page.symbols.ranks.get(ref.key) == 1)


def weighs(page: Page, node: Any) -> bool:
    """Whether a factor is a weight, or a bracket in which some term begins with one."""
    inner = unwrapped(node)
    terms = map(unwrapped, inner.args if kind(inner) == "Sum" else (inner,))
    return a_weight(page, inner) or any(kind(t) == "Product" and a_weight(page, t.args[0]) for t in terms)


def a_weight(page: Page, node: Any) -> bool:
    """Whether a name is one of a matrix without a step."""
    ref = page.symbols.ref(node)
    return ref is not None and ref.key not in page.symbols.timed and page.symbols.ranks.get(ref.key) == 2


def elsewhere(page: Page) -> set[str]:
    r"""What stands in an equation as vectors do: behind a weight, between signs for entries, as a bias."""
    out = set()
    for d in page.definitions.values():
        for n in walk(d.node):
            behind = [b for a, b in pairwise(n.args) if a_weight(page, unwrapped(a))] if kind(n) in ("Product", "Infix") else []
            beside = [a for a in n.args if not (kind(n) == "Sum" and kind(n.args[0]) == "Number")] if kind(n) in ("Sum", "Hadamard") else []
            out |= {ref.key for x in (*behind, *beside) if (ref := page.symbols.ref(unwrapped(x))) is not None}
    return out


def told_by_cases(page: Page, statements: list[Statement]) -> set[str]:
    r"""What stands right before a vector and no sign for entries, ``W (m_t h_{t-1})``, and is told to be 0 in one case and 1 in another."""
    told: dict[str, set[str]] = {}
    for s in statements:
        rel, cases = s.node, s.fragment is not None and OTHERWISE.search(s.fragment.before[-NEAR:] + s.fragment.latex + s.fragment.after[:NEAR]) is not None
        ref = page.symbols.ref(unwrapped(rel.sides[0])) if cases and kind(rel) == "Relation" and len(rel.sides) == 2 and rel.signs == ("=",) else None
        if ref is not None and not ref.entries and kind(unwrapped(rel.sides[1])) == "Number":
            told.setdefault(ref.key, set()).add(unwrapped(rel.sides[1]).text)
    products = [n for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Product"]
    before = {r.key for n in products for a, b in pairwise(n.args) if (r := page.symbols.ref(a)) is not None and a_vector(page, b)}
    return {key for key in before if told.get(key, set()) >= {"0", "1"}} - page.definitions.keys() - elsewhere(page)


def inner_product(page: Page, node: Any) -> set[str] | None:
    r"""The biases that are added to ``w^\top h_t``, which is a number, also if an activation is applied to it; None for any other formula."""
    node = unwrapped(node)
    if kind(node) == "Apply" and len(node.args) == 1:
        node = unwrapped(node.args[0])
    terms = [unwrapped(a) for a in node.args] if kind(node) == "Sum" else [node]
    products = [t for t in terms if kind(t) in ("Product", "Infix") and len(t.args) == 2 and a_row_first(page, *map(unwrapped, t.args))]
    others = [page.symbols.ref(t) for t in terms if all(t is not p for p in products)]
    if len(products) != 1 or any(ref is None or ref.entries or ref.key in page.symbols.timed for ref in others):
        return None
    return {ref.key for ref in others if ref is not None}


def a_row_first(page: Page, first: Any, second: Any) -> bool:
    """Whether a parameter that is a vector stands transposed before a vector of the cell."""
    if kind(first) != "Transpose" and not (kind(first) == "Power" and is_top(first.exponent)):
        return False
    ref = page.symbols.ref(unwrapped(first.arg if kind(first) == "Transpose" else first.base))
    if ref is None or ref.entries or ref.key in page.symbols.timed or not a_vector(page, second):
        return False
    if page.symbols.ranks.get(ref.key) == 2 and small_beside_capitals(page, ref.key):
        page.symbols.ranks[ref.key] = 1
    return page.symbols.ranks.get(ref.key) == 1


def small_beside_capitals(page: Page, key: str) -> bool:
    """Whether a weight has a small Latin letter, and all others capital ones, which tells vectors from matrices."""
    others = {k for k, rank in page.symbols.ranks.items() if rank == 2 and k not in page.symbols.timed | page.definitions.keys()} - {key}
    return key[:1].islower() and len(key.partition("_")[0]) == 1 and bool(others) and all(k[0].isupper() for k in others)


def a_vector(page: Page, node: Any) -> bool:
    """Whether a formula is a vector of the cell: a quantity, or an activation of what has one as its last factor."""
    node = unwrapped(node)
    if (ref := page.symbols.ref(node)) is not None:
        return ref.key in page.symbols.timed and not ref.entries and page.symbols.ranks.get(ref.key) == 1
    if kind(node) in ("Product", "Infix"):
        return a_vector(page, node.args[-1])
    return (kind(node) in ("Sum", "Hadamard") or (kind(node) == "Apply" and len(node.args) == 1)) and any(a_vector(page, a) for a in node.args)


def declared(page: Page, statements: list[Statement]) -> Iterator[str]:
    """What the words say to be scalars, in a document that speaks of vectors too, or has signs that only they have."""
    signs = any(of_vectors(n) for s in statements for n in s.nodes)
    fragments = [s.fragment for s in statements if s.fragment is not None]
    for text in dict.fromkeys(text for f in fragments for text in (f.before, f.after)):
        prose = Prose(text, False)
        for m in DECLARED.finditer(prose.text) if signs or VECTORS.search(prose.text) else ():
            for mark in re.findall(PH, m["behind"] or m["before"]):
                names = [unwrapped(x) for node in prose.nodes(mark) for x in (node.args if kind(node) == "Tuple" else (node,))]
                yield from (ref.key for x in names if (ref := page.symbols.ref(x)) is not None and not ref.entries)


def of_vectors(node: Any) -> bool:
    r"""Whether a sign makes sense for vectors and matrices alone; ``w^T`` may be a power, but no derivative is raised to one."""
    top = kind(node) == "Power" and is_top(node.exponent)
    return kind(node) in ("Transpose", "Diagonal") or (top and (spelled(node.exponent) != "T" or kind(unwrapped(node.base)) == "Derivative"))
