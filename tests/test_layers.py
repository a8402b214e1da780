"""Imports flow one way: a room knows only the rooms below it, and an import inside a function serves start-up, never a cycle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "symgrad"
ROOMS = [
    "errors", "language", "calculus", "notation", "generate", "face", "cells", "decide", "bounds", "verify", "check", "figures", "flow",
    "document", "cli", "__main__",
]  # fmt: skip
CHECK = [
    "limits", "claim", "sources", "worlds", "reading", "forms", "defined", "evaluation", "cell", "slips", "court", "ruling", "otherwise", "judging",
    "inequalities", "numbers", "verdicts", "programs", "judge", "worker", "explain", "report", "outcome", "run", "command",
]  # fmt: skip
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module of the package that is imported anywhere in a file, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "symgrad":
            yield from ([f"symgrad.{a.name}" for a in node.names] if node.module == "symgrad" else [node.module])
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "symgrad")


def room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return  # the face of the package: it imports everything, when it is asked for
    own = ROOMS.index(parts[0])
    for module in imported(ast.parse(path.read_text())):
        if module in ("symgrad", "symgrad.__version__") or (parts[0] == "document" and module == "symgrad.cli"):
            continue  # a directive is a command line: the builder reads it with the parser of the command line
        assert ROOMS.index(room(module)) <= own, f"{'/'.join(parts)} imports {module}, which stands above it"


@pytest.mark.parametrize("path", sorted((PACKAGE / "check").rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE / "check")))
def test_imports_within_check_run_downwards(path: Path) -> None:
    place = path.relative_to(PACKAGE / "check").with_suffix("").parts[0]
    if place == "__init__":
        return
    for module in imported(ast.parse(path.read_text())):
        if module.startswith("symgrad.check."):
            assert CHECK.index(module.split(".")[2]) <= CHECK.index(place), f"{place} imports {module}, which stands above it"


def test_every_room_is_on_the_map() -> None:
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text()
    for name in {p.relative_to(PACKAGE / "check").parts[0].removesuffix(".py") for p in (PACKAGE / "check").rglob("*.py")} - {"__init__"}:
        assert f"`{name}" in text, f"ARCHITECTURE.md says nothing of check/{name}"
    rooms = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in MODULES} - {"__init__", "__main__"}
    assert rooms <= set(ROOMS)
    for name in rooms:
        assert f"`{name}/`" in text or f"`{name}.py`" in text, f"ARCHITECTURE.md says nothing of {name}"
