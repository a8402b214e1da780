r"""Statements with Σ and Π over time, decided for every t by induction on the recursion, or refuted at the smallest t.

What a statement may speak of: J_t = ∂h_t/∂h_{t-1}, D_t = dh_t/dθ with D_0 = 0 and D_t = J_t D_{t-1} + P_t, the immediate P_t = ∂⁺h_t/∂θ,
∂h_t/∂h_s with ∂h_s/∂h_s = I and ∂h_t/∂h_s = J_t ∂h_{t-1}/∂h_s, and ∂L_t/∂h_t, which is free, so that ∂L_t/∂θ = ∂L_t/∂h_t D_t.
All J_t and P_t are independent matrices, so what is proved holds for every cell with one state vector.  Products over time have the latest factor leftmost.

The step: both sides at t are unrolled once, so that they speak of t - 1; there the hypothesis is put in.  Base and step are
equalities of sums of matrix products, and `equal.decide` decides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sympy as sp

from symgrad.decide.equal import Sides, decide
from symgrad.decide.sequences import Letter, Poly, S, Scope, Unreadable, added, expand, levelled, linear, simplified, stepped, substituted
from symgrad.decide.statements import allowed, letters_of, rendered, shown, word_node
from symgrad.decide.verdict import Verdict
from symgrad.decide.world import World
from symgrad.language.tensor import IDENTITY, Factor, Tensor, Term, tensor
from symgrad.notation.reading.parse import parse
from symgrad.notation.syntax import Node, Relation

Status = Literal["proved", "refuted", "undecided"]
HORIZON = 6  # steps tried for a counterexample when the step fails


@dataclass(frozen=True)
class Induction:
    """A verdict for all steps: `variable` runs from `start`; refuted at `fails_at`, where terms are `missing` or `extra`."""

    status: Status
    variable: str
    start: int
    base: Verdict | None = None
    step: Verdict | None = None
    fails_at: int | None = None
    missing: tuple[Node, ...] = ()
    extra: tuple[Node, ...] = ()
    reason: str = ""

    def __bool__(self) -> bool:
        return self.status == "proved"

    def __str__(self) -> str:
        if self.status == "proved":
            return f"proved for every {self.variable} >= {self.start} (induction; base: {self.base}; step: {self.step})"
        if self.status == "refuted":
            lines = ["refuted" if self.fails_at is None else f"refuted at {self.variable} = {self.fails_at}"]
            lines += [f"  missing: {shown(n)}" for n in self.missing] + [f"  extra: {shown(n)}" for n in self.extra]
            return "\n".join([*lines, *([f"  {self.reason}"] if self.reason else [])])
        return f"undecided: {self.reason}"


def for_every_step(statement: Relation | str, *, state: str = "h", constant: str | None = None, partial: str = "total", start: int = 1) -> Induction:
    r"""Whether an equation holds for every t ≥ `start` (and, where a lag k stands in it, every k).

    `state` is the letter of the state; `constant` the name of the matrix that every J_t equals (a linear network); `partial` says
    how ``\partial h_k/\partial\theta`` is read: "total", or "immediate" as if it were written ∂⁺.

    >>> print(for_every_step(r"\frac{dh_t}{d\theta} = \frac{\partial h_t}{\partial h_{t-1}} \frac{dh_{t-1}}{d\theta}"))
    refuted at t = 1
      missing: ∂⁺h_1/∂θ
    """
    relation = parse(statement) if isinstance(statement, str) else statement
    if not isinstance(relation, Relation) or set(relation.signs) != {"="}:
        return Induction("undecided", "t", start, reason="the statement is no equation")
    try:
        found = [_Claim(a, b, state, constant, partial).decided(start) for a, b in zip(relation.sides, relation.sides[1:], strict=False)]
    except Unreadable as e:
        return Induction("undecided", "t", start, reason=str(e))
    return next((f for f in found if f.status != "proved"), found[0])


class _Claim:
    """One equation between two expressions over time."""

    def __init__(self, left: Node, right: Node, state: str, constant: str | None, partial: str) -> None:
        self.left, self.right = left, right
        self.reading, self.constant = (state, partial), constant
        letters = letters_of(left, state) | letters_of(right, state)
        lags = sorted(letters - {"t"})
        if len(lags) > 1:
            raise Unreadable(f"more than one lag: {', '.join(lags)}")
        # with a lag k, t = s + k for a fixed s: the induction is on k
        self.variable = lags[0] if lags else "t"
        self.n = sp.Symbol(self.variable)
        self.t: sp.Expr = S + self.n if lags and "t" in letters else self.n

    def sides(self, n: sp.Expr) -> tuple[Poly, Poly]:
        """Both sides at n, with what is common on the left of all terms left out: a free ∂L_t/∂h_t is arbitrary."""
        times = {"t": self.t.subs(self.n, n), self.variable: n}
        left, right = (linear(rendered(side, times, *self.reading), self.constant) for side in (self.left, self.right))
        words = [w for p in (left, right) for w in p]
        if words and all(w and w[0][0] == "λ" and w[0] == words[0][0] for w in words):
            left, right = ({w[1:]: c for w, c in p.items()} for p in (left, right))
        return left, right

    def decided(self, start: int) -> Induction:
        """Base, step, and if one fails the smallest n that refutes."""
        base = self.at(start)
        if base.status != "proved":
            return self.refuted(start, start)
        try:
            step = self.step(start)
        except Unreadable as e:
            step = Verdict("undecided", "none", reason=str(e))
        if step.status == "proved":
            return Induction("proved", self.variable, start, base, step)
        for n in range(start + 1, start + HORIZON):
            if self.at(n).status == "refuted":
                return self.refuted(n, start)
        tried = f"{self.variable} = {start}, …, {start + HORIZON - 1}"
        return Induction("undecided", self.variable, start, base, step, reason=step.reason or f"the step is not proved, and {tried} do not refute it")

    def at(self, n: int) -> Verdict:
        return _decided(*self.written_out(n))

    def written_out(self, n: int) -> tuple[Poly, Poly]:
        """Both sides at a known n, without Σ, Π and D."""
        left, right = (linear(expand(p), self.constant) for p in self.sides(sp.Integer(n)))
        return left, right

    def refuted(self, n: int, start: int) -> Induction:
        """The terms by which the sides differ at n."""
        left, right = self.written_out(n)
        difference = added(left, right, -1)
        missing = tuple(word_node(w, c, self.reading[0]) for w, c in difference.items() if c > 0)
        extra = tuple(word_node(w, -c, self.reading[0]) for w, c in difference.items() if c < 0)
        return Induction("refuted", self.variable, start, fails_at=n, missing=missing, extra=extra)

    def step(self, start: int) -> Verdict:
        """n - 1 → n: both sides unrolled once, the hypothesis put in."""
        scope = Scope(self.t, self.n, start + 1)
        left, right = (linear(stepped(p, scope), self.constant) for p in self.sides(self.n))
        before_left, before_right = self.sides(self.n - 1)
        rule: Mapping[Letter, Poly] = {}
        for one, other in ((before_left, before_right), (before_right, before_left)):
            if len(one) == 1 and (word := next(iter(one))) and len(word) == 1 and one[word] == 1:
                rule = {word[0]: other}
                break
        left, right = (linear(simplified(substituted(p, rule)), self.constant) for p in (left, right))
        return _decided(*levelled(left, right, self.t))


def _decided(left: Poly, right: Poly) -> Verdict:
    """Equality of sums of products of independent matrices."""
    letters = list(dict.fromkeys(a for p in (left, right) for w in p for a in w))
    names = {a: sp.Symbol(f"M{k}") for k, a in enumerate(letters)}
    n, p = sp.symbols("n p", integer=True, positive=True)
    shapes = {names[a]: (n,) if a[0] == "λ" else (n, p) if a[0] in ("P", "D") or (a[0] == "Σ" and a[3][-1][0] in ("P", "D")) else (n, n) for a in letters}

    def as_tensor(poly: Poly) -> Tensor:
        words = [*left, *right]
        row = bool(words) and bool(words[0]) and words[0][0][0] == "λ"
        wide = any(shapes[names[w[-1]]][-1] == p for w in words if w)
        dims = (() if row else (n,)) + ((p if wide else n),)
        return tensor(dims, [Term(sp.Rational(c), _chain(w, names, row)) for w, c in poly.items()])

    if not left and not right:
        return Verdict("proved", "both sides are 0")
    verdict, _ = decide(Sides(World(shapes), as_tensor(left), as_tensor(right)), witness=False)
    return verdict


def _chain(word: tuple[Letter, ...], names: Mapping[Letter, sp.Symbol], row: bool) -> tuple[Factor, ...]:
    """A B C as factors [0,2] [2,3] [3,1]; after a row vector only the last index is free."""
    if not word:
        return (Factor(IDENTITY, (0, 1)),)
    matrices = word[1:] if row else word
    last = 0 if row else 1
    if row and not matrices:
        return (Factor(names[word[0]], (0,)),)
    inner = [last + 1 + k for k in range(len(matrices))]
    ends = [inner[0] if row else 0, *inner[1:], last] if row else [0, *inner[: len(matrices) - 1], last]
    factors = [Factor(names[a], (ends[k], ends[k + 1])) for k, a in enumerate(matrices)]
    return (Factor(names[word[0]], (ends[0],)), *factors) if row else tuple(factors)


def power_limit(condition: Relation | str) -> Induction:
    """Whether W^k → 0 for every number W with this condition, such as ``W < 1`` or ``|W| < 1``.

    |W|^k ≤ q^k for |W| ≤ q < 1, and q^k = q q^{k-1} falls to 0; where |W| ≥ 1 is allowed, that W refutes it.

    >>> print(power_limit("W < 1"))
    refuted
      W = -2 satisfies the condition, and |W^k| = 2^k does not go to 0
    >>> power_limit("|W| < 1").status
    'proved'
    """
    relation = parse(condition) if isinstance(condition, str) else condition
    region = allowed(relation)
    inside = sp.Interval.open(-1, 1)
    if region.is_subset(inside):
        size = Verdict("proved", "|W| < 1, so |W|^k = |W| |W|^(k-1) falls to 0")
        return Induction("proved", "k", 1, size, size)
    for value in (-2, 2, -1, 1, *(sp.Rational(k, 2) for k in range(-40, 41))):
        if abs(value) >= 1 and region.contains(value) is sp.true:
            grows = f"= {abs(value)}^k does not go to 0" if abs(value) > 1 else "= 1 for every k"
            return Induction("refuted", "k", 1, reason=f"W = {value} satisfies the condition, and |W^k| {grows}")
    return Induction("undecided", "k", 1, reason="no number was found that satisfies the condition and refutes the limit")
