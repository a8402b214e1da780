"""Terms that are no product of matrices, by einsum; I[i,j] and constant blocks only say where in an array something is."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping

import sympy as sp

from symgrad.errors import SymgradError
from symgrad.generate.step.lines import Value
from symgrad.generate.step.nodes import Cut
from symgrad.language.tensor import IDENTITY, ONE, Tensor, Term


def einsum_lines(
    term: Term,
    out: Value,
    values: Mapping[sp.Expr | Tensor, Value],
    blocks: Mapping[sp.Symbol, Cut],
    span: Callable[[Cut], str],
    batch: bool,
    value: Callable[[sp.Expr], Value],
    name: str,
) -> str:
    """out += term, where `values` are the arrays of its factors and `blocks` the places of constant blocks."""
    place: dict[int, str] = {}
    label = {i: i for f in term.factors for i in f.indices} | {i: i for i in range(len(out.dims))}
    cuts: dict[int, tuple[int, Cut]] = {}
    operands: list[tuple[Value, list[int]]] = []
    for f in term.factors:
        if f.value == IDENTITY:
            _merge(label, f.indices)
        elif f.value in blocks:
            whole, piece = f.indices
            if whole in cuts and cuts[whole][1] != blocks[f.value]:
                return ""  # different parts do not meet: the term is 0
            if whole in cuts:
                _merge(label, (cuts[whole][0], piece))
            cuts[whole] = (piece, blocks[f.value])
        elif f.value != ONE:
            operands.append((values[f.value], list(f.indices)))
        elif f.indices[0] >= len(out.dims):
            raise SymgradError("a sum of ones over an index that nothing has cannot be compiled")
    for whole, (piece, (offset, size)) in cuts.items():  # a part of a part
        while piece in cuts:
            piece, (further, size) = cuts[piece]
            offset += further
        cuts[whole] = (piece, (offset, size))
    letters, axes = string.ascii_letters, range(len(out.dims))
    for whole, (piece, part) in cuts.items():
        if whole < len(out.dims):
            place[whole] = span(part)
        label[whole] = label[piece]
    texts, subscripts = [], []
    for v, indices in operands:
        text = str(v)
        taken = [span(cuts[i][1]) if i in cuts else ":" for i in indices] if v.dims else []
        tail = [] if not batch else [":"] if v.batched else ["0"]
        if any(t != ":" for t in (*taken, *tail)):
            text += f"[{', '.join((*taken, *tail))}]"
        texts.append(text)
        subscripts.append("".join(letters[label[i]] for i in (indices if v.dims else [])) + ("Z" if batch and v.batched else ""))
    free = list(dict.fromkeys(label[i] for i in axes))
    present = {c for s in subscripts for c in s}
    shown = [i for i in free if letters[i] in present]
    result = "".join(letters[i] for i in shown) + ("Z" if "Z" in present else "")
    summed = any(c not in result for c in present)
    dst = str(out) + (f"[{', '.join(place.get(i, ':') for i in axes)}]" if place else "")
    target = "".join(letters[label[i]] for i in axes)
    kept = "".join(letters[i] for i in free)
    if target != kept:
        dst = f'einsum("{target}...->{kept}...", {dst})'
    call = f'einsum("{",".join(subscripts)}->{result}", {", ".join(texts)}, optimize={summed and len(texts) > 1})' if texts else "1"
    index = [":" if i in shown else "None" for i in free] + ([":" if "Z" in result else "None"] if batch else [])
    if texts and "None" in index:
        call += f"[{', '.join(index)}]"
    if term.coefficient != 1:
        call = f"{value(term.coefficient)} * {call}"
    return f"{name} = {dst}\nadd({name}, {call}, {name})"


def _merge(label: dict[int, int], indices: Iterable[int]) -> None:
    """Both indices of I get the smaller label, as does everything that had the larger one."""
    low, high = sorted(label[i] for i in indices)
    for i, at in label.items():
        if at == high:
            label[i] = low
