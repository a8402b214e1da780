"""One way through a program that can be switched: after ``tanh if kind == 'tanh' else sigmoid`` the kind is tanh, everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterable


class Switches:
    """Conditions on a word that is no argument of the function around: the word that is asked for first is the one that is set."""

    def __init__(self) -> None:
        self.chosen: dict[str, str] = {}

    def holds(self, test: ast.expr, arguments: Iterable[str] = ()) -> bool | None:
        """Whether a condition is met; None for one that is no switch."""
        match test:
            case ast.Compare(left=ast.Name() | ast.Attribute() as what, ops=[ast.Eq()], comparators=[ast.Constant(value=str(word))]):
                name = ast.unparse(what)
                return None if name in arguments else self.chosen.setdefault(name, word) == word
        return None

    def settled(self, body: list[ast.stmt], arguments: frozenset[str] = frozenset()) -> list[ast.stmt]:
        """Statements with what is done in this way alone."""
        out: list[ast.stmt] = []
        for s in body:
            if isinstance(s, ast.If) and (met := self.holds(s.test, arguments)) is not None:
                out += self.settled(s.body if met else s.orelse, arguments)
                continue
            inner = frozenset(a.arg for a in (*s.args.args, *s.args.kwonlyargs)) if isinstance(s, ast.FunctionDef) else arguments
            for part in ("body", "orelse"):
                if held := getattr(s, part, None):
                    setattr(s, part, self.settled(held, inner) or [ast.copy_location(ast.Pass(), s)])
            out.append(s)
        return out
