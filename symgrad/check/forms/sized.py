r"""Ones and identities whose index is their size: ``\mathbf 1_{d_h}`` is 1 in every entry, and ``I_n`` is I."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, letter_of, throughout
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import kind

SIZES = frozenset({"d", "n", "m", "N", "D", "H"})  # letters for the number of entries


def without_sizes(statements: list[Statement]) -> list[Statement]:
    """The statements without such indices."""
    letter = letter_of(statements)
    return throughout(statements, lambda n: replace(n, subs=()) if sized(n, letter) else None)


def sized(node: Any, letter: str) -> bool:
    """Whether the index of a 1 or an I is its size."""
    if kind(node) != "Name" or node.base not in ("1", "I") or node.accents or node.primes or len(node.subs) != 1 or kind(node.subs[0]) != "Name":
        return False
    (index,) = node.subs
    return index.base in SIZES - {letter} and not any(letter in letters(sub) for sub in index.subs)
