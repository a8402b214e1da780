r"""The verdict beside each claim: what the author of a document states in his own hand is judged, and marked where it stands.

Derived blocks are not judged here; they are what the cell gives.  Their equations of the cell stay, since the claims speak of them.
The marks are Markdown, for pandoc: ``[✓ proved](#verdict-3)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.check.claim import Claim, from_json
from symgrad.check.sources import Document, Fragment, read_text
from symgrad.check.worker import judged
from symgrad.document.directives import MARKDOWN, Block, split

SIGN = {"proved": "✓", "refuted": "✗", "undecided": "?", "unread": "?"}
_FORMULA = re.compile(r"(\$[^$]+\$)")
_DERIVATIVE = re.compile(r"\\partial|\\nabla|\\delta|'|\\frac\s*\{\s*d|\\max|\\lim")
_CLOSING = re.compile(r"\s*(\$\$|\$|\\\]|\\\)|\\end\{[A-Za-z]+\*?\})")


@dataclass(frozen=True)
class Verdicts:
    """The claims of a document in order, and which of them a comment expects."""

    document: Document
    claims: tuple[Claim, ...]
    expected: frozenset[int]  # indices of `claims`

    def count(self, verdict: str) -> int:
        return sum(c.verdict == verdict for c in self.claims)


def own_hand(text: str, name: str) -> str:
    """The document without what was derived; every line stays where it was."""
    out: list[str] = []
    for part in split(text.split("\n"), MARKDOWN, name):
        if not isinstance(part, Block):
            out.append(part)
        elif part.command[0] == "equations":
            out += [part.head, *part.body, MARKDOWN.close]
        else:
            out += [""] * (len(part.body) + 2)
    return "\n".join(out)


def verdicts(text: str, name: str) -> Verdicts:
    """Judge what a document states in its author's hand."""
    written = own_hand(text, name)
    document = read_text(written, "md", name=name)
    claims: list[Claim] = []
    wanted: set[tuple[int, int]] = set()
    for kind, what in judged({"name": name, "text": written, "kind": "md"}):
        if kind == "claim":
            claims.append(from_json(what))
        elif kind == "expected":
            wanted |= {(claims[k].line, claims[k].column) for k in what["claims"]}
    kept = sorted((c for c in claims if (c.line, c.column) in wanted or _stated(c, _fragment(document, c))), key=lambda c: c.span)
    return Verdicts(document, tuple(kept), frozenset(k for k, c in enumerate(kept) if (c.line, c.column) in wanted))


def _stated(claim: Claim, fragment: Fragment | None) -> bool:
    """Whether a relation is one that a reader takes for a claim: a display, or in a sentence one about a derivative; not a case, ``$z = 1$``."""
    if fragment is None or claim.code == "definition":
        return False
    return fragment.kind == "display" or claim.verdict == "proved" or (claim.verdict == "refuted" and bool(_DERIVATIVE.search(claim.latex)))


def _fragment(document: Document, claim: Claim) -> Fragment | None:
    """The formula in which a claim stands."""
    for f in document.fragments:
        span = document.span(f)
        if (span.line, span.column) <= (claim.line, claim.column) and (claim.end_line, claim.end_column) <= (span.end_line, span.end_column):
            return f if f.kind in ("display", "inline") else None
    return None


def insertions(found: Verdicts) -> Iterator[tuple[int, int, str]]:
    """Line, column (from 1) and Markdown of every mark, to be set behind its formula."""
    at: dict[int, list[int]] = {}
    fragments: dict[int, Fragment] = {}
    for k, claim in enumerate(found.claims):
        fragment = _fragment(found.document, claim)
        assert fragment is not None
        fragments[id(fragment)] = fragment
        at.setdefault(id(fragment), []).append(k)
    for key, here in at.items():
        end = fragments[key].extent()[1]
        closing = _CLOSING.match(found.document.text, end)
        yield *found.document.position(closing.end() if closing else end), _mark(found, here, fragments[key].kind == "display")


def _mark(found: Verdicts, here: Sequence[int], display: bool) -> str:
    claims = [found.claims[k] for k in here]
    worst = min((c.verdict for c in claims), key=("refuted", "unread", "undecided", "proved").index)
    link = here[[c.verdict for c in claims].index(worst)]
    many = f" ({sum(c.verdict == worst for c in claims)} of {len(claims)})" if len(claims) > 1 else ""
    word = f" {worst}{many}" if display or worst == "refuted" else ""
    kind = ".display" if display else ".inline"
    why = ""
    if display and worst != "proved":
        why = " ".join(_reason(c) for c in claims if c.verdict == worst)
    anchors = "".join(f"[]{{#claim-{k + 1}}}" for k in here)
    return f" {anchors}[[{SIGN[worst]}{word}](#verdict-{link + 1}){': ' + why if why else ''}]{{.verdict .{worst} {kind}}} "


def _reason(claim: Claim) -> str:
    text = _prose(claim.message)
    if claim.verdict == "refuted" and claim.expected and len(claim.expected) < 400:
        text += f"; true is ${_one_line(claim.expected)}$"
    return text + "."


def listing(found: Verdicts) -> str:
    """The list at the end of a page: every claim with its verdict and the reason."""
    if not found.claims:
        return ""
    lines = ["", "", "## What was checked {#verdicts}", "", "Every claim on this page that is written by hand, as `symgrad check` judges it.", ""]
    for k, c in enumerate(found.claims):
        note = ", as this page says" if k in found.expected and c.verdict == "refuted" else ""
        said = [f"[{SIGN[c.verdict]} {c.verdict}]{{.verdict .{c.verdict}}}{note}: [${_one_line(c.latex)}$](#claim-{k + 1})"]
        if c.verdict != "proved":
            said.append(_reason(c))
        if c.reading != "matrix":
            said.append(f"Read as {'an' if c.reading[0] in 'aeiou' else 'a'} {c.reading} statement.")
        if c.assumptions:
            said.append(f"[Assuming: {_prose('; '.join(c.assumptions))}.]{{.small}}")
        lines.append(f"{k + 1}. []{{#verdict-{k + 1}}}{' '.join(said)}")
    return "\n".join([*lines, ""])


def _one_line(latex: str) -> str:
    """A claim's LaTeX for a line of text: no alignment, no line breaks."""
    if r"\begin" not in latex:
        latex = re.sub(r"(?<!\\)&|\\\\|\\quad(?![a-zA-Z])", " ", latex)
    return " ".join(latex.replace("$", "").split())


def _prose(text: str) -> str:
    """A message as Markdown: its formulas stay, nothing else of it is markup."""
    parts = _FORMULA.split(text)
    return "".join(p if k % 2 else re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", p) for k, p in enumerate(parts))
