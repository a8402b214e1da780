from symgrad.face.cell import Cell, cell  # noqa: F401
