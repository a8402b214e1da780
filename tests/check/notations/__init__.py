"""True derivations, and false ones, in the notations of many authors: see `writing`.

A network gives its equations, and claims with slips: formulas that are like the claim, and false.  One that is no page of formulas has a
notation of its own, see `programs`.
"""

from collections.abc import Sequence

from symgrad.check.claim import Claim as Claimed

from . import plain, programs
from .gates import gru, lstm
from .rnn import rnn
from .writing import Claim, Notation, Pick, notation

NETWORKS = {"rnn": rnn, "lstm": lstm, "gru": gru, "program_rnn": programs.rnn, "program_lstm": programs.lstm, "program_gru": programs.gru, "plain_rnn": plain.typed(rnn), "plain_lstm": plain.typed(lstm), "plain_gru": plain.typed(gru)}
NOTATIONS = {**dict.fromkeys(("program_rnn", "program_lstm", "program_gru"), programs.coding), **dict.fromkeys(("plain_rnn", "plain_lstm", "plain_gru"), plain.typing)}


def noted(network: str, pick: Pick, letters: str = "tttkni") -> Notation:
    """How somebody writes a network."""
    return NOTATIONS.get(network, notation)(pick, letters)


def slipped(network: str, claims: list[Claim], pick: Pick) -> tuple[list[str], list[str]]:
    """The claims with a slip in each that has some, in programs, whose lines build on each other, in two; and those alone."""
    some = [k for k, (_, slips) in enumerate(claims) if slips]
    chosen = {pick(some), pick(some)} if network.startswith("program") else {*some}
    written = [pick(slips) if k in chosen else true for k, (true, slips) in enumerate(claims)]
    return written, [written[k] for k in sorted(chosen)]


def at_their_places(text: str, claims: Sequence[Claimed]) -> dict[str, Claimed]:
    """Claims by their formulas, as these were read and as they stand in the text."""
    lines = text.split("\n")
    standing = {lines[c.line - 1][c.column - 1 : c.end_column - 1]: c for c in claims if c.line == c.end_line}
    return {**standing, **{c.latex: c for c in claims}}


__all__ = ["NETWORKS", "Claim", "Notation", "Pick", "at_their_places", "notation", "noted", "slipped"]
