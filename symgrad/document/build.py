"""``symgrad build``: every directive's block is derived anew and written in its place, all or nothing for each document.

The same input gives the same bytes on every machine.  A document is written to a temporary file beside it and renamed, so a
failure leaves the old one; a failing directive names its file and line, and the other documents are still built.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from symgrad.document.directives import SYNTAX, Block, split
from symgrad.document.render import MissingLatexify, render
from symgrad.errors import SymgradError
from symgrad.figures.command import directive


def build_all(paths: Sequence[str], check: bool = False, to: str = "md") -> int:
    """Build the documents; 0 all well, 1 something was stale (with `check`), 2 a directive failed."""
    documents = find(paths)
    if not documents:
        raise SymgradError(f"no .md or .tex document in {', '.join(paths)}; a directive is a line <!-- symgrad: derive gru -->")
    stale = failed = 0
    for path in documents:
        start = time.perf_counter()
        try:
            old, new, blocks = rebuilt(path, check)
        except SymgradError as e:
            print(f"symgrad: error: {e}", file=sys.stderr)
            failed += 1
            continue
        changed = old != new
        if check and changed:
            stale += 1
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"{path} (as it is)", f"{path} (as derived now)"))
        elif changed:
            write(path, new)
        if to == "tex" and path.suffix == ".md":
            from symgrad.document.convert import to_tex

            write(path.with_suffix(".tex"), to_tex(new, path))
        verdict = ("stale" if check else "rewritten") if changed else "up to date"
        print(f"{path}: {blocks} block{'s' * (blocks != 1)}, {verdict} ({time.perf_counter() - start:.2f} s)", file=sys.stderr)
    if failed:
        return 2
    return 1 if stale else 0


def find(paths: Sequence[str]) -> list[Path]:
    """The documents at these paths: files as they are, folders searched for .md and .tex."""
    found: list[Path] = []
    for p in map(Path, paths):
        if p.is_dir():
            found += sorted(q for q in p.rglob("*") if q.suffix in SYNTAX and not any(part.startswith(".") for part in q.relative_to(p).parts))
        elif not p.exists():
            raise SymgradError(f"{p}: no such file or folder")
        elif p.suffix not in SYNTAX:
            raise SymgradError(f"{p}: a document is a .md or .tex file")
        else:
            found.append(p)
    return found


def rebuilt(path: Path, check: bool = False) -> tuple[str, str, int]:
    """The document as it is and as derived now, and how many blocks it has; raises `SymgradError` at file:line."""
    try:
        with path.open(encoding="utf-8", newline="") as f:
            old = f.read()
    except (OSError, UnicodeDecodeError) as e:
        raise SymgradError(f"{path}: cannot be read: {e}") from None
    newline = "\r\n" if "\r\n" in old else "\n"
    syntax = SYNTAX[path.suffix]
    blocks = 0
    out: list[str] = []
    for part in split(old.split(newline), syntax, str(path)):
        if isinstance(part, Block):
            blocks += 1
            out += [part.head, *_generated(part, path, check), syntax.close]
        else:
            out.append(part)
    return old, newline.join(out), blocks


def _generated(block: Block, path: Path, check: bool) -> list[str]:
    from symgrad import cli

    words = list(block.command)
    place = f"{path}:{block.line}"
    if words[0] not in ("derive", "equations", "adjoint", "backward", "cells", "plot"):
        raise SymgradError(f"{place}: a document can hold derive, equations, adjoint, backward, cells and plot, not {words[0]!r}")
    if not any(w == "--to" or w.startswith("--to=") for w in words) and words[0] not in ("cells", "plot"):
        words += ["--to", "latex"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            args: argparse.Namespace = cli.parser().parse_args(words)
        except SystemExit:
            reason = said.getvalue().strip().splitlines()
            raise SymgradError(f"{place}: {reason[-1] if reason else 'bad directive'}") from None
    if ":" in getattr(args, "cell", ""):  # a cell of the document's own stands beside it
        args.cell = str(path.parent / args.cell)
    try:
        if args.command == "plot" and not check:
            name, picture = directive(args)
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / name).write_bytes(picture)
        return render(args, path.suffix)
    except MissingLatexify as e:
        return list(block.body) if check and block.body else [f"> {e}" if path.suffix == ".md" else f"% {e}"]
    except SymgradError as e:
        raise SymgradError(f"{place}: {e}") from None


def write(path: Path, content: str) -> None:
    """Replace the file in one step; the old one stays if anything fails."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as f:
            f.write(content)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
