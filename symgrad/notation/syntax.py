"""What a formula is on paper: a small closed set of syntax nodes, shared by every printer and by the parser.

The nodes say how a formula is *written*, not what it means: ``U(r \\odot h)`` is a product of a name and a Hadamard product.
Writing (`notation.write`) turns a derivative into these nodes; `notation.latex` and `notation.text` print them;
`reading.parse` reads LaTeX back into them.  The law of this room is ``parse(latex(e)) == e``.

Conventions that make the law hold: a `Sum` holds its minus signs as `Negative` arguments; a node nested in a node of its own
kind is one that stands in parentheses; numbers are not negative (that is `Negative`) and not fractions (that is `Fraction`);
sums, products and stacks have two parts or more; a `Big` without an index has no lower bound that reads as one (``k`` or ``k = 1``).

The second half are nodes that only people write (`dialect` makes them, no derivation of ours needs them): signs whose meaning typing
settles, brackets that may be an index, words, what could not be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in its text: offsets in characters, the end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number:
    """A numeral as written, ``0``, ``12`` or ``0.25``."""

    text: str
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Name:
    r"""A letter or word with what hangs on it: ``\tilde{h}_{t-1}`` is ``Name("h", accents=("tilde",), subs=(t - 1,))``.

    `base` is the letter (``h``), the command without its backslash for a Greek letter or operator (``\sigma``: ``"sigma"``), or a word in text font.
    `accents` run from the inside out.  `subs` are the comma-separated parts of the subscript; ``U_z`` has one, the name ``z``.
    `font` is a value of `table.FONTS` where the name is not set in its usual font (a letter in italics, a word upright): ``\mathbf{h}``.
    """

    base: str
    accents: tuple[str, ...] = ()
    subs: tuple[Node, ...] = ()
    primes: int = 0
    font: str = ""
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Sum:
    """``a + b - c``."""

    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Negative:
    """``-a``."""

    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Product:
    """Factors side by side, ``A B v``: the matrix product, or the product of scalars."""

    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Hadamard:
    r"""``a \odot b``, entry by entry; binds tighter than the sum and looser than juxtaposition: ``U h \odot r`` is ``(U h) \odot r``."""

    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Power:
    """``a^b``; of a vector, entry by entry."""

    base: Node
    exponent: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Transpose:
    r"""``a^\top``."""

    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Fraction:
    r"""``\frac{a}{b}`` that is no derivative."""

    numerator: Node
    denominator: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Derivative:
    r"""``\frac{\partial a}{\partial b}``; `sign` is how the d is written: ``partial``, ``d``, or ``partial+`` for the immediate derivative.

    People also write ``delta`` for the d, ``\nabla_b a`` (``nabla``) and ``\partial_b a`` (``subscript``); with an `order` of two, `wrt` is one name or
    a `Tuple` of two.
    """

    of: Node
    wrt: Node
    sign: str = "partial"
    order: int = 1
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Apply:
    r"""``f(a, b)``: a named function, with ``\tanh^2(c)`` as ``Power(Apply(tanh, c), 2)``."""

    function: Name
    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Diagonal:
    r"""``\operatorname{diag}(a)``."""

    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Stack:
    """``[a, b]`` as a row, or as a column with ``;``: concatenation."""

    args: tuple[Node, ...]
    vertical: bool = True
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Indicator:
    r"""``\mathbf{1}[a > 0]``: one where the relation holds, else zero."""

    condition: Node  # a Relation; of several, a Tuple
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Absolute:
    """``|a|``."""

    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Big:
    r"""``\sum_{k=1}^{t} body`` and ``\prod``; `kind` is ``sum`` or ``prod``; a missing bound is None."""

    kind: str
    index: Name | None
    lower: Node | None
    upper: Node | None
    body: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Relation:
    r"""``a = b = c``, ``a < b``: n + 1 sides and n signs, each a key of `table.RELATIONS`."""

    sides: tuple[Node, ...]
    signs: tuple[str, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Infix:
    r"""``a \cdot b``, ``a * b``: a product whose sign leaves its kind open; `sign` is ``cdot ast times otimes dot at star bullet dotast oplus pm``."""

    sign: str
    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Paren:
    r"""Brackets that may carry meaning: ``h^{(t)}``, ``h^{<t>}``, ``h_{[i]}``, ``f (x)``; `kind` is the opening one, ``\langle`` as ``<``."""

    arg: Node
    kind: str = "("
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Index:
    """``(a b)_i`` (`kind` ``_``), ``W[:, n:]`` (``[``), ``h(t-1)`` (``(``): an index on what is more than a name, or in brackets."""

    base: Node
    parts: tuple[Node, ...]
    kind: str = "_"
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Slice:
    """``a:b`` within an index; a missing end is None."""

    lower: Node | None
    upper: Node | None
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Tuple:
    r"""``(a, b)``, ``\{a, b\}``, or ``a, b`` on one side of a relation; round brackets with nothing inside are an empty one."""

    args: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Norm:
    r"""``\|a\|``."""

    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Cases:
    r"""``\begin{cases} a & c \\ b & d \end{cases}``: values and their conditions, `Words` for "otherwise", `Blank` where there is none."""

    values: tuple[Node, ...]
    conditions: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ellipsis:
    r"""``\dots`` between factors or terms; with the sign ``cdot`` the empty place in ``f(\cdot)``."""

    sign: str = "dots"
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Words:
    """Prose inside a formula."""

    text: str
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Given:
    r"""A formula with what is said of it on its line, ``a = b \quad \text{if } z = 1``; conditions are nodes, remarks are `Words`."""

    node: Node
    conditions: tuple[Node, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Differential:
    r"""``\partial a`` that is no part of a derivative (`sign` ``partial``, ``partial+``, ``nabla``), and ``(a)'`` (``prime``)."""

    sign: str
    arg: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Operator:
    r"""``\frac{\partial}{\partial b}`` with nothing behind it."""

    sign: str
    wrt: Node
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a program that holds a gradient by the quantity `of`: what it is called, and which of its assignments gives the value.

    Of its `ways` one is meant: a kind of gradient (``total``, ``pre``, ``pre of own``, ``pre of later``, ``carry``, ``own``, ``use``) and by how many
    steps it is moved.
    """

    text: str
    of: Node
    mark: int = 0
    ways: tuple[tuple[str, int], ...] = (("total", 0),)
    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Blank:
    """Nothing, where something belongs: the left side of a line that begins with ``=``."""

    span: Span | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that could not be read, why, and where in it; `repaired` is what it reads as without its `fault`, if that is all that is wrong."""

    reason: str
    way_out: str = ""
    place: Span | None = None
    repaired: Node | None = None
    fault: str = "unbalanced-brackets"
    span: Span | None = field(default=None, compare=False, kw_only=True)


Node: TypeAlias = (
    Number | Name | Sum | Negative | Product | Hadamard | Power | Transpose | Fraction | Derivative | Apply | Diagonal | Stack
    | Indicator | Absolute | Big | Relation
    | Infix | Paren | Index | Slice | Tuple | Norm | Cases | Ellipsis | Words | Given | Differential | Operator | Variable | Blank | Unread
)


def height(node: Node) -> int:
    """How many nodes stand inside each other, at most."""
    tallest = 0
    todo: list[tuple[Node, int]] = [(node, 1)]
    while todo:
        here, level = todo.pop()
        tallest = max(tallest, level)
        for name in here.__slots__:
            value = getattr(here, name)
            for part in value if type(value) is tuple else (value,):
                if hasattr(part, "span"):
                    todo.append((part, level + 1))
    return tallest


def equation(left: Node, right: Node) -> Relation:
    """``left = right``."""
    return Relation((left, right), ("=",))
