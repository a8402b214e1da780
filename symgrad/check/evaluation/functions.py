r"""Functions applied: known ones, free ones, those that a page defines; their slopes, with an argument and without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.evaluation.wrt import preactivations
from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN, meaning, unprimed
from symgrad.check.reading.statements import names_in, step_part
from symgrad.check.reading.symbols import is_top, number_at
from symgrad.check.reading.trees import kind, rebuilt, unwrapped, walk
from symgrad.check.worlds import field as F
from symgrad.check.worlds import values
from symgrad.check.worlds.readings import Option
from symgrad.check.worlds.values import Misfit, Value
from symgrad.check.worlds.world import Missing, OutOfTime, Unsupported
from symgrad.notation.syntax import Product
from symgrad.notation.table import FUNCTION_WORDS

if TYPE_CHECKING:
    from symgrad.check.evaluation.evaluate import Run

RULES_OF_VECTORS = frozenset({"softmax"})


def apply(run: Run, node: Any) -> Value:
    name = node.function
    ref = run.page.symbols.ref(node)
    if ref is not None:
        return run.named(node)
    if kind(name) != "Name":
        raise Unsupported("a function with an index like this", node)
    if len(node.args) == 1 and not name.primes and name.base not in BUILTIN and not uses(run, meaning(run.page.functions, name)):
        adjoint = run.try_unnamed(node)
        if adjoint is not None:
            return adjoint
    base, word = name.base, unprimed(name)
    if base in ("prod", "Prod", "mul", "matmul", "dot"):
        out = run.value(node.args[0])
        for a in node.args[1:]:
            out = prod(run, out, run.value(a))
        return out
    if base == "outer" and len(node.args) == 2:
        x, y = (run.value(a) for a in node.args)
        return values.outer(x, y) if x.rank == y.rank == 1 and not run.flat else prod(run, x, y)
    if base in ("sum", "Sum") and all(kind(a) == "Relation" for a in node.args[1:]):  # ``sum(a, axis=0)``: over the examples
        return run.value(node.args[0])
    if base in ("transpose",) and len(node.args) == 1:
        return values.transposed(run.value(node.args[0]))
    function = meaning(run.page.functions, name)
    if name.subs and not uses(run, function) and word not in run.page.functions and all(number_at(x, run.env) is not None for x in name.subs):
        function = meaning(run.page.functions, replace(name, subs=()))  # at a step
    known = base in run.page.functions or base in BUILTIN or base in ("f", "g", "phi") or uses(run, function)
    if name.primes and base in run.page.symbols.ranks and not known:
        raise Missing(base + "'" * name.primes, name)
    if len(node.args) > 1:
        return call(run, word or base, node, name.primes)
    arg = node.args[0]
    if name.primes and isinstance(function, str) and weight(run, arg):
        return run.value(beside(run, node))
    if left_out(arg):
        if isinstance(function, str) and function not in RULES_OF_VECTORS:
            return slope_somewhere(run, node, function, name.primes)
        raise Unsupported("an argument left out", node)
    if isinstance(function, tuple):
        variable, body = function
        inner = run.value(arg)
        return bound(run, variable, inner, body, name.primes)
    x = run.value(arg)
    if isinstance(function, str) and kind(unwrapped(arg)) in ("Sum", "Product", "Infix"):
        x = with_bias(run, function, x)
    if name.primes and isinstance(function, str) and function == base and function not in F.RULES and not uses(run, function):
        function = meant(run, function, x)
    if name.primes:
        at = output_of(run, arg, function)
        if at is not None:
            return slope_from(run, name, function, x)
    if function in RULES_OF_VECTORS and not name.primes:
        return softmax(run, x)
    free = name.primes or run.defining or (run.env["values"] and function not in FUNCTION_WORDS.values())
    if not (free or function in F.RULES or uses(run, function)):
        raise Missing(base, name)  # no equation applies it
    return apply_known(run, function, x, name.primes)


def left_out(arg: Any) -> bool:
    r"""Whether a place is marked for an argument that is not written: ``\sigma(\cdot)``, ``\tanh(\ldots)``."""
    return kind(unwrapped(arg)) == "Ellipsis" or (kind(unwrapped(arg)) == "Infix" and not unwrapped(arg).args)


def weight(run: Run, node: Any) -> bool:
    """Whether an argument is a weight: no activation is applied to one."""
    node = unwrapped(node)
    if kind(node) == "Transpose" or (kind(node) == "Power" and is_top(node.exponent)):
        return weight(run, node.arg if kind(node) == "Transpose" else node.base)
    ref = run.page.symbols.ref(node)
    return ref is not None and not ref.entries and ref.key not in run.page.symbols.timed and run.page.symbols.ranks.get(ref.key) == 2


def beside(run: Run, node: Any) -> Any:
    r"""``\tanh' W``: a slope whose argument is left out, times the weight."""
    memo = run.page.memos["slopes beside weights"]
    if id(node) not in memo:
        memo[id(node)] = (node, Product((node.function, node.args[0])))
    return memo[id(node)][1]


def with_bias(run: Run, function: str, x: Value) -> Value:
    r"""The preactivation that an argument is but for the bias that the document left out of it."""
    if run.defining or run.flat or x.d is not None or len(x.a) != F.WORLDS:
        return x
    for key in preactivations(run.page, function):
        if run.world.model.dims.get(key) != x.dims:
            continue
        biases = [b for b in sorted(page_parameters(run, key)) if run.world.model.dims.get(b) == x.dims]
        for step in range(1, run.world.steps + 1) if biases else ():
            rest = (run.world.value(key, step).a - x.a) % F.P
            if not rest.any():
                return x
            left_out = next((b for b in biases if np.array_equal(run.world.value(b, None).a, rest)), None)
            if left_out is not None:
                note = f"the bias {run.page.notes.get(left_out, left_out)}, which an argument leaves out, is understood"
                meant = run.chooser.choose(("bias", key, left_out), (Option(0, False), Option(1, True, note, tag="bias")))
                return replace(x, a=run.world.value(key, step).a) if meant else x
    return x


def applied(run: Run, name: Any, x: Value) -> Value:
    """The function of this name at a value."""
    function = meaning(run.page.functions, name)
    if isinstance(function, tuple):
        return bound(run, function[0], x, function[1], 0)
    if function in RULES_OF_VECTORS:
        return softmax(run, x)
    return apply_known(run, function, x, name.primes)


def apply_known(run: Run, function: str, x: Value, primes: int) -> Value:
    """f(x) or its slope, entry by entry, with the tangent."""
    if primes:
        return slope(run, function, x, primes)
    if x.rank >= 2:
        raise Misfit("a function of a matrix")
    y = F.apply(run.world.draws, function, x.a)
    d = None
    if x.d is not None:
        d = x.d * F.slope(run.world.draws, function, y, x.a)[..., None] % F.P
    return Value(y, d, x.orient)


def slope(run: Run, function: str, x: Value, primes: int) -> Value:
    if function in RULES_OF_VECTORS:
        raise Unsupported("the slope of softmax is a matrix")
    name = function + "'" * (primes - 1)
    if primes > 1 and function in F.RULES:
        raise Unsupported("a second derivative of an activation")
    y = F.apply(run.world.draws, name, x.a)
    s = F.slope(run.world.draws, name, y, x.a)
    if x.d is not None:
        raise Unsupported("a derivative of a slope")
    return Value(s, None, x.orient)


def softmax(run: Run, x: Value) -> Value:
    """e^{x_i} / Σ_j e^{x_j}."""
    if x.rank != 1:
        if not x.rank:
            return apply_known(run, "softmax1", x, 0)
        raise Misfit("softmax of something that is no vector")
    e = apply_known(run, "exp", x, 0)
    total = Value(e.a.sum(1) % F.P, None if e.d is None else e.d.sum(1) % F.P)
    one_over = Value(F.inverse(total.a), None if total.d is None else -total.d * F.power(total.a, -2)[..., None] % F.P)
    return values.scaled(e, one_over, x.orient)


def bare_slope(run: Run, node: Any) -> Value | None:
    r"""``\sigma'`` without an argument: at the preactivation of the neighbours; ``\sigma'_{z_t}``: at that of z, or at z if it is one."""
    if kind(node) != "Name" or not node.primes:
        return None
    function = meaning(run.page.functions, replace(node, subs=()))
    if not isinstance(function, str):
        return None
    if not node.subs:
        return slope_somewhere(run, node, function)
    ref = run.page.symbols.ref(node.subs[0]) if len(node.subs) == 1 else None
    at = run.page.preactivation(ref.key) if ref is not None and ref.key in run.page.definitions else ""
    places = preactivations(run.page, function)
    key = next((k for k in (at, ref.key if ref is not None else "") if k in places), None)
    if key is None or ref is None or ref.entries:
        return None
    a = run.lookup(key, run.step_of(ref))
    return apply_known(run, function, replace(a, d=None), node.primes)


def slope_by_value(run: Run, node: Any) -> Value | None:
    r"""``h'_t`` where ``h_t = f(a_t)``: the slope of f at a_t."""
    head = next((n for n in walk(node) if kind(n) == "Name" and n.primes == 1), None)
    ref = run.page.symbols.ref(rebuilt(node, {id(head): replace(head, primes=0)})) if head is not None else None
    d = run.page.definitions.get(ref.key) if ref is not None and not ref.entries else None
    call: Any = unwrapped(d.node) if d is not None else None
    if ref is None or kind(call) != "Apply" or len(call.args) != 1 or kind(call.function) != "Name" or call.function.primes:
        return None
    function, hidden, step = meaning(run.page.functions, call.function), run.page.preactivation(ref.key), run.step_of(ref)
    if not isinstance(function, str) or function in RULES_OF_VECTORS or hidden not in run.world.model.dims or step is None:
        return None
    if not 1 <= step <= run.world.steps:
        raise OutOfTime(ref.key)
    name = run.page.notes.get(ref.key, ref.key)
    run.chooser.choose(("slope of", ref.key), (Option(1, None, f"{name}' is read as the slope of the activation that gives {name}"),))
    return slope(run, function, replace(run.lookup(hidden, step), d=None), 1)


def slope_somewhere(run: Run, node: Any, function: str, primes: int = 1) -> Value:
    """A slope, or the function itself, at the argument that is left out."""
    found = preactivations(run.page, function)
    if not found:
        raise Missing(f"{node.base if kind(node) == 'Name' else function}'", node)
    near: frozenset[str] = frozenset().union(*(neighbours(run, args) for args in run.products))
    scored = sorted(found, key=lambda k: -len(near & page_parameters(run, k)))
    options = tuple(Option(n + (0 if n == 0 else 1), k, f"the argument that is left out is {run.page.notes.get(k, k)}")
                    for n, k in enumerate(scored))  # fmt: skip
    key = run.chooser.choose(("slope at", id(node)), options)
    step = run.env.get(run.page.symbols.letter, run.env.get("now"))
    if run.slope_index:
        step = run.env.get(run.slope_index[-1], step)
    elif run.derived_at is not None and (own := number_at(run.derived_at, run.env)) is not None:
        step = int(own)
    if step is None:
        raise OutOfTime(key)
    beside, outer = latest(run, run.products[-1:]), latest(run, run.products[:-1])
    if beside is not None and 1 <= beside < int(step):
        note = "a slope without its argument is read at the step of what it multiplies"
        nested = outer is not None and outer > beside  # in the bracket of a later step
        places = (Option(0, True, note), Option(1, False)) if nested else (Option(0, False), Option(2, True, note))
        step = beside if run.chooser.choose(("slope beside", id(node)), places) else step
    a = run.lookup(key, int(step))
    a = replace(a, d=None)
    return slope(run, function, a, primes) if primes else apply_known(run, function, a, 0)


def latest(run: Run, products: list[tuple[Any, ...]]) -> int | None:
    """The latest step that the factors of some products name: the ``t - 1`` of ``g' (x_{t-1} + ...)``."""
    letter = run.page.symbols.letter
    steps = [step.node for args in products for a in args for _, _, parts in names_in(a) if (step := step_part(parts, letter)) is not None]
    return max((int(at) for s in steps if (at := number_at(s, run.env)) is not None), default=None)


def page_parameters(run: Run, hidden: str) -> frozenset[str]:
    memo = run.page.memos["page_parameters"]
    if hidden not in memo:
        owner = hidden.removeprefix("pre:")
        d = run.page.definitions.get(owner)
        names = {run.page.symbols.ref(x).key for x in walk(d.node) if run.page.symbols.ref(x)} if d else set()  # type: ignore[union-attr]
        memo[hidden] = frozenset(n for n in names if n not in run.page.symbols.timed)
    return memo[hidden]  # type: ignore[no-any-return]


def neighbours(run: Run, args: tuple[Any, ...]) -> frozenset[str]:
    found = set()
    for a in args:
        for x in walk(a):
            ref = run.page.symbols.ref(x)
            if ref is not None and ref.key not in run.page.symbols.timed:
                found.add(ref.key)
    return frozenset(found)


def uses(run: Run, function: str) -> bool:
    """Whether an equation of the page applies this function."""
    memo = run.page.memos["uses"]
    if not memo:
        applied = (n.function for d in run.page.definitions.values() for n in walk(d.node) if kind(n) == "Apply" and kind(n.function) == "Name")
        memo["all"] = {word for name in applied if isinstance(word := meaning(run.page.functions, name), str)}
    return function in memo["all"]


def meant(run: Run, function: str, x: Value) -> str:
    """``f'`` where no f is defined: the slope of the activation that the argument belongs to."""
    known = {d.key: meaning(run.page.functions, unwrapped(d.node).function) for d in run.page.definitions.values()
             if kind(unwrapped(d.node)) == "Apply" and kind(unwrapped(d.node).function) == "Name"}  # fmt: skip
    names = sorted({f for k, f in known.items() if f in ACTIVATIONS and k in run.page.lagged} or {f for f in known.values() if f in ACTIVATIONS})
    if not names:
        raise Missing(function + "'")
    return str(run.chooser.choose(("function", function), tuple(Option(k, n, f"{function} is read as {n}") for k, n in enumerate(names))))


def bound(run: Run, variable: str, inner: Value, body: Any, primes: int) -> Value:
    """A function given by its formula, or its slope, at a value."""
    kept = run.env.get("values", {})
    if primes > 1 or (primes and inner.d is not None):
        raise Unsupported("a second derivative of a function given by a formula")
    run.env["values"] = {**kept, variable: replace(inner, d=np.ones((*inner.a.shape, 1), dtype=np.int64)) if primes else inner}
    try:
        found = run.value(body)
        return found if not primes else Value(np.zeros_like(inner.a) if found.d is None else found.d[..., 0])  # entry by entry
    finally:
        run.env["values"] = kept


def output_of(run: Run, arg: Any, function: str) -> str | None:
    """The quantity in the argument, if it is itself an output of this function."""
    ref = run.page.symbols.ref(unwrapped(arg))
    if ref is not None:
        d = run.page.definitions.get(ref.key)
        node = unwrapped(d.node) if d else None
        if node is not None and kind(node) == "Apply" and meaning(run.page.functions, node.function) == function and not node.function.primes:
            return ref.key
        if ref.key in run.page.lagged and any(meaning(run.page.functions, unwrapped(e.node).function) == function for e in run.page.definitions.values()
                                               if kind(unwrapped(e.node)) == "Apply" and e.key == ref.key):  # fmt: skip
            return ref.key
    node = unwrapped(arg)
    if kind(node) == "Apply" and kind(node.function) == "Name" and meaning(run.page.functions, node.function) == function and not node.function.primes:
        return function
    return None


def slope_from(run: Run, name: Any, function: str, y: Value) -> Value:
    """σ'(z) where z = σ(a) already: literally at z, or in terms of the output."""
    if function not in ("sigmoid", "tanh"):
        return apply_known(run, function, y, 1)
    how = run.chooser.choose(("slope of output", function), (
        Option(0, "literal"),
        Option(1, "output", f"{name.base}' of an activated value is read as the slope written in its output", tag="slope-of-output"),
    ))  # fmt: skip
    if how == "literal":
        return apply_known(run, function, y, 1)
    d = None
    return Value(F.RULES[function][1](run.world.draws, y.a, y.a), d, y.orient)


def call(run: Run, name: str, node: Any, primes: int) -> Value:
    """An unknown function of several things, ``f(x, h, w)``: a value and a Jacobian by each argument, drawn at random."""
    if primes:
        raise Unsupported("the derivative of a function of several arguments, without saying by which")
    parts = [run.value(a) for a in node.args]
    dims = run.world.model.dims.get(f"call:{name}")
    if dims is None:
        owner = run.page.named.get(run.page.canon(node, run.page.symbols.letter, 0))
        dims = run.world.model.dims.get(owner) if owner else (run.world.model.dims.get(run.inside) if run.inside else None)
    if dims is None:
        raise Missing(name, node.function)
    draws = run.world.draws
    flat = [p.a.reshape(F.WORLDS, -1) for p in parts]
    given = [tuple(int(v) for f in flat for v in f[w]) for w in range(F.WORLDS)]
    size = int(np.prod(dims, dtype=int))
    out = np.array([[draws.drawn(name, w, given[w], i) for i in range(size)] for w in range(F.WORLDS)], dtype=np.int64).reshape(F.WORLDS, *dims)
    d = None
    for k, p in enumerate(parts):
        if p.d is None:
            continue
        n = flat[k].shape[1]
        jac = np.array([[[draws.drawn(name, w, given[w], "d", k, i, j) for j in range(n)] for i in range(size)] for w in range(F.WORLDS)], dtype=np.int64)
        part = values._contract(jac, p.d.reshape(F.WORLDS, n, -1), 1).reshape(F.WORLDS, *dims, -1)
        d = part if d is None else (d + part) % F.P
    return Value(out, d, run.world.model.orient if len(dims) == 1 else 0)


def prod(run: Run, x: Value, y: Value) -> Value:
    """The chain rule's product: the last index of x with the first of y."""
    if not x.rank or not y.rank:
        return values.scaled(x, y)
    if x.rank == 1 and y.rank == 1 and x.dims != y.dims:
        return values.outer(x, y)
    if x.rank == 1 and y.rank == 1:
        if run.flat:
            return values.scaled(x, y)
        return values.outer(x, y)
    return values.contracted(x, y)
