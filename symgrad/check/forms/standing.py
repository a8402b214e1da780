r"""Letters for the value of a known function: beside ``y = \tanh(x)`` the line ``dy/dx = 1 - y^2`` is one about ``\tanh(x)``.

Only in lines that name nothing but the two letters, and only up to where the letter stands for something else.
"""

from __future__ import annotations

from typing import Any

from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, relation_of
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Apply, Name


def values_by_letter(statements: list[Statement]) -> list[Statement]:
    """The statements with the functions in the place of such letters."""
    taken = {head(side) for s in statements if kind(s.node) == "Relation" for side in s.node.sides[:1]}
    known: dict[Name, Any] = {}
    out = []
    for s in statements:
        if s.derives or any(kind(n) == "Name" and n.primes and Name(n.base) in known for n in s.nodes):
            out.append(exchanged(s, in_place(s, known)))
            continue
        out.append(s)
        sides = [unwrapped(side) for side in s.node.sides] if relation_of(s.node) is not None and s.node.signs[0] in DEFINING else []
        letter: Any = next((side for side in sides if bare(side)), None)
        value = next((side for side in sides if of_a_letter(side)), None)
        if letter is not None:
            known.pop(letter, None)
        if letter is not None and value is not None and value.args[0] not in taken | {letter}:
            known[letter] = value
            out[-1] = exchanged(s, {id(side): value for side in s.node.sides[1:] if unwrapped(side) == letter})  # ``\sigma(x) = y`` defines no y
    return out


def in_place(s: Statement, known: dict[Name, Any]) -> dict[int, Any]:
    """What stands for the letters of a line; nothing where it names something else."""
    applied = {id(n.function) for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base in BUILTIN}
    names: list[Any] = [n for n in s.nodes if kind(n) == "Name" and id(n) not in applied]
    used = {Name(n.base) for n in names} & known.keys()
    plain = all(n == Name(n.base, primes=n.primes) for n in names)
    if len(used) != 1 or not plain or not all(Name(n.base) in {*used, known[next(iter(used))].args[0]} for n in names):
        return {}
    value = known[used.pop()]
    letter = next(Name(n.base) for n in names if Name(n.base) in known)
    slope = Apply(Name(value.function.base, primes=1), value.args)
    return {id(n): slope if n.primes else value for n in names if Name(n.base) == letter and n.primes < 2}


def of_a_letter(node: Any) -> bool:
    r"""``\tanh(x)``: a known function, entry by entry, of a letter alone."""
    known = kind(node) == "Apply" and node.function == Name(getattr(node.function, "base", "")) and len(node.args) == 1 and bare(node.args[0])
    return known and BUILTIN.get(node.function.base) in ACTIVATIONS - {"softmax"}


def bare(node: Any) -> bool:
    return kind(node) == "Name" and len(node.base) == 1 and node == Name(node.base)


def head(node: Any) -> Any:
    """The letter that an equation gives a value to."""
    return Name(unwrapped(node).base) if bare(unwrapped(node)) else None
