"""Whoever writes it, a true claim is proved and a false one is not; see `notations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from notations import NETWORKS, Notation, Pick, judged, notation, noted

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
    found = ((claim.line, claim.column, claim.verdict, claim.message) for claim in judge(read_text(text, "md", name="notations"), None))
    return {claim: verdict for claim, (verdict, _) in zip(claims, judged(text, claims, found), strict=True)}


@pytest.mark.parametrize("network", NETWORKS)
@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # a smaller notation tells no more, and takes minutes to find
@given(data=st.data())
def test_a_derivation_in_any_notation(network: str, data: st.DataObject) -> None:
    pick = choices(data)
    w = noted(network, pick, "t") if network in ("lstm", "gru") else noted(network, pick)
    equations, claims = NETWORKS[network](w, pick)
    true = [claim for claim, _ in claims]
    assert verdicts(w, equations, true) == dict.fromkeys(true, "proved")
    false = [pick(slips) for _, slips in claims if slips]
    found = verdicts(w, equations, false)
    assert "proved" not in found.values(), (w, [claim for claim in false if found.get(claim) == "proved"])


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(pair=st.permutations(["rnn", "lstm", "gru"]), data=st.data())
def test_two_cells_in_one_document(pair: list[str], data: st.DataObject) -> None:
    """Each has its own equations: the second takes up letters of the first."""
    pick = choices(data)
    w = notation(pick, "t")
    parts = [NETWORKS[network](w, pick) for network in pair[:2]]
    true = {claim for _, claims in parts for claim, _ in claims}
    for slips in (False, True):
        chosen = [[pick(false) if slips and false else claim for claim, false in claims] for _, claims in parts]
        documents = [w.document(equations, claims) for (equations, _), claims in zip(parts, chosen, strict=True)]
        found = verdicts("\n\n".join(documents), w.kind, [claim for claims in chosen for claim in claims])
        assert not [claim for claim in found if claim in true and found[claim] == "refuted"], documents
        if slips:
            assert not [claim for claim in found if claim not in true and found[claim] == "proved"], documents
        else:
            assert sum(found[claim] == "proved" for claim in true) >= 0.9 * len(true), documents
