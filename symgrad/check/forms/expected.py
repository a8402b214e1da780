r"""Expectations, ``E[h_t]``: no product with a matrix E, as the bracket says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import Statement, exchanged
from symgrad.check.reading.trees import kind

BRACKET = re.compile(r"\s*(?:\\(?:left|[Bb]igg?l?)\s*)?(?:\[|\\lbrack)")


def expectations(statements: list[Statement]) -> list[Statement]:
    r"""The statements with such an E as ``\mathbb{E}``."""
    return [exchanged(s, {id(n): replace(n, font="mathbb") for n in s.nodes if expected(s, n)}) for s in statements]


def expected(s: Statement, node: Any) -> bool:
    """Whether a bracket stands right behind a bare E."""
    if kind(node) != "Name" or node.base != "E" or node.subs or node.accents or node.span is None or s.fragment is None:
        return False
    return BRACKET.match(s.fragment.latex, node.span.end) is not None
