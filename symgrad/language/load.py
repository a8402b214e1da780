from symgrad.cells.load import load  # noqa: F401
