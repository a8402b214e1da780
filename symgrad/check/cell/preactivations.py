r"""Preactivations: what a document calls them, and which quantities are ones though the formulas differ.

``z_f``, ``a_f``, ``pre_f``, ``f_raw`` and ``\bar f`` that nothing defines are what the activation of f is applied to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from symgrad.check.cell.model import inner_of
from symgrad.check.defined.incomplete import invented
from symgrad.check.defined.page import Definition, Page, plain
from symgrad.check.evaluation.adjoints import BEFORE, without_mark
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.statements import DEFINING, Statement, bound_letters, loss_head, relation_of, step_part
from symgrad.check.reading.symbols import PLAIN_ACCENTS, Part, head_and_parts, key_of, letters, number_at, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk

RAW = BEFORE - {"bar", "logit", "logits"}  # words that name a preactivation
PREACTIVATIONS = frozenset({"z", "Z", "a", "s", "u", "v", "p", "q"}) | BEFORE


def preactivations_meant(page: Page) -> None:
    """``z_t = W h_{t-1} + U x_t`` beside ``h_t = tanh(W h_{t-1} + U x_t + b)``: z is what tanh is applied to, though a bias differs, or a weight's case."""
    for key, d in page.definitions.items():
        node = unwrapped(d.node)
        if kind(node) != "Apply" or len(node.args) != 1 or kind(node.function) != "Name" or d.entries or page.symbols.ref(unwrapped(node.args[0])) is not None:
            continue
        arg = unwrapped(node.args[0])
        if kind(arg) != "Sum" or inner_of(page, key, d) is not None:
            continue
        whole = {page.canon(a, d.letter, d.shift): a for a in arg.args}
        for other, e in page.definitions.items():
            inner = unwrapped(e.node)
            if other == key or e.entries or kind(inner) not in ("Sum", "Product"):
                continue
            mine = {page.canon(a, e.letter, e.shift): a for a in (inner.args if kind(inner) == "Sum" else (inner,))}
            shared = whole.keys() & mine.keys()
            lost, extra = [whole[k] for k in whole.keys() - shared], [mine[k] for k in mine.keys() - shared]
            cased = len(lost) == len(extra) == 1 and {k.lower() for k in whole.keys() - shared} == {k.lower() for k in mine.keys() - shared}
            kept = any(lag < 0 for k in shared for lag in lags_in(page, whole[k], d))  # the input is left out, or a bias
            close = all(bias(page, a) for a in extra) and (kept or (len(lost) <= 1 and all(bias(page, a) for a in lost)))
            if shared and len(extra) <= 1 and (cased or close):
                page.redefine(other, replace(e, node=arg, letter=d.letter, shift=d.shift))
                page.guessed[other] = f"{plain(other)} is read as the preactivation of {plain(key)}, though its formula differs"
                break


def by_preactivations(page: Page, statements: list[Statement]) -> None:
    r"""``\tilde h_t = \tanh(a_h)`` beside another formula for it: where nothing else is computed from ``a_h``, it is by ``a_h``."""
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or len(rel.sides) != 2:
            continue
        left, right = (unwrapped(side) for side in rel.sides)
        ref = page.symbols.ref(left)
        d = page.definitions.get(ref.key) if ref is not None and not ref.entries else None
        if ref is None or d is None or kind(right) != "Apply" or len(right.args) != 1 or kind(unwrapped(d.node)) != "Apply":
            continue
        inner = page.symbols.ref(unwrapped(right.args[0]))
        if inner is None or inner.key not in page.definitions or inner.key == ref.key or right.function != unwrapped(d.node).function:
            continue
        used = {r.key for key, e in page.definitions.items() if key != inner.key for r, _ in page.references(e)}
        if inner.key not in used and all(r.key != ref.key or lag < 0 for r, lag in page.references(page.definitions[inner.key])):
            letter = next(iter(letters(ref.step)), d.letter) if ref.step is not None else d.letter
            page.redefine(ref.key, replace(d, node=right, letter=letter, shift=int(number_at(ref.step, {letter: 0}) or 0) if ref.step is not None else 0))


def by_parts(page: Page) -> None:
    r"""``h_t = (1 - k) h_{t-1} + k \tanh(a_t)`` beside ``s_t = \tanh(a_t)``: h is by s, which the equation of h does not name."""
    for key, d in [*page.definitions.items()]:
        part = unwrapped(d.node)
        name = unwrapped(d.side) if d.side is not None else None
        whole = kind(part) == "Apply" and len(part.args) == 1 and kind(unwrapped(part.args[0])) == "Sum"
        if name is None or d.entries or not whole or any(r.key == key for e in page.definitions.values() for r, _ in page.references(e)):
            continue
        meant = page.canon(part, d.letter, d.shift)
        for other, e in [*page.definitions.items()]:
            if other == key or e.entries or (e.letter, e.shift) != (d.letter, d.shift) or unwrapped(e.node) == part:
                continue
            new = {id(n): name for n in walk(e.node) if kind(n) == "Apply" and page.canon(n, e.letter, e.shift) == meant}
            if new:
                page.redefine(other, replace(e, node=rebuilt(e.node, new)))


def lags_in(page: Page, node: Any, d: Definition) -> list[int]:
    """The steps back at which a term of an equation names something."""
    refs = [r for n in walk(node) if (r := page.symbols.ref(n)) is not None and r.step is not None]
    return [int(at) - d.shift for r in refs if (at := number_at(r.step, {d.letter: 0})) is not None]


def bias(page: Page, node: Any) -> bool:
    """Whether a term is a parameter that stands alone."""
    ref = page.symbols.ref(unwrapped(node))
    return ref is not None and ref.key not in page.symbols.timed and page.symbols.ranks[ref.key] == 1


def alone(page: Page, active: Iterable[str]) -> str | None:
    """The one quantity with an activation that the document gives an equation, or the one state."""
    for few in ([k for k in active if not invented(page, k)], [k for k in active if k in page.lagged]):
        if len(few) == 1:
            return few[0]
    return None


def derivatives_by_name(statements: list[Statement]) -> dict[str | None, list[tuple[Any, Any]]]:
    r"""What stands above and at which step below, of every derivative ``\partial \hat y_t / \partial z_t``, by the name below."""
    out: dict[str | None, list[tuple[Any, Any]]] = {}
    for n in (n for s in statements for n in s.nodes if kind(n) == "Derivative"):
        split = head_and_parts(unwrapped(n.wrt))
        if split is not None and len(split[1]) == 1:
            out.setdefault(key_of(split[0], []), []).append((unwrapped(n.of), split[1][0].node))
    return out


def reached(page: Page, slopes: list[tuple[Any, Any]], active: Iterable[str]) -> str | None:
    """The one quantity with an activation of which the document takes a derivative at the same step."""
    found = {of.key for above, step in slopes if (of := page.symbols.ref(above)) is not None and of.step is not None and of.step == step}
    return found.pop() if len(found) == 1 and found <= set(active) else None


def by_differences(page: Page, statements: list[Statement], active: Iterable[str]) -> dict[str | None, str]:
    r"""The softmax or sigmoid that a name is what it is applied to, as ``\partial L / \partial z_t = \hat y_t - y_t`` tells."""
    calls = {key: page.activated(key) for key in active if key not in page.lagged}
    outputs = {key for key, call in calls.items() if call is not None and meaning(page.functions, call.function) in ("softmax", "sigmoid")}
    out: dict[str | None, str] = {}
    for s in statements if outputs else ():
        sides: list[Any] = [*map(unwrapped, s.node.sides)] if kind(s.node) == "Relation" else []
        of_a_loss = sides and kind(sides[0]) == "Derivative" and loss_head(sides[0].of) is not None
        split = head_and_parts(unwrapped(sides[0].wrt)) if of_a_loss else None
        for whole in sides[1:] if split is not None else ():
            terms = [unwrapped(a.arg if kind(a) == "Negative" else a) for a in whole.args] if kind(whole) == "Sum" and len(whole.args) == 2 else []
            found = {ref.key for a in terms if (ref := page.symbols.ref(a)) is not None} & outputs
            out |= {key_of(split[0], []): key for key in found} if split is not None else {}
    return out


def written_slopes(statements: list[Statement]) -> dict[str | None, set[Any]]:
    r"""The functions whose slopes the document takes, ``\psi'(z_t)``, by the name that they are applied to."""
    out: dict[str | None, set[Any]] = {}
    for n in (n for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and n.function.primes == 1 and len(n.args) == 1):
        split = head_and_parts(unwrapped(n.args[0]))
        if split is not None:
            out.setdefault(key_of(split[0], []), set()).add(replace(n.function, primes=0, span=None))
    return out


def by_its_slope(page: Page, functions: set[Any], active: Iterable[str]) -> set[str]:
    r"""The quantities whose own functions have slopes that the document takes: y for ``\psi'(z_t)``, if ``y_t = \psi(\ldots)`` alone applies ψ."""
    by_function: dict[Any, list[str]] = {}
    for key in active if functions else ():
        node = page.activated(key)
        by_function.setdefault(node.function if node is not None else None, []).append(key)
    return {owners[0] for f in functions if len(owners := by_function.get(f, [])) == 1}


def counting(page: Page, s: Statement) -> set[str]:
    r"""The letters that count the steps of a claim, as its left side tells: the i of ``\partial h_i / \partial h_{i-1}``, though a gate be named i."""
    if kind(s.node) != "Relation" or kind(unwrapped(s.node.sides[0])) != "Derivative":
        return set()
    refs = (page.symbols.ref(n) for n in walk(s.node.sides[0]))
    return {w for r in refs if r is not None and r.step is not None for w in letters(r.step)}


def guesses(page: Page, statements: list[Statement]) -> None:
    """``z_f``, ``a_f``, ``pre_f`` or ``f_raw`` that nothing defines is read as the preactivation of f."""
    symbols = page.symbols
    active = {}
    for key, d in page.definitions.items():
        node = page.activated(key)
        if node is not None:
            name = meaning(page.functions, node.function)
            inner = symbols.ref(unwrapped(node.args[0]))
            named = inner.key if inner is not None else inner_of(page, key, d)
            if isinstance(name, str) and named is None:
                active[key] = f"pre:{key}"
            elif named is not None:
                page.preactivations[key] = named
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
    labels_used = {spelled(x) for s in statements for n in s.nodes if kind(n) == "Name" for x in n.subs}  # the u of ``W_u``, which alone is no quantity
    kinds = {key.partition("_")[0] for key in page.definitions if "_" in key}  # the z of ``z_u``
    slopes, written, differing = derivatives_by_name(statements), written_slopes(statements), by_differences(page, statements, active)
    for s in statements:
        bound, within = bound_letters(s.node) | counting(page, s), {id(x) for n in s.nodes if kind(n) == "Name" for label in n.subs for x in walk(label)}
        for node in s.nodes:
            if kind(node) not in ("Derivative", "Name", "Power") or (id(node) in within and not (head_and_parts(node) or ((), ()))[1]):
                continue
            inner = unwrapped(node.wrt) if kind(node) == "Derivative" else node
            if kind(inner) == "Name" and inner.base == "da" and len(inner.subs) == 1 and symbols.ref(inner) is None:
                inner = without_mark(inner)  # ``da_r``, in code
            split = head_and_parts(inner)
            if split is None:
                continue
            if symbols.ref(inner) is None and (gate := below_an_accent(page, split, active)) is not None:
                read_as(page, key_of(split[0], [p for p in split[1] if step_part((p,), symbols.letter) is None]), gate, taken)
                continue
            whole = key_of(split[0], [p for p in split[1] if step_part((p,), symbols.letter) is None]) or ""
            if whole[:1] in ("a", "z") and whole[1:] in active and symbols.ref(inner) is None:  # ``zo_t``, in code
                read_as(page, whole, whole[1:], taken)
                continue
            capital = whole[:1].upper() + whole[1:]
            if len(split[0].base) > 1 and capital != whole and capital in active and symbols.ref(inner) is None:  # ``\gamma_o`` beside ``\Gamma_o``
                read_as(page, whole, capital, taken)
                continue
            if split[0].base not in PREACTIVATIONS and not any(spelled(p.node) in BEFORE for p in split[1]):
                continue
            ref = symbols.ref(inner)
            entries = [spelled(e) or "?" for e in ref.entries] if ref is not None and ref.key not in page.lagged else []  # ``s_i`` of a state s is its entry
            if ref is not None and not (entries and all(w in by_letter and w not in ("j", "k", "p", "q") for w in entries)):
                continue
            labels = [p for p in split[1] if step_part((p,), page.symbols.letter) is None and p.where != "bracket" and not bound & set(letters(p.node))]
            own = key_of(split[0], [])
            bare = not [p for p in labels if kind(p.node) != "Number"] and own in ("a", "z", "s", "u", "net", "o", *RAW) and own not in taken | kinds
            bare = bare and (bool(split[1]) or own not in labels_used)
            sloped = by_its_slope(page, written.get(own, set()), active) if bare else set()
            if len(sloped) > 1:
                continue  # one letter for what several functions are applied to
            found = next(iter(sloped), None) or reached(page, slopes.get(own, []), active) or differing.get(own) if bare else None
            found = found or (alone(page, active) if bare and not labels else None)
            if found is not None:
                read_as(page, own, found, taken)
                continue
            if own in ("a", "z") and own not in taken | kinds and (layer := of_the_layer(labels, active)) is not None:
                read_as(page, key_of(split[0], labels), layer, taken)
                continue
            if len(labels) == 1 and not split[0].accents:
                inside = symbols.ref(labels[0].node)  # the r_t in z_{r_t}
                word = inside.key if inside is not None and not inside.entries else spelled(labels[0].node)
                word = own if word in BEFORE else word  # ``o_pre``
                if (found := by_letter.get(word or "")) is not None:
                    read_as(page, key_of(split[0], labels), found, taken)


def of_the_layer(labels: list[Part], active: Iterable[str]) -> str | None:
    """The one quantity with an activation in the layer that a label numbers."""
    word = str(spelled(labels[0].node)) if len(labels) == 1 else ""
    found = [key for key in active if key.endswith(f"_{word}")] if word.startswith("layer") else []
    return found[0] if len(found) == 1 else None


def read_as(page: Page, name: str | None, gate: str, taken: set[str]) -> None:
    """Take a name for the preactivation of a gate, unless the document has another quantity of that name."""
    if name is None or name in taken:
        return
    page.symbols.aliases[name] = f"pre:{gate}"
    page.notes[f"pre:{gate}"] = plain(name)
    page.guessed[f"pre:{gate}"] = f"{plain(name)} is read as the preactivation of {page.notes.get(gate, gate)}"
    page.symbols.clear()


def below_an_accent(page: Page, split: tuple[Any, tuple[Part, ...]], active: dict[str, str]) -> str | None:
    r"""The gate z in ``\bar z_t``, ``\overline{z}_t``, and in ``\hat z_t`` where that is no state and no output y: None if there is none, or no accent."""
    head, parts = split
    if len(head.accents) != 1:
        return None
    accent = PLAIN_ACCENTS.get(head.accents[0], head.accents[0])
    key = key_of(replace(head, accents=()), [p for p in parts if step_part((p,), page.symbols.letter) is None])
    if accent == "bar":
        return key if key in active else next((k for k in active if k.split("~")[0] == key), None)
    if accent not in ("hat", "tilde") or head.base == "y" or key not in active or key in page.lagged:
        return None
    return key if kind(unwrapped(page.definitions[key].node)) == "Apply" else None
