r"""Cells for documents that leave theirs out: asked for, or matched by the names that a document uses.

Besides the library's own cells there are the customary notations of courses and textbooks, with the weights of a concatenation.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from symgrad.check.cell.cases import CANDIDATE_ACCENTS
from symgrad.check.cell.define import make_page
from symgrad.check.defined.collect import collect
from symgrad.check.defined.groups import Collected
from symgrad.check.evaluation.adjoints import without_mark
from symgrad.check.evaluation.decide import Decider
from symgrad.check.reading.claims import EQUAL, links
from symgrad.check.reading.settle import known_in, settled
from symgrad.check.reading.statements import Statement, throughout
from symgrad.check.reading.symbols import Symbols, letters
from symgrad.check.reading.trees import kind
from symgrad.notation.reading.dialect import parse_dialect

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.face.cell import Cell
    from symgrad.notation.syntax import Node

LINEAR = ("rnn_identity", "rnn_readout")  # no one means these without saying so
ENOUGH = 4  # names of a cell that a document must use for its claims to be held against it
TRIED, FEW = 8, 12  # claims, and readings of each, by which cells with the same names are told apart
PLAIN = 3  # claims that must hold of one cell of several with the same names before others are refuted by it
SOME = 2  # names, a weight among them, that are enough to prove a claim of the cell by
_SYSTEMS = {
    "the LSTM with gates Γ": r"""
        \Gamma_f^{\langle t\rangle} = \sigma(W_f [a^{\langle t-1\rangle}, x^{\langle t\rangle}] + b_f) \\
        \Gamma_u^{\langle t\rangle} = \sigma(W_u [a^{\langle t-1\rangle}, x^{\langle t\rangle}] + b_u) \\
        \Gamma_o^{\langle t\rangle} = \sigma(W_o [a^{\langle t-1\rangle}, x^{\langle t\rangle}] + b_o) \\
        \tilde{c}^{\langle t\rangle} = \tanh(W_c [a^{\langle t-1\rangle}, x^{\langle t\rangle}] + b_c) \\
        c^{\langle t\rangle} = \Gamma_f^{\langle t\rangle} \odot c^{\langle t-1\rangle} + \Gamma_u^{\langle t\rangle} \odot \tilde{c}^{\langle t\rangle} \\
        a^{\langle t\rangle} = \Gamma_o^{\langle t\rangle} \odot \tanh(c^{\langle t\rangle})""",
    "the LSTM with weights of a concatenation": r"""
        f_t = \sigma(W_f [h_{t-1}, x_t] + b_f) \\ i_t = \sigma(W_i [h_{t-1}, x_t] + b_i) \\ o_t = \sigma(W_o [h_{t-1}, x_t] + b_o) \\
        \tilde{c}_t = \tanh(W_c [h_{t-1}, x_t] + b_c) \\ c_t = f_t \odot c_{t-1} + i_t \odot \tilde{c}_t \\ h_t = o_t \odot \tanh(c_t)""",
    "the GRU with weights of a concatenation": r"""
        z_t = \sigma(W_z [h_{t-1}, x_t] + b_z) \\ r_t = \sigma(W_r [h_{t-1}, x_t] + b_r) \\
        \tilde{h}_t = \tanh(W_h [r_t \odot h_{t-1}, x_t] + b_h) \\
        h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde{h}_t""",
    "the RNN with U for the state and W for the input": r"z_t = U h_{t-1} + W x_t + b \\ h_t = f(z_t)",
    "the RNN with W for the state and U for the input": r"z_t = W h_{t-1} + U x_t + b \\ h_t = f(z_t)",
    "the RNN with W for the state, U for the input and V for the output": r"""
        z_t = W h_{t-1} + U x_t + b \\ h_t = f(z_t) \\ o_t = V h_t + c \\ \hat{y}_t = \operatorname{softmax}(o_t)""",
    "the RNN with weights by their ends": r"z_t = W_{hh} h_{t-1} + W_{xh} x_t + b_h \\ h_t = f(z_t) \\ y_t = W_{hy} h_t + b_y",
    "the RNN with W_h and W_x": r"z_t = W_h h_{t-1} + W_x x_t + b \\ h_t = f(z_t)",
    "the RNN with state s": r"z_t = W s_{t-1} + U x_t + b \\ s_t = f(z_t) \\ o_t = V s_t",
}  # fmt: skip

SYSTEMS = _SYSTEMS | {f"{name} and tanh": latex.replace("f(z_t)", r"\tanh(z_t)") for name, latex in _SYSTEMS.items() if "f(z_t)" in latex}


def prelude(cell: Cell, number: int) -> list[Statement]:
    """The update equations of a cell as statements."""
    return stated(cell.latex(), number)


def stated(latex: str, number: int) -> list[Statement]:
    return numbered(parse_dialect(latex), number)


def numbered(nodes: list[Node], number: int) -> list[Statement]:
    return [Statement(None, node, node, (), number + 1000 + k) for k, node in enumerate(nodes)]


@cache
def candidates() -> list[tuple[str, list[Node]]]:
    """The cells that a document may mean, read once."""
    from symgrad.cells import LIBRARY

    found = [(f"{name} in the library", cell.latex()) for name, cell in LIBRARY.items() if name not in LINEAR]
    read = ((name, parse_dialect(latex)) for name, latex in [*found, *SYSTEMS.items()])
    return [(name, [settled(node, known_in(nodes)) for node in nodes]) for name, nodes in read]


@cache
def known_page(name: str) -> Page:
    """The page of a candidate that is written as it is here: made once, for its names."""
    lines = numbered(dict(candidates())[name], 0)
    return make_page(collect(lines), 0, lines)


def matched(statements: list[Statement], collected: Collected) -> tuple[list[Statement], str, bool] | None:
    """The cell that most names of the document belong to, and whether they are enough to refute a claim by it."""
    if not any(s.derives for s in statements):
        return None
    fitting = []
    written = {(n.base, n.accents) for s in statements for n in s.nodes if kind(n) == "Name"}
    for name, nodes in candidates():
        plain = numbered(nodes, len(statements))
        lines = throughout(plain, partial(accented, written))
        as_it_is = all(line.node is other.node for line, other in zip(lines, plain, strict=True))
        page = known_page(name) if as_it_is else make_page(collect(lines), 0, lines)
        page.symbols.clear()  # of the names of other documents
        found = used(page.symbols, statements)
        weights = found - page.symbols.timed
        if (len(found) >= ENOUGH or (len(found) >= SOME and weights)) and found & page.lagged and stepped(page, statements):
            fitting.append((len(found), -len(page.symbols.ranks), name, lines))
    if not fitting:
        return None
    most = max(count for count, *_ in fitting)
    alike = sorted((c for c in fitting if c[0] == most), key=lambda c: -c[1])
    hold = [held(lines, statements) if len(alike) > 1 else 1 for *_, lines in alike]
    _, _, name, lines = alike[hold.index(max(hold))]
    certain = most >= ENOUGH and (len(alike) == 1 or (hold.count(max(hold)) == 1 and max(hold) >= PLAIN))
    return lines, f"the document does not define its cell; its names are those of {name}", certain


def accented(written: set[tuple[str, tuple[str, ...]]], node: Any) -> Any:
    r"""A name with the accent that the document sets over its letter, ``\tilde{c}`` for ``\hat{c}``; None where it has the same."""
    if kind(node) != "Name" or node.accents not in CANDIDATE_ACCENTS or (node.base, node.accents) in written:
        return None
    return next((replace(node, accents=other) for other in CANDIDATE_ACCENTS if (node.base, other) in written), None)


def stepped(page: Page, statements: list[Statement]) -> bool:
    """Whether a document names a state of the cell at some step: formulas without any are about functions."""
    steps = [r.step for s in statements for n in s.nodes if (r := page.symbols.ref(n)) is not None and r.key in page.lagged and r.step is not None]
    return any(kind(at) != "Name" or page.symbols.letter in letters(at) or at.base == "T" for at in steps)  # ``s_i`` alone is a component


def held(lines: list[Statement], statements: list[Statement]) -> int:
    """How many of the first claims hold of a cell."""
    together = [*lines, *statements]
    decider = Decider(make_page(collect(together), 0, together))
    claims = [link for s in statements if kind(s.node) == "Relation" and s.derives for link in links(s)][:TRIED]
    try:
        return sum(decider.decide(link.left, link.right, limit=FEW).equal for link in claims if link.sign in EQUAL)
    except (RecursionError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return 0


def used(symbols: Symbols, statements: list[Statement]) -> set[str]:
    """The names of a cell that occur in the statements, those with a d in front included."""
    out = set()
    for s in statements:
        for n in s.nodes:
            ref = symbols.ref(n)
            if ref is None and kind(n) == "Name" and n.base[:1] == "d" and len(n.base) > 1:
                ref = symbols.ref(without_mark(n))
            if ref is not None:
                out.add(ref.key)
    return out


__all__ = ["matched", "prelude"]
