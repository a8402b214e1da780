"""Formulas as the program would write them: its own names, ``@`` and ``*``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symgrad.check.programs.scopes import Scope
from symgrad.check.sources import matlab
from symgrad.check.sources.document import Passage
from symgrad.notation.numpy_formula import ATOM, FACTOR, SUM, Unwritten, Writer
from symgrad.notation.syntax import Fraction, Infix, Name, Node, Power, Variable


class Programmer(Writer):
    """Nodes to the Python of one scope, or to what its program was put into Python from."""

    def __init__(self, spelled: Mapping[Any, str], cell: Scope, origin: Passage | None) -> None:
        super().__init__(False)
        self.spelled, self.cell, self.origin = spelled, cell, origin
        self.rules |= {
            Infix: self.infix,
            Variable: lambda n: (n.text, ATOM),
            Fraction: lambda n: (f"{self.text(n.numerator, FACTOR)} / {self.text(n.denominator, ATOM)}", FACTOR),
        }

    def __call__(self, node: Node) -> str:
        found = self.text(node, SUM)
        if self.origin is None:
            return found
        if (back := matlab.written_back(found, self.origin.text)) is None:
            raise Unwritten
        return back

    def name(self, node: Name) -> tuple[str, int]:
        bare = replace(node, span=None)
        if bare in self.spelled:
            return self.spelled[bare], ATOM
        found = self.cell.located(bare)
        q = found[0] if found is not None else self.cell.parameter(bare)
        if q is None or "#" in q.name or (found is not None and found[1] not in (q.at, q.at - 1)):
            raise Unwritten
        return (q.name if found is None or found[1] == q.at else f"{q.name}_prev"), ATOM

    def infix(self, node: Infix) -> tuple[str, int]:
        if node.sign == "otimes":
            if self.origin is not None:
                return " @ ".join((self.text(node.args[0], ATOM), f"{self.text(node.args[1], ATOM)}.T")), FACTOR
            return f"np.outer({', '.join(self.text(a, SUM) for a in node.args)})", ATOM
        return " @ ".join(self.text(a, ATOM) for a in node.args), FACTOR

    def power(self, node: Power) -> tuple[str, int]:
        return f"{self.text(node.base, ATOM)}**{self.text(node.exponent, ATOM)}", ATOM
