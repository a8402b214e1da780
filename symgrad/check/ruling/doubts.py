r"""What keeps a line that holds from being proved: it holds only in a reading that the document does not bear out, or not of all that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from itertools import pairwise
from typing import Any

from symgrad.check.court.attempt import attempt, begins_otherwise
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.defined.typing import decomposed
from symgrad.check.evaluation import everystep
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.statements import LETTERS, MARKS, loss_head, names_in
from symgrad.check.reading.symbols import head_and_parts, is_top, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.caution import behind_a_space, words_behind
from symgrad.check.ruling.changed import changed
from symgrad.check.ruling.conventions import against_convention
from symgrad.check.ruling.counted import taken_for_a_vector
from symgrad.check.ruling.excuses import unexcused
from symgrad.check.ruling.functions import against_its_words
from symgrad.check.ruling.lengths import beside_the_last, fixed, over_steps, too_short
from symgrad.check.ruling.losses import (
    OF_A_VECTOR,
    REJECTED,
    UNTOLD,
    of_some_class,
    of_the_step,
    open_factor,
    otherwise_written,
    penalised,
    rejected,
    several_wanted,
    told_apart,
    told_otherwise,
    two_losses,
)
from symgrad.check.ruling.meanings import as_introduced, contradicted, introduced_anew, of_another_part, one_of_many
from symgrad.check.ruling.meant import against_its_own
from symgrad.check.ruling.unusual import computed, made_of_others, weighed
from symgrad.check.ruling.variants import not_of_the_cell
from symgrad.notation.syntax import Product

NONLINEARITY = re.compile(r"non-?linear|activation|activaci|активац|нелинейн|激活|非线性|非線形|활성", re.IGNORECASE)
OF_GATES = re.compile(r"(?<![A-Za-z])(?:sigmoid|logistic function)(?![A-Za-z])", re.IGNORECASE)
WITHOUT_BIASES = re.compile(  # "we omit the biases", "bias terms are left out"
    r"\b(?:omit|drop|suppress|ignor|neglect|leav|hid)\w*\s+(?:(?:out|the|all|its|their)\s+)*bias|\bbias\w*\s+(?:terms?\s+|vectors?\s+)?(?:is|are)\s+(?:\w+\s+)?"
    r"(?:omit|drop|suppress|ignor|neglect|left out|hidden)|(?:忽略|省略|略去)(?:了)?偏置|偏置[^。；]{0,6}(?:忽略|省略|略去)"
    r"|バイアス[^。]{0,6}省略|편향[^.]{0,6}생략"
    r"|\bBias\w*\s+(?:\w+\s+)?(?:weggelassen|vernachlässigt)|biais\s+(?:\w+\s+)?(?:omis|négligé)|sesgos?\s+(?:\w+\s+)?(?:omit|despreci)\w+",
    re.IGNORECASE,
)
SHARED = re.compile(
    r"\bshar(?:e|es|ed|ing)\b[^.;]{0,40}(?:weight|parameter|matri|\uE000|\$)|\bsame (?:weights?|parameters?|matri\w+|network|net|cell|RNN|encoder)\b"
    r"|\bsiamese\b|\btied\b"
    r"|共享|共用|同一个?网络|gemeinsam\w* (?:Gewicht|Parameter)|(?:mismos|mêmes|mesmos|stessi) (?:pesos|poids|pesi)|общи\w+ вес|공유|共有",
    re.IGNORECASE,
)
SEVERAL, MANY = 2, 24  # lines that tell a convention, and lines that are looked at for them
NEAR = 160  # characters before a formula that may speak of it


def doubts(court: Court, page: Page, outcome: Outcome, link: Link, told: bool = False) -> Iterator[str]:
    """The reasons to leave a line open that holds in some reading; `told` if the caller knows how many steps there are."""
    if why := not_of_the_cell(court, page, outcome, link):
        yield why
    if told_of := changed(court, page, link):
        yield told_of
    yield from of_symbols(court, page, outcome, link)
    yield from of_sides(court, page, outcome, link)
    yield from of_the_loss(court, page, outcome, link)
    if not told:
        yield from of_the_length(court, page, outcome, link)
    if weight := shared_weight(court, page, link):
        yield f"other states are computed by {weight} too, as the words say, and this is the gradient through some of them"
    if not outcome.skipped and begins_otherwise(court, page, link):
        yield "this equals the side before it, and not the first side of its chain"
    if factor := behind_a_space(link, court.statements):
        yield f"${factor}$ stands behind this with a space between, and may be a factor of it"
    if said := words_behind(link):
        yield f"the words behind it, {said}, say more than the formula, and are not judged"
    if left_out := unexcused(court, page, outcome, link):
        yield f"this holds only if {left_out}"
    if court.other_convention is not None and not by_convention(court, link) and not followed(court, link):
        yield "of the two conventions for what its gate keeps, this holds in one, and the document does not say which it follows"


def of_symbols(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[str]:
    """A letter means here what it does not mean in other lines, or what the words before do not say that it does."""
    assert outcome.chooser is not None
    if (guess := contradicted(court, page, outcome, link)) is not None:
        yield f"this holds only if {guess}"
    if told := of_another_part(court, page, outcome, link):
        yield told
    if (guess := as_introduced(court, page, link)) is not None:
        yield f"this holds only if {guess}; another line holds only where it is not"
    if symbol := introduced_anew(court, page, link):
        yield f"the document has introduced {symbol} for another gradient since, and this holds of the first one"
    if (one := one_of_many(page, outcome, link)) is not None:
        yield f"this holds only if {one}, and not of the other weights of that letter"
    left_out = [(str(key[2]), o.note) for key, o in outcome.chooser.chosen if isinstance(key, tuple) and o.tag == "bias"]
    if (guess := next((note for key, note in left_out if not of_the_library(court, page, key)), "")) and WITHOUT_BIASES.search(court.words) is None:
        yield f"this holds only if {guess}"
    if number := taken_for_a_vector(court, page, link):
        yield f"{number} may be a number, and this takes it for a vector"
    if page.sigma and any(kind(n) == "Name" and n.base == "sigma" for side in (link.left, link.right) for n in walk(side)):
        words = link.statement.fragment.before[-NEAR:] if link.statement.fragment is not None else ""
        if NONLINEARITY.search(words) is None:
            yield f"this holds only if σ is read as the activation of the cell, {page.sigma}"
    if against := against_its_words(court, page, link):
        yield against
    if weight := decomposed_later(court, page, outcome, link):
        yield f"this holds only of {weight} as the document decomposes it further on"
    if court.borrowed and court.cell is None and slope_in_values(link) and (function := of_another_activation(court, page)):
        yield f"the document does not define its cell, and speaks of {function}, which that cell has not"
    if lost := without_a_step(court, page, link):
        yield f"{lost} has no step here, under a sum over steps, and has one elsewhere"


def of_the_library(court: Court, page: Page, key: str) -> bool:
    """Whether a bias is that of a cell from the library, which a document without equations of its own need not mean: no formula names it."""
    own = (n for s in court.statements for n in s.nodes)
    return bool(court.borrowed) and court.cell is None and not any((ref := page.symbols.ref(n)) is not None and ref.key == key for n in own)


def decomposed_later(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    r"""The weight to which the document gives a form, ``A = Q \Lambda Q^\top``, behind a line that does not hold of any weight."""
    for key, d in page.definitions.items():
        if d.place is not None and d.place.number > link.statement.number and decomposed(d):
            before = court.until(d.place.number)
            outcomes = (attempt(before, p, link.left, link.right, link) for p in before.pages_of(link.statement))
            if not any(other.equal and (other.reading != "scalar" or outcome.reading == "scalar") for other in outcomes):
                return page.notes.get(key, plain(key))
    return ""


def slope_in_values(link: Link) -> bool:
    """Whether a slope is written in what the activation gives, ``1 - h^2``, and the activation is not named."""
    found = [n for side in (link.left, link.right) for n in walk(side)]
    return any(kind(n) == "Power" and kind(n.exponent) == "Number" and n.exponent.text == "2" for n in found) and not any(
        kind(n) == "Apply" and spelled(n.function) == "tanh" for n in found
    )


def of_another_activation(court: Court, page: Page) -> str:
    """The activation that a document names without a definition, and that the cell which it is read for has nowhere."""
    applied = {n.function.base for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name"}
    return "" if {"sigma", "sigmoid"} & applied or (found := OF_GATES.search(court.text)) is None else found[0]


def without_a_step(court: Court, page: Page, link: Link) -> str:
    r"""What has no step under a sum over steps, though all lines of the document but this one give it one: the x of ``\sum_t \delta_t x^\top``."""
    sums = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Big" and n.kind == "sum" and over_steps(page, n)]
    found = stepless(page, [big.body for big in sums])
    kept = stepless(page, [s.node for s in court.statements if s is not link.statement]) if found else found
    return next((page.notes.get(key, plain(key)) for key in sorted(found - kept)), "")


def stepless(page: Page, nodes: list[Any]) -> set[str]:
    """The quantities of the cell that are named without a step."""
    refs = (page.symbols.ref(n) for node in nodes for n, _, _ in names_in(node))
    return {ref.key for ref in refs if ref is not None and ref.key in page.symbols.timed and ref.step is None}


def of_sides(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[str]:
    """The order of factors is left aside, matrices are taken for numbers, or gradients are laid out as nowhere else."""
    if court.program:
        return
    if outcome.lenient and (pair := out_of_order(page, link.right)) is not None:
        yield f"this holds only if the order of factors is left aside: in {pair} a column stands before a matrix"
    matrices = outcome.reading == "scalar" and any(a_matrix(page, n) for side in (link.left, link.right) for n in walk(side))
    if matrices and court.told_of_matrices(link.statement.number):
        yield "this holds of numbers alone, and the document speaks of vectors and matrices"
    if a_diagonal_by_a_number(page, link):
        yield "the derivative of a vector by a number is a vector, and this is a matrix"
    if (why := against_convention(court, page, outcome, link)) is not None:
        yield why


def a_diagonal_by_a_number(page: Page, link: Link) -> bool:
    r"""Whether a line writes ``\partial h_t / \partial \tau_t`` by a number as a diagonal matrix."""
    left = unwrapped(link.left)
    by = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" else None
    return by is not None and not by.entries and page.symbols.ranks.get(by.key) == 0 and kind(unwrapped(link.right)) == "Diagonal"


def of_the_loss(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[str]:
    """The loss that is differentiated need not be the one that the document means."""
    if rejected(court, page, link):
        yield REJECTED
    if output := several_wanted(court, page, link):
        yield f"the loss holds {output} against several things, and this is of a loss that holds it against one"
    if beside_sums(court, page, outcome, link):
        yield "this holds only if it is what one step adds to the gradient, and the lines beside it sum over the steps"
    if losses := two_losses(page, link):
        yield f"this holds only if {losses} are one loss"
    if page.loss_weight is not None and not page.summed_too and (alone := of_the_step(page, outcome)) is not None:
        yield f"this holds only if {alone}, without the factor before the sum that the document gives"
    if open_factor(page, link):
        yield UNTOLD
    if link.earlier and of_some_class(page, link):
        yield OF_A_VECTOR
    if other := made_of_others(court, page, link):
        yield f"the document makes its loss {other} of other losses, and not by adding up those of all steps"
    if against := against_its_own(court, page, link):
        yield against
    if page.loss is not None:
        return
    if said := told_apart(court, page, link):
        yield f"the words speak of {said}"
    if told := told_otherwise(court, page, outcome):
        yield f"this holds of the loss that goes with the output, and {told}"
    if outcome.used & {*page.targets.values()} and otherwise_written(court, page, link):
        yield "this holds of the usual loss, and not of the one that the document writes"
    if target := computed(court, page, outcome.used):
        yield f"{target}, which is wanted, is itself computed from the output"
    if what := weighed(court, page, link, outcome.used):
        yield f"this holds of the usual loss, and the formula that the document writes has {what} in it"
    if weight := penalised(court, page, link):
        yield f"the loss that the document writes has a term in {weight} itself, which is not in this line"


def beside_sums(court: Court, page: Page, outcome: Outcome, link: Link) -> bool:
    r"""Whether a gradient by a weight is read as what one step adds to it, and other lines of its display have ``\sum_t`` for those of the same loss."""
    left: Any = unwrapped(link.left)
    if kind(left) != "Derivative" or link.sign == "+=" or outcome.chooser is None or "use" not in outcome.chooser.tags:
        return False
    others = (s.node.sides for s in court.statements if s.fragment is link.statement.fragment and s is not link.statement and kind(s.node) == "Relation")
    by_weights = (
        sides[1:]
        for sides in others
        if kind(other := unwrapped(sides[0])) == "Derivative"
        and other.of == left.of
        and (ref := page.symbols.ref(unwrapped(other.wrt))) is not None
        and ref.key not in page.symbols.timed
    )
    sums = (n for sides in by_weights for side in sides for n in walk(side) if kind(n) == "Big" and n.kind == "sum" and n.index is not None)
    return any(spelled(n.index) in LETTERS for n in sums)


def of_the_length(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[str]:
    """A sequence with more steps or fewer than those that were tried, or another last step, makes it false."""
    if letter := beside_the_last(page, outcome, link):
        yield f"this holds only if {letter} is the last step"
    if too_short(court, page, outcome, link) and not fixed(court, page):
        yield f"this holds only if there are {page.steps} steps"
    if of_one_step(page, outcome, link):
        yield "this does not hold of a sequence of a single step"


def a_matrix(page: Page, node: Any) -> bool:
    """Whether a name is one of a weight that is a matrix, and not in a small letter, in which many write weights that are numbers."""
    letter: Any = node.base if kind(node) == "Power" else node  # ``W^{(h)}``
    ref = page.symbols.ref(node) if kind(letter) == "Name" else None
    weight = ref is not None and ref.key not in page.symbols.timed and page.symbols.ranks.get(ref.key) == 2
    return ref is not None and weight and not ref.entries and not letter.base.islower()


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


def shared_weight(court: Court, page: Page, link: Link) -> str:
    r"""The weight by which a line differentiates the loss, if words say that it is shared and several states are computed by it, ``h_t`` and ``s_t``."""
    left: Any = unwrapped(link.left)
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    if ref is None or ref.key in page.symbols.timed or SHARED.search(court.words) is None:
        return ""
    states = set()
    for k, g in enumerate(court.collected.groups):
        own = court.page(k)
        named = (key for key, d in g.definitions.items() if any((r := own.symbols.ref(n)) is not None and r.key == ref.key for n in walk(d.node)))
        states |= {key for key in named if key in own.lagged}
    return page.notes.get(ref.key, ref.key) if len(states) > 1 else ""


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


def by_convention(court: Court, link: Link) -> bool:
    """Whether a line holds of a cell that is not written out in the other convention of its gate."""
    other = court.other_convention
    return other is not None and any(attempt(other, other.page(k), link.left, link.right, link).equal for k in other.order(link.statement))


def followed(court: Court, link: Link) -> bool:
    """Whether several other lines hold in this convention of the gate alone, and none in the other one alone: so the document follows it."""
    if court.turned is None or court.other_convention is None:
        return False
    if court.conventions is None:
        lines = [o for o in court.links if o.statement.derives and o.sign in EQUAL][:MANY]
        pages = [[(c, k) for k in c.order(link.statement)] for c in (court, court.other_convention)]
        held = {(o.statement.number, o.number): [any(attempt(c, c.page(k), o.left, o.right, o).equal for c, k in some) for some in pages] for o in lines}
        court.conventions = {key: here for key, (here, there) in held.items() if here != there}
    others = [here for key, here in court.conventions.items() if key != (link.statement.number, link.number)]
    return len(others) >= SEVERAL and all(others)
