r"""What is said of a claim that holds in no reading: refuted, with the slip if one is found, or open, and why."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court import marks
from symgrad.check.court.court import Court
from symgrad.check.defined.incomplete import UNKNOWN, invented
from symgrad.check.defined.page import Page, in_code, plain
from symgrad.check.evaluation import everystep
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.derivatives import told_apart
from symgrad.check.evaluation.evaluate import a_unit_vector
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.statements import ADJOINT_HEADS, derived, names_in
from symgrad.check.reading.symbols import head_and_parts, number_at, spelled
from symgrad.check.reading.trees import children, kind, unwrapped, walk
from symgrad.check.ruling import caution
from symgrad.check.ruling.changed import changed
from symgrad.check.ruling.counted import taken_for_a_vector
from symgrad.check.ruling.losses import OF_A_VECTOR, REJECTED, UNTOLD, of_some_class, open_factor, rejected, several_wanted, two_losses
from symgrad.check.ruling.meanings import introduced_anew
from symgrad.check.ruling.settled import settled_guesses, settled_symbols
from symgrad.check.ruling.unusual import computed
from symgrad.check.slips import diagnose
from symgrad.check.slips.edits import Slips
from symgrad.check.worlds.world import CIRCULAR
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Big, Name

AMBIGUOUS, UNDEFINED = "ambiguous", "undefined-symbol"
CONFIRMED = 3  # claims that must hold before a cell that is not the document's own may refute others
OF_ROWS = frozenset({"order-of-factors", "transposed-factor"})  # slips that are none where vectors are rows
OF_ANY_ORDER = frozenset({"wrong-time-index", "wrong-symbol", "wrong-sign"})  # slips in whatever order the entries of a matrix stand
ANOTHER = "this does not hold of that cell, but the document may mean another one"
OF_NUMBERS = "the shapes fit in no reading, and where all sizes are 1, so that they always fit, the two sides differ too"
UNMARKED = "the left side is a state, the right side a gradient: the mark of the gradient is missing on the left"
FEW = 48  # readings of a line of code for rows


Why = tuple[str, str]  # the code of an open judgement, and its words


def failed(court: Court, page: Page, outcome: Outcome, link: Link) -> Judgement:
    """Refuted, or open."""
    notes = tuple(court.assumed(page, outcome))

    def undecided(reasons: Iterator[Why]) -> Judgement | None:
        why = next(reasons, None)
        return None if why is None else Judgement("undecided", *why, assumptions=notes)

    def held(*told: str) -> Judgement:
        court.right.add((link.statement.number, link.number))
        return Judgement("proved", reading=Decider(page).reading(link.left, link.right, outcome.mode[0]), assumptions=(*notes, *told))

    court.transposed |= outcome.weak is not None and "gradient layout" in (key for key, _ in outcome.weak.chosen)
    if caution.gradient_of_itself(page, link):
        lost = diagnose.Repair("missing-differential", UNMARKED, None, span_of(link.left))
        return refuted(court, page, outcome, link, lost, notes)
    if (opened := undecided(of_the_cell(court, page, outcome, link))) is not None:
        return opened
    if outcome.missing is None and not page.coded and holds_for_rows(page, link):
        rows = "the vectors are rows, as in a batch, and the weights stand behind them"
        return Judgement("proved", reading="matrix", assumptions=(*notes, rows))
    if (opened := undecided(of_the_line(court, page, outcome, link))) is not None:
        return opened
    valueless = outcome.missing is None and not outcome.typed and (outcome.unsupported is not None or not outcome.misfits)
    nameless = outcome.missing is not None and not outcome.typed
    repair = None if valueless or (nameless and not misspelled(court, page, outcome, link)) else diagnose.repair(page, outcome, link, diagnose.RUNS)
    if valueless and outcome.unsupported is None and caution.before_the_inputs(page, link):
        early = diagnose.repair(page, outcome, link, diagnose.FEWER, Slips.steps)
        if early is not None:
            return refuted(court, page, outcome, link, early, notes)
    if repair is not None and repair.code == "immediate-for-total" and repair.message.startswith("the immediate"):
        told = "one ∂ is read as the immediate derivative, the others as total ones"
        return ambiguous(f"this holds only if {told}, and the document has d for these") if told_apart(page) else held(told)
    if (opened := undecided(of_order(court, page, link, repair))) is not None:
        return opened
    if nameless and outcome.missing is not None and given_later(court, page, link, outcome.missing.where):
        return Judgement("proved", assumptions=(*notes, "the symbol is introduced here"))
    if nameless and repair is not None and repair.code == "undefined-symbol":
        return refuted(court, page, outcome, link, repair, notes)
    if (opened := undecided(of_the_slip(court, page, outcome, link, repair))) is not None:
        return opened
    if (opened := undecided(of_readings(page, outcome, link, repair))) is not None:
        return opened
    if not outcome.typed:
        return shapeless(court, page, outcome, link, repair, notes)
    if repair is None and (doubt := doubtful(court, page, outcome, link)):
        return ambiguous(f"no reading that was tried makes this true, {doubt}", assumptions=notes)
    repair = repair or diagnose.repair(page, outcome, link, diagnose.FEWER, Slips.lacking)
    if (opened := undecided(of_what_lacks(page, outcome, link, repair))) is not None:
        return opened
    return refuted(court, page, outcome, link, repair, notes)


# -- why a claim stays open --------------------------------------------------------------------------------------------------------


def of_the_cell(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[Why]:
    """The cell is not known well enough, whatever slip might be found."""
    if outcome.missing is None and (opened := caution.unknown_cell(page, outcome, link, court.statements)) is not None:
        yield str(opened.code), opened.message
    if court.borrowed and court.cell is None and not derived(link.left) and not derived(link.right) and page.symbols.ref(unwrapped(link.left)) is not None:
        yield AMBIGUOUS, ANOTHER  # it says itself how the quantity is computed
    if taken := [page.notes.get(key, key) for key in court.updates if key in outcome.used]:
        yield "incomplete-cell", f"the document does not say how {' and '.join(taken)} is updated"
    if outcome.missing is None and not (court.certain and (court.cell is not None or not court.borrowed or parameters_shown(court, page, link))):
        yield AMBIGUOUS, ANOTHER
    if target := computed(court, page, outcome.used):
        yield AMBIGUOUS, f"{target}, which is wanted, is itself computed from the output"
    if letter := gradient_for_input(court, page, link):
        yield AMBIGUOUS, f"the document says {letter} to be a derivative, and computes other quantities from it"
    if told := changed(court, page, link, holds=False):
        yield AMBIGUOUS, told
    if number := taken_for_a_vector(court, page, link):
        yield AMBIGUOUS, f"{number} may be a number, and this was read as if it were a vector"


def parameters_shown(court: Court, page: Page, link: Link) -> bool:
    """Whether lines that hold use each weight and bias of a line: of a cell that is not the document's own their letters are a guess till then."""
    others = [o for o in court.links if (o.statement.number, o.number) in court.right]
    shown = {key for o in others for side in (o.left, o.right) for key in parameters(page, side, used=True)}
    return {key for side in (link.left, link.right) for key in parameters(page, side)} <= shown


def parameters(page: Page, node: Any, used: bool = False) -> set[str]:
    """The weights and biases in a formula; those that it uses are no more than differentiated by elsewhere."""
    below = {id(x) for n in walk(node) if used and kind(n) == "Derivative" for x in walk(n)}
    refs = (page.symbols.ref(n) for n in walk(node) if id(n) not in below)
    return {r.key for r in refs if r is not None and r.key not in page.symbols.timed and r.key not in page.definitions}


def gradient_for_input(court: Court, page: Page, link: Link) -> str:
    r"""A letter that the document says to be a derivative, ``g_t = \partial L/\partial h_t``, and that is taken for what goes into the cell here."""
    memo = page.memos["letters for derivatives"]
    if not memo:
        relations = (s.node.sides for s in court.statements if kind(s.node) == "Relation")
        refs = [page.symbols.ref(unwrapped(first)) for first, *rest in relations if any(kind(unwrapped(side)) == "Derivative" for side in rest)]
        memo["all"] = {r.key for r in refs if r is not None and r.key not in page.definitions and not r.entries}
    letters = memo["all"]
    found = {r.key for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None} if letters else set[str]()
    reached = set[str]()
    while found - reached:  # also what is computed from it
        key = (found - reached).pop()
        reached.add(key)
        found |= {r.key for r, _ in page.references(page.definitions[key])} if key in page.definitions else set()
    return next((page.notes.get(key, key) for key in sorted(letters & found)), "")


def of_the_line(court: Court, page: Page, outcome: Outcome, link: Link) -> Iterator[Why]:
    """The line may say something else than an equation of the cell: of an example, of what is wanted, of one of several losses."""
    if court.collected.from_zero and caution.before_the_first(page, link):
        yield AMBIGUOUS, "the document gives step 0 an equation of its own, so its steps are counted from there"
    beginning = court.collected.beginning - page.symbols.ranks.keys()
    if begun := [head for side in (link.left, link.right) for _, head, _ in names_in(side) if spelled(head) in beginning]:
        yield "incomplete-cell", f"{page.shown(begun[0])} leads to the state before the first step alone, which is not followed"
    if outcome.missing is None and court.worked and caution.at_numbered_steps(page, link):
        yield AMBIGUOUS, "the document works an example out, and what it says of a step may rest on the values that it gives there"
    if letter := caution.without_its_step(page, link, court.statements):
        yield AMBIGUOUS, f"the document gives {letter} an equation of its own where it has no step, and here it may be that"
    if gate := caution.called_next(page, link):
        yield AMBIGUOUS, f"{gate} may be that of step t + 1 or of step t"
    if caution.written_out(page, link):
        yield AMBIGUOUS, "the components are added up one by one, so the document has as many of them as it writes"
    if vectors := [n for side in (link.left, link.right) for n in walk(side) if a_unit_vector(page, n)]:
        yield UNDEFINED, f"nothing in the document says what {shown(vectors[0], 'e', link)} is"
    if open_factor(page, link):
        yield AMBIGUOUS, UNTOLD
    if caution.with_values(link):
        yield AMBIGUOUS, "this puts in numbers, which are the values of an example"
    if caution.asked_for(link):
        yield "condition", "the words before this ask for it or suppose it; it does not hold in general"
    if caution.goes_on(link, court.statements):
        yield AMBIGUOUS, "the next display begins with a sign, so the sum may go on there"
    if factor := caution.behind_a_space(link, court.statements):
        yield AMBIGUOUS, f"${factor}$ stands behind this with a space between, and may be a factor of it"
    if several := caution.one_of_several(page, outcome, link):
        yield AMBIGUOUS, f"{several} is one of those that are summed up here, and the document defines no others"
    if state := stepless(court, page, outcome):
        yield AMBIGUOUS, f"the document computes {state} step by step, and here it stands without a step: an index of it may count components or steps"
    if weighted := caution.weighted_over_steps(page, link):
        yield AMBIGUOUS, f"{weighted} adds up over an index that may count steps or components, as the weights of an attention do"
    if caution.numbered_above(page, link):
        yield AMBIGUOUS, "the document writes its steps above, so a number there may be a step or a power"
    if told := caution.of_several_losses(link):
        yield UNDEFINED, f"nothing in the document says what part of the loss ${told}$ is"
    if rejected(court, page, link):
        yield AMBIGUOUS, REJECTED
    if output := several_wanted(court, page, link):
        yield AMBIGUOUS, f"the loss holds {output} against several things, which no rule knows"
    if several := two_losses(page, link):
        yield AMBIGUOUS, f"the document does not say how the losses {several} go together"
    if caution.of_its_own_loss(page, link):
        yield AMBIGUOUS, "this holds of the loss that goes with this output, and the document does not say what its loss is"
    if (whole := caution.begins_later(page, link)) is not None and Decider(page).decide(whole.left, whole.right, modes=((False, False),)).equal:
        yield AMBIGUOUS, "the sum leaves out the first steps, and the document does not say which steps its loss counts"
    if symbol := caution.given_anew(page, link):
        yield AMBIGUOUS, f"the document gives {plain(symbol)} another formula further on, which may be one of another case"
    if of_some_class(page, link):
        yield AMBIGUOUS, OF_A_VECTOR
    if symbol := caution.incoming(outcome):
        yield UNDEFINED, f"nothing in the document says what ${symbol}$ is"
    if anew := introduced_anew(court, page, link):
        yield AMBIGUOUS, f"the document introduces {anew} for another gradient here than before"
    if (symbol := caution.told_in_words(court.statements, page, link)) and not settled_symbols(court, page, link):
        yield AMBIGUOUS, f"that ${symbol}$ is such a gradient stands in words, which may be meant of another one"
    if caution.updates_itself(page, link):
        yield AMBIGUOUS, "the symbol on the left stands on the right too: an assignment, not an equation"
    if outcome.missing is None and outcome.typed and caution.of_an_unknown_loss(page, link):
        yield AMBIGUOUS, "the document does not say what its loss is, and this may hold of that"


def of_order(court: Court, page: Page, link: Link, repair: Any) -> Iterator[Why]:
    """What the slip would mend is convention: the order of factors, a block of a weight by its whole, where steps are counted from."""
    code = repair.code if repair is not None else ""
    if code in OF_ROWS and (court.transposed or caution.a_row_first(page, link)) and marks.conventional(page, link):
        yield AMBIGUOUS, "the document writes gradients transposed, as for vectors that are rows: what the order of factors means here is open"
    if code not in OF_ANY_ORDER and caution.flattened(page, link):
        yield AMBIGUOUS, "in which order a Kronecker product has the entries of a matrix is convention"
    if code == "wrong-symbol" and (whole := caution.whole_for_a_block(page, link, repair.expected)):
        yield AMBIGUOUS, f"{whole} may stand here for the block of it that the document has a name for elsewhere"
    if code == "sum-bounds" and caution.down_to_zero(link):
        yield AMBIGUOUS, "the sum goes down to step 0, so the steps may be counted from there"
    if (later := caution.from_the_first(page, link, court.statements)) is not None and Decider(page).decide(link.left, later).holds:
        yield AMBIGUOUS, "the document derives the state of step 0 by a parameter, so the steps may be counted from there"
    if code in OF_ROWS | {"extra-factor"} and caution.by_a_matrix(page, link):
        yield AMBIGUOUS, "the derivative of a vector by a matrix is a tensor: on which side of it a factor stands is open"


def of_the_slip(court: Court, page: Page, outcome: Outcome, link: Link, repair: Any) -> Iterator[Why]:
    """The slip may be none: of a name, of a gate that is left out, of a mean, where a derivative is zero."""
    if outcome.missing is not None and not outcome.typed:
        name = outcome.missing.name
        if outcome.missing.where == CIRCULAR:
            yield "incomplete-cell", f"{page.notes.get(name, plain(name))} is {CIRCULAR}, at the same step"
        yield UNDEFINED, f"nothing in the document defines {shown(outcome.missing.where, name, link)}"
    if not court.certain:
        yield UNDEFINED, ANOTHER
    if repair is not None and repair.code in OF_ROWS and (guess := caution.taken_for_another(page, outcome, link)):
        yield AMBIGUOUS, f"{guess} is no name of the cell, and the weight that it is taken for may be laid out otherwise"
    if outcome.missing is None and (gate := caution.left_out(page)) and (names_no_weight(repair) or holds_beside(page, link)):
        yield "incomplete-cell", f"the document does not say what {gate} is computed from"
    if gate := left_out(page, outcome, link, repair):
        yield "incomplete-cell", f"the document does not say what {gate} is computed from"
    if outcome.missing is None and (of := caution.meant_otherwise(page, link, court.statements)):
        yield AMBIGUOUS, f"the document introduces its symbol for the gradient of {of} for something else than the symbol names"
    if outcome.missing is None and caution.averaged(page, link):
        yield AMBIGUOUS, "the loss may be a mean over steps or examples; the document does not say"
    if outcome.nothing and repair is None:
        yield AMBIGUOUS, "both sides are zero in the cell as it was understood, which is no proof: nothing leads from the one to the other"
    if outcome.idle:
        yield AMBIGUOUS, "this holds only where a derivative is read so that it is zero, whatever stands beside it"
    before = (link.statement.number, link.number - 1)
    unsettled = bool(link.earlier) and before not in court.right | court.wrong
    if outcome.vanished and (repair is None or (repair.code == "wrong-symbol" and not misnamed(court, page, outcome, link, repair)) or unsettled):
        yield AMBIGUOUS, "nothing leads from the one to the other in a derivative of this, so the cell may be another one than was understood"
    alone = caution.unmatched(page, link) if outcome.missing is None and repair is None else set()
    if alone and not wrong_summed(page, link, alone):
        yield AMBIGUOUS, f"the index {', '.join(sorted(alone))} stands on one side only; a sum over it may be meant"


def of_readings(page: Page, outcome: Outcome, link: Link, repair: Any) -> Iterator[Why]:
    """A reading that is not likely makes it true, or a part of it has no value here."""
    if outcome.weak is not None and (repair is None or not caution.adjoint_claim(link)):
        yield AMBIGUOUS, "this holds only if " + "; ".join(outcome.weak.notes)
    if repair is None and (f := caution.unknown_function(page, outcome)):
        yield AMBIGUOUS, f"the document does not say what {f} is"
    slopes = (n for n in walk(link.right) if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes) if repair is None else ()
    if any(all(kind(a) == "Ellipsis" for a in n.args) for n in slopes):
        yield AMBIGUOUS, "a slope stands here without its argument, and no single slip would make this true"
    if any(kind(n) == "Big" and n.kind == "prod" and n.index is None and n.lower is None for n in walk(link.right)):
        yield AMBIGUOUS, "what the product runs over is not said"
    if outcome.unsupported is not None and not outcome.typed:
        yield "not-understood", outcome.unsupported.what


def of_what_lacks(page: Page, outcome: Outcome, link: Link, repair: Any) -> Iterator[Why]:
    """What a line is said to lack may be understood."""
    if gate := left_out(page, outcome, link, repair):
        yield "incomplete-cell", f"the document does not say what {gate} is computed from"
    by = head_and_parts(unwrapped(link.left).wrt) if kind(unwrapped(link.left)) == "Derivative" else None
    if repair is not None and repair.code == "wrong-shape" and by is not None and any(p.where == "bracket" for p in by[1]):
        yield "wrong-shape", "one side has an index that the other lacks; with it on both, this is right"  # ``\partial L/\partial b[i]``, loosely


def shapeless(court: Court, page: Page, outcome: Outcome, link: Link, repair: Any, notes: tuple[str, ...]) -> Judgement:
    """What is said of a line whose two sides never have values of one shape: refuted by a slip, or by numbers where every size is 1; else open."""
    if repair is not None and outcome.misfits:
        return refuted(court, page, outcome, link, repair, notes)
    if outcome.misfits and (among := of_numbers(court, page, outcome, link)) is not None:
        repair = diagnose.repair(page, among, link, diagnose.RUNS)
        said = refuted(court, page, among, link, repair, notes)
        return said if repair is not None else replace(said, message=OF_NUMBERS)
    why = outcome.misfits[0] if outcome.misfits else "no step has all the quantities that this names"
    return Judgement("undecided", "wrong-shape" if outcome.misfits else "no-instance", why, assumptions=notes)


# -- what it rests on --------------------------------------------------------------------------------------------------------------


def stepless(court: Court, page: Page, outcome: Outcome) -> str:
    r"""A state of another cell of the document that is taken for components without a step, ``c_t = \sum_j \alpha_{tj} h_j``; empty where there is none."""
    inputs = sorted(key for key in outcome.used if page.symbols.ranks.get(key) == 1 and key not in page.symbols.timed)
    cells = [court.page(k) for k in range(len(court.collected.groups))] if inputs else []
    return next((page.notes.get(key, key) for key in inputs if any(key in other.lagged & other.definitions.keys() for other in cells)), "")


def left_out(page: Page, outcome: Outcome, link: Link, repair: Any) -> str:
    """The gate of which the document does not say what it is computed from, if a slip is none where it does not depend on the state."""
    if repair is None or not (repair.code in caution.THROUGH_GATES or caution.sloped(repair, link)):
        return ""
    return caution.opaque(page, outcome) or caution.left_out(page)


def names_no_weight(repair: Any) -> bool:
    """Whether a repair needs a weight that the document has no name for."""
    return repair is not None and UNKNOWN in (repair.expected or "")


def holds_beside(page: Page, link: Link) -> bool:
    """Whether a line holds if what the document leaves out does not depend on the state."""
    narrow = copy(page)  # in worlds of its own
    narrow.constant = page.constant | {key for key in page.definitions if invented(page, key)}
    outcome = Decider(narrow).decide(link.left, link.right)
    return outcome.equal and not outcome.vanished


def labelled_more(page: Page, where: Any) -> bool:
    r"""Whether a name is that of a known weight with more of a label or less of it, ``W_{hh}`` beside ``W_h``."""
    split = head_and_parts(where)
    own = {w for p in split[1] for w in str(spelled(p.node) or "")} if split is not None else set[str]()
    known = (key.partition("_") for key in page.symbols.ranks if split is not None and key.partition("_")[0] == spelled(split[0]))
    return bool(own) and any({*label} and ({*label} <= own or own <= {*label}) for _, _, label in known)


def misspelled(court: Court, page: Page, outcome: Outcome, link: Link) -> bool:
    """Whether a symbol that nothing defines may be a slip for another one: it stands once, in the document's own notation, and for no gradient."""
    assert outcome.missing is not None
    where = outcome.missing.where
    if court.borrowed or court.program or not hasattr(type(where), "__dataclass_fields__"):
        return False
    sloped = (n for n in walk(link.right) if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes)
    if any(inner is where for n in sloped for a in n.args for inner in walk(a)):
        return False  # a name for what the activation is applied to
    if caution.on_an_adjoint(where, link) or caution.passed_through(where, link) or labelled_more(page, where):
        return False
    return caution.once(where, court.statements, court.collected.letter)


def doubtful(court: Court, page: Page, outcome: Outcome, link: Link) -> str:
    """Why a claim without a slip that can be named is not refuted, if there is a reason."""
    if not outcome.complete:
        return "and not all could be tried"
    if outcome.missing is not None or (court.borrowed and court.confirmed < CONFIRMED):
        return "but the document may mean another cell"
    if caution.guessed(page, outcome) and not settled_guesses(court, page, link, outcome):
        return "but what it names is in part a guess"
    if marks.conventional(page, link) and not settled_symbols(court, page, link):
        return "but what its symbols for gradients or its numbers stand for is convention"
    return ""


def misnamed(court: Court, page: Page, outcome: Outcome, link: Link, repair: diagnose.Repair) -> bool:
    r"""Whether a wrong name makes a derivative zero, of quantities that are well known: ``\partial z_{t+1}/\partial y_t``, where no equation of z has y."""
    derivatives = [n for n in walk(link.right) if kind(n) == "Derivative"]
    ends = next((e for n in derivatives if repair.blame in map(span_of, e := (unwrapped(n.of), unwrapped(n.wrt)))), None)
    keys = {r.key for end in ends or () if (r := page.symbols.ref(end)) is not None}
    if court.borrowed or not keys or any(invented(page, key) for key in keys):
        return False
    return keys.isdisjoint(page.symbols.timed - page.definitions.keys() - {*page.targets.values()}) or settled_guesses(court, page, link, outcome)


def wrong_summed(page: Page, link: Link, alone: set[str]) -> bool:
    """Whether an equation of numbers with an index on one side only is wrong with a sum over it too."""
    if any(kind(n) in ("Stack", "Ellipsis", "Cases") for n in walk(link.right)):
        return False
    whole = link.right
    for w in sorted(alone):
        whole = Big("sum", Name(w), None, None, whole)
    return Decider(page).decide(link.left, whole).differs


def of_numbers(court: Court, page: Page, outcome: Outcome, link: Link) -> Outcome | None:
    """What a claim whose shapes never fit comes to where every size is 1, so that no order and no transpose matters, if it is false there too."""
    sides = (link.left, link.right)
    nodes = [n for side in sides for n in walk(side)]
    if page.program or any(r.entries or r.key in page.cuts for n in nodes if (r := page.symbols.ref(n)) is not None):
        return None
    if any(kind(n) == "Big" and n.lower is not None and number_at(n.lower, {}) == 0 for n in nodes):  # the document may count its steps from 0
        return None
    named = all(marks.symbol_on(page, n) is not None for n in marks.gradients_in(page, link) if kind(n) != "Derivative")
    settled = named and settled_symbols(court, page, link)  # symbols that name their quantity, ``dz_t``
    if court.borrowed or caution.guessed(page, outcome) or (of_symbols(page, link) and not settled):
        return None
    among = Decider(page).decide(*sides, modes=((True, True),))
    return among if among.differs else None


def of_symbols(page: Page, link: Link) -> bool:
    """Whether there is more convention in a line than a ∇, of which what stands behind it says what it is."""
    return marks.of_conventions(page, link, by_nabla=False) or bool(marks.gradients_in(page, link))


def holds_for_rows(page: Page, link: Link) -> bool:
    """Whether a line of code, with ``@`` in it, holds for rows though the cell is written for columns."""
    if not (in_code(link.left) or in_code(link.right)):
        return False
    rowwise = page.twin()
    rowwise.rows = True
    return Decider(rowwise).decide(link.left, link.right, limit=FEW, modes=((False, True),)).equal


def given_later(court: Court, page: Page, link: Link, symbol: Any) -> bool:
    """Whether a side is nothing but an unknown symbol or a derivative by it, and a later side of the chain gives its value; or has one for a gradient in it."""
    side = unwrapped(link.right)
    sides = link.statement.node.sides
    split = head_and_parts(symbol)
    named = next((n for n in walk(side) if kind(n) == "Name" and n.base in ADJOINT_HEADS and any(x is symbol for x in walk(n))), None)
    if named is not None and (same := [x for x in sides[link.number + 2 :] if alike_but(side, x, named)]):
        return any(Decider(court.page(k)).decide(link.left, x).equal for k in court.order(link.statement) for x in same)
    if split is None or all(unwrapped(n) is not symbol for n in ((side.of, side.wrt) if kind(side) == "Derivative" else (side,))):
        return False
    if kind(side) == "Derivative" and marks.symbol_on(page, link.left) is not None:
        return False  # ``\delta_{o_t} = \partial L/\partial i_t``: it says itself what it is the gradient by
    later = sides[link.number + 2 :]
    return any(Decider(page).decide(link.left, side, limit=16).equal for side in later if kind(unwrapped(side)) != "Tuple")


def alike_but(node: Any, other: Any, symbol: Any) -> bool:
    r"""Whether two formulas differ in a symbol alone: ``\delta_m \odot h_{t-1}`` and ``(W^\top \delta_a) \odot h_{t-1}``."""
    node, other = unwrapped(node), unwrapped(other)
    if node is symbol or node == other:
        return True
    inside, there = children(node), children(other)
    return kind(node) == kind(other) and len(inside) == len(there) > 1 and all(alike_but(a, b, symbol) for a, b in zip(inside, there, strict=True))


def refuted(court: Court, page: Page, outcome: Outcome, link: Link, repair: Any, notes: tuple[str, ...]) -> Judgement:
    """Wrong: the slip, the place to blame, and the definition that it is held against."""
    court.wrong.add((link.statement.number, link.number))
    said = Judgement("refuted", "false-equation", "the two sides differ in every reading", counterexample=outcome.counter, assumptions=notes)
    said.reading = Decider(page).reading(link.left, link.right, outcome.mode[0])
    if repair is not None:
        said.code, said.message, said.expected, said.blame = repair.code, repair.message, repair.expected, repair.blame
        if everystep.spans_time(page, link.left, link.right) and (first := everystep.failure(page, link.left, link.right, outcome.best)):
            said.message += f"; {first}"
    else:
        span = span_of(link.right)
        said.blame = span if span is not None and link.start <= span[0] else None
    key = key_on(page, link.left)
    d = page.definitions.get(key) if key else None
    if d is not None and d.place is not None and getattr(d.place, "fragment", None) is not None:
        whole = span_of(d.place.node)
        if whole is not None:
            said.definition = (d.place.fragment, *whole)
    return said


def key_on(page: Page, node: Any) -> str | None:
    """The quantity that a side is, or is a derivative of."""
    node = unwrapped(node)
    if kind(node) == "Derivative":
        node = unwrapped(node.of)
    ref = page.symbols.ref(node)
    return ref.key if ref is not None else None


def shown(node: Any, name: str, link: Link) -> str:
    """A part of a claim as its author writes it."""
    fragment, span = link.statement.fragment, getattr(node, "span", None)
    sides = (link.right,) if link.statement.goes_on and not link.earlier else (link.left, link.right)  # the left one may be another formula's
    whole = [span_of(side) for side in sides]
    own = any(n is node for side in sides for n in walk(side))  # not of a formula that a symbol here stands for
    if fragment is not None and span is not None and own and any(w is not None and w[0] <= span.start <= span.end <= w[1] for w in whole):
        return f"${fragment.written(span.start, span.end).strip()}$"
    try:
        return f"${latex(node)}$"
    except (ValueError, TypeError, AttributeError, KeyError):
        return plain(name)
