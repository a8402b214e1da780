"""MATLAB, Octave and Julia put into Python: ``.*`` multiplies entry by entry, ``*`` contracts, ``'`` transposes, round brackets may index.

Line by line: a line that does not become Python gives its variable a value that is not known.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace

from symgrad.check.sources.document import Passage, joined
from symgrad.check.sources.passages import rewritten, synthetic
from symgrad.check.sources.words import words

PAD = "    "
SCALARS = words("alpha beta gamma eta tau dt lr leak decay rate scale lambda eps epsilon α β γ η τ λ ε")  # what programs call numbers
_LEADER = re.compile(r"[%#]+[ \t]*$", re.MULTILINE)  # of a comment
_NUMBER = r"\d[\d.]*(?:[eE][-+]?\d+)?"
_SET = re.compile(r"^[ \t]*(?:const\s+)?([^\W\d]\w*)(?:::[\w{}.]+)?\s*=(?!=)\s*([^\n;]*)", re.MULTILINE)
_FILLED = re.compile(r"^[ \t]*([^\W\d]\w*)\s*[({\[][^=\n]*[)}\]]\s*[.+-]*=(?!=)", re.MULTILINE)
_REST = re.compile(r"\(\s*1(?:\.0*)?\s*-\s*([^\W\d]\w*)\s*\)\s*\*")
_SIGNS = (
    r"(?P<goes_on>\.\.\.[^\n]*\n)|(?P<transposed>(?<=[\w)\]}'])\.?')|(?P<call>(?<=[^\W\d])\.(?=\())|(?P<plain>\.(?=[-+=/<>]))|(?P<power>\.?\^)"
    r"|(?P<summed>(?<![\w.])sum(?=\())|(?P<blank>(?<![\w.])(?:zero|similar)(?=\())|(?P<entrywise>\.\*|FACTOR\s*\*|\*\s*(?=FACTOR(?![\w.(\[{])))|(?P<product>\*)"
)
_WRITTEN = {"goes_on": " ", "transposed": ".T", "power": "**", "summed": "np.sum", "blank": "zeros", "product": "@"}  # the rest is left out
_BACK = [(re.compile(python), sign) for python, sign in ((r"\*\*", ".^"), (r" ([*/]) ", r" .\1 "), (" @ ", " * "), (r"\.T\b", "'"), (r"\bnp\.", ""))]
_OTHERWISE = re.compile(r"concatenate|stack\(|axis|maximum|\[[^\]]*\d+:|:\d|\[-?\d+\]|this\(")  # what has no sign of its own in MATLAB or Julia
_ENTRY = re.compile(r"(\w+)\[([^\[\]]*)\]")
_BRACKETS = re.compile(r"[()\[\]{};:\n]|\bend\b")
_ALL = re.compile(r"(?<=\w)\[\s*:\s*(?:,\s*:\s*)*\]")  # of an array
_HANDLE = re.compile(r"\s*([^\W\d]\w*)\s*=\s*@\(([\w\s,]*)\)|\s*([^\W\d]\w*)\(([\w\s,]*)\)\s*=(?!=)\s*(?=.*[^\W\d])")
_FUNCTION = re.compile(r"\s*function\b(?:[^\n=(]*=)?\s*(?:[\w.]+\.)?([^\W\d]\w*)!?\s*(?:\(([^\n]*)\))?")
_ARGUMENT = re.compile(r"(?:^|[,;])\s*([^\W\d]\w*)")
_LOOP = re.compile(r"\s*(?:par)?for\b\s*\(?\s*([\w\s,()]+?)\s*(?:=|\bin\b|∈)\s*([^\n]*?)\)?[;,\s]*$")
_OPENS = re.compile(r"\s*(?:@\w+\s+)?(?:if|while|switch|try|begin|let|(?:mutable\s+)?struct|module|classdef|properties|methods|quote)\b|.*\bdo(?:\s+\w+)?\s*$")
_BETWEEN = re.compile(r"\s*(?:else|elseif|catch|case|otherwise|finally)\b")
_CLOSES = re.compile(r"\s*end\w*[;,\s]*$")
_ONE_LINE = re.compile(
    r"\s*(?:if|for|parfor|while|try)\b(?:\s*\((?:[^()]|\([^()]*\))*\)|(?:[^,;=<>~]|[=<>~]=|[<>~](?!=))*[,;])?\s*(?=[^\W\d])(.*?)[;,\s]*\bend\w*[;,\s]*$"
)


def in_python(source: Passage, square: bool) -> Passage:
    """A program whose comments and strings are blank, as Python; `square` if only square brackets index."""
    source, origin = rewritten(source, _LEADER, lambda m: ""), source
    numbers = _numbers(source.text)
    number = "|".join([_NUMBER, *map(re.escape, sorted(numbers, reverse=True)[:60])])
    factor = rf"(?:(?<![\w.])(?:{number})|\(\s*-?(?:{number})(?:\s*[-+*/]\s*(?:{number}))*\s*\))"
    found = rewritten(source, re.compile(_SIGNS.replace("FACTOR", factor)), _sign)
    held = {m[1] for m in _SET.finditer(source.text) if m[2][:1] != "@"} | {m[1] for m in _FILLED.finditer(source.text)}
    found = rewritten(_bracketed(found, set() if square else held), _ALL, lambda m: "")
    return replace(joined([part for line in _lines(found, numbers) for part in line]), origin=origin)


def written_back(formula: str, program: str) -> str | None:
    """A formula in Python as this program would have it; None of one with arrays put together, axes, or places counted from 0."""
    if _OTHERWISE.search(formula):
        return None
    for python, sign in _BACK:
        formula = python.sub(sign, formula)
    if re.search(r"\w\[", program) is not None:  # Julia has square brackets, and a dot before the sign for the numbers that it adds to arrays
        return re.sub(r"(?<=\b1) -", " .-", formula)
    return _ENTRY.sub(lambda m: f"{m[1]}{{{m[2]}}}" if f"{m[1]}{{" in program else f"{m[1]}({m[2]})", formula)


def _numbers(text: str) -> set[str]:
    """The variables that are given numbers alone, or stand where no matrix does: ``(1 - a) * h``."""
    known, others = {*SCALARS, *_REST.findall(text)}, {m[1] for m in _FILLED.finditer(text)}
    for m in _SET.finditer(text):
        named = set(re.findall(r"[^\W\d]\w*", re.sub(_NUMBER, "", m[2])))
        plain = bool(m[2].strip()) and named <= known and re.search(r"[^\w\s.+*/()-]", m[2]) is None
        (known if plain else others).add(m[1])
    return known - others


def _sign(m: re.Match[str]) -> str:
    return m[0].removeprefix(".") if m.lastgroup == "entrywise" else _WRITTEN.get(str(m.lastgroup), "")


def _bracketed(source: Passage, held: set[str]) -> Passage:
    """Brackets as Python has them: ``h(:, t)`` and ``h{t}`` of variables are entries, ``[h; x]`` puts one below the other."""
    text = source.text
    new: dict[int, str] = {}
    stack: list[tuple[int, str]] = []
    for m in _BRACKETS.finditer(text):
        at, sign = m.start(), m[0]
        if sign == "\n":
            stack.clear()
        elif sign in "([{":
            name = re.search(r"(?:[^\W\d]\w*|\])$", text[max(0, at - 60) : at])
            entry = sign == "{" or (sign == "(" and name is not None and name[0] in held)
            stack.append((at, "]" if entry else "" if sign == "(" or name else "["))
            if entry:
                new[at] = "["
        elif sign in ")]}" and stack:
            start, kind = stack.pop()
            new.update({at: kind} if kind == "]" else {start: "np.concatenate((", at: "))"} if kind == "([" else {})
        elif sign == ";" and stack and stack[-1][1] in ("[", "(["):
            new[at] = ","
            stack[-1] = stack[-1][0], "(["
        elif sign == ":" and stack and text[max(at - 9, 0) : at].rstrip()[-1:] in "(," and text[at + 1 : at + 9].lstrip()[:1] in "),":
            new[stack[-1][0]] = "["
            stack[-1] = stack[-1][0], "]"
        elif sign == "end" and stack:
            new[at] = "-1"
    return rewritten(source, _BRACKETS, lambda m: new.get(m.start(), m[0]))


def _lines(source: Passage, numbers: set[str]) -> list[list[Passage]]:
    """The lines in Python's order of blocks: each as parts of itself and of what it does not hold."""
    out: list[list[Passage]] = []
    blocks: list[int] = []  # how far those that are open are set in: functions may have no end
    at = 0
    for row in source.text.split("\n"):
        line, place = source[at : at + len(row)], source.starts[min(at, len(source) - 1)] if source.text else 0
        at += len(row) + 1
        indent = len(row) - len(row.lstrip())
        head = ""
        if (m := _ONE_LINE.match(row)) is not None:
            line, row = line[m.start(1) : m.end(1)], m[1]
        if _CLOSES.match(row):
            del blocks[-1:]
        elif (m := _FUNCTION.match(row)) is not None:
            while blocks and blocks[-1] >= indent:
                blocks.pop()
            head = f"def {m[1]}({', '.join(_ARGUMENT.findall(m[2] or ''))}):"
        elif (m := _LOOP.match(row)) is not None:
            head = f"for {m[1]} in {'range(0)' if ':' in m[2] or not _parses(m[2]) else m[2].strip()}:"
        elif _OPENS.match(row):
            head = "if _:"
        elif _BETWEEN.match(row) and blocks:
            out.append([synthetic(PAD * (len(blocks) - 1) + "elif _:\n" + PAD * len(blocks) + "pass\n", place)])
        elif row.strip():
            out.append([synthetic(PAD * len(blocks), place), *_statement(line, place, numbers), synthetic("\n", place)])
        if head:
            out.append([synthetic(f"{PAD * len(blocks)}{head}\n{PAD * (len(blocks) + 1)}pass\n", place)])
            blocks.append(indent)
    return out


def _statement(line: Passage, place: int, numbers: set[str]) -> list[Passage]:
    row = line.text
    if (m := _HANDLE.match(row)) is not None and _parses(row[m.end() :]):
        return [synthetic(f"def {m[1] or m[3]}({m[2] or m[4]}): return ", place), line[m.end() :].strip()]
    if _parses(row):
        return [line.strip()]
    m = _SET.match(row)
    return [synthetic("pass" if m is None else f"{m[1]} = {'1' if m[1] in numbers else 'this()'}", place)]


def _parses(row: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(row.strip())
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True
