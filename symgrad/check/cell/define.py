r"""Pages: the definitions in force together, typed, with the names that they leave open filled in.

Names that nothing defines are inputs where they carry a step, else parameters; ``z_f`` and ``a_f`` are preactivations of f.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from symgrad.check.cell.cases import in_other_cases
from symgrad.check.cell.losses import losses, targets
from symgrad.check.cell.model import model
from symgrad.check.cell.preactivations import by_parts, by_preactivations, guesses, preactivations_meant
from symgrad.check.cell.scalars import numbers
from symgrad.check.defined import blocks
from symgrad.check.defined.definitions import lags, parts_of, present_names, stepped_names
from symgrad.check.defined.groups import Collected
from symgrad.check.defined.page import Abbreviation, Definition, Page, plain
from symgrad.check.defined.typing import decomposed, matrix_like
from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN, labelled_sigmas, meaning
from symgrad.check.reading.statements import LOSSES, MARKS, Statement, bound_letters, names_in, relation_of, step_part
from symgrad.check.reading.symbols import STEP_WORDS, Part, Symbols, head_and_parts, is_top, key_of, letters, spelled, upright
from symgrad.check.reading.trees import FACTORS, children, kind, rebuilt, unwrapped, walk, with_children
from symgrad.notation.syntax import Hadamard, Name


def make_page(collected: Collected, upto: int, statements: list[Statement]) -> Page:
    """The page of group number `upto`: its own definitions, then the latest earlier ones of other names."""
    here = collected.groups[upto]
    definitions = dict(here.definitions)
    if here.alone:
        return page_of(definitions, collected, statements)
    letter = collected.letter
    others = [g for g in [*collected.groups[:upto][::-1], *collected.groups[upto + 1 :]] if not g.alone]
    spare: dict[str, Definition] = {}
    foreign: set[str] = set()  # what only another cell is made of
    for g in others:
        behind = upstream(g.definitions, states(g.definitions, letter) & states(definitions, letter), letter)
        for key, d in g.definitions.items():
            if key not in spare:
                spare[key] = d
                foreign |= {key} & behind
    inputs = {n for d in definitions.values() for n in stepped_names(d, letter)}
    page = Page(Symbols(), {})
    again = True
    while again:
        again = False
        for key, d in list(spare.items()):
            if key in definitions:
                spare.pop(key)
                continue
            needed = key in inputs
            names = stepped_names(d, letter)
            present = present_names(d, letter) & set(definitions) or page.canon(d.node) in {inside(page, e) for e in definitions.values()}
            if needed or (names and key not in foreign and present and names <= inputs | set(definitions)):
                definitions[key] = d
                inputs |= names
                spare.pop(key)
                again = True
    return page_of(definitions, collected, statements)


def inside(page: Page, d: Definition) -> str:
    """What the activation of an equation is applied to."""
    node = unwrapped(d.node)
    return page.canon(node.args[0]) if kind(node) == "Apply" and len(node.args) == 1 else ""


def states(definitions: dict[str, Definition], letter: str) -> set[str]:
    """The quantities that some equation names at an earlier step."""
    return {key for d in definitions.values() for key, found in lags(d, letter).items() if key in definitions and any(n is not None and n < 0 for n in found)}


def upstream(definitions: dict[str, Definition], keys: set[str], letter: str) -> set[str]:
    """The quantities that some are computed from."""
    found, todo = set[str](), list(keys)
    while todo:
        for name in stepped_names(definitions[todo.pop()], letter) & set(definitions) - found - keys:
            found.add(name)
            todo.append(name)
    return found


def page_of(definitions: dict[str, Definition], collected: Collected, statements: list[Statement]) -> Page:
    letter = collected.letter
    symbols = Symbols(letter=letter)
    page = Page(symbols, dict(definitions), dict(collected.functions), signals=frozenset(collected.signals), open=frozenset(collected.open))
    page.arbitrary = frozenset(collected.arbitrary)
    applied = {n.function for d in definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name"}
    page.assumptions = (*page.assumptions, *labelled_sigmas(page.functions, applied))
    activation_meant(page, statements)
    sigma_meant(page, collected, statements)
    sigma_of_outputs(page, letter)
    entrywise(page, letter)
    residuals(page, letter)
    definitions = page.definitions
    losses(page, statements, letter)
    for key, d in definitions.items():
        symbols.ranks[key] = 2 if decomposed(d) else max(1, len(d.entries))
        symbols.timed.add(key)
    later: list[tuple[str, Any]] = []
    elsewhere = names_with_a_step(statements, letter)
    signs = {"e", "I", "1", letter, "T"} - oblong(statements)
    unreadable = set[str]()  # equations with a name that is none here, ``a_t^{l-1}``
    for d in definitions.values():
        skip = bound_letters(d.node) | set(STEP_WORDS) | {w for e in d.entries for w in letters(e)}
        multiplied = {id(a) for n in walk(d.node) if kind(n) in FACTORS for a in n.args}  # no bias
        between = {id(a) for n in walk(d.node) if kind(n) == "Infix" and n.sign in page.entrywise for a in n.args}
        behind = {id(b) for n in walk(d.node) if kind(n) in ("Product", "Infix") for a, b in pairwise(n.args) if matrix_like(a)}
        pairs = [(a, b) for n in walk(d.node) if kind(n) == "Product" for a, b in pairwise(n.args) if matrix_like(a)]
        matrices = {id(a) for a, b in pairs if head_and_parts(b) is not None and not matrix_like(b) and step_part(parts_of(b), letter) is not None}
        if d.side is not None and step_part(parts_of(d.side), letter) is not None:  # what has a step is computed from something that has
            calls = [n for n in walk(d.node) if kind(n) == "Apply" and len(n.args) == 1 and spelled(n.function) != "sqrt"]  # ``1 / \sqrt n`` is a number
            behind |= {id(a) for n in (*calls, *(n for n in walk(d.node) if kind(n) == "Stack")) for a in n.args}
        for node, head, parts in names_in(d.node):
            if (head.base in signs and not parts) or (spelled(head) in skip and not parts):
                continue
            known = symbols.ref(node)
            labelled = parts and step_part(parts, letter) is None and spelled(head) in collected.families  # ``a_f`` beside a is one of its parts
            if known is not None and known.key in definitions and not labelled:
                continue
            step = step_part(parts, letter) or step_part(parts, d.letter)
            before = len(symbols.ranks), len(symbols.timed)
            words = [p for p in parts if spelled(p.node) in STEP_WORDS]
            rest = [p for p in parts if p is not step and p not in words and not _index(p, skip)]
            indices = [p for p in parts if p not in rest and p is not step and p not in words]
            name = key_of(head, rest)
            if name is None:
                unreadable |= {d.key} if step is not None else set()
                continue
            matrix = matrix_like(node) and not (id(node) in between and head.base.islower())
            matrix = matrix or (head.base == "E" and id(node) in multiplied)  # the embedding of ``x_t = E w_t``, no loss
            small = not indices and not matrix
            if step is not None or words or (small and (id(node) in behind or (name in elsewhere and id(node) in multiplied))):
                symbols.ranks.setdefault(name, 2 if id(node) in matrices and name not in definitions else 1)  # ``A_t h_{t-1}``
                symbols.timed.add(name)
            else:
                later.append((name, node))
                entries = sum(len(p.node.args) if kind(p.node) == "Product" else 1 for p in indices)
                symbols.ranks.setdefault(name, max(entries, 2 if matrix else 1))
            if (len(symbols.ranks), len(symbols.timed)) != before:
                symbols.clear()
    for key in unreadable - {ref.key for d in definitions.values() for ref, _ in page.references(d) if ref.key != d.key}:
        del definitions[key]  # what nothing depends on need not be known
        symbols.timed.discard(key)
        symbols.ranks.pop(key)
    symbols.clear()
    stepped = any(d.side is None or step_part(parts_of(d.side), letter) is not None for d in definitions.values())
    symbols.stepless = symbols.timed - elsewhere if not stepped and not counted(statements) & definitions.keys() else set()
    for key, factors in ((key, decomposed(d)) for key, d in definitions.items()):
        symbols.stepless |= {key} if factors else set()
        if len(factors) == 3 and factors[1] == Name("Lambda") and upright(factors[2]) == factors[0] and (key := str(spelled(factors[0]))):
            page.kinds[key] = "orthogonal"
            page.guessed[key] = f"{plain(key)} is orthogonal, as in the decomposition of a symmetric matrix"
            page.kinds["Lambda"] = "diagonal"
    symbols.bare, symbols.counting = symbols.timed - with_any_step(statements, letter), counting(statements, letter)
    symbols.step_behind = step_behind(statements, letter)
    symbols.clear()
    primes(page)
    ranks(page)
    numbers(page, statements)
    in_other_cases(page, statements, {key: d for g in collected.groups for key, d in g.definitions.items()})
    concatenated(page, statements)
    blocks.named(page, statements, collected.defining)
    preactivations_meant(page)
    by_preactivations(page, statements)
    by_parts(page)
    targets(page, statements)
    symbols.stepless |= set(page.targets.values()) - elsewhere if page.many_to_one else set()  # the j of ``\hat y_j - y_j`` counts components
    symbols.clear()
    page.build = model
    page.initial = collected.initial
    page.guessed.update({key: note for key, note in collected.meant.items() if key in definitions})
    for key in [*definitions, *symbols.ranks]:
        page.notes.setdefault(key, plain(key))
    guesses(page, statements)
    return page


def concatenated(page: Page, statements: list[Statement]) -> None:
    r"""``\partial L / \partial W_f = \delta_f z_t^\top``, where W_f multiplies ``[h_{t-1}, x_t]`` and nothing defines z: z is that."""
    letter = page.symbols.letter
    stacks: dict[str, tuple[Any, Definition]] = {}  # of the weights that multiply them
    for d in page.definitions.values():
        for a, b in (pair for n in walk(d.node) if kind(n) in ("Product", "Infix") for pair in pairwise(map(unwrapped, n.args))):
            weight, stack = (a, b) if kind(b) == "Stack" else (b, a)
            if kind(stack) == "Stack" and (ref := page.symbols.ref(weight)) is not None:
                stacks[ref.key] = stack, d
    meant: dict[str, dict[str, tuple[Any, Any, Definition]]] = {}
    for s in statements if stacks else ():
        of = [stacks[ref.key] for n in s.nodes if (ref := page.symbols.ref(n)) is not None and ref.key in stacks] if s.derives else []
        for n in s.nodes if of else ():
            name = n.arg if kind(n) == "Transpose" else n.base if kind(n) == "Power" and is_top(n.exponent) else None
            split = head_and_parts(name) if name is not None and page.symbols.ref(name) is None else None
            step = step_part(split[1], letter) if split is not None else None
            if split is None or step is None or spelled(step.node) != letter or split[0].base in LOSSES | MARKS:
                continue
            if (key := key_of(split[0], [p for p in split[1] if p is not step])) is not None:
                meant.setdefault(key, {}).update({page.canon(stack, d.letter, d.shift): (name, stack, d) for stack, d in of})
    for key, found in meant.items():
        if len(found) == 1 and key not in page.symbols.ranks.keys() | page.symbols.aliases.keys():
            ((name, stack, d),) = found.values()
            for other in [e for e in page.definitions.values() if (e.letter, e.shift) == (d.letter, d.shift) == (letter, 0)]:
                alike = {id(n): name for n in walk(other.node) if kind(n) == "Stack" and n == stack}
                page.redefine(other.key, replace(other, node=rebuilt(other.node, alike)))
            page.redefine(key, Definition(key, stack, d.letter, d.shift))
            page.symbols.ranks[key] = 1
            page.symbols.timed.add(key)
            page.guessed[key] = f"{plain(key)} is read as {page.shown(stack)}"
            page.symbols.clear()


ENTRIES = frozenset({"otimes", "ast", "times", "bullet", "star"})  # signs that have other uses too


def entrywise(page: Page, letter: str) -> None:
    r"""``c_t = f_t \otimes c_{t-1} + …``: what multiplies its own earlier value makes no outer product, in any equation of the cell.

    Nor does a gate before an activation, ``h_t = o_t \otimes \tanh(c_t)``, and a sign beside that of matrices, ``w * h_{t-1} + U \cdot x_t``.
    """

    def key_in(node: Any) -> str | None:
        split = head_and_parts(unwrapped(node))
        return None if split is None else key_of(split[0], [p for p in split[1] if p is not step_part(split[1], letter)])

    def apart(d: Definition, n: Any) -> bool:
        gated = any(key_in(a) in gates for a in n.args) and any(kind(unwrapped(a)) == "Apply" and key_in(a) is None for a in n.args)
        return gated or any(key_in(a) == d.key for a in n.args) or (n.sign != "otimes" and beside_another(n))

    def beside_another(n: Any) -> bool:
        first, last = map(unwrapped, (n.args[0], n.args[-1]))
        weight = len(n.args) == 2 and first == Name(getattr(first, "base", "")) and first.base.islower() and key_in(last) in page.definitions
        of_matrices = {getattr(m, "sign", "") for m in products if any(a is not first and matrix_like(unwrapped(a)) for a in m.args)}
        return weight and bool(of_matrices) and n.sign not in of_matrices

    products = [n for d in page.definitions.values() for n in walk(d.node) if kind(n) in ("Product", "Infix")]
    own = (d for d in page.definitions.values() if d.place is None or d.place.fragment is not None)  # not those that the document leaves out
    calls = {d.key: unwrapped(d.node) for d in own}
    gates = {key for key, n in calls.items() if kind(n) == "Apply" and kind(n.function) == "Name" and meaning(page.functions, n.function) == "sigmoid"}
    signed = {d.key: [n for n in walk(d.node) if kind(n) == "Infix" and n.sign in ENTRIES] for d in page.definitions.values()}
    page.entrywise = frozenset(n.sign for d in page.definitions.values() for n in signed[d.key] if apart(d, n))
    crossed = {key: any(n.sign == "otimes" for n in nodes) for key, nodes in signed.items()}
    if "otimes" in page.entrywise:
        for key, d in list(page.definitions.items()):
            if crossed[key]:
                page.redefine(key, replace(d, node=beside_each_other(d.node)))


def beside_each_other(node: Any) -> Any:
    r"""The formula with ``\odot`` for ``\otimes``."""
    new = with_children(node, {id(c): inner for c in children(node) if (inner := beside_each_other(c)) is not c})
    return Hadamard(new.args, span=new.span) if kind(new) == "Infix" and new.sign == "otimes" else new


def names_with_a_step(statements: list[Statement], letter: str) -> set[str]:
    """What carries the step somewhere: ``f`` in an equation is ``f_t`` then; ``a^{t-k}`` is a power, where no equation has its step above."""
    sides = (head_and_parts(unwrapped(rel.sides[0])) for s in statements if (rel := relation_of(s.node)) is not None and not s.derives)
    above = any(p.where == "sup" and letter in letters(p.node) for split in sides if split is not None for p in split[1])
    alone = [
        (n, key)
        for s in statements
        for n, head, parts in names_in(s.node)
        if len(parts) == 1 and (step := step_part(parts, letter)) is not None and (above or step.where != "sup") and (key := key_of(head, [])) is not None
    ]
    by = [n.wrt for s in statements for n in s.nodes if kind(n) == "Derivative"]
    below, whole = {id(x) for x in map(unwrapped, by)}, {x.base for x in map(unwrapped, by) if kind(x) == "Name" and not x.subs}
    return {key for n, key in alone if id(n) not in below or key not in whole}  # ``\partial L / \partial w_t`` beside ``\partial L / \partial w``: a use of w


def with_any_step(statements: list[Statement], letter: str) -> set[str]:
    """The letters that carry the step somewhere, whatever stands beside it."""
    return {str(spelled(head)) for s in statements for _, head, parts in names_in(s.node) if any(letter in letters(p.node) for p in parts)}


def step_behind(statements: list[Statement], letter: str) -> bool | None:
    r"""Whether of two indices the second tells the step, ``h_{n,t}``, where the document has both in one order only; else None."""
    pairs = [parts for s in statements for _, _, parts in names_in(s.node) if len(parts) == 2 and len({p.where for p in parts}) == 1]
    found = {letter in letters(parts[1].node) for parts in pairs if (letter in letters(parts[0].node)) != (letter in letters(parts[1].node))}
    return found.pop() if len(found) == 1 else None


def counting(statements: list[Statement], letter: str) -> set[str]:
    r"""The letters that count steps, or may do so: ``h_{k-1}``, ``\sum_{k=1}^t``, ``h_k`` beside ``h_t``."""
    stepped = with_any_step(statements, letter)
    alone = {w for s in statements for _, head, parts in names_in(s.node) if len(parts) == 1 and spelled(head) in stepped for w in letters(parts[0].node)}
    beside = {w for s in statements for _, _, parts in names_in(s.node) for p in parts if kind(unwrapped(p.node)) == "Sum" for w in letters(p.node)}
    sums = [n for s in statements for n in s.nodes if kind(n) == "Big" and n.index is not None]
    ends = ((n.index, w) for n in sums for side in (n.lower, n.upper) if side is not None for w in letters(side))
    return beside | alone | {str(spelled(index)) for index, w in ends if w in (letter, "T")}


def oblong(statements: list[Statement]) -> set[str]:
    r"""What is declared to have other rows than columns: ``I \in \mathbb{R}^{d \times n}`` is no identity."""
    sides = [s.node.sides for s in statements if kind(s.node) == "Relation" and s.node.signs == ("in",) and kind(s.node.sides[1]) == "Power"]
    sizes = [(head, space.exponent.args) for head, space in sides if kind(space.exponent) == "Infix" and len(space.exponent.args) == 2]
    return {head.base for head, (rows, columns) in sizes if kind(head) == "Name" and not head.subs and spelled(rows) != spelled(columns)}


def counted(statements: list[Statement]) -> set[str]:
    """What has another one of its kind beside it, ``y_{l-1}``: its index counts something, if no steps."""
    found = ((head, parts, p) for s in statements for _, head, parts in names_in(s.node) for p in parts if kind(unwrapped(p.node)) == "Sum")
    return {key for head, parts, p in found if (key := key_of(head, [q for q in parts if q is not p])) is not None}


def activation_meant(page: Page, statements: list[Statement]) -> None:
    r"""``f`` in the equations and ``\sigma'`` in the derivation: f is σ."""
    applied = {
        n.function.base
        for d in page.definitions.values()
        for n in walk(d.node)
        if kind(n) == "Apply" and kind(n.function) == "Name" and len(n.args) == 1 and not n.function.primes
    }
    free = {f for f in applied if f not in BUILTIN and f not in page.functions}
    slopes = {n.function.base for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes}
    meant = {BUILTIN[f] for f in slopes if BUILTIN.get(f) in ("sigmoid", "tanh", "relu")}
    if len(free) == 1 and len(meant) == 1 and not any(f in BUILTIN and BUILTIN[f] in ACTIVATIONS for f in applied) and not slopes & free:
        (f,), (name,) = free, meant
        page.functions[f] = name
        page.assumptions = (*page.assumptions, f"{f} is read as {name}")


def residuals(page: Page, letter: str) -> None:
    r"""``r_t = \hat y_t - y_t``, ``e_t = d_t - y_t``: an output less what is wanted is no quantity of the cell but a symbol for a gradient."""
    named = {key: lags(d, letter) for key, d in page.definitions.items()}
    for key, d in list(page.definitions.items()):
        node = unwrapped(d.node)
        if kind(node) != "Sum" or len(node.args) != 2 or kind(node.args[1]) != "Negative":
            continue
        names = [split for a in (node.args[0], node.args[1].arg) if (split := head_and_parts(unwrapped(a))) is not None]
        if len(names) != 2:
            continue
        keys = [key_of(head, [p for p in parts if step_part((p,), letter) is None and p.node not in d.entries]) for head, parts in names]
        output, target = keys if keys[0] in page.definitions else keys[::-1]
        users = {other for other, found in named.items() if target in found}
        if output in page.definitions and target not in page.definitions and users == {key} and not any(key in found for found in named.values()):
            del page.definitions[key]
            split = head_and_parts(unwrapped(d.side))
            page.abbreviations[key] = Abbreviation(key, tuple(p.node for p in split[1] if step_part((p,), letter)) if split else (), d.entries, d.node)


def sigma_meant(page: Page, collected: Collected, statements: list[Statement]) -> None:
    r"""``\sigma'`` where nothing is σ of anything, but for gates of another cell, and the cell has one activation: σ is the nonlinearity, whatever it is."""
    calls = [n for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name"]
    uses = [n.function for n in calls]
    if any(n.function.base == "sigma" and not any(sp[1] for a in n.args for m in walk(a) if (sp := head_and_parts(m))) for n in calls):
        return  # σ'(x) of a number is what σ is known for
    elsewhere = {number for number, _ in collected.defining}
    plain_uses = {n.function.base for s in statements if s.number not in elsewhere for n in s.nodes if plainly(n)}
    used = {name for d in page.definitions.values() for name in stepped_names(d, collected.letter)}  # not a gate that leads nowhere: that of another cell
    own = [d for d in page.definitions.values() if d.key in used]
    plain_uses |= {n.function.base for d in own for n in walk(d.node) if plainly(n)}
    applied = {unwrapped(d.node).function.base for d in own if plainly(unwrapped(d.node))}
    cell = {BUILTIN[f] for f in applied if f in BUILTIN} & {"tanh", "relu"}
    if "sigma" in {f.base for f in uses if f.primes} - plain_uses and len(cell) == 1 and "sigma" not in page.functions:
        page.functions["sigma"] = page.sigma = next(iter(cell))
        page.assumptions = (*page.assumptions, f"σ is read as the activation of the cell, {page.sigma}")


def sigma_of_outputs(page: Page, letter: str) -> None:
    r"""``\hat y_t = \sigma(o_t)`` where σ is said to be another activation, that of the cell: a prediction is the sigmoid, and so is a gate of a later cell."""
    if page.functions.get("sigma") != "tanh":
        return
    used = {name for d in page.definitions.values() for name in stepped_names(d, letter)}
    gates = {key for d in page.definitions.values() for n in walk(d.node) if kind(n) == "Hadamard" for key in without_steps(n.args, letter)}
    for key, d in list(page.definitions.items()):
        node = unwrapped(d.node)
        shown = key not in used and key.split("~")[0] in ("y", "p")
        if (shown or key in gates) and plainly(node) and node.function == Name("sigma"):
            page.redefine(key, replace(d, node=replace(node, function=Name("sigmoid"))))
            page.assumptions = (*page.assumptions, f"σ is tanh in the cell, and the sigmoid where {plain(key)} is computed")


def without_steps(nodes: Iterable[Any], letter: str) -> set[str]:
    """The quantities that some formulas are, by their names without the step."""
    found = (head_and_parts(unwrapped(n)) for n in nodes)
    return {key for split in found if split is not None and (key := key_of(split[0], [p for p in split[1] if step_part((p,), letter) is None])) is not None}


def plainly(node: Any) -> bool:
    """Whether a function is applied, and not its slope."""
    return kind(node) == "Apply" and kind(node.function) == "Name" and not node.function.primes


def _index(p: Part, skip: frozenset[str]) -> bool:
    found = set(letters(p.node))
    return bool(found) and found <= skip


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
                within = [b for a in map(unwrapped, n.args) if kind(a) in ("Hadamard", "Sum") for b in a.args]  # ``(W \odot M) h``, ``(W - W^\top) h``
                for a in (*n.args, *within):
                    inner = unwrapped(a.arg if kind(a) == "Negative" else a)
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
