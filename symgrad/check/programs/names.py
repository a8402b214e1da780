"""What programmers call things: gradients by a mark before a name, states of the step before by a word, lists of steps by another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from symgrad.check.evaluation.adjoints import BEFORE
from symgrad.check.programs.expressions import SAME, of_module
from symgrad.check.programs.values import blank, last_name, placed
from symgrad.check.reading.statements import LOSSES
from symgrad.check.reading.trees import kind
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Name

OLD = frozenset({"prev", "old", "last", "previous", "tm1", "before", "prior"})
NEW = frozenset({"next", "new", "cur", "curr", "current", "now", "future"})
KEPT = frozenset({
    "list", "lists", "states", "state", "seq", "cache", "caches", "cached", "all", "hist", "history", "t", "s", "values", "steps", "stack", "sequence", "layer",
})  # fmt: skip
INPUTS = frozenset({"x", "xs", "xt", "input", "inputs", "inp", "emb", "embed", "embedding", "embeddings", "token", "data", "features", "wordvec"})
OUTPUTS = frozenset({
    "y", "ys", "yt", "o", "out", "output", "outputs", "outs", "logit", "logits", "score", "scores", "pred", "preds", "y_pred", "y_hat", "yhat",
})  # fmt: skip
AIMS = frozenset({"true", "target", "targets", "label", "labels", "expected", "desired", "onehot", "truth"})  # what an output should be
STATES = (frozenset({"h", "hs", "ht", "hidden"}), frozenset({"c", "cs", "ct", "cell", "memory"}))
BACKWARD = re.compile("back|grad|bptt", re.IGNORECASE)  # in the name of a function
UPDATE = "_update"  # of a weight
MARKS = ("dloss_d", "dL_d", "dl_d", "dLd", "dJ_d", "dE_d", "d_", "d", "grad_", "gradient_", "grad", "delta_", "delta", "g_")  # before
ENDS = ("_grad", "_gradient", "_delta", UPDATE)  # behind it
HELD = frozenset({"grad", "d", "g", "gradient"})  # attributes of a weight
HOLDERS = frozenset({"grad", "grads", "gradient", "gradients", "_grads", "grad_dict", "dparams", "d_params", "deltas", "d", "_d", "g", "dw", "dtheta"})
RENAMED = frozenset({"e", "I", "T", "t", "d", "partial", "delta", "nabla", *LOSSES})  # what means something else in a formula


def raw_name(e: ast.expr) -> str:
    """What a program calls a place.

    ``h`` for ``self.h``, ``hs`` for ``hs[t]``, ``Why`` for ``params['Why']``, ``d_Why`` for ``grads['Why']`` and ``Why.grad``.
    """
    match e:
        case ast.Attribute(value=ast.Name() | ast.Attribute() as inner, attr=word) if word in HELD and raw_name(inner) != "self":
            return f"d_{raw_name(inner)}"
        case ast.Attribute(value=inner, attr=word) | ast.Subscript(value=inner, slice=ast.Constant(value=str(word))):
            return f"d_{word}" if raw_name(inner) in HOLDERS and word[:1] != "d" else word
        case ast.Name(id=word):
            return word
        case ast.Subscript(value=inner):
            return raw_name(inner)
    return ""


def given(word: str) -> bool:
    """Whether a name is customary for an input."""
    return word.split("_")[0].lower() in INPUTS


def aimed(raw: str) -> bool:
    """Whether a name is customary for what an output is held against: ``y``, ``targets``, ``one_hot_labels``."""
    return stem(raw)[0].lower() in ("y", "t", "y_true") or not AIMS.isdisjoint(raw.lower().split("_"))


def missed(value: ast.expr) -> bool:
    """Whether an output is held against what it should be: ``y_pred - target``."""
    match value:
        case ast.BinOp(left=ast.Name() | ast.Attribute() | ast.Subscript() as left, op=ast.Sub(), right=right):
            plain = not AIMS.isdisjoint(raw_name(right).lower().split("_"))
            return plain or (aimed(raw_name(right)) and {raw_name(left).lower(), stem(raw_name(left))[0].lower()} & OUTPUTS != set())
    return False


def unnamed(raw: str) -> bool:
    """Whether a name says that it is a gradient and not by what: ``delta_t``."""
    return stem(raw)[0].lower() in ("delta", "deltas")


def form(e: ast.expr) -> str:
    """The variable that an expression is, its steps left out: ``self.h`` is another one than ``h``."""
    match e:
        case ast.Name(id=word) | ast.Subscript(value=ast.Name(id=word), slice=ast.Slice() | ast.Tuple() | ast.Name() | ast.BinOp()):
            return word
    return ast.unparse(e) if len(raw_name(e)) else ""


def stem(raw: str) -> tuple[str, int]:
    """A name without the words for its step, and whether they are of the step before (-1) or of the next (1)."""
    age = 0
    kept = []
    tokens = [w for w in raw.split("_") if w]
    for w in tokens:
        low = w.lower()
        if len(tokens) > 1 and low in OLD | NEW:
            age = -1 if low in OLD else 1
        elif len(tokens) == 1 or low not in KEPT:
            kept.append(w)
    if all(w.isdigit() for w in kept):
        kept = [w for w in tokens if w.lower() not in OLD | NEW]  # ``layer_1``
    word = "_".join(kept or tokens[:1]) or raw
    m = re.fullmatch(r"(\w{1,2})(prev|old|next|new)|(prev|old|next|new)(\w{1,2})", word)
    if m:
        word, age = m[1] or m[4], -1 if (m[2] or m[3]) in OLD else 1
    return re.sub(r"^([a-zA-Z])s$|(?<![a-zA-Z0-9])([a-z]{2,}[b-hj-rtv-z])s$", lambda m: m[1] or m[2], word), age


def squashed(word: str) -> str:
    """``W_hy`` and ``Why`` alike."""
    return re.sub(r"[_,~^]", "", word).lower()


def rests(raw: str) -> Iterator[str]:
    """A name without its mark for gradients, in every way in which it has one."""
    for mark in MARKS:
        if raw.startswith(mark) and len(raw) > len(mark):
            yield raw[len(mark) :].lstrip("_")
    for mark in ENDS:
        if raw.endswith(mark) and len(raw) > len(mark):
            yield raw[: -len(mark)]


def told(rest: str) -> tuple[str, str]:
    """``h_raw`` and ``hraw`` as h and raw, ``hnext`` as h and next, any other name as it is."""
    words = "|".join(sorted(BEFORE))
    if m := re.fullmatch(rf"([A-Za-z]\w*?)_?({words})", rest):
        return m[1], "raw"
    if m := re.fullmatch(r"([A-Za-z]\w{0,2})(next|prev)|(next|prev)([A-Za-z]\w{0,2})", rest):
        return m[1] or m[4], m[2] or m[3]
    return rest, ""


def raised(rest: str) -> tuple[str, ...]:
    """The capital letter by which a gradient with a small one may be: ``dh``, ``dh_next`` by H."""
    word = stem(rest)[0]
    return (word.upper(),) if len(word) == 1 and word.islower() else ()


def prototype(raw: str, matrix: bool) -> Name:
    """The name in a formula, without its step; a weight that is multiplied begins with a capital letter, as matrices do."""
    found = parse_dialect(raw, code=True) if re.fullmatch(r"[A-Za-z]\w*", raw) else []
    node = found[0] if len(found) == 1 and kind(found[0]) == "Name" else Name(raw.strip("_") or "q")
    node = placed(node, None)
    base = node.base * 2 if node.base in RENAMED else node.base
    return replace(node, base=base[:1].upper() + base[1:] if matrix and base != "w" else base)  # type: ignore[no-any-return]


def straight(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in turn, those under a condition too: what is done at most steps."""
    for s in body:
        match s:
            case ast.If(body=yes, orelse=no):
                yield from straight(yes)
                yield from straight(no)
            case ast.With(body=inner) | ast.Try(body=inner):
                yield from straight(inner)
            case _ if not idle(s):
                yield s


def unshaped(e: ast.expr) -> ast.expr:
    """The h of ``copy.deepcopy(h)``, ``h.reshape(-1, 1)``."""
    while isinstance(e, ast.Call) and last_name(e.func) in SAME:
        e = e.func.value if isinstance(e.func, ast.Attribute) and not of_module(e.func) else e.args[0] if e.args else e.func
    return e


def idle(s: ast.stmt) -> bool:
    """Whether a statement gives a variable what it holds, in another shape: ``h = h.reshape(-1, 1)``."""
    given_anew = isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.value, ast.Call)
    return given_anew and ast.unparse(unshaped(s.value)) == ast.unparse(s.targets[0])  # type: ignore[attr-defined]


def targets(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """What some statements assign something to, arrays that are only made left out."""
    for n in (n for s in body for n in ast.walk(s)):
        match n:
            case ast.Assign(targets=found, value=value) if not blank(value) and not idle(n):
                for target in found:
                    yield from target.elts if isinstance(target, ast.Tuple | ast.List) else (target,)
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
                yield target


def paired(s: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a statement assigns to what: h_new to h and c_new to c in ``h, c = h_new, c_new``."""
    match s:
        case ast.Assign(targets=[ast.Tuple(elts=several)], value=ast.Tuple(elts=values)) if len(several) == len(values):
            yield from zip(several, values, strict=True)
        case ast.Assign(targets=[target], value=value):
            yield target, value


def named_in(e: ast.expr | ast.stmt) -> set[str]:
    """The names of the variables in an expression."""
    called = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    return {w for n in ast.walk(e) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript) and id(n) not in called and (w := raw_name(n))}


def whole(p: ast.expr) -> bool:
    """``:``, ``None``, ``...``: an index that takes everything."""
    match p:
        case ast.Slice(lower=None, upper=None, step=None) | ast.Attribute(attr="newaxis"):
            return True
        case ast.Constant(value=value):
            return value is None or value is ...
    return False


def keyed(e: ast.Subscript) -> bool:
    """Whether an entry is one by its name: ``cache['h']``."""
    return isinstance(e.slice, ast.Constant) and isinstance(e.slice.value, str)


def nested(e: ast.Subscript) -> bool:
    """``hs[k][t]``, an array of layers and steps, not ``cache['h'][t]``."""
    return isinstance(e.value, ast.Subscript) and not (keyed(e.value) and not isinstance(e.value.value, ast.Subscript))


def indices(e: ast.Subscript) -> list[ast.expr]:
    return list(e.slice.elts) if isinstance(e.slice, ast.Tuple) else [e.slice]
