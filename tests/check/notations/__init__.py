"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.  One that is no page of formulas has a
notation of its own, see `programs`.
"""

from collections.abc import Sequence

from symgrad.check.claim import Claim as Claimed

from . import components, plain, programs
from .gates import gru, lstm
from .rnn import rnn
from .writing import Claim, Notation, Pick, notation

NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, **components.NETWORKS, **programs.NETWORKS, **plain.NETWORKS}
NOTATIONS = {**dict.fromkeys(programs.NETWORKS, programs.coding), **dict.fromkeys(plain.NETWORKS, plain.typing), **dict.fromkeys(plain.PASSES, plain.passing)}
LINKED = {*programs.NETWORKS, *plain.PASSES}  # networks whose claims build on each other


def noted(network: str, pick: Pick, letters: str = "tttkni") -> Notation:
    """How somebody writes a network."""
    return NOTATIONS.get(network, notation)(pick, letters)


def slipped(network: str, claims: list[Claim], pick: Pick) -> tuple[list[str], list[str]]:
    """The claims with a slip in each that has some, in two where claims build on each other; and those alone."""
    some = [k for k, (_, slips) in enumerate(claims) if slips]
    chosen = {pick(some), pick(some)} if network in LINKED else {*some}
    written = [pick(slips) if k in chosen else true for k, (true, slips) in enumerate(claims)]
    return written, [written[k] for k in sorted(chosen)]


def at_their_places(text: str, claims: Sequence[Claimed]) -> dict[str, Claimed]:
    """Claims by their formulas, as these were read and as they stand in the text."""
    lines = text.split("\n")
    standing = {lines[c.line - 1][c.column - 1 : c.end_column - 1]: c for c in claims if c.line == c.end_line}
    return {**standing, **{c.latex: c for c in claims}}


__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "at_their_places", "notation", "noted", "slipped"]
