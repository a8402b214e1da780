r"""Letters: the identifiers of code as names, a font or an accent on more than one letter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from symgrad.notation import table
from symgrad.notation.syntax import Index, Name, Node, Number, Power, Product, Span, Stack, Transpose, Tuple

_ACCENTS = frozenset(("tilde", "hat", "bar"))
_GLUED = re.compile("(d?[A-Za-z])(prev|next)")


def identifier_name(text: str, span: Span) -> Name:
    """``W_hf`` as ``W_{hf}``, ``h_tilde`` as ``\\tilde{h}``, ``h̃_t``, ``hprev`` as ``h_{prev}``; the base stays a word."""
    head, *rest = (text if (glued := _GLUED.fullmatch(text)) is None else "_".join(glued.groups())).split("_")
    base, accents = _letters(head)
    subs: list[Node] = []
    for word in rest:
        if word in _ACCENTS and not subs:
            accents = (*accents, word)
        elif word.isdigit():
            subs.append(Number(word, span=span))
        elif word:
            inner, marks = _letters(word)
            letters = len(inner) == 2 and inner.isalpha() and not marks
            subs.append(Product((Name(inner[0], span=span), Name(inner[1], span=span)), span=span) if letters else Name(inner, marks, span=span))
    return Name(table.FUNCTION_WORDS.get(base, base), accents, tuple(subs))


def _letters(word: str) -> tuple[str, tuple[str, ...]]:
    plain = unicodedata.normalize("NFD", word)
    accents = tuple(table.COMBINING[mark] for mark in plain if mark in table.COMBINING)
    base = "".join(mark for mark in plain if mark not in table.COMBINING)
    return table.SYMBOL_NAMES.get(base, base), accents


def fonted(node: Node, font: str) -> Node:
    """A formula set in a font: its letters are."""
    match node:
        case Name():
            return node if node.font or len(node.base) > 2 or node.base.isdigit() else replace(node, font=font)
        case Power(base=base):
            return replace(node, base=fonted(base, font))
        case Transpose(arg=arg):
            return replace(node, arg=fonted(arg, font))
        case Product(args=args) | Stack(args=args) | Tuple(args=args):
            return replace(node, args=tuple(fonted(a, font) for a in args))
        case Index(base=base):
            return replace(node, base=fonted(base, font))
        case _:
            return node


def accented(node: Node, accent: str) -> Node | None:
    """A formula with an accent over its letter; None where there is no single one."""
    match node:
        case Name():
            return replace(node, accents=(*node.accents, accent))
        case Power(base=base) | Index(base=base):
            inner = accented(base, accent)
            return inner and replace(node, base=inner)
        case Transpose(arg=arg):
            inner = accented(arg, accent)
            return inner and replace(node, arg=inner)
        case _:
            return None
