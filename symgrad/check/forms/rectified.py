r"""The rectifier written out: ``\max(0, a_t)``, ``\max\{a_t, 0\}`` is ``\operatorname{relu}(a_t)``."""

from __future__ import annotations

from typing import Any

from symgrad.check.reading.statements import Statement, exchanged
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Apply, Name, Number

ZEROS = (Number("0"), Name("0"), Name("0", font="mathbf"))


def rectifiers(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with the rectifier by its name, and the name with its argument → how the document writes it."""
    out: list[Statement] = []
    original: dict[Any, Any] = {}
    for s in statements:
        new = {id(n): Apply(Name("relu"), (argument,), span=n.span) for n in s.nodes if (argument := rectified(n)) is not None}
        original |= {new[id(n)]: n for n in s.nodes if id(n) in new}
        out.append(exchanged(s, new))
    return out, original


def rectified(node: Any) -> Any:
    """The argument of the rectifier; None for anything else."""
    if kind(node) != "Apply" or node.function not in (Name("max"), Name("maximum")):
        return None
    inner: Any = unwrapped(node.args[0])
    args = inner.args if len(node.args) == 1 and kind(inner) in ("Tuple", "Stack") else node.args
    others = [a for a in args if unwrapped(a) not in ZEROS]
    return others[0] if len(args) == 2 and len(others) == 1 else None
