"""The loss that a line speaks of: the one that the document writes, tells in words, or puts aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from symgrad.check.cell.written import formulas, with_loss
from symgrad.check.court import marks
from symgrad.check.court.attempt import attempt
from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.aside import put_aside as put_aside_by_words
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import LOSSES, loss_head
from symgrad.check.reading.symbols import head_and_parts, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.ruling.functions import unknown_functions
from symgrad.check.ruling.meanings import introduced
from symgrad.check.ruling.unusual import called, defines_a_loss
from symgrad.notation.syntax import Fraction, Name, Number, Product

Under = Callable[[Page], Page | None]
NEAR = 80  # characters beside a symbol that may say what it is
ENTROPY = re.compile(r"cross[- ]?entropy|\bB?CE\b|\bNLL\b|log[- ]?loss|交叉熵|クロスエントロピー|교차 ?엔트로피", re.IGNORECASE)
SQUARES = re.compile(r"\bsquared?\b|\bsquares\b|\bR?MSE\b|\bquadratic\b|均方|平方|二乗|평균 ?제곱", re.IGNORECASE)
OTHERS = re.compile(r"\babsolute\b|\bMAE\b|\bL1\b|\bhinge\b|\bHuber\b|\bKL\b|\bPoisson\b|平均绝对", re.IGNORECASE)
MEAN = re.compile(
    r"\b(?:averag\w+|mean)\b[^.;]{0,40}\b(?:over|across)\b[^.;]{0,30}\b(?:time|steps?|timesteps?|sequence)\b|对(?:所有)?时间步(?:取|求)?平均", re.IGNORECASE
)
AT_LAST = re.compile(
    r"\bonly the (?:\w+ ){0,3}(?:at |of )?(?:the )?(?:last|final)\b[^.;]{0,30}\b(?:enters?|contributes?|counts?|is used|matters?)\b"
    r"|\bloss\b[^.;]{0,40}\bonly\b[^.;]{0,30}\b(?:last|final) (?:time )?(?:step|output|state|prediction)\b",
    re.IGNORECASE,
)
UNHALVED = re.compile(r"\b(?:no|without(?: the| a)?) (?:factor (?:of )?)?(?:one[- ]half|1/2|½|half)\b", re.IGNORECASE)
PENALTY = re.compile(
    r"\b(?:plus|with|and|together with|includ\w+|adds?|added|adding)\b(?! no\b)[^.;]{0,30}\b(?:penalt(?:y|ies)|regulari[sz](?:er|ation|ing)\w*|weight decay)\b"
    r"|(?:加上?|带|包含)[^。；]{0,12}(?:正则|惩罚|权重衰减)",
    re.IGNORECASE,
)
ACCUMULATED = re.compile(  # beside the symbol for a loss of a step
    r"\b(?:cost|loss|error)[- ]to[- ]go\b|\b(?:remaining|accumulated|cumulative|future|running)\s+(?:total\s+)?(?:loss|cost|error)|\bso far\b"
    r"|\b(?:from|after)\b[^.;]{0,25}\b(?:(?:to|until|till|through)\s+the\s+(?:end|last)|on(?:wards?)?\b)|\bup to\b|\baccumulated\b|累[计积]",
    re.IGNORECASE,
)
ASCENT = re.compile(r"\bmaximi[sz]\w*\b[^.;]{0,40}\blikelihood\b|\blog[- ]likelihood\b[^.;]{0,40}\bmaximi[sz]|最大化[^。；]{0,12}似然", re.IGNORECASE)
LOSS = r"(?:loss|cost|error|objective|criterion|entropy|squares?|MSE|MAE|output|outputs|sigmoid|softmax|linear|half|factor)"
INSTEAD = re.compile(
    rf"\b{LOSS}\b.{{0,60}}\binstead\b|\binstead\b.{{0,60}}\b{LOSS}\b|\bhad (?:we|one|the)\b.{{0,80}}\b{LOSS}\b", re.IGNORECASE | re.DOTALL
)
HALVED = re.compile(r"\bwithout (?:the |a |its )?(?:factor|half|one half|1/2|½|[\ue000-\uf8ff])", re.IGNORECASE)
FACTORS = re.compile(
    r"\babsorb\w*\b.{0,60}\b(?:factor|constant|learning rate|step size)|\bup to an? (?:\w+ )?(?:factor|constant)|"
    r"\b(?:drop|ignor|omit|neglect|suppress|leav)\w*\b.{0,30}\b(?:factor|constant)s?\b|"
    r"\bconstants? (?:factors? )?(?:is|are) (?:absorbed|dropped|ignored|omitted)",
    re.IGNORECASE | re.DOTALL,
)
UNTOLD = "the loss is a mean over the steps, and no line tells whether the symbols for gradients are of it or of the losses of the steps"
REJECTED = "the words beside the formula for the loss say that it is another one here"
OF_A_VECTOR = "the logarithm is of a vector: that of its entry for the wanted class may be meant"


def penalised(court: Court, page: Page, link: Link) -> str:
    r"""The weight by which a line differentiates a loss with a term of its own in that, ``\frac{\lambda}{2} \|W\|^2``, where the line leaves it out."""
    left = unwrapped(link.left)
    ref = page.symbols.ref(unwrapped(left.wrt)) if kind(left) == "Derivative" and loss_head(left.of) is not None else None
    by = {unwrapped(n.wrt) for n in walk(link.right) if kind(n) == "Derivative"}
    if ref is None or ref.key in page.symbols.timed or unwrapped(left.wrt) in by:
        return ""
    for s, formula in formulas(page, court.statements):
        inside = any((r := page.symbols.ref(n)) is not None and r.key == ref.key for n in walk(formula))
        if inside and unwrapped(s.node.sides[0]) == unwrapped(left.of) and (own := known_by(page, formula)) is not None:
            return "" if attempt(court, own, link.left, link.right, link).equal else page.notes.get(ref.key, ref.key)
    return ""


def rejected(court: Court, page: Page, link: Link) -> bool:
    """Whether a line is about a loss of which the document writes a formula only to say that it has another."""
    if court.program or not of_a_loss(page, link):
        return False
    return any(defines_a_loss(s) and put_aside_by_words(s.fragment) for s in court.statements)


def several_wanted(court: Court, page: Page, link: Link) -> str:
    r"""The output of which a loss wants several things in one formula, ``\|a - p\|^2 - \|a - n\|^2``, if a line is about a loss; empty if there is none."""
    if court.program or page.loss is not None or not page.targets or not of_a_loss(page, link):
        return ""
    for s in filter(defines_a_loss, court.statements):
        for output in page.targets:
            if len({spelled(head) for head in held_against(page, s.node.sides[-1], output)}) > 1:
                return page.notes.get(output, output)
    return ""


def held_against(page: Page, formula: Any, output: str) -> Iterator[Any]:
    """What an output is subtracted from, or what from it, in the squares of a formula."""
    for n in walk(formula):
        if kind(n) != "Power" or getattr(n.exponent, "text", "") != "2":
            continue
        base: Any = unwrapped(n.base)
        base = unwrapped(base.arg) if kind(base) in ("Norm", "Absolute") else base
        if kind(base) != "Sum" or len(base.args) != 2 or kind(base.args[1]) != "Negative":
            continue
        pair = unwrapped(base.args[0]), unwrapped(base.args[1].arg)
        for mine, other in (pair, pair[::-1]):
            ref = page.symbols.ref(mine)
            if ref is not None and ref.key == output and (split := head_and_parts(other)) is not None:
                yield split[0]


def otherwise_written(court: Court, page: Page, link: Link) -> bool:
    """Whether a line does not hold of the one formula that the document gives for its loss, though that has a value and all functions are known."""
    found = formulas(page, court.statements)
    if len(found) != 1 or court.program or unknown_functions(page) or (own := known_by(page, found[0][1])) is None:
        return False
    outcome = attempt(court, own, link.left, link.right, link)
    return bool(outcome.typed) and outcome.complete and not (outcome.equal or outcome.missing or outcome.unsupported or outcome.weak)


def of_a_loss(page: Page, link: Link) -> bool:
    """Whether a line has a gradient of the loss in it."""
    derivatives = (n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative")
    return any(loss_head(n.of) is not None for n in derivatives) or bool(marks.gradients_in(page, link))


def by(under: Under, formula: Any) -> Under:
    """The pages on which the loss is what a formula says."""

    def change(page: Page) -> Page | None:
        before = under(page)
        if before is None:
            return None
        memo = before.memos["losses"]
        if id(formula) not in memo:
            memo[id(formula)] = formula, with_loss(before, formula)
        own: Page | None = memo[id(formula)][1]
        return own

    return change


def known_by(page: Page, formula: Any) -> Page | None:
    """A page that knows the loss by its formula."""
    return by(lambda same: same, formula)(page)


def told_apart(court: Court, page: Page, link: Link) -> str:
    """What the words of a document say its loss to be, where it writes none: a mean over the steps, of the last step alone, without a half."""
    derivatives = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative"]
    if court.program or page.averaged or not any(loss_head(n.of) is not None for n in derivatives):
        return ""
    if MEAN.search(court.words) and page.loss_weight is None and not formulas(page, court.statements):
        return "a mean over the steps"
    if AT_LAST.search(court.words) and not page.many_to_one:
        return "a loss of the last step alone"
    if (word := accumulated(court, page, derivatives)) is not None:
        return f"{word} as a loss of several steps"
    by = [page.symbols.ref(unwrapped(n.wrt)) for n in derivatives if loss_head(n.of) is not None]
    if any(r is not None and r.key not in page.symbols.timed for r in by) and not formulas(page, court.statements) and PENALTY.search(said_before(court, link)):
        return "a penalty that the loss has too"
    return "a loss without a factor one half" if UNHALVED.search(court.words) and {*page.loss_rules.values()} <= {"square"} else ""


def said_before(court: Court, link: Link) -> str:
    """The words of a document before a line."""
    return " ".join(s.fragment.before for s in court.statements[: link.statement.number + 1] if s.fragment is not None)


def accumulated(court: Court, page: Page, derivatives: list[Any]) -> str | None:
    """The loss of a step that a line differentiates and that words say to be one of several, where no formula says so."""
    losses = {unwrapped(n.of) for n in derivatives if loss_head(n.of) is not None and called(n.of)[1] and called(n.of)[0] not in page.tails}
    for s in court.statements if losses else ():
        if s.fragment is not None and unwrapped(s.node) in losses:
            before, after = clause(s.fragment.before.rstrip())[-NEAR:], re.split(r"[.;。；]", s.fragment.after)[0][:NEAR]
            if ACCUMULATED.search(before) or ACCUMULATED.search(after):
                return page.shown(s.node)
    return None


def told_otherwise(court: Court, page: Page, outcome: Outcome) -> str:
    """What the words of a document say its loss to be, where it writes none and a line holds of the one that goes with the function of its output alone."""
    outputs = [key for key, target in page.targets.items() if {key, target} & outcome.used]
    calls = [page.activated(key) for key in outputs if key in page.definitions]
    if court.program or page.loss_rules or not any(call is not None and meaning(page.functions, call.function) in ("softmax", "sigmoid") for call in calls):
        return ""
    words = " ".join(s.fragment.before for s in court.statements if s.fragment is not None)
    if ASCENT.search(words) and not re.search(r"negative|minus|负", words):
        return "the words speak of a likelihood that is to be as large as can be"
    if ENTROPY.search(words) or "likelihood" in words:
        return ""
    return "the words speak of squared errors" if SQUARES.search(words) else "the words speak of absolute errors" if OTHERS.search(words) else ""


def of_the_step(page: Page, outcome: Outcome) -> str | None:
    """The reading in which the letter of a mean over the steps is the loss of a single one, if a proof rests on it."""
    chosen = outcome.chooser.chosen if outcome.chooser is not None else []
    return next((option.note for key, option in chosen if option.tag and key in {("loss", w) for w in page.averaged}), None)


def open_factor(page: Page, link: Link) -> bool:
    """Whether a line has gradients of a mean over the steps, and symbols for gradients of which nothing tells whether they are of it."""
    sides = [*walk(link.left), *walk(link.right)]
    if page.marks_summed is not None or not any(kind(n) == "Derivative" and loss_head(n.of) is not None for n in sides):
        return False
    symbols = [n for n in marks.gradients_in(page, link) if kind(unwrapped(n)) != "Derivative"]
    return any((short := introduced(page, n)) is None or kind(unwrapped(short.node)) != "Derivative" for n in symbols)


def two_losses(page: Page, link: Link) -> str:
    r"""Two letters for the loss in one line without a step, ``\partial E/\partial h_t`` and ``\partial L/\partial h_t``: one may be that of a step."""
    derivatives = [n for side in (link.left, link.right) for n in walk(side) if kind(n) == "Derivative" and kind(unwrapped(n.of)) == "Name"]
    bare = dict.fromkeys(str(spelled(n.of)) for n in derivatives if unwrapped(n.of).base in LOSSES and not unwrapped(n.of).subs)
    return " and ".join(bare) if len(bare) > 1 and bare.keys() <= page.total_losses else ""


def of_some_class(page: Page, link: Link) -> bool:
    r"""Whether a chain differentiates ``\log \hat y_t`` for the loss, the whole vector: its entry for the class that is wanted may be meant."""
    sides = (*link.earlier, link.left, link.right)
    if kind(first := unwrapped(sides[0])) != "Derivative" or loss_head(first.of) is None:
        return False
    derivatives = [n for side in sides for n in walk(side) if kind(n) == "Derivative"]
    logs = [x for n in derivatives for x in walk(n.of) if kind(x) == "Apply" and spelled(x.function) in ("log", "ln")]
    refs = [r for x in logs for n in walk(x) if (r := page.symbols.ref(n)) is not None and r.key in page.symbols.timed]
    return bool(refs) and not any(r.entries or r.key in page.targets.values() for r in refs)


def put_aside(court: Court, link: Link, under: Callable[[Page], Page | None]) -> Judgement | None:
    """Open, where the words before a line about the gradient of the loss name another loss, or put a factor aside by which the sides differ."""
    page = under(court.page(court.order(link.statement)[0]))
    if page is None or court.program or not of_a_loss(page, link):
        return None
    if another_loss(page, link):
        return ambiguous("the words before this speak of another loss, or of another output, than those that the document has")
    told = (s.fragment for s in court.statements[: link.statement.number + 1] if s.fragment is not None)
    if not any(FACTORS.search(f.before) for f in told):
        return None
    for other in court.pages_of(link.statement, under):
        for factor in (Number("2"), Fraction(Number("1"), Number("2")), Name("T"), Fraction(Number("1"), Name("T"))):
            if attempt(court, other, link.left, Product((factor, link.right)), link).equal:
                return ambiguous("the two sides differ by a constant factor, and the document puts such factors aside")
    return None


def another_loss(page: Page, link: Link) -> bool:
    """Whether the sentence before a line names a loss that the document does not have, or says that something stands there instead."""
    fragment = link.statement.fragment
    words = clause(fragment.before.rstrip()) if fragment is not None else ""
    rules = {*page.loss_rules.values()}
    other = {"entropy", "binary", "clean"} if SQUARES.search(words) and not ENTROPY.search(words) else set[str]()
    other |= {"square", "double"} if ENTROPY.search(words) and not SQUARES.search(words) else set()
    return bool(INSTEAD.search(words) or OTHERS.search(words) or (HALVED.search(words) and rules) or (rules and rules <= other))
