r"""Functions by letter: what words and formulas say of f, and what they leave open."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.defined.formulas import by_formula, falls, functional, of_its_variable
from symgrad.check.defined.groups import Collected
from symgrad.check.reading.activations import BUILTIN, CASE, said
from symgrad.check.reading.prose import clause
from symgrad.check.reading.settle import FUNCTIONS, names_a_function
from symgrad.check.reading.statements import DEFINING, Statement, derived
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped

ARBITRARY = re.compile(r"\b(?:any|arbitrary|generic|some|differentiable)\b|任意|beliebig|quelconque|cualquier|qualquer|произвольн", re.IGNORECASE)
REACH = 60  # characters behind a letter in which words say of what kind its function is


def in_words(out: Collected, s: Statement) -> None:
    """What words say of a letter for a function, the first that name one; that it is any says less than these."""
    assert s.fragment is not None
    before = clause(s.fragment.before)
    letter, rule = s.node.base, said(s.node, before, s.fragment.after)
    if rule is None:
        return
    if CASE.search(before) and rule != letter:
        out.cases.setdefault(letter, set()).add(rule)
        return
    if rule == letter and letter not in out.functions:
        out.open.add(letter)
        if ARBITRARY.search(before + s.fragment.after[:REACH]):
            out.arbitrary.add(letter)
    elif rule != letter and letter in out.open:
        out.open.discard(letter)
        del out.functions[letter]
    out.functions.setdefault(letter, rule)


def in_some_case(out: Collected) -> None:
    """What letters for functions are "if f is tanh", where nothing is said of them in general: any, if there are several cases."""
    for letter, rules in out.cases.items():
        if letter not in out.functions and (len(rules) > 1 or rules != {"identity"}):
            out.functions[letter] = letter if len(rules) > 1 else next(iter(rules))
            out.open |= {letter} if len(rules) > 1 else set()


def function_definition(out: Collected, s: Statement, rel: Any) -> bool:
    r"""``g(x) = \tanh(x)``, ``\sigma(x) = \frac{1}{1+e^{-x}}``: a name for a function; of known ones the formula is a claim."""
    sides = [unwrapped(x) for x in rel.sides]
    if s.fragment is not None and s.fragment.kind == "inline" and CASE.search(clause(s.fragment.before)) and (told := functional(rel)) is not None:
        out.cases.setdefault(told[0], set()).add(told[1])
        out.defining.add((s.number, 0))
        return True
    if rel.signs[0] in DEFINING and names_a_function(rel):
        out.functions[str(spelled(sides[0]))] = BUILTIN[sides[1].base]
        out.defining.add((s.number, 0))
        return True
    heads = []
    for x in sides:
        if (
            kind(x) == "Apply"
            and len(x.args) == 1
            and kind(unwrapped(x.args[0])) == "Name"
            and not unwrapped(x.args[0]).subs
            and not x.function.primes
            and not x.function.subs
        ):
            heads.append((x.function.base, spelled(unwrapped(x.args[0]))))
        else:
            heads.append((None, None))
    if len(sides) == 2 and kind(sides[0]) == "Product" and [kind(a) for a in sides[0].args] == ["Name", "Paren"] and unwrapped(sides[0].args[1]) == sides[1]:
        identity = kind(sides[1]) == "Name" and not sides[1].subs  # ``h(x) = x``, of a function by the letter of a state
        out.defining |= {(s.number, 0)} if identity else set()
        return identity
    head, variable = heads[0]
    if len(heads) == 2 and head == "sigma" and heads[1][0] is None and kind(sides[1]) != "Name" and not derived(rel):
        return of_sigma(out, s, str(variable), sides[1])
    known = next((BUILTIN[b] for b, _ in heads if b in BUILTIN), None)
    names = [b for b, _ in heads if b and b not in BUILTIN]
    if len(heads) > 1 and heads[0][0] == "sigma" and heads[1][0] in ("tanh", "relu", "ReLU") and heads[0][1] == heads[1][1]:  # the letter for any activation
        known, names = BUILTIN[str(heads[1][0])], ["sigma"]
    if not names or out.letter in [w for _, w in heads]:
        return False
    if known is not None:
        for b in names:
            out.functions[b] = known
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    if kind(sides[-1]) == "Name" and sides[-1].base in [w for _, w in heads]:
        for b in names:
            out.functions[b] = "identity"
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    if len(heads) == 2 and head and (rule := by_formula(str(variable), sides[1])) is not None:
        told = out.functions.setdefault(head, rule)
        if told != rule:  # several formulas: the letter is that of any of these functions
            out.functions[head] = head
        out.defining.add((s.number, 0))
        return True
    if len(heads) == 2 and head in FUNCTIONS and of_its_variable(str(variable), sides[1]):
        leave_open(out, s, head)
        return True
    return False


def of_sigma(out: Collected, s: Statement, variable: str, node: Any) -> bool:
    r"""``\sigma(x) = \frac{2}{1 + e^{-x}} - 1``: another function by the letter of the logistic one.

    A formula of that one, or one that falls, as it does where a sign is lost, is a claim about it.
    """
    rule = by_formula(variable, node)
    if rule == "sigmoid" or falls(node, variable) or (rule is None and not of_its_variable(variable, node)):
        return False
    if rule is None or out.functions.get("sigma", rule) != rule:
        leave_open(out, s, "sigma")
    else:
        out.functions["sigma"] = rule
        out.defining.add((s.number, 0))
    return True


def leave_open(out: Collected, s: Statement, letter: str) -> None:
    """A letter stands for a function of which nothing may be supposed."""
    out.functions[letter] = letter
    out.open.add(letter)
    out.defining.add((s.number, 0))
