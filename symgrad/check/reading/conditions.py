r"""Conditions: what a claim is said to hold for, ``when $z_t = 1$``, in its formula, its sentence, the label of its paragraph, its heading.

A condition is a relation that a word such as "if" introduces, or that a label or a heading consists of.  It reaches as far as the sentence
that it stands in: forward from its beginning, back to the formula just before it; that of a label as far as the paragraph; that of a
heading as far as the next one.  What a condition means for the cell is settled in `suppose`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from symgrad.check.reading.prose import (
    ALSO,
    AND,
    BOLD,
    COMMENT,
    CUE,
    IF,
    LABEL_WORDS,
    LONG,
    PARAGRAPH,
    PH,
    POINT,
    REGIME,
    SENTENCE,
    VAGUE,
    clause,
    functions,
    identities,
    introductions,
    is_label,
    masked,
    paragraph,
    stated,
)
from symgrad.check.reading.relations import STEPS, functional, of_numbers, of_steps, valued
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Words

DERIVED = re.compile(r"<!--\s*symgrad:\s*derive\b(?P<options>[^>]*)-->[^.]{0,40}$")
OPTION = re.compile(r"--(?P<how>at|hold)[ =](?P<values>\S+)")
GIVES = re.compile(
    rf"(?P<list>{PH}(?:{AND}{PH})*)\s*\)?,?\s*(?:(?:gives?|yields?|implies|means|makes|leads? to|results? in|we \w+|then)\b|[:—–→⇒])"
)
EITHER = re.compile(r"\\(?:text|mbox|mathrm|textrm)\{[^{}]*\bor\b[^{}]*\}|\\(?:lor|vee)\b")
BREAK = re.compile(r"\b(?:and|but|while|whereas|so|then|or|because|since|hence)\b|;", re.IGNORECASE)
GENERAL = re.compile(
    r"\b(?:in general|generally|otherwise|in any case|always|by contrast|without this|regardless|for every|for all|unconditionally)\b", re.IGNORECASE
)
ENDED, BEGUN = re.compile(r"\n[ \t]*\n\s*$"), re.compile(r"[ \t]*\n[ \t]*\n")  # blank lines
OTHERWISE = re.compile(r"[\s,(]*(?:and\s+)?(otherwise|else|elsewhere)\b", re.IGNORECASE)
MEANT = re.compile(r"\b(?:in|under|for) (?:this|that|such an?|the (?:first|second|third|last|other|former|latter)) (?:case|limit|regime|condition)", re.I)
OF_ITS_OWN = re.compile(  # how a sentence begins that says something else than the formula before it
    r"[\s*_]*(?!(?:This|That|These|It|Which|Holds?|Valid|True|Here|Both|All|The (?:equation|formula|result|identity|claim|above|last))\b)[A-Z][a-z]+\s"
)
SUPPOSED = re.compile(
    r"^\W*(?:(?:\w{1,4}|(?:question|problem|exercise|task|part|frage|aufgabe|ejercicio|exercice)\s+\w{1,3})[.)\]:]+\W*)?(?:now|then|next|first|here|finally)?\W*"
    r"(?:suppos\w+|assum\w+|let|consider|set|fix|take|sei(?:en)?|setze|angenommen|soit|posons|supposons|sea|tomemos|supongamos|seja|sia|supponiamo|poniamo|пусть)\b",
    re.IGNORECASE,
)

TAKEN_AWAY = re.compile(  # "without normalisation ($n_t = a_t$)"
    rf"\b(?:without|no|ohne|sans|sin|sem|senza|без)\b[^.;:\ue000-\uf8ff]{{0,40}}\(\s*{PH}\s*\)", re.IGNORECASE
)
OF_A_KIND = re.compile(  # what a matrix may be that is not followed
    r"\b(?:rotations?|permutations?|nilpotent|idempotent|involut\w+|reflections?|triangular|circulant|shift matrix|delay line"
    r"|Drehung|Permutation|nilpotente?[rsmn]?|rotación|permutación|rotação|permutação|rotazione|permutazione|поворот\w*|перестанов\w*|нильпотент\w*)\b"
    r"|旋转矩阵|置换矩阵|幂零|回転行列|置換行列|べき零",
    re.IGNORECASE,
)
IN_A_CASE = re.compile(  # a heading that is one, "If you use ReLU"
    r"^[\W\d_]*(?:if|when|suppos\w+|what if|wenn|falls|si|quand|cuando|se|quando|если|如果|若)\s"
    r"|(?:的情况|的情形|場合|のとき|인 경우|일 때)\W*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A relation that a claim depends on; `place` is where it stands: line, sentence, paragraph, heading.  A `Words` node was not understood."""

    node: Any
    place: str
    text: str = ""
    held: bool | None = None  # of a value: whether the quantity is a constant there, where that is said

    @property
    def near(self) -> bool:
        """Whether it surely belongs to the claim."""
        return self.place in ("line", "sentence", "comment")


@lru_cache(maxsize=4096)
def _before(text: str) -> tuple[Condition, ...]:
    """The conditions in the prose that ends where the formula begins."""
    prose = masked(text, True)
    chunk = paragraph(prose.text)
    ends = [m.end() for m in SENTENCE.finditer(chunk)]
    sentences = [chunk[a:b] for a, b in zip([0, *ends], [*ends, len(chunk)], strict=True)]
    here = sentences[-1][-LONG:]
    out: list[Condition] = []
    boxed = re.match(rf"\s*\[\s*({PH}(?:{AND}{PH})*)\s*\]", here)
    if boxed is not None and prose.condition(boxed[1]):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(boxed[1])]
    head, colon, rest = here.partition(":")
    if colon and is_label(prose, head):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(head)]
        here = rest
    elif is_label(prose, here) and (not rest.strip() or not re.search(PH, head)):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(here)]
        here = ""
    for start, _, found in introductions(prose, here):
        earlier = here[:start]
        last = re.search(rf".*{PH}", earlier, re.DOTALL)
        if last is not None and not BREAK.search(earlier[last.end() :]):
            continue  # said of the formula before it
        out = [c for c in out if c.node in [n for n, _ in found]] if BREAK.search(earlier) else out
        out += [Condition(n, "sentence", t) for n, t in found]
    for m in GIVES.finditer(here):
        if prose.condition(m["list"]) and not re.search(PH, here[m.end() :]):
            out += [c for n, t in prose.relations(m["list"]) if (c := Condition(n, "sentence", t)) not in out]
    out += [Condition(n, "sentence", t) for n, t in (*identities(prose, here), *functions(prose, here))]
    if (first := OTHERWISE.match(here)) is not None:
        out.append(Condition(Words(first[1]), "sentence", first[1]))
    vague = next((where for words in (VAGUE, REGIME, POINT, TAKEN_AWAY, OF_A_KIND) if (where := words.search(here)) is not None), None)
    if vague is not None:
        out.append(Condition(Words(prose.written(vague[0])), "sentence", prose.written(vague[0])))
    meant = MEANT.search(here)
    if meant is not None:
        out.append(Condition(Words(meant[0]), "paragraph", meant[0]))
    if GENERAL.search(here):
        return tuple(out)
    for k, sentence in enumerate(sentences[:-1][::-1]):
        if GENERAL.search(sentence):
            break
        if k == 0:
            out += [Condition(n, "paragraph", t) for n, t in stated(prose, sentence[-LONG:])]
        if is_label(prose, sentence.partition(":")[0]) and (k == len(sentences) - 2 or ":" in sentence):
            out += [Condition(n, "paragraph", t) for n, t in prose.relations(sentence)]
        elif SUPPOSED.match(sentence) or (k == 0 and all(valued(n) for n, _ in prose.relations(sentence))):
            found = [(n, t) for *_, some in introductions(prose, sentence[-LONG:]) for n, t in some]
            found += [] if not SUPPOSED.match(sentence) else [pair for pair in prose.relations(sentence[-LONG:]) if pair not in found]
            out += [Condition(n, "paragraph", t) for n, t in found if valued(n) or of_numbers(n)]
            out += [Condition(n, "sentence" if k == 0 else "paragraph", t) for n, t in found if functional(n)]
            out += [Condition(Words(m[0]), "paragraph", m[0]) for m in islice(OF_A_KIND.finditer(sentence), 1)]
            out += [Condition(n, "paragraph", t) for n, t in identities(prose, sentence[-LONG:])]
    return tuple(out)


@lru_cache(maxsize=4096)
def _after(text: str) -> tuple[Condition, ...]:
    """The conditions in the prose that begins where the formula ends."""
    prose = masked(text[:LONG], False)
    chunk = PARAGRAPH.split(prose.text, maxsplit=1)[0]
    end = SENTENCE.search(chunk)
    here = chunk[: end.start()] if end else chunk
    out: list[Condition] = []
    for start, stop, found in introductions(prose, here):
        between, behind = here[:start], here[stop:]
        if BREAK.search(between) or re.search(rf"{PH}|:", between) or len(between) > 60:
            break
        if re.match(r"\s*\)?\s*(?:,|then\b|we\b)", behind) and re.search(PH, behind):
            break  # it begins the next part of the sentence
        if between.strip() == "" and here.lstrip()[:1].isupper():
            break  # a sentence of its own, "When $z = 0$ this becomes", speaks of the formula that follows
        if OF_ITS_OWN.match(between):
            break  # "The gate blocks everything when $r_t$ is zero." says something else
        if end is None and behind.strip(" )*_\n"):
            break  # so does one that does not end before it
        out += [Condition(n, "sentence", t) for n, t in found]
        break
    first = re.match(rf"\s*\(\s*{PH}(?:{AND}{PH})*\s*\)", here)
    if first is not None and not out and prose.condition(first.group()):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(first.group())]
    if not out and not SUPPOSED.match(here):
        out += [Condition(n, "sentence", t) for n, t in identities(prose, here[:80])]
    rest = OTHERWISE.match(here)
    if rest is not None:
        out.append(Condition(Words(rest[1]), "sentence", rest[1]))
    meant = MEANT.match(here.lstrip(" ,"))
    if meant is not None:
        out.append(Condition(Words(meant[0]), "paragraph", meant[0]))
    return tuple(out)


@lru_cache(maxsize=512)
def _heading(text: str) -> tuple[Condition, ...]:
    prose = masked(text, True)
    found = [(n, t) for n, t in prose.relations(prose.text) if valued(n)]
    case = [] if found or not IN_A_CASE.search(prose.text) else [(Words(prose.written(prose.text)), prose.written(prose.text))]
    return tuple(Condition(n, "heading", t) for n, t in (*found, *case))


@lru_cache(maxsize=512)
def _derived(text: str) -> tuple[Condition, ...]:
    """The values in the comment of a derived block, ``<!-- symgrad: derive gru --at z=1,r=0 -->``."""
    block = DERIVED.search(text)
    out = []
    for m in OPTION.finditer(block["options"]) if block is not None else ():
        for pair in m["values"].split(","):
            found = parse_dialect(pair[:40], code=True)
            out += [Condition(n, "comment", pair, m["how"] == "hold") for n in found if kind(n) == "Relation"]
    return tuple(out)


def conditions(statement: Any, given: tuple[Any, ...] = ()) -> tuple[Condition, ...]:
    """What a statement depends on, the nearest first; where two places give a name different values, the nearer one counts."""
    f = statement.fragment
    said = f is not None and f.kind == "sentence"
    out = [Condition(c, "sentence" if said else "line") for c in (*given, *statement.conditions)]
    if any(valued(c.node) for c in out) and EITHER.search(statement.fragment.latex):
        out = [Condition(Words("or"), "sentence", "one value or another") for _ in out[:1]]
    if f is not None and "symgrad:" in f.before:
        out += _derived(f.before)
    if f is not None and f.kind in ("inline", "display", "line", "sentence"):
        apart = set_apart(f)  # blank lines around a display end no paragraph
        prose = [*_after(COMMENT.sub(" ", f.after).strip() if apart else f.after), *_before(f.before.strip() if apart else f.before)]
        prose.sort(key=lambda c: c.place != "sentence")
        for c in (*prose, *_heading(f.heading)):
            if not _clashes(c, out):
                out.append(c)
    return tuple(out)


def set_apart(fragment: Any) -> bool:
    """Whether a formula is a display, or a paragraph of its own."""
    alone = ENDED.search(fragment.before) is not None and BEGUN.match(COMMENT.sub("", fragment.after) + "\n\n") is not None
    return fragment.kind == "display" or (fragment.kind == "inline" and alone)


def special(statement: Any) -> bool:
    """Whether a statement speaks of special values of quantities: no definition then, if its left side is defined already."""
    return any(c.near and valued(c.node) and not of_steps(c.node, STEPS) for c in conditions(statement))


def _clashes(c: Condition, others: Iterable[Condition]) -> bool:
    """Whether a nearer condition speaks of the same names already."""
    return not _names(c.node).isdisjoint(name for o in others for name in _names(o.node))


def _names(node: Any) -> set[Any]:
    """What a condition gives values to, as it is spelled."""
    sides = [unwrapped(side) for side in node.sides[:-1]] if kind(node) == "Relation" else []
    return {spelled(side) or side for side in sides}


STATED = re.compile(  # right before a formula, behind what it is stated for
    r"\b(?:with|for|at|as|under)\s+(?:(?!we\b|one\b|you\b|if\b|when\b)[^\s,;]+,?\s+)+(?:one|we|you)\s+(?:\w+\s+)?(?:has|have|gets?|obtains?|finds?)(?:\s+that)?\s*:?$",
    re.IGNORECASE,
)


def introduced(fragment: Any, label: bool = False) -> bool:
    """Whether the prose says of a formula that it is a condition, ``when $z = 1$``; or, as a `label`, ``**Case $z = 1$.**``, ``(1) $z = 1$.``"""
    text = fragment.before.rstrip() if fragment.kind == "display" else fragment.before
    before, here = masked(text, True), clause(text)
    if fragment.kind == "sentence":
        return False  # that is seen where the sentence is read
    if fragment.kind == "display" and STATED.search(here):
        return False
    cue = rf"(?:\b(?:{CUE}|compared (?:to|with)|than|unlike|versus)\b|{IF})[^.;:?!。；：\ue000-\uf8ff]{{0,48}}"
    if re.search(rf"{cue}\(?(?:{PH}(?:{ALSO}))*$", here, re.IGNORECASE):
        return True
    if re.search(rf"\bcases\b[^.;?!]{{0,{LONG}}}$", here) or (BOLD.match(here) and here.count("**") < 2):
        return label or re.search(rf"{PH}", here) is None
    if not label or LABEL_WORDS.sub("", re.sub(PH, " ", here)):
        return False
    marked = bool(here.strip()) or re.match(r"\s*[:.,—–→]", fragment.after) is not None
    return marked and (before.condition(here) or not re.search(PH, here))
