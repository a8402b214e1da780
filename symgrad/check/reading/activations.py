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
    r"(?:(?P<tanh>hyperbolic tangent|tanh|双曲正切)|(?P<relu>re-?lu|rectifier|rectified linear unit)|(?P<softmax>soft-?max)"
    r"|(?:logistic\s+)?sigmoid|logistic function)(?![A-Za-z])"
    r"(?![^.;。；\n]{0,20}\bor\b|[^.;。；\n]{0,6}[或/]|\s*[,，、]\s*(?:and\s+)?[$`\\]*(?:relu|sigmoid|tanh|softmax|等|etc))",
    re.IGNORECASE,
)
DEFORMED = (  # what makes another function of a known one
    r"(?:hard|steep\w*|(?:re)?scaled|bipolar|shifted|modified|(?:anti-?)?symmetric|leaky|parametri[cs]\w*|piecewise|approximat\w+|stretched|generali[sz]ed|"
    r"adaptive|noisy|truncated|clipped|quanti[sz]ed|lineari[sz]ed|dur[ae]|harte[sr]?|жестк\w+)"
)
OTHER = (  # functions whose slope is not that of any known one
    rf"(?:{DEFORMED}[- ]?(?:[a-z]+[- ]){{0,2}}?(?:sigm\w+|logistic\w*|tanh|hyperbolic tangent|re-?lu|rectif\w+)"
    r"|(?:sigm\w+|tanh) dur[ae]|soft-?sign|[cgs]?elu|mish|arc-?tan\w*|inverse tangent|sin(?:e|us)?|cosine|gaussian|sign(?:um)?|threshold|error function"
    r"|cub(?:e|ic)|piecewise|硬[- ]?sigmoid|分段线性|双极)(?![A-Za-z])"
)
VERB = r"[$`\\)）]*\s*(?:is|be|being|denotes|stands for|est|ist|es|è|é|[—–:：|]|为|為|是|表示)\s*"
SUCH_AS = (  # of several functions; of one alone it may be the one that is meant
    r"(?:such as|e\.?g\.?|like|for (?:example|instance)|typically|usually|often|commonly|which (?:can|may|could) be|either)[\s,:$`\\]*\w+[$`]*(?:\s+function)?"
    r"\s*(?:\bor\b|/|(?:,|\band\b)[\s$`\\]*(?:and|or)?[\s$`\\]*(?:tanh|sigmoid|relu))"
)
ANY = (
    r"(?:(?:some|any|an? (?:arbitrary|generic|general|suitable|differentiable|unspecified))\s+(?:[\w-]+\s+){0,3}?(?:activation|non-?linearity|function)"
    r"|une? (?:fonction|activation)[^.;]{0,20}(?:quelconque|arbitraire)|una? fun[a-zó]+[^.;]{0,20}(?:cualquiera|arbitraria|qualsiasi)"
    r"|beliebige|任意|произвольн\w+)"
)
KINDS = r"(?:activations?|non-?linearit(?:y|ies)|functions?|units?)"
OPEN = re.compile(  # "where $\\sigma$ is some activation", "a nonlinearity such as tanh or ReLU", "the hard sigmoid"
    rf"{VERB}(?:{ANY}|(?:the|an?)\s+(?:[\w-]+\s+){{0,3}}?(?:activation(?:\s+function)?|non-?linearity)[\s,(]*{SUCH_AS}"
    rf"|(?:(?:the|an?|une?|eine?|la|le|die)\s+)?(?:[\w-]+\s+){{0,3}}?{OTHER}"
    r"|[^.;。]{0,30}(?:sigmoid|logistic|tanh)[^.;。]{0,20}\bwith (?:an? |the )?(?:slope|gain|steepness|temperature|parameter))",
    re.IGNORECASE,
)
ALSO_OPEN = re.compile(rf"[$`\\)）]*[\s,(]*(?:{SUCH_AS}|[^.;]{{0,30}}\b(?:un|not )specified)", re.IGNORECASE)  # behind "an activation function $f$"
INTRODUCED = re.compile(  # "with a logistic activation $f$", "the hard sigmoid $\\sigma$", "an arbitrary nonlinearity $f$"
    rf"\b(?:(?P<any>{ANY}|(?:(?:an?|the)\s+)?{OTHER})|(?:an?|the)\s+(?:(?P<tanh>tanh|hyperbolic tangent)|(?P<relu>re-?lu|rectifier|rectified linear)"
    rf"|(?P<sigmoid>(?:logistic\s+)?sigmoid|logistic)|(?:[\w-]+\s+){{0,2}}?(?=activation|non-?linear)))\s*(?:{KINDS}\s*){{0,2}}(?:for\s*)?[$`\\(]*$",
    re.IGNORECASE,
)
CASE = re.compile(  # "if $f$ is", "for the logistic activation $f$": what holds there and need not hold elsewhere
    r"(?:\b(?:if|when|whenever|for|in case|wenn|falls|si|se|quand|lorsque|cuando)|若|如果|если|当)\s*[$`\\(]*$"
    r"|^[\s*_(]*(?:if|when|for|with)\b[^.;]*$",
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


def said(name: Any, before: str, after: str) -> str | None:
    r"""The known function that the words around a letter say it to be: "f is the hyperbolic tangent", "a logistic activation f".

    The letter itself where they leave it open, or name a function that is not known here; None if they say nothing.
    """
    if not isinstance(name, Name) or name != Name(name.base) or (name.base != "sigma" and name.base in BUILTIN):
        return None
    told = INTRODUCED.search(before)
    if OPEN.match(after) or (told is not None and (told["any"] or ALSO_OPEN.match(after))):
        return name.base
    m = SAID.match(after)
    if m is not None:
        return "tanh" if m["tanh"] else "relu" if m["relu"] else "softmax" if m["softmax"] else "sigmoid"
    return None if told is None else next((rule for rule in ("tanh", "relu", "sigmoid") if told[rule]), None)


def labelled_sigmas(functions: dict[str, Any], names: set[Name]) -> list[str]:
    r"""``\sigma_g``, ``\sigma_c``: what their labels say, where nothing else does; the words for a report."""
    found = {unprimed(n): spelled(n.subs[0]) for n in names if n.base == "sigma" and len(n.subs) == 1}
    new = {word: LABELS[label] for word, label in found.items() if word is not None and label in LABELS and word not in functions}
    functions.update(new)
    return [f"σ_{word.removeprefix('sigma_')} is read as {rule}" for word, rule in sorted(new.items()) if rule != "sigmoid"]
