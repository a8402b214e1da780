"""What all pictures share: an empty figure, its letters and colours, and the bytes of a finished one, the same on every run."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from typing import Any, Literal

from symgrad.errors import SymgradError

STYLE = {"svg.hashsalt": "symgrad", "svg.fonttype": "path", "font.size": 9.0, "font.family": ["STIXGeneral", "DejaVu Sans"], "mathtext.fontset": "stix"}
BLUE, GREEN, RED, GREY = "#0072b2", "#00805a", "#c8500a", "#6b6b6b"
COLORS = (BLUE, GREEN, RED, "#8a5a9e", "#9a7500", "#4d4d4d")
DRAWN_WITH = re.compile(r"matplotlib \d[\w.+-]*")
FORMATS = ("svg", "png", "pdf")
_NAMELESS: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}  # fmt: skip
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_OTHERWISE = {r" \operatorname": r"\,\operatorname", r"\bigl": "", r"\bigr": "", r"\!": "", r"\lVert": r"\Vert", r"\rVert": r"\Vert"}


class MissingMatplotlib(SymgradError):
    """A picture was asked for where matplotlib is not installed."""


def figure(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Any:
    """An empty figure of so many inches; raises `MissingMatplotlib` where it is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingMatplotlib("a picture needs matplotlib: pip install 'symgrad[plot]'") from None
    return Figure(figsize=(width, height), layout=layout)


def drawn_with() -> str:
    """What draws here; an SVG says it of itself, and `DRAWN_WITH` finds it there."""
    import matplotlib

    return f"matplotlib {matplotlib.__version__}"


def written(draw: Callable[[], Any], to: str) -> bytes:
    """The bytes of the picture; no date, no random identifier."""
    figure(1, 1)
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        named = {"Creator": f"symgrad, {drawn_with()}"} if to == "svg" else {}
        draw().savefig(out, format=to, dpi=160, metadata=_NAMELESS[to] | named)
    return out.getvalue()


def mathtext(latex: str, otherwise: str = "") -> str:
    """A formula for matplotlib's own setter, which knows one size of bracket; `otherwise`, plain text, where it cannot set it."""
    from matplotlib.mathtext import MathTextParser

    for word, other in _OTHERWISE.items():
        latex = latex.replace(word, other)
    try:
        MathTextParser("path").parse(f"${latex}$")
    except ValueError:
        return otherwise.replace("$", r"\$")
    return f"${latex}$"


def powers(axis: Any) -> None:
    """Marks 10⁻³ on a logarithmic axis as plain text, which is set far faster than a formula."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda v, _: f"10{str(round(math.log10(v))).translate(_RAISED)}" if v > 0 else ""))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelfontfamily="DejaVu Serif", labelsize=8)
