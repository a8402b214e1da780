r"""The loss: which symbols stand for it, what it looks at, and the gradient with which it reaches the outputs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Set
from dataclasses import replace
from fractions import Fraction as Ratio
from itertools import pairwise
from typing import Any

from symgrad.check.cell.model import terminals
from symgrad.check.defined.page import Abbreviation, Page, plain
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.settle import FUNCTIONS
from symgrad.check.reading.statements import DEFINING, HOT, LOSSES, Statement, bound_letters, loss_head, names_in, step_part, summands, sums_steps, weight
from symgrad.check.reading.symbols import head_and_parts, is_top, key_of, labelled, letters, number_at, spelled
from symgrad.check.reading.trees import FACTORS, children, kind, unwrapped, walk
from symgrad.notation.syntax import Name, Number

QUANTITIES = frozenset("hscyoazxpuv")  # letters for what a cell computes
UNIT_BASES = frozenset({"1", "I", "mathbf1"})
HALF = Ratio(1, 2)
NEAR = 160  # characters beside a loss that may speak of it
LARGE = re.compile(r"likelihood|maximi[sz]|\bascent\b|правдоподоб|vraisemblance|verosimil|似然|尤度|최대화|最大化", re.IGNORECASE)
SMALL = re.compile(r"negative|minimi[sz]|\bNLL\b|отрицат|négati|negativ|负|負の|음의|最小化", re.IGNORECASE)
LAST_STEPS = frozenset({"T", "tau", "N"})


def losses(page: Page, statements: list[Statement], letter: str) -> None:
    """The symbols for the loss: with a step, the loss of that step; without, the sum of all."""
    step: Counter[str] = Counter()
    total: Counter[str] = Counter()
    others = loss_like(page, statements)

    def note(node: Any) -> None:
        node = unwrapped(node)
        split = head_and_parts(node)
        if kind(node) == "Apply" and kind(node.function) == "Name":
            split = head_and_parts(node.function)
            if split and split[0].base in LOSSES and spelled(split[0]) not in page.definitions:
                inner = [n for a in node.args for n in walk(a)]
                counted = any(kind(n) == "Name" and any(letter in letters(s) for s in n.subs) for n in inner)
                (step if counted else total)[str(spelled(split[0]))] += 1
            return
        if split is None or (split[0].base not in LOSSES and split[0] not in others):
            return
        word = spelled(split[0])
        if word is None or word in page.definitions:
            return
        (step if any(not labelled(p.node) for p in split[1]) else total)[word] += 1

    weights = {n for d in page.definitions.values() for n, _, _ in names_in(d.node)}  # ``J = m n^\top`` is of the weight J
    jacobians = [unwrapped(n.sides[0]) for s in statements for n in s.nodes if kind(n) == "Relation" and names_a_jacobian(n)]
    for s in statements:
        for n in s.nodes:
            if kind(n) == "Derivative":
                for loss in summands(n.of):
                    note(loss)
                    if n.sign in ("nabla",):
                        note(loss)
            if kind(n) == "Relation" and unwrapped(n.sides[0]) not in (*jacobians, *weights):
                note(n.sides[0])
    for s in statements:
        if kind(s.node) == "Relation" and len(s.node.sides) == 2 and (head := loss_head(s.node.sides[0])) is not None:
            word = spelled(head)
            if word in total or word in LOSSES:
                right = unwrapped(s.node.sides[1])
                page.loss_weight = weight(right) or page.loss_weight
                page.averaged |= {str(word)} if weight(right) is not None else set()
                page.summed_too |= kind(right) == "Big" and sums_steps(right)
    page.tails = {word: later for s in statements for word, later in tails(s, letter)}
    page.step_losses |= set(step)
    page.total_losses |= set(total)
    page.ambiguous_losses |= {w for w in total if w not in step}
    said = [of_the_end(page, s, letter) for s in statements if kind(s.node) == "Relation" and not s.derives and loss_head(s.node.sides[0]) is not None]
    ends = [at for at in said if at is not None and (at == Name("T") or len(said) == 1)] if not step else []
    ends += [s.last for s in statements if s.last is not None]
    ends += [Name("T")] * (not step and of_the_last_output(statements))
    page.many_to_one = bool(ends)
    page.loss_at = next((int(at.text) for at in ends if kind(at) == "Number"), None)


def loss_like(page: Page, statements: list[Statement]) -> set[Name]:
    r"""Letters of which the document says nothing but that they are differentiated, by several things: ``\partial \xi / \partial h_t``."""
    by: dict[Name, set[Any]] = {}
    elsewhere: set[str] = {n.base for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Name"} | {k[:1] for k in page.definitions}
    for s in [s for s in statements if kind(s.node) != "Name"]:
        ends = {id(unwrapped(n.of)) for n in s.nodes if kind(n) == "Derivative"}
        for n in s.nodes:
            if kind(n) == "Derivative" and kind(of := unwrapped(n.of)) == "Name" and not of.subs:
                by.setdefault(replace(of, span=None), set()).add(unwrapped(n.wrt))
            elif kind(n) == "Name" and id(n) not in ends:
                elsewhere.add(n.base)
    return {name for name, wrt in by.items() if len(wrt) > 1 and name.base not in elsewhere | FUNCTIONS | QUANTITIES}


def tails(s: Statement, letter: str) -> Iterator[tuple[str, int]]:
    r"""``L_t = \ell_t + L_{t+1}``, ``F_t = \sum_{u=t+1}^T L_u``: the losses from a step on, and how many steps later they begin."""
    if kind(s.node) != "Relation" or len(s.node.sides) != 2 or s.node.signs[0] not in DEFINING:
        return
    own, right = split_loss(s.node.sides[0], letter), unwrapped(s.node.sides[1])
    if own is None or own[1] != 0:
        return
    if kind(right) == "Sum" and len(right.args) == 2:
        parts = [split_loss(a, letter) for a in right.args]
        if (own[0], 1) in parts and any(p is not None and p[0] != own[0] and p[1] == 0 for p in parts):
            yield own[0], 0
    elif kind(right) == "Big" and right.kind == "sum" and right.lower is not None:
        index = spelled(right.index) or ""
        first, inner = number_at(right.lower, {letter: 0}), split_loss(right.body, index)
        formula = inner is None and any(index in letters(p.node) for _, _, parts in names_in(right.body) for p in parts)
        if first in (0, 1) and letter in letters(right.lower) and (formula or (inner is not None and inner[0] != own[0])):
            yield own[0], int(first or 0)


def split_loss(node: Any, letter: str) -> tuple[str, int] | None:
    """The letter of a loss and its step less `letter`."""
    split = head_and_parts(unwrapped(node))
    if split is None or split[0].base not in LOSSES or len(split[1]) != 1 or letter not in letters(split[1][0].node):
        return None
    at, word = number_at(split[1][0].node, {letter: 0}), spelled(split[0])
    return None if at is None or word is None else (word, int(at))


def of_the_end(page: Page, s: Statement, letter: str) -> Any:
    r"""The step of ``L = \frac{1}{2} \|h_T - y\|^2`` or ``(h_2 - y)^2``, a loss by its formula, of one step alone; None for any other statement."""
    if kind(s.node) != "Relation" or len(s.node.sides) != 2 or s.node.signs[0] not in DEFINING or s.derives:
        return None
    split = head_and_parts(unwrapped(s.node.sides[0]))
    if split is None or spelled(split[0]) not in page.total_losses or split[1]:
        return None
    steps = [(key_of(head, []), p.node) for _, head, parts in names_in(s.node.sides[1]) for p in parts]
    at = {p for key, p in steps if key in page.definitions and (p == Name("T") or kind(p) == "Number")}
    return at.pop() if len(at) == 1 and not any(letter in letters(p) for _, p in steps) else None


def of_the_last_output(statements: list[Statement]) -> bool:
    r"""Whether the loss is of the last output alone wherever the document says what it is of: ``\frac{\partial L(y_T, \hat y_T)}{\partial W}``."""
    calls = [n for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and loss_head(n) is not None]
    steps = [p.node for call in calls for n in call.args for p in (head_and_parts(unwrapped(n)) or (None, ()))[1]]
    return bool(steps) and all(spelled(at) in LAST_STEPS for at in steps)


def names_a_jacobian(relation: Any) -> bool:
    r"""``J_t = \partial h_t / \partial h_{t-1}``: a letter that is no loss here."""
    return any(kind(unwrapped(side)) == "Derivative" and loss_head(unwrapped(side).of) is None for side in relation.sides[1:])


def errors(page: Page, statements: list[Statement]) -> None:
    r"""The e of ``E = \frac{1}{2} \sum_t \sum_k e_{t,k}^2 = \frac{1}{2} \sum_t \sum_k (y_{t,k} - d_{t,k})^2``: a symbol for the difference."""
    for s in statements:
        if kind(s.node) != "Relation" or loss_head(s.node.sides[0]) is None or s.derives:
            continue
        for left, right in pairwise(s.node.sides[1:]):
            name, meant = apart(left, right) or (left, right)
            split = head_and_parts(name)
            if split is None or kind(meant) != "Sum" or len(meant.args) != 2 or kind(meant.args[1]) != "Negative":
                continue
            step = step_part(split[1], page.symbols.letter)
            key = key_of(split[0], [])
            if key is not None and step is not None and key not in page.symbols.ranks:
                entries = tuple(p.node for p in split[1] if p is not step)
                page.abbreviations.setdefault(key, Abbreviation(key, (step.node,), entries, meant))


def apart(a: Any, b: Any) -> tuple[Any, Any] | None:
    """The one place where two formulas differ, what stands there in each; None if there are several."""
    a, b = unwrapped(a), unwrapped(b)
    if kind(a) != kind(b) or kind(a) in ("Name", "Number"):
        return a, b
    inner = [*zip(children(a), children(b), strict=False)]
    differing = [pair for pair in inner if unwrapped(pair[0]) != unwrapped(pair[1])]
    return apart(*differing[0]) if len(differing) == 1 and len(children(a)) == len(children(b)) else None


def stated_loss(page: Page, statements: list[Statement]) -> None:
    """A loss that the document writes out: squared differences, or the logarithm of the output."""
    outputs = terminals(page)
    signs: dict[str, set[bool]] = {}  # whether logarithms count negatively, and squares do not
    for s in statements:
        if kind(s.node) != "Relation" or s.node.signs[0] not in DEFINING:
            continue
        split = head_and_parts(unwrapped(s.node.sides[0]))
        if split is None or split[0].base not in LOSSES:
            continue
        formula = unwrapped(next((side for side in reversed(s.node.sides[1:]) if names_any(page, side, outputs)), s.node.sides[-1]))
        factor, right = before_the_sum(formula, page.symbols.letter)
        if factor is None and (batch := of_a_batch(right)) is not None and not of_one(statements, batch[0]):
            page.examples, factor = batch
        page.averaged |= {str(spelled(split[0]))} if factor is not None else set()
        half = factor == HALF or any(halves(x) for x in walk(right))
        if factor is not None and factor != HALF and page.loss_weight is None:
            page.loss_weight = factor
        for n in walk(right):
            squared: Any = unwrapped(n.base) if kind(n) == "Power" and kind(n.exponent) == "Number" and n.exponent.text == "2" else None
            squared = unwrapped(squared.arg) if kind(squared) in ("Norm", "Absolute") else squared
            if (split := head_and_parts(squared)) is not None and (error := page.abbreviations.get(str(key_of(split[0], [])))) is not None:
                squared = unwrapped(error.node)
            if kind(squared) == "Sum" and len(squared.args) == 2:
                a, b = squared.args
                b = b.arg if kind(b) == "Negative" else b
                for mine, other in ((a, b), (b, a)):
                    ref = page.symbols.ref(unwrapped(mine))
                    if ref is not None and ref.key in outputs and page.symbols.ref(unwrapped(other)) is None and not apart_in_time(page, ref, other):
                        wanted(page, ref.key, target_name(page, other, bound_letters(right)), "square" if half else "double")
                        signs.setdefault(ref.key, set()).add(not turned(formula, n))
            elif (
                kind(n) in FACTORS
                and len(n.args) == 2
                and kind(n.args[1]) == "Apply"
                and kind(n.args[1].function) == "Name"
                and n.args[1].function.base in ("log", "ln")
                and not n.args[1].function.subs
            ):
                ref = page.symbols.ref(unwrapped(n.args[1].args[0]))
                if ref is not None and ref.key in outputs:
                    first = unwrapped(n.args[0])
                    first = (
                        first.arg
                        if kind(first) == "Transpose"
                        else first.base
                        if kind(first) == "Power" and page.symbols.ref(first) is None and kind(first.base) == "Name" and is_top(first.exponent)
                        else first
                    )
                    if apart_in_time(page, ref, first):
                        continue
                    rule = "binary" if any(of_the_rest(page, m, ref.key) for m in walk(right)) else "entropy"
                    wanted(page, ref.key, target_name(page, first, bound_letters(right)), rule)
                    signs.setdefault(ref.key, set()).add(not to_be_large(s) or turned(formula, n))
    page.gained = frozenset(key for key, found in signs.items() if found == {False})


def halves(node: Any) -> bool:
    """Whether a part of a formula is one half, or divides by two."""
    return kind(node) in ("Fraction", "Number") and (number_at(node, {}) == HALF or (kind(node) == "Fraction" and number_at(node.denominator, {}) == 2))


def names_any(page: Page, node: Any, keys: Collection[str]) -> bool:
    """Whether a formula names one of some quantities."""
    return any((ref := page.symbols.ref(n)) is not None and ref.key in keys for n in walk(node))


def apart_in_time(page: Page, output: Any, target: Any) -> bool:
    r"""Whether what is wanted of an output stands at another step, ``w_{t+1}^\top \log p_t``: that no rule knows, but its formula does."""
    split, letter = head_and_parts(unwrapped(target)), page.symbols.letter
    step = step_part(split[1], letter) if split is not None else None
    at, of = (number_at(node, {letter: 0}) if node is not None else None for node in (step.node if step is not None else None, output.step))
    return at is not None and of is not None and at != of


def to_be_large(s: Statement) -> bool:
    """Whether the words beside a formula say that it is to be as large as can be; else it may be that a minus is forgotten."""
    f = s.fragment
    words = f"{f.before[-NEAR:]} {f.after[:NEAR]} {f.heading}" if f is not None else ""
    return LARGE.search(words) is not None and SMALL.search(words) is None


def turned(node: Any, part: Any) -> bool:
    """Whether a part of a formula counts negatively in it."""
    if node is part:
        return False
    inner = next(c for c in children(node) if any(n is part for n in walk(c)))
    factors = [a for a in children(node) if a is not inner] if kind(node) in FACTORS else []
    signs = [kind(node) == "Negative", *(kind(n) == "Negative" for a in factors if kind(unwrapped(a)) != "Sum" for n in walk(a))]
    signs += [kind(node) == "Sum" and node.args[0] is not inner and reaching(node, inner)]
    return turned(inner, part) != (sum(signs) % 2 == 1)


def reaching(node: Any, part: Any) -> bool:
    r"""Whether a sum that stands first reaches over what stands behind it, and turns its sign: ``-\sum_t a_t + b_t``."""
    first = unwrapped(node.args[0])
    return kind(first) == "Negative" and kind(unwrapped(first.arg)) == "Big" and kind(part) != "Negative"


def of_the_rest(page: Page, node: Any, output: str) -> bool:
    r"""``\log(1 - \hat y_t)``, as in the loss of an output between 0 and 1."""
    if kind(node) != "Apply" or kind(node.function) != "Name" or node.function.base not in ("log", "ln") or len(node.args) != 1:
        return False
    inside = unwrapped(node.args[0])
    rest: Any = inside.args[1] if kind(inside) == "Sum" and len(inside.args) == 2 and number_at(inside.args[0], {}) == 1 else None
    ref = page.symbols.ref(unwrapped(rest.arg)) if kind(rest) == "Negative" else None
    return ref is not None and ref.key == output


def before_the_sum(right: Any, letter: str) -> tuple[Any, Any]:
    r"""The factor of ``\frac{1}{T} \sum_{t=1}^T (y_t - d_t)^2`` and what is summed over the steps; one half as a number."""
    if kind(right) == "Negative" and any(kind(n) == "Name" and n.base in ("log", "ln") for n in walk(right)):
        right = unwrapped(right.arg)  # of a logarithm the minus is a part of the loss
    factor = unwrapped(right.args[0]) if kind(right) in ("Product", "Infix") and len(right.args) == 2 else None
    total = right if factor is None else unwrapped(right.args[1])
    if kind(total) != "Big" or total.kind != "sum" or spelled(total.index) != letter:
        return None, right
    return (HALF if factor is not None and number_at(factor, {}) == HALF else factor), total.body


def of_a_batch(right: Any) -> tuple[str, Any] | None:
    r"""The letter for the number of examples, and the factor, in ``\frac{1}{2m} \sum_{i=1}^m (\hat y^{(i)} - y^{(i)})^2``; None where there is no such mean.

    A mean over the components, ``\frac{1}{N} \sum_{i=1}^N (\hat y_i - y_i)^2``, has such a factor too.
    """
    if kind(right) not in ("Product", "Infix") or len(right.args) != 2:
        return None
    factor, total = (unwrapped(a) for a in right.args)
    if kind(factor) != "Fraction" or kind(total) != "Big" or total.kind != "sum" or kind(unwrapped(total.upper)) != "Name":
        return None
    many, names = str(spelled(unwrapped(total.upper))), {spelled(n) for n in walk(factor) if kind(n) == "Name"}
    counted = {spelled(p.node) for n in walk(total.body) if (split := head_and_parts(n)) is not None for p in split[1]}
    return (many, factor) if names == {many} and spelled(total.index) in counted else None


def of_one(statements: list[Statement], many: str) -> bool:
    """Whether the document says that there is one example, ``$N = 1$``."""
    return any(kind(s.node) == "Relation" and s.node.sides == (Name(many), Number("1")) and s.node.signs == ("=",) for s in statements)


def wanted(page: Page, output: str, name: str | None, rule: str) -> None:
    if name is None:
        return
    known = page.targets.setdefault(output, name)
    if known != name and name not in page.symbols.ranks:
        page.symbols.aliases[name] = known  # another spelling of what is wanted
        page.symbols.clear()
        return
    if rule:
        page.loss_rules.setdefault(output, rule)
    page.symbols.ranks.setdefault(name, 1)
    page.symbols.timed.add(name)
    page.symbols.clear()


def target_name(page: Page, node: Any, bound: Set[str] = frozenset()) -> str | None:
    """What is wanted, by its name without the step and without the indices that a sum over the components binds."""
    split = head_and_parts(unwrapped(node))
    if split is None or split[0].base in UNIT_BASES:
        return None
    step = step_part(split[1], page.symbols.letter)
    if step is None and any(kind(p.node) == "Number" for p in split[1]):
        step = next(p for p in split[1] if kind(p.node) == "Number")
    components = bound | (set("ijkmnpq") if step is not None else set())
    labels = [p for p in split[1] if p is not step and spelled(p.node) not in {*components, "T"}]
    return key_of(split[0], labels)


def twice(page: Page, statements: list[Statement], output: str) -> bool:
    r"""Whether what a document says of its loss is ``\partial L / \partial y_t = 2 (y_t - d_t)``: squared differences, without a half."""
    sides = [unwrapped(side) for s in statements if kind(s.node) == "Relation" for side in s.node.sides[1:]]
    doubled = [unwrapped(a.args[1]) for a in sides if kind(a) in ("Product", "Infix") and len(a.args) == 2 and number_at(a.args[0], {}) == 2]

    def differs(node: Any) -> bool:
        ref = page.symbols.ref(unwrapped(node.args[0])) if kind(node) == "Sum" and len(node.args) == 2 and kind(node.args[1]) == "Negative" else None
        return ref is not None and ref.key == output

    return any(map(differs, doubled)) and not any(map(differs, sides))


def predicted(page: Page, statements: list[Statement]) -> None:
    r"""``\hat y_t``, which nothing defines, is the one output ``a_t = \sigma(o_t)`` of a cell, unless the document adds or subtracts the two."""
    outputs = [key for key in terminals(page) if key not in page.lagged and page.activated(key) is not None]
    names = {key_of(head, []): head for s in statements for _, head, _ in names_in(s.node) if head.base == "y" and head.accents in (("hat",), ("widehat",))}
    sides = {split[0] for s in statements if kind(s.node) == "Relation" and (split := head_and_parts(unwrapped(s.node.sides[0]))) is not None}
    for name, head in names.items():
        if name is None or len(outputs) != 1 or outputs[0] == "y" or name in page.symbols.ranks or head in sides:
            continue
        sums = ([*names_in(n)] for s in statements for n in s.nodes if kind(n) == "Sum")
        if not any({name, outputs[0]} <= {key_of(h, []) for _, h, _ in found} for found in sums):
            page.symbols.aliases[name] = outputs[0]
            page.guessed.setdefault(outputs[0], f"{plain(name)} is read as {plain(outputs[0])}")
            page.symbols.clear()


def targets(page: Page, statements: list[Statement]) -> None:
    """The wanted value in the loss of a softmax output: a name that is subtracted from the output, or stands beside its logarithm."""
    predicted(page, statements)
    errors(page, statements)
    stated_loss(page, statements)
    outputs = {
        key: d
        for key, d in page.definitions.items()
        if kind(node := unwrapped(d.node)) == "Apply" and kind(node.function) == "Name" and meaning(page.functions, node.function) == "softmax"
    }
    softmax = bool(outputs)
    if not outputs:
        finals = terminals(page)
        outputs = {k: page.definitions[k] for k in finals if k not in page.lagged}
    for key in outputs:
        for s in statements:
            for n in s.nodes:
                if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative":
                    a, b = page.symbols.ref(unwrapped(n.args[0])), n.args[1].arg
                    if a is not None and a.key == key and page.symbols.ref(unwrapped(b)) is None:
                        hot = kind(unwrapped(b)) == "Name" and unwrapped(b).base == "1" and unwrapped(b).subs
                        name = HOT if hot else target_name(page, b, {str(spelled(e)) for e in a.entries})
                        wanted(page, key, name, "double" if twice(page, statements, key) and not softmax else "")
