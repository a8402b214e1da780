"""The module that ``symgrad backward CELL --to numpy`` prints: a forward and a backward function over whole sequences, of NumPy alone."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symgrad.generate.backward.after import After
from symgrad.generate.backward.forward import Forward
from symgrad.generate.backward.functions import HELPERS
from symgrad.generate.backward.names import Names
from symgrad.generate.backward.places import assigned, reads, unpacked
from symgrad.generate.backward.plan import Plan
from symgrad.generate.backward.reverse import Reverse
from symgrad.generate.backward.sweep import Sweep
from symgrad.language.program import Program


def numpy_module(program: Program, title: str) -> str:
    """The source of the module; raises `SymgradError` for a cell with functions left free."""
    plan = Plan(program)
    sweep = Sweep(plan)
    names = Names(plan)
    forward = Forward(plan, sweep, names)
    reverse = Reverse(forward)
    body = _forward(plan, forward, names) + "\n\n" + _backward(plan, forward, reverse, After(reverse), names)
    called = reads(body)
    for name, code in reversed(HELPERS.items()):  # a helper calls those before it
        called |= reads(code) if name in called else set()
    head = f'"""{title}\n"""\n\nimport numpy as np\n\n'
    return head + "".join(f"\n{code}\n" for name, code in HELPERS.items() if name in called) + "\n" + body


def indent(lines: list[str], by: int = 1) -> list[str]:
    """Lines set in."""
    return ["    " * by + line if line else line for line in lines]


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
    k = lines.index(PLACE)
    found = reads([*lines[:k], *lines[k + 1 :]])
    cut = {b for s in plan.splits for b in s.blocks}
    whole = [*(p for p in plan.program.parameters if p not in cut), *(s.whole for s in plan.splits)]
    used = [p for p in whole if names(p) in found]
    rows = [used[k : k + 3] for k in range(0, len(used), 3)]
    unpacking = [f"    {', '.join(map(names, row))} = {', '.join(f'params[{p.name!r}]' for p in row)}" for row in rows]
    return [*lines[:k], *unpacking, *lines[k + 1 :]]


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
    own = assigned(forward.setup)
    hold = [f"np.copyto({names(new)}, {names(old)}, where=padded[t])" for old, new in program.updates.items()]
    masked = ["if mask is not None:  # a padded step keeps the state", *indent(hold)]
    views = unpacked(forward.views, [*body, *hold], own)
    inner: list[str] = []
    for v in views:
        if reads(v) & {"t", *assigned(inner)}:
            inner.append(v)
    outer = [v for v in views if v not in inner]
    loop = ["for t in range(T):", *indent([*inner, *body, *masked])]
    wide = {old: forward.array(old) for old in program.states}
    xs = ["xs"] if len(program.inputs) < 2 else [f"xs[{x.name!r}]" for x in program.inputs]
    swap = "xs = xs.swapaxes(0, 1)" if len(xs) == 1 else "xs = {k: v.swapaxes(0, 1) for k, v in xs.items()}"
    extra = []
    if program.outputs:
        extra.append(f"outputs = {{{', '.join(f'{y.name!r}: {forward.kept[y]}' for y in program.outputs)}}}")
        extra.append("if mask is not None:")
        real = {y: f"np.where(padded{'' if program.shapes[y] else '[:, :, 0]'}, 0, {forward.kept[y]})" for y in program.outputs}
        extra.append(f"    outputs = {{{', '.join(f'{y.name!r}: {real[y]}' for y in program.outputs)}}}")
        extra.append("if batch_first:")
        extra.append("    outputs = {name: y.swapaxes(0, 1) for name, y in outputs.items()}")
    cache = ", ".join(["xs", *forward.stored_names(), "params", "mask", "batch_first", *(["outputs"] if extra else [])])
    lines = [
        "def forward(xs, states, params, mask=None, batch_first=False):",
        '    """ys, final_states, cache: the state ' + first.name + " after every step, all states after the last one, and what backward reads.",
        "",
        f"    {_inputs_said(program)}; states and params by name; mask (T, B), 1 where a step is real:",
        "    a padded step keeps the states.  With batch_first, xs, ys and mask have their first two axes exchanged.",
        *([f"    The outputs {', '.join(y.name for y in program.outputs)} of every step are cache[-1], 0 where a step is padded."] if extra else []),
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
        *(["    one = np.ones((), dtype)"] if "one" in reads(body) else []),
        *indent(outer),
        "    if mask is not None:",
        "        padded = np.asarray(mask)[:, :, None] == 0",
        *indent(['with np.errstate(over="ignore"):', *indent(loop)] if "sigmoid" in reads(body) else loop),
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


def _backward(plan: Plan, forward: Forward, reverse: Reverse, after: After, names: Names) -> str:
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
    own = assigned(reverse.setup)
    inner = unpacked(reverse.views, body, own)
    ahead = unpacked(reverse.block_views, reverse.block.lines, own)
    swaps = [f"{d}, {d}_prev = {d}_prev, {d}" for d in running.values()]
    if not plan.program.inputs:
        dxs = "None"
    else:
        codes = {x: reverse.whole[plan.equations.results[x]] for x in program.inputs}
        one = next(iter(codes.values()))
        flip = "{}.swapaxes(0, 1) if batch_first else {}"
        dxs = flip.format(one, one) if len(codes) == 1 else "{" + ", ".join(f"{x.name!r}: {flip.format(c, c)}" for x, c in codes.items()) + "}"
    block = ["block = slice(start, stop)", *ahead, *reverse.block.lines] if reverse.block.lines else []
    outs: list[str] = []
    for y in outputs:
        d = f"{names(reverse.sweep.seed(y))}_all"
        outs += [
            f"{d} = np.zeros({names.shape(program.shapes[y], 'T', 'B')}, dtype)",
            f"if doutputs is not None and doutputs.get({y.name!r}) is not None:",
            f"    {d}[...] = doutputs[{y.name!r}].swapaxes(0, 1) if batch_first else doutputs[{y.name!r}]",
            "if mask is not None:",
            f"    {d} *= np.asarray(mask){'[:, :, None]' if program.shapes[y] else ''}",
        ]
    grads = _gradients(plan, after, names)
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
        *(["    one = np.ones((), dtype)"] if "one" in reads([*body, *reverse.block.lines]) else []),
        *indent(outs),
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
        ]
    else:
        lines += ["    for t in range(T - 1, -1, -1):", *indent(step, 2)]
    lines += [
        *indent(after.lines),
        *indent(grads),
        f"    dstates = {{{', '.join(f'{old.name!r}: {d}' for old, d in running.items())}}}",
        f"    dxs = {dxs}",
        "    return dxs, dstates, dparams",
        "",
    ]
    end = lines.index('    """')
    lines = [*lines[:end], *(line for line in lines[end:] if line)]
    return "\n".join(_with_parameters(plan, names, lines)).replace("'", '"') + "\n"


def _gradients(plan: Plan, after: After, names: Names) -> list[str]:
    """The dict of parameter gradients."""
    out = ["db = d.sum(axis=1).sum(axis=1)  # over the steps, then over the sequences"] if after.biased else []
    cut = {b: s for s in plan.splits for b in s.blocks}
    entries = []
    for p in plan.program.parameters:
        code = " + ".join(after.grads.get(p, [])) or f"np.zeros({names.shape(plan.program.shapes[p])}, dtype)"
        if p in cut:
            out.append(f"d{names(p)} = {code}")
        else:
            entries.append(f"{p.name!r}: {code}")
    entries += [f"{s.whole.name!r}: np.concatenate([{', '.join(f'd{names(b)}' for b in s.blocks)}], axis=1)" for s in plan.splits]
    return [*out, "dparams = {", *(f"    {e}," for e in entries), "}"]
