"""Random formulas of every kind of syntax node, in the canonical form that `symgrad.notation.syntax` describes."""

from hypothesis import strategies as st

from symgrad.notation import table
from symgrad.notation.syntax import (
    Absolute,
    Apply,
    Big,
    Derivative,
    Diagonal,
    Fraction,
    Hadamard,
    Indicator,
    Infix,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Relation,
    Stack,
    Sum,
    Transpose,
)

LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
WORDS = st.sampled_from(["loss", "reset gate", "xh", "h_new", "W1", "top", "top-1", "left", "partial", "in"])
BASES = st.one_of(LETTERS, LETTERS, st.sampled_from(sorted(table.SYMBOLS)), st.sampled_from(sorted(table.FUNCTIONS)), WORDS)
FUNCTION_BASES = st.one_of(
    st.sampled_from(sorted(table.DEFAULT_FUNCTIONS)), st.sampled_from(sorted(table.DEFAULT_FUNCTIONS)), WORDS)  # fmt: skip
FEW = st.lists(st.sampled_from(sorted(table.ACCENTS)), max_size=2).map(tuple)


def numbers():
    return st.sampled_from(["0", "1", "2", "3", "10", "12", "0.25", "07"]).map(Number)


@st.composite
def names(draw, subs=None, bases=BASES):
    base = draw(bases)
    plain = draw(st.integers(0, 3))
    accents = draw(FEW) if plain == 0 else ()
    parts = tuple(draw(st.lists(subs, max_size=2))) if plain < 3 and subs is not None else ()
    fonts = ["mathbf", "mathcal", "mathbb", "mathsf"] + ["mathrm"] * ((len(base) == 1 and base != "T") or base in table.SYMBOLS)
    fonts += ["mathit"] * (len(base) > 1 and base not in table.SYMBOLS)
    font = draw(st.sampled_from(fonts)) if plain == 1 else ""
    if base == "T" and font == "mathsf":
        font = ""
    return Name(base, accents, parts, draw(st.sampled_from([0, 0, 0, 1, 2])) if plain < 3 else 0, font)


def _several(nodes, most=4):
    return st.lists(nodes, min_size=2, max_size=most).map(tuple)


def relations(nodes):
    sign = st.sampled_from(sorted(table.RELATIONS))
    return _several(nodes, 3).flatmap(lambda sides: st.tuples(*[sign] * (len(sides) - 1)).map(lambda signs: Relation(sides, signs)))


@st.composite
def bigs(draw, nodes):
    kind = draw(st.sampled_from(sorted(table.BIG_OPERATORS)))
    index = draw(st.none() | names(nodes))
    lower = draw(st.none() | nodes)
    first = lower.sides[0] if isinstance(lower, Relation) and lower.signs == ("=",) else lower
    if index is None and isinstance(first, Name):  # `k` and `k = 1` would read as an index
        lower = None
    return Big(kind, index, lower, draw(st.none() | nodes), draw(nodes))


def _extend(nodes):
    functions = names(nodes, FUNCTION_BASES).filter(lambda f: f.base in table.DEFAULT_FUNCTIONS or not f.font)
    return st.one_of(
        names(nodes),
        _several(nodes).map(Sum),
        nodes.map(Negative),
        _several(nodes).map(Product),
        _several(nodes).map(Product),
        _several(nodes).map(Hadamard),
        st.builds(Infix, st.sampled_from(sorted(table.OPEN)), _several(nodes, 3)),
        st.builds(Power, nodes, nodes),
        nodes.map(Transpose),
        st.builds(Fraction, nodes, nodes),
        st.builds(Derivative, nodes, nodes, st.sampled_from(sorted(table.DIFFERENTIALS))),
        st.builds(Apply, functions, st.lists(nodes, min_size=1, max_size=2).map(tuple)),
        nodes.map(Diagonal),
        st.builds(Stack, _several(nodes, 3), st.booleans()),
        relations(nodes).map(Indicator),
        nodes.map(Absolute),
        bigs(nodes),
        relations(nodes),
    )


def formulas(max_leaves=12):
    """Any node."""
    leaves = st.one_of(numbers(), names(), st.just(Name("1", font="mathbf")), LETTERS.map(Name))
    return st.recursive(leaves, _extend, max_leaves=max_leaves)


def equations(max_leaves=8):
    """A relation of random sides, as a line of a derivation is."""
    return relations(formulas(max_leaves))
