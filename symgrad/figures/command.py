"""``symgrad plot CELL``: which picture, and where it goes; the same for a directive of a document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.figures.plot import plot
from symgrad.figures.style import FORMATS

CAPTIONS = {
    "graph": "the computation graph, with the local derivatives on its edges",
    "square": "the Jacobian of one step over the gates z and r, all sizes 1",
    "norms": "the norm of the product of Jacobians over time, and its proved bound",
    "forget": "the derivative along the cell over k steps, against the forget gate",
}


def run(args: argparse.Namespace) -> int:
    """``symgrad plot``: the picture to a file or to standard output."""
    cell = load(args.cell)
    save(args.output or f"{cell.name}-{args.kind}.svg", lambda to: plot(cell, args.kind, to))
    return 0


def save(output: str, draw: Callable[[str], bytes]) -> None:
    """Write a picture in the format that the file's name says; - is standard output."""
    suffix = "svg" if output == "-" else Path(output).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise SymgradError(f"{output}: a picture is a .svg, .png or .pdf file")
    data = draw(suffix)
    if output == "-":
        sys.stdout.write(data.decode())
        return
    try:
        Path(output).write_bytes(data)
    except OSError as e:
        raise SymgradError(f"{output}: cannot be written: {e.strerror}") from None
    print(output, file=sys.stderr)


def named(args: argparse.Namespace) -> tuple[str, str]:
    """The path of a document's picture, relative to the document, and its caption."""
    cell = load(args.cell)
    name = args.output or f"figures/{cell.name}-{args.kind}.svg"
    if Path(name).is_absolute() or ".." in Path(name).parts or Path(name).suffix != ".svg":
        raise SymgradError(f"--output {name}: the picture of a document is a .svg file below the document's folder")
    return name, f"{cell.name}: {CAPTIONS[args.kind]}"
