r"""Symbols that words introduce: ``write $g_t$ for $\partial L/\partial h_t$``, ``where $g_t$ is the gradient of the loss with respect to $h_t$``.

Either is read as the equation ``g_t = \partial L/\partial h_t``.  What the first kind says is as good as the equation; what the second kind says in words
may be meant of another loss, or of the preactivation, so it is of a `kind` of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from symgrad.check.reading.prose import clause
from symgrad.check.reading.statements import MARKS, derived, loss_head
from symgrad.check.reading.symbols import head_and_parts
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.check.sources.document import Fragment, joined
from symgrad.notation.syntax import Derivative, Name, Relation

if TYPE_CHECKING:
    from symgrad.check.sources import Document

NAMED, TOLD = "named", "told"  # the kinds of the two
Read = Callable[[str], Sequence[Any]]

LET = (  # before the symbol
    r"\b(?:let|set|put|where|here|with|and|denot\w+\s+by|(?:writ|us)(?:e|ing)|sean?|donde|llam\w+|denot\w+|sejam?|onde|sei(?:en)?|wobei|soi(?:en)?t|où|on\s+note|notons"
    r"|пусть|где|обозначим(?:\s+через)?)\s*,?\s*$|(?:[记記设設令用以其中]|わち|ここで、?)\s*$"
)
DENOTES = (  # between the symbol and what it stands for
    r"(?:(?:which|that|to|will|shall|let|wir|se)\s+)*(?:denot(?:es?|ing|a|e)|stand(?:s|ing)?\s+for|represent(?:s|ing|a)?|abbreviates?|is\s+short(?:hand)?\s+for|désigne|représente"
    r"|bezeichnet|steht\s+für|обозначает|oznacza(?:ją)?)"
    r"|[为為是]|表示|代表|指的?是?|即|就是|は、?|とは"
)
IS = r"(?:is|be|to\s+be|es|é|ist|sei|est|это|есть)"
FOR = r"(?:for|as|für|para|como|pour|к)"  # behind "write", "define"
ADDS = (  # words about a gradient that leave it what it is
    r"(?:(?:the|an?|this|our|total|full|overall|partial|whole|upstream|incoming|backpropagated|back-propagated|corresponding|usual|el|la|o|a|le|der|die|das|den|l'"
    r"|derivada\s+parcial|dérivée\s+partielle|das?|der)\s*)*"
    r"(?:(?:error|loss|state|hidden|recurrent|temporal)\s+)*"
    r"(?:gradients?|(?:partial\s+)?derivatives?|jacobian(?:\s+matrix)?|error(?:\s+(?:signal|term))?|adjoint|sensitivity|quantity|expression|gradiente|derivada(?:\s+parcial)?"
    r"|jacobian[ao]|jakobian|pochodn[aą]|Gradient(?:en)?|(?:partielle\s+)?Ableitung|dérivée(?:\s+partielle)?|jacobienne|градиент|производн(?:ая|ую)|梯度|偏?导数|偏?導數|勾配|偏?微分)?"
)
CALL = (  # before a formula that a symbol is a name for
    r"(?:denot\w+|abbreviat\w+|writ(?:e|ing)|call(?:ing)?|nam(?:e|ing)|defin\w+|llam\w+|escrib\w+|chama\w+|bezeichne\w*|schreiben|notons|note|обознач\w+|[将將把记記设設令用])"
)
BY = (  # between this formula and the symbol
    r"(?:by|as|simply|por|como|mit|als|par|через|как|记为|记作|记成|記為|簡記為|简记为|写作|写为|表示为|定义为|称为)"
    r"|(?:,?\s*(?:which|that)\s+(?:we|I)\s+(?:will\s+)?|,?\s*(?:(?:is|are|will\s+be|we)\s+)?|,\s*que\s+|[-,.…–—\s]*(?:(?:let\s+(?:me|us)|let's|I(?:'ll|\s+will)?)\s+)?)(?:denot\w+|writ(?:e|ten)|abbreviat\w+|call(?:ed)?|llam\w+|noté\w*|chama\w+)"
    r"(?:\s+(?:it|this|that|by|as|por|como|de))*"
)
JAPANESE = re.compile(r"\s*と(?:お[くき]|置[くき]|書[くき]|表[すし]|定義|する|して|呼[ぶび])|\s*で表[すし]")
GRADIENT = r"(?:gradient|(?:partial\s+)?derivative|sensitivity)"
LOSS = r"(?:(?:total|overall|whole|final|full|training|scalar)\s+)*(?:loss|cost|error|objective)(?:\s+function)?"
STATE = r"(?:(?:the|its|this|our|current|hidden|cell|recurrent|memory|internal|state|vector|pre-?activation|activation|output)s?\s*,?\s*)*"
OF = "\ue000"  # the symbol of the loss in a sentence
TELLS = re.compile(  # between the symbol and the quantity, that of the loss as a mark
    rf"\s*,?\s*(?:{DENOTES}|{IS}|を|[-:|—–]+)?\s*(?:"
    rf"(?:(?:the|a|total|full|partial)\s+)*{GRADIENT}\s+of\s+(?:(?:the|our)\s+)?(?:{LOSS}\s*,?\s*{OF}?|{OF})\s*,?\s*(?:with\s+respect\s+to|w\.?\s?r\.?\s?t\.?|relative\s+to|by)\s*{STATE}"
    rf"|(?:(?:the|a|total|full|upstream|incoming|backpropagated)\s+)*(?:gradients?|error|error\s+(?:signal|term)|adjoint|sensitivity)\s+"
    rf"(?:(?:that\s+)?(?:flow(?:s|ing)|arriv(?:es|ing)|com(?:es|ing)|propagat\w+|back-?propagat\w+|reach(?:es|ing))\s+(?:back\s+)?)?(?:at|into|in|to)?\s*{STATE}"
    rf"|(?:el\s+gradiente|la\s+derivada)(?:\s+parcial)?\s+(?:del?|de\s+la)\s*(?:(?:función\s+de\s+)?(?:pérdida|coste|costo|error)\s*{OF}?|{OF})\s*(?:con\s+)?(?:respecto\s+(?:a|al|de)|en\s+relación\s+a)(?:\s+la)?\s*"
    rf"|(?:o\s+gradiente|a\s+derivada)(?:\s+parcial)?\s+d[aeo]\s*(?:(?:função\s+de\s+)?(?:perda|custo|erro)\s*{OF}?|{OF})\s*(?:em\s+relação|com\s+respeito)\s+(?:ao?|à)\s*"
    rf"|(?:le\s+gradient|la\s+dérivée)(?:\s+partielle)?\s+d(?:e\s+la|u|e\s+l'|e)\s*(?:(?:fonction\s+de\s+)?(?:perte|coût|erreur)\s*{OF}?|{OF})\s*par\s+rapport\s+(?:à\s+la|à|au)\s*"
    rf"|(?:der\s+Gradient|die\s+(?:partielle\s+)?Ableitung)\s+(?:des|der|von)\s*(?:(?:Verlust(?:s|es|funktion)|Fehlers|Kosten(?:funktion)?)\s*{OF}?|{OF})\s*(?:nach|bezüglich|bzgl\.|in\s+Bezug\s+auf)(?:\s+de[mnr])?\s*"
    rf"|(?:градиент|(?:частная\s+)?производная)\s+(?:функции\s+)?(?:потерь|ошибки|{OF})\s*{OF}?\s*по(?:\s+отношению\s+к)?\s*"
    rf"|は?、?(?:总|整体|最终)?(?:损失|損失|误差|誤差|代价|目标)(?:函数|函數|関数)?\s*(?:{OF})?\s*(?:对于?|對|关于|關於|相对于|の)\s*(?:当前|时刻)?(?:隐藏?状态|隐层|細胞状態|隠れ状態)?\s*"
    r")",
    re.IGNORECASE,
)
DIRECT = re.compile(  # of the loss of its own step
    rf"\s*,?\s*(?:{DENOTES}|{IS})\s*(?:the\s+)?(?:direct|immediate)\s+{GRADIENT}\s+(?:on|at|to|of|by|into|with\s+respect\s+to|w\.?r\.?t\.?)\s*{STATE}",
    re.IGNORECASE,
)
BEHIND = re.compile(r"\s*的?(?:偏)?(?:梯度|导数|導數)|\s*に(?:関する|対する|よる|ついての)(?:偏)?(?:勾配|微分|導関数)")  # where the gradient is named last
EASTERN = re.compile(r"[对對关關于於の]\s*(?:\S{0,6})$")
OTHERWISE = re.compile(r"\b(?:immediate|local|direct|log|negative|approximate|norm|entr(?:y|ies)|not|never|if|suppose|assum\w+)\b", re.IGNORECASE)
PREPOSED = re.compile(r"(?:\b(?:of|to|by|at|in|on|from|with|per|w\.?r\.?t\.?|de|a|von|nach|по|от)|[对對关關于於])\s*$", re.IGNORECASE)
GRADIENTS = (  # words for gradients, in the languages in which there is no more to read of such a sentence
    r"(?:(?:co-?)?gradi[eë]n\w*|derivat(?:iv|a|e\b)\w*|derivad\w*|dérivées?|Ableitung\w*|adjoints?\b|adjungiert\w*|sensitivit\w*|pochodn\w*|gradyan\w*|türev\w*"
    r"|đạo\s+hàm|градиєнт\w*|градиент\w*|похідн\w*|производн\w*)|梯度|偏?导数|勾配|그래디언트|기울기"
)
STRONG = rf",?\s*{DENOTES}|(?:,\s*)?{IS}|are|be|sind|sont|son|são|sono|means?|signifie|significa|[:—–]|-{{1,3}}\s"
CALLED = re.compile(  # between the symbol, or the last one of a list, and such a word
    rf"\s*(?P<strong>(?:{STRONG})\s*)?(?:[\w'’]+\s+){{0,3}}?{GRADIENTS}", re.IGNORECASE
)
CALLING = re.compile(rf"(?:{LET}|\b(?:call|name|let|soient|seien|sean|sejam|siano|niech|пусть|нехай)\s*$)", re.IGNORECASE)
ALSO = re.compile(r"\s*(?:,|,?\s*(?:and|et|und|y|e|i|и|та|和|と|及)\b)\s*")  # between the symbols of a list
FORMULA = r"(?:\$[^$]+\$|\\\([^$]*?\\\)|:math:`[^`]+`)"
REACH = 160  # characters between the symbol and the formula


@dataclass(frozen=True, slots=True)
class Introduction:
    """An equation that words state: the number of the fragment behind which it stands, its text, and its two sides."""

    behind: int
    fragment: Fragment
    node: Relation


def named_in_words(document: Document, parsed: Sequence[tuple[Fragment, Sequence[Any]]]) -> Iterator[Introduction]:
    """The symbols that the sentences of a document introduce."""
    values = [value(f, nodes) for f, nodes in parsed]
    relations = [n for _, nodes in parsed for n in nodes if kind(n) == "Relation" and derived(n)]
    given = {head_and_parts(unwrapped(n.sides[0])) for n in relations}
    alike = {head_and_parts(unwrapped(n.sides[0])) for n in relations if any(map(stands_for, n.sides[1:]))}
    loss = usual_loss(parsed)
    for k, (first, _) in enumerate(parsed[:-1]):
        second, formula = values[k + 1], values[k] if first.kind == "inline" and values[k] is not None else gradient_of(first, parsed[k][1])
        if formula is None or second is None:
            continue
        words = between(document, first, parsed[k + 1][0])
        if words is None:
            continue
        before = clause(first.before)
        after = parsed[k + 1][0].after
        here, there = values[k] is not None and symbol(values[k]), symbol(second)
        jacobian = kind(second) == "Derivative" and head_and_parts(values[k]) not in given
        if here and (stands_for(second) or jacobian) and is_name_of(before, words):
            found, meant, at = values[k], second, NAMED
        elif there and stands_for(formula) and is_called(before, words, after):
            found, meant, at = second, formula, NAMED
        elif here and (by := told(document, parsed, values, k, words)) is not None:
            found, meant, at = values[k], Derivative(by[0] or loss, by[1]), TOLD
        else:
            continue
        if head_and_parts(found) not in (alike if at == NAMED else given) and found not in walk(meant):
            node = Relation((found, meant), ("=",), span=found.span)
            yield Introduction(k + 1, replace(first, kind=at, body=joined([first.body]), after=after), node)


def is_name_of(before: str, words: str) -> bool:
    """Whether a symbol is said to stand for the formula behind it: ``$g_t$ denotes the gradient …``."""
    if OTHERWISE.search(words):
        return False
    if words.strip() == "|":  # of a table of symbols
        return before.strip() == "|" or before.rsplit("\n", 1)[-1].strip() == "|"
    cue = re.search(LET, before, re.IGNORECASE) is not None
    if PREPOSED.search(before) and not cue:
        return False
    link = re.fullmatch(rf"\s*,?\s*(?:(?P<strong>{DENOTES})|(?P<weak>{IS})|(?P<cued>{FOR}))?\s*(?P<noun>{ADDS})\s*,?\s*:?", words, re.IGNORECASE)
    return link is not None and bool(link["strong"] or link["weak"] or (cue and (link["cued"] or link["noun"].strip())))


def is_called(before: str, words: str, after: str) -> bool:
    """Whether a formula is given the name behind it: ``$\\partial L/\\partial h_t$, which we call $g_t$``."""
    if words.strip() == "を":
        return JAPANESE.match(after) is not None
    called = re.fullmatch(rf"\s*(?P<by>{BY})\s*", words, re.IGNORECASE)
    if called is None or OTHERWISE.search(words):
        return False
    alone = re.fullmatch(r"by|as|simply|por|como|mit|als|par|через|как", called["by"].strip(), re.IGNORECASE) is None
    return alone or re.search(rf"(?:\b|(?=[^\x00-\u02ff])){CALL}\s*{ADDS}\s*$", before, re.IGNORECASE) is not None


def told(document: Document, parsed: Sequence[tuple[Fragment, Sequence[Any]]], values: list[Any], k: int, words: str) -> tuple[Any, Any] | None:
    """The loss and the quantity whose gradient a symbol is said to be; no loss where it is not written."""
    loss, by = None, k + 1
    if loss_head(values[by]) is not None and by + 1 < len(parsed):
        more = between(document, parsed[by][0], parsed[by + 1][0])
        if more is None:
            return None
        words, loss, by = words + OF + more, values[by], by + 1
    quantity = values[by]
    split = head_and_parts(quantity) if quantity is not None else None
    if split is None or loss_head(quantity) is not None:
        return None
    if DIRECT.fullmatch(words) is not None and split[1]:
        return replace(usual_loss(parsed), subs=(split[1][-1].node,)), quantity
    if OTHERWISE.search(words):
        return None
    if TELLS.fullmatch(words) is None or (EASTERN.search(words) is not None and BEHIND.match(parsed[by][0].after) is None):
        return None
    return loss, quantity


def called_a_gradient(fragment: Fragment) -> bool:
    r"""Whether words say of the symbol of a text that it is a gradient: ``let $a_t$ and $b_t$ be the gradients at ...``, ``$e_t$: derivative at the ...``."""
    before, after = fragment.before, fragment.after
    while (more := re.match(rf"{ALSO.pattern}{FORMULA}", after)) is not None:
        after = after[more.end() :]
    while (more := re.search(rf"{FORMULA}{ALSO.pattern}$", before)) is not None:
        before = before[: more.start()]
    found = CALLED.match(after) if fragment.kind == "inline" else None
    return found is not None and (found["strong"] is not None or CALLING.search(before) is not None) and PREPOSED.search(before) is None


def value(fragment: Fragment, nodes: Sequence[Any]) -> Any:
    """What an inline formula, or a display, names or stands for; None for a relation."""
    node = unwrapped(nodes[0]) if len(nodes) == 1 and fragment.kind in ("inline", "display") else None
    return None if kind(node) in ("Relation", "Unread", "Words", "Given", "Tuple", "NoneType") else node


def gradient_of(fragment: Fragment, nodes: Sequence[Any]) -> Any:
    r"""The gradient that an equation is about, ``$\partial L/\partial h_t = V^\top e_t$, call it $g_t$``; None for any other formula."""
    rel = nodes[0] if len(nodes) == 1 and fragment.kind in ("inline", "display") and kind(nodes[0]) == "Relation" else None
    return rel.sides[0] if rel is not None and stands_for(rel.sides[0]) else None


def symbol(node: Any) -> bool:
    """Whether a formula may be a name for another one."""
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name" and node.args[0].base in MARKS:
        node = node.args[1]
    return head_and_parts(node) is not None and loss_head(node) is None


def stands_for(node: Any) -> bool:
    """Whether a formula is a gradient; a Jacobian that has a name mostly has an equation too, which is the claim then."""
    return kind(node) == "Derivative" and loss_head(node.of) is not None


def usual_loss(parsed: Sequence[tuple[Fragment, Sequence[Any]]]) -> Any:
    """The loss that a document differentiates, L if it has no letter for it."""
    derivatives = (n for _, nodes in parsed for node in nodes for n in walk(node) if kind(n) == "Derivative")
    votes = Counter(head for n in derivatives if (head := loss_head(n.of)) is not None and kind(unwrapped(n.of)) == "Name")
    return votes.most_common(1)[0][0] if votes else Name("L")


def between(document: Document, first: Fragment, second: Fragment) -> str | None:
    """The words between two formulas of a sentence, without marks of emphasis; None if they stand in no such."""
    begin, end = first.source.ends[-1], second.source.starts[0]
    text = document.text[begin:end] if 0 < end - begin < REACH else ""
    if not text or re.search(r"\n\s*\n|[.;!?。；！？](?=\s|$)(?<!w\.r\.t\.)(?<!bzgl\.)", text):
        return None
    return re.sub(r"\$|\\[()]|[*`_]|\\\[", "", text)
