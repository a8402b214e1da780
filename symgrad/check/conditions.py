r"""Conditions: what a claim is said to hold for, ``when $z_t = 1$``, in its formula, its sentence, the label of its paragraph, its heading.

A condition is a relation that a word such as "if" introduces, or that a label or a heading consists of.  It reaches as far as the sentence
that it stands in: forward from its beginning, back to the formula just before it; that of a label as far as the paragraph; that of a
heading as far as the next one.  What a condition means for the cell is settled in `suppose`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from symgrad.check.statements import derived
from symgrad.check.symbols import kind, spelled, unwrapped, walk
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Name, Number, Relation, Words

AT = frozenset({"=", "==", ":=", "equiv", "->", "to"})  # a quantity has, or goes to, a value
INDICES = frozenset("ijklmnpq")
ORDERED = frozenset({"<", ">", "<=", ">=", "!=", "leq", "geq", "≤", "≥", "<<", ">>", "~~", "approx", "ll", "gg", "neq"})
FIRST = 0xE000  # formulas in prose are characters of the private use area
PH = "[\ue000-\uf8ff]"
CUE = (
    r"(?:if|when|whenever|such that|for|at|as|under|with|where|cases?|setting|set|suppose|supposing|assume|assuming|provided|once|let|letting|given|consider|"
    r"fix|limit)"
)
MATH = re.compile(r"\$\$.+?\$\$|\$[^$]+\$|\\\(.+?\\\)|(?<!\w)`[^`\n]+`", re.DOTALL)
PLAIN = re.compile(r"(?<![\w\\^{}$=<>])(?:[^\W\d_][\w~{}]{0,5}\s*=\s*){1,3}-?(?:\d+(?:\.\d+|/\d+)?)(?!\w|\.\d|\s*[\^*([]\w)")
DERIVED = re.compile(r"<!--\s*symgrad:\s*derive\b(?P<options>[^>]*)-->[^.]{0,40}$")
OPTION = re.compile(r"--(?P<how>at|hold)[ =](?P<values>\S+)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SHORT = re.compile(r"\b(e\.g|i\.e|cf|resp|eqs?|figs?|vs|w\.r\.t|approx|sec)\.", re.IGNORECASE)
PARAGRAPH = re.compile(
    r"\n[ \t>]*\n|(?:^|\n)[ \t>]*(?=[-*+•][ \t]|\d+[.)][ \t]|\(\w{1,3}\)\.?[ \t]|#{1,6}[ \t]|\|)|\\item\b|\\(?:sub)*(?:section|paragraph)\b"
    r"|<(?:br|li|p|td|h\d)\b[^>]*>|\\(?:begin|end)\{(?:itemize|enumerate|proof|theorem|lemma|case\w*)\}"
)
SENTENCE = re.compile(r"[.!?](?=[\s*_}\]\"')]|$)|;|\*\*[ \t]*\n")
AND = r"(?:\s*(?:,|;|&|[()]|\band\b|\bwith\b|\balso\b|\bboth\b|\bthe\b|\b(?:update|reset|forget|input|output)\b|\bgate\b))*\s*"
ALSO = rf"(?:{AND}|\s*\)?\s*,?\s*and\b(?:(?!(?:then|we|if|when|for|so|thus|the derivative)\b)[^.;:?!\ue000-\uf8ff]){{0,40}}?)"
INTRODUCED = re.compile(rf"\b{CUE}\b(?P<between>[^.;:?!\ue000-\uf8ff]{{0,48}}?)(?P<list>\(?{PH}(?:{ALSO}{PH})*)", re.IGNORECASE)
GIVES = re.compile(
    rf"(?P<list>{PH}(?:{AND}{PH})*)\s*\)?,?\s*(?:(?:gives?|yields?|implies|means|makes|leads? to|results? in|we \w+|then)\b|[:—–→⇒])"
)
OR = re.compile(rf"{PH}[^.;\ue000-\uf8ff]{{0,20}}\bor\b[^.;\ue000-\uf8ff]{{0,20}}{PH}", re.IGNORECASE)
EITHER = re.compile(r"\\(?:text|mbox|mathrm|textrm)\{[^{}]*\bor\b[^{}]*\}|\\(?:lor|vee)\b")
BREAK = re.compile(r"\b(?:and|but|while|whereas|so|then|or|because|since|hence)\b|;", re.IGNORECASE)
BOLD = re.compile(r"[-*+\s\d.()]*(?:\*\*|__|\\textbf\{|\\paragraph\{|\\emph\{|<b>|<strong>)")
LABEL_WORDS = re.compile(
    r"\\?(?:textbf|textit|emph|paragraph|item|case|cases|when|if|for|the|an?|and|with|at|in|of|both|limit|extreme|special|first|second|third|fourth|"
    r"next|now|last|gates?|open|closed|shut|update|reset|forget|input|output|fully|entirely|where|br|strong|b|li|i{1,3}|iv|sub|section|subsection|quad)\b"
    r"|[\W\d_]|\b[a-e]\)",
    re.IGNORECASE,
)
GENERAL = re.compile(
    r"\b(?:in general|generally|otherwise|in any case|always|by contrast|without this|regardless|for every|for all|unconditionally)\b", re.IGNORECASE
)
MEANT = re.compile(r"\b(?:in|under|for) (?:this|that|such an?|the (?:first|second|third|last|other|former|latter)) (?:case|limit|regime|condition)", re.I)
NAMES = re.compile(rf"{AND}(?P<list>{PH}(?:{AND}{PH})*)")
NUMBERS = {"zero": "0", "0": "0", "one": "1", "1": "1"}
VALUE = re.compile(  # behind names: what makes them a condition without a sign
    r"\s*(?:gates?\s+)?(?:(?:is|are|be|being|equals?|both|all|exactly|entirely|identically|always|set|fixed|held|kept|forced|clamped|equal|to|at)\s+)+"
    rf"(?:(?P<word>zero|one|[01])s?\b(?![.,]\d|-|\s+(?:of|hot|step|more|less|minus|plus)\b)|(?P<formula>{PH}))(?!\s*,?\s*or\b)",
    re.IGNORECASE,
)
VAGUE = re.compile(  # a condition in words that give no value
    rf"\b(?:if|when|whenever|once|provided|suppos\w+|assum\w+|as)\b[^.;:?!]{{0,90}}?(?:{PH}|\bgates?\b)\)?\s*(?:"
    rf"(?:(?:values?|entries|elements|both|all|gates?|is|are|was|were|be|not|very|so|too|nearly|almost)\s+)+(?:{PH}\s+or|close|near|approximately|around|about|"
    r"large|small|high|low|open|opened|closed|shut|saturated|active|inactive|activated|off|on|fully|completely|positive|negative|diagonal|orthogonal|"
    r"constant|between|less|greater|smaller|larger|bigger|non-?zero|(?:zero|one|[01])\s+or)\b|(?:approach\w*|goes|go|tends?|saturates?|gets?|becomes?)\b)",
    re.IGNORECASE,
)
ADDED = re.compile(  # words of a sentence that leave what it says as it is
    r"\b(?:so|hence|then|thus|therefore|here|now|and|but|also|again|too|indeed|in fact|clearly|obviously|finally|next|that|because|since|means|it follows|"
    r"we|(?:can )?(?:see|find|get|have|know|note|notice|observe|obtain|conclude|recall)|the|this|its|our|exactly|identically|everywhere|all|by definition|"
    r"(?:partial|total|local) derivative|jacobian|derivative|gradient|factor|term|matrix|expression|state|"
    r"in the (?:first|second|third|1st|2nd|3rd|last) case)s?\b|\(\w{1,3}\)|\bcase \w\b|^\W*\d+\.",
    re.IGNORECASE,
)
GOES_ON = re.compile(  # where another statement begins
    r"[,;:—–]\s*(?=(?:and|so|because|since|which|hence|therefore|thus|while|whereas|but|that is|i\.?e)\b)|\s(?=(?:and|so|because|since|but)\b)", re.IGNORECASE
)
IDENTITY = re.compile(rf"(?P<f>{PH})\s*(?:,?\s*(?:is|be|being|as|denotes|to be|=))?\s*(?:the |an )?(?:identity|linear)\b", re.IGNORECASE)
SUPPOSED = re.compile(r"^\W*(?:now|then|next|first|here)?\W*(?:suppose|assume|let|consider|set|fix|take)\b", re.IGNORECASE)
STEPS = frozenset({"t", "T", "k", "i", "j", "l", "n", "m", "s", "tau", "N", "p", "q", "u"})
LONG = 400  # characters of a sentence that are looked at


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


# -- in the formula ---------------------------------------------------------------------------------------------------------------


def lifted(node: Any) -> tuple[Any, tuple[Any, ...]]:
    r"""``A |_{z=1} = I`` and ``\lim_{z \to 1} A = I`` as the relation ``A = I`` with the condition."""
    if kind(node) != "Relation":
        return node, ()
    sides, conditions = [], []
    for side in node.sides:
        inner, said = _lifted(side)
        sides.append(inner)
        conditions += [c for c in said if c not in conditions]
    return (Relation(tuple(sides), node.signs, span=node.span), tuple(conditions)) if conditions else (node, ())


def _lifted(side: Any) -> tuple[Any, tuple[Any, ...]]:
    bare = unwrapped(side)
    if kind(bare) == "Given" and all(valued(c) for c in bare.conditions):
        return bare.node, bare.conditions
    if kind(bare) == "Apply" and kind(bare.function) == "Name" and bare.function.base == "lim" and len(bare.args) == 1:
        subs = bare.function.subs
        if subs and all(valued(c) for c in subs):
            return bare.args[0], subs
    if kind(bare) == "Product" and kind(bare.args[-1]) == "Given" and all(valued(c) for c in bare.args[-1].conditions):
        last = bare.args[-1]
        return type(bare)((*bare.args[:-1], last.node), span=bare.span), last.conditions
    return side, ()


def valued(node: Any) -> bool:
    """Whether a relation gives names a number: ``z = r = 0``, ``z_t \\to 1``."""
    if kind(node) != "Relation" or not set(node.signs) <= AT:
        return False
    return number(node.sides[-1]) is not None and all(
        kind(unwrapped(s)) in ("Name", "Power", "Index", "Apply") and number(s) is None and not derived(s) for s in node.sides[:-1]
    )


def together(node: Any) -> tuple[Any, ...]:
    """Conditions that stand together, ``z = 0, r = 1`` or ``z = 0 \\text{ and } r = 1``, one by one; nothing if they do not give values."""
    if kind(node) == "Tuple":
        parts = [together(a) for a in node.args]
        return tuple(c for p in parts for c in p) if all(parts) else ()
    if valued(node):
        return (node,)
    if kind(node) == "Relation" and set(node.signs) == {"="} and len(node.sides) == 3:  # z = (0 and r) = 1
        words = unwrapped(node.sides[1])
        if kind(words) == "Product" and len(words.args) == 3 and spelled(words.args[1]) == "and":
            return tuple(
                c for pair in ((node.sides[0], words.args[0]), (words.args[2], node.sides[2])) for c in together(Relation(pair, ("=",), span=node.span))
            )
    return ()


def number(node: Any) -> Any:
    """The rational number that a node writes; bold 0 and 1 are vectors of them."""
    node = unwrapped(node)
    if kind(node) == "Number":
        return node
    if kind(node) == "Name" and node.base in ("0", "1", "mathbb1") and not node.subs:
        return node
    if kind(node) == "Negative":
        return number(node.arg) and node
    if kind(node) == "Fraction":
        return number(node.numerator) and number(node.denominator) and node
    if kind(node) == "Infix" and node.sign == "/" and len(node.args) == 2:
        return number(node.args[0]) and number(node.args[1]) and node
    return None


def of_letters(node: Any) -> bool:
    """Whether a relation tells two indices apart, or makes them one: ``i \\neq k``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    return len(sides) == 2 and node.signs[0] in ("=", "!=", "neq") and all(kind(n) == "Name" and not n.subs and n.base in INDICES for n in sides)


def a_range(node: Any) -> bool:
    r"""Whether a relation tells what an index runs over: ``k = 1, \dots, t``."""
    if kind(node) != "Relation" or len(node.sides) != 2:
        return False
    left, right = (unwrapped(side) for side in node.sides)
    if kind(left) != "Name" or left.subs or left.accents or kind(right) not in ("Tuple", "Stack") or node.signs[0] not in ("=", "in", "∈"):
        return False
    return (left.base in STEPS or left.base in INDICES) and all(kind(a) == "Ellipsis" or number(a) is not None or of_steps(a, STEPS) for a in right.args)


def of_steps(node: Any, letters: frozenset[str]) -> bool:
    """Whether a relation speaks of indices alone: ``k < t``, ``t = 1, \\dots, T``."""
    names = [n for n in walk(node) if kind(n) == "Name"]
    return bool(names) and all((spelled(n) or "?") in letters for n in names)


# -- in the prose -----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Any, ...]:
    return tuple(parse_dialect(text[:200]))


class Prose:
    """A stretch of prose with its formulas as single characters."""

    def __init__(self, text: str, tail: bool) -> None:
        text = SHORT.sub(lambda m: m[0].replace(".", ""), COMMENT.sub(" ", text))
        if text.count("$") % 2:
            text = text[text.index("$") + 1 :] if tail else text[: text.rindex("$")]
        self.formulas: list[str] = []

        def kept(m: re.Match[str]) -> str:
            if len(self.formulas) > 6000:
                return " "
            self.formulas.append(m[0].strip("$`").removeprefix("\\(").removesuffix("\\)"))
            return chr(FIRST + len(self.formulas) - 1)

        text = re.sub(PH, " ", text)
        self.text = PLAIN.sub(kept, MATH.sub(kept, text))

    def nodes(self, mark: str) -> tuple[Any, ...]:
        """What the formula at a mark says."""
        return _parsed(self.formulas[ord(mark) - FIRST])

    def written(self, text: str) -> str:
        """A piece of the prose with its formulas."""
        return re.sub(PH, lambda m: f"${self.formulas[ord(m[0]) - FIRST]}$", text)

    def relations(self, text: str) -> list[tuple[Any, str]]:
        """The relations of the formulas in a piece of the prose, with what was written; of formulas that are no relations None."""
        out: list[tuple[Any, str]] = []
        for mark in re.findall(PH, text):
            written = self.formulas[ord(mark) - FIRST].strip()
            found = [n.node if kind(n) == "Given" else n for n in self.nodes(mark)]
            out += [(n, written) for n in found if kind(n) == "Relation"]
        return out

    def condition(self, text: str) -> bool:
        """Whether every formula in a piece gives values."""
        marks = re.findall(PH, text)
        return bool(marks) and all(nodes and all(valued(n) or of_letters(n) for n in nodes) for nodes in map(self.nodes, marks))


@lru_cache(maxsize=512)
def _prose(text: str, tail: bool) -> Prose:
    return Prose(text, tail)


def _label(prose: Prose, sentence: str) -> bool:
    """Whether a sentence is a label with a condition: ``Case 1: z = 1.``, ``**Everything is shut, z = 0.**``"""
    return prose.condition(sentence) and (BOLD.match(sentence) is not None or not LABEL_WORDS.sub("", re.sub(PH, " ", sentence)))


def _introduced(prose: Prose, sentence: str) -> Iterator[tuple[int, int, list[tuple[Any, str]]]]:
    """The conditions of a sentence behind their words: from where to where, and what they say."""
    for m in INTRODUCED.finditer(sentence):
        found = list(takewhile(lambda f: valued(f[0]), prose.relations(m["list"]))) or prose.relations(m["list"])[:1]
        weak = m[0].split()[0].lower() in ("for", "with", "where", "let", "letting", "at", "as", "given", "set", "setting", "consider", "fix", "limit")
        if weak:
            found = [(n, t) for n, t in found if valued(n) or of_letters(n)]
        said, end = _said(prose, sentence, m.start("list"))
        found += said
        if OR.search(sentence, m.start(), m.end() + 40):
            found = [(Words(t), t) for n, t in found if valued(n)]
        if found:
            yield m.start(), max(m.end(), end), found


def _said(prose: Prose, sentence: str, start: int) -> tuple[list[tuple[Any, str]], int]:
    """``$z_t$ is zero and $r_t$ is one``, ``$z_t$ and $r_t$ to 0``, and where it ends."""
    out: list[tuple[Any, str]] = []
    while (m := NAMES.match(sentence, start)) is not None and (value := VALUE.match(sentence, m.end())) is not None:
        nodes = [node for mark in re.findall(PH, m["list"]) for node in prose.nodes(mark) if kind(node) != "Relation"]
        right = [Number(NUMBERS[value["word"].lower()])] if value["word"] else [n for n in prose.nodes(value["formula"]) if number(n) is not None]
        if len(right) != 1 or any(kind(node) not in ("Name", "Power", "Index") or number(node) is not None for node in nodes):
            break
        out += [(Relation((node, right[0]), ("=",)), prose.written(m["list"] + value[0])) for node in nodes]
        start = value.end()
    return out, start


def _identities(prose: Prose, sentence: str) -> Iterator[tuple[Any, str]]:
    """``with $\\phi$ the identity``."""
    for m in IDENTITY.finditer(sentence):
        nodes = prose.nodes(m["f"])
        if len(nodes) == 1 and kind(nodes[0]) == "Name" and not nodes[0].subs:
            yield Relation((nodes[0], Name("id")), ("=",)), f"{m.group().replace(m['f'], prose.formulas[ord(m['f']) - FIRST])}"


def clause(text: str) -> str:
    """The sentence that prose which ends before a formula has begun, its formulas as single characters."""
    chunk = PARAGRAPH.split(_prose(text, True).text)[-1]
    return chunk[max((m.end() for m in SENTENCE.finditer(chunk)), default=0) :][-LONG:]


def besides(before: str, after: str) -> tuple[str, bool]:
    """What a sentence around a formula says but its conditions and such words as ``we see that the Jacobian``; whether it has conditions."""
    prose, here = _prose(before, True), clause(before)
    rest, some = _without(prose, here, ADDED)
    behind = _prose(after[:LONG], False)
    chunk = PARAGRAPH.split(behind.text, maxsplit=1)[0]
    end = SENTENCE.search(chunk)
    there = GOES_ON.split(chunk[: end.start()] if end else chunk, maxsplit=1)[0]
    more, others = _without(behind, there, ADDED)
    return " … ".join(part for part in (rest, more) if part), some or others


def _without(prose: Prose, sentence: str, words: re.Pattern[str]) -> tuple[str, bool]:
    """A piece of a sentence without what is understood of it; whether that gives values."""
    out, some = sentence, False
    for start, end, found in [*_introduced(prose, sentence)][::-1]:
        if all(valued(n) for n, _ in found):
            out, some = out[:start] + " " + out[end:], True
    left = words.sub(" ", out)
    return ("" if not re.search(rf"[^\W_]|{PH}", left) else prose.written(" ".join(out.split()))), some


@lru_cache(maxsize=4096)
def _before(text: str) -> tuple[Condition, ...]:
    """The conditions in the prose that ends where the formula begins."""
    prose = _prose(text, True)
    chunk = PARAGRAPH.split(prose.text)[-1]
    ends = [m.end() for m in SENTENCE.finditer(chunk)]
    sentences = [chunk[a:b] for a, b in zip([0, *ends], [*ends, len(chunk)], strict=True)]
    here = sentences[-1][-LONG:]
    out: list[Condition] = []
    boxed = re.match(rf"\s*\[\s*({PH}(?:{AND}{PH})*)\s*\]", here)
    if boxed is not None and prose.condition(boxed[1]):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(boxed[1])]
    head, colon, rest = here.partition(":")
    if colon and _label(prose, head):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(head)]
        here = rest
    elif _label(prose, here) and (not rest.strip() or not re.search(PH, head)):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(here)]
        here = ""
    for start, _, found in _introduced(prose, here):
        earlier = here[:start]
        last = re.search(rf".*{PH}", earlier, re.DOTALL)
        if last is not None and not BREAK.search(earlier[last.end() :]):
            continue  # said of the formula before it
        out = [c for c in out if c.node in [n for n, _ in found]] if BREAK.search(earlier) else out
        out += [Condition(n, "sentence", t) for n, t in found]
    for m in GIVES.finditer(here):
        if prose.condition(m["list"]) and not re.search(PH, here[m.end() :]):
            out += [c for n, t in prose.relations(m["list"]) if (c := Condition(n, "sentence", t)) not in out]
    out += [Condition(n, "sentence", t) for n, t in _identities(prose, here)]
    vague = VAGUE.search(here)
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
        if _label(prose, sentence.partition(":")[0]) and (k == len(sentences) - 2 or ":" in sentence):
            out += [Condition(n, "paragraph", t) for n, t in prose.relations(sentence)]
        elif SUPPOSED.match(sentence) or (k == 0 and all(valued(n) for n, _ in prose.relations(sentence))):
            out += [Condition(n, "paragraph", t) for *_, found in _introduced(prose, sentence[-LONG:]) for n, t in found if valued(n)]
            out += [Condition(n, "paragraph", t) for n, t in _identities(prose, sentence[-LONG:])]
    return tuple(out)


@lru_cache(maxsize=4096)
def _after(text: str) -> tuple[Condition, ...]:
    """The conditions in the prose that begins where the formula ends."""
    prose = _prose(text[:LONG], False)
    chunk = PARAGRAPH.split(prose.text, maxsplit=1)[0]
    end = SENTENCE.search(chunk)
    here = chunk[: end.start()] if end else chunk
    out: list[Condition] = []
    for start, stop, found in _introduced(prose, here):
        between, behind = here[:start], here[stop:]
        if BREAK.search(between) or re.search(rf"{PH}|:", between) or len(between) > 60:
            break
        if re.match(r"\s*\)?\s*(?:,|then\b|we\b)", behind) and re.search(PH, behind):
            break  # it begins the next part of the sentence
        if between.strip() == "" and here.lstrip()[:1].isupper():
            break  # a sentence of its own, "When $z = 0$ this becomes", speaks of the formula that follows
        if end is None and behind.strip(" )*_\n"):
            break  # so does one that does not end before it
        out += [Condition(n, "sentence", t) for n, t in found]
        break
    first = re.match(rf"\s*\(\s*{PH}(?:{AND}{PH})*\s*\)", here)
    if first is not None and not out and prose.condition(first.group()):
        out += [Condition(n, "sentence", t) for n, t in prose.relations(first.group())]
    if not out:
        out += [Condition(n, "sentence", t) for n, t in _identities(prose, here[:80])]
    meant = MEANT.match(here.lstrip(" ,"))
    if meant is not None:
        out.append(Condition(Words(meant[0]), "paragraph", meant[0]))
    return tuple(out)


@lru_cache(maxsize=512)
def _heading(text: str) -> tuple[Condition, ...]:
    prose = _prose(text, True)
    found = [(n, t) for n, t in prose.relations(prose.text) if valued(n)]
    return tuple(Condition(n, "heading", t) for n, t in found)


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


# -- of a statement ---------------------------------------------------------------------------------------------------------------


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
        apart = f.kind == "display"  # blank lines around a display end no paragraph
        prose = [*_after(COMMENT.sub(" ", f.after).strip() if apart else f.after), *_before(f.before.strip() if apart else f.before)]
        prose.sort(key=lambda c: c.place != "sentence")
        for c in (*prose, *_heading(f.heading)):
            if not _clashes(c, out):
                out.append(c)
    return tuple(out)


def special(statement: Any) -> bool:
    """Whether a statement speaks of special values of quantities: no definition then, if its left side is defined already."""
    return any(c.near and valued(c.node) and not of_steps(c.node, STEPS) for c in conditions(statement))


def _clashes(c: Condition, others: Iterable[Condition]) -> bool:
    """Whether a nearer condition speaks of the same names already."""
    return not {spelled(unwrapped(s)) for s in _names(c.node)}.isdisjoint(spelled(unwrapped(s)) for o in others for s in _names(o.node))


def _names(node: Any) -> tuple[Any, ...]:
    return node.sides[:-1] if kind(node) == "Relation" else ()


def introduced(fragment: Any, label: bool = False) -> bool:
    """Whether the prose says of a formula that it is a condition, ``when $z = 1$``; or, as a `label`, ``**Case $z = 1$.**``, ``(1) $z = 1$.``"""
    text = fragment.before.rstrip() if fragment.kind == "display" else fragment.before
    before, here = _prose(text, True), clause(text)
    if fragment.kind == "sentence":
        return False  # that is seen where the sentence is read
    if re.search(rf"\b(?:{CUE}|compared (?:to|with)|than|unlike|versus)\b[^.;:?!\ue000-\uf8ff]{{0,48}}\(?(?:{PH}(?:{ALSO}))*$", here, re.IGNORECASE):
        return True
    if re.search(rf"\bcases\b[^.;?!]{{0,{LONG}}}$", here) or (BOLD.match(here) and here.count("**") < 2):
        return label or re.search(rf"{PH}", here) is None
    if not label or LABEL_WORDS.sub("", re.sub(PH, " ", here)):
        return False
    marked = bool(here.strip()) or re.match(r"\s*[:.,—–→]", fragment.after) is not None
    return marked and (before.condition(here) or not re.search(PH, here))
