"""Backward passes in Python: what is read of a program and where, and that altered statements are refuted on the altered term."""

from __future__ import annotations

import ast
import json
import re
import time

import pytest

from symgrad.check import run
from symgrad.check.claim import Claim
from symgrad.check.judge import judge
from symgrad.check.sources import read_text
from symgrad.check.sources.document import passage
from symgrad.check.sources.matlab import written_back
from symgrad.check.sources.python import MAX_NESTING, derives, program

COLUMNS = '''
import numpy as np

def forward(xs, h):
    hs, cache = [], []
    for t in range(len(xs)):
        h_prev = h
        r = sigmoid(Wr @ xs[t] + Ur @ h_prev + br)
        q = np.tanh(Wq @ xs[t] + Uq @ (r * h_prev) + bq)
        h = (1 - r) * h_prev + r * q
        y = V @ h + c
        hs.append(h)
        cache.append((h_prev, r, q, h))
    return hs, cache

def backward(dys, cache, xs):
    dh_next = np.zeros(n)
    for t in reversed(range(T)):
        h_prev, r, q, h = cache[t]
        dy = dys[t]
        dV += np.outer(dy, h)
        dh = V.T @ dy + dh_next
        dr = dh * (q - h_prev)
        dq = dh * r
        dq_raw = dq * (1 - q ** 2)
        drh = Uq.T @ dq_raw
        dr = dr + drh * h_prev
        dr_raw = dr * r * (1 - r)
        dUq += np.outer(dq_raw, r * h_prev)
        dUr += np.outer(dr_raw, h_prev)
        dbr += dr_raw
        dx = Wr.T @ dr_raw + Wq.T @ dq_raw
        dh_next = dh * (1 - r) + drh * r + Ur.T @ dr_raw
'''
MUTANTS = [  # what is altered, into what, the text that is blamed
    ("V.T @ dy + dh_next", "V @ dy + dh_next", "V"),
    ("dq = dh * r", "dq = dh * (1 - r)", "(1 - r)|1 - r"),
    ("(1 - q ** 2)", "(1 - q)", "q"),
    ("(1 - q ** 2)", "(1 + q ** 2)", "q \\*\\* 2"),
    ("dr * r * (1 - r)", "dr * (1 - r)", ".*"),
    ("np.outer(dy, h)", "np.outer(dy, h_prev)", "h_prev"),
    ("np.outer(dr_raw, h_prev)", "np.outer(dr_raw, h)", "h"),
    ("np.outer(dq_raw, r * h_prev)", "np.outer(dq_raw, h_prev)", ".*"),
    ("dx = Wr.T @ dr_raw", "dx = Wr @ dr_raw", "Wr"),
    ("+ Wq.T @ dq_raw", "- Wq.T @ dq_raw", ".*Wq.T @ dq_raw"),
    ("dh * (1 - r) + drh", "dh * r + drh", "r"),
    ("+ Ur.T @ dr_raw", "+ Ur @ dr_raw", "Ur"),
    ("+ Ur.T @ dr_raw", "+ Wr.T @ dr_raw", "Wr|.*"),
]


def claims(text: str, kind: str = "py") -> list[Claim]:
    return sorted(judge(read_text(text, kind, name="page")), key=lambda c: c.span)


def blamed(text: str, claim: Claim) -> str:
    assert claim.blame is not None
    lines = text.split("\n")
    assert claim.blame.line == claim.blame.end_line
    return lines[claim.blame.line - 1][claim.blame.column - 1 : claim.blame.end_column - 1]


def test_every_statement_of_a_backward_pass_is_proved() -> None:
    found = claims(COLUMNS)
    assert [c.verdict for c in found] == ["proved"] * 13
    first = next(line for line in COLUMNS.split("\n") if "dV +=" in line)
    assert (found[0].latex, found[0].column) == (first.strip(), 9)


@pytest.mark.parametrize(("old", "new", "where"), MUTANTS, ids=[f"{a} becomes {b}" for a, b, _ in MUTANTS])
def test_an_altered_statement_is_refuted(old: str, new: str, where: str) -> None:
    start = COLUMNS.index("def backward")
    text = COLUMNS[:start] + COLUMNS[start:].replace(old, new, 1)
    line = text[: next(i for i, (a, b) in enumerate(zip(COLUMNS, text, strict=False)) if a != b)].count("\n") + 1
    wrong = [c for c in claims(text) if c.verdict == "refuted"]
    assert wrong
    assert wrong[0].line == line
    assert re.fullmatch(where, blamed(text, wrong[0]))


def test_a_mutant_is_never_proved_and_spoils_no_other_line() -> None:
    start = COLUMNS.index("def backward")
    for old, new, _ in MUTANTS:
        text = COLUMNS[:start] + COLUMNS[start:].replace(old, new, 1)
        altered = {a for a, b in zip(text.split("\n"), COLUMNS.split("\n"), strict=True) if a != b}
        for c in claims(text):
            whole = text.split("\n")[c.line - 1]
            left_open = c.verdict == "undecided" and c.latex.startswith(("drh", "dr = drh", "dr = dh"))  # judged by the line that uses it
            assert left_open or c.verdict == ("proved" if whole not in altered else "refuted"), (new, c.latex, c.message)


def test_the_repair_is_python_in_the_names_of_the_page() -> None:
    start = COLUMNS.index("def backward")
    text = COLUMNS[:start] + COLUMNS[start:].replace("np.outer(dr_raw, h_prev)", "np.outer(dr_raw, h)")
    (wrong,) = [c for c in claims(text) if c.verdict == "refuted"]
    assert wrong.expected == "np.outer(dr_raw, h_prev)"
    assert "`h_prev` for `h`" in wrong.message


def test_a_notebook_is_one_program() -> None:
    start = COLUMNS.index("def backward")
    book = {"cells": [
        {"cell_type": "code", "source": COLUMNS[:start].splitlines(keepends=True)},
        {"cell_type": "markdown", "source": ["Now backwards: é $x$"]},
        {"cell_type": "code", "source": COLUMNS[start:].replace("V.T @ dy", "V @ dy")},
    ]}  # fmt: skip
    text = json.dumps(book, indent=1, ensure_ascii=False)
    found = claims(text, "ipynb")
    assert [c.verdict for c in found].count("proved") == 12
    (wrong,) = [c for c in found if c.verdict == "refuted"]
    line = text.split("\n")[wrong.line - 1]
    assert line[wrong.column - 1 :].startswith("dh = V @ dy")


def test_only_python_is_read_so() -> None:
    assert {c.verdict for c in claims("```js\n" + COLUMNS + "\n```", "md")} == {"unread"}
    assert claims("```python\n" + COLUMNS + "\n```", "md")


def test_an_expectation_speaks_of_the_statement_below() -> None:
    text = COLUMNS.replace("        dh = V.T @ dy", "        # symgrad: expect refuted transposed-factor\n        dh = V @ dy")
    report = run.check(text, kind="py")
    assert report.expected
    assert report.status() == 0


# -- reading ------------------------------------------------------------------------------------------------------------------------


def listed(text: str) -> list[str]:
    p = program(passage(text))
    return [text[slice(*p.span(s))] for s in p.body]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = a", ["a = 1", "b = a"]),
        ("    a = 1\n    b = 2", ["a = 1", "b = 2"]),
        ("        a = 1\n    b = 2\n    c = 3", ["a = 1", "b = 2", "c = 3"]),
        ("a = 1\nprint 'x', a\nb = 2", ["a = 1", "pass", "b = 2"]),
        ("%matplotlib inline\n!ls\na = 1", ["pass", "pass", "a = 1"]),
        ("# only words\n\n  # more", []),
        ("α = 'é'; β = α @ W", ["α = 'é'", "β = α @ W"]),
        ("for t in x:\n    # nothing yet\na = 1", ["for t in x: pass", "a = 1"]),
        ("a = (1 +\n     2)\nb = 3", ["a = (1 +\n     2)", "b = 3"]),
        ("a = '''\nb = 2", ["b = 2"]),
    ],
)
def test_pieces_of_programs(text: str, expected: list[str]) -> None:
    p = program(passage(text))
    kept = [ast.unparse(s) for s in p.body if not isinstance(s, ast.Pass)]
    wanted = [ast.unparse(ast.parse(e)) for e in expected if e != "pass"]
    assert kept == wanted
    spans = [p.span(s) for s in p.body if not isinstance(s, ast.Pass | ast.For)]
    assert [text[a:b] for a, b in spans] == [e for e in expected if e != "pass" and not e.startswith("for")]


def test_what_may_be_a_gradient() -> None:
    assert derives("  dh = W.T @ dy")
    assert derives("grads['W'] += a @ b")
    assert derives("self.W.grad += x")
    assert not derives("h = W @ x\nif d == 2: pass")


@pytest.mark.parametrize(
    "text",
    [
        "dh = " + "(" * (MAX_NESTING + 1) + "x" + ")" * (MAX_NESTING + 1),
        "dh = " + "-" * 50_000 + "x",
        "dh = " + "+".join("x" * 20_000),
        "dh = x\n" + "print 'a'\n" * 20_000,
        "def f(x):\n    return f(x) + f(x)\ndh = f(h)\nh = f(h_prev)\n" * 50,
        "def f0(x):\n    return x\n" + "".join(f"def f{k + 1}(x):\n    return f{k}(x) * f{k}(x)\n" for k in range(60)) + "h = f60(h_prev)\ndh = f60(dh)",
        "h = np.tanh(W @ h + b)\n" + "dh = dh * dh\n" * 3000,
        "h = np.tanh(W @ h + b)\ndx = " + "dh * " * 3000 + "h",
        "".join(f"h{k} = h{k}_prev * x\ndh{k} = dh\n" for k in range(400)),
        "dh = __import__('os').system('touch hostile')\nh = eval('1') * h_prev\n",
    ],
    ids=lambda t: t[:24].replace("\n", " "),
)
def test_hostile_programs_end(text: str) -> None:
    start = time.process_time()
    claims(text)
    assert time.process_time() - start < 2


FOREIGN = """
void back(const float* h, const float* gate) {
  // c = gate * h
  const float dh = top[k];
  const float d_gate = dh * h[k];   // d_gate = dh * h
  const float d_raw = d_gate * gate[k] * (1.0f - gate[k]);
  char* s = "dh = dh * gate;";
  dx = 0.1f;
}
"""


@pytest.mark.parametrize(
    ("kind", "text", "lines"),
    [
        ("cu", FOREIGN, []),  # one alone is no backward pass
        ("cu", FOREIGN.replace("d_raw", "d_gate_raw").replace("gate)", "gate, float gate_raw)"), [5, 6]),
        ("m", "function dW = back(h, a, W)\nda = mtimesx(dh(:,t), 1 - h(:,t).^2, 'T') + ...\n  dh(:,t);\ndW = dW + mtimesx(da, h(:,t-1), 'T');\nend\n", [2, 4]),
        ("js", "dx = speed * dt; dy = dx * 2;\nlet delta = now - then;\n", []),
    ],
)
def test_statements_of_other_languages_are_told_to_be_unread(kind: str, text: str, lines: list[int]) -> None:
    found = [c for c in claims(text, kind) if c.verdict == "unread"]
    assert [c.line for c in found] == lines
    assert all("is not read" in c.message for c in found)


SHOWN = """
for t = 2:T
    z = sigmoid(Wz * x + Uz * h_prev + bz);
    g = tanh(Wg * x + Ug * h_prev + bg);
    h_new = (1 - z) .* h_prev + z .* g;
    h_prev = h_new;
end
% d(h_new)/dg = z
% d(h_new)/d(z) = g - h_prev
% d(h_new)/d(z) = h_prev - g
% dg = dh * (1 - z) * tanh'(g)
"""


def test_comments_speak_of_the_cell_that_the_code_shows() -> None:
    assert [c.verdict for c in claims(SHOWN, "m")] == ["proved", "proved", "refuted", "refuted"]
    gates = "".join(line for line in SHOWN.splitlines(keepends=True) if "for" not in line)
    told = gates.replace("% d(h_new)/dg", "% h_new = (1 - z) .* h_prev + z .* g\n% d(h_new)/dg")
    assert [c.verdict for c in claims(told, "m")] == ["proved", "proved", "refuted", "refuted"]
    other = SHOWN + "function h = other(x, h_prev)\n    h_new = z .* h_prev + (1 - z) .* tanh(Wg * x + Ug * h_prev);\nend\n"
    assert "refuted" not in [c.verdict for c in claims(other, "m")]  # two cells under the same names


LISTED = r"""
\documentclass{article}
\begin{document}
\begin{lstlisting}[style=x, language=Python, caption={A cell}]
def forward(x, s_prev):
    s = np.tanh(W @ x + R @ s_prev + b)
    return s
\end{lstlisting}
\begin{minted}[linenos]{python}
def backward(ds, s, s_prev):
    da = ds * (1 - s * s)
    dR = np.outer(da, s_prev)
    ds_prev = R @ da
\end{minted}
\begin{lstlisting}
ds_prev = R @ da
\end{lstlisting}
\end{document}
"""


def test_listings_of_tex_that_name_their_language_are_programs() -> None:
    assert [(c.line, c.verdict) for c in claims(LISTED, "tex")] == [(11, "proved"), (12, "proved"), (13, "refuted")]


ROWS = """
# dL/ds_prev = R^T * da
# ds/ds_prev = diag(1 - s^2) * R
# da = ds * (1 - s^2)
# da = ds * (1 - s)
def forward(x, s_prev, W, R, b):
    a = x @ W + s_prev @ R + b
    s = np.tanh(a)
    return s
"""


def test_comments_may_think_of_columns_where_the_code_has_rows() -> None:
    assert [c.verdict for c in claims(ROWS, "py")] == ["undecided", "undecided", "proved", "undecided"]
    columns = ROWS.replace("x @ W", "W @ x").replace("s_prev @ R", "R @ s_prev")
    assert [c.verdict for c in claims(columns, "py")] == ["proved", "proved", "proved", "refuted"]


SKETCH = """
// Forward: s_new = activation(R @ s + P @ x + b)
//
// Backward:
//   dpre = ds_new * d_activation(pre)
//   dR += dpre @ s.T   (accumulated)
//   dP += dpre @ x.T
//   db += dpre
//   ds = R.T @ dpre    (for the step before)
//   dx = P.T @ dpre
int main() { return 0; }
"""


def sketched(text: str) -> dict[str, str]:
    return {c.latex: c.verdict for c in judge(read_text(text, "cu"), None)}


def test_a_comment_sketches_a_cell_and_its_gradients() -> None:
    said = sketched(SKETCH)
    assert {v for latex, v in said.items() if latex.startswith("d")} == {"proved"}
    assert len(said) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [("dpre @ s.T", "dpre @ s_new.T"), ("dP += dpre @ x.T", "dP += dpre @ s.T"), ("ds = R.T", "ds = R"), ("dx = P.T", "dx = R.T")],
)
def test_a_slip_in_a_sketch_is_not_proved(old: str, new: str) -> None:
    said = sketched(SKETCH.replace(old, new))
    assert said[next(latex for latex in said if new in latex)] != "proved"


def test_a_sketch_with_a_line_that_is_no_python_is_none() -> None:
    assert read_text(SKETCH, "cu").sketches
    assert not read_text(SKETCH.replace("dpre @ x.T", "dpre · xᵀ"), "cu").sketches


OF_MATRICES = """
for t = 1:T
  a = U * x(:, t) + W * s(:, t) + b;
  s(:, t + 1) = tanh(a);
  o(:, t) = V * s(:, t + 1);
end
for t = T:-1:1
  do = o(:, t) - y(:, t);
  ds = V' * do + ds_next;
  da = ds .* (1 - s(:, t).^2);
  dW = dW + da * s(:, t + 1)';
  ds_next = W * da;
end
"""


@pytest.mark.parametrize(
    ("kind", "repairs"),
    [
        ("m", ["ds .* (1 - s(:, t + 1).^2)", "da * s(:, t)'", "W' * da"]),
        ("jl", ["ds .* (1 .- s[:, t + 1].^2)", "da * s[:, t]'", "W' * da"]),
    ],
)
def test_a_repair_is_written_in_the_language_of_the_program(kind: str, repairs: list[str]) -> None:
    text = OF_MATRICES
    if kind == "jl":
        text = re.sub(r"(\w)\(([^()]*)\)", r"\1[\2]", text).replace("tanh[a]", "tanh.(a)").replace("(1 -", "(1 .-").replace(";", "")
    assert [c.expected for c in judge(read_text(text, kind, name=f"bptt.{kind}"), None) if c.verdict == "refuted"] == repairs


def test_a_repair_keeps_the_brackets_of_cells_and_is_left_out_where_python_has_another_way() -> None:
    text = OF_MATRICES.replace("s(:, t + 1)", "s{t + 1}").replace("s(:, t)", "s{t}").replace("x(:, t)", "x{t}")
    assert [c.expected for c in judge(read_text(text, "m", name="bptt.m"), None) if c.verdict == "refuted"][:1] == ["ds .* (1 - s{t + 1}.^2)"]
    assert written_back("W.T @ np.concatenate((h, x))", "[h; x]") is None
    assert written_back("W[:, 0:3].T @ d", "W(:, 1:3)") is None
