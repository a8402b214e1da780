"""Markdown to standalone TeX, by pandoc (the extra ``docs`` brings it in a wheel)."""

from __future__ import annotations

from pathlib import Path

from symgrad.errors import SymgradError


def to_tex(markdown: str, path: Path) -> str:
    """A standalone LaTeX document of a Markdown one."""
    try:
        import pypandoc
    except ImportError:
        raise SymgradError(f"{path}: --to tex converts Markdown with pandoc, which is not installed: pip install 'symgrad[docs]'") from None
    options = ["--standalone", "-V", "geometry:margin=2.5cm", "-V", "colorlinks"]
    try:
        return str(pypandoc.convert_text(markdown, "latex", format="markdown-auto_identifiers", extra_args=options))
    except (OSError, RuntimeError) as e:
        raise SymgradError(f"{path}: pandoc failed: {e}") from None
