r"""What the symbols and the names in a line stand for, as other lines tell: what one that holds rests on is neither convention nor a guess."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.court.marks import gate, gradients_in, of_conventions, solved_symbol, symbol_on
from symgrad.check.defined.incomplete import invented
from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.evaluation.adjoints import before_it, told_by_gates
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import EQUAL, Link, links
from symgrad.check.reading.naming import TOLD
from symgrad.check.reading.statements import MARKS, bound_letters, loss_head, names_in
from symgrad.check.reading.symbols import COUNTERS, STEP_LETTERS, head_and_parts, is_top, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.caution import word
from symgrad.check.ruling.meanings import a_gradient, introduced

# -- symbols for gradients ---------------------------------------------------------------------------------------------------------


def settled_symbols(court: Court, page: Page, link: Link) -> bool:
    """Whether each symbol for a gradient in a line stands in another one too, that holds, and the line is wrong whatever part of a gradient they mean."""
    if link.sign != "=" or of_conventions(page, link, by_nabla=not nabla_told(court, page, link)) or loosely_written(page, link):
        return False
    symbols = gradients_in(page, link)
    told = [(target := symbol_on(page, n)) is not None and before_it(unwrapped(n)) and target[4].partition(" ")[0] in page.told_marks for n in symbols]
    wanted = {called_in(page, n) for n, known in zip(symbols, told, strict=True) if not known}
    for other in others(court, link) if wanted and None not in wanted else ():
        found = called(page, other) & wanted
        if found and holds(page, other):
            wanted -= found
        if not wanted:
            break
    return bool(symbols) and not wanted and not in_part(page, link)


def nabla_told(court: Court, page: Page, link: Link) -> bool:
    r"""Whether another line with a ``\nabla_W L`` holds, so that it is the gradient of this loss in this layout."""
    return any(of_nabla(other) and holds(page, other) for other in others(court, link))


def of_nabla(link: Link) -> bool:
    nodes = [*walk(link.left), *walk(link.right)]
    return any(kind(n) == "Derivative" and n.sign == "nabla" and loss_head(n.of) is not None for n in nodes)


def called(page: Page, link: Link) -> set[str | None]:
    """What tells the symbols for gradients in a line from others; None for one of which that is not known."""
    return {called_in(page, n) for n in gradients_in(page, link)}


def called_in(page: Page, node: Any) -> str | None:
    """What tells a symbol for a gradient from others: what it was introduced as, or its mark and what sort of quantity it names."""
    if (known := solved_symbol(page, node)) is not None:
        return known
    target, split = symbol_on(page, node), head_and_parts(node)
    short = introduced(page, node)
    at_any = short is not None and a_gradient(short.node) and at_every_step(page, short)
    if not at_any and split is not None and any(kind(p.node) == "Number" for p in split[1]):
        return None  # what a symbol is at one step, ``δ_5``, need not be what it is at another
    short = short or (page.abbreviations.get(str(spelled(split[0]))) if split is not None and target is None else None)
    if short is not None:
        if split is not None and any(len(told := spelled(p.node) or "") > 1 and told not in short.key for p in split[1]):
            return None  # ``δ^{out,t}`` need not be what ``δ^t`` is
        meant = unwrapped(short.node)
        return f"={short.key}" if kind(meant) == "Derivative" and loss_head(meant.of) is not None else None
    return None if target is None else f"{target[4].partition(' ')[0]} {sort_of(page, target[0])}"


def at_every_step(page: Page, short: Abbreviation) -> bool:
    r"""Whether a symbol was introduced by the letter that counts steps, ``g_t = \partial L/\partial h_t``, not at one told by number."""
    lines = (s.node for s in page.statements if s.number == short.place[0] and kind(s.node) == "Relation")
    return any(page.symbols.letter in letters(p.node) for node in lines for _, head, parts in names_in(node.sides[0]) for p in parts)


def sort_of(page: Page, key: str) -> str:
    """The quantities of which a mark means the same: parameters, preactivations, gates; a state or an output is alone."""
    if key not in page.symbols.timed and not key.startswith("pre:"):
        return "of a parameter"
    if key.startswith("pre:") or key in page.preactivations.values():
        return "of a preactivation"
    return "of a gate" if key in page.definitions and key not in page.lagged and key not in page.world.model.outputs else key


# -- names that are guessed --------------------------------------------------------------------------------------------------------


def settled_guesses(court: Court, page: Page, link: Link, outcome: Outcome) -> bool:
    """Whether what is guessed of the names in a line is what another line needs to hold, and the line is wrong whatever part of a gradient it means."""
    guesses = guesses_in(page, link)
    beside = any(key in page.guessed.keys() - guesses or invented(page, key) for key in outcome.used)
    if not guesses or beside or link.sign != "=" or loosely_written(page, link):
        return False
    wanted = guesses - page.cuts.keys()  # the name of a block says itself what it is
    for other in others(court, link) if wanted else ():
        found = {key for key in guesses_in(page, other) & wanted if told_of(page, key, other)}
        if found and holds(page, other):
            wanted -= found
        if not wanted:
            break
    return not wanted and not in_part(page, link)


def guesses_in(page: Page, link: Link) -> set[str]:
    """The quantities that a line calls by a name that is guessed, also within symbols for gradients, ``dz_f``."""
    names = [*names_in(link.left), *names_in(link.right)]
    found = [(ref.key, word(head, parts, page.symbols.letter)) for n, head, parts in names if (ref := page.symbols.ref(n)) is not None]
    marked = {target[0] for n in gradients_in(page, link) if (target := symbol_on(page, n)) is not None}
    return {key for key, name in found if key in page.guessed and (key in page.cuts or name != key)} | marked & page.guessed.keys()


def told_of(page: Page, key: str, link: Link) -> bool:
    r"""Whether a line would not hold whatever a name meant, as a chain rule through it does, ``\partial L/\partial h_t \, \partial h_t/\partial a_t``."""
    nodes = [n for side in (link.left, link.right) for n in walk(side)]
    inside = {id(x) for n in nodes if kind(n) == "Derivative" for x in walk(n)}
    named = [n for n in nodes if (r := page.symbols.ref(n)) is not None and r.key == key]
    named += [n for n in gradients_in(page, link) if (target := symbol_on(page, n)) is not None and target[0] == key]
    out = any((r := page.symbols.ref(n)) is not None and id(n) not in inside for n in nodes)
    return any(id(n) not in inside for n in named) or (len(named) == 1 and out)


# -- the lines ---------------------------------------------------------------------------------------------------------------------


def others(court: Court, link: Link) -> Iterator[Link]:
    """The other equations of a document."""
    return (other for other in equations(court) if (other.statement.number, other.number) != (link.statement.number, link.number))


def equations(court: Court) -> Iterator[Link]:
    """The equations of a document, without those that stand in words alone."""
    for s in court.statements:
        if kind(s.node) != "Unread" and s.broken is None and (s.fragment is None or s.fragment.kind != TOLD):
            yield from (other for other in links(s) if other.sign in EQUAL)


def holds(page: Page, link: Link) -> bool:
    """Whether a line holds on a page as it stands, and says something."""
    memo = page.memos["holding"]
    key = link.statement.number, link.number
    if key not in memo:
        outcome = Decider(page).decide(link.left, link.right)
        memo[key] = outcome.holds and unwrapped(link.left) != unwrapped(link.right)
    return bool(memo[key])


def loosely_written(page: Page, link: Link) -> bool:
    r"""Whether a line says more or less than it writes.

    A component of one side, ``\delta c^t = \partial E/\partial c^t_i``, one of a bracket, ``(y_t - d_t)^{(i)}``, a sum over examples, a whole
    weight for one of its blocks, a step that the other side does not name, a δ that may be Kronecker's, a list in some order, a 0 to begin with.
    """
    sides = (link.left, link.right)
    nodes = [n for side in sides for n in walk(side)]
    bare = [n for n in nodes if kind(n) == "Big" and n.upper is None]
    if any(n.index is None or not set(letters(n.index)) & {w for x in walk(n.body) for w in letters(x)} for n in bare):
        return True
    if any(kind(n) == "Power" and kind(unwrapped(n.base)) == "Sum" and kind(n.exponent) != "Number" and not is_top(n.exponent) for n in nodes):
        return True
    stacked = any(kind(n) in ("Stack", "Tuple") for n in nodes)  # ``\partial L/\partial W = \sum_t \delta_t [h_{t-1}; x_t]^\top`` is of the whole weight
    if not stacked and any((r := page.symbols.ref(n)) is not None and r.key in page.blocks for n in nodes):
        return True
    if any(of_a_quantity(page, n) for n in nodes):
        return True
    if sum(kind(unwrapped(side)) in ("Stack", "Tuple") for side in sides) == 1:
        return True
    if kind(unwrapped(link.right)) == "Number" or spelled(unwrapped(link.right)) in ("0", "O"):
        return True
    left, right = (components(page, side) for side in sides)
    before, after = (steps(page, side) for side in sides)
    return left != right or (before != after and bool(before and after))


def of_a_quantity(page: Page, node: Any) -> bool:
    r"""Whether ``\delta_{i,j}`` may be Kronecker's, or the gradient by the gate i at step j."""
    split = head_and_parts(node) if kind(node) == "Name" and node.base == "delta" else None
    words = [spelled(x) for p in (split[1] if split is not None else ()) for x in (p.node.args if kind(p.node) == "Product" else (p.node,))]
    return len(words) == 2 and str(words[0]) in page.definitions.keys() - told_by_gates(page) and words[1] != page.symbols.letter


def components(page: Page, side: Any) -> set[str]:
    """The letters for components that stand free in a formula, those of symbols for gradients among them."""
    found = {w for n in walk(side) if (r := page.symbols.ref(n)) is not None for e in r.entries for w in letters(e)}
    letter = page.symbols.letter
    stepped = (parts for _, head, parts in names_in(side) if head.base in MARKS and any(letter in letters(p.node) for p in parts))
    counted = {str(spelled(p.node)) for parts in stepped for p in parts if p.where == "sub"} & COUNTERS
    counted -= {letter, *page.symbols.counting, *page.definitions}
    return (found | counted) - bound_letters(side)


def steps(page: Page, side: Any) -> set[str]:
    """The letters for steps that stand free in a formula."""
    found = {w for _, _, parts in names_in(side) for p in parts for w in letters(p.node)}
    return found & (STEP_LETTERS | {page.symbols.letter}) - bound_letters(side) - page.symbols.ranks.keys()


def in_part(page: Page, link: Link) -> bool:
    """Whether a line holds of the loss of one step, or where the gates are fixed, or its cell has a part that leads nowhere."""
    model = page.world.model
    if any(key in page.definitions and not from_a_state(page, key) for key in model.outputs):
        return True
    inner = frozenset(key for key in page.definitions if key in page.symbols.timed and key not in page.lagged and key not in model.outputs)
    narrow, of_one = copy(page), Decider(page)
    narrow.constant = page.constant | (inner if any(gate(page, key) for key in inner) else frozenset())
    of_one.of_one = True
    return any(decider.decide(side, link.right).equal for decider in (Decider(narrow), of_one) for side in (link.left, *link.earlier))


def from_a_state(page: Page, key: str) -> bool:
    """Whether a quantity is a state or computed from one of its own step, as an output is."""
    d = page.definitions.get(key)
    return key in page.lagged or (d is not None and any(lag == 0 and ref.key != key and from_a_state(page, ref.key) for ref, lag in page.references(d)))
