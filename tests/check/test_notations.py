"""Whoever writes it, a true claim is proved and a false one is not; see `notations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from notations import NETWORKS, Notation, notations

from symgrad.check.judge import judge
from symgrad.check.slips import diagnose
from symgrad.check.sources import read_text


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """No long search for repairs: verdicts are asked for, not what is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnose, "RUNS", 100)
        yield


def verdicts(w: Notation, equations: list[str], claims: list[str]) -> dict[str, str]:
    """The verdict of every claim, by its formula."""
    document = read_text(w.document(equations, claims), "md", name="notations")
    return {claim.latex: claim.verdict for claim in judge(document, None) if claim.latex in claims}


@pytest.mark.parametrize("network", NETWORKS)
@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # a smaller notation tells no more, and takes minutes to find
@given(data=st.data())
def test_a_derivation_in_any_notation(network: str, data: st.DataObject) -> None:
    w = data.draw(notations() if network == "rnn" else notations("t"))
    equations, claims = NETWORKS[network](w, data.draw)
    true = [claim for claim, _ in claims]
    assert verdicts(w, equations, true) == dict.fromkeys(true, "proved")
    false = [data.draw(st.sampled_from(slips)) for _, slips in claims if slips]
    found = verdicts(w, equations, false)
    assert "proved" not in found.values(), (w, [claim for claim in false if found.get(claim) == "proved"])
