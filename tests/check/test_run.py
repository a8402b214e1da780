"""Files in, a report out: processes that hold whatever a document does, executors, expectations, exit statuses."""

from __future__ import annotations

import io
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import symgrad as sg
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

    def test_dask(self, tmp_path: Path) -> None:
        distributed = pytest.importorskip("distributed")
        paths = write(tmp_path, a=RIGHT, b=WRONG)
        with (
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            assert check(paths, executor=client.get_executor()).claims == check(paths).claims

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


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert main(["check", "a.md", "--jobs", "0"]) == 2
    assert main(["check", "a.md", "--limit", "nan"]) == 2
    assert main(["check", "a.md", "--format", "xml"]) == 2
    assert "Traceback" not in capsys.readouterr().err
