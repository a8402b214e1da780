"""The pages: every code has one with an example, and what the examples show is what comes out."""

from __future__ import annotations

import re

import pytest

from symgrad.check.explain import FOLDER, explained, pages
from symgrad.check.sources import read_text
from symgrad.cli import main
from symgrad.errors import SymgradError

BLOCK = re.compile(r"^(`{3,})markdown (wrong|right)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
EXAMPLES = [(code, m[2], m[3]) for code, page in pages().items() for m in BLOCK.finditer(page.text)]


@pytest.mark.parametrize(("code", "kind", "text"), EXAMPLES, ids=[f"{c}-{k}" for c, k, _ in EXAMPLES])
def test_example(code: str, kind: str, text: str) -> None:
    judge = pytest.importorskip("symgrad.check.judge").judge
    document = read_text(text, "md", name=code)
    got = [(c.verdict, c.code) for c in judge(document, None)] + [("unread", p.code) for p in document.problems]
    if kind == "wrong":
        assert code in [c for _, c in got], got
    else:
        assert got, "the right example claims nothing"
        assert {v for v, _ in got} == {"proved"}, got


def test_pages_are_whole() -> None:
    for code, page in pages().items():
        assert re.fullmatch("[a-z]+(-[a-z]+)*", code)
        assert page.text.startswith("# ")
        assert page.title


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(pages())
    assert main(["explain", "transposed-factor"]) == 0
    assert capsys.readouterr().out.startswith("# A weight is transposed")
    assert main(["explain", "transposed-facter"]) == 2
    assert "did you mean transposed-factor" in capsys.readouterr().err
    with pytest.raises(SymgradError):
        explained("nothing")


NO_CODES = {"application/x-tex", "slope-of-output"}  # and tags that the modules use among themselves


def test_every_code_has_a_page() -> None:
    used: set[str] = set()
    for path in FOLDER.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in ("verdicts.py", "caution.py", "edits.py", "diagnose.py", "judge.py", "worker.py"):
            used |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text))
        used |= set(re.findall(r'Problem\([^"]*"([a-z-]+)"', text))
    assert {code for code in used if code not in pages() and code not in NO_CODES and not code.startswith(("input-", "utf-"))} == set()
