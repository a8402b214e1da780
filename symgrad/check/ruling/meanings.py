r"""What symbols mean in the other lines of a document: ``dh_t`` is one thing throughout it, and so is a weight of which the label is left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.evaluation.adjoints import symbol_id
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import Link, links
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import loss_head, names_in
from symgrad.check.reading.symbols import head_and_parts, key_of
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling import caution
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.world import TOTAL

SHARING = 8  # lines with the same symbol that are looked at


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


def of_another_part(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    r"""A symbol with "next", ``dc_{next}``, that is the whole gradient here, and only what comes through the next step in another line that holds."""
    assert outcome.chooser is not None
    for key, option in outcome.chooser.chosen if not court.program else ():
        if not isinstance(key, tuple) or key[0] != "adjoint" or "next" not in key[1].split(" ")[1:] or option.value[0] != TOTAL:
            continue
        if key[1] == named_by(page, link.left):
            continue  # what a program hands on
        for other in sharing(court, page, key[1], link):
            found = Decider(page).decide(other.left, other.right)
            asked = found.chooser.asked.get(key, ()) if found.holds and found.chooser is not None else ()
            alike = [k for k, o in enumerate(asked) if o.value == option.value]
            if asked and found.chooser is not None and asked[found.chooser.fixed.get(key, 0)].tag == "carry":
                same = {**found.chooser.fixed, key: alike[0]} if alike else None
                if same is None or Decider(page).in_reading(other.left, other.right, same, found.mode) != "equal":
                    return f"{key[1].replace(' ', '')} is another gradient here than in a line that holds"
    return ""


def given(court: Court, page: Page, symbol: str) -> set[str]:
    """Whether the lines that give a symbol for a gradient, or those of gates with its mark, give it before or after the activation; both, if it changes."""
    memo = page.memos["before or after the activation"]
    if not memo:
        memo[""] = set()
        for other in (other for s in court.statements if kind(s.node) == "Relation" for other in links(s)):
            name, target = named_by(page, other.left), marks.symbol_on(page, other.left)
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
    open_yet = page.twin()  # whatever the line has settled
    open_yet.meanings = {name: way for name, way in page.meanings.items() if name != symbol}
    outcome = Decider(open_yet).decide(link.left, link.right)
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


def sharing(court: Court, page: Page, symbol: str, link: Link) -> list[Link]:
    """The other links in which a symbol for a gradient stands."""
    found = [other for s in court.statements if kind(s.node) != "Unread" and s.number != link.statement.number for other in links(s)]
    return [other for other in found if any(symbol == named_by(page, n) for side in (other.left, other.right) for n in walk(side))][:SHARING]


def named_by(page: Page, node: Any) -> str | None:
    """The symbol for a gradient that a node is, as all its occurrences are named."""
    target = marks.symbol_on(page, node)
    return symbol_id(target[4], target[3], target[1]) if target is not None else None


def holds_only_otherwise(court: Court, page: Page, other: Link, key: Any, option: Option) -> bool:
    """Whether a link holds, and not where the symbol is settled to be what the option says."""
    outcome = Decider(page).decide(other.left, other.right)
    if not outcome.equal or outcome.chooser is None or any(k == key and o.tag == "pre" for k, o in outcome.chooser.chosen):
        return False
    settled = page.twin()
    settled.meanings = {**page.meanings, key[1]: str(option.value)}
    return not Decider(settled).decide(other.left, other.right).equal


def as_introduced(court: Court, page: Page, link: Link) -> str | None:
    """What a proof rests on, if a symbol in it means what it was introduced for though the text has since said that it is the gradient by the preactivation."""
    found = state_gradients(page, link) if court.told else {}
    return "the gradient is by the state still" if set(found.values()) & court.told else None


def introduced_anew(court: Court, page: Page, link: Link) -> str:
    r"""A symbol of a line that a sentence has since introduced for another gradient, ``\delta_t = \partial L/\partial h_t``; empty if there is none."""
    for n, _, _ in (*names_in(link.left), *names_in(link.right)) if page.abbreviations and not court.program else ():
        short = introduced(page, n)
        if short is not None and short.key not in court.told and a_gradient(short.node):
            left, sides = next(introductions(court, page, short, link), (None, []))
            if sides and not any(same_gradient(page, short.node, side) or Decider(page).decide(left, side).equal for side in sides):
                return page.shown(n)
    return ""


def introductions(court: Court, page: Page, short: Abbreviation, link: Link) -> Iterator[tuple[Any, list[Any]]]:
    """The lines up to this one that give a symbol by a gradient alone, the last one first: in a sentence, or as the first one does."""
    for s in court.statements[link.statement.number :: -1]:
        if kind(s.node) != "Relation" or introduced(page, unwrapped(s.node.sides[0])) is not short:
            continue
        told = s.fragment is not None and (s.fragment.kind == "inline" or clause(s.fragment.before.rstrip()).strip())
        own = [side for side in s.node.sides[1:] if a_gradient(side)]
        if own and (told or any(same_gradient(page, short.node, side) for side in own)):
            yield s.node.sides[0], own


def a_gradient(node: Any) -> bool:
    """Whether a formula is the derivative of a loss and nothing else."""
    return kind(node := unwrapped(node)) == "Derivative" and loss_head(node.of) is not None


def same_gradient(page: Page, a: Any, b: Any) -> bool:
    """Whether two derivatives of a loss are by the same quantity, at whatever step."""
    one, other = (page.symbols.ref(unwrapped(unwrapped(x).wrt)) for x in (a, b))
    return one.key == other.key if one is not None and other is not None else unwrapped(unwrapped(a).wrt) == unwrapped(unwrapped(b).wrt)


def state_gradients(page: Page, link: Link) -> dict[Any, str]:
    """The symbols in a line that were introduced for the gradient by a quantity with an activation, and their keys."""
    found: dict[Any, str] = {}
    for n, _, _ in (*names_in(link.left), *names_in(link.right)) if page.abbreviations else ():
        short = introduced(page, n)
        node: Any = None if short is None else unwrapped(short.node)
        ref = page.symbols.ref(unwrapped(node.wrt)) if kind(node) == "Derivative" and loss_head(node.of) is not None else None
        if short is not None and ref is not None and ref.key in page.definitions and page.activated(ref.key) is not None:
            found[n] = short.key
    return found


def introduced(page: Page, node: Any) -> Abbreviation | None:
    """What a symbol was introduced for, its step left out; None for any other node."""
    split = head_and_parts(node) if kind(node) in ("Name", "Index", "Power") else None
    if split is None or not page.abbreviations:
        return None
    shorts = (page.abbreviations.get(key_of(split[0], [p for k, p in enumerate(split[1]) if k != leave]) or "") for leave in range(-1, len(split[1])))
    return next((short for short in shorts if short is not None), None)
