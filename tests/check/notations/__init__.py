"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.
"""

from .gru import gru
from .lstm import lstm
from .rnn import rnn
from .small import small
from .writing import Claim, Notation, Pick, links, notation, worst

NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, "small": small}

__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "links", "notation", "worst"]
