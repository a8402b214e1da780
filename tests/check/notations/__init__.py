"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.  One that is no page of formulas has a
notation of its own, see `programs`.
"""

from . import components, plain, programs
from .bptt import bptt
from .deep import deep
from .gru import gru
from .lstm import lstm
from .numbered import numbered
from .page import page
from .rnn import rnn
from .small import small
from .ungated import ungated
from .variants import bptt_inside, bptt_last, bptt_numerator, bptt_rows
from .writing import Claim, Notation, Pick, judged, notation

BPTT = {"bptt": bptt, "bptt_last": bptt_last, "bptt_rows": bptt_rows, "bptt_numerator": bptt_numerator, "bptt_inside": bptt_inside}
BPTT |= {"numbered": numbered, "ungated": ungated, "deep": deep}
NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, "small": small, **BPTT, **components.NETWORKS, **programs.NETWORKS, **plain.NETWORKS}
NOTATIONS = {
    **dict.fromkeys(BPTT, page), **dict.fromkeys(programs.NETWORKS, programs.coding), **dict.fromkeys(plain.NETWORKS, plain.typing),
    **dict.fromkeys(plain.PASSES, plain.passing),
}  # fmt: skip
LINKED = {*programs.NETWORKS, *plain.PASSES, "numbered"}  # networks whose claims build on each other


def noted(network: str, pick: Pick, letters: str = "tttkni") -> Notation:
    """How somebody writes a network."""
    return NOTATIONS.get(network, notation)(pick, letters)


def slipped(network: str, claims: list[Claim], pick: Pick) -> tuple[list[str], list[int]]:
    """The claims with a slip in each that has some, in two where claims build on each other; and which have one."""
    some = [k for k, (_, slips) in enumerate(claims) if slips]
    chosen = {pick(some), pick(some)} if network in LINKED else {*some}
    return [pick(slips) if k in chosen else true for k, (true, slips) in enumerate(claims)], sorted(chosen)


__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "judged", "notation", "noted", "slipped"]
