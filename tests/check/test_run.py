"""Files in, a report out: processes that hold whatever a document does, executors, expectations, exit statuses."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import symgrad as sg
from symgrad.check import run
from symgrad.check.run import check, check_files
from symgrad.cli import main
from symgrad.errors import SymgradError

RIGHT, WRONG = "$h_t = z_t$", "$h_t = WRONG$"


def write(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text)
    return [str(folder / f"{name}.md") for name in files]


@pytest.mark.usefixtures("stand_in")
class TestProcesses:
    @pytest.mark.parametrize(
        ("evil", "code"),
        [("LOOP", "out-of-time"), ("POWER", "out-of-time"), ("MEMORY", "out-of-memory"), ("RAISE", "internal-error"), ("EXIT", "internal-error")],
    )
    def test_a_failure_hides_nothing(self, evil: str, code: str, tmp_path: Path) -> None:
        if code == "out-of-memory" and sys.platform != "linux":
            pytest.skip("the bound of memory is Linux's")
        report = check(write(tmp_path, a=RIGHT, b=f"{RIGHT}\n\n$y = {evil}$\n\n{WRONG}", c=WRONG), limit=2 if evil == "MEMORY" else 0.3, jobs=1)
        said = [(Path(c.file).name, c.verdict, c.code) for c in report.claims]
        assert said == [
            ("a.md", "proved", None),
            ("b.md", "proved", None),
            ("b.md", "undecided", code),
            ("b.md", "undecided", code),
            ("c.md", "refuted", "transposed-factor"),
        ]

    def test_within_two_seconds(self, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        check(write(tmp_path, a="$y = POWER$"))  # computing, not the wall: the machine may be busy
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.9

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarms")
    def test_an_alarm_strikes_between_claims(self, tmp_path: Path) -> None:
        """Never in the middle of a line that is written: the process stays, and says that time is up."""
        (path,) = write(tmp_path, a=f"$y = ENDLESS$\n\n{WRONG}")
        check(RIGHT)
        (server,) = run._idle
        for _ in range(5):
            report = check(path, limit=0.05)
            assert [c.code for c in report.where("undecided")] == ["out-of-time"]
            assert run._idle == [server]

    def test_what_a_library_prints_disturbs_nothing(self) -> None:
        assert sg.check("$x = PRINT$").summary["proved"] == 1

    def test_executors(self, tmp_path: Path) -> None:
        paths = write(tmp_path, **{f"d{k}": RIGHT if k % 2 else WRONG for k in range(6)})
        expected = check(paths).claims
        assert len(expected) == 6
        with ThreadPoolExecutor(3) as threads:
            assert check(paths, executor=threads).claims == expected
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
            assert check(paths, executor=processes).claims == expected

    def test_what_an_executor_loses_is_judged_here(self, tmp_path: Path) -> None:
        paths = write(tmp_path, a=RIGHT, lost=WRONG, c=WRONG, refused=RIGHT)

        class Careless(ThreadPoolExecutor):
            def submit(self, fn, request):  # type: ignore[override]
                if "refused" in request["name"]:
                    raise BrokenExecutor("no workers left")
                return super().submit(lost if "lost" in request["name"] else fn, request)

        def lost(request: object) -> None:
            raise OSError("the worker died")

        with Careless(2) as executor:
            report = check(paths, executor=executor)
        assert report.claims == check(paths).claims
        assert [note.partition(": ")[2] for note in report.notes] == [
            "lost by the executor (OSError: the worker died), judged here",
            "lost by the executor (BrokenExecutor: no workers left), judged here",
        ]

    def test_progress(self, tmp_path: Path) -> None:
        paths = write(tmp_path, c=RIGHT, a=WRONG, b=RIGHT)
        said: list[tuple[int, int, str]] = []
        with ThreadPoolExecutor(3) as executor:
            check(paths, executor=executor, progress=lambda *told: said.append(told))
        assert said == [(k + 1, 3, path) for k, path in enumerate(paths)]

    def test_expectations(self, tmp_path: Path) -> None:
        expect = "<!-- symgrad: expect refuted -->"
        met, unmet, open_ = write(tmp_path, met=f"{WRONG} {expect}\n\n{expect}\n\n$$a = WRONG$$", unmet=f"{expect}\n{RIGHT}", open=WRONG)
        assert check([met]).status() == 0
        assert len(check([met]).expected) == 2
        assert check([unmet]).status() == 1
        assert check([unmet]).unmet[0].got == ("proved",)
        assert check([open_]).status() == 1

    def test_the_expected_code(self, tmp_path: Path) -> None:
        right, wrong = write(tmp_path, a=f"{WRONG} <!-- symgrad: expect refuted transposed-factor -->", b=f"{WRONG} <!-- symgrad: expect refuted sign -->")
        assert check([right]).status() == 0
        assert check([wrong]).status() == 1

    def test_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        right, wrong = write(tmp_path, right=RIGHT, wrong=WRONG)
        (tmp_path / "not.ipynb").write_text("{")
        assert main(["check", right]) == 0
        assert main(["check", right, wrong, "--format", "json"]) == 1
        out = capsys.readouterr().out
        told = json.loads(out[out.index("{\n") :])
        assert set(told) == {"version", "claims", "summary"}
        assert told["summary"] == {"proved": 1, "refuted": 1, "undecided": 0, "unread": 0}
        assert list(told["claims"][1]) == [
            "file", "line", "column", "end_line", "end_column", "latex", "verdict", "reading", "layout", "code", "message", "expected", "blame",
            "counterexample", "assumptions",
        ]  # fmt: skip
        assert main(["check", right, str(tmp_path / "missing.md")]) == 2
        assert main(["check", str(tmp_path / "not.ipynb")]) == 2
        assert main(["check", str(tmp_path)]) == 2
        assert capsys.readouterr().err == ""

    def test_strict(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, a="$$ x = 1")
        assert main(["check", path]) == 0
        assert main(["check", path, "--strict"]) == 1

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(WRONG.encode())))
        assert main(["check", "-", "--format", "github"]) == 1
        assert capsys.readouterr().out.startswith("::error file=<stdin>,line=1,endLine=1,col=2,endColumn=3,title=refuted [transposed-factor]::the factor")

    def test_text_or_path(self, tmp_path: Path) -> None:
        (path,) = write(tmp_path, a=RIGHT)
        assert sg.check(path).summary["proved"] == 1
        assert sg.check(Path(path)).summary["proved"] == 1
        assert sg.check(RIGHT).summary["proved"] == 1
        assert sg.check("h_t = z_t * c_t").summary["proved"] == 1
        assert sg.check(tmp_path / "none.md").status() == 2
        assert sg.check("none.md").status() == 2

    def test_folders(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / ".git").mkdir()
        write(tmp_path / "sub", a=RIGHT)
        write(tmp_path / ".git", b=WRONG)
        (tmp_path / "c.bin").write_bytes(b"\x00")
        if hasattr(os, "symlink"):
            os.symlink(tmp_path, tmp_path / "sub" / "loop")
            os.symlink(tmp_path / "me.md", tmp_path / "me.md")
        report = check_files([str(tmp_path)], None)
        assert [Path(c.file).name for c in report.claims if c.verdict == "proved"] == ["a.md"]
        assert [Path(n).name for n in report.unreadable] == ["me.md"]
        empty = tmp_path / "empty"
        empty.mkdir()
        assert check_files([str(empty)], None).status() == 2

    def test_an_unknown_cell(self) -> None:
        with pytest.raises(SymgradError, match="nosuchcell"):
            sg.check(RIGHT, cell="nosuchcell")

    def test_a_cell_of_this_session(self) -> None:
        @sg.cell
        def own(x, h, *, W):
            return W @ h * x

        with pytest.MonkeyPatch.context() as patch:
            import types

            judge = types.ModuleType("symgrad.check.judge")
            judge.judge = lambda document, cell: [document.claim(f, verdict="proved", message=cell.name) for f in document.fragments]
            patch.setitem(sys.modules, "symgrad.check.judge", judge)
            assert sg.check(RIGHT, own).claims[0].message == "own"

    def test_a_module_of_the_folder_is_not_imported(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit('run')")
        (tmp_path / "symgrad.py").write_text("raise SystemExit('run')")
        monkeypatch.chdir(tmp_path)
        (path,) = write(tmp_path, a=RIGHT)
        assert check([path]).summary["proved"] == 1


@pytest.mark.usefixtures("stand_in")
class TestDask:
    """A cluster on this machine, its workers as processes and as threads of this one."""

    @pytest.fixture(params=[True, False], ids=["processes", "threads"])
    def client(self, request: pytest.FixtureRequest, stand_in: Path) -> Iterator[Any]:
        distributed = pytest.importorskip("distributed", reason="needs Dask: pip install symgrad[dask]")
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(processes=request.param, **options) as cluster, distributed.Client(cluster) as client:
            yield client

    def test_an_archive(self, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Documents that loop, crash or raise beside others: everything as without a cluster, in the order of the input, under relative paths."""
        evil = {"loop": "LOOP", "raise": "RAISE", "exit": "EXIT"}
        texts = {name: f"{RIGHT}\n\n$y = {word}$\n\n{WRONG}" for name, word in evil.items()} | {f"d{k}": RIGHT if k % 2 else WRONG for k in range(6)}
        write(tmp_path, **texts)
        monkeypatch.chdir(tmp_path)
        paths = [f"{name}.md" for name in sorted(texts, key=lambda name: name[::-1])]
        said: list[tuple[int, int, str]] = []
        report = check(paths, executor=client.get_executor(), limit=0.5, progress=lambda *told: said.append(told))
        assert report.notes == ()
        assert said == [(k + 1, len(paths), path) for k, path in enumerate(paths)]
        assert list(dict.fromkeys(c.file for c in report.claims)) == paths
        assert report.claims == check(paths, limit=0.5).claims
        assert {c.file: c.code for c in report.claims if c.verdict == "undecided"} == {
            "loop.md": "out-of-time", "raise.md": "internal-error", "exit.md": "internal-error",
        }  # fmt: skip
        assert report.summary == {"proved": 6, "refuted": 3, "undecided": 6, "unread": 0}

    @pytest.mark.parametrize("client", [True], indirect=True, ids=["processes"])
    def test_a_worker_that_is_killed(self, client: Any, tmp_path: Path) -> None:
        """Its documents are judged all the same."""
        workers = list(client.run(os.getpid).values())
        assert os.getpid() not in workers
        paths = write(tmp_path, slow="$y = LOOP$", **{f"d{k}": RIGHT if k % 2 else WRONG for k in range(4)})
        clock = threading.Timer(1.0, os.kill, (workers[0], signal.SIGKILL))
        clock.start()
        try:
            report = check(paths, executor=client.get_executor(), limit=2.0)
        finally:
            clock.cancel()
        assert report.summary == {"proved": 2, "refuted": 2, "undecided": 1, "unread": 0}


def test_what_a_letter_for_steps_is_set_to_is_no_claim() -> None:
    claims = check("We look at $T = 3$ steps, and at $k = 1$. $$s_t = A s_{t-1} + B u_t$$ $$\\frac{\\partial s_3}{\\partial s_2} = A$$").claims
    assert [claim.latex for claim in claims] == ["\\frac{\\partial s_3}{\\partial s_2} = A"]


def test_what_runs_backwards_begins_at_zero_behind_the_last_step() -> None:
    cell = "$$s_t = w s_{t-1} + u_t$$ $$\\mu_t = s_t + w \\mu_{t+1}, \\quad \\mu_{T+1} = 0$$"
    claims = check(cell + " $$\\mu_T = s_T$$ $$\\frac{ds_t}{ds_{t-1}} = w$$").claims
    assert [(claim.latex, claim.verdict) for claim in claims] == [("\\mu_T = s_T", "proved"), ("\\frac{ds_t}{ds_{t-1}} = w", "proved")]


def test_a_proof_names_the_convention_that_other_lines_follow() -> None:
    of_new = "$$\\frac{\\partial E}{\\partial \\tilde{h}_t} = \\frac{\\partial E}{\\partial h_t} \\odot (1 - z_t)$$"
    of_gate = "$$\\frac{\\partial E}{\\partial z_t} = \\frac{\\partial E}{\\partial h_t} \\odot (h_{t-1} - \\tilde{h}_t)$$"
    third = "$$\\frac{\\partial h_t}{\\partial z_t} = \\operatorname{diag}(h_{t-1} - \\tilde{h}_t)$$"
    named = "$$\\frac{\\partial E}{\\partial z_t} = (1 - z_t) \\odot \\frac{\\partial E}{\\partial \\tilde{h}_t} \\odot U_z$$"  # a weight of a GRU
    claims = [claim for claim in check(f"{of_new}\n\n{of_gate}\n\n{named}\n\n{third}").claims if claim.verdict == "proved"]
    assert len(claims) == 3
    assert all(any("two conventions" in note for note in claim.assumptions) for claim in claims)


def test_a_machine_that_is_too_busy_is_no_defect_of_symgrad(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not even begun when the clock on the wall strikes."""
    monkeypatch.setattr(run, "_patience", lambda request: 0.0)
    monkeypatch.setattr(run, "_idle", [])
    (claim,) = check("$h_t = W h_{t-1}$ and $\\frac{\\partial h_t}{\\partial h_{t-1}} = W$").claims
    assert (claim.verdict, claim.code) == ("undecided", "out-of-time")


def test_a_formula_in_pieces_is_not_unbalanced() -> None:
    pieces, whole = "The state is $`h_t`$ = $`f(`$ $`W h_{t-1}`$ + $`U x_t)`$, that is", "$$h_t = f(W h_{t-1} + U x_t)$$"
    report = check(f"{pieces}\n\n{whole}\n\n$$\\frac{{\\partial h_t}}{{\\partial h_{{t-1}}}} = f'(W h_{{t-1}} + U x_t) W$$")
    assert {c.verdict for c in report.claims} == {"unread", "proved"}


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert main(["check", "a.md", "--jobs", "0"]) == 2
    assert main(["check", "a.md", "--limit", "nan"]) == 2
    assert main(["check", "a.md", "--format", "xml"]) == 2
    assert "Traceback" not in capsys.readouterr().err
