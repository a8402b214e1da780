r"""The code as written: a cell's source set as equations by latexify-py, beside the traced ones.

latexify-py loses the parentheses of ``U @ (r * h)`` and prints ``@`` and ``*`` alike, so its rules for operators, names and calls
are replaced: ``@`` is juxtaposition, ``*`` is ``\odot``, a name is the name that the traced equations print (without its time).
A call of a helper function is replaced by what the helper returns, as in the traced equations.
latexify-py does not install on Python 3.14 and later; `as_written` then says so.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.errors import SymgradError
from symgrad.face.cell import Cell
from symgrad.notation.latex import latex
from symgrad.notation.names import Names, identifier

MISSING = "latexify-py is not installed here (it has no release for Python 3.14 and later), so the code as written is left out"
CALLS = {"sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log"}
SUM, HADAMARD, PRODUCT, POWER, ATOM = range(5)


def as_written(cell: Cell) -> str:
    """The source of the cell's function as an ``aligned`` block; raises `SymgradError` where latexify-py is missing."""
    try:
        from latexify import parser
        from latexify.codegen.expression_codegen import ExpressionCodegen
        from latexify.codegen.function_codegen import FunctionCodegen
        from latexify.exceptions import LatexifyError
    except ImportError:
        raise SymgradError(MISSING) from None

    class Expressions(ExpressionCodegen):  # type: ignore[misc]
        """latexify's expressions with this field's operators."""

        def visit_BinOp(self, node: ast.BinOp) -> str:
            return _binary(self, node)

        def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
            return f"-{_operand(self, node.operand, HADAMARD)}" if isinstance(node.op, ast.USub) else str(super().visit_UnaryOp(node))

        def visit_Name(self, node: ast.Name) -> str:
            return latex(identifier(node.id))

        def visit_Attribute(self, node: ast.Attribute) -> str:
            return rf"{_operand(self, node.value, ATOM)}^{{\top}}" if node.attr == "T" else latex(identifier(node.attr))

        def visit_Call(self, node: ast.Call) -> str:
            return _call(self, node)

    class Function(FunctionCodegen):  # type: ignore[misc]
        """latexify's function body, one aligned equation a line, the returned values under the names of the new states."""

        def __init__(self) -> None:
            super().__init__()
            self._expression_codegen = Expressions()

        def visit_FunctionDef(self, node: ast.FunctionDef) -> str:
            lines = []
            names = Names(cell.program)
            for child in node.body:
                if isinstance(child, ast.Assign):
                    left = ", ".join(self._expression_codegen.visit(t) for t in child.targets)
                    lines.append(f"{left} &= {self._expression_codegen.visit(child.value)}")
                elif isinstance(child, ast.Return) and child.value is not None:
                    values = child.value.elts if isinstance(child.value, ast.Tuple) else [child.value]
                    new = [*cell.program.updates.values(), *cell.program.outputs]
                    for name, value in zip(new, values, strict=False):
                        if not (isinstance(value, ast.Name) and value.id in cell.program.names):
                            left = latex(identifier(name.name) if name in cell.program.outputs else names(name))
                            lines.append(f"{left} &= {self._expression_codegen.visit(value)}")
            return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    try:
        return str(Function().visit(_Inlined(cell.function).visit(parser.parse_function(cell.function))))
    except (LatexifyError, OSError, TypeError, SyntaxError) as e:
        raise SymgradError(f"the source of cell {cell.name} cannot be set as written: {e}") from None


class _Inlined(ast.NodeTransformer):
    """The calls of helper functions replaced by what they return: those of the user's own that only assign and return."""

    def __init__(self, function: Callable[..., Any], depth: int = 0) -> None:
        inside = inspect.getclosurevars(function)
        self.known: Mapping[str, Any] = {**inside.globals, **inside.nonlocals}
        self.depth = depth

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        helper = self.known.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if not isinstance(helper, types.FunctionType) or helper.__module__.startswith("symgrad.language.") or self.depth > 8:
            return node
        return _returned(helper, node, self.depth + 1) or node


def _returned(helper: types.FunctionType, call: ast.Call, depth: int) -> ast.expr | None:
    """The expression that a helper returns, its arguments and local names put in; None if it does more than assign and return."""
    given = {k.arg: k.value for k in call.keywords if k.arg}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(helper))).body[0]
        values: dict[str, ast.expr] = inspect.signature(helper).bind(*call.args, **given).arguments
    except (OSError, TypeError, SyntaxError):
        return None
    for statement in tree.body if isinstance(tree, ast.FunctionDef) else []:
        match _Inlined(helper, depth).visit(statement):
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _Put(values).visit(value)
            case ast.Return(value=ast.expr() as value):
                found: ast.expr = _Put(values).visit(value)
                return found
            case ast.Expr(value=ast.Constant()):  # its docstring
                pass
            case _:
                return None
    return None


class _Put(ast.NodeTransformer):
    """Names replaced by expressions."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.values.get(node.id, node))


def _level(node: ast.AST) -> int:
    """How tightly an expression holds together in print."""
    if isinstance(node, ast.UnaryOp):
        return SUM
    if not isinstance(node, ast.BinOp):
        return ATOM
    match node.op:
        case ast.Add() | ast.Sub():
            return SUM
        case ast.Mult():
            return PRODUCT if isinstance(node.left, ast.Constant) else HADAMARD
        case ast.Pow():
            return POWER
        case ast.Div():
            return ATOM
        case _:
            return PRODUCT


def _operand(codegen: Any, node: ast.AST, least: int) -> str:
    text = str(codegen.visit(node))
    return text if _level(node) >= least else rf"\left({text}\right)"


def _binary(codegen: Any, node: ast.BinOp) -> str:
    match node.op:
        case ast.Add():
            return f"{_operand(codegen, node.left, SUM)} + {_operand(codegen, node.right, SUM if not isinstance(node.right, ast.UnaryOp) else HADAMARD)}"
        case ast.Sub():
            return f"{_operand(codegen, node.left, SUM)} - {_operand(codegen, node.right, HADAMARD)}"
        case ast.Mult() if isinstance(node.left, ast.Constant):
            return rf"{_operand(codegen, node.left, ATOM)} {_operand(codegen, node.right, PRODUCT)}"
        case ast.Mult():
            return rf"{_operand(codegen, node.left, HADAMARD)} \odot {_operand(codegen, node.right, PRODUCT)}"
        case ast.MatMult():
            return rf"{_operand(codegen, node.left, PRODUCT)} {_operand(codegen, node.right, POWER)}"
        case ast.Div():
            return rf"\frac{{{codegen.visit(node.left)}}}{{{codegen.visit(node.right)}}}"
        case ast.Pow():
            return rf"{_operand(codegen, node.left, ATOM)}^{{{codegen.visit(node.right)}}}"
        case _:
            raise SymgradError(f"the operator {type(node.op).__name__} has no notation")


def _call(codegen: Any, node: ast.Call) -> str:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "f")
    args = [str(codegen.visit(a)) for a in (*node.args, *(k.value for k in node.keywords))]
    if name == "concatenate" and isinstance(node.args[0], ast.List | ast.Tuple):
        return rf"\left[{'; '.join(str(codegen.visit(a)) for a in node.args[0].elts)}\right]"
    if name == "maximum":
        return rf"\operatorname{{relu}}\left({args[0]}\right)"
    if name == "sqrt":
        return rf"\sqrt{{{args[0]}}}"
    shown = CALLS.get(name) or (name.lstrip("_") if len(name.lstrip("_")) == 1 else rf"\operatorname{{{name}}}")
    return rf"{shown}\left({', '.join(args)}\right)"
