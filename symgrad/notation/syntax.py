"""What a formula is on paper: a small closed set of syntax nodes, shared by every printer and by the parser.

The nodes say how a formula is *written*, not what it means: ``U(r \\odot h)`` is a product of a name and a Hadamard product.
Writing (`notation.write`) turns a derivative into these nodes; `notation.latex` and `notation.text` print them;
`notation.parse` reads LaTeX back into them.  The law of this room is ``parse(latex(e)) == e``.

Conventions that make the law hold: a `Sum` holds its minus signs as `Negative` arguments; a node nested in a node of its own
kind is one that stands in parentheses; numbers are not negative (that is `Negative`) and not fractions (that is `Fraction`);
sums, products and stacks have two parts or more; a `Big` without an index has no lower bound that reads as one (``k`` or ``k = 1``).
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
    r"""``\frac{\partial a}{\partial b}``; `sign` is how the d is written: ``partial``, ``d``, or ``partial+`` for the immediate derivative."""

    of: Node
    wrt: Node
    sign: str = "partial"
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

    condition: Relation
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


Node: TypeAlias = (
    Number | Name | Sum | Negative | Product | Hadamard | Power | Transpose | Fraction | Derivative | Apply | Diagonal | Stack
    | Indicator | Absolute | Big | Relation
)


def equation(left: Node, right: Node) -> Relation:
    """``left = right``."""
    return Relation((left, right), ("=",))
