"""Quantities that are numbers, as words or the signs of their weights tell, and that the page takes for vectors: one gate for all units."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.cell.scalars import declared
from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.reading.claims import Link
from symgrad.check.reading.symbols import is_top
from symgrad.check.reading.trees import kind, unwrapped, walk

GATES = re.compile(  # "both gates are scalars", "the matrices have one row"
    r"\bgates?\b[^.;]{0,60}\b(?:is|are)\b[^.;]{0,24}\b(?:scalars?|(?:a |single )numbers?|scalar-valued|shared by all)\b"
    r"|\bscalar(?:-valued)?\s+(?:\w+\s+)?gates?\b"
    r"|\bhave (?:only )?one row\b|\bone gate (?:for|per) (?:the whole|all|layer)|\bskalare[nrs]? (?:\w+\s+)?(?:gates?|tore?|gatter)\b|\bportes? scalaires?"
    r"|\b(?:puertas?|portas?|port[ae]) e?scalar[ei]s?|\bcompuertas? escalares"
    r"|скалярн\w+ (?:вентил|затвор)\w*|标量门|门(?:是|为)标量|スカラー(?:の)?ゲート|스칼라 ?게이트",
    re.IGNORECASE,
)


def taken_for_a_vector(court: Court, page: Page, link: Link) -> str:
    """What a line differentiates by that is a number, or leads to one, and is a vector for the page; empty if there is nothing."""
    if court.program:
        return ""
    wrts = [r for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and (r := page.symbols.ref(unwrapped(n.wrt))) is not None]
    if not wrts or not (found := numbers(court, page)):
        return ""
    for key in sorted(found):
        leading = {r.key for n in walk(page.definitions[key].node) if (r := page.symbols.ref(n)) is not None} - page.symbols.timed
        if any(r.key in leading | {key, page.preactivation(key)} and not r.entries for r in wrts):
            return page.notes.get(key, plain(key))
    return ""


def numbers(court: Court, page: Page) -> set[str]:
    """The quantities that a document computes by the step and that are numbers in it, neither states nor outputs."""
    memo = page.memos["numbers"]
    if "found" not in memo:
        gates = {key for key in page.definitions if marks.gate(page, key)} if GATES.search(court.words) else set()
        told = {key for key in declared(page, court.statements) if key in page.definitions}
        vectors = {key for key, d in page.definitions.items() if page.symbols.ranks.get(key) == 1 and not d.entries} - page.lagged - page.targets.keys()
        memo["found"] = {key for key in vectors if key in gates | told or by_its_weights(page, key)}
    found: set[str] = memo["found"]
    return found


def by_its_weights(page: Page, key: str) -> bool:
    r"""Whether all weights of a quantity are small letters transposed, ``\sigma(w^\top x_t + u^\top h_{t-1} + b)``, and others are matrices that are not."""
    first = [a for d in page.definitions.values() for n in walk(d.node) if kind(n) in ("Product", "Infix") and weight(page, a := unwrapped(n.args[0]))]
    node = unwrapped(page.definitions[key].node)
    node = unwrapped(node.args[0]) if kind(node) == "Apply" and len(node.args) == 1 else node
    products = [n for n in (map(unwrapped, node.args) if kind(node) == "Sum" else (node,)) if kind(n) in ("Product", "Infix")]
    return bool(products) and all(small_and_turned(page, n) for n in products) and any(a.base[:1].isupper() for a in first)


def weight(page: Page, node: Any) -> bool:
    ref = page.symbols.ref(node) if kind(node) == "Name" else None
    return ref is not None and ref.key not in page.symbols.timed


def small_and_turned(page: Page, node: Any) -> bool:
    first = unwrapped(node.args[0])
    inner = first.arg if kind(first) == "Transpose" else first.base if kind(first) == "Power" and is_top(first.exponent) else None
    return inner is not None and weight(page, unwrapped(inner)) and unwrapped(inner).base[:1].islower()
