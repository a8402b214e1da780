r"""Preactivations with the number of the step before, ``h_{t+1} = \tanh(a_t)``: they are of the step at which the activation stands.

And ``d p \tilde c_t``, where p stands for "pre": the gradient by what the activation of ``\tilde c_t`` is applied to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import ADJOINT_HEADS, DEFINING, MARKS, Statement, letter_of, relation_of, throughout
from symgrad.check.reading.symbols import head_and_parts, letters, number_at
from symgrad.check.reading.trees import kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Name


def at_their_step(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with such preactivations at the next step, and what stands there → what the document has."""
    letter = letter_of(statements)
    given: dict[tuple[Any, int], Any] = {}
    for s in statements:
        rel = relation_of(s.node)
        left = stepped(unwrapped(rel.sides[0]), letter) if rel is not None and rel.signs[0] in DEFINING and not s.derives else None
        if left is not None:
            given[left] = unwrapped(rel.sides[1])
    calls = [unwrapped(right.args[0]) for (_, at), right in given.items() if at == 1 and kind(right) == "Apply" and len(right.args) == 1]
    named = {stepped(call, letter) for call in calls}
    early = {head for (head, at), right in given.items() if at == 0 and (head, 1) not in given and ((head, 0) in named or right in calls)}
    early -= {found[0] for (_, at), right in given.items() if at == 0 for n in walk(right) if (found := stepped(n, letter)) is not None}  # of this step too
    original: dict[Any, Any] = {}

    def moved(n: Any) -> Any:
        split = head_and_parts(n) if kind(n) in ("Name", "Power", "Index") else None
        if split is None:
            return None
        head, parts = split
        steps = [p.node for p in parts if letter in letters(p.node) or (kind(p.node) == "Number" and p.where != "sup")]
        own = len(parts) == 1 and (head in early or any(head.base == f"d{name.base}" for name in early))
        marked = head.base in ADJOINT_HEADS | MARKS and any(p.node in early for p in parts)  # ``\delta^a_t``
        if not (own or marked) or len(steps) != 1:
            return None
        later = rebuilt(n, {id(steps[0]): shifted(steps[0], 1)})
        original[later] = n
        return later

    return (throughout(statements, moved), original) if early else (statements, {})


def stepped(node: Any, letter: str) -> tuple[Any, int] | None:
    """A name with nothing but its step, and by how many steps from t that is."""
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    one = split[1][0].node if split is not None and len(split[1]) == 1 and letter in letters(split[1][0].node) else None
    at = number_at(one, {letter: 0}) if one is not None else None
    return None if split is None or at is None else (split[0], int(at))


def before_activations(statements: list[Statement]) -> list[Statement]:
    r"""The statements with ``d \tilde c_{pre}`` for ``d p \tilde c``, where p stands nowhere else."""
    letters_p = [n for s in statements for n in s.nodes if kind(n) == "Name" and n.base == "p"]
    found = {id(n): made for s in statements for n in s.nodes if letters_p and (made := by_the_argument(n)) is not None}
    return throughout(statements, lambda n: found.get(id(n))) if found and len(found) == len(letters_p) else statements


def by_the_argument(n: Any) -> Any:
    """A product with the letter p between a d and a name with an accent, where the name is that of the argument; None for any other."""
    args = n.args if kind(n) == "Product" else ()
    for k in range(len(args) - 2):
        name = args[k + 2].base if kind(args[k + 2]) == "Power" else args[k + 2]
        if args[k] == Name("d") and args[k + 1] == Name("p") and kind(name) == "Name" and name.accents:
            of = rebuilt(args[k + 2], {id(name): replace(name, subs=(*name.subs, Name("pre")))})
            return replace(n, args=(*args[: k + 1], of, *args[k + 3 :]))
    return None
