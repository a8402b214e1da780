"""Slips tried together: what a family of edits tells is what each of them tells alone, and a failure counts only where the same was answered."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from symgrad.check.court.court import Court
from symgrad.check.evaluation.decide import Decider
from symgrad.check.judge import judge
from symgrad.check.reading.claims import links, statements_of
from symgrad.check.reading.trees import walk
from symgrad.check.slips.edits import Slips
from symgrad.check.slips.omissions import Edit
from symgrad.check.slips.search import FIRST, Batch, Reading, Search, circular, failed
from symgrad.check.sources import read_text
from symgrad.check.worlds.field import Redraw
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.world import Missing, Unsupported
from symgrad.notation.reading.dialect import parse_dialect

RNN = r"$$h_t = \tanh(W h_{t-1} + U x_t + b)$$"
GRU = r"""$$z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)$$ $$r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r)$$
$$\tilde h_t = \tanh(W_h x_t + U_h (r_t \odot h_{t-1}) + b_h)$$ $$h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t$$"""
WRONG = {  # claims with one slip each
    "a sign": (GRU, r"\frac{\partial h_t}{\partial z_t} = \operatorname{diag}(h_{t-1} + \tilde h_t)"),
    "over time": (RNN, r"\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} (\operatorname{diag}(1 - h_{j-1}^2) W)"),
    "components": (RNN, r"\frac{\partial h_{t,i}}{\partial h_{t-2,k}} = \sum_{j} W_{ij} (1 - h_{t-1,j}^2) W_{jk}"),
    "inside": (RNN, r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh'(W h_{t-1} + U x_{t-1} + b)) W"),
}
READING: Reading = (Chooser(), False, True)


@pytest.fixture(params=WRONG, ids=lambda name: name.replace(" ", "-"))
def search(request: pytest.FixtureRequest) -> Search:
    cell, claim = WRONG[request.param]
    court = Court(list(statements_of(read_text(f"{cell}\n\n$${claim}$$", "md"))))
    link = next(iter(links(court.statements[-1])))
    slips = Slips(court.page(0), link.right, link.left)
    return Search(court.page(0), link, itertools.chain(slips.lacking(), slips.all_edits()), time.process_time() + 60)


def together(search: Search, edits: list[Edit]) -> Batch:
    """What families tell of these edits."""
    batch = Batch(edits, search.families(edits))
    search.sift(batch, READING)
    return batch


def alone(search: Search, edit: Edit) -> bool:
    """Whether an edit makes the claim true, decided with nothing remembered."""
    decider = Decider(search.decider.page)
    decider.kept = search.decider.kept
    try:
        return decider.once(search.left, edit.tree, Chooser(), *READING[1:], set()).state == "equal"
    except (Missing, Unsupported, Redraw):
        return False


def test_what_families_tell_is_so_of_each(search: Search) -> None:
    """An edit that fails among others fails alone; one that holds is left to be found."""
    edits = list(itertools.islice(search.stream, 1500))
    batch = together(search, edits)
    told = [edit for edit, failures in zip(edits, batch.failures, strict=True) if failures]
    assert len(told) > 30
    assert not any(alone(search, edit) for edit in told[:: len(told) // 30])
    one_by_one = Batch(edits, [])
    holding = [k for k in range(len(edits)) if search.holds(one_by_one, k, READING)]
    assert holding
    assert not [k for k in holding if batch.failures[k]]


def test_the_likely_ones_are_tried_one_by_one(search: Search) -> None:
    first, second = itertools.islice(search.batches(), 2)
    assert len(first.edits) == FIRST
    assert not first.families
    assert all(len(family) > 1 for family in second.families)


@pytest.mark.parametrize(("answers", "same"), [({}, False), ({"a": 1}, True), ({"a": 1, "b": 0}, True), ({"a": 1, "c": 2}, True), ({"a": 1, "b": 1}, False)])
def test_a_failure_is_one_wherever_the_same_is_answered(answers: dict[str, int], same: bool) -> None:
    chooser = Chooser({"a": 1, "d": 1})
    chooser.asked = {"a": (), "b": ()}
    failure = failed(chooser, (chooser, False, True))
    assert failure.covers((Chooser(dict(answers)), False, True)) is same
    assert not failure.covers((Chooser(dict(answers)), True, True))


def test_a_repair_subtracts():
    """``a - b``, not ``a + -b``, whatever brackets stand around b."""
    page = r"$$h^t = \tanh(c^t), \quad c^t = U h^{t-1} + V x^t$$ $$\frac{\partial h^t}{\partial c^t} = \operatorname{diag}(1 + (h^t)^2)$$"
    (wrong,) = [c for c in judge(read_text(page, "md", name="page")) if c.verdict == "refuted"]
    assert wrong.expected == r"\operatorname{diag}(1 - (h^t)^2)"


def test_a_repair_of_a_factor_that_ends_without_its_bracket_stands_in_brackets() -> None:
    page = r"$$q_t = \tanh(a_t), \quad a_t = K q_{t-1} + M u_t$$ $$\frac{\partial E}{\partial a_t} = \frac{\partial E}{\partial q_t} \odot (1 - q_t)^2$$"
    (wrong,) = [c for c in judge(read_text(page, "md", name="page")) if c.verdict == "refuted"]
    assert wrong.expected == r"\frac{\partial E}{\partial q_t} \odot (1 - q_t^2)"


def test_no_repair_begs_the_question() -> None:
    def read(text: str) -> Any:
        return parse_dialect(text)[0]

    left, right = read(r"\frac{\partial L}{\partial h_t}"), read(r"\frac{\partial L}{\partial y_t} \frac{\partial y_t}{\partial h_t}")
    old = frozenset(map(id, walk(right)))
    assert circular(read(r"\frac{\partial L}{\partial h_t} \frac{\partial h_t}{\partial h_t}"), left, right, old)
    assert circular(read(r"\frac{\partial L}{\partial y_t} \frac{\partial y_t}{\partial y_t}"), left, right, old)
    assert not circular(read(r"\frac{\partial L}{\partial y_{t-1}} \frac{\partial y_t}{\partial h_t}"), left, right, old)
    assert not circular(right, read("a_t"), right, old)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dc_t = dh_t * o_t * (1 - c_t^2) + dc_{t+1} * f_{t+1}", "dh_t * o_t * (1 - tanh^2(c_t)) + dc_{t+1} * f_{t+1}"),
        ("dc_t = dh_t * o_t * (1 - c_t²) + dc_{t+1} * f_{t+1}", "dh_t * o_t * (1 - tanh²(c_t)) + dc_{t+1} * f_{t+1}"),
    ],
)
def test_a_repair_of_plain_text_is_plain_text(line: str, expected: str) -> None:
    cell = "f_t = σ(A h_{t-1} + B x_t)\no_t = σ(C h_{t-1} + D x_t)\nc_t = f_t * c_{t-1} + tanh(E x_t)\nh_t = o_t * tanh(c_t)\n"
    (wrong,) = [c for c in judge(read_text(f"```\n{cell}\n{line}\n```", "md", name="page")) if c.verdict == "refuted"]
    assert wrong.expected == expected


GATES = "f_t = σ(W_f [h_{t-1}, x_t])\ni_t = σ(W_i [h_{t-1}, x_t])\ng_t = tanh(W_g [h_{t-1}, x_t])\n"
CELL = GATES + "o_t = σ(W_o [h_{t-1}, x_t])\nc_t = f_t * c_{t-1} + i_t * g_t\nh_t = o_t * tanh(c_t)\n"


def test_a_symbol_is_of_the_kind_that_others_have_shown() -> None:
    """``dz_g`` beside ``dz_i`` and ``dz_f``; beside one of them alone it may be a letter for anything."""
    shown = ["dz_i = di_t * i_t * (1 - i_t)", "dz_f = df_t * f_t * (1 - f_t)"]
    wrong = "dz_g = dg_t * g_t * (1 - g_t)"

    def last(lines: list[str]) -> str:
        return [c.verdict for c in judge(read_text(f"{CELL}\n```\n" + "\n".join(lines) + "\n```\n", "md", name="page"))][-1]

    assert last([*shown, wrong]) == "refuted"
    assert last([*shown[:1], wrong]) == "undecided"
    assert last([*shown, "dz_g = dg_t * (1 - g_t^2)"]) == "proved"


def test_a_name_in_a_symbol_is_no_guess_where_another_line_needs_it() -> None:
    cell = GATES.replace("i_t = σ(W_i [h_{t-1}, x_t])\n", "") + "c_t = f_t * c_{t-1} + (1 - f_t) * g_t\nh_t = tanh(c_t)\n"
    lines = "dz_f = df_t * f_t * (1 - f_t)\ndz_g = dg_t * g_t * (3 - g_t)\ndW_g = dz_g * [h_{t-1}, x_t]^T\n"
    shown = r"$$\delta z_f = \delta f_t \odot f_t \odot (1 - f_t), \quad \delta z_g = \delta g_t \odot (1 - g_t^2)$$"
    claims = list(judge(read_text(f"{cell}\n```\n{lines}```\n\n{shown}\n", "md", name="page")))
    assert [c.verdict for c in claims] == ["proved", "refuted", "proved", "proved", "proved"]


def test_a_gate_by_the_letter_of_a_function_has_its_step_in_brackets() -> None:
    cell = r"$$f(n) = \sigma(W_f x(n) + U_f h(n-1)), \quad g(n) = \tanh(W_g x(n) + U_g h(n-1)), \quad h(n) = f(n) \odot h(n-1) + (1 - f(n)) \odot g(n)$$"
    claim = r"$$\frac{\partial L}{\partial g(n)} = \frac{\partial L}{\partial h(n)} \odot (1 - f(n))$$"
    assert {c.verdict for c in judge(read_text(f"{cell} {claim}", "md", name="page"))} == {"proved"}
