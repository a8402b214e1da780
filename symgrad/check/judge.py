r"""`judge` says of every relation of a document whether it is true.

The statements are read in order.  Those that define the cell are collected first (`define`); every other relation is a claim: each link
of a chain is decided on the definitions in force (`decide`) and, where it is wrong, diagnosed (`diagnose`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from symgrad.check.claim import Claim
from symgrad.check.claims import Link, links, statements_of
from symgrad.check.statements import Statement
from symgrad.check.symbols import kind
from symgrad.check.verdicts import Judge, Judgement

if TYPE_CHECKING:
    from symgrad.check.sources import Document
    from symgrad.face.cell import Cell


def judge(document: Document, cell: Cell | None = None) -> Iterator[Claim]:
    """The claims of a document, each with its verdict."""
    found = list(statements_of(document))
    court = Judge(document, found, cell)
    for s in found:
        if kind(s.node) == "Unread":
            yield unread(document, s)
            continue
        for link in links(s):
            said = court.said(link)
            if said is not None:
                yield written(document, link, said)


def unread(document: Document, s: Statement) -> Claim:
    """A formula that the parser could not read."""
    span = s.node.span
    return document.claim(
        s.fragment, span.start, span.end, verdict="unread", code="unread-formula", message=s.node.reason + (f"; {s.node.way_out}" if s.node.way_out else "")
    )


def written(document: Document, link: Link, said: Judgement) -> Claim:
    """The judgement at its place in the file."""
    start, stop = link.start, link.stop
    blame = None
    if said.blame is not None:
        blame = document.span(link.statement.fragment, *said.blame)
    definition = None
    if said.definition is not None:
        fragment, first, last = said.definition
        definition = document.span(fragment, first, last)
    return document.claim(
        link.statement.fragment, start, stop, verdict=said.verdict, reading=said.reading, layout=said.layout, code=said.code, message=said.message,
        expected=said.expected, blame=blame, counterexample=said.counterexample, assumptions=said.assumptions, definition=definition,
    )  # fmt: skip


__all__ = ["Any", "judge"]
