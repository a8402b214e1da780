"""``symgrad build``: every directive's block is derived anew and written in its place, all or nothing for each document.

The same input gives the same bytes on every machine.  A document is written to a temporary file beside it and renamed, so a
failure leaves the old one; a failing directive names its file and line, and the other documents are still built.  Documents are built
on all cores, and what has not changed since it was last built is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from symgrad.document.directives import SYNTAX, Block, split
from symgrad.document.site import Site, site
from symgrad.document.stamps import Stamps
from symgrad.errors import SymgradError

SECONDS = {"symgrad: plot": 0.8, "symgrad: bound": 0.3, "symgrad: expect": 0.3}
FORMATS = ("md", "tex", "html", "pdf")
ROOMS = ("symgrad.document.render", "symgrad.cli")  # what every process needs: imported once, before the processes part
ROOMS_FOR_PAGES = ("symgrad.document.sources", "symgrad.document.page", "symgrad.check.judge", "fontTools.ttLib", "fontTools.subset")
ROOMS_FOR_PICTURES = ("symgrad.figures.plot", "matplotlib.figure", "matplotlib.mathtext", "matplotlib.backends.backend_svg")


@dataclass(frozen=True)
class Task:
    """One document, what is to be made of it, and the pages around it."""

    path: Path
    formats: tuple[str, ...]
    site: Site
    check: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a document."""

    path: Path
    blocks: int = 0
    changed: bool = False
    difference: str = ""
    error: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class Rebuilt:
    """A document as it is and as derived now; the parsed commands of its blocks by line."""

    old: str
    new: str
    commands: dict[int, argparse.Namespace] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)  # pictures
    notes: list[str] = field(default_factory=list)


def build_all(paths: Sequence[str], check: bool = False, to: str = "md") -> int:
    """Build the documents; 0 all well, 1 something was stale (with `check`), 2 a directive or a conversion failed."""
    formats = _formats(to)
    documents = find(paths)
    if not documents:
        raise SymgradError(f"no .md or .tex document in {', '.join(paths)}; a directive is a line <!-- symgrad: derive gru -->")
    missing = _missing(formats)
    formats = tuple(f for f in formats if f not in missing)
    pages = site([p for p in documents if p.suffix == ".md"], [Path(p) for p in paths if Path(p).is_dir()]) if "html" in formats else Site()
    stamps = Stamps()
    tasks = [Task(p, formats, pages, check) for p in documents]
    kept = [] if check else [t for t in tasks if stamps.fresh(t.path, outputs(t), pages.context(t.path))]
    waiting = [t for t in tasks if t not in kept]
    for t in kept:
        print(f"{t.path}: unchanged", file=sys.stderr)
    stale = failed = 0
    notes: dict[str, None] = {}
    for task, done in zip(waiting, _worked(waiting), strict=True):
        if done.error:
            print(f"symgrad: error: {done.error}", file=sys.stderr)
            failed += 1
            continue
        notes |= dict.fromkeys(done.notes)
        sys.stdout.write(done.difference)
        stale += check and done.changed
        verdict = ("stale" if check else "rewritten") if done.changed else "up to date"
        made = "".join(f", {f}" for f in formats if f != "md" and task.path.suffix == ".md" and not check)
        print(f"{task.path}: {done.blocks} block{'s' * (done.blocks != 1)}, {verdict}{made} ({done.seconds:.2f} s)", file=sys.stderr)
        stamps.made(task.path, outputs(task), pages.context(task.path))
    if not check:
        stamps.save()
        for path, text in pages.listings():
            write(path, text)
    for note in notes:
        print(f"symgrad: note: {note}", file=sys.stderr)
    for reason in missing.values():
        print(f"symgrad: error: {reason}", file=sys.stderr)
    return 2 if failed or missing else 1 if stale else 0


def _formats(to: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(f.strip() for f in to.split(",") if f.strip()))
    for f in wanted:
        if f not in FORMATS:
            raise SymgradError(f"--to {f}: the formats are {', '.join(FORMATS)}")
    return wanted or ("md",)


def _missing(formats: Sequence[str]) -> dict[str, str]:
    """The formats that cannot be made here, and why."""
    from symgrad.document import convert

    why: dict[str, str] = {}
    for f in formats:
        if f != "md":
            try:
                convert.pandoc()
                if f == "pdf":
                    convert.latexmk()
            except SymgradError as e:
                why[f] = f"--to {f}: {e}"
    return why


def outputs(task: Task) -> list[Path]:
    """The files that a document's formats are written to."""
    if task.path.suffix != ".md":
        return []
    return [task.site.page(task.path) if f == "html" else task.path.with_suffix(f".{f}") for f in task.formats if f != "md"]


def _worked(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """The outcomes in order; several documents are built in several processes, the longest begun first."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if min(len(tasks), cores) < 2:
        yield from map(work, tasks)
        return
    context = multiprocessing.get_context("forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn")
    if context.get_start_method() == "forkserver":
        drawn = any("symgrad: plot" in _text(t.path) for t in tasks)
        context.set_forkserver_preload([*ROOMS, *(ROOMS_FOR_PAGES if "html" in tasks[0].formats else ()), *(ROOMS_FOR_PICTURES if drawn else ())])
    with ProcessPoolExecutor(min(cores, len(tasks)), context) as pool:
        order = sorted(tasks, key=_expected, reverse=True)
        begun = {t.path: pool.submit(work, t) for t in order}
        yield from (begun[t.path].result() for t in tasks)


def _expected(task: Task) -> float:
    """About how many seconds a document takes: by its length, pictures, bounds and, for a page, claims."""
    text = _text(task.path)
    return len(text) / 3e4 + sum(s * text.count(word) for word, s in SECONDS.items() if word != "symgrad: expect" or "html" in task.formats)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def work(task: Task) -> Outcome:
    """Derive one document anew and write what was asked for."""
    start = time.perf_counter()
    path = task.path
    try:
        found = rebuilt(path, task.check, bool({"tex", "pdf"} & set(task.formats)))
        changed, difference = found.old != found.new or bool(found.stale), ""
        if task.check:
            lines = difflib.unified_diff(found.old.splitlines(True), found.new.splitlines(True), f"{path} (as it is)", f"{path} (as derived now)")
            difference = "".join([*lines, *found.stale])
        elif changed:
            write(path, found.new)
        if path.suffix == ".md" and not task.check:
            _convert(task, found)
    except (SymgradError, OSError) as e:
        return Outcome(path, error=str(e) if isinstance(e, SymgradError) else f"{path}: {e}")
    return Outcome(path, len(found.commands), changed, difference, "", tuple(found.notes), time.perf_counter() - start)


def _convert(task: Task, found: Rebuilt) -> None:
    """The other formats of a document."""
    path, text = task.path, found.new.replace("\r\n", "\n")
    if {"tex", "pdf"} & set(task.formats):
        from symgrad.document.convert import to_pdf, to_tex

        tex = to_tex(text, path)
        if "tex" in task.formats:
            write(path.with_suffix(".tex"), tex)
        if "pdf" in task.formats:
            write(path.with_suffix(".pdf"), to_pdf(tex, path))
    if "html" in task.formats:
        from symgrad.document.page import page
        from symgrad.document.sources import sources
        from symgrad.document.verdicts import verdicts

        copies = {line: tuple(sources(args)) for line, args in found.commands.items()}
        write(task.site.page(path), page(text, path, copies, verdicts(text, str(path)), task.site.place(path)))


def find(paths: Sequence[str]) -> list[Path]:
    """The documents at these paths: files as they are, folders searched for .md and .tex; a .tex beside its .md is made from it."""
    found: list[Path] = []
    for p in map(Path, paths):
        if p.is_dir():
            inside = sorted(q for q in p.rglob("*") if q.suffix in SYNTAX and not any(part.startswith(".") for part in q.relative_to(p).parts))
            found += [q for q in inside if q.suffix != ".tex" or q.with_suffix(".md") not in inside]
        elif not p.exists():
            raise SymgradError(f"{p}: no such file or folder")
        elif p.suffix not in SYNTAX:
            raise SymgradError(f"{p}: a document is a .md or .tex file")
        else:
            found.append(p)
    return list(dict.fromkeys(found))


def rebuilt(path: Path, check: bool = False, pdf: bool = False) -> Rebuilt:
    """The document as it is and as derived now; raises `SymgradError` at file:line."""
    try:
        with path.open(encoding="utf-8", newline="") as f:
            old = f.read()
    except (OSError, UnicodeDecodeError) as e:
        raise SymgradError(f"{path}: cannot be read: {e}") from None
    newline = "\r\n" if "\r\n" in old else "\n"
    syntax = SYNTAX[path.suffix]
    found = Rebuilt(old, "")
    out: list[str] = []
    for part in split(old.split(newline), syntax, str(path)):
        if isinstance(part, Block):
            args = _parsed(part, path)
            body = _generated(part, args, path, check, found, pdf or path.suffix == ".tex")
            found.commands[1 + len(out)] = args
            out += [part.head, *body, syntax.close]
        else:
            out.append(part)
    found.new = newline.join(out)
    return found


def _parsed(block: Block, path: Path) -> argparse.Namespace:
    """The command of a directive, read by the command line's own parser."""
    from symgrad import cli

    words = list(block.command)
    place = f"{path}:{block.line}"
    if words[0] not in ("derive", "equations", "adjoint", "backward", "cells", "bound", "plot"):
        raise SymgradError(f"{place}: a document can hold derive, equations, adjoint, backward, cells, bound and plot, not {words[0]!r}")
    if not any(w == "--to" or w.startswith("--to=") for w in words) and words[0] not in ("cells", "plot"):
        words += ["--to", "latex"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            args = cli.parser().parse_args(words)
        except SystemExit:
            reason = said.getvalue().strip().splitlines()
            raise SymgradError(f"{place}: {reason[-1] if reason else 'bad directive'}") from None
    if ":" in getattr(args, "cell", ""):  # a cell of the document's own stands beside it
        args.cell = str(path.parent / args.cell)
    return args


def _generated(block: Block, args: argparse.Namespace, path: Path, check: bool, found: Rebuilt, pdf: bool) -> list[str]:
    """The lines of a block; a picture is drawn beside the document, and what is stale or left alone is kept in `found`."""
    from symgrad.document.render import MissingLatexify, render
    from symgrad.figures.style import MissingMatplotlib

    try:
        if args.command == "plot":
            from symgrad.document.pictures import draw

            stale, note = draw(args, path, pdf, check)
            found.stale += [stale] if stale else []
            found.notes += [note] if note else []
        return render(args, path.suffix)
    except (MissingLatexify, MissingMatplotlib) as e:
        return list(block.body) if check and block.body else [f"> {e}" if path.suffix == ".md" else f"% {e}"]
    except SymgradError as e:
        raise SymgradError(f"{path}:{block.line}: {e}") from None


def write(path: Path, content: str | bytes) -> None:
    """Replace the file in one step; the old one stays if anything fails."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)
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
