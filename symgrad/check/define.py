r"""Definitions: which relations of a document say what its cell computes, and the pages they make.

``name at step t = formula`` without a derivative in it defines the name; the first definition of a name holds until another one
disagrees, which begins a new page (many documents treat an RNN, then an LSTM).  Names that nothing defines are inputs where they
carry a step, else parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from symgrad.check.evaluate import ACTIVATIONS, BUILTIN
from symgrad.check.page import Abbreviation, Definition, Page
from symgrad.check.symbols import (
    STEP_WORDS,
    Part,
    Symbols,
    _step_like,
    children,
    head_and_parts,
    is_top,
    key_of,
    kind,
    letters,
    spelled,
    unwrapped,
    walk,
)
from symgrad.check.typing import Shapes, matrix_like
from symgrad.check.world import Equation, Model
from symgrad.notation.syntax import Name

DEFINING = frozenset({"=", ":=", "==", "triangleq", "equiv", "<-", "→="})
LOSSES = frozenset({"L", "E", "J", "ell", "l", "loss", "Loss", "cost", "Cost", "error", "Error", "LOSS", "cal"})
ADJOINT_HEADS = frozenset({"delta", "Delta", "nabla", "vartheta"})
DERIVED = frozenset({"Derivative", "Differential", "Operator"})
LETTERS = ("t", "k", "i", "n", "j", "tau", "s", "l", "T")


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation of the document, with the fragment it stands in."""

    fragment: Any
    node: Any  # a Relation, or another node
    whole: Any  # with its conditions
    conditions: tuple[Any, ...] = ()
    number: int = 0


@dataclass
class Group:
    """Definitions that are in force together, from one statement on."""

    first: int
    definitions: dict[str, Definition] = field(default_factory=dict)
    alone: bool = False  # a lemma with names of its own


@dataclass
class Collected:
    """What the statements of a document define."""

    letter: str = "t"
    groups: list[Group] = field(default_factory=list)
    functions: dict[str, Any] = field(default_factory=dict)
    defining: set[tuple[int, int]] = field(default_factory=set)  # (statement, link) that define
    scales: dict[str, Any] = field(default_factory=dict)
    initial: dict[str, int] = field(default_factory=dict)  # states that begin at a number


def relation_of(node: Any) -> Any:
    return node if kind(node) == "Relation" else None


def derived(node: Any) -> bool:
    """Whether a derivative or an adjoint occurs in a formula."""
    for n in walk(node):
        k = kind(n)
        if k in DERIVED:
            return True
        if k == "Name" and (n.base in ADJOINT_HEADS or _differential_word(n)):
            return True
        if k == "Apply" and kind(n.function) == "Name" and n.function.primes:
            return True
        if k == "Product" and kind(n.args[0]) == "Name" and n.args[0].base == "d" and not n.args[0].subs and len(n.args) > 1 and kind(n.args[1]) in ("Name", "Power", "Index"):
            return True
    return False


def _differential_word(name: Any) -> bool:
    base = name.base
    return len(base) >= 2 and base[0] == "d" and base.split("_")[0] not in ("diag", "det", "dim", "dot", "delta", "dropout", "data", "dec", "decoder", "digamma", "ddot") and (len(base.split("_")[0]) <= 3)


def step_part(parts: tuple[Part, ...], letter: str | None) -> Part | None:
    """The index that counts steps."""
    for p in parts:
        found = set(letters(p.node))
        if _step_like(p.node) and (letter in found if letter else False):
            return p
    return None


def letter_of(statements: list[Statement]) -> str:
    """What the document counts its steps by."""
    votes: Counter[str] = Counter()
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or derived(rel):
            continue
        split = head_and_parts(unwrapped(rel.sides[0]))
        if split is None:
            continue
        right = [set(letters(p.node)) for n in walk(rel.sides[1]) if kind(n) in ("Name", "Power", "Index") and (sp := head_and_parts(n)) for p in sp[1] if _step_like(p.node)]
        for p in split[1]:
            if _step_like(p.node):
                for w in letters(p.node):
                    if w in LETTERS:
                        votes[w] += 1 + sum(w in r for r in right)
    for s in statements:
        for n in walk(s.node):
            if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[0]) == "Name" and kind(n.args[1]) == "Negative" and kind(n.args[1].arg) == "Number":
                w = spelled(n.args[0])
                if w in LETTERS:
                    votes[w] += 1 if w == "t" else 0
    return max(votes, key=lambda w: (votes[w], -LETTERS.index(w))) if votes else "t"


def collect(statements: list[Statement]) -> Collected:
    """Definitions by groups, in the order of the document."""
    out = Collected(letter=letter_of(statements))
    group = Group(0)
    out.groups.append(group)
    page = Page(Symbols(), {})
    stepped = {id(s.fragment) for s in statements if relation_of(s.node) is not None and any(
        step_part(split[1], out.letter) for n in walk(s.node) if kind(n) in ("Name", "Power", "Index") and (split := head_and_parts(n)))}  # fmt: skip
    timeless = Counter(id(s.fragment) for s in statements if relation_of(s.node) is not None and id(s.fragment) not in stepped)
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING:
            continue
        if function_definition(out, s, rel) or initial_value(out, s, rel) or total_loss(out, s, rel):
            continue
        found = definition(rel, out.letter)
        if found is None:
            continue
        key, letter, shift, entries, side = found
        d = Definition(key, rel.sides[side], letter, shift, entries, s, rel.sides[0])
        if copies(key, d.node):
            out.defining.add((s.number, 0))
            continue
        lemma = (
            step_part(head_and_parts(unwrapped(rel.sides[0]))[1], letter) is None  # type: ignore[index]
            and not any(step_part(p, letter) for _, _, p in names_in(d.node)) and stepped and timeless[id(s.fragment)] < 2 and "'" not in key
            and not words_of_steps(rel)
        )  # fmt: skip
        if lemma:
            out.groups.append(Group(s.number, {key: d}, True))
            out.defining.add((s.number, 0))
            continue
        old = group.definitions.get(key)
        if old is not None:
            if old.entries == () and entries:
                continue  # the same by components: a claim
            if alike(page, group, old, d):
                out.defining.add((s.number, 0))
                if side > 1:
                    out.defining.add((s.number, 1))
                continue
            if old.entries and not entries:
                group.definitions[key] = d
                out.defining.add((s.number, 0))
                continue
            if any(kind(n) == "Big" for n in walk(d.node)):
                continue  # a closed form of what is defined already: a claim
            group = Group(s.number)
            out.groups.append(group)
        if entries and any(key in g.definitions and not g.definitions[key].entries for g in out.groups if not g.alone):
            continue
        group.definitions[key] = d
        out.defining.add((s.number, 0))
        for k in range(1, side):
            out.defining.add((s.number, k))
            other = definition_of_side(rel.sides[k], out.letter)
            if other is not None and other[0] not in group.definitions:
                group.definitions[other[0]] = Definition(other[0], rel.sides[side], other[1], other[2], (), s, rel.sides[k])
    return out


def total_loss(out: Collected, s: Statement, rel: Any) -> bool:
    """``L = Σ_t L_t``, with a factor or without."""
    left, right = unwrapped(rel.sides[0]), unwrapped(rel.sides[-1])
    head = head_and_parts(left) if kind(left) == "Name" else head_and_parts(left.function) if kind(left) == "Apply" and kind(left.function) == "Name" else None
    if head is None or head[0].base not in LOSSES or len(rel.sides) != 2:
        return False
    if (kind(right) == "Big" and sums_steps(right)) or weight(right) is not None:
        out.defining.add((s.number, 0))
        return True
    return False


def alike(page: Page, group: Group, old: Definition, new: Definition) -> bool:
    """Whether two equations are the same once names are put in for what they stand for: ``σ(W x + b)`` and ``σ(a)``."""
    a, b = page.canon(old.node), page.canon(new.node)
    for d in group.definitions.values():
        if d is not old and kind(unwrapped(d.node)) != "Name":
            long, short = page.canon(d.node), page.canon(d.side)
            a, b = a.replace(long, short), b.replace(long, short)
    return a == b


def words_of_steps(rel: Any) -> bool:
    """Whether steps are told by words: ``c_next``, ``a_prev``."""
    return any(spelled(x) in STEP_WORDS for n in walk(rel) if kind(n) == "Name" for x in n.subs)


def copies(key: str, node: Any) -> bool:
    """``W^{(t)} = W``: the uses of a parameter are told apart, nothing is defined."""
    split = head_and_parts(unwrapped(node))
    return split is not None and key_of(split[0], list(split[1])) == key


def initial_value(out: Collected, s: Statement, rel: Any) -> bool:
    """``h_0 = 0``."""
    split = head_and_parts(unwrapped(rel.sides[0]))
    value = unwrapped(rel.sides[1])
    if split is None or len(rel.sides) != 2 or kind(value) != "Number" or value.text != "0" or not split[1]:
        return False
    last = split[1][-1].node
    if kind(last) != "Number" or last.text != "0":
        return False
    key = key_of(split[0], list(split[1][:-1]))
    if key is None or derived(rel):
        return False
    out.initial[key] = 0
    out.defining.add((s.number, 0))
    return True


def function_definition(out: Collected, s: Statement, rel: Any) -> bool:
    r"""``g(x) = \tanh(x)``, ``\sigma(x) = \frac{1}{1+e^{-x}}``: a name for a function; of known ones the formula is a claim."""
    sides = [unwrapped(x) for x in rel.sides]
    heads = []
    for x in sides:
        if kind(x) == "Apply" and len(x.args) == 1 and kind(unwrapped(x.args[0])) == "Name" and not unwrapped(x.args[0]).subs and not x.function.primes and not x.function.subs:
            heads.append((x.function.base, spelled(unwrapped(x.args[0]))))
        else:
            heads.append((None, None))
    known = next((BUILTIN[b] for b, _ in heads if b in BUILTIN), None)
    names = [b for b, _ in heads if b and b not in BUILTIN]
    if not names or out.letter in [w for _, w in heads]:
        return False
    if known is not None:
        for b in names:
            out.functions[b] = known
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    if kind(sides[-1]) == "Name" and sides[-1].base in [w for _, w in heads]:
        for b in names:
            out.functions[b] = "identity"
        out.defining.update((s.number, k) for k in range(len(rel.signs)))
        return True
    return False


def definition_of_side(side: Any, letter: str) -> tuple[str, str, int, tuple[Any, ...]] | None:
    """The key, the letter and the shift of a name that may be defined."""
    split = head_and_parts(unwrapped(side))
    if split is None:
        return None
    head, parts = split
    if head.base in ADJOINT_HEADS or head.base in ("partial", "d", "prod", "sum") or _differential_word(head) or (head.base in BUILTIN and head.base != "sigma"):
        return None
    if kind(unwrapped(side)) == "Apply" and head.base in BUILTIN:
        return None
    step = step_part(parts, letter)
    shift = 0
    rest = [p for p in parts if p is not step]
    if step is not None:
        from symgrad.check.symbols import number_at

        at = number_at(step.node, {letter: 0})
        if at is None or at.denominator != 1:
            return None
        shift = int(at)
    elif any(_step_like(p.node) and kind(p.node) == "Number" for p in parts) and parts[-1].where != "bracket":
        return None
    entries = tuple(p.node for p in rest if p.where == "bracket" or (step is not None and kind(p.node) == "Name" and p.node.base in "ijpqkmn" and p.node.base != letter and not p.node.subs))
    labels = [p for p in rest if p.node not in entries]
    if labels and entries and not any(p.where == "bracket" for p in rest) and step is None:
        entries = ()
    words = [p for p in labels if spelled(p.node) in STEP_WORDS]
    if words and step is None:
        if STEP_WORDS[str(spelled(words[0].node))] != 0:
            return None
        labels = [p for p in labels if p not in words]
    key = key_of(head, labels)
    return None if key is None else (key, letter, shift, entries)


def definition(rel: Any, letter: str) -> tuple[str, str, int, tuple[Any, ...], int] | None:
    """What a relation defines: the key of its left side, and which side is the formula."""
    left = definition_of_side(rel.sides[0], letter)
    if left is None:
        return None
    side = 1
    while side + 1 < len(rel.sides) and rel.signs[side] in DEFINING and kind(unwrapped(rel.sides[side])) in ("Name", "Power", "Index") and definition_of_side(rel.sides[side], letter) is not None:
        side += 1
    right = rel.sides[side]
    if side + 1 < len(rel.sides) and left[3]:
        pass
    if any(s not in DEFINING | {"in", "+="} for s in rel.signs[:side]) or derived(right) or kind(unwrapped(right)) in ("Number", "Words", "Blank", "Cases", "Ellipsis"):
        return None
    if any(kind(n) in ("Words", "Ellipsis") for n in walk(right)):
        return None
    if kind(unwrapped(right)) == "Name" and not head_and_parts(unwrapped(right))[1] and len(unwrapped(right).base) == 1 and step_part(head_and_parts(unwrapped(rel.sides[0]))[1], letter) is None:  # type: ignore[index]
        return None
    if left[0] in LOSSES or (left[0].split("_")[0] in LOSSES and step_part(head_and_parts(unwrapped(rel.sides[0]))[1], letter) is not None and left[0] in LOSSES):  # type: ignore[index]
        return None
    return (*left, side)


# -- pages --------------------------------------------------------------------------------------------------------------------


def names_in(node: Any) -> Iterator[tuple[Any, Any, tuple[Part, ...]]]:
    """Every name in a formula with its indices, the outermost reading of each."""
    split = head_and_parts(node) if kind(node) in ("Name", "Power", "Index") else None
    if split is not None and not (kind(node) == "Power" and kind(unwrapped(node.exponent)) == "Number"):
        yield node, split[0], split[1]
        return
    if kind(node) == "Apply":
        split = head_and_parts(node)
        if split is not None and split[0].base not in BUILTIN and any("t" in letters(p.node) for p in split[1]):
            yield node, split[0], split[1]
            return
        for a in node.args:
            yield from names_in(a)
        return
    for child in children(node):
        yield from names_in(child)


def bound_letters(node: Any) -> set[str]:
    out = set()
    for n in walk(node):
        if kind(n) == "Big":
            if n.index is not None:
                out.add(spelled(n.index) or "")
            if kind(unwrapped(n.lower)) == "Relation":
                out |= {w for s in unwrapped(n.lower).sides for w in letters(s)}
    return out


def make_page(collected: Collected, upto: int, statements: list[Statement]) -> Page:
    """The page of group number `upto`: its own definitions, then the latest earlier ones of other names."""
    here = collected.groups[upto]
    definitions = dict(here.definitions)
    if here.alone:
        return page_of(definitions, collected, statements)
    others = [g for g in [*collected.groups[:upto][::-1], *collected.groups[upto + 1 :]] if not g.alone]
    spare: dict[str, Definition] = {}
    for g in others:
        for key, d in g.definitions.items():
            spare.setdefault(key, d)
    letter = collected.letter
    inputs = {n for d in definitions.values() for n in stepped_names(d, letter)}
    again = True
    while again:
        again = False
        for key, d in list(spare.items()):
            if key in definitions:
                spare.pop(key)
                continue
            needed = key in inputs
            names = stepped_names(d, letter)
            if needed or (names and names <= inputs | set(definitions)):
                definitions[key] = d
                inputs |= names
                spare.pop(key)
                again = True
    return page_of(definitions, collected, statements)


def stepped_names(d: Definition, letter: str) -> set[str]:
    """The quantities with a step that an equation names."""
    out = set()
    skip = bound_letters(d.node) | {w for e in d.entries for w in letters(e)}
    for _, head, parts in names_in(d.node):
        step = step_part(parts, letter)
        if step is not None:
            key = key_of(head, [p for p in parts if p is not step and p.where != "bracket" and not set(letters(p.node)) & skip])
            if key is not None:
                out.add(key)
    return out


def split_groups(collected: Collected) -> None:
    """Definitions that share no quantity are cells of their own."""
    out: list[Group] = []
    for g in collected.groups:
        parts = [] if g.alone else components(g, collected.letter)
        if len(parts) < 2:
            out.append(g)
            continue
        for part in parts:
            first = min(d.place.number if d.place is not None else g.first for d in part.values())
            out.append(Group(first if part is not parts[0] else g.first, part))
    collected.groups = out


def components(g: Group, letter: str) -> list[dict[str, Definition]]:
    """Connected by the quantities with a step that they name."""
    names = {key: {key} | stepped_names(d, letter) for key, d in g.definitions.items()}
    out: list[tuple[set[str], dict[str, Definition]]] = []
    for key, d in g.definitions.items():
        mine, part = set(names[key]), {key: d}
        rest = []
        for other, held in out:
            if other & mine:
                mine |= other
                part = {**held, **part}
            else:
                rest.append((other, held))
        out = [*rest, (mine, part)]
    return [part for _, part in out]


def page_of(definitions: dict[str, Definition], collected: Collected, statements: list[Statement]) -> Page:
    letter = collected.letter
    symbols = Symbols(letter=letter)
    page = Page(symbols, dict(definitions), dict(collected.functions))
    activation_meant(page, statements)
    losses(page, statements, letter)
    for key in definitions:
        symbols.ranks[key] = 1
        symbols.timed.add(key)
    later: list[tuple[str, Any]] = []
    for key, d in definitions.items():
        skip = bound_letters(d.node) | set(STEP_WORDS) | {w for e in d.entries for w in letters(e)}
        for node, head, parts in names_in(d.node):
            if (head.base in ("e", "I", letter, "T") and not parts) or (spelled(head) in skip and not parts):
                continue
            if symbols.ref(node) is not None and symbols.ref(node).key in definitions:  # type: ignore[union-attr]
                continue
            step = step_part(parts, letter) or step_part(parts, d.letter)
            words = [p for p in parts if spelled(p.node) in STEP_WORDS]
            rest = [p for p in parts if p is not step and p not in words and not _index(p, skip)]
            indices = [p for p in parts if p not in rest and p is not step and p not in words]
            name = key_of(head, rest)
            if name is None:
                continue
            if step is not None or words:
                symbols.ranks.setdefault(name, 1)
                symbols.timed.add(name)
            else:
                later.append((name, node))
                entries = sum(len(p.node.args) if kind(p.node) == "Product" else 1 for p in indices)
                symbols.ranks.setdefault(name, max(entries, 2 if matrix_like(node) else 1))
            symbols.clear()
    symbols.clear()
    primes(page)
    ranks(page)
    targets(page, statements)
    symbols.clear()
    page._canon.clear()
    page.build = lambda flat: model(page, flat)
    page.__dict__["_initial"] = collected.initial
    for key in [*definitions, *symbols.ranks]:
        page.notes.setdefault(key, plain(key))
    guesses(page, statements)
    return page


def activation_meant(page: Page, statements: list[Statement]) -> None:
    r"""``f`` in the equations and ``\sigma'`` in the derivation: f is σ."""
    applied = {n.function.base for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name" and len(n.args) == 1 and not n.function.primes}
    free = {f for f in applied if f not in BUILTIN and f not in page.functions}
    slopes = {n.function.base for s in statements for n in walk(s.node) if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes}
    meant = {BUILTIN[f] for f in slopes if BUILTIN.get(f) in ("sigmoid", "tanh", "relu")}
    if len(free) == 1 and len(meant) == 1 and not any(f in BUILTIN and BUILTIN[f] in ACTIVATIONS for f in applied) and not slopes & free:
        (f,), (name,) = free, meant
        page.functions[f] = name
        page.assumptions = (*page.assumptions, f"{f} is read as {name}")


def _index(p: Part, skip: set[str]) -> bool:
    found = set(letters(p.node))
    return bool(found) and found <= skip


def plain(key: str) -> str:
    """A key as a person writes it."""
    word, _, rest = key.partition("_")
    base, *accents = word.split("~")
    for a in accents:
        base = {"tilde": f"{base}̃", "hat": f"{base}̂", "bar": f"{base}̄"}.get(a, base)
    return base + (f"_{rest}" if rest else "")


def primes(page: Page) -> None:
    """``h' = …`` in terms of ``h``: the primed name is the new value, the bare one that of the step before."""
    for key in list(page.definitions):
        bare = key.rstrip("'")
        if key.endswith("'") and bare not in page.definitions:
            page.symbols.aliases[bare] = key + "@-1"
            page.symbols.ranks.pop(bare, None)


def ranks(page: Page) -> None:
    """Parameters that only ever stand alone in a sum, or among factors entry by entry, are vectors."""
    single: Counter[str] = Counter()
    multiplied: Counter[str] = Counter()
    for d in page.definitions.values():
        for n in walk(d.node):
            k = kind(n)
            if k in ("Sum", "Hadamard"):
                for a in n.args:
                    ref = page.symbols.ref(unwrapped(a))
                    if ref is not None:
                        single[ref.key] += 1
            elif k in ("Product", "Infix"):
                for a in n.args:
                    inner = unwrapped(a)
                    ref = page.symbols.ref(inner.arg if kind(inner) == "Transpose" else inner)
                    if ref is not None:
                        multiplied[ref.key] += 1
            elif k == "Index":
                ref = page.symbols.ref(n.base)
                if ref is not None:
                    multiplied[ref.key] += 1
    for key, rank in list(page.symbols.ranks.items()):
        if key in page.symbols.timed:
            continue
        if rank == 2 and not multiplied[key] and single[key]:
            page.symbols.ranks[key] = 1


def losses(page: Page, statements: list[Statement], letter: str) -> None:
    """The symbols for the loss: with a step, the loss of that step; without, the sum of all."""
    step: Counter[str] = Counter()
    total: Counter[str] = Counter()

    def note(node: Any) -> None:
        node = unwrapped(node)
        split = head_and_parts(node)
        if kind(node) == "Apply" and kind(node.function) == "Name":
            split = head_and_parts(node.function)
            if split and split[0].base in LOSSES and spelled(split[0]) not in page.definitions:
                inner = [n for a in node.args for n in walk(a)]
                counted = any(kind(n) == "Name" and any(letter in letters(s) for s in n.subs) for n in inner)
                (step if counted else total)[str(spelled(split[0]))] += 1
            return
        if split is None or split[0].base not in LOSSES:
            return
        word = spelled(split[0])
        if word is None or word in page.definitions:
            return
        (step if split[1] else total)[word] += 1

    for s in statements:
        for n in walk(s.node):
            if kind(n) == "Derivative":
                note(n.of)
                if n.sign in ("nabla",):
                    note(n.of)
            if kind(n) == "Relation":
                for side in n.sides[:1]:
                    note(side)
    for s in statements:
        if kind(s.node) == "Relation" and kind(unwrapped(s.node.sides[0])) in ("Name", "Apply") and len(s.node.sides) == 2:
            left = unwrapped(s.node.sides[0])
            word = spelled(left) if kind(left) == "Name" else spelled(left.function)
            if word in total or word in LOSSES:
                factor = weight(unwrapped(s.node.sides[1]))
                if factor is not None:
                    page.__dict__["_weight"] = factor
    page.step_losses |= set(step)
    page.total_losses |= set(total)
    page.ambiguous_losses |= {w for w in total if w not in step}


def weight(node: Any) -> Any:
    """The factor c in ``L = c Σ_t L_t``."""
    from symgrad.notation.syntax import Negative, Number

    if kind(node) == "Negative":
        inner = weight(unwrapped(node.arg))
        return Negative(Number("1")) if inner is None and kind(unwrapped(node.arg)) == "Big" and sums_steps(unwrapped(node.arg)) else Negative(inner) if inner is not None else None
    if kind(node) in ("Product", "Infix") and len(node.args) == 2 and kind(unwrapped(node.args[1])) == "Big" and sums_steps(unwrapped(node.args[1])):
        return unwrapped(node.args[0])
    return None


def sums_steps(node: Any) -> bool:
    return node.kind == "sum" and (node.index is None or spelled(node.index) in LETTERS) and not any(kind(n) == "Big" for n in walk(node.body)) and any(
        (kind(n) == "Name" and n.base in LOSSES) or (kind(n) == "Apply" and kind(n.function) == "Name" and n.function.base in LOSSES) for n in walk(node.body))


def targets(page: Page, statements: list[Statement]) -> None:
    """The wanted value in the loss of a softmax output: a name that is subtracted from the output, or stands beside its logarithm."""
    page.__dict__["_targets_of"] = {}
    stated_loss(page, statements)
    outputs = {key: d for key, d in page.definitions.items() if kind(unwrapped(d.node)) == "Apply" and page.functions.get(unwrapped(d.node).function.base, BUILTIN.get(unwrapped(d.node).function.base)) in ("softmax",)}
    if not outputs:
        finals = terminals(page)
        outputs = {k: page.definitions[k] for k in finals if k not in page.lagged}
    for key in outputs:
        for s in statements:
            for n in walk(s.node):
                if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative":
                    a, b = page.symbols.ref(unwrapped(n.args[0])), n.args[1].arg
                    if a is not None and a.key == key and page.symbols.ref(unwrapped(b)) is None:
                        name = "onehot" if kind(unwrapped(b)) == "Name" and unwrapped(b).base == "1" and unwrapped(b).subs else target_name(page, b)
                        if name is not None:
                            page.__dict__["_targets_of"].setdefault(key, name)
                            page.symbols.ranks.setdefault(name, 1)
                            page.symbols.timed.add(name)
                            page.symbols.clear()


def stated_loss(page: Page, statements: list[Statement]) -> None:
    """A loss that the document writes out: squared differences, or the logarithm of the output."""
    outputs = terminals(page)
    for s in statements:
        if kind(s.node) != "Relation" or s.node.signs[0] not in DEFINING:
            continue
        split = head_and_parts(unwrapped(s.node.sides[0]))
        if split is None or split[0].base not in LOSSES:
            continue
        right = s.node.sides[-1]
        for n in walk(right):
            if kind(n) == "Power" and kind(n.exponent) == "Number" and n.exponent.text == "2" and kind(unwrapped(n.base)) == "Sum" and len(unwrapped(n.base).args) == 2:
                a, b = unwrapped(n.base).args
                b = b.arg if kind(b) == "Negative" else b
                half = any(kind(x) == "Fraction" for x in walk(right))
                for mine, other in ((a, b), (b, a)):
                    ref = page.symbols.ref(unwrapped(mine))
                    if ref is not None and ref.key in outputs and page.symbols.ref(unwrapped(other)) is None:
                        wanted(page, ref.key, target_name(page, other), "square" if half else "double")
            elif kind(n) in ("Product", "Infix", "Hadamard") and len(n.args) == 2 and kind(n.args[1]) == "Apply" and kind(n.args[1].function) == "Name" and n.args[1].function.base in ("log", "ln"):
                ref = page.symbols.ref(unwrapped(n.args[1].args[0])) if n.args[1].args else None
                if ref is not None and ref.key in outputs:
                    first = unwrapped(n.args[0])
                    first = first.arg if kind(first) == "Transpose" else first.base if kind(first) == "Power" and page.symbols.ref(first) is None and kind(first.base) == "Name" and is_top(first.exponent) else first
                    wanted(page, ref.key, target_name(page, first), "entropy")


def wanted(page: Page, output: str, name: str | None, rule: str) -> None:
    if name is None:
        return
    page.__dict__["_targets_of"].setdefault(output, name)
    page.__dict__.setdefault("_rules_of", {}).setdefault(output, rule)
    page.symbols.ranks.setdefault(name, 1)
    page.symbols.timed.add(name)
    page.symbols.clear()


def target_name(page: Page, node: Any) -> str | None:
    split = head_and_parts(unwrapped(node))
    if split is None or split[0].base in UNIT_BASES:
        return None
    step = step_part(split[1], page.symbols.letter)
    if step is None and any(kind(p.node) == "Number" for p in split[1]):
        step = next(p for p in split[1] if kind(p.node) == "Number")
    labels = [p for p in split[1] if p is not step and not (kind(p.node) == "Name" and len(p.node.base) == 1 and p.node.base in "ijkmnpq" and step is not None)]
    return key_of(split[0], labels)


UNIT_BASES = frozenset({"1", "I", "mathbf1"})


def terminals(page: Page) -> tuple[str, ...]:
    """The quantities that nothing of the same step is computed from: what a loss looks at."""
    used = set()
    for key, d in page.definitions.items():
        for ref, lag in page.references(d):
            if lag == 0 and ref.key != key:
                used.add(ref.key)
    shared = {page.named.get(page.canon(n, d.letter, d.shift)) for d in page.definitions.values() for n in walk(d.node) if n is not d.node and kind(n) in ("Apply", "Sum", "Hadamard", "Product", "Infix")}
    piles = stacks(page)
    used -= {k for parts in piles.values() for k in parts if not any(
        ref.key == k and lag == 0 and ref.key != key for key, d in page.definitions.items() if key not in piles for ref, lag in page.references(d))}  # fmt: skip
    out = tuple(k for k in page.definitions if k not in used and k not in shared and k not in piles and connected(page, k))
    return out or tuple(k for k in page.definitions if k not in used)[:1]


def stacks(page: Page) -> dict[str, tuple[str, ...]]:
    """``s_t = [h_t; c_t]``: quantities of one step under one name."""
    out = {}
    for key, d in page.definitions.items():
        node = unwrapped(d.node)
        if kind(node) not in ("Stack", "Tuple") or len(node.args) < 2:
            continue
        refs = [page.symbols.ref(unwrapped(a)) for a in node.args]
        found = page.references(d)
        if all(r is not None and not r.entries and r.key in page.definitions for r in refs) and all(lag == 0 for _, lag in found):
            out[key] = tuple(r.key for r in refs if r is not None)
    return out


def connected(page: Page, key: str) -> bool:
    """Whether a state of the network is behind a quantity."""
    seen: set[str] = set()
    todo = [key]
    while todo:
        k = todo.pop()
        if k in page.lagged:
            return True
        if k in seen or k not in page.definitions:
            continue
        seen.add(k)
        todo += [r.key for r, _ in page.references(page.definitions[k])]
    return not page.lagged


def guesses(page: Page, statements: list[Statement]) -> None:
    """``z_f`` or ``a_f`` that nothing defines is read as the preactivation of f."""
    symbols = page.symbols
    active = {}
    for key, d in page.definitions.items():
        node = unwrapped(d.node)
        if kind(node) == "Apply" and len(node.args) == 1 and kind(node.function) == "Name":
            name = page.functions.get(node.function.base, BUILTIN.get(node.function.base, node.function.base))
            inner = symbols.ref(unwrapped(node.args[0]))
            named = inner.key if inner is not None else inner_of(page, key, d)
            if isinstance(name, str) and named is None:
                active[key] = f"pre:{key}"
            elif named is not None:
                page.__dict__.setdefault("_pre", {})[key] = named
    by_letter: dict[str, str] = {}
    for key in active:
        base = key.split("~")[0].split("_")[0]
        by_letter.setdefault(key, key)
        if key != base:
            by_letter.setdefault(base, key)
            by_letter.setdefault(base.lower(), key)
    for key, hidden in active.items():
        symbols.ranks.setdefault(hidden, 1)
        symbols.timed.add(hidden)
        page.notes[hidden] = f"the preactivation of {page.notes.get(key, key)}"
        page.notes.setdefault(key, plain(key))
    taken = set(symbols.ranks)
    for s in statements:
        for node in walk(s.node):
            if kind(node) not in ("Derivative", "Name", "Power"):
                continue
            inner = unwrapped(node.wrt) if kind(node) == "Derivative" else node
            split = head_and_parts(inner)
            if split is None or (split[0].base not in ("z", "a", "s", "u", "net", "v", "p", "q") and "bar" not in split[0].accents):
                continue
            ref = symbols.ref(inner)
            if ref is not None and not (ref.entries and all((spelled(e) or "?") in by_letter and (spelled(e) not in ("j", "k", "p", "q")) for e in ref.entries)):
                continue
            labels = [p for p in split[1] if step_part((p,), page.symbols.letter) is None and p.where != "bracket"]
            own = key_of(split[0], [])
            if not labels and own is not None and own not in taken and own in ("a", "z", "s", "u", "net", "o") and (len(active) == 1 or len([k for k in active if k in page.lagged]) == 1):
                owner = next(iter(k for k in active if len(active) == 1 or k in page.lagged))
                symbols.aliases[own] = f"pre:{owner}"
                page.notes[f"pre:{owner}"] = plain(own)
                page.__dict__.setdefault("_guessed", {})[f"pre:{owner}"] = f"{plain(own)} is read as the preactivation of {page.notes.get(owner, owner)}"
                symbols.clear()
                continue
            if len(labels) == 1 and not split[0].accents:
                word = spelled(labels[0].node)
                owner = by_letter.get(word or "")
                name = key_of(split[0], labels)
                if owner is not None and name is not None and name not in taken:
                    symbols.aliases[name] = f"pre:{owner}"
                    page.notes[f"pre:{owner}"] = f"{plain(name)}"
                    page.__dict__.setdefault("_guessed", {})[f"pre:{owner}"] = f"{plain(name)} is read as the preactivation of {page.notes.get(owner, owner)}"
                    symbols.clear()


def blocks(page: Page, shapes: Shapes) -> dict[str, tuple[int, tuple[int, ...], tuple[str, ...]]]:
    """The weights that multiply a concatenation: the axis, the sizes of the parts, their names."""
    from symgrad.check.typing import _number

    names: dict[int, tuple[str, ...]] = {}
    for d in page.definitions.values():
        for n in walk(d.node):
            if kind(n) == "Stack" and len(n.args) > 1:
                found = []
                for a in n.args:
                    inner = [r.key for x in walk(a) if (r := page.symbols.ref(x)) is not None]
                    found.append(page.notes.get(inner[-1], plain(inner[-1])) if inner else "?")
                names.setdefault(len(found), tuple(found))
    out = {}
    for key, shape in shapes.of.items():
        if key in page.symbols.timed or len(shape) != 2:
            continue
        for axis, size in enumerate(shape):
            parts = size.find().parts
            if parts and len(parts) in names:
                out[key] = (axis, tuple(_number(p) for p in parts), names[len(parts)])
    return out


def inner_of(page: Page, key: str, d: Definition) -> str | None:
    """The quantity that an activation is applied to, where it has a name: ``h = tanh(a)``, also where a's formula is written out."""
    node = unwrapped(d.node)
    if kind(node) != "Apply" or len(node.args) != 1 or kind(node.function) != "Name" or page.symbols.ref(node) is not None or d.entries:
        return None
    arg = unwrapped(node.args[0])
    shared = page.named.get(page.canon(arg, d.letter, d.shift)) if kind(arg) != "Name" else None
    if shared is not None and shared != key and not page.definitions[shared].entries:
        return shared
    return None


def model(page: Page, flat: bool) -> Model:
    """The world's equations: preactivations split off, sizes settled."""
    shapes = page.__dict__.get("_shapes")
    if shapes is None:
        shapes = Shapes(page)
        for key in page.symbols.ranks:
            if not key.startswith("pre:"):
                shapes.quantity(key)
        shapes.infer()
        page.__dict__["_shapes"] = shapes
        for name, target in page.__dict__.get("_targets_of", {}).items():
            if name in shapes.of:
                shapes.of[target] = shapes.of[name]
    dims = dict(shapes.numbers(flat))
    if not flat:
        page.__dict__["_blocks"] = blocks(page, shapes)
    equations: dict[str, Equation] = {}
    hidden: set[str] = set()
    for key, d in page.definitions.items():
        node = unwrapped(d.node)
        own = key
        inner = inner_of(page, key, d)
        if inner is not None:
            equations[own] = page.activation(own, inner, node.function, d)
        elif kind(node) == "Apply" and len(node.args) == 1 and kind(node.function) == "Name" and page.symbols.ref(node) is None and f"pre:{key}" in page.symbols.ranks:
            pre = f"pre:{key}"
            hidden.add(pre)
            dims[pre] = dims[key]
            equations[pre] = page.equation(pre, node.args[0], Definition(pre, node.args[0], d.letter, d.shift, d.entries))
            equations[own] = page.activation(own, pre, node.function, d)
        else:
            equations[own] = page.equation(own, d.node, d)
    outputs = terminals(page)
    rules = {}
    for key in outputs:
        target = page.__dict__.get("_targets_of", {}).get(key)
        if target is not None:
            node = unwrapped(page.definitions[key].node)
            function = page.functions.get(node.function.base, BUILTIN.get(node.function.base)) if kind(node) == "Apply" else None
            said = page.__dict__.get("_rules_of", {}).get(key)
            rules[key] = f"{said}:{target}" if said and function != "softmax" else {"softmax": "entropy:", "sigmoid": "binary:"}.get(str(function), "square:") + target
            if function == "softmax":
                rules[target] = "target"
    votes = shapes.votes
    lowest = min([0, *(lag + 1 for d in page.definitions.values() for _, lag in page.references(d))])
    return Model(equations, dims, frozenset(page.symbols.timed), frozenset(hidden), outputs, rules, -1 if votes[1] > votes[0] else 1, lowest, stacks(page))


__all__ = ["ACTIVATIONS", "Abbreviation", "Collected", "Name", "Statement", "collect", "make_page"]
