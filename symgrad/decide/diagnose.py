"""What is wrong with a claim: which of its terms are missing, extra or altered.

Both sides are written as sums of terms, sums between matrices multiplied out and pointwise factors left as they stand.  Terms are compared
in groups of one *skeleton*: the matrices and how they are connected, whatever vectors stand between them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import sympy as sp

from symgrad.decide.limits import Exhausted, Stopped
from symgrad.decide.monomials import DELTA, Monomial, canonical
from symgrad.decide.normal import Normal
from symgrad.decide.polynomials import Key, Polynomial, accumulate, frozen, scaled
from symgrad.decide.verdict import Change, Expression
from symgrad.language.program import Program
from symgrad.language.tensor import Factor, Tensor, Term, added, tensor

MOST = 200  # terms of one side


@dataclass(frozen=True)
class Diagnosis:
    """Terms of the true value that the claim lacks, terms of the claim that do not belong, and pairs of both."""

    missing: tuple[Expression, ...] = ()
    extra: tuple[Expression, ...] = ()
    altered: tuple[Change, ...] = ()


@dataclass
class _Block:
    """One term with its normal form."""

    tensor: Tensor
    value: Polynomial

    @property
    def names(self) -> Counter[str]:
        """How often every matrix occurs, for pairing terms that have the same factors in another order."""
        m = next(iter(self.value), ())
        return Counter({n: int(e) for n, at, e in m if len(at) > 1 and n != DELTA})


def diagnose(normal: Normal, program: Program, expected: Tensor, claimed: Tensor) -> Diagnosis:
    """The terms in which the claim differs; nothing where the normal form was too large."""
    try:
        wanted, said = ([_Block(t, normal.tensor(t)) for t in flat(side)] for side in (expected, claimed))
    except Stopped:
        return Diagnosis()
    missing: list[_Block] = []
    extra: list[_Block] = []
    altered: list[Change] = []

    def shown(blocks: list[_Block]) -> Expression:
        return Expression(program, added(blocks[0].tensor.dims, [b.tensor for b in blocks]))

    for ours, theirs in _groups(wanted, said):
        ours, theirs = _uncommon(ours, theirs)
        if not _differ(ours, theirs):
            continue
        if ours and theirs:
            altered.append(Change(shown(theirs), shown(ours), _kind(ours, theirs)))
        missing += ours if not theirs else []
        extra += theirs if not ours else []
    for block in list(extra):
        partner = next((m for m in missing if m.names == block.names and block.names), None)
        if partner is not None:
            missing.remove(partner)
            extra.remove(block)
            altered.append(Change(shown([block]), shown([partner]), "order"))
    return Diagnosis(tuple(shown([b]) for b in missing), tuple(shown([b]) for b in extra), tuple(altered))


def flat(value: Tensor) -> list[Tensor]:
    """The terms of a tensor, sums of matrices multiplied out."""
    done: list[Term] = []
    todo = list(reversed(value.terms))
    while todo:
        term = todo.pop()
        k = next((k for k, f in enumerate(term.factors) if isinstance(f.value, Tensor)), None)
        if k is None:
            done += _summands(term) if value.rank < 2 else [term]
        else:
            f = term.factors[k]
            assert isinstance(f.value, Tensor)
            for inner in reversed(f.value.terms):
                one = Factor(Tensor(f.value.dims, (inner,)), f.indices)
                todo += tensor(value.dims, [Term(term.coefficient, (*term.factors[:k], one, *term.factors[k + 1 :]))]).terms
        if len(done) + len(todo) > MOST:
            raise Exhausted(f"more than {MOST} terms to compare")
    return [tensor(value.dims, [t]) for t in done]


def _summands(term: Term) -> list[Term]:
    """A vector that is one sum, term by term."""
    if len(term.factors) == 1 and isinstance(e := term.factors[0].value, sp.Add):
        return [Term(term.coefficient, (Factor(a, term.factors[0].indices),)) for a in e.args]
    return [term]


@dataclass
class _Group:
    """Blocks that share a skeleton."""

    skeletons: set[Monomial]
    ours: list[_Block]
    theirs: list[_Block]


def _skeleton(m: Monomial, rank: int) -> Monomial:
    return canonical((f for f in m if len(f[1]) > 1), rank)


def _groups(wanted: list[_Block], said: list[_Block]) -> list[tuple[list[_Block], list[_Block]]]:
    """Blocks of both sides that share a skeleton, in the order of the true value."""
    groups: list[_Group] = []
    for claimed, blocks in ((False, wanted), (True, said)):
        for b in blocks:
            own = {_skeleton(m, b.tensor.rank) for m in b.value}
            joined = _Group(set(own), [], [])
            apart = []
            place = len(groups)
            for k, g in enumerate(groups):
                if g.skeletons & own:
                    joined = _Group(joined.skeletons | g.skeletons, joined.ours + g.ours, joined.theirs + g.theirs)
                    place = min(place, k)
                else:
                    apart.append(g)
            (joined.theirs if claimed else joined.ours).append(b)
            apart.insert(min(place, len(apart)), joined)
            groups = apart
    return [(g.ours, g.theirs) for g in groups]


def _uncommon(ours: list[_Block], theirs: list[_Block]) -> tuple[list[_Block], list[_Block]]:
    """The blocks without those that both sides have."""
    keys: Counter[Key] = Counter(frozen(b.value) for b in ours) & Counter(frozen(b.value) for b in theirs)

    def rest(blocks: list[_Block]) -> list[_Block]:
        left, out = Counter(keys), []
        for b in blocks:
            if left[frozen(b.value)] > 0:
                left[frozen(b.value)] -= 1
            else:
                out.append(b)
        return out

    return rest(ours), rest(theirs)


def _sum(blocks: list[_Block]) -> Polynomial:
    total: Polynomial = {}
    for b in blocks:
        accumulate(total, b.value)
    return total


def _differ(ours: list[_Block], theirs: list[_Block]) -> bool:
    return _sum(ours) != _sum(theirs)


def _kind(ours: list[_Block], theirs: list[_Block]) -> Literal["altered", "sign"]:
    return "sign" if _sum(ours) == scaled(_sum(theirs), -1) else "altered"
