r"""Names as people write them: one quantity, its step, its components, however the indices are set.

``h_{t-1}``, ``h^{(t-1)}``, ``h^{\langle t-1\rangle}``, ``h(t-1)`` and ``h_{t-1,i}`` all name the quantity ``h``; ``W_{hh}`` and
``W^{hh}`` are labels, ``W_{ij}`` an entry of ``W``.  Which part is which is settled by the quantities that the document defines.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction as Ratio
from math import prod
from typing import Any

from symgrad.check.reading.trees import by_identity, kind, unwrapped, walk
from symgrad.notation.syntax import Name, Negative, Number, Product, Relation, Sum

PLAIN_ACCENTS = {"widehat": "hat", "widetilde": "tilde", "overline": "bar", "vec": ""}
STEP_WORDS = {"prev": -1, "old": -1, "last": -1, "next": 0, "new": 0, "cur": 0, "curr": 0, "current": 0, "now": 0}
STEP_LETTERS = frozenset({*"tTkijslnupqrmNKL", "tau", "ell", "tau'"})
COUNTERS = frozenset("abijklmnpqst")
MOST = 4  # indices on a letter
TIMES = frozenset({*"tTksN0123456789", "tau"})  # between which an arrow leads from one step to another
DIGITS = 60  # of a number that takes part
VARIANTS = {"varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta", "Tau": "T"}


@dataclass(frozen=True, slots=True)
class Part:
    """One index: ``where`` it is written (sub, sup, paren, bracket, word)."""

    where: str
    node: Any


@dataclass(frozen=True, slots=True)
class Ref:
    """A quantity at a step, or some entries of it.  `step` is None where none is written."""

    key: str
    step: Any = None
    entries: tuple[Any, ...] = ()
    losses: Any = None
    written: str = ""  # how the document calls it, where that this is meant is a guess: ``w`` for ``W``


@by_identity
def spelled(node: Any) -> str | None:
    """A label as one word: ``hh``, ``f``, ``in``; None if it is no label."""
    node = unwrapped(node)
    match node:
        case Name(base=base, accents=accents, subs=subs, primes=primes):
            inner = [spelled(s) for s in subs]
            if any(s is None for s in inner):
                return None
            return (
                VARIANTS.get(base, base)
                + "".join("~" + told for a in accents if (told := PLAIN_ACCENTS.get(a, a)))
                + ("_" + ",".join(filter(None, inner)) if inner else "")
                + "'" * primes
            )
        case Number(text=text):
            return text
        case Product(args=args):
            inner = [spelled(a) for a in args]
            return None if any(s is None for s in inner) else "".join(filter(None, inner))
        case Relation(sides=sides, signs=signs) if set(signs) == {"->"}:  # ``W_{x→h}``
            ends = [spelled(side) for side in sides]
            return None if any(end is None or end in TIMES for end in ends) else "→".join(filter(None, ends))
    if kind(node) == "Words":
        return str(node.text).strip()
    return None


@by_identity
def head_and_parts(node: Any) -> tuple[Name, tuple[Part, ...]] | None:
    """The letter of a name and all indices on it; None for what is no name."""
    k = kind(node)
    if k == "Name":
        bare = Name(node.base, node.accents, (), node.primes)
        return bare, tuple(q for s in node.subs for q in _parts("sub", s))
    if k == "Power":
        inner = head_and_parts(node.base)
        if inner is None or not _index_like(node.exponent) or is_top(node.exponent):
            return None
        return inner[0], (*inner[1], *_parts("sup", node.exponent))
    if k == "Index":
        inner = head_and_parts(node.base) if node.kind != "part" else None
        if inner is None or any(kind(unwrapped(p)) in ("Slice", "Stack", "Hadamard", "Ellipsis") for p in node.parts):
            return None
        where = {"(": "paren", "_": "sub"}.get(node.kind, "bracket")
        return inner[0], (*inner[1], *(q for p in node.parts for q in _parts(where, p)))
    if k == "Apply" and len(node.args) == 1 and kind(node.function) == "Name":
        inner = head_and_parts(node.function)
        arg = unwrapped(node.args[0])
        stepped = any(kind(sub) == "Name" for n in walk(arg) if kind(n) == "Name" for sub in n.subs)  # ``g_c(c_t)``: no step is told by another
        if inner is not None and _step_like(arg) and not stepped and not node.function.primes:
            return inner[0], (*inner[1], Part("paren", arg))
        return None
    if k == "Paren" and node.kind == "{":
        return head_and_parts(node.arg)
    return None


def _parts(where: str, node: Any) -> list[Part]:
    """One index, or the several that it is made of: ``f[i, j]`` is a label and two entries."""
    if kind(node) == "Paren":
        if node.kind == "[":
            return [Part("bracket", unwrapped(node))]
        return _parts("paren" if where == "sup" else where, node.arg)
    if kind(node) == "Index" and node.kind == "_" and len(node.parts) == 1 and kind(unwrapped(node.base)) == "Sum" and _step_like(node.base):
        return [Part(where, unwrapped(node.base)), *_parts("sub", node.parts[0])]  # component k at step t - 1
    if kind(node) == "Index" and kind(node.base) == "Name":
        if node.kind == "(" and len(node.parts) == 1:
            return [*_parts(where, node.base), Part("paren", unwrapped(node.parts[0]))]
        if node.kind == "[":
            return [*_parts(where, node.base), *(Part("bracket", unwrapped(p)) for p in node.parts)]
    if kind(node) == "Tuple" or (kind(node) == "Product" and any(kind(a) == "Paren" and a.kind == "[" for a in node.args)):  # ``\gamma_{[i]t}``
        return [q for a in node.args for q in _parts(where, a)]
    if kind(node) == "Name" and len(node.subs) == 1 and counts(node.base, node.subs[0]):
        return [Part(where, replace(node, subs=())), Part("sub", node.subs[0])]
    if kind(node) == "Transpose":
        return _parts(where, node.arg)
    if bracket_by_bracket(node):
        return [q for a in node.args for q in (_parts("paren", a) if kind(a) == "Sum" else _parts(where, a))]
    return [Part(where, unwrapped(node))]


def bracket_by_bracket(node: Any) -> bool:
    r"""Whether two indices stand in a bracket each: the layer and the step of ``h^{[l]\langle t \rangle}``, ``h^{(l)(t-1)}``."""
    if kind(node) != "Product" or len(node.args) != 2:
        return False
    first, second = node.args
    return kind(first) == "Paren" and first.kind in ("(", "[", "<") and (kind(second) == "Sum" or (kind(second) == "Paren" and second.kind in ("(", "[", "<")))


def counts(step: str, label: Any) -> bool:
    """Whether a letter with an index is a step and a component there: ``t_k``, ``r_n``."""
    letter = label.base if kind(label) == "Name" and len(label.base) == 1 else ""
    return bool(letter) and (step == "t" or (step in ("r", "k", "tau") and letter in COUNTERS - {"k", "s", "t"}))


def component_below(p: Part, parts: tuple[Part, ...], letter: str) -> bool:
    r"""Whether an index below is a component, as the step stands above: the k of ``\delta_{y,k}^t``."""
    above = any(q.where == "sup" and letter in letters(q.node) for q in parts)
    return above and p.where == "sub" and kind(p.node) == "Name" and not p.node.subs and p.node.base in COUNTERS - {letter, "t"}


def is_top(node: Any) -> bool:
    r"""``^T``, ``^{Tr}``: a transpose by the letter; ``^{(T)}`` and ``^{<T>}`` are steps."""
    return kind(node) == "Name" and node.base in ("T", "Tr", "tr", "TR", "top", "intercal", "transpose") and not node.subs and not node.primes


def upright(node: Any) -> Any:
    """The name that stands transposed here, if one does."""
    inner = node.arg if kind(node) == "Transpose" else node.base if kind(node) == "Power" and is_top(node.exponent) else None
    return inner if inner is not None and head_and_parts(inner) is not None else None


def _index_like(node: Any) -> bool:
    if kind(node) in ("Paren",):
        return True
    if kind(node) == "Number":
        return True
    if kind(node) == "Tuple":
        return all(map(_index_like, node.args))
    return kind(node) in ("Name", "Sum", "Negative", "Product") and (_step_like(node) or spelled(node) is not None or bracket_by_bracket(node))


@by_identity
def _step_like(node: Any) -> bool:
    """Whether this may be a step: ``t``, ``t - 1``, ``3``, ``T``, ``t + 1 - k``."""
    node = unwrapped(node)
    match node:
        case Name(base=base, accents=(), subs=subs, primes=_):
            return (base in STEP_LETTERS or len(base) == 1) and all(kind(s) in ("Number", "Name") or _step_like(s) for s in subs)
        case Number(text=text):
            return text.isdigit()
        case Sum(args=args):
            return all(_step_like(a) for a in args)
        case Negative(arg=arg):
            return _step_like(arg)
        case Product(args=args):
            return len(args) == 2 and kind(args[0]) == "Number" and _step_like(args[1])
    return False


def labelled(node: Any) -> bool:
    r"""Whether an index is a label: ``L_{\text{BCE}}`` is a loss of no step."""
    word = spelled(node)
    return word is not None and not _step_like(node) and len(word) > 1


@by_identity
def letters(node: Any) -> tuple[str, ...]:
    """The variables of an index."""
    node = unwrapped(node)
    match node:
        case Name():
            word = spelled(node)
            return (word,) if word else ()
        case Sum(args=args) | Product(args=args):
            return tuple(w for a in args for w in letters(a))
        case Negative(arg=arg):
            return letters(arg)
    return ()


def number_at(node: Any, env: dict[str, Any]) -> Ratio | int | None:
    """The value of an index expression where its variables have values."""
    word, number = one_letter(node)
    if number is None:
        return _number_at(node, env)
    if not word:
        return number
    value = env.get(word)
    return value + number if isinstance(value, int) else None


@by_identity
def one_letter(node: Any) -> tuple[str, Ratio | int | None]:
    """``t - 1`` as t and -1, a number as no letter and itself; no number for anything else."""
    node = unwrapped(node)
    if kind(node) == "Name":
        word = node.base if not node.subs and not node.accents and not node.primes else spelled(node)
        return (VARIANTS.get(word, word), 0) if word else ("", None)
    word = one_letter(node.args[0])[0] if kind(node) == "Sum" and len(node.args) == 2 and kind(node.args[0]) == "Name" else ""
    return word, _number_at(node.args[1] if word else node, {})


def _number_at(node: Any, env: dict[str, Any]) -> Ratio | int | None:
    node = unwrapped(node)
    match node:
        case Number(text=text):
            return None if len(text) > DIGITS else int(text) if text.isdigit() else Ratio(text)
        case Negative(arg=arg):
            inner = number_at(arg, env)
            return None if inner is None else -inner
        case Sum(args=args) | Product(args=args):
            values = [number_at(a, env) for a in args]
            known = [v for v in values if v is not None]
            return None if len(known) < len(values) else sum(known) if kind(node) == "Sum" else prod(known)
    if kind(node) == "Fraction":
        top, bottom = number_at(node.numerator, env), number_at(node.denominator, env)
        return None if top is None or not bottom else Ratio(top) / bottom
    return None


def key_of(head: Name, labels: list[Part]) -> str | None:
    """The canonical key: ``h~tilde``, ``W_hh``, ``W^xh``."""
    word = spelled(head)
    subs: list[str] = []
    sups: list[str] = []
    for p in labels:
        s = spelled(p.node)
        if s is None:
            return None
        (sups if p.where == "sup" else subs).append(s)
    return f"{word}" + ("_" + ",".join(subs) if subs else "") + ("^" + ",".join(sups) if sups else "")


@by_identity
def roles_of(split: tuple[Name, tuple[Part, ...]]) -> tuple[tuple[tuple[str, ...], int, str], ...]:
    """What the indices on a letter may be, each step (S), entry (E) or label (L); how many are labels, and the key with these."""
    head, parts = split
    out = []
    for roles in itertools.product("SEL", repeat=len(parts)) if len(parts) <= MOST else ():
        labels = [p for p, r in zip(parts, roles, strict=True) if r == "L"]
        key = key_of(head, labels) if roles.count("S") <= 1 else None
        if key is not None:
            out.append((roles, len(labels), key))
    return tuple(out)


def flat(key: str) -> str:
    """A key that does not tell where its labels are set."""
    return key.replace("^", "_").replace(",", "") if ":" not in key else key


@dataclass
class Symbols:
    """The quantities of a document, by which its names are read."""

    ranks: dict[str, int] = field(default_factory=dict)  # known quantities: their number of indices
    timed: set[str] = field(default_factory=set)
    letter: str = "t"  # what the document's steps are counted by
    stepless: set[str] = field(default_factory=set)  # what stands at no step anywhere: the i of ``s_i`` tells a component
    bare: set[str] = field(default_factory=set)  # what is written without its step everywhere, though others have theirs,
    counting: set[str] = field(default_factory=set)  # and the letters that count steps: any other tells a component of it
    step_behind: bool | None = None  # whether of two indices the second tells the step, as ``h_{n,t}`` has them
    aliases: dict[str, str] = field(default_factory=dict)
    small: dict[str, str] = field(default_factory=dict)  # ``w`` → ``W``: small letters for the entries of matrices
    strings: dict[tuple[int, str, int], tuple[Any, str]] = field(default_factory=dict)  # formulas as strings, while names are read as they are
    _memo: dict[int, tuple[Any, Ref | None]] = field(default_factory=dict)
    _meant: dict[tuple[str, bool], tuple[str, int | None, str]] = field(default_factory=dict)
    _loose: dict[str, str] = field(default_factory=dict)
    _counted: int = 0

    def clear(self) -> None:
        """Forget what names were read as: what they are read by has changed."""
        self._memo.clear()
        self._meant.clear()
        self.strings.clear()

    def counted(self) -> None:
        """Learn of quantities that are new."""
        if self._counted == len(self.ranks):
            return
        self._counted = len(self.ranks)
        self._meant.clear()
        self._loose = {}
        for known in self.ranks:
            plain = flat(known)
            self._loose[plain] = "" if plain in self._loose else known
        for plain, known in [*self._loose.items()]:
            if known and "_" in plain and plain[0].isupper() and plain[0] not in self.ranks:  # ``Whh`` for ``W_{hh}``, where it is no product
                bare = plain.replace("_", "")
                self._loose[bare] = "" if bare in self._loose else known

    def loosely(self, key: str) -> str:
        """The one quantity whose labels are the same, wherever they are set: ``a_f`` for ``a^f``, ``W_{x,h}`` for ``W^{xh}``."""
        self.counted()
        plain = flat(key)
        return self._loose.get(plain) or self._loose.get(plain.replace("_", "")) or key

    def ref(self, node: Any) -> Ref | None:
        """The quantity that a node names, None if it is no name or an unknown one."""
        found = self._memo.get(id(node))
        if found is None:
            found = self._memo[id(node)] = (node, self._ref(node))
        return found[1]

    def _ref(self, node: Any) -> Ref | None:
        split = head_and_parts(node)
        if split is None:
            return None
        best: tuple[int, Ref] | None = None
        for ref, score in self._readings(split):
            if best is None or score > best[0]:
                best = (score, ref)
        if best is None and (apart := self._apart(*split)) is not None:
            return next((ref for ref, _ in self._readings((split[0], apart)) if ref.entries or ref.step is not None), None)
        return best[1] if best else None

    def _apart(self, head: Name, parts: tuple[Part, ...]) -> tuple[Part, ...] | None:
        """``z_{yk}`` and ``z_{y_k}`` beside ``z_y``, ``h_{ti}``, ``W_{hh_{ij}}``: a label, or the step, and components written together."""
        for at, p in enumerate(parts):
            if (tail := self._behind(head, p)) is not None:
                return (*parts[:at], *tail, *parts[at + 1 :])
            pair = p.node.args if kind(p.node) == "Product" else ()
            if kind(p.node) == "Name" and len(p.node.subs) == 1:
                pair = replace(p.node, subs=()), p.node.subs[0]
            if p.where == "sub" and len(pair) == 2 and all(a == Name(getattr(a, "base", "")) for a in pair):
                label, entry = (Part("sub", a) for a in pair)
                key = key_of(head, [label])
                if key in self.ranks and self.ranks[key] == 1 and entry.node.base in COUNTERS | ({"r"} - self.ranks.keys()):
                    return (*parts[:at], label, entry, *parts[at + 1 :])
        return None

    def _behind(self, head: Name, p: Part) -> tuple[Part, Part] | None:
        """The step and the component of ``h_{ti}``, the label and the components of ``W_{hh_{ij}}``; None for anything else."""
        args = p.node.args if p.where == "sub" and kind(p.node) == "Product" else ()
        if not args or not all(kind(a) == "Name" for a in args):
            return None
        step, component = args[0], args[-1]
        if len(args) == 2 and step == Name(self.letter) and key_of(head, []) in self.timed:
            return (Part("sub", step), Part("sub", component)) if component == Name(component.base) and component.base in COUNTERS - {"t"} else None
        label = Part("sub", replace(p.node, args=(*args[:-1], replace(component, subs=()))))
        indices = component.subs[0] if len(component.subs) == 1 else None
        rank = self.ranks.get(key_of(head, [label]) or "", 0) if indices is not None else 0
        return (label, Part("sub", indices)) if rank and len(entries_of(indices, rank) or ()) == rank else None

    def _readings(self, split: tuple[Name, tuple[Part, ...]]) -> Iterator[tuple[Ref, int]]:
        head, parts = split
        for roles, labels, exact in roles_of(split):
            key, shift, written = self._named(exact, labels > 0 or len(head.base) > 1)
            if key not in self.ranks or (key != exact and self._squared(head, parts, roles)):
                continue
            step: Any = None
            entries: list[Any] = []
            score = 4 * labels
            fits = True
            for p, r in zip(parts, roles, strict=True):
                if r != "L" and p.where == "sup" and kind(p.node) == "Number" and (r != "S" or p.node.text != "0"):
                    fits = False  # h^2 is a power; h^0 is h at step 0
                elif r == "S":
                    fits &= (key in self.timed or p.where == "paren") and _step_like(p.node)
                    fits &= not (p.where == "sup" and key in self.stepless and self.ranks[key] == 2)  # the power of a matrix
                    component = p.where in ("sub", "bracket") and kind(p.node) == "Name" and p.node.base in COUNTERS - {self.letter, "T"}
                    fits &= not component or not (key in self.stepless or (key in self.bare and p.node.base not in self.counting))
                    step = p.node
                    score += 2 + 3 * (self.letter in set(letters(p.node))) + (p.where == "paren")
                elif r == "E":
                    found = entries_of(p.node, self.ranks[key] - len(entries))
                    fits &= found is not None and (p.where != "sup" or kind(p.node) == "Product" or (key in self.timed and kind(p.node) == "Name"))
                    entries += found or ()
                    fits &= self.letter not in set(letters(p.node)) if key in self.timed else not (roles == ("E",) and self._labels(key, p.node))
                    fits &= key in self.timed or self.letter != "t" or spelled(p.node) != "t"  # W_t is the use of W at step t
                    score += p.where == "bracket"
            score += self.step_behind is not None and roles == (("E", "S") if self.step_behind else ("S", "E")) and parts[0].where == parts[1].where
            fits &= step is None or key in self.timed or not 0 < len(entries) < self.ranks[key]  # ``W^{(i,j)}`` is no row of W at step i
            if not fits or len(entries) > self.ranks[key]:
                continue
            if shift is not None:
                if step is not None:
                    continue
                step = Name(self.letter) if shift == 0 else Sum((Name(self.letter), Negative(Number("1"))))
            yield Ref(key, step, tuple(entries), written=written), score

    def _squared(self, head: Name, parts: tuple[Part, ...], roles: tuple[str, ...]) -> bool:
        """Whether a number above that would be a label is the power of a quantity: ``s_{2,t}^2`` beside ``s_{2,t}``, though there be no ``s^2``."""
        base = tuple(p for p, r in zip(parts, roles, strict=True) if not (r == "L" and p.where == "sup" and kind(p.node) == "Number"))
        return len(base) < len(parts) and next(self._readings((head, base)), None) is not None

    def _named(self, key: str, loose: bool) -> tuple[str, int | None, str]:
        """The quantity that a key names, whether or not there is one; how many steps away, if a word says that; how it is written, if that is a guess."""
        self.counted()
        found = self._meant.get((key, loose))
        if found is None:
            found = self._meant[key, loose] = self._resolved(key, loose)
        return found

    def _resolved(self, key: str, loose: bool) -> tuple[str, int | None, str]:
        key = self.aliases.get(key, key)
        written = key if key in self.small else ""
        key = self.small.get(key, key)
        if key not in self.ranks and loose:
            key = self.loosely(key)
        if key.endswith("@-1"):
            return key[:-3], -1, written
        bare, _, word = key.rpartition("_")
        if key not in self.ranks and word in STEP_WORDS and bare in self.ranks:
            return bare, STEP_WORDS[word], written
        return key, None, written

    def _labels(self, key: str, node: Any) -> bool:
        """Whether an index has the name of a quantity, and none that people count by: ``U_h`` is no row beside a state h, ``W_{qh}`` no entry."""
        letters_of = node.args if kind(node) == "Product" else (node,)
        return self.ranks[key] == 2 and any(kind(a) == "Name" and spelled(a) in self.timed and a.base not in COUNTERS for a in letters_of)


def entries_of(node: Any, most: int) -> tuple[Any, ...] | None:
    """``ij`` as two indices of a matrix, ``i`` as one."""
    node = unwrapped(node)
    if most <= 0:
        return None
    if kind(node) == "Product" and most >= len(node.args) and all(kind(a) == "Name" and (len(a.base) == 1 or a.base == "ell") for a in node.args):
        return tuple(node.args)
    if kind(node) == "Stack" and len(node.args) <= most:
        return tuple(node.args)
    if kind(node) == "Name":
        return (node,) if len(node.base) == 1 or node.base in ("ell", "alpha", "beta", "mu", "nu", "tau") else None
    if kind(node) == "Power" and kind(node.base) == "Name" and len(node.base.base) == 1:
        return (node,)  # j with a star
    if kind(node) == "Number" and most == 2 and len(node.text) == 2 and node.text.isdigit() and "0" not in node.text:
        return tuple(map(Number, node.text))  # ``W_{12}``
    if kind(node) in ("Number", "Sum"):
        return (node,)
    return None
