r"""The prose around a formula, its other formulas as single characters: what words introduce, "when $z_t$ is zero", and what else a sentence says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from typing import Any

from symgrad.check.reading.activations import CASE, said
from symgrad.check.reading.gated import with_letters
from symgrad.check.reading.relations import functional, identical, limited, number, of_letters, of_numbers, valued
from symgrad.check.reading.settle import at_a_step
from symgrad.check.reading.trees import kind
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Name, Number, Relation, Words

FIRST = 0xE000  # formulas in prose are characters of the private use area
PH = "[\ue000-\uf8ff]"
CUE = (
    r"(?:if|when|whenever|such that|for|at|as|under|with|where|cases?|setting|set|suppose|supposing|assume|assuming|provided|once|let|letting|given|consider|"
    r"fix|limit)"
)
MATH = re.compile(r"\$\$.+?\$\$|\$[^$]+\$|\\\(.+?\\\)|(?<!\w)`[^`\n]+`", re.DOTALL)
PLAIN = re.compile(r"(?<![\w\\^{}$=<>])(?:[^\W\d_][\w~{}]{0,5}\s*=\s*){1,3}-?(?:\d+(?:\.\d+|/\d+)?)(?!\w|\.\d|\s*[\^*([]\w)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SHORT = re.compile(r"\b(e\.g|i\.e|et al|cf|resp|eqs?|figs?|vs|w\.r\.t|approx|sec)\.", re.IGNORECASE)
PARAGRAPH = re.compile(
    r"\n[ \t>]*\n|(?:^|\n)[ \t>]*(?=[-*+•][ \t]|\d+[.)][ \t]|\(\w{1,3}\)\.?[ \t]|#{1,6}[ \t]|\|)|\\item\b|\\(?:sub)*(?:section|paragraph)\b"
    r"|<(?:br|li|p|td|h\d)\b[^>]*>|\\(?:begin|end)\{(?:itemize|enumerate|proof|theorem|lemma|case\w*)\}"
)
SENTENCE = re.compile(r"[.!?](?=[\s*_}\]\"')]|$)|[;。！？；]|\*\*[ \t]*\n")
AND = r"(?:\s*(?:,|;|&|[()、和且と및와과]|\b(?:and|und|et|y|e|ed|и|with|also|both|the|update|reset|forget|input|output|gate)\b))*\s*"
ALSO = rf"(?:{AND}|\s*\)?\s*,?\s*and\b(?:(?!(?:then|we|if|when|for|so|thus|the derivative)\b)[^.;:?!\ue000-\uf8ff]){{0,40}}?)"
IF = r"(?:如果|若是?|假设|假如|倘若|当(?!前|且仅当|时)|もし|만약|если|когда)"  # that no boundary of a word need be around
FOR = (  # the same in other languages, before values alone; the last ones have other meanings too, and stand right before these
    r"\b(?:para|per|pour|für|bei|cuando|quando|quand|lorsque|wenn|falls|sofern|(?:im|no|nel|el) (?:Falle?|caso)|le cas|при|для|случа[ейяю]\w*)\b"
    r"[^.;:?!。；：\ue000-\uf8ff]{0,30}?|\b(?:si|se|con|com|mit|avec)\s+"
)
INTRODUCED = re.compile(
    rf"(?:(?:\b{CUE}\b|{IF})[^.;:?!。；：\ue000-\uf8ff]{{0,48}}?|(?P<foreign>{FOR}))(?P<list>\(?{PH}(?:{ALSO}{PH})*)", re.IGNORECASE
)
BEHIND = re.compile(rf"(?P<list>{PH}(?:(?:{AND}|\s*[、，と및과와且和及]\s*){PH})*)\s*(?:的?(?:时|時|情况|情形)|の(?:とき|時|場合)|なら|일\s?때|인\s?경우|이면)")
CONTRAST = re.compile(  # what a condition stands behind that another case is told apart from, in these words
    r"(?:\b(?:contrary to|unlike|in contrast (?:to|with)|as opposed to|other than|apart from|except|rather than|instead of|different(?:ly)? from"
    r"|compared (?:to|with)|than|im gegensatz zu|anders als|im unterschied zu|contrairement à|à la différence d|au lieu d|a diferencia de|al contrario"
    r"|en contraste con|a differenza d|in contrasto con|diferentemente d|ao contrário d|в отличие от|не как)|与|不同于|不像)[^.;:?!,，；。]{0,40}$",
    re.IGNORECASE,
)
OR = re.compile(rf"{PH}[^.;\ue000-\uf8ff]{{0,20}}\bor\b[^.;\ue000-\uf8ff]{{0,20}}{PH}", re.IGNORECASE)
BOLD = re.compile(r"[-*+\s\d.()]*(?:\*\*|__|\\textbf\{|\\paragraph\{|\\emph\{|<b>|<strong>)")
LABEL_WORDS = re.compile(
    r"\\?(?:textbf|textit|emph|paragraph|item|case|cases|when|if|for|the|an?|and|with|at|in|of|both|limit|extreme|special|first|second|third|fourth|"
    r"next|now|last|gates?|open|closed|shut|update|reset|forget|input|output|fully|entirely|where|br|strong|b|li|i{1,3}|iv|sub|section|subsection|quad)\b"
    r"|[\W\d_]|\b[a-e]\)",
    re.IGNORECASE,
)
NAMES = re.compile(rf"{AND}(?P<list>{PH}(?:{AND}{PH})*)")
NUMBERS = {"zero": "0", "0": "0", "one": "1", "1": "1"}
VALUE = re.compile(  # behind names: what makes them a condition without a sign
    r"\s*(?:(?:(?:update|reset|forget|input|output)\s+)?gates?\s+)?(?:(?:is|are|be|being|equals?|both|all|exactly|entirely|identically|always|set|fixed|held|kept|forced|clamped|equal|to|at)\s+)+"
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
REGIME = re.compile(  # where a formula holds by and by, or is cut off
    rf"\b(?:near|close to|around)\s+(?:the\s+|an?\s+)?(?:origin|zero|equilibrium|fixed point|{PH})"
    rf"|\b(?:for|with|at|of)\s+(?:(?:very|sufficiently|relatively)\s+)?(?:small|tiny|large|long|short)\b"
    rf"|\bin\s+(?:the\s+)?(?:(?:linear|saturated|vanishing)\s+(?:regime|region|case|limit|range)|saturation|limit)\b"
    rf"|\b(?:truncat\w+|neglect\w+)\b|{PH}\s*(?:close|near(?:ly)?|roughly|approximately)\s+(?:to\s+)?(?:zero|one|{PH})"
    rf"|(?:\b(?:if|when|for|with)\b|{IF})[^.,;:。，；：\ue000-\uf8ff]{{0,25}}?"
    r"(?:re-?lu\b|线性|恒等|\blinear (?:rnn|network|unit|activation|case)|\bidentity activation)"
    r"|\b(?:at initiali[sz]ation|initially|early in training|at the (?:start|beginning) of training|untrained)\b|近似|忽略|截断|初期|初始化时|接近\s*[0零]",
    re.IGNORECASE,
)
POINT = re.compile(  # where the state is what it was the step before, or a place that was spoken of: "at a fixed point", "there $z = 1/2$"
    r"\b(?:at|in|near|around|about)\s+(?:(?:the|an?|any|every|each|this|that|such|its)\s+){0,2}(?:\w+\s+)?"
    r"(?:fixed[- ]points?|equilibri(?:um|a)|steady[- ]states?|stationary (?:points?|states?)|origin|rest(?:ing)? state)\b"
    r"|\b(?:with|at|for|of) (?:an? |the )?(?:zero|vanishing) (?:hidden )?(?:states?|pre-?activations?)\b|\bat rest\b"
    r"|\b(?:am|im|beim) (?:fixpunkt|gleichgewicht|ursprung)|\b(?:au|à un|à l') ?(?:point fixe|équilibre|origine)|"
    r"\ben (?:el|un) (?:punto fijo|equilibrio|origen)"
    r"|\bn(?:el|ell'|um|o) ?(?:punto fisso|ponto fixo|equilibrio|equilíbrio|origine)|\bna origem|\bв (?:неподвижной точке|равновесии|нуле|начале координат)"
    r"|(?:不动点|平衡点|固定点|原点)(?:处|上|附近)|(?:不動点|平衡点|固定点|原点)(?:で|に)|(?:고정점|평형점|원점)에서"
    r"|^[\W_]*(?:and\s+|but\s+)?(?:there|at (?:this|that) point|dort|là|allí|lì|там)\b"
    r"(?!\s+(?:is|are|exist\w*|follows?|remains?|must|can|will|has|have|was|were)\b)",
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
ANSWER = re.compile(  # how what answers the words before it begins
    r"(?:\A|\n)[\s>]*(?:[*_]{1,3}|\\(?:textbf|textit|emph|paragraph)\*?\{)?(?:(?:answer|solution|reply|ans|sol|antwort|lösung|réponse|solution"
    r"|respuesta|resposta|solución|solução|risposta|soluzione|ответ|решение|答案?|解答?|回答"
    r"|答え|풀이|정답|답변?)(?:\s*\([^()\n]{1,12}\))?|A\d{0,2})\s*[.:：。*_}]+[\s*_.:}]*",
    re.IGNORECASE,
)
SPEAKER = re.compile(r"\s*(?:[*_]{2}[^*_\n?]{1,24}[*_]{2}|[A-Z][\w ]{1,16}:)[\s:.]*")
ASKED = re.compile(r"[?？][\s*_)}]*(?:\([^()?]*\)\s*)?$")
QUESTION = re.compile(  # at the head of a paragraph that goes on with the answer, "**What if there is no bias?** Then …"
    r"[\s>]*(?:[-*+•]\s+)?(?:(?P<mark>\*{1,3}|_{1,3})(?![\s*_])|\\(?:textbf|textit|emph|paragraph)\*?\{|<(?:b|i|em|strong)>)[^?？\n*{}]{4,200}[?？]"
    r"\s*(?:(?P=mark)|\}|</\w+>)"
)
TASK = re.compile(  # a numbered one, set apart from what answers it: "3. *The same without …*"
    r"\s*\(?\w{1,3}[.)][ \t]+(\*{1,3}|_{1,3})(?![\s*_])[^*\n]{8,300}\1\s*"
)
NUMBERED = re.compile(r"\s*\(?\d{1,2}[.)]")  # of two questions with numbers the one is no answer to the other
ENDS = " \n\t*_.?!。？！"
LONG = 400  # characters of a sentence that are looked at


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Any, ...]:
    return tuple(stepped(node) for node in parse_dialect(text[:200]))


def stepped(node: Any) -> Any:
    """``z(n) = 0``, which gives z a value at step n: in words no equations tell what counts the steps."""
    if kind(node) != "Relation" or number(node.sides[-1]) is None:
        return node
    pairs = [side.args if kind(side) == "Product" and len(side.args) == 2 and kind(side.args[0]) == "Name" else None for side in node.sides]
    return replace(node, sides=tuple((pair and at_a_step(*pair)) or side for pair, side in zip(pairs, node.sides, strict=True)))


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

        def symbol(letter: str) -> str:
            self.formulas.append(letter)
            return chr(FIRST + len(self.formulas) - 1)

        self.text = with_letters(PLAIN.sub(kept, MATH.sub(kept, text)), self.formulas, symbol)

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
def masked(text: str, tail: bool) -> Prose:
    return Prose(text, tail)


def is_label(prose: Prose, sentence: str) -> bool:
    """Whether a sentence is a label with a condition: ``Case 1: z = 1.``, ``**Everything is shut, z = 0.**``"""
    return prose.condition(sentence) and (BOLD.match(sentence) is not None or not LABEL_WORDS.sub("", re.sub(PH, " ", sentence)))


def introductions(prose: Prose, sentence: str) -> Iterator[tuple[int, int, list[tuple[Any, str]]]]:
    """The conditions of a sentence behind their words: from where to where, and what they say."""
    for m in [*INTRODUCED.finditer(sentence), *BEHIND.finditer(sentence)]:
        if CONTRAST.search(sentence[: m.start()]) is not None:
            continue
        found = list(takewhile(lambda f: valued(f[0]), prose.relations(m["list"]))) or prose.relations(m["list"])[:1]
        foreign = m.re is BEHIND or m["foreign"] is not None
        weak = m[0].split()[0].lower() in ("for", "with", "where", "let", "letting", "at", "as", "given", "set", "setting", "consider", "fix", "limit")
        if weak or foreign:
            found = [(n, t) for n, t in found if valued(n) or of_letters(n) or limited(n) or identical(n) or of_numbers(n) or functional(n)]
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


def stated(prose: Prose, sentence: str) -> Iterator[tuple[Any, str]]:
    """What a sentence sets to a value: ``In the first epoch $W$ is set to zero``."""
    for m in re.finditer(rf"{PH}(?=[^.;,\ue000-\uf8ff]{{0,24}}\b(?:set|kept|held|fixed|clamped|frozen)\b)", sentence):
        yield from _said(prose, sentence, m.start())[0]


def identities(prose: Prose, sentence: str) -> Iterator[tuple[Any, str]]:
    """``with $\\phi$ the identity``."""
    for m in IDENTITY.finditer(sentence):
        nodes = prose.nodes(m["f"])
        if len(nodes) == 1 and kind(nodes[0]) == "Name" and not nodes[0].subs:
            yield Relation((nodes[0], Name("id")), ("=",)), f"{m.group().replace(m['f'], prose.formulas[ord(m['f']) - FIRST])}"


def functions(prose: Prose, sentence: str) -> Iterator[tuple[Any, str]]:
    """``if $f$ is the logistic function``, ``for a logistic activation $f$``: what a function is in the case that a sentence speaks of."""
    for m in re.finditer(PH, sentence):
        before, nodes = sentence[: m.start()], prose.nodes(m[0])
        rule = said(nodes[0], before, sentence[m.end() :]) if len(nodes) == 1 and CASE.search(before) else None
        if rule is not None and rule != nodes[0].base:
            yield Relation((nodes[0], Name(rule)), ("=",)), f"{prose.formulas[ord(m[0]) - FIRST]} is {rule}"


def asked(text: str) -> tuple[str, str]:
    """The question that a masked text ends in the answer of, and what the answer begins with; no question where it is a paragraph like others."""
    chunks = PARAGRAPH.split(text)
    chunk = chunks[-1]
    earlier = next((c for c in chunks[-2::-1] if c.strip()), "")
    answers = list(ANSWER.finditer(chunk))
    if answers:
        question, answer = chunk[: answers[-1].start()], chunk[answers[-1].end() :]
        return (question if question.strip() else earlier), answer
    if ASKED.search(chunk) is not None:
        return chunk, ""
    if ASKED.search(earlier) is not None and not (NUMBERED.match(earlier) and NUMBERED.match(chunk)):
        speaker = SPEAKER.match(chunk)
        return earlier, chunk if speaker is None else chunk[speaker.end() :]
    if (led := QUESTION.match(chunk)) is not None:
        return led[0], chunk[led.end() :]
    return (earlier, chunk) if TASK.fullmatch(earlier) is not None else ("", chunk)


def paragraph(text: str) -> str:
    """The paragraph that a masked text ends in; of an answer also the question before it, in one sentence with what the answer begins with."""
    question, answer = asked(text)
    return answer if not question else f"{question.rstrip(ENDS)}: {answer.lstrip()}"


def clause(text: str) -> str:
    """The sentence that prose which ends before a formula has begun, its formulas as single characters."""
    chunk = paragraph(masked(text, True).text)
    return chunk[max((m.end() for m in SENTENCE.finditer(chunk)), default=0) :][-LONG:]


def besides(before: str, after: str) -> tuple[str, bool]:
    """What a sentence around a formula says but its conditions and such words as ``we see that the Jacobian``; whether it has conditions."""
    prose, here = masked(before, True), clause(before)
    rest, some = without(prose, here, ADDED)
    behind = masked(after[:LONG], False)
    chunk = PARAGRAPH.split(behind.text, maxsplit=1)[0]
    end = SENTENCE.search(chunk)
    there = GOES_ON.split(chunk[: end.start()] if end else chunk, maxsplit=1)[0]
    more, others = without(behind, there, ADDED)
    return " … ".join(part for part in (rest, more) if part), some or others


def without(prose: Prose, sentence: str, words: re.Pattern[str]) -> tuple[str, bool]:
    """A piece of a sentence without what is understood of it; whether that gives values."""
    out, some = sentence, False
    for start, end, found in [*introductions(prose, sentence)][::-1]:
        if all(valued(n) for n, _ in found):
            out, some = out[:start] + " " + out[end:], True
    left = words.sub(" ", out)
    return ("" if not re.search(rf"[^\W_]|{PH}", left) else prose.written(" ".join(out.split()))), some
