"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.
"""

from .bptt import bptt
from .gates import gru, lstm
from .page import judged, page
from .rnn import rnn
from .variants import bptt_inside, bptt_last, bptt_numerator, bptt_rows
from .writing import Claim, Notation, Pick, notation

BPTT = {"bptt": bptt, "bptt_last": bptt_last, "bptt_rows": bptt_rows, "bptt_numerator": bptt_numerator, "bptt_inside": bptt_inside}
NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, **BPTT}
NOTATIONS = dict.fromkeys(BPTT, page)


def noted(network: str, pick: Pick, letters: str = "tttkni") -> Notation:
    """How somebody writes a network."""
    return NOTATIONS.get(network, notation)(pick, letters)


__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "judged", "notation", "noted"]
