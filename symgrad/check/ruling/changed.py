"""The cell that words have changed between its equations and a line: what holds of the one need not hold of the other."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.reading import changes as said
from symgrad.check.reading.activations import BUILTIN, meaning
from symgrad.check.reading.claims import Link
from symgrad.check.reading.hypotheses import GOES_ON, ITEM, spoken
from symgrad.check.reading.prose import BOLD, FIRST, LONG, PARAGRAPH, PH, SENTENCE, clause, masked
from symgrad.check.reading.trees import kind, walk
from symgrad.check.ruling.functions import calls, with_functions
from symgrad.check.ruling.losses import of_a_loss
from symgrad.check.sources.reading import CONTEXT
from symgrad.notation.syntax import Number

TITLE = re.compile(r"(?:\A|\n)[ \t]*#{1,6}[ \t][^\n]*(?:\n|\Z)|\\(?:sub)*section\*?\{[^{}]*\}")
LABELLED = re.compile(r"\n(?=\*\*|\\textbf\{|\\paragraph\{|<b>|<strong>)")
AVERAGE = re.compile(r"averag|gemittelt|moyenn|promedi|平均|평균", re.IGNORECASE)
DISPLAY = "\uf8ff"  # a display in its place in the prose
PLACE = re.compile(PH)
FAR = 12  # displays before a line between which the prose is looked at
STAND_IN = "softplus"  # for a function that is not known here


def changed(court: Court, page: Page, link: Link, holds: bool = True) -> str:
    """What the words between the equations of the cell and a line change of it; empty if nothing.  `holds` if the line holds of the cell."""
    fragment = link.statement.fragment
    if court.program or fragment is None or court.cell is not None:
        return ""
    if holds and said.called_false(masked(fragment.after[:LONG], False).text):
        return "the words behind this say that it is false"
    found = [("", *change) for change in said.changes(title, True)] if (title := heading(court, link)) is not None else []
    *before, here = [*since(court, link)] or [""]
    for sentence in (*(s for s in before if not said.in_general(s) and not said.conditional(s)), here, behind(fragment)):
        found = [] if said.restores(sentence) else found
        found += [(sentence, *change) for change in said.changes(sentence)]
    own = {case for text in at_the_cell(court) for case, _ in said.changes(text, True)} if found else set()
    supposed = all(page.functions != court.page(k).functions for k in court.order(link.statement))  # it is judged with another function
    beside = {sentence for sentence, case, rule in found if case == said.NAMELY and rule in functions(page)}  # "tanh, or the sigmoid"
    for sentence, case, words in found:
        if case not in (said.FUNCTION, said.NAMELY):
            if case not in own and not has(page, link, case, words):
                return f"the words before this change what the document defines: {words}"
            continue
        told = not supposed and not (case == said.NAMELY and sentence in beside)
        if told and (other := of_another_function(court, page, link, words, holds, PLACE.search(sentence) is not None)):
            return f"the words before this speak of {other}, which the cell of the document does not have"
    return ""


# -- the words ---------------------------------------------------------------------------------------------------------------------


def heading(court: Court, link: Link) -> str | None:
    """The heading of a line, if no equation of a cell stands under it before the line."""
    here: str = link.statement.fragment.heading
    under = {s.number for s in court.statements[: link.statement.number] if s.fragment is not None and s.fragment.heading == here}
    return None if not here or under & equations(court) else here


def equations(court: Court) -> set[int]:
    """The statements that define the cells."""
    return {d.place.number for g in court.collected.groups for d in g.definitions.values() if d.place is not None}


def written(court: Court) -> list[Any]:
    """The fragments in which the cells are defined."""
    defining = equations(court)
    return [s.fragment for s in court.statements if s.number in defining and s.fragment is not None]


def at_the_cell(court: Court) -> list[str]:
    """The headings and sentences in which the cells are defined."""
    found = written(court)
    return list(dict.fromkeys(text for f in found for text in (f.heading, clause(f.before.rstrip()), behind(f))))


def behind(fragment: Any) -> str:
    """The rest of the sentence of a formula, behind it, up to the next formula."""
    text = masked(fragment.after[:LONG], False).text
    text = text.lstrip() if fragment.kind == "display" and GOES_ON.match(text) else text
    return PLACE.split(SENTENCE.split(PARAGRAPH.split(text, maxsplit=1)[0], maxsplit=1)[0])[0]


def since(court: Court, link: Link) -> list[str]:
    """The sentences between the equations of the cell and a line, under its heading: of list items and labelled paragraphs, those in its own."""
    whole = "".join(f"{DISPLAY}{'' if GOES_ON.match(piece) else '.'}\n{piece}" for piece in pieces(court, link))
    chunks = [c for part in PARAGRAPH.split(whole) for c in LABELLED.split(part)]
    reaching = [c for c in chunks[:-1] if not (ITEM.match(c) or BOLD.match(c))] + chunks[-1:]
    return [s for c in reaching for s in SENTENCE.split(c) if s.strip()]


def pieces(court: Court, link: Link) -> list[str]:
    """The prose between the displays from the equations of the cell to a line, or from its heading."""
    own = link.statement.fragment
    defining = written(court)
    formulas, displays = {f.latex.strip() for f in defining}, {id(f) for f in defining}
    out: list[str] = []
    last: Any = None
    for s in court.statements[: link.statement.number + 1][::-1]:
        f = s.fragment
        if f is None or f is last or (f is not own and f.kind != "display"):
            continue
        if f.heading != own.heading or (f is not own and id(f) in displays) or len(out) == FAR:
            break
        last = f
        text, whole = said_last(f, formulas)
        out.insert(0, text)
        if not whole:
            break
    return out


def said_last(fragment: Any, equations: set[str]) -> tuple[str, bool]:
    """What the prose before a formula says behind the last equation of the cell and the last heading in it; whether there are none of these."""
    prose = masked(fragment.before, True)
    titles = [m.end() for m in TITLE.finditer(prose.text)]
    marks = [m.end() for m in PLACE.finditer(prose.text) if prose.formulas[ord(m[0]) - FIRST].strip() in equations]
    cut = SENTENCE.search(prose.text) if len(fragment.before) >= CONTEXT else None  # what stands before it begins somewhere in a sentence
    start = max([0, *titles, *marks, *([cut.end()] if cut is not None else [])])
    if start in marks:
        start = min([m.end() for m in (words.search(prose.text, start) for words in (SENTENCE, PARAGRAPH)) if m is not None] or [len(prose.text)])
    return spoken(prose, prose.text[start:]).strip(), not (titles or marks)


# -- what the cell has -------------------------------------------------------------------------------------------------------------


def has(page: Page, link: Link, case: str, words: str) -> bool:
    """Whether the cell has in its equations what words speak of, or the line is about something else."""
    if case in (said.LOSS, said.ENDING):
        mean = page.loss_weight is not None and any(kind(n) == "Name" for n in walk(page.loss_weight))
        written = page.many_to_one if case == said.ENDING else mean and AVERAGE.search(words) is not None
        return written or not of_a_loss(page, link)
    if case == said.PEEPHOLES:
        return looks_at_the_cell(page)
    nodes = [d.node for d in page.definitions.values()]
    if case == said.ADDED:
        return any(outside(page, page.definitions[key].node, key) for key in page.lagged & page.definitions.keys())
    if case == said.TIED:
        return any(kind(n) == "Sum" and n.args[0] == Number("1") and kind(n.args[-1]) == "Negative" for node in nodes for n in walk(node))
    letters = said.LETTERS.get(case, ())
    refs = [r for node in nodes for n in walk(node) if kind(n) == "Name" and n.base in letters and (r := page.symbols.ref(n)) is not None]
    return any(r.key not in page.definitions or r.key == "mu" for r in refs)  # g may be a gate


def looks_at_the_cell(page: Page) -> bool:
    """Whether a gate of the cell has peepholes: it is computed from two states."""
    return any(len({r.key for r, _ in page.references(d)} & page.lagged) > 1 for key, d in page.definitions.items() if marks.gate(page, key))


def outside(page: Page, node: Any, key: str) -> bool:
    """Whether a quantity stands in a formula and in no argument of a function."""
    inside = {id(x) for n in walk(node) if kind(n) == "Apply" for a in n.args for x in walk(a)}
    return any(id(n) not in inside and (r := page.symbols.ref(n)) is not None and r.key == key for n in walk(node))


def functions(page: Page) -> set[str]:
    """What the functions are that the equations apply."""
    return {str(meaning(page.functions, n.function)) for d in page.definitions.values() for n in walk(d.node) if calls(n)}


def of_another_function(court: Court, page: Page, link: Link, rule: str, holds: bool, more: bool) -> str:
    """The function that words name, if the cell has none like it, and what holds of the cell does not hold with it, or the other way round.

    `more` if the words say more of the cell, in a formula.
    """
    rules = functions(page)
    if not rules or rule in rules or rules - {*BUILTIN.values()}:
        return ""
    inner = [n.function for key, d in page.definitions.items() if key not in page.targets for n in walk(d.node) if calls(n)]
    squashing = {f.base for f in inner if meaning(page.functions, f) != "sigmoid"} or {f.base for f in inner}  # a sigmoid is that of gates, if there is more
    with_it = attempt(court, with_functions(page, dict.fromkeys(squashing, rule or STAND_IN)), link.left, link.right, link).equal
    if with_it == holds and (holds or (rule and not more)):
        return ""
    return {"": "another activation", "identity": "no activation"}.get(rule, rule)
