r"""The judgement of one link of a document: a definition, a condition, a relation of another kind, or an equation."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from symgrad.check import limits
from symgrad.check.cell.written import formulas
from symgrad.check.court import identities, marks, powers
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Abbreviation, Page
from symgrad.check.defined.slopes import slope_name
from symgrad.check.evaluation.abbreviations import flat, indices_of
from symgrad.check.evaluation.adjoints import symbol_ids, symbol_target
from symgrad.check.evaluation.functions import left_out
from symgrad.check.evaluation.recognise import symbol_of
from symgrad.check.inequalities import majorants, norms
from symgrad.check.inequalities.factors import speaks_of_extremes
from symgrad.check.judging import suppose
from symgrad.check.judging.denials import denied
from symgrad.check.judging.descent import step_of_descent
from symgrad.check.judging.equation import equation, holding
from symgrad.check.judging.special import special
from symgrad.check.numbers import worked
from symgrad.check.numbers.examples import NEARLY
from symgrad.check.otherwise.followed import by_the_words, linearly
from symgrad.check.otherwise.otherwise import along, recognition, told_by_its_kind
from symgrad.check.reading import lint
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.relations import a_range, of_letters
from symgrad.check.reading.statements import ADJOINT_HEADS, LOSSES, MARKS, bound_letters, derived, loss_head, names_in
from symgrad.check.reading.symbols import head_and_parts, key_of, letters, spelled, upright
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.meanings import introduced
from symgrad.check.ruling.multiples import by_the_other
from symgrad.check.ruling.unbounded import bounded
from symgrad.check.ruling.variants import kept_open
from symgrad.check.worlds.values import Misfit
from symgrad.check.worlds.world import TOTAL
from symgrad.notation.syntax import Name, Transpose

NAMING = re.compile(r"\b(?:write|writing|denot\w+|let|defin\w+|call|calling|abbreviat\w+|express\w*|put)\b", re.IGNORECASE)

RENEWING = re.compile(
    r"\b(?:from (?:now|here|this point|that point)(?: on)?|now|henceforth|hereafter|instead|re-?defin\w+|in (?:this|the next|what follows|section)|anew"
    r"|this time|ab jetzt|von nun an|nun|désormais|maintenant|ahora|a partir de|da ora|теперь|далее)\b|从现在|现在|此后|以下|改为|重新",
    re.IGNORECASE,
)


def ruling(court: Court, link: Link) -> Judgement | None:
    """The judgement of a link, None for a definition."""
    if due := [key for key, (number, _) in court.renewed.items() if number <= link.statement.number]:
        for k in range(len(court.collected.groups)):
            page = court.pages[k] = court.page(k).twin()
            page.abbreviations = page.abbreviations | {key: court.renewed[key][1] for key in due}
        court.renewed = {key: new for key, new in court.renewed.items() if key not in due}
    found = protected(ruled, court, link)
    if found is not None and found.verdict == "undecided":
        court.open.add((link.statement.number, link.number))
    return found


def protected(judge: Callable[[Court, Link], Judgement | None], court: Court, link: Link) -> Judgement | None:
    """A judgement that, if it fails here, hides no verdict of another link."""
    try:
        return judge(court, link)
    except RecursionError:
        return Judgement("undecided", "too-large", "the formula is nested too deeply")
    except MemoryError:
        raise
    except Exception as e:
        if os.environ.get("SYMGRAD_DEBUG"):
            raise
        return Judgement("undecided", "internal-error", f"an error of this program: {type(e).__name__}")


def ruled(court: Court, link: Link) -> Judgement | None:
    """The judgement of a link, by what kind of statement it is."""
    s = link.statement
    if speaks_of_extremes(link):
        letter = link.number == 0 and link.sign in EQUAL and norms.unknown_letters(court.page(court.order(s)[0]), link.left)
        return None if letter else other(court, link)
    if (s.number, link.number) in court.collected.defining:
        found = lint.definition(link, court.collected.letter)
        if found is not None:
            return found
        if court.bare and s.number < len(court.statements):
            return Judgement("undecided", "definition", "this line defines the cell, and nothing in the document is derived from it")
        return None
    if gives_the_loss(link) or (link.number == 0 and written_out(court, link)) or leaves_open(court, link) or begins_at_zero(court, link):
        return None
    if of_letters(s.node) or a_range(s.node) or suppose.indices_alone(court.page(court.order(s)[0]), s.node):
        return None  # "case $i = k$": which components are meant; "for $k = 1, ..., t$"; "of $T = 3$ steps"
    if link.sign in EQUAL and suppose.of_weights(court.page(court.order(s)[0]), s.node):
        return Judgement("undecided", "condition", "this says something of weights alone, so it is read as a condition of what stands around it")
    if link.sign == NEARLY and unwrapped(link.left) == unwrapped(link.right):
        return ambiguous("both sides are the same number; what is close to it stands in the words")
    numbers = worked.reckoned(court, link)
    if numbers is not None:
        return numbers
    if (stepped := step_of_descent(court, link)) is not None:
        return stepped
    between_norms = None if norms.unlike(link) else norms.normed(court, link) or majorants.majorised(court, link)
    if between_norms is not None and between_norms.verdict != "undecided":
        return between_norms
    if (within := norms.inside(link)) is not None and (said := suppose.conditioned(court, within) or equation(court, within)).verdict == "proved":
        return said
    if norms.introduces_bounds(court, link):
        why = "letters for bounds are introduced here; what follows from them is held against this"
        return Judgement("undecided", "definition", why) if link.number == 0 else None
    power = powers.limit(link, court.conditions(link)) if link.sign in EQUAL or link.sign in powers.TO else None
    if power is not None:
        return power
    limit = link.sign in ("->", "to") and any(g in ("->", "to") for c in court.conditions(link) if kind(c.node) == "Relation" for g in c.node.signs)
    if link.sign not in EQUAL and not limit and not (link.sign == "<-" and marks.of_a_gradient(court.page(court.order(s)[0]), link.left)):
        return denied(court, link) or other(court, link, between_norms)
    if (s.number, link.number) in court.introductions:
        if introduces(link.right) or introduces(link.left) or link.number:
            return None
        introduced = Judgement("undecided", "definition", "a symbol is introduced here; the lines that use it are held against this one")
        listed = kind(unwrapped(link.right)) in ("Stack", "Tuple")  # what a symbol puts on top of each other is no claim
        found = recognition(court, link) or (equation(court, link) if told_by_its_kind(court, link) else None)
        return found or (None if listed else introduced)
    supposed = suppose.assumed(court, link)
    if supposed is not None:
        return None if suppose.introduced(s.fragment, label=True) else supposed
    link, told = bounded(court, identities.at_a_point(link) or by_the_other(court, link))
    said = suppose.conditioned(court, link) or (ambiguous("a limit under a condition that has no value here") if limit else equation(court, link))
    said = replace(said, assumptions=(*said.assumptions, told)) if told else said
    if said.verdict == "refuted" and worked.agrees(court, link):
        court.wrong.discard((s.number, link.number))
        return ambiguous("with the numbers of the example both sides are equal, though not for others")
    if said.verdict != "refuted":
        return said
    if link.number and written_out(court, link):
        court.wrong.discard((s.number, link.number))
        return ambiguous("this writes the loss in another way, and is not the same as it was understood")
    if suppose.aside(court, link):
        return suppose.SPECIAL
    opened = special(court, link)
    if opened is None and not court.program and (why := kept_open(court, link)):
        opened = ambiguous(why)
    if opened is not None:
        court.wrong.discard((s.number, link.number))
        return opened
    return said


def other(court: Court, link: Link, still_open: Judgement | None = None) -> Judgement | None:
    """The judgement of a relation that is no equation: a bound, a limit, a membership; `still_open` is what keeps one between norms undecided."""
    if link.sign in (":", "shape"):
        return None
    reasons = {
        "~~": "an approximation is decided only where the two sides are equal",
        "prop": "a proportionality is not decided",
        "->": "a limit is not decided",
        "to": "a limit is not decided",
        "<-": "an update of parameters is not an equation",
        "=>": "an implication is not decided",
    }
    aside = link.statement.fragment is not None and suppose.introduced(link.statement.fragment)
    with limits.apart():
        from symgrad.check.inequalities.bounds import bound
    found = bound(court.page(court.order(link.statement)[0]), link, court.statements, court.conditions(link))
    if link.sign in ("in", "∈") or (aside and (found is None or found.verdict != "proved")):
        return found if found is not None and (found.verdict == "proved" or not aside) else None
    if isinstance(found, Judgement):
        return found
    exact = holding(court, link) if link.sign == NEARLY and derived(link.left) else None
    if exact is not None:
        return exact.assuming("the two sides are equal, not only nearly")
    in_part = by_the_words(court, link) or linearly(court, link) or along(court, link) if link.sign == NEARLY and derived(link.left) else None
    if in_part is not None and in_part.verdict == "proved":
        return in_part.assuming("so the two sides are equal, not only nearly")
    return still_open or Judgement("undecided", "not-an-equation", reasons.get(link.sign, f"relations with `{link.sign}` are not decided"))


def begins_at_zero(court: Court, link: Link) -> bool:
    r"""``∂L/∂W = 0``, ``\Delta W = \Delta U = 0`` before lines that add to all of these: what sums begin with, not a claim."""
    *gradients, last = map(unwrapped, link.statement.node.sides)
    if spelled(last) != "0" or any(kind(g) == "Derivative" and loss_head(g.of) is None for g in gradients):
        return False
    lines = (s.node for s in court.statements[link.statement.number :] if kind(s.node) == "Relation" and s.node.signs[0] == "+=")
    added = {unwrapped(node.sides[0]) for node in lines}
    return all(g in added for g in gradients)


def gives_the_loss(link: Link) -> bool:
    """``L_t = -y_t^\\top \\log \\hat y_t``: what the loss is, not a claim about it."""
    head = loss_head(link.left)
    if link.sign not in EQUAL or head is None or link.statement.derives or any(kind(n) == "Diagonal" for n in walk(link.right)):
        return False  # a J with matrices in it is a Jacobian
    if kind(right := unwrapped(link.right)) == "Apply" and kind(right.function) == "Name" and right.function.base not in BUILTIN:
        return True  # ``L = l(y, d)``
    inside = [n for n in walk(link.right) if kind(n) == "Norm" or (kind(n) == "Name" and n.base in (*LOSSES, "log", "ln") and n.base != head.base)]
    squares = [n for n in walk(link.right) if kind(n) == "Power" and getattr(n.exponent, "text", "") == "2"]
    return bool(inside or squares) or any(kind(n) == "Big" and n.kind == "sum" and loss_head(n.body) is not None for n in walk(link.right))


def written_out(court: Court, link: Link) -> bool:
    r"""``L = \sum_i h_{T,i} = \mathbf{1}^\top h_T``: the formula of the loss, in any of the ways in which it can be written."""
    page = court.page(court.order(link.statement)[0])
    return link.sign in EQUAL and any(s is link.statement for s, _ in formulas(page, [link.statement]))


def leaves_open(court: Court, link: Link) -> bool:
    r"""``f_t = \sigma(\ldots)``: what a quantity is, without saying what it is computed from."""
    right = unwrapped(link.right)
    if link.sign not in EQUAL or kind(right) != "Apply" or right.function.primes or len(right.args) != 1 or not left_out(right.args[0]):
        return False
    page = court.page(court.order(link.statement)[0])
    ref = page.symbols.ref(unwrapped(link.left))
    return ref is not None and ref.key not in page.definitions


# -- symbols that are introduced --------------------------------------------------------------------------------------------------


def introduce(court: Court, links: Iterable[Link]) -> None:
    """The symbols for derivatives, wherever the document introduces them: earlier lines may use them too."""
    for link in links:
        s = link.statement
        if (s.number, link.number) not in court.collected.defining and link.sign in EQUAL and (abbreviates(court, link) or abbreviates(court, turned(link))):
            court.introductions.add((s.number, link.number))
    pages = [court.page(k) for k in range(len(court.collected.groups))]
    for short in {short.place: short for p in pages for short in p.abbreviations.values()}.values():
        if short.place in court.introductions and all(names_the_undefined(p, short) for p in pages):
            court.introductions.discard(short.place)  # a slip: the lines that use the symbol may tell what it is
            for p in pages:
                p.abbreviations = {key: other for key, other in p.abbreviations.items() if other.place != short.place}


def names_the_undefined(page: Page, short: Abbreviation) -> bool:
    r"""Whether a formula that introduces a symbol, ``da_c = dc_t * (1 - g_t^2)``, names a quantity at a step that nothing defines."""
    if any(kind(n) == "Derivative" for n in walk(short.node)):
        return False
    names = [(n, head) for n, head, parts in names_in(short.node) if any(page.symbols.letter in letters(p.node) for p in parts)]
    return not all(head.base in MARKS or spelled(head) in page.functions or is_something(page, n) for n, head in names)


def is_something(page: Page, node: Any) -> bool:
    """Whether a name is a quantity of the cell or may be a symbol for a gradient."""
    return any(found is not None for found in (page.symbols.ref(node), symbol_target(page, node, {}), symbol_of(page, node), introduced(page, node)))


def turned(link: Link) -> Link:
    r"""``write $\frac{\partial h_t}{\partial W} = \alpha_t$``: the symbol that is introduced may stand on the right."""
    s = link.statement
    at_end = link.number == len(s.node.signs) - 1
    if at_end and (link.sign == "=:" or (link.number and named_at_the_end(s.node.sides[0], link.right))):
        return replace(link, left=link.right, right=s.node.sides[0] if derived(s.node.sides[0]) else link.left, number=0)
    split = head_and_parts(unwrapped(link.right))
    said = s.fragment is not None and NAMING.search(clause(s.fragment.before)) is not None
    indexed = split is not None and bool(split[1])
    return replace(link, left=link.right, right=link.left) if indexed and said and introduces(link.left) and len(s.node.sides) == 2 else link


def named_at_the_end(first: Any, node: Any) -> bool:
    r"""``\partial L / \partial o_t = \hat y_t - y_t = \delta_t``, ``\partial h_t / \partial h_{t-1} = D_t W = J_t``: a letter for what comes first."""
    node = unwrapped(node)
    if kind(node) != "Name" or node.accents:
        return False
    return (node.base in ADJOINT_HEADS and len(node.subs) <= 1) or (introduces(first) and len(node.subs) == 1 and len(node.base) == 1)


def abbreviates(court: Court, link: Link) -> bool:
    """Whether a link introduces a symbol for a derivative."""
    if link.number != 0 or link.sign == "+=" or kind(unwrapped(link.right)) == "Number":  # ``\delta_{T+1} = 0`` is no formula
        return False
    left, meant = unwrapped(link.left), link.right
    if (upside := upright(left)) is not None and introduces(link.right):  # ``\\delta_k^\\top = \\partial L/\\partial a_k``
        left, meant = upside, Transpose(link.right, span=getattr(link.right, "span", None))
    page = court.page(court.order(link.statement)[0])
    if page.symbols.ref(left) is not None:
        return False
    left, meant = at_any_step(court, page, left, meant)
    split = head_and_parts(left)
    if split is None:
        if introduces(link.right) and (marked := marks.symbol_on(page, left)) is not None:  # ``\\delta f_t = \\partial L/\\partial f_t``
            by_its_own(court, marked, unwrapped(link.right))
        return False
    head, parts = split
    own = key_of(head, indices_of(page, parts)[0])
    alike = [(n, key_of(other, indices_of(page, found)[0])) for n, other, found in names_in(link.right) if spelled(other) == spelled(head)]
    if any(key == own and symbol_target(page, n, {}) is None for n, key in alike):
        return False  # a recursion
    made = any(introduced(page, n) is not None for n, _, _ in names_in(link.right))  # of such symbols
    if not derived(link.right) and not made and not (head.base in MARKS - {"d", "partial"} and names_nothing(page, left)):
        return False
    if not names_nothing(page, left) and not introduces(link.right):
        return False
    if head.base in ("partial", "nabla"):
        return False
    labels, slots, entries = indices_of(page, parts)
    counted = {w for n, _, _ in names_in(link.right) if (r := page.symbols.ref(n)) is not None and r.step is not None for w in letters(r.step)}
    slots = slots or [p for p in labels if kind(p.node) == "Name" and spelled(p.node) in counted]  # the l of ``L'_{(l)} = \partial L/\partial y_{(l)}``
    labels = [p for p in labels if p not in slots]
    inside = components(page, meant)
    entries += [p for p in (*slots, *labels) if inside and inside.keys() >= {*letters(p.node)} != set() and p not in entries]
    slots, labels = [p for p in slots if p not in entries], [p for p in labels if p not in entries]
    alone = by_letter(court, page, head, entries, {w for p in slots for w in letters(p.node)}, meant)
    labels, entries = ([*labels, *entries], []) if alone else (labels, entries)
    key = key_of(head, labels)
    if key is None:
        return False
    if (target := symbol_target(page, left, {})) is not None and kind(unwrapped(link.right)) == "Derivative":
        by_its_own(court, target, unwrapped(link.right))
        return False
    known = page.abbreviations.get(str(key_of(head, [])))
    old = page.abbreviations.get(key)
    general = introduces(link.right) and [spelled(p.node) for p in slots] == [page.symbols.letter] != ["T"]
    if old is not None and general and [spelled(slot) for slot in old.slots] == ["T"]:  # its value at the last step is a claim then
        court.introductions.discard(old.place)
    elif old is not None and renews(page, link, old):
        court.renewed[key] = link.statement.number, replace(old, slots=tuple(x.node for x in slots), node=meant, place=(link.statement.number, link.number))
        return True
    elif old is not None or (known is not None and len(known.slots) + len(known.entries) == len(flat(parts))):
        return False
    total = slope_name(head) in court.tracked
    for k in range(len(court.collected.groups)):
        p = court.page(k)
        if p.abbreviations.get(key) in (old, None):
            where = link.statement.number, link.number
            short = p.abbreviations[key] = Abbreviation(key, tuple(x.node for x in slots), tuple(flat(entries)), meant, total, where)
            for w in sorted(alone):
                other = key_of(head, [*labels[:-1], replace(labels[-1], node=Name(w))]) or key
                p.abbreviations.setdefault(other, replace(short, key=other, node=by_another_letter(meant, labels[-1].node, w)))
    return True


def renews(page: Page, link: Link, old: Abbreviation) -> bool:
    r"""Whether words give a symbol another meaning from here on: "from now on ``\delta_t = \partial L/\partial h_t``"."""
    new, before = unwrapped(link.right), unwrapped(old.node)
    fragment = link.statement.fragment
    if fragment is None or kind(new) != "Derivative" or kind(before) != "Derivative" or RENEWING.search(clause(fragment.before)) is None:
        return False
    refs = [page.symbols.ref(unwrapped(n.wrt)) for n in (before, new)]
    if refs[0] is not None and refs[1] is not None and page.preactivation(refs[0].key) == refs[1].key:
        return False  # from a state to what its activation is applied to: see `redefined`
    return page.canon(new.wrt) != page.canon(before.wrt) and old.place < (link.statement.number, link.number)


def at_any_step(court: Court, page: Page, left: Any, meant: Any) -> tuple[Any, Any]:
    r"""``\delta_5 = \partial L/\partial h_5`` as it is meant at every step, where ``\delta_4`` is written too."""
    own, node = head_and_parts(left), unwrapped(meant)
    wrt = page.symbols.ref(unwrapped(node.wrt)) if kind(node) == "Derivative" and loss_head(node.of) is not None else None
    number = own[1][0].node if own is not None and len(own[1]) == 1 and own[0].base in ADJOINT_HEADS else None
    if kind(number) != "Number" or wrt is None or wrt.step != number or own is None:
        return left, meant
    others = [parts for s in court.statements for _, head, parts in names_in(s.node) if head == own[0] and len(parts) == 1]
    if not any(kind(parts[0].node) == "Number" and parts[0].node != number for parts in others):
        return left, meant
    letter = Name(page.symbols.letter)
    return rebuilt(left, {id(number): letter}), rebuilt(meant, {id(wrt.step): letter})


def by_letter(court: Court, page: Page, head: Name, entries: list[Any], counted: set[str], meant: Any) -> set[str]:
    r"""The letters that count the same components, its own among them, where the letter tells a symbol from others.

    So ``\delta_k`` of the outputs is told from ``\delta_j`` and ``\delta_l`` of the hidden units.  None where the letter tells nothing, and none
    of those that count the symbol's steps.
    """
    own = {w for p in entries for w in letters(p.node)}
    sizes, of = extents(page, meant), components(page, meant)
    size, quantities = {n for w in own for n in sizes.get(w, ())}, {key for w in own for key in of.get(w, ())}
    alike, apart, rivals = set(own), False, False
    for s in court.statements if len(own) == 1 else ():
        uses = [found for found in names_in(s.node) if slope_name(found[1]) == slope_name(head)]
        others = {w for _, _, parts in uses for p in parts for w in letters(p.node)} - own - counted
        if not others or kind(s.node) != "Relation":
            continue
        there, right = extents(page, s.node), components(page, s.node.sides[-1])
        alike |= {w for w in others & there.keys() if there[w] == size}
        apart |= any(size.isdisjoint(there[w]) for w in others & there.keys())
        rivals |= introduces(s.node.sides[-1]) and any(quantities.isdisjoint(right[w]) for w in others & right.keys())
    return own if rivals and not apart else alike if apart else set()


def by_another_letter(node: Any, letter: Any, other: str) -> Any:
    """A formula with another letter for an index."""
    return rebuilt(node, {id(n): replace(n, base=other) for n in walk(node) if kind(n) == "Name" and n == letter})


def components(page: Page, node: Any) -> dict[str, set[str]]:
    """The letters that count components in a formula, and no steps, with the quantities whose components they count."""
    refs = [ref for n, _, _ in names_in(node) if (ref := page.symbols.ref(n)) is not None]
    steps = {w for ref in refs if ref.step is not None for w in letters(ref.step)} | bound_letters(node)
    found = [(w, ref.key) for ref in refs for e in ref.entries for w in letters(e) if w not in steps]
    return {w: {key for other, key in found if other == w} for w, _ in found}


def extents(page: Page, node: Any) -> dict[str, set[int]]:
    """How far the letters in a formula count that count components."""
    try:
        dims = page.world.model.dims
    except Misfit:
        return {}
    refs = [ref for n, _, _ in names_in(node) if (ref := page.symbols.ref(n)) is not None]
    found = [(w, size) for ref in refs for e, size in zip(ref.entries, dims.get(ref.key, ()), strict=False) for w in letters(e)]
    return {w: {size for other, size in found if other == w} for w, _ in found}


def by_its_own(court: Court, target: Any, meant: Any) -> None:
    r"""``\delta^h_t = \partial L / \partial h_t``: the symbol is that of h, nowhere that of its preactivation; or the other way round, as said first."""
    key, _, _, words, name, _ = target
    mark = name.partition(" ")[0]
    for k in range(len(court.collected.groups)):
        page = court.page(k)
        ref = page.symbols.ref(unwrapped(meant.wrt))
        if ref is None or loss_head(meant.of) is None or symbol_ids(name, words)[0] in page.meanings:
            continue
        if ref.key in (key, page.preactivation(key)):
            page.meanings |= dict.fromkeys(symbol_ids(name, words), str((TOTAL, ref.key)))
        before = any(of[0] == mark and said != str((TOTAL, of[1])) for symbol, said in page.meanings.items() if len(of := symbol.split(" ")) > 1)
        page.activated_too |= {mark} if ref.key == key in page.definitions.keys() - page.lagged and not before else set()


def names_nothing(page: Page, left: Any) -> bool:
    r"""Whether an adjoint symbol is of nothing that the loss depends on: ``\delta^y_t = \hat y_t - y_t`` introduces it."""
    target = symbol_target(page, left, {})
    return target is None or target[0] in page.targets.values()


def introduces(right: Any) -> bool:
    """Whether the right side is a derivative itself: what ``δ_t = ∂L/∂h_t`` introduces."""
    return kind(unwrapped(right)) == "Derivative"
