"""The common form: a document whose notation is put into another one before it is read, and how its formulas are written in messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.symbols import is_top
from symgrad.check.reading.trees import children, kind, with_children
from symgrad.notation.latex import latex

WORST_FIRST = ("refuted", "undecided", "unread", "proved")


@dataclass
class Common:
    """The statements of a document in the common form, and what is said of that."""

    statements: list[Statement] = field(default_factory=list)
    original: dict[Any, Any] = field(default_factory=dict)  # what is in the common form → as it stands in the document
    assumed: list[str] = field(default_factory=list)  # by every claim,
    filled: dict[str, str] = field(default_factory=dict)  # and by those that name a quantity without an equation of the document's own,
    unsaid: dict[str, str] = field(default_factory=dict)  # or whose cell takes one that the document does not write
    certain: bool = True  # whether the cell is known well enough to refute a claim
    names: dict[str, str] = field(default_factory=dict)  # quantities that have another name in the document
    whole: bool = False  # whether every gradient is of the whole loss and along all paths

    def write(self, node: Any) -> str:
        """A formula in the notation of the document."""
        return latex(self.restored(node) if self.original else node)

    def restored(self, node: Any) -> Any:
        """A formula as the document would write it."""
        found = self.original.get(node) or self.shown(node)
        if found is not None:
            return found
        transposed = kind(node) == "Power" and is_top(node.exponent)  # by the letter that may be that of the last step too
        parts = (node.base,) if transposed else children(node)
        inside = {id(c): new for c in parts if (new := self.restored(c)) is not c}
        return with_children(node, inside) if inside else node

    def shown(self, node: Any) -> Any:
        """A name that stands nowhere in the document, as it would be written there; None for anything else."""
        return None

    def called(self, key: str) -> str | None:
        """A quantity as a person writes it."""
        return self.names.get(key)

    def ruled(self, links: tuple[Link, ...], rule: Callable[[Link], Judgement | None]) -> Judgement | None:
        """What is said of a link of the document: the worst of what is said of those that it became."""
        found = [said for said in map(rule, links) if said is not None]
        worst = min(found, key=lambda said: WORST_FIRST.index(said.verdict), default=None)
        if worst is None or worst.verdict != "proved":
            return worst
        return replace(worst, assumptions=tuple(dict.fromkeys(note for said in found for note in said.assumptions)))
