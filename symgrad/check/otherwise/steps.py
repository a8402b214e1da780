"""Which steps and which loss a line may mean: the last one, so many as the document lists, the loss of the last state alone or that from a step on."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court, length
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import Statement, derived, loss_head, names_in
from symgrad.check.reading.symbols import head_and_parts, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.ruling.excuses import adds_up, may_not
from symgrad.check.ruling.functions import with_functions
from symgrad.check.ruling.meanings import introduced
from symgrad.check.ruling.proof import proved
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Derivative, Given, Name, Number, Relation

ONE_TO_SIX = ("one", "two", "three", "four", "five", "six")
LENGTH = re.compile(
    rf"\b(?:sequences?|length|unroll\w*|network|RNN)\b[^.;]{{0,30}}?\b(?P<word>{'|'.join(ONE_TO_SIX)}|[1-6])\b(?= (?:time[- ]?)?steps?\b|\W*$)", re.IGNORECASE
)
LAST_STEP = re.compile(r"\b(?:last|final|end|no future|último|última|letzten?|dernier|dernière)\b|последн|最后|最後|末尾|마지막", re.IGNORECASE)
MANY_TO_ONE = re.compile(
    r"\bmany[- ]to[- ]one\b|\bonly\s+(?:at\s+)?the\s+(?:last|final)\s+(?:output|step|state|time[- ]?step|hidden state)\b"
    r"|\b(?:last|final)\s+(?:output|step|state|time[- ]?step)\s+(?:only|alone|counts|matters)\b|多[对對]一"
    r"|\b(?:single|one|only)\s+output\s+(?:only\s+)?at\s+the\s+(?:very\s+)?(?:end|last|final)\b",
    re.IGNORECASE,
)
LOSS_AT_THE_END = re.compile(  # that is so for all that stands under a heading
    r"\b(?:loss|error|cost|target)s?\b[^.;:]{0,40}\bonly\b[^.;:]{0,24}\b(?:last|final)\s+(?:output|step|state|time[- ]?step|hidden state)\b"
    r"|\bonly\b[^.;:]{0,16}\b(?:last|final)\s+(?:output|step|state|time[- ]?step)\b[^.;:]{0,24}\b(?:loss|error|cost|target)\b"
    r"|(?:损失|损失函数|误差|誤差|損失)[^。；：]{0,6}(?<!不)[只仅僅][^。；：]{0,8}最[后後]|(?<!不)[只仅僅][^。；：]{0,4}最[后後][^。；：]{0,10}(?:损失|误差|誤差|損失)",
    re.IGNORECASE,
)
OWN = "own"  # the loss of a step, where the document has no name for it
CONTRIBUTES = re.compile(r"\bcontribut|\bat (?:time[- ]?)?step\b|\bof (?:time[- ]?)?step\b|贡献|貢献|기여|вклад|Beitrag|contribuc|contribui", re.IGNORECASE)
AT_THE_END = "the loss looks at the last state alone"


def at_the_end(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where it holds of a loss that looks at the last state alone and the document does not say what its loss is, or that it does here; else open."""
    told = ends_by_words(court, link.statement)
    for page in court.pages_of(link.statement, under):
        if page.many_to_one or page.later or not (told or of_the_loss(page, link)):
            continue
        last = page.twin()
        last.many_to_one = True
        decider = Decider(last)
        decider.remember(link.left, link.right, alike=False)
        outcome = decider.decide(link.left, link.right)
        if not outcome.equal:  # nothing is handed to the last step
            decider.page = last = but_at_the_last(last)
            outcome = decider.decide(link.left, link.right)
        if not outcome.equal:
            continue
        if at_every_step(page) and not told and (page.step_losses or summed_up(page) or not through_the_last(page, link)):
            return ambiguous(f"this holds only if {AT_THE_END}")
        said = proved(court, last, outcome, link)
        before = ["the step is not the last one"] if last.where != page.where else []
        return said.assuming(*before, AT_THE_END + ", as the words say" * told)
    return None


def ends_by_words(court: Court, statement: Statement) -> bool:
    """Whether the sentence before a line says that only the last step counts, or one under its heading that the loss is there alone."""
    own = statement.fragment
    if own is None:
        return False
    if MANY_TO_ONE.search(clause(own.before.rstrip())) is not None:
        return True
    beside = (s.fragment for s in court.statements[: statement.number + 1] if s.fragment is not None and s.fragment.heading == own.heading)
    return bool(own.heading) and any(LOSS_AT_THE_END.search(fragment.before) is not None for fragment in beside)


def but_at_the_last(page: Page) -> Page:
    """The page, for a line that speaks of no other steps than those before the last."""
    out = page.twin()
    out.where = (*page.where, Relation((Name(page.symbols.letter), Name("T")), ("<",)))
    return out


def before_the_end(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where the loss looks at the last state alone and ``\delta_t = W^\top (\delta_{t+1} \odot \ldots)`` holds of every step before that."""
    for page in court.pages_of(link.statement, under):
        if not page.many_to_one or not hands_down(page, link):
            continue
        early = but_at_the_last(page)
        outcome = Decider(early).decide(link.left, link.right)
        if outcome.holds:
            return proved(court, early, outcome, link).assuming("the step is not the last one")
    return None


def after_the_first(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where a line holds from the second step on: at the first, the states before are given, and none of them depends on another."""
    for page in court.pages_of(link.statement, under):
        steps = [number_at(p.node, {page.symbols.letter: 0}) for side in (link.left, link.right) for _, _, parts in names_in(side) for p in parts]
        if len(page.lagged) < 2 or -1 not in steps:
            continue
        late = page.twin()
        late.where = (*page.where, Relation((Number("1"), Name(page.symbols.letter)), ("<",)))
        outcome = Decider(late).decide(link.left, link.right)
        if outcome.equal and not outcome.lenient:
            return proved(court, late, outcome, link).assuming("from the second step on: before the first, the states are given")
    return None


def hands_down(page: Page, link: Link) -> bool:
    """Whether something at the step after t is on the right, of something at t on the left."""
    at = [{number_at(p.node, {page.symbols.letter: 0}) for _, _, parts in names_in(side) for p in parts} for side in (link.left, link.right)]
    return 0 in at[0] and 1 in at[1]


def at_every_step(page: Page) -> bool:
    """Whether the document says that there is a loss at every step, or what it looks at."""
    return bool(page.step_losses) or not set(page.world.model.outputs) <= page.lagged


def summed_up(page: Page) -> bool:
    """Whether the document gives its loss as a sum or a mean over steps."""
    sides = (side for s in page.statements if kind(s.node) == "Relation" and loss_head(s.node.sides[0]) is not None for side in s.node.sides[1:])
    sums = (n for side in sides if not derived(side) for n in walk(side) if kind(n) == "Big" and n.kind == "sum")
    return any(n.index is None or spelled(n.index) in (page.symbols.letter, "t", "tau") for n in sums)


def through_the_last(page: Page, link: Link) -> bool:
    r"""Whether a line itself says that the loss is reached through the last state: ``\partial L / \partial h_T`` and a Jacobian stand on the right."""
    found = [n for n in walk(link.right) if kind(n) == "Derivative"]
    refs = [page.symbols.ref(unwrapped(n.wrt)) for n in found if by_a_state(page, n) and is_whole(n.of)]
    return len(found) > len(refs) > 0 and all(r is not None and spelled(r.step) == "T" for r in refs) and by_a_state(page, unwrapped(link.left))


def beside(link: Link) -> str:
    """The words of the sentence before a line."""
    fragment = link.statement.fragment
    return clause(fragment.before.rstrip()) if fragment is not None else ""


def of_a_numbered_step(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where ``\frac{\partial L}{\partial W} = \frac{\partial L}{\partial a_2} x_2^\top`` holds of the use of W at the step that is named."""
    left: Any = unwrapped(link.left)
    loss = head_and_parts(unwrapped(left.of)) if kind(left) == "Derivative" and not court.conditions(link) else None
    for page in court.pages_of(link.statement, under):
        ref = page.symbols.ref(unwrapped(left.wrt)) if loss is not None else None
        if loss is None or ref is None or ref.key in page.symbols.timed or ref.step is not None or spelled(loss[0]) not in page.total_losses:
            continue
        steps = [r.step for n in walk(link.right) if (r := page.symbols.ref(n)) is not None and r.step is not None]
        numbers = [at for step in steps if (at := number_at(step, {})) is not None]
        if not numbers or len(numbers) < len(steps):
            continue
        there = replace(link, left=Given(left, (Number(str(max(numbers))),), span=left.span))
        outcome = Decider(page).decide(there.left, link.right)
        if outcome.holds:
            told = f"the gradient of a parameter is read as the contribution of step {max(numbers)}"
            of_all = not (summed_up(page) or adds_up(page) or CONTRIBUTES.search(beside(link)))
            last = of_all and max(numbers) == (page.loss_at or last_number(page, court.statements))
            if last or may_not(court, page, link, {"use"}):
                return ambiguous(f"this holds only if {told}")
            return proved(court, page, outcome, there).assuming(told)
    return None


def at_the_last_step(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Proved, where a sentence about the last step says that what comes from behind it is zero, ``\partial L / \partial h_{t+1} = 0``."""
    fragment = link.statement.fragment
    if unwrapped(link.right) != Number("0") or fragment is None or LAST_STEP.search(clause(fragment.before)) is None:
        return None
    for page in court.pages_of(link.statement, under):
        last = page.twin()
        last.only = {**page.only, page.symbols.letter: page.steps}
        outcome = Decider(last).decide(link.left, link.right)
        if outcome.equal:
            return proved(court, last, outcome, link).assuming("at the last step, as the sentence says")
    return None


def of_few_steps(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Where a line holds of a sequence that ends at the last step that the document names by a number.

    Proved, if it lists the sequence, ``[x_1, x_2]``, says how long it is, ``T = 2``, or before the line that this is the last step; open, if not.
    """
    fragment = link.statement.fragment
    said = court.listed or told_length(court, link)
    for page in court.pages_of(link.statement, under):
        steps = said or last_number(page, court.statements)
        named = numbers(page, [link.left, link.right])
        if not steps < page.steps or not (said or steps > 1) or not (named if said else steps in named):
            continue
        short = copy(page)
        short.steps = steps
        outcome = attempt(court, short, link.left, link.right, link)
        if not outcome.holds:
            continue
        if said or (fragment is not None and LAST_STEP.search(clause(fragment.before.rstrip().rstrip(".。"))) is not None):
            return proved(court, short, outcome, link, told=True).assuming(f"the sequence has {steps} steps")
        return ambiguous(f"this holds only if step {steps} is the last one")
    return None


def told_length(court: Court, link: Link) -> int:
    """How many steps the sequence has by what the document says before a line, or in its sentence, "a sequence of length one"; 0 if it does not."""
    before = (s.fragment for s in court.statements[link.statement.number :: -1] if s.fragment is not None)
    said = next((text for f in before if (text := clause(f.before.rstrip())).strip()), "")  # that of the display before, where nothing stands between
    words = LENGTH.search(said)
    if words is not None:
        return (ONE_TO_SIX.index(words["word"].lower()) + 1) if words["word"].isalpha() else int(words["word"])
    found = {n for s in court.statements[: link.statement.number] if (n := length(s)) is not None}
    return found.pop() if len(found) == 1 else 0


def last_number(page: Page, statements: list[Statement]) -> int:
    """The greatest number of a step in a document; 0 if it has none."""
    return max(numbers(page, [s.node for s in statements]), default=0)


def numbers(page: Page, nodes: list[Any]) -> set[int]:
    """The steps told by number in some formulas."""
    refs = (page.symbols.ref(n) for node in nodes for n in walk(node))
    return {int(at) for r in refs if r is not None and r.step is not None and (at := number_at(r.step, {})) is not None}


def beside_the_next(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``\partial L/\partial h_t`` beside what comes through step t+1 is what the loss of step t gives alone."""
    for page in court.pages_of(link.statement, under):
        if not hands_down(page, link):
            continue
        own: dict[int, Any] = {}
        for n in walk(link.right):
            short = introduced(page, n)
            meant: Any = n if short is None else unwrapped(short.node)
            at = [p.node for _, _, parts in names_in(n) for p in parts if number_at(p.node, {page.symbols.letter: 0}) == 0]
            if at and by_a_state(page, meant) and is_whole(meant.of):
                own[id(n)] = Derivative(Name(OWN, subs=(Name(page.symbols.letter),)), meant.wrt, meant.sign, span=n.span)
        if not own:
            continue
        alone = copy(page)
        alone.step_losses = {*page.step_losses, OWN}
        outcome = Decider(alone).decide(link.left, rebuilt(link.right, own))
        if outcome.holds:
            told = next(page.shown(n) for n in walk(link.right) if id(n) in own)
            return ambiguous(f"this holds only if {told} is what the loss of this step gives, without what comes through the next one")
    return None


def of_its_own_step(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``\frac{\partial L_t}{\partial W}`` is what step t itself adds to it, in a document that nowhere sums over the steps before."""
    left: Any = unwrapped(link.left)
    if kind(left) != "Derivative" or any(sums_before(s) for s in court.statements):
        return None
    for page in court.pages_of(link.statement, under):
        ref = page.symbols.ref(unwrapped(left.wrt))
        split = head_and_parts(unwrapped(left.of))
        if ref is None or ref.key in page.symbols.timed or split is None or spelled(split[0]) not in page.step_losses or not split[1]:
            continue
        own = Given(left, (Name(page.symbols.letter),), span=left.span)
        outcome = Decider(page).decide(own, link.right, modes=((False, False),) if court.matrices else None)
        if outcome.holds:
            return ambiguous("this holds only if the gradient of a parameter is what the step itself adds to it")
    return None


def sums_before(s: Statement) -> bool:
    r"""Whether an equation sums up the gradient of the loss of one step, ``\frac{\partial L_t}{\partial W} = \sum_k \ldots``."""
    left: Any = unwrapped(s.node.sides[0]) if kind(s.node) == "Relation" else None
    split = head_and_parts(unwrapped(left.of)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    return split is not None and bool(split[1]) and any(kind(n) == "Big" for side in s.node.sides[1:] for n in walk(side))


def from_nothing(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where a line names a state at step 0, ``z_1 = W x_1 + U h_0 + b = W x_1 + b``, and holds if it is 0 there, which the document does not say."""
    for k in court.order(link.statement):
        page = under(court.page(k))
        terms = [a for side in (link.left, link.right) for n in walk(side) if kind(n) == "Sum" for a in n.args]
        refs = [] if page is None else [page.symbols.ref(n) for term in terms for n in walk(term)]
        begun = {r.key for r in refs if page is not None and r is not None and r.key in page.lagged and r.step is not None and number_at(r.step, {}) == 0}
        if page is None or not begun:
            continue
        still = copy(page)
        still.fixed = {**page.fixed, **{(key, 0): 0 for key in begun}}
        outcome = Decider(still).decide(link.left, link.right)
        if outcome.holds:
            return ambiguous(f"this holds only if {' and '.join(page.notes.get(key, key) for key in sorted(begun))} is 0 at step 0")
    return None


def of_all_steps(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Open, where ``\partial L_t/\partial W = \sum_t \ldots`` holds of the whole loss: the t on the left is not that of the sum."""
    left, right = unwrapped(link.left), unwrapped(link.right)
    split = head_and_parts(unwrapped(left.of)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    index = spelled(right.index) if kind(right) == "Big" and right.kind == "sum" and right.index is not None else None
    if split is None or index is None or len(split[1]) != 1 or spelled(split[1][0].node) != index:
        return None
    for page in court.pages_of(link.statement, under):
        outcome = Decider(page).decide(replace(left, of=split[0]), right)
        if outcome.holds:
            return ambiguous(f"this holds only if {page.shown(left.of)} is the loss of all steps, as {index} counts those of the sum")
    return None


def of_the_sum(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Proved, where the document writes its loss as a mean and as a sum, and a line holds of the sum."""
    for page in court.pages_of(link.statement, under):
        if page.loss_weight is None or not page.summed_too:
            continue
        other = copy(page)
        other.loss_weight = None
        outcome = attempt(court, other, link.left, link.right, link)
        if outcome.holds:
            said = proved(court, other, outcome, link)
            return said.assuming("the loss is the sum over the steps here, without the factor before it")
    return None


def of_one_example(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Open, where the loss is a mean over examples and a line holds of the loss of one of them, or of their sum."""
    for page in court.pages_of(link.statement, under):
        for rule in ("", "square") if page.examples else ():
            alone = with_functions(page, {})
            alone.loss_weight, alone.examples = None, ""
            alone.loss_rules = dict.fromkeys(page.loss_rules, rule) if rule else page.loss_rules
            outcome = attempt(court, alone, link.left, link.right, link)
            if outcome.holds:
                return ambiguous("this holds only if the loss is that of one example, not the mean that the document gives")
    return None


def of_one_step(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Open, where outputs are written without their step and this holds of the loss of that step: the document may mean the same by L and by L_t."""
    for page in court.pages_of(link.statement, under):
        both = page.step_losses & page.total_losses - page.ambiguous_losses
        refs = [page.symbols.ref(n) for side in (link.left, link.right) for n in walk(side)]
        if not both or not any(r is not None and r.step is None and r.key in page.targets for r in refs):
            continue
        alone = page.twin()
        alone.ambiguous_losses = page.ambiguous_losses | both
        outcome = Decider(alone).decide(link.left, link.right, modes=((False, False),) if court.matrices else None)
        if outcome.holds:
            return ambiguous(f"this holds only if {' and '.join(sorted(both))} is the loss of the step")
    return None


def from_then_on(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    r"""Where ``L_t`` means the loss from step t on: proved, if the document differentiates it by what comes later, ``\partial L_t / \partial h_{t+1}``."""
    for page in court.pages_of(link.statement, under):
        found = step_losses(page, link)
        if not found or (found.keys() <= page.tails.keys() and not loss_offsets(page, link)):
            continue
        if any(by_a_state(page, n) and is_whole(n.of) for side in (link.left, link.right) for n in walk(side)):
            continue  # beside the whole loss that of a step is another one
        tailed = page.twin()
        tailed.tails = {**dict.fromkeys(found, 0), **page.tails}
        tailed.ahead = bool(loss_offsets(page, link))
        tailed.loss_weight = None  # symbols for gradients beside these are of their sum
        outcome = Decider(tailed).decide(link.left, link.right)
        if not outcome.holds:
            continue
        court.tails |= {word for word, ahead in found.items() if ahead}
        told = f"{' and '.join(sorted(found))} of step t is read as the loss from step t on"
        if not found.keys() <= court.tails or loss_offsets(page, link):
            return ambiguous(f"this holds only if {told}")
        return proved(court, tailed, outcome, link).assuming(told)
    return None


def is_whole(loss: Any) -> bool:
    """Whether a loss is written without a step."""
    split = head_and_parts(unwrapped(loss))
    return split is not None and not split[1]


def step_losses(page: Page, link: Link) -> dict[str, bool]:
    """The losses of one step that a line differentiates by a quantity at a step, and whether by one that comes later."""
    found: dict[str, bool] = {}
    if any(at is None or at < 0 for at in loss_offsets(page, link)):
        return {}  # beside ``L_{t-1}``, ``L_t`` is that of its step
    for n in (*walk(link.left), *walk(link.right)):
        split = head_and_parts(unwrapped(n.of)) if kind(n) == "Derivative" else None
        ref = page.symbols.ref(unwrapped(n.wrt)) if split is not None else None
        if split is None or ref is None or ref.step is None or len(split[1]) != 1 or spelled(split[0]) not in page.step_losses | page.tails.keys():
            continue
        if set(letters(ref.step)) != set(letters(split[1][0].node)):  # ``\partial L_t / \partial h_k``: one loss by the states at all steps
            return {}
        at, of = (number_at(step, {page.symbols.letter: 0}) for step in (ref.step, split[1][0].node))
        word = str(spelled(split[0]))
        found[word] = found.get(word, False) or (at is not None and of is not None and at > of)
    return found


def loss_offsets(page: Page, link: Link) -> set[Any]:
    """How many steps later than this one the losses are that a line differentiates; of a loss of which only one step is named, none."""
    losses = [unwrapped(n.of) for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and loss_head(n.of) is not None]
    steps = [parts[0].node for _, parts in filter(None, map(head_and_parts, losses)) if len(parts) == 1]
    return {number_at(step, {page.symbols.letter: 0}) for step in steps} if len({latex(step) for step in steps}) > 1 else set()


def of_the_loss(page: Page, link: Link) -> bool:
    """Whether both sides hold a gradient of the loss, the right one by a state, or a symbol that was introduced for a gradient."""
    left, right = (any(by_a_state(page, n) or of_a_derivative(page, n) for n in walk(side)) for side in (link.left, link.right))
    whole = unwrapped(link.left)
    split = head_and_parts(unwrapped(whole.of)) if kind(whole) == "Derivative" else None
    return right and (left or (split is not None and spelled(split[0]) in page.total_losses))


def of_a_derivative(page: Page, node: Any) -> bool:
    """Whether a symbol was introduced for a derivative alone."""
    short = introduced(page, node)
    return short is not None and kind(unwrapped(short.node)) == "Derivative"


def by_a_state(page: Page, node: Any) -> bool:
    if kind(node) != "Derivative":
        return False
    split, ref = head_and_parts(unwrapped(node.of)), page.symbols.ref(unwrapped(node.wrt))
    return split is not None and spelled(split[0]) in page.total_losses and ref is not None and ref.key in page.lagged
