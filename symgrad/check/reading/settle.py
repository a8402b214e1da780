r"""Brackets settled: ``f (a)`` applies f where f is no quantity of the document; ``g'(a)`` is always a slope; ``h(m)`` is a step of h."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from symgrad.check.reading.activations import ACTIVATIONS, BUILTIN
from symgrad.check.reading.statements import LOSSES, MARKS, names_in
from symgrad.check.reading.symbols import COUNTERS, bracket_by_bracket, head_and_parts, is_top, key_of, letters, spelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Apply, Derivative, Index, Name, Negative, Number, Paren, Power, Product, Sum, Transpose

FUNCTIONS = frozenset({"f", "g", "phi", "varphi", "psi", "F", "G", "sigma", "rho", "varsigma", "zeta", "chi"})
PARAMETERS = frozenset({"theta", "Theta", "vartheta"})
LETTERS = FUNCTIONS | {"h", "a", "s"}  # these also scale what stands in brackets


@dataclass(frozen=True)
class Known:
    """The names that are no functions; of these the ones that carry their step in brackets; the letters that count steps; whether there are layers."""

    quantities: set[str]
    bracketed: set[str]
    steps: set[str]
    layered: bool = False  # ``h_t^{(1)}``: what has a step has the number of its layer besides
    sloped: frozenset[str] = frozenset()  # ``f'``: what has a slope, a formula, or is all of a side, is a function where it has no index, though f_t be a gate
    above: frozenset[str] = frozenset()  # ``h^{t-1}``: what has its step above, so that ``h^T`` is the last
    factors: frozenset[str] = frozenset()  # ``\\gamma`` beside ``\\gamma (t - k)``: what stands at no step but, so it would seem, at a difference of two
    given: frozenset[str] = frozenset()  # ``g_t = \\sigma(...)``: what an equation gives at every step

    def quantity(self, name: Name) -> bool:
        """Whether a name is no function; ``g_c`` beside ``g_t`` is a name of its own."""
        if not name.subs and name.base in self.sloped:
            return False
        split = head_and_parts(replace(name, primes=0))
        labels = [p for p in split[1] if not set(letters(p.node)) & self.steps and kind(p.node) == "Name"] if split is not None else []
        return split is not None and (key_of(split[0], labels) or "") in self.quantities


def called_at(nodes: list[Any]) -> dict[str, set[str]]:
    """The letters in brackets behind what equations define, ``a(n)``, ``h(n)``, one of them a step before too; and all that has such brackets.

    Of letters that count nothing else several are to be defined so.
    """
    found = [(a, unwrapped(b)) for node in nodes for n in walk(node) if kind(n) == "Product" for a, b in pairwise(n.args)
             if kind(a) == "Name" and not a.primes and kind(b) in ("Paren", "Sum")]  # fmt: skip
    pairs = [(a, b) for a, b in found if not a.subs]
    calls = [n for node in nodes for n in walk(node) if kind(n) == "Apply" and kind(n.function) == "Name" and len(n.args) == 1]
    pairs += [(n.function, unwrapped(n.args[0])) for n in calls if plain(n.function) and n.function.base not in BUILTIN]
    lefts = [unwrapped(node.sides[0]) for node in nodes if kind(node) == "Relation" and node.signs[0] in ("=", ":=")]
    starts = {id(left.args[0] if kind(left) == "Product" else left.function) for left in lefts if kind(left) in ("Product", "Apply")}
    out = {}
    for letter in {b.base for a, b in pairs if id(a) in starts and kind(b) == "Name" and b == Name(b.base) and len(b.base) == 1}:
        ahead = Sum((Name(letter), Number("1")))  # ``h(n + 1) = \tanh(W h(n))``
        defined = {key_of(a, []) for a, b in pairs if id(a) in starts and b in (Name(letter), ahead)}
        earlier = any(key_of(a, []) in defined for a, b in pairs if kind(b) == "Sum" and letter in letters(b))
        if earlier and (len(defined) > 1 or letter in COUNTERS - {*"abpq"}):
            labelled = {str(spelled(a)) for a, b in found if a.subs and id(a) in starts and b == Name(letter)}  # ``q_z(n)``
            out[letter] = {str(key_of(a, [])) for a, b in pairs if letter in letters(b)} | labelled
    return out


def known_in(nodes: list[Any]) -> Known:
    """What a document says of its names: what carries a step somewhere, or stands on a left side, is a quantity."""
    steps, quantities, bracketed, given = {"t"}, set[str](), set[str](), set[str]()
    found = [(n, split) for node in nodes for n in walk(node) if kind(n) in ("Name", "Power", "Index") and (split := head_and_parts(n)) is not None]
    for _, (_, parts) in found:
        steps |= {w for p in parts if kind(p.node) == "Sum" for w in letters(p.node)}
    for letter, heads in called_at(nodes).items():
        steps.add(letter)
        quantities |= heads
        bracketed |= heads
    for n, (head, parts) in found:
        at = [p for p in parts if set(letters(p.node)) & steps]
        if at:
            head = replace(head, primes=0)
            quantities |= {key_of(head, []) or "", key_of(head, [p for p in parts if p not in at and kind(p.node) == "Name"]) or ""}
        if kind(n) == "Index" and n.kind in ("(", "[") and len(n.parts) == 1 and kind(n.base) == "Name" and stepping(n.parts[0]):
            bracketed.add(spelled(n.base) or "")
    for node in nodes:
        split = head_and_parts(unwrapped(node.sides[0])) if kind(node) == "Relation" else None
        if split is not None and not names_a_function(node):
            quantities |= {key_of(split[0], []) or "", key_of(split[0], list(split[1])) or ""}
            given.add(at_each_step(split, steps))
        elif kind(node) != "Relation":  # a formula of its own, between words
            given.add(at_each_step(head_and_parts(unwrapped(node)), steps))
    layered = any(
        (layer(n) or (kind(n) == "Power" and bracket_by_bracket(n.exponent))) and any(set(letters(p.node)) & steps for p in parts) for n, (_, parts) in found
    )
    sloped = {n.base for n, _ in found if kind(n) == "Name" and n.primes and not n.subs and n.base in FUNCTIONS}
    applied = (n.function for node in nodes for n in walk(node) if kind(n) == "Apply" and len(n.args) == 1 and kind(n.function) == "Name")
    sloped |= {f.base for f in applied if f.primes and not f.subs and f.base in LETTERS}
    sloped |= {letter for node in nodes if (letter := by_a_formula(node, steps))}
    sides = [unwrapped(node.sides[1]) for node in nodes if kind(node) == "Relation"]
    sloped |= {side.args[0].base for side in sides if applies(side)}
    return Known(quantities, bracketed, steps, layered, frozenset(sloped), with_steps_above(nodes, found, steps), factors_in(found, steps), frozenset(given))


def with_steps_above(nodes: list[Any], found: list[tuple[Any, Any]], steps: set[str]) -> frozenset[str]:
    """The letters of what has its step above, as ``h^{t-1}`` has, and ``p^t`` beside it; not that of exponentials."""
    powers = [n for node in nodes for n in walk(node) if kind(n) == "Power" and kind(n.base) == "Name"]
    raised = {id(n.base) for n in powers}
    above = {n.base.base for n in powers if kind(n.exponent) == "Sum" and head_and_parts(n) is not None and set(letters(n.exponent)) & steps}
    names = [n for n, _ in found if kind(n) == "Name" and n == Name(n.base)]
    scripts = {id(x) for node in nodes for n in walk(node) for part in scripts_of(n) for x in walk(part)}  # the h of ``W_{hh}`` is no factor
    above -= {n.base for n in names if n.base.isupper() and id(n) not in raised | scripts}  # ``W^{T-k}`` beside W
    products = (n for node in nodes for n in walk(node) if kind(n) in ("Product", "Infix") and id(n) not in scripts)
    above -= {a.base for n in products for a in n.args if kind(a) == "Name" and a == Name(a.base)}  # ``w^{T-1}`` beside ``w h_{t-1}``
    alone = [n for n in powers if above and kind(n.exponent) == "Name" and not is_top(n.exponent) and n.exponent.base in steps]
    above |= {n.base.base for n in alone} - {n.base for n in names if id(n) not in raised | scripts}
    named = {id(unwrapped(node.sides[0] if kind(node) == "Relation" else node)) for node in nodes}
    return frozenset(above - ({"e"} - {n.base.base for n in alone if id(n) in named}))


def at_each_step(split: Any, steps: set[str]) -> str:
    """The name of what has a step, without it; empty for anything else."""
    labels = [p for p in split[1] if not set(letters(p.node)) & steps] if split is not None else []
    return key_of(split[0], labels) or "" if split is not None and len(labels) < len(split[1]) else ""


def factors_in(found: list[tuple[Any, Any]], steps: set[str]) -> frozenset[str]:
    """The letters that stand without a step somewhere, and with none but what may be a factor in brackets."""
    bare = {n.base for n, _ in found if kind(n) == "Name" and n == Name(n.base)}
    spans = {id(n) for n, _ in found if of_a_span(n)}
    inside = {id(n.base) for n, _ in found if kind(n) == "Index"}
    lone = {n.base for n, _ in found if id(n) not in inside and kind(n) == "Name" and n == Name(n.base)}
    return frozenset(bare & lone - {head.base for n, (head, parts) in found if id(n) not in spans and any(set(letters(p.node)) & steps for p in parts)})


def of_a_span(node: Any) -> bool:
    """``\\gamma (t - k)``, by a difference of two letters."""
    inner: Any = unwrapped(node.parts[0]) if kind(node) == "Index" and node.kind == "(" and len(node.parts) == 1 and kind(node.base) == "Name" else None
    terms = [a.arg if kind(a) == "Negative" else a for a in inner.args] if kind(inner) == "Sum" and len(inner.args) == 2 else []
    return bool(terms) and kind(inner.args[1]) == "Negative" and all(kind(a) == "Name" and a == Name(a.base) and len(a.base) == 1 for a in terms)


def scripts_of(node: Any) -> tuple[Any, ...]:
    """What stands below or above a node."""
    return node.subs if kind(node) == "Name" else (node.exponent,) if kind(node) == "Power" else ()


def applies(side: Any) -> bool:
    r"""``f (W h_{t-1} + U x_t)``, all that something is: there f is a function, though f_t be a gate."""
    args: tuple[Any, ...] = side.args if kind(side) == "Product" and len(side.args) == 2 else ()
    return bool(args) and kind(args[0]) == "Name" and args[0] == Name(args[0].base) and args[0].base in FUNCTIONS and kind(unwrapped(args[1])) == "Sum"


def by_a_formula(relation: Any, steps: set[str]) -> str:
    r"""The letter for a function of ``s(a) = 1 / (1 + e^{-a})``, whose variable counts no steps and stands on the other side; empty for anything else."""
    left: Any = relation.sides[0] if kind(relation) == "Relation" and len(relation.sides) == 2 else None
    if kind(left) != "Product" or len(left.args) != 2 or kind(left.args[1]) != "Paren":
        return ""
    name, variable = left.args[0], unwrapped(left.args[1])
    bare = all(kind(x) == "Name" and x == Name(x.base) for x in (name, variable))
    if not bare or name.base not in LETTERS or variable.base in steps | {"k", "n", "m", "i", "j"}:
        return ""
    return str(name.base) if any(n == variable for n in walk(relation.sides[1])) else ""


def names_a_function(relation: Any) -> bool:
    r"""``f = \sigma``, ``\sigma_h = \tanh``: a letter for a known activation."""
    sides = [unwrapped(x) for x in relation.sides]
    labelled = len(sides) == 2 and kind(sides[0]) == "Name" and [kind(sub) for sub in sides[0].subs] == ["Name"] and sides[0].subs[0].base != "t"
    bare = replace(sides[0], subs=()) if labelled else sides[0]
    if len(sides) != 2 or not all(kind(x) == "Name" and x == Name(x.base) for x in (bare, sides[1])):
        return False
    return sides[0].base in FUNCTIONS - {sides[1].base} and BUILTIN.get(sides[1].base) in ACTIVATIONS


def final(node: Any, known: Known) -> bool:
    """Whether a T above is the last step, or what else is above an e a step."""
    named = kind(node) == "Power" and kind(node.base) == "Name" and not node.base.subs and node.base.base in known.above
    return named and (node.exponent == Name("T") or (node.base.base == "e" and kind(node.exponent) in ("Name", "Sum", "Number") and stepping(node.exponent)))


def layer(node: Any) -> bool:
    """Whether a name has a number in brackets above."""
    exponent: Any = node.exponent if kind(node) == "Power" and kind(node.base) == "Name" else None
    return kind(exponent) == "Paren" and exponent.kind in ("(", "[") and kind(exponent.arg) == "Number"


def plain(name: Name) -> bool:
    """Whether a name is a letter or a word alone, in whatever font."""
    return not (name.accents or name.subs or name.primes)


def stepping(node: Any) -> bool:
    """Whether brackets hold what may be a step: a letter, a number, one of them and a number."""
    node = unwrapped(node)
    terms = [n.arg if kind(n) == "Negative" else n for n in node.args] if kind(node) == "Sum" else [node]
    return len(terms) < 3 and all(kind(n) == "Number" or (kind(n) == "Name" and len(n.base) == 1 and n == Name(n.base)) for n in terms)


def settled(node: Any, known: Known) -> Any:
    """The node with applications where a product of a function and a bracket was read."""
    if not any(kind(n) in ("Product", "Differential", "Apply", "Index", "Negative") or (known.layered and layer(n)) or final(n, known) for n in walk(node)):
        return node
    return _settled(node, known)


def _settled(node: Any, known: Known) -> Any:
    changed: dict[str, Any] = {}
    for name in getattr(type(node), "__dataclass_fields__", ()):
        value = getattr(node, name)
        if name == "span" or value is None:
            continue
        if hasattr(type(value), "__dataclass_fields__"):
            inner = _settled(value, known)
            if inner is not value:
                changed[name] = inner
        elif isinstance(value, tuple):
            inside = tuple(_settled(v, known) if hasattr(type(v), "__dataclass_fields__") else v for v in value)
            if any(p is not q for p, q in zip(inside, value, strict=True)):
                changed[name] = inside
    written, node = node, replace(node, **changed) if changed else node
    if kind(node) == "Product":
        return _product(node, written.args, known)
    if kind(node) == "Fraction" and kind(node.denominator) == "Differential":
        return _derivative(node)
    if kind(node) == "Apply" and kind(node.function) == "Name":
        if scaled(node, known):
            return Product((node.function, Paren(node.args[0], "(", span=node.args[0].span)), span=node.span)
        if _bracketed(node.function, known) and len(node.args) == 1 and {*letters(node.args[0])} & known.steps:
            return Index(node.function, node.args, "(", span=node.span)  # ``g(n)`` beside ``c(n-1)``, a gate at a step
        entry = len(node.args) == 2 and of_a_matrix(node.function) and all(a == Name(getattr(a, "base", "")) and a.base in COUNTERS for a in node.args)
        return Index(node.function, node.args, "[", span=node.span) if entry else replace(node, function=fused(node.function, known))
    if of_a_span(node) and node.base == Name(node.base.base) and node.base.base in known.factors:
        return Product((node.base, Paren(node.parts[0], "(", span=node.parts[0].span)), span=node.span)
    if kind(node) == "Power" and kind(unwrapped(node.base)) == "Stack" and node.exponent == Name("t"):
        return Transpose(node.base, span=node.span)  # ``[h_{t-1}; x_t]^t``, whose parts have their steps
    if kind(node) == "Power" and kind(node.exponent) == "Negative" and kind(node.exponent.arg) == "Name" and node.exponent.arg.base in ("top", "intercal"):
        return Transpose(replace(node, exponent=Negative(Number("1"))), span=node.span)  # ``J_t^{-\\top}``
    if final(node, known):
        return replace(node, exponent=Paren(node.exponent, "(", span=node.exponent.span))
    if known.layered and layer(node):
        return replace(node, exponent=Name(f"({node.exponent.arg.text})", span=node.exponent.span))
    if kind(node) == "Power" and bracket_by_bracket(node.exponent) and kind(node.base) == "Name" and kind(node.exponent.args[0].arg) == "Number":
        first, step = node.exponent.args  # ``h^{[1]<t>}`` is ``h_t^{(1)}``
        return Power(replace(node.base, subs=(*node.base.subs, unwrapped(step))), Name(f"({first.arg.text})", span=first.span), span=node.span)
    if kind(node) == "Differential" and node.sign == "prime" and kind(node.arg) == "Apply" and len(node.arg.args) == 1 and kind(node.arg.function) == "Name":
        return replace(node.arg, function=replace(node.arg.function, primes=node.arg.function.primes + 1), span=node.span)  # (tanh x)' is tanh'(x)
    if kind(node) in ("Power", "Transpose") and (factors := beside_a_row(node, known)):
        return factors
    if kind(node) == "Power" and kind(node.exponent) == "Product" and len(node.exponent.args) == 2:
        step, last = node.exponent.args
        if kind(step) == "Number" and kind(last) == "Paren" and last.kind == "<":
            step, last = last, step  # and so is h^{2<t>}
        if kind(step) == "Paren" and step.kind in ("(", "<") and (kind(last) == "Number" or is_top(last)):
            return replace(node, base=replace(node, exponent=step), exponent=last)  # h^{(t)2} is the square of h^{(t)}
    return node


def scaled(node: Any, known: Known) -> bool:
    r"""Whether ``g_t (1 - g_t)`` is a product: g is given at every step, and in the brackets a sum of what has a step; so is ``h'_t (\nabla_{h_t} L)``."""
    if len(node.args) != 1 or kind(arg := unwrapped(node.args[0])) not in ("Sum", "Derivative") or stepping(arg):
        return False
    named = at_each_step(head_and_parts(replace(node.function, primes=0)), known.steps) in known.given - {""}
    stepped = all(any(set(letters(p.node)) & known.steps for p in parts) for _, _, parts in names_in(arg))
    return named and (kind(arg) == "Derivative" if node.function.primes else kind(arg) == "Sum" and stepped)


def beside_a_row(node: Any, known: Known) -> Any:
    r"""The product ``g_t (x_t)^\top``, or ``g^t (x^t)^\top``, where g is given at every step: it is applied to nothing; None for anything else."""
    call: Any = node.arg if kind(node) == "Transpose" else node.base if is_top(node.exponent) else None
    raised = call if kind(call) == "Power" else None
    call = raised.base if raised is not None else call
    if kind(call) != "Apply" or len(call.args) != 1 or kind(call.function) != "Name" or call.function.primes:
        return None
    factor = replace(raised, base=call.function, span=call.function.span) if raised is not None else call.function
    if at_each_step(head_and_parts(factor), known.steps) not in known.given - {""}:
        return None
    row = Paren(call.args[0], "(", span=call.args[0].span)
    return Product((factor, replace(node, **{"arg" if kind(node) == "Transpose" else "base": row})), span=node.span)


def of_a_matrix(name: Name) -> bool:
    """Whether two letters in brackets behind a name are the row and the column: ``W_{rec}(i, j)``, ``w(i, j)``."""
    return len(name.base) == 1 and name.base not in LOSSES and not name.primes and (name.base.isupper() or name.base == "w")


def _derivative(node: Any) -> Any:
    """``∂h(m) / ∂h(k)`` as a derivative, with the factors before it."""
    above = node.numerator.args if kind(node.numerator) in ("Product", "Infix", "Hadamard") else (node.numerator,)
    of, by = above[-1], node.denominator
    if kind(of) != "Differential" or of.sign.rstrip("+") != by.sign.rstrip("+") or by.sign.rstrip("+") not in ("partial", "d"):
        return node
    span = replace(of.span, end=by.span.end) if of.span is not None and by.span is not None else None
    found = Derivative(of.arg, by.arg, of.sign, span=span if len(above) > 1 else node.span)
    return found if len(above) == 1 else replace(node.numerator, args=(*above[:-1], found), span=node.span)


def _product(node: Any, written: tuple[Any, ...], known: Known) -> Any:
    """The product with its applications; as it was written, a product in brackets is one yet, where ``z(t)`` has become a step."""
    args = list(node.args)
    out: list[Any] = []
    k = 0
    while k < len(args):
        a = args[k]
        nxt: Any = args[k + 1] if k + 1 < len(args) else None
        head, exponent = (a.base, a.exponent) if kind(a) == "Power" and kind(a.base) == "Name" and kind(a.exponent) == "Number" else (a, None)
        part = "arg" if kind(nxt) == "Transpose" else "base" if kind(nxt) == "Power" and is_top(nxt.exponent) else ""  # ``f(h_t)^\\top``
        inner: Any = getattr(nxt, part) if part and kind(head) == "Name" and head.base in FUNCTIONS else nxt
        if nxt is not None and kind(head) == "Name" and (_applied(head, inner, known) or _applied(head, written[k + 1], known)):
            arg = unwrapped(inner)
            span = None
            if head.span is not None and nxt.span is not None:
                span = replace(head.span, end=nxt.span.end)
            applied: Any = Apply(fused(head, known), arg.args if kind(arg) == "Tuple" else (arg,), span=span)
            applied = replace(nxt, span=span, **{part: applied}) if inner is not nxt else applied
            out.append(applied if exponent is None else Power(applied, exponent, span=span))
            k += 2
            continue
        if nxt is not None and _of_parameters(a, nxt, known):
            out.append(replace(a, span=replace(a.span, end=nxt.span.end) if a.span is not None and nxt.span is not None else None))
            k += 2
            continue
        if nxt is not None and _bracketed(a, known) and (at := at_a_step(a, nxt)) is not None:
            out.append(at)
            k += 2
            continue
        if nxt is not None and (label := _label(a, nxt, known)) is not None:
            out.append(label)
            k += 2
            continue
        last = {"Derivative": "of" if kind(a) == "Derivative" and a.sign == "nabla" else "wrt", "Differential": "arg"}
        part = last.get(kind(a), "") if nxt is not None else ""  # ``∂h(m) / ∂h(k)``, ``\\nabla_{h(n)} L(n)``, with brackets left over
        name: Any = getattr(a, part) if part else None
        if _bracketed(name, known) and (at := at_a_step(name, nxt)) is not None and kind(at) == "Index":
            span = replace(a.span, end=at.span.end) if a.span is not None and at.span is not None else None
            out.append(replace(a, span=span, **{part: at}))
            k += 2
            continue
        out.append(a)
        k += 1
    if len(out) == len(args):
        return node
    return out[0] if len(out) == 1 else replace(node, args=tuple(out))


def _bracketed(name: Any, known: Known) -> bool:
    """Whether a name has its step in brackets, as a quantity that does, or a gradient by one: ``df(n)``, ``delta_c(n)``."""
    if kind(name) != "Name" or name.primes:
        return False
    of = spelled(name.subs[0]) if name.base in MARKS and name.subs else name.base[1:] if name.base[:1] == "d" else ""
    return not {spelled(name), of}.isdisjoint(known.bracketed)


def _of_parameters(loss: Any, arg: Any, known: Known) -> bool:
    r"""Whether a loss stands before what it is a function of, ``\mathcal L(\theta)``: a letter in brackets that is no quantity and counts no steps."""
    letter = unwrapped(arg)
    named = kind(loss) == "Name" and loss.base in LOSSES and kind(arg) == "Paren" and arg.kind == "("
    alone = named and kind(letter) == "Name" and letter == Name(letter.base) and letter.base not in known.steps
    return alone and (letter.base in PARAMETERS or not known.quantity(letter))


def _label(weight: Any, letter: Any, known: Known) -> Any:
    """``W_hy``, without braces: a weight with two letters for a label, where y has a step in the document and none here; ``Δt`` is one letter."""
    if weight == Name("Delta") and letter == Name("t"):
        return Name("Δt", span=weight.span and letter.span and replace(weight.span, end=letter.span.end))
    if kind(weight) != "Name" or kind(letter) != "Name" or len(weight.subs) != 1 or letter != Name(letter.base) or not weight.base.isupper():
        return None
    label = weight.subs[0]
    if label != Name(getattr(label, "base", "")) or len(label.base) != 1 or len(letter.base) != 1 or letter.base not in known.quantities:
        return None
    if weight.span is None or letter.span is None or weight.span.end != letter.span.start or label.base in known.steps:
        return None
    return replace(weight, subs=(Product((label, letter)),), span=replace(weight.span, end=letter.span.end))


def fused(name: Name, known: Known) -> Name:
    """``g_c`` as one word, where g is a quantity too: else it would be that at step c."""
    word = spelled(replace(name, primes=0))
    bare = spelled(replace(name, subs=(), primes=0))
    return name if word is None or bare not in known.quantities or not name.subs or known.quantity(name) else replace(name, base=word, subs=())


def at_a_step(name: Name, nxt: Any) -> Any:
    """``h (m)``, ``h (m)^2``: a quantity at a step that the brackets behind it hold; None where they hold anything else."""
    inner = nxt.base if kind(nxt) == "Power" else nxt.arg if kind(nxt) == "Transpose" else nxt
    if kind(inner) not in ("Paren", "Sum", "Number") or not stepping(inner):
        return None
    span = replace(name.span, end=inner.span.end) if name.span is not None and inner.span is not None else None
    at = Index(name, (unwrapped(inner),), "(", span=span)
    whole = replace(name.span, end=nxt.span.end) if name.span is not None and nxt.span is not None else None
    return at if inner is nxt else replace(nxt, span=whole, **{"base" if kind(nxt) == "Power" else "arg": at})


def _applied(name: Name, arg: Any, known: Known) -> bool:
    """Whether a name is applied to the factor behind it; brackets that precedence asks for anyway are not kept as such."""
    enclosed = kind(arg) == "Paren" and arg.kind == "("
    if not name.primes and known.quantity(name):
        return False
    if kind(arg) in ("Sum", "Product", "Hadamard", "Infix", "Negative"):
        return name.base in FUNCTIONS or (name == Name(name.base) and name.base in known.sloped)
    return enclosed and (bool(name.primes) or name.base in LETTERS)
