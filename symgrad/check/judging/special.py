r"""Special cases of the cell of which a line may speak that does not hold of the cell itself: without the activation, with an open gate, of one step.

A line that would be refuted is held against a small family of cells: all activations with slope one, or zero, or another function; gates at 0 or 1;
no input, no bias; a weight that is the identity, symmetric, orthogonal; what comes through other steps left out; a loss that looks at the last step
alone; another equation that the document gives.  Where it holds of one of them and the words beside it are of that kind, or suppose anything at all,
it is left open.  Without such words it is the slip it seems to be: a slope or a gate that was forgotten.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider
from symgrad.check.judging.lasting import of_an_example, supposed_before, told_before
from symgrad.check.otherwise.followed import STRICTLY, gates
from symgrad.check.otherwise.steps import AT_THE_END
from symgrad.check.reading import hypotheses as said
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.gated import in_a_state
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import LONG
from symgrad.check.reading.relations import valued
from symgrad.check.reading.statements import derived, loss_head
from symgrad.check.reading.symbols import head_and_parts, spelled, upright
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.changed import looks_at_the_cell
from symgrad.check.ruling.functions import activated, calls, with_equations, with_functions
from symgrad.check.worlds.matrices import KINDS
from symgrad.notation.syntax import Name, Negative, Number, Paren, Sum, Transpose

NEAR = 2  # statements before a line among which another equation is looked for
SHOWN = 80  # characters of a question
REACH = 3  # displays in a row that the words before the first one may be about
ACTIVATIONS = frozenset({"tanh", "sigmoid", "relu"})
ROWS = re.compile(  # of gradients, which may stand as rows
    r"\brows?\b(?!\s+(?:of|in)\b)|\bnumerator layout|\btranspos\w*|\bshape of \$?[^.$]{0,16}\^|\bzeilen?\w*|\blignes?\b|\bfilas?\b|\blinhas?\b"
    r"|\brighe?\b|\briga\b|строк\w*|行(?:向量|ベクトル)|转置|轉置|転置|행벡터|전치",
    re.IGNORECASE,
)
Case = tuple[str, Page, Link]  # what is supposed, the page and the line under it


def special(court: Court, link: Link) -> Judgement | None:
    """Why a line that holds of no reading of the cell is not refuted: it holds of a special case, and the words beside it speak of one."""
    fragment = link.statement.fragment
    if fragment is None or court.program or link.sign not in EQUAL:
        return None
    told = said.said_beside(fragment, displays_before(court, link), heading(court, link))
    if told_by_values(court, link):  # it was judged under that
        told = replace(told, cases=told.cases if told.worded and not told_by_both(court, link) else told.cases - {said.GATES}, supposing=False)
    if value := next((v for page in court.pages_of(link.statement) if (v := of_an_example(page, link))), ""):
        return ambiguous(f"the text works an example out, with {value}, and this may rest on such values")
    if (question := said.varied(fragment)) and not told_by_values(court, link):
        return Judgement("undecided", "condition", f"the question before this may ask for another case, which is not understood here: {question[:SHOWN]}")
    for page in court.pages_of(link.statement):
        if in_rows(page, link):
            return ambiguous("this is the transposed gradient, and the words before it may tell of rows")
        if (judged := without_a_cell(page, link, told.cases)) is not None:
            return judged
        for what, other, line in family(page, link, told):
            if holds(other, line):
                return ambiguous(f"this holds only if {what}, which the words beside it may suppose")
    return supposed_before(court, link) or still(court, link, told)


def still(court: Court, link: Link, told: said.Said) -> Judgement | None:
    """Why a line is left open that holds of a case, or of two together, that the words beside it or those before it under its heading speak of."""
    told = told_before(court, link, told)
    for page in court.pages_of(link.statement):
        for what, other, line in family(page, link, told):
            if holds(other, line):
                return ambiguous(f"this holds only if {what} still, as words before it may suppose")
            for more, both, its_line in family(other, line, replace(told, cases=told.cases & TOGETHER)) if told.cases & TOGETHER else ():
                if holds(both, its_line):
                    return ambiguous(f"this holds only if {what} and {more}, which the words before it may suppose")
    return None


def in_rows(page: Page, link: Link) -> bool:
    """Whether the gradient by a weight holds transposed, and the words before it tell of rows, or of such a shape."""
    left, fragment = unwrapped(link.left), link.statement.fragment
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    if ref is None or page.symbols.ranks.get(ref.key) != 2 or ROWS.search(fragment.before[-LONG:]) is None:
        return False
    return holds(page, replace(link, right=Transpose(link.right)))


def told_by_values(court: Court, link: Link) -> bool:
    """Whether a line was judged under a condition that gives values."""
    return any(valued(c.node) for c in court.conditions(link))


def told_by_both(court: Court, link: Link) -> bool:
    """Whether the words that tell a gate to be open or closed stand beside its value."""
    found = court.conditions(link)
    gates = [head_and_parts(side) for c in found if valued(c.node) for side in c.node.sides[:-1]]
    return any(in_a_state(c.text, gate[0].base) for c in found for gate in gates if gate is not None)


def heading(court: Court, link: Link) -> str:
    """The heading that a line stands under, if that may be one of a case: a section that defines something is no case of it."""
    here: str = link.statement.fragment.heading
    under = (s for s in court.statements[: link.statement.number] if s.fragment is not None and s.fragment.heading == here)
    return "" if any((s.number, 0) in court.collected.defining for s in under) else here


def displays_before(court: Court, link: Link) -> list[Any]:
    """The displays right before a line under the same heading: words reach over those that follow each other."""
    own = link.statement.fragment
    found = (s.fragment for s in court.statements[: link.statement.number] if s.fragment is not None and s.fragment is not own)
    return list({id(f): f for f in found if (f.kind, f.heading) == ("display", own.heading)}.values())[-REACH:]


def holds(page: Page, link: Link) -> bool:
    """Whether a line holds of a page as it stands, or of a loss that looks at the last step alone."""
    return Decider(page).decide(link.left, link.right, modes=STRICTLY).equal


def without_a_cell(page: Page, link: Link, cases: frozenset[str]) -> Judgement | None:
    """What words alone leave open: a parameter that is not learned has no gradient, and peepholes are no part of the cell."""
    left = unwrapped(link.left)
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    if said.FROZEN in cases and ref is not None and ref.key not in page.symbols.timed and unwrapped(link.right) == Number("0"):
        return ambiguous("this holds only if the parameter is no variable, as the words beside it may say")
    if said.PEEPHOLES in cases and not looks_at_the_cell(page):
        return ambiguous("the words beside it speak of peepholes, which the cell of the document does not have")
    return None


# -- the family --------------------------------------------------------------------------------------------------------------------


def family(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    """The special cases of a page, those first that cost least."""
    for case, of in FAMILY.items():
        if case in told.cases or (told.supposing and case not in TOLD):
            yield from of(page, link, told)


def of_slope_one(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    applied = activations(page)
    if applied and not slope_written(link):
        yield "the activation has slope one", with_functions(page, dict.fromkeys(applied, "identity")), link


def of_slope_zero(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    flat = copy(page)
    flat.constant = page.constant | {page.preactivation(key) for key in page.lagged & page.definitions.keys() if page.activated(key) is not None}
    yield "the activation has slope zero", flat, link


def of_another_function(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    applied = activations(page)
    for rule in sorted(ACTIVATIONS if told.supposing else ACTIVATIONS & {told.function}):
        other = with_functions(page, dict.fromkeys(applied, rule)) if applied else activated(page, rule)
        if other is not None:
            yield f"the activation is {rule}", other, link


def of_gates(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    """Gates that are taken away, open or closed: one or two of them; one that is what another leaves."""
    found = sorted(key for key in gates(page) if not names(page, link.right, key))
    named = said.GATES in told.cases
    for n in range(1, 1 + min(len(found), 2 if named else 1)):
        for some in itertools.combinations(found, n):
            for values in itertools.product((1, 0), repeat=n):
                what = " and ".join(f"{page.notes.get(key, plain(key))} is {value}" for key, value in zip(some, values, strict=True))
                yield what, at_values(page, dict(zip(some, values, strict=True))), link


def of_another_equation(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    yield from of_other_equations(page, link)
    if said.EQUATION in told.cases:
        yield from of_tied_gates(page, link)


def of_tied_gates(page: Page, link: Link) -> Iterator[Case]:
    r"""Gates of which one is what the other leaves, ``i_t = 1 - f_t``, or that change places with that, ``z_t`` and ``1 - z_t``."""
    found = [key for key in sorted(gates(page)) if page.definitions[key].side is not None]
    for one, other in itertools.permutations(found, 2):
        if names(page, link.right, one):
            continue
        d, rest = page.definitions[one], left_by(page.definitions[other].side)
        what = f"{page.notes.get(one, plain(one))} is what {page.notes.get(other, plain(other))} leaves"
        yield what, with_equations(page, {one: replace(d, node=rest)}), link
    for key in found:
        turned = {k: replace(d, node=exchanged(page, d.node, key)) for k, d in page.definitions.items() if k in page.lagged}
        what = f"{page.notes.get(key, plain(key))} stands where it leaves the rest"
        yield what, with_equations(page, turned), link


def of_other_equations(page: Page, link: Link) -> Iterator[Case]:
    """Another equation that the document gives for a quantity: a second convention, the other half of a cell in parts."""
    for s in page.statements:
        node = s.node.node if kind(s.node) == "Given" else s.node
        if kind(node) != "Relation" or len(node.sides) != 2 or node.signs[0] not in EQUAL or s.number > link.statement.number or derived(node.sides[1]):
            continue
        ref = page.symbols.ref(unwrapped(node.sides[0]))
        d = page.definitions.get(ref.key) if ref is not None else None
        if ref is None or d is None or ref.entries or ref.step is None or spelled(ref.step) != d.letter or d.shift or node.sides[1] is d.node:
            continue
        if s.number >= link.statement.number - NEAR and number_of(node.sides[1]) is None:
            what = f"{page.notes.get(ref.key, plain(ref.key))} has the other equation that the document gives"
            yield what, with_equations(page, {ref.key: replace(d, node=node.sides[1])}), link


def of_nothing_put_in(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    """No input, no bias, neither."""
    named = {r.key for d in page.definitions.values() for n in walk(d.node) if (r := page.symbols.ref(n)) is not None} - page.definitions.keys()
    inputs = {key for key in named & page.symbols.timed if key not in page.targets.values()}
    given = {r.key for node in told.formulas if valued(node) for side in node.sides[:-1] if (r := page.symbols.ref(unwrapped(side))) is not None}
    biases = {key for key in named - page.symbols.timed - given if page.symbols.ranks.get(key) == 1}
    for some, what in ((inputs, "there is no input"), (biases, "there is no bias"), (inputs | biases, "there is neither input nor bias")):
        if some and not any(names(page, link.right, key) for key in some):
            yield what, at_values(page, dict.fromkeys(some, 0)), link


def of_matrices(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    """A weight that is symmetric, orthogonal, the identity."""
    used = {r.key for d in page.definitions.values() for n in walk(d.node) if (r := page.symbols.ref(n)) is not None}
    weights = {k for k in used if page.symbols.ranks.get(k) == 2 and k not in page.symbols.timed}
    spoken = {k for k in weights if any(names(page, node, k) for node in told.formulas)}
    for key in sorted(spoken or weights):
        name = page.notes.get(key, plain(key))
        for what in sorted(told.kinds & KINDS.keys()):
            changed = copy(page)
            changed.kinds = {**page.kinds, key: what}
            yield f"{name} is {what}", changed, link
            yield f"{name} is {what}", at_the_end(changed), link
        if names(page, link.right, key) or "identity" not in told.kinds:
            continue
        equations = {k: replace(d, node=left_away(page, d.node, key)) for k, d in page.definitions.items() if names(page, d.node, key)}
        yield f"{name} is the identity", with_equations(page, equations), link


def of_one_step(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    """Nothing comes through the states of other steps; nor through gates."""
    cut = copy(page)
    cut.constant = page.constant | page.lagged
    yield "what comes through other steps is left out", cut, link
    narrow = copy(cut)
    narrow.constant = cut.constant | gates(page)
    if narrow.constant != cut.constant:
        yield "what comes through other steps and gates is left out", narrow, link


def of_the_last_loss(page: Page, link: Link, told: said.Said) -> Iterator[Case]:
    if not page.many_to_one:
        yield AT_THE_END, at_the_end(page), link


FAMILY = {
    said.SLOPE: of_slope_one,
    said.FLAT: of_slope_zero,
    said.NAMED: of_another_function,
    said.ZERO: of_nothing_put_in,
    said.CUT: of_one_step,
    said.LAST: of_the_last_loss,
    said.EQUATION: of_another_equation,
    said.MATRIX: of_matrices,
    said.GATES: of_gates,
}
TOLD = frozenset({said.MATRIX})  # cases that words always name
TOGETHER = frozenset({said.SLOPE, said.ZERO})  # cases that may come on top of another one


# -- pages and lines that are changed ----------------------------------------------------------------------------------------------


def activations(page: Page) -> list[str]:
    """The functions that the equations of the states apply."""
    return [n.function.base for key in sorted(page.lagged & page.definitions.keys()) for n in walk(page.definitions[key].node) if calls(n)]


def slope_written(link: Link) -> bool:
    """Whether a line writes a slope: then it was not left out."""
    return any(kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes for n in walk(link.right))


def at_values(page: Page, values: dict[str, int]) -> Page:
    """The page in whose worlds some quantities have a value at every step."""
    out = copy(page)
    out.fixed = {**page.fixed, **{(key, None): value for key, value in values.items()}}
    return out


def at_the_end(page: Page) -> Page:
    out = page.twin()
    out.many_to_one = True
    return out


def left_by(side: Any) -> Any:
    return Sum((Number("1"), Negative(side)))


def number_of(node: Any) -> Any:
    node = unwrapped(node)
    return node if kind(node) == "Number" or spelled(node) in ("0", "1") else None


def exchanged(page: Page, node: Any, key: str) -> Any:
    """A formula with ``1 - z`` in the place of z."""
    return rebuilt(node, {id(n): Paren(left_by(n)) for n in walk(node) if (r := page.symbols.ref(n)) is not None and r.key == key})


def names(page: Page, node: Any, key: str) -> bool:
    return any((r := page.symbols.ref(n)) is not None and r.key == key for n in walk(node))


def is_weight(page: Page, node: Any, key: str) -> bool:
    ref = page.symbols.ref(unwrapped(node))
    return ref is not None and ref.key == key


def left_away(page: Page, node: Any, key: str) -> Any:
    """A formula without a weight, as if that were the identity."""

    def gone(a: Any) -> bool:
        return is_weight(page, a, key) or ((inner := upright(unwrapped(a))) is not None and is_weight(page, inner, key))

    new: dict[int, Any] = {}
    for n in walk(node):
        if kind(n) == "Product" and any(map(gone, n.args)):
            rest = tuple(a for a in n.args if not gone(a))
            new[id(n)] = Name("I") if not rest else rest[0] if len(rest) == 1 else replace(n, args=rest)
        elif gone(n):
            new.setdefault(id(n), Name("I"))
    return rebuilt(node, new)
