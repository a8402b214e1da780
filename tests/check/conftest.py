"""The judge's place may be taken by a stand-in that misbehaves on purpose, to see that the processes around it hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from symgrad.check import run

STAND_IN = """
import importlib.abc, importlib.machinery, os, sys

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "symgrad.check.judge" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        module.judge = judge

def judge(document, cell):
    for f in document.fragments:
        if "LOOP" in f.latex:
            while True: pass
        if "POWER" in f.latex: 9 ** 9 ** 8
        if "MEMORY" in f.latex: [bytearray(50_000_000) for _ in range(100)]
        if "RAISE" in f.latex: raise KeyError("no such thing")
        if "EXIT" in f.latex: os._exit(3)
        if "PRINT" in f.latex: print("noise")
        while "ENDLESS" in f.latex: yield document.claim(f, verdict="proved")
        if "=" in f.latex:
            wrong = "WRONG" in f.latex
            said = dict(verdict="refuted", code="transposed-factor", message="the factor is transposed", expected="W", blame=document.span(f, 0, 1),
                        definition=document.span(document.fragments[0])) if wrong else dict(verdict="proved")
            yield document.claim(f, **said)

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def stand_in(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Processes that judge with the stand-in."""
    folder = tmp_path_factory.mktemp("stand_in")
    (folder / "sitecustomize.py").write_text(STAND_IN)
    idle = list(run._idle)
    run._idle.clear()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder
    while run._idle:
        run._idle.pop().close()
    run._idle.extend(idle)
