"""Files in, a report out: every document is judged in a process of its own that can be killed, on as many cores as wanted.

`judge_one` is what runs for each document.  It is a plain function of a plain request, so that any `concurrent.futures.Executor` can
run it: threads, processes, a Dask cluster's ``client.get_executor()``.  Whoever runs it, the judging happens in a `Server`, and what an
executor loses (a worker that dies, a machine without symgrad) is judged here.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import symgrad
from symgrad.check import limits, sources, worker
from symgrad.check.claim import Claim, from_json
from symgrad.check.outcome import CheckReport, Expectation
from symgrad.errors import SymgradError

SKIPPED_FOLDERS = frozenset(("node_modules", "__pycache__", "site-packages", "build", "dist"))
Answer = dict[str, Any]


class Server:
    """A process that judges documents one after the other."""

    late = False  # whether the clock on the wall has ended it

    def __init__(self) -> None:
        root = str(Path(symgrad.__file__).resolve().parent.parent)
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "symgrad.check.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None if os.environ.get("SYMGRAD_DEBUG") else subprocess.DEVNULL,
            encoding="utf-8", errors="surrogateescape", env={**os.environ, **one, "PYTHONPATH": path},
        )  # fmt: skip

    def ask(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The messages about one document; they end early if the process does."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        clock = threading.Timer(_patience(request), self.strike)
        clock.daemon = True
        clock.start()
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            for line in stdout:
                kind, what = json.loads(line)
                yield kind, what
                if kind in ("done", "error"):
                    return
        except (OSError, ValueError):  # it died while it was written to, or in the middle of a line
            return
        finally:
            clock.cancel()

    def strike(self) -> None:
        """End it, for it has not answered in time on the wall."""
        self.late = True
        self.process.kill()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def ended(self) -> str:
        """How it died, if neither by an alarm nor by the clock."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        how = self.process.poll()
        if how is None or (how < 0 and -how in (getattr(signal, "SIGVTALRM", 0), getattr(signal, "SIGKILL", 9))):
            return ""
        return f"the process died of signal {-how}" if how < 0 else f"the process ended with status {how}"


def _patience(request: Mapping[str, Any]) -> float:
    """Seconds on the wall after which a process that does not answer is killed; the alarms inside it strike long before."""
    most = request.get("seconds") or limits.allowed(request["text"].count("=")) + limits.MOST
    return 10.0 + 5.0 * float(most) if os.name == "posix" else 2.0 + float(most)


_idle: list[Server] = []


def _forget() -> None:
    _idle.clear()


@atexit.register
def _close() -> None:
    while _idle:
        _idle.pop().close()


if hasattr(os, "register_at_fork"):  # a forked child must not speak to its parent's processes
    os.register_at_fork(after_in_child=_forget)


def judge_one(request: Mapping[str, Any]) -> Answer:
    """Judge one document: its claims, notes, expectations; whatever happens to the process, this returns."""
    answer: Answer = {"name": request["name"], "claims": [], "notes": [], "expected": [], "error": ""}
    try:
        server = _idle.pop()
    except IndexError:
        try:
            server = Server()
        except OSError as e:  # no processes here
            answer["notes"].append(f"judged without a process of its own: {e}")
            return _gathered(answer, worker.judged(request))
    answer = _gathered(answer, server.ask(request), server)
    if answer.pop("ended") in ("", "internal-error", "out-of-time"):
        _idle.append(server)
    else:
        server.close()
    return answer


def _gathered(answer: Answer, messages: Iterable[tuple[str, Any]], server: Server | None = None) -> Answer:
    """The messages as one answer; if they end early, the process tells how, and the stand-ins speak for what was not judged."""
    stand_ins: list[dict[str, Any]] | None = None
    ended = None
    for kind, what in messages:
        if kind == "begun":
            stand_ins = what
        elif kind == "done":
            ended = what
        elif kind == "error":
            answer["error"], ended = what, ""
        else:
            answer[{"claim": "claims", "note": "notes", "expected": "expected"}[kind]].append(what)
    if ended is None:
        how = server.ended() if server is not None else ""
        if stand_ins is None:
            died = "the process that read this file died" if not how else f"while this file was read {how}"
            late = server is not None and server.late
            code, why = ("out-of-time", "this file was not read in time: the machine has too much else to do") if late else ("internal-error", died)
            stand_ins = [worker.entry(worker.whole(answer["name"], code, why, "undecided"))]
        said = {(c["line"], c["column"]) for c in answer["claims"]}
        last = max(said, default=(0, 0))
        rest = [c for c in stand_ins if (c["line"], c["column"]) not in said and (c["end_line"], c["end_column"]) > last]
        if how:
            message = f"{worker.MESSAGES['internal-error']} ({how})"
            rest = [{**c, "code": "internal-error", "message": message} if c["code"] == "out-of-time" else c for c in rest]
        answer["claims"] += rest
    answer["ended"] = "killed" if ended is None else ended
    return answer


def check(
    source: str | Path | Iterable[str | Path],
    cell: Any = None,
    *,
    kind: str = "",
    executor: Executor | None = None,
    jobs: int | None = None,
    limit: float | None = None,
    inputs: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> CheckReport:
    """The claims of a document with their verdicts.

    `source` is text (Markdown, LaTeX, a notebook's JSON), a path, a folder, or several paths; `cell` a name of the library,
    ``file.py:function`` or a cell, for a document that does not define its own.  With an `executor` the documents are judged there;
    else on `jobs` cores.  `limit` is the number of seconds a document may take; `inputs` lets LaTeX draw in files of its folder;
    ``progress(done, total, name)`` is called after each document.
    """
    requests: list[dict[str, Any]] = []
    failed: list[tuple[str, str]] = []
    if isinstance(source, str) and not _is_path(source):
        requests.append({"name": "<text>", "text": source, "kind": kind or sources.guessed(source)})
    else:
        listed = [source] if isinstance(source, str | Path) else list(source)
        for path, reason in _files(listed):
            if reason:
                failed.append((str(path), reason))
                continue
            request = request_of(path, inputs)
            (failed.append((str(path), request["error"])) if "error" in request else requests.append(request))
    return _report(requests, failed, cell, executor, jobs, limit, progress)


def check_files(
    paths: Sequence[str], cell: str | None, *, stdin: bytes | None = None, jobs: int | None = None, limit: float | None = None,
    inputs: bool = False, progress: Callable[[int, int, str], None] | None = None,
) -> CheckReport:  # fmt: skip
    """What the command line does: like `check`, with ``-`` for `stdin`, and a missing file is an entry, not an end."""
    requests: list[dict[str, Any]] = []
    failed: list[tuple[str, str]] = []
    for given in paths:
        if given == "-":
            try:
                text = sources.text_of(stdin or b"", "<stdin>")
                requests.append({"name": "<stdin>", "text": text, "kind": sources.guessed(text)})
            except SymgradError as e:
                failed.append(("<stdin>", str(e)))
            continue
        for path, reason in _files([given]):
            request = {"error": reason} if reason else request_of(path, inputs)
            (failed.append((str(path), request["error"])) if "error" in request else requests.append(request))
    return _report(requests, failed, cell, None, jobs, limit, progress)


def _is_path(source: str) -> bool:
    if len(source) > 1000 or any(c in source for c in "\n$") or not source.strip():
        return False
    try:
        if Path(source).exists():
            return True
    except (OSError, ValueError):
        return False
    return Path(source).suffix.lower() in sources.KINDS and " = " not in source and "\\" not in source


def _files(paths: Iterable[str | Path]) -> Iterator[tuple[Path, str]]:
    """The documents at these paths, each once, or why there is none."""
    seen: set[str] = set()
    for path in map(Path, paths):
        try:
            folder = path.is_dir()
        except (OSError, ValueError) as e:
            yield path, f"cannot be read: {e}"
            continue
        found = sorted(_documents(path)) if folder else [path]
        if folder and not found:
            yield path, "no document in this folder (.md .txt .tex .ipynb .html .rst); name other files one by one"
        for file in found:
            if str(file) not in seen:
                seen.add(str(file))
                yield file, ""


def _documents(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):  # links to folders are not followed: they may lead in a circle
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        yield from (Path(here, f) for f in files if Path(f).suffix.lower() in sources.KINDS and not f.startswith("."))


def request_of(path: Path, inputs: bool = False) -> dict[str, Any]:
    """The request for a file; with ``error`` if it cannot be read."""
    try:
        text = sources.decoded(path)
        kind = sources.kind_of(path)
        preamble = sources.drawn_in(path, text) if inputs and kind == "tex" else []
    except SymgradError as e:
        return {"error": str(e).removeprefix(f"{path}: ")}
    return {"name": str(path), "text": text, "kind": kind, "preamble": preamble, "inputs": inputs}


def _report(
    requests: list[dict[str, Any]], failed: list[tuple[str, str]], cell: Any, executor: Executor | None, jobs: int | None, limit: float | None,
    progress: Callable[[int, int, str], None] | None = None,
) -> CheckReport:  # fmt: skip
    named, direct = _named(cell)
    for request in requests:
        request.update(cell=named, seconds=limit)
    answers: list[Answer] = []
    for k, answer in enumerate(_judged(requests, direct, executor, jobs)):
        if answer["error"]:
            raise SymgradError(answer["error"])
        answers.append(answer)
        if progress:
            progress(k + 1, len(requests), answer["name"])
    claims: list[Claim] = [worker.whole(name, "unreadable-file", reason) for name, reason in failed]
    unreadable = [name for name, _ in failed]
    notes: list[str] = []
    expected: list[Expectation] = []
    for answer in answers:
        own = [from_json(c) for c in answer["claims"]]
        if any(c.code == "unreadable-file" for c in own):
            unreadable.append(answer["name"])
        notes += answer["notes"]
        expected += [Expectation(answer["name"], e["line"], e["wanted"], tuple(e["got"]), tuple(own[k] for k in e["claims"])) for e in answer["expected"]]
        claims += sorted(own, key=lambda c: (c.span, c.verdict))
    return CheckReport(tuple(claims), {r["name"]: r["text"] for r in requests}, tuple(notes), tuple(unreadable), tuple(expected))


def _named(cell: Any) -> tuple[str | None, Any]:
    """A cell as a name that another process can load, or as it is."""
    if cell is None or isinstance(cell, str):
        return cell, None
    from symgrad.cells import LIBRARY

    known = any(of_library is cell for of_library in LIBRARY.values())
    return (cell.name, None) if known else (None, cell)


def _judged(requests: list[dict[str, Any]], cell: Any, executor: Executor | None, jobs: int | None) -> Iterator[Answer]:
    if cell is not None:  # a cell made in this session cannot be sent: it is judged here
        for request in requests:
            yield _gathered({"name": request["name"], "claims": [], "notes": [], "expected": [], "error": ""}, worker.judged(request, cell))
    elif executor is not None:
        yield from _sent(requests, executor)
    elif len(requests) <= 1:
        yield from map(judge_one, requests)
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        with ThreadPoolExecutor(jobs or min(cores, -(-len(requests) // 3))) as pool:
            yield from pool.map(judge_one, requests)


def _sent(requests: list[dict[str, Any]], executor: Executor) -> Iterator[Answer]:
    """The answers of an executor, in the order of the requests; what it loses is judged here, with a note."""
    futures = [_submitted(request, executor) for request in requests]
    try:
        for request, future in zip(requests, futures, strict=True):
            try:
                answer = future.result()
            except Exception as e:
                answer = judge_one(request)
                answer["notes"].append(f"{request['name']}: lost by the executor ({type(e).__name__}: {e}), judged here")
            yield answer
    finally:
        for future in futures:
            future.cancel()


def _submitted(request: dict[str, Any], executor: Executor) -> Future[Answer]:
    try:
        return executor.submit(judge_one, request)
    except BrokenExecutor as e:  # one of its processes died meanwhile
        lost: Future[Answer] = Future()
        lost.set_exception(e)
        return lost
