"""SymPy as the independent oracle: it differentiates the scalar equations and the explicit components of every cell by itself."""

from __future__ import annotations

import functools
import itertools
import pickle

import numpy as np
import pytest
import sympy as sp
from sympy.core.function import AppliedUndef

import symgrad as sg
from symgrad.cells import LIBRARY
from symgrad.language.functions import FUNCTIONS
from symgrad.notation.sympy_out import Components, Scalars, sizes
from symgrad.verify.against import derivatives, label

CASES = [pytest.param(cell, j, id=f"{name}: {label(j)}") for name, cell in LIBRARY.items() for j in derivatives(cell.program)]
TANH = FUNCTIONS["tanh"]


def concrete(e):
    """g = a = tanh and f(y, W) = W y in the place of what a cell leaves free."""
    y, W = sp.symbols("y W")
    if not any(str(f.func) in ("g", "a", "f") for f in e.atoms(AppliedUndef)):
        return e.xreplace({sp.Symbol("f'"): W})
    e = e.subs({sp.Function("g"): TANH, sp.Function("a"): TANH}).subs(sp.Function("f"), sp.Lambda((y, W), W * y))
    return e.doit().xreplace({sp.Symbol("f'"): W})


def unknowns(e, table):
    """The applied activations as symbols, innermost first, so that what is left is a polynomial."""
    if not e.args or e.is_Symbol:
        return e
    if e not in table:
        args = [unknowns(a, table) for a in e.args]
        table[e] = table.setdefault((e.func, sp.expand(args[0])), sp.Dummy()) if isinstance(e, sp.Function) else e.func(*args)
    return table[e]


def identical(a, b, table):
    return sp.expand(unknowns(a, table) - unknowns(b, table)) == 0


@pytest.mark.parametrize(("cell", "j"), CASES)
def test_scalar_derivative_is_sympys_own(cell, j):
    equations = {e.lhs: concrete(e.rhs) for e in cell.equations("scalar")}
    start = {}
    for s in j.through:  # the state of the step before, as a function of wrt: new values become old ones, gates become those of then
        updates = {new: old for old, new in cell.program.updates.items()}
        start[s] = equations[cell.program.updates[s]].xreplace({**updates, **j.program.past})
    explicit = dict(start)
    program, scalars = cell.program, Scalars(cell.program)
    for name in program.equations:  # the preactivations that the user did not name are in no equation, but in slopes such as step(a)
        value = concrete(scalars.pointwise(program.equations[name])) if name in program.implicit else equations[name]
        explicit[name] = value.xreplace(explicit)
    own = explicit[j.of].diff(j.wrt)
    ours = concrete(j.sympy(form="scalar")).xreplace(explicit)
    assert identical(ours, own, {})


@pytest.mark.parametrize(("cell", "j"), CASES)
def test_components_are_sympys_own(cell, j):
    if cell.name == "deep_chain":
        pytest.skip("f(y, W) is left free and has no components; verify differentiates them with W y in its place")
    explicit, table = {}, {}
    values = components(cell)
    if j.through:
        back = {new.name: old.name for old, new in cell.program.updates.items()} | {s.name: p.name for s, p in j.program.past.items()}
        for s in j.through:
            for i, v in enumerate(values[cell.program.updates[s]]):
                explicit[_element(s.name, i)] = v.xreplace({a: _element(back.get(a.parent.name, a.parent.name), a.i) for a in v.atoms(_Element)})
    for name, entries in values.items():
        explicit |= {_element(name.name, i): v.xreplace(explicit) for i, v in enumerate(entries)}
    ours = j.sympy(n=2, m=3)
    columns = 3 if j.wrt in cell.program.inputs else 2
    assert ours.shape == (2, columns)
    for i, k in itertools.product(range(2), range(columns)):
        v = sp.Symbol("v")
        at = _element(j.wrt.name, k, columns)
        own = explicit[_element(j.of.name, i)].xreplace({at: v}).diff(v).xreplace({v: at})
        assert identical(concrete(ours[i, k]).xreplace(explicit), own, table)


@functools.cache
def components(cell):
    """The entries of every equation for n = 2, m = 3, in the order of the cell; of unnamed preactivations too, for slopes such as step(a)."""
    program = cell.program
    parts = Components(program, sizes(program, 2, 3))
    named = {e.lhs[0, 0].parent.name: e.rhs for e in cell.equations(n=2, m=3)}
    entries = {s: parts.vector(e, program.shapes[s]) if s in program.implicit else named[s.name] for s, e in program}
    return {s: [concrete(v) for v in column] for s, column in entries.items()}


_Element = type(sp.MatrixSymbol("v", 2, 1)[0, 0])


def _element(name, i, n=2):
    return sp.MatrixSymbol(name, n, 1)[i, 0]


@pytest.mark.parametrize("of", ["z", "r", "h_tilde"])
def test_gates_too(of):
    j = sg.jacobian(LIBRARY["gru"], of, "h")
    report = sg.verify(LIBRARY["gru"], "sympy,numpy", points=2, jacobians=[j])
    assert report, report.text()


@pytest.mark.parametrize("name", [n for n in LIBRARY if n not in ("rnn_free", "deep_chain")])
def test_matrix_expressions_lambdify_and_pickle(name: str) -> None:
    """In symbolic n, without n being given: no vector of ones is left in them, which SymPy cannot make."""
    cell = LIBRARY[name]
    rng = np.random.default_rng(1)
    for of, wrt in itertools.product(cell.states, repeat=2):
        jacobian = sg.jacobian(cell, of, wrt)
        value = jacobian.sympy()
        assert pickle.loads(pickle.dumps(value)) == value
        names = sorted(value.atoms(sp.MatrixSymbol), key=str)
        arrays = {s.name: rng.normal(size=[1 if d == 1 else 4 for d in s.shape]) for s in names}
        got = sp.lambdify(names, value, "numpy")(*arrays.values())
        want = jacobian.numpy()(**{k: a[:, 0] if a.shape[1] == 1 else a for k, a in arrays.items()})
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def test_one_minus_z_is_bracketed_where_it_must_be() -> None:
    value = sg.jacobian(sg.cells.gru).sympy()
    assert "DiagMatrix(HadamardProduct(1 - z, 1 - h_tilde**2))*U_h" in str(value)
    assert r"\left(1 - z\right) \circ \left(1 - h_{tilde}^{2}\right)" in sp.latex(value)


def test_no_preactivation_without_a_name_is_left() -> None:
    @sg.cell
    def tied(x, h, *, W, U, V):  # type: ignore[no-untyped-def]
        return sg.sigmoid(V @ np.tanh(U @ h + W @ x)) * h

    names = {"W", "U", "V", "x", "h"}
    assert {s.name for s in sg.jacobian(tied).sympy(n=2).free_symbols} == names
    assert {s.name for s in sg.jacobian(tied).sympy(form="scalar").free_symbols} == names
    for form in ("matrix", "scalar"):
        (equation,) = tied.equations(form)
        assert {s.name for s in equation.rhs.free_symbols} - {"n", "m", "p"} == names
    assert "V \\tanh(W x_t + U h_{t-1})" in tied.latex()


@pytest.mark.parametrize("size", [0, -1, "2", 2.0])
def test_sizes_are_whole_numbers(size: object) -> None:
    with pytest.raises(sg.SymgradError, match="whole number"):
        sg.jacobian(sg.cells.gru).sympy(n=size)
