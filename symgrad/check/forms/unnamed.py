r"""An output without a name: the ``V h_t`` of ``\ell_t = \frac{1}{2} \|V h_t - y_t\|^2``, the softmax of ``-y_t^\top \log \operatorname{softmax}(V h_t)``.

The document gets a name for it, and the equation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import DEFINING, Statement, exchanged, letter_of, loss_head, names_in, relation_of, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Negative, Relation, Sum

OUTPUT = "unnamed"


def outputs_of_losses(statements: list[Statement]) -> tuple[list[Statement], dict[Any, Any], dict[str, str]]:
    """The statements with an equation for such an output before that of the loss, the name → what it stands for in the document, and in a report."""
    letter = letter_of(statements)
    defined = [rel.sides for s in statements if (rel := relation_of(s.node)) is not None and rel.signs[0] in DEFINING and not s.derives]
    given = {base_of(sides[0], letter) for sides in defined}
    for at, s in enumerate(statements):
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or s.derives or loss_head(rel.sides[0]) is None:
            continue
        found = next((f for n in walk(rel.sides[-1]) if (f := difference(n, given, letter) or probabilities(n, given, letter)) is not None), None)
        if found is None:
            continue
        whole, formula, turned = found
        named = next((side for side in defined if unwrapped(side[1]) == unwrapped(formula)), None)
        name: Any = Name(OUTPUT, subs=(Name(letter),)) if named is None else unwrapped(named[0])
        told = Relation((name, formula), ("=",))
        equations = [Statement(s.fragment, told, told, (), 0, unpacked=True)] if named is None else []
        args = (whole.args[0], Negative(name)) if turned else (name, whole.args[-1])
        changed = exchanged(s, {id(whole): name if whole is formula else replace(whole, args=args)})
        out = [replace(x, number=k) for k, x in enumerate((*statements[:at], *equations, changed, *statements[at + 1 :]))]
        return out, {name: formula} if equations else {}, {OUTPUT: f"${latex(formula)}$"}
    return statements, {}, {}


def difference(node: Any, given: set[str | None], letter: str) -> tuple[Any, Any, bool] | None:
    r"""The sum ``V h_t + c - y_t`` with what is computed in it, and whether it is the other way round, ``y_t - V h_t``, y being given by no equation."""
    if kind(node) != "Sum" or len(node.args) < 2 or kind(node.args[-1]) != "Negative":
        return None
    first, last = unwrapped(node.args[0]), unwrapped(node.args[-1].arg)
    turned = len(node.args) == 2 and kind(first) == "Name"
    formula = last if turned else node.args[0] if len(node.args) == 2 else Sum(node.args[:-1])
    split = head_and_parts(first if turned else last)
    if split is None or step_part(split[1], letter) is None or base_of(first if turned else last, letter) in given:
        return None
    computed = kind(unwrapped(formula)) in ("Product", "Infix", "Sum", "Apply") and of_this_step(formula, given, letter)
    return (node, formula, turned) if computed else None


def probabilities(node: Any, given: set[str | None], letter: str) -> tuple[Any, Any, bool] | None:
    """A softmax of what the document computes."""
    found = kind(node) == "Apply" and kind(node.function) == "Name" and BUILTIN.get(node.function.base) == "softmax" and not node.function.primes
    return (node, node, False) if found and of_this_step(node, given, letter) else None


def of_this_step(formula: Any, given: set[str | None], letter: str) -> bool:
    """Whether a formula has quantities that the document computes, all of one step."""
    steps = [(step_part(parts, letter), base_of(n, letter)) for n, _, parts in names_in(unwrapped(formula))]
    stepped = [(p.node, base) for p, base in steps if p is not None]
    return bool(stepped) and all(step == Name(letter) and base in given for step, base in stepped)


def base_of(node: Any, letter: str) -> str | None:
    """A name without its step."""
    split = head_and_parts(unwrapped(node))
    return None if split is None else key_of(split[0], [p for p in split[1] if step_part((p,), letter) is None])
