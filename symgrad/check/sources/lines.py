"""Equations in plain text: a line, a bullet, a comment, a line of a code fence that clearly states one, in Unicode, ASCII or bare LaTeX.

A line is cut into tokens; ordinary words end a run of mathematics.  A run is an equation if it has a relation with something
mathematical on both sides; a setting such as ``epochs = 10`` or ``name = value`` is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.passages import rewritten
from symgrad.check.sources.plain import RELATION, put, shifted, spelled
from symgrad.check.sources.stacked import on_one_line
from symgrad.check.sources.words import FUNCTIONS, GREEK, PROSE, SHORT, SIDE_BY_SIDE, WITH_D

_TOKEN = re.compile(
    r"""(?P<space>\s+)
  | (?P<math>\\(?:text|textrm|textbf|textit|mathrm|mathbf|mathit|operatorname|boldsymbol|mathcal|mathbb|hat|tilde|bar|mbox)\*?\s*\{[^{}]{0,80}\}
      | \\[A-Za-z]+ | \\. | [_^]\s*\{[^{}\n]{0,60}\} | [_^](?:[^\W_]+|[^\W]) | \d+(?:\.\d+)?)
  | (?P<accented>(?=[A-Za-z]*[À-ÖØ-öø-ÿ])[A-Za-zÀ-ÖØ-öø-ÿ]{2,})
  | (?P<name>[A-Za-z](?:[A-Za-z0-9](?![\u0300-\u036f]))*(?:_\{[^{}\n]{0,60}\}|_[A-Za-z0-9]+)*)
  | (?P<word>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)
  | (?P<letter>[^\W\d_][\u0300-\u036f\u20d0-\u20ff]*)
  | (?P<url>\b[a-z]+://\S+)
  | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_BULLET = re.compile(r"[ \t]*(?:>[ \t]?|(?:[-*+•◦‣▪·–]|\d{1,3}[.)]|\(\d{1,3}\)|[a-z]\)|#{1,6}|//+|///|;+|%+|\*+|\|)(?:[ \t]+|$))")
_LABEL = re.compile(
    r"""\s*(?:\*\*|__|\*)?([^\W\d_](?:[^=≈←∂⊙$\\|{}^_:"]|(?<=\w)_(?=\w)){0,70}?)(?:\*\*|__|\*)?\s*[:：](?:\*\*|__|\*)?"""
    r"(?:\s+|(?<=：)|(?=[^\x00-\x7f]))"
)
_CODE = re.compile(
    r"""\b(?:self|np|numpy|torch|tf|jnp|math|F|nn|K|plt|this|std)\.[A-Za-z]
  | [=!<>]==?=?(?<===) | => | -> | :: | && | \|\| | ;\s*$ | ["`]
  | ^\s*(?:def|class|return|import|const|var|fn|pub|public|static|double|float|int|auto|assert)\s+[\w(]
  | ^\s*(?:if|for|while|with|elif|else|try)\b.*:\s*$ | ^\s*from\s+\S+\s+import | \bprint\( | \w\(\s*\) | \blet\s+mut\b
  | \bnew\s+\w+\( | \bTrue\b | \bFalse\b | \bNone\b | \blambda\s+\w+:""",
    re.MULTILINE | re.VERBOSE,
)
_ENTITY_OR_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>")
_MATHEMATICAL = re.compile(
    r"\bd(?:[A-Za-z]\w*(?:\([^()]*\)|\[[^\[\]]*\])?|\([^()\n]{2,40}\))/d[A-Za-z(]|"
    r"[_^∂∇δΔσφψθΓα-ωΣ∑∏⊙∘⊗·×ᵀ⊤\\∈′√]|'\s*\(|[\u0300-\u036f]|[²³ᵗ⁺₀-₉ₜ]"
)
_TRANSPOSED = re.compile(r"\.T(?!\w)")
_QUOTED = re.compile(r'(?<![\w=(])"[A-Za-z][A-Za-z ,\'-]{0,60}"(?!\w)')  # a word in quotation marks
_NORM = re.compile(r"\|\|(?=[^\s|])[^|\n]{1,120}(?<=[^\s|])\|\|")  # no alternatives of a program
_ADDED = re.compile(r"d[A-Za-z](?:\w{0,2}|\w?_\w+)|(?:delta|grad)_\w+")  # a gradient that is added, or added to
_LABELLED = re.compile(r"d(?:[A-Za-z]\w?)?_\w+")  # ``db_f = df_t``
_OF_A_BIAS = re.compile(r"db_\w+ = d[a-z]{2,}")  # ``db_f = daf``
_OPERAND = re.compile(  # of a gradient or of a quantity
    r"(?:d(?:[A-Za-z]\w{0,2}(?:_\w+)?|\([^()\n]{1,40}\))(?:/d(?:\w+|\([^()\n]{1,40}\)))?|[∂δ∇][\w/∂]*|[A-Za-z](?:\w*_\w+)?)\s*\+?=(?:[^=\n]*[-+*/@⊙∘·×−])?\s*"
)
_FRAME = re.compile(  # of a box around formulas, of its columns, of a tree
    r"(?m)^[ \t]*[│┃║├╟┆┊└╰](?:[ \t─━]*[│├└╰])*[─━]*|[│┃║┤╢┆┊][ \t]*$|(?<=[ \t])[│┃║](?=[ \t])"
)
_PART = r"\b(?:from|via|through|along|parts?|paths?|terms?|contribution|only|direct|local|immediate|partial)\b"
_CALLED = re.compile(  # what a side is, in brackets: ``∂h_t/∂h_{t-1} (the Jacobian) = …``; one that says so is a part: ``dL/dh_t (from the output) = …``
    rf"(?<=\S)[ \t]+\((?:(?=(?P<part>[^()]*{_PART}))|(?=[Tt]otal|[Ff]ull|[Jj]acobian|[A-Za-z]+[ -]))[A-Za-z]{{2,}}(?:[ -][A-Za-z]{{2,}}){{0,4}}\)"
    r"[ \t]*(?=(?:[+:]?=|≈)[^=])"
)
_RULE = re.compile(r"={2,}>|={4,}|#{4,}|~{4,}|(?<!\S)-{3,}(?!\S)")  # beside a title, ``===== h = tanh(a) =====``
_CONTINUES = re.compile(r"\s*(?:[=≈≤≥]|[+\-−*/×⊙∘·@⊗]\s)")
_ABOUT = re.compile(r"(?<=\s)~=(?=\s)")  # ``a ~= 1``, about
_ADDS_ON = r"[ \t]+[+\-−*/×⊙·][ \t]"
_REMARK = re.compile(  # of a line that the next one continues, ``a = b   ← this way`` and ``    + c   ← that way``
    rf"(?m)(?P<line>^(?:[^\n=]*=(?=[^\n]*\n{_ADDS_ON})|{_ADDS_ON})[^\n=]*?\S)(?P<words>[ \t]+(?:←|<-|//|#|--|—)[ \t]+[A-Za-z][^\n=]*$)"
)
_BEHIND_A_SIGN = re.compile(r"(?m)(?<=[\w)\]}] [+−·×⊙*-])[ \t]+(?://|\#|←)[ \t]*\S[^\n=]*$")  # ``a = b +  // this way``, and ``c`` on the next line
_SHARE = re.compile(r"\s*(?:from|via|through|along)(?:\s+(?:the\s+)?[A-Za-z-]+)?\s*")  # a way by which a part of a gradient comes
_GRADIENT = re.compile(r"[∂∇δΔ]|\bd[A-Za-z]|\\(?:partial|nabla|delta|Delta)")
_SLOPE_OF = re.compile(r"\s*(?:the\s+)?(?:derivative|slope|gradient)\s+of\s+", re.IGNORECASE)
_ASIDE = re.compile(r"(?<=[\w)\]])\s+[-–—]\s+[A-Z][a-z]{2,}(?:!|\s+[a-z]{2,}[^=]*)$")  # ``dL/du = … - Vectorized!``
_BROKEN_OFF = re.compile(r"(?:[=+\-−*/×⊙∘·@⊗(\[,]|\\odot|\\cdot|\\times|\\circ)\s*$")


def equations(source: Passage, code: bool = False, running: bool = False) -> Iterator[Passage]:
    """The equations of some lines of plain text in order.

    In `code` (a fence, a comment) bare names count as mathematics more readily; in a `running` text ``h_t-1`` is the state before.
    """
    if running:
        source = shifted(source)
    if _FRAME.search(source.text):
        source = Passage(_FRAME.sub(lambda m: " " * len(m[0]), source.text), source.starts, source.ends)
    if _CALLED.search(source.text):
        source = Passage(_CALLED.sub(_uncalled, source.text), source.starts, source.ends)
    if _RULE.search(source.text):
        source = Passage(_RULE.sub(lambda m: " " * len(m[0]), source.text), source.starts, source.ends)
    if _ABOUT.search(source.text):
        source = rewritten(source, _ABOUT, lambda m: "≈")
    if _REMARK.search(source.text):
        source = Passage(_REMARK.sub(lambda m: m["line"] + " " * len(m["words"]), source.text), source.starts, source.ends)
    if _BEHIND_A_SIGN.search(source.text):
        source = Passage(_BEHIND_A_SIGN.sub(lambda m: " " * len(m[0]), source.text), source.starts, source.ends)
    for line in _logical(on_one_line(source), code):
        if len(line) > 5000 or not RELATION.search(line.text):
            continue
        yield from _of_line(line, code)


def _uncalled(told: re.Match[str]) -> str:
    """Space for what is said of a side; behind a part of a gradient a sign that adds it."""
    return " " * (len(told[0]) - 1) + ("+" if told["part"] and told.string[told.end()] == "=" else " ")


def looks_mathematical(text: str) -> bool:
    """Is there a relation and something only mathematics has?"""
    return bool(RELATION.search(text) and _MATHEMATICAL.search(text))


def _logical(source: Passage, code: bool) -> Iterator[Passage]:
    """Lines, joined with those that continue them: deeper lines that begin with an operator, lines after an open end."""
    start = end = -1
    indent = 0
    at = 0
    for text in source.text.splitlines(keepends=True):
        stop = at + len(text)
        bare = text.strip()
        deeper = len(text) - len(text.lstrip()) > indent
        chained = bare[:1] in "=≈" and bare[:2] != "=="
        goes_on = start >= 0 and _BROKEN_OFF.search(source.text, max(start, end - 12), end) and RELATION.search(source.text, start, end)
        item = bare[:1] in "-+*" and RELATION.search(bare, 1)  # of a list
        if start >= 0 and bare and stop - start < 4000 and (chained or goes_on or (deeper and _CONTINUES.match(text) and not item)):
            end = at + len(text.rstrip())
        else:
            if start >= 0:
                yield source[start:end]
            start, end = (at, at + len(text.rstrip())) if bare else (-1, -1)
            opening = _BULLET.match(text)
            indent = opening.end() if opening else len(text) - len(text.lstrip())
            if code and opening is None:
                indent = len(text) - len(text.lstrip())
        at = stop
    if start >= 0:
        yield source[start:end]


def _of_line(line: Passage, code: bool) -> Iterator[Passage]:
    row = re.match(r"\s*\|(?!\|)", line.text) is not None  # of a table
    for _ in range(6):
        m = _BULLET.match(line.text)
        if not m or not m.end():
            break
        line = line[m.end() :]
    m = _LABEL.match(line.text)
    if m and not RELATION.search(line.text, 0, m.end()) and not line.text[m.end() - 1 :].startswith(":="):
        line = line[m.end() :]
    cells = [line]
    if row:
        cuts = [-1, *(m.start() for m in re.finditer(r"(?<=\s)\|(?=\s)|\|\s*$", line.text)), len(line)]
        cells = [line[i + 1 : j] for i, j in pairwise(cuts)]
    for cell in cells:
        for part in _columns(cell):
            yield from _runs(part, code)


def _columns(line: Passage) -> Iterator[Passage]:
    """Equations side by side, set apart by wide space: ``a = b    c = d``."""
    cuts = [m for m in re.finditer(r"[ \t]{2,}|\t", line.text) if m.start() and "\n" not in line.text]
    at = 0
    for m in cuts:
        here, rest = line.text[at : m.start()], line.text[m.end() :]
        following = re.match(r"[^\s=][^=]{0,60}?(?:\+=|:=|=)", rest)
        if _sided(here) and following and "  " not in following[0].strip():
            yield line[at : m.start()].strip(" \t;")
            at = m.end()
    yield line[at:]


def _sided(text: str) -> bool:
    m = RELATION.search(text)
    return bool(m and text[: m.start()].strip() and text[m.end() :].strip())


def _runs(line: Passage, code: bool) -> Iterator[Passage]:
    """The stretches of a line between ordinary words that are equations."""
    line = put(line)
    if aside := _ASIDE.search(line.text):
        line = line[: aside.start()]
    text = line.text
    if text.count("=") > 60 or _CODE.search(_NORM.sub(" ", text if code else _QUOTED.sub(" ", text))):
        return
    if _ENTITY_OR_TAG.search(text) and not re.search(r"\^<|\^\{<", text):
        text = _ENTITY_OR_TAG.sub(lambda m: "\x00" * len(m[0]), text)
    start = end = -1
    whole = True
    found: list[tuple[int, int]] = []
    for m in _TOKEN.finditer(text):
        if m.lastgroup == "space":
            continue
        if _is_word(m, text) and not (start >= 0 and m.lastgroup == "name" and _belongs(text, start, m)):
            if start >= 0:
                found.append((start, end))
            start, whole = -1, False
        else:
            if start < 0:
                start = m.start()
            end = m.end()
    if start >= 0:
        found.append((start, end))
    for k, (i, j) in enumerate(found):
        run = line[i:j]
        lost = _FACTOR.match(text, j) is not None and re.search(r"\s\*\s*$", run.text) is not None  # a factor in words: without it the rest is another equation
        run = run.strip(" \t,;.:，；。：←→⇒⟹─━═—" + "*" * (not lost) + "|" * (run.text.count("|") % 2))
        if run.text[-1:] in (")", "]") and _opened_before(text[:i], run.text):
            run = run[:-1].strip()
        between = (found[k - 1][1] if k else 0, i)
        if k and _SHARE.fullmatch(text, *between):
            run = _share(line[slice(*found[k - 1])], run)
        if _SLOPE_OF.fullmatch(text, *between):
            run = _behind(line[slice(*found[k - 1])] if k else line[:0], run)
        if _is_equation(run.text, code, whole):
            yield run


def _opened_before(before: str, run: str) -> bool:
    """Is the bracket that closes a run one that opens in the words before it: ``[by way of h = o × tanh(c)]``."""
    pair = {")": "()", "]": "[]"}[run[-1]]
    return run.count(pair[0]) < run.count(pair[1]) and before.count(pair[0]) > before.count(pair[1])


def _share(whole: Passage, run: Passage) -> Passage:
    """``dL/dh_{t-1} from h_t = dL/dh_t * (1 - z_t)``: what comes by one way is a part, ``dL/dh_{t-1} += ...``."""
    sign = RELATION.search(run.text)
    if sign is None or sign[0] != "=" or RELATION.search(whole.text) or not _GRADIENT.search(whole.text):
        return run
    at = slice(*sign.span())
    return joined([whole, spelled("+=", run[at]), run[at.stop :]])


def _behind(before: Passage, run: Passage) -> Passage:
    """``∂h/∂z = the derivative of tanh(z) = 1 - tanh²(z)``: without the side in words, which is not what stands there."""
    sign = RELATION.search(run.text)
    return joined([before, run[sign.end() :]]) if sign is not None and RELATION.search(before.text[-3:]) else run[len(run) :]


WANTED = frozenset({"target", "targets", "label", "labels", "truth"})
_SUBTRACTED = re.compile(r"[\w)}\]][ \t]*[-−–][ \t]*$")  # ``y_3 - target``
_BIAS = re.compile(r"[\w)}\]ₜ][ \t]*\+[ \t]*$")  # ``y = Why h + by``
_STEP = re.compile(r"_?[(\[][a-zT](?: ?[-+−] ?1)?[)\]]")  # ``do(t)``
_FACTOR = re.compile(r"[ \t]*[A-Za-z_]")
_TERMS = re.compile(r"\(\s*[\w.²'′{}\[\]^]+(?:\s*[-+*/×⊙∘·@−]\s*[\w.²'′{}\[\]^]+)+\s*\)")


def _is_word(token: re.Match[str], text: str) -> bool:
    """Does this token end a formula: a word of prose, a quotation, a tag."""
    kind, word = token.lastgroup, token[0]
    if kind in ("word", "accented", "url"):
        return True
    if kind == "sign":
        return word in '\x00"`?!#$&~' and not (word == "&" and text[token.end() : token.end() + 1] == "=")
    if kind == "letter":
        return False
    if kind != "name" or "_" in word or len(word) == 1 or any(c.isdigit() for c in word):
        return kind == "name" and word in ("a", "A", "I") and _between_words(token, text)
    following = text[token.end() : token.end() + 1]
    if word in FUNCTIONS or word in GREEK or (following and following in "ₜₖₙᵢⱼ") or (following and following in "_^'′([" and word.lower() not in PROSE):
        return False
    if word == "by" and _BIAS.search(text, 0, token.start()) and not re.match(r"[ \t]+[A-Za-z]{2,}", text[token.end() :]):
        return False
    if word in WANTED and _SUBTRACTED.search(text, 0, token.start()):
        return False
    if word == "do" and (_operates(token, text, brackets="") or _STEP.match(text, token.end())):  # the gradient of an output gate
        return False
    if re.fullmatch("d?[A-Za-z](?:prev|next)", word):
        return False
    if word in SIDE_BY_SIDE or (word[0] in "dD∂Δ" and len(word) <= 3 and word not in PROSE):
        return False
    multiplied = _operates(token, text) or text[: token.start()].rstrip().endswith(("^T", ".T", "ᵀ", "⊤"))
    if word[0] == "d" and len(word) <= 10 and word.islower() and word not in WITH_D | PROSE and multiplied:
        return False
    if re.fullmatch("d[A-Z][a-z]{1,3}", word) and _operates(token, text, brackets=""):  # ``dWxh``
        return False
    if re.fullmatch("d[A-Z]?[a-z]+", word) and (text[: token.start()][-1:] == "/" or word[1:].lower() in GREEK):  # ``dL/dOutput``, ``dGamma``
        return False
    ends = following in ("", " ", ")", "]", "+", "*") or _TRANSPOSED.match(text, token.end()) is not None
    short = len(word) <= 3 and word not in SHORT and (word[0].isupper() or ends)
    return not (short and _operates(token, text))


def _belongs(text: str, start: int, token: re.Match[str]) -> bool:
    """Is a word part of the formula that it stands in."""
    rules = (_listed, _operand, _option, _grouped)
    return _argument(text, token) or any(rule(text, start, token) for rule in rules)


def _grouped(text: str, start: int, token: re.Match[str]) -> bool:
    """Is a word in a bracket of terms and factors alone, behind an operator: ``dh * (candidate - h_prev * decay)``?"""
    opening = text.rfind("(", start, token.start())
    if opening < 0 or ")" in text[opening : token.start()] or text[start:opening].rstrip()[-1:] not in tuple("=*⊙∘×·@+-−"):
        return False
    return _TERMS.match(text, opening) is not None


def _listed(text: str, start: int, token: re.Match[str]) -> bool:
    """Is a word one of a list in square brackets, ``[h_{t-1}, chunk]``, or the end of a slice on the left: ``dU[:, 2*units:] += ...``."""
    opening = text.rfind("[", start, token.start())
    inside = opening > text.rfind("]", start, token.start())
    if inside and opening and text[opening - 1].isalnum() and ":" in text[opening : token.end() + 2] and not RELATION.search(text, start, opening):
        return True
    return inside and text[: token.start()].rstrip()[-1:] in ("[", ",", ";") and text[token.end() :].lstrip()[:1] in ("]", ",", ";")


def _argument(text: str, token: re.Match[str]) -> bool:
    """Is a word the argument of a function, or its first factor or term: ``σ'(gate)``, ``exp(score - m)``."""
    return bool(re.search(r"[\w'′]\([ \t]*$", text[: token.start()]) and re.match(r"[ \t]*[)*+\-−/·⊙∘×,]", text[token.end() :]))


def _option(text: str, start: int, token: re.Match[str]) -> bool:
    """Is a word what a call is told by name, ``sum(dz, axis=0)``?"""
    inside = text.count("(", start, token.start()) > text.count(")", start, token.start())
    return inside and text[: token.start()].rstrip()[-1:] == "," and re.match(r"\s*=\s*[\w-]+\s*[,)]", text[token.end() :]) is not None


def _operand(text: str, start: int, token: re.Match[str]) -> bool:
    """Is a word a term or a factor of what a gradient equals, between operators: ``dy = output - target``."""
    before, after = text[start : token.start()], text[token.end() :].lstrip()
    stands_alone = before.rstrip()[-1:] == "=" and not after
    return not stands_alone and _OPERAND.fullmatch(before) is not None and (not after or after[0] in "+-−*/×⊙∘·@)" or after[:2] == ", ")


def _operates(token: re.Match[str], text: str, brackets: str = "()[]") -> bool:
    """Does an operator stand beside a short name, as in ``net + b``?"""
    left, right = text[: token.start()].rstrip()[-1:], text[token.end() :].lstrip()[:1]
    signs = "=+-−*/×⊙∘·@⊗" + brackets
    return bool(left and left in signs) or bool(right and right in signs.replace("(", ""))


def _between_words(token: re.Match[str], text: str) -> bool:
    return bool(re.match(r"\s+[A-Za-z]{2,}", text[token.end() :])) and not re.search(r"[=+\-*/]\s*$", text[: token.start()])


def _is_equation(text: str, code: bool, whole: bool) -> bool:
    m = RELATION.search(text)
    if not m or len(text) > 4000:
        return False
    left, right = text[: m.start()].strip(), text[m.end() :].strip()
    if (not left and m[0] != "=") or not re.search(r"[^\W\d_]|\\", left or right) or not re.search(r"\w", right):
        return False
    if not left:  # a chain that goes on from a formula before
        return bool(_MATHEMATICAL.search(right)) and whole
    marked = bool(_MATHEMATICAL.search(text))
    if re.fullmatch(r"[\d.,\s]+|\[[\d.,\s]*\]", right) and not re.match(r"\\|[∂∇]|d\w+/d|(?:[A-Za-z]+|[^\W\d_])[\u0300-\u036f]?(?:_|\^|\()", left):
        return False
    if re.fullmatch(r"[A-Za-z]\w+", left) and re.fullmatch(r"[\w.\-]+", right, re.ASCII):  # name = value
        gradients = _ADDED if m[0] == "+=" else _LABELLED
        return _OF_A_BIAS.fullmatch(text) is not None or (gradients.fullmatch(left) is not None and gradients.fullmatch(right) is not None)
    if re.fullmatch(r"[A-Z]", left) and re.fullmatch(r"[a-z]{3,}(?:_[a-z]{3,})+", right):  # a size, by its name in a program: ``D = input_dim``
        return False
    if whole:
        operator = re.search(r"[+\-−*/×⊙∘·@⊗(^]|[A-Za-z] [A-Za-z]\[[a-z]\]$", right)  # ``y[t] = V h[t]``
        return marked or bool(operator and (code or len(left) <= 12))
    return marked and len(re.findall(r"\w", text)) >= 3
