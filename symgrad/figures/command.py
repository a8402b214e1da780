"""``symgrad plot CELL``: which picture, and where it goes; the same for a directive of a document."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.figures.plot import plot

CAPTIONS = {
    "square": "∂h_t/∂h_{t-1} over the gates z and r",
    "norms": "the norm of the product of Jacobians over time, with its proved bound",
    "forget": "∂c_t/∂c_{t-k} against the forget gate",
}


def kind_of(cell: Cell, said: str | None) -> str:
    """The picture asked for; by default the one that tells most of the cell."""
    names = {s.name for s in cell.program.equations}
    return said or ("square" if {"z", "r"} <= names else "forget" if "f" in names and "c" in cell.states else "norms")


def run(args: argparse.Namespace) -> int:
    """Write the picture to a file or to standard output."""
    cell = load(args.cell)
    kind = kind_of(cell, args.kind)
    output = args.output or f"{cell.name}-{kind}.svg"
    suffix = "svg" if output == "-" else Path(output).suffix.lower().removeprefix(".")
    if suffix not in ("svg", "png"):
        raise SymgradError(f"--output {output}: a picture is a .svg or .png file")
    data = plot(cell, kind, suffix)
    if output == "-":
        sys.stdout.write(data.decode())
        return 0
    try:
        Path(output).write_bytes(data)
    except OSError as e:
        raise SymgradError(f"{output}: cannot be written: {e.strerror}") from None
    print(output, file=sys.stderr)
    return 0


def named(args: argparse.Namespace) -> tuple[str, str]:
    """The path of a document's picture, relative to the document, and its caption."""
    cell = load(args.cell)
    kind = kind_of(cell, args.kind)
    name = args.output or f"figures/{cell.name}-{kind}.svg"
    if Path(name).is_absolute() or ".." in Path(name).parts or Path(name).suffix != ".svg":
        raise SymgradError(f"--output {name}: the picture of a document is a .svg file below the document's folder")
    return name, f"{cell.name}: {CAPTIONS[kind]}"


def directive(args: argparse.Namespace) -> tuple[str, bytes]:
    """The picture of a document: its relative path and its bytes."""
    cell = load(args.cell)
    return named(args)[0], plot(cell, kind_of(cell, args.kind))
