"""The Markdown suites of `suites/`, each section a test; see `suite`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from suite import Case, cases, differences, read_case

judge = pytest.importorskip("symgrad.check.judge").judge


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_section(case: Case) -> None:
    document = read_case(case)
    assert not list(differences(case, document, list(judge(document, None))))
