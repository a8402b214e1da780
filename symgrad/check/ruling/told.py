r"""What words say a symbol for a gradient to be the gradient by: "let $δ_t$ denote the gradient of the loss with respect to the hidden state".

The sentence, the list or the table in which the symbol stands alone is read, before it and behind it.  What the words name is the only thing that the
symbol may mean; where they name something that is not understood, the lines may not tell what it means either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from symgrad.check.court.court import Court
from symgrad.check.defined.page import Page
from symgrad.check.evaluation.adjoints import is_mark, symbol_ids, symbol_target
from symgrad.check.evaluation.recognise import symbol_of
from symgrad.check.reading.prose import PH, clause, masked
from symgrad.check.reading.statements import Statement, loss_head
from symgrad.check.reading.trees import kind, unwrapped
from symgrad.check.worlds.values import Misfit
from symgrad.check.worlds.world import TOTAL
from symgrad.notation.reading.dialect import parse_dialect

GRADIENT = re.compile(
    r"gradient|derivative|error|adjoint|sensitivit|梯度|导数|誤差|误差|勾配|градиент|производн|ошибк|derivad|gradiente|erreur|dérivée|fehler|ableitung|기울기|미분|오차",
    re.IGNORECASE,
)
BEFORE = re.compile(
    r"pre-?activation|(?:net|weighted|total)[- ]?(?:input|sum)|before (?:the |its )?(?:activation|non-?linearity|sigmoid|squashing|tanh)"
    r"|(?:argument|input) (?:of|to) the (?:activation|non-?linearity|tanh|sigmoid)"
    r"|激活前|预激活|净输入|преактивац|до активации|préactivation|preactivaci|Voraktivierung|Netzeingang",
    re.IGNORECASE,
)
ARGUMENT = re.compile(r"\bargument(?:e?s?|en|os?|u|ów)\b|\bargoment[io]\b|аргумент", re.IGNORECASE)  # of an activation
IN_TEXT = re.compile(  # symbols of a plain text, which is no formula there
    rf"(?P<list>δ[^\s,=]+(?:\s*(?:,|and|und|et|y|e|и)\s*δ[^\s,=]+)*)\s*(?:=|:|are|is|denotes?|sind|sont)\s*(?:[\w']+\s+){{0,3}}?(?:{GRADIENT.pattern})[^.;:]{{0,60}}?"
    rf"(?:{ARGUMENT.pattern})",
    re.IGNORECASE,
)
BEHIND = re.compile(
    r"(?:after|past) (?:the |its |their )?(?:activation|non-?linearit|sigmoid|squashing|tanh)|post-?activation|outputs? of the (?:sigmoid|activation|tanh)"
    r"|激活后|после активации",
    re.IGNORECASE,
)
DENOTES = re.compile(r"\b(?:for|denotes?|means?|is|are|be|stands? for|as|represents?)\b|表示|记作|代表|обознач|bezeichne|désigne|denota", re.IGNORECASE)
ANY = re.compile(r"\b(?:any|every|each|all|arbitrary|beliebig\w*|jede\w*|quelconque|toute?|cualquier\w*|qualquer|люб\w+)\b|任意|任何|임의", re.IGNORECASE)
END = re.compile(r"[.;。；](?:\s|$)|\n\s*\n|[。；]|\n\s*[-*+|]")
REACH, NEAR = 200, 40  # characters between a symbol and what it is said to be the gradient by
OTHERS = rf"(?:\s*(?:,|and|、|和|und|et|y|и)*\s*{PH})*"
BE = re.compile(  # behind a symbol
    rf"[\s$)]*{OTHERS}\s*(?:\|\s*|[:：=—–]\s*|(?:to\s+)?(?:be|is|are|denotes?|means?|stands?|represents?|for|as|the|we (?:denote|mean|write)"
    r"|sei|ist|bezeichne\w*|soit|est|désigne|denota|es|sea|é|è|обозначает|le|la|el|il|der|die)\b|(?=градиент|производн)|[是为表]|代表|記|は)",
    re.IGNORECASE,
)
CALLED = re.compile(  # before a symbol, behind what it is
    r"(?:[,:(|—–]|\b(?:denoted?|written|write|called|call|as|by|symbol|namely|is|let|with|mit|als|par|como|por|states?|outputs?|activations?)|[为為作记記])"
    r"(?:\s+(?:by|as|it))?[\s$]*$",
    re.IGNORECASE,
)
BY = (
    r"(?:with respect to|w\.?\s?r\.?\s?t\.?|relative to|with regard to|nach|bez(?:üglich|\.)|par rapport (?:à|aux?)|(?:con )?respecto (?:al?|del?)"
    r"|rispetto a\w*|по)(?![\w])"
)
WORDS = r"\s*(?:(?:the|its|this|an?|each|la|le|les|el|los|den|dem|der|die|das)\s+|l['’])?(?:(?!weight|param|bias|input)[\w-]+\s+)?"
STATE = (
    r"(?:hidden|recurrent|current|network|rnn)?(?:['’]s)?\s*states?|隐藏状态|隐状态|隐层状态|隐含状态|estado\w*|états?|Zust[aä]nd\w*|(?:скрыт\w+ )?состояни\w+"
    r"|은닉 상태|隠れ状態"
)
CELL = r"(?:memory )?cell(?: states?)?|memory|细胞状态|单元状态|记忆单元"
OUTPUT = r"(?:network(?:['’]s)? |model(?:['’]s)? )?(?:outputs?|predictions?)(?! gates?)(?: layer)?|输出|salida|sortie|Ausgabe\w*|Ausgang\w*|выход\w*|出力|출력"
LOGITS = r"(?:output )?logits?|scores?"
NOUN = re.compile(
    rf"{WORDS}(?:(?P<cell>{CELL})|(?P<logits>{LOGITS})|(?P<output>{OUTPUT})|(?P<state>{STATE}))(?![A-Za-z])", re.IGNORECASE
)
LOSS = re.compile(
    r"(?:\b(?:of|in|der|des|de la|del|du)\s+(?:the\s+)?(?:total\s+|overall\s+)?(?:loss|cost|error|objective|Verlust\w*|perte|p[ée]rdida|costo?|coût)"
    r"(?: function)?)\b",
    re.IGNORECASE,
)
OF_THE_OUTPUT = re.compile(rf"^\W*(?:signals?\s+)?(?:at|of|for|on|in)\s+(?:the\s+)?(?:{OUTPUT})(?![A-Za-z])", re.IGNORECASE)
OUTPUT_ERROR = re.compile(r"\boutput(?:[- ]layer)?[- ](?:error|delta|gradient)|输出层?的?误差|Ausgabefehler", re.IGNORECASE)
STATE_GRADIENT = re.compile(r"\b(?:hidden[- ])?state[- ]gradient|(?:隐藏|隐|隐层|隐含)状态的?梯度|Zustandsgradient", re.IGNORECASE)
ONE = re.compile(rf"(?:{GRADIENT.pattern})\w*\s*(?:signals?|vectors?|terms?)?[\s$]*$", re.IGNORECASE)  # "the error $δ_t$ at the output"
CLAUSE = re.compile(rf"[,，;:：](?!\s*(?:taken\s+)?{BY})", re.IGNORECASE)
NET = re.compile(r"\b(?:net|pre-?activation)[- ]$", re.IGNORECASE)  # "the net gradient"
LOOSELY = re.compile(  # what may be a state or what its activation is applied to, or says nothing of either
    r"\b(?:layers?|units?|neurons?|nodes?|activations?|network|time|steps?|it|this|that|them|inputs?)\b|层|单元|神经元|时刻|слой|слоя|нейрон|couche|capa|Schicht",
    re.IGNORECASE,
)
AT = re.compile(r"\w*\s*(?:signals?\s+|vectors?\s+)?(?:at|of|for|in)\b", re.IGNORECASE)
CHINESE = re.compile(rf"(?:对|关于)\s*(?:于)?\s*(?P<noun>[^，。；,{PH[1:-1]}]{{1,12}}?)\s*的\s*(?:梯度|导数|偏导)")


def in_words(court: Court) -> None:
    """Note on every page what the words say of its symbols for gradients."""
    inside = [s for s in court.statements if s.fragment is not None and s.fragment.kind == "inline" and kind(s.node) != "Unread"]
    inline = [s for s in inside if kind(s.node) != "Relation"]
    in_text(court)
    for k in range(len(court.collected.groups)) if inside else ():
        page = court.page(k)
        page.told_marks |= {mark for s, other in zip(inside, [*inside[1:], None], strict=True) if (mark := of_anything(court, page, s, other))}
        for j, s in enumerate(inline):
            symbol, target = symbol_of(page, s.node), symbol_target(page, unwrapped(s.node), {})
            if symbol is None and target is None:
                continue
            meant = by_formula(page, s, inline[j + 1 : j + 3], inline[max(j - 1, 0) : j]) or by_noun(page, s)
            if target is None and symbol is not None and meant is not None:
                page.told.setdefault(symbol[0], frozenset(meant))
            elif target is not None and meant is not None and len(meant) == 1:
                fix(page, target, next(iter(meant)))
            elif target is not None and (text := behind_it(s)) and BE.match(text) and GRADIENT.search(text) and BEHIND.search(text):
                fix(page, target, target[0])


def in_text(court: Court) -> None:
    """Note what a plain text says of its symbols: "δ^i_t, δ^f_t = derivatives at the argument of the sigmoid"."""
    texts = {s.fragment.before for s in court.statements if s.fragment is not None and s.fragment.kind in ("line", "code")}
    words = {word for text in texts if "δ" in text for m in IN_TEXT.finditer(text) for word in re.findall(r"δ[^\s,=]+", m["list"])}
    for k in range(len(court.collected.groups)) if words else ():
        page = court.page(k)
        for found in map(parse_dialect, sorted(words)):
            if len(found) == 1 and (target := symbol_target(page, found[0], {})) is not None:
                fix(page, target, page.preactivation(target[0]))


def of_anything(court: Court, page: Page, s: Statement, other: Statement | None) -> str:
    r"""The mark that words say to make the gradient by whatever stands behind it, "$\delta v$ for $\partial L/\partial v$" of a letter for any quantity."""
    named = other is not None and DENOTES.search(between(s, other) or "") is not None
    sides: tuple[Any, ...] = s.node.sides if kind(s.node) == "Relation" else (s.node, other.node) if other is not None and named else ()
    pair: tuple[Any, ...] = unwrapped(sides[0]).args if len(sides) == 2 and kind(unwrapped(sides[0])) == "Product" else ()
    meant: Any = unwrapped(sides[1]) if len(pair) == 2 and is_mark(page, pair[0]) else None
    if kind(meant) != "Derivative" or loss_head(meant.of) is None or kind(pair[1]) != "Name" or meant.wrt != pair[1]:
        return ""
    if page.symbols.ref(pair[1]) is not None and not (s.fragment and ANY.search(sentence(s.fragment))):
        return ""
    court.introductions.add((s.number, 0))
    return str(pair[0].base)


def sentence(fragment: Any) -> str:
    """The words around a formula, up to the ends of its sentence."""
    return clause(fragment.before) + END.split(fragment.after[:REACH], maxsplit=1)[0]


def fix(page: Page, target: Any, key: str) -> None:
    """A symbol that names a quantity is the gradient by it, or by what its activation is applied to; so are those of gates beside it."""
    _, _, _, words, name, _ = target
    if target[0] in page.symbols.timed and key in (target[0], page.preactivation(target[0])):
        page.meanings |= dict.fromkeys(symbol_ids(name, words), str((TOTAL, key)))
        page.activated_too |= {name.partition(" ")[0]} if key == target[0] and key in page.definitions.keys() - page.lagged else set()


# -- what stands there as a formula ------------------------------------------------------------------------------------------------


def by_formula(page: Page, s: Statement, after: list[Statement], before: list[Statement]) -> set[str]:
    """What a symbol is said to be the gradient by, "let $δ_t$ be the gradient of the loss with respect to $h_t$"."""
    found = (*behind(page, s, after), *ahead(page, s, before))
    return {page.preactivation(key) if BEFORE.search(text) else key for text, key in found if GRADIENT.search(text)}


def behind(page: Page, s: Statement, others: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    """The quantity that the sentence names next, past the loss, and the words up to it."""
    for other in others:
        text = between(s, other)
        ref = page.symbols.ref(unwrapped(other.node)) if text is not None else None
        if text is not None and ref is not None and ref.key in page.symbols.timed and loss_head(other.node) is None:
            yield text, ref.key
            return


def ahead(page: Page, s: Statement, others: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    """The quantity that stands right before a symbol, "the gradient by $h_t$, written $δ_t$", and the words of the sentence."""
    for other in others:
        text = between(other, s)
        ref = page.symbols.ref(unwrapped(other.node)) if text is not None and len(text) < NEAR else None
        if text is not None and ref is not None and ref.key in page.symbols.timed and other.fragment is not None:
            yield clause(other.fragment.before), ref.key


def between(s: Statement, other: Statement) -> str | None:
    """The words between two formulas of a sentence; None if they stand in no such."""
    assert s.fragment is not None
    assert other.fragment is not None
    text, found, _ = s.fragment.after[:REACH].partition(other.fragment.latex)
    return text if found and not END.search(text) else None


# -- what stands there as a word ---------------------------------------------------------------------------------------------------


def by_noun(page: Page, s: Statement) -> set[str] | None:
    """What a symbol is said to be the gradient by, "the hidden state", "the output"; nothing if that is not understood, None if it is not said."""
    text = behind_it(s)
    if (m := BE.match(text)) is not None and GRADIENT.search(text, m.end() - 1):
        return named(page, text[m.end() - 1 :])
    assert s.fragment is not None
    before = clause(s.fragment.before)
    if (one := ONE.search(before)) is not None and (found := named(page, f"{one[0]} {text}")) is not None:
        return found
    return named(page, before[-REACH:]) if GRADIENT.search(before) and CALLED.search(before) else None


def behind_it(s: Statement) -> str:
    """The words of the sentence behind a formula, other formulas as single characters."""
    assert s.fragment is not None
    text = masked(s.fragment.after[: 2 * REACH], False).text
    end = END.search(text)
    return text[: end.start()] if end is not None else text


def named(page: Page, text: str) -> set[str] | None:
    """The quantities that words about a gradient name."""
    text = LOSS.sub(" ", text)
    gradient = GRADIENT.search(text)
    if gradient is None:
        return None
    if (m := CHINESE.search(text)) is not None:
        noun = NOUN.search(m["noun"])
        return keys(page, noun, m["noun"]) if noun is not None else {*preactivations(page)} if BEFORE.search(m["noun"]) else None
    if NET.search(text[: gradient.start()]):
        return preactivations(page)
    rest = CLAUSE.split(text[gradient.end() :], maxsplit=1)[0][: NEAR * 3]
    error = re.match(r"error|ошибк|erreur|fehler|误差|誤差", gradient[0], re.IGNORECASE)
    if OUTPUT_ERROR.search(text) or (error and OF_THE_OUTPUT.search(rest)):
        return outputs(page)
    if STATE_GRADIENT.search(text):
        return states(page)
    if ARGUMENT.search(rest):
        return preactivations(page)
    m = re.search(rf"\b{BY}\s|\bby\s", rest, re.IGNORECASE) or (AT.match(rest) if gradient[0].lower() == "gradient" else None)
    noun = NOUN.match(rest, m.end()) if m is not None else None
    if m is None or re.match(rf"\s*(?:the\s+)?\w*\s*{PH}", rest[m.end() :]):
        return None
    if BEFORE.search(rest, m.end()):
        return preactivations(page)
    if noun is not None:
        return keys(page, noun, rest)
    told = re.search(rf"\b{BY}\s", rest, re.IGNORECASE)
    return set() if told is not None and LOOSELY.search(rest, told.end()) is None and re.match(r"\s*\w", rest[told.end() :]) else None


def keys(page: Page, noun: re.Match[str], text: str) -> set[str]:
    """The quantities of a page that a noun means."""
    if noun["cell"]:
        return {k for k in page.lagged if k[:1] in "cCsS"}
    if noun["logits"]:
        return {page.preactivation(k) for k in shown(page)} | (outputs(page) - set(shown(page)))
    if noun["output"]:
        return outputs(page)
    return states(page)


def states(page: Page) -> set[str]:
    """The states that are shown, not the memory behind them."""
    found = set(page.lagged)
    return {"h", "H", "s", "a"} & found or found


def shown(page: Page) -> list[str]:
    """The outputs, of a cell whose shapes fit."""
    try:
        return [k for k in page.world.model.outputs if k not in page.lagged]
    except Misfit:
        return []


def outputs(page: Page) -> set[str]:
    """The outputs, and all that these are computed with at their step from a state."""
    found = set(shown(page))
    found |= {r.key for k in found if k in page.definitions for r, lag in page.references(page.definitions[k]) if lag == 0} - page.lagged
    return {k for key in found if key in page.symbols.timed for k in (key, page.preactivation(key))}


def preactivations(page: Page) -> set[str]:
    return {page.preactivation(k) for k in page.definitions}
