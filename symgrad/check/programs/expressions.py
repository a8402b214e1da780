"""Python expressions as formulas: what an array program computes, as syntax nodes with their places.

``*`` multiplies entry by entry, ``@`` and ``np.dot`` contract, ``.T`` transposes; a sum over a batch is the one example that it is of.
The functions that the program itself defines are read where they are called.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, Protocol

from symgrad.check.programs.switches import Switches
from symgrad.check.programs.values import BLANK, Blocks, Opaque, blank, last_name, lifted, placed
from symgrad.check.reading.trees import children, kind
from symgrad.notation.syntax import Apply, Diagonal, Fraction, Hadamard, Infix, Name, Negative, Number, Power, Span, Stack, Sum, Transpose

DEEP, MANY = 6, 40  # calls inside each other, and behind one call
LARGE = 600  # nodes of a formula
TINY = 1e-5  # what is only added against divisions by zero
ACTIVATIONS = {
    "tanh": "tanh", "sigmoid": "sigma", "sigm": "sigma", "logistic": "sigma", "expit": "sigma", "sig": "sigma", "softmax": "softmax", "relu": "relu",
    "exp": "exp", "log": "log", "sqrt": "sqrt", "softplus": "softplus",
}  # fmt: skip
SAME = frozenset({  # what gives back its argument
    "copy", "deepcopy", "array", "asarray", "asmatrix", "ascontiguousarray", "reshape", "ravel", "flatten", "squeeze", "unsqueeze", "expand_dims",
    "atleast_2d", "view", "astype", "float", "float32", "float64", "detach", "clone", "contiguous", "tensor", "to", "cpu", "numpy", "clip",
})  # fmt: skip
STACKED = frozenset({"concatenate", "hstack", "vstack", "column_stack", "row_stack", "cat", "concat"})
SPLIT = frozenset({"split", "hsplit", "vsplit", "array_split", "chunk"})
FREE = frozenset({"activation", "act", "act_fn", "activation_fn", "nonlinearity", "phi"})
SLOPES = re.compile(r"d_?([A-Za-z]\w*)|([A-Za-z]\w*?)_?(?:prime|deriv|derivative|grad|gradient)")
MODULES = frozenset({"np", "numpy", "torch", "F", "jnp", "math", "tf", "cp", "cupy", "xp", "nd", "nn", "copy", "functional", "linalg", "special", "self"})
CONTRACTED = frozenset({"dot", "matmul", "mm", "mv", "bmm", "matvec"})


def of_module(f: ast.expr) -> bool:
    """Whether a call is of a function, not of a method of an array: ``np.dot``, ``dot``, ``self.sigmoid``."""
    return not isinstance(f, ast.Attribute) or last_name(f.value) in MODULES


class Known(Protocol):
    """What a page tells of its programs: the functions that are formulas, what it calls an activation, and how it is switched."""

    functions: dict[str, ast.FunctionDef]
    renamed: dict[str, set[str]]
    switches: Switches


class Expressions:
    """The expressions of one scope: `read` is asked for names, attributes and subscripts, `block` for a part of an array, `written` for places,
    `inner` whether a formula is what an activation is applied to."""

    def __init__(
        self, known: Known, read: Callable[[ast.expr], Any], block: Callable[[Any, int], Any], written: Callable[[ast.expr], Span],
        inner: Callable[[str, Any], bool],
    ) -> None:  # fmt: skip
        self.known, self.read, self.block, self.written, self.inner = known, read, block, written, inner
        self.bound: list[dict[str, Any]] = []  # arguments of the calls that are being read
        self.calls = 0
        self.site: Span | None = None  # of the outermost of these calls

    def span(self, e: ast.expr) -> Span:
        return self.site or self.written(e)

    def node(self, e: ast.expr) -> Any:
        """A formula, or one of blocks."""
        found = self.value(e)
        if isinstance(found, tuple):
            raise Opaque("several values in the place of one")
        if any(size(n) > LARGE for n in (found.parts if isinstance(found, Blocks) else (found,))):
            raise Opaque("the formula is too long")
        return found

    def made(self, f: Callable[..., Any], *args: ast.expr) -> Any:
        """A formula of others."""
        return lifted(f, *map(self.node, args))

    def value(self, e: ast.expr) -> Any:
        """A formula, or a tuple of them."""
        span = self.span(e)
        match e:
            case ast.Constant(value=bool() | str() | bytes() | None):
                raise Opaque("this is no number")
            case ast.Constant(value=int(n) | float(n)) if abs(n) < 1e15:
                return Number(repr(int(n) if n == int(n) else n), span=span)
            case ast.Name(id=word) if self.bound and word in self.bound[-1]:
                return self.argument(self.bound[-1][word], span)
            case ast.Attribute(value=base, attr="T" | "mT"):
                return self.made(lambda a: Transpose(a, span=span), base)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self.read(e)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.made(lambda a: Negative(a, span=span), inner)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.node(inner)
            case ast.BinOp(op=ast.Div()):
                return self.quotient(e, span)
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(op, self.node(left), self.node(right), span)
            case ast.Call():
                return self.call(e, span)
            case ast.Tuple(elts=several) | ast.List(elts=several):
                return tuple(map(self.value, several))
            case ast.IfExp(test=test, body=body, orelse=other):
                met = self.known.switches.holds(test, self.bound[-1] if self.bound else ())
                return self.value(other if blank(body) or met is False else body)
        raise Opaque("an expression of another kind")

    def argument(self, given: Any, span: Span) -> Any:
        if isinstance(given, Opaque):
            raise given
        if given is None or isinstance(given, bool | str):
            raise Opaque("this is no number")
        return placed(given, span)

    def operation(self, op: ast.operator, a: Any, b: Any, span: Span | None) -> Any:
        """``a + b``, ``a - b``, ``a * b``, ``a @ b``, ``a ** b``; what stands in a row stays one row."""
        match op:
            case ast.Add() if kind(b) == "Number" and 0 < float(b.text) < TINY:
                return a
            case ast.Add():
                return lifted(lambda x, y: Sum((*(x.args if kind(x) == "Sum" else (x,)), y), span=span), a, b)
            case ast.Sub():
                return lifted(lambda x, y: Sum((*(x.args if kind(x) == "Sum" else (x,)), Negative(y, span=y.span)), span=span), a, b)
            case ast.Mult():
                return lifted(lambda x, y: Hadamard((*(x.args if kind(x) == "Hadamard" else (x,)), y), span=span), a, b)
            case ast.Pow():
                return lifted(lambda x, y: Power(x, y, span=span), a, b)
            case ast.MatMult():
                return self.contracted(a, b, span)
        raise Opaque("an operator of another kind")

    def contracted(self, a: Any, b: Any, span: Span | None) -> Any:
        """``a @ b``; of two arrays of blocks the sum over these."""

        def product(x: Any, y: Any) -> Any:
            return Infix("at", (*(x.args if kind(x) == "Infix" and x.sign == "at" else (x,)), y), span=span)

        found = lifted(product, a, b)
        return Sum(found.parts, span=span) if isinstance(a, Blocks) and isinstance(b, Blocks) else found

    def quotient(self, e: ast.BinOp, span: Span) -> Any:
        """``1 / (1 + exp(-x))`` is σ, ``exp(x) / sum(exp(x))`` softmax; other quotients only by numbers."""
        match e:
            case ast.BinOp(left=ast.Constant(value=1 | 1.0), right=ast.BinOp(left=a, op=ast.Add(), right=b)):
                one, grown = (a, b) if isinstance(a, ast.Constant) else (b, a)
                if isinstance(one, ast.Constant) and one.value == 1 and isinstance(grown, ast.Call) and last_name(grown.func) == "exp":
                    return self.made(lambda x: Apply(Name("sigma"), (x.arg if kind(x) == "Negative" else Negative(x, span=span),), span=span), grown.args[0])
            case ast.BinOp(left=ast.BinOp(op=ast.Sub()) as above, right=ast.BinOp(op=ast.Add()) as below) if (x := hyperbolic(above, below)) is not None:
                return self.made(lambda y: Apply(Name("tanh"), (y,), span=span), x)
            case ast.BinOp(left=above, right=ast.Call(func=f) as below) if last_name(f) == "sum":
                summed = below.args[0] if of_module(f) and below.args else getattr(f, "value", None)
                if summed is not None and ast.dump(summed) == ast.dump(above):
                    return self.softmax(above, span)
        return self.made(lambda x, y: fraction(x, y, span), e.left, e.right)

    def softmax(self, grown: ast.expr, span: Span) -> Any:
        known = self.node(grown)
        if kind(known) != "Apply" or known.function.base != "exp":
            raise Opaque("a quotient")
        arg = known.args[0]  # x, or x - max(x)
        return Apply(Name("softmax"), (arg,), span=span)

    def call(self, e: ast.Call, span: Span) -> Any:
        """A function of arrays, or one that the program defines."""
        word = last_name(e.func).lstrip("_")
        if len(alike := self.known.renamed.get(word, ())) == 1:
            word = next(iter(alike))
        if any(isinstance(a, ast.Starred) for a in e.args) or any(k.arg is None for k in e.keywords):
            raise Opaque("a call with a list of arguments")
        args = [e.func.value, *e.args] if isinstance(e.func, ast.Attribute) and not of_module(e.func) else list(e.args)
        plain = len(args) == 1 and all(k.arg in ("axis", "dim", "out") for k in e.keywords)  # no switch to the slope
        if word.lower() in ACTIVATIONS and plain:
            function, arg = Name(ACTIVATIONS[word.lower()]), args[0] if word.lower() not in ("exp", "softmax") else unshifted(args[0])
            return self.made(lambda x: Apply(function, (x,), span=span), arg)
        if (shown := self.known.functions.get(last_name(e.func))) is not None:
            return self.inlined(shown, e, span)
        match word, args:
            case _, [a, b] if word in CONTRACTED:
                return self.contracted(self.node(a), self.node(b), span)
            case ("multiply" | "mul"), [a, b]:
                return self.operation(ast.Mult(), self.node(a), self.node(b), span)
            case ("add" | "subtract"), [a, b]:
                return self.operation(ast.Add() if word == "add" else ast.Sub(), self.node(a), self.node(b), span)
            case ("power" | "pow"), [a, b]:
                return self.operation(ast.Pow(), self.node(a), self.node(b), span)
            case ("outer" | "ger"), [a, b]:
                return self.made(lambda x, y: Infix("otimes", (x, y), span=span), a, b)
            case ("transpose" | "t"), [a, *_]:
                return self.made(lambda x: Transpose(x, span=span), a)
            case "square", [a]:
                return self.made(lambda x: Power(x, Number("2"), span=span), a)
            case "diag", [a]:
                return self.made(lambda x: Diagonal(x, span=span), a)
            case _, [a] if word in FREE and plain:
                return self.made(lambda x: Apply(Name("phi"), (x,), span=span), a)
            case _, [a] if plain and (slope := activation(word)):
                return self.made(lambda x: self.sloped(slope, x, span), a)
            case "sum", [a] if isinstance(e.func, ast.Name):
                return self.node(a)  # of a batch
            case "sum", [a, *more] if more or any(k.arg in ("axis", "dim") for k in e.keywords):
                return self.node(a)  # over the examples of a batch
            case ("maximum", [ast.Constant(value=0 | 0.0), a]) | ("maximum", [a, ast.Constant(value=0 | 0.0)]):
                return self.made(lambda x: Apply(Name("relu"), (x,), span=span), a)
            case _, [a, *_] if word in STACKED:
                parts = self.value(a)
                several = isinstance(parts, tuple) and len(parts) > 1 and not any(isinstance(p, Blocks | tuple) for p in parts)
                return Stack(parts, span=span) if several else parts
            case _, [a, ast.Constant(value=int(n)), *_] if word in SPLIT and 1 < n < 9:
                whole = self.node(a)
                return tuple(self.block(whole, k) for k in range(n))
            case _, [a, *_] if word in SAME:
                return self.value(a)
        if word in BLANK:
            raise Opaque("an array without content")
        name = ast.unparse(e.func)
        raise Opaque(f"the code does not show {name}" if len(name) < 60 else "a call that the code does not show")

    def sloped(self, function: str, arg: Any, span: Span) -> Any:
        """``d_tanh(z)``, where it is plain that z is what the activation is applied to, not what it gives."""
        if not self.inner(function, arg):
            raise Opaque(f"whether the slope of {function} is written in what it gives or in what it is applied to")
        return Apply(Name(function, primes=1), (arg,), span=span)

    def inlined(self, f: ast.FunctionDef, e: ast.Call, span: Span) -> Any:
        """What a function of the program gives back, its arguments put in."""
        names = [a.arg for a in (*f.args.posonlyargs, *f.args.args)]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        self.calls = 1 if not self.bound else self.calls + 1
        if len(self.bound) >= DEEP or self.calls > MANY or len(e.args) > len(names):
            raise Opaque("a call of a call of a call")
        given: dict[str, Any] = {}
        for name, default in zip(reversed(names), reversed(f.args.defaults), strict=False):
            given[name] = switch(default) if isinstance(default, ast.Constant) else Opaque("an argument that is left out")
        for name, arg in [*zip(names, e.args, strict=False), *((str(k.arg), k.value) for k in e.keywords)]:
            try:
                given[name] = switch(arg) if isinstance(arg, ast.Constant) else self.value(arg)
            except Opaque as why:
                given[name] = why
        outer, self.site = self.site, span
        self.bound.append(given)
        try:
            found = self.returned(f.body)
        finally:
            self.bound.pop()
            self.site = outer
        if found is None:
            raise Opaque(f"{f.name} gives nothing back")
        return found

    def returned(self, body: list[ast.stmt]) -> Any:
        """The value that a straight piece of code returns; None if it goes on behind it."""
        names = self.bound[-1]
        for s in body:
            match s:
                case ast.Return(value=ast.expr() as value):
                    return self.value(value)
                case ast.Assign(targets=[ast.Name(id=word)], value=value):
                    try:
                        names[word] = self.value(value)
                    except Opaque as why:
                        names[word] = why
                case ast.If(test=test, body=yes, orelse=no):
                    found = self.returned(yes if self.holds(test) else no)
                    if found is not None:
                        return found
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case _:
                    raise Opaque("a function that does more than to compute a formula")
        return None

    def holds(self, test: ast.expr) -> bool:
        """Whether a condition on an argument is met."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return not self.holds(inner)
            case ast.Compare(left=ast.Name(id=word), ops=[ast.Eq() | ast.Is()], comparators=[ast.Constant(value=wanted)]):
                given = self.bound[-1].get(word)
                if isinstance(given, bool | str) or given is None:
                    return bool(given == wanted)
            case ast.Name(id=word) if isinstance(self.bound[-1].get(word), bool):
                return bool(self.bound[-1][word])
        raise Opaque("a condition that is not known")


def activation(word: str) -> str:
    """The activation whose slope a function has the name of: ``d_tanh``, ``sigmoid_prime``; none for any other word."""
    m = SLOPES.fullmatch(word)
    base = (m[1] or m[2]) if m else ""
    return "phi" if base in FREE else ACTIVATIONS.get(base.lower(), "")


def switch(e: ast.Constant) -> Any:
    """An argument that is written out: a number as a formula."""
    number = isinstance(e.value, int | float) and not isinstance(e.value, bool)
    return Number(repr(e.value)) if number else e.value if e.value is None or isinstance(e.value, bool | str) else Opaque("an argument of another kind")


def fraction(above: Any, below: Any, span: Span) -> Fraction:
    if kind(below) != "Number":
        raise Opaque("a quotient")
    return Fraction(above, below, span=span)


def hyperbolic(above: ast.BinOp, below: ast.BinOp) -> ast.expr | None:
    """The x of ``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``."""
    match above.left, above.right:
        case ast.Call(func=f, args=[x]), ast.Call(func=g, args=[ast.UnaryOp(op=ast.USub(), operand=y)]) if last_name(f) == last_name(g) == "exp":
            same = [ast.dump(e) for e in (above.left, above.right, x)] == [ast.dump(e) for e in (below.left, below.right, y)]
            return x if same else None
    return None


def unshifted(e: ast.expr) -> ast.expr:
    """``x - max(x)``, under a softmax, is x."""
    match e:
        case ast.BinOp(left=x, op=ast.Sub(), right=ast.Call(func=f)) if last_name(f) in ("max", "amax"):
            return x
    return e


def size(node: Any) -> int:
    return 1 + sum(size(c) for c in children(node))
