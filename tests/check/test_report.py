"""Claims shown: exact text, annotations, SARIF, a notebook's table; nothing of a document becomes markup or an escape sequence."""

from __future__ import annotations

import json

import pytest

from symgrad.check.claim import Claim, Span, from_json, summary
from symgrad.check.judge import judge
from symgrad.check.outcome import CheckReport
from symgrad.check.report.github import workflow
from symgrad.check.report.sarif import sarif
from symgrad.check.report.text import PALETTE, report
from symgrad.check.sources import read_text
from symgrad.check.worker import entry

TEXT = "# GRU\n$$h_t = z_t h_{t-1}$$\n\n$$\\delta_h = W \\delta$$\n"
BAD = Claim(
    file="a b.md", line=4, column=3, end_line=4, end_column=23, latex=r"\delta_h = W \delta",
    verdict="refuted", code="transposed-factor", message="W stands untransposed",
    expected=r"W^\top \delta", blame=Span(4, 14, 4, 15), definition=Span(2, 3, 2, 22), assumptions=("W is the recurrent weight",), layout="denominator",
)  # fmt: skip
GOOD = Claim(file="a b.md", line=2, column=3, end_line=2, end_column=22, latex="h_t = z_t h_{t-1}", verdict="proved", reading="scalar")
OPEN = Claim(file="a b.md", line=2, column=3, end_line=2, end_column=22, latex="x", verdict="unread", code="unread-formula", message="a, b: 100%\nnew")


def test_text() -> None:
    assert report([GOOD, BAD], {"a b.md": TEXT}) == (
        "proved a b.md:2:3: h_t = z_t h_{t-1}\n"
        "    reading: scalar reading\n"
        "\n"
        "refuted[transposed-factor]: W stands untransposed\n"
        " --> a b.md:4:14\n"
        "  |\n"
        "4 | $$\\delta_h = W \\delta$$\n"
        "  |              ^\n"
        ".\n"
        "2 | $$h_t = z_t h_{t-1}$$\n"
        "  |   ------------------- the definition\n"
        "  |\n"
        "  = help: write W^\\top \\delta\n"
        "  = reading: denominator layout\n"
        "  = assuming: W is the recurrent weight\n"
        "  = note: symgrad explain transposed-factor\n"
        "\n"
        "2 claims: 1 proved, 1 refuted"
    )


def test_wide_characters_and_long_lines_keep_the_carets_in_place() -> None:
    line = "你好 h̃ " + "x" * 300 + " BLAME tail" + "y" * 300
    at = line.index("BLAME")
    claim = Claim(file="f", line=1, column=1, end_line=1, end_column=9, latex="l", verdict="refuted", code="c", message="m", blame=Span(1, at + 1, 1, at + 6))
    shown = report([claim], {"f": line}).split("\n")
    k = next(i for i, text in enumerate(shown) if "BLAME" in text)
    assert shown[k].index("BLAME") == shown[k + 1].index("^^^^^")
    assert len(shown[k]) < 130


def test_a_document_does_not_speak_to_the_terminal() -> None:
    claim = Claim(
        file="f", line=1, column=1, end_line=1, end_column=9, latex="\x1b[2J a\u202eb", verdict="refuted", code="c", message="\x1b]0;x\x07", expected="\x1b[31m"
    )
    assert "\x1b" not in report([claim, OPEN], {"f": "\x1b[2J\x07"})
    assert "\x1b[1;31m" in report([claim], {"f": ""}, PALETTE)


def test_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.check.command import _colourful

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert _colourful()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _colourful()


def test_github() -> None:
    lines = list(workflow([GOOD, BAD, OPEN]))
    assert (
        lines[0] == r"::error file=a b.md,line=4,endLine=4,col=14,endColumn=15,title=refuted [transposed-factor]::W stands untransposed%0Awrite: W^\top \delta"
    )
    assert lines[1] == "::warning file=a b.md,line=2,endLine=2,col=3,endColumn=22,title=unread [unread-formula]::a, b: 100%25%0Anew"
    assert next(workflow([OPEN], strict=True)).startswith("::error")


def test_sarif() -> None:
    log = sarif([GOOD, BAD, OPEN], {id(BAD)})
    assert json.loads(json.dumps(log)) == log
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["kind"] == "fail" or result["level"] == "none"
        region = result["locations"][0]["physicalLocation"]["region"]
        assert all(v >= 1 for v in region.values())
    bad = run["results"][1]
    assert bad["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.md"
    assert bad["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert bad["suppressions"]


def test_notebook() -> None:
    evil = Claim(
        file="<text>",
        line=1,
        column=1,
        end_line=1,
        end_column=2,
        latex="<script>`|",
        verdict="refuted",
        code="c",
        message="<b>|",
        expected="<i>",
        assumptions=("<u>",),
    )
    shown = CheckReport((GOOD, evil), {})
    html, markdown = shown._repr_html_(), shown._repr_markdown_()
    assert "<script>" not in html
    assert "<b>" not in html + markdown
    assert html.count("<tr>") == 3
    assert all(row.count("|") - row.count("\\|") == 5 for row in markdown.split("\n")[:4])


def test_data() -> None:
    assert from_json(json.loads(json.dumps(entry(BAD)))) == BAD
    assert summary([GOOD, BAD, OPEN]) == {"proved": 1, "refuted": 1, "undecided": 0, "unread": 1}
    with pytest.raises(ValueError, match="maybe"):
        Claim(file="f", line=1, column=1, end_line=1, end_column=1, latex="", verdict="maybe")


def test_report_counts() -> None:
    assert str(CheckReport()) == "no claims found"
    assert CheckReport((OPEN,)).status() == 0
    assert CheckReport((OPEN,)).status(strict=True) == 1
    assert CheckReport((BAD,)).where("refuted") == (BAD,)


def test_the_links_of_a_chain_stand_where_they_are_written() -> None:
    """The first with its left side, the others from their sign on, each in its own row: no two of them overlap."""
    text = (
        "$$h_t = \\tanh(W h_{t-1} + U x_t)$$\n\n$$\n\\begin{aligned}\n\\frac{\\partial h_t}{\\partial h_{t-1}} &= \\operatorname{diag}(1 - h_t^2) W \\\\[1ex]\n"
        "  &= \\operatorname{diag}(1 - h_t) W = W\n\\end{aligned}\n$$\n"
    )
    claims = list(judge(read_text(text, "x.md")))
    assert [(c.line, c.column, c.verdict) for c in claims] == [(5, 1, "proved"), (6, 4, "refuted"), (6, 37, "refuted")]
    assert [c.latex for c in claims[1:]] == [r"= \operatorname{diag}(1 - h_t) W", "= W"]


def test_a_repair_takes_the_size_of_a_bracket_with_the_bracket() -> None:
    text = (
        "$$S_t = S_{t-1} + k_t v_t^\\top, \\quad k_t = A x_t, \\quad v_t = B x_t$$\n\n"
        "$$\\frac{\\partial L}{\\partial v_t} = k_t \\left(\\frac{\\partial L}{\\partial S_t}\\right)^\\top$$\n"
    )
    (wrong,) = (c for c in judge(read_text(text, "x.md")) if c.verdict == "refuted")
    assert wrong.expected == r"k_t \frac{\partial L}{\partial S_t}"


def test_a_lost_slope_is_put_before_a_weight_as_a_diagonal_matrix() -> None:
    text = "$$q_t = \\tanh(A q_{t-1} + B x_t)$$\n\n$$\\frac{\\partial q_t}{\\partial q_{t-1}} = A$$\n"
    assert [c.expected for c in judge(read_text(text, "md", name="slope"), None)] == [r"\operatorname{diag}(1 - q_t^2)\, A"]
