"""Plain text put as a formula has it: a tilde behind its letter, the word of a bar, ranges; what is said of a formula and no part of it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.passages import rewritten
from symgrad.check.sources.words import FUNCTIONS, GREEK

RELATION = re.compile(
    r":=|\+=|-=|≈|≜|≔|∝|←|≤|≥|(?<![=!<>:+\-*/])=(?![=>])|(?<=\s)<-(?=\s)"
    r"|\\(?:approx|propto|leftarrow|le|leq|ge|geq|equiv|triangleq|gets)(?![A-Za-z])"
)
_EAST = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # letters of words that no spaces set apart
_COMMENT = re.compile(
    r"""(?<!\s)(?:\s+(?://|\#|--|—|–|←|<-|;;)\s+\S.*$   # a comment of a programmer
  | \s+-{1,2}>\s+(?=[A-Za-z]+[\s,.]).*$            # what follows from the formula, in words
  | \s+(?:-{1,2}>|→)\s+\([\w\s,]*\)\s*$            # its shape
  | \s{2,}\(?[A-Za-z][a-z]+[\s,].*$               # words far to the right
  | \s+\[[A-Za-z][A-Za-z'’\s-]{2,}\]\s*$)""",
    re.DOTALL | re.VERBOSE,
)
_RANGE = re.compile(  # ``Σ(t=1 to T)``, ``prod_{t=1..T}``
    r"(?:(?<=[ΣΠ∑∏])|(?<=\b(?:sum|SUM))|(?<=\b(?:prod|PROD)))\s*_?(?:\((?=[^()]*\))|\{)\s*(\w+\s*=\s*[^(){}\s]+?)"
    r"(?:\s+to\s+|\s*(?:\.\.+|…)\s*)([^(){}\s]+)\s*[)}]"
)
_TILDE = re.compile(r"(?<![A-Za-z~\\])([dD∂δΔ]?[A-Za-z])~(?=[(\[_^'²\s)\]}*/+,;.=⊙∘·×−-]|$)")
_ANGLED = re.compile(r"(?<=[^\W_]|[\u0300-\u036f])<(t(?:[-+−]1)?)>")  # ``a<t-1>``
_CALLED = re.compile(  # ``... call this e_t``, ``(call it e_t)``
    r"(?:\s*[(（,;#—–]|\s+-+|\s*(?:\.{2,}|…)|\s{2,})\s*(?:(?:let\s+(?:me|us)|let's|(?:I|we)(?:'ll|\s+will)?)\s+)?"
    r"(?:call(?:ed)?|denote|name)\s+(?:it|this|that)\s+(?:by\s+)?([^\W\d_][^\s()=,;]{0,20}?)[)）]?\s*\.?\s*$"
)
_BAR = re.compile(r"(?<=[\w)\]}])\|(?=[^\W\d_]{2,})")  # ``(∂h_k/∂W)|direct``
_STRONG = re.compile(r"(?<![^\s(\[|])\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*(?![^\s)\].,;:|])")  # ``**∂L/∂W** = …``
_OWNED = re.compile(r"(?<=[A-Za-z]{2})['’]s(?=\s)")
_SHIFTED = re.compile(r"(?<=[^\W_]|[\u0300-\u036f])_([tTk])([-−+][12])(?![\w(]|\.(?!T(?!\w)))")
_RECURS = re.compile(  # ``h_t = tanh(W h_t-1 + …)``, ``∂h_t/∂h_t-1``
    r"([A-Za-z])_([tTk])[ \t]*=[^=\n]*(?<![A-Za-z])\1_\2[-−]1(?![\w.])|[∂d]([A-Za-z])_([tTk])[ \t]*/[ \t]*[∂d]\3_\4[-−]1(?![\w.])"
)
_ANYWAY = re.compile(  # where a formula is announced
    r"[ \t]*(?:(?:[Ss]o|[Tt]hen|[Tt]hus|[Hh]ence|[Tt]herefore)\b,?(?=[ \t])"
    r"|其中|其實|即|也即|也就是|则|則|故|所以|因此|于是|於是|从而|從而|那么|那麼|这里|這裡|此处|可得|得到|得|有"
    r"|ここで|ただし|したがって|すなわち|つまり|よって|여기서|따라서|그러므로|즉)[，,：:、]?[ \t]*(?=[A-Za-z∂∇\u0370-\u03ff])"
)
_WAY = re.compile(r"[ \t]*[(（](?:(?:from|via|through|along)\b|来自|來自|通过|通過|经由|經由|经过|經過|沿)[^()（）=]*[)）]\s*(?=\+?=)")  # `(from h_t) =`
_STEP = re.compile(  # `(at t) =`, `(from t=3) =`, `(contribution of step t) =`
    r"[ \t]*[(（](?:at|from|for|contributions? (?:at|of|from))\s+(?:the\s+)?(?:time[- ]?)?(?:steps?\s+)?(?:t\s*=\s*)?(t|k|\d+)[)）]\s*(?==)"
)
_UNSAID = re.compile(  # a last term that is dots or words: ``+ ...``, ``+ other terms``, ``+ z_t terms through h``, ``+ [terms of the gates]``
    r"(?<=\+)[ \t]*(?:\.{2,}|\[(?:[A-Za-z]+[ -])+[A-Za-z]+\]|(?:[^\s+=()]{1,12}[ -]){0,4}(?:terms?|contributions?|parts|rest|others)"
    r"(?:[ -][^\s+=()]+){0,8})[ \t]*$"
)
_ROUND = re.compile("[()（）]")
_OPENS = re.compile(r"(?<=\s)\(|\s*（")
_WORD = re.compile(rf"(?<![\\_^A-Za-z])[A-Za-z]{{3,}}(?![A-Za-z_(\[^])|[{_EAST}]{{2,}}")
_OPERATES = re.compile(r"\s[-+*/×⊙∘·@=]\s|[∂^⊙]|\bd[A-Za-z]\w*(?:\([^()]*\))?/d[A-Za-z]")
_SENTENCE = re.compile(  # ``shape: n × m``, ``one pass; h_0 = 0``
    r"[A-Za-z]{3,}:\s|(?:via|through|from|because|since)\s|因[为為]|由[于於]|[A-Za-z][a-z]+[ \t]+[a-z][a-z-]+[ ,;.]"
)
_CONDITION = re.compile(r"\b(?:if|when|whenever|where|for|with|at|as|assum\w+|given|provided|suppos\w+|unless|only|wenn|quand|si|cuando|если)\b|[当當若如]")
_VALUED = re.compile(r"[=≈→∈<>≤≥]")
LONG = 300  # characters of a remark that are looked at
_OPERATOR = re.compile(r"(?:[-+*/=−×⊙∘·@⊗(\[,]|\\[a-z]+)\s*$")
_PLUS = re.compile(r"\+\s*[(（]$")
_BEHIND = re.compile(rf"\s*(?:$|[.,;:!?。，；：]|[-–—]+\s|#|//|[←→⇒])|[ \t]{{2,}}|[ \t]*[{_EAST}]|[ \t]+(?P<word>[A-Za-z]{{2,}})(?![A-Za-z_(^])")


def runs_on(text: str) -> bool:
    """Whether a text writes ``h_t-1`` for what h was at the step before."""
    return "_t-1" in text.replace("−", "-") and _RECURS.search(text) is not None


def shifted(source: Passage) -> Passage:
    """``h_t-1`` as ``h_{t-1}``."""
    return rewritten(source, _SHIFTED, lambda m: f"_{{{m[1]}{m[2]}}}")


def put(line: Passage) -> Passage:
    """A line of plain text with its formulas as others write them, and without remarks."""
    for rule in (_called, _on_their_ways, _unfinished, _unremarked, _uncommented, _marked, _barred, _ranged):
        line = rule(line)
    return line


def spelled(text: str, place: Passage) -> Passage:
    """Text that stands for what is written at a place."""
    return Passage(text, [place.starts[0]] * len(text), [place.ends[-1]] * len(text))


def _called(line: Passage) -> Passage:
    """``∂L/∂y_t = y_t - d_t ... call this e_t`` as ``∂L/∂y_t = y_t - d_t =: e_t``."""
    m = _CALLED.search(line.text)
    if m is None or not RELATION.search(line.text, 0, m.start()):
        return line
    return joined([line[: m.start()], spelled(" =: ", line[slice(*m.span())]), line[slice(*m.span(1))]])


def _uncommented(line: Passage) -> Passage:
    while (sign := RELATION.search(line.text)) and (comment := _COMMENT.search(line.text, sign.end())):
        line = line[: comment.start()]
    return line


def _marked(line: Passage) -> Passage:
    r"""``c~_t`` as ``c̃_t``, ``a<t>`` as ``a_t``; without the words before a formula that only announce it, and without emphasis."""
    if "'s" in line.text or "’s" in line.text:
        line = rewritten(line, _OWNED, lambda m: "")
    if "<t" in line.text:
        line = rewritten(line, _ANGLED, lambda m: f"_{{{m[1]}}}")
    if "~" in line.text and "\\" not in line.text:
        line = rewritten(line, _TILDE, lambda m: m[1] + "\u0303")
    if "**" in line.text:
        line = rewritten(line, _STRONG, lambda m: m[1])
    announced = _ANYWAY.match(line.text)
    return line[announced.end() :] if announced else line


def _barred(line: Passage) -> Passage:
    """``(∂h_k/∂W)|direct`` as ``(∂h_k/∂W)|_direct``."""
    if "|" not in line.text:
        return line
    bars = [m.start() for m in _BAR.finditer(line.text)]
    if len(bars) < line.text.count("|") or any(line.text.count("(", 0, k) != line.text.count(")", 0, k) for k in bars):
        return line
    return rewritten(line, _BAR, lambda m: "|_")


def _ranged(line: Passage) -> Passage:
    for m in reversed(list(_RANGE.finditer(line.text))):
        signs = [spelled(sign, line[m.start() : m.start() + 1]) for sign in ("_{", "}^{", "}")]
        line = joined([line[: m.start()], signs[0], line[slice(*m.span(1))], signs[1], line[slice(*m.span(2))], signs[2], line[m.end() :]])
    return line


def _on_their_ways(line: Passage) -> Passage:
    """``∂L/∂c_t (from h_t) = …``: what comes by one way is a part, ``∂L/∂c_t += …``; ``∂L/∂W (at t) = …`` is ``∂L/∂W|_t = …``."""
    m = _STEP.search(line.text)
    if m is not None and not RELATION.search(line.text, 0, m.start()) and re.search(r"[∂∇d][\w.]+\s*$", line.text[: m.start()]):
        bar = [spelled(sign, line[slice(*m.span())]) for sign in ("|_{", "} ")]
        return joined([line[: m.start()], bar[0], line[slice(*m.span(1))], bar[1], line[m.end() :]])
    m = _WAY.search(line.text)
    if m is None or RELATION.search(line.text, 0, m.start()):
        return line
    sign = spelled(" +", line[slice(*m.span())]) if line.text[m.end()] == "=" else line[m.end() : m.end()]
    return joined([line[: m.start()], sign, line[m.end() :]])


def _unfinished(line: Passage) -> Passage:
    """``a + other terms`` as ``a + …``."""
    m = _UNSAID.search(line.text)
    return line if m is None else joined([line[: m.start()], spelled(" …", line[slice(*m.span())])])


def _unremarked(line: Passage) -> Passage:
    """Without words in brackets behind a formula; a term in words, ``+ (what the output adds)``, stands as dots."""
    parts, at = [], 0
    for start, stop, term in _remarks(line.text):
        parts += [line[at:start], spelled("…", line[start:stop])] if term else [line[at:start]]
        at = stop
    return joined([*parts, line[at:]]) if at else line


def _remarks(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where remarks stand, and whether each is a term of a sum."""
    relation = RELATION.search(text)
    at = relation.end() if relation else len(text)
    closings = _closings(text)
    while m := _OPENS.search(text, at):
        at = m.end()
        stop = closings[at]
        said = text[at : min(stop - (text[stop - 1] in ")）"), at + LONG)]
        words = [w for w in _WORD.findall(said) if w not in FUNCTIONS and w not in GREEK]
        given = _CONDITION.search(said) is not None and _VALUED.search(said) is not None
        if not words or given or (_OPERATES.search(said) is not None and _SENTENCE.match(said) is None):
            continue
        start = len(text[: m.start()].rstrip(" \t"))
        if _PLUS.search(text, 0, at):
            if len(words) > 1 or not words[0].isascii():
                yield at - 1, stop, True
                at = stop
        elif not _OPERATOR.search(text, 0, m.start()) and _ends_behind(text, stop, len(words)):
            yield start, stop, False
            at = stop


def _closings(text: str) -> dict[int, int]:
    """Behind each opening bracket the place behind the one that closes it; the end where none does."""
    out: dict[int, int] = {}
    opened: list[int] = []
    for m in _ROUND.finditer(text):
        if m[0] in "(（":
            opened.append(m.end())
            out[m.end()] = len(text)
        elif opened:
            out[opened.pop()] = m.end()
    return out


def _ends_behind(text: str, stop: int, words: int) -> bool:
    """Whether the formula does not go on behind a remark of so many words."""
    m = _BEHIND.match(text, stop)
    if text[stop:].lstrip(" \t")[:1] == "\n":
        return words > 1
    return m is not None and m["word"] not in FUNCTIONS
