r"""Monomials in index notation, ``Π name[indices]^e``, with the summed indices named canonically.

A monomial is a graph: indices are vertices, factors are (hyper)edges with labels, the free indices 0 … rank-1 are fixed.  Two
monomials are the same exactly when some renaming of the summed indices takes one to the other.  `canonical` names them by
colour refinement; an index that refinement singles out is fixed, what is left falls into components that are named one by one, and only a
component without such an index is branched upon, every member of its first class being tried.  So equal monomials always get equal keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import count

from symgrad.decide.limits import Exhausted

Number = int | Fraction
Indices = tuple[int, ...]
Factor = tuple[str, Indices, Number]  # name, indices, exponent
Monomial = tuple[Factor, ...]

DELTA = "𝟙"  # δ[i,j]
MARK = "□"  # □n[k]: the index k runs to n; where nothing else is at k its sum is the number n, written |n|
LEAVES = 5000  # of the search for one name; only graphs with very many symmetries come near


def canonical(factors: Iterable[Factor], rank: int, idempotent: frozenset[str] | set[str] = frozenset()) -> Monomial:
    """The monomial with δ contracted, powers collected and summed indices named; equal for equal monomials."""
    listed = list(factors)
    if any(f[0] == DELTA or f[0][0] == MARK for f in listed):
        listed = contracted(listed, rank)
    if len(listed) > 1:
        powers: dict[tuple[str, Indices], Number] = {}
        for name, at, e in listed:
            powers[name, at] = powers.get((name, at), 0) + e
        listed = [(name, at, 1 if name in idempotent or name == DELTA else e) for (name, at), e in powers.items() if e != 0]
    summed = {i for _, at, _ in listed for i in at if i >= rank}
    if not summed:
        listed.sort()
        return tuple(listed)
    if len(summed) == 1:
        (only,) = summed
        names = {only: rank}
    else:
        order, _ = _Search(rank).order(listed, summed, dict(zip(range(rank), range(rank), strict=True)))
        names = {v: rank + k for k, v in enumerate(order)}
    return renamed(listed, names)


def renamed(factors: Iterable[Factor], names: Mapping[int, int]) -> Monomial:
    """The factors with their indices renamed, in order."""
    return tuple(sorted((name, tuple(names.get(i, i) for i in at), e) for name, at, e in factors))


def contracted(factors: list[Factor], rank: int) -> list[Factor]:
    """δ[i,k] X[k] is X[i]; only δ between free indices stays, and then what stands at one of them stands at the smallest."""
    parent: dict[int, int] = {}

    def find(i: int) -> int:
        while i in parent:
            i = parent[i]
        return i

    for name, at, _ in factors:
        if name == DELTA:
            a, b = sorted(map(find, at))
            if a != b:
                parent[b] = a  # the smaller one, hence a free one if there is any
    kept = [(name, tuple(map(find, at)), e) for name, at, e in factors if name != DELTA]
    marked = {at[0]: name[1:] for name, at, _ in kept if name[0] == MARK and at[0] >= rank}
    kept = [f for f in kept if f[0][0] != MARK]
    touched = {i for _, at, _ in kept for i in at}
    kept += [(f"|{size}|", (), 1) for i, size in marked.items() if i not in touched]
    return kept + [(DELTA, (find(i), i), 1) for i in range(rank) if find(i) != i]


class _Search:
    """One search for canonical names, with a count of the leaves it has seen."""

    def __init__(self, rank: int) -> None:
        self.rank, self.leaves = rank, count()

    def order(self, factors: list[Factor], vertices: set[int], fixed: dict[int, int]) -> tuple[list[int], str]:
        """The vertices in canonical order, and a key that is equal for equal graphs; `fixed` ones have their labels."""
        if not vertices:
            return [], ""
        found = sorted((self._component(part, own, fixed) for part, own in components(factors, vertices)), key=lambda r: r[1])
        return [v for order, _ in found for v in order], "(" + "|".join(key for _, key in found) + ")"

    def _component(self, factors: list[Factor], vertices: set[int], fixed: dict[int, int]) -> tuple[list[int], str]:
        base = len(fixed)
        if len(vertices) == 1:
            (only,) = vertices
            return [only], repr(renamed(factors, {**fixed, only: base}))
        cells = _refined(factors, vertices, fixed)
        single = [cell[0] for cell in cells if len(cell) == 1]
        if single:
            return self._fix(factors, vertices, fixed, single)
        return min((self._fix(factors, vertices, fixed, [v]) for v in min(cells, key=len)), key=lambda r: r[1])

    def _fix(self, factors: list[Factor], vertices: set[int], fixed: dict[int, int], chosen: list[int]) -> tuple[list[int], str]:
        """Label the chosen vertices and name the rest; factors between labelled vertices are part of the key."""
        if next(self.leaves) > LEAVES:
            raise Exhausted("a term has too many symmetries")
        labels = {**fixed, **{v: len(fixed) + k for k, v in enumerate(chosen)}}
        rest = vertices - set(chosen)
        done = [f for f in factors if not rest.intersection(f[1])]
        order, key = self.order([f for f in factors if rest.intersection(f[1])], rest, labels)
        return chosen + order, repr(renamed(done, labels)) + key


def components(factors: list[Factor], vertices: set[int]) -> list[tuple[list[Factor], set[int]]]:
    """The factors that touch a vertex, in connected pieces."""
    pieces: list[tuple[list[Factor], set[int]]] = []
    for f in factors:
        own = vertices.intersection(f[1])
        if own:
            joined, apart = [f], []
            for part, vs in pieces:
                if vs & own:
                    joined += part
                    own |= vs
                else:
                    apart.append((part, vs))
            pieces = [*apart, (joined, own)]
    return pieces


def _refined(factors: list[Factor], vertices: set[int], fixed: dict[int, int]) -> list[list[int]]:
    """Classes of vertices that no invariant tells apart, in an order that the graph alone determines."""
    colour = dict.fromkeys(vertices, -1) | fixed
    shift = len(fixed)
    classes = 1
    while True:
        seen: dict[int, list[str]] = {v: [] for v in vertices}
        for name, at, e in factors:
            for v in set(at) & vertices:
                seen[v].append(repr((name, e, [(i == v, i in fixed, colour[i]) for i in at])))
        marks = {v: repr((colour[v], sorted(seen[v]))) for v in vertices}
        ranks = {mark: k for k, mark in enumerate(sorted(set(marks.values())))}
        for v, mark in marks.items():
            colour[v] = shift + ranks[mark]
        if len(ranks) == classes:
            break
        classes = len(ranks)
    cells: dict[int, list[int]] = {}
    for v in vertices:
        cells.setdefault(colour[v], []).append(v)
    return [cells[c] for c in sorted(cells)]
