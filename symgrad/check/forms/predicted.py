r"""A name for the output in words alone: "where $\hat y$ is the output of the network", which computes ``o_t = V h_t + c``.

The document gets the equation ``\hat y_t = o_t``, if o is the one quantity that it computes and uses for nothing else, and ŷ has no equation.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgrad.check.reading.statements import DEFINING, LOSSES, Statement, letter_of, names_in, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Relation

OUTPUT = re.compile(
    r"[$`\\)\s]*(?:(?:is|are|be|being|denotes|ist|es|est|é|è)\b|是|为|為|は|—|–|-)[^.,;:。，；\n$]{0,30}?"
    r"(?:\boutputs?\b|输出|輸出|出力|\bsalida\b|\bsaída\b|\bsortie\b|\bAusgabe\b|출력|выход)(?!\s*(?:gate|layer|weight|层|門|门|层))",
    re.IGNORECASE,
)


def outputs_in_words(statements: list[Statement]) -> tuple[list[Statement], dict[str, str]]:
    """The statements with such an equation, and what is said of that by the name of the output."""
    letter = letter_of(statements)
    defining = [s for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    sides = {key: (s, unwrapped(s.node.sides[0])) for s in defining if (key := stepped(unwrapped(s.node.sides[0]), letter)) is not None}
    given = {without_step(unwrapped(s.node.sides[0]), letter) for s in defining}
    used = {key for s in defining for side in s.node.sides[1:] for n, _, _ in names_in(side) if (key := stepped(n, letter)) is not None}
    final = [(s, side) for key, (s, side) in sides.items() if key not in used and kind(side) == "Name" and side.base not in LOSSES]
    named = next((s for s in statements if in_words(s) and without_step(s.node, letter) not in given), None)
    if named is None or len(final) != 1 or final[0][1].base == named.node.base or not used & computed_from(final[0][0], letter):
        return statements, {}
    output = replace(named.node, subs=(Name(letter),), span=None)
    told = Relation((output, replace(final[0][1], span=None)), ("=",))
    equation = Statement(named.fragment, told, told, (), 0, unpacked=True)
    note = f"${latex(output)}$ is read as ${latex(final[0][1])}$, the output"
    at = statements.index(final[0][0]) + 1
    return [replace(s, number=k) for k, s in enumerate((*statements[:at], equation, *statements[at:]))], {str(without_step(named.node, letter)): note}


def in_words(s: Statement) -> bool:
    r"""Whether this is a name such as ``\hat y`` that the words behind it call the output."""
    node = s.node
    hatted = kind(node) == "Name" and not node.primes and (node.accents == ("hat",) or (node.base == "y" and bool(node.subs)))
    return hatted and s.fragment is not None and OUTPUT.match(s.fragment.after) is not None


def stepped(node: Any, letter: str) -> str | None:
    """The key of a quantity at a step; None for anything else."""
    split = head_and_parts(node)
    return without_step(node, letter) if split is not None and step_part(split[1], letter) is not None else None


def without_step(node: Any, letter: str) -> str | None:
    split = head_and_parts(node)
    return None if split is None else key_of(split[0], [p for p in split[1] if step_part((p,), letter) is None])


def computed_from(s: Statement, letter: str) -> set[str | None]:
    """The quantities that an equation names."""
    return {stepped(n, letter) for n in walk(s.node.sides[-1]) if kind(n) in ("Name", "Power", "Index")}
