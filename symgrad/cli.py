"""The command line: it reads words, calls the rooms, and prints; results on stdout, messages on stderr.

Exit status: 0 all well; 1 something was refuted, failed or stale; 2 bad usage or unreadable input.  Every import of a room stands in
the command that needs it, so that ``symgrad --version`` loads nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from symgrad import __version__
from symgrad.errors import Note, SymgradError

DESCRIPTION = "Derive, print, verify and document the gradients of recurrent cells."
EXAMPLES = """\
examples:
  symgrad cells                                        the cells of the library
  symgrad derive gru                                   ∂h_t/∂h_{t-1} in matrix form
  symgrad derive gru --at z=0,r=1 --steps              one edge case, step by step
  symgrad derive lstm --of c --wrt c --through h       with the path through h_{t-1}
  symgrad derive mycell.py:cell --to latex             a cell of your own
  symgrad verify lstm                                  against NumPy, SymPy and what else is installed
  symgrad bound gru                                    how large ‖∂h_t/∂h_{t-1}‖ can get, proved
  symgrad plot gru                                     its computation graph, with the local derivatives
  symgrad flow lstm --picture flow.svg                 where along a sequence the gradient is lost
  symgrad build --check                                are the documents of derivations/ up to date?
  symgrad check notes.md                               is what a document claims true?
"""


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser("symgrad", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"symgrad {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str, *examples: str) -> argparse.ArgumentParser:
        text = "examples:\n" + "".join(f"  {line}\n" for example in examples for line in example.splitlines())
        sentence = help[0].upper() + help[1:] + "."
        p = commands.add_parser(name, help=help, description=sentence, epilog=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        p.set_defaults(run=run)
        return p

    p = command(
        "cells", cells, "list the cells of the library",
        "symgrad cells",
        "symgrad cells --format json",
    )  # fmt: skip
    p.add_argument("--format", choices=("text", "json"), default="text")

    p = command(
        "equations", equations, "print the update equations of a cell",
        "symgrad equations gru",
        "symgrad equations lstm --to latex",
        "symgrad equations gru --as-written",
    )  # fmt: skip
    _cell(p)
    p.add_argument("--form", choices=FORMS, default="matrix")
    p.add_argument("--to", choices=("text", "latex", "sympy"), default="text")
    p.add_argument("--as-written", action="store_true", help="the source of the function set as equations (latexify-py)")

    p = command(
        "derive", derive, "derive a Jacobian",
        "symgrad derive gru",
        "symgrad derive gru --at z=1",
        "symgrad derive lstm --of c --wrt c --through h --steps",
        "symgrad derive lstm --of h,c --wrt h,c --to latex",
        "symgrad derive rnn --lag k",
    )  # fmt: skip
    derive_options(p)

    p = command(
        "adjoint", adjoint, "derive the adjoint (vjp) or tangent (jvp) equations of one step",
        "symgrad adjoint gru",
        "symgrad adjoint lstm --wrt h,c --to latex",
        "symgrad adjoint gru --mode jvp",
    )  # fmt: skip
    _cell(p)
    p.add_argument("--wrt", metavar="NAMES", help="states, inputs or parameters, separated by commas (default: all)")
    p.add_argument("--mode", choices=("vjp", "jvp"), default="vjp")
    p.add_argument("--form", choices=FORMS, default="matrix")
    p.add_argument("--to", choices=("text", "latex", "sympy"), default="text")

    p = command(
        "backward", backward, "derive backpropagation through time, as equations or as code",
        "symgrad backward gru",
        "symgrad backward lstm --loss last --to latex",
        "symgrad backward gru --part parameters",
        "symgrad backward gru --to numpy > gru_backward.py",
    )  # fmt: skip
    _cell(p)
    p.add_argument("--to", choices=("text", "latex", "numpy", "torch"), default="text")
    p.add_argument("--loss", choices=("every", "last"), default="every", help="where the loss stands (equations; the code takes any)")
    p.add_argument("--truncate", metavar="K", help="follow each loss back over K steps only (a number or a letter)")
    p.add_argument("--part", metavar="NAMES", help="loss, start, recursion, parameters, ends, matrices, products, forward (default: all)")
    p.add_argument("--param", metavar="NAMES", help="the equations of these parameters only")

    p = command(
        "verify", verify, "verify a cell's derivatives against NumPy, SymPy and installed references",
        "symgrad verify gru",
        "symgrad verify mycell.py:cell --against numpy,sympy",
        "symgrad verify lstm --format json",
    )  # fmt: skip
    _cell(p)
    p.add_argument("--against", metavar="NAMES", help="numpy,sympy,onnx,torch,jax,decide (default: all that are installed)")
    p.add_argument("--format", choices=("text", "json"), default="text")

    p = command(
        "bound", bound, "bound the norm of a Jacobian by the norms of the weights, with the proof",
        "symgrad bound gru",
        "symgrad bound lstm --of h,c --wrt h,c",
        "symgrad bound gru --wrt b_z",
        "symgrad bound mycell.py:cell --to latex",
    )  # fmt: skip
    _cell(p)
    _derivative(p)
    p.add_argument("--to", choices=("text", "latex", "json"), default="text")

    p = command(
        "plot", plot, "draw a picture of a cell: its graph, or its gradient over the gates, over time, against the forget gate",
        "symgrad plot gru",
        "symgrad plot gru --kind square --output square.svg",
        "symgrad plot rnn_relu --kind norms --output relu.svg",
        "symgrad plot lstm --kind forget --output forget.png",
    )  # fmt: skip
    plot_options(p)

    p = command(
        "flow", flow, "follow the gradient along a sequence: norms, saturated gates, the step that loses it",
        "symgrad flow gru",
        "symgrad flow lstm_torch --weights model.npz --input sequence.npy",
        "symgrad flow rnn --steps 50 --format json",
        "symgrad flow lstm --steps 50 --picture flow.svg",
    )  # fmt: skip
    _cell(p)
    p.add_argument("--weights", metavar="FILE", help="a .npz or .pt file, under the cell's names or torch's (weight_ih_l0, …); default: random")
    p.add_argument("--layer", metavar="NAME", help="of torch's names, the layer: l1, encoder.l0, l0_reverse (default: l0)")
    p.add_argument("--input", metavar="FILE", help="a .npy array of shape (T, m); default: standard normal")
    p.add_argument("--size", type=_count, default=16, metavar="N", help="units, for random weights (default: 16)")
    p.add_argument("--steps", type=_count, default=20, metavar="T", help="steps, for a random input (default: 20)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--singular", action="store_true", help="list every singular value of every step and product")
    p.add_argument("--picture", metavar="FILE", help="draw the report too, to a .svg, .png or .pdf file")
    p.add_argument("--format", choices=("text", "json"), default="text")

    p = command(
        "build", build, "rewrite the derivations in documents",
        "symgrad build",
        "symgrad build notes.md --check",
        "symgrad build derivations --to html",
        "symgrad build notes.md --to tex,pdf",
    )  # fmt: skip
    p.add_argument("paths", nargs="*", default=["derivations"], metavar="PATH", help="documents or folders (default: derivations)")
    p.add_argument("--check", action="store_true", help="change nothing; exit 1 and show the difference if a document is stale")
    p.add_argument("--to", default="md", metavar="FORMATS", help="md, tex, html, pdf, separated by commas: md rewrites in place, the others stand beside it")

    p = command(
        "check", check, "judge the derivations in documents (LaTeX, Markdown, notebooks, HTML, plain text) and in programs (Python, MATLAB, Julia)",
        "symgrad check notes.md\nsymgrad check paper.tex --cell gru\nsymgrad check docs --format github --strict\ncat notes.md | symgrad check -",
    )  # fmt: skip
    p.add_argument("paths", nargs="+", metavar="PATH", help="documents, programs, or folders, whose documents are read and no programs; - is standard input")
    p.add_argument("--cell", metavar="CELL", help="the cell of documents that do not define one: a name of the library, or file.py:function")
    p.add_argument("--format", choices=("text", "json", "github", "sarif"), default="text")
    p.add_argument("--strict", action="store_true", help="what is undecided or unread fails too")
    p.add_argument("--quiet", action="store_true", help="do not list what is proved")
    p.add_argument("--jobs", type=_count, metavar="N", help="documents at a time (default: by the number of cores)")
    p.add_argument("--limit", type=_seconds, metavar="SECONDS", help="seconds of computing that a document may take")
    p.add_argument("--inputs", action="store_true", help=r"follow \input for macros, within the document's own folder")

    p = command(
        "explain", explain, "explain a code of `symgrad check`",
        "symgrad explain",
        "symgrad explain transposed-factor",
    )  # fmt: skip
    p.add_argument("code", nargs="?", metavar="CODE")
    return top


def _count(text: str) -> int:
    """A number from 1 on."""
    if not text.isdecimal() or not 0 < int(text) < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 999")
    return int(text)


def _seconds(text: str) -> float:
    """A number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.01 to 86400")
    return seconds


FORMS = ("matrix", "component", "scalar")


def _cell(p: argparse.ArgumentParser) -> None:
    p.add_argument("cell", metavar="CELL", help="a name of the library, or file.py:function")


def _derivative(p: argparse.ArgumentParser) -> None:
    p.add_argument("--of", metavar="NAME", help="what is differentiated: a state (its new value), an output or a gate (default: the first state)")
    p.add_argument("--wrt", metavar="NAME", help="by what: a state (its old value), an input, a parameter or a gate (default: the first state)")
    p.add_argument("--through", default="", metavar="STATES", help="count the path through these old states too")


def derive_options(p: argparse.ArgumentParser) -> None:
    """The options of ``derive``, which are the directives of a document too."""
    _cell(p)
    _derivative(p)
    p.add_argument("--at", action="append", default=[], metavar="z=1,r=0", help="gates at these values; their slopes follow")
    p.add_argument("--hold", action="append", default=[], metavar="z=1", help="gates held constant at these values, without slope")
    p.add_argument("--lag", metavar="K", help="over K steps (a number or a letter): the product of the Jacobians")
    p.add_argument("--form", choices=FORMS, default="matrix")
    p.add_argument("--steps", action="store_true", help="the chain rule, step by step")
    p.add_argument("--to", choices=("text", "latex", "sympy", "numpy", "json"), default="text")


def plot_options(p: argparse.ArgumentParser) -> None:
    """The options of ``plot``; in a document the picture stands in figures/ beside it."""
    _cell(p)
    kinds = ("graph: the computation graph, local derivatives on its edges (default); square: ∂h_t/∂h_{t-1} over the gates z and r; "
             "norms: of the product over time, with the proved bound; forget: ∂c_t/∂c_{t-k} against the forget gate")  # fmt: skip
    p.add_argument("--kind", choices=("graph", "square", "norms", "forget"), default="graph", help=kinds)
    p.add_argument("--output", metavar="FILE", help="a .svg, .png or .pdf file (default: CELL-KIND.svg; - is standard output, as SVG)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is a message and status 2, never a traceback."""
    try:
        args = parser().parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", Note)
            warnings.showwarning = _show_note
            status: int = args.run(args)
        sys.stdout.flush()
        return status
    except SymgradError as e:
        print(f"symgrad: error: {e}", file=sys.stderr)
    except BrokenPipeError:  # the reader of a pipe has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("symgrad: interrupted", file=sys.stderr)
        return 130
    except RecursionError:
        print("symgrad: error: the formula is nested too deeply", file=sys.stderr)
    except Exception as e:
        if os.environ.get("SYMGRAD_DEBUG"):
            raise
        print(f"symgrad: internal error, {type(e).__name__}: {e}\nThis is a defect of symgrad; with SYMGRAD_DEBUG=1 it shows where.", file=sys.stderr)
    return 2


def _show_note(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
    if issubclass(category, Note):
        print(f"symgrad: note: {message}", file=sys.stderr)


def cells(args: argparse.Namespace) -> int:
    """``symgrad cells``."""
    from symgrad.document.listing import listing, table

    rows = listing()
    print(json.dumps([dict(r) for r in rows], indent=2, ensure_ascii=False) if args.format == "json" else table(rows))
    return 0


def equations(args: argparse.Namespace) -> int:
    """``symgrad equations CELL``."""
    from symgrad.cells.load import load
    from symgrad.document.blocks import as_written, equations_block

    cell = load(args.cell)
    print(as_written(cell) if args.as_written else equations_block(cell, args.form, args.to))
    return 0


def derive(args: argparse.Namespace) -> int:
    """``symgrad derive CELL``."""
    from symgrad.document.blocks import derive_block

    print(derive_block(args))
    return 0


def adjoint(args: argparse.Namespace) -> int:
    """``symgrad adjoint CELL``."""
    from symgrad.document.blocks import adjoint_block

    print(adjoint_block(args))
    return 0


def backward(args: argparse.Namespace) -> int:
    """``symgrad backward CELL``."""
    from symgrad.document.backward import backward_block

    print(backward_block(args))
    return 0


def verify(args: argparse.Namespace) -> int:
    """``symgrad verify CELL``."""
    from symgrad.cells.load import load
    from symgrad.verify import run

    text, status = run(load(args.cell), args.against, args.format)
    print(text)
    return int(status)


def bound(args: argparse.Namespace) -> int:
    """``symgrad bound CELL``."""
    from symgrad.bounds.command import bound_block

    print(bound_block(args))
    return 0


def plot(args: argparse.Namespace) -> int:
    """``symgrad plot CELL``."""
    from symgrad.figures.command import run

    return run(args)


def flow(args: argparse.Namespace) -> int:
    """``symgrad flow CELL``."""
    from symgrad.flow.command import run

    return run(args)


def build(args: argparse.Namespace) -> int:
    """``symgrad build [PATH...]``."""
    from symgrad.document.build import build_all

    return build_all(args.paths, check=args.check, to=args.to)


def check(args: argparse.Namespace) -> int:
    """``symgrad check PATH...``."""
    from symgrad.check.command import check as run

    return run(args)


def explain(args: argparse.Namespace) -> int:
    """``symgrad explain [CODE]``."""
    from symgrad.check.command import explain as run

    return run(args)
