r"""What the words before a line put aside: the loss of the document, for another one, "had we used the cross-entropy instead"; a constant factor."""

from __future__ import annotations

import re
from collections.abc import Callable

from symgrad.check.defined.page import Page
from symgrad.check.evaluation.decide import Outcome
from symgrad.check.judging.court import Court
from symgrad.check.judging.proof import attempt
from symgrad.check.judging.written import of_a_loss
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.claims import Link
from symgrad.check.reading.judgement import Judgement, ambiguous
from symgrad.check.reading.prose import clause
from symgrad.notation.syntax import Fraction, Name, Number, Product

LOSS = r"(?:loss|cost|error|objective|criterion|entropy|squares?|MSE|MAE|output|outputs|sigmoid|softmax|linear|half|factor)"
INSTEAD = re.compile(
    rf"\b{LOSS}\b.{{0,60}}\binstead\b|\binstead\b.{{0,60}}\b{LOSS}\b|\bhad (?:we|one|the)\b.{{0,80}}\b{LOSS}\b", re.IGNORECASE | re.DOTALL
)
HALVED = re.compile(r"\bwithout (?:the |a |its )?(?:factor|half|one half|1/2|½|[\ue000-\uf8ff])", re.IGNORECASE)
ENTROPY = re.compile(r"cross[- ]?entropy|\bB?CE\b|\bNLL\b|log[- ]?loss|交叉熵|クロスエントロピー|교차 ?엔트로피", re.IGNORECASE)
SQUARES = re.compile(r"\bsquared?\b|\bsquares\b|\bR?MSE\b|\bquadratic\b|均方|平方|二乗|평균 ?제곱", re.IGNORECASE)
OTHERS = re.compile(r"\babsolute\b|\bMAE\b|\bL1\b|\bhinge\b|\bHuber\b|\bKL\b|\bPoisson\b|平均绝对", re.IGNORECASE)
ASCENT = re.compile(r"\bmaximi[sz]\w*\b[^.;]{0,40}\blikelihood\b|\blog[- ]likelihood\b[^.;]{0,40}\bmaximi[sz]|最大化[^。；]{0,12}似然", re.IGNORECASE)
FACTORS = re.compile(
    r"\babsorb\w*\b.{0,60}\b(?:factor|constant|learning rate|step size)|\bup to an? (?:\w+ )?(?:factor|constant)|"
    r"\b(?:drop|ignor|omit|neglect|suppress|leav)\w*\b.{0,30}\b(?:factor|constant)s?\b|"
    r"\bconstants? (?:factors? )?(?:is|are) (?:absorbed|dropped|ignored|omitted)",
    re.IGNORECASE | re.DOTALL,
)


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


def another_loss(page: Page, link: Link) -> bool:
    """Whether the sentence before a line names a loss that the document does not have, or says that something stands there instead."""
    fragment = link.statement.fragment
    words = clause(fragment.before.rstrip()) if fragment is not None else ""
    rules = {*page.loss_rules.values()}
    other = {"entropy", "binary", "clean"} if SQUARES.search(words) and not ENTROPY.search(words) else set[str]()
    other |= {"square", "double"} if ENTROPY.search(words) and not SQUARES.search(words) else set()
    return bool(INSTEAD.search(words) or OTHERS.search(words) or (HALVED.search(words) and rules) or (rules and rules <= other))
