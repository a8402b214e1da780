"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.
"""

from .bptt import bptt
from .gru import gru
from .lstm import lstm
from .page import page
from .rnn import rnn
from .small import small
from .variants import bptt_inside, bptt_last, bptt_numerator, bptt_rows
from .writing import Claim, Notation, Pick, judged, notation

BPTT = {"bptt": bptt, "bptt_last": bptt_last, "bptt_rows": bptt_rows, "bptt_numerator": bptt_numerator, "bptt_inside": bptt_inside}
NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, "small": small, **BPTT}
NOTATIONS = dict.fromkeys(BPTT, page)


def noted(network: str, pick: Pick, letters: str = "tttkni") -> Notation:
    """How somebody writes a network."""
    return NOTATIONS.get(network, notation)(pick, letters)


__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "judged", "notation", "noted"]
