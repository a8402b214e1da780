r"""Adjoint symbols: ``\delta_z``, ``dh_{prev}``, ``\delta W_f`` and what they are the adjoint of."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.check.defined.page import plain
from symgrad.check.evaluation.functions import slope_somewhere, uses
from symgrad.check.evaluation.gradients import adjoint, all_losses, beside, weighed_symbol
from symgrad.check.evaluation.parts import through
from symgrad.check.evaluation.recognise import recognised
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.statements import GRADS, LOSSES, MARKS
from symgrad.check.reading.symbols import component_below, head_and_parts, key_of, letters, number_at, spelled, upright
from symgrad.check.reading.trees import is_slice, kind, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Value, scalar
from symgrad.check.worlds.world import TOTAL, Missing, OutOfTime, Unsupported
from symgrad.notation.syntax import Name, Product, Transpose

if TYPE_CHECKING:
    from symgrad.check.defined.page import Page
    from symgrad.check.evaluation.evaluate import Run


BEFORE = frozenset({"raw", "pre", "preact", "preactivation", "net", "lin", "linear", "logit", "logits", "bar"})  # words for what an activation is applied to
WHOLE = frozenset({"total", "tot", "all", "full"})
OWN = frozenset({"highway", "carousel", "cec", "skip", "shortcut", "identity"})  # for the part that comes through the quantity's own next value alone
INCOMING = frozenset({"next", "future", "in", "up"})
CARRIED = frozenset({"recurrent", "rec", "recur", "carry", "prev", "back", "time", "bptt", "temporal", "next", "future", "recursive"})


def fused(run: Run, args: tuple[Any, ...]) -> tuple[Any, ...]:
    r"""``\delta z_t`` and ``d z_t`` as one symbol: a mark and the quantity behind it."""
    if not any(is_mark(run.page, a) for a in args):
        return args
    out: list[Any] = []
    k = 0
    while k < len(args):
        a = args[k]
        if k + 1 < len(args) and is_mark(run.page, a) and is_slice(args[k + 1]):  # ``d z_t[:n]``
            whole = run.page.memos["fused"].setdefault((id(a), id(args[k + 1])), Product((a, args[k + 1].base)))
            out.append(replace(args[k + 1], base=_Adjoint(whole)))
            k += 2
            continue
        if k + 1 < len(args) and is_mark(run.page, a) and head_and_parts(args[k + 1]) is not None:
            pair = Product((a, args[k + 1]))
            out.append(_Adjoint(run.page.memos["fused"].setdefault((id(a), id(args[k + 1])), pair)))
            k += 2
            continue
        if k + 1 < len(args) and is_mark(run.page, a) and (inner := upright(args[k + 1])) is not None:  # ``\delta z_t^\top``
            symbol: Any = _Adjoint(run.page.memos["fused"].setdefault((id(a), id(args[k + 1])), Product((a, inner))))
            out.append(Transpose(symbol))
            k += 2
            continue
        out.append(a)
        k += 1
    return tuple(out)


class _Adjoint:
    """A mark and a quantity, fused."""

    __slots__ = ("pair",)

    def __init__(self, pair: Any) -> None:
        self.pair = pair


def is_mark(page: Page, node: Any) -> bool:
    """Whether a letter before a quantity makes its adjoint, and is not itself the symbol for a gradient."""
    bare = kind(node) == "Name" and node.base in MARKS and not node.subs and not node.accents and not node.primes
    short = page.abbreviations.get(node.base) if bare else None
    return bare and node.base not in page.symbols.ranks and node.base not in page.alone and (short is None or bool(short.slots))


def marked(run: Run, node: Any) -> Value:
    found = adjoint_symbol(run, node.pair)
    if found is None:
        raise Missing(" ".join(spelled(a) or "…" for a in node.pair.args), node.pair)
    return found


def differential(run: Run, node: Any) -> Value:
    r"""``\nabla W``, ``\partial W``: the gradient of the loss by W; ``\partial g``, of an activation: its slope."""
    found = adjoint_symbol(run, node)
    if found is None and node.sign == "partial" and kind(node.arg) == "Name" and uses(run, node.arg.base):
        function = meaning(run.page.functions, node.arg)
        if isinstance(function, str):
            return slope_somewhere(run, node, function)
    if found is None:
        raise Unsupported("a ∂ or ∇ of this, that is no part of a derivative, has no value here", node)
    return found


def kronecker(run: Run, node: Any) -> Value | None:
    r"""``\delta_{ij}``."""
    if kind(node) != "Name" or node.base != "delta" or node.accents:
        return None
    parts = node.subs[0].args if len(node.subs) == 1 and kind(node.subs[0]) in ("Product", "Tuple") else node.subs
    if len(parts) != 2 or spelled(parts[0]) in told_by_gates(run.page):
        return None
    i, j = (number_at(p, run.env) for p in parts)
    if i is None or j is None or any(set(letters(p)) & {run.page.symbols.letter, "T"} for p in parts):
        return None
    return scalar(int(i == j))


def told_by_gates(page: Page) -> set[str]:
    r"""The gates whose gradients have their letter before the step, ``\delta_{f,j}``, ``\delta_{i,j}``: where there are several, that is no Kronecker's δ."""
    memo = page.memos["told by gates"]
    if not memo:
        pairs = [n.subs for s in page.statements for n in s.nodes if kind(n) == "Name" and n.base == "delta" and len(n.subs) == 2]
        words = {spelled(first) for first, _ in pairs}
        memo["all"] = {w for w in words if w in page.definitions and w in page.symbols.timed}
    return memo["all"] if len(memo["all"]) > 2 else set()


def symbol_target(page: Page, node: Any, env: dict[str, Any]) -> tuple[str, Any, tuple[Any, ...], set[str], str, Any] | None:
    """What an adjoint symbol is the adjoint of: key, its step, entries, extra words, the symbol's own name, the loss's step."""
    if kind(node) == "Differential" and node.sign != "prime":
        found = _target(page, node.arg)
        return None if found is None else (*found, f"{node.sign} {found[0]}", None)
    if kind(node) == "Product" and len(node.args) == 2 and kind(node.args[0]) == "Name":
        mark, inner = node.args
        found = _target(page, inner)
        return None if found is None else (*found, f"{mark.base} {found[0]}", None)
    split = head_and_parts(node)
    if split is None:
        return None
    head, parts = split
    if (named := _named(node)) is not None and (found := _target(page, named)) is not None:
        return (*found, f"d {found[0]}", None)
    if head.base in MARKS or (head.base == "g" and parts and head.base not in page.functions):
        return _subscripted(page, head, parts)
    if head.base[:1] == "d" and len(head.base) > 1 and head.base.lower() not in ("diag", "det", "dim", "delta", "dot"):
        stripped = without_mark(node)
        found = _target(page, stripped)
        if found is not None:
            return (*found, f"d {found[0]}", None)
    return None


def _named(node: Any) -> Any:
    """The name in ``grad_h_prev`` and ``dL_dh_prev``; None in any other."""
    if kind(node) != "Name" or not node.subs or (word := spelled(node.subs[0])) is None:
        return None
    if node.base in GRADS:
        first = node.subs[0] if kind(node.subs[0]) == "Name" else Name(word)
        return Name(first.base, first.accents, (*first.subs, *node.subs[1:]))
    if node.base[:1] == "d" and node.base[1:] in LOSSES and word[:1] == "d" and len(word) > 1:
        return Name(word[1:], (), node.subs[1:])
    return None


def without_mark(node: Any) -> Any:
    """``dh_t`` without its d."""
    if kind(node) == "Name":
        base = node.base[1:].lstrip("_")
        if "_" in base:
            base, rest = base.split("_", 1)
            return Name(base, node.accents, (*(Name(r) for r in rest.split("_")), *node.subs), node.primes)
        return Name(base, node.accents, node.subs, node.primes)
    if kind(node) in ("Power", "Index"):
        return replace(node, base=without_mark(node.base))
    return node


def _target(page: Page, node: Any) -> tuple[str, Any, tuple[Any, ...], set[str]] | None:
    """The quantity in ``dh_next``: its key, step, entries, the words on it; ``dh'_t`` beside ``dh_t`` is the part that comes through the next step."""
    if (bare := unprimed(page, node)) is not None and (carried := page.symbols.ref(bare)) is not None:
        return carried.key, carried.step, carried.entries, {"next"}
    ref = page.symbols.ref(node)
    words: set[str] = set()
    split = head_and_parts(node)
    if split is not None:
        at = any(page.symbols.letter in letters(p.node) for p in split[1])
        known = CARRIED | INCOMING | (WHOLE if at else set[str]())
        whole = key_of(split[0], [p for p in split[1] if page.symbols.letter not in letters(p.node)])
        own = whole in page.symbols.aliases or whole in page.symbols.ranks  # the h of ``a^h``, the preactivation of h, is a part of the name
        words = {w for p in split[1] if (w := spelled(p.node)) is not None and (w in known or (not own and _way(page, p, w)))}
    if ref is not None and not (ref.entries and any(spelled(e) in words for e in ref.entries)):
        return ref.key, ref.step, ref.entries, words
    if ref is None and split is not None and (rest := [p for p in split[1] if spelled(p.node) not in BEFORE]) != list(split[1]):
        bare = next((n for n in (key_of(split[0], rest[:k]) for k in range(len(rest), -1, -1)) if n in page.symbols.ranks), None)
        hidden = page.preactivation(str(bare))
        if bare is not None and hidden in page.symbols.ranks:
            return hidden, next((p.node for p in rest if key_of(split[0], [p]) != bare), None), (), words
    if split is not None and (key := _plural(page, split[0])) is not None and len(rest := [p for p in split[1] if spelled(p.node) not in words]) < 2:
        return key, next((p.node for p in rest), Name(page.symbols.letter)), (), words
    if split is not None and words:
        rest = [p for p in split[1] if spelled(p.node) not in words]
        key = key_of(split[0], rest)
        for take in range(len(rest), -1, -1):
            key = key_of(split[0], rest[:take])
            if key in page.symbols.ranks:
                step = next((p.node for p in rest[take:]), None)
                return str(key), step, (), {"total"} if words & WHOLE else words
    return None


def unprimed(page: Page, node: Any) -> Any:
    """A state without the prime that it has, where that is no quantity of its own; None for anything else."""
    name = node if kind(node) == "Name" else None
    bare = replace(name, primes=0) if name is not None and name.primes == 1 and page.symbols.ref(name) is None else None
    ref = page.symbols.ref(bare) if bare is not None else None
    return bare if ref is not None and ref.key in page.lagged else None


def _plural(page: Page, head: Any) -> str | None:
    """``dh`` where the document has ``hs[t]``, ``h_s[t]`` or ``H_t``: the list of the states, or a batch of them, of which this is the adjoint of one."""
    if head.accents or head.primes or head.base in page.symbols.ranks:
        return None
    return next((key for key in (f"{head.base}s", f"{head.base}_s", head.base.swapcase()) if key in page.symbols.timed), None)


def _way(page: Page, p: Any, word: str) -> bool:
    """Whether an index names the quantity that a part of a gradient comes through: ``\\delta c_t^{(h)}``."""
    return p.where in ("sup", "paren") and word in page.definitions and word in page.symbols.timed


def _subscripted(page: Page, head: Any, parts: tuple[Any, ...]) -> tuple[str, Any, tuple[Any, ...], set[str], str, Any] | None:
    r"""``\delta_{h_t}``, ``\delta_t^{h}``, ``\delta_{z,t}``, ``\delta_t``."""
    steps: list[Any] = []
    words: set[str] = set()
    entries: list[Any] = []
    parts, target = _paired(page, tuple(r for p in parts for q in _apart(page, p) for r in _worded(q)))
    before = [p for p in parts if spelled(p.node) in BEFORE]
    for p in parts if not before else [q for q in parts if q not in before]:
        ref = page.symbols.ref(p.node)
        word = spelled(p.node)
        if word in WHOLE:
            words.add("total")  # told apart from the part that comes through the next step
        elif word in CARRIED | OWN:
            words.add(str(word))
        elif ref is not None and target is None:
            target = (ref.key, ref.step, ref.entries)
        elif target is None and word is not None and (key := _by_letter(page, word)) is not None:
            target = (key, None, ())
        elif target is not None and component_below(p, parts, page.symbols.letter):
            entries.append(p.node)
        elif all(w in _indices(page) for w in letters(p.node)) and (p.where != "bracket" or page.symbols.letter in letters(p.node)):
            steps.append(p.node)
        elif p.where == "bracket" or (word is not None and len(word) == 1):
            entries.append(p.node)
        elif kind(p.node) == "Number":
            steps.append(p.node)
        else:
            return None
    if target is None and before and len(found := [k for k in sorted(page.lagged) if f"pre:{k}" in page.symbols.ranks]) == 1:
        target = (found[0], None, ())  # ``\delta_t^{raw}`` in a cell with one activation
    if target is None:
        return None
    key, step, inside = target
    if step is not None and key in page.lagged and any(kind(p.node) == "Number" and p.where == "paren" for p in parts):
        return None  # ``g_{h_{t-1}}^{(2)}``: the second of the parts that it is summed from
    if before:
        key = page.preactivation(key)
        if key not in page.symbols.ranks:
            return None
    if step is None and steps:
        step = steps[-1]
    name = f"{head.base}{''.join('~' + a for a in head.accents)} {key}"
    return key, step, inside or tuple(entries), words, name, steps[0] if len(steps) > 1 else None


def _apart(page: Page, p: Any) -> tuple[Any, ...]:
    r"""The quantity and the step of ``\delta_{ht}``, written together; the weight and the step of ``\delta_{W_{z,t}}``."""
    head, labels = head_and_parts(p.node) or (None, ())
    if head is not None and len(labels) > 1 and labels[-1].node == Name(page.symbols.letter):
        key = key_of(head, list(labels[:-1]))
        if key in page.symbols.ranks and key not in page.symbols.timed:
            return (replace(p, node=replace(head, subs=tuple(q.node for q in labels[:-1]))), replace(p, node=labels[-1].node))
    pair = p.node.args if p.where == "sub" and kind(p.node) == "Product" and len(p.node.args) == 2 else ()
    words = [spelled(a) for a in pair if kind(a) == "Name" and not a.subs]
    if len(words) < 2 or words[1] != page.symbols.letter or _by_letter(page, str(words[0])) not in page.symbols.timed:
        return (p,)
    return tuple(replace(p, node=a) for a in pair)


def _worded(p: Any) -> tuple[Any, ...]:
    r"""The quantity and the word in ``\delta_{c_{t-1, \mathrm{highway}}}``."""
    subs = [a for sub in p.node.subs for a in (sub.args if kind(sub) == "Tuple" else (sub,))] if kind(p.node) == "Name" else []
    words = [a for a in subs if spelled(a) in OWN]
    return (replace(p, node=replace(p.node, subs=tuple(a for a in subs if a not in words))), replace(p, node=words[0])) if len(words) == 1 else (p,)


def _paired(page: Page, parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[str, Any, tuple[Any, ...]] | None]:
    r"""``\delta^h_{a,t}`` where the document has ``a^h``: the two labels name one quantity."""
    words = [(p, w) for p in parts if p.where != "bracket" and (w := spelled(p.node)) is not None]
    for (p, a), (q, b) in itertools.permutations(words, 2):
        key = page.symbols.loosely(f"{a}_{b}")
        if key in page.symbols.timed and page.symbols.letter not in (a, b):
            return tuple(x for x in parts if x is not p and x is not q), (key, None, ())
    return parts, None


def _indices(page: Page) -> frozenset[str]:
    return frozenset({page.symbols.letter, "t", "k", "T", "s", "tau", "n", "i", "j", "l"})


def _by_letter(page: Page, word: str) -> str | None:
    """The quantity that a label names: ``z``, ``h``, ``h~tilde``."""
    key = page.symbols.aliases.get(word, word)
    key = key if key in page.symbols.ranks else page.symbols.loosely(word)
    return key if key in page.symbols.ranks else None


def adjoint_symbol(run: Run, node: Any) -> Value | None:
    r"""``\delta_{z_t}``, ``dh_{prev}``, ``\delta W_f``: the adjoint of the quantity that the symbol names."""
    if isinstance(node, _Adjoint):
        node = node.pair
    one = kronecker(run, node)
    if one is not None or run.defining:  # the equations of a cell speak of no gradients: ``g(a)`` is a function there
        return one
    memo = run.page.memos["symbol_target"]
    if id(node) not in memo:
        memo[id(node)] = (node, symbol_target(run.page, node, run.env))
    target = memo[id(node)][1]
    if target is None:
        found = incoming(run, node)
        return found if found is not None else recognised(run, node)
    key, step_node, entries, words, name, loss_at = target
    if key in run.page.targets.values():  # nothing depends on what is wanted
        return recognised(run, node)
    model = run.world.model
    timed = key in run.page.symbols.timed
    step: int | None = None
    if step_node is not None:
        at = number_at(step_node, run.env)
        if at is None:
            raise Missing(next((w for w in letters(step_node) if w not in run.env), name), step_node)
        step = int(at)
    else:
        step = run.env.get(run.page.symbols.letter, run.env.get("now"))
        if step is None and timed:
            raise OutOfTime(key)
    losses, whole = all_losses(run), weighed_symbol
    if loss_at is not None:
        at = number_at(loss_at, run.env)
        if at is None or not 1 <= at <= run.world.steps:
            raise OutOfTime(key)
        losses = (int(at),)
    elif (now := beside(run)) is not None:
        losses, whole = (now,), alone
    plainly = run.page.notes.get(key, key)
    if not timed:
        options = [Option(1, ("use", key), f"the symbol for the gradient of {plainly} is read as the contribution of step t"), Option(0, (TOTAL, key))]
        if step is None:
            options = options[1:]
        else:
            options.sort(key=lambda o: o.cost)
    elif (behind := next((w for w in words if w in run.page.definitions), None)) is not None:
        assert step is not None
        return whole(run, through(run, behind, key, step, losses))
    elif words & OWN and step is not None:
        return whole(run, through(run, key, key, step, losses, 1))
    else:
        options = [Option(0, (TOTAL, key))]
        hidden = run.page.preactivation(key)
        told = before_it(node) and name.partition(" ")[0] in run.page.told_marks and symbol_id(name, words, step_node) not in run.page.meanings
        behind = told or (name.partition(" ")[0] in run.page.activated_too and key in run.page.definitions and key not in run.page.lagged)
        if hidden in model.dims and hidden not in run.page.adjoined and not behind:
            together = packed(run.page, key)  # their gradients are put together again before the activations
            options.append(Option(1 - together, (TOTAL, hidden), f"the adjoint of {plainly} is read as that of its preactivation", tag="pre"))
        candidate = next((k for k in run.page.definitions if k.startswith(f"{key}~") and run.page.preactivation(k) in model.dims), None)
        below = run.page.preactivation(candidate) if candidate is not None else ""
        if candidate is not None and key in run.page.lagged and below not in run.page.adjoined and not told:
            inner = run.page.notes.get(candidate, plain(candidate))
            options.append(Option(4, (TOTAL, below), f"the adjoint of {plainly} is read as that of the preactivation of {inner}", tag="pre"))
        if key in run.page.lagged and "total" not in words:
            carried = Option(
                0 if words & CARRIED else 3, ("carry", key), f"the adjoint of {plainly} is read as the part that comes through the next step", tag="carry"
            )
            options.append(carried)
            if words & INCOMING and stepped(run.page, node) and told_apart(run.page, key):
                options = [carried]
            elif words & CARRIED:
                options = [replace(o, cost=o.cost + 1) if o is not carried else o for o in options]
            if words & CARRIED and not stepped(run.page, node):
                handed = Option(2, ("handed", key), f"the symbol for the gradient of {plainly} is what step t hands to the step before")
                ahead = Option(2, ("ahead", key), f"the symbol for the gradient of {plainly} is that of the next step")
                options += [handed] if run.side == "left" else [ahead] if "next" in words else []
    options.sort(key=lambda o: o.cost)
    fixed = run.page.meanings.get(symbol_id(name, words, step_node))
    if fixed is not None:
        kept = [o for o in options if str(o.value) == fixed]
        if kept:  # before or after the activation is settled for good; total or carried may change with the section
            _, meant = kept[0].value
            options = [replace(o, cost=0 if o is kept[0] else o.cost + 2) for o in options if o.value[1] == meant]
    chosen = run.chooser.choose(("adjoint", symbol_id(name, words, step_node)), tuple(options))
    how, which = chosen
    if how == "handed":
        return whole(run, adjoint(run, which, (step or 0) - 1, losses, "carry", entries))
    if how == "ahead":
        return whole(run, adjoint(run, which, (step or 0) + 1, losses, TOTAL, entries))
    if which.startswith("pre:") and timed and step is not None and step < 1:
        raise OutOfTime(key)
    return whole(run, adjoint(run, which, step, losses, how, entries))


def before_it(node: Any) -> bool:
    r"""Whether the mark of a symbol stands before its quantity, ``\delta z_t``, not above it, ``\delta_z``."""
    split = head_and_parts(node) if kind(node) != "Product" else None
    return split is None or split[0].base not in MARKS


def packed(page: Page, key: str) -> bool:
    """Whether a gate is an activation of one part of what is computed for several together."""
    node: Any = unwrapped(page.definitions[key].node) if key in page.definitions else None
    arg: Any = unwrapped(node.args[0]) if kind(node) == "Apply" else None
    ref = page.symbols.ref(arg) if arg is not None else None
    inner = unwrapped(page.definitions[ref.key].node) if ref is not None and ref.key in page.definitions else arg
    return any(kind(n) == "Index" and n.kind == "part" for n in (walk(inner) if inner is not None else ()))


def alone(run: Run, v: Value) -> Value:
    """The gradient of the loss of one step, which is no part of a mean."""
    run.vanished += not v.a.any()  # nothing leads from there to that loss
    return v


def stepped(page: Page, node: Any) -> bool:
    """Whether a symbol has its step beside its word: ``\\delta c_{t,\\mathrm{next}}``, which is not the symbol of the next step then."""
    parts = [p for n in walk(node) if kind(n) == "Name" for sub in n.subs for p in (sub.args if kind(sub) == "Tuple" else (sub,))]
    return any(page.symbols.letter in letters(p) for p in parts)


def told_apart(page: Page, key: str) -> bool:
    """Whether the document has a symbol for the whole adjoint of a quantity too, so that one with "next" means a part of it."""
    memo = page.memos["told_apart"]
    if key not in memo:
        marks = (n for s in page.statements for n in s.nodes if _marked(n))
        memo[key] = any((t := symbol_target(page, n, {})) is not None and t[0] == key and t[3] <= {"total"} for n in marks)
    return bool(memo[key])


def _marked(node: Any) -> bool:
    first = node.args[0] if kind(node) == "Product" and len(node.args) == 2 else node
    if kind(first) != "Name":
        return False
    return (first.base in MARKS and (first is not node or bool(first.subs))) or (first.base[:1] == "d" and len(first.base) > 1 and bool(first.subs))


def incoming(run: Run, node: Any) -> Value | None:
    r"""``\Delta^t``: the gradient that reaches the output of the step from the layer above."""
    split = head_and_parts(node)
    if split is None or split[0].base not in {"Delta", "epsilon", "varepsilon"} - run.page.signals or len(split[1]) != 1 or len(run.world.model.outputs) != 1:
        return None
    at = number_at(split[1][0].node, run.env)
    if at is None or run.page.abbreviations.get(str(spelled(split[0]))) is not None:
        return None
    output = run.world.model.outputs[0]
    if not 1 <= at <= run.world.steps:
        raise OutOfTime(output)
    run.chooser.choose(
        ("incoming", split[0].base),
        (Option(1, None, f"{split[0].base} is read as the gradient of the loss of step t by {run.page.notes.get(output, output)}"),),
    )
    return Value(run.world.loss_slope(output, int(at)).reshape(F.WORLDS, *run.world.model.dims[output]))


def symbol_id(name: str, words: set[str], step: Any) -> str:
    """Symbols that must mean the same throughout a document."""
    now, earlier = symbol_ids(name, words)
    return earlier if step is not None and kind(unwrapped(step)) == "Sum" and _back(step) else now


def symbol_ids(name: str, words: set[str]) -> tuple[str, str]:
    """A symbol at this step and at an earlier one."""
    this = " ".join((name, *sorted(words)))
    return this, f"{this} earlier"


def _back(step: Any) -> bool:
    return any(kind(a) == "Negative" for a in unwrapped(step).args)
