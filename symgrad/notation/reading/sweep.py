r"""Tokens made plain: what only decorates goes, what encloses is paired, environments become rows, cells or cases.

``\underbrace{a}_{b}`` is ``{a}`` and a definition; ``\overset{c}{=}`` is ``=``; braces that hold whole rows go; ``\begin{aligned}`` is where rows
begin; ``|`` is told from the bar in ``[a | b]`` and in ``a |_{b}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from symgrad.notation import table
from symgrad.notation.reading.lexis import CELL, GAP, ROW
from symgrad.notation.reading.tokens import Token

STEPS = frozenset((*"tkijnT0123", r"\tau"))  # what may count steps
_OPERANDS = frozenset(("letter", "number", "word", "identifier", "operator"))
EVALUATED, SEPARATOR, OPEN_EDGE, CLOSE_EDGE = r"\evaluated", r"\separator", r"\left.", r"\right."
_OPEN = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\langle": r"\rangle", OPEN_EDGE: r"\evaluated", r"\lfloor": r"\rfloor"}
_CLOSE = frozenset((*_OPEN.values(), CLOSE_EDGE))
_ROUND = ("(", "[", ")", "]")
_BEGIN, _END = r"\begin{", r"\end{"
_LISTING = (",", ".")
_ENCLOSING = frozenset(("(", "[", "{", r"\{", ",", CELL))
_ALIGNED = frozenset((*table.ALIGNMENTS, "alignat", "alignat*", "alignedat", "flalign", "flalign*", "multlined", "subequations", "math", "IEEEeqnarray",
                      "dmath", "dmath*", "document", "center", "eqnarray", "gathered"))  # fmt: skip
_TAKES_ONE = frozenset(("_", "^", r"\sqrt", *("\\" + a for a in table.ACCENTS), *("\\" + f for f in table.FONTS)))


class Swept(NamedTuple):
    """Tokens, and under each pair of braces the tokens of a name that an author put there."""

    tokens: list[Token]
    labels: list[tuple[list[Token], list[Token]]]


def sweep(found: list[Token], code: bool) -> Swept:
    if code:
        found = _split_differentials(found)
    labels: list[tuple[list[Token], list[Token]]] = []
    found = _crossed(found)
    found = found if code else _prescripts(_fenced(_quotients(_sideset(_unshaped(_explained(found))))))
    found = _undecorated(_primes_first(found), labels)
    found = _big(_angles(found))
    found = _environments(found)
    return Swept(_loosened(found), labels)


def _big(found: list[Token]) -> list[Token]:
    r"""``\Pi_{j=k}^{t}`` and ``\Sigma^{t}_{k=1}``: the capital letters as signs, where an index runs on them."""
    at = [k for k, token in enumerate(found) if token.key in (r"\Pi", r"\Sigma")]
    pair = partners(found) if at else []
    for k in at:
        script = k + 1
        while script + 1 < len(found) and found[script].key in ("_", "^"):
            close = max(pair[script + 1], script + 1)
            if found[script].key == "_" and any(token.key == "=" for token in found[script + 1 : close]):
                found[k] = found[k]._replace(key=r"\prod" if found[k].key == r"\Pi" else r"\sum")
            script = close + 1
    return found


def _primes_first(found: list[Token]) -> list[Token]:
    r"""``f^{\prime l}`` as ``f'^{(l)}``: what stands behind a prime in one script with it is a label, but for a power and a transpose."""
    places = [k for k in range(len(found) - 3) if found[k + 2].key == "'" and found[k].key == "^" and found[k + 1].key == "{"]
    pair = partners(found) if places else []
    result = list(found) if places else found
    for k in reversed(places):
        first, close = k + 2, pair[k + 1]
        while first < len(found) and found[first].key == "'":
            first += 1
        rest = found[first:close]
        if close < 0 or not rest:
            continue
        plain = rest[0].key == "(" or (len(rest) == 1 and (rest[0].kind == "number" or rest[0].key in ("T", r"\top", r"\intercal")))
        here, end = rest[0].start, found[close].start
        label = rest if plain else [Token("sign", "(", here, here), *rest, Token("sign", ")", end, end)]
        result[k:close] = [*found[k + 2 : first], found[k], found[k + 1], *label]
    return result


def _explained(found: list[Token]) -> list[Token]:
    r"""``a =^{def} b`` and ``a = = b`` as ``a = b``: what stands above a sign says why it holds."""
    pair = partners(found) if any(a.key == "=" and b.key == "^" for a, b in pairwise(found)) else []
    gone = set[int]()
    for k in (k for k, token in enumerate(found) if token.key == "="):
        above = found[k + 1 : k + 2] and found[k + 1].key == "^"
        stop = _script_range(found, pair, k + 1).stop if above else k + 1
        gone.update(range(k + 1, stop + (found[stop : stop + 1] != [] and found[stop].key == "=")))
    return [token for k, token in enumerate(found) if k not in gone] if gone else found


def _unshaped(found: list[Token]) -> list[Token]:
    """``A (-, h) = X (-, i) W (i, h)`` without the shapes: several, and a dash alone in one of them, tell what they are."""
    if not any(found[k].key == "(" and found[k + 1].key in table.MINUS.latex and found[k + 2].key in _LISTING for k in range(len(found) - 4)):
        return found
    pair = partners(found)
    gone = bytearray(len(found))
    shapes = 0
    for k in range(1, len(found)):
        close = pair[k]
        if found[k].key == "(" and close > 0 and found[k - 1].kind in (*_OPERANDS, "method", "sign"):
            sizes, between = found[k + 1 : close : 2], found[k + 2 : close : 2]
            told = found[k - 1].end < found[k].start or any(s.key in table.MINUS.latex for s in sizes)
            plain = told and all(s.kind in ("letter", "number") or s.key in table.MINUS.latex for s in sizes) and all(s.key in _LISTING for s in between)
            if plain and between and len(sizes) == len(between) + 1:
                gone[k : close + 1] = b"\1" * (close + 1 - k)
                shapes += 1
    return [token for k, token in enumerate(found) if not gone[k]] if shapes > 1 else found


def _crossed(found: list[Token]) -> list[Token]:
    """``{(a}}) `` as ``{(a)}}``, which looks the same: a bracket that opens in braces closes in them."""
    lone = [k for k, other in enumerate(partners(found)) if other < 0 and found[k].key == ")"]
    for k in lone[:4]:
        at = k
        while at and found[at - 1].key == "}":
            at -= 1
        for place in range(at, k):
            tried = [*found[:place], found[k], *found[place:k], *found[k + 1 :]]
            if partners(tried)[place] >= 0:
                found = tried
                break
    return found


def _sideset(found: list[Token]) -> list[Token]:
    r"""``\sideset{}{_l}\sum`` as ``\sum_l``, if nothing stands before the sign."""
    places = [k for k, token in enumerate(found) if token.key == r"\sideset"]
    pair = partners(found) if places else []
    result = list(found) if places else found
    for k in reversed(places):
        begins = k + 1 if k + 1 < len(found) and found[k + 1].key == "{" else k  # the lexer drops ``{}``
        close = pair[begins] if begins > k else -1
        big = close + 1
        if close < 0 or big >= len(found) or found[big].key[1:] not in table.BIG_OPERATORS or found[begins + 1].key not in ("_", "^"):
            continue
        result[k : big + 1] = [found[big]._replace(start=found[k].start), *found[begins + 1 : close]]
    return result


def _quotients(found: list[Token]) -> list[Token]:
    r"""``\pdv{f}{x}`` as ``\frac{\partial f}{\partial x}``, ``\dv{x}`` as ``\frac{d}{d x}``, but ``\dd{x}`` as dx."""
    places = [k for k, token in enumerate(found) if token.key in table.QUOTIENTS]
    pair = partners(found) if places else []
    result = list(found)
    for k in reversed(places):
        first = pair[k + 1] if k + 1 < len(found) and found[k + 1].key == "{" else -1
        if first < 0:
            continue
        at, end = found[k].start, found[k].end
        sign = table.QUOTIENTS[found[k].key]
        mark = Token("letter" if sign == "d" else "command", sign, end, end)
        two = first + 1 < len(found) and found[first + 1].key == "{" and pair[first + 1] > 0
        if two:
            result.insert(first + 2, mark)
        elif found[k].key in table.UPRIGHT_D:
            result[k] = mark._replace(start=at)
            continue
        above = [] if two else [Token("sign", "{", end, end), mark, Token("sign", "}", end, end)]
        result[k : k + 2] = [Token("command", r"\frac", at, end), *above, found[k + 1], mark]
    return result


def _fenced(found: list[Token]) -> list[Token]:
    r"""``\norm{a}`` as ``\|a\|``, ``\abs{a}`` as ``|a|``."""
    pair = partners(found) if any(token.key in table.FENCES for token in found) else []
    result = list(found)
    for k, token in enumerate(found):
        if token.key in table.FENCES and k + 1 < len(found) and found[k + 1].key == "{" and (close := pair[k + 1]) > 0:
            opening, closing = table.FENCES[token.key]
            result[k + 1], result[close] = found[k + 1]._replace(key=opening), found[close]._replace(key=closing)
    return [token for k, token in enumerate(result) if token.key not in table.FENCES or result[k + 1 : k + 2] == found[k + 1 : k + 2]]


def _prescripts(found: list[Token]) -> list[Token]:
    r"""``{}_T W`` and ``= _T W``: an index with nothing before it is one of the letter behind it, ``W_T``."""
    if not any(token.kind == "empty" or (token.key == "_" and _begins(found, k)) for k, token in enumerate(found)):
        return found
    pair = partners(found)
    result: list[Token] = []
    k = 0
    while k < len(found):
        empty = found[k].kind == "empty"
        mark = k + empty
        script = _script_range(found, pair, mark) if found[mark : mark + 1] and found[mark].key == "_" else range(0)
        begins = script.stop
        ends = _letter_ends(found, pair, begins) if script and (_begins(found, k) or (empty and _set_apart(found, k, begins))) else -1
        if ends > 0:
            at, end = found[k].start, found[ends - 1].end
            result.append(found[begins]._replace(start=at))
            result += [*found[begins + 1 : ends], *(token._replace(start=end, end=end) for token in found[mark:begins])]
            k = ends
        else:
            result += found[k:mark] if not empty else []
            k = mark
            result.append(found[k])
            k += 1
    return result


def _begins(found: list[Token], k: int) -> bool:
    """Whether an operand begins here: before it stands nothing, an opening bracket or a sign, a d only where ``{}`` is written."""
    before = found[k - 1] if k else None
    if before is None or before.kind in ("row", "gap") or before.key in _ENCLOSING:
        return True
    if found[k].kind == "empty":
        return before.key in ("d", r"\partial") or before.key in table.RELATION_SIGNS or before.key in table.INFIX
    return before.key in table.RELATION_SIGNS and before.end < found[k].start


def _set_apart(found: list[Token], k: int, begins: int) -> bool:
    """Whether a space stands before an index, and a bracket before that or no space behind it: ``\\dots {}_T w``, ``(a) {}_T w``."""
    near = begins < len(found) and found[begins - 1].end == found[begins].start
    return found[k - 1].end < found[k].start and (near or found[k - 1].key in _ROUND)


def _letter_ends(found: list[Token], pair: list[int], k: int) -> int:
    r"""The place behind the letter here, ``W``, ``\delta``, ``\mathbf{W}``; -1 if there is none."""
    if k >= len(found):
        return -1
    token = found[k]
    if token.kind in ("letter", "word", "identifier") or (token.kind == "command" and token.key[1:] in table.SYMBOLS):
        return k + 1
    marked = token.key[:1] == "\\" and (token.key[1:] in table.ACCENTS or token.key[1:] in table.FONTS)
    return pair[k + 1] + 1 if marked and k + 1 < len(found) and found[k + 1].key == "{" and pair[k + 1] > 0 else -1


def _above(found: list[Token], k: int, close: int) -> str | None:
    r"""The accent that ``\overset{\rightarrow}{h}`` sets above a letter; None above anything else."""
    if close != k + 3 or len(found) < close + 3 or found[close + 1].key != "{" or found[close + 2].kind not in (*_OPERANDS, "command"):
        return None
    if found[close + 2].key in table.RELATION_SIGNS:
        return None
    sign = found[k + 2].key
    return table.ABOVE.get(table.RELATION_SIGNS.get(sign, sign.lstrip("\\")))


def _holds_sign(found: list[Token], pair: list[int], at: int) -> bool:
    r"""Whether a font is that of an operator or a relation's sign: ``\mathbf{+}``."""
    at += at + 2 < len(found) and pair[at] == at + 2
    return at < len(found) and (found[at].key in table.INFIX or found[at].key in table.RELATION_SIGNS)


def partners(found: list[Token]) -> list[int]:
    """For every bracket the place of the one it pairs with, else -1; an environment's ends are brackets."""
    pair = [-1] * len(found)
    stack: list[int] = []
    for k, token in enumerate(found):
        key = token.key
        if key in _OPEN or key.startswith(_BEGIN):
            stack.append(k)
        elif key in _CLOSE or key.startswith(_END):
            for back in range(1, min(len(stack), 4) + 1):
                if _pairs(found, stack[-back], k):
                    pair[stack[-back]], pair[k] = k, stack[-back]
                    del stack[-back:]
                    break
                if found[stack[-back]].key == "{" and key != "}":
                    break
    return pair


def _pairs(found: list[Token], first: int, last: int) -> bool:
    opening, closing = found[first].key, found[last].key
    if opening.startswith(_BEGIN):
        return closing == _END + opening[len(_BEGIN):]  # fmt: skip
    if _OPEN[opening] == closing or (closing == CLOSE_EDGE and opening != "{"):
        return True
    between = [token.key for token in found[first + 1 : last]] if last - first < 9 else []
    return opening in _ROUND and closing in _ROUND and between.count(",") == 1 and not {"(", "["} & set(between)  # an interval, [0, 1)


def _split_differentials(found: list[Token]) -> list[Token]:
    """``dL/dh_t``, ``dh(t)/dh(t-1)``, ``d(W h)/dh`` in code: the d apart from the name, as in ``d L / d h_t``."""
    split = list(found)
    for last in range(len(found) - 3, -1, -1):
        k = _before_its_step(found, last)
        for at in (last + 2, k) if found[last + 1].key == "/" and all(_marked(found, at) for at in (last + 2, k)) else ():
            token = found[at]
            bare = [token._replace(key=token.key[1:], start=token.start + 1)] if len(token.key) > 1 else []
            split[at : at + 1] = [Token("letter", "d", token.start, token.start + 1), *bare]
    return split


def _marked(found: list[Token], k: int) -> bool:
    """Whether a name stands here that begins with d, or a d with a bracket behind it, ``d(W h)``."""
    bracket = [token.key for token in found[k + 1 : k + 2]] == ["("] and not lone(found, k + 1)
    return found[k].kind == "identifier" and found[k].key[0] == "d" and (len(found[k].key) > 1 or bracket)


def lone(found: Sequence[Token], k: int) -> bool:
    """Whether one letter for a step stands in a bracket that opens here: ``d(t)`` is d at a step."""
    return [token.key for token in found[k : k + 3 : 2]] == ["(", ")"] and found[k + 1].key in STEPS


def _before_its_step(found: list[Token], last: int) -> int:
    """The place of the name whose step in brackets ends here, ``dh(t)``, ``dh_{t+1}``; the place itself where none does."""
    if found[last].key not in (")", "]", "}"):
        return last
    first = next((k for k in range(last - 1, max(last - 6, 0), -1) if found[k].key in ("(", "[", "{")), 0)
    simple = all(t.kind in ("identifier", "number", "letter") or t.key in ("+", "-", "\u2212") for t in found[first + 1 : last])
    name = first - 1 - (first > 1 and found[first - 1].key in ("_", "^"))
    return name if first and simple and found[name].kind == "identifier" else last


def _undecorated(found: list[Token], labels: list[tuple[list[Token], list[Token]]]) -> list[Token]:
    """Without braces under formulas, signs over signs, and braces around a single sign or bracket."""
    pair = partners(found)
    gone = bytearray(len(found))
    moved: dict[int, list[Token]] = {}
    noted: list[tuple[range, range]] = []
    for k, token in enumerate(found):
        key = token.key
        if key[:1] != "\\" and key != "{":
            continue
        after = k + 1
        if key[1:] in table.BRACES and after < len(found) and pair[after] > 0:
            gone[k] = 1
            close = pair[after]
            label = _script_range(found, pair, close + 1)
            if label:
                gone[label.start - 1 : label.stop] = b"\1" * (len(label) + 1)
                noted.append((range(after + 1, close), label))
        elif key[1:] in table.STACKED and after < len(found) and pair[after] > 0:
            close = pair[after]
            gone[k : close + 1] = b"\1" * (close + 1 - k)
            accent = _above(found, k, close) if key != r"\underset" else None
            if accent is not None:
                found[k], gone[k] = token._replace(key="\\" + accent), 0
            if key == r"\underset" and close + 1 < len(found) and pair[close + 1] > 0:
                moved[pair[close + 1]] = [Token("sign", "_", token.start, token.end), *found[after : close + 1]]
        elif key == r"\substack" and after < len(found) and pair[after] > 0:
            gone[k] = 1
            for at in range(after, pair[after]):
                if found[at].kind == "row":
                    found[at] = Token("sign", ",", found[at].start, found[at].end)
        elif key == r"\mathrel" or (key[1:] in table.FONTS and _holds_sign(found, pair, after)):
            gone[k] = 1
        elif key in (r"\xrightarrow", r"\xlongequal") and after < len(found) and pair[after] > 0:
            gone[after : pair[after] + 1] = b"\1" * (pair[after] + 1 - after)
            found[k] = token._replace(key=r"\to" if key == r"\xrightarrow" else "=", kind="command")
        elif key == "{" and pair[k] > 0 and not (k and found[k - 1].key in ("_", "^")):
            inner = found[k + 1].key if pair[k] == k + 2 else ""
            bracket = pair[k] > k + 2 and pair[k + 1] == pair[k] - 1 and found[k + 1].key in ("(", "[")
            if bracket or inner == "'" or inner in table.INFIX or inner in table.RELATION_SIGNS:
                gone[k] = gone[pair[k]] = 1
    for formula, label in noted:
        labels.append(([found[i] for i in formula if not gone[i]], [found[i] for i in label if not gone[i] or i in label]))
    result = []
    for k, token in enumerate(found):
        if not gone[k]:
            result.append(token)
        result.extend(moved.get(k, ()))
    return result


def _script_range(found: list[Token], pair: list[int], at: int) -> range:
    """The tokens of the script at `at`, with their braces; empty where there is none."""
    if at + 1 < len(found) and found[at].key in ("_", "^"):
        return range(at + 1, (pair[at + 1] if pair[at + 1] > 0 else at + 1) + 1)
    return range(0)


def _angles(found: list[Token]) -> list[Token]:
    r"""``^{<t>}`` as ``^{\langle t \rangle}``, ``^{[l]<t>}`` and ``^{2<t>}`` likewise."""
    for k, token in enumerate(found):
        k0 = next((j for j in range(k - 1, max(k - 7, 1), -1) if found[j].key == "["), k) if found[k - 1].key == "]" else k  # behind a layer
        k0 -= k0 == k and found[k - 1].key == "2"
        if token.key == "<" and k0 > 1 and found[k0 - 1].key in ("{", "^", "_") and (found[k0 - 1].key != "{" or found[k0 - 2].key in ("^", "_")):
            for close in range(k + 1, min(k + 8, len(found))):
                if found[close].key == ">":
                    found[k] = token._replace(key=r"\langle", kind="command")
                    found[close] = found[close]._replace(key=r"\rangle", kind="command")
                    break
    return found


def _between_operands(found: list[Token], k: int) -> bool:
    """Whether something ends right before this token and something begins right behind it."""
    before, behind = found[k - 1], found[k + 1]
    ends = before.kind in _OPERANDS or before.key in _CLOSE or before.key == "'"
    return ends and (behind.kind in _OPERANDS or behind.key in _OPEN or (behind.kind == "command" and behind.key not in table.INFIX))


def _environments(found: list[Token]) -> list[Token]:
    r"""What only aligns becomes rows; an array behind a lone brace cases; anything else with rows a matrix."""
    pair = partners(found)
    result = list(found)
    fresh, inside = True, 0  # whether nothing stands in this row yet; how many brackets are open
    for k, token in enumerate(found):
        key = token.key
        if key.startswith(_BEGIN):
            name = key[len(_BEGIN) : -1]
            braced = k > 0 and found[k - 1].key == r"\{"
            if braced and name in (*table.ARRAYS, "cases"):
                system = inside == 1 and (k < 2 or found[k - 2].kind == "row")
                _replace_ends(result, pair, k - 1, Token("row", ROW, 0, 0))
                _replace_ends(result, pair, k, Token("row", ROW, 0, 0) if system else Token("command", "cases", 0, 0))
            elif name in _ALIGNED or (name in ("array", "cases", "matrix", "rcases", "dcases") and fresh and not inside and not _lists_cases(found, k)):
                _replace_ends(result, pair, k, Token("row", ROW, 0, 0))
            elif name in ("dcases", "rcases", "cases*"):
                _replace_ends(result, pair, k, Token("command", "cases", 0, 0))
        elif key.startswith(_END) and pair[k] < 0 and key[len(_END) : -1] in _ALIGNED:  # its beginning is not in this fragment
            result[k] = Token("row", ROW, token.start, token.end)
        elif key == "{" or key == OPEN_EDGE:
            continue
        elif key in _OPEN and pair[k] > 0:
            inside += 1
        elif key in _CLOSE and pair[k] >= 0 and key != "}":
            inside -= 1
        fresh = key in (ROW, CELL, GAP) or (fresh and key.startswith((_BEGIN, _END))) or (fresh and key == r"\{")
    return [token for token in result if token.key != "gone"]


def _lists_cases(found: list[Token], begin: int) -> bool:
    """Whether the first cell of this environment is a value with its condition behind it, not one side of a relation."""
    if found[begin].key == r"\begin{array}":
        return False
    for k in range(begin + 1, min(begin + 300, len(found))):
        token = found[k]
        if token.key in table.RELATION_SIGNS or token.kind == "row" or token.key.startswith(_END) or token.key == found[begin].key:
            return False
        if token.key == CELL:
            return k + 1 < len(found) and found[k + 1].key not in table.RELATION_SIGNS
    return False


def _replace_ends(result: list[Token], pair: list[int], at: int, by: Token) -> None:
    ends = [at] + ([pair[at]] if pair[at] >= 0 else [])
    for place in ends:
        old = result[place]
        if old.key == r"\{" or old.key in _CLOSE:
            key, kind = "gone", "sign"
        elif by.key == "cases":
            key, kind = (r"\begin{cases}" if place == at else r"\end{cases}"), "command"
        else:
            key, kind = by.key, by.kind
        result[place] = Token(kind, key, old.start, old.end)


def _loosened(found: list[Token]) -> list[Token]:
    r"""Without braces that hold rows, and rows, gaps and cells that stand in brackets; with ``|`` told apart."""
    pair = partners(found)
    gone = bytearray(len(found))
    stack: list[int] = []
    bars: list[list[int]] = [[]]
    opened = 0  # bars that tell their side
    every: list[list[int]] = [[]]  # all the bars in a bracket, not only those still open
    for k, token in enumerate(found):
        key = token.key
        if (key in _OPEN or key.startswith(_BEGIN)) and pair[k] > 0:
            stack.append(k)
            bars.append([])
            every.append([])
        elif stack and k == pair[stack[-1]]:
            opening = found[stack.pop()].key
            open_bars, between = bars.pop(), every.pop()
            lists = opening == "[" and all(_between_operands(found, b) for b in between)  # ``[a | b | c]``
            for b in between if lists else open_bars if len(open_bars) == 1 else ():
                found[b] = found[b]._replace(key=SEPARATOR)
        elif key == r"\lvert":
            opened += 1
        elif key == r"\rvert" and opened:
            opened -= 1
        elif key == r"\rvert" and not bars[-1] and k + 1 < len(found) and found[k + 1].key == "_":
            found[k] = token._replace(key=EVALUATED)
        elif key == "|" or key == r"\|":
            every[-1].append(k)
            following = found[k + 1].key if k + 1 < len(found) else ""
            if key == "|" and following == "_" and not bars[-1]:
                found[k] = token._replace(key=EVALUATED)
            elif bars[-1] and found[bars[-1][-1]].key == key:
                bars[-1].pop()
            else:
                bars[-1].append(k)
        elif token.kind in ("row", "gap") or key == CELL:
            holder = found[stack[-1]].key if stack else ""
            if holder == "{" and not _is_argument(found, pair, stack[-1]):
                gone[stack[-1]] = gone[pair[stack[-1]]] = 1
            elif holder == "[" and token.kind == "gap" and _between_operands(found, k):
                found[k] = Token("sign", SEPARATOR, token.start, token.end)
            elif holder and not holder.startswith(_BEGIN) and token.kind != "row":
                gone[k] = 1
        elif key in table.RELATION_SIGNS and stack and found[stack[-1]].key == "{" and not _is_argument(found, pair, stack[-1]):
            gone[stack[-1]] = gone[pair[stack[-1]]] = 1
    return [token for k, token in enumerate(found) if not gone[k]]


def _is_argument(found: list[Token], pair: list[int], at: int) -> bool:
    """Whether the braces here belong to a command or a script."""
    if at == 0:
        return False
    before = found[at - 1].key
    if before in _TAKES_ONE or before in table.FRACTIONS:
        return True
    first = pair[at - 1] if before == "}" else -1
    return first > 0 and found[first - 1].key in table.FRACTIONS
