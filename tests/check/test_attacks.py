"""Hostile documents: each ends in a clear message within two seconds of computing and 500 MB, and nothing of it is ever run."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad.cells import LIBRARY
from symgrad.check import run
from symgrad.check.judge import judge
from symgrad.check.reading.trees import shifted
from symgrad.check.sources import read_text
from symgrad.check.worker import judged
from symgrad.notation.syntax import Name, Number, Sum

sys.path.insert(0, str(Path(__file__).parent))
from mutate import ALPHABET, mutated

N = 100_000
DEEP = 20_000
LAUGHS = "".join(rf"\newcommand{{\{c}}}{{\{d} \{d}}}" for c, d in zip("abcdefghijklmnopqrstu", "bcdefghijklmnopqrstuv", strict=True))
ATTACKS = {
    "tower": ("md", "$$x = 9^{9^{9^9}}$$ $h_t = 9**9**9**9$"),
    "braces": ("md", f"$$h = {'{' * N}$$"),
    "closed braces": ("md", f"$$h = {'{' * N}x{'}' * N}$$"),
    "brackets": ("md", f"$$h = {'(' * N}x{')' * N}$$"),
    "left": ("md", "$$h = " + r"\left(" * DEEP + "x" + r"\right)" * DEEP + "$$"),
    "fractions": ("md", "$$h = " + r"\frac{1}{" * DEEP + "x" + "}" * DEEP + "$$"),
    "scripts": ("md", "$$h = " + "x^{" * DEEP + "x" + "}" * DEEP + "$$"),
    "sums": ("md", "$$h = " + r"\sum_{k=1}^{t} " * DEEP + "x$$"),
    "product": ("md", "$$h_t = " + "(h_{t-1} + x_t)" * 5000 + "$$"),
    "multiplied out": ("md", "$$h_t = W h_{t-1}$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = " + "(W + U + V + Q)" * 60 + "$$"),
    "power": ("md", "$$h_t = W h_{t-1}$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = W^{" + "9" * 5000 + "}$$"),
    "digits": ("md", f"$$h_t = {'9' * N} h_{{t-1}}$$"),
    "steps": ("md", "$$h_t = W h_{t-1}$$ $$\\frac{\\partial h_{999999999}}{\\partial h_0} = W^{999999999}$$"),
    "factorial": ("md", "$$h_t = W h_{t-1}$$ $$h_t = 99999999!$$"),
    "macro loop": ("tex", r"\def\a{\b\b}\def\b{\a\a} $\a = 1$"),
    "laughs": ("tex", LAUGHS + r" $\a = 1$"),
    "macro arguments": ("tex", r"\def\a#1{#1#1#1#1} $" + r"\a{" * 200 + "x" + "}" * 200 + " = 1$"),
    "macro of macros": ("md", r"$\newcommand{\a}[1]{\newcommand{\a}{#1}} \a{\a{\a}} = 1$"),
    "unclosed definitions": ("tex", r"\newcommand{\a}{" * 5000),
    "dollars": ("md", "$" * N),
    "dollars apart": ("md", "$ x " * (N // 4)),
    "unclosed displays": ("md", "\\[ x = 1 " * (N // 9)),
    "unclosed environments": ("md", r"\begin{align} x = 1 " * 5000),
    "nested environments": ("md", r"\begin{align}" * 5000 + "x = 1" + r"\end{align}" * 5000),
    "backticks": ("md", "".join("`" * (k % 50 + 1) + "a" for k in range(5000))),
    "fences": ("md", "```\n" * 20000),
    "comments": ("md", "<!-- " * 20000),
    "scripts of HTML": ("md", "<script " * 20000),
    "tags": ("html", "<a b='c' " * 20000),
    "unclosed tags": ("html", "<script><math><span class='katex-html'>" * 5000),
    "entities": ("html", "&amp;" * N),
    "links": ("md", "](http" * 20000),
    "lists": ("txt", "- " * N),
    "one line": ("txt", "h_t = z_t * c_t + " * (N // 10)),
    "equals": ("txt", "a = " * (N // 4)),
    "lines": ("txt", "h_t = z_t * h_{t-1}\n" * 1500),
    "continued": ("txt", "h_t = z_t +\n" * 8000),
    "rst": ("md", ".. math:: a = b\n" * 1500),
    "labels": ("txt", "a " * 40000 + ": x_t = y_t"),
    "NUL": ("md", "$h_t = \x00 z_t$ \x00"),
    "surrogate-like": ("ipynb", '{"cells": [{"cell_type": "markdown", "source": ["$h_t = \\ud800 z_t$ \\udc00"]}]}'),
    "not JSON": ("ipynb", '{"cells": ['),
    "deep JSON": ("ipynb", '{"cells": ' + "[" * N),
    "strange JSON": ("ipynb", '{"cells": [{"cell_type": "markdown", "source": {"a": [1, null, "$x = 1$"]}}, null, 1e999]}'),
    "code": ("md", "$$h_t = __import__('os').system('touch PWNED')$$ `h_t = exec(\"open('PWNED','w')\")` $\\text{__import__('os').system('touch PWNED')} = 1$"),
    "names": ("md", "$$\\mathrm{eval}(h_t) = \\operatorname{os.system}(\\text{touch PWNED})$$ $E = I + N \\cdot Q + S$"),
    "cell of a document": ("md", "<!-- symgrad: cell evil.py:cell -->\n<!-- symgrad: derive evil.py:cell -->\n$h_t = z_t h_{t-1}$"),
    "bidi": ("md", "$h_t \u202e= z_t\u202c$"),
    "combining": ("txt", "h" + "\u0303" * 50000 + "_t = z_t"),
}  # fmt: skip


def computed() -> dict[int, tuple[float, float]]:
    """Seconds of computing and peak memory of each process that judges (Linux)."""
    found = {}
    for server in run._idle:
        folder = Path(f"/proc/{server.process.pid}")
        if folder.is_dir():
            ticks = folder.joinpath("stat").read_text().rpartition(")")[2].split()
            peak = re.search(r"VmHWM:\s*(\d+) kB", folder.joinpath("status").read_text())
            found[server.process.pid] = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK"), int(peak[1]) / 1000 if peak else 0.0
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, tmp_path: Path) -> None:
    pytest.importorskip("symgrad.check.judge")
    kind, text = ATTACKS[name]
    (tmp_path / f"a.{kind}").write_text(text, encoding="utf-8")
    before = computed()
    report = run.check([tmp_path / f"a.{kind}"])
    for pid, (seconds, megabytes) in computed().items():  # a process that is gone was ended by its alarm
        assert seconds - before.get(pid, (seconds - 1.0, 0.0))[0] < 2.0
        assert megabytes < 500
    assert report.status() in (0, 1, 2)
    assert all(c.code != "internal-error" for c in report.claims), [c.message for c in report.claims if c.code == "internal-error"][:1]
    assert all(c.message for c in report.claims if c.verdict in ("undecided", "unread"))


@pytest.mark.parametrize("name", ["tower", "braces", "laughs", "NUL", "not JSON", "code", "cell of a document"])
def test_attack_on_the_command(name: str, tmp_path: Path) -> None:
    pytest.importorskip("symgrad.check.judge")
    kind, text = ATTACKS[name]
    (tmp_path / "evil.py").write_text("open('PWNED', 'w')\ndef cell(x, h): return h\n")
    (tmp_path / f"a.{kind}").write_text(text, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "symgrad", "check", f"a.{kind}", "--format", "json"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, env=ENVIRONMENT)
    assert "Traceback" not in ran.stderr
    assert ran.returncode in (0, 1, 2), ran.stderr
    json.loads(ran.stdout)
    assert not (tmp_path / "PWNED").exists()


ROOT = str(Path(__file__).parents[2])
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])}
SEEDS = [
    "# RNN\n\n$$h_t = \\tanh(W x_t + U h_{t-1} + b)$$\n\nso "
    "$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}(1 - h_t^2) U$$ and\n\n"
    "$$\\begin{aligned}\\delta_t &= W^\\top \\delta_{t+1} \\\\ &= \\sum_{k=1}^{t} \\prod_{i=k+1}^{t} U^{\\top} \\delta_k\\end{aligned}$$",
    "```\nz_t = σ(W_z·[h_{t-1}, x_t] + b_z)\nh̃_t = tanh(W_h·[r_t ⊙ h_{t-1}, x_t])\n"
    "h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t\ndz = dh * (h̃ - h) * z * (1 - z)\n```\n",
    "$\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}$\n\\begin{align}"
    "c_t &= f_t \\odot c_{t-1} + i_t \\odot g_t \\\\ \\pd{c_t}{c_{t-1}} &= \\mathrm{diag}(f_t)"
    "\\begin{cases}1 & i = j \\\\ 0 & \\text{else}\\end{cases}\\end{align}\n<!-- symgrad: cell lstm -->",
]


def told(kind: str, text: str) -> list[str]:
    """The verdicts of a text; an error inside fails the test."""
    messages = list(judged({"name": "fuzz", "text": text, "kind": kind, "seconds": 5.0}))
    assert messages[-1][0] == "done"
    assert not (failed := [m[1]["message"] for m in messages if m[0] == "claim" and m[1]["code"] == "internal-error"]), failed[:1]
    return [m[1]["verdict"] for m in messages if m[0] == "claim"]


FOUND = {  # what the fuzzer has found, made small
    "an empty bracket in a definition": "$$h_t = \\tanh(W x_t + U h_{t-1} + ())$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = U$$",
    "a fence with a bracket for a language": "```}W\n$x = 1$\n```\n\n$h_t = h_t$",
    "a derivative by nothing": "$$h_t = U h_{t-1}$$ $$\\frac{\\partial h_t}{\\partial 0 h_{t-1}} = U$$",
    "an entry defined by a vector": "$$f_ i_t = \\sigma(x_t, h_{t-1})$$ $$h_t = f_t \\odot h_{t-1}$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = f_t$$",
    "a case without a condition": "$$h_t = U h_{t-1}$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = U$$\n\n"
    "$$${o{}}\\begin{cases}d\\\\y{}&i\\ne t\\end{cases}$$",
    "a part of a weight in a loss": 'n=B _{t-1}ad s=n_t$m;l=C s_{}ac{}{B}=\\frac{\\part E}{\\part n_}',
    "a power in a cell whose sizes do not fit": "$$u_t = a u_{t-1} + b v_3t$$ $$\\frac{\\partial u_t}{\\partial u_{t-k}} = a^k$$ $$u_t = u_{t-1}$$\n\n"
    "$$\\frac{\\partial L}{\\partial a} = \\sum_{t=1}^T \\frac{\\partial L}{\\partial u_t} u_{t-1}$$",
    "a power beyond all numbers": "$$q_t = \\tanh(V q_{t-1} + B x_t)$$ Let $\\gamma$ be an upper bound of $|\\tanh'|$ and $\\lambda$ the largest "
    "singular value of $V$. $$(\\gamma \\lambda)^{" + 23 * "t" + "-k} \\ge \\left\\|\\frac{\\partial q_t}{\\partial q_k}\\right\\|$$",
    "a split of nothing": "$$h_t = \\tanh(W x_t + U h_{t-1})$$ $$i_t, f_t = \\operatorname{split}()$$",
    "a stack of quantities that are none": "$\\hat{c}\\\\t=o st$s_t=[h;c_t]\ndelta s={{1}_{}}",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str) -> None:
    assert told("md", FOUND[name])


def test_two_outputs_of_different_sizes_held_against_one_target() -> None:
    text = "q=u_t$L_{a}=\\|q-d\\|^2$L=d^tlog p\\quad o=E^put\\quad p=\\rm{s}(o$\\frac{\\partial L}{partial t}=p"
    codes = [claim.code for claim in judge(read_text(text, "md", name="found"), LIBRARY["gru"])]
    assert "undefined-symbol" in codes
    assert "internal-error" not in codes


def test_a_step_that_is_no_whole_number_can_be_moved() -> None:
    assert shifted(Sum((Name("k"), Number("0.1"))), 1) == Sum((Name("k"), Number("0.1"), Number("1")))


@pytest.mark.parametrize("broken", ["inequalities.bounds.bound", "verdicts.equation"])
def test_a_defect_hides_no_other_verdict(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.delenv("SYMGRAD_DEBUG", raising=False)
    monkeypatch.setattr(f"symgrad.check.{broken}", fails)
    text = "$$h_t = \\tanh(U h_{t-1})$$ $$|h_t| \\le 1$$ $$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}(1 - h_t^2) U$$"
    claims = [m for kind, m in judged({"name": "a", "text": text, "kind": "md", "seconds": 20.0}) if kind == "claim"]
    assert [c["code"] for c in claims] == ["internal-error" if broken.endswith(which) else None for which in ("bound", "equation")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.sampled_from(SEEDS), st.sampled_from(["md", "tex", "html"]))
def test_no_mutant_makes_a_traceback(seed: int, text: str, kind: str) -> None:
    pytest.importorskip("symgrad.check.judge")
    os.environ.pop("SYMGRAD_DEBUG", None)
    told(kind, mutated(random.Random(seed), text))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ALPHABET), max_size=60).map("".join), st.sampled_from(["md", "tex", "html", "py", "js", "ipynb"]))
def test_no_text_makes_the_reader_fail(text: str, kind: str) -> None:
    document = read_text(text, kind)
    for fragment in document.fragments:
        span = document.span(fragment)
        assert (span.line, span.column) < (span.end_line, span.end_column)
