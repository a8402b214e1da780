#!/usr/bin/env python3
"""Every printed derivation judged by `symgrad check`, then spoiled in one place and judged again: check_mutants.py [N] [--seed S] [--show]

A mutant must be refuted, and in nine of ten the blame must lie on the altered term or hold it, as a slip that is named: a right side that is
blamed as a whole counts only where it was altered as a whole.  Printed formulas must be proved.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from symgrad.cells import LIBRARY
from symgrad.check.judge import judge
from symgrad.check.sources import read_text
from symgrad.face.jacobian import jacobian
from symgrad.notation.derivation import jacobian_syntax
from symgrad.notation.latex import latex, latex_lines
from symgrad.notation.reading.dialect import parse_dialect
from symgrad.notation.syntax import Index, Name, Negative, Number, Power, Product, Relation, Sum, Transpose
from symgrad.notation.write import FORMS, functions

CELLS = ("rnn", "rnn_sigmoid", "gru", "gru_write", "gru_reset_after", "gru_torch", "gru_merged", "gru_reset_last", "lstm", "lstm_torch")


def derivations() -> Iterator[tuple[str, str, Any]]:
    """Cell, its equations in LaTeX, one printed derivation."""
    for name in CELLS:
        cell = LIBRARY[name]
        program = cell.program
        for of in program.states:
            for wrt in program.states:
                for form in FORMS:
                    found = jacobian_syntax(jacobian(cell, of=of.name, wrt=wrt.name), form, name=True)
                    if found.sides[1] != Number("0"):
                        yield name, latex_lines(*equations(cell)), found


def equations(cell: Any) -> list[Relation]:
    from symgrad.notation.write import update_equations

    return list(update_equations(cell.program, "matrix"))


Path_ = tuple[Any, ...]


def places(node: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every node on the right side that may be spoiled, with the way to it."""
    yield path, node
    if isinstance(node, Name):
        return
    for field in node.__dataclass_fields__:
        value = getattr(node, field)
        if field == "span":
            continue
        if hasattr(type(value), "__dataclass_fields__"):
            yield from places(value, (*path, field))
        elif isinstance(value, tuple):
            for k, v in enumerate(value):
                if hasattr(type(v), "__dataclass_fields__"):
                    yield from places(v, (*path, (field, k)))


def put(node: Any, path: Path_, new: Any) -> Any:
    """The tree with another node at a place."""
    if not path:
        return new
    step, *rest = path
    if isinstance(step, tuple):
        field, k = step
        parts = list(getattr(node, field))
        parts[k] = put(parts[k], tuple(rest), new)
        return replace(node, **{field: tuple(parts)})
    return replace(node, **{step: put(getattr(node, step), tuple(rest), new)})


def unjoined(node: Any) -> Any:
    """``f_t (1)`` is read as an entry of f: here it is the product that was printed."""
    changed: dict[str, Any] = {}
    for field in () if isinstance(node, Name) else node.__dataclass_fields__:
        value = getattr(node, field)
        if field != "span" and hasattr(type(value), "__dataclass_fields__"):
            changed[field] = unjoined(value)
        elif isinstance(value, tuple):
            changed[field] = tuple(unjoined(v) if hasattr(type(v), "__dataclass_fields__") else v for v in value)
    node = replace(node, **changed) if changed else node
    if isinstance(node, Index) and node.kind == "(" and isinstance(node.parts[0], Number):
        return Product((node.base, *node.parts), span=node.span)
    if isinstance(node, Product):
        return replace(node, args=tuple(f for a in node.args for f in (a.args if isinstance(a, Product) else (a,))))
    return node


def at(node: Any, path: Path_) -> Any:
    """The node at a place; None where the formula is read as another tree than the one it was printed from."""
    with contextlib.suppress(AttributeError, IndexError, KeyError):
        for step in path:
            node = getattr(node, step[0])[step[1]] if isinstance(step, tuple) else getattr(node, step)
        return node
    return None


def spoiled(tree: Any, rng: random.Random, names: list[Name]) -> tuple[Any, Path_, str] | None:
    """One change of one place of the right side: the tree, the place, what was done."""
    path, node = rng.choice(list(places(tree)))
    kind = type(node).__name__
    if kind in ("Sum", "Hadamard", "Product") and len(node.args) > 1:
        k = rng.randrange(len(node.args))
        if rng.random() < 0.5:
            rest = (*node.args[:k], *node.args[k + 1 :])
            return put(tree, path, rest[0] if len(rest) == 1 else replace(node, args=rest)), path, f"dropped a part of a {kind}"
        if kind == "Sum":
            a = node.args[k]
            b = a.arg if isinstance(a, Negative) else Negative(a)
            if k == 0 and isinstance(b, Negative):
                return None
            return put(tree, path, replace(node, args=(*node.args[:k], b, *node.args[k + 1 :]))), path, "turned a sign"
    if kind == "Name" and node.base not in ("delta", "1"):
        if node.base.isupper():
            if rng.random() < 0.3:
                return put(tree, path, Transpose(node)), path, "transposed"
            entries = tuple(s for s in node.subs[-1:] if type(s).__name__ == "Product" and {a.base for a in s.args} <= {"i", "j", "k"})  # U_{z,ij}
            others = [n for n in names if n.base.isupper() and (n.base, *n.subs, *entries) != (node.base, *node.subs)]
            if others:
                other = rng.choice(others)
                return put(tree, path, replace(other, subs=(*other.subs, *entries))), path, "another weight"
        elif len(node.subs) == 1:
            if rng.random() < 0.4:
                sub = node.subs[0]
                moved = Name("t") if isinstance(sub, Sum) else Sum((Name("t"), Negative(Number("1"))))
                return put(tree, path, replace(node, subs=(moved,))), path, "another step"
            others = [n for n in names if not n.base.isupper() and n.base != node.base and len(n.subs) == 1]
            if others:
                return put(tree, path, replace(rng.choice(others), subs=node.subs)), path, "another gate"
    if isinstance(node, Power) and node.exponent == Number("2"):
        return put(tree, path, node.base), path, "lost a square"
    return None


def told(verdicts: Counter[str], blamed: int, vague: int, start: float) -> None:
    """The tally so far."""
    count, seconds = sum(verdicts.values()), time.perf_counter() - start
    print(f"mutants: {count}, {dict(verdicts)}, {seconds:.0f} s, {1000 * seconds / count:.0f} ms each")
    print(f"blame on the altered term: {blamed}, {blamed / count:.1%} of all; in {vague} of them the whole right side is blamed", flush=True)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("count", nargs="?", type=int, default=300)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--show", action="store_true")
    a = p.parse_args()
    rng = random.Random(a.seed)
    pool = list(derivations())
    printed: Counter[str] = Counter()
    for name, head, found in pool:
        text = f"$$\n{head}\n$$\n\n$$\n{latex(found, functions(LIBRARY[name].program))}\n$$\n"
        for c in judge(read_text(text, "md", name=name)):
            printed[c.verdict] += 1
            if c.verdict != "proved" and a.show:
                print(f"{name}: {c.verdict} {c.message} {c.latex}")
    verdicts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    blamed = vague = 0
    start = time.perf_counter()
    while sum(verdicts.values()) < a.count:
        name, head, found = rng.choice(pool)
        program = LIBRARY[name].program
        names = [n for e in equations(LIBRARY[name]) for _, n in places(e.sides[1]) if isinstance(n, Name)]
        changed = spoiled(found.sides[1], rng, names)
        if changed is None or changed[0] == found.sides[1]:
            continue
        tree, path, what = changed
        formula = latex(Relation((found.sides[0], tree), ("=",)), functions(program))
        again = unjoined(parse_dialect(formula)[0])
        place = next(p.span for k in range(len(path), -1, -1) if getattr(p := at(again.sides[1], path[:k]), "span", None) is not None)
        text = f"$$\n{head}\n$$\n\n$${formula}$$\n"
        claims = [c for c in judge(read_text(text, "md", name=name)) if c.line == text.count("\n")]
        verdict = claims[0].verdict if claims else "skipped"
        verdicts[verdict] += 1
        hit = False
        if verdict == "refuted" and claims[0].blame is not None:
            first, last = claims[0].blame.column - 3, claims[0].blame.end_column - 3
            hit = first < place.end and place.start < last
            blamed += hit
            if hit and claims[0].code == "false-equation" and path:  # no slip was found: all of the right side is blamed
                vague += 1
                kinds[f"the whole right side blamed: {what}"] += 1
                if a.show:
                    print(f"{name} vague {claims[0].code} {what}\n   {formula}")
        if not hit:
            kinds[f"{verdict}: {what}"] += 1
            if a.show:
                print(f"{name} {verdict} {claims and claims[0].code} {what}\n   {formula}\n   {claims and claims[0].message}")
        if sum(verdicts.values()) % 500 == 0 and sum(verdicts.values()) < a.count:
            told(verdicts, blamed, vague, start)
    print(f"printed: {dict(printed)}")
    told(verdicts, blamed, vague, start)
    for what, n in kinds.most_common():
        print(f"   {n:4} {what}")
    return 0 if printed["proved"] == sum(printed.values()) and blamed - vague >= 0.9 * a.count else 1


if __name__ == "__main__":
    sys.exit(main())
