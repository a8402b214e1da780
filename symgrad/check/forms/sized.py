r"""Ones, identities and maps whose index is their size: ``\mathbf 1_{d_h}`` is 1 in every entry, ``I_n`` is I, and ``T_{2n,4n}`` a weight.

The last from Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, section 3.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, letter_of, throughout
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import kind
from symgrad.notation.syntax import Name

SIZES = frozenset({"d", "n", "m", "N", "D", "H"})  # letters for the number of entries


def without_sizes(statements: list[Statement]) -> list[Statement]:
    """The statements without such indices."""
    letter = letter_of(statements)

    def bare(n: Any) -> Any:
        return replace(n, base="W", subs=(Name("T"),)) if maps(n) else replace(n, subs=()) if sized(n, letter) else None

    return throughout(statements, bare)


def maps(node: Any) -> bool:
    """Whether a T has the sizes of what it takes and what it gives, one of them no single letter."""
    subs = node.subs if kind(node) == "Name" and node.base == "T" else ()
    found = {w for sub in subs for w in letters(sub)}
    return len(subs) == 2 and bool(found) and found <= SIZES and any(kind(sub) in ("Product", "Sum") for sub in subs)


def sized(node: Any, letter: str) -> bool:
    """Whether the index of a 1 or an I is its size."""
    if kind(node) != "Name" or node.base not in ("1", "I") or node.accents or node.primes or len(node.subs) != 1 or kind(node.subs[0]) != "Name":
        return False
    (index,) = node.subs
    return index.base in SIZES - {letter} and not any(letter in letters(sub) for sub in index.subs)
