"""What is mathematics in a file, and where: every case is a text of a kind and its fragments as `kind line:column latex`."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.check.sources import Document, guessed, read, read_text
from symgrad.errors import SymgradError


def listed(document: Document) -> list[str]:
    found = []
    for f in document.fragments:
        line, column = document.position(f.extent()[0])
        found.append(f"{f.kind} {line}:{column} {f.latex}")
    return found


CASES = {
    "dollars": ("md", "Let $x_t$ and\n$$h = z$$ be.", ["inline 1:6 x_t", "display 2:3 h = z"]),
    "spaces inside": ("md", "so $ h_t = z_t $ holds", ["inline 1:6 h_t = z_t"]),
    "prices": ("md", "It costs $5 and $7, or $10-$20, or 10$ and 20$; \\$3 and \\$4, $5/month vs $7/month.", []),
    "a price and a formula": ("md", "For $5 you get $x_t$.", ["inline 1:17 x_t"]),
    "numbers": ("md", "with $n$ units, $5$ steps, $T=3$", ["inline 1:7 n", "inline 1:18 5", "inline 1:29 T=3"]),
    "brackets": ("md", r"\(a = b\) and \[c = d\]", ["inline 1:3 a = b", "display 1:17 c = d"]),
    "doubled": ("md", "\\\\(z_t = \\sigma(a\\_t)\\\\)\n\\\\[ \\\\{h\\\\} \\\\\\\\ c \\\\]", [r"inline 1:4 z_t = \sigma(a_t)", r"display 2:5 \{h\} \\ c"]),
    "struck out": ("md", "was ~~$a = b$~~, is $a = c$ <del>and $d = e$</del> with $f ~~=~~ g$", ["inline 1:22 a = c", "inline 1:58 f ~~=~~ g"]),
    "struck out in TeX": ("tex", "\\sout{was $a = b$} is $a = c$", ["inline 1:24 a = c"]),
    "switched off": ("tex", "\\iffalse $a = b$ \\ifx\\x\\y $c$ \\fi $d$ \\else $a = c \\iff e$ \\fi", [r"inline 1:46 a = c \iff e"]),
    "struck out on a page": ("html", "<p><del>\\(a = b\\)</del> \\(a = c\\)</p>", ["inline 1:27 a = c"]),
    "bare environment": ("md", "So \\begin{align*} a &= b \\\\\n c &= d \\end{align*}.", ["display 1:19 a &= b \\\\\n c &= d"]),
    "nested environment": ("md", "$$\\begin{aligned}a&=b\\end{aligned}$$", [r"display 1:3 \begin{aligned}a&=b\end{aligned}"]),
    "math fence": ("md", "```math\nx = y\n```", ["display 2:1 x = y"]),
    "directive fence": ("md", "```{math}\n:label: q\nx = y\n```", ["display 3:1 x = y"]),
    "wordpress, wiki, role": ("md", "$latex h = z$ <math>q = r</math> {math}`a = b`", ["inline 1:8 h = z", "inline 1:21 q = r", "inline 1:41 a = b"]),
    "gitlab": ("md", "so $`h = z`$.", ["inline 1:6 h = z"]),
    "dollar in text": ("md", r"$\text{if $x$} = y$ and $$\text{for $t$} = 3$$", [r"inline 1:2 \text{if $x$} = y", r"display 1:27 \text{for $t$} = 3"]),
    "quotation": ("md", "> $$\n> h_t = z_t\n>   + r_t\n> $$", ["display 2:3 h_t = z_t\n+ r_t"]),
    "a formula that goes on in the next": (
        "md", "$a = b =$ // so far\n\n$c \\cdot$ $d \\mathbf{+}$\n$e$ and $h =$ state, $g =$ gate, by $\\circ$ $r$ $k^+$ $p$, $u =$\n$= v$", [
            r"inline 1:2 a = b = c \cdot d \mathbf{+} e", "inline 4:10 h =", "inline 4:23 g =",
            r"inline 4:38 \circ", "inline 4:46 r", "inline 4:50 k^+", "inline 4:56 p", "inline 4:61 u =",
            "inline 5:2 = v"]),
    "entities": ("md", "$h^{&lt;t&gt;} = z$", ["inline 1:2 h^{<t>} = z"]),
    "angle": ("md", "$h^{<t>} = z$", ["inline 1:2 h^{<t>} = z"]),
    "comment, script, link, picture": ("md", "<!-- $a=b$ --> <script>q = '$c=d$'</script> [e](https://x.y/?a_b=c) ![$f=g$](h.png)", []),
    "picture that is a formula": ("md", "so ![h_t = \\tanh(a_t) ](h.png)\n\n![the path of W_{hh} through time](w.png)", [r"inline 1:6 h_t = \tanh(a_t)"]),
    "attribute": ("jsx", r'<Block tex="\begin{aligned} a = \sigma(b) \\ c = d \end{aligned}" />', [r"display 1:29 a = \sigma(b) \\ c = d"]),
    "front matter": ("md", "---\ntitle: $a=b$\n---\n$c=d$", ["inline 4:2 c=d"]),
    "backticks": ("md", "`h_t = tanh(W x_t)`, `f = g()`, `\\frac{dL}{dz} = 1`", ["code 1:2 h_t = tanh(W x_t)", r"inline 1:34 \frac{dL}{dz} = 1"]),
    "fence of formulas": (
        "md",
        "```\ndh_prev = dh * z\n        + W.T @ da\n  dW += x^T × δ    db += δ\nLSTM:   dc = dc_t ⊙ f_t   (see above)\n```",
        ["code 2:1 dh_prev = dh * z\n        + W.T @ da", "code 4:3 dW += x^T × δ", "code 4:20 db += δ", "code 5:9 dc = dc_t ⊙ f_t"],
    ),
    "words in brackets and behind the last sign": (
        "md",
        "```\ndL/dgate = dL/dh * (candidate - h_prev * decay)\ndL/dh_prev = dL/dh * (1 - gate) * decay\n"
        "h_t = f_t * c_t * whatever it is\n**h_t = o_t * c_t** is it\nh_t = f_t * c_t + gate * candidate\n```",
        ["code 2:1 dL/dgate = dL/dh * (candidate - h_prev * decay)", "code 3:1 dL/dh_prev = dL/dh * (1 - gate) * decay", "code 4:1 h_t = f_t * c_t *",
         "code 5:3 h_t = o_t * c_t", "code 6:1 h_t = f_t * c_t + gate * candidate"]),
    "fence of a program": ("md", "```python\n# dz = dh * (h - n) * z\nz = f(dh * q)\n```", ["code 2:3 dz = dh * (h - n) * z"]),
    "program without its name": ("md", "```\nimport numpy as np\ndz = dh * np.tanh(z)\n```", []),
    "bullets": ("txt", "1. z_t = σ(W_z·[h_{t-1}, x_t])\n- ∂h_t/∂h_{t-1} = (1 - z_t)\n* **Reset gate**: r_t = σ(x_t)", [
        "line 1:4 z_t = σ(W_z·[h_{t-1}, x_t])", "line 2:3 ∂h_t/∂h_{t-1} = (1 - z_t)", "line 3:19 r_t = σ(x_t)"]),
    "a line and its words": ("txt", "Then the state is h_t = z_t * c_t for all t.", ["line 1:19 h_t = z_t * c_t"]),
    "a range in words": ("txt", "∂L/∂W = Σ(t=1 to T) ∂L_t/∂W", ["line 1:1 ∂L/∂W = Σ_{t=1}^{T} ∂L_t/∂W"]),
    "a part by its way": ("txt", "dL/dh_{t-1} from h_t = dL/dh_t * z_t", ["line 1:1 dL/dh_{t-1}+= dL/dh_t * z_t"]),
    "a word in a list": ("rs", "// v = [h_{t-1}, chunk]\n// ── z_t = σ(v) ──\n// dz_t = dh_t * c_t  [product rule]", [
        "line 1:4 v = [h_{t-1}, chunk]", "line 2:7 z_t = σ(v)", "line 3:4 dz_t = dh_t * c_t"]),
    "settings": ("txt", "epochs = 10\nlr = 0.01 and name = value\nsize = width x height\nshapes (N, D, with D=input_dim)", []),
    "a bracket that opens in the words": ("txt", "the memory [as it comes by way of h_t = o_t × tanh(c_t)]", ["line 1:35 h_t = o_t × tanh(c_t)"]),
    "table": ("txt", "| gate | z_t = σ(x_t) |", ["line 1:10 z_t = σ(x_t)"]),
    "a box": ("md", "```\n┌────┐\n│ h_t = z_t * c_t (the gate)   │\n│ q_t = r_t * c_t │ u = v * w │\n└────┘\n```", [
        "code 3:3 h_t = z_t * c_t", "code 4:3 q_t = r_t * c_t", "code 4:21 u = v * w"]),
    "fractions over three lines": ("md", "```\n∂E    ∂E    ∂u_2   2a + b\n── = ──── × ──── · ──────\n∂W   ∂u_2   ∂W     c\n```\n| a = b |\n|-------|\n", [
        "code 3:1 ∂E/∂W = ∂E/∂u_2 × ∂u_2/∂W · (2a + b)/c"]),
    "formulas marked as a program": ("md", "```python\nq_t = tanh(A @ x_t)  # here\nh_t = q_t * h_{t-1}\n```\n```python\n# h_{t-1} = c\ny = x * w\n```", [
        "code 2:1 q_t = tanh(A @ x_t)", "code 3:1 h_t = q_t * h_{t-1}", "code 6:3 h_{t-1} = c"]),
    "a sign between formulas": ("md", "$a$ = $b + c$, $d$ $=$ $e$ and $u$ =\n$v$", [
        "inline 1:2 a=b + c", "inline 1:17 d", "inline 1:25 e", "inline 1:33 u=v"]),
    "a word as an argument": ("txt", "dz = σ'(gate) * dh (here)\ndu = g(gate, and more)", ["line 1:1 dz = σ'(gate) * dh"]),
    "subscripts of HTML": ("md", "h<sub>t</sub> = z<sub>t</sub> * c", ["line 1:1 h_{t} = z_{t} * c"]),
    "rst": ("md", ".. math::\n   :label: e\n\n   a = b\n\n   c = d\n   + e\n\nand :math:`f=g`.", [
        "display 4:4 a = b", "display 6:4 c = d\n   + e", "inline 9:12 f=g"]),
    "rst on its line": ("md", ".. math:: a = b\nnot this", ["display 1:11 a = b"]),
    "python": ("py", 'def f():\n    """Doc.\n\n    dz = dh * z * (1 - z)\n    """\n    # dh_prev = dh * z_t\n    y = a_t + b', [
        "line 4:5 dz = dh * z * (1 - z)", "line 6:7 dh_prev = dh * z_t"]),
    "strings": ("js", 'a = "\\\\frac{dL}{dz} = z_t"; // h_t = z_t * c_t', [r"inline 1:6 \frac{dL}{dz} = z_t", "line 1:32 h_t = z_t * c_t"]),
    "lines of a list": (
        "py",
        'show([\n  "∂h/∂c = q × (1 - p²)",\n  f"∂h/∂q = tanh(c) = {n(v[\'k\'])} × {m:.2f}, so ∂h/∂r = 0 · q",\n  f"= {n} + q_t",\n  "u = v * w"])'
        '\nlog("u = v * w")',
        ["line 2:4 ∂h/∂c = q × (1 - p²)", "line 3:5 ∂h/∂q = tanh(c)", "line 3:49 ∂h/∂r = 0 · q", "line 5:4 u = v * w"],
    ),
    "a sentence in pieces": ("rs", 'f("u = v * w");\nf("and " + \n  "then ∂h/∂c = q " \n "⊙ p\\nw = {:.3}", w)', ["line 3:9 ∂h/∂c = q ⊙ p"]),
    "a template": ("ts", "const a = [`∂h/∂c = q ⊙ p = ${f(`x`)}`, '∂h/∂q = {x}', `dL/dh = ${u} * q`]", ["line 1:13 ∂h/∂c = q ⊙ p"]),
    "a text and a comment, each once": ("py", '# u\nf(r"""\n$$q = \\tanh(c)$$\n""")\n# v', [r"display 3:3 q = \tanh(c)"]),
    "a formula that no program states": ("jsx", "<p>\n  ∂h/∂c = tanh'(c) &lt; ∂q/∂c, où tanh'(c)\n</p>\n{a / b == q}", ["line 2:3 ∂h/∂c = tanh'(c) < ∂q/∂c"]),
    "displays one of which lacks an end": ("md", "$$a = b$$\n$$\nHere is what is meant\n$$c = d$$\nwith $q$ and\n$$e = f$$", [
        "display 1:3 a = b", "display 4:3 c = d", "inline 5:7 q", "display 6:3 e = f"]),
    "dollars of a shop": ("md", "It is $$ 500 for the first one and $$ 700 for both of them, $$ 5 a day.", []),
    "bars and entities in a string": ("jsx", '<M tex="0 &lt; \\|J\\| \\leq \\|W\\|" />', [r"inline 1:9 0 < \|J\| \leq \|W\|"]),
    "a string that is not closed": (
        "ts", "text: `\nso $$\\\\frac{dL}{dz} = f'(a) \\\\odot g'(b)$$ and `$$5$$", [r"display 2:6 \frac{dL}{dz} = f'(a) \odot g'(b)"]),
    "a string that is not opened": (
        "js", "<b>so</b> \\\\(q = \\\\sigma(v)\\\\)\n`; h = a * b; f('$u = \\\\tanh(c)$')", [r"inline 1:14 q = \sigma(v)", r"inline 2:19 u = \tanh(c)"]),
    "an escaped line": ("json", '{"text": "so\\n$\\\\nu_t = \\\\tanh(c)$\\nand", "b": "$a = \\nabla b$"}', [
        r"inline 1:16 \nu_t = \tanh(c)", r"inline 1:50 a = \nabla b"]),
    "text of a page": ("jsx", "return <p>Let $z_t = \\sigma(a_t)$.</p> // h_t = z_t * c_t", [r"inline 1:16 z_t = \sigma(a_t)", "line 1:43 h_t = z_t * c_t"]),
    "dollars of a program": ("php", "$a = '\\\\Foo'; $b = \"\\\\Bar\"; $c = $a . $b;", []),
    "html": ("html", "<p>Let \\(z = 1\\) &amp; $$h_t &lt; 1$$</p><pre>dz = dh * z_t\n</pre><h2>x</h2>", [
        "inline 1:10 z = 1", "display 1:26 h_t < 1", "code 1:47 dz = dh * z_t"]),
    "katex": ("html", "<span class='katex'><span class='katex-mathml'><math><mi>x</mi>"
              "<annotation encoding=\"application/x-tex\">x = q &lt; c</annotation></math></span>"
              "<span class='katex-html' aria-hidden='true'><span>x=q</span></span></span>", ["inline 1:105 x = q < c"]),
    "script": ("html", '<script type="math/tex; mode=display">q = r</script>', ["display 1:39 q = r"]),
    "tex": ("tex", "% $a=b$\n50\\% of $x=y$ \\verb|$q=r$|\n\\begin{verbatim}$z=1$\\end{verbatim}\n\\[ u = v % no\n\\]\\end{document} $k=l$", [
        "inline 2:10 x=y", "display 4:4 u = v"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_mathematics(case: str) -> None:
    kind, text, expected = CASES[case]
    assert listed(read_text(text, "md" if kind == "txt" else kind)) == expected


PICTURES = """
![q](https://latex.codecogs.com/svg.latex?h_t%20%3D%20%5Csigma(z_t)+b)
![公式](https://www.zhihu.com/equation?tex=h_t%3Dz_t%2Bc+x)
<img src="https://render.githubusercontent.com/render/math?math=a_t %3D b"> ![x](a_b=c.png)
"""


def test_formulas_in_the_addresses_of_pictures() -> None:
    assert listed(read_text(PICTURES, "md")) == [r"inline 2:43 h_t = \sigma(z_t)+b", "inline 3:42 h_t=z_t+c x", "inline 4:65 a_t = b"]
    assert [f.latex for f in read_text("<p>" + PICTURES.split("\n")[3], "html").fragments] == ["a_t = b"]


MACROS = {
    "argument": (r"\newcommand{\pd}[2]{\frac{#1}{#2}} $\pd{h_t}{x} = z$", r"\frac{h_t}{x} = z"),
    "default": (r"\newcommand{\v}[2][h]{\mathbf{#1}_{#2}} $\v{t} = \v[c]{t}$", r"\mathbf{h}_{t} = \mathbf{c}_{t}"),
    "def": (r"\def\p(#1,#2){#1+#2} $\p(a,b) = c$", "a+b = c"),
    "operator": (r"\DeclareMathOperator{\dg}{diag} $\dg(z)$", r"\operatorname{diag}(z)"),
    "pair": (r"\DeclarePairedDelimiter{\n}{\lVert}{\rVert} $\n{x}$", r"\left\lVert x \right\rVert"),
    "let": (r"\let\d=\partial $\d x$", r"\partial x"),
    "nested": (r"\newcommand{\h}{h_t}\newcommand{\J}{\frac{\h}{x}} $\J$", r"\frac{h_t}{x}"),
    "redefined": (r"\newcommand{\h}{a} $\h$ \renewcommand{\h}{b}", "a"),
    "provided": (r"\newcommand{\h}{a}\providecommand{\h}{b} $\h$", "a"),
    "superscript": (r"\newcommand{\h}{\mathbf{h}_t} $x^\h$", r"x^{\mathbf{h}_t}"),
    "letter behind": (r"\newcommand{\s}{\sigma} $\s x$", r"\sigma x"),
    "unknown": (r"\newcommand{\s}{x} $\other{y}$", r"\other{y}"),
}


@pytest.mark.parametrize("case", MACROS)
@pytest.mark.parametrize("kind", ["tex", "md"])
def test_macros(case: str, kind: str) -> None:
    text, expected = MACROS[case]
    (fragment,) = read_text(text, kind).fragments
    assert fragment.latex == expected


def test_a_macro_stands_where_it_is_called() -> None:
    document = read_text("\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n$$\\pd{h_t}{h_{t-1}} = z_t$$", "md")
    (f,) = document.fragments
    assert f.latex == r"\frac{\partial h_t}{\partial h_{t-1}} = z_t"
    assert f.written() == r"\pd{h_t}{h_{t-1}} = z_t"
    k = f.latex.index("h_{t-1}")
    assert f.written(k, k + 7) == "h_{t-1}"
    assert document.span(f, k, k + 7).column == 12
    assert f.written(0, f.latex.index(" =")) == r"\pd{h_t}{h_{t-1}}"
    assert f.written(f.latex.index("z_t")) == "z_t"


def test_macros_of_the_page() -> None:
    page = '<script>MathJax = {tex: {macros: {RR: "{\\\\bf R}", pd: ["\\\\frac{#1}{#2}", 2]}}}</script> \\(\\pd{a}{b} \\in \\RR\\)'
    assert read_text(page, "html").fragments[0].latex == r"\frac{a}{b} \in {\bf R}"


def test_abbreviated_environments() -> None:
    document = read_text("\\newcommand{\\be}{\\begin{equation}}\\newcommand{\\ee}{\\end{equation}}\n\\be h_t = z_t \\ee", "tex")
    assert listed(document) == ["display 2:5 h_t = z_t"]
    assert document.fragments[0].environment == "equation"


def notebook(*cells: tuple[str, str]) -> str:
    made = [
        {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **({"outputs": []} if kind == "code" else {})} for kind, source in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def test_notebook() -> None:
    text = notebook(
        ("markdown", 'a "q" $\\hat h_t = \\tanh(x)$\n\\begin{align}\na &= b\n\\end{align}'), ("code", "# dz = dh * z_t\nx = 1"), ("markdown", "é😀 $q = r$")
    )
    document = read_text(text, "ipynb")
    assert [f.latex for f in document.fragments] == [r"\hat h_t = \tanh(x)", "a &= b", "dz = dh * z_t", "q = r"]
    lines = text.split("\n")
    for f, start in zip(document.fragments, ["\\\\hat", "a &=", "dz", "q ="], strict=True):
        line, column = document.position(f.extent()[0])
        assert lines[line - 1][column - 1 :].startswith(start)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 3}', '{"cells": [3, {}, {"cell_type": "markdown"}]}', "[" * 5000, '"' * 99])
def test_what_is_no_notebook(text: str) -> None:
    document = read_text(text, "ipynb")
    assert not document.fragments
    assert all(p.code == "unreadable-file" for p in document.problems)


def test_directives() -> None:
    document = read_text("<!-- symgrad: cell gru -->\n% symgrad: expect refuted\ntext symgrad: no\n", "md")
    assert [(d.words, document.position(d.offset)) for d in document.directives] == [(("cell", "gru"), (1, 1)), (("expect", "refuted"), (2, 1))]


def test_context() -> None:
    document = read_text("# One\nfoo\n\n$$a=b$$\n\n## Two\nwhen $z = 1$ we have\n$$c=d$$\nsince so", "md")
    a, z, c = document.fragments
    assert (a.heading, z.heading, c.heading) == ("One", "Two", "Two")
    assert c.before.endswith("when $z = 1$ we have\n")
    assert c.after == "\nsince so"
    assert "c=d" not in a.after


@pytest.mark.parametrize(
    ("text", "code"), [("$$ x = 1\n", "unclosed-math"), ("\\begin{align} x = 1", "unclosed-math"), (r"\def\a{\b}\def\b{\a}$\a = 1$", "endless-macro")]
)
def test_problems_are_told(text: str, code: str) -> None:
    assert [p.code for p in read_text(text, "md").problems] == [code]


def test_inputs(tmp_path) -> None:
    (tmp_path / "macros.tex").write_text(r"\newcommand{\h}{h_t}")
    (tmp_path / "paper.tex").write_text("\\input{macros}\n\\input{../secret}\n$\\h = z$")
    (tmp_path.parent / "secret.tex").write_text(r"\renewcommand{\h}{SECRET}")
    closed, opened = read(tmp_path / "paper.tex"), read(tmp_path / "paper.tex", inputs=True)
    assert [p.code for p in closed.problems] == ["input-not-read", "input-not-read"]
    assert closed.fragments[0].latex == r"\h = z"
    assert opened.fragments[0].latex == "h_t= z"


def test_encodings(tmp_path) -> None:
    for k, raw in enumerate(["$é = 1$".encode("latin-1"), "\ufeff$é = 1$".encode(), "$é = 1$".encode("utf-16"), b"a\r\n$\xc3\xa9 = 1$\r\n"]):
        path = tmp_path / f"{k}.md"
        path.write_bytes(raw)
        document = read(path)
        assert document.fragments[0].latex == "é = 1"
        assert document.position(document.fragments[0].extent()[0]) == ((2, 2) if k == 3 else (1, 2))
    (tmp_path / "n.md").write_bytes(b"a\x00b")
    with pytest.raises(SymgradError, match="NUL"):
        read(tmp_path / "n.md")


def test_the_kind_is_guessed() -> None:
    assert guessed("# a\n$x$") == "md"
    assert guessed("\\documentclass{article}") == "tex"
    assert guessed('{"cells": []}') == "ipynb"
    assert guessed("<!DOCTYPE html><p>") == "html"


PIECES = st.sampled_from([
    "$x_t = z$", "$$\nh_t &= 1 \\\\\n$$", "\\[a=b\\]", "\\(c\\)", "`h_t = z_t + 1`", "```\nz_t = σ(x_t)\n```\n",
    "\n\n", "\n", " ", "words and more ", "h_t = z_t * c_t\n",
    "\\begin{align}a&=b\\end{align}", "\\newcommand{\\m}[1]{#1^2}", "$\\m{x_t} = 1$", "&lt;", "<!-- c -->",
    "# head\n", "- ", "> ", "$5 ", "\\\\(d\\\\)", "é😀", "<b>", "%", "{", "}", "$", "\\",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["md", "tex", "html", "py", "ipynb"]))
def test_every_character_is_the_files_own(text: str, kind: str) -> None:
    file = notebook(("markdown", text), ("code", text)) if kind == "ipynb" else text
    document = read_text(file, kind)
    for f in document.fragments:
        assert len(f.body.starts) == len(f.body.ends) == len(f.latex)
        for character, start, end in zip(f.latex, f.body.starts, f.body.ends, strict=True):
            own = document.text[start:end]
            if kind == "ipynb" and own.startswith("\\"):
                own = json.loads(f'"{own}"') if own != "\\ud83d\\ude00" else "😀"
            if end - start == 1 and own != "&":
                assert character == own
        assert list(f.source.starts) == sorted(f.source.starts)
        line, column = document.position(f.extent()[0])
        assert document.text.split("\n")[line - 1][column - 1 : column] == document.text[f.extent()[0] : f.extent()[0] + 1].strip("\n")


def test_many_words_in_brackets_are_read_at_once() -> None:
    begun = time.process_time()
    read_text("a = b (" + "word-and-word " * 400 + "1)\n" + "x = y (" + "a" * 3000 + ".)", "md")
    assert time.process_time() - begun < 2


def test_a_docstring_whose_end_is_missing() -> None:
    text = 'def back(dh):\n    """The gate:\n\n        dz = dh * (c - h_prev)\n        dz_in = dz * z * (1 - z)\n'
    assert [f.latex for f in read_text(text, "py", name="cut.py").fragments] == ["dz = dh * (c - h_prev)", "dz_in = dz * z * (1 - z)"]
