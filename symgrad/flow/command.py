"""``symgrad flow CELL``: weights and a sequence from files, or drawn; the report as a table, as JSON, as a picture."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from symgrad.cells.load import load
from symgrad.errors import SymgradError
from symgrad.face.along import sizes
from symgrad.face.cell import Cell
from symgrad.figures.command import save
from symgrad.flow.flow import flow
from symgrad.flow.picture import picture
from symgrad.flow.report import as_json, table
from symgrad.flow.weights import parameters, read


def drawn(cell: Cell, n: int, m: int, seed: int) -> dict[str, Any]:
    """Random parameters as torch draws them: uniform in ±1/√n."""
    rng, program = np.random.default_rng(seed), cell.program
    known = {d: m for w in program.parameters for side in program.shapes[w] for d in side.free_symbols} | {program.shapes[program.states[0]][0]: n}
    return {w.name: rng.uniform(-1, 1, [int(d.subs(known)) for d in program.shapes[w]]) / n**0.5 for w in program.parameters}


def sequence(cell: Cell, params: dict[str, Any], args: argparse.Namespace) -> Any:
    """The input of shape (T, m): a file's, or standard normal."""
    (x,) = cell.program.inputs
    m = sizes(cell.program, params).get(cell.program.shapes[x][0], 1)
    if not args.input:
        return np.random.default_rng(args.seed).standard_normal((args.steps, m))
    try:
        xs = np.asarray(np.load(args.input, allow_pickle=False), dtype=float)
    except (OSError, ValueError, TypeError) as e:
        raise SymgradError(f"{args.input}: cannot be read as an array: {e}") from None
    if xs.ndim != 2 or xs.shape[1] != m or not len(xs) or not np.isfinite(xs).all():
        raise SymgradError(f"the input has shape {xs.shape}; a sequence of finite numbers of shape (T, {m}) is needed")
    return xs


def run(args: argparse.Namespace) -> int:
    """``symgrad flow CELL``."""
    cell = load(args.cell)
    if len(cell.inputs) != 1:
        raise SymgradError(f"{cell.name} has {len(cell.inputs)} inputs at a step; a flow report reads one sequence")
    if any(len(cell.program.shapes[s]) != 1 for s in (*cell.program.inputs, *cell.program.states)):
        raise SymgradError(f"{cell.name} has a state or an input that is no vector; a flow report reads vectors")
    params = parameters(cell, read(args.weights), args.layer) if args.weights else drawn(cell, args.size, args.size, args.seed)
    found = flow(cell, params, sequence(cell, params, args))
    if args.picture:
        save(args.picture, lambda to: picture(found, to))
    print(as_json(found) if args.format == "json" else table(found, args.singular))
    return 0
