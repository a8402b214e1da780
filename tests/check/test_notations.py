"""Whoever writes it, a true claim is proved and a false one is not; see `notations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from notations import NETWORKS, Notation, Pick, at_their_places, notation, noted, slipped

from symgrad.check.judge import judge
from symgrad.check.slips import diagnose
from symgrad.check.sources import read_text


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """No long search for repairs: verdicts are asked for, not what is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnose, "RUNS", 100)
        yield


def choices(data: st.DataObject) -> Pick:
    return lambda options: data.draw(st.sampled_from(options))


def verdicts(w: Notation, equations: list[str], claims: list[str]) -> dict[str, str]:
    """The verdict of every claim, by its formula."""
    text = w.document(equations, claims)
    found = at_their_places(text, list(judge(read_text(text, w.kind, name="notations"), None)))
    return {latex: claim.verdict for latex, claim in found.items() if latex in claims}


@pytest.mark.parametrize("network", NETWORKS)
@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # a smaller notation tells no more, and takes minutes to find
@given(data=st.data())
def test_a_derivation_in_any_notation(network: str, data: st.DataObject) -> None:
    pick = choices(data)
    w = noted(network, pick) if network == "rnn" else noted(network, pick, "t")
    equations, claims = NETWORKS[network](w, pick)
    true = [claim for claim, _ in claims]
    assert verdicts(w, equations, true) == dict.fromkeys(true, "proved")
    whole, false = slipped(network, claims, pick)
    found = verdicts(w, equations, whole)
    assert "proved" not in [found.get(claim) for claim in false], (w, [claim for claim in false if found.get(claim) == "proved"])


@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
@given(pair=st.permutations(["rnn", "lstm", "gru"]), data=st.data())
def test_two_cells_in_one_document(pair: list[str], data: st.DataObject) -> None:
    """Each has its own equations: the second takes up letters of the first."""
    pick = choices(data)
    w = notation(pick, "t")
    parts = [NETWORKS[network](w, pick) for network in pair[:2]]
    for slips in (False, True):
        chosen = [[pick(false) if slips and false else claim for claim, false in claims] for _, claims in parts]
        text = "\n\n".join(w.document(equations, claims) for (equations, _), claims in zip(parts, chosen, strict=True))
        found = [(claim.latex, claim.verdict) for claim in judge(read_text(text, "md", name="two"), None)]
        true = {claim for _, claims in parts for claim, _ in claims}
        assert not [latex for latex, verdict in found if latex in true and verdict == "refuted"], text
        if slips:
            wrong = {claim for claims in chosen for claim in claims} - true
            assert not [latex for latex, verdict in found if latex in wrong and verdict == "proved"], text
        else:
            assert sum(verdict == "proved" for latex, verdict in found if latex in true) >= 0.9 * len(true), text
