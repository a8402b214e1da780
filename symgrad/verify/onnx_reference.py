"""Against ONNX: the operators RNN, GRU and LSTM in onnx's own reference evaluator; it computes the new states, no derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgrad.cells import LIBRARY
from symgrad.verify.evaluate import Array, Values
from symgrad.verify.layouts import LAYOUTS, ONNX_ORDER, Layout
from symgrad.verify.numeric import TOLERANCE, Sample, ordinary_points, relative_error
from symgrad.verify.report import Check, judged, skipped

AGAINST = "onnx ReferenceEvaluator"
EVALUATED = ("Tanh", "Affine")  # the activations of an RNN that the evaluator knows


def checks(sample: Sample) -> Iterator[Check]:
    """The new states, computed by the operator that the cell is."""
    cell, program = sample.subject.cell, sample.subject.program
    what = ", ".join(s.name for s in program.updates.values())
    layout = LAYOUTS.get(cell.name) if LIBRARY.get(cell.name) is cell else None
    if layout is None:
        yield skipped(what, AGAINST, "random", f"{cell.name} is none of the operators RNN, GRU, LSTM of ONNX")
        return
    if layout.operator == "RNN" and layout.activation not in EVALUATED:
        yield skipped(what, AGAINST, "random", f"the evaluator knows no {layout.activation}")
        return
    try:
        import onnx  # noqa: F401
    except ImportError:
        yield skipped(what, AGAINST, "random", "onnx is not installed: pip install onnx")
        return
    run = evaluator(layout)
    errors: dict[str, list[float]] = {s.name: [] for s in program.updates.values()}
    for point in ordinary_points(sample, sample.points):
        own = sample.subject.step(point.values)
        given = run(point.values, cell.inputs[0], cell.states)
        for s, value in zip(program.updates.values(), given, strict=True):
            errors[s.name].append(relative_error(own[s], value))
    attribute = f", linear_before_reset={layout.linear_before_reset}" if layout.operator == "GRU" else ""
    for name, found in errors.items():
        yield judged(name, f"{AGAINST} ({layout.operator}{attribute})", "random", found, TOLERANCE)


def evaluator(layout: Layout) -> Callable[[Values, str, tuple[str, ...]], list[Array]]:
    """One step of the operator at T = batch = 1: the arguments by name → the new states."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    def run(values: Values, x: str, states: tuple[str, ...]) -> list[Array]:
        W, U, b_input, b_recurrent = layout.stacked(ONNX_ORDER[layout.operator], values)
        feeds = {"X": values[x][None, None], "W": W[None], "R": U[None], "B": np.concatenate([b_input, b_recurrent])[None]}
        feeds |= {f"initial_{s}": values[s][None, None] for s in states}
        inputs = ["X", "W", "R", "B", "", *(f"initial_{s}" for s in states)]
        outputs = ["", *(f"Y_{s}" for s in states)]
        more: dict[str, Any] = {"linear_before_reset": layout.linear_before_reset} if layout.operator == "GRU" else {}
        if layout.operator == "RNN":
            more = {"activations": [layout.activation]}
            if layout.activation == "Affine":
                more |= {"activation_alpha": [1.0], "activation_beta": [0.0]}
        node = helper.make_node(layout.operator, inputs, outputs, hidden_size=U.shape[1], **more)
        infos = [helper.make_tensor_value_info(k, TensorProto.DOUBLE, v.shape) for k, v in feeds.items()]
        outs = [helper.make_tensor_value_info(o, TensorProto.DOUBLE, None) for o in outputs if o]
        graph = helper.make_graph([node], "step", infos, outs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
        return [np.asarray(y)[0, 0] for y in ReferenceEvaluator(model).run(None, feeds)]

    return run
