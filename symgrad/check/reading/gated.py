r"""Gates that words name and no formula, "if the update gate is 0", "for the closed output gate", "if it is 1": their letters put before the words.

So what is said of them is read as it is of letters, "if $z$ is 0".  Which gate a word names is as in most papers; whether the letter is a gate of
the page is asked where a condition is understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LETTERS = {"update": "z", "reset": "r", "forget": "f", "input": "i", "output": "o"}
KIND = rf"(?P<kind>{'|'.join(LETTERS)})"
IS = r"(?:(?:is|are|be|being|equals?|both|all|exactly|entirely|identically|always|fully|set|fixed|held|kept|forced|clamped|equal|to|at)\s+)+"
VALUE = r"(?P<value>zero|one|[01](?![.,]\d)|open|closed|shut)\b"
NUMBERS = {"open": "1", "closed": "0", "shut": "0"}  # of a gate that lets something through
NAMED = re.compile(rf"\b{KIND}(?P<is>\s+gates?\s+{IS}){VALUE}", re.IGNORECASE)
STATED = re.compile(rf"(?P<for>\b(?:for|with|when|if|at)\s+(?:the|an?)\s+)(?P<state>open|closed|shut)\s+{KIND}\s+gate\b", re.IGNORECASE)
IT = re.compile(rf"(?P<if>\b(?:if|when|once|whenever)\s+)it(?P<is>\s+{IS}){VALUE}", re.IGNORECASE)
STATE = re.compile(rf"(?:when(?:ever)?|if|once|for|with)\s+(?:the|an?)\s+{KIND}\s+gate\s+(?:is|being)\s+(?:\w+ly\s+)?(?:open|closed|shut|saturated)", re.I)
FORMULA = "[\ue000-\uf8ff]"
MENTIONED = re.compile(rf"\b{KIND}\s+gate\b|(?P<formula>{FORMULA})", re.IGNORECASE)
SYMBOL = re.compile(r"\s*(?:\\?[A-Za-z]+)(?:_t|_\{t\}|\^\{?\(?t\)?\}?)?\s*")
BACK = 2  # sentences in which what "it" is must stand: its own and the one before


def with_letters(text: str, formulas: list[str], kept: Callable[[str], str]) -> str:
    """A prose with letters before the gates that words give a value; `kept` makes a character of a formula."""
    if "gate" not in text:
        return text

    def valued(letter: str, gate: str, m: re.Match[str]) -> str:
        value = NUMBERS.get(m["value"].lower(), m["value"])
        if letter == LETTERS["update"] and value != m["value"]:
            return m[0]  # an open one may keep the state or take a new one
        return f"{kept(letter)}{gate}{m['is']}{value}"

    def pronoun(m: re.Match[str]) -> str:
        sentences = re.split(r"(?<=[.;!?])\s", text[: m.start()])[-BACK:]
        found = {mentioned(x, formulas) for x in MENTIONED.finditer(" ".join(sentences))} - {""}
        return m["if"] + valued(found.pop(), " gate", m) if len(found) == 1 else m[0]

    text = STATED.sub(lambda m: f"{m['for']}{m['kind']} gate is {m['state']}", text)
    text = IT.sub(pronoun, text)
    return NAMED.sub(lambda m: valued(LETTERS[m["kind"].lower()], f" {m['kind']}", m), text)


def in_a_state(text: str, gate: str) -> bool:
    """Whether words say no more than that this gate is open or closed, "when the update gate is closed": a value that stands beside it says which is meant."""
    m = STATE.fullmatch(text.strip())
    return m is not None and gate[:1].lower() in (LETTERS[m["kind"].lower()], m["kind"][0].lower())


def mentioned(m: re.Match[str], formulas: list[str]) -> str:
    """The letter of a gate that a word or a formula names; empty for what is no symbol."""
    if m["kind"]:
        return LETTERS[m["kind"].lower()]
    formula = formulas[ord(m["formula"]) - ord("\ue000")]
    return re.sub(r"[_^].*", "", formula.strip()) if SYMBOL.fullmatch(formula) else ""
