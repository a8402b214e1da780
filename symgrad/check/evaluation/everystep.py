r"""Claims with Σ, Π or a free lag: proved for every t by induction on the recursion (`symgrad.decide.induction`), or said to be tried up to some t.

The cell may be anything whose only state is one vector h: then ∂h_t/∂h_{t-1} and ∂⁺h_t/∂θ are all that a claim of this kind depends on.
A loss or an output that looks at h_t alone enters by its gradient ∂L_t/∂h_t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check import limits
from symgrad.check.defined.page import Page, plain
from symgrad.check.evaluation.decide import Decider
from symgrad.check.evaluation.gradients import loss_steps
from symgrad.check.evaluation.sums import at
from symgrad.check.reading.symbols import head_and_parts, is_top, letters, number_at, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.worlds.field import WORLDS, Redraw
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.values import Misfit, Value, Valueless
from symgrad.check.worlds.world import Missing, OutOfTime, Unsupported
from symgrad.errors import SymgradError
from symgrad.notation.syntax import Big, Derivative, Name, Negative, Number, Power, Product, Relation, Sum
from symgrad.notation.text import text

if TYPE_CHECKING:
    from symgrad.decide.induction import Induction
ANY = frozenset({"theta", "Theta", "vartheta"})  # any parameter
PRODUCTS = frozenset({"cdot", "times", "ast", "at", "*", "·", ""})
SIGNS = {"partial": "partial", "d": "d", "partial+": "partial+", "+": "partial+"}
T, LAG, H, LOSS = "t", "k", "h", "L"
FRESH = ("i", "j", "u", "r", "q")  # for indices of sums


def spans_time(page: Page, *sides: Any) -> bool:
    """Whether a claim speaks of a number of steps that is not fixed: a sum or product over steps, dots, a lag k, a power with a letter."""
    for side in sides:
        for n in walk(side):
            if kind(n) == "Ellipsis" or (kind(n) == "Big" and not counts_components(page, n)):
                return True
            if kind(n) == "Power" and not is_top(n.exponent) and page.symbols.ref(n) is None and any(letters(n.exponent)) and not exponential(page, n):
                return True
            if kind(n) == "Derivative":
                refs = [page.symbols.ref(unwrapped(x)) for x in (n.of, n.wrt)]
                above, below = (set(letters(r.step)) if r is not None and r.step is not None else set() for r in refs)
                if above and below and above != below:
                    return True
    return False


def exponential(page: Page, power: Any) -> bool:
    """Whether a power is the exponential of a quantity or of a variable."""
    return spelled(power.base) == "e" and any(page.symbols.ref(n) or spelled(n) in page.variables for n in walk(power.exponent))


def counts_components(page: Page, big: Any) -> bool:
    """Whether a sum runs over components."""
    name = spelled(big.index) if big.index is not None else None
    return name is not None and any((r := page.symbols.ref(n)) is not None and any(name in letters(e) for e in r.entries) for n in walk(big.body))


class Unreadable(SymgradError):
    """A claim outside of what the induction covers."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the induction says, with the document's letter for the number that it runs over."""

    induction: Induction | None  # None: not tried, as another layout or a condition is outside of it
    letter: str = T


def found(page: Page, left: Any, right: Any, chooser: Chooser | None = None) -> Found:
    """The claim decided for every step; not, where it is outside of what the induction covers."""
    memo = page.memos["found"]
    tags = chooser.tags if chooser is not None else set()
    key = (id(left), id(right), "immediate" in tags)
    if key not in memo:
        memo[key] = (left, right, _found(page, left, right, tags))
    return memo[key][2]  # type: ignore[no-any-return]


def _found(page: Page, left: Any, right: Any, tags: set[str]) -> Found:
    if "denominator" in tags or page.fixed:
        return Found(None)
    last: Induction | None = None
    refuted: Found | None = None
    for absolute in (False, True):
        try:
            reader = _Reader(page, absolute)
            claim = reader.claim(left, right)
            if absolute and LAG not in reader.names.values():
                break
            with limits.apart():
                from symgrad.decide.induction import for_every_step
            last = for_every_step(claim, state=H, constant=reader.constant(), partial="immediate" if "immediate" in tags else "total")
        except (SymgradError, Valueless, ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return Found(None)
        if last.status == "proved":
            return Found(last)
        if last.status == "refuted" and refuted is None:
            refuted = Found(last, next((word for word, meant in reader.names.items() if meant == last.variable), T))
    return refuted or Found(last)


def note(page: Page, left: Any, right: Any, chooser: Chooser, lenient: bool, earlier: tuple[Any, ...] = ()) -> str:
    """For how many steps a claim that holds was proved; with dots on its left side, those of an earlier side of the chain without any."""
    left = next((side for side in (left, *earlier[::-1]) if not any(kind(n) == "Ellipsis" for n in walk(side))), left)
    if by_uses(page, left, right, chooser, lenient):
        return "proved for every number of steps: each term is the gradient through the parameter's use at its step"
    if found(page, left, right, chooser).induction:
        return f"proved for every number of steps, by induction on the recursion of {plain(state_of(page))}"
    return f"tried at all steps up to {page.world.steps}, not proved by induction for more"


def by_uses(page: Page, left: Any, right: Any, chooser: Chooser, lenient: bool) -> bool:
    r"""Whether in ``∂L/∂W = Σ_t δ_t x_t^\top`` the term of every step is the gradient through the use of W there: the sum of all is ∂L/∂W."""
    total, whole = unwrapped(left), unwrapped(right)
    if kind(total) != "Derivative" or kind(whole) != "Big" or whole.kind != "sum" or page.fixed:
        return False
    index, lower, upper = bounds(whole)
    ref = page.symbols.ref(unwrapped(total.wrt))
    if index is None or not open_ended(upper) or kind(unwrapped(lower)) != "Number" or unwrapped(lower).text != "1":
        return False
    if ref is None or ref.key in page.symbols.timed or ref.entries:
        return False
    try:
        decider, world = Decider(page), page.world
        for k in range(1, world.steps + 1):
            run = decider.run(world, chooser, {"T": world.steps}, "right", False, lenient, set())
            losses = loss_steps(run, total.of)
            if losses != tuple(range(1, world.steps + 1)):
                return False
            use = Value(world.adjoint((ref.key, None), losses, "use", k).reshape(WORLDS, *world.model.dims[ref.key]))
            if not decider.compare(chooser, use, at(run, index, k, whole.body))[0]:
                return False
    except (Missing, Unsupported, OutOfTime, Misfit, Redraw, ValueError, IndexError, KeyError):
        return False
    return True


def failure(page: Page, left: Any, right: Any, chooser: Chooser | None) -> str:
    """At which step a claim fails first, and by which terms."""
    told = found(page, left, right, chooser)
    result = told.induction
    if result is None or result.status != "refuted" or result.fails_at is None or result.variable != T:
        return ""  # with a lag the sides may differ in their form alone
    state = plain(state_of(page))
    terms = (("missing", result.missing), ("extra", result.extra))
    parts = [f"{', '.join(text(n).replace(H + '_', state + '_') for n in nodes)} {word}" for word, nodes in terms if nodes]
    return f"it fails first at {told.letter} = {result.fails_at}" + (f": {' and '.join(parts)}" if parts else "")


def bounds(big: Any) -> tuple[str | None, Any, Any]:
    r"""The index of a sum and its ends, of ``\sum_{k=1}^{t}`` in both of the ways it is read."""
    bound: Any = unwrapped(big.lower) if big.lower is not None else None
    index, lower = big.index, big.lower
    if kind(bound) == "Relation":
        if bound.signs != ("=",):
            return None, None, None
        index, lower = (index or bound.sides[0]), bound.sides[1]
    return (spelled(index) if index is not None else None), lower, big.upper


def open_ended(upper: Any) -> bool:
    """Whether a sum goes to the last step, that no number tells."""
    return upper is None or kind(unwrapped(upper)) == "Name"


def state_of(page: Page) -> str:
    """The one state, or the name that all states together have."""
    states = {key for key in page.lagged if key in page.definitions}
    if page.borrowed or not states:
        raise Unreadable("a cell that the document does not define")
    if len(states) == 1:
        return next(iter(states))
    together = next((key for key, parts in page.world.model.stacks.items() if states <= set(parts)), None)
    if together is None:
        raise Unreadable("a cell with several states")
    return together


class _Reader:
    """A claim in the names of the induction: state h, step t, lag k, loss L."""

    def __init__(self, page: Page, absolute: bool = False) -> None:
        self.page, self.absolute = page, absolute  # whether the second letter is a step itself, not a lag
        self.states = {key for key in page.lagged if key in page.definitions}
        self.state = state_of(page)
        self.inner = self._inner()
        self.outer = {key for key in page.definitions if key not in self.inner and key != self.state}
        self.names: dict[str, str] = {}  # free letters → t, k
        self.bound: list[tuple[str, str]] = []
        self.parameters: dict[str, Name] = {}
        self.powers: set[str] = set()

    def _inner(self) -> set[str]:
        """The quantities that the state of a step is computed from in that step; the recursion is that of one state, a step at a time."""
        seen: set[str] = set()
        todo = list(self.states)
        while todo:
            key = todo.pop()
            if key in seen or key not in self.page.definitions:
                continue
            seen.add(key)
            for ref, lag in self.page.references(self.page.definitions[key]):
                if lag not in (0, -1) or (lag == -1 and ref.key in self.page.definitions and ref.key not in self.states):
                    raise Unreadable("a recursion over more than one step")
                if lag == 0:
                    todo.append(ref.key)
        return seen

    def constant(self) -> str | None:
        """The weight that every ∂h_t/∂h_{t-1} equals, if the claim has a power of it."""
        world = self.page.world
        for key in self.powers:
            weight = world.value(key, None).a
            if self.state not in self.states:
                return None
            same = [np.array_equal(world.derivative((self.state, t), (self.state, t - 1)), weight) for t in range(2, world.steps + 1)]
            if all(same):
                return text(self.parameters[key])
        return None

    def claim(self, left: Any, right: Any) -> Relation:
        r"""The equation; of ``∂L/∂θ = Σ_t …``, with the loss of all steps, the terms: ∂L_t/∂θ and what stands under the sum."""
        total, whole = unwrapped(left), unwrapped(right)
        if kind(total) == "Derivative" and kind(whole) == "Big" and whole.kind == "sum" and self.everything(total.of):
            index, lower, upper = bounds(whole)
            ref = self.page.symbols.ref(unwrapped(total.wrt))
            if index is None or not open_ended(upper) or kind(unwrapped(lower)) != "Number" or lower.text not in ("0", "1"):
                raise Unreadable("a sum with these ends")
            if ref is None or ref.key in self.page.symbols.timed:
                raise Unreadable("a sum like this")
            self.names[index] = T
            self.looking()
            self.inside(ref.key)
            return Relation((Derivative(Name(LOSS, (), (Name(T),)), self.weight(ref)), self.read(whole.body)), ("=",))
        return Relation((self.read(left), self.read(right)), ("=",))

    def everything(self, of: Any) -> bool:
        """Whether a symbol stands for the loss of all steps."""
        split = head_and_parts(unwrapped(of))
        return split is not None and spelled(split[0]) in self.page.total_losses | self.page.step_losses and not split[1]

    def read(self, node: Any) -> Any:
        """The node in the syntax of the induction."""
        node = unwrapped(node)
        match kind(node):
            case "Number":
                return node
            case "Sum":
                return Sum(tuple(map(self.read, node.args)))
            case "Negative":
                return Negative(self.read(node.arg))
            case "Product":
                return self.product(node.args)
            case "Infix" if node.sign in PRODUCTS:
                return self.product(node.args)
            case "Big":
                return self.big(node)
            case "Derivative":
                return self.derivative(node)
            case "Power" if not is_top(node.exponent) and self.page.symbols.ref(node) is None:
                ref = self.page.symbols.ref(unwrapped(node.base))
                if ref is None:
                    raise Unreadable("a power of this")
                self.powers.add(ref.key)
                return Power(self.weight(ref), self.step(node.exponent))
            case "Name" if node.base in ("I", "1") and not node.subs:
                return Number("1")
        ref = self.page.symbols.ref(node)
        if ref is not None and ref.key not in self.page.symbols.timed and not ref.entries:
            return self.weight(ref)
        raise Unreadable(f"a {kind(node)}")

    def weight(self, ref: Any) -> Name:
        """A parameter as a name."""
        if ref.key in self.page.symbols.timed or ref.entries:
            raise Unreadable("a quantity of a step")
        with limits.apart():
            from symgrad.notation.names import identifier
        return self.parameters.setdefault(ref.key, identifier(plain(ref.key)) if plain(ref.key).isascii() else Name(f"P{len(self.parameters)}"))

    def product(self, args: tuple[Any, ...]) -> Any:
        """Factors; ∂L_t/∂y_t ∂y_t/∂h_t is ∂L_t/∂h_t where the loss looks at y_t alone."""
        factors = [unwrapped(a) for a in args]
        out: list[Any] = []
        k = 0
        while k < len(factors):
            a = factors[k]
            while k + 1 < len(factors) and kind(a) == kind(factors[k + 1]) == "Derivative" and self.through(a, factors[k + 1]):
                a = replace(a, wrt=factors[k + 1].wrt)
                k += 1
            out.append(self.read(a))
            k += 1
        return out[0] if len(out) == 1 else Product(tuple(out))

    def through(self, first: Any, second: Any) -> bool:
        """Whether ``∂L/∂y ∂y/∂h`` leads through a quantity behind which nothing else of the loss lies."""
        y, of = self.page.symbols.ref(unwrapped(first.wrt)), self.page.symbols.ref(unwrapped(second.of))
        if y is None or of is None or y.key != of.key or y.key not in self.outer or y.entries or of.entries:
            return False
        ends = {key for key in self.outer if not any(r.key == key for other in self.outer for r, _ in self.page.references(self.page.definitions[other]))}
        return self.page.canon(unwrapped(first.wrt)) == self.page.canon(unwrapped(second.of)) and (ends == {y.key} or self._alone(y.key, ends))

    def _alone(self, key: str, ends: set[str]) -> bool:
        """Whether everything behind the state leads through a quantity."""
        return len(ends) == 1 and all(
            r.key in {key} | self.outer for e in self.outer - {key} for r, _ in self.page.references(self.page.definitions[e]) if r.key in self.page.definitions
        )  # fmt: skip

    def derivative(self, node: Any) -> Any:
        sign = SIGNS.get(node.sign)
        if sign is None or node.order != 1:
            raise Unreadable("a derivative of this kind")
        of, wrt = self.above(unwrapped(node.of)), self.page.symbols.ref(unwrapped(node.wrt))
        if wrt is None and kind(unwrapped(node.wrt)) == "Name" and unwrapped(node.wrt).base in ANY and not unwrapped(node.wrt).subs:
            return Derivative(of, Name("theta"), sign)
        if wrt is None or wrt.entries:
            raise Unreadable("a derivative by this")
        if wrt.key not in self.page.symbols.timed:
            self.inside(wrt.key)
            return Derivative(of, self.weight(wrt), sign)
        if wrt.key != self.state:
            raise Unreadable("a derivative by another quantity than the state")
        return Derivative(of, Name(H, (), (self.step(wrt.step),)), sign)

    def above(self, of: Any) -> Any:
        """The state, or the loss or output of a step."""
        ref = self.page.symbols.ref(of)
        if ref is not None and ref.key == self.state and not ref.entries:
            return Name(H, (), (self.step(ref.step),))
        if ref is not None and ref.key in self.outer and ref.step is not None and not ref.entries:
            self.looking()
            return Name(LOSS, (), (self.step(ref.step),))
        split = head_and_parts(of)
        if split is not None and spelled(split[0]) in self.page.step_losses and len(split[1]) == 1:
            self.looking()
            return Name(LOSS, (), (self.step(split[1][0].node),))
        raise Unreadable("the derivative of this")

    def looking(self) -> None:
        """What comes behind the state may look at the state of its own step alone."""
        for key in self.outer:
            for ref, lag in self.page.references(self.page.definitions[key]):
                if lag != 0 or (ref.key in self.inner and ref.key not in self.states):
                    raise Unreadable("an output that looks at more than the state")

    def inside(self, key: str) -> None:
        """The parameter takes part in the recursion alone."""
        if any((r := self.page.symbols.ref(n)) is not None and r.key == key for o in self.outer for n in walk(self.page.definitions[o].node)):
            raise Unreadable("a parameter outside of the recursion")

    def big(self, node: Any) -> Any:
        name, lower, upper = bounds(node)
        if name is None or lower is None or upper is None:
            raise Unreadable("a sum without bounds")
        ends = self.step(lower), self.step(upper)
        fresh = FRESH[len(self.bound)]
        self.bound.append((name, fresh))
        try:
            return Big(node.kind, Name(fresh), *ends, self.read(node.body))
        finally:
            self.bound.pop()

    def step(self, node: Any) -> Any:
        """An index expression: the steps' letter is t; another free letter k is the lag t - k."""
        node = unwrapped(node) if node is not None else Name(self.page.symbols.letter)
        if kind(node) == "Number" and number_at(node, {}) is not None:
            return node
        if kind(node) == "Sum":
            return Sum(tuple(map(self.step, node.args)))
        if kind(node) == "Negative":
            return Negative(self.step(node.arg))
        word = spelled(node) if kind(node) == "Name" else None
        if word is None:
            raise Unreadable("this step")
        for name, fresh in reversed(self.bound):
            if name == word:
                return Name(fresh)
        if not self.names:
            self.names[word] = T
        elif word not in self.names and len(self.names) < 2:
            self.names[word] = LAG
        if word not in self.names:
            raise Unreadable("more than two free steps")
        if self.absolute and self.names[word] == LAG:
            return Sum((Name(T), Negative(Name(LAG))))
        return Name(self.names[word])


__all__ = ["failure", "note", "spans_time"]
