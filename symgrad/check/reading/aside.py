r"""Formulas that words put aside: "the loss is not $L = ...$", "unlike Keras, where it would be $L = ...$", "in future work we shall try $h_t = ...$"."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.reading.prose import PH, clause

GO = r"(?:(?!\b(?:we|they|one|I|use[sd]?|is|are|takes?|has|have|here|now|this|wir|nous|on|est|ist)\b)[^.;:,?!，。；\ue000-\uf8ff]){0,60}"  # no other verb
NOT = re.compile(
    r"(?:\b(?:is|are|was|be|it's) (?:not|no longer)|\bisn't|\b(?:but|and|,) not|\bist nicht|\bn'est pas|\bno es|\bnão é|\bnon è|\bне|而?不是|ではなく)"
    r"\s*(?:simply|just|merely|einfach|simplement|simplemente)?\s*(?:the|a)?\s*(?:usual|mean|plain|standard)?\s*(?:loss|error|cost|form)?\s*\Z"
    rf"|\b(?:do|does|did|will|shall)(?:n't| not) (?:use|write|take|minimi[sz]e|choose|adopt|consider|have)\b{GO}\Z",
    re.IGNORECASE,
)
UNLIKE = re.compile(
    rf"(?:\b(?:unlike|contrary to|in contrast (?:to|with)|as opposed to|rather than|instead of|in place of|anders als|im Gegensatz zu|statt|anstelle"
    rf"|contrairement à|au lieu d|a diferencia de|en (?:lugar|vez) de|em vez d|ao invés d|a differenza d|invece d|в отличие от|вместо)|不同于|而非){GO}"
    rf"(?:,\s*(?:where|in which|for which|which|whose|wo|bei dem|où|donde|onde|dove|где)\b(?:(?!\b(?:we|our|here)\b)[^.;:,?!\ue000-\uf8ff]){{0,60}})?\Z",
    re.IGNORECASE,
)
LATER = re.compile(
    r"(?:\b(?:in (?:the )?future|future work|in einer (?:künftigen|späteren)|in zukünftigen|künftig|travaux futurs|à l'avenir|trabajos? futuros?|en el futuro"
    r"|trabalhos? futuros?|no futuro|lavori futuri|in futuro|в будущем)\b|今后|将来|未来工作|今後)"
    rf"(?:(?!\b(?:but|here|now|today|currently|at present|in this|aber|hier|mais|pero|но)\b)(?:[^.;:?!。；]|{PH}))*\Z",
    re.IGNORECASE,
)


def put_aside(fragment: Any) -> bool:
    """Whether the words before a formula say that it is not what the document goes on with."""
    if fragment is None:
        return False
    words = clause(fragment.before if fragment.kind == "inline" else fragment.before.rstrip())
    return any(pattern.search(words) is not None for pattern in (NOT, UNLIKE, LATER))
