"""The report in a notebook: a table in HTML, and in Markdown for viewers that know no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from symgrad.check.claim import Claim
from symgrad.check.report.text import shortened

SIGN = {"proved": "✓", "refuted": "✗", "undecided": "?", "unread": "–"}
COLOUR = {"proved": "#1a7f37", "refuted": "#cf222e", "undecided": "#9a6700", "unread": "#8250df"}


def table(claims: Sequence[Claim], count: Mapping[str, int]) -> str:
    """An HTML table; formulas as they were written, in ``<code>``, so that nothing of a document becomes markup."""
    rows = []
    for c in claims:
        said = [escape(c.message)] if c.message and c.verdict != "proved" else []
        if c.expected and c.verdict == "refuted":
            said.append(f"write <code>{escape(shortened(c.expected, 300))}</code>")
        if c.assumptions:
            said.append(f"<small>assuming {escape('; '.join(c.assumptions))}</small>")
        code = f" <small>{escape(c.code)}</small>" if c.code else ""
        rows.append(
            f'<tr><td style="color:{COLOUR[c.verdict]};white-space:nowrap">{SIGN[c.verdict]} {c.verdict}{code}</td>'
            f'<td>{escape(_place(c))}</td><td style="text-align:left"><code>{escape(shortened(c.latex, 120))}</code></td>'
            f'<td style="text-align:left">{"<br>".join(said)}</td></tr>'
        )
    head = "<tr><th>verdict</th><th>where</th><th>claim</th><th></th></tr>"
    return f"<table>{head}{''.join(rows)}</table><p>{escape(_counted(count))}</p>"


def markdown(claims: Sequence[Claim], count: Mapping[str, int]) -> str:
    """A Markdown table."""
    rows = ["| verdict | where | claim | |", "|---|---|---|---|"]
    for c in claims:
        said = c.message if c.verdict != "proved" else ""
        if c.expected and c.verdict == "refuted":
            said += f" Write {_code(shortened(c.expected, 300))}"
        rows.append(f"| {SIGN[c.verdict]} {c.verdict} | {_cell(_place(c))} | {_code(shortened(c.latex, 120))} | {_cell(said)} |")
    return "\n".join([*rows, "", _counted(count)])


def _place(claim: Claim) -> str:
    return f"{'' if claim.file.startswith('<') else claim.file + ':'}{claim.line}:{claim.column}"


def _counted(count: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in count.items() if n) or "no claims found"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _code(text: str) -> str:
    return f"`` {text.replace('`', chr(39)).replace('|', chr(92) + '|')} ``"
