"""Proofs: a link in the readings of a page, what a proof takes for granted, and what it settles for the lines behind it."""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from typing import Any

from symgrad.check.defined.page import Page
from symgrad.check.evaluation import everystep
from symgrad.check.evaluation.adjoints import symbol_id
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.variables import named
from symgrad.check.judging import caution
from symgrad.check.judging.conventions import against_convention
from symgrad.check.judging.court import Court
from symgrad.check.judging.excuses import unexcused
from symgrad.check.judging.lengths import beside_the_last, fixed, too_short
from symgrad.check.reading.claims import Link, links
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import MARKS
from symgrad.check.reading.symbols import head_and_parts, is_top
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds.readings import Chooser, Option
from symgrad.notation.syntax import Product

SHARING = 8  # lines with the same symbol that are looked at


def attempt(court: Court, page: Page, left: Any, right: Any, link: Link) -> Outcome:
    """The two sides of a link, or an earlier side of its chain in the place of the left one."""
    outcome = Decider(page).decide(left, right)
    if outcome.equal:
        return outcome
    earlier, before = chain(court, link)
    if earlier and not outcome.typed and (outcome.unsupported is not None or outcome.missing is not None):
        for side in reversed(earlier):
            again = Decider(page).decide(side, right)
            named = outcome.missing is not None and caution.symbol_on(page, side) is not None  # what it is of, the side that is not understood may say
            if again.equal or (again.typed and not named):
                return again
    if earlier and before in court.right and not summed(link):
        # the same symbol may have meant the immediate derivative in the line before: hold it against the first line too
        again = Decider(page).decide(earlier[0], right)
        if again.equal:
            return again
    if earlier and before not in court.right and (before in court.wrong or caution.symbol_on(page, earlier[0]) is None):
        again = Decider(page).decide(earlier[0], right)  # behind an open line, a symbol for a gradient may mean anything
        if again.equal:
            again.skipped = True
            return again
    return outcome


def chain(court: Court, link: Link) -> tuple[tuple[Any, ...], tuple[int, int]]:
    """The sides of a chain before the left one of a link, those in formulas before its own too; and the link before it."""
    earlier, s = link.earlier, link.statement
    last = s.number, link.number - 1
    while s.goes_on and (before := next((other for other in reversed(court.statements[: s.number]) if kind(other.node) == "Relation"), None)) is not None:
        last = (before.number, len(before.node.signs) - 1) if s is link.statement and not link.number else last
        earlier, s = (*before.node.sides[:-1], *earlier), before
    return earlier, last


def summed(link: Link) -> bool:
    """Whether the line before is a sum over time and this one is not: then this one cannot speak of a single step."""
    before, now = (any(kind(n) == "Big" and n.kind == "sum" for n in walk(side)) for side in (link.left, link.right))
    return before and not now


def proved(court: Court, page: Page, outcome: Outcome, link: Link, told: bool = False) -> Judgement:
    """The proof with what it takes for granted; open, where it holds only whatever the order of its factors.

    `told` if the caller knows how many steps there are.
    """
    chooser = outcome.chooser
    assert chooser is not None
    if outcome.lenient and not court.program and (pair := out_of_order(page, link.right)) is not None:
        return ambiguous(f"this holds only if the order of factors is left aside: in {pair} a column stands before a matrix")
    if letter := beside_the_last(page, outcome, link):
        return ambiguous(f"this holds only if {letter} is the last step")
    short = too_short(court, page, outcome, link)
    if short and not told and not fixed(court, page):
        return ambiguous(f"this holds only if there are {page.steps} steps")
    if left_out := unexcused(court, page, outcome, link):
        return ambiguous(f"this holds only if {left_out}")
    matrices = outcome.reading == "scalar" and any(a_matrix(page, n) for side in (link.left, link.right) for n in walk(side))
    if matrices and court.told_of_matrices(link.statement.number):
        return ambiguous("this holds of numbers alone, and the document speaks of vectors and matrices")
    if not court.program and (why := against_convention(court, page, outcome, link)) is not None:
        return ambiguous(why)
    remember(court, page, outcome, link)
    court.confirmed += 1
    court.transposed |= "gradient layout" in (key for key, _ in chooser.chosen)
    court.right.add((link.statement.number, link.number))
    notes = [*chooser.notes, *court.assumed(page, outcome)]
    if outcome.last_only:
        notes.append("the step named is the last one")
    if short and not told:
        notes.append(f"there are {page.steps} steps")
    if outcome.skipped:
        notes.append("it is held against the first side, as the one before it does not hold")
    if outcome.reading == "scalar" and any((r := page.symbols.ref(n)) is not None and page.symbols.ranks[r.key] == 2 for n in walk(link.right)):
        notes.append("it holds of numbers, not of matrices as it stands")
    elif outcome.lenient:
        notes.append("rows and columns are told by what they stand beside")
    if everystep.spans_time(page, link.left, link.right):
        notes.append(everystep.note(page, link.left, link.right, chooser, outcome.lenient, link.earlier))
    layout = "denominator" if "denominator" in chooser.tags else "numerator"
    return Judgement("proved", None, "", outcome.reading, layout, assumptions=tuple(dict.fromkeys(notes)))


def a_matrix(page: Page, node: Any) -> bool:
    """Whether a name is one of a weight that is a matrix, and not in a small letter, in which many write weights that are numbers."""
    ref = page.symbols.ref(node) if kind(node) == "Name" else None
    weight = ref is not None and ref.key not in page.symbols.timed and page.symbols.ranks.get(ref.key) == 2
    return ref is not None and weight and not ref.entries and not node.base.islower()


def out_of_order(page: Page, side: Any) -> str | None:
    r"""A column before what only matrices have, ``\delta_t \operatorname{diag}(f'(a_t))``, ``(\hat y_t - y_t) V^\top``: there rows are told from columns."""
    for n in walk(side):
        for a, b in pairwise(map(unwrapped, n.args)) if kind(n) in ("Product", "Infix") and getattr(n, "sign", "") not in ("odot", "circ", "otimes") else ():
            turned = kind(b) == "Transpose" or (kind(b) == "Power" and is_top(b.exponent))
            marked = kind(b) == "Diagonal" or (turned and page.ranked(b.arg if kind(b) == "Transpose" else b.base) == 2)
            if marked and a_column(page, a):
                return page.shown(Product((a, b)))
    return None


def a_column(page: Page, node: Any) -> bool:
    """Whether a factor is a vector that stands upright: a quantity, a difference of these, a symbol for a gradient."""
    terms = [unwrapped(a.arg if kind(a) == "Negative" else a) for a in node.args] if kind(node) == "Sum" else [node]
    return all((split := head_and_parts(x)) is not None and (page.ranked(x) == 1 or split[0].base in MARKS) for x in terms)


def contradicted(court: Court, page: Page, outcome: Outcome, link: Link) -> str | None:
    r"""Why a proof is doubted that takes a symbol for the gradient by a quantity for that by its preactivation: ``dh_t`` is one thing throughout a document.

    Of a state some line has to give it so, and none may hold only where it is the other; of a gate no line may, if none gives it so.
    """
    assert outcome.chooser is not None
    for key, option in outcome.chooser.chosen:
        if option.tag != "pre" or not isinstance(key, tuple) or key[1] in page.meanings:
            continue
        mark, _, own = key[1].partition(" ")
        if own.split(" ")[0] in page.lagged and "before" not in given(court, page, key[1]):
            return f"{option.note}, and no line gives it so"
        if own.split(" ")[0] not in page.lagged and (given(court, page, key[1]) or given(court, page, mark)) == {"after"}:
            return f"{option.note}; another line holds only where it is not"
        if option.value[1].removeprefix("pre:").partition("~")[0] not in page.lagged:  # a state, or the candidate for one
            continue
        if key[1] not in court.consistent:
            court.consistent[key[1]] = not any(holds_only_otherwise(court, page, other, key, option) for other in sharing(court, page, key[1], link))
        if not court.consistent[key[1]]:
            return f"{option.note}; another line holds only where it is not"
    return None


def given(court: Court, page: Page, symbol: str) -> set[str]:
    """Whether the lines that give a symbol for a gradient, or those of gates with its mark, give it before or after the activation; both, if it changes."""
    memo = page.memos["before or after the activation"]
    if not memo:
        memo[""] = set()
        for other in (other for s in court.statements if kind(s.node) == "Relation" for other in links(s)):
            name, target = named_by(page, other.left), caution.symbol_on(page, other.left)
            if name is None or target[0] not in page.definitions:
                continue
            way = which_way(page, other, name)
            memo.setdefault(name, set()).update(way)
            if target[0] not in page.lagged:
                memo.setdefault(name.partition(" ")[0], set()).update(way)
    return memo.get(symbol, set())  # type: ignore[no-any-return]


def which_way(page: Page, link: Link, symbol: str) -> set[str]:
    """Whether a line holds where the symbol on its left is the gradient before the activation, or after it; not where it is either."""
    if caution.updates_itself(page, link):
        return {"before", "after"}
    outcome = Decider(page).decide(link.left, link.right)
    if not outcome.equal or outcome.chooser is None:
        return set()
    asked = next((options for key, options in outcome.chooser.asked.items() if key == ("adjoint", symbol)), ())
    chosen = next((option for key, option in outcome.chooser.chosen if key == ("adjoint", symbol)), None)
    if not any(option.tag == "pre" for option in asked):
        return set()
    return {"before"} if chosen is not None and chosen.tag == "pre" else {"after"}


def one_of_many(page: Page, outcome: Outcome, link: Link) -> str | None:
    """What a proof rests on, if a letter without its label is read as one weight, ``W`` as ``W_o``, and of another one of that shape the line does not hold."""
    chooser, dims, decider = outcome.chooser, page.world.model.dims, Decider(page)
    assert chooser is not None
    for key, options in chooser.asked.items():
        if not isinstance(key, tuple) or key[0] != "weight":
            continue
        chosen = options[chooser.fixed.get(key, 0)]
        for k, other in enumerate(options):
            if other is chosen or dims.get(other.value) != dims.get(chosen.value):
                continue
            states = [decider.in_reading(link.left, link.right, answers, outcome.mode) for answers in (chooser.fixed, {**chooser.fixed, key: k})]
            if states == ["equal", "differs"]:
                return chosen.note
    return None


def of_one_step(page: Page, outcome: Outcome, link: Link) -> bool:
    r"""Whether a line that holds of all sequences that were tried fails of one with a single step, as ``\sum_{t=2}^T`` does."""
    assert outcome.chooser is not None
    if page.steps == 1 or not everystep.spans_time(page, link.left, link.right):
        return False
    short = copy(page)
    short.steps = 1
    short.memos["worlds"] = page.memos["worlds of one step"]
    states = (Decider(p).in_reading(link.left, link.right, outcome.chooser.fixed, outcome.mode) for p in (short, page))
    return next(states) == "differs" and next(states) == "equal"


def sharing(court: Court, page: Page, symbol: str, link: Link) -> list[Link]:
    """The other links in which a symbol for a gradient stands."""
    found = [other for s in court.statements if kind(s.node) != "Unread" and s.number != link.statement.number for other in links(s)]
    return [other for other in found if any(symbol == named_by(page, n) for side in (other.left, other.right) for n in walk(side))][:SHARING]


def named_by(page: Page, node: Any) -> str | None:
    """The symbol for a gradient that a node is, as all its occurrences are named."""
    target = caution.symbol_on(page, node)
    return symbol_id(target[4], target[3], target[1]) if target is not None else None


def holds_only_otherwise(court: Court, page: Page, other: Link, key: Any, option: Option) -> bool:
    """Whether a link holds, and not where the symbol is settled to be what the option says."""
    outcome = Decider(page).decide(other.left, other.right)
    if not outcome.equal or outcome.chooser is None or any(k == key and o.tag == "pre" for k, o in outcome.chooser.chosen):
        return False
    settled = page.twin()
    settled.meanings = {**page.meanings, key[1]: str(option.value)}
    return not Decider(settled).decide(other.left, other.right).equal


def remember(court: Court, page: Page, outcome: Outcome, link: Link) -> None:
    """The meaning of an adjoint symbol on the left side is settled by the line that holds; so are unknown names that have one reading.

    Of a program every variable is settled, wherever it stands.
    """
    assert outcome.chooser is not None
    if court.program:
        settled(court, outcome.chooser, link)
        return
    asked = outcome.chooser.asked.items()
    page.settled.update({key[1]: str(options[0].value) for key, options in asked if isinstance(key, tuple) and key[0] == "weight" and len(options) == 1})
    target = caution.symbol_on(page, link.left)
    if target is None:
        return
    _, _, _, words, name, _ = target
    which = symbol_id(name, words, target[1])
    for key, option in outcome.chooser.chosen:
        if key == ("adjoint", which):
            for p in court.pages.values():
                p.meanings.setdefault(which, str(option.value))


def settled(court: Court, chooser: Chooser, link: Link) -> None:
    """The gradients that the variables of a line hold: what is assigned here is what it is, what came from elsewhere is likely so."""
    own = named(link.left) if kind(link.left) == "Variable" else ""
    for key, option in chooser.chosen:
        if isinstance(key, tuple) and key[0] == "variable":
            for p in court.pages.values():
                p.meanings.setdefault(key[1], str(option.value))
                if key[1] == own:
                    p.meanings[f"={own}"] = str(option.value)
