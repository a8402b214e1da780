r"""What keeps a claim from being refuted: a cell that is not known well enough, notation that is convention, an index that stands alone."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from symgrad.check.court.marks import conventional, gradients_in, of_a_gradient, specific, symbol_on
from symgrad.check.defined.incomplete import invented
from symgrad.check.defined.page import Abbreviation, Page, plain
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.reading.activations import BUILTIN, meaning
from symgrad.check.reading.claims import Link, span_of
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.naming import TOLD
from symgrad.check.reading.relations import STEPS
from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.statements import LOSSES, MARKS, Statement, bound_letters, derived, loss_head, names_in, step_part
from symgrad.check.reading.symbols import head_and_parts, is_top, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Name, Negative, Number, Product, Sum

SIZES = frozenset({"T", "N", "n", "m", "B", "S"})  # letters for how many steps or examples there are
THROUGH_GATES = frozenset({"missing-term", "immediate-for-total"})  # slips that are none if a gate does not depend on the state


def unknown_cell(page: Page, outcome: Outcome, link: Link, statements: list[Statement]) -> Judgement | None:
    """What keeps a claim open whatever slip might be found in it: the cell is not known well enough."""
    if opaque(page, outcome) and conventional(page, link):
        return Judgement("undecided", "incomplete-cell", f"the document does not say what {opaque(page, outcome)} is computed from")
    if (derived(link.left) or derived(link.right)) and (missing := unexplained(page, statements)):
        names = " and ".join(page.notes.get(k, k) for k in sorted(missing))
        return Judgement("undecided", "incomplete-cell", f"the document does not say how {names} is updated")
    if (derived(link.left) or derived(link.right)) and (idle := going_nowhere(page)):
        return Judgement("undecided", "incomplete-cell", f"the document does not say what is computed from {' and '.join(idle)}")
    guesses = sorted(k[1:] for k in outcome.used if k.startswith("?"))
    if guesses and not of_any_weight(page, outcome, link):
        return ambiguous(f"the cell has no weight {' and '.join(guesses)}, and none of its weights makes this true")
    if name := at_several_steps(page, link):
        return ambiguous(f"the document does not say what {name} is")
    if sum(bool(cell & outcome.used) for cell in page.cells) > 1:
        return ambiguous("the names in this belong to cells that have nothing to do with each other")
    return None


def at_several_steps(page: Page, link: Link) -> str:
    r"""A letter for a function that is derived by a state at several steps, ``df/dh_1 = \ldots df/dh_3``: no function of its arguments, but a quantity."""
    found: dict[str, set[Any]] = {}
    for n in (n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative"):
        name, ref = unwrapped(n.of), page.symbols.ref(unwrapped(n.wrt))
        if kind(name) == "Name" and name == Name(name.base) and name.base in FUNCTIONS and page.symbols.ref(name) is None and ref is not None:
            found.setdefault(f"{name.base} {ref.key}", set()).add(page.canon(ref.step))
    return next((pair.partition(" ")[0] for pair, steps in found.items() if len(steps) > 1), "")


def of_any_weight(page: Page, outcome: Outcome, link: Link) -> bool:
    r"""Whether a line says what ``\partial L/\partial W`` is, and names W nowhere but below a ∂, and nothing that is guessed: then any weight may be meant."""
    left = unwrapped(link.left)
    if kind(left) != "Derivative" or loss_head(left.of) is None or kind(wrt := unwrapped(left.wrt)) != "Name" or wrt.subs or link.number:
        return False
    below = {id(unwrapped(n.wrt)) for n in walk(link.right) if kind(n) == "Derivative"}
    elsewhere = any(kind(n) == "Name" and n.base == wrt.base and not n.subs and id(n) not in below for n in walk(link.right))
    says = kind(unwrapped(link.right)) != "Number" and spelled(unwrapped(link.right)) not in ("0", "O")
    return says and outcome.complete and not elsewhere and not guessed(page, outcome) and not conventional(page, link)


def before_the_first(page: Page, link: Link) -> bool:
    """Whether a line speaks of step 0, or of a sum from there."""
    nodes = [*walk(link.left), *walk(link.right)]
    named = [r.step for n in nodes if (r := page.symbols.ref(n)) is not None and r.step is not None]
    named += [n.lower for n in nodes if kind(n) == "Big" and n.lower is not None]
    return any(number_at(step, {}) == 0 for step in named)


def down_to_zero(link: Link) -> bool:
    """Whether a sum goes from T - 1 down to 0: over T steps, counted from 0."""
    last = Sum((Name("T"), Negative(Number("1"))))
    sums = (n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Big" and n.lower is not None and n.upper is not None)
    return any(unwrapped(n.lower) == last and unwrapped(n.upper) == Number("0") for n in sums)


def from_the_first(page: Page, link: Link, statements: list[Statement]) -> Any:
    """The right side with its sums over steps from 1 where they start at 0, if a line derives the state of step 0 by a parameter."""
    derivatives = [n for s in statements for n in s.nodes if kind(n) == "Derivative"]
    pairs = [(page.symbols.ref(unwrapped(n.of)), page.symbols.ref(unwrapped(n.wrt))) for n in derivatives]
    if not any(of is not None and by is not None and by.step is None and of.step is not None and number_at(of.step, {}) == 0 for of, by in pairs):
        return None
    sums = [n for n in walk(link.right) if kind(n) == "Big" and n.kind == "sum" and n.lower is not None and number_at(n.lower, {}) == 0]
    return rebuilt(link.right, {id(n): replace(n, lower=Number("1")) for n in sums}) if sums else None


def at_numbered_steps(page: Page, link: Link) -> bool:
    """Whether a line without a derivative speaks of nothing but steps told by number."""
    named = [(n, r) for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None and r.key in page.symbols.timed]
    inside = {id(inner) for n, _ in named for inner in walk(n) if inner is not n}  # the letter of ``c^{(2)}``
    steps = [None if r.step is None else number_at(r.step, {}) for n, r in named if id(n) not in inside]
    return bool(steps) and None not in steps and not derived(link.left) and not derived(link.right)


def without_its_step(page: Page, link: Link, statements: list[Statement]) -> str:
    r"""A letter of a line that has no step there, and an equation of its own so, ``o = V \bar h``, beside that at every step, ``o_t = V h_t``."""
    names = [found for side in (link.left, link.right) for found in names_in(side)]
    bare = [head for n, head, parts in names if not parts or (kind(n) == "Power" and len(parts) == 1 and kind(n.exponent) == "Name")]  # ``f^n``, a power
    heads = {head.base: head for head in bare if not head.accents}
    memo = page.memos["with and without a step"]
    if not memo:
        memo["stepped"], memo["alone"] = first_given(page, statements)
    stepped, alone = memo["stepped"], memo["alone"]
    found = sorted(w for w in heads.keys() & stepped.keys() & alone.keys() - LOSSES if max(stepped[w], alone[w]) <= link.statement.number)
    return page.shown(heads[found[0]]) if found else ""


def called_next(page: Page, link: Link) -> str:
    r"""A quantity of one step alone that a line calls the next one, ``f_{\mathrm{next}}``: that of step t + 1, or of t, whose state is called so too."""
    named = [(n, parts) for side in (link.left, link.right) for n, _, parts in names_in(side) if any(spelled(p.node) == "next" for p in parts)]
    refs = [(n, ref) for n, _ in named if (ref := page.symbols.ref(n)) is not None]
    return next((page.shown(n) for n, ref in refs if ref.key in page.definitions.keys() - page.lagged), "")


def first_given(page: Page, statements: list[Statement]) -> tuple[dict[str, int], dict[str, int]]:
    """The first statements that give a letter at a step, and without one, by no step either."""
    stepped, alone = dict[str, int](), dict[str, int]()
    for s in statements:
        split = head_and_parts(unwrapped(s.node.sides[0])) if kind(s.node) == "Relation" and s.node.signs[0] in ("=", ":=") else None
        if split is None:
            continue
        head, parts = split
        if step_part(parts, page.symbols.letter) is not None:
            stepped.setdefault(head.base, s.number)
        if not parts and not head.accents and page.symbols.letter not in letters(s.node.sides[1]):
            alone.setdefault(head.base, s.number)
    return stepped, alone


def with_values(link: Link) -> bool:
    """Whether a side is a formula of numbers alone, and not all of them whole: ``= 1.0(0.5) - 0.3``."""
    nodes = list(walk(link.right))
    names = [n for n in nodes if kind(n) in ("Name", "Derivative", "Differential")]
    return not names and any(kind(n) == "Number" and "." in n.text for n in nodes) and any(kind(n) == "Name" for n in walk(link.left))


ASKED = re.compile(  # "for constant error flow we require …", "ideally, …"
    r"\b(?:requires?|required|(?:we|you|one|to)\s+want|would\s+(?:like|want|need)|ideally|enforces?|desired?|must\s+(?:hold|satisfy|have|be|equal))\b[^.;]{0,60}$"
    r"|(?:要求|希望|必须)[^。；，]{0,20}$",
    re.IGNORECASE,
)
SUPPOSED = re.compile(r"\b(?:if|unless)\s*$|(?:假设|如果|若)\s*$", re.IGNORECASE)


def asked_for(link: Link) -> bool:
    """Whether the words before a formula ask for it or suppose it, and do not say that it holds."""
    fragment = link.statement.fragment
    if fragment is None or fragment.kind not in ("inline", "display") or link.start > 1:
        return False
    before = fragment.before.rstrip(" \n:$")[-160:]
    return ASKED.search(before) is not None or (fragment.kind == "inline" and SUPPOSED.search(before) is not None)


SPACE = re.compile(r"(?:\\[;:,!> ]|\\q?quad(?![A-Za-z])|\\hspace\*?\{[^{}]*\}|[\s~&])*")


def behind_a_space(link: Link, statements: list[Statement]) -> str:
    r"""What stands behind a formula with nothing but space between, ``= \operatorname{diag}(f') \quad W``: it may be a factor, and may be none."""
    s = link.statement
    after = statements[s.number + 1] if s.number + 1 < len(statements) else None
    if after is None or s.fragment is None or after.fragment is not s.fragment or kind(after.node) not in ("Name", "Product", "Diagonal", "Transpose", "Power"):
        return ""
    end, start = span_of(link.right), span_of(after.node)
    if end is None or start is None or link.number + 1 < len(s.node.signs) or SPACE.fullmatch(s.fragment.latex, end[1], max(end[1], start[0])) is None:
        return ""
    return str(s.fragment.written(*start)).strip()


MORE = re.compile(r"\\(?:text[a-z]{0,2}|mbox)\s*\{[^{}]*\b(?:gradient|derivative|slope|jacobian)s?\s*=[^{}]*\}", re.IGNORECASE)


def words_behind(link: Link) -> str:
    r"""The words on the line of a formula that give a gradient a value, ``s_t = n_t \quad \text{(gradient = 0)}``: they say more than the formula."""
    s, end = link.statement, span_of(link.right)
    if s.fragment is None or end is None or (space := SPACE.match(s.fragment.latex, end[1])) is None:
        return ""
    said = MORE.match(s.fragment.latex, space.end())
    return "" if said is None else said[0].partition("{")[2].rstrip("}").strip(" ()")


SIGNED = re.compile(r"(?:&|\\quad|\\;|\\,|\s)*[+-]")
MARKUP = re.compile(r"<[^<>]*>|\{%.*?%\}")


def goes_on(link: Link, statements: list[Statement]) -> bool:
    """Whether the display behind a formula begins with a plus or a minus sign: the sum may go on there."""
    own, behind = link.statement.fragment, statements[link.statement.number + 1 : link.statement.number + 2]
    after = behind[0].fragment if behind else None
    if own is None or after is None or after is own or SIGNED.match(after.latex) is None:
        return False
    return own.kind == after.kind == "display" or MARKUP.sub("", after.before).rstrip().endswith("$")


def one_of_several(page: Page, outcome: Outcome, link: Link) -> str | None:
    r"""The quantity that is one of those that a sum counts, though its index was read as a label: the r_j of ``r_j = h_t^\top e_j``."""
    counted = {spelled(n.index) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Big" and n.index is not None}
    shorts = {key.partition("_")[0] for key in page.abbreviations}
    if not any(head.base in shorts for side in (link.left, link.right) for _, head, _ in names_in(side)):
        counted -= {page.symbols.letter}  # a quantity that has its step in a label, ``net_{r_t}``
    return next((page.notes.get(key, key) for key in sorted(outcome.used & page.definitions.keys()) if {*key.split("_")[1:]} & counted), None)


def numbered_above(page: Page, link: Link) -> bool:
    r"""Whether ``c^2`` may be c at step 2: the document writes its steps above, ``c^t``, and the line tells no other step of it."""
    powers = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Power" and kind(n.exponent) == "Number"]
    refs = [page.symbols.ref(n.base) for n in powers if kind(n.base) == "Name"]
    if not any(r is not None and r.key in page.symbols.timed and r.step is None for r in refs):
        return False
    steps = (n.exponent for d in page.definitions.values() for n in (unwrapped(d.side), *walk(d.node)) if kind(n) == "Power" and kind(n.base) == "Name")
    return any(kind(at) in ("Name", "Sum") and page.symbols.letter in letters(at) for at in steps)


def unknown_function(page: Page, outcome: Outcome) -> str:
    r"""A function that a quantity in a claim is computed by and that only its name explains: ``\operatorname{gelu}``, ``\min(1, a)``; no letter for any."""
    for key in sorted(outcome.used & page.definitions.keys()):
        for n in walk(page.definitions[key].node):
            if kind(n) != "Apply" or kind(n.function) != "Name" or n.function.primes or meaning(page.functions, n.function) in BUILTIN.values():
                continue
            if specific(n.function) or n.function.base in page.open - page.arbitrary:
                return str(n.function.base)
    return ""


def weighted_over_steps(page: Page, link: Link) -> str:
    r"""What is a sum of another sequence, ``c_t = \sum_i \alpha_{ti} h_i``, and stands in a line; nothing if nothing is."""
    keys = {ref.key for side in (link.left, link.right) for n in walk(side) if (ref := page.symbols.ref(n)) is not None} & page.definitions.keys()
    for key in sorted(keys):
        node: Any = unwrapped(page.definitions[key].node)
        index = spelled(node.index) if kind(node) == "Big" and node.kind == "sum" and node.index is not None else None
        counted = [{w for p in parts for w in letters(p.node)} for _, _, parts in names_in(node.body)] if index is not None else []
        if {index, page.symbols.letter} in counted and {index} in counted:
            return page.notes.get(key, key)
    return ""


def opaque(page: Page, outcome: Outcome) -> str:
    """A gate that the document names but does not define: its adjoint may be that of its preactivation."""
    wanted = page.targets.values()
    defined = {k for k in page.definitions if not invented(page, k)}
    found = [k for k in outcome.used if k in page.symbols.timed and k not in defined and k not in page.lagged and k not in wanted]
    return next((page.notes.get(k, plain(k)) for k in sorted(found) if k[:1] not in "xX" and not k.startswith("pre:")), "")


def sloped(repair: Any, link: Link) -> bool:
    """Whether what is said not to belong to a line is a slope: what is meant may be the gradient by what an activation is applied to."""
    if repair.code != "extra-factor" or repair.blame is None or link.statement.fragment is None:
        return False
    return re.search(r"'|\\prime|1\s*[-−]", link.statement.fragment.latex[slice(*repair.blame)]) is not None


def before_the_inputs(page: Page, link: Link) -> bool:
    r"""Whether a sum from the first step on names an input at the step before, ``\sum_{t=1}^T \delta_t x_{t-1}^\top``, which the cell never does."""
    used = {(ref.key, lag) for d in page.definitions.values() for ref, lag in page.references(d)}
    for big in (n for n in walk(link.right) if kind(n) == "Big" and n.kind == "sum" and n.lower is not None and number_at(n.lower, {}) == 1):
        index = {str(spelled(big.index)): 0}
        refs = [r for n in walk(big.body) if (r := page.symbols.ref(n)) is not None and r.key not in page.definitions.keys() | page.lagged]
        if any(r.step is not None and number_at(r.step, index) == -1 and {lag for key, lag in used if key == r.key} == {0} for r in refs):
            return True
    return False


def left_out(page: Page) -> str:
    """A gate without a definition, whether or not a claim names it."""
    return next((page.notes.get(k, plain(k)) for k in sorted(page.definitions) if invented(page, k)), "")


def unexplained(page: Page, statements: list[Statement]) -> set[str]:
    """The states that the document differentiates without saying how they are updated: the whole cell takes part in any gradient."""
    known = page.lagged - set(page.definitions)
    taken = [page.symbols.ref(unwrapped(n.of)) for s in statements for n in s.nodes if kind(n) == "Derivative"] if known else []
    return {r.key for r in taken if r is not None} & known


def going_nowhere(page: Page) -> list[str]:
    """The quantities from which nothing is computed, where the document leaves out the equation of something else: that may be what uses them."""
    if not any(invented(page, key) for key in page.definitions):
        return []
    references = {key: page.references(d) for key, d in page.definitions.items()}
    used = {r.key for found in references.values() for r, _ in found}
    idle = sorted(key for key in references.keys() - used - page.lagged if any(lag < 0 for _, lag in references[key]))
    return [page.notes.get(key, plain(key)) for key in idle]


def incoming(outcome: Outcome) -> str:
    r"""The letter that only its looks tell to be the gradient that comes from above, ``\epsilon_t``, ``\Delta_t``."""
    asked = outcome.best.asked if outcome.best is not None else {}
    return next((latex(Name(str(key[1]))) for key in asked if isinstance(key, tuple) and key[0] == "incoming"), "")


def told_in_words(statements: list[Statement], page: Page, link: Link) -> str:
    """The symbol of a line that a sentence says to be the gradient of the loss by something, without a formula."""
    names = (n for side in (link.left, link.right) for n, head, _ in names_in(side) if told_by(statements, page.abbreviations.get(str(spelled(head)))))
    return next(map(latex, names), "")


def told_by(statements: list[Statement], short: Abbreviation | None) -> bool:
    """Whether a symbol was introduced in words."""
    fragment = statements[short.place[0]].fragment if short is not None and 0 <= short.place[0] < len(statements) else None
    return fragment is not None and fragment.kind == TOLD


def gradient_of_itself(page: Page, link: Link) -> bool:
    r"""``c_t = \delta h_t \odot o_t + \delta c_{t+1} \odot f_{t+1}``: a state, and nothing but gradients on the right, that go through it."""
    state = page.symbols.ref(unwrapped(link.left))
    if link.sign != "=" or link.number or state is None or state.entries or state.key not in page.lagged - page.later or state.key not in page.definitions:
        return False
    right = unwrapped(link.right)
    terms = [replace(link, left=term, right=term) for term in (right.args if kind(right) == "Sum" else (right,))]
    losses = [[n for n in walk(term.right) if kind(n) == "Derivative" and loss_head(n.of) is not None] for term in terms]
    marked = [[n for n in gradients_in(page, term) if symbol_on(page, n) is not None] for term in terms]
    ends = [page.symbols.ref(unwrapped(end)) for n in walk(right) if kind(n) == "Derivative" for end in (n.of, n.wrt)]
    named = {r.key for r in ends if r is not None} | {target[0] for found in marked for n in found if (target := symbol_on(page, n)) is not None}
    return state.key in named and all(a or b for a, b in zip(losses, marked, strict=True))


def by_a_matrix(page: Page, link: Link) -> bool:
    r"""Whether a line differentiates a vector by a matrix, ``\partial z_t / \partial W``."""

    def rank(node: Any) -> int | None:
        ref = page.symbols.ref(unwrapped(node))
        return None if ref is None or ref.entries else page.symbols.ranks.get(ref.key)

    return any(kind(n) == "Derivative" and rank(n.of) == 1 and rank(n.wrt) == 2 for side in (link.left, link.right) for n in walk(side))


def whole_for_a_block(page: Page, link: Link, expected: str | None) -> str:
    """The weight of a concatenation that a repair puts one of its blocks in the place of, in a line that names no block."""
    keys = {r.key for side in (link.left, link.right) for n in walk(side) if (r := page.symbols.ref(n)) is not None}
    meant = (owner for owner, _, node in page.cuts.values() if owner in keys and latex(node) in (expected or ""))
    return "" if keys & page.cuts.keys() else next((page.notes.get(owner, plain(owner)) for owner in meant), "")


def a_row_first(page: Page, link: Link) -> bool:
    r"""Whether a side is ``h_{t-1}^\top \delta_t``, a vector lying before one that stands: a number, unless both are rows and lie the other way."""
    side = unwrapped(link.right)
    first: Any = unwrapped(side.args[0]) if kind(side) in ("Product", "Infix") and len(side.args) == 2 else None
    inner = first.arg if kind(first) == "Transpose" else first.base if kind(first) == "Power" and is_top(first.exponent) else None
    ref = page.symbols.ref(inner) if inner is not None else None
    return ref is not None and ref.key in page.symbols.timed and page.symbols.ranks.get(ref.key) == 1


def of_several_losses(link: Link) -> str:
    r"""A loss with a word beside another one, ``L_{\text{future}}``, of which the document says no more; empty where there is none."""
    losses = {n: split for n, _, _ in (*names_in(link.left), *names_in(link.right)) if (split := head_and_parts(n)) is not None and split[0].base in LOSSES}
    worded = [n for n, (_, parts) in losses.items() if any(len(spelled(p.node) or "") > 1 or kind(p.node) == "Words" for p in parts)]
    return latex(worded[0]) if worded and len(losses) > 1 else ""


def of_its_own_loss(page: Page, link: Link) -> bool:
    r"""Whether a line says ``\partial L / \partial z = g - y`` of an output ``g = f(z)``, f being any function: there is a loss of which that is true."""
    left, right = unwrapped(link.left), unwrapped(link.right)
    if kind(left) != "Derivative" or loss_head(left.of) is None or kind(right) != "Sum" or len(right.args) != 2 or kind(right.args[1]) != "Negative":
        return False
    output = page.symbols.ref(unwrapped(right.args[0]))
    d = page.definitions.get(output.key) if output is not None else None
    call: Any = unwrapped(d.node) if d is not None else None
    free = kind(call) == "Apply" and kind(call.function) == "Name" and call.function.base not in BUILTIN and call.function.base not in page.functions
    return free and len(call.args) == 1 and page.canon(unwrapped(call.args[0])) == page.canon(unwrapped(left.wrt))


def of_an_unknown_loss(page: Page, link: Link) -> bool:
    r"""Whether a line says what the gradient of a loss is of which nothing else is known: ``\partial L/\partial h_T = h_T``, true of some loss."""
    left = unwrapped(link.left)
    if kind(left) != "Derivative" or loss_head(left.of) is None or link.number or page.loss is not None or page.targets or page.loss_rules:
        return False
    nodes, refs = list(walk(link.right)), [page.symbols.ref(n) for n, _, _ in names_in(link.right)]
    of_the_cell = None not in refs and any(r is not None and r.key in page.symbols.timed for r in refs)
    return of_the_cell and not any(kind(n) in ("Derivative", "Differential") for n in nodes) and not gradients_in(page, replace(link, left=link.right))


def given_anew(page: Page, link: Link) -> str:
    """The symbol that a line gives a formula, where what is known of it is another formula, further on, which may be one of a special case."""
    split = head_and_parts(unwrapped(link.left))
    short = page.abbreviations.get(str(spelled(split[0]))) if split is not None and split[1] and not link.number else None
    if short is None or short.place[0] <= link.statement.number or any(kind(n) in ("Derivative", "Differential") for n in walk(short.node)):
        return ""
    return short.key


def begins_later(page: Page, link: Link) -> Link | None:
    r"""A line whose sum over steps begins at a letter that nothing else in it names, ``\sum_{t>B} e_t h_t^\top``, with the sum from the first step."""
    if kind(unwrapped(link.left)) != "Derivative" or loss_head(unwrapped(link.left).of) is None:
        return None
    named = {w for n in walk(link.left) if kind(n) == "Name" for w in (spelled(n),)} | {page.symbols.letter}
    whole = {}
    for n in (n for n in walk(link.right) if kind(n) == "Big" and n.kind == "sum" and n.lower is not None):
        free = set(letters(n.lower)) - named - bound_letters(link.right) - STEPS  # an index that nothing binds is a slip
        if free and page.symbols.letter not in letters(n.lower) and not free & page.symbols.ranks.keys():
            whole[id(n)] = replace(n, lower=None if n.upper is None else Number("1"))
    return replace(link, right=rebuilt(link.right, whole)) if whole else None


def updates_itself(page: Page, link: Link) -> bool:
    r"""``\delta_t = \delta_t \odot f'(z_t)``: the symbol on the left stands on the right too, as in a program that uses one name twice."""
    left = unwrapped(link.left)
    named = [n for n, _, _ in names_in(link.right)]  # the whole of a name: ``\delta^y_t`` is no ``\delta_t``
    pairs = [Product(pair) for n in walk(link.right) if kind(n) == "Product" for pair in pairwise(n.args)]
    rest = [n for n in walk(link.right) if kind(n) not in ("Name", "Power", "Index")]
    wrt = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    stepless = wrt is not None and wrt.key in page.symbols.timed and wrt.step is None  # ``dL/dh = dL/dh * (1 - h^2) * Whh`` beside a program
    return (stepless or of_a_gradient(page, left)) and any(n == left for n in (*named, *pairs, *rest))


def unmatched(page: Page, link: Link) -> set[str]:
    """The component indices that the right side has and the left side has not, and that no sum binds."""
    refs = ([r for n in walk(side) if (r := page.symbols.ref(n)) is not None] for side in (link.left, link.right))
    left, right = ({w for r in found for e in r.entries for w in letters(e)} for found in refs)
    if not left or any(kind(n) == "Big" for n in walk(link.right)):
        return set()
    return {w for w in right - left - bound_letters(link.right) if len(w) == 1}


def reaching(side: Any) -> Any:
    r"""``\sum_t (a_t - b_t)`` for ``\sum_t a_t - b_t``, where what stands behind has the index of the sum too; None for any other side."""
    side = unwrapped(side)
    first: Any = unwrapped(side.args[0]) if kind(side) == "Sum" else None
    if kind(first) != "Big" or first.kind != "sum" or first.index is None or not all(any(n == first.index for n in walk(a)) for a in side.args[1:]):
        return None
    return replace(first, body=Sum((first.body, *side.args[1:])), span=side.span)


def passed_through(node: Any, link: Link) -> bool:
    r"""``\frac{\partial L}{\partial q_4} \frac{\partial q_4}{\partial h_4}``: a symbol that a chain of derivatives goes through is no slip of the pen."""
    derivatives = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative"]
    return all(any(unwrapped(end) == unwrapped(node) for end in ends) for ends in ([n.of for n in derivatives], [n.wrt for n in derivatives]))


def once(node: Any, statements: list[Statement], letter: str) -> bool:
    """Whether a symbol stands in one statement alone: a slip of the pen, not a quantity that the document takes for known."""
    split = head_and_parts(node)
    wanted = word(*split, letter) if split else None
    found = (s for s in statements if any(word(head, parts, letter) == wanted for _, head, parts in names_in(s.node)))
    return len(list(islice(found, 2))) < 2


def word(head: Any, parts: tuple[Any, ...], letter: str) -> str | None:
    """A name with its labels, at whatever step: ``b_t`` is another one than ``b_z``."""
    return key_of(head, [p for p in parts if step_part((p,), letter) is None])


def meant_otherwise(page: Page, link: Link, statements: list[Statement]) -> str:
    r"""A symbol for a gradient that the document introduces for something else than it names: ``\delta^c_{t+1} = \partial L_{future}/\partial c_t``."""
    used = {t[:1] for side in (link.left, link.right) for n in walk(side) if (t := symbol_on(page, n)) is not None}
    for s in statements if used else ():
        sides = getattr(s.node, "sides", ())
        for left, right in pairwise(sides):
            target, wrt = symbol_on(page, left), page.symbols.ref(unwrapped(unwrapped(right).wrt)) if kind(unwrapped(right)) == "Derivative" else None
            if target is None or wrt is None or target[:1] not in used or target[1] is None or wrt.step is None:
                continue
            if wrt.key == target[0] and page.canon(wrt.step) != page.canon(target[1]):
                return page.notes.get(wrt.key, wrt.key)
    return ""


def averaged(page: Page, link: Link) -> bool:
    r"""Whether a side is divided by a number of steps or examples, ``\frac{1}{T} \sum_t``: the loss may be a mean, where the document does not say."""
    names = [(n, head) for side in (link.left, link.right) for n, head, _ in names_in(side)]
    losses = page.step_losses | page.total_losses
    if (page.loss_weight is not None and not page.summed_too) or not any(spelled(head) in losses or symbol_on(page, n) is not None for n, head in names):
        return False
    below = [unwrapped(n.denominator) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Fraction"]
    below += [unwrapped(n.args[1]) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Infix" and n.sign == "/"]
    return any((kind(n) == "Number" and number_at(n, {}) not in (1, 2)) or (kind(n) == "Name" and n.base in SIZES) for n in below)


def written_out(page: Page, link: Link) -> bool:
    """Whether several components of a quantity are added up by their numbers, ``w_{11} h_1 + w_{12} h_2``: the document has so many units."""
    for n in (n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Sum"):
        found: dict[str, set[tuple[Any, ...]]] = {}
        for a in n.args:
            refs = (r for x in walk(a) if (r := page.symbols.ref(x)) is not None and any(kind(e) == "Number" for e in r.entries))
            for key, entries in {(r.key, r.entries) for r in refs}:
                found.setdefault(key, set()).add(entries)
        if any(len(entries) > 1 for entries in found.values()):
            return True
    return False


def flattened(page: Page, link: Link) -> bool:
    r"""Whether a side has a Kronecker product, ``h^\top \otimes I``: the entries of a matrix stand in a row there, in an order that is convention."""
    crossed = [a for side in (link.left, link.right) for n in walk(side) if kind(n) == "Infix" and n.sign == "otimes" for a in map(unwrapped, n.args)]
    refs = [(a, page.symbols.ref(a.arg if kind(a) == "Transpose" else a)) for a in crossed]
    return any(kind(a) == "Diagonal" or (r is None and kind(a) == "Name" and a.base in ("I", "Id")) or (r is not None and page.symbols.ranks.get(r.key) == 2)
               for a, r in refs)  # fmt: skip


def on_an_adjoint(node: Any, link: Link) -> bool:
    r"""Whether a symbol is the label of a symbol for a gradient, ``\delta^{all}_t``: such labels are words that no equation defines."""
    marked = [n for side in (link.left, link.right) for n, head, parts in names_in(side) if head.base in MARKS and parts]
    return any(m is node for n in marked for m in walk(n))


def adjoint_claim(link: Link) -> bool:
    left = unwrapped(link.left)
    return not ((kind(left) == "Derivative" and kind(unwrapped(left.of)) != "Name") or kind(left) == "Derivative")


def taken_for_another(page: Page, outcome: Outcome, link: Link) -> str:
    """The name that is read as a weight of the cell which has another one, ``W_{qh}`` as W."""
    chosen = outcome.best.chosen if outcome.best is not None else []
    meant = page.settled | {str(key[1]): str(option.value) for key, option in chosen if isinstance(key, tuple) and key[0] == "weight"}
    names = {name for name, key in meant.items() if name.lower() != key.lower()}
    return next((page.shown(n) for n in walk(link.right) if kind(n) == "Name" and spelled(n) in names), "")


def guessed(page: Page, outcome: Outcome) -> bool:
    return any(key in page.guessed or invented(page, key) for key in outcome.used)
