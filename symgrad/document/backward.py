"""What the command ``backward`` prints: backpropagation through time as equations, or as code."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import lru_cache

from symgrad.cells.load import load
from symgrad.document.blocks import lines
from symgrad.errors import SymgradError
from symgrad.face.bptt import bptt
from symgrad.language.program import Program
from symgrad.notation.derivation import Step

_bptt = lru_cache(16)(bptt)


def backward_parts(args: argparse.Namespace) -> tuple[list[Step], Program]:
    """The parts that were asked for."""
    result = _bptt(load(args.cell), args.loss, args.truncate)
    parts = result.parts
    if args.param:
        chosen = [p.strip() for p in args.param.split(",")]
        changed = {"parameters": [result.gradient(p) for p in chosen], "products": [result.explicit(p) for p in chosen]}
        parts = {k: replace(s, equations=tuple(changed[k])) if k in changed else s for k, s in parts.items()}
    wanted = [w.strip() for w in args.part.split(",")] if args.part else list(parts)
    for w in wanted:
        if w not in parts:
            raise SymgradError(f"--part {w}: the parts are {', '.join(parts)}")
    return [parts[w] for w in wanted], result.program


def backward_block(args: argparse.Namespace) -> str:
    """What ``symgrad backward`` prints."""
    if args.to in ("numpy", "torch"):
        if args.truncate:
            raise SymgradError(
                "--truncate with code: call forward and backward on chunks of K steps, each chunk's states being the final_states of the one before"
            )
        from symgrad.face.backward import module

        return module(load(args.cell), args.to)
    parts, program = backward_parts(args)
    out = []
    for part in parts:
        body = lines(part.equations, args.to, program)
        out.append(f"% {part.title}\n{body}" if args.to == "latex" else "\n".join([part.title, *(f"  {line}" for line in body.splitlines())]))
    return "\n\n".join(out)
