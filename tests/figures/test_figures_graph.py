"""The computation graph: its paths add up to the Jacobian, for cells that the library does not know too; nothing covers anything."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.language.tensor import Tensor, added, identity, matmul

pytest.importorskip("matplotlib")

from symgrad.figures.graph import labels
from symgrad.figures.layout import Edge, layered
from symgrad.figures.plot import plot

OWN = """
import numpy as np
import symgrad as sg
from symgrad import relu, sigmoid

@sg.cell
def peephole(x, h, c, *, W_f, U_f, p_f, W_c, U_c, W_o, U_o, p_o):
    f = sigmoid(W_f @ x + U_f @ h + p_f * c)
    c_hat = np.tanh(W_c @ x + U_c @ h)
    c_t = f * c + (1 - f) * c_hat
    o = sigmoid(W_o @ x + U_o @ h + p_o * c_t)
    return o * np.tanh(c_t), c_t

@sg.cell
def joined(x, h, *, W, V, b):
    v = np.concatenate([h, x])
    a = relu(W @ v + b)
    return h + V @ a

@sg.cell
def normed(x, h, *, W, U, g):
    a = W @ x + U @ h
    s = np.sqrt(np.sum(a**2) + 1)
    return np.tanh(g * a / s)
"""
OWN_NAMES = ("peephole", "joined", "normed")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "own.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def cell_of(name: str, own: Path) -> Cell:
    return load(f"{own}:{name}" if name in OWN_NAMES else name)


@pytest.mark.parametrize("name", [*LIBRARY, *OWN_NAMES])
def test_the_paths_add_up_to_the_jacobian(name: str, own: Path) -> None:
    """Σ over paths of the products of the local derivatives, the last edge leftmost, is the total derivative."""
    cell = cell_of(name, own)
    program = cell.program
    edges = labels(program)

    def total(of: sp.Symbol, wrt: sp.Symbol) -> Tensor:
        if of == wrt:
            return identity(program.shapes[of])
        parts = [matmul(e.value, total(e.start, wrt)) for e in edges if e.end == of and (e.start == wrt or e.start in program.equations)]
        return added(program.shapes[of] + program.shapes[wrt], parts)

    if any(len(program.shapes[s]) != 1 for e in edges for s in (e.start, e.end)):
        pytest.skip("a scalar stands between: its paths are outer products")
    for new in (*program.updates.values(), *program.outputs):
        for old in (*program.states, *program.inputs):
            J = sg.jacobian(cell, of=new.name, wrt=old.name)
            assert sg.equal(J, replace(J, tensor=total(new, old))).proved, (new, old)


def test_every_edge_is_marked_as_what_it_is(own: Path) -> None:
    found = {(e.start.name, e.end.name): e.diagonal for e in labels(load("gru").program)}
    assert found == {
        ("x", "z"): False, ("h", "z"): False, ("x", "r"): False, ("h", "r"): False, ("x", "h_tilde"): False, ("h", "h_tilde"): False,
        ("r", "h_tilde"): False, ("h", "h_t"): True, ("z", "h_t"): True, ("h_tilde", "h_t"): True,
    }  # fmt: skip
    assert not {(e.start.name, e.end.name): e.diagonal for e in labels(cell_of("normed", own).program)}["s", "h_t"]  # a column, not a diagonal


@pytest.mark.parametrize("name", ["lstm", "normed"])
def test_the_same_bytes_in_every_process(name: str, own: Path, tmp_path: Path) -> None:
    word = f"{own}:{name}" if name in OWN_NAMES else name
    out = []
    for seed in "01":
        path = tmp_path / f"{seed}.svg"
        subprocess.run([sys.executable, "-m", "symgrad", "plot", word, "--output", str(path)], check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        out.append(path.read_bytes())
    assert out[0] == out[1]


@pytest.mark.parametrize("name", ["rnn_free", "deep_chain"])
def test_what_is_left_open_can_be_drawn(name: str) -> None:
    assert plot(load(name), "graph").startswith(b"<?xml")


def random_graph(rng: np.random.Generator) -> tuple[dict[int, tuple[float, float]], list[Edge]]:
    count = int(rng.integers(2, 9))
    nodes = {k: (float(rng.uniform(20, 60)), float(rng.uniform(20, 40))) for k in range(count)}
    edges = [Edge(a, b, (float(rng.uniform(5, 150)), float(rng.uniform(8, 20)))) for a, b in combinations(range(count), 2) if rng.random() < 0.5]
    return nodes, edges


@pytest.mark.parametrize("seed", range(12))
def test_no_box_covers_another(seed: int) -> None:
    nodes, edges = random_graph(np.random.default_rng(seed))
    found = layered(nodes, edges)
    boxes = [(found.nodes[k], nodes[k]) for k in nodes] + [(at, e.label) for at, e in zip(found.labels, edges, strict=True)]
    for ((x, y), (w, h)), ((u, v), (p, q)) in combinations(boxes, 2):
        assert abs(x - u) >= (w + p) / 2 or abs(y - v) >= (h + q) / 2 - 1e-9
    for (x, y), (w, h) in boxes:
        assert w / 2 - 1e-9 <= x <= found.size[0] - w / 2 + 1e-9
        assert h / 2 - 1e-9 <= y <= found.size[1] - h / 2 + 1e-9
    for e, at, route in zip(edges, found.labels, found.routes, strict=True):
        xs = [x for piece in route for x, _ in piece]
        assert xs == sorted(xs)  # from left to right
        assert any(a[0] <= at[0] <= b[0] and a[1] == b[1] == at[1] for a, b in route)  # through its label
        assert route[0][0][1] == found.nodes[e.start][1]
        assert route[-1][1][1] == found.nodes[e.end][1]
    assert layered(nodes, edges) == found


def test_crossings_that_can_be_avoided_are() -> None:
    found = layered(dict.fromkeys("abcd", (20.0, 20.0)), [Edge("a", "d", (10, 10)), Edge("b", "c", (10, 10))])
    assert (found.nodes["a"][1] < found.nodes["b"][1]) == (found.nodes["d"][1] < found.nodes["c"][1])


def test_a_long_label_stands_below(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(
        "import numpy as np\nfrom symgrad import sigmoid\n\ndef long(x, h, *, U, p, q, r):\n"
        "    a = np.tanh(U @ h + x)\n    return a * p * sigmoid(q * a) * sigmoid(r * a * a) + np.tanh(p * a) * sigmoid(r * a)\n",
        encoding="utf-8",
    )
    assert plot(load(f"{tmp_path / 'long.py'}:long"), "graph").startswith(b"<?xml")


def test_a_cell_that_cannot_be_traced_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def bad(x, h):\n    return h if h.sum() > 0 else x\n", encoding="utf-8")
    with pytest.raises(SymgradError):
        plot(load(f"{tmp_path / 'bad.py'}:bad"), "graph")
