"""A directive's result as lines of the document: display math for LaTeX, a fence for everything else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from symgrad.bounds.command import bound_block
from symgrad.cells.load import load
from symgrad.document import blocks
from symgrad.document.backward import backward_block, backward_parts
from symgrad.document.listing import listing, table
from symgrad.document.written import MISSING, as_written
from symgrad.errors import SymgradError
from symgrad.face.jacobian import Jacobian
from symgrad.figures.command import named
from symgrad.language.program import Program
from symgrad.notation.derivation import Step, steps


class MissingLatexify(SymgradError):
    """The code as written was asked for where latexify-py is not installed."""


def render(args: argparse.Namespace, suffix: str) -> list[str]:
    """The lines between the directive and its closing line, for Markdown or TeX."""
    display = _display_tex if suffix == ".tex" else _display_md
    if args.command == "plot":
        return _picture(args, suffix)
    if args.command == "bound":
        return _shown(bound_block(args), args.to, suffix)
    if args.command == "cells":
        return _fence(table(listing()), "text", suffix)
    if args.command == "equations" and args.as_written:
        try:
            return display(as_written(load(args.cell)))
        except SymgradError as e:
            raise MissingLatexify(str(e)) if str(e) == MISSING else e from None
    if args.command == "equations":
        return _shown(blocks.equations_block(load(args.cell), args.form, args.to), args.to, suffix)
    if args.command == "adjoint":
        return _shown(blocks.adjoint_block(args), args.to, suffix)
    if args.command == "backward":
        return _backward(args, suffix)
    found = blocks.derived(args)
    if args.steps and args.to == "latex" and isinstance(found, Jacobian):
        return _titled(steps(found, args.form), found.program, suffix)
    return _shown(blocks.derive_block(args, found), args.to, suffix)


def _picture(args: argparse.Namespace, suffix: str) -> list[str]:
    """A link to the picture's file beside the document; `pictures` draws it."""
    name, caption = named(args)
    if suffix == ".tex":
        return [r"\begin{center}", rf"\includegraphics{{{Path(name).with_suffix('')}}}% {caption}", r"\end{center}"]
    return [f"![{caption}]({name})"]


def _titled(parts: Sequence[Step], program: Program, suffix: str) -> list[str]:
    """Each part's equations under its heading."""
    display = _display_tex if suffix == ".tex" else _display_md
    out: list[str] = []
    for part in parts:
        title = rf"\paragraph{{{part.title}}}" if suffix == ".tex" else f"*{part.title}*"
        out += [*([""] if out else []), title, "", *display(blocks.lines(part.equations, "latex", program))]
    return out


def _backward(args: argparse.Namespace, suffix: str) -> list[str]:
    """The parts of the backward pass under their headings; code in a fence."""
    if args.to != "latex":
        return _shown(backward_block(args), args.to, suffix)
    parts, program = backward_parts(args)
    return _titled(parts, program, suffix)


def _shown(text: str, to: str, suffix: str) -> list[str]:
    if to == "latex":
        return _display_tex(text) if suffix == ".tex" else _display_md(text)
    return _fence(text, {"text": "text", "json": "json"}.get(to, "python"), suffix)


def _display_md(latex: str) -> list[str]:
    return ["$$", *latex.splitlines(), "$$"]


def _display_tex(latex: str) -> list[str]:
    return [r"\begin{equation*}", *latex.splitlines(), r"\end{equation*}"]


def _fence(text: str, language: str, suffix: str) -> list[str]:
    if suffix == ".tex":
        return [r"\begin{verbatim}", *text.splitlines(), r"\end{verbatim}"]
    return [f"```{language}", *text.splitlines(), "```"]
