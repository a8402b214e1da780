"""The names under which people write the known functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from symgrad.check.reading.symbols import spelled
from symgrad.notation.syntax import Name

BUILTIN = {
    "sigma": "sigmoid", "sigmoid": "sigmoid", "sigm": "sigmoid", "logistic": "sigmoid", "logsig": "sigmoid", "sig": "sigmoid", "varsigma": "sigmoid",
    "tanh": "tanh", "th": "tanh", "tansig": "tanh", "exp": "exp", "log": "log", "ln": "log", "relu": "relu", "ReLU": "relu", "softmax": "softmax",
    "Softmax": "softmax", "silu": "silu", "SiLU": "silu", "swish": "silu", "Swish": "silu",
    "sqrt": "sqrt", "softplus": "softplus", "id": "identity", "step": "step", "heaviside": "step", "Heaviside": "step",
    "cosh": "cosh", "sinh": "sinh", "sech": "sech",
}  # fmt: skip
ACTIVATIONS = frozenset({"sigmoid", "tanh", "relu", "softmax", "softplus", "silu", "identity", "exp"})
LABELS = {**dict.fromkeys("gfiozru", "sigmoid"), "c": "tanh"}  # of σ, as in the LSTM of the encyclopedia
SAID = re.compile(
    r"[$`\\)）]*\s*(?:is|=|be|being|denotes|stands for|为|為|是|表示|[:：])\s*(?:usually|typically|generally|commonly|normally|here|一般(?:为|是|取|用)?"
    r"|通常(?:为|是|取|用)?)?\s*(?:the\s+|an?\s+)?(?:element-?wise\s+|pointwise\s+)?"
    r"(?:(?:(?:RNN|hidden|隐藏层|隐层)(?:'s|的)?\s*)?(?:activation(?:\s+function)?|nonlinearity|激活函数)\s*[,，(（]?\s*(?:which\s+is\s+)?"
    r"(?:usually|typically|generally|commonly|normally|here|一般(?:为|是|取|用)?|通常(?:为|是|取|用)?|这里(?:为|是|取|用)?)\s*(?:the\s+)?)?[$`\\(]*"
    r"(?:(?P<tanh>hyperbolic tangent|tanh|双曲正切)|(?P<relu>re-?lu|rectifier|rectified linear unit)|(?:logistic\s+)?sigmoid|logistic function)(?![A-Za-z])"
    r"(?![^.;。；\n]{0,20}\bor\b|[^.;。；\n]{0,6}[或/]|\s*[,，、]\s*(?:and\s+)?[$`\\]*(?:relu|sigmoid|tanh|softmax|等|etc))",
    re.IGNORECASE,
)
OPEN = re.compile(  # "where $\\sigma$ is some activation", "a nonlinearity such as tanh or ReLU"
    r"[$`\\)）]*\s*(?:is|be|being|denotes|stands for)\s*(?:"
    r"(?:some|any|an? (?:arbitrary|generic|general|suitable))\s+(?:[\w-]+\s+){0,3}?(?:activation|non-?linearity|function)"
    r"|(?:the|an?)\s+(?:[\w-]+\s+){0,3}?(?:activation(?:\s+function)?|non-?linearity)[\s,(]*"
    r"(?:such as|e\.?g\.?|like|for (?:example|instance)|typically|usually|often"
    r"|commonly|which (?:can|may|could) be|either)[\s,:$`\\]*\w+[$`]*(?:\s+function)?"
    r"\s*(?:\bor\b|/|(?:,|\band\b)[\s$`\\]*(?:and|or)?[\s$`\\]*(?:tanh|sigmoid|relu)))",
    re.IGNORECASE,
)
STEPS = frozenset({"t", "k", "i", "n", "j", "tau", "s", "l", "T"})


def unprimed(name: Name) -> str | None:
    """The name of a function as one word, and of its slope the same."""
    word = spelled(name)
    return word if word is None else word.removesuffix("'" * name.primes)


def meaning(functions: Mapping[str, Any], name: Name) -> Any:
    """The function that a name stands for.

    What the document says of it, the known one of that name, or itself where it is free: ``f_h`` and ``f_y`` are two.
    """
    word = unprimed(name)
    labelled = name.subs and any(spelled(x) not in STEPS for x in name.subs)
    if word in functions or not labelled:
        return functions.get(word or "", functions.get(name.base, BUILTIN.get(name.base, name.base)))
    return BUILTIN.get(name.base, word or name.base) if name.base != "sigma" else word


def said(name: Any, after: str) -> str | None:
    r"""The known function that the words behind a letter say it to be: "f is the hyperbolic tangent"; None if they name none, or several.

    ``\sigma``, of which they say that it is some activation, is itself, as any other letter is.
    """
    bare = isinstance(name, Name) and name == Name(name.base)
    m = SAID.match(after) if bare and (name.base == "sigma" or name.base not in BUILTIN) else None
    if bare and name.base == "sigma" and OPEN.match(after):
        return "sigma"  # any function
    return None if m is None else "tanh" if m["tanh"] else "relu" if m["relu"] else "sigmoid"


def labelled_sigmas(functions: dict[str, Any], names: set[Name]) -> list[str]:
    r"""``\sigma_g``, ``\sigma_c``: what their labels say, where nothing else does; the words for a report."""
    found = {unprimed(n): spelled(n.subs[0]) for n in names if n.base == "sigma" and len(n.subs) == 1}
    new = {word: LABELS[label] for word, label in found.items() if word is not None and label in LABELS and word not in functions}
    functions.update(new)
    return [f"σ_{word.removeprefix('sigma_')} is read as {rule}" for word, rule in sorted(new.items()) if rule != "sigmoid"]
