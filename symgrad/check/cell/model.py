r"""From a page to the model of its world: equations, preactivations split off, sizes, outputs, stacked states."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.check.defined import blocks
from symgrad.check.defined.page import LOSS, Definition, Page
from symgrad.check.defined.typing import Shapes, unify
from symgrad.check.evaluation.evaluate import Run
from symgrad.check.evaluation.functions import applied
from symgrad.check.reading.activations import meaning
from symgrad.check.reading.statements import ADJOINT_HEADS, MARKS, loss_head
from symgrad.check.reading.symbols import is_top, spelled
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.worlds import values
from symgrad.check.worlds.field import WORLDS
from symgrad.check.worlds.readings import Chooser
from symgrad.check.worlds.values import Value
from symgrad.check.worlds.world import Equation, Model, Unsupported, World
from symgrad.notation.syntax import Name

ENTRYWISE = frozenset({"Sum", "Negative", "Number", "Power", "Hadamard", "Product", "Infix", "Paren", "Name", "Apply", "Fraction", "Big"})


def terminals(page: Page) -> tuple[str, ...]:
    """The quantities that nothing of the same step is computed from: what a loss looks at."""
    cell = {key: page.definitions[key] for key in page.definitions.keys() - named_for_a_derivation(page)}
    used = {ref.key for key, d in cell.items() for ref, lag in page.references(d) if lag == 0 and ref.key != key}
    shared = {
        page.named.get(page.canon(n, d.letter, d.shift))
        for d in page.definitions.values()
        for n in walk(d.node)
        if n is not d.node and kind(n) in ("Apply", "Sum", "Hadamard", "Product", "Infix")
    }
    piles = stacks(page)
    used -= {
        k
        for parts in piles.values()
        for k in parts
        if not any(ref.key == k and lag == 0 and ref.key != key for key, d in page.definitions.items() if key not in piles for ref, lag in page.references(d))
    }
    inner = {*used, *shared, *piles}
    free = (k for k, d in page.definitions.items() if k in cell and k not in inner and not put_in(page, d))
    out = tuple(k for k in free if connected(page, k))
    return read_later(page, out) or tuple(k for k in page.definitions if k not in used)[:1]


def read_later(page: Page, outputs: tuple[str, ...]) -> tuple[str, ...]:
    r"""What a loss looks at without the states that an output is computed from a step later, ``o_t = V h_{t-1}``."""
    references = {key: {ref.key for ref, _ in page.references(d)} for key, d in page.definitions.items()}
    last = [key for key in outputs if not any(key in found for found in references.values())]
    return tuple(key for key in outputs if not any(key in references[other] for other in last))


def named_for_a_derivation(page: Page) -> set[str]:
    """The names that a document gives to matrices and formulas of a derivation, and that nothing of the cell is computed from."""
    found = {key for key, d in page.definitions.items() if diagonal(d) or jacobian(page, d) or of_entries(page, d)}
    if any(of_entries(page, page.definitions[key]) for key in found):
        found -= asked_about(page)
    while found and (more := {r.key for key in page.definitions.keys() - found for r, _ in page.references(page.definitions[key])} & found):
        found -= more
    return found


def asked_about(page: Page) -> set[str]:
    r"""The quantities in what the document says of its loss, ``L_t(o_t, y_t)``, those whose gradients it names, and those that are wanted to be others."""
    losses = [side for s in page.statements if kind(s.node) == "Relation" and not s.derives and loss_head(s.node.sides[0]) is not None for side in s.node.sides]
    marked = [part for s in page.statements if s.derives for n in s.nodes for part in marked_in(n)]
    words = {n.base[1:].partition("_")[0] for s in page.statements if s.derives for n in s.nodes if kind(n) == "Name" and n.base[:1] == "d"}
    found = {r.key for node in (*losses, *marked) for n in walk(node) if (r := page.symbols.ref(n)) is not None}
    letters = {spelled(n) for node in marked for n in walk(node) if kind(n) == "Name"} | words
    return found | page.targets.keys() | {key for key in page.definitions if key in letters}


def marked_in(node: Any) -> tuple[Any, ...]:
    r"""What a gradient is taken by, ``\partial L / \partial h_t``, ``d h_t``, ``\delta_{h_t}``; nothing for another node."""
    match kind(node):
        case "Derivative":
            return (node.wrt,) if loss_head(node.of) is not None else ()
        case "Product" if kind(node.args[0]) == "Name" and node.args[0].base in MARKS:
            return tuple(node.args[1:2])
        case "Differential":
            return (node.arg,)
        case "Name" if node.base in MARKS | ADJOINT_HEADS:
            return tuple(node.subs)
        case "Power" if kind(node.base) == "Name" and node.base.base in MARKS | ADJOINT_HEADS:
            return (node.exponent, *node.base.subs)
    return ()


def of_entries(page: Page, d: Definition) -> bool:
    r"""``r_t = 1 - h_t^2``, ``q_t = h_{t-1} - n_t``: a formula of the entries of other quantities, without a weight, as no network computes its output."""
    node = unwrapped(d.node)
    refs = [ref for n in walk(node) if (ref := page.symbols.ref(n)) is not None]
    of_others = bool(refs) and not page.program and d.key not in page.lagged and all(r.key in page.symbols.timed for r in refs)
    return of_others and kind(node) not in ("Apply", "Name") and all(kind(n) in ENTRYWISE for n in walk(node))


def jacobian(page: Page, d: Definition) -> bool:
    r"""``J_t = \operatorname{diag}(1 - h_t^2) W``: a name for a matrix, which no loss looks at."""
    node = unwrapped(d.node)
    if d.key in page.lagged or kind(node) not in ("Product", "Infix") or not any(kind(unwrapped(a)) == "Diagonal" for a in node.args):
        return False
    last = unwrapped(node.args[-1])
    last = last.arg if kind(last) == "Transpose" else last.base if kind(last) == "Power" and is_top(last.exponent) else last
    return kind(last) == "Diagonal" or page.ranked(last) == 2


def diagonal(d: Definition) -> bool:
    r"""``D_t = \operatorname{diag}(1 - h_t^2)``: a matrix that is named for a derivation, no output."""
    return kind(unwrapped(d.node)) == "Diagonal"


def put_in(page: Page, d: Definition) -> bool:
    """``z_t = [h_{t-1}, x_t]``: what goes into the cell under one name, which its equations may not use."""
    return kind(unwrapped(d.node)) in ("Stack", "Tuple") and any(lag != 0 and ref.key in page.lagged for ref, lag in page.references(d))


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


def inner_of(page: Page, key: str, d: Definition) -> str | None:
    """The quantity that an activation is applied to, where it has a name: ``h = tanh(a)``, also where a's formula is written out."""
    node = unwrapped(d.node)
    if kind(node) != "Apply" or len(node.args) != 1 or kind(node.function) != "Name" or page.symbols.ref(node) is not None or d.entries:
        return None
    arg = unwrapped(node.args[0])
    ref = page.symbols.ref(arg)
    if ref is not None and not ref.entries and (ref, 0) in page.references(d):
        shared = ref.key if ref.key in page.definitions else None
    else:
        shared = page.named.get(page.canon(arg, d.letter, d.shift)) if kind(arg) != "Name" else None
    if shared is not None and shared != key and not page.definitions[shared].entries:
        return shared
    return None


def model(page: Page, flat: bool) -> Model:
    """The world's equations: preactivations split off, sizes settled."""
    shapes = page.shapes
    if shapes is None:
        shapes = Shapes(page)
        for key in page.symbols.ranks:
            if not key.startswith("pre:"):
                shapes.quantity(key)
        shapes.infer()
        page.shapes = shapes
        for name, target in page.targets.items():
            if name in shapes.of:
                for size, shown in zip(shapes.of.get(target, ()), shapes.of[name], strict=False):  # a decoder reads them at the next step
                    unify(size, shown)
                shapes.of[target] = shapes.of[name]
    dims = dict(shapes.numbers(flat))
    if not flat:
        blocks.sizes(page, shapes)
    cut = blocks.cuts(page, dims)
    equations: dict[str, Equation] = {}
    hidden: set[str] = set()
    for key, d in page.definitions.items():
        if key == LOSS:
            equations[key] = loss(page, d)
            continue
        node = unwrapped(d.node)
        own = key
        inner = inner_of(page, key, d)
        if inner is not None:
            equations[own] = activation(page, own, inner, node.function, d)
        elif (call := page.activated(key)) is not None and (pre := f"pre:{key}") in page.symbols.ranks:
            hidden.add(pre)
            dims[pre] = dims[key]
            equations[pre] = equation(page, pre, call.args[0], Definition(pre, call.args[0], d.letter, d.shift, d.entries))
            equations[own] = activation(page, own, pre, call.function, d) if call is node else around(page, own, pre, call, d)
        else:
            equations[own] = equation(page, own, d.node, d)
    outputs = terminals(page) if page.loss is None else (LOSS,)
    rules = {} if page.loss is None else {LOSS: "itself", **dict.fromkeys(page.data if of_classes(page) else (), "target")}
    for key in outputs:
        wanted = page.targets.get(key)
        if wanted is not None:
            node = unwrapped(page.definitions[key].node)
            function = meaning(page.functions, node.function) if kind(node) == "Apply" and kind(node.function) == "Name" else None
            said = page.loss_rules.get(key)
            if said == "entropy" and kind(node) == "Apply" and function not in ("softmax", "sigmoid", "tanh", "relu"):
                said = "clean"  # an output that the document does not say to be a softmax, with a logarithm in the loss
            rules[key] = (
                f"{said}:{wanted}" if said and function != "softmax" else {"softmax": "entropy:", "sigmoid": "binary:"}.get(str(function), "square:") + wanted
            )
            rules[key] = f"-{rules[key]}" if key in page.gained else rules[key]
            if function == "softmax":
                rules[wanted] = "first" if page.first else "target"
    votes = shapes.votes
    lowest = min([0, *(lag + 1 for d in page.definitions.values() for _, lag in page.references(d))])
    piles = {key: parts for key, parts in stacks(page).items() if dims[key] == (sum(n for p in parts for n in dims[p]),)}
    return Model(equations, dims, frozenset(page.symbols.timed), frozenset(hidden), outputs, rules, -1 if votes[1] > votes[0] else 1, lowest, piles, cut)


def equation(page: Page, key: str, node: Any, d: Definition) -> Equation:
    """The equation of a quantity as the world wants it."""

    def compute(world: World, step: int, lookup: Any) -> Any:
        def run() -> Any:
            return Run(page, world, Chooser(), {d.letter: step - d.shift, "T": world.steps}, lookup=lookup, inside=key, now=step)

        dims = world.model.dims[key]
        if not d.entries or not dims:
            return run().definition(node, d)
        out = []
        names = [spelled(unwrapped(e)) or "i" for e in d.entries]
        for at in np.ndindex(*dims):
            one = run()
            one.env.update(zip(names, at, strict=False))
            out.append(one.entry_of(node))
            if out[-1].rank:
                raise Unsupported("an entry that is no number", node)
        a = np.stack([v.a for v in out], 1).reshape(WORLDS, *dims)
        return Value(a, None if out[0].d is None else np.stack([v.d for v in out], 1).reshape(*a.shape, -1))

    return Equation(key, compute)


def loss(page: Page, d: Definition) -> Equation:
    """The equation of the loss that the document writes: a number, what is left of a vector being summed up."""

    def compute(world: World, step: int, lookup: Any) -> Any:
        run = Run(page, world, Chooser(), {d.letter: step, page.symbols.letter: step, "T": world.steps, "values": {}}, lookup=lookup, inside=LOSS, now=step)
        run.defining = False  # ``y^\top \log p``: here it matters what lies and what stands
        return values.whole(run.value(d.node))

    return Equation(LOSS, compute)


def of_classes(page: Page) -> bool:
    """Whether the loss that the document writes is the logarithm of a softmax: then the entries of what is wanted add up to 1."""
    shown = softmaxes(page)
    logs = [n for n in walk(page.loss) if kind(n) == "Apply" and n.function.base in ("log", "ln")]
    return any(ref.key in shown for n in logs for m in walk(n) if (ref := page.symbols.ref(m)) is not None)


def softmaxes(page: Page) -> set[str]:
    """The quantities that are a softmax."""
    calls = {key: unwrapped(d.node) for key, d in page.definitions.items()}
    return {key for key, n in calls.items() if kind(n) == "Apply" and kind(n.function) == "Name" and meaning(page.functions, n.function) == "softmax"}


def around(page: Page, key: str, pre: str, call: Any, d: Definition) -> Equation:
    """``h = h_{t-1} + f(a)`` where a is a preactivation without a name."""
    outer = rebuilt(d.node, {id(call.args[0]): Name(pre)})

    def compute(world: World, step: int, lookup: Any) -> Any:
        env = {d.letter: step - d.shift, "T": world.steps, "values": {pre: lookup(pre, step)}}
        return Run(page, world, Chooser(), env, lookup=lookup, inside=key, now=step).definition(outer, d)

    return Equation(key, compute)


def activation(page: Page, key: str, pre: str, function: Any, d: Definition) -> Equation:
    """``z = f(a)`` where a is the preactivation that has a name of its own."""

    def compute(world: World, step: int, lookup: Any) -> Any:
        run = Run(page, world, Chooser(), {d.letter: step - d.shift, "T": world.steps}, lookup=lookup, inside=key, now=step)
        return applied(run, function, lookup(pre, step))

    name = meaning(page.functions, function)
    return Equation(key, compute, pre, name if isinstance(name, str) else "")
