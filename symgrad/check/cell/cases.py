r"""Letters that a page has in the other case: ``C_t`` for ``c_t``, ``w_{ij}`` for the entries of W, ``U`` for the matrix of the ``u_{ij}``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgrad.check.defined.page import Definition, Page, plain
from symgrad.check.reading.statements import LOSSES, MARKS, Statement, names_in, step_part
from symgrad.check.reading.symbols import COUNTERS, head_and_parts, key_of, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Name

CANDIDATE_ACCENTS = (("tilde",), ("hat",), ("widetilde",), ("widehat",))  # over the letter of what may become the state
LOOKS = {"omega": "w"}  # a letter that is taken for another one


def in_other_cases(page: Page, statements: list[Statement], elsewhere: dict[str, Definition]) -> None:
    """What the page's letters stand for in the other case; `elsewhere` are the equations of the whole document."""
    cased(page, statements, elsewhere)
    page.symbols.small = by_entries(page, statements, {*elsewhere}) | as_wholes(page, statements, {*elsewhere})
    page.symbols.clear()


def cased(page: Page, statements: list[Statement], elsewhere: dict[str, Definition]) -> None:
    r"""``C_t``, which nothing defines, is ``c_t`` where the document defines that and nowhere adds or subtracts the two; ``\hat c_t`` is ``\tilde c_t``.

    So it is where another cell of the document defines it by the same letters, all in the other case.
    """
    letter, symbols = page.symbols.letter, page.symbols
    alike = {key for key, d in elsewhere.items() if key not in page.definitions and same_letters(page.definitions.get(key.swapcase()), d)}
    defined = elsewhere.keys() - alike
    sides = (head_and_parts(unwrapped(side)) for s in statements if kind(s.node) == "Relation" for side in s.node.sides)
    said = {(split[0].base, split[0].accents) for split in sides if split is not None}  # what has an equation: a sensitivity S_t is no state s_t
    said -= {(key, ()) for key in alike}
    for head, parts in ((h, p) for s in statements for _, h, p in names_in(s.node)):
        step = step_part(parts, letter)
        rest = [p for p in parts if p is not step]
        name = key_of(head, rest) if step is not None and len(head.base) == 1 else None
        if name is None or name in symbols.ranks or name in symbols.aliases or name in defined:
            continue
        meant = {other for h in spelled_otherwise(head) if (other := key_of(h, rest)) in page.definitions}
        if len(meant) != 1 or head.base in LOSSES | MARKS or (head.base, head.accents) in said:
            continue
        if any(summed_with(n, head, letter) for s in statements for n in s.nodes):
            continue
        other = str(meant.pop())
        symbols.aliases[name] = other
        page.guessed.setdefault(other, f"{plain(name)} is read as {plain(other)}")
        symbols.clear()


def same_letters(one: Definition | None, other: Definition) -> bool:
    """Whether two equations name the same, but for the case of the letters: one is the cell in general, or a part of the document with another font."""
    names = [{str(spelled(h)).lower() for _, h, _ in names_in(d.node)} for d in (one, other) if d is not None]
    bases = [{h.base for _, h, _ in names_in(d.node)} for d in (one, other) if d is not None]
    return len(names) == 2 and names[0] == names[1] and not bases[0] & bases[1]


def by_entries(page: Page, statements: list[Statement], defined: set[str]) -> dict[str, str]:
    r"""``w_{ij}``, ``\omega_{ij}``, ``w^{hh}_{ij}``, ``w_{1,ij}`` where the page has a matrix W, W_hh: what nothing defines, and whose entries it is."""
    symbols, out = page.symbols, dict[str, str]()
    for node, head, parts in (found for s in statements for found in names_in(s.node)):
        small = (len(head.base) == 1 or head.base in LOOKS) and head.base.islower() and not head.accents and not head.primes and head.base not in LOSSES | MARKS
        if not small or not 0 < len(parts) < 4 or symbols.ref(node) is not None:
            continue
        for k, p in enumerate(parts):
            pair = p.node.args if kind(p.node) == "Product" else tuple(q.node for q in parts[k : k + 2])
            if len(pair) != 2 or not all(kind(a) == "Name" and not a.subs and a.base in COUNTERS - {symbols.letter} for a in pair):
                continue
            rest = [q for q in parts if q.node not in (p.node, *pair)]
            labels = [q for q in rest if symbols.letter not in letters(q.node) and kind(q.node) != "Number"]
            name, weight = (key_of(h, labels) or "" for h in (head, replace(head, base=LOOKS.get(head.base, head.base).upper())))
            weight = weight if weight in symbols.ranks else symbols.loosely(weight)
            if symbols.ranks.get(weight) == 2 and weight not in symbols.timed and name not in symbols.ranks.keys() | symbols.aliases.keys() | defined:
                out[name] = weight
    return out


def as_wholes(page: Page, statements: list[Statement], defined: set[str]) -> dict[str, str]:
    r"""``W``, ``U_f`` where the page is written with ``w_{ij}``, ``u_{f,ij}``: the capitals that nothing defines, and what they are the matrix of."""
    symbols, out = page.symbols, dict[str, str]()
    weights = {ref.key for d in page.definitions.values() for n in walk(d.node) if (ref := symbols.ref(n)) is not None and len(ref.entries) == 2}
    sides = {spelled(unwrapped(side)) for s in statements if kind(s.node) == "Relation" for side in s.node.sides}
    for node, head, parts in (found for s in statements for found in names_in(s.node)) if weights else ():
        name = key_of(head, list(parts))
        if name is None or len(head.base) > 1 or not head.base.isupper() or head.accents or head.base in LOSSES | {"T"} or name in sides | defined:
            continue
        weight = key_of(replace(head, base=head.base.lower()), list(parts)) or ""
        if weight in weights - symbols.timed and symbols.ref(node) is None and name not in symbols.aliases:
            out[name] = weight
    return out


def spelled_otherwise(head: Name) -> Iterator[Name]:
    """A letter in the other case; one with a tilde or a hat with the other of these, in both cases."""
    cases = head.base, head.base.swapcase()
    yield replace(head, base=cases[1])
    if head.accents in CANDIDATE_ACCENTS:
        yield from (replace(head, base=base, accents=accents) for base, accents in itertools.product(cases, CANDIDATE_ACCENTS))


def summed_with(node: Any, head: Any, letter: str) -> bool:
    """Whether a sum has both a quantity and the one whose letter has the other case: ``y_t - Y_t``."""
    terms = [unwrapped(a.arg if kind(a) == "Negative" else a) for a in node.args] if kind(node) == "Sum" else []
    bases = {split[0].base for a in terms if (split := head_and_parts(a)) is not None and step_part(split[1], letter) is not None}
    return {head.base, head.base.swapcase()} <= bases
