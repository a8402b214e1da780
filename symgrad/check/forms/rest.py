r"""The rest of what an activation is applied to, ``h_t = \tanh(W h_{t-1} + \dots)``: a vector of every step that does not depend on the state.

Only where no other line gives the state an equation: beside one, such a line speaks of another cell in passing.
"""

from __future__ import annotations

from typing import Any

from symgrad.check.reading.statements import Statement, exchanged, given_at_a_step, letter_of, names_in, step_part
from symgrad.check.reading.symbols import number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.syntax import Name

REST = Name("rest", subs=(Name("t"),))
NOTE = "the dots of its equation stand for what does not depend on the state"


def with_a_rest(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any]]:
    """The statements with a name for the dots, and what these are in the document."""
    letter = letter_of(statements)
    ends = {s.number: found for s in statements if letter == "t" and (found := end_of(s, letter)) is not None}
    whole = {spelled(head) for s in statements if ends and s.number not in ends and (head := given_at_a_step(s, letter)) is not None}
    if not ends or any(head in whole for head, _ in ends.values()):
        return statements, {}
    new = [exchanged(s, {id(ends[s.number][1]): REST}) if s.number in ends else s for s in statements]
    return new, {REST: next(iter(ends.values()))[1]}


def end_of(s: Statement, letter: str) -> tuple[str, Any] | None:
    """The letter of a state whose activation is applied to terms that end in dots, and these dots."""
    head = given_at_a_step(s, letter)
    for call in (n for n in s.nodes if kind(n) == "Apply" and len(n.args) == 1) if head is not None else ():
        argument: Any = unwrapped(call.args[0])
        earlier = (h for _, h, parts in names_in(argument) if before(parts, letter))
        if kind(argument) == "Sum" and kind(argument.args[-1]) == "Ellipsis" and spelled(head) in map(spelled, earlier):
            return str(spelled(head)), argument.args[-1]
    return None


def before(parts: Any, letter: str) -> bool:
    """Whether a name stands at the step before."""
    step = step_part(parts, letter)
    return step is not None and number_at(step.node, {letter: 0}) == -1
