r"""MathML that breaks over lines: a long formula becomes short pieces between which a browser may break, as a typesetter would.

No browser breaks inside ``<math>``.  So a formula is cut before its relations, before ``+`` and ``-``, before ``⊙`` and between the
factors of a product, in this order of preference: a term that fits on a line stays whole, since it is a box of its own, and only what
is wider than a line breaks inside.  The equations of an ``aligned`` block become the rows of a grid, signs below signs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

WIDTH = 21.0  # characters: what stays in one piece, so that it fits on a telephone
RELATIONS = frozenset("=<>≤≥≠≡≈∼→←⇒:∝∈≪≫")
ADDITIONS = frozenset("+−±-")
TALL = frozenset(("mfrac", "munderover", "munder", "mover", "mtable", "msqrt", "mroot"))
SCRIPTS = frozenset(("msub", "msup", "msubsup"))
BASED = SCRIPTS | {"munder", "mover", "munderover", "mrow"}  # what stands first in these is what they are about
APART = frozenset(("mspace", "mo", "mtext", "munder", "munderover"))
ACCENTS = {"\u0303": "~", "\u0302": "^", "\u0304": "\u00af"}  # the forms that browsers centre and stretch
BARS = ("‖", "∥")  # pandoc's \lVert, and \left\lVert
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_PARAGRAPH = re.compile(r"<p>\s*(<span class=\"formula\">(?:(?!</?p>).)*?</span><!--formula-->)\s*</p>", re.DOTALL)

Elements = list[Element]


@dataclass(slots=True)
class Box:
    """Pieces of a line, which stay together where they can; a piece is a run of elements or a box."""

    pieces: list[Elements | Box]

    def width(self) -> float:
        return sum(_width(p) for p in self.pieces)


def reflowed(html: str) -> tuple[str, set[str]]:
    """The page with its long formulas in pieces, and the characters of its mathematics."""
    characters: set[str] = set()

    def replaced(m: re.Match[str]) -> str:
        try:
            math = _parsed(m[0])
        except ElementTree.ParseError:  # written by hand, and not well
            return m[0]
        characters.update(_characters(math))
        return _display(math) if math.get("display") == "block" else _inline(math)

    return _MATH.sub(replaced, html), characters


def _parsed(text: str) -> Element:
    """The element without namespace, ``semantics`` and annotation."""
    math = ElementTree.fromstring(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    inner = next(iter(math[0])) if len(math) and math[0].tag == "semantics" else None
    if inner is not None:
        math[:] = list(inner) if inner.tag == "mrow" else [inner]
    for e in math.iter():
        if e.tag == "mo" and e.text in BARS:  # only what TeX calls \left and \right grows
            e.set("stretchy", str(e.text == "∥" and e.get("stretchy") == "true").lower())
            e.text = "‖"
        if e.tag == "mover" and len(e) == 2 and e[1].text in ACCENTS:
            e[1].text = ACCENTS[e[1].text]
        if e.tag in SCRIPTS:
            if _accent(e[0]):  # the accent does not lift the exponent
                e[0] = _clamped(e[0])
            for script in list(e)[1:]:
                for sign in script.iter("mo"):  # TeX sets no space around signs in scripts
                    sign.set("lspace", "0")
                    sign.set("rspace", "0")
    return math


def _clamped(accented: Element) -> Element:
    out = Element("mpadded", height="0.72em")
    out.append(accented)
    return out


def _characters(math: Element) -> Iterator[str]:
    """Every character of a formula, a lone letter also as the italic that a browser sets."""
    for e in math.iter():
        text = e.text or ""
        yield from text
        if e.tag in ("msqrt", "mroot"):
            yield "√"  # which a browser draws from the font
        if e.tag == "mi" and len(text) == 1 and e.get("mathvariant") != "normal":
            yield italic(text)


def italic(letter: str) -> str:
    """The mathematical italic of a letter: h is U+210E, z is U+1D467."""
    if letter == "h":
        return "ℎ"
    for first, last, start in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    k = "∂ϵϑϰϕϱϖ".find(letter)
    return letter if k < 0 else chr(0x1D715 + k)


# ---- widths


def _width(part: Elements | Box | Element) -> float:
    """About how many characters wide it is set."""
    if isinstance(part, Box):
        return part.width()
    if isinstance(part, list):
        return sum(map(_width, part))
    inner = list(part)
    match part.tag:
        case "mspace":
            return float((part.get("width") or "0em").removesuffix("em")) * 2
        case "mfrac":
            return max(map(_width, inner))
        case tag if tag in SCRIPTS:
            return _width(inner[0]) + 0.7 * max(map(_width, inner[1:]))
        case "munderover" | "munder" | "mover":
            return max(_width(inner[0]), 0.7 * max(map(_width, inner[1:])))
        case "mo":
            text = part.text or ""
            return 0.0 if text == "\u2061" else 0.8 if _bracket(part) else len(text) + (1.0 if _infix(part) else 0.0)
        case _:
            return sum(map(_width, inner)) if inner else len(part.text or "")


# ---- what stands where


def _bracket(e: Element) -> str:
    """``prefix``, ``postfix`` or nothing."""
    return (e.get("form") or "") if e.tag == "mo" and e.get("form") in ("prefix", "postfix") else ""


def _infix(e: Element) -> bool:
    return e.tag == "mo" and not _bracket(e) and (e.text or "") in RELATIONS | ADDITIONS | {"⊙", "∘", "⋅", "×"}


def _flat(elements: Sequence[Element]) -> Elements:
    r"""The elements with ``mrow`` undone; ``\left( … \right)`` too, unless something tall stands in it."""
    out: Elements = []
    for e in elements:
        if e.tag != "mrow":
            out.append(e)
        elif len(e) and _bracket(e[0]) == "prefix" and _bracket(e[-1]) == "postfix":
            if any(inner.tag in TALL and not _accent(inner) for inner in e.iter()):
                out.append(e)
            else:
                grown = max((m.get("minsize", "") for m in e.iter("mo")), default="")
                for end in (e[0], e[-1]):
                    end.attrib |= {"stretchy": "true", "minsize": grown, "maxsize": grown} if grown else {"stretchy": "false"}
                out += _flat(list(e))
        else:
            out += _flat(list(e))
    return out


def _spaced(elements: Elements) -> Elements:
    """Thin spaces about the name of a function, as TeX has them: ``2 tanh x``, but ``tanh(x)``."""
    out: Elements = []
    for k, e in enumerate(elements):
        if _function(e) and out and (out[-1].tag not in APART or _bracket(out[-1]) == "postfix"):
            out.append(Element("mspace", width="0.167em"))
        out.append(e)
        named = _function(e) or (e.text == "\u2061" and k > 0 and _function(elements[k - 1]))
        follower = elements[k + 1] if k + 1 < len(elements) else None
        if named and follower is not None and (follower.tag not in APART or (follower.text or " ") in "|∥‖"):
            out.append(Element("mspace", width="0.167em"))
    return out


def _function(e: Element) -> bool:
    """Whether this is the name of a function, with a power or a bound perhaps."""
    while len(e) and e.tag in BASED:
        e = e[0]
    return e.tag == "mi" and len(e.text or "") > 1


def _accent(e: Element) -> bool:
    return e.tag == "mover" and len(e) == 2 and e[1].get("accent") == "true"


@dataclass(slots=True)
class Group:
    """A pair of brackets with what stands in them."""

    opening: Element
    inside: list[Element | Group]
    closing: Element

    def elements(self) -> Elements:
        return [self.opening, *(x for part in self.inside for x in (part.elements() if isinstance(part, Group) else [part])), self.closing]


def _grouped(elements: Elements) -> list[Element | Group]:
    """Brackets matched; one without its partner stays an element."""
    stack: list[tuple[Element | None, list[Element | Group]]] = [(None, [])]
    for e in elements:
        if _bracket(e) == "prefix":
            stack.append((e, []))
        elif _bracket(e) == "postfix" and len(stack) > 1:
            opening, inside = stack.pop()
            assert opening is not None
            stack[-1][1].append(Group(opening, inside, e))
        else:
            stack[-1][1].append(e)
    while len(stack) > 1:
        opening, inside = stack.pop()
        stack[-1][1].extend([*([opening] if opening is not None else []), *inside])
    return stack[0][1]


# ---- cutting


def _cut(parts: Sequence[Element | Group], before: Callable[[Element], bool]) -> list[list[Element | Group]]:
    """The parts in runs; a run begins where `before` holds, unless nothing stands before it."""
    runs: list[list[Element | Group]] = [[]]
    for part in parts:
        if isinstance(part, Element) and before(part) and runs[-1]:
            runs.append([])
        runs[-1].append(part)
    return runs


def _relation(e: Element) -> bool:
    return e.tag == "mo" and not _bracket(e) and (e.text or "") in RELATIONS


def _addition(e: Element) -> bool:
    return e.tag == "mo" and not _bracket(e) and (e.text or "") in ADDITIONS


def _wide_space(e: Element) -> bool:
    return e.tag == "mspace" and _width(e) >= 2


def _plain(parts: Sequence[Element | Group]) -> Elements:
    return [x for p in parts for x in (p.elements() if isinstance(p, Group) else [p])]


def _boxed(parts: Sequence[Element | Group], level: int = 0) -> Elements | Box:
    """The parts as one piece if they are short, else cut at the loosest signs that they have."""
    plain = _plain(parts)
    if _width(plain) <= WIDTH:
        return plain
    for k, before in enumerate((_wide_space, _relation, _addition)[level:], level):
        runs = _cut(parts, before)
        if len(runs) > 1:
            return Box([_boxed(run, k if before is _wide_space else k + 1) for run in runs])
    return _factors(parts)


def _factors(parts: Sequence[Element | Group]) -> Elements | Box:
    """A term cut between its factors: before ``⊙`` and ``∑``, behind a bracket, around a bracket that is itself too long."""
    pieces: list[Elements | Box] = []
    run: Elements = []
    for part in parts:
        if isinstance(part, Group):
            inside = _boxed(part.inside)
            if isinstance(inside, Box):
                _first(inside)[0:0] = [*run, part.opening]
                _last(inside).append(part.closing)
            pieces.append(inside if isinstance(inside, Box) else [*run, *part.elements()])
            run = []
        elif run and (part.tag in ("munder", "munderover") or (_infix(part) and not _addition(part)) or run[-1].tag == "mrow"):
            pieces.append(run)
            run = [part]
        else:
            run.append(part)
    return _merged([*pieces, run] if run else pieces)


def _merged(pieces: Sequence[Elements | Box]) -> Elements | Box:
    """Nothing as short as a bracket, an operator or a weight stands alone on a line."""
    merged: list[Elements | Box] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, list) and isinstance(last, Box) and _width(piece) < 4:
            _last(last).extend(piece)
        elif isinstance(piece, list) and isinstance(last, list) and (min(_width(piece), _width(last)) < 3 or _width([*last, *piece]) <= 8):
            last.extend(piece)
        else:
            merged.append(piece)
    return merged[0] if len(merged) == 1 else Box(merged)


def _first(box: Box) -> Elements:
    inner = box.pieces[0]
    return inner if isinstance(inner, list) else _first(inner)


def _last(box: Box) -> Elements:
    inner = box.pieces[-1]
    return inner if isinstance(inner, list) else _last(inner)


# ---- writing


def _written(part: Elements | Box, display: bool) -> str:
    if isinstance(part, Box):
        return f'<span class="box">{"<wbr>".join(_written(p, display) for p in part.pieces)}</span>'
    for e in part:
        if _infix(e):
            e.set("form", "infix")  # an operator at the start of a piece still stands between two terms
    inner = "".join(ElementTree.tostring(e, encoding="unicode", short_empty_elements=False) for e in part)
    return f'<math{" displaystyle=" + chr(34) + "true" + chr(34) if display else ""}>{inner}</math>'


def _inline(math: Element) -> str:
    box = _boxed(_grouped(_spaced(_flat(list(math)))))
    return "<wbr>".join(_written(p, False) for p in (box.pieces if isinstance(box, Box) else [box]))


def _display(math: Element) -> str:
    rows = list(_rows(math))
    if all(not left for left, _ in rows):
        body = "".join(f'<span class="alone">{_written(_boxed(_grouped(_spaced(_flat(right)))), True)}</span>' for _, right in rows)
        return f'<span class="formula alone">{body}</span>'
    return f'<span class="formula rows">{"".join(_row(left, right) for left, right in rows)}</span>'


def _row(left: Elements, right: Elements) -> str:
    indent = 0.0
    right = _spaced(_flat(right))
    while right and right[0].tag == "mspace":
        indent += _width(right.pop(0)) / 2
    style = f' style="--indent: {indent:g}"' if indent else ""
    head = _written(left, True) if left else ""
    return f'<span class="left">{head}</span><span class="right"{style}>{_written(_boxed(_grouped(right)), True)}</span>'


def _rows(math: Element) -> Iterator[tuple[Elements, Elements]]:
    """Left and right side of each equation; without alignment, cut at the first relation."""
    table = math[0] if len(math) == 1 and math[0].tag == "mtable" else None
    if table is not None and all(len(row) <= 2 for row in table):
        for row in table:
            cells = [list(cell) for cell in row]
            yield (cells[0], cells[1]) if len(cells) == 2 else ([], cells[0] if cells else [])
        return
    elements = _flat(list(math))
    depth = 0
    for k, e in enumerate(elements):
        depth += {"prefix": 1, "postfix": -1}.get(_bracket(e), 0)
        if k and depth == 0 and _relation(e) and _width(elements) > WIDTH:
            yield elements[:k], elements[k:]
            return
    yield [], elements
