"""Identifiers of code as names: ``W_hf``, ``h_tilde``, ``dh_t``."""

from __future__ import annotations

import unicodedata

from symgrad.notation import table
from symgrad.notation.syntax import Name, Node, Number, Product

_ACCENTS = frozenset(("tilde", "hat", "bar"))


def identifier_name(text: str) -> Name:
    """``W_hf`` as ``W_{hf}``, ``h_tilde`` as ``\\tilde{h}``, ``h̃_t``; the base stays a word."""
    head, *rest = text.split("_")
    base, accents = _letters(head)
    subs: list[Node] = []
    for word in rest:
        if word in _ACCENTS and not subs:
            accents = (*accents, word)
        elif word.isdigit():
            subs.append(Number(word))
        elif word:
            inner, marks = _letters(word)
            letters = len(inner) == 2 and inner.isalpha() and not marks
            subs.append(Product((Name(inner[0]), Name(inner[1]))) if letters else Name(inner, marks))
    return Name(table.FUNCTION_WORDS.get(base, base), accents, tuple(subs))


def _letters(word: str) -> tuple[str, tuple[str, ...]]:
    plain = unicodedata.normalize("NFD", word)
    accents = tuple(table.COMBINING[mark] for mark in plain if mark in table.COMBINING)
    base = "".join(mark for mark in plain if mark not in table.COMBINING)
    return table.SYMBOL_NAMES.get(base, base), accents
