r"""Letters for the value of a known function: beside ``y = \tanh(x)`` the line ``dy/dx = 1 - y^2`` is one about ``\tanh(x)``.

Only in lines that name nothing but the two letters, and only up to where the letter stands for something else.

So too the ``f_t`` of ``\partial f_t / \partial h_{t-1}`` beside ``h_t = f(x_t, h_{t-1}, w)``: the function at step t.
"""

from __future__ import annotations

from typing import Any

from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, relation_of, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
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


def functions_at_steps(statements: list[Statement]) -> list[Statement]:
    """The statements with the whole call for a function that has the step of its value, where nothing but derivatives are taken of it."""
    letter = letter_of(statements)
    defining = [s.node.sides for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    calls: dict[str, Any] = {}
    for left, right, *_ in defining:
        call, split = unwrapped(right), head_and_parts(unwrapped(left))
        of_any = kind(call) == "Apply" and call.function == Name(getattr(call.function, "base", "")) and call.function.base not in BUILTIN
        if of_any and len(call.args) > 1 and split is not None and step_part(split[1], letter) is not None:
            calls.setdefault(call.function.base, call)
    if not calls:
        return statements
    derived = {id(unwrapped(n.of)) for s in statements for n in s.nodes if kind(n) == "Derivative"}
    named = [n for s in statements for n in s.nodes if kind(n) == "Name" and n.base in calls and len(n.subs) == 1 and n == Name(n.base, subs=n.subs)]
    elsewhere = {n.base for n in named if id(n) not in derived}

    def called(n: Any) -> Any:
        call = calls[n.base]
        return rebuilt(call, {id(inner): n.subs[0] for inner in walk(call) if inner == Name(letter)})

    new = {id(n): called(n) for n in named if n.base not in elsewhere}
    return throughout(statements, lambda n: new.get(id(n)))


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
