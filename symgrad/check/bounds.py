r"""Inequalities: a bound on a function of one bounded or free number, by interval arithmetic."""

from __future__ import annotations

from typing import Any

from symgrad.check.claims import Link
from symgrad.check.page import Page


def bound(page: Page, link: Link) -> Any:
    """The judgement of ``|f(c)| < 0.45``; None where it cannot be told."""
    del page, link
