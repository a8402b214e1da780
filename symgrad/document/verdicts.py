r"""The verdict beside each claim: what the author of a document states in his own hand is judged, and marked where it stands.

Derived blocks are not judged here; they are what the cell gives.  Their equations of the cell stay, since the claims speak of them.
The marks are Markdown, for pandoc: ``[✓ proved](#verdict-3)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.check.claim import Claim, from_json
from symgrad.check.sources import Document, Fragment, read_text
from symgrad.check.worker import judged
from symgrad.document.directives import MARKDOWN, Block, split

SIGN = {"proved": "✓", "refuted": "✗", "undecided": "?", "unread": "?", "disputed": "?"}
WORDS = tuple(SIGN)
SECONDS = 60.0  # of computing, for one document
_SET_APART = re.compile(r"(\$[^$]+\$|`[^`]+`)")
_DERIVATIVE = re.compile(r"\\partial|\\nabla|\\delta|'|\\frac\s*\{\s*d|\\max|\\lim")
_CLOSING = re.compile(r"\s*(\$\$|\$|\\\]|\\\)|\\end\{[A-Za-z]+\*?\})")


@dataclass(frozen=True)
class Verdicts:
    """The claims of a document in order; which of them a comment of its author expects, and which it expects to be otherwise."""

    document: Document
    claims: tuple[Claim, ...]
    expected: frozenset[int]  # indices of `claims`
    disputed: Mapping[int, str]  # index → what the author expects

    def word(self, k: int) -> str:
        """What is said of a claim in one word; where author and checker disagree, neither is given right."""
        verdict = self.claims[k].verdict
        return "disputed" if k in self.disputed and verdict in ("proved", "refuted") else verdict

    def count(self, word: str) -> int:
        return sum(self.word(k) == word for k in range(len(self.claims)))


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
    met: set[int] = set()
    unmet: dict[int, str] = {}
    for kind, what in judged({"name": name, "text": written, "kind": "md", "seconds": SECONDS}):
        if kind == "claim":
            claims.append(from_json(what))
        elif kind == "expected":
            met |= set(what["claims"])
            unmet |= {} if what["claims"] else dict.fromkeys(what["here"], what["wanted"])
    shown = [k for k, c in enumerate(claims) if k in met or k in unmet or _stated(c, _fragment(document, c))]
    shown.sort(key=lambda k: claims[k].span)
    return Verdicts(
        document, tuple(claims[k] for k in shown), frozenset(n for n, k in enumerate(shown) if k in met),
        {n: unmet[k] for n, k in enumerate(shown) if k in unmet},
    )  # fmt: skip


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
    words = [found.word(k) for k in here]
    worst = min(words, key=("refuted", "disputed", "unread", "undecided", "proved").index)
    many = f" ({words.count(worst)} of {len(here)})" if len(here) > 1 else ""
    shown = f" {worst}{many}" if display or worst == "refuted" else ""
    why = " ".join(_reason(found, k) for k in here if found.word(k) == worst) if display and worst != "proved" else ""
    anchors = "".join(f"[]{{#claim-{k + 1}}}" for k in here)
    link = f"[{SIGN[worst]}{shown}](#verdict-{here[words.index(worst)] + 1})"
    return f" {anchors}[{link}{': ' + why if why else ''}]{{.verdict .{worst} .{'display' if display else 'inline'}}}"


def _reason(found: Verdicts, k: int) -> str:
    claim = found.claims[k]
    if found.word(k) == "disputed":
        return f"this page says {_prose(found.disputed[k])}, `symgrad check` says {claim.verdict} ({_prose(claim.message)})."
    text = _prose(claim.message)
    if claim.verdict == "refuted" and k not in found.expected and claim.expected and len(claim.expected) < 400:  # else the page itself says what is true
        text += f"; true is ${_one_line(claim.expected)}$"
    return text + "."


def listing(found: Verdicts) -> str:
    """The list at the end of a page: every claim with its verdict and the reason."""
    if not found.claims:
        return ""
    lines = ["", "", "## What was checked {#verdicts}", "", "Every claim on this page that is written by hand, as `symgrad check` judges it.", ""]
    for k, c in enumerate(found.claims):
        word = found.word(k)
        note = ", as this page says" if k in found.expected and word == "refuted" else ""
        said = [f"[{SIGN[word]} {word}]{{.verdict .{word}}}{note}: [${_one_line(c.latex)}$](#claim-{k + 1})"]
        if word != "proved":
            said.append(_reason(found, k))
        if c.reading != "matrix" and word in ("proved", "refuted"):
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
    """A message as Markdown: its formulas and code stay, nothing else of it is markup."""
    parts = _SET_APART.split(text)
    return "".join(p if k % 2 else re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", p) for k, p in enumerate(parts))
