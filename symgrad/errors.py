"""What can go wrong by a user's doing; every such error is a `SymgradError`, names the place and the reason, and says the way out."""

from __future__ import annotations


class SymgradError(Exception):
    """A mistake of the user's, told in words; the command line prints it without a traceback."""


class CellError(SymgradError):
    """A cell that cannot be traced: the line of the cell, the expression there, and what to write instead."""


class UnknownName(SymgradError):
    """A name that the cell does not have."""


class Note(UserWarning):
    """Something that works and could be written better."""
