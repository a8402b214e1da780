"""Where the names of a generated pass stand over all steps, and which names a piece of generated code reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import TypeAlias


@dataclass(frozen=True)
class Place:
    """A name over all steps: the array ``r_all`` (T, B, ·), a row of the stack ``gates`` (·, T, B, ·), or a state in ``h_all`` (T + 1, B, ·).

    A state's array holds it before the first step and after every step: `first` is 0 for the old state, 1 for the new one.
    """

    array: str
    row: int | None = None
    first: int | None = None

    def __str__(self) -> str:
        if self.row is not None:
            return f"{self.array}[{self.row}]"
        return self.array if self.first is None else f"{self.array}[1:]" if self.first else f"{self.array}[:-1]"

    def at(self, index: str) -> View:
        """At the step ``t``, or in the ``block`` of steps from start to stop."""
        return View(self, index)


@dataclass(frozen=True)
class View:
    """A place at a step or in a block of steps."""

    place: Place
    index: str

    def __str__(self) -> str:
        if self.place.first:
            index = "t + 1" if self.index == "t" else "start + 1:stop + 1"
            return f"{self.place.array}[{index}]"
        return f"{self.place.array}[{self.index}]" if self.place.row is None else f"{self.place.array}[{self.place.row}, {self.index}]"


Views: TypeAlias = dict[str, View | str]  # local name → what it is a view of


def reads(code: str | Iterable[str]) -> set[str]:
    """The names in some lines of code, by Python's own parser."""
    text = code if isinstance(code, str) else "\n".join(code)
    return {node.id for node in ast.walk(ast.parse(dedent(text))) if isinstance(node, ast.Name)}


def assigned(lines: Iterable[str]) -> set[str]:
    """The names that get a value in some lines of code."""
    return {node.id for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def unpacked(views: Views, body: Iterable[str], own: set[str]) -> list[str]:
    """The lines that make the views which the body reads: rows side by side in a stack together, a view of a view after it."""
    wanted = reads(body) - own
    used: Views = {k: v for k, v in views.items() if k in wanted}
    for value in list(used.values()):
        below = reads(str(value))
        used = {k: v for k, v in views.items() if k in below} | used
    rows: dict[tuple[str, str], dict[int, str]] = {}
    for k, v in used.items():
        if isinstance(v, View) and v.place.row is not None:
            rows.setdefault((v.place.array, v.index), {}).setdefault(v.place.row, k)
    out: list[str] = []
    together: set[str] = set()
    for (array, index), names in rows.items():
        places = sorted(names)
        if len(places) > 1 and places == list(range(places[0], places[-1] + 1)):
            out.append(f"{', '.join(names[i] for i in places)} = {array}[{places[0]}:{places[-1] + 1}, {index}]")
            together |= set(names.values())
    alone = [k for k in used if k not in together]
    return out + [f"{k} = {used[k]}" for k in sorted(alone, key=lambda k: bool(reads(str(used[k])) & set(alone)))]
