"""The public `verify`: every derivative of a cell against everything that can differentiate it, or compute it, by other means.

`CHECKS` is the list of what there is to verify against, by the name a user says; a further one is a further row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.face.jacobian import Jacobian, jacobian
from symgrad.language.program import Program
from symgrad.notation.derivation import left_side
from symgrad.notation.text import text as printed
from symgrad.notation.write import Writer
from symgrad.verify import autodiff, deciders, numeric, onnx_reference, symbolic
from symgrad.verify.numeric import Sample
from symgrad.verify.report import Check, Report
from symgrad.verify.standin import subject

Claims = Mapping[str, Jacobian]  # "∂h_t/∂h_{t-1}" → its formula


def against_numpy(sample: Sample, claims: Claims) -> Iterator[Check]:
    """The cell's own NumPy function: its values, and its derivatives by complex step or central differences."""
    program = sample.subject.program
    for s in (*program.updates.values(), *program.outputs):
        yield from numeric.forward(sample, s.name, s)
    for what, claim in claims.items():
        yield from numeric.checks(sample, claim, what)


def against_sympy(sample: Sample, claims: Claims) -> Iterator[Check]:
    """SymPy's own derivatives of the explicit components."""
    parts = [symbolic.Components(sample.subject, n, m, sample.seed) for n, m in symbolic.SIZES]
    for what, claim in claims.items():
        yield from symbolic.checks(parts, claim, what)


def against_onnx(sample: Sample, claims: Claims) -> Iterator[Check]:
    """The operators RNN, GRU, LSTM of ONNX, forward."""
    yield from onnx_reference.checks(sample)


def against_torch(sample: Sample, claims: Claims) -> Iterator[Check]:
    """torch.autograd on the equations, and torch.nn's cells."""
    try:
        library = autodiff.torch_library()
    except ImportError:
        yield autodiff.missing("torch")
        return
    for what, claim in claims.items():
        yield from autodiff.checks(sample, claim, what, library)
    yield from autodiff.torch_cells(sample, claims)


def against_jax(sample: Sample, claims: Claims) -> Iterator[Check]:
    """jax.jacrev on the equations."""
    try:
        library = autodiff.jax_library()
    except ImportError:
        yield autodiff.missing("jax")
        return
    for what, claim in claims.items():
        yield from autodiff.checks(sample, claim, what, library)


def against_deciders(sample: Sample, claims: Claims) -> Iterator[Check]:
    """Reverse mode, compared for every size by the two deciders."""
    yield from deciders.checks(claims)


CHECKS: dict[str, Callable[[Sample, Claims], Iterator[Check]]] = {
    "numpy": against_numpy,
    "sympy": against_sympy,
    "onnx": against_onnx,
    "torch": against_torch,
    "jax": against_jax,
    "decide": against_deciders,
}


def verify(
    cell: Cell, against: str | Iterable[str] | None = None, seed: int = 0, points: int = 8, jacobians: Iterable[Jacobian] | None = None
) -> Report:
    """Compare a cell's derivatives with everything that can find them by other means.

    By default: every block of the state Jacobian, the derivatives by the input and of every output, and ∂c_t/∂c_{t-1} through
    other states where there is such a path; `jacobians` names others.  `against` is some of "numpy, sympy, onnx, torch, jax, decide";
    what is not installed is reported as skipped.  `points` is the number of random points, `seed` makes them.

    >>> from symgrad.cells import rnn
    >>> bool(verify(rnn, against="numpy"))
    True
    """
    names = _names(against)
    if points < 1:
        raise SymgradError(f"points={points}: at least one point is needed")
    found = subject(cell)
    claims = {label(j): j for j in (derivatives(cell.program) if jacobians is None else jacobians)}
    sample = Sample(found, seed, points)
    rows = [row for name in names for row in CHECKS[name](sample, claims)]
    return Report(cell.name, tuple(rows), found.notes, seed)


def run(cell: Cell, against: str | Iterable[str] | None = None, format: str = "text", seed: int = 0) -> tuple[str, int]:
    """``symgrad verify CELL``: what to print, and the exit status, 1 if a verification failed."""
    report = verify(cell, against, seed)
    text = json.dumps(report.json(), ensure_ascii=False, indent=2) if format == "json" else report.text()
    return text, 0 if report else 1


def _names(against: str | Iterable[str] | None) -> list[str]:
    if against is None:
        return list(CHECKS)
    names = against.replace(",", " ").split() if isinstance(against, str) else list(against)
    unknown = [n for n in names if n not in CHECKS]
    if unknown or not names:
        raise SymgradError(f"against={', '.join(unknown) or 'nothing'}: a cell is verified against {', '.join(CHECKS)}")
    return list(dict.fromkeys(names))


def derivatives(program: Program) -> list[Jacobian]:
    """What is verified by default: of every new state and output, by every old state and input, and through other states."""
    new = [s.name for s in (*program.updates.values(), *program.outputs)]
    direct = [jacobian(program, of, s.name) for of in new for s in (*program.states, *program.inputs)]
    return direct + [j for of in new for s in program.states for j in _through(program, of, s.name)]


def _through(program: Program, of: str, wrt: str) -> Iterator[Jacobian]:
    """∂of/∂wrt through every other state that depends on wrt within a step."""
    for s in program.states:
        if s.name != wrt and program.updates[program.symbol(wrt)] in program.needed({program.updates[s]}):
            yield jacobian(program, of, wrt, s.name)


def label(j: Jacobian) -> str:
    """∂h_t/∂h_{t-1}; with the states that a total derivative goes through."""
    name = printed(left_side(Writer(j.program, "matrix"), j.of, j.wrt))
    return f"{name} through {', '.join(printed(Writer(j.program, 'matrix').symbol(s)) for s in j.through)}" if j.through else name
