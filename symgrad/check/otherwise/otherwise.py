"""What an equation may mean where it does not hold as it stands: each proves, and says what was assumed, or leaves open.

None refutes, but where the line can only have that meaning (`components`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.cells.load import load
from symgrad.check.court import marks
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.adjoints import is_mark
from symgrad.check.evaluation.decide import Decider, Outcome
from symgrad.check.evaluation.parts import Share
from symgrad.check.evaluation.recognise import PARAMETERS, seeking, symbol_of
from symgrad.check.otherwise.classes import at_the_class
from symgrad.check.otherwise.components import by_an_entry, by_components, over_examples
from symgrad.check.otherwise.followed import by_the_words, linearly
from symgrad.check.otherwise.free import by_activation, by_its_words, by_what_it_is_applied_to, of_a_square
from symgrad.check.otherwise.redefined import redefined
from symgrad.check.otherwise.single import of_a_number
from symgrad.check.otherwise.steps import (
    AT_THE_END,
    after_the_first,
    at_every_step,
    at_the_end,
    at_the_last_step,
    before_the_end,
    beside_the_next,
    from_nothing,
    from_then_on,
    of_a_numbered_step,
    of_all_steps,
    of_few_steps,
    of_its_own_step,
    of_one_example,
    of_one_step,
    of_the_sum,
)
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.sentences import SAID
from symgrad.check.reading.statements import Statement, loss_head
from symgrad.check.reading.symbols import head_and_parts, is_top, number_at, spelled, upright
from symgrad.check.reading.trees import FACTORS, kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.failure import failed
from symgrad.check.ruling.proof import proved
from symgrad.check.worlds.world import TOTAL
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Diagonal, Name, Number, Paren, Product

STRICTLY = ((False, False),)  # matrices, and rows that are no columns: where transposes matter, what is guessed must get them right
CELLS = re.compile(r"(?<![A-Za-z])(?:RNN(?=s?(?![A-Za-z]))|LSTM|GRU)", re.IGNORECASE)
SYMBOLS = frozenset({"delta", "Delta", "varDelta"})  # marks that are also written as symbols for a gradient by themselves
RECOGNISED = 400  # readings in which a symbol for a gradient is held against the adjoints of the cell


def added(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where a line adds to a gradient some of the parts that it is summed from."""
    for page in court.pages_of(link.statement, under) if link.sign == "+=" else ():
        target, wrt = marks.symbol_on(page, link.left), unwrapped(link.left)
        ref = page.symbols.ref(unwrapped(wrt.wrt)) if kind(wrt) == "Derivative" else None
        key, step, entries = (ref.key, ref.step, ref.entries) if ref is not None else target[:3] if target is not None else ("", None, ())
        if key not in page.symbols.timed or entries:
            continue
        outcome = Decider(page).decide(Share(key, step), link.right, modes=STRICTLY if court.matrices else None)
        if outcome.equal:
            return proved(court, page, outcome, link)
    return None


def of_one_loss(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where ``\frac{\partial L_t}{\partial x} = \frac{\partial L}{\partial y} \frac{\partial y}{\partial x}`` holds of one loss on both sides."""
    left, right = unwrapped(link.left), unwrapped(link.right)
    own = head_and_parts(unwrapped(left.of)) if kind(left) == "Derivative" else None
    first: Any = unwrapped(right.args[0]) if kind(right) in FACTORS else None
    if own is None or not own[1] or loss_head(left.of) is None or kind(first) != "Derivative" or unwrapped(first.of) != replace(own[0], span=None):
        return None
    alike = replace(link, right=rebuilt(right, {id(first): replace(first, of=left.of)}))
    note = f"{own[0].base} is the loss of the step on both sides"
    for page in court.pages_of(link.statement, under):
        outcome = Decider(page).decide(left, alike.right)
        if outcome.holds:
            return proved(court, page, outcome, link).assuming(note)
    narrowly = along(court, alike, under)
    return None if narrowly is None or narrowly.verdict != "proved" else replace(narrowly, assumptions=(*narrowly.assumptions, note))


def of_another_loss(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where a symbol for a gradient is said to be one of another loss here: ``\Delta V = \frac{\partial E_3}{\partial V}``."""
    right = unwrapped(link.right)
    page = under(court.page(court.order(link.statement)[0]))
    if page is None or kind(right) != "Derivative" or link.number or loss_head(right.of) is None:
        return None
    target, ref = marks.symbol_on(page, link.left), page.symbols.ref(unwrapped(right.wrt))
    if target is None or ref is None or target[0] != ref.key or ref.key in page.symbols.timed:
        return None
    court.right.add((link.statement.number, link.number))
    return Judgement("proved", assumptions=(*page.assumptions, "the symbol on the left is taken for this gradient here"))


def put_in_place(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``\partial L/\partial h_t \, \partial h_t/\partial h_{t-1}`` becomes ``\partial L/\partial h_t \, W^\top``.

    Each factor holds, but the order is not that of its layout.
    """
    sides = [unwrapped(side) for side in (link.left, link.right)]
    if any(kind(side) not in FACTORS or kind(unwrapped(side.args[0])) != "Derivative" for side in sides) or sides[0].args[0] != sides[1].args[0]:
        return None
    left, right = (side.args[1] if len(side.args) == 2 else replace(side, args=side.args[1:]) for side in sides)
    if loss_head(unwrapped(sides[0].args[0]).of) is None or kind(unwrapped(left)) != "Derivative":
        return None
    for page in court.pages_of(link.statement, under):
        outcome = Decider(page).decide(left, right, modes=STRICTLY)
        if outcome.holds:
            return ambiguous(f"this holds only if ${latex(left)}$ is laid out transposed, and the factors stand in the other order")
    return None


def marks_alone(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""``\delta x_t^\top`` as a gradient times ``x_t``: proved, where lines have shown that a δ is one by itself.

    Open, where no line begins with a marked quantity either, ``\delta a_t = \ldots``.
    """
    begins = {n.args[0] for s in court.statements if kind(s.node) == "Relation" for n in walk(s.node.sides[0]) if kind(n) in FACTORS}
    firsts = [n.args[0] for side in (link.left, link.right) for n in walk(side) if kind(n) in FACTORS and kind(n.args[0]) == "Name"]
    unclear = set()
    for page in court.pages_of(link.statement, under):
        marks = {n for n in firsts if n.base in SYMBOLS and is_mark(page, n)}
        other = page.twin()
        other.alone = frozenset(n.base for n in marks if f"? {n.base}" in page.meanings)
        outcome = attempt(court, other, link.left, link.right, link) if other.alone else None
        if outcome is not None and outcome.equal:
            return proved(court, other, outcome, link)
        unclear |= {n for n in marks - begins if n.base not in other.alone}
    if unclear:
        return ambiguous(f"this does not hold with ${latex(unclear.pop())}$ as the mark of a gradient, but it may be a symbol of its own")
    return None


def slopes_on_a_diagonal(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``\delta_t^\top \sigma'(a_t) W`` holds with the slope as a diagonal matrix."""
    rows = [n.args for n in walk(link.right) if kind(n) == "Product" and len(n.args) > 2 and upright(n.args[0]) is not None]
    new = {id(b): Diagonal(b, span=b.span) for args in rows for b in args[1:-1] if kind(unwrapped(b)) in ("Apply", "Hadamard", "Sum", "Product")}
    for page in court.pages_of(link.statement, under) if new else ():
        outcome = Decider(page).decide(link.left, rebuilt(link.right, new), modes=STRICTLY)
        if outcome.holds:
            return ambiguous("this holds only if the slope between a row and a matrix stands for its diagonal matrix")
    return None


def bound_tighter(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``W^\top a \odot b`` holds as ``W^\top (a \odot b)``, or ``a \odot b^\top W`` as ``(a \odot b^\top) W``: which comes first is convention."""
    products = [n for n in walk(link.right) if kind(n) == "Hadamard"]
    first, last = ([n for n in products if kind(n.args[k]) == "Product"] for k in (0, -1))
    last = [n for n in last if (row := n.args[-1].args[0]) and (kind(row) == "Transpose" or (kind(row) == "Power" and is_top(row.exponent)))]
    left = {id(n): replace(n.args[0], args=(*n.args[0].args[:-1], replace(n, args=(n.args[0].args[-1], *n.args[1:])))) for n in first}
    right = {id(n): replace(n.args[-1], args=(replace(n, args=(*n.args[:-1], n.args[-1].args[0])), *n.args[-1].args[1:])) for n in last}
    for new, side in ((left, "left"), (right, "right")):
        for page in court.pages_of(link.statement, under) if new else ():
            outcome = Decider(page).decide(link.left, rebuilt(link.right, new))
            if outcome.holds:
                return ambiguous(rf"this holds only if $\odot$ is computed before the product with what stands to the {side} of it")
    return None


def as_given_before(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where this holds of what a line that is wrong gives for a derivative: then ``\frac{\partial h_t}{\partial a_t}`` is a symbol for that."""
    for s in court.statements[: link.statement.number]:
        given = [s.node.sides[k + 1] for number, k in court.wrong if number == s.number and not k]
        symbol: Any = unwrapped(s.node.sides[0]) if given else None
        new = {id(n): Paren(given[0], "(") for n in walk(link.right) if n == symbol} if kind(symbol) == "Derivative" else {}
        for page in court.pages_of(link.statement, under) if new else ():
            outcome = Decider(page).decide(link.left, rebuilt(link.right, new), modes=STRICTLY if court.matrices else None)
            if outcome.holds and not elsewhere(court, page, s, symbol):
                return ambiguous(f"this holds only of what another line gives for ${latex(symbol)}$, which is wrong")
    return None


def by_preactivation(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Where a gradient by a gate holds of what the gate's activation is applied to: ``i_t`` may mean that.

    Proved, if its slope is written so, ``\frac{\partial L}{\partial i_t} = \ldots \sigma'(i_t)``; open, if not, and so is what a later line computes from it.
    """
    nodes = [*walk(link.left), *walk(link.right)]
    slopes = [n for n in nodes if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes and len(n.args) == 1]
    for page in court.pages_of(link.statement, under) if any(kind(n) == "Derivative" for n in nodes) else ():
        gates = by_a_gate(page, nodes)
        taken = {id(n): key for n, key in gates.values() if n is unwrapped(link.left) or key in court.gates}
        if not taken or (elsewhere(court, page, link.statement, unwrapped(link.left)) and not with_others(court, page, link.statement)):
            continue
        outcome = before_activations(page, link.left, link.right, frozenset(taken.values()))
        if outcome is None:
            continue
        written = {ref.key for n in slopes if (ref := page.symbols.ref(unwrapped(n.args[0]))) is not None}
        if written & set(taken.values()):
            return proved(court, page, outcome, link)
        if of_gates_themselves(court, page, link.statement, frozenset(taken.values())):
            continue
        court.gates.update(taken.values())
        names = " and ".join(page.notes.get(key, plain(key)) for key in sorted(set(taken.values())))
        return ambiguous(f"this holds only if the gradient by {names} is that by its preactivation")
    return None


def before_activations(page: Page, left: Any, right: Any, keys: frozenset[str]) -> Outcome | None:
    """How an equation holds if its gradients by some gates are those by their preactivations; None if it does not."""
    gates = by_a_gate(page, [*walk(left), *walk(right)])
    new = {place: Product((Name("d"), unwrapped(n.wrt)), span=n.span) for place, (n, key) in gates.items() if key in keys}
    outcome = Decider(page).decide(rebuilt(unwrapped(left), new), rebuilt(right, new))
    told = outcome.chooser is not None and any(o.tag == "pre" for _, o in outcome.chooser.chosen)
    return outcome if outcome.holds and told else None


def of_gates_themselves(court: Court, page: Page, but: Statement, keys: frozenset[str]) -> bool:
    """Whether a document gives its gradients by other gates, two at least, as those by what they are, and never needs those by these gates to be others."""
    lines = [s.node.sides for s in court.statements if s is not but and kind(s.node) == "Relation" and s.node.signs[0] == "="]
    plain = set()
    for left, right, *_ in lines:
        gates = by_a_gate(page, [*walk(left), *walk(right)])
        named = {key for _, key in gates.values()}
        holds = bool(named) and Decider(page).decide(left, right).equal
        if keys & named and not holds and before_activations(page, left, right, keys) is not None:
            return False
        plain |= {key for n, key in gates.values() if holds and n is unwrapped(left) and kind(unwrapped(right)) != "Derivative"}
    return len(plain - keys) > 1


def with_others(court: Court, page: Page, but: Statement) -> bool:
    """Whether other lines of a display give gradients by gates as those by their preactivations: then all its lines are meant so."""
    lines = (s.node.sides for s in court.statements if s is not but and s.fragment is but.fragment and kind(s.node) == "Relation")
    for left, right, *_ in lines:
        keys = frozenset(key for n, key in by_a_gate(page, [left]).values())
        if keys and not Decider(page).decide(left, right).equal and before_activations(page, left, right, keys) is not None:
            return True
    return False


def elsewhere(court: Court, page: Page, but: Statement, symbol: Any) -> bool:
    """Whether another line gives a derivative, and holds as it stands."""
    lines = (s.node.sides for s in court.statements if s is not but and kind(s.node) == "Relation")
    return any(Decider(page).decide(sides[0], sides[1]).equal for sides in lines if unwrapped(sides[0]) == symbol)


def by_a_gate(page: Page, nodes: list[Any]) -> dict[int, tuple[Any, str]]:
    """The gradients of the loss by what has an activation and is no state, with what they are by."""
    found = {}
    for n in nodes:
        split, ref = (head_and_parts(unwrapped(n.of)), page.symbols.ref(unwrapped(n.wrt))) if kind(n) == "Derivative" else (None, None)
        if split is None or ref is None or ref.key in page.lagged or spelled(split[0]) not in page.total_losses | page.step_losses:
            continue
        if ref.key in page.definitions and page.activated(ref.key) is not None:
            found[id(n)] = n, ref.key
    return found


def along(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    r"""Proved, where some paths are followed and the others left out: ``\frac{\partial L}{\partial c_k} = \frac{\partial L}{\partial c_T} \prod_t f_t``.

    Either the path along one memory alone, the other states of the step before being fixed, or all paths but those through gates that the claim
    names: ``(1-z_t) + z_t \frac{\partial \tilde h_t}{\partial h_{t-1}}``; of a candidate ``\operatorname{diag}(1 - \tilde h_t^2) U \operatorname{diag}(r_t)``.
    """
    left = unwrapped(link.left)
    for page in court.pages_of(link.statement, under) if kind(left) == "Derivative" else ():
        ref = page.symbols.ref(unwrapped(left.wrt))
        if ref is None or ref.key not in page.lagged or page.constant:
            continue
        d = page.definitions.get(ref.key)
        memory = d is not None and any(r.key == ref.key and lag < 0 for r, lag in page.references(d))
        others, gates = page.lagged - {ref.key} if memory else frozenset[str](), gates_beside(page, link)
        inner = inside(page) - {ref.key} if memory and any(kind(n) == "Big" and n.kind == "prod" for n in walk(link.right)) else frozenset[str]()
        for constant, at_end in ((others, False), (others, True), (gates, False), (inner, False), (inner, True)):
            if not constant or (at_end and page.many_to_one):
                continue
            narrow = copy(page)
            narrow.constant, narrow.many_to_one = constant, page.many_to_one or at_end
            outcome = Decider(narrow).decide(link.left, link.right, modes=((False, False), (False, True)))
            if outcome.equal and outcome.chooser is not None and "carry" not in outcome.chooser.tags:
                if constant is inner:
                    return ambiguous("this holds only if the gates and all else that the state before goes into are held fixed")
                if constant is gates and of_a_state(page, link.right):
                    return ambiguous("this holds only if the gates are held fixed, beside a derivative of a state in which they are not written")
                if at_end and at_every_step(page):
                    return ambiguous(f"this holds only if {AT_THE_END}")
                said = proved(court, narrow, outcome, link)
                name = page.notes.get(ref.key, plain(ref.key))
                told = " and ".join(page.notes.get(g, plain(g)) for g in sorted(constant))
                note = f"only the path along {name} is followed: {told} is fixed"
                if constant is gates:
                    note = f"{told} {'are' if len(gates) > 1 else 'is'} held fixed: the paths through {'them' if len(gates) > 1 else 'it'} are left out"
                return said.assuming(note, *([AT_THE_END] if at_end else []))
    return None


def inside(page: Page) -> frozenset[str]:
    """The gates and candidates of a cell: what has an activation and is no state."""
    return frozenset(key for key in page.definitions if key not in page.lagged and page.activated(key) is not None)


def gates_beside(page: Page, link: Link) -> frozenset[str]:
    """The gates that a formula multiplies with, beside the derivative of something else or in that of a candidate."""
    derivatives = [n for n in walk(link.right) if kind(n) == "Derivative"]
    inside = {id(x) for n in derivatives for x in walk(n)}
    found = {r.key for n in walk(link.right) if id(n) not in inside and (r := page.symbols.ref(n)) is not None}
    of = page.symbols.ref(unwrapped(unwrapped(link.left).of))
    candidate = of is not None and of.key in page.definitions and within(page, of.key) and not marks.gate(page, of.key)
    named = any(marks.gate(page, k) for k in found) and bool(derivatives or candidate)
    return frozenset(k for k in page.definitions if marks.gate(page, k)) if named else frozenset()


def of_a_state(page: Page, side: Any) -> bool:
    """Whether a side differentiates a state."""
    refs = (page.symbols.ref(unwrapped(n.of)) for n in walk(side) if kind(n) == "Derivative")
    return any(r is not None and r.key in page.lagged for r in refs)


def of_an_rnn(court: Court, link: Link, missing: bool) -> Judgement | None:
    """Where the text speaks of an RNN and the document's own cells have gates: proved of the RNN of the library that has these names, else open."""
    pages = [page for page in map(court.page, range(len(court.collected.groups))) if page.lagged]
    told = about_an_rnn(court)
    if link.statement.number not in told or court.conditions(link):
        return None  # what is said for values of gates is said of the cell that has them
    if not all(any(marks.gate(page, key) and within(page, key) for key in page.definitions) for page in pages):
        return None
    if court.aside is None:
        about = [s for s in court.statements if s.number in told]
        court.aside = Court(about, text=court.text)
        if not court.aside.recurrent():
            court.aside = Court(about, load("rnn"), text=court.text)
            court.aside.borrowed = "the cell is a plain RNN, as the words say"
    for k in court.aside.order(link.statement):
        page = court.aside.page(k)
        outcome = attempt(court.aside, page, link.left, link.right, link)
        if outcome.equal:
            return proved(court.aside, page, outcome, link)
        if told[link.statement.number] and outcome.typed and outcome.used and outcome.used <= page.lagged and ended_there(court.aside, link) is None:
            return failed(court.aside, page, outcome, link)  # it names nothing but the state, so that it is wrong of any RNN
    if (ended := ended_there(court.aside, link)) is not None:
        return ended
    if missing or not told[link.statement.number]:
        return None
    return ambiguous("the text speaks of an RNN, which the document does not define; this does not hold of the cell that it defines")


def within(page: Page, key: str) -> bool:
    """Whether a quantity is neither a state nor what the loss looks at."""
    return key not in page.lagged and key not in page.world.model.outputs


def ended_there(court: Court, link: Link) -> Judgement | None:
    """The proof of a line with a loss that looks at the last state alone."""
    found = at_the_end(court, link, lambda page: page)
    return found if found is not None and found.verdict == "proved" else None


def about_an_rnn(court: Court) -> dict[int, bool]:
    """The statements before which the text under their heading speaks of an RNN, and of no other cell since; whether it does so right before them."""
    if court.of_rnns is not None:
        return court.of_rnns
    out, cells, heading = dict[int, bool](), set[str](), ""
    for s in court.statements:
        if s.fragment is None or s.fragment.kind == SAID:
            continue
        own, whole = ({m[0].upper() for m in CELLS.finditer(text)} for text in (clause(s.fragment.before.rstrip()), s.fragment.before))
        here = own or whole
        cells = here or (cells if s.fragment.heading == heading else set())
        heading = s.fragment.heading
        if cells == {"RNN"}:
            out[s.number] = bool(here)
    court.of_rnns = out
    return out


def recognition(court: Court, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement | None:
    """Proved, where the symbol for a gradient that stands on the left is the adjoint of something, or those on the right are known to be."""
    for page in court.pages_of(link.statement, under):
        named = symbol_of(page, link.left)
        if named is None and not any(symbol.startswith("? ") for symbol in page.meanings):
            continue
        if named is not None and of_a_parameter(named[0]):
            continue  # ``db = dh_t``: of what the cell does not have
        page = seeking(page, named[0] if named is not None else "", link.right)
        ended: tuple[str, ...] = ()
        outcome = Decider(page).decide(link.left, link.right, limit=RECOGNISED, modes=STRICTLY if court.matrices else None)
        if not outcome.equal and named is not None and not page.many_to_one | bool(page.step_losses) and page.lagged.issuperset(page.world.model.outputs):
            page, ended = page.twin(), (AT_THE_END,)  # ``\delta_{t-1} = J_t^\top \delta_t``, of a cell without outputs
            page.many_to_one = True
            outcome = Decider(page).decide(link.left, link.right, limit=RECOGNISED, modes=STRICTLY if court.matrices else None)
        if not outcome.equal:
            continue
        assert outcome.chooser is not None
        for key, option in outcome.chooser.chosen if unwrapped(link.right) != Number("0") else ():  # behind the last step all gradients are 0
            if isinstance(key, tuple) and key[0] == "recognised":
                for p in court.pages.values():
                    p.meanings.setdefault(f"? {key[1]}", str(option.value))
                    p.many_to_one |= bool(ended)
        return proved(court, page, outcome, link).assuming(*ended)
    return None


def told_by_its_kind(court: Court, link: Link) -> bool:
    """Whether symbols that differ in their label alone are shown to be those of preactivations, ``dz_f`` and ``dz_i``: so is ``dz_g`` then."""
    page = court.page(court.order(link.statement)[0])
    named = symbol_of(page, link.left)
    stem, _, label = named[0].rpartition("_") if named is not None else ("", "", "")
    alike = {key.rpartition("_")[2]: meant for key, meant in page.meanings.items() if stem and key.rpartition("_")[0] == f"? {stem}"}
    labels = {*alike, label} if len(alike) > 1 else set[str]()
    if not labels or any(label not in page.definitions or page.activated(label) is None for label in labels):
        return False
    meant = {label: str((TOTAL, page.preactivation(label), 0)) for label in labels}
    if any(meant[label] != told for label, told in alike.items()):
        return False
    for p in court.pages.values():
        p.meanings.setdefault(f"? {stem}_{label}", meant[label])
        p.abbreviations = {key: short for key, short in p.abbreviations.items() if short.node is not link.right}
    return True


def of_a_parameter(name: str) -> bool:
    r"""Whether a symbol for a gradient has the letter of a weight or of a bias, ``d b``, ``\nabla W_x``: what it is no line of its own can say."""
    mark, _, word = name.partition(" ")
    base = (word or mark.removeprefix("d").lstrip("_")).partition("_")[0].partition("~")[0].partition("^")[0]
    return bool(word or mark[:1] == "d") and mark != "delta" and base in PARAMETERS


def recognised_anew(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Open, where a symbol for a gradient would have to be another one than a line before has shown it to be."""
    for page in court.pages_of(link.statement, under):
        named = [s for n in (*walk(link.left), *walk(link.right)) if (s := symbol_of(page, n)) is not None]
        for name in dict.fromkeys(name for name, _ in named):
            if f"? {name}" not in page.meanings:
                continue
            other = seeking(page, name, None)
            other.meanings = {key: meant for key, meant in page.meanings.items() if key != f"? {name}"}
            if Decider(other).decide(link.left, link.right, limit=RECOGNISED, modes=STRICTLY if court.matrices else None).equal:
                return ambiguous(f"this holds only if {name} is another gradient here than elsewhere")
    return None


def from_zero(page: Page, link: Link) -> Page:
    r"""The page for a sum such as ``h_t = \sum_k U^{t-k} x_k`` that leaves out the state before the first step: it is taken to be 0.

    So is what runs backwards, behind the last step, ``\lambda_t = e_t + w \lambda_{t+1}``.
    """
    refs = [r for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None and r.step is not None]
    first = bool(refs) and all(number_at(r.step, {}) == 1 for r in refs)  # ``h_1 = tanh(U x_1)``
    leaves_out = first or any(kind(n) == "Big" and n.kind == "sum" for n in walk(link.right))
    ahead = page.later & {r.key for r in refs}
    states = page.lagged - page.later if leaves_out and not (ahead or link.statement.derives) else ahead
    begun = sorted(states & set(page.definitions) - set(page.initial))
    if not begun:
        return page
    out = copy(page)
    out.initial = {**page.initial, **dict.fromkeys(begun, 0)}
    out.begun = tuple(begun)
    return out


def supposed(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """The proof of a link by the equations of gates that the document leaves out though it names their weights; by which of them shows as more is proved."""
    holding = []
    for other, found in court.filled_in():
        for page in other.pages_of(link.statement, under):
            outcome = attempt(other, page, link.left, link.right, link)
            if outcome.equal:
                holding.append((other, found, page, outcome))
                break
    if not holding:
        return None
    court.others = [(other, found) for other, found, _, _ in holding]
    other, found, page, outcome = holding[0]
    judged = proved(other, page, outcome, link)
    words = {spelled(n) for side in (link.left, link.right) for n in walk(side)}
    read = [f"{name} is read as {plain(key)}" for name, key in found.aliases.items() if name in words]
    either = f"{found.note}, and likewise with their weights exchanged" if holding[1:] else found.note
    return judged.assuming(either, *read)


OTHERWISE = (  # in turn
    added, of_another_loss, of_a_numbered_step, of_all_steps, of_the_sum, of_one_example, of_one_step, of_one_loss, from_then_on, redefined, put_in_place,
    slopes_on_a_diagonal, bound_tighter, by_preactivation, by_its_words, by_activation, by_what_it_is_applied_to, by_the_words, linearly, at_the_end,
    before_the_end, after_the_first, along, from_nothing, at_the_last_step, of_few_steps, of_a_number, of_its_own_step, beside_the_next, by_components,
    by_an_entry, over_examples, as_given_before, of_a_square, at_the_class, marks_alone,
)  # fmt: skip
