"""``symgrad backward CELL --to numpy``: a module with a forward and a backward function over whole sequences, of NumPy alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.face.bptt import bptt
from symgrad.face.cell import Cell
from symgrad.generate.backward.forward import HELPERS, Forward, Names
from symgrad.generate.backward.plan import Plan
from symgrad.generate.backward.reverse import Reverse
from symgrad.generate.backward.sweep import Sweep
from symgrad.language.program import Program
from symgrad.notation.text import text
from symgrad.notation.write import update_equations

SIGMOID = '''\
def sigmoid(a, out):
    """out ← σ(a) = 1/(1 + e^-a); a is overwritten.  Where e^-a overflows to ∞, σ(a) is 0."""
    np.negative(a, out=a)
    np.exp(a, out=a)
    a += 1
    return np.reciprocal(a, out=out)
'''


def module(cell: Cell | Program, to: str = "numpy") -> str:
    """The source of the module; raises `SymgradError` for a cell with functions left free."""
    program: Program = cell if isinstance(cell, Program) else cell.program
    if to == "torch":
        from symgrad.generate.backward.torch import torch_module

        return torch_module(program)
    if to != "numpy":
        raise SymgradError(f"to={to!r}: code is written for numpy and torch")
    plan = Plan(program)
    sweep = Sweep(plan)
    names = Names(plan)
    forward = Forward(plan, sweep, names)
    reverse = Reverse(forward)
    back = re.sub(r"\bsigmoid\(", "quiet_sigmoid(", _backward(plan, forward, reverse, names))
    body = _forward(plan, forward, names) + "\n\n" + back
    called = body + (" quiet_sigmoid(" if "sigmoid_of(" in body else "")
    helpers = [code for name, code in HELPERS.items() if re.search(rf"\b{name}\(", called)]
    if re.search(r"\bsigmoid\(", body) or any("sigmoid(" in h for h in helpers):
        helpers.insert(0, SIGMOID)
    head = f'"""{_title(program)}\n"""\n\nimport numpy as np\n\n'
    return head + "".join(f"\n{h}\n" for h in helpers) + "\n" + body


def _title(program: Program) -> str:
    result = bptt(program)
    equations = [f"    {text(e)}" for e in update_equations(program)]
    back = [f"    {text(e)}" for e in result.recursion()]
    totals = [f"    {text(e)}" for e in result.gradients()]
    lines = [
        f"The cell {program.name} over whole sequences: forward, and every gradient backward.",
        "",
        *equations,
        "",
        "With δ for ∂L/∂, from the last step to the first:",
        "",
        *back,
        "",
        "and the parameters:",
        "",
        *totals,
        "",
        f"Written by `symgrad backward {program.name} --to numpy`.  Arrays are time first: step, sequence, component.",
        "Several layers: the `ys` of one are the `xs` of the next, and its `dxs` the `dys` of the one before.",
        "Backward in time (the other direction): reverse `xs`, `mask` and `ys`, `dys` and `dxs` along time.",
    ]
    return "\n".join(line.replace("\\", "\\\\") for line in lines)


def indent(lines: list[str], by: int = 1) -> list[str]:
    """Lines set in."""
    return ["    " * by + line if line else line for line in lines]


def _views(views: dict[str, str], body: list[str], own: set[str]) -> list[str]:
    """The views that the body reads, gates side by side unpacked together."""
    code = "\n".join(line.split("#")[0] if line.lstrip().startswith("#") else line for line in body)
    used = {k: v for k, v in views.items() if re.search(rf"(?<![\w.]){re.escape(k)}(?!\w)", code) and k not in own}
    for value in list(used.values()):  # a view of a view
        used = {k: v for k, v in views.items() if re.search(rf"(?<![\w.]){re.escape(k)}(?!\w)", value)} | used
    stacked: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for k, v in used.items():
        found = re.fullmatch(r"(gates|d)\[(\d+), (t|block)\]", v)
        if found:
            stacked.setdefault((found[1], found[3]), []).append((int(found[2]), k))
    out: list[str] = []
    grouped: set[str] = set()
    for (array, index), members in stacked.items():
        members = sorted({i: (i, k) for i, k in reversed(members)}.values())
        places = [i for i, _ in members]
        if len(members) > 1 and places == list(range(places[0], places[0] + len(members))):
            out.append(f"{', '.join(k for _, k in members)} = {array}[{places[0]}:{places[-1] + 1}, {index}]")
            grouped |= {k for _, k in members}
    order = sorted((k for k in used if k not in grouped), key=lambda k: any(re.search(rf"\b{o}\b", used[k]) for o in used))
    return out + [f"{k} = {used[k]}" for k in order]


def _sizes(plan: Plan, names: Names, state: Callable[[sp.Symbol], str]) -> list[str]:
    """T, B and every size, read from the arrays; `state` is the code of an array whose last axis a state's entries run along."""
    program = plan.program
    x = program.inputs
    out = [f"T, B = {'xs' if len(x) == 1 else f'xs[{x[0].name!r}]' if x else 'xs'}.shape[:2]"]
    known: set[str] = set()
    for s, code in (
        *((x, "xs.shape[2]" if len(program.inputs) == 1 else f"xs[{x.name!r}].shape[2]") for x in program.inputs),
        *((s, f"{state(s)}.shape[-1]") for s in program.states),
    ):
        (dim,) = program.shapes[s]
        if dim.is_Symbol and dim.name not in known:
            known.add(dim.name)
            out.append(f"{names.sizes[dim.name]} = {code}")
    for p in program.parameters:
        for axis, dim in enumerate(program.shapes[p]):
            if dim.is_Symbol and dim.name not in known:
                known.add(dim.name)
                out.append(f"{names.sizes[dim.name]} = {names(p)}.shape[{axis}]")
    return out


PLACE = "    <parameters>"


def _with_parameters(plan: Plan, names: Names, lines: list[str]) -> list[str]:
    """The lines with the parameters that they read unpacked where `PLACE` stands, a few on a line."""
    code = "\n".join(line.split("#")[0] for line in lines)
    cut = {b for s in plan.splits for b in s.blocks}
    whole = [*(p for p in plan.program.parameters if p not in cut), *(s.whole for s in plan.splits)]
    used = [p for p in whole if re.search(rf"(?<![\w.']){re.escape(names(p))}(?![\w'])", code)]
    rows = [used[k : k + 3] for k in range(0, len(used), 3)]
    unpacked = [f"    {', '.join(map(names, row))} = {', '.join(f'params[{p.name!r}]' for p in row)}" for row in rows]
    k = lines.index(PLACE)
    return [*lines[:k], *unpacked, *lines[k + 1 :]]


def _blocks(plan: Plan, names: Names) -> list[str]:
    """The columns of W that meet h, and those that meet x."""
    out = []
    for s in plan.splits:
        ends = ["0"]
        for size in s.sizes:
            ends.append(names.size(size) if ends[-1] == "0" else f"{ends[-1]} + {names.size(size)}")
        for k, b in enumerate(s.blocks):
            out.append(f"{names(b)} = {names(s.whole)}[:, {ends[k]}:{ends[k + 1]}]")
    return out


def _forward(plan: Plan, forward: Forward, names: Names) -> str:
    program = plan.program
    first, *_others = program.states
    body = list(forward.body.lines)
    scratch = [f"{name} = np.empty({shape}, dtype)" for name, shape in forward.body.scratch.items()]
    own = {m[1] for line in forward.setup if (m := re.match(r"(\w+) = np\.empty", line))}
    olds = {f"{names(s)}": forward.views[names(s)] for s in program.states}
    hold = [f"np.copyto({names(new)}, {names(old)}, where=padded[t])" for old, new in program.updates.items()]
    masked = ["if mask is not None:  # a padded step keeps the state", *indent(hold)]
    views = _views({**forward.views, **olds}, [*body, *hold], own)
    inner: list[str] = []
    for v in views:
        _left, right = v.split(" = ", 1)
        if re.search(r"\bt\b", right) or any(re.search(rf"\b{right}\b", done.split(" = ")[0]) for done in inner if right.isidentifier()):
            inner.append(v)
    outer = [v for v in views if v not in inner]
    loop = ["for t in range(T):", *indent([*inner, *body, *masked])]
    wide = {old: forward.array(old) for old in program.states}
    xs = ["xs"] if len(program.inputs) < 2 else [f"xs[{x.name!r}]" for x in program.inputs]
    swap = "xs = xs.swapaxes(0, 1)" if len(xs) == 1 else "xs = {k: v.swapaxes(0, 1) for k, v in xs.items()}"
    extra = [f"outputs = {{{', '.join(f'{y.name!r}: {forward.kept[y]}' for y in program.outputs)}}}"] if program.outputs else []
    cache = ", ".join(["xs", *forward.stored_names(), "params", "mask", "batch_first", *(["outputs"] if extra else [])])
    lines = [
        "def forward(xs, states, params, mask=None, batch_first=False):",
        '    """ys, final_states, cache: the state ' + first.name + " after every step, all states after the last one, and what backward reads.",
        "",
        f"    {_inputs_said(program)}; states and params by name; mask (T, B), 1 where a step is real:",
        "    a padded step keeps the states.  With batch_first, xs, ys and mask have their first two axes exchanged.",
        *(["    The outputs " + ", ".join(y.name for y in program.outputs) + " of every step are cache[-1], by name."] if extra else []),
        '    """',
        *indent(
            [
                "if batch_first:",
                f"    {swap}",
                "    mask = None if mask is None else np.asarray(mask).T",
                PLACE.strip(),
                *_sizes(plan, names, lambda s: f"states[{s.name!r}]"),
                *_blocks(plan, names),
            ]
        ),
        f"    dtype = np.result_type({', '.join(xs)}, *states.values(), *params.values())",
        *indent(forward.setup),
        *indent(scratch),
        *(["    one = np.ones((), dtype)"] if reads_one(body) else []),
        *indent(outer),
        "    if mask is not None:",
        "        padded = np.asarray(mask)[:, :, None] == 0",
        *indent(['with np.errstate(over="ignore"):', *indent(loop)] if "sigmoid(" in "\n".join(body) else loop),
        f"    ys = {wide[first]}[1:]",
        f"    final_states = {{{', '.join(f'{s.name!r}: {wide[s]}[T].copy()' for s in program.states)}}}",
        *indent(extra),
        f"    cache = ({cache})",
        "    return (ys.swapaxes(0, 1) if batch_first else ys), final_states, cache",
        "",
    ]
    return "\n".join(_with_parameters(plan, names, lines)).replace("'", '"')


def _inputs_said(program: Program) -> str:
    """What `xs` is."""
    if not program.inputs:
        return "xs (T, B, …) is read for its T and B alone"
    arrays = [f"(T, B, {program.shapes[x][0]})" for x in program.inputs]
    return f"xs {arrays[0]}" if len(arrays) == 1 else "xs by input name, " + ", ".join(f"{x} {a}" for x, a in zip(program.inputs, arrays, strict=True))


def reads_one(lines: list[str]) -> bool:
    """Whether the number 1 is read: as an array it costs a call less time than as a Python number."""
    return any(re.search(r"\bone\b", line.split("#")[0]) for line in lines)


def _backward(plan: Plan, forward: Forward, reverse: Reverse, names: Names) -> str:
    program = plan.program
    news = list(program.updates.items())
    outputs = program.outputs
    body = list(reverse.body.lines)
    running = {old: reverse.running(new) for old, new in news}
    first = program.states[0]
    start = ["dfinal = dfinal or {}  # what is missing is zero"]
    start += [f"{d} = np.array(dfinal.get({old.name!r}, np.zeros({names.shape(program.shapes[old], 'B')})), dtype)" for old, d in running.items()]
    keep = [f"np.multiply({d}, padded[t], out={d}_kept)" for d in running.values()] + [f"{d} *= real[t]" for d in running.values()]
    give = [f"{d}_prev += {d}_kept" for d in running.values()]
    own = {m[1] for line in reverse.setup if (m := re.match(r"(\w+) = np\.empty", line))}
    inner = _views(reverse.views, body, own)
    ahead = _views(reverse.block_views, reverse.block.lines, own)
    swaps = [f"{d}, {d}_prev = {d}_prev, {d}" for d in running.values()]
    if not plan.program.inputs:
        dxs = "None"
    else:
        codes = {x: reverse.whole[plan.equations.results[x]] for x in program.inputs}
        one = next(iter(codes.values()))
        flip = "{}.swapaxes(0, 1) if batch_first else {}"
        dxs = flip.format(one, one) if len(codes) == 1 else "{" + ", ".join(f"{x.name!r}: {flip.format(c, c)}" for x, c in codes.items()) + "}"
    if reverse.biased:
        reverse.tail.append("db += np.add.reduce(d[:, start:stop], axis=1)")
    block = ["block = slice(start, stop)", *ahead, *reverse.block.lines] if reverse.block.lines or reverse.tail else []
    outs: list[str] = []
    for y in outputs:
        d = f"{names(reverse.sweep.seed(y))}_all"
        outs += [
            f"{d} = np.zeros({names.shape(program.shapes[y], 'T', 'B')}, dtype)",
            f"if doutputs is not None and doutputs.get({y.name!r}) is not None:",
            f"    {d}[...] = doutputs[{y.name!r}].swapaxes(0, 1) if batch_first else doutputs[{y.name!r}]",
            "if mask is not None:",
            f"    {d} *= np.asarray(mask)[:, :, None]",
        ]
    grads = _gradients(plan, reverse, names)
    lines = [
        f"def backward(dys, dfinal, cache{', doutputs=None' if outputs else ''}):",
        '    """dxs, dstates, dparams: the gradients of the inputs, of the initial states and of the parameters.',
        "",
        f"    dys (T, B, {program.shapes[first][0]}) is ∂L/∂ys, dfinal ∂L/∂(final state) by name"
        + (", doutputs ∂L/∂ of the outputs by name" if outputs else "")
        + ".",
        '    """',
        f"    {', '.join(['xs', *forward.stored_names(), 'params', 'mask', 'batch_first', *(['_'] if outputs else [])])} = cache",
        PLACE,
        "    if batch_first:",
        "        dys = dys.swapaxes(0, 1)",
        f"    dtype = {forward.array(first)}.dtype",
        *indent(_sizes(plan, names, forward.array)),
        *indent(_blocks(plan, names)),
        *indent(start),
        *indent([f"{d}_prev = np.empty_like({d})" for d in running.values() if f"{d}_prev" not in own]),
        f"    K = max(1, 16384 // (B * {names.size(program.shapes[first][0])}))  # steps in a block, so that its slopes stay in the cache" if block else "",
        *indent(reverse.setup),
        *(["    one = np.ones((), dtype)"] if reads_one([*body, *reverse.block.lines]) else []),
        *indent(outs),
        *(["    db = np.zeros((len(d), *d.shape[2:]), dtype)  # summed over the steps, then over the sequences"] if reverse.biased else []),
        "    if mask is not None:",
        "        real = np.asarray(mask, dtype)[:, :, None]",
        "        padded = 1 - real",
        *[f"        {d}_kept = np.empty_like({d})" for d in running.values()],
    ]
    step = [
        *inner,
        f"{running[first]} += dys[t]",
        "if mask is not None:  # a padded step hands the adjoints on",
        *indent(keep),
        *body,
        "if mask is not None:",
        *indent(give),
        *swaps,
    ]
    if block:
        lines += [
            "    for stop in range(T, 0, -K):",
            "        start = max(stop - K, 0)",
            *indent(block, 2),
            "        for t in range(stop - 1, start - 1, -1):",
            *indent(step, 3),
            *indent(reverse.tail, 2),
        ]
    else:
        lines += ["    for t in range(T - 1, -1, -1):", *indent(step, 2)]
    lines += [
        *indent(reverse.after),
        *indent(grads),
        f"    dstates = {{{', '.join(f'{old.name!r}: {d}' for old, d in running.items())}}}",
        f"    dxs = {dxs}",
        "    return dxs, dstates, dparams",
        "",
    ]
    end = lines.index('    """')
    lines = [*lines[:end], *(line for line in lines[end:] if line)]
    return "\n".join(_with_parameters(plan, names, lines)).replace("'", '"') + "\n"


def _gradients(plan: Plan, reverse: Reverse, names: Names) -> list[str]:
    """The dict of parameter gradients."""
    out = ["db = db.sum(axis=1)"] if reverse.biased else []
    cut = {b: s for s in plan.splits for b in s.blocks}
    entries = []
    for p in plan.program.parameters:
        code = " + ".join(reverse.grads.get(p, [])) or f"np.zeros({names.shape(plan.program.shapes[p])}, dtype)"
        if p in cut:
            out.append(f"d{names(p)} = {code}")
        else:
            entries.append(f"{p.name!r}: {code}")
    entries += [f"{s.whole.name!r}: np.concatenate([{', '.join(f'd{names(b)}' for b in s.blocks)}], axis=1)" for s in plan.splits]
    return [*out, "dparams = {", *(f"    {e}," for e in entries), "}"]
