r"""Names of cells: "Model A", "the second version", "the GRU", "Cho et al.", "at test time", ``\eqref{eq:leaky}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from symgrad.check.reading.prose import PARAGRAPH, PH, clause, masked

NOUN = (
    r"(?:models?|versions?|variants?|conventions?|cells?|networks?|nets?|units?|systems?|schemes?|forms?|designs?|architectures?|candidates?|options?|rnns?"
    r"|modell\w*|netz\w*|zelle\w*|variante\w*|konvention\w*|modèles?|modelos?|modell[oi]|versi[oó]n\w*|versão|versione|convenci\w+|convenção|convenzion\w*"
    r"|réseaux?|red|rede|rete|модел\w*|верси\w*|вариант\w*|сет[ьи]\w*)"
)
KIND = (
    r"(?:linear|logistic|sigmoid(?:al)?|tanh|re-?lu|rectified|residual|leaky|convex|vanilla|plain|simple|standard|basic|ordinary|gated|coupled"
    r"|original|modified)"
)
ORDINALS = {
    word: str(n)
    for n, words in enumerate(
        (
            "one first former erste ersten erster première premier primera primer primeira primeiro prima primo первая первой первый",
            "two second zweite zweiten zweiter deuxième seconde segunda segundo seconda secondo вторая второй",
            "three third dritte dritten dritter troisième tercera tercer terceira terceiro terza terzo третья третьей третий",
        ),
        1,
    )
    for word in words.split()
} | {"一": "1", "二": "2", "三": "3"}
ORDINAL = "|".join(sorted((w for w in ORDINALS if len(w) > 1), key=len, reverse=True))
NAMES = re.compile(
    rf"\b{NOUN}\s+\(?(?P<label>(?-i:[A-H])|\d{{1,2}}|one|two|three)\b"
    rf"|\b(?P<ordinal>{ORDINAL}|old|new|current|previous|earlier|latter)\s+{NOUN}\b"
    r"|(?:模型|版本|方案|变体|モデル|版|모델)\s*(?P<cjk>(?-i:[A-H])|\d|[一二三])|第(?P<nth>[一二三\d])(?:个|種|种|つの?)?(?:模型|版本|方案|版|モデル)"
    r"|\b(?P<version>v\d)\b"
    r"|(?<![A-Za-z])(?P<family>RNN|GRU|LSTM|MGU|IRNN|Elman|Jordan|encoder|decoder)s?(?![A-Za-z])"
    rf"|\b(?P<kind>{KIND})\s+(?:\w+\s+)?(?:{NOUN}|outputs?|read-?outs?)\b"
    r"|(?P<author>(?-i:[A-Z]\w+))\s+(?:et\s+al|und\s+Mitarb|и\s+др|等人)"
    r"|\b(?P<train>train(?:ing)?|entrenamiento|entraînement|treino|обучени\w+)\b|(?P<test>\b(?:test(?:ing)?|inference|evaluation|тест\w*)\b)|(?P<train2>训练)|(?P<test2>测试|推理)"
    r"|\\(?:eqref|ref|cref|Cref|autoref)\s*\{(?P<ref>[^{}]+)\}|(?<![\w)])\((?P<number>\d{1,2})\)",
    re.IGNORECASE,
)
ASIDE = re.compile(
    r"(?:\b(?:replac\w*|in place of|instead of|unlike|in contrast (?:to|with)|contrary to|rather than|other than|compared? (?:to|with)|anstelle|statt"
    r"|im gegensatz zu\w*|ersetz\w*|au lieu d\w+|contrairement \w+|remplaç\w*|en lugar d\w+|a diferencia d\w+|al posto d\w+|вместо|в отличие от)\b|代替|不同于)"
    r"\W*(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
CHANGED = re.compile(
    r"[\s$]*(?:is|are|be|wird|est|es)\s+(?:now\s+)?(?:changed|replaced|dropped|modified|ersetzt|geändert|remplacée?|reemplazad\w)\b", re.IGNORECASE
)
LABEL = re.compile(rf"\W*(?:\((?P<n>\w)\)\s*)?(?P<kind>{KIND})\b[^.]{{0,24}}\W*$", re.IGNORECASE)  # ``**Residual**``, ``| logistic |``
ENUMERATED = re.compile(r"\A[\W_]*(?P<label>[A-H]|\d{1,2})[.):]\s")
TITLE = re.compile(r"\A[-*+\s\d.()]*(?:\*\*|__|\\textbf\{|\\paragraph\{|\\emph\{|\\item\[)(?P<title>[^*_{}\]]{1,60})")  # ``**GRU.**`` before a paragraph
MARKED = re.compile(r"\\(?:label|tag)\*?\s*\{([^{}]+)\}")


def names(text: str) -> list[str]:
    """The names of cells in a text, in order, but for those that it sets aside, "instead of (3)"."""
    return [key(m) for m in NAMES.finditer(text) if ASIDE.search(text[: m.start()]) is None and CHANGED.match(text, m.end()) is None]


def key(m: re.Match[str]) -> str:
    """A name in one spelling: "the second version" is "version 2"."""
    group, word = str(m.lastgroup), m[str(m.lastgroup)].lower()
    if group in ("ref", "number"):
        return f"({word})"
    if group.startswith(("train", "test")):
        return group.rstrip("2")
    return f"#{ORDINALS.get(word, word).removeprefix('v')}" if group in ("label", "ordinal", "cjk", "nth", "version") else word.replace("-", "")


def given_to(fragment: Any) -> set[str]:
    """The names that the words right before a definition give to it, or else the title of its paragraph or its heading; and its number."""
    here, paragraph = texts_before(fragment)
    title = TITLE.match(paragraph)
    for text in (last_words(here), title["title"] if title is not None else "", fragment.heading):
        if found := {*names(text), *labels(text)}:
            break
    return found | {f"({mark.strip().lower()})" for mark in MARKED.findall(fragment.source.text)}


def labels(text: str) -> Iterator[str]:
    """What a text is that is nothing but a label, ``| logistic |``, and the letter or number that it begins with, ``A. Cho``."""
    if (m := LABEL.match(text)) is not None:
        yield m["kind"].lower().replace("-", "")
    if (m := ENUMERATED.match(text)) is not None:
        yield f"#{m['label'].lower()}"


def last_words(here: str) -> str:
    """What stands behind the last formula of a sentence, if there is more than a word or two."""
    rest = re.split(PH, here)[-1]
    return rest if names(rest) else here


def texts_before(fragment: Any) -> list[str]:
    """The sentence before a formula, and the paragraph."""
    before = fragment.before.rstrip() if fragment.kind == "display" else fragment.before
    chunk = PARAGRAPH.split(masked(before, True).text)[-1]
    return [clause(before), chunk]
