r"""Matrix products by another sign: ``W_x \odot x_t + W_h \odot h_{t-1}``, where the document says so or multiplies every weight like that."""

from __future__ import annotations

import re
from typing import Any

from symgrad.check.reading.statements import DEFINING, Statement, letter_of, relation_of, step_part, throughout
from symgrad.check.reading.symbols import head_and_parts, is_top, labelled
from symgrad.check.reading.trees import kind, unwrapped, walk
from symgrad.notation.syntax import Product

SAID = re.compile(
    r"(?:\\odot|⊙|\\circ|∘)\s*[$`\\)]*\s*(?:=|:|is|denotes|means|represents|stands for|表示|为|是)\s*(?:the\s+|an?\s+)?"
    r"(?:matrix[- ](?:matrix |vector )?(?:multiplication|product)|dot[- ]product|matmul|矩阵(?:乘法|相乘|乘积))",
    re.IGNORECASE,
)


def circled(statements: list[Statement], text: str) -> list[Statement]:
    """The statements with a product of matrices wherever the sign for entries stands beside a weight."""
    letter = letter_of(statements)
    return throughout(statements, lambda n: multiplied(n, letter)) if SAID.search(text) or every_weight(statements, letter) else statements


def multiplied(node: Any, letter: str) -> Any:
    """``W ⊙ h`` and ``g ⊙ W^T`` as products; None for anything else."""
    return Product(node.args, span=node.span) if kind(node) == "Hadamard" and any(a_weight(a, letter) for a in node.args) else None


def every_weight(statements: list[Statement], letter: str) -> bool:
    """Whether some equation multiplies two weights so, and none multiplies one otherwise."""
    twice = False
    for s in statements:
        rel = relation_of(s.node)
        if rel is None or rel.signs[0] not in DEFINING or s.derives:
            continue
        nodes = [n for side in rel.sides[1:] for n in walk(side)]
        signs = [kind(n) for n in nodes if kind(n) in ("Hadamard", "Product", "Infix") and any(a_weight(a, letter) for a in n.args)]
        if set(signs) - {"Hadamard"}:
            return False
        twice |= len(signs) > 1
    return twice


def a_weight(node: Any, letter: str) -> bool:
    """Whether a factor is a matrix by its name: a capital letter with a label and without a step, transposed or not."""
    node = unwrapped(node)
    if kind(node) == "Transpose" or (kind(node) == "Power" and is_top(node.exponent)):
        node = unwrapped(node.arg if kind(node) == "Transpose" else node.base)
    split = head_and_parts(node)
    return split is not None and split[0].base in ("W", "U", "V") and all(labelled(p.node) for p in split[1]) and step_part(split[1], letter) is None
