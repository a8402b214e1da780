r"""The notation table: how every sign of this field is spelled in LaTeX and in Unicode, and how tightly it binds.

The printers (`latex`, `text`) and the parser (`parse`) read these rows and hold no spelling or precedence of their own.
The first spelling of a row is the one that is printed; all of them are read.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from symgrad.notation.syntax import Big, Fraction, Hadamard, Infix, Name, Negative, Node, Number, Product, Relation, Span, Sum

# Precedence, loosest first.  The body of a big operator is everything that binds tighter than BIG: `\sum_k a_k \odot b_k + c`
# is `(\sum_k a_k \odot b_k) + c`, as in print; a minus sign spans products of both kinds, so it binds like a sum.
RELATION, SUM, NEGATIVE, BIG, HADAMARD, PRODUCT, FACTOR = 0, 10, 11, 15, 20, 30, 40


class Operator(NamedTuple):
    """One operator: its node, how tightly it binds, how it associates, its spellings."""

    node: Any  # the node's class, called with the tuple of operands
    level: int
    associativity: str  # "chain": `a + b + c` is one node; "prefix": stands before its operand
    latex: tuple[str, ...]
    text: str


JUXTAPOSITION = Operator(Product, PRODUCT, "chain", ("",), " ")
PLUS = Operator(Sum, SUM, "chain", ("+",), "+")
MINUS = Operator(Negative, NEGATIVE, "prefix", ("-", "\u2212"), "-")  # U+2212 is the minus sign of print
ODOT = Operator(Hadamard, HADAMARD, "chain", (r"\odot", r"\circ", "⊙", "∘"), "∘")
COMPARISON = Operator(Relation, RELATION, "chain", (), "")  # its signs are RELATIONS



_SIZES = frozenset({"T", "N", "M", "m", "n", "B"})  # letters for how many there are


def _quotient(args: tuple[Node, ...], span: Span | None = None) -> Node:
    """``a / b / c`` is ``(a / b) / c``; ``1/2 x`` is half of x, and ``1/T \\sum_t x_t`` a mean."""
    node = args[0]
    for k, below in enumerate(args[1:], 1):
        whole = span if k == len(args) - 1 else _across(args[0], below)
        many = _counting(node, below, whole)
        if many and type(below) is Product:
            first, rest = below.args[:many], below.args[many:]
            number = first[0] if many == 1 else Product(first, span=_across(first[0], first[-1]))
            node = Product((Fraction(node, number, span=_across(node, number)), *rest), span=whole)
        else:
            node = Fraction(node, below, span=whole)
    return node


def _counting(above: Node, below: Node, whole: Span | None) -> int:
    """How many of the factors behind a stroke are the number below it, in ``1/2 x``, ``1/2T \\sum_t x_t``; 0 if all of them stand below."""
    if type(above) is not Number or type(below) is not Product or whole is None:
        return 0
    last = below.args[-1].span
    if last is None or last.end != whole.end:
        return 0  # ``1/(2 x)``, of which the brackets are gone
    counts = [type(a) is Number or (type(a) is Name and a == Name(a.base) and a.base in _SIZES) for a in below.args]
    many = counts.index(False) if False in counts else 0
    return many if many and (type(below.args[0]) is Number or type(below.args[many]) is Big) else 0


def _across(first: Node, last: Node) -> Span | None:
    return Span(first.span.start, last.span.end) if first.span and last.span else None


def _open(sign: str, text: str, *latex: str, level: int = HADAMARD) -> Operator:
    return Operator(partial(Infix, sign), level, "chain", latex, text)


SLASH = Operator(_quotient, HADAMARD, "chain", ("/",), "/")
OPEN = {
    "cdot": _open("cdot", "·", r"\cdot", "·", "⋅"),
    "ast": _open("ast", "*", "*", r"\ast", "∗"),
    "dotast": _open("dotast", ".*", ".*"),
    "times": _open("times", "×", r"\times", "×"),
    "otimes": _open("otimes", "⊗", r"\otimes", r"\bigotimes", "⊗"),
    "bullet": _open("bullet", "•", r"\bullet", "•"),
    "star": _open("star", "⋆", r"\star", "⋆"),
    "at": _open("at", "@", "@"),
    "dot": _open("dot", ".", "."),
    "oplus": _open("oplus", "⊕", r"\oplus", "⊕", level=SUM),
    "pm": _open("pm", "±", r"\pm", "±", level=SUM),
}
OPERATORS = (JUXTAPOSITION, PLUS, MINUS, ODOT, SLASH, *OPEN.values())
INFIX = {spelling: row for row in OPERATORS for spelling in row.latex if spelling}


class Sign(NamedTuple):
    """A relation's sign: its spellings in LaTeX, its text."""

    latex: tuple[str, ...]
    text: str


RELATIONS = {
    "=": Sign(("=",), "="),
    "<": Sign(("<", r"\lt"), "<"),
    ">": Sign((">", r"\gt"), ">"),
    "<=": Sign((r"\leq", r"\le", r"\leqslant", "<=", "≤", "⩽"), "≤"),
    ">=": Sign((r"\geq", r"\ge", r"\geqslant", ">=", "≥", "⩾"), "≥"),
    "<<": Sign((r"\ll", "≪", "<<"), "≪"),
    ">>": Sign((r"\gg", "≫", ">>"), "≫"),
    "!=": Sign((r"\neq", r"\ne", "!=", "≠"), "≠"),
    ":=": Sign((r"\coloneqq", ":=", r"\triangleq", r"\doteq", r"\coloneq", r"\eqdef", r"\equalscolon", "≔", "≜"), ":="),
    "=:": Sign((r"\eqqcolon", "=:", r"\eqcolon", "≕"), "=:"),
    "+=": Sign((r"\mathrel{+}=", "+=", r"\xleftarrow{+}"), "+="),
    "-=": Sign((r"\mathrel{-}=", "-=", r"\xleftarrow{-}"), "-="),
    "==": Sign((r"\equiv", "==", "≡"), "≡"),
    "~~": Sign((r"\approx", r"\simeq", r"\cong", "≈"), "≈"),
    "~": Sign((r"\sim", "∼"), "~"),
    "prop": Sign((r"\propto", "∝"), "∝"),
    "in": Sign((r"\in", "∈"), "∈"),
    ":": Sign((r"\colon",), ":"),
    "->": Sign((r"\to", r"\rightarrow", r"\longrightarrow", r"\mapsto", "->", "→"), "→"),
    "<-": Sign((r"\leftarrow", r"\gets", "<-", "←"), "←"),
    "=>": Sign((r"\Rightarrow", r"\implies", r"\Longrightarrow", "=>", "⇒"), "⇒"),
}
RELATION_SIGNS = {spelling: key for key, sign in RELATIONS.items() for spelling in sign.latex}


class Function(NamedTuple):
    """A known function: its LaTeX, its text, other words for it; `bare` ones take an argument without brackets, ``\\tanh c``."""

    latex: str
    text: str
    words: tuple[str, ...] = ()
    bare: bool = False


_LOG_LIKE = "tanh sinh cosh coth sin cos tan exp log ln max min arctan arcsin arccos det tr lim inf sup argmax argmin"
FUNCTIONS = {
    **{word: Function("\\" + word, word, (word,), bare=True) for word in _LOG_LIKE.split()},
    "tr": Function(r"\operatorname{tr}", "tr", ("tr",), bare=True),
    "argmax": Function(r"\operatorname{argmax}", "argmax", ("argmax",), bare=True),
    "argmin": Function(r"\operatorname{argmin}", "argmin", ("argmin",), bare=True),
    "sech": Function(r"\operatorname{sech}", "sech", ("sech",), bare=True),
    "sqrt": Function(r"\operatorname{sqrt}", "sqrt", ("sqrt",)),  # with one argument and no more on it: \sqrt{a}
    "sigmoid": Function(r"\operatorname{sigmoid}", "sigmoid", ("sigmoid", "Sigmoid", "sigm", "logistic")),
    "tanh": Function(r"\tanh", "tanh", ("tanh", "Tanh"), bare=True),
    "softmax": Function(r"\operatorname{softmax}", "softmax", ("softmax", "Softmax")),
    "relu": Function(r"\operatorname{ReLU}", "ReLU", ("ReLU", "relu", "Relu", "RELU")),
    "silu": Function(r"\operatorname{SiLU}", "SiLU", ("SiLU", "silu")),
    "gelu": Function(r"\operatorname{GELU}", "GELU", ("GELU", "gelu")),
    "elu": Function(r"\operatorname{ELU}", "ELU", ("ELU", "elu")),
    **{word: Function(rf"\operatorname{{{word}}}", word, (word,))
       for word in ("softplus", "softsign", "swish", "mish", "erf", "sgn", "sign", "vec", "clip", "mean", "var")},
}
FUNCTION_WORDS = {word: base for base, row in FUNCTIONS.items() for word in row.words}
DIAGONAL = "diag"
# Letters that are functions when a parenthesis follows: the logistic function and the customary free activations.
LETTER_FUNCTIONS = ("sigma", "phi", "varphi", "psi", "g")
DEFAULT_FUNCTIONS: frozenset[str] = frozenset(FUNCTIONS) | frozenset(LETTER_FUNCTIONS)
ONES_FONTS = ("mathbf", "mathbb")  # a digit one in these, with a relation in brackets behind it, is an indicator

SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "varsigma": "ς", "sigma": "σ", "tau": "τ",
    "upsilon": "υ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "varepsilon": "ε", "vartheta": "ϑ", "varpi": "ϖ", "varrho": "ϱ", "phi": "ϕ", "varkappa": "ϰ",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω",
    **dict(zip(("Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho", "Tau", "Chi"), "ΑΒΕΖΗΙΚΜΝΟΡΤΧ", strict=True)),
    "omicron": "ο", "ell": "ℓ", "hbar": "ℏ", "nabla": "∇", "infty": "∞", "emptyset": "∅", "star": "⋆", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ",
    "dots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱",
}  # fmt: skip
SYMBOL_NAMES = {glyph: base for base, glyph in SYMBOLS.items()}

ACCENTS = {
    "tilde": "\u0303", "hat": "\u0302", "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7", "mathring": "\u030a",
    "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300", "overline": "\u0305", "underline": "\u0332",
    "widetilde": "\u0360", "widehat": "\u1dcd", "overrightarrow": "\u20d1", "overleftarrow": "\u20d6",
}  # fmt: skip
COMBINING = {mark: accent for accent, mark in ACCENTS.items()}

# Every font command and the one printed for it.
FONTS = {
    "mathbf": "mathbf", "boldsymbol": "mathbf", "bm": "mathbf", "textbf": "mathbf", "pmb": "mathbf", "bf": "mathbf",
    "mathrm": "mathrm", "text": "mathrm", "textrm": "mathrm", "operatorname": "mathrm", "mbox": "mathrm", "rm": "mathrm", "textnormal": "mathrm",
    "mathit": "mathit", "textit": "mathit", "mathcal": "mathcal", "mathscr": "mathscr", "mathbb": "mathbb", "mathsf": "mathsf",
    "mathtt": "mathtt", "texttt": "mathtt", "mathfrak": "mathfrak", "mathbbm": "mathbb", "mathds": "mathbb", "textsf": "mathsf", "tt": "mathtt",
    "cal": "mathcal", "symbf": "mathbf", "symbfit": "mathbf", "boldmath": "mathbf", "emph": "mathit",
    **dict.fromkeys(("bs", "vb", "va", "vect", "mat", "matr", "mb", "mbf", "bfs", "vv", "mathbfit", "mathbfsf"), "mathbf"),
    "mathup": "mathrm", "symup": "mathrm", "mathnormal": "mathit",  # by custom, where a preamble is not in the document
}  # fmt: skip

BIG_OPERATORS = {"sum": "Σ", "prod": "Π"}
FRACTIONS = (r"\frac", r"\dfrac", r"\tfrac", r"\cfrac")
DIFFERENTIALS = {"partial": (r"\partial", "∂"), "d": ("d", "d"), "partial+": (r"\partial^{+}", "∂⁺")}
TRANSPOSES = (r"\top", r"\intercal", "⊤")
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ", "0123456789+-=()aeoxhklmnpstijruv", strict=True))
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", "0123456789+-=()abcdefghijklmnoprstuvwxyz", strict=True))
SUPERSCRIPTS = {**dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)), "ᵀ": r"\top"}

# Brackets, innermost first, and what closes each.
BRACKETS = (("(", ")"), ("[", "]"), (r"\{", r"\}"))
CLOSERS = dict(BRACKETS)

# Other spellings of single tokens.
ALIASES = {
    "′": "'", r"\prime": "'", "‖": r"\|", r"\Vert": r"\|", r"\lVert": r"\|", r"\rVert": r"\|", r"\vert": "|", r"\mid": "|",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\lparen": "(", r"\rparen": ")",
    "∂": r"\partial", "∑": r"\sum", "∏": r"\prod", "√": r"\sqrt", r"\ldots": r"\dots", r"\dotsc": r"\dots", r"\dotsb": r"\cdots",
    r"\dotsm": r"\cdots", r"\sb": "_", r"\sp": "^", "||": r"\|", r"\lt": "<", r"\gt": ">", r"\part": r"\partial", r"\bigodot": r"\odot", r"\bigcirc": r"\circ",
    **dict.fromkeys((r"\triangle", r"\bigtriangleup", r"\vartriangle", r"\varDelta"), r"\Delta"), r"\bigtriangledown": r"\nabla", r"\triangledown": r"\nabla",
    **{rf"\var{letter}": rf"\{letter}" for letter in ("Gamma", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")},
    r"\(": "(", r"\)": ")", r"\[": "[", r"\]": "]",  # escaped for a Markdown that is not this one
    **dict(zip("（）［］＝＋－＊，", "()[]=+-*,", strict=True)),
    **{glyph: "\\" + base for base, glyph in SYMBOLS.items()},
}  # fmt: skip

# Commands of preambles that are not in the document, and of packages.
UPRIGHT_D = (r"\dd", r"\diff", r"\dif")  # ``\dd{x}`` is dx
ABBREVIATIONS = {
    r"\cd": r"\cdot", r"\cds": r"\cdots", r"\lds": r"\dots", r"\lag": r"\langle", r"\rag": r"\rangle", r"\grad": r"\nabla", r"\pd": r"\partial",
    **dict.fromkeys(UPRIGHT_D, "d"), r"\imath": "i", r"\jmath": "j",
    **dict.fromkeys((r"\od", r"\had", r"\hadamard", r"\hprod"), r"\odot"),
    **dict.fromkeys((r"\transp", r"\tran", r"\tp"), r"\trans"),
}
QUOTIENTS = {**dict.fromkeys((r"\pdv", r"\pd", r"\dpd", r"\tpd", r"\pderiv", r"\pdiff", r"\pder", r"\diffp"), r"\partial"),
             **dict.fromkeys((r"\dv", r"\odv", r"\od", r"\dod", r"\tod", r"\deriv", *UPRIGHT_D), "d")}  # fmt: skip
FENCES = {r"\norm": (r"\|", r"\|"), r"\abs": (r"\lvert", r"\rvert"), **dict.fromkeys((r"\pqty", r"\paren", r"\parens", r"\pa", r"\prn"), ("(", ")")),
          **dict.fromkeys((r"\bqty", r"\br", r"\brk", r"\brac", r"\bracket", r"\brackets"), ("[", "]"))}  # fmt: skip

# Commands that set space, size or style only, and environments that only align.
SPACING = (
    "quad", "qquad", "enspace", "thinspace", "medspace", "thickspace", "negthinspace", "displaystyle", "textstyle", "scriptstyle",
    "limits", "nolimits", "nonumber", "notag", "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr",
    "biggl", "biggr", "Biggl", "Biggr", "bigm", "mathopen", "mathclose", "mathstrut",
)  # fmt: skip
GAPS = ("quad", "qquad", "hfill", "hfil")  # what stands apart is a statement or a remark of its own
TRANSPARENT = (  # a group behind one of these is read as if it stood alone
    "large", "Large", "LARGE", "huge", "Huge", "small", "footnotesize", "scriptsize", "tiny", "normalsize", "boxed", "fbox", "mathop", "mathbin",
    "mathord", "mathinner", "ensuremath", "displaylimits", "hline", "noindent", "space", "nobreakspace", "allowbreak",
    "nobreak", "mathclap", "smash", "strut", "protect", "begingroup", "endgroup", "bold", "scriptscriptstyle", "negmedspace", "negthickspace",
    "Biggm", "biggm", "bigm", "Bigm", "mathpunct", "upshape", "normalfont", "unicode", "centering", "substack", "break", "arg",
    "blacksquare", "qed", "qedhere", "qty",
)  # fmt: skip
DISCARDED = ("tag", "label", "ref", "eqref", "cite", "footnote", "vspace", "phantom", "vphantom", "hphantom", "color", "textcolor", "colorbox",
             "cline", "hskip", "kern", "mspace", "setlength", "intertext", "shortintertext", "class", "cssId", "style", "href")  # fmt: skip
# Words that people set in italics, so that they look like products of letters; longer ones are told by their vowels, unless a function's name is in them.
SHORT_WORDS = ("lin", "net", "out", "new", "old", "inp", "err", "emb", "act", "hid", "cur", "rec", "raw", "pre", "cost", "Cost", "Loss", "LOSS", "logit",
               "logits", "LSTM", "GRU", "RNN", "MLP", "MSE")  # fmt: skip
LOST_COMMANDS = ("odot", "cdot", "otimes", "circ", "times", "dot")  # a product's command that has lost its backslash
BRACES = ("underbrace", "overbrace", "underbracket", "overbracket")
ABOVE = {"->": "overrightarrow", "<-": "overleftarrow", "~": "tilde", "wedge": "hat"}  # what is an accent where it is set above a letter
STACKED = ("overset", "stackrel", "underset")
CONDITIONS = ("if", "when", "where", "for", "with", "at", "assuming", "given", "provided", "unless", "whenever", "while", "under", "iff")
CONJUNCTIONS = ("and", "or", "so", "thus", "hence", "then", "therefore", "but", "i.e.", "also", "yields", "gives", "implies", "is", "because",
                "since", "as", "from", "by", "or equivalently", "that is", "similarly", "likewise", "where", "wherein")  # fmt: skip
PROSE = frozenset((*CONDITIONS, *CONJUNCTIONS, "otherwise", "else", "in", "on", "of", "to", "the", "a", "step", "input", "e.g."))
ARRAYS = ("array", "matrix", "gathered", "aligned", "split", "alignedat")  # behind a brace of its own these list cases
ALIGNMENTS = ("aligned", "align", "align*", "split", "gathered", "gather", "gather*", "equation", "equation*", "eqnarray", "eqnarray*",
              "multline", "multline*", "displaymath")  # fmt: skip
MATRICES = ("bmatrix", "pmatrix", "matrix", "Bmatrix")


def applies(node: Node, functions: frozenset[str]) -> bool:
    """Whether a bracket right behind this node, written bare, would be read as its arguments: ``g (a)``, ``\\tanh^2 (c)``."""
    match node:
        case Name(base="1", font=font):
            return font in ONES_FONTS
        case Name(base=base):
            return base in functions
        case _:
            return False


def takes_bare(name: Name) -> bool:
    """Whether what stands right behind this name, without a bracket, is its argument: ``\\tanh c``."""
    row = FUNCTIONS.get(name.base)
    return row is not None and row.bare and not name.font
