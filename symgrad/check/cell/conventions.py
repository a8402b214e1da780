r"""The two conventions of gated units: whether a gate at 1 keeps the old state, ``z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t``, or takes the new one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.reading.prose import PARAGRAPH, PH, SENTENCE, masked
from symgrad.check.reading.statements import Statement, names_in, relation_of
from symgrad.check.reading.symbols import letters
from symgrad.check.reading.trees import kind, rebuilt, unwrapped

KEEPS = re.compile(
    r"\b(?:keep|kept|cop(?:y|ies|ied)|retain|preserv|carr(?:y|ies)|remember|unchanged)\w*|保留|保持|复制|conserv|behält|сохраня", re.IGNORECASE
)
TAKES = re.compile(
    r"\b(?:replac|overwrit|overwrot|forget|discard)\w*|(?:only|entirely|fully)[^.;]{0,20}(?:new|candidate)|替换|覆盖|更新为", re.IGNORECASE
)
GATE_AT = re.compile(r"(?:z|u|Γ|\\Gamma|\\gamma)[\w{}^\\ ]*\s*(?:=|\\approx|\\to|≈|→|\\rightarrow)\s*(?P<value>[01])\s*$")
SAID_AT = re.compile(
    r"\s*(?:is|at|equals|equal to|close to|near|of|becomes|around)\s*(?:close to |near |at |equal to )?(?P<value>[01]|one|zero)\b", re.IGNORECASE
)


def turned(lines: list[Statement]) -> list[Statement] | None:
    """The lines of a cell in the other convention; None if they mix nothing by a gate."""
    out = [replace(s, node=node, whole=node) if (node := other_way(s.node)) is not None else s for s in lines]
    return out if any(a is not b for a, b in zip(out, lines, strict=True)) else None


def other_way(node: Any) -> Any:
    r"""``(1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t`` with the two states exchanged; None for any other equation."""
    mixed = mixture(node)
    if mixed is None:
        return None
    (_, old), (_, new) = mixed
    return rebuilt(node, {id(old): new, id(new): old})


def mixture(node: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]] | None:
    """The factors of the old state and of the new one, and these, in an equation that mixes them by a gate."""
    rel = relation_of(node)
    right: Any = unwrapped(rel.sides[1]) if rel is not None and len(rel.sides) == 2 else None
    if kind(right) != "Sum" or len(right.args) != 2 or any(kind(a) != "Hadamard" or len(a.args) != 2 for a in right.args):
        return None
    terms = [tuple(a.args) for a in right.args]
    shares = [share(a) for a, _ in terms]
    if None in shares or shares[0] == shares[1]:
        return None
    lagged = [any(kind(p.node) == "Sum" for _, _, parts in names_in(b) for p in parts if letters(p.node)) for _, b in terms]
    if lagged == [True, False]:
        return terms[0], terms[1]
    return (terms[1], terms[0]) if lagged == [False, True] else None


def share(node: Any) -> str | None:
    """Whether a factor is a gate, or what it leaves of 1."""
    node = unwrapped(node)
    if kind(node) == "Name":
        return "gate"
    rest = kind(node) == "Sum" and len(node.args) == 2 and kind(node.args[0]) == "Number" and node.args[0].text == "1" and kind(node.args[1]) == "Negative"
    return "rest" if rest else None


def keeping(lines: list[Statement]) -> bool:
    """Whether the gate of a cell keeps the old state where it is 1."""
    mixed = next((m for s in lines if (m := mixture(s.node)) is not None), None)
    return mixed is not None and share(mixed[0][0]) == "gate"


def said(statements: list[Statement]) -> bool | None:
    """Whether the words say that the update gate keeps the old state where it is 1; None if they say neither, or both."""
    found = {told for s in statements if s.fragment is not None for told in said_of(s)}
    return found.pop() if len(found) == 1 else None


def said_of(s: Statement) -> set[bool]:
    r"""What the sentence around ``$z_t = 1$`` says, or one of a gate "close to 1"."""
    assert s.fragment is not None
    behind = masked(s.fragment.after[:200], False).text
    rest = SENTENCE.split(PARAGRAPH.split(behind, maxsplit=1)[0], maxsplit=1)[0]
    at = GATE_AT.match(s.fragment.latex.strip()) if s.fragment.kind == "inline" else None
    text = rest
    if at is None:
        at = SAID_AT.match(rest) if kind(s.node) == "Name" and s.node.base in ("z", "u") else None
        text = rest[at.end() :] if at is not None else ""
    if at is None:
        return set()
    text = re.split(rf"{PH}|\bwhile\b|\bwhereas\b|\band\b|[,;，；]\s*(?=when|if|for|当)", text, maxsplit=1)[0] if len(text) > 60 else text
    keeps, takes = KEEPS.search(text) is not None, TAKES.search(text) is not None
    one = at["value"] in ("1", "one")
    return set() if keeps == takes else {keeps == one}
