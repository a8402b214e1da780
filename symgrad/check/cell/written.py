r"""The loss as the document writes it, ``L = \frac{1}{2} \|h_T\|^2``, ``\ell = \sum_t y_t^\top \log p_t``: a number that the cell computes like anything else.

Where the rules of `losses` know no such loss, or know it wrong, this is what is differentiated.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.check.cell.model import softmaxes, terminals
from symgrad.check.defined.page import LOSS, Definition, Page
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.claims import EQUAL
from symgrad.check.reading.statements import LOSSES, Statement, bound_letters, loss_head, names_in, step_part
from symgrad.check.reading.symbols import head_and_parts, key_of, labelled, letters, number_at, spelled
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.check.worlds.field import Redraw
from symgrad.check.worlds.values import Valueless
from symgrad.notation.syntax import Apply, Fraction, Name, Negative, Norm, Number, Paren, Power, Product, Sum, Transpose
from symgrad.notation.table import SYMBOLS

LOGARITHMS = (Name("log"), Name("ln"))
COEFFICIENTS = frozenset({"lambda", "alpha", "beta", "gamma", "mu", "eta", "epsilon", "n", "m", "N", "B", "K"})  # letters for numbers in a loss
COUNTS = frozenset({"T", "N", "n"})  # of these, the ones for how many steps there are
CONSTANTS = frozenset({"e", "I", "1", "mathbf1", "mathbb1", "T", "N", "pi"})
ENDS = frozenset({"T", "N", "tau", "n", "L"})  # letters for the last step of a sum over all of them


def formulas(page: Page, statements: list[Statement]) -> list[tuple[Statement, Any]]:
    """The formulas of losses that the document writes, with the statements that they stand in."""
    found = []
    for s in statements:
        if kind(s.node) != "Relation" or s.derives or s.node.signs[0] not in EQUAL or (head := loss_head(s.node.sides[0])) is None:
            continue
        split = head_and_parts(unwrapped(s.node.sides[0]))
        numbered = split is not None and any(number_at(p.node, {}) is not None or kind(p.node) == "Sum" for p in split[1])  # ``L_{t+1}``
        own = spelled(head) in (page.step_losses | page.total_losses) - page.tails.keys() and not numbered
        found += [(s, side) for side in s.node.sides[:0:-1] if own and writes(page, side)][:1]
    return found


def writes(page: Page, node: Any) -> bool:
    """Whether a formula says itself what the loss is: by quantities of the cell, without other losses and without functions that it does not tell."""
    if (whole := page.symbols.ref(unwrapped(node))) is not None and page.symbols.ranks[whole.key] and not whole.entries and whole.key not in page.lagged:
        return False  # ``L_{x_t} = e_t``, a row of a matrix L
    if any(kind(n) == "Stack" for n in walk(node)):
        return False  # ``\log P(y_t | x_t)``
    refs = [r for n in walk(node) if (r := page.symbols.ref(n)) is not None]
    told = all(called(n) for n in walk(node) if kind(n) == "Apply" and page.symbols.ref(n) is None)
    unknown = [n for n in walk(node) if kind(n) == "Name" and page.symbols.ref(n) is None and spelled(n) not in bound_letters(node)]
    other = any(n.base in LOSSES or is_word(n) for n in unknown)
    return told and not other and not of_all_classes(page, node) and any(r.key in page.definitions for r in refs)


def of_all_classes(page: Page, node: Any) -> bool:
    r"""Whether a formula has the logarithm of a whole softmax, ``-\sum_t \log p_t``, which nothing weighs: its entry for some class is meant."""
    products = [n.args for n in walk(node) if kind(n) in FACTORS]
    weighed = {id(unwrapped(a)) for args in products for a in args if any(kind(m) == "Name" for b in args if b is not a for m in walk(b))}
    logs = [n for n in walk(node) if kind(n) == "Apply" and n.function in LOGARITHMS and len(n.args) == 1 and id(n) not in weighed]
    refs = [page.symbols.ref(unwrapped(n.args[0])) for n in logs]
    return any(ref is not None and not ref.entries and ref.key in softmaxes(page) for ref in refs)


def is_word(name: Any) -> bool:
    """Whether a name is a word, as that of a function is, and no letter."""
    known = len(name.base) == 1 or name.base in SYMBOLS or name.base in BUILTIN or name.base in CONSTANTS
    return not known and (not name.subs or labelled(name.subs[0]))


def as_differences_tell(page: Page, statements: list[Statement]) -> list[tuple[Statement, Any]]:
    r"""The loss of which ``\hat y_t - x_t`` is the gradient, where what is wanted of an output is something that goes into the cell, at whatever step."""
    outputs, found = {*terminals(page)}, list[tuple[Statement, Any]]()
    for s in statements:
        for n in s.nodes if s.derives else ():
            if kind(n) != "Sum" or len(n.args) != 2 or kind(n.args[1]) != "Negative":
                continue
            pair = unwrapped(n.args[0]), unwrapped(n.args[1].arg)
            for output, data in (pair, pair[::-1]):
                ref, other = page.symbols.ref(output), page.symbols.ref(data)
                known = other is not None and other.key in page.symbols.timed and other.key not in page.definitions
                alone = ref is not None and not ref.entries and ref.key in outputs - page.targets.keys()
                if known and ref is not None and alone and page.symbols.letter in letters(ref.step or output):
                    found.append((s, matching(page, ref.key, output, data)))
    votes = [sum(other == formula for _, other in found) for _, formula in found]
    first = {found.index(next(pair for pair in found if pair[1] == formula)): formula for _, formula in found}
    return [found[k] for k in sorted(first, key=lambda k: -votes[k])]


def matching(page: Page, key: str, output: Any, data: Any) -> Any:
    """The loss of a step that goes with the function of an output: of a softmax the logarithm, of anything else the square."""
    if key in softmaxes(page):
        return Negative(Product((Transpose(data), Apply(LOGARITHMS[0], (output,)))))
    return Product((Fraction(Number("1"), Number("2")), Power(Norm(Sum((output, Negative(data)))), Number("2"))))


def called(node: Any) -> bool:
    """Whether a function is one that everybody knows, and no word for a loss."""
    return kind(node.function) == "Name" and not node.function.primes and node.function.base in BUILTIN


def with_loss(page: Page, formula: Any) -> Page | None:
    """The page on which the loss is a number computed by this formula; None where the formula has no value in its worlds."""
    step = of_a_step(page, formula)
    letter, node, factor = step or (page.symbols.letter, formula, None)
    node = spelled_out(page, node)
    out = copy(page)
    out.symbols = replace(
        page.symbols, ranks={**page.symbols.ranks, LOSS: 0}, timed={*page.symbols.timed, LOSS}, strings={}, _memo={}, _meant={}, _loose={}, _counted=0
    )
    learn(out, node, letter)
    out.definitions = {**page.definitions, LOSS: Definition(LOSS, node, letter)}
    vars(out).update(lagged=page.lagged, later=page.later, present=page.present)
    out.data = frozenset(r.key for n in walk(node) if (r := out.symbols.ref(n)) is not None) & out.symbols.timed - out.definitions.keys()
    out.loss, out.shapes, out.loss_rules = formula, None, {}
    if step is None or not step_loss(page, formula):
        stepped = any(r.step is not None for n in walk(formula) if (r := page.symbols.ref(n)) is not None)
        out.many_to_one, out.loss_at = step is None and (stepped or page.many_to_one), None  # ``L = (y - \\hat y)^2`` is that of any step
    out.loss_weight = page.loss_weight if step is not None and step_loss(page, formula) else factor
    out.marks_summed = None if page.loss_weight is None and factor is not None else page.marks_summed
    out.origin = None  # its own models
    return out if understood(out) else None


def understood(page: Page) -> bool:
    """Whether the loss has a value and slopes in the world, at the last step or, where it looks ahead, at the one before."""
    for step in (page.world.steps, page.world.steps - 1):
        try:
            if any(np.any(edge) for edge in page.world.local((LOSS, step)).values()):
                return True
        except (Valueless, Redraw, ValueError, IndexError, KeyError, AttributeError, TypeError, AssertionError):
            return False
    return False


def step_loss(page: Page, formula: Any) -> bool:
    """Whether a formula is that of one step, which no sum over the steps is taken of in it."""
    return not any(kind(n) == "Big" and over_steps(page, n) for n in walk(formula))


def of_a_step(page: Page, node: Any) -> tuple[str, Any, Any] | None:
    r"""What ``c \sum_{t=1}^T \ell_t`` adds at every step, the letter of the step, and a factor that counts the steps; None for a loss of single steps."""
    letter = page.symbols.letter
    if (found := within(page, node)) is not None:
        return found
    return (letter, node, None) if free(page, node, letter) and step_loss(page, node) else None


def within(page: Page, node: Any) -> tuple[str, Any, Any] | None:
    r"""The letter of a sum over all steps, and what stands in it, with what stands before it; a factor ``\frac{1}{T}`` apart."""
    node = unwrapped(node)
    match kind(node):
        case "Negative" if (inner := within(page, node.arg)) is not None:
            return inner[0], Negative(inner[1]), inner[2]
        case "Product" | "Infix" if len(node.args) == 2 and (inner := within(page, node.args[1])) is not None:
            factor = unwrapped(node.args[0])
            if free(page, factor, inner[0]) or inner[2] is not None:
                return None
            counts = any(kind(n) == "Name" and n.base in COUNTS for n in walk(factor))
            return (inner[0], inner[1], factor) if counts else (inner[0], replace(node, args=(factor, Paren(inner[1], "("))), None)
        case "Sum" if len(parts := [part for a in node.args if (part := within(page, a)) is not None]) == len(node.args):  # ``\sum_t a_t + \sum_t b_t``
            letter, _, factor = parts[0]
            alike = all((own, count) == (letter, factor) for own, _, count in parts)
            return (letter, Sum(tuple(Paren(body, "(") for _, body, _ in parts)), factor) if alike else None
        case "Sum" if (inner := within(page, node.args[0])) is not None:  # ``\sum_t a_t + b_t``: the sum reaches over both
            turned = kind(unwrapped(node.args[0])) == "Negative"
            own = inner[1].arg if turned else inner[1]
            if inner[2] is not None or not all(free(page, a, inner[0]) for a in node.args[1:]):
                return None
            whole = Sum((own, *node.args[1:]))
            return inner[0], Negative(whole) if turned else whole, None
        case "Big" if over_steps(page, node) and of_all(node):
            return str(spelled(node.index)), node.body, None
    return None


def of_all(node: Any) -> bool:
    r"""Whether a sum is over all steps, ``\sum_t``, ``\sum_{t=1}^T``."""
    first = node.lower is None or number_at(node.lower, {}) == 1
    return first and (node.upper is None or spelled(unwrapped(node.upper)) in ENDS)


def over_steps(page: Page, node: Any) -> bool:
    """Whether a sum counts steps."""
    return node.kind == "sum" and node.index is not None and free(page, node.body, str(spelled(node.index)))


def free(page: Page, node: Any, letter: str) -> bool:
    """Whether a quantity stands at the step of a letter in a formula."""
    steps = (ref.step for n in walk(node) if (ref := page.symbols.ref(n)) is not None and ref.key in page.symbols.timed)
    unknown = (p.node for n, _, parts in names_in(node) if page.symbols.ref(n) is None and (p := step_part(parts, letter)) is not None)
    return any(step is not None and letter in letters(step) for step in (*steps, *unknown))


# -- the formula -------------------------------------------------------------------------------------------------------------------


def spelled_out(page: Page, node: Any) -> Any:
    r"""The formula with squared norms without their labels, and with ``y^\top \log p`` for the entry of a class, ``\log p[y]``."""
    new = {}
    for n in walk(node):
        if kind(n) == "Index" and n.kind == "_" and spelled(n.parts[0]) in ("2", "F", "text"):
            inner = n.base.base if kind(n.base) == "Power" else n.base
            if kind(inner) in ("Norm", "Absolute"):
                new[id(n)] = n.base
        elif kind(n) == "Big" and n.kind == "sum" and n.index is not None and unused(page, n):
            new[id(n)] = n.body
        elif kind(n) == "Apply" and n.function in LOGARITHMS and len(n.args) == 1 and (entry := at_the_class(page, n.args[0])) is not None:
            new[id(n)] = Product((Transpose(entry[1]), replace(n, args=(entry[0],))))
        elif kind(n) == "Apply" and n.function.base == "log" and len(n.function.subs) == len(n.args) == 1:  # ``\log_2``
            new[id(n)] = Product((Fraction(Number("1"), Apply(LOGARITHMS[0], n.function.subs)), Apply(LOGARITHMS[0], n.args)))
    return rebuilt(node, new) if new else node


def unused(page: Page, total: Any) -> bool:
    r"""Whether ``\sum_k y_t \ln p_t`` adds up the entries of what is a vector without that index."""
    index = spelled(total.index)
    return index != page.symbols.letter and not any(index in letters(p.node) for _, _, parts in names_in(total.body) for p in parts)


def at_the_class(page: Page, node: Any) -> tuple[Any, Any] | None:
    r"""The output and the class of ``p_t[x_{t+1}]``, ``p_t(y_t)``: what is wanted stands for its place in the vector."""
    node = unwrapped(node)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[1]) == "Paren":
        output, wanted = node.args[0], unwrapped(node.args[1])
    elif kind(node) == "Index" and len(node.parts) == 1 and kind(node.base) != "Norm":
        output, wanted = node.base, unwrapped(node.parts[0])
    else:
        return None
    ref, own, split = page.symbols.ref(unwrapped(output)), page.symbols.ref(wanted), head_and_parts(wanted)
    data = own.key not in page.definitions if own is not None else split is not None and bool(split[1])
    return (output, wanted) if ref is not None and ref.key in softmaxes(page) and data else None


def learn(page: Page, node: Any, letter: str) -> None:
    """Know the names that stand in the loss alone: what has a step is data, another one is a parameter."""
    skip = bound_letters(node) | {letter}
    symbols, beside = page.symbols, beside_numbers(node)
    for n, head, parts in names_in(node):
        if symbols.ref(n) is not None or (not parts and (head.base in CONSTANTS or spelled(head) in skip)):
            continue
        step = step_part(parts, letter) or next((p for p in parts if number_at(p.node, {}) is not None or spelled(p.node) == "T"), None)
        name = key_of(head, [p for p in parts if p is not step and spelled(p.node) not in skip])
        if name is None:
            continue
        entries = sum(p is not step and spelled(p.node) in skip for p in parts)
        number = (head.base in COEFFICIENTS and not parts) or n in beside
        symbols.ranks[name] = 0 if number else entries or (2 if head.base.isupper() and len(head.base) == 1 and step is None else 1)
        if step is not None:
            symbols.timed.add(name)
        symbols.clear()


def beside_numbers(node: Any) -> set[Any]:
    r"""The names that multiply a squared norm, as ``m_t`` in ``m_t \|q_t - d_t\|^2``: numbers."""
    products = [[unwrapped(a) for a in n.args] for n in walk(node) if kind(n) in FACTORS]
    norms = [[a for a in args if kind(a) == "Power" and kind(unwrapped(a.base)) in ("Norm", "Absolute")] for args in products]
    return {n for args, found in zip(products, norms, strict=True) if found for a in args if a not in found for n, _, _ in names_in(a)}
