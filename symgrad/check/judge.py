r"""`judge` says of every relation of a document whether it is true.

The statements are read in order.  Those that define the cell are collected first (`define`); every other relation is a claim: each link
of a chain is decided on the definitions in force (`decide`) and, where it is wrong, diagnosed (`diagnose`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from symgrad.check.claim import Claim
from symgrad.check.court.court import Court
from symgrad.check.forms.accumulated import added_to
from symgrad.check.forms.ahead import at_their_step, before_activations
from symgrad.check.forms.arguments import losses_as_written, without_arguments
from symgrad.check.forms.bare import of_the_loss
from symgrad.check.forms.barred import of_preactivations, unbarred
from symgrad.check.forms.below import layer_below
from symgrad.check.forms.bundled import bundled
from symgrad.check.forms.circled import circled
from symgrad.check.forms.common import Common
from symgrad.check.forms.costs import jacobians_by_letter, losses_by_letter
from symgrad.check.forms.diagonals import by_diagonal_entries, by_letter
from symgrad.check.forms.each import one_by_one
from symgrad.check.forms.equated import steps_alone
from symgrad.check.forms.expected import expectations
from symgrad.check.forms.graves import by_components
from symgrad.check.forms.homonyms import told_apart, told_by_numbers
from symgrad.check.forms.inner import parts_named
from symgrad.check.forms.joined import with_marks
from symgrad.check.forms.lastly import lastly, until_the_last
from symgrad.check.forms.layered import layers_by_number
from symgrad.check.forms.nested import one_within_another
from symgrad.check.forms.numbered import generalised
from symgrad.check.forms.onehot import one_hot, one_hot_as_written
from symgrad.check.forms.outside import steps_brought_in
from symgrad.check.forms.overset import term_by_term
from symgrad.check.forms.packed import unpacked
from symgrad.check.forms.parameters import of_functions
from symgrad.check.forms.ranges import ranges
from symgrad.check.forms.rectified import rectifiers
from symgrad.check.forms.rest import NOTE, with_a_rest
from symgrad.check.forms.sized import without_sizes
from symgrad.check.forms.slopes import slopes_by_name
from symgrad.check.forms.softmax import softmaxes
from symgrad.check.forms.stacked import layer_by_layer
from symgrad.check.forms.standing import functions_at_steps, values_by_letter
from symgrad.check.forms.unnamed import outputs_of_losses
from symgrad.check.forms.uses import behind_bars
from symgrad.check.forms.wanted import without_outputs_so_called
from symgrad.check.forms.zero import counted_from_zero
from symgrad.check.programs.foreign import WHY, gradients
from symgrad.check.programs.reader import Unit, shown, units
from symgrad.check.programs.rulings import judged
from symgrad.check.reading.claims import Link, links, span_of, statements_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.lint import printed
from symgrad.check.reading.statements import Statement, names_in, step_part
from symgrad.check.reading.symbols import key_of
from symgrad.check.reading.trees import forget, kind, walk
from symgrad.check.ruling.told import in_words
from symgrad.check.verdicts import introduce, ruling
from symgrad.notation.text import text

if TYPE_CHECKING:
    from symgrad.check.sources import Document
    from symgrad.face.cell import Cell
    from symgrad.notation.syntax import Unread

IN_A_SCRIPT = "stands in a script"  # ``h^{t)}``: everybody reads over it


def judge(document: Document, cell: Cell | None = None) -> Iterator[Claim]:
    """The claims of a document, each with its verdict: as a formula or, where that leaves it open, as a line of the program that a comment sketches."""
    try:
        sketched = {(claim.line, claim.column): claim for p in document.sketches for unit in units([p]) for claim in coded(document, unit)}
        for claim in formulas(document, cell):
            beside = sketched.get((claim.line, claim.column), claim) if claim.verdict in ("undecided", "unread") else claim
            yield beside if beside.verdict in ("proved", "refuted") else claim
    finally:
        forget()


def formulas(document: Document, cell: Cell | None) -> Iterator[Claim]:
    """The claims of formulas and of backward passes in Python."""
    common = common_form(document, cell)
    court = Court(common.statements, cell, text=document.text, common=common)
    if document.programs and cell is None and (equations := lacking(court, shown(document.programs))):
        court.close()
        common = common_form(document, cell, equations)
        court = Court(common.statements, text=document.text, common=common)
        court.certain &= not in_rows(equations)  # else comments may think of columns
    found = common.statements
    with closing(court):
        programs = units(document.programs, court.collected)
        court.bare &= not programs
        introduce(court, (link for s in found if kind(s.node) != "Unread" for link in links(s)))
        in_words(court)
        rule = partial(ruling, court)
        for s in found:
            if kind(s.node) == "Unread":
                yield unread(document, s)
                continue
            if s.unpacked or s.instance or s.fragment.kind == "program":
                continue
            instances = takewhile(lambda other: other.instance > 0, found[s.number + 1 :])
            alike = zip(*map(links, [s, *instances]), strict=True)
            rulings = [(same[0], unmarked(same[0], said)) for same in alike if (said := common.ruled(same, rule)) is not None]
            whole = [(link, said) for link, said in rulings if s.broken is None or before(link, s.broken)]
            for link, said in whole:
                yield written(document, link, said)
            if s.broken is not None:
                yield unbalanced(document, s, [ruling for ruling in rulings if ruling not in whole])
        read = [claim for unit in programs for claim in coded(document, unit)]
        yield from read
    places = {(claim.line, claim.column) for claim in read}
    for fragment in gradients(document.foreign):
        claim = document.claim(fragment, verdict="unread", code="unread-formula", message=WHY)
        if (claim.line, claim.column) not in places:
            yield claim


def lacking(court: Court, equations: list[Statement]) -> list[Statement]:
    """What the formulas lack of the cell that the programs compute: all of it where they define none, else the gates that they only name."""
    whole = court.borrowed or not court.recurrent()
    if whole or in_rows(equations):
        return equations if whole else []
    pages = [court.page(k) for k in range(len(court.collected.groups))]
    known = {key for p in pages for key in p.definitions} - set(court.invented)
    used = {ref.key for p in pages for key in known & set(p.definitions) for n in walk(p.definitions[key].node) if (ref := p.symbols.ref(n)) is not None}
    more = [(s, key) for s in equations for _, head, parts in names_in(s.node.sides[0]) if (key := key_of(head, list(parts[:-1]))) not in known]
    return [s for s, _ in more] if any(key in used for _, key in more) else []


def in_rows(equations: list[Statement]) -> bool:
    """Whether a program multiplies weights from the left, as those do that hold examples in rows."""
    ends = [(n.args[0], n.args[-1]) for s in equations for n in s.nodes if kind(n) == "Infix" and n.sign == "at"]
    stepped = [[any(step_part(parts, "t") for _, _, parts in names_in(end)) for end in pair] for pair in ends]
    return [True, False] in stepped


def common_form(document: Document, cell: Cell | None, equations: Iterable[Statement] = ()) -> Common:
    """The statements of a document, behind the equations of its programs, in the notation that the rooms behind understand."""
    found, cuts = ranges([replace(mended(s), number=k) for k, s in enumerate([*equations, *statements_of(document)])])
    found, double = one_within_another(found)
    found, diagonals = by_letter(found)
    found = slopes_by_name(steps_brought_in(by_diagonal_entries(steps_alone(found))))
    found, rectified = rectifiers(circled(values_by_letter(functions_at_steps(found)), document.text))
    found, jacobians = jacobians_by_letter(of_functions(found))
    found, costs = losses_by_letter(found)
    found, zero = counted_from_zero(found)
    found, early = at_their_step(before_activations(found))
    found, numbered = layers_by_number(found)
    found = stated = behind_bars(softmaxes(found))
    one_at_a_time = (expectations, of_the_loss, added_to, term_by_term, one_by_one, with_marks, one_hot, without_sizes)
    for form in (*one_at_a_time, without_outputs_so_called, without_arguments):
        found = form(found)
    found, adjoints = unbarred(of_preactivations(found))
    for form in (bundled, unpacked, generalised):
        found = form(found)
    found, rest = with_a_rest(found)
    found, last = until_the_last(found)
    found, unnamed, outputs = outputs_of_losses(found)
    found = lastly(found)
    if cell is None and (common := by_components(found) or layer_by_layer(found)) is not None:
        return common
    found, layers, names = layer_below(found)
    found, homonyms = told_apart(found)
    found, numbers = told_by_numbers(found)
    found, original = parts_named(found)
    names = names | outputs | {name.base: text(part) for name, part in original.items()}
    as_written = losses_as_written(stated) | one_hot_as_written(stated) | rectified | jacobians | costs | last
    as_written |= unnamed | layers | homonyms | original | zero | early | numbers | cuts | double | numbered | rest | adjoints | diagonals
    return Common(found, as_written, unsaid={name.base: NOTE for name in rest}, names=names)


def coded(document: Document, unit: Unit) -> Iterator[Claim]:
    """The claims of a backward pass in Python."""
    for claim, said in judged(unit):
        whole = Link(Statement(claim.fragment, None, None), 0, None, None, "=", 0, len(claim.fragment.latex))
        yield written(document, whole, said)


def mended(s: Statement) -> Statement:
    """A formula that lacks a bracket, or the mark of an index, is judged, and used, as what it was meant to be."""
    fixed = s.node.repaired if kind(s.node) == "Unread" else None
    return s if kind(fixed) != "Relation" else replace(s, node=fixed, whole=fixed, broken=s.node)


def unmarked(link: Link, said: Judgement) -> Judgement:
    """A link that holds once the mark of an index is put back, ``r{t-1}``: wrong as it stands."""
    place = next((at for at in link.statement.lost if link.start <= at.start < link.stop), None)
    if place is None or said.verdict != "proved":
        return said
    return Judgement("refuted", "lost-index", "the mark of an index is lost: `{` for `_{`", expected=printed(link.right), blame=(place.start, place.end))


def before(link: Link, broken: Unread) -> bool:
    """Whether both sides of a link stand before what is wrong."""
    end = span_of(link.right)
    return broken.place is not None and end is not None and end[1] <= broken.place.start


PIECE = re.compile(r"\s*[-+=*/]?\s*\$")  # a formula right behind another one, ``$f($ $W h_{t-1})$``


def unbalanced(document: Document, s: Statement, rulings: list[tuple[Link, Judgement]]) -> Claim:
    """A bracket without its partner, an index without its mark: wrong as it stands, if the formula is decided or defines something once it is put right."""
    start = max(s.broken.span.start, min((link.start for link, _ in rulings), default=0))
    cut_out = s.fragment.kind in ("line", "code")  # of a text: its other bracket may stand in the words beside it
    cut_out |= s.fragment.kind == "inline" and PIECE.match(s.fragment.after) is not None
    if any(said.verdict == "undecided" for _, said in rulings) or cut_out or IN_A_SCRIPT in s.broken.reason:
        return unread(document, s, start)
    worst = next((said for _, said in rulings if said.verdict == "refuted"), None)
    message = s.broken.reason if worst is None else f"{s.broken.reason}; besides: {worst.message}"
    place = s.broken.place
    return document.claim(
        s.fragment, start, s.broken.span.end, verdict="refuted", code=s.broken.fault, message=message,
        expected=worst.expected if worst is not None else printed(s.node), blame=document.span(s.fragment, place.start, place.end) if place else None,
    )  # fmt: skip


def unread(document: Document, s: Statement, start: int = 0) -> Claim:
    """A formula that the parser could not read, from a place in it."""
    node = s.broken or s.node
    message = node.reason + (f"; {node.way_out}" if node.way_out else "")
    return document.claim(s.fragment, max(start, node.span.start), node.span.end, verdict="unread", code="unread-formula", message=message)


def written(document: Document, link: Link, said: Judgement) -> Claim:
    """The judgement at its place in the file."""
    start, stop = link.start, link.stop
    blame = None
    if said.blame is not None:
        blame = document.span(link.statement.fragment, *said.blame)
    definition = None
    if said.definition is not None:
        fragment, first, last = said.definition
        definition = document.span(fragment, first, last)
    return document.claim(
        link.statement.fragment, start, stop, verdict=said.verdict, reading=said.reading, layout=said.layout, code=said.code, message=said.message,
        expected=said.expected, blame=blame, counterexample=said.counterexample, assumptions=said.assumptions, definition=definition,
    )  # fmt: skip
