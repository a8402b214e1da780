r"""Gates that a document names and does not define: each is taken for an activation of a linear map of the input and the state before.

So ``h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t`` is a cell whose Jacobian holds ``∂z_t/∂h_{t-1}``, as people write it who leave
the gates out.  What is proved so holds for every such gate; a formula that seems to differ may still be right of the gates that are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from symgrad.check.defined.page import Page, plain
from symgrad.check.defined.typing import matrix_like
from symgrad.check.reading.activations import BUILTIN
from symgrad.check.reading.statements import LETTERS, Statement, loss_head, names_in, step_part
from symgrad.check.reading.symbols import Part, head_and_parts, key_of, spelled
from symgrad.check.reading.trees import FACTORS, children, kind, rebuilt, shifted, unwrapped, walk
from symgrad.notation.syntax import Apply, Name, Product, Relation, Sum

COMPONENTS = frozenset(map(Name, "ijklmpq"))
CANDIDATES = frozenset({"g", "n"})  # letters for what is written to the state
OUTPUTS = frozenset({"y", "o", "z", "p", "s"})  # letters for what a loss looks at
UNKNOWN = "°"  # marks the weights that no document has


def gates_left_out(page: Page) -> dict[str, tuple[Any, Any]]:
    """The gates without a definition: what stands, without a weight before it, where a state is updated or shown.

    Each as it is written there, with the state that gates look at.
    """
    out: dict[str, tuple[Any, Any]] = {}
    for key in sorted(page.lagged & set(page.definitions)):
        shown = [k for k, d in page.definitions.items() if k != key and seen_from(page, k, {key}) and not weighted(page, d.node)]
        seen = page.definitions[shown[0] if shown else key].side
        if seen is None or (not shown and key[:1] in "cC"):
            continue  # what a memory cell shows is not in the document, so what its gates look at is not either
        for d in (page.definitions[k] for k in (key, *shown)):
            scaled = inputs_scaled(page, d.node)
            for n, through_weight in operands(page, d.node) if not weighted(page, d.node) else ():
                ref = page.symbols.ref(n)
                if ref is None or through_weight or id(n) in scaled or ref.entries or ref.key[:1] in "xX":
                    continue
                if undefined(page, n) and not weight_like(n):
                    out.setdefault(ref.key, (n, unwrapped(seen)))
    return out


def inputs_scaled(page: Page, node: Any) -> set[int]:
    """What has a parameter before it and nothing else, ``b u_t``: an input of a cell of numbers, while a gate stands beside what it lets through."""
    out = set[int]()
    for n in walk(node):
        refs = [(a, page.symbols.ref(unwrapped(a))) for a in n.args] if kind(n) in FACTORS else []
        timed = [a for a, r in refs if r is None or r.key in page.symbols.timed]
        out |= {id(a) for a in timed} if len(timed) == 1 < len(refs) else set()
    return out


def weight_like(node: Any) -> bool:
    """Whether a letter is one for a matrix, and none for a gate or a state in capitals."""
    return matrix_like(node) and gate_base(node).base[:1] not in "FIOGZRCHSUN"


def operands(page: Page, node: Any, through_weight: bool = False) -> list[tuple[Any, bool]]:
    """The names in a formula, and whether a matrix stands before them."""
    if page.symbols.ref(node) is not None:
        return [(node, through_weight)]
    if kind(node) == "Apply" and len(node.args) > 1:
        return []  # ``F(x_{t-1}, u_t)``: what comes from outside, or nobody knows how
    if kind(node) in ("Product", "Infix"):
        refs = [page.symbols.ref(a) for a in node.args]
        matrix = any(r is not None and page.symbols.ranks.get(r.key) == 2 for r in refs)
        return [found for a in node.args for found in operands(page, a, through_weight or matrix)]
    return [found for c in children(node) for found in operands(page, c, through_weight)]


def seen_from(page: Page, key: str, states: set[str]) -> bool:
    return any(ref.key in states and lag == 0 for ref, lag in page.references(page.definitions[key]))


def weighted(page: Page, node: Any) -> bool:
    return any((r := page.symbols.ref(n)) is not None and page.symbols.ranks.get(r.key) == 2 for n in walk(node))


def completed(page: Page, number: int) -> dict[str, Statement]:
    """Equations for the gates that are left out: of a preactivation that has their label, or over weights that no document names."""
    given, out = input_of(page, set()), {}
    for k, (key, (gate, state)) in enumerate(gates_left_out(page).items()):
        ref, seen = page.symbols.ref(gate), page.symbols.ref(state)
        assert ref is not None
        if seen is None or seen.step is None or ref.step is None:
            continue
        terms = [Product((weight("U", key), moved(page, state, shifted(ref.step, -1))))]
        terms += [Product((weight("W", key), moved(page, given, ref.step)))] if given is not None else []
        name = "tanh" if gate_base(gate).accents or gate_base(gate).base in CANDIDATES else "sigmoid"
        argument = preactivation(page, gate, ref.step) or Sum((*terms, weight("b", key)))
        node = Relation((gate, Apply(Name(name), (argument,))), ("=",))
        out[key] = Statement(None, node, node, (), number + 2000 + k)
    return out


def preactivation(page: Page, gate: Any, step: Any) -> Any:
    """``z_i``, which the document defines by weights and the state before, and puts nowhere, for the gate i; None if there is no one such name."""
    used = {ref.key for d in page.definitions.values() for ref, _ in page.references(d)} | page.lagged
    label = f"_{gate_base(gate).base}"
    free = [d for key, d in page.definitions.items() if key.endswith(label) and key not in used]
    found = [d for d in free if kind(unwrapped(d.node)) != "Apply" and weighted(page, d.node)]
    states = {lag for d in found for ref, lag in page.references(d) if ref.key in page.lagged}
    return moved(page, unwrapped(found[0].side), step) if len(found) == 1 and states == {-1} else None


def states_left_out(page: Page, statements: list[Statement]) -> dict[str, tuple[Statement, str]]:
    """``h_t = tanh(a_t)`` where the document has a_t, from the state before, and applies tanh to it, or derives h_t by it; with what is said of it."""
    out: dict[str, tuple[Statement, str]] = {}
    for key in sorted(page.lagged) if not page.lagged & set(page.definitions) else ():  # an input of an earlier step is no state
        before = {d.key: d for d in page.definitions.values() if any(ref.key == key and lag == -1 for ref, lag in page.references(d))}
        applied = [(n.function.base, r.key) for s in statements for n in s.nodes if kind(n) == "Apply" and kind(n.function) == "Name" and len(n.args) == 1
                   and n.function.base in BUILTIN and (r := page.symbols.ref(unwrapped(n.args[0]))) is not None and r.key in before]  # fmt: skip
        applied = applied or derived_by(page, statements, key, set(before))
        state = next((n for d in before.values() for n in walk(d.node) if (r := page.symbols.ref(n)) is not None and r.key == key), None)
        if len(set(applied)) != 1 or len(before) != 1 or state is None:
            continue
        function, argument = applied[0]
        a = unwrapped(before[argument].side)
        ref = page.symbols.ref(a)
        if ref is None or ref.step is None:
            continue
        node = Relation((moved(page, state, ref.step), Apply(Name(function), (a,))), ("=",))
        name = page.notes.get(key, key)
        note = f"{name}, whose update the document leaves out, is taken for {function} of {page.notes.get(argument, argument)}"
        out[key] = (Statement(None, node, node, (), len(statements) + 3000 + len(out)), note)
    return out


def derived_by(page: Page, statements: list[Statement], state: str, arguments: set[str]) -> list[tuple[str, str]]:
    r"""What the state may be, where the document writes ``\frac{\partial h_t}{\partial a_t}``: the one activation that it names, of a_t."""
    pairs = [(page.symbols.ref(unwrapped(n.of)), page.symbols.ref(unwrapped(n.wrt))) for s in statements for n in s.nodes if kind(n) == "Derivative"]
    found = {b.key for a, b in pairs if a is not None and b is not None and a.key == state and b.key in arguments and a.step == b.step}
    named = {n.base for s in statements for n in s.nodes if kind(n) == "Name" and n.base in ("tanh", "sigmoid", "sigma", "relu", "ReLU")}
    return [(named.pop() if len(named) == 1 else "g" + UNKNOWN, argument) for argument in found]


def outputs_left_out(page: Page, statements: list[Statement]) -> dict[str, Statement]:
    r"""``y_t = g(V h_t + b)`` where a derivation goes from the loss through y_t to the state, and the document does not say what y_t is.

    Or to an output that it does define, or to another one that it does not, ``\frac{\partial \hat y_t}{\partial o_t} \frac{\partial o_t}{\partial h_t}``.
    """
    if not page.lagged:
        return {}
    derivatives = [n for s in statements for n in s.nodes if kind(n) == "Derivative"]
    outputs = set(page.world.model.outputs) - page.lagged
    names = {page.canon(unwrapped(n.of)): found for n in derivatives if (found := unknown_output(page, n.of)) is not None}
    below = {page.canon(unwrapped(n.wrt)) for n in derivatives if loss_head(n.of) is not None}
    softmaxes = residuals(page, statements, outputs)
    through = dict(softmaxes)
    for n in sorted(derivatives, key=lambda n: page.canon(unwrapped(n.of)) not in below):  # from the loss downwards
        of, wrt = unwrapped(n.of), unwrapped(n.wrt)
        found, inner, ref = names.get(page.canon(of)), names.get(page.canon(wrt)), page.symbols.ref(wrt)
        if found is None or page.canon(of) not in below:
            continue
        known = ref is not None and ref.key in (outputs or page.lagged)
        step = inner[1] if inner is not None and not outputs else step_at(page, ref, found[1]) if known else None
        if step is None or page.canon(step) != page.canon(found[1]):
            continue
        below.add(page.canon(wrt))
        key, at = found
        now = Name(page.symbols.letter)  # a derivation may go through ``y_4`` or ``y_T`` alone
        inside = Sum((Product((weight("V", key), vector(page, wrt, step, now))), weight("b", key)))
        through.setdefault(key, shown(vector(page, of, at, now), "g" + UNKNOWN, inside, len(statements) + len(through)))
    through = through or shown_by_residuals(page, statements)
    return through if len(through) == 1 or through.keys() == {key for key, _ in names.values()} else {}


def step_at(page: Page, ref: Any, step: Any) -> Any:
    """The step of a quantity; the one beside it, where the document writes it without its step."""
    return step if ref.step is None and ref.key in page.symbols.bare else ref.step


def vector(page: Page, node: Any, step: Any, now: Any) -> Any:
    r"""The whole of what a component is of, at another step: ``\hat y_t`` for ``\hat y_{t_k}``; a quantity of the cell as its equation has it."""
    ref, split = page.symbols.ref(node), head_and_parts(node)
    if ref is not None and (ref.entries or ref.step is None):
        d = page.definitions[ref.key]
        return unwrapped(d.side) if d.side is not None and not d.entries else node
    if ref is None and split is not None and components(split[1]):
        return Name(split[0].base, split[0].accents, (now, *(p.node for p in split[1] if p.node != step and p not in components(split[1]))))
    return rebuilt(node, {id(step): now})


def components(parts: tuple[Part, ...]) -> list[Part]:
    """The indices behind others that count components."""
    return [p for p in parts[1:] if p.where == "sub" and p.node in COMPONENTS]


def shown(output: Any, function: str, argument: Any, number: int) -> Statement:
    """An equation for an output."""
    node = Relation((output, Apply(Name(function), (argument,))), ("=",))
    return Statement(None, node, node, (), number + 4000)


def unknown_output(page: Page, node: Any) -> tuple[str, Any] | None:
    """The name of an output that the document does not define, and its step; None for anything else."""
    split = head_and_parts(unwrapped(node))
    if split is None or split[0].base not in OUTPUTS or page.symbols.ref(unwrapped(node)) is not None:
        return None
    step = next((p for p in split[1] if counts_steps(page, p)), None)
    key = key_of(split[0], [p for p in split[1] if p is not step and p not in components(split[1])])
    return None if step is None or key is None else (key, step.node)


def counts_steps(page: Page, part: Part) -> bool:
    """Whether an index may be the step of an output: ``t``, ``T``, ``4``, ``n``; not a word."""
    return step_part((part,), page.symbols.letter) is not None or kind(part.node) == "Number" or spelled(part.node) in (*LETTERS, "N")


def residuals(page: Page, statements: list[Statement], outputs: set[str]) -> dict[str, Statement]:
    r"""``\hat y_t = \operatorname{softmax}(o_t)`` where the document defines the output o_t, and says ``\partial L / \partial o_t = \hat y_t - y_t``."""
    out: dict[str, Statement] = {}
    for s in statements if len(outputs) == 1 else ():
        sides = [whole(side) for side in getattr(s.node, "sides", ())]
        chains = [[unwrapped(a) for a in n.args] if kind(n) in FACTORS else [n] for n in sides]
        by = next((c[-1].wrt for c in chains if all(kind(n) == "Derivative" for n in c) and loss_head(c[0].of) is not None), None)
        ref = page.symbols.ref(unwrapped(by)) if by is not None else None
        for n in sides if ref is not None and ref.key in outputs else ():
            if kind(n) != "Sum" or len(n.args) != 2 or kind(n.args[1]) != "Negative":
                continue
            found, wanted = unknown_output(page, n.args[0]), head_and_parts(unwrapped(n.args[1].arg))
            if found is None or wanted is None or wanted[0].accents or wanted[0].base in ("p", "o") or page.symbols.ref(unwrapped(n.args[1].arg)) is not None:
                continue
            step = step_at(page, ref, found[1])
            if step is not None and page.canon(found[1]) == page.canon(step):
                output, argument = (vector(page, unwrapped(a), step, step) for a in (n.args[0], by))
                out.setdefault(found[0], shown(output, "softmax", argument, len(statements)))
    return out


def whole(side: Any) -> Any:
    r"""The vector of which ``(\hat y_t - y_t)_k`` is a component."""
    side = unwrapped(side)
    return unwrapped(side.base) if kind(side) == "Index" and side.kind == "_" and kind(side.base) in ("Paren", "Sum") else side


def shown_by_residuals(page: Page, statements: list[Statement]) -> dict[str, Statement]:
    r"""``\hat y_t = \operatorname{softmax}(V h_t + b)`` where all that is said of it is ``\partial L / \partial V = (\hat y_t - y_t) h_t^\top``."""
    states = [unwrapped(d.side) for key, d in page.definitions.items() if key in page.lagged and key[:1] not in "cC" and d.side is not None]
    out: dict[str, Statement] = {}
    for s in statements if len(states) == 1 else ():
        for n in s.nodes:
            output: Any = unwrapped(n.args[0]) if kind(n) == "Sum" and len(n.args) == 2 and kind(n.args[1]) == "Negative" else None
            split = head_and_parts(output) if output is not None else None
            step = step_part(split[1], page.symbols.letter) if split is not None else None
            if split is None or step is None or split[0].base not in OUTPUTS or page.symbols.ref(output) is not None:
                continue
            key = key_of(split[0], [p for p in split[1] if p is not step])
            before = [unwrapped(a.arg) for m in s.nodes if kind(m) in FACTORS for a, b in pairwise(m.args) if kind(a) == "Transpose" and unwrapped(b) is n]
            below = [unwrapped(m.wrt) for m in s.nodes if kind(m) == "Derivative" and loss_head(m.of) is not None]
            weights = [w for w in (*before, *below) if kind(w) == "Name" and matrix_like(w) and page.symbols.ref(w) is None]
            if key is not None and weights:
                inner = Sum((Product((weights[0], moved(page, states[0], step.node))), weight("b", key)))
                out.setdefault(key, shown(output, "softmax", inner, len(statements)))
    return out


@dataclass(frozen=True, slots=True)
class Supposed:
    """Equations for gates that the document leaves out though it names their weights; `aliases`: what its other names are then read as."""

    equations: dict[str, Statement]
    aliases: dict[str, str]
    note: str


def suppositions(page: Page, statements: list[Statement], number: int) -> list[Supposed]:
    r"""``z_t = \sigma(W_z h_{t-1} + U_z x_t)`` for a gate whose weights ``W_z``, ``U_z`` are named: with either letter before the state.

    What is proved so is proved of that cell; nothing is refuted by it.
    """
    found = weights_of_gates(page, statements)
    states = [d.side for key, d in page.definitions.items() if key in page.lagged and key[:1] not in "cC" and d.side is not None]
    if not found or len(states) != 1:
        return []
    state, given, out = unwrapped(states[0]), input_of(page, set(found)), []
    for letter in dict.fromkeys(base for _, weights in found.values() for base in weights):
        equations, said = {}, []
        for k, (key, (gate, weights)) in enumerate(found.items()):
            step = page.symbols.ref(gate).step  # type: ignore[union-attr]
            terms = [Product((weights.get(letter, weight(letter, key)), moved(page, state, shifted(step, -1))))]
            if given is not None:
                terms.append(Product((next((w for base, w in weights.items() if base != letter), weight("W", key)), moved(page, given, step))))
            node = Relation((gate, Apply(Name("sigmoid"), (Sum(tuple(terms)) if terms[1:] else terms[0],))), ("=",))
            equations[key] = Statement(None, node, node, (), number + 3000 + k)
            said.append(f"{plain(key)} = σ({letter}_{plain(key)} {gate_base(state).base} + …)")
        out.append(Supposed(equations, candidate_weights(page, state, letter), f"{' and '.join(said)}, which the document leaves out"))
    return out


def weights_of_gates(page: Page, statements: list[Statement]) -> dict[str, tuple[Any, dict[str, Name]]]:
    """The gates without an equation that label weights without a place: each as it is written, and its weights by their letters."""
    out: dict[str, tuple[Any, dict[str, Name]]] = {}
    gates = [n for s in statements for n in s.nodes if (undefined(page, n) or made_up(page, n)) and page.symbols.ref(n).step is not None]  # type: ignore[union-attr]
    for gate in gates:
        ref = page.symbols.ref(gate)
        if ref is not None and not ref.entries and ref.key[:1] not in "xX":
            out.setdefault(ref.key, (gate, {}))
    for n, head, parts in (found for s in statements for found in names_in(s.node)):
        label = spelled(parts[0].node) if len(parts) == 1 and kind(n) == "Name" and matrix_like(n) and page.symbols.ref(n) is None else None
        if label in out:
            out[label][1].setdefault(head.base, n)
    return {key: found for key, found in out.items() if found[1]}


def candidate_weights(page: Page, state: Any, letter: str) -> dict[str, str]:
    r"""``W_h`` for the one weight before the state in ``\tilde h = \tanh(W x + U (r \odot h))``, where ``W_z`` is that of z."""
    label = gate_base(state).base
    for key, d in page.definitions.items():
        weights = page.recurrent_weights & {ref.key for n in walk(d.node) if (ref := page.symbols.ref(n)) is not None}
        if key.split("~")[0] == label and len(weights) == 1 and f"{letter}_{label}" not in page.symbols.ranks:
            return {f"{letter}_{label}": next(iter(weights))}
    return {}


def input_of(page: Page, gates: set[str]) -> Any:
    """What comes from outside, as the equations name it behind a weight."""
    inputs = (n for d in page.definitions.values() for n, through in operands(page, d.node) if through and undefined(page, n))
    return next((n for n in inputs if (r := page.symbols.ref(n)) is not None and r.step is not None and r.key not in gates), None)


def made_up(page: Page, node: Any) -> bool:
    """Whether a name is that of a gate whose equation is not the document's own."""
    ref = page.symbols.ref(node)
    return ref is not None and invented(page, ref.key)


def weight(letter: str, gate: str) -> Name:
    return Name(letter, (), (Name(UNKNOWN + gate),))


def invented(page: Page, key: str) -> bool:
    """Whether the equation of a gate is not the document's own."""
    d = page.definitions.get(key)
    applied: Any = unwrapped(d.node) if d is not None and d.place is not None and d.place.fragment is None and key not in page.lagged else None
    return f"b_{UNKNOWN}{key}" in page.symbols.ranks or (kind(applied) == "Apply" and head_and_parts(unwrapped(applied.args[0])) is not None)


def taken_for(page: Page, keys: set[str]) -> list[str]:
    """What is assumed of such gates."""
    found = sorted(k for k in keys if k in page.definitions and invented(page, k))
    if not found:
        return []
    told = {k: meaning for k in found if (meaning := shown_by(page, k)) is not None}
    if len(told) == len(found):
        return [f"{page.notes.get(k, k)}, which the document does not define, is taken for {meaning}" for k, meaning in told.items()]
    names = " and ".join(page.notes.get(k, k) for k in found)
    said = ", ".join(f"{page.notes.get(k, k)} = {plain(page.definitions[k].node.function.base)}(…)" for k in found)
    return [f"{names}, which the document does not define, {'are' if found[1:] else 'is'} taken for functions of the input and the state before: {said}"]


def shown_by(page: Page, key: str) -> str | None:
    """What an output that the document does not define is taken for; None for a gate."""
    applied = unwrapped(page.definitions[key].node)
    below = page.symbols.ref(unwrapped(applied.args[0]))
    if applied.function.base not in ("g" + UNKNOWN, "softmax"):
        return None
    return "a function of the state" if below is None else f"{applied.function.base} of {page.notes.get(below.key, below.key)}"


def held_fixed(page: Page, keys: set[str]) -> list[str]:
    """What is assumed of gates that are left out and written without a step: no equation could be given to them."""
    found = sorted(page.notes.get(k, k) for k in gates_left_out(page) if k in keys)
    return [f"{' and '.join(found)}, which the document does not define, {'are' if found[1:] else 'is'} held fixed"] if found else []


def undefined(page: Page, node: Any) -> bool:
    ref = page.symbols.ref(node)
    return ref is not None and ref.key in page.symbols.timed and ref.key not in page.definitions and ref.key not in page.lagged


def gate_base(gate: Any) -> Any:
    split = head_and_parts(gate)
    assert split is not None
    return split[0]


def moved(page: Page, node: Any, step: Any) -> Any:
    """A quantity at another step."""
    ref = page.symbols.ref(node)
    return rebuilt(node, {id(ref.step): step}) if ref is not None and ref.step is not None else node
