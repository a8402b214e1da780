r"""Identifiers as symbols of mathematics: ``h_tilde`` is ``\tilde{h}_t``, ``W_xh`` is ``W_{xh}``, the old state ``h`` is ``h_{t-1}``."""

from __future__ import annotations

import sympy as sp

from symgrad.language.program import Program, base
from symgrad.notation.syntax import Name, Negative, Node, Number, Power, Product, Sum

ACCENTS = {"tilde", "hat", "bar", "dot", "vec", "check", "ring"}
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho",
    "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "varphi", "varepsilon", "vartheta",
}  # fmt: skip
LETTERS = {"ell", "top", "hbar"} | GREEK | {g.capitalize() for g in GREEK}


def identifier(name: str) -> Name:
    """The symbol that an identifier stands for, without its time."""
    prime = name.count("'")
    head, *rest = name.replace("'", "").split("_")
    head = head or "x"
    accents: list[str] = []
    subs: list[Node] = []
    for word in rest:
        if word in ACCENTS and not subs:
            accents.append(word)
        elif word in ACCENTS and isinstance(subs[-1], Name):
            last = subs[-1]
            subs[-1] = Name(last.base, (*last.accents, word), last.subs)
        elif word:
            subs.append(_subscript(word))
    if len(head) > 1 and head.rstrip("0123456789") != head and len(head.rstrip("0123456789")) == 1:
        subs.insert(0, Number(head[1:]))
        head = head[0]
    return Name(head, tuple(accents), tuple(subs), prime)


def _subscript(word: str) -> Node:
    """``z`` a letter, ``xh`` two letters, ``12`` a number, ``out`` a word."""
    if word.isdigit():
        return Number(word)
    if len(word) == 2 and word.isalpha():
        return Product((Name(word[0]), Name(word[1])))
    return Name(word)


def moment(index: str, offset: int, back: Name | None = None) -> Node:
    """``t``, ``t - 1``, ``t + 1``; with `back` u, ``t - u - 1``."""
    step = Number(str(abs(offset)))
    parts: list[Node] = [Name(index)]
    parts += [Negative(back)] if back else []
    parts += [] if offset == 0 else [Negative(step) if offset < 0 else step]
    return parts[0] if len(parts) == 1 else Sum(tuple(parts))


def _dotted(node: Node) -> Node:
    """The tangent of a name: the name with a dot."""
    if isinstance(node, Power):
        return Power(_dotted(node.base), node.exponent)
    assert isinstance(node, Name)
    return Name(node.base, (*node.accents, "dot"), node.subs, node.primes)


class Names:
    """The printed name of every symbol of a program, `back` steps (a letter) before t."""

    def __init__(self, program: Program, back: Name | None = None) -> None:
        self.program, self.back = program, back
        past = set(program.past.values())
        self.offset: dict[sp.Symbol, int] = dict.fromkeys((*program.states, *past), -1)
        self.offset |= {s: 0 for s in (*program.inputs, *program.equations) if s not in self.offset}
        if program.index == "t":
            self.offset = {s: at for s, at in self.offset.items() if s not in program.still}
        else:  # the parameters of a chain over layers belong to a layer
            self.offset |= dict.fromkeys(program.parameters, 0)
        self.offset |= {s: 0 for s in program.shapes if s.name.endswith("'")}  # the unknown Jacobian f' of a free function
        self.bare = {new: s.name for s, new in program.past.items()}

    def __call__(self, s: sp.Symbol, indices: tuple[str, ...] = ()) -> Node:
        """The name of a symbol, with component indices: ``h_{t-1,i}``, ``U_{z,ij}``."""
        text = self.bare.get(s, s.name)
        if text.startswith("δ") and len(text) > 1:
            return self._adjoint(text[1:], indices)
        if text.endswith("_dot") and (inner := sp.Symbol(text.removesuffix("_dot"))) in self.program.shapes:
            return _dotted(self(inner, indices))
        owner = self._owner(s)
        if owner is not None:
            named = self._timed(Name("a"), s, indices)
            return Power(named, identifier(base(owner.name)))
        if s in self.program.order:
            text = base(text) if s in self.offset or s in self.program.still else text
        return self._timed(identifier(text), s, indices)

    def _adjoint(self, text: str, indices: tuple[str, ...]) -> Node:
        r"""``\delta z_t``, the adjoint of z_t; ``\delta c_{t,\mathrm{next}}`` what step t+1 contributes to it."""
        next_ = text.endswith("_next")
        inner = sp.Symbol(text.removesuffix("_next"))
        node = self(inner, indices) if inner not in self.program.still else self._timed(identifier(base(inner.name)), inner, indices, 0)
        if next_ and isinstance(node, Name):
            node = Name(node.base, node.accents, (*node.subs, Name("next")), node.primes)
        return Product((Name("delta"), node))

    def _owner(self, s: sp.Symbol) -> sp.Symbol | None:
        """The gate z of an implicit preactivation a_z."""
        owner = sp.Symbol(s.name[2:])
        return owner if s in self.program.implicit and s.name.startswith("a_") and owner in self.program.order else None

    def _timed(self, name: Name, s: sp.Symbol, indices: tuple[str, ...], offset: int | None = None) -> Name:
        subs = list(name.subs)
        offset = self.offset.get(s, offset)
        if offset is not None:
            subs.append(moment(self.program.index, offset, self.back))
        if indices:
            letters: tuple[Node, ...] = tuple(Name(i) for i in indices)
            subs.append(letters[0] if len(letters) == 1 else Product(letters))
        return Name(name.base, name.accents, tuple(subs), name.primes)
