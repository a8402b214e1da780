r"""What people write, to tokens: the spellings of `table` again, and what only `dialect` reads.

Kept here and dropped in `tokens`: ``&``, ``\\``, wide gaps, the ends of environments, prose in ``\text``.  A sign that cannot be read becomes a
token of the kind ``bad``, so that it spoils its own row only.  Every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symgrad.notation import table
from symgrad.notation.reading.tokens import MAX_CHARACTERS, MAX_TOKENS, ParseError, Token, accented_letter
from symgrad.notation.syntax import Span

NUMBERED = frozenset("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳❶❷❸❹❺❻❼❽❾❿")  # in front of formulas in a list
ROW, GAP, CELL = r"\\", r"\quad", "&"
_or = "|".join
_escaped = re.compile(r"\\(.)", re.DOTALL)
_BRACES = r"\{(?:[^{}]|\{[^{}]*+\})*+\}"
_WORDS = sorted((word for word in (*table.FUNCTION_WORDS, table.DIAGONAL, "Diag") if len(word) > 2), key=len, reverse=True)
_MACROS = {table.DIAGONAL, "Diag"} | {
    w for w, base in table.FUNCTION_WORDS.items() if table.FUNCTIONS[base].latex != "\\" + w and w not in ("sqrt", "tr", *table.ACCENTS)}
_TEXT_FONTS = sorted((font for font in table.FONTS if font.startswith("text") or font in ("mbox", "operatorname")), key=len, reverse=True)
_SPACED = [" ".join(word) for word in (*table.SHORT_WORDS, *_WORDS) if word.islower()]  # as programs write that read formulas from pictures
_SIGNS = sorted((s for s in (*table.INFIX, *table.RELATION_SIGNS, "||", "**") if len(s) > 1 and s[0] != "\\"), key=len, reverse=True)
_SPACING = [name for name in (*table.SPACING, *table.TRANSPARENT) if name not in ("left", "right", "substack", *table.GAPS)]
_TOP = "⊤"  # behind a name, without a ^
_GLYPHS = re.escape("".join((*table.LOWERED, *table.RAISED, *table.SUPERSCRIPTS)))
_MARKS = "\u0300-\u036f\u1dcd\u20d0-\u20ff"
_BRACED = r"\s*\{\s*(?:[()\[\]|]|\\[{}|])\s*\}"  # behind the command for its size
_MATH_FONTS = sorted((font for font in table.FONTS if font not in _TEXT_FONTS), key=len, reverse=True)
_VULGAR = {"½": "12", "⅓": "13", "⅔": "23", "¼": "14", "¾": "34", "⅕": "15", "⅙": "16", "⅛": "18"}  # what stands above, what below
_COMMON = rf"""
  | \\(?P<text>{_or(_TEXT_FONTS)})(?![A-Za-z])\*?\s*\{{
  | (?P<environment>\\begin\s*\{{(?:array|alignat\*?|alignedat|tabular)\}}\s*(?:\[[a-z]?\]\s*)?{_BRACES}
        |\\(?:begin|end)\s*\{{\s*[A-Za-z]+\*?\s*\}}(?:\[[a-z]?\])?)
  | (?P<row>\\\\\*?(?:\s*\[-?[0-9.]+\s*(?:pt|em|ex|mm|cm|in|mu)\])?|\\(?:cr|newline)(?![A-Za-z]))
  | (?P<gap>\\(?:{_or(table.GAPS)})(?![A-Za-z])|\\hspace\*?\s*{_BRACES})
  | (?P<edge>\\(?:left|right)\s*\.)
  | (?P<braced>\{{\s*[:=,]\s*\}})
  | (?P<increment>\\mathrel\{{[+-]\}}=|\\xleftarrow\{{[+-]\}})
  | (?P<lost>(?<![A-Za-z_^\\])(?:{_or(table.LOST_COMMANDS)})(?![A-Za-z_^{{(]))
  | (?P<dots>\.(?:\ ?\.){{2,}}|…|⋯|[·⋅](?:\ ?[·⋅]){{2,}}|(?:\\cdotp?(?![A-Za-z])\ *){{3,}}|\\(?:hdots|dotso|dotsi|iddots|adots)(?![A-Za-z]))
  | (?P<escaped>\\[_*&])
  | (?P<vulgar>[{"".join(_VULGAR)}])
  | \\(?:{_or(_MATH_FONTS)})\s*\{{\s*(?P<bold>[0-9]+\.[0-9]+)\s*\}}
  | \\(?P<mathfont>{_or(_MATH_FONTS)})\s*\{{\s*(?P<mathword>[A-Za-z0-9]+)\s*\}}
  | (?P<command>\\(?:[A-Za-z]+|.))
  | (?P<thousands>(?:(?<![_^]\{{)[1-9][0-9]{{0,2}}(?:\{{,\}}[0-9]{{3}})+|(?:(?<=[=≈<>])|(?<=[=≈<>]\ )|(?<=approx\ ))[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+)(?![0-9]))
  | (?P<comma>(?<![_^]\{{)(?:0|[0-9]+(?!\{{,\}}[0-9]{{3}}(?![0-9])))\{{,\}}[0-9]+)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+(?![A-Za-z0-9]))?|(?<![\w}})\]])\.[0-9]+)
  | (?P<lowered>[{re.escape("".join(table.LOWERED))}]+)
  | (?P<raised>(?:[{re.escape("".join((*table.RAISED, *table.SUPERSCRIPTS)))}]|(?<=[\w)\]}}]){_TOP})+)
"""
_END = rf"""
  | (?P<letter>[{_MARKS}]?[^\W\d_][{_MARKS}]*)
  | (?P<entity>&(?:lt|gt|amp|nbsp);)
  | (?P<sign>{_or(map(re.escape, _SIGNS))}|.|\n)
"""
_LATEX = re.compile(
    rf"""(?P<thin>\s*(?:\\[,;\ ]\s*){{4,}}(?=[\w{{}}^\\]+\s*=))
  | (?P<sized>\\[bB]igg?[lrm]?{_BRACED})
  | (?P<skip>(?:\s|~|\$|%[^\n]*|\\[,;:!>\s/]|\\(?:left|right)(?![A-Za-z]|\s*\.)|(?:[_^]\s*\{{\s*\}}|\{{\s*\}}(?!\s*_))|\\(?:text|mbox)\s*\{{[\s~]*\}}
        |\\(?:{_or(_SPACING)})(?![A-Za-z]|{_BRACED})|\\tag\s*[0-9]+|\\(?:{_or(table.DISCARDED)})(?![A-Za-z])\*?\s*(?:{_BRACES})?|\\bbox\s*(?:\[[^\]\\{{]*+\])?)+)
  | (?P<any>(?<=_)\*|(?<=_\{{)\*(?=\}})|(?<![\w}})\]^])\*(?=_))
  | (?P<method>(?<=[\w}})\]])\.T(?![A-Za-z0-9_^'({{]))
  | (?P<empty>\{{\s*\}})
  | (?P<upright>\\mathrm\{{(?:{_or(word[0] + "[}]" + word[1:].replace(" ", "[ ]") for word in _SPACED)})(?![A-Za-z]))
    {_COMMON}
  | (?<![A-Za-z\\])(?P<spaced>(?:{_or(word.replace(" ", "[ ]") for word in _SPACED)})(?![A-Za-z]|[ ][A-Za-z](?![A-Za-z])))
  | (?P<word>(?:(?<![A-Za-z\\])|(?<=[_^][A-Za-z]))(?:{_or(_WORDS)})(?![A-Za-z])|(?:tanh|sigmoid|softmax|diag)(?![A-Za-z])
        |(?<![A-Za-z\\_^])(?<![_^]\{{)ln(?=\s*\(|\\|\s+[A-Za-z\\]))
  | (?P<identifier>(?<![A-Za-z\\])[A-Za-z]{{2,}}(?:\\_[A-Za-z0-9]+)+)
  | (?P<plain>(?<![A-Za-z\\_^])(?:(?=[A-Za-z]*[aeiou])(?![i-np-t]+(?![A-Za-z]))(?![A-Z]?[a-z]*(?:{_or(_WORDS)}))[A-Z]?[a-z]{{4,}}
        |d?(?:{_or(table.SHORT_WORDS)}))(?![A-Za-z]))
    {_END}""",
    re.VERBOSE,
)
_CODE = re.compile(
    rf"""(?P<skip>(?:[ \t\r]|\#[^\n]*|\\[,;:!\s/]|(?:np|numpy|jnp|torch|math|tf|nn|F)\.(?=[A-Za-z]))+)
  | (?P<newline>\n)
    {_COMMON}
  | (?P<method>\.(?:T|dot|sum|mean|transpose|t)(?![A-Za-z0-9_]))
  | (?P<mark>δ(?=(?![{_GLYPHS}])[^\W\d_]))
  | (?P<identifier>(?:(?![{_GLYPHS}])[^\W\d_][{_MARKS}]*)+[0-9]*(?:_[A-Za-z0-9]+[{_MARKS}]*)*)
    {_END}""",
    re.VERBOSE,
)  # fmt: skip
# Letters in bold from a preamble that is not in the document: ``\h_t``, ``\W``, ``\vh``, ``\mW``, ``\bx``, ``\cL``; ``\d`` is an upright d.
_LETTER = re.compile(r"\\(?!be|bf|bm|bs|mu|mp|vect)(?:(?P<d>d)|(?:b|bb|bf|bm|v|vec|m|mat|c(?=[A-Z])|cal(?=[A-Z]))?(?P<a>[A-Za-z]))")
_BOLD_GREEK = re.compile(rf"\\(?:bf|bm|bs|b|v)(?P<letter>{_or(name for name in table.SYMBOLS if name[0].islower() and len(name) < 8)})")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{\s*([A-Za-z]+\*?)\s*\}")
_BIG_WORD = re.compile(
    r"(?P<sign>[ΣΠ])(?:_.*|).?|(?P<lower>sum|prod)(?:_.*|)[^(]?|(?P<upper>SUM|PROD|PRODUCT)_.*|(?P<word>Sum|Prod|[Pp]roduct)_(?![A-Za-z0-9])"
)
_WIDE = re.compile(r"[^\n]*(?: {3}|\t)")
_THICK = re.compile(r"(?:\\[;: ]\s*){2}")
_TEXT_PART = re.compile(r"[{}$]|\\.", re.DOTALL)
_GLUED = re.compile(r"\s*([A-Z])(diag)\s*")
_SIMPLE = re.compile(r"(?:(if|for|when|where)\s+)?([^\W_]{1,2})\s*([=<>≠≤≥])\s*([^\W_]{1,2})")


def lex(source: str, code: bool = False) -> list[Token]:
    """The tokens of `source`, without an end token."""
    if len(source) > MAX_CHARACTERS:
        raise ParseError(Span(MAX_CHARACTERS, len(source)), f"the formula has more than {MAX_CHARACTERS} characters")
    found: list[Token] = []
    rule = _CODE if code else _LATEX
    at = 0
    while at < len(source):
        match = rule.match(source, at)
        if match is None:  # a lone backslash at the end
            found.append(Token("bad", source[at], at, at + 1))
            at += 1
            continue
        if match.lastgroup == "text":
            at = _text(source, match, found)
        else:
            found.extend(_one(match, code))
            at = match.end()
        if len(found) > MAX_TOKENS:
            raise ParseError(Span(at - 1, at), f"the formula has more than {MAX_TOKENS} tokens", way_out="split it")
    return found


def _one(match: re.Match[str], code: bool) -> Iterator[Token]:
    kind, key, start, end = match.lastgroup or "", match[0], match.start(), match.end()
    match kind:
        case "skip":
            if (_WIDE.fullmatch(key) if code else _THICK.search(key)) is not None:
                yield Token("gap", GAP, start, end)
        case "empty":  # before an index that is not of the letter before it
            yield Token("empty", "{}", start, end)
        case "newline" | "row":
            yield Token("row", ROW, start, end)
        case "any":  # ``W_*``, of each gate
            yield Token("command", r"\star", start, end)
        case "gap" | "thin":  # thin spaces in a row before the next equation
            yield Token("gap", GAP, start, end)
        case "environment":
            parts = _ENVIRONMENT.match(key)
            assert parts is not None
            yield Token("command", rf"\{parts[1]}{{{parts[2]}}}", start, end)
        case "edge":
            yield Token("command", r"\left." if key.startswith(r"\left") else r"\right.", start, end)
        case "lost":
            yield Token("command", "." if key == "dot" else "\\" + key, start, end)
        case "braced":  # ``0{:}H``, without the space that TeX sets around a relation
            yield Token("sign", key[1:-1].strip(), start, end)
        case "thousands":
            yield Token("bad", key, start, end, "the comma may stand before decimals or between thousands")
        case "comma":  # of a decimal number, ``0{,}75``
            yield Token("number", key.replace("{,}", "."), start, end)
        case "dots":
            yield Token("command", r"\dots", start, end)
        case "word":
            yield Token("word", key, start, end, "mathrm")
        case "spaced":
            yield Token("word", key.replace(" ", ""), start, end, "mathrm")
        case "upright":  # ``\mathrm{n} e t``
            yield Token("word", re.sub(r"[ }]", "", key.removeprefix("\\mathrm{")), start, end, "mathrm")
        case "plain":
            yield Token("word", key, start, end, "mathrm")
        case "mathword" if match["mathword"] in table.CONDITIONS and match.string[:start].rstrip()[-1:] not in ("_", "^", "{"):
            yield Token("prose", match["mathword"], start, end)
        case "mathword":
            yield Token("word", match["mathword"], start, end, table.FONTS[match["mathfont"]])
        case "identifier" if code and (key in table.CONDITIONS or key in ("return", "else")):
            yield Token("prose", key, start, end)
        case "identifier" if code and (big := _BIG_WORD.fullmatch(key + match.string[end : end + 1])):
            word = big["sign"] or big["lower"] or big["upper"] or big["word"]
            yield Token("command", r"\sum" if word == "Σ" or word.lower() == "sum" else r"\prod", start, start + len(word))
            if key != word:
                yield Token("sign", "_", start + len(word), start + len(word) + 1)
                yield Token("identifier", key[len(word) + 1 :], start + len(word) + 1, end)
        case "identifier":
            yield Token("identifier", key.replace("\\", ""), start, end)
        case "lowered" | "raised":
            yield from _script(kind, match)
        case "letter" | "mark":
            if key in NUMBERED:
                return
            if key in ("Σ", "Π"):
                yield Token("command", r"\sum" if key == "Σ" else r"\prod", start, end)
                return
            try:
                kind, key, detail = accented_letter(key, start, end)
                yield Token(kind, key, start, end, detail)
            except ParseError as error:
                yield Token("bad", match[0], start, end, error.reason)
        case "number" | "method":
            yield Token(kind, key, start, end)
        case "bold":
            yield Token("number", match["bold"], start, end)
        case "vulgar":
            yield Token("command", r"\frac", start, start)
            for digit in _VULGAR[key]:
                yield from (Token("sign", "{", start, start), Token("number", digit, start, end), Token("sign", "}", end, end))
        case _:
            if kind == "escaped":
                key = key[1]
            elif kind == "sized":  # ``\Big{(}``
                key = re.sub(r"^[^{]*\{\s*|\s*\}$", "", key)
            elif kind == "entity":
                key = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}.get(key, "")
            key = table.ALIASES.get(key, key)
            if key in table.ABBREVIATIONS and not (key in table.QUOTIENTS and match.string.startswith("{", end)):
                key = table.ABBREVIATIONS[key]
            if key == r"\T" and _raised(match):
                key = r"\top"
            elif key == r"\trans":
                key = r"\top"
                if not _raised(match):
                    yield Token("sign", "^", start, start)
            if key[1:] in _MACROS and key[0] == "\\":  # ``\diag``, from a preamble that is not in the document
                yield Token("word", key[1:], start, end, "mathrm")
            elif (letter := _LETTER.fullmatch(key)) and match.string[end : end + 1] != "{":
                yield Token("word", letter["d"], start, end, "mathit") if letter["d"] else Token("word", letter["a"], start, end, "mathbf")
            elif key in (r"\0", r"\1"):
                yield Token("word", key[1], start, end, "mathbf")
            elif key[1:] not in table.SYMBOLS and (greek := _BOLD_GREEK.fullmatch(key)):
                yield from (Token("command", r"\mathbf", start, start), Token("sign", "{", start, start))
                yield from (Token("command", "\\" + greek["letter"], start, end), Token("sign", "}", end, end))
            elif key:
                yield Token("command" if key[0] == "\\" else "letter" if key.isalpha() else "sign", key, start, end)


def _raised(match: re.Match[str]) -> bool:
    """Whether a command is what stands behind ``^``."""
    return match.string[max(0, match.start() - 4) : match.start()].rstrip(" {").endswith("^")


def _script(kind: str, match: re.Match[str]) -> Iterator[Token]:
    """``ₜ₋₁`` as ``_{t-1}``, ``ᵀ`` as a transpose."""
    start, end = match.start(), match.end()
    glyphs = table.LOWERED if kind == "lowered" else {**table.RAISED, **table.SUPERSCRIPTS, _TOP: r"\top"}
    yield Token("sign", "_" if kind == "lowered" else "^", start, start)
    yield Token("sign", "{", start, start)
    for k, glyph in enumerate(match[0], start):
        key = glyphs[glyph]
        yield Token("letter" if key.isalpha() else "number" if key.isdigit() else "command" if key[0] == "\\" else "sign", key, k, k + 1)
    yield Token("sign", "}", end, end)


def _text(source: str, match: re.Match[str], found: list[Token]) -> int:
    r"""``\text{...}``: its words, and the formulas between ``$`` in it; the place behind it."""
    font = table.FONTS[match["text"]]
    at = begin = match.end()
    depth, formula = 1, False
    parts: list[tuple[int, int, bool]] = []
    while depth:
        sign = _TEXT_PART.search(source, at)
        if sign is None:
            found.append(Token("bad", r"\text{", match.start(), match.end(), "an opening brace that is never closed"))
            return len(source)
        at = sign.end()
        if sign[0] == "$":
            parts.append((begin, sign.start(), formula))
            begin, formula = at, not formula
        elif sign[0] in "{}":
            depth += 1 if sign[0] == "{" else -1
    parts.append((begin, at - 1, formula))
    if len(parts) == 1 and (simple := _SIMPLE.fullmatch(source[begin : at - 1].strip())):  # \text{if p = i}
        for word in filter(None, simple.groups()):
            kind = "number" if word.isdigit() else "letter" if len(word) == 1 and word.isalpha() else "prose" if word.isalpha() else "sign"
            found.append(Token(kind, word, begin, at - 1))
        return at
    if len(parts) == 1 and (glued := _GLUED.fullmatch(source, begin, at - 1)):  # ``\operatorname{Wdiag}``, as programs write that read pictures
        found += [Token("letter", glued[1], *glued.span(1)), Token("operator", glued[2], glued.start(2), at, font)]
        return at
    if len(parts) == 1:
        found.append(_words(source, match, begin, at, font))
        return at
    for first, last, is_formula in parts:
        if is_formula:
            found.extend(token for token in lex(source[first:last]) for token in [token._replace(start=token.start + first, end=token.end + first)])
        elif source[first:last].strip():
            text = source[first:last].strip()
            found.append(Token("prose", text, first, last, font) if len(text) > 1 or not text.isalpha() else Token("letter", text, first, last))
    return at


def _words(source: str, match: re.Match[str], begin: int, at: int, font: str) -> Token:
    """One token for a text: a name, or prose if it has a space in or around it, or is a word of prose."""
    raw = _escaped.sub(r"\1", source[begin : at - 1])
    text = raw.strip()
    if match["text"] == "operatorname":
        return Token("operator", text, match.start(), at, font)
    prose = raw != text or " " in text or text.lower() in table.PROSE or not text.isascii() or not text[:1].isalnum()
    if prose and (text in table.FUNCTION_WORDS or text in ("diag", "Diag")):
        prose = False
    return Token("prose" if prose and text else "word", text, match.start(), at, font)
