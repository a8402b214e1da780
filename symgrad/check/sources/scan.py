r"""Where mathematics stands in a text: ``$``, ``$$``, ``\(``, ``\[``, environments, fences, backticks, reStructuredText.

One pass from delimiter to delimiter; what is left between them is prose, in which plain lines may be equations.  Every search is
bounded, and a closing delimiter that the text does not have is looked for once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from symgrad.check.sources.words import words

MAX_INLINE = 4000
MAX_DISPLAY = 100_000
MAX_UNCLOSED = 20
ENVIRONMENTS = words("""
    equation align aligned eqnarray gather gathered multline alignat flalign displaymath math split dmath IEEEeqnarray cases array
""")
_ENV = rf"\\begin\s*\{{(?P<env>(?:{'|'.join(sorted(ENVIRONMENTS))})\*?)\}}"


@dataclass(frozen=True, slots=True)
class Item:
    """Something found: `start` and `stop` with its delimiters, `inner` without; `kind` ``display inline code line fence skip unclosed``."""

    kind: str
    start: int
    stop: int
    inner: tuple[int, int]
    environment: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What counts as a delimiter in one kind of text."""

    name: str
    opener: re.Pattern[str] = field(repr=False)
    heading: re.Pattern[str] = field(repr=False)
    lines: bool = True  # may a plain line be an equation


def _dialect(name: str, openers: list[str], heading: str, lines: bool = True) -> Dialect:
    return Dialect(name, re.compile("|".join(openers), re.MULTILINE | re.DOTALL), re.compile(heading, re.MULTILINE | re.IGNORECASE), lines)


# Formulas as pictures: the page of the picture's address is the formula.
FORMULA_URL = (
    r"(?:https?:)?//(?:render\.githubusercontent\.com/render/math\?math=|www\.zhihu\.com/equation\?tex="
    r"|latex\.codecogs\.com/(?:svg|gif|png)(?:\.latex|\.image|\.download)?\?)"
)
_COMMON = [r"(?P<dollars>\$\$)", r"(?P<gitlab>\$(?=`))", r"(?P<dollar>\$)", _ENV]
_MARKED = r"^[ \t]*\#{1,6}[ \t]+(?P<atx>[^\n]+)$"
MARKDOWN = _dialect(
    "markdown",
    [
        rf"(?P<url>(?<=src=\"){FORMULA_URL}[^\"\n]+|{FORMULA_URL}[^\s\"'<>]+)",
        rf"!\[[ \t]*(?P<alt>(?:[^\[\]\n$]|\[[^\[\]\n$]*\]){{1,2000}}?)[ \t]*\]\((?!{FORMULA_URL})[^)\n]{{0,500}}\)",
        rf"(?P<skip>\A---\n.*?\n---$|\A\+\+\+\n.*?\n\+\+\+$|!\[[^\]\n]{{0,300}}\]\((?!{FORMULA_URL})[^)\n]{{0,500}}\)"
        rf"|(?<=\])\((?!{FORMULA_URL})(?:https?:|mailto:|[#/.]|[\w-]+\.\w)[^)\n]{{0,500}}\)|(?!{FORMULA_URL})https?://[^\s<>$)\]]+)",
        r"<math>(?P<wiki>[^<]{1,4000})</math>",
        r"(?P<aside><!--|<(?:script|style)\b)",
        r"^(?P<quote>[ \t>]*)(?:[-*+]\s+|\d{1,3}[.)]\s+)?(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)$",
        r"\{%-?[ \t]*highlight[ \t]+(?P<jekyll>\w+)[^%\n]*%\}",
        r"^(?P<indent>[ \t]*)(?:\#|//)?\.\.[ \t]+math::(?P<first>[^\n]*)$",
        r"(?::math:|\{math\})`(?P<role>[^`]{1,4000})`",
        r"(?P<double>\\\\[\[(])",
        r"(?P<single>\\[\[(])",
        r"(?P<escape>\\\\(?!begin)|\\[^b\\]|\\(?=\\begin))",
        r"(?P<tick>`+)",
        *_COMMON,
    ],
    _MARKED + r"|^(?P<setext>[^\s#>|=\-][^\n]{0,200})\n(?:={3,}|-{3,})[ \t]*$",
)
PROGRAM = replace(MARKDOWN, name="program", lines=False)  # statements are no equations
TEX = _dialect(
    "tex",
    [r"(?P<escape>\\\\|\\[%$&#_{}])", r"(?P<single>\\[\[(])", *_COMMON],
    r"\\(?:part|chapter|(?:sub)*section|paragraph)\*?\s*(?:\[[^\]\n]*\])?\{(?P<atx>[^\n{}]*(?:\{[^{}\n]*\}[^{}\n]*)*)\}",
    lines=False,
)
_WORDS = re.compile(r"(?<![\\A-Za-z{_^])(?:[a-zA-Z]{2,}[ ,.;:]+){2}|(?<![\\A-Za-z{])\b(?:and|or|to|for|per|the|each|is|was|cost|from|million|billion|in|of)\b")
_FENCED = re.compile(r"(?:math|latex|tex)[ \t]+(?=[^\n]*[\\`])(?P<formula>[^\s`][^`\n]*)(?P<close>`*)")
_TEXTUAL = re.compile(r"\\(?:text[a-z]{0,2}|mbox|mathrm|operatorname|tag|label|textrm|hbox|intertext)\*?\s*\{[^{}]*\}")
_MATH = re.compile(r"[\\^_=]|[∂∇∈≤≥·⊙∘×→Σ∏σδαβγθ]")
_ALT = re.compile(r"\\[A-Za-z]{2}|[_^]\{")  # what no description in words has
_BETWEEN = re.compile(r"(?<!\\)\$[^$\n]+(?<!\\)\$")
_SENTENCE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2}|(?:[A-Za-z]{2,}[ \n]+){3}")
_LINK = re.compile(r"\[[^\[\]\n]*\]\(")
_BLANK = re.compile(r"\n[ \t>]*\n")


def items(text: str, dialect: Dialect) -> Iterator[Item]:
    """The mathematics, code and comments of a text in order, none inside another."""
    at = 0
    search = _Search(text)
    while m := dialect.opener.search(text, at):
        found = _item(m, text, search)
        if isinstance(found, Item):
            yield found
            at = max(found.stop, m.start() + 1)
        else:
            at = max(found, m.start() + 1)


class _Search:
    """Where a closing delimiter stands next; one that does not come again is not looked for again."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.last: dict[str, int] = {}
        self.unclosed = 0

    def next(self, closing: str, at: int, limit: int) -> int:
        if closing not in self.last:
            self.last[closing] = self.text.rfind(closing)
        return self.text.find(closing, at, at + limit) if self.last[closing] >= at else -1


def _item(m: re.Match[str], text: str, search: _Search) -> Item | int:
    """What an opening delimiter opens, or where to go on if nothing."""
    start, at = m.span()
    match m.lastgroup:
        case "skip":
            return Item("skip", start, at, (start, at))
        case "aside":
            closing = "-->" if m[0] == "<!--" else "</" + m[0][1:]
            end = search.next(closing, at, len(text))
            return at if end < 0 else Item("skip", start, end + len(closing), (start, end))
        case "info":
            named = _FENCED.match(text, m.end("fence"))
            return _fence(m, text) if named is None else _begun(m["fence"], m.start("fence"), named, text)
        case "jekyll":
            closed = re.compile(r"\{%-?[ \t]*endhighlight").search(text, at)
            return at if closed is None else Item("fence", start, closed.end(), (at, closed.start()), None, m["jekyll"].lower())
        case "first":
            return _directive(m, text)
        case "role" | "wiki" as name:
            return Item("inline", start, at, m.span(name))
        case "url":
            return _picture(m)
        case "alt":
            return _described(m, text)
        case "tick":
            if len(m[0]) > 2 and (named := _FENCED.match(text, at)):
                return _begun(m[0], start, named, text)
            end = search.next(m[0], at, MAX_INLINE)
            if end < 0 or _BLANK.search(text, at, end):
                return at
            return Item("code", start, end + len(m[0]), (at, end))
        case "gitlab":
            end = search.next("`$", at + 1, MAX_INLINE)
            return at if end < 0 or _BLANK.search(text, at, end) else Item("inline", start, end + 2, (at + 1, end))
        case "dollars":
            end = search.next("$$", at, MAX_DISPLAY)
            if end < 0:
                search.unclosed += 1
                doubtful = search.unclosed > MAX_UNCLOSED or text[at : at + 1] == "$" or not _MATH.search(text[at : at + 200])
                return at if doubtful else Item("unclosed", start, at, (start, at))
            if _is_prose(text[at:end]):
                search.unclosed += 1
                doubtful = search.unclosed > MAX_UNCLOSED or not _MATH.search(text[end + 2 : end + 200])
                return at if doubtful else Item("unclosed", start, at, (start, at))
            return Item("display", start, end + 2, (at, end)) if text[at:end].strip() else end + 2
        case "dollar":
            return _dollar(text, start, search)
        case "double" | "single":
            display = m[0][-1] == "["
            end = search.next(m[0][:-1] + ("]" if display else ")"), at, MAX_DISPLAY if display else MAX_INLINE)
            if end < 0 or (not display and _BLANK.search(text, at, end)):
                search.unclosed += 1
                doubtful = search.unclosed > MAX_UNCLOSED or not display or not _MATH.search(text[at : at + 60])
                return at if doubtful else Item("unclosed", start, at, (start, at))
            if not text[at:end].strip() or (m[0] == "\\[" and (text[end + 2 : end + 3] == "(" or _LINK.match(text, at, end))):
                return end + 2
            return Item("display" if display else "inline", start, end + len(m[0]), (at, end))
        case "env":
            return _environment(m, text, search)
        case _:
            return at


def _picture(m: re.Match[str]) -> Item:
    """A formula in the address of a picture, up to the bracket that closes the Markdown around it."""
    address = m[0]
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[: address.rindex(")")]
    begins = re.match(FORMULA_URL, address)
    start = m.start() + (begins.end() if begins else 0)
    return Item("inline", m.start(), m.start() + len(address), (start, m.start() + len(address)), None, "url")


def _described(m: re.Match[str], text: str) -> Item:
    r"""A picture whose description is a formula, ``![h_t = \tanh(a_t)](img/7.png)``, a display if it stands alone on its line; any other one shows none."""
    bare = _TEXTUAL.sub(" ", m["alt"])
    if _ALT.search(bare) is None or _WORDS.search(bare) or _SENTENCE.search(bare):
        return Item("skip", m.start(), m.end(), m.span())
    alone = not text[text.rfind("\n", 0, m.start()) + 1 : m.start()].strip() and not text[m.end() :].partition("\n")[0].strip()
    return Item("display" if alone else "inline", m.start(), m.end(), m.span("alt"))


def _dollar(text: str, start: int, search: _Search) -> Item | int:
    """``$x$`` and not ``$5 and $7``: no blank line inside, no sentence, and unless it is plainly mathematics no space at its edges."""
    at = start + 1
    end = search.next("$", at, MAX_INLINE)
    for _ in range(9):  # a dollar inside \text{if $x$} and an escaped one do not close
        if end < 0:
            break
        inner = text[at:end]
        escaped = inner.endswith("\\") and not inner.endswith("\\\\")
        textual = inner.count("{") > inner.count("}") and re.search(r"\\(?:text|mbox|hbox)[a-z]{0,2}\s*\{[^{}]*$", inner)
        if not escaped and not textual:
            break
        end = search.next("$", end + 1, MAX_INLINE)
    if end <= at:
        return at
    inner = text[at:end]
    if not inner.strip() and not _BLANK.search(inner):  # a definition stood here
        return end + 1
    if _BLANK.search(inner) or _priced(inner):
        return at
    if inner.startswith("latex "):  # WordPress
        return Item("inline", start, end + 1, (at + 6, end))
    tight = not inner[0].isspace() and not inner[-1].isspace() and not text[end + 1 : end + 2].isdigit()
    if not tight and not _MATH.search(inner) and not re.fullmatch(r"\s*\w\s*", inner):
        return at
    return Item("inline", start, end + 1, (at, end))


def _priced(inner: str) -> bool:
    """Is this prose between two amounts of money?"""
    bare = _TEXTUAL.sub(" ", inner)
    if re.match(r"\s*\d[\d,.]*\s*(?:[A-Za-z]{2,}|[-–/,;.]?\s*$)", bare) and not re.match(r"\s*\d[\d,.]*\s*$", bare):
        return not _MATH.search(re.sub(r"\\\$", "", bare)) or bool(_WORDS.search(bare))
    return bool(_WORDS.search(bare)) and not re.search(r"\\[A-Za-z]", bare) and not re.search(r"[\w}]\s*[=^_]|[=^_]\s*[\w{]", bare)


def _is_prose(inner: str) -> bool:
    """Does text between two displays stand here, the first of which lacks its beginning or its end."""
    bare = _TEXTUAL.sub(" ", inner)
    return _BETWEEN.search(bare) is not None or (_MATH.search(bare) is None and _SENTENCE.search(bare) is not None)


def _fence(m: re.Match[str], text: str) -> Item | int:
    mark = m["fence"]
    closing = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
    end = closing.search(text, m.end() + 1)
    stop = end.start() if end else len(text)
    inner = (min(m.end() + 1, stop), stop)
    info = m["info"].strip()
    language = next(iter(re.findall(r"[^\s{}]+", info.lstrip("{. \t"))), "").lower()  # ```python, ```{.python .numberLines}
    options = re.compile(r"(?:[ \t]*:\w+:[^\n]*\n|---\n.*?\n---\n)*", re.DOTALL).match(text, *inner) if info.startswith("{") else None
    if options:
        inner = (options.end(), stop)
    return Item("display" if language == "math" else "fence", m.start(), end.end() if end else stop, inner, None, language)


def _begun(mark: str, start: int, named: re.Match[str], text: str) -> Item:
    """A fence whose formula begins beside its language, ```` ```math h_t = f(a_t)``` ````; it may end on a later line.

    What has neither a command nor a closing mark on its line says how to show the fence, ```` ```math title="…" ````.
    """
    end = text.find(mark, named.end("formula"), named.end("formula") + MAX_DISPLAY)
    if named["close"] or end < 0 or _BLANK.search(text, named.end("formula"), end):
        return Item("display", start, named.end(), named.span("formula"))
    return Item("display", start, end + len(mark), (named.start("formula"), end))


def _directive(m: re.Match[str], text: str) -> Item | int:
    """``.. math::`` with its argument and the deeper lines below."""
    indent = len(m["indent"])
    stop = at = m.end()
    while at < len(text):
        end = text.find("\n", at + 1)
        end = len(text) if end < 0 else end
        line = text[at + 1 : end]
        if line.strip():
            if len(line) - len(line.lstrip()) <= indent:
                break
            stop = end
        at = end
    inner = re.compile(r"(?:\s*:(?:label|nowrap|name|class|number):[^\n]*)+").match(text, m.end(), stop) if not m["first"].strip() else None
    start = inner.end() if inner else m.start("first")
    return Item("rst", m.start(), stop, (start, stop)) if text[start:stop].strip() else m.end()


def _environment(m: re.Match[str], text: str, search: _Search) -> Item | int:
    if search.unclosed > MAX_UNCLOSED:
        return m.end()
    name = m["env"]
    opening, closing = f"\\begin{{{name}}}", f"\\end{{{name}}}"
    at, depth, limit = m.end(), 1, m.end() + MAX_DISPLAY
    for _ in range(200):
        end = search.next(closing, at, limit - at)
        if end < 0:
            break
        depth += text.count(opening, at, end) - 1
        at = end + len(closing)
        if depth == 0:
            start = m.end()
            argument = re.compile(r"\s*(?:\[[^\]\n]*\]|\{[^{}\n]*\})").match(text, start, end)
            if argument and name.rstrip("*") in ("alignat", "array", "IEEEeqnarray", "aligned", "gathered", "split"):
                start = argument.end()
            return Item("display", m.start(), at, (start, end), name)
    search.unclosed += 1
    return Item("unclosed", m.start(), m.end(), m.span())
