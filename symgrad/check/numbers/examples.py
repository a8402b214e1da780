"""The numbers that a document gives to its names, and what its equations make of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.court.marks import of_a_gradient
from symgrad.check.numbers.decimals import ZERO, NoNumber, Widen, Written, exact, written
from symgrad.check.numbers.reckon import Reckoner, Rows, Slopes, at_step, differential, shape
from symgrad.check.reading.claims import EQUAL, Link
from symgrad.check.reading.statements import LOSSES, Statement, derived
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, spelled
from symgrad.check.reading.trees import by_identity, children, kind, unwrapped, walk
from symgrad.notation.latex import latex

NEARLY = "~~"
DEPTH = 24  # names whose values are sought at a time
SEVERAL = 3  # numbers that make an example
PLACES = 12  # that are printed
Table = tuple[tuple[Written, ...], ...]


class Example:
    """The numbers that a document has given its names before a link, and the equations by which others follow."""

    def __init__(self, court: Court, link: Link) -> None:
        self.court, self.link = court, link
        self.page = court.page(court.order(link.statement)[0])
        self.used: dict[Any, Table] = {}
        self.own: dict[Any, Table] = {}  # what the link's own line gives
        self.looked = False  # whether some name takes part
        self.before = [s for s in court.statements if s.number < link.statement.number]
        self.sure = True  # whether every equation that was used is proved
        self._open: set[Any] = set()  # names whose values are sought, or not found
        self._depth = 0
        self._values: dict[Any, Rows] = {}

    def sides(self, link: Link, widen: Widen) -> tuple[Rows, Rows]:
        reckoner = self.reckoner(widen)
        left, right = (self.defined(unwrapped(side), reckoner) if nameable(side) else reckoner.rows(side) for side in (link.left, link.right))
        return left, right

    def reckoner(self, widen: Widen) -> Reckoner:
        """What computes with the example's numbers."""
        self._values.clear()
        return Reckoner(widen, self.page.functions, self.known)

    def known(self, node: Any, reckoner: Reckoner) -> Rows | None:
        """What a name is: the number that it was given, or what an equation makes of those; None for what is no name."""
        if not nameable(node):
            return None
        self.looked = True
        table = self.own.get(node, self.given.get(node))
        if table is None:
            return self.defined(node, reckoner)
        self.used[node] = table
        return tuple(tuple(reckoner.widen(n) for n in row) for row in table)

    def defined(self, node: Any, reckoner: Reckoner) -> Rows:
        """What an equation of the document makes of the numbers that it gives."""
        self.looked = True
        if node in self._values:
            return self._values[node]
        if node in self._open or self._depth >= DEPTH or not self.given:
            raise NoNumber("a name whose number is not given")
        self._open.add(node)  # until it has a value, and for good if it has none
        self._depth += 1
        try:
            return self._defined(node, reckoner)
        finally:
            self._depth -= 1

    def _defined(self, node: Any, reckoner: Reckoner) -> Rows:
        for formula, sure in self.rules(node):
            try:
                value = reckoner.rows(formula)
            except NoNumber:
                continue
            self.sure &= sure
            self._open.discard(node)
            self._values[node] = value
            return value
        if (gradient := self.gradient(node)) is not None:
            of, wrt, immediate = gradient
            self.sure = False
            slope = Slopes(reckoner, wrt, lambda name: None if immediate else self.formula(name, reckoner)).of(self.formula(of, reckoner))
            if slope != ZERO:  # which may be for another spelling of a name
                self._open.discard(node)
                return ((slope,),)
        raise NoNumber("a name whose number is not given")

    def gradient(self, node: Any) -> tuple[Any, Any, bool] | None:
        r"""What a name is the derivative of, by what, and whether of what is written alone; ``d W`` is that of the loss."""
        if kind(node) == "Derivative" and node.order == 1 and node.sign in ("partial", "d", "partial+"):
            return unwrapped(node.of), unwrapped(node.wrt), node.sign == "partial+"
        if kind(node) == "Product" and node.args[0].base == "d":
            losses = [left for word in LOSSES for s in self.equations.get((word,), []) if kind(left := unwrapped(s.node.sides[0])) == "Name" and not left.subs]
            return (losses[0], node.args[1], False) if losses else None
        return None

    def formula(self, name: Any, reckoner: Reckoner) -> Any:
        """The formula of a name that has a value, by the numbers given; None for a number that is given."""
        for formula, _ in self.rules(name):
            try:
                reckoner.rows(formula)
            except NoNumber:
                continue
            return formula
        if name in self.given:
            return None
        raise NoNumber("a name whose number is not given")

    def worked(self) -> bool:
        """Whether numbers alone are computed with, or decimals among them: ``1 - z = 0`` is said of a case."""
        return not self.looked or any(kind(n) == "Number" and "." in n.text for side in (self.link.left, self.link.right) for n in walk(side))

    @cached_property
    def given(self) -> dict[Any, Table]:
        """Names and their numbers, as the lines before say; a name that changes its number begins another example."""
        memo = self.page.memos["given"]
        found: dict[Any, Table]
        first, found = memo.get("so far", (0, {}))
        if first > len(self.before):
            first, found = 0, {}
        for s in self.before[first:]:
            for node, table in self.givens(s):
                if node in found and not same(found[node], table):
                    found.clear()
                found[node] = table
        memo["so far"] = len(self.before), found
        return found

    def givens(self, s: Statement) -> list[tuple[Any, Table]]:
        """The names that a statement gives a number, at no step but one told by number."""
        memo = self.page.memos["givens"]
        if s.number not in memo:
            general = {self.page.symbols.letter, "t", "T"}
            memo[s.number] = [
                (node, table) for node, table in givens(s) if not any(w in general for n in walk(node) if kind(n) == "Name" for x in n.subs for w in letters(x))
            ]
        return memo[s.number]  # type: ignore[no-any-return]

    def rules(self, node: Any) -> list[tuple[Any, bool]]:
        """The formulas that equations of the document have for a name, those at its own step first, then the nearest before; whether they are proved."""
        own: list[tuple[Any, bool]] = []
        general: list[tuple[Any, bool]] = []
        for s in self.equations.get(heads(node), []):
            if s.number >= self.link.statement.number or not self.trusted(s):
                continue
            if unwrapped(s.node.sides[0]) == node:
                own.append((s.node.sides[1], self.settled(s)))
            else:
                found = (self.stepped(s, step) for step in steps_of(node))
                general += [(right, self.settled(s)) for left, right in found if left == node][:1]
        return own + general

    def stepped(self, s: Statement, step: int) -> tuple[Any, Any]:
        """The two sides of an equation at a step told by number."""
        memo = self.page.memos["at step"]
        if (s.number, step) not in memo:
            left, right = (at_step(side, self.page.symbols.letter, step) for side in s.node.sides[:2])
            memo[s.number, step] = unwrapped(left), right
        return memo[s.number, step]  # type: ignore[no-any-return]

    @property
    def equations(self) -> dict[tuple[str, ...], list[Statement]]:
        """The equations of the document by the letters on the left, the last first; a number that was computed, maybe from others, is none."""
        memo = self.page.memos["equations"]
        if not memo:
            for s in reversed(self.court.statements):
                if kind(s.node) == "Relation" and s.node.signs[0] in EQUAL - {"+="} and named(s.node.sides[1]):
                    memo.setdefault(heads(s.node.sides[0]), []).append(s)
        return memo

    def trusted(self, s: Statement) -> bool:
        """Whether an equation is a definition, or proved; what the document calls a name that is no gradient is its own to say."""
        left = unwrapped(s.node.sides[0])
        if self.settled(s):
            return True
        return (s.number, 0) not in self.court.wrong and kind(left) == "Name" and not derived(s.node) and not of_a_gradient(self.page, left)

    def settled(self, s: Statement) -> bool:
        """Whether an equation defines something of the cell, or is proved."""
        return (s.number, 0) in self.court.collected.defining or (s.number, 0) in self.court.right

    def coincident(self) -> bool:
        """Whether two names that were used have the same number."""
        values = [tuple(abs(n.value) for row in table for n in row) for table in self.used.values()]
        return len(set(values)) < len(values)

    def certain(self) -> bool:
        """Whether numbers that were put in may refute a claim: there are several, each the only one of its name, and nothing is said of what else holds."""
        numbers: dict[Any, list[Table]] = {}
        for s in self.court.statements:
            for node, table in self.givens(s):
                numbers.setdefault(node, []).append(table)
        changed = any(not same(tables[0], other) for node in self.used for tables in [numbers.get(node, [()])] for other in tables[1:])
        return self.sure and len(self.given) >= SEVERAL and not changed and not self.court.conditions(self.link)

    def notes(self) -> tuple[str, ...]:
        """The numbers that were put in."""
        said = [f"{latex(node)} = {figures(tuple(tuple(exact(n) for n in row) for row in table), table)}" for node, table in self.used.items()]
        return (f"with {', '.join(said)}, as the document says",) if said else ()


def nameable(node: Any) -> bool:
    """Whether a node is one that a document gives a number to: ``h_2``, ``h^{(2)}``, a derivative."""
    node = unwrapped(node)
    if kind(node) == "Power":
        label = spelled(node.exponent)
        labelled = kind(node.exponent) == "Paren" or (label is not None and not label.isdigit() and not is_top(node.exponent))
        return labelled and kind(unwrapped(node.base)) == "Name"
    if kind(node) == "Index":
        return head_and_parts(node) is not None
    if kind(node) == "Product":
        return len(node.args) == 2 and differential(*node.args)
    return kind(node) in ("Derivative", "Differential") or (kind(node) == "Name" and not node.base.isdigit())


@by_identity
def heads(node: Any) -> tuple[str, ...]:
    """The letters of a name, whatever their indices."""
    node = unwrapped(node)
    if kind(node) == "Name":
        return (str(node.base),)
    if kind(node) in ("Power", "Index"):
        return heads(node.base)
    return (kind(node), *(w for c in children(node) for w in heads(c)))


@by_identity
def named(node: Any) -> bool:
    """Whether a formula has names in it beside those of functions."""
    heads = {id(n.function) for n in walk(node) if kind(n) == "Apply"}
    return any(nameable(n) and id(n) not in heads for n in walk(node))


def givens(s: Statement) -> Iterator[tuple[Any, Table]]:
    """The names that a statement gives a number, each with it: the last number of a chain."""
    node = s.node
    if kind(node) != "Relation" or not set(node.signs) <= {"=", "==", NEARLY, ":="}:
        return
    table = listed(node.sides[-1])
    first = unwrapped(node.sides[0])
    if table is None:
        return
    if kind(first) == "Stack" and len(node.sides) == 2 and all(nameable(a) for a in first.args) and len(table) == 1 and len(table[0]) == len(first.args):
        yield from ((unwrapped(a), ((n,),)) for a, n in zip(first.args, table[0], strict=True))
    elif nameable(first):
        yield first, table


def listed(node: Any) -> Table | None:
    """The numbers of a side that is nothing but a number, or a bracket of numbers."""
    node = unwrapped(node)
    single = written(node)
    if single is not None:
        return ((single,),)
    if kind(node) != "Stack":
        return None
    parts = [listed(a) for a in node.args]
    if any(p is None for p in parts):
        return None
    found = [p for p in parts if p is not None]
    if not node.vertical:
        return (tuple(n for p in found for n in p[0]),) if all(len(p) == 1 for p in found) else None
    return tuple(row for p in found for row in p) if len({len(p[0]) for p in found}) == 1 else None


def same(a: Table, b: Table) -> bool:
    """Whether one table is the other, to the digits that both have."""
    pairs = zip((n for row in a for n in row), (n for row in b for n in row), strict=False)
    return len(a) == len(b) and all(abs(x.value - y.value) <= max(x.unit, y.unit) for x, y in pairs)


def steps_of(node: Any) -> list[int]:
    """The numbers that stand as indices in a name."""
    found = [int(n.text) for n in walk(node) if kind(n) == "Number" and n.text.isdigit()]
    return sorted({*found, *(n + 1 for n in found)})


def figures(value: Rows, like: Table | None) -> str:
    """A value to one digit more than the number that it is held against."""
    units = [n.unit for row in like or () for n in row]
    shown = [[decimal((x[0] + x[1]) / 2, units) for x in row] for row in value]
    if shape(value) == (1, 1):
        return shown[0][0]
    return "[" + "; ".join(", ".join(row) for row in shown) + "]"


def decimal(x: Fraction, units: list[Fraction]) -> str:
    unit = min(units) / 10 if units else Fraction(1, 10**6)
    places = max(0, len(str(unit.denominator)) - 1)
    text = f"{Decimal(round(x * 10**places)).scaleb(-places):f}" if places <= PLACES else f"{float(x):.3g}"
    return text.rstrip("0").rstrip(".") if "." in text else text
