"""A few steps written one by one: of ``h1 = f(x1, h0)`` and ``h2 = f(x2, h1)`` the last is the equation, the others are that of earlier steps."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection

from symgrad.check.programs.names import given, named_in

NUMBERED = re.compile(r"(?P<word>[A-Za-z_]*[A-Za-z])_?(?P<step>\d)")
FEW = 4  # steps


def numbered(name: str) -> tuple[str, int] | None:
    """``h_2`` as h and 2."""
    m = NUMBERED.fullmatch(name)
    return (m["word"], int(m["step"])) if m else None


def shape(e: ast.expr, by: int, words: set[str]) -> str:
    """An expression with the numbers at its names raised; the words of these names are put among others."""
    copy = ast.parse(ast.unparse(e), mode="eval")
    for n in ast.walk(copy):
        if isinstance(n, ast.Name) and (found := numbered(n.id)):
            words.add(found[0])
            n.id = f"{found[0]}_{found[1] + by}"
    return ast.dump(copy)


def steps(body: list[ast.stmt], weights: Collection[str], gradient: Callable[[str], bool]) -> dict[str, dict[int, str]]:
    """The names of what is computed, or given, at each of a few steps, by words and numbers; nothing where these are no steps.

    Layers are none: their weights are numbered too.
    """
    values: dict[str, dict[int, ast.expr]] = defaultdict(dict)
    names: dict[str, dict[int, str]] = defaultdict(dict)
    for n in (n for s in body for n in ast.walk(s)):
        if isinstance(n, ast.For | ast.While):
            return {}
        if isinstance(n, ast.Name) and (found := numbered(n.id)):
            names[found[0]][found[1]] = n.id
    for s in body:
        match s:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (found := numbered(name)) and not any(map(gradient, {name, *named_in(value)})):
                values[found[0]][found[1]] = value
    used: set[str] = set()
    told: set[str] = set()
    for word, at in values.items():
        for k in sorted(at):
            if k + 1 in at and len(ast.unparse(at[k])) < 400:
                inside: set[str] = set()
                if shape(at[k], 1, inside) == shape(at[k + 1], 0, inside):
                    told.add(word)
                    used |= inside
    last = max((max(values[w]) for w in told), default=0)
    outside = {w for w in used if w not in values and w[0].isupper() and not given(w)}
    if not 1 < last <= FEW or used & set(values) - told or any(name in weights for w in outside for name in names[w].values()):
        return {}
    return {w: names[w] for w in told | used if all(k <= last for k in names[w]) and not any(map(gradient, names[w].values()))}
