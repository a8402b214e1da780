r"""Symbols for gradients in a line, what they are of, and how much of a line is convention."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.evaluation.adjoints import symbol_target
from symgrad.check.evaluation.recognise import symbol_of
from symgrad.check.evaluation.variables import named
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import Link
from symgrad.check.reading.statements import MARKS, derived, names_in
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Product
from symgrad.notation.table import SYMBOLS

ANY = frozenset({"act", "activation", "activ", "actfn", "nonlin", "nonlinearity", "func", "fn", "function"})  # words for some activation


def specific(function: Any) -> bool:
    """Whether a name is that of one function rather than a letter or a word for any."""
    return len(function.base) > 1 and function.base not in SYMBOLS and function.base.lower() not in ANY


def gate(page: Page, key: str) -> bool:
    """Whether a quantity is the value of a sigmoid."""
    d = page.definitions.get(key)
    if d is None:
        return False
    node = unwrapped(d.node)
    return kind(node) == "Apply" and kind(node.function) == "Name" and meaning(page.functions, node.function) == "sigmoid"


def conventional(page: Page, link: Link) -> bool:
    """Whether a side has adjoint symbols, ∇, gradients at steps told by number, or rounded numbers.

    So much is convention there that a formula with no slip to be found in it is not refuted.
    """
    return of_conventions(page, link) or bool(gradients_in(page, link))


def of_conventions(page: Page, link: Link, by_nabla: bool = True) -> bool:
    """Whether a side has what no other line of the document explains: ∇, if that counts, gradients at steps told by number, rounded numbers."""
    nodes = [*walk(link.left), *walk(link.right)]
    losses = page.step_losses | page.total_losses
    if any(kind(n) == "Name" and n.primes and n.subs and not of_a_name(page, n) for n in nodes):
        return True
    if any((kind(n) == "Number" and "." in n.text) or (by_nabla and kind(n) == "Derivative" and n.sign == "nabla") for n in nodes):
        return True
    if any(kind(n) == "Variable" and not told(page, n) for n in (link.left, *walk(link.right))):
        return True
    names = [*names_in(link.left), *names_in(link.right)]
    if any(head.primes and parts and spelled(replace(head, primes=0)) in page.definitions for _, head, parts in names):
        return True  # ``h'^{(t)}``, the slope that gives h, or another h
    if not any(spelled(head) in losses for _, head, _ in names):
        return False
    counted = [n.index for n in nodes if kind(n) == "Big"]  # the 1 of a bias b_1 is no step, nor that of an index, \sum_{h_1}
    numbered = [(head, parts) for n, head, parts in names if n not in counted and ((r := page.symbols.ref(n)) is None or r.step is not None or r.entries)]
    return any(kind(p.node) == "Number" and p.node.text not in ("0", "" if spelled(head) in losses else "1") for head, parts in numbered for p in parts)


def told(page: Page, variable: Any) -> bool:
    """Whether a line that holds tells which gradient a variable of a program is, or its name does: by a parameter or an input there is but one."""
    ref = page.symbols.ref(variable.of)
    given = ref is not None and ref.key not in page.definitions.keys() | page.lagged
    return given or named(variable) in page.meanings or [how for how, _ in variable.ways] == ["pre"]


def of_a_name(page: Page, function: Any) -> bool:
    r"""Whether the index of a slope is a word or a quantity, ``\phi_h'``, no step: ``f'_{(l)}`` is that of a function that has its own at every step.

    So it is where the cell applies a function of that name.
    """
    own = replace(function, primes=0)
    if any(kind(n) == "Apply" and n.function == own for d in page.definitions.values() for n in walk(d.node)):
        return True
    labels = [spelled(unwrapped(x)) for x in function.subs]
    return all(w is not None and not w.isdigit() and (len(w) > 1 or w in page.symbols.ranks) for w in labels)


def gradients_in(page: Page, link: Link) -> list[Any]:
    """The symbols for gradients in a line."""
    nodes = [*walk(link.left), *walk(link.right)]
    marked = [n for n in nodes if kind(n) == "Differential"]
    pairs = [Product(pair) for n in nodes if kind(n) == "Product" for pair in pairwise(n.args)]
    names = [(n, head) for n, head, _ in (*names_in(link.left), *names_in(link.right)) if page.symbols.ref(n) is None]
    short = [(n, page.abbreviations[word]) for n, head in names if (word := str(spelled(head))) in page.abbreviations]
    derivatives = [n for n in nodes if kind(n) == "Derivative"]
    errors = [n for n, known in short if of_quantities(page, known)]  # what they are is plain where they stand beside a gradient
    found = [*marked, *pairs, *(n for n, _ in names), *derivatives]
    out = [*(n for n, _ in short), *(n for n in found if symbol_on(page, n) is not None or solved_symbol(page, n) is not None)]
    rest = [n for n in out if n not in errors]
    return rest if rest or derivatives else out


def of_quantities(page: Page, known: Abbreviation) -> bool:
    """Whether a letter is for a formula of quantities of the cell alone, the error ``e_t = y_t - d_t``, and no mark of gradients."""
    names = [n for n, _, _ in names_in(known.node)]
    return known.key.partition("_")[0] not in MARKS and all(page.symbols.ref(n) is not None for n in names) and not derived(known.node)


def solved_symbol(page: Page, node: Any) -> str | None:
    """The name of a symbol that only the lines in which it stands tell to be a gradient; None for any other node."""
    found = symbol_of(page, node) if page.borne_out or page.told else None
    settled = found is not None and (found[0] in page.borne_out or (found[0] in page.told and f"? {found[0]}" in page.meanings))
    return f"? {found[0]}" if found is not None and settled else None


def symbol_on(page: Page, node: Any) -> Any:
    node = unwrapped(node)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name" and node.args[0].base in MARKS:
        return symbol_target(page, node, {})
    return symbol_target(page, node, {}) if kind(node) in ("Name", "Power", "Index", "Differential") else None


def of_a_gradient(page: Page, node: Any) -> bool:
    """Whether a side is a symbol for a gradient."""
    return symbol_on(page, node) is not None or symbol_of(page, node) is not None
