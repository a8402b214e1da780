"""A copy of a page is made to be changed: it keeps what follows from the definitions, and nothing that was worked out in the old reading."""

from __future__ import annotations

from copy import copy

import pytest

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation import everystep
from symgrad.check.judging.suppose import Supposition, under
from symgrad.check.reading.claims import Link, links, statements_of
from symgrad.check.sources import read_text

RNN = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b)$$
$$\frac{\partial h_T}{\partial h_1} = \prod_{k=2}^{T} \frac{\partial h_k}{\partial h_{k-1}}$$
"""


@pytest.fixture
def court() -> Court:
    return Court(list(statements_of(read_text(RNN, "md"))))


@pytest.fixture
def page(court: Court) -> Page:
    return court.page(0)


@pytest.fixture
def claim(court: Court) -> Link:
    return next(iter(links(court.statements[1])))


def test_a_copy_has_worlds_of_its_own(page: Page) -> None:
    assert page.world is page.world
    assert copy(page).world is not page.world
    assert copy(page).lagged is page.lagged


def test_what_was_found_of_a_claim_is_not_found_of_a_changed_page(page: Page, claim: Link) -> None:
    assert everystep.found(page, claim.left, claim.right).induction.status == "proved"
    supposed = copy(page)
    supposed.fixed = {("h", None): 0}
    assert everystep.found(supposed, claim.left, claim.right).induction is None
    assert everystep.found(page, claim.left, claim.right).induction.status == "proved"


def test_blocks_of_weights_are_known_whichever_page_builds_its_world_first() -> None:
    text = r"$$h_t = \tanh(W [h_{t-1}, x_t] + b)$$ $$\frac{\partial h_t}{\partial h_{t-1}} = 1$$"
    page = Court(list(statements_of(read_text(text, "md")))).page(0)
    changed = under(page, Supposition(), False, 2)
    assert changed.world.model.dims["W"]
    assert changed.blocks["W"][0] == page.blocks["W"][0] == 1
