"""``symgrad backward CELL --to torch``: the derived backward pass as a `torch.autograd.Function`, equation by equation."""

from __future__ import annotations

import string

import sympy as sp

from symgrad.generate.backward.lines import infix
from symgrad.generate.backward.names import Names, comment
from symgrad.generate.backward.places import reads
from symgrad.generate.backward.plan import Plan, Product
from symgrad.generate.backward.sweep import Sweep
from symgrad.language.program import Program
from symgrad.language.tensor import IDENTITY, ONE, Tensor
from symgrad.notation.text import text
from symgrad.notation.write import Writer, update_equations

FUNCTIONS = {
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "exp": "torch.exp",
    "log": "torch.log",
    "abs": "torch.abs",
    "sign": "torch.sign",
    "relu": "torch.relu",
    "sqrt": "torch.sqrt",
    "softplus": "torch.nn.functional.softplus",
    "step": "step",
}
STEP = "def step(a):\n    return (a > 0).to(a.dtype)\n"


class Torch:
    """Writes the module: one step forward and one step back as infix formulas, gradients of parameters from all steps at once."""

    def __init__(self, program: Program) -> None:
        self.cell = program
        self.plan = Plan(program)
        self.sweep, self.names = Sweep(self.plan), Names(self.plan)
        self.program, self.adjoint = self.plan.program, self.sweep.adjoint
        self.all = False  # writing for all steps at once
        self.xs = ["xs"] if len(program.inputs) < 2 else [f"{x.name}s" for x in program.inputs]
        self.like = self.xs[0]  # whose type and device a constant has
        self.read: set[sp.Symbol] = set()  # forward names that backward reads at each step
        self.read_all: set[sp.Symbol] = set()  # names that are read of all steps at once

    def code(self, e: sp.Expr) -> str:
        """A formula; contractions are products or einsums."""
        return infix(e, self.name, FUNCTIONS)

    def name(self, s: sp.Symbol) -> str:
        if s in self.plan.products:
            p = self.plan.products[s]
            return self.product(self.operand(p.operand), p, forward=True)
        if s in self.sweep.gathered:
            return "(" + " + ".join(self.product(self.name(self.sweep.delta(slot)), p, forward=False) for slot, p in self.sweep.gathered[s].members) + ")"
        if s in self.program.constants:
            return self.names.block(s, f"torch.eye({{}}, dtype={self.like}.dtype, device={self.like}.device)")
        if s in self.adjoint.atoms:
            return self.einsum(s, keep=True)
        if s not in self.program.parameters:
            (self.read_all if self.all else self.read).add(s)
        return f"{self.names(s)}_all" if self.all and s not in self.program.parameters and (s in self.plan.batched or s.name.startswith("δ")) else self.names(s)

    def operand(self, e: sp.Expr) -> str:
        return self.code(e) if e.is_Symbol else f"({self.code(e)})"

    def product(self, left: str, p: Product, forward: bool) -> str:
        return f"{left} @ {self.names(p.matrix)}{'.T' if forward != p.transposed else ''}"

    def einsum(self, s: sp.Symbol, keep: bool) -> str:
        value = self.adjoint.atoms[s]
        assert isinstance(value, Tensor)
        letters = [c for c in string.ascii_lowercase if c not in "tb"]
        lead = "tb" if self.all else "b"
        terms = []
        for term in value.terms:
            specs, operands, seen, carries = [], [], set(), False
            for f in term.factors:
                if f.value == ONE:
                    continue
                assert not isinstance(f.value, Tensor)
                assert f.value != IDENTITY, "a cell does not contain I"
                batched = any(
                    a.name.startswith("δ") or a in self.plan.batched or (a in self.adjoint.atoms and a not in self.program.atoms) for a in f.value.free_symbols
                )
                carries |= batched
                seen |= set(f.indices)
                specs.append((lead if batched else "") + "".join(letters[i] for i in f.indices))
                operands.append(self.operand(f.value))
            for i in range(value.rank):
                if i not in seen:
                    specs.append(letters[i])
                    operands.append(f"{self.like}.new_ones({self.names.size(value.dims[i])})")
            out = (lead if keep and carries else "") + "".join(letters[: value.rank])
            code = f"torch.einsum({','.join(specs) + '->' + out!r}, {', '.join(operands)})"
            terms.append(code if term.coefficient == 1 else f"{float(term.coefficient)} * {code}")
        return "(" + " + ".join(terms) + ")" if len(terms) > 1 else terms[0]

    # -- the two passes -----------------------------------------------------------------------------------------------------

    def forward_step(self) -> list[str]:
        """The cell's equations."""
        writer = Writer(self.program)
        lines = []
        needed = [s for s in self.program.equations if s in self.plan.needed]
        hidden = {s for s in needed if s in self.plan.activation and s not in self.sweep.reads}
        for s in needed:
            if s in hidden:
                continue
            expr = self.program.equations[s].xreplace({h: self.program.equations[h] for h in hidden})
            lines += [f"# {comment(writer, s)}", f"{self.names(s)} = {self.code(expr)}"]
        return lines

    def backward_step(self) -> list[str]:
        """The adjoint equations."""
        writer = Writer(self.adjoint)
        lines = []
        for st in self.sweep.loop:
            parts = [a for c, source in st.terms for a in [c * x for x in (self.sweep.atoms_of(source) if source in self.sweep.gathered else [source])]]
            lines.append(f"# {text_equation(writer, st.name, sp.Add(*parts))}")
            terms = []
            for c, source in st.terms:
                code = self.name(source)
                terms.append(
                    code.removeprefix("(").removesuffix(")")
                    if c == 1 and source in self.sweep.gathered
                    else code
                    if c == 1
                    else f"{infix(c, self.name, FUNCTIONS, 2)} * {code}"
                )
            lines.append(f"{self.target(st.name)} = {' + '.join(terms) or 'torch.zeros_like(dys[t])'}")
        return lines

    def target(self, d: sp.Symbol) -> str:
        return f"{self.names(d)}_prev" if d in self.sweep.results else self.names(d)

    def after(self) -> list[str]:
        """What is computed for all steps at once."""
        self.all = True
        lines = []
        for st in self.sweep.after:
            p = next((p for p in self.program.parameters if self.plan.equations.results[p] == st.name), None)
            terms = [self.term(c, source, p) for c, source in st.terms]
            zero = f"torch.zeros_like({self.names(p)})" if p is not None else "torch.zeros_like(xs)"
            lines.append(f"{self.names(st.name)}{'' if p is not None else '_all'} = {' + '.join(terms) or zero}")
        self.all = False
        return lines

    def term(self, c: sp.Expr, source: sp.Symbol, p: sp.Symbol | None) -> str:
        if p is None:
            return self.name(source) if c == 1 else f"{infix(c, self.name, FUNCTIONS, 2)} * {self.name(source)}"
        if source in self.sweep.outer:
            s, product = self.sweep.outer[source]
            indices = "tbj,tbi->ij" if product.transposed else "tbi,tbj->ij"
            return f"torch.einsum({indices!r}, {self.name(self.sweep.delta(s))}, {self.code(product.operand)})"
        if c == 1 and source in self.adjoint.atoms and source not in self.sweep.gathered:
            return self.einsum(source, keep=False)
        value = self.name(source) if c == 1 else f"({infix(c, self.name, FUNCTIONS, 2)} * {self.name(source)})"
        return f"{value}.sum((0, 1))"


def text_equation(writer: Writer, s: sp.Symbol, right: sp.Expr) -> str:
    """``δ a_t = …`` in Unicode."""
    return f"{text(writer.symbol(s))} = {text(writer.expression(right))}"


def torch_module(program: Program) -> str:
    """The source of the module."""
    w = Torch(program)
    n = w.names
    states, params, inputs, outputs = program.states, program.parameters, program.inputs, w.program.outputs
    news = {old: n(program.updates[old]) for old in states}
    step, back, after = w.forward_step(), w.backward_step(), w.after()
    title = "".join(part.capitalize() for part in program.name.split("_"))
    loop_reads = [s for s in (*inputs, *states, *w.program.equations) if s in w.read and (s in w.program.equations or s in states or s in inputs)]
    loop_reads = [s for s in loop_reads if n(s) in reads(back) and s in w.plan.batched]
    asked = reads(after)
    whole = [s for s in (*inputs, *states, *w.program.equations) if s in w.read_all and s in w.plan.batched and f"{n(s)}_all" in asked]
    saved = list(dict.fromkeys([*loop_reads, *whole]))
    saved_step = [s for s in saved if s not in inputs]
    kept = [*saved_step, *(y for y in outputs if y not in saved_step)]
    fixed = [s for s in w.program.equations if s in w.plan.needed and s not in w.plan.batched and (s in w.read or s in w.read_all)]
    collected = [d for d in w.sweep.stored if f"{n(d)}_all" in asked]
    xs_args = w.xs
    seeds = {old: w.sweep.seed(new) for old, new in program.updates.items()}
    d_out = [n(w.sweep.seed(y)) for y in outputs]

    def column(y: sp.Symbol) -> str:
        return "[:, :, None]" if w.program.shapes[y] else ""

    first = states[0]
    args = [*xs_args, "mask", *(n(s) for s in states), *(n(p) for p in params)]
    size_lines = []
    known: set[str] = set()
    for s, array in (*((x, xs) for x, xs in zip(inputs, xs_args, strict=False)), *((s, n(s)) for s in (*params, *states))):
        for axis, dim in enumerate(w.program.shapes[s]):
            if dim.is_Symbol and dim.name not in known:
                known.add(dim.name)
                size_lines.append((n.sizes[dim.name], f"{array}.shape[{axis if s in params else -1}]"))
    asked = reads([*step, *back, *after])
    cut = {n.sizes[d.name] for s in w.plan.splits for e in s.sizes for d in e.free_symbols}
    sizes = [f"{k} = {v}" for k, v in size_lines if k in asked | cut]
    results = w.plan.equations.results
    given_back = {s.whole: f"torch.cat([{', '.join(n(results[b]) for b in s.blocks)}], 1)" for s in w.plan.splits}
    gradients = [*([f"{n(results[x])}_all" for x in inputs] or ["None"]), "None", *(n(seeds[s]) for s in states)]
    gradients += [given_back.get(p) or n(results[p]) for p in params]
    cuts = [f"{', '.join(map(n, s.blocks))} = {n(s.whole)}.split([{', '.join(map(n.size, s.sizes))}], 1)" for s in w.plan.splits]
    given = [*xs_args, "mask", *(f"states[{s.name!r}]" for s in states), *(f"params[{p.name!r}]" for p in params)]
    by_name = ", xs by input name" if len(inputs) > 1 else ""
    lines = [
        f'"""The cell {program.name} over whole sequences, with its derived backward pass as a torch.autograd.Function.',
        "",
        *(f"    {text(e)}" for e in update_equations(program)),
        "",
        f"Written by `symgrad backward {program.name} --to torch`.  Time first: xs (T, B, m); mask (T, B), 1 where a step is real.",
        '"""',
        "",
        "import torch",
        "",
        "",
        *([*STEP.splitlines(), "", ""] if "step" in asked else []),
        f"class {title}(torch.autograd.Function):",
        "    @staticmethod",
        f"    def forward(ctx, {', '.join(args)}):",
        *(f"        {line}" for line in (*sizes, *cuts)),
        f"        {', '.join(['ys', *(f'{n(s)}_list' for s in kept)])} = {', '.join('[]' for _ in ('ys', *kept))}",
        f"        for t in range({xs_args[0]}.shape[0]):",
        *(f"            {n(x)} = {xs_args[k]}[t]" for k, x in enumerate(inputs)),
        *(f"            {line}" for line in step),
        *(f"            {n(s)}_list.append({n(s)})" for s in saved_step),
        *(f"            {n(y)}_list.append({n(y)})" for y in outputs if y not in saved_step),
        "            if mask is not None:  # a padded step keeps the state",
        *(f"                {news[s]} = torch.where(mask[t, :, None] > 0, {news[s]}, {n(s)})" for s in states),
        f"            {', '.join(n(s) for s in states)} = {', '.join(news[s] for s in states)}",
        f"            ys.append({n(first)})",
        f"        ctx.save_for_backward({', '.join([*xs_args, 'mask', *(f'torch.stack({n(s)}_list)' for s in saved_step), *map(n, fixed), *map(n, params)])})",
        *(f"        {n(y)}_all = torch.stack({n(y)}_list)" for y in outputs),
        *(["        if mask is not None:  # the outputs of a padded step are 0"] if outputs else []),
        *(f"            {n(y)}_all = torch.where(mask{column(y)} > 0, {n(y)}_all, torch.zeros_like({n(y)}_all))" for y in outputs),
        f"        return {', '.join(['torch.stack(ys)', *(n(s) for s in states), *(f'{n(y)}_all' for y in outputs)])}",
        "",
        "    @staticmethod",
        f"    def backward(ctx, dys, {', '.join(f'd{n(s)}_end' for s in states)}{''.join(f', {d}_all' for d in d_out)}):",
        f"        {', '.join([*xs_args, 'mask', *(f'{n(s)}_all' for s in saved_step), *map(n, fixed), *map(n, params)])} = ctx.saved_tensors",
        *(f"        {n(x)}_all = {xs_args[k]}" for k, x in enumerate(inputs) if x in whole),
        *(f"        {line}" for line in (*sizes, *cuts)),
        *(["        if mask is not None:"] if outputs else []),
        *(f"            {d}_all = {d}_all * mask{column(y)}" for y, d in zip(outputs, d_out, strict=True)),
        *(f"        {n(seeds[s])} = d{n(s)}_end" for s in states),
        *(f"        {n(d)}_list = []" for d in collected if n(d) not in d_out),
        f"        for t in reversed(range({xs_args[0]}.shape[0])):",
        *(f"            {n(x)} = {xs_args[k]}[t]" for k, x in enumerate(inputs) if x in loop_reads),
        *(f"            {n(s)} = {n(s)}_all[t]" for s in loop_reads if s not in inputs),
        *(f"            {d} = {d}_all[t]" for d in d_out),
        f"            {n(seeds[first])} = {n(seeds[first])} + dys[t]",
        "            if mask is not None:  # a padded step hands the adjoints on",
        "                real = mask[t, :, None].to(dys.dtype)",
        *(f"                {n(seeds[s])}_kept, {n(seeds[s])} = {n(seeds[s])} * (1 - real), {n(seeds[s])} * real" for s in states),
        *(f"            {line}" for line in back),
        *(f"            {n(d)}_list.append({n(d)})" for d in collected if n(d) not in d_out),
        f"            {', '.join(n(seeds[s]) for s in states)} = {', '.join(w.target(w.plan.equations.results[s]) for s in states)}",
        "            if mask is not None:",
        *(f"                {n(seeds[s])} = {n(seeds[s])} + {n(seeds[s])}_kept" for s in states),
        *(f"        {n(d)}_all = torch.stack({n(d)}_list[::-1])" for d in collected if n(d) not in d_out),
        *(f"        {line}" for line in after),
        f"        return {', '.join(gradients)}",
        "",
        "",
        f"def {program.name}(xs, states, params, mask=None, batch_first=False):",
        f'    """ys and the final states{" and the outputs" if outputs else ""}, differentiable; states and params by name{by_name}."""',
        *([f"    {', '.join(xs_args)} = {', '.join(f'xs[{x.name!r}]' for x in inputs)}"] if len(inputs) > 1 else []),
        "    if batch_first:",
        *(f"        {x} = {x}.transpose(0, 1)" for x in xs_args),
        "        mask = None if mask is None else mask.T",
        f"    ys, {', '.join([*(f'{n(s)}_end' for s in states), *map(n, outputs)])} = {title}.apply({', '.join(given)})",
        f"    final = {{{', '.join(f'{s.name!r}: {n(s)}_end' for s in states)}}}",
        *([f"    outputs = {{{', '.join(f'{y.name!r}: {n(y)}' for y in outputs)}}}"] if outputs else []),
        *(["    if batch_first:", "        outputs = {k: y.transpose(0, 1) for k, y in outputs.items()}"] if outputs else []),
        f"    return (ys.transpose(0, 1) if batch_first else ys), final{', outputs' if outputs else ''}",
        "",
    ]
    return "\n".join(lines)
