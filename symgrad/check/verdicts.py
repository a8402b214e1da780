r"""From readings to verdicts: what is proved, what is refuted in every reading, and what is left open and why."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from symgrad.check import caution, diagnose, everystep, identities, lint, powers, suppose
from symgrad.check.abbreviations import indices_of
from symgrad.check.adjoints import MARKS, symbol_id, symbol_target
from symgrad.check.bounds import bound, speaks_of_extremes
from symgrad.check.claims import EQUAL, Link, span_of
from symgrad.check.collect import collect, split_groups
from symgrad.check.conditions import Condition, conditions
from symgrad.check.decide import Decider, Outcome
from symgrad.check.define import make_page
from symgrad.check.edits import Slips
from symgrad.check.judgement import Judgement
from symgrad.check.library import matched, prelude
from symgrad.check.page import Abbreviation, Page, in_code, plain
from symgrad.check.statements import LOSSES, Statement, bound_letters, derived, names_in, sums_steps
from symgrad.check.symbols import head_and_parts, is_top, key_of, kind, letters, spelled, unwrapped, walk
from symgrad.check.world import STEPS
from symgrad.notation.latex import latex
from symgrad.notation.syntax import Derivative

if TYPE_CHECKING:
    from symgrad.check.sources import Document
    from symgrad.face.cell import Cell

PAGES = 4  # groups of definitions that one claim is tried on
CONFIRMED = 3  # claims that must hold before a cell that is not the document's own may refute others
ANOTHER = "this does not hold of that cell, but the document may mean another one"
FEW = 48  # readings of a line of code for rows
MOST_STEPS = 6  # that a world is unrolled over
SECONDS = 1.0  # for the diagnosis of one claim


@dataclass
class Judge:
    """The statements of a document, its pages, and what was settled on the way."""

    document: Document
    statements: list[Statement]
    cell: Cell | None = None
    pages: dict[int, Page] = field(default_factory=dict)
    wrong: set[tuple[int, int]] = field(default_factory=set)
    confirmed: int = 0  # claims that hold on the pages
    supposed: dict[tuple[int, int], tuple[Condition, ...]] = field(default_factory=dict)
    introductions: set[tuple[int, int]] = field(default_factory=set)  # links that introduce a symbol for a derivative

    def __post_init__(self) -> None:
        self.borrowed = ""
        self.certain = True  # whether the cell is known well enough to refute a claim
        source = list(self.statements)
        self.collected = collect(source)
        if self.cell is not None:
            source = [*prelude(self.cell, len(self.statements)), *self.statements]
            self.collected = collect(source)
            self.borrowed = f"the cell is {self.cell.name} of the library, as asked for"
        elif not any(g.definitions for g in self.collected.groups) or not self.recurrent():
            found = matched(self.statements, self.collected)
            if found is not None:
                borrowed, self.borrowed, self.certain = found
                source = [*borrowed, *self.statements]
                self.collected = collect(source)
        self.source = source
        split_groups(self.collected)
        self.variables = self._variables()
        self.declared = self._declared()
        self.matrices = any(kind(n) in ("Transpose", "Diagonal") or (kind(n) == "Power" and is_top(n.exponent)) for s in self.statements for n in s.nodes)
        self.bare = not any(derived(s.node) for s in self.statements)

    def recurrent(self) -> bool:
        return any(self.page(k).lagged for k in range(len(self.collected.groups)))

    def _variables(self) -> frozenset[str]:
        """Variables of identities between functions: ``\\sigma'(x)``, ``d/dx``."""
        out = set()
        for s in self.statements:
            for n in s.nodes:
                if kind(n) == "Apply" and len(n.args) == 1:
                    for inner in walk(n.args[0]):
                        if kind(inner) == "Name" and not inner.subs and len(inner.base) == 1 and inner.base in "xyzuva":
                            out.add(inner.base)
        return frozenset(out)

    def _declared(self) -> int | None:
        """The first statement that declares a shape."""
        for s in self.statements:
            node = s.node
            if kind(node) == "Relation" and any(g == "in" for g in node.signs):
                for side in node.sides[1:]:
                    for n in walk(side):
                        if kind(n) == "Name" and n.base in ("R", "Re") and n.font in ("mathbb", "mathbf", "mathrm", ""):
                            return s.number
            if kind(node) == "Relation" and any(g in (":", "shape") for g in node.signs):
                return s.number
        return None

    def page(self, k: int) -> Page:
        if k not in self.pages:
            page = self.pages[k] = make_page(self.collected, k, self.source if hasattr(self, "source") else self.statements)
            page.variables = getattr(self, "variables", frozenset()) | {identities.POINT}
            page.steps = self.steps()
            page.borrowed = bool(self.borrowed)
            page.adjoined = self.adjoined(page)
            page.statements = self.statements
            if k > 0:
                for name, short in self.pages.get(0, page).abbreviations.items():
                    page.abbreviations.setdefault(name, short)
        return self.pages[k]

    def adjoined(self, page: Page) -> set[str]:
        """The quantities whose adjoint has a symbol somewhere in the document."""
        out = set()
        for s in self.statements:
            for n in s.nodes:
                if kind(n) == "Product":
                    for a, b in zip(n.args, n.args[1:], strict=False):
                        if kind(a) == "Name" and a.base in MARKS and not a.subs and (r := page.symbols.ref(b)) is not None:
                            out.add(r.key)
                elif kind(n) == "Name" and n.base in MARKS and n.subs:
                    out |= {r.key for x in n.subs if (r := page.symbols.ref(x)) is not None}
        return out

    def steps(self) -> int:
        """As many steps as the document says that there are, else enough for every step that is named by number."""
        named = [
            int(p.node.text)
            for s in self.statements
            for n in s.nodes
            if kind(n) == "Name"
            for p in (head_and_parts(n) or (None, ()))[1]
            if kind(p.node) == "Number" and p.node.text.isdigit() and int(p.node.text) <= MOST_STEPS
        ]
        said = {n for s in self.statements if (n := length(s)) is not None and 2 < n <= MOST_STEPS}
        if len(said) == 1 and max([0, *named]) <= min(said) + 1:
            return min(said)
        return max([STEPS, *named])

    def order(self, s: Statement) -> list[int]:
        """The groups of definitions to try: those that know most of the names, of these the one in force, then earlier ones, then later ones."""
        groups = self.collected.groups
        if len(groups) == 1:
            return [0]
        here = max((k for k, g in enumerate(groups) if (g.first <= s.number or k == 0) and not g.alone), default=0)
        indices = bound_letters(s.node) | {w for _, _, parts in names_in(s.node) for p in parts for w in letters(p.node)}
        defined: dict[int, int] = {}
        known: dict[int, int] = {}
        for k in range(len(groups)):
            page = self.page(k)
            found = {r.key for n, _, parts in names_in(s.node) if (r := page.symbols.ref(n)) is not None and (parts or r.key not in indices)}
            defined[k] = sum(key in page.definitions or key.startswith("pre:") for key in found)
            known[k] = len(found)
        most = max(defined.values())

        def rank(k: int) -> tuple[int, int]:
            late = groups[k].first > s.number
            return (-known[k], here - k if k <= here and not groups[k].alone else 500 + s.number - groups[k].first if not late else 100_000 + groups[k].first)

        return sorted((k for k in range(len(groups)) if defined[k] == most), key=rank)[:PAGES]

    # -- one link -------------------------------------------------------------------------------------------------------------

    def said(self, link: Link) -> Judgement | None:
        """The judgement of a link, None for a definition."""
        s = link.statement
        if speaks_of_extremes(link):
            return self.other(link)
        if (s.number, link.number) in self.collected.defining:
            found = lint.definition(link, self.collected.letter)
            if found is not None:
                return found
            if self.bare and s.number < len(self.statements):
                return Judgement("undecided", "definition", "this line defines the cell, and nothing in the document is derived from it")
            return None
        if gives_the_loss(link):
            return None
        power = powers.limit(link, self.conditions(link)) if link.sign in EQUAL or link.sign in powers.TO else None
        if power is not None:
            return power
        limit = link.sign in ("->", "to") and any(g in ("->", "to") for c in self.conditions(link) if kind(c.node) == "Relation" for g in c.node.signs)
        if link.sign not in EQUAL and not limit:
            return self.other(link)
        if (s.number, link.number) in self.introductions:
            if self.introduces(link.right):
                return None
            return Judgement("undecided", "definition", "a symbol is introduced here; the lines that use it are held against this one")
        supposed = suppose.assumed(self, link)
        if supposed is not None:
            return None if suppose.introduced(s.fragment, label=True) else supposed
        try:
            link = identities.at_a_point(link) or link
            said = suppose.conditioned(self, link) or self.equation(link)
            return suppose.SPECIAL if said.verdict == "refuted" and suppose.aside(self, link) else said
        except RecursionError:
            return Judgement("undecided", "too-large", "the formula is nested too deeply")
        except MemoryError:
            raise
        except Exception as e:  # a defect here must not hide the verdicts of the other claims
            if os.environ.get("SYMGRAD_DEBUG"):
                raise
            return Judgement("undecided", "internal-error", f"an error of this program: {type(e).__name__}")

    def other(self, link: Link) -> Judgement | None:
        if link.sign in (":", "shape"):
            return None
        reasons = {
            "~~": "an approximation is not decided",
            "approx": "an approximation is not decided",
            "prop": "a proportionality is not decided",
            "->": "a limit is not decided",
            "to": "a limit is not decided",
            "<-": "an update of parameters is not an equation",
            "=>": "an implication is not decided",
        }
        aside = link.statement.fragment is not None and suppose.introduced(link.statement.fragment)
        found = bound(self.page(self.order(link.statement)[0]), link, self.statements, self.conditions(link))
        if link.sign in ("in", "∈") or (aside and (found is None or found.verdict != "proved")):
            return found if found is not None and (found.verdict == "proved" or not aside) else None
        if isinstance(found, Judgement):
            return found
        return Judgement("undecided", "not-an-equation", reasons.get(link.sign, f"relations with `{link.sign}` are not decided"))

    def introduce(self, links: Iterable[Link]) -> None:
        """The symbols for derivatives, wherever the document introduces them: earlier lines may use them too."""
        for link in links:
            s = link.statement
            if (s.number, link.number) not in self.collected.defining and link.sign in EQUAL and self.abbreviates(link):
                self.introductions.add((s.number, link.number))

    def abbreviates(self, link: Link) -> bool:
        """Whether a link introduces a symbol for a derivative."""
        if link.number != 0 or link.sign == "+=":
            return False
        left = unwrapped(link.left)
        split = head_and_parts(left)
        if split is None:
            return False
        page = self.page(self.order(link.statement)[0])
        if page.symbols.ref(left) is not None:
            return False
        head, parts = split
        if any(spelled(other) == spelled(head) for _, other, _ in names_in(link.right)):
            return False  # a recursion
        if not derived(link.right) and not (head.base in MARKS - {"d", "partial"} and self.names_nothing(page, left)):
            return False
        if not self.names_nothing(page, left) and not self.introduces(link.right):
            return False
        if head.base in ("partial", "nabla"):
            return False
        labels, slots, entries = indices_of(page, parts)
        key = key_of(head, labels)
        if key is None:
            return False
        if symbol_target(page, left, {}) is not None and kind(unwrapped(link.right)) == "Derivative":
            return False
        if key in page.abbreviations:
            return False
        for k in range(len(self.collected.groups)):
            p = self.page(k)
            p.abbreviations.setdefault(key, Abbreviation(key, tuple(x.node for x in slots), tuple(x.node for x in entries), link.right))
        return True

    def names_nothing(self, page: Page, left: Any) -> bool:
        r"""Whether an adjoint symbol is of nothing that the loss depends on: ``\delta^y_t = \hat y_t - y_t`` introduces it."""
        target = symbol_target(page, left, {})
        return target is None or target[0] in page.targets.values()

    def introduces(self, right: Any) -> bool:
        """Whether the right side is a derivative itself: what ``δ_t = ∂L/∂h_t`` introduces."""
        return kind(unwrapped(right)) == "Derivative"

    def conditions(self, link: Link) -> tuple[Condition, ...]:
        """What a link is said to hold for."""
        key = (link.statement.number, link.number)
        if key not in self.supposed:
            self.supposed[key] = conditions(link.statement, link.given) if key[0] < len(self.statements) else ()
        return self.supposed[key]

    def equation(self, link: Link, under: Callable[[Page], Page | None] = lambda page: page) -> Judgement:
        """Decide one equation on the pages that may be meant, each changed by what is supposed."""
        first: tuple[Page, Outcome] | None = None
        left, right = link.left, link.right
        broken = malformed(left)
        if broken is not None:
            return self.mended(link, broken)
        outcomes: list[tuple[Page, Outcome]] = []
        for k in self.order(link.statement):
            page = under(self.page(k))
            if page is None:
                continue
            page.matrixlike = 2 if self.declared is not None and link.statement.number >= self.declared else 0
            outcome = self.attempt(page, left, right, link)
            if outcome.equal and outcome.reading == "scalar" and self.matrices and outcome.near:
                strict = Decider(page).decide(left, right, modes=((False, False), (False, True)))
                slip = diagnose.repair(page, strict, link, time.process_time() + SECONDS / 2, Slips.transposes)
                if slip is not None:
                    return self.refuted(page, strict, link, slip, tuple(self.assumed(page, strict)))
            if outcome.equal:
                return self.proved(page, outcome, link)
            if first is None or (first[1].missing is not None and outcome.missing is None):
                first = (page, outcome)
            outcomes.append((page, outcome))
        assert first is not None
        page, outcome = first
        return self.failed(page, outcome, link, outcomes)

    def mended(self, link: Link, whole: Any) -> Judgement:
        """A derivative with a ∂ lost: refuted for its form, with the repair if that holds."""
        for k in self.order(link.statement):
            page = self.page(k)
            if Decider(page).decide(whole, link.right, limit=24).equal:
                try:
                    expected = f"{latex(whole)} = {latex(link.right)}"
                except (ValueError, TypeError, AttributeError, KeyError):
                    expected = None
                return Judgement(
                    "refuted",
                    "missing-differential",
                    "a ∂ is missing in this derivative; with it the equation holds",
                    expected=expected,
                    blame=span_of(link.left),
                )
        return Judgement(
            "undecided", "missing-differential", "a ∂ is missing in this derivative, and with it no reading that was tried is true", blame=span_of(link.left)
        )

    def attempt(self, page: Page, left: Any, right: Any, link: Link) -> Outcome:
        outcome = Decider(page).decide(left, right)
        if not outcome.equal and link.earlier and not outcome.typed and (outcome.unsupported is not None or outcome.missing is not None):
            for side in reversed(link.earlier):
                again = Decider(page).decide(side, right)
                if again.equal or again.typed:
                    return again
        if not outcome.equal and link.earlier and (link.statement.number, link.number - 1) not in self.wrong and not self.summed(link):
            # the same symbol may have meant the immediate derivative in the line before: hold it against the first line too
            again = Decider(page).decide(link.earlier[0], right)
            if again.equal:
                return again
        return outcome

    def summed(self, link: Link) -> bool:
        """Whether the line before is a sum over time and this one is not: then this one cannot speak of a single step."""
        before, now = (any(kind(n) == "Big" and n.kind == "sum" for n in walk(side)) for side in (link.left, link.right))
        return before and not now

    def proved(self, page: Page, outcome: Outcome, link: Link) -> Judgement:
        chooser = outcome.chooser
        assert chooser is not None
        self.remember(page, outcome, link)
        self.confirmed += 1
        notes = [*chooser.notes, *self.assumed(page, outcome)]
        if outcome.last_only:
            notes.append("the step named is the last one")
        if outcome.lenient:
            notes.append("rows and columns are told by what they stand beside")
        if everystep.spans_time(page, link.left, link.right):
            notes.append(everystep.note(page, link.left, link.right, chooser, outcome.lenient))
        layout = "denominator" if "denominator" in chooser.tags else "numerator"
        return Judgement("proved", None, "", outcome.reading, layout, assumptions=tuple(dict.fromkeys(notes)))

    def assumed(self, page: Page, outcome: Outcome) -> list[str]:
        notes = list(page.assumptions)
        if self.borrowed:
            notes.append(self.borrowed)
        for key, note in page.guessed.items():
            if key in outcome.used:
                notes.append(note)
        targets = page.targets
        for output, target in targets.items():
            if target in outcome.used or output in outcome.used:
                notes.append(f"the loss is the one whose gradient is {page.notes.get(output, output)} - {page.notes.get(target, target)}")
        return notes

    def remember(self, page: Page, outcome: Outcome, link: Link) -> None:
        """The meaning of an adjoint symbol on the left side is settled by the line that holds."""
        target = caution.symbol_on(page, link.left)
        if target is None:
            return
        _, _, _, words, name, _ = target
        which = symbol_id(name, words, target[1])
        assert outcome.chooser is not None
        for key, option in outcome.chooser.chosen:
            if key == ("adjoint", which):
                for p in self.pages.values():
                    p.meanings.setdefault(which, str(option.value))

    def failed(self, page: Page, outcome: Outcome, link: Link, outcomes: list[tuple[Page, Outcome]]) -> Judgement:
        """Refuted, or open."""
        notes = tuple(self.assumed(page, outcome))
        if outcome.missing is None and (opened := caution.unknown_cell(page, outcome, link, self.statements)) is not None:
            return replace(opened, assumptions=notes)
        if outcome.missing is None and not self.certain:
            return Judgement("undecided", "ambiguous", ANOTHER, assumptions=notes)
        if outcome.missing is None and not page.coded and self.holds_for_rows(page, link):
            rows = "the vectors are rows, as in a batch, and the weights stand behind them"
            return Judgement("proved", reading="matrix", assumptions=(*notes, rows))
        repair = diagnose.repair(page, outcome, link, time.process_time() + SECONDS)
        if repair is not None and repair.code == "immediate-for-total" and repair.message.startswith("the immediate"):
            return Judgement(
                "proved",
                reading=Decider(page).reading(link.left, link.right, outcome.mode[0]),
                assumptions=(*notes, "one ∂ is read as the immediate derivative, the others as total ones"),
            )
        if outcome.missing is not None and not outcome.typed and self.introduced(page, link):
            return Judgement("proved", assumptions=(*notes, "the symbol is introduced here"))
        if outcome.missing is not None and not outcome.typed:
            name = outcome.missing.name
            slip = repair is not None and repair.code == "undefined-symbol" and not self.borrowed
            if slip and caution.once(outcome.missing.where, self.statements, self.collected.letter):
                return self.refuted(page, outcome, link, repair, notes)
            unknown = shown(outcome.missing.where, name, link)
            return Judgement("undecided", "undefined-symbol", f"nothing in the document defines {unknown}", assumptions=notes)
        if not self.certain:
            return Judgement("undecided", "undefined-symbol", ANOTHER, assumptions=notes)
        alone = caution.unmatched(page, link) if outcome.missing is None and repair is None else set()
        if alone:
            why = f"the index {', '.join(sorted(alone))} stands on one side only; a sum over it may be meant"
            return Judgement("undecided", "ambiguous", why, assumptions=notes)
        if repair is not None and repair.code == "missing-brackets" and caution.reaches(link.right):
            held = "the sum is taken to reach over the whole difference"
            return Judgement("proved", reading=Decider(page).reading(link.left, link.right, outcome.mode[0]), assumptions=(*notes, held))
        if (outcome.weak is not None and repair is None) or (outcome.weak is not None and not caution.adjoint_claim(link)):
            assert outcome.weak is not None
            return Judgement("undecided", "ambiguous", "this holds only if " + "; ".join(outcome.weak.notes), assumptions=notes)
        if outcome.unsupported is not None and not outcome.typed:
            return Judgement("undecided", "not-understood", outcome.unsupported.what, assumptions=notes)
        if not outcome.typed:
            if repair is not None and outcome.misfits:
                return self.refuted(page, outcome, link, repair, notes)
            why = outcome.misfits[0] if outcome.misfits else "no step has all the quantities that this names"
            return Judgement("undecided", "wrong-shape" if outcome.misfits else "no-instance", why, assumptions=notes)
        if repair is None and (
            not outcome.complete
            or (self.borrowed and self.confirmed < CONFIRMED)
            or outcome.missing is not None
            or caution.guessed(page, outcome)
            or caution.conventional(page, link)
        ):
            return Judgement("undecided", "ambiguous", "no reading that was tried makes this true, and not all could be tried", assumptions=notes)
        return self.refuted(page, outcome, link, repair, notes)

    def holds_for_rows(self, page: Page, link: Link) -> bool:
        """Whether a line of code, with ``@`` in it, holds for rows though the cell is written for columns."""
        if not (in_code(link.left) or in_code(link.right)):
            return False
        rowwise = copy(page)
        rowwise.rows = True
        rowwise.memos["worlds"] = page.memos["worlds"]  # equations are read the same
        return Decider(rowwise).decide(link.left, link.right, limit=FEW, modes=((False, True),)).equal

    def introduced(self, page: Page, link: Link) -> bool:
        """Whether a later side of the chain gives the value of a side with an unknown symbol."""
        sides = link.statement.node.sides
        later = sides[link.number + 2 :]
        return any(Decider(page).decide(link.left, side, limit=16).equal for side in later if kind(unwrapped(side)) != "Tuple")

    def refuted(self, page: Page, outcome: Outcome, link: Link, repair: Any, notes: tuple[str, ...]) -> Judgement:
        self.wrong.add((link.statement.number, link.number))
        said = Judgement("refuted", "false-equation", "the two sides differ in every reading", counterexample=outcome.counter, assumptions=notes)
        said.reading = Decider(page).reading(link.left, link.right, outcome.mode[0])
        if repair is not None:
            said.code, said.message, said.expected, said.blame = repair.code, repair.message, repair.expected, repair.blame
            if everystep.spans_time(page, link.left, link.right) and (first := everystep.failure(page, link.left, link.right, outcome.best)):
                said.message += f"; {first}"
        else:
            span = span_of(link.right)
            said.blame = span if span is not None and link.start <= span[0] else None
        key = self.key_on(page, link.left)
        d = page.definitions.get(key) if key else None
        if d is not None and d.place is not None and getattr(d.place, "fragment", None) is not None:
            whole = span_of(d.place.node)
            if whole is not None:
                said.definition = (d.place.fragment, *whole)
        return said

    def key_on(self, page: Page, node: Any) -> str | None:
        node = unwrapped(node)
        if kind(node) == "Derivative":
            node = unwrapped(node.of)
        ref = page.symbols.ref(node)
        return ref.key if ref is not None else None


def length(s: Statement) -> int | None:
    r"""The number of steps that a statement fixes: ``T = 3``, ``t = 1, 2, 3``, ``L = \sum_{t=1}^3 L_t``, ``L = L_1 + L_2 + L_3``."""
    node = s.node
    if kind(node) != "Relation" or len(node.sides) != 2 or node.signs[0] not in ("=", "in"):
        return None
    left, right = unwrapped(node.sides[0]), unwrapped(node.sides[1])
    if kind(left) == "Name" and not left.subs and left.base == "T":
        last = right
    elif kind(left) == "Name" and not left.subs and left.base == "t" and kind(right) in ("Tuple", "Stack") and len(right.args) > 1:
        last = unwrapped(right.args[-1])
    elif kind(right) == "Big" and right.kind == "sum" and sums_steps(right) and right.upper is not None:
        last = unwrapped(right.upper)
    elif kind(right) == "Sum" and kind(left) == "Name" and left.base in LOSSES and not left.subs:
        parts = [(head_and_parts(unwrapped(a)) or (None, ()))[1] for a in right.args]
        if [[spelled(p.node) for p in found] for found in parts] != [[str(k + 1)] for k in range(len(parts))]:
            return None
        last = parts[-1][0].node
    else:
        return None
    return int(last.text) if kind(last) == "Number" and last.text.isdigit() else None


def gives_the_loss(link: Link) -> bool:
    """``L_t = -y_t^\\top \\log \\hat y_t``: what the loss is, not a claim about it."""
    split = head_and_parts(unwrapped(link.left))
    if link.sign not in EQUAL or split is None or split[0].base not in LOSSES or derived(link.statement.node):
        return False
    return any(kind(n) == "Norm" or (kind(n) == "Name" and n.base in (*LOSSES, "log", "ln") and n.base != split[0].base) for n in walk(link.right)) or any(
        kind(n) == "Big" and n.kind == "sum" and (inner := head_and_parts(unwrapped(n.body))) is not None and inner[0].base in LOSSES for n in walk(link.right)
    )


def shown(node: Any, name: str, link: Link) -> str:
    """A part of a claim as its author writes it."""
    fragment, span = link.statement.fragment, getattr(node, "span", None)
    whole = [span_of(side) for side in (link.left, link.right)]
    if fragment is not None and span is not None and any(w is not None and w[0] <= span.start <= span.end <= w[1] for w in whole):
        return f"${fragment.written(span.start, span.end).strip()}$"
    try:
        return f"${latex(node)}$"
    except (ValueError, TypeError, AttributeError, KeyError):
        return plain(name)


def malformed(node: Any) -> Any:
    r"""``\frac{\partial z}{h}`` as the derivative that was meant; None for anything else."""
    node = unwrapped(node)
    if kind(node) != "Fraction":
        return None
    above, below = unwrapped(node.numerator), unwrapped(node.denominator)
    if (kind(above) == "Differential") == (kind(below) == "Differential"):
        return None
    of = above.arg if kind(above) == "Differential" else above
    wrt = below.arg if kind(below) == "Differential" else below
    if head_and_parts(unwrapped(of)) is None or head_and_parts(unwrapped(wrt)) is None:
        return None
    return Derivative(of, wrt, "partial")


__all__ = ["Judge", "Judgement", "spelled"]
