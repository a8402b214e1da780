r"""Where the nodes of a layered graph stand, from left to right: no box on another, few crossings, edges as straight as they can be.

A node stands one layer right of the last that it is computed from.  Between two layers lies a column for what is written on the edges: a
label is a box of its own that the edge runs through, so that no label covers another.  Each column's order is the best of many barycentre
sweeps (Sugiyama, Tagawa, Toda 1981); then the heights minimise

.. math:: \sum_{(u, v)} w_{uv} (y_u - y_v)^2, \qquad y_{k+1} - y_k ≥ \text{the half heights of both and a gap},

column by column, each time exactly: a regression on an increasing sequence.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Size = tuple[float, float]
Point = tuple[float, float]
GAP = 10.0  # points between two boxes of a column
BEND = 30.0  # points between two columns, for the edges to turn in
TRIES, SWEEPS, SETTLING = 60, 12, 160


@dataclass(frozen=True, slots=True)
class Edge:
    """u → v with the size of what is written on it."""

    start: Hashable
    end: Hashable
    label: Size = (0.0, 0.0)


@dataclass(frozen=True)
class Layout:
    """Centres of nodes and labels, for each edge the straight pieces it runs along (bends lie between them), and the size of the whole."""

    nodes: Mapping[Hashable, Point]
    labels: tuple[Point, ...]
    routes: tuple[tuple[tuple[Point, Point], ...], ...]
    size: Size


Item = tuple[str, Hashable, int]  # a node, or an edge (by its number) in a column that it crosses


def layered(nodes: Mapping[Hashable, Size], edges: Sequence[Edge]) -> Layout:
    """The layout of an acyclic graph; nodes and edges are given in the order in which they are to stand, where nothing else decides."""
    columns = _columns(nodes, edges)
    sizes = {i: _size(i, nodes, edges) for column in columns for i in column}
    links = _links(columns, edges)
    columns = _ordered(columns, links)
    heights = _heights(columns, links, sizes)
    return _placed(columns, heights, sizes, edges)


def _columns(nodes: Mapping[Hashable, Size], edges: Sequence[Edge]) -> list[list[Item]]:
    """Nodes in even columns, labels and crossing edges between them."""
    layer: dict[Hashable, int] = {}

    def rank(v: Hashable) -> int:
        if v not in layer:
            layer[v] = max((rank(e.start) + 1 for e in edges if e.end == v), default=0)
        return layer[v]

    columns: list[list[Item]] = [[] for _ in range(2 * max(map(rank, nodes), default=0) + 1)]
    for v in nodes:
        columns[2 * layer[v]].append(("node", v, 0))
    labelled = [0] * len(columns)
    for k, e in sorted(enumerate(edges), key=lambda ke: layer[ke[1].end] - layer[ke[1].start]):
        between = range(2 * layer[e.start] + 1, 2 * layer[e.end])
        home = min(between[::2], key=lambda c: (labelled[c], -c))  # the label stands where the fewest do
        labelled[home] += 1
        for c in between:
            columns[c].append(("label" if c == home else "bend", k, c))
    return columns


def _size(i: Item, nodes: Mapping[Hashable, Size], edges: Sequence[Edge]) -> Size:
    kind, name, _ = i
    if kind == "node":
        return nodes[name]
    return edges[name].label if kind == "label" and isinstance(name, int) else (0.0, 2.0)


def _links(columns: list[list[Item]], edges: Sequence[Edge]) -> list[tuple[Item, Item]]:
    """The pieces of edges between neighbouring columns."""
    links = []
    for k, e in enumerate(edges):
        inner = [i for column in columns for i in column if i[0] != "node" and i[1] == k]
        links += list(pairwise([("node", e.start, 0), *inner, ("node", e.end, 0)]))
    return links


def _ordered(columns: list[list[Item]], links: list[tuple[Item, Item]]) -> list[list[Item]]:
    """The order of every column with the fewest crossings that was found; the same on every run."""
    before: dict[Item, list[Item]] = {}
    after: dict[Item, list[Item]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    rng = random.Random(1)
    best, least = columns, (float("inf"), float("inf"))
    for attempt in range(TRIES):
        current = [list(c) if attempt == 0 else rng.sample(c, len(c)) for c in columns]
        place = {i: (p + 0.5) / len(c) for c in current for p, i in enumerate(c)}
        for sweep in range(SWEEPS):
            forth = sweep % 2 == 0
            for column in current if forth else reversed(current):
                near = before if forth else after
                middle = {i: sum(place[j] for j in near[i]) / len(near[i]) if near.get(i) else place[i] for i in column}
                column.sort(key=middle.__getitem__)
                place |= {i: (p + 0.5) / len(column) for p, i in enumerate(column)}
            cost = _cost(current, after)
            if cost < least:
                best, least = [list(c) for c in current], cost
    return best


def _cost(columns: list[list[Item]], after: Mapping[Item, Sequence[Item]]) -> tuple[float, float]:
    """Crossings, then how far the edges lean."""
    crossings, lean = 0, 0.0
    for left, right in pairwise(columns):
        place = {i: p for p, i in enumerate(right)}
        ends = [(p, place[j]) for p, i in enumerate(left) for j in after.get(i, ())]
        crossings += sum((a - c) * (b - d) < 0 for n, (a, b) in enumerate(ends) for c, d in ends[:n])
        lean += sum(abs((a + 0.5) / len(left) - (b + 0.5) / len(right)) for a, b in ends)
    return crossings, lean


def _heights(columns: list[list[Item]], links: list[tuple[Item, Item]], sizes: Mapping[Item, Size]) -> dict[Item, float]:
    """The height of every centre."""
    near: dict[Item, list[tuple[Item, float]]] = {}
    for a, b in links:
        weight = (1.0, 3.0, 16.0)[(a[0] != "node") + (b[0] != "node")]  # an edge is straight where it passes
        near.setdefault(a, []).append((b, weight))
        near.setdefault(b, []).append((a, weight))
    apart = [[0.0, *(sizes[a][1] / 2 + sizes[b][1] / 2 + GAP for a, b in pairwise(c))] for c in columns]
    y: dict[Item, float] = {}
    for column, steps in zip(columns, apart, strict=True):
        total, below = sum(steps), 0.0
        for i, step in zip(column, steps, strict=True):
            below += step
            y[i] = below - total / 2
    for turn in range(SETTLING):
        order = range(len(columns)) if turn % 2 == 0 else reversed(range(len(columns)))
        for k in order:
            wanted = [sum(w * y[j] for j, w in near[i]) / sum(w for _, w in near[i]) if i in near else y[i] for i in columns[k]]
            weights = [sum(w for _, w in near.get(i, [])) or 1.0 for i in columns[k]]
            offsets = [sum(apart[k][: p + 1]) for p in range(len(columns[k]))]
            level = _increasing([w - o for w, o in zip(wanted, offsets, strict=True)], weights)
            y |= {i: v + o for i, v, o in zip(columns[k], level, offsets, strict=True)}
    return y


def _increasing(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The increasing sequence nearest to the values, in weighted squares: neighbours out of order are pooled."""
    pools: list[tuple[float, float, int]] = []
    for v, w in zip(values, weights, strict=True):
        pools.append((v, w, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m, j), (b, n, k) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n, j + k)]
    return [v for v, _, count in pools for _ in range(count)]


def _placed(columns: list[list[Item]], y: Mapping[Item, float], sizes: Mapping[Item, Size], edges: Sequence[Edge]) -> Layout:
    """Widths added up from left to right, heights from the lowest; y grows downwards."""
    top = min(y[i] - sizes[i][1] / 2 for i in y)
    bottom = max(y[i] + sizes[i][1] / 2 for i in y)
    nodes: dict[Hashable, Point] = {}
    labels: list[Point] = [(0.0, 0.0)] * len(edges)
    pieces: list[list[tuple[Point, Point]]] = [[] for _ in edges]
    left = 0.0
    for column in columns:
        width = max((sizes[i][0] for i in column), default=0.0)
        for i in column:
            kind, name, _ = i
            at = (left + width / 2, y[i] - top)
            if kind == "node":
                nodes[name] = at
            elif isinstance(name, int):
                if kind == "label":
                    labels[name] = at
                pieces[name].append(((left, at[1]), (left + width, at[1])))
        left += width + BEND
    for e, route in zip(edges, pieces, strict=True):
        (ax, ay), (bx, by) = nodes[e.start], nodes[e.end]
        a, b = ax + sizes[("node", e.start, 0)][0] / 2, bx - sizes[("node", e.end, 0)][0] / 2
        route.insert(0, ((a, ay), (a, ay)))
        route.append(((b, by), (b, by)))
    return Layout(nodes, tuple(labels), tuple(map(tuple, pieces)), (left - BEND, bottom - top))
