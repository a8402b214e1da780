"""Whoever writes it, a true claim is proved and a false one is not; see `notations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from notations import NETWORKS, Pick, judged, notation, noted, slipped

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


def verdicts(text: str, kind: str, claims: list[str]) -> list[str]:
    """The verdict of every claim."""
    return [verdict for verdict, _ in judged(text, claims, list(judge(read_text(text, kind, name="notations"), None)))]


@pytest.mark.parametrize("network", NETWORKS)
@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # a smaller notation tells no more, and takes minutes to find
@given(data=st.data())
def test_a_derivation_in_any_notation(network: str, data: st.DataObject) -> None:
    pick = choices(data)
    w = noted(network, pick, "t") if network in ("lstm", "gru") else noted(network, pick)
    equations, claims = NETWORKS[network](w, pick)
    true = [claim for claim, _ in claims]
    found = verdicts(w.document(equations, true), w.kind, true)
    assert set(found) == {"proved"}, (w, [claim for claim, said in zip(true, found, strict=True) if said != "proved"])
    written, which = slipped(network, claims, pick)
    found = verdicts(w.document(equations, written), w.kind, written)
    assert "proved" not in [found[k] for k in which], (w, [written[k] for k in which if found[k] == "proved"])


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(pair=st.permutations(["rnn", "lstm", "gru"]), data=st.data())
def test_two_cells_in_one_document(pair: list[str], data: st.DataObject) -> None:
    """Each has its own equations: the second takes up letters of the first."""
    pick = choices(data)
    w = notation(pick, "t")
    parts = [NETWORKS[network](w, pick) for network in pair[:2]]
    true = {claim for _, claims in parts for claim, _ in claims}
    assume(not (any(claim.endswith("= I") for claim in true) and any("W_I" in e or "W_{I" in e for equations, _ in parts for e in equations)))
    for slips in (False, True):
        chosen = [[pick(false) if slips and false else claim for claim, false in claims] for _, claims in parts]
        documents = [w.document(equations, claims) for (equations, _), claims in zip(parts, chosen, strict=True)]
        written = [claim for claims in chosen for claim in claims]
        found = list(zip(written, verdicts("\n\n".join(documents), w.kind, written), strict=True))
        assert not [claim for claim, said in found if claim in true and said == "refuted"], documents
        if slips:
            assert not [claim for claim, said in found if claim not in true and said == "proved"], documents
        else:
            assert sum(said == "proved" for _, said in found) >= 0.9 * len(found), documents
